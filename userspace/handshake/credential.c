// SPDX-License-Identifier: GPL-3.0-or-later
#include "credential.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "name.h"
#include "rsa.h"
#include "secret.h"

/* RFC 8446 4.2.3; those of ML-DSA as in draft-ietf-tls-mldsa. */
static const struct {
	enum signet_credential_kind kind;
	unsigned int scheme;
	bool only_1_2;
} schemes[] = {
	{ SIGNET_CREDENTIAL_P256, SIGNET_ECDSA_SHA256, false },
	{ SIGNET_CREDENTIAL_P256, SIGNET_ECDSA_SHA384, true },
	{ SIGNET_CREDENTIAL_P256, SIGNET_ECDSA_SHA512, true },
	{ SIGNET_CREDENTIAL_P384, SIGNET_ECDSA_SHA384, false },
	{ SIGNET_CREDENTIAL_P384, SIGNET_ECDSA_SHA256, true },
	{ SIGNET_CREDENTIAL_P384, SIGNET_ECDSA_SHA512, true },
	{ SIGNET_CREDENTIAL_P521, SIGNET_ECDSA_SHA512, false },
	{ SIGNET_CREDENTIAL_P521, SIGNET_ECDSA_SHA384, true },
	{ SIGNET_CREDENTIAL_P521, SIGNET_ECDSA_SHA256, true },
	{ SIGNET_CREDENTIAL_RSA, SIGNET_RSA_PSS_SHA256, false },
	{ SIGNET_CREDENTIAL_RSA, SIGNET_RSA_PSS_SHA384, false },
	{ SIGNET_CREDENTIAL_RSA, SIGNET_RSA_PSS_SHA512, false },
	{ SIGNET_CREDENTIAL_RSA, SIGNET_RSA_PKCS1_SHA256, true },
	{ SIGNET_CREDENTIAL_RSA, SIGNET_RSA_PKCS1_SHA384, true },
	{ SIGNET_CREDENTIAL_RSA, SIGNET_RSA_PKCS1_SHA512, true },
	{ SIGNET_CREDENTIAL_ED25519, SIGNET_ED25519, false },
	{ SIGNET_CREDENTIAL_MLDSA44, 0x0904, false },
	{ SIGNET_CREDENTIAL_MLDSA65, 0x0905, false },
	{ SIGNET_CREDENTIAL_MLDSA87, 0x0906, false },
};

static int kind_of_curve(word32 curve, enum signet_credential_kind *kind)
{
	switch (curve) {
	case ECC_SECP256R1_OID:
		*kind = SIGNET_CREDENTIAL_P256;
		return 0;
	case ECC_SECP384R1_OID:
		*kind = SIGNET_CREDENTIAL_P384;
		return 0;
	case ECC_SECP521R1_OID:
		*kind = SIGNET_CREDENTIAL_P521;
		return 0;
	default:
		return -EKEYREJECTED;
	}
}

static int kind_of(const DecodedCert *leaf, enum signet_credential_kind *kind)
{
	switch (leaf->keyOID) {
	case ECDSAk:
		return kind_of_curve(leaf->pkCurveOID, kind);
	case RSAk:
		*kind = SIGNET_CREDENTIAL_RSA;
		return 0;
	case ED25519k:
		*kind = SIGNET_CREDENTIAL_ED25519;
		return 0;
	case ML_DSA_44k:
		*kind = SIGNET_CREDENTIAL_MLDSA44;
		return 0;
	case ML_DSA_65k:
		*kind = SIGNET_CREDENTIAL_MLDSA65;
		return 0;
	case ML_DSA_87k:
		*kind = SIGNET_CREDENTIAL_MLDSA87;
		return 0;
	default:
		return -EKEYREJECTED;
	}
}

static int copy_names(struct signet_credential *credential, const DecodedCert *leaf)
{
	unsigned int count = 0;

	for (const DNS_entry *entry = leaf->altNames; entry; entry = entry->next)
		count += entry->type == ASN_DNS_TYPE;
	credential->names = calloc(count + 1, sizeof(*credential->names));
	if (!credential->names)
		return -ENOMEM;
	for (const DNS_entry *entry = leaf->altNames; entry; entry = entry->next) {
		if (entry->type != ASN_DNS_TYPE)
			continue;
		credential->names[credential->name_count] = strndup(entry->name, entry->len);
		if (!credential->names[credential->name_count++])
			return -ENOMEM;
	}
	return 0;
}

