// SPDX-License-Identifier: GPL-2.0-only
#include "receive.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <net/busy_poll.h>
#include <net/sock.h>
#include <net/tls.h>

#include "cipher.h"
#include "ciphertext.h"
#include "context.h"
#include "control.h"
#include "handshake.h"
#include "key_update.h"
#include "namespace.h"
#include "rx.h"
#include "scratch.h"
#include "tx.h"

/**
 * struct receive_request - what a call of recvmsg() asks for, and got
 * @msg:	message
 * @len:	bytes that it has room for
 * @flags:	MSG_* flags
 * @type:	content type of what it got, 0 before there was a record
 * @copied:	bytes it got
 * @ahead:	MSG_PEEK: records behind the held one that it has seen
 * @skip:	MSG_PEEK: ciphertext of theirs, and of control records among them
 * @cipher:	MSG_PEEK: keys behind a KeyUpdate that it has passed over, from which on
 *		@ahead counts; or NULL
 * @passed:	MSG_PEEK: control records that it has passed over
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
	struct signet_cipher *cipher;
	unsigned int passed;
	u32 want_seq;
	bool told;
};

/* --- waiting -------------------------------------------------------------------- */

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

/* Will nothing come behind what has arrived? There may be no room for it. */
static bool is_last(const struct sock *sk, const struct signet_context *ctx)
{
	return READ_ONCE(ctx->error) || READ_ONCE(ctx->rx.error) || READ_ONCE(sk->sk_err) ||
	       (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) || sock_flag(sk, SOCK_DONE) ||
	       tcp_epollin_ready(sk, INT_MAX);
}

/* Anything that makes it worth to look again; read without the lock. */
static bool receive_event(const struct sock *sk, const struct signet_context *ctx, u32 want_seq)
{
	/* Upstream's rule after a bad header: only the end of the connection is news. */
	if (READ_ONCE(ctx->rx.stopped))
		return READ_ONCE(sk->sk_err) || sock_flag(sk, SOCK_DONE) ||
		       (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN);
	return !before(READ_ONCE(tcp_sk(sk)->rcv_nxt), want_seq) || READ_ONCE(ctx->rx.held) ||
	       READ_ONCE(ctx->rx.state) == SIGNET_DIRECTION_CLOSED || is_last(sk, ctx);
}

/* As receive_event(), for a call that looks behind the held record. */
static bool peek_event(const struct sock *sk, const struct signet_context *ctx,
		       const struct receive_request *request, u64 seen)
{
	return !before(READ_ONCE(tcp_sk(sk)->rcv_nxt), request->want_seq) ||
	       position(&ctx->rx) != seen || is_last(sk, ctx);
}

/*
 * Waits for more ciphertext. Not sk_wait_data(): it compares the queue's last skb,
 * which stays the same when TCP appends to it.
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

/* --- recvmsg --------------------------------------------------------------------- */

/* Return: bytes given to the reader; fewer than possible, or -EFAULT, on a bad address. */
static inline int give(struct receive_request *request, const u8 *content, unsigned int len)
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
	int err;

	if (request->type)
		return request->type == rx->type;
	if (request->told) {
		/* A peek that began again. */
	} else if ((signet_context_is_tls(ctx) || rx->deliver_types) && msg->msg_controllen) {
		err = put_cmsg(msg, SOL_TLS, TLS_GET_RECORD_TYPE, sizeof(rx->type), &rx->type);
		if ((err || msg->msg_flags & MSG_CTRUNC) &&
		    rx->type != SIGNET_CONTENT_APPLICATION_DATA)
			return -EIO;
		request->told = true;
	} else if (rx->type != SIGNET_CONTENT_APPLICATION_DATA) {
		/* As upstream; users in the kernel look at it to come back with a buffer. */
		if (signet_context_is_tls(ctx))
			msg->msg_flags |= MSG_CTRUNC;
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
	signet_rx_drop_held(rx);
	if (signet_context_is_tls(ctx))
		request->msg->msg_flags |= MSG_EOR;
	return data;
}

/* Control records that MSG_PEEK passes over, at most: more are likely a flood. */
#define PEEK_PASS_MAX 32

