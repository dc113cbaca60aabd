// SPDX-License-Identifier: GPL-2.0-only
/*
 * setsockopt_calls NAME: what libsignet's calls do with a helper, whose server is called NAME.
 *
 * Both ends are here: a listener, and clients that never wait.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <signet.h>

static int failures;

static void ok(bool good, const char *what)
{
	failures += !good;
	printf("%s: %s\n", good ? "ok" : "not ok", what);
}

static void is(int got, int wanted, const char *what)
{
	failures += got != wanted;
	printf("%s: %s: %s (%d)\n", got == wanted ? "ok" : "not ok", what, signet_strerror(got),
	       got);
}

struct ends {
	int listener, client, server;
};

/* Return: whether the client is connected to the listener, and attached. */
static bool connect_client(struct ends *ends)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	ends->client = socket(AF_INET, SOCK_STREAM, 0);
	return !bind(ends->listener, (struct sockaddr *)&address, len) &&
	       !listen(ends->listener, 1) &&
	       !getsockname(ends->listener, (struct sockaddr *)&address, &len) &&
	       !connect(ends->client, (struct sockaddr *)&address, len) &&
	       !signet_attach(ends->client);
}

static bool connect_ends(struct ends *ends, const char *alpn)
{
	ends->listener = socket(AF_INET, SOCK_STREAM, 0);
	is(signet_attach(ends->listener), 0, "a listener-to-be is attached");
	is(signet_set_alpn(ends->listener, alpn), 0, "its protocols");
	is(signet_set_client_auth(ends->listener, SIGNET_CLIENT_AUTH_PROFILE), 0,
	   "its client authentication");
	is(signet_tls_accept(ends->listener, NULL), 0, "it accepts by the default profile");
	if (!connect_client(ends))
		return false;
	ends->server = accept(ends->listener, NULL, NULL);
	return ends->server >= 0;
}

static void close_ends(struct ends *ends)
{
	close(ends->client);
	close(ends->server);
	close(ends->listener);
}

/* Return: how the handshake ended. */
static int shake_hands(int fd, const char *name)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	is(signet_tls_result(fd), -ENOTCONN, "before it there is none");
	is(signet_tls_begin(fd, SIGNET_ROLE_CLIENT, name), 0, "it begins");
	while (poll(&poll_fd, 1, -1) < 0)
		;
	return signet_tls_result(fd);
}

static void wishes_come_true(const char *name)
{
	struct signet_info info;
	char text[SIGNET_STRING_MAX + 1], byte;
	unsigned char chain[16384];
	struct ends ends;
	int ret;

	ok(connect_ends(&ends, "http/1.1,h2"), "the ends are connected");
	is(signet_alpn(ends.client, text, sizeof(text)), -ENOTCONN, "no protocol before");
	is(signet_set_profile(ends.client, "test"), 0, "a profile");
	is(signet_set_alpn(ends.client, "h2,http/1.1"), 0, "protocols");
	is(signet_set_min_version(ends.client, SIGNET_TLS_1_3), 0, "a version");
	is(signet_set_min_version(ends.client, 0x0302), -EINVAL, "but not that one");
	is(signet_set_timeout(ends.client, 30000), 0, "a time limit");
	is(signet_set_pins(ends.client, NULL, 0), 0, "no pins");
	is(shake_hands(ends.client, name), 0, "the client's handshake");
	is(signet_tls_connect(ends.client, name), -EISCONN, "there is no second one");
	ok(send(ends.client, "x", 1, 0) == 1 && recv(ends.server, &byte, 1, 0) == 1, "data");
	is(signet_tls_result(ends.server), 0, "the server's handshake");
	ok(!signet_alpn(ends.client, text, sizeof(text)) && !strcmp(text, "http/1.1"),
	   "the client's protocol is the one that the server prefers");
	ok(!signet_alpn(ends.server, text, sizeof(text)) && !strcmp(text, "http/1.1"),
	   "and the server's");
	is(signet_alpn(ends.server, text, 8), -EMSGSIZE, "it needs a byte more");
	is(signet_alpn(ends.server, text, 9), 0, "and with it fits");
	ok(!signet_peer_name(ends.client, text, sizeof(text)) && !strcmp(text, name),
	   "the server's identity");
	is(signet_peer_name(ends.server, text, sizeof(text)), -ENODATA, "the client has none");
	ok(!signet_server_name(ends.server, text, sizeof(text)) && !strcmp(text, name),
	   "the name that was asked for");
	ret = signet_peer(ends.client, chain, sizeof(chain));
	ok(ret == -ENODATA || (ret > 3 && ret >= 3 + (chain[0] << 16 | chain[1] << 8 | chain[2])),
	   "the server's certificates, when the helper hands them over");
	ok(!signet_info(ends.client, &info) && info.state == SIGNET_STATE_ESTABLISHED &&
		   info.role == SIGNET_ROLE_CLIENT && info.group,
	   "what the kernel knows");
	close_ends(&ends);
}

