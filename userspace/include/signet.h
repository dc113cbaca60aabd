/* SPDX-License-Identifier: MIT */
/*
 * libsignet: the socket options of signet.ko as C calls.
 *
 * No TLS code and no dependency beyond libc.  Every function that can fail
 * returns a negative errno then, and 0 (signet_ticket(), signet_peer(): a
 * length) when it did not; signet_strerror() explains it.  The options
 * themselves, and what data calls answer, are specified in <linux/signet.h>.
 *
 *   signet_attach(fd);
 *   signet_tls_connect(fd, "db.internal");     signetd completes the handshake
 *   send(fd, ...); recv(fd, ...);              the kernel encrypts
 */
#ifndef SIGNET_H
#define SIGNET_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/signet.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * signet_attach - put the module under a TCP socket
 * @fd:	a TCP socket, IPv4 or IPv6: connected, about to be, or a listener
 *
 * From here on the socket is gated: nothing leaves it in the clear. What a listener
 * accepts is attached too.
 *
 * Return: 0, or
 *   -ENOENT	the module is not loaded (and may not be loaded by this user)
 *   -EEXIST	the socket has a ULP already
 *   -ENOTCONN	the connection was closed or reset
 *   -EBUSY	another thread, or another part of the kernel, is using the socket
 *   -EINVAL	not a TCP socket
 *   -ENOMEM	no memory
 */
int signet_attach(int fd);

/* ---- Handshakes that a helper (signetd) completes ---- */

/**
 * signet_tls_connect - ask for a client's handshake
 * @fd:		an attached socket, connected or about to be
 * @server_name: as the server's certificate must name it: a DNS name or an address;
 *		NULL or "" only after signet_set_pins()
 *
 * Returns when the connection is established or has failed; signet_error() then
 * tells why. On a descriptor with O_NONBLOCK it returns at once: poll for POLLOUT
 * and ask signet_tls_result(). Interrupted by a signal, the handshake goes on, and
 * the same call waits for its end.
 *
 * Return: 0, or
 *   -EINPROGRESS the handshake is under way (O_NONBLOCK)
 *   -EINTR	a signal came
 *   -EINVAL	no name and no pin
 *   -EMSGSIZE	a name longer than SIGNET_STRING_MAX
 *   -ENOTCONN	the socket is not connected, nor about to be
 *   -EALREADY	a handshake is under way (O_NONBLOCK), or one of the other role
 *   -EISCONN	keys are installed
 *   -EDQUOT	this user has too many handshakes under way
 *   -EUNATCH	no helper serves the network namespace, or it ended
 *   -EKEYREJECTED the server's certificate was refused
 *   -EPROTO	the server sent a fatal alert, or broke the protocol
 *   -EPERM	the helper's configuration does not allow what was asked for
 *   -ETIMEDOUT	it took longer than it may
 *   -EOPNOTSUPP the socket was attached as "tls"
 *   -ENOMEM	no memory
 *   -ENOPROTOOPT the socket is not attached
 * or the errno of a FAILED socket.
 */
int signet_tls_connect(int fd, const char *server_name);

/**
 * signet_tls_accept - ask for a server's handshake
 * @fd:		an attached socket: connected, or a listener
 * @profile:	a profile of the helper's configuration; NULL or "" for its default
 *
 * On a listener, or a socket that will be one, the wish is kept, and every
 * connection that it accepts is attached and asks for its handshake; the first read
 * or write waits for it.
 *
 * Return: 0, or the errors of signet_tls_connect().
 */
int signet_tls_accept(int fd, const char *profile);

/**
 * signet_tls_begin - ask for a handshake and never wait
 * @fd:		an attached socket
 * @role:	SIGNET_ROLE_CLIENT or SIGNET_ROLE_SERVER
 * @text:	the server's name, or the profile; may be NULL
 *
 * For blocking sockets of programs that wait elsewhere: with poll(), in a ring, in a
 * runtime's own loop. When POLLOUT or POLLERR shows the end, signet_tls_result()
 * tells which it was. Data calls before that wait for it, or give EAGAIN.
 *
 * Return: 0 when it has begun, or the errors of signet_tls_connect() that come at once.
 */
