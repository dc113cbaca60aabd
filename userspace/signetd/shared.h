/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the supervisor and its workers share, in one mapping that outlives each of them: counters,
 * the last failures, the keys of tickets, and the sessions of clients (sessions.h).
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
 * struct worker_state - of one worker process
 * @in_progress: handshakes
 * @busy_since:	of each thread, milliseconds of CLOCK_MONOTONIC; 0 while it waits
 */
struct worker_state {
	_Atomic uint32_t in_progress;
	_Atomic int64_t busy_since[WORKER_THREADS_MAX];
};

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
 * struct shared - all of it but the sessions, which follow
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
	struct worker_state workers[WORKERS_MAX];
	struct ticket_keys ticket_keys;
};

/**
 * shared_new - map it
 * @sessions:	bytes that are to follow it
 *
 * It is not dumped, and not swapped as far as RLIMIT_MEMLOCK allows.
 *
 * Return: the mapping, zeroed, or NULL.
 */
struct shared *shared_new(size_t sessions);

/* Not for this process: what it maps is no longer there. */
void shared_unmap(struct shared *shared);

/* Where the sessions are. */
void *shared_sessions(struct shared *shared);

/* A slot to be filled in, and then to be given to shared_failure_done(). */
struct failure *shared_failure_begin(struct shared *shared, uint64_t *number);

void shared_failure_done(struct failure *failure, uint64_t number);

/* A copy of a failure with its texts ended. Return: whether there was one. */
bool shared_failure_read(const struct shared *shared, uint64_t number, struct failure *failure);

/* The supervisor's: @keys are @count keys of SIGNET_TICKET_KEY_SIZE. */
void shared_put_ticket_keys(struct shared *shared, const void *keys, unsigned int count);

/**
 * shared_get_ticket_keys - copy the keys when they have changed
 * @sequence:	of those that the caller has, 0 for none; updated
 * @keys:	room for SIGNET_TICKET_KEYS_MAX keys
 *
 * Return: how many there are, 0 when nothing has changed.
 */
unsigned int shared_get_ticket_keys(struct shared *shared, uint32_t *sequence, void *keys);

#endif
