// SPDX-License-Identifier: GPL-2.0-only
#include "install.h"

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "cipher.h"
#include "rx.h"
#include "suite.h"
#include "tx.h"

int signet_copy_struct(void *to, size_t size, sockptr_t from, size_t given)
{
	int zero;

	if (given > size) {
		zero = check_zeroed_sockptr(from, size, given - size);
		if (zero <= 0)
			return zero ? zero : -E2BIG;
	}
	memset(to, 0, size);
	return copy_from_sockptr(to, from, min(size, given)) ? -EFAULT : 0;
}

int signet_new_keys_cipher(const struct signet_crypto *crypto, struct signet_cipher **cipher)
{
	struct signet_cipher *made = signet_cipher_new(crypto);

	if (IS_ERR(made))
		return PTR_ERR(made);
	*cipher = made;
	return 0;
}

void signet_new_keys_free(struct signet_new_keys *new)
{
	signet_cipher_free(new->tx);
	signet_cipher_free(new->rx);
	kvfree(new->leftover);
}

int signet_new_keys_fill(struct signet_new_keys *new, const struct signet_keys *keys)
{
	int err;

	if (keys->role > SIGNET_ROLE_SERVER ||
	    memchr_inv(keys->reserved, 0, sizeof(keys->reserved)))
		return -EINVAL;
	new->role = keys->role;
	err = signet_new_keys_cipher(&keys->tx, &new->tx);
	return err ? err : signet_new_keys_cipher(&keys->rx, &new->rx);
}

static u16 version_of(const struct signet_cipher *cipher)
{
	return cipher ? cipher->suite->version : 0;
}

static int check_install(struct sock *sk, struct signet_context *ctx,
			 const struct signet_new_keys *new)
{
	int err = signet_context_check(sk, ctx);

	if (err)
		return err;
	if (signet_context_is_tls(ctx) && (ctx->tx.cipher || ctx->rx.cipher))
		return -EBUSY;
	/* Somebody is in the middle of sending in the clear. */
	if (signet_context_tx_is_plain(ctx) && sk->sk_write_pending)
		return -EBUSY;
	if ((new->tx && ctx->tx.state != SIGNET_DIRECTION_UNKEYED) ||
	    (new->rx && ctx->rx.state != SIGNET_DIRECTION_UNKEYED))
		return -EBUSY;
	/* One handshake agrees on one version for both. */
	if (version_of(new->tx ?: ctx->tx.cipher) && version_of(new->rx ?: ctx->rx.cipher) &&
	    version_of(new->tx ?: ctx->tx.cipher) != version_of(new->rx ?: ctx->rx.cipher))
		return -EINVAL;
	/* The peer may have sent everything, and its FIN, before the keys are here. */
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)))
		return -ENOTCONN;
	return 0;
}

int signet_install(struct sock *sk, struct signet_context *ctx, struct signet_new_keys *new)
{
	int err = check_install(sk, ctx, new);

	if (err)
		return err;
	WRITE_ONCE(ctx->personality, SIGNET_PERSONALITY_SIGNET);
	WRITE_ONCE(ctx->gated, true);
	if (new->role != SIGNET_ROLE_UNKNOWN)
		ctx->role = new->role;
	if (new->tx)
		signet_tx_install(sk, ctx, new->tx);
	if (new->rx)
		signet_rx_install(sk, ctx, new->rx, new->leftover, new->leftover_len);
	memset(new, 0, sizeof(*new));
	/* Whoever polls has something to look at. */
	if (ctx->tx.state == SIGNET_DIRECTION_OPEN && ctx->rx.state == SIGNET_DIRECTION_OPEN)
		signet_context_set_state(sk, ctx, SIGNET_STATE_ESTABLISHED);
	else
		sk->sk_state_change(sk);
	return 0;
}
