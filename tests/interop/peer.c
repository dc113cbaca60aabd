// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The signet end of the interoperation tests: handshakes with libsignet-handshake, does the steps
 * that it is given on the socket, and tells in one line what came of it. See usage[].
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <signet-handshake.h>

#define PIECE (64 * 1024)
#define RANDOM_MAX 2000 /* bytes of the largest random write */
#define UNTIL_END UINT64_MAX

static const char usage[] =
	"Usage: interop_peer connect|accept ADDRESS:PORT [OPTION...] -- STEP...\n"
	"  --ca FILE       trust the certificates in FILE (a server then demands a certificate)\n"
	"  --cert FILE     own certificate chain, with\n"
	"  --key FILE      its private key\n"
	"  --name NAME     whom to connect to\n"
	"  --out FILE      what is sent\n"
	"  --in FILE       what is expected to come\n"
	"  --times N       connections, one after another (default 1; 0: without end)\n"
	"  --patience S    seconds after which a call that waits fails (default 20)\n"
	"  --timeout MS    of the handshake\n"
	"Steps: send:N[:SIZE]  receive:N[:SIZE]  exchange:N:M[:SIZE] (both at once)  shutdown\n"
	"  tell (prints a line 'told')\n"
	"N may be 'end' when it is received. SIZE is that of the calls; 'random' for small ones.\n"
	"A server first prints 'port N'; every connection prints a line of KEY=VALUE.\n";

enum step_kind { SEND, RECEIVE, EXCHANGE, SHUTDOWN, TELL };

struct step {
	enum step_kind kind;
	uint64_t send, receive;
	size_t size; /* of the calls, 0: random */
};

struct direction {
	uint64_t bytes;
	int error;
};

struct connection {
	int fd;
	struct direction sent, received;
	bool ended;
	int64_t differs; /* where what came was not what was to come, -1: nowhere */
	unsigned int random;
};

static const char *ca, *certificate, *key, *name, *out_file, *in_file, *times = "1",
								       *patience = "20", *timeout;
static struct step steps[32];
static unsigned int step_count;
static struct data {
	const char *bytes;
	uint64_t length;
} out, in;
static struct signet_config *config;

/* ---- Steps ---- */

static size_t call_size(struct connection *c, size_t size, uint64_t left)
{
	if (!size) {
		c->random = c->random * 1103515245 + 12345;
		size = 1 + (c->random >> 16) % RANDOM_MAX;
	}
	return left < size ? left : size;
}

static void send_some(struct connection *c, uint64_t count, size_t size)
{
	struct direction *d = &c->sent;
	uint64_t end = d->bytes + count;

	if (end > out.length)
		errx(2, "--out is too short");
	while (d->bytes < end && !d->error) {
		ssize_t n = send(c->fd, out.bytes + d->bytes, call_size(c, size, end - d->bytes),
				 MSG_NOSIGNAL);

		if (n < 0)
			d->error = errno;
		else
			d->bytes += n;
	}
}

static void compare(struct connection *c, const char *buffer, size_t len)
{
	uint64_t at = c->received.bytes;

	if (c->differs < 0 && (at + len > in.length || memcmp(buffer, in.bytes + at, len)))
		c->differs = at;
}

static void receive_some(struct connection *c, uint64_t count, size_t size)
{
	struct direction *d = &c->received;
	uint64_t left = count;
	char buffer[PIECE];

	while (left && !d->error && !c->ended) {
		ssize_t n = recv(c->fd, buffer, call_size(c, size, left), 0);

		if (n < 0) {
			d->error = errno;
		} else if (!n) {
			c->ended = true;
		} else {
			compare(c, buffer, n);
			d->bytes += n;
			if (left != UNTIL_END)
				left -= n;
		}
	}
}

struct sender {
	struct connection *connection;
	const struct step *step;
};

static void *send_beside(void *argument)
{
	struct sender *sender = argument;

	send_some(sender->connection, sender->step->send, sender->step->size);
	return NULL;
}

static void exchange(struct connection *c, const struct step *step)
{
	struct sender sender = { c, step };
	pthread_t thread;

	if (pthread_create(&thread, NULL, send_beside, &sender))
		errx(1, "no thread");
	receive_some(c, step->receive, PIECE);
	pthread_join(thread, NULL);
}

