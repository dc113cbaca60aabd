# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the module, from outside: one kselftest_harness program per file kmod_*.c, each linked
# with what they share. They run in the virtual machine, as root:
#
#   scripts/vm -- build/tests/kmod_attach

kmod_tests := $(basename $(notdir $(wildcard tests/kmod/kmod_*.c)))
kmod_test_shared := $(filter-out kmod_%,$(basename $(notdir $(wildcard tests/kmod/*.c))))
kmod_test_objects := $(kmod_test_shared:%=$(BUILD)/obj/tests/kmod/%.o)

# The harness is the kernel's; its variables are unused where a test has no use for them, and its
# setjmp() makes the compiler doubt variables that outlive a failed assertion.
$(BUILD)/obj/tests/kmod/%.o: CPPFLAGS += -isystem $(KSELFTEST)
$(BUILD)/obj/tests/kmod/%.o: CFLAGS += -Wno-clobbered -Wno-missing-prototypes \
	-Wno-missing-field-initializers

.SECONDARY: $(kmod_test_objects) $(kmod_tests:%=$(BUILD)/obj/tests/kmod/%.o)

$(kmod_tests:%=$(BUILD)/tests/%): $(BUILD)/tests/%: $(BUILD)/obj/tests/kmod/%.o \
		$(kmod_test_objects)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -lcrypto -luring -lpthread

TESTS += $(kmod_tests:%=$(BUILD)/tests/%)
