// SPDX-License-Identifier: GPL-2.0-only
#include "rx.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/unaligned.h>

#include "cipher.h"
#include "control.h"
#include "scratch.h"

void signet_rx_install(struct signet_context *ctx, struct signet_cipher *cipher, u8 *leftover,
		       unsigned int leftover_len)
{
	struct signet_rx *rx = &ctx->rx;

	rx->cipher = cipher;
	rx->side = leftover;
	rx->side_size = leftover_len;
	rx->side_end = leftover_len;
	rx->want_seq = rx->copied_seq;
	WRITE_ONCE(rx->state, SIGNET_DIRECTION_OPEN);
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
	    WARN_ON_ONCE(side + len >= SIGNET_RECORD_MAX))
		return 0;
	buffer = kvmalloc(SIGNET_RECORD_MAX, GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	err = copy_arrived(sk, rx, 0, buffer, side + len);
	if (err) {
		kvfree(buffer);
		return err;
	}
	consume(sk, rx, side + len);
	rx->side = buffer;
	rx->side_size = SIGNET_RECORD_MAX;
	rx->side_end = side + len;
	/* The record ends where it ended before. */
	rx->want_seq = want_seq;
	return 0;
}

/* --- finding a record ------------------------------------------------------ */

/*
 * Looks at the header of the record at the head, @skip bytes on.
 *
 * Context: any, under the socket lock. Return: 0 and the body's length when the
 * record is complete, -EAGAIN when it is not, or the enum signet_reason of a bad
 * header. *missing: bytes that must still arrive before it is worth to look again.
 */
static int look_at_record(struct sock *sk, struct signet_rx *rx, unsigned int skip,
			  unsigned int *body, unsigned int *missing)
{
	unsigned int len = arrived(sk, rx) - skip;
	u8 header[SIGNET_HEADER_LEN];

	if (len < SIGNET_HEADER_LEN) {
		*missing = SIGNET_HEADER_LEN - len;
		return -EAGAIN;
	}
	*missing = 0;
	if (copy_arrived(sk, rx, skip, header, sizeof(header)))
		return SIGNET_REASON_INTERFERENCE;
	if (header[0] != SIGNET_CONTENT_APPLICATION_DATA)
		return SIGNET_REASON_RECORD_TYPE;
	if (get_unaligned_be16(header + 1) != SIGNET_RECORD_VERSION)
		return SIGNET_REASON_RECORD_VERSION;
	*body = get_unaligned_be16(header + 3);
	if (*body > SIGNET_BODY_MAX)
		return SIGNET_REASON_RECORD_LONG;
	if (*body < SIGNET_TAG_LEN)
		return SIGNET_REASON_RECORD_SHORT;
	if (len < SIGNET_HEADER_LEN + *body) {
		*missing = SIGNET_HEADER_LEN + *body - len;
		return -EAGAIN;
	}
	return 0;
}

static int look_at_head(struct sock *sk, struct signet_rx *rx, unsigned int *body)
{
	unsigned int missing;
	int ret = look_at_record(sk, rx, 0, body, &missing);

	rx->want_seq = rx->copied_seq + tcp_len(sk) + missing;
	return ret;
}

static int fail_header(struct sock *sk, struct signet_context *ctx, enum signet_reason reason)
{
	switch (reason) {
	case SIGNET_REASON_RECORD_VERSION:
		return signet_context_fail(sk, ctx, EPROTONOSUPPORT, reason,
					   SIGNET_ALERT_PROTOCOL_VERSION);
	case SIGNET_REASON_RECORD_LONG:
		return signet_context_fail(sk, ctx, EMSGSIZE, reason, SIGNET_ALERT_RECORD_OVERFLOW);
	case SIGNET_REASON_RECORD_SHORT:
		return signet_context_fail(sk, ctx, EBADMSG, reason, SIGNET_ALERT_BAD_RECORD_MAC);
	case SIGNET_REASON_RECORD_TYPE:
		return signet_context_fail(sk, ctx, EBADMSG, reason,
					   SIGNET_ALERT_UNEXPECTED_MESSAGE);
	default:
		return signet_context_fail(sk, ctx, EBADFD, reason, SIGNET_ALERT_INTERNAL_ERROR);
	}
}

