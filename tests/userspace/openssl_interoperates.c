// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Handshakes with openssl s_server and s_client, and records exchanged with them under the secrets
 * that a hand-over would install: what the module does in the kernel, in a few lines of wolfCrypt.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/kdf.h>

#include "../../userspace/handshake/engine.h"
#include "certificates.h"
#include "duo.h"
#include "peer.h"
#include "tap.h"

#define HEADER 5
#define TAG 16
#define IV 12
#define RECORD_MAX (16384 + 256)
#define APPLICATION 23
#define HANDSHAKE 22

/* A direction's key, IV and nonce (RFC 8446 7.3 and 5.3). */
static void expand(const struct signet_crypto *crypto, const char *label, byte *out, word32 length)
{
	int digest = crypto->secret_len == 48 ? WC_SHA384 : WC_SHA256;

	if (wc_Tls13_HKDF_Expand_Label(out, length, crypto->secret, crypto->secret_len,
				       (const byte *)"tls13 ", 6, (const byte *)label,
				       strlen(label), NULL, 0, digest))
		bail("cannot derive keys");
}

static void set_up_cipher(struct signet_crypto *crypto, Aes *aes, byte nonce[IV])
{
	byte key[32];
	word32 length = crypto->suite == SIGNET_AES_256_GCM_SHA384 ? 32 : 16;

	expand(crypto, "key", key, length);
	expand(crypto, "iv", nonce, IV);
	for (int i = 0; i < 8; i++)
		nonce[IV - 1 - i] ^= crypto->sequence >> 8 * i;
	crypto->sequence++;
	if (wc_AesInit(aes, NULL, INVALID_DEVID) || wc_AesGcmSetKey(aes, key, length))
		bail("no cipher");
}

static void send_record(int fd, struct signet_crypto *crypto, const char *text)
{
	byte record[RECORD_MAX + HEADER], plain[RECORD_MAX], nonce[IV];
	size_t length = strlen(text) + 1;
	Aes aes;

	memcpy(plain, text, length - 1);
	plain[length - 1] = APPLICATION;
	memcpy(record, "\x17\x03\x03", 3);
	record[3] = (length + TAG) >> 8;
	record[4] = length + TAG;
	set_up_cipher(crypto, &aes, nonce);
	if (wc_AesGcmEncrypt(&aes, record + HEADER, plain, length, nonce, IV,
			     record + HEADER + length, TAG, record, HEADER))
		bail("cannot seal");
	wc_AesFree(&aes);
	length += HEADER + TAG;
	if (send(fd, record, length, MSG_NOSIGNAL) != (ssize_t)length)
		bail("send: %s", strerror(errno));
}

/* Return: the record's content type, 0 if it does not open or none comes. */
static int receive_record(int fd, struct signet_crypto *crypto, char *text)
{
	byte record[RECORD_MAX + HEADER], nonce[IV];
	size_t length;
	int failed, type;
	Aes aes;

	if (recv(fd, record, HEADER, MSG_WAITALL) != HEADER || record[0] != APPLICATION)
		return 0;
	length = record[3] << 8 | record[4];
	if (length <= TAG || length > RECORD_MAX ||
	    recv(fd, record + HEADER, length, MSG_WAITALL) != (ssize_t)length)
		return 0;
	length -= TAG;
	set_up_cipher(crypto, &aes, nonce);
	failed = wc_AesGcmDecrypt(&aes, (byte *)text, record + HEADER, length, nonce, IV,
				  record + HEADER + length, TAG, record, HEADER);
	wc_AesFree(&aes);
	if (failed)
		return 0;
	type = text[length - 1];
	text[length - 1] = '\0';
	return type;
}

/* The next application data, past the tickets that come first. */
static bool receive_text(int fd, struct signet_crypto *crypto, const char *wanted, int *tickets)
{
	char text[RECORD_MAX];
	int type;

	*tickets = 0;
	while ((type = receive_record(fd, crypto, text)) == HANDSHAKE)
		++*tickets;
	return type == APPLICATION && !strcmp(text, wanted);
}

static int run(const struct signet_config *config, int fd, const char *name,
	       struct signet_keys *keys, struct signet_result *result)
{
	static const struct timeval patience = { .tv_sec = 10 };
	struct signet_handshake *engine;
	int ret;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ret = signet_handshake_new(config, fd, name, &engine);
	if (ret)
		bail("no engine: %s", signet_strerror(ret));
	ret = signet_handshake_run(engine);
	signet_handshake_result(engine, result);
	memset(keys, 0, sizeof(*keys));
	if (signet_handshake_keys(engine))
		*keys = *signet_handshake_keys(engine);
	signet_handshake_free(engine);
	return ret;
}

