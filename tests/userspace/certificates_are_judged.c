// SPDX-License-Identifier: GPL-3.0-or-later
/* Which certificates are refused, with which words, and that nothing is handed over then. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct judgement names[] = {
	{ { "other-name", "/CN=db.internal", "ca",
	    "subjectAltName=DNS:web.internal,"
	    "DNS:mail.internal,IP:10.0.0.1" },
	  NULL,
	  FATAL_BAD_CERTIFICATE,
	  "is for web.internal, mail.internal, IP:10.0.0.1, not for db.internal" },
	{ { "common-name-only", "/CN=db.internal", "ca" },
	  NULL,
	  FATAL_BAD_CERTIFICATE,
	  "names no host" },
	{ { "only-mail-address", "/CN=db.internal", "ca",
	    "subjectAltName=email:db@db.internal,URI:https\\://db.internal/" },
	  NULL,
	  FATAL_BAD_CERTIFICATE,
	  "names no host" },
	{ { "wildcard", "/CN=x", "ca", "subjectAltName=DNS:*.example.org" },
	  "db.example.org",
	  0,
	  NULL },
	{ { "wildcard-too-deep", "/CN=x", "ca", "subjectAltName=DNS:*.example.org" },
	  "a.db.example.org",
	  FATAL_BAD_CERTIFICATE,
	  "*.example.org, not for a.db" },
	{ { "wildcard-base", "/CN=x", "ca", "subjectAltName=DNS:*.example.org" },
	  "example.org",
	  FATAL_BAD_CERTIFICATE,
	  "not for example.org" },
	{ { "wildcard-inside", "/CN=x", "ca", "subjectAltName=DNS:a.*.example.org" },
	  "a.b.example.org",
	  FATAL_BAD_CERTIFICATE,
	  "not for a.b.example.org" },
	{ { "wildcard-partial", "/CN=x", "ca", "subjectAltName=DNS:d*.example.org" },
	  "db.example.org",
	  FATAL_BAD_CERTIFICATE,
	  "not for db.example.org" },
	{ { "wildcard-top", "/CN=x", "ca", "subjectAltName=DNS:*.internal" },
	  NULL,
	  FATAL_BAD_CERTIFICATE,
	  "not for db.internal" },
	{ { "address", "/CN=x", "ca", "subjectAltName=IP:127.0.0.1" }, "127.0.0.1", 0, NULL },
	{ { "address-as-dns", "/CN=x", "ca", "subjectAltName=DNS:127.0.0.1" },
	  "127.0.0.1",
	  FATAL_BAD_CERTIFICATE,
	  "is for DNS:127.0.0.1, not for 127.0.0.1" },
	{ { "other-address", "/CN=x", "ca", "subjectAltName=IP:127.0.0.2,IP:2001:db8::1" },
	  "127.0.0.1",
	  FATAL_BAD_CERTIFICATE,
	  "is for 127.0.0.2, 2001:db8::1, not" },
	{ { "ipv6-address", "/CN=x", "ca", "subjectAltName=IP:2001:db8::17" },
	  "2001:db8::17",
	  0,
	  NULL },
	{ { "name-as-address", "/CN=x", "ca", "subjectAltName=DNS:db.internal" },
	  "127.0.0.1",
	  FATAL_BAD_CERTIFICATE,
	  "is for DNS:db.internal, not for 127.0.0.1" },
	{ { "final-dot", "/CN=x", "ca", "subjectAltName=DNS:db.internal." },
	  NULL,
	  FATAL_BAD_CERTIFICATE,
	  "is for db.internal., not for" },
	{ { "final-dot-asked", "/CN=x", "ca", "subjectAltName=DNS:db.internal" },
	  "db.internal.",
	  0,
	  NULL },
	{ { "letter-case", "/CN=x", "ca", "subjectAltName=DNS:DB.Internal" },
	  "db.INTERNAL",
	  0,
	  NULL },
	{ { "underscore", "/CN=x", "ca", "subjectAltName=DNS:db_1.internal" },
	  "db_1.internal",
	  0,
	  NULL },
	{ { "a-label", "/CN=x", "ca", "subjectAltName=DNS:xn--bcher-kva.example" },
	  "xn--bcher-kva.example",
	  0,
	  NULL },
	{ { "wildcard-in-a-label", "/CN=x", "ca", "subjectAltName=DNS:xn--*-kva.example" },
	  "xn--bcher-kva.example",
	  FATAL_BAD_CERTIFICATE,
	  "not for xn--bcher-kva.example" },
	{ { "two-wildcards", "/CN=x", "ca", "subjectAltName=DNS:*.*.example.org" },
	  "a.b.example.org",
	  FATAL_BAD_CERTIFICATE,
	  "not for a.b.example.org" },
	{ { "wildcard-alone", "/CN=x", "ca", "subjectAltName=DNS:*" },
	  NULL,
	  FATAL_BAD_CERTIFICATE,
	  "is for *, not for" },
	{ { "service-uri", "/CN=x", "ca", "subjectAltName=URI:https\\://db.internal/x" },
	  "https://db.internal",
	  0,
	  NULL },
	{ { "other-scheme", "/CN=x", "ca", "subjectAltName=URI:sips\\://db.internal" },
	  "https://db.internal",
	  FATAL_BAD_CERTIFICATE,
	  "is for URI:sips://db.internal, not for https" },
	{ { "dns-for-uri", "/CN=x", "ca", "subjectAltName=DNS:db.internal" },
	  "https://db.internal",
	  FATAL_BAD_CERTIFICATE,
	  "is for DNS:db.internal, not for https" },
	{ { "workload", "/CN=x", "ca", "subjectAltName=URI:spiffe\\://td.example/db" },
	  "spiffe://td.example/db",
	  0,
	  NULL },
	{ { "other-workload", "/CN=x", "ca", "subjectAltName=URI:spiffe\\://td.example/db" },
	  "spiffe://td.example/DB",
	  FATAL_BAD_CERTIFICATE,
	  "not for spiffe://td.example/DB" },
	{ { "second-name", "/CN=x", "ca", "subjectAltName=DNS:a.internal,DNS:db.internal" },
	  NULL,
	  0,
	  NULL },
};

static void names_are_judged(void)
{
	judge_servers(names, COUNT(names));
}

static void long_lists_are_cut(void)
{
	char extension[1024] = "subjectAltName=DNS:first.example.org";
	struct judgement judgement = { { "many-names", "/CN=x", "ca", extension },
				       NULL,
				       FATAL_BAD_CERTIFICATE,
				       ", ..., not for db.internal" };

	for (int i = 0; i < 30; i++)
		sprintf(extension + strlen(extension), ",DNS:host-%d.example.org", i);
	judge_servers(&judgement, 1);
}

/* Some hosters' certificates have hundreds of names. */
static void long_lists_are_taken(void)
{
	static char extension[16384] = "subjectAltName=DNS:first.example.org";
	struct judgement judgement = { { "hundreds-of-names", "/CN=x", "ca", extension } };
	char *to = extension + strlen(extension);

	for (int i = 0; i < 500; i++)
		to += sprintf(to, ",DNS:host-%d.example.org", i);
	sprintf(to, ",DNS:db.internal");
	judge_servers(&judgement, 1);
}

