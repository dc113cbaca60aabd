// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handshakes that a helper completes: requests, channels, results, and what happens
 * when one of the two goes away.
 */
#include "fixture.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "calls.h"
#include "helper.h"
#include "namespace.h"

/* A handshake record as the helper writes it, or the peer. */
static const uint8_t hello_record[] = { TYPE_HANDSHAKE, 3, 3, 0, 6, 'h', 'e', 'l', 'l', 'o', '!' };

FIXTURE(upcall)
{
	struct link link;
	struct signet_request request;
	int device;
	int channel;
};

FIXTURE_SETUP(upcall)
{
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, namespace_enter());
	self->channel = -1;
	self->device = helper_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, link_open(&self->link, LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
	ASSERT_EQ(0, link_attach(&self->link));
}

FIXTURE_TEARDOWN(upcall)
{
	if (self->channel >= 0)
		close(self->channel);
	if (self->device >= 0)
		close(self->device);
	link_close(&self->link);
}

static int state_of(int fd)
{
	struct signet_info info;

	return sock_info(fd, &info) ? -1 : info.state;
}

static int reason_of(int fd)
{
	struct signet_info info;

	return sock_info(fd, &info) ? -1 : (int)info.reason;
}

static int socket_error(int fd)
{
	socklen_t len = sizeof(int);
	int error = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static int connect_named(struct worker *worker)
{
	return text_option(*(int *)worker->argument, SIGNET_CONNECT, "db.internal");
}

static void ignore(int signal)
{
	(void)signal;
}

static int wait_writable(struct worker *worker)
{
	return poll_wait(*(int *)worker->argument, POLLOUT);
}

static int send_one(struct worker *worker)
{
	return send(*(int *)worker->argument, "x", 1, 0);
}

static int recv_one(struct worker *worker)
{
	char byte;

	return recv(*(int *)worker->argument, &byte, 1, 0);
}

/* Asks without waiting, and picks the request up. */
static int begin_and_take(int fd, int device, struct signet_request *request)
{
	if (begin(fd, SIGNET_ROLE_CLIENT, "db.internal") != -1 || errno != EINPROGRESS)
		return -1;
	return helper_request(device, request);
}

#define BEGIN()                                                                              \
	do {                                                                                 \
		self->channel = begin_and_take(self->link.fd, self->device, &self->request); \
		ASSERT_LE(0, self->channel);                                                 \
	} while (0)

/* Data goes both ways, from record 0 on. */
static bool carries_data(struct link *link)
{
	return !send_pattern(link->fd, 0, 3000) && !peer_recv_pattern(link, 0, 3000) &&
	       !peer_send_pattern(link, 0, 3000, 700) && !recv_pattern(link->fd, 0, 3000);
}

/* --- asking ---------------------------------------------------------------------- */

TEST_F(upcall, blocking_connect_returns_when_the_helper_is_done)
{
	struct worker worker;

	ASSERT_EQ(0, worker_start(&worker, connect_named, &self->link.fd));
	self->channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, self->channel);
	worker_wait_blocked(&worker, SYS_setsockopt);
	EXPECT_FALSE(worker.done);
	EXPECT_EQ(SIGNET_STATE_HANDSHAKE, state_of(self->link.fd));
	EXPECT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_EQ(0, worker_join(&worker));
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, state_of(self->link.fd));
	EXPECT_TRUE(carries_data(&self->link));
}

TEST_F(upcall, a_request_tells_who_asks_for_what)
{
	struct sockaddr_in local, peer, *told = (struct sockaddr_in *)self->request.local;
	static const uint8_t protocols[] = {
		2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'
	};
	uint8_t pins[2 * SIGNET_PIN_LEN];
	socklen_t len = sizeof(local);
	char name[16];

	pattern_fill(pins, 0, sizeof(pins));
	ASSERT_EQ(0, text_option(self->link.fd, SIGNET_PROFILE, "edge"));
	ASSERT_EQ(0, text_option(self->link.fd, SIGNET_CA, "partners"));
	ASSERT_EQ(0,
		  setsockopt(self->link.fd, SOL_SIGNET, SIGNET_ALPN, protocols, sizeof(protocols)));
	ASSERT_EQ(0, setsockopt(self->link.fd, SOL_SIGNET, SIGNET_PIN, pins, sizeof(pins)));
	ASSERT_EQ(0, set_int_option(self->link.fd, SOL_SIGNET, SIGNET_MIN_VERSION, SIGNET_TLS_1_2));
	ASSERT_EQ(0, set_int_option(self->link.fd, SOL_SIGNET, SIGNET_CLIENT_AUTH,
				    SIGNET_CLIENT_AUTH_REQUIRED));
	ASSERT_EQ(0, set_int_option(self->link.fd, SOL_SIGNET, SIGNET_TIMEOUT, 60000));
	BEGIN();

	EXPECT_EQ(sizeof(self->request), self->request.size);
	EXPECT_EQ(SIGNET_ROLE_CLIENT, self->request.role);
	EXPECT_STREQ("db.internal", self->request.server_name);
	EXPECT_STREQ("edge", self->request.profile);
	EXPECT_STREQ("partners", self->request.trust);
	EXPECT_EQ(sizeof(protocols), self->request.alpn_len);
	EXPECT_EQ(0, memcmp(protocols, self->request.alpn, sizeof(protocols)));
	EXPECT_EQ(2, self->request.pin_count);
	EXPECT_EQ(0, memcmp(pins, self->request.pins, sizeof(pins)));
	EXPECT_EQ(SIGNET_TLS_1_2, self->request.min_version);
	EXPECT_EQ(SIGNET_CLIENT_AUTH_REQUIRED, self->request.client_auth);
	EXPECT_GE(60000, self->request.timeout_ms);
	EXPECT_LT(50000, self->request.timeout_ms);
	EXPECT_EQ(getuid(), self->request.uid);
	EXPECT_EQ(getgid(), self->request.gid);
	EXPECT_EQ(getpid(), self->request.pid);
	EXPECT_NE(0, self->request.netns);
	FILE *comm = fopen("/proc/self/comm", "r");

	ASSERT_NE(NULL, fgets(name, sizeof(name), comm));
	fclose(comm);
	name[strcspn(name, "\n")] = '\0';
	EXPECT_STREQ(name, self->request.comm);
	ASSERT_EQ(0, getsockname(self->link.fd, (struct sockaddr *)&local, &len));
	ASSERT_EQ(0, getpeername(self->link.fd, (struct sockaddr *)&peer, &len));
	EXPECT_EQ(AF_INET, told->sin_family);
	EXPECT_EQ(local.sin_port, told->sin_port);
	EXPECT_EQ(local.sin_addr.s_addr, told->sin_addr.s_addr);
	told = (struct sockaddr_in *)self->request.peer;
	EXPECT_EQ(peer.sin_port, told->sin_port);
	EXPECT_EQ(peer.sin_addr.s_addr, told->sin_addr.s_addr);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->channel, F_GETFD));
	EXPECT_TRUE(fcntl(self->channel, F_GETFL) & O_NONBLOCK);
}

