// SPDX-License-Identifier: GPL-3.0-or-later
/* Which certificates are refused, with which words, and that nothing is handed over then. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "certificates.h"
#include "duo.h"
#include "tap.h"

#define PAST "-not_before 20200101000000Z -not_after 20210101000000Z"
#define FUTURE "-not_before 20900101000000Z -not_after 20910101000000Z"
#define CA "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
#define NAMED "subjectAltName=DNS:db.internal\n"

/* The alerts of RFC 8446 6.2 that refusals send, with the level "fatal". */
#define ALERT(description) (2 << 8 | (description))
#define BAD_CERTIFICATE ALERT(42)
#define CERTIFICATE_EXPIRED ALERT(45)
#define UNKNOWN_CA ALERT(48)

static struct signet_config *usual_client, *usual_server, *asking_server;

/**
 * struct judgement - a certificate and what becomes of it
 * @recipe:	of the certificate; issued by "ca" unless it says otherwise
 * @name:	what the client asks for, NULL for db.internal
 * @alert:	that the judge sends, 0 when the certificate is good
 * @text:	part of what the result says, NULL when the certificate is good
 */
struct judgement {
	struct recipe recipe;
	const char *name;
	unsigned int alert;
	const char *text;
};

/* The judge's verdict, and that the other side was told. */
static void check_refusal(const struct side *judge, const struct side *judged, const char *name,
			  unsigned int alert, const char *text)
{
	ok(judge->status == -EKEYREJECTED && judge->result.error == -EKEYREJECTED &&
		   strstr(judge->result.text, text),
	   "%s is refused: %s", name, judge->result.text);
	ok(judge->result.alert == alert && !judge->keys.size, "with alert %s, and without keys",
	   signet_alert_name(judge->result.alert & 0xff));
	if (judged)
		ok(judged->status == -EPROTO && judged->result.alert == alert &&
			   strstr(judged->result.text, signet_alert_name(alert & 0xff)),
		   "of which the other side knows: %s", judged->result.text);
}

static void judge_server(const struct judgement *judgement)
{
	struct recipe recipe = judgement->recipe;
	const char *name = judgement->name ? judgement->name : "db.internal";
	struct signet_config *server;
	struct duo duo;

	make_certificate(&recipe);
	server = new_config(SIGNET_ROLE_SERVER, NULL, recipe.name);
	handshake(&duo, usual_client, server, name);
	if (judgement->text)
		check_refusal(&duo.client, &duo.server, recipe.name, judgement->alert,
			      judgement->text);
	else
		ok(!duo.client.status && keys_agree(&duo.client.keys, &duo.server.keys),
		   "%s is taken for %s: %s", recipe.name, name, duo.client.result.text);
	signet_config_free(server);
}

static void names_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "other-name", "/CN=db.internal", "ca",
		    "subjectAltName=DNS:web.internal,"
		    "DNS:mail.internal,IP:10.0.0.1" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is for web.internal, mail.internal, IP:10.0.0.1, not for db.internal" },
		{ { "common-name-only", "/CN=db.internal", "ca" },
		  NULL,
		  BAD_CERTIFICATE,
		  "names no host" },
		{ { "only-mail-address", "/CN=db.internal", "ca",
		    "subjectAltName=email:db@db.internal,URI:https\\://db.internal/" },
		  NULL,
		  BAD_CERTIFICATE,
		  "names no host" },
		{ { "wildcard", "/CN=x", "ca", "subjectAltName=DNS:*.example.org" },
		  "db.example.org",
		  0,
		  NULL },
		{ { "wildcard-too-deep", "/CN=x", "ca", "subjectAltName=DNS:*.example.org" },
		  "a.db.example.org",
		  BAD_CERTIFICATE,
		  "*.example.org, not for a.db" },
		{ { "wildcard-base", "/CN=x", "ca", "subjectAltName=DNS:*.example.org" },
		  "example.org",
		  BAD_CERTIFICATE,
		  "not for example.org" },
		{ { "wildcard-inside", "/CN=x", "ca", "subjectAltName=DNS:a.*.example.org" },
		  "a.b.example.org",
		  BAD_CERTIFICATE,
		  "not for a.b.example.org" },
		{ { "wildcard-partial", "/CN=x", "ca", "subjectAltName=DNS:d*.example.org" },
		  "db.example.org",
		  BAD_CERTIFICATE,
		  "not for db.example.org" },
		{ { "wildcard-top", "/CN=x", "ca", "subjectAltName=DNS:*.internal" },
		  NULL,
		  BAD_CERTIFICATE,
		  "not for db.internal" },
		{ { "address", "/CN=x", "ca", "subjectAltName=IP:127.0.0.1" },
		  "127.0.0.1",
		  0,
		  NULL },
		{ { "address-as-dns", "/CN=x", "ca", "subjectAltName=DNS:127.0.0.1" },
		  "127.0.0.1",
		  BAD_CERTIFICATE,
		  "is for DNS:127.0.0.1, not for 127.0.0.1" },
		{ { "other-address", "/CN=x", "ca", "subjectAltName=IP:127.0.0.2,IP:2001:db8::1" },
		  "127.0.0.1",
		  BAD_CERTIFICATE,
		  "is for 127.0.0.2, 2001:db8::1, not" },
		{ { "second-name", "/CN=x", "ca", "subjectAltName=DNS:a.internal,DNS:db.internal" },
		  NULL,
		  0,
		  NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		judge_server(&cases[i]);
}

