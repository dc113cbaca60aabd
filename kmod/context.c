// SPDX-License-Identifier: GPL-2.0-only
#include "context.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "cipher.h"
#include "handshake.h"
#include "namespace.h"
#include "preferences.h"
#include "rx.h"
#include "session.h"
#include "tls_option.h"
#include "trace.h"
#include "tx.h"
#include "upcall.h"

struct signet_context *signet_context_new(struct sock *sk, bool gated, gfp_t gfp)
{
	struct signet_context *ctx = kzalloc(sizeof(*ctx), gfp | __GFP_ACCOUNT);

	if (!ctx)
		return NULL;
	ctx->state = SIGNET_STATE_GATED;
	ctx->gated = gated;
	ctx->sk = sk;
	timer_setup(&ctx->retry, signet_tx_retry, 0);
	ctx->ns = signet_namespace(sock_net(sk));
	if (!gated)
		ctx->personality = SIGNET_PERSONALITY_TLS;
	signet_tx_init(&ctx->tx, &ctx->ns->defaults);
	signet_rx_init(&ctx->rx);
	ctx->tx.rekey_generation = READ_ONCE(ctx->ns->upcall->rekey_generation);
	ctx->attached_at = ktime_get_boottime_seconds();
	signet_namespace_add(ctx->ns, ctx);
	return ctx;
}

void signet_context_init_spare(struct signet_context *ctx)
{
	ctx->state = SIGNET_STATE_FAILED;
	ctx->gated = true;
	ctx->spare = true;
	ctx->error = ENOMEM;
	/* By whoever gives it to a socket. */
	ctx->reported = true;
	ctx->reason = SIGNET_REASON_NO_MEMORY;
	ctx->ns = signet_namespace(&init_net);
	timer_setup(&ctx->retry, signet_tx_retry, 0);
	signet_rx_init(&ctx->rx);
}

static void wipe_keys(struct signet_context *ctx)
{
	signet_cipher_wipe(ctx->tx.cipher);
	signet_cipher_wipe(ctx->rx.cipher);
	signet_tls_keys_free(ctx->tls_keys);
	ctx->tls_keys = NULL;
	signet_session_wipe(ctx->session);
}

void signet_context_free(struct signet_context *ctx)
{
	if (ctx->spare)
		return;
	signet_namespace_remove(ctx->ns, ctx);
	signet_preferences_publish(ctx, NULL);
	signet_session_free(ctx->session);
	kfree(ctx->text);
	signet_tx_destroy(&ctx->tx);
	signet_rx_destroy(&ctx->rx);
	signet_cipher_free(ctx->tx.cipher);
	signet_cipher_free(ctx->rx.cipher);
	signet_tls_keys_free(ctx->tls_keys);
	if (ctx->base_is_own)
		kfree_rcu((struct signet_base *)ctx->base, rcu);
	/* No secret is left in it, and readers may be. */
	kfree_rcu(ctx, rcu);
}

void signet_context_track_tx(struct sock *sk, struct signet_context *ctx)
{
	ctx->tx.write_seq = tcp_sk(sk)->write_seq;
	ctx->tx.tracked = true;
}

void signet_context_track_rx(struct sock *sk, struct signet_context *ctx)
{
	ctx->rx.copied_seq = tcp_sk(sk)->copied_seq;
	ctx->rx.want_seq = ctx->rx.copied_seq + SIGNET_HEADER_LEN;
	ctx->rx.tracked = true;
}

int signet_context_find_fault(struct sock *sk, struct signet_context *ctx)
{
	if (ctx->error)
		return -ctx->error;
	if (sk->sk_state == TCP_CLOSE)
		return 0;
	if (ctx->rx.tracked && ctx->rx.copied_seq != tcp_sk(sk)->copied_seq)
		goto interference;
	/* The FIN takes a sequence number of its own. */
	if (ctx->tx.tracked && !(sk->sk_shutdown & SEND_SHUTDOWN) &&
	    ctx->tx.write_seq != tcp_sk(sk)->write_seq)
		goto interference;
	return 0;

interference:
	return signet_context_fail(sk, ctx, EBADFD, SIGNET_REASON_INTERFERENCE, SIGNET_ALERT_NONE);
}

const char *signet_state_name(u8 state)
{
	static const char *const names[] = {
		[SIGNET_STATE_GATED] = "gated",
		[SIGNET_STATE_HANDSHAKE] = "handshake",
		[SIGNET_STATE_ESTABLISHED] = "established",
		[SIGNET_STATE_CLOSED] = "closed",
		[SIGNET_STATE_FAILED] = "failed",
	};

	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "unknown";
}

void signet_context_set_state(struct sock *sk, struct signet_context *ctx, enum signet_state state)
{
	trace_signet_state(sk, ctx->state, state, ctx->reason);
	WRITE_ONCE(ctx->state, state);
	sk->sk_state_change(sk);
}

/*
 * Not before TCP has the alert: with sk_err it would refuse to take it. And not
 * sk_err_soft, which every acknowledgment clears.
 */
void signet_context_report(struct sock *sk, struct signet_context *ctx)
{
	if (likely(!ctx->error) || ctx->reported || ctx->tx.tail_len)
		return;
	ctx->reported = true;
	WRITE_ONCE(sk->sk_err, ctx->error);
}

int signet_context_fail(struct sock *sk, struct signet_context *ctx, int error,
			enum signet_reason reason, enum signet_alert alert)
{
	if (ctx->error)
		return -ctx->error;

	if (ctx->state == SIGNET_STATE_HANDSHAKE)
		signet_count(ctx->ns, SIGNET_COUNT_HANDSHAKES_FAILED);
	/* With upstream's options alerts are the application's to send. */
	if (alert != SIGNET_ALERT_NONE && !signet_context_is_tls(ctx))
		signet_tx_fatal_alert(sk, ctx, alert);
	/* Sealing the alert may have failed, and the socket with it. */
	if (ctx->error)
		return -ctx->error;
	signet_tx_discard_open(&ctx->tx);
	wipe_keys(ctx);
	ctx->reason = reason;
	WRITE_ONCE(ctx->error, error);
	signet_context_report(sk, ctx);
	signet_handshake_detach(ctx, error);
	signet_context_set_state(sk, ctx, SIGNET_STATE_FAILED);
	return -error;
}

int signet_context_tcp_error(struct sock *sk, struct signet_context *ctx)
{
	int err = sock_error(sk);

	/* With IP_RECVERR, TCP tells of troubles that it survives. */
	if (err && sk->sk_state != TCP_CLOSE)
		return err;
	if (!err && !ctx->tcp_error && sk->sk_state == TCP_CLOSE)
		err = -ECONNRESET;
	if (err) {
		ctx->tcp_error = -err;
		if (!ctx->reason)
			ctx->reason = SIGNET_REASON_RESET;
	}
	return -ctx->tcp_error;
}

void signet_context_update_state(struct sock *sk, struct signet_context *ctx)
{
	if (ctx->state != SIGNET_STATE_ESTABLISHED || ctx->tx.state != SIGNET_DIRECTION_CLOSED ||
	    ctx->rx.state != SIGNET_DIRECTION_CLOSED)
		return;
	wipe_keys(ctx);
	signet_context_set_state(sk, ctx, SIGNET_STATE_CLOSED);
}
