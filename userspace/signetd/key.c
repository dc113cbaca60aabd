// SPDX-License-Identifier: GPL-3.0-or-later
#include "key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>

#include "file.h"
#include "rsa.h"
#include "secret.h"
#include "signet-handshake.h"

enum key_kind {
	KEY_NONE,
	KEY_EC,
	KEY_RSA,
	KEY_ED25519,
};

struct key {
	enum key_kind kind;
	union {
		ecc_key ec;
		struct signet_rsa *rsa;
		ed25519_key ed25519;
	};
};

/* What a scheme signs with; RSA's are known to rsa.h. */
struct scheme {
	unsigned int number;
	enum key_kind kind;
	size_t digest_len; /* 0: a message */
};

static const struct scheme schemes[] = {
	{ SIGNET_ECDSA_SHA256, KEY_EC, 32 },
	{ SIGNET_ECDSA_SHA384, KEY_EC, 48 },
	{ SIGNET_ECDSA_SHA512, KEY_EC, 64 },
	{ SIGNET_ED25519, KEY_ED25519, 0 },
};

static bool is_pair(const struct signet_file *chain, const struct signet_file *key)
{
	WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_3_server_method());
	bool good;

	good = context &&
	       wolfSSL_CTX_use_certificate_chain_buffer(context, (unsigned char *)chain->data,
							chain->size) == WOLFSSL_SUCCESS &&
	       wolfSSL_CTX_use_PrivateKey_buffer(context, (unsigned char *)key->data, key->size,
						 WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS &&
	       wolfSSL_CTX_check_private_key(context) == WOLFSSL_SUCCESS;
	wolfSSL_CTX_free(context);
	return good;
}

static bool take_der(struct key_file *file, const struct signet_file *pem)
{
	EncryptedInfo info = {};
	DerBuffer *der = NULL;
	int format = 0;

	if (wc_PemToDer((unsigned char *)pem->data, pem->size, PRIVATEKEY_TYPE, &der, NULL, &info,
			&format))
		return false;
	file->size = der->length;
	file->der = signet_secret_alloc(file->size);
	if (file->der)
		memcpy(file->der, der->buffer, file->size);
	explicit_bzero(der->buffer, der->length);
	wc_FreeDer(&der);
	return file->der;
}

static bool load(struct key_file *file, const struct credential *credential,
		 const struct signet_file *pem, const struct signet_file *chain,
		 struct complaints *complaints)
{
	struct key *key;

	if (!take_der(file, pem)) {
		complain(complaints, credential->place,
			 "%s: no private key (PEM, not encrypted) in it can be understood",
			 credential->key);
		return false;
	}
	key = key_new(file);
	if (key && (!chain || is_pair(chain, pem))) {
		key_free(key);
		return true;
	}
	if (key)
		complain(complaints, credential->place,
			 "%s: this key is not the one of the certificate in %s", credential->key,
			 credential->chain);
	else
		complain(complaints, credential->place,
			 "%s: an ECDSA, RSA or Ed25519 key is expected", credential->key);
	key_free(key);
	key_file_free(file);
	return false;
}

bool key_file_read(struct key_file *file, const struct credential *credential,
		   const struct signet_file *chain, struct complaints *complaints)
{
	struct signet_file pem;
	bool good;
	int ret;

	memset(file, 0, sizeof(*file));
	ret = signet_file_read(&pem, credential->key);
	if (ret) {
		complain(complaints, credential->place, "%s: %s", credential->key, strerror(-ret));
		return false;
	}
	good = load(file, credential, &pem, chain, complaints);
	signet_file_free(&pem);
	return good;
}

void key_file_free(struct key_file *file)
{
	signet_secret_free(file->der, file->size);
	memset(file, 0, sizeof(*file));
}

static bool decode_ec(struct key *key, const struct key_file *file)
{
	word32 at = 0;

	if (wc_ecc_init(&key->ec))
		return false;
	key->kind = KEY_EC;
	return !wc_EccPrivateKeyDecode(file->der, &at, &key->ec, file->size);
}

static bool decode_rsa(struct key *key, const struct key_file *file)
{
	key->kind = KEY_RSA;
	key->rsa = signet_rsa_new(file->der, file->size);
	return key->rsa;
}

static bool decode_ed25519(struct key *key, const struct key_file *file)
{
	word32 at = 0;

	if (wc_ed25519_init(&key->ed25519))
		return false;
	key->kind = KEY_ED25519;
	if (wc_Ed25519PrivateKeyDecode(file->der, &at, &key->ed25519, file->size) ||
	    wc_ed25519_make_public(&key->ed25519, key->ed25519.p, ED25519_PUB_KEY_SIZE))
		return false;
	key->ed25519.pubKeySet = 1;
	return true;
}

static void clear(struct key *key)
{
	if (key->kind == KEY_EC)
		wc_ecc_free(&key->ec);
	else if (key->kind == KEY_RSA)
		signet_rsa_free(key->rsa);
	else if (key->kind == KEY_ED25519)
		wc_ed25519_free(&key->ed25519);
	explicit_bzero(key, sizeof(*key));
}

struct key *key_new(const struct key_file *file)
{
	static bool (*const decoders[])(struct key *, const struct key_file *) = {
		decode_ec,
		decode_rsa,
		decode_ed25519,
	};
	struct key *key = signet_secret_alloc(sizeof(*key));

	if (!key)
		return NULL;
	for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++) {
		if (decoders[i](key, file))
			return key;
		clear(key);
	}
	key_free(key);
	return NULL;
}

void key_free(struct key *key)
{
	if (!key)
		return;
	clear(key);
	signet_secret_free(key, sizeof(*key));
}

static const struct scheme *find_scheme(unsigned int number)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (schemes[i].number == number)
			return &schemes[i];
	return NULL;
}

int key_sign(struct key *key, WC_RNG *random, unsigned int number, const void *data, size_t length,
	     void *signature, size_t *signature_len)
{
	const struct scheme *scheme = find_scheme(number);
	word32 room = SIGNET_SIGNATURE_MAX;
	int ret;

	if (key->kind == KEY_RSA) {
		*signature_len = SIGNET_SIGNATURE_MAX;
		return signet_rsa_sign(key->rsa, number, data, length, signature, signature_len);
	}
	if (!scheme || scheme->kind != key->kind ||
	    (scheme->digest_len && length != scheme->digest_len))
		return -EINVAL;
	if (key->kind == KEY_EC)
		ret = wc_ecc_sign_hash(data, length, signature, &room, random, &key->ec);
	else
		ret = wc_ed25519_sign_msg(data, length, signature, &room, &key->ed25519);
	*signature_len = room;
	return ret ? -EIO : 0;
}
