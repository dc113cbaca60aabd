// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control records: they never disturb the data, and what must not come ends
 * the connection in the right way, once and for good.
 */
#include "fixture.h"

#include <sys/epoll.h>

TLS_FIXTURE(control, link_up);
TLS_ALL_VARIANTS(control);

/* What does not depend on keys or addresses. */
TLS_FIXTURE(ticket, link_up);
TLS_TWO_VARIANTS(ticket);

/* A handshake message with a body of @len bytes. Return: its length. */
static size_t make_message(uint8_t *to, uint8_t type, size_t len)
{
	to[0] = type;
	to[1] = len >> 16;
	to[2] = len >> 8;
	to[3] = len;
	for (size_t i = 0; i < len; i++)
		to[4 + i] = i;
	return 4 + len;
}

static int send_ticket(struct link *link, size_t len)
{
	uint8_t message[RECORD_CONTENT];

	return peer_send(link, TYPE_HANDSHAKE, message,
			 make_message(message, MESSAGE_NEW_SESSION_TICKET, len));
}

/* --- tickets -------------------- */

TEST_F(control, ticket_between_data)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, send_ticket(link, 200));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	ASSERT_EQ(0, send_ticket(link, 200));
	ASSERT_EQ(0, send_ticket(link, 0));
	ASSERT_EQ(0, peer_send_pattern(link, 100, 100, 100));
	ASSERT_EQ(0, send_ticket(link, 1000));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 200));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, link, 1, MSG_DONTWAIT));
	EXPECT_EQ(0, send_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 100));
}

TEST_F(ticket, one_call_reads_across)
{
	struct link *link = &self->link;
	uint8_t bytes[300];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	ASSERT_EQ(0, send_ticket(link, 50));
	ASSERT_EQ(0, peer_send_pattern(link, 100, 100, 100));
	wait_received(link->fd, 254 + 3 * RECORD_OVERHEAD);
	EXPECT_EQ(200, recv(link->fd, bytes, 300, 0));
	EXPECT_TRUE(pattern_matches(bytes, 0, 200));
}

TEST_F(ticket, several_in_a_record)
{
	struct link *link = &self->link;
	uint8_t messages[4000];
	size_t len = 0;

	for (int i = 0; i < 10; i++)
		len += make_message(messages + len, MESSAGE_NEW_SESSION_TICKET, 30 * i);
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, messages, len));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
}

TEST_F(ticket, split_over_records_at_every_byte)
{
	struct link *link = &self->link;
	uint8_t messages[100];
	size_t len = make_message(messages, MESSAGE_NEW_SESSION_TICKET, 20);

	len += make_message(messages + len, MESSAGE_NEW_SESSION_TICKET, 7);
	for (size_t cut = 1; cut < len; cut++) {
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, messages, cut));
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, messages + cut, len - cut));
		ASSERT_EQ(0, peer_send_pattern(link, cut, 10, 10));
		ASSERT_EQ(0, recv_pattern(link->fd, cut, 10))
		{
			TH_LOG("cut after %zu bytes: %s", cut, strerror(errno));
		}
	}
}

TEST_F(ticket, one_byte_per_record)
{
	struct link *link = &self->link;
	uint8_t message[40];
	size_t len = make_message(message, MESSAGE_NEW_SESSION_TICKET, 36);

	for (size_t i = 0; i < len; i++)
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, message + i, 1));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
}

TEST_F(ticket, longer_than_a_record)
{
	struct link *link = &self->link;
	uint8_t message[40004];
	size_t len = make_message(message, MESSAGE_NEW_SESSION_TICKET, 40000);

	for (size_t n, i = 0; i < len; i += n) {
		n = len - i < RECORD_CONTENT ? len - i : RECORD_CONTENT;
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, message + i, n));
	}
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
}

