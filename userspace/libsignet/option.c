// SPDX-License-Identifier: MIT
#include "option.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include <linux/signet.h>

int signet_option_set(int fd, int option, const void *value, socklen_t size)
{
	return setsockopt(fd, SOL_SIGNET, option, value, size) ? -errno : 0;
}

int signet_option_set_number(int fd, int option, unsigned int number)
{
	uint32_t value = number;

	return signet_option_set(fd, option, &value, sizeof(value));
}

int signet_option_set_text(int fd, int option, const char *text)
{
	/* More than that is too long, however much it is. */
	return signet_option_set(fd, option, text, strnlen(text, SIGNET_STRING_MAX + 2));
}

int signet_option_get(int fd, int option, void *value, socklen_t *size)
{
	if (!getsockopt(fd, SOL_SIGNET, option, value, size))
		return 0;
	/* What IPv4 says of a level that it does not know; IPv6 says the other. */
	return errno == EOPNOTSUPP ? -ENOPROTOOPT : -errno;
}

int signet_option_get_text(int fd, int option, char *text, size_t size)
{
	socklen_t len;
	int ret;

	if (!text || !size)
		return -EINVAL;
	/* The last byte is not offered, so that it stays the terminator. */
	memset(text, 0, size);
	len = size - 1 < INT_MAX ? size - 1 : INT_MAX;
	ret = signet_option_get(fd, option, text, &len);
	if (ret)
		text[0] = '\0';
	return ret;
}

int signet_option_get_bytes(int fd, int option, void *buffer, size_t size)
{
	socklen_t len = size < INT_MAX ? size : INT_MAX;
	int ret;

	if (!buffer)
		return -EINVAL;
	ret = signet_option_get(fd, option, buffer, &len);
	return ret ? ret : (int)len;
}
