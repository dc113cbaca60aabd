// SPDX-License-Identifier: GPL-3.0-or-later
#include "key.h"

#include <limits.h>
#include <stdlib.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/signature.h>
#include <wolfssl/wolfcrypt/wc_mldsa.h>

/* CA/Browser Forum 6.1.5; and what this build of wolfSSL computes with. */
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096

/* Old authorities have 3; longer ones only cost time. */
#define RSA_EXPONENT_BYTES_MAX 4

#define UNCOMPRESSED_POINT 4

/* In bytes, of hashes and signatures. */
#define HASH_MAX 64
#define SALT_MIN 20

#define MALFORMED_KEY FAULT(ALERT_BAD_CERTIFICATE, "has a malformed public key")
#define WEAK_HASH FAULT(ALERT_BAD_CERTIFICATE, "is signed with a broken hash")
#define UNKNOWN_SIGNATURE \
	FAULT(ALERT_UNSUPPORTED_CERTIFICATE, "has a signature of an unsupported kind")

#define OID_RSA DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_RSA_PSS DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
#define OID_MGF1 DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08")
#define OID_EC DER_BYTES("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_ED25519 DER_BYTES("\x2b\x65\x70")

static const struct curve {
	struct signet_der oid;
	int number;
	size_t bytes;
} curves[] = {
	{ DER_BYTES("\x2a\x86\x48\xce\x3d\x03\x01\x07"), ECC_SECP256R1, 32 },
	{ DER_BYTES("\x2b\x81\x04\x00\x22"), ECC_SECP384R1, 48 },
	{ DER_BYTES("\x2b\x81\x04\x00\x23"), ECC_SECP521R1, 66 },
};

static const struct ml_dsa {
	struct signet_der oid;
	int level;
	size_t key_bytes;
} ml_dsas[] = {
	{ DER_BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), WC_ML_DSA_44, 1312 },
	{ DER_BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), WC_ML_DSA_65, 1952 },
	{ DER_BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), WC_ML_DSA_87, 2592 },
};

/* Hashes of signatures with a choice; those without a number are broken. */
static const struct hash {
	struct signet_der oid, with_rsa, with_ecdsa;
	int number;
} hashes[] = {
	{ DER_BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x01"),
	  DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"),
	  DER_BYTES("\x2a\x86\x48\xce\x3d\x04\x03\x02"), WC_HASH_TYPE_SHA256 },
	{ DER_BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x02"),
	  DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"),
	  DER_BYTES("\x2a\x86\x48\xce\x3d\x04\x03\x03"), WC_HASH_TYPE_SHA384 },
	{ DER_BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x03"),
	  DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"),
	  DER_BYTES("\x2a\x86\x48\xce\x3d\x04\x03\x04"), WC_HASH_TYPE_SHA512 },
	/* SHA-1, twice under RSA, with DSA, MD5 and MD2. */
	{ DER_BYTES("\x2b\x0e\x03\x02\x1a"), DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"),
	  DER_BYTES("\x2a\x86\x48\xce\x3d\x04\x01"), WC_HASH_TYPE_NONE },
	{ DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x02\x05"),
	  DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"),
	  DER_BYTES("\x2a\x86\x48\xce\x38\x04\x03"), WC_HASH_TYPE_NONE },
	{ DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x02\x02"),
	  DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), DER_BYTES("\x2b\x0e\x03\x02\x1d"),
	  WC_HASH_TYPE_NONE },
};

static const struct ml_dsa *find_ml_dsa(struct signet_der oid)
{
	for (size_t i = 0; i < sizeof(ml_dsas) / sizeof(ml_dsas[0]); i++) {
		if (signet_der_equal(oid, ml_dsas[i].oid))
			return &ml_dsas[i];
	}
	return NULL;
}

/* An AlgorithmIdentifier's content: the object identifier, and what is behind it. */
static bool read_identifier(struct signet_der *identifier, struct signet_der *oid)
{
	return signet_der_read(identifier, DER_OBJECT_IDENTIFIER, oid);
}

/* RFC 4055 1.2: NULL; its absence is let pass. */
static bool is_null(struct signet_der parameters)
{
	struct signet_der content;

	if (!parameters.length)
		return true;
	return signet_der_read(&parameters, DER_NULL, &content) && !content.length &&
	       !parameters.length;
}

static size_t bits(struct signet_der number)
{
	return number.length * CHAR_BIT - (__builtin_clz(number.data[0]) - 24);
}

