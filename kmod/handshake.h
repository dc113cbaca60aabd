/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A handshake that a helper completes for a socket: from the option that asks for it
 * to its result.
 *
 * It has two sides. The socket refers to it while it lasts (struct signet_context's
 * handshake, changed under the socket lock); the helper's channel refers to it
 * until that is closed. Whichever side goes first, the other finds out: the socket's
 * end takes @sk away, the channel's fails the socket.
 */
#ifndef _SIGNET_HANDSHAKE_H
#define _SIGNET_HANDSHAKE_H

#include <linux/cred.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "context.h"

struct pid;
struct signet_preferences;
struct signet_upcall;

/**
 * struct signet_record_cursor - where in a record a stream of bytes is
 * @header:	of the record that is passing (RFC 8446 5.1)
 * @have:	bytes of @header that passed
 * @left:	bytes of its body that have not
 */
struct signet_record_cursor {
	u8 header[SIGNET_HEADER_LEN];
	u8 have;
	unsigned int left;
};

/**
 * struct signet_handshake - one
 * @references:	of the socket, the channel, and the timer while it is pending
 * @rcu:	for TCP's callbacks, which look without a lock
 * @node:	in the upcall's queue until a helper picks it up; under its lock
 * @upcall:	whose helpers are asked, with a reference; NULL before it is submitted
 * @may_wait:	it may wait for a helper that comes later
 * @wait:	the channel's readers, writers and pollers
 * @timer:	of the whole handshake
 * @lock:	protects @sk and @error
 * @sk:		socket, until it does not take part any more
 * @error:	errno that ended it, positive, or 0
 * @reason:	enum signet_reason that goes with an @error which the socket has not seen
 * @draining:	TCP's connection has ended, and the helper has yet to read what came
 *		before: an alert, maybe. Changed under the socket lock
 * @id:		number
 * @role:	enum signet_role
 * @preferences: what the application wants, or NULL
 * @deadline:	in jiffies
 * @uid:	who asked
 * @gid:	likewise
 * @pid:	likewise
 * @cgroup:	likewise
 * @comm:	likewise
 * @netns:	cookie of the socket's network namespace
 * @local:	address
 * @peer:	address
 * @read:	where reading from the channel is; under the socket lock
 * @written:	where writing is
 * @server_name: a client's
 */
struct signet_handshake {
	refcount_t references;
	struct rcu_head rcu;
	struct list_head node;
	struct signet_upcall *upcall;
	bool may_wait;
	wait_queue_head_t wait;
	struct timer_list timer;
	spinlock_t lock; /* sk, error */
	struct sock *sk;
	int error;
	u16 reason;
	bool draining;
	u64 id;
	u8 role;
	struct signet_preferences *preferences;
	unsigned long deadline;
	kuid_t uid;
	kgid_t gid;
	struct pid *pid;
	u64 cgroup;
	char comm[TASK_COMM_LEN];
	u64 netns;
	struct sockaddr_in6 local;
	struct sockaddr_in6 peer;
	struct signet_record_cursor read;
	struct signet_record_cursor written;
	char server_name[SIGNET_STRING_MAX + 1];
};

/*
 * 0 when a handshake can be asked for, -EALREADY, -EISCONN, -EOPNOTSUPP (attached as
 * "tls"), or the errno of the FAILED socket. Context: under the socket lock.
 */
int signet_handshake_may_begin(const struct signet_context *ctx);

/**
 * signet_handshake_begin - ask the helpers
 * @sk:		socket
 * @ctx:	its context
 * @role:	enum signet_role
 * @server_name: a client's; else ""
 *
 * In the name of the current task. Context: process, under the socket lock.
 * Return: 0, the socket is in HANDSHAKE; or as for SIGNET_BEGIN, and nothing has
 * changed.
 */
int signet_handshake_begin(struct sock *sk, struct signet_context *ctx, enum signet_role role,
			   const char *server_name);

/* Why signet_handshake_begin() failed with @err. */
enum signet_reason signet_handshake_reason(int err);

/**
 * signet_handshake_wait - wait for the end of the handshake, if there is one
 * @sk:		socket
 * @ctx:	its context
 * @timeo:	how long, in jiffies, and what is left of it
 *
 * Context: process, under the socket lock, which is dropped meanwhile.
 * Return: 0 when no handshake is under way any more, -EAGAIN, -EINTR or
 * -ERESTARTSYS, or the errno of the failed socket.
 */
int signet_handshake_wait(struct sock *sk, struct signet_context *ctx, long *timeo);

/*
 * Takes notice of what ended the handshake from outside: its time, its helpers, TCP.
 * Context: process, under the socket lock. Return: 0 or the errno of the failed socket.
 */
int signet_handshake_check(struct sock *sk, struct signet_context *ctx);

/* Is there anything for signet_handshake_check() to notice? Context: process. */
bool signet_handshake_is_over(const struct sock *sk, const struct signet_context *ctx);

/**
 * signet_handshake_detach - the socket takes no part in it any more
 * @ctx:	context
 * @error:	what the helper's next call gets, positive
 *
 * Context: process, under the socket lock. Does nothing without a handshake.
 */
void signet_handshake_detach(struct signet_context *ctx, int error);

/* Ends it from outside; both sides are woken to take notice. Context: any. */
void signet_handshake_interrupt(struct signet_handshake *handshake, int error,
				enum signet_reason reason);

/*
 * The socket, with a reference, or NULL and the errno, negative, of what ended it.
 * Context: any.
 */
struct sock *signet_handshake_socket(struct signet_handshake *handshake, int *error);

/* TCP's callbacks tell that something happened. Context: any. */
void signet_handshake_notify(const struct signet_context *ctx);

void signet_handshake_put(struct signet_handshake *handshake);

#endif /* _SIGNET_HANDSHAKE_H */
