// SPDX-License-Identifier: GPL-2.0-only
#include "rx.h"

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/splice.h>
#include <linux/unaligned.h>
#include <net/tls.h>

#include "cipher.h"
#include "control.h"
#include "key_update.h"
#include "namespace.h"
#include "scratch.h"
#include "ticket.h"
#include "trace.h"
#include "tx.h"

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
	WRITE_ONCE(rx->cipher, cipher);
	trace_signet_keys(sk, false, cipher);
	signet_count(ctx->namespace, SIGNET_COUNT_INSTALLED);
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
	rx->want_seq = rx->copied_seq;
}

static void free_side(struct signet_rx *rx)
{
	kvfree(rx->side);
	rx->side = NULL;
	rx->side_offset = 0;
	rx->side_end = 0;
	rx->side_size = 0;
}

void signet_rx_destroy(struct signet_rx *rx)
{
	free_side(rx);
	signet_scratch_put(rx->scratch);
	rx->scratch = NULL;
	rx->held = false;
	signet_control_destroy(rx);
	signet_ticket_free_all(rx);
}

/* --- the ciphertext that has arrived --------------------------------------- */

static unsigned int side_len(const struct signet_rx *rx)
{
	return rx->side_end - rx->side_offset;
}

/* Bytes in TCP's receive queue, without the FIN's sequence number. */
static unsigned int tcp_len(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	unsigned int len = tp->rcv_nxt - tp->copied_seq;

	return len && sock_flag(sk, SOCK_DONE) ? len - 1 : len;
}

static unsigned int arrived(const struct sock *sk, const struct signet_rx *rx)
{
	return side_len(rx) + tcp_len(sk);
}

/* The first skb that holds bytes at or behind *seq, and their offset in it. */
static struct sk_buff *find_skb(struct sock *sk, struct sk_buff *skb, u32 seq, u32 *offset)
{
	skb = skb ? skb_queue_next(&sk->sk_receive_queue, skb) : skb_peek(&sk->sk_receive_queue);
	while (skb && skb != (struct sk_buff *)&sk->sk_receive_queue) {
		*offset = seq - TCP_SKB_CB(skb)->seq;
		if (*offset < skb->len)
			return skb;
		skb = skb_queue_next(&sk->sk_receive_queue, skb);
	}
	return NULL;
}

/* Copies from TCP's receive queue, which must hold as much. */
static int copy_from_tcp(struct sock *sk, unsigned int skip, u8 *to, unsigned int len)
{
	u32 seq = tcp_sk(sk)->copied_seq + skip;
	struct sk_buff *skb = NULL;
	unsigned int n;
	u32 offset;
	int err;

	while (len) {
		skb = find_skb(sk, skb, seq, &offset);
		if (WARN_ON_ONCE(!skb))
			return -EFAULT;
		n = min(len, skb->len - offset);
		err = skb_copy_bits(skb, offset, to, n);
		if (err)
			return err;
		seq += n;
		to += n;
		len -= n;
	}
	return 0;
}

/* Copies ciphertext that has arrived, from @skip bytes on. */
static int copy_arrived(struct sock *sk, const struct signet_rx *rx, unsigned int skip, u8 *to,
			unsigned int len)
{
	unsigned int n = 0;

	if (skip < side_len(rx)) {
		n = min(len, side_len(rx) - skip);
		memcpy(to, rx->side + rx->side_offset + skip, n);
		if (n == len)
			return 0;
	}
	return copy_from_tcp(sk, skip + n - side_len(rx), to + n, len - n);
}

/* Drops ciphertext that was used; TCP acknowledges it and opens its window. */
static void consume(struct sock *sk, struct signet_rx *rx, unsigned int len)
{
	unsigned int n = min(len, side_len(rx));

	rx->side_offset += n;
	if (rx->side && !side_len(rx))
		free_side(rx);
	if (len > n)
		tcp_read_done(sk, len - n);
	rx->copied_seq = tcp_sk(sk)->copied_seq;
	rx->want_seq = rx->copied_seq + SIGNET_HEADER_LEN - min(side_len(rx), SIGNET_HEADER_LEN);
}

