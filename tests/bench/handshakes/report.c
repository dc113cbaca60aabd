// SPDX-License-Identifier: GPL-3.0-or-later
#include "report.h"

#include <string.h>
#include <sys/utsname.h>

static const char *processor(void)
{
	static char line[256];
	FILE *file = fopen("/proc/cpuinfo", "re");
	char *name = NULL;

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "model name", 10) && (name = strchr(line, ':')))
			break;
	}
	if (file)
		fclose(file);
	return name ? name + 2 : "unknown";
}

static const char *kernel(void)
{
	static struct utsname name;

	return uname(&name) ? "unknown" : name.release;
}

static void print_header(const struct figures *figures, FILE *file)
{
	fprintf(file, "Server's side of TLS 1.3 handshakes, AES-128-GCM, one thread.\n");
	fprintf(file, "%s; Linux %s; gcc %s; %s; %s\n", processor(), kernel(), __VERSION__,
		servers[SERVER_OPENSSL]->version(), servers[SERVER_WOLFSSL]->version());
	fprintf(file,
		"Processor time of the server's steps alone, the client (OpenSSL's) left out: the\n"
		"median of %u interleaved rounds of %u handshakes, %u side by side. memory: a pair of\n"
		"Unix sockets; tcp: loopback.\n\n",
		figures->plan.rounds, figures->plan.handshakes, figures->plan.batch);
}

static void print_speed(const struct measurement *measurement, FILE *file)
{
	fprintf(file, "| handshake | over | OpenSSL /s | wolfSSL /s | signet /s | "
		      "wolfSSL : OpenSSL | signet : OpenSSL |\n");
	fprintf(file, "|---|---|--:|--:|--:|--:|--:|\n");
	for (int trial = 0; trial < TRIAL_COUNT; trial++) {
		for (int wire = 0; wire < WIRE_COUNT; wire++) {
			fprintf(file, "| %s | %s |", trials[trial].title, wire_names[wire]);
			for (int server = 0; server < SERVER_COUNT; server++)
				fprintf(file, " %.0f |",
					1e9 / median_ns(measurement, trial, wire, server));
			fprintf(file, " %.2f | %.2f |\n",
				median_ratio(measurement, trial, wire, SERVER_WOLFSSL),
				median_ratio(measurement, trial, wire, SERVER_SIGNET));
		}
	}
}

void report_table(const struct figures *figures, FILE *file)
{
	print_header(figures, file);
	print_speed(&figures->measurement, file);
	fprintf(file,
		"\nMemory of a half-open handshake in bytes, %u at once: resident (of that "
		"malloc'ed).\n\n| group | OpenSSL | wolfSSL | signet |\n|---|--:|--:|--:|\n",
		figures->half_open);
	for (int i = 0; i < MEMORY_COUNT; i++) {
		fprintf(file, "| %s |", trials[memory_trials[i]].group);
		for (int server = 0; server < SERVER_COUNT; server++)
			fprintf(file, " %.0f (%.0f) |", figures->footprints[i][server].resident,
				figures->footprints[i][server].heap);
		fputc('\n', file);
	}
}

static void print_costs(const struct measurement *measurement, int trial, int wire, FILE *file)
{
	const char *between = "";

	for (int server = 0; server < SERVER_COUNT; server++) {
		fprintf(file,
			"%s\n\t\t{\"trial\": \"%s\", \"wire\": \"%s\", \"server\": \"%s\", "
			"\"ns\": %.0f, \"per_second\": %.1f, \"over_openssl\": %.4f, \"rounds\": [",
			between, trials[trial].name, wire_names[wire], servers[server]->name,
			median_ns(measurement, trial, wire, server),
			1e9 / median_ns(measurement, trial, wire, server),
			median_ratio(measurement, trial, wire, server));
		for (unsigned int i = 0; i < measurement->rounds; i++)
			fprintf(file, "%s%.0f", i ? ", " : "",
				measurement->costs[trial][wire][server].ns[i]);
		fputs("]}", file);
		between = ",";
	}
}

static void print_footprints(const struct figures *figures, FILE *file)
{
	const char *between = "";

	for (int i = 0; i < MEMORY_COUNT; i++) {
		for (int server = 0; server < SERVER_COUNT; server++) {
			fprintf(file,
				"%s\n\t\t{\"group\": \"%s\", \"server\": \"%s\", \"resident\": %.0f, "
				"\"heap\": %.0f}",
				between, trials[memory_trials[i]].group, servers[server]->name,
				figures->footprints[i][server].resident,
				figures->footprints[i][server].heap);
			between = ",";
		}
	}
}

void report_json(const struct figures *figures, FILE *file)
{
	fprintf(file, "{\n\t\"processor\": \"%s\",\n\t\"kernel\": \"%s\",\n", processor(),
		kernel());
	fprintf(file,
		"\t\"compiler\": \"gcc %s\",\n\t\"openssl\": \"%s\",\n\t\"wolfssl\": \"%s\",\n",
		__VERSION__, servers[SERVER_OPENSSL]->version(),
		servers[SERVER_WOLFSSL]->version());
	fprintf(file,
		"\t\"method\": \"processor time of the server's thread, median of interleaved "
		"rounds\",\n\t\"rounds\": %u,\n\t\"handshakes\": %u,\n\t\"batch\": %u,\n\t\"half_open\": %u,\n"
		"\t\"speed\": [",
		figures->plan.rounds, figures->plan.handshakes, figures->plan.batch,
		figures->half_open);
	for (int trial = 0; trial < TRIAL_COUNT; trial++) {
		for (int wire = 0; wire < WIRE_COUNT; wire++) {
			if (trial || wire)
				fputc(',', file);
			print_costs(&figures->measurement, trial, wire, file);
		}
	}
	fputs("\n\t],\n\t\"memory\": [", file);
	print_footprints(figures, file);
	fputs("\n\t]\n}\n", file);
}

static bool print_gate(bool good, FILE *file)
{
	fputs(good ? "ok\n" : "MISSED\n", file);
	return good;
}

bool report_gates(const struct figures *figures, FILE *file)
{
	bool good = true;
	double value;

	for (int trial = 0; trial < TRIAL_COUNT; trial++) {
		for (int wire = 0; wire < WIRE_COUNT; wire++) {
			value = median_ratio(&figures->measurement, trial, wire, SERVER_SIGNET);
			fprintf(file, "%s, %s: %.2f of OpenSSL's speed, at least %.2f: ",
				trials[trial].title, wire_names[wire], value,
				trials[trial].ratio_min);
			good &= print_gate(value >= trials[trial].ratio_min, file);
		}
	}
	for (int i = 0; i < MEMORY_COUNT; i++) {
		value = figures->footprints[i][SERVER_SIGNET].resident;
		fprintf(file,
			"half-open, %s: %.0f bytes, at most %d: ", trials[memory_trials[i]].group,
			value, MEMORY_MAX);
		good &= print_gate(value <= MEMORY_MAX, file);
	}
	return good;
}