static void long_lists_are_cut(void)
{
	char extension[1024] = "subjectAltName=DNS:first.example.org";
	struct judgement judgement = { { "many-names", "/CN=x", "ca", extension },
				       NULL,
				       BAD_CERTIFICATE,
				       ", ..., not for db.internal" };

	for (int i = 0; i < 30; i++)
		sprintf(extension + strlen(extension), ",DNS:host-%d.example.org", i);
	judge_server(&judgement);
}

static void times_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "expired", "/CN=x", "ca", NAMED, PAST },
		  NULL,
		  CERTIFICATE_EXPIRED,
		  "the server's certificate has expired" },
		{ { "not-yet-valid", "/CN=x", "ca", NAMED, FUTURE },
		  NULL,
		  CERTIFICATE_EXPIRED,
		  "the server's certificate is not yet valid" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		judge_server(&cases[i]);
}

static void issuers_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "stranger", "/CN=x", "other-ca", NAMED },
		  NULL,
		  UNKNOWN_CA,
		  "was issued by an unknown authority" },
		{ { "namesake", "/CN=x", "false-ca", NAMED "authorityKeyIdentifier=none" },
		  NULL,
		  BAD_CERTIFICATE,
		  "" },
		{ { "self-signed", "/CN=x", NULL, NAMED "basicConstraints=CA:FALSE" },
		  NULL,
		  0,
		  NULL },
	};
	struct signet_config *server;
	struct duo duo;

	make_certificate(&(struct recipe){ "other-ca", "/CN=Another CA", NULL, CA });
	make_certificate(&(struct recipe){ "false-ca", "/CN=Signet Test CA", NULL, CA });
	judge_server(&cases[0]);

	make_certificate(&cases[1].recipe);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "namesake");
	handshake(&duo, usual_client, server, "db.internal");
	ok(duo.client.status == -EKEYREJECTED && !duo.client.keys.size,
	   "one of a false CA with the right name is refused: %s", duo.client.result.text);
	signet_config_free(server);

	make_certificate(&cases[2].recipe);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "self-signed");
	handshake(&duo, usual_client, server, "db.internal");
	ok(duo.client.status == -EKEYREJECTED &&
		   strstr(duo.client.result.text, "unknown authority"),
	   "a self-signed one is refused: %s", duo.client.result.text);
	signet_config_free(server);
}

