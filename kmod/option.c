// SPDX-License-Identifier: GPL-2.0-only
#include "option.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "cipher.h"
#include "handshake.h"
#include "install.h"
#include "key_update.h"
#include "preferences.h"
#include "rx.h"
#include "session.h"
#include "setting.h"
#include "suite.h"
#include "ticket.h"
#include "tx.h"

/* First versions of the structures: userspace may not bring less. */
#define CRYPTO_SIZE_V1 offsetofend(struct signet_crypto, secret)
#define KEYS_SIZE_V1 offsetofend(struct signet_keys, rx)
#define KEYS_SIZE_MAX 4096

static int install(struct sock *sk, struct signet_new_keys *new)
{
	struct signet_context *ctx = signet_context(sk);
	int err;

	lock_sock(sk);
	err = ctx->state == SIGNET_STATE_HANDSHAKE ? -EALREADY : signet_install(sk, ctx, new);
	release_sock(sk);
	return err;
}

static int set_direction(struct sock *sk, int option, sockptr_t value, unsigned int len)
{
	struct signet_crypto crypto;
	struct signet_new_keys new = {};
	int err;

	if (len < CRYPTO_SIZE_V1)
		return -EINVAL;
	if (len > KEYS_SIZE_MAX)
		return -E2BIG;
	err = signet_copy_struct(&crypto, sizeof(crypto), value, len);
	if (!err)
		err = signet_new_keys_cipher(&crypto, option == SIGNET_TX ? &new.tx : &new.rx);
	if (!err)
		err = install(sk, &new);
	memzero_explicit(&crypto, sizeof(crypto));
	signet_new_keys_free(&new);
	return err;
}

/* Copies the option in. */
static int copy_keys(struct signet_keys *keys, struct signet_new_keys *new, sockptr_t value,
		     unsigned int len)
{
	struct {
		__u32 size;
		__u32 leftover_len;
	} head;

	if (len < KEYS_SIZE_V1)
		return -EINVAL;
	if (copy_from_sockptr(&head, value, sizeof(head)))
		return -EFAULT;
	if (head.leftover_len > SIGNET_LEFTOVER_MAX)
		return -EMSGSIZE;
	if (head.size > KEYS_SIZE_MAX)
		return -E2BIG;
	if (head.size < KEYS_SIZE_V1 || (u64)head.size + head.leftover_len != len)
		return -EINVAL;

	new->leftover_len = head.leftover_len;
	if (head.leftover_len) {
		new->leftover = kvmalloc(head.leftover_len, GFP_KERNEL_ACCOUNT);
		if (!new->leftover)
			return -ENOMEM;
		if (copy_from_sockptr_offset(new->leftover, value, head.size, head.leftover_len))
			return -EFAULT;
	}
	return signet_copy_struct(keys, sizeof(*keys), value, head.size);
}

static int set_keys(struct sock *sk, sockptr_t value, unsigned int len)
{
	struct signet_keys *keys;
	struct signet_new_keys new = {};
	int err;

	keys = kzalloc(sizeof(*keys), GFP_KERNEL);
	if (!keys)
		return -ENOMEM;
	err = copy_keys(keys, &new, value, len);
	if (err)
		goto free_keys;
	err = signet_new_keys_fill(&new, keys);
	if (!err)
		err = install(sk, &new);
free_keys:
	signet_new_keys_free(&new);
	kfree_sensitive(keys);
	return err;
}

static int rekey(struct sock *sk, sockptr_t value, unsigned int len)
{
	struct signet_context *ctx = signet_context(sk);
	u32 flags;
	int err;

	if (len != sizeof(flags))
		return -EINVAL;
	if (copy_from_sockptr(&flags, value, sizeof(flags)))
		return -EFAULT;
	if (flags & ~SIGNET_REKEY_REQUEST_UPDATE)
		return -EINVAL;
	lock_sock(sk);
	err = signet_context_check(sk, ctx);
	if (!err)
		err = signet_key_update_request(sk, ctx, flags & SIGNET_REKEY_REQUEST_UPDATE);
	release_sock(sk);
	return err;
}

/* --- handshakes ---------------------------------------------------------------- */

static bool is_nonblocking(const struct sock *sk)
{
	const struct file *file = sk->sk_socket->file;

	return file && (file->f_flags & O_NONBLOCK);
}

/*
 * A server's text is its profile; a listener keeps it for what it accepts. Context: under
 * the socket lock.
 */
