/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module keeps of one socket, and how a socket fails.
 *
 * Everything here is protected by the socket lock; members that are also read
 * without it are accessed with READ_ONCE() and WRITE_ONCE().
 */
#ifndef _SIGNET_CONTEXT_H
#define _SIGNET_CONTEXT_H

#include <linux/list.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <net/inet_connection_sock.h>
#include <net/tcp.h>
#include <net/tls.h>

#include "record.h"
#include "uapi/linux/signet.h"

struct signet_cipher;
struct signet_handshake;
struct signet_namespace;
struct signet_outbox;
struct signet_preferences;
struct signet_scratch;
struct signet_session;
struct signet_ticket;
struct signet_tls_keys;

/**
 * struct signet_tx - sending
 * @cipher:	keys, NULL before they are installed, wiped after a failure
 * @state:	enum signet_direction_state
 * @pushing:	TCP is being fed: its callbacks must not feed it again
 * @tracked:	@write_seq holds TCP's position
 * @key_update_owed: the peer asked for a KeyUpdate that was not sealed yet
 * @rekey_wanted: SIGNET_REKEY asked for one, likewise
 * @update_requested: that one shall ask for the peer's
 * @update_awaited: the peer was asked, and has not answered
 * @update_deferred: there was no memory for a KeyUpdate that can wait for the next call
 * @rekey_generation: of the network namespace, when the keys were last looked at
 * @adaptive:	small records while TCP sends slowly
 * @zerocopy_wanted: TLS_TX_ZEROCOPY_RO: kept to be read back
 * @error:	errno that ended sending while reading goes on, or 0
 * @write_seq:	TCP's write_seq as this module left it
 * @content_max: content of a record, at most
 * @record_max:	SIGNET_RECORD_MAX, 0 for none
 * @padding:	enum signet_padding_mode
 * @padding_size: its size
 * @burst:	content sealed since the connection was idle, up to a bound
 * @policy:	when to change keys
 * @outbox:	the open record and the tail, or NULL when there is neither
 * @tail_len:	bytes in the tail: sealed, and not taken by TCP yet
 * @key_updates: KeyUpdates sealed
 * @records:	records sealed
 * @bytes:	application data sealed
 */
struct signet_tx {
	struct signet_cipher *cipher;
	u8 state;
	bool pushing;
	bool tracked;
	bool key_update_owed;
	bool rekey_wanted;
	bool update_requested;
	bool update_awaited;
	bool update_deferred;
	bool adaptive;
	bool zerocopy_wanted;
	u8 padding;
	u16 padding_size;
	u16 content_max;
	u16 record_max;
	int error;
	u32 write_seq;
	u32 rekey_generation;
	u32 burst;
	struct signet_rekey_policy policy;
	struct signet_outbox *outbox;
	unsigned int tail_len;
	u32 key_updates;
	u64 records;
	u64 bytes;
};

/**
 * struct signet_message - the handshake message that is arriving
 * @header:	its type and length (RFC 8446 4)
 * @have:	bytes of @header and body that have arrived
 * @body_len:	length of the body, once the header is there
 * @body:	a body that is kept: a KeyUpdate's
 * @ticket:	a body that is kept: a NewSessionTicket's, or NULL
 */
struct signet_message {
	u8 header[SIGNET_HANDSHAKE_HEADER_LEN];
	u8 body;
	u32 have;
	u32 body_len;
	struct signet_ticket *ticket;
};

