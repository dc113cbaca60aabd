// SPDX-License-Identifier: GPL-3.0-or-later
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "../../userspace/certificates.h"
#include "../../userspace/tap.h"
#include "trial.h"

static const char *version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

static void *open_server(const struct trial *trial)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
	    !SSL_CTX_use_certificate_chain_file(context,
						in_certificates("%s.pem", trial->certificate)) ||
	    !SSL_CTX_use_PrivateKey_file(context, in_certificates("%s.key", trial->certificate),
					 SSL_FILETYPE_PEM) ||
	    !SSL_CTX_set1_groups_list(context, trial->group))
		bail("OpenSSL's server for %s: %s", trial->title,
		     ERR_error_string(ERR_get_error(), NULL));
	/* Its tickets need no cache. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return context;
}

static void *begin(void *configuration, int fd)
{
	SSL *ssl = SSL_new(configuration);

	if (!ssl || !SSL_set_fd(ssl, fd))
		bail("no SSL of OpenSSL");
	SSL_set_accept_state(ssl);
	return ssl;
}

static int step(void *connection)
{
	int ret = SSL_do_handshake(connection);

	if (ret == 1)
		return 0;
	if (SSL_get_error(connection, ret) != SSL_ERROR_WANT_READ)
		bail("OpenSSL's server: %s", ERR_error_string(ERR_get_error(), NULL));
	return 1;
}

static void end(void *connection)
{
	SSL_free(connection);
}

static void close_server(void *configuration)
{
	SSL_CTX_free(configuration);
}

const struct server server_openssl = {
	.name = "OpenSSL",
	.version = version,
	.open = open_server,
	.begin = begin,
	.step = step,
	.end = end,
	.close = close_server,
};
