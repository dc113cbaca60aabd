/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network namespace of the test's own, and what the module keeps in one.
 */
#ifndef TESTS_KMOD_NAMESPACE_H
#define TESTS_KMOD_NAMESPACE_H

#include <stdint.h>

/* The calling process goes into a new one, with a loopback device that is up. */
int namespace_enter(void);

/* net.signet.@name: sets it as text, -1 with errno when that is refused. */
int default_set(const char *name, const char *value);
/* Reads it, -1 on failure. */
long default_get(const char *name);

/* The counter @name of /proc/net/signet_stat, -1 without one. */
long counter_get(const char *name);

#endif /* TESTS_KMOD_NAMESPACE_H */
