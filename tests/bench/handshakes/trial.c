// SPDX-License-Identifier: GPL-3.0-or-later
#include "trial.h"

#define P256 "ec -pkeyopt ec_paramgen_curve:P-256"

const struct trial trials[TRIAL_COUNT] = {
	{ "ecdsa", "ECDSA P-256, X25519", "p256", P256, "X25519", false, 1.8 },
	{ "ed25519", "Ed25519, X25519", "ed25519", "ed25519", "X25519", false, 1.8 },
	{ "hybrid", "ECDSA P-256, X25519MLKEM768", "p256", P256, "X25519MLKEM768", false, 1.8 },
	{ "rsa", "RSA-2048, X25519", "rsa2048", "rsa:2048", "X25519", false, 1.0 },
	{ "resumed", "resumed, X25519", "p256", P256, "X25519", true, 1.8 },
};

const struct server *const servers[SERVER_COUNT] = {
	[SERVER_OPENSSL] = &server_openssl,
	[SERVER_WOLFSSL] = &server_wolfssl,
	[SERVER_SIGNET] = &server_signet,
};

const char *const wire_names[WIRE_COUNT] = {
	[WIRE_MEMORY] = "memory",
	[WIRE_TCP] = "tcp",
};
