// SPDX-License-Identifier: GPL-3.0-or-later
#include "record.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tap.h"

#define HEADER 5
#define TAG 16
#define NONCE 12
#define EXPLICIT 8

/* What a suite needs, beside what its keys say by themselves. */
struct cipher {
	const EVP_CIPHER *evp;
	size_t key_len;
	bool is_chacha;
	bool is_ccm;
};

static const EVP_MD *digest_of(size_t secret_len)
{
	return secret_len == 48 ? EVP_sha384() : EVP_sha256();
}

void expand_label(const void *secret, size_t secret_len, const char *label, const void *context,
		  size_t context_len, void *out, size_t length)
{
	unsigned char info[512], block[EVP_MAX_MD_SIZE], *to = info;
	size_t label_len = strlen(label);
	unsigned int size;

	*to++ = length >> 8;
	*to++ = length;
	*to++ = 6 + label_len;
	memcpy(to, "tls13 ", 6);
	memcpy(to + 6, label, label_len);
	to += 6 + label_len;
	*to++ = context_len;
	if (context_len)
		memcpy(to, context, context_len);
	to += context_len;
	*to++ = 1;
	if (!HMAC(digest_of(secret_len), secret, secret_len, info, to - info, block, &size) ||
	    length > size)
		bail("cannot derive keys");
	memcpy(out, block, length);
}

void export_from(const void *secret, size_t secret_len, const char *label, const void *context,
		 size_t context_len, void *out, size_t length)
{
	unsigned char derived[EVP_MAX_MD_SIZE], hash[EVP_MAX_MD_SIZE];
	const EVP_MD *digest = digest_of(secret_len);
	unsigned int size;

	EVP_Digest("", 0, hash, &size, digest, NULL);
	expand_label(secret, secret_len, label, hash, size, derived, size);
	EVP_Digest(context, context_len, hash, &size, digest, NULL);
	expand_label(derived, size, "exporter", hash, size, out, length);
}

static struct cipher cipher_of(const struct signet_crypto *crypto)
{
	switch (crypto->suite) {
	case SIGNET_AES_256_GCM_SHA384:
	case SIGNET_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:
	case SIGNET_ECDHE_RSA_WITH_AES_256_GCM_SHA384:
		return (struct cipher){ EVP_aes_256_gcm(), 32, false, false };
	case SIGNET_CHACHA20_POLY1305_SHA256:
	case SIGNET_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:
	case SIGNET_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
		return (struct cipher){ EVP_chacha20_poly1305(), 32, true, false };
	case SIGNET_AES_128_CCM_SHA256:
	case SIGNET_ECDHE_ECDSA_WITH_AES_128_CCM:
		return (struct cipher){ EVP_aes_128_ccm(), 16, false, true };
	default:
		return (struct cipher){ EVP_aes_128_gcm(), 16, false, false };
	}
}

static bool is_modern(const struct signet_crypto *crypto)
{
	return crypto->version == SIGNET_TLS_1_3;
}

/* How much of the nonce travels with each record (RFC 5288 3). */
static size_t explicit_len(const struct signet_crypto *crypto)
{
	return is_modern(crypto) || cipher_of(crypto).is_chacha ? 0 : EXPLICIT;
}

static void put64(unsigned char *to, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		to[i] = value >> 8 * (7 - i);
}

/* RFC 8446 5.3 and 7.3, RFC 7905 2: XORed with the sequence number; RFC 5288 3: put together. */
static void make_nonce(const struct signet_crypto *crypto, const unsigned char *explicit_nonce,
		       unsigned char *key, unsigned char nonce[NONCE])
{
	size_t key_len = cipher_of(crypto).key_len;
	unsigned char number[8];

	if (is_modern(crypto)) {
		expand_label(crypto->secret, crypto->secret_len, "key", NULL, 0, key, key_len);
		expand_label(crypto->secret, crypto->secret_len, "iv", NULL, 0, nonce, NONCE);
	} else {
		memcpy(key, crypto->secret, key_len);
		memcpy(nonce, crypto->secret + key_len, crypto->secret_len - key_len);
	}
	if (explicit_len(crypto)) {
		memcpy(nonce + 4, explicit_nonce, EXPLICIT);
		return;
	}
	put64(number, crypto->sequence);
	for (int i = 0; i < 8; i++)
		nonce[NONCE - 8 + i] ^= number[i];
}

