// SPDX-License-Identifier: GPL-3.0-or-later
/* Private keys that only a signer has: asked for, awaited, refused, and gone while a peer waits. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "certificates.h"
#include "duo.h"
#include "meeting.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/**
 * struct holder - who has the keys
 * @asked:	so often
 * @cancelled:	so often
 * @at_once:	answers within the sign call
 * @patience:	answers when the handshake was stepped so often in vain
 * @refusal:	negative errno of the sign call
 * @error:	negative errno in place of a signature
 * @spoil:	changes a bit of each
 * @scheme:	of the last request
 * @key:	of the last request
 * @data:	of the last request
 * @length:	of @data
 */
static struct holder {
	unsigned int asked;
	unsigned int cancelled;
	bool at_once;
	unsigned int patience;
	int refusal;
	int error;
	bool spoil;
	unsigned int scheme;
	char key[64];
	unsigned char data[SIGNET_SIGNED_MAX];
	size_t length;
} holder;

static const EVP_MD *hash_of(unsigned int scheme)
{
	switch (scheme) {
	case SIGNET_RSA_PKCS1_SHA256:
	case SIGNET_RSA_PSS_SHA256:
	case SIGNET_ECDSA_SHA256:
		return EVP_sha256();
	case SIGNET_RSA_PKCS1_SHA384:
	case SIGNET_RSA_PSS_SHA384:
	case SIGNET_ECDSA_SHA384:
		return EVP_sha384();
	default:
		return EVP_sha512();
	}
}

static void set_padding(EVP_PKEY_CTX *context, unsigned int scheme)
{
	EVP_PKEY_CTX_set_signature_md(context, hash_of(scheme));
	if (scheme >= SIGNET_RSA_PSS_SHA256 && scheme <= SIGNET_RSA_PSS_SHA512) {
		EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST);
	}
}

static size_t sign_with(EVP_PKEY *key, unsigned char *signature)
{
	size_t length = SIGNET_SIGNATURE_MAX;
	EVP_MD_CTX *message = EVP_MD_CTX_new();
	EVP_PKEY_CTX *context = NULL;
	bool good;

	if (holder.scheme == SIGNET_ED25519) {
		good = EVP_DigestSignInit(message, NULL, NULL, NULL, key) > 0 &&
		       EVP_DigestSign(message, signature, &length, holder.data, holder.length) > 0;
	} else {
		context = EVP_PKEY_CTX_new(key, NULL);
		good = EVP_PKEY_sign_init(context) > 0;
		set_padding(context, holder.scheme);
		good = good &&
		       EVP_PKEY_sign(context, signature, &length, holder.data, holder.length) > 0;
	}
	EVP_PKEY_CTX_free(context);
	EVP_MD_CTX_free(message);
	if (!good)
		bail("OpenSSL does not sign");
	return length;
}

static int answer(struct signet_handshake *handshake)
{
	unsigned char signature[SIGNET_SIGNATURE_MAX];
	EVP_PKEY *key;
	size_t length;
	FILE *file;

	if (holder.error)
		return signet_handshake_signature(handshake, NULL, 0, holder.error);
	file = fopen(in_certificates("%s.key", holder.key), "re");
	key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
	if (!key)
		bail("no key %s", holder.key);
	fclose(file);
	length = sign_with(key, signature);
	EVP_PKEY_free(key);
	if (holder.spoil)
		signature[length - 1] ^= 1;
	return signet_handshake_signature(handshake, signature, length, 0);
}

static int sign(void *context, const struct signet_signature_request *request)
{
	struct holder *asked = context;

	asked->asked++;
	asked->scheme = request->scheme;
	asked->length = request->length;
	memcpy(asked->data, request->data, request->length);
	snprintf(asked->key, sizeof(asked->key), "%s", request->key);
	if (asked->refusal)
		return asked->refusal;
	return asked->at_once ? answer(request->handshake) : 0;
}

static void cancel(void *context, struct signet_handshake *handshake)
{
	struct holder *asked = context;

	(void)handshake;
	asked->cancelled++;
}

static const struct signet_signer signer = { sign, cancel, &holder };

static void on_pending(struct meeting *meeting)
{
	if (meeting->pending > holder.patience && answer(meeting->ours))
		bail("the signature is not taken");
}

static struct signet_config *config_for(enum signet_role role, const char *certificate)
{
	struct signet_config *config = new_config(role, "ca", NULL);
	int ret;

