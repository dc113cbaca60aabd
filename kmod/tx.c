// SPDX-License-Identifier: GPL-2.0-only
#include "tx.h"

#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "cipher.h"

/* Sealed bytes that are handed to TCP in one call, about. */
#define BATCH_LEN (4 * SIGNET_RECORD_MAX)

/* An alert is one piece: it is smaller than any piece that is taken. */
#define ALERT_PIECES 1

/*
 * The tail has room for another record of a batch only if a record that is left
 * open, and the alert at the end, will have room behind it too.
 */
#define BATCH_PIECES (2 * SIGNET_RECORD_PIECES + ALERT_PIECES)

/* Pieces smaller than this are not taken from the end of a page fragment. */
#define PIECE_MIN 512

/* The cipher works fastest on content that starts at such an address. */
#define CONTENT_ALIGN 16

#define SENDMSG_FLAGS                                                                          \
	(MSG_MORE | MSG_EOR | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL | MSG_CONFIRM |        \
	 MSG_BATCH | MSG_CMSG_COMPAT | MSG_ZEROCOPY | MSG_SPLICE_PAGES | MSG_NO_SHARED_FRAGS | \
	 MSG_SENDPAGE_NOPOLICY)

void signet_tx_install(struct signet_context *ctx, struct signet_cipher *cipher)
{
	ctx->tx.cipher = cipher;
	WRITE_ONCE(ctx->tx.state, SIGNET_DIRECTION_OPEN);
}

static void put_pieces(struct bio_vec *piece, unsigned int count)
{
	while (count--)
		put_page(piece[count].bv_page);
}

void signet_tx_discard_open(struct signet_tx *tx)
{
	struct signet_open_record *open = &tx->open;
	unsigned int i;

	for (i = 0; i < open->pieces; i++)
		memzero_explicit(bvec_virt(&open->piece[i]), open->piece[i].bv_len);
	put_pieces(open->piece, open->pieces);
	memset(open, 0, sizeof(*open));
}

static void discard_tail(struct signet_tx *tx)
{
	put_pieces(tx->tail + tx->tail_first, tx->tail_end - tx->tail_first);
	tx->tail_first = 0;
	tx->tail_end = 0;
	WRITE_ONCE(tx->tail_len, 0);
}

void signet_tx_destroy(struct signet_tx *tx)
{
	signet_tx_discard_open(tx);
	discard_tail(tx);
}

/* --- the open record ------------------------------------------------------ */

/*
 * Takes at most @need more bytes for the record. The first piece is placed so
 * that the content of a record that spans pages is aligned.
 */
static bool add_piece(struct sock *sk, struct signet_open_record *open, unsigned int need)
{
	struct page_frag *frag = sk_page_frag(sk);
	struct bio_vec *last = open->piece + open->pieces - 1;
	unsigned int offset, len;

	if (!skb_page_frag_refill(min_t(unsigned int, need, PIECE_MIN) + CONTENT_ALIGN, frag,
				  sk->sk_allocation))
		return false;

	offset = frag->offset;
	if (!open->pieces && offset_in_page(offset) + need > PAGE_SIZE)
		offset = ALIGN(offset + SIGNET_HEADER_LEN, CONTENT_ALIGN) - SIGNET_HEADER_LEN;
	len = min(need, frag->size - offset);
	frag->offset = offset + len;
	open->space += len;

	if (open->pieces && last->bv_page == frag->page &&
	    last->bv_offset + last->bv_len == offset) {
		last->bv_len += len;
		return true;
	}
	get_page(frag->page);
	bvec_set_page(&open->piece[open->pieces++], frag->page, len, offset);
	return true;
}

/*
 * Makes room for @len more bytes of content. Return: how many fit, at least
 * one, or 0 without memory or pieces left.
 */
static unsigned int reserve(struct sock *sk, struct signet_open_record *open, unsigned int len)
{
	unsigned int total = open->content + len + SIGNET_OVERHEAD;

	while (open->space < total && open->pieces < SIGNET_RECORD_PIECES) {
		if (!add_piece(sk, open, total - open->space))
			break;
	}
	if (open->space < open->content + SIGNET_OVERHEAD)
		return 0;
	return min(len, open->space - SIGNET_OVERHEAD - open->content);
}

