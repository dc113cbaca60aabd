// SPDX-License-Identifier: GPL-3.0-or-later
#include "upcall.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "engine.h"
#include "log.h"
#include "policy.h"
#include "result.h"
#include "signing.h"
#include "utf8.h"

/* Of those that may be too old. */
#define SESSION_TRIES 3

static const char *role_name(uint32_t role)
{
	return role == SIGNET_ROLE_SERVER ? "server" : "client";
}

/* ---- The end of an upcall ---- */

static void unlink_upcall(struct upcall *upcall)
{
	struct thread *thread = upcall->thread;

	if (upcall->next)
		upcall->next->prev = upcall->prev;
	if (upcall->prev)
		upcall->prev->next = upcall->next;
	else
		thread->upcalls = upcall->next;
	thread->upcall_count--;
	atomic_fetch_sub(&thread->worker->state->in_progress, 1);
}

static void release(struct upcall *upcall)
{
	unlink_upcall(upcall);
	free(upcall);
}

/* The kernel still has the address while it polls: then its completion releases it. */
static void end(struct upcall *upcall)
{
	struct thread *thread = upcall->thread;

	signing_forget(thread, upcall);
	signet_handshake_free(upcall->handshake);
	upcall->handshake = NULL;
	if (upcall->counted)
		limits_give(thread->worker->limits, &upcall->claim);
	upcall->counted = false;
	upcall->over = true;
	/* A channel that is used up always wakes: its poll completes in any case. */
	if (upcall->polling)
		thread_poll_end(thread, (uintptr_t)upcall, WATCH_NOTHING);
	close(upcall->channel);
	if (!upcall->polling)
		release(upcall);
}

static void log_failure(const struct upcall *upcall, const struct signet_refusal *refusal)
{
	char peer[ADDRESS_TEXT_MAX];
	struct log_line line;

	log_begin(&line, LOG_NOTICE, "handshake failed");
	log_field(&line, "request", "%llu", (unsigned long long)upcall->id);
	log_field(&line, "role", "%s", role_name(upcall->role));
	log_field(&line, "uid", "%u", upcall->uid);
	log_field(&line, "pid", "%d", upcall->pid);
	log_field(&line, "peer", "%s", address_text(upcall->peer, peer));
	log_field(&line, "profile", "%s", upcall->profile ? upcall->profile->settings->name : "");
	log_field(&line, "error", "%s", strerrorname_np(refusal->error) ?: "unknown");
	if (refusal->alert_sent)
		log_field(&line, "alert_sent", "%s", signet_alert_name(refusal->alert_sent & 0xff));
	if (refusal->alert_received)
		log_field(&line, "alert_received", "%s",
			  signet_alert_name(refusal->alert_received & 0xff));
	log_field(&line, "text", "%s", refusal->text);
	log_end(&line);
}

static void note_failure(const struct upcall *upcall, const struct signet_refusal *refusal)
{
	struct shared *shared = upcall->thread->worker->shared;
	struct failure *failure;
	uint64_t number;

	atomic_fetch_add(&shared->failed[refusal->error % ERRNO_MAX], 1);
	failure = shared_failure_begin(shared, &number);
	failure->time = time(NULL);
	failure->id = upcall->id;
	failure->uid = upcall->uid;
	failure->pid = upcall->pid;
	failure->role = upcall->role;
	failure->error = refusal->error;
	address_text(upcall->peer, failure->peer);
	snprintf(failure->profile, sizeof(failure->profile), "%s",
		 upcall->profile ? upcall->profile->settings->name : "");
	memcpy(failure->text, refusal->text, sizeof(failure->text));
	shared_failure_done(failure, number);
}

/* The module may have ended the request meanwhile: then nobody hears it, which is as well. */
static void refuse(struct upcall *upcall, struct signet_refusal *refusal)
{
	refusal->size = sizeof(*refusal);
	/* It may name what the application or the peer has written. */
	utf8_make_printable(refusal->text);
	if (!refusal->error || refusal->error >= ERRNO_MAX)
		refusal->error = EIO;
	(void)ioctl(upcall->channel, SIGNET_IOC_REFUSE, refusal);
	log_failure(upcall, refusal);
	note_failure(upcall, refusal);
	end(upcall);
}

