// SPDX-License-Identifier: GPL-3.0-or-later
#include "client.h"

#include <stdlib.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "../../userspace/tap.h"
#include "link.h"

/**
 * struct client - of one trial
 * @session:	to resume; NULL until there is one
 */
struct client {
	const struct trial *trial;
	SSL_CTX *context;
	SSL_SESSION *session;
};

/* A copy: OpenSSL marks its own as used, which a server without a memory does not mind. */
static int learn_session(SSL *ssl, SSL_SESSION *session)
{
	struct client *client = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!client->session)
		client->session = SSL_SESSION_dup(session);
	return 0;
}

struct client *client_open(const struct trial *trial)
{
	struct client *client = calloc(1, sizeof(*client));
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!client || !context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
	    !SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") ||
	    !SSL_CTX_set1_groups_list(context, trial->group))
		bail("no client for %s", trial->title);
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	if (trial->resumed)
		SSL_CTX_sess_set_new_cb(context, learn_session);
	SSL_CTX_set_app_data(context, client);
	client->trial = trial;
	client->context = context;
	return client;
}

void client_close(struct client *client)
{
	SSL_SESSION_free(client->session);
	SSL_CTX_free(client->context);
	free(client);
}

void *client_begin(struct client *client, int fd)
{
	SSL *ssl = SSL_new(client->context);

	if (!ssl || !SSL_set_fd(ssl, fd) ||
	    (client->session && !SSL_set_session(ssl, client->session)))
		bail("no SSL for a client");
	SSL_set_connect_state(ssl);
	return ssl;
}

int client_step(void *connection)
{
	int ret = SSL_do_handshake(connection);

	if (ret == 1)
		return 0;
	if (SSL_get_error(connection, ret) != SSL_ERROR_WANT_READ)
		bail("client: %s", ERR_error_string(ERR_get_error(), NULL));
	return 1;
}

void client_end(struct client *client, void *connection)
{
	const char *group = SSL_get0_group_name(connection);

	if (!group || strcasecmp(group, client->trial->group))
		bail("%s: the group was %s", client->trial->title, group ? group : "unknown");
	if (SSL_session_reused(connection) != (client->session != NULL))
		bail("%s: resumed where it should not be, or not where it should",
		     client->trial->title);
	SSL_set_shutdown(connection, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(connection);
}

void client_learn(struct client *client, const struct server *server, void *configuration)
{
	int ours = 1, theirs = 1;
	void *connection, *peer;
	struct link link;
	char unused;

	if (!client->trial->resumed)
		return;
	link_open(&link, WIRE_MEMORY);
	peer = client_begin(client, link.client);
	connection = server->begin(configuration, link.server);
	for (int i = 0; i < STEPS_MAX && (ours || theirs); i++) {
		ours = ours ? client_step(peer) : 0;
		theirs = theirs ? server->step(connection) : 0;
	}
	/* The tickets come behind the handshake. */
	(void)SSL_read(peer, &unused, 1);
	if (!client->session)
		bail("%s sent no ticket", server->name);
	SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_OFF);
	SSL_set_shutdown(peer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(peer);
	server->end(connection);
	link_close(&link);
}
