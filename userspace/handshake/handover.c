// SPDX-License-Identifier: GPL-3.0-or-later
#include <signet-handshake.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cache.h"
#include "handshake.h"

static int fail(struct signet_result *result, int error, const char *text)
{
	result->error = error;
	snprintf(result->text, sizeof(result->text), "%s", text);
	return error;
}

/*
 * The handshake's last record ends where wolfSSL stopped reading, so what is left unread in the
 * socket is the module's, and there are no left-over bytes to give to it.
 */
int signet_handshake_finish(struct signet_handshake *handshake)
{
	const struct signet_config *config = handshake->config;
	int fd = handshake->transport.fd, ret;

	if (!handshake->complete)
		return -EINVAL;
	ret = signet_attach(fd);
	if (ret == -ENOENT)
		return signet_failure_set(&handshake->failure, ret,
					  "the handshake succeeded, but signet.ko is not loaded");
	if (!ret)
		ret = signet_install(fd, &handshake->secrets->keys, NULL, 0);
	if (ret)
		return signet_failure_set(&handshake->failure, ret,
					  "the module did not take the connection: %s",
					  signet_strerror(ret));
	if (config->cache && handshake->secrets->resumption.secret_len)
		signet_cache_expect(config->cache, fd, &handshake->secrets->resumption);
	return 0;
}

static int run(const struct signet_config *config, int fd, const char *server_name,
	       struct signet_result *result)
{
	struct signet_handshake *handshake;
	socklen_t size = sizeof(int);
	int type, ret;

	/* Before anything is written into a file, say, or a terminal. */
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size)) {
		ret = -errno;
		return fail(result, ret, signet_strerror(ret));
	}
	ret = signet_handshake_new(config, fd, server_name, &handshake);
	if (ret == -EINVAL && server_name)
		return fail(result, ret, "the server name is neither a DNS name nor an address");
	if (ret == -EINVAL)
		return fail(result, ret, "client certificates are asked for, but no CA is trusted");
	if (ret)
		return fail(result, ret, signet_strerror(ret));
	ret = signet_handshake_run(handshake);
	if (!ret)
		ret = signet_handshake_finish(handshake);
	signet_handshake_result(handshake, result);
	signet_handshake_free(handshake);
	return ret;
}

int signet_connect(const struct signet_config *config, int fd, const char *server_name,
		   struct signet_result *result)
{
	struct signet_result unused;

	if (!result)
		result = &unused;
	memset(result, 0, sizeof(*result));
	if (!config || config->role != SIGNET_ROLE_CLIENT)
		return fail(result, -EINVAL, "the configuration is not a client's");
	if (!server_name || !*server_name)
		return fail(result, -EINVAL, "a server name is needed: it is what is verified");
	return run(config, fd, server_name, result);
}

int signet_accept(const struct signet_config *config, int fd, struct signet_result *result)
{
	struct signet_result unused;

	if (!result)
		result = &unused;
	memset(result, 0, sizeof(*result));
	if (!config || config->role != SIGNET_ROLE_SERVER)
		return fail(result, -EINVAL, "the configuration is not a server's");
	if (!config->presents)
		return fail(result, -EINVAL, "the server has no certificate");
	return run(config, fd, NULL, result);
}
