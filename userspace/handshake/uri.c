// SPDX-License-Identifier: GPL-3.0-or-later
#include "uri.h"

#include "name.h"

#define SPIFFE "spiffe://"
#define TRUST_DOMAIN_MAX 255

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 3986 3.1. */
static bool is_scheme(struct signet_der text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = text.data[i];

		if (!is_letter(c) && !(i && (is_digit(c) || strchr("+-.", c))))
			return false;
	}
	return text.length;
}

static size_t span_until(struct signet_der text, const char *ends)
{
	size_t i;

	for (i = 0; i < text.length; i++) {
		if (!text.data[i] || strchr(ends, text.data[i]))
			break;
	}
	return i;
}

/* RFC 3986 3.2: [ user "@" ] host [ ":" port ]. An address in brackets is left as it is. */
static struct signet_der host_of(struct signet_der authority)
{
	const unsigned char *at;

	while (authority.length && (at = memchr(authority.data, '@', authority.length))) {
		authority.length -= at + 1 - authority.data;
		authority.data = at + 1;
	}
	if (authority.length && authority.data[0] != '[')
		authority.length = span_until(authority, ":");
	return authority;
}

bool signet_uri_parse(struct signet_uri *uri, struct signet_der text)
{
	struct signet_der rest = text;
	size_t length = span_until(text, ":");

	uri->scheme = (struct signet_der){ text.data, length };
	rest.data += length;
	rest.length -= length;
	if (!is_scheme(uri->scheme) || rest.length < strlen("://") ||
	    memcmp(rest.data, "://", strlen("://")))
		return false;
	rest.data += strlen("://");
	rest.length -= strlen("://");
	length = span_until(rest, "/?#");
	uri->host = host_of((struct signet_der){ rest.data, length });
	uri->path = (struct signet_der){ rest.data + length, rest.length - length };
	return uri->host.length;
}

bool signet_uri_is_spiffe(struct signet_der text)
{
	static const size_t length = sizeof("spiffe:") - 1;

	return text.length >= length &&
	       signet_name_equal((struct signet_der){ text.data, length }, DER_BYTES("spiffe:"));
}

static bool is_trust_domain_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || strchr(".-_", c);
}

static bool is_path_char(unsigned char c)
{
	return is_letter(c) || is_digit(c) || strchr(".-_", c);
}

static bool is_segment(struct signet_der segment)
{
	bool only_dots = true;

	for (size_t i = 0; i < segment.length; i++) {
		if (!segment.data[i] || !is_path_char(segment.data[i]))
			return false;
		only_dots &= segment.data[i] == '.';
	}
	return segment.length && !(only_dots && segment.length <= 2);
}

bool signet_uri_is_workload(struct signet_der text)
{
	static const size_t start = sizeof(SPIFFE) - 1;
	size_t length;

	if (text.length > SIGNET_SPIFFE_MAX || text.length <= start ||
	    memcmp(text.data, SPIFFE, start))
		return false;
	text.data += start;
	text.length -= start;
	length = span_until(text, "/");
	if (!length || length > TRUST_DOMAIN_MAX || length == text.length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_trust_domain_char(text.data[i]))
			return false;
	}
	/* A segment follows each slash. */
	while (length < text.length) {
		text.data += length + 1;
		text.length -= length + 1;
		length = span_until(text, "/");
		if (!is_segment((struct signet_der){ text.data, length }))
			return false;
	}
	return true;
}
