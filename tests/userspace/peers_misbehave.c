// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Peers that talk nonsense, leave at any byte, or say nothing: an error with a text each time, in
 * time, no keys, and nothing of theirs is kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "certificates.h"
#include "duo.h"
#include "peer.h"
#include "tap.h"

static struct signet_config *client, *server;

static bool failed_clean(const struct side *side, int error)
{
	return side->status == error && side->result.error == error && side->result.text[0] &&
	       !side->keys.size && !side->result.peer[0] && !side->result.suite;
}

/* Cuts what the server (or the client) sends behind every single byte. */
static void cut_everywhere(bool of_server, size_t total, size_t stride)
{
	size_t cuts = 0, errors = 0, others = 0;
	struct duo duo;

	for (size_t cut = 0; cut < total; cut += stride) {
		struct side *cutter = of_server ? &duo.server : &duo.client;
		struct side *victim = of_server ? &duo.client : &duo.server;

		duo_begin(&duo, client, server, "db.internal");
		cutter->cut = cut;
		duo_run(&duo);
		cuts++;
		errors += failed_clean(victim, -ECONNABORTED);
		/* The client may be done before its last bytes are lost; a server never is. */
		others += cutter->status < 0 ? failed_clean(cutter, cutter->status) :
					       !of_server && !cutter->status;
		duo_end(&duo);
	}
	ok(cuts && errors == cuts, "cut at %zu of %zu places, the %s notices the end each time",
	   errors, cuts, of_server ? "client" : "server");
	ok(others == cuts, "and the %s fails cleanly or was done", of_server ? "server" : "client");
}

static void peers_leave_anywhere(void)
{
	const char *stride = getenv("SIGNET_TEST_STRIDE");
	unsigned int descriptors;
	struct mallinfo2 before;
	struct duo duo;
	ssize_t kept;

	handshake(&duo, client, server, "db.internal");
	if (duo.client.status || duo.server.status)
		bail("%s", duo.client.result.text);
	note("flights of %zu and %zu bytes", duo.client.sent, duo.server.sent);
	descriptors = open_descriptors();
	before = mallinfo2();
	cut_everywhere(true, duo.server.sent, stride ? atoi(stride) : 1);
	cut_everywhere(false, duo.client.sent, stride ? atoi(stride) : 1);
	ok(open_descriptors() == descriptors, "no descriptor is left open");
	kept = mallinfo2().uordblks - before.uordblks;
	ok(kept < 4096, "no memory is kept: %zd bytes", kept);
}

