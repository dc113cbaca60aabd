/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sending: sealing records and handing them to TCP.
 */
#ifndef _SIGNET_TX_H
#define _SIGNET_TX_H

#include "context.h"
#include "scratch.h"

struct iov_iter;
struct signet_defaults;

/* Begins with a network namespace's defaults. */
void signet_tx_init(struct signet_tx *tx, const struct signet_defaults *defaults);

/* Installs the first keys of this direction. Takes over @cipher. */
void signet_tx_install(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher);

/**
 * signet_tx_replace_keys - install keys that the application agreed with its peer
 * @sk:		socket
 * @ctx:	its context, of SOL_TLS
 * @cipher:	the new keys; taken over on success
 *
 * The open record is sealed under the old ones first.
 * Context: process, under the socket lock.
 * Return: 0, -EAGAIN when TCP has no room for that record, or the errno of the
 * failed socket.
 */
int signet_tx_replace_keys(struct sock *sk, struct signet_context *ctx,
			   struct signet_cipher *cipher);

/* SIGNET_RECORD_MAX: RFC 8449's limit on a record, in bytes; 0 for none. */
void signet_tx_set_record_max(struct signet_tx *tx, unsigned int limit);

/* Frees everything but the cipher. */
void signet_tx_destroy(struct signet_tx *tx);

/* Pieces that are kept for a KeyUpdate, a warning and the alert at the end, one each. */
#define SIGNET_CONTROL_PIECES 3

/* Content that struct signet_tx's burst counts, at most. */
#define SIGNET_BURST_MAX (64 * 1024)

/* --- the outbox: memory that an idle socket does not have ----------------------- */

/* Return: 0, or -ENOMEM when there is none. */
static inline int signet_tx_get_outbox(struct signet_tx *tx)
{
	if (!tx->outbox)
		tx->outbox = signet_outbox_get();
	return tx->outbox ? 0 : -ENOMEM;
}

/* Gives it back when nothing is in it. */
static inline void signet_tx_put_outbox(struct signet_tx *tx)
{
	if (!tx->outbox || tx->tail_len || tx->outbox->open.pieces)
		return;
	signet_outbox_put(tx->outbox);
	tx->outbox = NULL;
}

static inline bool signet_tx_has_open(const struct signet_tx *tx)
{
	return tx->outbox && tx->outbox->open.pieces;
}

/* Wipes and drops the open record. */
void signet_tx_discard_open(struct signet_tx *tx);

/* Has the tail room for so many pieces, and control records behind them? */
bool signet_tx_has_room(struct signet_tx *tx, unsigned int pieces);

/* How long @content bytes become with the padding that they shall have (RFC 8446 5.4). */
unsigned int signet_tx_add_padding(const struct signet_tx *tx, unsigned int content);

static inline unsigned int signet_tx_padded(const struct signet_tx *tx, unsigned int content)
{
	return likely(!tx->padding) ? content : signet_tx_add_padding(tx, content);
}

/**
 * signet_tx_seal - seal a record in place and move it to the tail
 * @sk:		socket
 * @ctx:	its context, with an outbox
 * @record:	record; empty afterwards
 * @type:	content type
 *
 * This is the only way to the tail, and it is taken only after the cipher
 * succeeded. Context: process, under the socket lock.
 * Return: 0, or the errno of the failed socket.
 */
int signet_tx_seal(struct sock *sk, struct signet_context *ctx, struct signet_tx_record *record,
		   u8 type);

/**
 * signet_tx_send_whole - send a message that is one record of its own
 * @sk:		socket
 * @ctx:	its context, without an outbox: nothing comes before the message
 * @from:	message; advances when it was sent
 * @len:	its length, at most tx->content_max; no padding is wanted
 *
 * What most messages are, without the steps that others need: no record stays open,
 * and the tail is used only when TCP does not take everything.
 *
 * Context: process, under the socket lock, which is kept. The caller has checked that a
 * record may be sealed now.
 * Return: 0 when it was sealed; -EAGAIN: nothing has changed, send it the other way; or
 * the errno of the failed socket.
 */
int signet_tx_send_whole(struct sock *sk, struct signet_context *ctx, struct iov_iter *from,
			 unsigned int len);

/* Seals the open record. */
int signet_tx_seal_open(struct sock *sk, struct signet_context *ctx);

/**
 * signet_tx_seal_control - seal a short record of its own, past the open one
 * @sk:		socket
 * @ctx:	its context
 * @type:	content type
 * @body:	content
 * @len:	its length
 *
 * Context: process, under the socket lock.
 * Return: 0; -ENOBUFS when the tail is full, -ENOMEM: nothing has changed; or the
 * errno of the failed socket.
 */
int signet_tx_seal_control(struct sock *sk, struct signet_context *ctx, u8 type, u8 *body,
			   unsigned int len);

/* --- the tail ------------------------------------------------------------------- */

/* True while sealed bytes wait for room in TCP. */
static inline bool signet_tx_has_tail(const struct signet_tx *tx)
{
	return READ_ONCE(tx->tail_len) != 0;
}

/* Does TCP take any more bytes? */
static inline bool signet_tx_tcp_can_send(const struct sock *sk)
{
	return !sk->sk_err && !(sk->sk_shutdown & SEND_SHUTDOWN) &&
	       (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT);
}

/* Ask TCP to call sk_write_space when it has room again. */
void signet_tx_set_nospace(struct sock *sk);

/* signet_tx_push(), when there is a tail. */
int signet_tx_push_tail(struct sock *sk, struct signet_context *ctx, int flags);

/**
 * signet_tx_push - hand the tail to TCP as far as it has room
 * @sk:		socket
 * @ctx:	its context
 * @flags:	MSG_MORE or 0
 *
 * Never waits: TCP would drop the socket lock, and another sender could get in the
 * middle of a record.
 *
 * Context: process or softirq, under the socket lock.
 * Return: 0 when the tail is gone, -EAGAIN when TCP is full, -EPIPE when TCP does
 * not send any more.
 */
static inline int signet_tx_push(struct sock *sk, struct signet_context *ctx, int flags)
{
	return likely(!ctx->tx.tail_len) ? 0 : signet_tx_push_tail(sk, ctx, flags);
}

/*
 * struct sock's sk_write_space: TCP has room again, so the tail goes out.
 * Context: process or softirq, under the socket lock.
 */
void signet_write_space(struct sock *sk);

/* The timer that hands the tail to TCP again. Context: softirq. */
void signet_tx_retry(struct timer_list *timer);

/* --- alerts and the end --------------------------------------------------------- */

/*
 * Seals a fatal alert behind everything that is sealed already; tries to hand
 * it to TCP without waiting. Without memory the alert is left out: the
 * connection has failed all the same.
 */
void signet_tx_fatal_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert alert);

/* As that one, for an alert after which the connection goes on. */
void signet_tx_warning_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert alert);

/* An alert was sealed: remember and count it. @alert: level and description. */
void signet_tx_alert_sent(struct sock *sk, struct signet_context *ctx, const u8 *alert);

/**
 * signet_tx_close - send what is open, then close_notify
 * @sk:		socket
 * @ctx:	its context
 *
 * TCP's limits are lifted for these bytes, so this never waits. Nothing is sent
 * when this direction is not open.
 *
 * Context: process, under the socket lock.
 * Return: 0 when TCP has all bytes, -ENOMEM when it could not take them: then
 * the connection must not end with a FIN.
 */
int signet_tx_close(struct sock *sk, struct signet_context *ctx);

#endif /* _SIGNET_TX_H */