static void do_step(struct connection *c, const struct step *step)
{
	switch (step->kind) {
	case SEND:
		send_some(c, step->send, step->size);
		break;
	case RECEIVE:
		receive_some(c, step->receive, step->size);
		break;
	case EXCHANGE:
		exchange(c, step);
		break;
	case SHUTDOWN:
		if (shutdown(c->fd, SHUT_WR) && !c->sent.error)
			c->sent.error = errno;
		break;
	case TELL:
		puts("told");
		fflush(stdout);
		break;
	}
}

/* ---- A connection ---- */

static const char *error_name(int error)
{
	return error ? strerrorname_np(error) : "none";
}

static void report(const struct connection *c, const struct signet_result *handshake)
{
	char text[SIGNET_TEXT_MAX] = "";
	struct signet_info info = {};

	signet_info(c->fd, &info);
	signet_error(c->fd, text, sizeof(text));
	printf("handshake=none suite=%s group=%s ", signet_suite_name(handshake->suite),
	       *handshake->group ? handshake->group : "none");
	printf("sent=%ju send_error=%s received=%ju receive_error=%s end=%s data=%s ",
	       (uintmax_t)c->sent.bytes, error_name(c->sent.error), (uintmax_t)c->received.bytes,
	       error_name(c->received.error), c->ended ? "yes" : "no",
	       c->differs < 0 ? "equal" : "differs");
	printf("state=%s error=%s reason=%u alert_sent=%#x alert_received=%#x tx_records=%ju "
	       "rx_records=%ju rx_control=%ju tx_bytes=%ju rx_bytes=%ju peer=%s text=%s\n",
	       signet_state_name(info.state), error_name(info.error), info.reason, info.alert_sent,
	       info.alert_received, (uintmax_t)info.tx_records, (uintmax_t)info.rx_records,
	       (uintmax_t)info.rx_control, (uintmax_t)info.tx_bytes, (uintmax_t)info.rx_bytes,
	       handshake->peer, text);
}

static void set_up_socket(int fd)
{
	struct timeval limit = { .tv_sec = atoi(patience) };
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void serve(int fd, enum signet_role role)
{
	struct connection c = { .fd = fd, .differs = -1, .random = 1 };
	struct signet_result result;
	unsigned int i;

	set_up_socket(fd);
	if (role == SIGNET_ROLE_CLIENT)
		signet_connect(config, fd, name, &result);
	else
		signet_accept(config, fd, &result);
	if (result.error) {
		printf("handshake=%s alert=%#x text=%s\n", error_name(-result.error), result.alert,
		       result.text);
	} else {
		for (i = 0; i < step_count; i++)
			do_step(&c, &steps[i]);
		report(&c, &result);
	}
	fflush(stdout);
	close(fd);
}

static struct addrinfo *resolve(const char *where)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *found;
	char host[256], port[8];
	int error;

	if (sscanf(where, "[%255[^]]]:%7s", host, port) != 2 &&
	    sscanf(where, "%255[^:]:%7s", host, port) != 2)
		errx(2, "ADDRESS:PORT is wanted, not '%s'", where);
	error = getaddrinfo(host, port, &hints, &found);
	if (error)
		errx(2, "%s: %s", where, gai_strerror(error));
	return found;
}

static void connect_times(const char *where, unsigned int count)
{
	struct addrinfo *address = resolve(where);
	unsigned int i;

	for (i = 0; !count || i < count; i++) {
		int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			err(1, "socket");
		/* No more of them: whoever listened has what he wanted. */
		if (connect(fd, address->ai_addr, address->ai_addrlen)) {
			if (!count)
				break;
			err(1, "%s", where);
		}
		serve(fd, SIGNET_ROLE_CLIENT);
	}
	freeaddrinfo(address);
}

static void accept_times(const char *where, unsigned int count)
{
	struct addrinfo *address = resolve(where);
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	unsigned int i;
	char port[8];
	int listener;

	listener = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, address->ai_addr, address->ai_addrlen) ||
	    listen(listener, SOMAXCONN))
		err(1, "listening at %s", where);
	freeaddrinfo(address);
	getsockname(listener, (struct sockaddr *)&bound, &len);
	getnameinfo((struct sockaddr *)&bound, len, NULL, 0, port, sizeof(port), NI_NUMERICSERV);
	printf("port %s\n", port);
	fflush(stdout);
	for (i = 0; !count || i < count; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			err(1, "accept");
		serve(fd, SIGNET_ROLE_SERVER);
	}
	close(listener);
}

