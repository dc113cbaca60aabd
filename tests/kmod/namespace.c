// SPDX-License-Identifier: GPL-2.0-only
#include "namespace.h"

#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"

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

static void default_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "/proc/sys/net/signet/%s", name);
}

int default_set(const char *name, const char *value)
{
	char path[128];

	default_path(path, sizeof(path), name);
	return file_write(path, value);
}

long default_get(const char *name)
{
	char path[128], text[64];

	default_path(path, sizeof(path), name);
	return file_read(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

long counter_get(const char *name)
{
	return file_number("/proc/net/signet_stat", name);
}
