// SPDX-License-Identifier: GPL-3.0-or-later
#include "name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "uri.h"

#define LABEL_MAX 63
#define DNS_MAX 253

/* Not <ctype.h>: names compare in ASCII whatever the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool is_label_char(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_';
}

static bool is_label(const char *label, size_t length)
{
	if (!length || length > LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_label_char(label[i]))
			return false;
	}
	return true;
}

static bool is_number(const char *label, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(label[i]))
			return false;
	}
	return true;
}

bool signet_name_is_dns(struct signet_der text)
{
	const char *label = (const char *)text.data, *end = label + text.length, *dot;

	if (!text.length || text.length > DNS_MAX)
		return false;
	for (;; label = dot + 1) {
		dot = memchr(label, '.', end - label);
		if (!is_label(label, (dot ? dot : end) - label))
			return false;
		if (!dot)
			return !is_number(label, end - label);
	}
}

static struct signet_der text_of(const struct signet_name *name)
{
	return (struct signet_der){ (const unsigned char *)name->text, name->length };
}

static int parse_uri(struct signet_name *name)
{
	struct signet_der text = text_of(name);
	struct signet_uri uri;

	name->is_uri = true;
	if (signet_uri_is_spiffe(text))
		return signet_uri_is_workload(text) ? 0 : -EINVAL;
	return signet_uri_parse(&uri, text) && signet_name_is_dns(uri.host) ? 0 : -EINVAL;
}

int signet_name_parse(struct signet_name *name, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	memset(name, 0, sizeof(*name));
	if (!length || length >= sizeof(name->text))
		return -EINVAL;
	memcpy(name->text, text, length);
	name->length = length;

	if (inet_pton(AF_INET, text, name->address) == 1) {
		name->address_len = 4;
		return 0;
	}
	if (inet_pton(AF_INET6, text, name->address) == 1) {
		name->address_len = 16;
		return 0;
	}
	if (strstr(text, "://"))
		return parse_uri(name);
	/* The final dot of an absolute name is never part of a certificate's or of SNI. */
	if (text[length - 1] == '.')
		name->text[--name->length] = '\0';
	return signet_name_is_dns(text_of(name)) ? 0 : -EINVAL;
}

bool signet_name_equal(struct signet_der a, struct signet_der b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++) {
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	}
	return true;
}

const char *signet_name_host(const struct signet_name *name, size_t *length)
{
	struct signet_der text = text_of(name);
	struct signet_uri uri = { .host = text };

	if (name->address_len)
		return NULL;
	if (name->is_uri && (signet_uri_is_spiffe(text) || !signet_uri_parse(&uri, text)))
		return NULL;
	*length = uri.host.length;
	return (const char *)uri.host.data;
}

bool signet_name_matches_uri(const struct signet_name *name, struct signet_der uri)
{
	struct signet_der text = text_of(name);
	struct signet_uri wanted, found;

	if (!name->is_uri)
		return false;
	if (signet_uri_is_spiffe(text))
		return signet_der_equal(text, uri);
	return signet_uri_parse(&wanted, text) && signet_uri_parse(&found, uri) &&
	       signet_name_equal(wanted.scheme, found.scheme) &&
	       signet_name_equal(wanted.host, found.host);
}

bool signet_name_matches_dns(const struct signet_name *name, const char *pattern, size_t length)
{
	const char *text = name->text, *rest;
	size_t left = name->length;

	if (name->address_len || name->is_uri)
		return false;
	if (length > 2 && pattern[0] == '*' && pattern[1] == '.') {
		/* What follows the wildcard is compared with what follows the first label. */
		if (!memchr(pattern + 2, '.', length - 2))
			return false;
		rest = memchr(text, '.', left);
		if (!rest)
			return false;
		left -= rest - text;
		text = rest;
		pattern++;
		length--;
	}
	return left &&
	       signet_name_equal((struct signet_der){ (const unsigned char *)text, left },
				 (struct signet_der){ (const unsigned char *)pattern, length });
}

bool signet_name_matches_address(const struct signet_name *name, const void *address, size_t length)
{
	return name->address_len && length == name->address_len &&
	       !memcmp(name->address, address, length);
}
