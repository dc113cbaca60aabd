/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One handshake, from the first byte to the secrets: what <signet-handshake.h> offers, and what only
 * the hand-over and the daemon may have.
 *
 *	ret = signet_handshake_new(config, fd, server_name, &handshake);
 *	ret = signet_handshake_run(handshake);
 *	keys = signet_handshake_keys(handshake);
 *	signet_handshake_free(handshake);
 */
#ifndef SIGNET_HANDSHAKE_ENGINE_H
#define SIGNET_HANDSHAKE_ENGINE_H

#include <signet-handshake.h>

struct signet_verify;

/* The exporter master secret is as long as the suite's hash. */
#define SIGNET_EXPORTER_MAX 48

/*
 * The whole handshake within its time limit, waiting where it has to; a signer must have answered
 * within its sign call. Return: 0 or a negative errno.
 */
int signet_handshake_run(struct signet_handshake *handshake);

/**
 * signet_handshake_keys - the secrets of a complete handshake
 *
 * Return: the secrets, which the handshake owns and the caller may hand to signet_install(); NULL
 * unless signet_handshake_step() or signet_handshake_run() has returned 0.
 */
struct signet_keys *signet_handshake_keys(struct signet_handshake *handshake);

/**
 * signet_handshake_exporter - what keying material is derived from, for the module
 * @secret:	filled in. TLS 1.3: the exporter master secret (RFC 8446 7.1), 32 or 48 bytes; TLS
 *		1.2: the value of "tls-exporter" (RFC 9266), 32 bytes, and nothing else can be
 *		derived. Owned by the handshake
 *
 * Return: its length, or 0 while the handshake is not complete.
 */
size_t signet_handshake_exporter(struct signet_handshake *handshake, const unsigned char **secret);

/* The judgement of the peer, as far as it has got; it may hold more than a result has room for. */
const struct signet_verify *signet_handshake_verify(const struct signet_handshake *handshake);

/* The configuration and the descriptor that it was made with. */
const struct signet_config *signet_handshake_config(const struct signet_handshake *handshake);
int signet_handshake_fd(const struct signet_handshake *handshake);

/* Note a failure of the hand-over. Return: @error. */
int signet_handshake_fail(struct signet_handshake *handshake, int error, const char *text);

#endif
