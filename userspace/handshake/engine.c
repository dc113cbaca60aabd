// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "config.h"
#include "failure.h"
#include "name.h"
#include "secret.h"
#include "transport.h"
#include "verify.h"

/**
 * struct signet_engine - one handshake
 * @config:	shared with other handshakes
 * @ssl:	wolfSSL's object
 * @transport:	the socket
 * @name:	the server's name, of a client
 * @verify:	the peer's certificate
 * @keys:	in memory for secrets; valid once @complete
 * @complete:	the handshake is over and the peer authenticated
 * @failure:	how it failed
 */
struct signet_engine {
	const struct signet_config *config;
	WOLFSSL *ssl;
	struct signet_transport transport;
	struct signet_name name;
	struct signet_verify verify;
	struct signet_keys *keys;
	bool complete;
	struct signet_failure failure;
};

/*
 * A server learns its application secrets when it has sent its Finished, which is before the client
 * is authenticated. So they are only kept here, and become keys in complete().
 */
static int keep_secret(WOLFSSL *ssl, int id, const unsigned char *secret, int length, void *context)
{
	struct signet_engine *engine = context;
	enum signet_role sender;
	struct signet_crypto *crypto;

	(void)ssl;
	if (id == CLIENT_TRAFFIC_SECRET)
		sender = SIGNET_ROLE_CLIENT;
	else if (id == SERVER_TRAFFIC_SECRET)
		sender = SIGNET_ROLE_SERVER;
	else
		return 0;
	if (length <= 0 || length > SIGNET_SECRET_MAX)
		return -1;
	crypto = sender == engine->config->role ? &engine->keys->tx : &engine->keys->rx;
	memcpy(crypto->secret, secret, length);
	crypto->secret_len = length;
	return 0;
}

/* SNI carries DNS names only (RFC 6066 3). */
static bool ask_for_name(struct signet_engine *engine)
{
	size_t length;
	const char *host = signet_name_host(&engine->name, &length);

	if (!host)
		return true;
	return wolfSSL_UseSNI(engine->ssl, WOLFSSL_SNI_HOST_NAME, host, length) == WOLFSSL_SUCCESS;
}

/* Two shares, so that a server without the hybrid group costs no second round trip. */
static bool offer_shares(struct signet_engine *engine)
{
	return wolfSSL_UseKeyShare(engine->ssl, WOLFSSL_X25519MLKEM768) == WOLFSSL_SUCCESS &&
	       wolfSSL_UseKeyShare(engine->ssl, WOLFSSL_ECC_X25519) == WOLFSSL_SUCCESS;
}

static bool set_up_ssl(struct signet_engine *engine)
{
	WOLFSSL *ssl;

	ssl = wolfSSL_new(engine->config->context);
	if (!ssl)
		return false;
	engine->ssl = ssl;
	wolfSSL_SSLSetIORecv(ssl, signet_transport_receive);
	wolfSSL_SSLSetIOSend(ssl, signet_transport_send);
	wolfSSL_SetIOReadCtx(ssl, &engine->transport);
	wolfSSL_SetIOWriteCtx(ssl, &engine->transport);
	wolfSSL_SetCertCbCtx(ssl, &engine->verify);
	if (wolfSSL_set_tls13_secret_cb(ssl, keep_secret, engine) != WOLFSSL_SUCCESS)
		return false;
	return engine->config->role == SIGNET_ROLE_SERVER ||
	       (ask_for_name(engine) && offer_shares(engine));
}

static int check_arguments(const struct signet_config *config, const char *server_name)
{
	if (!config)
		return -EINVAL;
	if (config->role == SIGNET_ROLE_CLIENT)
		return server_name ? 0 : -EINVAL;
	return config->presents && !server_name ? 0 : -EINVAL;
}

int signet_engine_new(const struct signet_config *config, int fd, const char *server_name,
		      struct signet_engine **result)
{
	struct signet_engine *engine;
	int ret;

	*result = NULL;
	ret = check_arguments(config, server_name);
	if (ret)
		return ret;
	engine = calloc(1, sizeof(*engine));
	if (!engine)
		return -ENOMEM;
	engine->config = config;
	engine->transport.fd = fd;
	engine->verify.peer_role = SIGNET_ROLE_CLIENT;
	engine->verify.trust = &config->trust;
	if (server_name) {
		ret = signet_name_parse(&engine->name, server_name);
		if (ret)
			goto free_engine;
		engine->verify.peer_role = SIGNET_ROLE_SERVER;
		engine->verify.name = &engine->name;
	}

