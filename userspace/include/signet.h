/* SPDX-License-Identifier: MIT */
/*
 * libsignet: the socket options of signet.ko as C calls.
 *
 * No TLS code and no dependency beyond libc.  Every function that can fail
 * returns 0 or a negative errno; signet_strerror() explains it.  The options
 * themselves, and what data calls answer, are specified in <linux/signet.h>.
 */
#ifndef SIGNET_H
#define SIGNET_H

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
 *   -EBUSY	another thread is inside the socket
 *   -EINVAL	not a TCP socket, or a listening one
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

/* A text for an errno, positive or negative, as this project uses it. Never NULL. */
const char *signet_strerror(int error);

/* A text for an enum signet_reason. Never NULL. */
const char *signet_reason_text(unsigned int reason);

/* "TLS_AES_128_GCM_SHA256" and the like; "unknown" for others. Never NULL. */
const char *signet_suite_name(unsigned int suite);

/* "ESTABLISHED" and the like for an enum signet_state. Never NULL. */
const char *signet_state_name(unsigned int state);

/* "close_notify" and the like for an alert description (RFC 8446 6). Never NULL. */
const char *signet_alert_name(unsigned int description);

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_H */
