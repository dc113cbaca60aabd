// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "socket.h"

#include <linux/err.h>
#include <linux/in.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/skmsg.h>
#include <linux/slab.h>
#include <net/inet_common.h>
#include <net/rps.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <asm/ioctls.h>

#include "context.h"
#include "diag.h"
#include "handshake.h"
#include "namespace.h"
#include "option.h"
#include "preferences.h"
#include "receive.h"
#include "rx.h"
#include "send.h"
#include "tls_option.h"
#include "tx.h"

/**
 * struct family_calls - what an attached socket calls, by address family
 * @base:	TCP's, as a new socket has them
 * @prot:	a copy with this module's calls
 * @ops:	likewise
 * @spare:	for accepted connections when there is no memory
 */
struct family_calls {
	struct signet_base base;
	struct proto prot;
	struct proto_ops ops;
	struct signet_context spare;
};

static struct family_calls calls[2] __read_mostly;
static struct tcp_ulp_ops signet_ulp_ops;

static int signet_accept(struct socket *sock, struct socket *new,
			 struct proto_accept_arg *argument);

/* The tables by what was there before the attach. */
static struct family_calls *find_base(const struct proto *base_prot)
{
	return base_prot == calls[0].base.prot ? &calls[0] : &calls[1];
}

/* --- calls of struct proto -------------------------------------------------- */

/*
 * The helper's channel wants to know too. Without a context the socket is just being
 * detached: some callers do not hold its lock, and whom they would wake is closing it.
 */
static void signet_state_change(struct sock *sk)
{
	struct signet_context *ctx = signet_context(sk);

	if (unlikely(!ctx))
		return;
	ctx->base->state_change(sk);
	signet_handshake_notify(ctx);
}

static void signet_error_report(struct sock *sk)
{
	struct signet_context *ctx = signet_context(sk);

	if (unlikely(!ctx))
		return;
	ctx->base->error_report(sk);
	signet_handshake_notify(ctx);
}

/* Detaches: TCP's calls again, and none of this module's code from here on. */
static void detach(struct sock *sk, struct signet_context *ctx)
{
	write_lock_bh(&sk->sk_callback_lock);
	WRITE_ONCE(sk->sk_prot, ctx->base->prot);
	if (ctx->rx.state != SIGNET_DIRECTION_UNKEYED)
		WRITE_ONCE(sk->sk_rcvlowat, ctx->rx.lowat);
	/* Others may have put their own before them since. */
	if (sk->sk_data_ready == signet_data_ready)
		sk->sk_data_ready = ctx->base->data_ready;
	if (sk->sk_write_space == signet_write_space)
		sk->sk_write_space = ctx->base->write_space;
	if (sk->sk_state_change == signet_state_change)
		sk->sk_state_change = ctx->base->state_change;
	if (sk->sk_error_report == signet_error_report)
		sk->sk_error_report = ctx->base->error_report;
	/* Last: whoever comes without the lock finds a context, or TCP's callbacks. */
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	sk_stop_timer(sk, &ctx->retry);
}

static void signet_close(struct sock *sk, long timeout)
{
	struct signet_context *ctx = signet_context(sk);
	void (*base_close)(struct sock *sk, long timeout) = ctx->base->prot->close;
	bool reset;

	lock_sock(sk);
	signet_handshake_detach(ctx, ECANCELED);
	reset = signet_rx_close(sk, ctx);
	/* Bytes that were reported as sent must not be followed by a FIN when they were not. */
	if (signet_tx_close(sk, ctx)) {
		reset = true;
		/* For whoever traces it: nobody can ask the socket any more. */
		signet_context_fail(sk, ctx, ENOMEM, SIGNET_REASON_NO_MEMORY, SIGNET_ALERT_NONE);
	}
	detach(sk, ctx);
	if (reset) {
		sock_set_flag(sk, SOCK_LINGER);
		sk->sk_lingertime = 0;
		timeout = 0;
	}
	release_sock(sk);
	signet_context_free(ctx);
	/* Last: this may drop the ULP's reference on the module. */
	base_close(sk, timeout);
}

