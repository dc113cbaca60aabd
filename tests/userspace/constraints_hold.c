// SPDX-License-Identifier: GPL-3.0-or-later
/* Name constraints: which names a constrained authority may certify (RFC 5280 4.2.1.10). */
#include <stdio.h>
#include <string.h>

#include "judge.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the client asks for. */
#define DB "DNS:db.internal"

/**
 * struct constraint - a CA's name constraints, and a name below
 * @constraints: as openssl takes them, without "critical"
 * @names:	the leaf's subjectAltName
 * @allowed:	whether the CA may certify them
 * @subject:	the leaf's, NULL for "/CN=x"
 */
struct constraint {
	const char *constraints;
	const char *names;
	bool allowed;
	const char *subject;
};

static void judge_constraints(const char *kind, const struct constraint *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char authority[64], leaf[64], files[160], constraints[512], names[512];
		struct sending sending = { cases[i].constraints, files };

		snprintf(authority, sizeof(authority), "%s-%zu", kind, i);
		snprintf(leaf, sizeof(leaf), "leaf-%s-%zu", kind, i);
		snprintf(files, sizeof(files), "%s %s", leaf, authority);
		snprintf(constraints, sizeof(constraints), CA "nameConstraints=critical,%s",
			 cases[i].constraints);
		snprintf(names, sizeof(names), "subjectAltName=%s", cases[i].names);
		make_certificate(
			&(struct recipe){ authority, "/O=Test/CN=Narrow", "ca", constraints });
		make_certificate(&(struct recipe){
			leaf, cases[i].subject ? cases[i].subject : "/CN=x", authority, names });
		note("%s below %s", cases[i].names, cases[i].constraints);
		if (!cases[i].allowed) {
			sending.alert = FATAL_BAD_CERTIFICATE;
			sending.text =
				"the server's certificate has a name that an authority above "
				"it must not certify";
		}
		judge_sendings(&sending, 1);
	}
}

static void dns_names_are_constrained(void)
{
	static const struct constraint cases[] = {
		{ "permitted;DNS:internal", DB, true },
		{ "permitted;DNS:db.internal", DB, true },
		{ "permitted;DNS:INTERNAL", DB, true },
		{ "permitted;DNS:example.org", DB, false },
		{ "permitted;DNS:example.org,permitted;DNS:internal", DB, true },
		{ "permitted;DNS:internal", DB ",DNS:example.org", false },
		{ "permitted;DNS:b.internal", DB, false },
		{ "permitted;DNS:a.db.internal", DB, false },
		{ "excluded;DNS:internal", DB, false },
		{ "excluded;DNS:example.org", DB, true },
		{ "excluded;DNS:evil.internal", DB ",DNS:evil.internal", false },
		{ "excluded;DNS:evil.internal", DB ",DNS:a.evil.internal", false },
		{ "excluded;DNS:evil.internal", DB ",DNS:devil.internal", true },
		{ "excluded;DNS:evil.internal", DB ",DNS:*.internal", false },
		{ "excluded;DNS:a.evil.internal", DB ",DNS:*.internal", true },
		{ "permitted;DNS:internal", DB ",DNS:*.example.internal", true },
		{ "permitted;DNS:a.internal,permitted;DNS:db.internal", DB ",DNS:*.internal",
		  false },
		{ "permitted;DNS:internal,excluded;DNS:db.internal", DB, false },
		{ "DER:3006a10430028200", DB, false },
		{ "permitted;DNS:internal", DB ",DNS:.internal", false },
		{ "permitted;IP:10.0.0.0/255.0.0.0", DB, true },
	};

	judge_constraints("dns", cases, COUNT(cases));
}

