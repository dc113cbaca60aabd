// SPDX-License-Identifier: GPL-2.0-only
#include "tx.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/timekeeping.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/tls.h>

#include "cipher.h"
#include "compat.h"
#include "namespace.h"
#include "trace.h"

/* Sealed bytes that are handed to TCP in one call, about. */
#define BATCH_LEN (4 * SIGNET_RECORD_LEN_MAX)

/*
 * Kept for a KeyUpdate, a warning and the alert at the end: each is one piece,
 * smaller than any piece that is taken.
 */
#define CONTROL_PIECES 3

/*
 * The tail has room for another record of a batch only if a record that is left
 * open, and control records, will have room behind it too.
 */
#define BATCH_PIECES (2 * SIGNET_RECORD_PIECES + CONTROL_PIECES)

/* Pieces smaller than this are not taken from the end of a page fragment. */
#define PIECE_MIN 512

/* The cipher works fastest on content that starts at such an address. */
#define CONTENT_ALIGN 16

#define SENDMSG_FLAGS                                                                          \
	(MSG_MORE | MSG_EOR | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL | MSG_CONFIRM |        \
	 MSG_BATCH | MSG_CMSG_COMPAT | MSG_ZEROCOPY | MSG_SPLICE_PAGES | MSG_NO_SHARED_FRAGS | \
	 MSG_SENDPAGE_NOPOLICY)

void signet_tx_init(struct signet_tx *tx, const struct signet_defaults *defaults)
{
	tx->content_max = SIGNET_CONTENT_MAX;
	tx->record_max = READ_ONCE(defaults->record_max);
	tx->policy.records = READ_ONCE(defaults->rekey_records);
	tx->policy.bytes = READ_ONCE(defaults->rekey_bytes);
	tx->policy.seconds = READ_ONCE(defaults->rekey_seconds);
	tx->padding_size = READ_ONCE(defaults->padding_size);
	tx->padding = tx->padding_size ? READ_ONCE(defaults->padding_mode) : SIGNET_PADDING_NONE;
	tx->adaptive = READ_ONCE(defaults->adaptive_records);
}

