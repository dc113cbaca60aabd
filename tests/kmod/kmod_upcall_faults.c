// SPDX-License-Identifier: GPL-2.0-only
/*
 * As kmod_faults, for handshakes that a helper completes: whatever failed, the same call
 * works the second time, and nothing of a first one is left.
 *
 * Needs a kernel with fault injection: scripts/vm --debug.
 */
#include "fixture.h"

#include <linux/tls.h>

#include "helper.h"
#include "namespace.h"
#include "trial.h"

FIXTURE(upcall_faults)
{
	int unused;
};

FIXTURE_VARIANT(upcall_faults)
{
	uint16_t suite;
};

FIXTURE_VARIANT_ADD(upcall_faults, tls13_gcm){
	.suite = SIGNET_AES_128_GCM_SHA256,
};

FIXTURE_VARIANT_ADD(upcall_faults, tls12_ccm){
	.suite = SIGNET_ECDHE_ECDSA_WITH_AES_128_CCM,
};

static int device = -1;

FIXTURE_SETUP(upcall_faults)
{
	signal(SIGPIPE, SIG_IGN);
	if (fault_setup())
		SKIP(return, "this kernel has no fault injection");
	ASSERT_EQ(0, namespace_enter());
	device = helper_open();
	ASSERT_LE(0, device);
	set_nonblocking(device, true);
}

FIXTURE_TEARDOWN(upcall_faults)
{
	close(device);
}

static const uint8_t message[] = { TYPE_HANDSHAKE, 3, 3, 0, 6, 'h', 'e', 'l', 'l', 'o', '!' };

static bool memory_or_address(const struct trial *trial)
{
	return trial->error == ENOMEM || trial->error == EFAULT;
}

static int state_of(int fd)
{
	struct signet_info info;

	return sock_info(fd, &info) ? -1 : info.state;
}

/* --- steps of a handshake ------------------------------------------------------------ */

static long call_begin(struct trial *trial)
{
	long ret = begin(trial->link.fd, SIGNET_ROLE_CLIENT, "db.internal");

	return ret && errno == EINPROGRESS ? 0 : ret;
}

static long call_request(struct trial *trial)
{
	struct signet_request request;

	trial->channel = helper_request(device, &request);
	return trial->channel < 0 ? -1 : 0;
}

static long call_hand_over(struct trial *trial)
{
	static const uint8_t secret[48];
	const struct record_suite *suite = record_suite_find(trial->suite);
	struct helper_result result = {
		.alpn = "h2",
		.peer_name = "db.internal",
		.chain = message,
		.chain_len = sizeof(message),
		.exporter = secret,
		.exporter_len = is_tls_1_3(trial) ? record_suite_secret_len(suite) : 32,
	};

	return helper_hand_over(trial->channel, &trial->link.keys, &result);
}

static long call_refuse(struct trial *trial)
{
	return helper_refuse(trial->channel, EKEYREJECTED, 0, "refused");
}

/* The rest of a handshake, from a step on that went well. */
static int finish_from_request(struct trial *trial)
{
	REQUIRE(!call_request(trial));
	REQUIRE(!call_hand_over(trial));
	return exchange(&trial->link, 0, 0);
}

/* --- asking --------------------------------------------------------------------------- */

static int prepare_attached(struct trial *trial)
{
	return link_attach(&trial->link);
}

static long call_wish(struct trial *trial)
{
	return setsockopt(trial->link.fd, SOL_SIGNET, SIGNET_ALPN, "\2h2", 3);
}

static int verify_wish(struct trial *trial)
{
	if (trial->ret) {
		REQUIRE(memory_or_address(trial));
		REQUIRE(!call_wish(trial));
	}
	REQUIRE(!call_begin(trial));
	return finish_from_request(trial);
}

static const struct call wish = { link_open, prepare_attached, call_wish, verify_wish };

TEST_F_TIMEOUT(upcall_faults, wish, 600)
{
	FAIL_IN_TURN(wish);
}

static int verify_begin(struct trial *trial)
{
	if (trial->ret) {
		REQUIRE(memory_or_address(trial));
		REQUIRE(state_of(trial->link.fd) == SIGNET_STATE_GATED);
		REQUIRE(!poll_now(device, POLLIN));
		REQUIRE(!call_begin(trial));
	}
	return finish_from_request(trial);
}

static const struct call begin_call = { link_open, prepare_attached, call_begin, verify_begin };

