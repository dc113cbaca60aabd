/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log lines with fields. To the journal when standard error is the journal's, as fields of their own;
 * else to standard error as text: MESSAGE key=value key="a value". Nobody waits for those who read
 * them: what finds no room is dropped, and counted in the next line that does.
 *
 *	struct log_line line;
 *
 *	log_begin(&line, LOG_WARNING, "handshake failed");
 *	log_field(&line, "uid", "%u", uid);
 *	log_end(&line);
 */
#ifndef SIGNETD_LOG_H
#define SIGNETD_LOG_H

#include <stddef.h>
#include <syslog.h>

#define LOG_FIELDS_MAX 24
#define LOG_TEXT_MAX 4096

/**
 * struct log_line - one that is being put together
 * @level:	LOG_ERR to LOG_DEBUG
 * @used:	of @text
 * @count:	of @fields
 * @fields:	where in @text each begins: KEY=value, and a NUL
 */
struct log_line {
	int level;
	size_t used;
	size_t count;
	const char *fields[LOG_FIELDS_MAX];
	char text[LOG_TEXT_MAX];
};

/* Before threads and confinement: finds out where lines go. */
void log_open(void);

/* Lines less important than this are left out. */
void log_set_level(int level);

/*
 * Which process of the daemon speaks from now on: "signetd-signer", say. Before its confinement: it
 * has a way to the journal of its own, that no other process shares.
 */
void log_set_process(const char *name);

__attribute__((format(printf, 3, 4))) void log_begin(struct log_line *line, int level,
						     const char *format, ...);

/* A key is in lower case. What is not printable in a value is put out as question marks. */
__attribute__((format(printf, 3, 4))) void log_field(struct log_line *line, const char *key,
						     const char *format, ...);

void log_end(struct log_line *line);

/* A line without fields. */
__attribute__((format(printf, 2, 3))) void log_text(int level, const char *format, ...);

#endif