static int signet_disconnect(struct sock *sk, int flags)
{
	struct signet_context *ctx = signet_context(sk);

	if (ctx->state == SIGNET_STATE_HANDSHAKE && !ctx->tx.tracked && !ctx->rx.tracked)
		signet_context_fail(sk, ctx, ECONNABORTED, SIGNET_REASON_RESET, SIGNET_ALERT_NONE);
	/* Keys belong to one connection; a failed connect() comes here too. */
	if (ctx->state != SIGNET_STATE_GATED || ctx->tx.cipher || ctx->rx.cipher)
		return -EOPNOTSUPP;
	if (!((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_SYN_SENT | TCPF_SYN_RECV)))
		return -EOPNOTSUPP;
	/* The next connection counts from elsewhere. */
	ctx->tx.tracked = false;
	ctx->rx.tracked = false;
	return ctx->base->prot->disconnect(sk, flags);
}

/*
 * A listener has TCP's struct proto: every connection request takes its listener's, and may outlive
 * the listener, and so this module, by minutes. What must not reach TCP on a listener goes through
 * struct proto_ops. Context: under the socket lock, before anybody can find the listener.
 */
static int signet_hash(struct sock *sk)
{
	struct signet_context *ctx = signet_context(sk);
	struct proto *own = sk->sk_prot;
	int err;

	if (sk->sk_state != TCP_LISTEN)
		return ctx->base->prot->hash(sk);
	WRITE_ONCE(sk->sk_prot, ctx->base->prot);
	err = sk->sk_prot->hash(sk);
	if (err)
		WRITE_ONCE(sk->sk_prot, own);
	return err;
}

/* Options that would let somebody put bytes into the stream, or take them out. */
static bool option_refused(const struct signet_context *ctx, int level, int option)
{
	if (level != SOL_TCP ||
	    (signet_context_tx_is_plain(ctx) && signet_context_rx_is_plain(ctx)))
		return false;
	switch (option) {
	case TCP_REPAIR:
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
	case TCP_FASTOPEN_CONNECT:
	case TCP_ZEROCOPY_RECEIVE:
		return true;
	default:
		return false;
	}
}

static int signet_setsockopt(struct sock *sk, int level, int option, sockptr_t value,
			     unsigned int len)
{
	struct signet_context *ctx = signet_context(sk);

	/* Several sockets share a spare one. */
	if (ctx->spare && (level == SOL_SIGNET || level == SOL_TLS))
		return -ctx->error;
	if (level == SOL_SIGNET)
		return signet_option_set(sk, option, value, len);
	if (level == SOL_TLS)
		return signet_tls_option_set(sk, option, value, len);
	if (option_refused(ctx, level, option))
		return -EOPNOTSUPP;
	return ctx->base->prot->setsockopt(sk, level, option, value, len);
}

static int signet_getsockopt(struct sock *sk, int level, int option, char __user *value,
			     int __user *len)
{
	struct signet_context *ctx = signet_context(sk);

	if (level == SOL_SIGNET)
		return signet_option_get(sk, option, value, len);
	if (level == SOL_TLS)
		return signet_tls_option_get(sk, option, value, len);
	if (option_refused(ctx, level, option))
		return -EOPNOTSUPP;
	return ctx->base->prot->getsockopt(sk, level, option, value, len);
}

static int signet_ioctl(struct sock *sk, int cmd, int *arg)
{
	struct signet_context *ctx = signet_context(sk);

	int err;

	if (cmd == SIOCOUTQ || cmd == SIOCOUTQNSD) {
		err = ctx->base->prot->ioctl(sk, cmd, arg);
		if (!err)
			*arg += READ_ONCE(ctx->tx.tail_len);
		return err;
	}
	if (cmd != SIOCINQ || signet_context_rx_is_plain(ctx))
		return ctx->base->prot->ioctl(sk, cmd, arg);
	lock_sock(sk);
	*arg = min_t(unsigned int, signet_rx_inq(sk, ctx, INT_MAX), INT_MAX);
	release_sock(sk);
	return 0;
}

/* --- calls of struct proto_ops ---------------------------------------------- */

