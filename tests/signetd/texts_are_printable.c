// SPDX-License-Identifier: GPL-3.0-or-later
/* Whatever applications and peers write: JSON stays JSON, and lines of the log stay lines. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_text.h"
#include "log.h"
#include "tap.h"
#include "utf8.h"

#define REPLACED "\\ufffd"

static const struct text {
	const char *what;
	const char *text;
	const char *json; /* without quotation marks */
	const char *printable;
} texts[] = {
	{ "ASCII", "a b", "a b", "a b" },
	{ "quotation marks", "\"\\", "\\\"\\\\", "\"\\" },
	{ "control characters", "\x1b[31m\n\x7f", "\\u001b[31m\\u000a\\u007f", "?[31m??" },
	{ "two, three and four bytes", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91",
	  "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91" },
	{ "control characters of C1", "\xc2\x9b\x31m", "\\u009b1m", "??1m" },
	{ "a byte that begins none", "a\x80z\xff", "a" REPLACED "z" REPLACED, "a?z?" },
	{ "a character that is cut off", "a\xe2\x82", "a" REPLACED REPLACED, "a??" },
	{ "one that another interrupts", "\xe2\x28\xa1", REPLACED "(" REPLACED, "?(?" },
	{ "a form that is too long", "\xc0\xaf\xe0\x80\xaf",
	  REPLACED REPLACED REPLACED REPLACED REPLACED, "?????" },
	{ "a surrogate", "\xed\xa0\x80", REPLACED REPLACED REPLACED, "???" },
	{ "beyond Unicode", "\xf4\x90\x80\x80", REPLACED REPLACED REPLACED REPLACED, "????" },
};

static void texts_are_written(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct text *text = &texts[i];
		char wanted[256], line[256], *got;
		size_t length;
		FILE *out = open_memstream(&got, &length);

		if (!out)
			bail("no memory");
		json_print_text(out, text->text);
		fclose(out);
		snprintf(wanted, sizeof(wanted), "\"%s\"", text->json);
		if (!ok(!strcmp(got, wanted), "in JSON: %s", text->what))
			note("%s instead of %s", got, wanted);
		free(got);
		strcpy(line, text->text);
		utf8_make_printable(line);
		ok(!strcmp(line, text->printable), "in a line: %s", text->what);
	}
}

/* Standard error is a pipe meanwhile. Return: its end to be read. */
static int capture(int *saved)
{
	int ends[2];

	if (pipe(ends))
		bail("no pipe");
	*saved = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	log_open();
	return ends[0];
}

static void say(const char *text)
{
	struct log_line line;

	log_begin(&line, LOG_ERR, "%s", text);
	log_field(&line, "text", "%s", text);
	log_end(&line);
}

static size_t read_all(int fd, char *buffer, size_t size)
{
	ssize_t n = read(fd, buffer, size - 1);

	if (n < 0)
		bail("nothing in the log");
	buffer[n] = '\0';
	return n;
}

static void lines_stay_lines(void)
{
	char long_text[2000], got[65537];
	int saved, fd = capture(&saved);

	say("a\nb\xff \x1b");
	read_all(fd, got, sizeof(got));
	ok(!strcmp(got, "signetd: error: a?b? ? text=\"a?b? ?\"\n"), "a line of the log");
	memset(long_text, '"', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	say(long_text);
	ok(read_all(fd, got, sizeof(got)) <= 4096 && strchr(got, '\n') == got + strlen(got) - 1,
	   "a long one is one, no longer than pipes keep together");
	dup2(saved, STDERR_FILENO);
	close(fd);
}

/* Nobody reads: were a write to wait, the test would not end. */
static void nobody_waits(void)
{
	char text[100], wanted[100], got[1 << 20];
	unsigned int said = 0, lines = 0, missing = 0;
	int saved, fd = capture(&saved);

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (; said < 5000; said++)
		say(text);
	read_all(fd, got, sizeof(got));
	for (const char *at = got; (at = strchr(at, '\n')); at++)
		lines++;
	ok(lines && lines < said, "%u of %u lines find room", lines, said);
	say("afterwards");
	read_all(fd, got, sizeof(got));
	missing = said - lines;
	snprintf(wanted, sizeof(wanted), "signetd: warning: %u lines were lost\n", missing);
	if (!ok(!strncmp(got, wanted, strlen(wanted)) && strstr(got, "afterwards"),
		"the others are counted"))
		note("%.100s instead of %s", got, wanted);
	dup2(saved, STDERR_FILENO);
	close(fd);
}

int main(void)
{
	tap_begin();
	texts_are_written();
	lines_stay_lines();
	nobody_waits();
	return tap_end();
}
