// SPDX-License-Identifier: GPL-3.0-or-later
/* After signet_connect() and signet_accept() a socket is an ordinary one, sealed by the module. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "certificates.h"
#include "duo.h"
#include "peer.h"
#include "tap.h"

/* What a thread does with its end of a connection. */
struct end {
	const struct signet_config *config;
	const char *name;
	const char *greeting;
	int fd;
	int ret;
	struct signet_result result;
};

static void *run_end(void *argument)
{
	struct end *end = argument;
	size_t length = end->greeting ? strlen(end->greeting) : 0;

	if (end->name)
		end->ret = signet_connect(end->config, end->fd, end->name, &end->result);
	else
		end->ret = signet_accept(end->config, end->fd, &end->result);
	if (!end->ret && length && send(end->fd, end->greeting, length, 0) != (ssize_t)length)
		end->ret = -errno;
	return NULL;
}

static void run_ends(struct end *client, struct end *server)
{
	static const struct timeval patience = { .tv_sec = 20 };
	pthread_t thread;
	int fds[2];

	tcp_pair(fds);
	client->fd = fds[0];
	server->fd = fds[1];
	for (int i = 0; i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (pthread_create(&thread, NULL, run_end, server))
		bail("no thread");
	run_end(client);
	pthread_join(thread, NULL);
}

static bool arrives(int fd, const char *text)
{
	char data[256];
	ssize_t n = recv(fd, data, strlen(text), MSG_WAITALL);

	return n == (ssize_t)strlen(text) && !memcmp(data, text, n);
}

static void data_goes_both_ways(const struct signet_config *client,
				const struct signet_config *server)
{
	/* The client does not wait: what it says may be there before the server has its keys. */
	struct end near = { .config = client, .name = "127.0.0.1", .greeting = "hello, server" };
	struct end far = { .config = server, .greeting = "hello, client" };
	struct signet_info info;
	char data[16], text[256];

	run_ends(&near, &far);
	ok(!near.ret && !far.ret, "both sides are handed over: %s%s", near.result.text,
	   far.result.text);
	ok(arrives(far.fd, "hello, server"), "what the client sends arrives");
	ok(arrives(near.fd, "hello, client"), "what the server sends arrives");
	if (signet_info(near.fd, &info))
		bail("no SIGNET_INFO");
	ok(info.state == SIGNET_STATE_ESTABLISHED && info.role == SIGNET_ROLE_CLIENT &&
		   info.tx_suite == near.result.suite && info.version == near.result.version,
	   "the kernel knows the client's state, role, suite and version: %s",
	   signet_state_name(info.state));
	ok(info.tx_records == 1 && info.rx_records == 3 && info.tx_bytes == 13 &&
		   info.rx_bytes == 13 && info.tickets == 2,
	   "and what has passed, two tickets among it");
	ok(!signet_info(far.fd, &info) && info.role == SIGNET_ROLE_SERVER, "and the server's role");
	if (signet_error(near.fd, text, sizeof(text)))
		bail("no SIGNET_ERROR");
	ok(!strcmp(text, signet_reason_text(SIGNET_REASON_NONE)), "no failure has a text: %s",
	   text);
	shutdown(near.fd, SHUT_WR);
	ok(recv(far.fd, data, sizeof(data), 0) == 0, "a shutdown is end of file");
	close(near.fd);
	close(far.fd);
}

/* Return: whether the peer's next record changes its keys. */
static bool update_comes(int fd)
{
	struct signet_info info;
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN && !signet_info(fd, &info) &&
	       info.rx_epoch == 1;
}

static void settings_are_kept(const struct signet_config *client,
			      const struct signet_config *server)
{
	struct signet_rekey_policy policy = { .records = 1000, .bytes = 1 << 30, .seconds = 3600 };
	struct signet_padding padding = { SIGNET_PADDING_MULTIPLE, 64 };
	struct end near = { .config = client, .name = "127.0.0.1" };
	struct end far = { .config = server };
	struct signet_rekey_policy policy_now;
	struct signet_padding padding_now;
	unsigned int bytes;
	char ticket[16];
	bool adaptive, types;

	run_ends(&near, &far);
	ok(!signet_set_rekey_policy(near.fd, &policy) &&
		   !signet_get_rekey_policy(near.fd, &policy_now) &&
		   !memcmp(&policy, &policy_now, sizeof(policy)),
	   "a policy is read back");
	ok(!signet_set_padding(near.fd, &padding) && !signet_get_padding(near.fd, &padding_now) &&
		   !memcmp(&padding, &padding_now, sizeof(padding)),
	   "and padding");
	ok(!signet_set_record_max(near.fd, SIGNET_RECORD_MAX_LOWEST) &&
		   !signet_get_record_max(near.fd, &bytes) && bytes == SIGNET_RECORD_MAX_LOWEST,
	   "and a record's limit");
	ok(!signet_get_adaptive_records(near.fd, &adaptive) && !adaptive &&
		   !signet_set_adaptive_records(near.fd, true) &&
		   !signet_get_adaptive_records(near.fd, &adaptive) && adaptive,
	   "and adaptive records");
	ok(!signet_get_record_types(near.fd, &types) && !types &&
		   !signet_set_record_types(near.fd, true) &&
		   !signet_get_record_types(near.fd, &types) && types,
	   "and record types");
	ok(signet_set_record_max(near.fd, SIGNET_RECORD_MAX_LOWEST - 1) == -EINVAL &&
		   signet_set_record_max(near.fd, (1 << 14) + 2) == -EINVAL,
	   "a limit has its own");
	padding.mode = SIGNET_PADDING_NONE;
	ok(signet_set_padding(near.fd, &padding) == -EINVAL, "no padding has no size");
	ok(signet_rekey(near.fd, 2) == -EINVAL, "an unknown flag is refused");
	ok(!signet_rekey(near.fd, SIGNET_REKEY_REQUEST_UPDATE) && update_comes(far.fd) &&
		   update_comes(near.fd),
	   "keys are changed on both sides");
	ok(signet_ticket(near.fd, ticket, sizeof(ticket)) == -EMSGSIZE,
	   "the server's tickets are kept");
	close(near.fd);
	close(far.fd);
}

static void refusals_hand_nothing_over(const struct signet_config *client,
				       const struct signet_config *server)
{
	struct end near = { .config = client, .name = "web.internal" };
	struct end far = { .config = server };
	struct signet_info info;

	run_ends(&near, &far);
	ok(near.ret == -EKEYREJECTED && far.ret == -EPROTO, "a wrong name is refused: %s",
	   near.result.text);
	ok(signet_info(near.fd, &info) == -ENOPROTOOPT &&
		   signet_info(far.fd, &info) == -ENOPROTOOPT,
	   "and neither socket has the module under it");
	close(near.fd);
	close(far.fd);
}

/* A client's handshake ends before the server has judged its certificate. */
static void late_refusals_are_told(const struct signet_config *client)
{
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, "ca", "server");
	struct end near = { .config = client, .name = "db.internal" };
	struct end far = { .config = server };
	struct signet_info info;
	char data[16];

	run_ends(&near, &far);
	ok(far.ret == -EKEYREJECTED, "a client without a certificate is refused: %s",
	   far.result.text);
	ok(near.ret || (recv(near.fd, data, sizeof(data), 0) < 0 && errno == EPROTO),
	   "which it learns from its next data call, at the latest");
	if (!near.ret && !signet_info(near.fd, &info))
		ok((info.alert_received & 0xff) == 116 && info.reason == SIGNET_REASON_ALERT,
		   "with the alert: %s", signet_alert_name(info.alert_received & 0xff));
	else
		skip("the client learnt it before", "with the alert");
	close(near.fd);
	close(far.fd);
	signet_config_free(server);
}

