// SPDX-License-Identifier: MIT
/* The options that say how a handshake shall be, before it begins. */
#include <signet.h>

#include <errno.h>
#include <string.h>

#include "option.h"

int signet_set_profile(int fd, const char *name)
{
	return name ? signet_option_set_text(fd, SIGNET_PROFILE, name) : -EINVAL;
}

int signet_set_ca(int fd, const char *name)
{
	return name ? signet_option_set_text(fd, SIGNET_CA, name) : -EINVAL;
}

/* Each protocol gets a byte of length before it, in place of the comma (RFC 7301 3.1). */
int signet_set_alpn(int fd, const char *protocols)
{
	unsigned char list[SIGNET_STRING_MAX];
	size_t at = 0, len;

	if (!protocols)
		return -EINVAL;
	while (*protocols) {
		len = strcspn(protocols, ",");
		/* The comma at the end would be before another one. */
		if (!len || (protocols[len] && !protocols[len + 1]))
			return -EINVAL;
		if (at + 1 + len > sizeof(list))
			return -EMSGSIZE;
		list[at] = len;
		memcpy(list + at + 1, protocols, len);
		at += 1 + len;
		protocols += len + !!protocols[len];
	}
	return signet_option_set(fd, SIGNET_ALPN, list, at);
}

int signet_set_min_version(int fd, unsigned int version)
{
	return signet_option_set_number(fd, SIGNET_MIN_VERSION, version);
}

int signet_set_client_auth(int fd, enum signet_client_auth client_auth)
{
	return signet_option_set_number(fd, SIGNET_CLIENT_AUTH, client_auth);
}

int signet_set_pins(int fd, const void *digests, size_t count)
{
	if (count > SIGNET_PINS_MAX || (count && !digests))
		return -EINVAL;
	return signet_option_set(fd, SIGNET_PIN, digests, count * SIGNET_PIN_LEN);
}

int signet_set_timeout(int fd, unsigned int milliseconds)
{
	return signet_option_set_number(fd, SIGNET_TIMEOUT, milliseconds);
}