	if (role == SIGNET_ROLE_SERVER)
		signet_config_client_auth(config, SIGNET_CLIENT_AUTH_NONE);
	ret = signet_config_certificate_signer(config, in_certificates("%s.pem", certificate),
					       &signer, certificate);
	if (ret)
		bail("certificate %s: %s", certificate, signet_strerror(ret));
	return config;
}

/**
 * struct row - a kind of key
 * @certificate: of the kind
 * @scheme:	of TLS 1.3
 * @server_1_2: of TLS 1.2, which goes by the client's order
 * @client_1_2: likewise by the server's; 0 when it cannot be: what Ed25519 signs is all messages
 */
static const struct row {
	const char *certificate;
	unsigned int scheme;
	unsigned int server_1_2;
	unsigned int client_1_2;
} rows[] = {
	{ "p256", SIGNET_ECDSA_SHA256, SIGNET_ECDSA_SHA256, SIGNET_ECDSA_SHA256 },
	{ "p384", SIGNET_ECDSA_SHA384, SIGNET_ECDSA_SHA256, SIGNET_ECDSA_SHA256 },
	{ "rsa", SIGNET_RSA_PSS_SHA256, SIGNET_RSA_PSS_SHA256, SIGNET_RSA_PKCS1_SHA256 },
	{ "rsa4096", SIGNET_RSA_PSS_SHA256, SIGNET_RSA_PSS_SHA256, SIGNET_RSA_PKCS1_SHA256 },
	{ "ed25519", SIGNET_ED25519, SIGNET_ED25519 },
};

