// SPDX-License-Identifier: GPL-3.0-or-later
#include "supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "confine.h"
#include "device.h"
#include "log.h"
#include "secret.h"
#include "sessions.h"
#include "signing.h"
#include "thread.h"

/* Milliseconds. */
#define RESTART_DELAY_FIRST 100
#define RESTART_DELAY_LAST 10000
/* Who lives so long has not failed at once. */
#define LIVED_LONG 5000
/* Files are often changed together. */
#define RELOAD_DELAY 500
/* A thread that works so long on one step does not work. */
#define STUCK 30000
#define STUCK_CHECK 5000
#define ROTATION_MIN 60000
/* A process that begins is given longer. */
#define START_EXTENSION 90000
/* So many keys open tickets: as long as one lives, two changes may happen. */
#define KEYS_KEPT 3

static void log_complaint(const char *line)
{
	log_text(LOG_ERR, "%s", line);
}

static void log_complaints(struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++)
		log_complaint(complaints->lines[i]);
	complaints_clear(complaints);
}

/* ---- Keys of tickets ---- */

static int64_t rotation(const struct settings *settings)
{
	unsigned int longest = 0;
	int64_t period;

	for (size_t i = 0; i < settings->profile_count; i++)
		if (settings->profiles[i].ticket_lifetime > longest)
			longest = settings->profiles[i].ticket_lifetime;
	period = longest * INT64_C(1000) / (KEYS_KEPT - 1);
	return period > ROTATION_MIN ? period : ROTATION_MIN;
}

static void rotate_keys(struct supervisor *supervisor)
{
	uint8_t *keys = supervisor->keys;

	supervisor->rotate_at = thread_now() + rotation(supervisor->settings);
	memmove(keys + SIGNET_TICKET_KEY_SIZE, keys, (KEYS_KEPT - 1) * SIGNET_TICKET_KEY_SIZE);
	if (signet_ticket_key_new(keys)) {
		log_text(LOG_ERR, "no randomness for a new ticket key");
		memmove(keys, keys + SIGNET_TICKET_KEY_SIZE,
			(KEYS_KEPT - 1) * SIGNET_TICKET_KEY_SIZE);
		return;
	}
	if (supervisor->key_count < KEYS_KEPT)
		supervisor->key_count++;
	supervisor->key_sequence += 2;
	for (int i = 0; i < WORKERS_MAX; i++)
		if (supervisor->generations[i].state)
			shared_put_ticket_keys(supervisor->generations[i].state,
					       supervisor->key_sequence, keys,
					       supervisor->key_count);
}

/* ---- Generations ---- */

/* A child's: what it has no business with. */
static void forget(void *context)
{
	struct supervisor *supervisor = context;

	for (int i = 0; i < WORKERS_MAX; i++)
		generation_forget(&supervisor->generations[i]);
	control_close(&supervisor->control);
	files_close(&supervisor->files);
	files_close(&supervisor->next_files);
	close(supervisor->signals);
}

