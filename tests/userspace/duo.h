/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Both sides of a handshake in one thread, with a wire between them that can be watched, cut and
 * added to. What the two engines do depends on nothing but the bytes, so every run is the same.
 */
#ifndef SIGNET_TESTS_DUO_H
#define SIGNET_TESTS_DUO_H

#include <stdbool.h>
#include <stddef.h>

#include "../../userspace/handshake/engine.h"

#define NO_CUT ((size_t)-1)

/**
 * struct side - one peer
 * @engine:	its handshake
 * @fd:		what the engine uses
 * @wire:	the other end of it
 * @sent:	bytes that it has sent
 * @cut:	its connection ends behind so many bytes of what it sends
 * @suffix:	bytes that travel directly behind a flight of its own, in the same segment
 * @suffix_len: their number
 * @suffix_early: behind its first flight, not behind its last
 * @status:	what its engine's last step returned
 * @keys:	its secrets when @status is 0
 * @result:	how it went
 */
struct side {
	struct signet_handshake *engine;
	int fd;
	int wire;
	size_t sent;
	size_t cut;
	const void *suffix;
	size_t suffix_len;
	bool suffix_early;
	int status;
	struct signet_keys keys;
	struct signet_result result;
};

struct duo {
	struct side client;
	struct side server;
};

/* Two engines and the wire between them. */
void duo_begin(struct duo *duo, const struct signet_config *client,
	       const struct signet_config *server, const char *name);

/* Runs until both are done or neither can go on. */
void duo_run(struct duo *duo);

void duo_end(struct duo *duo);

/* All three at once. */
void handshake(struct duo *duo, const struct signet_config *client,
	       const struct signet_config *server, const char *name);

/* A configuration that trusts <ca>.pem and presents <certificate>.pem; NULL for neither. */
struct signet_config *new_config(enum signet_role role, const char *ca, const char *certificate);

/* Whether what one side sends with is what the other one receives with, in both directions. */
bool keys_agree(const struct signet_keys *client, const struct signet_keys *server);

#endif
