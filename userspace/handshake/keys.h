/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The secrets of an established handshake, as the module takes them. */
#ifndef SIGNET_HANDSHAKE_KEYS_H
#define SIGNET_HANDSHAKE_KEYS_H

#include <stdbool.h>

struct WOLFSSL;
struct signet_handshake;

/* wolfSSL's callback for the secrets of TLS 1.3; @context is the struct signet_handshake. */
int signet_keys_keep(struct WOLFSSL *ssl, int id, const unsigned char *secret, int length,
		     void *context);

/*
 * Fill in @handshake->secrets when wolfSSL is done. Return: false rather than to hand over anything
 * that is not exactly what the module expects.
 */
bool signet_keys_fill(struct signet_handshake *handshake);

#endif
