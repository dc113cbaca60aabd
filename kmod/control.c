// SPDX-License-Identifier: GPL-2.0-only
#include "control.h"

#include <linux/err.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "cipher.h"
#include "key_update.h"
#include "namespace.h"
#include "ticket.h"
#include "trace.h"
#include "tx.h"

static int bad_handshake(struct sock *sk, struct signet_context *ctx, enum signet_alert alert)
{
	return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_HANDSHAKE, alert);
}

/* --- alerts ----------------------------------------------------------------- */

/*
 * In TLS 1.3 all alerts but two are errors, whatever their level (RFC 8446 6); in
 * TLS 1.2 a warning is one (RFC 5246 7.2.2).
 */
static bool is_warning(const struct signet_context *ctx, const u8 *alert)
{
	if (alert[1] == SIGNET_ALERT_USER_CANCELED)
		return true;
	return !signet_suite_is_tls_1_3(ctx->rx.cipher->suite) && alert[0] == SIGNET_ALERT_WARNING;
}

static int receive_alert(struct sock *sk, struct signet_context *ctx, const u8 *content,
			 unsigned int len)
{
	/* RFC 8446 5.4: alert records are never empty. */
	if (!len)
		return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_ALERT,
					   SIGNET_ALERT_UNEXPECTED_MESSAGE);
	/* RFC 8446 5.1: an alert is never fragmented, and alone in its record. */
	if (len != SIGNET_ALERT_LEN)
		return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_ALERT,
					   SIGNET_ALERT_DECODE_ERROR);
	ctx->alert_received = content[0] << 8 | content[1];
	signet_count(ctx->ns, SIGNET_COUNT_RX_ALERTS);
	trace_signet_alert(sk, false, content[0], content[1]);

	if (content[1] == SIGNET_ALERT_CLOSE_NOTIFY) {
		WRITE_ONCE(ctx->rx.state, SIGNET_DIRECTION_CLOSED);
		signet_context_update_state(sk, ctx);
		return 0;
	}
	if (is_warning(ctx, content)) {
		ctx->rx.warnings++;
		return 0;
	}
	return signet_context_fail(sk, ctx, EPROTO, SIGNET_REASON_ALERT, SIGNET_ALERT_NONE);
}

/* --- handshake messages ------------------------------------------------------ */

void signet_control_destroy(struct signet_rx *rx)
{
	kfree(rx->message.ticket);
	rx->message.ticket = NULL;
	rx->message.have = 0;
}

static unsigned int body_len(const struct signet_message *message)
{
	return message->header[1] << 16 | get_unaligned_be16(message->header + 2);
}

/* A message's header is complete: may it come now? Return: 0 or the socket's failure. */
static int begin_message(struct sock *sk, struct signet_context *ctx)
{
	struct signet_message *message = &ctx->rx.message;
	bool tls_1_3 = signet_suite_is_tls_1_3(ctx->rx.cipher->suite);

	message->body_len = body_len(message);
	switch (message->header[0]) {
	case SIGNET_HANDSHAKE_NEW_SESSION_TICKET:
		if (!tls_1_3 || ctx->role == SIGNET_ROLE_SERVER)
			break;
		/* Without memory there is one ticket less. */
		if (ctx->role == SIGNET_ROLE_CLIENT)
			message->ticket = signet_ticket_new(message->body_len);
		return 0;
	case SIGNET_HANDSHAKE_KEY_UPDATE:
		if (!tls_1_3)
			break;
		if (message->body_len != 1)
			return bad_handshake(sk, ctx, SIGNET_ALERT_DECODE_ERROR);
		return 0;
	case SIGNET_HANDSHAKE_HELLO_REQUEST:
		if (tls_1_3 || ctx->role == SIGNET_ROLE_SERVER)
			break;
		if (message->body_len)
			return bad_handshake(sk, ctx, SIGNET_ALERT_DECODE_ERROR);
		return 0;
	}
	return bad_handshake(sk, ctx, SIGNET_ALERT_UNEXPECTED_MESSAGE);
}

/* @last: the message ends where its record does. */
static int receive_key_update(struct sock *sk, struct signet_context *ctx, bool last)
{
	struct signet_rx *rx = &ctx->rx;

	/* RFC 8446 5.1: keys do not change in the middle of a record. */
	if (!last)
		return bad_handshake(sk, ctx, SIGNET_ALERT_UNEXPECTED_MESSAGE);
	if (rx->message.body > SIGNET_UPDATE_REQUESTED) /* RFC 8446 4.6.3 */
		return bad_handshake(sk, ctx, SIGNET_ALERT_ILLEGAL_PARAMETER);
	ctx->tx.update_awaited = false;
	rx->key_updates++;
	signet_count(ctx->ns, SIGNET_COUNT_RX_KEY_UPDATES);
	rx->rekey_pending = true;
	if (rx->message.body == SIGNET_UPDATE_REQUESTED)
		signet_key_update_owe(ctx);
	return 0;
}

