// SPDX-License-Identifier: GPL-2.0-only
#include "key_update.h"

#include <linux/err.h>
#include <linux/timekeeping.h>
#include <net/sock.h>

#include "cipher.h"
#include "namespace.h"
#include "trace.h"
#include "tx.h"
#include "upcall.h"

void signet_key_update_owe(struct signet_context *ctx)
{
	/* Several requests are answered once (RFC 8446 4.6.3). */
	if (ctx->tx.state == SIGNET_DIRECTION_OPEN && signet_key_update_possible(ctx))
		ctx->tx.key_update_owed = true;
}

/*
 * Seals a KeyUpdate under the old keys and takes the new ones into use. What is in
 * the open record will be sealed under those.
 *
 * An answer asks for nothing, and nobody asks twice (RFC 9846 4.7.3): a request that
 * cannot go with this one goes with the next, or is answered already.
 *
 * Return: 0; -ENOBUFS, -ENOMEM: nothing has changed; or the errno of the failed
 * socket.
 */
static int update_keys(struct sock *sk, struct signet_context *ctx)
{
	struct signet_tx *tx = &ctx->tx;
	bool request = tx->update_requested && !tx->key_update_owed && !tx->update_awaited;
	u8 message[SIGNET_KEY_UPDATE_LEN] = {
		SIGNET_HANDSHAKE_KEY_UPDATE,
		0,
		0,
		1,
		request ? SIGNET_UPDATE_REQUESTED : SIGNET_UPDATE_NOT_REQUESTED,
	};
	struct signet_cipher *next;
	int err;

	if (signet_tx_get_outbox(tx))
		return -ENOMEM;
	if (!signet_tx_has_room(tx, SIGNET_RECORD_PIECES))
		return -ENOBUFS;
	next = signet_cipher_next(tx->cipher);
	if (IS_ERR(next))
		return PTR_ERR(next);
	err = signet_tx_seal_control(sk, ctx, SIGNET_CONTENT_HANDSHAKE, message, sizeof(message));
	if (err) {
		signet_cipher_free(next);
		return err;
	}
	signet_cipher_replace(&tx->cipher, next);
	trace_signet_keys(sk, true, next);
	signet_count(ctx->ns, SIGNET_COUNT_TX_KEY_UPDATES);
	tx->key_updates++;
	if (request || tx->update_awaited)
		tx->update_requested = false;
	tx->update_awaited |= request;
	tx->rekey_wanted = tx->update_requested;
	tx->key_update_owed = false;
	return 0;
}

void signet_key_update_send(struct sock *sk, struct signet_context *ctx)
{
	struct signet_tx *tx = &ctx->tx;

	if (tx->state != SIGNET_DIRECTION_OPEN || ctx->error || !signet_tx_tcp_can_send(sk))
		return;
	if (!update_keys(sk, ctx))
		signet_tx_push(sk, ctx, 0);
	signet_tx_put_outbox(tx);
}

int signet_key_update_request(struct sock *sk, struct signet_context *ctx, bool request_update)
{
	struct signet_tx *tx = &ctx->tx;

	if (tx->state == SIGNET_DIRECTION_UNKEYED)
		return -ENOTCONN;
	if (tx->state == SIGNET_DIRECTION_CLOSED || !signet_tx_tcp_can_send(sk))
		return -EPIPE;
	if (!signet_key_update_possible(ctx))
		return -EOPNOTSUPP;
	tx->rekey_wanted = true;
	tx->update_requested |= request_update;
	signet_key_update_try(sk, ctx);
	return -ctx->error;
}

bool signet_key_update_too_old(const struct signet_context *ctx)
{
	return ktime_get_boottime_seconds() - ctx->tx.cipher->keyed_at >= ctx->tx.policy.seconds;
}

int signet_key_update_give_up(struct sock *sk, struct signet_context *ctx)
{
	/* Without memory close() tries again. */
	signet_tx_close(sk, ctx);
	ctx->tx.error = EKEYEXPIRED;
	ctx->reason = SIGNET_REASON_AEAD_LIMIT;
	return -EKEYEXPIRED;
}

int signet_key_update_change(struct sock *sk, struct signet_context *ctx)
{
	struct signet_tx *tx = &ctx->tx;
	int err;

	if (signet_key_update_upcall_wants(ctx)) {
		tx->rekey_generation = READ_ONCE(ctx->ns->upcall->rekey_generation);
		tx->update_requested |= READ_ONCE(ctx->ns->upcall->rekey_requests);
		tx->rekey_wanted = true;
	}
	err = update_keys(sk, ctx);
	if (!err || ctx->error)
		return err;
	/* Not one record is left, not even for the KeyUpdate. */
	if (tx->cipher->sequence == U64_MAX)
		return signet_key_update_give_up(sk, ctx);
	if (signet_key_update_exhausted(ctx))
		return err;
	/* It was not urgent: the next call tries again. */
	tx->update_deferred = true;
	return 0;
}