TEST_F(ticket, with_padding)
{
	struct link *link = &self->link;
	uint8_t message[100];
	size_t len = make_message(message, MESSAGE_NEW_SESSION_TICKET, 50);

	ASSERT_EQ(0, peer_send_padded(link, TYPE_HANDSHAKE, message, len, 1000));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
}

TEST_F(ticket, peek_passes_over_it)
{
	struct link *link = &self->link;
	uint8_t bytes[10];

	ASSERT_EQ(0, send_ticket(link, 100));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, bytes, 10, MSG_PEEK | MSG_DONTWAIT));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(10, recv(link->fd, bytes, 10, MSG_PEEK));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
}

TEST_F(control, ticket_alone_is_not_pollin)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, send_ticket(link, 100));
	wait_received(link->fd, 104 + RECORD_OVERHEAD);
	EXPECT_EQ(POLLOUT, poll_now(link->fd, POLLIN | POLLOUT));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, link, 1, MSG_DONTWAIT));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
}

static int select_then_read(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[10];

	if (poll_wait(link->fd, POLLIN) != POLLIN)
		return -1;
	/* May not block, as poll() said so: with MSG_DONTWAIT it would be EAGAIN. */
	return recv(link->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
}

TEST_F(ticket, sleeping_poll_stays_asleep)
{
	struct link *link = &self->link;
	struct worker reader;

	ASSERT_EQ(0, worker_start(&reader, select_then_read, link));
	worker_wait_blocked(&reader, SYS_poll);
	ASSERT_EQ(0, send_ticket(link, 100));
	wait_received(link->fd, 104 + RECORD_OVERHEAD);
	worker_wait_blocked(&reader, SYS_poll);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(10, worker_join(&reader));
}

static int read_blocking(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[100];

	return recv(link->fd, bytes, sizeof(bytes), 0);
}

TEST_F(ticket, sleeping_reader_stays_asleep)
{
	struct link *link = &self->link;
	struct worker reader;

	ASSERT_EQ(0, worker_start(&reader, read_blocking, link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, send_ticket(link, 100));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(10, worker_join(&reader));
}

TEST_F(ticket, epoll_et_reports_the_data_behind_it)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct link *link = &self->link;
	int epoll = epoll_create1(0);

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event));
	ASSERT_EQ(0, send_ticket(link, 100));
	wait_received(link->fd, 104 + RECORD_OVERHEAD);
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, -1));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	close(epoll);
}

TEST_F(ticket, many_with_a_small_receive_buffer)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_RCVBUF, 1));
	set_nonblocking(link->peer, false);
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, send_ticket(link, 500));
		ASSERT_EQ(0, peer_send_pattern(link, 10 * i, 10, 10));
		ASSERT_EQ(0, recv_pattern(link->fd, 10 * i, 10));
	}
}

TEST_F(ticket, server_refuses_it)
{
	struct link *link = &self->link;
	struct link server;

	ASSERT_EQ(0, link_open(&server, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&server));
	server.keys.role = SIGNET_ROLE_SERVER;
	ASSERT_EQ(0, link_install(&server));
	ASSERT_EQ(0, send_ticket(&server, 100));
	EXPECT_ERRNO(EBADMSG, recv(server.fd, link, 1, 0));
	EXPECT_EQ(FATAL(ALERT_UNEXPECTED_MESSAGE), peer_recv_alert(&server));
	link_close(&server);
}

/* --- empty records -------------------- */

TEST_F(control, empty_data_records_are_nothing)
{
	struct link *link = &self->link;

	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, peer_send_padded(link, TYPE_DATA, NULL, 0, i));
	wait_received(link->fd, 5 * RECORD_OVERHEAD);
	EXPECT_EQ(0, poll_now(link->fd, POLLIN));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, link, 1, MSG_DONTWAIT));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
}

