// SPDX-License-Identifier: MIT
#include "rule.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 96 /* in front of a mapped address */

static void map_v4(struct in6_addr *address, struct in_addr v4)
{
	*address = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(address->s6_addr + 12, &v4, sizeof(v4));
}

/* A number from 0 to @most, and nothing else. */
static bool parse_number(const char *text, unsigned int most, unsigned int *number)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return false;
	value = strtoul(text, &end, 10);
	*number = value;
	return !*end && value <= most;
}

/* An address and its bits, which change the text. */
static const char *parse_address(struct rule *rule, char *text, bool is_v6)
{
	char *slash = strchr(text, '/');
	unsigned int most = is_v6 ? 128 : 32;
	struct in_addr v4;

	if (slash)
		*slash++ = '\0';
	rule->bits = most;
	if (slash && !parse_number(slash, most, &rule->bits))
		return is_v6 ? "behind the / of an IPv6 address 0 to 128 is expected" :
			       "behind the / of an IPv4 address 0 to 32 is expected";
	if (is_v6)
		return inet_pton(AF_INET6, text, &rule->address) == 1 ?
			       NULL :
			       "this is no IPv6 address in brackets";
	if (inet_pton(AF_INET, text, &v4) != 1)
		return "this is no IPv4 address; IPv6 addresses stand in brackets, and names only "
		       "behind =";
	map_v4(&rule->address, v4);
	rule->bits += V4_BITS;
	return NULL;
}

static const char *parse_ports(struct rule *rule, char *text)
{
	char *dash = strchr(text, '-');
	unsigned int low, high;

	rule->low = 0;
	rule->high = UINT16_MAX;
	if (!strcmp(text, "*"))
		return NULL;
	if (dash)
		*dash++ = '\0';
	if (!parse_number(text, UINT16_MAX, &low) ||
	    !parse_number(dash ? dash : text, UINT16_MAX, &high) || !low || high < low)
		return "a port, a range of ports LOW-HIGH or * is expected";
	rule->low = low;
	rule->high = high;
	return NULL;
}

static const char *parse_place(struct rule *rule, char *text)
{
	char *ports = strrchr(text, ':');
	const char *problem;

	if (*text == '[') {
		char *end = strchr(text, ']');

		if (!end || end[1] != ':')
			return "an IPv6 address ends with ]: and a port";
		*end = '\0';
		problem = parse_address(rule, text + 1, true);
		ports = end + 2;
	} else if (ports) {
		*ports++ = '\0';
		problem = parse_address(rule, text, false);
	} else {
		ports = text;
		problem = NULL;
	}
	return problem ? problem : parse_ports(rule, ports);
}

const char *rule_parse(struct rule *rule, const char *text)
{
	char place[128];
	size_t len = strcspn(text, "=");

	*rule = (struct rule){ .exempt = *text == '!', .named = text[len] == '=' };
	if (rule->exempt && rule->named)
		return "a rule with ! names nothing";
	if (rule->named) {
		if (strlen(text + len + 1) > SIGNET_STRING_MAX)
			return "a name has 255 characters at most";
		strcpy(rule->name, text + len + 1);
	}
	if (rule->exempt) {
		text++;
		len--;
	}
	if (len >= sizeof(place))
		return "it is too long";
	memcpy(place, text, len);
	place[len] = '\0';
	return parse_place(rule, place);
}

bool rule_take_address(const struct sockaddr *from, socklen_t len, struct in6_addr *address,
		       uint16_t *port)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (!from || len < sizeof(from->sa_family))
		return false;
	/* The scope id may be missing (RFC 2133). */
	if (from->sa_family == AF_INET6 && len >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		memcpy(&v6, from, offsetof(struct sockaddr_in6, sin6_scope_id));
		*address = v6.sin6_addr;
		*port = ntohs(v6.sin6_port);
		return true;
	}
	if (from->sa_family == AF_INET && len >= sizeof(v4)) {
		memcpy(&v4, from, sizeof(v4));
		map_v4(address, v4.sin_addr);
		*port = ntohs(v4.sin_port);
		return true;
	}
	return false;
}

static bool has_prefix(const struct in6_addr *address, const struct in6_addr *prefix,
		       unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	if (memcmp(address, prefix, bytes))
		return false;
	return !rest || !((address->s6_addr[bytes] ^ prefix->s6_addr[bytes]) >> (8 - rest));
}

const struct rule *rule_find(const struct rule *rules, unsigned int count,
			     const struct in6_addr *address, uint16_t port)
{
	for (const struct rule *rule = rules; rule < rules + count; rule++)
		if (port >= rule->low && port <= rule->high &&
		    has_prefix(address, &rule->address, rule->bits))
			return rule->exempt ? NULL : rule;
	return NULL;
}
