// SPDX-License-Identifier: GPL-2.0-only
#include "tx.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "cipher.h"
#include "handshake.h"
#include "namespace.h"
#include "scratch.h"
#include "trace.h"

/* How soon TCP is asked again after it had no memory. */
#define RETRY_INTERVAL (HZ / 20)

void signet_tx_init(struct signet_tx *tx, const struct signet_defaults *defaults)
{
	tx->content_max = SIGNET_CONTENT_MAX;
	tx->record_max = READ_ONCE(defaults->record_max);
	tx->policy.records = READ_ONCE(defaults->rekey_records);
	tx->policy.bytes = READ_ONCE(defaults->rekey_bytes);
	tx->policy.seconds = READ_ONCE(defaults->rekey_seconds);
	tx->padding_size = READ_ONCE(defaults->padding_size);
	tx->padding = READ_ONCE(defaults->padding_mode);
	/* One without the other is none. */
	if (!tx->padding || !tx->padding_size) {
		tx->padding = SIGNET_PADDING_NONE;
		tx->padding_size = 0;
	}
	tx->adaptive = READ_ONCE(defaults->adaptive_records);
}

void signet_tx_install(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher)
{
	struct signet_tx *tx = &ctx->tx;

	signet_context_track_tx(sk, ctx);
	/* Whoever looks without a lock finds all of it. */
	smp_store_release(&tx->cipher, cipher);
	trace_signet_keys(sk, true, cipher);
	signet_count(ctx->ns, SIGNET_COUNT_INSTALLED);
	/* What it means depends on the TLS version. */
	if (!signet_context_is_tls(ctx)) {
		signet_tx_set_record_max(tx, tx->record_max);
	} else {
		/* Upstream's sockets know none of these. */
		tx->record_max = 0;
		tx->padding = SIGNET_PADDING_NONE;
		tx->padding_size = 0;
		tx->adaptive = false;
	}
	WRITE_ONCE(tx->state, SIGNET_DIRECTION_OPEN);
}

void signet_tx_set_record_max(struct signet_tx *tx, unsigned int limit)
{
	unsigned int content = limit ?: SIGNET_CONTENT_MAX;

	/* RFC 8449 4: in TLS 1.3 the limit includes the content type and padding. */
	if (limit && tx->cipher && signet_suite_is_tls_1_3(tx->cipher->suite))
		content--;
	tx->record_max = limit;
	tx->content_max = min_t(unsigned int, content, SIGNET_CONTENT_MAX);
}

int signet_tx_replace_keys(struct sock *sk, struct signet_context *ctx,
			   struct signet_cipher *cipher)
{
	struct signet_tx *tx = &ctx->tx;
	int err;

	if (signet_tx_has_open(tx)) {
		if (!signet_tx_has_room(tx, SIGNET_RECORD_PIECES))
			return -EAGAIN;
		err = signet_tx_seal_open(sk, ctx);
		if (err)
			return err;
		signet_tx_push(sk, ctx, 0);
		signet_tx_put_outbox(tx);
	}
	cipher->epoch = tx->cipher->epoch + 1;
	signet_cipher_replace(&tx->cipher, cipher);
	trace_signet_keys(sk, true, cipher);
	return 0;
}

/* --- the outbox ------------------------------------------------------------- */

void signet_tx_discard_open(struct signet_tx *tx)
{
	if (tx->outbox)
		signet_tx_record_discard(&tx->outbox->open);
}

static void discard_tail(struct signet_tx *tx)
{
	if (tx->outbox)
		signet_tail_discard(&tx->outbox->tail);
	WRITE_ONCE(tx->tail_len, 0);
}

void signet_tx_destroy(struct signet_tx *tx)
{
	signet_tx_discard_open(tx);
	discard_tail(tx);
	signet_tx_put_outbox(tx);
}

bool signet_tx_has_room(struct signet_tx *tx, unsigned int pieces)
{
	return signet_tail_has_room(&tx->outbox->tail, pieces + SIGNET_CONTROL_PIECES);
}

/* --- sealing ------------------------------------------------------------------ */

unsigned int signet_tx_add_padding(const struct signet_tx *tx, unsigned int content)
{
	unsigned int len = content;

	if (!signet_suite_is_tls_1_3(tx->cipher->suite))
		return content;
	if (tx->padding == SIGNET_PADDING_MULTIPLE)
		len = roundup(content, tx->padding_size);
	else
		len = max_t(unsigned int, content, tx->padding_size);
	return max(content, min_t(unsigned int, len, tx->content_max));
}

