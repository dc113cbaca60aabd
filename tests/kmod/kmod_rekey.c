// SPDX-License-Identifier: GPL-2.0-only
/*
 * KeyUpdate (RFC 8446 4.6.3): received, sent, wanted by a policy, and what a
 * peer may not do with it.
 */
#include "fixture.h"

#include <sys/wait.h>

#include "namespace.h"

TLS_FIXTURE(rekey, link_up);
TLS_1_3_VARIANTS(rekey);

/* What does not depend on keys. */
TLS_FIXTURE(update, link_up);
TLS_TWO_VARIANTS(update);

static int rekey(int fd, uint32_t flags)
{
	return setsockopt(fd, SOL_SIGNET, SIGNET_REKEY, &flags, sizeof(flags));
}

/* The peer reads one record, a KeyUpdate, and takes its new keys. Return: 0, 1, or -1. */
static int peer_recv_update(struct link *link)
{
	uint8_t content[RECORD_CONTENT], type;
	int n = peer_recv(link, &type, content);
	int request = n < 0 ? -1 : update_request(type, content, n);

	return request < 0 || record_keys_update(&link->from_fd) ? -1 : request;
}

static bool exchange_works(struct link *link)
{
	return !send_pattern(link->fd, 0, 1000) && !peer_recv_pattern(link, 0, 1000) &&
	       !peer_send_pattern(link, 0, 1000, 300) && !recv_pattern(link->fd, 0, 1000);
}

/* --- received -------------------- */

TEST_F(rekey, update_is_followed)
{
	struct link *link = &self->link;
	struct signet_info info;

	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, peer_send_pattern(link, 1000 * i, 1000, 300));
		ASSERT_EQ(0, peer_send_update(link, false));
		if (i % 2)
			EXPECT_EQ(0, recv_pattern(link->fd, 1000 * (i - 1), 2000));
	}
	EXPECT_EQ(0, recv_pattern(link->fd, 4000, 1000));
	EXPECT_TRUE(nothing_to_read(link));
	info = sock_info_now(link->fd);
	EXPECT_EQ(5, info.rx_key_updates);
	EXPECT_EQ(5, info.rx_epoch);
	EXPECT_EQ(0, info.rx_sequence);
	EXPECT_EQ(5 * 5, info.rx_records);
	EXPECT_EQ(5, info.rx_control);
	EXPECT_EQ(0, info.tx_key_updates);
	EXPECT_EQ(0, info.tx_epoch);
	EXPECT_TRUE(peer_saw_nothing(link));
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(rekey, request_is_answered_under_the_old_key)
{
	struct link *link = &self->link;
	struct signet_info info;

	ASSERT_EQ(0, peer_send_update(link, true));
	EXPECT_TRUE(nothing_to_read(link));
	EXPECT_EQ(0, peer_recv_update(link));
	EXPECT_TRUE(exchange_works(link));
	info = sock_info_now(link->fd);
	EXPECT_EQ(1, info.rx_epoch);
	EXPECT_EQ(1, info.tx_epoch);
	EXPECT_EQ(1, info.tx_key_updates);
	EXPECT_EQ(1, info.tx_sequence);
	EXPECT_EQ(2, info.tx_records);
}

TEST_F(update, several_requests_are_answered_once)
{
	struct link *link = &self->link;

	for (int i = 0; i < 7; i++)
		ASSERT_EQ(0, peer_send_update(link, true));
	EXPECT_TRUE(nothing_to_read(link));
	EXPECT_EQ(0, peer_recv_update(link));
	EXPECT_EQ(7, sock_info_now(link->fd).rx_epoch);
	EXPECT_EQ(1, sock_info_now(link->fd).tx_epoch);
	EXPECT_TRUE(exchange_works(link));
	/* Later ones anew. */
	ASSERT_EQ(0, peer_send_update(link, true));
	EXPECT_TRUE(nothing_to_read(link));
	EXPECT_EQ(0, peer_recv_update(link));
	EXPECT_TRUE(exchange_works(link));
	EXPECT_EQ(2, sock_info_now(link->fd).tx_key_updates);
}

/* Data that is sent behind the request comes behind the answer (RFC 8446 4.6.3). */
TEST_F(update, answer_comes_before_data)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_update(link, true));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, send_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, peer_recv_update(link));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 10));
}

TEST_F(update, poll_answers)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_update(link, true));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(POLLOUT, poll_now(link->fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, peer_recv_update(link));
	EXPECT_TRUE(exchange_works(link));
}

static int read_ten(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[10];

	return recv(link->fd, bytes, sizeof(bytes), MSG_WAITALL);
}

TEST_F(update, sleeping_reader_answers)
{
	struct link *link = &self->link;
	struct worker reader;

	ASSERT_EQ(0, worker_start(&reader, read_ten, link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_update(link, true));
	EXPECT_EQ(0, peer_recv_update(link));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(10, worker_join(&reader));
}

TEST_F(update, reader_holds_part_of_a_record)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	ASSERT_EQ(0, peer_send_update(link, true));
	ASSERT_EQ(0, peer_send_pattern(link, 100, 100, 100));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, sock_info_now(link->fd).rx_key_updates);
	EXPECT_EQ(0, recv_pattern(link->fd, 10, 190));
	EXPECT_EQ(1, sock_info_now(link->fd).rx_epoch);
	EXPECT_EQ(0, peer_recv_update(link));
}

TEST_F(update, one_call_reads_across)
{
	struct link *link = &self->link;
	uint8_t bytes[1000];

	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, peer_send_pattern(link, 100 * i, 100, 50));
		ASSERT_EQ(0, peer_send_update(link, i % 3 == 0));
	}
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(1000, recv(link->fd, bytes, sizeof(bytes), 0));
	EXPECT_TRUE(pattern_matches(bytes, 0, 1000));
	EXPECT_EQ(0, peer_recv_update(link));
}

