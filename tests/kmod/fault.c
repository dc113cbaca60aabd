// SPDX-License-Identifier: GPL-2.0-only
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

#define DEBUGFS "/sys/kernel/debug/"

static int fail_nth = -1;

int fault_setup(void)
{
	/* Allocations that may sleep, of any size, fail too; nothing is logged. */
	static const char *const settings[][2] = {
		{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "failslab/verbose", "0" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ DEBUGFS "fail_page_alloc/min-order", "0" },
		{ DEBUGFS "fail_page_alloc/verbose", "0" },
		{ DEBUGFS "fail_usercopy/verbose", "0" },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (file_write(settings[i][0], settings[i][1]))
			return -1;
	}
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	return fail_nth < 0 ? -1 : 0;
}

void fault_arm(int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", nth);

	if (pwrite(fail_nth, text, n, 0) != n) {
		perror("fail-nth");
		abort();
	}
}

bool fault_disarm(void)
{
	char text[16] = "";
	int error = errno;
	bool hit;
	ssize_t n;

	/* Reading copies to userspace, so what is left to fail may fail here. */
	n = pread(fail_nth, text, sizeof(text) - 1, 0);
	hit = n > 0 && atoi(text) == 0;
	/* So may writing; a second time it does not. */
	if (pwrite(fail_nth, "0", 1, 0) != 1 && pwrite(fail_nth, "0", 1, 0) != 1) {
		perror("fail-nth");
		abort();
	}
	errno = error;
	return hit;
}

/* Where the module's function starts, and where the next one does. Return: 0 or -1. */
static int find_function(const char *name, unsigned long *start, unsigned long *end)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	unsigned long address;
	char line[300], symbol[200], module[64];

	if (!symbols)
		return -1;
	*start = 0;
	*end = ULONG_MAX;
	while (fgets(line, sizeof(line), symbols)) {
		if (sscanf(line, "%lx %*c %199s %63s", &address, symbol, module) == 3 &&
		    !strcmp(module, "[signet]") && !strcmp(symbol, name))
			*start = address;
	}
	rewind(symbols);
	while (fgets(line, sizeof(line), symbols)) {
		if (sscanf(line, "%lx", &address) == 1 && address > *start && address < *end)
			*end = address;
	}
	fclose(symbols);
	return *start ? 0 : -1;
}

static int set_function(unsigned long start, unsigned long end, const char *probability)
{
	char from[32], to[32];

	snprintf(from, sizeof(from), "0x%lx", start);
	snprintf(to, sizeof(to), "0x%lx", end);
	return file_write(DEBUGFS "failslab/probability", "0") ||
			       file_write(DEBUGFS "failslab/stacktrace-depth", "32") ||
			       file_write(DEBUGFS "failslab/require-start", from) ||
			       file_write(DEBUGFS "failslab/require-end", to) ||
			       file_write(DEBUGFS "failslab/times", "1000000") ||
			       file_write(DEBUGFS "failslab/probability", probability) ?
		       -1 :
		       0;
}

int fault_function(const char *name)
{
	unsigned long start, end;

	if (!name)
		return set_function(0, ULONG_MAX, "0");
	return find_function(name, &start, &end) ? -1 : set_function(start, end, "100");
}
