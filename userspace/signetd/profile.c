// SPDX-License-Identifier: GPL-3.0-or-later
#include "profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "credential.h"
#include "parser.h"

struct loading {
	const struct settings *settings;
	const struct signet_signer *signer;
	struct complaints *complaints;
	size_t next_key;
};

/* What a call of the engine that reads a file has returned. */
static bool accept_file(struct loading *loading, struct place place, const char *file,
			const char *what, int ret)
{
	switch (-ret) {
	case 0:
		return true;
	case EINVAL:
		complain(loading->complaints, place, "%s: no %s (PEM) in it can be understood",
			 file, what);
		break;
	case EKEYREJECTED:
		complain(loading->complaints, place,
			 "%s: no %s in it can be used: expired, not "
			 "an authority's, or of a weak or unknown kind",
			 file, what);
		break;
	case ENOSPC:
		complain(loading->complaints, place, "%s: a profile may have %u certificates", file,
			 SIGNET_CERTIFICATES_MAX);
		break;
	default:
		complain(loading->complaints, place, "%s: %s", file, strerror(-ret));
	}
	return false;
}

static bool load_authorities(struct loading *loading, struct signet_config *config,
			     struct place place, const char *name)
{
	const struct trust *trust = settings_trust(loading->settings, name);
	const char *file = trust ? trust->file : *name == '/' ? name : NULL;

	if (trust)
		place = trust->place;
	if (file)
		return accept_file(loading, place, file, "certificate",
				   signet_config_ca_file(config, file));
	return accept_file(loading, place, "the system's authorities", "certificate",
			   signet_config_ca_system(config));
}

static bool load_credentials(struct loading *loading, struct signet_config *config,
			     const struct profile_settings *settings, size_t first_key)
{
	bool good = true;

	for (size_t i = 0; i < settings->credential_count; i++) {
		const struct credential *credential = &settings->credentials[i];
		char key[24];

		snprintf(key, sizeof(key), "%zu", first_key + i);
		good &= accept_file(loading, credential->place, credential->chain, "certificate",
				    signet_config_certificate_signer(config, credential->chain,
								     loading->signer, key));
	}
	return good;
}

/* The words as the engine takes lists. NULL for none. */
static char *join(const struct words *words)
{
	char *text = NULL;
	size_t length = 0;

	for (size_t i = 0; i < words->count; i++)
		length += strlen(words->items[i]) + 1;
	if (!length)
		return NULL;
	text = parser_grow(NULL, 0, length);
	for (size_t i = 0; i < words->count; i++) {
		if (i)
			strcat(text, ",");
		strcat(text, words->items[i]);
	}
	return text;
}

static bool set_list(struct loading *loading, struct signet_config *config,
		     const struct words *words, int (*set)(struct signet_config *, const char *),
		     const char *expected)
{
	char *text = join(words);
	int ret;

	if (!text)
		return true;
	ret = set(config, text);
	if (ret)
		complain(loading->complaints, words->place, "\"%s\": %s", text, expected);
	free(text);
	return !ret;
}

static bool set_policy(struct loading *loading, struct signet_config *config,
		       const struct profile_settings *settings)
{
	bool server = settings->role == SIGNET_ROLE_SERVER;
	int ret;

	ret = signet_config_name(config, settings->name);
	if (!ret)
		ret = signet_config_min_version(config, settings->min_version);
	if (!ret)
		ret = signet_config_timeout(config, loading->settings->limits.timeout * 1000);
	if (!ret && server)
		ret = signet_config_client_auth(config, settings->client_auth);
	if (!ret && server)
		ret = signet_config_strict_names(config, settings->strict_names);
	if (!ret && server)
		ret = signet_config_tickets(config, settings->tickets, settings->ticket_lifetime);
	if (ret) {
		complain(loading->complaints, settings->place, "profile %s: %s", settings->name,
			 strerror(-ret));
		return false;
	}
	return set_list(loading, config, &settings->alpn, signet_config_alpn,
			"protocols of 1 to 255 bytes are expected") &
	       set_list(loading, config, &settings->groups, signet_config_groups,
			"groups are X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, x25519, "
			"secp256r1, secp384r1") &
	       set_list(loading, config, &settings->suites, signet_config_suites,
			"suites are named as by IANA, and one at least is of TLS 1.3: "
			"TLS_AES_128_GCM_SHA256");
}

