// SPDX-License-Identifier: GPL-3.0-or-later
/* signetd: completes the handshakes that sockets ask signet.ko for. See signetd(8). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/signet_helper.h>

#include "log.h"
#include "profile.h"
#include "signer.h"
#include "signing.h"
#include "supervisor.h"
#include "version.h"

static const char usage[] =
	"usage: signetd [--config FILE] [--check] [--foreground]\n"
	"Completes the TLS handshakes that sockets ask the module signet for.\n"
	"\n"
	"  --config FILE  the configuration (default: " SETTINGS_FILE ")\n"
	"  --check        say what is wrong with the configuration, and end\n"
	"  --foreground   log to standard error, also where that is the journal's\n"
	"  --help         this text\n"
	"  --version      the version\n";

/* Return: the exit status. */
static int check(const char *path)
{
	struct complaints complaints = {};
	struct profiles *profiles = NULL;
	struct settings *settings;
	int status;

	settings = settings_read(path, &complaints);
	if (settings) {
		profiles = profiles_new(settings, &signing_signer, &complaints);
		signer_check(settings, profiles, &complaints);
	}
	for (size_t i = 0; i < complaints.count; i++)
		fprintf(stderr, "%s\n", complaints.lines[i]);
	if (!complaints.count)
		printf("%s: %zu profiles, no errors\n", path, settings->profile_count);
	status = complaints.count ? EXIT_FAILURE : EXIT_SUCCESS;
	profiles_free(profiles);
	settings_free(settings);
	complaints_clear(&complaints);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "config", required_argument, NULL, 'f' },
		{ "foreground", no_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{},
	};
	const char *path = SETTINGS_FILE;
	bool checking = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'c':
			checking = true;
			break;
		case 'f':
			path = optarg;
			break;
		case 'g':
			unsetenv("JOURNAL_STREAM");
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'v':
			printf("signetd %s, helper's protocol %u\n", SIGNETD_VERSION,
			       SIGNET_HELPER_VERSION);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	if (checking)
		return check(path);
	log_open();
	return supervisor_run(path);
}
