/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One handshake, from the first byte to the secrets: everything before the hand-over to the module,
 * and usable without it.
 *
 *	ret = signet_engine_new(config, fd, server_name, &engine);
 *	ret = signet_engine_run(engine);
 *	keys = signet_engine_keys(engine);
 *	signet_engine_free(engine);
 */
#ifndef SIGNET_HANDSHAKE_ENGINE_H
#define SIGNET_HANDSHAKE_ENGINE_H

#include <signet-handshake.h>

struct signet_engine;

/**
 * signet_engine_new - prepare a handshake
 * @config:	complete; must outlive the engine
 * @fd:		connected stream socket, not owned
 * @server_name: what a client asks for and verifies; a server gives NULL
 * @engine:	filled in
 *
 * Return: 0, -EINVAL (no valid server name; a server without a certificate; a name given by a
 * server) or -ENOMEM.
 */
int signet_engine_new(const struct signet_config *config, int fd, const char *server_name,
		      struct signet_engine **engine);

/* Frees the engine and wipes its secrets. NULL is fine. */
void signet_engine_free(struct signet_engine *engine);

/**
 * signet_engine_step - go on as far as the socket's buffers allow, without waiting
 *
 * Return: 0 when the handshake is complete and the peer authenticated, POLLIN or POLLOUT for what
 * to wait for, or the negative errno of a failure.
 */
int signet_engine_step(struct signet_engine *engine);

/* The whole handshake within the configuration's time limit. Return: 0 or a negative errno. */
int signet_engine_run(struct signet_engine *engine);

/**
 * signet_engine_keys - the secrets of a complete handshake
 *
 * Return: the secrets, which the engine owns and the caller may hand to signet_install(); NULL
 * unless signet_engine_step() or signet_engine_run() has returned 0.
 */
struct signet_keys *signet_engine_keys(struct signet_engine *engine);

/* How it went so far. */
void signet_engine_result(const struct signet_engine *engine, struct signet_result *result);

#endif