TEST_F(upcall, nonblocking_connect_is_in_progress_until_it_is_writable)
{
	int fd = self->link.fd;

	set_nonblocking(fd, true);
	EXPECT_ERRNO(EINPROGRESS, text_option(fd, SIGNET_CONNECT, "db.internal"));
	EXPECT_ERRNO(EALREADY, text_option(fd, SIGNET_CONNECT, "db.internal"));
	EXPECT_ERRNO(EALREADY, text_option(fd, SIGNET_PROFILE, "other"));
	EXPECT_ERRNO(EALREADY, keys_install(fd, &self->link.keys));
	EXPECT_EQ(0, poll_now(fd, POLLIN | POLLOUT));
	self->channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, self->channel);
	EXPECT_EQ(0, poll_now(fd, POLLIN | POLLOUT));
	ASSERT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_EQ(POLLOUT, poll_wait(fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, socket_error(fd));
	EXPECT_ERRNO(EISCONN, text_option(fd, SIGNET_CONNECT, "db.internal"));
	EXPECT_ERRNO(EISCONN, text_option(fd, SIGNET_PROFILE, "other"));
	EXPECT_TRUE(carries_data(&self->link));
}

TEST_F(upcall, a_poll_is_woken_by_the_hand_over)
{
	struct worker worker;

	BEGIN();
	ASSERT_EQ(0, worker_start(&worker, wait_writable, &self->link.fd));
	worker_wait_blocked(&worker, SYS_poll);
	ASSERT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_EQ(POLLOUT, worker_join(&worker));
}

TEST_F(upcall, accept_names_a_profile)
{
	EXPECT_ERRNO(EINPROGRESS, begin(self->link.fd, SIGNET_ROLE_SERVER, "web"));
	self->channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, self->channel);
	EXPECT_EQ(SIGNET_ROLE_SERVER, self->request.role);
	EXPECT_STREQ("web", self->request.profile);
	EXPECT_STREQ("", self->request.server_name);
	/* The result must be for that role. */
	EXPECT_ERRNO(EINVAL, helper_hand_over(self->channel, &self->link.keys, NULL));
	self->link.keys.role = SIGNET_ROLE_SERVER;
	EXPECT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_TRUE(carries_data(&self->link));
}

TEST_F(upcall, bad_requests_are_refused)
{
	char longer[SIGNET_STRING_MAX + 2];
	int fd = self->link.fd, plain[2];

	memset(longer, 'a', sizeof(longer));
	EXPECT_ERRNO(EINVAL, text_option(fd, SIGNET_CONNECT, ""));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_SIGNET, SIGNET_CONNECT, "a\0b", 3));
	EXPECT_ERRNO(EMSGSIZE, setsockopt(fd, SOL_SIGNET, SIGNET_CONNECT, longer, 256));
	EXPECT_ERRNO(EMSGSIZE, setsockopt(fd, SOL_SIGNET, SIGNET_CONNECT, longer, 257));
	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_SIGNET, SIGNET_CONNECT, NULL, 5));
	EXPECT_ERRNO(EINVAL, begin(fd, 0, "name"));
	EXPECT_ERRNO(EINVAL, begin(fd, 3, "name"));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_SIGNET, SIGNET_BEGIN, "", 0));
	EXPECT_EQ(SIGNET_STATE_GATED, state_of(fd));

	ASSERT_EQ(0, tcp_pair(LINK_IPV4, plain));
	EXPECT_ERRNO(ENOPROTOOPT, text_option(plain[0], SIGNET_CONNECT, "name"));
	close(plain[0]);
	close(plain[1]);
	/* All of that has changed nothing; a NUL at the end is fine. */
	EXPECT_ERRNO(EINPROGRESS, setsockopt(fd, SOL_SIGNET, SIGNET_BEGIN, "\1name", 6));
	self->channel = helper_request(self->device, &self->request);
	EXPECT_STREQ("name", self->request.server_name);
}

TEST_F(upcall, bad_wishes_are_refused)
{
	static const uint8_t lists[][4] = { { 0 }, { 2, 'a' }, { 1, 'a', 0 } };
	static const size_t lengths[] = { 1, 2, 3 };
	uint8_t pins[5 * SIGNET_PIN_LEN] = {};
	int fd = self->link.fd;

	for (size_t i = 0; i < COUNT(lists); i++)
		EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_SIGNET, SIGNET_ALPN, lists[i], lengths[i]));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_SIGNET, SIGNET_PIN, pins, 31));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_SIGNET, SIGNET_PIN, pins, sizeof(pins)));
	EXPECT_ERRNO(EINVAL, set_int_option(fd, SOL_SIGNET, SIGNET_MIN_VERSION, 0x0302));
	EXPECT_ERRNO(EINVAL, set_int_option(fd, SOL_SIGNET, SIGNET_CLIENT_AUTH, 3));
	EXPECT_ERRNO(EINVAL, set_int_option(fd, SOL_SIGNET, SIGNET_TIMEOUT, 0));
	EXPECT_ERRNO(EINVAL,
		     set_int_option(fd, SOL_SIGNET, SIGNET_TIMEOUT, SIGNET_TIMEOUT_MAX + 1));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_SIGNET, SIGNET_TIMEOUT, pins, 2));
	EXPECT_ERRNO(ENOTCONN, text_option(fd, SIGNET_EXPORT, "EXPORTER-test"));
	EXPECT_STREQ("", text_of(fd, SIGNET_PEER_NAME));
	EXPECT_EQ(ENOTCONN, errno);
}

