// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "alpn.h"
#include "cache.h"
#include "credential.h"
#include "handshake.h"
#include "keys.h"
#include "pool.h"

/* RFC 8446 6.2. */
#define HANDSHAKE_FAILURE 40

struct signet_handshake *signet_handshake_of(WOLFSSL *ssl)
{
	char *transport = wolfSSL_GetIOReadCtx(ssl);

	return (void *)(transport - offsetof(struct signet_handshake, transport));
}

const char *signet_handshake_alpn(const struct signet_handshake *handshake)
{
	const char *protocols = handshake->alpn ? handshake->alpn : handshake->config->alpn;

	return protocols && *protocols ? protocols : NULL;
}

/* SNI carries DNS names only (RFC 6066 3). */
static bool ask_for_name(struct signet_handshake *handshake)
{
	size_t length;
	const char *host = handshake->verify.name ? signet_name_host(&handshake->name, &length) :
						    NULL;

	if (!host)
		return true;
	return wolfSSL_UseSNI(handshake->ssl, WOLFSSL_SNI_HOST_NAME, host, length) ==
	       WOLFSSL_SUCCESS;
}

/* Two shares, so that a server without the hybrid group costs no second round trip. */
static bool offer_shares(struct signet_handshake *handshake)
{
	const struct signet_config *config = handshake->config;
	bool offered = false;

	for (unsigned int i = 0; i < config->group_count; i++) {
		bool is_hybrid = signet_group_is_hybrid(config->groups[i]);

		if (offered && is_hybrid)
			continue;
		if (wolfSSL_UseKeyShare(handshake->ssl, config->groups[i]) != WOLFSSL_SUCCESS)
			return false;
		if (!is_hybrid)
			break;
		offered = true;
	}
	return true;
}

static bool set_up_client(struct signet_handshake *handshake)
{
	return ask_for_name(handshake) && offer_shares(handshake);
}

static bool set_up_ssl(struct signet_handshake *handshake)
{
	const struct signet_config *config = handshake->config;
	WOLFSSL *ssl;

	ssl = wolfSSL_new(config->context);
	if (!ssl)
		return false;
	handshake->ssl = ssl;
	wolfSSL_SSLSetIORecv(ssl, signet_transport_receive);
	wolfSSL_SSLSetIOSend(ssl, signet_transport_send);
	wolfSSL_SetIOReadCtx(ssl, &handshake->transport);
	wolfSSL_SetIOWriteCtx(ssl, &handshake->transport);
	wolfSSL_SetCertCbCtx(ssl, &handshake->verify);
	wolfSSL_KeepArrays(ssl); /* else there is no exporter secret */
	signet_signature_begin(&handshake->signature, ssl);
	if (wolfSSL_set_tls13_secret_cb(ssl, signet_keys_keep, handshake) != WOLFSSL_SUCCESS)
		return false;
	return config->role == SIGNET_ROLE_SERVER || set_up_client(handshake);
}

static int check_arguments(const struct signet_config *config, const char *server_name)
{
	if (!config)
		return -EINVAL;
	if (config->role == SIGNET_ROLE_CLIENT)
		return server_name ? 0 : -EINVAL;
	if (config->client_auth != SIGNET_CLIENT_AUTH_NONE && !config->trusts)
		return -EINVAL;
	return config->presents && !server_name ? 0 : -EINVAL;
}

static int set_up_names(struct signet_handshake *handshake, const char *server_name)
{
	int ret;

	handshake->verify.peer_role = SIGNET_ROLE_CLIENT;
	handshake->verify.trust = &handshake->config->trust;
	if (!server_name)
		return 0;
	handshake->verify.peer_role = SIGNET_ROLE_SERVER;
	if (*server_name) {
		ret = signet_name_parse(&handshake->name, server_name);
		if (ret)
			return ret;
		memcpy(handshake->server_name, handshake->name.text,
		       sizeof(handshake->server_name));
		handshake->verify.name = &handshake->name;
	}
	signet_session_policy(handshake->secrets->resumption.policy, handshake->config,
			      &handshake->name);
	return 0;
}

/* A session that does not fit any more is as good as none. */
static void resume_cached(struct signet_handshake *handshake)
{
	struct signet_session *session;

	if (!handshake->config->cache)
		return;
	session =
		signet_cache_take(handshake->config->cache, handshake->secrets->resumption.policy);
	if (session)
		(void)signet_handshake_resume(handshake, session);
	signet_session_free(session);
}

