/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is compared: kinds of handshakes, the servers that make them, and what carries them. */
#ifndef SIGNET_BENCH_TRIAL_H
#define SIGNET_BENCH_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct trial - a kind of handshake
 * @name:	in the JSON
 * @title:	for a person
 * @certificate: <certificate>.pem and .key are the server's
 * @key:	of it, as openssl's -newkey takes it
 * @group:	the only one that is offered and accepted, as OpenSSL calls it
 * @resumed:	by a ticket, with a new key exchange
 * @ratio_min:	handshakes per second over OpenSSL's, for --gates
 */
struct trial {
	const char *name;
	const char *title;
	const char *certificate;
	const char *key;
	const char *group;
	bool resumed;
	double ratio_min;
};

enum { TRIAL_COUNT = 5 };

extern const struct trial trials[TRIAL_COUNT];

/**
 * struct server - an implementation of the server's side
 * @name:	in the table and the JSON
 * @version:	of the library
 * @open:	a configuration for a trial, which all its connections share
 * @begin:	a connection on a non-blocking socket
 * @step:	goes on as far as it can. Return: 0 when the handshake is complete, 1 while it waits for
 *		the client; a failure ends the program
 * @end:	frees the connection
 * @close:	frees the configuration
 */
struct server {
	const char *name;
	const char *(*version)(void);
	void *(*open)(const struct trial *trial);
	void *(*begin)(void *configuration, int fd);
	int (*step)(void *connection);
	void (*end)(void *connection);
	void (*close)(void *configuration);
};

/* In the order of enum server_number. */
extern const struct server server_openssl, server_wolfssl, server_signet;

enum server_number { SERVER_OPENSSL, SERVER_WOLFSSL, SERVER_SIGNET, SERVER_COUNT };

extern const struct server *const servers[SERVER_COUNT];

enum wire { WIRE_MEMORY, WIRE_TCP, WIRE_COUNT };

extern const char *const wire_names[WIRE_COUNT];

#endif
