/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a helper's handshake left with a connection: the peer's identity, what was
 * agreed upon, and what keying material is exported from.
 */
#ifndef _SIGNET_SESSION_H
#define _SIGNET_SESSION_H

#include <linux/rcupdate.h>
#include <linux/sockptr.h>
#include <linux/uidgid.h>

#include "uapi/linux/signet_helper.h"

struct signet_context;
struct signet_suite;
struct signet_upcall;
struct sock;

/**
 * struct signet_session - what came with a hand-over
 * @rcu:	for those who list connections
 * @upcall:	whose helper it was, with a reference
 * @suite:	cipher suite, which keying material is exported with
 * @uid:	who asked for the handshake
 * @netns:	cookie of the network namespace
 * @group:	IANA number of the key exchange group
 * @resumed:	an earlier session was
 * @exporter_len: bytes of @exporter
 * @resumption_len: bytes of @resumption
 * @chain_len:	bytes of @chain
 * @alpn_len:	bytes of @alpn
 * @exporter:	secret, or TLS 1.2's one value
 * @alpn:	protocol chosen
 * @server_name: the client asked for
 * @peer_name:	verified identity
 * @resumption:	goes back to the helper with each ticket
 * @chain:	the peer's certificates
 * @label:	of SIGNET_EXPORT, and context behind it; NULL for the default one
 * @label_len:	bytes of the label
 * @context_len: bytes of the context
 * @data:	what the pointers above point into, but for @label
 */
struct signet_session {
	struct rcu_head rcu;
	struct signet_upcall *upcall;
	const struct signet_suite *suite;
	kuid_t uid;
	u64 netns;
	u16 group;
	bool resumed;
	u8 exporter_len;
	u16 resumption_len;
	u16 alpn_len;
	u32 chain_len;
	u8 exporter[SIGNET_SECRET_MAX];
	u8 *alpn;
	char *server_name;
	char *peer_name;
	u8 *resumption;
	u8 *chain;
	u8 *label;
	u16 label_len;
	u16 context_len;
	u8 data[];
};

/**
 * signet_session_new - from a hand-over
 * @handover:	its fixed part
 * @more:	userspace's address of what follows
 *
 * Context: process.
 * Return: it, or an ERR_PTR: -EMSGSIZE, -EINVAL, -EFAULT, -ENOMEM.
 */
struct signet_session *signet_session_new(const struct signet_handover *handover,
					  const void __user *more);

/* No more is exported. NULL is fine. Context: under the socket lock. */
void signet_session_wipe(struct signet_session *session);

/* Wipes and frees after a grace period. NULL is fine. */
void signet_session_free(struct signet_session *session);

/* Gets SIGNET_ALPN, PEER, PEER_NAME, SERVER_NAME, EXPORT. Context: without the socket lock. */
int signet_session_get(struct sock *sk, int option, char __user *value, int __user *len, int room);

/* Sets SIGNET_EXPORT's label. Context: without the socket lock. */
int signet_session_set_label(struct sock *sk, sockptr_t value, unsigned int len);

#endif /* _SIGNET_SESSION_H */
