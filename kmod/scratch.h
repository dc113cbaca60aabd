/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that a socket needs only while it seals or opens records. An idle socket
 * has none; one of each kind is kept per CPU, so that a busy one allocates nothing.
 */
#ifndef _SIGNET_SCRATCH_H
#define _SIGNET_SCRATCH_H

#include <crypto/aead.h>
#include <linux/scatterlist.h>
#include <linux/mm.h>
#include <linux/socket.h>
#include <linux/types.h>

#include "record.h"
#include "tail.h"
#include "tx_record.h"

/* Additional data: the header, after the sequence number in TLS 1.2 (RFC 5246 6.2.3.3). */
#define SIGNET_AAD_MAX (8 + SIGNET_HEADER_LEN)

/* Memory that a cipher may want for one request, in bytes. */
#define SIGNET_REQUEST_SIZE_MAX 1024

/**
 * struct signet_operation - one call of a cipher
 * @private_len: bytes of the cipher's own memory that were used
 * @nonce:	the record's nonce, or the cipher's block around it
 * @aad:	TLS 1.2: the record's additional data
 * @request:	struct aead_request, and the cipher's own memory behind it
 */
struct signet_operation {
	unsigned int private_len;
	u8 nonce[SIGNET_CCM_BLOCK_LEN];
	u8 aad[SIGNET_AAD_MAX];
	u8 request[sizeof(struct aead_request) + SIGNET_REQUEST_SIZE_MAX] CRYPTO_MINALIGN_ATTR;
};

/* Pieces of a record in TCP's receive queue that are opened where they lie. */
#define SIGNET_SCRATCH_PIECES 64

/* Room before an opened record for its header; a block of any cipher's. */
#define SIGNET_SCRATCH_HEAD 64

/**
 * struct signet_scratch - room for one record that is opened
 * @operation:	the cipher's
 * @source:	where the record lies in the receive queue, behind an entry for the
 *		cipher
 * @target:	where it is opened, likewise
 * @record:	the opened record, in @memory: content, in TLS 1.3 content type and padding
 * @memory:	room for a record that begins anywhere in a page
 */
struct signet_scratch {
	struct signet_operation operation;
	struct scatterlist source[1 + SIGNET_SCRATCH_PIECES];
	struct scatterlist target[2];
	u8 *record;
	u8 memory[SIGNET_SCRATCH_HEAD + PAGE_SIZE + SIGNET_BODY_MAX] __aligned(64);
};

/*
 * Places the opened record where its content has the offset @offset in a page. When that is
 * the ciphertext's too, a cipher comes to the end of a page on both sides at once: it works
 * in half as many steps, and no block of its lies across.
 */
static inline void signet_scratch_place(struct signet_scratch *scratch, unsigned int offset)
{
	u8 *first = scratch->memory + SIGNET_SCRATCH_HEAD;

	scratch->record = first + offset_in_page(offset - offset_in_page(first));
}

/* A buffer, or NULL without memory. Context: may sleep. */
struct signet_scratch *signet_scratch_get(void);

/* Gives a buffer back; NULL is fine. Context: any. */
void signet_scratch_put(struct signet_scratch *scratch);

/**
 * struct signet_outbox - records on their way to TCP
 * @open:	the record that MSG_MORE left open
 * @tail:	sealed records
 * @page:	where a small record is sealed that TCP copies, or NULL
 * @sealed:	a record that is sealed, behind an entry for the cipher
 * @msg:	for TCP; all but its iterator and flags stays zero
 * @operation:	the cipher's
 */
struct signet_outbox {
	struct signet_tx_record open;
	struct signet_tail tail;
	struct page *page;
	struct scatterlist sealed[1 + SIGNET_RECORD_PIECES];
	struct msghdr msg;
	struct signet_operation operation;
};

/* An empty one, or NULL without memory. Context: may sleep. */
struct signet_outbox *signet_outbox_get(void);

/* Gives an empty one back; NULL is fine. Context: any. */
void signet_outbox_put(struct signet_outbox *outbox);

/* Frees what is kept, at unload. */
void signet_scratch_exit(void);

#endif /* _SIGNET_SCRATCH_H */
