// SPDX-License-Identifier: GPL-2.0-only
#include "ciphertext.h"

#include <linux/mm.h>
#include <linux/net_tstamp.h>
#include <linux/scatterlist.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "cipher.h"
#include "compat.h"

void signet_ciphertext_free_side(struct signet_rx *rx)
{
	kvfree(rx->side);
	rx->side = NULL;
	rx->side_offset = 0;
	rx->side_end = 0;
	rx->side_size = 0;
}

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

unsigned int signet_ciphertext_len(const struct sock *sk, const struct signet_rx *rx)
{
	return side_len(rx) + tcp_len(sk);
}

/*
 * The skb that holds the byte @seq, and the byte's offset in it, or NULL. @skb: one that
 * does not come behind it, or NULL to begin at the head.
 */
static struct sk_buff *find_skb(struct sock *sk, struct sk_buff *skb, u32 seq, u32 *offset)
{
	if (!skb)
		skb = skb_peek(&sk->sk_receive_queue);
	while (skb && skb != (struct sk_buff *)&sk->sk_receive_queue) {
		*offset = seq - TCP_SKB_CB(skb)->seq;
		if (*offset < skb->len)
			return skb;
		skb = skb_queue_next(&sk->sk_receive_queue, skb);
	}
	return NULL;
}

/*
 * Copies from TCP's receive queue, which must hold as much. @cursor: as find_skb()'s, and
 * where the copy ended.
 */
static int copy_from_tcp(struct sock *sk, struct sk_buff **cursor, u32 seq, u8 *to,
			 unsigned int len)
{
	unsigned int n;
	u32 offset;
	int err;

	while (len) {
		*cursor = find_skb(sk, *cursor, seq, &offset);
		if (WARN_ON_ONCE(!*cursor))
			return -EFAULT;
		n = min(len, (*cursor)->len - offset);
		err = skb_copy_bits(*cursor, offset, to, n);
		if (err)
			return err;
		seq += n;
		to += n;
		len -= n;
	}
	return 0;
}

/* As signet_ciphertext_copy(), with a cursor for TCP's queue. */
static int copy_with_cursor(struct sock *sk, const struct signet_rx *rx, struct sk_buff **cursor,
			    unsigned int skip, u8 *to, unsigned int len)
{
	unsigned int n = 0;

	if (skip < side_len(rx)) {
		n = min(len, side_len(rx) - skip);
		memcpy(to, rx->side + rx->side_offset + skip, n);
		if (n == len)
			return 0;
	}
	return copy_from_tcp(sk, cursor, tcp_sk(sk)->copied_seq + skip + n - side_len(rx), to + n,
			     len - n);
}

int signet_ciphertext_copy(struct sock *sk, const struct signet_rx *rx, unsigned int skip, u8 *to,
			   unsigned int len)
{
	struct sk_buff *cursor = NULL;

	return copy_with_cursor(sk, rx, &cursor, skip, to, len);
}

void signet_ciphertext_consume(struct sock *sk, struct signet_rx *rx, unsigned int len)
{
	unsigned int n = min(len, side_len(rx));

	rx->side_offset += n;
	if (rx->side && !side_len(rx))
		signet_ciphertext_free_side(rx);
	if (len > n)
		tcp_read_done(sk, len - n);
	rx->copied_seq = tcp_sk(sk)->copied_seq;
	rx->want_seq = rx->copied_seq + SIGNET_HEADER_LEN - min(side_len(rx), SIGNET_HEADER_LEN);
}

int signet_ciphertext_make_window(struct sock *sk, struct signet_rx *rx)
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
	err = signet_ciphertext_copy(sk, rx, 0, buffer, side + len);
	if (err) {
		kvfree(buffer);
		return err;
	}
	signet_ciphertext_consume(sk, rx, side + len);
	rx->side = buffer;
	rx->side_size = SIGNET_RECORD_LEN_MAX;
	rx->side_end = side + len;
	/* The record ends where it ended before. */
	rx->want_seq = want_seq;
	return 0;
}

/* --- finding a record ------------------------------------------------------ */

/* May a record with this type in the clear come now? */
static bool type_may_come(const struct signet_suite *suite, u8 type)
{
	if (type == SIGNET_CONTENT_APPLICATION_DATA)
		return true;
	/* RFC 8446 5.2: all protected records look like application data. */
	return !signet_suite_is_tls_1_3(suite) && type != SIGNET_CONTENT_CHANGE_CIPHER_SPEC && type;
}

