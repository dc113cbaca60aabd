// SPDX-License-Identifier: GPL-2.0-only
#include "record.h"

#include <openssl/hmac.h>
#include <string.h>

const struct record_header record_header_usual = { TYPE_DATA, 0x0303 };

struct suite {
	uint16_t number;
	size_t key_len;
	size_t hash_len;
	const EVP_MD *(*hash)(void);
	const EVP_CIPHER *(*cipher)(void);
};

static const struct suite suites[] = {
	{ SIGNET_AES_128_GCM_SHA256, 16, 32, EVP_sha256, EVP_aes_128_gcm },
	{ SIGNET_AES_256_GCM_SHA384, 32, 48, EVP_sha384, EVP_aes_256_gcm },
};

static const struct suite *find_suite(uint16_t number)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		if (suites[i].number == number)
			return &suites[i];
	}
	return NULL;
}

/*
 * OpenSSL sets itself up on first use, which takes long under emulation: once,
 * before the harness forks for each test.
 */
static void __attribute__((constructor)) warm_up(void)
{
	const struct signet_crypto crypto = {
		.suite = SIGNET_AES_256_GCM_SHA384,
		.secret_len = 48,
	};
	struct record_keys keys;
	uint8_t record[RECORD_BUFFER];

	if (!record_keys_init(&keys, &crypto)) {
		record_seal(&keys, TYPE_DATA, "", 0, 0, record);
		record_keys_free(&keys);
	}
}

/* HKDF-Expand-Label with an empty context (RFC 8446 7.1), for at most one block of output. */
static int expand_label(const struct suite *suite, const struct signet_crypto *crypto,
			const char *label, uint8_t *out, size_t len)
{
	size_t label_len = strlen(label);
	uint8_t info[64], block[EVP_MAX_MD_SIZE];
	size_t n = 0;

	info[n++] = 0;
	info[n++] = len;
	info[n++] = 6 + label_len;
	memcpy(info + n, "tls13 ", 6);
	n += 6;
	memcpy(info + n, label, label_len);
	n += label_len;
	info[n++] = 0;
	info[n++] = 1; /* HKDF-Expand's counter (RFC 5869 2.3) */
	if (!HMAC(suite->hash(), crypto->secret, suite->hash_len, info, n, block, NULL))
		return -1;
	memcpy(out, block, len);
	return 0;
}

int record_keys_init(struct record_keys *keys, const struct signet_crypto *crypto)
{
	const struct suite *suite = find_suite(crypto->suite);
	uint8_t key[32];

	memset(keys, 0, sizeof(*keys));
	if (!suite || expand_label(suite, crypto, "key", key, suite->key_len) ||
	    expand_label(suite, crypto, "iv", keys->iv, sizeof(keys->iv)))
		return -1;
	keys->sequence = crypto->sequence;
	keys->cipher = EVP_CIPHER_CTX_new();
	if (!keys->cipher)
		return -1;
	return EVP_CipherInit_ex(keys->cipher, suite->cipher(), NULL, key, NULL, 1) == 1 ? 0 : -1;
}

void record_keys_free(struct record_keys *keys)
{
	EVP_CIPHER_CTX_free(keys->cipher);
	keys->cipher = NULL;
}

/* Begins one record: the nonce, then the header as additional data. */
static int begin(struct record_keys *keys, int seal, const uint8_t *header)
{
	uint8_t nonce[12];
	int n;

	memcpy(nonce, keys->iv, sizeof(nonce));
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= keys->sequence >> (8 * i);
	if (EVP_CipherInit_ex(keys->cipher, NULL, NULL, NULL, nonce, seal) != 1)
		return -1;
	return EVP_CipherUpdate(keys->cipher, NULL, &n, header, RECORD_HEADER) == 1 ? 0 : -1;
}

int record_seal_inner(struct record_keys *keys, const struct record_header *header,
		      const void *inner, size_t len, uint8_t *record)
{
	size_t body = len + RECORD_TAG;
	int n;

	record[0] = header->type;
	record[1] = header->version >> 8;
	record[2] = header->version;
	record[3] = body >> 8;
	record[4] = body;
	if (begin(keys, 1, record))
		return -1;
	if (len && EVP_CipherUpdate(keys->cipher, record + RECORD_HEADER, &n, inner, len) != 1)
		return -1;
	if (EVP_CipherFinal_ex(keys->cipher, record + RECORD_HEADER + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(keys->cipher, EVP_CTRL_AEAD_GET_TAG, RECORD_TAG,
				record + RECORD_HEADER + len) != 1)
		return -1;
	keys->sequence++;
	return RECORD_HEADER + body;
}

int record_seal(struct record_keys *keys, uint8_t type, const void *content, size_t len,
		size_t padding, uint8_t *record)
{
	uint8_t inner[RECORD_BUFFER];

	if (len)
		memcpy(inner, content, len);
	inner[len] = type;
	memset(inner + len + 1, 0, padding);
	return record_seal_inner(keys, &record_header_usual, inner, len + 1 + padding, record);
}

/* The content type is the last byte that is not padding. Return: the content's length, or -1. */
static int split_inner(const uint8_t *inner, size_t len, uint8_t *type)
{
	while (len && !inner[len - 1])
		len--;
	if (!len)
		return -1;
	*type = inner[len - 1];
	return len - 1;
}

int record_open(struct record_keys *keys, const uint8_t *record, size_t len, uint8_t *type,
		uint8_t *content)
{
	size_t body = record[3] << 8 | record[4];
	size_t inner = body - RECORD_TAG;
	int n;

	if (record[0] != TYPE_DATA || record[1] != 3 || record[2] != 3 || body < RECORD_TAG + 1 ||
	    body > RECORD_BODY || len != RECORD_HEADER + body)
		return -1;
	if (begin(keys, 0, record) ||
	    EVP_CipherUpdate(keys->cipher, content, &n, record + RECORD_HEADER, inner) != 1 ||
	    EVP_CIPHER_CTX_ctrl(keys->cipher, EVP_CTRL_AEAD_SET_TAG, RECORD_TAG,
				(void *)(record + RECORD_HEADER + inner)) != 1 ||
	    EVP_CipherFinal_ex(keys->cipher, content + inner, &n) != 1)
		return -1;
	keys->sequence++;
	n = split_inner(content, inner, type);
	return n > RECORD_CONTENT ? -1 : n;
}