static int end_message(struct sock *sk, struct signet_context *ctx, bool last)
{
	struct signet_message *message = &ctx->rx.message;
	int err = 0;

	switch (message->header[0]) {
	case SIGNET_HANDSHAKE_NEW_SESSION_TICKET:
		if (message->ticket)
			signet_ticket_keep(ctx, message->ticket);
		message->ticket = NULL;
		break;
	case SIGNET_HANDSHAKE_KEY_UPDATE:
		err = receive_key_update(sk, ctx, last);
		break;
	case SIGNET_HANDSHAKE_HELLO_REQUEST:
		/* RFC 5246 7.4.1.1: the client may refuse, and does; once is enough. */
		if (!ctx->rx.renegotiation_refused)
			signet_tx_warning_alert(sk, ctx, SIGNET_ALERT_NO_RENEGOTIATION);
		ctx->rx.renegotiation_refused = true;
		err = -ctx->error;
		break;
	}
	message->have = 0;
	return err;
}

/* Takes what it can of the message's body. Return: how much. */
static unsigned int take_body(struct signet_message *message, const u8 *content, unsigned int len)
{
	unsigned int done = message->have - SIGNET_HANDSHAKE_HEADER_LEN;
	unsigned int n = min(len, message->body_len - done);

	if (n && message->ticket)
		memcpy(message->ticket->body + done, content, n);
	else if (n)
		message->body = content[n - 1];
	message->have += n;
	return n;
}

/*
 * Messages may be several in a record or spread over records (RFC 8446 5.1). Kept
 * are bodies of tickets, which are bounded, and of KeyUpdates, which are one byte.
 */
static int receive_handshake(struct sock *sk, struct signet_context *ctx, const u8 *content,
			     unsigned int len)
{
	struct signet_message *message = &ctx->rx.message;
	unsigned int n;
	int err;

	/* RFC 8446 5.1: handshake records are never empty. */
	if (!len)
		return bad_handshake(sk, ctx, SIGNET_ALERT_UNEXPECTED_MESSAGE);
	while (len) {
		if (message->have < SIGNET_HANDSHAKE_HEADER_LEN) {
			message->header[message->have++] = *content++;
			len--;
			if (message->have < SIGNET_HANDSHAKE_HEADER_LEN)
				continue;
			err = begin_message(sk, ctx);
			if (err)
				return err;
		}
		n = take_body(message, content, len);
		content += n;
		len -= n;
		if (message->have < SIGNET_HANDSHAKE_HEADER_LEN + message->body_len)
			continue;
		err = end_message(sk, ctx, !len);
		if (err)
			return err;
	}
	return 0;
}

int signet_control_receive(struct sock *sk, struct signet_context *ctx, u8 type, const u8 *content,
			   unsigned int len)
{
	/* RFC 8446 5.1: nothing comes between the parts of a handshake message. */
	if (type != SIGNET_CONTENT_HANDSHAKE && ctx->rx.message.have)
		return bad_handshake(sk, ctx, SIGNET_ALERT_UNEXPECTED_MESSAGE);
	if (type == SIGNET_CONTENT_ALERT)
		return receive_alert(sk, ctx, content, len);
	if (type == SIGNET_CONTENT_HANDSHAKE)
		return receive_handshake(sk, ctx, content, len);
	return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_RECORD_TYPE,
				   SIGNET_ALERT_UNEXPECTED_MESSAGE);
}

int signet_control_rekey(struct sock *sk, struct signet_context *ctx)
{
	struct signet_cipher *next = signet_cipher_next(ctx->rx.cipher);

	if (PTR_ERR_OR_ZERO(next) == -ENOMEM)
		return -ENOMEM;
	if (IS_ERR(next))
		return signet_context_fail(sk, ctx, EIO, SIGNET_REASON_CRYPTO,
					   SIGNET_ALERT_INTERNAL_ERROR);
	signet_cipher_replace(&ctx->rx.cipher, next);
	trace_signet_keys(sk, false, next);
	ctx->rx.rekey_pending = false;
	return 0;
}

/* Likewise, for handshake messages of TLS 1.3. */
static bool messages_leave_data(const struct signet_context *ctx, const u8 *content,
				unsigned int len, bool *key_update)
{
	unsigned int body;

	/* One that has begun before, or goes on behind, cannot be looked at as a whole. */
	if (ctx->rx.message.have || !len || !signet_suite_is_tls_1_3(ctx->rx.cipher->suite))
		return false;
	while (len) {
		if (*key_update || len < SIGNET_HANDSHAKE_HEADER_LEN)
			return false;
		body = content[1] << 16 | get_unaligned_be16(content + 2);
		if (body > len - SIGNET_HANDSHAKE_HEADER_LEN)
			return false;
		if (content[0] == SIGNET_HANDSHAKE_KEY_UPDATE && body == 1)
			*key_update = true;
		else if (content[0] != SIGNET_HANDSHAKE_NEW_SESSION_TICKET)
			return false;
		content += SIGNET_HANDSHAKE_HEADER_LEN + body;
		len -= SIGNET_HANDSHAKE_HEADER_LEN + body;
	}
	return true;
}

bool signet_control_leaves_data(const struct signet_context *ctx, u8 type, const u8 *content,
				unsigned int len, bool *key_update)
{
	*key_update = false;
	if (type == SIGNET_CONTENT_ALERT)
		return len == SIGNET_ALERT_LEN && content[1] != SIGNET_ALERT_CLOSE_NOTIFY &&
		       is_warning(ctx, content);
	return type == SIGNET_CONTENT_HANDSHAKE &&
	       messages_leave_data(ctx, content, len, key_update);
}
