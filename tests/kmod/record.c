// SPDX-License-Identifier: GPL-2.0-only
#include "record.h"

#include <openssl/hmac.h>
#include <string.h>

const struct record_header record_header_usual = { TYPE_DATA, 0x0303 };

#define TLS_1_3(suite) SIGNET_##suite, SIGNET_TLS_1_3, #suite
#define TLS_1_2(suite) SIGNET_##suite, SIGNET_TLS_1_2, #suite

const struct record_suite record_suites[] = {
	{ TLS_1_3(AES_128_GCM_SHA256), 16, 32, 0, false, EVP_sha256, EVP_aes_128_gcm },
	{ TLS_1_3(AES_256_GCM_SHA384), 32, 48, 0, false, EVP_sha384, EVP_aes_256_gcm },
	{ TLS_1_3(CHACHA20_POLY1305_SHA256), 32, 32, 0, false, EVP_sha256, EVP_chacha20_poly1305 },
	{ TLS_1_3(AES_128_CCM_SHA256), 16, 32, 0, true, EVP_sha256, EVP_aes_128_ccm },
	{ TLS_1_2(ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), 16, 0, 8, false, NULL, EVP_aes_128_gcm },
	{ TLS_1_2(ECDHE_ECDSA_WITH_AES_256_GCM_SHA384), 32, 0, 8, false, NULL, EVP_aes_256_gcm },
	{ TLS_1_2(ECDHE_RSA_WITH_AES_128_GCM_SHA256), 16, 0, 8, false, NULL, EVP_aes_128_gcm },
	{ TLS_1_2(ECDHE_RSA_WITH_AES_256_GCM_SHA384), 32, 0, 8, false, NULL, EVP_aes_256_gcm },
	{ TLS_1_2(ECDHE_ECDSA_WITH_AES_128_CCM), 16, 0, 8, true, NULL, EVP_aes_128_ccm },
	{ TLS_1_2(ECDHE_ECDSA_WITH_AES_256_CCM), 32, 0, 8, true, NULL, EVP_aes_256_ccm },
	{ TLS_1_2(ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256), 32, 0, 0, false, NULL,
	  EVP_chacha20_poly1305 },
	{ TLS_1_2(ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256), 32, 0, 0, false, NULL,
	  EVP_chacha20_poly1305 },
	{},
};

const struct record_suite *record_suite_find(uint16_t number)
{
	for (const struct record_suite *suite = record_suites; suite->number; suite++) {
		if (suite->number == number)
			return suite;
	}
	return NULL;
}

static bool is_tls_1_3(const struct record_suite *suite)
{
	return suite->version == SIGNET_TLS_1_3;
}

static size_t salt_len(const struct record_suite *suite)
{
	return 12 - suite->explicit_len;
}

size_t record_suite_secret_len(const struct record_suite *suite)
{
	return is_tls_1_3(suite) ? suite->hash_len : suite->key_len + salt_len(suite);
}

size_t record_suite_overhead(const struct record_suite *suite)
{
	return RECORD_HEADER + suite->explicit_len + is_tls_1_3(suite) + RECORD_TAG;
}

/*
 * OpenSSL sets itself up on first use, which takes long under emulation: once,
 * before the harness forks for each test.
 */
static void __attribute__((constructor)) warm_up(void)
{
	for (const struct record_suite *suite = record_suites; suite->number; suite++) {
		struct signet_crypto crypto = { .version = suite->version, .suite = suite->number };
		struct record_keys keys;
		uint8_t record[RECORD_BUFFER];

		crypto.secret_len = record_suite_secret_len(suite);
		if (!record_keys_init(&keys, &crypto))
			record_seal(&keys, TYPE_DATA, "", 0, 0, record);
		record_keys_free(&keys);
	}
}

/* --- keys -------------------- */

/* HKDF-Expand-Label with an empty context (RFC 8446 7.1), for at most one block of output. */
static int expand_label(const struct record_keys *keys, const char *label, uint8_t *out, size_t len)
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
	if (!HMAC(keys->suite->hash(), keys->secret, keys->suite->hash_len, info, n, block, NULL))
		return -1;
	memcpy(out, block, len);
	return 0;
}

static int set_key(struct record_keys *keys)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();

	EVP_CIPHER_CTX_free(keys->cipher);
	keys->cipher = cipher;
	if (!cipher || EVP_CipherInit_ex(cipher, keys->suite->cipher(), NULL, NULL, NULL, 1) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) != 1)
		return -1;
	if (keys->suite->is_ccm &&
	    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, RECORD_TAG, NULL) != 1)
		return -1;
	return EVP_CipherInit_ex(cipher, NULL, NULL, keys->key, NULL, 1) == 1 ? 0 : -1;
}

static int derive_key(struct record_keys *keys)
{
	if (expand_label(keys, "key", keys->key, keys->suite->key_len) ||
	    expand_label(keys, "iv", keys->iv, sizeof(keys->iv)))
		return -1;
	return set_key(keys);
}

int record_keys_init(struct record_keys *keys, const struct signet_crypto *crypto)
{
	memset(keys, 0, sizeof(*keys));
	keys->suite = record_suite_find(crypto->suite);
	if (!keys->suite)
		return -1;
	keys->sequence = crypto->sequence;
	keys->explicit_nonce = crypto->explicit_nonce;
	if (is_tls_1_3(keys->suite)) {
		memcpy(keys->secret, crypto->secret, keys->suite->hash_len);
		return derive_key(keys);
	}
	memcpy(keys->iv, crypto->secret + keys->suite->key_len, salt_len(keys->suite));
	memcpy(keys->key, crypto->secret, keys->suite->key_len);
	return set_key(keys);
}

