// SPDX-License-Identifier: GPL-3.0-or-later
#include "limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "address.h"

enum limit_kind {
	LIMIT_NONE,
	LIMIT_SOURCE,
	LIMIT_LISTENER,
	LIMIT_USER,
};

/* What is counted. No padding, so that it can be compared as bytes. */
struct limit_key {
	uint32_t kind;
	uint32_t number; /* port or user */
	uint64_t netns;
	uint8_t address[16];
};

/* One key's count; in a chain by the key's hash, or in that of the free ones. */
struct slot {
	struct limit_key key;
	unsigned int count;
	unsigned int next;
};

/**
 * struct limits - a table with room for three keys of each handshake
 * @mutex:	over all of it
 * @buckets:	heads of chains; slots are numbered from 1, 0 is a chain's end
 * @free:	the chain of unused slots
 * @seed:	so that nobody can tell which addresses share a chain
 */
struct limits {
	const struct limit_settings *settings;
	pthread_mutex_t mutex;
	unsigned int *buckets;
	unsigned int bucket_count;
	struct slot *slots;
	unsigned int free;
	uint64_t seed;
};

static void chain_up(struct limits *limits, unsigned int count)
{
	for (unsigned int i = 1; i < count; i++)
		limits->slots[i].next = i + 1;
	limits->free = 1;
}

struct limits *limits_new(const struct limit_settings *settings)
{
	unsigned int count = 3 * settings->total;
	struct limits *limits = calloc(1, sizeof(*limits));

	if (!limits)
		return NULL;
	limits->settings = settings;
	limits->bucket_count = count;
	limits->buckets = calloc(count, sizeof(*limits->buckets));
	limits->slots = calloc((size_t)count + 1, sizeof(*limits->slots));
	if (!limits->buckets || !limits->slots ||
	    getrandom(&limits->seed, sizeof(limits->seed), 0) != sizeof(limits->seed)) {
		limits_free(limits);
		return NULL;
	}
	pthread_mutex_init(&limits->mutex, NULL);
	chain_up(limits, count);
	return limits;
}

void limits_free(struct limits *limits)
{
	if (!limits)
		return;
	free(limits->buckets);
	free(limits->slots);
	free(limits);
}

/* Mixes as splitmix64 does. */
static unsigned int bucket_of(const struct limits *limits, const struct limit_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)], hash = limits->seed;

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		hash = (hash ^ words[i]) * UINT64_C(0xbf58476d1ce4e5b9);
		hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
		hash ^= hash >> 31;
	}
	return hash % limits->bucket_count;
}

static unsigned int find(const struct limits *limits, const struct limit_key *key)
{
	unsigned int slot = limits->buckets[bucket_of(limits, key)];

	while (slot && memcmp(&limits->slots[slot].key, key, sizeof(*key)))
		slot = limits->slots[slot].next;
	return slot;
}

static unsigned int add(struct limits *limits, const struct limit_key *key)
{
	unsigned int *bucket = &limits->buckets[bucket_of(limits, key)];
	unsigned int number = limits->free;
	struct slot *slot = &limits->slots[number];

	if (!number)
		return 0;
	limits->free = slot->next;
	slot->key = *key;
	slot->count = 0;
	slot->next = *bucket;
	*bucket = number;
	return number;
}

static void release(struct limits *limits, unsigned int number)
{
	struct slot *slot = &limits->slots[number];
	unsigned int *link;

	if (--slot->count)
		return;
	link = &limits->buckets[bucket_of(limits, &slot->key)];
	while (*link != number)
		link = &limits->slots[*link].next;
	*link = slot->next;
	slot->next = limits->free;
	limits->free = number;
}

/* Return: whether one more is within the limit; it is counted then. */
static bool take(struct limits *limits, const struct limit_key *key, unsigned int most,
		 struct limit_claim *claim)
{
	unsigned int number = find(limits, key);

	if (!number)
		number = add(limits, key);
	if (!number || limits->slots[number].count >= most)
		return false;
	limits->slots[number].count++;
	claim->slots[claim->count++] = number;
	return true;
}

/* An IPv6 network of 64 bits is one source: its owner has all of its addresses. */
static void source_key(const struct signet_request *request, struct limit_key *key)
{
	key->kind = LIMIT_SOURCE;
	key->netns = request->netns;
	(void)address_parts(request->peer, key->address);
	if (!IN6_IS_ADDR_V4MAPPED((struct in6_addr *)key->address))
		memset(key->address + 8, 0, 8);
}

static int take_server(struct limits *limits, const struct signet_request *request,
		       struct limit_claim *claim, char *text)
{
	struct limit_key source = {}, listener = { .kind = LIMIT_LISTENER };
	char address[ADDRESS_TEXT_MAX];

	source_key(request, &source);
	if (!take(limits, &source, limits->settings->per_source, claim)) {
		snprintf(text, SIGNET_STRING_MAX + 1,
			 "too many handshakes with %s are in progress (limits.per_source = %u)",
			 address_text(request->peer, address), limits->settings->per_source);
		return -EDQUOT;
	}
	listener.netns = request->netns;
	listener.number = address_parts(request->local, listener.address);
	if (!take(limits, &listener, limits->settings->per_listener, claim)) {
		snprintf(text, SIGNET_STRING_MAX + 1,
			 "too many handshakes at %s are in progress (limits.per_listener = %u)",
			 address_text(request->local, address), limits->settings->per_listener);
		return -EDQUOT;
	}
	return 0;
}

static int take_all(struct limits *limits, const struct signet_request *request,
		    struct limit_claim *claim, char *text)
{
	struct limit_key user = { .kind = LIMIT_USER, .number = request->uid };

	if (!take(limits, &user, limits->settings->per_user, claim)) {
		snprintf(text, SIGNET_STRING_MAX + 1,
			 "too many handshakes of user %u are in progress (limits.per_user = %u)",
			 request->uid, limits->settings->per_user);
		return -EDQUOT;
	}
	return request->role == SIGNET_ROLE_SERVER ? take_server(limits, request, claim, text) : 0;
}

int limits_take(struct limits *limits, const struct signet_request *request,
		struct limit_claim *claim, char *text)
{
	int ret;

	claim->count = 0;
	pthread_mutex_lock(&limits->mutex);
	ret = take_all(limits, request, claim, text);
	for (unsigned int i = 0; ret && i < claim->count; i++)
		release(limits, claim->slots[i]);
	pthread_mutex_unlock(&limits->mutex);
	return ret;
}

void limits_give(struct limits *limits, const struct limit_claim *claim)
{
	pthread_mutex_lock(&limits->mutex);
	for (unsigned int i = 0; i < claim->count; i++)
		release(limits, claim->slots[i]);
	pthread_mutex_unlock(&limits->mutex);
}
