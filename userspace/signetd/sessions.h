/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sessions that clients may resume, kept for the same user, network namespace, server name, profile,
 * authorities and pins only. They lie in memory that all workers share (shared.h), so that they
 * outlive each of them, and are bounded: newer ones push out older ones.
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
 * @key:	of whom, to whom, and how
 * @received_ms: when the ticket came, in milliseconds of CLOCK_REALTIME
 * @blob:	the engine's
 * @ticket:	of the server
 */
struct session_record {
	uint8_t key[SESSION_KEY_SIZE];
	int64_t received_ms;
	uint32_t blob_len;
	uint32_t ticket_len;
	uint8_t blob[SIGNET_SESSION_MAX];
	uint8_t ticket[SIGNET_TICKET_MAX];
};

/* Bytes that so many sessions need. */
size_t sessions_size(unsigned int count);

/* Makes sessions of zeroed memory; before there is anybody else that uses it. */
struct sessions *sessions_init(void *memory, unsigned int count);

/* What a request's session is kept under. @profile: the name of the one that serves it. */
void sessions_key(const struct signet_request *request, const char *profile,
		  uint8_t key[SESSION_KEY_SIZE]);

void sessions_put(struct sessions *sessions, const struct session_record *record);

/* Takes the newest one with @key out. Return: whether there was one. */
bool sessions_take(struct sessions *sessions, const uint8_t key[SESSION_KEY_SIZE],
		   struct session_record *record);

#endif
