// SPDX-License-Identifier: GPL-2.0-only
#include "send.h"

#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/tls.h>

#include "cipher.h"
#include "compat.h"
#include "handshake.h"
#include "key_update.h"
#include "namespace.h"
#include "scratch.h"
#include "tx.h"

/* Sealed bytes that are handed to TCP in one call, about. */
#define BATCH_LEN (4 * SIGNET_RECORD_LEN_MAX)

/*
 * The tail has room for another record of a batch only if a record that is left
 * open will have room behind it too.
 */
#define BATCH_PIECES (2 * SIGNET_RECORD_PIECES)

#define SENDMSG_FLAGS                                                                          \
	(MSG_MORE | MSG_EOR | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL | MSG_CONFIRM |        \
	 MSG_BATCH | MSG_CMSG_COMPAT | MSG_ZEROCOPY | MSG_SPLICE_PAGES | MSG_NO_SHARED_FRAGS | \
	 MSG_SENDPAGE_NOPOLICY)

/**
 * struct send_request - what a call of sendmsg() asks for
 * @msg:	message; its iterator advances
 * @type:	content type of its records
 * @more:	leave the last record open
 * @copied:	bytes that are in a record
 */
struct send_request {
	struct msghdr *msg;
	u8 type;
	bool more;
	size_t copied;
};

/* --- waiting -------------------------------------------------------------------- */

static int check_send(struct sock *sk, struct signet_context *ctx)
{
	int err = signet_context_check(sk, ctx);

	if (err)
		return err;
	if (ctx->tx.state == SIGNET_DIRECTION_UNKEYED) {
		signet_count(ctx->ns, SIGNET_COUNT_GATE_REFUSALS);
		return -ENOTCONN;
	}
	if (ctx->tx.error)
		return -ctx->tx.error;
	if (ctx->tx.state == SIGNET_DIRECTION_CLOSED)
		return -EPIPE;
	err = signet_context_tcp_error(sk, ctx);
	if (err)
		return err;
	if (!signet_tx_tcp_can_send(sk))
		return -EPIPE;
	if (signet_key_update_exhausted(ctx) && !signet_key_update_possible(ctx))
		return signet_context_is_tls(ctx) ? -EBADMSG : signet_key_update_give_up(sk, ctx);
	return 0;
}

static bool room_event(const struct sock *sk, const struct signet_context *ctx)
{
	return READ_ONCE(ctx->error) || READ_ONCE(sk->sk_err) ||
	       (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN) ||
	       READ_ONCE(ctx->tx.state) != SIGNET_DIRECTION_OPEN ||
	       (!signet_tx_has_tail(&ctx->tx) && sk_stream_memory_free(sk));
}

/*
 * As sk_stream_wait_memory(), but a failure or the end of this direction, which
 * another thread may bring about, ends the wait too.
 */
static int wait_for_event(struct sock *sk, struct signet_context *ctx, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	signet_tx_set_nospace(sk);
	if (!*timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(*timeo);
	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	sk->sk_write_pending++;
	sk_wait_event(sk, timeo, room_event(sk, ctx), &wait);
	sk->sk_write_pending--;
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
	return 0;
}

/*
 * Waits, at a record's boundary, until a record may be sealed: the tail is gone
 * and TCP has room. The socket lock may be dropped, so everything is checked
 * again after each wait.
 */
static int wait_for_room(struct sock *sk, struct signet_context *ctx, long *timeo)
{
	int err;

	for (;;) {
		err = check_send(sk, ctx);
		if (err)
			return err;
		err = signet_tx_push(sk, ctx, 0);
		if (err == -EPIPE)
			return err;
		if (!err && sk_stream_memory_free(sk))
			return signet_key_update_if_due(sk, ctx);
		err = wait_for_event(sk, ctx, timeo);
		if (err)
			return err;
	}
}

/* --- filling records -------------------------------------------------------------- */

/* Content that is sealed at once while TCP sends slowly: about what goes in one segment. */
#define SMALL_RECORD_MIN 512

/*
 * Content of the next record, at most. A receiver can use nothing of a record
 * before its last byte is there, so while TCP's congestion window is small or not
 * trusted any more, a record that fits a segment arrives sooner.
 */
static unsigned int content_limit(const struct sock *sk, struct signet_tx *tx)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	unsigned int overhead, small;

	if (likely(!tx->adaptive))
		return tx->content_max;
	if (tcp_jiffies32 - tp->lsndtime > inet_csk(sk)->icsk_rto && tp->packets_out == 0)
		tx->burst = 0;
	if (tx->burst >= SIGNET_BURST_MAX)
		return tx->content_max;
	overhead = signet_suite_overhead(tx->cipher->suite);
	small = tp->mss_cache > overhead ? tp->mss_cache - overhead : 0;
	return min_t(unsigned int, tx->content_max, max_t(unsigned int, small, SMALL_RECORD_MIN));
}

