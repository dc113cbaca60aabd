# SPDX-License-Identifier: GPL-2.0-only
#
# libsignet's calls, for tests/setsockopt/run in the virtual machine.

$(BUILD)/bin/setsockopt_calls: $(BUILD)/obj/tests/setsockopt/calls.o $(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^

PROGRAMS += $(BUILD)/bin/setsockopt_calls
