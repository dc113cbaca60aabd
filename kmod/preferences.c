// SPDX-License-Identifier: GPL-2.0-only
#include "preferences.h"

#include <linux/slab.h>
#include <linux/string.h>
#include <net/sock.h>

#include "context.h"
#include "handshake.h"

/* Whatever an option holds. */
union preference {
	u32 number;
	char text[SIGNET_STRING_MAX + 1];
	u8 bytes[SIGNET_STRING_MAX + 1];
};

static struct signet_preferences *preferences_of(const struct signet_context *ctx)
{
	return rcu_dereference_protected(ctx->preferences, true);
}

struct signet_preferences *signet_preferences_copy(const struct signet_context *ctx)
{
	const struct signet_preferences *old = preferences_of(ctx);
	struct signet_preferences *copy;

	copy = old ? kmemdup(old, sizeof(*old), GFP_KERNEL_ACCOUNT) :
		     kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (copy)
		refcount_set(&copy->references, 1);
	return copy;
}

void signet_preferences_publish(struct signet_context *ctx, struct signet_preferences *preferences)
{
	struct signet_preferences *old = preferences_of(ctx);

	rcu_assign_pointer(ctx->preferences, preferences);
	signet_preferences_put(old);
}

struct signet_preferences *signet_preferences_share(const struct signet_context *ctx)
{
	struct signet_preferences *shared;

	/* Whoever gave the last reference back has published others before. */
	do {
		shared = rcu_dereference_check(ctx->preferences, true);
	} while (shared && !refcount_inc_not_zero(&shared->references));
	return shared;
}

void signet_preferences_put(struct signet_preferences *preferences)
{
	if (preferences && refcount_dec_and_test(&preferences->references))
		kfree_rcu(preferences, rcu);
}

int signet_copy_text(char *text, sockptr_t value, unsigned int offset, unsigned int len)
{
	if (len > SIGNET_STRING_MAX + 1)
		return -EMSGSIZE;
	if (copy_from_sockptr_offset(text, value, offset, len))
		return -EFAULT;
	if (len && !text[len - 1])
		len--;
	else if (len > SIGNET_STRING_MAX)
		return -EMSGSIZE;
	if (memchr(text, '\0', len))
		return -EINVAL;
	text[len] = '\0';
	return 0;
}

/* Each protocol has a byte of length before it, and none is empty (RFC 7301 3.1). */
static bool is_protocol_list(const u8 *list, unsigned int len)
{
	unsigned int at = 0;

	while (at < len) {
		if (!list[at])
			return false;
		at += 1 + list[at];
	}
	return at == len;
}

static int set_number(struct signet_preferences *preferences, int option, u32 number)
{
	switch (option) {
	case SIGNET_MIN_VERSION:
		if (number != SIGNET_TLS_1_2 && number != SIGNET_TLS_1_3)
			return -EINVAL;
		preferences->min_version = number;
		return 0;
	case SIGNET_CLIENT_AUTH:
		if (number > SIGNET_CLIENT_AUTH_REQUIRED)
			return -EINVAL;
		preferences->client_auth = number;
		return 0;
	default:
		if (!number || number > SIGNET_TIMEOUT_MAX)
			return -EINVAL;
		preferences->timeout_ms = number;
		return 0;
	}
}

static int set_locked(struct signet_preferences *preferences, int option,
		      const union preference *value, unsigned int len)
{
	switch (option) {
	case SIGNET_PROFILE:
		memcpy(preferences->profile, value->text, sizeof(preferences->profile));
		return 0;
	case SIGNET_CA:
		memcpy(preferences->trust, value->text, sizeof(preferences->trust));
		return 0;
	case SIGNET_ALPN:
		if (!is_protocol_list(value->bytes, len))
			return -EINVAL;
		memcpy(preferences->alpn, value->bytes, len);
		preferences->alpn_len = len;
		return 0;
	case SIGNET_PIN:
		memcpy(preferences->pins, value->bytes, len);
		preferences->pin_count = len / SIGNET_PIN_LEN;
		return 0;
	default:
		return set_number(preferences, option, value->number);
	}
}

static int copy_value(union preference *to, int option, sockptr_t value, unsigned int len)
{
	switch (option) {
	case SIGNET_PROFILE:
	case SIGNET_CA:
		return signet_copy_text(to->text, value, 0, len);
	case SIGNET_ALPN:
		if (len > SIGNET_STRING_MAX)
			return -EMSGSIZE;
		break;
	case SIGNET_PIN:
		if (len % SIGNET_PIN_LEN || len > SIGNET_PINS_MAX * SIGNET_PIN_LEN)
			return -EINVAL;
		break;
	default:
		if (len != sizeof(to->number))
			return -EINVAL;
	}
	return copy_from_sockptr(to, value, len) ? -EFAULT : 0;
}

int signet_preferences_set(struct sock *sk, int option, sockptr_t value, unsigned int len)
{
	struct signet_context *ctx = signet_context(sk);
	struct signet_preferences *preferences;
	union preference *copy;
	int err;

	copy = kzalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	err = copy_value(copy, option, value, len);
	if (err)
		goto free_copy;
	lock_sock(sk);
	err = signet_handshake_may_begin(ctx);
	if (err)
		goto release;
	preferences = signet_preferences_copy(ctx);
	err = preferences ? set_locked(preferences, option, copy, len) : -ENOMEM;
	if (err)
		signet_preferences_put(preferences);
	else
		signet_preferences_publish(ctx, preferences);
release:
	release_sock(sk);
free_copy:
	kfree(copy);
	return err;
}