/* Encrypts a record in place; @len: what comes before the tag. */
static __always_inline int encrypt(struct signet_tx *tx, struct bio_vec *piece, unsigned int pieces,
				   u8 type, unsigned int len)
{
	struct scatterlist *sg = tx->outbox->sealed;
	unsigned int from = signet_suite_sealed_from(tx->cipher->suite), i;

	for (i = 0; i < pieces; i++) {
		signet_sg_set(&sg[1 + i], piece[i].bv_page, piece[i].bv_len - from,
			      piece[i].bv_offset + from);
		from = 0;
	}
	sg_mark_end(&sg[i]);
	return signet_cipher_seal(tx->cipher, &tx->outbox->operation, type, bvec_virt(&piece[0]),
				  sg, len);
}

static __always_inline void count_sealed(struct sock *sk, struct signet_context *ctx, u8 type,
					 unsigned int content)
{
	struct signet_tx *tx = &ctx->tx;

	tx->records++;
	tx->cipher->bytes += content;
	if (type == SIGNET_CONTENT_APPLICATION_DATA) {
		tx->bytes += content;
		tx->burst = min_t(unsigned int, tx->burst + content, SIGNET_BURST_MAX);
	}
	signet_count(ctx->ns, SIGNET_COUNT_TX_RECORDS);
	signet_count_add(ctx->ns, SIGNET_COUNT_TX_BYTES, content);
	trace_signet_record(sk, true, type, content);
}

/* Sealed in place: what it was is gone, and its sequence number used. */
static int fail_seal(struct sock *sk, struct signet_context *ctx, int err)
{
	return signet_context_fail(sk, ctx, EIO,
				   err == -ENOMEM ? SIGNET_REASON_NO_MEMORY : SIGNET_REASON_CRYPTO,
				   SIGNET_ALERT_NONE);
}

/*
 * Seals a record whose content becomes @len bytes long with its padding. What is returned
 * otherwise than 0 is the errno of the failed socket.
 */
static __always_inline int seal_in_place(struct sock *sk, struct signet_context *ctx,
					 struct signet_tx_record *record, u8 type, unsigned int len)
{
	const struct signet_suite *suite = ctx->tx.cipher->suite;
	int err;

	if (signet_suite_is_tls_1_3(suite)) {
		signet_tx_record_append_type(suite, record, type, len - record->content);
		len++;
	}
	err = encrypt(&ctx->tx, record->piece, record->pieces, type, len);
	if (unlikely(err)) {
		signet_tx_record_discard(record);
		return fail_seal(sk, ctx, err);
	}
	count_sealed(sk, ctx, type, record->content);
	return 0;
}

int signet_tx_seal(struct sock *sk, struct signet_context *ctx, struct signet_tx_record *record,
		   u8 type)
{
	struct signet_tx *tx = &ctx->tx;
	unsigned int overhead = signet_suite_overhead(tx->cipher->suite);
	unsigned int len = record->content;
	int err;

	if (WARN_ON_ONCE(!signet_tail_has_room(&tx->outbox->tail, record->pieces))) {
		signet_tx_record_discard(record);
		return fail_seal(sk, ctx, -ENOBUFS);
	}
	if (type == SIGNET_CONTENT_APPLICATION_DATA && unlikely(tx->padding))
		len = min(signet_tx_padded(tx, len), record->space - overhead);
	if (unlikely(record->space > len + overhead))
		signet_tx_record_trim(sk, record, len + overhead);
	err = seal_in_place(sk, ctx, record, type, len);
	if (unlikely(err))
		return err;
	signet_tail_add(&tx->outbox->tail, record->piece, record->pieces);
	WRITE_ONCE(tx->tail_len, tx->tail_len + record->space);
	signet_tx_record_init(record);
	return 0;
}

int signet_tx_seal_open(struct sock *sk, struct signet_context *ctx)
{
	return signet_tx_seal(sk, ctx, &ctx->tx.outbox->open, SIGNET_CONTENT_APPLICATION_DATA);
}

/* --- the tail ------------------------------------------------------------- */

void signet_tx_set_nospace(struct sock *sk)
{
	if (sk->sk_socket)
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
}

/*
 * Gives sealed bytes to TCP, which never waits. Return: how many it took, or its errno,
 * which stays in sk_err: it is the caller's to report.
 */
