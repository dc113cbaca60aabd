// SPDX-License-Identifier: MIT
#include "json_text.h"

#include "utf8.h"

void json_print_text(FILE *out, const char *text)
{
	const char *start;
	unsigned int code;
	bool valid;

	fputc('"', out);
	while (*text) {
		start = text;
		code = utf8_next(&text, &valid);
		if (code == '"' || code == '\\')
			fprintf(out, "\\%c", code);
		else if (!valid || utf8_is_control(code))
			fprintf(out, "\\u%04x", code);
		else
			fwrite(start, 1, text - start, out);
	}
	fputc('"', out);
}
