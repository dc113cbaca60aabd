// SPDX-License-Identifier: GPL-2.0-only
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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
