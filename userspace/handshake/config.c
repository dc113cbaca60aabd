// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "alpn.h"
#include "cache.h"
#include "credential.h"
#include "file.h"
#include "server.h"
#include "signature.h"
#include "suite.h"
#include "ticket.h"
#include "verify.h"

#define DEFAULT_TIMEOUT 10000
#define DEFAULT_TICKETS 2
#define DEFAULT_TICKET_LIFETIME 43200
#define RSA_BITS_MIN 2048
#define ECC_BITS_MIN 256

#define SYSTEM_CERTIFICATES "/etc/ssl/certs/ca-certificates.crt"

/* What a session is bound to: everything that decides who may resume it. */
enum bound {
	BOUND_ROLE,
	BOUND_NAME,
	BOUND_TRUST,
	BOUND_CREDENTIAL,
};

static void bind_to(struct signet_config *config, enum bound kind, const void *data, size_t length)
{
	unsigned char tag = kind;
	wc_Sha256 hash;

	if (wc_InitSha256(&hash))
		return;
	wc_Sha256Update(&hash, config->binding, sizeof(config->binding));
	wc_Sha256Update(&hash, &tag, sizeof(tag));
	wc_Sha256Update(&hash, data, length);
	wc_Sha256Final(&hash, config->binding);
	wc_Sha256Free(&hash);
}

static void ask_certificate(struct signet_config *config, enum signet_client_auth mode)
{
	int flags = WOLFSSL_VERIFY_NONE;

	if (mode != SIGNET_CLIENT_AUTH_NONE)
		flags = WOLFSSL_VERIFY_PEER;
	if (mode == SIGNET_CLIENT_AUTH_REQUIRED)
		flags |= WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	wolfSSL_CTX_set_verify(config->context, flags, NULL);
	config->demands = mode == SIGNET_CLIENT_AUTH_REQUIRED;
	config->client_auth = mode;
}

static int apply_suites(struct signet_config *config, const char *names)
{
	struct signet_suite_filter filter = { .min_version = config->min_version };
	char list[SIGNET_SUITE_LIST_MAX];
	int ret;

	ret = signet_suite_list(list, names, &filter);
	if (ret)
		return ret;
	return wolfSSL_CTX_set_cipher_list(config->context, list) == WOLFSSL_SUCCESS ? 0 : -EINVAL;
}

/*
 * wolfSSL's session cache, which would keep secrets beyond the hand-over, is off: a client's
 * sessions are put together by ourselves, a server's are in the tickets that it has sent.
 */
static bool set_up_context(struct signet_config *config)
{
	WOLFSSL_CTX *context = config->context;

	ask_certificate(config, config->role == SIGNET_ROLE_CLIENT ? SIGNET_CLIENT_AUTH_REQUIRED :
								     SIGNET_CLIENT_AUTH_NONE);
	wolfSSL_CTX_SetPeerChainCb(context, signet_verify_chain);
	wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
	/* A resumed session has keys of its own (RFC 8446 4.2.9, psk_dhe_ke). */
	if (wolfSSL_CTX_only_dhe_psk(context))
		return false;
	if (config->role == SIGNET_ROLE_SERVER &&
	    (!signet_server_set_up(context) ||
	     signet_config_tickets(config, DEFAULT_TICKETS, DEFAULT_TICKET_LIFETIME)))
		return false;
	return wolfSSL_CTX_SetMinVersion(context, WOLFSSL_TLSV1_3) == WOLFSSL_SUCCESS &&
	       !signet_config_suites(config, SIGNET_DEFAULT_SUITES) &&
	       !signet_config_groups(config, SIGNET_DEFAULT_GROUPS) &&
	       wolfSSL_CTX_SetMinRsaKey_Sz(context, RSA_BITS_MIN) == WOLFSSL_SUCCESS &&
	       wolfSSL_CTX_SetMinEccKey_Sz(context, ECC_BITS_MIN) == WOLFSSL_SUCCESS;
}

static void destroy(struct signet_config *config)
{
	wolfSSL_CTX_free(config->context); /* which wipes the private key */
	wolfSSL_Cleanup();
	for (unsigned int i = 0; i < config->credential_count; i++)
		signet_credential_free(config->credentials[i]);
	free(config->credentials);
	signet_ticket_keys_free(config->ticket_keys);
	signet_cache_free(config->cache);
	signet_trust_clear(&config->trust);
	free(config->references);
	free(config->suites);
	free(config->alpn);
	free(config);
}

static bool allocate(struct signet_config *config)
{
	bool is_client = config->role == SIGNET_ROLE_CLIENT;

	config->references = malloc(sizeof(*config->references));
	config->context = wolfSSL_CTX_new(is_client ? wolfSSLv23_client_method() :
						      wolfSSLv23_server_method());
	if (!is_client)
		config->ticket_keys = signet_ticket_keys_new();
	return config->references && config->context && (is_client || config->ticket_keys);
}

