// SPDX-License-Identifier: GPL-3.0-or-later
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

#include "engine.h"
#include "verify.h"

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

/* The SPIFFE id comes before the name that was asked for. */
static size_t append_peer_name(uint8_t **at, const struct signet_verify *verify,
			       const struct signet_result *result)
{
	if (verify->spiffe && strlen(verify->spiffe) <= SIGNET_STRING_MAX)
		return append(at, verify->spiffe, strlen(verify->spiffe));
	return append(at, result->peer, strlen(result->peer));
}

/* Bytes of the DER element at @der, a certificate (X.690 8.1.3); 0 for none. */
static size_t der_length(const unsigned char *der, size_t size)
{
	size_t length;
	unsigned int bytes;

	if (size < 2)
		return 0;
	if (der[1] < 0x80)
		return size >= 2u + der[1] ? 2u + der[1] : 0;
	bytes = der[1] & 0x7f;
	if (!bytes || bytes > 3 || size < 2 + bytes)
		return 0;
	length = 0;
	for (unsigned int i = 0; i < bytes; i++)
		length = length << 8 | der[2 + i];
	length += 2 + bytes;
	return length <= size ? length : 0;
}

/* Each certificate with three bytes of length before it, as many as there is room for. */
static size_t append_chain(uint8_t **at, const struct signet_verify *verify)
{
	const unsigned char *der = verify->chain;
	size_t left = der ? verify->chain_length : 0, total = 0, length;

	while ((length = der_length(der, left)) && total + 3 + length <= SIGNET_CHAIN_MAX) {
		const uint8_t prefix[] = { length >> 16, length >> 8, length };

		total += append(at, prefix, sizeof(prefix));
		total += append(at, der, length);
		der += length;
		left -= length;
	}
	return total;
}

/* Return: the whole length. */
static size_t fill(struct upcall *upcall, struct signet_handover *handover)
{
	struct signet_handshake *handshake = upcall->handshake;
	const struct signet_verify *verify = signet_handshake_verify(handshake);
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
	handover->peer_name_len = append_peer_name(&at, verify, &result);
	handover->session_len = append_session(&at, upcall);
	handover->chain_len = append_chain(&at, verify);
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
	/* A server that refuses us may reset the connection behind its alert, which is lost then. */
	if (error == ENOTCONN) {
		snprintf(text, SIGNET_STRING_MAX + 1,
			 "the connection was reset when the handshake was complete on this side");
		return ECONNRESET;
	}
	if (error)
		snprintf(text, SIGNET_STRING_MAX + 1, "the kernel did not take the keys: %s",
			 strerror(error));
	return error;
}
