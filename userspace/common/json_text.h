/* SPDX-License-Identifier: MIT */
/* Texts as JSON has them (RFC 8259 7). */
#ifndef COMMON_JSON_TEXT_H
#define COMMON_JSON_TEXT_H

#include <stdio.h>

/*
 * Writes a text, with its quotation marks. Control characters are escaped; what is no UTF-8, which
 * JSON has to be (RFC 8259 8.1), becomes U+FFFD.
 */
void json_print_text(FILE *out, const char *text);

#endif
