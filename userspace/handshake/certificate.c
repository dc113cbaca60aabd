// SPDX-License-Identifier: GPL-3.0-or-later
#include "certificate.h"

#include <time.h>

#include "constraint.h"
#include "directory.h"

/* RFC 5280 4.1.2.2. */
#define SERIAL_MAX 20

#define MALFORMED FAULT(ALERT_BAD_CERTIFICATE, "is malformed")
#define MALFORMED_EXTENSION FAULT(ALERT_BAD_CERTIFICATE, "has a malformed extension")

/* RFC 5280 4.1.2.5.1 and 4.1.2.5.2: with seconds, without fractions, in UTC. */
static bool read_time(struct signet_der *validity, int64_t *result)
{
	int fields[7] = { 0 };
	struct signet_der text;
	struct tm time = { 0 };
	unsigned int tag;
	size_t century;

	if (!signet_der_next(validity, &tag, &text) ||
	    (tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME))
		return false;
	century = tag == DER_GENERALIZED_TIME ? 2 : 0;
	if (text.length != century + 13 || text.data[century + 12] != 'Z')
		return false;
	for (size_t i = 0; i < century + 12; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		fields[(i + 2 - century) / 2] *= 10;
		fields[(i + 2 - century) / 2] += text.data[i] - '0';
	}
	if (!century)
		fields[0] = fields[1] < 50 ? 20 : 19;
	time.tm_year = fields[0] * 100 + fields[1] - 1900;
	time.tm_mon = fields[2] - 1;
	time.tm_mday = fields[3];
	time.tm_hour = fields[4];
	time.tm_min = fields[5];
	time.tm_sec = fields[6];
	if (fields[2] < 1 || fields[2] > 12 || fields[3] < 1 || fields[3] > 31 || fields[4] > 23 ||
	    fields[5] > 59 || fields[6] > 59)
		return false;
	*result = timegm(&time);
	/* The 31st of a shorter month has become another day. */
	return time.tm_mday == fields[3];
}

/* RFC 5280 4.2.1.9. */
static const struct signet_fault *parse_basic_constraints(struct signet_certificate *certificate,
							  struct signet_der value, bool critical)
{
	struct signet_der fields, number;
	unsigned int length;

	if (!signet_der_read(&value, DER_SEQUENCE, &fields) || value.length ||
	    !signet_der_boolean(&fields, &certificate->is_authority))
		return MALFORMED_EXTENSION;
	if (fields.length) {
		if (!signet_der_read(&fields, DER_INTEGER, &number) || fields.length ||
		    !signet_der_number(number, &length))
			return MALFORMED_EXTENSION;
		if (!certificate->is_authority)
			return FAULT(ALERT_BAD_CERTIFICATE,
				     "limits the path below it, but is not a CA's");
		certificate->path_length = length < 1000 ? length : 1000;
	}
	if (certificate->is_authority && !critical)
		return FAULT(ALERT_BAD_CERTIFICATE,
			     "is a CA's, but its basic constraints are not critical");
	return NULL;
}

/* RFC 5280 4.2.1.3. */
static const struct signet_fault *parse_key_usage(struct signet_certificate *certificate,
						  struct signet_der value, bool critical)
{
	struct signet_der flags;

	(void)critical;
	certificate->restricts_usage = true;
	if (!signet_der_read(&value, DER_BIT_STRING, &flags) || value.length ||
	    !signet_der_flags(flags, &certificate->usage))
		return MALFORMED_EXTENSION;
	return NULL;
}

/* RFC 5280 4.2.1.12. */
static const struct signet_fault *parse_purposes(struct signet_certificate *certificate,
						 struct signet_der value, bool critical)
{
	struct signet_der list, oid;

