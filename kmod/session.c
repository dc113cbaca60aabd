// SPDX-License-Identifier: GPL-2.0-only
#include "session.h"

#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <net/sock.h>

#include "cipher.h"
#include "context.h"
#include "key_schedule.h"
#include "suite.h"
#include "upcall.h"

/* RFC 9266 4.2. */
static const u8 channel_binding_label[] = "EXPORTER-Channel-Binding";
#define TLS_EXPORTER_LEN 32

/* --- making one ------------------------------------------------------------------ */

static int check_lengths(const struct signet_handover *handover)
{
	if (handover->alpn_len > SIGNET_STRING_MAX ||
	    handover->server_name_len > SIGNET_STRING_MAX ||
	    handover->peer_name_len > SIGNET_STRING_MAX ||
	    handover->session_len > SIGNET_SESSION_MAX || handover->chain_len > SIGNET_CHAIN_MAX ||
	    handover->exporter_len > SIGNET_SECRET_MAX)
		return -EMSGSIZE;
	return handover->flags & ~SIGNET_HANDOVER_RESUMED ? -EINVAL : 0;
}

/* Takes the next @len bytes of the data, and a NUL behind them. */
static void *next_part(struct signet_session *session, const u8 *from, size_t *at, size_t *to,
		       size_t len)
{
	u8 *part = session->data + *to;

	memcpy(part, from + *at, len);
	part[len] = '\0';
	*at += len;
	*to += len + 1;
	return part;
}

static void fill(struct signet_session *session, const struct signet_handover *handover,
		 const u8 *more)
{
	size_t at = 0, to = 0;

	session->group = handover->group;
	session->resumed = handover->flags & SIGNET_HANDOVER_RESUMED;
	session->exporter_len = handover->exporter_len;
	memcpy(session->exporter, handover->exporter, handover->exporter_len);
	session->alpn_len = handover->alpn_len;
	session->alpn = next_part(session, more, &at, &to, handover->alpn_len);
	session->server_name = next_part(session, more, &at, &to, handover->server_name_len);
	session->peer_name = next_part(session, more, &at, &to, handover->peer_name_len);
	session->resumption_len = handover->session_len;
	session->resumption = next_part(session, more, &at, &to, handover->session_len);
	session->chain_len = handover->chain_len;
	session->chain = next_part(session, more, &at, &to, handover->chain_len);
}

struct signet_session *signet_session_new(const struct signet_handover *handover,
					  const void __user *more)
{
	struct signet_session *session;
	size_t len;
	u8 *copy;
	int err = check_lengths(handover);

	if (err)
		return ERR_PTR(err);
	len = (size_t)handover->alpn_len + handover->server_name_len + handover->peer_name_len +
	      handover->session_len + handover->chain_len;
	copy = kmalloc(len ?: 1, GFP_KERNEL);
	/* Five parts, a NUL behind each. */
	session = kzalloc(struct_size(session, data, len + 5), GFP_KERNEL_ACCOUNT);
	if (!copy || !session) {
		err = -ENOMEM;
		goto free;
	}
	if (copy_from_user(copy, more, len)) {
		err = -EFAULT;
		goto free;
	}
	fill(session, handover, copy);
	kfree_sensitive(copy);
	return session;

free:
	kfree(session);
	kfree_sensitive(copy);
	return ERR_PTR(err);
}

void signet_session_wipe(struct signet_session *session)
{
	if (!session)
		return;
	memzero_explicit(session->exporter, sizeof(session->exporter));
	session->exporter_len = 0;
	memzero_explicit(session->resumption, session->resumption_len);
	session->resumption_len = 0;
}

void signet_session_free(struct signet_session *session)
{
	if (!session)
		return;
	signet_session_wipe(session);
	kfree(session->label);
	signet_upcall_put(session->upcall);
	kfree_rcu(session, rcu);
}

/* --- reading out ----------------------------------------------------------------- */

