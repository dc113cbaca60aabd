// SPDX-License-Identifier: GPL-3.0-or-later
/* The control socket replaces what an earlier daemon has left, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "certificates.h"
#include "control.h"
#include "log.h"
#include "tap.h"

static const char *path;

static int bind_there(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		bail("no socket: %s", strerror(errno));
	return fd;
}

static bool opens(struct control *control)
{
	bool good = control_open(control, path, "signet");

	if (good)
		control_close(control);
	return good;
}

static mode_t type_of(const char *file)
{
	struct stat status;

	return lstat(file, &status) ? 0 : status.st_mode & S_IFMT;
}

static void others_are_left(void)
{
	struct control control = {};
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	close(fd);
	ok(!opens(&control) && type_of(path) == S_IFREG, "a file is left as it is");
	control_remove(&control);
	ok(type_of(path) == S_IFREG, "at the end too");
	unlink(path);
	if (symlink("elsewhere", path))
		bail("no link");
	ok(!opens(&control) && type_of(path) == S_IFLNK, "a link is");
	unlink(path);
	if (mkdir(path, 0700))
		bail("no directory");
	ok(!opens(&control) && type_of(path) == S_IFDIR, "a directory is");
	rmdir(path);
	fd = bind_there();
	if (listen(fd, 1))
		bail("no listener");
	ok(!opens(&control) && type_of(path) == S_IFSOCK, "a socket that is served is");
	close(fd);
	if (geteuid()) {
		skip("not root", "a socket of another user is");
	} else {
		if (lchown(path, 1, 1))
			bail("no owner");
		ok(!opens(&control) && type_of(path) == S_IFSOCK, "a socket of another user is");
	}
	unlink(path);
}

static void own_is_replaced(void)
{
	struct control control = {};

	ok(opens(&control) && type_of(path) == S_IFSOCK, "where nothing is, it is made");
	ok(opens(&control), "what was left of one makes room");
	control_remove(&control);
	ok(!type_of(path), "it is removed at the end");
	if (!control_open(&control, path, "signet"))
		bail("no socket");
	unlink(path);
	close(bind_there());
	control_remove(&control);
	ok(type_of(path) == S_IFSOCK, "not when another has taken its place");
	control_close(&control);
	unlink(path);
}

int main(void)
{
	tap_begin();
	certificates_begin();
	path = strdup(in_certificates("control"));
	others_are_left();
	own_is_replaced();
	return tap_end();
}