int signet_config_new(enum signet_role role, struct signet_config **result)
{
	struct signet_config *config;

	if (!result || (role != SIGNET_ROLE_CLIENT && role != SIGNET_ROLE_SERVER))
		return -EINVAL;
	*result = NULL;
	if (wolfSSL_Init() != WOLFSSL_SUCCESS)
		return -ENOMEM;
	config = calloc(1, sizeof(*config));
	if (!config) {
		wolfSSL_Cleanup();
		return -ENOMEM;
	}
	config->role = role;
	config->timeout = DEFAULT_TIMEOUT;
	config->min_version = SIGNET_TLS_1_3;
	if (!allocate(config) || !set_up_context(config)) {
		destroy(config);
		return -ENOMEM;
	}
	atomic_init(config->references, 1);
	bind_to(config, BOUND_ROLE, &role, sizeof(role));
	*result = config;
	return 0;
}

const struct signet_config *signet_config_get(const struct signet_config *config)
{
	atomic_fetch_add(config->references, 1);
	return config;
}

void signet_config_put(const struct signet_config *config)
{
	if (atomic_fetch_sub(config->references, 1) == 1)
		destroy((struct signet_config *)config);
}

void signet_config_free(struct signet_config *config)
{
	if (config)
		signet_config_put(config);
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
	if (!config->client_auth_set)
		ask_certificate(config, SIGNET_CLIENT_AUTH_REQUIRED);
	ret = trust_all(config, file.data, file.size, is_public);
	if (!ret) {
		config->trusts = true;
		bind_to(config, BOUND_TRUST, file.data, file.size);
	}
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

int signet_config_client_auth(struct signet_config *config, enum signet_client_auth mode)
{
	if (!config || config->role != SIGNET_ROLE_SERVER || mode > SIGNET_CLIENT_AUTH_REQUIRED)
		return -EINVAL;
	config->client_auth_set = true;
	ask_certificate(config, mode);
	return 0;
}

/* Into a context of its own first: a pair that does not fit must leave the configuration alone. */
static int check_credential(const struct signet_config *config,
			    const struct signet_credential *credential)
{
	WOLFSSL_CTX *context;
	int ret;

	/* wolfSSL asks the signer for all signatures of a context, or for none. */
	if (config->credential_count && !credential->key_name != !config->credentials[0]->key_name)
		return -EINVAL;
	context = wolfSSL_CTX_new(wolfTLSv1_3_server_method());
	if (!context)
		return -ENOMEM;
	wolfSSL_CTX_SetMinRsaKey_Sz(context, RSA_BITS_MIN);
	wolfSSL_CTX_SetMinEccKey_Sz(context, ECC_BITS_MIN);
	ret = signet_credential_load(credential, context);
	wolfSSL_CTX_free(context);
	return ret;
}

static int append_credential(struct signet_config *config, struct signet_credential *credential)
{
	struct signet_credential **credentials;

	if (config->credential_count == SIGNET_CERTIFICATES_MAX)
		return -ENOSPC;
	credentials =
		realloc(config->credentials, (config->credential_count + 1) * sizeof(*credentials));
	if (!credentials)
		return -ENOMEM;
	config->credentials = credentials;
	credentials[config->credential_count++] = credential;
	return 0;
}

static int add_credential(struct signet_config *config, struct signet_credential *credential)
{
	int ret;

	ret = check_credential(config, credential);
	if (ret)
		return ret;
	if (config->role == SIGNET_ROLE_CLIENT && config->credential_count)
		signet_credential_free(config->credentials[--config->credential_count]);
	/* The others are loaded for the handshakes that need them. */
	if (!config->credential_count)
		ret = signet_credential_load(credential, config->context);
	if (!ret)
		ret = append_credential(config, credential);
	if (ret)
		return ret;
	if (credential->key_name)
		signet_signature_set_up(config->context);
	else if (credential->rsa)
		signet_signature_set_up_rsa(config->context);
	config->presents = true;
	bind_to(config, BOUND_CREDENTIAL, credential->leaf, sizeof(credential->leaf));
	return 0;
}

int signet_config_certificate(struct signet_config *config, const char *chain, const char *key)
{
	struct signet_credential *credential;
	int ret;

	if (!config || !key)
		return -EINVAL;
	ret = signet_credential_read(&credential, chain, key);
	if (ret)
		return ret;
	ret = add_credential(config, credential);
	if (ret)
		signet_credential_free(credential);
	return ret;
}

/* ML-DSA and P-521 have no way out of wolfSSL to a signer. */
static bool can_be_signed_for(const struct signet_credential *credential)
{
	return credential->kind == SIGNET_CREDENTIAL_P256 ||
	       credential->kind == SIGNET_CREDENTIAL_P384 ||
	       credential->kind == SIGNET_CREDENTIAL_RSA ||
	       credential->kind == SIGNET_CREDENTIAL_ED25519;
}

int signet_config_certificate_signer(struct signet_config *config, const char *chain,
				     const struct signet_signer *signer, const char *key)
{
	struct signet_credential *credential;
	int ret;

	if (!config || !signer || !signer->sign || !key)
		return -EINVAL;
	ret = signet_credential_read(&credential, chain, NULL);
	if (ret)
		return ret;
	credential->signer = *signer;
	credential->key_name = strdup(key);
	if (!credential->key_name)
		ret = -ENOMEM;
	else if (!can_be_signed_for(credential))
		ret = -EKEYREJECTED;
	else
		ret = add_credential(config, credential);
	if (ret)
		signet_credential_free(credential);
	return ret;
}

int signet_config_strict_names(struct signet_config *config, bool strict)
{
	if (!config || config->role != SIGNET_ROLE_SERVER)
		return -EINVAL;
	config->strict_names = strict;
	return 0;
}

int signet_config_alpn(struct signet_config *config, const char *protocols)
{
	char *copy;

	if (!config || !signet_alpn_is_list(protocols))
		return -EINVAL;
	copy = strdup(protocols);
	if (!copy)
		return -ENOMEM;
	free(config->alpn);
	config->alpn = copy;
	return 0;
}

int signet_config_min_version(struct signet_config *config, unsigned int version)
{
	int limit;

	if (!config || (version != SIGNET_TLS_1_2 && version != SIGNET_TLS_1_3))
		return -EINVAL;
	limit = version == SIGNET_TLS_1_2 ? WOLFSSL_TLSV1_2 : WOLFSSL_TLSV1_3;
	if (wolfSSL_CTX_SetMinVersion(config->context, limit) != WOLFSSL_SUCCESS)
		return -EINVAL;
	config->min_version = version;
	return apply_suites(config, config->suites);
}

int signet_config_suites(struct signet_config *config, const char *names)
{
	char *copy;
	int ret;

	if (!config || !names)
		return -EINVAL;
	ret = apply_suites(config, names);
	if (ret)
		return ret;
	copy = strdup(names);
	if (!copy)
		return -ENOMEM;
	free(config->suites);
	config->suites = copy;
	return 0;
}

int signet_config_groups(struct signet_config *config, const char *names)
{
	int groups[SIGNET_GROUPS_MAX], count;

	if (!config || !names)
		return -EINVAL;
	count = signet_group_list(groups, SIGNET_GROUPS_MAX, names);
	if (count < 0)
		return count;
	if (wolfSSL_CTX_set_groups(config->context, groups, count) != WOLFSSL_SUCCESS)
		return -EINVAL;
	memcpy(config->groups, groups, sizeof(groups));
	config->group_count = count;
	return 0;
}

int signet_config_timeout(struct signet_config *config, unsigned int ms)
{
	if (!config)
		return -EINVAL;
	config->timeout = ms;
	return 0;
}

int signet_config_name(struct signet_config *config, const char *name)
{
	size_t length = name ? strlen(name) : 0;

	if (!config || !name || length >= SIGNET_NAME_MAX)
		return -EINVAL;
	bind_to(config, BOUND_NAME, name, length);
	return 0;
}

int signet_config_tickets(struct signet_config *config, unsigned int count, unsigned int lifetime)
{
	WOLFSSL_CTX *context;

	if (!config || config->role != SIGNET_ROLE_SERVER || count > SIGNET_TICKETS_KEPT ||
	    !lifetime || lifetime > SIGNET_TICKET_LIFETIME_MAX)
		return -EINVAL;
	context = config->context;
	/* The hint is what clients are told; the timeout is what wolfSSL itself keeps to. */
	if (wolfSSL_CTX_set_num_tickets(context, count) != WOLFSSL_SUCCESS ||
	    wolfSSL_CTX_set_TicketHint(context, lifetime) != WOLFSSL_SUCCESS ||
	    wolfSSL_CTX_set_timeout(context, lifetime) != WOLFSSL_SUCCESS)
		return -EINVAL;
	config->tickets = count;
	config->ticket_lifetime = lifetime;
	return 0;
}

int signet_config_ticket_keys(struct signet_config *config, const void *keys, size_t size)
{
	if (!config || config->role != SIGNET_ROLE_SERVER)
		return -EINVAL;
	return signet_ticket_keys_set(config->ticket_keys, keys, size);
}

int signet_config_session_cache(struct signet_config *config, unsigned int entries)
{
	struct signet_cache *cache = NULL;

	if (!config || config->role != SIGNET_ROLE_CLIENT || entries > SIGNET_CACHE_MAX)
		return -EINVAL;
	if (entries) {
		cache = signet_cache_new(entries);
		if (!cache)
			return -ENOMEM;
	}
	signet_cache_free(config->cache);
	config->cache = cache;
	return 0;
}

int signet_collect_tickets(const struct signet_config *config, int fd)
{
	if (!config || !config->cache)
		return -EINVAL;
	return signet_cache_collect(config->cache, fd);
}