/**
 * struct meeting - one handshake with openssl
 * @what:	for a person
 * @options:	of s_server or s_client, beside certificate and port
 * @certificate: of s_server; NULL for "server"
 * @group:	that is agreed; NULL for any
 * @suite:	that is agreed
 * @error:	of our side, 0 when it succeeds
 * @text:	part of the failure's text
 */
struct meeting {
	const char *what;
	const char *options;
	const char *certificate;
	const char *group;
	unsigned int suite;
	int error;
	const char *text;
};

static void check_failure(const struct meeting *meeting, const char *role, int ret,
			  const struct signet_result *result)
{
	ok(ret == meeting->error && strstr(result->text, meeting->text), "%s as %s: %s",
	   meeting->what, role, result->text);
}

static void check_success(const struct meeting *meeting, const char *role, int ret,
			  const struct signet_result *result)
{
	ok(!ret && result->suite == meeting->suite &&
		   (!meeting->group || !strcmp(result->group, meeting->group)),
	   "%s as %s: %s with %s%s", meeting->what, role, signet_suite_name(result->suite),
	   result->group, result->text);
}

static void meet_server(const struct meeting *meeting, const struct signet_config *client)
{
	const char *certificate = meeting->certificate ? meeting->certificate : "server";
	unsigned int port = free_port();
	struct signet_result result;
	struct process process;
	struct signet_keys keys;
	int fd, ret, tickets;
	bool got;

	process_start(&process,
		      "exec openssl s_server -accept 127.0.0.1:%u -cert %s.pem -key %s.key "
		      "-cipher DEFAULT@SECLEVEL=0 -rev %s",
		      port, certificate, certificate, meeting->options);
	fd = tcp_connect(port);
	ret = run(client, fd, "db.internal", &keys, &result);
	if (meeting->error) {
		check_failure(meeting, "client", ret, &result);
	} else {
		check_success(meeting, "client", ret, &result);
		send_record(fd, &keys.tx, "abc\n");
		got = receive_text(fd, &keys.rx, "cba\n", &tickets);
		ok(got && tickets == 2, "and data goes both ways, behind %d tickets", tickets);
	}
	close(fd);
	process_stop(&process);
}

static void meet_client(const struct meeting *meeting, const struct signet_config *server)
{
	struct signet_result result;
	struct process process;
	struct signet_keys keys;
	int listener, fd, ret, tickets;
	unsigned int port;
	bool got;

	listener = tcp_listen(&port);
	process_start(&process,
		      "exec openssl s_client -connect 127.0.0.1:%u -CAfile ca.pem "
		      "-verify_return_error -verify_hostname db.internal -ign_eof %s",
		      port, meeting->options);
	fd = tcp_accept(listener);
	ret = run(server, fd, NULL, &keys, &result);
	if (meeting->error) {
		check_failure(meeting, "server", ret, &result);
	} else {
		check_success(meeting, "server", ret, &result);
		if (write(process.input, "to the server\n", 14) != 14)
			bail("s_client is gone");
		got = receive_text(fd, &keys.rx, "to the server\n", &tickets);
		ok(got && !tickets, "and data comes from the client");
		send_record(fd, &keys.tx, "to the client\n");
		ok(process_says(&process, "to the client"), "and goes to it");
	}
	close(fd);
	close(listener);
	process_stop(&process);
}

