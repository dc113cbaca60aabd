// SPDX-License-Identifier: GPL-3.0-or-later
#include "log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "utf8.h"

#define JOURNAL "/run/systemd/journal/socket"

/**
 * struct output - where lines go
 * @journal:	a socket that is connected to it
 * @may_connect: once more, when the journal has a new one
 * @is_socket:	@fd is one
 * @may_wait:	a write to @fd could wait: it is asked for room before
 */
static struct output {
	bool to_journal;
	bool may_connect;
	int journal;
	int fd;
	bool is_socket;
	bool may_wait;
} output = { .journal = -1, .fd = STDERR_FILENO, .may_wait = true };

static int least = LOG_INFO;
static const char *process_name = "signetd";
/* Lines since the last one that was taken. */
static _Atomic unsigned int lost;

/* systemd.exec(5): JOURNAL_STREAM names device and inode of the stream to the journal. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long device, inode;
	struct stat status;

	return stream && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &status) && status.st_dev == device && status.st_ino == inode;
}

/*
 * Connected, so that a process that is confined needs to give no address, and nothing but what it
 * writes can be sent to anybody.
 */
static bool connect_journal(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL };

	if (output.journal >= 0)
		close(output.journal);
	output.journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (output.journal >= 0 &&
	    connect(output.journal, (struct sockaddr *)&address, sizeof(address))) {
		close(output.journal);
		output.journal = -1;
	}
	return output.journal >= 0;
}

/*
 * Those that share standard error with us are not to find it non-blocking: so a pipe or terminal is
 * opened once more. Where that is not allowed, it is asked for room before each line.
 */
static void open_stderr(void)
{
	struct stat status;
	int fd;

	if (fstat(STDERR_FILENO, &status))
		return;
	output.is_socket = S_ISSOCK(status.st_mode);
	output.may_wait = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
	if (!output.may_wait)
		return;
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	output.fd = fd;
	output.may_wait = false;
}

void log_open(void)
{
	output.to_journal = stderr_is_journal() && connect_journal();
	output.may_connect = output.to_journal;
	if (!output.to_journal)
		open_stderr();
}

void log_set_level(int level)
{
	least = level;
}

void log_set_process(const char *name)
{
	process_name = name;
	atomic_store(&lost, 0);
	output.may_connect = false;
	if (output.to_journal)
		(void)connect_journal();
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
	utf8_make_printable(at);
	length = strlen(start);
	line->fields[line->count++] = start;
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
	add(line, "SYSLOG_IDENTIFIER", "%s", "signetd");
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
static void print_field(FILE *out, const char *text)
{
	const char *value = strchr(text, '=') + 1;

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

/* Whoever reads slowly loses lines: handshakes do not wait for that. Return: whether it was taken. */
static bool put(const char *text, size_t length)
{
	struct pollfd waiting = { .fd = output.fd, .events = POLLOUT };
	ssize_t n;

	if (output.to_journal)
		n = send(output.journal, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (output.is_socket)
		n = send(output.fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (output.may_wait && poll(&waiting, 1, 0) <= 0)
		n = -1;
	else
		n = write(output.fd, text, length);
	return n >= 0;
}

/* Return: bytes of @text. A line in one write of so many does not mix with others' (pipe(7)). */
static size_t print_line(const struct log_line *line, char *text, size_t size)
{
	static const size_t hidden = 4; /* MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, SIGNET_PROCESS */
	FILE *out = fmemopen(text, size, "w");
	long length;

	if (!out)
		return 0;
	fprintf(out, "%s: %s: %s", process_name, level_name(line->level),
		line->fields[0] + strlen("MESSAGE="));
	for (size_t i = hidden; i < line->count; i++)
		print_field(out, line->fields[i]);
	fflush(out);
	length = ftell(out);
	fclose(out);
	if (length < 0)
		return 0;
	if (length >= PIPE_BUF)
		length = PIPE_BUF - 1;
	/* Not within a character. */
	while (length && (text[length] & 0xc0) == 0x80)
		length--;
	text[length] = '\n';
	return length + 1;
}

/* The journal's own form: fields that hold no newline, each with one behind it. */
static bool put_to_journal(struct log_line *line)
{
	for (size_t i = 0; i < line->used; i++)
		if (!line->text[i])
			line->text[i] = '\n';
	if (put(line->text, line->used))
		return true;
	return errno != EAGAIN && output.may_connect && connect_journal() &&
	       put(line->text, line->used);
}

static bool put_line(struct log_line *line)
{
	/* A value may have to be escaped. */
	char text[2 * LOG_TEXT_MAX];

	if (output.to_journal)
		return put_to_journal(line);
	return put(text, print_line(line, text, sizeof(text)));
}

__attribute__((format(printf, 2, 3))) static bool put_text(int level, const char *format, ...)
{
	struct log_line line;
	va_list arguments;

	va_start(arguments, format);
	begin(&line, level, format, arguments);
	va_end(arguments);
	return put_line(&line);
}

void log_end(struct log_line *line)
{
	unsigned int missing;

	if (line->level > least)
		return;
	missing = atomic_exchange(&lost, 0);
	if (missing && !put_text(LOG_WARNING, "%u lines were lost", missing))
		atomic_fetch_add(&lost, missing + 1);
	else if (!put_line(line))
		atomic_fetch_add(&lost, 1);
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