/* --- opening a record ------------------------------------------------------ */

/*
 * Maps the head record where it lies in the receive queue. Return: the
 * scatterlist, or NULL when it has too many pieces or is not all there.
 */
static struct scatterlist *map_record(struct sock *sk, struct signet_rx *rx,
				      struct signet_scratch *scratch, unsigned int len)
{
	struct scatterlist *sg = scratch->source;
	u32 offset, seq = rx->copied_seq;
	struct sk_buff *skb = NULL;
	unsigned int n;
	int pieces = 0;
	int ret;

	if (side_len(rx))
		return NULL;
	sg_init_table(sg, SIGNET_SCRATCH_PIECES);
	while (len) {
		skb = find_skb(sk, skb, seq, &offset);
		if (!skb || pieces == SIGNET_SCRATCH_PIECES)
			return NULL;
		if (pieces)
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

/* Decrypts the head record into @scratch. Nothing is consumed. */
static int decrypt(struct sock *sk, struct signet_rx *rx, struct signet_scratch *scratch,
		   unsigned int body)
{
	unsigned int len = SIGNET_HEADER_LEN + body;
	struct scatterlist *source;
	int err;

	sg_init_one(scratch->target, scratch->record, len);
	source = map_record(sk, rx, scratch, len);
	if (!source) {
		err = copy_arrived(sk, rx, 0, scratch->record, len);
		if (err)
			return err;
		source = scratch->target;
	}
	return signet_cipher_open(rx->cipher, source, scratch->target, body);
}

/*
 * What is in an opened record? Return: its content type, which is the last byte
 * that is not padding (RFC 8446 5.2), or 0 without one; *len is made the
 * content's length.
 */
static u8 strip_padding(const u8 *content, unsigned int *len)
{
	while (*len) {
		u8 type = content[--*len];

		if (type)
			return type;
	}
	return 0;
}

/* Acts on the opened record in rx->scratch. Return: as open_record(). */
static int receive_record(struct sock *sk, struct signet_context *ctx, unsigned int len)
{
	struct signet_rx *rx = &ctx->rx;
	const u8 *content = rx->scratch->record + SIGNET_HEADER_LEN;
	u8 type = strip_padding(content, &len);

	rx->records++;
	if (!type) /* RFC 8446 5.4 */
		return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_NO_CONTENT_TYPE,
					   SIGNET_ALERT_UNEXPECTED_MESSAGE);
	if (len > SIGNET_CONTENT_MAX) /* RFC 8446 5.2 */
		return signet_context_fail(sk, ctx, EMSGSIZE, SIGNET_REASON_RECORD_LONG,
					   SIGNET_ALERT_RECORD_OVERFLOW);
	if (type != SIGNET_CONTENT_APPLICATION_DATA) {
		rx->control++;
		return signet_control_receive(sk, ctx, type, content, len);
	}
	/* RFC 8446 5.1: nothing comes between the parts of a handshake message. */
	if (rx->message_have)
		return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_HANDSHAKE,
					   SIGNET_ALERT_UNEXPECTED_MESSAGE);
	if (!len) {
		rx->control++;
		return 0;
	}
	rx->bytes += len;
	rx->offset = SIGNET_HEADER_LEN;
	WRITE_ONCE(rx->unread, len);
	return 0;
}

/*
 * Opens the record at the head, if it is complete, and consumes it.
 *
 * Context: process, under the socket lock; no content is unread.
 * Return: 0 when a record was consumed, whatever it held, -EAGAIN when none is
 * complete, -ENOMEM, or the errno of the failed socket.
 */