/* Finds the piece and the offset in it that hold the record's byte @position. */
static struct bio_vec *find_piece(struct signet_open_record *open, unsigned int *position)
{
	struct bio_vec *piece = open->piece;

	while (*position >= piece->bv_len)
		*position -= piece++->bv_len;
	return piece;
}

/* Copies from @from. Return: bytes copied: fewer than @len on a bad address. */
static unsigned int append(struct signet_open_record *open, struct iov_iter *from, unsigned int len)
{
	unsigned int done = 0;

	while (done < len) {
		unsigned int position = SIGNET_HEADER_LEN + open->content;
		struct bio_vec *piece = find_piece(open, &position);
		size_t want = min(len - done, piece->bv_len - position);
		size_t copied = copy_from_iter(bvec_virt(piece) + position, want, from);

		open->content += copied;
		done += copied;
		if (copied < want)
			break;
	}
	return done;
}

/* Gives back what the record did not use, to the page fragment when it is its last user. */
static void trim(struct sock *sk, struct signet_open_record *open, unsigned int total)
{
	struct page_frag *frag = sk_page_frag(sk);

	while (open->space > total) {
		struct bio_vec *last = open->piece + open->pieces - 1;
		unsigned int cut = min(open->space - total, last->bv_len);

		if (last->bv_page == frag->page && last->bv_offset + last->bv_len == frag->offset)
			frag->offset -= cut;
		open->space -= cut;
		last->bv_len -= cut;
		if (!last->bv_len) {
			put_page(last->bv_page);
			open->pieces--;
		}
	}
}

/* Moves the tail to the front of its array, to have the longest free end. */
static void compact_tail(struct signet_tx *tx)
{
	if (!tx->tail_first)
		return;
	tx->tail_end -= tx->tail_first;
	memmove(tx->tail, tx->tail + tx->tail_first, tx->tail_end * sizeof(*tx->tail));
	tx->tail_first = 0;
}

static bool tail_has_room(struct signet_tx *tx, unsigned int pieces)
{
	compact_tail(tx);
	return tx->tail_end + pieces <= SIGNET_TAIL_PIECES;
}

/*
 * Seals the open record in place and moves it to the tail. This is the only way
 * from the one to the other, and it is taken only after the cipher succeeded.
 */
static int seal(struct sock *sk, struct signet_context *ctx, enum signet_content_type type)
{
	struct signet_tx *tx = &ctx->tx;
	struct signet_open_record *open = &tx->open;
	unsigned int total = open->content + SIGNET_OVERHEAD;
	struct scatterlist sg[SIGNET_RECORD_PIECES];
	unsigned int position = SIGNET_HEADER_LEN + open->content;
	struct bio_vec *piece;
	unsigned int i;
	int err;

	if (WARN_ON_ONCE(!tail_has_room(tx, open->pieces))) {
		signet_tx_discard_open(tx);
		return signet_context_fail(sk, ctx, EIO, SIGNET_REASON_CRYPTO, SIGNET_ALERT_NONE);
	}
	trim(sk, open, total);
	signet_header_write(bvec_virt(&open->piece[0]), total - SIGNET_HEADER_LEN);
	piece = find_piece(open, &position);
	*((u8 *)bvec_virt(piece) + position) = type;

	sg_init_table(sg, open->pieces);
	for (i = 0; i < open->pieces; i++)
		sg_set_page(&sg[i], open->piece[i].bv_page, open->piece[i].bv_len,
			    open->piece[i].bv_offset);
	err = signet_cipher_seal(tx->cipher, sg, open->content + 1);
	if (unlikely(err)) {
		signet_tx_discard_open(tx);
		return signet_context_fail(sk, ctx, EIO, SIGNET_REASON_CRYPTO, SIGNET_ALERT_NONE);
	}

	memcpy(tx->tail + tx->tail_end, open->piece, open->pieces * sizeof(*open->piece));
	tx->tail_end += open->pieces;
	WRITE_ONCE(tx->tail_len, tx->tail_len + total);
	tx->records++;
	if (type == SIGNET_CONTENT_APPLICATION_DATA)
		tx->bytes += open->content;
	memset(open, 0, sizeof(*open));
	return 0;
}

