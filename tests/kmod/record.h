/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of TLS 1.3 and 1.2 on OpenSSL's libcrypto, independent of the module:
 * what a peer would send and read, and what no honest peer would.
 */
#ifndef TESTS_KMOD_RECORD_H
#define TESTS_KMOD_RECORD_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/signet.h>

enum {
	RECORD_HEADER = 5,
	RECORD_TAG = 16,
	RECORD_CONTENT = 1 << 14, /* content at most */
	RECORD_BODY = RECORD_CONTENT + 256, /* body at most */
	RECORD_OVERHEAD = RECORD_HEADER + 1 + RECORD_TAG, /* TLS 1.3 */
	RECORD_EXPLICIT_NONCE = 8,
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
	ALERT_ILLEGAL_PARAMETER = 47,
	ALERT_DECODE_ERROR = 50,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_INTERNAL_ERROR = 80,
	ALERT_USER_CANCELED = 90,
	ALERT_NO_RENEGOTIATION = 100,
};

enum {
	MESSAGE_HELLO_REQUEST = 0,
	MESSAGE_NEW_SESSION_TICKET = 4,
	MESSAGE_CERTIFICATE_REQUEST = 13,
	MESSAGE_KEY_UPDATE = 24,
};

/**
 * struct record_suite - a cipher suite, as this side knows it
 * @number:	IANA number
 * @version:	TLS version
 * @name:	for messages
 * @key_len:	key
 * @hash_len:	traffic secret, 0 in TLS 1.2
 * @explicit_len: explicit part of the nonce
 * @is_ccm:	OpenSSL wants to be told lengths beforehand
 * @hash:	of HKDF
 * @cipher:	AEAD
 */
struct record_suite {
	uint16_t number;
	uint16_t version;
	const char *name;
	size_t key_len;
	size_t hash_len;
	size_t explicit_len;
	bool is_ccm;
	const EVP_MD *(*hash)(void);
	const EVP_CIPHER *(*cipher)(void);
};

/* All that the module has; ended by number 0. */
extern const struct record_suite record_suites[];

const struct record_suite *record_suite_find(uint16_t number);
/* What the module is given: the traffic secret, or key and salt. */
size_t record_suite_secret_len(const struct record_suite *suite);
/* What a record adds to its content. */
size_t record_suite_overhead(const struct record_suite *suite);

/**
 * struct record_keys - one direction
 * @suite:	cipher suite
 * @cipher:	keyed
 * @secret:	TLS 1.3: traffic secret
 * @key:	write key
 * @iv:		static IV, or the salt at its start
 * @sequence:	next record's
 * @explicit_nonce: TLS 1.2: of the record that is sealed next, or was opened last
 * @epoch:	keys before these
 */
struct record_keys {
	const struct record_suite *suite;
	EVP_CIPHER_CTX *cipher;
	uint8_t secret[SIGNET_SECRET_MAX];
	uint8_t key[32];
	uint8_t iv[12];
	uint64_t sequence;
	uint64_t explicit_nonce;
	uint32_t epoch;
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

/* The keys behind a KeyUpdate (RFC 8446 7.2). Return: 0 or -1. */
int record_keys_update(struct record_keys *keys);

/*
 * Seals @inner (in TLS 1.3 content, type and padding as they shall be) under
 * @header, which is authenticated. Return: the record's length, -1 on failure.
 */
int record_seal_inner(struct record_keys *keys, const struct record_header *header,
		      const void *inner, size_t len, uint8_t *record);

/* Seals @content of @type with @padding zeros (TLS 1.3). Return: the record's length, or -1. */
int record_seal(struct record_keys *keys, uint8_t type, const void *content, size_t len,
		size_t padding, uint8_t *record);

/*
 * Opens @record. Return: the length of its content, put into @content, and *type; or -1 when
 * its header or its tag is not right.
 */
int record_open(struct record_keys *keys, const uint8_t *record, size_t len, uint8_t *type,
		uint8_t *content);

#endif /* TESTS_KMOD_RECORD_H */
