// SPDX-License-Identifier: GPL-3.0-or-later
/* Who a verified peer is said to be, and which certificates said so. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "../../userspace/handshake/uri.h"
#include "../../userspace/handshake/verify.h"
#include "forge.h"
#include "judge.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SVID "subjectAltName=critical,URI:spiffe\\://td.example/ns/prod/sa/db"

/* A client's identity as a server's handshake tells it. */
static void clients_are_told(void)
{
	static const struct {
		struct recipe recipe;
		const char *peer;
	} cases[] = {
		{ { "by-subject", "/O=Test/CN=a client", "ca" }, "/O=Test/CN=a client" },
		{ { "by-name", "/CN=x", "ca", "subjectAltName=email:a@b.org,DNS:c.org,DNS:d.org" },
		  "c.org" },
		{ { "by-mail", "/CN=x", "ca", "subjectAltName=email:a@b.org" }, "/CN=x" },
		{ { "by-uri", "/CN=x", "ca", "subjectAltName=URI:https\\://a.org/" }, "/CN=x" },
		{ { "by-workload", "/", "ca", SVID }, "spiffe://td.example/ns/prod/sa/db" },
		{ { "by-workload-and-name", "/CN=x", "ca",
		    "subjectAltName=DNS:c.org,URI:spiffe\\://td.example/db" },
		  "spiffe://td.example/db" },
		{ { "by-wildcard", "/CN=x", "ca", "subjectAltName=DNS:*.org" }, "/CN=x" },
		{ { "by-odd-name", "/CN=x", "ca", "subjectAltName=DNS:/CN=admin" }, "/CN=x" },
		{ { "by-slash", "/CN=x\\/CN=admin", "ca" }, "/CN=x\\/CN=admin" },
		{ { "by-utf8", "/CN=\xc3\xbc", "ca", NULL, "-utf8 -days 9" }, "/CN=\\xC3\\xBC" },
		{ { "by-plus", "/CN=C\\+\\+", "ca" }, "/CN=C\\+\\+" },
		{ { "by-organization-id", "/organizationIdentifier=VATDE-1", "ca" },
		  "/2.5.4.97=VATDE-1" },
	};
	struct signet_config *client;
	struct duo duo;

	for (size_t i = 0; i < COUNT(cases); i++) {
		make_certificate(&cases[i].recipe);
		client = new_config(SIGNET_ROLE_CLIENT, "ca", cases[i].recipe.name);
		handshake(&duo, client, asking_server, "db.internal");
		ok(!duo.server.status && !strcmp(duo.server.result.peer, cases[i].peer),
		   "%s the client is %s%s", cases[i].recipe.name, duo.server.result.peer,
		   duo.server.result.text);
		ok(!strcmp(duo.client.result.peer, "db.internal"), "and the server %s",
		   duo.client.result.peer);
		signet_config_free(client);
	}
}

static void bad_workloads_are_refused(void)
{
#define BAD_SVID(name, id)                                   \
	{ { name, "/CN=x", "ca", "subjectAltName=URI:" id }, \
	  NULL,                                              \
	  FATAL_BAD_CERTIFICATE,                             \
	  "has a SPIFFE id that is malformed, or not its only URI" }
	static const struct judgement cases[] = {
		BAD_SVID("two-workloads", "spiffe\\://td.example/a,URI:spiffe\\://td.example/b"),
		BAD_SVID("workload-and-uri", "spiffe\\://td.example/a,URI:https\\://a.org/"),
		BAD_SVID("uri-and-workload", "https\\://a.org/,URI:spiffe\\://td.example/a"),
		BAD_SVID("without-path", "spiffe\\://td.example"),
		BAD_SVID("with-empty-path", "spiffe\\://td.example/"),
		BAD_SVID("with-empty-segment", "spiffe\\://td.example/a//b"),
		BAD_SVID("with-final-slash", "spiffe\\://td.example/a/"),
		BAD_SVID("with-dots", "spiffe\\://td.example/a/../b"),
		BAD_SVID("with-dot", "spiffe\\://td.example/./b"),
		BAD_SVID("without-domain", "spiffe\\:///a"),
		BAD_SVID("in-capitals", "SPIFFE\\://td.example/a"),
		BAD_SVID("of-capitals", "spiffe\\://TD.example/a"),
		BAD_SVID("with-port", "spiffe\\://td.example\\:1/a"),
		BAD_SVID("with-user", "spiffe\\://u@td.example/a"),
		BAD_SVID("with-query", "spiffe\\://td.example/a?b"),
		BAD_SVID("with-fragment", "spiffe\\://td.example/a\\#b"),
		BAD_SVID("with-percent", "spiffe\\://td.example/%41"),
		BAD_SVID("without-slashes", "spiffe\\:td.example/a"),
	};

	judge_clients(cases, COUNT(cases));
}

/**
 * struct evidence - a client's certificates, read into memory
 * @ders:	their bytes
 * @sent:	as wolfSSL gives them
 * @count:	their number
 * @trust:	the authorities that are believed
 */