/*
 * The head record is incomplete, and TCP's window is closed or its memory used
 * up: nothing more would ever come. Moves what there is into the side buffer.
 */
static int make_window(struct sock *sk, struct signet_rx *rx)
{
	unsigned int side = side_len(rx), len = tcp_len(sk);
	u32 want_seq = rx->want_seq;
	u8 *buffer;
	int err;

	if (!len || !tcp_epollin_ready(sk, INT_MAX) ||
	    WARN_ON_ONCE(side + len >= SIGNET_RECORD_LEN_MAX))
		return 0;
	buffer = kvmalloc(SIGNET_RECORD_LEN_MAX, GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	err = copy_arrived(sk, rx, 0, buffer, side + len);
	if (err) {
		kvfree(buffer);
		return err;
	}
	consume(sk, rx, side + len);
	rx->side = buffer;
	rx->side_size = SIGNET_RECORD_LEN_MAX;
	rx->side_end = side + len;
	/* The record ends where it ended before. */
	rx->want_seq = want_seq;
	return 0;
}

/* --- finding a record ------------------------------------------------------ */

/**
 * struct found_record - a complete record among the ciphertext that has arrived
 * @skip:	where it starts, in bytes behind the head
 * @prefix_len:	its header and explicit nonce
 * @len:	its encrypted part, tag included
 * @prefix:	those bytes
 */
struct found_record {
	unsigned int skip;
	unsigned int prefix_len;
	unsigned int len;
	u8 prefix[SIGNET_PREFIX_MAX];
};

static unsigned int found_len(const struct found_record *found)
{
	return found->prefix_len + found->len;
}

/* May a record with this type in the clear come now? */
static bool type_may_come(const struct signet_suite *suite, u8 type)
{
	if (type == SIGNET_CONTENT_APPLICATION_DATA)
		return true;
	/* RFC 8446 5.2: all protected records look like application data. */
	return !signet_suite_is_tls_1_3(suite) && type != SIGNET_CONTENT_CHANGE_CIPHER_SPEC && type;
}

/* Return: 0, or the enum signet_reason of a bad header. */
static int check_header(const struct signet_suite *suite, const u8 *header)
{
	unsigned int len = get_unaligned_be16(header + 3);
	bool may_come = type_may_come(suite, header[0]);

	/* Told in this order by upstream too. */
	if (len > suite->explicit_nonce_len + signet_suite_body_max(suite))
		return SIGNET_REASON_RECORD_LONG;
	/* Alerts and change_cipher_spec in the clear have no tag: their type is what is wrong. */
	if (len < suite->explicit_nonce_len + SIGNET_TAG_LEN)
		return may_come ? SIGNET_REASON_RECORD_SHORT : SIGNET_REASON_RECORD_TYPE;
	if (get_unaligned_be16(header + 1) != SIGNET_RECORD_VERSION)
		return SIGNET_REASON_RECORD_VERSION;
	if (!may_come)
		return SIGNET_REASON_RECORD_TYPE;
	return 0;
}

/*
 * Looks at the record @skip bytes behind the head.
 *
 * Context: any, under the socket lock. Return: 0 when the record is complete,
 * -EAGAIN when it is not, or the enum signet_reason of a bad header. *missing:
 * bytes that must still arrive before it is worth to look again.
 */
static int look_at_record(struct sock *sk, struct signet_rx *rx, unsigned int skip,
			  struct found_record *found, unsigned int *missing)
{
	const struct signet_suite *suite = rx->cipher->suite;
	unsigned int len = arrived(sk, rx) - skip;
	int err;

	if (len < SIGNET_HEADER_LEN) {
		*missing = SIGNET_HEADER_LEN - len;
		return -EAGAIN;
	}
	*missing = 0;
	found->skip = skip;
	found->prefix_len = signet_suite_prefix_len(suite);
	if (copy_arrived(sk, rx, skip, found->prefix, min(len, found->prefix_len)))
		return SIGNET_REASON_INTERFERENCE;
	err = check_header(suite, found->prefix);
	if (err)
		return err;
	found->len = get_unaligned_be16(found->prefix + 3) - suite->explicit_nonce_len;
	if (len < found_len(found)) {
		*missing = found_len(found) - len;
		return -EAGAIN;
	}
	return 0;
}

static int look_at_head(struct sock *sk, struct signet_rx *rx, struct found_record *found)
{
	unsigned int missing;
	int ret = look_at_record(sk, rx, 0, found, &missing);

	rx->want_seq = rx->copied_seq + tcp_len(sk) + missing;
	return ret;
}

/* --- failing ---------------------------------------------------------------- */

/*
 * What arrived ends the connection. With upstream's options it ends reading, and
 * the rest is the application's to do.
 */
static int fail(struct sock *sk, struct signet_context *ctx, int error, enum signet_reason reason,
		enum signet_alert alert)
{
	signet_count(ctx->namespace, reason == SIGNET_REASON_BAD_TAG ? SIGNET_COUNT_BAD_TAGS :
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

/*
 * Maps a record's encrypted part where it lies in the receive queue, behind the
 * entry for the cipher. Return: the scatterlist, or NULL when it has too many
 * pieces or is not all there.
 */
static struct scatterlist *map_record(struct sock *sk, struct signet_rx *rx,
				      struct signet_scratch *scratch,
				      const struct found_record *found)
{
	u32 offset, seq = rx->copied_seq + found->skip + found->prefix_len - side_len(rx);
	struct scatterlist *sg = scratch->source;
	unsigned int n, len = found->len;
	struct sk_buff *skb = NULL;
	int pieces = 1;
	int ret;

	if (found->skip + found->prefix_len < side_len(rx))
		return NULL;
	sg_init_table(sg, ARRAY_SIZE(scratch->source));
	while (len) {
		skb = find_skb(sk, skb, seq, &offset);
		if (!skb || pieces == ARRAY_SIZE(scratch->source))
			return NULL;
		if (pieces > 1)
			sg_unmark_end(&sg[pieces - 1]);
		n = min(len, skb->len - offset);
		ret = skb_to_sgvec(skb, sg + pieces, offset, n);
		if (ret <= 0)
			return NULL;
		pieces += ret;
		seq += n;
		len -= n;
	}
	return sg;
}

/*
 * Decrypts a record into @scratch. Nothing is consumed. Return: as
 * signet_cipher_open(); *type and *len: what is in it.
 */
static int decrypt(struct sock *sk, struct signet_context *ctx, struct signet_scratch *scratch,
		   const struct found_record *found, unsigned int ahead)
{
	struct signet_rx *rx = &ctx->rx;
	struct scatterlist *source;
	int err;

	sg_init_table(scratch->target, ARRAY_SIZE(scratch->target));
	sg_set_buf(&scratch->target[1], scratch->record, found->len);
	source = map_record(sk, rx, scratch, found);
	if (!source) {
		signet_count(ctx->namespace, SIGNET_COUNT_RX_COPIES);
		err = copy_arrived(sk, rx, found->skip + found->prefix_len, scratch->record,
				   found->len);
		if (err)
			return err;
		source = scratch->target;
	}
	return signet_cipher_open(rx->cipher, &scratch->operation, found->prefix, source,
				  scratch->target, found->len, ahead);
}

/*
 * What is in an opened record? Return: its content type, which in TLS 1.3 is the
 * last byte that is not padding (RFC 8446 5.2), or 0 without one; *len: its
 * content's length.
 */
static u8 content_type(const struct signet_suite *suite, const struct found_record *found,
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
		signet_count(ctx->namespace, SIGNET_COUNT_RX_KEY_UPDATES);
	}
	hold(rx, type, len);
	return 0;
}

/* A peer that sends records and never data makes work for nothing (RFC 8446 5.4, 9147 4.5). */
static int count_idle_record(struct sock *sk, struct signet_context *ctx)
{
	u32 limit = READ_ONCE(ctx->namespace->defaults.idle_records_max);

	ctx->rx.control++;
	if (++ctx->rx.idle_records <= limit)
		return 0;
	signet_count(ctx->namespace, SIGNET_COUNT_FLOODS);
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
			  const struct found_record *found)
{
	struct signet_rx *rx = &ctx->rx;
	unsigned int len;
	u8 type = content_type(rx->cipher->suite, found, rx->scratch->record, &len);

	rx->records++;
	signet_count(ctx->namespace, SIGNET_COUNT_RX_RECORDS);
	signet_count_add(ctx->namespace, SIGNET_COUNT_RX_BYTES, len);
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
	rx->bytes += len;
	hold(rx, type, len);
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
static int open_record(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;
	struct found_record found;
	int err;

	if (rx->stopped)
		return -EAGAIN;
	if (rx->rekey_pending) {
		err = take_new_keys(sk, ctx);
		if (err)
			return err;
	}
	err = look_at_head(sk, rx, &found);
	if (err > 0)
		return fail_header(sk, ctx, err);
	if (err)
		return err;

	if (!rx->scratch)
		rx->scratch = signet_scratch_get();
	if (!rx->scratch)
		return -ENOMEM;
	err = decrypt(sk, ctx, rx->scratch, &found, 0);
	if (err == -ENOMEM)
		return err;
	if (err)
		return fail_open(sk, ctx, err);
	consume(sk, rx, found_len(&found));
	signet_cipher_opened(rx->cipher);
	return receive_record(sk, ctx, &found);
}

/* Nobody needs the buffer of a record that was read to its end. */
static void release_scratch(struct signet_rx *rx)
{
	if (!rx->held) {
		signet_scratch_put(rx->scratch);
		rx->scratch = NULL;
	}
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
		signet_count(ctx->namespace, SIGNET_COUNT_TRUNCATED);
		return -ECONNABORTED;
	}
	err = signet_context_tcp_error(sk, ctx);
	if (err)
		return signet_context_fail(sk, ctx, -err, SIGNET_REASON_RESET, SIGNET_ALERT_NONE);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	return -EAGAIN;
}

/*
 * Gets at content: opens records until one is held.
 *
 * Return: 1 when one is, 0 at the end of file, -EAGAIN when nothing complete is
 * there yet, or the errno that ends reading.
 */
static int next_content(struct sock *sk, struct signet_context *ctx)
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
		if (err == -EAGAIN && !rx->stopped && make_window(sk, rx))
			return -ENOMEM;
		return err;
	}
}

