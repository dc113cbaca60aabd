// SPDX-License-Identifier: GPL-2.0-only
#include "ciphertext.h"

#include <linux/mm.h>
#include <linux/net_tstamp.h>
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

/* @len bytes of an skb from @offset on, where they lie in one piece; else NULL. */
static __always_inline const u8 *find_bytes(const struct sk_buff *skb, unsigned int offset,
					    unsigned int len)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int size = skb_headlen(skb), i;

	if (offset < size)
		return offset + len <= size ? skb->data + offset : NULL;
	if (!skb_frags_readable(skb))
		return NULL;
	for (i = 0; i < info->nr_frags; i++) {
		offset -= size;
		size = skb_frag_size(&info->frags[i]);
		if (offset >= size)
			continue;
		if (offset + len > size || PageHighMem(skb_frag_page(&info->frags[i])))
			return NULL;
		return (const u8 *)skb_frag_address(&info->frags[i]) + offset;
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

	if (skip < signet_ciphertext_side_len(rx)) {
		n = min(len, signet_ciphertext_side_len(rx) - skip);
		memcpy(to, rx->side + rx->side_offset + skip, n);
		if (n == len)
			return 0;
	}
	return copy_from_tcp(sk, cursor,
			     tcp_sk(sk)->copied_seq + skip + n - signet_ciphertext_side_len(rx),
			     to + n, len - n);
}

/*
 * The few bytes before a record's content: where they lie, or, when that is in pieces, in
 * @copy. NULL: they are not there.
 */
static __always_inline const u8 *find_prefix(struct sock *sk, const struct signet_rx *rx,
					     struct sk_buff **cursor, unsigned int skip, u8 *copy,
					     unsigned int len)
{
	const u8 *bytes = NULL;
	u32 offset;

	if (likely(skip >= signet_ciphertext_side_len(rx))) {
		*cursor = find_skb(sk, *cursor,
				   tcp_sk(sk)->copied_seq + skip - signet_ciphertext_side_len(rx),
				   &offset);
		if (likely(*cursor))
			bytes = find_bytes(*cursor, offset, len);
	}
	if (unlikely(!bytes) && !copy_with_cursor(sk, rx, cursor, skip, copy, len))
		bytes = copy;
	return bytes;
}

int signet_ciphertext_copy(struct sock *sk, const struct signet_rx *rx, unsigned int skip, u8 *to,
			   unsigned int len)
{
	struct sk_buff *cursor = NULL;

	return copy_with_cursor(sk, rx, &cursor, skip, to, len);
}

void signet_ciphertext_consume(struct sock *sk, struct signet_rx *rx, unsigned int len)
{
	unsigned int n = min(len, signet_ciphertext_side_len(rx));

	rx->side_offset += n;
	if (rx->side && !signet_ciphertext_side_len(rx))
		signet_ciphertext_free_side(rx);
	if (len > n)
		tcp_read_done(sk, len - n);
	rx->copied_seq = tcp_sk(sk)->copied_seq;
	rx->head_len = 0;
	rx->want_seq = rx->copied_seq + SIGNET_HEADER_LEN -
		       min(signet_ciphertext_side_len(rx), SIGNET_HEADER_LEN);
}

