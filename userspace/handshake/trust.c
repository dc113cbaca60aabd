// SPDX-License-Identifier: GPL-3.0-or-later
#include "trust.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static bool has_room(struct signet_trust *trust)
{
	size_t room = trust->room ? 2 * trust->room : 4;
	struct signet_anchor *anchors;

	if (trust->count < trust->room)
		return true;
	anchors = reallocarray(trust->anchors, room, sizeof(*anchors));
	if (!anchors)
		return false;
	trust->anchors = anchors;
	trust->room = room;
	return true;
}

static bool may_issue(const struct signet_certificate *certificate)
{
	return !certificate->fault && certificate->is_authority &&
	       !signet_certificate_check_time(certificate, time(NULL));
}

int signet_trust_add(struct signet_trust *trust, const void *data, size_t length, bool is_public)
{
	struct signet_certificate *certificate;
	void *copy;

	if (!has_room(trust))
		return -ENOMEM;
	copy = malloc(length + !length);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, length);
	certificate = &trust->anchors[trust->count].certificate;
	if (!signet_certificate_parse(certificate, copy, length) || !may_issue(certificate)) {
		free(copy);
		return -EKEYREJECTED;
	}
	trust->anchors[trust->count++].is_public = is_public;
	return 0;
}

void signet_trust_clear(struct signet_trust *trust)
{
	while (trust->count)
		free((void *)trust->anchors[--trust->count].certificate.der.data);
	free(trust->anchors);
	memset(trust, 0, sizeof(*trust));
}
