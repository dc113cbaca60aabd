// SPDX-License-Identifier: GPL-3.0-or-later
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int passed, failed, skipped;

static void line(const char *verdict, const char *format, va_list arguments, const char *directive)
{
	printf("%s %u ", verdict, passed + failed + skipped);
	vprintf(format, arguments);
	printf("%s%s\n", directive ? " # SKIP " : "", directive ? directive : "");
}

void tap_begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
}

bool ok(bool good, const char *format, ...)
{
	va_list arguments;

	if (good)
		passed++;
	else
		failed++;
	va_start(arguments, format);
	line(good ? "ok" : "not ok", format, arguments, NULL);
	va_end(arguments);
	return good;
}

void skip(const char *reason, const char *format, ...)
{
	va_list arguments;

	skipped++;
	va_start(arguments, format);
	line("ok", format, arguments, reason);
	va_end(arguments);
}

void note(const char *format, ...)
{
	va_list arguments;

	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

void skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	exit(TAP_SKIP);
}

void bail(const char *format, ...)
{
	va_list arguments;

	printf("Bail out! ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	exit(TAP_FAIL);
}

int tap_end(void)
{
	printf("1..%u\n", passed + failed + skipped);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n", passed, failed,
	       skipped);
	return failed ? TAP_FAIL : TAP_PASS;
}
