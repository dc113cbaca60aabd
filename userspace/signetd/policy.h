/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an application gets for what it asks for. It may make stricter what the administrator
 * configured, never weaker.
 */
#ifndef SIGNETD_POLICY_H
#define SIGNETD_POLICY_H

#include <linux/signet_helper.h>

#include "profile.h"

/**
 * struct decision - about a request
 * @profile:	that serves it
 * @config:	with the authorities that were asked for
 * @min_version: to be set for this handshake, 0: as the profile says
 * @client_auth: likewise
 * @alpn:	likewise, separated by commas; ""
 * @error:	errno of a refusal, positive; 0: it is allowed
 * @text:	why it was refused
 */
struct decision {
	const struct profile *profile;
	struct signet_config *config;
	unsigned int min_version;
	unsigned int client_auth;
	char alpn[SIGNET_STRING_MAX + 1];
	int error;
	char text[SIGNET_STRING_MAX + 1];
};

/* Return: whether it is allowed. */
bool policy_decide(const struct profiles *profiles, const struct signet_request *request,
		   struct decision *decision);

#endif
