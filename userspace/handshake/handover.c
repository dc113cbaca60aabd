// SPDX-License-Identifier: GPL-3.0-or-later
#include <signet-handshake.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "engine.h"

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
static int hand_over(int fd, struct signet_engine *engine, struct signet_result *result)
{
	int ret;

	ret = signet_attach(fd);
	if (ret == -ENOENT)
		return fail(result, ret, "the handshake succeeded, but signet.ko is not loaded");
	if (ret)
		goto refused;
	ret = signet_install(fd, signet_engine_keys(engine), NULL, 0);
	if (ret)
		goto refused;
	return 0;

refused:
	result->error = ret;
	snprintf(result->text, sizeof(result->text), "the module did not take the connection: %s",
		 signet_strerror(ret));
	return ret;
}

static int handshake(const struct signet_config *config, int fd, const char *server_name,
		     struct signet_result *result)
{
	struct signet_engine *engine;
	int ret;

	ret = signet_engine_new(config, fd, server_name, &engine);
	if (ret == -EINVAL)
		return fail(result, ret, "the server name is neither a DNS name nor an address");
	if (ret)
		return fail(result, ret, signet_strerror(ret));
	ret = signet_engine_run(engine);
	signet_engine_result(engine, result);
	if (!ret)
		ret = hand_over(fd, engine, result);
	signet_engine_free(engine);
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
	return handshake(config, fd, server_name, result);
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
	return handshake(config, fd, NULL, result);
}
