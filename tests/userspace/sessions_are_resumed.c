// SPDX-License-Identifier: GPL-3.0-or-later
/* Sessions are resumed in both roles, with OpenSSL and among ourselves, and only where they may be. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "certificates.h"
#include "duo.h"
#include "meeting.h"
#include "record.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const suites[] = {
	"TLS_AES_128_GCM_SHA256",
	"TLS_AES_256_GCM_SHA384",
	"TLS_CHACHA20_POLY1305_SHA256",
};

static int64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static SSL_SESSION *given[8];
static unsigned int given_count;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	if (given_count == COUNT(given))
		return 0;
	given[given_count++] = session;
	return 1;
}

static void forget_sessions(void)
{
	while (given_count)
		SSL_SESSION_free(given[--given_count]);
}

static SSL_CTX *openssl_client(void)
{
	SSL_CTX *theirs = openssl_new(false, NULL);

	SSL_CTX_set_session_cache_mode(theirs, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(theirs, keep_session);
	return theirs;
}

/* A connection of OpenSSL's client to our server. Return: whether it works; @result says how. */
static bool visit(const struct signet_config *server, SSL_CTX *theirs, SSL_SESSION *session,
		  const char *name, struct signet_result *result, struct signet_keys *keys)
{
	struct meeting meeting;
	bool good;

	meeting_begin(&meeting, server, theirs, NULL);
	SSL_set_tlsext_host_name(meeting.theirs, name);
	if (session)
		SSL_set_session(meeting.theirs, session);
	meeting_run(&meeting);
	*keys = meeting.keys;
	good = meeting_is_good(&meeting) && meeting_exchanges_data(&meeting) &&
	       !!SSL_session_reused(meeting.theirs) == meeting.result.resumed;
	*result = meeting.result;
	meeting_end(&meeting);
	return good;
}

static void servers_resume(void)
{
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	SSL_CTX *theirs = openssl_client();
	struct signet_result result;
	struct signet_keys keys;

	for (size_t i = 0; i < COUNT(suites); i++) {
		SSL_CTX_set_ciphersuites(theirs, suites[i]);
		ok(visit(server, theirs, NULL, "db.internal", &result, &keys) && !result.resumed &&
			   given_count == 2 && keys.tx.sequence == 2,
		   "%s: a full handshake gives %u tickets", suites[i], given_count);
		ok(SSL_SESSION_get_ticket_lifetime_hint(given[0]) == 43200,
		   "which are good for half a day");
		ok(visit(server, theirs, given[1], "db.internal", &result, &keys) &&
			   result.resumed && keys.tx.sequence == given_count - 2,
		   "the session is resumed, which gives %u more: %s", given_count - 2, result.text);
		ok(visit(server, theirs, given[given_count - 1], "db.internal", &result, &keys) &&
			   result.resumed && !strcmp(result.server_name, "db.internal"),
		   "and that one is resumed again");
		forget_sessions();
	}
	SSL_CTX_free(theirs);
	signet_config_free(server);
}

/**
 * struct change - a server that a client comes back to, and what is different with it
 * @what:	for a person
 * @certificate: of the server
 * @name:	that the client asks for
 * @profile:	its signet_config_name()
 * @demands:	signet_config_client_auth()
 * @other_keys: tickets are sealed with other keys
 * @no_tickets: it sends none
 * @alpn:	that it speaks
 * @resumes:	nevertheless
 */
struct change {
	const char *what;
	const char *certificate;
	const char *name;
	const char *profile;
	enum signet_client_auth demands;
	bool other_keys;
	bool no_tickets;
	const char *alpn;
	bool resumes;
};

static unsigned char keys_of_all[3][SIGNET_TICKET_KEY_SIZE];

static struct signet_config *server_with(const struct change *change)
{
	struct signet_config *server = new_config(
		SIGNET_ROLE_SERVER, "ca", change->certificate ? change->certificate : "server");

	signet_config_client_auth(server, change->demands);
	signet_config_name(server, change->profile ? change->profile : "profile");
	signet_config_ticket_keys(server, keys_of_all[change->other_keys], SIGNET_TICKET_KEY_SIZE);
	signet_config_alpn(server, change->alpn ? change->alpn : "h2");
	if (change->no_tickets)
		signet_config_tickets(server, 0, 1);
	return server;
}

