// SPDX-License-Identifier: GPL-3.0-or-later
#include "policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "allowed.h"

__attribute__((format(printf, 3, 4))) static bool refuse(struct decision *decision, int error,
							 const char *format, ...)
{
	va_list arguments;

	decision->error = error;
	va_start(arguments, format);
	vsnprintf(decision->text, sizeof(decision->text), format, arguments);
	va_end(arguments);
	return false;
}

static const char *role_name(unsigned int role)
{
	return role == SIGNET_ROLE_SERVER ? "server" : "client";
}

static bool choose_profile(const struct profiles *profiles, const struct signet_request *request,
			   struct decision *decision)
{
	const struct settings *settings = profiles->settings;
	const char *name = request->profile;

	if (!*name)
		name = request->role == SIGNET_ROLE_SERVER ? settings->default_server :
							     settings->default_client;
	if (!name)
		return refuse(decision, EPERM,
			      "no profile was named, and the configuration has no "
			      "default_server");
	decision->profile = profiles_find(profiles, name);
	if (!decision->profile)
		return refuse(decision, EPERM, "the configuration has no profile \"%s\"", name);
	if (decision->profile->settings->role != request->role)
		return refuse(decision, EPERM, "profile \"%s\" is a %s's, not a %s's", name,
			      role_name(decision->profile->settings->role),
			      role_name(request->role));
	if (!allowed_has(&decision->profile->settings->allowed, request->uid, request->gid,
			 request->cgroup))
		return refuse(decision, EPERM, "user %u, group %u may not use profile \"%s\"",
			      request->uid, request->gid, name);
	return true;
}

static bool choose_trust(const struct signet_request *request, struct decision *decision)
{
	decision->config = profile_config(decision->profile, request->trust);
	if (!decision->config)
		return refuse(decision, EPERM,
			      "profile \"%s\" does not allow the authorities \"%s\"",
			      decision->profile->settings->name, request->trust);
	return true;
}

static bool decide_version(const struct signet_request *request, struct decision *decision)
{
	if (!request->min_version)
		return true;
	if (request->min_version < decision->profile->settings->min_version)
		return refuse(decision, EPERM, "profile \"%s\" does not allow TLS 1.2",
			      decision->profile->settings->name);
	decision->min_version = request->min_version;
	return true;
}

static bool decide_client_auth(const struct signet_request *request, struct decision *decision)
{
	const struct profile_settings *settings = decision->profile->settings;
	unsigned int wanted = request->client_auth;

	if (request->role != SIGNET_ROLE_SERVER)
		return true;
	/* Who presents no certificate has no key that is pinned. */
	if (request->pin_count)
		wanted = SIGNET_CLIENT_AUTH_REQUIRED;
	if (wanted == SIGNET_CLIENT_AUTH_PROFILE)
		return true;
	if (wanted < settings->client_auth)
		return refuse(decision, EPERM, "profile \"%s\" demands client certificates",
			      settings->name);
	if (!settings->ca && !*request->trust)
		return refuse(decision, EPERM,
			      "profile \"%s\" has no authorities to verify clients with",
			      settings->name);
	decision->client_auth = wanted;
	return true;
}

static bool has_protocol(const struct words *words, const char *name)
{
	for (size_t i = 0; i < words->count; i++)
		if (!strcmp(words->items[i], name))
			return true;
	return !words->count;
}

/* RFC 7301 3.1: each name has a byte of length before it. */
static bool decide_alpn(const struct signet_request *request, struct decision *decision)
{
	const __u8 *at = request->alpn, *end = at + request->alpn_len;
	char name[SIGNET_STRING_MAX + 1], *to = decision->alpn;

	if (request->alpn_len > sizeof(request->alpn))
		return refuse(decision, EINVAL, "the list of protocols is malformed");
	for (; at < end; at += 1 + *at) {
		if (!*at || *at >= end - at || memchr(at + 1, 0, *at) || memchr(at + 1, ',', *at))
			return refuse(decision, EINVAL,
				      "the list of protocols is malformed, or "
				      "one of them has a comma or a NUL");
		memcpy(name, at + 1, *at);
		name[*at] = '\0';
		if (!has_protocol(&decision->profile->settings->alpn, name))
			return refuse(decision, EPERM,
				      "profile \"%s\" does not allow the protocol \"%s\"",
				      decision->profile->settings->name, name);
		if (to != decision->alpn)
			*to++ = ',';
		to = stpcpy(to, name);
	}
	return true;
}

bool policy_decide(const struct profiles *profiles, const struct signet_request *request,
		   struct decision *decision)
{
	memset(decision, 0, sizeof(*decision));
	return choose_profile(profiles, request, decision) && choose_trust(request, decision) &&
	       decide_version(request, decision) && decide_client_auth(request, decision) &&
	       decide_alpn(request, decision);
}
