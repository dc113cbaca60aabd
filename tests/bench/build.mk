# SPDX-License-Identifier: GPL-2.0-only
#
# What scripts/bench runs.

$(BUILD)/tests/bench_roundtrip: $(BUILD)/obj/tests/bench/roundtrip.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^

PROGRAMS += $(BUILD)/tests/bench_roundtrip

$(BUILD)/tests/bench_memory: $(BUILD)/obj/tests/bench/memory.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^

PROGRAMS += $(BUILD)/tests/bench_memory

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
