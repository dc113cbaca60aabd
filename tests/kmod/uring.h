/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * io_uring, one request at a time.
 */
#ifndef TESTS_KMOD_URING_H
#define TESTS_KMOD_URING_H

#include <liburing.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Each submits one request on a ring of its own and waits for it. Return: as
 * the system call's wrapper: -1 with errno on failure.
 */
ssize_t uring_send(int fd, const void *from, size_t len, int flags);
ssize_t uring_write(int fd, const void *from, size_t len);
ssize_t uring_recv(int fd, void *to, size_t len, int flags);
ssize_t uring_read(int fd, void *to, size_t len);

/* Waits for the notification too. */
ssize_t uring_send_zc(int fd, const void *from, size_t len, int flags);

#endif /* TESTS_KMOD_URING_H */
