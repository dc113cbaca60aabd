// SPDX-License-Identifier: GPL-3.0-or-later
#include "generation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "signer.h"
#include "worker.h"

/* Thousands of keys are read in less, in milliseconds. */
#define START_TIMEOUT 60000

/**
 * struct links - what ties the processes together, until each has its own part
 * @signers:	of each thread: the worker's end, the signer's end
 * @control:	the worker's end, ours
 */
struct links {
	int (*signers)[2];
	unsigned int count;
	int control[2];
};

static void close_links(struct links *links, bool worker_ends, bool signer_ends)
{
	for (unsigned int i = 0; i < links->count; i++) {
		if (worker_ends)
			close(links->signers[i][0]);
		if (signer_ends)
			close(links->signers[i][1]);
	}
}

static bool make_links(struct links *links, unsigned int count)
{
	links->signers = calloc(count, sizeof(*links->signers));
	if (!links->signers || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, links->control))
		return false;
	for (links->count = 0; links->count < count; links->count++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       links->signers[links->count]))
			return false;
	return true;
}

/* One column of the links. */
static int *ends_of(const struct links *links, int side)
{
	int *ends = calloc(links->count, sizeof(*ends));

	for (unsigned int i = 0; ends && i < links->count; i++)
		ends[i] = links->signers[i][side];
	return ends;
}

static void run_signer(const struct generation_start *start, struct links *links, int report)
{
	const struct signer_start signer = { start->settings, ends_of(links, 1), links->count,
					     report };

	close_links(links, true, false);
	close(links->control[0]);
	close(links->control[1]);
	close(start->device);
	shared_unmap(start->shared);
	signer_run(&signer);
}

static void run_worker(const struct generation_start *start, struct links *links, int report)
{
	const struct worker_start worker = {
		.profiles = start->profiles,
		.shared = start->shared,
		.sessions = start->sessions,
		.device = start->device,
		.control = links->control[0],
		.signers = ends_of(links, 0),
		.count = links->count,
		.slot = start->slot,
		.report = report,
	};

	close_links(links, false, true);
	close(links->control[1]);
	worker_run(&worker);
}

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Return: whether a line of the report was the one that says that all is well. */
static bool read_lines(FILE *report, void (*complaint)(const char *line))
{
	char *line = NULL;
	bool ready = false;
	size_t room = 0;
	ssize_t length;

	while (!ready && (length = getline(&line, &room, report)) > 0) {
		line[length - 1] = '\0';
		ready = length == 1;
		if (!ready)
			complaint(line);
	}
	free(line);
	return ready;
}

static bool is_ready(int fd, void (*complaint)(const char *line))
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	FILE *report = fdopen(fd, "r");
	bool ready = false;

	if (!report) {
		close(fd);
		return false;
	}
	if (poll(&waiting, 1, START_TIMEOUT) > 0)
		ready = read_lines(report, complaint);
	else
		complaint("the new process does not become ready");
	fclose(report);
	return ready;
}

/* Return: its process, or -1. It is ready then. */
static pid_t start_process(const struct generation_start *start, struct links *links,
			   void (*run)(const struct generation_start *, struct links *, int),
			   void (*complaint)(const char *line))
{
	int report[2];
	pid_t pid;

	if (pipe2(report, O_CLOEXEC)) {
		complaint("no pipe");
		return -1;
	}
	pid = fork();
	if (!pid) {
		close(report[0]);
		start->forget(start->context);
		reset_signals();
		run(start, links, report[1]);
		_exit(1);
	}
	close(report[1]);
	if (pid < 0) {
		complaint(strerror(errno));
		close(report[0]);
		return -1;
	}
	if (is_ready(report[0], complaint))
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
}

static bool start_both(struct generation *generation, const struct generation_start *start,
		       struct links *links, void (*complaint)(const char *line))
{
	generation->signer = start_process(start, links, run_signer, complaint);
	if (generation->signer < 0)
		return false;
	generation->worker = start_process(start, links, run_worker, complaint);
	if (generation->worker > 0)
		return true;
	kill(generation->signer, SIGKILL);
	waitpid(generation->signer, NULL, 0);
	return false;
}

bool generation_begin(struct generation *generation, const struct generation_start *start,
		      void (*complaint)(const char *line))
{
	struct links links = { .control = { -1, -1 } };
	bool good;

	memset(&start->shared->workers[start->slot], 0, sizeof(start->shared->workers[0]));
	*generation = (struct generation){ .control = -1 };
	good = make_links(&links, start->threads);
	if (!good)
		complaint(strerror(errno));
	else
		good = start_both(generation, start, &links, complaint);
	close_links(&links, true, true);
	free(links.signers);
	close(links.control[0]);
	if (good) {
		generation->control = links.control[1];
		generation->started = now();
		return true;
	}
	close(links.control[1]);
	*generation = (struct generation){ .control = -1 };
	return false;
}

void generation_drain(struct generation *generation)
{
	if (generation->control < 0)
		return;
	close(generation->control);
	generation->control = -1;
}

bool generation_is_free(const struct generation *generation)
{
	return !generation->signer && !generation->worker;
}

void generation_kill(struct generation *generation)
{
	if (generation->worker)
		kill(generation->worker, SIGKILL);
	if (generation->signer)
		kill(generation->signer, SIGKILL);
}
