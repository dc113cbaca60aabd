// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending when TCP has no room: what was reported as sent arrives, in order,
 * once; what was not does not; and nobody waits for ever.
 */
#include "fixture.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/time.h>

#include "uring.h"

TLS_FIXTURE(full, link_up);
TLS_TWO_VARIANTS(full);

/* One send of the pattern at @offset. */
static ssize_t send_at(int fd, size_t offset, size_t len, int flags)
{
	uint8_t *bytes = malloc(len);
	ssize_t n;
	int error;

	pattern_fill(bytes, offset, len);
	n = send(fd, bytes, len, flags | MSG_NOSIGNAL);
	error = errno;
	free(bytes);
	errno = error;
	return n;
}

static size_t fill_up(int fd, size_t step, int flags)
{
	size_t total = 0;
	ssize_t n;

	while ((n = send_at(fd, total, step, flags | MSG_DONTWAIT)) > 0)
		total += n;
	return total;
}

static int close_fd(struct link *link)
{
	int ret = close(link->fd);

	link->fd = -1;
	return ret;
}

/* The socket has sent @total bytes; all of them come, and nothing else. */
static void expect_all_arrived(struct __test_metadata *_metadata, struct link *link, size_t total)
{
	struct sink sink;

	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_run(&sink, link);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total, sink.bytes);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
	EXPECT_EQ(PEER_FIN, sink.end);
}

static const struct {
	int sndbuf;
	int rcvbuf;
	int notsent_lowat;
	size_t step;
	int flags;
} shapes[] = {
	{ 0, 0, 0, 100000, 0 },	       { 0, 0, 0, 3000, 0 },
	{ 1, 1, 0, 100000, 0 },	       { 1, 1, 0, 1000, 0 },
	{ 1, 1, 0, 1000, MSG_MORE },   { 1, 0, 0, 16384, 0 },
	{ 5000, 3000, 0, 16385, 0 },   { 20000, 0, 0, 40000, MSG_MORE },
	{ 40000, 20000, 1, 50000, 0 }, { 0, 0, 4096, 100000, 0 },
	{ 100000, 1, 100, 5000, 0 },
};

static int link_up_shaped(struct link *link, enum link_family family, uint16_t suite, size_t i)
{
	link_segment = shapes[i].rcvbuf ? 536 : 0;
	if (link_up(link, family, suite))
		return -1;
	if (shapes[i].sndbuf)
		set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, shapes[i].sndbuf);
	if (shapes[i].rcvbuf)
		set_int_option(link->peer, SOL_SOCKET, SO_RCVBUF, shapes[i].rcvbuf);
	if (shapes[i].notsent_lowat)
		set_int_option(link->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, shapes[i].notsent_lowat);
	return 0;
}

/* --- non-blocking -------------------- */

TEST_F_TIMEOUT(full, nonblocking_reports_what_arrives, 60)
{
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct link link;
		size_t total;

		ASSERT_EQ(0, link_up_shaped(&link, variant->family, variant->suite, i));
		total = fill_up(link.fd, shapes[i].step, shapes[i].flags);
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_GT(total, 0);
		/* An acknowledgment may have made room again. */
		if (send_at(link.fd, total, 1, MSG_DONTWAIT) == 1)
			total++;
		expect_all_arrived(_metadata, &link, total);
		if (_metadata->exit_code) {
			TH_LOG("shape %zu", i);
			return;
		}
		link_close(&link);
	}
}

