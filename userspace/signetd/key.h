/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private keys from PEM files. Only the signer's process loads any. */
#ifndef SIGNETD_KEY_H
#define SIGNETD_KEY_H

#include <stddef.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/random.h>

#include "settings.h"

/**
 * struct key_file - a key as it was read, in memory for secrets
 * @der:	without PEM's armour
 */
struct key_file {
	unsigned char *der;
	size_t size;
};

struct key;
struct signet_file;

/**
 * key_file_read - read a credential's key, and see that it is its certificate's
 * @file:	empty when there is anything to complain about
 * @chain:	PEM, the certificate first; NULL when none could be read
 * @complaints:	what is wrong is added here
 *
 * Return: whether all is well.
 */
bool key_file_read(struct key_file *file, const struct credential *credential,
		   const struct signet_file *chain, struct complaints *complaints);

void key_file_free(struct key_file *file);

/* A key that is ready to sign; one thread uses it. Return: NULL without memory, or if unusable. */
struct key *key_new(const struct key_file *file);

/* Wipes it. NULL is fine. */
void key_free(struct key *key);

/**
 * key_sign - sign a digest, or with Ed25519 a message
 * @scheme:	of signet-handshake.h
 * @signature:	room for SIGNET_SIGNATURE_MAX bytes
 * @signature_len: how many they are
 *
 * Return: 0, -EINVAL for a scheme that is not the key's, or -EIO.
 */
int key_sign(struct key *key, WC_RNG *random, unsigned int scheme, const void *data, size_t length,
	     void *signature, size_t *signature_len);

#endif
