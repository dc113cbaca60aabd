// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a message costs, by several transports in turn.
 *
 *   bench_messages [OPTION...] MODE CALL SUITE BYTES TRANSPORT...
 *
 *   --cell TEXT		what the line of output is called
 *   --repeats N		samples per transport (9)
 *   --counted			subtract idle time: for scripts/vm --icount
 *   --cycles			the processor's cycles in place of time
 *   --sender FILE		network namespace of the sender, of the receiver, and
 *   --receiver FILE		  the receiver's address (127.0.0.1)
 *   --address ADDRESS
 *   --profile SLOT		marks the samples of the first transport with this number, of
 *				  the next with the next (see mark.h)
 *
 * MODE is "pingpong" (one thread sends, then receives: nothing ever waits), "stream" (two
 * threads) or "latency" (request and response between two threads). All connections exist at
 * once; each repeat takes one sample of each transport, so that what disturbs one disturbs
 * all. The transport "AEAD" is the cipher alone (tests/module/signet_aead.c).
 *
 * Prints one line of JSON with nanoseconds per operation; on the counted clock those are
 * instructions. An operation is one message, or what CALL sends at once.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "clock.h"
#include "connection.h"
#include "mark.h"

#define TRANSPORTS_MAX 8
#define REPEATS_MAX 64
#define LATENCIES 500

enum mode { PINGPONG, STREAM, LATENCY };

/**
 * struct contender - a transport that is measured
 * @name:	its name
 * @connection:	its connection; unused for the cipher alone
 * @exchange:	how it is used
 * @aead:	descriptor of the cipher alone, or -1
 * @error:	errno where the transport refuses the call
 * @samples:	nanoseconds per operation; in latency mode those that 50 %, 99 % and
 *		99.9 % of the exchanges stay below
 */
struct contender {
	const char *name;
	struct connection connection;
	struct exchange exchange;
	int aead;
	int error;
	double samples[REPEATS_MAX][3];
};

/**
 * struct plan - what to measure
 */
struct plan {
	const char *cell;
	enum mode mode;
	const struct call *call;
	const struct suite *suite;
	struct path path;
	size_t size;
	int repeats;
	bool counted;
	int profile;
};

/* --- one operation -------------------- */

static void fail(const struct contender *contender)
{
	err(1, "%s: %s", contender->name, contender->exchange.call->name);
}

static void pingpong(struct contender *contender, unsigned int operations)
{
	struct exchange *exchange = &contender->exchange;

	while (operations--) {
		if (exchange->call->send(exchange) || exchange->call->receive(exchange))
			fail(contender);
	}
}

struct flow {
	struct contender *contender;
	unsigned int operations;
};

static void *receive_all(void *argument)
{
	struct flow *flow = argument;
	struct exchange *exchange = &flow->contender->exchange;

	while (flow->operations--) {
		if (exchange->call->receive(exchange))
			fail(flow->contender);
	}
	return NULL;
}

static void stream(struct contender *contender, unsigned int operations)
{
	struct flow flow = { contender, operations };
	struct exchange *exchange = &contender->exchange;
	pthread_t receiver;

	errno = pthread_create(&receiver, NULL, receive_all, &flow);
	if (errno)
		err(1, "pthread_create");
	while (operations--) {
		if (exchange->call->send(exchange))
			fail(contender);
	}
	pthread_join(receiver, NULL);
}

/* --- request and response -------------------- */

