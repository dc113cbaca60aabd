// SPDX-License-Identifier: GPL-3.0-or-later
/* Which ways lead from a certificate to a trust anchor, and which certificates may stand on them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LIMITED(length)                                          \
	"basicConstraints=critical,CA:TRUE,pathlen:" length "\n" \
	"keyUsage=critical,keyCertSign\n"

static void authorities_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "middle", "/CN=Middle", "ca", CA }, NULL, 0, NULL },
		{ { "middle-expired", "/CN=Middle 1", "ca", CA, PAST },
		  NULL,
		  FATAL_CERTIFICATE_EXPIRED,
		  "a certificate above the server's has expired: /CN=Middle 1" },
		{ { "middle-of-tomorrow", "/CN=Middle 1", "ca", CA, FUTURE },
		  NULL,
		  FATAL_CERTIFICATE_EXPIRED,
		  "a certificate above the server's is not yet valid: /CN=Middle 1" },
		{ { "middle-no-ca", "/CN=Middle 2", "ca", "basicConstraints=CA:FALSE" },
		  NULL,
		  FATAL_UNKNOWN_CA,
		  "is not a CA's, so an unknown authority: /CN=Middle 2" },
		{ { "middle-without-constraints", "/CN=Middle 2", "ca", "keyUsage=cRLSign" },
		  NULL,
		  FATAL_UNKNOWN_CA,
		  "is not a CA's, so an unknown authority: /CN=Middle 2" },
		{ { "middle-not-critical", "/CN=Middle 3", "ca",
		    "basicConstraints=CA:TRUE\nkeyUsage=critical,keyCertSign" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "its basic constraints are not critical: /CN=Middle 3" },
		{ { "middle-that-cannot-sign", "/CN=Middle 4", "ca",
		    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "its key is not for signing certificates: /CN=Middle 4" },
		{ { "middle-without-usage", "/CN=Middle 5", "ca",
		    "basicConstraints=critical,CA:TRUE" },
		  NULL,
		  0,
		  NULL },
		{ { "middle-of-clients", "/CN=Middle 6", "ca", CA "extendedKeyUsage=clientAuth" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "is not for TLS servers: /CN=Middle 6" },
		{ { "middle-of-servers", "/CN=Middle 6", "ca", CA "extendedKeyUsage=serverAuth" },
		  NULL,
		  0,
		  NULL },
		{ { "middle-of-all", "/CN=Middle 6", "ca",
		    CA "extendedKeyUsage=anyExtendedKeyUsage" },
		  NULL,
		  0,
		  NULL },
		{ { "middle-nameless", "/", "ca", CA },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "names no issuer" },
		{ { "middle-v1", "/CN=Middle 7", "ca", NULL, "-x509v1 -days 9" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "is not of X.509 version 3: /CN=Middle 7" },
		{ { "middle-strange", "/CN=Middle 8", "ca", CA "1.2.3.4=critical,DER:0500" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has an unknown critical extension: /CN=Middle 8" },
		{ { "middle-serial-zero", "/CN=Middle 9", "ca", CA, "-set_serial 0 -days 9" },
		  NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has a serial number that is not positive, or too long: /CN=Middle 9" },
		{ { "middle-demanding", "/CN=Middle 10", "ca",
		    CA "policyConstraints=critical,requireExplicitPolicy:0" },
		  NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "demands certificate policies, a critical extension that is not supported" },
		{ { "middle-with-policies", "/CN=Middle 11", "ca",
		    CA "certificatePolicies=2.5.29.32.0" },
		  NULL,
		  0,
		  NULL },
	};

	judge_authorities(cases, COUNT(cases));
}

/* A trust anchor is judged like any other authority, when it is loaded. */
static void anchors_are_judged(void)
{
	static const struct recipe bad[] = {
		{ "root-expired", "/CN=Root 1", NULL, CA, PAST },
		{ "root-of-tomorrow", "/CN=Root 1", NULL, CA, FUTURE },
		{ "root-no-ca", "/CN=Root 2", NULL, "basicConstraints=critical,CA:FALSE" },
		{ "root-without-constraints", "/CN=Root 2", NULL, "keyUsage=cRLSign" },
		{ "root-not-critical", "/CN=Root 3", NULL, "basicConstraints=CA:TRUE" },
		{ "root-that-cannot-sign", "/CN=Root 4", NULL,
		  "basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign" },
		{ "root-nameless", "/", NULL, CA },
		{ "root-v1", "/CN=Root 5", NULL, NULL, "-x509v1 -days 9" },
		{ "root-strange", "/CN=Root 6", NULL, CA "1.2.3.4=critical,DER:0500" },
		{ "root-lax", "/CN=Root 7", NULL, CA "nameConstraints=permitted;DNS:internal" },
		{ "root-small", "/CN=Root 8", NULL, CA, NULL, "rsa:1024" },
		{ "root-p224", "/CN=Root 9", NULL, CA, NULL,
		  "ec -pkeyopt ec_paramgen_curve:P-224" },
	};
	static const struct recipe good[] = {
		{ "root-sha1", "/CN=Root 10", NULL, CA, "-sha1 -days 9" },
		{ "root-serial-zero", "/CN=Root 11", NULL, CA, "-set_serial 0 -days 9" },
		{ "root-of-clients", "/CN=Root 12", NULL, CA "extendedKeyUsage=clientAuth" },
		{ "below-sha1", "/CN=x", "root-sha1", NAMED },
		{ "below-serial-zero", "/CN=x", "root-serial-zero", NAMED },
		{ "below-root-of-clients", "/CN=x", "root-of-clients", NAMED },
	};
	static const struct sending cases[] = {
		{ "one below a root that signed itself with SHA-1", "below-sha1", "root-sha1" },
		{ "one below a root with serial number zero", "below-serial-zero",
		  "root-serial-zero" },
		{ "one below a root that is not for servers", "below-root-of-clients",
		  "root-of-clients", NULL, FATAL_UNSUPPORTED_CERTIFICATE,
		  "a certificate above the server's is not for TLS servers: /CN=Root 12" },
	};
	struct signet_config *config;

	make_certificates(bad, COUNT(bad));
	make_certificates(good, COUNT(good));
	if (signet_config_new(SIGNET_ROLE_CLIENT, &config))
		bail("no configuration");
	for (size_t i = 0; i < COUNT(bad); i++)
		ok(signet_config_ca_file(config, in_certificates("%s.pem", bad[i].name)) ==
			   -EKEYREJECTED,
		   "%s is not taken as anchor", bad[i].name);
	signet_config_free(config);
	judge_sendings(cases, COUNT(cases));
}

