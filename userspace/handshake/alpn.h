/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of application protocols (RFC 7301), separated by commas. */
#ifndef SIGNET_HANDSHAKE_ALPN_H
#define SIGNET_HANDSHAKE_ALPN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether each name of it is 1 to 255 bytes long; "" is a list of none. False for NULL. */
bool signet_alpn_is_list(const char *list);

/* Whether all names of @part are in @list. */
bool signet_alpn_is_part(const char *part, const char *list);

/**
 * signet_alpn_choose - the first of ours that is among theirs
 * @theirs:	not terminated
 * @length:	of the chosen name, filled in
 *
 * Return: the name, in @ours; NULL when there is none.
 */
const char *signet_alpn_choose(const char *ours, const char *theirs, size_t theirs_len,
			       size_t *length);

#endif