static void addresses_are_constrained(void)
{
	static const struct constraint cases[] = {
		{ "permitted;IP:10.0.0.0/255.0.0.0", DB ",IP:10.1.2.3", true },
		{ "permitted;IP:10.0.0.0/255.0.0.0", DB ",IP:11.1.2.3", false },
		{ "permitted;IP:10.0.0.0/255.0.0.0", DB ",IP:2001:db8::1", false },
		{ "permitted;IP:10.16.0.0/255.240.0.0", DB ",IP:10.31.255.255", true },
		{ "permitted;IP:10.16.0.0/255.240.0.0", DB ",IP:10.32.0.0", false },
		{ "excluded;IP:10.0.0.0/255.0.0.0", DB ",IP:10.1.2.3", false },
		{ "excluded;IP:10.0.0.0/255.0.0.0", DB ",IP:11.1.2.3", true },
		{ "excluded;IP:0.0.0.0/0.0.0.0", DB ",IP:2001:db8::1", true },
		{ "permitted;IP:2001:db8::/ffff:ffff::", DB ",IP:2001:db8::1", true },
		{ "permitted;IP:2001:db8::/ffff:ffff::", DB ",IP:2001:db9::1", false },
		{ "permitted;IP:2001:db8::/ffff:ffff::", DB ",IP:10.0.0.1", false },
	};

	judge_constraints("address", cases, COUNT(cases));
}

static void other_names_are_constrained(void)
{
	static const struct constraint cases[] = {
		{ "permitted;email:example.org", DB ",email:a@example.org", true },
		{ "permitted;email:example.org", DB ",email:a@EXAMPLE.org", true },
		{ "permitted;email:example.org", DB ",email:a@b.example.org", false },
		{ "permitted;email:.example.org", DB ",email:a@b.example.org", true },
		{ "permitted;email:.example.org", DB ",email:a@example.org", false },
		{ "permitted;email:a@example.org", DB ",email:a@example.org", true },
		{ "permitted;email:a@example.org", DB ",email:A@example.org", false },
		{ "excluded;email:example.org", DB ",email:a@example.org", false },
		{ "excluded;email:example.org", DB ",email:a@b.example.org", true },
		{ "permitted;email:example.org", DB ",email:a@b@example.org", false },
		{ "permitted;URI:example.org", DB ",URI:https\\://example.org/x", true },
		{ "permitted;URI:example.org", DB ",URI:https\\://u@example.org\\:1/x", true },
		{ "permitted;URI:example.org", DB ",URI:https\\://a.example.org/x", false },
		{ "permitted;URI:.example.org", DB ",URI:https\\://a.example.org/x", true },
		{ "permitted;URI:.example.org", DB ",URI:https\\://example.org/x", false },
		{ "permitted;URI:example.org", DB ",URI:https\\://example.org@evil.org/", false },
		{ "excluded;URI:example.org", DB ",URI:https\\://example.org/x", false },
		{ "excluded;URI:example.org", DB ",URI:https\\://other.org/x", true },
		{ "excluded;URI:example.org", DB ",URI:urn\\:isbn\\:1", false },
		{ "excluded;URI:example.org", DB ",URI:https\\://10.0.0.1/", false },
		{ "permitted;URI:td.example", DB ",URI:spiffe\\://td.example/db", true },
		{ "permitted;URI:td.example", DB ",URI:spiffe\\://other.example/db", false },
		{ "excluded;otherName:1.2.3.4;UTF8:x", DB, true },
		{ "excluded;otherName:1.2.3.4;UTF8:x", DB ",otherName:1.2.3.4;UTF8:x", false },
		{ "excluded;otherName:1.2.3.4;UTF8:x", DB ",otherName:1.2.3.5;UTF8:y", false },
		{ "excluded;RID:1.2.3.4", DB ",RID:1.2.3.5", false },
		{ "permitted;DNS:internal", DB ",otherName:1.2.3.4;UTF8:x,RID:1.2.3.4", true },
	};

	judge_constraints("other", cases, COUNT(cases));
}

/* The sections of openssl.cnf that constraints and names refer to. */
static void add_sections(void)
{
	if (!run_there("printf '[org]\\nO=Test\\n[org_case]\\nO=tEST\\n[other_org]\\nO=Other\\n"
		       "[person]\\nO=Test\\nCN=x\\n[stranger]\\nO=Other\\nCN=x\\n' >>openssl.cnf"))
		bail("no sections");
}

