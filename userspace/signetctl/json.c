// SPDX-License-Identifier: MIT
#include "json.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

static bool parse_value(const char **at, struct json *json, unsigned int depth);

static void skip_space(const char **at)
{
	*at += strspn(*at, " \t\r\n");
}

/* Skips space, and then the character if it is next. */
static bool skip(const char **at, char wanted)
{
	skip_space(at);
	if (**at != wanted)
		return false;
	++*at;
	return true;
}

static bool parse_word(const char **at, const char *word)
{
	if (strncmp(*at, word, strlen(word)))
		return false;
	*at += strlen(word);
	return true;
}

/* --- texts ------------------------------------------------------------------------ */

static bool parse_hex(const char **at, unsigned int *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++, ++*at) {
		const char *digits = "0123456789abcdef0123456789ABCDEF";
		const char *digit = **at ? strchr(digits, **at) : NULL;

		if (!digit)
			return false;
		*code = *code << 4 | ((digit - digits) & 15);
	}
	return true;
}

/* UTF-8 (RFC 3629 3), for codes of "\u": of pairs of surrogates each is put for itself. */
static char *put_code(char *to, unsigned int code)
{
	if (code < 0x80) {
		*to++ = code;
		return to;
	}
	if (code < 0x800) {
		*to++ = 0xc0 | code >> 6;
	} else {
		*to++ = 0xe0 | code >> 12;
		*to++ = 0x80 | (code >> 6 & 0x3f);
	}
	*to++ = 0x80 | (code & 0x3f);
	return to;
}

static char *parse_escape(const char **at, char *to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *found = **at ? strchr(from, **at) : NULL;
	unsigned int code;

	if (found) {
		++*at;
		*to++ = into[found - from];
		return to;
	}
	/* A NUL would end the text. */
	return parse_word(at, "u") && parse_hex(at, &code) && code ? put_code(to, code) : NULL;
}

/* Behind the quotation mark. Return: the text, or NULL. */
static char *parse_text(const char **at)
{
	/* No escape becomes longer than it was written. */
	char *text = malloc(strlen(*at) + 1), *to = text;

	if (!text)
		err(1, "out of memory");
	while (to && **at && **at != '"') {
		if ((unsigned char)**at < 0x20)
			to = NULL;
		else if (parse_word(at, "\\"))
			to = parse_escape(at, to);
		else
			*to++ = *(*at)++;
	}
	if (!to || **at != '"') {
		free(text);
		return NULL;
	}
	++*at;
	*to = '\0';
	return text;
}

/* --- values ----------------------------------------------------------------------- */

static bool parse_number(const char **at, struct json *json)
{
	char *end;

	if (**at != '-' && (**at < '0' || **at > '9'))
		return false;
	(void)strtod(*at, &end);
	if (end == *at)
		return false;
	json->type = JSON_NUMBER;
	json->text = strndup(*at, end - *at);
	if (!json->text)
		err(1, "out of memory");
	*at = end;
	return true;
}

/* An element of a list, or a member of an object. */
static bool parse_item(const char **at, struct json *item, bool is_member, unsigned int depth)
{
	if (is_member) {
		if (!skip(at, '"'))
			return false;
		item->name = parse_text(at);
		if (!item->name || !skip(at, ':'))
			return false;
	}
	return parse_value(at, item, depth);
}

static bool parse_items(const char **at, struct json *json, char end, unsigned int depth)
{
	struct json **next = &json->first;

	if (!depth)
		return false;
	if (skip(at, end))
		return true;
	do {
		*next = calloc(1, sizeof(**next));
		if (!*next)
			err(1, "out of memory");
		if (!parse_item(at, *next, end == '}', depth - 1))
			return false;
		next = &(*next)->next;
	} while (skip(at, ','));
	return skip(at, end);
}

static bool parse_value(const char **at, struct json *json, unsigned int depth)
{
	skip_space(at);
	if (parse_word(at, "null"))
		return true;
	if (parse_word(at, "true")) {
		json->type = JSON_TRUE;
		return true;
	}
	if (parse_word(at, "false")) {
		json->type = JSON_FALSE;
		return true;
	}
	if (parse_word(at, "\"")) {
		json->type = JSON_TEXT;
		json->text = parse_text(at);
		return json->text;
	}
	if (parse_word(at, "[")) {
		json->type = JSON_LIST;
		return parse_items(at, json, ']', depth);
	}
	if (parse_word(at, "{")) {
		json->type = JSON_OBJECT;
		return parse_items(at, json, '}', depth);
	}
	return parse_number(at, json);
}

struct json *json_parse(const char *text)
{
	struct json *json = calloc(1, sizeof(*json));

	if (!json)
		err(1, "out of memory");
	if (parse_value(&text, json, DEPTH_MAX)) {
		skip_space(&text);
		if (!*text)
			return json;
	}
	json_free(json);
	return NULL;
}

void json_free(struct json *json)
{
	while (json) {
		struct json *next = json->next;

		json_free(json->first);
		free(json->name);
		free(json->text);
		free(json);
		json = next;
	}
}

/* --- what is in it ---------------------------------------------------------------- */

const struct json *json_member(const struct json *object, const char *name)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *at = object->first; at; at = at->next)
		if (!strcmp(at->name, name))
			return at;
	return NULL;
}

const char *json_text(const struct json *object, const char *name)
{
	const struct json *member = json_member(object, name);

	return member && member->text ? member->text : "";
}

bool json_is_true(const struct json *object, const char *name)
{
	const struct json *member = json_member(object, name);

	return member && member->type == JSON_TRUE;
}
