/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an application wants of a handshake: the options that it sets before.
 */
#ifndef _SIGNET_PREFERENCES_H
#define _SIGNET_PREFERENCES_H

#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sockptr.h>

#include "uapi/linux/signet.h"

struct signet_context;
struct sock;

/**
 * struct signet_preferences - of a socket; a listener's are shared with what it accepts
 * @references:	sockets and handshakes that refer to it; it never changes while in use
 * @rcu:	for softirq, which copies a listener's reference without its lock
 * @accept:	a listener's: ask for a handshake of each connection that is accepted
 * @client_auth: enum signet_client_auth
 * @min_version: 0 for none
 * @timeout_ms:	0 for net.signet.handshake_timeout
 * @pin_count:	how many of @pins there are
 * @alpn_len:	bytes of @alpn
 * @profile:	"" for none
 * @trust:	"" for none
 * @alpn:	as in RFC 7301 3.1
 * @pins:	SHA-256 digests
 */
struct signet_preferences {
	refcount_t references;
	struct rcu_head rcu;
	bool accept;
	u8 client_auth;
	u16 min_version;
	u32 timeout_ms;
	u8 pin_count;
	u8 alpn_len;
	char profile[SIGNET_STRING_MAX + 1];
	char trust[SIGNET_STRING_MAX + 1];
	u8 alpn[SIGNET_STRING_MAX];
	u8 pins[SIGNET_PINS_MAX][SIGNET_PIN_LEN];
};

/* Sets SIGNET_PROFILE to SIGNET_TIMEOUT. Context: without the socket lock. */
int signet_preferences_set(struct sock *sk, int option, sockptr_t value, unsigned int len);

/**
 * signet_preferences_copy - a copy of the socket's, to be changed and then published
 * @ctx:	context
 *
 * Connections that are about to be accepted may share the old ones.
 *
 * Context: process, under the socket lock.
 * Return: the copy, or NULL without memory.
 */
struct signet_preferences *signet_preferences_copy(const struct signet_context *ctx);

/* Puts them, or NULL, in the place of the old ones. Context: under the socket lock. */
void signet_preferences_publish(struct signet_context *ctx, struct signet_preferences *preferences);

/* The same ones for somebody else. Context: any, in an RCU section or under the lock. */
struct signet_preferences *signet_preferences_share(const struct signet_context *ctx);

/* Gives a reference back. NULL is fine. */
void signet_preferences_put(struct signet_preferences *preferences);

/*
 * Copies a text of @len bytes from @offset on, which may end with a NUL.
 * Return: 0, -EMSGSIZE, -EFAULT, or -EINVAL for a NUL within it.
 */
int signet_copy_text(char *text, sockptr_t value, unsigned int offset, unsigned int len);

#endif /* _SIGNET_PREFERENCES_H */