static void lengths_are_limited(void)
{
	static const struct recipe recipes[] = {
		{ "no-ca-below", "/CN=No CA below", "ca", LIMITED("0") },
		{ "one-ca-below", "/CN=One CA below", "ca", LIMITED("1") },
		{ "below-0", "/CN=Below 0", "no-ca-below", CA },
		{ "below-1", "/CN=Below 1", "one-ca-below", LIMITED("2") },
		{ "below-2", "/CN=Below 2", "below-1", CA },
		{ "leaf-0", "/CN=x", "no-ca-below", NAMED },
		{ "leaf-too-low", "/CN=x", "below-0", NAMED },
		{ "leaf-1", "/CN=x", "below-1", NAMED },
		{ "leaf-2", "/CN=x", "below-2", NAMED },
		/* The same name again: a self-issued certificate, with another key. */
		{ "one-ca-below-anew", "/CN=One CA below", "one-ca-below", LIMITED("1") },
		{ "below-anew", "/CN=Below anew", "one-ca-below-anew", LIMITED("0") },
		{ "leaf-anew", "/CN=x", "below-anew", NAMED },
		{ "leaf-with-length", "/CN=x", "ca",
		  NAMED "basicConstraints=critical,CA:FALSE,pathlen:0" },
	};
	static const struct sending cases[] = {
		{ "a leaf below path length 0", "leaf-0 no-ca-below" },
		{ "a CA below path length 0", "leaf-too-low below-0 no-ca-below", NULL, NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has more authorities below it than its path length allows: /CN=No CA below" },
		{ "a CA below path length 1, which may be raised", "leaf-1 below-1 one-ca-below" },
		{ "two CAs below path length 1", "leaf-2 below-2 below-1 one-ca-below", NULL, NULL,
		  FATAL_BAD_CERTIFICATE,
		  "has more authorities below it than its path length allows: /CN=One CA below" },
		{ "a self-issued CA, which does not count",
		  "leaf-anew below-anew one-ca-below-anew one-ca-below" },
	};
	static const struct sending direct[] = {
		{ "a path length without CA", "leaf-with-length", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "limits the path below it, but is not a CA's" },
	};

	make_certificates(recipes, COUNT(recipes));
	judge_sendings(cases, COUNT(cases));
	judge_directly(direct, COUNT(direct));
}

/* What a peer sends is a bag: order does not matter, nor what is not needed. */
static void order_does_not_matter(void)
{
	static const struct recipe recipes[] = {
		{ "first", "/CN=First", "ca", CA },
		{ "second", "/CN=Second", "first", CA },
		{ "third", "/CN=Third", "second", CA },
		{ "leaf", "/CN=x", "third", NAMED },
		{ "alien-root", "/CN=Alien root", NULL, CA },
		{ "alien", "/CN=Alien", "alien-root", CA },
		{ "alien-leaf", "/CN=x", "alien", NAMED },
	};
	static const struct sending cases[] = {
		{ "a chain in order", "leaf third second first" },
		{ "a chain in reverse order", "leaf first second third" },
		{ "a chain out of order", "leaf second first third" },
		{ "a chain with its root", "leaf third second first ca" },
		{ "a chain with its root in front", "leaf ca first third second" },
		{ "a chain with certificates twice", "leaf leaf third third second second first" },
		{ "a chain with others between",
		  "leaf alien third server alien-root second first" },
		{ "a chain with a gap", "leaf third first", NULL, NULL, FATAL_UNKNOWN_CA,
		  "a certificate above the server's was issued by an unknown authority: /CN=Third" },
		{ "a leaf alone", "leaf", NULL, NULL, FATAL_UNKNOWN_CA,
		  "the server's certificate was issued by an unknown authority" },
		{ "an alien chain", "alien-leaf alien", NULL, NULL, FATAL_UNKNOWN_CA,
		  "above the server's was issued by an unknown authority: /CN=Alien" },
		{ "an alien chain with its root", "alien-leaf alien alien-root", NULL, NULL,
		  FATAL_UNKNOWN_CA,
		  "above the server's is self-signed, by an unknown authority: /CN=Alien root" },
		{ "an alien chain with the right root", "alien-leaf alien ca", NULL, NULL,
		  FATAL_UNKNOWN_CA, "unknown authority: /CN=Alien" },
		{ "a chain whose second certificate is trusted", "leaf third", "second" },
	};

	make_certificates(recipes, COUNT(recipes));
	judge_sendings(cases, COUNT(cases));
}

/* A certificate of the authority "cross", with the key that all of them share. */
#define CROSS(name, issuer, extensions, options) \
	{ name, "/CN=Cross", issuer, extensions, options, NULL, "cross" }

/* One authority, certified several times: the way that is open is found, whatever comes first. */
static void other_ways_are_tried(void)
{
	static const struct recipe recipes[] = {
		{ "old-root", "/CN=Old root", NULL, CA },
		{ "unknown-root", "/CN=Unknown root", NULL, CA },
		{ "cross", "/CN=Cross", "ca", CA },
		{ "cross-leaf", "/CN=x", "cross", NAMED },
		{ "narrow", "/CN=Narrow", "ca",
		  CA "nameConstraints=critical,permitted;DNS:example.org" },
		{ "cross-root", "/CN=Cross root", NULL, CA },
		{ "cross-root-leaf", "/CN=x", "cross-root", NAMED },
		{ "false-ca", "/CN=Signet Test CA", NULL, CA },
		CROSS("cross-expired", "ca", CA, PAST),
		CROSS("cross-unknown", "unknown-root", CA, NULL),
		CROSS("cross-clients", "ca", CA "extendedKeyUsage=clientAuth", NULL),
		CROSS("cross-forged", "false-ca", CA "authorityKeyIdentifier=none", NULL),
		CROSS("cross-narrow", "narrow", CA, NULL),
		CROSS("cross-sha1", "ca", CA, "-sha1 -days 9"),
		CROSS("cross-limited", "ca", LIMITED("0"), NULL),
		{ "root-crossed", "/CN=Cross root", "ca", CA, PAST, NULL, "cross-root" },
	};
	static const struct sending cases[] = {
		{ "beside an expired one, first", "cross-leaf cross-expired cross" },
		{ "beside an expired one, last", "cross-leaf cross cross-expired" },
		{ "beside one of an unknown root, first", "cross-leaf cross-unknown unknown-root "
							  "cross" },
		{ "beside one of an unknown root, last", "cross-leaf cross cross-unknown" },
		{ "beside one of clients", "cross-leaf cross-clients cross" },
		{ "beside a forged one", "cross-leaf cross-forged cross" },
		{ "beside one with other names", "cross-leaf cross-narrow narrow cross" },
		{ "beside one with SHA-1", "cross-leaf cross-sha1 cross" },
		{ "beside one with a path length below its own", "cross-leaf cross-limited cross" },
		{ "an expired one alone", "cross-leaf cross-expired", NULL, NULL,
		  FATAL_CERTIFICATE_EXPIRED,
		  "a certificate above the server's has expired: /CN=Cross" },
		{ "one with other names alone", "cross-leaf cross-narrow narrow", NULL, NULL,
		  FATAL_BAD_CERTIFICATE, "has a name that an authority above it must not certify" },
		{ "a forged one alone", "cross-leaf cross-forged", NULL, NULL,
		  FATAL_BAD_CERTIFICATE,
		  "a certificate above the server's has a wrong signature: /CN=Cross" },
		{ "a root that has an expired cross-certificate", "cross-root-leaf root-crossed",
		  "cross-root" },
	};

	make_certificates(recipes, COUNT(recipes));
	judge_sendings(cases, COUNT(cases));
}

/* Two authorities that certify each other, and one that certifies itself anew. */
static void circles_end(void)
{
	static const struct recipe recipes[] = {
		{ "one", "/CN=One", NULL, CA },
		{ "two", "/CN=Two", "one", CA },
		{ "circle-leaf", "/CN=x", "two", NAMED },
		{ "same", "/CN=Same", NULL, CA },
		{ "same-2", "/CN=Same", "same", CA },
		{ "same-leaf", "/CN=x", "same-2", NAMED },
		{ "one-by-two", "/CN=One", "two", CA, NULL, NULL, "one" },
		{ "same-by-2", "/CN=Same", "same-2", CA, NULL, NULL, "same" },
	};
	static const struct sending cases[] = {
		{ "a circle of two", "circle-leaf two one-by-two one", NULL, NULL, FATAL_UNKNOWN_CA,
		  "unknown authority" },
		{ "a circle of two without a root", "circle-leaf two one-by-two", NULL, NULL,
		  FATAL_UNKNOWN_CA, "unknown authority" },
		{ "a circle of one name", "same-leaf same-2 same same-by-2", NULL, NULL,
		  FATAL_UNKNOWN_CA, "unknown authority" },
	};

	make_certificates(recipes, COUNT(recipes));
	judge_sendings(cases, COUNT(cases));
}

/* step-1 below ca, each below the one before; leaf-<n> below step-<n>. */
static void make_steps(int count)
{
	char name[32], issuer[32] = "ca", subject[32], leaf[32];

	for (int i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "step-%d", i);
		snprintf(subject, sizeof(subject), "/CN=Step %d", i);
		snprintf(leaf, sizeof(leaf), "leaf-%d", i);
		make_certificate(&(struct recipe){ name, subject, issuer, CA });
		make_certificate(&(struct recipe){ leaf, "/CN=x", name, NAMED });
		snprintf(issuer, sizeof(issuer), "%s", name);
	}
}

