// SPDX-License-Identifier: GPL-2.0-only
#include "tx_record.h"

#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <net/sock.h>

/* Pieces smaller than this are not taken from the end of a page fragment. */
#define PIECE_MIN 512

/*
 * Takes at most @need more bytes for the record. The first piece is placed so
 * that the content, @prefix bytes behind it, of a record that spans pages is
 * aligned.
 */
static __always_inline bool add_piece(struct sock *sk, struct signet_tx_record *record,
				      unsigned int need, unsigned int prefix)
{
	struct page_frag *frag = sk_page_frag(sk);
	struct bio_vec *last = record->piece + record->pieces - 1;
	unsigned int offset, len;

	if (!skb_page_frag_refill(min_t(unsigned int, need, PIECE_MIN) + SIGNET_CONTENT_ALIGN, frag,
				  sk->sk_allocation))
		return false;

	offset = frag->offset;
	if (!record->pieces && offset_in_page(offset) + need > PAGE_SIZE)
		offset = ALIGN(offset + prefix, SIGNET_CONTENT_ALIGN) - prefix;
	len = min(need, frag->size - offset);
	frag->offset = offset + len;
	record->space += len;

	if (record->pieces && last->bv_page == frag->page &&
	    last->bv_offset + last->bv_len == offset) {
		last->bv_len += len;
		return true;
	}
	get_page(frag->page);
	bvec_set_page(&record->piece[record->pieces++], frag->page, len, offset);
	return true;
}

unsigned int signet_tx_record_reserve(struct sock *sk, const struct signet_suite *suite,
				      struct signet_tx_record *record, unsigned int len,
				      unsigned int padded)
{
	unsigned int prefix = signet_suite_prefix_len(suite);
	unsigned int overhead = signet_suite_overhead(suite);
	unsigned int total = padded + overhead;

	while (record->space < total && record->pieces < SIGNET_RECORD_PIECES) {
		if (!add_piece(sk, record, total - record->space, prefix))
			break;
	}
	if (likely(record->space >= total))
		return len;
	if (record->space < record->content + overhead)
		return 0;
	return min(len, record->space - overhead - record->content);
}

/* Finds the piece and the offset in it that hold the record's byte @position. */
static struct bio_vec *find_piece(struct signet_tx_record *record, unsigned int *position)
{
	struct bio_vec *piece = record->piece;

	while (*position >= piece->bv_len)
		*position -= piece++->bv_len;
	return piece;
}

unsigned int signet_tx_record_append_to_pieces(const struct signet_suite *suite,
					       struct signet_tx_record *record,
					       struct iov_iter *from, unsigned int len)
{
	unsigned int prefix = signet_suite_prefix_len(suite), done = 0;

	while (done < len) {
		unsigned int position = prefix + record->content;
		struct bio_vec *piece = find_piece(record, &position);
		size_t want = min(len - done, piece->bv_len - position);
		size_t copied = signet_copy_content(bvec_virt(piece) + position, want, from);

		record->content += copied;
		done += copied;
		if (copied < want)
			break;
	}
	return done;
}

void signet_tx_record_cut(const struct signet_suite *suite, struct signet_tx_record *record,
			  unsigned int len)
{
	unsigned int position, n;
	struct bio_vec *piece;

	record->content -= len;
	position = signet_suite_prefix_len(suite) + record->content;
	if (!len)
		return;
	for (piece = find_piece(record, &position); len; piece++) {
		n = min(len, piece->bv_len - position);
		memzero_explicit(bvec_virt(piece) + position, n);
		len -= n;
		position = 0;
	}
}

void signet_tx_record_append_padded(const struct signet_suite *suite,
				    struct signet_tx_record *record, u8 type, unsigned int padding)
{
	unsigned int position = signet_suite_prefix_len(suite) + record->content;
	struct bio_vec *piece = find_piece(record, &position);
	unsigned int n;

	*((u8 *)bvec_virt(piece) + position++) = type;
	while (unlikely(padding)) {
		n = min(padding, piece->bv_len - position);
		memset(bvec_virt(piece) + position, 0, n);
		padding -= n;
		position = 0;
		piece++;
	}
}

void signet_tx_record_trim(struct sock *sk, struct signet_tx_record *record, unsigned int total)
{
	struct page_frag *frag = sk_page_frag(sk);

	while (record->space > total) {
		struct bio_vec *last = record->piece + record->pieces - 1;
		unsigned int cut = min(record->space - total, last->bv_len);

		if (last->bv_page == frag->page && last->bv_offset + last->bv_len == frag->offset)
			frag->offset -= cut;
		record->space -= cut;
		last->bv_len -= cut;
		if (!last->bv_len) {
			put_page(last->bv_page);
			record->pieces--;
		}
	}
}

void signet_tx_record_discard(struct signet_tx_record *record)
{
	unsigned int i;

	for (i = 0; i < record->pieces; i++) {
		memzero_explicit(bvec_virt(&record->piece[i]), record->piece[i].bv_len);
		put_page(record->piece[i].bv_page);
	}
	signet_tx_record_init(record);
}