static inline int give_to_tcp(struct sock *sk, struct signet_tx *tx, int flags)
{
	struct msghdr *msg = &tx->outbox->msg;
	int ret;

	msg->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | flags;
	/* TCP processes its backlog at times, and then calls sk_write_space. */
	tx->pushing = true;
	ret = tcp_sendmsg_locked(sk, msg, iov_iter_count(&msg->msg_iter));
	tx->pushing = false;
	tx->write_seq = tcp_sk(sk)->write_seq;
	if (unlikely(ret < 0 && ret != -EAGAIN && ret != -EPIPE))
		WRITE_ONCE(sk->sk_err, -ret);
	return ret;
}

/* As that, by reference. */
static inline int give_pieces_to_tcp(struct sock *sk, struct signet_tx *tx,
				     const struct bio_vec *piece, unsigned int pieces,
				     unsigned int len, int flags)
{
	iov_iter_bvec(&tx->outbox->msg.msg_iter, ITER_SOURCE, piece, pieces, len);
	return give_to_tcp(sk, tx, MSG_SPLICE_PAGES | MSG_NO_SHARED_FRAGS | flags);
}

int signet_tx_push_tail(struct sock *sk, struct signet_context *ctx, int flags)
{
	struct signet_tx *tx = &ctx->tx;
	struct signet_tail *tail = &tx->outbox->tail;
	int ret = 0;

	/* Asking TCP would consume sk_err, which is the caller's to report. */
	if (!signet_tx_tcp_can_send(sk))
		return -EPIPE;

	while (tx->tail_len) {
		ret = give_pieces_to_tcp(sk, tx, tail->piece + tail->first, tail->end - tail->first,
					 tx->tail_len, flags);
		if (ret <= 0)
			break;
		signet_tail_taken(tail, ret);
		WRITE_ONCE(tx->tail_len, tx->tail_len - ret);
	}
	if (!tx->tail_len) {
		signet_context_report(sk, ctx);
		return 0;
	}
	if (ret < 0 && ret != -EAGAIN)
		return -EPIPE;
	/* Whoever leaves a tail behind must be told when there is room. */
	signet_tx_set_nospace(sk);
	/*
	 * It was memory, not room, and nothing is in flight whose acknowledgment would
	 * make TCP ask. There may be a segment that MSG_MORE held back.
	 */
	if (sk_stream_memory_free(sk) && !tcp_sk(sk)->packets_out)
		sk_reset_timer(sk, &ctx->retry, jiffies + RETRY_INTERVAL);
	return -EAGAIN;
}

/*
 * In softirq: not with the page fragment of the task that happens to run, which may be
 * in the middle of filling it. TCP copies into one when the device takes no fragments.
 */
static void push_in_softirq(struct sock *sk, struct signet_context *ctx)
{
	gfp_t allocation = sk->sk_allocation;
	bool use_task_frag = sk->sk_use_task_frag;

	sk->sk_allocation = GFP_ATOMIC;
	sk->sk_use_task_frag = false;
	signet_tx_push(sk, ctx, 0);
	sk->sk_use_task_frag = use_task_frag;
	sk->sk_allocation = allocation;
	signet_tx_put_outbox(&ctx->tx);
}

void signet_write_space(struct sock *sk)
{
	struct signet_context *ctx = signet_context(sk);

	if (unlikely(!ctx))
		return;
	if (signet_tx_has_tail(&ctx->tx) && !ctx->tx.pushing)
		push_in_softirq(sk, ctx);
	ctx->base->write_space(sk);
	signet_handshake_notify(ctx);
	/* The callback above may have taken the flag away. */
	if (signet_tx_has_tail(&ctx->tx))
		signet_tx_set_nospace(sk);
}

void signet_tx_retry(struct timer_list *timer)
{
	struct signet_context *ctx = container_of(timer, struct signet_context, retry);
	struct sock *sk = ctx->sk;

	bh_lock_sock(sk);
	if (rcu_access_pointer(inet_csk(sk)->icsk_ulp_data) == ctx) {
		/* Whoever owns the socket may not come to push. */
		if (sock_owned_by_user(sk))
			sk_reset_timer(sk, &ctx->retry, jiffies + RETRY_INTERVAL);
		else
			signet_write_space(sk);
	}
	bh_unlock_sock(sk);
	sock_put(sk);
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
	err = signet_tx_push(sk, ctx, 0);
	WRITE_ONCE(tp->notsent_lowat, notsent_lowat);
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	return err;
}

