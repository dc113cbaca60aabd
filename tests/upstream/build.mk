# SPDX-License-Identifier: GPL-2.0-only
#
# Upstream's test of its own TLS, unmodified, as scripts/setup took it out of the newest kernel's
# source. tests/upstream/selftest runs it, in the virtual machine.

$(BUILD)/tests/upstream_tls: $(KSELFTEST)/net/tls.c tests/upstream/build.mk
	@mkdir -p $(@D)
	$(CC) -O2 -w -D_GNU_SOURCE= -I$(KERNEL_SOURCE)/include/uapi -I$(KSELFTEST) -o $@ $< -lpthread

TESTS += $(BUILD)/tests/upstream_tls
