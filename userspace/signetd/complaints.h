/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wrong with a configuration: one line for each error, with file and line. */
#ifndef SIGNETD_COMPLAINTS_H
#define SIGNETD_COMPLAINTS_H

#include <stddef.h>

/* Who reads them has seen enough then. */
#define COMPLAINTS_MAX 100

/**
 * struct place - where something was written
 * @file:	path, as the configuration named it
 * @line:	counted from 1; 0: the file as a whole
 */
struct place {
	const char *file;
	unsigned int line;
};

/**
 * struct complaints - in the order in which they were found
 * @lines:	"FILE:LINE: TEXT"
 * @count:	of @lines
 */
struct complaints {
	char *lines[COMPLAINTS_MAX];
	size_t count;
};

__attribute__((format(printf, 3, 4))) void complain(struct complaints *complaints,
						    struct place place, const char *format, ...);

/* Frees the lines and empties the list. */
void complaints_clear(struct complaints *complaints);

#endif
