/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys that a server seals its session tickets with (RFC 8446 4.6.1), and how they change. */
#ifndef SIGNET_HANDSHAKE_TICKET_H
#define SIGNET_HANDSHAKE_TICKET_H

#include <stdbool.h>
#include <stddef.h>

#include <signet-handshake.h>

/* Of wolfSSL's tickets: name of the key, nonce and authentication tag, each with room to spare. */
#define SIGNET_TICKET_NAME 16
#define SIGNET_TICKET_NONCE 16
#define SIGNET_TICKET_TAG 32

struct signet_ticket_keys;

/**
 * struct signet_ticket - a ticket in parts, sealed or to be sealed in place
 * @name:	SIGNET_TICKET_NAME bytes
 * @nonce:	SIGNET_TICKET_NONCE bytes
 * @tag:	SIGNET_TICKET_TAG bytes
 * @data:	what is sealed
 * @length:	of @data
 * @binding:	what the ticket is only good together with: SIGNET_BINDING_SIZE bytes
 */
struct signet_ticket {
	unsigned char *name;
	unsigned char *nonce;
	unsigned char *tag;
	unsigned char *data;
	size_t length;
	const unsigned char *binding;
};

/* Keys that change by themselves, until others are set. NULL without memory. */
struct signet_ticket_keys *signet_ticket_keys_new(void);

/* Wipes and frees. NULL is fine. */
void signet_ticket_keys_free(struct signet_ticket_keys *keys);

/* See signet_config_ticket_keys(). Return: 0 or -EINVAL. */
int signet_ticket_keys_set(struct signet_ticket_keys *keys, const void *blob, size_t size);

/**
 * signet_ticket_seal - encrypt in place, with the newest key
 * @lifetime:	of tickets in seconds: a key of our own that is older is replaced
 *
 * Return: 0, or -EIO without randomness.
 */
int signet_ticket_seal(struct signet_ticket_keys *keys, unsigned int lifetime,
		       const struct signet_ticket *ticket);

/* Decrypt in place. Return: 0, or -EBADMSG for a ticket of another key or binding, or a forged one.*/
int signet_ticket_open(struct signet_ticket_keys *keys, const struct signet_ticket *ticket);

#endif
