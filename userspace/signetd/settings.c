// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings.h"

#include <err.h>
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "allowed.h"
#include "parser.h"

#define THREADS_MAX 256
#define SESSIONS_MAX 65536
#define HANDSHAKES_MAX 1000000
#define TIMEOUT_MAX 3600
#define LIFETIME_MAX 604800 /* RFC 8446 4.6.1 */
#define TICKETS_MAX 4

static const struct choice roles[] = {
	{ "server", SIGNET_ROLE_SERVER },
	{ "client", SIGNET_ROLE_CLIENT },
	{},
};

static const struct choice versions[] = {
	{ "1.3", SIGNET_TLS_1_3 },
	{ "1.2", SIGNET_TLS_1_2 },
	{},
};

static const struct choice client_auths[] = {
	{ "none", CLIENT_AUTH_NONE },
	{ "optional", SIGNET_CLIENT_AUTH_OPTIONAL },
	{ "required", SIGNET_CLIENT_AUTH_REQUIRED },
	{},
};

static const struct choice log_levels[] = {
	{ "error", LOG_ERR },
	{ "warning", LOG_WARNING },
	{ "info", LOG_INFO },
	{ "debug", LOG_DEBUG },
	{},
};

static void read_path(struct parser *parser, config_setting_t *setting, void *member)
{
	const char *text = parser_text(parser, setting);

	if (text && *text != '/')
		parser_complain(parser, setting, "%s: an absolute path is expected, not \"%s\"",
				config_setting_name(setting), text);
	else
		*(const char **)member = text;
}

/* ---- Profiles ---- */

#define CREDENTIAL(member) offsetof(struct credential, member)

static const struct item credential_items[] = {
	{ "chain", ITEM_OTHER, CREDENTIAL(chain), NO_PLACE, .read = read_path },
	{ "key", ITEM_OTHER, CREDENTIAL(key), NO_PLACE, .read = read_path },
	{},
};

static void read_credential(struct parser *parser, config_setting_t *setting,
			    struct profile_settings *profile)
{
	size_t before = parser->complaints->count;
	struct credential *credential;

	profile->credentials = parser_grow(profile->credentials, profile->credential_count,
					   sizeof(*profile->credentials));
	credential = &profile->credentials[profile->credential_count++];
	credential->place = parser_place(setting);
	parser_read_group(parser, setting, "a certificate", credential_items, credential);
	if (parser->complaints->count == before && (!credential->chain || !credential->key))
		parser_complain(parser, setting, "a certificate needs chain and key");
}

static void read_credentials(struct parser *parser, config_setting_t *setting, void *member)
{
	struct profile_settings *profile = member;

	if (!config_setting_is_list(setting)) {
		parser_complain(parser, setting,
				"certificates: a list is expected: ( { chain = \"...\"; key = "
				"\"...\"; }, ... )");
		return;
	}
	for (int i = 0; i < config_setting_length(setting); i++)
		read_credential(parser, config_setting_get_elem(setting, i), profile);
}

static void read_allowed(struct parser *parser, config_setting_t *setting, void *member)
{
	allowed_read(parser, setting, member);
}

/* RFC 7301 3.1; commas would be in the way of lists of them. */
static void read_protocols(struct parser *parser, config_setting_t *setting, void *member)
{
	struct words *words = member;
	size_t length = 0;

	parser_words(parser, setting, words);
	for (size_t i = 0; i < words->count; i++) {
		if (strchr(words->items[i], ','))
			parser_complain(parser, setting,
					"alpn: a protocol without comma is "
					"expected, not \"%s\"",
					words->items[i]);
		length += 1 + strlen(words->items[i]);
	}
	if (length > SIGNET_STRING_MAX)
		parser_complain(parser, setting,
				"alpn: the protocols are longer than %u bytes "
				"in all",
				SIGNET_STRING_MAX);
}

#define PROFILE(member) offsetof(struct profile_settings, member)

