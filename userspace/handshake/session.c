// SPDX-License-Identifier: GPL-3.0-or-later
#include "session.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "secret.h"
#include "suite.h"

#define LIFETIME_MAX_MS (SIGNET_TICKET_LIFETIME_MAX * INT64_C(1000))

/* Blobs say which format they have: they may outlive the program that made them. */
#define BLOB_VERSION 2
#define BLOB_HEADER (1 + 2 + 1)
#define BLOB_TRAILER (8 + SIGNET_BINDING_SIZE + 1)

/*
 * wolfSSL's serialised session (wolfSSL_i2d_SSL_SESSION() of 5.9.2) in the build of
 * scripts/build-wolfssl. Everything in it that we have no use for is empty.
 */
#define SERIAL_SECRET_LEN 48
#define SERIAL_BINDINGS_LEN 64
#define SERIAL_ID_LEN_AT 9
#define SERIAL_SECRET_AT 10
#define SERIAL_EMPTY 147
/* With a resumed session's ticket in it. */
#define SERIAL_MAX 8192

/**
 * struct signet_session - in memory for secrets
 * @size:	of the whole allocation
 * @suite:	of the connection that the ticket came by
 * @verified:	see struct signet_resumption
 * @expires:	in milliseconds of CLOCK_REALTIME
 * @policy:	what it may be used for
 * @spiffe:	see struct signet_resumption
 * @length:	of @serial
 * @serial:	for wolfSSL
 */
struct signet_session {
	size_t size;
	unsigned int suite;
	int64_t verified;
	int64_t expires;
	unsigned char policy[SIGNET_BINDING_SIZE];
	char spiffe[SIGNET_STRING_MAX + 1];
	size_t length;
	unsigned char serial[];
};

/**
 * struct ticket - a NewSessionTicket's members (RFC 8446 4.6.1), in place
 * @lifetime:	in seconds
 * @age_add:	obfuscates its age
 * @nonce:	up to 255 bytes
 * @nonce_len:	of @nonce
 * @identity:	what the server is shown
 * @identity_len: of @identity
 */
struct ticket {
	uint32_t lifetime;
	uint32_t age_add;
	const unsigned char *nonce;
	size_t nonce_len;
	const unsigned char *identity;
	size_t identity_len;
};

int64_t signet_session_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static unsigned char *put(unsigned char *to, uint64_t value, size_t bytes)
{
	while (bytes--)
		*to++ = value >> 8 * bytes;
	return to;
}

static unsigned char *put_bytes(unsigned char *to, const void *bytes, size_t length)
{
	memcpy(to, bytes, length);
	return to + length;
}

static uint64_t get(const unsigned char *from, size_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *from++;
	return value;
}

/* A library of another build has another layout; then nothing is resumed. */
static bool layout_is_known;

static void check_layout(void)
{
	WOLFSSL_SESSION *session = wolfSSL_SESSION_new();

	layout_is_known = session && wolfSSL_i2d_SSL_SESSION(session, NULL) == SERIAL_EMPTY;
	wolfSSL_SESSION_free(session);
}

static bool can_resume(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, check_layout);
	return layout_is_known;
}

void signet_session_policy(unsigned char policy[SIGNET_BINDING_SIZE],
			   const struct signet_config *config, const struct signet_name *name)
{
	unsigned char text[SIGNET_BINDING_SIZE + SIGNET_NAME_MAX];
	size_t length = put_bytes(text, config->binding, sizeof(config->binding)) - text;

	for (size_t i = 0; i < name->length; i++) {
		char c = name->text[i];

		text[length++] = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
	}
	if (wc_Sha256Hash(text, length, policy))
		memset(policy, 0, SIGNET_BINDING_SIZE);
}

