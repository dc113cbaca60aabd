/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate, key and CA files of a configuration, watched for changes. */
#ifndef SIGNETD_FILES_H
#define SIGNETD_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "settings.h"

/* The directory that a file lies in, by its number in inotify, and the file's name there. */
struct watched_file {
	int directory;
	const char *name;
};

/**
 * struct files - those that are watched
 * @inotify:	readable when something has happened
 */
struct files {
	int inotify;
	struct watched_file *items;
	size_t count;
};

/* Begins with the files of @settings, which must outlive it. */
void files_watch(struct files *files, const struct settings *settings);

/* Reads what has happened. Return: whether a file of ours may have changed. */
bool files_changed(struct files *files);

void files_close(struct files *files);

#endif