static void subjects_are_constrained(void)
{
	static const struct constraint cases[] = {
		{ "permitted;dirName:org", DB, true, "/O=Test/CN=x" },
		{ "permitted;dirName:org", DB, true, "/O=Test" },
		{ "permitted;dirName:org_case", DB, true, "/O=Test/CN=x" },
		{ "permitted;dirName:org", DB, true, "/O= test  /CN=x" },
		{ "permitted;dirName:org", DB, false, "/O=Testing/CN=x" },
		{ "permitted;dirName:org", DB, false, "/CN=x/O=Test" },
		{ "permitted;dirName:org", DB, false, "/CN=x" },
		{ "excluded;dirName:org", DB, false, "/O=Test/CN=x" },
		{ "excluded;dirName:org", DB, true, "/O=Other/CN=x" },
		{ "permitted;dirName:org", DB ",dirName:person", true, "/O=Test/CN=x" },
		{ "permitted;dirName:org", DB ",dirName:stranger", false, "/O=Test/CN=x" },
		{ "excluded;dirName:other_org", DB ",dirName:stranger", false, "/O=Test/CN=x" },
	};

	judge_constraints("subject", cases, COUNT(cases));
}

/* Every authority on the path, and every certificate below it. */
static void constraints_add_up(void)
{
	static const struct recipe recipes[] = {
		{ "both", "/CN=Both", "ca",
		  CA "nameConstraints=critical,permitted;DNS:example.org,permitted;DNS:internal" },
		{ "only", "/CN=Only", "both",
		  CA "nameConstraints=critical,permitted;DNS:example.org" },
		{ "wider", "/CN=Wider", "only",
		  CA "nameConstraints=critical,permitted;DNS:internal" },
		{ "leaf-both", "/CN=x", "both", NAMED },
		{ "leaf-only", "/CN=x", "only", NAMED },
		{ "leaf-wider", "/CN=x", "wider", NAMED },
		{ "named-middle", "/CN=Named", "only", CA "subjectAltName=DNS:evil.internal" },
		{ "leaf-named-middle", "/CN=x", "named-middle",
		  "subjectAltName=DNS:db.example.org" },
		/* A new key of the same authority: its own names are not constrained. */
		{ "only-anew", "/CN=Only", "only", CA "subjectAltName=DNS:evil.internal" },
		{ "leaf-only-anew", "/CN=x", "only-anew", "subjectAltName=DNS:db.example.org" },
		{ "narrow-root", "/CN=Narrow root", NULL,
		  CA "nameConstraints=critical,permitted;DNS:example.org" },
		{ "leaf-narrow-root", "/CN=x", "narrow-root", NAMED },
		{ "leaf-within-root", "/CN=x", "narrow-root", "subjectAltName=DNS:db.example.org" },
		/* The leaf is self-issued: its names are constrained all the same. */
		{ "leaf-of-itself", "/CN=Narrow root", "narrow-root", NAMED },
		{ "mail", "/CN=Mail", "ca", CA "nameConstraints=critical,permitted;email:a.org" },
		{ "leaf-mail", "/CN=x/emailAddress=x@b.org", "mail", NULL },
		{ "leaf-mails", "/CN=x/emailAddress=x@a.org+emailAddress=x@b.org", "mail", NULL },
	};
	static const struct sending cases[] = {
		{ "what both allow", "leaf-both both" },
		{ "what one of two forbids", "leaf-only only both", NULL, NULL,
		  FATAL_BAD_CERTIFICATE, "must not certify" },
		{ "what an authority above a wider one forbids", "leaf-wider wider only both", NULL,
		  NULL, FATAL_BAD_CERTIFICATE, "must not certify" },
		{ "a constrained authority's own name", "leaf-named-middle named-middle only both",
		  NULL, "db.example.org", FATAL_BAD_CERTIFICATE,
		  "a certificate above the server's has a name that an authority above it must "
		  "not certify: /CN=Named" },
		{ "a self-issued authority's own name", "leaf-only-anew only-anew only both", NULL,
		  "db.example.org" },
		{ "what a root forbids", "leaf-narrow-root", "narrow-root", NULL,
		  FATAL_BAD_CERTIFICATE, "must not certify" },
		{ "what a root allows", "leaf-within-root", "narrow-root", "db.example.org" },
		{ "what a root forbids, self-issued", "leaf-of-itself", "narrow-root", NULL,
		  FATAL_BAD_CERTIFICATE, "must not certify" },
	};
	static const struct sending direct[] = {
		{ "a mail address in a subject", "leaf-mail mail", NULL, NULL,
		  FATAL_BAD_CERTIFICATE, "must not certify" },
		{ "a second one in the same set", "leaf-mails mail", NULL, NULL,
		  FATAL_BAD_CERTIFICATE, "must not certify" },
	};

	make_certificates(recipes, COUNT(recipes));
	judge_sendings(cases, COUNT(cases));
	judge_directly(direct, COUNT(direct));
}