/* The service manager waits meanwhile, for as long as a generation may take. */
static void wait_for_process(void *context)
{
	(void)context;
	sd_notifyf(0, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=%" PRId64, START_EXTENSION * INT64_C(1000));
}

static int free_slot(const struct supervisor *supervisor)
{
	for (int i = 0; i < WORKERS_MAX; i++)
		if (generation_is_free(&supervisor->generations[i]))
			return i;
	return -1;
}

/* The one that has drained longest gives way: its handshakes had their time. */
static int oldest_slot(const struct supervisor *supervisor)
{
	int oldest = -1;

	for (int i = 0; i < WORKERS_MAX; i++)
		if (i != supervisor->current &&
		    (oldest < 0 ||
		     supervisor->generations[i].started < supervisor->generations[oldest].started))
			oldest = i;
	return oldest;
}

/* What a worker has kept that did not end as it should is not carried on. */
static void forget_sessions(struct generation *generation)
{
	sessions_free(generation->sessions);
	generation->sessions = NULL;
}

static void end_oldest(struct supervisor *supervisor)
{
	struct generation *generation = &supervisor->generations[oldest_slot(supervisor)];

	log_text(LOG_WARNING, "worker %d has not finished its handshakes, and gives way",
		 generation->worker);
	generation_kill(generation);
	if (generation->worker)
		waitpid(generation->worker, NULL, 0);
	if (generation->signer)
		waitpid(generation->signer, NULL, 0);
	generation->worker = 0;
	generation->signer = 0;
	forget_sessions(generation);
}

/* The new one takes requests before the old one stops: none waits for a reload. */
static bool begin_generation(struct supervisor *supervisor, const struct settings *settings,
			     const struct profiles *profiles, bool lenient)
{
	const struct generation *latest =
		supervisor->latest < 0 ? NULL : &supervisor->generations[supervisor->latest];
	struct generation_start start = {
		.settings = settings,
		.profiles = profiles,
		.shared = supervisor->shared,
		.ticket_keys = supervisor->keys,
		.ticket_key_count = supervisor->key_count,
		.ticket_sequence = supervisor->key_sequence,
		.device = supervisor->device,
		.threads = supervisor->threads,
		.lenient = lenient,
		.forget = forget,
		.wait = wait_for_process,
		.complaint = log_complaint,
		.context = supervisor,
	};
	int slot = free_slot(supervisor);

	if (slot < 0) {
		end_oldest(supervisor);
		slot = free_slot(supervisor);
	}
	start.earlier = latest ? latest->sessions : NULL;
	if (!generation_begin(&supervisor->generations[slot], &start))
		return false;
	if (supervisor->current >= 0)
		generation_drain(&supervisor->generations[supervisor->current]);
	supervisor->current = slot;
	supervisor->latest = slot;
	log_text(LOG_INFO, "worker %d and signer %d serve configuration %u",
		 supervisor->generations[slot].worker, supervisor->generations[slot].signer,
		 supervisor->number);
	return true;
}

/*
 * With the certificates that were read before. The keys are read anew, and one may be that of a
 * certificate that was refused: then the others are served without it.
 */
static void restart(struct supervisor *supervisor)
{
	supervisor->restart_at = 0;
	if (supervisor->current >= 0 || supervisor->stopping)
		return;
	if (begin_generation(supervisor, supervisor->settings, supervisor->profiles, true))
		return;
	supervisor->restart_at = thread_now() + RESTART_DELAY_LAST;
	log_text(LOG_ERR, "the next attempt is in %d s", RESTART_DELAY_LAST / 1000);
}

static void plan_restart(struct supervisor *supervisor, const struct generation *generation)
{
	int64_t now = thread_now();

	if (now - generation->started > LIVED_LONG)
		supervisor->restart_delay = 0;
	supervisor->restart_at = now + supervisor->restart_delay;
	supervisor->restart_delay = supervisor->restart_delay ? supervisor->restart_delay * 2 :
								RESTART_DELAY_FIRST;
	if (supervisor->restart_delay > RESTART_DELAY_LAST)
		supervisor->restart_delay = RESTART_DELAY_LAST;
}

static void log_death(const char *what, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_text(LOG_ERR, "%s %d was ended by signal %d%s", what, pid, WTERMSIG(status),
			 WTERMSIG(status) == SIGSYS ? ", for a system call that it must not make" :
						      "");
	else if (WEXITSTATUS(status))
		log_text(LOG_ERR, "%s %d ended with status %d", what, pid, WEXITSTATUS(status));
	else
		log_text(LOG_DEBUG, "%s %d has ended", what, pid);
}

/*
 * One of the two has died: the other ends by itself, the worker after the handshakes that it can
 * finish without a signer.
 */
static void process_ended(struct supervisor *supervisor, pid_t pid, int status)
{
	for (int i = 0; i < WORKERS_MAX; i++) {
		struct generation *generation = &supervisor->generations[i];

		if (pid != generation->worker && pid != generation->signer)
			continue;
		log_death(pid == generation->worker ? "worker" : "signer", pid, status);
		if (pid == generation->worker) {
			generation->worker = 0;
			atomic_store(&generation->state->in_progress, 0);
			if (status)
				forget_sessions(generation);
		} else {
			generation->signer = 0;
		}
		generation_drain(generation);
		if (i == supervisor->current) {
			supervisor->current = -1;
			plan_restart(supervisor, generation);
		}
		return;
	}
}

static void collect_children(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		process_ended(supervisor, pid, status);
}

static void end_stuck(struct supervisor *supervisor)
{
	int64_t now = thread_now(), since;

	for (int i = 0; i < WORKERS_MAX; i++) {
		const struct generation *generation = &supervisor->generations[i];
		const struct worker_state *state = generation->state;

		if (!generation->worker)
			continue;
		for (unsigned int j = 0; j < supervisor->threads; j++) {
			since = atomic_load(&state->busy_since[j]);
			if (!since || now - since < STUCK)
				continue;
			log_text(LOG_ERR, "worker %d does not go on: it is ended",
				 generation->worker);
			kill(generation->worker, SIGKILL);
			break;
		}
	}
}

/* Its handshakes had their time, so it does not do as it is told: neither must its signer go on. */
static void end_late(struct supervisor *supervisor)
{
	for (int i = 0; i < WORKERS_MAX; i++) {
		struct generation *generation = &supervisor->generations[i];

		if (!generation_is_late(generation))
			continue;
		log_text(LOG_ERR,
			 "worker %d and signer %d have not ended in time (limits.timeout): "
			 "they are killed",
			 generation->worker, generation->signer);
		forget_sessions(generation);
		generation_kill(generation);
		generation->drain_by = 0;
	}
}

/* ---- Configurations ---- */

static void notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		   now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000);
}

