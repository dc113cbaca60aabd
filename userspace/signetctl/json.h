/* SPDX-License-Identifier: MIT */
/* Reads JSON (RFC 8259), as signetd's control socket speaks it. */
#ifndef SIGNETCTL_JSON_H
#define SIGNETCTL_JSON_H

#include <stdbool.h>

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_TEXT,
	JSON_LIST,
	JSON_OBJECT,
};

/**
 * struct json - a value
 * @type:	what it is
 * @name:	of a member of an object, else NULL
 * @text:	of a text; of a number, as it was written; else ""
 * @first:	member or element, of an object or a list that is not empty
 * @next:	the one that follows in the same object or list
 */
struct json {
	enum json_type type;
	char *name;
	char *text;
	struct json *first;
	struct json *next;
};

/* Return: the value, or NULL when the text is not one value of JSON and nothing else. */
struct json *json_parse(const char *text);

void json_free(struct json *json);

/* Return: the member, or NULL; also when there is no object. */
const struct json *json_member(const struct json *object, const char *name);

/* Return: its text or number as a text; "" when there is none. */
const char *json_text(const struct json *object, const char *name);

bool json_is_true(const struct json *object, const char *name);

#endif
