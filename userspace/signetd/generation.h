/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A configuration at work: a signer and a worker, which begin and end together. A new configuration, or
 * the death of one of the two, makes a new generation; the old one finishes what it has begun.
 */
#ifndef SIGNETD_GENERATION_H
#define SIGNETD_GENERATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "profile.h"
#include "shared.h"

struct sessions;

/**
 * struct generation - one of WORKERS_MAX
 * @signer, @worker: processes, 0 when they have ended
 * @control:	its closing lets the worker finish; -1 when that has happened
 * @state:	the worker's, kept until another generation takes this one's place
 * @sessions:	likewise; NULL when they are not to be carried to another worker
 * @started:	milliseconds of CLOCK_MONOTONIC
 * @timeout:	longest time of its handshakes, in milliseconds
 * @drain_by:	when both must have ended; 0 while they take requests
 */
struct generation {
	pid_t signer;
	pid_t worker;
	int control;
	struct worker_state *state;
	struct sessions *sessions;
	int64_t started;
	int64_t timeout;
	int64_t drain_by;
};

/**
 * struct generation_start - what one is made of
 * @earlier:	sessions to begin with, or NULL
 * @ticket_keys, @ticket_key_count, @ticket_sequence: as of shared_put_ticket_keys()
 * @device:	/dev/signet
 * @lenient:	a key that does not fit is left out: nothing is signed with it
 * @forget:	called in each child: closes what is the supervisor's own
 * @wait:	called about once a second while the processes begin
 * @complaint:	called for each line that tells what is wrong
 * @context:	of @forget and @wait
 */
struct generation_start {
	const struct settings *settings;
	const struct profiles *profiles;
	struct shared *shared;
	const struct sessions *earlier;
	const uint8_t *ticket_keys;
	unsigned int ticket_key_count;
	uint32_t ticket_sequence;
	int device;
	unsigned int threads;
	bool lenient;
	void (*forget)(void *context);
	void (*wait)(void *context);
	void (*complaint)(const char *line);
	void *context;
};

/* Return: whether both processes are ready. What was in @generation's place is gone then. */
bool generation_begin(struct generation *generation, const struct generation_start *start);

/* Not for this process, which is a child of the supervisor's. */
void generation_forget(struct generation *generation);

/* No more requests are taken, and what is in progress has its time to end. */
void generation_drain(struct generation *generation);

bool generation_is_free(const struct generation *generation);

/* Return: whether it should have ended by now. */
bool generation_is_late(const struct generation *generation);

/* No mercy. */
void generation_kill(struct generation *generation);

#endif
