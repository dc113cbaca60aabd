/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The signer: the process that holds the private keys. It signs what a worker sends over a socket
 * pair, one of each worker's threads, and answers nothing else.
 */
#ifndef SIGNETD_SIGNER_H
#define SIGNETD_SIGNER_H

#include <signet-handshake.h>

#include "profile.h"

/**
 * struct signer_query - a datagram to the signer
 * @id:		comes back with the answer
 * @key:	number of the credential, see settings_credential()
 * @scheme:	SIGNET_ECDSA_SHA256 and the like
 * @length:	of @data
 */
struct signer_query {
	uint64_t id;
	uint32_t key;
	uint16_t scheme;
	uint16_t length;
	uint8_t data[SIGNET_SIGNED_MAX];
};

/**
 * struct signer_answer - a datagram of the signer
 * @error:	negative errno, or 0
 * @length:	of @signature
 */
struct signer_answer {
	uint64_t id;
	int32_t error;
	uint32_t length;
	uint8_t signature[SIGNET_SIGNATURE_MAX];
};

/**
 * struct signer_start - what a signer begins with
 * @profiles:	the worker's: their certificates are those that the keys have to fit
 * @lenient:	a key that does not fit is left out, and what it should sign is refused
 * @sockets:	one of each thread
 * @count:	of @sockets
 * @report:	pipe: a line for each complaint, then a '\n' alone when it is ready
 *
 * Keys are files that may have changed since the certificates were read. One that is not its
 * certificate's must not sign for it.
 */
struct signer_start {
	const struct settings *settings;
	const struct profiles *profiles;
	bool lenient;
	const int *sockets;
	unsigned int count;
	int report;
};

/* The life of a signer, in a process of its own. Ends when the workers' ends of the sockets do. */
__attribute__((noreturn)) void signer_run(const struct signer_start *start);

/**
 * signer_check - read all keys for their errors alone, in a process that ends soon
 * @profiles:	NULL: they could not be made, and the certificates are read anew
 */
void signer_check(const struct settings *settings, const struct profiles *profiles,
		  struct complaints *complaints);

#endif
