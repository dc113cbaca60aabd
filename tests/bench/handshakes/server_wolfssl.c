// SPDX-License-Identifier: GPL-3.0-or-later
/* wolfSSL as it comes from scripts/build-wolfssl, without the engine around it. */
#include <stdio.h>
#include <strings.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>

#include "../../../userspace/handshake/file.h"
#include "../../../userspace/handshake/suite.h"
#include "../../userspace/certificates.h"
#include "../../userspace/tap.h"
#include "trial.h"

static const char *version(void)
{
	return "wolfSSL " LIBWOLFSSL_VERSION_STRING;
}

static void load(WOLFSSL_CTX *context, const struct trial *trial)
{
	struct signet_file chain, key;

	if (signet_file_read(&chain, in_certificates("%s.pem", trial->certificate)) ||
	    signet_file_read(&key, in_certificates("%s.key", trial->certificate)) ||
	    wolfSSL_CTX_use_certificate_chain_buffer(context, (unsigned char *)chain.data,
						     chain.size) != WOLFSSL_SUCCESS ||
	    wolfSSL_CTX_use_PrivateKey_buffer(context, (unsigned char *)key.data, key.size,
					      WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
		bail("wolfSSL cannot use %s", trial->certificate);
	signet_file_free(&chain);
	signet_file_free(&key);
}

static void *open_server(const struct trial *trial)
{
	WOLFSSL_CTX *context;
	int groups[1];

	wolfSSL_Init();
	context = wolfSSL_CTX_new(wolfTLSv1_3_server_method());
	if (!context || signet_group_list(groups, 1, trial->group) != 1 ||
	    wolfSSL_CTX_set_groups(context, groups, 1) != WOLFSSL_SUCCESS ||
	    wolfSSL_CTX_set_num_tickets(context, 2) != WOLFSSL_SUCCESS)
		bail("wolfSSL's server for %s", trial->title);
	/* One write for a flight, as the others have it. */
	wolfSSL_CTX_set_group_messages(context);
	wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
	load(context, trial);
	return context;
}

static void *begin(void *configuration, int fd)
{
	WOLFSSL *ssl = wolfSSL_new(configuration);

	if (!ssl || wolfSSL_set_fd(ssl, fd) != WOLFSSL_SUCCESS)
		bail("no WOLFSSL");
	wolfSSL_set_using_nonblock(ssl, 1);
	return ssl;
}

static int step(void *connection)
{
	int ret = wolfSSL_accept(connection);

	if (ret == WOLFSSL_SUCCESS)
		return 0;
	ret = wolfSSL_get_error(connection, ret);
	if (ret != WOLFSSL_ERROR_WANT_READ)
		bail("wolfSSL's server: error %d", ret);
	return 1;
}

static void end(void *connection)
{
	wolfSSL_free(connection);
}

static void close_server(void *configuration)
{
	wolfSSL_CTX_free(configuration);
	wolfSSL_Cleanup();
}

const struct server server_wolfssl = {
	.name = "wolfSSL",
	.version = version,
	.open = open_server,
	.begin = begin,
	.step = step,
	.end = end,
	.close = close_server,
};
