// SPDX-License-Identifier: GPL-3.0-or-later
/* What a server's handshakes cost: libsignet-handshake, wolfSSL alone, OpenSSL. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../userspace/certificates.h"
#include "../userspace/tap.h"
#include "handshakes/report.h"

#define HALF_OPEN 1000
/* A few seconds of one server. */
#define EXERCISE 20000

static const struct plan full = { .rounds = 15, .handshakes = 256, .batch = 16 };
static const struct plan quick = { .rounds = 5, .handshakes = 64, .batch = 16 };

/**
 * struct options - of the command line
 * @json:	path of the file that gets the figures too, or NULL
 * @only:	SERVER:TRIAL; NULL for all
 */
struct options {
	struct plan plan;
	const char *json;
	const char *only;
	bool gates;
};

static void usage(FILE *file)
{
	fputs("bench_handshakes [--quick] [--gates] [--rounds N] [--batch N] [--json FILE]\n"
	      "bench_handshakes --only SERVER:TRIAL\n"
	      "\n"
	      "Measures the server's side of TLS 1.3 handshakes in this process: processor time of\n"
	      "the server's steps alone, and memory of handshakes whose client waits. All servers\n"
	      "take turns, with the same client, so that ratios hold where the machine is noisy.\n"
	      "\n"
	      "  --quick      a third of the rounds, shorter: half a minute\n"
	      "  --gates      compare with the bounds; status 1 when one is missed\n"
	      "  --rounds N   1 to 64\n"
	      "  --batch N    connections that run side by side: 1 to 64, else 16\n"
	      "  --json FILE  write all figures there, too\n"
	      "  --only ...   a few seconds of one server (openssl, wolfssl, signet) in one trial\n"
	      "               (ecdsa, ed25519, hybrid, rsa, resumed), for a profiler\n",
	      file);
}

static bool parse_number(const char *text, unsigned int max, unsigned int *number)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*number = value;
	return end != text && !*end && value >= 1 && value <= max;
}

static void parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "gates", no_argument, NULL, 'g' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "batch", required_argument, NULL, 'b' },
		{ "json", required_argument, NULL, 'j' },
		{ "only", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
		switch (option) {
		case 'q':
			options->plan = quick;
			break;
		case 'g':
			options->gates = true;
			break;
		case 'j':
			options->json = optarg;
			break;
		case 'o':
			options->only = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		case 'r':
			if (parse_number(optarg, ROUNDS_MAX, &options->plan.rounds))
				break;
			usage(stderr);
			exit(2);
		case 'b':
			if (parse_number(optarg, BATCH_MAX, &options->plan.batch))
				break;
			__attribute__((fallthrough));
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(2);
	}
}

static void make_certificates(void)
{
	certificates_begin();
	make_certificate(&(struct recipe){ .name = "ca", .subject = "/CN=ca" });
	for (int i = 0; i < TRIAL_COUNT; i++) {
		const struct trial *trial = &trials[i];
		bool made = false;

		for (int j = 0; j < i; j++)
			made |= !strcmp(trials[j].certificate, trial->certificate);
		if (!made)
			make_certificate(&(struct recipe){ .name = trial->certificate,
							   .subject = "/CN=db.internal",
							   .issuer = "ca",
							   .key = trial->key });
	}
}

static void write_json(const struct figures *figures, const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		bail("%s: %s", path, strerror(errno));
	report_json(figures, file);
	if (fclose(file))
		bail("%s: %s", path, strerror(errno));
}

static void exercise_only(const char *only)
{
	const struct plan plan = { .handshakes = EXERCISE, .batch = full.batch };
	size_t length = strcspn(only, ":");

	for (int i = 0; i < TRIAL_COUNT; i++) {
		for (int j = 0; j < SERVER_COUNT; j++) {
			if (only[length] && !strcmp(only + length + 1, trials[i].name) &&
			    strlen(servers[j]->name) == length &&
			    !strncasecmp(only, servers[j]->name, length)) {
				exercise(servers[j], &trials[i], &plan);
				return;
			}
		}
	}
	usage(stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct options options = { .plan = full };
	static struct figures figures;

	parse(&options, argc, argv);
	make_certificates();
	if (options.only) {
		exercise_only(options.only);
		return 0;
	}
	figures.plan = options.plan;
	figures.half_open = HALF_OPEN;
	measure_memory(HALF_OPEN, figures.footprints);
	measure(&options.plan, &figures.measurement);
	report_table(&figures, stdout);
	if (options.json)
		write_json(&figures, options.json);
	if (!options.gates)
		return 0;
	putchar('\n');
	return !report_gates(&figures, stdout);
}