	ret = -ENOMEM;
	engine->keys = signet_secret_alloc(sizeof(*engine->keys));
	if (!engine->keys || !set_up_ssl(engine))
		goto free_engine;
	*result = engine;
	return 0;

free_engine:
	signet_engine_free(engine);
	return ret;
}

void signet_engine_free(struct signet_engine *engine)
{
	if (!engine)
		return;
	wolfSSL_free(engine->ssl); /* which wipes its own secrets and keys */
	signet_secret_free(engine->keys, sizeof(*engine->keys));
	signet_verify_end(&engine->verify);
	free(engine);
}

static unsigned int hash_length(unsigned int suite)
{
	switch (suite) {
	case SIGNET_AES_128_GCM_SHA256:
		return 32;
	case SIGNET_AES_256_GCM_SHA384:
		return 48;
	default:
		return 0;
	}
}

/* Fails rather than hand over anything that is not exactly what the module expects. */
static bool fill_direction(struct signet_crypto *crypto, unsigned int suite, uint64_t sequence)
{
	crypto->version = SIGNET_TLS_1_3;
	crypto->suite = suite;
	crypto->sequence = sequence;
	return crypto->secret_len && crypto->secret_len == hash_length(suite);
}

static bool fill_keys(struct signet_engine *engine)
{
	unsigned int suite = wolfSSL_get_current_cipher_suite(engine->ssl);
	struct signet_keys *keys = engine->keys;
	word64 sent = 0, received = 0;

	/* Their result tells only whether the number is zero. */
	(void)wolfSSL_GetSequenceNumber(engine->ssl, &sent);
	(void)wolfSSL_GetPeerSequenceNumber(engine->ssl, &received);
	keys->size = sizeof(*keys);
	keys->role = engine->config->role;
	return fill_direction(&keys->tx, suite, sent) && fill_direction(&keys->rx, suite, received);
}

/* wolfSSL has finished: now, and only now, the secrets become keys. */
static int complete(struct signet_engine *engine)
{
	if (engine->config->demands && !engine->verify.accepted)
		return signet_failure_set(&engine->failure, -EKEYREJECTED,
					  "the peer's certificate was not verified");
	if (wolfSSL_version(engine->ssl) != TLS1_3_VERSION || !fill_keys(engine) ||
	    wolfSSL_pending(engine->ssl))
		return signet_failure_set(&engine->failure, -EPROTO,
					  "the handshake ended without what a hand-over needs");
	engine->complete = true;
	return 0;
}

static int advance(struct signet_engine *engine)
{
	int ret;

	ret = engine->config->role == SIGNET_ROLE_CLIENT ? wolfSSL_connect(engine->ssl) :
							   wolfSSL_accept(engine->ssl);
	return ret == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(engine->ssl, ret);
}

int signet_engine_step(struct signet_engine *engine)
{
	int error;

	if (engine->failure.error)
		return engine->failure.error;
	if (engine->complete)
		return 0;
	error = advance(engine);
	if (!error)
		return complete(engine);
	if (error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE)
		return engine->transport.events;
	return signet_failure_explain(&engine->failure, error, engine->ssl, &engine->transport,
				      &engine->verify);
}

static int run(struct signet_engine *engine)
{
	unsigned int limit = engine->config->timeout;
	int64_t deadline = limit ? signet_transport_now() + limit : -1;
	int ret;

	while ((ret = signet_engine_step(engine)) > 0) {
		ret = signet_transport_wait(&engine->transport, deadline);
		if (ret == -ETIMEDOUT)
			return signet_failure_set(&engine->failure, ret,
						  "the handshake was not complete after %u ms",
						  limit);
		if (ret)
			return signet_failure_set(&engine->failure, ret,
						  "the socket cannot be waited for");
	}
	return ret;
}

int signet_engine_run(struct signet_engine *engine)
{
	int ret = run(engine);

	if (ret)
		signet_transport_give_up(&engine->transport);
	return ret;
}

struct signet_keys *signet_engine_keys(struct signet_engine *engine)
{
	return engine->complete ? engine->keys : NULL;
}

void signet_engine_result(const struct signet_engine *engine, struct signet_result *result)
{
	const char *group;

	memset(result, 0, sizeof(*result));
	result->error = engine->failure.error;
	result->alert = engine->failure.alert;
	memcpy(result->text, engine->failure.text, sizeof(result->text));
	if (!engine->complete)
		return;
	result->version = engine->keys->tx.version;
	result->suite = engine->keys->tx.suite;
	memcpy(result->peer, engine->verify.peer, sizeof(result->peer));
	group = wolfSSL_get_curve_name(engine->ssl);
	snprintf(result->group, sizeof(result->group), "%s", group ? group : "");
}
