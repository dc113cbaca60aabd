/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Receiving: finding records in TCP's receive queue, opening them, handing
 * their content to readers.
 */
#ifndef _SIGNET_RX_H
#define _SIGNET_RX_H

#include "compat.h"
#include "context.h"

struct msghdr;
struct pipe_inode_info;

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

/* struct proto's recvmsg. */
int signet_recvmsg(SIGNET_RECVMSG_ARGS(sk, msg, len, flags));

/* struct proto_ops' splice_read. */
ssize_t signet_splice_read(struct socket *sock, loff_t *position, struct pipe_inode_info *pipe,
			   size_t len, unsigned int flags);

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