static void notify_ready(const struct supervisor *supervisor)
{
	sd_notifyf(0, "READY=1\nSTATUS=Serving configuration %u of %s", supervisor->number,
		   supervisor->path);
}

static bool serve_with(struct supervisor *supervisor, const struct settings *settings,
		       const struct profiles *profiles)
{
	supervisor->number++;
	log_set_level(settings->log_level);
	if (begin_generation(supervisor, settings, profiles, false))
		return true;
	supervisor->number--;
	log_set_level(supervisor->settings->log_level);
	return false;
}

/*
 * Takes @settings over, if they can be put to use. Files are watched before they are read, so that a
 * change meanwhile is seen; what the supervisor watched before it watches until then.
 */
static bool use(struct supervisor *supervisor, struct settings *settings)
{
	struct complaints complaints = {};
	struct profiles *profiles;

	files_watch(&supervisor->next_files, settings);
	wait_for_process(NULL);
	profiles = profiles_new(settings, &signing_signer, &complaints);
	log_complaints(&complaints);
	if (!profiles || !serve_with(supervisor, settings, profiles)) {
		profiles_free(profiles);
		files_close(&supervisor->next_files);
		return false;
	}
	files_close(&supervisor->files);
	supervisor->files = supervisor->next_files;
	supervisor->next_files = (struct files){ .inotify = -1 };
	profiles_free(supervisor->profiles);
	if (supervisor->settings != settings)
		settings_free(supervisor->settings);
	supervisor->profiles = profiles;
	supervisor->settings = settings;
	return true;
}

bool supervisor_reload(struct supervisor *supervisor)
{
	struct complaints complaints = {};
	struct settings *settings;
	bool good;

	if (supervisor->stopping)
		return false;
	notify_reloading();
	settings = settings_read(supervisor->path, &complaints);
	log_complaints(&complaints);
	good = settings && use(supervisor, settings);
	if (good) {
		log_text(LOG_INFO, "configuration %u of %s is in use", supervisor->number,
			 supervisor->path);
	} else {
		settings_free(settings);
		log_text(LOG_ERR, "%s was not reloaded: configuration %u stays in use",
			 supervisor->path, supervisor->number);
	}
	notify_ready(supervisor);
	return good;
}

