/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client's sessions for its next connections, by policy (that is, server name and configuration),
 * and what the connections that may still bring tickets left behind, by socket.
 */
#ifndef SIGNET_HANDSHAKE_CACHE_H
#define SIGNET_HANDSHAKE_CACHE_H

#include "session.h"

#define SIGNET_CACHE_MAX 1024

struct signet_cache;

/* NULL without memory. @entries: up to SIGNET_CACHE_MAX, of either kind. */
struct signet_cache *signet_cache_new(unsigned int entries);

/* Wipes and frees. NULL is fine. */
void signet_cache_free(struct signet_cache *cache);

/* Remember a connection; the oldest one is forgotten for it. */
void signet_cache_expect(struct signet_cache *cache, int fd,
			 const struct signet_resumption *resumption);

/* See signet_collect_tickets(). */
int signet_cache_collect(struct signet_cache *cache, int fd);

/* Take the newest session out of the cache; the caller frees it. NULL when there is none. */
struct signet_session *signet_cache_take(struct signet_cache *cache,
					 const unsigned char policy[SIGNET_BINDING_SIZE]);

/* Keep a session, which the cache owns from here on; the oldest one is dropped for it. */
void signet_cache_keep(struct signet_cache *cache, struct signet_session *session);

#endif
