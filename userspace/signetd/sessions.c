// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>

/* A session has so many places that it may be in. */
#define WAYS 8

/**
 * struct sessions - sets of WAYS places
 * @mutex:	over all of it. Who dies while it holds it leaves it to the next, which begins anew
 * @places:	unused ones have no ticket
 */
struct sessions {
	pthread_mutex_t mutex;
	struct session_record places[];
};

/* By which keys are spread. Not in the shared memory: that may be written by a worker gone bad. */
static unsigned int sets;

static unsigned int set_count(unsigned int count)
{
	return (count + WAYS - 1) / WAYS;
}

size_t sessions_size(unsigned int count)
{
	return sizeof(struct sessions) +
	       (size_t)set_count(count) * WAYS * sizeof(struct session_record);
}

struct sessions *sessions_init(void *memory, unsigned int count)
{
	struct sessions *sessions = memory;
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&sessions->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	sets = set_count(count);
	return sessions;
}

static void add_text(wc_Sha256 *hash, const char *text)
{
	wc_Sha256Update(hash, (const byte *)text, strlen(text) + 1);
}

void sessions_key(const struct signet_request *request, const char *profile,
		  uint8_t key[SESSION_KEY_SIZE])
{
	wc_Sha256 hash;

	wc_InitSha256(&hash);
	wc_Sha256Update(&hash, (const byte *)&request->uid, sizeof(request->uid));
	wc_Sha256Update(&hash, (const byte *)&request->netns, sizeof(request->netns));
	add_text(&hash, request->server_name);
	add_text(&hash, profile);
	add_text(&hash, request->trust);
	wc_Sha256Update(&hash, request->pins[0], request->pin_count * SIGNET_PIN_LEN);
	wc_Sha256Final(&hash, key);
	wc_Sha256Free(&hash);
}

static bool lock(struct sessions *sessions)
{
	int ret = pthread_mutex_lock(&sessions->mutex);

	if (ret == EOWNERDEAD) {
		explicit_bzero(sessions->places, (size_t)sets * WAYS * sizeof(sessions->places[0]));
		ret = pthread_mutex_consistent(&sessions->mutex);
	}
	return !ret;
}

static struct session_record *set_of(struct sessions *sessions, const uint8_t *key)
{
	uint32_t number;

	memcpy(&number, key, sizeof(number));
	return &sessions->places[(size_t)(number % sets) * WAYS];
}

void sessions_put(struct sessions *sessions, const struct session_record *record)
{
	struct session_record *set, *oldest;

	if (!sets || !lock(sessions))
		return;
	set = set_of(sessions, record->key);
	oldest = set;
	for (unsigned int i = 1; i < WAYS; i++)
		if (set[i].received_ms < oldest->received_ms)
			oldest = &set[i];
	*oldest = *record;
	pthread_mutex_unlock(&sessions->mutex);
}

bool sessions_take(struct sessions *sessions, const uint8_t key[SESSION_KEY_SIZE],
		   struct session_record *record)
{
	struct session_record *set, *newest = NULL;

	if (!sets || !lock(sessions))
		return false;
	set = set_of(sessions, key);
	for (unsigned int i = 0; i < WAYS; i++)
		if (set[i].ticket_len && !memcmp(set[i].key, key, SESSION_KEY_SIZE) &&
		    (!newest || set[i].received_ms >= newest->received_ms))
			newest = &set[i];
	if (newest) {
		*record = *newest;
		explicit_bzero(newest, sizeof(*newest));
	}
	pthread_mutex_unlock(&sessions->mutex);
	if (newest && (record->blob_len > sizeof(record->blob) ||
		       record->ticket_len > sizeof(record->ticket)))
		newest = NULL;
	return newest;
}
