// SPDX-License-Identifier: GPL-3.0-or-later
/* Both sides come to the same secrets, at the same record, and leave the rest to the module. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certificates.h"
#include "duo.h"
#include "peer.h"
#include "tap.h"

/* What a thread does with its end of a TCP connection. */
struct end {
	const struct signet_config *config;
	const char *name;
	int fd;
	int status;
	struct signet_keys keys;
	struct signet_result result;
};

static void *run_end(void *argument)
{
	struct end *end = argument;
	struct signet_handshake *engine;

	end->status = signet_handshake_new(end->config, end->fd, end->name, &engine);
	if (end->status)
		return NULL;
	end->status = signet_handshake_run(engine);
	signet_handshake_result(engine, &end->result);
	if (signet_handshake_keys(engine))
		end->keys = *signet_handshake_keys(engine);
	signet_handshake_free(engine);
	return NULL;
}

static void run_ends(struct end *client, struct end *server)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_end, server))
		bail("no thread");
	run_end(client);
	pthread_join(thread, NULL);
}

static void secrets_agree(const struct signet_config *client, const struct signet_config *server)
{
	static const char *const names[] = { "db.internal", "DB.Internal.", "127.0.0.1", "::1" };
	struct duo duo;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		handshake(&duo, client, server, names[i]);
		ok(!duo.client.status && !duo.server.status, "a handshake with %s succeeds: %s%s",
		   names[i], duo.client.result.text, duo.server.result.text);
		ok(keys_agree(&duo.client.keys, &duo.server.keys),
		   "with %s each side sends with what the other receives with", names[i]);
	}
	ok(!duo.client.keys.tx.sequence && !duo.client.keys.rx.sequence &&
		   duo.server.keys.tx.sequence == 2 && !duo.server.keys.rx.sequence,
	   "no record was sent or received under these secrets but the server's two tickets");
	ok(duo.client.keys.tx.suite == SIGNET_AES_128_GCM_SHA256 &&
		   duo.client.keys.tx.secret_len == 32 &&
		   duo.client.keys.tx.version == SIGNET_TLS_1_3,
	   "the keys are TLS 1.3's for AES-128-GCM");
}

static void secrets_differ_between_handshakes(const struct signet_config *client,
					      const struct signet_config *server)
{
	struct duo first, second;

	handshake(&first, client, server, "db.internal");
	handshake(&second, client, server, "db.internal");
	ok(memcmp(first.client.keys.tx.secret, second.client.keys.tx.secret, 32),
	   "two handshakes have different secrets");
}

static void results_tell_what_was_agreed(const struct signet_config *client,
					 const struct signet_config *server)
{
	struct duo duo;

	handshake(&duo, client, server, "db.internal");
	for (int i = 0; i < 2; i++) {
		const struct signet_result *result = i ? &duo.server.result : &duo.client.result;
		const char *who = i ? "server" : "client";

		ok(!result->error && !result->alert && !result->text[0],
		   "the %s's result has no failure", who);
		ok(result->version == 0x0304 && result->suite == 0x1301,
		   "the %s's result has version and suite", who);
		ok(!strcmp(result->group, "X25519MLKEM768"), "the %s's result has the group: %s",
		   who, result->group);
	}
	ok(!strcmp(duo.client.result.peer, "db.internal"), "the client's peer is the server");
	ok(!duo.server.result.peer[0], "the server's peer is nobody");
}

static void clients_can_be_verified(const struct signet_config *plain_client,
				    const struct signet_config *plain_server)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", "client");
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, "ca", "server");
	struct duo duo;

	handshake(&duo, client, server, "db.internal");
	ok(!duo.client.status && !duo.server.status &&
		   keys_agree(&duo.client.keys, &duo.server.keys),
	   "a handshake with a client certificate succeeds: %s", duo.server.result.text);
	ok(!strcmp(duo.server.result.peer, "/O=Test/CN=a client"),
	   "the server's peer is the client's subject: %s", duo.server.result.peer);
	handshake(&duo, client, plain_server, "db.internal");
	ok(!duo.client.status && !duo.server.status && !duo.server.result.peer[0],
	   "a server that does not ask gets no certificate");
	handshake(&duo, plain_client, server, "db.internal");
	ok(duo.server.status == -EKEYREJECTED && !duo.server.keys.size,
	   "a server that asks does without none");
	signet_config_free(client);
	signet_config_free(server);
}

static void all_kinds_of_keys_work(void)
{
	static const char *const kinds[] = { "rsa", "ed25519", "p384" };
	static const char *const options[] = { "rsa:2048", "ed25519",
					       "ec -pkeyopt ec_paramgen_curve:P-384" };
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	struct signet_config *server;
	struct duo duo;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		make_certificate(&(struct recipe){ .name = kinds[i],
						   .subject = "/CN=a server",
						   .issuer = "ca",
						   .extensions = "subjectAltName=DNS:db.internal",
						   .key = options[i] });
		server = new_config(SIGNET_ROLE_SERVER, NULL, kinds[i]);
		handshake(&duo, client, server, "db.internal");
		ok(!duo.client.status && keys_agree(&duo.client.keys, &duo.server.keys),
		   "a handshake with a key of kind %s succeeds: %s", kinds[i],
		   duo.client.result.text);
		signet_config_free(server);
	}
	signet_config_free(client);
}