/* Only what was read from them is new. */
static void reload_files(struct supervisor *supervisor)
{
	supervisor->reload_at = 0;
	if (supervisor->stopping)
		return;
	if (use(supervisor, supervisor->settings))
		log_text(LOG_INFO, "changed certificates are in use");
	else
		log_text(LOG_ERR, "changed certificates are not used: what was read before is");
}

/* ---- The loop ---- */

void supervisor_stop(struct supervisor *supervisor)
{
	if (supervisor->stopping)
		return;
	sd_notify(0, "STOPPING=1");
	log_text(LOG_INFO, "no more requests are taken");
	supervisor->stopping = true;
	supervisor->stop_by = thread_now() + supervisor->settings->limits.timeout * INT64_C(1000);
	supervisor->restart_at = 0;
	if (supervisor->current >= 0)
		generation_drain(&supervisor->generations[supervisor->current]);
	supervisor->current = -1;
	close(supervisor->device);
	supervisor->device = -1;
}

static void kill_all(struct supervisor *supervisor)
{
	for (int i = 0; i < WORKERS_MAX; i++)
		generation_kill(&supervisor->generations[i]);
}

static void terminate(struct supervisor *supervisor)
{
	if (supervisor->stopping)
		kill_all(supervisor);
	else
		supervisor_stop(supervisor);
}

static void read_signals(struct supervisor *supervisor)
{
	struct signalfd_siginfo signal;

	while (read(supervisor->signals, &signal, sizeof(signal)) == sizeof(signal)) {
		switch (signal.ssi_signo) {
		case SIGHUP:
			(void)supervisor_reload(supervisor);
			break;
		case SIGTERM:
		case SIGINT:
			terminate(supervisor);
			break;
		case SIGCHLD:
			collect_children(supervisor);
			break;
		}
	}
}

static void earlier(int64_t *earliest, int64_t time)
{
	if (time && (!*earliest || time < *earliest))
		*earliest = time;
}

static int time_to_wait(const struct supervisor *supervisor)
{
	int64_t earliest = thread_now() + STUCK_CHECK, left;

	earlier(&earliest, supervisor->restart_at);
	earlier(&earliest, supervisor->reload_at);
	earlier(&earliest, supervisor->rotate_at);
	earlier(&earliest, supervisor->next_sign);
	earlier(&earliest, supervisor->stop_by);
	left = earliest - thread_now();
	return left > 0 ? left : 0;
}

static bool is_due(int64_t time)
{
	return time && thread_now() >= time;
}

static void do_what_is_due(struct supervisor *supervisor)
{
	if (is_due(supervisor->restart_at))
		restart(supervisor);
	if (is_due(supervisor->reload_at))
		reload_files(supervisor);
	if (is_due(supervisor->rotate_at))
		rotate_keys(supervisor);
	if (is_due(supervisor->stop_by)) {
		supervisor->stop_by = 0;
		kill_all(supervisor);
	}
	end_stuck(supervisor);
	end_late(supervisor);
	if (is_due(supervisor->next_sign)) {
		supervisor->next_sign = thread_now() + supervisor->watchdog;
		sd_notify(0, "WATCHDOG=1");
	}
}

static void serve_once(struct supervisor *supervisor)
{
	struct pollfd waits[CONTROL_CLIENTS_MAX + 3];
	size_t count;

	count = control_waits(&supervisor->control, waits);
	waits[count++] = (struct pollfd){ .fd = supervisor->signals, .events = POLLIN };
	waits[count++] = (struct pollfd){ .fd = supervisor->files.inotify, .events = POLLIN };
	(void)poll(waits, count, time_to_wait(supervisor));
	read_signals(supervisor);
	if (supervisor->files.inotify >= 0 && files_changed(&supervisor->files))
		supervisor->reload_at = thread_now() + RELOAD_DELAY;
	control_serve(&supervisor->control, supervisor);
	do_what_is_due(supervisor);
}

