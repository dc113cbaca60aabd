/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket: a client sends a command in a line, and gets an object of JSON in a line.
 * signetd(8) describes both.
 */
#ifndef SIGNETD_CONTROL_H
#define SIGNETD_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct supervisor;

#define CONTROL_CLIENTS_MAX 16
#define CONTROL_LINE_MAX 256

/**
 * struct control_client - who is connected
 * @fd:		-1 for nobody
 * @line:	what came of a command, @used bytes
 * @reply:	what is still to be sent, from @sent on; NULL for nothing
 */
struct control_client {
	int fd;
	char line[CONTROL_LINE_MAX];
	size_t used;
	char *reply;
	size_t reply_len;
	size_t sent;
};

/**
 * struct control - the socket
 * @listener:	-1 for none
 * @path:	where it is, whatever a later configuration says
 * @device, @inode: of its file
 */
struct control {
	int listener;
	char path[108];
	dev_t device;
	ino_t inode;
	struct control_client clients[CONTROL_CLIENTS_MAX];
};

/**
 * control_open - listen
 * @group:	that may connect, beside root
 *
 * A socket of ours that nobody listens at any more makes room, and nothing else does. The log says
 * what is wrong.
 *
 * Return: whether it listens.
 */
bool control_open(struct control *control, const char *path, const char *group);

/* Closes all; the socket's file stays where it is. */
void control_close(struct control *control);

/* Removes the socket's file, if it is still the one that was made. */
void control_remove(const struct control *control);

/* Fills in what to wait for. Return: how many, at most CONTROL_CLIENTS_MAX + 1. */
size_t control_waits(const struct control *control, struct pollfd *waits);

/* Does what can be done without waiting. */
void control_serve(struct control *control, struct supervisor *supervisor);

#endif
