// SPDX-License-Identifier: GPL-3.0-or-later
#include "complaints.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void complain(struct complaints *complaints, struct place place, const char *format, ...)
{
	char *text, *line;
	va_list arguments;
	int ret;

	if (complaints->count == COMPLAINTS_MAX)
		return;
	va_start(arguments, format);
	ret = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (ret < 0)
		return;
	if (place.line)
		ret = asprintf(&line, "%s:%u: %s", place.file, place.line, text);
	else
		ret = asprintf(&line, "%s: %s", place.file, text);
	free(text);
	if (ret >= 0)
		complaints->lines[complaints->count++] = line;
}

void complaints_clear(struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++)
		free(complaints->lines[i]);
	complaints->count = 0;
}
