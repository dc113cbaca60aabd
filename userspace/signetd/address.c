// SPDX-License-Identifier: GPL-3.0-or-later
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

uint16_t address_parts(const uint8_t *address, uint8_t bytes[16])
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	memset(bytes, 0, 16);
	memcpy(&in, address, sizeof(in));
	if (in.sin_family == AF_INET) {
		bytes[10] = 0xff;
		bytes[11] = 0xff;
		memcpy(bytes + 12, &in.sin_addr, 4);
		return ntohs(in.sin_port);
	}
	memcpy(&in6, address, sizeof(in6));
	if (in6.sin6_family != AF_INET6)
		return 0;
	memcpy(bytes, &in6.sin6_addr, 16);
	return ntohs(in6.sin6_port);
}

const char *address_text(const uint8_t *address, char text[ADDRESS_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "";
	uint8_t bytes[16];
	uint16_t port = address_parts(address, bytes);

	if (IN6_IS_ADDR_V4MAPPED((struct in6_addr *)bytes)) {
		inet_ntop(AF_INET, bytes + 12, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT_MAX, "%s:%u", host, port);
	} else {
		inet_ntop(AF_INET6, bytes, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT_MAX, "[%s]:%u", host, port);
	}
	return text;
}
