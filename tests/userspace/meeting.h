/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One handshake between the engine and OpenSSL's library, both in this thread. */
#ifndef SIGNET_TESTS_MEETING_H
#define SIGNET_TESTS_MEETING_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "../../userspace/handshake/engine.h"

/**
 * struct meeting - both sides
 * @ours:	the engine's handshake
 * @theirs:	OpenSSL's
 * @fd:		of ours
 * @their_fd:	of theirs
 * @status:	what our last step returned
 * @their_status: 1 when theirs is done, 0 while it is not, -1 when it failed
 * @their_alert: alert that it received or sent, description only; -1 for none
 * @pending:	so often a signature was awaited
 * @keys:	ours when @status is 0
 * @result:	ours
 */
struct meeting {
	struct signet_handshake *ours;
	SSL *theirs;
	int fd;
	int their_fd;
	int status;
	int their_status;
	int their_alert;
	unsigned int pending;
	struct signet_keys keys;
	struct signet_result result;
};

/* OpenSSL's configuration for the other role; a server presents <certificate>.pem. */
SSL_CTX *openssl_new(bool is_server, const char *certificate);

/* Both sides, before the first step. @name: of a server, NULL when ours is one. */
void meeting_begin(struct meeting *meeting, const struct signet_config *config, SSL_CTX *theirs,
		   const char *name);

/* Until both are done, or neither can go on. */
void meeting_run(struct meeting *meeting);

/* A reason to go on waiting: called when a signature is awaited; may give it. */
void meeting_on_pending(void (*call)(struct meeting *meeting));

void meeting_end(struct meeting *meeting);

/* Whether both sides are done. */
bool meeting_is_good(const struct meeting *meeting);

/* Whether data goes both ways, under the keys that the module would get. */
bool meeting_exchanges_data(struct meeting *meeting);

/* The body of the next NewSessionTicket that comes to us. Return: its length, 0 for none. */
size_t meeting_ticket(struct meeting *meeting, unsigned char *body);

#endif
