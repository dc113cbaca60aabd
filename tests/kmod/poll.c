// SPDX-License-Identifier: GPL-2.0-only
/*
 * The harness waits by poll() for a test's process, and ends it after seconds that suit a
 * machine of ordinary speed. An emulated one, beside others on a busy host, is several times
 * slower, and there the kernel that watches itself (scripts/vm --debug) 15 times: so slow is that
 * clock here, and what is linked with this file keeps its limits in terms of work. Also upstream's
 * selftest, whose source knows no other limit than 30 s.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DEBUG_KERNEL "-signet-debug"
#define DEBUG_KERNEL_SLOWNESS 15
#define SLOWNESS 4

static int slowness(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.release, DEBUG_KERNEL) ? DEBUG_KERNEL_SLOWNESS :
								     SLOWNESS;
}

/* Nobody but the harness waits for a process. */
static int is_process(int fd)
{
	char path[40], target[40];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	return strstr(target, "pidfd") != NULL;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (timeout > 0 && count == 1 && is_process(fds[0].fd))
		timeout *= slowness();
	return syscall(SYS_poll, fds, count, timeout);
}
