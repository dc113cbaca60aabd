// SPDX-License-Identifier: MIT
#include "option.h"

#include <errno.h>

#include <linux/signet.h>

int signet_option_set(int fd, int option, const void *value, socklen_t size)
{
	return setsockopt(fd, SOL_SIGNET, option, value, size) ? -errno : 0;
}

int signet_option_get(int fd, int option, void *value, socklen_t *size)
{
	if (!getsockopt(fd, SOL_SIGNET, option, value, size))
		return 0;
	/* What IPv4 says of a level that it does not know; IPv6 says the other. */
	return errno == EOPNOTSUPP ? -ENOPROTOOPT : -errno;
}
