// SPDX-License-Identifier: GPL-3.0-or-later
#include "duo.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certificates.h"
#include "tap.h"

static void new_wire(struct side *side)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		bail("socketpair: %s", strerror(errno));
	side->fd = fds[0];
	side->wire = fds[1];
	side->cut = NO_CUT;
	side->status = 1;
}

void duo_begin(struct duo *duo, const struct signet_config *client,
	       const struct signet_config *server, const char *name)
{
	int ret;

	memset(duo, 0, sizeof(*duo));
	new_wire(&duo->client);
	new_wire(&duo->server);
	ret = signet_handshake_new(client, duo->client.fd, name, &duo->client.engine);
	if (!ret)
		ret = signet_handshake_new(server, duo->server.fd, NULL, &duo->server.engine);
	if (ret)
		bail("no engine: %s", signet_strerror(ret));
}

static void step(struct side *side)
{
	if (side->status > 0)
		side->status = signet_handshake_step(side->engine);
	/* A program whose handshake failed closes the socket. */
	if (side->status < 0)
		shutdown(side->fd, SHUT_RDWR);
}

/* Return: whether something has moved. */
static bool carry(struct side *from, struct side *to)
{
	char data[65536];
	size_t room = from->cut - from->sent;
	ssize_t n;

	if (room > sizeof(data) / 2)
		room = sizeof(data) / 2;
	n = recv(from->wire, data, room, MSG_DONTWAIT);
	if (n > 0)
		from->sent += n;
	if (!n || from->sent == from->cut) {
		if (n > 0)
			send(to->wire, data, n, MSG_NOSIGNAL);
		return !shutdown(to->wire, SHUT_WR) && n > 0;
	}
	if (n < 0)
		return false;
	if (from->suffix_len && (from->suffix_early || !from->status)) {
		memcpy(data + n, from->suffix, from->suffix_len);
		n += from->suffix_len;
		from->suffix_len = 0;
	}
	send(to->wire, data, n, MSG_NOSIGNAL);
	return true;
}

static void finish(struct side *side)
{
	const struct signet_keys *keys = signet_handshake_keys(side->engine);

	signet_handshake_result(side->engine, &side->result);
	if (keys)
		side->keys = *keys;
}

void duo_run(struct duo *duo)
{
	bool moved;

	do {
		step(&duo->client);
		moved = carry(&duo->client, &duo->server);
		step(&duo->server);
		moved |= carry(&duo->server, &duo->client);
	} while (moved);
	step(&duo->client);
	step(&duo->server);
	finish(&duo->client);
	finish(&duo->server);
}

static void end(struct side *side)
{
	signet_handshake_free(side->engine);
	close(side->fd);
	close(side->wire);
}

void duo_end(struct duo *duo)
{
	end(&duo->client);
	end(&duo->server);
}

void handshake(struct duo *duo, const struct signet_config *client,
	       const struct signet_config *server, const char *name)
{
	duo_begin(duo, client, server, name);
	duo_run(duo);
	duo_end(duo);
}

struct signet_config *new_config(enum signet_role role, const char *ca, const char *certificate)
{
	struct signet_config *config;
	int ret;

	ret = signet_config_new(role, &config);
	if (ret)
		bail("no configuration: %s", signet_strerror(ret));
	if (ca)
		ret = signet_config_ca_file(config, in_certificates("%s.pem", ca));
	if (ret)
		bail("CA %s: %s", ca, signet_strerror(ret));
	if (certificate)
		ret = signet_config_certificate(config, in_certificates("%s.pem", certificate),
						in_certificates("%s.key", certificate));
	if (ret)
		bail("certificate %s: %s", certificate, signet_strerror(ret));
	return config;
}

/* Tickets that are still on their way count in @sender's number only. */
static bool same(const struct signet_crypto *sender, const struct signet_crypto *receiver)
{
	static const struct signet_crypto none;
	struct signet_crypto expected = *sender;

	expected.sequence = receiver->sequence;
	expected.explicit_nonce = 0;
	return !memcmp(&expected, receiver, sizeof(expected)) &&
	       sender->sequence >= receiver->sequence &&
	       sender->sequence <= receiver->sequence + SIGNET_TICKETS_KEPT &&
	       memcmp(sender->secret, none.secret, sender->secret_len);
}

bool keys_agree(const struct signet_keys *client, const struct signet_keys *server)
{
	return same(&client->tx, &server->rx) && same(&server->tx, &client->rx) &&
	       client->role == SIGNET_ROLE_CLIENT && server->role == SIGNET_ROLE_SERVER &&
	       memcmp(client->tx.secret, client->rx.secret, client->tx.secret_len);
}
