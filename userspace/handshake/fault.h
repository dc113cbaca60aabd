/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wrong with a certificate: the rule in words, and the alert that it is refused with. */
#ifndef SIGNET_HANDSHAKE_FAULT_H
#define SIGNET_HANDSHAKE_FAULT_H

/* RFC 8446 6.2. */
enum signet_certificate_alert {
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_UNSUPPORTED_CERTIFICATE = 43,
	ALERT_CERTIFICATE_EXPIRED = 45,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
	ALERT_INTERNAL_ERROR = 80,
};

/**
 * struct signet_fault - a rule that a certificate breaks
 * @alert:	that a refusal for it sends
 * @text:	goes on from "the server's certificate ..."
 */
struct signet_fault {
	enum signet_certificate_alert alert;
	const char *text;
};

/* A pointer to a fault; functions that judge return one, or NULL when all is well. */
#define FAULT(alert_, text_)                                                                      \
	({                                                                                        \
		static const struct signet_fault fault_ = { .alert = (alert_), .text = (text_) }; \
		&fault_;                                                                          \
	})

#endif
