// SPDX-License-Identifier: GPL-3.0-or-later
/* Every errno, reason, suite, state and alert that the headers name has a text of its own. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <signet.h>

#include "tap.h"

static void errnos_have_texts(void)
{
	static const int documented[] = {
		ENOTCONN,     EPIPE,	   ECONNABORTED,    ECONNRESET,	 EPROTO,
		EBADMSG,      EMSGSIZE,	   EPROTONOSUPPORT, EKEYEXPIRED, EBADFD,
		ENOMEM,	      EINVAL,	   E2BIG,	    EOPNOTSUPP,	 ENOENT,
		EBUSY,	      EFAULT,	   EEXIST,	    ENOPROTOOPT, EACCES,
		EKEYREJECTED, ETIMEDOUT,   EPERM,	    ENODATA,	 ENOBUFS,
		EIO,	      EAGAIN,	   EUNATCH,	    EDQUOT,	 EALREADY,
		EISCONN,      EINPROGRESS, EINTR,
	};
	const size_t count = sizeof(documented) / sizeof(documented[0]);
	bool own = true, distinct = true, negative = true;

	for (size_t i = 0; i < count; i++) {
		const char *text = signet_strerror(documented[i]);

		own &= documented[i] == ENOMEM || documented[i] == EFAULT ||
		       strcmp(text, strerrordesc_np(documented[i]));
		negative &= text == signet_strerror(-documented[i]);
		for (size_t j = 0; j < i; j++)
			distinct &= !!strcmp(text, signet_strerror(documented[j]));
	}
	ok(own, "documented errnos have texts of the project's own");
	ok(distinct, "no two errnos share a text");
	ok(negative, "the sign of an errno does not matter");
}

static void any_number_has_a_text(void)
{
	static const int odd[] = { INT_MIN, INT_MAX, -4096, 4096, 133, 134, 524 };
	bool named = true;

	for (int i = -300; i <= 300; i++) {
		named &= signet_strerror(i) && *signet_strerror(i);
		named &= signet_reason_text(i) && *signet_reason_text(i);
		named &= signet_suite_name(i) && *signet_suite_name(i);
		named &= signet_state_name(i) && *signet_state_name(i);
		named &= signet_alert_name(i) && *signet_alert_name(i);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		named &= signet_strerror(odd[i]) && *signet_strerror(odd[i]);
	ok(named, "any number at all has a text");
	ok(!strcmp(signet_strerror(INT_MIN), "unknown error"), "unknown errors are called that");
}

static void reasons_have_texts(void)
{
	static const struct {
		unsigned int number;
		const char *name, *text;
	} reasons[] = {
#define REASON(name, number, text) { number, #name, text },
		SIGNET_REASONS(REASON)
#undef REASON
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		ok(!strcmp(signet_reason_text(reasons[i].number), reasons[i].text),
		   "reason %u (%s) has its text", reasons[i].number, reasons[i].name);
	ok(!strcmp(signet_reason_text(12), "unknown reason"), "reason 12 went and left no text");
	ok(!strcmp(signet_reason_text(UINT_MAX), "unknown reason"), "an unknown reason is one");
}

static void names_are_the_standards(void)
{
	/* https://www.iana.org/assignments/tls-parameters */
	static const struct {
		unsigned int number;
		const char *name;
	} suites[] = {
		{ 0x1301, "TLS_AES_128_GCM_SHA256" },
		{ 0x1302, "TLS_AES_256_GCM_SHA384" },
		{ 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
		{ 0x1304, "TLS_AES_128_CCM_SHA256" },
		{ 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
		{ 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
		{ 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
		{ 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
		{ 0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM" },
		{ 0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM" },
		{ 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
		{ 0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
	};
	size_t known = 0;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		ok(!strcmp(signet_suite_name(suites[i].number), suites[i].name), "suite %#x is %s",
		   suites[i].number, suites[i].name);
	for (unsigned int suite = 0; suite <= 0x10000; suite++)
		known += !!strcmp(signet_suite_name(suite), "unknown");
	ok(known == sizeof(suites) / sizeof(suites[0]), "and no other is known");
	for (int state = SIGNET_STATE_GATED; state <= SIGNET_STATE_FAILED; state++)
		ok(strcmp(signet_state_name(state), "unknown"), "state %d is %s", state,
		   signet_state_name(state));
	ok(!strcmp(signet_state_name(0), "unknown"), "state 0 is unknown");
}

static void alerts_have_names(void)
{
	/* RFC 8446 6, and RFC 7301 for the last. */
	static const unsigned char used[] = { 0,  10, 20,  22,	40,  42,  43,  44,  45,
					      46, 47, 48,  49,	50,  51,  70,  71,  80,
					      86, 90, 109, 110, 112, 113, 115, 116, 120 };
	bool named = true;

	for (size_t i = 0; i < sizeof(used); i++)
		named &= !!strcmp(signet_alert_name(used[i]), "unknown");
	ok(named, "all alerts of TLS 1.3 have names");
	ok(!strcmp(signet_alert_name(0), "close_notify"), "alert 0 is close_notify");
	ok(!strcmp(signet_alert_name(48), "unknown_ca"), "alert 48 is unknown_ca");
	ok(!strcmp(signet_alert_name(255), "unknown"), "alert 255 is unknown");
}

int main(void)
{
	tap_begin();
	errnos_have_texts();
	any_number_has_a_text();
	reasons_have_texts();
	names_are_the_standards();
	alerts_have_names();
	return tap_end();
}
