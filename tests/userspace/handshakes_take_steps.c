// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The step API: over descriptors that are no sockets, that take a little at a time, with deadlines,
 * and with configurations that go before their handshakes do.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "certificates.h"
#include "duo.h"
#include "peer.h"
#include "tap.h"

/* Both ends of a line that is no socket: a raw terminal. */
static bool open_line(int fds[2])
{
	struct termios settings;

	fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fds[0] < 0 || grantpt(fds[0]) || unlockpt(fds[0]))
		return false;
	fds[1] = open(ptsname(fds[0]), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fds[1] < 0 || tcgetattr(fds[1], &settings))
		return false;
	cfmakeraw(&settings);
	return !tcsetattr(fds[1], TCSANOW, &settings);
}

static int step(struct signet_handshake *handshake, int status)
{
	if (status <= 0)
		return status;
	return signet_handshake_step(handshake);
}

static void run_over(const int fds[2], const char *what, const struct signet_config *client,
		     const struct signet_config *server)
{
	struct signet_handshake *near, *far;
	int near_status = 1, far_status = 1;

	if (signet_handshake_new(client, fds[0], "db.internal", &near) ||
	    signet_handshake_new(server, fds[1], NULL, &far))
		bail("no handshake");
	for (int i = 0; i < 10000 && (near_status > 0 || far_status > 0); i++) {
		near_status = step(near, near_status);
		far_status = step(far, far_status);
	}
	ok(!near_status && !far_status &&
		   keys_agree(signet_handshake_keys(near), signet_handshake_keys(far)),
	   "a handshake over %s succeeds", what);
	ok(signet_handshake_fd(near) == fds[0], "the descriptor is known");
	signet_handshake_free(near);
	signet_handshake_free(far);
	close(fds[0]);
	close(fds[1]);
}

static void lines_will_do(const struct signet_config *client, const struct signet_config *server)
{
	int fds[2];

	if (open_line(fds))
		run_over(fds, "a terminal line", client, server);
	else
		skip("no pseudo terminals", "a handshake over a terminal line");
}

/* A flight that is longer than what the socket takes goes on where it stopped. */
static void narrow_sockets_will_do(const struct signet_config *client,
				   const struct signet_config *server)
{
	static const int small = 1;
	struct signet_handshake *near, *far;
	unsigned int held_up = 0;
	unsigned char data[65536];
	ssize_t n, got = 0, at;
	int fds[2], status;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		bail("socketpair");
	if (signet_handshake_new(client, fds[0], "db.internal", &near) ||
	    signet_handshake_new(server, fds[1], NULL, &far))
		bail("no handshake");
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	signet_handshake_step(near);
	while ((status = signet_handshake_step(far)) == POLLOUT) {
		held_up++;
		n = recv(fds[0], data + got, sizeof(data) - got, MSG_DONTWAIT);
		if (n <= 0)
			bail("nothing comes though nothing can be written");
		got += n;
	}
	n = recv(fds[0], data + got, sizeof(data) - got, MSG_DONTWAIT);
	if (n > 0)
		got += n;
	for (at = 0; at + 5 <= got; at += 5 + (data[at + 3] << 8 | data[at + 4]))
		;
	ok(status == POLLIN && held_up && at == got,
	   "a flight of %zd bytes waits %u times for a narrow socket", got, held_up);
	signet_handshake_free(near);
	signet_handshake_free(far);
	close(fds[0]);
	close(fds[1]);
}

/* One send per flight: each begins with a record and ends with one. */
static void flights_are_whole(const struct signet_config *client,
			      const struct signet_config *server)
{
	struct signet_handshake *near, *far;
	int near_fds[2], far_fds[2], near_status, far_status;
	unsigned int flights = 0, whole = 0;
	unsigned char data[65536];
	ssize_t n, at;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, near_fds) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, far_fds))
		bail("socketpair");
	if (signet_handshake_new(server, far_fds[0], NULL, &far))
		bail("no handshake");
	if (signet_handshake_new(client, near_fds[0], "db.internal", &near))
		bail("no handshake");
	near_status = signet_handshake_step(near);
	n = recv(near_fds[1], data, sizeof(data), MSG_DONTWAIT);
	for (at = 0; at + 5 <= n; at += 5 + (data[at + 3] << 8 | data[at + 4]))
		flights++;
	whole += at == n;
	if (send(far_fds[1], data, n, 0) != n)
		bail("send");
	far_status = signet_handshake_step(far);
	ok(near_status == POLLIN && far_status == POLLIN && flights == 1 && whole == 1,
	   "a ClientHello is one record, written at once");
	signet_handshake_free(near);
	signet_handshake_free(far);
	for (int i = 0; i < 2; i++) {
		close(near_fds[i]);
		close(far_fds[i]);
	}
}

/* The server's whole flight leaves in one packet. */
static void servers_write_once(const struct signet_config *client,
			       const struct signet_config *server)
{
	struct signet_handshake *near, *far;
	int near_fds[2], far_fds[2];
	unsigned char data[65536];
	unsigned int records = 0;
	ssize_t n, at;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, near_fds) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, far_fds))
		bail("socketpair");
	if (signet_handshake_new(client, near_fds[0], "db.internal", &near))
		bail("no handshake");
	signet_handshake_step(near);
	n = recv(near_fds[1], data, sizeof(data), MSG_DONTWAIT);
	/* A packet is read whole or lost: header and body in packets of their own. */
	if (send(far_fds[1], data, 5, 0) != 5 || send(far_fds[1], data + 5, n - 5, 0) != n - 5)
		bail("send");
	if (signet_handshake_new(server, far_fds[0], NULL, &far))
		bail("no handshake");
	ok(signet_handshake_step(far) == POLLIN, "a server waits for the client's Finished");
	n = recv(far_fds[1], data, sizeof(data), MSG_DONTWAIT);
	for (at = 0; at + 5 <= n; at += 5 + (data[at + 3] << 8 | data[at + 4]))
		records++;
	ok(at == n && records >= 4 && recv(far_fds[1], data, 1, MSG_DONTWAIT) < 0,
	   "its flight of %u records is written at once", records);
	signet_handshake_free(near);
	signet_handshake_free(far);
	for (int i = 0; i < 2; i++) {
		close(near_fds[i]);
		close(far_fds[i]);
	}
}