TEST_F(update, peek_sees_what_is_read)
{
	struct link *link = &self->link;
	uint8_t bytes[300];
	ssize_t n;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, peer_send_update(link, false));
	ASSERT_EQ(0, peer_send_pattern(link, 100, 200, 70));
	wait_delivered(link->peer, link->fd);
	for (int i = 0; i < 3; i++) {
		n = recv(link->fd, bytes, sizeof(bytes), MSG_PEEK);
		/* Up to the KeyUpdate at least. */
		EXPECT_GE(n, 100);
		EXPECT_TRUE(pattern_matches(bytes, 0, n));
	}
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_EQ(200, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK));
	EXPECT_TRUE(pattern_matches(bytes, 100, 200));
	EXPECT_EQ(0, recv_pattern(link->fd, 100, 200));
}

TEST_F(update, splice_reads_across)
{
	struct link *link = &self->link;
	uint8_t bytes[2000];
	size_t total = 0;
	int ends[2];
	ssize_t n;

	ASSERT_EQ(0, pipe(ends));
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, peer_send_pattern(link, 200 * i, 200, 80));
		ASSERT_EQ(0, peer_send_update(link, true));
	}
	wait_delivered(link->peer, link->fd);
	while (total < sizeof(bytes)) {
		n = splice(link->fd, NULL, ends[1], NULL, sizeof(bytes) - total, 0);
		ASSERT_GT(n, 0);
		ASSERT_EQ(n, read(ends[0], bytes + total, n));
		total += n;
	}
	EXPECT_TRUE(pattern_matches(bytes, 0, sizeof(bytes)));
	EXPECT_TRUE(nothing_to_read(link));
	EXPECT_EQ(10, sock_info_now(link->fd).rx_epoch);
	EXPECT_EQ(0, peer_recv_update(link));
}

TEST_F(update, sealed_data_stays_readable)
{
	struct link *link = &self->link;
	uint8_t byte;

	/* Far more than anybody has read, and the end. */
	for (int i = 0; i < 200; i++) {
		ASSERT_EQ(0, peer_send_pattern(link, 100 * i, 100, 100));
		ASSERT_EQ(0, peer_send_update(link, false));
	}
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	ASSERT_EQ(0, peer_fin(link));
	wait_state(link->fd, STATE_CLOSE_WAIT);
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 20000));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
	EXPECT_EQ(200, sock_info_now(link->fd).rx_epoch);
}

TEST_F(update, behind_a_ticket_in_one_record)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\4\0\0\2\0\0\30\0\0\1\0", 11));
	ASSERT_EQ(0, record_keys_update(&link->to_fd));
	EXPECT_TRUE(exchange_works(link));
	EXPECT_EQ(1, sock_info_now(link->fd).rx_epoch);
}

/* It may be spread over records, as any message (RFC 8446 5.1). */
TEST_F(update, split_at_every_byte)
{
	struct link *link = &self->link;

	for (int cut = 1; cut < 5; cut++) {
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\30\0\0\1\0", cut));
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\30\0\0\1\0" + cut, 5 - cut));
		ASSERT_EQ(0, record_keys_update(&link->to_fd));
		EXPECT_TRUE(exchange_works(link));
		EXPECT_EQ(cut, sock_info_now(link->fd).rx_epoch);
	}
}

TEST_F(update, server_follows_too)
{
	struct link link;

	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&link));
	link.keys.role = SIGNET_ROLE_SERVER;
	ASSERT_EQ(0, link_install(&link));
	ASSERT_EQ(0, peer_send_update(&link, true));
	EXPECT_TRUE(nothing_to_read(&link));
	EXPECT_EQ(0, peer_recv_update(&link));
	EXPECT_TRUE(exchange_works(&link));
	link_close(&link);
}

/* --- what a peer may not do -------------------- */

struct malformed {
	const char *name;
	int (*send)(struct link *link);
	int reason;
	int alert;
};

static int message(struct link *link, const char *bytes, size_t len)
{
	return peer_send(link, TYPE_HANDSHAKE, bytes, len);
}

static int empty_body(struct link *link)
{
	return message(link, "\30\0\0\0", 4);
}

static int body_of_two(struct link *link)
{
	return message(link, "\30\0\0\2\0\0", 6);
}

static int body_of_2_to_16_and_one(struct link *link)
{
	return message(link, "\30\1\0\1\0", 5);
}

static int value_2(struct link *link)
{
	return message(link, "\30\0\0\1\2", 5);
}

static int value_255(struct link *link)
{
	return message(link, "\30\0\0\1\377", 5);
}

static int ticket_behind(struct link *link)
{
	return message(link, "\30\0\0\1\0\4\0\0\1\0", 10);
}

static int second_update_behind(struct link *link)
{
	return message(link, "\30\0\0\1\0\30\0\0\1\0", 10);
}

static int half_a_message_behind(struct link *link)
{
	return message(link, "\30\0\0\1\1\4", 6);
}

static int data_in_between(struct link *link)
{
	return message(link, "\30\0\0", 3) || peer_send(link, TYPE_DATA, "data", 4);
}

static int empty_data_in_between(struct link *link)
{
	return message(link, "\30\0\0\1", 4) || peer_send(link, TYPE_DATA, NULL, 0);
}

static int alert_in_between(struct link *link)
{
	return message(link, "\30\0\0\1", 4) ||
	       peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY);
}

static int empty_record_in_between(struct link *link)
{
	return message(link, "\30\0\0\1", 4) || message(link, NULL, 0);
}

static int old_key_behind(struct link *link)
{
	return message(link, "\30\0\0\1\0", 5) || peer_send(link, TYPE_DATA, "data", 4);
}