static void sign_once(const struct row *row, bool is_server, bool old, bool at_once)
{
	enum signet_role role = is_server ? SIGNET_ROLE_SERVER : SIGNET_ROLE_CLIENT;
	struct signet_config *config = config_for(role, row->certificate);
	SSL_CTX *theirs = openssl_new(!is_server, is_server ? NULL : "p256");
	unsigned int scheme = !old ? row->scheme : is_server ? row->server_1_2 : row->client_1_2;
	struct meeting meeting;

	holder = (struct holder){ .at_once = at_once, .patience = 5 };
	if (!is_server)
		SSL_CTX_set_verify(theirs, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (old) {
		signet_config_min_version(config, SIGNET_TLS_1_2);
		SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
	}
	meeting_begin(&meeting, config, theirs, is_server ? NULL : "db.internal");
	meeting_run(&meeting);
	if (!scheme) {
		ok(meeting.status == -EOPNOTSUPP && !holder.asked,
		   "%s does not sign for a client of TLS 1.2: %s", row->certificate,
		   meeting.result.text);
		goto end;
	}
	ok(meeting_is_good(&meeting) && meeting_exchanges_data(&meeting) && holder.asked == 1 &&
		   holder.scheme == scheme && !strcmp(holder.key, row->certificate) &&
		   !holder.cancelled && meeting.pending == (at_once ? 0 : 6),
	   "%s signs 0x%04x for a %s of TLS 1.%d %s: %s", row->certificate, holder.scheme,
	   is_server ? "server" : "client", 3 - old, at_once ? "at once" : "after a while",
	   meeting.result.text);
	ok(signet_handshake_signature(meeting.ours, "x", 1, 0) == -EALREADY,
	   "and nothing more is awaited");
end:
	meeting_end(&meeting);
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

static void signatures_are_awaited(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (unsigned int how = 0; how < 8; how++)
			sign_once(&rows[i], how & 1, how & 2, how & 4);
	}
}

/* The older signature, when the other side has no PSS. */
static void pkcs1_is_signed(void)
{
	static const struct {
		const char *algorithm;
		unsigned int scheme;
	} hashes[] = {
		{ "RSA+SHA256", SIGNET_RSA_PKCS1_SHA256 },
		{ "RSA+SHA384", SIGNET_RSA_PKCS1_SHA384 },
		{ "RSA+SHA512", SIGNET_RSA_PKCS1_SHA512 },
	};
	struct signet_config *config = config_for(SIGNET_ROLE_SERVER, "rsa");
	struct meeting meeting;

	signet_config_min_version(config, SIGNET_TLS_1_2);
	for (size_t i = 0; i < COUNT(hashes); i++) {
		SSL_CTX *theirs = openssl_new(false, NULL);

		SSL_CTX_set_verify(theirs, SSL_VERIFY_NONE, NULL);
		SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
		SSL_CTX_set1_sigalgs_list(theirs, hashes[i].algorithm);
		holder = (struct holder){ .patience = 2 };
		meeting_begin(&meeting, config, theirs, NULL);
		meeting_run(&meeting);
		ok(meeting_is_good(&meeting) && holder.scheme == hashes[i].scheme,
		   "%s is signed as 0x%04x: %s", hashes[i].algorithm, holder.scheme,
		   meeting.result.text);
		meeting_end(&meeting);
		SSL_CTX_free(theirs);
	}
	signet_config_free(config);
}

static void refusals_end_handshakes(void)
{
	static const struct {
		const char *what;
		struct holder holder;
		int error;
	} cases[] = {
		{ "a sign call that fails", { .refusal = -ECONNREFUSED }, -ECONNREFUSED },
		{ "no signature", { .error = -EACCES }, -EACCES },
		{ "no signature at once", { .at_once = true, .error = -EACCES }, -EACCES },
		{ "a wrong RSA signature", { .spoil = true }, -EPROTO },
	};
	struct signet_config *config = config_for(SIGNET_ROLE_SERVER, "rsa");
	SSL_CTX *theirs = openssl_new(false, NULL);
	struct meeting meeting;

	for (size_t i = 0; i < COUNT(cases); i++) {
		holder = cases[i].holder;
		meeting_begin(&meeting, config, theirs, NULL);
		meeting_run(&meeting);
		ok(meeting.status == cases[i].error && meeting.result.text[0] &&
			   !meeting.keys.size && !holder.cancelled,
		   "%s: %s", cases[i].what, meeting.result.text);
		meeting_end(&meeting);
	}
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

static void wrong_signatures_are_noticed(void)
{
	struct signet_config *config = config_for(SIGNET_ROLE_SERVER, "p256");
	SSL_CTX *theirs = openssl_new(false, NULL);
	struct meeting meeting;

	holder = (struct holder){ .spoil = true };
	meeting_begin(&meeting, config, theirs, NULL);
	meeting_run(&meeting);
	ok(meeting.status == -EPROTO && meeting.their_status == -1,
	   "a wrong ECDSA signature is refused by the peer: %s", meeting.result.text);
	meeting_end(&meeting);
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

static void endings_are_told(void)
{
	struct signet_config *config = config_for(SIGNET_ROLE_SERVER, "p256");
	SSL_CTX *theirs = openssl_new(false, NULL);
	struct meeting meeting;

	holder = (struct holder){ .patience = 1000 };
	meeting_begin(&meeting, config, theirs, NULL);
	meeting_run(&meeting);
	ok(meeting.status == SIGNET_HANDSHAKE_PENDING && holder.asked == 1,
	   "a handshake waits for its signature");
	ok(signet_handshake_signature(meeting.ours, "x", SIGNET_SIGNATURE_MAX + 1, 0) == -EINVAL &&
		   signet_handshake_signature(meeting.ours, NULL, 1, 0) == -EINVAL &&
		   signet_handshake_signature(meeting.ours, "x", 0, 0) == -EINVAL &&
		   signet_handshake_signature(meeting.ours, "x", 1, 1) == -EINVAL,
	   "which has a possible length");
	meeting_end(&meeting);
	ok(holder.cancelled == 1, "the signer is told when the handshake is freed before");

	signet_config_timeout(config, 100);
	holder = (struct holder){ .patience = -1 };
	meeting_begin(&meeting, config, theirs, NULL);
	while (meeting.status > 0)
		meeting_run(&meeting);
	ok(meeting.status == -ETIMEDOUT && holder.cancelled == 1, "and when it takes too long: %s",
	   meeting.result.text);
	meeting_end(&meeting);
	ok(holder.cancelled == 1, "once");
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

static void several_may_be_served(void)
{
	struct signet_config *config = config_for(SIGNET_ROLE_SERVER, "p256");
	SSL_CTX *theirs = openssl_new(false, NULL);
	struct meeting meeting;

	ok(!signet_config_certificate_signer(config, in_certificates("rsa.pem"), &signer, "rsa"),
	   "a second certificate has a signer, too");
	ok(signet_config_certificate(config, in_certificates("rsa.pem"),
				     in_certificates("rsa.key")) == -EINVAL,
	   "not one of them has its key here");
	SSL_CTX_set1_sigalgs_list(theirs, "rsa_pss_rsae_sha256:ECDSA+SHA256");
	holder = (struct holder){ .patience = 3 };
	meeting_begin(&meeting, config, theirs, NULL);
	meeting_run(&meeting);
	ok(meeting_is_good(&meeting) && !strcmp(holder.key, "p256"), "the first that fits signs");
	meeting_end(&meeting);
	SSL_CTX_set_verify(theirs, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set1_sigalgs_list(theirs, "rsa_pss_rsae_sha384");
	meeting_begin(&meeting, config, theirs, NULL);
	meeting_run(&meeting);
	ok(meeting_is_good(&meeting) && !strcmp(holder.key, "rsa") &&
		   holder.scheme == SIGNET_RSA_PSS_SHA384,
	   "or the second: %s 0x%04x", meeting.result.text, holder.scheme);
	meeting_end(&meeting);
	ok(signet_config_certificate_signer(config, in_certificates("p521.pem"), &signer, "x") ==
			   -EKEYREJECTED &&
		   signet_config_certificate_signer(config, in_certificates("none"), &signer,
						    "x") == -ENOENT &&
		   signet_config_certificate_signer(config, in_certificates("rsa.pem"), NULL,
						    "x") == -EINVAL &&
		   signet_config_certificate_signer(config, in_certificates("rsa.pem"), &signer,
						    NULL) == -EINVAL,
	   "what cannot be signed for is refused");
	SSL_CTX_free(theirs);
	signet_config_free(config);
}

static void kinds_do_not_mix(void)
{
	struct signet_config *client = config_for(SIGNET_ROLE_CLIENT, "p256");

	ok(signet_config_certificate(client, in_certificates("client.pem"),
				     in_certificates("client.key")) == -EINVAL &&
		   !signet_config_certificate_signer(client, in_certificates("rsa.pem"), &signer,
						     "rsa"),
	   "a client's certificate is replaced by one of the same kind");
	signet_config_free(client);
}

/* A call that blocks takes a signer that answers at once, and no other. */
static void blocking_calls_cannot_wait(void)
{
	struct signet_config *server = config_for(SIGNET_ROLE_SERVER, "p256");
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	struct duo duo;
	int ret;

	holder = (struct holder){ 0 };
	duo_begin(&duo, client, server, "db.internal");
	duo.client.status = signet_handshake_step(duo.client.engine);
	close(duo.server.fd);
	duo.server.fd = dup(duo.client.wire);
	signet_handshake_free(duo.server.engine);
	if (signet_handshake_new(server, duo.server.fd, NULL, &duo.server.engine))
		bail("no handshake");
	ret = signet_handshake_run(duo.server.engine);
	ok(ret == -EOPNOTSUPP && holder.cancelled == 1, "a blocking call says so: %s",
	   signet_strerror(ret));
	duo_end(&duo);
	signet_config_free(server);
	signet_config_free(client);
}

int main(void)
{
	static const struct recipe recipes[] = {
		{ "p256", "/CN=x", "ca", "subjectAltName=DNS:db.internal" },
		{ "p384", "/CN=x", "ca", "subjectAltName=DNS:db.internal", NULL,
		  "ec -pkeyopt ec_paramgen_curve:P-384" },
		{ "p521", "/CN=x", "ca", "subjectAltName=DNS:db.internal", NULL,
		  "ec -pkeyopt ec_paramgen_curve:P-521" },
		{ "rsa", "/CN=x", "ca", "subjectAltName=DNS:db.internal", NULL, "rsa:2048" },
		{ "rsa4096", "/CN=x", "ca", "subjectAltName=DNS:db.internal", NULL, "rsa:4096" },
		{ "ed25519", "/CN=x", "ca", "subjectAltName=DNS:db.internal", NULL, "ed25519" },
	};

	tap_begin();
	certificates_begin();
	make_usual_certificates();
	for (size_t i = 0; i < COUNT(recipes); i++)
		make_certificate(&recipes[i]);
	meeting_on_pending(on_pending);
	signatures_are_awaited();
	pkcs1_is_signed();
	refusals_end_handshakes();
	wrong_signatures_are_noticed();
	endings_are_told();
	several_may_be_served();
	kinds_do_not_mix();
	blocking_calls_cannot_wait();
	return tap_end();
}
