// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "log.h"
#include "result.h"
#include "ring.h"
#include "secret.h"
#include "signing.h"
#include "thread.h"
#include "upcall.h"

/* At a time, so that handshakes in progress, and other threads, have their turn. */
#define REQUESTS_MAX 16
/* Times are looked at so often, in milliseconds. */
#define TICK 500
/* One thread's poll of the device is begun anew so often. */
#define REARM 1000

int64_t thread_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* ---- The ring ---- */

static struct io_uring_sqe *get_sqe(struct thread *thread)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&thread->ring)))
		(void)io_uring_submit(&thread->ring);
	return sqe;
}

void thread_poll(struct thread *thread, int fd, unsigned int events, uint64_t watch)
{
	struct io_uring_sqe *sqe = get_sqe(thread);

	io_uring_prep_poll_add(sqe, fd, events);
	io_uring_sqe_set_data64(sqe, watch);
}

void thread_poll_end(struct thread *thread, uint64_t watch, uint64_t end)
{
	struct io_uring_sqe *sqe = get_sqe(thread);

	io_uring_prep_poll_remove(sqe, watch);
	io_uring_sqe_set_data64(sqe, end);
}

/* ---- The device ---- */

/* Counts a handshake before there is one, since other threads do so too. */
static bool take_place(const struct worker *worker)
{
	_Atomic uint32_t *in_progress = &worker->state->in_progress;

	if (atomic_fetch_add(in_progress, 1) < worker->profiles->settings->limits.total)
		return true;
	atomic_fetch_sub(in_progress, 1);
	return false;
}

/* One of the threads that wait for the device is woken for each request, not all. */
static void watch_device(struct thread *thread)
{
	if (thread->device_polled || thread->draining || thread->paused)
		return;
	thread->device_polled = true;
	thread->device_polled_at = thread_now();
	thread_poll(thread, thread->worker->device, POLLIN | EPOLLEXCLUSIVE, WATCH_DEVICE);
}

/* What is in the way goes away with handshakes that end: the next tick tries again. */
static void pause_taking(struct thread *thread, int error)
{
	static _Atomic int64_t last_said;
	int64_t now = thread_now();

	thread->paused = true;
	if (error == EDQUOT || now - atomic_load(&last_said) < 10000)
		return;
	atomic_store(&last_said, now);
	log_text(LOG_WARNING, "requests wait: %s%s", strerror(error),
		 error == EMFILE ? " (raise LimitNOFILE=)" : "");
}

/* Return: whether there may be more. */
static bool take_request(struct thread *thread)
{
	int error;

	if (!take_place(thread->worker)) {
		pause_taking(thread, EDQUOT);
		return false;
	}
	memset(&thread->request, 0, sizeof(thread->request));
	thread->request.size = sizeof(thread->request);
	if (!ioctl(thread->worker->device, SIGNET_IOC_REQUEST, &thread->request)) {
		upcall_begin(thread);
		return true;
	}
	error = errno;
	atomic_fetch_sub(&thread->worker->state->in_progress, 1);
	if (error == EINTR)
		return true;
	if (error != EAGAIN)
		pause_taking(thread, error);
	return false;
}

static bool take_ticket(struct worker *worker, struct signet_ticket_notice *notice)
{
	struct session_record record = {};

	memset(notice, 0, sizeof(*notice));
	notice->size = sizeof(*notice);
	if (ioctl(worker->device, SIGNET_IOC_TICKET, notice))
		return false;
	if (notice->session_len <= SESSION_KEY_SIZE || notice->session_len > SIGNET_SESSION_MAX ||
	    !notice->ticket_len || notice->ticket_len > SIGNET_TICKET_MAX)
		return true;
	memcpy(record.key, notice->session, SESSION_KEY_SIZE);
	record.blob_len = notice->session_len - SESSION_KEY_SIZE;
	memcpy(record.blob, notice->session + SESSION_KEY_SIZE, record.blob_len);
	record.ticket_len = notice->ticket_len;
	memcpy(record.ticket, notice->ticket, record.ticket_len);
	record.received_ms = notice->received_ms;
	record.netns = notice->netns;
	record.uid = notice->uid;
	sessions_put(worker->sessions, &record);
	atomic_fetch_add(&worker->shared->tickets, 1);
	explicit_bzero(&record, sizeof(record));
	return true;
}

