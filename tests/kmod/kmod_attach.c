// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching: on which sockets, and that nothing passes until there are keys.
 */
#include "fixture.h"

#include <linux/bpf.h>
#include <sched.h>
#include <sys/epoll.h>

#include "calls.h"

TLS_FIXTURE(attach, link_open);
TLS_TWO_VARIANTS(attach);
TLS_VARIANT(attach, aes128_mapped, LINK_MAPPED, SIGNET_AES_128_GCM_SHA256);

static int link_open_attached(struct link *link, enum link_family family, uint16_t suite)
{
	return link_open(link, family, suite) || link_attach(link) ? -1 : 0;
}

TLS_FIXTURE(gated, link_open_attached);
TLS_TWO_VARIANTS(gated);
TLS_VARIANT(gated, aes128_mapped, LINK_MAPPED, SIGNET_AES_128_GCM_SHA256);

/* Keys can be installed, and what the peer sees first is record 0. */
static bool works_from_record_0(struct link *link)
{
	uint8_t type, content[RECORD_CONTENT];

	if (link_install(link) || send(link->fd, "first", 5, 0) != 5)
		return false;
	return peer_recv(link, &type, content) == 5 && type == TYPE_DATA &&
	       !memcmp(content, "first", 5) && link->from_fd.sequence == 1;
}

/* --- on which sockets -------------------- */

TEST_F(attach, connected_socket)
{
	struct signet_info info;

	ASSERT_EQ(0, link_attach(&self->link));
	ASSERT_EQ(0, sock_info(self->link.fd, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(SIGNET_STATE_GATED, info.state);
	EXPECT_EQ(SIGNET_DIRECTION_UNKEYED, info.tx_state);
	EXPECT_EQ(SIGNET_DIRECTION_UNKEYED, info.rx_state);
	EXPECT_EQ(0, info.version);
	EXPECT_EQ(0, info.tx_suite);
	EXPECT_EQ(0, info.rx_suite);
	EXPECT_EQ(SIGNET_REASON_NONE, info.reason);
	EXPECT_TRUE(works_from_record_0(&self->link));
}

TEST_F(attach, accepted_socket)
{
	struct link *link = &self->link;
	int fd = link->fd;

	link->fd = link->peer;
	link->peer = fd;
	ASSERT_EQ(0, link_attach(link));
	EXPECT_TRUE(works_from_record_0(link));
}

TEST_F(attach, twice_is_refused)
{
	ASSERT_EQ(0, link_attach(&self->link));
	EXPECT_ERRNO(EEXIST, link_attach(&self->link));
	ASSERT_EQ(0, link_install(&self->link));
	EXPECT_ERRNO(EEXIST, link_attach(&self->link));
	EXPECT_EQ(0, send_pattern(self->link.fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(&self->link, 0, 100));
}

TEST_F(attach, ulp_name_is_reported)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, link_attach(&self->link));
	ASSERT_EQ(0, getsockopt(self->link.fd, IPPROTO_TCP, TCP_ULP, name, &len));
	EXPECT_STREQ("signet", name);
}

TEST_F(attach, options_before_attach_are_unknown)
{
	struct signet_info info;

	EXPECT_ERRNO(ENOPROTOOPT, link_install(&self->link));
	EXPECT_NE(0, sock_info(self->link.fd, &info));
}

TEST_F(attach, unconnected_then_connect)
{
	int family = variant->family == LINK_IPV4 ? AF_INET : AF_INET6;
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	struct link *link = &self->link;
	int listener = socket(family, SOCK_STREAM, 0);

	close(link->fd);
	close(link->peer);
	/* Any address of the host is this one over loopback. */
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&address, &len));

	link->fd = socket(family, SOCK_STREAM, 0);
	ASSERT_EQ(0, link_attach(link));
	EXPECT_ERRNO(ENOTCONN, link_install(link));
	EXPECT_ERRNO(ENOTCONN, send(link->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERRNO(ENOTCONN, recv(link->fd, &len, 1, 0));
	ASSERT_EQ(0, connect(link->fd, (struct sockaddr *)&address, len));
	link->peer = accept(listener, NULL, NULL);
	close(listener);
	EXPECT_ERRNO(ENOTCONN, send(link->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_TRUE(works_from_record_0(link));
}

TEST_F(attach, while_connecting)
{
	int family = variant->family == LINK_IPV4 ? AF_INET : AF_INET6;
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	struct link *link = &self->link;
	int listener = socket(family, SOCK_STREAM, 0);
	int first, second, error = -1;

	close(link->fd);
	close(link->peer);
	ASSERT_EQ(0, listen(listener, 0));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&address, &len));
	/* The queue is full: the next connection waits until one is accepted. */
	first = socket(family, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(first, (struct sockaddr *)&address, len));
	link->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ASSERT_EQ(-1, connect(link->fd, (struct sockaddr *)&address, len));
	ASSERT_EQ(EINPROGRESS, errno);
	ASSERT_EQ(0, link_attach(link));
	EXPECT_EQ(0, poll_now(link->fd, POLLIN | POLLOUT));
	EXPECT_ERRNO(ENOTCONN, send(link->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERRNO(ENOTCONN, link_install(link));

	second = accept(listener, NULL, NULL);
	set_nonblocking(link->fd, false);
	/* Waits for the connection that is under way. */
	EXPECT_TRUE(!connect(link->fd, (struct sockaddr *)&address, len) || errno == EISCONN);
	len = sizeof(error);
	EXPECT_EQ(0, getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len));
	EXPECT_EQ(0, error);
	link->peer = accept(listener, NULL, NULL);
	EXPECT_TRUE(works_from_record_0(link));
	close(first);
	close(second);
	close(listener);
}

TEST_F(attach, failed_connect_leaves_a_socket_that_closes)
{
	int family = variant->family == LINK_IPV4 ? AF_INET : AF_INET6;
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int listener = socket(family, SOCK_STREAM, 0);
	int fd = socket(family, SOCK_STREAM, 0);

	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&address, &len));
	close(listener);
	ASSERT_EQ(0, ulp_attach(fd));
	EXPECT_ERRNO(ECONNREFUSED, connect(fd, (struct sockaddr *)&address, len));
	EXPECT_ERRNO(ENOTCONN, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, close(fd));
}

