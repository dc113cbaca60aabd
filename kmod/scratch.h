/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers that hold one opened record until it has been read.
 */
#ifndef _SIGNET_SCRATCH_H
#define _SIGNET_SCRATCH_H

#include <linux/scatterlist.h>
#include <linux/types.h>

#include "record.h"

/* Pieces of a record in TCP's receive queue that are opened where they lie. */
#define SIGNET_SCRATCH_PIECES 64

/**
 * struct signet_scratch - room for one record
 * @source:	where the record lies in the receive queue, behind an entry for the
 *		cipher
 * @target:	@record, likewise
 * @record:	the opened record: content, in TLS 1.3 content type and padding
 */
struct signet_scratch {
	struct scatterlist source[1 + SIGNET_SCRATCH_PIECES];
	struct scatterlist target[2];
	u8 record[SIGNET_BODY_MAX];
};

/*
 * A buffer, or NULL without memory. One is kept per CPU, so that a reader that
 * keeps up allocates nothing. Context: may sleep.
 */
struct signet_scratch *signet_scratch_get(void);

/* Gives a buffer back; NULL is fine. Context: process. */
void signet_scratch_put(struct signet_scratch *scratch);

/* Frees the kept buffers, at unload. */
void signet_scratch_exit(void);

#endif /* _SIGNET_SCRATCH_H */
