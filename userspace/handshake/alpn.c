// SPDX-License-Identifier: GPL-3.0-or-later
#include "alpn.h"

#include <string.h>

#define SEPARATOR ','
#define NAME_MAX_BYTES 255

/* The length of the name that a list begins with. */
static size_t first_name(const char *list, size_t length)
{
	const char *end = memchr(list, SEPARATOR, length);

	return end ? (size_t)(end - list) : length;
}

bool signet_alpn_is_list(const char *list)
{
	size_t length;

	if (!list)
		return false;
	if (!*list)
		return true;
	for (;; list += length + 1) {
		length = first_name(list, strlen(list));
		if (!length || length > NAME_MAX_BYTES)
			return false;
		if (!list[length])
			return true;
	}
}

static bool has(const char *list, size_t list_len, const char *name, size_t name_len)
{
	size_t length;

	for (;;) {
		length = first_name(list, list_len);
		if (length == name_len && !memcmp(list, name, length))
			return true;
		if (length == list_len)
			return false;
		list += length + 1;
		list_len -= length + 1;
	}
}

bool signet_alpn_is_part(const char *part, const char *list)
{
	size_t length;

	for (; *part; part += length + !!part[length]) {
		length = first_name(part, strlen(part));
		if (!has(list, strlen(list), part, length))
			return false;
	}
	return true;
}

const char *signet_alpn_choose(const char *ours, const char *theirs, size_t theirs_len,
			       size_t *length)
{
	for (; *ours; ours += *length + !!ours[*length]) {
		*length = first_name(ours, strlen(ours));
		if (has(theirs, theirs_len, ours, *length))
			return ours;
	}
	return NULL;
}
