// SPDX-License-Identifier: MIT
#include <signet.h>

#include <errno.h>
#include <string.h>

struct text {
	unsigned int number;
	const char *text;
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *find(const struct text *table, size_t count, unsigned int number)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].number == number)
			return table[i].text;
	}
	return NULL;
}

/* What an errno means where this project returns it, in data calls, options and handshakes. */
static const struct text errors[] = {
	{ 0, "no error" },
	{ E2BIG, "the structure is longer than the kernel's, and not zero there" },
	{ EACCES, "no permission to read the file" },
	{ EAGAIN, "the call would have to wait" },
	{ EALREADY, "a handshake is under way" },
	{ EBADF, "not an open file descriptor" },
	{ EBADFD, "somebody used the TCP socket behind the module's back" },
	{ EBADMSG,
	  "the peer sent a record that is not authentic or must not come now, or a flood" },
	{ EBUSY, "keys are installed already, a record is open, or a thread is inside the socket" },
	{ ECONNABORTED, "the peer closed without close_notify: data may be missing" },
	{ ECONNRESET, "the peer reset the connection" },
	{ EDQUOT, "this user has too many handshakes under way (net.signet.requests_max)" },
	{ EEXIST, "the socket has an upper layer protocol already" },
	{ EFAULT, "bad address" },
	{ EINVAL, "an argument is not valid here, or this is not a connected TCP socket" },
	{ EINPROGRESS, "the handshake is under way: poll for its end" },
	{ EINTR, "a signal came; the handshake goes on" },
	{ EIO, "the kernel's cipher failed, or with SOL_TLS a control record came" },
	{ EISCONN, "keys are installed already: there is no second handshake" },
	{ EKEYEXPIRED, "the key is used up: the cipher's limit, or with SOL_TLS a KeyUpdate" },
	{ EKEYREJECTED, "the certificate or key was refused" },
	{ EMSGSIZE, "a record, a text or what is to be read is longer than there may be room for" },
	{ ENOBUFS, "no memory for the notification of MSG_ZEROCOPY" },
	{ ENODATA, "the connection has nothing of that kind" },
	{ ENOENT, "signet.ko is not loaded, the kernel lacks the cipher, or no such file" },
	{ ENOMEM, "out of memory" },
	{ ENOPROTOOPT, "signet is not attached to this socket" },
	{ ENOTCONN, "the socket is not connected, or has no keys yet" },
	{ ENOTSOCK, "not a socket" },
	{ EOPNOTSUPP, "unknown TLS version or cipher suite, or one without this operation" },
	{ EPERM, "not permitted by the policy" },
	{ EPIPE, "sending is over: the connection is closed in this direction" },
	{ EPROTO, "the peer sent a fatal alert or broke the protocol" },
	{ EPROTONOSUPPORT, "a record header names another TLS version" },
	{ ETIMEDOUT, "the peer took too long" },
	{ EUNATCH, "no helper (signetd) serves this network namespace, or it ended" },
};

const char *signet_strerror(int error)
{
	const char *text;

	/* The most negative number has no positive one. */
	if (error < 0)
		error = error < -4095 ? 4096 : -error;
	text = find(errors, COUNT(errors), error);
	if (!text)
		text = strerrordesc_np(error);
	return text ? text : "unknown error";
}

static const struct text reasons[] = {
#define REASON_TEXT(name, number, text) { number, text },
	SIGNET_REASONS(REASON_TEXT)
#undef REASON_TEXT
};

const char *signet_reason_text(unsigned int reason)
{
	const char *text = find(reasons, COUNT(reasons), reason);

	return text ? text : "unknown reason";
}

static const struct text suites[] = {
#define SUITE(name) { SIGNET_##name, "TLS_" #name }
	SUITE(AES_128_GCM_SHA256),
	SUITE(AES_256_GCM_SHA384),
	SUITE(CHACHA20_POLY1305_SHA256),
	SUITE(AES_128_CCM_SHA256),
	SUITE(ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
	SUITE(ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
	SUITE(ECDHE_RSA_WITH_AES_128_GCM_SHA256),
	SUITE(ECDHE_RSA_WITH_AES_256_GCM_SHA384),
	SUITE(ECDHE_ECDSA_WITH_AES_128_CCM),
	SUITE(ECDHE_ECDSA_WITH_AES_256_CCM),
	SUITE(ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
	SUITE(ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
#undef SUITE
};

const char *signet_suite_name(unsigned int suite)
{
	const char *name = find(suites, COUNT(suites), suite);

	return name ? name : "unknown";
}

const char *signet_state_name(unsigned int state)
{
	switch (state) {
	case SIGNET_STATE_GATED:
		return "GATED";
	case SIGNET_STATE_HANDSHAKE:
		return "HANDSHAKE";
	case SIGNET_STATE_ESTABLISHED:
		return "ESTABLISHED";
	case SIGNET_STATE_CLOSED:
		return "CLOSED";
	case SIGNET_STATE_FAILED:
		return "FAILED";
	default:
		return "unknown";
	}
}

/* RFC 8446 B.2, with those that only older versions or extensions send. */
static const struct text alerts[] = {
	{ 0, "close_notify" },
	{ 10, "unexpected_message" },
	{ 20, "bad_record_mac" },
	{ 21, "decryption_failed" },
	{ 22, "record_overflow" },
	{ 30, "decompression_failure" },
	{ 40, "handshake_failure" },
	{ 41, "no_certificate" },
	{ 42, "bad_certificate" },
	{ 43, "unsupported_certificate" },
	{ 44, "certificate_revoked" },
	{ 45, "certificate_expired" },
	{ 46, "certificate_unknown" },
	{ 47, "illegal_parameter" },
	{ 48, "unknown_ca" },
	{ 49, "access_denied" },
	{ 50, "decode_error" },
	{ 51, "decrypt_error" },
	{ 60, "export_restriction" },
	{ 70, "protocol_version" },
	{ 71, "insufficient_security" },
	{ 80, "internal_error" },
	{ 86, "inappropriate_fallback" },
	{ 90, "user_canceled" },
	{ 100, "no_renegotiation" },
	{ 109, "missing_extension" },
	{ 110, "unsupported_extension" },
	{ 111, "certificate_unobtainable" },
	{ 112, "unrecognized_name" },
	{ 113, "bad_certificate_status_response" },
	{ 114, "bad_certificate_hash_value" },
	{ 115, "unknown_psk_identity" },
	{ 116, "certificate_required" },
	{ 117, "general_error" },
	{ 120, "no_application_protocol" },
	{ 121, "ech_required" },
};

const char *signet_alert_name(unsigned int description)
{
	const char *text = find(alerts, COUNT(alerts), description);

	return text ? text : "unknown";
}
