/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sessions that clients may resume, kept for the same user, network namespace, server name, profile,
 * authorities and pins only, and bounded: newer ones push out older ones.
 *
 * Each worker has its own, which no other process but the supervisor can see. A new worker begins with
 * what the supervisor has read of its predecessor's, so that a reload ends no resumption.
 */
#ifndef SIGNETD_SESSIONS_H
#define SIGNETD_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/signet_helper.h>

#define SESSION_KEY_SIZE 32

struct sessions;

/**
 * struct session_record - what a session is made of
 * @key:	to whom, and how; see sessions_key()
 * @netns, @uid: of whom, as the kernel told with the request and with the ticket
 * @received_ms: when the ticket came, in milliseconds of CLOCK_REALTIME
 * @blob:	the engine's
 * @ticket:	of the server
 */
struct session_record {
	uint8_t key[SESSION_KEY_SIZE];
	uint64_t netns;
	uint32_t uid;
	int64_t received_ms;
	uint32_t blob_len;
	uint32_t ticket_len;
	uint8_t blob[SIGNET_SESSION_MAX];
	uint8_t ticket[SIGNET_TICKET_MAX];
};

/* Room for so many, which the worker to be forked will share. Return: NULL without memory. */
struct sessions *sessions_new(unsigned int count);

/* shared_lock() all of it. */
void sessions_lock(struct sessions *sessions);

/* This process has them no more. NULL is fine. */
void sessions_free(struct sessions *sessions);

/**
 * sessions_carry - copy what a worker has
 * @to:		the next worker's, which nobody uses yet
 * @from:	a worker's, which may change it meanwhile, and is not trusted to keep it in order
 */
void sessions_carry(struct sessions *to, const struct sessions *from);

/* What a request's session is kept under, beside its user. @profile: of the one that serves it. */
void sessions_key(const struct signet_request *request, const char *profile,
		  uint8_t key[SESSION_KEY_SIZE]);

void sessions_put(struct sessions *sessions, const struct session_record *record);

/**
 * sessions_take - take the newest one out
 * @record:	filled in; its @key, @netns and @uid tell which
 *
 * Return: whether there was one.
 */
bool sessions_take(struct sessions *sessions, struct session_record *record);

#endif