static int prepare_accept(struct signet_context *ctx, const char *profile)
{
	struct signet_preferences *preferences;
	int err = signet_handshake_may_begin(ctx);

	if (err)
		return err;
	preferences = signet_preferences_copy(ctx);
	if (!preferences)
		return -ENOMEM;
	preferences->accept = true;
	strscpy(preferences->profile, profile, sizeof(preferences->profile));
	signet_preferences_publish(ctx, preferences);
	return 0;
}

/*
 * Begins a handshake, or waits for the one that is under way: a call that a signal
 * interrupted is made again. Context: under the socket lock.
 */
static int begin_or_resume(struct sock *sk, struct signet_context *ctx, enum signet_role role,
			   const char *text, bool wait)
{
	int err = 0;

	if (ctx->state == SIGNET_STATE_HANDSHAKE)
		return wait && ctx->role == role ? 0 : -EALREADY;
	if (role == SIGNET_ROLE_SERVER) {
		err = prepare_accept(ctx, text);
		text = "";
	}
	return err ? err : signet_handshake_begin(sk, ctx, role, text);
}

/* Is SIGNET_ACCEPT about connections to come? */
static bool may_listen(const struct sock *sk, const struct signet_context *ctx)
{
	if (sk->sk_state == TCP_LISTEN)
		return true;
	return sk->sk_state == TCP_CLOSE && sk->sk_socket->state == SS_UNCONNECTED &&
	       ctx->state == SIGNET_STATE_GATED;
}

static int shake_hands(struct sock *sk, enum signet_role role, const char *text, bool wait)
{
	struct signet_context *ctx = signet_context(sk);
	long timeo = MAX_SCHEDULE_TIMEOUT;
	int err;

	lock_sock(sk);
	if (role == SIGNET_ROLE_SERVER && may_listen(sk, ctx)) {
		err = prepare_accept(ctx, text);
		goto release;
	}
	err = begin_or_resume(sk, ctx, role, text, wait);
	if (err)
		goto release;
	err = wait ? signet_handshake_wait(sk, ctx, &timeo) : -EINPROGRESS;
	/* Made again by the kernel, the call would find the connection established. */
	if (err == -ERESTARTSYS)
		err = -EINTR;
release:
	release_sock(sk);
	return err;
}

static int set_begin(struct sock *sk, int option, sockptr_t value, unsigned int len)
{
	bool wait = option != SIGNET_BEGIN && !is_nonblocking(sk);
	char text[SIGNET_STRING_MAX + 1];
	unsigned int offset = 0;
	u8 role;
	int err;

	if (option == SIGNET_BEGIN) {
		if (!len)
			return -EINVAL;
		if (copy_from_sockptr(&role, value, sizeof(role)))
			return -EFAULT;
		if (role != SIGNET_ROLE_CLIENT && role != SIGNET_ROLE_SERVER)
			return -EINVAL;
		offset = sizeof(role);
	} else {
		role = option == SIGNET_CONNECT ? SIGNET_ROLE_CLIENT : SIGNET_ROLE_SERVER;
	}
	err = signet_copy_text(text, value, offset, len - offset);
	return err ? err : shake_hands(sk, role, text, wait);
}

int signet_option_set(struct sock *sk, int option, sockptr_t value, unsigned int len)
{
	switch (option) {
	case SIGNET_CONNECT:
	case SIGNET_ACCEPT:
	case SIGNET_BEGIN:
		return set_begin(sk, option, value, len);
	case SIGNET_PROFILE:
	case SIGNET_ALPN:
	case SIGNET_MIN_VERSION:
	case SIGNET_CA:
	case SIGNET_CLIENT_AUTH:
	case SIGNET_PIN:
	case SIGNET_TIMEOUT:
		return signet_preferences_set(sk, option, value, len);
	case SIGNET_EXPORT:
		return signet_session_set_label(sk, value, len);
	case SIGNET_KEYS:
		return set_keys(sk, value, len);
	case SIGNET_TX:
	case SIGNET_RX:
		return set_direction(sk, option, value, len);
	case SIGNET_REKEY:
		return rekey(sk, value, len);
	default:
		return signet_setting_set(sk, option, value, len);
	}
}

/* With upstream's options a cipher is installed, which several suites of TLS 1.2 have. */
static u16 suite_number(const struct signet_context *ctx, const struct signet_cipher *cipher)
{
	if (signet_context_is_tls(ctx) && !signet_suite_is_tls_1_3(cipher->suite))
		return 0;
	return cipher->suite->number;
}

