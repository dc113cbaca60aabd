// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

/* change_cipher_spec to application_data (RFC 8446 5.1). */
#define FIRST_CONTENT_TYPE 20
#define LAST_CONTENT_TYPE 23
/* Of legacy_record_version, in every version since SSL 3.0. */
#define LEGACY_MAJOR 3

#define RECORD_HEADER 5
#define MESSAGE_HEADER 4
/* ContentType (RFC 8446 B.1). */
#define CHANGE_CIPHER_SPEC 20
#define ALERT 21
#define HANDSHAKE 22
#define ALERT_FATAL 2
/* HandshakeType and ExtensionType (RFC 8446 B.3, RFC 7627 5.1). */
#define SERVER_HELLO 2
#define EXTENDED_MASTER_SECRET 23

/* A flight is a few records; a chain of certificates may be long. */
#define OUT_STEP 4096
#define OUT_MAX (1 << 20)

/* Of a peer that sends and sends. */
#define DROP_MAX (1 << 20)

static int would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

static void keep_greeting(struct signet_transport *transport, const char *data, size_t size)
{
	for (size_t i = 0; i < size && transport->greeting_len < sizeof(transport->greeting); i++)
		transport->greeting[transport->greeting_len++] = data[i];
}

bool signet_transport_is_alien(const struct signet_transport *transport)
{
	const unsigned char *greeting = transport->greeting;

	return transport->greeting_len > 1 &&
	       (greeting[0] < FIRST_CONTENT_TYPE || greeting[0] > LAST_CONTENT_TYPE ||
		greeting[1] != LEGACY_MAJOR);
}

void signet_transport_begin(struct signet_transport *transport, int fd, bool is_server)
{
	socklen_t size = sizeof(int);
	int type;

	memset(transport, 0, sizeof(*transport));
	transport->fd = fd;
	transport->is_server = is_server;
	transport->is_socket = !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
}

static void drop_output(struct signet_transport *transport)
{
	free(transport->out);
	transport->out = NULL;
	transport->out_len = 0;
	transport->out_room = 0;
}

void signet_transport_end(struct signet_transport *transport)
{
	drop_output(transport);
	free(transport->hello);
	transport->hello = NULL;
	transport->hello_len = 0;
}

/* Without memory it counts as one without extensions, and is refused. */
static void keep_hello(struct signet_transport *transport, const void *data, size_t size)
{
	size_t room = SIGNET_HELLO_MAX - transport->hello_len;

	if (!transport->keeps_hello)
		return;
	if (!transport->hello)
		transport->hello = calloc(1, SIGNET_HELLO_MAX);
	if (!transport->hello)
		return;
	if (size > room)
		size = room;
	memcpy(transport->hello + transport->hello_len, data, size);
	transport->hello_len += size;
}

static size_t number(const unsigned char *bytes, size_t count)
{
	size_t value = 0;

	while (count--)
		value = value << 8 | *bytes++;
	return value;
}

bool signet_transport_has_hello(const struct signet_transport *transport)
{
	return transport->hello_len > RECORD_HEADER && transport->hello[0] == HANDSHAKE &&
	       transport->hello[RECORD_HEADER] == SERVER_HELLO;
}

/* RFC 5246 7.4.1.3 and 7.4.1.4: what comes before the extensions, and then those. */
bool signet_transport_has_extended_master_secret(const struct signet_transport *transport)
{
	const unsigned char *hello = transport->hello;
	size_t at = RECORD_HEADER + MESSAGE_HEADER + 2 + 32, limit;

	if (transport->hello_len < at + 1 || !signet_transport_has_hello(transport))
		return false;
	limit = RECORD_HEADER + MESSAGE_HEADER + number(hello + RECORD_HEADER + 1, 3);
	if (limit > transport->hello_len)
		return false;
	/* Session id, suite and compression method; the length of the extensions. */
	at += 1 + hello[at] + 2 + 1 + 2;
	while (at + 4 <= limit) {
		if (number(hello + at, 2) == EXTENDED_MASTER_SECRET)
			return true;
		at += 4 + number(hello + at + 2, 2);
	}
	return false;
}

static ssize_t read_some(const struct signet_transport *transport, void *data, size_t size)
{
	ssize_t n;

	do {
		n = transport->is_socket ? recv(transport->fd, data, size, MSG_DONTWAIT) :
					   read(transport->fd, data, size);
	} while (n < 0 && errno == EINTR);
	return n;
}