/* The held record was used. */
static void drop_held(struct signet_rx *rx)
{
	WRITE_ONCE(rx->unread, 0);
	WRITE_ONCE(rx->held, false);
}

/* --- waking and waiting ---------------------------------------------------- */

void signet_data_ready(struct sock *sk)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_rx *rx = &ctx->rx;
	struct found_record found;

	if (rx->state == SIGNET_DIRECTION_OPEN && !sock_flag(sk, SOCK_DONE) && !sk->sk_err &&
	    !(sk->sk_shutdown & RCV_SHUTDOWN) && !tcp_epollin_ready(sk, INT_MAX)) {
		if (before(tcp_sk(sk)->rcv_nxt, rx->want_seq))
			return;
		if (rx->rekey_pending && signet_context_is_tls(ctx))
			return;
		if (look_at_head(sk, rx, &found) == -EAGAIN)
			return;
	}
	ctx->base_data_ready(sk);
}

/**
 * struct receive_request - what a call of recvmsg() asks for, and got
 * @msg:	message
 * @len:	bytes that it has room for
 * @flags:	MSG_* flags
 * @type:	content type of what it got, 0 before there was a record
 * @copied:	bytes it got
 * @ahead:	MSG_PEEK: records behind the held one that it has seen
 * @skip:	MSG_PEEK: ciphertext of theirs
 * @want_seq:	MSG_PEEK: TCP's sequence number at which the next one is complete,
 *		or its header
 * @told:	the reader was told the content type
 */