int signet_ciphertext_make_window(struct sock *sk, struct signet_rx *rx)
{
	unsigned int side = signet_ciphertext_side_len(rx), len = signet_ciphertext_tcp_len(sk);
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
static inline int check_header(const struct signet_context *ctx, const u8 *header)
{
	const struct signet_suite *suite = ctx->rx.cipher->suite;
	unsigned int len = get_unaligned_be16(header + 3);
	bool may_come;

	if (likely(header[0] == SIGNET_CONTENT_APPLICATION_DATA &&
		   get_unaligned_be16(header + 1) == SIGNET_RECORD_VERSION &&
		   len >= suite->explicit_nonce_len + SIGNET_TAG_LEN &&
		   len <= suite->explicit_nonce_len + signet_suite_body_max(suite)))
		return 0;
	/* With upstream's options types are the application's to judge. */
	may_come = signet_context_is_tls(ctx) || type_may_come(suite, header[0]);
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

/* Inlined: what TCP delivers is looked at on every arrival. */
static __always_inline int find_record(struct sock *sk, struct signet_rx *rx, unsigned int skip,
				       struct signet_found_record *found, unsigned int *missing)
{
	const struct signet_suite *suite = rx->cipher->suite;
	unsigned int len = signet_ciphertext_len(sk, rx) - skip;
	struct sk_buff *cursor = NULL;
	const u8 *prefix;
	int err;

	found->len = 0;
	if (len < SIGNET_HEADER_LEN) {
		*missing = SIGNET_HEADER_LEN - len;
		return -EAGAIN;
	}
	*missing = 0;
	found->skip = skip;
	found->prefix_len = signet_suite_prefix_len(suite);
	prefix = find_prefix(sk, rx, &cursor, skip, found->prefix, min(len, found->prefix_len));
	if (unlikely(!prefix))
		return SIGNET_REASON_INTERFERENCE;
	err = check_header(signet_context(sk), prefix);
	if (unlikely(err))
		return err;
	found->len = get_unaligned_be16(prefix + 3) - suite->explicit_nonce_len;
	if (!signet_suite_is_tls_1_3(suite) && prefix != found->prefix)
		memcpy(found->prefix, prefix, min(len, found->prefix_len));
	if (len < signet_found_len(found)) {
		*missing = signet_found_len(found) - len;
		return -EAGAIN;
	}
	return 0;
}

int signet_ciphertext_find(struct sock *sk, struct signet_rx *rx, unsigned int skip,
			   struct signet_found_record *found, unsigned int *missing)
{
	return find_record(sk, rx, skip, found, missing);
}

int signet_ciphertext_look_at_head(struct sock *sk, struct signet_rx *rx)
{
	struct signet_found_record found;
	unsigned int missing;
	int ret = find_record(sk, rx, 0, &found, &missing);

	rx->head_len = ret <= 0 && found.len ? signet_found_len(&found) : 0;
	rx->want_seq = rx->copied_seq + signet_ciphertext_tcp_len(sk) + missing;
	return ret;
}

unsigned int signet_ciphertext_content(struct sock *sk, const struct signet_rx *rx,
				       unsigned int enough)
{
	unsigned int len = signet_ciphertext_len(sk, rx), skip = 0, content = 0, record;
	unsigned int overhead = signet_suite_overhead(rx->cipher->suite);
	struct sk_buff *cursor = NULL;
	u8 copy[SIGNET_HEADER_LEN];
	const u8 *header;

	while (content < enough && len - skip >= SIGNET_HEADER_LEN) {
		header = find_prefix(sk, rx, &cursor, skip, copy, sizeof(copy));
		if (!header || check_header(signet_context(sk), header))
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

/**
 * struct map - a list of a record's pieces that is being filled
 * @last:	the entry that was filled last
 * @end:	behind the last entry there is
 * @behind:	the address right behind what was mapped last, or 0
 * @head:	the piece of memory that this is in
 * @left:	bytes to map
 */
struct map {
	struct scatterlist *last;
	const struct scatterlist *end;
	phys_addr_t behind;
	struct page *head;
	unsigned int left;
};

/*
 * Maps what an skb holds itself from @offset on. TCP takes what is spliced by the page:
 * pages that were one piece of memory become one entry again, which newer kernels' ciphers
 * go through in one step. Return: false when there are too few entries.
 */
static bool map_skb(struct map *map, const struct sk_buff *skb, unsigned int offset)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	const skb_frag_t *frag = info->frags, *end = frag + info->nr_frags;
	unsigned int size = skb_headlen(skb), left = map->left, len;
	struct scatterlist *sg = map->last;
	phys_addr_t behind = map->behind;

	if (unlikely(!skb_frags_readable(skb)))
		return false;
	if (offset < size) {
		if (++sg == map->end)
			return false;
		len = min(size - offset, left);
		signet_sg_set_buf(sg, skb->data + offset, len);
		behind = 0;
		left -= len;
		offset = size;
	}
	for (; left && frag < end; frag++) {
		phys_addr_t start;

		offset -= size;
		size = skb_frag_size(frag);
		if (offset >= size)
			continue;
		start = page_to_phys(skb_frag_page(frag)) + skb_frag_off(frag) + offset;
		len = min(size - offset, left);
		if (start == behind && compound_head(skb_frag_page(frag)) == map->head) {
			sg->length += len;
		} else {
			if (++sg == map->end)
				return false;
			signet_sg_set(sg, skb_frag_page(frag), len, skb_frag_off(frag) + offset);
			map->head = compound_head(skb_frag_page(frag));
		}
		behind = start + len;
		left -= len;
		offset = size;
	}
	map->last = sg;
	map->behind = behind;
	map->left = left;
	return true;
}

/* What an skb holds itself, without those that a device's driver or GRO chained to it. */
static unsigned int own_len(const struct sk_buff *skb)
{
	unsigned int len = skb->len;
	const struct sk_buff *frag;

	skb_walk_frags(skb, frag)
		len -= frag->len;
	return len;
}

/* As map_skb(), and those. */
static bool map_chain(struct map *map, const struct sk_buff *skb, unsigned int offset)
{
	unsigned int len = own_len(skb);
	const struct sk_buff *part;

	if (offset < len) {
		if (!map_skb(map, skb, offset))
			return false;
		offset = len;
	}
	skb_walk_frags(skb, part) {
		if (!map->left)
			break;
		offset -= len;
		len = part->len;
		/* Nested deeper than anybody does. */
		if (skb_has_frag_list(part))
			return false;
		if (offset < len) {
			if (!map_skb(map, part, offset))
				return false;
			offset = len;
		}
	}
	return true;
}

/*
 * May somebody on this host still write to what an skb holds? Ciphers read it more than once:
 * what they authenticate must be what they decrypt.
 */
static bool is_shared(const struct sk_buff *skb)
{
	const struct sk_buff *part;

	if (likely(!skb_has_frag_list(skb)))
		return skb_has_shared_frag(skb);
	skb_walk_frags(skb, part) {
		if (skb_has_shared_frag(part))
			return true;
	}
	return skb_has_shared_frag(skb);
}

static noinline struct scatterlist *map_pieces(struct sock *sk, u32 seq, unsigned int len,
					       struct scatterlist *sg, unsigned int entries)
{
	struct map map = {
		.last = sg,
		.end = sg + entries,
		.left = len,
	};
	struct sk_buff *skb = NULL;
	u32 offset;

	while (map.left) {
		skb = find_skb(sk, skb, seq + len - map.left, &offset);
		if (!skb || is_shared(skb))
			return NULL;
		if (likely(!skb_has_frag_list(skb)) ? !map_skb(&map, skb, offset) :
						      !map_chain(&map, skb, offset))
			return NULL;
	}
	sg_mark_end(map.last);
	return sg;
}

struct scatterlist *signet_ciphertext_map(struct sock *sk, const struct signet_rx *rx,
					  const struct signet_found_record *found,
					  unsigned int from, struct scatterlist *sg,
					  unsigned int entries)
{
	unsigned int side = signet_ciphertext_side_len(rx), skip = found->skip + from;
	unsigned int len = signet_found_len(found) - from;
	u32 offset, seq = rx->copied_seq + skip - side;
	const u8 *bytes = NULL;
	struct sk_buff *skb;

	if (unlikely(skip < side))
		return NULL;
	/* Small records mostly lie in one piece. */
	if (len <= PAGE_SIZE) {
		skb = find_skb(sk, NULL, seq, &offset);
		if (likely(skb && !is_shared(skb)))
			bytes = find_bytes(skb, offset, len);
	}
	if (!bytes)
		return map_pieces(sk, seq, len, sg, entries);
	signet_sg_set_buf(&sg[1], bytes, len);
	sg_mark_end(&sg[1]);
	return sg;
}

static inline bool wants_stamps(const struct sock *sk)
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

	if (likely(!wants_stamps(sk)) || end <= signet_ciphertext_side_len(rx))
		return NULL;
	skb = find_skb(sk, NULL, rx->copied_seq + end - 1 - signet_ciphertext_side_len(rx),
		       &offset);
	if (!skb || !TCP_SKB_CB(skb)->has_rxtstamp)
		return NULL;
	stamp = alloc_skb(0, GFP_KERNEL);
	if (stamp) {
		stamp->tstamp = skb->tstamp;
		*skb_hwtstamps(stamp) = *skb_hwtstamps(skb);
	}
	return stamp;
}