static int copy_public_key(struct signet_credential *credential, const DerBuffer *der)
{
	word32 size = der->length;

	credential->public_key = malloc(size);
	if (!credential->public_key)
		return -ENOMEM;
	if (wc_GetSubjectPubKeyInfoDerFromCert(der->buffer, der->length, credential->public_key,
					       &size) < 0)
		return -EINVAL;
	credential->public_key_len = size;
	return 0;
}

static int examine_der(struct signet_credential *credential, const DerBuffer *der)
{
	DecodedCert leaf;
	int ret = -EINVAL;

	wc_InitDecodedCert(&leaf, der->buffer, der->length, NULL);
	if (wc_ParseCert(&leaf, CERT_TYPE, NO_VERIFY, NULL) ||
	    wc_Sha256Hash(der->buffer, der->length, credential->leaf))
		goto free_decoded;
	ret = kind_of(&leaf, &credential->kind);
	if (!ret)
		ret = copy_names(credential, &leaf);
	if (!ret)
		ret = copy_public_key(credential, der);
free_decoded:
	wc_FreeDecodedCert(&leaf);
	return ret;
}

static int examine(struct signet_credential *credential)
{
	DerBuffer *der = NULL;
	int ret;

	/* The first one of the file is the leaf. */
	if (wc_PemToDer((unsigned char *)credential->chain.data, credential->chain.size, CERT_TYPE,
			&der, NULL, NULL, NULL))
		return -EINVAL;
	ret = examine_der(credential, der);
	wc_FreeDer(&der);
	return ret;
}

/* Without it wolfSSL signs, more slowly; a key that is none is refused when it is loaded. */
static void take_rsa(struct signet_credential *credential)
{
	EncryptedInfo info = {};
	DerBuffer *der = NULL;
	int format = 0;

	if (credential->kind != SIGNET_CREDENTIAL_RSA ||
	    wc_PemToDer((unsigned char *)credential->key.data, credential->key.size,
			PRIVATEKEY_TYPE, &der, NULL, &info, &format))
		return;
	credential->rsa = signet_rsa_new(der->buffer, der->length);
	explicit_bzero(der->buffer, der->length);
	wc_FreeDer(&der);
}

int signet_credential_read(struct signet_credential **result, const char *chain, const char *key)
{
	struct signet_credential *credential = calloc(1, sizeof(*credential));
	int ret;

	if (!credential)
		return -ENOMEM;
	ret = signet_file_read(&credential->chain, chain);
	if (!ret)
		ret = examine(credential);
	if (!ret && key)
		ret = signet_file_read(&credential->key, key);
	if (ret) {
		signet_credential_free(credential);
		return ret;
	}
	signet_secret_inherit(credential->chain.data, credential->chain.room);
	if (key) {
		signet_secret_inherit(credential->key.data, credential->key.room);
		take_rsa(credential);
	}
	*result = credential;
	return 0;
}

void signet_credential_free(struct signet_credential *credential)
{
	if (!credential)
		return;
	for (unsigned int i = 0; i < credential->name_count; i++)
		free(credential->names[i]);
	free(credential->names);
	free(credential->public_key);
	free(credential->key_name);
	signet_rsa_free(credential->rsa);
	signet_file_free(&credential->key);
	signet_file_free(&credential->chain);
	free(credential);
}

