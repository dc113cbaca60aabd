/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Key derivation from a traffic secret (RFC 8446 7.1 to 7.3).
 */
#ifndef _SIGNET_KEY_SCHEDULE_H
#define _SIGNET_KEY_SCHEDULE_H

#include <linux/types.h>

struct signet_suite;

/**
 * struct signet_record_keys - what one traffic secret yields
 * @key:	the cipher's key
 * @iv:		the static IV that the sequence number is mixed into
 */
struct signet_record_keys {
	u8 key[32];
	u8 iv[12];
};

/**
 * signet_derive_record_keys - [sender]_write_key and [sender]_write_iv
 * @suite:	cipher suite
 * @secret:	traffic secret, @suite->hash_len bytes
 * @keys:	filled in; the caller wipes it
 *
 * RFC 8446 7.3. Context: may sleep and load modules.
 * Return: 0, -ENOENT without the hash, -ENOMEM.
 */
int signet_derive_record_keys(const struct signet_suite *suite, const u8 *secret,
			      struct signet_record_keys *keys);

/**
 * signet_derive_next_secret - application_traffic_secret_N+1 from the Nth
 * @suite:	cipher suite
 * @secret:	traffic secret, @suite->hash_len bytes
 * @next:	filled in, as many bytes; the caller wipes it
 *
 * RFC 8446 7.2. Context: may sleep and load modules.
 * Return: 0, -ENOENT without the hash, -ENOMEM.
 */
int signet_derive_next_secret(const struct signet_suite *suite, const u8 *secret, u8 *next);

/* Labels are at most so long: "tls13 " comes before them (RFC 8446 7.1). */
#define SIGNET_LABEL_MAX 249

/**
 * struct signet_exporter - what keying material is asked for
 * @secret:	exporter_secret, the suite's hash_len bytes
 * @label:	label
 * @label_len:	bytes of it, 1 to SIGNET_LABEL_MAX
 * @context:	context_value, or NULL
 * @context_len: bytes of it
 */
struct signet_exporter {
	const u8 *secret;
	const u8 *label;
	unsigned int label_len;
	const u8 *context;
	unsigned int context_len;
};

/**
 * signet_derive_exported - TLS-Exporter(label, context_value, key_length)
 * @suite:	cipher suite of TLS 1.3
 * @exporter:	what is asked for
 * @out:	filled in; the caller wipes it
 * @len:	key_length, at most 255 times the suite's hash_len
 *
 * RFC 8446 7.5. Context: may sleep and load modules.
 * Return: 0, -ENOENT without the hash, -ENOMEM.
 */
int signet_derive_exported(const struct signet_suite *suite, const struct signet_exporter *exporter,
			   u8 *out, unsigned int len);

#endif /* _SIGNET_KEY_SCHEDULE_H */
