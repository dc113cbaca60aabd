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