static void times_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "expired", "/CN=x", "ca", NAMED, PAST },
		  NULL,
		  FATAL_CERTIFICATE_EXPIRED,
		  "the server's certificate has expired" },
		{ { "not-yet-valid", "/CN=x", "ca", NAMED, FUTURE },
		  NULL,
		  FATAL_CERTIFICATE_EXPIRED,
		  "the server's certificate is not yet valid" },
		{ { "starts-in-a-day", "/CN=x", "ca", NAMED,
		    "-not_before \"$(date -u -d tomorrow +%Y%m%d%H%M%SZ)\" -not_after "
		    "20910101000000Z" },
		  NULL,
		  FATAL_CERTIFICATE_EXPIRED,
		  "the server's certificate is not yet valid" },
		{ { "ended-a-minute-ago", "/CN=x", "ca", NAMED,
		    "-not_before 20200101000000Z -not_after "
		    "\"$(date -u -d '1 minute ago' +%Y%m%d%H%M%SZ)\"" },
		  NULL,
		  FATAL_CERTIFICATE_EXPIRED,
		  "the server's certificate has expired" },
		{ { "without-end", "/CN=x", "ca", NAMED,
		    "-not_before 20200101000000Z -not_after 99991231235959Z" },
		  NULL,
		  0,
		  NULL },
	};

	judge_servers(cases, COUNT(cases));
}

