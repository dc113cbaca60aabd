// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ends of a connection: shutdown, close, and peers that die at any byte.
 */
#include "fixture.h"

#include <stdio.h>

TLS_FIXTURE(end, link_up);
TLS_TWO_VARIANTS(end);
TLS_VARIANT(end, aes256_mapped, LINK_MAPPED, SIGNET_AES_256_GCM_SHA384);

static int close_fd(struct link *link)
{
	int ret = close(link->fd);

	link->fd = -1;
	return ret;
}

/* Sends without blocking until nothing more is taken. Return: bytes reported as sent. */
static size_t fill_up(int fd, size_t step, int flags)
{
	uint8_t *bytes = malloc(step);
	size_t total = 0;
	ssize_t n;

	do {
		pattern_fill(bytes, total, step);
		n = send(fd, bytes, step, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
		total += n > 0 ? n : 0;
	} while (n > 0);
	free(bytes);
	return total;
}

static void expect_stream(struct __test_metadata *_metadata, struct link *link, size_t bytes,
			  int alert, int end)
{
	struct sink sink;

	sink_run(&sink, link);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(bytes, sink.bytes);
	EXPECT_EQ(alert, sink.alert);
	EXPECT_EQ(end, sink.end);
}

/* --- close_notify -------------------- */

TEST_F(end, shutdown_sends_close_notify)
{
	struct link *link = &self->link;
	struct signet_info info;

	ASSERT_EQ(0, send_pattern(link->fd, 0, 100));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_DIRECTION_CLOSED, info.tx_state);
	EXPECT_EQ(SIGNET_DIRECTION_OPEN, info.rx_state);
	EXPECT_EQ(CLOSE_NOTIFY, info.alert_sent);
	expect_stream(_metadata, link, 100, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F(end, close_sends_close_notify)
{
	ASSERT_EQ(0, send_pattern(self->link.fd, 0, 100));
	ASSERT_EQ(0, close_fd(&self->link));
	expect_stream(_metadata, &self->link, 100, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F(end, close_at_once_sends_close_notify)
{
	ASSERT_EQ(0, close_fd(&self->link));
	expect_stream(_metadata, &self->link, 0, CLOSE_NOTIFY, PEER_FIN);
}

static void exit_of_process(struct __test_metadata *_metadata, struct link *link, int how)
{
	pid_t child = fork();

	if (!child) {
		close(link->peer);
		if (send_pattern(link->fd, 0, 1000))
			_exit(1);
		if (how)
			raise(how);
		_exit(0);
	}
	close_fd(link);
	expect_stream(_metadata, link, 1000, CLOSE_NOTIFY, PEER_FIN);
	EXPECT_EQ(child, waitpid(child, NULL, 0));
}

TEST_F(end, exit_sends_close_notify)
{
	exit_of_process(_metadata, &self->link, 0);
}

TEST_F(end, kill_sends_close_notify)
{
	exit_of_process(_metadata, &self->link, SIGKILL);
}

TEST_F(end, shutdown_sends_what_msg_more_left)
{
	struct link *link = &self->link;
	uint8_t bytes[100];

	pattern_fill(bytes, 0, 100);
	ASSERT_EQ(100, send(link->fd, bytes, 100, MSG_MORE));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	expect_stream(_metadata, link, 100, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F(end, close_sends_what_msg_more_left)
{
	struct link *link = &self->link;
	uint8_t bytes[20000];

	pattern_fill(bytes, 0, sizeof(bytes));
	ASSERT_EQ(20000, send(link->fd, bytes, 20000, MSG_MORE));
	ASSERT_EQ(0, close_fd(link));
	expect_stream(_metadata, link, 20000, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F(end, close_with_a_full_send_buffer)
{
	struct link *link = &self->link;
	size_t total = fill_up(link->fd, 50000, 0);

	ASSERT_EQ(0, close_fd(link));
	expect_stream(_metadata, link, total, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F(end, close_with_a_full_small_send_buffer)
{
	struct link link;
	size_t total;

	link_segment = 536;
	ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
	ASSERT_EQ(0, set_int_option(link.fd, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(0, set_int_option(link.peer, SOL_SOCKET, SO_RCVBUF, 1));
	total = fill_up(link.fd, 7777, MSG_MORE);
	ASSERT_EQ(0, close_fd(&link));
	expect_stream(_metadata, &link, total, CLOSE_NOTIFY, PEER_FIN);
	link_close(&link);
}

TEST_F(end, shutdown_with_a_full_send_buffer)
{
	struct link *link = &self->link;
	struct signet_info info;
	size_t total;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 20000));
	total = fill_up(link->fd, 50000, 0);
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(0, info.tx_unsent);
	EXPECT_ERRNO(EPIPE, send(link->fd, "x", 1, MSG_NOSIGNAL));
	expect_stream(_metadata, link, total, CLOSE_NOTIFY, PEER_FIN);
	/* The other direction still works. */
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
}

TEST_F(end, close_with_notsent_lowat)
{
	struct link *link = &self->link;
	size_t total;

	ASSERT_EQ(0, set_int_option(link->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1));
	total = fill_up(link->fd, 50000, 0);
	ASSERT_EQ(0, close_fd(link));
	expect_stream(_metadata, link, total, CLOSE_NOTIFY, PEER_FIN);
}

/* --- unread input at close -------------------- */

TEST_F(end, unread_ticket_does_not_reset)
{
	struct link *link = &self->link;
	uint8_t ticket[104] = { MESSAGE_NEW_SESSION_TICKET, 0, 0, 100 };

	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)));
	wait_received(link->fd, 2 * (104 + RECORD_OVERHEAD));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 50000));
	ASSERT_EQ(0, close_fd(link));
	expect_stream(_metadata, link, 50000, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F(end, unread_close_notify_does_not_reset)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	wait_received(link->fd, 2 + RECORD_OVERHEAD);
	ASSERT_EQ(0, send_pattern(link->fd, 0, 1000));
	ASSERT_EQ(0, close_fd(link));
	expect_stream(_metadata, link, 1000, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F(end, what_follows_close_notify_does_not_reset)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 1000));
	wait_received(link->fd, 1000);
	ASSERT_EQ(0, send_pattern(link->fd, 0, 1000));
	ASSERT_EQ(0, close_fd(link));
	expect_stream(_metadata, link, 1000, CLOSE_NOTIFY, PEER_FIN);
}

static void expect_reset(struct __test_metadata *_metadata, struct link *link)
{
	struct sink sink;

	ASSERT_EQ(0, close_fd(link));
	sink_run(&sink, link);
	EXPECT_EQ(PEER_RESET, sink.end);
}

TEST_F(end, unread_data_resets)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 1000));
	wait_received(link->fd, 1000 + RECORD_OVERHEAD);
	expect_reset(_metadata, link);
}

TEST_F(end, half_read_data_resets)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 1000));
	ASSERT_EQ(0, recv_pattern(link->fd, 0, 999));
	expect_reset(_metadata, link);
}