static int sequence_goes_on_behind(struct link *link)
{
	uint64_t sequence;

	if (message(link, "\30\0\0\1\0", 5))
		return -1;
	sequence = link->to_fd.sequence;
	if (record_keys_update(&link->to_fd))
		return -1;
	link->to_fd.sequence = sequence;
	return peer_send(link, TYPE_DATA, "data", 4);
}

static int two_generations_at_once(struct link *link)
{
	return message(link, "\30\0\0\1\0", 5) || record_keys_update(&link->to_fd) ||
	       record_keys_update(&link->to_fd) || peer_send(link, TYPE_DATA, "data", 4);
}

static int without_a_message(struct link *link)
{
	return record_keys_update(&link->to_fd) || peer_send(link, TYPE_DATA, "data", 4);
}

#define CHECK(call, reason, alert) { #call, call, SIGNET_REASON_##reason, FATAL(ALERT_##alert) }

static const struct malformed malformed[] = {
	CHECK(empty_body, BAD_HANDSHAKE, DECODE_ERROR),
	CHECK(body_of_two, BAD_HANDSHAKE, DECODE_ERROR),
	CHECK(body_of_2_to_16_and_one, BAD_HANDSHAKE, DECODE_ERROR),
	CHECK(value_2, BAD_HANDSHAKE, ILLEGAL_PARAMETER),
	CHECK(value_255, BAD_HANDSHAKE, ILLEGAL_PARAMETER),
	CHECK(ticket_behind, BAD_HANDSHAKE, UNEXPECTED_MESSAGE),
	CHECK(second_update_behind, BAD_HANDSHAKE, UNEXPECTED_MESSAGE),
	CHECK(half_a_message_behind, BAD_HANDSHAKE, UNEXPECTED_MESSAGE),
	CHECK(data_in_between, BAD_HANDSHAKE, UNEXPECTED_MESSAGE),
	CHECK(empty_data_in_between, BAD_HANDSHAKE, UNEXPECTED_MESSAGE),
	CHECK(alert_in_between, BAD_HANDSHAKE, UNEXPECTED_MESSAGE),
	CHECK(empty_record_in_between, BAD_HANDSHAKE, UNEXPECTED_MESSAGE),
	CHECK(old_key_behind, BAD_TAG, BAD_RECORD_MAC),
	CHECK(sequence_goes_on_behind, BAD_TAG, BAD_RECORD_MAC),
	CHECK(two_generations_at_once, BAD_TAG, BAD_RECORD_MAC),
	CHECK(without_a_message, BAD_TAG, BAD_RECORD_MAC),
};

TEST_F(update, malformed_ones_are_fatal)
{
	for (size_t i = 0; i < COUNT(malformed); i++) {
		const struct malformed *bad = &malformed[i];
		struct signet_info info;
		struct link link;
		uint8_t byte;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, peer_send_pattern(&link, 0, 100, 50));
		ASSERT_EQ(0, bad->send(&link));
		EXPECT_EQ(0, recv_pattern(link.fd, 0, 100));
		EXPECT_ERRNO(EBADMSG, recv(link.fd, &byte, 1, 0));
		info = sock_info_now(link.fd);
		EXPECT_EQ(bad->reason, info.reason)
		{
			TH_LOG("%s", bad->name);
		}
		EXPECT_EQ(SIGNET_STATE_FAILED, info.state);
		EXPECT_ERRNO(EBADMSG, send(link.fd, "x", 1, MSG_NOSIGNAL));
		EXPECT_EQ(bad->alert, peer_recv_alert(&link))
		{
			TH_LOG("%s", bad->name);
		}
		close(link.fd);
		link.fd = -1;
		EXPECT_EQ(PEER_FIN, peer_recv_end(&link));
		link_close(&link);
	}
}

/* --- sent on request -------------------- */

TEST_F(rekey, rekey_sends_an_update)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, rekey(link->fd, 0));
	EXPECT_EQ(0, peer_recv_update(link));
	EXPECT_TRUE(exchange_works(link));
	ASSERT_EQ(0, rekey(link->fd, SIGNET_REKEY_REQUEST_UPDATE));
	EXPECT_EQ(1, peer_recv_update(link));
	EXPECT_TRUE(exchange_works(link));
	/* The peer does as it was asked, and that asks for nothing. */
	ASSERT_EQ(0, peer_send_update(link, false));
	EXPECT_TRUE(exchange_works(link));
	EXPECT_EQ(2, sock_info_now(link->fd).tx_epoch);
	EXPECT_EQ(2, sock_info_now(link->fd).tx_key_updates);
	EXPECT_EQ(1, sock_info_now(link->fd).rx_epoch);
}

TEST_F(update, rekey_in_a_row)
{
	struct link *link = &self->link;
	int updates = 0;

	for (int i = 0; i < 50; i++)
		ASSERT_EQ(0, rekey(link->fd, 0));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	link->follows_updates = true;
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 10));
	updates = link->updates;
	EXPECT_EQ(50, updates);
	EXPECT_EQ(50, sock_info_now(link->fd).tx_epoch);
}

TEST_F(update, rekey_checks_its_value)
{
	struct link *link = &self->link;
	uint8_t bytes[8] = {};
	struct link other;

	for (int bit = 1; bit < 32; bit++)
		EXPECT_ERRNO(EINVAL, rekey(link->fd, 1U << bit));
	for (socklen_t len = 0; len <= sizeof(bytes); len++) {
		if (len == sizeof(uint32_t))
			continue;
		EXPECT_ERRNO(EINVAL, setsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY, bytes, len));
	}
	EXPECT_ERRNO(EFAULT, setsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY, NULL, 4));
	EXPECT_EQ(0, sock_info_now(link->fd).tx_epoch);
	EXPECT_TRUE(exchange_works(link));

	ASSERT_EQ(0, link_open(&other, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&other));
	EXPECT_ERRNO(ENOTCONN, rekey(other.fd, 0));
	ASSERT_EQ(0, link_install(&other));
	ASSERT_EQ(0, shutdown(other.fd, SHUT_WR));
	EXPECT_ERRNO(EPIPE, rekey(other.fd, 0));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(&other));
	EXPECT_EQ(PEER_FIN, peer_recv_end(&other));
	link_close(&other);
}

