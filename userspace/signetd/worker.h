/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker: the process that reads the network. It completes handshakes. */
#ifndef SIGNETD_WORKER_H
#define SIGNETD_WORKER_H

#include "profile.h"
#include "shared.h"

struct sessions;

/**
 * struct worker_start - what a worker begins with
 * @device:	/dev/signet, after SIGNET_IOC_HELLO
 * @control:	ends when the worker is to take no more requests
 * @signers:	sockets to the signer, one of each thread
 * @count:	of @signers, and of threads
 * @report:	pipe, as that of struct signer_start
 */
struct worker_start {
	const struct profiles *profiles;
	struct shared *shared;
	struct worker_state *state;
	struct sessions *sessions;
	int device;
	int control;
	const int *signers;
	unsigned int count;
	int report;
};

/* The life of a worker, in a process of its own. */
__attribute__((noreturn)) void worker_run(const struct worker_start *start);

#endif
