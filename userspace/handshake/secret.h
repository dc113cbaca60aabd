/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory for secrets: not swapped, not dumped, not inherited, wiped when it is given back. */
#ifndef SIGNET_HANDSHAKE_SECRET_H
#define SIGNET_HANDSHAKE_SECRET_H

#include <stddef.h>

/**
 * signet_secret_alloc - pages of their own, zeroed
 *
 * Locking them can fail (RLIMIT_MEMLOCK); the memory is then used all the same.
 *
 * Return: the memory, or NULL.
 */
void *signet_secret_alloc(size_t size);

/* What children of this process may have too: what a configuration holds. */
void signet_secret_inherit(void *secret, size_t size);

/* A child has no locks of its parent's: for what it inherited, and will write to. */
void signet_secret_lock(void *secret, size_t size);

/* Wipes and frees. @size is what was asked for. NULL is fine. */
void signet_secret_free(void *secret, size_t size);

#endif