static int open_record(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;
	unsigned int body;
	int err;

	err = look_at_head(sk, rx, &body);
	if (err > 0)
		return fail_header(sk, ctx, err);
	if (err)
		return err;

	if (!rx->scratch)
		rx->scratch = signet_scratch_get();
	if (!rx->scratch)
		return -ENOMEM;
	err = decrypt(sk, rx, rx->scratch, body);
	if (err == -EBADMSG)
		return signet_context_fail(sk, ctx, EBADMSG, SIGNET_REASON_BAD_TAG,
					   SIGNET_ALERT_BAD_RECORD_MAC);
	if (err == -ENOMEM)
		return err;
	if (err == -EKEYEXPIRED)
		return signet_context_fail(sk, ctx, EKEYEXPIRED, SIGNET_REASON_AEAD_LIMIT,
					   SIGNET_ALERT_UNEXPECTED_MESSAGE);
	if (err)
		return signet_context_fail(sk, ctx, EIO, SIGNET_REASON_CRYPTO,
					   SIGNET_ALERT_INTERNAL_ERROR);
	consume(sk, rx, SIGNET_HEADER_LEN + body);
	return receive_record(sk, ctx, body - SIGNET_TAG_LEN);
}

/* Nobody needs the buffer of a record that was read to its end. */
static void release_scratch(struct signet_rx *rx)
{
	if (!rx->unread) {
		signet_scratch_put(rx->scratch);
		rx->scratch = NULL;
	}
}

/*
 * No complete record is there: will there be one?
 *
 * Return: -EAGAIN when there may, 0 when the user shut down reading, or the
 * errno that ends reading, which is kept.
 */