TEST_F(upcall, a_pin_may_stand_for_a_name)
{
	uint8_t pin[SIGNET_PIN_LEN] = { 1 };

	ASSERT_EQ(0, setsockopt(self->link.fd, SOL_SIGNET, SIGNET_PIN, pin, sizeof(pin)));
	EXPECT_ERRNO(EINPROGRESS, begin(self->link.fd, SIGNET_ROLE_CLIENT, ""));
	self->channel = helper_request(self->device, &self->request);
	EXPECT_STREQ("", self->request.server_name);
	EXPECT_EQ(1, self->request.pin_count);
}

TEST_F(upcall, a_signal_interrupts_the_call_and_not_the_handshake)
{
	struct sigaction action = { .sa_handler = ignore };
	struct worker worker;

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, worker_start(&worker, connect_named, &self->link.fd));
	worker_signal(&worker, SYS_setsockopt, SIGUSR1);
	EXPECT_ERRNO(EINTR, worker_join(&worker));
	EXPECT_EQ(SIGNET_STATE_HANDSHAKE, state_of(self->link.fd));
	/* The same call waits on. */
	ASSERT_EQ(0, worker_start(&worker, connect_named, &self->link.fd));
	worker_wait_blocked(&worker, SYS_setsockopt);
	self->channel = helper_request(self->device, &self->request);
	EXPECT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_EQ(0, worker_join(&worker));
}

TEST_F(upcall, data_calls_wait_for_the_handshake)
{
	uint8_t byte;
	struct worker worker;
	struct timeval soon = { .tv_usec = 1000 };
	uint8_t type;

	BEGIN();
	EXPECT_ERRNO(EAGAIN, send(self->link.fd, "x", 1, MSG_DONTWAIT));
	EXPECT_ERRNO(EAGAIN, recv(self->link.fd, &byte, 1, MSG_DONTWAIT));
	setsockopt(self->link.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon));
	EXPECT_ERRNO(EAGAIN, send(self->link.fd, "x", 1, 0));
	soon.tv_usec = 0;
	setsockopt(self->link.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon));
	ASSERT_EQ(0, worker_start(&worker, send_one, &self->link.fd));
	worker_wait_blocked(&worker, SYS_sendto);
	EXPECT_TRUE(peer_saw_nothing(&self->link));
	ASSERT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_EQ(1, worker_join(&worker));
	EXPECT_EQ(1, peer_recv(&self->link, &type, &byte));
	ASSERT_EQ(0, worker_start(&worker, recv_one, &self->link.fd));
	EXPECT_EQ(0, peer_send(&self->link, TYPE_DATA, "y", 1));
	EXPECT_EQ(1, worker_join(&worker));
}

TEST_F(upcall, no_call_sends_before_the_hand_over)
{
	set_nonblocking(self->link.fd, true);
	BEGIN();
	for (const struct send_call *call = send_calls; call->name; call++) {
		EXPECT_GE(0, call->call(self->link.fd, "plaintext", 9))
		{
			TH_LOG("%s", call->name);
		}
	}
	EXPECT_TRUE(peer_saw_nothing(&self->link));
}

/* --- without a helper -------------------------------------------------------------- */

TEST_F(upcall, without_a_helper_the_call_says_so_at_once)
{
	close(self->device);
	self->device = -1;
	EXPECT_ERRNO(EUNATCH, text_option(self->link.fd, SIGNET_CONNECT, "db.internal"));
	EXPECT_EQ(SIGNET_STATE_GATED, state_of(self->link.fd));
	EXPECT_NE(NULL, strstr(text_of(self->link.fd, SIGNET_ERROR), "no helper"));
	/* It may be tried again. */
	self->device = helper_open();
	BEGIN();
	EXPECT_EQ(SIGNET_REASON_NONE, reason_of(self->link.fd));
	EXPECT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
}

TEST_F(upcall, a_request_may_wait_for_a_helper)
{
	close(self->device);
	ASSERT_EQ(0, default_set("helper_wait", "1"));
	EXPECT_ERRNO(EINPROGRESS, begin(self->link.fd, SIGNET_ROLE_CLIENT, "db.internal"));
	self->device = helper_open();
	EXPECT_EQ(POLLIN, poll_now(self->device, POLLIN));
	self->channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, self->channel);
	EXPECT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
}

TEST_F(upcall, a_queued_request_fails_with_the_last_helper)
{
	int other = helper_open();

	ASSERT_LE(0, other);
	EXPECT_ERRNO(EINPROGRESS, begin(self->link.fd, SIGNET_ROLE_CLIENT, "db.internal"));
	close(self->device);
	self->device = -1;
	EXPECT_EQ(SIGNET_STATE_HANDSHAKE, state_of(self->link.fd));
	EXPECT_EQ(0, poll_now(self->link.fd, POLLOUT));
	close(other);
	EXPECT_TRUE(poll_wait(self->link.fd, POLLOUT) & POLLERR);
	EXPECT_EQ(EUNATCH, socket_error(self->link.fd));
	EXPECT_EQ(SIGNET_REASON_HELPER_GONE, reason_of(self->link.fd));
}

TEST_F(upcall, another_helper_takes_what_was_not_picked_up)
{
	int other = helper_open();

	EXPECT_ERRNO(EINPROGRESS, begin(self->link.fd, SIGNET_ROLE_CLIENT, "db.internal"));
	close(self->device);
	self->device = other;
	self->channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, self->channel);
	EXPECT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
}

/* --- the end of one side ------------------------------------------------------------- */

TEST_F(upcall, a_closed_channel_fails_the_socket)
{
	struct worker worker;

	ASSERT_EQ(0, worker_start(&worker, connect_named, &self->link.fd));
	self->channel = helper_request(self->device, &self->request);
	worker_wait_blocked(&worker, SYS_setsockopt);
	close(self->channel);
	self->channel = -1;
	EXPECT_ERRNO(EUNATCH, worker_join(&worker));
	EXPECT_EQ(SIGNET_STATE_FAILED, state_of(self->link.fd));
	EXPECT_NE(NULL, strstr(text_of(self->link.fd, SIGNET_ERROR), "helper ended"));
	EXPECT_ERRNO(EUNATCH, send(self->link.fd, "x", 1, 0));
	EXPECT_TRUE(peer_saw_nothing(&self->link));
}

