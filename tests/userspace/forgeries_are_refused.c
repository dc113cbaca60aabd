// SPDX-License-Identifier: GPL-3.0-or-later
/* Certificates that break the rules of their form, and any change to a good one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/handshake/certificate.h"
#include "../../userspace/handshake/path.h"
#include "forge.h"
#include "judge.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define YEARS "-not_before 20200101000000Z -not_after 20300101000000Z"
#define LONG_SERIAL "0x7f11223344556677889900112233445566778899"

static const struct recipe unusual_recipes[] = {
	{ "signs-certificates", "/CN=x", "ca",
	  NAMED "keyUsage=critical,digitalSignature,keyCertSign" },
	{ "serial-zero", "/CN=x", "ca", NAMED, "-set_serial 0 -days 9" },
	{ "serial-negative", "/CN=x", "ca", NAMED, "-set_serial -5 -days 9" },
	{ "serial-of-21", "/CN=x", "ca", NAMED, "-set_serial " LONG_SERIAL "00 -days 9" },
	{ "serial-of-20", "/CN=x", "ca", NAMED, "-set_serial " LONG_SERIAL " -days 9" },
	{ "nameless", "/", "ca", "basicConstraints=critical,CA:FALSE" },
	{ "not-critical-enough", "/", "ca", NAMED },
	{ "unknown-critical", "/CN=x", "ca", NAMED "1.2.3.4=critical,DER:0500" },
	{ "precertificate", "/CN=x", "ca", NAMED "1.3.6.1.4.1.11129.2.4.3=critical,DER:0500" },
	{ "points-critical", "/CN=x", "ca",
	  NAMED "crlDistributionPoints=critical,URI:http\\://x.example/" },
	{ "key-id-critical", "/CN=x", "ca", NAMED "subjectKeyIdentifier=critical,hash" },
	{ "issuer-id-critical", "/CN=x", "ca",
	  NAMED "authorityKeyIdentifier=critical,keyid:always" },
	{ "access-critical", "/CN=x", "ca",
	  NAMED "authorityInfoAccess=critical,OCSP;URI:http\\://x.example/" },
	{ "access", "/CN=x", "ca", NAMED "authorityInfoAccess=OCSP;URI:http\\://x.example/" },
	{ "access-malformed", "/CN=x", "ca", NAMED "authorityInfoAccess=DER:6d616c" },
	{ "policies-malformed", "/CN=x", "ca", NAMED "certificatePolicies=DER:3000" },
	{ "uses-empty", "/CN=x", "ca", NAMED "extendedKeyUsage=DER:3000" },
	{ "usage-malformed", "/CN=x", "ca", NAMED "keyUsage=DER:03020981" },
	{ "constraints-malformed", "/CN=x", "ca", NAMED "basicConstraints=DER:3003010101" },
	{ "names-empty", "/CN=x", "ca", "subjectAltName=DER:3000" },
	{ "names-malformed", "/CN=x", "ca", "subjectAltName=DER:300482056162" },
	{ "names-of-no-kind", "/CN=x", "ca", "subjectAltName=DER:30040c026162" },
	{ "name-constructed", "/CN=x", "ca",
	  "subjectAltName=DER:300fa20d160b64622e696e7465726e616c" },
	{ "name-universal", "/CN=x", "ca", "subjectAltName=DER:300d020b64622e696e7465726e616c" },
	{ "name-empty", "/CN=x", "ca", "subjectAltName=DER:30028200" },
	{ "name-not-ascii", "/CN=x", "ca", "subjectAltName=DER:30048202c3bc" },
	{ "name-with-nul", "/CN=x", "ca",
	  "subjectAltName=DER:3012821064622e696e7465726e616c002e6f7267" },
	{ "address-of-5", "/CN=x", "ca", "subjectAltName=DER:300787057f00000101" },
};

static const struct sending unusual_cases[] = {
	{ "one that signs certificates", "signs-certificates", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "is not a CA's, but its key is for signing certificates" },
	{ "serial number zero", "serial-zero", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a serial number that is not positive, or too long" },
	{ "a negative serial number", "serial-negative", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a serial number that is not positive, or too long" },
	{ "a serial number of 21 bytes", "serial-of-21", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a serial number that is not positive, or too long" },
	{ "a serial number of 20 bytes", "serial-of-20" },
	{ "no name at all", "nameless", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has neither subject nor alternative names" },
	{ "no subject", "not-critical-enough", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has no subject, but its alternative names are not critical" },
	{ "an unknown critical extension", "unknown-critical", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has an unknown critical extension" },
	{ "a precertificate", "precertificate", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has an unknown critical extension" },
	{ "critical distribution points", "points-critical", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has an unknown critical extension" },
	{ "a critical key identifier", "key-id-critical", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "critical subject key identifier" },
	{ "a critical identifier of the issuer's key", "issuer-id-critical", NULL, NULL,
	  FATAL_BAD_CERTIFICATE, "critical authority key identifier" },
	{ "critical information access", "access-critical", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "marks its authority information access as critical" },
	{ "information access", "access" },
	{ "malformed information access", "access-malformed", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed extension" },
	{ "no policy in a list", "policies-malformed", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed extension" },
	{ "no use in a list", "uses-empty", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed extension" },
	{ "a malformed key usage", "usage-malformed", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed extension" },
	{ "malformed basic constraints", "constraints-malformed", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed extension" },
	{ "no name in a list", "names-empty", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has malformed alternative names" },
	{ "a name that is cut", "names-malformed", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed alternative name" },
	{ "a name of no kind", "names-of-no-kind", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed alternative name" },
	{ "a name that is constructed", "name-constructed", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed alternative name" },
	{ "a name that is a number", "name-universal", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed alternative name" },
	{ "an empty name", "name-empty", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed alternative name" },
	{ "a name that is not ASCII", "name-not-ascii", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed alternative name" },
	{ "a name with a NUL", "name-with-nul", NULL, NULL, FATAL_BAD_CERTIFICATE,
	  "has a malformed alternative name" },
	{ "an address of 5 bytes", "address-of-5", NULL, "127.0.0.1", FATAL_BAD_CERTIFICATE,
	  "has a malformed alternative name" },
};

/* What wolfSSL would not send, or openssl would not make: judged without a handshake. */
static void recipes_are_judged(void)
{
	make_certificates(unusual_recipes, COUNT(unusual_recipes));
	judge_directly(unusual_cases, COUNT(unusual_cases));
}