static void servers_are_met(void)
{
	static const struct meeting meetings[] = {
		{ "the defaults", "", NULL, "X25519MLKEM768", 0x1301 },
		{ "AES-256", "-ciphersuites TLS_AES_256_GCM_SHA384", NULL, NULL, 0x1302 },
		{ "X25519 alone", "-groups X25519", NULL, NULL, 0x1301 },
		{ "P-256 after a HelloRetryRequest", "-groups P-256", NULL, NULL, 0x1301 },
		{ "P-384 after a HelloRetryRequest", "-groups P-384", NULL, NULL, 0x1301 },
		{ "RSA", "", "rsa", NULL, 0x1301 },
		{ "Ed25519", "", "ed25519", NULL, 0x1301 },
		{ "ML-DSA-65", "", "mldsa", NULL, 0x1301 },
		{ "a chain", "-cert_chain middle.pem", "chain", NULL, 0x1301 },
		{ "no middlebox compatibility", "-no_middlebox", NULL, NULL, 0x1301 },
		{ "small records", "-max_send_frag 512", "rsa", NULL, 0x1301 },
		{ "a client certificate", "-Verify 1 -CAfile ca.pem -verify_return_error", NULL,
		  NULL, 0x1301 },
		{ "AES-128-CCM alone", "-ciphersuites TLS_AES_128_CCM_SHA256", NULL, NULL, 0,
		  -EPROTO, "handshake_failure" },
		{ "P-521 alone", "-groups P-521", NULL, NULL, 0, -EPROTO, "handshake_failure" },
		{ "TLS 1.2 alone", "-tls1_2", NULL, NULL, 0, -EPROTO, "protocol_version" },
		{ "a short RSA key", "", "short", NULL, 0, -EKEYREJECTED, "too short a key" },
		{ "an unknown critical extension", "", "critical", NULL, 0, -EKEYREJECTED,
		  "unknown critical extension" },
		{ "a SHA-1 intermediate", "-cert_chain sha1.pem", "below-sha1", NULL, 0,
		  -EKEYREJECTED, "broken hash" },
	};
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", "client");

	for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++)
		meet_server(&meetings[i], client);
	signet_config_free(client);
}

static void clients_are_met(void)
{
	static const struct meeting meetings[] = {
		{ "the defaults", "", NULL, "X25519MLKEM768", 0x1301 },
		{ "AES-256", "-ciphersuites TLS_AES_256_GCM_SHA384", NULL, NULL, 0x1302 },
		{ "X25519 alone", "-groups X25519", NULL, NULL, 0x1301 },
		{ "P-384 alone", "-groups P-384", NULL, NULL, 0x1301 },
		{ "P-256 after a HelloRetryRequest", "-groups P-521:P-256", NULL, NULL, 0x1301 },
		{ "no middlebox compatibility", "-no_middlebox", NULL, NULL, 0x1301 },
		{ "a name", "-servername db.internal", NULL, NULL, 0x1301 },
		{ "an unasked client certificate", "-cert client.pem -key client.key", NULL, NULL,
		  0x1301 },
		{ "AES-128-CCM alone", "-ciphersuites TLS_AES_128_CCM_SHA256", NULL, NULL, 0,
		  -EPROTO, "handshake_failure" },
		{ "P-521 alone", "-groups P-521", NULL, NULL, 0, -EPROTO, "" },
		{ "TLS 1.2 alone", "-tls1_2", NULL, NULL, 0, -EPROTO, "" },
		{ "a client that refuses the name", "-verify_hostname web.internal", NULL, NULL, 0,
		  -EPROTO, "the peer refused the handshake: alert" },
	};
	static const struct meeting asked[] = {
		{ "a client certificate", "-cert client.pem -key client.key", NULL, NULL, 0x1301 },
		{ "no client certificate", "", NULL, NULL, 0, -EKEYREJECTED,
		  "presented no certificate" },
		{ "a strange client certificate", "-cert stranger.pem -key stranger.key", NULL,
		  NULL, 0, -EKEYREJECTED, "unknown authority" },
	};
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, NULL, "server");

	for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++)
		meet_client(&meetings[i], server);
	signet_config_free(server);

	server = new_config(SIGNET_ROLE_SERVER, "ca", "server");
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		meet_client(&asked[i], server);
	signet_config_free(server);
}

static void make_certificates(void)
{
#define NAMED "subjectAltName=DNS:db.internal\n"
#define CA "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
	static const struct recipe recipes[] = {
		{ "rsa", "/CN=x", "ca", NAMED, NULL, "rsa:2048" },
		{ "ed25519", "/CN=x", "ca", NAMED, NULL, "ed25519" },
		{ "mldsa", "/CN=x", "ca", NAMED, NULL, "ML-DSA-65" },
		{ "middle", "/CN=Middle", "ca", CA },
		{ "chain", "/CN=x", "middle", NAMED },
		{ "short", "/CN=x", "ca", NAMED, NULL, "rsa:1024" },
		{ "critical", "/CN=x", "ca", NAMED "1.2.3.4=critical,DER:0500" },
		{ "sha1", "/CN=Middle 1", "ca", CA, "-sha1 -days 9" },
		{ "below-sha1", "/CN=x", "sha1", NAMED },
		{ "stranger", "/CN=x", NULL, "basicConstraints=CA:FALSE" },
	};

	make_usual_certificates();
	for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++)
		make_certificate(&recipes[i]);
}

int main(void)
{
	tap_begin();
	certificates_begin();
	make_certificates();
	servers_are_met();
	clients_are_met();
	return tap_end();
}