static bool is_done(const struct supervisor *supervisor)
{
	if (!supervisor->stopping)
		return false;
	for (int i = 0; i < WORKERS_MAX; i++)
		if (!generation_is_free(&supervisor->generations[i]))
			return false;
	return true;
}

/* ---- The beginning ---- */

static unsigned int thread_count(const struct settings *settings)
{
	long count = settings->threads ? settings->threads : sysconf(_SC_NPROCESSORS_ONLN);

	if (count < 1)
		return 1;
	return count < WORKER_THREADS_MAX ? count : WORKER_THREADS_MAX;
}

static bool open_signals(struct supervisor *supervisor)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	supervisor->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return supervisor->signals >= 0;
}

static bool share(struct supervisor *supervisor)
{
	supervisor->shared = shared_map(sizeof(*supervisor->shared));
	supervisor->keys = signet_secret_alloc(KEYS_KEPT * SIGNET_TICKET_KEY_SIZE);
	if (!supervisor->shared || !supervisor->keys)
		return false;
	rotate_keys(supervisor);
	return true;
}

static bool users_exist(const struct settings *settings)
{
	const char *const names[] = { settings->user, settings->signer_user };
	bool good = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (confine_user_exists(names[i]))
			continue;
		log_text(LOG_ERR,
			 "there is no user %s: create it (systemd-sysusers), or name "
			 "another with user and signer_user in the configuration",
			 names[i]);
		good = false;
	}
	return good;
}

static void watch_out(struct supervisor *supervisor)
{
	uint64_t interval;

	if (sd_watchdog_enabled(0, &interval) <= 0)
		return;
	supervisor->watchdog = interval / 1000 / 2;
	supervisor->next_sign = thread_now();
}

static bool start(struct supervisor *supervisor)
{
	const struct settings *settings = supervisor->settings;

	supervisor->threads = thread_count(settings);
	supervisor->device = device_open();
	if (supervisor->device < 0)
		return false;
	if (!share(supervisor) || !open_signals(supervisor)) {
		log_text(LOG_ERR, "cannot start: %s", strerror(errno));
		return false;
	}
	if (!control_open(&supervisor->control, settings->control, settings->control_group))
		return false;
	if (confine_supervisor() || confine_calls(CONFINE_SUPERVISOR)) {
		log_text(LOG_ERR, "privileges cannot be given up: %s", strerror(errno));
		return false;
	}
	confine_memory(false);
	return use(supervisor, supervisor->settings);
}

static void clean_up(struct supervisor *supervisor)
{
	profiles_free(supervisor->profiles);
	control_remove(&supervisor->control);
	control_close(&supervisor->control);
	files_close(&supervisor->files);
	settings_free(supervisor->settings);
	signet_secret_free(supervisor->keys, KEYS_KEPT * SIGNET_TICKET_KEY_SIZE);
}

static void set_up(struct supervisor *supervisor, const char *path)
{
	supervisor->path = path;
	supervisor->device = -1;
	supervisor->signals = -1;
	supervisor->current = -1;
	supervisor->latest = -1;
	supervisor->files.inotify = -1;
	supervisor->next_files.inotify = -1;
	supervisor->control.listener = -1;
	supervisor->started = thread_now();
	for (int i = 0; i < WORKERS_MAX; i++)
		supervisor->generations[i].control = -1;
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		supervisor->control.clients[i].fd = -1;
}

int supervisor_run(const char *path)
{
	static struct supervisor supervisor;
	struct complaints complaints = {};
	bool good;

	set_up(&supervisor, path);
	confine_raise_limits();
	supervisor.settings = settings_read(path, &complaints);
	log_complaints(&complaints);
	good = supervisor.settings && users_exist(supervisor.settings) && start(&supervisor);
	if (good) {
		watch_out(&supervisor);
		notify_ready(&supervisor);
		log_text(LOG_NOTICE, "serving %s with %u threads", path, supervisor.threads);
		while (!is_done(&supervisor))
			serve_once(&supervisor);
		log_text(LOG_NOTICE, "ended");
	}
	clean_up(&supervisor);
	return good ? 0 : 1;
}
