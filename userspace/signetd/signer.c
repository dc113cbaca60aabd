// SPDX-License-Identifier: GPL-3.0-or-later
#include "signer.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine.h"
#include "file.h"
#include "key.h"
#include "log.h"
#include "parser.h"
#include "profile.h"

/* The keys; threads only read them. */
static struct key_file *files;
static size_t file_count;

/**
 * struct thread - one that signs for one thread of a worker
 * @keys:	ready to sign, made when they are first needed
 */
struct thread {
	int socket;
	WC_RNG random;
	struct key **keys;
	pthread_t thread;
};

static void load_key(struct key_file *file, const struct settings *settings,
		     const struct profiles *profiles, size_t number, struct complaints *complaints)
{
	const struct credential *credential = settings_credential(settings, number);
	struct signet_file chain;

	if (profiles) {
		(void)key_file_read(file, credential, profiles_chain(profiles, number), complaints);
		return;
	}
	if (signet_file_read(&chain, credential->chain))
		memset(&chain, 0, sizeof(chain)); /* that has been complained about */
	(void)key_file_read(file, credential, chain.size ? &chain : NULL, complaints);
	signet_file_free(&chain);
}

static void load_keys(const struct settings *settings, const struct profiles *profiles,
		      struct complaints *complaints)
{
	while (settings_credential(settings, file_count)) {
		files = parser_grow(files, file_count, sizeof(*files));
		load_key(&files[file_count], settings, profiles, file_count, complaints);
		file_count++;
	}
}

void signer_check(const struct settings *settings, const struct profiles *profiles,
		  struct complaints *complaints)
{
	load_keys(settings, profiles, complaints);
	for (size_t i = 0; i < file_count; i++)
		key_file_free(&files[i]);
	free(files);
	files = NULL;
	file_count = 0;
}

static void sign(struct thread *thread, const struct signer_query *query, ssize_t size,
		 struct signer_answer *answer)
{
	size_t length = 0;

	answer->id = query->id;
	answer->length = 0;
	answer->error = -EINVAL;
	if (size != (ssize_t)(offsetof(struct signer_query, data) + query->length) ||
	    query->key >= file_count)
		return;
	answer->error = -EKEYREJECTED;
	if (!files[query->key].der)
		return;
	if (!thread->keys[query->key])
		thread->keys[query->key] = key_new(&files[query->key]);
	answer->error = -ENOMEM;
	if (!thread->keys[query->key])
		return;
	answer->error = key_sign(thread->keys[query->key], &thread->random, query->scheme,
				 query->data, query->length, answer->signature, &length);
	answer->length = answer->error ? 0 : length;
}

static void *serve(void *argument)
{
	struct thread *thread = argument;
	struct signer_answer answer;
	struct signer_query query;
	ssize_t n;

	for (;;) {
		n = recv(thread->socket, &query, sizeof(query), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)offsetof(struct signer_query, data))
			break;
		sign(thread, &query, n, &answer);
		if (send(thread->socket, &answer,
			 offsetof(struct signer_answer, signature) + answer.length,
			 MSG_NOSIGNAL) < 0)
			break;
	}
	return NULL;
}

/* Nobody reads it any more: the supervisor has gone, and so do we. */
static void report(int fd, const char *text)
{
	dprintf(fd, "%s\n", text);
}

static void fail(const struct signer_start *start, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "signer: %s: %s", what, strerror(errno));
	report(start->report, text);
	_exit(1);
}

static void start_threads(const struct signer_start *start, struct thread *threads)
{
	for (unsigned int i = 0; i < start->count; i++) {
		threads[i].socket = start->sockets[i];
		threads[i].keys = calloc(file_count + 1, sizeof(struct key *));
		errno = ENOMEM;
		if (!threads[i].keys || wc_InitRng(&threads[i].random))
			fail(start, "randomness");
		errno = pthread_create(&threads[i].thread, NULL, serve, &threads[i]);
		if (errno)
			fail(start, "thread");
	}
}

void signer_run(const struct signer_start *start)
{
	struct complaints complaints = {};
	struct thread *threads;

	log_set_process("signetd-signer");
	confine_memory(true);
	load_keys(start->settings, start->profiles, &complaints);
	for (size_t i = 0; i < complaints.count; i++)
		report(start->report, complaints.lines[i]);
	if (complaints.count && !start->lenient)
		_exit(1);
	if (complaints.count)
		report(start->report, "until that is mended, nothing is signed with those keys");
	if (confine_user(start->settings->signer_user))
		fail(start, start->settings->signer_user);
	threads = calloc(start->count, sizeof(*threads));
	if (!threads)
		fail(start, "threads");
	start_threads(start, threads);
	if (confine_calls(CONFINE_SIGNER))
		fail(start, "seccomp");
	report(start->report, "");
	close(start->report);
	for (unsigned int i = 0; i < start->count; i++)
		pthread_join(threads[i].thread, NULL);
	_exit(0);
}