/* --- the tail ------------------------------------------------------------- */

static bool tcp_can_send(const struct sock *sk)
{
	return !sk->sk_err && !(sk->sk_shutdown & SEND_SHUTDOWN) &&
	       (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT);
}

/* Ask TCP to call sk_write_space when it has room again. */
static void set_nospace(struct sock *sk)
{
	if (sk->sk_socket)
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
}

/* TCP holds references of its own to the @len bytes that it took. */
static void tail_taken(struct signet_tx *tx, unsigned int len)
{
	WRITE_ONCE(tx->tail_len, tx->tail_len - len);
	while (len) {
		struct bio_vec *piece = tx->tail + tx->tail_first;
		unsigned int taken = min(len, piece->bv_len);

		len -= taken;
		piece->bv_offset += taken;
		piece->bv_len -= taken;
		if (!piece->bv_len) {
			put_page(piece->bv_page);
			tx->tail_first++;
		}
	}
	if (tx->tail_first == tx->tail_end) {
		tx->tail_first = 0;
		tx->tail_end = 0;
	}
}

/*
 * Hands the tail to TCP as far as it has room. Never waits: TCP would drop the
 * socket lock, and another sender could get in the middle of a record.
 *
 * Context: process or softirq, under the socket lock.
 * Return: 0 when the tail is gone, -EAGAIN when TCP is full, -EPIPE when TCP
 * does not send any more.
 */
static int push_tail(struct sock *sk, struct signet_context *ctx, int flags)
{
	struct signet_tx *tx = &ctx->tx;
	int ret = 0;

	if (!tx->tail_len)
		return 0;
	/* Asking TCP would consume sk_err, which is the caller's to report. */
	if (!tcp_can_send(sk))
		return -EPIPE;

	/* TCP processes its backlog at times, and then calls sk_write_space. */
	tx->pushing = true;
	while (tx->tail_len) {
		struct msghdr msg = {
			.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_SPLICE_PAGES |
				     MSG_NO_SHARED_FRAGS | flags,
		};

		iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, tx->tail + tx->tail_first,
			      tx->tail_end - tx->tail_first, tx->tail_len);
		ret = tcp_sendmsg_locked(sk, &msg, tx->tail_len);
		tx->write_seq = tcp_sk(sk)->write_seq;
		if (ret <= 0)
			break;
		tail_taken(tx, ret);
	}
	tx->pushing = false;
	if (!tx->tail_len)
		return 0;
	if (ret < 0 && ret != -EAGAIN) {
		/* An error that came up while TCP worked; give it back. */
		if (ret != -EPIPE)
			WRITE_ONCE(sk->sk_err, -ret);
		return -EPIPE;
	}
	/* Whoever leaves a tail behind must be told when there is room. */
	set_nospace(sk);
	return -EAGAIN;
}

void signet_write_space(struct sock *sk)
{
	struct signet_context *ctx = signet_context(sk);

	if (signet_tx_has_tail(&ctx->tx) && !ctx->tx.pushing) {
		gfp_t allocation = sk->sk_allocation;

		sk->sk_allocation = GFP_ATOMIC;
		push_tail(sk, ctx, 0);
		sk->sk_allocation = allocation;
	}
	ctx->base_write_space(sk);
	/* The callback above may have taken the flag away. */
	if (signet_tx_has_tail(&ctx->tx))
		set_nospace(sk);
}

/*
 * Hands the whole tail to TCP, over its limits. The tail is bounded, so what
 * this takes beyond the user's sk_sndbuf is too.
 */
static int push_whole_tail(struct sock *sk, struct signet_context *ctx)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 notsent_lowat = tp->notsent_lowat;
	int sndbuf = sk->sk_sndbuf;
	int err;

	WRITE_ONCE(sk->sk_sndbuf, INT_MAX);
	WRITE_ONCE(tp->notsent_lowat, UINT_MAX);
	err = push_tail(sk, ctx, 0);
	WRITE_ONCE(tp->notsent_lowat, notsent_lowat);
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	return err;
}