TEST_F(upcall, a_closed_socket_cancels_the_channel)
{
	uint8_t byte;

	BEGIN();
	close(self->link.fd);
	self->link.fd = -1;
	EXPECT_TRUE(poll_now(self->channel, POLLIN) & POLLHUP);
	EXPECT_ERRNO(ECANCELED, read(self->channel, &byte, 1));
	EXPECT_ERRNO(ECANCELED, write(self->channel, hello_record, sizeof(hello_record)));
	EXPECT_ERRNO(ECANCELED, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_ERRNO(ECANCELED, helper_refuse(self->channel, EPROTO, 0, "late"));
}

TEST_F(upcall, a_closed_socket_takes_its_request_away)
{
	EXPECT_ERRNO(EINPROGRESS, begin(self->link.fd, SIGNET_ROLE_CLIENT, "db.internal"));
	close(self->link.fd);
	self->link.fd = -1;
	EXPECT_EQ(0, poll_now(self->device, POLLIN));
	set_nonblocking(self->device, true);
	EXPECT_ERRNO(EAGAIN, helper_request(self->device, &self->request));
}

TEST_F(upcall, a_handshake_ends_with_its_time)
{
	struct worker worker;
	uint8_t byte;

	ASSERT_EQ(0, set_int_option(self->link.fd, SOL_SIGNET, SIGNET_TIMEOUT, 20));
	ASSERT_EQ(0, worker_start(&worker, connect_named, &self->link.fd));
	self->channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, self->channel);
	EXPECT_ERRNO(ETIMEDOUT, worker_join(&worker));
	EXPECT_EQ(SIGNET_REASON_HANDSHAKE_TIME, reason_of(self->link.fd));
	EXPECT_TRUE(poll_now(self->channel, POLLIN) & POLLHUP);
	EXPECT_ERRNO(ETIMEDOUT, read(self->channel, &byte, 1));
	EXPECT_ERRNO(ETIMEDOUT, helper_hand_over(self->channel, &self->link.keys, NULL));
}

TEST_F(upcall, a_poll_sees_that_the_time_is_over)
{
	ASSERT_EQ(0, default_set("handshake_timeout", "20"));
	BEGIN();
	EXPECT_TRUE(poll_wait(self->link.fd, POLLOUT) & POLLERR);
	EXPECT_EQ(ETIMEDOUT, socket_error(self->link.fd));
	EXPECT_TRUE(poll_wait(self->channel, 0) & POLLHUP);
}

TEST_F(upcall, a_reset_ends_both_sides)
{
	uint8_t byte;

	BEGIN();
	peer_reset(&self->link);
	self->link.peer = -1;
	EXPECT_TRUE(poll_wait(self->channel, 0) & POLLHUP);
	EXPECT_ERRNO(ECONNRESET, read(self->channel, &byte, 1));
	EXPECT_ERRNO(ECONNRESET, send(self->link.fd, "x", 1, 0));
}

/* What a peer says last is worth more than that it has gone. */
TEST_F(upcall, an_alert_before_a_reset_reaches_the_helper)
{
	static const uint8_t alert[] = { TYPE_ALERT, 3, 3, 0, 2, ALERT_FATAL, 48 };
	struct worker worker;
	uint8_t got[sizeof(alert)];

	ASSERT_EQ(0, worker_start(&worker, connect_named, &self->link.fd));
	self->channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, self->channel);
	ASSERT_EQ(0, peer_send_raw(&self->link, alert, sizeof(alert)));
	wait_delivered(self->link.peer, self->link.fd);
	peer_reset(&self->link);
	self->link.peer = -1;
	wait_state(self->link.fd, STATE_CLOSE);
	EXPECT_EQ(POLLIN, poll_now(self->channel, POLLIN));
	worker_wait_blocked(&worker, SYS_setsockopt);
	EXPECT_EQ(5, read(self->channel, got, 5));
	EXPECT_EQ(2, read(self->channel, got + 5, 2));
	EXPECT_EQ(0, memcmp(alert, got, sizeof(alert)));
	EXPECT_EQ(0, helper_refuse(self->channel, EPROTO, 0, "the peer sent unknown_ca"));
	EXPECT_ERRNO(EPROTO, worker_join(&worker));
	EXPECT_STREQ("the peer sent unknown_ca", text_of(self->link.fd, SIGNET_ERROR));
}

TEST_F(upcall, after_the_alert_comes_the_reset)
{
	uint8_t got[sizeof(hello_record)];

	BEGIN();
	ASSERT_EQ(0, peer_send_raw(&self->link, hello_record, sizeof(hello_record)));
	ASSERT_EQ(0, peer_fin(&self->link));
	wait_delivered(self->link.peer, self->link.fd);
	peer_reset(&self->link);
	self->link.peer = -1;
	wait_state(self->link.fd, STATE_CLOSE);
	EXPECT_EQ(5, read(self->channel, got, 5));
	EXPECT_EQ(6, read(self->channel, got, 6));
	EXPECT_GT(0, read(self->channel, got, 1));
	EXPECT_TRUE(poll_now(self->channel, POLLIN) & POLLHUP);
	EXPECT_TRUE(poll_now(self->link.fd, POLLOUT) & POLLERR);
	EXPECT_EQ(SIGNET_STATE_FAILED, state_of(self->link.fd));
}

TEST_F(upcall, a_refusal_is_an_errno_and_a_text)
{
	struct signet_info info;
	struct worker worker;
	uint8_t byte;

	ASSERT_EQ(0, worker_start(&worker, connect_named, &self->link.fd));
	self->channel = helper_request(self->device, &self->request);
	EXPECT_ERRNO(EINVAL, helper_refuse(self->channel, 0, 0, ""));
	EXPECT_ERRNO(EINVAL, helper_refuse(self->channel, 512, 0, ""));
	EXPECT_ERRNO(EINVAL, helper_refuse(self->channel, EAGAIN, 0, ""));
	EXPECT_EQ(0, helper_refuse(self->channel, EKEYREJECTED, FATAL(45),
				   "the server's certificate has expired"));
	EXPECT_ERRNO(EKEYREJECTED, worker_join(&worker));
	EXPECT_STREQ("the server's certificate has expired", text_of(self->link.fd, SIGNET_ERROR));
	ASSERT_EQ(0, sock_info(self->link.fd, &info));
	EXPECT_EQ(SIGNET_STATE_FAILED, info.state);
	EXPECT_EQ(EKEYREJECTED, info.error);
	EXPECT_EQ(SIGNET_REASON_HANDSHAKE, info.reason);
	EXPECT_EQ(FATAL(45), info.alert_sent);
	EXPECT_EQ(EKEYREJECTED, socket_error(self->link.fd));
	EXPECT_ERRNO(EKEYREJECTED, recv(self->link.fd, &byte, 1, 0));
	EXPECT_ERRNO(ENOTCONN, read(self->channel, &byte, 1));
	EXPECT_ERRNO(EKEYREJECTED, text_option(self->link.fd, SIGNET_CONNECT, "again"));
}