/* May another record be sealed before TCP is given what there is? */
static bool batch_has_room(struct sock *sk, struct signet_context *ctx)
{
	struct signet_tx *tx = &ctx->tx;

	return tx->tail_len < BATCH_LEN && (int)tx->tail_len < sk_stream_wspace(sk) &&
	       signet_tx_has_room(tx, BATCH_PIECES) && !signet_key_update_exhausted(ctx) &&
	       !signet_key_update_is_due(ctx);
}

/*
 * Fills and seals records from the message. A record stays open only when the
 * message is used up and more is to come.
 *
 * Return: 0, -ENOMEM, -EFAULT or the socket's failure; request->copied is advanced
 * by every byte that is in a record, whatever is returned.
 */
static int fill_records(struct sock *sk, struct signet_context *ctx, struct send_request *request)
{
	struct signet_tx *tx = &ctx->tx;
	const struct signet_suite *suite = tx->cipher->suite;
	struct signet_tx_record *open = &tx->outbox->open;
	struct msghdr *msg = request->msg;
	unsigned int want, room, done, limit;
	int err;

	/* With an empty tail, waiting for room has just made sure of one record. */
	while (msg_data_left(msg) && (!tx->tail_len || batch_has_room(sk, ctx))) {
		limit = max(content_limit(sk, tx), open->content + 1);
		want = min_t(size_t, msg_data_left(msg), limit - open->content);
		/* An open record is likely to be filled up. */
		room = request->more ? limit - open->content : want;
		room = signet_tx_record_reserve(sk, suite, open, room,
						signet_tx_padded(tx, open->content + room));
		room = min(room, want);
		done = room ? signet_tx_record_append(suite, open, &msg->msg_iter, room) : 0;
		request->copied += done;

		if (!open->content) {
			signet_tx_discard_open(tx);
			return room ? -EFAULT : -ENOMEM;
		}
		/* What has been taken over of a message with a bad address is sent. */
		if (request->more && done == room && !msg_data_left(msg) && open->content < limit)
			return 0;
		err = signet_tx_seal(sk, ctx, open, request->type);
		if (err) {
			request->copied -= done;
			return err;
		}
		if (done < room)
			return -EFAULT;
	}
	return 0;
}

/*
 * More bytes follow: may TCP keep back a segment that is not full? Only if there
 * will be room for what follows: a segment that is kept back when the buffer is
 * full, and nothing is in flight, waits for TCP's probe timer.
 */
static int hold_back(const struct sock *sk, const struct signet_tx *tx)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 next = tx->tail_len + SIGNET_RECORD_LEN_MAX;
	u32 unsent = tp->write_seq - tp->snd_nxt;

	/* Twice as much, for what TCP charges beside the bytes. */
	if (2 * (int)next < sk_stream_wspace(sk) && unsent + 2 * next < tcp_notsent_lowat(tp))
		return MSG_MORE;
	return 0;
}

/* Must the open record be sealed before this message's bytes? */
static bool ends_open_record(const struct signet_tx *tx, const struct send_request *request)
{
	if (!signet_tx_has_open(tx))
		return false;
	/* Everything was sent before, and MSG_MORE has ended now. */
	if (!msg_data_left(request->msg) && !request->more)
		return true;
	return request->type != SIGNET_CONTENT_APPLICATION_DATA;
}

/* Return: 0 when the whole message is in records, else what ended it early. */
static int send_message(struct sock *sk, struct signet_context *ctx, struct send_request *request)
{
	struct msghdr *msg = request->msg;
	long timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	int err;

	do {
		err = wait_for_room(sk, ctx, &timeo);
		if (err && err != -ENOMEM)
			return err;
		if (!err)
			err = signet_tx_get_outbox(&ctx->tx);
		if (!err && ends_open_record(&ctx->tx, request))
			err = signet_tx_seal_open(sk, ctx);
		if (!err)
			err = fill_records(sk, ctx, request);
		signet_tx_push(sk, ctx,
			       msg_data_left(msg) || request->more ? hold_back(sk, &ctx->tx) : 0);
		/* TCP's own way to wait for memory: a moment, then try again. */
		if (err == -ENOMEM && !ctx->error)
			err = sk_stream_wait_memory(sk, &timeo);
		if (err)
			return err;
	} while (msg_data_left(msg));
	return 0;
}

