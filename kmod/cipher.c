// SPDX-License-Identifier: GPL-2.0-only
#include "cipher.h"

#include <crypto/aead.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>

#include "key_schedule.h"
#include "scratch.h"

/* --- keys ------------------------------------------------------------------ */

struct signet_cipher *signet_cipher_from_keys(const struct signet_suite *suite, const u8 *key,
					      const u8 *iv, u64 sequence, u64 explicit_nonce)
{
	struct signet_cipher *cipher;
	int err;

	cipher = kzalloc(sizeof(*cipher), GFP_KERNEL_ACCOUNT);
	if (!cipher)
		return ERR_PTR(-ENOMEM);
	cipher->suite = suite;
	cipher->sequence = sequence;
	cipher->explicit_nonce = explicit_nonce;
	cipher->keyed_at = ktime_get_boottime_seconds();
	memcpy(cipher->iv, iv, signet_suite_salt_len(suite));

	cipher->aead = signet_suite_alloc_aead(suite);
	if (IS_ERR(cipher->aead)) {
		err = PTR_ERR(cipher->aead);
		goto free_cipher;
	}
	err = crypto_aead_setkey(cipher->aead, key, suite->key_len);
	if (err)
		goto free_aead;
	return cipher;

free_aead:
	crypto_free_aead(cipher->aead);
free_cipher:
	kfree_sensitive(cipher);
	return ERR_PTR(err);
}

static struct signet_cipher *from_secret(const struct signet_suite *suite, const u8 *secret,
					 u64 sequence)
{
	struct signet_record_keys keys;
	struct signet_cipher *cipher;
	int err;

	err = signet_derive_record_keys(suite, secret, &keys);
	if (err)
		cipher = ERR_PTR(err);
	else
		cipher = signet_cipher_from_keys(suite, keys.key, keys.iv, sequence, 0);
	memzero_explicit(&keys, sizeof(keys));
	if (IS_ERR(cipher))
		return cipher;
	memcpy(cipher->secret, secret, suite->hash_len);
	cipher->has_secret = true;
	return cipher;
}

static int check_crypto(const struct signet_crypto *crypto, const struct signet_suite *suite)
{
	unsigned int secret_len;

	if (!suite)
		return -EOPNOTSUPP;
	secret_len = signet_suite_secret_len(suite);
	if (crypto->secret_len != secret_len || crypto->reserved ||
	    (crypto->explicit_nonce && !suite->explicit_nonce_len))
		return -EINVAL;
	if (memchr_inv(crypto->secret + secret_len, 0, SIGNET_SECRET_MAX - secret_len))
		return -EINVAL;
	return 0;
}

struct signet_cipher *signet_cipher_new(const struct signet_crypto *crypto)
{
	const struct signet_suite *suite = signet_suite_find(crypto->version, crypto->suite);
	int err;

	err = check_crypto(crypto, suite);
	if (err)
		return ERR_PTR(err);
	if (signet_suite_is_tls_1_3(suite))
		return from_secret(suite, crypto->secret, crypto->sequence);
	return signet_cipher_from_keys(suite, crypto->secret, crypto->secret + suite->key_len,
				       crypto->sequence, crypto->explicit_nonce);
}

struct signet_cipher *signet_cipher_next(const struct signet_cipher *cipher)
{
	u8 secret[SIGNET_HASH_MAX];
	struct signet_cipher *next;
	int err;

	if (!cipher->has_secret)
		return ERR_PTR(-EKEYEXPIRED);
	err = signet_derive_next_secret(cipher->suite, cipher->secret, secret);
	if (err)
		return ERR_PTR(err);
	next = from_secret(cipher->suite, secret, 0);
	memzero_explicit(secret, sizeof(secret));
	if (!IS_ERR(next))
		next->epoch = cipher->epoch + 1;
	return next;
}

void signet_cipher_wipe(struct signet_cipher *cipher)
{
	if (!signet_cipher_usable(cipher))
		return;
	crypto_free_aead(cipher->aead);
	cipher->aead = NULL;
	cipher->has_secret = false;
	memzero_explicit(cipher->secret, sizeof(cipher->secret));
	memzero_explicit(cipher->iv, sizeof(cipher->iv));
}

void signet_cipher_free(struct signet_cipher *cipher)
{
	if (!cipher)
		return;
	signet_cipher_wipe(cipher);
	kfree_rcu(cipher, rcu);
}

void signet_cipher_replace(struct signet_cipher **cipher, struct signet_cipher *by)
{
	struct signet_cipher *old = *cipher;

	/* Whoever looks without a lock must not find the old one behind its grace period. */
	smp_store_release(cipher, by);
	signet_cipher_free(old);
}