/* As many in a row as are allowed, before each piece of data. */
static int send_empty_records(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t records[32 * RECORD_OVERHEAD];

	for (int i = 0; i < 300; i++) {
		for (int j = 0; j < 32; j++)
			record_seal(&link->to_fd, TYPE_DATA, NULL, 0, 0,
				    records + j * RECORD_OVERHEAD);
		if (peer_send_raw(link, records, sizeof(records)) ||
		    peer_send_pattern(link, 10 * i, 10, 10))
			return -1;
	}
	return 0;
}

TEST_F(ticket, ten_thousand_empty_records)
{
	struct link *link = &self->link;
	struct worker sender;

	ASSERT_EQ(0, worker_start(&sender, send_empty_records, link));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 3000));
	EXPECT_EQ(0, worker_join(&sender));
}

/* --- close_notify and alerts that are no errors -------------------- */

TEST_F(control, close_notify_is_end_of_file_for_ever)
{
	struct link *link = &self->link;
	struct signet_info info;
	uint8_t byte;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	/* What comes after it is ignored (RFC 8446 6.1). */
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, peer_send_raw(link, "rubbish", 7));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
		EXPECT_EQ(0, recv(link->fd, &byte, 1, MSG_PEEK));
		EXPECT_EQ(POLLIN | POLLRDHUP | POLLOUT,
			  poll_now(link->fd, POLLIN | POLLRDHUP | POLLOUT));
	}
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, info.state);
	EXPECT_EQ(SIGNET_DIRECTION_CLOSED, info.rx_state);
	EXPECT_EQ(CLOSE_NOTIFY, info.alert_received);
	/* Half-closed: sending goes on. */
	EXPECT_EQ(0, send_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 100));
	peer_reset(link);
	wait_state(link->fd, STATE_CLOSE);
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
}

TEST_F(ticket, close_notify_wakes_a_reader)
{
	struct link *link = &self->link;
	struct worker reader;

	ASSERT_EQ(0, worker_start(&reader, read_blocking, link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	EXPECT_EQ(0, worker_join(&reader));
	EXPECT_EQ(0, errno);
}

TEST_F(ticket, close_notify_of_any_level)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_alert(link, ALERT_FATAL, ALERT_CLOSE_NOTIFY));
	EXPECT_EQ(0, recv(link->fd, link, 1, 0));
}

TEST_F(control, user_canceled_is_ignored)
{
	struct link *link = &self->link;
	uint8_t byte;

	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
}

/* --- the end -------------------- */

struct fatal {
	const char *name;
	/* What the peer sends. */
	int (*send)(struct link *link);
	int error;
	int reason;
	int alert; /* that the peer must get, or -1 for none */
};

static int fatal_alert(struct link *link)
{
	return peer_send_alert(link, ALERT_FATAL, ALERT_HANDSHAKE_FAILURE);
}

static int unknown_alert(struct link *link)
{
	return peer_send_alert(link, ALERT_WARNING, 200);
}

static int short_alert(struct link *link)
{
	return peer_send(link, TYPE_ALERT, "\2", 1);
}

static int long_alert(struct link *link)
{
	return peer_send(link, TYPE_ALERT, "\1\0\0", 3);
}

static int two_alerts_in_a_record(struct link *link)
{
	return peer_send(link, TYPE_ALERT, "\1\132\1\0", 4);
}

static int empty_alert(struct link *link)
{
	return peer_send(link, TYPE_ALERT, NULL, 0);
}

static int certificate_request(struct link *link)
{
	uint8_t message[100];

	return peer_send(link, TYPE_HANDSHAKE, message,
			 make_message(message, MESSAGE_CERTIFICATE_REQUEST, 20));
}

static int hello_request(struct link *link)
{
	return peer_send(link, TYPE_HANDSHAKE, "\0\0\0\0", 4);
}

static int client_hello(struct link *link)
{
	uint8_t message[100];

	return peer_send(link, TYPE_HANDSHAKE, message, make_message(message, 1, 90));
}

static int empty_handshake(struct link *link)
{
	return peer_send(link, TYPE_HANDSHAKE, NULL, 0);
}

