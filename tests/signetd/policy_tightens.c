// SPDX-License-Identifier: GPL-3.0-or-later
/* Applications tighten the administrator's policy, and never loosen it; limits and caches are bounded. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"
#include "certificates.h"
#include "limits.h"
#include "policy.h"
#include "sessions.h"
#include "shared.h"
#include "signing.h"
#include "tap.h"

static struct settings *settings;
static struct profiles *profiles;

static void load(void)
{
	struct complaints complaints = {};
	FILE *file = fopen(in_certificates("signetd.conf"), "w");

	if (!file)
		bail("no configuration");
	fprintf(file,
		"trust: { mine = \"%s\"; };\n"
		"default_server = \"web\";\n"
		"profiles: {\n"
		"web: { role = \"server\"; certificates = ( { chain = \"%s\"; key = \"/x\"; } );\n"
		"  alpn = [ \"h2\", \"http/1.1\" ]; allow = \"everyone\"; };\n"
		"mutual: { role = \"server\"; certificates = ( { chain = \"%s\"; key = \"/x\"; } );\n"
		"  ca = \"mine\"; client_auth = \"required\"; min_version = \"1.2\";\n"
		"  allow = { users = [ 1001 ]; groups = [ 2002 ]; }; };\n"
		"roots: { role = \"server\"; certificates = ( { chain = \"%s\"; key = \"/x\"; } ); };\n"
		"client: { role = \"client\"; ca = \"%s\"; trust = [ \"mine\" ]; };\n"
		"bare: { role = \"client\"; ca = \"%s\"; };\n"
		"};\ndefault_client = \"bare\";\n",
		in_certificates("ca.pem"), in_certificates("server.pem"),
		in_certificates("server.pem"), in_certificates("server.pem"),
		in_certificates("ca.pem"), in_certificates("ca.pem"));
	fclose(file);
	settings = settings_read(in_certificates("signetd.conf"), &complaints);
	/* The system's authorities may be missing where this runs. */
	for (size_t i = 0; settings && i < settings->profile_count; i++)
		if (!strcmp(settings->profiles[i].name, "system"))
			settings->profiles[i].ca = in_certificates("ca.pem");
	profiles = settings ? profiles_new(settings, &signing_signer, &complaints) : NULL;
	if (!profiles)
		bail("%s", complaints.count ? complaints.lines[0] : "no profiles");
}

struct wish {
	const char *what;
	struct signet_request request;
	int error;
	const char *text; /* within that of the refusal */
};

#define SERVER .role = SIGNET_ROLE_SERVER
#define CLIENT .role = SIGNET_ROLE_CLIENT
#define PROTOCOLS(list) .alpn = (list), .alpn_len = sizeof(list) - 1

static const struct wish wishes[] = {
	{ "the default server", { SERVER } },
	{ "the default client", { CLIENT } },
	{ "a profile by its name", { SERVER, .profile = "web", .uid = 5 } },
	{ "a profile that is unknown", { SERVER, .profile = "nothing" }, EPERM, "\"nothing\"" },
	{ "a profile of the other role", { CLIENT, .profile = "web" }, EPERM, "is a server's" },
	{ "a user who is allowed", { SERVER, .profile = "mutual", .uid = 1001 } },
	{ "a group that is allowed", { SERVER, .profile = "mutual", .uid = 5, .gid = 2002 } },
	{ "another user", { SERVER, .profile = "mutual", .uid = 1002 }, EPERM, "user 1002" },
	{ "root, who may everything", { SERVER, .profile = "mutual" } },
	{ "a server that nobody was allowed",
	  { SERVER, .profile = "roots", .uid = 1 },
	  EPERM,
	  "user 1" },
	{ "a newer version", { SERVER, .profile = "mutual", .min_version = SIGNET_TLS_1_3 } },
	{ "the same version", { SERVER, .profile = "mutual", .min_version = SIGNET_TLS_1_2 } },
	{ "an older version", { SERVER, .min_version = SIGNET_TLS_1_2 }, EPERM, "TLS 1.2" },
	{ "the same client authentication",
	  { SERVER, .profile = "mutual", .client_auth = SIGNET_CLIENT_AUTH_REQUIRED } },
	{ "a weaker one",
	  { SERVER, .profile = "mutual", .client_auth = SIGNET_CLIENT_AUTH_OPTIONAL },
	  EPERM,
	  "demands client certificates" },
	{ "client authentication without authorities",
	  { SERVER, .client_auth = SIGNET_CLIENT_AUTH_REQUIRED },
	  EPERM,
	  "no authorities" },
	{ "a protocol of the profile's", { SERVER, PROTOCOLS("\2h2") } },
	{ "protocols of the profile's", { SERVER, PROTOCOLS("\010http/1.1\2h2") } },
	{ "a protocol that is not the profile's", { SERVER, PROTOCOLS("\2h3") }, EPERM, "\"h3\"" },
	{ "any protocol where the profile has none", { CLIENT, PROTOCOLS("\2h3") } },
	{ "a list that ends within a name", { CLIENT, PROTOCOLS("\3h3") }, EINVAL, "malformed" },
	{ "an empty name", { CLIENT, PROTOCOLS("\0\2h3") }, EINVAL, "malformed" },
	{ "a name with a comma", { CLIENT, PROTOCOLS("\3a,b") }, EINVAL, "malformed" },
	{ "authorities that the profile allows", { CLIENT, .profile = "client", .trust = "mine" } },
	{ "authorities that it does not", { CLIENT, .trust = "mine" }, EPERM, "\"mine\"" },
};