static void issuers_are_judged(void)
{
	static const struct recipe others[] = {
		{ "other-ca", "/CN=Another CA", NULL, CA },
		{ "false-ca", "/CN=Signet Test CA", NULL, CA },
	};
	static const struct judgement cases[] = {
		{ { "stranger", "/CN=x", "other-ca", NAMED },
		  NULL,
		  FATAL_UNKNOWN_CA,
		  "the server's certificate was issued by an unknown authority" },
		{ { "namesake", "/CN=x", "false-ca", NAMED "authorityKeyIdentifier=none" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "the server's certificate has a wrong signature" },
		{ { "namesake-with-key-id", "/CN=x", "false-ca", NAMED },
		  NULL,
		  FATAL_UNKNOWN_CA,
		  "the server's certificate was issued by an unknown authority" },
		{ { "self-signed", "/CN=x", NULL, NAMED "basicConstraints=CA:FALSE" },
		  NULL,
		  FATAL_UNKNOWN_CA,
		  "the server's certificate is self-signed, by an unknown authority" },
	};

	make_certificates(others, COUNT(others));
	judge_servers(cases, COUNT(cases));
}

static void uses_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "ca-as-leaf", "/CN=x", "ca",
		    NAMED "basicConstraints=critical,CA:TRUE\n"
			  "keyUsage=digitalSignature,keyCertSign" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "is a CA's" },
		{ { "for-clients", "/CN=x", "ca", NAMED "extendedKeyUsage=clientAuth" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "the server's certificate is not for TLS servers" },
		{ { "for-mail", "/CN=x", "ca", NAMED "extendedKeyUsage=emailProtection" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "is not for TLS servers" },
		{ { "for-anything", "/CN=x", "ca", NAMED "extendedKeyUsage=anyExtendedKeyUsage" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "is not for TLS servers" },
		{ { "for-something-unknown", "/CN=x", "ca", NAMED "extendedKeyUsage=1.2.3.4" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "is not for TLS servers" },
		{ { "for-both", "/CN=x", "ca", NAMED "extendedKeyUsage=clientAuth,serverAuth" },
		  NULL,
		  0,
		  NULL },
		{ { "for-servers-in-the-first-place", "/CN=x", "ca",
		    NAMED "extendedKeyUsage=critical,serverAuth" },
		  NULL,
		  0,
		  NULL },
		{ { "for-no-use-in-particular", "/CN=x", "ca", NAMED }, NULL, 0, NULL },
		{ { "for-key-agreement", "/CN=x", "ca", NAMED "keyUsage=keyAgreement" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "is not for signatures" },
		{ { "for-signatures", "/CN=x", "ca", NAMED "keyUsage=critical,digitalSignature" },
		  NULL,
		  0,
		  NULL },
	};

	judge_servers(cases, COUNT(cases));
}

/* The keys and signatures that are taken, and those that are not. */
static void strengths_are_judged(void)
{
	static const struct recipe authorities[] = {
		{ "rsa-ca", "/CN=RSA CA", "ca", CA, NULL, "rsa:2048" },
		{ "ed25519-ca", "/CN=Ed25519 CA", "ca", CA, NULL, "ed25519" },
		{ "p521-ca", "/CN=P-521 CA", "ca", CA, NULL,
		  "ec -pkeyopt ec_paramgen_curve:P-521" },
		{ "ml-dsa-ca", "/CN=ML-DSA CA", "ca", CA, NULL, "ml-dsa-65" },
		{ "small-ca", "/CN=Small CA", "ca", CA, NULL, "rsa:1024" },
		{ "p224-ca", "/CN=P-224 CA", "ca", CA, NULL,
		  "ec -pkeyopt ec_paramgen_curve:P-224" },
		{ "sha1-ca", "/CN=SHA-1 CA", "ca", CA, "-sha1 -days 9" },
		{ "by-rsa", "/CN=x", "rsa-ca", NAMED },
		{ "by-rsa-384", "/CN=x", "rsa-ca", NAMED, "-sha384 -days 9" },
		{ "by-rsa-sha1", "/CN=x", "rsa-ca", NAMED, "-sha1 -days 9" },
		{ "by-rsa-224", "/CN=x", "rsa-ca", NAMED, "-sha224 -days 9" },
		{ "by-pss", "/CN=x", "rsa-ca", NAMED,
		  "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -days 9" },
		{ "by-pss-long-salt", "/CN=x", "rsa-ca", NAMED,
		  "-sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:max -days 9" },
		{ "by-pss-sha1", "/CN=x", "rsa-ca", NAMED,
		  "-sha1 -sigopt rsa_padding_mode:pss -days 9" },
		{ "by-pss-mixed", "/CN=x", "rsa-ca", NAMED,
		  "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1 -days 9" },
		{ "by-ed25519", "/CN=x", "ed25519-ca", NAMED },
		{ "by-p521", "/CN=x", "p521-ca", NAMED, "-sha512 -days 9" },
		{ "by-ml-dsa", "/CN=x", "ml-dsa-ca", NAMED },
		{ "by-small", "/CN=x", "small-ca", NAMED },
		{ "by-p224", "/CN=x", "p224-ca", NAMED },
		{ "by-sha1", "/CN=x", "sha1-ca", NAMED },
	};
	static const struct sending sendings[] = {
		{ "one signed with RSA", "by-rsa rsa-ca" },
		{ "one signed with RSA and SHA-384", "by-rsa-384 rsa-ca" },
		{ "one signed with RSA-PSS", "by-pss rsa-ca" },
		{ "one signed with RSA-PSS, long salt", "by-pss-long-salt rsa-ca" },
		{ "one signed with Ed25519", "by-ed25519 ed25519-ca" },
		{ "one signed with P-521", "by-p521 p521-ca" },
		{ "one signed with ML-DSA-65", "by-ml-dsa ml-dsa-ca" },
		{ "one signed with RSA and SHA-1", "by-rsa-sha1 rsa-ca", NULL, NULL,
		  FATAL_BAD_CERTIFICATE, "the server's certificate is signed with a broken hash" },
		{ "one signed with RSA and SHA-224", "by-rsa-224 rsa-ca", NULL, NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE, "has a signature of an unsupported kind" },
		{ "one signed with RSA-PSS and SHA-1", "by-pss-sha1 rsa-ca", NULL, NULL,
		  FATAL_BAD_CERTIFICATE, "is signed with a broken hash" },
		{ "one signed with RSA-PSS and two hashes", "by-pss-mixed rsa-ca", NULL, NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE, "has a signature of an unsupported kind" },
		{ "one below RSA of 1024 bits", "by-small small-ca", NULL, NULL,
		  FATAL_BAD_CERTIFICATE, "has too short a key: RSA below 2048 bits: /CN=Small CA" },
		{ "one below P-224", "by-p224 p224-ca", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a key on another curve than P-256, P-384 or P-521: /CN=P-224 CA" },
		{ "one below SHA-1", "by-sha1 sha1-ca", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "a certificate above the server's is signed with a broken hash: /CN=SHA-1 CA" },
	};
	static const struct judgement cases[] = {
		{ { "sha1", "/CN=x", "ca", NAMED, "-sha1 -days 10" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "the server's certificate is signed with a broken hash" },
		{ { "rsa-2048", "/CN=x", "ca", NAMED, NULL, "rsa:2048" }, NULL, 0, NULL },
		{ { "p384", "/CN=x", "ca", NAMED, "-sha384 -days 9",
		    "ec -pkeyopt ec_paramgen_curve:P-384" },
		  NULL,
		  0,
		  NULL },
		{ { "ed25519", "/CN=x", "ca", NAMED, NULL, "ed25519" }, NULL, 0, NULL },
		{ { "ml-dsa-65", "/CN=x", "ca", NAMED, NULL, "ml-dsa-65" }, NULL, 0, NULL },
	};

	make_certificates(authorities, COUNT(authorities));
	judge_sendings(sendings, COUNT(sendings));
	judge_servers(cases, COUNT(cases));
}

static void forms_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "v1", "/CN=db.internal", "ca", NULL, "-x509v1 -days 9" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "the server's certificate is not of X.509 version 3" },
		{ { "no-subject", "/", "ca", "subjectAltName=critical,DNS:db.internal" },
		  NULL,
		  0,
		  NULL },
		{ { "unknown-extension", "/CN=x", "ca", NAMED "1.2.3.4=DER:0500" }, NULL, 0, NULL },
		{ { "policy", "/CN=x", "ca", NAMED "certificatePolicies=critical,1.2.3.4" },
		  NULL,
		  0,
		  NULL },
		{ { "must-staple", "/CN=x", "ca", NAMED "tlsfeature=status_request" },
		  NULL,
		  0,
		  NULL },
	};

	judge_servers(cases, COUNT(cases));
}

/* The same rules hold for clients. */
static void clients_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "client-any-use", "/CN=x", "ca" }, NULL, 0, NULL },
		{ { "client-expired", "/CN=x", "ca", NULL, PAST },
		  NULL,
		  FATAL_CERTIFICATE_EXPIRED,
		  "the client's certificate has expired" },
		{ { "client-of-tomorrow", "/CN=x", "ca", NULL, FUTURE },
		  NULL,
		  FATAL_CERTIFICATE_EXPIRED,
		  "the client's certificate is not yet valid" },
		{ { "client-stranger", "/CN=x", "other-ca" },
		  NULL,
		  FATAL_UNKNOWN_CA,
		  "the client's certificate was issued by an unknown" },
		{ { "client-self-signed", "/CN=x", NULL, "basicConstraints=CA:FALSE" },
		  NULL,
		  FATAL_UNKNOWN_CA,
		  "the client's certificate is self-signed" },
		{ { "client-for-servers", "/CN=x", "ca", "extendedKeyUsage=serverAuth" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "the client's certificate is not for TLS clients" },
		{ { "client-for-anything", "/CN=x", "ca", "extendedKeyUsage=anyExtendedKeyUsage" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "is not for TLS clients" },
		{ { "client-for-key-agreement", "/CN=x", "ca", "keyUsage=keyAgreement" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "the client's certificate is not for signatures" },
		{ { "client-ca", "/CN=x", "ca",
		    "basicConstraints=critical,CA:TRUE\n"
		    "keyUsage=digitalSignature,keyCertSign" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "is a CA's" },
		{ { "client-v1", "/CN=x", "ca", NULL, "-x509v1 -days 9" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "the client's certificate is not of X.509 version 3" },
		{ { "client-sha1", "/CN=x", "ca", NULL, "-sha1 -days 9" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "the client's certificate is signed with a broken hash" },
	};
	struct duo duo;

	judge_clients(cases, COUNT(cases));
	handshake(&duo, usual_client, asking_server, "db.internal");
	ok(duo.server.status == -EKEYREJECTED &&
		   !strcmp(duo.server.result.text, "the client presented no certificate"),
	   "a client without a certificate is refused: %s", duo.server.result.text);
	ok(duo.server.result.alert == FATAL_CERTIFICATE_REQUIRED && !duo.server.keys.size,
	   "with alert certificate_required, and without keys: %s",
	   signet_alert_name(duo.server.result.alert & 0xff));
}

static void nobody_is_trusted_by_default(void)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, NULL, NULL);
	struct duo duo;

	handshake(&duo, client, usual_server, "db.internal");
	check_refusal(&duo.client, &duo.server, "by a client without a CA, any server",
		      FATAL_UNKNOWN_CA, "unknown authority");
	signet_config_free(client);
}

int main(void)
{
	judge_begin();
	names_are_judged();
	long_lists_are_cut();
	long_lists_are_taken();
	times_are_judged();
	issuers_are_judged();
	uses_are_judged();
	strengths_are_judged();
	forms_are_judged();
	clients_are_judged();
	nobody_is_trusted_by_default();
	return judge_end();
}
