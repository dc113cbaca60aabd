// SPDX-License-Identifier: GPL-2.0-only
#include "tls_option.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <net/tls.h>

#include "cipher.h"
#include "compat.h"
#include "rx.h"
#include "tx.h"

/* The longest of upstream's structures. */
#define INFO_MAX sizeof(struct tls12_crypto_info_aes_gcm_256)

/* Upstream's smallest limit on a record, content type included. */
#define PAYLOAD_LIMIT_MIN 64

/**
 * struct tls_info - one of upstream's structures
 * @info:	its head, version 0 when there is none
 * @bytes:	all of it: head, IV, key, salt, sequence number
 */
union tls_info {
	struct tls_crypto_info info;
	u8 bytes[INFO_MAX];
};

/**
 * struct signet_tls_keys - what an application installed
 * @tx:		sending
 * @rx:		receiving
 */
struct signet_tls_keys {
	union tls_info tx;
	union tls_info rx;
};

/* Where the members of one of upstream's structures are; they have no padding. */
struct tls_layout {
	unsigned int iv;
	unsigned int iv_len;
	unsigned int key;
	unsigned int salt;
	unsigned int salt_len;
	unsigned int sequence;
	unsigned int size;
};

static struct tls_layout layout_of(const struct signet_suite *suite)
{
	struct tls_layout layout = { .iv = sizeof(struct tls_crypto_info) };

	layout.salt_len = suite->tls_salt_len;
	layout.iv_len = SIGNET_NONCE_LEN - layout.salt_len;
	layout.key = layout.iv + layout.iv_len;
	layout.salt = layout.key + suite->key_len;
	layout.sequence = layout.salt + layout.salt_len;
	layout.size = layout.sequence + sizeof(u64);
	return layout;
}

void signet_tls_keys_free(struct signet_tls_keys *keys)
{
	kfree_sensitive(keys);
}

/* --- TLS_TX, TLS_RX ---------------------------------------------------------- */

static struct signet_cipher *make_cipher(const union tls_info *info,
					 const struct signet_suite *suite)
{
	struct tls_layout layout = layout_of(suite);
	u64 sequence = get_unaligned_be64(info->bytes + layout.sequence), explicit_nonce = 0;
	struct signet_cipher *cipher;
	u8 nonce[SIGNET_NONCE_LEN];

	memcpy(nonce, info->bytes + layout.salt, layout.salt_len);
	memcpy(nonce + layout.salt_len, info->bytes + layout.iv, layout.iv_len);
	if (suite->explicit_nonce_len)
		explicit_nonce = get_unaligned_be64(info->bytes + layout.iv);
	cipher = signet_cipher_from_keys(suite, info->bytes + layout.key, nonce, sequence,
					 explicit_nonce);
	memzero_explicit(nonce, sizeof(nonce));
	return cipher;
}

/* Copies the option in. */
static int copy_info(union tls_info *info, const struct signet_suite **suite, sockptr_t value,
		     unsigned int len)
{
	if (sockptr_is_null(value) || len < sizeof(info->info))
		return -EINVAL;
	if (copy_from_sockptr(&info->info, value, sizeof(info->info)))
		return -EFAULT;
	*suite = signet_suite_find_tls(info->info.version, info->info.cipher_type);
	if (!*suite || len != layout_of(*suite).size)
		return -EINVAL;
	if (copy_from_sockptr_offset(info->bytes + sizeof(info->info), value, sizeof(info->info),
				     len - sizeof(info->info)))
		return -EFAULT;
	return 0;
}

/* May the keys be installed now? @old: those of the direction; @other: of the other one. */
static int check_install(struct sock *sk, struct signet_context *ctx, const union tls_info *new,
			 const union tls_info *old, const union tls_info *other)
{
	int err = signet_context_check(sk, ctx);

	if (err)
		return err;
	if (!signet_context_is_tls(ctx) && (ctx->tx.cipher || ctx->rx.cipher))
		return -EBUSY;
	/* Somebody is in the middle of sending in the clear. */
	if (signet_context_tx_is_plain(ctx) && sk->sk_write_pending)
		return -EBUSY;
	/* Upstream knows other keys in TLS 1.3 only, of the same kind. */
	if (old->info.version && old->info.version != TLS_1_3_VERSION)
		return -EBUSY;
	if (!old->info.version)
		old = other;
	if (old->info.version && (old->info.version != new->info.version ||
				  old->info.cipher_type != new->info.cipher_type))
		return -EINVAL;
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)))
		return -ENOTCONN;
	return 0;
}