static int data_within_a_message(struct link *link)
{
	return peer_send(link, TYPE_HANDSHAKE, "\4\0\0\12 half", 9) ||
	       peer_send(link, TYPE_DATA, "data", 4);
}

static int empty_data_within_a_message(struct link *link)
{
	return peer_send(link, TYPE_HANDSHAKE, "\4\0", 2) || peer_send(link, TYPE_DATA, NULL, 0);
}

static int change_cipher_spec_inside(struct link *link)
{
	return peer_send(link, TYPE_CHANGE_CIPHER, "\1", 1);
}

static int unknown_inner_type(struct link *link)
{
	return peer_send(link, 100, "heart", 5);
}

static int padding_only(struct link *link)
{
	return record_seal(&link->to_fd, 0, NULL, 0, 0, (uint8_t[RECORD_BUFFER]){}) < 0 ||
	       (link->to_fd.sequence--, peer_send(link, 0, "\0\0\0\0", 4));
}

static int nothing_inside(struct link *link)
{
	uint8_t record[100];
	int n = record_seal_inner(&link->to_fd, &record_header_usual, NULL, 0, record);

	return peer_send_raw(link, record, n);
}

static int other_header(struct link *link, uint8_t type, uint16_t version)
{
	struct record_header header = { type, version };
	uint8_t record[100];
	int n = record_seal_inner(&link->to_fd, &header, "data\27", 5, record);

	return peer_send_raw(link, record, n);
}

static int version_tls_1_0(struct link *link)
{
	return other_header(link, TYPE_DATA, 0x0301);
}

static int version_tls_1_3(struct link *link)
{
	return other_header(link, TYPE_DATA, 0x0304);
}

static int version_0(struct link *link)
{
	return other_header(link, TYPE_DATA, 0);
}

static int outer_handshake(struct link *link)
{
	return other_header(link, TYPE_HANDSHAKE, 0x0303);
}

static int outer_alert(struct link *link)
{
	/* In the clear, as before the handshake. */
	return peer_send_raw(link, "\25\3\3\0\2\1\0", 7);
}

static int outer_change_cipher(struct link *link)
{
	return peer_send_raw(link, "\24\3\3\0\1\1", 6);
}

static int plain_text(struct link *link)
{
	return peer_send_raw(link, "GET / HTTP/1.1\r\n\r\n", 18);
}

static int length_limit_plus_1(struct link *link)
{
	return peer_send_raw(link, "\27\3\3\101\1", 5);
}

static int length_65535(struct link *link)
{
	return peer_send_raw(link, "\27\3\3\377\377", 5);
}

static int content_too_long(struct link *link)
{
	uint8_t content[RECORD_CONTENT + 1] = { 1 };

	return peer_send(link, TYPE_DATA, content, sizeof(content));
}

static int ticket_too_long(struct link *link)
{
	uint8_t message[RECORD_CONTENT + 1] = {};

	make_message(message, MESSAGE_NEW_SESSION_TICKET, sizeof(message) - 4);
	return peer_send(link, TYPE_HANDSHAKE, message, sizeof(message));
}

static int limit_of_garbage(struct link *link)
{
	uint8_t record[RECORD_HEADER + RECORD_BODY] = { TYPE_DATA, 3, 3, 0x41, 0 };

	return peer_send_raw(link, record, sizeof(record));
}

static int repeated_record(struct link *link)
{
	link->to_fd.sequence--;
	return peer_send(link, TYPE_DATA, "again", 5);
}

static int skipped_record(struct link *link)
{
	link->to_fd.sequence++;
	return peer_send(link, TYPE_DATA, "gap", 3);
}