static void openssl_is_a_peer(const struct signet_config *client)
{
	unsigned int port = free_port();
	static char ticket[SIGNET_TICKET_MAX];
	struct signet_result result;
	struct process process;
	int fd, ret;

	process_start(&process,
		      "exec openssl s_server -accept 127.0.0.1:%u -cert server.pem -key server.key "
		      "-rev",
		      port);
	fd = tcp_connect(port);
	ret = signet_connect(client, fd, "db.internal", &result);
	ok(!ret && send(fd, "abc\n", 4, 0) == 4 && arrives(fd, "cba\n"),
	   "data goes to openssl and back, past its tickets: %s", result.text);
	ok(signet_ticket(fd, ticket, 8) == -EMSGSIZE, "a ticket does not fit eight bytes");
	ret = signet_ticket(fd, ticket, sizeof(ticket));
	/* Lifetime, age, nonce, ticket and extensions, with their lengths (RFC 8446 4.6.1). */
	ok(ret > 13 && ret < (int)sizeof(ticket), "and is not lost by that: %d bytes", ret);
	ok(signet_ticket(fd, ticket, sizeof(ticket)) > 13, "there is a second one");
	ok(signet_ticket(fd, ticket, sizeof(ticket)) == -ENODATA, "and then no more");
	close(fd);
	process_stop(&process);
}