struct evidence {
	unsigned char ders[8][FORGE_MAX];
	WOLFSSL_BUFFER_INFO sent[8];
	int count;
	struct signet_trust trust;
};

static void add(struct evidence *evidence, const char *name)
{
	int i = evidence->count++;

	evidence->sent[i].buffer = evidence->ders[i];
	evidence->sent[i].length = read_certificate(name, evidence->ders[i], FORGE_MAX);
}

static void believe(struct evidence *evidence, const char *name, bool is_public)
{
	static unsigned char der[FORGE_MAX];
	size_t length = read_certificate(name, der, sizeof(der));

	if (signet_trust_add(&evidence->trust, der, length, is_public))
		bail("%s is no anchor", name);
}

static int judge_evidence(struct evidence *evidence, struct signet_verify *verify)
{
	verify->trust = &evidence->trust;
	return signet_verify_chain(NULL, evidence->sent, evidence->count, verify);
}

/* The chain that was verified is told in its order, whatever was sent. */
static void chains_are_told(void)
{
	static const struct recipe recipes[] = {
		{ "upper", "/CN=Upper", "ca", CA },
		{ "lower", "/CN=Lower", "upper", CA },
		{ "svid", "/CN=x", "lower", SVID },
	};
	static const char *const expected[] = { "svid", "lower", "upper", "ca" };
	static struct evidence evidence;
	static unsigned char chain[4 * FORGE_MAX];
	struct signet_verify verify = { .peer_role = SIGNET_ROLE_CLIENT };
	size_t length = 0;

	make_certificates(recipes, COUNT(recipes));
	for (size_t i = 0; i < COUNT(expected); i++)
		length += read_certificate(expected[i], chain + length, FORGE_MAX);
	add(&evidence, "svid");
	add(&evidence, "server");
	add(&evidence, "upper");
	add(&evidence, "lower");
	believe(&evidence, "ca", false);
	ok(!judge_evidence(&evidence, &verify) && verify.accepted, "a workload is accepted%s",
	   verify.text);
	ok(verify.chain_length == length && !memcmp(verify.chain, chain, length),
	   "with the path of %zu bytes that was verified, anchor included", length);
	ok(verify.spiffe && !strcmp(verify.spiffe, "spiffe://td.example/ns/prod/sa/db"),
	   "and its id");
	signet_verify_end(&verify);
	ok(!verify.chain && !verify.spiffe, "which end with the judgement");
	signet_trust_clear(&evidence.trust);
}

/* What does not fit is left out from the first certificate on that does not. */
static void long_chains_are_cut(void)
{
	static const struct recipe recipes[] = {
		{ "big-1", "/CN=Big 1", "ca", CA, NULL, "ml-dsa-87" },
		{ "big-2", "/CN=Big 2", "big-1", CA, NULL, "ml-dsa-87" },
		{ "big-3", "/CN=Big 3", "big-2", CA, NULL, "ml-dsa-87" },
		{ "big-client", "/CN=x", "big-3", NULL, NULL, "ml-dsa-87" },
	};
	static struct evidence evidence;
	struct signet_verify verify = { .peer_role = SIGNET_ROLE_CLIENT };
	size_t expected;

	make_certificates(recipes, COUNT(recipes));
	add(&evidence, "big-client");
	add(&evidence, "big-1");
	add(&evidence, "big-2");
	add(&evidence, "big-3");
	believe(&evidence, "ca", false);
	expected = evidence.sent[0].length + evidence.sent[3].length;
	ok(!judge_evidence(&evidence, &verify) && verify.accepted,
	   "a client with a long chain is accepted%s", verify.text);
	ok(verify.chain_length == expected && expected + evidence.sent[2].length > SIGNET_CHAIN_MAX,
	   "of whose chain %zu bytes are told", verify.chain_length);
	signet_verify_end(&verify);
	signet_trust_clear(&evidence.trust);
}

/* An id that is longer than a name can be is told as a whole, or not as the name. */
static void long_ids_are_not_cut(void)
{
	char id[SIGNET_SPIFFE_MAX + 1] = "spiffe://td.example/", extension[3000];
	static struct evidence evidence;
	struct signet_verify verify = { .peer_role = SIGNET_ROLE_CLIENT };

	memset(id + strlen(id), 'a', sizeof(id) - 1 - strlen(id));
	snprintf(extension, sizeof(extension), "subjectAltName=URI:spiffe\\:%s", id + 7);
	make_certificate(&(struct recipe){ "long-id", "/CN=x", "ca", extension });
	add(&evidence, "long-id");
	believe(&evidence, "ca", false);
	ok(!judge_evidence(&evidence, &verify) && verify.spiffe && !strcmp(verify.spiffe, id),
	   "an id of 2048 bytes is told%s", verify.text);
	ok(!strcmp(verify.peer, "/CN=x"), "but is not the peer's name: %s", verify.peer);
	signet_verify_end(&verify);
	signet_trust_clear(&evidence.trust);
}