#define CHECK(call, error, reason, alert) { #call, call, error, SIGNET_REASON_##reason, alert }
#define UNEXPECTED FATAL(ALERT_UNEXPECTED_MESSAGE)
#define BAD_MAC FATAL(ALERT_BAD_RECORD_MAC)
#define OVERFLOW FATAL(ALERT_RECORD_OVERFLOW)
#define DECODE FATAL(ALERT_DECODE_ERROR)
#define VERSION FATAL(ALERT_PROTOCOL_VERSION)

static const struct fatal fatals[] = {
	CHECK(fatal_alert, EPROTO, ALERT, -1),
	CHECK(unknown_alert, EPROTO, ALERT, -1),
	CHECK(short_alert, EBADMSG, BAD_ALERT, DECODE),
	CHECK(long_alert, EBADMSG, BAD_ALERT, DECODE),
	CHECK(two_alerts_in_a_record, EBADMSG, BAD_ALERT, DECODE),
	CHECK(empty_alert, EBADMSG, BAD_ALERT, 0),
	CHECK(certificate_request, EBADMSG, BAD_HANDSHAKE, UNEXPECTED),
	CHECK(hello_request, EBADMSG, BAD_HANDSHAKE, UNEXPECTED),
	CHECK(client_hello, EBADMSG, BAD_HANDSHAKE, UNEXPECTED),
	CHECK(empty_handshake, EBADMSG, BAD_HANDSHAKE, UNEXPECTED),
	CHECK(data_within_a_message, EBADMSG, BAD_HANDSHAKE, UNEXPECTED),
	CHECK(empty_data_within_a_message, EBADMSG, BAD_HANDSHAKE, UNEXPECTED),
	CHECK(change_cipher_spec_inside, EBADMSG, RECORD_TYPE, UNEXPECTED),
	CHECK(unknown_inner_type, EBADMSG, RECORD_TYPE, UNEXPECTED),
	CHECK(padding_only, EBADMSG, NO_CONTENT_TYPE, UNEXPECTED),
	CHECK(nothing_inside, EBADMSG, NO_CONTENT_TYPE, UNEXPECTED),
	CHECK(version_tls_1_0, EPROTONOSUPPORT, RECORD_VERSION, VERSION),
	CHECK(version_tls_1_3, EPROTONOSUPPORT, RECORD_VERSION, VERSION),
	CHECK(version_0, EPROTONOSUPPORT, RECORD_VERSION, VERSION),
	CHECK(outer_handshake, EBADMSG, RECORD_TYPE, UNEXPECTED),
	CHECK(outer_alert, EBADMSG, RECORD_TYPE, UNEXPECTED),
	CHECK(outer_change_cipher, EBADMSG, RECORD_TYPE, UNEXPECTED),
	CHECK(plain_text, EPROTONOSUPPORT, RECORD_VERSION, VERSION),
	CHECK(length_limit_plus_1, EMSGSIZE, RECORD_LONG, OVERFLOW),
	CHECK(length_65535, EMSGSIZE, RECORD_LONG, OVERFLOW),
	CHECK(content_too_long, EMSGSIZE, RECORD_LONG, OVERFLOW),
	CHECK(ticket_too_long, EMSGSIZE, RECORD_LONG, OVERFLOW),
	CHECK(limit_of_garbage, EBADMSG, BAD_TAG, BAD_MAC),
	CHECK(repeated_record, EBADMSG, BAD_TAG, BAD_MAC),
	CHECK(skipped_record, EBADMSG, BAD_TAG, BAD_MAC),
};

/* The failure is for good, in every direction and every call. */
static void expect_failed(struct __test_metadata *_metadata, struct link *link, int error,
			  int reason)
{
	struct signet_info info;
	uint8_t byte;

	for (int i = 0; i < 2; i++) {
		EXPECT_ERRNO(error, recv(link->fd, &byte, 1, 0));
		EXPECT_ERRNO(error, recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
		EXPECT_ERRNO(error, send(link->fd, "x", 1, MSG_NOSIGNAL));
		EXPECT_EQ(POLLERR | POLLHUP, poll_now(link->fd, 0));
		EXPECT_EQ(POLLIN | POLLOUT,
			  poll_now(link->fd, POLLIN | POLLOUT) & (POLLIN | POLLOUT));
	}
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_STATE_FAILED, info.state);
	EXPECT_EQ(error, info.error);
	EXPECT_EQ(reason, info.reason);
}

