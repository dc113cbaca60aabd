// SPDX-License-Identifier: MIT
/* What a handshake that a helper completed has agreed upon, and with whom. */
#include <signet.h>

#include <errno.h>
#include <string.h>

#include "option.h"

/* RFC 9266 4.2. */
#define CHANNEL_BINDING "EXPORTER-Channel-Binding"

int signet_alpn(int fd, char *text, size_t size)
{
	return signet_option_get_text(fd, SIGNET_ALPN, text, size);
}

int signet_peer_name(int fd, char *text, size_t size)
{
	return signet_option_get_text(fd, SIGNET_PEER_NAME, text, size);
}

int signet_server_name(int fd, char *text, size_t size)
{
	return signet_option_get_text(fd, SIGNET_SERVER_NAME, text, size);
}

int signet_peer(int fd, void *buffer, size_t size)
{
	return signet_option_get_bytes(fd, SIGNET_PEER, buffer, size);
}

/* A NUL is between label and context. */
static int set_label(int fd, const char *label, const void *context, size_t context_len)
{
	char value[SIGNET_EXPORT_MAX];
	size_t len = strlen(label);

	if (!len)
		return -EINVAL;
	if (len >= sizeof(value) || context_len > sizeof(value) - len - 1)
		return -EMSGSIZE;
	memcpy(value, label, len + 1);
	if (context_len)
		memcpy(value + len + 1, context, context_len);
	return signet_option_set(fd, SIGNET_EXPORT, value, len + 1 + context_len);
}

int signet_export(int fd, const char *label, const void *context, size_t context_len, void *out,
		  size_t size)
{
	socklen_t len = size;
	int ret;

	if (!out || !size || (context_len && (!context || !label)))
		return -EINVAL;
	if (size > SIGNET_EXPORT_MAX)
		return -EMSGSIZE;
	ret = set_label(fd, label ? label : CHANNEL_BINDING, context, context_len);
	/* TLS 1.2 takes no label, and so has never had another one. */
	if (ret && (label || ret != -EOPNOTSUPP))
		return ret;
	return signet_option_get(fd, SIGNET_EXPORT, out, &len);
}