/* Unlike a lack of memory of TCP's own, that one does not pass. */
TEST_F(upcall, a_refusal_without_memory_is_for_good)
{
	uint8_t byte;

	BEGIN();
	EXPECT_EQ(0, helper_refuse(self->channel, ENOMEM, 0, "no memory"));
	EXPECT_EQ(ENOMEM, socket_error(self->link.fd));
	for (int i = 0; i < 2; i++) {
		EXPECT_ERRNO(ENOMEM, send(self->link.fd, "x", 1, 0));
		EXPECT_ERRNO(ENOMEM, recv(self->link.fd, &byte, 1, 0));
	}
}

/* An acknowledgment makes TCP forget its soft errors. */
TEST_F(upcall, a_refusal_is_told_after_the_alert_was_acknowledged)
{
	int unsent = 1;

	BEGIN();
	ASSERT_LT(0, write(self->channel, hello_record, sizeof(hello_record)));
	EXPECT_EQ(0, helper_refuse(self->channel, EKEYREJECTED, FATAL(45), "refused"));
	while (unsent)
		ASSERT_EQ(0, ioctl(self->link.fd, SIOCOUTQ, &unsent));
	EXPECT_TRUE(poll_wait(self->link.fd, POLLOUT) & POLLERR);
	EXPECT_EQ(EKEYREJECTED, socket_error(self->link.fd));
	EXPECT_EQ(0, socket_error(self->link.fd));
	EXPECT_ERRNO(EKEYREJECTED, send(self->link.fd, "x", 1, 0));
}

/* --- the channel -------------------------------------------------------------------- */