bool signet_resumption_take(struct signet_resumption *resumption, WOLFSSL *ssl)
{
	const struct signet_suite *suite = signet_suite_find(resumption->suite);
	unsigned char serial[SERIAL_MAX], *to = serial;
	WOLFSSL_SESSION *session;
	int size;

	if (!can_resume() || !suite || suite->version != SIGNET_TLS_1_3)
		return false;
	session = wolfSSL_get1_session(ssl);
	if (!session)
		return false;
	size = wolfSSL_i2d_SSL_SESSION(session, NULL);
	if (size >= SERIAL_EMPTY && size <= SERIAL_MAX) {
		wolfSSL_i2d_SSL_SESSION(session, &to);
		resumption->secret_len = suite->hash_len;
		memcpy(resumption->secret, serial + SERIAL_SECRET_AT + serial[SERIAL_ID_LEN_AT],
		       suite->hash_len);
		explicit_bzero(serial, sizeof(serial));
	}
	wolfSSL_SESSION_free(session);
	return resumption->secret_len > 0;
}

size_t signet_resumption_pack(const struct signet_resumption *resumption, unsigned char *blob)
{
	unsigned char *to = blob;

	to = put(to, BLOB_VERSION, 1);
	to = put(to, resumption->suite, 2);
	to = put(to, resumption->secret_len, 1);
	to = put_bytes(to, resumption->secret, resumption->secret_len);
	to = put(to, resumption->verified, 8);
	to = put_bytes(to, resumption->policy, sizeof(resumption->policy));
	to = put(to, strlen(resumption->spiffe), 1);
	to = put_bytes(to, resumption->spiffe, strlen(resumption->spiffe));
	return to - blob;
}

static int unpack(struct signet_resumption *resumption, const unsigned char *blob, size_t length)
{
	const struct signet_suite *suite;

	if (!blob || length < BLOB_HEADER || blob[0] != BLOB_VERSION)
		return -EINVAL;
	resumption->suite = get(blob + 1, 2);
	resumption->secret_len = blob[3];
	suite = signet_suite_find(resumption->suite);
	if (!suite || suite->version != SIGNET_TLS_1_3 ||
	    resumption->secret_len != suite->hash_len ||
	    length < BLOB_HEADER + resumption->secret_len + BLOB_TRAILER)
		return -EINVAL;
	length -= BLOB_HEADER + resumption->secret_len + BLOB_TRAILER;
	blob += BLOB_HEADER;
	memcpy(resumption->secret, blob, resumption->secret_len);
	blob += resumption->secret_len;
	resumption->verified = get(blob, 8);
	memcpy(resumption->policy, blob + 8, sizeof(resumption->policy));
	blob += BLOB_TRAILER;
	if (length != blob[-1])
		return -EINVAL;
	memcpy(resumption->spiffe, blob, length);
	resumption->spiffe[length] = '\0';
	return 0;
}

/* Lifetime and age_add; nonce<0..255>; ticket<1..2^16-1>; extensions<0..2^16-2>. */
static bool parse(struct ticket *ticket, const unsigned char *from, size_t length)
{
	const unsigned char *limit = from + length;

	if (!from || length < 4 + 4 + 1)
		return false;
	ticket->lifetime = get(from, 4);
	ticket->age_add = get(from + 4, 4);
	ticket->nonce_len = from[8];
	ticket->nonce = from + 9;
	from = ticket->nonce;
	if ((size_t)(limit - from) < ticket->nonce_len + 2)
		return false;
	from += ticket->nonce_len;
	ticket->identity_len = get(from, 2);
	ticket->identity = from + 2;
	from = ticket->identity;
	if (!ticket->identity_len || (size_t)(limit - from) < ticket->identity_len + 2)
		return false;
	from += ticket->identity_len;
	return (size_t)(limit - from) == 2 + get(from, 2);
}

static void serialise(struct signet_session *session, const struct signet_resumption *resumption,
		      const struct ticket *ticket, int64_t arrived)
{
	unsigned char *to = session->serial;

	to = put(to, WOLFSSL_CLIENT_END, 1);
	to = put(to, arrived / 1000, 4);
	to = put(to, (session->expires - arrived) / 1000, 4);
	to = put(to, 0, 1); /* session id */
	memset(to, 0, SERIAL_SECRET_LEN);
	memcpy(to, resumption->secret, resumption->secret_len);
	to += SERIAL_SECRET_LEN;
	to = put(to, 1, 1); /* extended master secret: of older versions */
	to = put(to, 0, 1); /* another session id */
	to = put(to, SIGNET_TLS_1_3, 2);
	to = put(to, resumption->suite, 2);
	to = put(to, 0, 2); /* server id */
	to = put(to, 0, 2); /* group: any of the configuration's */
	to = put(to, arrived, 8);
	to = put(to, ticket->age_add, 4);
	to = put(to, ticket->nonce_len, 1);
	to = put_bytes(to, ticket->nonce, ticket->nonce_len);
	to = put(to, ticket->identity_len, 2);
	to = put_bytes(to, ticket->identity, ticket->identity_len);
	memset(to, 0, SERIAL_BINDINGS_LEN); /* a server's */
	session->length = to + SERIAL_BINDINGS_LEN - session->serial;
}