static void refuse_text(struct upcall *upcall, int error, const char *text)
{
	struct signet_refusal refusal = { .error = error };

	snprintf(refusal.text, sizeof(refusal.text), "%s", text);
	refuse(upcall, &refusal);
}

/* The engine has told the peer. */
static void refuse_failed(struct upcall *upcall)
{
	struct signet_refusal refusal = {};
	struct signet_result result;

	signet_handshake_result(upcall->handshake, &result);
	refusal.error = -result.error;
	if (result.alert_received)
		refusal.alert_received = result.alert;
	else
		refusal.alert_sent = result.alert;
	snprintf(refusal.text, sizeof(refusal.text), "%s",
		 *result.text ? result.text : strerror(-result.error));
	refuse(upcall, &refusal);
}

/* ---- The way to it ---- */

static void succeed(struct upcall *upcall)
{
	struct shared *shared = upcall->thread->worker->shared;
	char peer[ADDRESS_TEXT_MAX];
	struct signet_result result;
	struct log_line line;

	signet_handshake_result(upcall->handshake, &result);
	atomic_fetch_add(&shared->succeeded[upcall->role % 3], 1);
	if (result.resumed)
		atomic_fetch_add(&shared->resumed[upcall->role % 3], 1);
	log_begin(&line, LOG_DEBUG, "handshake complete");
	log_field(&line, "request", "%llu", (unsigned long long)upcall->id);
	log_field(&line, "role", "%s", role_name(upcall->role));
	log_field(&line, "uid", "%u", upcall->uid);
	log_field(&line, "peer", "%s", address_text(upcall->peer, peer));
	log_field(&line, "profile", "%s", upcall->profile->settings->name);
	log_field(&line, "suite", "%s", signet_suite_name(result.suite));
	log_field(&line, "resumed", "%s", result.resumed ? "yes" : "no");
	log_end(&line);
	end(upcall);
}

static void hand_over(struct upcall *upcall)
{
	char text[SIGNET_STRING_MAX + 1];
	int error;

	error = result_hand_over(upcall, upcall->thread->handover, text);
	if (error)
		refuse_text(upcall, error, text);
	else
		succeed(upcall);
}

static void wait_for(struct upcall *upcall, unsigned int events)
{
	if (upcall->hung_up) {
		/* The engine read before and found neither data nor an error. */
		refuse_text(upcall, ECANCELED, "the connection was closed");
		return;
	}
	upcall->polling = true;
	thread_poll(upcall->thread, upcall->channel, events, (uintptr_t)upcall);
}

void upcall_step(struct upcall *upcall)
{
	struct thread *thread = upcall->thread;
	int ret;

	/* An answer of the signer, while the channel is still polled for something else. */
	if (upcall->polling)
		return;
	thread->stepping = upcall;
	ret = signet_handshake_step(upcall->handshake);
	thread->stepping = NULL;
	if (!ret)
		hand_over(upcall);
	else if (ret < 0)
		refuse_failed(upcall);
	else if (ret != SIGNET_HANDSHAKE_PENDING)
		wait_for(upcall, ret);
}

void upcall_polled(struct upcall *upcall, int result)
{
	upcall->polling = false;
	if (upcall->over) {
		release(upcall);
		return;
	}
	upcall->hung_up = result < 0 || (result & (POLLHUP | POLLERR | POLLNVAL));
	upcall_step(upcall);
}

/* ---- Its begin ---- */

static struct upcall *new_upcall(struct thread *thread)
{
	const struct signet_request *request = &thread->request;
	struct upcall *upcall = calloc(1, sizeof(*upcall));

	if (!upcall)
		return NULL;
	upcall->thread = thread;
	upcall->channel = request->channel;
	upcall->slot = UINT32_MAX;
	upcall->id = request->id;
	upcall->uid = request->uid;
	upcall->pid = request->pid;
	upcall->role = request->role;
	memcpy(upcall->peer, request->peer, sizeof(upcall->peer));
	upcall->next = thread->upcalls;
	if (upcall->next)
		upcall->next->prev = upcall;
	thread->upcalls = upcall;
	thread->upcall_count++;
	return upcall;
}

