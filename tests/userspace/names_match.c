// SPDX-License-Identifier: GPL-3.0-or-later
/* Which server names are taken, and which certificate names they match. */
#include <errno.h>
#include <string.h>

#include "../../userspace/handshake/name.h"
#include "tap.h"

static void names_are_parsed(void)
{
	static char long_label[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b";
	static const struct {
		const char *text;
		int ret;
		size_t address_len;
	} cases[] = {
		{ "db.internal", 0, 0 },
		{ "DB.Internal.", 0, 0 },
		{ "localhost", 0, 0 },
		{ "_dmarc.example.org", 0, 0 },
		{ "xn--bcher-kva.example", 0, 0 },
		{ "1.example", 0, 0 },
		{ "127.0.0.1", 0, 4 },
		{ "::1", 0, 16 },
		{ "2001:db8::17", 0, 16 },
		{ "https://db.internal/x", 0, 0 },
		{ "sips://u@db.internal:5061", 0, 0 },
		{ "spiffe://td.example/ns/db", 0, 0 },
		{ "https://", -EINVAL, 0 },
		{ "://db.internal", -EINVAL, 0 },
		{ "1s://db.internal", -EINVAL, 0 },
		{ "https://10.0.0.1/", -EINVAL, 0 },
		{ "https://[::1]/", -EINVAL, 0 },
		{ "https://*.example.org/", -EINVAL, 0 },
		{ "spiffe://td.example", -EINVAL, 0 },
		{ "spiffe://td.example/", -EINVAL, 0 },
		{ "spiffe://TD.example/db", -EINVAL, 0 },
		{ NULL, -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ "..", -EINVAL, 0 },
		{ "a..b", -EINVAL, 0 },
		{ ".a", -EINVAL, 0 },
		{ "a.b..", -EINVAL, 0 },
		{ "-a.b", -EINVAL, 0 },
		{ "a-.b", -EINVAL, 0 },
		{ "*.example.org", -EINVAL, 0 },
		{ "a b.example", -EINVAL, 0 },
		{ "\xc3\xbc.example", -EINVAL, 0 },
		{ "a/b", -EINVAL, 0 },
		{ "127.0.0.256", -EINVAL, 0 },
		{ "127.1", -EINVAL, 0 },
		{ "1234", -EINVAL, 0 },
		{ "[::1]", -EINVAL, 0 },
		{ "fe80::1%lo", -EINVAL, 0 },
		{ long_label, -EINVAL, 0 },
	};
	struct signet_name name;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = signet_name_parse(&name, cases[i].text);

		ok(ret == cases[i].ret && (ret || name.address_len == cases[i].address_len),
		   "%s is %s", cases[i].text ? cases[i].text : "NULL",
		   cases[i].ret		? "no name" :
		   cases[i].address_len ? "an address" :
					  "a name");
	}
}

static void lengths_are_limited(void)
{
	char text[SIGNET_NAME_MAX + 2];
	struct signet_name name;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '.' : 'a';
	text[253] = '\0';
	ok(!signet_name_parse(&name, text), "253 characters are a name");
	text[253] = '.';
	text[254] = '\0';
	ok(!signet_name_parse(&name, text), "and so with a final dot");
	text[254] = 'a';
	text[255] = '\0';
	ok(signet_name_parse(&name, text) == -EINVAL, "255 characters are none");
	text[255] = '.';
	text[256] = '\0';
	ok(signet_name_parse(&name, text) == -EINVAL, "256 characters are none");
}

static void dns_names_match(void)
{
	static const struct {
		const char *name, *pattern;
		bool matches;
	} cases[] = {
		{ "db.internal", "db.internal", true },
		{ "db.internal.", "db.internal", true },
		{ "DB.internal", "db.INTERNAL", true },
		{ "db.internal", "xdb.internal", false },
		{ "db.internal", "b.internal", false },
		{ "db.internal", "db.internal.", false },
		{ "db.internal", "", false },
		{ "db.internal", "*", false },
		{ "db.internal", "*.", false },
		{ "db.internal", "*.internal", false },
		{ "db.example.org", "*.example.org", true },
		{ "db.example.org", "*.EXAMPLE.org", true },
		{ "example.org", "*.example.org", false },
		{ "a.b.example.org", "*.example.org", false },
		{ "a.b.example.org", "a.*.example.org", false },
		{ "a.b.example.org", "*.*.example.org", false },
		{ "db.example.org", "d*.example.org", false },
		{ "db.example.org", "*b.example.org", false },
		{ "db.example.org", "d*b.example.org", false },
		{ "xn--bcher-kva.example.org", "xn--*.example.org", false },
		{ "xn--bcher-kva.example.org", "*.example.org", true },
		{ "db.example.org", "*..example.org", false },
		{ "127.0.0.1", "127.0.0.1", false },
		{ "127.0.0.1", "*.0.0.1", false },
	};
	struct signet_name name;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (signet_name_parse(&name, cases[i].name))
			bail("%s", cases[i].name);
		ok(signet_name_matches_dns(&name, cases[i].pattern, strlen(cases[i].pattern)) ==
			   cases[i].matches,
		   "%s %s \"%s\"", cases[i].name, cases[i].matches ? "is" : "is not",
		   cases[i].pattern);
	}
	signet_name_parse(&name, "db.internal");
	ok(!signet_name_matches_dns(&name, "db.internal\0.evil", 17), "a NUL does not cut a name");
	ok(!signet_name_matches_dns(&name, "db.internal\0", 12), "nor does one at its end");
}

