/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many handshakes are in progress, by who asked and who is asked. */
#ifndef SIGNETD_LIMITS_H
#define SIGNETD_LIMITS_H

#include <linux/signet_helper.h>

#include "settings.h"

struct limits;

/**
 * struct limit_claim - what one handshake counts for; to be given back
 * @slots:	of the table, one for each limit that applies
 * @count:	of @slots
 */
struct limit_claim {
	unsigned int slots[3];
	unsigned int count;
};

/* Return: NULL without memory. The settings must outlive it. */
struct limits *limits_new(const struct limit_settings *settings);

void limits_free(struct limits *limits);

/**
 * limits_take - count a handshake; any thread may
 * @claim:	filled in on success
 * @text:	why not, SIGNET_STRING_MAX + 1 bytes
 *
 * Return: 0 or -EDQUOT.
 */
int limits_take(struct limits *limits, const struct signet_request *request,
		struct limit_claim *claim, char *text);

void limits_give(struct limits *limits, const struct limit_claim *claim);

#endif
