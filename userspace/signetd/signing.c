// SPDX-License-Identifier: GPL-3.0-or-later
#include "signing.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "upcall.h"

#define NO_SLOT UINT32_MAX
#define SLOTS_MORE 64
/* At a time, so that other handshakes have their turn. */
#define ANSWERS_MAX 64

/* Configurations are shared by threads: whose call it is cannot be known from them. */
static _Thread_local struct thread *this_thread;

void signing_begin(struct thread *thread, int socket)
{
	struct signing *signing = &thread->signing;

	this_thread = thread;
	signing->socket = socket;
	signing->free = NO_SLOT;
	signing->unsent_end = &signing->unsent;
	thread_poll(thread, socket, POLLIN, WATCH_SIGNER);
}

static bool add_slots(struct signing *signing)
{
	uint32_t from = signing->slot_count, to = from + SLOTS_MORE;
	struct signing_slot *slots = reallocarray(signing->slots, to, sizeof(*slots));

	if (!slots)
		return false;
	signing->slots = slots;
	signing->slot_count = to;
	for (uint32_t i = from; i < to; i++)
		slots[i] = (struct signing_slot){ .next_free = i + 1 < to ? i + 1 : NO_SLOT };
	signing->free = from;
	return true;
}

static uint64_t query_id(const struct signing *signing, uint32_t slot)
{
	return (uint64_t)signing->slots[slot].tag << 32 | slot;
}

static bool take_slot(struct signing *signing, struct upcall *upcall)
{
	if (signing->free == NO_SLOT && !add_slots(signing))
		return false;
	upcall->slot = signing->free;
	signing->free = signing->slots[upcall->slot].next_free;
	signing->slots[upcall->slot].upcall = upcall;
	signing->slots[upcall->slot].tag++;
	return true;
}

static void give_slot(struct signing *signing, struct upcall *upcall)
{
	struct signing_slot *slot = &signing->slots[upcall->slot];

	slot->upcall = NULL;
	slot->next_free = signing->free;
	signing->free = upcall->slot;
	upcall->slot = NO_SLOT;
}

/* Return: 0, -EAGAIN, or -EUNATCH when there is nobody. */
static int send_query(struct signing *signing, const struct signer_query *query)
{
	ssize_t n;

	n = send(signing->socket, query, offsetof(struct signer_query, data) + query->length,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0)
		return 0;
	return errno == EAGAIN || errno == ENOBUFS ? -EAGAIN : -EUNATCH;
}

static void queue(struct thread *thread, struct upcall *upcall)
{
	struct signing *signing = &thread->signing;

	upcall->next_unsent = NULL;
	*signing->unsent_end = upcall;
	signing->unsent_end = &upcall->next_unsent;
	if (!signing->polling_out)
		thread_poll(thread, signing->socket, POLLOUT, WATCH_SIGNER_ROOM);
	signing->polling_out = true;
}

static int queue_copy(struct thread *thread, struct upcall *upcall,
		      const struct signer_query *query)
{
	upcall->query = malloc(sizeof(*query));
	if (!upcall->query)
		return -ENOMEM;
	*upcall->query = *query;
	queue(thread, upcall);
	return 0;
}

static int sign(void *context, const struct signet_signature_request *request)
{
	struct thread *thread = this_thread;
	struct signing *signing = &thread->signing;
	struct upcall *upcall = thread->stepping;
	struct signer_query query = { .scheme = request->scheme, .length = request->length };
	int ret;

	(void)context;
	if (signing->socket < 0)
		return -EUNATCH;
	if (request->length > sizeof(query.data))
		return -EMSGSIZE;
	if (!take_slot(signing, upcall))
		return -ENOMEM;
	query.id = query_id(signing, upcall->slot);
	query.key = strtoul(request->key, NULL, 10);
	memcpy(query.data, request->data, request->length);
	ret = signing->unsent ? -EAGAIN : send_query(signing, &query);
	if (ret == -EAGAIN)
		ret = queue_copy(thread, upcall, &query);
	if (ret)
		give_slot(signing, upcall);
	return ret;
}

static void unqueue(struct signing *signing, struct upcall *upcall)
{
	struct upcall **link = &signing->unsent;

	while (*link && *link != upcall)
		link = &(*link)->next_unsent;
	if (*link)
		*link = upcall->next_unsent;
	if (signing->unsent_end == &upcall->next_unsent)
		signing->unsent_end = link;
	free(upcall->query);
	upcall->query = NULL;
}

void signing_forget(struct thread *thread, struct upcall *upcall)
{
	if (upcall->query)
		unqueue(&thread->signing, upcall);
	if (upcall->slot != NO_SLOT)
		give_slot(&thread->signing, upcall);
}

/* The upcall forgets by itself when it ends: see signing_forget(). */
const struct signet_signer signing_signer = { .sign = sign };

static void answered(struct thread *thread, const struct signer_answer *answer)
{
	struct signing *signing = &thread->signing;
	uint32_t slot = answer->id;
	struct upcall *upcall;

	if (slot >= signing->slot_count || query_id(signing, slot) != answer->id ||
	    !signing->slots[slot].upcall)
		return; /* nobody waits for it any more */
	upcall = signing->slots[slot].upcall;
	give_slot(signing, upcall);
	(void)signet_handshake_signature(upcall->handshake, answer->signature, answer->length,
					 answer->error);
	upcall_step(upcall);
}

/* Nobody will answer: those who wait fail, and the supervisor starts others in our place. */
static void signer_gone(struct thread *thread)
{
	struct signing *signing = &thread->signing;
	struct signer_answer none = { .error = -EUNATCH };

	signing->socket = -1;
	for (uint32_t i = 0; i < signing->slot_count; i++) {
		if (!signing->slots[i].upcall)
			continue;
		if (signing->slots[i].upcall->query)
			unqueue(signing, signing->slots[i].upcall);
		none.id = query_id(signing, i);
		answered(thread, &none);
	}
}

void signing_receive(struct thread *thread)
{
	struct signing *signing = &thread->signing;
	struct signer_answer answer;
	ssize_t n;

	for (int i = 0; i < ANSWERS_MAX; i++) {
		n = recv(signing->socket, &answer, sizeof(answer), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < (ssize_t)offsetof(struct signer_answer, signature) ||
		    n != (ssize_t)(offsetof(struct signer_answer, signature) + answer.length)) {
			signer_gone(thread);
			return;
		}
		answered(thread, &answer);
	}
	thread_poll(thread, signing->socket, POLLIN, WATCH_SIGNER);
}

void signing_send(struct thread *thread)
{
	struct signing *signing = &thread->signing;

	signing->polling_out = false;
	while (signing->socket >= 0 && signing->unsent) {
		/* Whatever else is wrong shows when the socket is read. */
		if (send_query(signing, signing->unsent->query) == -EAGAIN)
			break;
		unqueue(signing, signing->unsent);
	}
	if (signing->socket < 0 || !signing->unsent)
		return;
	thread_poll(thread, signing->socket, POLLOUT, WATCH_SIGNER_ROOM);
	signing->polling_out = true;
}
