// SPDX-License-Identifier: GPL-2.0-only
#include "control.h"

/* RFC 8446 6: an alert is never fragmented, and all but two are errors whatever their level. */
static int receive_alert(struct sock *sk, struct signet_context *ctx, const u8 *content,
			 unsigned int len)
{
	if (len != SIGNET_ALERT_LEN)
		return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_ALERT,
					   SIGNET_ALERT_DECODE_ERROR);
	ctx->alert_received = content[0] << 8 | content[1];

	switch (content[1]) {
	case SIGNET_ALERT_CLOSE_NOTIFY:
		WRITE_ONCE(ctx->rx.state, SIGNET_DIRECTION_CLOSED);
		signet_context_update_state(sk, ctx);
		return 0;
	case SIGNET_ALERT_USER_CANCELED:
		return 0;
	default:
		return signet_context_fail(sk, ctx, EPROTO, SIGNET_REASON_ALERT, SIGNET_ALERT_NONE);
	}
}

/* A message's header is complete: may it come now? */
static int check_message(struct sock *sk, struct signet_context *ctx)
{
	switch (ctx->rx.message[0]) {
	case SIGNET_HANDSHAKE_NEW_SESSION_TICKET:
		if (ctx->role != SIGNET_ROLE_SERVER)
			return 0;
		break;
	case SIGNET_HANDSHAKE_KEY_UPDATE:
		return signet_context_fail(sk, ctx, EKEYEXPIRED, SIGNET_REASON_KEY_UPDATE,
					   SIGNET_ALERT_UNEXPECTED_MESSAGE);
	}
	return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_HANDSHAKE,
				   SIGNET_ALERT_UNEXPECTED_MESSAGE);
}

/*
 * Messages may be several in a record or spread over records (RFC 8446 5.1);
 * only their headers matter here, so nothing is reassembled.
 */
static int receive_handshake(struct sock *sk, struct signet_context *ctx, const u8 *content,
			     unsigned int len)
{
	struct signet_rx *rx = &ctx->rx;
	unsigned int n;
	int err;

	/* RFC 8446 5.1: handshake records are never empty. */
	if (!len)
		return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_HANDSHAKE,
					   SIGNET_ALERT_UNEXPECTED_MESSAGE);
	while (len) {
		if (rx->message_have < SIGNET_HANDSHAKE_HEADER_LEN) {
			rx->message[rx->message_have++] = *content++;
			len--;
			if (rx->message_have < SIGNET_HANDSHAKE_HEADER_LEN)
				continue;
			err = check_message(sk, ctx);
			if (err)
				return err;
			rx->message_left = rx->message[1] << 16 | rx->message[2] << 8 |
					   rx->message[3];
		}
		n = min(len, rx->message_left);
		content += n;
		len -= n;
		rx->message_left -= n;
		if (!rx->message_left)
			rx->message_have = 0;
	}
	return 0;
}

int signet_control_receive(struct sock *sk, struct signet_context *ctx, u8 type, const u8 *content,
			   unsigned int len)
{
	if (type == SIGNET_CONTENT_ALERT)
		return receive_alert(sk, ctx, content, len);
	if (type == SIGNET_CONTENT_HANDSHAKE)
		return receive_handshake(sk, ctx, content, len);
	return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_RECORD_TYPE,
				   SIGNET_ALERT_UNEXPECTED_MESSAGE);
}
