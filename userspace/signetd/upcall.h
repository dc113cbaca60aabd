/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request of the module, from SIGNET_IOC_REQUEST to hand-over or refusal. */
#ifndef SIGNETD_UPCALL_H
#define SIGNETD_UPCALL_H

#include "thread.h"

/**
 * struct upcall - a handshake in progress
 * @next, @prev: in the thread's list
 * @channel:	of the connection
 * @polling:	a poll of it is under way
 * @over:	it only waits for that poll's completion
 * @hung_up:	the last poll said so
 * @slot:	of struct signing, while a signature is awaited; -1 for none
 * @query:	that could not be sent yet
 * @next_unsent: in the list of such
 * @claim:	what it counts for
 * @id, @uid, @pid, @role, @peer: of the request
 * @session_key: what a session of this connection is kept under
 */
struct upcall {
	struct upcall *next, *prev;
	struct thread *thread;
	struct signet_handshake *handshake;
	const struct profile *profile;
	int channel;
	bool polling;
	bool over;
	bool hung_up;
	bool counted;
	uint32_t slot;
	struct signer_query *query;
	struct upcall *next_unsent;
	struct limit_claim claim;
	uint64_t id;
	uint32_t uid;
	int32_t pid;
	uint32_t role;
	uint8_t peer[SIGNET_ADDRESS_MAX];
	uint8_t session_key[SESSION_KEY_SIZE];
};

/* Serves thread->request, which has just been taken, and counted in the worker's state. */
void upcall_begin(struct thread *thread);

/* Goes on as far as possible without waiting. It may be gone then. */
void upcall_step(struct upcall *upcall);

/* A poll of the channel has completed, with events or a negative errno. */
void upcall_polled(struct upcall *upcall, int result);

/* Ends those whose time is over. */
void upcalls_tick(struct thread *thread);

#endif