int signet_credential_load(const struct signet_credential *credential, WOLFSSL_CTX *context)
{
	const struct signet_file *chain = &credential->chain, *key = &credential->key;

	if (wolfSSL_CTX_use_certificate_chain_buffer(context, (unsigned char *)chain->data,
						     chain->size) != WOLFSSL_SUCCESS)
		return -EINVAL;
	if (!key->size)
		return 0;
	if (wolfSSL_CTX_use_PrivateKey_buffer(context, (unsigned char *)key->data, key->size,
					      WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
		return -EINVAL;
	return wolfSSL_CTX_check_private_key(context) == WOLFSSL_SUCCESS ? 0 : -EKEYREJECTED;
}

bool signet_credential_present(const struct signet_credential *credential, WOLFSSL *ssl)
{
	const struct signet_file *chain = &credential->chain, *key = &credential->key;

	if (wolfSSL_use_certificate_chain_buffer(ssl, (unsigned char *)chain->data, chain->size) !=
	    WOLFSSL_SUCCESS)
		return false;
	return !key->size ||
	       wolfSSL_use_PrivateKey_buffer(ssl, (unsigned char *)key->data, key->size,
					     WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS;
}

static bool serves(const struct signet_credential *credential, const struct signet_name *name)
{
	for (unsigned int i = 0; i < credential->name_count; i++) {
		if (signet_name_matches_dns(name, credential->names[i],
					    strlen(credential->names[i])))
			return true;
	}
	return false;
}

static bool any_serves(const struct signet_config *config, const struct signet_name *name)
{
	for (unsigned int i = 0; i < config->credential_count; i++) {
		if (serves(config->credentials[i], name))
			return true;
	}
	return false;
}

bool signet_credential_serves(const struct signet_config *config, const char *name)
{
	struct signet_name parsed;

	return !signet_name_parse(&parsed, name) && any_serves(config, &parsed);
}

enum signet_authentication
signet_credential_authentication(const struct signet_credential *credential)
{
	return credential->kind == SIGNET_CREDENTIAL_RSA ? SIGNET_AUTHENTICATION_RSA :
							   SIGNET_AUTHENTICATION_ECDSA;
}

static bool scheme_fits(enum signet_credential_kind kind, unsigned int scheme, bool modern)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (schemes[i].kind == kind && schemes[i].scheme == scheme)
			return !modern || !schemes[i].only_1_2;
	}
	return false;
}

/* TLS 1.2: the suite names the kind of credential, too. */
static bool suites_fit(const struct signet_credential *credential, const byte *suites, word16 size)
{
	enum signet_authentication wanted = signet_credential_authentication(credential);
	const struct signet_suite *suite;

	for (word16 i = 0; i + 1 < size; i += 2) {
		suite = signet_suite_find(suites[i] << 8 | suites[i + 1]);
		if (suite && suite->authentication == wanted)
			return true;
	}
	return false;
}

static bool fits(const struct signet_credential *credential, WOLFSSL *ssl)
{
	bool modern = wolfSSL_version(ssl) == TLS1_3_VERSION;
	const byte *suites, *algorithms;
	word16 suites_len, algorithms_len;

	wolfSSL_get_client_suites_sigalgs(ssl, &suites, &suites_len, &algorithms, &algorithms_len);
	if (!modern && !suites_fit(credential, suites, suites_len))
		return false;
	for (word16 i = 0; i + 1 < algorithms_len; i += 2) {
		if (scheme_fits(credential->kind, algorithms[i] << 8 | algorithms[i + 1], modern))
			return true;
	}
	return false;
}

/* Whether it stands for the same names as the default one. */
static bool is_default(const struct signet_config *config,
		       const struct signet_credential *credential)
{
	const struct signet_credential *first = config->credentials[0];

	for (unsigned int i = 0; first->name_count && i < credential->name_count; i++) {
		if (!strcmp(credential->names[i], first->names[0]))
			return true;
	}
	return credential == first;
}

const struct signet_credential *signet_credential_choose(const struct signet_config *config,
							 const char *name, WOLFSSL *ssl)
{
	const struct signet_credential *chosen = NULL, *candidate;
	struct signet_name wanted;
	bool known;

	known = *name && !signet_name_parse(&wanted, name) && any_serves(config, &wanted);
	for (unsigned int i = 0; i < config->credential_count; i++) {
		candidate = config->credentials[i];
		if (known ? !serves(candidate, &wanted) : !is_default(config, candidate))
			continue;
		if (fits(candidate, ssl))
			return candidate;
		if (!chosen)
			chosen = candidate;
	}
	return chosen;
}