/* A listener that was shut down becomes a client: see signet_hash(). */
static void stop_being_listener(struct sock *sk, struct signet_context *ctx)
{
	lock_sock(sk);
	if (sk->sk_state == TCP_CLOSE && sk->sk_prot == ctx->base->prot) {
		/* Requests that took it for a listener may still be in the making. */
		synchronize_rcu();
		WRITE_ONCE(sk->sk_prot, &find_base(ctx->base->prot)->prot);
	}
	release_sock(sk);
}

static int signet_connect(struct socket *sock, SIGNET_SOCKADDR *address, int len, int flags)
{
	struct sock *sk = sock->sk;
	struct signet_context *ctx = signet_context(sk);

	if (unlikely(READ_ONCE(sk->sk_prot) == ctx->base->prot))
		stop_being_listener(sk, ctx);
	return ctx->base->ops->connect(sock, address, len, flags);
}

static int signet_ops_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	sock_rps_record_flow(sock->sk);
	return signet_sendmsg(sock->sk, msg, len);
}

static int signet_ops_setsockopt(struct socket *sock, int level, int option, sockptr_t value,
				 unsigned int len)
{
	return signet_setsockopt(sock->sk, level, option, value, len);
}

static int signet_ops_getsockopt(struct socket *sock, int level, int option, char __user *value,
				 int __user *len)
{
	return signet_getsockopt(sock->sk, level, option, value, len);
}

/* What ended the handshake while nobody had the socket's lock. */
static void note_end_of_handshake(struct sock *sk, struct signet_context *ctx)
{
	if (likely(READ_ONCE(ctx->state) != SIGNET_STATE_HANDSHAKE) ||
	    !signet_handshake_is_over(sk, ctx))
		return;
	lock_sock(sk);
	signet_handshake_check(sk, ctx);
	release_sock(sk);
}

static __poll_t signet_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	/* Registers the caller, so everything below may look without a race. */
	__poll_t mask = tcp_poll(file, sock, wait);
	struct sock *sk = sock->sk;
	struct signet_context *ctx = signet_context(sk);

	/* A listener's are connections. */
	if (sk->sk_state == TCP_LISTEN)
		return mask;
	note_end_of_handshake(sk, ctx);
	if (!signet_context_rx_is_plain(ctx)) {
		/* TCP counts ciphertext. */
		if (!signet_rx_poll(sk, ctx))
			mask &= ~(EPOLLIN | EPOLLRDNORM);
		else
			mask |= EPOLLIN | EPOLLRDNORM;
	}

	if (signet_tx_has_tail(&ctx->tx) ||
	    (ctx->gated && READ_ONCE(ctx->tx.state) == SIGNET_DIRECTION_UNKEYED))
		mask &= ~(EPOLLOUT | EPOLLWRNORM);
	if (READ_ONCE(ctx->rx.state) == SIGNET_DIRECTION_CLOSED)
		mask |= EPOLLRDHUP;
	if (READ_ONCE(ctx->tx.state) == SIGNET_DIRECTION_CLOSED)
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (READ_ONCE(ctx->error))
		mask |= EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static int signet_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct signet_context *ctx = signet_context(sk);
	bool connected = false;
	int err = 0;

	if (how == SHUT_WR || how == SHUT_RDWR) {
		lock_sock(sk);
		connected = signet_tx_tcp_can_send(sk);
		err = signet_tx_close(sk, ctx);
		release_sock(sk);
	}
	/* Without close_notify no FIN: the caller may try again. */
	if (err)
		return err;
	err = ctx->base->ops->shutdown(sock, how);
	/* A peer that had closed already has answered close_notify with a reset. */
	return err == -ENOTCONN && connected ? 0 : err;
}

/* --- the tables ------------------------------------------------------------- */

static void make_prot(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->close = signet_close;
	prot->disconnect = signet_disconnect;
	prot->hash = signet_hash;
	prot->setsockopt = signet_setsockopt;
	prot->getsockopt = signet_getsockopt;
	prot->ioctl = signet_ioctl;
	prot->sendmsg = signet_sendmsg;
	prot->recvmsg = signet_recvmsg;
	prot->splice_eof = signet_splice_eof;
	/* sockmap takes no socket without it. */
#ifdef CONFIG_BPF_SYSCALL
	prot->psock_update_sk_prot = NULL;
#endif
}