/* What is authenticated beside the content: RFC 8446 5.2, RFC 5246 6.2.3.3. */
static size_t make_additional(const struct signet_crypto *crypto, const unsigned char *header,
			      size_t length, unsigned char additional[13])
{
	if (is_modern(crypto)) {
		memcpy(additional, header, HEADER);
		return HEADER;
	}
	put64(additional, crypto->sequence);
	memcpy(additional + 8, header, 3);
	additional[11] = length >> 8;
	additional[12] = length;
	return 13;
}

/* In place; the tag stands behind it. */
static bool run_cipher(const struct signet_crypto *crypto, bool seal, const unsigned char *header,
		       const unsigned char *explicit_nonce, unsigned char *data, size_t length)
{
	unsigned char key[32], nonce[NONCE], additional[13], *tag = data + length;
	struct cipher cipher = cipher_of(crypto);
	size_t additional_len = make_additional(crypto, header, length, additional);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool good;
	int n;

	make_nonce(crypto, explicit_nonce, key, nonce);
	EVP_CipherInit_ex(context, cipher.evp, NULL, NULL, NULL, seal);
	EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, NONCE, NULL);
	if (!seal || cipher.is_ccm)
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, seal ? NULL : tag);
	EVP_CipherInit_ex(context, NULL, NULL, key, nonce, seal);
	if (cipher.is_ccm)
		EVP_CipherUpdate(context, NULL, &n, NULL, length);
	EVP_CipherUpdate(context, NULL, &n, additional, additional_len);
	good = EVP_CipherUpdate(context, data, &n, data, length) > 0;
	if (good && !(cipher.is_ccm && !seal))
		good = EVP_CipherFinal_ex(context, data + n, &n) > 0;
	if (good && seal)
		good = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, tag) > 0;
	EVP_CIPHER_CTX_free(context);
	return good;
}

void record_send(int fd, struct signet_crypto *crypto, const char *text)
{
	unsigned char record[HEADER + RECORD_MAX] = { RECORD_APPLICATION, 3, 3 };
	size_t before = explicit_len(crypto), length = strlen(text), total;
	unsigned char *data = record + HEADER + before;

	memcpy(data, text, length);
	if (is_modern(crypto))
		data[length++] = RECORD_APPLICATION;
	total = before + length + TAG;
	record[3] = total >> 8;
	record[4] = total;
	put64(record + HEADER, before ? crypto->explicit_nonce++ : 0);
	memcpy(data, text, strlen(text)); /* where the nonce is none */
	if (is_modern(crypto))
		data[length - 1] = RECORD_APPLICATION;
	if (!run_cipher(crypto, true, record, record + HEADER, data, length))
		bail("cannot seal");
	crypto->sequence++;
	total += HEADER;
	if (send(fd, record, total, MSG_NOSIGNAL) != (ssize_t)total)
		bail("send: %s", strerror(errno));
}

int record_receive(int fd, struct signet_crypto *crypto, void *content, size_t *length)
{
	unsigned char record[HEADER + RECORD_MAX], *data;
	size_t before = explicit_len(crypto), total;
	int type;

	if (recv(fd, record, HEADER, MSG_WAITALL) != HEADER)
		return 0;
	total = record[3] << 8 | record[4];
	if (total < before + TAG || total > RECORD_MAX ||
	    recv(fd, record + HEADER, total, MSG_WAITALL) != (ssize_t)total)
		return 0;
	data = record + HEADER + before;
	*length = total - before - TAG;
	if (!run_cipher(crypto, false, record, record + HEADER, data, *length))
		return 0;
	crypto->sequence++;
	type = record[0];
	if (is_modern(crypto)) {
		while (*length && !data[*length - 1])
			--*length;
		if (!*length)
			return 0;
		type = data[--*length];
	}
	memcpy(content, data, *length);
	((char *)content)[*length] = '\0';
	return type;
}