static void uses_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "ca-as-leaf", "/CN=x", "ca",
		    NAMED "basicConstraints=critical,CA:TRUE\n"
			  "keyUsage=digitalSignature,keyCertSign" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is a CA's" },
		{ { "for-clients", "/CN=x", "ca", NAMED "extendedKeyUsage=clientAuth" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is not for TLS servers" },
		{ { "for-mail", "/CN=x", "ca", NAMED "extendedKeyUsage=emailProtection" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is not for TLS servers" },
		{ { "for-anything", "/CN=x", "ca", NAMED "extendedKeyUsage=anyExtendedKeyUsage" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is not for TLS servers" },
		{ { "for-something-unknown", "/CN=x", "ca", NAMED "extendedKeyUsage=1.2.3.4" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is not for TLS servers" },
		{ { "for-both", "/CN=x", "ca", NAMED "extendedKeyUsage=clientAuth,serverAuth" },
		  NULL,
		  0,
		  NULL },
		{ { "for-no-use-in-particular", "/CN=x", "ca", NAMED }, NULL, 0, NULL },
		{ { "for-key-agreement", "/CN=x", "ca", NAMED "keyUsage=keyAgreement" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is not for signatures" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		judge_server(&cases[i]);
}

static void forms_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "sha1", "/CN=x", "ca", NAMED, "-sha1 -days 10" }, NULL, BAD_CERTIFICATE, "" },
	};
	struct signet_config *server;
	struct duo duo;

	make_certificate(&cases[0].recipe);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "sha1");
	handshake(&duo, usual_client, server, "db.internal");
	ok(duo.client.status == -EKEYREJECTED && !duo.client.keys.size,
	   "one signed with SHA-1 is refused: %s", duo.client.result.text);
	signet_config_free(server);

	make_certificate(
		&(struct recipe){ "v1", "/CN=db.internal", "ca", NULL, "-x509v1 -days 9" });
	if (!run_there("openssl x509 -in v1.pem -noout -text | grep 'Version: 1'"))
		bail("no version 1 certificate");
	server = new_config(SIGNET_ROLE_SERVER, NULL, "v1");
	handshake(&duo, usual_client, server, "db.internal");
	check_refusal(&duo.client, &duo.server, "X.509 version 1", BAD_CERTIFICATE, "version 3");
	signet_config_free(server);
}

/* The leaf "below-<middle>" of a CA "middle" that is made by @recipe, and a server with both. */
static struct signet_config *server_below(const struct recipe *recipe)
{
	char leaf[64];

	make_certificate(recipe);
	snprintf(leaf, sizeof(leaf), "below-%s", recipe->name);
	make_certificate(&(struct recipe){ leaf, "/CN=x", recipe->name, NAMED });
	run_there("cat %s.pem >>%s.pem", recipe->name, leaf);
	return new_config(SIGNET_ROLE_SERVER, NULL, leaf);
}

static void authorities_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "middle", "/CN=Middle", "ca", CA }, NULL, 0, NULL },
		{ { "middle-expired", "/CN=Middle 1", "ca", CA, PAST },
		  NULL,
		  CERTIFICATE_EXPIRED,
		  "a certificate above the server's has expired" },
		{ { "middle-no-ca", "/CN=Middle 2", "ca", "basicConstraints=CA:FALSE" },
		  NULL,
		  UNKNOWN_CA,
		  "unknown authority" },
		{ { "middle-of-clients", "/CN=Middle 3", "ca", CA "extendedKeyUsage=clientAuth" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is not for TLS servers" },
		{ { "middle-of-all", "/CN=Middle 4", "ca",
		    CA "extendedKeyUsage=anyExtendedKeyUsage" },
		  NULL,
		  0,
		  NULL },
		{ { "middle-lax", "/CN=Middle 5", "ca",
		    CA "nameConstraints=permitted;DNS:internal" },
		  NULL,
		  BAD_CERTIFICATE,
		  "not critical" },
		{ { "middle-constrained", "/CN=Middle 6", "ca",
		    CA "nameConstraints=critical,permitted;DNS:internal" },
		  NULL,
		  0,
		  NULL },
		{ { "middle-elsewhere", "/CN=Middle 7", "ca",
		    CA "nameConstraints=critical,permitted;DNS:example.org" },
		  NULL,
		  BAD_CERTIFICATE,
		  "must not certify" },
		{ { "middle-nameless", "/", "ca", CA }, NULL, BAD_CERTIFICATE, "" },
	};
	struct signet_config *server;
	struct duo duo;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct judgement *judgement = &cases[i];

		server = server_below(&judgement->recipe);
		handshake(&duo, usual_client, server, "db.internal");
		if (!judgement->text)
			ok(!duo.client.status, "one below %s is taken: %s", judgement->recipe.name,
			   duo.client.result.text);
		else if (judgement->text[0])
			check_refusal(&duo.client, &duo.server, judgement->recipe.name,
				      judgement->alert, judgement->text);
		else
			ok(duo.client.status == -EKEYREJECTED, "one below %s is refused: %s",
			   judgement->recipe.name, duo.client.result.text);
		signet_config_free(server);
	}
}

static void paths_are_limited(void)
{
	struct signet_config *server;
	struct duo duo;

	make_certificate(&(struct recipe){
		"short-path", "/CN=No CA below", "ca",
		"basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign" });
	server = server_below(&(struct recipe){ "too-low", "/CN=Too low", "short-path", CA });
	run_there("cat short-path.pem >>below-too-low.pem");
	signet_config_free(server);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "below-too-low");
	handshake(&duo, usual_client, server, "db.internal");
	ok(duo.client.status == -EKEYREJECTED && strstr(duo.client.result.text, "authorities"),
	   "a path longer than an authority allows is refused: %s", duo.client.result.text);
	signet_config_free(server);
}