/* One engine against a socket on which somebody has written something. */
static int run_against(const struct signet_config *config, const void *data, size_t size,
		       bool leave, struct signet_result *result)
{
	const char *name = config == client ? "db.internal" : NULL;
	struct signet_handshake *engine;
	int fds[2], ret;

	tcp_pair(fds);
	ret = signet_handshake_new(config, fds[0], name, &engine);
	if (ret)
		bail("no engine: %s", signet_strerror(ret));
	if (send(fds[1], data, size, MSG_NOSIGNAL) != (ssize_t)size)
		bail("send: %s", strerror(errno));
	if (leave)
		shutdown(fds[1], SHUT_WR);
	ret = signet_handshake_run(engine);
	signet_handshake_result(engine, result);
	if (signet_handshake_keys(engine))
		ret = 0;
	signet_handshake_free(engine);
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static void nonsense_is_refused(void)
{
#define CASE(what, text) { what, text, sizeof(text) - 1 }
	static const struct {
		const char *what;
		const void *data;
		size_t size;
	} cases[] = {
		CASE("HTTP", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
		CASE("SSH", "SSH-2.0-OpenSSH_9.2\r\n"),
		CASE("SSL 2", "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80"),
		CASE("zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		CASE("ones", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		CASE("an empty handshake record", "\x16\x03\x03\x00\x00"),
		CASE("a record that is too long", "\x16\x03\x03\xff\xff\x02\x00\x00\x00"),
		CASE("an unknown record", "\x63\x03\x03\x00\x01\x00"),
		CASE("an unknown message", "\x16\x03\x03\x00\x04\x63\x00\x00\x00"),
		CASE("application data", "\x17\x03\x03\x00\x20                                "),
		CASE("a Finished", "\x16\x03\x03\x00\x08\x14\x00\x00\x04\x00\x00\x00\x00"),
		CASE("an empty ServerHello", "\x16\x03\x03\x00\x04\x02\x00\x00\x00"),
		CASE("an empty ClientHello", "\x16\x03\x03\x00\x04\x01\x00\x00\x00"),
		CASE("a message that never ends", "\x16\x03\x03\x00\x04\x02\xff\xff\xff"),
		CASE("another version", "\x16\x7f\x7f\x00\x04\x02\x00\x00\x00"),
		CASE("half an alert", "\x15\x03\x03\x00\x01\x02"),
		CASE("two alerts in one", "\x15\x03\x03\x00\x04\x02\x28\x02\x28"),
	};
	struct signet_result result;
	int ret;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const unsigned char *header = cases[i].data;
		bool alien = header[0] < 20 || header[0] > 23 || header[1] != 3;

		for (int role = 0; role < 2; role++) {
			ret = run_against(role ? server : client, cases[i].data, cases[i].size,
					  true, &result);
			ok((ret == -EPROTO || ret == -ECONNABORTED || ret == -ECONNRESET) &&
				   result.error == ret && result.text[0] &&
				   alien == !!strstr(result.text, "does not speak TLS"),
			   "%s to a %s: %s", cases[i].what, role ? "server" : "client",
			   result.text);
		}
	}
}

static void alerts_are_told(void)
{
	struct signet_result result;
	int ret;

	ret = run_against(client, "\x15\x03\x03\x00\x02\x02\x28", 7, false, &result);
	ok(ret == -EPROTO && result.alert == (2 << 8 | 40) &&
		   strstr(result.text, "handshake_failure"),
	   "a fatal alert is told by name: %s", result.text);
	ret = run_against(client, "\x15\x03\x03\x00\x02\x01\x00", 7, false, &result);
	ok(ret == -ECONNABORTED && result.alert == (1 << 8 | 0), "close_notify is an end: %s",
	   result.text);
}

static void random_bytes_are_refused(void)
{
	unsigned char data[600];
	struct signet_result result;
	unsigned int refused = 0, seed = 1;

	for (int run = 0; run < 200; run++) {
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = rand_r(&seed) >> 7;
		/* Half of them in a record that looks right. */
		if (run % 2)
			memcpy(data, "\x16\x03\x03\x02\x53\x02\x00\x02\x4f\x03\x03", 11);
		if (run % 4 == 3)
			data[5] = 1;
		refused += run_against(run % 4 == 3 ? server : client, data, sizeof(data), true,
				       &result) < 0 &&
			   result.text[0];
	}
	ok(refused == 200, "%u of 200 runs of random bytes are refused", refused);
}

/* Turns over one bit of everything that the server sends, one place a time. */
static void changed_bits_are_noticed(size_t total)
{
	const char *given = getenv("SIGNET_TEST_STRIDE");
	size_t stride = given ? atoi(given) : 3, runs = 0, noticed = 0;
	char data[65536];
	struct duo duo;
	ssize_t n;

	for (size_t place = 0; place < total; place += stride, runs++) {
		duo_begin(&duo, client, server, "db.internal");
		signet_handshake_step(duo.client.engine);
		n = recv(duo.client.wire, data, sizeof(data), MSG_DONTWAIT);
		send(duo.server.wire, data, n, 0);
		signet_handshake_step(duo.server.engine);
		n = recv(duo.server.wire, data, sizeof(data), MSG_DONTWAIT);
		if ((size_t)n <= place) {
			noticed++; /* a shorter flight this time */
			duo_end(&duo);
			continue;
		}
		data[place] ^= 1 << place % 8;
		send(duo.client.wire, data, n, 0);
		shutdown(duo.client.wire, SHUT_WR);
		noticed += signet_handshake_step(duo.client.engine) < 0 &&
			   !signet_handshake_keys(duo.client.engine);
		duo_end(&duo);
	}
	/* The record version of a plaintext record is to be ignored (RFC 8446 5.1). */
	ok(noticed + 4 >= runs, "%zu of %zu changed bits of the server's flight are noticed",
	   noticed, runs);
}

static long elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

struct drip {
	int fd;
	int delay;
	const char *data;
	size_t size;
};

static void *run_drip(void *argument)
{
	struct drip *drip = argument;

	for (size_t i = 0; send(drip->fd, drip->data + i % drip->size, 1, MSG_NOSIGNAL) == 1; i++)
		usleep(drip->delay);
	return NULL;
}

static void *run_flood(void *argument)
{
	struct drip *drip = argument;

	while (send(drip->fd, drip->data, drip->size, MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

/* @drip: what the peer says again and again; NULL for nothing at all. */
static void check_end(const struct signet_config *config, const char *what, bool blocking,
		      struct drip *drip, int error)
{
	struct signet_result result;
	struct signet_handshake *engine;
	struct timespec start;
	pthread_t thread;
	int fds[2], ret;
	long elapsed;

	tcp_pair(fds);
	if (!blocking)
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
	if (drip) {
		drip->fd = fds[1];
		if (pthread_create(&thread, NULL, drip->delay ? run_drip : run_flood, drip))
			bail("no thread");
	}
	ret = signet_handshake_new(config, fds[0], config == client ? "db.internal" : NULL,
				   &engine);
	if (ret)
		bail("no engine: %s", signet_strerror(ret));
	clock_gettime(CLOCK_MONOTONIC, &start);
	ret = signet_handshake_run(engine);
	elapsed = elapsed_ms(&start);
	signet_handshake_result(engine, &result);
	ok(ret == error && result.error == ret && elapsed < 1500 &&
		   (elapsed >= 150 || error != -ETIMEDOUT),
	   "%s: %s (%ld ms)", what, result.text, elapsed);
	signet_handshake_free(engine);
	close(fds[0]);
	if (drip)
		pthread_join(thread, NULL);
	close(fds[1]);
}

static void silence_times_out(void)
{
	/* Records that mean nothing (RFC 8446 5), without end. */
	static const char ccs[] = "\x14\x03\x03\x00\x01\x01\x14\x03\x03\x00\x01\x01";
	struct drip flood = { .data = ccs, .size = sizeof(ccs) - 1 };
	struct drip start = { .delay = 1000, .data = "\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb", 9 };

	signet_config_timeout(client, 200);
	signet_config_timeout(server, 200);
	check_end(client, "a silent server on a blocking socket", true, NULL, -ETIMEDOUT);
	check_end(client, "a silent server on a non-blocking socket", false, NULL, -ETIMEDOUT);
	check_end(server, "a silent client on a blocking socket", true, NULL, -ETIMEDOUT);
	check_end(server, "a silent client on a non-blocking socket", false, NULL, -ETIMEDOUT);
	check_end(client, "a server that says a byte a millisecond", true, &start, -ETIMEDOUT);
	check_end(client, "a server that says nothing as fast as it can", true, &flood, -EPROTO);
	check_end(server, "a client that says nothing as fast as it can", true, &flood, -EPROTO);
	signet_config_timeout(client, 10000);
	signet_config_timeout(server, 10000);
}

static void resets_are_noticed(void)
{
	static const struct linger reset = { .l_onoff = 1 };
	struct signet_result result;
	struct signet_handshake *engine;
	char data[4096];
	int fds[2], ret;

	tcp_pair(fds);
	signet_handshake_new(client, fds[0], "db.internal", &engine);
	ret = signet_handshake_step(engine);
	ok(ret == POLLIN, "a client waits for the answer");
	if (recv(fds[1], data, sizeof(data), 0) <= 0)
		bail("no ClientHello");
	setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fds[1]);
	ret = signet_handshake_run(engine);
	signet_handshake_result(engine, &result);
	ok(ret == -ECONNRESET && result.text[0], "a reset is one: %s", result.text);
	ok(signet_handshake_run(engine) == -ECONNRESET &&
		   signet_handshake_step(engine) == -ECONNRESET,
	   "and stays one");
	signet_handshake_free(engine);
	close(fds[0]);

	/* Sending to who has left must raise no signal either. */
	tcp_pair(fds);
	setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fds[1]);
	usleep(10000);
	signet_handshake_new(client, fds[0], "db.internal", &engine);
	ret = signet_handshake_run(engine);
	ok(ret == -ECONNRESET, "a peer that left before is noticed: %s", signet_strerror(ret));
	signet_handshake_free(engine);
	close(fds[0]);
}

/* Unread input at close() would make TCP reset the connection, and cost the peer the alert. */
static void refused_peers_see_the_end(void)
{
	static const char hello[] = "\x16\x03\x03\x00\x04\x63\x00\x00\x00";
	struct signet_handshake *engine;
	char data[4096], more[4096] = "";
	ssize_t n, got = 0;
	int fds[2];

	tcp_pair(fds);
	signet_handshake_new(server, fds[0], NULL, &engine);
	if (send(fds[1], hello, sizeof(hello), 0) < 0 || send(fds[1], more, sizeof(more), 0) < 0)
		bail("send: %s", strerror(errno));
	signet_handshake_run(engine);
	signet_handshake_free(engine);
	close(fds[0]);
	while ((n = recv(fds[1], data, sizeof(data), 0)) > 0)
		got += n;
	ok(!n && got, "a refused peer gets the alert and then the end, not a reset (%zd bytes)",
	   got);
	close(fds[1]);
}

int main(void)
{
	struct duo duo;

	tap_begin();
	certificates_begin();
	make_certificate(&(struct recipe){
		.name = "ca",
		.subject = "/CN=Signet Test CA",
		.extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign",
		.key = "ed25519" });
	/* Ed25519, because all its signatures have the same length: so have the flights. */
	make_certificate(&(struct recipe){ .name = "server",
					   .subject = "/CN=x",
					   .issuer = "ca",
					   .extensions = "subjectAltName=DNS:db.internal",
					   .key = "ed25519" });
	client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	/* They are the module's to read: what is cut off there does not concern a handshake. */
	signet_config_tickets(server, 0, 1);
	handshake(&duo, client, server, "db.internal");
	peers_leave_anywhere();
	changed_bits_are_noticed(duo.server.sent);
	nonsense_is_refused();
	alerts_are_told();
	random_bytes_are_refused();
	silence_times_out();
	resets_are_noticed();
	refused_peers_see_the_end();
	signet_config_free(client);
	signet_config_free(server);
	return tap_end();
}