static const struct signet_fault *parse_rsa(struct signet_key *key, struct signet_der bytes)
{
	struct signet_der pair, modulus, exponent;

	if (!signet_der_read(&bytes, DER_SEQUENCE, &pair) || bytes.length ||
	    !signet_der_read(&pair, DER_INTEGER, &modulus) ||
	    !signet_der_read(&pair, DER_INTEGER, &exponent) || pair.length ||
	    !signet_der_positive(&modulus) || !signet_der_positive(&exponent))
		return MALFORMED_KEY;
	if (bits(modulus) < RSA_BITS_MIN)
		return FAULT(ALERT_BAD_CERTIFICATE, "has too short a key: RSA below 2048 bits");
	if (bits(modulus) > RSA_BITS_MAX)
		return FAULT(ALERT_UNSUPPORTED_CERTIFICATE,
			     "has too long a key: RSA above 4096 bits");
	if (!(modulus.data[modulus.length - 1] & 1) || !(exponent.data[exponent.length - 1] & 1))
		return FAULT(ALERT_BAD_CERTIFICATE, "has an RSA key that is even");
	if (exponent.length > RSA_EXPONENT_BYTES_MAX || bits(exponent) < 2)
		return FAULT(ALERT_BAD_CERTIFICATE, "has an RSA key with a useless exponent");
	key->value = modulus;
	key->exponent = exponent;
	return NULL;
}

/* RFC 5480 2.1.1: a named curve; curves that a certificate spells out are an attack. */
static const struct signet_fault *parse_ec(struct signet_key *key, struct signet_der parameters,
					   struct signet_der point)
{
	struct signet_der oid;

	if (!signet_der_read(&parameters, DER_OBJECT_IDENTIFIER, &oid) || parameters.length)
		return FAULT(ALERT_UNSUPPORTED_CERTIFICATE, "has a key on a curve without a name");
	key->value = point;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (!signet_der_equal(oid, curves[i].oid))
			continue;
		key->variant = curves[i].number;
		if (point.length != 1 + 2 * curves[i].bytes || point.data[0] != UNCOMPRESSED_POINT)
			return MALFORMED_KEY;
		return NULL;
	}
	return FAULT(ALERT_BAD_CERTIFICATE,
		     "has a key on another curve than P-256, P-384 or P-521");
}

static const struct signet_fault *parse_raw(struct signet_key *key, struct signet_der parameters,
					    struct signet_der bytes, size_t length)
{
	key->value = bytes;
	return parameters.length || bytes.length != length ? MALFORMED_KEY : NULL;
}

const struct signet_fault *signet_key_parse(struct signet_key *key, struct signet_der info)
{
	struct signet_der identifier, oid, bytes;
	const struct ml_dsa *ml_dsa;

	if (!signet_der_read(&info, DER_SEQUENCE, &identifier) ||
	    !signet_der_read(&info, DER_BIT_STRING, &bytes) || info.length ||
	    !signet_der_octets(&bytes) || !read_identifier(&identifier, &oid))
		return MALFORMED_KEY;
	if (signet_der_equal(oid, OID_RSA)) {
		key->type = SIGNET_KEY_RSA;
		return is_null(identifier) ? parse_rsa(key, bytes) : MALFORMED_KEY;
	}
	/* Its parameters restrict what it signs with; a PSS signature tells that itself. */
	if (signet_der_equal(oid, OID_RSA_PSS)) {
		key->type = SIGNET_KEY_RSA_PSS;
		return parse_rsa(key, bytes);
	}
	if (signet_der_equal(oid, OID_EC)) {
		key->type = SIGNET_KEY_ECDSA;
		return parse_ec(key, identifier, bytes);
	}
	if (signet_der_equal(oid, OID_ED25519)) {
		key->type = SIGNET_KEY_ED25519;
		return parse_raw(key, identifier, bytes, ED25519_PUB_KEY_SIZE);
	}
	ml_dsa = find_ml_dsa(oid);
	if (!ml_dsa)
		return FAULT(ALERT_UNSUPPORTED_CERTIFICATE, "has a key of an unsupported kind");
	key->type = SIGNET_KEY_ML_DSA;
	key->variant = ml_dsa->level;
	return parse_raw(key, identifier, bytes, ml_dsa->key_bytes);
}

static const struct hash *find_hash(struct signet_der oid)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (signet_der_equal(oid, hashes[i].oid))
			return &hashes[i];
	}
	return NULL;
}

/* A field of RSASSA-PSS-params that holds an AlgorithmIdentifier. */
static bool read_choice(struct signet_der *parameters, unsigned int number, struct signet_der *oid,
			struct signet_der *rest)
{
	struct signet_der field;