struct receive_request {
	struct msghdr *msg;
	size_t len;
	int flags;
	u8 type;
	size_t copied;
	unsigned int ahead;
	unsigned int skip;
	u32 want_seq;
	bool told;
};

/* Anything that makes it worth to look again; read without the lock. */
static bool receive_event(const struct sock *sk, const struct signet_context *ctx, u32 want_seq)
{
	return !before(READ_ONCE(tcp_sk(sk)->rcv_nxt), want_seq) || READ_ONCE(ctx->rx.held) ||
	       READ_ONCE(ctx->error) || READ_ONCE(ctx->rx.error) ||
	       READ_ONCE(ctx->rx.state) == SIGNET_DIRECTION_CLOSED || READ_ONCE(sk->sk_err) ||
	       (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) || sock_flag(sk, SOCK_DONE) ||
	       tcp_epollin_ready(sk, INT_MAX);
}

/* Does the call look behind the held record? */
static bool is_ahead(const struct receive_request *request)
{
	return (request->flags & MSG_PEEK) && request->type;
}

/* Changes whenever a record is opened, or content is taken. */
static u64 position(const struct signet_rx *rx)
{
	return (READ_ONCE(rx->records) << 16) + READ_ONCE(rx->offset);
}

/* Will nothing come behind what has been peeked at? There may be no room for it. */
static bool is_last(const struct sock *sk, const struct signet_context *ctx)
{
	return READ_ONCE(ctx->error) || READ_ONCE(ctx->rx.error) || READ_ONCE(sk->sk_err) ||
	       (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) || sock_flag(sk, SOCK_DONE) ||
	       tcp_epollin_ready(sk, INT_MAX);
}

