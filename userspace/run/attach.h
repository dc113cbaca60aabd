/* SPDX-License-Identifier: MIT */
/* Makes a TCP socket one of TLS, before it connects or listens. */
#ifndef SIGNET_RUN_ATTACH_H
#define SIGNET_RUN_ATTACH_H

#include "settings.h"

/*
 * Where the process's standard error is, if it is what it was at its start: a daemon may have
 * closed it, and a connection may have its number since.
 */
void attach_remember_stderr(void);

/**
 * attach_client - gate a socket that is about to connect
 *
 * Nothing that the program writes from here on leaves in the clear, whatever happens. What was
 * attached before stays.
 *
 * Return: 0, or an errno after a line on standard error.
 */
int attach_client(int fd, const struct settings *settings, const struct sockaddr *address,
		  socklen_t len);

/**
 * attach_begin - ask for the handshake of a connection that is established, or about to be
 * @rule:	has the server's name, or else it is the one that was looked up, or the address
 * @wait:	until it is complete, where the descriptor is blocking
 *
 * Return: 0; EISCONN when it was complete already; EALREADY or EINPROGRESS while it goes on; EINTR;
 * another errno after a line on standard error.
 */
int attach_begin(int fd, const struct settings *settings, const struct rule *rule,
		 const struct sockaddr *address, socklen_t len, bool wait);

/* Gates what a listener accepts. Return: 0, or an errno after a line on standard error. */
int attach_listener(int fd, const struct settings *settings, const struct rule *rule,
		    const struct sockaddr *address, socklen_t len);

/* Says on standard error why a client's socket failed, when that was more than TCP. */
void attach_tell_failure(int fd, int error);

/* Says that a call was refused, and why. */
void attach_tell_refusal(const char *call, const struct sockaddr *address, socklen_t len,
			 const char *text);

#endif
