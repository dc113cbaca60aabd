// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "shared.h"

/* A session has so many places that it may be in. */
#define WAYS 8

/**
 * struct place - where a session may be
 * @sequence:	odd while its record is being changed
 * @received_ms: the record's; 0: there is none
 * @key:	the record's
 *
 * Apart from the records, so that looking for one touches few pages.
 */
struct place {
	_Atomic uint32_t sequence;
	int64_t received_ms;
	uint8_t key[SESSION_KEY_SIZE];
};

/**
 * struct sessions - sets of WAYS places
 * @mutex:	over all of it, between threads of the worker alone: it is not in the shared memory
 * @places:	shared with the supervisor, and so are @records
 */
struct sessions {
	pthread_mutex_t mutex;
	unsigned int sets;
	struct place *places;
	struct session_record *records;
};

static size_t place_count(const struct sessions *sessions)
{
	return (size_t)sessions->sets * WAYS;
}

struct sessions *sessions_new(unsigned int count)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return NULL;
	pthread_mutex_init(&sessions->mutex, NULL);
	sessions->sets = (count + WAYS - 1) / WAYS;
	if (!sessions->sets)
		return sessions;
	sessions->places = shared_map(place_count(sessions) * sizeof(*sessions->places));
	sessions->records = shared_map(place_count(sessions) * sizeof(*sessions->records));
	if (sessions->places && sessions->records)
		return sessions;
	sessions_free(sessions);
	return NULL;
}

void sessions_lock(struct sessions *sessions)
{
	shared_lock(sessions->places, place_count(sessions) * sizeof(*sessions->places));
	shared_lock(sessions->records, place_count(sessions) * sizeof(*sessions->records));
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	shared_unmap(sessions->places, place_count(sessions) * sizeof(*sessions->places));
	shared_unmap(sessions->records, place_count(sessions) * sizeof(*sessions->records));
	pthread_mutex_destroy(&sessions->mutex);
	free(sessions);
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
	add_text(&hash, request->server_name);
	add_text(&hash, profile);
	add_text(&hash, request->trust);
	wc_Sha256Update(&hash, request->pins[0], request->pin_count * SIGNET_PIN_LEN);
	wc_Sha256Final(&hash, key);
	wc_Sha256Free(&hash);
}

/* Number of the first place of the set that a key belongs to. */
static size_t set_of(const struct sessions *sessions, const uint8_t *key)
{
	uint32_t number;

	memcpy(&number, key, sizeof(number));
	return (size_t)(number % sessions->sets) * WAYS;
}

/* Context: under the mutex. @record: NULL for none. */
static void change(struct sessions *sessions, size_t at, const struct session_record *record)
{
	struct place *place = &sessions->places[at];

	atomic_fetch_add(&place->sequence, 1);
	if (record) {
		sessions->records[at] = *record;
		memcpy(place->key, record->key, sizeof(place->key));
	} else {
		explicit_bzero(&sessions->records[at], sizeof(sessions->records[at]));
	}
	place->received_ms = record ? record->received_ms : 0;
	atomic_fetch_add(&place->sequence, 1);
}

/* Lengths are told by whoever wrote them. */
static bool is_whole(const struct session_record *record)
{
	return record->received_ms > 0 && record->blob_len && record->ticket_len &&
	       record->blob_len <= sizeof(record->blob) &&
	       record->ticket_len <= sizeof(record->ticket);
}

void sessions_put(struct sessions *sessions, const struct session_record *record)
{
	size_t set, oldest;

	if (!sessions->sets || !is_whole(record))
		return;
	pthread_mutex_lock(&sessions->mutex);
	set = set_of(sessions, record->key);
	oldest = set;
	for (size_t at = set + 1; at < set + WAYS; at++)
		if (sessions->places[at].received_ms < sessions->places[oldest].received_ms)
			oldest = at;
	change(sessions, oldest, record);
	pthread_mutex_unlock(&sessions->mutex);
}

static bool is_that(const struct sessions *sessions, size_t at, const struct session_record *wanted)
{
	const struct session_record *record = &sessions->records[at];

	return sessions->places[at].received_ms &&
	       !memcmp(sessions->places[at].key, wanted->key, SESSION_KEY_SIZE) &&
	       record->netns == wanted->netns && record->uid == wanted->uid;
}

bool sessions_take(struct sessions *sessions, struct session_record *record)
{
	size_t set, newest = SIZE_MAX;

	if (!sessions->sets)
		return false;
	pthread_mutex_lock(&sessions->mutex);
	set = set_of(sessions, record->key);
	for (size_t at = set; at < set + WAYS; at++)
		if (is_that(sessions, at, record) &&
		    (newest == SIZE_MAX ||
		     sessions->places[at].received_ms >= sessions->places[newest].received_ms))
			newest = at;
	if (newest != SIZE_MAX) {
		*record = sessions->records[newest];
		change(sessions, newest, NULL);
	}
	pthread_mutex_unlock(&sessions->mutex);
	return newest != SIZE_MAX;
}

/* Return: false when there is none, or when it was changed meanwhile: then it is left out. */
static bool read_record(const struct sessions *from, size_t at, struct session_record *record)
{
	const struct place *place = &from->places[at];
	uint32_t sequence = atomic_load(&place->sequence);

	if (sequence % 2 || !place->received_ms)
		return false;
	*record = from->records[at];
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load(&place->sequence) == sequence;
}

void sessions_carry(struct sessions *to, const struct sessions *from)
{
	struct session_record record;

	for (size_t at = 0; at < place_count(from); at++)
		if (read_record(from, at, &record))
			sessions_put(to, &record);
	explicit_bzero(&record, sizeof(record));
}