void record_keys_free(struct record_keys *keys)
{
	EVP_CIPHER_CTX_free(keys->cipher);
	keys->cipher = NULL;
}

int record_keys_update(struct record_keys *keys)
{
	uint8_t next[SIGNET_SECRET_MAX];

	if (expand_label(keys, "traffic upd", next, keys->suite->hash_len))
		return -1;
	memcpy(keys->secret, next, keys->suite->hash_len);
	keys->sequence = 0;
	keys->epoch++;
	return derive_key(keys);
}

/* --- records -------------------- */

static void put_number(uint8_t *to, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		to[i] = number >> (56 - 8 * i);
}

static uint64_t get_number(const uint8_t *from)
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | from[i];
	return number;
}

/* RFC 8446 5.3 and RFC 7905 2, or RFC 5288 3. */
static void make_nonce(const struct record_keys *keys, uint8_t *nonce)
{
	uint8_t number[8];

	memcpy(nonce, keys->iv, 12);
	if (keys->suite->explicit_len) {
		put_number(nonce + 4, keys->explicit_nonce);
		return;
	}
	put_number(number, keys->sequence);
	for (int i = 0; i < 8; i++)
		nonce[4 + i] ^= number[i];
}

/* RFC 8446 5.2, or RFC 5246 6.2.3.3. Return: its length. */
static size_t make_aad(const struct record_keys *keys, const uint8_t *header, size_t len,
		       uint8_t *aad)
{
	if (is_tls_1_3(keys->suite)) {
		memcpy(aad, header, RECORD_HEADER);
		return RECORD_HEADER;
	}
	put_number(aad, keys->sequence);
	memcpy(aad + 8, header, 3);
	aad[11] = len >> 8;
	aad[12] = len;
	return 13;
}

/*
 * One record: @len bytes from @from to @to. @tag is written, or checked.
 */
static int crypt(struct record_keys *keys, int seal, const uint8_t *header, const uint8_t *from,
		 size_t len, uint8_t *to, uint8_t *tag)
{
	uint8_t nonce[12], aad[13], none[1];
	size_t aad_len = make_aad(keys, header, len, aad);
	EVP_CIPHER_CTX *cipher = keys->cipher;
	bool is_ccm = keys->suite->is_ccm;
	int n;

	make_nonce(keys, nonce);
	/* With the key OpenSSL's CCM decides on the direction. */
	if (EVP_CipherInit_ex(cipher, NULL, NULL, is_ccm ? keys->key : NULL, nonce, seal) != 1)
		return -1;
	if (!seal && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, RECORD_TAG, tag) != 1)
		return -1;
	if ((is_ccm && EVP_CipherUpdate(cipher, NULL, &n, NULL, len) != 1) ||
	    EVP_CipherUpdate(cipher, NULL, &n, aad, aad_len) != 1)
		return -1;
	/* CCM does all its work here, for no content too. */
	if ((len || is_ccm) && EVP_CipherUpdate(cipher, len ? to : none, &n, from, len) != 1)
		return -1;
	if (!is_ccm && EVP_CipherFinal_ex(cipher, to + len, &n) != 1)
		return -1;
	if (seal && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, RECORD_TAG, tag) != 1)
		return -1;
	return 0;
}

int record_seal_inner(struct record_keys *keys, const struct record_header *header,
		      const void *inner, size_t len, uint8_t *record)
{
	size_t explicit_len = keys->suite->explicit_len;
	size_t body = explicit_len + len + RECORD_TAG;
	uint8_t *to = record + RECORD_HEADER + explicit_len;

	record[0] = header->type;
	record[1] = header->version >> 8;
	record[2] = header->version;
	record[3] = body >> 8;
	record[4] = body;
	if (explicit_len)
		put_number(record + RECORD_HEADER, keys->explicit_nonce);
	if (crypt(keys, 1, record, len ? inner : record, len, to, to + len))
		return -1;
	keys->sequence++;
	keys->explicit_nonce++;
	return RECORD_HEADER + body;
}

int record_seal(struct record_keys *keys, uint8_t type, const void *content, size_t len,
		size_t padding, uint8_t *record)
{
	struct record_header header = { type, 0x0303 };
	uint8_t inner[RECORD_BUFFER];

	if (!is_tls_1_3(keys->suite))
		return record_seal_inner(keys, &header, content, len, record);
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
	size_t explicit_len = keys->suite->explicit_len;
	size_t body = record[3] << 8 | record[4];
	const uint8_t *from = record + RECORD_HEADER + explicit_len;
	size_t n = body - explicit_len - RECORD_TAG;
	uint8_t tag[RECORD_TAG], none[RECORD_TAG];
	int content_len = n;

	if (record[1] != 3 || record[2] != 3 || body < explicit_len + RECORD_TAG ||
	    body > RECORD_BODY || len != RECORD_HEADER + body)
		return -1;
	if (explicit_len)
		keys->explicit_nonce = get_number(record + RECORD_HEADER);
	memcpy(tag, from + n, sizeof(tag));
	if (crypt(keys, 0, record, from, n, n ? content : none, tag))
		return -1;
	*type = record[0];
	if (is_tls_1_3(keys->suite)) {
		if (*type != TYPE_DATA)
			return -1;
		content_len = split_inner(content, n, type);
	}
	keys->sequence++;
	return content_len > RECORD_CONTENT ? -1 : content_len;
}
