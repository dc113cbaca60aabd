/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows kernel versions: 6.12, and 7.x.
 */
#ifndef _SIGNET_COMPAT_H
#define _SIGNET_COMPAT_H

#include <crypto/aead.h>
#include <linux/err.h>
#include <linux/kmod.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/tls.h>
#include <linux/version.h>

/*
 * Nothing asks for the processor's own ciphers by the internal names below, so
 * their modules may not be loaded yet.
 */
static inline void signet_compat_load_ciphers(void)
{
	request_module("crypto-aes");
}

/*
 * In 6.12, "gcm(aes)" is a wrapper that may turn asynchronous, and asking for a
 * synchronous one by its flags gets a template many times slower; the internal
 * algorithm behind the wrapper is synchronous and fast, for process context.
 * 7.x has no wrapper.
 */
static inline struct crypto_aead *signet_compat_alloc_sync_aead(const char *name)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
	if (!strcmp(name, "gcm(aes)")) {
		struct crypto_aead *aead;

		aead = crypto_alloc_aead("__gcm(aes)", CRYPTO_ALG_INTERNAL,
					 CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC);
		if (!IS_ERR(aead) || PTR_ERR(aead) != -ENOENT)
			return aead;
	}
#endif
	return crypto_alloc_aead(name, 0, CRYPTO_ALG_ASYNC);
}

/* The kernel's own options, as of 7.x. */
#ifndef TLS_TX_MAX_PAYLOAD_LEN
#define TLS_TX_MAX_PAYLOAD_LEN 5
#endif

/* proto.recvmsg lost its address length in 7.x. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define SIGNET_RECVMSG_ARGS(sk, msg, len, flags) \
	struct sock *sk, struct msghdr *msg, size_t len, int flags, int *addr_len
#define SIGNET_RECVMSG_PASS(sk, msg, len, flags) sk, msg, len, flags, addr_len
#else
#define SIGNET_RECVMSG_ARGS(sk, msg, len, flags) \
	struct sock *sk, struct msghdr *msg, size_t len, int flags
#define SIGNET_RECVMSG_PASS(sk, msg, len, flags) sk, msg, len, flags
#endif

/* proto_ops.connect's address has another type in 7.x. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define SIGNET_SOCKADDR struct sockaddr
#else
#define SIGNET_SOCKADDR struct sockaddr_unsized
#endif

/* tcp_ulp_ops learned who asks in 7.x. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define SIGNET_DIAG_PUT_ARGS(sk, skb) struct sock *sk, struct sk_buff *skb
#define SIGNET_DIAG_SIZE_ARGS(sk) const struct sock *sk
#else
#define SIGNET_DIAG_PUT_ARGS(sk, skb) struct sock *sk, struct sk_buff *skb, bool net_admin
#define SIGNET_DIAG_SIZE_ARGS(sk) const struct sock *sk, bool net_admin
#endif

/* A notification for MSG_ZEROCOPY of its own, or NULL. 7.x knows device memory. */
static inline struct ubuf_info *signet_compat_zerocopy_alloc(struct sock *sk, size_t size)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
	return msg_zerocopy_realloc(sk, size, NULL);
#else
	return msg_zerocopy_realloc(sk, size, NULL, false);
#endif
}

#endif /* _SIGNET_COMPAT_H */
