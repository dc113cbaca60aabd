/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificate policy: whether a peer's certificates prove who it is.
 *
 * wolfSSL hands over what the peer sent and takes the verdict; it verifies nothing by itself, and
 * nothing that a peer sent outlives the handshake. The parts:
 *
 *   certificate.h  what one certificate must be like (RFC 5280 4)
 *   key.h	    keys, signatures and hashes that are strong enough
 *   path.h	    the way from it to a trust anchor (RFC 5280 6, RFC 4158)
 *   constraint.h   which names an authority may certify
 *   name.h, uri.h  names (RFC 9525, SPIFFE)
 *
 * and here, what only the peer's own certificate must keep to:
 *
 *   - it is no CA's, of X.509 version 3, and its key usage allows signatures (RFC 8446 4.4.2.4)
 *   - an extended key usage names this use of it; "any" does not count. Without one it may be used
 *     for anything (RFC 5280 4.2.1.12), unless its authority is one of the system's, which must
 *     always name the use (CA/Browser Forum 7.1.2.7.10)
 *   - a server's name is one of its subject alternative names; the common name never counts
 *   - a SPIFFE id is well-formed and the only URI in it (X.509-SVID 2)
 *
 * Trust anchors are held to the same rules as other authorities, but for their own signature.
 * Revocation is not checked.
 */
#ifndef SIGNET_HANDSHAKE_VERIFY_H
#define SIGNET_HANDSHAKE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/signet.h>

#include "name.h"
#include "trust.h"

struct WOLFSSL;
struct WOLFSSL_BUFFER_INFO;

#define SIGNET_CHAIN_MAX 16384

/**
 * struct signet_verify - one handshake's judgement of the peer
 * @peer_role:	what the peer is in this handshake
 * @name:	the server's name, NULL when the peer is a client
 * @trust:	the authorities that are believed
 * @pins:	digests of public keys, one of which the peer's must have (RFC 7469 2.4)
 * @pin_count:	of @pins; with at least one a server needs no name
 * @accepted:	the peer's certificate has passed all checks
 * @peer:	who the peer is: the server's name as it was asked for; a client's SPIFFE id, else its
 *		first DNS name, else its subject
 * @spiffe:	the peer's SPIFFE id, NULL for none; owned
 * @chain:	the certificates that were verified, leaf first, the trust anchor last, in DER, one
 *		directly behind the other, as far as SIGNET_CHAIN_MAX holds whole ones; owned
 * @chain_length: of @chain
 * @text:	why the peer was refused, "" while it was not
 */
struct signet_verify {
	enum signet_role peer_role;
	const struct signet_name *name;
	const struct signet_trust *trust;
	unsigned char pins[SIGNET_PINS_MAX][SIGNET_PIN_LEN];
	unsigned int pin_count;
	bool accepted;
	char peer[SIGNET_NAME_MAX];
	char *spiffe;
	unsigned char *chain;
	size_t chain_length;
	char text[SIGNET_TEXT_MAX];
};

/**
 * signet_verify_chain - judge what a peer sent
 * @sent:	its certificates, its own first
 * @context:	the struct signet_verify, with @peer_role, @name and @trust
 *
 * It is wolfSSL's PeerChainCallback.
 *
 * Return: 0 when the peer is accepted, else the description of the alert to send.
 */
int signet_verify_chain(struct WOLFSSL *ssl, const struct WOLFSSL_BUFFER_INFO *sent, int count,
			void *context);

/* Frees what a judgement owns. */
void signet_verify_end(struct signet_verify *verify);

/* Note in @verify->text what a certificate error of wolfSSL's means. False if @error is none. */
bool signet_verify_explain(struct signet_verify *verify, int error);

#endif
