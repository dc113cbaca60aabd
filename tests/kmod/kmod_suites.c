// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds for every suite, and what TLS 1.2 does in its own way.
 */
#include "fixture.h"

TLS_FIXTURE(suites, link_up);
TLS_1_3_VARIANTS(suites);
TLS_1_2_VARIANTS(suites);

/* The suites of TLS 1.2. */
TLS_FIXTURE(tls12, link_up);
TLS_1_2_VARIANTS(tls12);

/* Around the blocks of the ciphers, pages and records. */
static const size_t sizes[] = {
	1,   2,	  15,  16,   17,   31,	 32,   33,   63,   64,	 65,	127,   255,
	256, 257, 511, 1023, 4079, 4080, 4095, 4096, 4097, 8192, 16367, 16383, 16384,
};

static bool is_tls_1_2(const struct link *link)
{
	return link->keys.tx.version == SIGNET_TLS_1_2;
}

static size_t overhead(const struct link *link)
{
	return record_suite_overhead(link->from_fd.suite);
}

static size_t explicit_len(const struct link *link)
{
	return link->from_fd.suite->explicit_len;
}

/* The body at most (RFC 8446 5.2, RFC 5246 6.2.1 and 6.2.3). */
static size_t body_max(const struct link *link)
{
	if (is_tls_1_2(link))
		return explicit_len(link) + RECORD_CONTENT + RECORD_TAG;
	return RECORD_BODY;
}

static int send_raw_header(struct link *link, uint8_t type, uint16_t version, size_t body)
{
	uint8_t header[] = { type, version >> 8, version, body >> 8, body };

	return peer_send_raw(link, header, sizeof(header));
}

static int reason_of(int fd)
{
	struct signet_info info;

	return sock_info(fd, &info) ? -1 : (int)info.reason;
}

/* --- every suite -------------------- */

TEST_F(suites, every_size_is_sent)
{
	uint8_t content[RECORD_CONTENT], bytes[RECORD_CONTENT], type;
	struct link *link = &self->link;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		pattern_fill(bytes, i, sizes[i]);
		ASSERT_EQ(sizes[i], send(link->fd, bytes, sizes[i], 0));
		ASSERT_EQ(sizes[i], peer_recv(link, &type, content));
		EXPECT_EQ(TYPE_DATA, type);
		EXPECT_EQ(TYPE_DATA, link->header[0]);
		EXPECT_EQ(RECORD_HEADER + link_body_len(link), sizes[i] + overhead(link));
		EXPECT_TRUE(pattern_matches(content, i, sizes[i]));
	}
}

TEST_F(suites, every_size_is_received)
{
	struct link *link = &self->link;
	struct signet_info info;
	size_t total = 0;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		ASSERT_EQ(0, peer_send_pattern(link, i, sizes[i], sizes[i]));
		ASSERT_EQ(0, recv_pattern(link->fd, i, sizes[i]))
		{
			TH_LOG("%zu bytes: %s", sizes[i], strerror(errno));
		}
		total += sizes[i];
	}
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(COUNT(sizes), info.rx_records);
	EXPECT_EQ(total, info.rx_bytes);
	EXPECT_EQ(COUNT(sizes), info.rx_sequence);
}

static int send_much(struct worker *worker)
{
	struct link *link = worker->argument;

	return send_pattern(link->fd, 3, 300000);
}

TEST_F(suites, streams_both_ways)
{
	struct link *link = &self->link;
	struct worker sender;

	ASSERT_EQ(0, worker_start(&sender, send_much, link));
	EXPECT_EQ(0, peer_recv_pattern(link, 3, 300000));
	EXPECT_EQ(0, worker_join(&sender));
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, peer_send_pattern(link, 30000 * i, 30000, 7001));
		ASSERT_EQ(0, recv_pattern(link->fd, 30000 * i, 30000));
	}
}

TEST_F(suites, msg_more_fills_a_record)
{
	struct link *link = &self->link;
	uint8_t content[RECORD_CONTENT], type;

	ASSERT_EQ(1, send(link->fd, "a", 1, MSG_MORE));
	ASSERT_EQ(2, send(link->fd, "bc", 2, 0));
	ASSERT_EQ(3, peer_recv(link, &type, content));
	EXPECT_EQ(0, memcmp(content, "abc", 3));
}

