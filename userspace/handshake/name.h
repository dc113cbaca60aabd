/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's name as the application asks for it, and whether a certificate's name is it. */
#ifndef SIGNET_HANDSHAKE_NAME_H
#define SIGNET_HANDSHAKE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include <signet-handshake.h>

#include "der.h"

/**
 * struct signet_name - a DNS name, an IP address or a URI
 * @text:	as it was asked for, without a DNS name's final dot
 * @length:	of @text
 * @address:	the address in network order
 * @address_len: its length, 4 or 16; 0 when this is no address
 * @is_uri:	it is a URI
 */
struct signet_name {
	char text[SIGNET_NAME_MAX];
	size_t length;
	unsigned char address[16];
	size_t address_len;
	bool is_uri;
};

/**
 * signet_name_parse - take a name apart
 *
 * Only names that a certificate could hold are taken: dotted labels of letters, digits, hyphens
 * and underscores, the last of them not a number (RFC 1123 2.1), an IPv4 or IPv6 address, or a URI
 * with a DNS name as its host. One with the scheme "spiffe" must be a workload's SPIFFE id.
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

/**
 * signet_name_matches_uri - compare with a uniformResourceIdentifier
 * @uri:	the certificate's, which may be anything
 *
 * Scheme and host decide (RFC 9525 6.5), without wildcards; of a SPIFFE id every letter.
 */
bool signet_name_matches_uri(const struct signet_name *name, struct signet_der uri);

/**
 * signet_name_host - the DNS name to ask for (RFC 6066 3)
 *
 * Return: its first character, and its length in @length; NULL when there is none: an address or a
 * SPIFFE id.
 */
const char *signet_name_host(const struct signet_name *name, size_t *length);

/* Whether text that a certificate holds is a DNS name: labels with single dots between them. */
bool signet_name_is_dns(struct signet_der text);

/* Equal but for the case of ASCII letters. */
bool signet_name_equal(struct signet_der a, struct signet_der b);

/* Compare with an iPAddress (RFC 5280 4.2.1.6), which is 4 or 16 bytes. */
bool signet_name_matches_address(const struct signet_name *name, const void *address,
				 size_t length);

#endif