/**
 * struct signet_rx - receiving
 * @cipher:	keys, NULL before they are installed, wiped after a failure
 * @state:	enum signet_direction_state
 * @tracked:	@copied_seq holds TCP's position
 * @held:	an opened record is in @scratch
 * @type:	its content type
 * @rekey_pending: the peer sent a KeyUpdate: no record can be opened before its
 *		new keys are there
 * @stopped:	SOL_TLS: a header was bad, and that was told
 * @deliver_types: control records are given to recvmsg() with a control buffer
 * @renegotiation_refused: a HelloRequest was answered, and no data came since
 * @expect_no_pad: TLS_RX_EXPECT_NO_PAD: kept to be read back
 * @idle_records: records without data in a row
 * @error:	errno that ends reading once everything before it was read, or 0
 * @lowat:	SO_RCVLOWAT, in plaintext. sk_rcvlowat stays 1: TCP compares it with
 *		the ciphertext in its queue, which lacks what was opened already
 * @copied_seq:	TCP's copied_seq as this module left it
 * @want_seq:	TCP's sequence number at which the record at the head of the
 *		queue is complete, or its header
 * @head_len:	length of that record, once its header was found good, or 0
 * @scratch:	the held record, or NULL
 * @stamp:	an skb without data that has the time stamps of the last record's last
 *		byte, or NULL
 * @offset:	where its unread content starts in scratch->record
 * @unread:	bytes of unread content
 * @side:	ciphertext that comes before what is in TCP's receive queue: what
 *		the handshake read too much, or what had to make room for the rest
 *		of a record in a small receive buffer
 * @side_offset: its first unused byte
 * @side_end:	behind its last byte
 * @side_size:	bytes allocated
 * @message:	handshake message that is arriving
 * @tickets:	tickets for whoever asks, oldest first
 * @ticket_count: how many
 * @key_updates: KeyUpdates received
 * @warnings:	warning alerts received
 * @records:	records opened
 * @bytes:	application data opened
 * @control:	records opened that held no application data
 */
struct signet_rx {
	struct signet_cipher *cipher;
	u8 state;
	bool tracked;
	bool held;
	u8 type;
	bool rekey_pending;
	bool stopped;
	bool deliver_types;
	bool renegotiation_refused;
	bool expect_no_pad;
	u16 idle_records;
	int error;
	int lowat;
	u32 copied_seq;
	u32 want_seq;
	unsigned int head_len;
	struct signet_scratch *scratch;
	struct sk_buff *stamp;
	unsigned int offset;
	unsigned int unread;
	u8 *side;
	unsigned int side_offset;
	unsigned int side_end;
	unsigned int side_size;
	struct signet_message message;
	struct list_head tickets;
	unsigned int ticket_count;
	u32 key_updates;
	u32 warnings;
	u64 records;
	u64 bytes;
	u64 control;
};

/* Where core code looks for upstream's contexts in any ULP's data. */
#define SIGNET_TLS_CONTEXT_END offsetofend(struct tls_context, priv_ctx_rx)

/**
 * struct signet_base - what a socket had before the attach
 * @rcu:	for TCP's callbacks
 * @prot:	struct proto
 * @ops:	struct proto_ops
 * @data_ready:	its callbacks
 * @write_space: likewise
 * @state_change: likewise
 * @error_report: likewise
 */
struct signet_base {
	struct rcu_head rcu;
	struct proto *prot;
	const struct proto_ops *ops;
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*error_report)(struct sock *sk);
};

/**
 * struct signet_context - a socket's ULP data
 * @tls_context: zero: core code casts any ULP's data to struct tls_context and
 *		looks for its tx and rx contexts (tls_sw_has_ctx_tx())
 * @rcu:	for sock_diag, which looks without a lock
 * @retry:	hands the tail to TCP again when TCP had no memory for it, and nothing
 *		else would
 * @sk:		socket, for @retry
 * @ns:	the socket's network namespace: defaults and counters
 * @base:	what the socket had before the attach: TCP's, which all share, or its own
 * @base_is_own: it is this socket's alone
 * @state:	enum signet_state
 * @role:	enum signet_role
 * @personality: enum signet_personality: whose rules the socket follows, fixed by
 *		the name it was attached under or by the first keys
 * @gated:	no cleartext passes before there are keys
 * @spare:	there was no memory for one of its own: a FAILED context that sockets share
 * @reported:	SO_ERROR has been told of it
 * @error:	errno of a FAILED socket, or 0
 * @tcp_error:	errno that ended the TCP connection, once it was taken from sk_err
 * @reason:	enum signet_reason
 * @alert_sent:	level << 8 | description, 0 for none
 * @alert_received: likewise
 * @text:	what SIGNET_ERROR says in place of the reason's text, or NULL
 * @attached_at: in seconds of the boot-time clock
 * @node:	in the namespace's list of connections
 * @preferences: what the application wants of a handshake, or NULL
 * @handshake:	while a helper works on it
 * @session:	what its result brought, or NULL; once set it stays
 * @tls_keys:	what SOL_TLS installed, sending and receiving, to be read back; or
 *		NULL
 * @tx:		sending
 * @rx:		receiving
 */
