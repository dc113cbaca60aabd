/* SPDX-License-Identifier: MIT */
/*
 * A rule says which connections are made TLS, by address and port:
 *
 *   [!][ADDRESS[/BITS]:]PORTS[=NAME]
 *
 * An IPv6 address stands in brackets, with its bits. PORTS is a number, LOW-HIGH or "*". With "!"
 * what matches is left alone. The first rule that matches decides.
 */
#ifndef SIGNET_RUN_RULE_H
#define SIGNET_RUN_RULE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <linux/signet.h>

/**
 * struct rule - one of them
 * @address:	IPv4's are mapped ones (RFC 4291 2.5.5.2)
 * @bits:	of @address that must match, 0 for any address of either family
 * @low:	lowest port
 * @high:	highest port
 * @exempt:	what matches is left alone
 * @named:	there was "="
 * @name:	what followed
 */
struct rule {
	struct in6_addr address;
	unsigned int bits;
	uint16_t low;
	uint16_t high;
	bool exempt;
	bool named;
	char name[SIGNET_STRING_MAX + 1];
};

/**
 * rule_parse - read a rule
 * @rule:	filled in
 * @text:	without spaces
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *rule_parse(struct rule *rule, const char *text);

/* Takes apart an address of IPv4 or IPv6. Return: false when it is neither. */
bool rule_take_address(const struct sockaddr *from, socklen_t len, struct in6_addr *address,
		       uint16_t *port);

/* Return: the first of the rules that matches and is no exemption, or NULL. */
const struct rule *rule_find(const struct rule *rules, unsigned int count,
			     const struct in6_addr *address, uint16_t port);

#endif
