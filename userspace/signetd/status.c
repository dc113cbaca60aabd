// SPDX-License-Identifier: GPL-3.0-or-later
#include "status.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/signet_helper.h>

#include "json_text.h"
#include "supervisor.h"
#include "thread.h"
#include "version.h"

static void print_member(FILE *out, const char *name, const char *text)
{
	fprintf(out, ",\"%s\":", name);
	if (text)
		json_print_text(out, text);
	else
		fputs("null", out);
}

static void print_number(FILE *out, const char *name, unsigned long long number)
{
	fprintf(out, ",\"%s\":%llu", name, number);
}

static const char *role_name(unsigned int role)
{
	return role == SIGNET_ROLE_SERVER ? "server" : "client";
}

static void print_workers(const struct supervisor *supervisor, FILE *out)
{
	const char *separator = "";

	fputs(",\"workers\":[", out);
	for (int i = 0; i < WORKERS_MAX; i++) {
		const struct generation *generation = &supervisor->generations[i];

		if (generation_is_free(generation))
			continue;
		fprintf(out, "%s{\"worker\":%d,\"signer\":%d,\"current\":%s,\"in_progress\":%u}",
			separator, generation->worker, generation->signer,
			i == supervisor->current ? "true" : "false",
			atomic_load(&generation->state->in_progress));
		separator = ",";
	}
	fputc(']', out);
}

static void print_counts(const struct shared *shared, FILE *out)
{
	const char *separator = "";

	for (int role = SIGNET_ROLE_CLIENT; role <= SIGNET_ROLE_SERVER; role++)
		fprintf(out, ",\"%s\":{\"succeeded\":%llu,\"resumed\":%llu}", role_name(role),
			(unsigned long long)atomic_load(&shared->succeeded[role]),
			(unsigned long long)atomic_load(&shared->resumed[role]));
	print_number(out, "tickets", atomic_load(&shared->tickets));
	fputs(",\"failed\":{", out);
	for (int error = 1; error < ERRNO_MAX; error++) {
		unsigned long long count = atomic_load(&shared->failed[error]);

		if (!count)
			continue;
		fprintf(out, "%s\"%s\":%llu", separator, strerrorname_np(error) ?: "unknown",
			count);
		separator = ",";
	}
	fputc('}', out);
}

bool status_print(struct supervisor *supervisor, FILE *out)
{
	fputs("{\"ok\":true", out);
	print_member(out, "version", SIGNETD_VERSION);
	print_number(out, "protocol", SIGNET_HELPER_VERSION);
	print_number(out, "uptime", (thread_now() - supervisor->started) / 1000);
	print_member(out, "configuration", supervisor->path);
	print_number(out, "generation", supervisor->number);
	print_member(out, "state",
		     supervisor->stopping    ? "draining" :
		     supervisor->current < 0 ? "restarting" :
					       "serving");
	print_number(out, "threads", supervisor->threads);
	print_workers(supervisor, out);
	print_counts(supervisor->shared, out);
	fputc('}', out);
	return true;
}

static void print_profile(const struct profile_settings *profile, FILE *out)
{
	static const char *const client_auths[] = { "none", "optional", "required" };

	fputs("{\"name\":", out);
	json_print_text(out, profile->name);
	print_member(out, "role", role_name(profile->role));
	print_member(out, "ca", profile->ca);
	if (profile->role == SIGNET_ROLE_SERVER)
		print_member(out, "client_auth", client_auths[profile->client_auth % 3]);
	print_member(out, "min_version", profile->min_version == SIGNET_TLS_1_2 ? "1.2" : "1.3");
	fputs(",\"alpn\":[", out);
	for (size_t i = 0; i < profile->alpn.count; i++) {
		fputs(i ? "," : "", out);
		json_print_text(out, profile->alpn.items[i]);
	}
	fputs("],\"certificates\":[", out);
	for (size_t i = 0; i < profile->credential_count; i++) {
		fputs(i ? "," : "", out);
		json_print_text(out, profile->credentials[i].chain);
	}
	fputc(']', out);
	print_member(out, "file", profile->place.file);
	print_number(out, "line", profile->place.line);
	fputc('}', out);
}

bool status_print_profiles(struct supervisor *supervisor, FILE *out)
{
	const struct settings *settings = supervisor->settings;

	fputs("{\"ok\":true", out);
	print_member(out, "default_client", settings->default_client);
	print_member(out, "default_server", settings->default_server);
	fputs(",\"profiles\":[", out);
	for (size_t i = 0; i < settings->profile_count; i++) {
		fputs(i ? "," : "", out);
		print_profile(&settings->profiles[i], out);
	}
	fputs("]}", out);
	return true;
}

static void print_failure(const struct failure *failure, FILE *out)
{
	fprintf(out, "{\"time\":%lld", (long long)failure->time);
	print_number(out, "request", failure->id);
	print_member(out, "role", role_name(failure->role));
	print_number(out, "uid", failure->uid);
	fprintf(out, ",\"pid\":%d", failure->pid);
	print_member(out, "peer", failure->peer);
	print_member(out, "profile", failure->profile);
	print_member(out, "error", strerrorname_np(failure->error) ?: "unknown");
	print_member(out, "text", failure->text);
	fputc('}', out);
}

bool status_print_failures(struct supervisor *supervisor, FILE *out)
{
	const struct shared *shared = supervisor->shared;
	uint64_t last = atomic_load(&shared->failure_count);
	/* Not by its value: a worker may have written anything there. */
	uint64_t count = last < FAILURES_MAX ? last : FAILURES_MAX;
	const char *separator = "";
	struct failure failure;

	fputs("{\"ok\":true,\"failures\":[", out);
	while (count--) {
		if (!shared_failure_read(shared, last - count, &failure))
			continue;
		fputs(separator, out);
		print_failure(&failure, out);
		separator = ",";
	}
	fputs("]}", out);
	return true;
}

bool status_reload(struct supervisor *supervisor, FILE *out)
{
	if (!supervisor_reload(supervisor))
		return false;
	fprintf(out, "{\"ok\":true,\"generation\":%u}", supervisor->number);
	return true;
}

static bool rekey(const struct supervisor *supervisor, uint32_t flags, FILE *out)
{
	/* Without the device: it is given back when no more requests are taken. */
	if (!ioctl(supervisor->device, SIGNET_IOC_REKEY, &flags)) {
		fputs("{\"ok\":true}", out);
		return true;
	}
	fputs("{\"ok\":false", out);
	print_member(out, "error",
		     supervisor->stopping ? "no more requests are taken" : strerror(errno));
	fputc('}', out);
	return true;
}

bool status_rekey(struct supervisor *supervisor, FILE *out)
{
	return rekey(supervisor, 0, out);
}

bool status_rekey_request(struct supervisor *supervisor, FILE *out)
{
	return rekey(supervisor, SIGNET_REKEY_REQUEST_UPDATE, out);
}

bool status_drain(struct supervisor *supervisor, FILE *out)
{
	supervisor_stop(supervisor);
	fputs("{\"ok\":true}", out);
	return true;
}