/* As receive_event(), for a call that looks behind the held record. */
static bool peek_event(const struct sock *sk, const struct signet_context *ctx,
		       const struct receive_request *request, u64 seen)
{
	return !before(READ_ONCE(tcp_sk(sk)->rcv_nxt), request->want_seq) ||
	       position(&ctx->rx) != seen || is_last(sk, ctx);
}

/*
 * Waits for more ciphertext. Not sk_wait_data(): it compares the queue's last
 * skb, which stays the same when TCP appends to it.
 */
static void wait_for_input(struct sock *sk, struct signet_context *ctx,
			   const struct receive_request *request, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	u32 want_seq = ctx->rx.want_seq;
	u64 seen = position(&ctx->rx);

	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	sk_wait_event(sk, timeo,
		      is_ahead(request) ? peek_event(sk, ctx, request, seen) :
					  receive_event(sk, ctx, want_seq),
		      &wait);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
}

static bool poll_locked(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;
	int ret = next_content(sk, ctx);
	bool ready;

	if (ret == -EAGAIN || ret == -ENOTCONN || (ret == -EKEYEXPIRED && rx->rekey_pending))
		ready = false;
	else
		ready = ret != 1 || rx->type != SIGNET_CONTENT_APPLICATION_DATA ||
			signet_rx_inq(sk, ctx, rx->lowat) >= rx->lowat ||
			(sk->sk_shutdown & RCV_SHUTDOWN) || tcp_epollin_ready(sk, INT_MAX);
	release_scratch(rx);
	signet_key_update_try(sk, ctx);
	return ready;
}

int signet_set_rcvlowat(struct sock *sk, int lowat)
{
	struct signet_context *ctx = signet_context(sk);

	if (ctx->rx.state == SIGNET_DIRECTION_UNKEYED)
		return ctx->base_ops->set_rcvlowat(sk, lowat);
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
	unsigned int missing, skip = 0, len = rx->unread;
	struct found_record found;
	unsigned int extra;

	if (rx->state != SIGNET_DIRECTION_OPEN || ctx->error || !signet_cipher_usable(rx->cipher) ||
	    rx->stopped || rx->rekey_pending)
		return len;
	extra = signet_suite_trailer_len(rx->cipher->suite);
	while (len < enough && !look_at_record(sk, rx, skip, &found, &missing)) {
		if (found.len > extra)
			len += found.len - extra;
		skip += found_len(&found);
	}
	return len;
}

