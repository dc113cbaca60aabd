// SPDX-License-Identifier: MIT
/* signetctl: what signetd and signet.ko do, for who operates them. See signetctl(8). */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/signet.h>

#include "connection.h"
#include "control.h"
#include "module.h"
#include "table.h"

#define VERSION "0.1"
#define EXIT_USAGE 2

static const char usage[] =
	"usage: signetctl [--socket PATH] COMMAND [OPTION...] [CONNECTION]\n"
	"Shows what signetd and the module signet do, and tells signetd what to do.\n"
	"\n"
	"  status [--json]       the daemon, the module and their counters\n"
	"  connections [--json]  the attached sockets of this network namespace\n"
	"  profiles [--json]     the configuration that is in use\n"
	"  failures [--json]     the last handshakes that failed, and why\n"
	"  reload                read the configuration and the certificates again\n"
	"  rekey [--request] [all | LOCAL PEER]\n"
	"                        all connections, or the one between these two addresses (as\n"
	"                        connections shows them), change their sending keys; with\n"
	"                        --request they ask their peers to do so too\n"
	"  drain                 signetd takes no more requests, finishes its handshakes and ends\n"
	"\n"
	"  --socket PATH         signetd's control socket (default: " CONTROL_SOCKET ")\n"
	"  --help                this text\n"
	"  --version             the version\n";

/**
 * struct call - what the command line asks for
 * @socket:	signetd's
 * @json:	--json
 * @request:	--request
 * @operands:	behind the command, ended by a NULL
 */
struct call {
	const char *socket;
	bool json;
	bool request;
	char *const *operands;
};

static int complain(struct reply *reply)
{
	warnx("%s", reply->problem);
	control_clear(reply);
	return EXIT_FAILURE;
}

/* --- status ----------------------------------------------------------------------- */

static void print_role(const struct json *status, const char *role)
{
	const struct json *counts = json_member(status, role);

	printf("  %s handshakes: %s completed, %s of them resumed\n", role,
	       json_text(counts, "succeeded"), json_text(counts, "resumed"));
}

static void print_workers(const struct json *status)
{
	const struct json *workers = json_member(status, "workers");

	for (const struct json *at = workers ? workers->first : NULL; at; at = at->next)
		printf("  worker %s, signer %s: %s handshakes in progress%s\n",
		       json_text(at, "worker"), json_text(at, "signer"),
		       json_text(at, "in_progress"),
		       json_is_true(at, "current") ? "" : ", and then it ends");
}

static void print_failed(const struct json *status)
{
	const struct json *failed = json_member(status, "failed");

	for (const struct json *at = failed ? failed->first : NULL; at; at = at->next)
		printf("  failed with %s: %s\n", at->name, at->text ?: "");
}

static void print_daemon(const struct json *status)
{
	printf("signetd %s: %s, up for %s s\n", json_text(status, "version"),
	       json_text(status, "state"), json_text(status, "uptime"));
	printf("  configuration %s, read %s times\n", json_text(status, "configuration"),
	       json_text(status, "generation"));
	print_workers(status);
	print_role(status, "client");
	print_role(status, "server");
	printf("  tickets kept for clients: %s\n", json_text(status, "tickets"));
	print_failed(status);
}

static int run_status(const struct call *call)
{
	struct reply reply;
	bool good;

	control_ask(call->socket, "status", &reply);
	good = !reply.problem;
	if (call->json) {
		printf("{\"signetd\":%s,\"module\":", good ? reply.line : "null");
		good &= module_print(true);
		puts("}");
	} else {
		if (good)
			print_daemon(reply.json);
		good &= module_print(false);
	}
	if (reply.problem)
		return complain(&reply);
	control_clear(&reply);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_connections(const struct call *call)
{
	return module_print_connections(call->json) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- lists of signetd's ----------------------------------------------------------- */

/* The texts of a list, with a comma between them. */
static void add_list(struct table *table, const struct json *list)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		err(1, "out of memory");
	for (const struct json *at = list ? list->first : NULL; at; at = at->next)
		fprintf(out, "%s%s", at->text ?: "", at->next ? "," : "");
	fclose(out);
	table_add(table, text);
	free(text);
}

static void print_profiles(const struct json *reply)
{
	static const char *const names[] = { "name", "role", "min_version", "ca", "client_auth" };
	const struct json *profiles = json_member(reply, "profiles");
	struct table table;
	char *place;

	table_begin(&table, 8);
	for (const char *const *heading =
		     (const char *const[]){ "NAME", "ROLE", "MIN VERSION", "CA", "CLIENT AUTH",
					    "ALPN", "CERTIFICATES", "WRITTEN AT", NULL };
	     *heading; heading++)
		table_add(&table, *heading);
	for (const struct json *at = profiles ? profiles->first : NULL; at; at = at->next) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			table_add(&table, json_text(at, names[i]));
		add_list(&table, json_member(at, "alpn"));
		add_list(&table, json_member(at, "certificates"));
		if (asprintf(&place, "%s:%s", json_text(at, "file"), json_text(at, "line")) < 0)
			err(1, "out of memory");
		table_add(&table, place);
		free(place);
	}
	table_end(&table);
	printf("default of clients: %s; of servers: %s\n",
	       *json_text(reply, "default_client") ? json_text(reply, "default_client") : "none",
	       *json_text(reply, "default_server") ? json_text(reply, "default_server") : "none");
}

static void add_time(struct table *table, const char *seconds)
{
	time_t number = strtoll(seconds, NULL, 10);
	struct tm local;
	char text[64] = "";

	if (localtime_r(&number, &local))
		strftime(text, sizeof(text), "%F %T", &local);
	table_add(table, text);
}