/*
 * After 100 bytes of good data, with the peer having seen one record; the
 * failure is seen by recv().
 */
static void run_fatal(struct __test_metadata *_metadata, struct link *link,
		      const struct fatal *fatal, bool by_poll)
{
	struct signet_info info;
	int alert = fatal->alert;

	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, fatal->send(link));
	if (by_poll) {
		EXPECT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	}
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	if (by_poll) {
		EXPECT_EQ(POLLERR | POLLHUP, poll_wait(link->fd, POLLIN) & ~POLLIN);
	}
	expect_failed(_metadata, link, fatal->error, fatal->reason);
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(100, info.rx_bytes);
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 10));
	if (!alert)
		alert = peer_recv_alert(link);
	else if (alert > 0)
		EXPECT_EQ(alert, peer_recv_alert(link));
	if (alert > 0) {
		EXPECT_EQ(alert, info.alert_sent);
	}
	close(link->fd);
	link->fd = -1;
	/* Nothing else, and no reset that might overtake the alert. */
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
}

TEST_F_TIMEOUT(control, fatal_input_ends_the_connection, 60)
{
	for (size_t i = 0; i < COUNT(fatals); i++) {
		int before = _metadata->exit_code;
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		run_fatal(_metadata, &link, &fatals[i], i % 2);
		if (_metadata->exit_code != before)
			TH_LOG("that was %s", fatals[i].name);
		_metadata->exit_code = before ?: _metadata->exit_code;
		link_close(&link);
	}
}

/* INFO names the alert. */
TEST_F(ticket, every_alert_is_named)
{
	static const uint8_t alerts[] = {
		10, 20, 22, 40, 42, 43,	 44,  45,  46,	47,  48,  49,  50,
		51, 70, 71, 80, 86, 109, 110, 112, 113, 115, 116, 120, 255,
	};

	for (size_t i = 0; i < COUNT(alerts); i++) {
		struct signet_info info;
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, peer_send_alert(&link, ALERT_FATAL, alerts[i]));
		EXPECT_ERRNO(EPROTO, recv(link.fd, &info, 1, 0));
		ASSERT_EQ(0, sock_info(link.fd, &info));
		EXPECT_EQ(FATAL(alerts[i]), info.alert_received);
		EXPECT_EQ(SIGNET_REASON_ALERT, info.reason);
		EXPECT_EQ(0, info.alert_sent);
		link_close(&link);
	}
}

/* Every length a record's body can have around its limits. */
TEST_F(ticket, short_bodies)
{
	for (int body = 0; body <= RECORD_TAG; body++) {
		uint8_t record[RECORD_HEADER + RECORD_TAG] = { TYPE_DATA, 3, 3, 0, body };
		struct signet_info info;
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, peer_send_raw(&link, record, RECORD_HEADER + body));
		EXPECT_ERRNO(EBADMSG, recv(link.fd, &info, 1, 0));
		ASSERT_EQ(0, sock_info(link.fd, &info));
		EXPECT_EQ(body < RECORD_TAG ? SIGNET_REASON_RECORD_SHORT : SIGNET_REASON_BAD_TAG,
			  info.reason)
		{
			TH_LOG("body of %d bytes", body);
		}
		EXPECT_EQ(BAD_MAC, peer_recv_alert(&link));
		link_close(&link);
	}
}