/* New ones are for all configurations: whoever sees them first sets them. */
static void take_ticket_keys(struct worker *worker)
{
	uint8_t keys[SIGNET_TICKET_KEYS_MAX * SIGNET_TICKET_KEY_SIZE];
	unsigned int count;
	uint32_t sequence;

	if (atomic_load(&worker->ticket_sequence) ==
	    atomic_load(&worker->state->ticket_keys.sequence))
		return;
	pthread_mutex_lock(&worker->tickets_mutex);
	sequence = atomic_load(&worker->ticket_sequence);
	count = shared_get_ticket_keys(worker->state, &sequence, keys);
	if (count)
		profiles_set_ticket_keys(worker->profiles, keys, count * SIGNET_TICKET_KEY_SIZE);
	atomic_store(&worker->ticket_sequence, sequence);
	pthread_mutex_unlock(&worker->tickets_mutex);
	explicit_bzero(keys, sizeof(keys));
}

/*
 * The last time a thread that drains does so too: it may have been woken in place of another
 * worker's, which would go on waiting. Without a signer there is no other yet.
 */
static void device_ready(struct thread *thread)
{
	thread->device_polled = false;
	if (thread->signing.socket < 0)
		return;
	take_ticket_keys(thread->worker);
	for (int i = 0; i < REQUESTS_MAX; i++)
		if (!take_request(thread))
			break;
	watch_device(thread);
}

/* ---- The loop ---- */

static void drain(struct thread *thread)
{
	if (thread->draining)
		return;
	thread->draining = true;
	if (thread->device_polled)
		thread_poll_end(thread, WATCH_DEVICE, WATCH_DEVICE_END);
}

/* Another thread has taken the request that ours was woken for at that moment. */
static void device_poll_ended(struct thread *thread, int result)
{
	if (result == -EALREADY && thread->draining && thread->device_polled)
		thread_poll_end(thread, WATCH_DEVICE, WATCH_DEVICE_END);
}

static void signer_ready(struct thread *thread)
{
	signing_receive(thread);
	/* Without it no server can be served: the next worker, with the next signer, does. */
	if (thread->signing.socket < 0 && !thread->draining)
		drain(thread);
}

void thread_complete(struct thread *thread, uint64_t watch, int result)
{
	switch (watch) {
	case WATCH_NOTHING:
		break;
	case WATCH_DEVICE:
		device_ready(thread);
		break;
	case WATCH_DEVICE_END:
		device_poll_ended(thread, result);
		break;
	case WATCH_CONTROL:
		drain(thread);
		break;
	case WATCH_SIGNER:
		signer_ready(thread);
		break;
	case WATCH_SIGNER_ROOM:
		signing_send(thread);
		break;
	default:
		upcall_polled((struct upcall *)(uintptr_t)watch, result);
	}
}

/*
 * The kernel wakes one thread for each request. A worker that was stopped or killed, as one that
 * drains for too long is, may have been woken in our place: a new poll finds the request. For that one
 * thread is enough.
 */
static bool rearms(const struct thread *thread)
{
	return !thread->number && thread->device_polled && !thread->draining;
}

static void rearm_device(struct thread *thread, int64_t now)
{
	if (!rearms(thread) || now - thread->device_polled_at < REARM)
		return;
	thread->device_polled_at = now;
	thread_poll_end(thread, WATCH_DEVICE, WATCH_DEVICE_END);
}

static void tick(struct thread *thread)
{
	int64_t now = thread_now();

	rearm_device(thread, now);
	if (now - thread->last_tick < TICK)
		return;
	thread->last_tick = now;
	upcalls_tick(thread);
	thread->paused = false;
	watch_device(thread);
}

/* How long to wait for the next completion, in milliseconds; 0: until there is one. */
static unsigned int patience(const struct thread *thread)
{
	if (thread->upcalls || thread->paused)
		return TICK;
	return rearms(thread) ? REARM : 0;
}

/* Return: false when something is wrong with the ring itself. */
static bool wait_for_some(struct thread *thread)
{
	_Atomic int64_t *busy = &thread->worker->state->busy_since[thread->number];
	unsigned int milliseconds = patience(thread);
	struct __kernel_timespec limit = { .tv_sec = milliseconds / 1000,
					   .tv_nsec = milliseconds % 1000 * 1000000ll };
	struct io_uring_cqe *cqe;
	int ret;

	atomic_store(busy, 0);
	ret = io_uring_submit_and_wait_timeout(&thread->ring, &cqe, 1, milliseconds ? &limit : NULL,
					       NULL);
	atomic_store(busy, thread_now());
	return ret >= 0 || ret == -ETIME || ret == -EINTR || ret == -EBUSY || ret == -EAGAIN;
}

