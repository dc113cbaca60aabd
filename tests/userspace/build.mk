# SPDX-License-Identifier: GPL-2.0-only
#
# Unit tests of the libraries. Each program is one file, linked with what the tests share; they need
# neither the module nor a network, only the openssl command and OpenSSL's library.

userspace_test_shared := tap certificates duo peer judge forge record meeting
userspace_tests := $(filter-out $(userspace_test_shared), \
	$(basename $(notdir $(wildcard tests/userspace/*.c))))

userspace_test_objects := $(userspace_test_shared:%=$(BUILD)/obj/tests/userspace/%.o)

# Tables of cases leave out what is zero.
$(BUILD)/obj/tests/userspace/%.o: CFLAGS += -Wno-missing-field-initializers
$(BUILD)/obj/tests/userspace/%.o: CPPFLAGS += $(WOLFSSL_CPPFLAGS)

$(userspace_tests:%=$(BUILD)/tests/%): $(BUILD)/tests/%: $(BUILD)/obj/tests/userspace/%.o \
		$(userspace_test_objects) $(LIBHANDSHAKE) $(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(HANDSHAKE_LIBS) -lssl -lcrypto

TESTS += $(userspace_tests:%=$(BUILD)/tests/%)
