// SPDX-License-Identifier: GPL-3.0-or-later
#include "control.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "status.h"
#include "supervisor.h"

static const struct command {
	const char *name;
	bool (*run)(struct supervisor *supervisor, FILE *out);
} commands[] = {
	{ "status", status_print },
	{ "profiles", status_print_profiles },
	{ "failures", status_print_failures },
	{ "reload", status_reload },
	{ "rekey", status_rekey },
	{ "rekey request", status_rekey_request },
	{ "drain", status_drain },
};

static void forget_clients(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		control->clients[i] = (struct control_client){ .fd = -1 };
}

static void set_owner(const char *path, const char *name)
{
	const struct group *group = getgrnam(name);

	if (geteuid())
		return;
	if (!group)
		log_text(LOG_WARNING, "there is no group %s: only root may use %s", name, path);
	else if (chown(path, 0, group->gr_gid))
		log_text(LOG_WARNING, "%s: %s", path, strerror(errno));
}

/* Whether another daemon listens there. */
static bool is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool served = !connect(fd, (const struct sockaddr *)address, sizeof(*address));

	close(fd);
	return served;
}

static bool fail(const char *path, const char *why)
{
	log_text(LOG_ERR, "%s: %s", path, why);
	return false;
}

/* What an earlier daemon has left there makes room. */
static bool make_room(const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	struct stat status;

	if (lstat(path, &status))
		return errno == ENOENT || fail(path, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return fail(path, "it is no socket, and is left as it is: name another path with "
				  "control in the configuration");
	if (status.st_uid != geteuid())
		return fail(path, "it is another user's socket, and is left as it is: name another "
				  "path with control in the configuration");
	if (is_served(address))
		return fail(path, strerror(EADDRINUSE));
	return !unlink(path) || fail(path, strerror(errno));
}

static bool bind_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char directory[PATH_MAX];
	mode_t mask;
	int ret;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(path, strerror(ENAMETOOLONG));
	strcpy(address.sun_path, path);
	snprintf(directory, sizeof(directory), "%s", path);
	(void)mkdir(dirname(directory), 0755);
	if (!make_room(&address))
		return false;
	mask = umask(0117); /* no moment in which others may connect */
	ret = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	return !ret || fail(path, strerror(errno));
}

static bool remember(struct control *control, const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		return fail(path, strerror(errno));
	snprintf(control->path, sizeof(control->path), "%s", path);
	control->device = status.st_dev;
	control->inode = status.st_ino;
	return true;
}

bool control_open(struct control *control, const char *path, const char *group)
{
	int fd;

	forget_clients(control);
	control->listener = -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(path, strerror(errno));
	if (!bind_to(fd, path) || !remember(control, path)) {
		close(fd);
		return false;
	}
	set_owner(path, group);
	if (listen(fd, CONTROL_CLIENTS_MAX)) {
		close(fd);
		return fail(path, strerror(errno));
	}
	control->listener = fd;
	return true;
}

void control_remove(const struct control *control)
{
	struct stat status;

	if (!*control->path || lstat(control->path, &status))
		return;
	if (status.st_dev == control->device && status.st_ino == control->inode)
		(void)unlink(control->path);
}

static void close_client(struct control_client *client)
{
	close(client->fd);
	free(client->reply);
	*client = (struct control_client){ .fd = -1 };
}

void control_close(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].fd >= 0)
			close_client(&control->clients[i]);
	if (control->listener >= 0)
		close(control->listener);
	control->listener = -1;
}

size_t control_waits(const struct control *control, struct pollfd *waits)
{
	size_t count = 0;

	if (control->listener >= 0)
		waits[count++] = (struct pollfd){ .fd = control->listener, .events = POLLIN };
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].fd >= 0)
			waits[count++] = (struct pollfd){
				.fd = control->clients[i].fd,
				.events = control->clients[i].reply ? POLLOUT : POLLIN,
			};
	return count;
}

static void accept_clients(struct control *control)
{
	struct control_client *client;
	int fd;

	while (control->listener >= 0 &&
	       (fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		for (client = control->clients;
		     client < control->clients + CONTROL_CLIENTS_MAX && client->fd >= 0;)
			client++;
		if (client == control->clients + CONTROL_CLIENTS_MAX)
			close(fd);
		else
			client->fd = fd;
	}
}

static void run_command(struct supervisor *supervisor, const char *name, FILE *out)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name))
			continue;
		if (!commands[i].run(supervisor, out))
			fputs("{\"ok\":false,\"error\":\"see the log\"}", out);
		return;
	}
	fputs("{\"ok\":false,\"error\":\"unknown command; there are status, profiles, failures, "
	      "reload, rekey, rekey request, drain\"}",
	      out);
}

static void answer(struct control_client *client, struct supervisor *supervisor)
{
	FILE *out = open_memstream(&client->reply, &client->reply_len);

	if (!out)
		return;
	run_command(supervisor, client->line, out);
	fputc('\n', out);
	fclose(out);
	client->sent = 0;
}

/* Return: whether a whole line is there, which then ends with a NUL. */
static bool read_line(struct control_client *client)
{
	ssize_t n;

	n = read(client->fd, client->line + client->used, 1);
	while (n == 1) {
		if (client->line[client->used] == '\n') {
			client->line[client->used] = '\0';
			client->used = 0;
			return true;
		}
		if (++client->used == sizeof(client->line))
			break;
		n = read(client->fd, client->line + client->used, 1);
	}
	if (n >= 0 || errno != EAGAIN)
		close_client(client);
	return false;
}

static void send_reply(struct control_client *client)
{
	ssize_t n;

	n = send(client->fd, client->reply + client->sent, client->reply_len - client->sent,
		 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0) {
		if (errno != EAGAIN)
			close_client(client);
		return;
	}
	client->sent += n;
	if (client->sent < client->reply_len)
		return;
	free(client->reply);
	client->reply = NULL;
}

void control_serve(struct control *control, struct supervisor *supervisor)
{
	accept_clients(control);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct control_client *client = &control->clients[i];

		if (client->fd >= 0 && !client->reply && read_line(client))
			answer(client, supervisor);
		if (client->fd >= 0 && client->reply)
			send_reply(client);
	}
}