TEST_F(attach, closed_connection_is_refused)
{
	char byte;

	ASSERT_EQ(0, peer_fin(&self->link));
	ASSERT_EQ(0, recv(self->link.fd, &byte, 1, 0));
	ASSERT_EQ(0, shutdown(self->link.fd, SHUT_WR));
	wait_state(self->link.fd, STATE_CLOSE);
	EXPECT_ERRNO(ENOTCONN, link_attach(&self->link));
}

TEST_F(attach, reset_connection_is_refused)
{
	peer_reset(&self->link);
	wait_state(self->link.fd, STATE_CLOSE);
	EXPECT_ERRNO(ENOTCONN, link_attach(&self->link));
}

TEST_F(attach, half_closed_by_us_is_refused)
{
	ASSERT_EQ(0, shutdown(self->link.fd, SHUT_WR));
	EXPECT_ERRNO(ENOTCONN, link_attach(&self->link));
}

TEST_F(attach, other_protocols_are_refused)
{
	int fd = socket(variant->family == LINK_IPV4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);

	EXPECT_EQ(-1, ulp_attach(fd));
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT_EQ(-1, ulp_attach(fd));
	close(fd);
}

/* --- what was under way at the attach -------------------- */

TEST_F(attach, queued_ciphertext_is_processed)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 40000, 10000));
	wait_received(link->fd, 40000);
	ASSERT_EQ(0, link_attach(link));
	EXPECT_ERRNO(ENOTCONN, recv(link->fd, &errno, 1, 0));
	ASSERT_EQ(0, link_install(link));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 40000));
}

TEST_F(attach, queued_half_record_is_processed)
{
	struct link *link = &self->link;
	uint8_t record[RECORD_BUFFER], content[1000];
	int n;

	pattern_fill(content, 0, sizeof(content));
	n = record_seal(&link->to_fd, TYPE_DATA, content, sizeof(content), 0, record);
	ASSERT_EQ(0, peer_send_raw(link, record, n / 2));
	wait_received(link->fd, n / 2);
	ASSERT_EQ(0, link_attach(link));
	ASSERT_EQ(0, link_install(link));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, content, 1, MSG_DONTWAIT));
	ASSERT_EQ(0, peer_send_raw(link, record + n / 2, n - n / 2));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 1000));
}

TEST_F(attach, after_the_peers_close_notify_and_fin)
{
	struct link *link = &self->link;
	char byte;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	ASSERT_EQ(0, peer_fin(link));
	wait_state(link->fd, STATE_CLOSE_WAIT);
	ASSERT_EQ(0, link_attach(link));
	EXPECT_FALSE(poll_now(link->fd, POLLIN | POLLOUT) & (POLLIN | POLLOUT));
	ASSERT_EQ(0, link_install(link));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
	EXPECT_EQ(0, send_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 100));
}

