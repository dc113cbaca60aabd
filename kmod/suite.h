/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cipher suites: one table row each.
 */
#ifndef _SIGNET_SUITE_H
#define _SIGNET_SUITE_H

#include <linux/types.h>

#include "record.h"
#include "uapi/linux/signet.h"

struct crypto_aead;

/**
 * struct signet_suite - what the module must know of a cipher suite
 * @version:	TLS version it belongs to
 * @number:	IANA number
 * @tls_cipher:	number of its cipher in upstream's options (TLS_CIPHER_*), 0 for
 *		none
 * @name:	IANA name
 * @aead:	the kernel's name of its cipher
 * @hmac:	the kernel's name of HMAC with its hash; NULL in TLS 1.2, whose keys
 *		userspace derives
 * @key_len:	key, in bytes
 * @hash_len:	hash, and so traffic secret, in bytes; 0 in TLS 1.2
 * @explicit_nonce_len: bytes of the nonce that go with each record (RFC 5288 3)
 * @tls_salt_len: what upstream's structure calls salt, in bytes; the rest of the
 *		nonce is its IV
 * @ccm_flags:	first octet of the cipher's initial block, 0 for ciphers that
 *		take the nonce alone (RFC 3610 2.3: L - 1, which is 2)
 * @record_limit: records under one key, at most
 */
struct signet_suite {
	u16 version;
	u16 number;
	u16 tls_cipher;
	const char *name;
	const char *aead;
	const char *hmac;
	u8 key_len;
	u8 hash_len;
	u8 explicit_nonce_len;
	u8 tls_salt_len;
	u8 ccm_flags;
	u64 record_limit;
};

/* The table's row for a suite, or NULL. */
const struct signet_suite *signet_suite_find(u16 version, u16 number);

/* The first row that upstream's options mean by a cipher, or NULL. */
const struct signet_suite *signet_suite_find_tls(u16 version, u16 tls_cipher);

/* The part of the nonce that belongs to the key, in bytes. */
static inline unsigned int signet_suite_salt_len(const struct signet_suite *suite)
{
	return SIGNET_NONCE_LEN - suite->explicit_nonce_len;
}

/* What userspace installs: the traffic secret, or key and salt. */
static inline unsigned int signet_suite_secret_len(const struct signet_suite *suite)
{
	return suite->hash_len ?: suite->key_len + signet_suite_salt_len(suite);
}

static inline bool signet_suite_is_tls_1_3(const struct signet_suite *suite)
{
	return suite->version == SIGNET_TLS_1_3;
}

/* Bytes before a record's encrypted part. */
static inline unsigned int signet_suite_prefix_len(const struct signet_suite *suite)
{
	return SIGNET_HEADER_LEN + suite->explicit_nonce_len;
}

/*
 * Where in a record begins what a cipher is given: in TLS 1.3 the header is the
 * additional data (RFC 8446 5.2), in TLS 1.2 those are made up (RFC 5246 6.2.3.3).
 */
static inline unsigned int signet_suite_sealed_from(const struct signet_suite *suite)
{
	return signet_suite_is_tls_1_3(suite) ? 0 : signet_suite_prefix_len(suite);
}

/* Bytes behind a record's content: its type (RFC 8446 5.2) and the tag. */
static inline unsigned int signet_suite_trailer_len(const struct signet_suite *suite)
{
	return signet_suite_is_tls_1_3(suite) + SIGNET_TAG_LEN;
}

static inline unsigned int signet_suite_overhead(const struct signet_suite *suite)
{
	return signet_suite_prefix_len(suite) + signet_suite_trailer_len(suite);
}

/* The encrypted part, tag included, at most (RFC 8446 5.2, RFC 5246 6.2.1). */
static inline unsigned int signet_suite_body_max(const struct signet_suite *suite)
{
	if (signet_suite_is_tls_1_3(suite))
		return SIGNET_BODY_MAX;
	return SIGNET_CONTENT_MAX + SIGNET_TAG_LEN;
}

/**
 * signet_suite_alloc_aead - the suite's cipher, always a synchronous one
 * @suite: table row
 *
 * Context: may sleep and load modules.
 * Return: a cipher with the tag's size set, or an ERR_PTR: -ENOENT when the
 * kernel has none.
 */
struct crypto_aead *signet_suite_alloc_aead(const struct signet_suite *suite);

/* Logs the driver that each cipher gets. */
void signet_suite_log_drivers(void);

#endif /* _SIGNET_SUITE_H */