	(void)critical;
	certificate->restricts_purpose = true;
	if (!signet_der_read(&value, DER_SEQUENCE, &list) || value.length || !list.length)
		return MALFORMED_EXTENSION;
	while (list.length) {
		if (!signet_der_read(&list, DER_OBJECT_IDENTIFIER, &oid))
			return MALFORMED_EXTENSION;
		if (signet_der_equal(oid, DER_BYTES("\x2b\x06\x01\x05\x05\x07\x03\x01")))
			certificate->purposes |= SIGNET_PURPOSE_SERVER;
		if (signet_der_equal(oid, DER_BYTES("\x2b\x06\x01\x05\x05\x07\x03\x02")))
			certificate->purposes |= SIGNET_PURPOSE_CLIENT;
		if (signet_der_equal(oid, DER_BYTES("\x55\x1d\x25\x00")))
			certificate->purposes |= SIGNET_PURPOSE_ANY;
	}
	return NULL;
}

static bool is_string_kind(unsigned int kind)
{
	return kind == SIGNET_NAME_MAIL || kind == SIGNET_NAME_DNS || kind == SIGNET_NAME_URI;
}

/* RFC 5280 4.2.1.6: IA5String is ASCII, and a NUL never belongs into a name. */
static bool is_good_name(unsigned int kind, struct signet_der name)
{
	if (kind == SIGNET_NAME_ADDRESS)
		return name.length == 4 || name.length == 16;
	if (kind == SIGNET_NAME_DIRECTORY)
		return signet_der_read(&name, DER_SEQUENCE, &name) &&
		       signet_directory_is_name(name);
	if (!is_string_kind(kind))
		return true;
	for (size_t i = 0; i < name.length; i++) {
		if (!name.data[i] || name.data[i] > 0x7f)
			return false;
	}
	return name.length;
}

bool signet_certificate_name(struct signet_der *names, unsigned int *kind, struct signet_der *name)
{
	/* Those that are sequences, or explicitly tagged, are constructed; strings are not. */
	static const unsigned int tags[SIGNET_NAME_KINDS] = {
		DER_CONTEXT_CONSTRUCTED(0),
		DER_CONTEXT(1),
		DER_CONTEXT(2),
		DER_CONTEXT_CONSTRUCTED(3),
		DER_CONTEXT_CONSTRUCTED(4),
		DER_CONTEXT_CONSTRUCTED(5),
		DER_CONTEXT(6),
		DER_CONTEXT(7),
		DER_CONTEXT(8),
	};
	unsigned int tag;

	if (!signet_der_next(names, &tag, name))
		return false;
	for (*kind = 0; *kind < SIGNET_NAME_KINDS; ++*kind) {
		if (tags[*kind] == tag)
			return true;
	}
	return false;
}

/* RFC 5280 4.2.1.6. */
static const struct signet_fault *parse_names(struct signet_certificate *certificate,
					      struct signet_der value, bool critical)
{
	struct signet_der names, name;
	unsigned int kind;

	if (!signet_der_read(&value, DER_SEQUENCE, &names) || value.length || !names.length)
		return FAULT(ALERT_BAD_CERTIFICATE, "has malformed alternative names");
	certificate->names = names;
	while (names.length) {
		if (!signet_certificate_name(&names, &kind, &name) || !is_good_name(kind, name))
			return FAULT(ALERT_BAD_CERTIFICATE, "has a malformed alternative name");
	}
	if (!certificate->subject.length && !critical)
		return FAULT(ALERT_BAD_CERTIFICATE,
			     "has no subject, but its alternative names are not critical");
	return NULL;
}

/* RFC 5280 4.2.1.10. */
static const struct signet_fault *parse_constraints(struct signet_certificate *certificate,
						    struct signet_der value, bool critical)
{
	struct signet_der fields;

	certificate->is_constraint = true;
	if (!critical)
		return FAULT(ALERT_BAD_CERTIFICATE, "has name constraints, but not critical");
	if (!signet_der_read(&value, DER_SEQUENCE, &fields) || value.length ||
	    !signet_der_optional(&fields, DER_CONTEXT_CONSTRUCTED(0), &certificate->permitted) ||
	    !signet_der_optional(&fields, DER_CONTEXT_CONSTRUCTED(1), &certificate->excluded) ||
	    fields.length || !(certificate->permitted.length || certificate->excluded.length) ||
	    !signet_constraint_is_good(certificate->permitted) ||
	    !signet_constraint_is_good(certificate->excluded))
		return FAULT(ALERT_BAD_CERTIFICATE, "has malformed name constraints");
	return NULL;
}