static void wishes_are_judged(void)
{
	struct decision decision;

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		const struct wish *wish = &wishes[i];
		bool allowed = policy_decide(profiles, &wish->request, &decision);

		if (!ok(allowed == !wish->error && decision.error == wish->error &&
				(allowed || strstr(decision.text, wish->text)),
			"%s %s", wish->what, wish->error ? "is refused" : "is allowed"))
			note("error %d, %s", decision.error, decision.text);
	}
}

static void decisions_are_complete(void)
{
	const struct signet_request request = {
		SERVER,
		.profile = "mutual",
		.min_version = SIGNET_TLS_1_3,
		.client_auth = SIGNET_CLIENT_AUTH_REQUIRED,
		PROTOCOLS("\2h2\010http/1.1"),
	};
	struct signet_request trusting = { CLIENT, .profile = "client" };
	struct signet_config *own;
	struct decision decision;

	policy_decide(profiles, &request, &decision);
	ok(decision.min_version == SIGNET_TLS_1_3 &&
		   decision.client_auth == SIGNET_CLIENT_AUTH_REQUIRED,
	   "what is stricter is to be set");
	ok(!strcmp(decision.alpn, "h2,http/1.1"), "protocols keep their order");
	policy_decide(profiles, &trusting, &decision);
	own = decision.config;
	strcpy(trusting.trust, "mine");
	policy_decide(profiles, &trusting, &decision);
	ok(own && decision.config && own != decision.config,
	   "other authorities are another configuration");
}

/* ---- Limits ---- */

static struct signet_request from(const char *peer, uint32_t uid)
{
	struct signet_request request = { SERVER, .uid = uid, .netns = 1 };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(443) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };

	memcpy(request.local, &in, sizeof(in));
	if (inet_pton(AF_INET, peer, &in.sin_addr) == 1) {
		memcpy(request.peer, &in, sizeof(in));
	} else {
		inet_pton(AF_INET6, peer, &in6.sin6_addr);
		memcpy(request.peer, &in6, sizeof(in6));
	}
	return request;
}

static int take(struct limits *limits, const char *peer, uint32_t uid, struct limit_claim *claim,
		char *text)
{
	const struct signet_request request = from(peer, uid);

	return limits_take(limits, &request, claim, text);
}

