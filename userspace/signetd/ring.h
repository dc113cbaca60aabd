/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ring of a worker's thread. */
#ifndef SIGNETD_RING_H
#define SIGNETD_RING_H

#include <liburing.h>

/**
 * ring_begin - make a ring that polls, and can do nothing else
 *
 * It belongs to the thread that enables it (io_uring_enable_rings()).
 *
 * Return: 0, or a negative errno.
 */
int ring_begin(struct io_uring *ring);

#endif
