// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving under strain: buffers smaller than a record, segments of one byte,
 * timeouts, signals, bad addresses.
 */
#include "fixture.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "uring.h"

TLS_FIXTURE(strain, link_up);
TLS_TWO_VARIANTS(strain);

/* A receive buffer that a record of 16 KiB does not fit into, and segments that do. */
static int link_up_small(struct link *link, enum link_family family, uint16_t suite)
{
	link_segment = 1000;
	if (link_up(link, family, suite))
		return -1;
	return set_int_option(link->fd, SOL_SOCKET, SO_RCVBUF, 1);
}

TLS_FIXTURE(small, link_up_small);
TLS_TWO_VARIANTS(small);

#define TOTAL 200000

static int send_total(struct worker *worker)
{
	struct link *link = worker->argument;

	if (peer_send_pattern(link, 0, TOTAL, RECORD_CONTENT))
		return -1;
	return peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY);
}

/* --- a small receive buffer -------------------- */

TEST_F(small, blocking)
{
	struct worker sender;

	ASSERT_EQ(0, worker_start(&sender, send_total, &self->link));
	EXPECT_EQ(0, recv_pattern(self->link.fd, 0, TOTAL));
	EXPECT_EQ(0, worker_join(&sender));
	EXPECT_EQ(0, recv(self->link.fd, &sender, 1, 0));
}

TEST_F(small, waitall)
{
	uint8_t *bytes = malloc(TOTAL);
	struct worker sender;

	ASSERT_EQ(0, worker_start(&sender, send_total, &self->link));
	EXPECT_EQ(TOTAL, recv(self->link.fd, bytes, TOTAL, MSG_WAITALL));
	EXPECT_TRUE(pattern_matches(bytes, 0, TOTAL));
	EXPECT_EQ(0, worker_join(&sender));
	free(bytes);
}

/* Reads until EAGAIN. Return: 0 when the end of file was seen, 1 when not, or -1. */
static int read_what_is_there(int fd, size_t *total, size_t step)
{
	uint8_t bytes[RECORD_CONTENT];
	ssize_t n;

	while ((n = recv(fd, bytes, step, MSG_DONTWAIT)) > 0) {
		if (!pattern_matches(bytes, *total, n))
			return -1;
		*total += n;
	}
	return !n ? 0 : errno == EAGAIN ? 1 : -1;
}

static void run_poll(struct __test_metadata *_metadata, struct link *link, size_t step)
{
	struct worker sender;
	size_t total = 0;
	int ret;

	ASSERT_EQ(0, worker_start(&sender, send_total, link));
	do {
		EXPECT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
		/* Whoever is told to read can. */
		ret = recv(link->fd, &ret, 1, MSG_PEEK | MSG_DONTWAIT);
		ASSERT_GE(ret, 0);
		ret = read_what_is_there(link->fd, &total, step);
	} while (ret > 0);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(TOTAL, total);
	EXPECT_EQ(0, worker_join(&sender));
}

TEST_F(small, poll)
{
	run_poll(_metadata, &self->link, RECORD_CONTENT);
}

TEST_F(strain, poll)
{
	run_poll(_metadata, &self->link, 1000);
}

static void run_epoll_et(struct __test_metadata *_metadata, struct link *link)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(0), ret;
	struct worker sender;
	size_t total = 0;

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event));
	ASSERT_EQ(0, worker_start(&sender, send_total, link));
	do {
		ASSERT_EQ(1, epoll_wait(epoll, &event, 1, -1));
		ret = read_what_is_there(link->fd, &total, RECORD_CONTENT);
	} while (ret > 0);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(TOTAL, total);
	EXPECT_EQ(0, worker_join(&sender));
	close(epoll);
}

TEST_F(small, epoll_et)
{
	run_epoll_et(_metadata, &self->link);
}

TEST_F(strain, epoll_et)
{
	run_epoll_et(_metadata, &self->link);
}

TEST_F(small, uring)
{
	uint8_t bytes[RECORD_CONTENT];
	struct worker sender;
	size_t total = 0;
	ssize_t n;

	ASSERT_EQ(0, worker_start(&sender, send_total, &self->link));
	while ((n = uring_recv(self->link.fd, bytes, sizeof(bytes), 0)) > 0) {
		ASSERT_TRUE(pattern_matches(bytes, total, n));
		total += n;
	}
	EXPECT_EQ(0, n);
	EXPECT_EQ(TOTAL, total);
	EXPECT_EQ(0, worker_join(&sender));
}

