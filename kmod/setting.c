// SPDX-License-Identifier: GPL-2.0-only
#include "setting.h"

#include <linux/mm.h>
#include <linux/uaccess.h>

#include "cipher.h"
#include "tx.h"

/* Whatever an option holds. */
union setting {
	u32 number;
	struct signet_rekey_policy policy;
	struct signet_padding padding;
};

/* Bytes of the option's value, or 0 when it is none of these. */
static unsigned int setting_size(int option)
{
	switch (option) {
	case SIGNET_REKEY_POLICY:
		return sizeof(struct signet_rekey_policy);
	case SIGNET_PADDING:
		return sizeof(struct signet_padding);
	case SIGNET_RECORD_MAX:
	case SIGNET_ADAPTIVE_RECORDS:
	case SIGNET_RECORD_TYPES:
		return sizeof(u32);
	default:
		return 0;
	}
}

static int set_record_max(struct signet_tx *tx, u32 limit)
{
	u32 highest = SIGNET_CONTENT_MAX + 1;

	/* RFC 8449 4: there is no content type to count. */
	if (tx->cipher && !signet_suite_is_tls_1_3(tx->cipher->suite))
		highest--;
	if (limit && (limit < SIGNET_RECORD_MAX_LOWEST || limit > highest))
		return -EINVAL;
	if (signet_tx_has_open(tx))
		return -EBUSY;
	signet_tx_set_record_max(tx, limit);
	return 0;
}

static int set_padding(struct signet_tx *tx, const struct signet_padding *padding)
{
	if (padding->mode > SIGNET_PADDING_FIXED || padding->size > SIGNET_CONTENT_MAX ||
	    !padding->size == !!padding->mode)
		return -EINVAL;
	tx->padding = padding->mode;
	tx->padding_size = padding->size;
	return 0;
}

static int set_locked(struct signet_context *ctx, int option, const union setting *setting)
{
	switch (option) {
	case SIGNET_REKEY_POLICY:
		ctx->tx.policy = setting->policy;
		return 0;
	case SIGNET_PADDING:
		return set_padding(&ctx->tx, &setting->padding);
	case SIGNET_RECORD_MAX:
		return set_record_max(&ctx->tx, setting->number);
	}
	if (setting->number > 1)
		return -EINVAL;
	if (option == SIGNET_ADAPTIVE_RECORDS)
		ctx->tx.adaptive = setting->number;
	else
		ctx->rx.deliver_types = setting->number;
	return 0;
}

int signet_setting_set(struct sock *sk, int option, sockptr_t value, unsigned int len)
{
	struct signet_context *ctx = signet_context(sk);
	unsigned int size = setting_size(option);
	union setting setting;
	int err;

	if (!size)
		return -ENOPROTOOPT;
	if (len != size)
		return -EINVAL;
	if (copy_from_sockptr(&setting, value, size))
		return -EFAULT;
	lock_sock(sk);
	err = -ctx->error;
	if (!err)
		err = set_locked(ctx, option, &setting);
	release_sock(sk);
	return err;
}

static void get_locked(const struct signet_context *ctx, int option, union setting *setting)
{
	switch (option) {
	case SIGNET_REKEY_POLICY:
		setting->policy = ctx->tx.policy;
		break;
	case SIGNET_PADDING:
		setting->padding.mode = ctx->tx.padding;
		setting->padding.size = ctx->tx.padding_size;
		break;
	case SIGNET_RECORD_MAX:
		setting->number = ctx->tx.record_max;
		break;
	case SIGNET_ADAPTIVE_RECORDS:
		setting->number = ctx->tx.adaptive;
		break;
	case SIGNET_RECORD_TYPES:
		setting->number = ctx->rx.deliver_types;
		break;
	}
}

int signet_setting_get(struct sock *sk, int option, char __user *value, int __user *len)
{
	struct signet_context *ctx = signet_context(sk);
	int room, size = setting_size(option);
	union setting setting = {};

	if (!size)
		return -ENOPROTOOPT;
	if (get_user(room, len))
		return -EFAULT;
	if (room < size)
		return -EINVAL;
	lock_sock(sk);
	get_locked(ctx, option, &setting);
	release_sock(sk);
	return put_user(size, len) || copy_to_user(value, &setting, size) ? -EFAULT : 0;
}
