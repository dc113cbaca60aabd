/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls that receive: recvmsg, splice, in-kernel readers.
 */
#ifndef _SIGNET_RECEIVE_H
#define _SIGNET_RECEIVE_H

#include <linux/types.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "compat.h"

struct msghdr;
struct pipe_inode_info;

/* struct proto's recvmsg. Context: process. */
int signet_recvmsg(SIGNET_RECVMSG_ARGS(sk, msg, len, flags));

/* struct proto_ops' splice_read. Context: process. */
ssize_t signet_splice_read(struct socket *sock, loff_t *position, struct pipe_inode_info *pipe,
			   size_t len, unsigned int flags);

/*
 * struct proto_ops' read_sock: offers each record to @actor, until it takes less than
 * it was offered or desc->count is 0.
 *
 * Context: process, under the socket lock.
 * Return: bytes taken, or an errno; 0 at the end of file and when there is nothing.
 */
int signet_read_sock(struct sock *sk, read_descriptor_t *desc, sk_read_actor_t actor);

#endif /* _SIGNET_RECEIVE_H */