static void *respond_all(void *argument)
{
	struct flow *flow = argument;
	struct exchange *exchange = &flow->contender->exchange;

	while (flow->operations--) {
		connection_receive(exchange->connection, 1, exchange->to, exchange->size);
		connection_send(exchange->connection, 1, exchange->to, exchange->size);
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void latency(struct contender *contender, double sample[3])
{
	struct flow flow = { contender, LATENCIES };
	struct exchange *exchange = &contender->exchange;
	static double taken[LATENCIES];
	pthread_t responder;

	errno = pthread_create(&responder, NULL, respond_all, &flow);
	if (errno)
		err(1, "pthread_create");
	for (int i = 0; i < LATENCIES; i++) {
		double start = clock_now();

		connection_send(exchange->connection, 0, exchange->from, exchange->size);
		connection_receive(exchange->connection, 0, exchange->from, exchange->size);
		taken[i] = clock_now() - start;
	}
	pthread_join(responder, NULL);
	qsort(taken, LATENCIES, sizeof(*taken), compare);
	sample[0] = taken[LATENCIES / 2];
	sample[1] = taken[LATENCIES * 99 / 100];
	sample[2] = taken[LATENCIES * 999 / 1000];
}

/* --- the cipher alone -------------------- */

static void aead_command(int fd, const char *command)
{
	if (write(fd, command, strlen(command)) != (ssize_t)strlen(command))
		err(1, "/proc/signet_aead: %s", command);
}

static void aead_open(struct contender *contender, const struct plan *plan)
{
	char command[128];

	contender->aead = open("/proc/signet_aead", O_RDWR | O_CLOEXEC);
	if (contender->aead < 0) {
		contender->error = errno;
		return;
	}
	snprintf(command, sizeof(command), "key %s %u", plan->suite->kernel, plan->suite->key_len);
	aead_command(contender->aead, command);
}

static void aead_run(struct contender *contender, const struct plan *plan, unsigned int operations)
{
	char command[128];

	snprintf(command, sizeof(command), "run %zu %u", plan->size,
		 operations * plan->call->messages);
	aead_command(contender->aead, command);
}

/* --- samples -------------------- */

/* So many that timer ticks and the like even out: 20 million instructions or so. */
static unsigned int operations_of(const struct plan *plan)
{
	size_t bytes = plan->size * plan->call->messages;

	if (plan->call->messages > 1)
		return bytes > 65536 ? 10 : 60;
	if (bytes <= 4096)
		return 500;
	if (bytes <= 16384)
		return 200;
	return bytes <= 262144 ? 3276800 / bytes : 8;
}

static void open_contender(struct contender *contender, const struct plan *plan, int listener)
{
	const struct transport *transport;
	/* Without a second thread, what is under way must have room. */
	int buffer = plan->mode == PINGPONG && plan->size > 65536 ? 4 * plan->size : 0;

	contender->aead = -1;
	if (!strcmp(contender->name, "AEAD")) {
		aead_open(contender, plan);
		return;
	}
	transport = transport_find(contender->name);
	if (!transport)
		errx(2, "unknown transport: %s", contender->name);
	if (connection_open(&contender->connection, &plan->path, listener, transport, plan->suite,
			    buffer) ||
	    exchange_open(&contender->exchange, &contender->connection, plan->call, plan->size))
		contender->error = errno;
}

/* Caches, windows, page fragments; and whether the transport knows the call at all. */
static void warm_up(struct contender *contender, const struct plan *plan)
{
	struct exchange *exchange = &contender->exchange;

	if (contender->error)
		return;
	if (contender->aead >= 0) {
		aead_run(contender, plan, operations_of(plan));
		return;
	}
	if (exchange->call->send(exchange)) {
		contender->error = errno;
		return;
	}
	if (exchange->call->receive(exchange))
		fail(contender);
	pingpong(contender, plan->mode == PINGPONG ? operations_of(plan) : 0);
	if (plan->mode == STREAM)
		stream(contender, operations_of(plan));
}

static void take_sample(struct contender *contender, const struct plan *plan, double sample[3])
{
	unsigned int operations = operations_of(plan);
	double start;

	if (plan->mode == LATENCY) {
		latency(contender, sample);
		return;
	}
	start = clock_now();
	if (contender->aead >= 0)
		aead_run(contender, plan, operations);
	else if (plan->mode == STREAM)
		stream(contender, operations);
	else
		pingpong(contender, operations);
	sample[0] = (clock_now() - start) / operations;
}

static void print_samples(const struct contender *contender, const struct plan *plan)
{
	printf("\"%s\":[", contender->name);
	for (int i = 0; i < plan->repeats; i++) {
		const double *sample = contender->samples[i];

		printf("%s", i ? "," : "");
		if (plan->mode == LATENCY)
			printf("[%.0f,%.0f,%.0f]", sample[0], sample[1], sample[2]);
		else
			printf("%.1f", sample[0]);
	}
	printf("]");
}

static void print_cell(const struct contender *contenders, int count, const struct plan *plan)
{
	const char *comma = "";

	printf("{\"cell\":\"%s\",\"messages\":%u,\"bytes\":%zu,\"operations\":%u,\"samples\":{",
	       plan->cell, plan->call->messages, plan->size, operations_of(plan));
	for (int i = 0; i < count; i++) {
		if (contenders[i].error)
			continue;
		printf("%s", comma);
		print_samples(&contenders[i], plan);
		comma = ",";
	}
	printf("},\"refused\":{");
	comma = "";
	for (int i = 0; i < count; i++) {
		if (!contenders[i].error)
			continue;
		printf("%s\"%s\":\"%s\"", comma, contenders[i].name, strerror(contenders[i].error));
		comma = ",";
	}
	printf("}}\n");
}

static void measure(struct contender *contenders, int count, const struct plan *plan)
{
	int listener = path_listen(&plan->path);

	for (int i = 0; i < count; i++)
		open_contender(&contenders[i], plan, listener);
	if (plan->counted)
		clock_subtract_idle();
	for (int i = 0; i < count; i++)
		warm_up(&contenders[i], plan);
	for (int repeat = 0; repeat < plan->repeats; repeat++) {
		for (int i = 0; i < count; i++) {
			if (contenders[i].error)
				continue;
			if (plan->profile)
				mark(plan->profile + i);
			take_sample(&contenders[i], plan, contenders[i].samples[repeat]);
			if (plan->profile)
				mark(0);
		}
	}
	print_cell(contenders, count, plan);
}

/* --- the command line -------------------- */

static void usage(void)
{
	errx(2, "usage: bench_messages [OPTION...] MODE CALL SUITE BYTES TRANSPORT...");
}

static void parse_options(struct plan *plan, int argc, char **argv)
{
	static const struct option options[] = {
		{ "cell", required_argument, NULL, 'c' },
		{ "repeats", required_argument, NULL, 'n' },
		{ "counted", no_argument, NULL, 'i' },
		{ "cycles", no_argument, NULL, 'y' },
		{ "sender", required_argument, NULL, 's' },
		{ "receiver", required_argument, NULL, 'r' },
		{ "address", required_argument, NULL, 'a' },
		{ "profile", required_argument, NULL, 'p' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			plan->cell = optarg;
			break;
		case 'n':
			plan->repeats = atoi(optarg);
			break;
		case 'y':
			clock_count_cycles();
			break;
		case 'i':
			plan->counted = true;
			break;
		case 's':
			plan->path.sender = optarg;
			break;
		case 'r':
			plan->path.receiver = optarg;
			break;
		case 'a':
			plan->path.address = optarg;
			break;
		case 'p':
			plan->profile = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (plan->repeats < 1 || plan->repeats > REPEATS_MAX)
		errx(2, "--repeats: 1 to %d", REPEATS_MAX);
	if (plan->profile < 0 || plan->profile > MARK_SLOTS - TRANSPORTS_MAX)
		errx(2, "--profile: 1 to %d", MARK_SLOTS - TRANSPORTS_MAX);
}

static enum mode parse_mode(const char *name)
{
	if (!strcmp(name, "pingpong"))
		return PINGPONG;
	if (!strcmp(name, "stream"))
		return STREAM;
	if (strcmp(name, "latency"))
		errx(2, "unknown mode: %s", name);
	return LATENCY;
}

int main(int argc, char **argv)
{
	static struct contender contenders[TRANSPORTS_MAX];
	struct plan plan = {
		.cell = "",
		.repeats = 9,
		.path = { .address = "127.0.0.1" },
	};
	int count;

	parse_options(&plan, argc, argv);
	argv += optind;
	count = argc - optind - 4;
	if (count < 1 || count > TRANSPORTS_MAX)
		usage();
	plan.mode = parse_mode(argv[0]);
	plan.call = call_find(argv[1]);
	plan.suite = suite_find(argv[2]);
	plan.size = strtoul(argv[3], NULL, 10);
	if (!plan.call || !plan.suite || !plan.size)
		errx(2, "unknown call, suite or size: %s %s %s", argv[1], argv[2], argv[3]);
	for (int i = 0; i < count; i++)
		contenders[i].name = argv[4 + i];
	measure(contenders, count, &plan);
	return 0;
}
