/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's name as the application asks for it, and whether a certificate's name is it. */
#ifndef SIGNET_HANDSHAKE_NAME_H
#define SIGNET_HANDSHAKE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include <signet-handshake.h>

/**
 * struct signet_name - a DNS name or an IP address
 * @text:	as it was asked for, without a final dot
 * @length:	of @text
 * @address:	the address in network order
 * @address_len: its length, 4 or 16; 0 when this is a DNS name
 */
struct signet_name {
	char text[SIGNET_NAME_MAX];
	size_t length;
	unsigned char address[16];
	size_t address_len;
};

/**
 * signet_name_parse - take a name apart
 *
 * Only names that a certificate could hold are taken: dotted labels of letters, digits, hyphens
 * and underscores, the last of them not a number (RFC 1123 2.1), or an IPv4 or IPv6 address.
 *
 * Return: 0 or -EINVAL.
 */
int signet_name_parse(struct signet_name *name, const char *text);

/**
 * signet_name_matches_dns - compare with a dNSName (RFC 9525 6.3)
 * @pattern:	the certificate's name, which may be anything
 * @length:	of @pattern
 *
 * A wildcard stands for one whole left-most label, with at least two labels behind it.
 */
bool signet_name_matches_dns(const struct signet_name *name, const char *pattern, size_t length);

/* Compare with an iPAddress (RFC 5280 4.2.1.6), which is 4 or 16 bytes. */
bool signet_name_matches_address(const struct signet_name *name, const void *address,
				 size_t length);

#endif
