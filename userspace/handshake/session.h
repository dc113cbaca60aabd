/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client's session to resume, made of what the handshake left and a ticket that came later
 * (RFC 8446 4.6.1). No object of the handshake is kept for it: what wolfSSL resumes is put together
 * from its serialised form.
 */
#ifndef SIGNET_HANDSHAKE_SESSION_H
#define SIGNET_HANDSHAKE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <signet-handshake.h>

#include "config.h"
#include "name.h"

struct WOLFSSL;

/* The resumption master secret is as long as the longest suite's hash (RFC 8446 7.1). */
#define SIGNET_RESUMPTION_SECRET_MAX 48

/**
 * struct signet_resumption - what a handshake leaves
 * @suite:	that it agreed on
 * @secret_len:	of @secret
 * @secret:	resumption master secret
 * @verified:	when certificates were last verified, in ms of CLOCK_REALTIME
 * @policy:	what a session may be used for
 * @spiffe:	the server's SPIFFE id, "" for none, or one that no SIGNET_PEER_NAME has room for
 */
struct signet_resumption {
	unsigned int suite;
	size_t secret_len;
	unsigned char secret[SIGNET_RESUMPTION_SECRET_MAX];
	int64_t verified;
	unsigned char policy[SIGNET_BINDING_SIZE];
	char spiffe[SIGNET_STRING_MAX + 1];
};

/* What sessions with @name under this configuration are bound to. */
void signet_session_policy(unsigned char policy[SIGNET_BINDING_SIZE],
			   const struct signet_config *config, const struct signet_name *name);

/* Take the secret from a complete handshake's object. Return: whether there is one. */
bool signet_resumption_take(struct signet_resumption *resumption, struct WOLFSSL *ssl);

/* Return: the blob's length. @blob has room for SIGNET_RESUMPTION_MAX bytes. */
size_t signet_resumption_pack(const struct signet_resumption *resumption, unsigned char *blob);

/**
 * signet_session_use - make a handshake offer the session
 * @policy:	of the handshake
 *
 * Return: 0 or an error of signet_handshake_resume().
 */
int signet_session_use(const struct signet_session *session, struct WOLFSSL *ssl,
		       const unsigned char policy[SIGNET_BINDING_SIZE]);

/* Whether it is of this policy and not over. */
bool signet_session_fits(const struct signet_session *session,
			 const unsigned char policy[SIGNET_BINDING_SIZE]);

/* The suite that has to be offered with it. */
unsigned int signet_session_suite(const struct signet_session *session);

/* When the server's certificates were verified, and the SPIFFE id in them, "" for none. */
int64_t signet_session_verified(const struct signet_session *session);
const char *signet_session_spiffe(const struct signet_session *session);

/* Milliseconds of CLOCK_REALTIME. */
int64_t signet_session_now(void);

#endif
