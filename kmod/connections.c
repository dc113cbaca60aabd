// SPDX-License-Identifier: GPL-2.0-only
#include "connections.h"

#include <linux/capability.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "cipher.h"
#include "context.h"
#include "namespace.h"
#include "session.h"

static void *start(struct seq_file *seq, loff_t *position) __acquires(ns->lock)
{
	struct signet_namespace *ns = signet_namespace(seq_file_net(seq));

	spin_lock_bh(&ns->lock);
	return seq_list_start_head(&ns->connections, *position);
}

static void *next(struct seq_file *seq, void *item, loff_t *position)
{
	return seq_list_next(item, &signet_namespace(seq_file_net(seq))->connections, position);
}

static void stop(struct seq_file *seq, void *item) __releases(ns->lock)
{
	spin_unlock_bh(&signet_namespace(seq_file_net(seq))->lock);
}

static void show_addresses(struct seq_file *seq, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		seq_printf(seq, "[%pI6c]:%u [%pI6c]:%u", &sk->sk_v6_rcv_saddr,
			   ntohs(inet->inet_sport), &sk->sk_v6_daddr, ntohs(inet->inet_dport));
		return;
	}
#endif
	seq_printf(seq, "%pI4:%u %pI4:%u", &inet->inet_rcv_saddr, ntohs(inet->inet_sport),
		   &inet->inet_daddr, ntohs(inet->inet_dport));
}

static const char *role_name(u8 role)
{
	switch (role) {
	case SIGNET_ROLE_CLIENT:
		return "client";
	case SIGNET_ROLE_SERVER:
		return "server";
	default:
		return "-";
	}
}

/* Who may administer the network, and the socket's own user. */
static bool may_see_identity(struct seq_file *seq, const struct sock *sk)
{
	return uid_eq(seq->file->f_cred->euid, READ_ONCE(sk->sk_uid)) ||
	       file_ns_capable(seq->file, seq_file_net(seq)->user_ns, CAP_NET_ADMIN);
}

static void show_identity(struct seq_file *seq, const struct signet_context *ctx)
{
	const struct signet_session *session = READ_ONCE(ctx->session);

	seq_putc(seq, ' ');
	if (session && *session->peer_name && may_see_identity(seq, ctx->sk))
		seq_escape(seq, session->peer_name, " \t\n\\");
	else
		seq_putc(seq, '-');
	seq_putc(seq, '\n');
}

/* The list's lock keeps the context, its session and its socket. */
static int show(struct seq_file *seq, void *item)
{
	struct signet_namespace *ns = signet_namespace(seq_file_net(seq));
	const struct signet_cipher *tx, *rx;
	const struct signet_context *ctx;
	const struct sock *sk;

	if (item == &ns->connections) {
		seq_puts(seq, "local peer uid state role suite tx_epoch rx_epoch age ");
		seq_puts(seq, "tx_bytes rx_bytes identity\n");
		return 0;
	}
	ctx = list_entry(item, struct signet_context, node);
	sk = ctx->sk;
	show_addresses(seq, sk);
	rcu_read_lock();
	tx = READ_ONCE(ctx->tx.cipher);
	rx = READ_ONCE(ctx->rx.cipher);
	seq_printf(seq, " %u %s %s %s %u %u %lld %llu %llu",
		   from_kuid_munged(seq_user_ns(seq), READ_ONCE(sk->sk_uid)),
		   signet_state_name(READ_ONCE(ctx->state)), role_name(READ_ONCE(ctx->role)),
		   tx ? tx->suite->name : "-", tx ? READ_ONCE(tx->epoch) : 0,
		   rx ? READ_ONCE(rx->epoch) : 0,
		   (long long)(ktime_get_boottime_seconds() - ctx->attached_at),
		   READ_ONCE(ctx->tx.bytes), READ_ONCE(ctx->rx.bytes));
	rcu_read_unlock();
	show_identity(seq, ctx);
	return 0;
}

static const struct seq_operations operations = {
	.start = start,
	.next = next,
	.stop = stop,
	.show = show,
};

int signet_connections_init(struct net *net)
{
	return proc_create_net("signet", 0444, net->proc_net, &operations,
			       sizeof(struct seq_net_private)) ?
		       0 :
		       -ENOMEM;
}

void signet_connections_exit(struct net *net)
{
	remove_proc_entry("signet", net->proc_net);
}
