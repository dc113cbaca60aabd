// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * RSA keys, by which libcrypto signs: in both encodings and all sizes that are served, each signature
 * verified by wolfSSL; what is no RSA key is none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>

#include <signet-handshake.h>

#include "../../userspace/handshake/file.h"
#include "../../userspace/handshake/key.h"
#include "../../userspace/handshake/rsa.h"
#include "certificates.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct scheme {
	unsigned int number;
	enum signet_key_type type;
	enum wc_HashType hash;
	const char *name;
} schemes[] = {
	{ SIGNET_RSA_PSS_SHA256, SIGNET_KEY_RSA_PSS, WC_HASH_TYPE_SHA256, "PSS, SHA-256" },
	{ SIGNET_RSA_PSS_SHA384, SIGNET_KEY_RSA_PSS, WC_HASH_TYPE_SHA384, "PSS, SHA-384" },
	{ SIGNET_RSA_PSS_SHA512, SIGNET_KEY_RSA_PSS, WC_HASH_TYPE_SHA512, "PSS, SHA-512" },
	{ SIGNET_RSA_PKCS1_SHA256, SIGNET_KEY_RSA, WC_HASH_TYPE_SHA256, "PKCS #1, SHA-256" },
	{ SIGNET_RSA_PKCS1_SHA384, SIGNET_KEY_RSA, WC_HASH_TYPE_SHA384, "PKCS #1, SHA-384" },
	{ SIGNET_RSA_PKCS1_SHA512, SIGNET_KEY_RSA, WC_HASH_TYPE_SHA512, "PKCS #1, SHA-512" },
};

static const unsigned char message[] = "what is signed";

static void read_there(struct signet_file *file, const char *name)
{
	if (signet_file_read(file, in_certificates("%s", name)))
		bail("no %s", name);
}

static bool verifies(const struct signet_file *public, const struct scheme *scheme,
		     struct signet_der signature)
{
	struct signet_der input = { (const unsigned char *)public->data, public->size }, info;
	struct signet_der signed_message = { message, sizeof(message) };
	struct signet_algorithm algorithm = {
		.type = scheme->type,
		.hash = scheme->hash,
		.salt = wc_HashGetDigestSize(scheme->hash),
	};
	struct signet_key key = {};

	return signet_der_read(&input, DER_SEQUENCE, &info) && !signet_key_parse(&key, info) &&
	       signet_key_verify(&key, &algorithm, signed_message, signature);
}

static bool signs(const struct signet_rsa *rsa, const struct signet_file *public,
		  const struct scheme *scheme, size_t bits)
{
	unsigned char digest[WC_MAX_DIGEST_SIZE], signature[SIGNET_SIGNATURE_MAX];
	int length = wc_HashGetDigestSize(scheme->hash);
	size_t size = sizeof(signature);

	return !wc_Hash(scheme->hash, message, sizeof(message), digest, length) &&
	       !signet_rsa_sign(rsa, scheme->number, digest, length, signature, &size) &&
	       size == bits / 8 && verifies(public, scheme, (struct signet_der){ signature, size });
}

static void check_size(size_t bits)
{
	static const char *const encodings[] = { "pkcs1", "pkcs8" };
	struct signet_file private, public;
	struct signet_rsa *rsa;

	if (!run_there("openssl genrsa -out rsa.pem %zu && "
		       "openssl rsa -in rsa.pem -traditional -outform DER -out pkcs1 && "
		       "openssl pkcs8 -topk8 -nocrypt -in rsa.pem -outform DER -out pkcs8 && "
		       "openssl rsa -in rsa.pem -pubout -outform DER -out public",
		       bits))
		bail("no RSA key of %zu bits", bits);
	read_there(&public, "public");
	for (size_t i = 0; i < COUNT(encodings); i++) {
		read_there(&private, encodings[i]);
		rsa = signet_rsa_new(private.data, private.size);
		for (size_t j = 0; j < COUNT(schemes); j++)
			ok(rsa && signs(rsa, &public, &schemes[j], bits), "%zu bits as %s: %s",
			   bits, encodings[i], schemes[j].name);
		signet_rsa_free(rsa);
		signet_file_free(&private);
	}
	signet_file_free(&public);
}

static void check_refusals(void)
{
	unsigned char digest[WC_MAX_DIGEST_SIZE] = "", signature[SIGNET_SIGNATURE_MAX];
	size_t room = sizeof(signature);
	struct signet_file private;
	struct signet_rsa *rsa;

	read_there(&private, "pkcs8");
	rsa = signet_rsa_new(private.data, private.size);
	if (!rsa)
		bail("no key");
	ok(signet_rsa_sign(rsa, SIGNET_ECDSA_SHA256, digest, 32, signature, &room) == -EINVAL,
	   "a scheme that is not RSA's");
	ok(signet_rsa_sign(rsa, SIGNET_RSA_PSS_SHA256, digest, 31, signature, &room) == -EINVAL,
	   "a digest that is too short");
	room = 100;
	ok(signet_rsa_sign(rsa, SIGNET_RSA_PSS_SHA256, digest, 32, signature, &room) == -EIO,
	   "a signature that has no room");
	signet_rsa_free(rsa);
	signet_file_free(&private);
}

static void check_fragments(const char *name)
{
	struct signet_file private;
	unsigned int taken = 0;
	struct signet_rsa *rsa;
	char *copy;

	read_there(&private, name);
	for (size_t length = 0; length < private.size; length++) {
		/* As long as it is, so that reading beyond shows. */
		copy = malloc(length + !length);
		memcpy(copy, private.data, length);
		rsa = signet_rsa_new(copy, length);
		taken += !!rsa;
		signet_rsa_free(rsa);
		free(copy);
	}
	ok(!taken, "no part of %s is a key", name);
	signet_file_free(&private);
}

static void check_others(void)
{
	struct signet_file private;

	if (!run_there("openssl genpkey -algorithm ED25519 -outform DER -out ed25519 && "
		       "openssl ecparam -genkey -name prime256v1 -noout -outform DER -out ec"))
		bail("no other keys");
	read_there(&private, "ed25519");
	ok(!signet_rsa_new(private.data, private.size), "an Ed25519 key is none");
	signet_file_free(&private);
	read_there(&private, "ec");
	ok(!signet_rsa_new(private.data, private.size), "an ECDSA key is none");
	signet_file_free(&private);
}

int main(void)
{
	tap_begin();
	certificates_begin();
	check_size(2048);
	check_size(3072);
	check_size(4096);
	check_refusals();
	check_fragments("pkcs1");
	check_fragments("pkcs8");
	check_others();
	return tap_end();
}