static const struct item profile_items[] = {
	{ "role", ITEM_CHOICE, PROFILE(role), NO_PLACE, .choices = roles },
	{ "certificates", ITEM_OTHER, 0, NO_PLACE, .read = read_credentials },
	{ "strict_names", ITEM_FLAG, PROFILE(strict_names), NO_PLACE },
	{ "ca", ITEM_TEXT, PROFILE(ca), PROFILE(ca_place) },
	{ "trust", ITEM_WORDS, PROFILE(trust), NO_PLACE },
	{ "client_auth", ITEM_CHOICE, PROFILE(client_auth), PROFILE(client_auth_place),
	  .choices = client_auths },
	{ "alpn", ITEM_OTHER, PROFILE(alpn), NO_PLACE, .read = read_protocols },
	{ "min_version", ITEM_CHOICE, PROFILE(min_version), NO_PLACE, .choices = versions },
	{ "groups", ITEM_WORDS, PROFILE(groups), NO_PLACE },
	{ "suites", ITEM_WORDS, PROFILE(suites), NO_PLACE },
	{ "tickets", ITEM_NUMBER, PROFILE(tickets), NO_PLACE, .most = TICKETS_MAX },
	{ "ticket_lifetime", ITEM_NUMBER, PROFILE(ticket_lifetime), NO_PLACE, .least = 1,
	  .most = LIFETIME_MAX },
	{ "resume", ITEM_FLAG, PROFILE(resume), NO_PLACE },
	{ "allow", ITEM_OTHER, PROFILE(allowed), NO_PLACE, .read = read_allowed },
	{},
};

static struct profile_settings *add_profile(struct settings *settings, const char *name,
					    struct place place)
{
	struct profile_settings *profile;

	settings->profiles = parser_grow(settings->profiles, settings->profile_count,
					 sizeof(*settings->profiles));
	profile = &settings->profiles[settings->profile_count++];
	*profile = (struct profile_settings){
		.name = name,
		.place = place,
		.min_version = SIGNET_TLS_1_3,
		.tickets = 2,
		.ticket_lifetime = 43200,
		.resume = true,
	};
	return profile;
}

static void read_profiles(struct parser *parser, config_setting_t *setting, void *member)
{
	struct settings *settings = member;
	const struct profile_settings *known;

	if (!config_setting_is_group(setting)) {
		parser_complain(parser, setting,
				"profiles: a group is expected: { NAME: { ... }; ... }");
		return;
	}
	for (int i = 0; i < config_setting_length(setting); i++) {
		config_setting_t *element = config_setting_get_elem(setting, i);
		const char *name = config_setting_name(element);

		known = settings_profile(settings, name);
		if (known)
			parser_complain(parser, element, "profile %s is also at %s:%u", name,
					known->place.file, known->place.line);
		else
			parser_read_group(parser, element, "a profile", profile_items,
					  add_profile(settings, name, parser_place(element)));
	}
}

/* ---- The other groups ---- */

static void read_trust_set(struct parser *parser, config_setting_t *setting,
			   struct settings *settings)
{
	const struct trust *known = settings_trust(settings, config_setting_name(setting));
	const char *file = parser_text(parser, setting);
	struct trust *trust;

	if (!file)
		return;
	if (known) {
		parser_complain(parser, setting, "trust set %s is also at %s:%u", known->name,
				known->place.file, known->place.line);
		return;
	}
	if (strcmp(file, "system") && *file != '/') {
		parser_complain(parser, setting,
				"%s: \"system\" or an absolute path is expected, "
				"not \"%s\"",
				config_setting_name(setting), file);
		return;
	}
	settings->trust =
		parser_grow(settings->trust, settings->trust_count, sizeof(*settings->trust));
	trust = &settings->trust[settings->trust_count++];
	trust->name = config_setting_name(setting);
	trust->file = *file == '/' ? file : NULL;
	trust->place = parser_place(setting);
}

static void read_trust(struct parser *parser, config_setting_t *setting, void *member)
{
	if (!config_setting_is_group(setting)) {
		parser_complain(parser, setting,
				"trust: a group is expected: { NAME = \"FILE\"; ... }");
		return;
	}
	for (int i = 0; i < config_setting_length(setting); i++)
		read_trust_set(parser, config_setting_get_elem(setting, i), member);
}

