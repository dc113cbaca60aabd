// SPDX-License-Identifier: GPL-3.0-or-later
#include "cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "secret.h"

/**
 * struct expected - a connection that may bring tickets
 * @cookie:	the kernel's number of the socket, unique while the system runs; 0 for a free place
 * @resumption:	what its handshake left
 */
struct expected {
	uint64_t cookie;
	struct signet_resumption resumption;
};

/**
 * struct signet_cache - two rings
 * @lock:	over all the rest
 * @entries:	of each ring
 * @expected:	in memory for secrets
 * @next_expected: the oldest place
 * @sessions:	NULL for a free place
 * @next_session: the oldest place
 */
struct signet_cache {
	pthread_mutex_t lock;
	unsigned int entries;
	struct expected *expected;
	unsigned int next_expected;
	struct signet_session **sessions;
	unsigned int next_session;
};

struct signet_cache *signet_cache_new(unsigned int entries)
{
	struct signet_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	pthread_mutex_init(&cache->lock, NULL);
	cache->entries = entries;
	cache->expected = signet_secret_alloc(entries * sizeof(*cache->expected));
	cache->sessions = calloc(entries, sizeof(*cache->sessions));
	if (!cache->expected || !cache->sessions) {
		signet_cache_free(cache);
		return NULL;
	}
	return cache;
}

void signet_cache_free(struct signet_cache *cache)
{
	if (!cache)
		return;
	for (unsigned int i = 0; cache->sessions && i < cache->entries; i++)
		signet_session_free(cache->sessions[i]);
	free(cache->sessions);
	signet_secret_free(cache->expected, cache->entries * sizeof(*cache->expected));
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* Return: 0 when the kernel has none. */
static uint64_t cookie_of(int fd)
{
	socklen_t size = sizeof(uint64_t);
	uint64_t cookie = 0;

	(void)getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return cookie;
}

void signet_cache_expect(struct signet_cache *cache, int fd,
			 const struct signet_resumption *resumption)
{
	uint64_t cookie = cookie_of(fd);
	struct expected *place;

	if (!cookie)
		return;
	pthread_mutex_lock(&cache->lock);
	place = &cache->expected[cache->next_expected++ % cache->entries];
	place->cookie = cookie;
	place->resumption = *resumption;
	pthread_mutex_unlock(&cache->lock);
}

static bool find_expected(struct signet_cache *cache, uint64_t cookie,
			  unsigned char blob[SIGNET_RESUMPTION_MAX], size_t *length)
{
	bool found = false;

	pthread_mutex_lock(&cache->lock);
	for (unsigned int i = 0; cookie && i < cache->entries && !found; i++) {
		found = cache->expected[i].cookie == cookie;
		if (found)
			*length = signet_resumption_pack(&cache->expected[i].resumption, blob);
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

int signet_cache_collect(struct signet_cache *cache, int fd)
{
	unsigned char blob[SIGNET_RESUMPTION_MAX], ticket[SIGNET_TICKET_MAX];
	struct signet_session *session;
	int kept = 0, ret;
	size_t length = 0;

	if (!find_expected(cache, cookie_of(fd), blob, &length))
		return -ENOENT;
	while ((ret = signet_ticket(fd, ticket, sizeof(ticket))) >= 0) {
		/* A ticket that is no good is not worth an error: the connection is. */
		if (signet_session_new(blob, length, ticket, ret, signet_session_now(), &session))
			continue;
		signet_cache_keep(cache, session);
		kept++;
	}
	explicit_bzero(blob, sizeof(blob));
	explicit_bzero(ticket, sizeof(ticket));
	return ret == -ENODATA ? kept : ret;
}

void signet_cache_keep(struct signet_cache *cache, struct signet_session *session)
{
	struct signet_session **place;

	pthread_mutex_lock(&cache->lock);
	place = &cache->sessions[cache->next_session++ % cache->entries];
	signet_session_free(*place);
	*place = session;
	pthread_mutex_unlock(&cache->lock);
}

struct signet_session *signet_cache_take(struct signet_cache *cache,
					 const unsigned char policy[SIGNET_BINDING_SIZE])
{
	struct signet_session *session = NULL, **place;

	pthread_mutex_lock(&cache->lock);
	for (unsigned int i = 1; i <= cache->entries && !session; i++) {
		place = &cache->sessions[(cache->next_session - i) % cache->entries];
		if (*place && signet_session_fits(*place, policy)) {
			session = *place;
			*place = NULL;
		}
	}
	pthread_mutex_unlock(&cache->lock);
	return session;
}