/* wolfSSL would keep the intermediate of the first handshake, as if it had been configured. */
static void chains_are_forgotten(void)
{
	struct signet_config *with, *without;
	struct duo duo;

	with = server_below(&(struct recipe){ "passing", "/CN=Passing", "ca", CA });
	run_there(
		"openssl x509 -in below-passing.pem -out alone.pem; cp below-passing.key alone.key");
	without = new_config(SIGNET_ROLE_SERVER, NULL, "alone");
	handshake(&duo, usual_client, without, "db.internal");
	ok(duo.client.status == -EKEYREJECTED, "a leaf without its intermediate is refused");
	handshake(&duo, usual_client, with, "db.internal");
	ok(!duo.client.status, "with it, it is taken: %s", duo.client.result.text);
	handshake(&duo, usual_client, without, "db.internal");
	ok(duo.client.status == -EKEYREJECTED,
	   "and without it again refused: the intermediate was not kept");
	signet_config_free(with);
	signet_config_free(without);
}

static void clients_are_judged(void)
{
	static const struct judgement cases[] = {
		{ { "client-any-use", "/CN=x", "ca" }, NULL, 0, NULL },
		{ { "client-expired", "/CN=x", "ca", NULL, PAST },
		  NULL,
		  CERTIFICATE_EXPIRED,
		  "the client's certificate has expired" },
		{ { "client-stranger", "/CN=x", "other-ca" },
		  NULL,
		  UNKNOWN_CA,
		  "the client's certificate was issued by an unknown" },
		{ { "client-for-servers", "/CN=x", "ca", "extendedKeyUsage=serverAuth" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is not for TLS clients" },
		{ { "client-ca", "/CN=x", "ca",
		    "basicConstraints=critical,CA:TRUE\n"
		    "keyUsage=digitalSignature,keyCertSign" },
		  NULL,
		  BAD_CERTIFICATE,
		  "is a CA's" },
	};
	struct signet_config *client;
	struct duo duo;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_certificate(&cases[i].recipe);
		client = new_config(SIGNET_ROLE_CLIENT, "ca", cases[i].recipe.name);
		handshake(&duo, client, asking_server, "db.internal");
		if (cases[i].text)
			check_refusal(&duo.server, NULL, cases[i].recipe.name, cases[i].alert,
				      cases[i].text);
		else
			ok(!duo.server.status, "%s is taken: %s", cases[i].recipe.name,
			   duo.server.result.text);
		signet_config_free(client);
	}
	handshake(&duo, usual_client, asking_server, "db.internal");
	ok(duo.server.status == -EKEYREJECTED &&
		   !strcmp(duo.server.result.text, "the client presented no certificate"),
	   "a client without a certificate is refused: %s", duo.server.result.text);
	ok(duo.server.result.alert == ALERT(116) && !duo.server.keys.size,
	   "with alert certificate_required, and without keys: %s",
	   signet_alert_name(duo.server.result.alert & 0xff));
}

static void nobody_is_trusted_by_default(void)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, NULL, NULL);
	struct duo duo;

	handshake(&duo, client, usual_server, "db.internal");
	ok(duo.client.status == -EKEYREJECTED &&
		   strstr(duo.client.result.text, "unknown authority"),
	   "a client without a CA trusts nobody: %s", duo.client.result.text);
	signet_config_free(client);
}

int main(void)
{
	tap_begin();
	certificates_begin();
	make_usual_certificates();
	usual_client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	usual_server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	asking_server = new_config(SIGNET_ROLE_SERVER, "ca", "server");
	names_are_judged();
	long_lists_are_cut();
	times_are_judged();
	issuers_are_judged();
	uses_are_judged();
	forms_are_judged();
	authorities_are_judged();
	paths_are_limited();
	chains_are_forgotten();
	clients_are_judged();
	nobody_is_trusted_by_default();
	signet_config_free(usual_client);
	signet_config_free(usual_server);
	signet_config_free(asking_server);
	return tap_end();
}