static void make_ops(struct proto_ops *ops, const struct proto_ops *base)
{
	*ops = *base;
	ops->connect = signet_connect;
	ops->accept = signet_accept;
	ops->sendmsg = signet_ops_sendmsg;
	ops->setsockopt = signet_ops_setsockopt;
	ops->getsockopt = signet_ops_getsockopt;
	ops->poll = signet_poll;
	ops->shutdown = signet_shutdown;
	ops->splice_read = signet_splice_read;
	ops->read_sock = signet_read_sock;
	ops->read_skb = NULL;
	ops->sendmsg_locked = signet_sendmsg_locked;
	ops->mmap = sock_no_mmap;
	ops->set_rcvlowat = signet_set_rcvlowat;
	ops->peek_len = NULL;
	/* SO_PEEK_OFF is refused. */
	ops->set_peek_off = NULL;
}

static void copy_base(struct signet_base *base, const struct sock *sk)
{
	base->prot = sk->sk_prot;
	base->ops = sk->sk_socket->ops;
	base->data_ready = sk->sk_data_ready;
	base->write_space = sk->sk_write_space;
	base->state_change = sk->sk_state_change;
	base->error_report = sk->sk_error_report;
}

/* Somebody in the kernel may have put callbacks of his own before TCP's. */
static bool has_callbacks_of(const struct sock *sk, const struct signet_base *base)
{
	return sk->sk_data_ready == base->data_ready && sk->sk_write_space == base->write_space &&
	       sk->sk_state_change == base->state_change &&
	       sk->sk_error_report == base->error_report;
}

/* Return: 0 or -ENOMEM. */
static int set_base(struct signet_context *ctx, const struct family_calls *use,
		    const struct sock *sk)
{
	struct signet_base *own;

	ctx->base = &use->base;
	if (has_callbacks_of(sk, &use->base))
		return 0;
	own = kmalloc(sizeof(*own), GFP_KERNEL_ACCOUNT);
	if (!own)
		return -ENOMEM;
	copy_base(own, sk);
	ctx->base = own;
	ctx->base_is_own = true;
	return 0;
}

/* TCP's tables for IPv6 are not exported in every kernel: a socket has them. */
static int make_calls(struct family_calls *to, int family)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err;
	copy_base(&to->base, sock->sk);
	make_prot(&to->prot, to->base.prot);
	make_ops(&to->ops, to->base.ops);
	signet_context_init_spare(&to->spare);
	to->spare.base = &to->base;
	sock_release(sock);
	return 0;
}

/* The tables by the address family. */
static struct family_calls *find_family(const struct sock *sk)
{
	return sk->sk_family == AF_INET ? &calls[0] : &calls[1];
}

static struct family_calls *find_calls(const struct sock *sk)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].base.prot && sk->sk_prot == calls[i].base.prot &&
		    sk->sk_socket->ops == calls[i].base.ops)
			return &calls[i];
	}
	return NULL;
}

/* --- the ULP ---------------------------------------------------------------- */

/* As upstream: in the clear at first, so other calls may go on meanwhile. */
static int check_attach_tls(struct sock *sk)
{
	int err = 0;

	if (sk->sk_state != TCP_ESTABLISHED)
		return -ENOTCONN;
	/* sockmap; others in the kernel mark a socket as theirs before they use TLS. */
	rcu_read_lock();
	if (sk_psock(sk))
		err = -EINVAL;
	rcu_read_unlock();
	return sk->sk_socket ? err : -EINVAL;
}

/* A call that waits in accept() would not know of the attach. */
static bool somebody_accepts(struct sock *sk)
{
	wait_queue_head_t *queue = sk_sleep(sk);
	struct wait_queue_entry *entry;
	bool found = false;

	if (sk->sk_state != TCP_LISTEN || !queue)
		return false;
	spin_lock_bh(&queue->lock);
	list_for_each_entry(entry, &queue->head, entry)
		found |= entry->flags & WQ_FLAG_EXCLUSIVE;
	spin_unlock_bh(&queue->lock);
	return found;
}

