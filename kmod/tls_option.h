/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket options of the kernel's own TLS, at SOL_TLS (linux/tls.h).
 */
#ifndef _SIGNET_TLS_OPTION_H
#define _SIGNET_TLS_OPTION_H

#include <linux/sockptr.h>

#include "context.h"

/*
 * Both are called without the socket lock. Values and errors are upstream's
 * (net/tls/tls_main.c); besides, EBUSY when the socket has keys of SOL_SIGNET, and
 * the stored errno of a FAILED socket.
 */
int signet_tls_option_set(struct sock *sk, int option, sockptr_t value, unsigned int len);
int signet_tls_option_get(struct sock *sk, int option, char __user *value, int __user *len);

/* Wipes and frees; NULL is fine. */
void signet_tls_keys_free(struct signet_tls_keys *keys);

#endif /* _SIGNET_TLS_OPTION_H */