TEST_F(upcall, what_the_helper_writes_reaches_the_peer)
{
	uint8_t got[sizeof(hello_record)];

	BEGIN();
	EXPECT_EQ(POLLOUT, poll_now(self->channel, POLLIN | POLLOUT));
	EXPECT_EQ((ssize_t)sizeof(got), write(self->channel, hello_record, sizeof(got)));
	EXPECT_EQ((ssize_t)sizeof(got), recv(self->link.peer, got, sizeof(got), MSG_WAITALL));
	EXPECT_EQ(0, memcmp(hello_record, got, sizeof(got)));
	/* A body may come in parts, a header must not. */
	EXPECT_ERRNO(EINVAL, write(self->channel, hello_record, 4));
	EXPECT_EQ(7, write(self->channel, hello_record, 7));
	EXPECT_ERRNO(EINVAL, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_EQ(4, write(self->channel, hello_record + 7, 4));
	EXPECT_EQ((ssize_t)sizeof(got), recv(self->link.peer, got, sizeof(got), MSG_WAITALL));
	ASSERT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_TRUE(carries_data(&self->link));
}

TEST_F(upcall, a_channel_takes_nothing_but_records)
{
	static const uint8_t bad[][5] = {
		{ 'G', 'E', 'T', ' ', '/' }, { 19, 3, 3, 0, 5 },       { 24, 3, 3, 0, 5 },
		{ 22, 2, 3, 0, 5 },	     { 22, 3, 3, 0xff, 0xff }, { 22, 3, 3, 0, 0 },
		{ 22, 3, 5, 0, 1 },
	};
	uint8_t both[sizeof(hello_record) + 5];

	BEGIN();
	for (size_t i = 0; i < COUNT(bad); i++)
		EXPECT_ERRNO(EINVAL, write(self->channel, bad[i], sizeof(bad[i])));
	EXPECT_TRUE(peer_saw_nothing(&self->link));
	/* What comes before it is taken. */
	memcpy(both, hello_record, sizeof(hello_record));
	memcpy(both + sizeof(hello_record), bad[0], 5);
	EXPECT_EQ((ssize_t)sizeof(hello_record), write(self->channel, both, sizeof(both)));
}

TEST_F(upcall, a_read_ends_with_a_header_or_a_record)
{
	uint8_t buffer[64];

	BEGIN();
	EXPECT_ERRNO(EAGAIN, read(self->channel, buffer, sizeof(buffer)));
	EXPECT_EQ(0, poll_now(self->channel, POLLIN));
	ASSERT_EQ(0, peer_send_raw(&self->link, hello_record, sizeof(hello_record)));
	ASSERT_EQ(0, peer_send_raw(&self->link, hello_record, sizeof(hello_record)));
	wait_delivered(self->link.peer, self->link.fd);
	EXPECT_EQ(POLLIN, poll_wait(self->channel, POLLIN));
	EXPECT_EQ(5, read(self->channel, buffer, sizeof(buffer)));
	EXPECT_EQ(0, memcmp(buffer, hello_record, 5));
	EXPECT_EQ(2, read(self->channel, buffer, 2));
	EXPECT_EQ(4, read(self->channel, buffer, sizeof(buffer)));
	EXPECT_EQ(0, memcmp(buffer, hello_record + 7, 4));
	EXPECT_EQ(3, read(self->channel, buffer, 3));
	EXPECT_ERRNO(EINVAL, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_EQ(2, read(self->channel, buffer, sizeof(buffer)));
	EXPECT_ERRNO(EFAULT, syscall(SYS_read, self->channel, NULL, 6));
	EXPECT_EQ(6, read(self->channel, buffer, sizeof(buffer)));
	EXPECT_ERRNO(EAGAIN, read(self->channel, buffer, sizeof(buffer)));
	ASSERT_EQ(0, peer_fin(&self->link));
	EXPECT_EQ(POLLIN, poll_wait(self->channel, POLLIN) & POLLIN);
	EXPECT_EQ(0, read(self->channel, buffer, sizeof(buffer)));
}

TEST_F(upcall, data_behind_the_handshake_are_the_record_layers)
{
	uint8_t buffer[64];

	BEGIN();
	ASSERT_EQ(0, peer_send_raw(&self->link, hello_record, sizeof(hello_record)));
	ASSERT_EQ(0, peer_send_pattern(&self->link, 0, 1000, 300));
	ASSERT_EQ(0, peer_fin(&self->link));
	wait_delivered(self->link.peer, self->link.fd);
	EXPECT_EQ(5, read(self->channel, buffer, sizeof(buffer)));
	EXPECT_EQ(6, read(self->channel, buffer, sizeof(buffer)));
	ASSERT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_EQ(0, recv_pattern(self->link.fd, 0, 1000));
}

TEST_F(upcall, a_channel_waits_for_room)
{
	uint8_t record[5 + 16384] = { TYPE_HANDSHAKE, 3, 3, 0x40, 0 };
	size_t sent = 0, got = 0;
	ssize_t n;

	BEGIN();
	while ((n = write(self->channel, record + sent % sizeof(record),
			  sizeof(record) - sent % sizeof(record))) > 0)
		sent += n;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, poll_now(self->channel, POLLOUT));
	while (got < sent) {
		n = recv(self->link.peer, record, sizeof(record), 0);
		ASSERT_LT(0, n);
		got += n;
	}
	EXPECT_EQ(POLLOUT, poll_wait(self->channel, POLLOUT));
}

TEST_F(upcall, results_out_of_range_change_nothing)
{
	uint8_t bytes[SIGNET_CHAIN_MAX + 1] = {};
	struct helper_result chain = { .chain = bytes, .chain_len = SIGNET_CHAIN_MAX + 1 };
	struct helper_result session = { .session = bytes, .session_len = SIGNET_SESSION_MAX + 1 };
	struct helper_result exporter = { .exporter = bytes, .exporter_len = 65 };
	struct helper_result wrong_exporter = { .exporter = bytes, .exporter_len = 48 };
	struct helper_result flags = { .flags = 2 };
	struct signet_keys keys = self->link.keys;
	struct signet_handover handover = { .size = sizeof(handover), .keys = keys };
	uint32_t flood = 0;

	BEGIN();
	EXPECT_ERRNO(EMSGSIZE, helper_hand_over(self->channel, &keys, &chain));
	EXPECT_ERRNO(EMSGSIZE, helper_hand_over(self->channel, &keys, &session));
	EXPECT_ERRNO(EMSGSIZE, helper_hand_over(self->channel, &keys, &exporter));
	EXPECT_ERRNO(EINVAL, helper_hand_over(self->channel, &keys, &wrong_exporter));
	EXPECT_ERRNO(EINVAL, helper_hand_over(self->channel, &keys, &flags));
	keys.tx.suite = 0x1399;
	EXPECT_ERRNO(EOPNOTSUPP, helper_hand_over(self->channel, &keys, NULL));
	handover.size = sizeof(handover) - 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->channel, SIGNET_IOC_HANDOVER, &handover));
	handover.size = 1 << 20;
	EXPECT_ERRNO(E2BIG, ioctl(self->channel, SIGNET_IOC_HANDOVER, &handover));
	EXPECT_ERRNO(EFAULT, ioctl(self->channel, SIGNET_IOC_HANDOVER, NULL));
	EXPECT_ERRNO(EFAULT, ioctl(self->channel, SIGNET_IOC_REFUSE, NULL));
	EXPECT_ERRNO(EINVAL, ioctl(self->channel, SIGNET_IOC_REFUSE, &flood));
	EXPECT_ERRNO(ENOTTY, ioctl(self->channel, SIGNET_IOC_REQUEST, &self->request));
	EXPECT_EQ(SIGNET_STATE_HANDSHAKE, state_of(self->link.fd));
	EXPECT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_ERRNO(ENOTCONN, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_TRUE(carries_data(&self->link));
}

/* --- what the result leaves ----------------------------------------------------------- */

TEST_F(upcall, the_result_can_be_read)
{
	static const uint8_t chain[] = { 0, 0, 3, 'c', 'r', 't' };
	struct helper_result result = {
		.alpn = "h2",
		.server_name = "asked.example",
		.peer_name = "spiffe://example.org/db",
		.chain = chain,
		.chain_len = sizeof(chain),
		.group = 0x11ec,
		.flags = SIGNET_HANDOVER_RESUMED,
	};
	uint8_t read[sizeof(chain)];
	socklen_t len = sizeof(read);
	struct signet_info info;

	BEGIN();
	ASSERT_EQ(0, helper_hand_over(self->channel, &self->link.keys, &result));
	EXPECT_STREQ("h2", text_of(self->link.fd, SIGNET_ALPN));
	EXPECT_STREQ("asked.example", text_of(self->link.fd, SIGNET_SERVER_NAME));
	EXPECT_STREQ("spiffe://example.org/db", text_of(self->link.fd, SIGNET_PEER_NAME));
	EXPECT_EQ(0, getsockopt(self->link.fd, SOL_SIGNET, SIGNET_PEER, read, &len));
	EXPECT_EQ(sizeof(chain), len);
	EXPECT_EQ(0, memcmp(chain, read, sizeof(chain)));
	len = 2;
	EXPECT_ERRNO(EMSGSIZE, getsockopt(self->link.fd, SOL_SIGNET, SIGNET_PEER, read, &len));
	EXPECT_EQ(sizeof(chain), len);
	ASSERT_EQ(0, sock_info(self->link.fd, &info));
	EXPECT_EQ(0x11ec, info.group);
	EXPECT_EQ(SIGNET_INFO_RESUMED, info.flags);
	EXPECT_EQ(SIGNET_ROLE_CLIENT, info.role);
	len = sizeof(read);
	EXPECT_ERRNO(ENODATA, getsockopt(self->link.fd, SOL_SIGNET, SIGNET_EXPORT, read, &len));
}