/*
 * MSG_PEEK comes to a control record, which is acted upon when it is read. Return: 1 to
 * look behind it, 0 when that is not possible, -ENOMEM.
 */
static int pass_over(struct signet_context *ctx, struct receive_request *request, u8 type,
		     const u8 *content, unsigned int len)
{
	struct signet_cipher *next;
	bool key_update;

	if (signet_context_is_tls(ctx) || ctx->rx.deliver_types ||
	    request->passed++ == PEEK_PASS_MAX ||
	    !signet_control_leaves_data(ctx, type, content, len, &key_update))
		return 0;
	request->ahead++;
	if (!key_update)
		return 1;
	next = signet_cipher_next(request->cipher ?: ctx->rx.cipher);
	if (IS_ERR(next))
		return PTR_ERR(next);
	signet_cipher_free(request->cipher);
	request->cipher = next;
	request->ahead = 0;
	return 1;
}

/*
 * Gives a record that was opened for MSG_PEEK, or passes over it. Return: as peek_ahead().
 */
static int peek_record(struct signet_context *ctx, struct receive_request *request, u8 type,
		       const u8 *content, unsigned int len)
{
	int ret;

	if (type != SIGNET_CONTENT_APPLICATION_DATA)
		return pass_over(ctx, request, type, content, len);
	ret = give(request, content, len);
	request->ahead++;
	return ret < 0 ? ret : ret == len;
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
	struct signet_found_record found;
	unsigned int missing, len;
	u8 type;
	int ret;

	if (rx->rekey_pending || rx->state != SIGNET_DIRECTION_OPEN ||
	    !signet_cipher_usable(rx->cipher))
		return 0;
	ret = signet_ciphertext_find(sk, rx, request->skip, &found, &missing);
	if (ret == -EAGAIN && !is_last(sk, ctx)) {
		request->want_seq = tcp_sk(sk)->rcv_nxt + missing;
		return ret;
	}
	if (ret)
		return 0;
	scratch = signet_scratch_get();
	if (!scratch)
		return -ENOMEM;
	signet_count(ctx->ns, SIGNET_COUNT_PEEKED_RECORDS);
	/* What is wrong with it will be found when it is at the head. */
	ret = 0;
	if (!signet_rx_decrypt(sk, ctx, request->cipher ?: rx->cipher, scratch, &found,
			       request->ahead)) {
		type = signet_rx_content_type(rx->cipher->suite, &found, scratch->record, &len);
		if (type && len <= SIGNET_CONTENT_MAX)
			ret = peek_record(ctx, request, type, scratch->record, len);
		if (ret == 1)
			request->skip += signet_found_len(&found);
	}
	signet_scratch_put(scratch);
	return ret;
}

/* Forgets where MSG_PEEK was. */
static void end_peek(struct receive_request *request)
{
	if (unlikely(request->cipher))
		signet_cipher_free(request->cipher);
	request->cipher = NULL;
	request->ahead = 0;
	request->passed = 0;
	request->skip = 0;
}

/* Return: 1 to go on, 0 when the message is complete, or why there is no more. */
static int receive_more(struct sock *sk, struct signet_context *ctx,
			struct receive_request *request)
{
	struct signet_rx *rx = &ctx->rx;
	int ret;

	if (is_ahead(request))
		return peek_ahead(sk, ctx, request);
	ret = signet_rx_next(sk, ctx);
	if (ret != 1)
		return ret;
	ret = match_type(ctx, request);
	/* A control record that this reader does not want, on a socket that keeps them. */
	if (ret == -EIO && !signet_context_is_tls(ctx)) {
		signet_rx_drop_held(rx);
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
	end_peek(request);
	request->copied = 0;
	request->type = 0;
}

/* Return: 0 at the end of file or of a message, or an errno. */
static int receive_message(struct sock *sk, struct signet_context *ctx,
			   struct receive_request *request)
{
	long timeo = sock_rcvtimeo(sk, request->flags & MSG_DONTWAIT);
	u64 seen;
	int ret;

