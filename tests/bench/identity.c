// SPDX-License-Identifier: GPL-3.0-or-later
#include "identity.h"

#include <err.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define DAY (24 * 60 * 60)

static void make(struct identity *identity)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = X509_NAME_new();

	if (!key || !certificate || !name ||
	    !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bench",
					-1, -1, 0) ||
	    !X509_set_version(certificate, X509_VERSION_3) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) ||
	    !X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY) ||
	    !X509_gmtime_adj(X509_getm_notAfter(certificate), DAY) ||
	    !X509_set_subject_name(certificate, name) || !X509_set_issuer_name(certificate, name) ||
	    !X509_set_pubkey(certificate, key) || !X509_sign(certificate, key, EVP_sha256()))
		errx(1, "cannot make a certificate");
	identity->certificate_len = i2d_X509(certificate, &identity->certificate);
	identity->key_len = i2d_PrivateKey(key, &identity->key);
	if (identity->certificate_len <= 0 || identity->key_len <= 0)
		errx(1, "cannot encode a certificate");
	X509_NAME_free(name);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

const struct identity *identity_get(void)
{
	static struct identity identity;

	if (!identity.certificate)
		make(&identity);
	return &identity;
}