/* --- records ---------------------------------------------------------------- */

/*
 * The nonce: the sequence number, padded on the left, xor the IV (RFC 8446 5.3,
 * RFC 7905 2); or the salt and the explicit part (RFC 5288 3).
 */
static __always_inline void set_nonce(const struct signet_cipher *cipher,
				      struct signet_operation *operation, const u8 *explicit_nonce,
				      u64 sequence)
{
	const struct signet_suite *suite = cipher->suite;
	u8 *nonce = operation->nonce, *low;

	if (suite->ccm_flags) {
		memset(operation->nonce, 0, sizeof(operation->nonce));
		*nonce++ = suite->ccm_flags;
	}
	memcpy(nonce, cipher->iv, SIGNET_NONCE_LEN);
	low = nonce + SIGNET_NONCE_LEN - sizeof(u64);
	if (suite->explicit_nonce_len)
		memcpy(low, explicit_nonce, SIGNET_EXPLICIT_NONCE_LEN);
	else
		put_unaligned_be64(get_unaligned_be64(low) ^ sequence, low);
}

/* TLS 1.2's additional data, in an entry of their own before the rest. */
static void set_aad_entry(struct signet_operation *operation, struct scatterlist *sg)
{
	signet_sg_set_buf(sg, operation->aad, sizeof(operation->aad));
}

/* @len: what is encrypted, with the tag when it is opened; @content_len: without it. */
static __always_inline struct aead_request *prepare(const struct signet_cipher *cipher,
						    struct signet_operation *operation,
						    const u8 *prefix, struct scatterlist *src,
						    struct scatterlist *dst, unsigned int len,
						    unsigned int content_len, u64 sequence)
{
	struct aead_request *request = (struct aead_request *)operation->request;
	unsigned int aad_len = SIGNET_HEADER_LEN;

	if (signet_suite_is_tls_1_3(cipher->suite)) {
		src++;
		dst++;
	} else {
		aad_len = sizeof(operation->aad);
		put_unaligned_be64(sequence, operation->aad);
		signet_header_write(operation->aad + sizeof(u64), prefix[0], content_len);
		set_aad_entry(operation, src);
		if (dst != src)
			set_aad_entry(operation, dst);
	}
	operation->private_len = max(operation->private_len, crypto_aead_reqsize(cipher->aead));
	aead_request_set_tfm(request, cipher->aead);
	aead_request_set_callback(request, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	aead_request_set_ad(request, aad_len);
	aead_request_set_crypt(request, src, dst, len, operation->nonce);
	return request;
}

int signet_cipher_seal(struct signet_cipher *cipher, struct signet_operation *operation, u8 type,
		       u8 *prefix, struct scatterlist *sg, unsigned int len)
{
	const struct signet_suite *suite = cipher->suite;
	u64 sequence = cipher->sequence++;

	/* Softirq may find the FPU in use, and then the cipher must not run. */
	might_sleep();
	signet_header_write(prefix,
			    signet_suite_is_tls_1_3(suite) ? SIGNET_CONTENT_APPLICATION_DATA : type,
			    suite->explicit_nonce_len + len + SIGNET_TAG_LEN);
	if (suite->explicit_nonce_len)
		put_unaligned_be64(cipher->explicit_nonce++, prefix + SIGNET_HEADER_LEN);
	set_nonce(cipher, operation, prefix + SIGNET_HEADER_LEN, sequence);
	return crypto_aead_encrypt(prepare(cipher, operation, prefix, sg, sg, len, len, sequence));
}

int signet_cipher_open(struct signet_cipher *cipher, struct signet_operation *operation,
		       const u8 *prefix, struct scatterlist *src, struct scatterlist *dst,
		       unsigned int len, unsigned int ahead)
{
	u64 sequence = cipher->sequence + ahead;
	struct aead_request *request;

	might_sleep();
	if (cipher->used_up || sequence < ahead)
		return -EKEYEXPIRED;
	set_nonce(cipher, operation, prefix + SIGNET_HEADER_LEN, sequence);
	request = prepare(cipher, operation, prefix, src, dst, len, len - SIGNET_TAG_LEN, sequence);
	return crypto_aead_decrypt(request);
}

void signet_cipher_opened(struct signet_cipher *cipher)
{
	cipher->explicit_nonce++;
	/* Sequence numbers must not wrap (RFC 8446 5.3). */
	if (cipher->sequence == U64_MAX)
		cipher->used_up = true;
	else
		cipher->sequence++;
}
