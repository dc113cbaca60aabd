/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own files of text: what /proc, /sys, control groups and tracing are set by
 * and read from.
 */
#ifndef TESTS_KMOD_FILE_H
#define TESTS_KMOD_FILE_H

#include <stddef.h>

/* Writes it in one call. Return: 0, or -1 with errno. */
int file_write(const char *path, const char *text);
/* Reads all that fits, with a NUL behind it. Return: its length, or -1 with errno. */
long file_read(const char *path, char *text, size_t size);
/* The number behind @name in a file of names and numbers, or -1. */
long file_number(const char *path, const char *name);

#endif /* TESTS_KMOD_FILE_H */
