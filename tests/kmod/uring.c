// SPDX-License-Identifier: GPL-2.0-only
#include "uring.h"

#include <errno.h>

/* Fills in the request. */
typedef void (*prepare_fn)(struct io_uring_sqe *sqe, int fd, void *buffer, size_t len, int flags);

/* Waits for every completion of the request. Return: the result of the first. */
static int wait_completions(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int ret = 0, first = 1, more = 1;

	while (more) {
		int err = io_uring_wait_cqe(ring, &cqe);

		if (err == -EINTR)
			continue;
		if (err)
			return err;
		if (first)
			ret = cqe->res;
		first = 0;
		more = cqe->flags & IORING_CQE_F_MORE;
		io_uring_cqe_seen(ring, cqe);
	}
	return ret;
}

static ssize_t run(prepare_fn prepare, int fd, void *buffer, size_t len, int flags)
{
	struct io_uring ring;
	int ret = io_uring_queue_init(4, &ring, 0);

	if (ret) {
		errno = -ret;
		return -1;
	}
	prepare(io_uring_get_sqe(&ring), fd, buffer, len, flags);
	ret = io_uring_submit(&ring);
	if (ret == 1)
		ret = wait_completions(&ring);
	io_uring_queue_exit(&ring);
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
}

static void prepare_send(struct io_uring_sqe *sqe, int fd, void *buffer, size_t len, int flags)
{
	io_uring_prep_send(sqe, fd, buffer, len, flags);
}

static void prepare_send_zc(struct io_uring_sqe *sqe, int fd, void *buffer, size_t len, int flags)
{
	io_uring_prep_send_zc(sqe, fd, buffer, len, flags, 0);
}

static void prepare_recv(struct io_uring_sqe *sqe, int fd, void *buffer, size_t len, int flags)
{
	io_uring_prep_recv(sqe, fd, buffer, len, flags);
}

static void prepare_write(struct io_uring_sqe *sqe, int fd, void *buffer, size_t len, int flags)
{
	(void)flags;
	io_uring_prep_write(sqe, fd, buffer, len, 0);
}

static void prepare_read(struct io_uring_sqe *sqe, int fd, void *buffer, size_t len, int flags)
{
	(void)flags;
	io_uring_prep_read(sqe, fd, buffer, len, 0);
}

ssize_t uring_send(int fd, const void *from, size_t len, int flags)
{
	return run(prepare_send, fd, (void *)from, len, flags);
}

ssize_t uring_send_zc(int fd, const void *from, size_t len, int flags)
{
	return run(prepare_send_zc, fd, (void *)from, len, flags);
}

ssize_t uring_write(int fd, const void *from, size_t len)
{
	return run(prepare_write, fd, (void *)from, len, 0);
}

ssize_t uring_recv(int fd, void *to, size_t len, int flags)
{
	return run(prepare_recv, fd, to, len, flags);
}

ssize_t uring_read(int fd, void *to, size_t len)
{
	return run(prepare_read, fd, to, len, 0);
}