	*oid = (struct signet_der){ 0 };
	*rest = (struct signet_der){ 0 };
	if (!signet_der_is(parameters, DER_CONTEXT_CONSTRUCTED(number)))
		return true;
	return signet_der_read(parameters, DER_CONTEXT_CONSTRUCTED(number), &field) &&
	       signet_der_read(&field, DER_SEQUENCE, rest) && !field.length &&
	       read_identifier(rest, oid);
}

static bool read_salt(struct signet_der *parameters, unsigned int *salt)
{
	struct signet_der field, number, trailer;

	/* What stands for itself when it is absent (RFC 4055 3.1). */
	*salt = SALT_MIN;
	if (signet_der_is(parameters, DER_CONTEXT_CONSTRUCTED(2)) &&
	    (!signet_der_read(parameters, DER_CONTEXT_CONSTRUCTED(2), &field) ||
	     !signet_der_read(&field, DER_INTEGER, &number) || field.length ||
	     !signet_der_number(number, salt)))
		return false;
	return signet_der_optional(parameters, DER_CONTEXT_CONSTRUCTED(3), &trailer) &&
	       !parameters->length;
}

/* RFC 4055 3.1, where absence means SHA-1; both hashes are the same one (RFC 8446 4.2.3). */
static const struct signet_fault *parse_pss(struct signet_algorithm *algorithm,
					    struct signet_der identifier)
{
	struct signet_der parameters, oid, rest, generator, inner, inner_oid;
	const struct hash *hash;

	if (!identifier.length)
		return WEAK_HASH;
	if (!signet_der_read(&identifier, DER_SEQUENCE, &parameters) || identifier.length ||
	    !read_choice(&parameters, 0, &oid, &rest) || !is_null(rest) ||
	    !read_choice(&parameters, 1, &generator, &inner) ||
	    !read_salt(&parameters, &algorithm->salt))
		return UNKNOWN_SIGNATURE;
	hash = find_hash(oid);
	if (!oid.length || (hash && hash->number == WC_HASH_TYPE_NONE))
		return WEAK_HASH;
	if (!hash || !signet_der_equal(generator, OID_MGF1) ||
	    !signet_der_read(&inner, DER_SEQUENCE, &rest) || inner.length ||
	    !read_identifier(&rest, &inner_oid) || !signet_der_equal(inner_oid, oid) ||
	    algorithm->salt < SALT_MIN || algorithm->salt > RSA_BITS_MAX / CHAR_BIT)
		return UNKNOWN_SIGNATURE;
	algorithm->type = SIGNET_KEY_RSA_PSS;
	algorithm->hash = hash->number;
	return NULL;
}

static const struct signet_fault *parse_hashed(struct signet_algorithm *algorithm,
					       struct signet_der oid, struct signet_der parameters)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		bool rsa = signet_der_equal(oid, hashes[i].with_rsa);

		if (!rsa && !signet_der_equal(oid, hashes[i].with_ecdsa))
			continue;
		if (hashes[i].number == WC_HASH_TYPE_NONE)
			return WEAK_HASH;
		/* RFC 5758 3.2: ECDSA has no parameters. */
		if (rsa ? !is_null(parameters) : !!parameters.length)
			return UNKNOWN_SIGNATURE;
		algorithm->type = rsa ? SIGNET_KEY_RSA : SIGNET_KEY_ECDSA;
		algorithm->hash = hashes[i].number;
		return NULL;
	}
	return UNKNOWN_SIGNATURE;
}

const struct signet_fault *signet_algorithm_parse(struct signet_algorithm *algorithm,
						  struct signet_der identifier)
{
	const struct ml_dsa *ml_dsa;
	struct signet_der oid;

	if (!read_identifier(&identifier, &oid))
		return UNKNOWN_SIGNATURE;
	if (signet_der_equal(oid, OID_RSA_PSS))
		return parse_pss(algorithm, identifier);
	ml_dsa = find_ml_dsa(oid);
	if (!ml_dsa && !signet_der_equal(oid, OID_ED25519))
		return parse_hashed(algorithm, oid, identifier);
	algorithm->type = ml_dsa ? SIGNET_KEY_ML_DSA : SIGNET_KEY_ED25519;
	algorithm->variant = ml_dsa ? ml_dsa->level : 0;
	return identifier.length ? UNKNOWN_SIGNATURE : NULL;
}