static void addresses_match(void)
{
	static const unsigned char v4[4] = { 127, 0, 0, 1 }, v6[16] = { [15] = 1 };
	static const unsigned char mapped[16] = { [10] = 255, 255, 127, 0, 0, 1 };
	struct signet_name name;

	signet_name_parse(&name, "127.0.0.1");
	ok(signet_name_matches_address(&name, v4, 4), "127.0.0.1 is itself");
	ok(!signet_name_matches_address(&name, mapped, 16), "and not its IPv6 mapping");
	ok(!signet_name_matches_address(&name, v4, 3), "and not part of itself");
	signet_name_parse(&name, "::1");
	ok(signet_name_matches_address(&name, v6, 16), "::1 is itself");
	ok(!signet_name_matches_address(&name, v6, 4), "and not 0.0.0.0");
	signet_name_parse(&name, "db.internal");
	ok(!signet_name_matches_address(&name, v4, 4), "a DNS name is no address");
	ok(!signet_name_matches_address(&name, v4, 0), "nor an empty one");
}

static struct signet_der bytes(const char *text)
{
	return (struct signet_der){ (const unsigned char *)text, strlen(text) };
}

static void uris_match(void)
{
	static const struct {
		const char *name, *uri;
		bool matches;
	} cases[] = {
		{ "https://db.internal", "https://db.internal", true },
		{ "https://db.internal", "https://db.internal/x?y", true },
		{ "https://db.internal/x", "HTTPS://DB.internal:443/y", true },
		{ "https://db.internal", "https://u@db.internal", true },
		{ "https://db.internal", "http://db.internal", false },
		{ "https://db.internal", "https://web.internal", false },
		{ "https://db.example.org", "https://*.example.org", false },
		{ "https://db.internal", "https://db.internal@evil.org/", false },
		{ "https://db.internal", "https:db.internal", false },
		{ "https://db.internal", "db.internal", false },
		{ "https://db.internal", "", false },
		{ "db.internal", "https://db.internal", false },
		{ "127.0.0.1", "https://127.0.0.1", false },
		{ "spiffe://td.example/db", "spiffe://td.example/db", true },
		{ "spiffe://td.example/db", "spiffe://td.example/Db", false },
		{ "spiffe://td.example/db", "spiffe://td.example/db/x", false },
		{ "spiffe://td.example/db", "SPIFFE://td.example/db", false },
	};
	struct signet_name name;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (signet_name_parse(&name, cases[i].name))
			bail("%s", cases[i].name);
		ok(signet_name_matches_uri(&name, bytes(cases[i].uri)) == cases[i].matches,
		   "%s %s \"%s\"", cases[i].name, cases[i].matches ? "is" : "is not", cases[i].uri);
	}
	signet_name_parse(&name, "https://db.internal/");
	ok(!signet_name_matches_dns(&name, "db.internal", 11), "a DNS name is no URI");
}

/* What the ClientHello asks for. */
static void hosts_are_asked_for(void)
{
	static const struct {
		const char *name, *host;
	} cases[] = {
		{ "db.internal.", "db.internal" },
		{ "https://u@db.internal:443/x", "db.internal" },
		{ "127.0.0.1", NULL },
		{ "::1", NULL },
		{ "spiffe://td.example/db", NULL },
	};
	struct signet_name name;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *host;
		size_t length;

		signet_name_parse(&name, cases[i].name);
		host = signet_name_host(&name, &length);
		ok(cases[i].host ? host && signet_der_equal(
						   (struct signet_der){ (const unsigned char *)host,
									length },
						   bytes(cases[i].host)) :
				   !host,
		   "%s asks for %s", cases[i].name, cases[i].host ? cases[i].host : "no name");
	}
}

int main(void)
{
	tap_begin();
	names_are_parsed();
	lengths_are_limited();
	dns_names_match();
	addresses_match();
	uris_match();
	hosts_are_asked_for();
	return tap_end();
}
