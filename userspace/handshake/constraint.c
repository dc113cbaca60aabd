// SPDX-License-Identifier: GPL-3.0-or-later
#include "constraint.h"

#include "certificate.h"
#include "directory.h"
#include "name.h"
#include "uri.h"

#define OID_MAIL_ADDRESS DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")

/* A GeneralSubtree's base; minimum and maximum are not used (RFC 5280 4.2.1.10). */
static bool read_subtree(struct signet_der *subtrees, unsigned int *kind, struct signet_der *base)
{
	struct signet_der subtree;

	return signet_der_read(subtrees, DER_SEQUENCE, &subtree) &&
	       signet_certificate_name(&subtree, kind, base) && !subtree.length;
}

/* A host, or with a dot in front whatever lies below it. */
static bool is_host_base(struct signet_der base)
{
	if (base.length && base.data[0] == '.') {
		base.data++;
		base.length--;
	}
	return signet_name_is_dns(base);
}

static bool split_mailbox(struct signet_der text, struct signet_der *local, struct signet_der *host)
{
	const unsigned char *at = text.length ? memchr(text.data, '@', text.length) : NULL;

	if (!at || at == text.data)
		return false;
	*local = (struct signet_der){ text.data, at - text.data };
	*host = (struct signet_der){ at + 1, text.length - local->length - 1 };
	return signet_name_is_dns(*host);
}

static bool is_mail_base(struct signet_der base)
{
	struct signet_der local, host;

	return is_host_base(base) || split_mailbox(base, &local, &host);
}

/* An address and a mask that is a prefix (RFC 4632): once it has a zero, no more ones. */
static bool is_network(struct signet_der base)
{
	bool ended = false;

	if (base.length != 8 && base.length != 32)
		return false;
	for (size_t bit = base.length * 4; bit < base.length * 8; bit++) {
		bool set = base.data[bit / 8] & 0x80 >> bit % 8;

		if (set && ended)
			return false;
		ended = !set;
	}
	return true;
}

/*
 * Only URI and mail constraints know a leading dot; a DNS name with one, or with a wildcard, says
 * something that the RFC gives no meaning to.
 */
static bool is_good_base(unsigned int kind, struct signet_der base)
{
	struct signet_der name;

	switch (kind) {
	case SIGNET_NAME_DNS:
		return !base.length || signet_name_is_dns(base);
	case SIGNET_NAME_MAIL:
		return !base.length || is_mail_base(base);
	case SIGNET_NAME_URI:
		return is_host_base(base);
	case SIGNET_NAME_ADDRESS:
		return is_network(base);
	case SIGNET_NAME_DIRECTORY:
		return signet_der_read(&base, DER_SEQUENCE, &name) && !base.length &&
		       signet_directory_is_name(name);
	default:
		return true;
	}
}

bool signet_constraint_is_good(struct signet_der subtrees)
{
	struct signet_der base;
	unsigned int kind;

	while (subtrees.length) {
		if (!read_subtree(&subtrees, &kind, &base) || !is_good_base(kind, base))
			return false;
	}
	return true;
}

static struct signet_der behind(struct signet_der text, size_t skipped)
{
	return (struct signet_der){ text.data + skipped, text.length - skipped };
}

static bool ends_with(struct signet_der text, struct signet_der end)
{
	return text.length > end.length &&
	       signet_name_equal(behind(text, text.length - end.length), end);
}

static bool is_wildcard(struct signet_der name)
{
	return name.length > 2 && name.data[0] == '*' && name.data[1] == '.';
}

/* The host itself, and what is made of it by labels in front. */
static bool is_below(struct signet_der name, struct signet_der base)
{
	if (!base.length || signet_name_equal(name, base))
		return true;
	return ends_with(name, base) && name.data[name.length - base.length - 1] == '.';
}

/* A host, or ".domain" for all hosts below. */
static bool host_matches(struct signet_der host, struct signet_der base)
{
	if (base.length && base.data[0] == '.')
		return ends_with(host, base);
	return signet_name_equal(host, base);
}

static bool mail_matches(struct signet_der name, struct signet_der base)
{
	struct signet_der local, host, base_local, base_host;

	if (!base.length || !split_mailbox(name, &local, &host))
		return !base.length;
	if (!split_mailbox(base, &base_local, &base_host))
		return host_matches(host, base);
	/* What stands before the @ is the host's business, letter case included. */
	return signet_der_equal(local, base_local) && signet_name_equal(host, base_host);
}

static bool uri_matches(struct signet_der name, struct signet_der base)
{
	struct signet_uri uri;

	return signet_uri_parse(&uri, name) && host_matches(uri.host, base);
}

static bool address_matches(struct signet_der name, struct signet_der base)
{
	if (base.length != 2 * name.length)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if ((name.data[i] ^ base.data[i]) & base.data[name.length + i])
			return false;
	}
	return true;
}

static bool directory_matches(struct signet_der name, struct signet_der base)
{
	struct signet_der content;

	return signet_der_read(&base, DER_SEQUENCE, &content) &&
	       signet_directory_within(name, content);
}

/**
 * struct subject - a name that constraints are applied to
 * @kind:	enum signet_general_name
 * @name:	its content; a Name's content for a directory name
 */