TEST_F(ticket, every_corrupted_byte_is_noticed)
{
	size_t len = RECORD_OVERHEAD + 10;

	for (size_t at = 0; at < len; at++) {
		uint8_t record[100], bytes[100];
		struct link link;
		int error;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		pattern_fill(bytes, 0, 10);
		ASSERT_EQ(0, peer_send_pattern(&link, 0, 5, 5));
		ASSERT_EQ(len, record_seal(&link.to_fd, TYPE_DATA, bytes, 10, 0, record));
		/* The body's length stays below what was sent, so that it is complete. */
		record[at] ^= at == 4 ? 1 : 0x10;
		if (at == 4)
			record[at] = RECORD_TAG + 10;
		ASSERT_EQ(0, peer_send_raw(&link, record, len));
		EXPECT_EQ(0, recv_pattern(link.fd, 0, 5));
		error = at == 1 || at == 2 ? EPROTONOSUPPORT : EBADMSG;
		if (at == 3) {
			/* 4 KiB more must come first. */
			EXPECT_ERRNO(EAGAIN, recv(link.fd, bytes, 100, MSG_DONTWAIT));
			ASSERT_EQ(0, peer_send_pattern(&link, 0, 4096, 4096));
		}
		memset(bytes, 0, sizeof(bytes));
		EXPECT_ERRNO(error, recv(link.fd, bytes, 100, 0));
		/* Nothing of it was given away. */
		for (size_t i = 0; i < sizeof(bytes); i++)
			EXPECT_EQ(0, bytes[i]);
		if (at >= RECORD_HEADER)
			EXPECT_EQ(BAD_MAC, peer_recv_alert(&link));
		link_close(&link);
	}
}

/* The alert is sealed behind what is sealed already, even when TCP is full. */
TEST_F(control, alert_behind_a_full_send_buffer)
{
	struct link *link = &self->link;
	uint8_t bytes[20000];
	size_t total = 0;
	struct sink sink;
	ssize_t n;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 30000));
	do {
		pattern_fill(bytes, total, sizeof(bytes));
		n = send(link->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		total += n > 0 ? n : 0;
	} while (n > 0);
	ASSERT_EQ(0, plain_text(link));
	EXPECT_ERRNO(EPROTONOSUPPORT, recv(link->fd, bytes, 1, 0));
	close(link->fd);
	link->fd = -1;
	sink_run(&sink, link);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total, sink.bytes);
	EXPECT_EQ(VERSION, sink.alert);
	EXPECT_EQ(PEER_FIN, sink.end);
}

TEST_F(ticket, no_alert_after_close_notify)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	ASSERT_EQ(0, plain_text(link));
	EXPECT_ERRNO(EPROTONOSUPPORT, recv(link->fd, link, 1, 0));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(&self->link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(&self->link));
}

TEST_F(ticket, open_record_is_dropped_by_a_failure)
{
	struct link *link = &self->link;

	ASSERT_EQ(4, send(link->fd, "open", 4, MSG_MORE));
	ASSERT_EQ(0, plain_text(link));
	EXPECT_ERRNO(EPROTONOSUPPORT, recv(link->fd, &errno, 1, 0));
	EXPECT_EQ(VERSION, peer_recv_alert(link));
}

TEST_F(ticket, urgent_data_is_survived)
{
	struct link *link = &self->link;
	uint8_t record[100], bytes[100];
	ssize_t n = record_seal(&link->to_fd, TYPE_DATA, "urgent", 6, 0, record);

	ASSERT_EQ(3, send(link->peer, record, 3, 0));
	ASSERT_EQ(1, send(link->peer, record + 3, 1, MSG_OOB));
	ASSERT_EQ(0, peer_send_raw(link, record + 4, n - 4));
	wait_received(link->fd, n);
	/* The data, or an error; not a hang. */
	n = recv(link->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	EXPECT_TRUE(n == 6 || (n < 0 && errno != EAGAIN));
	ASSERT_EQ(1, send(link->peer, "x", 1, MSG_OOB));
	ASSERT_EQ(1, send(link->peer, "y", 1, MSG_OOB));
	close(link->fd);
	link->fd = -1;
}

TEST_HARNESS_MAIN