TEST_F(update, rekey_of_a_failed_socket)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_raw(link, "\27\3\3\377\377", 5));
	EXPECT_ERRNO(EMSGSIZE, recv(link->fd, &errno, 1, 0));
	EXPECT_ERRNO(EMSGSIZE, rekey(link->fd, 0));
	EXPECT_EQ(FATAL(ALERT_RECORD_OVERFLOW), peer_recv_alert(link));
}

TEST_F(update, rekey_after_a_reset)
{
	struct link *link = &self->link;

	peer_reset(link);
	wait_state(link->fd, STATE_CLOSE);
	EXPECT_EQ(-1, rekey(link->fd, 0));
}

/* The open record goes on under the new key. */
TEST_F(rekey, open_record_is_sealed_under_the_new_key)
{
	struct link *link = &self->link;
	uint8_t content[RECORD_CONTENT], type;

	ASSERT_EQ(5, send(link->fd, "first", 5, MSG_MORE));
	ASSERT_EQ(0, rekey(link->fd, 0));
	ASSERT_EQ(6, send(link->fd, "second", 6, MSG_MORE));
	ASSERT_EQ(0, peer_send_update(link, true));
	EXPECT_TRUE(nothing_to_read(link));
	ASSERT_EQ(5, send(link->fd, "third", 5, 0));
	EXPECT_EQ(0, peer_recv_update(link));
	EXPECT_EQ(0, peer_recv_update(link));
	ASSERT_EQ(16, peer_recv(link, &type, content));
	EXPECT_EQ(TYPE_DATA, type);
	EXPECT_EQ(0, memcmp(content, "firstsecondthird", 16));
	EXPECT_EQ(2, sock_info_now(link->fd).tx_epoch);
	EXPECT_EQ(1, sock_info_now(link->fd).tx_sequence);
}

TEST_F(update, open_record_then_close)
{
	struct link *link = &self->link;
	uint8_t content[RECORD_CONTENT], type;

	ASSERT_EQ(4, send(link->fd, "open", 4, MSG_MORE));
	ASSERT_EQ(0, rekey(link->fd, 0));
	close(link->fd);
	link->fd = -1;
	EXPECT_EQ(0, peer_recv_update(link));
	ASSERT_EQ(4, peer_recv(link, &type, content));
	EXPECT_EQ(0, memcmp(content, "open", 4));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
}

/* Requests that cross: each side sends two (RFC 8446 4.6.3). */
TEST_F(rekey, both_sides_at_once)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_update(link, true));
	wait_delivered(link->peer, link->fd);
	ASSERT_EQ(0, rekey(link->fd, SIGNET_REKEY_REQUEST_UPDATE));
	EXPECT_EQ(1, peer_recv_update(link));
	ASSERT_EQ(0, peer_send_update(link, false));
	EXPECT_TRUE(nothing_to_read(link));
	EXPECT_EQ(0, peer_recv_update(link));
	EXPECT_EQ(2, sock_info_now(link->fd).tx_epoch);
	EXPECT_EQ(2, sock_info_now(link->fd).rx_epoch);
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(rekey, two_modules_at_once)
{
	int fds[2];

	ASSERT_EQ(0, signet_pair(variant->family, variant->suite, fds));
	for (uint32_t i = 1; i <= 10; i++) {
		ASSERT_EQ(0, rekey(fds[0], SIGNET_REKEY_REQUEST_UPDATE));
		ASSERT_EQ(0, rekey(fds[1], SIGNET_REKEY_REQUEST_UPDATE));
		for (int j = 0; j < 3; j++) {
			ASSERT_EQ(0, send_pattern(fds[0], j, 1000));
			ASSERT_EQ(0, send_pattern(fds[1], j, 1000));
			ASSERT_EQ(0, recv_pattern(fds[1], j, 1000));
			ASSERT_EQ(0, recv_pattern(fds[0], j, 1000));
		}
		for (int j = 0; j < 2; j++) {
			EXPECT_EQ(2 * i, sock_info_now(fds[j]).tx_epoch);
			EXPECT_EQ(2 * i, sock_info_now(fds[j]).rx_epoch);
		}
	}
	close(fds[0]);
	close(fds[1]);
}

TEST_F(update, nothing_is_owed_after_close_notify)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	ASSERT_EQ(0, peer_send_update(link, true));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 10));
	ASSERT_EQ(0, peer_send_update(link, true));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_TRUE(nothing_to_read(link));
	EXPECT_EQ(2, sock_info_now(link->fd).rx_epoch);
	EXPECT_EQ(0, sock_info_now(link->fd).tx_key_updates);
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
}

TEST_F(update, answer_behind_the_peers_close_notify)
{
	struct link *link = &self->link;
	uint8_t byte;

	ASSERT_EQ(0, peer_send_update(link, true));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
	/* Half-closed: sending goes on, under new keys. */
	ASSERT_EQ(0, send_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, peer_recv_update(link));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 100));
	close(link->fd);
	link->fd = -1;
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
}

/* --- a full send buffer -------------------- */

/* Return: bytes that were taken. */
static size_t fill_send_buffer(struct link *link)
{
	uint8_t bytes[20000];
	size_t total = 0;
	ssize_t n;

	set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 30000);
	do {
		pattern_fill(bytes, total, sizeof(bytes));
		n = send(link->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		total += n > 0 ? n : 0;
	} while (n > 0);
	return total;
}

