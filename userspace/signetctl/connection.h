/* SPDX-License-Identifier: MIT */
/* A single connection, which belongs to some process. */
#ifndef SIGNETCTL_CONNECTION_H
#define SIGNETCTL_CONNECTION_H

#include <stdint.h>

/**
 * connection_rekey - have a connection change its keys
 * @local, @peer: its addresses, as /proc/net/signet has them
 * @flags:	enum signet_rekey_flags
 *
 * The socket is borrowed from a process that has it, of this network namespace.
 *
 * Return: 0, or a negative errno: EINVAL for what is no address, ESRCH when no process has such a
 * connection, EPERM when it is to be had with CAP_SYS_PTRACE only; or that of SIGNET_REKEY.
 */
int connection_rekey(const char *local, const char *peer, uint32_t flags);

#endif
