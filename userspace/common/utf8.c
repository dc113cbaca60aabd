// SPDX-License-Identifier: MIT
#include "utf8.h"

#include <string.h>

/* First bytes, and the least code that needs as many: shorter codes in longer forms are none. */
static const struct form {
	unsigned char mask, bits;
	unsigned int length;
	unsigned int least;
} forms[] = {
	{ 0x80, 0x00, 1, 0x0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

static const struct form *form_of(unsigned char first)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if ((first & forms[i].mask) == forms[i].bits)
			return &forms[i];
	return NULL;
}

static bool is_surrogate(unsigned int code)
{
	return code >= 0xd800 && code <= 0xdfff;
}

/* Return: how many bytes it has, 0 for none. */
static unsigned int decode(const char *text, unsigned int *code)
{
	const struct form *form = form_of(*text);

	if (!form)
		return 0;
	*code = (unsigned char)*text & ~form->mask;
	for (unsigned int i = 1; i < form->length; i++) {
		/* The NUL at the end is none of these either. */
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	return *code >= form->least && *code <= 0x10ffff && !is_surrogate(*code) ? form->length : 0;
}

unsigned int utf8_next(const char **text, bool *valid)
{
	unsigned int code, length = decode(*text, &code);

	*valid = length;
	*text += length ? length : 1;
	return length ? code : UTF8_REPLACEMENT;
}

bool utf8_is_control(unsigned int code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

void utf8_make_printable(char *text)
{
	const char *at = text;
	unsigned int code;
	bool valid;

	while (*at) {
		code = utf8_next(&at, &valid);
		if (!valid || utf8_is_control(code))
			memset(text, '?', at - text);
		text += at - text;
	}
}
