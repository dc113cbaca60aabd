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

#include "sessions.h"
#include "signer.h"
#include "worker.h"

/* Milliseconds. Thousands of keys are read in less. */
#define START_TIMEOUT 60000
#define WAIT_STEP 1000
/* Beyond the longest handshake: its end has to be noticed, and two processes have to end. */
#define DRAIN_MARGIN 5000
#define REPORT_MAX 16384

/**
 * struct links - what ties the processes together, until each has its own part
 * @signers:	of each thread: the worker's end, the signer's end
 * @control:	the worker's end, ours
 * @state, @sessions: the worker's and ours
 */
struct links {
	int (*signers)[2];
	unsigned int count;
	int control[2];
	struct worker_state *state;
	struct sessions *sessions;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
}

static void close_links(struct links *links, bool worker_ends, bool signer_ends)
{
	for (unsigned int i = 0; i < links->count; i++) {
		if (worker_ends)
			close(links->signers[i][0]);
		if (signer_ends)
			close(links->signers[i][1]);
	}
}

static bool make_memory(struct links *links, const struct generation_start *start)
{
	links->state = shared_map(sizeof(*links->state));
	links->sessions = sessions_new(start->settings->sessions);
	if (!links->state || !links->sessions)
		return false;
	shared_put_ticket_keys(links->state, start->ticket_sequence, start->ticket_keys,
			       start->ticket_key_count);
	if (start->earlier)
		sessions_carry(links->sessions, start->earlier);
	return true;
}

static void free_memory(struct links *links)
{
	shared_unmap(links->state, sizeof(*links->state));
	sessions_free(links->sessions);
}

static bool make_links(struct links *links, const struct generation_start *start)
{
	if (!make_memory(links, start))
		return false;
	links->signers = calloc(start->threads, sizeof(*links->signers));
	if (!links->signers || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, links->control))
		return false;
	for (links->count = 0; links->count < start->threads; links->count++)
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
	const struct signer_start signer = {
		.settings = start->settings,
		.profiles = start->profiles,
		.lenient = start->lenient,
		.sockets = ends_of(links, 1),
		.count = links->count,
		.report = report,
	};

	close_links(links, true, false);
	close(links->control[0]);
	close(links->control[1]);
	close(start->device);
	free_memory(links);
	shared_unmap(start->shared, sizeof(*start->shared));
	signer_run(&signer);
}

static void run_worker(const struct generation_start *start, struct links *links, int report)
{
	const struct worker_start worker = {
		.profiles = start->profiles,
		.shared = start->shared,
		.state = links->state,
		.sessions = links->sessions,
		.device = start->device,
		.control = links->control[0],
		.signers = ends_of(links, 0),
		.count = links->count,
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

/**
 * struct report - what a process says while it begins
 * @text:	a line that has not ended yet, @used bytes
 */
struct report {
	int fd;
	size_t used;
	char text[REPORT_MAX];
};

/* Tells the lines that are whole. Return: whether one of them was empty, which says that all is well. */
static bool tell_lines(struct report *report, void (*complaint)(const char *line))
{
	char *line = report->text, *end;

	while ((end = memchr(line, '\n', report->text + report->used - line))) {
		*end = '\0';
		if (end == line)
			return true;
		complaint(line);
		line = end + 1;
	}
	report->used -= line - report->text;
	memmove(report->text, line, report->used);
	return false;
}

/* Return: how many bytes came, 0 at the end or when a line is too long. */
static ssize_t read_report(struct report *report)
{
	ssize_t n;

	if (report->used >= sizeof(report->text))
		return 0;
	n = read(report->fd, report->text + report->used, sizeof(report->text) - report->used);
	if (n > 0)
		report->used += n;
	return n;
}

static bool is_ready(int fd, const struct generation_start *start)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	struct report report = { .fd = fd };
	int64_t deadline = now() + START_TIMEOUT;

	while (now() < deadline) {
		start->wait(start->context);
		if (poll(&waiting, 1, WAIT_STEP) <= 0)
			continue;
		if (read_report(&report) <= 0)
			return false;
		if (tell_lines(&report, start->complaint))
			return true;
	}
	start->complaint("the new process does not become ready");
	return false;
}

/* Return: its process, or -1. It is ready then. */
static pid_t start_process(const struct generation_start *start, struct links *links,
			   void (*run)(const struct generation_start *, struct links *, int))
{
	int report[2];
	bool ready;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC)) {
		start->complaint("no pipe");
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
		start->complaint(strerror(errno));
		close(report[0]);
		return -1;
	}
	ready = is_ready(report[0], start);
	close(report[0]);
	if (ready)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

static bool start_both(struct generation *generation, const struct generation_start *start,
		       struct links *links)
{
	generation->signer = start_process(start, links, run_signer);
	if (generation->signer < 0)
		return false;
	generation->worker = start_process(start, links, run_worker);
	if (generation->worker > 0)
		return true;
	kill(generation->signer, SIGKILL);
	waitpid(generation->signer, NULL, 0);
	return false;
}

bool generation_begin(struct generation *generation, const struct generation_start *start)
{
	struct links links = { .control = { -1, -1 } };
	struct generation next = {};
	bool good;

	good = make_links(&links, start);
	if (!good)
		start->complaint(strerror(errno));
	else
		good = start_both(&next, start, &links);
	close_links(&links, true, true);
	free(links.signers);
	close(links.control[0]);
	if (!good) {
		close(links.control[1]);
		free_memory(&links);
		return false;
	}
	next.control = links.control[1];
	next.state = links.state;
	next.sessions = links.sessions;
	next.started = now();
	next.timeout = start->settings->limits.timeout * INT64_C(1000);
	generation_forget(generation);
	*generation = next;
	return true;
}

void generation_forget(struct generation *generation)
{
	if (generation->control >= 0)
		close(generation->control);
	shared_unmap(generation->state, sizeof(*generation->state));
	sessions_free(generation->sessions);
	*generation = (struct generation){ .control = -1 };
}

void generation_drain(struct generation *generation)
{
	if (generation->control < 0)
		return;
	close(generation->control);
	generation->control = -1;
	generation->drain_by = now() + generation->timeout + DRAIN_MARGIN;
}

bool generation_is_free(const struct generation *generation)
{
	return !generation->signer && !generation->worker;
}

bool generation_is_late(const struct generation *generation)
{
	return generation->drain_by && !generation_is_free(generation) &&
	       now() >= generation->drain_by;
}

void generation_kill(struct generation *generation)
{
	if (generation->worker)
		kill(generation->worker, SIGKILL);
	if (generation->signer)
		kill(generation->signer, SIGKILL);
}