/* Tickets that the module has kept serve the next connection, once. */
static void sessions_are_collected(const struct signet_config *server)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	struct end near = { .config = client, .name = "db.internal", .greeting = "hello" };
	struct end far = { .config = server, .greeting = "hello" };

	ok(signet_collect_tickets(client, 0) == -EINVAL, "without a cache nothing is collected");
	if (signet_config_session_cache(client, 2))
		bail("no cache");
	for (int i = 0; i < 4; i++) {
		/* The first is a full handshake, with two tickets; the last has none left. */
		bool resumed = i == 1 || i == 2;

		run_ends(&near, &far);
		ok(!near.ret && !far.ret && near.result.resumed == resumed &&
			   far.result.resumed == resumed &&
			   !strcmp(near.result.peer, "db.internal"),
		   "connection %d is %s: %s%s", i, resumed ? "resumed" : "a new one",
		   near.result.text, far.result.text);
		ok(arrives(far.fd, "hello") && arrives(near.fd, "hello"), "and carries data");
		if (!i)
			ok(signet_collect_tickets(client, near.fd) == 2 &&
				   signet_collect_tickets(client, near.fd) == 0,
			   "two tickets are collected, once");
		close(near.fd);
		close(far.fd);
	}
	ok(signet_collect_tickets(client, STDIN_FILENO) == -ENOENT,
	   "a connection that is not known is refused");
	signet_config_free(client);
}

static void old_versions_are_handed_over(void)
{
	static const char *const ciphers[] = { "ECDHE-ECDSA-AES128-GCM-SHA256",
					       "ECDHE-ECDSA-AES256-GCM-SHA384",
					       "ECDHE-ECDSA-CHACHA20-POLY1305" };
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	unsigned int port = free_port();
	struct signet_result result;
	struct process process;
	int fd, ret;

	signet_config_min_version(client, SIGNET_TLS_1_2);
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
		process_start(&process,
			      "exec openssl s_server -accept 127.0.0.1:%u -cert server.pem "
			      "-key server.key -tls1_2 -cipher %s -rev",
			      port, ciphers[i]);
		fd = tcp_connect(port);
		ret = signet_connect(client, fd, "db.internal", &result);
		ok(!ret && result.version == SIGNET_TLS_1_2 && send(fd, "abc\n", 4, 0) == 4 &&
			   arrives(fd, "cba\n") && send(fd, "xyz\n", 4, 0) == 4 &&
			   arrives(fd, "zyx\n"),
		   "TLS 1.2 with %s is handed over: %s", ciphers[i], result.text);
		close(fd);
		process_stop(&process);
	}
	signet_config_free(client);
}

int main(void)
{
	struct signet_config *client, *server;
	int fds[2], ret;

	tap_begin();
	tcp_pair(fds);
	ret = signet_attach(fds[0]);
	close(fds[0]);
	close(fds[1]);
	if (ret == -ENOENT)
		skip_all("signet.ko is not loaded");
	certificates_begin();
	make_usual_certificates();
	client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	data_goes_both_ways(client, server);
	settings_are_kept(client, server);
	refusals_hand_nothing_over(client, server);
	late_refusals_are_told(client);
	openssl_is_a_peer(client);
	sessions_are_collected(server);
	old_versions_are_handed_over();
	signet_config_free(client);
	signet_config_free(server);
	return tap_end();
}
