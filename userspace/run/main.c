// SPDX-License-Identifier: MIT
/* signet-run: starts a program with libsignet-run.so. See signet-run(1). */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "settings.h"

/* As env(1) and nohup(1) have them. */
#define EXIT_OWN 125
#define EXIT_CANNOT_START 126
#define EXIT_NOT_FOUND 127

#define VERSION "0.1"
#define LIBRARY "libsignet-run.so"

#ifndef LIBRARY_DIRECTORY
#define LIBRARY_DIRECTORY "/usr/local/lib"
#endif

static const char usage[] =
	"usage: signet-run [OPTION...] -- PROGRAM [ARGUMENT...]\n"
	"Runs an unmodified program, with TLS for chosen connections.\n"
	"\n"
	"  --connect [!]RULE[=NAME]  connections that the program makes; NAME is the server's,\n"
	"                            else it is what the program looked up, or the address\n"
	"  --listen [!]RULE[=PROFILE]  connections that it accepts, with a profile of signetd\n"
	"  --alpn PROTOCOL[,PROTOCOL...]\n"
	"                            protocols to agree upon, the preferred one first\n"
	"  --pin sha256//BASE64      digest of a server's public key that may be presented\n"
	"  --profile NAME            signetd's profile for connections that are made\n"
	"  --ca NAME                 authorities to trust, by signetd's name for them\n"
	"  --min-version 1.2|1.3     lowest TLS version\n"
	"  --client-auth optional|required\n"
	"                            ask who connects for a certificate\n"
	"  --timeout SECONDS         for each handshake\n"
	"  --library FILE            another " LIBRARY "\n"
	"  --help                    this text\n"
	"  --version                 the version\n"
	"\n"
	"RULE is [ADDRESS[/BITS]:]PORTS; an IPv6 address stands in brackets; PORTS is a number,\n"
	"LOW-HIGH or *. The first rule that matches decides; with ! it leaves alone what matches.\n"
	"--connect, --listen and --pin may be repeated.\n";

static void __attribute__((noreturn, format(printf, 2, 3))) die(int status, const char *format, ...)
{
	va_list arguments;

	fputs("signet-run: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(status);
}

static void set_variable(const char *name, const char *value)
{
	if (setenv(name, value, 1))
		die(EXIT_OWN, "%s: %s", name, strerror(errno));
}

/* A repeated option's values follow each other. */
static void add_to_variable(const struct setting *setting, const char *value)
{
	const char *before = setting->repeated ? getenv(setting->variable) : NULL;
	char *all;

	if (!before) {
		set_variable(setting->variable, value);
		return;
	}
	if (asprintf(&all, "%s %s", before, value) < 0)
		die(EXIT_OWN, "out of memory");
	set_variable(setting->variable, all);
	free(all);
}

static void set(struct settings *settings, const struct setting *setting, const char *value)
{
	const char *problem = setting->set(settings, value);

	if (!problem && setting->repeated && strchr(value, ' '))
		problem = "no space is expected";
	if (problem)
		die(EXIT_OWN, "--%s %s: %s", setting->option, value, problem);
	add_to_variable(setting, value);
}

/* The library beside the program, as in a build or below a prefix, or where it was installed. */
static void find_library(char *path)
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (len > 0) {
		program[len] = '\0';
		snprintf(path, PATH_MAX, "%.*s/../lib/" LIBRARY, PATH_MAX - 64, dirname(program));
		if (!access(path, R_OK))
			return;
	}
	strcpy(path, LIBRARY_DIRECTORY "/" LIBRARY);
}

/* The loader goes on without a library that it does not find: the program would, in the clear. */
static void preload(const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	char path[PATH_MAX], *all;

	if (library && strlen(library) < sizeof(path))
		strcpy(path, library);
	else
		find_library(path);
	library = realpath(path, NULL);
	if (!library || access(library, R_OK))
		die(EXIT_OWN, "%s: %s", path, strerror(errno));
	if (strpbrk(library, " :"))
		die(EXIT_OWN, "%s: LD_PRELOAD cannot hold a path with a space or colon", library);
	if (before && !strncmp(before, library, strlen(library)))
		return;
	if (asprintf(&all, "%s%s%s", library, before && *before ? ":" : "", before ?: "") < 0)
		die(EXIT_OWN, "out of memory");
	set_variable("LD_PRELOAD", all);
	free(all);
}

static void __attribute__((noreturn)) run(char **command)
{
	char path[PATH_MAX];
	const char *problem;
	int error = program_find(*command, path);

	if (error)
		die(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_START, "%s: %s", *command,
		    strerror(error));
	problem = program_check(path);
	if (problem)
		die(EXIT_CANNOT_START, "%s: %s", path, problem);
	execv(path, command);
	die(EXIT_CANNOT_START, "%s: %s", path, strerror(errno));
}

enum { OPTION_LIBRARY = 1000, OPTION_HELP, OPTION_VERSION };

#define SETTINGS_COUNT 9

static const struct option *options(void)
{
	static struct option table[SETTINGS_COUNT + 4] = {
		{ "library", required_argument, NULL, OPTION_LIBRARY },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ "version", no_argument, NULL, OPTION_VERSION },
	};

	for (int i = 0; i < SETTINGS_COUNT; i++)
		table[3 + i] =
			(struct option){ settings_table[i].option, required_argument, NULL, i };
	return table;
}

int main(int argc, char **argv)
{
	struct settings settings = {};
	const char *library = NULL, *problem;
	int option;

	/* What an outer one has set is for its program. */
	for (const struct setting *setting = settings_table; setting->option; setting++)
		unsetenv(setting->variable);
	while ((option = getopt_long(argc, argv, "+", options(), NULL)) >= 0) {
		switch (option) {
		case OPTION_LIBRARY:
			library = optarg;
			break;
		case OPTION_HELP:
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case OPTION_VERSION:
			puts("signet-run " VERSION);
			return EXIT_SUCCESS;
		case '?':
			fputs("Try 'signet-run --help'.\n", stderr);
			return EXIT_OWN;
		default:
			set(&settings, &settings_table[option], optarg);
		}
	}
	if (!settings.connect.count && !settings.listen.count)
		die(EXIT_OWN, "no --connect and no --listen: nothing to do (see --help)");
	problem = settings_check(&settings);
	if (problem)
		die(EXIT_OWN, "%s", problem);
	if (optind == argc)
		die(EXIT_OWN, "no program given (see --help)");
	preload(library);
	run(argv + optind);
}
