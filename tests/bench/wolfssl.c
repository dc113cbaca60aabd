// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wolfSSL in userspace: wolfSSL_write() and wolfSSL_read() on the sockets themselves.
 */
#include <wolfssl/options.h>

#include "connection.h"

#include <err.h>
#include <errno.h>
#include <wolfssl/ssl.h>

#include "identity.h"

static const char *cipher_list(const struct suite *suite)
{
	if (suite->iana == 0x1301)
		return "TLS13-AES128-GCM-SHA256";
	if (suite->iana == 0x1302)
		return "TLS13-AES256-GCM-SHA384";
	return "TLS13-CHACHA20-POLY1305-SHA256";
}

static WOLFSSL_CTX *context_new(int is_server, const struct suite *suite)
{
	WOLFSSL_CTX *context = wolfSSL_CTX_new(is_server ? wolfTLSv1_3_server_method() :
							   wolfTLSv1_3_client_method());
	const struct identity *identity = identity_get();

	if (!context || wolfSSL_CTX_set_cipher_list(context, cipher_list(suite)) != WOLFSSL_SUCCESS)
		errx(1, "wolfSSL: no context for %s", suite->name);
	if (!is_server) {
		wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, NULL);
		return context;
	}
	wolfSSL_CTX_no_ticket_TLSv13(context);
	if (wolfSSL_CTX_use_certificate_buffer(context, identity->certificate,
					       identity->certificate_len,
					       WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS ||
	    wolfSSL_CTX_use_PrivateKey_buffer(context, identity->key, identity->key_len,
					      WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS)
		errx(1, "wolfSSL: no certificate");
	return context;
}

static int step(WOLFSSL *ssl, int is_server)
{
	int ret = is_server ? wolfSSL_accept(ssl) : wolfSSL_connect(ssl);

	if (ret == WOLFSSL_SUCCESS)
		return 1;
	ret = wolfSSL_get_error(ssl, ret);
	if (ret != WOLFSSL_ERROR_WANT_READ && ret != WOLFSSL_ERROR_WANT_WRITE)
		errx(1, "wolfSSL: handshake: error %d", ret);
	return 0;
}

static int wolfssl_secure(struct connection *connection, const struct suite *suite)
{
	int done[2] = { 0, 0 };

	wolfSSL_Init();
	for (int i = 0; i < 2; i++) {
		WOLFSSL_CTX *context = context_new(i, suite);
		WOLFSSL *ssl = wolfSSL_new(context);

		wolfSSL_CTX_free(context);
		if (!ssl || wolfSSL_set_fd(ssl, connection->fd[i]) != WOLFSSL_SUCCESS)
			errx(1, "wolfSSL: no session");
		connection->session[i] = ssl;
		set_blocking(connection->fd[i], 0);
	}
	while (!done[0] || !done[1]) {
		for (int i = 0; i < 2; i++) {
			if (!done[i])
				done[i] = step(connection->session[i], i);
		}
	}
	set_blocking(connection->fd[0], 1);
	set_blocking(connection->fd[1], 1);
	return 0;
}

static ssize_t wolfssl_send(void *session, const void *from, size_t len)
{
	int ret = wolfSSL_write(session, from, len);

	if (ret > 0)
		return ret;
	errno = EIO;
	return -1;
}

static ssize_t wolfssl_receive(void *session, void *to, size_t len)
{
	int ret = wolfSSL_read(session, to, len);

	if (ret > 0)
		return ret;
	errno = EIO;
	return -1;
}

static void wolfssl_close(void *session)
{
	wolfSSL_free(session);
}

const struct transport transport_wolfssl = {
	.name = "wolfSSL",
	.secure = wolfssl_secure,
	.send = wolfssl_send,
	.receive = wolfssl_receive,
	.close = wolfssl_close,
};
