// SPDX-License-Identifier: GPL-2.0-only
#include "handshake.h"

#include <linux/cgroup.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "ciphertext.h"
#include "namespace.h"
#include "preferences.h"
#include "upcall.h"

static struct signet_handshake *handshake_of(const struct signet_context *ctx)
{
	return rcu_dereference_protected(ctx->handshake, true);
}

void signet_handshake_put(struct signet_handshake *handshake)
{
	if (!refcount_dec_and_test(&handshake->references))
		return;
	put_pid(handshake->pid);
	signet_preferences_put(handshake->preferences);
	kfree_rcu(handshake, rcu);
}

/* --- both sides ---------------------------------------------------------------- */

struct sock *signet_handshake_socket(struct signet_handshake *handshake, int *error)
{
	struct sock *sk;

	spin_lock_bh(&handshake->lock);
	sk = handshake->error ? NULL : handshake->sk;
	*error = -handshake->error;
	if (sk)
		sock_hold(sk);
	spin_unlock_bh(&handshake->lock);
	return sk;
}

/* Not by sk_state_change(): without the socket's lock the module may just be detached. */
static void wake_socket(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_all(&wq->wait);
	rcu_read_unlock();
}

void signet_handshake_interrupt(struct signet_handshake *handshake, int error,
				enum signet_reason reason)
{
	struct sock *sk;

	spin_lock_bh(&handshake->lock);
	if (!handshake->error) {
		handshake->error = error;
		handshake->reason = reason;
	}
	sk = handshake->sk;
	if (sk)
		sock_hold(sk);
	spin_unlock_bh(&handshake->lock);
	wake_up_interruptible_poll(&handshake->wait, EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP);
	if (!sk)
		return;
	wake_socket(sk);
	sock_put(sk);
}

void signet_handshake_notify(const struct signet_context *ctx)
{
	struct signet_handshake *handshake;

	if (likely(!rcu_access_pointer(ctx->handshake)))
		return;
	rcu_read_lock();
	handshake = rcu_dereference(ctx->handshake);
	if (handshake)
		wake_up_interruptible_poll(&handshake->wait, EPOLLIN | EPOLLOUT);
	rcu_read_unlock();
}

static void expire(struct timer_list *timer)
{
	struct signet_handshake *handshake = container_of(timer, struct signet_handshake, timer);

	signet_handshake_interrupt(handshake, ETIMEDOUT, SIGNET_REASON_HANDSHAKE_TIME);
	signet_handshake_put(handshake);
}

/* --- the beginning --------------------------------------------------------------- */

int signet_handshake_may_begin(const struct signet_context *ctx)
{
	if (ctx->error)
		return -ctx->error;
	if (!ctx->gated)
		return -EOPNOTSUPP;
	if (ctx->state == SIGNET_STATE_HANDSHAKE)
		return -EALREADY;
	if (ctx->tx.state != SIGNET_DIRECTION_UNKEYED || ctx->rx.state != SIGNET_DIRECTION_UNKEYED)
		return -EISCONN;
	return 0;
}

enum signet_reason signet_handshake_reason(int err)
{
	switch (err) {
	case -EUNATCH:
		return SIGNET_REASON_NO_HELPER;
	case -EDQUOT:
		return SIGNET_REASON_QUOTA;
	case -ENOMEM:
		return SIGNET_REASON_NO_MEMORY;
	default:
		return SIGNET_REASON_RESET;
	}
}

/* As getsockname() and getpeername() give them. */
static void copy_addresses(struct signet_handshake *handshake, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (sk->sk_family == AF_INET) {
		*(struct sockaddr_in *)&handshake->local = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = inet->inet_sport,
			.sin_addr.s_addr = inet->inet_saddr,
		};
		*(struct sockaddr_in *)&handshake->peer = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = inet->inet_dport,
			.sin_addr.s_addr = inet->inet_daddr,
		};
		return;
	}
#if IS_ENABLED(CONFIG_IPV6)
	handshake->local = (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = inet->inet_sport,
		.sin6_addr = sk->sk_v6_rcv_saddr,
	};
	handshake->peer = (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = inet->inet_dport,
		.sin6_addr = sk->sk_v6_daddr,
		.sin6_scope_id = ipv6_iface_scope_id(&sk->sk_v6_daddr, sk->sk_bound_dev_if),
	};
#endif
}

static void describe_task(struct signet_handshake *handshake)
{
	handshake->uid = current_euid();
	handshake->gid = current_egid();
	handshake->pid = get_pid(task_tgid(current));
	get_task_comm(handshake->comm, current);
#ifdef CONFIG_CGROUPS
	rcu_read_lock();
	handshake->cgroup = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
#endif
}

static atomic64_t last_id;

static struct signet_handshake *new_handshake(struct sock *sk, struct signet_context *ctx)
{
	struct signet_handshake *handshake;
	u32 timeout_ms = 0;

	handshake = kzalloc(sizeof(*handshake), GFP_KERNEL_ACCOUNT);
	if (!handshake)
		return NULL;
	refcount_set(&handshake->references, 1);
	INIT_LIST_HEAD(&handshake->node);
	init_waitqueue_head(&handshake->wait);
	timer_setup(&handshake->timer, expire, 0);
	spin_lock_init(&handshake->lock);
	handshake->id = atomic64_inc_return(&last_id);
	sock_hold(sk);
	handshake->sk = sk;
	handshake->preferences = signet_preferences_share(ctx);
	if (handshake->preferences)
		timeout_ms = handshake->preferences->timeout_ms;
	if (!timeout_ms)
		timeout_ms = READ_ONCE(ctx->ns->defaults.handshake_timeout);
	handshake->deadline = jiffies + msecs_to_jiffies(timeout_ms);
	handshake->netns = sock_net(sk)->net_cookie;
	describe_task(handshake);
	copy_addresses(handshake, sk);
	return handshake;
}