/* ---- Start ---- */

static uint64_t parse_count(const char *text)
{
	char *end;
	uint64_t count;

	if (text && !strcmp(text, "end"))
		return UNTIL_END;
	count = text ? strtoull(text, &end, 10) : 0;
	if (!text || end == text || *end)
		errx(2, "a number is wanted, not '%s'", text ? text : "");
	return count;
}

static size_t parse_size(const char *text)
{
	uint64_t size;

	if (!text)
		return PIECE;
	if (!strcmp(text, "random"))
		return 0;
	size = parse_count(text);
	return size && size < PIECE ? size : PIECE;
}

static struct step parse_step(char *text)
{
	const char *kind = strsep(&text, ":");
	struct step step = {};

	if (!strcmp(kind, "send") || !strcmp(kind, "exchange"))
		step.send = parse_count(strsep(&text, ":"));
	if (!strcmp(kind, "receive") || !strcmp(kind, "exchange"))
		step.receive = parse_count(strsep(&text, ":"));
	if (!strcmp(kind, "send"))
		step.kind = SEND;
	else if (!strcmp(kind, "receive"))
		step.kind = RECEIVE;
	else if (!strcmp(kind, "exchange"))
		step.kind = EXCHANGE;
	else if (!strcmp(kind, "shutdown"))
		step.kind = SHUTDOWN;
	else if (!strcmp(kind, "tell"))
		step.kind = TELL;
	else
		errx(2, "what is the step '%s'? See --help", kind);
	step.size = parse_size(text);
	return step;
}

static void map(const char *file, struct data *data)
{
	struct stat stat;
	void *bytes;
	int fd;

	if (!file)
		return;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat))
		err(2, "%s", file);
	bytes = mmap(NULL, stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		err(2, "%s", file);
	close(fd);
	data->bytes = bytes;
	data->length = stat.st_size;
}

static void must(int error, const char *what)
{
	if (error)
		errx(2, "%s: %s", what, signet_strerror(error));
}

static void make_config(enum signet_role role)
{
	must(signet_config_new(role, &config), "configuration");
	if (ca)
		must(signet_config_ca_file(config, ca), ca);
	if (certificate)
		must(signet_config_certificate(config, certificate, key), certificate);
	if (timeout)
		must(signet_config_timeout(config, parse_count(timeout)), "--timeout");
}

static void parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "ca", 1, NULL, 0 },
		{ "cert", 1, NULL, 0 },
		{ "key", 1, NULL, 0 },
		{ "name", 1, NULL, 0 },
		{ "out", 1, NULL, 0 },
		{ "in", 1, NULL, 0 },
		{ "times", 1, NULL, 0 },
		{ "patience", 1, NULL, 0 },
		{ "timeout", 1, NULL, 0 },
		{ "help", 0, NULL, 'h' },
		{},
	};
	static const char **const values[] = { &ca,    &certificate, &key,
					       &name,  &out_file,    &in_file,
					       &times, &patience,    &timeout };
	int option, index;

	while ((option = getopt_long(argc, argv, "", known, &index)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option)
			exit(2);
		*values[index] = optarg;
	}
	if (argc - optind < 2)
		errx(2, "'connect' or 'accept' and ADDRESS:PORT are needed; see --help");
}

int main(int argc, char **argv)
{
	bool client;
	int i;

	parse_options(argc, argv);
	client = !strcmp(argv[optind], "connect");
	if (!client && strcmp(argv[optind], "accept"))
		errx(2, "'connect' or 'accept' is wanted, not '%s'", argv[optind]);
	for (i = optind + 2; i < argc; i++) {
		if (step_count == sizeof(steps) / sizeof(steps[0]))
			errx(2, "too many steps");
		steps[step_count++] = parse_step(argv[i]);
	}
	map(out_file, &out);
	map(in_file, &in);
	make_config(client ? SIGNET_ROLE_CLIENT : SIGNET_ROLE_SERVER);
	if (client)
		connect_times(argv[optind + 1], parse_count(times));
	else
		accept_times(argv[optind + 1], parse_count(times));
	signet_config_free(config);
	return 0;
}
