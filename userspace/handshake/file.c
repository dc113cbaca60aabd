// SPDX-License-Identifier: GPL-3.0-or-later
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret.h"

static int read_all(int fd, struct signet_file *file)
{
	ssize_t n;

	do {
		n = read(fd, file->data + file->size, file->room - file->size);
		if (n > 0)
			file->size += n;
	} while ((n > 0 && file->size < file->room) || (n < 0 && errno == EINTR));
	if (n < 0)
		return -errno;
	/* One byte of room is more than the file had: a full buffer means that it grew. */
	return file->size && file->size < file->room ? 0 : -EINVAL;
}

int signet_file_read(struct signet_file *file, const char *path)
{
	struct stat status;
	int fd, ret;

	memset(file, 0, sizeof(*file));
	if (!path)
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	ret = fstat(fd, &status) ? -errno : 0;
	if (ret)
		goto close_file;
	ret = -EINVAL;
	if (!S_ISREG(status.st_mode) || status.st_size > SIGNET_FILE_MAX)
		goto close_file;

	file->room = status.st_size + 1;
	file->data = signet_secret_alloc(file->room);
	ret = -ENOMEM;
	if (!file->data)
		goto close_file;
	ret = read_all(fd, file);
	if (ret)
		signet_file_free(file);
close_file:
	close(fd);
	return ret;
}

void signet_file_free(struct signet_file *file)
{
	signet_secret_free(file->data, file->room);
	memset(file, 0, sizeof(*file));
}
