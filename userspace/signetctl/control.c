// SPDX-License-Identifier: MIT
#include "control.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A reload reads certificates, and starts processes. */
#define PATIENCE_SECONDS 60

static void __attribute__((format(printf, 2, 3))) fail(struct reply *reply, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&reply->problem, format, arguments) < 0)
		err(1, "out of memory");
	va_end(arguments);
}

static int connect_to(const char *path, struct reply *reply)
{
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		fail(reply, "%s: %s", path, strerror(ENAMETOOLONG));
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		fail(reply, "%s: signetd is not running (%s)", path, strerror(errno));
	else if (errno == EACCES)
		fail(reply, "%s: only root and signetd's control group may ask it", path);
	else
		fail(reply, "%s: %s", path, strerror(errno));
	close(fd);
	return -1;
}

/* Judges an answer. */
static void take(struct reply *reply)
{
	const struct json *complaints;
	const char *error;

	reply->line[strcspn(reply->line, "\n")] = '\0';
	reply->json = json_parse(reply->line);
	if (!reply->json || reply->json->type != JSON_OBJECT) {
		fail(reply, "signetd's answer is no object of JSON: %.200s", reply->line);
		return;
	}
	if (json_is_true(reply->json, "ok"))
		return;
	error = json_text(reply->json, "error");
	fail(reply, "signetd: %s", *error ? error : "it does not say why not");
	complaints = json_member(reply->json, "complaints");
	for (const struct json *at = complaints ? complaints->first : NULL; at; at = at->next) {
		char *before = reply->problem;

		fail(reply, "%s\n  %s", before, at->text ?: "");
		free(before);
	}
}

void control_ask(const char *path, const char *command, struct reply *reply)
{
	size_t size = 0;
	FILE *file;
	int fd;

	*reply = (struct reply){};
	fd = connect_to(path, reply);
	if (fd < 0)
		return;
	file = fdopen(fd, "r");
	if (!file)
		err(1, "%s", path);
	if (dprintf(fd, "%s\n", command) < 0) {
		fail(reply, "%s: %s", path, strerror(errno));
	} else if (getline(&reply->line, &size, file) < 0) {
		fail(reply, "%s: %s", path,
		     ferror(file) && errno == EAGAIN ? "signetd does not answer" :
						       "signetd ended the connection");
		free(reply->line);
		reply->line = NULL;
	} else {
		take(reply);
	}
	fclose(file);
}

void control_clear(struct reply *reply)
{
	free(reply->line);
	free(reply->problem);
	json_free(reply->json);
	*reply = (struct reply){};
}
