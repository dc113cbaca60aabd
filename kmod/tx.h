/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sending: filling records, sealing them, handing them to TCP.
 */
#ifndef _SIGNET_TX_H
#define _SIGNET_TX_H

#include "context.h"

struct msghdr;

/* Installs the keys of this direction. Takes over @cipher. */
void signet_tx_install(struct signet_context *ctx, struct signet_cipher *cipher);

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
