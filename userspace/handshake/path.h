/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a peer's certificate to a trust anchor (RFC 5280 6.1, RFC 4158).
 *
 * The certificates that a peer sends are a bag: their order does not matter, what is not needed is
 * not looked at, and where one way is closed (a cross-certificate has expired, say) another one is
 * tried. Effort is bounded, whatever the peer sends.
 */
#ifndef SIGNET_HANDSHAKE_PATH_H
#define SIGNET_HANDSHAKE_PATH_H

#include "certificate.h"
#include "trust.h"

/* Certificates from the leaf to the anchor, both included. */
#define SIGNET_PATH_MAX 10

/* Certificates that a peer may send. */
#define SIGNET_PATH_SENT_MAX 32

/**
 * struct signet_path - what is looked for, and what was found
 * @sent:	certificates of the peer, its own first; those without @der could not be parsed
 * @sent_count:	their number
 * @trust:	where the path may end
 * @purpose:	of the peer's certificate: SIGNET_PURPOSE_SERVER or SIGNET_PURPOSE_CLIENT
 * @now:	seconds since 1970
 * @certificates: the path, leaf first, anchor last
 * @length:	of the path
 * @anchor:	its end
 * @fault:	why there is no path
 * @culprit:	certificate that has the fault
 */
struct signet_path {
	const struct signet_certificate *sent;
	size_t sent_count;
	const struct signet_trust *trust;
	enum signet_purpose purpose;
	int64_t now;
	const struct signet_certificate *certificates[SIGNET_PATH_MAX];
	size_t length;
	const struct signet_anchor *anchor;
	const struct signet_fault *fault;
	const struct signet_certificate *culprit;
};

/**
 * signet_path_find - find a path
 * @path:	filled in up to @now, and zero behind it
 *
 * All of RFC 5280 6.1 is checked but the leaf by itself, which must have been parsed.
 *
 * Return: whether there is one. Otherwise @fault and @culprit tell what was in the way of the
 * attempt that got furthest.
 */
bool signet_path_find(struct signet_path *path);

#endif
