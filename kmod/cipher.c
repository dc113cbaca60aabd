// SPDX-License-Identifier: GPL-2.0-only
#include "cipher.h"

#include <crypto/aead.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "key_schedule.h"
#include "suite.h"

static int check_crypto(const struct signet_crypto *crypto, const struct signet_suite *suite)
{
	if (!suite)
		return -EOPNOTSUPP;
	if (crypto->secret_len != suite->hash_len || crypto->reserved || crypto->explicit_nonce)
		return -EINVAL;
	if (memchr_inv(crypto->secret + suite->hash_len, 0, SIGNET_SECRET_MAX - suite->hash_len))
		return -EINVAL;
	return 0;
}

struct signet_cipher *signet_cipher_new(const struct signet_crypto *crypto)
{
	const struct signet_suite *suite = signet_suite_find(crypto->version, crypto->suite);
	struct signet_record_keys keys;
	struct signet_cipher *cipher;
	int err;

	err = check_crypto(crypto, suite);
	if (err)
		return ERR_PTR(err);

	cipher = kzalloc(sizeof(*cipher), GFP_KERNEL_ACCOUNT);
	if (!cipher)
		return ERR_PTR(-ENOMEM);
	cipher->suite = suite;
	cipher->sequence = crypto->sequence;

	cipher->aead = signet_suite_alloc_aead(suite);
	if (IS_ERR(cipher->aead)) {
		err = PTR_ERR(cipher->aead);
		goto free_cipher;
	}

	err = signet_derive_record_keys(suite, crypto->secret, &keys);
	if (!err)
		err = crypto_aead_setkey(cipher->aead, keys.key, suite->key_len);
	memcpy(cipher->iv, keys.iv, sizeof(cipher->iv));
	memzero_explicit(&keys, sizeof(keys));
	if (err)
		goto free_aead;

	cipher->request = aead_request_alloc(cipher->aead, GFP_KERNEL_ACCOUNT);
	if (!cipher->request) {
		err = -ENOMEM;
		goto free_aead;
	}
	aead_request_set_callback(cipher->request, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	aead_request_set_ad(cipher->request, SIGNET_HEADER_LEN);
	return cipher;

free_aead:
	crypto_free_aead(cipher->aead);
free_cipher:
	kfree_sensitive(cipher);
	return ERR_PTR(err);
}

void signet_cipher_wipe(struct signet_cipher *cipher)
{
	if (!signet_cipher_usable(cipher))
		return;
	aead_request_free(cipher->request);
	cipher->request = NULL;
	crypto_free_aead(cipher->aead);
	cipher->aead = NULL;
	memzero_explicit(cipher->iv, sizeof(cipher->iv));
	memzero_explicit(cipher->nonce, sizeof(cipher->nonce));
}

void signet_cipher_free(struct signet_cipher *cipher)
{
	signet_cipher_wipe(cipher);
	kfree_sensitive(cipher);
}

/* Records that are kept for the alerts at the end. */
#define RECORD_RESERVE 2

bool signet_cipher_exhausted(const struct signet_cipher *cipher)
{
	/* The sequence number must not wrap either (RFC 8446 5.3). */
	return cipher->records >= cipher->suite->record_limit - RECORD_RESERVE ||
	       cipher->sequence >= U64_MAX - RECORD_RESERVE;
}

/* The nonce: the sequence number, padded on the left, xor the IV (RFC 8446 5.3). */
static void set_nonce(struct signet_cipher *cipher)
{
	u8 *low = cipher->nonce + SIGNET_IV_LEN - sizeof(u64);

	memcpy(cipher->nonce, cipher->iv, SIGNET_IV_LEN);
	put_unaligned_be64(get_unaligned_be64(low) ^ cipher->sequence, low);
}

int signet_cipher_seal(struct signet_cipher *cipher, struct scatterlist *sg, unsigned int len)
{
	/* Softirq may find the FPU in use, and then the cipher must not run. */
	might_sleep();
	set_nonce(cipher);
	cipher->sequence++;
	cipher->records++;
	aead_request_set_crypt(cipher->request, sg, sg, len, cipher->nonce);
	return crypto_aead_encrypt(cipher->request);
}

int signet_cipher_open(struct signet_cipher *cipher, struct scatterlist *src,
		       struct scatterlist *dst, unsigned int body)
{
	int err;

	might_sleep();
	if (cipher->used_up)
		return -EKEYEXPIRED;
	set_nonce(cipher);
	aead_request_set_crypt(cipher->request, src, dst, body, cipher->nonce);
	err = crypto_aead_decrypt(cipher->request);
	if (err)
		return err;
	cipher->records++;
	/* Sequence numbers must not wrap (RFC 8446 5.3). */
	if (cipher->sequence == U64_MAX)
		cipher->used_up = true;
	else
		cipher->sequence++;
	return 0;
}
