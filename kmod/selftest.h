/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Known answers: a module that seals or opens wrongly must not load.
 */
#ifndef _SIGNET_SELFTEST_H
#define _SIGNET_SELFTEST_H

/* Return: 0, or the errno that keeps the module from loading. */
int signet_selftest(void);

#endif /* _SIGNET_SELFTEST_H */