static void servers_take_only_their_own(void)
{
	static const struct change changes[] = {
		{ .what = "another server of the same kind", .resumes = true },
		{ .what = "another certificate", .certificate = "other" },
		{ .what = "another name", .name = "127.0.0.1.test" },
		{ .what = "another profile", .profile = "another" },
		{ .what = "a client certificate may be shown",
		  .demands = SIGNET_CLIENT_AUTH_OPTIONAL },
		{ .what = "other keys", .other_keys = true },
		{ .what = "no tickets", .no_tickets = true },
		{ .what = "another protocol", .alpn = "http/1.1" },
	};
	static const unsigned char offered[] = "\2h2\10http/1.1";
	SSL_CTX *theirs = openssl_client();
	struct signet_config *first = server_with(&changes[0]), *second;
	struct signet_result result;
	struct signet_keys keys;

	SSL_CTX_set_alpn_protos(theirs, offered, sizeof(offered) - 1);
	for (size_t i = 0; i < COUNT(changes); i++) {
		if (!visit(first, theirs, NULL, "db.internal", &result, &keys) || !given_count)
			bail("no session: %s", result.text);
		second = server_with(&changes[i]);
		ok(visit(second, theirs, given[0],
			 changes[i].name ? changes[i].name : "db.internal", &result, &keys) &&
			   result.resumed == changes[i].resumes,
		   "%s: %s%s", changes[i].what, result.resumed ? "resumed" : "a full handshake",
		   result.text);
		signet_config_free(second);
		forget_sessions();
	}
	second = server_with(&(struct change){ .demands = SIGNET_CLIENT_AUTH_REQUIRED });
	if (!visit(first, theirs, NULL, "db.internal", &result, &keys))
		bail("no session");
	ok(!visit(second, theirs, given[0], "db.internal", &result, &keys) &&
		   result.error == -EKEYREJECTED,
	   "a ticket is no client certificate: %s", result.text);
	signet_config_free(second);
	signet_config_free(first);
	forget_sessions();
	SSL_CTX_free(theirs);
}

static void ticket_keys_change(void)
{
	struct signet_config *server = server_with(&(struct change){ 0 });
	SSL_CTX *theirs = openssl_client();
	struct signet_result result;
	struct signet_keys keys;

	if (!visit(server, theirs, NULL, "db.internal", &result, &keys))
		bail("no session");
	memcpy(keys_of_all[2], keys_of_all[0], SIGNET_TICKET_KEY_SIZE);
	ok(!signet_config_ticket_keys(server, keys_of_all[1], 2 * SIGNET_TICKET_KEY_SIZE) &&
		   visit(server, theirs, given[0], "db.internal", &result, &keys) && result.resumed,
	   "the key before the newest one still opens");
	signet_config_ticket_keys(server, keys_of_all[1], SIGNET_TICKET_KEY_SIZE);
	ok(visit(server, theirs, given[1], "db.internal", &result, &keys) && !result.resumed,
	   "one that was dropped does not");
	ok(signet_config_ticket_keys(server, keys_of_all, 0) == -EINVAL &&
		   signet_config_ticket_keys(server, keys_of_all, 47) == -EINVAL &&
		   signet_config_ticket_keys(server, NULL, 48) == -EINVAL &&
		   signet_config_ticket_keys(server, keys_of_all, 5 * 48) == -EINVAL,
	   "keys have their length, and there are not too many");
	ok(signet_config_tickets(server, 2, SIGNET_TICKET_LIFETIME_MAX + 1) == -EINVAL &&
		   signet_config_tickets(server, 2, 0) == -EINVAL &&
		   signet_config_tickets(server, SIGNET_TICKETS_KEPT + 1, 1) == -EINVAL,
	   "tickets live at most seven days, and there are not too many");
	forget_sessions();
	signet_config_tickets(server, 2, 1);
	if (!visit(server, theirs, NULL, "db.internal", &result, &keys))
		bail("no session");
	sleep(2);
	SSL_SESSION_set_timeout(given[0], 1000);
	ok(visit(server, theirs, given[0], "db.internal", &result, &keys) && !result.resumed,
	   "a ticket that is too old is not taken");
	forget_sessions();
	SSL_CTX_free(theirs);
	signet_config_free(server);
}

/* What a client keeps of a connection. */
struct kept {
	unsigned char blob[SIGNET_RESUMPTION_MAX];
	int blob_len;
	unsigned char tickets[4][4096];
	size_t lengths[4];
	unsigned int count;
};

static void keep(struct meeting *meeting, struct kept *kept)
{
	memset(kept, 0, sizeof(*kept));
	kept->blob_len = signet_handshake_resumption_blob(meeting->ours, kept->blob);
	while (kept->count < COUNT(kept->tickets) &&
	       (kept->lengths[kept->count] = meeting_ticket(meeting, kept->tickets[kept->count])))
		kept->count++;
}

