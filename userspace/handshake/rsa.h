/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RSA private keys of this process, with which OpenSSL's libcrypto signs: twice as fast as wolfSSL
 * where the processor has AVX-512, and an RSA signature is most of what such a handshake costs.
 *
 * libcrypto computes in constant time with blinded numbers, and checks what it has computed with the
 * public key, since a faulty signature would give the private one away.
 */
#ifndef SIGNET_HANDSHAKE_RSA_H
#define SIGNET_HANDSHAKE_RSA_H

#include <stddef.h>

struct signet_rsa;

/**
 * signet_rsa_new - a key that is ready to sign; any number of threads may use it
 * @der:	RSAPrivateKey (RFC 8017 A.1.2), also within PrivateKeyInfo (RFC 5208 5); copied
 * @size:	of @der
 *
 * Return: the key; NULL for another kind of key, or without memory.
 */
struct signet_rsa *signet_rsa_new(const void *der, size_t size);

/* Wipes it. NULL is fine. */
void signet_rsa_free(struct signet_rsa *rsa);

/**
 * signet_rsa_sign - sign a digest
 * @scheme:	SIGNET_RSA_PSS_SHA256 and the like
 * @digest:	of the scheme's hash
 * @length:	of @digest
 * @signature:	filled in
 * @room:	in @signature; filled in with how many bytes it has got
 *
 * Return: 0, -EINVAL for a scheme that is not RSA's or a digest that is not its, or -EIO.
 */
int signet_rsa_sign(const struct signet_rsa *rsa, unsigned int scheme, const void *digest,
		    size_t length, void *signature, size_t *room);

#endif