int signet_tls_begin(int fd, enum signet_role role, const char *text);

/**
 * signet_tls_result - how a handshake ended
 * @fd:		an attached socket, after poll() has shown that something did
 *
 * Return: 0 when the connection is established, -EINPROGRESS while the handshake is
 * under way, -ENOTCONN when none has begun, -ENOPROTOOPT when the socket is not
 * attached, or the errno of a FAILED socket.
 */
int signet_tls_result(int fd);

/*
 * How the handshake shall be. These are set before it begins, on a listener for what
 * it accepts, and can only make stricter what the helper's configuration says. All
 * return 0, or
 *   -EINVAL	out of range, or NULL
 *   -EMSGSIZE	a text that is too long
 *   -EALREADY	a handshake is under way
 *   -EISCONN	keys are installed
 *   -EOPNOTSUPP the socket was attached as "tls"
 *   -ENOMEM	no memory
 *   -ENOPROTOOPT the socket is not attached
 * or the errno of a FAILED socket.
 */

/* A client's profile in the helper's configuration; "" for its default. */
int signet_set_profile(int fd, const char *name);

/* Application protocols in order of preference, "h2,http/1.1"; "" for none (RFC 7301). */
int signet_set_alpn(int fd, const char *protocols);

/* SIGNET_TLS_1_2 or SIGNET_TLS_1_3, the lowest that will do. */
int signet_set_min_version(int fd, unsigned int version);

/* Trust these authorities alone, by their name in the helper's configuration. */
int signet_set_ca(int fd, const char *name);

/* A server: whether clients are asked for certificates. */
int signet_set_client_auth(int fd, enum signet_client_auth client_auth);

/*
 * The peer's public key must be one of these: @count, up to SIGNET_PINS_MAX, SHA-256 digests of
 * SubjectPublicKeyInfo (RFC 7469 2.4), SIGNET_PIN_LEN bytes each, one behind the other.
 */
int signet_set_pins(int fd, const void *digests, size_t count);

/* How long the handshake may take, 1 to SIGNET_TIMEOUT_MAX milliseconds. */
int signet_set_timeout(int fd, unsigned int milliseconds);

/*
 * What came of it. Texts of SIGNET_STRING_MAX + 1 bytes hold all; they are always terminated on
 * return, and empty after an error. All return 0, or
 *   -ENOTCONN	there was no such handshake, or it is not over
 *   -ENODATA	there is none
 *   -EMSGSIZE	there is not enough room
 *   -EINVAL	there is no room at all
 *   -ENOPROTOOPT the socket is not attached
 */

/* The application protocol that was agreed upon. */
int signet_alpn(int fd, char *text, size_t size);

/*
 * The peer's identity as verified: its SPIFFE id if it has one; else of a server the name that was
 * asked for, of a client what the helper's configuration takes from its certificate.
 */
int signet_peer_name(int fd, char *text, size_t size);

/* On a server: the name that the client asked for. */
int signet_server_name(int fd, char *text, size_t size);

/**
 * signet_peer - the certificates that were verified; none on a resumed connection
 * @fd:		a socket whose handshake a helper completed
 * @buffer:	receives them, DER, leaf first, each with three bytes of length before it
 * @size:	room in it, in bytes; 16 KiB are always enough
 *
 * Return: the length of all, or the errors above.
 */
int signet_peer(int fd, void *buffer, size_t size);

/**
 * signet_export - keying material for another purpose (RFC 8446 7.5)
 * @fd:		a socket whose handshake a helper completed
 * @label:	what for; NULL for RFC 9266's tls-exporter, which is 32 bytes
 * @context:	may be NULL
 * @context_len: its length in bytes; together with the label and a byte between them no
 *		more than SIGNET_EXPORT_MAX
 * @out:	filled
 * @size:	in bytes, up to SIGNET_EXPORT_MAX
 *
 * Both sides get the same bytes. Not for two threads at a time: the label is kept by
 * the socket.
 *
 * Return: 0, -EOPNOTSUPP for a TLS 1.2 connection and anything but those 32 bytes,
 * -EINVAL for a label that is empty or longer than 249 bytes or a context without one,
 * or the errors above.
 */
