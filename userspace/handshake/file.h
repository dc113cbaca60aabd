/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificate and key files, read whole into memory for secrets. */
#ifndef SIGNET_HANDSHAKE_FILE_H
#define SIGNET_HANDSHAKE_FILE_H

#include <stddef.h>

/* Every system's certificates together fit in far less. */
#define SIGNET_FILE_MAX (4u << 20)

struct signet_file {
	char *data;
	size_t size;
	size_t room;
};

/**
 * signet_file_read - read a file whole
 *
 * Return: 0, -EINVAL for one that is empty, too long or not a file, -ENOMEM, or the negative errno
 * of open() and read().
 */
int signet_file_read(struct signet_file *file, const char *path);

void signet_file_free(struct signet_file *file);

#endif
