// SPDX-License-Identifier: GPL-3.0-or-later
/* libsignet-handshake, by its step API, up to the secrets: what a program calls before the hand-over. */
#include <signet-handshake.h>

#include "../../userspace/certificates.h"
#include "../../userspace/tap.h"
#include "trial.h"

static const char *version(void)
{
	return "libsignet-handshake";
}

static void *open_server(const struct trial *trial)
{
	struct signet_config *config;

	if (signet_config_new(SIGNET_ROLE_SERVER, &config) ||
	    signet_config_certificate(config, in_certificates("%s.pem", trial->certificate),
				      in_certificates("%s.key", trial->certificate)) ||
	    signet_config_groups(config, trial->group))
		bail("the engine's server for %s", trial->title);
	return config;
}

static void *begin(void *configuration, int fd)
{
	struct signet_handshake *handshake;

	if (signet_handshake_new(configuration, fd, NULL, &handshake))
		bail("no handshake");
	return handshake;
}

static int step(void *connection)
{
	int ret = signet_handshake_step(connection);
	struct signet_result result;

	if (ret >= 0)
		return !!ret;
	signet_handshake_result(connection, &result);
	bail("the engine's server: %s", result.text);
}

static void end(void *connection)
{
	signet_handshake_free(connection);
}

static void close_server(void *configuration)
{
	signet_config_free(configuration);
}

const struct server server_signet = {
	.name = "signet",
	.version = version,
	.open = open_server,
	.begin = begin,
	.step = step,
	.end = end,
	.close = close_server,
};