static void keys_are_judged(void)
{
	static const struct recipe recipes[] = {
		{ "rsa-1024", "/CN=x", "ca", NAMED, NULL, "rsa:1024" },
		{ "rsa-2047", "/CN=x", "ca", NAMED, NULL, "rsa:2047" },
		{ "rsa-4096", "/CN=x", "ca", NAMED, NULL, "rsa:4096" },
		{ "rsa-4104", "/CN=x", "ca", NAMED, NULL, "rsa:4104" },
		{ "rsa-3", "/CN=x", "ca", NAMED, NULL, "rsa:2048 -pkeyopt rsa_keygen_pubexp:3" },
		{ "rsa-pss", "/CN=x", "ca", NAMED, NULL, "rsa-pss -pkeyopt rsa_keygen_bits:2048" },
		{ "p192", "/CN=x", "ca", NAMED, NULL, "ec -pkeyopt ec_paramgen_curve:P-192" },
		{ "p224", "/CN=x", "ca", NAMED, NULL, "ec -pkeyopt ec_paramgen_curve:P-224" },
		{ "koblitz", "/CN=x", "ca", NAMED, NULL,
		  "ec -pkeyopt ec_paramgen_curve:secp256k1" },
		{ "explicit", "/CN=x", "ca", NAMED, NULL,
		  "ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit" },
		{ "ed448", "/CN=x", "ca", NAMED, NULL, "ed448" },
		{ "ml-dsa-44", "/CN=x", "ca", NAMED, NULL, "ml-dsa-44" },
		{ "ml-dsa-87", "/CN=x", "ca", NAMED, NULL, "ml-dsa-87" },
		{ "pss-ca", "/CN=PSS CA", "ca", CA, NULL, "rsa-pss -pkeyopt rsa_keygen_bits:2048" },
		{ "below-pss", "/CN=x", "pss-ca", NAMED },
		{ "ml-dsa-87-ca", "/CN=ML-DSA CA", NULL, CA, NULL, "ml-dsa-87" },
		{ "below-ml-dsa-87", "/CN=x", "ml-dsa-87-ca", NAMED },
		{ "ed448-ca", "/CN=Ed448 CA", "ca", CA, NULL, "ed448" },
		{ "below-ed448", "/CN=x", "ed448-ca", NAMED },
		{ "rsa-4096-ca", "/CN=RSA CA", "ca", CA, NULL, NULL, "rsa-4096" },
		{ "below-rsa-4096", "/CN=x", "rsa-4096-ca", NAMED },
	};
	static const struct forgery forgeries[] = {
		{ "rsa-1", "rsa-3", "ca", "020103", "020101" },
		{ "rsa-2", "rsa-3", "ca", "020103", "020102" },
		{ "rsa-0", "rsa-3", "ca", "020103", "020100" },
		{ "rsa-minus-1", "rsa-3", "ca", "020103", "0201ff" },
		{ "compressed", "server", "ca", "03420004", "03420002" },
		{ "with-parameters", "ml-dsa-44", "ca", "300b0609608648016503040311",
		  "300b0609608648016503040312" },
	};
	static const struct sending cases[] = {
		{ "RSA of 1024 bits", "rsa-1024", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has too short a key: RSA below 2048 bits" },
		{ "RSA of 2047 bits", "rsa-2047", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has too short a key: RSA below 2048 bits" },
		{ "RSA of 4096 bits", "rsa-4096" },
		{ "RSA of 4104 bits", "rsa-4104", NULL, NULL, FATAL_UNSUPPORTED_CERTIFICATE,
		  "has too long a key: RSA above 4096 bits" },
		{ "RSA with exponent 3", "rsa-3" },
		{ "RSA with exponent 1", "rsa-1", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has an RSA key with a useless exponent" },
		{ "RSA with exponent 2", "rsa-2", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has an RSA key that is even" },
		{ "RSA with exponent 0", "rsa-0", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a malformed public key" },
		{ "RSA with exponent -1", "rsa-minus-1", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a malformed public key" },
		{ "RSA for PSS", "rsa-pss" },
		{ "P-192", "p192", NULL, NULL, FATAL_BAD_CERTIFICATE, "on another curve" },
		{ "P-224", "p224", NULL, NULL, FATAL_BAD_CERTIFICATE, "on another curve" },
		{ "secp256k1", "koblitz", NULL, NULL, FATAL_BAD_CERTIFICATE, "on another curve" },
		{ "a curve that the certificate spells out", "explicit", NULL, NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE, "has a key on a curve without a name" },
		{ "a compressed point", "compressed", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a malformed public key" },
		{ "Ed448", "ed448", NULL, NULL, FATAL_UNSUPPORTED_CERTIFICATE,
		  "has a key of an unsupported kind" },
		{ "ML-DSA-44", "ml-dsa-44" },
		{ "ML-DSA-87", "ml-dsa-87" },
		{ "ML-DSA of the wrong length", "with-parameters", NULL, NULL,
		  FATAL_BAD_CERTIFICATE, "has a malformed public key" },
		{ "one below RSA for PSS", "below-pss pss-ca" },
		{ "one below ML-DSA-87", "below-ml-dsa-87", "ml-dsa-87-ca" },
		{ "one below RSA of 4096 bits", "below-rsa-4096 rsa-4096-ca" },
		{ "one below Ed448", "below-ed448 ed448-ca", NULL, NULL,
		  FATAL_UNSUPPORTED_CERTIFICATE,
		  "a certificate above the server's has a key of an unsupported kind: /CN=Ed448" },
	};

	make_certificates(recipes, COUNT(recipes));
	for (size_t i = 0; i < COUNT(forgeries); i++)
		forge(&forgeries[i]);
	judge_directly(cases, COUNT(cases));
}

static void forgeries_are_judged(void)
{
	static const struct recipe recipes[] = {
		{ "base", "/CN=x", "ca",
		  NAMED "1.2.3.4=DER:0500\n1.2.3.5=DER:0500\nbasicConstraints=critical,CA:FALSE",
		  YEARS },
	};
	static const struct forgery forgeries[] = {
		{ "as-it-was", "base", "ca", "06032a0305", "06032a0305" },
		{ "twice", "base", "ca", "06032a0305", "06032a0304" },
		{ "v2", "base", "ca", "a003020102", "a003020101" },
		{ "v4", "base", "ca", "a003020102", "a003020103" },
		{ "v-negative", "base", "ca", "a003020102", "a0030201fe" },
		{ "other-algorithm", "base", NULL, "06082a8648ce3d040302", "06082a8648ce3d040303" },
		{ "no-zulu", "base", "ca", "3030305a170d", "30303030170d" },
		{ "no-month", "base", "ca", "170d323030313031", "170d323031333031" },
		{ "no-day", "base", "ca", "170d323030313031", "170d323030323330" },
		{ "no-second", "base", "ca", "3030303030305a170d", "3030303036305a170d" },
		{ "backwards", "base", "ca", "170d333030313031", "170d313930313031" },
		{ "half-true", "base", "ca", "0603551d130101ff", "0603551d13010101" },
		{ "long-form", "base", "ca", "06032a0304", "068101ff04" },
	};
	static const struct sending cases[] = {
		{ "one that was signed again", "as-it-was" },
		{ "an extension that occurs twice", "twice", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has an extension twice" },
		{ "X.509 version 2", "v2", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "is not of X.509 version 3" },
		{ "X.509 version 4", "v4", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "is not of X.509 version 3" },
		{ "a negative version", "v-negative", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "is malformed" },
		{ "two signature algorithms", "other-algorithm", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "names two different signature algorithms" },
		{ "a time without zone", "no-zulu", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a malformed validity" },
		{ "a thirteenth month", "no-month", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a malformed validity" },
		{ "a thirtieth of February", "no-day", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a malformed validity" },
		{ "a sixtieth second", "no-second", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a malformed validity" },
		{ "an end before the beginning", "backwards", NULL, NULL, FATAL_CERTIFICATE_EXPIRED,
		  "ends before it begins" },
		{ "a truth value that is neither", "half-true", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a malformed extension" },
		{ "a length in too many bytes", "long-form", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "has a malformed extension" },
	};

	make_certificates(recipes, COUNT(recipes));
	for (size_t i = 0; i < COUNT(forgeries); i++)
		forge(&forgeries[i]);
	judge_directly(cases, COUNT(cases));
}

/* Junk that is not needed does no harm; junk in the first place does. */
static void junk_is_judged(void)
{
	static const struct sending cases[] = {
		{ "one with junk behind it", "server junk nothing" },
		{ "one with a certificate that breaks the rules behind it", "server twice" },
		{ "junk", "junk server", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "the server's certificate is malformed" },
		{ "nothing", "nothing server", NULL, NULL, FATAL_BAD_CERTIFICATE,
		  "the server's certificate is malformed" },
	};

	write_certificate("junk", (const unsigned char *)"junk", 4);
	write_certificate("nothing", (const unsigned char *)"", 0);
	judge_directly(cases, COUNT(cases));
}

/* Whether "ca" leads to what is now in @der. */
static bool is_accepted(const struct signet_trust *trust, const unsigned char *der, size_t length)
{
	struct signet_certificate certificate;
	struct signet_path path = {
		.sent = &certificate,
		.sent_count = 1,
		.trust = trust,
		.purpose = SIGNET_PURPOSE_SERVER,
		.now = 1900000000,
	};
	unsigned char *exact = malloc(length + !length);
	bool accepted;

	/* In memory of its own, so that a sanitizer sees a read behind its end. */
	if (!exact)
		bail("no memory");
	memcpy(exact, der, length);
	accepted = signet_certificate_parse(&certificate, exact, length) && !certificate.fault &&
		   signet_path_find(&path);
	free(exact);
	return accepted;
}

static void every_change_is_found(const struct signet_trust *trust, const unsigned char *good,
				  size_t length)
{
	unsigned int accepted = 0, edits = 20000, seed = 20260101;
	unsigned char der[FORGE_MAX];

	for (size_t i = 0; i < length; i++)
		accepted += is_accepted(trust, good, i);
	ok(!accepted, "no part of a certificate is one: %u of %zu", accepted, length);

	memcpy(der, good, length);
	for (size_t bit = 0; bit < 8 * length; bit++) {
		der[bit / 8] ^= 1 << bit % 8;
		accepted += is_accepted(trust, der, length);
		der[bit / 8] ^= 1 << bit % 8;
	}
	ok(!accepted, "no bit of a certificate can be changed: %u of %zu", accepted, 8 * length);

	for (unsigned int i = 0; i < edits; i++) {
		memcpy(der, good, length);
		for (int n = 1 + rand_r(&seed) % 4; n; n--)
			der[rand_r(&seed) % length] =
				rand_r(&seed) % 3 ? rand_r(&seed) : good[rand_r(&seed) % length];
		accepted += memcmp(der, good, length) && is_accepted(trust, der, length);
	}
	ok(!accepted, "nor can several bytes: %u of %u times", accepted, edits);
}

static void changes_are_found(void)
{
	static unsigned char der[FORGE_MAX];
	struct signet_trust trust = { 0 };
	size_t length;

	make_certificate(&(struct recipe){
		"lasting-ca", "/CN=Lasting", NULL,
		CA "nameConstraints=critical,permitted;DNS:internal,excluded;IP:10.0.0.0/255.0.0.0",
		"-not_before 20200101000000Z -not_after 20910101000000Z" });
	make_certificate(&(struct recipe){
		"lasting", "/O=Test/CN=x", "lasting-ca",
		NAMED "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
		      "extendedKeyUsage=serverAuth,clientAuth\ncertificatePolicies=1.2.3.4",
		"-not_before 20200101000000Z -not_after 20910101000000Z" });
	length = read_certificate("lasting-ca", der, sizeof(der));
	if (signet_trust_add(&trust, der, length, false))
		bail("no anchor");
	length = read_certificate("lasting", der, sizeof(der));
	ok(is_accepted(&trust, der, length), "a certificate of %zu bytes is good", length);
	every_change_is_found(&trust, der, length);
	signet_trust_clear(&trust);
}

int main(void)
{
	judge_begin();
	recipes_are_judged();
	keys_are_judged();
	forgeries_are_judged();
	junk_is_judged();
	changes_are_found();
	return judge_end();
}
