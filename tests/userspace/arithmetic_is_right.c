// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wolfSSL's assembly computes what OpenSSL does, whatever a caller has left in the processor's vector
 * registers: each computation begins with all their bits set.
 */
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/sha512.h>
#include <wolfssl/wolfcrypt/wc_mlkem.h>

#include <openssl/evp.h>

#include "tap.h"

/* The wrong ones are not always wrong. */
#define TIMES 200

#define KEY 32
#define SIGNATURE 64
#define MESSAGE 1000

#define FILL(number) "vpcmpeqd %%ymm" #number ", %%ymm" #number ", %%ymm" #number "\n\t"

static WC_RNG generator;

/* Without AVX2 there are no upper halves that could be taken for empty. */
static void fill_registers(void)
{
#ifdef __x86_64__
	if (!__builtin_cpu_supports("avx2"))
		return;
	asm volatile(FILL(0) FILL(1) FILL(2) FILL(3) FILL(4) FILL(5) FILL(6) FILL(7) FILL(8) FILL(9)
			     FILL(10) FILL(11) FILL(12) FILL(13) FILL(14) FILL(15)
		     :
		     :
		     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
		       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#endif
}

static void fill_random(unsigned char *bytes, size_t length)
{
	if (wc_RNG_GenerateBlock(&generator, bytes, length))
		bail("no randomness");
}

static void openssl_public(int type, const unsigned char *private, unsigned char *public)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(type, NULL, private, KEY);
	size_t length = KEY;

	if (!key || EVP_PKEY_get_raw_public_key(key, public, &length) != 1 || length != KEY)
		bail("OpenSSL makes no public key");
	EVP_PKEY_free(key);
}

static bool x25519(void)
{
	unsigned char private[KEY], public[KEY], expected[KEY];

	fill_random(private, KEY);
	/* RFC 7748 5. */
	private[0] &= 248;
	private[31] &= 127;
	private[31] |= 64;
	openssl_public(EVP_PKEY_X25519, private, expected);
	fill_registers();
	return !wc_curve25519_make_pub(KEY, public, KEY, private) && !memcmp(public, expected, KEY);
}

static bool x25519_agrees(void)
{
	unsigned char secrets[2][KEY];
	word32 length[2] = { KEY, KEY };
	curve25519_key keys[2];
	bool good;

	for (int i = 0; i < 2; i++) {
		wc_curve25519_init(&keys[i]);
		fill_registers();
		if (wc_curve25519_make_key(&generator, KEY, &keys[i]))
			return false;
	}
	for (int i = 0; i < 2; i++) {
		fill_registers();
		if (wc_curve25519_shared_secret(&keys[i], &keys[1 - i], secrets[i], &length[i]))
			return false;
	}
	good = !memcmp(secrets[0], secrets[1], KEY);
	wc_curve25519_free(&keys[0]);
	wc_curve25519_free(&keys[1]);
	return good;
}

static void openssl_sign(const unsigned char *private, const unsigned char *message,
			 unsigned char *signature)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private, KEY);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = SIGNATURE;

	if (!key || !context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(context, signature, &length, message, MESSAGE) != 1)
		bail("OpenSSL does not sign");
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

static bool ed25519(void)
{
	unsigned char private[KEY], public[KEY], expected_public[KEY];
	unsigned char message[MESSAGE], signature[SIGNATURE], expected[SIGNATURE];
	word32 length = SIGNATURE;
	ed25519_key key;
	int verified = 0;
	bool good;

	fill_random(private, KEY);
	fill_random(message, MESSAGE);
	openssl_public(EVP_PKEY_ED25519, private, expected_public);
	openssl_sign(private, message, expected);
	wc_ed25519_init(&key);
	if (wc_ed25519_import_private_only(private, KEY, &key))
		return false;
	fill_registers();
	if (wc_ed25519_make_public(&key, public, KEY) || memcmp(public, expected_public, KEY) ||
	    wc_ed25519_import_public(public, KEY, &key))
		return false;
	fill_registers();
	good = !wc_ed25519_sign_msg(message, MESSAGE, signature, &length, &key) &&
	       !memcmp(signature, expected, SIGNATURE);
	fill_registers();
	good &= !wc_ed25519_verify_msg(expected, SIGNATURE, message, MESSAGE, &verified, &key) &&
		verified;
	wc_ed25519_free(&key);
	return good;
}

static bool p256(void)
{
	unsigned char digest[KEY], signature[80];
	word32 length = sizeof(signature);
	int verified = 0;
	ecc_key key;
	bool good;

	fill_random(digest, KEY);
	wc_ecc_init(&key);
	fill_registers();
	good = !wc_ecc_make_key(&generator, KEY, &key);
	fill_registers();
	good &= !wc_ecc_sign_hash(digest, KEY, signature, &length, &generator, &key);
	fill_registers();
	good &= !wc_ecc_verify_hash(signature, length, digest, KEY, &verified, &key) && verified;
	wc_ecc_free(&key);
	return good;
}

static bool ml_kem(void)
{
	static unsigned char ciphertext[WC_ML_KEM_768_CIPHER_TEXT_SIZE];
	static MlKemKey key;
	unsigned char secret[WC_ML_KEM_SS_SZ], same[WC_ML_KEM_SS_SZ];
	bool good;

	if (wc_MlKemKey_Init(&key, WC_ML_KEM_768, NULL, INVALID_DEVID))
		return false;
	fill_registers();
	good = !wc_MlKemKey_MakeKey(&key, &generator);
	fill_registers();
	good &= !wc_MlKemKey_Encapsulate(&key, ciphertext, secret, &generator);
	fill_registers();
	good &= !wc_MlKemKey_Decapsulate(&key, same, ciphertext, sizeof(ciphertext)) &&
		!memcmp(secret, same, sizeof(secret));
	wc_MlKemKey_Free(&key);
	return good;
}

static bool sha2(void)
{
	static const struct {
		const EVP_MD *(*openssl)(void);
		int (*hash)(const byte *data, word32 length, byte *digest);
	} hashes[] = {
		{ EVP_sha256, wc_Sha256Hash },
		{ EVP_sha384, wc_Sha384Hash },
		{ EVP_sha512, wc_Sha512Hash },
	};
	unsigned char message[MESSAGE], digest[EVP_MAX_MD_SIZE], expected[EVP_MAX_MD_SIZE];
	unsigned int length;

	fill_random(message, MESSAGE);
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		EVP_Digest(message, MESSAGE, expected, &length, hashes[i].openssl(), NULL);
		fill_registers();
		if (hashes[i].hash(message, MESSAGE, digest) || memcmp(digest, expected, length))
			return false;
	}
	return true;
}

static void check(bool (*compute)(void), const char *what)
{
	int right = 0;

	for (int i = 0; i < TIMES; i++)
		right += compute();
	ok(right == TIMES, "%s: %d of %d are right", what, right, TIMES);
}

int main(void)
{
	tap_begin();
	if (wc_InitRng(&generator))
		bail("no random generator");
	check(x25519, "public keys of X25519");
	check(x25519_agrees, "shared secrets of X25519");
	check(ed25519, "keys and signatures of Ed25519");
	check(p256, "signatures of P-256");
	check(ml_kem, "secrets of ML-KEM-768");
	check(sha2, "digests of SHA-2");
	wc_FreeRng(&generator);
	return tap_end();
}