static void depth_is_limited(void)
{
	static const struct sending cases[] = {
		{ "a path of ten certificates",
		  "leaf-8 step-1 step-2 step-3 step-4 step-5 step-6 step-7 step-8" },
		{ "a path of eleven",
		  "leaf-9 step-1 step-2 step-3 step-4 step-5 step-6 step-7 step-8 "
		  "step-9",
		  NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "the server's certificate comes with too long a chain" },
		{ "a path of ten and as many others",
		  "leaf-8 step-1 step-2 step-3 step-4 step-5 step-6 step-7 step-8 server server "
		  "server server server server server server server server server" },
		{ "more certificates than a peer may send",
		  "leaf-8 step-1 step-2 step-3 step-4 step-5 step-6 step-7 step-8 server server "
		  "server server server server server server server server server server",
		  NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "the server's certificate comes with too long a chain" },
	};

	make_steps(9);
	judge_sendings(cases, COUNT(cases));
}

#define MAZE 4

/*
 * Every one of a set of authorities certifies every other: there are more paths than anybody could
 * try, and the search gives up.
 */
static void effort_is_limited(void)
{
	static const char extensions[] = CA
		"subjectKeyIdentifier=none\nauthorityKeyIdentifier=none";
	char name[32], issuer[32], key[32], files[1024] = "maze-leaf";
	struct sending sending = { "a maze",
				   files,
				   NULL,
				   NULL,
				   FATAL_BAD_CERTIFICATE,
				   "comes with certificates that make too many paths to try" };

	for (int i = 0; i < MAZE; i++) {
		snprintf(name, sizeof(name), "maze-%d", i);
		make_certificate(&(struct recipe){ name, "/CN=Maze", NULL, extensions });
	}
	for (int i = 0; i < MAZE * MAZE; i++) {
		snprintf(name, sizeof(name), "maze-of-%d-by-%d", i / MAZE, i % MAZE);
		snprintf(key, sizeof(key), "maze-%d", i / MAZE);
		snprintf(issuer, sizeof(issuer), "maze-%d", i % MAZE);
		make_certificate(
			&(struct recipe){ name, "/CN=Maze", issuer, extensions, NULL, NULL, key });
		sprintf(files + strlen(files), " %s", name);
	}
	make_certificate(&(struct recipe){ "maze-leaf", "/CN=x", "maze-0",
					   NAMED "authorityKeyIdentifier=none" });
	judge_sendings(&sending, 1);
}

/* What a peer sent must not serve another handshake. */
static void chains_are_forgotten(void)
{
	static const struct sending cases[] = {
		{ "a leaf without its intermediate", "alone", NULL, NULL, FATAL_UNKNOWN_CA,
		  "unknown authority" },
		{ "with it", "alone passing" },
		{ "and without it again", "alone", NULL, NULL, FATAL_UNKNOWN_CA,
		  "unknown authority" },
	};

	make_certificate(&(struct recipe){ "passing", "/CN=Passing", "ca", CA });
	make_certificate(&(struct recipe){ "alone", "/CN=x", "passing", NAMED });
	judge_sendings(cases, COUNT(cases));
}

int main(void)
{
	judge_begin();
	authorities_are_judged();
	anchors_are_judged();
	lengths_are_limited();
	order_does_not_matter();
	other_ways_are_tried();
	circles_end();
	depth_is_limited();
	effort_is_limited();
	chains_are_forgotten();
	return judge_end();
}
