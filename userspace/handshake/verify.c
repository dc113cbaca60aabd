// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "certificate.h"
#include "directory.h"
#include "path.h"
#include "uri.h"

static const char *peer_name(const struct signet_verify *verify)
{
	return verify->peer_role == SIGNET_ROLE_SERVER ? "server" : "client";
}

__attribute__((format(printf, 3, 4))) static int refuse(struct signet_verify *verify, int alert,
							const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(verify->text, sizeof(verify->text), format, arguments);
	va_end(arguments);
	return alert;
}

static int refuse_leaf(struct signet_verify *verify, const struct signet_fault *fault)
{
	return refuse(verify, fault->alert, "the %s's certificate %s", peer_name(verify),
		      fault->text);
}

static int refuse_path(struct signet_verify *verify, const struct signet_path *path)
{
	char subject[SIGNET_TEXT_MAX / 2];

	if (path->culprit == &path->sent[0])
		return refuse_leaf(verify, path->fault);
	signet_directory_print(subject, sizeof(subject), path->culprit->subject);
	return refuse(verify, path->fault->alert, "a certificate above the %s's %s: %s",
		      peer_name(verify), path->fault->text,
		      subject[0] ? subject : "it has no subject");
}

/* Its kind is told where another one was asked for: a DNS name may read like an address. */
static void print_name(char *text, size_t size, const struct signet_name *asked, unsigned int kind,
		       struct signet_der name)
{
	size_t used = 0;

	if (kind == SIGNET_NAME_URI)
		used = snprintf(text, size, "URI:");
	else if (kind == SIGNET_NAME_ADDRESS && !asked->address_len)
		used = snprintf(text, size, "IP:");
	else if (kind == SIGNET_NAME_DNS && (asked->address_len || asked->is_uri))
		used = snprintf(text, size, "DNS:");
	if (kind == SIGNET_NAME_ADDRESS) {
		inet_ntop(name.length == 4 ? AF_INET : AF_INET6, name.data, text + used,
			  size - used);
		return;
	}
	for (size_t i = 0; i < name.length && used < size - 1; i++)
		text[used++] = name.data[i] >= ' ' && name.data[i] <= '~' ? name.data[i] : '?';
	text[used] = '\0';
}

/*
 * The certificate's names as a person wants to see them beside the one that was asked for, as far
 * as there is room.
 */
static void list_names(char *text, size_t size, const struct signet_name *asked,
		       struct signet_der names)
{
	static const char more[] = ", ...";
	struct signet_der content;
	unsigned int kind;
	size_t used = 0;
	char name[64];

	text[0] = '\0';
	while (signet_certificate_name(&names, &kind, &content)) {
		if (kind != SIGNET_NAME_DNS && kind != SIGNET_NAME_ADDRESS &&
		    !(kind == SIGNET_NAME_URI && asked->is_uri))
			continue;
		print_name(name, sizeof(name), asked, kind, content);
		if (used + strlen(", ") + strlen(name) + sizeof(more) > size) {
			snprintf(text + used, size - used, "%s", more);
			return;
		}
		used += snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
	}
}

static bool matches(const struct signet_name *name, unsigned int kind, struct signet_der content)
{
	switch (kind) {
	case SIGNET_NAME_DNS:
		return signet_name_matches_dns(name, (const char *)content.data, content.length);
	case SIGNET_NAME_ADDRESS:
		return signet_name_matches_address(name, content.data, content.length);
	case SIGNET_NAME_URI:
		return signet_name_matches_uri(name, content);
	default:
		return false;
	}
}

/* RFC 9525 6: subject alternative names only. */
static int check_name(struct signet_verify *verify, const struct signet_certificate *leaf)
{
	struct signet_der names = leaf->names, content;
	char list[SIGNET_TEXT_MAX / 2];
	unsigned int kind;

	while (signet_certificate_name(&names, &kind, &content)) {
		if (matches(verify->name, kind, content))
			return 0;
	}
	list_names(list, sizeof(list), verify->name, leaf->names);
	if (!list[0])
		return refuse(verify, ALERT_BAD_CERTIFICATE,
			      "the server's certificate names no host as alternative name, so not "
			      "%.100s",
			      verify->name->text);
	return refuse(verify, ALERT_BAD_CERTIFICATE,
		      "the server's certificate is for %s, not for %.100s", list,
		      verify->name->text);
}