#define LIMIT(member) offsetof(struct limit_settings, member)

static const struct item limit_items[] = {
	{ "total", ITEM_NUMBER, LIMIT(total), NO_PLACE, .least = 1, .most = HANDSHAKES_MAX },
	{ "per_source", ITEM_NUMBER, LIMIT(per_source), NO_PLACE, .least = 1,
	  .most = HANDSHAKES_MAX },
	{ "per_listener", ITEM_NUMBER, LIMIT(per_listener), NO_PLACE, .least = 1,
	  .most = HANDSHAKES_MAX },
	{ "per_user", ITEM_NUMBER, LIMIT(per_user), NO_PLACE, .least = 1, .most = HANDSHAKES_MAX },
	{ "timeout", ITEM_NUMBER, LIMIT(timeout), NO_PLACE, .least = 1, .most = TIMEOUT_MAX },
	{},
};

static void read_limits(struct parser *parser, config_setting_t *setting, void *member)
{
	parser_read_group(parser, setting, "limits", limit_items, member);
}

#define SETTINGS(member) offsetof(struct settings, member)

static const struct item main_items[] = {
	{ "profiles", ITEM_OTHER, 0, NO_PLACE, .read = read_profiles },
	{ "trust", ITEM_OTHER, 0, NO_PLACE, .read = read_trust },
	{ "default_client", ITEM_TEXT, SETTINGS(default_client), SETTINGS(default_client_place) },
	{ "default_server", ITEM_TEXT, SETTINGS(default_server), SETTINGS(default_server_place) },
	{ "include", ITEM_WORDS, SETTINGS(include), NO_PLACE },
	{ "limits", ITEM_OTHER, SETTINGS(limits), NO_PLACE, .read = read_limits },
	{ "sessions", ITEM_NUMBER, SETTINGS(sessions), NO_PLACE, .most = SESSIONS_MAX },
	{ "threads", ITEM_NUMBER, SETTINGS(threads), NO_PLACE, .most = THREADS_MAX },
	{ "log_level", ITEM_CHOICE, SETTINGS(log_level), NO_PLACE, .choices = log_levels },
	{ "user", ITEM_TEXT, SETTINGS(user), SETTINGS(user_place) },
	{ "signer_user", ITEM_TEXT, SETTINGS(signer_user), SETTINGS(signer_user_place) },
	{ "control", ITEM_OTHER, SETTINGS(control), NO_PLACE, .read = read_path },
	{ "control_group", ITEM_TEXT, SETTINGS(control_group), NO_PLACE },
	{},
};

static const struct item included_items[] = {
	{ "profiles", ITEM_OTHER, 0, NO_PLACE, .read = read_profiles },
	{ "trust", ITEM_OTHER, 0, NO_PLACE, .read = read_trust },
	{},
};

/* ---- Files ---- */

static void complain_unparsed(struct parser *parser, config_t *config, const char *path)
{
	const char *file = config_error_file(config);
	struct place place = { file ? file : path, config_error_line(config) };

	if (config_error_type(config) == CONFIG_ERR_FILE_IO)
		complain(parser->complaints, (struct place){ path, 0 }, "cannot be read: %s",
			 strerror(errno ? errno : EIO));
	else
		complain(parser->complaints, place, "%s", config_error_text(config));
}

static char *directory_of(const char *path)
{
	char *copy = strdup(path), *directory;

	directory = copy ? strdup(dirname(copy)) : NULL;
	if (!directory)
		err(1, "configuration");
	free(copy);
	return directory;
}