int signet_handshake_begin(struct sock *sk, struct signet_context *ctx, enum signet_role role,
			   const char *server_name)
{
	struct signet_handshake *handshake;
	int err = signet_handshake_may_begin(ctx);

	if (err)
		return err;
	if (!((1 << sk->sk_state) &
	      (TCPF_SYN_SENT | TCPF_SYN_RECV | TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)))
		return -ENOTCONN;
	handshake = new_handshake(sk, ctx);
	if (!handshake)
		return -ENOMEM;
	handshake->role = role;
	strscpy(handshake->server_name, server_name, sizeof(handshake->server_name));
	if (role == SIGNET_ROLE_CLIENT && !*server_name &&
	    !(handshake->preferences && handshake->preferences->pin_count)) {
		err = -EINVAL;
		goto put_socket;
	}

	rcu_assign_pointer(ctx->handshake, handshake);
	ctx->role = role;
	signet_context_set_state(sk, ctx, SIGNET_STATE_HANDSHAKE);
	/* From here on a helper may have it, and its time runs. */
	refcount_inc(&handshake->references);
	mod_timer(&handshake->timer, handshake->deadline);
	err = signet_upcall_submit(ctx->ns, handshake);
	if (!err) {
		ctx->reason = SIGNET_REASON_NONE;
		signet_count(ctx->ns, SIGNET_COUNT_HANDSHAKES);
		return 0;
	}
	/* For SIGNET_ERROR; the socket may try again. */
	ctx->reason = signet_handshake_reason(err);

	signet_handshake_detach(ctx, -err);
	ctx->role = SIGNET_ROLE_UNKNOWN;
	signet_context_set_state(sk, ctx, SIGNET_STATE_GATED);
	return err;

put_socket:
	sock_put(sk);
	signet_handshake_put(handshake);
	return err;
}

/* --- the socket's side ------------------------------------------------------------- */

void signet_handshake_detach(struct signet_context *ctx, int error)
{
	struct signet_handshake *handshake = handshake_of(ctx);
	struct sock *sk;

	if (!handshake)
		return;
	RCU_INIT_POINTER(ctx->handshake, NULL);
	spin_lock_bh(&handshake->lock);
	sk = handshake->sk;
	handshake->sk = NULL;
	handshake->error = error;
	spin_unlock_bh(&handshake->lock);
	/* After that: nobody puts it back into the queue now. */
	signet_upcall_withdraw(handshake);
	wake_up_interruptible_poll(&handshake->wait, EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP);
	/* It may be running: nothing of it may be left when the module can go. */
	if (timer_delete_sync(&handshake->timer))
		signet_handshake_put(handshake);
	/* Not the last: the caller has the socket. */
	sock_put(sk);
	signet_handshake_put(handshake);
}

static bool tcp_has_ended(const struct sock *sk)
{
	return READ_ONCE(sk->sk_err) || READ_ONCE(sk->sk_state) == TCP_CLOSE;
}

bool signet_handshake_is_over(const struct sock *sk, const struct signet_context *ctx)
{
	struct signet_handshake *handshake;
	bool over;

	if (READ_ONCE(ctx->state) != SIGNET_STATE_HANDSHAKE)
		return true;
	rcu_read_lock();
	handshake = rcu_dereference(ctx->handshake);
	over = !handshake || READ_ONCE(handshake->error) ||
	       (tcp_has_ended(sk) && !READ_ONCE(handshake->draining));
	rcu_read_unlock();
	return over;
}

int signet_handshake_check(struct sock *sk, struct signet_context *ctx)
{
	struct signet_handshake *handshake = handshake_of(ctx);
	bool draining;
	int err;

	if (ctx->state != SIGNET_STATE_HANDSHAKE)
		return -ctx->error;
	if (handshake->error)
		return signet_context_fail(sk, ctx, handshake->error, handshake->reason,
					   SIGNET_ALERT_NONE);
	/* Waits, as connect() does, for TCP's own; with fast open a server may have to, too. */
	if ((1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV))
		return 0;
	draining = tcp_has_ended(sk) && list_empty(&handshake->node) &&
		   signet_ciphertext_len(sk, &ctx->rx);
	WRITE_ONCE(handshake->draining, draining);
	if (draining)
		return 0;
	err = signet_context_tcp_error(sk, ctx);
	if (err && ctx->tcp_error)
		return signet_context_fail(sk, ctx, -err, SIGNET_REASON_RESET, SIGNET_ALERT_NONE);
	return err;
}

int signet_handshake_wait(struct sock *sk, struct signet_context *ctx, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err;

	while (ctx->state == SIGNET_STATE_HANDSHAKE) {
		err = signet_handshake_check(sk, ctx);
		if (err)
			return err;
		if (!*timeo)
			return -EAGAIN;
		if (signal_pending(current))
			return sock_intr_errno(*timeo);
		add_wait_queue(sk_sleep(sk), &wait);
		sk_wait_event(sk, timeo, signet_handshake_is_over(sk, ctx), &wait);
		remove_wait_queue(sk_sleep(sk), &wait);
	}
	return -ctx->error;
}