int signet_transport_receive(WOLFSSL *ssl, char *data, int size, void *context)
{
	struct signet_transport *transport = context;
	ssize_t n;

	(void)ssl;
	n = read_some(transport, data, size);
	if (n > 0) {
		keep_greeting(transport, data, n);
		if (!transport->is_server)
			keep_hello(transport, data, n);
		return n;
	}
	if (n < 0 && would_block(errno)) {
		transport->events = POLLIN;
		return WOLFSSL_CBIO_ERR_WANT_READ;
	}
	if (!n) {
		transport->error = -ECONNABORTED;
		return WOLFSSL_CBIO_ERR_CONN_CLOSE;
	}
	transport->error = -errno;
	return WOLFSSL_CBIO_ERR_GENERAL;
}

/* wolfSSL sends whole records, often several at once. */
static void watch_records(struct signet_transport *transport, const unsigned char *data,
			  size_t size)
{
	size_t length;

	for (; size >= RECORD_HEADER; data += length, size -= length) {
		length = RECORD_HEADER + number(data + 3, 2);
		if (length > size)
			return;
		if (data[0] == CHANGE_CIPHER_SPEC)
			transport->ciphering = true;
		else if (transport->ciphering && data[0] == HANDSHAKE &&
			 length >= RECORD_HEADER + sizeof(transport->nonce))
			transport->nonce = number(data + RECORD_HEADER, sizeof(transport->nonce));
	}
}

static bool make_room(struct signet_transport *transport, size_t size)
{
	size_t room = transport->out_len + size;
	unsigned char *out;

	if (room <= transport->out_room)
		return true;
	if (room > OUT_MAX)
		return false;
	room = (room + OUT_STEP - 1) / OUT_STEP * OUT_STEP;
	out = realloc(transport->out, room);
	if (!out)
		return false;
	transport->out = out;
	transport->out_room = room;
	return true;
}

int signet_transport_send(WOLFSSL *ssl, char *data, int size, void *context)
{
	struct signet_transport *transport = context;

	(void)ssl;
	if (!make_room(transport, size)) {
		transport->error = -ENOMEM;
		return WOLFSSL_CBIO_ERR_GENERAL;
	}
	memcpy(transport->out + transport->out_len, data, size);
	transport->out_len += size;
	watch_records(transport, (unsigned char *)data, size);
	if (transport->is_server)
		keep_hello(transport, data, size);
	return size;
}

static ssize_t write_some(const struct signet_transport *transport)
{
	ssize_t n;

	do {
		n = transport->is_socket ? send(transport->fd, transport->out, transport->out_len,
						MSG_DONTWAIT | MSG_NOSIGNAL) :
					   write(transport->fd, transport->out, transport->out_len);
	} while (n < 0 && errno == EINTR);
	return n;
}

int signet_transport_flush(struct signet_transport *transport)
{
	ssize_t n;

	while (transport->out_len) {
		n = write_some(transport);
		if (n < 0 && would_block(errno)) {
			transport->events = POLLOUT;
			return POLLOUT;
		}
		if (n <= 0) {
			/* The first error counts: an alert may be tried on a dead connection. */
			if (!transport->error)
				transport->error = n && errno != EPIPE ? -errno : -ECONNRESET;
			transport->out_len = 0;
			return transport->error;
		}
		transport->out_len -= n;
		memmove(transport->out, transport->out + n, transport->out_len);
	}
	/* A handshake that waits for its peer, perhaps for long, holds no more than it has to. */
	drop_output(transport);
	return 0;
}

void signet_transport_alert(struct signet_transport *transport, unsigned int description)
{
	unsigned char alert[] = { ALERT, 3, 3, 0, 2, ALERT_FATAL, description };

	transport->out_len = 0;
	if (!make_room(transport, sizeof(alert)))
		return;
	memcpy(transport->out, alert, sizeof(alert));
	transport->out_len = sizeof(alert);
}

void signet_transport_give_up(struct signet_transport *transport)
{
	size_t dropped = 0;
	ssize_t n;

	(void)signet_transport_flush(transport);
	if (!transport->is_socket)
		return;
	(void)shutdown(transport->fd, SHUT_WR);
	do {
		n = recv(transport->fd, NULL, DROP_MAX, MSG_DONTWAIT | MSG_TRUNC);
		if (n > 0)
			dropped += n;
	} while (n > 0 && dropped < DROP_MAX);
}

int64_t signet_transport_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int signet_transport_wait(const struct signet_transport *transport, int64_t deadline)
{
	struct pollfd waiting = { .fd = transport->fd, .events = transport->events };
	int64_t left = -1;
	int ret;

	do {
		if (deadline >= 0) {
			left = deadline - signet_transport_now();
			if (left <= 0)
				return -ETIMEDOUT;
			if (left > INT_MAX)
				left = INT_MAX;
		}
		ret = poll(&waiting, 1, left);
		/* Out of time is only what the clock says, above. */
	} while (!ret || (ret < 0 && errno == EINTR));
	return ret < 0 ? -errno : 0;
}
