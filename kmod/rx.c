// SPDX-License-Identifier: GPL-2.0-only
#include "rx.h"

#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cipher.h"
#include "ciphertext.h"
#include "control.h"
#include "handshake.h"
#include "key_update.h"
#include "namespace.h"
#include "scratch.h"
#include "ticket.h"
#include "trace.h"

void signet_rx_init(struct signet_rx *rx)
{
	INIT_LIST_HEAD(&rx->tickets);
}

void signet_rx_install(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher,
		       u8 *leftover, unsigned int leftover_len)
{
	struct signet_rx *rx = &ctx->rx;

	if (!rx->tracked)
		signet_context_track_rx(sk, ctx);
	/* Whoever looks without a lock finds all of it. */
	smp_store_release(&rx->cipher, cipher);
	trace_signet_keys(sk, false, cipher);
	signet_count(ctx->ns, SIGNET_COUNT_INSTALLED);
	rx->side = leftover;
	rx->side_size = leftover_len;
	rx->side_end = leftover_len;
	rx->want_seq = rx->copied_seq;
	rx->lowat = sk->sk_rcvlowat;
	WRITE_ONCE(sk->sk_rcvlowat, 1);
	WRITE_ONCE(rx->state, SIGNET_DIRECTION_OPEN);
}

void signet_rx_replace_keys(struct sock *sk, struct signet_context *ctx,
			    struct signet_cipher *cipher)
{
	struct signet_rx *rx = &ctx->rx;

	cipher->epoch = rx->cipher->epoch + 1;
	signet_cipher_replace(&rx->cipher, cipher);
	trace_signet_keys(sk, false, cipher);
	rx->rekey_pending = false;
	rx->head_len = 0;
	rx->want_seq = rx->copied_seq;
}

void signet_rx_destroy(struct signet_rx *rx)
{
	signet_ciphertext_free_side(rx);
	signet_scratch_put(rx->scratch);
	rx->scratch = NULL;
	rx->held = false;
	consume_skb(rx->stamp);
	signet_control_destroy(rx);
	signet_ticket_free_all(rx);
}

/* --- failing ---------------------------------------------------------------- */

/*
 * What arrived ends the connection. With upstream's options it ends reading, and
 * the rest is the application's to do.
 */
static int fail(struct sock *sk, struct signet_context *ctx, int error, enum signet_reason reason,
		enum signet_alert alert)
{
	signet_count(ctx->ns, reason == SIGNET_REASON_BAD_TAG ? SIGNET_COUNT_BAD_TAGS :
								SIGNET_COUNT_BAD_RECORDS);
	if (!signet_context_is_tls(ctx))
		return signet_context_fail(sk, ctx, error, reason, alert);
	WRITE_ONCE(ctx->rx.error, error);
	ctx->reason = reason;
	return -error;
}

static int fail_header(struct sock *sk, struct signet_context *ctx, enum signet_reason reason)
{
	/* Upstream tells of a bad header once, and then waits for ever. */
	ctx->rx.stopped = signet_context_is_tls(ctx);

	switch (reason) {
	case SIGNET_REASON_RECORD_VERSION:
		return fail(sk, ctx, signet_context_is_tls(ctx) ? EINVAL : EPROTONOSUPPORT, reason,
			    SIGNET_ALERT_PROTOCOL_VERSION);
	case SIGNET_REASON_RECORD_LONG:
		return fail(sk, ctx, EMSGSIZE, reason, SIGNET_ALERT_RECORD_OVERFLOW);
	case SIGNET_REASON_RECORD_SHORT:
		return fail(sk, ctx, EBADMSG, reason, SIGNET_ALERT_BAD_RECORD_MAC);
	case SIGNET_REASON_RECORD_TYPE:
		return fail(sk, ctx, EBADMSG, reason, SIGNET_ALERT_UNEXPECTED_MESSAGE);
	default:
		return fail(sk, ctx, EBADFD, reason, SIGNET_ALERT_INTERNAL_ERROR);
	}
}

