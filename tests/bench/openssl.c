// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * OpenSSL in userspace: SSL_write() and SSL_read() on the sockets themselves.
 */
#include "connection.h"

#include <err.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "identity.h"

static SSL_CTX *context_new(int is_server, const struct suite *suite)
{
	SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
	const struct identity *identity = identity_get();

	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
	    !SSL_CTX_set_ciphersuites(context, suite->openssl))
		errx(1, "OpenSSL: no context for %s", suite->name);
	if (!is_server)
		return context;
	SSL_CTX_set_num_tickets(context, 0);
	if (!SSL_CTX_use_certificate_ASN1(context, identity->certificate_len,
					  identity->certificate) ||
	    !SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_EC, context, identity->key, identity->key_len))
		errx(1, "OpenSSL: no certificate");
	return context;
}

static int step(SSL *ssl)
{
	int ret = SSL_do_handshake(ssl);

	if (ret == 1)
		return 1;
	ret = SSL_get_error(ssl, ret);
	if (ret != SSL_ERROR_WANT_READ && ret != SSL_ERROR_WANT_WRITE)
		errx(1, "OpenSSL: handshake: %s", ERR_error_string(ERR_get_error(), NULL));
	return 0;
}

static int openssl_secure(struct connection *connection, const struct suite *suite)
{
	SSL *ssl[2];
	int done = 0;

	for (int i = 0; i < 2; i++) {
		SSL_CTX *context = context_new(i, suite);

		ssl[i] = SSL_new(context);
		SSL_CTX_free(context);
		if (!ssl[i] || !SSL_set_fd(ssl[i], connection->fd[i]))
			errx(1, "OpenSSL: no session");
		if (i)
			SSL_set_accept_state(ssl[i]);
		else
			SSL_set_connect_state(ssl[i]);
		connection->session[i] = ssl[i];
		set_blocking(connection->fd[i], 0);
	}
	while (done != 2)
		done = step(ssl[0]) + step(ssl[1]);
	set_blocking(connection->fd[0], 1);
	set_blocking(connection->fd[1], 1);
	return 0;
}

static ssize_t openssl_send(void *session, const void *from, size_t len)
{
	size_t written;

	if (SSL_write_ex(session, from, len, &written) == 1)
		return written;
	errno = EIO;
	return -1;
}

static ssize_t openssl_receive(void *session, void *to, size_t len)
{
	size_t got;

	if (SSL_read_ex(session, to, len, &got) == 1)
		return got;
	errno = EIO;
	return -1;
}

static void openssl_close(void *session)
{
	SSL_free(session);
}

const struct transport transport_openssl = {
	.name = "OpenSSL",
	.secure = openssl_secure,
	.send = openssl_send,
	.receive = openssl_receive,
	.close = openssl_close,
};
