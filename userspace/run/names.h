/* SPDX-License-Identifier: MIT */
/* Which name a program looked up to find an address. The newest NAMES_MAX addresses are kept. */
#ifndef SIGNET_RUN_NAMES_H
#define SIGNET_RUN_NAMES_H

#include <netinet/in.h>
#include <stdbool.h>

#include <linux/signet.h>

#define NAMES_MAX 512

/* Takes note. Names that are too long for TLS are not taken. */
void names_remember(const struct in6_addr *address, const char *name);

/**
 * names_find - the name that was last looked up and had this address
 * @name:	room for SIGNET_STRING_MAX + 1 bytes
 *
 * Return: whether there is one.
 */
bool names_find(const struct in6_addr *address, char *name);

/* Around fork(): the child's copy is whole. */
void names_lock(void);
void names_unlock(void);

#endif