static int fail_open(struct sock *sk, struct signet_context *ctx, int err)
{
	switch (err) {
	case -EBADMSG:
		return fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_TAG, SIGNET_ALERT_BAD_RECORD_MAC);
	case -EKEYEXPIRED:
		return fail(sk, ctx, signet_context_is_tls(ctx) ? EBADMSG : EKEYEXPIRED,
			    SIGNET_REASON_AEAD_LIMIT, SIGNET_ALERT_UNEXPECTED_MESSAGE);
	default:
		return fail(sk, ctx, EIO, SIGNET_REASON_CRYPTO, SIGNET_ALERT_INTERNAL_ERROR);
	}
}

/* --- opening a record ------------------------------------------------------ */

static __always_inline int decrypt(struct sock *sk, struct signet_context *ctx,
				   struct signet_cipher *cipher, struct signet_scratch *scratch,
				   const struct signet_found_record *found, unsigned int ahead)
{
	struct signet_rx *rx = &ctx->rx;
	unsigned int from = signet_suite_sealed_from(cipher->suite);
	unsigned int head = found->prefix_len - from;
	struct scatterlist *source;
	u8 *target;
	int err;

	source = signet_ciphertext_map(sk, rx, found, from, scratch->source,
				       ARRAY_SIZE(scratch->source));
	signet_scratch_place(scratch, likely(source) ? source[1].offset + head : 0);
	target = scratch->record - head;
	signet_sg_set_buf(&scratch->target[1], target, head + found->len);
	sg_mark_end(&scratch->target[1]);
	if (unlikely(!source)) {
		signet_count(ctx->ns, SIGNET_COUNT_RX_COPIES);
		err = signet_ciphertext_copy(sk, rx, found->skip + from, target, head + found->len);
		if (err)
			return err;
		source = scratch->target;
	}
	return signet_cipher_open(cipher, &scratch->operation, found->prefix, source,
				  scratch->target, found->len, ahead);
}

int signet_rx_decrypt(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher,
		      struct signet_scratch *scratch, const struct signet_found_record *found,
		      unsigned int ahead)
{
	return decrypt(sk, ctx, cipher, scratch, found, ahead);
}

u8 signet_rx_content_type(const struct signet_suite *suite, const struct signet_found_record *found,
			  const u8 *content, unsigned int *len)
{
	*len = found->len - SIGNET_TAG_LEN;
	if (!signet_suite_is_tls_1_3(suite))
		return found->prefix[0];
	while (*len) {
		u8 type = content[--*len];

		if (type)
			return type;
	}
	return 0;
}

/* The opened record in rx->scratch is there to be read. */
static void hold(struct signet_rx *rx, u8 type, unsigned int len)
{
	rx->type = type;
	rx->offset = 0;
	WRITE_ONCE(rx->unread, len);
	WRITE_ONCE(rx->held, true);
}

/* With upstream's options every record is given to the application. */
static int receive_tls_record(struct signet_context *ctx, u8 type, unsigned int len)
{
	struct signet_rx *rx = &ctx->rx;
	const u8 *content = rx->scratch->record;

	if (type == SIGNET_CONTENT_APPLICATION_DATA)
		rx->bytes += len;
	else
		rx->control++;
	/* As upstream: whoever reads it installs the next keys. */
	if (type == SIGNET_CONTENT_HANDSHAKE && len && content[0] == SIGNET_HANDSHAKE_KEY_UPDATE &&
	    signet_suite_is_tls_1_3(rx->cipher->suite)) {
		WRITE_ONCE(rx->rekey_pending, true);
		rx->key_updates++;
		signet_count(ctx->ns, SIGNET_COUNT_RX_KEY_UPDATES);
	}
	hold(rx, type, len);
	return 0;
}

/* A peer that sends records and never data makes work for nothing (RFC 8446 5.4, 9147 4.5). */
static int count_idle_record(struct sock *sk, struct signet_context *ctx)
{
	u32 limit = READ_ONCE(ctx->ns->defaults.idle_records_max);

	ctx->rx.control++;
	if (++ctx->rx.idle_records <= limit)
		return 0;
	signet_count(ctx->ns, SIGNET_COUNT_FLOODS);
	return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_FLOOD,
				   SIGNET_ALERT_UNEXPECTED_MESSAGE);
}