/* The administrator's limit is in the configuration, the request's is kept by the module. */
static int tighten(struct upcall *upcall, const struct decision *decision)
{
	const struct signet_request *request = &upcall->thread->request;
	struct signet_handshake *handshake = upcall->handshake;
	int ret = 0;

	if (decision->min_version)
		ret = signet_handshake_set_min_version(handshake, decision->min_version);
	if (!ret && decision->client_auth)
		ret = signet_handshake_set_client_auth(handshake, decision->client_auth);
	if (!ret && *decision->alpn)
		ret = signet_handshake_set_alpn(handshake, decision->alpn);
	if (!ret && request->pin_count)
		ret = signet_handshake_set_pins(handshake, request->pins, request->pin_count);
	return ret;
}

/* Each session is for one connection (RFC 8446 C.4): it is taken out. */
static void resume(struct upcall *upcall)
{
	const struct signet_request *request = &upcall->thread->request;
	struct sessions *sessions = upcall->thread->worker->sessions;
	struct session_record record = { .netns = request->netns, .uid = request->uid };
	struct signet_session *session;
	int ret = -EPERM;

	memcpy(record.key, upcall->session_key, sizeof(record.key));
	for (int i = 0; ret && i < SESSION_TRIES; i++) {
		if (!sessions_take(sessions, &record))
			break;
		if (signet_session_new(record.blob, record.blob_len, record.ticket,
				       record.ticket_len, record.received_ms, &session))
			continue;
		ret = signet_handshake_resume(upcall->handshake, session);
		signet_session_free(session);
	}
	explicit_bzero(&record, sizeof(record));
}

static bool prepare(struct upcall *upcall, const struct decision *decision)
{
	const struct signet_request *request = &upcall->thread->request;
	bool client = request->role == SIGNET_ROLE_CLIENT;
	char text[SIGNET_STRING_MAX + 1];
	int ret;

	ret = signet_handshake_new(decision->config, upcall->channel,
				   client ? request->server_name : NULL, &upcall->handshake);
	if (!ret)
		ret = tighten(upcall, decision);
	if (!ret) {
		if (client && decision->profile->settings->resume) {
			sessions_key(request, decision->profile->settings->name,
				     upcall->session_key);
			resume(upcall);
		}
		return true;
	}
	if (ret == -EINVAL && client)
		snprintf(text, sizeof(text), "neither a DNS name nor an address: \"%.200s\"",
			 request->server_name);
	else
		snprintf(text, sizeof(text), "the handshake cannot be begun: %s", strerror(-ret));
	refuse_text(upcall, -ret, text);
	return false;
}

void upcall_begin(struct thread *thread)
{
	struct worker *worker = thread->worker;
	struct upcall *upcall = new_upcall(thread);
	char text[SIGNET_STRING_MAX + 1];
	struct decision decision;
	bool allowed;
	int ret;

	if (!upcall) {
		/* Its socket fails with EUNATCH. */
		log_text(LOG_ERR, "out of memory: a request is lost");
		close(thread->request.channel);
		atomic_fetch_sub(&worker->state->in_progress, 1);
		return;
	}
	allowed = policy_decide(worker->profiles, &thread->request, &decision);
	upcall->profile = decision.profile;
	if (!allowed) {
		refuse_text(upcall, decision.error, decision.text);
		return;
	}
	ret = limits_take(worker->limits, &thread->request, &upcall->claim, text);
	if (ret) {
		refuse_text(upcall, -ret, text);
		return;
	}
	upcall->counted = true;
	if (prepare(upcall, &decision))
		upcall_step(upcall);
}

void upcalls_tick(struct thread *thread)
{
	struct upcall *upcall, *next;
	int64_t now = thread_now(), deadline;

	for (upcall = thread->upcalls; upcall; upcall = next) {
		next = upcall->next;
		if (upcall->over)
			continue;
		deadline = signet_handshake_deadline(upcall->handshake);
		if (deadline < 0 || now < deadline)
			continue;
		if (upcall->polling || upcall->slot != UINT32_MAX)
			refuse_text(upcall, ETIMEDOUT,
				    "the handshake was not complete in time (limits.timeout)");
	}
}
