/* SPDX-License-Identifier: MIT */
/* Whether a program takes libraries of LD_PRELOAD: one that does not would speak in the clear. */
#ifndef SIGNET_RUN_PROGRAM_H
#define SIGNET_RUN_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/**
 * program_find - look for a program as execvp() does
 * @path:	filled in
 *
 * Return: 0, ENOENT, EACCES or ENAMETOOLONG.
 */
int program_find(const char *name, char path[PATH_MAX]);

/**
 * program_check - look into its file, and into that of a script's interpreter
 *
 * What cannot be read is not judged.
 *
 * Return: NULL, or why it takes no libraries.
 */
const char *program_check(const char *path);

#endif