static struct signet_handshake *allocate(const struct signet_config *config, int fd)
{
	struct signet_handshake *handshake = calloc(1, sizeof(*handshake));

	if (!handshake)
		return NULL;
	_Static_assert(sizeof(*handshake->secrets) <= SIGNET_POOL_ITEM, "");
	handshake->secrets = signet_pool_take(&handshake->chunk);
	if (!handshake->secrets) {
		free(handshake);
		return NULL;
	}
	handshake->config = signet_config_get(config);
	handshake->client_auth = config->client_auth;
	handshake->min_version = config->min_version;
	handshake->signature.handshake = handshake;
	if (config->credential_count)
		handshake->signature.credential = config->credentials[0];
	handshake->deadline = config->timeout ? signet_transport_now() + config->timeout : -1;
	signet_transport_begin(&handshake->transport, fd, config->role == SIGNET_ROLE_SERVER);
	handshake->transport.keeps_hello = config->min_version == SIGNET_TLS_1_2;
	return handshake;
}

int signet_handshake_new(const struct signet_config *config, int fd, const char *server_name,
			 struct signet_handshake **result)
{
	struct signet_handshake *handshake;
	int ret;

	*result = NULL;
	ret = check_arguments(config, server_name);
	if (ret)
		return ret;
	handshake = allocate(config, fd);
	if (!handshake)
		return -ENOMEM;
	ret = set_up_names(handshake, server_name);
	if (!ret && !set_up_ssl(handshake))
		ret = -ENOMEM;
	if (ret) {
		signet_handshake_free(handshake);
		return ret;
	}
	resume_cached(handshake);
	*result = handshake;
	return 0;
}

void signet_handshake_free(struct signet_handshake *handshake)
{
	if (!handshake)
		return;
	signet_signature_cancel(&handshake->signature);
	wolfSSL_free(handshake->ssl); /* which wipes its own secrets and keys */
	signet_transport_end(&handshake->transport);
	signet_pool_give(handshake->chunk, handshake->secrets);
	signet_config_put(handshake->config);
	signet_verify_end(&handshake->verify);
	free(handshake->alpn);
	free(handshake);
}

int signet_handshake_set_alpn(struct signet_handshake *handshake, const char *protocols)
{
	const char *allowed = handshake->config->alpn;
	char *copy;

	if (!signet_alpn_is_list(protocols))
		return -EINVAL;
	if (handshake->begun)
		return -EBUSY;
	if (allowed && *allowed && !signet_alpn_is_part(protocols, allowed))
		return -EPERM;
	copy = strdup(protocols);
	if (!copy)
		return -ENOMEM;
	free(handshake->alpn);
	handshake->alpn = copy;
	return 0;
}

int signet_handshake_set_min_version(struct signet_handshake *handshake, unsigned int version)
{
	if (version != SIGNET_TLS_1_2 && version != SIGNET_TLS_1_3)
		return -EINVAL;
	if (handshake->begun)
		return -EBUSY;
	if (version < handshake->config->min_version)
		return -EPERM;
	if (version == SIGNET_TLS_1_3 &&
	    wolfSSL_SetMinVersion(handshake->ssl, WOLFSSL_TLSV1_3) != WOLFSSL_SUCCESS)
		return -EINVAL;
	handshake->min_version = version;
	return 0;
}

int signet_handshake_set_client_auth(struct signet_handshake *handshake,
				     enum signet_client_auth mode)
{
	const struct signet_config *config = handshake->config;
	int flags = WOLFSSL_VERIFY_PEER;

	if (config->role != SIGNET_ROLE_SERVER || mode > SIGNET_CLIENT_AUTH_REQUIRED)
		return -EINVAL;
	if (handshake->begun)
		return -EBUSY;
	if (mode < config->client_auth)
		return -EPERM;
	if (mode != SIGNET_CLIENT_AUTH_NONE && !config->trusts)
		return -EINVAL;
	if (mode == SIGNET_CLIENT_AUTH_REQUIRED)
		flags |= WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	if (mode != SIGNET_CLIENT_AUTH_NONE)
		wolfSSL_set_verify(handshake->ssl, flags, NULL);
	handshake->client_auth = mode;
	return 0;
}

