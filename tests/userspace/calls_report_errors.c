// SPDX-License-Identifier: GPL-3.0-or-later
/* What the public calls answer to wrong arguments, wrong sockets, wrong files, and no module. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certificates.h"
#include "duo.h"
#include "peer.h"
#include "tap.h"

static void is(int got, int wanted, const char *what)
{
	ok(got == wanted, "%s: %s (%d)", what, signet_strerror(got), got);
}

static void sockets_are_checked(void)
{
	struct signet_keys keys = { 0 };
	struct signet_info info;
	unsigned int port;
	char text[64];
	int fds[2], udp, listener;

	tcp_pair(fds);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	listener = tcp_listen(&port);
	is(signet_attach(-1), -EBADF, "attach to no descriptor");
	is(signet_attach(STDOUT_FILENO), -ENOTSOCK, "attach to standard output");
	is(signet_attach(udp), -EINVAL, "attach to a UDP socket");
	is(signet_install(fds[0], &keys, NULL, 0), -ENOPROTOOPT, "install without attach");
	is(signet_install(fds[0], &keys, "abc", 3), -ENOPROTOOPT, "with left-over bytes, too");
	ok(keys.size == sizeof(keys) && keys.leftover_len == 3, "sizes are filled in");
	is(signet_install(fds[0], NULL, NULL, 0), -EINVAL, "install without keys");
	is(signet_install(fds[0], &keys, NULL, 1), -EINVAL,
	   "install with bytes that are not there");
	is(signet_install(fds[0], &keys, &keys, SIGNET_LEFTOVER_MAX + 1), -EMSGSIZE,
	   "install with too many bytes");
	memset(&info, 0xff, sizeof(info));
	is(signet_info(fds[0], &info), -ENOPROTOOPT, "info without attach");
	ok(!info.size && !info.state && !info.tx_unsent, "and nothing is in it");
	is(signet_info(fds[0], NULL), -EINVAL, "info into nowhere");
	memset(text, 'x', sizeof(text));
	is(signet_error(fds[0], text, sizeof(text)), -ENOPROTOOPT, "error text without attach");
	ok(!text[0], "and it is empty");
	is(signet_error(fds[0], text, 0), -EINVAL, "error text without room");
	is(signet_error(fds[0], NULL, 1), -EINVAL, "error text into nowhere");
	close(fds[0]);
	close(fds[1]);
	close(udp);
	close(listener);
}

static void settings_are_checked(void)
{
	struct signet_rekey_policy policy = { 1, 2, 3 };
	struct signet_padding padding = { SIGNET_PADDING_FIXED, 4 };
	unsigned int bytes = 5;
	bool types = true, adaptive = true;
	char ticket[16];
	int fds[2];

	tcp_pair(fds);
	is(signet_rekey(fds[0], 0), -ENOPROTOOPT, "rekey without attach");
	is(signet_rekey(-1, 0), -EBADF, "rekey of no descriptor");
	is(signet_rekey(STDOUT_FILENO, 0), -ENOTSOCK, "rekey of standard output");
	is(signet_set_rekey_policy(fds[0], &policy), -ENOPROTOOPT, "a policy without attach");
	is(signet_set_rekey_policy(fds[0], NULL), -EINVAL, "no policy");
	is(signet_get_rekey_policy(fds[0], &policy), -ENOPROTOOPT, "whose policy?");
	ok(!policy.records && !policy.bytes && !policy.seconds, "and nothing is in it");
	is(signet_get_rekey_policy(fds[0], NULL), -EINVAL, "a policy into nowhere");
	is(signet_set_record_max(fds[0], 0), -ENOPROTOOPT, "a record's limit without attach");
	is(signet_get_record_max(fds[0], &bytes), -ENOPROTOOPT, "whose limit?");
	ok(!bytes, "and it is zero");
	is(signet_get_record_max(fds[0], NULL), -EINVAL, "a limit into nowhere");
	is(signet_set_padding(fds[0], &padding), -ENOPROTOOPT, "padding without attach");
	is(signet_set_padding(fds[0], NULL), -EINVAL, "no padding's description");
	is(signet_get_padding(fds[0], &padding), -ENOPROTOOPT, "whose padding?");
	ok(!padding.mode && !padding.size, "and nothing is in it");
	is(signet_get_padding(fds[0], NULL), -EINVAL, "padding into nowhere");
	is(signet_set_adaptive_records(fds[0], true), -ENOPROTOOPT, "adaptive without attach");
	is(signet_get_adaptive_records(fds[0], &adaptive), -ENOPROTOOPT, "is it adaptive?");
	is(signet_get_adaptive_records(fds[0], NULL), -EINVAL, "adaptive into nowhere");
	is(signet_set_record_types(fds[0], true), -ENOPROTOOPT, "types without attach");
	is(signet_get_record_types(fds[0], &types), -ENOPROTOOPT, "does it tell types?");
	is(signet_get_record_types(fds[0], NULL), -EINVAL, "types into nowhere");
	ok(!adaptive && !types, "and neither is");
	is(signet_ticket(fds[0], ticket, sizeof(ticket)), -ENOPROTOOPT, "a ticket without attach");
	is(signet_ticket(fds[0], NULL, 0), -EINVAL, "a ticket into nowhere");
	close(fds[0]);
	close(fds[1]);
}

static void wishes_are_checked(void)
{
	unsigned char pins[(SIGNET_PINS_MAX + 1) * SIGNET_PIN_LEN] = { 0 };
	char longer[SIGNET_STRING_MAX + 2];
	int fds[2];

	tcp_pair(fds);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	is(signet_tls_connect(fds[0], "db.internal"), -ENOPROTOOPT, "connect without attach");
	is(signet_tls_connect(fds[0], NULL), -ENOPROTOOPT, "a name is the kernel's to demand");
	is(signet_tls_connect(-1, "db.internal"), -EBADF, "connect no descriptor");
	is(signet_tls_accept(fds[0], "web"), -ENOPROTOOPT, "accept without attach");
	is(signet_tls_accept(fds[0], NULL), -ENOPROTOOPT, "the default profile, too");
	is(signet_tls_begin(fds[0], SIGNET_ROLE_CLIENT, "db.internal"), -ENOPROTOOPT,
	   "begin without attach");
	is(signet_tls_begin(fds[0], SIGNET_ROLE_SERVER, NULL), -ENOPROTOOPT, "and as a server");
	is(signet_tls_begin(fds[0], SIGNET_ROLE_CLIENT, longer), -EMSGSIZE,
	   "begin with too long a name");
	is(signet_tls_result(fds[0]), -ENOPROTOOPT, "a result without attach");
	is(signet_tls_result(STDOUT_FILENO), -ENOTSOCK, "a result of standard output");
	is(signet_set_profile(fds[0], "edge"), -ENOPROTOOPT, "a profile without attach");
	is(signet_set_profile(fds[0], NULL), -EINVAL, "no profile");
	is(signet_set_ca(fds[0], "partners"), -ENOPROTOOPT, "authorities without attach");
	is(signet_set_ca(fds[0], NULL), -EINVAL, "no authorities");
	is(signet_set_min_version(fds[0], SIGNET_TLS_1_3), -ENOPROTOOPT, "a version, too");
	is(signet_set_client_auth(fds[0], SIGNET_CLIENT_AUTH_REQUIRED), -ENOPROTOOPT,
	   "and client authentication");
	is(signet_set_timeout(fds[0], 1000), -ENOPROTOOPT, "and a time limit");
	is(signet_set_pins(fds[0], pins, 1), -ENOPROTOOPT, "and a pin");
	is(signet_set_pins(fds[0], NULL, 0), -ENOPROTOOPT, "and none");
	is(signet_set_pins(fds[0], NULL, 1), -EINVAL, "a pin that is not there");
	is(signet_set_pins(fds[0], pins, SIGNET_PINS_MAX + 1), -EINVAL, "too many pins");
	is(signet_set_pins(fds[0], pins, SIZE_MAX), -EINVAL, "far too many pins");
	close(fds[0]);
	close(fds[1]);
}

static void protocols_are_checked(void)
{
	static const char *const good[] = { "", "h2", "h2,http/1.1", "a,b,c" };
	static const char *const bad[] = { ",", "h2,", ",h2", "h2,,h3" };
	char longest[SIGNET_STRING_MAX + 1];
	int fds[2];

	tcp_pair(fds);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(signet_set_alpn(fds[0], good[i]) == -ENOPROTOOPT, "\"%s\" is a list", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(signet_set_alpn(fds[0], bad[i]) == -EINVAL, "\"%s\" is none", bad[i]);
	is(signet_set_alpn(fds[0], NULL), -EINVAL, "nor is NULL");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[SIGNET_STRING_MAX] = '\0';
	is(signet_set_alpn(fds[0], longest), -EMSGSIZE, "a protocol of 255 bytes");
	longest[100] = ',';
	is(signet_set_alpn(fds[0], longest), -EMSGSIZE, "two of 255 bytes, too");
	longest[SIGNET_STRING_MAX - 1] = '\0';
	is(signet_set_alpn(fds[0], longest), -ENOPROTOOPT, "but not of 254");
	close(fds[0]);
	close(fds[1]);
}

static void sessions_are_checked(void)
{
	unsigned char out[SIGNET_EXPORT_MAX + 1];
	char text[16], label[SIGNET_EXPORT_MAX + 1];
	int fds[2];

	tcp_pair(fds);
	memset(text, 'x', sizeof(text));
	is(signet_alpn(fds[0], text, sizeof(text)), -ENOPROTOOPT, "a protocol without attach");
	ok(!text[0], "and it is empty");
	is(signet_alpn(fds[0], NULL, 1), -EINVAL, "a protocol into nowhere");
	is(signet_peer_name(fds[0], text, sizeof(text)), -ENOPROTOOPT, "whose peer?");
	is(signet_peer_name(fds[0], text, 0), -EINVAL, "a name without room");
	is(signet_server_name(fds[0], text, sizeof(text)), -ENOPROTOOPT, "whose server?");
	is(signet_server_name(fds[0], NULL, 1), -EINVAL, "a server into nowhere");
	is(signet_peer(fds[0], out, sizeof(out)), -ENOPROTOOPT, "whose certificates?");
	is(signet_peer(fds[0], NULL, 1), -EINVAL, "certificates into nowhere");
	is(signet_export(fds[0], "EXPORTER-x", NULL, 0, out, 32), -ENOPROTOOPT, "whose keys?");
	is(signet_export(fds[0], NULL, NULL, 0, out, 32), -ENOPROTOOPT, "and without label");
	is(signet_export(fds[0], "", NULL, 0, out, 32), -EINVAL, "an empty label");
	is(signet_export(fds[0], "EXPORTER-x", NULL, 1, out, 32), -EINVAL, "no context");
	is(signet_export(fds[0], NULL, text, 1, out, 32), -EINVAL, "a context without label");
	is(signet_export(fds[0], "EXPORTER-x", NULL, 0, NULL, 32), -EINVAL, "keys into nowhere");
	is(signet_export(fds[0], "EXPORTER-x", NULL, 0, out, 0), -EINVAL, "no keys at all");
	is(signet_export(fds[0], "EXPORTER-x", NULL, 0, out, sizeof(out)), -EMSGSIZE, "too many");
	memset(label, 'a', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	is(signet_export(fds[0], label, NULL, 0, out, 32), -EMSGSIZE, "too long a label");
	is(signet_export(fds[0], "EXPORTER-x", out, sizeof(out) - 11, out, 32), -EMSGSIZE,
	   "too long a context");
	close(fds[0]);
	close(fds[1]);
}

/* Where the module is loaded, or can be, these sockets get another answer. */
static void the_module_is_missed(void)
{
	unsigned int port;
	int fds[2], listener, ret;

	tcp_pair(fds);
	ret = signet_attach(fds[0]);
	if (!ret)
		skip("signet.ko is here", "attach without the module");
	else
		is(ret, -ENOENT, "attach without the module");
	listener = tcp_listen(&port);
	ret = signet_attach(listener);
	ok(ret == -ENOENT || ret == -EINVAL, "attach to a listener: %s", signet_strerror(ret));
	close(fds[0]);
	close(fds[1]);
	close(listener);
}