TEST_F(rekey, rekey_with_a_full_send_buffer)
{
	struct link *link = &self->link;
	size_t total = fill_send_buffer(link);
	struct sink sink;

	ASSERT_EQ(0, rekey(link->fd, SIGNET_REKEY_REQUEST_UPDATE));
	link->follows_updates = true;
	ASSERT_EQ(0, sink_start(&sink, link));
	ASSERT_EQ(0, send_pattern(link->fd, total, 50000));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total + 50000, sink.bytes);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
	EXPECT_EQ(1, link->updates);
	EXPECT_EQ(1, link->requests);
}

TEST_F(update, request_with_a_full_send_buffer)
{
	struct link *link = &self->link;
	size_t total = fill_send_buffer(link);
	struct sink sink;

	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, peer_send_update(link, true));
		EXPECT_TRUE(nothing_to_read(link));
	}
	link->follows_updates = true;
	ASSERT_EQ(0, sink_start(&sink, link));
	ASSERT_EQ(0, send_pattern(link->fd, total, 50000));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total + 50000, sink.bytes);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
	EXPECT_GE(link->updates, 1);
	EXPECT_LE(link->updates, 20);
	EXPECT_EQ(link->updates, sock_info_now(link->fd).tx_epoch);
	EXPECT_EQ(0, link->requests);
}

static int send_a_lot(struct worker *worker)
{
	return send_pattern(*(int *)worker->argument, 0, 1000000);
}

TEST_F(update, rekey_under_a_sender)
{
	struct link *link = &self->link;
	struct worker sender;
	struct sink sink;
	int updates = 0;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 30000));
	ASSERT_EQ(0, worker_start(&sender, send_a_lot, &link->fd));
	worker_wait_blocked(&sender, SYS_sendto);
	link->follows_updates = true;
	ASSERT_EQ(0, sink_start(&sink, link));
	while (!sender.done) {
		ASSERT_EQ(0, rekey(link->fd, 0));
		updates++;
		sched_yield();
	}
	EXPECT_EQ(0, worker_join(&sender));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(1000000, sink.bytes);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
	EXPECT_GE(link->updates, 1);
	EXPECT_LE(link->updates, updates);
	EXPECT_EQ(link->updates, sock_info_now(link->fd).tx_key_updates);
}

/* --- policies -------------------- */

#define EPOCHS_MAX 64

struct epochs {
	unsigned int count;
	unsigned int records[EPOCHS_MAX];
	unsigned int bytes[EPOCHS_MAX];
	bool intact;
};

/* Reads to the alert at the end. Return: that, or < 0. */
static int read_epochs(struct link *link, struct epochs *epochs)
{
	uint8_t content[RECORD_CONTENT], type;
	uint64_t total = 0;
	int n;

	*epochs = (struct epochs){ .count = 1, .intact = true };
	for (;;) {
		n = peer_recv(link, &type, content);
		if (n < 0)
			return n;
		if (type == TYPE_ALERT && n == 2)
			return content[0] << 8 | content[1];
		if (type == TYPE_DATA) {
			epochs->records[epochs->count - 1]++;
			epochs->bytes[epochs->count - 1] += n;
			epochs->intact &= pattern_matches(content, total, n);
			total += n;
			continue;
		}
		if (update_request(type, content, n) || record_keys_update(&link->from_fd) ||
		    epochs->count == EPOCHS_MAX)
			return PEER_INVALID;
		epochs->count++;
	}
}

TEST_F(rekey, policy_of_records_is_exact)
{
	struct link *link = &self->link;
	struct epochs epochs;

	ASSERT_EQ(0, rekey_policy_set(link->fd, 3, 0, 0));
	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, send_pattern(link->fd, i, 1));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(CLOSE_NOTIFY, read_epochs(link, &epochs));
	EXPECT_TRUE(epochs.intact);
	ASSERT_EQ(7, epochs.count);
	for (int i = 0; i < 6; i++)
		EXPECT_EQ(3, epochs.records[i]);
	EXPECT_EQ(2, epochs.records[6]);
	EXPECT_EQ(6, sock_info_now(link->fd).tx_epoch);
	EXPECT_EQ(6, sock_info_now(link->fd).tx_key_updates);
	/* Data, KeyUpdates, close_notify. */
	EXPECT_EQ(20 + 6 + 1, sock_info_now(link->fd).tx_records);
}

TEST_F(rekey, policy_of_records_within_a_call)
{
	struct link *link = &self->link;
	struct epochs epochs;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 1 << 20));
	ASSERT_EQ(0, rekey_policy_set(link->fd, 2, 0, 0));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 4 * RECORD_CONTENT));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(CLOSE_NOTIFY, read_epochs(link, &epochs));
	EXPECT_TRUE(epochs.intact);
	ASSERT_EQ(2, epochs.count);
	EXPECT_EQ(2, epochs.records[0]);
	EXPECT_EQ(2, epochs.records[1]);
}

TEST_F(rekey, policy_of_bytes_is_exact)
{
	struct link *link = &self->link;
	struct epochs epochs;

	ASSERT_EQ(0, rekey_policy_set(link->fd, 0, 1000, 0));
	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, send_pattern(link->fd, 300 * i, 300));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(CLOSE_NOTIFY, read_epochs(link, &epochs));
	EXPECT_TRUE(epochs.intact);
	/* With the fourth record the thousand is reached. */
	ASSERT_EQ(5, epochs.count);
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(1200, epochs.bytes[i]);
}

TEST_F(update, policy_of_seconds)
{
	struct link *link = &self->link;
	struct epochs epochs;

	ASSERT_EQ(0, rekey_policy_set(link->fd, 0, 0, 100000));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 1));
	ASSERT_EQ(0, rekey_policy_set(link->fd, 0, 0, 1));
	/* Whole seconds are counted. */
	sleep(2);
	ASSERT_EQ(0, send_pattern(link->fd, 1, 1));
	ASSERT_EQ(0, rekey_policy_set(link->fd, 0, 0, 100000));
	ASSERT_EQ(0, send_pattern(link->fd, 2, 1));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(CLOSE_NOTIFY, read_epochs(link, &epochs));
	EXPECT_TRUE(epochs.intact);
	ASSERT_EQ(2, epochs.count);
	EXPECT_EQ(1, epochs.records[0]);
	EXPECT_EQ(2, epochs.records[1]);
}