/* --- alerts --------------------------------------------------------------- */

static int seal_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert_level level,
		      enum signet_alert alert)
{
	u8 body[SIGNET_ALERT_LEN] = { level, alert };
	struct kvec vec = { .iov_base = body, .iov_len = sizeof(body) };
	struct signet_open_record *open = &ctx->tx.open;
	struct iov_iter from;
	int err;

	if (ctx->tx.cipher->sequence == U64_MAX || !tail_has_room(&ctx->tx, ALERT_PIECES))
		return -ENOBUFS;
	if (reserve(sk, open, sizeof(body)) < sizeof(body)) {
		signet_tx_discard_open(&ctx->tx);
		return -ENOMEM;
	}
	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, sizeof(body));
	append(open, &from, sizeof(body));
	err = seal(sk, ctx, SIGNET_CONTENT_ALERT);
	if (!err)
		ctx->alert_sent = level << 8 | alert;
	return err;
}

void signet_tx_fatal_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert alert)
{
	if (ctx->tx.state != SIGNET_DIRECTION_OPEN || !signet_cipher_usable(ctx->tx.cipher))
		return;
	signet_tx_discard_open(&ctx->tx);
	if (!seal_alert(sk, ctx, SIGNET_ALERT_FATAL, alert))
		push_whole_tail(sk, ctx);
}

int signet_tx_close(struct sock *sk, struct signet_context *ctx)
{
	struct signet_tx *tx = &ctx->tx;
	int err;

	if (!tcp_can_send(sk)) {
		discard_tail(tx);
		signet_tx_discard_open(tx);
		return 0;
	}
	err = push_whole_tail(sk, ctx);
	if (!err && tx->state == SIGNET_DIRECTION_OPEN && !ctx->error) {
		if (tx->open.pieces)
			err = seal(sk, ctx, SIGNET_CONTENT_APPLICATION_DATA);
		if (!err)
			err = seal_alert(sk, ctx, SIGNET_ALERT_WARNING, SIGNET_ALERT_CLOSE_NOTIFY);
		if (!err) {
			WRITE_ONCE(tx->state, SIGNET_DIRECTION_CLOSED);
			err = push_whole_tail(sk, ctx);
		}
	}
	if (err)
		return -ENOMEM;
	signet_context_update_state(sk, ctx);
	return 0;
}

/* --- sendmsg -------------------------------------------------------------- */

static int check_send(struct sock *sk, struct signet_context *ctx)
{
	int err = signet_context_check(sk, ctx);

	if (err)
		return err;
	if (ctx->tx.state == SIGNET_DIRECTION_UNKEYED)
		return -ENOTCONN;
	if (ctx->tx.state == SIGNET_DIRECTION_CLOSED)
		return -EPIPE;
	err = signet_context_tcp_error(sk, ctx);
	if (err)
		return err;
	if (!tcp_can_send(sk))
		return -EPIPE;
	if (signet_cipher_exhausted(ctx->tx.cipher)) {
		if (signet_tx_close(sk, ctx))
			return -EAGAIN;
		return signet_context_fail(sk, ctx, EKEYEXPIRED, SIGNET_REASON_AEAD_LIMIT,
					   SIGNET_ALERT_NONE);
	}
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

	set_nospace(sk);
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
		err = push_tail(sk, ctx, 0);
		if (err == -EPIPE)
			return err;
		if (!err && sk_stream_memory_free(sk))
			return 0;
		err = wait_for_event(sk, ctx, timeo);
		if (err)
			return err;
	}
}

/* May another record be sealed before TCP is given what there is? */
static bool batch_has_room(struct sock *sk, struct signet_tx *tx)
{
	return tx->tail_len < BATCH_LEN && (int)tx->tail_len < sk_stream_wspace(sk) &&
	       tail_has_room(tx, BATCH_PIECES) && !signet_cipher_exhausted(tx->cipher);
}

