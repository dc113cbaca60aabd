/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ULP: attaching to a TCP socket, and the socket calls of an attached one.
 */
#ifndef _SIGNET_SOCKET_H
#define _SIGNET_SOCKET_H

/* Makes the tables of calls and registers the ULP; errors of its parts. */
int signet_socket_init(void);
void signet_socket_exit(void);

#endif /* _SIGNET_SOCKET_H */