TEST_F(suites, peek_looks_over_records)
{
	struct link *link = &self->link;
	uint8_t bytes[300];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 300, 100));
	wait_received(link->fd, 300 + 3 * overhead(link));
	for (int i = 0; i < 2; i++) {
		memset(bytes, 0, sizeof(bytes));
		EXPECT_EQ(300, recv(link->fd, bytes, 300, MSG_PEEK));
		EXPECT_TRUE(pattern_matches(bytes, 0, 300));
	}
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 300));
}

TEST_F(suites, siocinq_leaves_the_overhead_out)
{
	struct link *link = &self->link;
	int len = -1;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 300, 100));
	wait_received(link->fd, 300 + 3 * overhead(link));
	ASSERT_EQ(0, ioctl(link->fd, SIOCINQ, &len));
	EXPECT_EQ(300, len);
}

TEST_F(suites, empty_records_are_nothing)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send(link, TYPE_DATA, NULL, 0));
	wait_received(link->fd, overhead(link));
	EXPECT_EQ(0, poll_now(link->fd, POLLIN));
	EXPECT_TRUE(nothing_to_read(link));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
}

TEST_F(suites, ends_with_close_notify)
{
	struct link *link = &self->link;
	struct signet_info info;
	uint8_t byte;

	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 10));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(is_tls_1_2(link) ? TYPE_ALERT : TYPE_DATA, link->header[0]);
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
	/* The other direction is still open. */
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, recv(link->fd, &byte, 1, 0));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_STATE_CLOSED, info.state);
	EXPECT_EQ(0, info.error);
}

TEST_F(suites, truncation_is_noticed)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	ASSERT_EQ(0, peer_fin(link));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	EXPECT_ERRNO(ECONNABORTED, recv(link->fd, &errno, 1, 0));
}

TEST_F(suites, info_names_suite_and_version)
{
	struct signet_info info;

	ASSERT_EQ(0, sock_info(self->link.fd, &info));
	EXPECT_EQ(variant->suite, info.tx_suite);
	EXPECT_EQ(variant->suite, info.rx_suite);
	EXPECT_EQ(self->link.from_fd.suite->version, info.version);
	EXPECT_EQ(SIGNET_PERSONALITY_SIGNET, info.personality);
}

TEST_F(suites, position_is_installed)
{
	struct signet_info info;
	struct link link;

	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&link));
	link.keys.tx.sequence = 77777;
	link.keys.rx.sequence = -1000000ULL;
	ASSERT_EQ(0, link_rekey(&link));
	ASSERT_EQ(0, link_install(&link));
	EXPECT_EQ(0, send_pattern(link.fd, 0, 50000));
	EXPECT_EQ(0, peer_recv_pattern(&link, 0, 50000));
	ASSERT_EQ(0, peer_send_pattern(&link, 0, 5000, 500));
	EXPECT_EQ(0, recv_pattern(link.fd, 0, 5000));
	ASSERT_EQ(0, sock_info(link.fd, &info));
	EXPECT_EQ(77777 + 4, info.tx_sequence);
	EXPECT_EQ(-1000000ULL + 10, info.rx_sequence);
	link_close(&link);
}

TEST_F(suites, lengths_of_secrets_are_checked)
{
	struct signet_crypto crypto;
	struct link link;
	size_t len;

	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&link));
	len = link.keys.tx.secret_len;
	for (size_t other = 0; other <= SIGNET_SECRET_MAX + 1; other++) {
		if (other == len)
			continue;
		crypto = link.keys.tx;
		crypto.secret_len = other;
		EXPECT_ERRNO(EINVAL,
			     setsockopt(link.fd, SOL_SIGNET, SIGNET_TX, &crypto, sizeof(crypto)));
	}
	/* A secret that is longer than it says. */
	crypto = link.keys.tx;
	crypto.secret[len] = 1;
	EXPECT_ERRNO(EINVAL, setsockopt(link.fd, SOL_SIGNET, SIGNET_TX, &crypto, sizeof(crypto)));
	/* The suite of one version with the number of the other. */
	crypto = link.keys.tx;
	crypto.version ^= SIGNET_TLS_1_2 ^ SIGNET_TLS_1_3;
	EXPECT_ERRNO(EOPNOTSUPP,
		     setsockopt(link.fd, SOL_SIGNET, SIGNET_TX, &crypto, sizeof(crypto)));
	crypto = link.keys.tx;
	crypto.explicit_nonce = 1;
	if (!explicit_len(&link)) {
		EXPECT_ERRNO(EINVAL,
			     setsockopt(link.fd, SOL_SIGNET, SIGNET_TX, &crypto, sizeof(crypto)));
	}
	EXPECT_EQ(0, link_install(&link));
	EXPECT_EQ(0, send_pattern(link.fd, 0, 10));
	EXPECT_EQ(0, peer_recv_pattern(&link, 0, 10));
	link_close(&link);
}

