// SPDX-License-Identifier: GPL-3.0-or-later
#include "shared.h"

#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 64
#define SESSIONS_OFFSET ((sizeof(struct shared) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

/* Of the only one; not within it, where a worker might change it. */
static size_t mapped;

struct shared *shared_new(size_t sessions)
{
	size_t size = SESSIONS_OFFSET + sessions;
	struct shared *shared;

	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return NULL;
	/* Room for sessions that do not come need not be there. */
	(void)mlock2(shared, size, MLOCK_ONFAULT);
	(void)madvise(shared, size, MADV_DONTDUMP);
	mapped = size;
	return shared;
}

void shared_unmap(struct shared *shared)
{
	(void)munmap(shared, mapped);
}

void *shared_sessions(struct shared *shared)
{
	return (char *)shared + SESSIONS_OFFSET;
}

struct failure *shared_failure_begin(struct shared *shared, uint64_t *number)
{
	struct failure *failure;

	*number = atomic_fetch_add(&shared->failure_count, 1) + 1;
	failure = &shared->failures[*number % FAILURES_MAX];
	atomic_store(&failure->number, 0);
	return failure;
}

void shared_failure_done(struct failure *failure, uint64_t number)
{
	atomic_store(&failure->number, number);
}

bool shared_failure_read(const struct shared *shared, uint64_t number, struct failure *failure)
{
	const struct failure *from = &shared->failures[number % FAILURES_MAX];

	if (atomic_load(&from->number) != number)
		return false;
	memcpy(failure, from, sizeof(*failure));
	failure->peer[sizeof(failure->peer) - 1] = '\0';
	failure->profile[sizeof(failure->profile) - 1] = '\0';
	failure->text[sizeof(failure->text) - 1] = '\0';
	return atomic_load(&from->number) == number;
}

void shared_put_ticket_keys(struct shared *shared, const void *keys, unsigned int count)
{
	struct ticket_keys *to = &shared->ticket_keys;

	atomic_fetch_add(&to->sequence, 1);
	to->count = count;
	memcpy(to->bytes, keys, count * SIGNET_TICKET_KEY_SIZE);
	atomic_fetch_add(&to->sequence, 1);
}

unsigned int shared_get_ticket_keys(struct shared *shared, uint32_t *sequence, void *keys)
{
	struct ticket_keys *from = &shared->ticket_keys;
	uint32_t now = atomic_load(&from->sequence);
	unsigned int count;

	/* One that is being changed is had the next time. */
	if (now == *sequence || now % 2)
		return 0;
	count = from->count <= SIGNET_TICKET_KEYS_MAX ? from->count : 0;
	memcpy(keys, from->bytes, count * SIGNET_TICKET_KEY_SIZE);
	if (atomic_load(&from->sequence) != now)
		return 0;
	*sequence = now;
	return count;
}
