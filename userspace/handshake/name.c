// SPDX-License-Identifier: GPL-3.0-or-later
#include "name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

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

static bool is_dns(const char *text)
{
	size_t length;

	for (;; text += length + 1) {
		length = strcspn(text, ".");
		if (!is_label(text, length))
			return false;
		if (!text[length])
			return !is_number(text, length);
	}
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
	/* The final dot of an absolute name is never part of a certificate's or of SNI. */
	if (text[length - 1] == '.')
		name->text[--name->length] = '\0';
	return name->length <= DNS_MAX && is_dns(name->text) ? 0 : -EINVAL;
}

static bool equal(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

bool signet_name_matches_dns(const struct signet_name *name, const char *pattern, size_t length)
{
	const char *text = name->text, *rest;
	size_t left = name->length;

	if (name->address_len)
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
	return left && length == left && equal(text, pattern, length);
}

bool signet_name_matches_address(const struct signet_name *name, const void *address, size_t length)
{
	return name->address_len && length == name->address_len &&
	       !memcmp(name->address, address, length);
}
