/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificate policy.
 *
 * wolfSSL checks signatures, validity, basic constraints, path lengths and name constraints. What
 * it leaves open or takes too lightly is decided here, for the same chain, before it goes on:
 *
 *   - a server's name is one of the leaf's subject alternative names; the common name never counts
 *   - the leaf is no CA's, and of X.509 version 3
 *   - a key usage must allow signatures, an extended key usage must name this use of it
 *   - a CA is of version 3, has a name, marks its name constraints as critical, and its extended
 *     key usage, if there is one, includes this use
 *   - nothing below a trust anchor is signed with SHA-1 or older
 *
 * An error that wolfSSL found is never overruled.
 */
#ifndef SIGNET_HANDSHAKE_VERIFY_H
#define SIGNET_HANDSHAKE_VERIFY_H

#include <stdbool.h>

#include "name.h"

struct WOLFSSL_X509_STORE_CTX;

/**
 * struct signet_verify - one handshake's judgement of the peer
 * @peer_role:	what the peer is in this handshake
 * @name:	the server's name, NULL when the peer is a client
 * @accepted:	the leaf certificate has passed all checks
 * @chained:	the peer sent more than its own certificate
 * @peer:	name that was verified: the server's, or the client's subject
 * @text:	why the peer was refused, "" while it was not
 */
struct signet_verify {
	enum signet_role peer_role;
	const struct signet_name *name;
	bool accepted;
	bool chained;
	char peer[SIGNET_NAME_MAX];
	char text[SIGNET_TEXT_MAX];
};

/* wolfSSL's verify callback; its context is the struct signet_verify. */
int signet_verify_certificate(int preverified, struct WOLFSSL_X509_STORE_CTX *store);

/* Note in @verify->text what a certificate error of wolfSSL's means. False if @error is none. */
bool signet_verify_explain(struct signet_verify *verify, int error);

/* Whether a DER certificate may be a trust anchor: a CA of version 3 with a name. */
bool signet_verify_anchor(const unsigned char *der, unsigned int length);

#endif