/* RFC 7469 2.4: of the whole SubjectPublicKeyInfo. */
static int check_pins(struct signet_verify *verify, const struct signet_certificate *leaf)
{
	unsigned char digest[SIGNET_PIN_LEN];

	if (!verify->pin_count)
		return 0;
	if (wc_Sha256Hash(leaf->key_info.data, leaf->key_info.length, digest))
		return refuse(verify, ALERT_INTERNAL_ERROR, "out of memory");
	for (unsigned int i = 0; i < verify->pin_count; i++) {
		if (!memcmp(verify->pins[i], digest, sizeof(digest)))
			return 0;
	}
	return refuse(verify, ALERT_BAD_CERTIFICATE,
		      "the %s's certificate has another public key than those that are pinned",
		      peer_name(verify));
}

static enum signet_purpose purpose_of(const struct signet_verify *verify)
{
	return verify->peer_role == SIGNET_ROLE_SERVER ? SIGNET_PURPOSE_SERVER :
							 SIGNET_PURPOSE_CLIENT;
}

/* RFC 8446 4.4.2.2 and 4.4.2.4, RFC 5280 4.2.1.12. */
static int check_use(struct signet_verify *verify, const struct signet_certificate *leaf,
		     const struct signet_anchor *anchor)
{
	const char *peer = peer_name(verify);

	if (leaf->is_authority)
		return refuse(verify, ALERT_BAD_CERTIFICATE,
			      "the %s's certificate is a CA's: it may issue others, not serve",
			      peer);
	if (leaf->restricts_usage && !(leaf->usage & SIGNET_USAGE_SIGNATURE))
		return refuse(verify, ALERT_UNSUPPORTED_CERTIFICATE,
			      "the %s's certificate is not for signatures", peer);
	if (leaf->restricts_purpose && !(leaf->purposes & purpose_of(verify)))
		return refuse(verify, ALERT_UNSUPPORTED_CERTIFICATE,
			      "the %s's certificate is not for TLS %ss", peer, peer);
	if (!leaf->restricts_purpose && anchor->is_public)
		return refuse(verify, ALERT_UNSUPPORTED_CERTIFICATE,
			      "the %s's certificate does not say that it is for TLS %ss, as those "
			      "of public authorities must",
			      peer, peer);
	return 0;
}

/* X.509-SVID 2 and 5.2. */
static int check_spiffe(struct signet_verify *verify, const struct signet_certificate *leaf)
{
	struct signet_der names = leaf->names, content, id = { 0 };
	unsigned int kind, uris = 0;

	while (signet_certificate_name(&names, &kind, &content)) {
		uris += kind == SIGNET_NAME_URI;
		if (kind == SIGNET_NAME_URI && signet_uri_is_spiffe(content))
			id = content;
	}
	if (!id.length)
		return 0;
	if (uris > 1 || !signet_uri_is_workload(id))
		return refuse(verify, ALERT_BAD_CERTIFICATE,
			      "the %s's certificate has a SPIFFE id that is malformed, or not its "
			      "only URI",
			      peer_name(verify));
	verify->spiffe = strndup((const char *)id.data, id.length);
	if (!verify->spiffe)
		return refuse(verify, ALERT_INTERNAL_ERROR, "out of memory");
	return 0;
}

/* Room for a name that is told as a whole or not at all. */
static bool note_peer(struct signet_verify *verify, struct signet_der name)
{
	if (name.length >= sizeof(verify->peer))
		return false;
	memcpy(verify->peer, name.data, name.length);
	verify->peer[name.length] = '\0';
	return true;
}

static void identify_by_certificate(struct signet_verify *verify,
				    const struct signet_certificate *leaf)
{
	struct signet_der names = leaf->names, content;
	unsigned int kind;

	if (verify->spiffe &&
	    note_peer(verify, (struct signet_der){ (unsigned char *)verify->spiffe,
						   strlen(verify->spiffe) }))
		return;
	while (signet_certificate_name(&names, &kind, &content)) {
		if (kind == SIGNET_NAME_DNS && signet_name_is_dns(content) &&
		    note_peer(verify, content))
			return;
	}
	signet_directory_print(verify->peer, sizeof(verify->peer), leaf->subject);
}

