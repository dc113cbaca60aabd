// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A worker's thread that drains ends its poll of the device, whatever happens to it at that moment. A
 * counter stands for the device: it is readable while there is a request.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ring.h"
#include "tap.h"
#include "thread.h"

/* Nothing completes any more when nothing has for so long. */
#define SECONDS 2

static void begin(struct thread *thread, int device)
{
	int ret = ring_begin(&thread->ring);

	if (ret == -ENOSYS || ret == -EPERM)
		skip_all("no io_uring here");
	if (ret || io_uring_enable_rings(&thread->ring))
		bail("no ring");
	/* Without a signer it takes no requests. */
	thread->signing.socket = -1;
	thread->device_polled = true;
	thread_poll(thread, device, POLLIN | EPOLLEXCLUSIVE, WATCH_DEVICE);
	io_uring_submit(&thread->ring);
}

/* Until the poll has ended, or nothing comes. Return: whether it has. */
static bool run(struct thread *thread)
{
	struct __kernel_timespec limit = { .tv_sec = SECONDS };
	struct io_uring_cqe *cqe;
	uint64_t watch;
	int result;

	while (thread->device_polled) {
		if (io_uring_submit_and_wait_timeout(&thread->ring, &cqe, 1, &limit, NULL) < 0)
			return false;
		while (!io_uring_peek_cqe(&thread->ring, &cqe)) {
			watch = io_uring_cqe_get_data64(cqe);
			result = cqe->res;
			io_uring_cqe_seen(&thread->ring, cqe);
			thread_complete(thread, watch, result);
		}
	}
	return true;
}

static void poll_is_ended(bool comes, bool goes, const char *what)
{
	int device = eventfd(0, EFD_NONBLOCK);
	struct thread thread = {};
	eventfd_t value;

	begin(&thread, device);
	if (comes)
		eventfd_write(device, 1);
	/* As another thread takes it, which was not woken for it. */
	if (goes)
		eventfd_read(device, &value);
	thread_complete(&thread, WATCH_CONTROL, POLLIN);
	ok(run(&thread), "the poll is ended %s", what);
	io_uring_queue_exit(&thread.ring);
	close(device);
}

int main(void)
{
	tap_begin();
	poll_is_ended(false, false, "when nothing happens");
	poll_is_ended(true, false, "when a request has come");
	poll_is_ended(true, true, "when a request has come, and gone again");
	return tap_end();
}