/*
 * Fills and seals records from the message. A record stays open only when the
 * message is used up and @more is set.
 *
 * Return: 0, -ENOMEM, -EFAULT or the socket's failure; *copied is advanced by
 * every byte that is in a record, whatever is returned.
 */
static int fill_records(struct sock *sk, struct signet_context *ctx, struct msghdr *msg, bool more,
			size_t *copied)
{
	struct signet_open_record *open = &ctx->tx.open;
	unsigned int want, room, done;
	int err;

	while (msg_data_left(msg) && batch_has_room(sk, &ctx->tx)) {
		want = min_t(size_t, msg_data_left(msg), SIGNET_CONTENT_MAX - open->content);
		/* An open record is likely to be filled up. */
		room = reserve(sk, open, more ? SIGNET_CONTENT_MAX - open->content : want);
		room = min(room, want);
		done = room ? append(open, &msg->msg_iter, room) : 0;
		*copied += done;

		if (!open->content) {
			signet_tx_discard_open(&ctx->tx);
			return room ? -EFAULT : -ENOMEM;
		}
		/* What has been taken over of a message with a bad address is sent. */
		if (more && done == room && !msg_data_left(msg) &&
		    open->content < SIGNET_CONTENT_MAX)
			return 0;
		err = seal(sk, ctx, SIGNET_CONTENT_APPLICATION_DATA);
		if (err)
			return err;
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
	u32 next = tx->tail_len + SIGNET_RECORD_MAX;
	u32 unsent = tp->write_seq - tp->snd_nxt;

	/* Twice as much, for what TCP charges beside the bytes. */
	if (2 * (int)next < sk_stream_wspace(sk) && unsent + 2 * next < tcp_notsent_lowat(tp))
		return MSG_MORE;
	return 0;
}

/* Return: 0 when the whole message is in records, else what ended it early. */
static int send_message(struct sock *sk, struct signet_context *ctx, struct msghdr *msg,
			size_t *copied)
{
	bool more = (msg->msg_flags & (MSG_MORE | MSG_EOR)) == MSG_MORE;
	long timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	int err;

	do {
		err = wait_for_room(sk, ctx, &timeo);
		if (err)
			return err;
		/* Everything was sent before, and MSG_MORE has ended now. */
		if (!msg_data_left(msg) && !more && ctx->tx.open.pieces)
			err = seal(sk, ctx, SIGNET_CONTENT_APPLICATION_DATA);
		else
			err = fill_records(sk, ctx, msg, more, copied);
		push_tail(sk, ctx, msg_data_left(msg) || more ? hold_back(sk, &ctx->tx) : 0);
		/* TCP's own way to wait for memory: a moment, then try again. */
		if (err == -ENOMEM)
			err = sk_stream_wait_memory(sk, &timeo);
		if (err)
			return err;
	} while (msg_data_left(msg));
	return 0;
}

int signet_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct signet_context *ctx = signet_context(sk);
	size_t copied = 0;
	int err;

	if (msg->msg_flags & ~SENDMSG_FLAGS || msg->msg_controllen)
		return -EOPNOTSUPP;
	/* Notifications on the error queue; io_uring brings its own. */
	if ((msg->msg_flags & MSG_ZEROCOPY) && !msg->msg_ubuf && sock_flag(sk, SOCK_ZEROCOPY))
		return -EOPNOTSUPP;

	lock_sock(sk);
	if (!size && !ctx->tx.open.pieces)
		err = check_send(sk, ctx);
	else
		err = send_message(sk, ctx, msg, &copied);
	if (err && !copied)
		err = sk_stream_error(sk, msg->msg_flags, err);
	release_sock(sk);
	return copied ? copied : err;
}

void signet_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct signet_context *ctx = signet_context(sk);

	lock_sock(sk);
	/* sendfile() has reported these bytes: seal them even when TCP has no room yet. */
	if (ctx->tx.open.pieces && !check_send(sk, ctx) &&
	    !seal(sk, ctx, SIGNET_CONTENT_APPLICATION_DATA))
		push_tail(sk, ctx, 0);
	release_sock(sk);
}