static int keep_chain(struct signet_verify *verify, const struct signet_path *path)
{
	size_t length = 0, count;

	for (count = 0; count < path->length; count++) {
		if (length + path->certificates[count]->der.length > SIGNET_CHAIN_MAX)
			break;
		length += path->certificates[count]->der.length;
	}
	verify->chain = malloc(length + !length);
	if (!verify->chain)
		return refuse(verify, ALERT_INTERNAL_ERROR, "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct signet_der der = path->certificates[i]->der;

		memcpy(verify->chain + verify->chain_length, der.data, der.length);
		verify->chain_length += der.length;
	}
	return 0;
}

static int accept_leaf(struct signet_verify *verify, const struct signet_path *path)
{
	const struct signet_certificate *leaf = path->certificates[0];
	int alert;

	alert = check_use(verify, leaf, path->anchor);
	if (!alert)
		alert = check_spiffe(verify, leaf);
	if (!alert && verify->name)
		alert = check_name(verify, leaf);
	if (!alert)
		alert = check_pins(verify, leaf);
	if (!alert)
		alert = keep_chain(verify, path);
	if (alert)
		return alert;
	if (verify->name)
		memcpy(verify->peer, verify->name->text, sizeof(verify->peer));
	else
		identify_by_certificate(verify, leaf);
	verify->accepted = true;
	return 0;
}

static int judge(struct signet_verify *verify, const struct signet_certificate *sent, size_t count)
{
	struct signet_path path = {
		.sent = sent,
		.sent_count = count,
		.trust = verify->trust,
		.purpose = purpose_of(verify),
		.now = time(NULL),
	};
	const struct signet_fault *fault = sent->fault;

	if (!sent->der.length)
		fault = FAULT(ALERT_BAD_CERTIFICATE, "is malformed");
	if (!fault)
		fault = signet_certificate_check_time(sent, path.now);
	if (fault)
		return refuse_leaf(verify, fault);
	if (!signet_path_find(&path))
		return refuse_path(verify, &path);
	return accept_leaf(verify, &path);
}

int signet_verify_chain(WOLFSSL *ssl, const WOLFSSL_BUFFER_INFO *sent, int count, void *context)
{
	struct signet_verify *verify = context;
	struct signet_certificate *certificates;
	int alert;

	(void)ssl;
	verify->accepted = false;
	if (count < 1 || count > SIGNET_PATH_SENT_MAX)
		return refuse(verify, ALERT_BAD_CERTIFICATE,
			      "the %s's certificate comes with too long a chain",
			      peer_name(verify));
	certificates = calloc(count, sizeof(*certificates));
	if (!certificates)
		return refuse(verify, ALERT_INTERNAL_ERROR, "out of memory");
	for (int i = 0; i < count; i++) {
		if (!signet_certificate_parse(&certificates[i], sent[i].buffer, sent[i].length))
			memset(&certificates[i], 0, sizeof(certificates[i]));
	}
	alert = judge(verify, certificates, count);
	free(certificates);
	return alert;
}

void signet_verify_end(struct signet_verify *verify)
{
	free(verify->spiffe);
	free(verify->chain);
	verify->spiffe = NULL;
	verify->chain = NULL;
	verify->chain_length = 0;
}

/* What wolfSSL finds by itself, where it reads the list of certificates and the leaf's key. */
bool signet_verify_explain(struct signet_verify *verify, int error)
{
	const char *what;

	switch (error) {
	case NO_PEER_CERT:
		refuse(verify, 0, "the %s presented no certificate", peer_name(verify));
		return true;
	case MAX_CHAIN_ERROR:
		what = "comes with too long a chain";
		break;
	case PEER_KEY_ERROR:
		what = "has a malformed public key";
		break;
	default:
		/* The parser's errors. */
		if (error > ASN_PARSE_E || error < ASN_ALT_NAME_E)
			return false;
		what = "is malformed";
	}
	refuse(verify, 0, "the %s's certificate %s", peer_name(verify), what);
	return true;
}