static bool add_variant(struct loading *loading, struct profile *profile, const char *trust,
			const char *ca, size_t first_key)
{
	const struct profile_settings *settings = profile->settings;
	struct variant *variant;

	profile->variants =
		parser_grow(profile->variants, profile->variant_count, sizeof(*profile->variants));
	variant = &profile->variants[profile->variant_count++];
	variant->trust = trust;
	if (signet_config_new(settings->role, &variant->config)) {
		complain(loading->complaints, settings->place, "profile %s: out of memory",
			 settings->name);
		return false;
	}
	if (ca && !load_authorities(loading, variant->config, settings->ca_place, ca))
		return false;
	return load_credentials(loading, variant->config, settings, first_key) &&
	       set_policy(loading, variant->config, settings);
}

/* Each has read the files for itself, and those may have changed meanwhile. */
static bool has_certificates_of(const struct signet_config *config,
				const struct signet_config *other)
{
	for (unsigned int i = 0; i < config->credential_count; i++)
		if (memcmp(config->credentials[i]->leaf, other->credentials[i]->leaf,
			   sizeof(other->credentials[i]->leaf)))
			return false;
	return true;
}

static bool add_trust_variant(struct loading *loading, struct profile *profile, const char *trust,
			      size_t first_key)
{
	if (!add_variant(loading, profile, trust, trust, first_key))
		return false;
	if (has_certificates_of(profile->variants[profile->variant_count - 1].config,
				profile->variants[0].config))
		return true;
	complain(loading->complaints, profile->settings->place,
		 "profile %s: its certificates changed while they were read",
		 profile->settings->name);
	return false;
}

/* Without own authorities first: what is wrong otherwise would be said for each variant. */
static void load_profile(struct loading *loading, struct profile *profile)
{
	const struct profile_settings *settings = profile->settings;
	size_t first_key = loading->next_key;
	bool good;

	loading->next_key += settings->credential_count;
	good = add_variant(loading, profile, "", settings->ca, first_key);
	for (size_t i = 0; good && i < settings->trust.count; i++)
		good = add_trust_variant(loading, profile, settings->trust.items[i], first_key);
}

struct profiles *profiles_new(const struct settings *settings, const struct signet_signer *signer,
			      struct complaints *complaints)
{
	size_t before = complaints->count;
	struct loading loading = { settings, signer, complaints, 0 };
	struct profiles *profiles;

	profiles = parser_grow(NULL, 0, sizeof(*profiles));
	profiles->settings = settings;
	for (size_t i = 0; i < settings->profile_count; i++) {
		profiles->items = parser_grow(profiles->items, i, sizeof(*profiles->items));
		profiles->items[i].settings = &settings->profiles[i];
		profiles->count = i + 1;
		load_profile(&loading, &profiles->items[i]);
	}
	if (complaints->count == before)
		return profiles;
	profiles_free(profiles);
	return NULL;
}

void profiles_free(struct profiles *profiles)
{
	if (!profiles)
		return;
	for (size_t i = 0; i < profiles->count; i++) {
		for (size_t j = 0; j < profiles->items[i].variant_count; j++)
			signet_config_free(profiles->items[i].variants[j].config);
		free(profiles->items[i].variants);
	}
	free(profiles->items);
	free(profiles);
}

const struct profile *profiles_find(const struct profiles *profiles, const char *name)
{
	for (size_t i = 0; i < profiles->count; i++)
		if (!strcmp(profiles->items[i].settings->name, name))
			return &profiles->items[i];
	return NULL;
}

struct signet_config *profile_config(const struct profile *profile, const char *trust)
{
	for (size_t i = 0; i < profile->variant_count; i++)
		if (!strcmp(profile->variants[i].trust, trust))
			return profile->variants[i].config;
	return NULL;
}

const struct credential *settings_credential(const struct settings *settings, size_t number)
{
	for (size_t i = 0; i < settings->profile_count; i++) {
		const struct profile_settings *profile = &settings->profiles[i];

		if (number < profile->credential_count)
			return &profile->credentials[number];
		number -= profile->credential_count;
	}
	return NULL;
}

const struct signet_file *profiles_chain(const struct profiles *profiles, size_t number)
{
	for (size_t i = 0; i < profiles->count; i++) {
		const struct signet_config *config = profiles->items[i].variants[0].config;

		if (number < config->credential_count)
			return &config->credentials[number]->chain;
		number -= config->credential_count;
	}
	return NULL;
}

void profiles_set_ticket_keys(const struct profiles *profiles, const void *keys, size_t size)
{
	for (size_t i = 0; i < profiles->count; i++)
		for (size_t j = 0; j < profiles->items[i].variant_count; j++)
			if (profiles->items[i].settings->role == SIGNET_ROLE_SERVER)
				(void)signet_config_ticket_keys(
					profiles->items[i].variants[j].config, keys, size);
}