static void limits_hold(void)
{
	static const struct limit_settings few = { 10, 2, 5, 4, 60 };
	struct limits *limits = limits_new(&few);
	struct limit_claim claims[8], refused;
	char text[SIGNET_STRING_MAX + 1];

	ok(!take(limits, "192.0.2.1", 1, &claims[0], text) &&
		   !take(limits, "192.0.2.1", 1, &claims[1], text),
	   "as many of a source as the limit says");
	ok(take(limits, "192.0.2.1", 1, &refused, text) == -EDQUOT && strstr(text, "192.0.2.1") &&
		   strstr(text, "limits.per_source = 2"),
	   "one more is refused");
	ok(take(limits, "::ffff:192.0.2.1", 1, &refused, text) == -EDQUOT,
	   "an IPv4 address is the same in IPv6");
	ok(!take(limits, "2001:db8::1", 1, &claims[2], text) &&
		   !take(limits, "2001:db8::2", 1, &claims[3], text) &&
		   take(limits, "2001:db8::3", 2, &refused, text) == -EDQUOT,
	   "an IPv6 network of 64 bits is one source");
	ok(take(limits, "192.0.2.9", 1, &refused, text) == -EDQUOT &&
		   strstr(text, "limits.per_user = 4"),
	   "a user has a limit");
	ok(!take(limits, "192.0.2.3", 2, &claims[4], text) &&
		   take(limits, "192.0.2.4", 3, &refused, text) == -EDQUOT &&
		   strstr(text, "limits.per_listener = 5"),
	   "a listener has a limit");
	for (int i = 0; i < 5; i++)
		limits_give(limits, &claims[i]);
	for (int i = 0; i < 4; i++)
		claims[i].count =
			take(limits, i < 2 ? "192.0.2.1" : "192.0.2.2", 1, &claims[i], text) ?
				0 :
				claims[i].count;
	ok(claims[3].count == 3,
	   "what was given back can be taken again, and refusals took nothing");
	limits_free(limits);
}

static void many_sources_fit(void)
{
	static const struct limit_settings many = { 1000, 1, 100000, 100000, 60 };
	struct limits *limits = limits_new(&many);
	struct limit_claim *claims = calloc(1000, sizeof(*claims));
	char text[SIGNET_STRING_MAX + 1], peer[32];
	bool good = true;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			snprintf(peer, sizeof(peer), "10.%d.%d.1", i / 256, i % 256);
			good &= !take(limits, peer, i, &claims[i], text);
			good &= take(limits, peer, 5000, &(struct limit_claim){}, text) == -EDQUOT;
		}
		for (int i = 0; i < 1000; i++)
			limits_give(limits, &claims[i]);
	}
	ok(good, "as many sources as handshakes may be in progress");
	free(claims);
	limits_free(limits);
}

static void addresses_are_readable(void)
{
	struct signet_request request = from("2001:db8::1", 0);
	char text[ADDRESS_TEXT_MAX];

	ok(!strcmp(address_text(request.peer, text), "[2001:db8::1]:443"), "an IPv6 address: %s",
	   text);
	request = from("192.0.2.1", 0);
	ok(!strcmp(address_text(request.peer, text), "192.0.2.1:443"), "an IPv4 address: %s", text);
	request = from("::ffff:192.0.2.1", 0);
	ok(!strcmp(address_text(request.peer, text), "192.0.2.1:443"), "one in the other: %s",
	   text);
}

/* ---- What is shared ---- */

static struct session_record session_of(uint32_t uid, const char *name, unsigned int pins)
{
	struct signet_request request = { CLIENT, .pin_count = pins };
	struct session_record record = { .uid = uid, .netns = 7, .blob_len = 1 };

	strcpy(request.server_name, name);
	sessions_key(&request, "profile", record.key);
	return record;
}

static bool has_session(struct sessions *sessions, struct session_record wanted)
{
	return sessions_take(sessions, &wanted);
}

static void put(struct sessions *sessions, const char *ticket, int64_t received_ms)
{
	struct session_record record = session_of(1, "a", 0);

	record.received_ms = received_ms;
	record.ticket_len = strlen(ticket);
	memcpy(record.ticket, ticket, record.ticket_len);
	sessions_put(sessions, &record);
}

static void sessions_are_kept_apart(void)
{
	struct sessions *sessions = sessions_new(64);
	struct session_record wanted = session_of(1, "a", 0), other = wanted;
	unsigned int found = 0;

	if (!sessions)
		bail("no memory");
	put(sessions, "one", 1);
	put(sessions, "two", 2);
	ok(!has_session(sessions, session_of(2, "a", 0)), "another user has no session");
	other.netns++;
	ok(!has_session(sessions, other), "nor has another network namespace");
	ok(!has_session(sessions, session_of(1, "b", 0)), "another server has none");
	ok(!has_session(sessions, session_of(1, "a", 1)), "nor have other pins");
	ok(sessions_take(sessions, &wanted) && !memcmp(wanted.ticket, "two", 3),
	   "the newest is taken first");
	ok(sessions_take(sessions, &wanted) && !memcmp(wanted.ticket, "one", 3) &&
		   !sessions_take(sessions, &wanted),
	   "each is taken once");
	for (int i = 1; i <= 1000; i++)
		put(sessions, "more", i);
	while (sessions_take(sessions, &wanted))
		found++;
	ok(found && found <= 64 && wanted.received_ms <= 1000, "a thousand leave the newest %u",
	   found);
	sessions_free(sessions);
}

