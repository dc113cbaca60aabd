/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What wolfSSL reads and writes through: one socket, never waited for inside of wolfSSL, whether it
 * is blocking or not.
 *
 * wolfSSL asks for a record's header and then for exactly its body, and gets no more than it asks
 * for. So what the peer sends behind its last handshake record stays in the socket, where the
 * module finds it.
 */
#ifndef SIGNET_HANDSHAKE_TRANSPORT_H
#define SIGNET_HANDSHAKE_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

struct WOLFSSL;

/**
 * struct signet_transport - the socket of one handshake
 * @fd:		not owned
 * @events:	POLLIN or POLLOUT: what the last call would have had to wait for
 * @error:	negative errno that ended the connection, 0 while it lasts
 * @greeting:	the first bytes that the peer sent: a record's header, or no TLS
 * @greeting_len: how many of them have arrived
 */
struct signet_transport {
	int fd;
	short events;
	int error;
	unsigned char greeting[5];
	unsigned int greeting_len;
};

/* True when what the peer sent first is no TLS record's header (RFC 8446 5.1). */
bool signet_transport_is_alien(const struct signet_transport *transport);

/* wolfSSL's I/O callbacks; @context is the struct signet_transport. */
int signet_transport_receive(struct WOLFSSL *ssl, char *data, int size, void *context);
int signet_transport_send(struct WOLFSSL *ssl, char *data, int size, void *context);

/*
 * The end of a failed handshake: no more is sent, and what has arrived is dropped, so that the
 * caller's close() does not make TCP reset the connection, which may cost the peer the alert that
 * tells it why. Never waits.
 */
void signet_transport_give_up(const struct signet_transport *transport);

/* Milliseconds of the monotonic clock. */
int64_t signet_transport_now(void);

/**
 * signet_transport_wait - wait for what the last call wanted
 * @deadline:	in signet_transport_now()'s time, or negative for none
 *
 * Return: 0, -ETIMEDOUT, or the negative errno of poll().
 */
int signet_transport_wait(const struct signet_transport *transport, int64_t deadline);

#endif
