// SPDX-License-Identifier: GPL-2.0-only
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int helper_open(void)
{
	struct signet_hello hello = { .version = SIGNET_HELPER_VERSION };
	int error, device = open(SIGNET_DEVICE, O_RDWR | O_CLOEXEC);

	if (device < 0 || !ioctl(device, SIGNET_IOC_HELLO, &hello))
		return device;
	error = errno;
	close(device);
	errno = error;
	return -1;
}

int helper_request(int device, struct signet_request *request)
{
	memset(request, 0xff, sizeof(*request));
	request->size = sizeof(*request);
	return ioctl(device, SIGNET_IOC_REQUEST, request) ? -1 : request->channel;
}

static size_t append(uint8_t *to, const void *from, size_t len)
{
	if (len)
		memcpy(to, from, len);
	return len;
}

static size_t text_len(const char *text)
{
	return text ? strlen(text) : 0;
}

int helper_hand_over(int channel, const struct signet_keys *keys,
		     const struct helper_result *result)
{
	static const struct helper_result nothing;
	struct signet_handover *handover;
	size_t at = sizeof(*handover);
	int error, ret;

	if (!result)
		result = &nothing;
	handover =
		calloc(1, sizeof(*handover) + 4 * 1024 + result->session_len + result->chain_len);
	if (!handover)
		return -1;
	handover->size = sizeof(*handover);
	handover->flags = result->flags;
	handover->group = result->group;
	handover->keys = *keys;
	handover->exporter_len = result->exporter_len;
	if (result->exporter_len <= sizeof(handover->exporter))
		append(handover->exporter, result->exporter, result->exporter_len);
	handover->alpn_len = text_len(result->alpn);
	handover->server_name_len = text_len(result->server_name);
	handover->peer_name_len = text_len(result->peer_name);
	handover->session_len = result->session_len;
	handover->chain_len = result->chain_len;
	at += append((uint8_t *)handover + at, result->alpn, handover->alpn_len);
	at += append((uint8_t *)handover + at, result->server_name, handover->server_name_len);
	at += append((uint8_t *)handover + at, result->peer_name, handover->peer_name_len);
	at += append((uint8_t *)handover + at, result->session, result->session_len);
	append((uint8_t *)handover + at, result->chain, result->chain_len);
	ret = ioctl(channel, SIGNET_IOC_HANDOVER, handover);
	error = errno;
	free(handover);
	errno = error;
	return ret;
}

int helper_refuse(int channel, int error, unsigned int alert, const char *text)
{
	struct signet_refusal refusal = {
		.size = sizeof(refusal),
		.error = error,
		.alert_sent = alert,
	};

	strncpy(refusal.text, text, sizeof(refusal.text) - 1);
	return ioctl(channel, SIGNET_IOC_REFUSE, &refusal);
}

int text_option(int fd, int option, const char *text)
{
	return setsockopt(fd, SOL_SIGNET, option, text, strlen(text));
}

int begin(int fd, enum signet_role role, const char *text)
{
	uint8_t value[1 + 2 * SIGNET_STRING_MAX] = { role };

	memcpy(value + 1, text, strlen(text));
	return setsockopt(fd, SOL_SIGNET, SIGNET_BEGIN, value, 1 + strlen(text));
}

const char *text_of(int fd, int option)
{
	static char text[SIGNET_STRING_MAX + 1];
	socklen_t len = sizeof(text) - 1;

	errno = 0;
	if (getsockopt(fd, SOL_SIGNET, option, text, &len))
		len = 0;
	text[len] = '\0';
	return text;
}
