# SPDX-License-Identifier: GPL-2.0-only
#
# What scripts/bench runs in the virtual machine, and tests of what it makes of the results.

# A TLS library's part of a program comes with the licence of wolfSSL.
bench_objects := $(patsubst %,$(BUILD)/obj/tests/bench/%.o, connection clock openssl wolfssl identity)
bench_libraries = $(WOLFSSL)/lib/libwolfssl.a -lm -lssl -lcrypto -luring -lpthread

$(BUILD)/obj/tests/bench/%.o: CPPFLAGS += -isystem $(WOLFSSL)/include

$(BUILD)/tests/bench_messages: $(patsubst %,$(BUILD)/obj/tests/bench/%.o, messages call mark ring) \
		$(bench_objects)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(bench_libraries)

$(BUILD)/tests/bench_connections: $(BUILD)/obj/tests/bench/connections.o $(bench_objects)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(bench_libraries)

$(BUILD)/tests/bench_memory: $(BUILD)/obj/tests/bench/memory.o $(bench_objects)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(bench_libraries)

PROGRAMS += $(BUILD)/tests/bench_messages $(BUILD)/tests/bench_connections \
	$(BUILD)/tests/bench_memory

$(BUILD)/tests/bench_upcall: $(addprefix $(BUILD)/obj/tests/bench/,upcall.o clock.o) \
		$(LIBHANDSHAKE) $(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(HANDSHAKE_LIBS) -lssl -lcrypto -lpthread

PROGRAMS += $(BUILD)/tests/bench_upcall

# For QEMU, which runs in the toolchain tree too.
$(BUILD)/tests/bench_plugin.so: $(BUILD)/obj/tests/bench/plugin.pic.o
	@mkdir -p $(@D)
	$(CC) $(SHARED_LDFLAGS) -o $@ $^

PROGRAMS += $(BUILD)/tests/bench_plugin.so

# Started by scripts/bench-handshakes.
bench_handshakes_objects := $(patsubst %.c,$(BUILD)/obj/%.o,tests/bench/handshakes.c \
	$(wildcard tests/bench/handshakes/*.c)) \
	$(addprefix $(BUILD)/obj/tests/userspace/,certificates.o peer.o tap.o)

$(BUILD)/obj/tests/bench/handshakes%.o: CPPFLAGS += -isystem $(WOLFSSL)/include
$(BUILD)/obj/tests/bench/handshakes%.o: CFLAGS += -Wno-missing-field-initializers

$(BUILD)/tests/bench_handshakes: $(bench_handshakes_objects) $(LIBHANDSHAKE) $(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(HANDSHAKE_LIBS) -lssl -lcrypto

PROGRAMS += $(BUILD)/tests/bench_handshakes
