/* SPDX-License-Identifier: GPL-3.0-or-later */
/* URIs that name services and workloads (RFC 9525 6.5, and SPIFFE's). */
#ifndef SIGNET_HANDSHAKE_URI_H
#define SIGNET_HANDSHAKE_URI_H

#include "der.h"

/* SPIFFE-ID 2.3. */
#define SIGNET_SPIFFE_MAX 2048

/**
 * struct signet_uri - parts of a URI with an authority
 * @scheme:	without the colon
 * @host:	without user and port
 * @path:	and whatever follows it
 */
struct signet_uri {
	struct signet_der scheme;
	struct signet_der host;
	struct signet_der path;
};

/* Takes a URI apart. Return: false when it has no scheme or no host. */
bool signet_uri_parse(struct signet_uri *uri, struct signet_der text);

/* Whether it means to be a SPIFFE id: its scheme is that. */
bool signet_uri_is_spiffe(struct signet_der text);

/*
 * Whether it is the SPIFFE id of a workload (SPIFFE-ID 2): a trust domain in lower case, and a path
 * of segments that are neither empty nor "." or "..".
 */
bool signet_uri_is_workload(struct signet_der text);

#endif