/* Takes @cipher over on success. */
static int install_tx(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher)
{
	if (ctx->tx.state == SIGNET_DIRECTION_UNKEYED) {
		signet_tx_install(sk, ctx, cipher);
		return 0;
	}
	return signet_tx_replace_keys(sk, ctx, cipher);
}

static int install_rx(struct sock *sk, struct signet_context *ctx, struct signet_cipher *cipher)
{
	if (ctx->rx.state == SIGNET_DIRECTION_UNKEYED)
		signet_rx_install(sk, ctx, cipher, NULL, 0);
	else
		signet_rx_replace_keys(sk, ctx, cipher);
	return 0;
}

static int install(struct sock *sk, bool tx, const union tls_info *new,
		   struct signet_cipher *cipher)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_tls_keys *keys = ctx->tls_keys;
	int err;

	if (!keys)
		keys = kzalloc(sizeof(*keys), GFP_KERNEL_ACCOUNT);
	if (!keys)
		return -ENOMEM;
	ctx->tls_keys = keys;
	err = check_install(sk, ctx, new, tx ? &keys->tx : &keys->rx, tx ? &keys->rx : &keys->tx);
	if (err)
		return err;
	WRITE_ONCE(ctx->personality, SIGNET_PERSONALITY_TLS);
	err = tx ? install_tx(sk, ctx, cipher) : install_rx(sk, ctx, cipher);
	if (err)
		return err;
	if (tx)
		keys->tx = *new;
	else
		keys->rx = *new;
	/* Whoever polls has something to look at. */
	if (ctx->tx.state == SIGNET_DIRECTION_OPEN && ctx->rx.state == SIGNET_DIRECTION_OPEN)
		signet_context_set_state(sk, ctx, SIGNET_STATE_ESTABLISHED);
	else
		sk->sk_state_change(sk);
	return 0;
}

static int set_keys(struct sock *sk, bool tx, sockptr_t value, unsigned int len)
{
	const struct signet_suite *suite;
	struct signet_cipher *cipher;
	union tls_info info = {};
	int err;

	err = copy_info(&info, &suite, value, len);
	if (err)
		goto wipe_info;
	cipher = make_cipher(&info, suite);
	if (IS_ERR(cipher)) {
		err = PTR_ERR(cipher);
		goto wipe_info;
	}
	lock_sock(sk);
	err = signet_context(sk)->state == SIGNET_STATE_HANDSHAKE ? -EALREADY :
								    install(sk, tx, &info, cipher);
	release_sock(sk);
	if (err)
		signet_cipher_free(cipher);
wipe_info:
	memzero_explicit(&info, sizeof(info));
	return err;
}

/* What was installed, with IV and sequence number as they are now. */
static int current_info(const struct signet_context *ctx, bool tx, union tls_info *info,
			unsigned int *size)
{
	const struct signet_cipher *cipher = tx ? ctx->tx.cipher : ctx->rx.cipher;
	struct tls_layout layout;

	if (!ctx->tls_keys || !cipher)
		return -EBUSY;
	*info = tx ? ctx->tls_keys->tx : ctx->tls_keys->rx;
	if (!info->info.version)
		return -EBUSY;
	layout = layout_of(cipher->suite);
	if (cipher->suite->explicit_nonce_len)
		put_unaligned_be64(cipher->explicit_nonce, info->bytes + layout.iv);
	put_unaligned_be64(cipher->sequence, info->bytes + layout.sequence);
	*size = layout.size;
	return 0;
}

static int get_keys(struct sock *sk, bool tx, char __user *value, int len)
{
	struct signet_context *ctx = signet_context(sk);
	union tls_info info;
	unsigned int size;
	int err;

	if (len < (int)sizeof(info.info))
		return -EINVAL;
	lock_sock(sk);
	err = current_info(ctx, tx, &info, &size);
	release_sock(sk);
	if (!err && len != sizeof(info.info) && len != size)
		err = -EINVAL;
	if (!err && copy_to_user(value, &info, len))
		err = -EFAULT;
	memzero_explicit(&info, sizeof(info));
	return err;
}

/* --- the other options -------------------------------------------------------- */

