// SPDX-License-Identifier: MIT
/* The options that ask for a handshake. */
#include <signet.h>

#include <errno.h>
#include <string.h>

#include "option.h"

int signet_tls_connect(int fd, const char *server_name)
{
	return signet_option_set_text(fd, SIGNET_CONNECT, server_name ? server_name : "");
}

int signet_tls_accept(int fd, const char *profile)
{
	return signet_option_set_text(fd, SIGNET_ACCEPT, profile ? profile : "");
}

int signet_tls_begin(int fd, enum signet_role role, const char *text)
{
	char value[1 + SIGNET_STRING_MAX];
	size_t len = text ? strlen(text) : 0;
	int ret;

	if (len > SIGNET_STRING_MAX)
		return -EMSGSIZE;
	value[0] = role;
	if (len)
		memcpy(value + 1, text, len);
	ret = signet_option_set(fd, SIGNET_BEGIN, value, 1 + len);
	return ret == -EINPROGRESS ? 0 : ret;
}

int signet_tls_result(int fd)
{
	struct signet_info info;
	int ret = signet_info(fd, &info);

	if (ret)
		return ret;
	switch (info.state) {
	case SIGNET_STATE_GATED:
		return -ENOTCONN;
	case SIGNET_STATE_HANDSHAKE:
		return -EINPROGRESS;
	case SIGNET_STATE_FAILED:
		return -(int)info.error;
	default:
		return 0;
	}
}
