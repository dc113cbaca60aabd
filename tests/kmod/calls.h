/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way to send or receive, in one shape, for tests that hold for all.
 */
#ifndef TESTS_KMOD_CALLS_H
#define TESTS_KMOD_CALLS_H

#include <stddef.h>
#include <sys/types.h>

struct send_call {
	const char *name;
	ssize_t (*call)(int fd, const void *from, size_t len);
};

struct recv_call {
	const char *name;
	ssize_t (*call)(int fd, void *to, size_t len);
};

/* Ended by a NULL name. */
extern const struct send_call send_calls[];
extern const struct recv_call recv_calls[];

#endif /* TESTS_KMOD_CALLS_H */
