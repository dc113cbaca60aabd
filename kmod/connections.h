/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/net/signet: the attached sockets of a network namespace, one in a line.
 */
#ifndef _SIGNET_CONNECTIONS_H
#define _SIGNET_CONNECTIONS_H

struct net;

/* Return: 0 or -ENOMEM. */
int signet_connections_init(struct net *net);
void signet_connections_exit(struct net *net);

#endif /* _SIGNET_CONNECTIONS_H */
