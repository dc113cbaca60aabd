/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles as handshakes use them: the engine's configurations, made of the settings. */
#ifndef SIGNETD_PROFILE_H
#define SIGNETD_PROFILE_H

#include <signet-handshake.h>

#include "settings.h"

struct signet_file;

/**
 * struct variant - a profile with one choice of authorities
 * @trust:	name of a trust set, "" for the profile's own
 */
struct variant {
	const char *trust;
	struct signet_config *config;
};

struct profile {
	const struct profile_settings *settings;
	struct variant *variants;
	size_t variant_count;
};

/**
 * struct profiles - all of a configuration
 * @settings:	not owned
 * @items:	in the order of the settings' profiles
 * @count:	of @items
 */
struct profiles {
	const struct settings *settings;
	struct profile *items;
	size_t count;
};

/**
 * profiles_new - load certificates and authorities
 * @settings:	they must outlive the profiles
 * @signer:	who signs for the servers; a key's name is its number in decimal digits, see
 *		settings_credential()
 * @complaints:	what is wrong is added here
 *
 * Private keys are not touched.
 *
 * Return: the profiles, or NULL when there was anything to complain about.
 */
struct profiles *profiles_new(const struct settings *settings, const struct signet_signer *signer,
			      struct complaints *complaints);

void profiles_free(struct profiles *profiles);

const struct profile *profiles_find(const struct profiles *profiles, const char *name);

/* The configuration of a profile with these authorities; NULL when it may not have them. */
struct signet_config *profile_config(const struct profile *profile, const char *trust);

/* All credentials of a configuration are numbered. Return: the one with this number, or NULL. */
const struct credential *settings_credential(const struct settings *settings, size_t number);

/**
 * profiles_chain - the certificates of a credential, as handshakes present them
 * @number:	as for settings_credential()
 *
 * Return: PEM; NULL when there is no such credential.
 */
const struct signet_file *profiles_chain(const struct profiles *profiles, size_t number);

/* Gives all servers the keys that tickets are sealed with. */
void profiles_set_ticket_keys(const struct profiles *profiles, const void *keys, size_t size);

#endif
