// SPDX-License-Identifier: GPL-3.0-or-later
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

#include "engine.h"

/* IANA's numbers of the groups that the engine has. */
static uint16_t group_number(const char *name)
{
	static const struct {
		const char *name;
		uint16_t number;
	} groups[] = {
		{ "secp256r1", 23 },
		{ "secp384r1", 24 },
		{ "secp521r1", 25 },
		{ "x25519", 29 },
		{ "SecP256r1MLKEM768", 4587 },
		{ "X25519MLKEM768", 4588 },
		{ "SecP384r1MLKEM1024", 4589 },
	};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!strcasecmp(groups[i].name, name))
			return groups[i].number;
	return 0;
}

/* Adds what follows the structure. Return: how much it was. */
static size_t append(uint8_t **at, const void *data, size_t size)
{
	memcpy(*at, data, size);
	*at += size;
	return size;
}

/* What comes back with each ticket: where its session belongs, and what the engine needs. */
static size_t append_session(uint8_t **at, const struct upcall *upcall)
{
	uint8_t blob[SIGNET_RESUMPTION_MAX];
	size_t size = 0;
	int length;

	if (upcall->role != SIGNET_ROLE_CLIENT || !upcall->profile->settings->resume)
		return 0;
	length = signet_handshake_resumption_blob(upcall->handshake, blob);
	if (length > 0 && length <= SIGNET_SESSION_MAX - SESSION_KEY_SIZE) {
		size = append(at, upcall->session_key, SESSION_KEY_SIZE);
		size += append(at, blob, length);
	}
	explicit_bzero(blob, sizeof(blob));
	return size;
}

/* Return: the whole length. */
static size_t fill(struct upcall *upcall, struct signet_handover *handover)
{
	struct signet_handshake *handshake = upcall->handshake;
	uint8_t *at = (uint8_t *)(handover + 1);
	const unsigned char *exporter;
	struct signet_result result;
	size_t length;

	signet_handshake_result(handshake, &result);
	memset(handover, 0, sizeof(*handover));
	handover->size = sizeof(*handover);
	handover->flags = result.resumed ? SIGNET_HANDOVER_RESUMED : 0;
	handover->group = group_number(result.group);
	handover->keys = *signet_handshake_keys(handshake);
	length = signet_handshake_exporter(handshake, &exporter);
	if (length <= sizeof(handover->exporter)) {
		memcpy(handover->exporter, exporter, length);
		handover->exporter_len = length;
	}
	handover->alpn_len = append(&at, result.alpn, strlen(result.alpn));
	handover->server_name_len = append(&at, result.server_name, strlen(result.server_name));
	handover->peer_name_len = append(&at, result.peer, strlen(result.peer));
	handover->session_len = append_session(&at, upcall);
	return at - (uint8_t *)handover;
}

int result_hand_over(struct upcall *upcall, void *buffer, char *text)
{
	int error = 0;
	size_t size;

	size = fill(upcall, buffer);
	if (ioctl(upcall->channel, SIGNET_IOC_HANDOVER, buffer) < 0)
		error = errno;
	explicit_bzero(buffer, size);
	if (error)
		snprintf(text, SIGNET_STRING_MAX + 1, "the kernel did not take the keys: %s",
			 strerror(error));
	return error;
}