TEST_F_TIMEOUT(upcall_faults, begin, 600)
{
	FAIL_IN_TURN(begin_call);
}

/* --- the helper's calls ---------------------------------------------------------------- */

static int prepare_begun(struct trial *trial)
{
	return link_attach(&trial->link) || call_begin(trial) ? -1 : 0;
}

static int verify_request(struct trial *trial)
{
	if (trial->ret) {
		REQUIRE(memory_or_address(trial) || trial->error == EMFILE ||
			trial->error == ENFILE);
		REQUIRE(state_of(trial->link.fd) == SIGNET_STATE_HANDSHAKE);
		REQUIRE(!call_request(trial));
	}
	REQUIRE(!call_hand_over(trial));
	return exchange(&trial->link, 0, 0);
}

static const struct call request = { link_open, prepare_begun, call_request, verify_request };

TEST_F_TIMEOUT(upcall_faults, request, 600)
{
	FAIL_IN_TURN(request);
}

static int prepare_taken(struct trial *trial)
{
	return prepare_begun(trial) || call_request(trial) ? -1 : 0;
}

static long call_write(struct trial *trial)
{
	return write(trial->channel, message, sizeof(message));
}

static int verify_write(struct trial *trial)
{
	uint8_t got[sizeof(message)];
	size_t sent = trial->ret > 0 ? trial->ret : 0;

	if (trial->ret < 0)
		REQUIRE(memory_or_address(trial) || trial->error == EAGAIN);
	if (sent < sizeof(message))
		REQUIRE(write(trial->channel, message + sent, sizeof(message) - sent) ==
			(ssize_t)(sizeof(message) - sent));
	REQUIRE(recv(trial->link.peer, got, sizeof(got), MSG_WAITALL) == sizeof(got));
	REQUIRE(!memcmp(got, message, sizeof(got)));
	REQUIRE(!call_hand_over(trial));
	return exchange(&trial->link, 0, 0);
}

static const struct call write_call = { link_open, prepare_taken, call_write, verify_write };

TEST_F_TIMEOUT(upcall_faults, write, 600)
{
	FAIL_IN_TURN(write_call);
}

static int prepare_message(struct trial *trial)
{
	if (prepare_taken(trial) || peer_send_raw(&trial->link, message, sizeof(message)))
		return -1;
	wait_delivered(trial->link.peer, trial->link.fd);
	return 0;
}

static long call_read(struct trial *trial)
{
	uint8_t header[5];

	return read(trial->channel, header, sizeof(header));
}

/* A copy that fails behind the check of the address loses what was read: the handshake ends. */
static int verify_read(struct trial *trial)
{
	uint8_t got[sizeof(message)];

	if (trial->ret < 0) {
		REQUIRE(memory_or_address(trial));
		if (trial->error == ENOMEM)
			REQUIRE(call_read(trial) == 5);
		else if (read(trial->channel, got, 5) != 5 || got[0] != TYPE_HANDSHAKE)
			return 0;
	}
	REQUIRE(read(trial->channel, got, sizeof(got)) == sizeof(message) - 5);
	REQUIRE(!memcmp(got, message + 5, sizeof(message) - 5));
	REQUIRE(!call_hand_over(trial));
	return exchange(&trial->link, 0, 0);
}

static const struct call read_call = { link_open, prepare_message, call_read, verify_read };

TEST_F_TIMEOUT(upcall_faults, read, 600)
{
	FAIL_IN_TURN(read_call);
}

