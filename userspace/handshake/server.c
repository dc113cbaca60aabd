// SPDX-License-Identifier: GPL-3.0-or-later
#include "server.h"

#include <errno.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "alpn.h"
#include "credential.h"
#include "handshake.h"
#include "ticket.h"

/* RFC 8446 6.2. */
#define ALERT_FATAL 2
#define INTERNAL_ERROR 80
#define UNRECOGNIZED_NAME 112

/* What the servername callback answers. */
enum { GO_ON = 0, REFUSE = ALERT_FATAL };

/* Clients send any bytes; what a person or a log reads holds none but printable ASCII. */
static void keep_name(struct signet_handshake *handshake)
{
	void *data = NULL;
	const char *name;
	size_t length;

	length = wolfSSL_SNI_GetRequest(handshake->ssl, WOLFSSL_SNI_HOST_NAME, &data);
	if (!data || length >= sizeof(handshake->server_name))
		return;
	name = data;
	for (size_t i = 0; i < length; i++)
		handshake->server_name[i] = name[i] > ' ' && name[i] <= '~' ? name[i] : '?';
	handshake->server_name[length] = '\0';
}

/*
 * wolfSSL goes by the client's order; so it is told one protocol only. When there is none in
 * common it is told all of ours, and refuses the client itself (RFC 7301 3.2).
 */
static bool negotiate(struct signet_handshake *handshake)
{
	const char *ours = signet_handshake_alpn(handshake), *chosen;
	WOLFSSL *ssl = handshake->ssl;
	char *theirs = NULL;
	word16 theirs_len;
	size_t length;
	char name[SIGNET_ALPN_MAX];
	int ret;

	if (!ours || handshake->negotiated ||
	    wolfSSL_ALPN_GetPeerProtocol(ssl, &theirs, &theirs_len) != WOLFSSL_SUCCESS)
		return true;
	chosen = signet_alpn_choose(ours, theirs, theirs_len, &length);
	wolfSSL_ALPN_FreePeerProtocol(ssl, &theirs);
	handshake->negotiated = true;
	if (!chosen) {
		chosen = ours;
		length = strcspn(ours, ",");
	}
	memcpy(name, chosen, length);
	name[length] = '\0';
	ret = wolfSSL_UseALPN(ssl, name, length, WOLFSSL_ALPN_FAILED_ON_MISMATCH);
	return ret == WOLFSSL_SUCCESS;
}

/* The extensions of the client's hello are parsed; nothing is decided yet. */
static int read_hello(WOLFSSL *ssl, int *alert, void *context)
{
	struct signet_handshake *handshake = signet_handshake_of(ssl);
	const char *name = handshake->server_name;

	(void)context;
	keep_name(handshake);
	/* RFC 6066 3: abort, by a fatal alert. */
	if (handshake->config->strict_names && *name &&
	    !signet_credential_serves(handshake->config, name)) {
		signet_failure_set(&handshake->failure, -EPROTO,
				   "the client asks for %.100s, which no certificate is for", name);
		*alert = UNRECOGNIZED_NAME;
		return REFUSE;
	}
	if (!negotiate(handshake)) {
		signet_failure_set(&handshake->failure, -ENOMEM, "out of memory");
		*alert = INTERNAL_ERROR;
		return REFUSE;
	}
	return GO_ON;
}

/* TLS 1.2: suites for the other kind of certificate must not be chosen. */
static bool narrow_suites(struct signet_handshake *handshake,
			  const struct signet_credential *credential)
{
	struct signet_suite_filter filter = {
		.min_version = handshake->min_version,
		.authentication = signet_credential_authentication(credential),
	};
	char list[SIGNET_SUITE_LIST_MAX];

	return handshake->min_version == SIGNET_TLS_1_3 ||
	       (!signet_suite_list(list, handshake->config->suites, &filter) &&
		wolfSSL_set_cipher_list(handshake->ssl, list) == WOLFSSL_SUCCESS);
}

/* Return: 1 to go on, 0 to fail. */
static int choose_certificate(WOLFSSL *ssl, void *context)
{
	struct signet_handshake *handshake = signet_handshake_of(ssl);
	const struct signet_credential *credential, *loaded;

	(void)context;
	/* Also the second hello after a HelloRetryRequest comes here. */
	if (wolfSSL_session_reused(ssl))
		return 1;
	loaded = handshake->signature.credential;
	credential = signet_credential_choose(handshake->config, handshake->server_name, ssl);
	handshake->signature.credential = credential;
	if (credential == loaded)
		return 1;
	return signet_credential_present(credential, ssl) && narrow_suites(handshake, credential);
}

/* The layout's name, nonce and tag are wolfSSL's; what is in the ticket, too. */
static int crypt_ticket(WOLFSSL *ssl, unsigned char name[WOLFSSL_TICKET_NAME_SZ],
			unsigned char nonce[WOLFSSL_TICKET_IV_SZ],
			unsigned char tag[WOLFSSL_TICKET_MAC_SZ], int seal, unsigned char *data,
			int length, int *result_len, void *context)
{
	struct signet_handshake *handshake = signet_handshake_of(ssl);
	const struct signet_config *config = handshake->config;
	struct signet_ticket ticket = { name, nonce, tag, data, length, config->binding };

	_Static_assert(WOLFSSL_TICKET_NAME_SZ == SIGNET_TICKET_NAME, "");
	_Static_assert(WOLFSSL_TICKET_IV_SZ == SIGNET_TICKET_NONCE, "");
	_Static_assert(WOLFSSL_TICKET_MAC_SZ == SIGNET_TICKET_TAG, "");
	(void)context;
	*result_len = length;
	if (seal)
		return signet_ticket_seal(config->ticket_keys, config->ticket_lifetime, &ticket) ?
			       WOLFSSL_TICKET_RET_FATAL :
			       WOLFSSL_TICKET_RET_OK;
	/*
	 * Whoever has to present a certificate does so each time: nothing of it is in a ticket, and it
	 * may have expired since.
	 */
	if (!config->tickets || handshake->client_auth != SIGNET_CLIENT_AUTH_NONE ||
	    wolfSSL_version(ssl) != TLS1_3_VERSION)
		return WOLFSSL_TICKET_RET_REJECT;
	return signet_ticket_open(config->ticket_keys, &ticket) ? WOLFSSL_TICKET_RET_REJECT :
								  WOLFSSL_TICKET_RET_OK;
}

bool signet_server_set_up(WOLFSSL_CTX *context)
{
	wolfSSL_CTX_set_servername_callback(context, read_hello);
	wolfSSL_CTX_set_cert_cb(context, choose_certificate, NULL);
	return wolfSSL_CTX_set_TicketEncCb(context, crypt_ticket) == WOLFSSL_SUCCESS &&
	       wolfSSL_CTX_NoTicketTLSv12(context) == WOLFSSL_SUCCESS;
}