static int copy_value(unsigned int *value, sockptr_t from, unsigned int len)
{
	if (sockptr_is_null(from) || len != sizeof(*value))
		return -EINVAL;
	if (copy_from_sockptr(value, from, sizeof(*value)))
		return -EFAULT;
	return *value > 1 ? -EINVAL : 0;
}

static int set_zerocopy(struct sock *sk, sockptr_t from, unsigned int len)
{
	struct signet_context *ctx = signet_context(sk);
	unsigned int value;
	int err = copy_value(&value, from, len);

	/* Data are always read once, into the record: nothing can change behind its back. */
	if (!err)
		WRITE_ONCE(ctx->tx.zerocopy_wanted, value);
	return err;
}

static int set_no_pad(struct sock *sk, sockptr_t from, unsigned int len)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_rx *rx = &ctx->rx;
	unsigned int value;
	int zero, err;

	if (len > sizeof(value)) {
		zero = check_zeroed_sockptr(from, sizeof(value), len - sizeof(value));
		if (zero <= 0)
			return zero ? zero : -EINVAL;
		len = sizeof(value);
	}
	err = copy_value(&value, from, len);
	if (err)
		return err;
	lock_sock(sk);
	if (rx->cipher && signet_suite_is_tls_1_3(rx->cipher->suite))
		rx->expect_no_pad = value;
	else
		err = -EINVAL;
	release_sock(sk);
	return err;
}

static int set_payload_max(struct sock *sk, sockptr_t from, unsigned int len)
{
	struct signet_tx *tx = &signet_context(sk)->tx;
	int lowest = PAYLOAD_LIMIT_MIN, err = 0;
	u16 value;

	if (sockptr_is_null(from) || len != sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, from, sizeof(value)))
		return -EFAULT;
	lock_sock(sk);
	if (tx->cipher && signet_suite_is_tls_1_3(tx->cipher->suite))
		lowest--;
	if (signet_tx_has_open(tx))
		err = -EBUSY;
	else if (value < lowest || value > SIGNET_CONTENT_MAX)
		err = -EINVAL;
	else
		tx->content_max = value;
	release_sock(sk);
	return err;
}

int signet_tls_option_set(struct sock *sk, int option, sockptr_t value, unsigned int len)
{
	switch (option) {
	case TLS_TX:
	case TLS_RX:
		return set_keys(sk, option == TLS_TX, value, len);
	case TLS_TX_ZEROCOPY_RO:
		return set_zerocopy(sk, value, len);
	case TLS_RX_EXPECT_NO_PAD:
		return set_no_pad(sk, value, len);
	case TLS_TX_MAX_PAYLOAD_LEN:
		return set_payload_max(sk, value, len);
	default:
		return -ENOPROTOOPT;
	}
}

/* Return: the option's value, or an errno. */
static int value_of(struct sock *sk, int option)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_rx *rx = &ctx->rx;
	int value;

	lock_sock(sk);
	switch (option) {
	case TLS_TX_ZEROCOPY_RO:
		value = ctx->tx.zerocopy_wanted;
		break;
	case TLS_RX_EXPECT_NO_PAD:
		value = -EINVAL;
		if (rx->cipher && signet_suite_is_tls_1_3(rx->cipher->suite))
			value = rx->expect_no_pad;
		break;
	case TLS_TX_MAX_PAYLOAD_LEN:
		value = ctx->tx.content_max;
		break;
	default:
		value = -ENOPROTOOPT;
		break;
	}
	release_sock(sk);
	return value;
}

int signet_tls_option_get(struct sock *sk, int option, char __user *to, int __user *len)
{
	int room, value, size = sizeof(value);
	u16 short_value;

	if (get_user(room, len))
		return -EFAULT;
	if (option == TLS_TX || option == TLS_RX)
		return get_keys(sk, option == TLS_TX, to, room);

	value = value_of(sk, option);
	if (value < 0)
		return value;
	if (option == TLS_TX_MAX_PAYLOAD_LEN)
		size = sizeof(short_value);
	if (room < size || (option == TLS_TX_ZEROCOPY_RO && room != size))
		return -EINVAL;
	short_value = value;
	if (copy_to_user(to, size == sizeof(value) ? (void *)&value : &short_value, size) ||
	    put_user(size, len))
		return -EFAULT;
	return 0;
}