/* Two records of which some bytes were left over, cut within and behind each part. */
TEST_F_TIMEOUT(suites, leftover_cut_anywhere, 60)
{
	size_t len = 2 * (20 + overhead(&self->link));

	for (size_t cut = 1; cut < len; cut += cut < 40 ? 1 : 7) {
		uint8_t records[200], content[20];
		struct link link;

		ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
		ASSERT_EQ(0, link_attach(&link));
		pattern_fill(content, 0, 20);
		ASSERT_EQ(len / 2, record_seal(&link.to_fd, TYPE_DATA, content, 20, 0, records));
		pattern_fill(content, 20, 20);
		record_seal(&link.to_fd, TYPE_DATA, content, 20, 0, records + len / 2);
		ASSERT_EQ(0, link_install_leftover(&link, records, cut));
		ASSERT_EQ(0, peer_send_raw(&link, records + cut, len - cut));
		EXPECT_EQ(0, recv_pattern(link.fd, 0, 40))
		{
			TH_LOG("cut after %zu bytes: %s", cut, strerror(errno));
		}
		link_close(&link);
	}
}

/* --- every suite: the end -------------------- */

/* The failure, and that the peer is told. */
static void expect_failure(struct __test_metadata *_metadata, struct link *link, int error,
			   int reason, int alert)
{
	uint8_t byte;

	EXPECT_ERRNO(error, recv(link->fd, &byte, 1, 0));
	EXPECT_ERRNO(error, send(link->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(reason, reason_of(link->fd));
	if (alert)
		EXPECT_EQ(alert, peer_recv_alert(link));
	close(link->fd);
	link->fd = -1;
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
}

TEST_F(suites, every_changed_byte_is_noticed)
{
	size_t len = 10 + overhead(&self->link);

	for (size_t at = RECORD_HEADER; at < len; at++) {
		uint8_t record[100], bytes[100] = {};
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, peer_send_pattern(&link, 0, 5, 5));
		ASSERT_EQ(len, record_seal(&link.to_fd, TYPE_DATA, "0123456789", 10, 0, record));
		record[at] ^= 0x10;
		ASSERT_EQ(0, peer_send_raw(&link, record, len));
		EXPECT_EQ(0, recv_pattern(link.fd, 0, 5));
		EXPECT_ERRNO(EBADMSG, recv(link.fd, bytes, sizeof(bytes), 0));
		for (size_t i = 0; i < sizeof(bytes); i++)
			EXPECT_EQ(0, bytes[i]);
		expect_failure(_metadata, &link, EBADMSG, SIGNET_REASON_BAD_TAG,
			       FATAL(ALERT_BAD_RECORD_MAC));
		link_close(&link);
	}
}

TEST_F(suites, too_short_bodies)
{
	size_t shortest = explicit_len(&self->link) + RECORD_TAG;

	for (size_t body = 0; body < shortest; body++) {
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		/* Noticed by the header alone. */
		ASSERT_EQ(0, send_raw_header(&link, TYPE_DATA, 0x0303, body));
		expect_failure(_metadata, &link, EBADMSG, SIGNET_REASON_RECORD_SHORT,
			       FATAL(ALERT_BAD_RECORD_MAC));
		link_close(&link);
	}
}

TEST_F(suites, too_long_bodies)
{
	static const size_t beyond[] = { 1, 2, 300 };
	size_t longest = body_max(&self->link);

	for (size_t i = 0; i < COUNT(beyond); i++) {
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, send_raw_header(&link, TYPE_DATA, 0x0303, longest + beyond[i]));
		expect_failure(_metadata, &link, EMSGSIZE, SIGNET_REASON_RECORD_LONG,
			       FATAL(ALERT_RECORD_OVERFLOW));
		link_close(&link);
	}
}

