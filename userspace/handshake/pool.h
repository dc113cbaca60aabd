/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The secrets of many handshakes, side by side in memory for secrets: a page for each would be more
 * than all that a handshake needs else, and to map, lock and unmap it would cost as much as a
 * signature.
 */
#ifndef SIGNET_HANDSHAKE_POOL_H
#define SIGNET_HANDSHAKE_POOL_H

#define SIGNET_POOL_ITEM 640

struct signet_pool_chunk;

/**
 * signet_pool_take - room for SIGNET_POOL_ITEM bytes, zeroed
 * @chunk:	filled in, for signet_pool_give()
 *
 * Good for any thread. A child of this process finds it zeroed, and gives it back as its parent does.
 *
 * Return: the memory, or NULL.
 */
void *signet_pool_take(struct signet_pool_chunk **chunk);

/* Wipes it, and gives it back. NULL is fine. */
void signet_pool_give(struct signet_pool_chunk *chunk, void *item);

#endif