TEST_F(attach, unsent_plaintext_goes_first)
{
	struct link *link = &self->link;
	size_t sent = 0, received = 0;
	uint8_t chunk[8192];
	ssize_t n;

	do {
		pattern_fill(chunk, sent, sizeof(chunk));
		n = send(link->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		sent += n > 0 ? n : 0;
	} while (n > 0);
	ASSERT_EQ(0, link_attach(link));
	ASSERT_EQ(0, link_install(link));
	while (received < sent) {
		size_t want = sent - received < sizeof(chunk) ? sent - received : sizeof(chunk);

		n = recv(link->peer, chunk, want, 0);
		ASSERT_GT(n, 0);
		ASSERT_TRUE(pattern_matches(chunk, received, n));
		received += n;
	}
	EXPECT_EQ(0, send_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 100));
}

static int read_once(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[4096];

	return recv(link->fd, bytes, sizeof(bytes), 0);
}

/* Its call began before the attach, so it may take ciphertext; but that must not go unnoticed. */
TEST_F(attach, blocked_reader_cannot_steal_unnoticed)
{
	struct link *link = &self->link;
	struct worker reader;
	uint8_t byte;

	ASSERT_EQ(0, worker_start(&reader, read_once, link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, link_attach(link));
	ASSERT_EQ(0, link_install(link));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	if (worker_join(&reader) > 0) {
		EXPECT_ERRNO(EBADFD, recv(link->fd, &byte, 1, 0));
		EXPECT_ERRNO(EBADFD, send(link->fd, &byte, 1, MSG_NOSIGNAL));
	} else {
		EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	}
}

static int send_plain(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[65536] = {};
	int total = 0;
	ssize_t n;

	do {
		n = send(link->fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		total += n > 0 ? n : 0;
	} while (n > 0);
	return total;
}

TEST_F(attach, blocked_sender_makes_it_busy)
{
	struct link *link = &self->link;
	struct worker sender;

	ASSERT_EQ(0, worker_start(&sender, send_plain, link));
	worker_wait_blocked(&sender, SYS_sendto);
	EXPECT_ERRNO(EBUSY, link_attach(link));
	close(link->peer);
	link->peer = -1;
	worker_join(&sender);
}

static int drain(int fd, int flags)
{
	uint8_t bytes[65536];
	int total = 0;
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), flags)) > 0)
		total += n;
	return total;
}

/*
 * What it sent before the attach goes out whole, and nothing afterwards. A call that had begun
 * before may go on behind the module's back, which fails the socket.
 */
TEST_F(attach, racing_sender_sends_what_it_reports)
{
	struct link link;

	for (int i = 0; i < 10; i++) {
		struct worker sender;
		int arrived = 0, reported;

		ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
		ASSERT_EQ(0, worker_start(&sender, send_plain, &link));
		while (!sender.tid)
			sched_yield();
		while (link_attach(&link)) {
			ASSERT_EQ(EBUSY, errno);
			arrived += drain(link.peer, MSG_DONTWAIT);
		}
		reported = worker_join(&sender);
		EXPECT_TRUE(errno == ENOTCONN || errno == EBADFD);
		shutdown(link.fd, SHUT_WR);
		arrived += drain(link.peer, 0);
		EXPECT_EQ(reported, arrived);
		link_close(&link);
	}
}

/* --- gated -------------------- */

TEST_F(gated, no_call_sends)
{
	uint8_t bytes[1000];

	pattern_fill(bytes, 0, sizeof(bytes));
	for (const struct send_call *call = send_calls; call->name; call++) {
		EXPECT_EQ(-1, call->call(self->link.fd, bytes, sizeof(bytes)))
		{
			TH_LOG("%s", call->name);
		}
		EXPECT_EQ(ENOTCONN, errno)
		{
			TH_LOG("%s: %s", call->name, strerror(errno));
		}
		EXPECT_TRUE(peer_saw_nothing(&self->link));
	}
	EXPECT_TRUE(works_from_record_0(&self->link));
}

