// SPDX-License-Identifier: GPL-3.0-or-later
#include "shared.h"

#include <string.h>
#include <sys/mman.h>

void *shared_map(size_t size)
{
	void *memory;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	shared_lock(memory, size);
	(void)madvise(memory, size, MADV_DONTDUMP);
	return memory;
}

void shared_lock(void *memory, size_t size)
{
	/* Room for what does not come need not be there. */
	if (memory)
		(void)mlock2(memory, size, MLOCK_ONFAULT);
}

void shared_unmap(void *memory, size_t size)
{
	if (memory)
		(void)munmap(memory, size);
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

void shared_put_ticket_keys(struct worker_state *state, uint32_t sequence, const void *keys,
			    unsigned int count)
{
	struct ticket_keys *to = &state->ticket_keys;

	atomic_store(&to->sequence, sequence - 1);
	to->count = count;
	memcpy(to->bytes, keys, count * SIGNET_TICKET_KEY_SIZE);
	atomic_store(&to->sequence, sequence);
}

unsigned int shared_get_ticket_keys(const struct worker_state *state, uint32_t *sequence,
				    void *keys)
{
	const struct ticket_keys *from = &state->ticket_keys;
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
