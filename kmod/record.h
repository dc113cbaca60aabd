/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TLS record layer's numbers (RFC 8446 5 and 6, B.1, B.2, B.3).
 */
#ifndef _SIGNET_RECORD_H
#define _SIGNET_RECORD_H

#include <linux/types.h>

enum signet_content_type {
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
	SIGNET_ALERT_DECODE_ERROR = 50,
	SIGNET_ALERT_PROTOCOL_VERSION = 70,
	SIGNET_ALERT_INTERNAL_ERROR = 80,
	SIGNET_ALERT_USER_CANCELED = 90,
	/* Not on the wire: fail without telling the peer. */
	SIGNET_ALERT_NONE = 256,
};

enum signet_handshake_type {
	SIGNET_HANDSHAKE_NEW_SESSION_TICKET = 4,
	SIGNET_HANDSHAKE_KEY_UPDATE = 24,
};

enum {
	SIGNET_HEADER_LEN = 5,
	SIGNET_TAG_LEN = 16,
	SIGNET_IV_LEN = 12,
	/* Content of a record (RFC 8446 5.1). */
	SIGNET_CONTENT_MAX = 1 << 14,
	/* Header's length field, TLS 1.3 (RFC 8446 5.2). */
	SIGNET_BODY_MAX = SIGNET_CONTENT_MAX + 256,
	SIGNET_RECORD_MAX = SIGNET_HEADER_LEN + SIGNET_BODY_MAX,
	/* Behind the content: its type, then the tag (RFC 8446 5.2). */
	SIGNET_TRAILER_LEN = 1 + SIGNET_TAG_LEN,
	SIGNET_OVERHEAD = SIGNET_HEADER_LEN + SIGNET_TRAILER_LEN,
	SIGNET_ALERT_LEN = 2,
	SIGNET_HANDSHAKE_HEADER_LEN = 4,
	/* legacy_record_version (RFC 8446 5.2). */
	SIGNET_RECORD_VERSION = 0x0303,
};

/* Writes the header of a protected record whose body is @body bytes long. */
static inline void signet_header_write(u8 *header, unsigned int body)
{
	header[0] = SIGNET_CONTENT_APPLICATION_DATA;
	header[1] = SIGNET_RECORD_VERSION >> 8;
	header[2] = SIGNET_RECORD_VERSION & 0xff;
	header[3] = body >> 8;
	header[4] = body & 0xff;
}

#endif /* _SIGNET_RECORD_H */
