/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket options at SOL_SIGNET.
 */
#ifndef _SIGNET_OPTION_H
#define _SIGNET_OPTION_H

#include <linux/sockptr.h>

#include "context.h"

/* Both are called without the socket lock; errors as in uapi/linux/signet.h. */
int signet_option_set(struct sock *sk, int option, sockptr_t value, unsigned int len);
int signet_option_get(struct sock *sk, int option, char __user *value, int __user *len);

#endif /* _SIGNET_OPTION_H */
