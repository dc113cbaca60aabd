/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One direction's cipher: keys, sequence number, seal and open.
 */
#ifndef _SIGNET_CIPHER_H
#define _SIGNET_CIPHER_H

#include <linux/types.h>

#include "record.h"
#include "uapi/linux/signet.h"

struct aead_request;
struct crypto_aead;
struct scatterlist;
struct signet_suite;

/**
 * struct signet_cipher - keys and position of one direction
 * @suite:	cipher suite
 * @aead:	keyed cipher, synchronous; NULL once the keys are wiped
 * @request:	the one request that every record uses, under the socket lock
 * @sequence:	sequence number of the next record (RFC 8446 5.3)
 * @records:	records sealed or opened under this key
 * @used_up:	the last sequence number was used
 * @epoch:	number of this traffic secret, the first is 0
 * @iv:		static IV
 * @nonce:	the current record's nonce
 */
struct signet_cipher {
	const struct signet_suite *suite;
	struct crypto_aead *aead;
	struct aead_request *request;
	u64 sequence;
	u64 records;
	bool used_up;
	u32 epoch;
	u8 iv[SIGNET_IV_LEN];
	u8 nonce[SIGNET_IV_LEN];
};

/**
 * signet_cipher_new - derive the keys of one direction
 * @crypto:	suite, secret and position as userspace gave them
 *
 * Context: may sleep and load modules.
 * Return: the cipher or an ERR_PTR with
 * the errors of struct signet_crypto.
 */
struct signet_cipher *signet_cipher_new(const struct signet_crypto *crypto);

/*
 * Wipes the keys: what is left tells suite and position, and can neither seal nor
 * open. NULL is fine. Context: may sleep.
 */
void signet_cipher_wipe(struct signet_cipher *cipher);

/* True until the keys are wiped; false for NULL. */
static inline bool signet_cipher_usable(const struct signet_cipher *cipher)
{
	return cipher && cipher->aead;
}

/* Wipes and frees; NULL is fine. Context: may sleep. */
void signet_cipher_free(struct signet_cipher *cipher);

/*
 * True when no further data may be sealed under this key (RFC 8446 5.5); the
 * alerts that end the connection still may.
 */
bool signet_cipher_exhausted(const struct signet_cipher *cipher);

/**
 * signet_cipher_seal - encrypt a record in place
 * @cipher:	sending direction
 * @sg:		header, content, content type, room for the tag
 * @len:	content and content type, in bytes
 *
 * The sequence number is used up, whatever is returned.
 * Context: process, under the socket lock.
 * Return: 0 or a cipher's error.
 */
int signet_cipher_seal(struct signet_cipher *cipher, struct scatterlist *sg, unsigned int len);

/**
 * signet_cipher_open - decrypt a record
 * @cipher:	receiving direction
 * @src:	header and body
 * @dst:	the same layout without the tag; may be @src
 * @body:	length of the body, tag included
 *
 * The sequence number is used up only on success.
 * Context: process, under the socket lock.
 * Return: 0, -EBADMSG when the record does not authenticate, -EKEYEXPIRED when
 * there is no sequence number left, or a cipher's error.
 */
int signet_cipher_open(struct signet_cipher *cipher, struct scatterlist *src,
		       struct scatterlist *dst, unsigned int body);

#endif /* _SIGNET_CIPHER_H */
