/* SPDX-License-Identifier: MIT */
/*
 * The two system calls under everything here. All functions return a negative errno when they
 * fail; those that read give -ENOPROTOOPT when the socket is not attached.
 */
#ifndef LIBSIGNET_OPTION_H
#define LIBSIGNET_OPTION_H

#include <stddef.h>
#include <sys/socket.h>

/* Sets an option of SOL_SIGNET. Return: 0. */
int signet_option_set(int fd, int option, const void *value, socklen_t size);

/* Sets one that is a __u32. Return: 0. */
int signet_option_set_number(int fd, int option, unsigned int number);

/* Sets one that is a text. Return: 0. */
int signet_option_set_text(int fd, int option, const char *text);

/* Reads one; *size is what there is room for, and becomes what was filled in. Return: 0. */
int signet_option_get(int fd, int option, void *value, socklen_t *size);

/* Reads a text, which is terminated whatever happens, and empty after an error. Return: 0. */
int signet_option_get_text(int fd, int option, char *text, size_t size);

/* Reads bytes. Return: how many they are. */
int signet_option_get_bytes(int fd, int option, void *buffer, size_t size);

#endif