TEST_F(upcall, nothing_is_to_be_read_of_a_plain_result)
{
	BEGIN();
	ASSERT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_STREQ("", text_of(self->link.fd, SIGNET_ALPN));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_STREQ("", text_of(self->link.fd, SIGNET_PEER_NAME));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_STREQ("", text_of(self->link.fd, SIGNET_PEER));
	EXPECT_EQ(ENODATA, errno);
}

TEST_F(upcall, tickets_go_to_the_helper)
{
	/* NewSessionTicket: lifetime, age_add, nonce, ticket, extensions (RFC 8446 4.6.1). */
	static const uint8_t message[] = { 4, 0, 0,   17, 0, 0,	  1,   0,   1, 2, 3,
					   4, 1, 'n', 0,  3, 't', 'i', 'k', 0, 0 };
	struct helper_result result = { .session = "opaque", .session_len = 6 };
	struct signet_ticket_notice notice = { .size = sizeof(notice) };
	socklen_t len = sizeof(notice.ticket);
	uint8_t byte;

	BEGIN();
	ASSERT_EQ(0, helper_hand_over(self->channel, &self->link.keys, &result));
	EXPECT_ERRNO(EAGAIN, ioctl(self->device, SIGNET_IOC_TICKET, &notice));
	EXPECT_EQ(0, poll_now(self->device, POLLPRI));
	ASSERT_EQ(0, peer_send(&self->link, TYPE_HANDSHAKE, message, sizeof(message)));
	ASSERT_EQ(0, peer_send(&self->link, TYPE_DATA, "x", 1));
	EXPECT_EQ(1, recv(self->link.fd, &byte, 1, 0));
	EXPECT_EQ(POLLPRI, poll_wait(self->device, POLLPRI));
	EXPECT_ERRNO(EINVAL, ioctl(self->device, SIGNET_IOC_TICKET,
				   &(struct signet_ticket_notice){ .size = 8 }));
	ASSERT_EQ(0, ioctl(self->device, SIGNET_IOC_TICKET, &notice));
	EXPECT_EQ(sizeof(notice), notice.size);
	EXPECT_EQ(getuid(), notice.uid);
	EXPECT_EQ(self->request.netns, notice.netns);
	EXPECT_LT(1700000000000, notice.received_ms);
	EXPECT_EQ(6, notice.session_len);
	EXPECT_EQ(0, memcmp("opaque", notice.session, 6));
	EXPECT_EQ(sizeof(message) - 4, notice.ticket_len);
	EXPECT_EQ(0, memcmp(message + 4, notice.ticket, sizeof(message) - 4));
	EXPECT_ERRNO(ENODATA,
		     getsockopt(self->link.fd, SOL_SIGNET, SIGNET_TICKET, notice.ticket, &len));
}

TEST_F(upcall, all_connections_change_keys_on_demand)
{
	uint32_t ask = 0, wrong = 4;
	uint8_t type, content[RECORD_CONTENT];
	int len;

	BEGIN();
	ASSERT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
	EXPECT_EQ(0, send_pattern(self->link.fd, 0, 10));
	EXPECT_EQ(0, peer_recv_pattern(&self->link, 0, 10));
	EXPECT_ERRNO(EINVAL, ioctl(self->device, SIGNET_IOC_REKEY, &wrong));
	EXPECT_ERRNO(EFAULT, ioctl(self->device, SIGNET_IOC_REKEY, NULL));
	ASSERT_EQ(0, ioctl(self->device, SIGNET_IOC_REKEY, &ask));
	EXPECT_EQ(0, send_pattern(self->link.fd, 10, 10));
	len = peer_recv(&self->link, &type, content);
	EXPECT_EQ(0, update_request(type, content, len));
	ask = SIGNET_REKEY_REQUEST_UPDATE;
	ASSERT_EQ(0, ioctl(self->device, SIGNET_IOC_REKEY, &ask));
	ASSERT_EQ(0, record_keys_update(&self->link.from_fd));
	EXPECT_EQ(10, peer_recv(&self->link, &type, content));
	EXPECT_EQ(1, send(self->link.fd, "x", 1, 0));
	len = peer_recv(&self->link, &type, content);
	EXPECT_EQ(1, update_request(type, content, len));
}

/* --- the device ------------------------------------------------------------------------ */

TEST_F(upcall, versions_are_compared_first)
{
	struct signet_hello hello = { .version = SIGNET_HELPER_VERSION + 1 };
	int device = open(SIGNET_DEVICE, O_RDWR);

	ASSERT_LE(0, device);
	EXPECT_ERRNO(EPROTO, helper_request(device, &self->request));
	EXPECT_ERRNO(EPROTONOSUPPORT, ioctl(device, SIGNET_IOC_HELLO, &hello));
	EXPECT_EQ(SIGNET_HELPER_VERSION, hello.version);
	EXPECT_ERRNO(EPROTO, helper_request(device, &self->request));
	hello.reserved = 1;
	EXPECT_ERRNO(EINVAL, ioctl(device, SIGNET_IOC_HELLO, &hello));
	EXPECT_ERRNO(EFAULT, ioctl(device, SIGNET_IOC_HELLO, NULL));
	/* It is no helper yet. */
	close(self->device);
	self->device = -1;
	EXPECT_ERRNO(EUNATCH, text_option(self->link.fd, SIGNET_CONNECT, "db.internal"));
	hello.reserved = 0;
	EXPECT_EQ(0, ioctl(device, SIGNET_IOC_HELLO, &hello));
	EXPECT_EQ(0, ioctl(device, SIGNET_IOC_HELLO, &hello));
	EXPECT_ERRNO(ENOTTY, ioctl(device, SIGNET_IOC_HANDOVER, NULL));
	close(device);
}

TEST_F(upcall, an_unprivileged_task_may_not_serve)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		/* The device's permissions are one thing, the capability another. */
		int ret = chmod(SIGNET_DEVICE, 0666) || setuid(65534) ||
			  open(SIGNET_DEVICE, O_RDWR) != -1 || errno != EPERM;

		_exit(ret);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	chmod(SIGNET_DEVICE, 0600);
}

