// SPDX-License-Identifier: GPL-3.0-or-later
/* Every suite, version, protocol, name and certificate, with OpenSSL's library as the peer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certificates.h"
#include "duo.h"
#include "meeting.h"
#include "record.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LABEL "EXPORTER-Channel-Binding"

/* Alerts (RFC 8446 B.2). */
enum {
	HANDSHAKE_FAILURE = 40,
	ILLEGAL_PARAMETER = 47,
	PROTOCOL_VERSION = 70,
	UNRECOGNIZED_NAME = 112,
	CERTIFICATE_REQUIRED = 116,
	NO_APPLICATION_PROTOCOL = 120,
};

/**
 * struct row - a suite
 * @suite:	IANA's number
 * @openssl:	its name there
 * @certificate: that goes with it; NULL for TLS 1.3
 */
struct row {
	unsigned int suite;
	const char *openssl;
	const char *certificate;
};

static const struct row rows[] = {
	{ SIGNET_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256", NULL },
	{ SIGNET_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384", NULL },
	{ SIGNET_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256", NULL },
	{ SIGNET_AES_128_CCM_SHA256, "TLS_AES_128_CCM_SHA256", NULL },
	{ SIGNET_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", "server" },
	{ SIGNET_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", "server" },
	{ SIGNET_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305",
	  "server" },
	{ SIGNET_ECDHE_ECDSA_WITH_AES_128_CCM, "ECDHE-ECDSA-AES128-CCM", "server" },
	{ SIGNET_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", "rsa" },
	{ SIGNET_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", "rsa" },
	{ SIGNET_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", "rsa" },
};

/* All that there are, with CCM. */
static const char every_suite[] =
	"TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,TLS_CHACHA20_POLY1305_SHA256,"
	"TLS_AES_128_CCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,"
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,"
	"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,"
	"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,TLS_ECDHE_ECDSA_WITH_AES_128_CCM";

static struct signet_config *config_for(bool is_server, const char *certificate)
{
	struct signet_config *config =
		new_config(is_server ? SIGNET_ROLE_SERVER : SIGNET_ROLE_CLIENT,
			   is_server ? NULL : "ca", certificate);

	return config;
}

/* Both of the module's ways to keying material, and OpenSSL's. */
static bool exports_agree(struct meeting *meeting)
{
	unsigned char ours[32], theirs[32], other[48], other_theirs[48];
	const unsigned char *secret;
	size_t length;

	length = signet_handshake_exporter(meeting->ours, &secret);
	SSL_export_keying_material(meeting->theirs, theirs, sizeof(theirs), LABEL, strlen(LABEL),
				   (const unsigned char *)"", 0, 1);
	SSL_export_keying_material(meeting->theirs, other_theirs, sizeof(other_theirs),
				   "EXPERIMENT", 10, (const unsigned char *)"context", 7, 1);
	if (signet_handshake_export(meeting->ours, LABEL, "", 0, ours, sizeof(ours)) ||
	    memcmp(ours, theirs, sizeof(ours)) ||
	    signet_handshake_export(meeting->ours, "EXPERIMENT", "context", 7, other,
				    sizeof(other)) ||
	    memcmp(other, other_theirs, sizeof(other)))
		return false;
	if (meeting->keys.tx.version == SIGNET_TLS_1_2)
		return length == sizeof(theirs) && !memcmp(secret, theirs, length);
	export_from(secret, length, LABEL, "", 0, ours, sizeof(ours));
	return !memcmp(ours, theirs, sizeof(ours));
}

static void meet_with(const struct row *row, bool is_server)
{
	const char *certificate = row->certificate ? row->certificate : "server";
	struct signet_config *config = config_for(is_server, is_server ? certificate : NULL);
	SSL_CTX *theirs = openssl_new(!is_server, is_server ? NULL : certificate);
	unsigned int version = row->certificate ? SIGNET_TLS_1_2 : SIGNET_TLS_1_3;
	struct meeting meeting;

	signet_config_suites(config, every_suite);
	if (row->certificate) {
		signet_config_min_version(config, SIGNET_TLS_1_2);
		SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
		SSL_CTX_set_cipher_list(theirs, row->openssl);
	} else {
		SSL_CTX_set_ciphersuites(theirs, row->openssl);
	}
	meeting_begin(&meeting, config, theirs, is_server ? NULL : "db.internal");
	meeting_run(&meeting);
	ok(meeting_is_good(&meeting) && meeting.result.suite == row->suite &&
		   meeting.result.version == version && !meeting.result.resumed,
	   "%s as %s: %s", row->openssl, is_server ? "server" : "client", meeting.result.text);
	ok(meeting_is_good(&meeting) && meeting_exchanges_data(&meeting),
	   "and data goes both ways");
	ok(meeting_is_good(&meeting) && exports_agree(&meeting),
	   "and the same keying material is exported");
	meeting_end(&meeting);
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

static void suites_agree(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		meet_with(&rows[i], false);
		meet_with(&rows[i], true);
	}
}

/* Old versions, and TLS 1.2 as it must not be spoken. */
static void old_versions_are_refused(bool is_server)
{
	struct signet_config *config = config_for(is_server, is_server ? "server" : NULL);
	const char *name = is_server ? NULL : "db.internal",
		   *role = is_server ? "server" : "client";
	SSL_CTX *theirs = openssl_new(!is_server, is_server ? NULL : "server");
	struct meeting meeting;

	SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
	meeting_begin(&meeting, config, theirs, name);
	meeting_run(&meeting);
	ok(meeting.status == -EPROTO && meeting.their_status == -1,
	   "a %s does not speak TLS 1.2 by default: %s", role, meeting.result.text);
	meeting_end(&meeting);

	signet_config_min_version(config, SIGNET_TLS_1_2);
	meeting_begin(&meeting, config, theirs, name);
	ok(signet_handshake_set_min_version(meeting.ours, SIGNET_TLS_1_3) == 0,
	   "a handshake may ask for more than its configuration");
	meeting_run(&meeting);
	ok(meeting.status == -EPROTO, "and then TLS 1.2 is refused: %s", meeting.result.text);
	meeting_end(&meeting);

	SSL_CTX_set_options(theirs, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	meeting_begin(&meeting, config, theirs, name);
	meeting_run(&meeting);
	ok(meeting.status == -EPROTO && strstr(meeting.result.text, "extended master secret") &&
		   meeting.their_alert == HANDSHAKE_FAILURE,
	   "TLS 1.2 without extended master secret is refused by a %s: %s, alert %d", role,
	   meeting.result.text, meeting.their_alert);
	meeting_end(&meeting);
	SSL_CTX_clear_options(theirs, SSL_OP_NO_EXTENDED_MASTER_SECRET);

	SSL_CTX_set_cipher_list(theirs, "AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256");
	meeting_begin(&meeting, config, theirs, name);
	meeting_run(&meeting);
	ok(meeting.status == -EPROTO && meeting.their_status == -1,
	   "TLS 1.2 without ECDHE or AEAD is refused by a %s: %s", role, meeting.result.text);
	meeting_end(&meeting);
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

/* A server of OpenSSL's chooses what it was told to, offered or not. */
static int choose_always(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			 const unsigned char *offered, unsigned int offered_len, void *context)
{
	(void)ssl;
	(void)offered;
	(void)offered_len;
	*out = context;
	*out_len = strlen(context);
	return SSL_TLSEXT_ERR_OK;
}

static void offer(SSL_CTX *theirs, const char *protocols)
{
	unsigned char wire[256];
	size_t used = 0, length;

	for (; *protocols; protocols += length + !!protocols[length]) {
		length = strcspn(protocols, ",");
		wire[used++] = length;
		memcpy(wire + used, protocols, length);
		used += length;
	}
	SSL_CTX_set_alpn_protos(theirs, wire, used);
}

static void protocols_are_negotiated(void)
{
	static const struct {
		const char *what;
		const char *ours;
		const char *theirs;
		const char *agreed;
		int alert;
	} cases[] = {
		{ "the only common one", "h2,http/1.1", "http/1.0,http/1.1", "http/1.1" },
		{ "the server's preference", "h2,http/1.1", "http/1.1,h2", "h2" },
		{ "a client that offers none", "h2", "", "" },
		{ "a server that knows none", "", "h2", "" },
		{ "none in common", "h2,http/1.1", "h3,http", "", NO_APPLICATION_PROTOCOL },
		{ "a part of a name", "http", "http/1.1", "", NO_APPLICATION_PROTOCOL },
	};
	struct meeting meeting;

	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		struct signet_config *config = config_for(true, "server");
		SSL_CTX *theirs = openssl_new(false, NULL);
		bool old = i >= COUNT(cases);

		if (old) {
			signet_config_min_version(config, SIGNET_TLS_1_2);
			SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
		}
		signet_config_alpn(config, cases[i % COUNT(cases)].ours);
		if (*cases[i % COUNT(cases)].theirs)
			offer(theirs, cases[i % COUNT(cases)].theirs);
		meeting_begin(&meeting, config, theirs, NULL);
		meeting_run(&meeting);
		if (cases[i % COUNT(cases)].alert)
			ok(meeting.status == -EPROTO &&
				   meeting.their_alert == cases[i % COUNT(cases)].alert &&
				   meeting.result.alert == (2 << 8 | NO_APPLICATION_PROTOCOL),
			   "TLS 1.%d server, %s: %s", 3 - old, cases[i % COUNT(cases)].what,
			   meeting.result.text);
		else
			ok(meeting_is_good(&meeting) &&
				   !strcmp(meeting.result.alpn, cases[i % COUNT(cases)].agreed),
			   "TLS 1.%d server, %s: \"%s\"%s", 3 - old, cases[i % COUNT(cases)].what,
			   meeting.result.alpn, meeting.result.text);
		meeting_end(&meeting);
		SSL_CTX_free(theirs);
		signet_config_free(config);
	}
}

static void clients_negotiate(void)
{
	struct signet_config *config = config_for(false, NULL);
	SSL_CTX *theirs = openssl_new(true, "server");
	struct meeting meeting;

	signet_config_alpn(config, "h2,http/1.1");
	meeting_begin(&meeting, config, theirs, "db.internal");
	meeting_run(&meeting);
	ok(meeting_is_good(&meeting) && !meeting.result.alpn[0],
	   "a server that chooses none is fine");
	meeting_end(&meeting);

	SSL_CTX_set_alpn_select_cb(theirs, choose_always, "http/1.1");
	meeting_begin(&meeting, config, theirs, "db.internal");
	meeting_run(&meeting);
	ok(meeting_is_good(&meeting) && !strcmp(meeting.result.alpn, "http/1.1"),
	   "a client is told the server's choice: %s", meeting.result.alpn);
	meeting_end(&meeting);

	meeting_begin(&meeting, config, theirs, "db.internal");
	ok(signet_handshake_set_alpn(meeting.ours, "h2,h3") == -EPERM &&
		   !signet_handshake_set_alpn(meeting.ours, "h2"),
	   "a handshake may narrow the list, and not widen it");
	meeting_run(&meeting);
	ok(meeting.status == -EPROTO && meeting.result.alert == (2 << 8 | ILLEGAL_PARAMETER),
	   "a choice that was not offered is refused: %s", meeting.result.text);
	meeting_end(&meeting);
	ok(signet_config_alpn(config, "h2,,h3") == -EINVAL &&
		   signet_config_alpn(config, ",") == -EINVAL &&
		   signet_config_alpn(config, NULL) == -EINVAL && !signet_config_alpn(config, ""),
	   "names are not empty");
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

/* What the client sees: its subject's common name. */
static const char *presented(const struct meeting *meeting)
{
	static char name[64];
	X509 *leaf = SSL_get0_peer_certificate(meeting->theirs);

	name[0] = '\0';
	if (leaf)
		X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, name,
					  sizeof(name));
	return name;
}

static void certificates_are_chosen(void)
{
	static const struct {
		const char *asked;
		const char *algorithms;
		const char *presented;
		int max_version;
	} cases[] = {
		{ "a.test", NULL, "a ecdsa" },
		{ "A.Test", NULL, "a ecdsa" },
		{ "a.test", "rsa_pss_rsae_sha256", "a rsa" },
		{ "a.test", "ed25519:rsa_pss_rsae_sha256", "a rsa" },
		{ "b.test", NULL, "b ed25519" },
		{ "x.c.test", NULL, "c rsa" },
		{ "x.y.c.test", NULL, "a ecdsa" },
		{ "unknown.test", NULL, "a ecdsa" },
		{ "unknown.test", "rsa_pss_rsae_sha256", "a rsa" },
		{ NULL, NULL, "a ecdsa" },
		{ NULL, "rsa_pss_rsae_sha256", "a rsa" },
		{ "a.test", NULL, "a ecdsa", TLS1_2_VERSION },
		{ "a.test", "RSA+SHA256", "a rsa", TLS1_2_VERSION },
		{ "x.c.test", NULL, "c rsa", TLS1_2_VERSION },
		{ "b.test", NULL, "b ed25519", TLS1_2_VERSION },
	};
	struct signet_config *config = config_for(true, "a-ecdsa");
	static const char *const others[] = { "a-rsa", "b", "c" };
	struct meeting meeting;

	for (size_t i = 0; i < COUNT(others); i++)
		ok(!signet_config_certificate(config, in_certificates("%s.pem", others[i]),
					      in_certificates("%s.key", others[i])),
		   "certificate %s is added", others[i]);
	signet_config_min_version(config, SIGNET_TLS_1_2);
	for (size_t i = 0; i < COUNT(cases); i++) {
		SSL_CTX *theirs = openssl_new(false, NULL);
		const char *asked = cases[i].asked;

		if (cases[i].max_version)
			SSL_CTX_set_max_proto_version(theirs, cases[i].max_version);
		if (cases[i].algorithms)
			SSL_CTX_set1_sigalgs_list(theirs, cases[i].algorithms);
		SSL_CTX_set_verify(theirs, SSL_VERIFY_NONE, NULL);
		meeting_begin(&meeting, config, theirs, NULL);
		if (asked)
			SSL_set_tlsext_host_name(meeting.theirs, asked);
		meeting_run(&meeting);
		ok(meeting_is_good(&meeting) && !strcmp(presented(&meeting), cases[i].presented) &&
			   !strcmp(meeting.result.server_name, asked ? asked : "") &&
			   meeting_exchanges_data(&meeting),
		   "who asks for %s with %s%s gets %s%s", asked ? asked : "no name",
		   cases[i].algorithms ? cases[i].algorithms : "all algorithms",
		   cases[i].max_version ? " of TLS 1.2" : "", presented(&meeting),
		   meeting.result.text);
		meeting_end(&meeting);
		SSL_CTX_free(theirs);
	}
	signet_config_free(config);
}

static void names_can_be_strict(void)
{
	struct signet_config *config = config_for(true, "a-ecdsa");
	SSL_CTX *theirs = openssl_new(false, NULL);
	static const char *const asked[] = { "a.test", "b.test", NULL };
	struct meeting meeting;

	SSL_CTX_set_verify(theirs, SSL_VERIFY_NONE, NULL);
	signet_config_strict_names(config, true);
	for (size_t i = 0; i < COUNT(asked); i++) {
		meeting_begin(&meeting, config, theirs, NULL);
		if (asked[i])
			SSL_set_tlsext_host_name(meeting.theirs, asked[i]);
		meeting_run(&meeting);
		if (i == 1)
			ok(meeting.status == -EPROTO && meeting.their_alert == UNRECOGNIZED_NAME &&
				   meeting.result.alert == (2 << 8 | UNRECOGNIZED_NAME) &&
				   strstr(meeting.result.text, "b.test") &&
				   !strcmp(meeting.result.server_name, "b.test"),
			   "an unknown name is refused: %s", meeting.result.text);
		else
			ok(meeting_is_good(&meeting), "%s is not",
			   asked[i] ? "a known one" : "no name");
		meeting_end(&meeting);
	}
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

static void clients_are_asked(void)
{
	static const enum signet_client_auth modes[] = { SIGNET_CLIENT_AUTH_NONE,
							 SIGNET_CLIENT_AUTH_OPTIONAL,
							 SIGNET_CLIENT_AUTH_REQUIRED };
	static const char *const presents[] = { NULL, "client", "stranger" };
	struct meeting meeting;

	for (size_t i = 0; i < COUNT(modes) * COUNT(presents) * 2; i++) {
		enum signet_client_auth mode = modes[i % 3];
		const char *certificate = presents[i / 3 % 3];
		struct signet_config *config = new_config(SIGNET_ROLE_SERVER, "ca", "server");
		SSL_CTX *theirs = openssl_new(false, certificate);
		bool old = i / 9, good;

		if (old) {
			signet_config_min_version(config, SIGNET_TLS_1_2);
			SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
		}
		good = mode == SIGNET_CLIENT_AUTH_NONE ||
		       (mode == SIGNET_CLIENT_AUTH_OPTIONAL && !certificate) ||
		       (certificate && !strcmp(certificate, "client"));
		signet_config_client_auth(config, mode);
		meeting_begin(&meeting, config, theirs, NULL);
		meeting_run(&meeting);
		if (good)
			ok(meeting_is_good(&meeting) && meeting_exchanges_data(&meeting) &&
				   !!meeting.result.peer[0] == (mode && certificate) &&
				   meeting.keys.tx.sequence == (old ? 3 : (mode ? 2 : 4)),
			   "TLS 1.%d, mode %d, certificate %s: %s%s", 3 - old, mode,
			   certificate ? certificate : "none", meeting.result.peer,
			   meeting.result.text);
		else
			ok(meeting.status == -EKEYREJECTED && !meeting.keys.size,
			   "TLS 1.%d, mode %d, certificate %s: %s", 3 - old, mode,
			   certificate ? certificate : "none", meeting.result.text);
		meeting_end(&meeting);
		SSL_CTX_free(theirs);
		signet_config_free(config);
	}
}

static void demands_can_be_tightened(void)
{
	struct signet_config *config = new_config(SIGNET_ROLE_SERVER, "ca", "server");
	SSL_CTX *theirs = openssl_new(false, NULL);
	struct meeting meeting;

	signet_config_client_auth(config, SIGNET_CLIENT_AUTH_OPTIONAL);
	meeting_begin(&meeting, config, theirs, NULL);
	ok(signet_handshake_set_client_auth(meeting.ours, SIGNET_CLIENT_AUTH_NONE) == -EPERM &&
		   !signet_handshake_set_client_auth(meeting.ours, SIGNET_CLIENT_AUTH_REQUIRED),
	   "a handshake may demand more than its configuration, not less");
	meeting_run(&meeting);
	ok(meeting.status == -EKEYREJECTED, "and does: %s", meeting.result.text);
	ok(signet_handshake_set_client_auth(meeting.ours, SIGNET_CLIENT_AUTH_REQUIRED) == -EBUSY,
	   "but not when it has begun");
	meeting_end(&meeting);
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

static void groups_are_agreed(void)
{
	static const char *const groups[] = { "X25519MLKEM768",	    "SecP256r1MLKEM768",
					      "SecP384r1MLKEM1024", "x25519",
					      "secp256r1",	    "secp384r1" };
	struct meeting meeting;

	/* The other side's first share is for another group: a HelloRetryRequest each time. */
	for (size_t i = 0; i < 2 * COUNT(groups); i++) {
		const char *group = groups[i / 2];
		bool is_server = i % 2;
		struct signet_config *config = config_for(is_server, is_server ? "server" : NULL);
		SSL_CTX *theirs = openssl_new(!is_server, is_server ? NULL : "server");

		if (is_server) {
			signet_config_groups(config, group);
			SSL_CTX_set1_groups_list(theirs, "P-521:X25519:P-256:P-384:X25519MLKEM768:"
							 "SecP256r1MLKEM768:SecP384r1MLKEM1024");
		} else {
			signet_config_groups(config, "X25519MLKEM768:x25519:secp256r1:secp384r1:"
						     "SecP256r1MLKEM768:SecP384r1MLKEM1024");
			SSL_CTX_set1_groups_list(theirs, group);
		}
		meeting_begin(&meeting, config, theirs, is_server ? NULL : "db.internal");
		meeting_run(&meeting);
		ok(meeting_is_good(&meeting) && meeting_exchanges_data(&meeting) &&
			   !strcasecmp(meeting.result.group, group),
		   "%s alone, as %s: %s%s", group, is_server ? "server" : "client",
		   meeting.result.group, meeting.result.text);
		meeting_end(&meeting);
		SSL_CTX_free(theirs);
		signet_config_free(config);
	}
}

static void unknown_names_are_refused(void)
{
	struct signet_config *config = config_for(false, NULL);

	ok(signet_config_suites(config, "TLS_AES_128_GCM_SHA256:TLS_NULL") == -EINVAL &&
		   signet_config_suites(config, "") == -EINVAL &&
		   signet_config_suites(config, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256") ==
			   -EINVAL &&
		   signet_config_suites(config, NULL) == -EINVAL,
	   "unknown suites, none, and none of TLS 1.3 are refused");
	ok(signet_config_groups(config, "x25519,secp160r1") == -EINVAL &&
		   signet_config_groups(config, "") == -EINVAL,
	   "unknown groups and none are refused");
	ok(signet_config_min_version(config, 0x0302) == -EINVAL, "TLS 1.1 is refused");
	ok(signet_config_tickets(config, 1, 100) == -EINVAL &&
		   signet_config_strict_names(config, true) == -EINVAL &&
		   signet_config_client_auth(config, SIGNET_CLIENT_AUTH_NONE) == -EINVAL,
	   "a client has no server's settings");
	signet_config_free(config);
}

static const unsigned char change_cipher_spec[] = { 20, 3, 3, 0, 1, 1 };

static void inject(const struct meeting *meeting, const void *data, size_t size)
{
	if (send(meeting->their_fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
		bail("send: %s", strerror(errno));
}

/* TLS 1.2: keys must not be taken into use before there are any (RFC 5246 7.1). */
static void keys_come_first(bool demand)
{
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, "ca", "server");
	struct signet_config *client = config_for(false, NULL);
	SSL_CTX *theirs = openssl_new(false, demand ? "client" : NULL);
	unsigned char flight[65536];
	struct meeting meeting;
	ssize_t n, hello;

	signet_config_client_auth(server,
				  demand ? SIGNET_CLIENT_AUTH_REQUIRED : SIGNET_CLIENT_AUTH_NONE);
	signet_config_min_version(server, SIGNET_TLS_1_2);
	signet_config_min_version(client, SIGNET_TLS_1_2);
	SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
	meeting_begin(&meeting, server, theirs, NULL);
	SSL_do_handshake(meeting.theirs);
	if (signet_handshake_step(meeting.ours) <= 0)
		bail("the server does not wait for the client's keys");
	inject(&meeting, change_cipher_spec, sizeof(change_cipher_spec));
	ok(signet_handshake_step(meeting.ours) == -EPROTO && !signet_handshake_keys(meeting.ours),
	   "a server refuses ChangeCipherSpec before ClientKeyExchange");
	meeting_end(&meeting);
	SSL_CTX_free(theirs);

	theirs = openssl_new(true, "server");
	SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
	meeting_begin(&meeting, client, theirs, "db.internal");
	if (signet_handshake_step(meeting.ours) <= 0)
		bail("the client does not wait for the server");
	SSL_do_handshake(meeting.theirs);
	n = recv(meeting.fd, flight, sizeof(flight), MSG_DONTWAIT);
	hello = 5 + (flight[3] << 8 | flight[4]);
	if (n < hello)
		bail("no ServerHello");
	inject(&meeting, flight, hello);
	inject(&meeting, change_cipher_spec, sizeof(change_cipher_spec));
	ok(signet_handshake_step(meeting.ours) == -EPROTO && !signet_handshake_keys(meeting.ours),
	   "and a client one before ServerKeyExchange");
	meeting_end(&meeting);
	SSL_CTX_free(theirs);
	signet_config_free(client);
	signet_config_free(server);
}

static void make_certificates(void)
{
	static const struct recipe recipes[] = {
		{ "rsa", "/CN=x", "ca", "subjectAltName=DNS:db.internal", NULL, "rsa:2048" },
		{ "a-ecdsa", "/CN=a ecdsa", "ca", "subjectAltName=DNS:a.test" },
		{ "a-rsa", "/CN=a rsa", "ca", "subjectAltName=DNS:a.test", NULL, "rsa:2048" },
		{ "b", "/CN=b ed25519", "ca", "subjectAltName=DNS:b.test", NULL, "ed25519" },
		{ "c", "/CN=c rsa", "ca", "subjectAltName=DNS:*.c.test", NULL, "rsa:2048" },
		{ "stranger", "/CN=x", NULL, "basicConstraints=CA:FALSE" },
	};

	make_usual_certificates();
	for (size_t i = 0; i < COUNT(recipes); i++)
		make_certificate(&recipes[i]);
}

int main(void)
{
	tap_begin();
	certificates_begin();
	make_certificates();
	suites_agree();
	old_versions_are_refused(false);
	old_versions_are_refused(true);
	keys_come_first(false);
	keys_come_first(true);
	protocols_are_negotiated();
	clients_negotiate();
	certificates_are_chosen();
	names_can_be_strict();
	clients_are_asked();
	demands_can_be_tightened();
	groups_are_agreed();
	unknown_names_are_refused();
	return tap_end();
}
