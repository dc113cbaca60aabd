/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What handshakes have in common: role, trust, own certificate, time limit. */
#ifndef SIGNET_HANDSHAKE_CONFIG_H
#define SIGNET_HANDSHAKE_CONFIG_H

#include <stdbool.h>

#include <signet-handshake.h>

#include "trust.h"

struct WOLFSSL_CTX;

/**
 * struct signet_config - shared by handshakes, and by threads once it is complete
 * @role:	of this side
 * @context:	wolfSSL's part of the configuration
 * @trust:	authorities that the peer's certificate may come from
 * @demands:	the peer must present a certificate that verifies
 * @presents:	certificate and key of this side are loaded
 * @timeout:	milliseconds for a handshake, 0 for no limit
 */
struct signet_config {
	enum signet_role role;
	struct WOLFSSL_CTX *context;
	struct signet_trust trust;
	bool demands;
	bool presents;
	unsigned int timeout;
};

#endif