static int session_of(const struct kept *kept, unsigned int ticket, int64_t arrived,
		      struct signet_session **session)
{
	return signet_session_new(kept->blob, kept->blob_len, kept->tickets[ticket],
				  kept->lengths[ticket], arrived, session);
}

/* A connection of our client to OpenSSL's server. Return: whether it works. */
static bool call_on(const struct signet_config *client, SSL_CTX *theirs,
		    const struct signet_session *session, struct signet_result *result,
		    struct kept *kept)
{
	struct meeting meeting;
	bool good;

	meeting_begin(&meeting, client, theirs, "db.internal");
	if (session && signet_handshake_resume(meeting.ours, session))
		bail("the session is not taken");
	meeting_run(&meeting);
	*result = meeting.result;
	good = meeting_is_good(&meeting) &&
	       !!SSL_session_reused(meeting.theirs) == meeting.result.resumed;
	if (good) {
		keep(&meeting, kept);
		good = meeting_exchanges_data(&meeting);
	}
	meeting_end(&meeting);
	return good;
}

static void clients_resume(void)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	SSL_CTX *theirs = openssl_new(true, "server");
	struct signet_session *session;
	struct signet_result result;
	struct kept kept, later;

	for (size_t i = 0; i < COUNT(suites); i++) {
		SSL_CTX_set_ciphersuites(theirs, suites[i]);
		ok(call_on(client, theirs, NULL, &result, &kept) && !result.resumed &&
			   kept.blob_len > 0 && kept.count == 2,
		   "%s: a full handshake leaves %d bytes, and %u tickets come", suites[i],
		   kept.blob_len, kept.count);
		for (unsigned int ticket = 0; ticket < 2; ticket++) {
			if (session_of(&kept, ticket, now(), &session))
				bail("no session");
			ok(call_on(client, theirs, session, &result, &later) && result.resumed &&
				   !strcmp(result.peer, "db.internal") &&
				   !strcmp(result.group, "X25519MLKEM768"),
			   "ticket %u resumes: %s", ticket, result.text);
			signet_session_free(session);
		}
		ok(later.count && !session_of(&later, 0, now(), &session) &&
			   call_on(client, theirs, session, &result, &kept) && result.resumed,
		   "and so does what the resumed connection got");
		signet_session_free(session);
	}
	/* A server that does not know the ticket any more. */
	SSL_CTX_free(theirs);
	theirs = openssl_new(true, "server");
	if (session_of(&kept, 0, now(), &session))
		bail("no session");
	ok(call_on(client, theirs, session, &result, &later) && !result.resumed &&
		   !strcmp(result.peer, "db.internal"),
	   "a server that does not know the ticket makes a full handshake: %s", result.text);
	SSL_CTX_set1_groups_list(theirs, "P-384");
	if (!call_on(client, theirs, NULL, &result, &kept) || session_of(&kept, 0, now(), &session))
		bail("no session");
	ok(call_on(client, theirs, session, &result, &later) && result.resumed &&
		   !strcmp(result.group, "SECP384R1"),
	   "a session is resumed over a HelloRetryRequest: %s%s", result.group, result.text);
	signet_session_free(session);
	SSL_CTX_free(theirs);
	signet_config_free(client);
}

static int offer_to(const struct signet_config *config, const char *name,
		    const struct signet_session *session)
{
	struct signet_handshake *handshake;
	int ret;

	if (signet_handshake_new(config, STDIN_FILENO, name, &handshake))
		bail("no handshake");
	ret = signet_handshake_resume(handshake, session);
	signet_handshake_free(handshake);
	return ret;
}

static void sessions_are_bound(void)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	struct signet_config *trusting = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	struct signet_config *twin = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	SSL_CTX *theirs = openssl_new(true, "server");
	struct signet_session *session;
	struct signet_result result;
	struct kept kept;

	signet_config_ca_file(trusting, in_certificates("stranger.pem"));
	if (!call_on(client, theirs, NULL, &result, &kept) || session_of(&kept, 0, now(), &session))
		bail("no session: %s", result.text);
	ok(!offer_to(twin, "DB.internal.", session), "a session is for its server's name");
	ok(offer_to(client, "web.internal", session) == -EPERM, "and for no other");
	ok(offer_to(trusting, "db.internal", session) == -EPERM,
	   "and for who trusts the same authorities");
	ok(offer_to(server, NULL, session) == -EINVAL, "and for clients");
	signet_config_name(twin, "another");
	ok(offer_to(twin, "db.internal", session) == -EPERM, "and for the same profile");
	signet_config_suites(client, "TLS_AES_256_GCM_SHA384");
	ok(offer_to(client, "db.internal", session) == -EPERM, "and for who has its suite");
	signet_session_free(session);
	SSL_CTX_free(theirs);
	signet_config_free(client);
	signet_config_free(trusting);
	signet_config_free(twin);
	signet_config_free(server);
}