int signet_export(int fd, const char *label, const void *context, size_t context_len, void *out,
		  size_t size);

/* ---- Handshakes of one's own ---- */

/**
 * signet_install - install both directions' secrets, all or nothing
 * @fd:		an attached socket in state GATED
 * @keys:	secrets; size and leftover_len are filled in by this call
 * @leftover:	ciphertext that was read beyond the handshake, or NULL
 * @leftover_len: its length in bytes, at most SIGNET_LEFTOVER_MAX
 *
 * The caller wipes @keys. Copies made by this call are wiped by it.
 *
 * Return: 0, -ENOPROTOOPT when the socket is not attached, or the errors of
 * struct signet_crypto, negated.
 */
int signet_install(int fd, struct signet_keys *keys, const void *leftover, size_t leftover_len);

/* ---- Any connection ---- */

/**
 * signet_info - what the kernel knows of the socket
 * @fd:		an attached socket
 * @info:	filled in; members that the kernel does not know are zero
 *
 * Return: 0, or -ENOPROTOOPT when the socket is not attached.
 */
int signet_info(int fd, struct signet_info *info);

/**
 * signet_error - the text of the socket's failure
 * @fd:		an attached socket
 * @text:	room for the text, always terminated on return
 * @size:	its size in bytes, at least 1
 *
 * Return: 0, or -ENOPROTOOPT when the socket is not attached (@text is "").
 */
int signet_error(int fd, char *text, size_t size);

/**
 * signet_ticket - take the oldest session ticket that the server sent
 * @fd:		an attached socket
 * @buffer:	receives the body of a NewSessionTicket message (RFC 8446 4.6.1)
 * @size:	room in it, in bytes; SIGNET_TICKET_MAX is always enough
 *
 * The module keeps the newest SIGNET_TICKETS_KEPT tickets of a TLS 1.3 client,
 * and those no longer than SIGNET_TICKET_MAX; they come while data is received.
 * Where a helper completed the handshake, they are the helper's instead.
 *
 * Return: the ticket's length in bytes, or
 *   -ENODATA	there is none
 *   -EMSGSIZE	it is longer than @size; it stays where it is
 *   -EINVAL	no buffer
 *   -ENOPROTOOPT the socket is not attached
 */
int signet_ticket(int fd, void *buffer, size_t size);

/**
 * signet_rekey - change the sending keys soon (RFC 8446 4.6.3)
 * @fd:		an established socket
 * @flags:	enum signet_rekey_flags, or 0
 *
 * The KeyUpdate goes out at once when there is room for it, else before the next
 * data. Several calls before that are one KeyUpdate.
 *
 * Return: 0, or
 *   -EOPNOTSUPP TLS 1.2, which has no KeyUpdate, or keys of SOL_TLS
 *   -ENOTCONN	no keys are installed
 *   -EPIPE	sending is over
 *   -EINVAL	unknown flags
 *   -ENOPROTOOPT the socket is not attached
 * or the errno of a FAILED socket.
 */
int signet_rekey(int fd, unsigned int flags);

/**
 * signet_set_rekey_policy - when sending keys are changed by themselves
 * @fd:		an attached socket
 * @policy:	records, bytes of content and seconds under one key; 0: never for
 *		that reason
 *
 * Looked at whenever something is sent. Without effect in TLS 1.2 and with keys of
 * SOL_TLS.
 *
 * Return: 0, -EINVAL without @policy, -ENOPROTOOPT when the socket is not attached,
 * or the errno of a FAILED socket.
 */
int signet_set_rekey_policy(int fd, const struct signet_rekey_policy *policy);