static void write_there(const char *name, const char *text)
{
	if (!run_there("printf -- '%s' >%s", text, name))
		bail("cannot write %s", name);
}

static void files_are_checked(void)
{
	struct signet_config *config;
	const char *server = in_certificates("server.pem"), *key = in_certificates("server.key");

	is(signet_config_new(SIGNET_ROLE_UNKNOWN, &config), -EINVAL,
	   "a configuration without role");
	is(signet_config_new(SIGNET_ROLE_CLIENT, NULL), -EINVAL, "a configuration into nowhere");
	signet_config_new(SIGNET_ROLE_SERVER, &config);
	write_there("empty", "");
	write_there("text", "no certificate");
	write_there("half", "-----BEGIN CERTIFICATE-----\\nMIIB");
	run_there("openssl pkey -in server.key -aes256 -passout pass:x -out locked.key");
	run_there("openssl x509 -in server.pem -outform DER -out server.der");
	make_certificate(&(struct recipe){ .name = "old-ca",
					   .subject = "/CN=Old",
					   .extensions = "basicConstraints=critical,CA:TRUE",
					   .options = "-not_before 20200101000000Z "
						      "-not_after 20210101000000Z" });

	is(signet_config_ca_file(NULL, server), -EINVAL, "a CA for no configuration");
	is(signet_config_ca_file(config, NULL), -EINVAL, "a CA without a path");
	is(signet_config_ca_file(config, in_certificates("none")), -ENOENT, "a CA file not there");
	is(signet_config_ca_file(config, in_certificates(".")), -EINVAL, "a directory as CA");
	is(signet_config_ca_file(config, "/dev/zero"), -EINVAL, "a device as CA");
	is(signet_config_ca_file(config, in_certificates("empty")), -EINVAL, "an empty CA file");
	is(signet_config_ca_file(config, in_certificates("text")), -EINVAL, "a text as CA");
	is(signet_config_ca_file(config, in_certificates("half")), -EINVAL, "half a CA");
	is(signet_config_ca_file(config, server), -EKEYREJECTED, "a server's certificate as CA");
	is(signet_config_ca_file(config, in_certificates("old-ca.pem")), -EKEYREJECTED,
	   "an expired CA");
	run_there("cat old-ca.pem server.pem ca.pem >bundle.pem");
	is(signet_config_ca_file(config, in_certificates("bundle.pem")), 0, "a good CA among bad");
	is(signet_config_ca_system(config), -EINVAL, "the system's CAs for a server");

	is(signet_config_certificate(NULL, server, key), -EINVAL, "a key for no configuration");
	is(signet_config_certificate(config, NULL, key), -EINVAL, "a key without certificate");
	is(signet_config_certificate(config, server, NULL), -EINVAL, "a certificate without key");
	is(signet_config_certificate(config, in_certificates("none"), key), -ENOENT,
	   "a certificate not there");
	is(signet_config_certificate(config, server, in_certificates("none")), -ENOENT,
	   "a key not there");
	is(signet_config_certificate(config, in_certificates("text"), key), -EINVAL,
	   "a text as certificate");
	is(signet_config_certificate(config, server, in_certificates("text")), -EINVAL,
	   "a text as key");
	is(signet_config_certificate(config, server, in_certificates("locked.key")), -EINVAL,
	   "an encrypted key");
	is(signet_config_certificate(config, in_certificates("server.der"), key), -EINVAL,
	   "a certificate in DER");
	is(signet_config_certificate(config, server, in_certificates("client.key")), -EKEYREJECTED,
	   "another certificate's key");
	if (geteuid()) {
		chmod(key, 0);
		is(signet_config_certificate(config, server, key), -EACCES, "an unreadable key");
		chmod(key, 0600);
	} else {
		skip("root reads everything", "an unreadable key");
	}
	is(signet_accept(config, 0, NULL), -EINVAL, "a server whose key did not load");
	is(signet_config_certificate(config, server, key), 0, "the right key, in the end");
	is(signet_config_timeout(NULL, 1), -EINVAL, "a time limit for no configuration");
	signet_config_free(config);
	signet_config_free(NULL);
}

