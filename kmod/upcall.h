/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The upcall: what waits for the helpers of a network namespace.
 */
#ifndef _SIGNET_UPCALL_H
#define _SIGNET_UPCALL_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct signet_handshake;
struct signet_namespace;
struct signet_session;
struct signet_ticket;

/**
 * struct signet_upcall - of one network namespace
 * @references:	of the namespace, its helpers, and what they work on
 * @lock:	protects the lists
 * @dead:	the network namespace is gone
 * @queue:	handshakes that nobody picked up yet
 * @helpers:	who serves it
 * @tickets:	what servers sent to clients, oldest first
 * @ticket_count: how many
 * @users:	handshakes under way, by user
 * @rekey_generation: raised to make every connection change its keys
 * @rekey_requests: the last raise wants the peers' keys changed too
 */
struct signet_upcall {
	refcount_t references;
	spinlock_t lock;
	bool dead;
	struct list_head queue;
	struct list_head helpers;
	struct list_head tickets;
	unsigned int ticket_count;
	struct xarray users;
	u32 rekey_generation;
	bool rekey_requests;
};

/**
 * struct signet_helper - an open device file
 * @node:	in @upcall's helpers
 * @upcall:	whom it serves
 * @wait:	who waits for requests and tickets
 */
struct signet_helper {
	struct list_head node;
	struct signet_upcall *upcall;
	wait_queue_head_t wait;
};

/**
 * struct signet_ticket_for_helper - a ticket on its way to a helper
 * @node:	in struct signet_upcall's tickets
 * @uid:	whose connection it is
 * @netns:	cookie of its network namespace
 * @received_ms: wall-clock time of its arrival, in milliseconds
 * @session_len: bytes of @session
 * @session:	what the helper gave for it; wiped when freed
 * @ticket:	the message
 */
struct signet_ticket_for_helper {
	struct list_head node;
	kuid_t uid;
	u64 netns;
	u64 received_ms;
	struct signet_ticket *ticket;
	unsigned int session_len;
	u8 session[];
};

struct signet_upcall *signet_upcall_new(void);
void signet_upcall_put(struct signet_upcall *upcall);

/* The network namespace goes. There are no sockets any more, but there may be helpers. */
void signet_upcall_kill(struct signet_upcall *upcall);

/**
 * signet_upcall_submit - let a helper pick a handshake up
 * @ns:		of the socket
 * @handshake:	not submitted before
 *
 * Context: process.
 * Return: 0, -EUNATCH, -EDQUOT, -ENOMEM.
 */
int signet_upcall_submit(struct signet_namespace *ns, struct signet_handshake *handshake);

/* It is over. Context: process. Does nothing when it was not submitted. */
void signet_upcall_withdraw(struct signet_handshake *handshake);

/* The oldest handshake in the queue, with a reference, or NULL. */
struct signet_handshake *signet_upcall_take(struct signet_upcall *upcall);

/* Puts it back to where it was, unless it is over. Gives the reference back. */
void signet_upcall_give_back(struct signet_upcall *upcall, struct signet_handshake *handshake);

/* A helper comes; -ENETDOWN when the network namespace is gone. */
int signet_upcall_join(struct signet_helper *helper);

/* It goes: what nobody else may pick up fails. */
void signet_upcall_leave(struct signet_helper *helper);

/*
 * Queues a ticket for the helper that completed the handshake; the oldest make room.
 * Takes it over. Context: process.
 */
void signet_upcall_queue_ticket(const struct signet_session *session, struct signet_ticket *ticket);

/* The oldest ticket, the caller's to give back or to free, or NULL. */
struct signet_ticket_for_helper *signet_upcall_take_ticket(struct signet_upcall *upcall);
void signet_upcall_give_back_ticket(struct signet_upcall *upcall,
				    struct signet_ticket_for_helper *ticket);
void signet_ticket_for_helper_free(struct signet_ticket_for_helper *ticket);

#endif /* _SIGNET_UPCALL_H */
