// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../userspace/tap.h"
#include "client.h"
#include "link.h"

#define WARM_UP 32

/**
 * struct rig - one server and one client for one trial
 * @configuration: the server's
 * @batch:	of the plan
 */
struct rig {
	const struct server *server;
	void *configuration;
	struct client *client;
	unsigned int batch;
};

struct pair {
	struct link link;
	void *client;
	void *server;
	int client_status;
	int server_status;
};

static double processor_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static void begin_clients(const struct rig *rig, struct pair *pairs, enum wire wire)
{
	for (unsigned int i = 0; i < rig->batch; i++) {
		link_open(&pairs[i].link, wire);
		pairs[i].client = client_begin(rig->client, pairs[i].link.client);
		pairs[i].client_status = 1;
	}
}

static double begin_servers(const struct rig *rig, struct pair *pairs)
{
	double from = processor_time();

	for (unsigned int i = 0; i < rig->batch; i++) {
		pairs[i].server = rig->server->begin(rig->configuration, pairs[i].link.server);
		pairs[i].server_status = 1;
	}
	return processor_time() - from;
}

/* Return: whether one of them has not finished. */
static bool step_clients(const struct rig *rig, struct pair *pairs)
{
	bool more = false;

	for (unsigned int i = 0; i < rig->batch; i++) {
		if (pairs[i].client_status)
			pairs[i].client_status = client_step(pairs[i].client);
		more |= pairs[i].client_status;
	}
	return more;
}

static double step_servers(const struct rig *rig, struct pair *pairs, bool *more)
{
	double from = processor_time();

	for (unsigned int i = 0; i < rig->batch; i++) {
		if (pairs[i].server_status)
			pairs[i].server_status = rig->server->step(pairs[i].server);
		*more |= pairs[i].server_status;
	}
	return processor_time() - from;
}

static double end_servers(const struct rig *rig, struct pair *pairs)
{
	double from = processor_time();

	for (unsigned int i = 0; i < rig->batch; i++)
		rig->server->end(pairs[i].server);
	return processor_time() - from;
}

static void end_clients(const struct rig *rig, struct pair *pairs)
{
	for (unsigned int i = 0; i < rig->batch; i++) {
		client_end(rig->client, pairs[i].client);
		link_close(&pairs[i].link);
	}
}

/* Return: nanoseconds of the servers' part. */
static double run_batch(const struct rig *rig, enum wire wire)
{
	struct pair pairs[BATCH_MAX];
	bool more = true;
	double ns;

	begin_clients(rig, pairs, wire);
	ns = begin_servers(rig, pairs);
	for (int i = 0; more; i++) {
		if (i == STEPS_MAX)
			bail("%s: a handshake has no end", rig->server->name);
		more = step_clients(rig, pairs);
		ns += step_servers(rig, pairs, &more);
	}
	ns += end_servers(rig, pairs);
	end_clients(rig, pairs);
	return ns;
}

static double run(const struct rig *rig, enum wire wire, unsigned int handshakes)
{
	unsigned int batches = (handshakes + rig->batch - 1) / rig->batch;
	double ns = 0;

	for (unsigned int i = 0; i < batches; i++)
		ns += run_batch(rig, wire);
	return ns / (batches * rig->batch);
}

static void set_up(struct rig *rig, const struct server *server, const struct trial *trial,
		   unsigned int batch)
{
	rig->batch = batch;
	rig->server = server;
	rig->configuration = server->open(trial);
	rig->client = client_open(trial);
	client_learn(rig->client, server, rig->configuration);
	for (int wire = 0; wire < WIRE_COUNT; wire++)
		(void)run(rig, wire, WARM_UP);
}

static void tear_down(struct rig *rig)
{
	client_close(rig->client);
	rig->server->close(rig->configuration);
}

void exercise(const struct server *server, const struct trial *trial, const struct plan *plan)
{
	struct rig rig;

	set_up(&rig, server, trial, plan->batch);
	printf("%s, %s: %.0f ns\n", trial->title, server->name,
	       run(&rig, WIRE_MEMORY, plan->handshakes));
	tear_down(&rig);
}

static void run_round(struct rig rigs[TRIAL_COUNT][SERVER_COUNT], unsigned int handshakes,
		      struct measurement *measurement)
{
	unsigned int round = measurement->rounds++;

	for (int trial = 0; trial < TRIAL_COUNT; trial++) {
		for (int wire = 0; wire < WIRE_COUNT; wire++) {
			for (int server = 0; server < SERVER_COUNT; server++)
				measurement->costs[trial][wire][server].ns[round] =
					run(&rigs[trial][server], wire, handshakes);
		}
	}
}

void measure(const struct plan *plan, struct measurement *measurement)
{
	struct rig rigs[TRIAL_COUNT][SERVER_COUNT];

	measurement->rounds = 0;
	for (int trial = 0; trial < TRIAL_COUNT; trial++) {
		for (int server = 0; server < SERVER_COUNT; server++)
			set_up(&rigs[trial][server], servers[server], &trials[trial], plan->batch);
	}
	for (unsigned int round = 0; round < plan->rounds; round++) {
		run_round(rigs, plan->handshakes, measurement);
		fprintf(stderr, "round %u of %u\n", round + 1, plan->rounds);
	}
	for (int trial = 0; trial < TRIAL_COUNT; trial++) {
		for (int server = 0; server < SERVER_COUNT; server++)
			tear_down(&rigs[trial][server]);
	}
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double median_ns(const struct measurement *measurement, unsigned int trial, enum wire wire,
		 enum server_number server)
{
	double values[ROUNDS_MAX];

	memcpy(values, measurement->costs[trial][wire][server].ns, sizeof(values));
	return median(values, measurement->rounds);
}

double median_ratio(const struct measurement *measurement, unsigned int trial, enum wire wire,
		    enum server_number server)
{
	const struct costs *costs = measurement->costs[trial][wire];
	double values[ROUNDS_MAX];

	for (unsigned int i = 0; i < measurement->rounds; i++)
		values[i] = costs[SERVER_OPENSSL].ns[i] / costs[server].ns[i];
	return median(values, measurement->rounds);
}
