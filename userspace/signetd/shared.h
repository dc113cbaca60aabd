/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the supervisor and its workers share: counters and the last failures, in a mapping that outlives
 * each of them; and of each worker what is between the supervisor and it alone. The sessions of clients
 * are in sessions.h.
 *
 * The supervisor believes nothing of it: a worker reads the network. Numbers are shown as they
 * are, texts are cut where they must end.
 */
#ifndef SIGNETD_SHARED_H
#define SIGNETD_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/signet.h>
#include <signet-handshake.h>

#include "address.h"

/* Workers of now and of earlier configurations, which finish what they have begun. */
#define WORKERS_MAX 8
#define WORKER_THREADS_MAX 256
#define FAILURES_MAX 128
#define ERRNO_MAX 134

/**
 * struct failure - a handshake that failed
 * @number:	from 1; written last
 * @time:	seconds of CLOCK_REALTIME
 * @error:	errno, positive
 */
struct failure {
	_Atomic uint64_t number;
	int64_t time;
	uint64_t id;
	uint32_t uid;
	int32_t pid;
	uint32_t role;
	int32_t error;
	char peer[ADDRESS_TEXT_MAX];
	char profile[SIGNET_STRING_MAX + 1];
	char text[SIGNET_STRING_MAX + 1];
};

/**
 * struct ticket_keys - what servers seal tickets with
 * @sequence:	odd while they are being changed
 * @count:	of keys in @bytes
 */
struct ticket_keys {
	_Atomic uint32_t sequence;
	uint32_t count;
	uint8_t bytes[SIGNET_TICKET_KEYS_MAX * SIGNET_TICKET_KEY_SIZE];
};

/**
 * struct worker_state - of one worker process, in pages that no other worker has
 * @in_progress: handshakes
 * @busy_since:	of each thread, milliseconds of CLOCK_MONOTONIC; 0 while it waits
 * @ticket_keys: the supervisor writes them, and does not read them
 */
struct worker_state {
	_Atomic uint32_t in_progress;
	_Atomic int64_t busy_since[WORKER_THREADS_MAX];
	struct ticket_keys ticket_keys;
};

/**
 * struct shared - what all workers have in common
 * @succeeded:	handshakes by enum signet_role, @resumed among them
 * @failed:	by errno
 * @tickets:	that came for clients
 */
struct shared {
	_Atomic uint64_t succeeded[3];
	_Atomic uint64_t resumed[3];
	_Atomic uint64_t failed[ERRNO_MAX];
	_Atomic uint64_t tickets;
	_Atomic uint64_t failure_count;
	struct failure failures[FAILURES_MAX];
};

/**
 * shared_map - memory for this process and those that it forks
 *
 * It is not dumped, and not swapped as far as RLIMIT_MEMLOCK allows.
 *
 * Return: the mapping, zeroed, or NULL.
 */
void *shared_map(size_t size);

/* Locks are not inherited: for the process that was forked. NULL is fine. */
void shared_lock(void *memory, size_t size);

/* This process has it no more. NULL is fine. */
void shared_unmap(void *memory, size_t size);

/* A slot to be filled in, and then to be given to shared_failure_done(). */
struct failure *shared_failure_begin(struct shared *shared, uint64_t *number);

void shared_failure_done(struct failure *failure, uint64_t number);

/* A copy of a failure with its texts ended. Return: whether there was one. */
bool shared_failure_read(const struct shared *shared, uint64_t number, struct failure *failure);

/**
 * shared_put_ticket_keys - tell a worker
 * @sequence:	of these keys, even and larger than that of the last ones
 * @keys:	@count of SIGNET_TICKET_KEY_SIZE
 */
void shared_put_ticket_keys(struct worker_state *state, uint32_t sequence, const void *keys,
			    unsigned int count);

/**
 * shared_get_ticket_keys - copy the keys when they have changed
 * @sequence:	of those that the caller has, 0 for none; updated
 * @keys:	room for SIGNET_TICKET_KEYS_MAX keys
 *
 * Return: how many there are, 0 when nothing has changed.
 */
unsigned int shared_get_ticket_keys(const struct worker_state *state, uint32_t *sequence,
				    void *keys);

#endif