struct signet_context {
	u8 tls_context[SIGNET_TLS_CONTEXT_END];
	struct rcu_head rcu;
	struct timer_list retry;
	struct sock *sk;
	struct signet_namespace *ns;
	const struct signet_base *base;
	u8 state;
	u8 role;
	u8 personality;
	bool gated;
	bool spare;
	bool reported;
	bool base_is_own;
	int error;
	int tcp_error;
	u16 reason;
	u16 alert_sent;
	u16 alert_received;
	char *text;
	time64_t attached_at;
	struct list_head node;
	struct signet_preferences __rcu *preferences;
	struct signet_handshake __rcu *handshake;
	struct signet_session *session;
	struct signet_tls_keys *tls_keys;
	struct signet_tx tx;
	struct signet_rx rx;
};

static inline struct signet_context *signet_context(const struct sock *sk)
{
	return (struct signet_context *)(__force void *)inet_csk(sk)->icsk_ulp_data;
}

/*
 * A context in state GATED; @gated as in the structure. NULL without memory.
 * Context: as @gfp says.
 */
struct signet_context *signet_context_new(struct sock *sk, bool gated, gfp_t gfp);

/* Makes @ctx a spare one. */
void signet_context_init_spare(struct signet_context *ctx);

/*
 * Wipes and frees, what others may look at without a lock after a grace period.
 * Context: process, the socket no longer refers to it.
 */
void signet_context_free(struct signet_context *ctx);

/* Does the socket behave as upstream's TLS sockets do? */
static inline bool signet_context_is_tls(const struct signet_context *ctx)
{
	return READ_ONCE(ctx->personality) == SIGNET_PERSONALITY_TLS;
}

/*
 * May TCP's own calls be used in this direction? Only on a socket attached as
 * "tls", which sends and receives cleartext until it has keys.
 */
static inline bool signet_context_tx_is_plain(const struct signet_context *ctx)
{
	return !READ_ONCE(ctx->gated) && READ_ONCE(ctx->tx.state) == SIGNET_DIRECTION_UNKEYED;
}

static inline bool signet_context_rx_is_plain(const struct signet_context *ctx)
{
	return !READ_ONCE(ctx->gated) && READ_ONCE(ctx->rx.state) == SIGNET_DIRECTION_UNKEYED;
}

/*
 * Remember TCP's positions: from now on only this module moves them.
 */
void signet_context_track_tx(struct sock *sk, struct signet_context *ctx);
void signet_context_track_rx(struct sock *sk, struct signet_context *ctx);

/* signet_context_check(), when something is not as it was left. */
int signet_context_find_fault(struct sock *sk, struct signet_context *ctx);

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
static inline int signet_context_check(struct sock *sk, struct signet_context *ctx)
{
	if (likely(!ctx->error && ctx->rx.copied_seq == tcp_sk(sk)->copied_seq &&
		   ctx->tx.write_seq == tcp_sk(sk)->write_seq))
		return 0;
	return signet_context_find_fault(sk, ctx);
}

/* As ss and /proc/net/signet show it. */
const char *signet_state_name(u8 state);

/* Enters a state, and lets everybody know who waits. */
void signet_context_set_state(struct sock *sk, struct signet_context *ctx, enum signet_state state);

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

/* Lets SO_ERROR tell of a failure, once. Context: under the socket lock. */
void signet_context_report(struct sock *sk, struct signet_context *ctx);

/*
 * The errno, negative, that ended the TCP connection, or 0 while there is one.
 * sk_err tells it once; this remembers it for every later call.
 */
int signet_context_tcp_error(struct sock *sk, struct signet_context *ctx);

/* CLOSED once close_notify has passed both ways. */
void signet_context_update_state(struct sock *sk, struct signet_context *ctx);

#endif /* _SIGNET_CONTEXT_H */
