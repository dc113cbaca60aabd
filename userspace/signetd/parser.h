/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of what a group of settings may hold, and the reading of one by its table. */
#ifndef SIGNETD_PARSER_H
#define SIGNETD_PARSER_H

#include <stddef.h>
#include <stdbool.h>

#include <libconfig.h>

#include "settings.h"

struct parser {
	struct settings *settings;
	struct complaints *complaints;
};

enum item_type {
	ITEM_TEXT, /* const char * */
	ITEM_FLAG, /* bool */
	ITEM_NUMBER, /* unsigned int, from @least to @most */
	ITEM_CHOICE, /* unsigned int, by one of the words of @choices */
	ITEM_WORDS, /* struct words */
	ITEM_OTHER, /* whatever @read makes of it */
};

struct choice {
	const char *word;
	unsigned int value;
};

/* Where an item goes that says nothing of its place. */
#define NO_PLACE ((size_t)-1)

/**
 * struct item - a setting that may stand in a group
 * @offset:	of the member that it fills
 * @place:	of the struct place that is filled too, or NO_PLACE
 * @choices:	ended by one without a word
 * @read:	an ITEM_OTHER's, with the address of the member
 */
struct item {
	const char *name;
	enum item_type type;
	size_t offset;
	size_t place;
	unsigned int least, most;
	const struct choice *choices;
	void (*read)(struct parser *parser, config_setting_t *setting, void *member);
};

/**
 * parser_read_group - fill a structure by a table
 * @what:	how to call the group in complaints: "a profile"
 * @items:	ended by one without a name
 * @into:	the structure
 */
void parser_read_group(struct parser *parser, config_setting_t *group, const char *what,
		       const struct item *items, void *into);

struct place parser_place(const config_setting_t *setting);

/* The text of a setting; NULL, with a complaint, when it is none or empty. */
const char *parser_text(struct parser *parser, config_setting_t *setting);

/* A list or array of texts, or a single one. */
void parser_words(struct parser *parser, config_setting_t *setting, struct words *words);

/* Memory that is there: the configuration is small, and without it there is nothing to do. */
void *parser_grow(void *array, size_t count, size_t size);

/* Complains about a setting, at its place. */
#define parser_complain(parser, setting, ...) \
	complain((parser)->complaints, parser_place(setting), __VA_ARGS__)

#endif