static void loop(struct thread *thread)
{
	struct io_uring_cqe *cqe;
	uint64_t watch;
	int result;

	while (!thread->draining || thread->device_polled || thread->upcalls) {
		if (!wait_for_some(thread)) {
			log_text(LOG_ERR, "io_uring failed");
			_exit(1);
		}
		while (!io_uring_peek_cqe(&thread->ring, &cqe)) {
			watch = io_uring_cqe_get_data64(cqe);
			result = cqe->res;
			io_uring_cqe_seen(&thread->ring, cqe);
			thread_complete(thread, watch, result);
		}
		tick(thread);
	}
	/* It does nothing any more, and is not stuck. */
	atomic_store(&thread->worker->state->busy_since[thread->number], 0);
	/* The kernel ends a ring when it has time, and its polls hold their files until then. */
	if (thread->signing.socket >= 0)
		(void)shutdown(thread->signing.socket, SHUT_RDWR);
	io_uring_queue_exit(&thread->ring);
}

/* ---- The process ---- */

struct beginning {
	struct thread *thread;
	int signer;
	pthread_barrier_t *confined;
};

/* The ring belongs to the thread that enables it, which must be before the filter. */
static void *run_thread(void *argument)
{
	struct beginning *beginning = argument;
	struct thread *thread = beginning->thread;
	int signer = beginning->signer;

	if (io_uring_enable_rings(&thread->ring))
		_exit(1);
	pthread_barrier_wait(beginning->confined);
	pthread_barrier_wait(beginning->confined);
	signing_begin(thread, signer);
	thread_poll(thread, thread->worker->control, POLLIN, WATCH_CONTROL);
	watch_device(thread);
	loop(thread);
	return NULL;
}

static void fail(const struct worker_start *start, const char *what, int error)
{
	dprintf(start->report, "worker: %s: %s\n", what, strerror(error));
	_exit(1);
}

static void prepare_threads(const struct worker_start *start, struct worker *worker,
			    struct thread *threads, struct beginning *beginnings,
			    pthread_barrier_t *confined)
{
	int ret;

	for (unsigned int i = 0; i < start->count; i++) {
		threads[i].worker = worker;
		threads[i].number = i;
		threads[i].handover = signet_secret_alloc(RESULT_SIZE);
		if (!threads[i].handover)
			fail(start, "memory", ENOMEM);
		ret = ring_begin(&threads[i].ring);
		if (ret)
			fail(start, "io_uring", -ret);
		beginnings[i] = (struct beginning){ &threads[i], start->signers[i], confined };
		ret = pthread_create(&threads[i].thread, NULL, run_thread, &beginnings[i]);
		if (ret)
			fail(start, "thread", ret);
	}
}

/*
 * In poll(), since a poll of io_uring does not wake for POLLPRI: its IO_ASYNC_POLL_COMMON keeps that
 * for itself.
 */
static void collect_tickets(struct worker *worker)
{
	struct pollfd waits[] = {
		{ .fd = worker->device, .events = POLLPRI },
		{ .fd = worker->control, .events = POLLIN },
	};
	struct signet_ticket_notice notice;

	while (!waits[1].revents) {
		if (poll(waits, sizeof(waits) / sizeof(waits[0]), -1) < 0 && errno != EINTR)
			break;
		if (waits[0].revents & ~POLLPRI)
			waits[0].fd = -1; /* the network namespace has gone */
		while (take_ticket(worker, &notice))
			;
	}
	explicit_bzero(&notice, sizeof(notice));
}

static void run_threads(const struct worker_start *start, struct worker *worker)
{
	struct beginning *beginnings = calloc(start->count, sizeof(*beginnings));
	struct thread *threads = calloc(start->count, sizeof(*threads));
	pthread_barrier_t confined;

	if (!threads || !beginnings)
		fail(start, "memory", ENOMEM);
	pthread_barrier_init(&confined, NULL, start->count + 1);
	prepare_threads(start, worker, threads, beginnings, &confined);
	pthread_barrier_wait(&confined);
	if (confine_calls(CONFINE_WORKER))
		fail(start, "seccomp", errno);
	dprintf(start->report, "\n");
	close(start->report);
	pthread_barrier_wait(&confined);
	collect_tickets(worker);
	for (unsigned int i = 0; i < start->count; i++)
		pthread_join(threads[i].thread, NULL);
}

void worker_run(const struct worker_start *start)
{
	const struct settings *settings = start->profiles->settings;
	struct worker worker = {
		.profiles = start->profiles,
		.shared = start->shared,
		.sessions = start->sessions,
		.state = start->state,
		.device = start->device,
		.control = start->control,
		.thread_count = start->count,
		.tickets_mutex = PTHREAD_MUTEX_INITIALIZER,
	};

	log_set_process("signetd-worker");
	confine_memory(false);
	shared_lock(start->shared, sizeof(*start->shared));
	shared_lock(start->state, sizeof(*start->state));
	sessions_lock(start->sessions);
	worker.limits = limits_new(&settings->limits);
	if (!worker.limits)
		fail(start, "memory", ENOMEM);
	take_ticket_keys(&worker);
	if (confine_user(settings->user))
		fail(start, settings->user, errno);
	run_threads(start, &worker);
	_exit(0);
}