/* The peer ends in the middle of a record that had to be moved out of TCP's queue. */
TEST_F(small, truncated)
{
	struct link *link = &self->link;
	uint8_t record[RECORD_BUFFER], content[RECORD_CONTENT];
	int n;

	pattern_fill(content, 0, sizeof(content));
	n = record_seal(&link->to_fd, TYPE_DATA, content, sizeof(content), 0, record);
	set_nonblocking(link->peer, true);
	for (int sent = 0; sent < n - 1;) {
		ssize_t part = send(link->peer, record + sent, n - 1 - sent, 0);

		sent += part > 0 ? part : 0;
		ASSERT_EQ(-1, recv(link->fd, content, 1, MSG_DONTWAIT));
		ASSERT_EQ(EAGAIN, errno);
	}
	ASSERT_EQ(0, peer_fin(link));
	EXPECT_ERRNO(ECONNABORTED, recv(link->fd, content, 1, 0));
}

/* --- tiny segments -------------------- */

static int send_bytes(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t record[RECORD_BUFFER], content[300];
	int n;

	for (int i = 0; i < 5; i++) {
		pattern_fill(content, 300 * i, 300);
		n = record_seal(&link->to_fd, TYPE_DATA, content, 300, 0, record);
		for (int j = 0; j < n; j++) {
			if (peer_send_raw(link, record + j, 1))
				return -1;
		}
	}
	return 0;
}

TEST_F(strain, one_byte_at_a_time)
{
	struct worker sender;

	ASSERT_EQ(0, worker_start(&sender, send_bytes, &self->link));
	EXPECT_EQ(0, recv_pattern(self->link.fd, 0, 1500));
	EXPECT_EQ(0, worker_join(&sender));
}

TEST_F(small, one_byte_at_a_time)
{
	struct worker sender;

	ASSERT_EQ(0, worker_start(&sender, send_bytes, &self->link));
	EXPECT_EQ(0, recv_pattern(self->link.fd, 0, 1500));
	EXPECT_EQ(0, worker_join(&sender));
}

/* One segment per piece, so that a record lies in many buffers. */
TEST_F(strain, record_in_many_segments)
{
	struct link *link = &self->link;
	uint8_t record[RECORD_BUFFER], content[RECORD_CONTENT];
	int n;

	for (int step = 50; step < 2000; step = 3 * step + 7) {
		pattern_fill(content, 0, sizeof(content));
		n = record_seal(&link->to_fd, TYPE_DATA, content, sizeof(content), 0, record);
		for (int i = 0; i < n; i += step)
			ASSERT_EQ(0, peer_send_raw(link, record + i, n - i < step ? n - i : step));
		ASSERT_EQ(0, recv_pattern(link->fd, 0, sizeof(content)));
	}
}

TEST_F(strain, partial_record_is_not_pollin)
{
	struct link *link = &self->link;
	uint8_t record[100], content[40];
	uint64_t before = bytes_received(link->fd);
	int n;

	pattern_fill(content, 0, sizeof(content));
	n = record_seal(&link->to_fd, TYPE_DATA, content, sizeof(content), 0, record);
	for (int i = 0; i < n; i++) {
		EXPECT_EQ(0, poll_now(link->fd, POLLIN));
		ASSERT_EQ(0, peer_send_raw(link, record + i, 1));
		wait_received(link->fd, before + i + 1);
	}
	EXPECT_EQ(POLLIN, poll_now(link->fd, POLLIN));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, sizeof(content)));
}

/* --- timeouts and signals -------------------- */

TEST_F(strain, receive_timeout)
{
	struct timeval timeout = { .tv_usec = 50000 };
	struct link *link = &self->link;
	uint8_t bytes[100];

	ASSERT_EQ(0, setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, bytes, 100, 0));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 50, 50));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(50, recv(link->fd, bytes, 100, MSG_WAITALL));
	ASSERT_EQ(0, peer_send_raw(link, "\27\3\3\0", 4));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, bytes, 100, 0));
}

static volatile sig_atomic_t signals_caught;

static void nothing(int signal)
{
	(void)signal;
	signals_caught++;
}

static void catch_signal(int signal, int flags)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };

	sigaction(signal, &action, NULL);
}

static int read_waitall(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[100];

	return recv(link->fd, bytes, sizeof(bytes), MSG_WAITALL);
}

