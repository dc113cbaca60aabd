/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLS 1.3 records on OpenSSL's libcrypto, independent of the module: what a
 * peer would send and read, and what no honest peer would.
 */
#ifndef TESTS_KMOD_RECORD_H
#define TESTS_KMOD_RECORD_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/signet.h>

enum {
	RECORD_HEADER = 5,
	RECORD_TAG = 16,
	RECORD_CONTENT = 1 << 14, /* content at most */
	RECORD_BODY = RECORD_CONTENT + 256, /* body at most */
	RECORD_OVERHEAD = RECORD_HEADER + 1 + RECORD_TAG,
	/* Room for every record that can be written, sensible or not. */
	RECORD_BUFFER = RECORD_HEADER + 65535,
};

enum {
	TYPE_CHANGE_CIPHER = 20,
	TYPE_ALERT = 21,
	TYPE_HANDSHAKE = 22,
	TYPE_DATA = 23,
};

enum {
	ALERT_WARNING = 1,
	ALERT_FATAL = 2,
};

enum {
	ALERT_CLOSE_NOTIFY = 0,
	ALERT_UNEXPECTED_MESSAGE = 10,
	ALERT_BAD_RECORD_MAC = 20,
	ALERT_RECORD_OVERFLOW = 22,
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_DECODE_ERROR = 50,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_INTERNAL_ERROR = 80,
	ALERT_USER_CANCELED = 90,
};

enum {
	MESSAGE_NEW_SESSION_TICKET = 4,
	MESSAGE_CERTIFICATE_REQUEST = 13,
	MESSAGE_KEY_UPDATE = 24,
};

/* One direction. */
struct record_keys {
	EVP_CIPHER_CTX *cipher;
	uint8_t iv[12];
	uint64_t sequence;
};

/* A record's header; the body's length is put in by whoever writes it. */
struct record_header {
	uint8_t type;
	uint16_t version;
};

extern const struct record_header record_header_usual;

/* Derives key and IV from what the module is given. Return: 0 or -1. */
int record_keys_init(struct record_keys *keys, const struct signet_crypto *crypto);
void record_keys_free(struct record_keys *keys);

/*
 * Seals @inner (content, type and padding as they shall be) under @header, which
 * is authenticated. Return: the record's length, -1 on failure.
 */
int record_seal_inner(struct record_keys *keys, const struct record_header *header,
		      const void *inner, size_t len, uint8_t *record);

/* Seals @content of @type with @padding zeros. Return: the record's length, or -1. */
int record_seal(struct record_keys *keys, uint8_t type, const void *content, size_t len,
		size_t padding, uint8_t *record);

/*
 * Opens @record. Return: the length of its content, put into @content, and *type; or -1 when
 * its header or its tag is not right.
 */
int record_open(struct record_keys *keys, const uint8_t *record, size_t len, uint8_t *type,
		uint8_t *content);

#endif /* TESTS_KMOD_RECORD_H */