/* Both the server's limit and ours: seven days for a ticket, and for all that came of one proof. */
static int64_t expiry(const struct signet_resumption *resumption, const struct ticket *ticket,
		      int64_t arrived)
{
	int64_t by_ticket = arrived + ticket->lifetime * INT64_C(1000);
	int64_t by_proof = resumption->verified + LIFETIME_MAX_MS;

	/* RFC 8446 4.6.1: MUST NOT be longer than seven days. */
	if (by_ticket > arrived + LIFETIME_MAX_MS)
		by_ticket = arrived + LIFETIME_MAX_MS;
	return by_ticket < by_proof ? by_ticket : by_proof;
}

static struct signet_session *new_session(const struct signet_resumption *resumption,
					  const struct ticket *ticket, int64_t arrived)
{
	struct signet_session *session;
	size_t size = sizeof(*session) + SERIAL_EMPTY + ticket->nonce_len + ticket->identity_len;

	session = signet_secret_alloc(size);
	if (!session)
		return NULL;
	session->size = size;
	session->suite = resumption->suite;
	session->verified = resumption->verified;
	session->expires = expiry(resumption, ticket, arrived);
	memcpy(session->policy, resumption->policy, sizeof(session->policy));
	memcpy(session->spiffe, resumption->spiffe, sizeof(session->spiffe));
	serialise(session, resumption, ticket, arrived);
	return session;
}

int signet_session_new(const void *blob, size_t blob_len, const void *ticket, size_t ticket_len,
		       int64_t arrived, struct signet_session **session)
{
	struct signet_resumption resumption;
	struct ticket parsed;
	int ret;

	*session = NULL;
	ret = can_resume() ? unpack(&resumption, blob, blob_len) : -EINVAL;
	if (ret)
		return ret;
	if (!parse(&parsed, ticket, ticket_len))
		ret = -EBADMSG;
	else if (arrived < 0 || expiry(&resumption, &parsed, arrived) <= signet_session_now())
		ret = -EKEYEXPIRED;
	else
		*session = new_session(&resumption, &parsed, arrived);
	explicit_bzero(&resumption, sizeof(resumption));
	if (ret)
		return ret;
	return *session ? 0 : -ENOMEM;
}

void signet_session_free(struct signet_session *session)
{
	if (session)
		signet_secret_free(session, session->size);
}

int64_t signet_session_expires(const struct signet_session *session)
{
	return session->expires;
}

unsigned int signet_session_suite(const struct signet_session *session)
{
	return session->suite;
}

int64_t signet_session_verified(const struct signet_session *session)
{
	return session->verified;
}

const char *signet_session_spiffe(const struct signet_session *session)
{
	return session->spiffe;
}

bool signet_session_fits(const struct signet_session *session,
			 const unsigned char policy[SIGNET_BINDING_SIZE])
{
	return !memcmp(session->policy, policy, SIGNET_BINDING_SIZE) &&
	       session->expires > signet_session_now();
}

int signet_session_use(const struct signet_session *session, WOLFSSL *ssl,
		       const unsigned char policy[SIGNET_BINDING_SIZE])
{
	const unsigned char *serial = session->serial;
	WOLFSSL_SESSION *used;
	int ret;

	if (memcmp(session->policy, policy, SIGNET_BINDING_SIZE))
		return -EPERM;
	if (session->expires <= signet_session_now())
		return -EKEYEXPIRED;
	used = wolfSSL_d2i_SSL_SESSION(NULL, &serial, session->length);
	if (!used)
		return -ENOMEM;
	ret = wolfSSL_set_session(ssl, used) == WOLFSSL_SUCCESS ? 0 : -EKEYEXPIRED;
	wolfSSL_SESSION_free(used);
	return ret;
}