TEST_F(suites, longest_body_is_taken)
{
	struct link *link = &self->link;
	uint8_t content[RECORD_CONTENT];
	size_t padding = is_tls_1_2(link) ? 0 : 256 - 1 - RECORD_TAG;

	pattern_fill(content, 0, sizeof(content));
	ASSERT_EQ(0, peer_send_padded(link, TYPE_DATA, content, sizeof(content), padding));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, sizeof(content)));
	EXPECT_EQ(RECORD_HEADER + body_max(link), bytes_received(link->fd));
}

TEST_F(suites, other_versions_are_refused)
{
	static const uint16_t versions[] = { 0, 0x0300, 0x0301, 0x0302, 0x0304, 0x0203, 0xfefd };

	for (size_t i = 0; i < COUNT(versions); i++) {
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, send_raw_header(&link, TYPE_DATA, versions[i], 100));
		expect_failure(_metadata, &link, EPROTONOSUPPORT, SIGNET_REASON_RECORD_VERSION,
			       FATAL(ALERT_PROTOCOL_VERSION));
		link_close(&link);
	}
}

/* A record that is sealed well and must not come: in the clear or inside. */
TEST_F(suites, change_cipher_spec_is_fatal)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send(link, TYPE_CHANGE_CIPHER, "\1", 1));
	expect_failure(_metadata, link, EBADMSG, SIGNET_REASON_RECORD_TYPE,
		       FATAL(ALERT_UNEXPECTED_MESSAGE));
}

TEST_F(suites, change_cipher_spec_in_the_clear_is_fatal)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_raw(link, "\24\3\3\0\1\1", 6));
	expect_failure(_metadata, link, EBADMSG, SIGNET_REASON_RECORD_TYPE,
		       FATAL(ALERT_UNEXPECTED_MESSAGE));
}

TEST_F(suites, unknown_type_is_fatal)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send(link, 24, "heart", 5));
	expect_failure(_metadata, link, EBADMSG, SIGNET_REASON_RECORD_TYPE,
		       FATAL(ALERT_UNEXPECTED_MESSAGE));
}

TEST_F(suites, type_zero_is_fatal)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send(link, 0, "\0\0\0", 3));
	expect_failure(_metadata, link, EBADMSG,
		       is_tls_1_2(link) ? SIGNET_REASON_RECORD_TYPE : SIGNET_REASON_NO_CONTENT_TYPE,
		       FATAL(ALERT_UNEXPECTED_MESSAGE));
}

TEST_F(suites, fatal_alert_ends_the_connection)
{
	struct link *link = &self->link;
	struct signet_info info;

	ASSERT_EQ(0, peer_send_alert(link, ALERT_FATAL, ALERT_HANDSHAKE_FAILURE));
	EXPECT_ERRNO(EPROTO, recv(link->fd, &info, 1, 0));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(FATAL(ALERT_HANDSHAKE_FAILURE), info.alert_received);
	expect_failure(_metadata, link, EPROTO, SIGNET_REASON_ALERT, 0);
}

TEST_F(suites, malformed_alerts_are_fatal)
{
	for (size_t len = 1; len < 5; len++) {
		struct link link;

		if (len == 2)
			continue;
		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, peer_send(&link, TYPE_ALERT, "\1\132\1\0", len));
		expect_failure(_metadata, &link, EBADMSG, SIGNET_REASON_BAD_ALERT,
			       FATAL(ALERT_DECODE_ERROR));
		link_close(&link);
	}
}

/* --- TLS 1.2: nonces -------------------- */

TEST_F(tls12, explicit_nonces_start_where_installed)
{
	static const uint64_t starts[] = { 0, 1, 0x0102030405060708, -3ULL };
	uint8_t content[RECORD_CONTENT], type;

	if (!explicit_len(&self->link))
		return; /* every_size_is_sent shows that there are none */
	for (size_t i = 0; i < COUNT(starts); i++) {
		struct link link;

		ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
		ASSERT_EQ(0, link_attach(&link));
		link.keys.tx.explicit_nonce = starts[i];
		/* In the other direction it is not looked at. */
		link.keys.rx.explicit_nonce = 5;
		ASSERT_EQ(0, link_rekey(&link));
		ASSERT_EQ(0, link_install(&link));
		for (uint64_t n = 0; n < 6; n++) {
			ASSERT_EQ(0, send_pattern(link.fd, n, 1));
			ASSERT_EQ(1, peer_recv(&link, &type, content));
			EXPECT_EQ(starts[i] + n, link.from_fd.explicit_nonce);
		}
		ASSERT_EQ(0, shutdown(link.fd, SHUT_WR));
		EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(&link));
		EXPECT_EQ(starts[i] + 6, link.from_fd.explicit_nonce);
		link_close(&link);
	}
}

