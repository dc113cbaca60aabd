/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may use a profile: users, groups, control groups. */
#ifndef SIGNETD_ALLOWED_H
#define SIGNETD_ALLOWED_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

struct parser;
struct config_setting_t;

/* Reads the setting "allow": "everyone", or a group of users, groups and cgroups. */
void allowed_read(struct parser *parser, struct config_setting_t *setting, struct allowed *allowed);

void allowed_free(struct allowed *allowed);

/**
 * allowed_has - whether a task may
 * @uid:	its effective user; root may everything
 * @gid:	its effective group
 * @cgroup:	inode number of its control group's directory
 */
bool allowed_has(const struct allowed *allowed, uid_t uid, gid_t gid, uint64_t cgroup);

#endif