/* msg_inq tells whether to go on receiving: no need to count records beyond this. */
#define INQ_ENOUGH (4 * SIGNET_CONTENT_MAX)

/* msg_inq: as TCP's, 1 when nothing but the end of file or an error is to be had. */
static int inq_hint(struct sock *sk, struct signet_context *ctx)
{
	unsigned int len = signet_rx_inq(sk, ctx, INQ_ENOUGH);

	if (!len && (ctx->error || ctx->rx.error || sock_flag(sk, SOCK_DONE) ||
		     ctx->rx.state == SIGNET_DIRECTION_CLOSED))
		return 1;
	return min_t(unsigned int, len, INT_MAX);
}

/* --- recvmsg --------------------------------------------------------------- */

/* Return: bytes given to the reader; fewer than possible, or -EFAULT, on a bad address. */
static int give(struct receive_request *request, const u8 *content, unsigned int len)
{
	unsigned int n = min_t(size_t, request->len - request->copied, len);

	if (n && !(request->flags & MSG_TRUNC)) {
		n = copy_to_iter(content, n, &request->msg->msg_iter);
		if (!n)
			return -EFAULT;
	}
	request->copied += n;
	return n;
}

/*
 * The first record of a message decides on its type; others must have the same.
 *
 * Return: 1 when the held record belongs to it, 0 when it does not, -EIO when the
 * reader has no room to be told its type.
 */
static int match_type(struct signet_context *ctx, struct receive_request *request)
{
	struct signet_rx *rx = &ctx->rx;
	struct msghdr *msg = request->msg;

	if (request->type)
		return request->type == rx->type;
	if (request->told) {
		/* A peek that began again. */
	} else if ((signet_context_is_tls(ctx) || rx->deliver_types) && msg->msg_controllen) {
		put_cmsg(msg, SOL_TLS, TLS_GET_RECORD_TYPE, sizeof(rx->type), &rx->type);
		if ((msg->msg_flags & MSG_CTRUNC) && rx->type != SIGNET_CONTENT_APPLICATION_DATA)
			return -EIO;
		request->told = true;
	} else if (rx->type != SIGNET_CONTENT_APPLICATION_DATA) {
		return -EIO;
	}
	request->type = rx->type;
	return 1;
}

/*
 * Gives what the held record holds. Return: 1 to go on, 0 when the message is
 * complete, -EFAULT.
 */
static int read_held(struct signet_context *ctx, struct receive_request *request)
{
	struct signet_rx *rx = &ctx->rx;
	bool data = rx->type == SIGNET_CONTENT_APPLICATION_DATA;
	int n;

	n = give(request, rx->scratch->record + rx->offset, rx->unread);
	if (n < 0)
		return n;
	if (request->flags & MSG_PEEK)
		return data && n == rx->unread;
	rx->offset += n;
	WRITE_ONCE(rx->unread, rx->unread - n);
	if (rx->unread)
		return 0;
	drop_held(rx);
	return data;
}

/*
 * MSG_PEEK beyond the held record: opens the next one, and forgets it again.
 *
 * Return: 1 to go on, 0 when what comes next is not to be peeked at, -EAGAIN when
 * it is not there yet, -EFAULT, -ENOMEM.
 */