TEST_F(tls12, explicit_nonces_never_repeat)
{
	uint8_t content[RECORD_CONTENT], type;
	struct link *link = &self->link;
	uint64_t next = 0;

	if (!explicit_len(link))
		return;
	for (int i = 0; i < 30; i++) {
		/* Data in several records, alerts of the module's and of the user's. */
		ASSERT_EQ(0, send_pattern(link->fd, 0, 40000));
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\0\0\0\0", 4));
		ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
		ASSERT_EQ(0, recv_pattern(link->fd, 0, 10));
		for (int j = 0; j < 4; j++) {
			ASSERT_LE(0, peer_recv(link, &type, content));
			EXPECT_EQ(next++, link->from_fd.explicit_nonce);
		}
		EXPECT_EQ(TYPE_ALERT, type);
	}
}

TEST_F(tls12, peers_nonces_may_be_any)
{
	struct random random = { 11 };
	struct link *link = &self->link;

	for (int i = 0; i < 30; i++) {
		link->to_fd.explicit_nonce = random_next(&random);
		ASSERT_EQ(0, peer_send_pattern(link, 10 * i, 10, 10));
		EXPECT_EQ(0, recv_pattern(link->fd, 10 * i, 10));
	}
}

/* --- TLS 1.2: messages and alerts -------------------- */

TEST_F(tls12, hello_request_gets_a_warning)
{
	struct link *link = &self->link;
	struct signet_info info;
	int warning = ALERT_WARNING << 8 | ALERT_NO_RENEGOTIATION;

	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\0\0\0\0", 4));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	EXPECT_EQ(warning, peer_recv_alert(link));
	/* In a record each byte, and two in a record: one answer until data come. */
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "", 1));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\0\0\0\0\0\0\0\0", 8));
	ASSERT_EQ(0, peer_send_pattern(link, 10, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 10, 10));
	EXPECT_EQ(warning, peer_recv_alert(link));
	EXPECT_TRUE(peer_saw_nothing(link));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(warning, info.alert_sent);
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, info.state);
	EXPECT_EQ(0, send_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 10));
}

TEST_F(tls12, hello_request_keeps_an_open_record)
{
	struct link *link = &self->link;

	ASSERT_EQ(5, send(link->fd, "first", 5, MSG_MORE));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\0\0\0\0", 4));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	ASSERT_EQ(6, send(link->fd, "second", 6, 0));
	EXPECT_EQ(ALERT_WARNING << 8 | ALERT_NO_RENEGOTIATION, peer_recv_alert(link));
	uint8_t content[RECORD_CONTENT], type;
	EXPECT_EQ(11, peer_recv(link, &type, content));
	EXPECT_EQ(0, memcmp(content, "firstsecond", 11));
}

/* Nobody makes this side answer for ever. */
TEST_F(tls12, hello_requests_without_data_are_limited)
{
	struct link *link = &self->link;
	int warnings = 0;

	for (int i = 0; i < 33; i++)
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\0\0\0\0", 4));
	EXPECT_ERRNO(EBADMSG, recv(link->fd, &errno, 1, 0));
	EXPECT_EQ(SIGNET_REASON_FLOOD, reason_of(link->fd));
	while (peer_recv_alert(link) == (ALERT_WARNING << 8 | ALERT_NO_RENEGOTIATION))
		warnings++;
	EXPECT_LE(warnings, 33);
}

TEST_F(tls12, warning_alerts_are_counted)
{
	static const uint8_t warnings[] = { ALERT_USER_CANCELED, ALERT_NO_RENEGOTIATION, 41, 112 };
	struct link *link = &self->link;
	struct signet_info info;

	for (size_t i = 0; i < COUNT(warnings); i++)
		ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, warnings[i]));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(COUNT(warnings), info.rx_warnings);
	EXPECT_EQ(COUNT(warnings), info.rx_control);
	EXPECT_EQ(ALERT_WARNING << 8 | 112, info.alert_received);
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, info.state);
	EXPECT_TRUE(peer_saw_nothing(link));
}

