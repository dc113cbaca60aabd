// SPDX-License-Identifier: GPL-3.0-or-later
#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "transport.h"
#include "verify.h"

#define CLOSE_NOTIFY 0

int signet_failure_set(struct signet_failure *failure, int error, const char *format, ...)
{
	va_list arguments;

	failure->error = error;
	va_start(arguments, format);
	vsnprintf(failure->text, sizeof(failure->text), format, arguments);
	va_end(arguments);
	return error;
}

static unsigned int pack(const WOLFSSL_ALERT *alert)
{
	return (alert->level & 0xff) << 8 | (alert->code & 0xff);
}

static int explain_received(struct signet_failure *failure, const WOLFSSL_ALERT *alert)
{
	failure->alert = pack(alert);
	failure->received = true;
	if (alert->code == CLOSE_NOTIFY)
		return signet_failure_set(failure, -ECONNABORTED,
					  "the peer closed the connection during the handshake");
	return signet_failure_set(failure, -EPROTO, "the peer refused the handshake: alert %s",
				  signet_alert_name(alert->code));
}

static int explain_transport(struct signet_failure *failure, int error)
{
	if (error == -ECONNABORTED)
		return signet_failure_set(failure, error,
					  "the peer closed the connection during the handshake");
	if (error == -ECONNRESET)
		return signet_failure_set(failure, error,
					  "the peer reset the connection during the handshake");
	return signet_failure_set(failure, error, "the socket failed during the handshake: %s",
				  signet_strerror(error));
}

/* The greeting as a person may recognise it: "HTTP/", "SSH-2". */
static int explain_alien(struct signet_failure *failure, const struct signet_transport *transport)
{
	char text[sizeof(transport->greeting) + 1];
	unsigned int i;

	for (i = 0; i < transport->greeting_len; i++) {
		unsigned char c = transport->greeting[i];

		text[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	text[i] = '\0';
	return signet_failure_set(failure, -EPROTO,
				  "the peer does not speak TLS: what it sent starts with \"%s\"",
				  text);
}

static const char *protocol_reason(int error)
{
	switch (error) {
	case VERSION_ERROR:
		return "the peer does not offer a TLS version that this side takes";
	case MATCH_SUITE_ERROR:
		return "the peer offers no cipher suite that this side has";
	case UNKNOWN_ALPN_PROTOCOL_NAME_E:
		return "no application protocol is common to both sides";
	default:
		return wolfSSL_ERR_reason_error_string(error);
	}
}

static int explain_protocol(struct signet_failure *failure, int error, const WOLFSSL_ALERT *sent)
{
	const char *reason = protocol_reason(error);

	if (sent->code < 0)
		return signet_failure_set(failure, -EPROTO, "the handshake failed: %s", reason);
	return signet_failure_set(failure, -EPROTO, "the handshake failed: %s (alert %s sent)",
				  reason, signet_alert_name(sent->code));
}

/*
 * What this side found out comes first, then what the peer said, then what happened to the
 * connection: each may be the cause of the ones behind it.
 */
int signet_failure_explain(struct signet_failure *failure, int error, WOLFSSL *ssl,
			   const struct signet_transport *transport, struct signet_verify *verify)
{
	WOLFSSL_ALERT_HISTORY alerts = { { -1, -1 }, { -1, -1 } };

	wolfSSL_get_alert_history(ssl, &alerts);
	if (alerts.last_tx.code >= 0)
		failure->alert = pack(&alerts.last_tx);
	/* A callback has found the reason already. */
	if (failure->error)
		return failure->error;
	if (verify->text[0] || signet_verify_explain(verify, error))
		return signet_failure_set(failure, -EKEYREJECTED, "%s", verify->text);
	if (error == MEMORY_E)
		return signet_failure_set(failure, -ENOMEM, "out of memory");
	if (alerts.last_rx.code >= 0)
		return explain_received(failure, &alerts.last_rx);
	if (signet_transport_is_alien(transport))
		return explain_alien(failure, transport);
	if (transport->error)
		return explain_transport(failure, transport->error);
	return explain_protocol(failure, error, &alerts.last_tx);
}