static void keys_are_exported(const char *name)
{
	unsigned char one[64], other[64], binding[32];
	struct ends ends;
	char byte;

	ok(connect_ends(&ends, ""), "the ends are connected");
	is(shake_hands(ends.client, name), 0, "the client's handshake");
	ok(send(ends.client, "x", 1, 0) == 1 && recv(ends.server, &byte, 1, 0) == 1, "data");
	is(signet_export(ends.client, NULL, NULL, 0, binding, 32), 0, "a channel binding");
	is(signet_export(ends.client, "EXPORTER-a", "c", 1, one, 64), 0, "the client's keys");
	is(signet_export(ends.server, "EXPORTER-a", "c", 1, other, 64), 0, "the server's keys");
	ok(!memcmp(one, other, 64), "are the same");
	is(signet_export(ends.server, "EXPORTER-a", NULL, 0, other, 64), 0, "without context");
	ok(memcmp(one, other, 64), "they are others");
	is(signet_export(ends.client, NULL, NULL, 0, one, 32), 0, "the channel binding again");
	ok(!memcmp(one, binding, 32), "is the same, whatever was between");
	is(signet_export(ends.server, NULL, NULL, 0, other, 32), 0, "and the server's");
	ok(!memcmp(other, binding, 32), "too");
	close_ends(&ends);
}

/* Nobody answers at the other end. */
static void handshakes_take_time(const char *name)
{
	struct ends ends = { .listener = socket(AF_INET, SOCK_STREAM, 0), .server = -1 };

	ok(connect_client(&ends), "a server that says nothing");
	is(signet_set_timeout(ends.client, 200), 0, "a time limit");
	is(signet_tls_begin(ends.client, SIGNET_ROLE_CLIENT, name), 0, "it begins");
	is(signet_tls_connect(ends.client, name), -ETIMEDOUT, "this waits for its end");
	is(signet_tls_result(ends.client), -ETIMEDOUT, "which stays");
	close_ends(&ends);
	ends.listener = socket(AF_INET, SOCK_STREAM, 0);
	ok(connect_client(&ends), "another one");
	is(signet_set_timeout(ends.client, SIGNET_TIMEOUT_MAX), 0, "and all the time there is");
	is(signet_tls_begin(ends.client, SIGNET_ROLE_CLIENT, name), 0, "it begins");
	is(signet_tls_result(ends.client), -EINPROGRESS, "it is under way");
	is(signet_tls_begin(ends.client, SIGNET_ROLE_CLIENT, name), -EALREADY, "once");
	is(signet_set_profile(ends.client, "other"), -EALREADY, "nothing more can be wished");
	close_ends(&ends);
}

static void refusals_are_told(void)
{
	char text[SIGNET_STRING_MAX + 1];
	struct ends ends;

	ok(connect_ends(&ends, ""), "the ends are connected");
	is(shake_hands(ends.client, "wrong.test"), -EKEYREJECTED, "a wrong name");
	ok(!signet_error(ends.client, text, sizeof(text)) && strstr(text, "wrong.test"), text);
	is(signet_tls_connect(ends.client, "wrong.test"), -EKEYREJECTED, "for good");
	close_ends(&ends);
	ok(connect_ends(&ends, ""), "the ends are connected");
	is(signet_set_ca(ends.client, "nobody"), 0, "authorities that there are not");
	is(shake_hands(ends.client, "wrong.test"), -EPERM, "are not allowed");
	ok(!signet_error(ends.client, text, sizeof(text)) && strstr(text, "nobody"), text);
	close_ends(&ends);
	ok(connect_ends(&ends, ""), "the ends are connected");
	is(signet_tls_connect(ends.client, NULL), -EINVAL, "no name and no pin");
	is(signet_set_pins(ends.client, text, 1), 0, "a pin");
	is(signet_tls_connect(ends.client, NULL), -EKEYREJECTED, "that is not the server's");
	close_ends(&ends);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	wishes_come_true(argv[1]);
	keys_are_exported(argv[1]);
	handshakes_take_time(argv[1]);
	refusals_are_told();
	return failures != 0;
}