/* RFC 5280 4.2.1.2. */
static const struct signet_fault *parse_key_id(struct signet_certificate *certificate,
					       struct signet_der value, bool critical)
{
	if (!signet_der_read(&value, DER_OCTET_STRING, &certificate->key_id) || value.length ||
	    critical)
		return FAULT(ALERT_BAD_CERTIFICATE,
			     "has a malformed or critical subject key identifier");
	return NULL;
}

/* RFC 5280 4.2.1.1. Issuer and serial number in it would tell nothing that the path does not. */
static const struct signet_fault *parse_authority_id(struct signet_certificate *certificate,
						     struct signet_der value, bool critical)
{
	struct signet_der fields;

	if (!signet_der_read(&value, DER_SEQUENCE, &fields) || value.length ||
	    !signet_der_optional(&fields, DER_CONTEXT(0), &certificate->authority_id) || critical)
		return FAULT(ALERT_BAD_CERTIFICATE,
			     "has a malformed or critical authority key identifier");
	return NULL;
}

/* Information that must not be critical, and is not needed. */
static const struct signet_fault *pass_over(struct signet_certificate *certificate,
					    struct signet_der value, bool critical)
{
	struct signet_der content;

	(void)certificate;
	if (critical)
		return FAULT(ALERT_BAD_CERTIFICATE,
			     "marks its authority information access as critical");
	if (!signet_der_read(&value, DER_SEQUENCE, &content) || value.length || !content.length)
		return MALFORMED_EXTENSION;
	return NULL;
}

/*
 * RFC 5280 6.1 with any policy acceptable and none demanded: policies then decide nothing, unless a
 * CA demands one, which is not supported here.
 */
static const struct signet_fault *parse_policies(struct signet_certificate *certificate,
						 struct signet_der value, bool critical)
{
	struct signet_der content;

	(void)certificate;
	(void)critical;
	if (!signet_der_read(&value, DER_SEQUENCE, &content) || value.length || !content.length)
		return MALFORMED_EXTENSION;
	return NULL;
}

static const struct signet_fault *parse_policy_constraints(struct signet_certificate *certificate,
							   struct signet_der value, bool critical)
{
	(void)certificate;
	(void)value;
	if (critical)
		return FAULT(ALERT_UNSUPPORTED_CERTIFICATE,
			     "demands certificate policies, a critical extension that is not "
			     "supported");
	return FAULT(ALERT_BAD_CERTIFICATE, "has policy constraints, but not critical");
}

static const struct extension {
	struct signet_der oid;
	const struct signet_fault *(*parse)(struct signet_certificate *certificate,
					    struct signet_der value, bool critical);
} extensions[] = {
	{ DER_BYTES("\x55\x1d\x0e"), parse_key_id },
	{ DER_BYTES("\x55\x1d\x0f"), parse_key_usage },
	{ DER_BYTES("\x55\x1d\x11"), parse_names },
	{ DER_BYTES("\x55\x1d\x13"), parse_basic_constraints },
	{ DER_BYTES("\x55\x1d\x1e"), parse_constraints },
	{ DER_BYTES("\x55\x1d\x20"), parse_policies },
	{ DER_BYTES("\x55\x1d\x23"), parse_authority_id },
	{ DER_BYTES("\x55\x1d\x24"), parse_policy_constraints },
	{ DER_BYTES("\x55\x1d\x25"), parse_purposes },
	{ DER_BYTES("\x2b\x06\x01\x05\x05\x07\x01\x01"), pass_over },
};

/* An Extension's content, and the octets of its value. */
static bool read_extension(struct signet_der *list, struct signet_der *oid, bool *critical,
			   struct signet_der *value)
{
	struct signet_der fields;

	return signet_der_read(list, DER_SEQUENCE, &fields) &&
	       signet_der_read(&fields, DER_OBJECT_IDENTIFIER, oid) &&
	       signet_der_boolean(&fields, critical) &&
	       signet_der_read(&fields, DER_OCTET_STRING, value) && !fields.length;
}

