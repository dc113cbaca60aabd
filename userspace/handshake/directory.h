/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distinguished names: a certificate's subject and issuer (RFC 5280 4.1.2.4). */
#ifndef SIGNET_HANDSHAKE_DIRECTORY_H
#define SIGNET_HANDSHAKE_DIRECTORY_H

#include <stdint.h>

#include "der.h"

/* All take a Name's content. What is not well-formed is no name and must not be given to the rest. */
bool signet_directory_is_name(struct signet_der name);

/* RFC 5280 7.1: letter case and white space in strings do not count, nor does their encoding. */
bool signet_directory_equal(struct signet_der a, struct signet_der b);

/* Whether @name is @base or lies below it. */
bool signet_directory_within(struct signet_der name, struct signet_der base);

/* Equal names have the same. */
uint32_t signet_directory_hash(struct signet_der name);

/**
 * struct signet_directory_walk - the place in a name that is gone through
 * @name:	the whole name at first
 * @set:	empty at first
 */
struct signet_directory_walk {
	struct signet_der name;
	struct signet_der set;
};

/**
 * signet_directory_attribute - go through the values of one attribute type
 * @walk:	holds what is left to look at
 * @type:	object identifier
 * @value:	the next value of that type
 *
 * Return: false when there is no more.
 */
bool signet_directory_attribute(struct signet_directory_walk *walk, struct signet_der type,
				struct signet_der *value);

/**
 * signet_directory_print - a name for people and logs
 *
 * As "/O=Test/CN=a client", with a plus between attributes of one set, in printable ASCII. A slash,
 * plus or backslash in a value has a backslash in front of it, and any other byte reads "\xE4", so
 * that different names never look the same; one that is cut ends with "...".
 */
void signet_directory_print(char *text, size_t size, struct signet_der name);

#endif
