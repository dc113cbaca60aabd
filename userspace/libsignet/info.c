// SPDX-License-Identifier: MIT
#include <signet.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "option.h"

int signet_info(int fd, struct signet_info *info)
{
	socklen_t size = sizeof(*info);

	if (!info)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	return signet_option_get(fd, SIGNET_INFO, info, &size);
}

int signet_error(int fd, char *text, size_t size)
{
	socklen_t len;
	int ret;

	if (!text || !size)
		return -EINVAL;
	/* The last byte is not offered, so that it stays the terminator of a cut text. */
	memset(text, 0, size);
	len = size - 1 < INT_MAX ? size - 1 : INT_MAX;
	ret = signet_option_get(fd, SIGNET_ERROR, text, &len);
	if (ret)
		text[0] = '\0';
	return ret;
}

int signet_ticket(int fd, void *buffer, size_t size)
{
	socklen_t len = size < INT_MAX ? size : INT_MAX;
	int ret;

	if (!buffer)
		return -EINVAL;
	ret = signet_option_get(fd, SIGNET_TICKET, buffer, &len);
	return ret ? ret : (int)len;
}