static void read_file(struct parser *parser, const char *path, const char *what,
		      const struct item *items)
{
	struct settings *settings = parser->settings;
	char *directory = directory_of(path);
	config_t *config;

	settings->parsed = parser_grow(settings->parsed, settings->parsed_count, sizeof(config));
	config = parser_grow(NULL, 0, sizeof(*config));
	settings->parsed[settings->parsed_count++] = config;
	config_init(config);
	config_set_include_dir(config, directory);
	free(directory);
	errno = 0;
	if (config_read_file(config, path) == CONFIG_TRUE)
		parser_read_group(parser, config_root_setting(config), what, items, settings);
	else
		complain_unparsed(parser, config, path);
}

/* The parsed trees hold the names of their files. */
static void read_included(struct parser *parser)
{
	struct settings *settings = parser->settings;
	char *directory = directory_of(settings->path), *pattern;
	glob_t found;

	for (size_t i = 0; i < settings->include.count; i++) {
		const char *word = settings->include.items[i];

		if (asprintf(&pattern, "%s%s%s", *word == '/' ? "" : directory,
			     *word == '/' ? "" : "/", word) < 0)
			err(1, "configuration");
		if (!glob(pattern, 0, NULL, &found)) {
			for (size_t j = 0; j < found.gl_pathc; j++)
				read_file(parser, found.gl_pathv[j], "an included file",
					  included_items);
			globfree(&found);
		}
		free(pattern);
	}
	free(directory);
}

/* ---- What belongs together ---- */

static void check_ca(struct parser *parser, const struct profile_settings *profile)
{
	if (profile->ca && *profile->ca != '/' && strcmp(profile->ca, "system") &&
	    !settings_trust(parser->settings, profile->ca))
		complain(parser->complaints, profile->ca_place,
			 "ca: \"system\", an absolute path or the name of a trust set is "
			 "expected, not \"%s\"",
			 profile->ca);
	for (size_t i = 0; i < profile->trust.count; i++)
		if (!settings_trust(parser->settings, profile->trust.items[i]))
			complain(parser->complaints, profile->trust.place,
				 "trust: there is no trust set \"%s\"", profile->trust.items[i]);
}

static void check_server(struct parser *parser, const struct profile_settings *profile)
{
	if (!profile->credential_count)
		complain(parser->complaints, profile->place,
			 "profile %s: a server needs certificates = ( { chain = \"...\"; key = "
			 "\"...\"; } )",
			 profile->name);
	if (profile->client_auth != CLIENT_AUTH_NONE && !profile->ca)
		complain(parser->complaints, profile->client_auth_place,
			 "profile %s: client_auth needs a ca to verify clients with",
			 profile->name);
}

static void check_client(struct parser *parser, struct profile_settings *profile)
{
	if (profile->credential_count > 1)
		complain(parser->complaints, profile->credentials[1].place,
			 "profile %s: a client has one certificate at most", profile->name);
	if (profile->client_auth != CLIENT_AUTH_NONE)
		complain(parser->complaints, profile->client_auth_place,
			 "profile %s: client_auth is a server's setting", profile->name);
	if (profile->strict_names)
		complain(parser->complaints, profile->place,
			 "profile %s: strict_names is a server's setting", profile->name);
	if (!profile->ca)
		profile->ca = "system";
}

static void check_profile(struct parser *parser, struct profile_settings *profile)
{
	check_ca(parser, profile);
	if (profile->role == SIGNET_ROLE_SERVER)
		check_server(parser, profile);
	else if (profile->role == SIGNET_ROLE_CLIENT)
		check_client(parser, profile);
	else
		complain(parser->complaints, profile->place,
			 "profile %s: role = \"server\" or role = \"client\" is expected",
			 profile->name);
	/* Who may act in a certificate's name is to be said; else it is root's. */
	if (!profile->allowed.place.file && !profile->credential_count)
		profile->allowed.everyone = true;
}

static void check_default(struct parser *parser, const char *name, struct place place,
			  unsigned int role, const char *what)
{
	const struct profile_settings *profile;

	if (!name)
		return;
	profile = settings_profile(parser->settings, name);
	if (!profile)
		complain(parser->complaints, place, "there is no profile \"%s\"", name);
	else if (profile->role != role)
		complain(parser->complaints, place, "profile %s is no %s's", name, what);
}