/* wolfSSL does not read such a leaf (userspace/wolfssl/README.md), but the policy does. */
static void sets_are_told(void)
{
	static struct evidence evidence;
	struct signet_verify verify = { .peer_role = SIGNET_ROLE_CLIENT };

	make_certificate(&(struct recipe){ "set", "/CN=a+UID=b/DC=c", "ca" });
	add(&evidence, "set");
	believe(&evidence, "ca", false);
	ok(!judge_evidence(&evidence, &verify) && strchr(verify.peer, '+') &&
		   strstr(verify.peer, "CN=a") && strstr(verify.peer, "UID=b") &&
		   strstr(verify.peer, "/DC=c"),
	   "two attributes in one set: %s%s", verify.peer, verify.text);
	signet_verify_end(&verify);
	signet_trust_clear(&evidence.trust);
}

/* Public authorities must say what a certificate is for; others may leave it open. */
static void public_authorities_name_the_use(void)
{
	static struct evidence evidence;
	struct signet_name name;
	struct signet_verify verify = { .peer_role = SIGNET_ROLE_SERVER, .name = &name };

	make_certificate(&(struct recipe){ "open", "/CN=x", "ca", NAMED });
	signet_name_parse(&name, "db.internal");
	add(&evidence, "open");
	believe(&evidence, "ca", true);
	ok(judge_evidence(&evidence, &verify) == 43 && !verify.accepted &&
		   strstr(verify.text, "does not say that it is for TLS servers"),
	   "a public one without use is refused: %s", verify.text);
	evidence.count = 0;
	add(&evidence, "server");
	verify.text[0] = '\0';
	ok(!judge_evidence(&evidence, &verify) && verify.accepted, "one with it is taken%s",
	   verify.text);
	signet_verify_end(&verify);
	signet_trust_clear(&evidence.trust);
}

/* The digest of the public key in <name>.pem, as openssl computes it. */
static void read_pin(const char *name, unsigned char pin[SIGNET_PIN_LEN])
{
	FILE *file;

	if (!run_there("openssl x509 -in %s.pem -noout -pubkey | openssl pkey -pubin -outform DER | "
		       "openssl dgst -sha256 -binary >pin",
		       name))
		bail("openssl computes no pin");
	file = fopen(in_certificates("pin"), "rb");
	if (!file || fread(pin, 1, SIGNET_PIN_LEN, file) != SIGNET_PIN_LEN)
		bail("the pin cannot be read");
	fclose(file);
}

static void judge_pinned(const char *name, const unsigned char (*pins)[SIGNET_PIN_LEN],
			 unsigned int count, struct duo *duo)
{
	duo_begin(duo, usual_client, usual_server, name);
	ok(!signet_handshake_set_pins(duo->client.engine, pins, count), "pins are taken");
	duo_run(duo);
	duo_end(duo);
}

static void pins_are_checked(void)
{
	unsigned char pins[3][SIGNET_PIN_LEN] = { { 1 }, { 2 } };
	struct duo duo;

	read_pin("server", pins[2]);
	judge_pinned("db.internal", &pins[2], 1, &duo);
	ok(!duo.client.status, "a name and the pin%s", duo.client.result.text);
	judge_pinned("", pins, 3, &duo);
	ok(!duo.client.status && duo.client.result.peer[0], "a pin in place of a name: %s",
	   duo.client.result.peer);
	ok(!duo.server.result.server_name[0], "which is not sent");
	judge_pinned("db.internal", pins, 2, &duo);
	ok(duo.client.status == -EKEYREJECTED, "a name and other pins");
	ok(strstr(duo.client.result.text, "another public key"), "%s", duo.client.result.text);
	ok(duo.server.result.alert == (2 << 8 | 42), "and the server learns of it");
	judge_pinned("", pins, 2, &duo);
	ok(duo.client.status == -EKEYREJECTED, "other pins alone");
	judge_pinned("other.internal", &pins[2], 1, &duo);
	ok(duo.client.status == -EKEYREJECTED, "the pin, and another name");

	duo_begin(&duo, usual_client, usual_server, "");
	ok(signet_handshake_set_pins(duo.client.engine, pins, 0) == -EINVAL, "no pin");
	ok(signet_handshake_set_pins(duo.client.engine, pins, SIGNET_PINS_MAX + 1) == -EINVAL,
	   "too many pins");
	duo_run(&duo);
	ok(duo.client.status == -EINVAL, "neither a name nor a pin");
	duo_end(&duo);

	duo_begin(&duo, usual_client, usual_server, "db.internal");
	duo_run(&duo);
	ok(signet_handshake_set_pins(duo.client.engine, &pins[2], 1) == -EBUSY,
	   "pins that come too late");
	duo_end(&duo);
}

int main(void)
{
	judge_begin();
	clients_are_told();
	bad_workloads_are_refused();
	chains_are_told();
	long_chains_are_cut();
	long_ids_are_not_cut();
	sets_are_told();
	public_authorities_name_the_use();
	pins_are_checked();
	return judge_end();
}
