// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>

#include "file.h"
#include "verify.h"

#define DEFAULT_TIMEOUT 10000
#define RSA_BITS_MIN 2048
#define ECC_BITS_MIN 256

#define SYSTEM_CERTIFICATES "/etc/ssl/certs/ca-certificates.crt"

/* The suites that the module has (RFC 8446 B.4). */
#define SUITES "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384"

/* In this order: the first is safe also from a quantum computer that comes later. */
static int groups[] = {
	WOLFSSL_X25519MLKEM768,
	WOLFSSL_ECC_X25519,
	WOLFSSL_ECC_SECP256R1,
	WOLFSSL_ECC_SECP384R1,
};

static void demand_certificate(struct signet_config *config)
{
	wolfSSL_CTX_set_verify(config->context,
			       WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	wolfSSL_CTX_SetPeerChainCb(config->context, signet_verify_chain);
	config->demands = true;
}

/*
 * A server sends no tickets: nothing here could resume a session yet, and a resumed one would need
 * its client certificate judged again. wolfSSL's session cache, which would keep secrets beyond
 * the hand-over, is off for the same reason.
 */
static bool set_up_context(struct signet_config *config)
{
	WOLFSSL_CTX *context = config->context;

	if (config->role == SIGNET_ROLE_CLIENT)
		demand_certificate(config);
	else
		wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, NULL);
	wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
	if (config->role == SIGNET_ROLE_SERVER &&
	    wolfSSL_CTX_set_num_tickets(context, 0) != WOLFSSL_SUCCESS)
		return false;
	return wolfSSL_CTX_set_cipher_list(context, SUITES) == WOLFSSL_SUCCESS &&
	       wolfSSL_CTX_set_groups(context, groups, sizeof(groups) / sizeof(groups[0])) ==
		       WOLFSSL_SUCCESS &&
	       wolfSSL_CTX_SetMinRsaKey_Sz(context, RSA_BITS_MIN) == WOLFSSL_SUCCESS &&
	       wolfSSL_CTX_SetMinEccKey_Sz(context, ECC_BITS_MIN) == WOLFSSL_SUCCESS;
}

int signet_config_new(enum signet_role role, struct signet_config **result)
{
	struct signet_config *config;

	if (!result || (role != SIGNET_ROLE_CLIENT && role != SIGNET_ROLE_SERVER))
		return -EINVAL;
	*result = NULL;
	config = calloc(1, sizeof(*config));
	if (!config)
		return -ENOMEM;
	config->role = role;
	config->timeout = DEFAULT_TIMEOUT;
	if (wolfSSL_Init() != WOLFSSL_SUCCESS)
		goto free_config;
	config->context = wolfSSL_CTX_new(role == SIGNET_ROLE_CLIENT ? wolfTLSv1_3_client_method() :
								       wolfTLSv1_3_server_method());
	if (!config->context || !set_up_context(config))
		goto free_context;
	*result = config;
	return 0;

free_context:
	wolfSSL_CTX_free(config->context);
	wolfSSL_Cleanup();
free_config:
	free(config);
	return -ENOMEM;
}

void signet_config_free(struct signet_config *config)
{
	if (!config)
		return;
	wolfSSL_CTX_free(config->context); /* which wipes the private key */
	wolfSSL_Cleanup();
	signet_trust_clear(&config->trust);
	free(config);
}

/* Return: as signet_trust_add(), and -EKEYREJECTED for what is no PEM. */
static int trust_one(struct signet_config *config, const char *pem, size_t length, bool is_public)
{
	DerBuffer *der = NULL;
	int ret;

	if (wc_PemToDer((const unsigned char *)pem, length, CA_TYPE, &der, NULL, NULL, NULL))
		return -EKEYREJECTED;
	ret = signet_trust_add(&config->trust, der->buffer, der->length, is_public);
	wc_FreeDer(&der);
	return ret;
}

/*
 * One that cannot be an anchor (expired, not a CA's) does not spoil the others: a bundle in which
 * the old authority has run out beside the new one goes on working.
 */
static int trust_all(struct signet_config *config, const char *pem, size_t size, bool is_public)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	static const char end[] = "-----END CERTIFICATE-----";
	const char *from, *to, *limit = pem + size;
	size_t found = 0, trusted = 0;
	int ret;

	while ((from = memmem(pem, limit - pem, begin, sizeof(begin) - 1))) {
		to = memmem(from, limit - from, end, sizeof(end) - 1);
		if (!to)
			break;
		pem = to + sizeof(end) - 1;
		found++;
		ret = trust_one(config, from, pem - from, is_public);
		if (ret == -ENOMEM)
			return ret;
		trusted += !ret;
	}
	if (!found)
		return -EINVAL;
	return trusted ? 0 : -EKEYREJECTED;
}

static int trust_file(struct signet_config *config, const char *path, bool is_public)
{
	struct signet_file file;
	int ret;

	ret = signet_file_read(&file, path);
	if (ret)
		return ret;
	demand_certificate(config);
	ret = trust_all(config, file.data, file.size, is_public);
	signet_file_free(&file);
	return ret;
}

int signet_config_ca_file(struct signet_config *config, const char *path)
{
	return config ? trust_file(config, path, false) : -EINVAL;
}

int signet_config_ca_system(struct signet_config *config)
{
	if (!config || config->role != SIGNET_ROLE_CLIENT)
		return -EINVAL;
	return trust_file(config, SYSTEM_CERTIFICATES, true);
}

static int load_certificate(struct signet_config *config, const struct signet_file *chain,
			    const struct signet_file *key)
{
	WOLFSSL_CTX *context = config->context;

	if (wolfSSL_CTX_use_certificate_chain_buffer(context, (unsigned char *)chain->data,
						     chain->size) != WOLFSSL_SUCCESS)
		return -EINVAL;
	if (wolfSSL_CTX_use_PrivateKey_buffer(context, (unsigned char *)key->data, key->size,
					      WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
		return -EINVAL;
	if (wolfSSL_CTX_check_private_key(context) != WOLFSSL_SUCCESS)
		return -EKEYREJECTED;
	config->presents = true;
	return 0;
}

int signet_config_certificate(struct signet_config *config, const char *chain, const char *key)
{
	struct signet_file chain_file, key_file;
	int ret;

	if (!config)
		return -EINVAL;
	config->presents = false;
	ret = signet_file_read(&chain_file, chain);
	if (ret)
		return ret;
	ret = signet_file_read(&key_file, key);
	if (ret)
		goto free_chain;
	ret = load_certificate(config, &chain_file, &key_file);
	signet_file_free(&key_file);
free_chain:
	signet_file_free(&chain_file);
	return ret;
}

int signet_config_timeout(struct signet_config *config, unsigned int ms)
{
	if (!config)
		return -EINVAL;
	config->timeout = ms;
	return 0;
}