/* Gives all of it, or nothing and the length that is needed. */
static int give_all(const void *value, unsigned int size, char __user *to, int __user *len,
		    int room)
{
	if (put_user(size, len))
		return -EFAULT;
	if (room < size)
		return -EMSGSIZE;
	return copy_to_user(to, value, size) ? -EFAULT : 0;
}

static int get_part(const struct signet_session *session, int option, char __user *value,
		    int __user *len, int room)
{
	const void *part;
	unsigned int size;

	switch (option) {
	case SIGNET_ALPN:
		part = session->alpn;
		size = session->alpn_len;
		break;
	case SIGNET_SERVER_NAME:
		part = session->server_name;
		size = strlen(session->server_name);
		break;
	case SIGNET_PEER_NAME:
		part = session->peer_name;
		size = strlen(session->peer_name);
		break;
	default:
		part = session->chain;
		size = session->chain_len;
		break;
	}
	return size ? give_all(part, size, value, len, room) : -ENODATA;
}

int signet_session_set_label(struct sock *sk, sockptr_t value, unsigned int len)
{
	struct signet_context *ctx = signet_context(sk);
	unsigned int label_len;
	u8 *label, *old;
	int err = 0;

	if (!len || len > SIGNET_EXPORT_MAX)
		return len ? -EMSGSIZE : -EINVAL;
	label = memdup_sockptr(value, len);
	if (IS_ERR(label))
		return PTR_ERR(label);
	label_len = strnlen(label, len);
	if (!label_len || label_len > SIGNET_LABEL_MAX) {
		kfree(label);
		return -EINVAL;
	}

	old = label;
	lock_sock(sk);
	if (!ctx->session) {
		err = -ENOTCONN;
	} else if (!signet_suite_is_tls_1_3(ctx->session->suite)) {
		err = -EOPNOTSUPP;
	} else {
		old = ctx->session->label;
		ctx->session->label = label;
		ctx->session->label_len = label_len;
		ctx->session->context_len = len > label_len ? len - label_len - 1 : 0;
	}
	release_sock(sk);
	kfree(old);
	return err;
}

/* Fills @out with @len bytes of keying material. Context: under the socket lock. */
static int export(const struct signet_context *ctx, u8 *out, unsigned int len)
{
	const struct signet_session *session = ctx->session;
	struct signet_exporter exporter = {
		.secret = session->exporter,
		.label = channel_binding_label,
		.label_len = sizeof(channel_binding_label) - 1,
	};

	if (!session->exporter_len)
		return -ENODATA;
	if (!signet_suite_is_tls_1_3(session->suite)) {
		if (len != TLS_EXPORTER_LEN || session->exporter_len != TLS_EXPORTER_LEN)
			return -EOPNOTSUPP;
		memcpy(out, session->exporter, len);
		return 0;
	}
	if (session->label) {
		exporter.label = session->label;
		exporter.label_len = session->label_len;
		exporter.context = session->label + session->label_len + 1;
		exporter.context_len = session->context_len;
	}
	return signet_derive_exported(session->suite, &exporter, out, len);
}

static int get_exported(struct sock *sk, char __user *value, int __user *len, int room)
{
	struct signet_context *ctx = signet_context(sk);
	u8 *out;
	int err;

	if (!room)
		return -EINVAL;
	room = min(room, SIGNET_EXPORT_MAX);
	out = kmalloc(room, GFP_KERNEL);
	if (!out)
		return -ENOMEM;
	lock_sock(sk);
	err = ctx->session ? export(ctx, out, room) : -ENOTCONN;
	release_sock(sk);
	if (!err)
		err = give_all(out, room, value, len, room);
	kfree_sensitive(out);
	return err;
}

int signet_session_get(struct sock *sk, int option, char __user *value, int __user *len, int room)
{
	struct signet_context *ctx = signet_context(sk);
	const struct signet_session *session;

	if (option == SIGNET_EXPORT)
		return get_exported(sk, value, len, room);
	/* With its state; from then on it stays as long as the socket, which the caller has. */
	lock_sock(sk);
	session = ctx->session;
	release_sock(sk);
	return session ? get_part(session, option, value, len, room) : -ENOTCONN;
}
