// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listeners: what they accept is attached from its first moment on, and asks for its
 * handshake when it is accepted.
 */
#include "fixture.h"

#include <linux/in6.h>
#include <stdio.h>

#include "file.h"
#include "helper.h"
#include "namespace.h"
#include "uring.h"

FIXTURE(listener)
{
	struct sockaddr_storage address;
	socklen_t address_len;
	struct signet_request request;
	int device;
	int fd;
};

FIXTURE_VARIANT(listener)
{
	enum link_family family;
};

FIXTURE_VARIANT_ADD(listener, ipv4){ .family = LINK_IPV4 };
FIXTURE_VARIANT_ADD(listener, ipv6){ .family = LINK_IPV6 };
FIXTURE_VARIANT_ADD(listener, mapped){ .family = LINK_MAPPED };

FIXTURE_SETUP(listener)
{
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, namespace_enter());
	self->device = helper_open();
	ASSERT_LE(0, self->device);
	set_nonblocking(self->device, true);
	self->fd = tcp_listen(variant->family, 128, &self->address, &self->address_len);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(listener)
{
	close(self->device);
	close(self->fd);
}

static int connect_to(const struct sockaddr_storage *address, socklen_t len)
{
	int fd = socket(address->ss_family, SOCK_STREAM, 0);

	if (fd < 0 || !connect(fd, (const struct sockaddr *)address, len))
		return fd;
	close(fd);
	return -1;
}

/* A client, and the connection as the listener accepts it. */
static int accept_link(int listener, const struct sockaddr_storage *address, socklen_t len,
		       struct link *link)
{
	memset(link, 0, sizeof(*link));
	link->peer = connect_to(address, len);
	link->fd = accept(listener, NULL, NULL);
	choose_keys(&link->keys, SIGNET_AES_128_GCM_SHA256);
	link->keys.role = SIGNET_ROLE_SERVER;
	return link->peer < 0 || link->fd < 0 ? -1 : link_rekey(link);
}

static bool carries_data(struct link *link)
{
	return !send_pattern(link->fd, 0, 3000) && !peer_recv_pattern(link, 0, 3000) &&
	       !peer_send_pattern(link, 0, 3000, 700) && !recv_pattern(link->fd, 0, 3000);
}

static int state_of(int fd)
{
	struct signet_info info;

	return sock_info(fd, &info) ? -1 : info.state;
}

#define ACCEPT_LINK(link) \
	ASSERT_EQ(0, accept_link(self->fd, &self->address, self->address_len, link))

/* Completes the handshake that is next in the queue. */
static int complete(int device, const struct link *link)
{
	struct signet_request request;
	int ret, channel = helper_request(device, &request);

	if (channel < 0)
		return -1;
	ret = helper_hand_over(channel, &link->keys, NULL);
	close(channel);
	return ret;
}

TEST_F(listener, what_it_accepts_asks_for_a_handshake)
{
	struct link link;
	char byte;
	int channel;

	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	ACCEPT_LINK(&link);
	EXPECT_EQ(SIGNET_STATE_HANDSHAKE, state_of(link.fd));
	EXPECT_ERRNO(EAGAIN, recv(link.fd, &byte, 1, MSG_DONTWAIT));
	EXPECT_ERRNO(EAGAIN, send(link.fd, "x", 1, MSG_DONTWAIT));
	channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, channel);
	EXPECT_EQ(SIGNET_ROLE_SERVER, self->request.role);
	EXPECT_STREQ("web", self->request.profile);
	ASSERT_EQ(0, helper_hand_over(channel, &link.keys, NULL));
	close(channel);
	EXPECT_TRUE(carries_data(&link));
	/* It does not need its listener any more. */
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(1, send(link.fd, "x", 1, 0));
	link_close(&link);
}

TEST_F(listener, attached_before_it_listens)
{
	struct link link;
	int fd = socket(self->address.ss_family, SOCK_STREAM, 0);

	close(self->fd);
	self->fd = fd;
	ASSERT_EQ(0, ulp_attach(fd));
	ASSERT_EQ(0, text_option(fd, SIGNET_ACCEPT, ""));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&self->address, self->address_len));
	ASSERT_EQ(0, listen(fd, 10));
	EXPECT_EQ(0, poll_now(fd, POLLIN));
	ACCEPT_LINK(&link);
	ASSERT_EQ(0, complete(self->device, &link));
	EXPECT_TRUE(carries_data(&link));
	link_close(&link);
}