/* The first that ended something. */
static int error_of(const struct signet_context *ctx)
{
	if (ctx->error)
		return ctx->error;
	if (ctx->tx.error)
		return ctx->tx.error;
	return ctx->rx.error ? ctx->rx.error : ctx->tcp_error;
}

static void fill_info(const struct signet_context *ctx, struct signet_info *info)
{
	const struct signet_cipher *tx = ctx->tx.cipher, *rx = ctx->rx.cipher;

	*info = (struct signet_info){
		.state = ctx->state,
		.tx_state = ctx->tx.state,
		.rx_state = ctx->rx.state,
		.role = ctx->role,
		.alert_sent = ctx->alert_sent,
		.alert_received = ctx->alert_received,
		.error = error_of(ctx),
		.reason = ctx->reason,
		.tx_records = ctx->tx.records,
		.rx_records = ctx->rx.records,
		.tx_bytes = ctx->tx.bytes,
		.rx_bytes = ctx->rx.bytes,
		.rx_control = ctx->rx.control,
		.tx_unsent = ctx->tx.tail_len,
		.personality = ctx->personality,
		.tickets = ctx->rx.ticket_count,
		.tx_key_updates = ctx->tx.key_updates,
		.rx_key_updates = ctx->rx.key_updates,
		.rx_warnings = ctx->rx.warnings,
	};
	if (ctx->session) {
		info->group = ctx->session->group;
		info->flags = ctx->session->resumed ? SIGNET_INFO_RESUMED : 0;
	}
	if (tx) {
		info->version = tx->suite->version;
		info->tx_suite = suite_number(ctx, tx);
		info->tx_epoch = tx->epoch;
		info->tx_sequence = tx->sequence;
	}
	if (rx) {
		info->version = rx->suite->version;
		info->rx_suite = suite_number(ctx, rx);
		info->rx_epoch = rx->epoch;
		info->rx_sequence = rx->sequence;
	}
}

static const char *reason_text(unsigned int reason)
{
	switch (reason) {
#define REASON_CASE(name, number, text) \
	case number:                    \
		return text;
		SIGNET_REASONS(REASON_CASE)
#undef REASON_CASE
	default:
		return "unknown";
	}
}

/* Gives @size bytes, and says so. */
static int give(const void *value, unsigned int size, char __user *to, int __user *len)
{
	return put_user(size, len) || copy_to_user(to, value, size) ? -EFAULT : 0;
}

/* Nothing is lost when the ticket cannot be handed out. */
static int get_ticket(struct sock *sk, char __user *value, int __user *len, int room)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_ticket *ticket;
	int err = 0;

	lock_sock(sk);
	ticket = signet_ticket_take(&ctx->rx);
	release_sock(sk);
	if (!ticket)
		return -ENODATA;
	if (put_user(ticket->len, len))
		err = -EFAULT;
	else if (room < ticket->len)
		err = -EMSGSIZE;
	else if (copy_to_user(value, ticket->body, ticket->len))
		err = -EFAULT;
	if (!err) {
		kfree(ticket);
		return 0;
	}
	lock_sock(sk);
	signet_ticket_give_back(&ctx->rx, ticket);
	release_sock(sk);
	return err;
}

int signet_option_get(struct sock *sk, int option, char __user *value, int __user *len)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_info info;
	const char *text;
	int room;

	if (get_user(room, len))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	switch (option) {
	case SIGNET_TICKET:
		return get_ticket(sk, value, len, room);
	case SIGNET_ALPN:
	case SIGNET_PEER:
	case SIGNET_PEER_NAME:
	case SIGNET_SERVER_NAME:
	case SIGNET_EXPORT:
		return signet_session_get(sk, option, value, len, room);
	case SIGNET_INFO:
	case SIGNET_ERROR:
		break;
	default:
		return signet_setting_get(sk, option, value, len);
	}

	lock_sock(sk);
	fill_info(ctx, &info);
	text = ctx->text ?: reason_text(ctx->reason);
	release_sock(sk);

	if (option == SIGNET_ERROR)
		return give(text, min_t(unsigned int, room, strlen(text) + 1), value, len);
	info.size = min_t(unsigned int, room, sizeof(info));
	return give(&info, info.size, value, len);
}