TEST_F(end, unread_data_behind_a_ticket_resets)
{
	struct link *link = &self->link;
	uint8_t ticket[104] = { MESSAGE_NEW_SESSION_TICKET, 0, 0, 100 };

	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	wait_received(link->fd, 114 + 2 * RECORD_OVERHEAD);
	expect_reset(_metadata, link);
}

TEST_F(end, gated_close_with_unread_input_resets)
{
	struct link link;

	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&link));
	ASSERT_EQ(0, peer_send_pattern(&link, 0, 10, 10));
	wait_received(link.fd, 10 + RECORD_OVERHEAD);
	expect_reset(_metadata, &link);
	link_close(&link);
}

/* --- SO_LINGER -------------------- */

static void set_linger(int fd, int seconds)
{
	struct linger linger = { .l_onoff = 1, .l_linger = seconds };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

TEST_F(end, linger_0_resets)
{
	set_linger(self->link.fd, 0);
	ASSERT_EQ(0, send_pattern(self->link.fd, 0, 10));
	expect_reset(_metadata, &self->link);
}

static int lingering_close(struct worker *worker)
{
	return close_fd(worker->argument);
}

TEST_F(end, linger_waits_until_all_is_read)
{
	struct link *link = &self->link;
	struct worker closer;
	size_t total;

	set_linger(link->fd, 20);
	total = fill_up(link->fd, 50000, 0);
	ASSERT_EQ(0, worker_start(&closer, lingering_close, link));
	worker_wait_blocked(&closer, SYS_close);
	expect_stream(_metadata, link, total, CLOSE_NOTIFY, PEER_FIN);
	close(link->peer);
	link->peer = -1;
	EXPECT_EQ(0, worker_join(&closer));
}

TEST_F(end, linger_gives_up)
{
	struct link *link = &self->link;
	size_t total;

	set_linger(link->fd, 1);
	total = fill_up(link->fd, 50000, 0);
	ASSERT_EQ(0, close_fd(link));
	expect_stream(_metadata, link, total, CLOSE_NOTIFY, PEER_FIN);
}

/* --- shutdown -------------------- */

TEST_F(end, send_after_shutdown)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_ERRNO(EPIPE, send(link->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERRNO(EPIPE, send(link->fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	EXPECT_ERRNO(EPIPE, write(link->fd, "x", 1));
	EXPECT_EQ(POLLOUT, poll_now(link->fd, POLLOUT) & POLLOUT);
	expect_stream(_metadata, link, 0, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F_SIGNAL(end, send_after_shutdown_raises_sigpipe, SIGPIPE)
{
	signal(SIGPIPE, SIG_DFL);
	ASSERT_EQ(0, shutdown(self->link.fd, SHUT_WR));
	EXPECT_EQ(-1, send(self->link.fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(-2, write(self->link.fd, "x", 1));
}

TEST_F(end, twice_is_as_tcp)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(0, shutdown(link->fd, SHUT_RDWR));
	expect_stream(_metadata, link, 0, CLOSE_NOTIFY, PEER_FIN);
	EXPECT_ERRNO(EINVAL, shutdown(link->fd, 17));
	ASSERT_EQ(0, close_fd(link));
}

TEST_F(end, shutdown_of_reading)
{
	struct link *link = &self->link;
	uint8_t byte;

	ASSERT_EQ(0, shutdown(link->fd, SHUT_RD));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
	EXPECT_EQ(0, send_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 100));
	EXPECT_TRUE(peer_saw_nothing(link));
	/* As with TCP, what comes all the same can be read. */
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	wait_received(link->fd, 10 + RECORD_OVERHEAD);
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
}

static int read_one(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t byte;

	return recv(link->fd, &byte, 1, 0);
}

TEST_F(end, shutdown_wakes_a_reader)
{
	struct worker reader;

	ASSERT_EQ(0, worker_start(&reader, read_one, &self->link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, shutdown(self->link.fd, SHUT_RD));
	EXPECT_EQ(0, worker_join(&reader));
}

static int send_much(struct worker *worker)
{
	struct link *link = worker->argument;
	int total = 0;
	ssize_t n;
	uint8_t bytes[10000];

	for (;;) {
		pattern_fill(bytes, total, sizeof(bytes));
		n = send(link->fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		if (n < 0)
			return total;
		total += n;
	}
}

TEST_F(end, shutdown_wakes_a_writer)
{
	struct link *link = &self->link;
	struct worker writer;
	int total;

	ASSERT_EQ(0, worker_start(&writer, send_much, link));
	worker_wait_blocked(&writer, SYS_sendto);
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	total = worker_join(&writer);
	EXPECT_EQ(EPIPE, errno);
	expect_stream(_metadata, link, total, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F(end, half_close_by_the_peer)
{
	struct link *link = &self->link;
	uint8_t byte;

	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	ASSERT_EQ(0, peer_fin(link));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
	EXPECT_EQ(0, send_pattern(link->fd, 0, 30000));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	expect_stream(_metadata, link, 30000, CLOSE_NOTIFY, PEER_FIN);
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
}

TEST_F(end, half_close_by_us)
{
	struct link *link = &self->link;
	struct signet_info info;
	uint8_t byte;

	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	expect_stream(_metadata, link, 0, CLOSE_NOTIFY, PEER_FIN);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 30000, 10000));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 30000));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_STATE_CLOSED, info.state);
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
	EXPECT_ERRNO(EPIPE, send(link->fd, "x", 1, MSG_NOSIGNAL));
}

/* --- a peer that dies -------------------- */

TEST_F(end, fin_without_close_notify)
{
	struct link *link = &self->link;
	struct signet_info info;
	uint8_t byte;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, peer_fin(link));
	wait_state(link->fd, STATE_CLOSE_WAIT);
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(POLLIN, poll_now(link->fd, POLLIN) & POLLIN);
		EXPECT_ERRNO(ECONNABORTED, recv(link->fd, &byte, 1, 0));
	}
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(ECONNABORTED, info.error);
	EXPECT_EQ(SIGNET_REASON_TRUNCATED, info.reason);
	/* Sending goes on. */
	EXPECT_EQ(0, send_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 100));
	ASSERT_EQ(0, close_fd(link));
	expect_stream(_metadata, link, 0, CLOSE_NOTIFY, PEER_FIN);
}

TEST_F(end, reset_is_for_good)
{
	struct link *link = &self->link;
	struct signet_info info;
	uint8_t byte;

	peer_reset(link);
	wait_state(link->fd, STATE_CLOSE);
	EXPECT_EQ(POLLERR | POLLHUP, poll_now(link->fd, 0));
	for (int i = 0; i < 3; i++) {
		EXPECT_ERRNO(ECONNRESET, send(link->fd, &byte, 1, MSG_NOSIGNAL));
		EXPECT_ERRNO(ECONNRESET, recv(link->fd, &byte, 1, 0));
	}
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(ECONNRESET, info.error);
	EXPECT_EQ(SIGNET_REASON_RESET, info.reason);
	EXPECT_EQ(POLLERR | POLLHUP, poll_now(link->fd, 0));
}

TEST_F(end, reset_wakes_reader_and_writer)
{
	struct link *link = &self->link;
	struct worker reader, writer;

	ASSERT_EQ(0, worker_start(&reader, read_one, link));
	ASSERT_EQ(0, worker_start(&writer, send_much, link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	worker_wait_blocked(&writer, SYS_sendto);
	peer_reset(link);
	EXPECT_EQ(-1, worker_join(&reader));
	EXPECT_EQ(ECONNRESET, errno);
	worker_join(&writer);
	EXPECT_EQ(ECONNRESET, errno);
}

/* The administrator ends the connection: ss -K. */
TEST_F(end, killed_by_the_administrator)
{
	struct link *link = &self->link;
	struct sockaddr_storage name;
	struct signet_info info;
	socklen_t len = sizeof(name);
	struct worker reader;
	char command[100];
	int error;

	ASSERT_EQ(0, getsockname(link->fd, (struct sockaddr *)&name, &len));
	snprintf(command, sizeof(command), "ss -K -t sport = :%d >/dev/null",
		 ntohs(((struct sockaddr_in *)&name)->sin_port));
	ASSERT_EQ(0, worker_start(&reader, read_one, link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, system(command));
	if (tcp_state(link->fd) == STATE_ESTABLISHED)
		SKIP(return, "this kernel lets nobody end connections (INET_DIAG_DESTROY)");
	EXPECT_EQ(-1, worker_join(&reader));
	error = errno;
	EXPECT_TRUE(error == ECONNABORTED || error == ECONNRESET);
	EXPECT_ERRNO(error, recv(link->fd, &info, 1, 0));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_REASON_RESET, info.reason);
	EXPECT_EQ(PEER_RESET, peer_recv_end(link));
}

/*
 * The peer sends @cut bytes of two records of 20 bytes, then ends. What was complete is read,
 * then the end is an error that says so; whether it came before the keys or after.
 */
static void run_cut(struct __test_metadata *_metadata, enum link_family family, uint16_t suite,
		    size_t cut, bool reset, bool before_keys)
{
	int error = reset ? ECONNRESET : ECONNABORTED;
	uint8_t records[200], content[100];
	struct link link;
	size_t len = 0, complete;

	ASSERT_EQ(0, link_open(&link, family, suite));
	ASSERT_EQ(0, link_attach(&link));
	for (int i = 0; i < 2; i++) {
		pattern_fill(content, 20 * i, 20);
		len += record_seal(&link.to_fd, TYPE_DATA, content, 20, 0, records + len);
	}
	complete = cut / (20 + RECORD_OVERHEAD) * 20;
	if (!before_keys)
		ASSERT_EQ(0, link_install(&link));
	ASSERT_EQ(0, peer_send_raw(&link, records, cut));
	wait_received(link.fd, cut);
	if (reset)
		peer_reset(&link);
	else
		ASSERT_EQ(0, peer_fin(&link));
	wait_state(link.fd, reset ? STATE_CLOSE : STATE_CLOSE_WAIT);
	if (before_keys && reset) {
		EXPECT_ERRNO(ENOTCONN, link_install(&link));
	} else {
		if (before_keys)
			ASSERT_EQ(0, link_install(&link));
		EXPECT_EQ(0, recv_pattern(link.fd, 0, complete));
		EXPECT_ERRNO(error, recv(link.fd, content, 100, 0));
		EXPECT_ERRNO(error, recv(link.fd, content, 100, 0));
	}
	link_close(&link);
}

static void run_cuts(struct __test_metadata *_metadata, enum link_family family, uint16_t suite,
		     bool reset, bool before_keys)
{
	for (size_t cut = 0; cut <= 2 * (20 + RECORD_OVERHEAD); cut++) {
		run_cut(_metadata, family, suite, cut, reset, before_keys);
		if (_metadata->exit_code) {
			TH_LOG("after %zu bytes", cut);
			break;
		}
	}
}

TEST_F_TIMEOUT(end, fin_after_every_byte, 60)
{
	run_cuts(_metadata, variant->family, variant->suite, false, false);
}

TEST_F_TIMEOUT(end, reset_after_every_byte, 60)
{
	run_cuts(_metadata, variant->family, variant->suite, true, false);
}

TEST_F_TIMEOUT(end, fin_after_every_byte_before_the_keys, 60)
{
	run_cuts(_metadata, variant->family, variant->suite, false, true);
}

TEST_F_TIMEOUT(end, reset_after_every_byte_before_the_keys, 60)
{
	run_cuts(_metadata, variant->family, variant->suite, true, true);
}

static int read_to_the_end(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[100];
	int total = 0;
	ssize_t n;

	while ((n = recv(link->fd, bytes, sizeof(bytes), 0)) > 0) {
		if (!pattern_matches(bytes, total, n))
			return -1;
		total += n;
	}
	return n ? total : -1;
}

/* As above, with a reader that sleeps in recv() all the time. */
TEST_F_TIMEOUT(end, blocked_reader_sees_the_end_after_every_byte, 60)
{
	for (size_t cut = 0; cut <= 20 + RECORD_OVERHEAD; cut++) {
		uint8_t record[100], content[20];
		struct worker reader;
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		pattern_fill(content, 0, 20);
		ASSERT_LT(0, record_seal(&link.to_fd, TYPE_DATA, content, 20, 0, record));
		ASSERT_EQ(0, worker_start(&reader, read_to_the_end, &link));
		ASSERT_EQ(0, peer_send_raw(&link, record, cut));
		worker_wait_blocked(&reader, SYS_recvfrom);
		if (cut % 2)
			peer_reset(&link);
		else
			ASSERT_EQ(0, peer_fin(&link));
		EXPECT_EQ(cut == 20 + RECORD_OVERHEAD ? 20 : 0, worker_join(&reader));
		EXPECT_EQ(cut % 2 ? ECONNRESET : ECONNABORTED, errno);
		link_close(&link);
	}
}

/* The FIN comes in the same segment as the last byte of the record, or alone. */
TEST_F(end, fin_with_the_last_segment)
{
	struct link *link = &self->link;
	uint8_t byte;

	set_int_option(link->peer, IPPROTO_TCP, TCP_NODELAY, 0);
	set_int_option(link->peer, IPPROTO_TCP, TCP_CORK, 1);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	ASSERT_EQ(0, peer_fin(link));
	wait_state(link->fd, STATE_CLOSE_WAIT);
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_ERRNO(ECONNABORTED, recv(link->fd, &byte, 1, 0));
}

TEST_F(end, close_notify_and_fin_in_one_segment)
{
	struct link *link = &self->link;
	uint8_t byte;

	set_int_option(link->peer, IPPROTO_TCP, TCP_NODELAY, 0);
	set_int_option(link->peer, IPPROTO_TCP, TCP_CORK, 1);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	ASSERT_EQ(0, peer_fin(link));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
}

TEST_HARNESS_MAIN
