/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's fault injection (fail-nth, Documentation/fault-injection): makes the
 * Nth allocation or copy from or to userspace of this thread fail.
 */
#ifndef TESTS_KMOD_FAULT_H
#define TESTS_KMOD_FAULT_H

#include <stdbool.h>

/* Return: 0, or -1 when this kernel has no fault injection. */
int fault_setup(void);

/* From here on, the @nth one fails, counted from 1. */
void fault_arm(int nth);

/* Ends that. Return: true when one did fail since. Keeps errno. */
bool fault_disarm(void);

/*
 * From here on every allocation of the module's function fails, in interrupts too, until @name is
 * NULL. Return: 0 or -1.
 */
int fault_function(const char *name);

#endif /* TESTS_KMOD_FAULT_H */
