/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ciphertext that has arrived: in TCP's receive queue, and what comes before it.
 */
#ifndef _SIGNET_CIPHERTEXT_H
#define _SIGNET_CIPHERTEXT_H

#include "cipher.h"
#include "context.h"

struct scatterlist;

/**
 * struct signet_found_record - a complete record among it
 * @skip:	where it starts, in bytes behind the head
 * @prefix_len:	its header and explicit nonce
 * @len:	its encrypted part, tag included
 * @prefix:	those bytes, in TLS 1.2, where they say more than what has been checked
 */
struct signet_found_record {
	unsigned int skip;
	unsigned int prefix_len;
	unsigned int len;
	u8 prefix[SIGNET_PREFIX_MAX];
};

static inline unsigned int signet_found_len(const struct signet_found_record *found)
{
	return found->prefix_len + found->len;
}

/* All of these: Context: under the socket lock; any, where nothing else is said. */

/* Bytes that come before those in TCP's receive queue. */
static inline unsigned int signet_ciphertext_side_len(const struct signet_rx *rx)
{
	return rx->side_end - rx->side_offset;
}

/* Bytes in TCP's receive queue, without the FIN's sequence number. */
static inline unsigned int signet_ciphertext_tcp_len(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	unsigned int len = tp->rcv_nxt - tp->copied_seq;

	return len && sock_flag(sk, SOCK_DONE) ? len - 1 : len;
}

/* How many bytes there are. */
static inline unsigned int signet_ciphertext_len(const struct sock *sk, const struct signet_rx *rx)
{
	return signet_ciphertext_side_len(rx) + signet_ciphertext_tcp_len(sk);
}

/*
 * Copies @len bytes from @skip bytes behind the head on; there must be as many.
 * Return: 0 or -EFAULT.
 */
int signet_ciphertext_copy(struct sock *sk, const struct signet_rx *rx, unsigned int skip, u8 *to,
			   unsigned int len);

/*
 * Drops bytes that were used; TCP acknowledges them and opens its window.
 * Context: process.
 */
void signet_ciphertext_consume(struct sock *sk, struct signet_rx *rx, unsigned int len);

/*
 * The head record is incomplete: when TCP's window is closed or its memory used up,
 * nothing more would ever come. Moves what there is into the side buffer.
 * Context: process. Return: 0 or -ENOMEM.
 */
int signet_ciphertext_make_window(struct sock *sk, struct signet_rx *rx);

/* Frees the side buffer. */
void signet_ciphertext_free_side(struct signet_rx *rx);

/**
 * signet_ciphertext_find - look at the record @skip bytes behind the head
 * @sk:		socket
 * @rx:		its receiving direction
 * @skip:	bytes
 * @found:	filled in
 * @missing:	bytes that must still arrive before it is worth to look again
 *
 * Return: 0 when the record is complete, -EAGAIN when it is not, or the enum
 * signet_reason of a bad header.
 */
int signet_ciphertext_find(struct sock *sk, struct signet_rx *rx, unsigned int skip,
			   struct signet_found_record *found, unsigned int *missing);

/* signet_ciphertext_check_head(), when it is not known yet. */
int signet_ciphertext_look_at_head(struct sock *sk, struct signet_rx *rx);

/*
 * Is the record at the head complete? Keeps rx->head_len and rx->want_seq. Return: as
 * signet_ciphertext_find().
 */
static inline int signet_ciphertext_check_head(struct sock *sk, struct signet_rx *rx)
{
	if (rx->head_len && signet_ciphertext_len(sk, rx) >= rx->head_len)
		return 0;
	return signet_ciphertext_look_at_head(sk, rx);
}

/*
 * Content of complete records, without their overhead: it is not looked into them, so
 * padding and control records count too. Stops at @enough. Return: bytes.
 */
unsigned int signet_ciphertext_content(struct sock *sk, const struct signet_rx *rx,
				       unsigned int enough);

/*
 * The time stamps of a record's last byte, in an skb without data: NULL when nobody
 * wants them, there are none, or there is no memory. Context: process.
 */
struct sk_buff *signet_ciphertext_stamp(struct sock *sk, const struct signet_rx *rx,
					const struct signet_found_record *found);

/*
 * Maps a record from its byte @from on where it lies in the receive queue, behind an entry
 * for the cipher. Return: @sg, of @entries entries, or NULL when it has too many pieces,
 * is not all there, or is in memory that others may write to.
 */
struct scatterlist *signet_ciphertext_map(struct sock *sk, const struct signet_rx *rx,
					  const struct signet_found_record *found,
					  unsigned int from, struct scatterlist *sg,
					  unsigned int entries);

#endif /* _SIGNET_CIPHERTEXT_H */
