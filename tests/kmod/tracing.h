/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's tracing of events, in an instance of the test's own: lines of text.
 */
#ifndef TESTS_KMOD_TRACING_H
#define TESTS_KMOD_TRACING_H

#include <stdbool.h>
#include <stddef.h>

/* Text of what was traced, at most. */
#define TRACING_MAX (8 << 20)

/* Begins, with no event, and not recording. Return: 0 or -1. */
int tracing_begin(void);
/* Records the event "system/name" too; @filter: NULL for each of them. Return: 0 or -1. */
int tracing_add(const char *event, const char *filter);
/* Return: 0 or -1. */
int tracing_record(bool on);
/* Forgets what was recorded. Return: 0 or -1. */
int tracing_clear(void);
/* The lines recorded; at most TRACING_MAX. Return: -1 also when some were lost. */
int tracing_read(char *text, size_t size);
int tracing_end(void);

#endif /* TESTS_KMOD_TRACING_H */
