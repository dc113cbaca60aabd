// SPDX-License-Identifier: GPL-3.0-or-later
#include "verify.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

/* As it stands in the certificate (RFC 5280 4.1.2.1). */
#define X509_VERSION_3 2

static const char *peer_name(const struct signet_verify *verify)
{
	return verify->peer_role == SIGNET_ROLE_SERVER ? "server" : "client";
}

__attribute__((format(printf, 2, 3))) static bool refuse(struct signet_verify *verify,
							 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(verify->text, sizeof(verify->text), format, arguments);
	va_end(arguments);
	return false;
}

static const char *explain(const struct signet_verify *verify, int error)
{
	switch (error) {
	case ASN_AFTER_DATE_E:
		return "has expired";
	case ASN_BEFORE_DATE_E:
		return "is not yet valid";
	case ASN_NO_SIGNER_E:
		return "was issued by an unknown authority";
	case ASN_SELF_SIGNED_E:
		return "is self-signed, by an unknown authority";
	case ASN_SIG_CONFIRM_E:
		return "has a wrong signature";
	case ASN_SIG_HASH_E:
	case ASN_SIG_KEY_E:
	case ASN_SIG_OID_E:
		return "has a signature of an unsupported kind";
	case ASN_PATHLEN_SIZE_E:
	case ASN_PATHLEN_INV_E:
		return "has more authorities above it than one of them allows";
	case MAX_CHAIN_ERROR:
		return "comes with too long a chain";
	case ASN_NAME_INVALID_E:
		return "has a name that an authority above it must not certify";
	case ASN_CRIT_EXT_E:
		return "has an unknown critical extension";
	case RSA_KEY_SIZE_E:
	case ECC_KEY_SIZE_E:
		return "has too short a key";
	case KEYUSE_SIGNATURE_E:
		return "is not for signatures";
	case EXTKEYUSE_AUTH_E:
		return verify->peer_role == SIGNET_ROLE_SERVER ? "is not for TLS servers" :
								 "is not for TLS clients";
	default:
		/* The parser's errors (RFC 5280 4.1). */
		return error <= ASN_PARSE_E && error >= ASN_ALT_NAME_E ? "is malformed" : NULL;
	}
}

bool signet_verify_explain(struct signet_verify *verify, int error)
{
	const char *what = explain(verify, error);

	if (error == NO_PEER_CERT) {
		refuse(verify, "the %s presented no certificate", peer_name(verify));
		return true;
	}
	if (!what)
		return false;
	refuse(verify, "the %s's certificate %s", peer_name(verify), what);
	return true;
}

static int refuse_error(struct signet_verify *verify, int error, int depth)
{
	const char *what = explain(verify, error);

	if (depth > 0 && what)
		refuse(verify, "a certificate above the %s's %s", peer_name(verify), what);
	else if (!signet_verify_explain(verify, error))
		refuse(verify, "the %s's certificate was refused: %s", peer_name(verify),
		       wolfSSL_ERR_reason_error_string(error));
	return 0;
}

static bool is_weak(word32 signature)
{
	return signature == CTC_MD2wRSA || signature == CTC_MD5wRSA || signature == CTC_SHAwRSA ||
	       signature == CTC_SHAwDSA || signature == CTC_SHAwECDSA;
}

static byte wanted_usage(const struct signet_verify *verify)
{
	return verify->peer_role == SIGNET_ROLE_SERVER ? EXTKEYUSE_SERVER_AUTH :
							 EXTKEYUSE_CLIENT_AUTH;
}

/* Certificates hold any bytes; what a person or a log reads holds none but printable ASCII. */
static void print_name(char *text, size_t size, const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < length && i < size - 1; i++)
		text[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
	text[i] = '\0';
}

/* Its kind is told where another one was asked for: a DNS name may read like an address. */
static void print_alt_name(char *text, size_t size, const struct signet_name *asked,
			   const DNS_entry *entry)
{
	bool is_address = entry->type == ASN_IP_TYPE && (entry->len == 4 || entry->len == 16);
	const char *kind = is_address ? "IP:" : "DNS:";
	size_t used = 0;

	if (is_address == !asked->address_len)
		used = snprintf(text, size, "%s", kind);
	if (is_address)
		inet_ntop(entry->len == 4 ? AF_INET : AF_INET6, entry->name, text + used,
			  size - used);
	else
		print_name(text + used, size - used, entry->name, entry->len);
}

static bool is_host(const DNS_entry *entry)
{
	return entry->type == ASN_DNS_TYPE || entry->type == ASN_IP_TYPE;
}

static const DNS_entry *nth_host(const DNS_entry *entry, size_t n)
{
	for (; entry; entry = entry->next) {
		if (is_host(entry) && !n--)
			break;
	}
	return entry;
}

/*
 * The certificate's names as a person wants to see them beside the one that was asked for: in the
 * certificate's order, which is the reverse of wolfSSL's list, as far as there is room.
 */
static void list_alt_names(char *text, size_t size, const struct signet_name *asked,
			   const DNS_entry *list)
{
	static const char more[] = ", ...";
	size_t count = 0, used = 0;
	char name[64];

	text[0] = '\0';
	for (const DNS_entry *entry = list; entry; entry = entry->next)
		count += is_host(entry);
	while (count--) {
		print_alt_name(name, sizeof(name), asked, nth_host(list, count));
		if (used + strlen(", ") + strlen(name) + sizeof(more) > size) {
			snprintf(text + used, size - used, "%s", more);
			return;
		}
		used += snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
	}
}

