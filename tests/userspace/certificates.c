// SPDX-License-Identifier: GPL-3.0-or-later
#include "certificates.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

#define P256 "ec -pkeyopt ec_paramgen_curve:P-256"

/* Some certificates have hundreds of names. */
#define COMMAND_MAX 32768

static char directory[PATH_MAX];
static pid_t owner;

static void remove_directory(void)
{
	if (getpid() == owner)
		run_there("rm -rf -- \"$PWD\"");
}

void certificates_begin(void)
{
	const char *parent = getenv("TMPDIR");

	if (system("command -v openssl >/dev/null 2>&1"))
		skip_all("no openssl command");
	snprintf(directory, sizeof(directory), "%s/signet-test.XXXXXX", parent ? parent : "/tmp");
	if (!mkdtemp(directory))
		bail("no temporary directory %s", directory);
	owner = getpid();
	atexit(remove_directory);
	/* A configuration of our own: the system's would add extensions to what is asked for. */
	if (!run_there("printf '[req]\\ndistinguished_name=dn\\n[dn]\\n' >openssl.cnf"))
		bail("cannot write into %s", directory);
}

const char *in_certificates(const char *format, ...)
{
	static char paths[64][PATH_MAX + NAME_MAX];
	static unsigned int next;
	char *path = paths[next++ % 64];
	char name[NAME_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

int run_there(const char *format, ...)
{
	char command[COMMAND_MAX], line[sizeof(directory) + sizeof(command) + 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	snprintf(line, sizeof(line), "cd '%s' && { %s; } >>log 2>&1", directory, command);
	return !system(line);
}

static void append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

static void append_extensions(char *text, size_t size, const char *extensions)
{
	size_t length;

	for (; extensions && *extensions; extensions += length + !!extensions[length]) {
		length = strcspn(extensions, "\n");
		append(text, size, " -addext '%.*s'", (int)length, extensions);
	}
}

void make_certificate(const struct recipe *recipe)
{
	char command[COMMAND_MAX] = "";

	if (recipe->key_of)
		append(command, sizeof(command),
		       "cp %s.key %s.key && openssl req -x509 -new -key %s.key", recipe->key_of,
		       recipe->name, recipe->name);
	else
		append(command, sizeof(command),
		       "openssl req -x509 -nodes -newkey %s -keyout %s.key",
		       recipe->key ? recipe->key : P256, recipe->name);
	append(command, sizeof(command), " -config openssl.cnf -out %s.pem -subj '%s'",
	       recipe->name, recipe->subject);
	if (recipe->issuer)
		append(command, sizeof(command), " -CA %s.pem -CAkey %s.key", recipe->issuer,
		       recipe->issuer);
	append_extensions(command, sizeof(command), recipe->extensions);
	append(command, sizeof(command), " %s",
	       recipe->options ? recipe->options :
				 "-not_before \"$(date -u -d yesterday +%Y%m%d%H%M%SZ)\" "
				 "-not_after \"$(date -u -d '30 days' +%Y%m%d%H%M%SZ)\"");
	if (!run_there("%s", command))
		bail("no certificate from: %s (see the log in %s)", command, directory);
}

void make_usual_certificates(void)
{
	static const struct recipe usual[] = {
		{ .name = "ca",
		  .subject = "/CN=Signet Test CA",
		  .extensions =
			  "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign" },
		{ .name = "server",
		  .subject = "/CN=a server",
		  .issuer = "ca",
		  .extensions = "subjectAltName=DNS:db.internal,IP:127.0.0.1,IP:::1\n"
				"basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth" },
		{ .name = "client",
		  .subject = "/O=Test/CN=a client",
		  .issuer = "ca",
		  .extensions = "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth" },
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		make_certificate(&usual[i]);
}