static int peek_ahead(struct sock *sk, struct signet_context *ctx, struct receive_request *request)
{
	struct signet_rx *rx = &ctx->rx;
	struct signet_scratch *scratch;
	struct found_record found;
	unsigned int missing, len;
	int ret;

	if (rx->rekey_pending || rx->state != SIGNET_DIRECTION_OPEN ||
	    !signet_cipher_usable(rx->cipher))
		return 0;
	ret = look_at_record(sk, rx, request->skip, &found, &missing);
	if (ret == -EAGAIN && !is_last(sk, ctx)) {
		request->want_seq = rx->copied_seq + tcp_len(sk) + missing;
		return ret;
	}
	if (ret)
		return 0;
	scratch = signet_scratch_get();
	if (!scratch)
		return -ENOMEM;
	signet_count(ctx->namespace, SIGNET_COUNT_PEEKED_RECORDS);
	/* What is wrong with it will be found when it is at the head. */
	ret = 0;
	if (!decrypt(sk, ctx, scratch, &found, request->ahead) &&
	    content_type(rx->cipher->suite, &found, scratch->record, &len) ==
		    SIGNET_CONTENT_APPLICATION_DATA &&
	    len <= SIGNET_CONTENT_MAX) {
		ret = give(request, scratch->record, len);
		if (ret >= 0)
			ret = ret == len;
		request->ahead++;
		request->skip += found_len(&found);
	}
	signet_scratch_put(scratch);
	return ret;
}

/* Return: 1 to go on, 0 when the message is complete, or why there is no more. */
static int receive_more(struct sock *sk, struct signet_context *ctx,
			struct receive_request *request)
{
	struct signet_rx *rx = &ctx->rx;
	int ret;

	if (is_ahead(request))
		return peek_ahead(sk, ctx, request);
	ret = next_content(sk, ctx);
	if (ret != 1)
		return ret;
	ret = match_type(ctx, request);
	/* A control record that this reader does not want, on a socket that keeps them. */
	if (ret == -EIO && !signet_context_is_tls(ctx)) {
		drop_held(rx);
		return 1;
	}
	if (ret != 1)
		return ret;
	return read_held(ctx, request);
}

/* Has the reader got all that it waits for? */
static bool is_enough(const struct signet_context *ctx, const struct receive_request *request)
{
	size_t target = request->len;

	if (!(request->flags & MSG_WAITALL))
		target = min_t(size_t, target, ctx->rx.lowat);
	return request->copied && request->copied >= target;
}

/*
 * While the lock was dropped, another reader may have taken what was seen. Begins
 * again; the bytes that were given are given once more.
 */
static void restart_peek(struct receive_request *request)
{
	if (!(request->flags & MSG_TRUNC))
		iov_iter_revert(&request->msg->msg_iter, request->copied);
	request->copied = 0;
	request->ahead = 0;
	request->skip = 0;
	request->type = 0;
}

/* Return: 0 at the end of file or of a message, or an errno. */
static int receive_message(struct sock *sk, struct signet_context *ctx,
			   struct receive_request *request)
{
	long timeo = sock_rcvtimeo(sk, request->flags & MSG_DONTWAIT);
	u64 seen;
	int ret;

	do {
		ret = receive_more(sk, ctx, request);
		if (ret == 1) {
			/* Let TCP process what arrived meanwhile. */
			sk_flush_backlog(sk);
			continue;
		}
		if (ret != -EAGAIN)
			return ret;
		if (is_enough(ctx, request)) {
			if (!sk_flush_backlog(sk))
				return 0;
			continue;
		}
		if (!timeo)
			return -EAGAIN;
		if (signal_pending(current))
			return sock_intr_errno(timeo);
		/* The peer may wait for the answer to its KeyUpdate before it sends data. */
		signet_key_update_try(sk, ctx);
		seen = position(&ctx->rx);
		wait_for_input(sk, ctx, request, &timeo);
		/* Another reader may have taken what was seen. */
		if ((request->flags & MSG_PEEK) && seen != position(&ctx->rx))
			restart_peek(request);
	} while (request->copied < request->len);
	return 0;
}