static int receive_control_record(struct sock *sk, struct signet_context *ctx, u8 type,
				  unsigned int len)
{
	struct signet_rx *rx = &ctx->rx;
	u32 before = rx->key_updates + rx->warnings;
	int err;

	err = signet_control_receive(sk, ctx, type, rx->scratch->record, len);
	if (err && ctx->reason != SIGNET_REASON_ALERT)
		signet_count(ctx->ns, SIGNET_COUNT_BAD_RECORDS);
	if (err)
		return err;
	/* Tickets are no work for nothing; TLS 1.2 has none here. */
	if (rx->key_updates + rx->warnings != before ||
	    (type == SIGNET_CONTENT_HANDSHAKE && !signet_suite_is_tls_1_3(rx->cipher->suite)))
		err = count_idle_record(sk, ctx);
	else
		rx->control++;
	if (err)
		return err;
	if (rx->deliver_types)
		hold(rx, type, len);
	return 0;
}

/* Acts on the opened record in rx->scratch. Return: as open_record(). */
static int receive_record(struct sock *sk, struct signet_context *ctx,
			  const struct signet_found_record *found)
{
	struct signet_rx *rx = &ctx->rx;
	unsigned int len;
	u8 type = signet_rx_content_type(rx->cipher->suite, found, rx->scratch->record, &len);

	rx->records++;
	signet_count(ctx->ns, SIGNET_COUNT_RX_RECORDS);
	signet_count_add(ctx->ns, SIGNET_COUNT_RX_BYTES, len);
	trace_signet_record(sk, false, type, len);
	if (!type) /* RFC 8446 5.4 */
		return fail(sk, ctx, EBADMSG, SIGNET_REASON_NO_CONTENT_TYPE,
			    SIGNET_ALERT_UNEXPECTED_MESSAGE);
	if (len > SIGNET_CONTENT_MAX) /* RFC 8446 5.2 */
		return fail(sk, ctx, EMSGSIZE, SIGNET_REASON_RECORD_LONG,
			    SIGNET_ALERT_RECORD_OVERFLOW);
	if (signet_context_is_tls(ctx))
		return receive_tls_record(ctx, type, len);
	if (type != SIGNET_CONTENT_APPLICATION_DATA)
		return receive_control_record(sk, ctx, type, len);
	/* RFC 8446 5.1: nothing comes between the parts of a handshake message. */
	if (rx->message.have)
		return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_HANDSHAKE,
					   SIGNET_ALERT_UNEXPECTED_MESSAGE);
	if (!len)
		return count_idle_record(sk, ctx);
	rx->idle_records = 0;
	rx->renegotiation_refused = false;
	rx->bytes += len;
	hold(rx, type, len);
	return 0;
}

/* Return: as signet_ciphertext_find(). */
static __always_inline int find_head(struct sock *sk, struct signet_rx *rx,
				     struct signet_found_record *found)
{
	const struct signet_suite *suite = rx->cipher->suite;
	int ret = signet_ciphertext_check_head(sk, rx);

	if (ret)
		return ret;
	found->skip = 0;
	found->prefix_len = signet_suite_prefix_len(suite);
	found->len = rx->head_len - found->prefix_len;
	if (!signet_suite_is_tls_1_3(suite) &&
	    signet_ciphertext_copy(sk, rx, 0, found->prefix, found->prefix_len))
		return SIGNET_REASON_INTERFERENCE;
	return 0;
}

/*
 * New keys behind the peer's KeyUpdate. Return: 0, or why no record can be opened.
 */
static int take_new_keys(struct sock *sk, struct signet_context *ctx)
{
	if (signet_context_is_tls(ctx))
		return -EKEYEXPIRED;
	return signet_control_rekey(sk, ctx);
}

/*
 * Opens the record at the head, if it is complete, and consumes it.
 *
 * Context: process, under the socket lock; no record is held.
 * Return: 0 when a record was consumed, whatever it held, -EAGAIN when none is
 * complete, -ENOMEM, or the errno of the failed socket.
 */