static int verify_hand_over(struct trial *trial)
{
	if (trial->ret) {
		REQUIRE(memory_or_address(trial));
		REQUIRE(state_of(trial->link.fd) == SIGNET_STATE_HANDSHAKE);
		REQUIRE(send(trial->link.fd, "x", 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
		REQUIRE(!call_hand_over(trial));
	}
	REQUIRE(!strcmp(text_of(trial->link.fd, SIGNET_ALPN), "h2"));
	return exchange(&trial->link, 0, 0);
}

static const struct call hand_over = { link_open, prepare_taken, call_hand_over, verify_hand_over };

TEST_F_TIMEOUT(upcall_faults, hand_over, 600)
{
	FAIL_IN_TURN(hand_over);
}

static int verify_refuse(struct trial *trial)
{
	if (trial->ret) {
		REQUIRE(memory_or_address(trial));
		REQUIRE(state_of(trial->link.fd) == SIGNET_STATE_HANDSHAKE);
		REQUIRE(!call_refuse(trial));
	}
	REQUIRE(!strcmp(text_of(trial->link.fd, SIGNET_ERROR), "refused"));
	REQUIRE(send(trial->link.fd, "x", 1, 0) < 0 && errno == EKEYREJECTED);
	REQUIRE(peer_saw_nothing(&trial->link));
	return 0;
}

static const struct call refuse = { link_open, prepare_taken, call_refuse, verify_refuse };

TEST_F_TIMEOUT(upcall_faults, refuse, 600)
{
	FAIL_IN_TURN(refuse);
}

/* --- afterwards -------------------------------------------------------------------------- */

static int prepare_established(struct trial *trial)
{
	return prepare_taken(trial) || call_hand_over(trial) ? -1 : 0;
}

static long call_export(struct trial *trial)
{
	uint8_t value[32];
	socklen_t len = sizeof(value);

	return getsockopt(trial->link.fd, SOL_SIGNET, SIGNET_EXPORT, value, &len);
}

static int verify_export(struct trial *trial)
{
	if (trial->ret) {
		REQUIRE(memory_or_address(trial));
		REQUIRE(!call_export(trial));
	}
	return exchange(&trial->link, 0, 0);
}

static const struct call export = { link_open, prepare_established, call_export, verify_export };

TEST_F_TIMEOUT(upcall_faults, export, 600)
{
	FAIL_IN_TURN(export);
}

/* --- listeners ---------------------------------------------------------------------------- */

static int listener = -1;

/* A connection from before the attach: accept() attaches it, and asks. */
static int open_waiting(struct link *link, enum link_family family, uint16_t suite)
{
	struct sockaddr_storage address;
	socklen_t len;

	memset(link, 0, sizeof(*link));
	link->fd = -1;
	listener = tcp_listen(family, 1, &address, &len);
	link->peer = socket(address.ss_family, SOCK_STREAM, 0);
	choose_keys(&link->keys, suite);
	link->keys.role = SIGNET_ROLE_SERVER;
	if (listener < 0 || connect(link->peer, (struct sockaddr *)&address, len))
		return -1;
	return ulp_attach(listener) || text_option(listener, SIGNET_ACCEPT, "") || link_rekey(link);
}

static long call_accept(struct trial *trial)
{
	trial->link.fd = accept(listener, NULL, NULL);
	return trial->link.fd < 0 ? -1 : 0;
}

static int verify_accept(struct trial *trial)
{
	struct link *link = &trial->link;

	close(listener);
	if (trial->ret) {
		REQUIRE(memory_or_address(trial) || trial->error == EMFILE ||
			trial->error == ENFILE);
		return 0;
	}
	if (state_of(link->fd) == SIGNET_STATE_FAILED) {
		REQUIRE(send(link->fd, "x", 1, 0) < 0 && errno == ENOMEM);
		REQUIRE(peer_saw_nothing(link));
		return 0;
	}
	return finish_from_request(trial);
}

static const struct call accept_call = { open_waiting, NULL, call_accept, verify_accept };

TEST_F_TIMEOUT(upcall_faults, accept, 600)
{
	FAIL_IN_TURN(accept_call);
}

/* --- connections that arrive while there is no memory ---------------------------------------- */

FIXTURE(exhausted)
{
	struct sockaddr_storage address;
	socklen_t address_len;
	int device;
	int fd;
};

FIXTURE_VARIANT(exhausted)
{
	enum link_family family;
};

FIXTURE_VARIANT_ADD(exhausted, ipv4){ .family = LINK_IPV4 };
FIXTURE_VARIANT_ADD(exhausted, ipv6){ .family = LINK_IPV6 };
FIXTURE_VARIANT_ADD(exhausted, mapped){ .family = LINK_MAPPED };

FIXTURE_SETUP(exhausted)
{
	signal(SIGPIPE, SIG_IGN);
	if (fault_setup())
		SKIP(return, "this kernel has no fault injection");
	ASSERT_EQ(0, namespace_enter());
	self->device = helper_open();
	ASSERT_LE(0, self->device);
	set_nonblocking(self->device, true);
	self->fd = tcp_listen(variant->family, 128, &self->address, &self->address_len);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ulp_attach(self->fd));
	ASSERT_EQ(0, text_option(self->fd, SIGNET_ACCEPT, ""));
}

FIXTURE_TEARDOWN(exhausted)
{
	EXPECT_EQ(0, fault_function(NULL));
	close(self->fd);
	close(self->device);
}

#define CLIENTS 6

/* The connections are made, in interrupts, while no context can be had. */
static int connect_exhausted(const struct sockaddr_storage *address, socklen_t len,
			     int clients[CLIENTS])
{
	int ret = fault_function("signet_context_new");

	for (int i = 0; i < CLIENTS && !ret; i++) {
		clients[i] = socket(address->ss_family, SOCK_STREAM, 0);
		ret = connect(clients[i], (const struct sockaddr *)address, len) ?:
			      send(clients[i], "early", 5, 0) != 5;
	}
	return fault_function(NULL) ?: ret;
}

/* Calls that would change what the sockets share. */
static bool all_is_refused(int fd)
{
	const int options[] = { SIGNET_REKEY, SIGNET_RECORD_MAX, SIGNET_TIMEOUT };
	struct signet_keys keys;
	int one = 1, error = 0;
	socklen_t len = sizeof(error);
	char byte;

	choose_keys(&keys, SIGNET_AES_128_GCM_SHA256);
	for (size_t i = 0; i < COUNT(options); i++) {
		if (!set_int_option(fd, SOL_SIGNET, options[i], 600) || errno != ENOMEM)
			return false;
	}
	if (!setsockopt(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &one, sizeof(one)) || errno != ENOMEM)
		return false;
	if (!keys_install(fd, &keys) || errno != ENOMEM || !begin(fd, SIGNET_ROLE_SERVER, "") ||
	    errno != ENOMEM)
		return false;
	/* Told once. */
	for (int i = 0; i < 2; i++) {
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) || error != (i ? 0 : ENOMEM))
			return false;
	}
	return send(fd, "x", 1, 0) < 0 && errno == ENOMEM && recv(fd, &byte, 1, 0) < 0 &&
	       errno == ENOMEM && (poll_now(fd, POLLIN | POLLOUT) & (POLLERR | POLLHUP));
}

