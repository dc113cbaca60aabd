/* SPDX-License-Identifier: MIT */
/* Texts of others: what they hold may be anything. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* What stands for bytes that are no UTF-8: U+FFFD, the replacement character. */
#define UTF8_REPLACEMENT 0xfffd

/**
 * utf8_next - decode a character (RFC 3629 4)
 * @text:	not at its NUL; moved behind the character, or behind a byte that is none's
 * @valid:	whether there was one
 *
 * Return: its code, or UTF8_REPLACEMENT.
 */
unsigned int utf8_next(const char **text, bool *valid);

/* Whether a terminal or a reader of lines may obey it: C0, DEL and C1. */
bool utf8_is_control(unsigned int code);

/* Puts a question mark for each byte of a control character, and for each that is no UTF-8. */
void utf8_make_printable(char *text);

#endif