static void sessions_end(void)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	SSL_CTX *theirs = openssl_new(true, "server");
	static const int64_t week = INT64_C(7) * 86400 * 1000;
	struct signet_session *session;
	struct signet_result result;
	struct kept kept;
	int64_t begin;

	if (!call_on(client, theirs, NULL, &result, &kept))
		bail("no session");
	begin = now();
	/* OpenSSL's lifetime is 7,200 s. */
	ok(!session_of(&kept, 0, begin, &session) &&
		   signet_session_expires(session) == begin + 7200000,
	   "a session ends with its ticket's lifetime");
	signet_session_free(session);
	ok(session_of(&kept, 0, begin - 7200001, &session) == -EKEYEXPIRED && !session,
	   "and is none after it");
	memset(kept.tickets[0], 0xff, 4);
	ok(!session_of(&kept, 0, begin, &session) &&
		   signet_session_expires(session) <= begin + week &&
		   signet_session_expires(session) > begin + week - 60000,
	   "whatever the server says, it lives seven days at most");
	signet_session_free(session);
	memset(kept.tickets[0], 0, 4);
	ok(session_of(&kept, 0, begin, &session) == -EKEYEXPIRED,
	   "a lifetime of 0 is over at once");
	SSL_CTX_free(theirs);
	signet_config_free(client);
}

static void nonsense_is_refused(void)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	SSL_CTX *theirs = openssl_new(true, "server");
	unsigned int refused = 0, runs = 0;
	struct signet_session *session;
	struct signet_result result;
	struct kept kept, cut;

	if (!call_on(client, theirs, NULL, &result, &kept))
		bail("no session");
	for (size_t length = 0; length < kept.lengths[0]; length++, runs++) {
		cut = kept;
		cut.lengths[0] = length;
		refused += session_of(&cut, 0, now(), &session) == -EBADMSG && !session;
	}
	ok(refused == runs, "%u of %u cut tickets are refused", refused, runs);
	cut = kept;
	cut.lengths[0]++;
	ok(session_of(&cut, 0, now(), &session) == -EBADMSG, "one that is too long is refused");
	refused = 0;
	for (runs = 0; runs < (unsigned int)kept.blob_len; runs++) {
		cut = kept;
		cut.blob_len = runs;
		refused += session_of(&cut, 0, now(), &session) == -EINVAL && !session;
	}
	ok(refused == runs, "%u of %u cut blobs are refused", refused, runs);
	cut = kept;
	cut.blob[0]++;
	ok(session_of(&cut, 0, now(), &session) == -EINVAL, "and another version of it");
	ok(signet_session_new(NULL, 0, kept.tickets[0], 1, now(), &session) == -EINVAL &&
		   signet_session_new(kept.blob, kept.blob_len, NULL, 0, now(), &session) ==
			   -EBADMSG,
	   "and none");
	SSL_CTX_free(theirs);
	signet_config_free(client);
}

static void some_leave_nothing(void)
{
	struct signet_config *client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	SSL_CTX *theirs = openssl_new(true, "server");
	unsigned char blob[SIGNET_RESUMPTION_MAX];
	struct meeting meeting;

	signet_config_min_version(client, SIGNET_TLS_1_2);
	SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
	meeting_begin(&meeting, client, theirs, "db.internal");
	ok(signet_handshake_resumption_blob(meeting.ours, blob) == -ENODATA,
	   "a handshake that is not over leaves nothing to resume");
	meeting_run(&meeting);
	ok(meeting_is_good(&meeting) &&
		   signet_handshake_resumption_blob(meeting.ours, blob) == -ENODATA,
	   "and one of TLS 1.2 does not either");
	meeting_end(&meeting);
	SSL_CTX_free(theirs);
	signet_config_free(client);
}

int main(void)
{
	tap_begin();
	certificates_begin();
	make_usual_certificates();
	make_certificate(
		&(struct recipe){ "other", "/CN=x", "ca", "subjectAltName=DNS:db.internal" });
	make_certificate(&(struct recipe){ "stranger", "/CN=Stranger", NULL,
					   "basicConstraints=critical,CA:TRUE\n"
					   "keyUsage=critical,keyCertSign" });
	for (size_t i = 0; i < COUNT(keys_of_all); i++)
		signet_ticket_key_new(keys_of_all[i]);
	servers_resume();
	servers_take_only_their_own();
	ticket_keys_change();
	clients_resume();
	sessions_are_bound();
	sessions_end();
	nonsense_is_refused();
	some_leave_nothing();
	return tap_end();
}
