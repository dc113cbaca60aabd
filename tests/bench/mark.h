/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a program in the guest tells the profile's plugin (plugin.c) what it is doing: by calling
 * code at an address that says so.
 */
#ifndef TESTS_BENCH_MARK_H
#define TESTS_BENCH_MARK_H

#define MARK_BASE 0x516000000000ULL
#define MARK_STEP 64
#define MARK_SLOTS 64

/* From now on what runs counts for @slot, below MARK_SLOTS; 0: for nothing. */
void mark(unsigned int slot);

#endif /* TESTS_BENCH_MARK_H */