static bool matches(const struct signet_name *name, const DNS_entry *entry)
{
	if (entry->type == ASN_DNS_TYPE)
		return signet_name_matches_dns(name, entry->name, entry->len);
	if (entry->type == ASN_IP_TYPE)
		return signet_name_matches_address(name, entry->name, entry->len);
	return false;
}

/* RFC 9525 6: subject alternative names only. */
static bool check_name(struct signet_verify *verify, const DecodedCert *leaf)
{
	char names[SIGNET_TEXT_MAX / 2];
	const DNS_entry *entry;

	for (entry = leaf->altNames; entry; entry = entry->next) {
		if (matches(verify->name, entry))
			return true;
	}
	list_alt_names(names, sizeof(names), verify->name, leaf->altNames);
	if (!names[0])
		return refuse(
			verify,
			"the server's certificate names no host as alternative name, so not %.100s",
			verify->name->text);
	return refuse(verify, "the server's certificate is for %s, not for %.100s", names,
		      verify->name->text);
}

/* RFC 5280 4.2.1, RFC 8446 4.4.2.2 and 4.4.2.4. */
static bool check_leaf(struct signet_verify *verify, const DecodedCert *leaf)
{
	const char *peer = peer_name(verify);

	if (leaf->version != X509_VERSION_3)
		return refuse(verify, "the %s's certificate is not of X.509 version 3", peer);
	if (leaf->isCA)
		return refuse(verify,
			      "the %s's certificate is a CA's: it may issue others, not serve",
			      peer);
	if (leaf->extKeyUsageSet && !(leaf->extKeyUsage & KEYUSE_DIGITAL_SIG))
		return refuse(verify, "the %s's certificate is not for signatures", peer);
	if (leaf->extExtKeyUsageSet && !(leaf->extExtKeyUsage & wanted_usage(verify)))
		return refuse(verify, "the %s's certificate is not for TLS %ss", peer, peer);
	if (is_weak(leaf->signatureOID))
		return refuse(verify, "the %s's certificate is signed with a broken hash", peer);
	return verify->peer_role != SIGNET_ROLE_SERVER || check_name(verify, leaf);
}

/* RFC 5280 4.1.2.6, 4.2.1.10 and 4.2.1.12. */
static bool check_authority(struct signet_verify *verify, const DecodedCert *authority)
{
	const char *peer = peer_name(verify);

	if (authority->version != X509_VERSION_3)
		return refuse(verify, "a CA certificate above the %s's is not of X.509 version 3",
			      peer);
	if (!authority->subject[0])
		return refuse(verify, "a CA certificate above the %s's has no name", peer);
	if (authority->extNameConstraintSet && !authority->extNameConstraintCrit)
		return refuse(
			verify,
			"a CA certificate above the %s's has name constraints, but not critical",
			peer);
	if (authority->extExtKeyUsageSet &&
	    !(authority->extExtKeyUsage & (wanted_usage(verify) | EXTKEYUSE_ANY)))
		return refuse(verify, "a CA certificate above the %s's is not for TLS %ss", peer,
			      peer);
	/* Nobody relies on the signature that a root gives itself. */
	if (!authority->selfSigned && is_weak(authority->signatureOID))
		return refuse(verify,
			      "a CA certificate above the %s's is signed with a broken hash", peer);
	return true;
}

/*
 * A certificate in the chain that is no CA's is skipped: wolfSSL does not take it for an issuer
 * either.
 */
static bool check_one(struct signet_verify *verify, const WOLFSSL_BUFFER_INFO *der, int depth)
{
	DecodedCert certificate;
	bool good;

	wc_InitDecodedCert(&certificate, der->buffer, der->length, NULL);
	if (wc_ParseCert(&certificate, CERT_TYPE, NO_VERIFY, NULL))
		good = refuse(verify, "a certificate of the %s's is malformed", peer_name(verify));
	else if (depth)
		good = !certificate.isCA || check_authority(verify, &certificate);
	else
		good = check_leaf(verify, &certificate);

	if (good && !depth && verify->peer_role == SIGNET_ROLE_SERVER)
		memcpy(verify->peer, verify->name->text, sizeof(verify->peer));
	else if (good && !depth)
		print_name(verify->peer, sizeof(verify->peer), certificate.subject,
			   strlen(certificate.subject));
	wc_FreeDecodedCert(&certificate);
	return good;
}

int signet_verify_certificate(int preverified, WOLFSSL_X509_STORE_CTX *store)
{
	struct signet_verify *verify = store->userCtx;

	verify->accepted = false;
	if (store->totalCerts > 1)
		verify->chained = true;
	if (!preverified || store->error)
		return refuse_error(verify, store->error, store->error_depth);
	/* The leaf comes last; the whole chain is at hand then. */
	if (store->error_depth)
		return 1;
	for (int depth = store->totalCerts - 1; depth >= 0; depth--) {
		if (!check_one(verify, &store->certs[depth], depth))
			return 0;
	}
	verify->accepted = true;
	return 1;
}

bool signet_verify_anchor(const unsigned char *der, unsigned int length)
{
	DecodedCert certificate;
	bool good;

	wc_InitDecodedCert(&certificate, der, length, NULL);
	good = !wc_ParseCert(&certificate, CA_TYPE, NO_VERIFY, NULL) && certificate.isCA &&
	       certificate.version == X509_VERSION_3 && certificate.subject[0];
	wc_FreeDecodedCert(&certificate);
	return good;
}
