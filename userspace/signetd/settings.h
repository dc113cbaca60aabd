/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration as it was written: signetd.conf(5), checked for form. What it means for
 * handshakes is made of it in profile.h.
 */
#ifndef SIGNETD_SETTINGS_H
#define SIGNETD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/signet.h>

#include "complaints.h"

#define SETTINGS_FILE "/etc/signet/signetd.conf"

/* A list of texts, in the order in which they were written. */
struct words {
	const char **items;
	size_t count;
	struct place place;
};

/**
 * struct allowed - who may use a profile
 * @everyone:	all users
 * @users:	user ids, the members of the groups that were named among them
 * @groups:	group ids
 * @cgroups:	paths below /sys/fs/cgroup
 */
struct allowed {
	bool everyone;
	uid_t *users;
	size_t user_count;
	gid_t *groups;
	size_t group_count;
	struct words cgroups;
	struct place place;
};

/**
 * struct credential - a certificate and its key
 * @chain:	PEM file, leaf first
 * @key:	PEM file, which only the signer reads
 */
struct credential {
	const char *chain;
	const char *key;
	struct place place;
};

/* What SIGNET_CA and a profile's "ca" name. @file is NULL for the system's authorities. */
struct trust {
	const char *name;
	const char *file;
	struct place place;
};

/* As SIGNET_CLIENT_AUTH_OPTIONAL and SIGNET_CLIENT_AUTH_REQUIRED; the profile's may be none. */
#define CLIENT_AUTH_NONE 0

/**
 * struct profile_settings - one profile
 * @name:	what SIGNET_ACCEPT and SIGNET_PROFILE name
 * @role:	enum signet_role
 * @credentials: a server's by server name; a client has one at most
 * @strict_names: a server refuses unknown server names
 * @ca:		"system", the name of a trust set, or a path; NULL for none
 * @trust:	names of the sets that an application may choose in place of @ca
 * @client_auth: CLIENT_AUTH_NONE and so on
 * @alpn:	empty: whatever the application wants
 * @min_version: SIGNET_TLS_1_2 or SIGNET_TLS_1_3
 * @groups:	empty: the engine's
 * @suites:	likewise
 * @tickets:	that a server sends
 * @ticket_lifetime: in seconds
 * @resume:	a client keeps tickets and uses them
 */
struct profile_settings {
	const char *name;
	unsigned int role;
	struct credential *credentials;
	size_t credential_count;
	bool strict_names;
	const char *ca;
	struct place ca_place;
	struct words trust;
	unsigned int client_auth;
	struct place client_auth_place;
	struct words alpn;
	unsigned int min_version;
	struct words groups;
	struct words suites;
	unsigned int tickets;
	unsigned int ticket_lifetime;
	bool resume;
	struct allowed allowed;
	struct place place;
};

/**
 * struct limit_settings - handshakes that may be in progress at a time
 * @total:	of each worker process
 * @per_source:	from one peer address, on a server
 * @per_listener: to one local address and port, on a server
 * @per_user:	that one user asked for
 * @timeout:	longest time of a handshake in seconds, whatever the application said
 */
struct limit_settings {
	unsigned int total;
	unsigned int per_source;
	unsigned int per_listener;
	unsigned int per_user;
	unsigned int timeout;
};

/**
 * struct settings - a whole configuration
 * @path:	of the main file
 * @parsed:	libconfig's trees, which own the texts
 * @default_client: profile of clients that name none
 * @default_server: profile of servers that name none; NULL: they must name one
 * @sessions:	how many sessions of clients are kept for resumption
 */
struct settings {
	const char *path;
	struct config_t **parsed;
	size_t parsed_count;
	const char *user;
	struct place user_place;
	const char *signer_user;
	struct place signer_user_place;
	const char *control;
	const char *control_group;
	unsigned int log_level;
	unsigned int threads;
	unsigned int sessions;
	const char *default_client;
	struct place default_client_place;
	const char *default_server;
	struct place default_server_place;
	struct limit_settings limits;
	struct words include;
	struct trust *trust;
	size_t trust_count;
	struct profile_settings *profiles;
	size_t profile_count;
};

/**
 * settings_read - read and check a configuration
 * @complaints:	what is wrong with it is added here
 *
 * Names of users and groups are looked up; certificates and keys are not touched.
 *
 * Return: the settings; NULL when there was anything to complain about.
 */
struct settings *settings_read(const char *path, struct complaints *complaints);

void settings_free(struct settings *settings);

const struct profile_settings *settings_profile(const struct settings *settings, const char *name);

const struct trust *settings_trust(const struct settings *settings, const char *name);

#endif
