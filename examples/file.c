// SPDX-License-Identifier: MIT
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Takes over the descriptor: a mapping does not need it any more. Return: 0 or an errno. */
static int map(struct file *file, int fd, intmax_t size, int protection, int flags)
{
	void *map = size ? mmap(NULL, (size_t)size, protection, flags, fd, 0) : NULL;
	int error = map == MAP_FAILED ? errno : 0;

	close(fd);
	file->map = error ? NULL : map;
	file->size = error ? 0 : size;
	return error;
}

int file_open(struct file *file, int directory, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	size_t len = strlen(path);
	char name[PATH_MAX];
	struct stat status;
	int fd;

	snprintf(name, sizeof(name), "%s%s", path,
		 !len || path[len - 1] == '/' ? "index.html" : "");
	fd = (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));
	if (fd < 0)
		return errno;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		close(fd);
		return ENOENT;
	}
	return map(file, fd, status.st_size, PROT_READ, MAP_PRIVATE);
}

int file_create(struct file *file, int directory, int number, intmax_t size, const void *first,
		size_t len)
{
	int fd, error;

	snprintf(file->upload, sizeof(file->upload), ".upload-%d-%d", getpid(), number);
	fd = openat(directory, file->upload, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	if (ftruncate(fd, size) || pwrite(fd, first, len, 0) != (ssize_t)len) {
		error = errno;
		close(fd);
		return error;
	}
	return map(file, fd, size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

int file_commit(struct file *file, int directory, const char *name)
{
	if (renameat(directory, file->upload, directory, name))
		return errno;
	*file->upload = 0;
	return 0;
}

void file_release(struct file *file, int directory)
{
	if (file->map)
		munmap(file->map, (size_t)file->size);
	if (*file->upload)
		unlinkat(directory, file->upload, 0);
	*file = (struct file){};
}
