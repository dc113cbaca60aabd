// SPDX-License-Identifier: GPL-2.0-only
#include "upcall.h"

#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <net/net_namespace.h>

#include "handshake.h"
#include "namespace.h"
#include "session.h"
#include "ticket.h"

/* Tickets that wait for a helper, at most; each is of at most SIGNET_TICKET_MAX bytes. */
#define TICKETS_MAX 1024

struct signet_upcall *signet_upcall_new(void)
{
	struct signet_upcall *upcall = kzalloc(sizeof(*upcall), GFP_KERNEL_ACCOUNT);

	if (!upcall)
		return NULL;
	refcount_set(&upcall->references, 1);
	spin_lock_init(&upcall->lock);
	INIT_LIST_HEAD(&upcall->queue);
	INIT_LIST_HEAD(&upcall->helpers);
	INIT_LIST_HEAD(&upcall->tickets);
	xa_init(&upcall->users);
	return upcall;
}

void signet_upcall_put(struct signet_upcall *upcall)
{
	struct signet_ticket_for_helper *ticket;

	if (!upcall || !refcount_dec_and_test(&upcall->references))
		return;
	while ((ticket = signet_upcall_take_ticket(upcall)))
		signet_ticket_for_helper_free(ticket);
	xa_destroy(&upcall->users);
	kfree(upcall);
}

/* Everybody: who comes late finds nothing, as with accept(). */
static void wake_helpers(struct signet_upcall *upcall, __poll_t what)
{
	struct signet_helper *helper;

	list_for_each_entry(helper, &upcall->helpers, node)
		wake_up_interruptible_poll(&helper->wait, what);
}

void signet_upcall_kill(struct signet_upcall *upcall)
{
	spin_lock(&upcall->lock);
	WRITE_ONCE(upcall->dead, true);
	wake_helpers(upcall, EPOLLIN | EPOLLHUP);
	spin_unlock(&upcall->lock);
	signet_upcall_put(upcall);
}

/* --- users --------------------------------------------------------------------- */

/* Return: 0, -EDQUOT, -ENOMEM. */
static int charge(struct signet_upcall *upcall, kuid_t uid, unsigned long limit)
{
	unsigned long index = __kuid_val(uid), count;
	void *old, *seen = xa_load(&upcall->users, index);

	do {
		old = seen;
		count = old ? xa_to_value(old) : 0;
		if (count >= limit)
			return -EDQUOT;
		seen = xa_cmpxchg(&upcall->users, index, old, xa_mk_value(count + 1),
				  GFP_KERNEL_ACCOUNT);
		if (xa_is_err(seen))
			return xa_err(seen);
	} while (seen != old);
	return 0;
}

/* Never allocates: what is stored shrinks. */
static void uncharge(struct signet_upcall *upcall, kuid_t uid)
{
	unsigned long index = __kuid_val(uid), count;
	void *old, *seen = xa_load(&upcall->users, index);

	do {
		old = seen;
		count = xa_to_value(old) - 1;
		seen = xa_cmpxchg(&upcall->users, index, old, count ? xa_mk_value(count) : NULL,
				  GFP_KERNEL);
	} while (seen != old);
}

/* --- the queue ----------------------------------------------------------------- */

/* Return: 0 or -EUNATCH, when there is no helper and the handshake must not wait for one. */
static int enqueue(struct signet_upcall *upcall, struct signet_handshake *handshake, bool may_wait)
{
	int err = -EUNATCH;

	spin_lock(&upcall->lock);
	if (may_wait || !list_empty(&upcall->helpers)) {
		handshake->upcall = upcall;
		handshake->may_wait = may_wait;
		list_add_tail(&handshake->node, &upcall->queue);
		wake_helpers(upcall, EPOLLIN);
		err = 0;
	}
	spin_unlock(&upcall->lock);
	return err;
}

static int submit_to(struct signet_upcall *upcall, struct signet_handshake *handshake,
		     unsigned long limit, bool may_wait)
{
	int err = charge(upcall, handshake->uid, limit);

	if (err)
		return err;
	refcount_inc(&upcall->references);
	err = enqueue(upcall, handshake, may_wait);
	if (!err)
		return 0;
	uncharge(upcall, handshake->uid);
	signet_upcall_put(upcall);
	return err;
}

int signet_upcall_submit(struct signet_namespace *ns, struct signet_handshake *handshake)
{
	struct signet_namespace *initial = signet_namespace(&init_net);
	unsigned long limit = READ_ONCE(ns->defaults.requests_max);
	int err;

	err = submit_to(ns->upcall, handshake, limit, READ_ONCE(ns->defaults.helper_wait));
	if (err != -EUNATCH || ns == initial || !READ_ONCE(initial->defaults.fallback))
		return err;
	return submit_to(initial->upcall, handshake, READ_ONCE(initial->defaults.requests_max),
			 READ_ONCE(initial->defaults.helper_wait));
}