static int check_attach(struct sock *sk)
{
	switch (sk->sk_state) {
	case TCP_SYN_SENT:
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_LISTEN:
		break;
	case TCP_CLOSE:
		if (sk->sk_socket && sk->sk_socket->state == SS_UNCONNECTED)
			break;
		fallthrough;
	default:
		return -ENOTCONN;
	}
	if (!sk->sk_socket)
		return -EINVAL;
	/* Somebody is inside TCP's calls, with a buffer in the clear. */
	if (sk->sk_write_pending || waitqueue_active(&sk->sk_lock.wq) || somebody_accepts(sk))
		return -EBUSY;
	/* In use by the kernel, sockmap for one. */
	if (sk->sk_user_data || inet_test_bit(DEFER_CONNECT, sk) || tcp_sk(sk)->repair)
		return -EBUSY;
	return 0;
}

/* Puts the module's calls before TCP's. */
static void put_in_place(struct sock *sk, struct signet_context *ctx, struct family_calls *use)
{
	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, ctx);
	/* Calls that start now, without the lock, must find the context. */
	smp_wmb();
	sk->sk_data_ready = signet_data_ready;
	sk->sk_write_space = signet_write_space;
	sk->sk_state_change = signet_state_change;
	sk->sk_error_report = signet_error_report;
	/* See signet_hash(). */
	if (sk->sk_state != TCP_LISTEN)
		WRITE_ONCE(sk->sk_prot, &use->prot);
	/* accept() takes the listener's. */
	if (sk->sk_socket)
		WRITE_ONCE(sk->sk_socket->ops, &use->ops);
	write_unlock_bh(&sk->sk_callback_lock);
}

