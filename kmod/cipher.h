/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One direction's cipher: keys, sequence number, seal and open.
 */
#ifndef _SIGNET_CIPHER_H
#define _SIGNET_CIPHER_H

#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include "record.h"
#include "suite.h"
#include "uapi/linux/signet.h"

struct crypto_aead;
struct signet_operation;

/*
 * Writes an entry in whole, so that a long list of which few are used needs no
 * sg_init_table(). The last one is to be marked.
 */
static inline void signet_sg_set(struct scatterlist *sg, struct page *page, unsigned int len,
				 unsigned int offset)
{
	sg->page_link = 0;
	sg_set_page(sg, page, len, offset);
}

/* Likewise, for memory that is mapped all the time. */
static inline void signet_sg_set_buf(struct scatterlist *sg, const void *buffer, unsigned int len)
{
	signet_sg_set(sg, virt_to_page(buffer), len, offset_in_page(buffer));
}

/**
 * struct signet_cipher - keys and position of one direction
 * @rcu:	for sock_diag, which looks without a lock
 * @suite:	cipher suite
 * @aead:	keyed cipher, synchronous; NULL once the keys are wiped
 * @sequence:	sequence number of the next record (RFC 8446 5.3), and so the
 *		number of records under this key
 * @explicit_nonce: TLS 1.2: the next record's that is sent (RFC 5288 3); in the
 *		receiving direction it only counts
 * @bytes:	content sealed or opened under this key
 * @keyed_at:	when the key was taken into use, in seconds since boot
 * @used_up:	the last sequence number was used
 * @has_secret:	@secret is there: the next key can be derived
 * @epoch:	number of this traffic secret, the first is 0
 * @iv:		static IV, or the salt at its start
 * @secret:	traffic secret
 */
struct signet_cipher {
	struct rcu_head rcu;
	const struct signet_suite *suite;
	struct crypto_aead *aead;
	u64 sequence;
	u64 explicit_nonce;
	u64 bytes;
	u32 keyed_at;
	u32 epoch;
	bool used_up;
	bool has_secret;
	u8 iv[SIGNET_NONCE_LEN];
	u8 secret[SIGNET_HASH_MAX];
};

/**
 * signet_cipher_new - the keys of one direction from what userspace gave
 * @crypto:	suite, secret and position
 *
 * Context: may sleep and load modules.
 * Return: the cipher or an ERR_PTR with the errors of struct signet_crypto.
 */
struct signet_cipher *signet_cipher_new(const struct signet_crypto *crypto);

/**
 * signet_cipher_from_keys - the keys of one direction, derived elsewhere
 * @suite:	cipher suite
 * @key:	@suite->key_len bytes
 * @iv:		static IV, or the salt alone where nonces are explicit
 * @sequence:	sequence number of the next record
 * @explicit_nonce: its explicit nonce
 *
 * Context: may sleep and load modules.
 * Return: the cipher or an ERR_PTR.
 */
struct signet_cipher *signet_cipher_from_keys(const struct signet_suite *suite, const u8 *key,
					      const u8 *iv, u64 sequence, u64 explicit_nonce);

/**
 * signet_cipher_next - the keys after a KeyUpdate (RFC 8446 4.6.3)
 * @cipher:	the direction's keys now
 *
 * Context: may sleep and load modules.
 * Return: a new cipher at sequence number 0, or an ERR_PTR: -ENOMEM, or
 * -EKEYEXPIRED when there is no traffic secret to derive from.
 */
struct signet_cipher *signet_cipher_next(const struct signet_cipher *cipher);

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

/* Wipes at once, and frees after a grace period; NULL is fine. Context: may sleep. */
void signet_cipher_free(struct signet_cipher *cipher);

/* Puts a direction's new keys in the place of the old ones, which are wiped and freed. */
void signet_cipher_replace(struct signet_cipher **cipher, struct signet_cipher *by);

/* Records that are kept for the KeyUpdate, or the alerts, at the end. */
#define SIGNET_RECORD_RESERVE 2

/*
 * True when no further data may be sealed under this key (RFC 8446 5.5); the
 * KeyUpdate or the alerts that come then still may.
 */
static inline bool signet_cipher_exhausted(const struct signet_cipher *cipher)
{
	/* The sequence number must not wrap either (RFC 8446 5.3). */
	return cipher->sequence >= cipher->suite->record_limit - SIGNET_RECORD_RESERVE;
}

/**
 * signet_cipher_seal - encrypt a record in place
 * @cipher:	sending direction
 * @operation:	memory for the call
 * @type:	content type, for the header of TLS 1.2
 * @prefix:	filled in: header and explicit nonce, signet_suite_prefix_len()
 * @sg:		an entry for this function; then the record from
 *		signet_suite_sealed_from() on, with room for the tag
 * @len:	what comes before the tag, in bytes
 *
 * The sequence number is used up, whatever is returned.
 * Context: process, under the socket lock.
 * Return: 0 or a cipher's error.
 */
int signet_cipher_seal(struct signet_cipher *cipher, struct signet_operation *operation, u8 type,
		       u8 *prefix, struct scatterlist *sg, unsigned int len);

/**
 * signet_cipher_open - decrypt a record
 * @cipher:	receiving direction
 * @operation:	memory for the call
 * @prefix:	header and explicit nonce
 * @src:	an entry for this function; then the record from
 *		signet_suite_sealed_from() on
 * @dst:	likewise, with room for as much; may be @src
 * @len:	the encrypted part with its tag, in bytes
 * @ahead:	records between the next one and this
 *
 * Uses up no sequence number: signet_cipher_opened() does.
 * Context: process, under the socket lock.
 * Return: 0, -EBADMSG when the record does not authenticate, -EKEYEXPIRED when
 * there is no sequence number left, or a cipher's error.
 */
int signet_cipher_open(struct signet_cipher *cipher, struct signet_operation *operation,
		       const u8 *prefix, struct scatterlist *src, struct scatterlist *dst,
		       unsigned int len, unsigned int ahead);

/* The next record was opened and is consumed. */
void signet_cipher_opened(struct signet_cipher *cipher);

#endif /* _SIGNET_CIPHER_H */