static __always_inline int open_record(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;
	struct signet_found_record found;
	int err;

	if (rx->stopped)
		return -EAGAIN;
	if (rx->rekey_pending) {
		err = take_new_keys(sk, ctx);
		if (err)
			return err;
	}
	err = find_head(sk, rx, &found);
	if (err > 0)
		return fail_header(sk, ctx, err);
	if (err)
		return err;

	if (!rx->scratch)
		rx->scratch = signet_scratch_get();
	if (!rx->scratch)
		return -ENOMEM;
	err = decrypt(sk, ctx, rx->cipher, rx->scratch, &found, 0);
	if (err == -ENOMEM)
		return err;
	if (err)
		return fail_open(sk, ctx, err);
	if (unlikely(rx->stamp))
		consume_skb(rx->stamp);
	rx->stamp = signet_ciphertext_stamp(sk, rx, &found);
	signet_ciphertext_consume(sk, rx, signet_found_len(&found));
	signet_cipher_opened(rx->cipher);
	return receive_record(sk, ctx, &found);
}

/*
 * No complete record is there: will there be one?
 *
 * Return: -EAGAIN when there may, 0 when the user shut down reading or upstream
 * would say so, or the errno that ends reading, which is kept.
 */
static int end_of_input(struct sock *sk, struct signet_context *ctx)
{
	int err;

	if (sock_flag(sk, SOCK_DONE)) {
		if (signet_context_is_tls(ctx))
			return 0;
		/* The peer's FIN, and its close_notify did not come before it (RFC 8446 6.1). */
		WRITE_ONCE(ctx->rx.error, ECONNABORTED);
		ctx->reason = SIGNET_REASON_TRUNCATED;
		signet_count(ctx->ns, SIGNET_COUNT_TRUNCATED);
		return -ECONNABORTED;
	}
	err = signet_context_tcp_error(sk, ctx);
	if (err && !ctx->tcp_error)
		return err;
	if (err)
		return signet_context_fail(sk, ctx, -err, SIGNET_REASON_RESET, SIGNET_ALERT_NONE);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	return -EAGAIN;
}

int signet_rx_next(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;
	int err;

	for (;;) {
		if (rx->held)
			return 1;
		if (rx->state == SIGNET_DIRECTION_CLOSED)
			return 0;
		err = signet_context_check(sk, ctx);
		if (err)
			return err;
		if (rx->state == SIGNET_DIRECTION_UNKEYED)
			return -ENOTCONN;
		if (rx->error)
			return -rx->error;
		err = open_record(sk, ctx);
		if (err == -EAGAIN)
			err = end_of_input(sk, ctx);
		else if (!err)
			continue;
		if (err == -EAGAIN && !rx->stopped && signet_ciphertext_make_window(sk, rx))
			return -ENOMEM;
		return err;
	}
}

/* --- waking ------------------------------------------------------------------- */

/* Can a reader use what has arrived? */
static inline bool is_usable(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;

	if (rx->state != SIGNET_DIRECTION_OPEN)
		return true;
	return !before(tcp_sk(sk)->rcv_nxt, rx->want_seq) && !rx->stopped &&
	       !(rx->rekey_pending && signet_context_is_tls(ctx)) &&
	       signet_ciphertext_check_head(sk, rx) != -EAGAIN;
}

void signet_data_ready(struct sock *sk)
{
	struct signet_context *ctx = signet_context(sk);

	/* A listener that is being closed: TCP does not hold its lock. */
	if (unlikely(!ctx))
		return;
	if (!is_usable(sk, ctx) && !sock_flag(sk, SOCK_DONE) && !sk->sk_err &&
	    !(sk->sk_shutdown & RCV_SHUTDOWN) && !tcp_epollin_ready(sk, INT_MAX))
		return;
	ctx->base->data_ready(sk);
	signet_handshake_notify(ctx);
}

static bool poll_locked(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;
	int ret = signet_rx_next(sk, ctx);
	bool ready;

	if (ret == -EAGAIN || ret == -ENOTCONN || (ret == -EKEYEXPIRED && rx->rekey_pending))
		ready = false;
	else
		ready = ret != 1 || rx->type != SIGNET_CONTENT_APPLICATION_DATA ||
			signet_rx_inq(sk, ctx, rx->lowat) >= rx->lowat ||
			(sk->sk_shutdown & RCV_SHUTDOWN) || tcp_epollin_ready(sk, INT_MAX);
	signet_rx_release_scratch(rx);
	signet_key_update_try(sk, ctx);
	return ready;
}

