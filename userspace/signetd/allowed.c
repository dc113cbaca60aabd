// SPDX-License-Identifier: GPL-3.0-or-later
#include "allowed.h"

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parser.h"

#define CGROUPS "/sys/fs/cgroup"

/* A list that may mix numbers and names, or one of them alone. */
static int element_count(const config_setting_t *setting)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting) ?
		       config_setting_length(setting) :
		       1;
}

static config_setting_t *element_of(config_setting_t *setting, int index)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting) ?
		       config_setting_get_elem(setting, index) :
		       setting;
}

/* Return: whether it is a number, which is then in @id. */
static bool number_of(const config_setting_t *setting, unsigned int *id)
{
	long long value;

	if (config_setting_type(setting) != CONFIG_TYPE_INT &&
	    config_setting_type(setting) != CONFIG_TYPE_INT64)
		return false;
	value = config_setting_get_int64(setting);
	if (value < 0 || value >= UINT32_MAX)
		return false;
	*id = value;
	return true;
}

static void add_user(struct allowed *allowed, uid_t uid)
{
	allowed->users = parser_grow(allowed->users, allowed->user_count, sizeof(uid_t));
	allowed->users[allowed->user_count++] = uid;
}

static void read_user(struct parser *parser, config_setting_t *setting, struct allowed *allowed)
{
	const char *name;
	struct passwd *user;
	uid_t uid;

	if (number_of(setting, &uid)) {
		add_user(allowed, uid);
		return;
	}
	name = parser_text(parser, setting);
	if (!name)
		return;
	user = getpwnam(name);
	if (user)
		add_user(allowed, user->pw_uid);
	else
		parser_complain(parser, setting, "there is no user \"%s\"", name);
}

static void read_users(struct parser *parser, config_setting_t *setting, void *member)
{
	for (int i = 0; i < element_count(setting); i++)
		read_user(parser, element_of(setting, i), member);
}

static void add_group(struct allowed *allowed, gid_t gid)
{
	allowed->groups = parser_grow(allowed->groups, allowed->group_count, sizeof(gid_t));
	allowed->groups[allowed->group_count++] = gid;
}

/* A request tells the effective group only: members are allowed as users. */
static void add_members(struct allowed *allowed, const struct group *group)
{
	struct passwd *user;

	for (char **member = group->gr_mem; *member; member++) {
		user = getpwnam(*member);
		if (user)
			add_user(allowed, user->pw_uid);
	}
}

static void read_a_group(struct parser *parser, config_setting_t *setting, struct allowed *allowed)
{
	struct group *group;
	const char *name;
	gid_t gid;

	if (number_of(setting, &gid)) {
		add_group(allowed, gid);
		return;
	}
	name = parser_text(parser, setting);
	if (!name)
		return;
	group = getgrnam(name);
	if (!group) {
		parser_complain(parser, setting, "there is no group \"%s\"", name);
		return;
	}
	add_group(allowed, group->gr_gid);
	add_members(allowed, group);
}

static void read_groups(struct parser *parser, config_setting_t *setting, void *member)
{
	for (int i = 0; i < element_count(setting); i++)
		read_a_group(parser, element_of(setting, i), member);
}

static void read_cgroups(struct parser *parser, config_setting_t *setting, void *member)
{
	struct words *words = &((struct allowed *)member)->cgroups;

	parser_words(parser, setting, words);
	for (size_t i = 0; i < words->count; i++)
		if (words->items[i][0] != '/')
			parser_complain(parser, setting,
					"cgroups: a path below " CGROUPS " that starts with / is "
					"expected, not \"%s\"",
					words->items[i]);
}

static const struct item allowed_items[] = {
	{ "users", ITEM_OTHER, 0, NO_PLACE, .read = read_users },
	{ "groups", ITEM_OTHER, 0, NO_PLACE, .read = read_groups },
	{ "cgroups", ITEM_OTHER, 0, NO_PLACE, .read = read_cgroups },
	{},
};

void allowed_read(struct parser *parser, config_setting_t *setting, struct allowed *allowed)
{
	const char *text = config_setting_get_string(setting);

	allowed->place = parser_place(setting);
	if (text && !strcmp(text, "everyone"))
		allowed->everyone = true;
	else if (config_setting_is_group(setting))
		parser_read_group(parser, setting, "allow", allowed_items, allowed);
	else
		parser_complain(parser, setting,
				"allow: \"everyone\" or { users = (...); groups = "
				"(...); cgroups = (...); } is expected");
}

void allowed_free(struct allowed *allowed)
{
	free(allowed->users);
	free(allowed->groups);
	free(allowed->cgroups.items);
}

/* Looked up each time: a service's control group is a new one after each start. */
static bool is_cgroup(const char *path, uint64_t cgroup)
{
	char whole[sizeof(CGROUPS) + SIGNET_STRING_MAX + 1];
	struct stat status;

	snprintf(whole, sizeof(whole), "%s%s", CGROUPS, path);
	return !stat(whole, &status) && status.st_ino == cgroup;
}

bool allowed_has(const struct allowed *allowed, uid_t uid, gid_t gid, uint64_t cgroup)
{
	if (allowed->everyone || !uid)
		return true;
	for (size_t i = 0; i < allowed->user_count; i++)
		if (allowed->users[i] == uid)
			return true;
	for (size_t i = 0; i < allowed->group_count; i++)
		if (allowed->groups[i] == gid)
			return true;
	for (size_t i = 0; i < allowed->cgroups.count; i++)
		if (is_cgroup(allowed->cgroups.items[i], cgroup))
			return true;
	return false;
}
