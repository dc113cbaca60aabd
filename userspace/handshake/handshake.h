/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a handshake consists of, for the files that make one. */
#ifndef SIGNET_HANDSHAKE_HANDSHAKE_H
#define SIGNET_HANDSHAKE_HANDSHAKE_H

#include "config.h"
#include "engine.h"
#include "failure.h"
#include "name.h"
#include "session.h"
#include "signature.h"
#include "transport.h"
#include "verify.h"

/**
 * struct signet_secrets - what a handshake brings forth, in memory for secrets
 * @keys:	traffic secrets, or keys of TLS 1.2; valid once the handshake is complete
 * @exporter:	see signet_handshake_exporter()
 * @exporter_len: of @exporter
 * @resumption:	of a client; @resumption.secret_len is 0 when there is none
 */
struct signet_secrets {
	struct signet_keys keys;
	unsigned char exporter[SIGNET_EXPORTER_MAX];
	size_t exporter_len;
	struct signet_resumption resumption;
};

/**
 * struct signet_handshake - one handshake
 * @config:	shared with other handshakes
 * @ssl:	wolfSSL's object
 * @transport:	the descriptor
 * @name:	the server's name, of a client
 * @server_name: as the client asked for it
 * @alpn:	protocols of this handshake; NULL for the configuration's
 * @client_auth: of a server
 * @min_version: SIGNET_TLS_1_3 or SIGNET_TLS_1_2
 * @verify:	the peer's certificate
 * @verified:	when certificates were verified, in ms of CLOCK_REALTIME
 * @signature:	of this side, when a signer makes it
 * @secrets:	what comes of it
 * @chunk:	of the pool, where @secrets are
 * @deadline:	in signet_transport_now()'s time, -1 for none
 * @begun:	the first step was taken
 * @negotiated:	a server has chosen the application protocol
 * @established: wolfSSL is done
 * @complete:	the handshake is over, the peer authenticated, and all is written
 * @failure:	how it failed
 */
struct signet_handshake {
	const struct signet_config *config;
	struct WOLFSSL *ssl;
	struct signet_transport transport;
	struct signet_name name;
	char server_name[SIGNET_NAME_MAX];
	char *alpn;
	enum signet_client_auth client_auth;
	unsigned int min_version;
	struct signet_verify verify;
	int64_t verified;
	struct signet_signature signature;
	struct signet_secrets *secrets;
	struct signet_pool_chunk *chunk;
	int64_t deadline;
	bool begun;
	bool negotiated;
	bool established;
	bool complete;
	struct signet_failure failure;
};

/* Whose handshake a wolfSSL object makes. */
struct signet_handshake *signet_handshake_of(struct WOLFSSL *ssl);

/* The protocols that are offered or accepted; NULL for none. */
const char *signet_handshake_alpn(const struct signet_handshake *handshake);

#endif
