# SPDX-License-Identifier: GPL-2.0-only
#
# Upstream's test of its own TLS, unmodified, as scripts/setup took it out of the newest kernel's
# source. tests/upstream/selftest runs it, in the virtual machine. How long a test may take that
# hangs is ours: it is slower on a slower kernel.

$(BUILD)/tests/upstream_tls: $(KSELFTEST)/net/tls.c $(BUILD)/obj/tests/kmod/poll.o \
		tests/upstream/build.mk
	@mkdir -p $(@D)
	$(CC) -O2 -w -D_GNU_SOURCE= -I$(KERNEL_SOURCE)/include/uapi -I$(KSELFTEST) -o $@ \
		$(filter %.c %.o,$^) -lpthread

TESTS += $(BUILD)/tests/upstream_tls
