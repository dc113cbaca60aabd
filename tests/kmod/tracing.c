// SPDX-License-Identifier: GPL-2.0-only
#include "tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define TRACING "/sys/kernel/tracing"
#define INSTANCE TRACING "/instances/signet-test"

int tracing_begin(void)
{
	if (access(TRACING "/instances", F_OK) && mount("tracefs", TRACING, "tracefs", 0, NULL))
		return -1;
	/* What a test that was ended left behind. */
	if (rmdir(INSTANCE) && errno != ENOENT)
		return -1;
	if (mkdir(INSTANCE, 0700) || tracing_record(false))
		return -1;
	/* For each processor. */
	return file_write(INSTANCE "/buffer_size_kb", "8192");
}

int tracing_add(const char *event, const char *filter)
{
	char path[160];

	snprintf(path, sizeof(path), INSTANCE "/events/%s/filter", event);
	if (filter && file_write(path, filter))
		return -1;
	snprintf(path, sizeof(path), INSTANCE "/events/%s/enable", event);
	return file_write(path, "1");
}

int tracing_record(bool on)
{
	return file_write(INSTANCE "/tracing_on", on ? "1" : "0");
}

int tracing_clear(void)
{
	/* That happens to whoever opens it to write it anew. */
	int fd = open(INSTANCE "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

int tracing_read(char *text, size_t size)
{
	return file_read(INSTANCE "/trace", text, size) < 0 || strstr(text, "LOST") ? -1 : 0;
}

int tracing_end(void)
{
	return rmdir(INSTANCE);
}