struct refused {
	const char *name;
	size_t len;
	const char *message;
	int alert;
};

static const struct refused refused[] = {
	{ "KeyUpdate", 5, "\30\0\0\1\0", ALERT_UNEXPECTED_MESSAGE },
	{ "KeyUpdate with a request", 5, "\30\0\0\1\1", ALERT_UNEXPECTED_MESSAGE },
	{ "NewSessionTicket", 8, "\4\0\0\4\0\0\0\0", ALERT_UNEXPECTED_MESSAGE },
	{ "ClientHello", 8, "\1\0\0\4\0\0\0\0", ALERT_UNEXPECTED_MESSAGE },
	{ "ServerHello", 8, "\2\0\0\4\0\0\0\0", ALERT_UNEXPECTED_MESSAGE },
	{ "Finished", 8, "\24\0\0\4\0\0\0\0", ALERT_UNEXPECTED_MESSAGE },
	{ "HelloRequest with a body", 5, "\0\0\0\1\0", ALERT_DECODE_ERROR },
	{ "nothing", 0, "", ALERT_UNEXPECTED_MESSAGE },
};

TEST_F(tls12, other_messages_are_refused)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, peer_send(&link, TYPE_HANDSHAKE, refused[i].message, refused[i].len));
		EXPECT_EQ(-1, recv(link.fd, &errno, 1, 0))
		{
			TH_LOG("%s", refused[i].name);
		}
		expect_failure(_metadata, &link, EBADMSG, SIGNET_REASON_BAD_HANDSHAKE,
			       FATAL(refused[i].alert));
		link_close(&link);
	}
}

TEST_F(tls12, server_refuses_a_hello_request)
{
	struct link link;

	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&link));
	link.keys.role = SIGNET_ROLE_SERVER;
	ASSERT_EQ(0, link_install(&link));
	ASSERT_EQ(0, peer_send(&link, TYPE_HANDSHAKE, "\0\0\0\0", 4));
	expect_failure(_metadata, &link, EBADMSG, SIGNET_REASON_BAD_HANDSHAKE,
		       FATAL(ALERT_UNEXPECTED_MESSAGE));
	link_close(&link);
}

TEST_F(tls12, data_within_a_message_is_refused)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\0\0", 2));
	ASSERT_EQ(0, peer_send(link, TYPE_DATA, "data", 4));
	expect_failure(_metadata, link, EBADMSG, SIGNET_REASON_BAD_HANDSHAKE,
		       FATAL(ALERT_UNEXPECTED_MESSAGE));
}

/* --- TLS 1.2: no KeyUpdate -------------------- */

TEST_F(tls12, keys_are_never_changed)
{
	struct signet_rekey_policy policy = { .records = 1, .bytes = 1, .seconds = 1 };
	struct link *link = &self->link;
	struct signet_info info;
	uint32_t flags = 0;

	EXPECT_ERRNO(EOPNOTSUPP,
		     setsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY, &flags, sizeof(flags)));
	ASSERT_EQ(0,
		  setsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY_POLICY, &policy, sizeof(policy)));
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, send_pattern(link->fd, i, 1));
		ASSERT_EQ(0, peer_recv_pattern(link, i, 1));
	}
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(0, info.tx_epoch);
	EXPECT_EQ(0, info.tx_key_updates);
	EXPECT_EQ(10, info.tx_sequence);
}

TEST_F(tls12, padding_has_no_effect)
{
	struct signet_padding padding = { SIGNET_PADDING_FIXED, 1000 };
	uint8_t content[RECORD_CONTENT], type;
	struct link *link = &self->link;

	ASSERT_EQ(0, setsockopt(link->fd, SOL_SIGNET, SIGNET_PADDING, &padding, sizeof(padding)));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	EXPECT_EQ(10, peer_recv(link, &type, content));
	EXPECT_EQ(10 + overhead(link), RECORD_HEADER + link_body_len(link));
}

/* Records under one key (RFC 9147 4.5.3), of which the last two are kept for the end. */
static uint64_t record_limit(const struct link *link)
{
	switch (link->from_fd.suite->key_len) {
	case 16:
	case 32:
		if (link->from_fd.suite->is_ccm)
			return (1 << 23) - 2;
		if (explicit_len(link))
			return 23726566 - 2;
	}
	return -1ULL - 2;
}

