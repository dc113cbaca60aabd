// SPDX-License-Identifier: GPL-2.0-only
#include "option.h"

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "cipher.h"
#include "key_update.h"
#include "rx.h"
#include "setting.h"
#include "suite.h"
#include "ticket.h"
#include "tx.h"

/* First versions of the structures: userspace may not bring less. */
#define CRYPTO_SIZE_V1 offsetofend(struct signet_crypto, secret)
#define KEYS_SIZE_V1 offsetofend(struct signet_keys, rx)
#define KEYS_SIZE_MAX 4096

/**
 * struct new_keys - everything an install needs, made before it begins
 * @role:	enum signet_role
 * @tx:		sending keys, or NULL for none
 * @rx:		receiving keys, or NULL for none
 * @leftover:	ciphertext that comes first, or NULL
 * @leftover_len: its length
 */
struct new_keys {
	u8 role;
	struct signet_cipher *tx;
	struct signet_cipher *rx;
	u8 *leftover;
	unsigned int leftover_len;
};

static void free_new_keys(struct new_keys *new)
{
	signet_cipher_free(new->tx);
	signet_cipher_free(new->rx);
	kvfree(new->leftover);
}

/*
 * A structure that is shorter or longer than the kernel's, as the conventions in
 * uapi/linux/signet.h say. Not copy_struct_from_sockptr(): in 6.12 it does not
 * look behind the kernel's size.
 */
static int copy_struct(void *to, size_t size, sockptr_t from, size_t given)
{
	int zero;

	if (given > size) {
		zero = check_zeroed_sockptr(from, size, given - size);
		if (zero <= 0)
			return zero ? zero : -E2BIG;
	}
	memset(to, 0, size);
	return copy_from_sockptr(to, from, min(size, given)) ? -EFAULT : 0;
}

static int make_cipher(const struct signet_crypto *crypto, struct signet_cipher **cipher)
{
	struct signet_cipher *made = signet_cipher_new(crypto);

	if (IS_ERR(made))
		return PTR_ERR(made);
	*cipher = made;
	return 0;
}

static u16 version_of(const struct signet_cipher *cipher)
{
	return cipher ? cipher->suite->version : 0;
}

static int check_install(struct sock *sk, struct signet_context *ctx, const struct new_keys *new)
{
	int err = signet_context_check(sk, ctx);

	if (err)
		return err;
	if (signet_context_is_tls(ctx) && (ctx->tx.cipher || ctx->rx.cipher))
		return -EBUSY;
	/* Somebody is in the middle of sending in the clear. */
	if (signet_context_tx_is_plain(ctx) && sk->sk_write_pending)
		return -EBUSY;
	if ((new->tx && ctx->tx.state != SIGNET_DIRECTION_UNKEYED) ||
	    (new->rx && ctx->rx.state != SIGNET_DIRECTION_UNKEYED))
		return -EBUSY;
	/* One handshake agrees on one version for both. */
	if (version_of(new->tx ?: ctx->tx.cipher) && version_of(new->rx ?: ctx->rx.cipher) &&
	    version_of(new->tx ?: ctx->tx.cipher) != version_of(new->rx ?: ctx->rx.cipher))
		return -EINVAL;
	/* The peer may have sent everything, and its FIN, before the keys are here. */
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)))
		return -ENOTCONN;
	return 0;
}

/* All or nothing. Takes the keys over on success. */
static int install(struct sock *sk, struct new_keys *new)
{
	struct signet_context *ctx = signet_context(sk);
	int err;

	lock_sock(sk);
	err = check_install(sk, ctx, new);
	if (err)
		goto release;
	WRITE_ONCE(ctx->personality, SIGNET_PERSONALITY_SIGNET);
	WRITE_ONCE(ctx->gated, true);
	if (new->role != SIGNET_ROLE_UNKNOWN)
		ctx->role = new->role;
	if (new->tx)
		signet_tx_install(sk, ctx, new->tx);
	if (new->rx)
		signet_rx_install(sk, ctx, new->rx, new->leftover, new->leftover_len);
	memset(new, 0, sizeof(*new));
	/* Whoever polls has something to look at. */
	if (ctx->tx.state == SIGNET_DIRECTION_OPEN && ctx->rx.state == SIGNET_DIRECTION_OPEN)
		signet_context_set_state(sk, ctx, SIGNET_STATE_ESTABLISHED);
	else
		sk->sk_state_change(sk);
release:
	release_sock(sk);
	return err;
}

static int set_direction(struct sock *sk, int option, sockptr_t value, unsigned int len)
{
	struct signet_crypto crypto;
	struct new_keys new = {};
	int err;

	if (len < CRYPTO_SIZE_V1)
		return -EINVAL;
	if (len > KEYS_SIZE_MAX)
		return -E2BIG;
	err = copy_struct(&crypto, sizeof(crypto), value, len);
	if (!err)
		err = make_cipher(&crypto, option == SIGNET_TX ? &new.tx : &new.rx);
	if (!err)
		err = install(sk, &new);
	memzero_explicit(&crypto, sizeof(crypto));
	free_new_keys(&new);
	return err;
}

/* Copies the option in. */
static int copy_keys(struct signet_keys *keys, struct new_keys *new, sockptr_t value,
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
	return copy_struct(keys, sizeof(*keys), value, head.size);
}

static int set_keys(struct sock *sk, sockptr_t value, unsigned int len)
{
	struct signet_keys *keys;
	struct new_keys new = {};
	int err;

	keys = kzalloc(sizeof(*keys), GFP_KERNEL);
	if (!keys)
		return -ENOMEM;
	err = copy_keys(keys, &new, value, len);
	if (err)
		goto free_keys;
	if (keys->role > SIGNET_ROLE_SERVER ||
	    memchr_inv(keys->reserved, 0, sizeof(keys->reserved))) {
		err = -EINVAL;
		goto free_keys;
	}
	new.role = keys->role;
	err = make_cipher(&keys->tx, &new.tx);
	if (!err)
		err = make_cipher(&keys->rx, &new.rx);
	if (!err)
		err = install(sk, &new);
free_keys:
	free_new_keys(&new);
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

int signet_option_set(struct sock *sk, int option, sockptr_t value, unsigned int len)
{
	switch (option) {
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
	if (option == SIGNET_TICKET)
		return get_ticket(sk, value, len, room);
	if (option != SIGNET_INFO && option != SIGNET_ERROR)
		return signet_setting_get(sk, option, value, len);

	lock_sock(sk);
	fill_info(ctx, &info);
	text = reason_text(ctx->reason);
	release_sock(sk);

	if (option == SIGNET_ERROR)
		return give(text, min_t(unsigned int, room, strlen(text) + 1), value, len);
	info.size = min_t(unsigned int, room, sizeof(info));
	return give(&info, info.size, value, len);
}