/* RFC 5280 4.2: at most one of a kind. Whoever sends many pays for the comparison with a refusal. */
static bool occurs(struct signet_der list, struct signet_der oid)
{
	struct signet_der other, value;
	bool critical;

	while (read_extension(&list, &other, &critical, &value)) {
		if (signet_der_equal(oid, other))
			return true;
	}
	return false;
}

#define EXTENSIONS_MAX 64

static const struct signet_fault *parse_extension(struct signet_certificate *certificate,
						  struct signet_der oid, struct signet_der value,
						  bool critical)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		if (signet_der_equal(oid, extensions[i].oid))
			return extensions[i].parse(certificate, value, critical);
	}
	return critical ? FAULT(ALERT_BAD_CERTIFICATE, "has an unknown critical extension") : NULL;
}

static const struct signet_fault *parse_extensions(struct signet_certificate *certificate,
						   struct signet_der list)
{
	const struct signet_fault *fault = NULL;
	struct signet_der oid, value;
	size_t count = 0;
	bool critical;

	while (list.length) {
		if (!read_extension(&list, &oid, &critical, &value) || ++count > EXTENSIONS_MAX)
			return MALFORMED_EXTENSION;
		if (occurs(list, oid))
			return FAULT(ALERT_BAD_CERTIFICATE, "has an extension twice");
		if (!fault)
			fault = parse_extension(certificate, oid, value, critical);
	}
	return fault;
}

/* What only the extensions together tell (RFC 5280 4.2.1.3, 4.2.1.6, 4.2.1.9, 4.2.1.10). */
static const struct signet_fault *check_together(const struct signet_certificate *certificate)
{
	bool signs = certificate->usage & SIGNET_USAGE_CERTIFICATES;

	if (certificate->is_authority) {
		if (!certificate->subject.length)
			return FAULT(ALERT_BAD_CERTIFICATE, "is a CA's, but has no name");
		if (certificate->restricts_usage && !signs)
			return FAULT(ALERT_BAD_CERTIFICATE,
				     "is a CA's, but its key is not for signing certificates");
		return NULL;
	}
	if (signs)
		return FAULT(ALERT_BAD_CERTIFICATE,
			     "is not a CA's, but its key is for signing certificates");
	if (certificate->is_constraint)
		return FAULT(ALERT_BAD_CERTIFICATE, "is not a CA's, but has name constraints");
	if (!certificate->subject.length && !certificate->names.length)
		return FAULT(ALERT_BAD_CERTIFICATE, "has neither subject nor alternative names");
	return NULL;
}

/* RFC 5280 4.1.2.1 and 4.1.2.9: extensions are version 3's; unique identifiers are passed over. */
static const struct signet_fault *parse_rest(struct signet_certificate *certificate,
					     struct signet_der fields)
{
	const struct signet_fault *fault;
	struct signet_der ignored, wrapper, list;

	if (!signet_der_optional(&fields, DER_CONTEXT(1), &ignored) ||
	    !signet_der_optional(&fields, DER_CONTEXT(2), &ignored) ||
	    !signet_der_optional(&fields, DER_CONTEXT_CONSTRUCTED(3), &wrapper) || fields.length)
		return MALFORMED;
	if (certificate->version != X509_VERSION_3)
		return FAULT(ALERT_BAD_CERTIFICATE, "is not of X.509 version 3");
	if (wrapper.length) {
		if (!signet_der_read(&wrapper, DER_SEQUENCE, &list) || wrapper.length ||
		    !list.length)
			return MALFORMED;
		fault = parse_extensions(certificate, list);
		if (fault)
			return fault;
	}
	return check_together(certificate);
}

/* The explicit version; its absence means the first one. */
static bool read_version(struct signet_der *fields, unsigned int *version)
{
	struct signet_der wrapper, number;

	*version = X509_VERSION_1;
	if (!signet_der_is(fields, DER_CONTEXT_CONSTRUCTED(0)))
		return true;
	return signet_der_read(fields, DER_CONTEXT_CONSTRUCTED(0), &wrapper) &&
	       signet_der_read(&wrapper, DER_INTEGER, &number) && !wrapper.length &&
	       signet_der_number(number, version);
}

