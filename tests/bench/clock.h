/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time that a measurement takes.
 */
#ifndef TESTS_BENCH_CLOCK_H
#define TESTS_BENCH_CLOCK_H

/*
 * On the counted clock (scripts/vm --icount), where one nanosecond is one instruction,
 * idle time passes too: from here on a thread that runs only when nothing else can
 * spins, and what it used is taken off. For one processor.
 */
void clock_subtract_idle(void);

/*
 * From here on clock_now() gives the processor's cycles for this process, its later threads and
 * what the kernel does for them. Exits where the machine does not count them.
 */
void clock_count_cycles(void);

/* Nanoseconds, without idle time after clock_subtract_idle(). */
double clock_now(void);

#endif /* TESTS_BENCH_CLOCK_H */
