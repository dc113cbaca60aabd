// SPDX-License-Identifier: GPL-3.0-or-later
#include "ticket.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/aes.h>

#include "config.h"
#include "secret.h"
#include "transport.h"

#define KEY 32
/* Of AES-GCM, out of the room that wolfSSL's format has. */
#define NONCE 12
#define TAG 16

/* Of our own: the one that seals, and the one before, whose tickets may live on. */
#define OWN_KEYS 2

struct ticket_key {
	unsigned char name[SIGNET_TICKET_NAME];
	unsigned char key[KEY];
};

_Static_assert(sizeof(struct ticket_key) == SIGNET_TICKET_KEY_SIZE, "keys are given as they are");

/**
 * struct signet_ticket_keys - in memory for secrets
 * @lock:	over all the rest
 * @keys:	newest first
 * @count:	of @keys
 * @given:	by the application, which changes them
 * @born:	when the first was made, in signet_transport_now()'s time
 */
struct signet_ticket_keys {
	pthread_mutex_t lock;
	struct ticket_key keys[SIGNET_TICKET_KEYS_MAX];
	unsigned int count;
	bool given;
	int64_t born;
};

static int fill_random(void *bytes, size_t size)
{
	return getrandom(bytes, size, 0) == (ssize_t)size ? 0 : -EIO;
}

int signet_ticket_key_new(void *key)
{
	return fill_random(key, SIGNET_TICKET_KEY_SIZE);
}

struct signet_ticket_keys *signet_ticket_keys_new(void)
{
	struct signet_ticket_keys *keys = signet_secret_alloc(sizeof(*keys));

	if (!keys)
		return NULL;
	/* A server that forks: its children take each other's tickets. */
	signet_secret_inherit(keys, sizeof(*keys));
	pthread_mutex_init(&keys->lock, NULL);
	return keys;
}

void signet_ticket_keys_free(struct signet_ticket_keys *keys)
{
	if (!keys)
		return;
	pthread_mutex_destroy(&keys->lock);
	signet_secret_free(keys, sizeof(*keys));
}

int signet_ticket_keys_set(struct signet_ticket_keys *keys, const void *blob, size_t size)
{
	size_t count = size / SIGNET_TICKET_KEY_SIZE;

	if (!blob || !count || count > SIGNET_TICKET_KEYS_MAX || size % SIGNET_TICKET_KEY_SIZE)
		return -EINVAL;
	pthread_mutex_lock(&keys->lock);
	signet_secret_lock(keys, sizeof(*keys));
	explicit_bzero(keys->keys, sizeof(keys->keys));
	memcpy(keys->keys, blob, size);
	keys->count = count;
	keys->given = true;
	pthread_mutex_unlock(&keys->lock);
	return 0;
}

/* A key of our own is made when it is first needed, and again after each lifetime of a ticket. */
static int renew(struct signet_ticket_keys *keys, unsigned int lifetime)
{
	int64_t now = signet_transport_now();
	struct ticket_key key;
	int ret;

	if (keys->given || (keys->count && now - keys->born < lifetime * INT64_C(1000)))
		return 0;
	ret = fill_random(&key, sizeof(key));
	if (ret)
		return ret;
	signet_secret_lock(keys, sizeof(*keys));
	memmove(&keys->keys[1], &keys->keys[0], (OWN_KEYS - 1) * sizeof(key));
	keys->keys[0] = key;
	explicit_bzero(&key, sizeof(key));
	if (keys->count < OWN_KEYS)
		keys->count++;
	keys->born = now;
	return 0;
}

static int crypt_one(const struct ticket_key *key, const struct signet_ticket *ticket, bool seal)
{
	unsigned char bound[SIGNET_TICKET_NAME + SIGNET_BINDING_SIZE];
	Aes aes;
	int ret;

	memcpy(bound, ticket->name, SIGNET_TICKET_NAME);
	memcpy(bound + SIGNET_TICKET_NAME, ticket->binding, SIGNET_BINDING_SIZE);
	if (wc_AesInit(&aes, NULL, INVALID_DEVID))
		return -EIO;
	ret = wc_AesGcmSetKey(&aes, key->key, sizeof(key->key));
	if (!ret && seal)
		ret = wc_AesGcmEncrypt(&aes, ticket->data, ticket->data, ticket->length,
				       ticket->nonce, NONCE, ticket->tag, TAG, bound,
				       sizeof(bound));
	else if (!ret)
		ret = wc_AesGcmDecrypt(&aes, ticket->data, ticket->data, ticket->length,
				       ticket->nonce, NONCE, ticket->tag, TAG, bound,
				       sizeof(bound));
	wc_AesFree(&aes);
	return ret ? -EBADMSG : 0;
}

int signet_ticket_seal(struct signet_ticket_keys *keys, unsigned int lifetime,
		       const struct signet_ticket *ticket)
{
	int ret;

	/* 96 random bits: good for 2^32 tickets under one key (NIST SP 800-38D 8.3). */
	memset(ticket->nonce, 0, SIGNET_TICKET_NONCE);
	memset(ticket->tag, 0, SIGNET_TICKET_TAG);
	ret = fill_random(ticket->nonce, NONCE);
	if (ret)
		return ret;
	pthread_mutex_lock(&keys->lock);
	ret = renew(keys, lifetime);
	if (!ret) {
		memcpy(ticket->name, keys->keys[0].name, SIGNET_TICKET_NAME);
		ret = crypt_one(&keys->keys[0], ticket, true);
	}
	pthread_mutex_unlock(&keys->lock);
	return ret;
}

int signet_ticket_open(struct signet_ticket_keys *keys, const struct signet_ticket *ticket)
{
	int ret = -EBADMSG;

	pthread_mutex_lock(&keys->lock);
	for (unsigned int i = 0; ret && i < keys->count; i++) {
		if (!memcmp(ticket->name, keys->keys[i].name, SIGNET_TICKET_NAME))
			ret = crypt_one(&keys->keys[i], ticket, false);
	}
	pthread_mutex_unlock(&keys->lock);
	return ret;
}