TEST_F(update, policy_set_late_counts_from_the_start)
{
	struct link *link = &self->link;
	struct epochs epochs;

	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, send_pattern(link->fd, i, 1));
	ASSERT_EQ(0, rekey_policy_set(link->fd, 3, 0, 0));
	for (int i = 5; i < 9; i++)
		ASSERT_EQ(0, send_pattern(link->fd, i, 1));
	ASSERT_EQ(0, rekey_policy_set(link->fd, 0, 0, 0));
	for (int i = 9; i < 20; i++)
		ASSERT_EQ(0, send_pattern(link->fd, i, 1));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(CLOSE_NOTIFY, read_epochs(link, &epochs));
	ASSERT_EQ(3, epochs.count);
	EXPECT_EQ(5, epochs.records[0]);
	EXPECT_EQ(3, epochs.records[1]);
	EXPECT_EQ(12, epochs.records[2]);
}

/* Whatever the calls, no epoch has more records than it may, and none is lost. */
TEST_F(update, policy_with_msg_more)
{
	struct link *link = &self->link;
	struct epochs epochs;
	uint8_t bytes[500];

	ASSERT_EQ(0, rekey_policy_set(link->fd, 2, 0, 0));
	for (int i = 0; i < 40; i++) {
		pattern_fill(bytes, 500 * i, 500);
		ASSERT_EQ(500, send(link->fd, bytes, 500, i % 4 == 3 ? 0 : MSG_MORE));
	}
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(CLOSE_NOTIFY, read_epochs(link, &epochs));
	EXPECT_TRUE(epochs.intact);
	ASSERT_EQ(5, epochs.count);
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(2, epochs.records[i]);
		EXPECT_EQ(4000, epochs.bytes[i]);
	}
}

TEST_F(update, policy_reads_back)
{
	struct signet_rekey_policy policy, set = { 1ULL << 40, 3, -1ULL };
	struct link *link = &self->link;
	uint8_t bytes[32] = {};
	socklen_t len = sizeof(policy);

	ASSERT_EQ(0, getsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, &policy, &len));
	EXPECT_EQ(0, policy.records | policy.bytes | policy.seconds);
	ASSERT_EQ(0, setsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, &set, sizeof(set)));
	ASSERT_EQ(0, getsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, &policy, &len));
	EXPECT_EQ(sizeof(policy), len);
	EXPECT_EQ(0, memcmp(&policy, &set, sizeof(set)));
	for (len = 0; len <= sizeof(bytes); len++) {
		if (len == sizeof(policy))
			continue;
		EXPECT_ERRNO(EINVAL,
			     setsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, bytes, len));
	}
	EXPECT_ERRNO(EFAULT, setsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, NULL, 24));
	len = sizeof(policy) - 1;
	EXPECT_ERRNO(EINVAL, getsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, bytes, &len));
	ASSERT_EQ(0, getsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, &policy,
				&(socklen_t){ sizeof(policy) }));
	EXPECT_EQ(0, memcmp(&policy, &set, sizeof(set)));
}

/* --- the cipher's limit -------------------- */

/* Records under one key (RFC 8446 5.5, RFC 9147 4.5.3). */
static uint64_t record_limit(uint16_t suite)
{
	switch (suite) {
	case SIGNET_AES_128_CCM_SHA256:
		return 1 << 23;
	case SIGNET_CHACHA20_POLY1305_SHA256:
		return -1ULL;
	default:
		return 23726566;
	}
}

TEST_F(rekey, keys_change_before_the_ciphers_limit)
{
	struct epochs epochs;
	struct link link;

	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&link));
	link.keys.tx.sequence = record_limit(variant->suite) - 7;
	ASSERT_EQ(0, link_rekey(&link));
	ASSERT_EQ(0, link_install(&link));
	for (int i = 0; i < 30; i++)
		ASSERT_EQ(0, send_pattern(link.fd, i, 1));
	EXPECT_EQ(1, sock_info_now(link.fd).tx_epoch);
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, sock_info_now(link.fd).state);
	ASSERT_EQ(0, shutdown(link.fd, SHUT_WR));
	EXPECT_EQ(CLOSE_NOTIFY, read_epochs(&link, &epochs));
	EXPECT_TRUE(epochs.intact);
	ASSERT_EQ(2, epochs.count);
	/* With the KeyUpdate fewer than the limit. */
	EXPECT_EQ(5, epochs.records[0]);
	EXPECT_EQ(25, epochs.records[1]);
	link_close(&link);
}

