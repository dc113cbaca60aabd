/* SPDX-License-Identifier: MIT */
/*
 * Files as memory, to be sent from and received into by the kernel. The program itself must not
 * touch that memory: when the file has become shorter, an operation of the kernel fails (EFAULT),
 * but an access is a SIGBUS.
 */
#ifndef FILE_H
#define FILE_H

#include <inttypes.h>
#include <stddef.h>

struct file {
	char *map; /* NULL: there is none, or it is empty */
	intmax_t size;
	char upload[32]; /* temporary name of one that is not complete, or "" */
};

/**
 * file_open - map a file that lies below a directory; of a directory in it, the index
 * @path:	relative; neither dots nor symbolic links lead out of the directory
 *
 * Return: 0 or an errno.
 */
int file_open(struct file *file, int directory, const char *path);

/**
 * file_create - map a new file, under a name that nobody can ask for
 * @number:	distinguishes those that this process creates at the same time
 * @first:	the first bytes of the content
 *
 * Return: 0 or an errno; file_release() is needed after either.
 */
int file_create(struct file *file, int directory, int number, intmax_t size, const void *first,
		size_t len);

/* Gives a created file, which is complete, its name. Return: 0 or an errno. */
int file_commit(struct file *file, int directory, const char *name);

/* Forgets a file; one that was created and not committed is removed from its directory. */
void file_release(struct file *file, int directory);

#endif /* FILE_H */
