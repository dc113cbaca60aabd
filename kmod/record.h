/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TLS record layer's numbers (RFC 8446 5 and 6, B.1, B.2, B.3; RFC 5246 6 and 7).
 */
#ifndef _SIGNET_RECORD_H
#define _SIGNET_RECORD_H

#include <linux/types.h>

enum signet_content_type {
	SIGNET_CONTENT_CHANGE_CIPHER_SPEC = 20,
	SIGNET_CONTENT_ALERT = 21,
	SIGNET_CONTENT_HANDSHAKE = 22,
	SIGNET_CONTENT_APPLICATION_DATA = 23,
};

enum signet_alert_level {
	SIGNET_ALERT_WARNING = 1,
	SIGNET_ALERT_FATAL = 2,
};

enum signet_alert {
	SIGNET_ALERT_CLOSE_NOTIFY = 0,
	SIGNET_ALERT_UNEXPECTED_MESSAGE = 10,
	SIGNET_ALERT_BAD_RECORD_MAC = 20,
	SIGNET_ALERT_RECORD_OVERFLOW = 22,
	SIGNET_ALERT_ILLEGAL_PARAMETER = 47,
	SIGNET_ALERT_DECODE_ERROR = 50,
	SIGNET_ALERT_PROTOCOL_VERSION = 70,
	SIGNET_ALERT_INTERNAL_ERROR = 80,
	SIGNET_ALERT_USER_CANCELED = 90,
	SIGNET_ALERT_NO_RENEGOTIATION = 100,
	/* Not on the wire: fail without telling the peer. */
	SIGNET_ALERT_NONE = 256,
};

enum signet_handshake_type {
	SIGNET_HANDSHAKE_HELLO_REQUEST = 0,
	SIGNET_HANDSHAKE_NEW_SESSION_TICKET = 4,
	SIGNET_HANDSHAKE_KEY_UPDATE = 24,
};

/* KeyUpdate's one member (RFC 8446 4.6.3). */
enum signet_key_update_request {
	SIGNET_UPDATE_NOT_REQUESTED = 0,
	SIGNET_UPDATE_REQUESTED = 1,
};

enum {
	SIGNET_HEADER_LEN = 5,
	/* The part of a TLS 1.2 record's nonce that goes with it (RFC 5288 3). */
	SIGNET_EXPLICIT_NONCE_LEN = 8,
	/* What may come before the encrypted part: header and explicit nonce. */
	SIGNET_PREFIX_MAX = SIGNET_HEADER_LEN + SIGNET_EXPLICIT_NONCE_LEN,
	SIGNET_TAG_LEN = 16,
	SIGNET_NONCE_LEN = 12,
	/* The longest hash of a suite, and so the longest traffic secret. */
	SIGNET_HASH_MAX = 48,
	/* CCM's initial block: flags, nonce, counter (RFC 3610 2.3). */
	SIGNET_CCM_BLOCK_LEN = 16,
	/* Content of a record (RFC 8446 5.1). */
	SIGNET_CONTENT_MAX = 1 << 14,
	/* The encrypted part, TLS 1.3 (RFC 8446 5.2); TLS 1.2 needs less. */
	SIGNET_BODY_MAX = SIGNET_CONTENT_MAX + 256,
	SIGNET_RECORD_LEN_MAX = SIGNET_PREFIX_MAX + SIGNET_BODY_MAX,
	/* Bytes that a record adds to its content, at most. */
	SIGNET_OVERHEAD_MAX = SIGNET_PREFIX_MAX + 1 + SIGNET_TAG_LEN,
	SIGNET_ALERT_LEN = 2,
	SIGNET_HANDSHAKE_HEADER_LEN = 4,
	SIGNET_KEY_UPDATE_LEN = SIGNET_HANDSHAKE_HEADER_LEN + 1,
	/* legacy_record_version (RFC 8446 5.2), and TLS 1.2's own. */
	SIGNET_RECORD_VERSION = 0x0303,
};

/* Writes the header of a record; @len is what follows it. */
static inline void signet_header_write(u8 *header, u8 type, unsigned int len)
{
	header[0] = type;
	header[1] = SIGNET_RECORD_VERSION >> 8;
	header[2] = SIGNET_RECORD_VERSION & 0xff;
	header[3] = len >> 8;
	header[4] = len & 0xff;
}

/* What follows the header. */
static inline unsigned int signet_header_length(const u8 *header)
{
	return header[3] << 8 | header[4];
}

#endif /* _SIGNET_RECORD_H */