static void system_certificates_are_found(void)
{
	struct signet_config *config;

	signet_config_new(SIGNET_ROLE_CLIENT, &config);
	if (access("/etc/ssl/certs/ca-certificates.crt", R_OK))
		is(signet_config_ca_system(config), -ENOENT,
		   "the system's CAs, which are not there");
	else
		is(signet_config_ca_system(config), 0, "the system's CAs");
	signet_config_free(config);
}

static void names_are_demanded(const struct signet_config *client,
			       const struct signet_config *server)
{
	static const char *const wrong[] = { NULL, "", ".", "*.example.org", "a b", "127.1" };
	struct signet_result result;
	int fds[2];
	char byte;

	tcp_pair(fds);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int ret = signet_connect(client, fds[0], wrong[i], &result);

		ok(ret == -EINVAL && result.error == ret && result.text[0],
		   "a client that asks for \"%s\" is refused: %s", wrong[i] ? wrong[i] : "nothing",
		   result.text);
	}
	is(signet_connect(client, fds[0], NULL, NULL), -EINVAL, "and so without a result");
	is(signet_connect(server, fds[0], "db.internal", &result), -EINVAL,
	   "connect with a server's configuration");
	is(signet_accept(client, fds[0], &result), -EINVAL, "accept with a client's");
	is(signet_connect(NULL, fds[0], "db.internal", &result), -EINVAL, "connect with none");
	is(signet_accept(NULL, fds[0], &result), -EINVAL, "accept with none");
	ok(recv(fds[1], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN,
	   "and nothing was sent before that was known");
	close(fds[0]);
	close(fds[1]);
	ok(signet_connect(client, -1, "db.internal", &result) == -EBADF && result.text[0],
	   "no descriptor: %s", result.text);
	ok(signet_connect(client, STDOUT_FILENO, "db.internal", &result) == -ENOTSOCK,
	   "no socket: %s", result.text);
}

