/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much processor time a server's side of a handshake takes. */
#ifndef SIGNET_BENCH_MEASURE_H
#define SIGNET_BENCH_MEASURE_H

#include "trial.h"

#define ROUNDS_MAX 64
#define BATCH_MAX 64

/**
 * struct plan - how much is measured
 * @rounds:	each measures everything once, so that what slows the machine down for a while
 *		slows all servers down
 * @handshakes:	of each server in a round, for each trial and wire
 * @batch:	connections that run side by side: the clock is read once for each step of all of
 *		them, and the processor's caches hold what they need, as on a busy server
 */
struct plan {
	unsigned int rounds;
	unsigned int handshakes;
	unsigned int batch;
};

/**
 * struct costs - one server's side of one trial over one wire
 * @ns:		of the thread's processor time for a handshake, in each round
 */
struct costs {
	double ns[ROUNDS_MAX];
};

/**
 * struct measurement - everything
 * @rounds:	that were made
 */
struct measurement {
	unsigned int rounds;
	struct costs costs[TRIAL_COUNT][WIRE_COUNT][SERVER_COUNT];
};

void measure(const struct plan *plan, struct measurement *measurement);

/* The plan's handshakes of one server in memory, for a profiler to look at. */
void exercise(const struct server *server, const struct trial *trial, const struct plan *plan);

/* The middle of all rounds: nanoseconds, and how many times as fast as OpenSSL in the same round. */
double median_ns(const struct measurement *measurement, unsigned int trial, enum wire wire,
		 enum server_number server);
double median_ratio(const struct measurement *measurement, unsigned int trial, enum wire wire,
		    enum server_number server);

#endif