/* Fill up and drain by turns, with poll() to say when. */
TEST_F_TIMEOUT(full, poll_says_when_there_is_room, 60)
{
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct sink sink;
		struct link link;
		size_t total = 0;

		ASSERT_EQ(0, link_up_shaped(&link, variant->family, variant->suite, i));
		ASSERT_EQ(0, sink_start(&sink, &link));
		for (int round = 0; round < 100; round++) {
			ssize_t n;

			ASSERT_EQ(POLLOUT, poll_wait(link.fd, POLLOUT));
			n = send_at(link.fd, total, shapes[i].step, shapes[i].flags | MSG_DONTWAIT);
			/* Room for TCP may be less than what poll() knows of. */
			ASSERT_TRUE(n > 0 || errno == EAGAIN);
			total += n > 0 ? n : 0;
		}
		ASSERT_EQ(0, shutdown(link.fd, SHUT_WR));
		sink_join(&sink);
		EXPECT_TRUE(sink.intact);
		EXPECT_EQ(total, sink.bytes)
		{
			TH_LOG("shape %zu", i);
		}
		EXPECT_EQ(PEER_FIN, sink.end);
		link_close(&link);
	}
}

TEST_F(full, epoll_et_says_when_there_is_room)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	struct link *link = &self->link;
	int epoll = epoll_create1(0);
	size_t total = 0;
	struct sink sink;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 20000));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event));
	ASSERT_EQ(0, sink_start(&sink, link));
	while (total < 2000000) {
		ssize_t n;

		ASSERT_EQ(1, epoll_wait(epoll, &event, 1, -1));
		while ((n = send_at(link->fd, total, 30000, MSG_DONTWAIT)) > 0)
			total += n;
		ASSERT_EQ(EAGAIN, errno);
	}
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total, sink.bytes);
	close(epoll);
}

/* The last record is sealed but only partly with TCP: it leaves without the sender's help. */
TEST_F_TIMEOUT(full, sealed_bytes_leave_by_themselves, 60)
{
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct signet_info info;
		struct link link;
		size_t total;

		if (shapes[i].flags & MSG_MORE)
			continue;
		ASSERT_EQ(0, link_up_shaped(&link, variant->family, variant->suite, i));
		total = fill_up(link.fd, shapes[i].step, 0);
		EXPECT_EQ(0, peer_recv_pattern(&link, 0, total))
		{
			TH_LOG("shape %zu", i);
		}
		ASSERT_EQ(0, sock_info(link.fd, &info));
		EXPECT_EQ(0, info.tx_unsent);
		EXPECT_EQ(total, info.tx_bytes);
		EXPECT_EQ(POLLOUT, poll_wait(link.fd, POLLOUT));
		link_close(&link);
	}
}

/*
 * TCP has bytes of ours, the peer's window is open, nothing is on its way: only a timer would help.
 */
static bool is_stalled(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_notsent_bytes && !info.tcpi_unacked;
}

TEST_F(full, full_buffer_is_not_corked)
{
	for (size_t sndbuf = 1; sndbuf <= 64000; sndbuf = 2 * sndbuf + 5000) {
		for (int more = 0; more < 2; more++) {
			struct link link;

			ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
			set_int_option(link.peer, SOL_SOCKET, SO_RCVBUF, 1 << 20);
			set_int_option(link.fd, SOL_SOCKET, SO_SNDBUF, sndbuf);
			for (int i = 0; i < 3; i++) {
				while (send_at(link.fd, 0, 30000,
					       MSG_DONTWAIT | (more ? MSG_MORE : 0)) == 30000)
					;
				EXPECT_FALSE(is_stalled(link.fd))
				{
					TH_LOG("SO_SNDBUF %zu, MSG_MORE %d", sndbuf, more);
				}
			}
			link_close(&link);
		}
	}
}

TEST_F(full, uring_send_waits_for_room)
{
	struct link *link = &self->link;
	size_t len = 3000000;
	uint8_t *bytes = malloc(len);
	struct sink sink;

	pattern_fill(bytes, 0, len);
	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 30000));
	ASSERT_EQ(0, sink_start(&sink, link));
	ASSERT_EQ(len / 2, uring_send(link->fd, bytes, len / 2, MSG_WAITALL));
	ASSERT_EQ(len / 2, uring_send_zc(link->fd, bytes + len / 2, len / 2, MSG_WAITALL));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(len, sink.bytes);
	free(bytes);
}