/* --- whole messages --------------------------------------------------------- */

/*
 * Up to this length it costs less to let TCP copy a record to where its last one ended than
 * to give it a piece of a page.
 */
#define COPY_MAX 1280

/* What TCP did not take of a record, which it was just given, becomes the tail. */
static void keep_rest(struct sock *sk, struct signet_context *ctx, const struct bio_vec *piece,
		      unsigned int pieces, unsigned int len, int taken)
{
	struct signet_tail *tail = &ctx->tx.outbox->tail;

	signet_tail_add(tail, piece, pieces);
	if (taken > 0) {
		signet_tail_taken(tail, taken);
		len -= taken;
	}
	WRITE_ONCE(ctx->tx.tail_len, len);
	signet_tx_push_tail(sk, ctx, 0);
}

/* By way of the outbox's page. Return: as signet_tx_send_whole(). */
static int send_copied(struct sock *sk, struct signet_context *ctx, struct iov_iter *from,
		       unsigned int len)
{
	struct signet_tx *tx = &ctx->tx;
	const struct signet_suite *suite = tx->cipher->suite;
	struct signet_outbox *outbox = tx->outbox;
	unsigned int prefix = signet_suite_prefix_len(suite);
	struct bio_vec piece;
	struct kvec sealed;
	size_t copied;
	int ret;

	if (unlikely(!outbox->page))
		outbox->page = alloc_page(sk->sk_allocation | __GFP_ACCOUNT);
	if (unlikely(!outbox->page))
		return -EAGAIN;
	bvec_set_page(&piece, outbox->page, len + signet_suite_overhead(suite),
		      SIGNET_CONTENT_ALIGN - prefix);
	sealed.iov_base = bvec_virt(&piece);
	sealed.iov_len = piece.bv_len;
	copied = signet_copy_content(sealed.iov_base + prefix, len, from);
	if (unlikely(copied != len)) {
		iov_iter_revert(from, copied);
		memzero_explicit(sealed.iov_base, sealed.iov_len);
		return -EAGAIN;
	}
	((u8 *)sealed.iov_base)[prefix + len] = SIGNET_CONTENT_APPLICATION_DATA;
	ret = encrypt(tx, &piece, 1, SIGNET_CONTENT_APPLICATION_DATA,
		      len + signet_suite_is_tls_1_3(suite));
	if (unlikely(ret)) {
		memzero_explicit(sealed.iov_base, sealed.iov_len);
		return fail_seal(sk, ctx, ret);
	}
	count_sealed(sk, ctx, SIGNET_CONTENT_APPLICATION_DATA, len);

	iov_iter_kvec(&outbox->msg.msg_iter, ITER_SOURCE, &sealed, 1, sealed.iov_len);
	ret = give_to_tcp(sk, tx, 0);
	if (unlikely(ret != sealed.iov_len)) {
		outbox->page = NULL;
		keep_rest(sk, ctx, &piece, 1, piece.bv_len, ret);
	}
	return 0;
}

/* By way of the socket's page fragment, which TCP takes over. Return: likewise. */
static int send_spliced(struct sock *sk, struct signet_context *ctx, struct iov_iter *from,
			unsigned int len)
{
	struct signet_tx *tx = &ctx->tx;
	struct signet_tx_record *record = &tx->outbox->open;
	unsigned int copied = 0, i;
	int ret;

	if (likely(signet_tx_record_reserve(sk, tx->cipher->suite, record, len, len) == len))
		copied = signet_tx_record_append(tx->cipher->suite, record, from, len);
	if (unlikely(copied != len)) {
		iov_iter_revert(from, copied);
		signet_tx_record_discard(record);
		return -EAGAIN;
	}
	ret = seal_in_place(sk, ctx, record, SIGNET_CONTENT_APPLICATION_DATA, len);
	if (unlikely(ret))
		return ret;
	ret = give_pieces_to_tcp(sk, tx, record->piece, record->pieces, record->space, 0);
	if (likely(ret == record->space)) {
		for (i = 0; i < record->pieces; i++)
			put_page(record->piece[i].bv_page);
	} else {
		keep_rest(sk, ctx, record->piece, record->pieces, record->space, ret);
	}
	signet_tx_record_init(record);
	return 0;
}

