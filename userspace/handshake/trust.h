/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trust anchors: the authorities that a configuration believes. */
#ifndef SIGNET_HANDSHAKE_TRUST_H
#define SIGNET_HANDSHAKE_TRUST_H

#include "certificate.h"

/**
 * struct signet_anchor - one authority
 * @certificate: its certificate, whose encoding is owned here
 * @is_public:	it comes from the system's list, and keeps to the CA/Browser Forum's rules
 */
struct signet_anchor {
	struct signet_certificate certificate;
	bool is_public;
};

/**
 * struct signet_trust - all of them; read by any number of threads once it is complete
 * @anchors:	the authorities
 * @count:	their number
 * @room:	for so many there is memory
 */
struct signet_trust {
	struct signet_anchor *anchors;
	size_t count;
	size_t room;
};

/**
 * signet_trust_add - believe the holder of a certificate
 * @data:	the certificate in DER; copied
 *
 * Return: 0; -EKEYREJECTED when it may not issue certificates now: it is malformed, not a CA's of
 * version 3 with a name, has expired, has too weak a key; or -ENOMEM.
 */
int signet_trust_add(struct signet_trust *trust, const void *data, size_t length, bool is_public);

/* Frees all anchors. */
void signet_trust_clear(struct signet_trust *trust);

#endif