static int sendfile_all(struct worker *worker)
{
	struct link *link = worker->argument;
	int file = memfd_create("file", 0);
	size_t len = 500000, done = 0;
	uint8_t *bytes = malloc(len);
	off_t offset = 0;
	ssize_t n = -1;

	pattern_fill(bytes, 0, len);
	if (write(file, bytes, len) == (ssize_t)len) {
		while (done < len && (n = sendfile(link->fd, file, &offset, 1 << 20)) > 0)
			done += n;
	}
	free(bytes);
	close(file);
	return n < 0 ? -1 : (int)done;
}

/* The peer gets the last byte although the sender neither calls again nor closes. */
TEST_F(full, sendfile_past_the_end_is_flushed)
{
	for (int sndbuf = 5000; sndbuf < 1000000; sndbuf *= 3) {
		struct worker sender;
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, set_int_option(link.fd, SOL_SOCKET, SO_SNDBUF, sndbuf));
		ASSERT_EQ(0, worker_start(&sender, sendfile_all, &link));
		EXPECT_EQ(0, peer_recv_pattern(&link, 0, 500000));
		EXPECT_EQ(500000, worker_join(&sender));
		link_close(&link);
	}
}

/* --- blocking -------------------- */

struct sender {
	struct link *link;
	size_t step;
	int flags;
};

/* Sends until an error. Return: bytes reported as sent, with that errno. */
static int send_until_error(struct worker *worker)
{
	struct sender *sender = worker->argument;
	size_t total = 0;
	ssize_t n;

	while ((n = send_at(sender->link->fd, total, sender->step, sender->flags)) > 0)
		total += n;
	return total;
}

TEST_F_TIMEOUT(full, blocking_sends_all, 60)
{
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct sink sink;
		struct link link;
		size_t total = 0;

		ASSERT_EQ(0, link_up_shaped(&link, variant->family, variant->suite, i));
		ASSERT_EQ(0, sink_start(&sink, &link));
		while (total < 300000) {
			ASSERT_EQ(shapes[i].step,
				  send_at(link.fd, total, shapes[i].step, shapes[i].flags));
			total += shapes[i].step;
		}
		ASSERT_EQ(0, close_fd(&link));
		sink_join(&sink);
		EXPECT_TRUE(sink.intact);
		EXPECT_EQ(total, sink.bytes)
		{
			TH_LOG("shape %zu", i);
		}
		EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
		link_close(&link);
	}
}

TEST_F(full, send_timeout)
{
	struct timeval timeout = { .tv_usec = 50000 };
	struct link *link = &self->link;
	struct sender sender = { .link = link, .step = 1000000 };
	struct worker worker = { .argument = &sender };
	int total;

	ASSERT_EQ(0, setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)));
	total = send_until_error(&worker);
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_GT(total, 0);
	expect_all_arrived(_metadata, link, total);
}

static void nothing(int signal)
{
	(void)signal;
}

static void catch_signal(int signal, int flags)
{
	struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };

	sigaction(signal, &action, NULL);
}

/* A signal ends the wait: what was sent is reported, or EINTR when that is nothing. */
TEST_F(full, signal_interrupts)
{
	struct link *link = &self->link;
	struct sender sender = { .link = link, .step = 1000000 };
	struct worker worker;
	int total;

	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, worker_start(&worker, send_until_error, &sender));
	worker_signal(&worker, SYS_sendto, SIGUSR1);
	total = worker_join(&worker);
	EXPECT_EQ(EINTR, errno);
	EXPECT_GT(total, 0);
	expect_all_arrived(_metadata, link, total);
}

