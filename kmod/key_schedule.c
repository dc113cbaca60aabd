// SPDX-License-Identifier: GPL-2.0-only
#include "key_schedule.h"

#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "record.h"
#include "suite.h"

static const char label_prefix[] = "tls13 ";

/* HkdfLabel: length, label and context with a byte of length each (RFC 8446 7.1). */
#define HKDF_LABEL_MAX (2 + 1 + 255 + 1 + HASH_MAX_DIGESTSIZE)

/**
 * struct hkdf_label - the info that HKDF-Expand-Label gives to HKDF-Expand
 * @len:	bytes of it
 * @data:	it
 */
struct hkdf_label {
	unsigned int len;
	u8 data[HKDF_LABEL_MAX];
};

static void make_label(struct hkdf_label *info, unsigned int length, const u8 *label,
		       unsigned int label_len, const u8 *context, unsigned int context_len)
{
	u8 *to = info->data;

	*to++ = length >> 8;
	*to++ = length & 0xff;
	*to++ = strlen(label_prefix) + label_len;
	to = memcpy(to, label_prefix, strlen(label_prefix)) + strlen(label_prefix);
	to = memcpy(to, label, label_len) + label_len;
	*to++ = context_len;
	to = memcpy(to, context, context_len) + context_len;
	info->len = to - info->data;
}

/* T(i) = HMAC(PRK, T(i-1) | info | i), of which the output consists (RFC 5869 2.3). */
static int expand(struct crypto_shash *hmac, const struct hkdf_label *info, u8 *out,
		  unsigned int len)
{
	unsigned int digest_len = crypto_shash_digestsize(hmac), done = 0, n;
	SHASH_DESC_ON_STACK(desc, hmac);
	u8 digest[HASH_MAX_DIGESTSIZE];
	u8 counter = 0;
	int err = 0;

	desc->tfm = hmac;
	while (!err && done < len) {
		counter++;
		err = crypto_shash_init(desc);
		if (!err && counter > 1)
			err = crypto_shash_update(desc, digest, digest_len);
		if (!err)
			err = crypto_shash_update(desc, info->data, info->len);
		if (!err)
			err = crypto_shash_finup(desc, &counter, 1, digest);
		n = min(len - done, digest_len);
		if (!err)
			memcpy(out + done, digest, n);
		done += n;
	}
	memzero_explicit(digest, sizeof(digest));
	shash_desc_zero(desc);
	return err;
}

/* HKDF-Expand-Label(Secret, Label, "", Length), @hmac being keyed with the secret. */
static int expand_label(struct crypto_shash *hmac, const char *label, u8 *out, unsigned int len)
{
	struct hkdf_label info;

	make_label(&info, len, (const u8 *)label, strlen(label), "", 0);
	return expand(hmac, &info, out, len);
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

/* --- the exporter ------------------------------------------------------------- */

/* The hash of @data by the suite's hash, which its HMAC names. */
static int hash(const struct signet_suite *suite, const u8 *data, unsigned int len, u8 *digest)
{
	char name[CRYPTO_MAX_ALG_NAME];
	struct crypto_shash *tfm;
	int err;

	/* hmac(NAME) */
	strscpy(name, suite->hmac + strlen("hmac("), sizeof(name));
	name[strcspn(name, ")")] = '\0';
	tfm = crypto_alloc_shash(name, 0, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	err = crypto_shash_tfm_digest(tfm, data, len, digest);
	crypto_free_shash(tfm);
	return err;
}

/* HKDF-Expand-Label with a context that is a hash. */
static int expand_hashed(const struct signet_suite *suite, const u8 *secret,
			 const struct hkdf_label *info, u8 *out, unsigned int len)
{
	struct crypto_shash *hmac = keyed_hmac(suite, secret);
	int err;

	if (IS_ERR(hmac))
		return PTR_ERR(hmac);
	err = expand(hmac, info, out, len);
	crypto_free_shash(hmac);
	return err;
}

int signet_derive_exported(const struct signet_suite *suite, const struct signet_exporter *exporter,
			   u8 *out, unsigned int len)
{
	static const u8 label[] = "exporter";
	u8 derived[HASH_MAX_DIGESTSIZE], digest[HASH_MAX_DIGESTSIZE];
	struct hkdf_label info;
	int err;

	if (!exporter->label_len || exporter->label_len > SIGNET_LABEL_MAX)
		return -EINVAL;
	/* Derive-Secret(Secret, label, "") */
	err = hash(suite, (const u8 *)"", 0, digest);
	if (err)
		return err;
	make_label(&info, suite->hash_len, exporter->label, exporter->label_len, digest,
		   suite->hash_len);
	err = expand_hashed(suite, exporter->secret, &info, derived, suite->hash_len);
	if (err)
		return err;
	/* HKDF-Expand-Label(that, "exporter", Hash(context_value), key_length) */
	err = hash(suite, exporter->context, exporter->context_len, digest);
	if (!err) {
		make_label(&info, len, label, sizeof(label) - 1, digest, suite->hash_len);
		err = expand_hashed(suite, derived, &info, out, len);
	}
	memzero_explicit(derived, sizeof(derived));
	return err;
}
