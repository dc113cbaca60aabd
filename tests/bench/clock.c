// SPDX-License-Identifier: GPL-2.0-only
#include "clock.h"

#include <err.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static clockid_t idle;
static bool subtracts;
static int cycles = -1;

static void *spin(void *unused)
{
	volatile unsigned long turns = 0;

	(void)unused;
	for (;;)
		turns++;
	return NULL;
}

static double read_clock(clockid_t id)
{
	struct timespec time;

	if (clock_gettime(id, &time))
		err(1, "clock");
	return time.tv_sec * 1e9 + time.tv_nsec;
}

void clock_subtract_idle(void)
{
	struct sched_param none = {};
	pthread_attr_t attributes;
	pthread_t thread;

	if (subtracts)
		return;
	pthread_attr_init(&attributes);
	errno = pthread_create(&thread, &attributes, spin, NULL);
	if (!errno)
		errno = pthread_setschedparam(thread, SCHED_IDLE, &none);
	if (!errno)
		errno = pthread_getcpuclockid(thread, &idle);
	if (errno)
		err(1, "a thread for idle time");
	pthread_attr_destroy(&attributes);
	subtracts = true;
}

void clock_count_cycles(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.inherit = 1,
	};

	cycles = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (cycles < 0)
		err(1, "this machine does not count cycles");
}

static double read_cycles(void)
{
	uint64_t value;

	if (read(cycles, &value, sizeof(value)) != sizeof(value))
		err(1, "cycles");
	return value;
}

double clock_now(void)
{
	double now;

	if (cycles >= 0)
		return read_cycles();
	now = read_clock(CLOCK_MONOTONIC);
	return subtracts ? now - read_clock(idle) : now;
}
