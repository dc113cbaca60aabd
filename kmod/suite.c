// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "suite.h"

#include <crypto/aead.h>
#include <linux/array_size.h>
#include <linux/err.h>
#include <linux/tls.h>

#include "compat.h"
#include "scratch.h"

/*
 * Records under one key: 2^24.5 for AES-GCM and 2^23 for AES-CCM keep the safety
 * margin (RFC 8446 5.5, RFC 9147 4.5.3); for ChaCha20-Poly1305 the sequence
 * number would wrap first.
 */
#define AES_GCM_RECORD_LIMIT 23726566
#define AES_CCM_RECORD_LIMIT 8388608
#define CHACHA20_RECORD_LIMIT U64_MAX

#define AES_128_GCM                                                              \
	.aead = "gcm(aes)", .key_len = 16, .tls_cipher = TLS_CIPHER_AES_GCM_128, \
	.tls_salt_len = 4, .record_limit = AES_GCM_RECORD_LIMIT
#define AES_256_GCM                                                              \
	.aead = "gcm(aes)", .key_len = 32, .tls_cipher = TLS_CIPHER_AES_GCM_256, \
	.tls_salt_len = 4, .record_limit = AES_GCM_RECORD_LIMIT
#define AES_128_CCM                                                              \
	.aead = "ccm(aes)", .key_len = 16, .tls_cipher = TLS_CIPHER_AES_CCM_128, \
	.tls_salt_len = 4, .ccm_flags = 2, .record_limit = AES_CCM_RECORD_LIMIT
#define AES_256_CCM \
	.aead = "ccm(aes)", .key_len = 32, .ccm_flags = 2, .record_limit = AES_CCM_RECORD_LIMIT
#define CHACHA20_POLY1305                                    \
	.aead = "rfc7539(chacha20,poly1305)", .key_len = 32, \
	.tls_cipher = TLS_CIPHER_CHACHA20_POLY1305, .record_limit = CHACHA20_RECORD_LIMIT

#define SHA256 .hmac = "hmac(sha256)", .hash_len = 32
#define SHA384 .hmac = "hmac(sha384)", .hash_len = 48

#define TLS_1_3(suite) .version = SIGNET_TLS_1_3, .number = SIGNET_##suite, .name = "TLS_" #suite
#define TLS_1_2(suite) .version = SIGNET_TLS_1_2, .number = SIGNET_##suite, .name = "TLS_" #suite
#define EXPLICIT_NONCE .explicit_nonce_len = SIGNET_EXPLICIT_NONCE_LEN

static const struct signet_suite suites[] = {
	/* RFC 8446 B.4 */
	{ TLS_1_3(AES_128_GCM_SHA256), AES_128_GCM, SHA256 },
	{ TLS_1_3(AES_256_GCM_SHA384), AES_256_GCM, SHA384 },
	{ TLS_1_3(CHACHA20_POLY1305_SHA256), CHACHA20_POLY1305, SHA256 },
	{ TLS_1_3(AES_128_CCM_SHA256), AES_128_CCM, SHA256 },
	/* RFC 5289 */
	{ TLS_1_2(ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), AES_128_GCM, EXPLICIT_NONCE },
	{ TLS_1_2(ECDHE_ECDSA_WITH_AES_256_GCM_SHA384), AES_256_GCM, EXPLICIT_NONCE },
	{ TLS_1_2(ECDHE_RSA_WITH_AES_128_GCM_SHA256), AES_128_GCM, EXPLICIT_NONCE },
	{ TLS_1_2(ECDHE_RSA_WITH_AES_256_GCM_SHA384), AES_256_GCM, EXPLICIT_NONCE },
	/* RFC 7251 */
	{ TLS_1_2(ECDHE_ECDSA_WITH_AES_128_CCM), AES_128_CCM, EXPLICIT_NONCE },
	{ TLS_1_2(ECDHE_ECDSA_WITH_AES_256_CCM), AES_256_CCM, EXPLICIT_NONCE },
	/* RFC 7905 */
	{ TLS_1_2(ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256), CHACHA20_POLY1305 },
	{ TLS_1_2(ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256), CHACHA20_POLY1305 },
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

const struct signet_suite *signet_suite_find_tls(u16 version, u16 tls_cipher)
{
	size_t i;

	for (i = 0; tls_cipher && i < ARRAY_SIZE(suites); i++) {
		if (suites[i].version == version && suites[i].tls_cipher == tls_cipher)
			return &suites[i];
	}
	return NULL;
}

struct crypto_aead *signet_suite_alloc_aead(const struct signet_suite *suite)
{
	unsigned int iv_len = suite->ccm_flags ? SIGNET_CCM_BLOCK_LEN : SIGNET_NONCE_LEN;
	struct crypto_aead *aead = signet_compat_alloc_sync_aead(suite->aead);
	int err;

	if (IS_ERR(aead))
		return aead;
	err = crypto_aead_setauthsize(aead, SIGNET_TAG_LEN);
	if (!err && (crypto_aead_ivsize(aead) != iv_len ||
		     crypto_aead_reqsize(aead) > SIGNET_REQUEST_SIZE_MAX))
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
