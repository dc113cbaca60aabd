/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sending: filling records, sealing them, handing them to TCP.
 */
#ifndef _SIGNET_TX_H
#define _SIGNET_TX_H

#include "context.h"

struct msghdr;
struct signet_defaults;

/* Begins with a network namespace's defaults. */
void signet_tx_init(struct signet_tx *tx, const struct signet_defaults *defaults);

/* Installs the first keys of this direction. Takes over @cipher. */
void signet_tx_install(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher);

/**
 * signet_tx_replace_keys - install keys that the application agreed with its peer
 * @sk:		socket
 * @ctx:	its context, of SOL_TLS
 * @cipher:	the new keys; taken over on success
 *
 * The open record is sealed under the old ones first.
 * Context: process, under the socket lock.
 * Return: 0, -EAGAIN when TCP has no room for that record, or the errno of the
 * failed socket.
 */
int signet_tx_replace_keys(struct sock *sk, struct signet_context *ctx,
			   struct signet_cipher *cipher);

/* SIGNET_RECORD_MAX: RFC 8449's limit on a record, in bytes; 0 for none. */
void signet_tx_set_record_max(struct signet_tx *tx, unsigned int limit);

/* Frees everything but the cipher. */
void signet_tx_destroy(struct signet_tx *tx);

/* struct proto's sendmsg. */
int signet_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);

/* struct proto's splice_eof: sendfile has no more data, so send what is open. */
void signet_splice_eof(struct socket *sock);

/*
 * struct sock's sk_write_space: TCP has room again, so the tail goes out.
 * Context: process or softirq, under the socket lock.
 */
void signet_write_space(struct sock *sk);

/* True while sealed bytes wait for room in TCP. */
static inline bool signet_tx_has_tail(const struct signet_tx *tx)
{
	return READ_ONCE(tx->tail_len) != 0;
}

/* Wipes and drops the open record. */
void signet_tx_discard_open(struct signet_tx *tx);

/*
 * Seals a fatal alert behind everything that is sealed already; tries to hand
 * it to TCP without waiting. Without memory the alert is left out: the
 * connection has failed all the same.
 */
void signet_tx_fatal_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert alert);

/* As that one, for an alert after which the connection goes on. */
void signet_tx_warning_alert(struct sock *sk, struct signet_context *ctx, enum signet_alert alert);

/* The peer asked for a KeyUpdate. */
void signet_tx_owe_key_update(struct signet_context *ctx);

/*
 * Seals a KeyUpdate that is owed or was asked for, if that is possible without
 * waiting; else the next send does it first. Context: process, under the socket lock.
 */
void signet_tx_try_key_update(struct sock *sk, struct signet_context *ctx);

/**
 * signet_tx_rekey - change the keys of this direction soon
 * @sk:		socket
 * @ctx:	its context
 * @request_update: ask the peer to change its own too
 *
 * Context: process, under the socket lock.
 * Return: 0, -ENOTCONN without keys, -EPIPE behind the end, -EOPNOTSUPP when these
 * keys cannot be changed, or the errno of the failed socket.
 */
int signet_tx_rekey(struct sock *sk, struct signet_context *ctx, bool request_update);

/**
 * signet_tx_close - send what is open, then close_notify
 * @sk:		socket
 * @ctx:	its context
 *
 * TCP's limits are lifted for these bytes, so this never waits. Nothing is sent
 * when this direction is not open.
 *
 * Context: process, under the socket lock.
 * Return: 0 when TCP has all bytes, -ENOMEM when it could not take them: then
 * the connection must not end with a FIN.
 */
int signet_tx_close(struct sock *sk, struct signet_context *ctx);

#endif /* _SIGNET_TX_H */
