// SPDX-License-Identifier: GPL-2.0-only
#include "connection.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/signet.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

static const struct suite suites[] = {
	{ "AES-128-GCM", SIGNET_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256", "gcm(aes)", 16, 32 },
	{ "AES-256-GCM", SIGNET_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384", "gcm(aes)", 32, 48 },
	{ "ChaCha20-Poly1305", SIGNET_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256",
	  "rfc7539(chacha20,poly1305)", 32, 32 },
};

const struct suite *suite_find(const char *name)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) {
		if (!strcmp(suites[i].name, name))
			return &suites[i];
	}
	return NULL;
}

/* --- sockets -------------------- */

static void enter(const char *namespace)
{
	int fd;

	if (!namespace)
		return;
	fd = open(namespace, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", namespace);
	close(fd);
}

static struct sockaddr_in address_of(const struct path *path)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, path->address, &address.sin_addr) != 1)
		errx(1, "not an IPv4 address: %s", path->address);
	return address;
}

int path_listen(const struct path *path)
{
	struct sockaddr_in address = address_of(path);
	int fd;

	enter(path->receiver);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
		err(1, "listening socket");
	return fd;
}

static void set_buffers(int fd, int buffer)
{
	if (buffer && (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)) ||
		       setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer))))
		err(1, "socket buffers of %d bytes", buffer);
}

static void connect_pair(const struct path *path, int listener, int buffer, int fd[2])
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	int one = 1;

	if (getsockname(listener, (struct sockaddr *)&address, &len))
		err(1, "getsockname");
	enter(path->sender);
	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd[0] < 0)
		err(1, "socket");
	set_buffers(fd[0], buffer);
	set_buffers(listener, buffer); /* what it accepts has the same */
	if (connect(fd[0], (struct sockaddr *)&address, len))
		err(1, "connect");
	fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd[1] < 0)
		err(1, "accept");
	for (int i = 0; i < 2; i++)
		setsockopt(fd[i], SOL_TCP, TCP_NODELAY, &one, sizeof(one));
}

void set_blocking(int fd, int blocking)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK))
		err(1, "fcntl");
}

/* --- keys: they do not matter here, so both directions have the same -------------------- */

union ktls_keys {
	struct tls_crypto_info info;
	struct tls12_crypto_info_aes_gcm_128 aes_128;
	struct tls12_crypto_info_aes_gcm_256 aes_256;
	struct tls12_crypto_info_chacha20_poly1305 chacha;
};

static int ktls_end(int fd, const struct suite *suite)
{
	union ktls_keys keys = { .info = { .version = TLS_1_3_VERSION } };
	socklen_t len;

	switch (suite->iana) {
	case SIGNET_AES_128_GCM_SHA256:
		keys.info.cipher_type = TLS_CIPHER_AES_GCM_128;
		len = sizeof(keys.aes_128);
		break;
	case SIGNET_AES_256_GCM_SHA384:
		keys.info.cipher_type = TLS_CIPHER_AES_GCM_256;
		len = sizeof(keys.aes_256);
		break;
	default:
		keys.info.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
		len = sizeof(keys.chacha);
	}
	if (setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3) ||
	    setsockopt(fd, SOL_TLS, TLS_TX, &keys, len) ||
	    setsockopt(fd, SOL_TLS, TLS_RX, &keys, len))
		return -1;
	return 0;
}

static int ktls_secure(struct connection *connection, const struct suite *suite)
{
	return ktls_end(connection->fd[0], suite) || ktls_end(connection->fd[1], suite) ? -1 : 0;
}

static int ktls_no_pad_secure(struct connection *connection, const struct suite *suite)
{
	int one = 1;

	if (ktls_secure(connection, suite))
		return -1;
	return setsockopt(connection->fd[1], SOL_TLS, TLS_RX_EXPECT_NO_PAD, &one, sizeof(one));
}

static int signet_secure(struct connection *connection, const struct suite *suite)
{
	struct signet_crypto crypto = {
		.version = SIGNET_TLS_1_3,
		.suite = suite->iana,
		.secret_len = suite->secret_len,
	};
	struct signet_keys keys = { .size = sizeof(keys), .tx = crypto, .rx = crypto };

	for (int i = 0; i < 2; i++) {
		int fd = connection->fd[i];

		if (setsockopt(fd, SOL_TCP, TCP_ULP, SIGNET_ULP_NAME, strlen(SIGNET_ULP_NAME)) ||
		    setsockopt(fd, SOL_SIGNET, SIGNET_KEYS, &keys, sizeof(keys)))
			return -1;
	}
	return 0;
}

const struct transport transport_tcp = { .name = "TCP" };
const struct transport transport_ktls = { .name = "kTLS", .secure = ktls_secure };
const struct transport transport_ktls_no_pad = {
	.name = "kTLS NO_PAD",
	.secure = ktls_no_pad_secure,
};
const struct transport transport_signet = { .name = "Signet", .secure = signet_secure };

static const struct transport *const transports[] = {
	&transport_tcp,	   &transport_ktls,    &transport_ktls_no_pad,
	&transport_signet, &transport_openssl, &transport_wolfssl,
};

const struct transport *transport_find(const char *name)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++) {
		if (!strcmp(transports[i]->name, name))
			return transports[i];
	}
	return NULL;
}

/* --- connections -------------------- */

int connection_open(struct connection *connection, const struct path *path, int listener,
		    const struct transport *transport, const struct suite *suite, int buffer)
{
	int error;

	memset(connection, 0, sizeof(*connection));
	connection->transport = transport;
	connect_pair(path, listener, buffer, connection->fd);
	if (!transport->secure || !transport->secure(connection, suite))
		return 0;
	error = errno;
	connection_close(connection);
	errno = error;
	return -1;
}

void connection_close(struct connection *connection)
{
	for (int i = 0; i < 2; i++) {
		if (connection->session[i])
			connection->transport->close(connection->session[i]);
		close(connection->fd[i]);
	}
}

void connection_send(struct connection *connection, int end, const void *from, size_t len)
{
	const struct transport *transport = connection->transport;
	ssize_t sent;

	if (transport->send)
		sent = transport->send(connection->session[end], from, len);
	else
		sent = send(connection->fd[end], from, len, 0);
	if (sent != (ssize_t)len)
		err(1, "%s: send: %zd of %zu", transport->name, sent, len);
}

void connection_receive(struct connection *connection, int end, void *to, size_t len)
{
	const struct transport *transport = connection->transport;

	while (len) {
		ssize_t got;

		if (transport->receive)
			got = transport->receive(connection->session[end], to, len);
		else
			got = recv(connection->fd[end], to, len, 0);
		if (got <= 0)
			err(1, "%s: receive", transport->name);
		len -= got;
	}
}