void signet_tx_install(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher)
{
	struct signet_tx *tx = &ctx->tx;

	signet_context_track_tx(sk, ctx);
	WRITE_ONCE(tx->cipher, cipher);
	trace_signet_keys(sk, true, cipher);
	signet_count(ctx->namespace, SIGNET_COUNT_INSTALLED);
	/* What it means depends on the TLS version. */
	if (!signet_context_is_tls(ctx))
		signet_tx_set_record_max(tx, tx->record_max);
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

static void put_pieces(struct bio_vec *piece, unsigned int count)
{
	while (count--)
		put_page(piece[count].bv_page);
}

static void discard(struct signet_open_record *open)
{
	unsigned int i;

	for (i = 0; i < open->pieces; i++)
		memzero_explicit(bvec_virt(&open->piece[i]), open->piece[i].bv_len);
	put_pieces(open->piece, open->pieces);
	memset(open, 0, sizeof(*open));
}

void signet_tx_discard_open(struct signet_tx *tx)
{
	discard(&tx->open);
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

static unsigned int overhead(const struct signet_tx *tx)
{
	return signet_suite_overhead(tx->cipher->suite);
}

static unsigned int prefix_len(const struct signet_tx *tx)
{
	return signet_suite_prefix_len(tx->cipher->suite);
}

/* How long @content bytes become with the padding that they shall have (RFC 8446 5.4). */
static unsigned int padded(const struct signet_tx *tx, unsigned int content)
{
	unsigned int len = content;

	if (!tx->padding || !signet_suite_is_tls_1_3(tx->cipher->suite))
		return content;
	if (tx->padding == SIGNET_PADDING_MULTIPLE)
		len = roundup(content, tx->padding_size);
	else
		len = max_t(unsigned int, content, tx->padding_size);
	return max(content, min_t(unsigned int, len, tx->content_max));
}

/* Content that is sealed at once when TCP sends slowly: about what goes in one segment. */
#define SMALL_RECORD_MIN 512

/* Records are small until so much went out after the connection was idle. */
#define SMALL_RECORDS_BURST (64 * 1024)

/*
 * Content of the next record, at most. A receiver can use nothing of a record
 * before its last byte is there, so while TCP's congestion window is small or not
 * trusted any more, a record that fits a segment arrives sooner.
 */
static unsigned int content_limit(const struct sock *sk, struct signet_tx *tx)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	unsigned int small;

	if (likely(!tx->adaptive))
		return tx->content_max;
	if (tcp_jiffies32 - tp->lsndtime > inet_csk(sk)->icsk_rto && tp->packets_out == 0)
		tx->burst = 0;
	if (tx->burst >= SMALL_RECORDS_BURST)
		return tx->content_max;
	small = tp->mss_cache > overhead(tx) ? tp->mss_cache - overhead(tx) : 0;
	return min_t(unsigned int, tx->content_max, max_t(unsigned int, small, SMALL_RECORD_MIN));
}

/*
 * Takes at most @need more bytes for the record. The first piece is placed so
 * that the content, @prefix bytes behind it, of a record that spans pages is
 * aligned.
 */
static bool add_piece(struct sock *sk, struct signet_open_record *open, unsigned int need,
		      unsigned int prefix)
{
	struct page_frag *frag = sk_page_frag(sk);
	struct bio_vec *last = open->piece + open->pieces - 1;
	unsigned int offset, len;

	if (!skb_page_frag_refill(min_t(unsigned int, need, PIECE_MIN) + CONTENT_ALIGN, frag,
				  sk->sk_allocation))
		return false;

	offset = frag->offset;
	if (!open->pieces && offset_in_page(offset) + need > PAGE_SIZE)
		offset = ALIGN(offset + prefix, CONTENT_ALIGN) - prefix;
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
 * Makes room for @len more bytes of content, and their padding. Return: how many
 * fit, at least one, or 0 without memory or pieces left.
 */
static unsigned int reserve(struct sock *sk, const struct signet_tx *tx,
			    struct signet_open_record *open, unsigned int len)
{
	unsigned int total = padded(tx, open->content + len) + overhead(tx);

	while (open->space < total && open->pieces < SIGNET_RECORD_PIECES) {
		if (!add_piece(sk, open, total - open->space, prefix_len(tx)))
			break;
	}
	if (open->space < open->content + overhead(tx))
		return 0;
	return min(len, open->space - overhead(tx) - open->content);
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
static unsigned int append(const struct signet_tx *tx, struct signet_open_record *open,
			   struct iov_iter *from, unsigned int len)
{
	unsigned int done = 0;

	while (done < len) {
		unsigned int position = prefix_len(tx) + open->content;
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

/* Behind the content: its type, then @padding zeros (RFC 8446 5.2). */
static void append_type(const struct signet_tx *tx, struct signet_open_record *open, u8 type,
			unsigned int padding)
{
	unsigned int position = prefix_len(tx) + open->content;
	struct bio_vec *piece = find_piece(open, &position);
	unsigned int n;

	*((u8 *)bvec_virt(piece) + position++) = type;
	while (padding) {
		n = min(padding, piece->bv_len - position);
		memset(bvec_virt(piece) + position, 0, n);
		padding -= n;
		position = 0;
		piece++;
	}
}

static int encrypt(struct signet_tx *tx, struct signet_open_record *open, u8 type, unsigned int len)
{
	/* One more, for the cipher's additional data. */
	struct scatterlist sg[1 + SIGNET_RECORD_PIECES];
	unsigned int prefix = prefix_len(tx), i;

	sg_init_table(sg, 1 + open->pieces);
	for (i = 0; i < open->pieces; i++) {
		sg_set_page(&sg[1 + i], open->piece[i].bv_page, open->piece[i].bv_len - prefix,
			    open->piece[i].bv_offset + prefix);
		prefix = 0;
	}
	return signet_cipher_seal(tx->cipher, type, bvec_virt(&open->piece[0]), sg, len);
}

/*
 * Seals a record in place and moves it to the tail. This is the only way from the
 * one to the other, and it is taken only after the cipher succeeded.
 */
static int seal(struct sock *sk, struct signet_context *ctx, struct signet_open_record *open,
		u8 type)
{
	struct signet_tx *tx = &ctx->tx;
	unsigned int len, padding = 0;
	int err = -ENOBUFS;

	if (WARN_ON_ONCE(!tail_has_room(tx, open->pieces)))
		goto fail;
	len = open->content;
	if (type == SIGNET_CONTENT_APPLICATION_DATA)
		len = min(padded(tx, len), open->space - overhead(tx));
	padding = len - open->content;
	trim(sk, open, len + overhead(tx));
	if (signet_suite_is_tls_1_3(tx->cipher->suite)) {
		append_type(tx, open, type, padding);
		len++;
	}
	err = encrypt(tx, open, type, len);
	if (unlikely(err))
		goto fail;

	memcpy(tx->tail + tx->tail_end, open->piece, open->pieces * sizeof(*open->piece));
	tx->tail_end += open->pieces;
	WRITE_ONCE(tx->tail_len, tx->tail_len + open->space);
	tx->records++;
	tx->cipher->bytes += open->content;
	signet_count(ctx->namespace, SIGNET_COUNT_TX_RECORDS);
	signet_count_add(ctx->namespace, SIGNET_COUNT_TX_BYTES, open->content);
	trace_signet_record(sk, true, type, open->content);
	if (type == SIGNET_CONTENT_APPLICATION_DATA) {
		tx->bytes += open->content;
		tx->burst = min_t(unsigned int, tx->burst + open->content, SMALL_RECORDS_BURST);
	}
	memset(open, 0, sizeof(*open));
	return 0;

fail:
	discard(open);
	return signet_context_fail(sk, ctx, EIO, SIGNET_REASON_CRYPTO, SIGNET_ALERT_NONE);
}

static int seal_open(struct sock *sk, struct signet_context *ctx)
{
	return seal(sk, ctx, &ctx->tx.open, SIGNET_CONTENT_APPLICATION_DATA);
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

/* --- control records -------------------------------------------------------- */

/*
 * Seals a short record of its own, past the record that MSG_MORE left open.
 *
 * Return: 0; -ENOBUFS when the tail is full, -ENOMEM: nothing has changed; or the
 * errno of the failed socket.
 */
static int seal_control(struct sock *sk, struct signet_context *ctx, u8 type, u8 *body,
			unsigned int len)
{
	struct kvec vec = { .iov_base = body, .iov_len = len };
	struct signet_open_record record = {};
	struct signet_tx *tx = &ctx->tx;
	struct iov_iter from;

	if (tx->cipher->sequence == U64_MAX || !tail_has_room(tx, 1))
		return -ENOBUFS;
	if (reserve(sk, tx, &record, len) < len) {
		discard(&record);
		return -ENOMEM;
	}
	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, len);
	append(tx, &record, &from, len);
	return seal(sk, ctx, &record, type);
}

static void alert_sent(struct sock *sk, struct signet_context *ctx, const u8 *alert)
{
	ctx->alert_sent = alert[0] << 8 | alert[1];
	signet_count(ctx->namespace, SIGNET_COUNT_TX_ALERTS);
	trace_signet_alert(sk, true, alert[0], alert[1]);
}

static int seal_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert_level level,
		      enum signet_alert alert)
{
	u8 body[SIGNET_ALERT_LEN] = { level, alert };
	int err = seal_control(sk, ctx, SIGNET_CONTENT_ALERT, body, sizeof(body));

	if (!err)
		alert_sent(sk, ctx, body);
	return err;
}

void signet_tx_warning_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert alert)
{
	struct signet_tx *tx = &ctx->tx;

	if (tx->state != SIGNET_DIRECTION_OPEN ||
	    !tail_has_room(tx, SIGNET_RECORD_PIECES + CONTROL_PIECES))
		return;
	if (!seal_alert(sk, ctx, SIGNET_ALERT_WARNING, alert))
		push_tail(sk, ctx, 0);
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
			err = seal_open(sk, ctx);
		/* With upstream's options alerts are the application's to send. */
		if (!err && !signet_context_is_tls(ctx))
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

/* --- KeyUpdate -------------------------------------------------------------- */

void signet_tx_owe_key_update(struct signet_context *ctx)
{
	/* Several requests are answered once (RFC 8446 4.6.3). */
	if (ctx->tx.state == SIGNET_DIRECTION_OPEN)
		ctx->tx.key_update_owed = true;
}

/* Can this side change its keys by itself? */
static bool can_rekey(const struct signet_context *ctx)
{
	return !signet_context_is_tls(ctx) && ctx->tx.cipher->has_secret;
}

/*
 * Seals a KeyUpdate under the old keys and takes the new ones into use. What is in
 * the open record will be sealed under those.
 *
 * Return: 0; -ENOBUFS, -ENOMEM: nothing has changed; or the errno of the failed
 * socket.
 */
static int update_keys(struct sock *sk, struct signet_context *ctx)
{
	struct signet_tx *tx = &ctx->tx;
	u8 message[SIGNET_KEY_UPDATE_LEN] = {
		SIGNET_HANDSHAKE_KEY_UPDATE, 0, 0, 1,
		tx->update_requested ? SIGNET_UPDATE_REQUESTED : SIGNET_UPDATE_NOT_REQUESTED,
	};
	struct signet_cipher *next;
	int err;

	if (!tail_has_room(tx, SIGNET_RECORD_PIECES + CONTROL_PIECES))
		return -ENOBUFS;
	next = signet_cipher_next(tx->cipher);
	if (IS_ERR(next))
		return PTR_ERR(next);
	err = seal_control(sk, ctx, SIGNET_CONTENT_HANDSHAKE, message, sizeof(message));
	if (err) {
		signet_cipher_free(next);
		return err;
	}
	signet_cipher_replace(&tx->cipher, next);
	trace_signet_keys(sk, true, next);
	signet_count(ctx->namespace, SIGNET_COUNT_TX_KEY_UPDATES);
	tx->key_updates++;
	tx->key_update_owed = false;
	tx->rekey_wanted = false;
	tx->update_requested = false;
	return 0;
}

void signet_tx_try_key_update(struct sock *sk, struct signet_context *ctx)
{
	struct signet_tx *tx = &ctx->tx;

	if (likely(!tx->key_update_owed && !tx->rekey_wanted))
		return;
	if (tx->state != SIGNET_DIRECTION_OPEN || ctx->error || !tcp_can_send(sk))
		return;
	if (!update_keys(sk, ctx))
		push_tail(sk, ctx, 0);
}

int signet_tx_rekey(struct sock *sk, struct signet_context *ctx, bool request_update)
{
	struct signet_tx *tx = &ctx->tx;

	if (tx->state == SIGNET_DIRECTION_UNKEYED)
		return -ENOTCONN;
	if (tx->state == SIGNET_DIRECTION_CLOSED || !tcp_can_send(sk))
		return -EPIPE;
	if (!can_rekey(ctx))
		return -EOPNOTSUPP;
	tx->rekey_wanted = true;
	tx->update_requested |= request_update;
	signet_tx_try_key_update(sk, ctx);
	return -ctx->error;
}

/* Does the policy want new keys before the next record? */
static bool policy_is_due(const struct signet_tx *tx)
{
	const struct signet_rekey_policy *policy = &tx->policy;
	const struct signet_cipher *cipher = tx->cipher;

	return (policy->records && cipher->sequence >= policy->records) ||
	       (policy->bytes && cipher->bytes >= policy->bytes) ||
	       (policy->seconds &&
		ktime_get_boottime_seconds() - cipher->keyed_at >= policy->seconds);
}

/* No further record under these keys? */
static bool is_exhausted(const struct signet_context *ctx)
{
	/* Upstream leaves the limits to the application. */
	if (signet_context_is_tls(ctx))
		return ctx->tx.cipher->sequence == U64_MAX;
	return signet_cipher_exhausted(ctx->tx.cipher);
}

static bool update_is_due(const struct signet_context *ctx)
{
	const struct signet_tx *tx = &ctx->tx;

	return tx->key_update_owed || tx->rekey_wanted ||
	       (can_rekey(ctx) && (policy_is_due(tx) || signet_cipher_exhausted(tx->cipher)));
}

/*
 * Changes keys when it is time. Return: 0 when a record may be sealed, -ENOMEM
 * when none may without new keys, or the errno of the failed socket.
 */
static int update_keys_if_due(struct sock *sk, struct signet_context *ctx)
{
	int err;

	if (likely(!update_is_due(ctx)))
		return 0;
	err = update_keys(sk, ctx);
	/* It was not urgent: the next send tries again. */
	if (err && !ctx->error && !is_exhausted(ctx))
		return 0;
	return err;
}

int signet_tx_replace_keys(struct sock *sk, struct signet_context *ctx,
			   struct signet_cipher *cipher)
{
	struct signet_tx *tx = &ctx->tx;
	int err;

	if (tx->open.pieces) {
		if (!tail_has_room(tx, SIGNET_RECORD_PIECES + CONTROL_PIECES))
			return -EAGAIN;
		err = seal_open(sk, ctx);
		if (err)
			return err;
		push_tail(sk, ctx, 0);
	}
	cipher->epoch = tx->cipher->epoch + 1;
	signet_cipher_replace(&tx->cipher, cipher);
	trace_signet_keys(sk, true, cipher);
	return 0;
}

/* --- sendmsg -------------------------------------------------------------- */

static int check_send(struct sock *sk, struct signet_context *ctx)
{
	int err = signet_context_check(sk, ctx);

	if (err)
		return err;
	if (ctx->tx.state == SIGNET_DIRECTION_UNKEYED) {
		signet_count(ctx->namespace, SIGNET_COUNT_GATE_REFUSALS);
		return -ENOTCONN;
	}
	if (ctx->tx.state == SIGNET_DIRECTION_CLOSED)
		return -EPIPE;
	err = signet_context_tcp_error(sk, ctx);
	if (err)
		return err;
	if (!tcp_can_send(sk))
		return -EPIPE;
	if (is_exhausted(ctx) && !can_rekey(ctx)) {
		if (signet_context_is_tls(ctx))
			return -EBADMSG;
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
			return update_keys_if_due(sk, ctx);
		err = wait_for_event(sk, ctx, timeo);
		if (err)
			return err;
	}
}

/* May another record be sealed before TCP is given what there is? */
static bool batch_has_room(struct sock *sk, struct signet_context *ctx)
{
	struct signet_tx *tx = &ctx->tx;

	return tx->tail_len < BATCH_LEN && (int)tx->tail_len < sk_stream_wspace(sk) &&
	       tail_has_room(tx, BATCH_PIECES) && !is_exhausted(ctx) && !update_is_due(ctx);
}

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

/*
 * Fills and seals records from the message. A record stays open only when the
 * message is used up and more is to come.
 *
 * Return: 0, -ENOMEM, -EFAULT or the socket's failure; request->copied is advanced
 * by every byte that is in a record, whatever is returned.
 */
static int fill_records(struct sock *sk, struct signet_context *ctx, struct send_request *request)
{
	struct signet_open_record *open = &ctx->tx.open;
	struct msghdr *msg = request->msg;
	unsigned int want, room, done, limit;
	int err;

	while (msg_data_left(msg) && batch_has_room(sk, ctx)) {
		limit = max(content_limit(sk, &ctx->tx), open->content + 1);
		want = min_t(size_t, msg_data_left(msg), limit - open->content);
		/* An open record is likely to be filled up. */
		room = reserve(sk, &ctx->tx, open, request->more ? limit - open->content : want);
		room = min(room, want);
		done = room ? append(&ctx->tx, open, &msg->msg_iter, room) : 0;
		request->copied += done;

		if (!open->content) {
			signet_tx_discard_open(&ctx->tx);
			return room ? -EFAULT : -ENOMEM;
		}
		/* What has been taken over of a message with a bad address is sent. */
		if (request->more && done == room && !msg_data_left(msg) && open->content < limit)
			return 0;
		err = seal(sk, ctx, open, request->type);
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
	if (!tx->open.pieces)
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
		if (!err && ends_open_record(&ctx->tx, request))
			err = seal_open(sk, ctx);
		if (!err)
			err = fill_records(sk, ctx, request);
		push_tail(sk, ctx, msg_data_left(msg) || request->more ? hold_back(sk, &ctx->tx) : 0);
		/* TCP's own way to wait for memory: a moment, then try again. */
		if (err == -ENOMEM)
			err = sk_stream_wait_memory(sk, &timeo);
		if (err)
			return err;
	} while (msg_data_left(msg));
	return 0;
}

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
	int flags = request->msg->msg_flags;

	if (request->type == SIGNET_CONTENT_APPLICATION_DATA)
		return 0;
	if (flags & MSG_MORE)
		return -EINVAL;
	if (signet_context_is_tls(ctx))
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
	alert_sent(sk, ctx, alert);
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
	int err = check_type(ctx, request, size);

	if (err)
		return err;
	if (!size && !ctx->tx.open.pieces)
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

int signet_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct send_request request = {
		.msg = msg,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.more = (msg->msg_flags & (MSG_MORE | MSG_EOR)) == MSG_MORE,
	};
	struct signet_context *ctx = signet_context(sk);
	struct ubuf_info *notification = NULL;
	int err;

	if (signet_context_tx_is_plain(ctx)) {
		lock_sock(sk);
		if (signet_context_tx_is_plain(ctx)) {
			err = tcp_sendmsg_locked(sk, msg, size);
			release_sock(sk);
			return err;
		}
		release_sock(sk);
	}
	if (msg->msg_flags & ~SENDMSG_FLAGS)
		return -EOPNOTSUPP;
	if (signet_context_is_tls(ctx) && (msg->msg_flags & MSG_MORE) && (msg->msg_flags & MSG_EOR))
		return -EINVAL;
	if (msg->msg_controllen) {
		err = parse_control(msg, &request.type);
		if (err)
			return err;
	}

	lock_sock(sk);
	err = begin_zerocopy(sk, msg, size, &notification);
	if (!err) {
		err = send_locked(sk, ctx, &request, size);
		end_zerocopy(notification, request.copied);
	}
	if (err && !request.copied)
		err = sk_stream_error(sk, msg->msg_flags, err);
	release_sock(sk);
	return request.copied ? request.copied : err;
}

void signet_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct signet_context *ctx = signet_context(sk);

	if (signet_context_tx_is_plain(ctx)) {
		ctx->base_prot->splice_eof(sock);
		return;
	}
	lock_sock(sk);
	/* sendfile() has reported these bytes: seal them even when TCP has no room yet. */
	if (ctx->tx.open.pieces && !check_send(sk, ctx) && !seal_open(sk, ctx))
		push_tail(sk, ctx, 0);
	release_sock(sk);
}
