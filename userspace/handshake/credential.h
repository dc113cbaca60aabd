/* SPDX-License-Identifier: GPL-3.0-or-later */
/* This side's certificates: what names they serve, whose signatures they make, and who signs. */
#ifndef SIGNET_HANDSHAKE_CREDENTIAL_H
#define SIGNET_HANDSHAKE_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "file.h"
#include "suite.h"

struct WOLFSSL;
struct signet_rsa;

/* Kinds of keys, each with its TLS signature algorithms. */
enum signet_credential_kind {
	SIGNET_CREDENTIAL_P256,
	SIGNET_CREDENTIAL_P384,
	SIGNET_CREDENTIAL_P521,
	SIGNET_CREDENTIAL_RSA,
	SIGNET_CREDENTIAL_ED25519,
	SIGNET_CREDENTIAL_MLDSA44,
	SIGNET_CREDENTIAL_MLDSA65,
	SIGNET_CREDENTIAL_MLDSA87,
};

/**
 * struct signet_credential - one chain, and its key or who has it
 * @chain:	PEM
 * @key:	PEM; empty when a signer has it
 * @kind:	of the key
 * @names:	DNS names that it serves
 * @name_count:	of @names
 * @public_key:	SubjectPublicKeyInfo in DER
 * @public_key_len: of @public_key
 * @leaf:	the certificate's digest
 * @rsa:	the key once more, to sign with; NULL for other keys, and when a signer has it
 * @signer:	who has the key
 * @key_name:	in the signer's terms; NULL without one
 */
struct signet_credential {
	struct signet_file chain;
	struct signet_file key;
	enum signet_credential_kind kind;
	char **names;
	unsigned int name_count;
	unsigned char *public_key;
	unsigned int public_key_len;
	unsigned char leaf[SIGNET_BINDING_SIZE];
	struct signet_rsa *rsa;
	struct signet_signer signer;
	char *key_name;
};

/**
 * signet_credential_read - from files
 * @chain:	path
 * @key:	path, NULL when there is a signer
 *
 * Return: 0 or an error of signet_config_certificate().
 */
int signet_credential_read(struct signet_credential **credential, const char *chain,
			   const char *key);

/* Wipes and frees. NULL is fine. */
void signet_credential_free(struct signet_credential *credential);

/* Load it into wolfSSL's configuration. Return: 0 or an error of signet_config_certificate(). */
int signet_credential_load(const struct signet_credential *credential, struct WOLFSSL_CTX *context);

/* Load it for one handshake. Return: whether that was possible. */
bool signet_credential_present(const struct signet_credential *credential, struct WOLFSSL *ssl);

/**
 * signet_credential_serves - whether a server has one for a name
 * @name:	as the client asks for it
 */
bool signet_credential_serves(const struct signet_config *config, const char *name);

/**
 * signet_credential_choose - for a server's handshake
 * @name:	that the client asks for, "" for none
 * @ssl:	has read the client's hello
 *
 * Return: the credential, which may be one that the client does not understand if there is no
 * better.
 */
const struct signet_credential *signet_credential_choose(const struct signet_config *config,
							 const char *name, struct WOLFSSL *ssl);

/* What TLS 1.2's suites call the kind of its key. */
enum signet_authentication
signet_credential_authentication(const struct signet_credential *credential);

#endif
