/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certified public keys, the algorithms that certificates are signed with, and the signatures. */
#ifndef SIGNET_HANDSHAKE_KEY_H
#define SIGNET_HANDSHAKE_KEY_H

#include "der.h"
#include "fault.h"

enum signet_key_type {
	SIGNET_KEY_RSA = 1,
	SIGNET_KEY_RSA_PSS, /* RSA that signs with PSS only (RFC 4055 1.2) */
	SIGNET_KEY_ECDSA,
	SIGNET_KEY_ED25519,
	SIGNET_KEY_ML_DSA,
};

/**
 * struct signet_key - a public key of a kind and strength that is taken
 * @type:	what it signs with
 * @variant:	wolfSSL's number of the curve or of the parameter set
 * @value:	the key itself; RSA's modulus
 * @exponent:	RSA's
 */
struct signet_key {
	enum signet_key_type type;
	int variant;
	struct signet_der value;
	struct signet_der exponent;
};

/**
 * struct signet_algorithm - how a certificate is signed
 * @type:	key that makes such signatures; RSA for PKCS #1 v1.5, RSA_PSS for PSS
 * @hash:	wolfSSL's number of the hash, when the algorithm leaves a choice
 * @salt:	PSS: octets of salt
 * @variant:	ML-DSA: wolfSSL's number of the parameter set
 */
struct signet_algorithm {
	enum signet_key_type type;
	int hash;
	unsigned int salt;
	int variant;
};

/* From a SubjectPublicKeyInfo's content. Return: what is wrong with the key, NULL for nothing. */
const struct signet_fault *signet_key_parse(struct signet_key *key, struct signet_der info);

/* From an AlgorithmIdentifier's content. Return: why it is not taken, NULL when it is. */
const struct signet_fault *signet_algorithm_parse(struct signet_algorithm *algorithm,
						  struct signet_der identifier);

/* Whether @key made the signature. False for a key that the algorithm is not for, too. */
bool signet_key_verify(const struct signet_key *key, const struct signet_algorithm *algorithm,
		       struct signet_der message, struct signet_der signature);

#endif