TEST_F(rekey, keys_change_before_the_limit_within_a_call)
{
	uint8_t *bytes = malloc(20 * RECORD_CONTENT);
	struct sink sink;
	struct link link;

	pattern_fill(bytes, 0, 20 * RECORD_CONTENT);
	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&link));
	link.keys.tx.sequence = record_limit(variant->suite) - 9;
	ASSERT_EQ(0, link_rekey(&link));
	ASSERT_EQ(0, link_install(&link));
	link.follows_updates = true;
	ASSERT_EQ(0, sink_start(&sink, &link));
	EXPECT_EQ(20 * RECORD_CONTENT, send(link.fd, bytes, 20 * RECORD_CONTENT, 0));
	ASSERT_EQ(0, shutdown(link.fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(20 * RECORD_CONTENT, sink.bytes);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
	EXPECT_EQ(1, link.updates);
	EXPECT_EQ(13 + 1, sock_info_now(link.fd).tx_sequence);
	link_close(&link);
	free(bytes);
}

/* --- thousands of epochs -------------------- */

#define MANY_BYTES 3000000

struct stream {
	int fd;
	size_t piece;
};

static int send_pieces(struct worker *worker)
{
	struct stream *stream = worker->argument;
	uint8_t bytes[2000];
	size_t n;

	for (size_t i = 0; i < MANY_BYTES; i += n) {
		n = MANY_BYTES - i < stream->piece ? MANY_BYTES - i : stream->piece;
		pattern_fill(bytes, i, n);
		if (send(stream->fd, bytes, n, 0) != (ssize_t)n)
			return -1;
	}
	return 0;
}

static int receive_stream(struct worker *worker)
{
	struct stream *stream = worker->argument;

	return recv_pattern(stream->fd, 0, MANY_BYTES);
}

TEST_F_TIMEOUT(update, thousands_of_epochs_both_ways, 120)
{
	struct stream streams[2] = { { .piece = 1000 }, { .piece = 900 } };
	struct worker senders[2], receivers[2];
	struct signet_info info[2];
	int fds[2];

	ASSERT_EQ(0, signet_pair(variant->family, variant->suite, fds));
	for (int i = 0; i < 2; i++) {
		streams[i].fd = fds[i];
		ASSERT_EQ(0, rekey_policy_set(fds[i], 2, 0, 0));
	}
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, worker_start(&senders[i], send_pieces, &streams[i]));
		ASSERT_EQ(0, worker_start(&receivers[i], receive_stream, &streams[i]));
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, worker_join(&senders[i]));
		EXPECT_EQ(0, worker_join(&receivers[i]));
	}
	for (int i = 0; i < 2; i++)
		info[i] = sock_info_now(fds[i]);
	EXPECT_EQ(1499, info[0].tx_epoch);
	EXPECT_EQ(1499, info[1].rx_epoch);
	EXPECT_EQ(1666, info[1].tx_epoch);
	EXPECT_EQ(1666, info[0].rx_epoch);
	EXPECT_EQ(3000 + 1499, info[0].tx_records);
	EXPECT_EQ(3334 + 1666, info[1].tx_records);
	close(fds[0]);
	close(fds[1]);
}

/* The peer is OpenSSL's, and asks for updates at random. */
static int peer_sends_epochs(struct worker *worker)
{
	struct link *link = worker->argument;
	struct random random = { 77 };

	for (size_t i = 0; i < 1000000; i += 1000) {
		if (peer_send_pattern(link, i, 1000, 1 + random_below(&random, 1000)))
			return -1;
		if (peer_send_update(link, random_below(&random, 2)))
			return -1;
	}
	return peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY);
}

static int send_small_pieces(struct worker *worker)
{
	struct link *link = worker->argument;

	for (size_t i = 0; i < 1000000; i += 800) {
		if (send_pattern(link->fd, i, 800))
			return -1;
	}
	return 0;
}

TEST_F_TIMEOUT(rekey, thousand_epochs_with_another_implementation, 120)
{
	struct worker sender, peer_sender;
	struct link *link = &self->link;
	struct signet_info info;
	struct sink sink;

	ASSERT_EQ(0, rekey_policy_set(link->fd, 1, 0, 0));
	link->follows_updates = true;
	ASSERT_EQ(0, sink_start(&sink, link));
	ASSERT_EQ(0, worker_start(&peer_sender, peer_sends_epochs, link));
	ASSERT_EQ(0, worker_start(&sender, send_small_pieces, link));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 1000000));
	EXPECT_EQ(0, worker_join(&sender));
	EXPECT_EQ(0, worker_join(&peer_sender));
	EXPECT_EQ(0, recv(link->fd, &info, sizeof(info), 0));
	info = sock_info_now(link->fd);
	EXPECT_EQ(1000, info.rx_epoch);
	EXPECT_GE(info.tx_epoch, 1249);
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(1000000, sink.bytes);
	EXPECT_EQ(info.tx_epoch, link->updates);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
}

/* --- another process goes on -------------------- */

static int send_descriptor(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec vec = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &vec,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(to, &msg, 0) == 1 ? 0 : -1;
}

static int receive_descriptor(int from)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec vec = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &vec,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(from, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* Gives back what it receives, and changes keys. */
static int echo(int fd)
{
	uint8_t bytes[100];

	for (int i = 0; i < 10; i++) {
		if (recv(fd, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes) || rekey(fd, 0) ||
		    send(fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
			return 1;
	}
	return 0;
}

TEST_F(update, descriptor_in_another_process)
{
	struct link *link = &self->link;
	int ends[2], status = -1;
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	child = fork();
	if (!child) {
		/* Only what comes through the socket. */
		close(link->fd);
		close(ends[0]);
		_exit(echo(receive_descriptor(ends[1])));
	}
	ASSERT_EQ(0, rekey(link->fd, 0));
	ASSERT_EQ(0, send_descriptor(ends[0], link->fd));
	close(link->fd);
	link->fd = -1;
	link->follows_updates = true;
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, peer_send_update(link, true));
		ASSERT_EQ(0, peer_send_pattern(link, 100 * i, 100, 30));
		ASSERT_EQ(0, peer_recv_pattern(link, 100 * i, 100));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_GE(link->updates, 1 + 10);
	EXPECT_LE(link->updates, 1 + 20);
	close(ends[0]);
	close(ends[1]);
}

/* --- defaults of a namespace, and floods -------------------- */

FIXTURE(own_namespace)
{
	struct link link;
};

FIXTURE_SETUP(own_namespace)
{
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, namespace_enter());
	memset(&self->link, 0, sizeof(self->link));
	self->link.fd = -1;
	self->link.peer = -1;
}

FIXTURE_TEARDOWN(own_namespace)
{
	link_close(&self->link);
}

static int up(struct link *link)
{
	return link_up(link, LINK_IPV4, SIGNET_AES_128_GCM_SHA256);
}

TEST_F(own_namespace, defaults_become_a_sockets_policy)
{
	struct link *link = &self->link;
	struct signet_rekey_policy policy;
	socklen_t len = sizeof(policy);
	struct epochs epochs;

	EXPECT_EQ(0, default_get("rekey_records"));
	EXPECT_EQ(0, default_get("rekey_bytes"));
	EXPECT_EQ(0, default_get("rekey_seconds"));
	ASSERT_EQ(0, default_set("rekey_records", "4"));
	ASSERT_EQ(0, default_set("rekey_bytes", "5000000000"));
	ASSERT_EQ(0, default_set("rekey_seconds", "7000"));
	ASSERT_EQ(0, up(link));
	/* Later changes are for later sockets. */
	ASSERT_EQ(0, default_set("rekey_records", "1"));
	ASSERT_EQ(0, getsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, &policy, &len));
	EXPECT_EQ(4, policy.records);
	EXPECT_EQ(5000000000, policy.bytes);
	EXPECT_EQ(7000, policy.seconds);
	for (int i = 0; i < 10; i++)
		ASSERT_EQ(0, send_pattern(link->fd, i, 1));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(CLOSE_NOTIFY, read_epochs(link, &epochs));
	ASSERT_EQ(3, epochs.count);
	EXPECT_EQ(4, epochs.records[0]);
	EXPECT_EQ(4, epochs.records[1]);
	EXPECT_EQ(2, epochs.records[2]);
}

