// SPDX-License-Identifier: MIT
#include <signet.h>

#include <errno.h>
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
	return signet_option_get_text(fd, SIGNET_ERROR, text, size);
}

int signet_ticket(int fd, void *buffer, size_t size)
{
	return signet_option_get_bytes(fd, SIGNET_TICKET, buffer, size);
}
