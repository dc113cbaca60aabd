// SPDX-License-Identifier: MIT
#include <signet.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static int get(int fd, int option, void *value, socklen_t size)
{
	if (!getsockopt(fd, SOL_SIGNET, option, value, &size))
		return 0;
	/* What IPv4 says of a level that it does not know; IPv6 says the other. */
	return errno == EOPNOTSUPP ? -ENOPROTOOPT : -errno;
}

int signet_info(int fd, struct signet_info *info)
{
	if (!info)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	return get(fd, SIGNET_INFO, info, sizeof(*info));
}

int signet_error(int fd, char *text, size_t size)
{
	int ret;

	if (!text || !size)
		return -EINVAL;
	/* The last byte is not offered, so that it stays the terminator of a cut text. */
	memset(text, 0, size);
	ret = get(fd, SIGNET_ERROR, text, size - 1);
	if (ret)
		text[0] = '\0';
	return ret;
}
