/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server decides when it has read the client's hello: names, protocols, certificates, tickets. */
#ifndef SIGNET_HANDSHAKE_SERVER_H
#define SIGNET_HANDSHAKE_SERVER_H

#include <stdbool.h>

struct WOLFSSL_CTX;

/* Make wolfSSL ask. Return: whether that was possible. */
bool signet_server_set_up(struct WOLFSSL_CTX *context);

#endif
