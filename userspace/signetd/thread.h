/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of a worker share: one thread's event loop (worker.c), the requests that it serves
 * (upcall.c), and the signatures that they wait for (signing.c).
 */
#ifndef SIGNETD_THREAD_H
#define SIGNETD_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <liburing.h>
#include <linux/signet_helper.h>

#include "limits.h"
#include "profile.h"
#include "sessions.h"
#include "shared.h"
#include "signer.h"

struct upcall;

/**
 * struct worker - a worker process
 * @device:	/dev/signet
 * @control:	its other end is closed when no more requests are to be taken
 * @in_progress: handshakes of all threads
 * @ticket_sequence: of the ticket keys that the profiles have
 * @tickets_mutex: over setting them
 */
struct worker {
	const struct profiles *profiles;
	struct shared *shared;
	struct sessions *sessions;
	struct worker_state *state;
	struct limits *limits;
	int device;
	int control;
	unsigned int thread_count;
	_Atomic uint32_t ticket_sequence;
	pthread_mutex_t tickets_mutex;
};

/* A handshake that waits for the signer. @tag tells it from earlier ones in its place. */
struct signing_slot {
	struct upcall *upcall;
	uint32_t tag;
	uint32_t next_free;
};

/**
 * struct signing - a thread's way to the signer
 * @socket:	-1 when the signer has gone
 * @slots:	a query's id is the number of one, and its tag
 * @free:	first unused slot, -1 for none
 * @unsent, @unsent_end: upcalls whose query found no room in the socket
 */
struct signing {
	int socket;
	struct signing_slot *slots;
	uint32_t slot_count;
	uint32_t free;
	struct upcall *unsent;
	struct upcall **unsent_end;
	bool polling_out;
};

/**
 * struct thread - one event loop
 * @upcalls:	list of those in progress
 * @stepping:	whose handshake is being stepped: the signer's callbacks belong to it
 * @paused:	requests are left where they are until the next tick
 * @draining:	... for ever
 * @device_polled: a poll of the device is under way
 * @device_polled_at: since when
 * @handover:	room for the longest one, in memory for secrets
 */
struct thread {
	struct worker *worker;
	unsigned int number;
	pthread_t thread;
	struct io_uring ring;
	struct upcall *upcalls;
	unsigned int upcall_count;
	struct upcall *stepping;
	struct signing signing;
	bool paused;
	bool draining;
	bool device_polled;
	int64_t device_polled_at;
	int64_t last_tick;
	struct signet_request request;
	void *handover;
};

/*
 * What completed: a poll of one of these, or of the upcall with this address. WATCH_DEVICE_END tells
 * what came of ending the device's.
 */
enum watch {
	WATCH_NOTHING,
	WATCH_DEVICE,
	WATCH_DEVICE_END,
	WATCH_CONTROL,
	WATCH_SIGNER,
	WATCH_SIGNER_ROOM,
	WATCH_LAST,
};

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t thread_now(void);

/* Starts a poll; what completes bears @watch. */
void thread_poll(struct thread *thread, int fd, unsigned int events, uint64_t watch);

/**
 * thread_poll_end - end a poll: what it completes with still comes
 * @watch:	the poll's
 * @end:	the watch of what comes of ending it
 *
 * -EALREADY there: the poll was just being woken. It completes; or begins anew, when by then what it
 * was woken for is no more, and then has to be ended once more.
 */
void thread_poll_end(struct thread *thread, uint64_t watch, uint64_t end);

/* Does what a completion is about. */
void thread_complete(struct thread *thread, uint64_t watch, int result);

#endif
