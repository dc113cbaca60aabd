// SPDX-License-Identifier: GPL-3.0-or-later
#include "meeting.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "certificates.h"
#include "record.h"
#include "tap.h"

/* More than any handshake takes. */
#define ROUNDS 100

#define NEW_SESSION_TICKET 4

static void (*on_pending)(struct meeting *meeting);

void meeting_on_pending(void (*call)(struct meeting *meeting))
{
	on_pending = call;
}

SSL_CTX *openssl_new(bool is_server, const char *certificate)
{
	SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());

	if (!context)
		bail("no SSL_CTX");
	if (!SSL_CTX_load_verify_file(context, in_certificates("ca.pem")))
		bail("OpenSSL cannot read ca.pem");
	SSL_CTX_set_verify(context, is_server ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
	if (certificate &&
	    (!SSL_CTX_use_certificate_chain_file(context, in_certificates("%s.pem", certificate)) ||
	     !SSL_CTX_use_PrivateKey_file(context, in_certificates("%s.key", certificate),
					  SSL_FILETYPE_PEM)))
		bail("OpenSSL cannot use %s", certificate);
	return context;
}

void meeting_begin(struct meeting *meeting, const struct signet_config *config, SSL_CTX *theirs,
		   const char *name)
{
	int fds[2], ret;

	memset(meeting, 0, sizeof(*meeting));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		bail("socketpair: %s", strerror(errno));
	meeting->fd = fds[0];
	meeting->their_fd = fds[1];
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	ret = signet_handshake_new(config, fds[0], name, &meeting->ours);
	if (ret)
		bail("no handshake: %s", signet_strerror(ret));
	meeting->theirs = SSL_new(theirs);
	SSL_set_fd(meeting->theirs, fds[1]);
	if (name)
		SSL_set_accept_state(meeting->theirs);
	else
		SSL_set_connect_state(meeting->theirs);
	meeting->status = 1;
	meeting->their_alert = -1;
}

static void step_theirs(struct meeting *meeting)
{
	int ret, error;

	if (meeting->their_status)
		return;
	ERR_clear_error();
	ret = SSL_do_handshake(meeting->theirs);
	if (ret == 1) {
		meeting->their_status = 1;
		return;
	}
	error = SSL_get_error(meeting->theirs, ret);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return;
	meeting->their_status = -1;
	error = ERR_GET_REASON(ERR_peek_last_error());
	if (error > SSL_AD_REASON_OFFSET)
		meeting->their_alert = error - SSL_AD_REASON_OFFSET;
}

void meeting_run(struct meeting *meeting)
{
	for (int i = 0; i < ROUNDS && (meeting->status > 0 || !meeting->their_status); i++) {
		if (meeting->status > 0)
			meeting->status = signet_handshake_step(meeting->ours);
		if (meeting->status == SIGNET_HANDSHAKE_PENDING) {
			meeting->pending++;
			if (on_pending)
				on_pending(meeting);
		}
		step_theirs(meeting);
	}
	signet_handshake_result(meeting->ours, &meeting->result);
	if (signet_handshake_keys(meeting->ours))
		meeting->keys = *signet_handshake_keys(meeting->ours);
}

void meeting_end(struct meeting *meeting)
{
	signet_handshake_free(meeting->ours);
	/* Else the session would not count as good for another connection. */
	SSL_set_shutdown(meeting->theirs, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(meeting->theirs);
	close(meeting->fd);
	close(meeting->their_fd);
}

bool meeting_is_good(const struct meeting *meeting)
{
	return !meeting->status && meeting->their_status == 1;
}

static bool they_read(struct meeting *meeting, const char *text)
{
	char data[64];
	int n = SSL_read(meeting->theirs, data, sizeof(data));

	return n == (int)strlen(text) && !memcmp(data, text, n);
}

static bool we_read(struct meeting *meeting, const char *text)
{
	static char content[RECORD_MAX + 1];
	size_t length;
	int type;

	do {
		type = record_receive(meeting->fd, &meeting->keys.rx, content, &length);
	} while (type == RECORD_HANDSHAKE);
	return type == RECORD_APPLICATION && !strcmp(content, text);
}

bool meeting_exchanges_data(struct meeting *meeting)
{
	record_send(meeting->fd, &meeting->keys.tx, "from us");
	if (!they_read(meeting, "from us") || SSL_write(meeting->theirs, "from them", 9) != 9 ||
	    !we_read(meeting, "from them"))
		return false;
	/* And once more: the numbers go on. */
	record_send(meeting->fd, &meeting->keys.tx, "again");
	return they_read(meeting, "again") && SSL_write(meeting->theirs, "likewise", 8) == 8 &&
	       we_read(meeting, "likewise");
}

size_t meeting_ticket(struct meeting *meeting, unsigned char *body)
{
	static unsigned char content[RECORD_MAX + 1];
	size_t length;
	char peeked;

	if (recv(meeting->fd, &peeked, 1, MSG_PEEK | MSG_DONTWAIT) != 1 ||
	    record_receive(meeting->fd, &meeting->keys.rx, content, &length) != RECORD_HANDSHAKE ||
	    length < 4 || content[0] != NEW_SESSION_TICKET)
		return 0;
	memcpy(body, content + 4, length - 4);
	return length - 4;
}
