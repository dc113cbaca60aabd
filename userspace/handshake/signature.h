/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signatures that wolfSSL does not make: by keys that are elsewhere, asked for, awaited, and given to
 * it; and by RSA keys of this process, which see rsa.h.
 */
#ifndef SIGNET_HANDSHAKE_SIGNATURE_H
#define SIGNET_HANDSHAKE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#include <signet-handshake.h>

struct WOLFSSL;
struct WOLFSSL_CTX;
struct signet_credential;

enum signet_signature_state {
	SIGNET_SIGNATURE_NONE,
	SIGNET_SIGNATURE_AWAITED,
	SIGNET_SIGNATURE_GIVEN,
};

/**
 * struct signet_signature - the one that a handshake waits for
 * @handshake:	whose it is
 * @credential: whose key signs
 * @state:	how far it is
 * @error:	negative errno of the signer, 0 for none
 * @length:	of @bytes
 * @bytes:	the signature, owned; NULL while there is none
 */
struct signet_signature {
	struct signet_handshake *handshake;
	const struct signet_credential *credential;
	enum signet_signature_state state;
	int error;
	size_t length;
	unsigned char *bytes;
};

/* Make wolfSSL ask for the signatures of all handshakes with this context. */
void signet_signature_set_up(struct WOLFSSL_CTX *context);

/* Only for those of RSA keys, which are here. */
void signet_signature_set_up_rsa(struct WOLFSSL_CTX *context);

/* Connect one handshake; @signature has @handshake and, before one is needed, @credential. */
void signet_signature_begin(struct signet_signature *signature, struct WOLFSSL *ssl);

/* See signet_handshake_signature(). */
int signet_signature_give(struct signet_signature *signature, const void *bytes, size_t length,
			  int error);

/* The handshake is over: nothing is awaited any more, nothing is kept. */
void signet_signature_cancel(struct signet_signature *signature);

#endif
