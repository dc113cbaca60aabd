// SPDX-License-Identifier: GPL-3.0-or-later
#include "log.h"

#include <ctype.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

static bool to_journal;
static int least = LOG_INFO;
static const char *process_name = "signetd";

/* systemd.exec(5): JOURNAL_STREAM names device and inode of the stream to the journal. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long device, inode;
	struct stat status;

	return stream && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &status) && status.st_dev == device && status.st_ino == inode;
}

void log_open(void)
{
	to_journal = stderr_is_journal();
	/* Its socket is opened now, while that is allowed. */
	if (to_journal && sd_journal_send("MESSAGE=signetd starts", "PRIORITY=%d", LOG_DEBUG, NULL))
		to_journal = false;
}

void log_set_level(int level)
{
	least = level;
}

void log_set_process(const char *name)
{
	process_name = name;
}

/* Adds "KEY=value" as one more field. What does not fit is cut off. */
static void add_field(struct log_line *line, const char *key, const char *format, va_list arguments)
{
	size_t room = sizeof(line->text) - line->used;
	char *start = line->text + line->used, *at;
	size_t length;

	if (line->count == LOG_FIELDS_MAX || room < strlen(key) + 2)
		return;
	at = stpcpy(start, key);
	*at++ = '=';
	(void)vsnprintf(at, room - (at - start), format, arguments);
	for (char *c = at; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	length = strlen(start);
	line->fields[line->count].iov_base = start;
	line->fields[line->count++].iov_len = length;
	line->used += length + 1;
}

__attribute__((format(printf, 3, 4))) static void add(struct log_line *line, const char *key,
						      const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_field(line, key, format, arguments);
	va_end(arguments);
}

static void begin(struct log_line *line, int level, const char *format, va_list arguments)
{
	line->level = level;
	line->used = 0;
	line->count = 0;
	add_field(line, "MESSAGE", format, arguments);
	add(line, "PRIORITY", "%d", level);
	add(line, "SIGNET_PROCESS", "%s", process_name);
}

void log_begin(struct log_line *line, int level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	begin(line, level, format, arguments);
	va_end(arguments);
}

void log_field(struct log_line *line, const char *key, const char *format, ...)
{
	char name[40] = "SIGNET_";
	va_list arguments;
	size_t length;

	length = strlen(name);
	for (; *key && length < sizeof(name) - 1; key++)
		name[length++] = toupper((unsigned char)*key);
	name[length] = '\0';
	va_start(arguments, format);
	add_field(line, name, format, arguments);
	va_end(arguments);
}

static const char *level_name(int level)
{
	static const char *const names[] = {
		[LOG_ERR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
		[LOG_INFO] = "info", [LOG_DEBUG] = "debug",
	};

	return level >= LOG_ERR && level <= LOG_DEBUG ? names[level] : "error";
}

/* A value that is more than one word stands in quotation marks. */
static void print_field(FILE *out, const struct iovec *field)
{
	const char *text = field->iov_base, *value = strchr(text, '=') + 1;

	fputc(' ', out);
	for (const char *c = text + strlen("SIGNET_"); c < value; c++)
		fputc(tolower((unsigned char)*c), out);
	if (*value && !strpbrk(value, " \"\\=")) {
		fputs(value, out);
		return;
	}
	fputc('"', out);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

/* Whoever reads slowly loses lines: handshakes do not wait for that. */
static bool is_writable(void)
{
	struct pollfd waiting = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLOUT);
}

/* In one write, so that lines of threads and processes do not mix. */
static void print_line(const struct log_line *line)
{
	static _Atomic unsigned int lost;
	static const size_t hidden = 3; /* MESSAGE, PRIORITY, SIGNET_PROCESS */
	char buffer[2 * LOG_TEXT_MAX];
	unsigned int missing;
	long length;
	FILE *out;

	if (!is_writable()) {
		atomic_fetch_add(&lost, 1);
		return;
	}
	out = fmemopen(buffer, sizeof(buffer), "w");
	if (!out)
		return;
	missing = atomic_exchange(&lost, 0);
	if (missing)
		fprintf(out, "%s: warning: %u lines were lost\n", process_name, missing);
	fprintf(out, "%s: %s: %s", process_name, level_name(line->level),
		(const char *)line->fields[0].iov_base + strlen("MESSAGE="));
	for (size_t i = hidden; i < line->count; i++)
		print_field(out, &line->fields[i]);
	fputc('\n', out);
	fflush(out);
	length = ftell(out);
	fclose(out);
	if (length > 0 && write(STDERR_FILENO, buffer, length) < 0)
		return; /* nobody is left to tell */
}

void log_end(struct log_line *line)
{
	if (line->level > least)
		return;
	if (to_journal)
		(void)sd_journal_sendv(line->fields, line->count);
	else
		print_line(line);
}

void log_text(int level, const char *format, ...)
{
	struct log_line line;
	va_list arguments;

	if (level > least)
		return;
	va_start(arguments, format);
	begin(&line, level, format, arguments);
	va_end(arguments);
	log_end(&line);
}