/* --- sendmsg -------------------------------------------------------------- */

/* The content type that the caller chose, as upstream's sockets take it. */
static int parse_control(struct msghdr *msg, u8 *type)
{
	struct cmsghdr *cmsg;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_TLS)
			continue;
		if (cmsg->cmsg_type != TLS_SET_RECORD_TYPE ||
		    cmsg->cmsg_len < CMSG_LEN(sizeof(*type)))
			return -EINVAL;
		if (msg->msg_flags & MSG_MORE)
			return -EINVAL;
		*type = *(u8 *)CMSG_DATA(cmsg);
	}
	return 0;
}

/*
 * Handshake messages change what the two sides know of each other, so with
 * secrets installed they are the module's alone to send.
 */
static int check_type(const struct signet_context *ctx, const struct send_request *request,
		      size_t size)
{
	if (request->type == SIGNET_CONTENT_APPLICATION_DATA || signet_context_is_tls(ctx))
		return 0;
	if (request->type < SIGNET_CONTENT_ALERT || request->type == SIGNET_CONTENT_HANDSHAKE)
		return -EINVAL;
	/* RFC 8446 5.1: never fragmented, and alone in its record. */
	if (request->type == SIGNET_CONTENT_ALERT && size != SIGNET_ALERT_LEN)
		return -EINVAL;
	return 0;
}

/* Sends an alert that the application made. */
static int send_alert(struct sock *sk, struct signet_context *ctx, struct send_request *request)
{
	struct iov_iter iter = request->msg->msg_iter;
	u8 alert[SIGNET_ALERT_LEN];
	int err;

	if (copy_from_iter(alert, sizeof(alert), &iter) != sizeof(alert))
		return -EFAULT;
	err = send_message(sk, ctx, request);
	if (err)
		return err;
	signet_tx_alert_sent(sk, ctx, alert);
	/* RFC 8446 6.1: nothing comes behind these. */
	if (alert[0] == SIGNET_ALERT_FATAL || alert[1] == SIGNET_ALERT_CLOSE_NOTIFY) {
		WRITE_ONCE(ctx->tx.state, SIGNET_DIRECTION_CLOSED);
		signet_context_update_state(sk, ctx);
	}
	return 0;
}

static int send_locked(struct sock *sk, struct signet_context *ctx, struct send_request *request,
		       size_t size)
{
	long timeo = sock_sndtimeo(sk, request->msg->msg_flags & MSG_DONTWAIT);
	int err = check_type(ctx, request, size);

	if (err)
		return err;
	if (unlikely(ctx->state == SIGNET_STATE_HANDSHAKE)) {
		err = signet_handshake_wait(sk, ctx, &timeo);
		if (err)
			return err;
	}
	if (!size && !signet_tx_has_open(&ctx->tx))
		return check_send(sk, ctx);
	if (request->type == SIGNET_CONTENT_ALERT && !signet_context_is_tls(ctx))
		return send_alert(sk, ctx, request);
	return send_message(sk, ctx, request);
}

/*
 * MSG_ZEROCOPY on a socket with SO_ZEROCOPY: one notification per call. The data
 * are sealed into memory of the kernel's, so the caller's is free at once.
 */
static int begin_zerocopy(struct sock *sk, const struct msghdr *msg, size_t size,
			  struct ubuf_info **notification)
{
	/* io_uring brings its own. */
	if (!(msg->msg_flags & MSG_ZEROCOPY) || msg->msg_ubuf || !sock_flag(sk, SOCK_ZEROCOPY) ||
	    !size)
		return 0;
	*notification = signet_compat_zerocopy_alloc(sk, size);
	if (!*notification)
		return -ENOBUFS;
	uarg_to_msgzc(*notification)->zerocopy = 0;
	return 0;
}

static void end_zerocopy(struct ubuf_info *notification, bool sent)
{
	if (sent)
		net_zcopy_put(notification);
	else
		net_zcopy_put_abort(notification, true);
}