int signet_tx_send_whole(struct sock *sk, struct signet_context *ctx, struct iov_iter *from,
			 unsigned int len)
{
	if (signet_tx_get_outbox(&ctx->tx))
		return -EAGAIN;
	return len <= COPY_MAX ? send_copied(sk, ctx, from, len) : send_spliced(sk, ctx, from, len);
}

/* --- control records -------------------------------------------------------- */

int signet_tx_seal_control(struct sock *sk, struct signet_context *ctx, u8 type, u8 *body,
			   unsigned int len)
{
	struct kvec vec = { .iov_base = body, .iov_len = len };
	struct signet_tx_record record = {};
	struct signet_tx *tx = &ctx->tx;
	const struct signet_suite *suite = tx->cipher->suite;
	struct iov_iter from;

	if (tx->cipher->sequence == U64_MAX)
		return -ENOBUFS;
	if (signet_tx_get_outbox(tx))
		return -ENOMEM;
	if (!signet_tail_has_room(&tx->outbox->tail, 1))
		return -ENOBUFS;
	if (signet_tx_record_reserve(sk, suite, &record, len, len) < len) {
		signet_tx_record_discard(&record);
		return -ENOMEM;
	}
	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, len);
	signet_tx_record_append(suite, &record, &from, len);
	return signet_tx_seal(sk, ctx, &record, type);
}

void signet_tx_alert_sent(struct sock *sk, struct signet_context *ctx, const u8 *alert)
{
	ctx->alert_sent = alert[0] << 8 | alert[1];
	signet_count(ctx->ns, SIGNET_COUNT_TX_ALERTS);
	trace_signet_alert(sk, true, alert[0], alert[1]);
}

static int seal_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert_level level,
		      enum signet_alert alert)
{
	u8 body[SIGNET_ALERT_LEN] = { level, alert };
	int err = signet_tx_seal_control(sk, ctx, SIGNET_CONTENT_ALERT, body, sizeof(body));

	if (!err)
		signet_tx_alert_sent(sk, ctx, body);
	return err;
}

void signet_tx_warning_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert alert)
{
	struct signet_tx *tx = &ctx->tx;

	if (tx->state != SIGNET_DIRECTION_OPEN || !signet_cipher_usable(tx->cipher) ||
	    signet_cipher_exhausted(tx->cipher) || signet_tx_get_outbox(tx) ||
	    !signet_tx_has_room(tx, SIGNET_RECORD_PIECES))
		return;
	if (!seal_alert(sk, ctx, SIGNET_ALERT_WARNING, alert))
		signet_tx_push(sk, ctx, 0);
	signet_tx_put_outbox(tx);
}

void signet_tx_fatal_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert alert)
{
	if (ctx->tx.state != SIGNET_DIRECTION_OPEN || !signet_cipher_usable(ctx->tx.cipher))
		return;
	signet_tx_discard_open(&ctx->tx);
	if (!seal_alert(sk, ctx, SIGNET_ALERT_FATAL, alert))
		push_whole_tail(sk, ctx);
	signet_tx_put_outbox(&ctx->tx);
}

int signet_tx_close(struct sock *sk, struct signet_context *ctx)
{
	struct signet_tx *tx = &ctx->tx;
	int err = 0;

	if (!signet_tx_tcp_can_send(sk)) {
		/* An error that TCP survives must not turn into an orderly end. */
		if ((tx->tail_len || signet_tx_has_open(tx)) && sk->sk_err &&
		    (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT))
			err = -ENOMEM;
		discard_tail(tx);
		signet_tx_discard_open(tx);
		signet_tx_put_outbox(tx);
		return err;
	}
	err = push_whole_tail(sk, ctx);
	if (!err && tx->state == SIGNET_DIRECTION_OPEN && !ctx->error) {
		if (signet_tx_has_open(tx))
			err = signet_tx_seal_open(sk, ctx);
		/* With upstream's options alerts are the application's to send. */
		if (!err && !signet_context_is_tls(ctx))
			err = seal_alert(sk, ctx, SIGNET_ALERT_WARNING, SIGNET_ALERT_CLOSE_NOTIFY);
		if (!err) {
			WRITE_ONCE(tx->state, SIGNET_DIRECTION_CLOSED);
			err = push_whole_tail(sk, ctx);
		}
	}
	signet_tx_put_outbox(tx);
	if (err)
		return -ENOMEM;
	signet_context_update_state(sk, ctx);
	return 0;
}
