// SPDX-License-Identifier: GPL-3.0-or-later
#include "pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"

/* As many as a word has bits. */
#define ITEMS 64
#define FULL UINT64_MAX
#define CHUNK_SIZE (ITEMS * SIGNET_POOL_ITEM)

/**
 * struct signet_pool_chunk - a few pages; its book-keeping is elsewhere, since a child finds them empty
 * @next:	of those with room
 * @before:	what points to this one
 * @used:	one bit for each item
 * @items:	in memory for secrets
 */
struct signet_pool_chunk {
	struct signet_pool_chunk *next;
	struct signet_pool_chunk **before;
	uint64_t used;
	unsigned char *items;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct signet_pool_chunk *with_room;

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

/* A child's pool must not be one that another thread was about to change. */
static void set_up(void)
{
	(void)pthread_atfork(before_fork, after_fork, after_fork);
}

static void link_chunk(struct signet_pool_chunk *chunk)
{
	chunk->next = with_room;
	chunk->before = &with_room;
	if (with_room)
		with_room->before = &chunk->next;
	with_room = chunk;
}

static void unlink_chunk(struct signet_pool_chunk *chunk)
{
	*chunk->before = chunk->next;
	if (chunk->next)
		chunk->next->before = chunk->before;
}

static bool add_chunk(void)
{
	struct signet_pool_chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		return false;
	chunk->items = signet_secret_alloc(CHUNK_SIZE);
	if (!chunk->items) {
		free(chunk);
		return false;
	}
	link_chunk(chunk);
	return true;
}

static void *take(struct signet_pool_chunk *chunk)
{
	int item = __builtin_ctzll(~chunk->used);

	chunk->used |= UINT64_C(1) << item;
	if (chunk->used == FULL)
		unlink_chunk(chunk);
	return chunk->items + item * SIGNET_POOL_ITEM;
}

/* Return: whether the chunk is to go: nothing is in it, and it is not the last one with room. */
static bool give(struct signet_pool_chunk *chunk, size_t item)
{
	if (chunk->used == FULL)
		link_chunk(chunk);
	chunk->used &= ~(UINT64_C(1) << item);
	if (chunk->used || (with_room == chunk && !chunk->next))
		return false;
	unlink_chunk(chunk);
	return true;
}

void *signet_pool_take(struct signet_pool_chunk **chunk)
{
	void *item = NULL;

	pthread_once(&once, set_up);
	pthread_mutex_lock(&lock);
	if (with_room || add_chunk()) {
		*chunk = with_room;
		item = take(with_room);
	}
	pthread_mutex_unlock(&lock);
	return item;
}

void signet_pool_give(struct signet_pool_chunk *chunk, void *item)
{
	bool unused;

	if (!item)
		return;
	explicit_bzero(item, SIGNET_POOL_ITEM);
	pthread_mutex_lock(&lock);
	unused = give(chunk, ((unsigned char *)item - chunk->items) / SIGNET_POOL_ITEM);
	pthread_mutex_unlock(&lock);
	if (!unused)
		return;
	signet_secret_free(chunk->items, CHUNK_SIZE);
	free(chunk);
}