static int send_any(struct sock *sk, struct signet_context *ctx, struct msghdr *msg, size_t size)
{
	struct send_request request = {
		.msg = msg,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.more = (msg->msg_flags & (MSG_MORE | MSG_EOR)) == MSG_MORE,
	};
	struct ubuf_info *notification = NULL;
	int err;

	if (signet_context_tx_is_plain(ctx))
		return tcp_sendmsg_locked(sk, msg, size);
	if (msg->msg_flags & ~SENDMSG_FLAGS)
		return -EOPNOTSUPP;
	if (signet_context_is_tls(ctx) && (msg->msg_flags & MSG_MORE) && (msg->msg_flags & MSG_EOR))
		return -EINVAL;
	if (msg->msg_controllen) {
		err = parse_control(msg, &request.type);
		if (err)
			return err;
	}
	ctx->tx.update_deferred = false;
	err = begin_zerocopy(sk, msg, size, &notification);
	if (!err) {
		err = send_locked(sk, ctx, &request, size);
		signet_tx_put_outbox(&ctx->tx);
		end_zerocopy(notification, request.copied);
	}
	if (request.copied)
		return request.copied;
	return err ? sk_stream_error(sk, msg->msg_flags, err) : 0;
}

/* Flags that make no difference to how a message is sealed. */
#define PLAIN_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL | MSG_CONFIRM | MSG_CMSG_COMPAT)

/*
 * Can records be sealed without a thought? Everything that needs care, waits or fails goes
 * the other way, where the reason is found out.
 */
static inline bool is_ready(struct sock *sk, struct signet_context *ctx, const struct msghdr *msg,
			    unsigned int flags)
{
	const struct signet_tx *tx = &ctx->tx;

	/* io_uring notifies by itself, SO_ZEROCOPY is another thing. */
	if (msg->msg_ubuf)
		flags |= MSG_ZEROCOPY;
	return !(msg->msg_flags & ~flags) && !msg->msg_controllen &&
	       tx->state == SIGNET_DIRECTION_OPEN && !tx->adaptive && !tx->padding &&
	       !tx->update_deferred && !tx->error && !signet_context_check(sk, ctx) &&
	       signet_tx_tcp_can_send(sk) &&
	       (signet_key_update_is_unwanted(ctx) ||
		(!signet_key_update_possible(ctx) && !signet_key_update_exhausted(ctx)));
}

/* The message is one record. Return: as sendmsg(); -EAGAIN: nothing has changed. */
static inline int send_whole(struct sock *sk, struct signet_context *ctx, struct msghdr *msg,
			     size_t size)
{
	int err = signet_tx_send_whole(sk, ctx, &msg->msg_iter, size);

	signet_tx_put_outbox(&ctx->tx);
	if (likely(!err))
		return size;
	return err == -EAGAIN ? err : sk_stream_error(sk, msg->msg_flags, err);
}

/* The message goes into the open record, which stays open and has its memory. */
static inline int send_part(struct signet_context *ctx, struct msghdr *msg, size_t size)
{
	const struct signet_suite *suite = ctx->tx.cipher->suite;
	struct signet_tx_record *open = &ctx->tx.outbox->open;
	unsigned int copied;

	if (!open->content || open->content + size >= ctx->tx.content_max ||
	    open->content + size + signet_suite_overhead(suite) > open->space)
		return -EAGAIN;
	copied = signet_tx_record_append(suite, open, &msg->msg_iter, size);
	if (likely(copied == size))
		return size;
	iov_iter_revert(&msg->msg_iter, copied);
	signet_tx_record_cut(suite, open, copied);
	return -EAGAIN;
}

int signet_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct signet_context *ctx = signet_context(sk);
	int ret = -EAGAIN;

	if (size && size <= ctx->tx.content_max) {
		if (!ctx->tx.outbox) {
			if (likely(is_ready(sk, ctx, msg, PLAIN_FLAGS) &&
				   sk_stream_memory_free(sk)))
				ret = send_whole(sk, ctx, msg, size);
		} else if ((msg->msg_flags & MSG_MORE) && !ctx->tx.tail_len &&
			   is_ready(sk, ctx, msg, PLAIN_FLAGS | MSG_MORE)) {
			ret = send_part(ctx, msg, size);
		}
	}
	return likely(ret != -EAGAIN) ? ret : send_any(sk, ctx, msg, size);
}

int signet_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	int ret;

	lock_sock(sk);
	ret = signet_sendmsg_locked(sk, msg, size);
	release_sock(sk);
	return ret;
}

void signet_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct signet_context *ctx = signet_context(sk);

	if (signet_context_tx_is_plain(ctx)) {
		ctx->base->prot->splice_eof(sock);
		return;
	}
	lock_sock(sk);
	/* sendfile() has reported these bytes: seal them even when TCP has no room yet. */
	if (signet_tx_has_open(&ctx->tx) && !check_send(sk, ctx) && !signet_tx_seal_open(sk, ctx))
		signet_tx_push(sk, ctx, 0);
	signet_tx_put_outbox(&ctx->tx);
	release_sock(sk);
}