struct subject {
	unsigned int kind;
	struct signet_der name;
};

static bool matches(const struct subject *subject, struct signet_der base)
{
	switch (subject->kind) {
	case SIGNET_NAME_DNS:
		return is_below(subject->name, base);
	case SIGNET_NAME_MAIL:
		return mail_matches(subject->name, base);
	case SIGNET_NAME_URI:
		return uri_matches(subject->name, base);
	case SIGNET_NAME_ADDRESS:
		return address_matches(subject->name, base);
	case SIGNET_NAME_DIRECTORY:
		return directory_matches(subject->name, base);
	default:
		return false;
	}
}

/* Whether it stands for a name that matches: a wildcard may stand for an excluded one. */
static bool may_match(const struct subject *subject, struct signet_der base)
{
	const unsigned char *dot;

	if (matches(subject, base))
		return true;
	if (subject->kind != SIGNET_NAME_DNS || !is_wildcard(subject->name))
		return false;
	dot = base.length ? memchr(base.data, '.', base.length) : NULL;
	return dot &&
	       signet_name_equal(behind(base, dot + 1 - base.data), behind(subject->name, 2));
}

/*
 * Whether constraints can be applied to it at all: "If a constraint is applied to the
 * uniformResourceIdentifier name form and [...] does not include an authority component with a host
 * name specified as a fully qualified domain name [...], then the application MUST reject the
 * certificate." The same holds here for what is no name of its kind.
 */
static bool can_be_constrained(const struct subject *subject)
{
	struct signet_der name = subject->name, local, host;
	struct signet_uri uri;

	switch (subject->kind) {
	case SIGNET_NAME_DNS:
		return signet_name_is_dns(is_wildcard(name) ? behind(name, 2) : name);
	case SIGNET_NAME_MAIL:
		return split_mailbox(name, &local, &host);
	case SIGNET_NAME_URI:
		return signet_uri_parse(&uri, name) && signet_name_is_dns(uri.host);
	case SIGNET_NAME_ADDRESS:
	case SIGNET_NAME_DIRECTORY:
		return true;
	default:
		return false;
	}
}

#define NOT_ALLOWED \
	FAULT(ALERT_BAD_CERTIFICATE, "has a name that an authority above it must not certify")
#define TOO_MANY FAULT(ALERT_BAD_CERTIFICATE, "has too many names under name constraints")

/* RFC 5280 6.1.3 (b) and (c): in no excluded subtree, and in a permitted one if there is any. */
static const struct signet_fault *check_subject(const struct signet_certificate *authority,
						const struct subject *subject, unsigned int *budget)
{
	struct signet_der permitted = authority->permitted, excluded = authority->excluded, base;
	bool constrained = false, allowed = false;
	unsigned int kind;

	while (read_subtree(&excluded, &kind, &base)) {
		if (!*budget)
			return TOO_MANY;
		--*budget;
		if (kind != subject->kind)
			continue;
		if (!can_be_constrained(subject) || may_match(subject, base))
			return NOT_ALLOWED;
	}
	while (read_subtree(&permitted, &kind, &base)) {
		if (!*budget)
			return TOO_MANY;
		--*budget;
		if (kind != subject->kind)
			continue;
		if (!can_be_constrained(subject))
			return NOT_ALLOWED;
		constrained = true;
		allowed |= matches(subject, base);
	}
	return constrained && !allowed ? NOT_ALLOWED : NULL;
}

static const struct signet_fault *check_names(const struct signet_certificate *authority,
					      struct signet_der names, unsigned int *budget)
{
	const struct signet_fault *fault = NULL;
	struct subject subject;

	while (!fault && signet_certificate_name(&names, &subject.kind, &subject.name)) {
		struct signet_der wrapped = subject.name;

		if (subject.kind == SIGNET_NAME_DIRECTORY &&
		    !signet_der_read(&wrapped, DER_SEQUENCE, &subject.name))
			return NOT_ALLOWED;
		fault = check_subject(authority, &subject, budget);
	}
	return fault;
}

/* "legacy implementations where an electronic mail address is embedded in the subject" */
static const struct signet_fault *check_mail_in_subject(const struct signet_certificate *authority,
							struct signet_der name,
							unsigned int *budget)
{
	struct signet_directory_walk walk = { .name = name };
	struct subject subject = { .kind = SIGNET_NAME_MAIL };
	const struct signet_fault *fault = NULL;

	while (!fault && signet_directory_attribute(&walk, OID_MAIL_ADDRESS, &subject.name))
		fault = check_subject(authority, &subject, budget);
	return fault;
}

const struct signet_fault *signet_constraint_check(const struct signet_certificate *authority,
						   const struct signet_certificate *certificate,
						   unsigned int *budget)
{
	struct subject subject = { SIGNET_NAME_DIRECTORY, certificate->subject };
	const struct signet_fault *fault = NULL;

	if (!authority->is_constraint)
		return NULL;
	if (certificate->subject.length)
		fault = check_subject(authority, &subject, budget);
	if (!fault && !certificate->names.length)
		fault = check_mail_in_subject(authority, certificate->subject, budget);
	return fault ? fault : check_names(authority, certificate->names, budget);
}
