// SPDX-License-Identifier: GPL-3.0-or-later
#include "files.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "log.h"
#include "parser.h"

/* Files are replaced by renaming others, and written to. */
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE)
/* Through which mounted secrets are changed all at once. */
#define SWITCHED_LINK "..data"

static void watch_file(struct files *files, const char *path)
{
	struct watched_file *item;
	char directory[PATH_MAX];

	if (!path || *path != '/')
		return;
	snprintf(directory, sizeof(directory), "%s", path);
	files->items = parser_grow(files->items, files->count, sizeof(*files->items));
	item = &files->items[files->count++];
	item->name = strrchr(path, '/') + 1;
	item->directory = inotify_add_watch(files->inotify, dirname(directory), EVENTS);
	if (item->directory < 0)
		log_text(LOG_WARNING, "%s is not watched for changes: %s", path, strerror(errno));
}

void files_watch(struct files *files, const struct settings *settings)
{
	files->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (files->inotify < 0) {
		log_text(LOG_WARNING, "certificates are not watched for changes: %s",
			 strerror(errno));
		return;
	}
	for (size_t i = 0; i < settings->profile_count; i++) {
		const struct profile_settings *profile = &settings->profiles[i];

		watch_file(files, profile->ca);
		for (size_t j = 0; j < profile->credential_count; j++) {
			watch_file(files, profile->credentials[j].chain);
			watch_file(files, profile->credentials[j].key);
		}
	}
	for (size_t i = 0; i < settings->trust_count; i++)
		watch_file(files, settings->trust[i].file);
}

static bool is_ours(const struct files *files, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	if (!event->len)
		return false;
	for (size_t i = 0; i < files->count; i++)
		if (files->items[i].directory == event->wd &&
		    (!strcmp(files->items[i].name, event->name) ||
		     !strcmp(event->name, SWITCHED_LINK)))
			return true;
	return false;
}

bool files_changed(struct files *files)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *event;
	bool changed = false;
	ssize_t n;

	while ((n = read(files->inotify, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + n; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			changed |= is_ours(files, event);
		}
	return changed;
}

void files_close(struct files *files)
{
	if (files->inotify >= 0)
		close(files->inotify);
	free(files->items);
	*files = (struct files){ .inotify = -1 };
}
