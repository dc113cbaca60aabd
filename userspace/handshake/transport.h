/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What wolfSSL reads and writes through: one descriptor, never waited for inside of wolfSSL, whether
 * it is blocking or not. It is a stream socket, or the module's channel, or anything else that
 * read() and write() work on.
 *
 * wolfSSL asks for a record's header and then for exactly its body, and gets no more than it asks
 * for. So what the peer sends behind its last handshake record stays in the socket, where the
 * module finds it.
 *
 * What wolfSSL writes is kept until it can go no further, and then written at once: whole records,
 * as many as there are.
 */
#ifndef SIGNET_HANDSHAKE_TRANSPORT_H
#define SIGNET_HANDSHAKE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct WOLFSSL;

/* Enough for a TLS 1.2 ServerHello with all extensions that the engine speaks. */
#define SIGNET_HELLO_MAX 512

/**
 * struct signet_transport - the descriptor of one handshake
 * @fd:		not owned
 * @is_socket:	send() and recv() work on it
 * @is_server:	of this side's role
 * @events:	POLLIN or POLLOUT: what the last call would have had to wait for
 * @error:	negative errno that ended the connection, 0 while it lasts
 * @greeting:	the first bytes that the peer sent: a record's header, or no TLS
 * @greeting_len: how many of them have arrived
 * @keeps_hello: TLS 1.2 may be spoken, where @hello is looked at
 * @hello:	the first bytes that the server sent, whichever side that is; NULL before
 * @hello_len:	how many of them there are
 * @out:	records that have not been written yet
 * @out_len:	their length
 * @out_room:	of @out
 * @ciphering:	a change_cipher_spec is behind what was given to be sent
 * @nonce:	first 8 bytes of the last handshake record since: in TLS 1.2 with AES its explicit
 *		nonce
 */
struct signet_transport {
	int fd;
	bool is_socket;
	bool is_server;
	short events;
	int error;
	unsigned char greeting[5];
	unsigned int greeting_len;
	bool keeps_hello;
	unsigned char *hello;
	size_t hello_len;
	unsigned char *out;
	size_t out_len;
	size_t out_room;
	bool ciphering;
	uint64_t nonce;
};

void signet_transport_begin(struct signet_transport *transport, int fd, bool is_server);
void signet_transport_end(struct signet_transport *transport);

/* True when what the peer sent first is no TLS record's header (RFC 8446 5.1). */
bool signet_transport_is_alien(const struct signet_transport *transport);

/* True when the first message of the server's was a hello, and no alert, say. */
bool signet_transport_has_hello(const struct signet_transport *transport);

/*
 * True when the server's hello has the extension extended_master_secret (RFC 7627 5.1); to be asked
 * of TLS 1.2 only, where it is read in the clear.
 */
bool signet_transport_has_extended_master_secret(const struct signet_transport *transport);

/* wolfSSL's I/O callbacks; @context is the struct signet_transport. */
int signet_transport_receive(struct WOLFSSL *ssl, char *data, int size, void *context);
int signet_transport_send(struct WOLFSSL *ssl, char *data, int size, void *context);

/**
 * signet_transport_flush - write what wolfSSL has sent
 *
 * Return: 0 when there is no more, POLLOUT, or a negative errno.
 */
int signet_transport_flush(struct signet_transport *transport);

/* In place of what was to be sent: one fatal alert, in the clear. */
void signet_transport_alert(struct signet_transport *transport, unsigned int description);

/*
 * The end of a failed handshake: no more is sent, and what has arrived is dropped, so that the
 * caller's close() does not make TCP reset the connection, which may cost the peer the alert that
 * tells it why. Never waits.
 */
void signet_transport_give_up(struct signet_transport *transport);

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