static void sessions_are_carried_on(void)
{
	struct sessions *old = sessions_new(64), *new = sessions_new(8), *none = sessions_new(0);
	struct session_record wanted = session_of(1, "a", 0);

	if (!old || !new || !none)
		bail("no memory");
	put(old, "one", 1);
	sessions_carry(new, old);
	sessions_carry(none, old);
	ok(sessions_take(new, &wanted) && !memcmp(wanted.ticket, "one", 3),
	   "a worker's sessions are carried to the next");
	ok(!sessions_take(none, &wanted), "not where none are kept");
	sessions_free(old);
	sessions_free(new);
	sessions_free(none);
}

/* Writes all over the memory that a worker shares with the supervisor, while that reads it. */
static void write_nonsense(struct sessions *sessions)
{
	struct session_record record = session_of(1, "a", 0);

	for (uint32_t i = 0;; i++) {
		memset(record.ticket, i, sizeof(record.ticket));
		record.received_ms = 1 + i % 100;
		record.ticket_len = 1 + i % sizeof(record.ticket);
		sessions_put(sessions, &record);
	}
}

/* Each ticket is written with one value: a record that is read in part would show. */
static bool is_one(const struct session_record *record)
{
	return record->ticket_len <= sizeof(record->ticket) &&
	       !memcmp(record->ticket, record->ticket + 1, record->ticket_len - 1);
}

static void sessions_are_read_whole(void)
{
	struct sessions *old = sessions_new(8), *new;
	unsigned int found = 0, whole = 0;
	pid_t pid = fork();

	if (!pid)
		write_nonsense(old);
	for (int i = 0; i < 2000; i++) {
		struct session_record wanted = session_of(1, "a", 0);

		new = sessions_new(8);
		sessions_carry(new, old);
		while (sessions_take(new, &wanted)) {
			found++;
			whole += is_one(&wanted);
		}
		sessions_free(new);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(found && found == whole, "of a worker that writes all the while %u of %u are whole",
	   whole, found);
	sessions_free(old);
}

static void shared_memory_is_not_believed(void)
{
	struct worker_state *state = shared_map(sizeof(*state));
	struct shared *shared = shared_map(sizeof(*shared));
	uint8_t keys[2 * SIGNET_TICKET_KEY_SIZE] = { 1, 2, 3 };
	uint8_t got[SIGNET_TICKET_KEYS_MAX * SIGNET_TICKET_KEY_SIZE];
	struct failure *failure, copy;
	uint32_t sequence = 0;
	uint64_t number;

	if (!shared || !state)
		bail("no memory");
	failure = shared_failure_begin(shared, &number);
	ok(!shared_failure_read(shared, number, &copy),
	   "a failure that is being written is not read");
	memset(failure->text, 'x', sizeof(failure->text));
	shared_failure_done(failure, number);
	ok(shared_failure_read(shared, number, &copy) && strlen(copy.text) == sizeof(copy.text) - 1,
	   "texts end where they must");
	ok(!shared_failure_read(shared, number + 1, &copy), "there is no failure that was not");

	shared_put_ticket_keys(state, 2, keys, 2);
	ok(shared_get_ticket_keys(state, &sequence, got) == 2 && !memcmp(got, keys, sizeof(keys)),
	   "ticket keys are had");
	ok(!shared_get_ticket_keys(state, &sequence, got), "once");
	shared_put_ticket_keys(state, 4, keys, 1);
	state->ticket_keys.count = 1000;
	ok(!shared_get_ticket_keys(state, &sequence, got), "not more than there is room for");
	shared_unmap(state, sizeof(*state));
	shared_unmap(shared, sizeof(*shared));
}

int main(void)
{
	tap_begin();
	certificates_begin();
	make_usual_certificates();
	load();
	wishes_are_judged();
	decisions_are_complete();
	limits_hold();
	many_sources_fit();
	addresses_are_readable();
	sessions_are_kept_apart();
	sessions_are_carried_on();
	sessions_are_read_whole();
	shared_memory_is_not_believed();
	profiles_free(profiles);
	settings_free(settings);
	return tap_end();
}
