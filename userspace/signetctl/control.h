/* SPDX-License-Identifier: MIT */
/* signetd's control socket, whose protocol is in signetd(8). */
#ifndef SIGNETCTL_CONTROL_H
#define SIGNETCTL_CONTROL_H

#include "json.h"

#define CONTROL_SOCKET "/run/signet/control"

/**
 * struct reply - what signetd answers
 * @line:	as it came, without its end; NULL when signetd did not answer
 * @json:	the same, read; an object
 * @problem:	why not, or why the command was refused; NULL when it was done
 */
struct reply {
	char *line;
	struct json *json;
	char *problem;
};

/* Sends a command and waits for the answer. */
void control_ask(const char *path, const char *command, struct reply *reply);

void control_clear(struct reply *reply);

#endif