int signet_recvmsg(SIGNET_RECVMSG_ARGS(sk, msg, len, flags))
{
	struct signet_context *ctx = signet_context(sk);
	struct receive_request request = {
		.msg = msg,
		.len = len,
		.flags = flags,
	};
	int ret;

	if (unlikely((flags & MSG_ERRQUEUE) || signet_context_rx_is_plain(ctx)))
		return ctx->base_prot->recvmsg(SIGNET_RECVMSG_PASS(sk, msg, len, flags));
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;

	lock_sock(sk);
	ret = receive_message(sk, ctx, &request);
	if (ctx->rx.state == SIGNET_DIRECTION_UNKEYED)
		signet_count(ctx->namespace, SIGNET_COUNT_GATE_REFUSALS);
	if (request.copied)
		ret = request.copied;
	else if (ctx->rx.stopped && ctx->rx.error)
		WRITE_ONCE(ctx->rx.error, 0);
	release_scratch(&ctx->rx);
	if (ret >= 0 && msg->msg_get_inq)
		msg->msg_inq = inq_hint(sk, ctx);
	signet_key_update_try(sk, ctx);
	release_sock(sk);
	return ret;
}

/* --- splice ----------------------------------------------------------------- */

ssize_t signet_splice_read(struct socket *sock, loff_t *position, struct pipe_inode_info *pipe,
			   size_t len, unsigned int flags)
{
	struct sock *sk = sock->sk;
	struct signet_context *ctx = signet_context(sk);
	bool control;

	if (signet_context_rx_is_plain(ctx))
		return ctx->base_ops->splice_read(sock, position, pipe, len, flags);
	if (signet_context_is_tls(ctx)) {
		lock_sock(sk);
		control = next_content(sk, ctx) == 1 &&
			  ctx->rx.type != SIGNET_CONTENT_APPLICATION_DATA;
		release_scratch(&ctx->rx);
		release_sock(sk);
		/* As upstream; recvmsg() says EIO. */
		if (control)
			return -EINVAL;
	}
	return copy_splice_read(sock->file, position, pipe, len, flags);
}

/* --- read_sock ---------------------------------------------------------------- */

/* What is unread of the held record, in an skb of its own, or NULL without memory. */
static struct sk_buff *copy_held(const struct signet_rx *rx)
{
	struct sk_buff *skb = alloc_skb(rx->unread, GFP_KERNEL);

	if (skb)
		skb_put_data(skb, rx->scratch->record + rx->offset, rx->unread);
	return skb;
}

/* Return: bytes that the consumer took, or what it answered; or -ENOMEM. */
static int offer_held(struct signet_rx *rx, read_descriptor_t *desc, sk_read_actor_t actor)
{
	struct sk_buff *skb = copy_held(rx);
	int used;

	if (!skb)
		return -ENOMEM;
	used = actor(desc, skb, 0, skb->len);
	consume_skb(skb);
	if (used <= 0)
		return used;
	rx->offset += used;
	WRITE_ONCE(rx->unread, rx->unread - used);
	if (!rx->unread)
		drop_held(rx);
	return used;
}

int signet_read_sock(struct sock *sk, read_descriptor_t *desc, sk_read_actor_t actor)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_rx *rx = &ctx->rx;
	int ret, copied = 0;

	if (signet_context_rx_is_plain(ctx))
		return ctx->base_ops->read_sock(sk, desc, actor);
	/* Records are opened in process context only. */
	if (!in_task())
		return -EAGAIN;
	do {
		ret = next_content(sk, ctx);
		if (ret != 1)
			break;
		if (rx->type != SIGNET_CONTENT_APPLICATION_DATA) {
			/* As upstream; without its options nobody misses it. */
			ret = signet_context_is_tls(ctx) ? -EINVAL : 0;
			if (ret)
				break;
			drop_held(rx);
			continue;
		}
		if (!rx->unread) {
			drop_held(rx);
			continue;
		}
		ret = offer_held(rx, desc, actor);
		if (ret <= 0)
			break;
		copied += ret;
	} while (desc->count);
	release_scratch(rx);
	signet_key_update_try(sk, ctx);
	return copied ?: ret == -EAGAIN ? 0 : ret;
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
		drop_held(rx);
		err = open_record(sk, ctx);
		if (rx->held && rx->type == SIGNET_CONTENT_APPLICATION_DATA)
			return true;
		if (err == -EAGAIN)
			return arrived(sk, rx);
		if (err)
			break;
	}
	consume(sk, rx, arrived(sk, rx));
	return false;
}