static int open_near_limit(struct link *link, enum link_family family, uint16_t suite,
			   uint64_t before)
{
	if (link_open(link, family, suite) || link_attach(link))
		return -1;
	link->keys.tx.sequence = record_limit(link) - before;
	return link_rekey(link) || link_install(link) ? -1 : 0;
}

TEST_F(tls12, ends_at_the_ciphers_limit)
{
	struct signet_info info;
	struct sink sink;
	struct link link;

	ASSERT_EQ(0, open_near_limit(&link, variant->family, variant->suite, 5));
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, send_pattern(link.fd, i, 1));
	for (int i = 0; i < 2; i++)
		EXPECT_ERRNO(EKEYEXPIRED, send(link.fd, "x", 1, MSG_NOSIGNAL));
	ASSERT_EQ(0, sock_info(link.fd, &info));
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, info.state);
	EXPECT_EQ(SIGNET_DIRECTION_CLOSED, info.tx_state);
	EXPECT_EQ(SIGNET_REASON_AEAD_LIMIT, info.reason);
	EXPECT_EQ(EKEYEXPIRED, info.error);
	EXPECT_EQ(CLOSE_NOTIFY, info.alert_sent);
	/* Before anybody closes the socket. */
	EXPECT_EQ(0, peer_recv_pattern(&link, 0, 5));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(&link));
	close(link.fd);
	link.fd = -1;
	sink_run(&sink, &link);
	EXPECT_EQ(-1, sink.alert);
	EXPECT_EQ(0, sink.bytes);
	EXPECT_EQ(PEER_FIN, sink.end);
	link_close(&link);
}

TEST_F(tls12, ends_at_the_limit_within_a_call)
{
	uint8_t *bytes = malloc(20 * RECORD_CONTENT);
	struct link link;
	struct sink sink;

	pattern_fill(bytes, 0, 20 * RECORD_CONTENT);
	ASSERT_EQ(0, open_near_limit(&link, variant->family, variant->suite, 7));
	EXPECT_EQ(7 * RECORD_CONTENT, send(link.fd, bytes, 20 * RECORD_CONTENT, MSG_NOSIGNAL));
	EXPECT_ERRNO(EKEYEXPIRED, send(link.fd, "x", 1, MSG_NOSIGNAL));
	close(link.fd);
	link.fd = -1;
	sink_run(&sink, &link);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(7 * RECORD_CONTENT, sink.bytes);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
	EXPECT_EQ(PEER_FIN, sink.end);
	link_close(&link);
	free(bytes);
}

TEST_F(tls12, nothing_is_sent_beyond_the_limit)
{
	struct link link;

	ASSERT_EQ(0, open_near_limit(&link, variant->family, variant->suite, 0));
	EXPECT_ERRNO(EKEYEXPIRED, send(link.fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(&link));
	close(link.fd);
	link.fd = -1;
	EXPECT_EQ(PEER_FIN, peer_recv_end(&link));
	link_close(&link);
}

/* Only sending ends. */
TEST_F(tls12, limit_leaves_what_arrives)
{
	struct link link;

	ASSERT_EQ(0, open_near_limit(&link, variant->family, variant->suite, 1));
	ASSERT_EQ(0, peer_send_pattern(&link, 0, 1000, 100));
	wait_delivered(link.peer, link.fd);
	ASSERT_EQ(0, recv_pattern(link.fd, 0, 50));
	ASSERT_EQ(0, send_pattern(link.fd, 0, 1));
	EXPECT_ERRNO(EKEYEXPIRED, send(link.fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, recv_pattern(link.fd, 50, 950));
	ASSERT_EQ(0, peer_send_pattern(&link, 1000, 100, 100));
	EXPECT_EQ(0, recv_pattern(link.fd, 1000, 100));
	link_close(&link);
}

TEST_F(suites, no_record_behind_the_last_sequence_number)
{
	struct link link;

	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&link));
	link.keys.tx.sequence = -1;
	ASSERT_EQ(0, link_rekey(&link));
	ASSERT_EQ(0, link_install(&link));
	for (int i = 0; i < 2; i++)
		EXPECT_ERRNO(EKEYEXPIRED, send(link.fd, "x", 1, MSG_NOSIGNAL));
	link_close(&link);
}

TEST_HARNESS_MAIN
