// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The pool for the secrets of handshakes: nobody gets what another one has, nothing is left in what
 * comes back, children find nothing in it, and its pages go when nobody needs them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../userspace/handshake/pool.h"
#include "tap.h"

#define MANY 1000
#define THREADS 4
#define TIMES 20000
/* Kilobytes, rounded up. */
#define ONE_CHUNK (64 * SIGNET_POOL_ITEM / 1024)

struct item {
	struct signet_pool_chunk *chunk;
	unsigned char *memory;
};

static bool holds(const unsigned char *memory, int value)
{
	for (size_t i = 0; i < SIGNET_POOL_ITEM; i++) {
		if (memory[i] != (unsigned char)value)
			return false;
	}
	return true;
}

static bool take(struct item *item)
{
	item->memory = signet_pool_take(&item->chunk);
	return item->memory && holds(item->memory, 0);
}

static void give(struct item *item)
{
	signet_pool_give(item->chunk, item->memory);
}

/* Kilobytes of memory for secrets: what a child finds empty ("wf", proc_pid_smaps(5)). */
static unsigned long secret_memory(void)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long size = 0, sum = 0;
	char line[1024];

	if (!maps)
		bail("/proc/self/smaps: %s", strerror(errno));
	while (fgets(line, sizeof(line), maps)) {
		(void)sscanf(line, "Size: %lu kB", &size);
		if (!strncmp(line, "VmFlags:", 8) && strstr(line, " wf"))
			sum += size;
	}
	fclose(maps);
	return sum;
}

static void check_many(void)
{
	static struct item items[MANY];
	bool empty = true, own = true;

	for (int i = 0; i < MANY; i++) {
		empty &= take(&items[i]);
		memset(items[i].memory, i, SIGNET_POOL_ITEM);
	}
	for (int i = 0; i < MANY; i++)
		own &= holds(items[i].memory, i);
	ok(empty && own, "each of %d has memory of its own, which is empty", MANY);
	for (int i = 0; i < MANY; i += 3)
		give(&items[i]);
	empty = true;
	for (int i = 0; i < MANY; i += 3)
		empty &= take(&items[i]);
	ok(empty, "what comes back is empty for the next one");
	own = true;
	for (int i = 0; i < MANY; i++)
		own &= i % 3 ? holds(items[i].memory, i) : holds(items[i].memory, 0);
	ok(own, "which harms none of the others");
	ok(secret_memory() >= MANY * SIGNET_POOL_ITEM / 1024, "all of it is memory for secrets");
	for (int i = 0; i < MANY; i++)
		give(&items[i]);
	ok(secret_memory() <= ONE_CHUNK, "the pages go, but for a few");
}

static int run_child(struct item *item)
{
	struct item mine;

	if (!holds(item->memory, 0) || !take(&mine))
		return 1;
	memset(mine.memory, 2, SIGNET_POOL_ITEM);
	if (!holds(item->memory, 0))
		return 2;
	give(item);
	give(&mine);
	return 0;
}

static void check_child(void)
{
	struct item item;
	int status;
	pid_t child;

	if (!take(&item))
		bail("no memory");
	memset(item.memory, 1, SIGNET_POOL_ITEM);
	child = fork();
	if (!child)
		_exit(run_child(&item));
	if (child < 0 || waitpid(child, &status, 0) != child)
		bail("fork: %s", strerror(errno));
	ok(!status, "a child finds its parent's empty, and has a pool that works");
	ok(holds(item.memory, 1), "its parent keeps what it had");
	give(&item);
}

static void *take_and_give(void *argument)
{
	struct item items[8];
	intptr_t wrong = 0;
	int value = 1 + (int)(intptr_t)argument;

	for (int i = 0; i < TIMES / 8; i++) {
		for (int j = 0; j < 8; j++) {
			wrong += !take(&items[j]);
			memset(items[j].memory, value, SIGNET_POOL_ITEM);
		}
		for (int j = 0; j < 8; j++) {
			wrong += !holds(items[j].memory, value);
			give(&items[j]);
		}
	}
	return (void *)wrong;
}

static void check_threads(void)
{
	pthread_t threads[THREADS];
	intptr_t wrong = 0;
	void *result;

	for (intptr_t i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, take_and_give, (void *)i))
			bail("no thread");
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		wrong += (intptr_t)result;
	}
	ok(!wrong, "%d threads do not disturb each other", THREADS);
}

int main(void)
{
	tap_begin();
	check_many();
	check_child();
	check_threads();
	return tap_end();
}
