// SPDX-License-Identifier: GPL-3.0-or-later
#include "parser.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 512

struct place parser_place(const config_setting_t *setting)
{
	const char *file = config_setting_source_file(setting);

	return (struct place){ file ? file : "?", config_setting_source_line(setting) };
}

void *parser_grow(void *array, size_t count, size_t size)
{
	array = reallocarray(array, count + 1, size);
	if (!array)
		err(1, "configuration");
	memset((char *)array + count * size, 0, size);
	return array;
}

const char *parser_text(struct parser *parser, config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);

	if (text && *text && strlen(text) <= SIGNET_STRING_MAX)
		return text;
	if (text && *text)
		parser_complain(parser, setting, "a text of at most %u bytes is expected",
				SIGNET_STRING_MAX);
	else if (config_setting_name(setting))
		parser_complain(parser, setting, "%s: a text in quotation marks is expected",
				config_setting_name(setting));
	else
		parser_complain(parser, setting, "a text in quotation marks is expected");
	return NULL;
}

static bool is_sequence(const config_setting_t *setting)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting);
}

void parser_words(struct parser *parser, config_setting_t *setting, struct words *words)
{
	int count = is_sequence(setting) ? config_setting_length(setting) : 1;

	words->place = parser_place(setting);
	for (int i = 0; i < count; i++) {
		config_setting_t *element =
			is_sequence(setting) ? config_setting_get_elem(setting, i) : setting;
		const char *text = parser_text(parser, element);

		if (!text)
			return;
		words->items = parser_grow(words->items, words->count, sizeof(*words->items));
		words->items[words->count++] = text;
	}
}

static void read_flag(struct parser *parser, config_setting_t *setting, bool *flag)
{
	if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
		*flag = config_setting_get_bool(setting);
	else
		parser_complain(parser, setting, "%s: true or false is expected",
				config_setting_name(setting));
}

static void read_number(struct parser *parser, config_setting_t *setting, const struct item *item,
			unsigned int *number)
{
	long long value = -1;

	if (config_setting_is_number(setting) && config_setting_type(setting) != CONFIG_TYPE_FLOAT)
		value = config_setting_get_int64(setting);
	if (value >= item->least && value <= item->most)
		*number = value;
	else
		parser_complain(parser, setting, "%s: a number from %u to %u is expected",
				item->name, item->least, item->most);
}

static void read_choice(struct parser *parser, config_setting_t *setting, const struct item *item,
			unsigned int *value)
{
	const char *text = config_setting_get_string(setting);
	const struct choice *choice;
	char list[LIST_MAX] = "";

	for (choice = item->choices; choice->word; choice++) {
		if (text && !strcmp(choice->word, text)) {
			*value = choice->value;
			return;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s\"%s\"",
			 choice == item->choices ? "" :
			 choice[1].word		 ? ", " :
						   " or ",
			 choice->word);
	}
	parser_complain(parser, setting, "%s: %s is expected", item->name, list);
}

static void read_item(struct parser *parser, config_setting_t *setting, const struct item *item,
		      void *into)
{
	void *member = (char *)into + item->offset;

	if (item->place != NO_PLACE)
		*(struct place *)((char *)into + item->place) = parser_place(setting);
	switch (item->type) {
	case ITEM_TEXT:
		*(const char **)member = parser_text(parser, setting);
		break;
	case ITEM_FLAG:
		read_flag(parser, setting, member);
		break;
	case ITEM_NUMBER:
		read_number(parser, setting, item, member);
		break;
	case ITEM_CHOICE:
		read_choice(parser, setting, item, member);
		break;
	case ITEM_WORDS:
		parser_words(parser, setting, member);
		break;
	case ITEM_OTHER:
		item->read(parser, setting, member);
		break;
	}
}

static void complain_unknown(struct parser *parser, config_setting_t *setting, const char *what,
			     const struct item *items)
{
	char list[LIST_MAX] = "";

	for (const struct item *item = items; item->name; item++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			 item == items ? "" : ", ", item->name);
	parser_complain(parser, setting, "%s is no setting of %s; they are: %s",
			config_setting_name(setting), what, list);
}

void parser_read_group(struct parser *parser, config_setting_t *group, const char *what,
		       const struct item *items, void *into)
{
	const struct item *item;

	if (!config_setting_is_group(group)) {
		parser_complain(parser, group, "%s is expected: { ... }", what);
		return;
	}
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *setting = config_setting_get_elem(group, i);

		for (item = items; item->name; item++)
			if (!strcmp(item->name, config_setting_name(setting)))
				break;
		if (item->name)
			read_item(parser, setting, item, into);
		else
			complain_unknown(parser, setting, what, items);
	}
}