/* Constraints that say nothing clear are refused before any name is compared. */
static void malformed_constraints_are_refused(void)
{
	static const struct judgement cases[] = {
		{ { "not-critical", "/CN=Bad", "ca", CA "nameConstraints=permitted;DNS:internal" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "a certificate above the server's has name constraints, but not critical: "
		  "/CN=Bad" },
		{ { "leading-dot", "/CN=Bad", "ca",
		    CA "nameConstraints=critical,permitted;DNS:.internal" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "a certificate above the server's has malformed name constraints: /CN=Bad" },
		{ { "wildcard", "/CN=Bad", "ca",
		    CA "nameConstraints=critical,permitted;DNS:*.internal" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has malformed name constraints: /CN=Bad" },
		{ { "two-ats", "/CN=Bad", "ca",
		    CA "nameConstraints=critical,permitted;email:a@b@example.org" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has malformed name constraints: /CN=Bad" },
		{ { "holes-in-mask", "/CN=Bad", "ca",
		    CA "nameConstraints=critical,permitted;IP:10.0.0.0/255.0.255.0" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has malformed name constraints: /CN=Bad" },
		/* [0] { { [7] 127.0.0.1 } }: no mask. */
		{ { "no-mask", "/CN=Bad", "ca",
		    CA "nameConstraints=critical,DER:300aa008300687047f000001" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has malformed name constraints: /CN=Bad" },
		{ { "nothing", "/CN=Bad", "ca", CA "nameConstraints=critical,DER:3000" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has malformed name constraints: /CN=Bad" },
		/* [0] { { [2] "internal", [1] 1 } }: a maximum. */
		{ { "maximum", "/CN=Bad", "ca",
		    CA "nameConstraints=critical,DER:3011a00f300d8208696e7465726e616c810101" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has malformed name constraints: /CN=Bad" },
	};
	static const struct recipe recipes[] = {
		{ "constraining-leaf", "/CN=x", "ca",
		  NAMED "nameConstraints=critical,permitted;DNS:internal" },
	};
	static const struct sending direct[] = {
		{ "a leaf with name constraints", "constraining-leaf", NULL, NULL,
		  FATAL_BAD_CERTIFICATE, "is not a CA's, but has name constraints" },
	};

	judge_authorities(cases, COUNT(cases));
	make_certificates(recipes, COUNT(recipes));
	judge_directly(direct, COUNT(direct));
}

/* Many names below many constraints cost the judge no more than a bound. */
static void comparisons_are_limited(void)
{
	static char constraints[65536] = CA "nameConstraints=critical", names[65536] = NAMED;
	struct sending sending = { "a product of names and constraints",
				   "many-names many-constraints",
				   NULL,
				   NULL,
				   FATAL_BAD_CERTIFICATE,
				   "has too many names under name constraints" };
	char *to;

	to = constraints + strlen(constraints);
	for (int i = 0; i < 400; i++)
		to += sprintf(to, ",excluded;DNS:a%d.b", i);
	names[strlen(names) - 1] = '\0';
	to = names + strlen(names);
	for (int i = 0; i < 400; i++)
		to += sprintf(to, ",DNS:n%d.c", i);
	make_certificate(&(struct recipe){ "many-constraints", "/CN=Many", "ca", constraints });
	make_certificate(&(struct recipe){ "many-names", "/CN=x", "many-constraints", names });
	judge_sendings(&sending, 1);
}

int main(void)
{
	judge_begin();
	add_sections();
	dns_names_are_constrained();
	addresses_are_constrained();
	other_names_are_constrained();
	subjects_are_constrained();
	constraints_add_up();
	malformed_constraints_are_refused();
	comparisons_are_limited();
	return judge_end();
}
