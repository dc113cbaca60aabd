# SPDX-License-Identifier: GPL-2.0-only
#
# What scripts/bench runs in the virtual machine, and tests of what it makes of the results.

bench_messages_objects := $(patsubst %,$(BUILD)/obj/tests/bench/%.o, \
	messages call ring connection clock openssl wolfssl identity)

$(BUILD)/obj/tests/bench/%.o: CPPFLAGS += -isystem $(WOLFSSL)/include

$(BUILD)/tests/bench_messages: $(bench_messages_objects)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(WOLFSSL)/lib/libwolfssl.a -lm -lssl -lcrypto -luring -lpthread

$(BUILD)/tests/bench_memory: $(BUILD)/obj/tests/bench/memory.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^

PROGRAMS += $(BUILD)/tests/bench_messages $(BUILD)/tests/bench_memory
