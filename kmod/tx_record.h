/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record that is being filled, in pieces of the socket's page fragments, where it
 * will be sealed.
 */
#ifndef _SIGNET_TX_RECORD_H
#define _SIGNET_TX_RECORD_H

#include <linux/bvec.h>
#include <linux/types.h>
#include <linux/uio.h>

#include "suite.h"

struct sock;

/* Pieces of page fragments that one record lies in, at most. */
#define SIGNET_RECORD_PIECES 6

/*
 * The cipher works fastest on content that starts at such an address: no block of a cipher's,
 * ChaCha20's are the largest, lies across the end of a page. The kernel would allocate memory
 * to put it together.
 */
#define SIGNET_CONTENT_ALIGN 64

/**
 * struct signet_tx_record - a record that is being filled
 * @piece:	memory, header first; holds plaintext until it is sealed
 * @pieces:	how many of them; 0 when there is no record
 * @space:	bytes in all of them
 * @content:	bytes of content so far
 */
struct signet_tx_record {
	struct bio_vec piece[SIGNET_RECORD_PIECES];
	unsigned int pieces;
	unsigned int space;
	unsigned int content;
};

/*
 * copy_from_iter() to pages of the module's own that are known to have room: there is no
 * object whose bounds hardened usercopy could find.
 */
static inline size_t signet_copy_content(void *to, size_t len, struct iov_iter *from)
{
	return _copy_from_iter(to, len, from);
}

/* Makes it empty; what it had is somebody else's. */
static inline void signet_tx_record_init(struct signet_tx_record *record)
{
	record->pieces = 0;
	record->space = 0;
	record->content = 0;
}

/**
 * signet_tx_record_reserve - make room for more content
 * @sk:		socket, whose page fragment and allocation mode are used
 * @suite:	cipher suite, whose overhead comes on top
 * @record:	record
 * @len:	bytes of content to come
 * @padded:	what all content will be long with its padding
 *
 * Context: process, under the socket lock.
 * Return: how many bytes fit, at most @len; 0 without memory or pieces left.
 */
unsigned int signet_tx_record_reserve(struct sock *sk, const struct signet_suite *suite,
				      struct signet_tx_record *record, unsigned int len,
				      unsigned int padded);

/* signet_tx_record_append() to several pieces. */
unsigned int signet_tx_record_append_to_pieces(const struct signet_suite *suite,
					       struct signet_tx_record *record,
					       struct iov_iter *from, unsigned int len);

/*
 * Copies content, for which there must be room. Return: bytes copied: fewer than
 * @len on a bad address.
 */
static inline unsigned int signet_tx_record_append(const struct signet_suite *suite,
						   struct signet_tx_record *record,
						   struct iov_iter *from, unsigned int len)
{
	u8 *content;

	if (record->pieces > 1)
		return signet_tx_record_append_to_pieces(suite, record, from, len);
	content = (u8 *)bvec_virt(record->piece) + signet_suite_prefix_len(suite);
	len = signet_copy_content(content + record->content, len, from);
	record->content += len;
	return len;
}

/* Wipes and takes back the last @len bytes of content. */
void signet_tx_record_cut(const struct signet_suite *suite, struct signet_tx_record *record,
			  unsigned int len);

/* signet_tx_record_append_type() to several pieces, or with padding. */
void signet_tx_record_append_padded(const struct signet_suite *suite,
				    struct signet_tx_record *record, u8 type, unsigned int padding);

/* Behind the content: its type, then @padding zeros (RFC 8446 5.2). There must be room. */
static inline void signet_tx_record_append_type(const struct signet_suite *suite,
						struct signet_tx_record *record, u8 type,
						unsigned int padding)
{
	u8 *content;

	if (record->pieces > 1 || padding) {
		signet_tx_record_append_padded(suite, record, type, padding);
		return;
	}
	content = (u8 *)bvec_virt(record->piece) + signet_suite_prefix_len(suite);
	content[record->content] = type;
}

/* Gives back what is beyond @total bytes, to the page fragment when it is its last user. */
void signet_tx_record_trim(struct sock *sk, struct signet_tx_record *record, unsigned int total);

/* Wipes and drops the record. */
void signet_tx_record_discard(struct signet_tx_record *record);

#endif /* _SIGNET_TX_RECORD_H */
