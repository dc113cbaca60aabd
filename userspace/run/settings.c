// SPDX-License-Identifier: MIT
#include "settings.h"

#include <stdlib.h>
#include <string.h>

static const char *add_rule(struct rules *rules, const char *text)
{
	if (rules->count == RULES_MAX)
		return "there are more than 64 rules";
	return rule_parse(&rules->items[rules->count++], text);
}

static const char *set_connect(struct settings *settings, const char *text)
{
	return add_rule(&settings->connect, text);
}

static const char *set_listen(struct settings *settings, const char *text)
{
	return add_rule(&settings->listen, text);
}

/* "h2,http/1.1", which becomes a list of RFC 7301 3.1. */
static const char *set_alpn(struct settings *settings, const char *text)
{
	size_t len;

	settings->alpn_len = 0;
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (!len)
			return "protocols with a comma between them are expected";
		if (settings->alpn_len + 1 + len > sizeof(settings->alpn))
			return "the protocols are longer than 255 bytes in all";
		settings->alpn[settings->alpn_len++] = len;
		memcpy(settings->alpn + settings->alpn_len, text, len);
		settings->alpn_len += len;
		if (!text[len])
			return NULL;
	}
}

/* RFC 4648 4. Return: -1 for other characters. */
static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* 32 bytes are 43 digits and an equals sign. */
static bool decode_pin(unsigned char *pin, const char *text)
{
	unsigned int bits = 0, have = 0, done = 0;

	if (strlen(text) != 44 || text[43] != '=')
		return false;
	for (; *text != '='; text++) {
		int digit = base64_digit(*text);

		if (digit < 0)
			return false;
		bits = (bits << 6 | digit) & 0xffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		pin[done++] = bits >> have;
	}
	/* What is left over is nothing. */
	return done == SIGNET_PIN_LEN && !text[1] && !(bits & ((1 << have) - 1));
}

static const char *add_pin(struct settings *settings, const char *text)
{
	static const char prefix[] = "sha256//";

	if (settings->pin_count == SIGNET_PINS_MAX)
		return "there are more than 4 pins";
	if (strncmp(text, prefix, strlen(prefix)) ||
	    !decode_pin(settings->pins[settings->pin_count], text + strlen(prefix)))
		return "sha256// and the base64 of a digest of 32 bytes are expected";
	settings->pin_count++;
	return NULL;
}

static const char *set_name(char *to, const char *text)
{
	if (!*text || strlen(text) > SIGNET_STRING_MAX)
		return "a name of 1 to 255 characters is expected";
	strcpy(to, text);
	return NULL;
}

static const char *set_profile(struct settings *settings, const char *text)
{
	return set_name(settings->profile, text);
}

static const char *set_ca(struct settings *settings, const char *text)
{
	return set_name(settings->ca, text);
}

static const char *set_min_version(struct settings *settings, const char *text)
{
	if (!strcmp(text, "1.2"))
		settings->min_version = SIGNET_TLS_1_2;
	else if (!strcmp(text, "1.3"))
		settings->min_version = SIGNET_TLS_1_3;
	else
		return "1.2 or 1.3 is expected";
	return NULL;
}

static const char *set_client_auth(struct settings *settings, const char *text)
{
	if (!strcmp(text, "optional"))
		settings->client_auth = SIGNET_CLIENT_AUTH_OPTIONAL;
	else if (!strcmp(text, "required"))
		settings->client_auth = SIGNET_CLIENT_AUTH_REQUIRED;
	else
		return "optional or required is expected";
	return NULL;
}

static const char *set_timeout(struct settings *settings, const char *text)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !seconds || seconds > SIGNET_TIMEOUT_MAX / 1000)
		return "1 to 3600 seconds are expected";
	settings->timeout_ms = seconds * 1000;
	return NULL;
}

const struct setting settings_table[] = {
	{ "connect", "SIGNET_RUN_CONNECT", true, set_connect },
	{ "listen", "SIGNET_RUN_LISTEN", true, set_listen },
	{ "alpn", "SIGNET_RUN_ALPN", false, set_alpn },
	{ "pin", "SIGNET_RUN_PIN", true, add_pin },
	{ "profile", "SIGNET_RUN_PROFILE", false, set_profile },
	{ "ca", "SIGNET_RUN_CA", false, set_ca },
	{ "min-version", "SIGNET_RUN_MIN_VERSION", false, set_min_version },
	{ "client-auth", "SIGNET_RUN_CLIENT_AUTH", false, set_client_auth },
	{ "timeout", "SIGNET_RUN_TIMEOUT", false, set_timeout },
	{ NULL, NULL, false, NULL },
};

const char *settings_check(const struct settings *settings)
{
	if (settings->pin_count)
		return NULL;
	for (unsigned int i = 0; i < settings->connect.count; i++)
		if (settings->connect.items[i].named && !*settings->connect.items[i].name)
			return "a rule to connect without a name needs a pin";
	return NULL;
}

/* The words of a text, one after the other. */
static const char *set_each(const struct setting *setting, struct settings *settings,
			    const char *text)
{
	char word[SIGNET_STRING_MAX + 128];
	const char *problem = NULL;
	size_t len;

	for (; !problem && *text; text += len) {
		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (!len)
			break;
		if (len >= sizeof(word))
			return "it is too long";
		memcpy(word, text, len);
		word[len] = '\0';
		problem = setting->set(settings, word);
	}
	return problem;
}

const char *settings_from_environment(struct settings *settings, const char **variable)
{
	const char *text, *problem;

	*settings = (struct settings){};
	for (const struct setting *setting = settings_table; setting->option; setting++) {
		text = getenv(setting->variable);
		if (!text)
			continue;
		*variable = setting->variable;
		problem = setting->repeated ? set_each(setting, settings, text) :
					      setting->set(settings, text);
		if (problem)
			return problem;
	}
	*variable = "SIGNET_RUN_CONNECT";
	return settings_check(settings);
}