/* Return: 0, or the enum signet_reason of a bad header. */
static int check_header(const struct signet_context *ctx, const u8 *header)
{
	const struct signet_suite *suite = ctx->rx.cipher->suite;
	unsigned int len = get_unaligned_be16(header + 3);
	/* With upstream's options types are the application's to judge. */
	bool may_come = signet_context_is_tls(ctx) || type_may_come(suite, header[0]);

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

int signet_ciphertext_find(struct sock *sk, struct signet_rx *rx, unsigned int skip,
			   struct signet_found_record *found, unsigned int *missing)
{
	const struct signet_suite *suite = rx->cipher->suite;
	unsigned int len = signet_ciphertext_len(sk, rx) - skip;
	int err;

	if (len < SIGNET_HEADER_LEN) {
		*missing = SIGNET_HEADER_LEN - len;
		return -EAGAIN;
	}
	*missing = 0;
	found->skip = skip;
	found->prefix_len = signet_suite_prefix_len(suite);
	if (signet_ciphertext_copy(sk, rx, skip, found->prefix, min(len, found->prefix_len)))
		return SIGNET_REASON_INTERFERENCE;
	err = check_header(signet_context(sk), found->prefix);
	if (err)
		return err;
	found->len = get_unaligned_be16(found->prefix + 3) - suite->explicit_nonce_len;
	if (len < signet_found_len(found)) {
		*missing = signet_found_len(found) - len;
		return -EAGAIN;
	}
	return 0;
}

unsigned int signet_ciphertext_content(struct sock *sk, const struct signet_rx *rx,
				       unsigned int enough)
{
	unsigned int len = signet_ciphertext_len(sk, rx), skip = 0, content = 0, record;
	unsigned int overhead = signet_suite_overhead(rx->cipher->suite);
	struct sk_buff *cursor = NULL;
	u8 header[SIGNET_HEADER_LEN];

	while (content < enough && len - skip >= SIGNET_HEADER_LEN) {
		if (copy_with_cursor(sk, rx, &cursor, skip, header, sizeof(header)) ||
		    check_header(signet_context(sk), header))
			break;
		record = SIGNET_HEADER_LEN + get_unaligned_be16(header + 3);
		if (len - skip < record)
			break;
		if (record > overhead)
			content += record - overhead;
		skip += record;
	}
	return content;
}

int signet_ciphertext_find_head(struct sock *sk, struct signet_rx *rx,
				struct signet_found_record *found)
{
	unsigned int missing;
	int ret = signet_ciphertext_find(sk, rx, 0, found, &missing);

	rx->want_seq = rx->copied_seq + tcp_len(sk) + missing;
	return ret;
}

struct scatterlist *signet_ciphertext_map(struct sock *sk, const struct signet_rx *rx,
					  const struct signet_found_record *found,
					  struct scatterlist *sg, unsigned int entries)
{
	u32 offset, seq = rx->copied_seq + found->skip + found->prefix_len - side_len(rx);
	unsigned int n, len = found->len;
	struct sk_buff *skb = NULL;
	unsigned int pieces = 1;
	int ret;

	if (found->skip + found->prefix_len < side_len(rx))
		return NULL;
	sg_init_table(sg, entries);
	while (len) {
		skb = find_skb(sk, skb, seq, &offset);
		if (!skb || pieces == entries || !signet_compat_is_readable(skb))
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

static bool wants_stamps(const struct sock *sk)
{
	const u32 flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
			  SOF_TIMESTAMPING_RAW_HARDWARE;

	return sock_flag(sk, SOCK_RCVTSTAMP) || READ_ONCE(sk->sk_tsflags) & flags;
}

struct sk_buff *signet_ciphertext_stamp(struct sock *sk, const struct signet_rx *rx,
					const struct signet_found_record *found)
{
	unsigned int end = found->skip + signet_found_len(found);
	struct sk_buff *skb, *stamp;
	u32 offset;

	if (likely(!wants_stamps(sk)) || end <= side_len(rx))
		return NULL;
	skb = find_skb(sk, NULL, rx->copied_seq + end - 1 - side_len(rx), &offset);
	if (!skb || !TCP_SKB_CB(skb)->has_rxtstamp)
		return NULL;
	stamp = alloc_skb(0, GFP_KERNEL);
	if (stamp) {
		stamp->tstamp = skb->tstamp;
		*skb_hwtstamps(stamp) = *skb_hwtstamps(skb);
	}
	return stamp;
}
