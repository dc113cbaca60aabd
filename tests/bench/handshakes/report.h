/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures as a table for a person, as JSON, and against their bounds. */
#ifndef SIGNET_BENCH_REPORT_H
#define SIGNET_BENCH_REPORT_H

#include <stdio.h>

#include "measure.h"
#include "memory.h"

/**
 * struct figures - all of a run
 * @plan:	how it was measured
 * @half_open:	so many were open at once for @footprints
 */
struct figures {
	struct plan plan;
	unsigned int half_open;
	struct measurement measurement;
	struct footprint footprints[MEMORY_COUNT][SERVER_COUNT];
};

void report_table(const struct figures *figures, FILE *file);
void report_json(const struct figures *figures, FILE *file);

/* Prints each figure with its bound. Return: whether all keep to theirs. */
bool report_gates(const struct figures *figures, FILE *file);

#endif
