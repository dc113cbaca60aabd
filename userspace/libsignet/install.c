// SPDX-License-Identifier: MIT
#include <signet.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

/* The option is one block: the left-over bytes follow the secrets. */
static int install_with_leftover(int fd, const struct signet_keys *keys, const void *leftover,
				 size_t leftover_len)
{
	size_t size = sizeof(*keys) + leftover_len;
	char *option;
	int ret;

	option = malloc(size);
	if (!option)
		return -ENOMEM;
	memcpy(option, keys, sizeof(*keys));
	memcpy(option + sizeof(*keys), leftover, leftover_len);
	ret = signet_option_set(fd, SIGNET_KEYS, option, size);
	explicit_bzero(option, size);
	free(option);
	return ret;
}

int signet_install(int fd, struct signet_keys *keys, const void *leftover, size_t leftover_len)
{
	if (!keys || (leftover_len && !leftover))
		return -EINVAL;
	if (leftover_len > SIGNET_LEFTOVER_MAX)
		return -EMSGSIZE;

	keys->size = sizeof(*keys);
	keys->leftover_len = leftover_len;
	if (leftover_len)
		return install_with_leftover(fd, keys, leftover, leftover_len);
	return signet_option_set(fd, SIGNET_KEYS, keys, sizeof(*keys));
}
