/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cipher suites: one table row each.
 */
#ifndef _SIGNET_SUITE_H
#define _SIGNET_SUITE_H

#include <linux/types.h>

struct crypto_aead;

/**
 * struct signet_suite - what the module must know of a cipher suite
 * @version:	TLS version it belongs to
 * @number:	IANA number
 * @name:	IANA name
 * @aead:	the kernel's name of its cipher
 * @hmac:	the kernel's name of HMAC with its hash
 * @key_len:	key, in bytes
 * @hash_len:	hash, and so traffic secret, in bytes
 * @record_limit: records under one key, at most (RFC 8446 5.5)
 */
struct signet_suite {
	u16 version;
	u16 number;
	const char *name;
	const char *aead;
	const char *hmac;
	u8 key_len;
	u8 hash_len;
	u64 record_limit;
};

/* The table's row for a suite, or NULL. */
const struct signet_suite *signet_suite_find(u16 version, u16 number);

/**
 * signet_suite_alloc_aead - the suite's cipher, always a synchronous one
 * @suite: table row
 *
 * Context: may sleep and load modules.
 * Return: a cipher with the tag's size
 * set, or an ERR_PTR: -ENOENT when the kernel has none.
 */
struct crypto_aead *signet_suite_alloc_aead(const struct signet_suite *suite);

/* Logs the driver that each suite gets. */
void signet_suite_log_drivers(void);

#endif /* _SIGNET_SUITE_H */
