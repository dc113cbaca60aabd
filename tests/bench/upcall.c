// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a server's handshake costs through signetd, beside the same one in the process itself:
 * TLS 1.3, ECDSA P-256, X25519, the connection then the module's in both cases.
 *
 *   bench_upcall [--counted] [--cell TEXT] full|resumed CHAIN KEY
 *
 * CHAIN and KEY are files with the certificate that signetd's default profile has too. The client
 * is OpenSSL in another process; the server's side is what the machine does, idle time taken off,
 * less the client's processor time. Prints one line of JSON: nanoseconds (see messages.c) per
 * handshake, and how many system calls and context switches the server's side made for one.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <signet-handshake.h>
#include <signet.h>

#include "clock.h"

#define SAMPLES 5
#define HANDSHAKES 32

/* --- the client: another process, which does so many at each command -------------------- */

/**
 * struct bill - what the client tells when it is done
 * @nanoseconds: its processor time
 * @syscalls:	its system calls
 */
struct bill {
	double nanoseconds;
	uint64_t syscalls;
};

/**
 * struct client - the other process, or what it knows
 * @commands:	tells it how many handshakes to make
 * @bills:	it answers
 * @address:	where the server listens
 * @resume:	it offers the session of the handshake before
 */
struct client {
	int commands[2];
	int bills[2];
	struct sockaddr_in address;
	bool resume;
	SSL_CTX *context;
	SSL_SESSION *session;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct client *client = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(client->session);
	client->session = session;
	return 1;
}

static void client_prepare(struct client *client)
{
	client->context = SSL_CTX_new(TLS_client_method());
	if (!client->context || !SSL_CTX_set_min_proto_version(client->context, TLS1_3_VERSION) ||
	    !SSL_CTX_set1_groups_list(client->context, "X25519") ||
	    !SSL_CTX_set_ciphersuites(client->context, "TLS_AES_128_GCM_SHA256"))
		errx(1, "client: no context");
	SSL_CTX_set_app_data(client->context, client);
	SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(client->context, keep_session);
}

static void client_connect(struct client *client, bool must_resume)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(client->context);
	char byte;
	int ret;

	if (fd < 0 || !ssl ||
	    connect(fd, (struct sockaddr *)&client->address, sizeof(client->address)) ||
	    !SSL_set_fd(ssl, fd))
		err(1, "client: connect");
	SSL_set_tlsext_host_name(ssl, "server.test");
	if (client->resume && client->session)
		SSL_set_session(ssl, client->session);
	if (SSL_connect(ssl) != 1)
		errx(1, "client: handshake: %s", ERR_error_string(ERR_get_error(), NULL));
	if (must_resume && !SSL_session_reused(ssl))
		errx(1, "client: the session was not resumed");
	/* The tickets come before the end. */
	ret = SSL_read(ssl, &byte, 1);
	if (SSL_get_error(ssl, ret) != SSL_ERROR_ZERO_RETURN)
		errx(1, "client: no clean end: %d, error %d, %s", ret, SSL_get_error(ssl, ret),
		     ERR_error_string(ERR_get_error(), NULL));
	/* Without, OpenSSL would take the session for a bad one. */
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(ssl);
	close(fd);
}

/* Counts the calls of a process, 0 for this one, or -1 for all. Return: descriptor, or -1. */
static int count_syscalls(pid_t pid)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attributes),
	};
	FILE *file = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "re");
	int id;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &id) == 1)
		attributes.config = id;
	fclose(file);
	return syscall(SYS_perf_event_open, &attributes, pid, pid < 0 ? 0 : -1, -1,
		       PERF_FLAG_FD_CLOEXEC);
}

static uint64_t counted(int fd)
{
	uint64_t value = 0;

	if (fd >= 0 && read(fd, &value, sizeof(value)) != sizeof(value))
		err(1, "perf event");
	return value;
}

static double own_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

/* A negative number: system calls are counted, which is work. */
static void client_serve(struct client *client)
{
	int command;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	client_prepare(client);
	while (read(client->commands[0], &command, sizeof(command)) == sizeof(command)) {
		int counter = command < 0 ? count_syscalls(0) : -1;
		struct bill bill = { .nanoseconds = own_time() };

		for (int i = 0; i < abs(command); i++)
			client_connect(client, client->resume && client->session);
		bill.nanoseconds = own_time() - bill.nanoseconds;
		bill.syscalls = counted(counter);
		if (counter >= 0)
			close(counter);
		if (write(client->bills[1], &bill, sizeof(bill)) != sizeof(bill))
			err(1, "client: bill");
	}
	_exit(0);
}

/* Nobody would connect any more. */
static void client_ended(int signal)
{
	(void)signal;
	_exit(1);
}

static void client_start(struct client *client)
{
	pid_t child;

	if (pipe(client->commands) || pipe(client->bills))
		err(1, "pipe");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child)
		client_serve(client);
}

/* --- the server -------------------- */

enum way { IN_PROCESS, SIGNETD, WAYS };

static const char *const way_names[WAYS] = { "in-process", "signetd" };

/**
 * struct server - both ways to accept
 * @listener:	plain TCP
 * @config:	for handshakes in this process
 * @client:	its client
 * @resume:	sessions are to be resumed
 */
struct server {
	int listener;
	struct signet_config *config;
	struct client client[WAYS];
	bool resume;
};

/**
 * struct cost - what handshakes took at the server's side
 */
struct cost {
	double nanoseconds;
	uint64_t syscalls;
	unsigned long switches;
};

