/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control records from the peer: alerts and post-handshake messages.
 */
#ifndef _SIGNET_CONTROL_H
#define _SIGNET_CONTROL_H

#include "context.h"

/**
 * signet_control_receive - act on a record that holds no application data
 * @sk:		socket
 * @ctx:	its context
 * @type:	content type
 * @content:	opened content
 * @len:	its length
 *
 * Context: process, under the socket lock.
 * Return: 0, or the errno of the failed socket. close_notify shows in rx.state,
 * a KeyUpdate in rx.rekey_pending.
 */
int signet_control_receive(struct sock *sk, struct signet_context *ctx, u8 type, const u8 *content,
			   unsigned int len);

/**
 * signet_control_rekey - take the keys of the peer's KeyUpdate into use
 * @sk:		socket
 * @ctx:	its context
 *
 * Context: process, under the socket lock, rx.rekey_pending is set.
 * Return: 0; -ENOMEM: nothing has changed; or the errno of the failed socket.
 */
int signet_control_rekey(struct sock *sk, struct signet_context *ctx);

/*
 * Would a record, when it is acted upon, leave the data behind it as it is? Warnings do,
 * and whole messages. *key_update: those are under new keys.
 */
bool signet_control_leaves_data(const struct signet_context *ctx, u8 type, const u8 *content,
				unsigned int len, bool *key_update);

/* Frees the parts of a message that is arriving. */
void signet_control_destroy(struct signet_rx *rx);

#endif /* _SIGNET_CONTROL_H */
