/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sock_diag, and so `ss -tie`, shows of a socket.
 */
#ifndef _SIGNET_DIAG_H
#define _SIGNET_DIAG_H

#include "compat.h"

struct sk_buff;
struct sock;

/* struct tcp_ulp_ops' get_info and get_info_size. Context: any, without the socket lock. */
int signet_diag_put(SIGNET_DIAG_PUT_ARGS(sk, skb));
size_t signet_diag_size(SIGNET_DIAG_SIZE_ARGS(sk));

#endif /* _SIGNET_DIAG_H */
