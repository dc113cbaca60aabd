/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls that send: sendmsg, splice, in-kernel senders.
 */
#ifndef _SIGNET_SEND_H
#define _SIGNET_SEND_H

#include <linux/types.h>

struct msghdr;
struct sock;
struct socket;

/* struct proto's sendmsg, and proto_ops' sendmsg_locked. Context: process. */
int signet_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
int signet_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size);

/* struct proto's splice_eof: sendfile has no more data, so send what is open. */
void signet_splice_eof(struct socket *sock);

#endif /* _SIGNET_SEND_H */
