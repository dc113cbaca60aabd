/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module keeps of one socket, and how a socket fails.
 *
 * Everything here is protected by the socket lock; members that are also read
 * without it are accessed with READ_ONCE() and WRITE_ONCE().
 */
#ifndef _SIGNET_CONTEXT_H
#define _SIGNET_CONTEXT_H

#include <linux/bvec.h>
#include <linux/types.h>
#include <net/inet_connection_sock.h>
#include <net/tcp.h>
#include <net/tls.h>

#include "record.h"
#include "uapi/linux/signet.h"

struct signet_cipher;
struct signet_scratch;

/* Pieces of page fragments that one record lies in, at most. */
#define SIGNET_RECORD_PIECES 6

/* Pieces of sealed records that TCP has not taken yet, at most. */
#define SIGNET_TAIL_PIECES 32

/**
 * struct signet_open_record - a record that is being filled
 * @piece:	memory, header first; holds plaintext until it is sealed
 * @pieces:	how many of them; 0 when there is no open record
 * @space:	bytes in all of them
 * @content:	bytes of content so far
 */
struct signet_open_record {
	struct bio_vec piece[SIGNET_RECORD_PIECES];
	unsigned int pieces;
	unsigned int space;
	unsigned int content;
};

/**
 * struct signet_tx - sending
 * @cipher:	keys, NULL before they are installed, wiped after a failure
 * @state:	enum signet_direction_state
 * @pushing:	TCP is being fed: its callbacks must not feed it again
 * @write_seq:	TCP's write_seq as this module left it
 * @open:	the record that MSG_MORE left open
 * @tail:	sealed bytes that TCP has not taken: they go before anything else
 * @tail_first:	first piece in use
 * @tail_end:	behind the last piece in use
 * @tail_len:	bytes in them
 * @records:	records sealed
 * @bytes:	application data sealed
 */
struct signet_tx {
	struct signet_cipher *cipher;
	u8 state;
	bool pushing;
	u32 write_seq;
	struct signet_open_record open;
	struct bio_vec tail[SIGNET_TAIL_PIECES];
	unsigned int tail_first;
	unsigned int tail_end;
	unsigned int tail_len;
	u64 records;
	u64 bytes;
};

/**
 * struct signet_rx - receiving
 * @cipher:	keys, NULL before they are installed, wiped after a failure
 * @state:	enum signet_direction_state
 * @error:	errno that ends reading once everything before it was read, or 0
 * @lowat:	SO_RCVLOWAT, in plaintext. sk_rcvlowat stays 1: TCP compares it with
 *		the ciphertext in its queue, which lacks what was opened already
 * @copied_seq:	TCP's copied_seq as this module left it
 * @want_seq:	TCP's sequence number at which the record at the head of the
 *		queue is complete, or its header
 * @scratch:	an opened record that was not read to its end, or NULL
 * @offset:	where its unread content starts in scratch->record
 * @unread:	bytes of unread content
 * @side:	ciphertext that comes before what is in TCP's receive queue: what
 *		the handshake read too much, or what had to make room for the rest
 *		of a record in a small receive buffer
 * @side_offset: its first unused byte
 * @side_end:	behind its last byte
 * @side_size:	bytes allocated
 * @message:	header of the handshake message that is being skipped
 * @message_have: bytes of @message that have arrived
 * @message_left: bytes of the message's body still to come
 * @records:	records opened
 * @bytes:	application data opened
 * @control:	records opened that held no application data
 */
struct signet_rx {
	struct signet_cipher *cipher;
	u8 state;
	int error;
	int lowat;
	u32 copied_seq;
	u32 want_seq;
	struct signet_scratch *scratch;
	unsigned int offset;
	unsigned int unread;
	u8 *side;
	unsigned int side_offset;
	unsigned int side_end;
	unsigned int side_size;
	u8 message[SIGNET_HANDSHAKE_HEADER_LEN];
	u8 message_have;
	u32 message_left;
	u64 records;
	u64 bytes;
	u64 control;
};

/* Where core code looks for upstream's contexts in any ULP's data. */
#define SIGNET_TLS_CONTEXT_END offsetofend(struct tls_context, priv_ctx_rx)

/**
 * struct signet_context - a socket's ULP data
 * @tls_context: zero: core code casts any ULP's data to struct tls_context and
 *		looks for its tx and rx contexts (tls_sw_has_ctx_tx())
 * @base_prot:	the socket's struct proto before the attach
 * @base_ops:	its struct proto_ops
 * @base_data_ready: its callbacks
 * @base_write_space: likewise
 * @state:	enum signet_state
 * @role:	enum signet_role
 * @error:	errno of a FAILED socket, or 0
 * @tcp_error:	errno that ended the TCP connection, once it was taken from sk_err
 * @reason:	enum signet_reason
 * @alert_sent:	level << 8 | description, 0 for none
 * @alert_received: likewise
 * @tracked:	tx.write_seq and rx.copied_seq hold TCP's positions
 * @tx:		sending
 * @rx:		receiving
 */
struct signet_context {
	u8 tls_context[SIGNET_TLS_CONTEXT_END];
	struct proto *base_prot;
	const struct proto_ops *base_ops;
	void (*base_data_ready)(struct sock *sk);
	void (*base_write_space)(struct sock *sk);
	u8 state;
	u8 role;
	bool tracked;
	int error;
	int tcp_error;
	u16 reason;
	u16 alert_sent;
	u16 alert_received;
	struct signet_tx tx;
	struct signet_rx rx;
};

static inline struct signet_context *signet_context(const struct sock *sk)
{
	return (struct signet_context *)(__force void *)inet_csk(sk)->icsk_ulp_data;
}

/* A context in state GATED, or NULL without memory. */
struct signet_context *signet_context_new(void);

/* Wipes and frees. Context: process, the socket no longer refers to it. */
void signet_context_free(struct signet_context *ctx);

/*
 * Remember TCP's positions: from now on only this module moves them.
 */
void signet_context_track(struct sock *sk, struct signet_context *ctx);

/**
 * signet_context_check - has somebody else used the TCP socket?
 * @sk:		socket
 * @ctx:	its context
 *
 * A call that was inside TCP when the socket was attached may have taken
 * ciphertext out of the stream, or put bytes into it: then nothing that follows
 * can be trusted.
 *
 * Context: process, under the socket lock.
 * Return: 0, or the errno of the
 * failed socket.
 */
int signet_context_check(struct sock *sk, struct signet_context *ctx);

/**
 * signet_context_fail - the end of a connection
 * @sk:		socket
 * @ctx:	its context
 * @error:	errno for every call from now on, positive
 * @reason:	enum signet_reason
 * @alert:	enum signet_alert to send as a fatal one, or SIGNET_ALERT_NONE
 *
 * Wipes the keys. The first failure stays. Wakes everybody who waits.
 * Context: process, under the socket lock.
 * Return: -@error of the first failure.
 */
int signet_context_fail(struct sock *sk, struct signet_context *ctx, int error,
			enum signet_reason reason, enum signet_alert alert);

/*
 * The errno, negative, that ended the TCP connection, or 0 while there is one.
 * sk_err tells it once; this remembers it for every later call.
 */
int signet_context_tcp_error(struct sock *sk, struct signet_context *ctx);

/* CLOSED once close_notify has passed both ways. */
void signet_context_update_state(struct sock *sk, struct signet_context *ctx);

#endif /* _SIGNET_CONTEXT_H */