/* By its number: names are many. Return: -1 when there is no such user, which the start tells. */
static int64_t user_number(const char *name)
{
	const struct passwd *user = getpwnam(name);

	return user ? (int64_t)user->pw_uid : -1;
}

static void check_user(struct parser *parser, const char *what, const char *name,
		       struct place place)
{
	if (!user_number(name))
		complain(parser->complaints, place,
			 "%s: \"%s\" is root, whose powers the process is there to give up", what,
			 name);
}

/* Whoever is the signer's user may trace it, and have its keys. */
static void check_users(struct parser *parser)
{
	const struct settings *settings = parser->settings;
	int64_t user = user_number(settings->user);

	check_user(parser, "user", settings->user, settings->user_place);
	check_user(parser, "signer_user", settings->signer_user, settings->signer_user_place);
	if (strcmp(settings->user, settings->signer_user) &&
	    (user < 0 || user != user_number(settings->signer_user)))
		return;
	complain(parser->complaints,
		 settings->signer_user_place.file ? settings->signer_user_place :
						    settings->user_place,
		 "user \"%s\" and signer_user \"%s\" are the same: the worker, which reads the "
		 "network, must not be the user that has the keys",
		 settings->user, settings->signer_user);
}

/* Clients need no configuration where the system's authorities are those to trust. */
static void add_system_profile(struct settings *settings)
{
	struct profile_settings *profile;

	if (!settings_profile(settings, "system")) {
		profile = add_profile(settings, "system", (struct place){ "built in", 0 });
		profile->role = SIGNET_ROLE_CLIENT;
	}
	if (!settings->default_client)
		settings->default_client = "system";
}

static void check_all(struct parser *parser)
{
	struct settings *settings = parser->settings;

	check_users(parser);
	add_system_profile(settings);
	for (size_t i = 0; i < settings->profile_count; i++)
		check_profile(parser, &settings->profiles[i]);
	check_default(parser, settings->default_client, settings->default_client_place,
		      SIGNET_ROLE_CLIENT, "client");
	check_default(parser, settings->default_server, settings->default_server_place,
		      SIGNET_ROLE_SERVER, "server");
}

struct settings *settings_read(const char *path, struct complaints *complaints)
{
	size_t before = complaints->count;
	struct settings *settings;
	struct parser parser = { .complaints = complaints };

	settings = parser_grow(NULL, 0, sizeof(*settings));
	*settings = (struct settings){
		.path = path,
		.user = "signetd",
		.signer_user = "signetd-signer",
		.control = "/run/signet/control",
		.control_group = "signet",
		.log_level = LOG_INFO,
		.sessions = 4096,
		.limits = { 10000, 500, 5000, 2000, 60 },
	};
	parser.settings = settings;
	read_file(&parser, path, "signetd.conf", main_items);
	read_included(&parser);
	/* What is missing may be in a file that could not be read. */
	if (complaints->count == before)
		check_all(&parser);
	if (complaints->count == before)
		return settings;
	settings_free(settings);
	return NULL;
}

static void free_profile(struct profile_settings *profile)
{
	free(profile->credentials);
	free(profile->trust.items);
	free(profile->alpn.items);
	free(profile->groups.items);
	free(profile->suites.items);
	allowed_free(&profile->allowed);
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	for (size_t i = 0; i < settings->profile_count; i++)
		free_profile(&settings->profiles[i]);
	free(settings->profiles);
	free(settings->trust);
	free(settings->include.items);
	for (size_t i = 0; i < settings->parsed_count; i++) {
		config_destroy(settings->parsed[i]);
		free(settings->parsed[i]);
	}
	free(settings->parsed);
	free(settings);
}

const struct profile_settings *settings_profile(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->profile_count; i++)
		if (!strcmp(settings->profiles[i].name, name))
			return &settings->profiles[i];
	return NULL;
}

const struct trust *settings_trust(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->trust_count; i++)
		if (!strcmp(settings->trust[i].name, name))
			return &settings->trust[i];
	return NULL;
}
