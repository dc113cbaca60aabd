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
 * Return: 0, or the errno of the
 * failed socket. close_notify shows in rx.state.
 */
int signet_control_receive(struct sock *sk, struct signet_context *ctx, u8 type, const u8 *content,
			   unsigned int len);

#endif /* _SIGNET_CONTROL_H */
