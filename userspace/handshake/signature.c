// SPDX-License-Identifier: GPL-3.0-or-later
#include "signature.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include "credential.h"
#include "rsa.h"

/* Bytes. */
enum { DIGEST_SHA256 = 32, DIGEST_SHA384 = 48, DIGEST_SHA512 = 64 };

static unsigned int by_digest(size_t length, unsigned int sha256, unsigned int sha384,
			      unsigned int sha512)
{
	switch (length) {
	case DIGEST_SHA256:
		return sha256;
	case DIGEST_SHA384:
		return sha384;
	case DIGEST_SHA512:
		return sha512;
	default:
		return 0;
	}
}

static int ask(struct signet_signature *signature, unsigned int scheme, const void *data,
	       size_t length)
{
	const struct signet_signer *signer = &signature->credential->signer;
	struct signet_signature_request request = {
		.handshake = signature->handshake,
		.key = signature->credential->key_name,
		.scheme = scheme,
		.data = data,
		.length = length,
	};
	int ret;

	if (!scheme || length > SIGNET_SIGNED_MAX)
		return -EOPNOTSUPP;
	signature->state = SIGNET_SIGNATURE_AWAITED;
	ret = signer->sign(signer->context, &request);
	if (ret)
		signature->state = SIGNET_SIGNATURE_NONE;
	return ret;
}

static void drop(struct signet_signature *signature)
{
	free(signature->bytes);
	signature->bytes = NULL;
	signature->length = 0;
	signature->state = SIGNET_SIGNATURE_NONE;
}

/* Return: the error that wolfSSL is to get, or 0. */
static int sign_here(struct signet_signature *signature, unsigned int scheme, const void *data,
		     size_t length, unsigned char *out, word32 *out_len)
{
	size_t room = *out_len;

	signature->error =
		signet_rsa_sign(signature->credential->rsa, scheme, data, length, out, &room);
	*out_len = room;
	return signature->error ? WC_HW_E : 0;
}

/*
 * What all callbacks come to. wolfSSL takes WC_PENDING_E for "not yet" and calls again, with the
 * same data, when the handshake goes on.
 */
static int sign(void *context, unsigned int scheme, const void *data, size_t length,
		unsigned char *out, word32 *out_len)
{
	struct signet_signature *signature = context;
	int ret;

	if (!signature || !signature->credential)
		return WC_HW_E;
	if (signature->credential->rsa)
		return sign_here(signature, scheme, data, length, out, out_len);
	if (!signature->credential->key_name)
		return WC_HW_E;
	if (signature->state == SIGNET_SIGNATURE_NONE) {
		ret = ask(signature, scheme, data, length);
		if (ret)
			signature->error = ret;
	}
	if (signature->state == SIGNET_SIGNATURE_AWAITED)
		return WC_PENDING_E;
	if (!signature->error && signature->length > *out_len)
		signature->error = -EMSGSIZE;
	if (signature->error)
		return WC_HW_E;
	memcpy(out, signature->bytes, signature->length);
	*out_len = signature->length;
	drop(signature);
	return 0;
}

static int sign_ecdsa(WOLFSSL *ssl, const unsigned char *in, unsigned int length,
		      unsigned char *out, word32 *out_len, const unsigned char *key,
		      unsigned int key_len, void *context)
{
	(void)ssl;
	(void)key;
	(void)key_len;
	return sign(context,
		    by_digest(length, SIGNET_ECDSA_SHA256, SIGNET_ECDSA_SHA384,
			      SIGNET_ECDSA_SHA512),
		    in, length, out, out_len);
}

static int sign_ed25519(WOLFSSL *ssl, const unsigned char *in, unsigned int length,
			unsigned char *out, unsigned int *out_len, const unsigned char *key,
			unsigned int key_len, void *context)
{
	(void)ssl;
	(void)key;
	(void)key_len;
	return sign(context, SIGNET_ED25519, in, length, out, out_len);
}

/* TLS 1.2: what comes is the DigestInfo (RFC 8017 9.2), which ends with the digest. */
static int sign_rsa(WOLFSSL *ssl, const unsigned char *in, unsigned int length, unsigned char *out,
		    word32 *out_len, const unsigned char *key, unsigned int key_len, void *context)
{
	static const unsigned int digest_info = 19;

	(void)ssl;
	(void)key;
	(void)key_len;
	if (length < digest_info)
		return BAD_FUNC_ARG;
	return sign(context,
		    by_digest(length - digest_info, SIGNET_RSA_PKCS1_SHA256,
			      SIGNET_RSA_PKCS1_SHA384, SIGNET_RSA_PKCS1_SHA512),
		    in + digest_info, length - digest_info, out, out_len);
}

