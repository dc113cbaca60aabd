// SPDX-License-Identifier: GPL-2.0-only
/*
 * The harness ends a test that hangs by alarm(), after seconds that suit a kernel of
 * ordinary speed. The one that watches itself (scripts/vm --debug) is 15 times slower, and
 * so slow is this clock there: what is linked with this file keeps its limits in terms of
 * work. Also upstream's selftest, whose source knows no other limit than 30 s.
 */
#include <string.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DEBUG_KERNEL "-signet-debug"
#define DEBUG_KERNEL_SLOWNESS 15

static unsigned int slowness(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.release, DEBUG_KERNEL) ? DEBUG_KERNEL_SLOWNESS : 1;
}

unsigned int alarm(unsigned int seconds)
{
	struct itimerval next = { .it_value.tv_sec = (time_t)seconds * slowness() }, last;

	if (setitimer(ITIMER_REAL, &next, &last))
		return 0;
	return last.it_value.tv_sec + (last.it_value.tv_usec > 0);
}
