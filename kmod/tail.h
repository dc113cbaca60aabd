/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sealed bytes that TCP has not taken yet: they go before anything else.
 */
#ifndef _SIGNET_TAIL_H
#define _SIGNET_TAIL_H

#include <linux/bvec.h>
#include <linux/types.h>

/* Pieces of sealed records, at most. */
#define SIGNET_TAIL_PIECES 32

/**
 * struct signet_tail - pieces of sealed records, in the order of the stream
 * @piece:	memory
 * @first:	first piece in use
 * @end:	behind the last piece in use
 */
struct signet_tail {
	struct bio_vec piece[SIGNET_TAIL_PIECES];
	unsigned int first;
	unsigned int end;
};

/* Is there room for so many more pieces? */
bool signet_tail_has_room(struct signet_tail *tail, unsigned int pieces);

/* Appends pieces, whose references it takes over. There must be room. */
void signet_tail_add(struct signet_tail *tail, const struct bio_vec *piece, unsigned int pieces);

/* Drops the first @len bytes: TCP holds references of its own to what it took. */
void signet_tail_taken(struct signet_tail *tail, unsigned int len);

/* Drops everything. */
void signet_tail_discard(struct signet_tail *tail);

#endif /* _SIGNET_TAIL_H */