static int64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void deadlines_are_kept(void)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	struct signet_handshake *handshake;
	struct signet_result result;
	int64_t before, deadline;
	int fds[2];

	tcp_pair(fds);
	signet_config_timeout(client, 50);
	before = monotonic();
	if (signet_handshake_new(client, fds[0], "db.internal", &handshake))
		bail("no handshake");
	deadline = signet_handshake_deadline(handshake);
	ok(deadline >= before + 50 && deadline <= monotonic() + 50, "a handshake has a deadline");
	while (signet_handshake_step(handshake) > 0)
		usleep(1000);
	signet_handshake_result(handshake, &result);
	ok(result.error == -ETIMEDOUT && monotonic() >= deadline, "and keeps it: %s", result.text);
	ok(signet_handshake_step(handshake) == -ETIMEDOUT, "what failed stays so");
	signet_handshake_free(handshake);
	signet_config_timeout(client, 0);
	if (signet_handshake_new(client, fds[0], "db.internal", &handshake))
		bail("no handshake");
	ok(signet_handshake_deadline(handshake) == -1, "or has none");
	signet_handshake_free(handshake);
	signet_config_free(client);
	close(fds[0]);
	close(fds[1]);
}

static void configurations_outlive(void)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	struct duo duo;

	duo_begin(&duo, client, server, "db.internal");
	signet_config_free(client);
	signet_config_free(server);
	duo_run(&duo);
	ok(!duo.client.status && !duo.server.status &&
		   keys_agree(&duo.client.keys, &duo.server.keys),
	   "a configuration that was given up serves the handshakes that have it: %s",
	   duo.client.result.text);
	duo_end(&duo);
}

static void order_is_kept(const struct signet_config *client, const struct signet_config *server)
{
	unsigned char blob[SIGNET_RESUMPTION_MAX], out[32];
	struct signet_handshake *handshake;
	const unsigned char *secret;
	struct duo duo;

	if (signet_handshake_new(client, STDIN_FILENO, "db.internal", &handshake))
		bail("no handshake");
	ok(signet_handshake_finish(handshake) == -EINVAL && !signet_handshake_keys(handshake) &&
		   !signet_handshake_exporter(handshake, &secret) &&
		   signet_handshake_resumption_blob(handshake, blob) == -ENODATA &&
		   signet_handshake_export(handshake, "label", NULL, 0, out, 32) == -EINVAL,
	   "nothing can be had of a handshake before its end");
	ok(signet_handshake_set_alpn(handshake, ",") == -EINVAL &&
		   signet_handshake_set_min_version(handshake, 0x0302) == -EINVAL &&
		   signet_handshake_set_client_auth(handshake, SIGNET_CLIENT_AUTH_REQUIRED) ==
			   -EINVAL,
	   "wrong settings are refused");
	ok(signet_handshake_set_min_version(handshake, SIGNET_TLS_1_2) == -EPERM,
	   "and those that loosen the configuration");
	signet_handshake_free(handshake);
	signet_handshake_free(NULL);
	duo_begin(&duo, client, server, "db.internal");
	duo_run(&duo);
	ok(signet_handshake_set_alpn(duo.client.engine, "h2") == -EBUSY &&
		   signet_handshake_set_min_version(duo.client.engine, SIGNET_TLS_1_3) == -EBUSY,
	   "and those that come too late");
	ok(signet_handshake_export(duo.client.engine, NULL, NULL, 0, out, 32) == -EINVAL &&
		   signet_handshake_export(duo.client.engine, "x", NULL, 0, NULL, 32) == -EINVAL &&
		   signet_handshake_export(duo.client.engine, "x", NULL, 0, out, 0) == -EINVAL,
	   "keying material has a label and a place");
	duo_end(&duo);
}

static void demands_need_authorities(void)
{
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	struct signet_handshake *handshake;

	signet_config_client_auth(server, SIGNET_CLIENT_AUTH_OPTIONAL);
	ok(signet_handshake_new(server, STDIN_FILENO, NULL, &handshake) == -EINVAL && !handshake,
	   "a server that asks for certificates trusts somebody");
	signet_config_free(server);
}

int main(void)
{
	struct signet_config *client, *server;

	tap_begin();
	certificates_begin();
	make_usual_certificates();
	make_certificate(&(struct recipe){ "rsa", "/CN=x", "ca", "subjectAltName=DNS:db.internal",
					   NULL, "rsa:4096" });
	/* So that the flight is longer than a narrow socket holds. */
	for (int i = 0; i < 20; i++)
		run_there("cat ca.pem >>rsa.pem");
	client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "rsa");
	narrow_sockets_will_do(client, server);
	flights_are_whole(client, server);
	signet_config_free(server);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	lines_will_do(client, server);
	servers_write_once(client, server);
	order_is_kept(client, server);
	signet_config_free(client);
	signet_config_free(server);
	deadlines_are_kept();
	configurations_outlive();
	demands_need_authorities();
	return tap_end();
}
