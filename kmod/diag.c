// SPDX-License-Identifier: GPL-2.0-only
#include "diag.h"

#include <linux/inet_diag.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <net/netlink.h>
#include <net/tls.h>

#include "cipher.h"
#include "context.h"

/* "signet established TLS_ECDHE_... epoch 4294967295/4294967295", about. */
#define NAME_MAX_LEN 112

/*
 * ss shows of any ULP its name, and of upstream's TLS a few numbers. State, suite
 * and epochs of sending and receiving have their place in the name: the core has
 * just put the short one, as the last attribute, which makes way.
 */
static int put_name(struct sk_buff *skb, const struct signet_context *ctx,
		    const struct signet_cipher *tx, const struct signet_cipher *rx)
{
	const int short_len = nla_total_size(sizeof(SIGNET_ULP_NAME));
	struct nlattr *last = (struct nlattr *)(skb_tail_pointer(skb) - short_len);
	char name[NAME_MAX_LEN];

	if (nla_type(last) != INET_ULP_INFO_NAME || nla_strcmp(last, SIGNET_ULP_NAME))
		return 0;
	if (tx && rx)
		snprintf(name, sizeof(name), "%s %s %s epoch %u/%u", SIGNET_ULP_NAME,
			 signet_state_name(READ_ONCE(ctx->state)), tx->suite->name, tx->epoch,
			 rx->epoch);
	else
		snprintf(name, sizeof(name), "%s %s", SIGNET_ULP_NAME,
			 signet_state_name(READ_ONCE(ctx->state)));
	nlmsg_trim(skb, last);
	return nla_put_string(skb, INET_ULP_INFO_NAME, name);
}

static u16 direction_conf(u8 state)
{
	return state == SIGNET_DIRECTION_OPEN ? TLS_CONF_SW : TLS_CONF_BASE;
}

/* As upstream does, for what it knows of. */
static int put_tls(struct sk_buff *skb, const struct signet_context *ctx,
		   const struct signet_cipher *cipher)
{
	struct nlattr *start = nla_nest_start_noflag(skb, INET_ULP_INFO_TLS);

	if (!start)
		return -EMSGSIZE;
	if (cipher && (nla_put_u16(skb, TLS_INFO_VERSION, cipher->suite->version) ||
		       (cipher->suite->tls_cipher &&
			nla_put_u16(skb, TLS_INFO_CIPHER, cipher->suite->tls_cipher))))
		goto cancel;
	if (nla_put_u16(skb, TLS_INFO_TXCONF, direction_conf(READ_ONCE(ctx->tx.state))) ||
	    nla_put_u16(skb, TLS_INFO_RXCONF, direction_conf(READ_ONCE(ctx->rx.state))))
		goto cancel;
	nla_nest_end(skb, start);
	return 0;

cancel:
	nla_nest_cancel(skb, start);
	return -EMSGSIZE;
}

int signet_diag_put(SIGNET_DIAG_PUT_ARGS(sk, skb))
{
	const struct signet_cipher *tx, *rx;
	const struct signet_context *ctx;
	int err = 0;

	rcu_read_lock();
	ctx = rcu_dereference(inet_csk(sk)->icsk_ulp_data);
	if (ctx) {
		tx = READ_ONCE(ctx->tx.cipher);
		rx = READ_ONCE(ctx->rx.cipher);
		err = put_name(skb, ctx, tx, rx);
		if (!err)
			err = put_tls(skb, ctx, tx ?: rx);
	}
	rcu_read_unlock();
	return err;
}

size_t signet_diag_size(SIGNET_DIAG_SIZE_ARGS(sk))
{
	return nla_total_size(NAME_MAX_LEN) + nla_total_size(0) + /* INET_ULP_INFO_TLS */
	       4 * nla_total_size(sizeof(u16)); /* version, cipher, tx and rx configuration */
}
