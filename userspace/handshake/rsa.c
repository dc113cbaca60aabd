// SPDX-License-Identifier: GPL-3.0-or-later
#include "rsa.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <signet-handshake.h>

#include "der.h"
#include "secret.h"

/* RFC 8017 A.1.2: two primes. */
#define NUMBERS 8
#define NUMBER_MAX SIGNET_SIGNATURE_MAX

#define OID_RSA DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")

/* In the order of RSAPrivateKey. */
static const char *const names[NUMBERS] = {
	OSSL_PKEY_PARAM_RSA_N,	       OSSL_PKEY_PARAM_RSA_E,
	OSSL_PKEY_PARAM_RSA_D,	       OSSL_PKEY_PARAM_RSA_FACTOR1,
	OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
	OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

/* How a scheme signs (RFC 8446 4.2.3); the hashes' salts are as long as their digests. */
static const struct scheme {
	unsigned int number;
	const EVP_MD *(*hash)(void);
	size_t length;
	int padding;
} schemes[] = {
	{ SIGNET_RSA_PSS_SHA256, EVP_sha256, 32, RSA_PKCS1_PSS_PADDING },
	{ SIGNET_RSA_PSS_SHA384, EVP_sha384, 48, RSA_PKCS1_PSS_PADDING },
	{ SIGNET_RSA_PSS_SHA512, EVP_sha512, 64, RSA_PKCS1_PSS_PADDING },
	{ SIGNET_RSA_PKCS1_SHA256, EVP_sha256, 32, RSA_PKCS1_PADDING },
	{ SIGNET_RSA_PKCS1_SHA384, EVP_sha384, 48, RSA_PKCS1_PADDING },
	{ SIGNET_RSA_PKCS1_SHA512, EVP_sha512, 64, RSA_PKCS1_PADDING },
};

/**
 * struct numbers - what a key consists of, in memory for secrets
 * @bytes:	in this machine's order
 */
struct numbers {
	unsigned char bytes[NUMBERS][NUMBER_MAX];
	size_t lengths[NUMBERS];
};

/* Of our own: the application may configure its libcrypto as it likes. */
static OSSL_LIB_CTX *library;

static void set_up(void)
{
	library = OSSL_LIB_CTX_new();
}

static bool take_number(struct numbers *numbers, unsigned int i, struct signet_der *key)
{
	struct signet_der number;

	if (!signet_der_read(key, DER_INTEGER, &number) || !signet_der_positive(&number) ||
	    number.length > NUMBER_MAX)
		return false;
	for (size_t j = 0; j < number.length; j++)
		numbers->bytes[i][__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? number.length - 1 - j :
									      j] = number.data[j];
	numbers->lengths[i] = number.length;
	return true;
}

static bool take_numbers(struct numbers *numbers, struct signet_der key)
{
	struct signet_der version;

	if (!signet_der_read(&key, DER_INTEGER, &version))
		return false;
	for (unsigned int i = 0; i < NUMBERS; i++) {
		if (!take_number(numbers, i, &key))
			return false;
	}
	/* More primes than two. */
	return !key.length;
}

/* PrivateKeyInfo: version, algorithm, and in an octet string the key. */
static bool unwrap(struct signet_der *key)
{
	struct signet_der info = *key, version, algorithm, oid, inner;

	if (!signet_der_read(&info, DER_INTEGER, &version) ||
	    !signet_der_read(&info, DER_SEQUENCE, &algorithm))
		return true; /* no wrapping around it */
	return signet_der_read(&algorithm, DER_OBJECT_IDENTIFIER, &oid) &&
	       signet_der_equal(oid, OID_RSA) && signet_der_read(&info, DER_OCTET_STRING, &inner) &&
	       signet_der_read(&inner, DER_SEQUENCE, key);
}

static EVP_PKEY *make_key(struct numbers *numbers)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(library, "RSA", NULL);
	OSSL_PARAM parameters[NUMBERS + 1];
	EVP_PKEY *key = NULL;

	for (unsigned int i = 0; i < NUMBERS; i++)
		parameters[i] =
			OSSL_PARAM_construct_BN(names[i], numbers->bytes[i], numbers->lengths[i]);
	parameters[NUMBERS] = OSSL_PARAM_construct_end();
	/* The queue of errors is the application's. */
	ERR_set_mark();
	if (!context || EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) <= 0)
		key = NULL;
	ERR_pop_to_mark();
	EVP_PKEY_CTX_free(context);
	return key;
}

struct signet_rsa *signet_rsa_new(const void *der, size_t size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct signet_der input = { der, size }, key;
	struct numbers *numbers;
	EVP_PKEY *made = NULL;

	pthread_once(&once, set_up);
	if (!library || !signet_der_read(&input, DER_SEQUENCE, &key) || !unwrap(&key))
		return NULL;
	numbers = signet_secret_alloc(sizeof(*numbers));
	if (!numbers)
		return NULL;
	if (take_numbers(numbers, key))
		made = make_key(numbers);
	signet_secret_free(numbers, sizeof(*numbers));
	return (struct signet_rsa *)made;
}

void signet_rsa_free(struct signet_rsa *rsa)
{
	EVP_PKEY_free((EVP_PKEY *)rsa);
}

static const struct scheme *find_scheme(unsigned int number)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (schemes[i].number == number)
			return &schemes[i];
	}
	return NULL;
}

static bool prepare(EVP_PKEY_CTX *context, const struct scheme *scheme)
{
	if (EVP_PKEY_sign_init(context) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(context, scheme->padding) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(context, scheme->hash()) <= 0)
		return false;
	return scheme->padding != RSA_PKCS1_PSS_PADDING ||
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0;
}

int signet_rsa_sign(const struct signet_rsa *rsa, unsigned int number, const void *digest,
		    size_t length, void *signature, size_t *room)
{
	const struct scheme *scheme = find_scheme(number);
	EVP_PKEY_CTX *context;
	int ret = -EIO;

	if (!scheme || length != scheme->length)
		return -EINVAL;
	ERR_set_mark();
	context = EVP_PKEY_CTX_new_from_pkey(library, (EVP_PKEY *)rsa, NULL);
	if (context && prepare(context, scheme) &&
	    EVP_PKEY_sign(context, signature, room, digest, length) > 0)
		ret = 0;
	ERR_pop_to_mark();
	EVP_PKEY_CTX_free(context);
	return ret;
}