int signet_handshake_set_pins(struct signet_handshake *handshake,
			      const unsigned char (*pins)[SIGNET_PIN_LEN], unsigned int count)
{
	if (!count || count > SIGNET_PINS_MAX)
		return -EINVAL;
	if (handshake->begun)
		return -EBUSY;
	memcpy(handshake->verify.pins, pins, count * sizeof(*pins));
	handshake->verify.pin_count = count;
	return 0;
}

int signet_handshake_resume(struct signet_handshake *handshake,
			    const struct signet_session *session)
{
	const struct signet_config *config = handshake->config;
	struct signet_suite_filter filter = { .min_version = SIGNET_TLS_1_3 };
	char list[SIGNET_SUITE_LIST_MAX];
	int ret;

	if (config->role != SIGNET_ROLE_CLIENT)
		return -EINVAL;
	if (handshake->begun)
		return -EBUSY;
	/* First: servers may go by the client's order, and the session is good with its hash only. */
	filter.first = signet_session_suite(session);
	if (signet_suite_list(list, config->suites, &filter))
		return -EPERM;
	ret = signet_session_use(session, handshake->ssl, handshake->secrets->resumption.policy);
	if (ret)
		return ret;
	/* Else wolfSSL might take TLS 1.3's secret for a session of TLS 1.2. */
	if (signet_handshake_set_min_version(handshake, SIGNET_TLS_1_3))
		return -ENOMEM;
	if (wolfSSL_set_cipher_list(handshake->ssl, list) != WOLFSSL_SUCCESS)
		return -ENOMEM;
	handshake->verified = signet_session_verified(session);
	strcpy(handshake->secrets->resumption.spiffe, signet_session_spiffe(session));
	return 0;
}

/* What is left to say to wolfSSL when nothing can change any more. */
static int begin(struct signet_handshake *handshake)
{
	const char *alpn = signet_handshake_alpn(handshake);
	WOLFSSL *ssl = handshake->ssl;
	char list[4096];

	if (handshake->begun)
		return 0;
	if (handshake->verify.peer_role == SIGNET_ROLE_SERVER && !handshake->verify.name &&
	    !handshake->verify.pin_count)
		return signet_failure_set(
			&handshake->failure, -EINVAL,
			"a server name or a pin is needed: it is what is verified");
	handshake->begun = true;
	if (handshake->config->role == SIGNET_ROLE_SERVER) {
		if (handshake->client_auth != SIGNET_CLIENT_AUTH_NONE)
			(void)wolfSSL_no_ticket_TLSv13(ssl);
		return 0;
	}
	if (!alpn)
		return 0;
	/* It cuts the list into pieces while it reads it. */
	if ((size_t)snprintf(list, sizeof(list), "%s", alpn) < sizeof(list) &&
	    wolfSSL_UseALPN(ssl, list, strlen(list), WOLFSSL_ALPN_FAILED_ON_MISMATCH) ==
		    WOLFSSL_SUCCESS)
		return 0;
	return signet_failure_set(&handshake->failure, -ENOMEM, "out of memory");
}

/* A server takes a ticket only where no certificate is asked for; a client has judged it before. */
static bool is_authenticated(const struct signet_handshake *handshake)
{
	if (handshake->config->role == SIGNET_ROLE_SERVER && handshake->verify.pin_count &&
	    !handshake->verify.accepted)
		return false;
	if (wolfSSL_session_reused(handshake->ssl))
		return handshake->config->role == SIGNET_ROLE_CLIENT ||
		       handshake->client_auth == SIGNET_CLIENT_AUTH_NONE;
	return handshake->verify.accepted ||
	       (handshake->config->role == SIGNET_ROLE_SERVER &&
		handshake->client_auth != SIGNET_CLIENT_AUTH_REQUIRED);
}

/* Who the server is was verified now, or when the session that it resumes began. */
static bool keep_identity(struct signet_handshake *handshake, struct signet_resumption *resumption)
{
	struct signet_verify *verify = &handshake->verify;

	if (!wolfSSL_session_reused(handshake->ssl)) {
		const char *spiffe = verify->spiffe ? verify->spiffe : "";

		handshake->verified = signet_session_now();
		snprintf(resumption->spiffe, sizeof(resumption->spiffe), "%s",
			 strlen(spiffe) < sizeof(resumption->spiffe) ? spiffe : "");
		return true;
	}
	memcpy(verify->peer, handshake->name.text, sizeof(verify->peer));
	if (*resumption->spiffe)
		verify->spiffe = strdup(resumption->spiffe);
	return !*resumption->spiffe || verify->spiffe;
}

