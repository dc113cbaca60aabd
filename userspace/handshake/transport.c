// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

/* change_cipher_spec to application_data (RFC 8446 5.1). */
#define FIRST_CONTENT_TYPE 20
#define LAST_CONTENT_TYPE 23
/* Of legacy_record_version, in every version since SSL 3.0. */
#define LEGACY_MAJOR 3

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

int signet_transport_receive(WOLFSSL *ssl, char *data, int size, void *context)
{
	struct signet_transport *transport = context;
	ssize_t n;

	(void)ssl;
	do {
		n = recv(transport->fd, data, size, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		keep_greeting(transport, data, n);
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

int signet_transport_send(WOLFSSL *ssl, char *data, int size, void *context)
{
	struct signet_transport *transport = context;
	ssize_t n;

	(void)ssl;
	do {
		n = send(transport->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	if (would_block(errno)) {
		transport->events = POLLOUT;
		return WOLFSSL_CBIO_ERR_WANT_WRITE;
	}
	/* The first error counts: an alert may be tried on a dead connection. */
	if (!transport->error)
		transport->error = errno == EPIPE ? -ECONNRESET : -errno;
	return WOLFSSL_CBIO_ERR_GENERAL;
}

void signet_transport_give_up(const struct signet_transport *transport)
{
	size_t dropped = 0;
	ssize_t n;

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