TEST_F(listener, a_connection_from_before_the_attach_is_attached)
{
	int client = connect_to(&self->address, self->address_len);
	char byte;
	int fd;

	ASSERT_LE(0, client);
	ASSERT_EQ(1, send(client, "p", 1, 0));
	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, ""));
	EXPECT_EQ(POLLIN, poll_wait(self->fd, POLLIN));
	fd = accept(self->fd, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(SIGNET_STATE_HANDSHAKE, state_of(fd));
	EXPECT_ERRNO(EAGAIN, recv(fd, &byte, 1, MSG_DONTWAIT));
	EXPECT_ERRNO(EAGAIN, send(fd, "x", 1, MSG_DONTWAIT));
	close(fd);
	close(client);
}

TEST_F(listener, without_a_wish_for_handshakes_the_application_asks)
{
	struct link link;
	char byte;

	ASSERT_EQ(0, ulp_attach(self->fd));
	ACCEPT_LINK(&link);
	EXPECT_EQ(SIGNET_STATE_GATED, state_of(link.fd));
	EXPECT_ERRNO(ENOTCONN, send(link.fd, "x", 1, 0));
	EXPECT_ERRNO(ENOTCONN, recv(link.fd, &byte, 1, 0));
	EXPECT_ERRNO(EINPROGRESS, begin(link.fd, SIGNET_ROLE_SERVER, "web"));
	ASSERT_EQ(0, complete(self->device, &link));
	EXPECT_TRUE(carries_data(&link));
	link_close(&link);
}

TEST_F(listener, options_are_inherited)
{
	struct signet_rekey_policy policy = { .records = 77 }, inherited;
	static const uint8_t protocols[] = { 2, 'h', '2' };
	socklen_t len = sizeof(inherited);
	struct link link;
	uint32_t limit;
	int channel;

	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0,
		  setsockopt(self->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, &policy, sizeof(policy)));
	ASSERT_EQ(0, set_int_option(self->fd, SOL_SIGNET, SIGNET_RECORD_MAX, 1000));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SIGNET, SIGNET_ALPN, protocols, sizeof(protocols)));
	ASSERT_EQ(0, set_int_option(self->fd, SOL_SIGNET, SIGNET_CLIENT_AUTH,
				    SIGNET_CLIENT_AUTH_REQUIRED));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	ACCEPT_LINK(&link);
	/* Later changes are for later connections. */
	ASSERT_EQ(0, set_int_option(self->fd, SOL_SIGNET, SIGNET_CLIENT_AUTH,
				    SIGNET_CLIENT_AUTH_OPTIONAL));
	channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, channel);
	EXPECT_EQ(SIGNET_CLIENT_AUTH_REQUIRED, self->request.client_auth);
	EXPECT_EQ(3, self->request.alpn_len);
	EXPECT_EQ(0, getsockopt(link.fd, SOL_SIGNET, SIGNET_REKEY_POLICY, &inherited, &len));
	EXPECT_EQ(77, inherited.records);
	len = sizeof(limit);
	EXPECT_EQ(0, getsockopt(link.fd, SOL_SIGNET, SIGNET_RECORD_MAX, &limit, &len));
	EXPECT_EQ(1000, limit);
	ASSERT_EQ(0, helper_hand_over(channel, &link.keys, NULL));
	EXPECT_EQ(0, send_pattern(link.fd, 0, 1000));
	EXPECT_EQ(0, peer_recv_pattern(&link, 0, 1000));
	EXPECT_GE(1000 + 16, link_body_len(&link));
	close(channel);
	link_close(&link);
}

TEST_F(listener, without_a_helper_what_it_accepts_has_failed)
{
	struct link link;
	char byte;

	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	close(self->device);
	ACCEPT_LINK(&link);
	EXPECT_EQ(SIGNET_STATE_FAILED, state_of(link.fd));
	EXPECT_ERRNO(EUNATCH, recv(link.fd, &byte, 1, 0));
	EXPECT_ERRNO(EUNATCH, send(link.fd, "x", 1, 0));
	EXPECT_NE(NULL, strstr(text_of(link.fd, SIGNET_ERROR), "no helper"));
	EXPECT_TRUE(poll_now(link.fd, POLLIN) & POLLERR);
	EXPECT_TRUE(peer_saw_nothing(&link));
	link_close(&link);
	self->device = -1;
}