static bool keep_resumption(struct signet_handshake *handshake)
{
	struct signet_resumption *resumption = &handshake->secrets->resumption;

	if (!keep_identity(handshake, resumption))
		return false;
	resumption->suite = handshake->secrets->keys.tx.suite;
	resumption->verified = handshake->verified;
	(void)signet_resumption_take(resumption, handshake->ssl);
	return true;
}

/* wolfSSL has finished and all is written: now, and only now, the secrets become keys. */
static int complete(struct signet_handshake *handshake)
{
	if (!is_authenticated(handshake))
		return signet_failure_set(&handshake->failure, -EKEYREJECTED,
					  "the peer's certificate was not verified");
	if (!signet_keys_fill(handshake) || wolfSSL_pending(handshake->ssl))
		return signet_failure_set(&handshake->failure, -EPROTO,
					  "the handshake ended without what a hand-over needs");
	if (handshake->config->role == SIGNET_ROLE_CLIENT && !keep_resumption(handshake))
		return signet_failure_set(&handshake->failure, -ENOMEM, "out of memory");
	handshake->complete = true;
	return 0;
}

static int advance(struct signet_handshake *handshake)
{
	const struct signet_config *config = handshake->config;
	int ret;

	ret = config->role == SIGNET_ROLE_CLIENT ? wolfSSL_connect(handshake->ssl) :
						   wolfSSL_accept(handshake->ssl);
	return ret == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(handshake->ssl, ret);
}

/* RFC 7627 5.2 and 5.3: asked before anything goes out that answers the hello. */
static bool lacks_extended_master_secret(struct signet_handshake *handshake)
{
	const struct signet_transport *transport = &handshake->transport;

	return wolfSSL_version(handshake->ssl) == TLS1_2_VERSION &&
	       signet_transport_has_hello(transport) &&
	       !signet_transport_has_extended_master_secret(transport);
}

static int refuse_old_master_secret(struct signet_handshake *handshake)
{
	signet_transport_alert(&handshake->transport, HANDSHAKE_FAILURE);
	handshake->failure.alert = 2 << 8 | HANDSHAKE_FAILURE;
	return signet_failure_set(&handshake->failure, -EPROTO,
				  "the peer does not have TLS 1.2's extended master secret");
}

static int fail(struct signet_handshake *handshake, int error)
{
	int signer = handshake->signature.error;

	if (signer)
		return signet_failure_set(&handshake->failure, signer,
					  "the private key's holder did not sign: %s",
					  signet_strerror(signer));
	return signet_failure_explain(&handshake->failure, error, handshake->ssl,
				      &handshake->transport, &handshake->verify);
}

static int fail_transport(struct signet_handshake *handshake)
{
	return signet_failure_explain(&handshake->failure, 0, handshake->ssl, &handshake->transport,
				      &handshake->verify);
}

static int wait_for(int error)
{
	switch (error) {
	case WOLFSSL_ERROR_WANT_READ:
		return POLLIN;
	case WC_PENDING_E:
		return SIGNET_HANDSHAKE_PENDING;
	default:
		return 0;
	}
}

static int progress(struct signet_handshake *handshake)
{
	int wanted = 0, error, ret;

	ret = signet_transport_flush(&handshake->transport);
	if (ret > 0)
		return ret;
	if (!ret && !handshake->established) {
		if (handshake->signature.state == SIGNET_SIGNATURE_AWAITED)
			return SIGNET_HANDSHAKE_PENDING;
		error = advance(handshake);
		handshake->established = !error;
		wanted = wait_for(error);
		if (lacks_extended_master_secret(handshake))
			return refuse_old_master_secret(handshake);
		if (error && !wanted)
			return fail(handshake, error);
		ret = signet_transport_flush(&handshake->transport);
	}
	if (ret)
		return ret > 0 ? ret : fail_transport(handshake);
	return wanted ? wanted : complete(handshake);
}

static bool is_late(const struct signet_handshake *handshake)
{
	return handshake->deadline >= 0 && signet_transport_now() >= handshake->deadline;
}

