// SPDX-License-Identifier: GPL-2.0-only
#include "tail.h"

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

/* Moves the pieces to the front of the array, to have the longest free end. */
static void compact(struct signet_tail *tail)
{
	if (!tail->first)
		return;
	tail->end -= tail->first;
	memmove(tail->piece, tail->piece + tail->first, tail->end * sizeof(*tail->piece));
	tail->first = 0;
}

bool signet_tail_has_room(struct signet_tail *tail, unsigned int pieces)
{
	compact(tail);
	return tail->end + pieces <= SIGNET_TAIL_PIECES;
}

void signet_tail_add(struct signet_tail *tail, const struct bio_vec *piece, unsigned int pieces)
{
	memcpy(tail->piece + tail->end, piece, pieces * sizeof(*piece));
	tail->end += pieces;
}

void signet_tail_taken(struct signet_tail *tail, unsigned int len)
{
	while (len) {
		struct bio_vec *piece = tail->piece + tail->first;
		unsigned int taken = min(len, piece->bv_len);

		len -= taken;
		piece->bv_offset += taken;
		piece->bv_len -= taken;
		if (!piece->bv_len) {
			put_page(piece->bv_page);
			tail->first++;
		}
	}
	if (tail->first == tail->end) {
		tail->first = 0;
		tail->end = 0;
	}
}

void signet_tail_discard(struct signet_tail *tail)
{
	while (tail->first < tail->end)
		put_page(tail->piece[tail->first++].bv_page);
	tail->first = 0;
	tail->end = 0;
}
