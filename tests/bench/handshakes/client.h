/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client that all servers are measured with: OpenSSL's. What it costs is not counted; what it
 * leaves in the processor's caches favours OpenSSL's server, if any.
 */
#ifndef SIGNET_BENCH_CLIENT_H
#define SIGNET_BENCH_CLIENT_H

#include "trial.h"

struct client;

/* A client for one trial with one server's configuration. */
struct client *client_open(const struct trial *trial);
void client_close(struct client *client);

/**
 * client_learn - the session that connections resume
 * @server:	makes one full handshake for it
 *
 * Nothing for trials that resume none.
 */
void client_learn(struct client *client, const struct server *server, void *configuration);

/* A connection; the socket is non-blocking. */
void *client_begin(struct client *client, int fd);

/* As struct server's. Return: 0 when the handshake is complete. */
int client_step(void *connection);

/* Sees that the handshake was of the trial's kind; frees the connection. */
void client_end(struct client *client, void *connection);

#endif