TEST_F(own_namespace, bad_defaults_are_refused)
{
	EXPECT_ERRNO(EINVAL, default_set("rekey_records", "many"));
	EXPECT_ERRNO(EINVAL, default_set("idle_records_max", "0"));
	EXPECT_ERRNO(EINVAL, default_set("idle_records_max", "-1"));
	EXPECT_ERRNO(EINVAL, default_set("idle_records_max", "65535"));
	EXPECT_EQ(32, default_get("idle_records_max"));
	EXPECT_EQ(0, default_get("rekey_records"));
	EXPECT_EQ(0, default_set("idle_records_max", "65534"));
	EXPECT_EQ(65534, default_get("idle_records_max"));
}

struct flood {
	const char *name;
	/* What the peer sends the @i-th time. */
	int (*send)(struct link *link, int i);
};

static int flood_updates(struct link *link, int i)
{
	(void)i;
	return peer_send_update(link, false);
}

static int flood_requests(struct link *link, int i)
{
	(void)i;
	return peer_send_update(link, true);
}

static int flood_empty(struct link *link, int i)
{
	(void)i;
	return peer_send(link, TYPE_DATA, NULL, 0);
}

static int flood_padding(struct link *link, int i)
{
	return peer_send_padded(link, TYPE_DATA, NULL, 0, 1000 + i);
}

static int flood_warnings(struct link *link, int i)
{
	(void)i;
	return peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED);
}

static int flood_mixture(struct link *link, int i)
{
	switch (i % 4) {
	case 0:
		return peer_send_update(link, i % 8);
	case 1:
		return peer_send(link, TYPE_DATA, NULL, 0);
	case 2:
		/* A ticket does not make it better. */
		if (peer_send(link, TYPE_HANDSHAKE, "\4\0\0\1\0", 5))
			return -1;
		return peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED);
	default:
		return peer_send_padded(link, TYPE_DATA, NULL, 0, i);
	}
}

static const struct flood floods[] = {
	{ "KeyUpdates", flood_updates },  { "KeyUpdates with requests", flood_requests },
	{ "empty records", flood_empty }, { "padding", flood_padding },
	{ "warnings", flood_warnings },	  { "a mixture", flood_mixture },
};

/* As many as are allowed, then data, again; then one more. */
static void run_flood(struct __test_metadata *_metadata, const struct flood *flood, int limit)
{
	struct signet_info info;
	struct link link;
	uint8_t byte;
	int alert;

	ASSERT_EQ(0, up(&link));
	link.follows_updates = true;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < limit; i++)
			ASSERT_EQ(0, flood->send(&link, i));
		ASSERT_EQ(0, peer_send_pattern(&link, 10 * round, 10, 10));
		EXPECT_EQ(0, recv_pattern(link.fd, 10 * round, 10))
		{
			TH_LOG("%s: %s", flood->name, strerror(errno));
		}
	}
	for (int i = 0; i <= limit; i++)
		ASSERT_EQ(0, flood->send(&link, i));
	ASSERT_EQ(0, peer_send_pattern(&link, 30, 10, 10));
	EXPECT_ERRNO(EBADMSG, recv(link.fd, &byte, 1, 0));
	info = sock_info_now(link.fd);
	EXPECT_EQ(SIGNET_REASON_FLOOD, info.reason)
	{
		TH_LOG("%s", flood->name);
	}
	alert = peer_recv_alert(&link);
	EXPECT_EQ(FATAL(ALERT_UNEXPECTED_MESSAGE), alert);
	link_close(&link);
}

TEST_F(own_namespace, floods_are_cut_off_at_the_default)
{
	for (size_t i = 0; i < COUNT(floods); i++)
		run_flood(_metadata, &floods[i], 32);
}

TEST_F(own_namespace, floods_are_cut_off_where_the_namespace_says)
{
	ASSERT_EQ(0, default_set("idle_records_max", "5"));
	for (size_t i = 0; i < COUNT(floods); i++)
		run_flood(_metadata, &floods[i], 5);
	ASSERT_EQ(0, default_set("idle_records_max", "1"));
	for (size_t i = 0; i < COUNT(floods); i++)
		run_flood(_metadata, &floods[i], 1);
}

TEST_HARNESS_MAIN