int signet_handshake_step(struct signet_handshake *handshake)
{
	int ret;

	if (handshake->failure.error)
		return handshake->failure.error;
	if (handshake->complete)
		return 0;
	ret = begin(handshake);
	if (!ret)
		ret = progress(handshake);
	if (ret > 0 && is_late(handshake))
		ret = signet_failure_set(&handshake->failure, -ETIMEDOUT,
					 "the handshake was not complete after %u ms",
					 handshake->config->timeout);
	if (ret < 0) {
		signet_signature_cancel(&handshake->signature);
		signet_transport_give_up(&handshake->transport);
	}
	return ret;
}

int64_t signet_handshake_deadline(const struct signet_handshake *handshake)
{
	return handshake->deadline;
}

int signet_handshake_run(struct signet_handshake *handshake)
{
	int ret;

	while ((ret = signet_handshake_step(handshake)) > 0) {
		if (ret == SIGNET_HANDSHAKE_PENDING)
			return signet_handshake_fail(handshake, -EOPNOTSUPP,
						     "a call that blocks cannot wait for a signer");
		ret = signet_transport_wait(&handshake->transport, handshake->deadline);
		if (ret && ret != -ETIMEDOUT)
			return signet_handshake_fail(handshake, ret,
						     "the socket cannot be waited for");
	}
	return ret;
}

int signet_handshake_signature(struct signet_handshake *handshake, const void *signature,
			       size_t length, int error)
{
	return signet_signature_give(&handshake->signature, signature, length, error);
}

int signet_handshake_fail(struct signet_handshake *handshake, int error, const char *text)
{
	signet_failure_set(&handshake->failure, error, "%s", text);
	signet_signature_cancel(&handshake->signature);
	signet_transport_give_up(&handshake->transport);
	return error;
}

struct signet_keys *signet_handshake_keys(struct signet_handshake *handshake)
{
	return handshake->complete ? &handshake->secrets->keys : NULL;
}

size_t signet_handshake_exporter(struct signet_handshake *handshake, const unsigned char **secret)
{
	*secret = handshake->secrets->exporter;
	return handshake->complete ? handshake->secrets->exporter_len : 0;
}

int signet_handshake_export(struct signet_handshake *handshake, const char *label,
			    const void *context, size_t context_len, void *out, size_t length)
{
	if (!handshake->complete || !label || !out || !length)
		return -EINVAL;
	return wolfSSL_export_keying_material(handshake->ssl, out, length, label, strlen(label),
					      context, context_len,
					      context != NULL) == WOLFSSL_SUCCESS ?
		       0 :
		       -EINVAL;
}

int signet_handshake_resumption_blob(struct signet_handshake *handshake, void *blob)
{
	const struct signet_resumption *resumption = &handshake->secrets->resumption;

	if (!handshake->complete || !resumption->secret_len)
		return -ENODATA;
	return signet_resumption_pack(resumption, blob);
}

const struct signet_verify *signet_handshake_verify(const struct signet_handshake *handshake)
{
	return &handshake->verify;
}

const struct signet_config *signet_handshake_config(const struct signet_handshake *handshake)
{
	return handshake->config;
}

int signet_handshake_fd(const struct signet_handshake *handshake)
{
	return handshake->transport.fd;
}

static void copy_agreement(const struct signet_handshake *handshake, struct signet_result *result)
{
	const char *group = wolfSSL_get_curve_name(handshake->ssl);
	unsigned short length = 0;
	char *alpn = NULL;

	result->version = handshake->secrets->keys.tx.version;
	result->suite = handshake->secrets->keys.tx.suite;
	result->resumed = wolfSSL_session_reused(handshake->ssl);
	memcpy(result->peer, handshake->verify.peer, sizeof(result->peer));
	snprintf(result->group, sizeof(result->group), "%s", group ? group : "");
	if (signet_handshake_alpn(handshake) &&
	    wolfSSL_ALPN_GetProtocol(handshake->ssl, &alpn, &length) == WOLFSSL_SUCCESS)
		snprintf(result->alpn, sizeof(result->alpn), "%.*s", length, alpn);
}

void signet_handshake_result(const struct signet_handshake *handshake, struct signet_result *result)
{
	memset(result, 0, sizeof(*result));
	result->error = handshake->failure.error;
	result->alert = handshake->failure.alert;
	result->alert_received = handshake->failure.received;
	memcpy(result->text, handshake->failure.text, sizeof(result->text));
	memcpy(result->server_name, handshake->server_name, sizeof(result->server_name));
	if (handshake->complete)
		copy_agreement(handshake, result);
}
