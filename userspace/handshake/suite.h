/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cipher suites and key exchange groups: their names, and what the hand-over has to know of them. */
#ifndef SIGNET_HANDSHAKE_SUITE_H
#define SIGNET_HANDSHAKE_SUITE_H

#include <stdbool.h>
#include <stddef.h>

/* Suites by default; a server prefers its own order. */
#define SIGNET_DEFAULT_SUITES                                                            \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"    \
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:" \
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:" \
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"

/* In this order: the first is safe also from a quantum computer that comes later. */
#define SIGNET_DEFAULT_GROUPS "X25519MLKEM768:x25519:secp256r1:secp384r1"

/* All suites of one configuration in wolfSSL's names. */
#define SIGNET_SUITE_LIST_MAX 512

/* What certificate a suite goes with; those of TLS 1.3 go with any. */
enum signet_authentication {
	SIGNET_AUTHENTICATION_ANY,
	SIGNET_AUTHENTICATION_ECDSA,
	SIGNET_AUTHENTICATION_RSA,
};

/**
 * struct signet_suite - one row of the table
 * @number:	IANA's
 * @wolfssl:	its name there
 * @version:	of TLS
 * @authentication: of its certificate
 * @key_len:	in bytes
 * @iv_len:	of the part of the nonce that comes from the key block, TLS 1.2 only
 * @hash_len:	of the suite's hash
 */
struct signet_suite {
	unsigned int number;
	const char *wolfssl;
	unsigned int version;
	enum signet_authentication authentication;
	unsigned int key_len;
	unsigned int iv_len;
	unsigned int hash_len;
};

/* The row of a suite; NULL when the engine does not speak it. */
const struct signet_suite *signet_suite_find(unsigned int number);

/**
 * struct signet_suite_filter - which suites of a list are meant
 * @min_version: leave out those of older versions
 * @first:	number of one to put in front, 0 for none
 * @authentication: leave out those of another kind of certificate
 */
struct signet_suite_filter {
	unsigned int min_version;
	unsigned int first;
	enum signet_authentication authentication;
};

/**
 * signet_suite_list - names as wolfSSL takes them
 * @list:	filled in: SIGNET_SUITE_LIST_MAX bytes
 * @names:	IANA's, separated by colons or commas
 * @filter:	which of them
 *
 * Return: 0, -EINVAL for an unknown name or when there is none of TLS 1.3, or -ENOENT when
 * @filter->first is not among them.
 */
int signet_suite_list(char *list, const char *names, const struct signet_suite_filter *filter);

/**
 * signet_group_list - wolfSSL's numbers of groups
 * @groups:	filled in
 * @room:	in it
 * @names:	separated by colons or commas
 *
 * Return: how many there are, or -EINVAL for an unknown name, too many, or none.
 */
int signet_group_list(int *groups, size_t room, const char *names);

/* Whether it has a part that withstands quantum computers. */
bool signet_group_is_hybrid(int group);

#endif