struct acceptor {
	const struct signet_config *config;
	int fd;
	int ret;
	struct signet_result result;
};

static void *run_acceptor(void *argument)
{
	struct acceptor *acceptor = argument;

	acceptor->ret = signet_accept(acceptor->config, acceptor->fd, &acceptor->result);
	return NULL;
}

/* Without the module the handshake succeeds and the hand-over does not; with it, both do. */
static void handing_over_is_tried(const struct signet_config *client,
				  const struct signet_config *server)
{
	struct acceptor acceptor = { .config = server };
	struct signet_result result;
	pthread_t thread;
	int fds[2], ret;

	tcp_pair(fds);
	acceptor.fd = fds[1];
	if (pthread_create(&thread, NULL, run_acceptor, &acceptor))
		bail("no thread");
	ret = signet_connect(client, fds[0], "127.0.0.1", &result);
	pthread_join(thread, NULL);
	ok((ret == 0 || ret == -ENOENT) && result.error == ret, "connect: %s",
	   ret ? result.text : "handed over");
	ok(acceptor.ret == ret && acceptor.result.error == ret, "accept: %s",
	   ret ? acceptor.result.text : "handed over");
	ok(!ret == !result.text[0] && result.suite == SIGNET_AES_128_GCM_SHA256 &&
		   !strcmp(result.peer, "127.0.0.1"),
	   "the result tells what was agreed in any case");
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	struct signet_config *client, *server;

	tap_begin();
	certificates_begin();
	make_usual_certificates();
	sockets_are_checked();
	settings_are_checked();
	wishes_are_checked();
	protocols_are_checked();
	sessions_are_checked();
	the_module_is_missed();
	files_are_checked();
	system_certificates_are_found();
	client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	names_are_demanded(client, server);
	handing_over_is_tried(client, server);
	signet_config_free(client);
	signet_config_free(server);
	return tap_end();
}
