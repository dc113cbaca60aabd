/* SPDX-License-Identifier: MIT */
/*
 * What signet-run tells libsignet-run.so, by environment variables: each has the text of an option
 * of signet-run, those of a repeated one with a space between them.
 */
#ifndef SIGNET_RUN_SETTINGS_H
#define SIGNET_RUN_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/signet.h>

#include "rule.h"

#define RULES_MAX 64

struct rules {
	struct rule items[RULES_MAX];
	unsigned int count;
};

/**
 * struct settings - all of them
 * @connect:	which connections ask for TLS as a client
 * @listen:	which listeners accept TLS
 * @alpn:	in the form of SIGNET_ALPN, @alpn_len bytes
 * @pins:	@pin_count of them
 * @profile:	of clients, "" for the default
 * @ca:		"" for the profile's
 * @min_version: 0: as the profile says
 * @client_auth: enum signet_client_auth
 * @timeout_ms:	0: the module's default
 */
struct settings {
	struct rules connect;
	struct rules listen;
	unsigned char alpn[SIGNET_STRING_MAX];
	size_t alpn_len;
	unsigned char pins[SIGNET_PINS_MAX][SIGNET_PIN_LEN];
	unsigned int pin_count;
	char profile[SIGNET_STRING_MAX + 1];
	char ca[SIGNET_STRING_MAX + 1];
	uint32_t min_version;
	uint32_t client_auth;
	uint32_t timeout_ms;
};

/**
 * struct setting - one that can be set
 * @option:	of signet-run
 * @variable:	of the environment
 * @repeated:	it may be given more than once
 * @set:	adds what it is given. Return: NULL, or what is wrong with it
 */
struct setting {
	const char *option;
	const char *variable;
	bool repeated;
	const char *(*set)(struct settings *settings, const char *text);
};

/* Ended by one without an option. */
extern const struct setting settings_table[];

/* What is wrong only in sum. Return: NULL, or what it is. */
const char *settings_check(const struct settings *settings);

/**
 * settings_from_environment - read what signet-run has set
 * @variable:	the one that is wrong
 *
 * Return: NULL, or what is wrong.
 */
const char *settings_from_environment(struct settings *settings, const char **variable);

#endif