void signet_upcall_withdraw(struct signet_handshake *handshake)
{
	struct signet_upcall *upcall = handshake->upcall;

	if (!upcall)
		return;
	spin_lock(&upcall->lock);
	list_del_init(&handshake->node);
	spin_unlock(&upcall->lock);
	uncharge(upcall, handshake->uid);
	signet_upcall_put(upcall);
}

struct signet_handshake *signet_upcall_take(struct signet_upcall *upcall)
{
	struct signet_handshake *handshake, *next, *found = NULL;

	spin_lock(&upcall->lock);
	list_for_each_entry_safe(handshake, next, &upcall->queue, node) {
		list_del_init(&handshake->node);
		/* Its time may be over. */
		if (READ_ONCE(handshake->error))
			continue;
		/* The queue has none: the socket's is there while it is queued. */
		refcount_inc(&handshake->references);
		found = handshake;
		break;
	}
	spin_unlock(&upcall->lock);
	return found;
}

void signet_upcall_give_back(struct signet_upcall *upcall, struct signet_handshake *handshake)
{
	spin_lock(&upcall->lock);
	/* Whoever withdraws it takes it away from the socket first. */
	spin_lock_bh(&handshake->lock);
	if (handshake->sk) {
		list_add(&handshake->node, &upcall->queue);
		wake_helpers(upcall, EPOLLIN);
	}
	spin_unlock_bh(&handshake->lock);
	spin_unlock(&upcall->lock);
	signet_handshake_put(handshake);
}

/* --- helpers ------------------------------------------------------------------- */

int signet_upcall_join(struct signet_helper *helper)
{
	struct signet_upcall *upcall = helper->upcall;
	int err = 0;

	spin_lock(&upcall->lock);
	if (upcall->dead)
		err = -ENETDOWN;
	else
		list_add_tail(&helper->node, &upcall->helpers);
	spin_unlock(&upcall->lock);
	return err;
}

/* One that must not wait for the next helper, with a reference, or NULL. */
static struct signet_handshake *take_abandoned(struct signet_upcall *upcall)
{
	struct signet_handshake *handshake, *found = NULL;

	spin_lock(&upcall->lock);
	if (!list_empty(&upcall->helpers))
		goto unlock;
	list_for_each_entry(handshake, &upcall->queue, node) {
		if (handshake->may_wait)
			continue;
		list_del_init(&handshake->node);
		refcount_inc(&handshake->references);
		found = handshake;
		break;
	}
unlock:
	spin_unlock(&upcall->lock);
	return found;
}

void signet_upcall_leave(struct signet_helper *helper)
{
	struct signet_upcall *upcall = helper->upcall;
	struct signet_handshake *handshake;

	spin_lock(&upcall->lock);
	list_del_init(&helper->node);
	spin_unlock(&upcall->lock);
	while ((handshake = take_abandoned(upcall))) {
		signet_handshake_interrupt(handshake, EUNATCH, SIGNET_REASON_HELPER_GONE);
		signet_handshake_put(handshake);
	}
}

/* --- tickets ------------------------------------------------------------------- */

void signet_ticket_for_helper_free(struct signet_ticket_for_helper *ticket)
{
	if (ticket)
		kfree(ticket->ticket);
	kfree_sensitive(ticket);
}

void signet_upcall_queue_ticket(const struct signet_session *session, struct signet_ticket *ticket)
{
	struct signet_upcall *upcall = session->upcall;
	struct signet_ticket_for_helper *new, *oldest = NULL;

	new = kmalloc(struct_size(new, session, session->resumption_len), GFP_KERNEL_ACCOUNT);
	if (!new) {
		/* One ticket less: the next handshake is a full one. */
		kfree(ticket);
		return;
	}
	new->uid = session->uid;
	new->netns = session->netns;
	new->received_ms = ktime_to_ms(ktime_get_real());
	new->ticket = ticket;
	new->session_len = session->resumption_len;
	memcpy(new->session, session->resumption, session->resumption_len);

	spin_lock(&upcall->lock);
	if (upcall->ticket_count >= TICKETS_MAX) {
		oldest = list_first_entry(&upcall->tickets, struct signet_ticket_for_helper, node);
		list_del(&oldest->node);
		upcall->ticket_count--;
	}
	list_add_tail(&new->node, &upcall->tickets);
	upcall->ticket_count++;
	wake_helpers(upcall, EPOLLPRI);
	spin_unlock(&upcall->lock);
	signet_ticket_for_helper_free(oldest);
}

struct signet_ticket_for_helper *signet_upcall_take_ticket(struct signet_upcall *upcall)
{
	struct signet_ticket_for_helper *ticket;

	spin_lock(&upcall->lock);
	ticket = list_first_entry_or_null(&upcall->tickets, struct signet_ticket_for_helper, node);
	if (ticket) {
		list_del(&ticket->node);
		upcall->ticket_count--;
	}
	spin_unlock(&upcall->lock);
	return ticket;
}

void signet_upcall_give_back_ticket(struct signet_upcall *upcall,
				    struct signet_ticket_for_helper *ticket)
{
	spin_lock(&upcall->lock);
	list_add(&ticket->node, &upcall->tickets);
	upcall->ticket_count++;
	spin_unlock(&upcall->lock);
}
