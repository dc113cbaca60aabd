/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Test Anything Protocol, as the kernel's selftests speak it: one numbered line per check. */
#ifndef SIGNET_TESTS_TAP_H
#define SIGNET_TESTS_TAP_H

#include <stdbool.h>

/* kselftest.h's exit statuses. */
#define TAP_PASS 0
#define TAP_FAIL 1
#define TAP_SKIP 4

/* Before everything else. */
void tap_begin(void);

/* One check. Return: @good. */
__attribute__((format(printf, 2, 3))) bool ok(bool good, const char *format, ...);

/* One check that could not be made, with the reason. */
__attribute__((format(printf, 2, 3))) void skip(const char *reason, const char *format, ...);

/* A line for a person, beside the checks. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);

/* The whole program could not be run: says so and exits with TAP_SKIP. */
__attribute__((noreturn)) void skip_all(const char *reason);

/* The test itself is broken: says so and exits with TAP_FAIL. */
__attribute__((noreturn, format(printf, 1, 2))) void bail(const char *format, ...);

/* Prints the plan and the totals. Return: the exit status. */
int tap_end(void);

#endif
