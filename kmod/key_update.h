/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changing the sending keys (RFC 8446 4.6.3): because the peer asks for it, because
 * the application does, by policy, and before the cipher's limit.
 */
#ifndef _SIGNET_KEY_UPDATE_H
#define _SIGNET_KEY_UPDATE_H

#include "cipher.h"
#include "context.h"
#include "namespace.h"
#include "upcall.h"

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

/* The KeyUpdate of signet_key_update_try(). */
void signet_key_update_send(struct sock *sk, struct signet_context *ctx);

/*
 * Seals a KeyUpdate that is owed or was asked for, if that is possible without
 * waiting; else the next send does it first.
 */
static inline void signet_key_update_try(struct sock *sk, struct signet_context *ctx)
{
	if (unlikely(ctx->tx.key_update_owed || ctx->tx.rekey_wanted))
		signet_key_update_send(sk, ctx);
}

/* Can this side change its keys by itself? The direction has keys. */
static inline bool signet_key_update_possible(const struct signet_context *ctx)
{
	return !signet_context_is_tls(ctx) && ctx->tx.cipher->has_secret;
}

/* No further record under these keys? */
static inline bool signet_key_update_exhausted(const struct signet_context *ctx)
{
	/* Upstream leaves the limits to the application. */
	if (signet_context_is_tls(ctx))
		return ctx->tx.cipher->sequence == U64_MAX;
	return signet_cipher_exhausted(ctx->tx.cipher);
}

/*
 * The limit is reached, and there can be no new keys: ends sending with close_notify.
 * What the peer has sent can still be read. Return: -EKEYEXPIRED, as every send from
 * now on.
 */
int signet_key_update_give_up(struct sock *sk, struct signet_context *ctx);

/* SIGNET_IOC_REKEY: every connection of the namespace, at its next send. */
static inline bool signet_key_update_upcall_wants(const struct signet_context *ctx)
{
	return READ_ONCE(ctx->ns->upcall->rekey_generation) != ctx->tx.rekey_generation;
}

/* Has the time come that the policy gives a key? */
bool signet_key_update_too_old(const struct signet_context *ctx);

/* Does nobody want new keys, and is there no limit near that asks for them? */
static inline bool signet_key_update_is_unwanted(const struct signet_context *ctx)
{
	const struct signet_tx *tx = &ctx->tx;
	const struct signet_rekey_policy *policy = &tx->policy;
	const struct signet_cipher *cipher = tx->cipher;

	return likely(!tx->key_update_owed && !tx->rekey_wanted &&
		      !signet_key_update_upcall_wants(ctx) && !signet_cipher_exhausted(cipher) &&
		      (!policy->records || cipher->sequence < policy->records) &&
		      (!policy->bytes || cipher->bytes < policy->bytes) &&
		      (!policy->seconds || !signet_key_update_too_old(ctx)));
}

/* Is it time for new keys before the next record? */
static inline bool signet_key_update_is_due(const struct signet_context *ctx)
{
	return !signet_key_update_is_unwanted(ctx) && signet_key_update_possible(ctx) &&
	       (!ctx->tx.update_deferred || signet_cipher_exhausted(ctx->tx.cipher));
}

/* The change of signet_key_update_if_due(). */
int signet_key_update_change(struct sock *sk, struct signet_context *ctx);

/*
 * Changes keys when it is time. Return: 0 when a record may be sealed, -ENOMEM
 * when none may without new keys, or the errno of the failed socket.
 */
static inline int signet_key_update_if_due(struct sock *sk, struct signet_context *ctx)
{
	return likely(!signet_key_update_is_due(ctx)) ? 0 : signet_key_update_change(sk, ctx);
}

#endif /* _SIGNET_KEY_UPDATE_H */