TEST_F(gated, no_flag_sends)
{
	static const int flags[] = {
		MSG_MORE,    MSG_EOR,	   MSG_OOB,	 MSG_DONTROUTE, MSG_CONFIRM,
		MSG_WAITALL, MSG_FASTOPEN, MSG_ZEROCOPY, MSG_BATCH,	MSG_SYN,
		MSG_FIN,     MSG_RST,	   MSG_PROXY,	 MSG_TRUNC,
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		EXPECT_EQ(-1, send(self->link.fd, "x", 1, MSG_NOSIGNAL | flags[i]))
		{
			TH_LOG("flag %#x", flags[i]);
		}
		EXPECT_TRUE(errno == ENOTCONN || errno == EOPNOTSUPP)
		{
			TH_LOG("flag %#x: %s", flags[i], strerror(errno));
		}
		EXPECT_TRUE(peer_saw_nothing(&self->link));
	}
	EXPECT_TRUE(works_from_record_0(&self->link));
}

TEST_F(gated, no_call_receives)
{
	struct link *link = &self->link;
	uint8_t bytes[1000];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 1000));
	wait_received(link->fd, 1000 + RECORD_OVERHEAD);
	for (const struct recv_call *call = recv_calls; call->name; call++) {
		EXPECT_EQ(-1, call->call(link->fd, bytes, sizeof(bytes)))
		{
			TH_LOG("%s", call->name);
		}
		EXPECT_EQ(ENOTCONN, errno)
		{
			TH_LOG("%s: %s", call->name, strerror(errno));
		}
	}
	EXPECT_ERRNO(ENOTCONN, recv(link->fd, bytes, 1, MSG_PEEK));
	EXPECT_ERRNO(ENOTCONN, recv(link->fd, NULL, 1, MSG_TRUNC));
	EXPECT_EQ(-1, recv(link->fd, bytes, 1, MSG_OOB));
	EXPECT_EQ(-1, recv(link->fd, bytes, 1, MSG_ERRQUEUE));
	ASSERT_EQ(0, link_install(link));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 1000));
}

TEST_F(gated, urgent_data_is_not_readable)
{
	char byte;

	ASSERT_EQ(1, send(self->link.peer, "u", 1, MSG_OOB));
	wait_received(self->link.fd, 1);
	EXPECT_EQ(-1, recv(self->link.fd, &byte, 1, MSG_OOB));
	EXPECT_ERRNO(ENOTCONN, recv(self->link.fd, &byte, 1, 0));
}

TEST_F(gated, ciphertext_is_not_counted_or_mapped)
{
	struct link *link = &self->link;
	int n = -1;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 8192, 8192));
	wait_received(link->fd, 8192);
	EXPECT_EQ(0, ioctl(link->fd, SIOCINQ, &n));
	EXPECT_EQ(0, n);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, link->fd, 0));
}

TEST_F(gated, poll_says_nothing)
{
	struct link *link = &self->link;

	EXPECT_EQ(0, poll_now(link->fd, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	wait_received(link->fd, 100);
	EXPECT_EQ(0, poll_now(link->fd, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM));
	ASSERT_EQ(0, link_install(link));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(link->fd, POLLIN | POLLOUT));
}

static int wait_for_events(struct worker *worker)
{
	struct link *link = worker->argument;

	return poll_wait(link->fd, POLLIN | POLLOUT);
}

TEST_F(gated, install_wakes_poll)
{
	struct link *link = &self->link;
	struct worker poller;

	ASSERT_EQ(0, worker_start(&poller, wait_for_events, link));
	worker_wait_blocked(&poller, SYS_poll);
	ASSERT_EQ(0, link_install(link));
	EXPECT_EQ(POLLOUT, worker_join(&poller));
}

TEST_F(gated, install_with_queued_data_wakes_epoll_et)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct link *link = &self->link;
	int epoll = epoll_create1(0);

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	wait_received(link->fd, 100);
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(0, link_install(link));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, -1));
	EXPECT_EQ(EPOLLIN, event.events);
	close(epoll);
}

TEST_F(gated, close_sends_only_a_fin)
{
	close(self->link.fd);
	self->link.fd = -1;
	EXPECT_EQ(PEER_FIN, peer_recv_end(&self->link));
}

TEST_F(gated, shutdown_sends_only_a_fin)
{
	EXPECT_EQ(0, shutdown(self->link.fd, SHUT_WR));
	EXPECT_EQ(PEER_FIN, peer_recv_end(&self->link));
	EXPECT_ERRNO(ENOTCONN, link_install(&self->link));
}

