# SPDX-License-Identifier: GPL-2.0-only
#
# Unit tests of the daemon's parts. They need neither the module nor root. What needs both is in
# tests/signetd/run, for the virtual machine.

signetd_tests := $(basename $(notdir $(wildcard tests/signetd/*.c)))
signetd_test_shared := $(patsubst %,$(BUILD)/obj/tests/userspace/%.o,tap certificates)

$(BUILD)/obj/tests/signetd/%.o: CPPFLAGS += $(WOLFSSL_CPPFLAGS) -Iuserspace/handshake \
	-Iuserspace/signetd -Itests/userspace
$(BUILD)/obj/tests/signetd/%.o: CFLAGS += -Wno-missing-field-initializers

$(signetd_tests:%=$(BUILD)/tests/%): $(BUILD)/tests/%: $(BUILD)/obj/tests/signetd/%.o \
		$(signetd_test_shared) $(SIGNETD_OBJECTS) $(LIBHANDSHAKE) $(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(SIGNETD_LIBS)

TESTS += $(signetd_tests:%=$(BUILD)/tests/%)
