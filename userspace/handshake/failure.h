/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a handshake failed: an errno for the program, an alert, and words for a person. */
#ifndef SIGNET_HANDSHAKE_FAILURE_H
#define SIGNET_HANDSHAKE_FAILURE_H

#include <stdbool.h>

#include <signet-handshake.h>

struct WOLFSSL;
struct signet_transport;
struct signet_verify;

/**
 * struct signet_failure - the first failure of a handshake
 * @error:	negative errno, 0 for none
 * @alert:	alert that was sent or received, level << 8 | description, 0 for none
 * @received:	the peer has sent @alert
 * @text:	in words
 */
struct signet_failure {
	int error;
	unsigned int alert;
	bool received;
	char text[SIGNET_TEXT_MAX];
};

/* Note a failure. Return: @error. */
__attribute__((format(printf, 3, 4))) int signet_failure_set(struct signet_failure *failure,
							     int error, const char *format, ...);

/**
 * signet_failure_explain - find out why wolfSSL failed
 * @error:	its error
 *
 * A failure that was noted before stays the reason, and gets its alert.
 *
 * Return: -EKEYREJECTED, -EPROTO, -ECONNABORTED, -ENOMEM or what the socket reported.
 */
int signet_failure_explain(struct signet_failure *failure, int error, struct WOLFSSL *ssl,
			   const struct signet_transport *transport, struct signet_verify *verify);

#endif