TEST_F(gated, peer_fin_and_reset_are_survived)
{
	char byte;

	ASSERT_EQ(0, peer_fin(&self->link));
	wait_state(self->link.fd, STATE_CLOSE_WAIT);
	EXPECT_ERRNO(ENOTCONN, recv(self->link.fd, &byte, 1, 0));
	EXPECT_FALSE(poll_now(self->link.fd, POLLIN | POLLOUT) & (POLLIN | POLLOUT));
	peer_reset(&self->link);
	wait_state(self->link.fd, STATE_CLOSE);
	EXPECT_EQ(-1, recv(self->link.fd, &byte, 1, 0));
	EXPECT_ERRNO(ENOTCONN, link_install(&self->link));
}

/* --- ways round the gate -------------------- */

static void refused_options(struct __test_metadata *_metadata, struct link *link)
{
	static const int options[] = {
		TCP_REPAIR,
		TCP_REPAIR_QUEUE,
		TCP_QUEUE_SEQ,
		TCP_FASTOPEN_CONNECT,
	};
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	uint8_t zerocopy[128] = {};
	socklen_t len = 64;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		EXPECT_EQ(-1, set_int_option(link->fd, IPPROTO_TCP, options[i], 1))
		{
			TH_LOG("option %d", options[i]);
		}
		EXPECT_EQ(EOPNOTSUPP, errno)
		{
			TH_LOG("option %d", options[i]);
		}
	}
	EXPECT_ERRNO(EOPNOTSUPP,
		     getsockopt(link->fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, zerocopy, &len));
	EXPECT_ERRNO(EOPNOTSUPP, connect(link->fd, &unspecified, sizeof(unspecified)));
	EXPECT_ERRNO(EINVAL, listen(link->fd, 1));
	EXPECT_ERRNO(ENODEV, mmap(NULL, 4096, PROT_READ, MAP_SHARED, link->fd, 0));
}

TEST_F(gated, options_that_would_go_round_are_refused)
{
	refused_options(_metadata, &self->link);
	EXPECT_TRUE(works_from_record_0(&self->link));
	refused_options(_metadata, &self->link);
	EXPECT_EQ(0, send_pattern(self->link.fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(&self->link, 0, 100));
}

TEST_F(gated, family_cannot_be_changed)
{
	if (variant->family != LINK_MAPPED)
		return;
	EXPECT_EQ(-1, set_int_option(self->link.fd, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET));
	EXPECT_TRUE(works_from_record_0(&self->link));
}

/* --- sockmap -------------------- */

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int sockmap_new(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};

	return bpf(BPF_MAP_CREATE, &attr);
}

static int sockmap_add(int map, int fd)
{
	uint32_t key = 0, value = fd;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

TEST_F(gated, sockmap_takes_no_such_socket)
{
	int map = sockmap_new();

	if (map < 0)
		SKIP(return, "this kernel has no sockmap: %s", strerror(errno));
	EXPECT_EQ(-1, sockmap_add(map, self->link.fd));
	EXPECT_TRUE(works_from_record_0(&self->link));
	EXPECT_EQ(-1, sockmap_add(map, self->link.fd));
	close(map);
}

/* Nor one that listens, although it has TCP's own struct proto. */
TEST_F(gated, sockmap_takes_no_listener)
{
	struct sockaddr_storage address;
	int map = sockmap_new(), fd;
	socklen_t len;

	if (map < 0)
		SKIP(return, "this kernel has no sockmap: %s", strerror(errno));
	fd = tcp_listen(LINK_IPV4, 5, &address, &len);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ulp_attach(fd));
	EXPECT_EQ(-1, sockmap_add(map, fd));
	close(fd);
	close(map);
}

TEST_F(attach, socket_of_a_sockmap_is_refused)
{
	int map = sockmap_new();

	if (map < 0)
		SKIP(return, "this kernel has no sockmap: %s", strerror(errno));
	ASSERT_EQ(0, sockmap_add(map, self->link.fd));
	EXPECT_ERRNO(EBUSY, link_attach(&self->link));
	close(map);
}

/* --- the module -------------------- */

TEST_F(gated, module_cannot_be_unloaded)
{
	EXPECT_EQ(-1, syscall(SYS_delete_module, "signet", O_NONBLOCK));
	EXPECT_TRUE(errno == EWOULDBLOCK || errno == EBUSY);
	ASSERT_EQ(0, link_install(&self->link));
	EXPECT_EQ(-1, syscall(SYS_delete_module, "signet", O_NONBLOCK));
	EXPECT_TRUE(errno == EWOULDBLOCK || errno == EBUSY);
	EXPECT_EQ(0, send_pattern(self->link.fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(&self->link, 0, 100));
}

TEST_HARNESS_MAIN
