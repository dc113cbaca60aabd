/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An X.509 certificate, taken apart and checked for what it is by itself (RFC 5280 4). */
#ifndef SIGNET_HANDSHAKE_CERTIFICATE_H
#define SIGNET_HANDSHAKE_CERTIFICATE_H

#include <stdint.h>

#include "der.h"
#include "fault.h"
#include "key.h"

/* As they stand in a certificate. */
#define X509_VERSION_1 0
#define X509_VERSION_3 2

enum signet_key_usage {
	SIGNET_USAGE_SIGNATURE = 1 << 0,
	SIGNET_USAGE_CERTIFICATES = 1 << 5,
	SIGNET_USAGE_REVOCATIONS = 1 << 6,
};

enum signet_purpose {
	SIGNET_PURPOSE_SERVER = 1 << 0,
	SIGNET_PURPOSE_CLIENT = 1 << 1,
	SIGNET_PURPOSE_ANY = 1 << 2,
};

/* The GeneralNames that mean something here (RFC 5280 4.2.1.6); their tags' numbers. */
enum signet_general_name {
	SIGNET_NAME_OTHER = 0,
	SIGNET_NAME_MAIL = 1,
	SIGNET_NAME_DNS = 2,
	SIGNET_NAME_DIRECTORY = 4,
	SIGNET_NAME_URI = 6,
	SIGNET_NAME_ADDRESS = 7,
	SIGNET_NAME_KINDS = 9,
};

/**
 * struct signet_certificate - a certificate; points into its encoding, which it does not own
 * @der:	all of it
 * @signed_part: the TBSCertificate, with its tag
 * @version:	X509_VERSION_1 or another
 * @serial:	an INTEGER's content
 * @issuer:	a Name's content
 * @subject:	a Name's content
 * @issuer_hash: signet_directory_hash()
 * @subject_hash: signet_directory_hash()
 * @not_before:	seconds since 1970
 * @not_after:	seconds since 1970
 * @key_info:	the SubjectPublicKeyInfo, with its tag
 * @key:	of the subject
 * @algorithm:	of the signature
 * @signature:	the issuer's
 * @is_authority: basic constraints say that it is a CA's
 * @path_length: basic constraints' limit, -1 for none
 * @restricts_usage: it has a key usage
 * @usage:	enum signet_key_usage
 * @restricts_purpose: it has an extended key usage
 * @purposes:	enum signet_purpose
 * @key_id:	subject key identifier, empty for none
 * @authority_id: authority key identifier, empty for none
 * @names:	subject alternative names: GeneralNames' content, empty for none
 * @permitted:	name constraints: GeneralSubtrees' content
 * @excluded:	name constraints: GeneralSubtrees' content
 * @is_constraint: it has name constraints
 * @fault:	the first rule that it breaks by itself, NULL for none
 * @signature_fault: why its signature is not taken, whoever made it; NULL when it is
 */
struct signet_certificate {
	struct signet_der der;
	struct signet_der signed_part;
	unsigned int version;
	struct signet_der serial;
	struct signet_der issuer;
	struct signet_der subject;
	uint32_t issuer_hash;
	uint32_t subject_hash;
	int64_t not_before;
	int64_t not_after;
	struct signet_der key_info;
	struct signet_key key;
	struct signet_algorithm algorithm;
	struct signet_der signature;
	bool is_authority;
	int path_length;
	bool restricts_usage;
	unsigned int usage;
	bool restricts_purpose;
	unsigned int purposes;
	struct signet_der key_id;
	struct signet_der authority_id;
	struct signet_der names;
	struct signet_der permitted;
	struct signet_der excluded;
	bool is_constraint;
	const struct signet_fault *fault;
	const struct signet_fault *signature_fault;
};

/**
 * signet_certificate_parse - take a certificate apart
 *
 * Return: false when it is no certificate at all; then it must not be looked at. What can be read
 * but breaks a rule has a @fault, and must not be part of a path.
 */
bool signet_certificate_parse(struct signet_certificate *certificate, const void *data,
			      size_t length);

/* The rules for certificates that somebody has issued; a trust anchor is taken as it is. */
const struct signet_fault *signet_certificate_check_issued(const struct signet_certificate *issued);

/* Whether now lies in its validity. Return: what is wrong, NULL for nothing. */
const struct signet_fault *
signet_certificate_check_time(const struct signet_certificate *certificate, int64_t now);

/* Issuer and subject are the same. */
bool signet_certificate_is_self_issued(const struct signet_certificate *certificate);

/**
 * signet_certificate_name - go through the subject alternative names
 * @names:	the certificate's at first; holds what is left to look at
 * @kind:	enum signet_general_name of the next one, or another number below SIGNET_NAME_KINDS
 * @name:	its content
 *
 * Return: false when there is no more, or what comes next is no GeneralName. A certificate without
 * @fault has none such.
 */
bool signet_certificate_name(struct signet_der *names, unsigned int *kind, struct signet_der *name);

#endif