	if (unlikely(ctx->state == SIGNET_STATE_HANDSHAKE)) {
		ret = signet_handshake_wait(sk, ctx, &timeo);
		if (ret)
			return ret;
	}
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

/* What TCP tells beside the data: how much there is still to read, and when it came. */
static void tell_more(struct sock *sk, struct signet_context *ctx, struct msghdr *msg)
{
	int inq;

	if (msg->msg_controllen && ctx->rx.stamp)
		sock_recv_timestamp(msg, sk, ctx->rx.stamp);
	if (!msg->msg_get_inq && !tcp_sk(sk)->recvmsg_inq)
		return;
	inq = signet_rx_inq_hint(sk, ctx);
	if (msg->msg_get_inq)
		msg->msg_inq = inq;
	/* Without room for it io_uring would see a truncated message, and end a link. */
	if (tcp_sk(sk)->recvmsg_inq && msg->msg_controllen)
		put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(inq), &inq);
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
		return ctx->base->prot->recvmsg(SIGNET_RECVMSG_PASS(sk, msg, len, flags));
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (sk_can_busy_loop(sk) && skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	    !READ_ONCE(ctx->rx.held) && sk->sk_state == TCP_ESTABLISHED)
		sk_busy_loop(sk, flags & MSG_DONTWAIT);

	lock_sock(sk);
	/* A tail that TCP had no memory for: this is a chance to try again. */
	signet_tx_push(sk, ctx, 0);
	ret = receive_message(sk, ctx, &request);
	end_peek(&request);
	if (ctx->rx.state == SIGNET_DIRECTION_UNKEYED)
		signet_count(ctx->ns, SIGNET_COUNT_GATE_REFUSALS);
	if (request.copied)
		ret = request.copied;
	else if (ctx->rx.stopped && ctx->rx.error)
		WRITE_ONCE(ctx->rx.error, 0);
	signet_rx_release_scratch(&ctx->rx);
	if (ret >= 0)
		tell_more(sk, ctx, msg);
	signet_key_update_try(sk, ctx);
	signet_tx_put_outbox(&ctx->tx);
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
	int ret;

	if (signet_context_rx_is_plain(ctx))
		return ctx->base->ops->splice_read(sock, position, pipe, len, flags);
	if (signet_context_is_tls(ctx)) {
		lock_sock(sk);
		ret = signet_rx_next(sk, ctx);
		control = ret == 1 && ctx->rx.type != SIGNET_CONTENT_APPLICATION_DATA;
		signet_rx_release_scratch(&ctx->rx);
		release_sock(sk);
		/* As upstream; recvmsg() says EIO. */
		if (control)
			return -EINVAL;
		if (ret == -EAGAIN && (flags & SPLICE_F_NONBLOCK))
			return -EAGAIN;
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
		signet_rx_drop_held(rx);
	return used;
}

int signet_read_sock(struct sock *sk, read_descriptor_t *desc, sk_read_actor_t actor)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_rx *rx = &ctx->rx;
	int ret, copied = 0;

	if (signet_context_rx_is_plain(ctx))
		return ctx->base->ops->read_sock(sk, desc, actor);
	/* Records are opened in process context only. */
	if (!in_task())
		return -EAGAIN;
	do {
		ret = signet_rx_next(sk, ctx);
		if (ret != 1)
			break;
		if (rx->type != SIGNET_CONTENT_APPLICATION_DATA) {
			/* As upstream; without its options nobody misses it. */
			ret = signet_context_is_tls(ctx) ? -EINVAL : 0;
			if (ret)
				break;
			signet_rx_drop_held(rx);
			continue;
		}
		if (!rx->unread) {
			signet_rx_drop_held(rx);
			continue;
		}
		ret = offer_held(rx, desc, actor);
		if (ret <= 0)
			break;
		copied += ret;
	} while (desc->count);
	signet_rx_release_scratch(rx);
	signet_key_update_try(sk, ctx);
	/* It will be called again when there is something. */
	if (ret == -ENOTCONN && ctx->state == SIGNET_STATE_HANDSHAKE)
		ret = -EAGAIN;
	return copied ?: ret == -EAGAIN ? 0 : ret;
}