TEST_F(upcall, a_request_that_cannot_be_handed_out_stays)
{
	EXPECT_ERRNO(EINPROGRESS, begin(self->link.fd, SIGNET_ROLE_CLIENT, "db.internal"));
	set_nonblocking(self->device, true);
	memset(&self->request, 0, sizeof(self->request));
	EXPECT_ERRNO(EINVAL, ioctl(self->device, SIGNET_IOC_REQUEST, &self->request));
	EXPECT_ERRNO(EFAULT, ioctl(self->device, SIGNET_IOC_REQUEST, NULL));

	/* The size can be read, and nothing written. */
	struct signet_request *readable =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	readable->size = sizeof(*readable);
	mprotect(readable, 4096, PROT_READ);
	EXPECT_ERRNO(EFAULT, ioctl(self->device, SIGNET_IOC_REQUEST, readable));
	munmap(readable, 4096);

	struct rlimit limit, none = {};

	getrlimit(RLIMIT_NOFILE, &limit);
	none.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	EXPECT_ERRNO(EMFILE, helper_request(self->device, &self->request));
	setrlimit(RLIMIT_NOFILE, &limit);
	EXPECT_EQ(POLLIN, poll_now(self->device, POLLIN));
	self->channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, self->channel);
	EXPECT_EQ(0, helper_hand_over(self->channel, &self->link.keys, NULL));
}

TEST_F(upcall, a_user_has_so_many_requests_under_way)
{
	int pair[2], fds[3][2];

	ASSERT_EQ(0, default_set("requests_max", "2"));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, tcp_pair(LINK_IPV6, fds[i]));
		ASSERT_EQ(0, ulp_attach(fds[i][0]));
		EXPECT_ERRNO(i < 2 ? EINPROGRESS : EDQUOT,
			     begin(fds[i][0], SIGNET_ROLE_CLIENT, "a"));
	}
	EXPECT_NE(NULL, strstr(text_of(fds[2][0], SIGNET_ERROR), "too many"));
	/* Another user has his own. */
	ASSERT_EQ(0, tcp_pair(LINK_IPV6, pair));
	ASSERT_EQ(0, ulp_attach(pair[0]));
	ASSERT_EQ(0, seteuid(65534));
	EXPECT_ERRNO(EINPROGRESS, begin(pair[0], SIGNET_ROLE_CLIENT, "a"));
	ASSERT_EQ(0, seteuid(0));
	/* One that ends makes room. */
	close(fds[0][0]);
	EXPECT_ERRNO(EINPROGRESS, begin(fds[2][0], SIGNET_ROLE_CLIENT, "a"));
	for (int i = 0; i < 3; i++) {
		if (i)
			close(fds[i][0]);
		close(fds[i][1]);
	}
	close(pair[0]);
	close(pair[1]);
}

TEST_F(upcall, helpers_serve_their_own_namespace)
{
	int first = open("/proc/self/ns/net", O_RDONLY), second;
	struct link other;

	ASSERT_EQ(0, namespace_enter());
	ASSERT_EQ(0, link_open(&other, LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
	ASSERT_EQ(0, link_attach(&other));
	EXPECT_ERRNO(EUNATCH, begin(other.fd, SIGNET_ROLE_CLIENT, "db.internal"));
	second = helper_open();
	ASSERT_LE(0, second);
	EXPECT_ERRNO(EINPROGRESS, begin(other.fd, SIGNET_ROLE_CLIENT, "db.internal"));
	EXPECT_EQ(0, poll_now(self->device, POLLIN));
	EXPECT_EQ(POLLIN, poll_now(second, POLLIN));
	/* The file outlives its namespace. */
	link_close(&other);
	ASSERT_EQ(0, setns(first, CLONE_NEWNET));
	EXPECT_EQ(POLLIN | POLLHUP, poll_wait(second, POLLIN) & (POLLIN | POLLHUP));
	EXPECT_ERRNO(ENETDOWN, helper_request(second, &self->request));
	EXPECT_EQ(-1, default_get("fallback"));
	close(second);
	close(first);
}

/* A helper of the initial namespace, with or without net.signet.fallback. */
static int open_initial(const char *fallback)
{
	int here = open("/proc/self/ns/net", O_RDONLY), initial = open("/proc/1/ns/net", O_RDONLY);
	int device = -1;

	if (!setns(initial, CLONE_NEWNET)) {
		if (!default_set("fallback", fallback))
			device = helper_open();
		if (setns(here, CLONE_NEWNET))
			abort();
	}
	close(initial);
	close(here);
	return device;
}

TEST_F(upcall, a_helper_of_the_initial_namespace_serves_all_if_it_may)
{
	struct link *link = &self->link;
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;
	int initial;

	close(self->device);
	initial = open_initial("0");
	self->device = -1;
	ASSERT_LE(0, initial);
	EXPECT_ERRNO(EUNATCH, begin(link->fd, SIGNET_ROLE_CLIENT, "db.internal"));
	close(initial);
	self->device = open_initial("1");
	ASSERT_LE(0, self->device);
	EXPECT_ERRNO(EINPROGRESS, begin(link->fd, SIGNET_ROLE_CLIENT, "db.internal"));
	/* Back to what it was, for whatever comes next. */
	initial = open_initial("0");
	ASSERT_LE(0, initial);
	close(initial);
	self->channel = helper_request(self->device, &self->request);
	ASSERT_LE(0, self->channel);
	/* It is told whose the socket is. */
	ASSERT_EQ(0, getsockopt(link->fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len));
	EXPECT_EQ(cookie, self->request.netns);
	ASSERT_EQ(sizeof(hello_record), write(self->channel, hello_record, sizeof(hello_record)));
	ASSERT_EQ(0, helper_hand_over(self->channel, &link->keys, NULL));
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, state_of(link->fd));
	ASSERT_EQ(sizeof(hello_record),
		  recv(link->peer, link->header, sizeof(hello_record), MSG_WAITALL));
	EXPECT_EQ(0, send_pattern(link->fd, 0, 1000));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 1000));
}

/* The namespace's own comes first. */
TEST_F(upcall, a_helper_of_the_namespace_comes_before_the_initial_one)
{
	int initial = open_initial("1");

	ASSERT_LE(0, initial);
	EXPECT_ERRNO(EINPROGRESS, begin(self->link.fd, SIGNET_ROLE_CLIENT, "db.internal"));
	close(open_initial("0"));
	EXPECT_EQ(0, poll_now(initial, POLLIN));
	EXPECT_EQ(POLLIN, poll_now(self->device, POLLIN));
	close(initial);
}

TEST_HARNESS_MAIN
