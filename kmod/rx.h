/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Receiving: opening records, acting on them, holding content for readers.
 */
#ifndef _SIGNET_RX_H
#define _SIGNET_RX_H

#include "context.h"
#include "scratch.h"

struct signet_found_record;
struct signet_suite;

void signet_rx_init(struct signet_rx *rx);

/**
 * signet_rx_install - install the first keys of this direction
 * @sk:		socket
 * @ctx:	its context
 * @cipher:	keys; taken over
 * @leftover:	ciphertext that comes before TCP's, or NULL; taken over
 * @leftover_len: its length
 *
 * Context: process, under the socket lock.
 */
void signet_rx_install(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher,
		       u8 *leftover, unsigned int leftover_len);

/* Installs keys that the application agreed with its peer. Takes @cipher over. */
void signet_rx_replace_keys(struct sock *sk, struct signet_context *ctx,
			    struct signet_cipher *cipher);

/* Frees everything but the cipher. */
void signet_rx_destroy(struct signet_rx *rx);

/* --- reading -------------------------------------------------------------------- */

/**
 * signet_rx_next - get at a record: open records until one is held
 * @sk:		socket
 * @ctx:	its context
 *
 * Context: process, under the socket lock.
 * Return: 1 when one is held, 0 at the end of file, -EAGAIN when nothing complete is
 * there yet, or the errno that ends reading.
 */
int signet_rx_next(struct sock *sk, struct signet_context *ctx);

/* The held record was used. */
static inline void signet_rx_drop_held(struct signet_rx *rx)
{
	WRITE_ONCE(rx->unread, 0);
	WRITE_ONCE(rx->held, false);
}

/* Nobody needs the buffer of a record that was read to its end. */
static inline void signet_rx_release_scratch(struct signet_rx *rx)
{
	if (!rx->held) {
		signet_scratch_put(rx->scratch);
		rx->scratch = NULL;
	}
}

/* --- without consuming ------------------------------------------------------------ */

/**
 * signet_rx_decrypt - open a record into a buffer
 * @sk:		socket
 * @ctx:	its context
 * @cipher:	keys
 * @scratch:	buffer
 * @found:	record
 * @ahead:	records between the next one and this
 *
 * Nothing is consumed. Context: process, under the socket lock.
 * Return: as signet_cipher_open().
 */
int signet_rx_decrypt(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher,
		      struct signet_scratch *scratch, const struct signet_found_record *found,
		      unsigned int ahead);

/*
 * What is in an opened record? Return: its content type, which in TLS 1.3 is the
 * last byte that is not padding (RFC 8446 5.2), or 0 without one; *len: its
 * content's length.
 */
u8 signet_rx_content_type(const struct signet_suite *suite, const struct signet_found_record *found,
			  const u8 *content, unsigned int *len);

/* --- the rest --------------------------------------------------------------------- */

/*
 * struct sock's sk_data_ready: wakes readers only for what they can use.
 * Context: process or softirq, under the socket lock.
 */
void signet_data_ready(struct sock *sk);

/* struct proto_ops' set_rcvlowat. Context: process, under the socket lock. */
int signet_set_rcvlowat(struct sock *sk, int lowat);

/**
 * signet_rx_poll - is there anything for a reader?
 * @sk:		socket
 * @ctx:	its context
 *
 * Opens the record at the head of the queue, so that a reader which is told to
 * read does not block on a ticket.
 *
 * Context: process; takes the socket lock when it must look.
 * Return: true when recv() would not block: data, end of file or an error.
 */
bool signet_rx_poll(struct sock *sk, struct signet_context *ctx);

/**
 * signet_rx_inq - plaintext that can be read now, in bytes
 * @sk:		socket
 * @ctx:	its context
 * @enough:	stop counting there
 *
 * Records that are not opened yet are counted without their overhead; padding
 * and control records among them make this an upper bound.
 *
 * Context: process, under the socket lock.
 * Return: bytes.
 */
unsigned int signet_rx_inq(struct sock *sk, struct signet_context *ctx, unsigned int enough);

/*
 * msg_inq: plaintext that can be read now; as TCP's, 1 when nothing but the end of
 * file or an error is to be had. Context: process, under the socket lock.
 */
int signet_rx_inq_hint(struct sock *sk, struct signet_context *ctx);

/**
 * signet_rx_close - get the receive queue ready for TCP's close
 * @sk:		socket
 * @ctx:	its context
 *
 * TCP answers a close with unread input by a reset, which may destroy what was
 * sent last. Control records are consumed, and so is everything behind the
 * peer's close_notify or a failure.
 *
 * Context: process, under the socket lock.
 * Return: true when application data was left unread: TCP's rule applies.
 */
bool signet_rx_close(struct sock *sk, struct signet_context *ctx);

#endif /* _SIGNET_RX_H */
