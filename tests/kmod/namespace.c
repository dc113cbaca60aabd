// SPDX-License-Identifier: GPL-2.0-only
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int namespace_enter(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd, ret;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	ret = ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP;
	if (!ret)
		ret = ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return ret;
}

static int open_default(const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/signet/%s", name);
	return open(path, flags | O_CLOEXEC);
}

int default_set(const char *name, const char *value)
{
	int fd = open_default(name, O_WRONLY);
	int error;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	error = errno;
	close(fd);
	errno = error;
	return n == (ssize_t)strlen(value) ? 0 : -1;
}

long default_get(const char *name)
{
	int fd = open_default(name, O_RDONLY);
	char text[64] = {};
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 10) : -1;
}

long counter_get(const char *name)
{
	FILE *file = fopen("/proc/net/signet_stat", "re");
	char found[64];
	long value, ret = -1;

	if (!file)
		return -1;
	while (fscanf(file, "%63s %ld", found, &value) == 2) {
		if (!strcmp(found, name))
			ret = value;
	}
	fclose(file);
	return ret;
}