/**
 * signet_get_rekey_policy - read it back
 * @fd:		an attached socket
 * @policy:	filled in; zero on errors
 *
 * Return: 0, -EINVAL without @policy, -ENOPROTOOPT when the socket is not attached.
 */
int signet_get_rekey_policy(int fd, struct signet_rekey_policy *policy);

/**
 * signet_set_record_max - the peer's record_size_limit (RFC 8449)
 * @fd:		an attached socket
 * @bytes:	of a record that is sent: its content, and in TLS 1.3 content type
 *		and padding. SIGNET_RECORD_MAX_LOWEST to 2^14 + 1; 0 for no limit
 *
 * Return: 0, or
 *   -EINVAL	out of that range
 *   -EBUSY	MSG_MORE holds a record open
 *   -ENOPROTOOPT the socket is not attached
 * or the errno of a FAILED socket.
 */
int signet_set_record_max(int fd, unsigned int bytes);

/**
 * signet_get_record_max - read it back
 * @fd:		an attached socket
 * @bytes:	filled in; zero on errors
 *
 * Return: 0, -EINVAL without @bytes, -ENOPROTOOPT when the socket is not attached.
 */
int signet_get_record_max(int fd, unsigned int *bytes);

/**
 * signet_set_padding - hide the length of messages (RFC 8446 5.4)
 * @fd:		an attached socket
 * @padding:	enum signet_padding_mode, and a size of 1 to 2^14 bytes; size 0 with
 *		SIGNET_PADDING_NONE
 *
 * Without effect in TLS 1.2.
 *
 * Return: 0, -EINVAL when mode and size are no such pair or without @padding,
 * -ENOPROTOOPT when the socket is not attached, or the errno of a FAILED socket.
 */
int signet_set_padding(int fd, const struct signet_padding *padding);

/**
 * signet_get_padding - read it back
 * @fd:		an attached socket
 * @padding:	filled in; zero on errors
 *
 * Return: 0, -EINVAL without @padding, -ENOPROTOOPT when the socket is not attached.
 */
int signet_get_padding(int fd, struct signet_padding *padding);

/**
 * signet_set_adaptive_records - short records while TCP sends slowly
 * @fd:		an attached socket
 * @on:		or off
 *
 * Return: 0, -ENOPROTOOPT when the socket is not attached, or the errno of a FAILED
 * socket.
 */
int signet_set_adaptive_records(int fd, bool on);

/**
 * signet_get_adaptive_records - read it back
 * @fd:		an attached socket
 * @on:		filled in; false on errors
 *
 * Return: 0, -EINVAL without @on, -ENOPROTOOPT when the socket is not attached.
 */
int signet_get_adaptive_records(int fd, bool *on);

/**
 * signet_set_record_types - tell content types to recvmsg() with a control buffer
 * @fd:		an attached socket
 * @on:		or off
 *
 * Alerts and handshake messages are given to such calls too then. Without effect
 * with keys of SOL_TLS, where that is so in any case.
 *
 * Return: 0, -ENOPROTOOPT when the socket is not attached, or the errno of a FAILED
 * socket.
 */
int signet_set_record_types(int fd, bool on);

/**
 * signet_get_record_types - read it back
 * @fd:		an attached socket
 * @on:		filled in; false on errors
 *
 * Return: 0, -EINVAL without @on, -ENOPROTOOPT when the socket is not attached.
 */
int signet_get_record_types(int fd, bool *on);

/* ---- Texts ---- */

/* A text for an errno, positive or negative, as this project uses it. Never NULL. */
const char *signet_strerror(int error);

/* A text for an enum signet_reason. Never NULL. */
const char *signet_reason_text(unsigned int reason);

/* The IANA name of a suite in <linux/signet.h>; "unknown" for others. Never NULL. */
const char *signet_suite_name(unsigned int suite);

/* "ESTABLISHED" and the like for an enum signet_state. Never NULL. */
const char *signet_state_name(unsigned int state);

/* "close_notify" and the like for an alert description (RFC 8446 6). Never NULL. */
const char *signet_alert_name(unsigned int description);

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_H */
