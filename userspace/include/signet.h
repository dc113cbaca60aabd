/* SPDX-License-Identifier: MIT */
/*
 * libsignet: the socket options of signet.ko as C calls.
 *
 * No TLS code and no dependency beyond libc.  Every function that can fail
 * returns a negative errno then, and 0 (signet_ticket(): a length) when it did
 * not; signet_strerror() explains it.  The options themselves, and what data
 * calls answer, are specified in <linux/signet.h>.
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
 * @fd:	a TCP socket, IPv4 or IPv6
 *
 * From here on the socket is gated: nothing leaves it in the clear.
 *
 * Return: 0, or
 *   -ENOENT	the module is not loaded (and may not be loaded by this user)
 *   -EEXIST	the socket has a ULP already
 *   -ENOTCONN	the connection was closed or reset
 *   -EBUSY	another thread, or another part of the kernel, is using the socket
 *   -EINVAL	not a TCP socket, or a listening one
 *   -ENOMEM	no memory
 */
int signet_attach(int fd);

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
 * @fd:		a socket with keys that signet_install() installed
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