static int sign_rsa_pss(WOLFSSL *ssl, const unsigned char *in, unsigned int length,
			unsigned char *out, unsigned int *out_len, int hash, int mgf,
			const unsigned char *key, unsigned int key_len, void *context)
{
	(void)ssl;
	(void)hash;
	(void)mgf;
	(void)key;
	(void)key_len;
	return sign(context,
		    by_digest(length, SIGNET_RSA_PSS_SHA256, SIGNET_RSA_PSS_SHA384,
			      SIGNET_RSA_PSS_SHA512),
		    in, length, out, out_len);
}

static bool is_checked(const struct signet_signature *signature)
{
	return signature->credential->rsa;
}

static int load_public_key(const struct signet_signature *signature, RsaKey *key)
{
	const struct signet_credential *credential = signature->credential;
	word32 index = 0;
	int ret;

	ret = wc_InitRsaKey(key, NULL);
	if (ret)
		return ret;
	ret = wc_RsaPublicKeyDecode(credential->public_key, &index, key,
				    credential->public_key_len);
	if (ret)
		wc_FreeRsaKey(key);
	return ret;
}

/*
 * wolfSSL checks an RSA signature before it is sent, since a faulty one would give the key away; it
 * has only the certificate's key to do it with. Return: the length of what was signed, or 0 when it
 * was checked as it was made.
 */
static int check_rsa(WOLFSSL *ssl, unsigned char *bytes, unsigned int length, unsigned char **out,
		     const unsigned char *der, unsigned int der_len, void *context)
{
	RsaKey key;
	int ret;

	(void)ssl;
	(void)der;
	(void)der_len;
	if (is_checked(context))
		return 0;
	ret = load_public_key(context, &key);
	if (ret)
		return ret;
	ret = wc_RsaSSL_VerifyInline(bytes, length, out, &key);
	wc_FreeRsaKey(&key);
	return ret ? ret : RSA_SIGN_FAULT;
}

static int check_rsa_pss(WOLFSSL *ssl, unsigned char *bytes, unsigned int length,
			 unsigned char **out, int hash, int mgf, const unsigned char *der,
			 unsigned int der_len, void *context)
{
	RsaKey key;
	int ret;

	(void)ssl;
	(void)der;
	(void)der_len;
	if (is_checked(context))
		return 0;
	ret = load_public_key(context, &key);
	if (ret)
		return ret;
	ret = wc_RsaPSS_VerifyInline(bytes, length, out, wc_OidGetHash(hash), mgf, &key);
	wc_FreeRsaKey(&key);
	return ret ? ret : RSA_SIGN_FAULT;
}

void signet_signature_set_up_rsa(WOLFSSL_CTX *context)
{
	wolfSSL_CTX_SetRsaSignCb(context, sign_rsa);
	wolfSSL_CTX_SetRsaSignCheckCb(context, check_rsa);
	wolfSSL_CTX_SetRsaPssSignCb(context, sign_rsa_pss);
	wolfSSL_CTX_SetRsaPssSignCheckCb(context, check_rsa_pss);
}

void signet_signature_set_up(WOLFSSL_CTX *context)
{
	signet_signature_set_up_rsa(context);
	wolfSSL_CTX_SetEccSignCb(context, sign_ecdsa);
	wolfSSL_CTX_SetEd25519SignCb(context, sign_ed25519);
}

void signet_signature_begin(struct signet_signature *signature, WOLFSSL *ssl)
{
	wolfSSL_SetEccSignCtx(ssl, signature);
	wolfSSL_SetEd25519SignCtx(ssl, signature);
	wolfSSL_SetRsaSignCtx(ssl, signature);
	wolfSSL_SetRsaPssSignCtx(ssl, signature);
}

int signet_signature_give(struct signet_signature *signature, const void *bytes, size_t length,
			  int error)
{
	if (signature->state != SIGNET_SIGNATURE_AWAITED)
		return -EALREADY;
	if (error > 0 || (!error && (!bytes || !length || length > SIGNET_SIGNATURE_MAX)))
		return -EINVAL;
	signature->state = SIGNET_SIGNATURE_GIVEN;
	signature->error = error;
	if (error)
		return 0;
	signature->bytes = malloc(length);
	if (!signature->bytes) {
		signature->error = -ENOMEM;
		return 0;
	}
	memcpy(signature->bytes, bytes, length);
	signature->length = length;
	return 0;
}

void signet_signature_cancel(struct signet_signature *signature)
{
	bool awaited = signature->state == SIGNET_SIGNATURE_AWAITED;
	const struct signet_signer *signer;

	drop(signature);
	if (!awaited)
		return;
	signer = &signature->credential->signer;
	if (signer->cancel)
		signer->cancel(signer->context, signature->handshake);
}
