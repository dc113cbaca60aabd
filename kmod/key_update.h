/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changing the sending keys (RFC 8446 4.6.3): because the peer asks for it, because
 * the application does, by policy, and before the cipher's limit.
 */
#ifndef _SIGNET_KEY_UPDATE_H
#define _SIGNET_KEY_UPDATE_H

#include "context.h"

/* All of these: Context: process, under the socket lock. */

/* The peer asked for a KeyUpdate. */
void signet_key_update_owe(struct signet_context *ctx);

/**
 * signet_key_update_request - change the keys soon
 * @sk:		socket
 * @ctx:	its context
 * @request_update: ask the peer to change its own too
 *
 * Return: 0, -ENOTCONN without keys, -EPIPE behind the end, -EOPNOTSUPP when these
 * keys cannot be changed, or the errno of the failed socket.
 */
int signet_key_update_request(struct sock *sk, struct signet_context *ctx, bool request_update);

/*
 * Seals a KeyUpdate that is owed or was asked for, if that is possible without
 * waiting; else the next send does it first.
 */
void signet_key_update_try(struct sock *sk, struct signet_context *ctx);

/* Can this side change its keys by itself? The direction has keys. */
bool signet_key_update_possible(const struct signet_context *ctx);

/* No further record under these keys? */
bool signet_key_update_exhausted(const struct signet_context *ctx);

/*
 * The limit is reached, and there can be no new keys: ends sending with close_notify.
 * What the peer has sent can still be read. Return: -EKEYEXPIRED, as every send from
 * now on.
 */
int signet_key_update_give_up(struct sock *sk, struct signet_context *ctx);

/* Is it time for new keys before the next record? */
bool signet_key_update_is_due(const struct signet_context *ctx);

/*
 * Changes keys when it is time. Return: 0 when a record may be sealed, -ENOMEM
 * when none may without new keys, or the errno of the failed socket.
 */
int signet_key_update_if_due(struct sock *sk, struct signet_context *ctx);

#endif /* _SIGNET_KEY_UPDATE_H */