static void listen_loopback(struct server *server, struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener < 0 || bind(server->listener, (struct sockaddr *)address, len) ||
	    listen(server->listener, 16) ||
	    getsockname(server->listener, (struct sockaddr *)address, &len))
		err(1, "listening socket");
}

static void configure(struct server *server, const char *chain, const char *key)
{
	int error = signet_config_new(SIGNET_ROLE_SERVER, &server->config);

	if (!error)
		error = signet_config_certificate(server->config, chain, key);
	if (error)
		errx(1, "configuration of the process's own: %s", strerror(-error));
}

static void accept_one(struct server *server, enum way way)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
	struct signet_result result = {};
	int error;

	if (fd < 0)
		err(1, "accept");
	if (way == IN_PROCESS)
		error = signet_accept(server->config, fd, &result);
	else
		error = signet_attach(fd) ?: signet_tls_accept(fd, "");
	if (error)
		errx(1, "%s: %s %s", way_names[way], strerror(-error), result.text);
	close(fd);
}

static unsigned long switches_of(const char *directory)
{
	unsigned long sum = 0, number;
	char path[300], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/status", directory);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &number) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %lu", &number) == 1)
			sum += number;
	}
	if (file)
		fclose(file);
	return sum;
}

static unsigned long switches_of_threads(const char *process)
{
	unsigned long sum = 0;
	struct dirent *entry;
	char path[280];
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%s/task", process);
	threads = opendir(path);
	while (threads && (entry = readdir(threads))) {
		char thread[300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(thread, sizeof(thread), "%s/%.15s", path, entry->d_name);
		sum += switches_of(thread);
	}
	if (threads)
		closedir(threads);
	return sum;
}

static bool is_signetd(const char *process)
{
	char path[280], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", process);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strncmp(name, "signet", 6);
}

/* Of this thread, and of all that belongs to signetd. */
static unsigned long count_switches(void)
{
	unsigned long sum = switches_of("/proc/thread-self");
	struct dirent *entry;
	DIR *processes = opendir("/proc");

	while (processes && (entry = readdir(processes))) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_signetd(entry->d_name))
			sum += switches_of_threads(entry->d_name);
	}
	if (processes)
		closedir(processes);
	return sum;
}

static void exchange(struct server *server, enum way way, int number, struct bill *bill)
{
	struct client *client = &server->client[way];

	if (write(client->commands[1], &number, sizeof(number)) != sizeof(number))
		err(1, "client");
	for (int i = 0; i < abs(number); i++)
		accept_one(server, way);
	if (read(client->bills[0], bill, sizeof(*bill)) != sizeof(*bill))
		errx(1, "the client has ended");
}

static double take_sample(struct server *server, enum way way)
{
	double start = clock_now();
	struct bill bill;

	exchange(server, way, HANDSHAKES, &bill);
	return (clock_now() - start - bill.nanoseconds) / HANDSHAKES;
}

/* Apart from the time, since counting takes some. */
static struct cost take_counts(struct server *server, enum way way)
{
	unsigned long switches = count_switches();
	int counter = count_syscalls(-1);
	uint64_t before = counted(counter);
	struct cost cost = {};
	struct bill bill;

	exchange(server, way, -HANDSHAKES, &bill);
	cost.syscalls = (counted(counter) - before - bill.syscalls) / HANDSHAKES;
	cost.switches = (count_switches() - switches) / HANDSHAKES;
	if (counter >= 0)
		close(counter);
	return cost;
}

static void measure(struct server *server, const char *cell, bool subtract_idle)
{
	double samples[WAYS][SAMPLES];
	struct cost costs[WAYS];
	struct bill bill;

	signal(SIGCHLD, client_ended);
	for (int way = 0; way < WAYS; way++)
		client_start(&server->client[way]);
	if (subtract_idle)
		clock_subtract_idle();
	for (int way = 0; way < WAYS; way++)
		exchange(server, way, HANDSHAKES, &bill);
	for (int i = 0; i < SAMPLES; i++) {
		for (int way = 0; way < WAYS; way++)
			samples[way][i] = take_sample(server, way);
	}
	for (int way = 0; way < WAYS; way++)
		costs[way] = take_counts(server, way);
	printf("{\"cell\":\"%s\",\"messages\":1,\"samples\":{", cell);
	for (int way = 0; way < WAYS; way++) {
		printf("%s\"%s\":[", way ? "," : "", way_names[way]);
		for (int i = 0; i < SAMPLES; i++)
			printf("%s%.0f", i ? "," : "", samples[way][i]);
		printf("]");
	}
	printf("},\"refused\":{},\"details\":{");
	for (int way = 0; way < WAYS; way++)
		printf("%s\"%s\":{\"syscalls\":%lu,\"switches\":%lu}", way ? "," : "",
		       way_names[way], (unsigned long)costs[way].syscalls, costs[way].switches);
	printf("}}\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cell", required_argument, NULL, 'c' },
		{ "counted", no_argument, NULL, 'i' },
		{},
	};
	static struct server server;
	struct sockaddr_in address;
	bool subtract_idle = false;
	const char *cell = "";
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'c')
			cell = optarg;
		else if (option == 'i')
			subtract_idle = true;
		else
			return 2;
	}
	if (argc - optind != 3)
		errx(2, "usage: bench_upcall [OPTION...] full|resumed CHAIN KEY");
	server.resume = !strcmp(argv[optind], "resumed");
	configure(&server, argv[optind + 1], argv[optind + 2]);
	listen_loopback(&server, &address);
	for (int way = 0; way < WAYS; way++) {
		server.client[way].address = address;
		server.client[way].resume = server.resume;
	}
	measure(&server, cell, subtract_idle);
	return 0;
}