static int end_of_input(struct sock *sk, struct signet_context *ctx)
{
	int err;

	/* The peer's FIN, and its close_notify did not come before it (RFC 8446 6.1). */
	if (sock_flag(sk, SOCK_DONE)) {
		WRITE_ONCE(ctx->rx.error, ECONNABORTED);
		ctx->reason = SIGNET_REASON_TRUNCATED;
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
 * Gets at content: opens records until one holds some.
 *
 * Return: 1 when rx->unread is not 0, 0 at the end of file, -EAGAIN when
 * nothing complete is there yet, or the errno that ends reading.
 */
static int next_content(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;
	int err;

	for (;;) {
		if (rx->unread)
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
		if (err == -EAGAIN && make_window(sk, rx))
			return -ENOMEM;
		return err;
	}
}

/* --- waking and waiting ---------------------------------------------------- */

void signet_data_ready(struct sock *sk)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_rx *rx = &ctx->rx;
	unsigned int body;

	if (rx->state == SIGNET_DIRECTION_OPEN && !sock_flag(sk, SOCK_DONE) && !sk->sk_err &&
	    !(sk->sk_shutdown & RCV_SHUTDOWN) && !tcp_epollin_ready(sk, INT_MAX)) {
		if (before(tcp_sk(sk)->rcv_nxt, rx->want_seq))
			return;
		if (look_at_head(sk, rx, &body) == -EAGAIN)
			return;
	}
	ctx->base_data_ready(sk);
}

/* Anything that makes it worth to look again; read without the lock. */
static bool receive_event(const struct sock *sk, const struct signet_context *ctx, u32 want_seq)
{
	return !before(READ_ONCE(tcp_sk(sk)->rcv_nxt), want_seq) || READ_ONCE(ctx->rx.unread) ||
	       READ_ONCE(ctx->error) || READ_ONCE(ctx->rx.error) ||
	       READ_ONCE(ctx->rx.state) == SIGNET_DIRECTION_CLOSED || READ_ONCE(sk->sk_err) ||
	       (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) || sock_flag(sk, SOCK_DONE) ||
	       tcp_epollin_ready(sk, INT_MAX);
}

/*
 * Waits for more ciphertext. Not sk_wait_data(): it compares the queue's last
 * skb, which stays the same when TCP appends to it.
 */
static void wait_for_input(struct sock *sk, struct signet_context *ctx, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	u32 want_seq = ctx->rx.want_seq;

	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	sk_wait_event(sk, timeo, receive_event(sk, ctx, want_seq), &wait);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
}

static bool poll_locked(struct sock *sk, struct signet_context *ctx)
{
	int ret = next_content(sk, ctx);
	bool ready;

	if (ret == -EAGAIN || ret == -ENOTCONN)
		ready = false;
	else
		ready = ret != 1 || signet_rx_inq(sk, ctx, ctx->rx.lowat) >= ctx->rx.lowat ||
			(sk->sk_shutdown & RCV_SHUTDOWN) || tcp_epollin_ready(sk, INT_MAX);
	release_scratch(&ctx->rx);
	return ready;
}

int signet_set_rcvlowat(struct sock *sk, int lowat)
{
	WRITE_ONCE(signet_context(sk)->rx.lowat, lowat ?: 1);
	return 0;
}

bool signet_rx_poll(struct sock *sk, struct signet_context *ctx)
{
	const struct signet_rx *rx = &ctx->rx;
	bool ready;

	if (READ_ONCE(rx->state) == SIGNET_DIRECTION_OPEN && !READ_ONCE(rx->unread) &&
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
	unsigned int body, missing, skip = 0, len = rx->unread;

	if (rx->state != SIGNET_DIRECTION_OPEN || ctx->error)
		return len;
	while (len < enough && !look_at_record(sk, rx, skip, &body, &missing)) {
		if (body > SIGNET_TRAILER_LEN)
			len += body - SIGNET_TRAILER_LEN;
		skip += SIGNET_HEADER_LEN + body;
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
static int read_content(struct signet_rx *rx, struct msghdr *msg, size_t len, int flags)
{
	unsigned int n = min_t(size_t, len, rx->unread);

	if (n && !(flags & MSG_TRUNC)) {
		n = copy_to_iter(rx->scratch->record + rx->offset, n, &msg->msg_iter);
		if (!n)
			return -EFAULT;
	}
	if (!(flags & MSG_PEEK)) {
		rx->offset += n;
		WRITE_ONCE(rx->unread, rx->unread - n);
	}
	return n;
}

/* Return: bytes received, 0 at the end of file, or an errno when there were none. */
static int receive_message(struct sock *sk, struct signet_context *ctx, struct msghdr *msg,
			   size_t len, int flags)
{
	size_t target = flags & MSG_WAITALL ? len : min_t(size_t, len, ctx->rx.lowat);
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	size_t copied = 0;
	int ret;

	do {
		ret = next_content(sk, ctx);
		if (ret == 1) {
			ret = read_content(&ctx->rx, msg, len - copied, flags);
			if (ret < 0)
				break;
			copied += ret;
			if (flags & MSG_PEEK)
				break;
			/* Let TCP process what arrived meanwhile. */
			sk_flush_backlog(sk);
			continue;
		}
		if (ret != -EAGAIN)
			break;
		if (copied && copied >= target) {
			if (!sk_flush_backlog(sk))
				break;
			continue;
		}
		if (!timeo)
			break;
		if (signal_pending(current)) {
			ret = sock_intr_errno(timeo);
			break;
		}
		wait_for_input(sk, ctx, &timeo);
	} while (copied < len);
	return copied ? copied : ret;
}

int signet_recvmsg(SIGNET_RECVMSG_ARGS(sk, msg, len, flags))
{
	struct signet_context *ctx = signet_context(sk);
	int ret;

	if (unlikely(flags & MSG_ERRQUEUE))
		return ctx->base_prot->recvmsg(SIGNET_RECVMSG_PASS(sk, msg, len, flags));
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;

	lock_sock(sk);
	ret = receive_message(sk, ctx, msg, len, flags);
	release_scratch(&ctx->rx);
	if (ret >= 0 && msg->msg_get_inq)
		msg->msg_inq = inq_hint(sk, ctx);
	release_sock(sk);
	return ret;
}

/* --- close ----------------------------------------------------------------- */

bool signet_rx_close(struct sock *sk, struct signet_context *ctx)
{
	struct signet_rx *rx = &ctx->rx;
	int err = 0;

	if (rx->state == SIGNET_DIRECTION_UNKEYED)
		return false;
	if (rx->unread)
		return true;
	while (rx->state == SIGNET_DIRECTION_OPEN && !ctx->error && !rx->error) {
		err = open_record(sk, ctx);
		if (rx->unread)
			return true;
		if (err == -EAGAIN)
			return arrived(sk, rx);
		if (err)
			break;
	}
	consume(sk, rx, arrived(sk, rx));
	return false;
}