TEST_F_TIMEOUT(exhausted, connections_of_a_listener_have_failed, 600)
{
	struct signet_info info;
	int clients[CLIENTS], fds[CLIENTS - 2];
	struct link link;
	char byte;

	ASSERT_EQ(0, connect_exhausted(&self->address, self->address_len, clients));
	EXPECT_EQ(CLIENTS, counter_get("NoMemoryChildren"));
	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = accept(self->fd, NULL, NULL);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, sock_info(fds[i], &info));
		EXPECT_EQ(SIGNET_STATE_FAILED, info.state);
		EXPECT_EQ(ENOMEM, info.error);
		EXPECT_EQ(SIGNET_REASON_NO_MEMORY, info.reason);
		EXPECT_NE(0, strlen(text_of(fds[i], SIGNET_ERROR)));
	}
	for (size_t i = 0; i < COUNT(fds); i++)
		EXPECT_TRUE(all_is_refused(fds[i]));
	EXPECT_EQ(0, poll_now(self->device, POLLIN));
	/* One ends as the application wants; none says a word before. */
	EXPECT_EQ(0, shutdown(fds[0], SHUT_WR));
	EXPECT_EQ(0, recv(clients[0], &byte, 1, 0));
	for (size_t i = 1; i < CLIENTS; i++)
		EXPECT_ERRNO(EAGAIN, recv(clients[i], &byte, 1, MSG_DONTWAIT));
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
	/* Two are still in the queue; what comes now is as ever. */
	for (size_t i = COUNT(fds); i < CLIENTS; i++)
		close(accept(self->fd, NULL, NULL));
	memset(&link, 0, sizeof(link));
	link.peer = socket(self->address.ss_family, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(link.peer, (struct sockaddr *)&self->address, self->address_len));
	link.fd = accept(self->fd, NULL, NULL);
	EXPECT_EQ(SIGNET_STATE_HANDSHAKE, state_of(link.fd));
	link_close(&link);
	for (size_t i = 0; i < CLIENTS; i++)
		close(clients[i]);
}

/* What these left behind would keep the module from being unloaded. */
TEST_F_TIMEOUT(exhausted, connections_of_a_listener_that_nobody_accepts, 600)
{
	int clients[CLIENTS];

	ASSERT_EQ(0, connect_exhausted(&self->address, self->address_len, clients));
	close(self->fd);
	self->fd = -1;
	for (size_t i = 0; i < CLIENTS; i++)
		close(clients[i]);
}

TEST_HARNESS_MAIN
