/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server holds for a client that has sent its hello and then nothing more. */
#ifndef SIGNET_BENCH_MEMORY_H
#define SIGNET_BENCH_MEMORY_H

#include "trial.h"

/* Bytes for each half-open handshake: 12 KB, of which there are kinds with more bytes. */
#define MEMORY_MAX 12000

/* The trials that it is measured for: it depends on the group alone. */
enum memory_case { MEMORY_X25519, MEMORY_HYBRID, MEMORY_COUNT };

extern const unsigned int memory_trials[MEMORY_COUNT];

/**
 * struct footprint - of one half-open handshake, in bytes
 * @resident:	what the process has grown by
 * @heap:	what malloc() has given out
 */
struct footprint {
	double resident;
	double heap;
};

/* Each in a process of its own, with so many handshakes that are open at once. */
void measure_memory(unsigned int handshakes,
		    struct footprint footprints[MEMORY_COUNT][SERVER_COUNT]);

#endif