/* What is on its way behind the last handshake record belongs to the module. */
static void what_follows_is_left_unread(const struct signet_config *client)
{
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	static const char early[] = "\x17\x03\x03\x00\x20 and then some bytes of ciphertext...";
	char left[256];
	struct duo duo;

	signet_config_tickets(server, 0, 1); /* which would be left unread, too */
	for (int i = 0; i < 2; i++) {
		struct side *sender = i ? &duo.server : &duo.client;
		struct side *receiver = i ? &duo.client : &duo.server;
		const char *who = i ? "server" : "client";
		ssize_t n;

		duo_begin(&duo, client, server, "db.internal");
		sender->suffix = early;
		sender->suffix_len = sizeof(early);
		sender->suffix_early = sender == &duo.server;
		duo_run(&duo);
		n = recv(receiver->fd, left, sizeof(left), MSG_DONTWAIT);
		ok(!receiver->status && n == sizeof(early) && !memcmp(left, early, sizeof(early)),
		   "data behind the %s's Finished stays in the socket, every byte", who);
		ok(recv(sender->fd, left, sizeof(left), MSG_DONTWAIT) < 0 && errno == EAGAIN,
		   "and nothing comes behind the other side's");
		duo_end(&duo);
	}
	signet_config_free(server);
}

static void any_socket_will_do(const struct signet_config *client,
			       const struct signet_config *server)
{
	static const char *const kinds[] = { "blocking", "non-blocking" };
	int fds[2], flags;

	for (int i = 0; i < 2; i++) {
		struct end ends[2] = { { .config = client, .name = "127.0.0.1" },
				       { .config = server } };

		tcp_pair(fds);
		for (int j = 0; j < 2; j++) {
			ends[j].fd = fds[j];
			if (i)
				fcntl(fds[j], F_SETFL, O_NONBLOCK);
		}
		flags = fcntl(fds[0], F_GETFL);
		run_ends(&ends[0], &ends[1]);
		ok(!ends[0].status && !ends[1].status && keys_agree(&ends[0].keys, &ends[1].keys),
		   "a handshake over %s TCP sockets succeeds: %s%s", kinds[i], ends[0].result.text,
		   ends[1].result.text);
		ok(fcntl(fds[0], F_GETFL) == flags, "and leaves their flags alone");
		close(fds[0]);
		close(fds[1]);
	}
}

struct crowd {
	const struct signet_config *client, *server;
	unsigned int good;
};

static void *run_crowd(void *argument)
{
	struct crowd *crowd = argument;
	struct duo duo;

	for (int i = 0; i < 25; i++) {
		handshake(&duo, crowd->client, crowd->server, "db.internal");
		crowd->good += !duo.client.status && !duo.server.status &&
			       keys_agree(&duo.client.keys, &duo.server.keys);
	}
	return NULL;
}

static void threads_share_a_configuration(const struct signet_config *client,
					  const struct signet_config *server)
{
	struct crowd crowds[4];
	pthread_t threads[4];
	unsigned int good = 0;

	for (int i = 0; i < 4; i++) {
		crowds[i] = (struct crowd){ .client = client, .server = server };
		if (pthread_create(&threads[i], NULL, run_crowd, &crowds[i]))
			bail("no thread");
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		good += crowds[i].good;
	}
	ok(good == 100, "%u of 100 handshakes of four threads with one configuration succeed",
	   good);
}

/* A chain with an intermediate makes the threads take the lock for writing, too. */
static void chains_do_not_mix(const struct signet_config *client)
{
	struct signet_config *server;

	make_certificate(&(struct recipe){ .name = "middle",
					   .subject = "/CN=Signet Test Intermediate",
					   .issuer = "ca",
					   .extensions = "basicConstraints=critical,CA:TRUE\n"
							 "keyUsage=critical,keyCertSign" });
	make_certificate(&(struct recipe){ .name = "below",
					   .subject = "/CN=below",
					   .issuer = "middle",
					   .extensions = "subjectAltName=DNS:db.internal" });
	run_there("cat middle.pem >>below.pem");
	server = new_config(SIGNET_ROLE_SERVER, NULL, "below");
	threads_share_a_configuration(client, server);
	signet_config_free(server);
}

int main(void)
{
	struct signet_config *client, *server;

	tap_begin();
	certificates_begin();
	make_usual_certificates();
	client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	secrets_agree(client, server);
	secrets_differ_between_handshakes(client, server);
	results_tell_what_was_agreed(client, server);
	clients_can_be_verified(client, server);
	all_kinds_of_keys_work();
	what_follows_is_left_unread(client);
	any_socket_will_do(client, server);
	threads_share_a_configuration(client, server);
	chains_do_not_mix(client);
	signet_config_free(client);
	signet_config_free(server);
	return tap_end();
}