static bool parse_signed_part(struct signet_certificate *certificate, struct signet_der fields,
			      struct signet_der identifier)
{
	struct signet_der inner_identifier, validity, key, start;

	if (!read_version(&fields, &certificate->version) ||
	    !signet_der_read(&fields, DER_INTEGER, &certificate->serial) ||
	    !signet_der_read(&fields, DER_SEQUENCE, &inner_identifier) ||
	    !signet_der_read(&fields, DER_SEQUENCE, &certificate->issuer) ||
	    !signet_der_read(&fields, DER_SEQUENCE, &validity) ||
	    !signet_der_read(&fields, DER_SEQUENCE, &certificate->subject))
		return false;
	start = fields;
	if (!signet_der_read(&fields, DER_SEQUENCE, &key) ||
	    !signet_directory_is_name(certificate->issuer) ||
	    !signet_directory_is_name(certificate->subject))
		return false;
	certificate->key_info =
		(struct signet_der){ start.data, key.data + key.length - start.data };
	certificate->issuer_hash = signet_directory_hash(certificate->issuer);
	certificate->subject_hash = signet_directory_hash(certificate->subject);
	if (!read_time(&validity, &certificate->not_before) ||
	    !read_time(&validity, &certificate->not_after) || validity.length)
		certificate->fault = FAULT(ALERT_BAD_CERTIFICATE, "has a malformed validity");
	else
		certificate->fault = parse_rest(certificate, fields);
	/* RFC 5280 4.1.1.2. */
	if (!certificate->fault && !signet_der_equal(identifier, inner_identifier))
		certificate->fault =
			FAULT(ALERT_BAD_CERTIFICATE, "names two different signature algorithms");
	if (!certificate->fault)
		certificate->fault = signet_key_parse(&certificate->key, key);
	return true;
}

bool signet_certificate_parse(struct signet_certificate *certificate, const void *data,
			      size_t length)
{
	struct signet_der input = { data, length }, fields, identifier, signed_part, start;

	memset(certificate, 0, sizeof(*certificate));
	certificate->der = input;
	certificate->path_length = -1;
	if (!signet_der_read(&input, DER_SEQUENCE, &fields) || input.length)
		return false;
	start = fields;
	if (!signet_der_read(&fields, DER_SEQUENCE, &signed_part) ||
	    !signet_der_read(&fields, DER_SEQUENCE, &identifier) ||
	    !signet_der_read(&fields, DER_BIT_STRING, &certificate->signature) || fields.length ||
	    !signet_der_octets(&certificate->signature))
		return false;
	certificate->signed_part =
		(struct signet_der){ start.data,
				     signed_part.data + signed_part.length - start.data };
	certificate->signature_fault = signet_algorithm_parse(&certificate->algorithm, identifier);
	return parse_signed_part(certificate, signed_part, identifier);
}

const struct signet_fault *signet_certificate_check_issued(const struct signet_certificate *issued)
{
	struct signet_der serial = issued->serial;

	/* Some old roots have zero; what those issue has not. */
	if (!signet_der_positive(&serial) || issued->serial.length > SERIAL_MAX)
		return FAULT(ALERT_BAD_CERTIFICATE,
			     "has a serial number that is not positive, or too long");
	if (!issued->issuer.length)
		return FAULT(ALERT_BAD_CERTIFICATE, "names no issuer");
	return NULL;
}

const struct signet_fault *
signet_certificate_check_time(const struct signet_certificate *certificate, int64_t now)
{
	if (certificate->not_after < certificate->not_before)
		return FAULT(ALERT_CERTIFICATE_EXPIRED, "ends before it begins");
	/* RFC 5280 4.1.2.5: both ends belong to it. */
	if (now > certificate->not_after)
		return FAULT(ALERT_CERTIFICATE_EXPIRED, "has expired");
	if (now < certificate->not_before)
		return FAULT(ALERT_CERTIFICATE_EXPIRED, "is not yet valid");
	return NULL;
}

bool signet_certificate_is_self_issued(const struct signet_certificate *certificate)
{
	return certificate->issuer_hash == certificate->subject_hash &&
	       signet_directory_equal(certificate->issuer, certificate->subject);
}