int signet_set_rcvlowat(struct sock *sk, int lowat)
{
	struct signet_context *ctx = signet_context(sk);

	if (ctx->rx.state == SIGNET_DIRECTION_UNKEYED)
		return ctx->base->ops->set_rcvlowat(sk, lowat);
	WRITE_ONCE(ctx->rx.lowat, lowat ?: 1);
	return 0;
}

bool signet_rx_poll(struct sock *sk, struct signet_context *ctx)
{
	const struct signet_rx *rx = &ctx->rx;
	bool ready;

	if (READ_ONCE(rx->state) == SIGNET_DIRECTION_OPEN && !READ_ONCE(rx->held) &&
	    !READ_ONCE(rx->side) && !READ_ONCE(ctx->error) && !READ_ONCE(rx->error) &&
	    !READ_ONCE(sk->sk_err) && !READ_ONCE(sk->sk_shutdown) &&
	    READ_ONCE(tcp_sk(sk)->rcv_nxt) == READ_ONCE(tcp_sk(sk)->copied_seq))
		return false;

	lock_sock(sk);
	ready = poll_locked(sk, ctx);
	release_sock(sk);
	return ready;
}

unsigned int signet_rx_inq(struct sock *sk, struct signet_context *ctx, unsigned int enough)
{
	struct signet_rx *rx = &ctx->rx;

	if (rx->state != SIGNET_DIRECTION_OPEN || ctx->error || !signet_cipher_usable(rx->cipher) ||
	    rx->stopped || rx->rekey_pending || rx->unread >= enough)
		return rx->unread;
	return rx->unread + signet_ciphertext_content(sk, rx, enough - rx->unread);
}

/* msg_inq tells whether to go on receiving: no need to count records beyond this. */
#define INQ_ENOUGH (4 * SIGNET_CONTENT_MAX)

/* Is there anything but content that a reader would be told? */
static bool has_news(struct sock *sk, struct signet_context *ctx)
{
	struct signet_found_record found;
	struct signet_rx *rx = &ctx->rx;
	unsigned int missing;

	if (rx->held || ctx->error || rx->error || sock_flag(sk, SOCK_DONE) ||
	    rx->state == SIGNET_DIRECTION_CLOSED)
		return true;
	if (rx->stopped || !signet_cipher_usable(rx->cipher))
		return false;
	/* New keys are to be taken into use first, or the header is bad. */
	return rx->rekey_pending ? signet_ciphertext_len(sk, rx) && !signet_context_is_tls(ctx) :
				   signet_ciphertext_find(sk, rx, 0, &found, &missing) > 0;
}

int signet_rx_inq_hint(struct sock *sk, struct signet_context *ctx)
{
	unsigned int len = signet_rx_inq(sk, ctx, INQ_ENOUGH);

	if (!len)
		return has_news(sk, ctx);
	return min_t(unsigned int, len, INT_MAX);
}

/* --- close ----------------------------------------------------------------- */

bool signet_rx_close(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;
	int err = 0;

	if (rx->state == SIGNET_DIRECTION_UNKEYED)
		return false;
	if (signet_context_is_tls(ctx))
		return rx->held;
	if (rx->held && rx->type == SIGNET_CONTENT_APPLICATION_DATA)
		return true;
	while (rx->state == SIGNET_DIRECTION_OPEN && !ctx->error && !rx->error) {
		signet_rx_drop_held(rx);
		err = open_record(sk, ctx);
		if (rx->held && rx->type == SIGNET_CONTENT_APPLICATION_DATA)
			return true;
		if (err == -EAGAIN)
			return signet_ciphertext_len(sk, rx);
		/* It may be data, and cannot be looked at. */
		if (err == -ENOMEM)
			return true;
		if (err)
			break;
	}
	signet_ciphertext_consume(sk, rx, signet_ciphertext_len(sk, rx));
	return false;
}
