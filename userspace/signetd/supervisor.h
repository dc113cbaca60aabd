/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The supervisor: the process that owns the policy. It reads the configuration, opens the device,
 * starts signers and workers, and answers at the control socket. It reads nothing of the network.
 */
#ifndef SIGNETD_SUPERVISOR_H
#define SIGNETD_SUPERVISOR_H

#include <stdbool.h>

#include "control.h"
#include "files.h"
#include "generation.h"
#include "profile.h"
#include "shared.h"

/**
 * struct supervisor - all that it knows
 * @path:	of the configuration
 * @settings, @profiles: the current ones
 * @number:	of the configuration, counted from 1
 * @files, @next_files: of the current settings, and of those that are being tried
 * @generations: those at work
 * @current:	that takes requests; -1 for none
 * @latest:	that took them last: the next one carries its sessions on; -1 for none
 * @restart_at:	when to start one again, milliseconds of CLOCK_MONOTONIC; 0: not at all
 * @restart_delay: before the next restart, in milliseconds
 * @reload_at:	when to look at changed certificates, likewise
 * @keys, @key_count: that seal tickets, the newest first
 * @key_sequence: even, of these keys
 * @rotate_at:	when to make a new one
 * @watchdog:	milliseconds between signs of life; 0: nobody waits for them
 * @stopping:	no more requests are taken; the end comes with the last handshake
 */
struct supervisor {
	const char *path;
	struct settings *settings;
	struct profiles *profiles;
	unsigned int number;
	unsigned int threads;
	struct shared *shared;
	int device;
	int signals;
	struct files files;
	struct files next_files;
	struct control control;
	struct generation generations[WORKERS_MAX];
	int current;
	int latest;
	int64_t started;
	int64_t restart_at;
	int64_t restart_delay;
	int64_t reload_at;
	uint8_t *keys;
	unsigned int key_count;
	uint32_t key_sequence;
	int64_t rotate_at;
	int64_t watchdog;
	int64_t next_sign;
	int64_t stop_by;
	bool stopping;
};

/* Return: the exit status. */
int supervisor_run(const char *path);

/* Reads the configuration anew. Return: whether it is in use now; the log says why not. */
bool supervisor_reload(struct supervisor *supervisor);

/* Take no more requests, and end with the last handshake. */
void supervisor_stop(struct supervisor *supervisor);

#endif