TEST_F(strain, signal_interrupts)
{
	struct link *link = &self->link;
	struct worker reader;

	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, worker_start(&reader, read_waitall, link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	pthread_kill(reader.thread, SIGUSR1);
	EXPECT_EQ(-1, worker_join(&reader));
	EXPECT_EQ(EINTR, errno);
}

TEST_F(strain, signal_after_some_data)
{
	struct link *link = &self->link;
	struct worker reader;

	catch_signal(SIGUSR1, SA_RESTART);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 30, 30));
	ASSERT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	ASSERT_EQ(0, worker_start(&reader, read_waitall, link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	pthread_kill(reader.thread, SIGUSR1);
	EXPECT_EQ(30, worker_join(&reader));
}

TEST_F(strain, signal_with_restart)
{
	struct link *link = &self->link;
	struct worker reader;

	catch_signal(SIGUSR1, SA_RESTART);
	signals_caught = 0;
	ASSERT_EQ(0, worker_start(&reader, read_waitall, link));
	for (int i = 0; i < 5; i++) {
		worker_wait_blocked(&reader, SYS_recvfrom);
		pthread_kill(reader.thread, SIGUSR1);
		/* With one pending, the first data would end the call. */
		while (signals_caught <= i)
			sched_yield();
	}
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 10));
	EXPECT_EQ(100, worker_join(&reader));
}

TEST_F(strain, signal_storm)
{
	struct itimerval storm = { { 0, 500 }, { 0, 500 } }, calm = {};
	struct link *link = &self->link;
	uint8_t bytes[50000];
	struct worker sender;
	size_t total = 0;
	sigset_t set;
	ssize_t n;

	catch_signal(SIGALRM, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, worker_start(&sender, send_total, link));
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &storm, NULL));
	do {
		n = recv(link->fd, bytes, sizeof(bytes), MSG_WAITALL);
		if (n < 0) {
			ASSERT_EQ(EINTR, errno);
			continue;
		}
		ASSERT_TRUE(pattern_matches(bytes, total, n));
		total += n;
	} while (n);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &calm, NULL));
	EXPECT_EQ(TOTAL, total);
	EXPECT_EQ(0, worker_join(&sender));
}

/* --- bad addresses -------------------- */

TEST_F(strain, efault_in_the_middle)
{
	struct link *link = &self->link;
	size_t page = sysconf(_SC_PAGESIZE), good = 4 * page, total = 0;
	uint8_t *pages =
		mmap(NULL, good + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, munmap(pages + good, page));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 60000, 15000));
	for (size_t have = 0; total < 60000; have = (have + 1777) % good) {
		ssize_t n = recv(link->fd, pages + good - have, 60000, 0);

		if (n < 0) {
			ASSERT_EQ(EFAULT, errno);
			continue;
		}
		ASSERT_GT(n, 0);
		ASSERT_LE(n, have);
		ASSERT_TRUE(pattern_matches(pages + good - have, total, n));
		total += n;
	}
	EXPECT_EQ(60000, total);
	EXPECT_ERRNO(EAGAIN, recv(link->fd, pages, 1, MSG_DONTWAIT));
}

TEST_F(strain, efault_loses_nothing)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	struct iovec vec[2] = { { bytes, 30 }, { (void *)16, 100 } };
	ssize_t n;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	EXPECT_ERRNO(EFAULT, recv(link->fd, NULL, 100, 0));
	EXPECT_ERRNO(EFAULT, recv(link->fd, (void *)16, 1, MSG_PEEK));
	n = readv(link->fd, vec, 2);
	if (n < 0) {
		EXPECT_EQ(EFAULT, errno);
		n = 0;
	} else {
		EXPECT_EQ(30, n);
		EXPECT_TRUE(pattern_matches(bytes, 0, 30));
	}
	EXPECT_EQ(0, recv_pattern(link->fd, n, 100 - n));
}

TEST_F(strain, read_only_buffer_loses_nothing)
{
	struct link *link = &self->link;
	uint8_t *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, peer_send_pattern(link, 0, 5000, 5000));
	for (int i = 0; i < 3; i++)
		EXPECT_ERRNO(EFAULT, recv(link->fd, page, 4096, 0));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 5000));
}

/* --- shared descriptors -------------------- */

TEST_F(strain, duplicate_keeps_the_connection)
{
	struct link *link = &self->link;
	int fd = dup(link->fd);

	close(link->fd);
	link->fd = fd;
	EXPECT_EQ(0, send_pattern(fd, 0, 1000));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 1000));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 100));
	EXPECT_EQ(0, recv_pattern(fd, 0, 1000));
}

TEST_F(strain, child_goes_on_after_the_parent)
{
	struct link *link = &self->link;
	int status = -1;
	pid_t child;

	/* The first part of a record is read here, the rest there. */
	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 1000));
	ASSERT_EQ(0, recv_pattern(link->fd, 0, 300));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 300));
	child = fork();
	if (!child) {
		close(link->peer);
		_exit(recv_pattern(link->fd, 300, 900) || send_pattern(link->fd, 300, 700));
	}
	close(link->fd);
	link->fd = -1;
	ASSERT_EQ(0, peer_send_pattern(link, 1000, 200, 200));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 1000));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
