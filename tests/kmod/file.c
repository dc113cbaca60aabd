// SPDX-License-Identifier: GPL-2.0-only
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* More than any file that file_number() is used on. */
#define NUMBERS_MAX 16384

static void close_quietly(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close_quietly(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

long file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1, len = 0;

	if (fd < 0)
		return -1;
	while (n > 0 && (size_t)len < size - 1) {
		n = read(fd, text + len, size - 1 - len);
		if (n > 0)
			len += n;
	}
	close_quietly(fd);
	text[len] = '\0';
	return n < 0 ? -1 : len;
}

long file_number(const char *path, const char *name)
{
	static char text[NUMBERS_MAX];
	size_t len = strlen(name);
	const char *found;

	if (file_read(path, text, sizeof(text)) < 0)
		return -1;
	for (found = text; (found = strstr(found, name)); found += len) {
		if ((found == text || strchr(" \n", found[-1])) && found[len] == ' ')
			return strtol(found + len, NULL, 10);
	}
	return -1;
}