TEST_F(full, signal_with_restart)
{
	struct link *link = &self->link;
	struct sender sender = { .link = link, .step = 1000000 };
	struct worker worker;
	struct sink sink;
	int total;

	catch_signal(SIGUSR1, SA_RESTART);
	ASSERT_EQ(0, worker_start(&worker, send_until_error, &sender));
	for (int i = 0; i < 5; i++) {
		worker_wait_blocked(&worker, SYS_sendto);
		pthread_kill(worker.thread, SIGUSR1);
	}
	worker_wait_blocked(&worker, SYS_sendto);
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	total = worker_join(&worker);
	EXPECT_EQ(EPIPE, errno);
	sink_run(&sink, link);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total, sink.bytes);
}

/* Signals in a storm, with a reader that keeps the sender going. */
TEST_F(full, signal_storm)
{
	struct link *link = &self->link;
	struct itimerval storm = { { 0, 500 }, { 0, 500 } }, calm = {};
	size_t total = 0;
	struct sink sink;
	sigset_t set;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 20000));
	/* Only this thread is interrupted. */
	catch_signal(SIGVTALRM, 0);
	catch_signal(SIGALRM, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, sink_start(&sink, link));
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &storm, NULL));
	while (total < 2000000) {
		ssize_t n = send_at(link->fd, total, 100000, 0);

		if (n < 0)
			ASSERT_EQ(EINTR, errno);
		total += n > 0 ? n : 0;
	}
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &calm, NULL));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total, sink.bytes);
}

TEST_F(full, failure_wakes_a_sender)
{
	struct link *link = &self->link;
	struct sender sender = { .link = link, .step = 100000 };
	struct worker worker;
	struct sink sink;
	size_t total;

	ASSERT_EQ(0, worker_start(&worker, send_until_error, &sender));
	worker_wait_blocked(&worker, SYS_sendto);
	ASSERT_EQ(0, peer_send_raw(link, "\27\3\3\0\0", 5));
	EXPECT_ERRNO(EBADMSG, recv(link->fd, &sink, 1, 0));
	total = worker_join(&worker);
	EXPECT_EQ(EBADMSG, errno);
	ASSERT_EQ(0, close_fd(link));
	sink_run(&sink, link);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total, sink.bytes);
	EXPECT_EQ(FATAL(ALERT_BAD_RECORD_MAC), sink.alert);
}

TEST_F(full, reset_wakes_a_sender)
{
	struct link *link = &self->link;
	struct sender sender = { .link = link, .step = 100000 };
	struct worker worker;

	ASSERT_EQ(0, worker_start(&worker, send_until_error, &sender));
	worker_wait_blocked(&worker, SYS_sendto);
	peer_reset(link);
	worker_join(&worker);
	EXPECT_EQ(ECONNRESET, errno);
}

/* A blocked sender does not hold up the others. */
TEST_F(full, blocked_sender_leaves_the_rest_working)
{
	struct link *link = &self->link;
	struct sender sender = { .link = link, .step = 100000 };
	struct signet_info info;
	struct worker worker;

	ASSERT_EQ(0, worker_start(&worker, send_until_error, &sender));
	worker_wait_blocked(&worker, SYS_sendto);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 50000, 10000));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 50000));
	EXPECT_EQ(0, sock_info(link->fd, &info));
	peer_reset(link);
	worker_join(&worker);
}

/* --- bad addresses -------------------- */

TEST_F(full, efault_in_the_middle)
{
	struct link *link = &self->link;
	size_t page = sysconf(_SC_PAGESIZE), good = 10 * page, total = 0;
	uint8_t *pages =
		mmap(NULL, good + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sink sink;
	ssize_t n;

	ASSERT_EQ(0, munmap(pages + good, page));
	ASSERT_EQ(0, sink_start(&sink, link));
	EXPECT_ERRNO(EFAULT, send(link->fd, pages + good, 1, 0));
	EXPECT_ERRNO(EFAULT, send(link->fd, NULL, 1, 0));
	for (size_t have = 1; have <= good; have += 1 + have / 2) {
		pattern_fill(pages + good - have, total, have);
		n = send(link->fd, pages + good - have, have + 100, 0);
		if (n < 0) {
			ASSERT_EQ(EFAULT, errno);
			continue;
		}
		ASSERT_LE(n, have);
		total += n;
	}
	/* With a record that is open. */
	pattern_fill(pages, total, 100);
	ASSERT_EQ(100, send(link->fd, pages, 100, MSG_MORE));
	total += 100;
	EXPECT_ERRNO(EFAULT, send(link->fd, pages + good, 1, 0));
	pattern_fill(pages, total, 100);
	ASSERT_EQ(100, send(link->fd, pages, 100, 0));
	total += 100;
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total, sink.bytes);
}

