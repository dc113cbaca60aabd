// SPDX-License-Identifier: GPL-2.0-only
#include "key_schedule.h"

#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/string.h>

#include "record.h"
#include "suite.h"

/* HkdfLabel with an empty context, and HKDF-Expand's counter behind it. */
#define EXPAND_INFO_MAX 32

/*
 * HKDF-Expand-Label(Secret, Label, "", Length) for a length of at most one
 * hash: then HKDF-Expand is one HMAC over the label and a counter of 1
 * (RFC 8446 7.1, RFC 5869 2.3). @hmac is keyed with the secret.
 */
static int expand_label(struct crypto_shash *hmac, const char *label, u8 *out, unsigned int len)
{
	static const char prefix[] = "tls13 ";
	unsigned int label_len = strlen(prefix) + strlen(label);
	unsigned int digest_len = crypto_shash_digestsize(hmac);
	u8 info[EXPAND_INFO_MAX], digest[HASH_MAX_DIGESTSIZE];
	unsigned int n = 0;
	int err;

	if (WARN_ON_ONCE(len > digest_len || label_len + 5 > sizeof(info)))
		return -EINVAL;

	info[n++] = len >> 8;
	info[n++] = len & 0xff;
	info[n++] = label_len;
	memcpy(info + n, prefix, strlen(prefix));
	memcpy(info + n + strlen(prefix), label, strlen(label));
	n += label_len;
	info[n++] = 0; /* no context */
	info[n++] = 1; /* HKDF-Expand's first block */

	err = crypto_shash_tfm_digest(hmac, info, n, digest);
	if (!err)
		memcpy(out, digest, len);
	memzero_explicit(digest, sizeof(digest));
	return err;
}

/* HMAC keyed with a traffic secret, or an ERR_PTR. */
static struct crypto_shash *keyed_hmac(const struct signet_suite *suite, const u8 *secret)
{
	struct crypto_shash *hmac = crypto_alloc_shash(suite->hmac, 0, 0);
	int err;

	if (IS_ERR(hmac))
		return hmac;
	err = crypto_shash_setkey(hmac, secret, suite->hash_len);
	if (err) {
		crypto_free_shash(hmac);
		return ERR_PTR(err);
	}
	return hmac;
}

int signet_derive_record_keys(const struct signet_suite *suite, const u8 *secret,
			      struct signet_record_keys *keys)
{
	struct crypto_shash *hmac = keyed_hmac(suite, secret);
	int err;

	if (IS_ERR(hmac))
		return PTR_ERR(hmac);
	err = expand_label(hmac, "key", keys->key, suite->key_len);
	if (!err)
		err = expand_label(hmac, "iv", keys->iv, sizeof(keys->iv));
	/* Frees the keyed state with kfree_sensitive(). */
	crypto_free_shash(hmac);
	return err;
}

int signet_derive_next_secret(const struct signet_suite *suite, const u8 *secret, u8 *next)
{
	struct crypto_shash *hmac = keyed_hmac(suite, secret);
	int err;

	if (IS_ERR(hmac))
		return PTR_ERR(hmac);
	err = expand_label(hmac, "traffic upd", next, suite->hash_len);
	crypto_free_shash(hmac);
	return err;
}
