/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libsignet-handshake: complete a TLS 1.3 handshake in this process, verify the
 * peer, and hand the connection to signet.ko.
 *
 * A program that links it is a GPL-3.0-or-later work, because wolfSSL is.
 *
 *	struct signet_config *config;
 *	struct signet_result result;
 *
 *	signet_config_new(SIGNET_ROLE_CLIENT, &config);
 *	signet_config_ca_file(config, "ca.pem");
 *	if (signet_connect(config, fd, "db.internal", &result) < 0)
 *		errx(1, "%s", result.text);
 *	send(fd, ...);
 *
 * An event loop takes the same handshake step by step: struct signet_handshake.
 *
 * A configuration may be shared by threads once it is complete: what may still be
 * called then says so. A failed handshake leaves the socket unusable: close it.
 */
#ifndef SIGNET_HANDSHAKE_H
#define SIGNET_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <signet.h>

#ifdef __cplusplus
extern "C" {
#endif

struct signet_config;
struct signet_handshake;
struct signet_session;

#define SIGNET_TEXT_MAX 256
#define SIGNET_NAME_MAX 256
/* A protocol's name of RFC 7301 3.1, with a NUL behind it. */
#define SIGNET_ALPN_MAX 256

/**
 * struct signet_result - how a handshake went
 * @error:	0, or the negative errno that the call returned
 * @alert:	alert that ended it, level << 8 | description, 0 for none
 * @alert_received: the peer has sent it, not this side
 * @version:	TLS version, SIGNET_TLS_1_3 or SIGNET_TLS_1_2
 * @suite:	IANA number of the cipher suite
 * @resumed:	an earlier session was resumed: no certificates were exchanged,
 *		@peer is what was verified for that session
 * @group:	name of the key exchange group
 * @peer:	verified name of the peer: the server name that was asked for; of a
 *		client certificate the SPIFFE id, else the first DNS name, else the
 *		subject, as "/O=Test/CN=a client"; "" for none
 * @server_name: the name that the client asked for (RFC 6066 3), also after a
 *		failure, as far as it came; "" for none
 * @alpn:	the protocol that was agreed on (RFC 7301); "" for none
 * @text:	the failure in words, "" on success
 */
struct signet_result {
	int error;
	unsigned int alert;
	bool alert_received;
	unsigned int version;
	unsigned int suite;
	bool resumed;
	char group[32];
	char peer[SIGNET_NAME_MAX];
	char server_name[SIGNET_NAME_MAX];
	char alpn[SIGNET_ALPN_MAX];
	char text[SIGNET_TEXT_MAX];
};

/**
 * signet_config_new - an empty configuration
 * @role:	SIGNET_ROLE_CLIENT or SIGNET_ROLE_SERVER
 * @config:	filled in
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int signet_config_new(enum signet_role role, struct signet_config **config);

/*
 * Gives up what signet_config_new() made. It goes, and its private keys are wiped,
 * with the last handshake that uses it. NULL is fine.
 */
void signet_config_free(struct signet_config *config);

/**
 * signet_config_ca_file - trust the certificates of a PEM file
 *
 * A client without any trusts nobody; a server with one demands a client
 * certificate, unless signet_config_client_auth() says otherwise.
 *
 * Certificates in it that may issue none now (expired, not a CA's, against a
 * rule of libsignet-handshake(3)) are passed over.
 *
 * Return: 0, -ENOENT, -EACCES, -EINVAL when there is no certificate in it, or
 * -EKEYREJECTED when there is none but such.
 */
int signet_config_ca_file(struct signet_config *config, const char *path);

/*
 * Client: trust the system's certificates (/etc/ssl/certs). What they have issued
 * must say that it is for TLS servers. Same errors.
 */
int signet_config_ca_system(struct signet_config *config);

/* Beside the modes of <linux/signet.h>: no certificate is asked for. */
#define SIGNET_CLIENT_AUTH_NONE 0

/**
 * signet_config_client_auth - whether clients present certificates
 *
 * Of a server. Without this call: required once a CA is configured, else none.
 *
 * Sessions are resumed only where this is none: a resumed session presents no
 * certificate, so one who must present one makes a full handshake each time.
 *
 * Return: 0, or -EINVAL for a client's configuration or an unknown mode.
 */
int signet_config_client_auth(struct signet_config *config, enum signet_client_auth mode);

/**
 * signet_config_certificate - this side's certificate chain and private key
 * @chain:	PEM file, leaf first
 * @key:	PEM file, not encrypted
 *
 * A client has one: a further call replaces it.
 *
 * A server may have up to SIGNET_CERTIFICATES_MAX: each serves the DNS names of
 * its leaf's subject alternative names. Of those that serve the name that a
 * client asks for, the first whose key fits the signature algorithms of the
 * client is taken; so one of ECDSA and one of RSA may stand for the same names.
 * The first one is the default, for clients that ask for no name, or for an
 * unknown one (see signet_config_strict_names()), and with it those that serve
 * the same names.
 *
 * Return: 0, -ENOENT, -EACCES, -EINVAL when a file cannot be understood,
 * -EKEYREJECTED when the key is not the certificate's or of an unknown kind, or
 * -ENOSPC when there are too many.
 */
int signet_config_certificate(struct signet_config *config, const char *chain, const char *key);

#define SIGNET_CERTIFICATES_MAX 1024

/* TLS SignatureScheme numbers (RFC 8446 4.2.3) that a signer is asked for. */
#define SIGNET_RSA_PKCS1_SHA256 0x0401 /* TLS 1.2 only, as the next two */
#define SIGNET_RSA_PKCS1_SHA384 0x0501
#define SIGNET_RSA_PKCS1_SHA512 0x0601
#define SIGNET_ECDSA_SHA256 0x0403
#define SIGNET_ECDSA_SHA384 0x0503
#define SIGNET_ECDSA_SHA512 0x0603
#define SIGNET_RSA_PSS_SHA256 0x0804 /* salt as long as the hash */
#define SIGNET_RSA_PSS_SHA384 0x0805
#define SIGNET_RSA_PSS_SHA512 0x0806
#define SIGNET_ED25519 0x0807

/**
 * struct signet_signature_request - something that a private key is to sign
 * @handshake:	that waits for it
 * @key:	what signet_config_certificate_signer() was given
 * @scheme:	SIGNET_ECDSA_SHA256 and the like
 * @data:	what to sign: a digest of the scheme's hash; for SIGNET_ED25519 the
 *		message itself
 * @length:	of @data, in bytes, at most SIGNET_SIGNED_MAX
 *
 * Good until the sign call returns.
 */
struct signet_signature_request {
	struct signet_handshake *handshake;
	const char *key;
	unsigned int scheme;
	const void *data;
	size_t length;
};

/* A client's Ed25519 key has to be here for TLS 1.2, where it signs all messages: -EOPNOTSUPP. */
#define SIGNET_SIGNED_MAX 256
/* The longest signature: RSA with 4096 bits. */
#define SIGNET_SIGNATURE_MAX 512

/**
 * struct signet_signer - who holds private keys that this process does not
 * @sign:	starts a signature. It must not wait for it: the result is given to
 *		signet_handshake_signature(), later or already within the call.
 *		Returns 0, or a negative errno, which ends the handshake
 * @cancel:	the handshake ends before its signature has come (may be NULL); after
 *		it the handshake's pointer must not be used any more
 * @context:	their first argument
 */
struct signet_signer {
	int (*sign)(void *context, const struct signet_signature_request *request);
	void (*cancel)(void *context, struct signet_handshake *handshake);
	void *context;
};

/**
 * signet_config_certificate_signer - a certificate whose key is elsewhere
 * @chain:	PEM file, leaf first; the key is ECDSA on P-256 or P-384, RSA or
 *		Ed25519
 * @signer:	copied
 * @key:	which key to sign with, in the signer's own terms; copied
 *
 * As signet_config_certificate(). All certificates of a configuration have a
 * signer, or none has. RSA signatures are checked before they are sent, since a faulty one
 * would give the key away.
 *
 * Return: the same errors, and -EINVAL for a mixture of both kinds.
 */
int signet_config_certificate_signer(struct signet_config *config, const char *chain,
				     const struct signet_signer *signer, const char *key);

/**
 * signet_config_strict_names - refuse clients that ask for an unknown name
 * @strict:	they get the alert unrecognized_name (RFC 6066 3); else, and by
 *		default, the first certificate. Clients that ask for none get that one in
 *		any case
 *
 * Return: 0, or -EINVAL for a client's configuration.
 */
int signet_config_strict_names(struct signet_config *config, bool strict);

/**
 * signet_config_alpn - application protocols (RFC 7301)
 * @protocols:	separated by commas, the preferred one first: "h2,http/1.1"; "" for
 *		none, which is the default
 *
 * A client offers them. A server takes the first of its own that the client
 * offers, and refuses the client (alert no_application_protocol) when there is
 * none; clients that offer nothing are served without.
 *
 * Return: 0, or -EINVAL for an empty name or one longer than 255 bytes.
 */
int signet_config_alpn(struct signet_config *config, const char *protocols);

/**
 * signet_config_min_version - the oldest TLS version that is spoken
 * @version:	SIGNET_TLS_1_3, the default, or SIGNET_TLS_1_2
 *
 * TLS 1.2 is spoken with ECDHE and AEAD suites only, with the extended master
 * secret (RFC 7627), which is demanded, without renegotiation and without
 * resumption.
 *
 * Return: 0 or -EINVAL.
 */
int signet_config_min_version(struct signet_config *config, unsigned int version);

/**
 * signet_config_suites - cipher suites, the preferred one first
 * @names:	as signet_suite_name() gives them, separated by colons or commas
 *
 * The default: AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305, of TLS 1.3 and of
 * TLS 1.2. Suites of TLS 1.2 have no effect where only TLS 1.3 is spoken. A
 * server goes by its own order.
 *
 * Return: 0, or -EINVAL for an unknown name, or when there is none of TLS 1.3.
 */
int signet_config_suites(struct signet_config *config, const char *names);

/**
 * signet_config_groups - key exchange groups, the preferred one first
 * @names:	of X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, x25519,
 *		secp256r1 and secp384r1, separated by colons or commas, in any case
 *
 * The default: X25519MLKEM768, x25519, secp256r1, secp384r1. A client sends key
 * shares for the first one and, when that is a hybrid, for the first one that is
 * not.
 *
 * Return: 0, or -EINVAL for an unknown name, or when there is none.
 */
int signet_config_groups(struct signet_config *config, const char *names);

/* Limit for a whole handshake in milliseconds; the default is 10,000; 0 is none. */
int signet_config_timeout(struct signet_config *config, unsigned int ms);

/**
 * signet_config_name - what sessions are bound to, beside what was configured
 * @name:	of a profile, say; at most 255 bytes
 *
 * A session is resumed only under a configuration of the same role, name, leaf
 * certificates (server) or trust (client).
 *
 * Return: 0 or -EINVAL.
 */
int signet_config_name(struct signet_config *config, const char *name);

/**
 * signet_config_tickets - session tickets of a server (RFC 8446 4.6.1)
 * @count:	how many are sent at the end of each full or resumed handshake, up to
 *		SIGNET_TICKETS_KEPT; 0 for none, and then no session is resumed either. Default
 *		2
 * @lifetime:	of a ticket in seconds; at most SIGNET_TICKET_LIFETIME_MAX. Default
 *		43,200, half a day
 *
 * TLS 1.3 only. Where client certificates are asked for, none are sent.
 *
 * Return: 0 or -EINVAL.
 */
int signet_config_tickets(struct signet_config *config, unsigned int count, unsigned int lifetime);

/* Seven days (RFC 8446 4.6.1). */
#define SIGNET_TICKET_LIFETIME_MAX 604800

#define SIGNET_TICKET_KEY_SIZE 48
#define SIGNET_TICKET_KEYS_MAX 4

/* Fills in SIGNET_TICKET_KEY_SIZE random bytes. Return: 0, or -EIO without randomness. */
int signet_ticket_key_new(void *key);

/**
 * signet_config_ticket_keys - the keys that seal a server's tickets
 * @keys:	one to SIGNET_TICKET_KEYS_MAX keys of SIGNET_TICKET_KEY_SIZE random
 *		bytes each, made by signet_ticket_key_new(): the first seals, all open;
 *		copied
 * @size:	of @keys in bytes
 *
 * Servers that share keys (and are configured alike) resume each other's sessions.
 * Without this call a configuration has a key of its own, which it changes with
 * each lifetime of a ticket; with it, changing them is the caller's: put a new one in front,
 * drop the last.
 *
 * May be called at any time, also while handshakes use the configuration.
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int signet_config_ticket_keys(struct signet_config *config, const void *keys, size_t size);

/**
 * signet_config_session_cache - a client's sessions, for signet_connect()
 * @entries:	how many are kept at most, and of how many connections tickets are
 *		awaited; up to 1,024. 0, the default, for none
 *
 * See signet_collect_tickets().
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int signet_config_session_cache(struct signet_config *config, unsigned int entries);

/**
 * signet_collect_tickets - keep the session tickets that a connection has received
 * @config:	that signet_connect() or signet_handshake_finish() has used for it
 * @fd:		an attached socket
 *
 * Tickets come while data is received, so call it before closing, or now and then.
 * The next signet_connect() with this configuration to the same server name uses
 * one, once. May be called while handshakes use the configuration.
 *
 * Return: how many sessions were kept, -EINVAL when there is no cache, -ENOENT when the
 * connection is not one of this configuration's or too many came after it, or what
 * signet_ticket() returns other than -ENODATA.
 */
int signet_collect_tickets(const struct signet_config *config, int fd);

/**
 * signet_connect - handshake as a client and hand over to the module
 * @config:	a client's
 * @fd:		connected TCP socket, blocking or not; the call blocks
 * @server_name: DNS name, address or URI (of a SPIFFE workload, too) to ask for
 *		and to verify; never NULL or empty: a client that does not verify is
 *		refused
 * @result:	filled in, may be NULL
 *
 * On return the socket's data calls are encrypted by the kernel. Keys are
 * installed only after the server has been authenticated.
 *
 * Return: 0, or
 *   -EKEYREJECTED the certificate was refused: result->text says why
 *   -EPROTO	the peer sent a fatal alert, or broke the protocol
 *   -ETIMEDOUT	the handshake took too long
 *   -ECONNABORTED, -ECONNRESET the peer went away
 *   -EINVAL	no server name, or the other role's configuration
 *   or what signet_attach() and signet_install() return, or a signer.
 */
int signet_connect(const struct signet_config *config, int fd, const char *server_name,
		   struct signet_result *result);

/**
 * signet_accept - handshake as a server and hand over to the module
 *
 * As signet_connect(). With a CA configured the client must present a
 * certificate that verifies; keys are installed only after it did.
 */
int signet_accept(const struct signet_config *config, int fd, struct signet_result *result);

/*
 * The same, step by step, for event loops: nothing here blocks or starts a thread.
 *
 *	signet_handshake_new(config, fd, "db.internal", &handshake);
 *	while ((ret = signet_handshake_step(handshake)) > 0)
 *		... wait until fd is ready for ret, or until the deadline ...
 *	if (!ret)
 *		ret = signet_handshake_finish(handshake);
 *	signet_handshake_result(handshake, &result);
 *	signet_handshake_free(handshake);
 *
 * A handshake is used by one thread at a time.
 */

/**
 * signet_handshake_new - prepare a handshake
 * @config:	complete; it is kept until the handshake is freed
 * @fd:		connected stream socket, blocking or not, or another non-blocking
 *		descriptor that keeps the order of bytes; not owned
 * @server_name: what a client asks for and verifies, "" when pins will stand for it;
 *		a server gives NULL
 * @handshake:	filled in
 *
 * The time limit starts here.
 *
 * Return: 0, -EINVAL (no valid server name; a server without a certificate, or one that
 * demands client certificates without a CA; a name given by a server) or -ENOMEM.
 */
int signet_handshake_new(const struct signet_config *config, int fd, const char *server_name,
			 struct signet_handshake **handshake);

/* Frees the handshake and wipes its secrets. NULL is fine. */
void signet_handshake_free(struct signet_handshake *handshake);

/**
 * signet_handshake_set_alpn - narrow the configuration's protocols for this one
 * @protocols:	as in signet_config_alpn()
 *
 * This and the next ones come before the first step.
 *
 * Return: 0, -EINVAL, -EBUSY when the handshake has begun, -EPERM when the
 * configuration has protocols and one of these is not among them, or -ENOMEM.
 */
int signet_handshake_set_alpn(struct signet_handshake *handshake, const char *protocols);

/* Return: 0, -EINVAL, -EBUSY, or -EPERM for a version older than the configuration's. */
int signet_handshake_set_min_version(struct signet_handshake *handshake, unsigned int version);

/* Return: 0, -EINVAL, -EBUSY, or -EPERM for a mode weaker than the configuration's. */
int signet_handshake_set_client_auth(struct signet_handshake *handshake,
				     enum signet_client_auth mode);

/**
 * signet_handshake_set_pins - public keys, one of which the peer must have
 * @pins:	SHA-256 digests of SubjectPublicKeyInfo (RFC 7469 2.4)
 * @count:	1 to SIGNET_PINS_MAX
 *
 * Beside everything else that is checked. A client with pins may do without a
 * server name: then they are checked in its place, and the name is not sent.
 *
 * Return: 0, -EINVAL, or -EBUSY.
 */
int signet_handshake_set_pins(struct signet_handshake *handshake,
			      const unsigned char (*pins)[SIGNET_PIN_LEN], unsigned int count);

/**
 * signet_handshake_resume - try to resume an earlier session
 * @session:	of signet_session_new(); it may be freed at once
 *
 * A server that does not know it any more makes a full handshake, of TLS 1.3: one
 * that has spoken it must not have gone back to TLS 1.2.
 *
 * Return: 0, or
 *   -EINVAL	a server's handshake
 *   -EBUSY	the handshake has begun
 *   -EPERM	the session is of another server name or another policy
 *   -EKEYEXPIRED its lifetime is over
 *   -ENOMEM	no memory
 * After an error the handshake goes on without.
 */
int signet_handshake_resume(struct signet_handshake *handshake,
			    const struct signet_session *session);

/* What signet_handshake_step() returns while a signature is awaited. */
#define SIGNET_HANDSHAKE_PENDING 0x10000

/**
 * signet_handshake_step - go on as far as possible without waiting
 *
 * Return: 0 when the handshake is complete and the peer authenticated; POLLIN or
 * POLLOUT for what the descriptor has to be ready for; SIGNET_HANDSHAKE_PENDING until
 * signet_handshake_signature() was called; or a negative errno, see
 * signet_connect(). After an error further calls return the same one; what the
 * peer has to be told has been sent, as far as it could be without waiting.
 */
int signet_handshake_step(struct signet_handshake *handshake);

/* When to call signet_handshake_step() at the latest: milliseconds of CLOCK_MONOTONIC; -1: never.*/
int64_t signet_handshake_deadline(const struct signet_handshake *handshake);

/**
 * signet_handshake_signature - the signature that the signer was asked for
 * @signature:	DER of ECDSA (RFC 3279 2.2.3), or as many bytes as RSA or Ed25519 make
 * @length:	of @signature
 * @error:	0, or the negative errno for which there is none
 *
 * Call signet_handshake_step() then, unless this is called within the sign call.
 *
 * Return: 0, -EINVAL for an impossible length, -EALREADY when none is awaited.
 */
int signet_handshake_signature(struct signet_handshake *handshake, const void *signature,
			       size_t length, int error);

/**
 * signet_handshake_finish - hand a complete handshake's connection to the module
 *
 * Attaches the module to the socket and installs the keys.
 *
 * Return: 0, -EINVAL when the handshake is not complete, or what signet_attach() and
 * signet_install() return.
 */
int signet_handshake_finish(struct signet_handshake *handshake);

/* How it went so far. */
void signet_handshake_result(const struct signet_handshake *handshake,
			     struct signet_result *result);

/**
 * signet_handshake_export - keying material for other protocols (RFC 5705, RFC 8446 7.5)
 * @label:	e.g. "EXPORTER-Channel-Binding" (RFC 9266), where @context is empty
 * @context:	or NULL; with TLS 1.2 an empty one is another than none
 * @context_len: its length
 * @out:	filled in
 * @length:	how much of it
 *
 * Return: 0, or -EINVAL when the handshake is not complete or an argument is wrong.
 */
int signet_handshake_export(struct signet_handshake *handshake, const char *label,
			    const void *context, size_t context_len, void *out, size_t length);

/*
 * Sessions outlive handshakes without keeping them: a client takes a blob from a
 * complete handshake; with each ticket that the connection receives later
 * (signet_ticket()) it makes a session for a connection to come.
 *
 * The blob and the session are as secret as the connections. Whoever keeps them has to
 * keep apart by whom a session may be used.
 */

#define SIGNET_RESUMPTION_MAX 1024

/**
 * signet_handshake_resumption_blob - what later tickets need
 * @blob:	room for SIGNET_RESUMPTION_MAX bytes
 *
 * Of a complete TLS 1.3 client's handshake. It is bound to server name and configuration (see
 * signet_config_name()) and remembers when certificates were last verified: sessions that come
 * of one full handshake, also over resumed ones, end seven days after it.
 *
 * Return: its length, or -ENODATA when this handshake cannot be resumed.
 */
int signet_handshake_resumption_blob(struct signet_handshake *handshake, void *blob);

/**
 * signet_session_new - a session from blob and ticket
 * @blob:	of signet_handshake_resumption_blob(), also of another process
 * @blob_len:	its length
 * @ticket:	body of a NewSessionTicket message (RFC 8446 4.6.1)
 * @ticket_len:	its length
 * @arrived:	when it came, in milliseconds of CLOCK_REALTIME
 * @session:	filled in
 *
 * Use it for one connection only (RFC 8446 C.4).
 *
 * Return: 0, -EINVAL (blob of another version), -EBADMSG (malformed ticket), -EKEYEXPIRED (its
 * lifetime is 0 or over) or -ENOMEM.
 */
int signet_session_new(const void *blob, size_t blob_len, const void *ticket, size_t ticket_len,
		       int64_t arrived, struct signet_session **session);

/* Wipes and frees it. NULL is fine. */
void signet_session_free(struct signet_session *session);

/* When its lifetime is over, in milliseconds of CLOCK_REALTIME. */
int64_t signet_session_expires(const struct signet_session *session);

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_HANDSHAKE_H */