static bool verify_pss(RsaKey *rsa, const struct signet_algorithm *algorithm,
		       struct signet_der message, struct signet_der signature)
{
	unsigned char digest[HASH_MAX], block[RSA_BITS_MAX / CHAR_BIT];
	enum wc_HashType hash = algorithm->hash;
	int digest_length = wc_HashGetDigestSize(hash), length;

	if (wc_Hash(hash, message.data, message.length, digest, digest_length))
		return false;
	length = wc_RsaPSS_Verify_ex(signature.data, signature.length, block, sizeof(block), hash,
				     wc_hash2mgf(hash), algorithm->salt, rsa);
	return length > 0 &&
	       !wc_RsaPSS_CheckPadding_ex(digest, digest_length, block, length, hash,
					  algorithm->salt, wc_RsaEncryptSize(rsa) * CHAR_BIT);
}

static bool verify_rsa(const struct signet_key *key, const struct signet_algorithm *algorithm,
		       struct signet_der message, struct signet_der signature)
{
	bool good = false;
	RsaKey rsa;

	if (wc_InitRsaKey(&rsa, NULL))
		return false;
	if (wc_RsaPublicKeyDecodeRaw(key->value.data, key->value.length, key->exponent.data,
				     key->exponent.length, &rsa))
		goto free_key;
	if (algorithm->type == SIGNET_KEY_RSA_PSS)
		good = verify_pss(&rsa, algorithm, message, signature);
	else
		good = !wc_SignatureVerify(algorithm->hash, WC_SIGNATURE_TYPE_RSA_W_ENC,
					   message.data, message.length, signature.data,
					   signature.length, &rsa, sizeof(rsa));
free_key:
	wc_FreeRsaKey(&rsa);
	return good;
}

static bool verify_ecdsa(const struct signet_key *key, const struct signet_algorithm *algorithm,
			 struct signet_der message, struct signet_der signature)
{
	bool good;
	ecc_key ec;

	if (wc_ecc_init(&ec))
		return false;
	good = !wc_ecc_import_x963_ex(key->value.data, key->value.length, &ec, key->variant) &&
	       !wc_SignatureVerify(algorithm->hash, WC_SIGNATURE_TYPE_ECC, message.data,
				   message.length, signature.data, signature.length, &ec,
				   sizeof(ec));
	wc_ecc_free(&ec);
	return good;
}

static bool verify_ed25519(const struct signet_key *key, struct signet_der message,
			   struct signet_der signature)
{
	ed25519_key edwards;
	int good = 0;

	if (wc_ed25519_init(&edwards))
		return false;
	if (wc_ed25519_import_public(key->value.data, key->value.length, &edwards) ||
	    wc_ed25519_verify_msg(signature.data, signature.length, message.data, message.length,
				  &good, &edwards))
		good = 0;
	wc_ed25519_free(&edwards);
	return good;
}

/* On the heap: such a key takes kilobytes. */
static bool verify_ml_dsa(const struct signet_key *key, struct signet_der message,
			  struct signet_der signature)
{
	wc_MlDsaKey *lattice = malloc(sizeof(*lattice));
	int good = 0;

	if (!lattice)
		return false;
	if (wc_MlDsaKey_Init(lattice, NULL, INVALID_DEVID))
		goto free_memory;
	if (wc_MlDsaKey_SetParams(lattice, key->variant) ||
	    wc_MlDsaKey_ImportPubRaw(lattice, key->value.data, key->value.length) ||
	    wc_MlDsaKey_VerifyCtx(lattice, signature.data, signature.length, NULL, 0, message.data,
				  message.length, &good))
		good = 0;
	wc_MlDsaKey_Free(lattice);
free_memory:
	free(lattice);
	return good;
}

bool signet_key_verify(const struct signet_key *key, const struct signet_algorithm *algorithm,
		       struct signet_der message, struct signet_der signature)
{
	bool fits = key->type == algorithm->type ||
		    (key->type == SIGNET_KEY_RSA && algorithm->type == SIGNET_KEY_RSA_PSS);

	if (!fits)
		return false;
	switch (key->type) {
	case SIGNET_KEY_RSA:
	case SIGNET_KEY_RSA_PSS:
		return verify_rsa(key, algorithm, message, signature);
	case SIGNET_KEY_ECDSA:
		return verify_ecdsa(key, algorithm, message, signature);
	case SIGNET_KEY_ED25519:
		return verify_ed25519(key, message, signature);
	case SIGNET_KEY_ML_DSA:
		return key->variant == algorithm->variant && verify_ml_dsa(key, message, signature);
	}
	return false;
}
