/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of SOL_SIGNET that shape a socket's records and can be read back.
 */
#ifndef _SIGNET_SETTING_H
#define _SIGNET_SETTING_H

#include <linux/sockptr.h>

#include "context.h"

/*
 * Both are called without the socket lock. -ENOPROTOOPT: not one of these options;
 * else as in uapi/linux/signet.h.
 */
int signet_setting_set(struct sock *sk, int option, sockptr_t value, unsigned int len);
int signet_setting_get(struct sock *sk, int option, char __user *value, int __user *len);

#endif /* _SIGNET_SETTING_H */
