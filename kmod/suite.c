// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "suite.h"

#include <crypto/aead.h>
#include <linux/array_size.h>
#include <linux/err.h>

#include "compat.h"
#include "record.h"
#include "uapi/linux/signet.h"

/* 2^24.5 full-size records keep the safety margin of AES-GCM (RFC 8446 5.5). */
#define AES_GCM_RECORD_LIMIT 23726566

static const struct signet_suite suites[] = {
	{
		.version = SIGNET_TLS_1_3,
		.number = SIGNET_AES_128_GCM_SHA256,
		.name = "TLS_AES_128_GCM_SHA256",
		.aead = "gcm(aes)",
		.hmac = "hmac(sha256)",
		.key_len = 16,
		.hash_len = 32,
		.record_limit = AES_GCM_RECORD_LIMIT,
	},
	{
		.version = SIGNET_TLS_1_3,
		.number = SIGNET_AES_256_GCM_SHA384,
		.name = "TLS_AES_256_GCM_SHA384",
		.aead = "gcm(aes)",
		.hmac = "hmac(sha384)",
		.key_len = 32,
		.hash_len = 48,
		.record_limit = AES_GCM_RECORD_LIMIT,
	},
};

const struct signet_suite *signet_suite_find(u16 version, u16 number)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		if (suites[i].version == version && suites[i].number == number)
			return &suites[i];
	}
	return NULL;
}

struct crypto_aead *signet_suite_alloc_aead(const struct signet_suite *suite)
{
	struct crypto_aead *aead = signet_compat_alloc_sync_aead(suite->aead);
	int err;

	if (IS_ERR(aead))
		return aead;
	err = crypto_aead_setauthsize(aead, SIGNET_TAG_LEN);
	if (!err && crypto_aead_ivsize(aead) != SIGNET_IV_LEN)
		err = -ENOENT;
	if (err) {
		crypto_free_aead(aead);
		return ERR_PTR(err);
	}
	return aead;
}

void signet_suite_log_drivers(void)
{
	struct crypto_aead *aead;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		aead = signet_suite_alloc_aead(&suites[i]);
		if (IS_ERR(aead)) {
			pr_warn("%s: no cipher (%ld)\n", suites[i].name, PTR_ERR(aead));
			continue;
		}
		pr_info("%s: %s\n", suites[i].name,
			crypto_tfm_alg_driver_name(crypto_aead_tfm(aead)));
		crypto_free_aead(aead);
	}
}
