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
 * @started:	milliseconds of CLOCK_MONOTONIC
 */
struct generation {
	pid_t signer;
	pid_t worker;
	int control;
	int64_t started;
};

/**
 * struct generation_start - what one is made of
 * @device:	/dev/signet
 * @slot:	number of the generation, which is its worker's in @shared
 * @forget:	called in each child: closes what is the supervisor's own
 * @context:	its argument
 */
struct generation_start {
	const struct settings *settings;
	const struct profiles *profiles;
	struct shared *shared;
	struct sessions *sessions;
	int device;
	unsigned int slot;
	unsigned int threads;
	void (*forget)(void *context);
	void *context;
};

/**
 * generation_begin - start both processes, and wait until they are ready
 * @complaint:	called for each line that tells why not
 *
 * Return: whether they are.
 */
bool generation_begin(struct generation *generation, const struct generation_start *start,
		      void (*complaint)(const char *line));

/* No more requests are taken. */
void generation_drain(struct generation *generation);

bool generation_is_free(const struct generation *generation);

/* No mercy. */
void generation_kill(struct generation *generation);

#endif
