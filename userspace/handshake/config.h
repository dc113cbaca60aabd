/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What handshakes have in common: role, trust, own certificates, policy, time limit. */
#ifndef SIGNET_HANDSHAKE_CONFIG_H
#define SIGNET_HANDSHAKE_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>

#include <signet-handshake.h>

#include "trust.h"

struct WOLFSSL_CTX;
struct signet_cache;
struct signet_credential;
struct signet_ticket_keys;

#define SIGNET_GROUPS_MAX 8
#define SIGNET_BINDING_SIZE 32

/**
 * struct signet_config - shared by handshakes, and by threads once it is complete
 * @role:	of this side
 * @context:	wolfSSL's part of the configuration
 * @references:	of the application, and of each handshake
 * @trust:	authorities that the peer's certificate may come from
 * @demands:	the peer must present a certificate that verifies
 * @presents:	a certificate of this side is loaded
 * @trusts:	a CA is loaded
 * @client_auth: of a server
 * @client_auth_set: somebody has said which
 * @strict_names: a server refuses unknown names
 * @min_version: SIGNET_TLS_1_3 or SIGNET_TLS_1_2
 * @timeout:	milliseconds for a handshake, 0 for no limit
 * @suites:	in IANA's names
 * @groups:	wolfSSL's numbers
 * @group_count: of @groups
 * @alpn:	separated by commas; NULL for none
 * @credentials: of this side, the default first
 * @credential_count: of @credentials
 * @tickets:	that a server sends
 * @ticket_lifetime: in seconds
 * @ticket_keys: of a server
 * @cache:	of a client's sessions; NULL for none
 * @binding:	digest of what a session may be resumed under
 */
struct signet_config {
	enum signet_role role;
	struct WOLFSSL_CTX *context;
	atomic_uint *references;
	struct signet_trust trust;
	bool demands;
	bool presents;
	bool trusts;
	enum signet_client_auth client_auth;
	bool client_auth_set;
	bool strict_names;
	unsigned int min_version;
	unsigned int timeout;
	char *suites;
	int groups[SIGNET_GROUPS_MAX];
	unsigned int group_count;
	char *alpn;
	struct signet_credential **credentials;
	unsigned int credential_count;
	unsigned int tickets;
	unsigned int ticket_lifetime;
	struct signet_ticket_keys *ticket_keys;
	struct signet_cache *cache;
	unsigned char binding[SIGNET_BINDING_SIZE];
};

/* Another reference, which signet_config_put() gives back. */
const struct signet_config *signet_config_get(const struct signet_config *config);
void signet_config_put(const struct signet_config *config);

#endif