TEST_F(listener, handshakes_are_in_the_name_of_who_accepts)
{
	struct link link;
	int channel;

	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	ASSERT_EQ(0, seteuid(65534));
	ACCEPT_LINK(&link);
	ASSERT_EQ(0, seteuid(0));
	channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, channel);
	EXPECT_EQ(65534, self->request.uid);
	close(channel);
	link_close(&link);
}

TEST_F(listener, a_connection_that_was_reset_before_it_was_accepted)
{
	struct linger hard = { .l_onoff = 1 };
	int client = connect_to(&self->address, self->address_len);
	char byte;
	int fd;

	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(client);
	fd = accept(self->fd, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_ERRNO(ECONNRESET, recv(fd, &byte, 1, 0));
	EXPECT_EQ(0, poll_now(self->device, POLLIN));
	close(fd);
}

/* Whatever these left behind would keep the module from being unloaded. */
TEST_F(listener, connections_that_nobody_accepts)
{
	struct linger hard = { .l_onoff = 1 };
	int clients[100];

	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	for (size_t i = 0; i < COUNT(clients); i++) {
		clients[i] = connect_to(&self->address, self->address_len);
		ASSERT_LE(0, clients[i]);
		send(clients[i], "early", 5, 0);
		if (i % 3 == 0) {
			setsockopt(clients[i], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
			close(clients[i]);
		} else if (i % 3 == 1) {
			shutdown(clients[i], SHUT_WR);
		}
	}
	close(self->fd);
	self->fd = -1;
	for (size_t i = 0; i < COUNT(clients); i++) {
		if (i % 3)
			close(clients[i]);
	}
}

TEST_F(listener, shut_down_and_used_again)
{
	struct link link;

	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	ASSERT_EQ(0, shutdown(self->fd, SHUT_RDWR));
	EXPECT_EQ(-1, connect_to(&self->address, self->address_len));
	/* Its port was TCP's choice, and is another one now. */
	ASSERT_EQ(0, listen(self->fd, 5));
	ASSERT_EQ(0, getsockname(self->fd, (struct sockaddr *)&self->address, &self->address_len));
	ACCEPT_LINK(&link);
	ASSERT_EQ(0, complete(self->device, &link));
	EXPECT_TRUE(carries_data(&link));
	link_close(&link);
}

/* From LISTEN to CLOSE without shutdown(). */
static int disconnect(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	return connect(fd, &none, sizeof(none));
}

/* The gate never opens on the way, whatever the socket was before. */
TEST_F(listener, becomes_a_client)
{
	const struct sockaddr *address = (struct sockaddr *)&self->address;
	struct link link;
	char byte;

	for (int i = 0; i < 3; i++) {
		memset(&link, 0, sizeof(link));
		link.fd = socket(self->address.ss_family, SOCK_STREAM, 0);
		ASSERT_EQ(0, ulp_attach(link.fd));
		ASSERT_EQ(0, listen(link.fd, 5));
		ASSERT_EQ(0, i ? shutdown(link.fd, SHUT_RD) : disconnect(link.fd));
		if (i == 2) {
			ASSERT_EQ(0, listen(link.fd, 5));
			ASSERT_EQ(0, disconnect(link.fd));
		}
		EXPECT_ERRNO(EOPNOTSUPP,
			     sendto(link.fd, "x", 1, MSG_FASTOPEN, address, self->address_len));
		EXPECT_ERRNO(EOPNOTSUPP,
			     set_int_option(link.fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
		EXPECT_EQ(SIGNET_STATE_GATED, state_of(link.fd));
		ASSERT_EQ(0, connect(link.fd, address, self->address_len));
		link.peer = accept(self->fd, NULL, NULL);
		ASSERT_LE(0, link.peer);
		EXPECT_ERRNO(ENOTCONN, send(link.fd, "x", 1, 0));
		EXPECT_ERRNO(ENOTCONN, recv(link.fd, &byte, 1, 0));
		EXPECT_TRUE(peer_saw_nothing(&link));
		choose_keys(&link.keys, SIGNET_AES_128_GCM_SHA256);
		ASSERT_EQ(0, link_rekey(&link));
		EXPECT_ERRNO(EINPROGRESS, begin(link.fd, SIGNET_ROLE_CLIENT, "db"));
		ASSERT_EQ(0, complete(self->device, &link));
		EXPECT_TRUE(carries_data(&link));
		link_close(&link);
	}
}

/* TCP gives those up by the listener's calls. */
TEST_F(listener, shut_down_with_a_connection_from_before_the_attach)
{
	int client = connect_to(&self->address, self->address_len);
	char byte;

	ASSERT_LE(0, client);
	ASSERT_EQ(0, ulp_attach(self->fd));
	EXPECT_EQ(0, shutdown(self->fd, SHUT_RD));
	EXPECT_ERRNO(ECONNRESET, recv(client, &byte, 1, 0));
	close(client);
}

static int accept_one(struct worker *worker)
{
	return accept(*(int *)worker->argument, NULL, NULL);
}

/* What that call accepts would not be attached by it. */
TEST_F(listener, not_attached_while_a_call_waits_in_accept)
{
	struct worker worker;
	int client;

	ASSERT_EQ(0, worker_start(&worker, accept_one, &self->fd));
	worker_wait_blocked(&worker, SYS_accept);
	EXPECT_ERRNO(EBUSY, ulp_attach(self->fd));
	client = connect_to(&self->address, self->address_len);
	close(worker_join(&worker));
	close(client);
	EXPECT_EQ(0, ulp_attach(self->fd));
}

TEST_F(listener, an_accepted_socket_that_was_reset_is_no_listener)
{
	struct link link;

	ASSERT_EQ(0, ulp_attach(self->fd));
	ACCEPT_LINK(&link);
	peer_reset(&link);
	link.peer = -1;
	wait_state(link.fd, STATE_CLOSE);
	EXPECT_ERRNO(ENOTCONN, text_option(link.fd, SIGNET_ACCEPT, "web"));
	link_close(&link);
}

TEST_F(listener, data_calls_on_it_are_refused)
{
	char byte;

	ASSERT_EQ(0, ulp_attach(self->fd));
	EXPECT_ERRNO(ENOTCONN, send(self->fd, "x", 1, 0));
	EXPECT_ERRNO(ENOTCONN, recv(self->fd, &byte, 1, 0));
	EXPECT_ERRNO(ENOTCONN, text_option(self->fd, SIGNET_CONNECT, "name"));
	EXPECT_ERRNO(ENOTCONN, begin(self->fd, SIGNET_ROLE_CLIENT, "name"));
}

TEST_F(listener, many_at_once_through_a_ring)
{
	enum { CONNECTIONS = 50 };
	struct link links[CONNECTIONS];
	struct io_uring_cqe *cqe;
	struct io_uring ring;

	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	ASSERT_EQ(0, io_uring_queue_init(2 * CONNECTIONS, &ring, 0));
	io_uring_prep_multishot_accept(io_uring_get_sqe(&ring), self->fd, NULL, NULL, 0);
	io_uring_submit(&ring);
	for (int i = 0; i < CONNECTIONS; i++) {
		memset(&links[i], 0, sizeof(links[i]));
		links[i].peer = connect_to(&self->address, self->address_len);
		ASSERT_LE(0, links[i].peer);
		ASSERT_EQ(0, io_uring_wait_cqe(&ring, &cqe));
		ASSERT_LE(0, cqe->res);
		links[i].fd = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
		choose_keys(&links[i].keys, SIGNET_AES_256_GCM_SHA384);
		links[i].keys.role = SIGNET_ROLE_SERVER;
		ASSERT_EQ(0, link_rekey(&links[i]));
	}
	for (int i = 0; i < CONNECTIONS; i++)
		ASSERT_EQ(0, complete(self->device, &links[i]));
	for (int i = 0; i < CONNECTIONS; i++) {
		EXPECT_TRUE(carries_data(&links[i]));
		link_close(&links[i]);
	}
	io_uring_queue_exit(&ring);
}

/* In a ring nothing waits: begin, then poll. */
TEST_F(listener, a_client_in_a_ring_begins_and_polls)
{
	static uint8_t value[] = { SIGNET_ROLE_CLIENT, 'd', 'b' };
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	struct link link;
	int channel;

	memset(&link, 0, sizeof(link));
	link.fd = connect_to(&self->address, self->address_len);
	link.peer = accept(self->fd, NULL, NULL);
	choose_keys(&link.keys, SIGNET_AES_128_GCM_SHA256);
	ASSERT_EQ(0, link_rekey(&link));
	ASSERT_EQ(0, ulp_attach(link.fd));
	ASSERT_EQ(0, io_uring_queue_init(4, &ring, 0));
	io_uring_prep_cmd_sock(io_uring_get_sqe(&ring), SOCKET_URING_OP_SETSOCKOPT, link.fd,
			       SOL_SIGNET, SIGNET_BEGIN, value, sizeof(value));
	io_uring_submit(&ring);
	ASSERT_EQ(0, io_uring_wait_cqe(&ring, &cqe));
	EXPECT_EQ(-EINPROGRESS, cqe->res);
	io_uring_cqe_seen(&ring, cqe);
	io_uring_prep_poll_add(io_uring_get_sqe(&ring), link.fd, POLLOUT);
	io_uring_submit(&ring);
	EXPECT_EQ(-EAGAIN, io_uring_peek_cqe(&ring, &cqe));
	channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, channel);
	EXPECT_STREQ("db", self->request.server_name);
	ASSERT_EQ(0, helper_hand_over(channel, &link.keys, NULL));
	ASSERT_EQ(0, io_uring_wait_cqe(&ring, &cqe));
	EXPECT_TRUE(cqe->res & POLLOUT);
	io_uring_cqe_seen(&ring, cqe);
	io_uring_queue_exit(&ring);
	EXPECT_TRUE(carries_data(&link));
	close(channel);
	link_close(&link);
}

/* The request is queued before TCP is connected. */
TEST_F(listener, a_client_begins_while_tcp_connects)
{
	struct signet_request *request = &self->request;
	struct link link;
	uint8_t byte;
	int channel;

	memset(&link, 0, sizeof(link));
	/* Nobody answers there. */
	link.fd = socket(self->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ASSERT_EQ(0, ulp_attach(link.fd));
	close(self->fd);
	self->fd = -1;
	EXPECT_ERRNO(ENOTCONN, begin(link.fd, SIGNET_ROLE_CLIENT, "db"));
	EXPECT_EQ(-1, connect(link.fd, (struct sockaddr *)&self->address, self->address_len));
	if (begin(link.fd, SIGNET_ROLE_CLIENT, "db") && errno == EINPROGRESS) {
		/* Refused meanwhile: both sides find out. */
		channel = helper_request(self->device, request);
		ASSERT_LE(0, channel);
		EXPECT_TRUE(poll_wait(channel, POLLIN) & POLLHUP);
		EXPECT_ERRNO(ECONNREFUSED, read(channel, &byte, 1));
		close(channel);
		EXPECT_TRUE(poll_wait(link.fd, POLLOUT) & POLLERR);
	}
	EXPECT_GT(0, send(link.fd, "x", 1, MSG_DONTWAIT));
	close(link.fd);
}

/* --- connections that are accepted before TCP has connected them -------------------- */

static const uint8_t hello_record[] = { TYPE_HANDSHAKE, 3, 3, 0, 6, 'h', 'e', 'l', 'l', 'o', '!' };

#define STATE_SYN_RECV 3

/* TCP Fast Open, both sides, without cookies. */
static int allow_fast_open(int listener)
{
	return file_write("/proc/sys/net/ipv4/tcp_fastopen", "519") ?:
		       set_int_option(listener, IPPROTO_TCP, TCP_FASTOPEN, 5);
}

/* A client that says hello in its SYN and sees no answer. */
static int connect_fast(const struct sockaddr_storage *address, socklen_t len)
{
	int fd = socket(address->ss_family, SOCK_STREAM, 0);

	if (!deafen(fd, true) &&
	    sendto(fd, hello_record, sizeof(hello_record), MSG_FASTOPEN | MSG_DONTWAIT,
		   (const struct sockaddr *)address, len) == sizeof(hello_record))
		return fd;
	close(fd);
	return -1;
}

/* Such a client's connection. */
static int accept_fast(int listener, const struct sockaddr_storage *address, socklen_t len,
		       struct link *link)
{
	memset(link, 0, sizeof(*link));
	link->peer = connect_fast(address, len);
	link->fd = link->peer < 0 ? -1 : accept(listener, NULL, NULL);
	choose_keys(&link->keys, SIGNET_AES_128_GCM_SHA256);
	link->keys.role = SIGNET_ROLE_SERVER;
	return link->fd < 0 ? -1 : link_rekey(link);
}

TEST_F(listener, fast_open_begins_before_tcp_is_connected)
{
	uint8_t record[sizeof(hello_record)];
	struct link link;
	int channel;

	ASSERT_EQ(0, allow_fast_open(self->fd));
	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	ASSERT_EQ(0, accept_fast(self->fd, &self->address, self->address_len, &link));
	EXPECT_EQ(STATE_SYN_RECV, tcp_state(link.fd));
	EXPECT_EQ(SIGNET_STATE_HANDSHAKE, state_of(link.fd));
	EXPECT_ERRNO(EAGAIN, send(link.fd, "x", 1, MSG_DONTWAIT));
	EXPECT_ERRNO(EAGAIN, recv(link.fd, record, 1, MSG_DONTWAIT));
	channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, channel);
	/* TCP connects when it sends its answer again. */
	ASSERT_EQ(0, deafen(link.peer, false));
	wait_state(link.fd, STATE_ESTABLISHED);
	EXPECT_EQ(POLLIN, poll_wait(channel, POLLIN) & POLLIN);
	ASSERT_EQ(5, read(channel, record, 5));
	ASSERT_EQ(sizeof(record) - 5, read(channel, record + 5, sizeof(record) - 5));
	EXPECT_EQ(0, memcmp(record, hello_record, sizeof(record)));
	ASSERT_EQ(0, helper_hand_over(channel, &link.keys, NULL));
	close(channel);
	EXPECT_TRUE(carries_data(&link));
	link_close(&link);
}

/* One that the application works with by itself. */
TEST_F(listener, fast_open_keys_wait_for_tcp)
{
	uint8_t record[sizeof(hello_record)];
	struct link link;

	ASSERT_EQ(0, allow_fast_open(self->fd));
	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, accept_fast(self->fd, &self->address, self->address_len, &link));
	EXPECT_EQ(STATE_SYN_RECV, tcp_state(link.fd));
	EXPECT_EQ(SIGNET_STATE_GATED, state_of(link.fd));
	EXPECT_ERRNO(ENOTCONN, send(link.fd, "x", 1, 0));
	EXPECT_ERRNO(ENOTCONN, recv(link.fd, record, 1, 0));
	EXPECT_ERRNO(ENOTCONN, link_install(&link));
	ASSERT_EQ(0, deafen(link.peer, false));
	wait_state(link.fd, STATE_ESTABLISHED);
	EXPECT_ERRNO(ENOTCONN, send(link.fd, "x", 1, 0));
	EXPECT_TRUE(peer_saw_nothing(&link));
	link_close(&link);
}

/* What these left behind would keep the module from being unloaded. */
TEST_F(listener, fast_open_connections_that_end_before_tcp_is_connected)
{
	struct link link;
	int clients[4];

	ASSERT_EQ(0, allow_fast_open(self->fd));
	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, "web"));
	/* Accepted, with a handshake that nobody has taken, and one that somebody has. */
	for (int i = 0; i < 2; i++) {
		int channel = -1;

		ASSERT_EQ(0, accept_fast(self->fd, &self->address, self->address_len, &link));
		EXPECT_EQ(STATE_SYN_RECV, tcp_state(link.fd));
		if (i) {
			channel = helper_request(self->device, &self->request);
			ASSERT_LE(0, channel);
			ASSERT_EQ(0, helper_refuse(channel, EPERM, ALERT_INTERNAL_ERROR, "no"));
			EXPECT_ERRNO(EPERM, send(link.fd, "x", 1, 0));
		}
		link_close(&link);
		close(channel);
	}
	/* Never accepted. */
	for (size_t i = 0; i < COUNT(clients); i++) {
		clients[i] = connect_fast(&self->address, self->address_len);
		ASSERT_LE(0, clients[i]);
	}
	close(self->fd);
	self->fd = -1;
	for (size_t i = 0; i < COUNT(clients); i++)
		close(clients[i]);
}

TEST_HARNESS_MAIN