static int attach(struct sock *sk, bool gated)
{
	struct signet_context *ctx;
	struct family_calls *use;

	use = find_calls(sk);
	if (!use)
		return -EOPNOTSUPP;
	ctx = signet_context_new(sk, gated, GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;

	if (set_base(ctx, use, sk)) {
		signet_context_free(ctx);
		return -ENOMEM;
	}
	if (gated && (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)) {
		signet_context_track_tx(sk, ctx);
		signet_context_track_rx(sk, ctx);
	}

	put_in_place(sk, ctx, use);

	/* __tcp_set_ulp() has just cleared it; this ULP's sendmsg takes MSG_ZEROCOPY. */
	set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	signet_count(ctx->ns, SIGNET_COUNT_ATTACHED);
	return 0;
}

/* Called with the socket lock held; __tcp_set_ulp() holds a reference on the module. */
static int signet_ulp_init(struct sock *sk)
{
	int err = check_attach(sk);

	return err ? err : attach(sk, true);
}

static int tls_ulp_init(struct sock *sk)
{
	int err = check_attach_tls(sk);

	return err ? err : attach(sk, false);
}

/* --- connections of a listener --------------------------------------------------- */

/* What a connection has from its listener, which others may be setting just now. */
static void inherit(struct signet_context *ctx, const struct signet_context *listener)
{
	rcu_assign_pointer(ctx->preferences, signet_preferences_share(listener));
	ctx->tx.policy = listener->tx.policy;
	ctx->tx.padding = READ_ONCE(listener->tx.padding);
	ctx->tx.padding_size = READ_ONCE(listener->tx.padding_size);
	ctx->tx.record_max = READ_ONCE(listener->tx.record_max);
	ctx->tx.adaptive = READ_ONCE(listener->tx.adaptive);
	ctx->rx.deliver_types = READ_ONCE(listener->rx.deliver_types);
}

/*
 * Attaches a connection of an attached listener. There is no way to refuse it here: without
 * memory it is FAILED. Context: as @gfp says.
 */
static void attach_child(struct sock *sk, const struct signet_context *listener,
			 struct family_calls *use, gfp_t gfp)
{
	struct signet_context *ctx = signet_context_new(sk, true, gfp);

	if (ctx) {
		/* As in any new socket: what it has now may be this module's, of the listener. */
		ctx->base = &use->base;
		rcu_read_lock();
		if (listener)
			inherit(ctx, listener);
		rcu_read_unlock();
		signet_count(ctx->ns, SIGNET_COUNT_ATTACHED);
	} else {
		ctx = &use->spare;
		WRITE_ONCE(sk->sk_err, ENOMEM);
		signet_count(signet_namespace(sock_net(sk)), SIGNET_COUNT_NO_MEMORY_CHILDREN);
	}
	put_in_place(sk, ctx, use);
	/* Given back by tcp_cleanup_ulp(). */
	__module_get(THIS_MODULE);
}

/* Context: softirq. The new socket is a copy of the listener, which may be closing. */
static void signet_ulp_clone(const struct request_sock *request, struct sock *sk, const gfp_t gfp)
{
	const struct signet_context *listener;

	rcu_read_lock();
	listener = rcu_dereference(inet_csk(sk)->icsk_ulp_data);
	attach_child(sk, listener, find_family(sk), gfp);
	rcu_read_unlock();
}

/* Asks for the handshake that the listener was told of. Context: under the socket lock. */
static void begin_accepted(struct sock *sk, struct signet_context *ctx)
{
	const struct signet_preferences *preferences;
	int err;

	preferences = rcu_dereference_protected(ctx->preferences, true);
	if (!preferences || !preferences->accept)
		return;
	err = signet_handshake_begin(sk, ctx, SIGNET_ROLE_SERVER, "");
	if (err == -ENOTCONN)
		err = -ECONNRESET;
	if (err)
		signet_context_fail(sk, ctx, -err, signet_handshake_reason(err), SIGNET_ALERT_NONE);
}

/* Not in struct proto's accept(): a helper would work on a socket without struct socket. */
static int signet_accept(struct socket *sock, struct socket *new, struct proto_accept_arg *argument)
{
	struct signet_context *listener = signet_context(sock->sk), *ctx;
	int err = listener->base->ops->accept(sock, new, argument);
	struct sock *child = new->sk;

	if (err)
		return err;
	lock_sock(child);
	/* It was connected before the listener was attached. */
	if (!inet_csk(child)->icsk_ulp_ops) {
		attach_child(child, listener, find_base(listener->base->prot), GFP_KERNEL);
		inet_csk(child)->icsk_ulp_ops = &signet_ulp_ops;
	}
	ctx = signet_context(child);
	if (!ctx->spare)
		begin_accepted(child, ctx);
	release_sock(child);
	return 0;
}

/* The socket goes without a close(), which would have detached. */
static void signet_ulp_release(struct sock *sk)
{
	struct signet_context *ctx = signet_context(sk);

	if (!ctx)
		return;
	detach(sk, ctx);
	signet_context_free(ctx);
}

static struct tcp_ulp_ops signet_ulp_ops __read_mostly = {
	.name = SIGNET_ULP_NAME,
	.owner = THIS_MODULE,
	.init = signet_ulp_init,
	.clone = signet_ulp_clone,
	.release = signet_ulp_release,
	.get_info = signet_diag_put,
	.get_info_size = signet_diag_size,
};

static struct tcp_ulp_ops tls_ulp_ops __read_mostly = {
	.name = "tls",
	.owner = THIS_MODULE,
	.init = tls_ulp_init,
	.release = signet_ulp_release,
	.get_info = signet_diag_put,
	.get_info_size = signet_diag_size,
};

static bool replace_tls;
module_param(replace_tls, bool, 0444);
MODULE_PARM_DESC(replace_tls, "Also be the ULP \"tls\", in place of the kernel's own module");

static int register_names(void)
{
	int err;

	err = tcp_register_ulp(&signet_ulp_ops);
	if (err || !replace_tls)
		return err;
	err = tcp_register_ulp(&tls_ulp_ops);
	if (err) {
		pr_err("replace_tls: the kernel's own tls module is loaded: unload it first (%d)\n",
		       err);
		tcp_unregister_ulp(&signet_ulp_ops);
		/* modprobe takes EEXIST for "is loaded already", and succeeds. */
		return -EBUSY;
	}
	return 0;
}

int signet_socket_init(void)
{
	int err;

	err = make_calls(&calls[0], AF_INET);
	if (err)
		return err;
	/* A kernel that was told not to speak IPv6 has no such sockets either. */
	err = make_calls(&calls[1], AF_INET6);
	if (err && err != -EAFNOSUPPORT)
		return err;
	return register_names();
}

void signet_socket_exit(void)
{
	if (replace_tls)
		tcp_unregister_ulp(&tls_ulp_ops);
	tcp_unregister_ulp(&signet_ulp_ops);
}