TEST_F(full, efault_between_pieces)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	struct iovec vec[3] = { { bytes, 100 }, { (void *)16, 100 }, { bytes, 100 } };
	ssize_t n;

	pattern_fill(bytes, 0, 100);
	n = writev(link->fd, vec, 3);
	if (n < 0) {
		EXPECT_EQ(EFAULT, errno);
		n = 0;
	} else {
		EXPECT_EQ(100, n);
	}
	expect_all_arrived(_metadata, link, n);
}

/* A user that changes the buffer while it is sent gets a valid record of something. */
static volatile bool scribbling;

static int scribble(struct worker *worker)
{
	uint8_t *bytes = worker->argument;

	while (scribbling) {
		for (int i = 0; i < 16384; i += 64)
			bytes[i]++;
	}
	return 0;
}

TEST_F(full, changing_buffer_gives_valid_records)
{
	struct link *link = &self->link;
	uint8_t bytes[16384] = {}, content[RECORD_CONTENT], type;
	struct worker scribbler;

	scribbling = true;
	ASSERT_EQ(0, worker_start(&scribbler, scribble, bytes));
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(sizeof(bytes), send(link->fd, bytes, sizeof(bytes), 0));
		ASSERT_EQ(sizeof(bytes), peer_recv(link, &type, content));
	}
	scribbling = false;
	worker_join(&scribbler);
}

/* What is in the send buffer is a copy: a file that changes afterwards does not change it. */
TEST_F(full, changing_file_gives_valid_records)
{
	struct link *link = &self->link;
	int file = memfd_create("file", 0);
	uint8_t bytes[100000];
	struct sink sink;
	off_t offset = 0;

	pattern_fill(bytes, 0, sizeof(bytes));
	ASSERT_EQ(sizeof(bytes), write(file, bytes, sizeof(bytes)));
	ASSERT_EQ(sizeof(bytes), sendfile(link->fd, file, &offset, sizeof(bytes)));
	memset(bytes, 0, sizeof(bytes));
	ASSERT_EQ(sizeof(bytes), pwrite(file, bytes, sizeof(bytes), 0));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_run(&sink, link);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(sizeof(bytes), sink.bytes);
	close(file);
}

/* --- close in all this -------------------- */

/* Open and shut the peer's window while the socket goes away. */
TEST_F_TIMEOUT(full, close_while_the_window_moves, 60)
{
	for (int i = 0; i < 10; i++) {
		struct sink sink;
		struct link link;
		size_t total;

		link_segment = 1000;
		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		set_int_option(link.fd, SOL_SOCKET, SO_SNDBUF, 5000 + 9000 * i);
		set_int_option(link.peer, SOL_SOCKET, SO_RCVBUF, 2000 + 1500 * i);
		total = fill_up(link.fd, 20000, i % 2 ? MSG_MORE : 0);
		ASSERT_EQ(0, sink_start(&sink, &link));
		ASSERT_EQ(0, close_fd(&link));
		sink_join(&sink);
		EXPECT_TRUE(sink.intact);
		EXPECT_EQ(total, sink.bytes);
		EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
		EXPECT_EQ(PEER_FIN, sink.end);
		link_close(&link);
	}
}

TEST_HARNESS_MAIN
