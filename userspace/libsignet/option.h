/* SPDX-License-Identifier: MIT */
/* The two system calls under everything here. */
#ifndef LIBSIGNET_OPTION_H
#define LIBSIGNET_OPTION_H

#include <sys/socket.h>

/* Sets an option of SOL_SIGNET. Return: 0 or a negative errno. */
int signet_option_set(int fd, int option, const void *value, socklen_t size);

/*
 * Reads one; *size is what there is room for, and becomes what was filled in. Return: 0 or a
 * negative errno, -ENOPROTOOPT when the socket is not attached.
 */
int signet_option_get(int fd, int option, void *value, socklen_t *size);

#endif
