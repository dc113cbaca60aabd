// SPDX-License-Identifier: GPL-3.0-or-later
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <signet.h>

#define SEPARATORS ":,"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TLS13(number, wolfssl, key_len, hash_len) \
	{ number, wolfssl, SIGNET_TLS_1_3, SIGNET_AUTHENTICATION_ANY, key_len, 0, hash_len }
#define TLS12(number, wolfssl, authentication, key_len, iv_len, hash_len)           \
	{ number,  wolfssl, SIGNET_TLS_1_2, SIGNET_AUTHENTICATION_##authentication, \
	  key_len, iv_len,  hash_len }

/* What the module has and wolfSSL speaks (RFC 8446 B.4, RFC 5289, RFC 7251, RFC 7905). */
static const struct signet_suite suites[] = {
	TLS13(SIGNET_AES_128_GCM_SHA256, "TLS13-AES128-GCM-SHA256", 16, 32),
	TLS13(SIGNET_AES_256_GCM_SHA384, "TLS13-AES256-GCM-SHA384", 32, 48),
	TLS13(SIGNET_CHACHA20_POLY1305_SHA256, "TLS13-CHACHA20-POLY1305-SHA256", 32, 32),
	TLS13(SIGNET_AES_128_CCM_SHA256, "TLS13-AES128-CCM-SHA256", 16, 32),
	TLS12(SIGNET_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", ECDSA,
	      16, 4, 32),
	TLS12(SIGNET_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", RSA, 16, 4,
	      32),
	TLS12(SIGNET_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", ECDSA,
	      32, 4, 48),
	TLS12(SIGNET_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", RSA, 32, 4,
	      48),
	TLS12(SIGNET_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305",
	      ECDSA, 32, 12, 32),
	TLS12(SIGNET_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", RSA,
	      32, 12, 32),
	TLS12(SIGNET_ECDHE_ECDSA_WITH_AES_128_CCM, "ECDHE-ECDSA-AES128-CCM", ECDSA, 16, 4, 32),
};

static const struct {
	const char *name;
	int number;
	bool is_hybrid;
} groups[] = {
	{ "X25519MLKEM768", WOLFSSL_X25519MLKEM768, true },
	{ "SecP256r1MLKEM768", WOLFSSL_SECP256R1MLKEM768, true },
	{ "SecP384r1MLKEM1024", WOLFSSL_SECP384R1MLKEM1024, true },
	{ "x25519", WOLFSSL_ECC_X25519, false },
	{ "secp256r1", WOLFSSL_ECC_SECP256R1, false },
	{ "secp384r1", WOLFSSL_ECC_SECP384R1, false },
};

const struct signet_suite *signet_suite_find(unsigned int number)
{
	for (size_t i = 0; i < COUNT(suites); i++) {
		if (suites[i].number == number)
			return &suites[i];
	}
	return NULL;
}

/* The next name of a list; @names is moved behind it. Return: its length, 0 at the end. */
static size_t next_name(const char **names, const char **name)
{
	size_t length;

	*names += strspn(*names, SEPARATORS);
	*name = *names;
	length = strcspn(*names, SEPARATORS);
	*names += length;
	return length;
}

static bool is(const char *name, size_t length, const char *known)
{
	return strlen(known) == length && !strncasecmp(name, known, length);
}

static const struct signet_suite *find_name(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT(suites); i++) {
		if (is(name, length, signet_suite_name(suites[i].number)))
			return &suites[i];
	}
	return NULL;
}

static bool fits(const struct signet_suite *suite, const struct signet_suite_filter *filter)
{
	return suite->version >= filter->min_version &&
	       (!filter->authentication || !suite->authentication ||
		suite->authentication == filter->authentication);
}

static int append(char *list, const struct signet_suite *suite)
{
	size_t used = strlen(list);
	int n;

	n = snprintf(list + used, SIGNET_SUITE_LIST_MAX - used, "%s%s", used ? ":" : "",
		     suite->wolfssl);
	return n > 0 && (size_t)n < SIGNET_SUITE_LIST_MAX - used ? 0 : -EINVAL;
}

int signet_suite_list(char *list, const char *names, const struct signet_suite_filter *filter)
{
	const struct signet_suite *suite = signet_suite_find(filter->first);
	bool modern = false, found = !filter->first;
	const char *name;
	size_t length;

	list[0] = '\0';
	if (suite && append(list, suite))
		return -EINVAL;
	while ((length = next_name(&names, &name))) {
		suite = find_name(name, length);
		if (!suite)
			return -EINVAL;
		modern |= suite->version == SIGNET_TLS_1_3;
		if (suite->number == filter->first)
			found = true;
		else if (fits(suite, filter) && append(list, suite))
			return -EINVAL;
	}
	if (!modern)
		return -EINVAL;
	return found ? 0 : -ENOENT;
}

int signet_group_list(int *numbers, size_t room, const char *names)
{
	size_t count = 0, length, i;
	const char *name;

	while ((length = next_name(&names, &name))) {
		for (i = 0; i < COUNT(groups) && !is(name, length, groups[i].name); i++)
			;
		if (i == COUNT(groups) || count == room)
			return -EINVAL;
		numbers[count++] = groups[i].number;
	}
	return count ? (int)count : -EINVAL;
}

bool signet_group_is_hybrid(int group)
{
	for (size_t i = 0; i < COUNT(groups); i++) {
		if (groups[i].number == group)
			return groups[i].is_hybrid;
	}
	return false;
}
