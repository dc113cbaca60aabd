/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the daemon's processes give up: users, capabilities, system calls. */
#ifndef SIGNETD_CONFINE_H
#define SIGNETD_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

enum confinement {
	CONFINE_SUPERVISOR,
	CONFINE_SIGNER,
	CONFINE_WORKER,
};

/**
 * confine_memory - no core dumps, no debuggers
 * @lock:	all of the process's memory stays out of swap
 */
void confine_memory(bool lock);

/**
 * confine_user - become another user, without any capability
 *
 * A process that is not root's stays who it is, and says so in the log.
 *
 * Return: 0, or -1 with errno; ENOENT: there is no such user.
 */
int confine_user(const char *name);

/* Keep only what the supervisor needs to start others. Return: 0, or -1 with errno. */
int confine_supervisor(void);

/* Allow only some system calls, to all threads, and no new privileges. Return: 0, or -1 with errno. */
int confine_calls(enum confinement confinement);

/* As many descriptors and as much locked memory as the hard limits allow. */
void confine_raise_limits(void);

/* Return: whether there is such a user; true where none can be changed to. */
bool confine_user_exists(const char *name);

#endif