static void print_failures(const struct json *reply)
{
	static const char *const names[] = { "role",	"peer",	 "uid", "pid",
					     "profile", "error", "text" };
	const struct json *failures = json_member(reply, "failures");
	struct table table;

	table_begin(&table, 8);
	for (const char *const *heading =
		     (const char *const[]){ "TIME", "ROLE", "PEER", "UID", "PID", "PROFILE",
					    "ERROR", "REASON", NULL };
	     *heading; heading++)
		table_add(&table, *heading);
	for (const struct json *at = failures ? failures->first : NULL; at; at = at->next) {
		add_time(&table, json_text(at, "time"));
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			table_add(&table, json_text(at, names[i]));
	}
	table_end(&table);
}

static int run_list(const struct call *call, const char *command,
		    void (*print)(const struct json *reply))
{
	struct reply reply;

	control_ask(call->socket, command, &reply);
	if (reply.problem)
		return complain(&reply);
	if (call->json)
		puts(reply.line);
	else
		print(reply.json);
	control_clear(&reply);
	return EXIT_SUCCESS;
}

static int run_profiles(const struct call *call)
{
	return run_list(call, "profiles", print_profiles);
}

static int run_failures(const struct call *call)
{
	return run_list(call, "failures", print_failures);
}

/* --- commands --------------------------------------------------------------------- */

static void print_reload(const struct json *reply)
{
	printf("signetd serves with what was read as number %s\n", json_text(reply, "generation"));
}

static int run_reload(const struct call *call)
{
	return run_list(call, "reload", print_reload);
}

static void print_drain(const struct json *reply)
{
	(void)reply;
	puts("signetd finishes its handshakes and ends");
}

static int run_drain(const struct call *call)
{
	return run_list(call, "drain", print_drain);
}

/* signetd has the device. Where it does not serve, who may open the device can do the same. */
static int rekey_all(const struct call *call)
{
	struct reply reply;
	int ret;

	control_ask(call->socket, call->request ? "rekey request" : "rekey", &reply);
	if (reply.problem) {
		ret = module_rekey(call->request ? SIGNET_REKEY_REQUEST_UPDATE : 0);
		if (ret) {
			warnx("/dev/signet: %s", strerror(-ret));
			return complain(&reply);
		}
	}
	control_clear(&reply);
	puts("every connection changes its keys when it sends next");
	return EXIT_SUCCESS;
}

static int rekey_one(const struct call *call, const char *local, const char *peer)
{
	int ret = connection_rekey(local, peer, call->request ? SIGNET_REKEY_REQUEST_UPDATE : 0);

	switch (-ret) {
	case 0:
		puts("the connection changes its keys");
		return EXIT_SUCCESS;
	case EINVAL:
		warnx("two addresses are expected, as connections shows them: 192.0.2.1:443 or "
		      "[2001:db8::1]:443");
		return EXIT_USAGE;
	case ESRCH:
		warnx("no process has a connection from %s to %s", local, peer);
		return EXIT_FAILURE;
	case EPERM:
		warnx("no process whose sockets may be looked at has that connection: others' take "
		      "CAP_SYS_PTRACE");
		return EXIT_FAILURE;
	default:
		warnx("%s %s: %s", local, peer, strerror(-ret));
		return EXIT_FAILURE;
	}
}

static int run_rekey(const struct call *call)
{
	char *const *operands = call->operands;

	if (!operands[0] || (!strcmp(operands[0], "all") && !operands[1]))
		return rekey_all(call);
	if (operands[1])
		return rekey_one(call, operands[0], operands[1]);
	warnx("\"all\", or the connection's two addresses are expected");
	return EXIT_USAGE;
}

static const struct command {
	const char *name;
	bool has_json;
	bool has_request;
	int operands; /* at most */
	int (*run)(const struct call *call);
} commands[] = {
	{ "status", true, false, 0, run_status },
	{ "connections", true, false, 0, run_connections },
	{ "profiles", true, false, 0, run_profiles },
	{ "failures", true, false, 0, run_failures },
	{ "reload", false, false, 0, run_reload },
	{ "rekey", false, true, 2, run_rekey },
	{ "drain", false, false, 0, run_drain },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int __attribute__((format(printf, 1, 2))) refuse(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vwarnx(format, arguments);
	va_end(arguments);
	fputs("Try 'signetctl --help'.\n", stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },    { "json", no_argument, NULL, 'j' },
		{ "request", no_argument, NULL, 'r' }, { "socket", required_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'v' }, {},
	};
	struct call call = { .socket = CONTROL_SOCKET };
	const struct command *command;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'v':
			puts("signetctl " VERSION);
			return EXIT_SUCCESS;
		case 'j':
			call.json = true;
			break;
		case 'r':
			call.request = true;
			break;
		case 's':
			call.socket = optarg;
			break;
		default:
			fputs("Try 'signetctl --help'.\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return refuse("no command");
	command = find_command(argv[optind]);
	if (!command)
		return refuse("unknown command '%s'", argv[optind]);
	call.operands = argv + optind + 1;
	if (argc - optind - 1 > command->operands)
		return refuse(command->operands ? "%s has two operands at most" :
						  "one command is expected: %s has no operands",
			      command->name);
	if (call.json && !command->has_json)
		return refuse("%s has no --json", command->name);
	if (call.request && !command->has_request)
		return refuse("%s has no --request", command->name);
	return command->run(&call);
}
