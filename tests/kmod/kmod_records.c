// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shape and the type of records: lengths, padding, content types, tickets;
 * and calls that see several records at once.
 */
#include "fixture.h"

#include <linux/errqueue.h>
#include <linux/tls.h>

#include "namespace.h"

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

TLS_FIXTURE(records, link_up);
TLS_TWO_VARIANTS(records);
TLS_VARIANT(records, tls12, LINK_IPV4, SIGNET_ECDHE_RSA_WITH_AES_128_GCM_SHA256);

/* What is TLS 1.3's alone. */
TLS_FIXTURE(shape, link_up);
TLS_TWO_VARIANTS(shape);

static bool is_tls_1_3(const struct link *link)
{
	return link->keys.tx.version == SIGNET_TLS_1_3;
}

static int set_option(int fd, int option, uint32_t value)
{
	return setsockopt(fd, SOL_SIGNET, option, &value, sizeof(value));
}

static int get_option(int fd, int option)
{
	uint32_t value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SIGNET, option, &value, &len) || len != sizeof(value))
		return -1;
	return value;
}

static int set_padding(int fd, uint16_t mode, uint16_t size)
{
	struct signet_padding padding = { mode, size };

	return setsockopt(fd, SOL_SIGNET, SIGNET_PADDING, &padding, sizeof(padding));
}

/* Reads one record of data that continues the stream. Return: its length, or -1. */
static int peer_recv_part(struct link *link, uint64_t offset)
{
	uint8_t content[RECORD_CONTENT], type;
	int n = peer_recv(link, &type, content);

	return n >= 0 && type == TYPE_DATA && pattern_matches(content, offset, n) ? n : -1;
}

/* Content, type and padding of the last record, in bytes. */
static int inner_len(const struct link *link)
{
	return link_body_len(link) - RECORD_TAG - link->from_fd.suite->explicit_len;
}

/* --- SIGNET_RECORD_MAX -------------------- */

TEST_F(records, record_max_bounds_every_record)
{
	static const uint32_t limits[] = { 64, 65, 100, 512, 1000, 4097, 16384 };
	struct link *link = &self->link;

	for (size_t i = 0; i < COUNT(limits); i++) {
		/* RFC 8449 4: the content type counts in TLS 1.3. */
		int longest = is_tls_1_3(link) ? limits[i] - 1 : limits[i];

		ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_MAX, limits[i]));
		EXPECT_EQ(limits[i], get_option(link->fd, SIGNET_RECORD_MAX));
		ASSERT_EQ(0, send_pattern(link->fd, 0, 3 * longest + 7));
		for (int j = 0; j < 3; j++) {
			EXPECT_EQ(longest, peer_recv_part(link, j * longest));
			EXPECT_EQ(limits[i], inner_len(link));
		}
		EXPECT_EQ(7, peer_recv_part(link, 3 * longest));
	}
	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_MAX, 0));
	EXPECT_EQ(0, get_option(link->fd, SIGNET_RECORD_MAX));
	ASSERT_EQ(0, send_pattern(link->fd, 0, RECORD_CONTENT + 1));
	EXPECT_EQ(RECORD_CONTENT, peer_recv_part(link, 0));
	EXPECT_EQ(1, peer_recv_part(link, RECORD_CONTENT));
}

TEST_F(shape, record_max_of_the_longest_record)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_MAX, RECORD_CONTENT + 1));
	ASSERT_EQ(0, send_pattern(link->fd, 0, RECORD_CONTENT + 1));
	EXPECT_EQ(RECORD_CONTENT, peer_recv_part(link, 0));
	EXPECT_EQ(1, peer_recv_part(link, RECORD_CONTENT));
}

/* RFC 8449 4: the longest record of TLS 1.2 is one byte shorter. */
TEST_F(records, record_max_depends_on_the_version)
{
	struct link *link = &self->link;
	int ret = set_option(link->fd, SIGNET_RECORD_MAX, RECORD_CONTENT + 1);

	EXPECT_EQ(is_tls_1_3(link) ? 0 : -1, ret);
	if (ret)
		EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(ret ? 0 : RECORD_CONTENT + 1, get_option(link->fd, SIGNET_RECORD_MAX));
}

TEST_F(records, record_max_checks_its_value)
{
	static const uint32_t bad[] = { 1, 2, 63, RECORD_CONTENT + 2, 65535, 65536, -1U };
	struct link *link = &self->link;
	uint8_t bytes[8] = {};

	for (size_t i = 0; i < COUNT(bad); i++)
		EXPECT_ERRNO(EINVAL, set_option(link->fd, SIGNET_RECORD_MAX, bad[i]));
	for (socklen_t len = 0; len <= sizeof(bytes); len++) {
		if (len == sizeof(uint32_t))
			continue;
		EXPECT_ERRNO(EINVAL,
			     setsockopt(link->fd, SOL_SIGNET, SIGNET_RECORD_MAX, bytes, len));
	}
	EXPECT_ERRNO(EFAULT, setsockopt(link->fd, SOL_SIGNET, SIGNET_RECORD_MAX, NULL, 4));
	EXPECT_EQ(0, get_option(link->fd, SIGNET_RECORD_MAX));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 1000));
	EXPECT_EQ(1000, peer_recv_part(link, 0));
}

TEST_F(records, record_max_waits_for_the_open_record)
{
	struct link *link = &self->link;
	uint8_t bytes[200];

	pattern_fill(bytes, 0, sizeof(bytes));
	ASSERT_EQ(100, send(link->fd, bytes, 100, MSG_MORE));
	EXPECT_ERRNO(EBUSY, set_option(link->fd, SIGNET_RECORD_MAX, 64));
	ASSERT_EQ(100, send(link->fd, bytes + 100, 100, 0));
	EXPECT_EQ(200, peer_recv_part(link, 0));
	EXPECT_EQ(0, set_option(link->fd, SIGNET_RECORD_MAX, 64));
}

TEST_F(records, record_max_before_the_keys)
{
	struct link link;

	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	ASSERT_EQ(0, link_attach(&link));
	ASSERT_EQ(0, set_option(link.fd, SIGNET_RECORD_MAX, 100));
	ASSERT_EQ(0, link_install(&link));
	ASSERT_EQ(0, send_pattern(link.fd, 0, 150));
	EXPECT_GE(peer_recv_part(&link, 0), 99);
	EXPECT_EQ(100, inner_len(&link));
	link_close(&link);
}

/* Neither does it change what may be received. */
TEST_F(records, record_max_is_for_sending)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_MAX, 64));
	ASSERT_EQ(0, peer_send_pattern(link, 0, RECORD_CONTENT, RECORD_CONTENT));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, RECORD_CONTENT));
}

TEST_F(records, msg_more_fills_records_of_that_length)
{
	struct link *link = &self->link;
	int longest = is_tls_1_3(link) ? 99 : 100;
	uint8_t byte;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_MAX, 100));
	for (int i = 0; i < 2 * longest + 5; i++) {
		pattern_fill(&byte, i, 1);
		ASSERT_EQ(1, send(link->fd, &byte, 1, MSG_MORE));
	}
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(longest, peer_recv_part(link, 0));
	EXPECT_EQ(longest, peer_recv_part(link, longest));
	EXPECT_EQ(5, peer_recv_part(link, 2 * longest));
}

/* --- padding -------------------- */

TEST_F(shape, padding_to_a_multiple)
{
	static const int sizes[] = { 1, 2, 16, 63, 64, 100, 1000, 4096, RECORD_CONTENT };
	struct link *link = &self->link;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		int size = sizes[i];

		ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_MULTIPLE, size));
		for (int len = 1; len < 2000; len = len * 3 + 1) {
			int padded = (len + size - 1) / size * size;

			ASSERT_EQ(0, send_pattern(link->fd, 0, len));
			ASSERT_EQ(len, peer_recv_part(link, 0));
			EXPECT_EQ(padded + 1, inner_len(link));
		}
		/* Exactly a multiple, and all of a record. */
		ASSERT_EQ(0, send_pattern(link->fd, 0, size));
		ASSERT_EQ(size, peer_recv_part(link, 0));
		EXPECT_EQ(size + 1, inner_len(link));
		ASSERT_EQ(0, send_pattern(link->fd, 0, RECORD_CONTENT - 1));
		ASSERT_EQ(RECORD_CONTENT - 1, peer_recv_part(link, 0));
		EXPECT_LE(inner_len(link), RECORD_CONTENT + 1);
		EXPECT_GE(inner_len(link), RECORD_CONTENT);
	}
	EXPECT_EQ(0, set_padding(link->fd, SIGNET_PADDING_NONE, 0));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	ASSERT_EQ(10, peer_recv_part(link, 0));
	EXPECT_EQ(10 + 1, inner_len(link));
}

TEST_F(shape, padding_to_a_fixed_size)
{
	static const int sizes[] = { 1, 100, 512, 5000, RECORD_CONTENT };
	struct link *link = &self->link;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_FIXED, sizes[i]));
		for (int len = 1; len <= RECORD_CONTENT; len = len * 2 + 1) {
			ASSERT_EQ(0, send_pattern(link->fd, 0, len));
			ASSERT_EQ(len, peer_recv_part(link, 0));
			EXPECT_EQ((len < sizes[i] ? sizes[i] : len) + 1, inner_len(link));
		}
	}
}

TEST_F(shape, padding_stays_within_record_max)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_MAX, 101));
	ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_MULTIPLE, 64));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	ASSERT_EQ(10, peer_recv_part(link, 0));
	EXPECT_EQ(64 + 1, inner_len(link));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 70));
	ASSERT_EQ(70, peer_recv_part(link, 0));
	EXPECT_EQ(101, inner_len(link));
	ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_FIXED, 4000));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 170));
	ASSERT_EQ(100, peer_recv_part(link, 0));
	EXPECT_EQ(101, inner_len(link));
	ASSERT_EQ(70, peer_recv_part(link, 100));
	EXPECT_EQ(101, inner_len(link));
}

TEST_F(shape, padding_of_messages_in_parts)
{
	struct link *link = &self->link;
	uint8_t bytes[30];

	pattern_fill(bytes, 0, sizeof(bytes));
	ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_MULTIPLE, 100));
	ASSERT_EQ(10, send(link->fd, bytes, 10, MSG_MORE));
	ASSERT_EQ(10, send(link->fd, bytes + 10, 10, MSG_MORE));
	ASSERT_EQ(10, send(link->fd, bytes + 20, 10, 0));
	ASSERT_EQ(30, peer_recv_part(link, 0));
	EXPECT_EQ(100 + 1, inner_len(link));
	/* Set while a record is open. */
	ASSERT_EQ(10, send(link->fd, bytes, 10, MSG_MORE));
	ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_FIXED, 3000));
	ASSERT_EQ(20, send(link->fd, bytes + 10, 20, 0));
	ASSERT_EQ(30, peer_recv_part(link, 0));
	EXPECT_EQ(3000 + 1, inner_len(link));
	ASSERT_EQ(30, send(link->fd, bytes, 30, MSG_MORE));
	ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_NONE, 0));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	ASSERT_EQ(30, peer_recv_part(link, 0));
	EXPECT_EQ(30 + 1, inner_len(link));
}

/* A record that is sealed with less room than its padding needs is not broken. */
TEST_F(shape, padding_that_grows_under_an_open_record)
{
	struct link *link = &self->link;
	uint8_t bytes[30];

	pattern_fill(bytes, 0, sizeof(bytes));
	ASSERT_EQ(30, send(link->fd, bytes, 30, MSG_MORE));
	ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_FIXED, RECORD_CONTENT));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	ASSERT_EQ(30, peer_recv_part(link, 0));
	EXPECT_GE(inner_len(link), 30 + 1);
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
}

TEST_F(shape, padding_is_for_data)
{
	struct link *link = &self->link;
	uint8_t content[RECORD_CONTENT], type;

	ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_FIXED, 1000));
	ASSERT_EQ(0, set_option(link->fd, SIGNET_REKEY, 0));
	ASSERT_EQ(5, peer_recv(link, &type, content));
	EXPECT_EQ(TYPE_HANDSHAKE, type);
	EXPECT_EQ(5 + 1, inner_len(link));
	ASSERT_EQ(0, record_keys_update(&link->from_fd));
	ASSERT_EQ(0, send(link->fd, "", 0, 0));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(2 + 1, inner_len(link));
}

TEST_F(shape, padding_checks_its_value)
{
	static const struct signet_padding bad[] = {
		{ 3, 100 },
		{ 65535, 100 },
		{ SIGNET_PADDING_NONE, 1 },
		{ SIGNET_PADDING_MULTIPLE, 0 },
		{ SIGNET_PADDING_FIXED, 0 },
		{ SIGNET_PADDING_FIXED, RECORD_CONTENT + 1 },
		{ SIGNET_PADDING_MULTIPLE, 65535 },
	};
	struct signet_padding padding;
	socklen_t len = sizeof(padding);
	struct link *link = &self->link;

	ASSERT_EQ(0, set_padding(link->fd, SIGNET_PADDING_MULTIPLE, 77));
	for (size_t i = 0; i < COUNT(bad); i++)
		EXPECT_ERRNO(EINVAL, set_padding(link->fd, bad[i].mode, bad[i].size));
	EXPECT_ERRNO(EINVAL, setsockopt(link->fd, SOL_SIGNET, SIGNET_PADDING, &padding, 3));
	EXPECT_ERRNO(EINVAL, setsockopt(link->fd, SOL_SIGNET, SIGNET_PADDING, &padding, 5));
	EXPECT_ERRNO(EFAULT, setsockopt(link->fd, SOL_SIGNET, SIGNET_PADDING, NULL, 4));
	ASSERT_EQ(0, getsockopt(link->fd, SOL_SIGNET, SIGNET_PADDING, &padding, &len));
	EXPECT_EQ(sizeof(padding), len);
	EXPECT_EQ(SIGNET_PADDING_MULTIPLE, padding.mode);
	EXPECT_EQ(77, padding.size);
}

/* Random lengths, flags and paddings: the stream is what it is. */
TEST_F(shape, padding_never_changes_the_data)
{
	struct random random = { 5 };
	struct link *link = &self->link;
	uint8_t bytes[3000];
	uint64_t total = 0;
	struct sink sink;

	ASSERT_EQ(0, sink_start(&sink, link));
	for (int i = 0; i < 400; i++) {
		size_t len = 1 + random_below(&random, sizeof(bytes));

		if (i % 5 == 0) {
			ASSERT_EQ(0, set_padding(link->fd, 1 + random_below(&random, 2),
						 1 + random_below(&random, 3000)));
		}
		pattern_fill(bytes, total, len);
		ASSERT_EQ(len, send(link->fd, bytes, len, random_below(&random, 2) ? MSG_MORE : 0));
		total += len;
	}
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	sink_join(&sink);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(total, sink.bytes);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
}

/* --- adaptive records -------------------- */

#define SEGMENT 1400

FIXTURE(adaptive)
{
	struct link link;
};

FIXTURE_SETUP(adaptive)
{
	link_segment = SEGMENT;
	ASSERT_EQ(0, link_up(&self->link, LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
}

FIXTURE_TEARDOWN(adaptive)
{
	link_close(&self->link);
}

/* The lengths on the wire of the records of @len bytes, first and longest. */
static int read_lengths(struct link *link, size_t len, size_t *first, size_t *longest)
{
	size_t total = 0, wire;
	int n;

	*first = 0;
	*longest = 0;
	while (total < len) {
		n = peer_recv_part(link, total);
		if (n <= 0)
			return -1;
		wire = RECORD_HEADER + link_body_len(link);
		if (!total)
			*first = wire;
		if (wire > *longest)
			*longest = wire;
		total += n;
	}
	return 0;
}

TEST_F(adaptive, records_fit_segments_at_first)
{
	struct link *link = &self->link;
	size_t first = 0, longest = 0;

	EXPECT_EQ(0, get_option(link->fd, SIGNET_ADAPTIVE_RECORDS));
	ASSERT_EQ(0, set_option(link->fd, SIGNET_ADAPTIVE_RECORDS, 1));
	EXPECT_EQ(1, get_option(link->fd, SIGNET_ADAPTIVE_RECORDS));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 20000));
	ASSERT_EQ(0, read_lengths(link, 20000, &first, &longest));
	EXPECT_LE(longest, SEGMENT);
	EXPECT_GT(first, SEGMENT / 2);
}

static int send_megabyte(struct worker *worker)
{
	struct link *link = worker->argument;

	return send_pattern(link->fd, 0, 1000000);
}

TEST_F(adaptive, records_grow_in_a_stream)
{
	struct link *link = &self->link;
	size_t first = 0, longest = 0;
	struct worker sender;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_ADAPTIVE_RECORDS, 1));
	ASSERT_EQ(0, worker_start(&sender, send_megabyte, link));
	EXPECT_EQ(0, read_lengths(link, 1000000, &first, &longest));
	EXPECT_EQ(0, worker_join(&sender));
	EXPECT_LE(first, SEGMENT);
	EXPECT_EQ(RECORD_CONTENT + RECORD_OVERHEAD, longest);
}

TEST_F(adaptive, off_means_full_records)
{
	struct link *link = &self->link;
	size_t first, longest;

	ASSERT_EQ(0, send_pattern(link->fd, 0, 20000));
	ASSERT_EQ(0, read_lengths(link, 20000, &first, &longest));
	EXPECT_EQ(RECORD_CONTENT + RECORD_OVERHEAD, first);
	ASSERT_EQ(0, set_option(link->fd, SIGNET_ADAPTIVE_RECORDS, 1));
	ASSERT_EQ(0, set_option(link->fd, SIGNET_ADAPTIVE_RECORDS, 0));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 20000));
	ASSERT_EQ(0, read_lengths(link, 20000, &first, &longest));
	EXPECT_EQ(RECORD_CONTENT + RECORD_OVERHEAD, first);
	EXPECT_ERRNO(EINVAL, set_option(link->fd, SIGNET_ADAPTIVE_RECORDS, 2));
	EXPECT_ERRNO(EINVAL, set_option(link->fd, SIGNET_RECORD_TYPES, 2));
}

TEST_F(adaptive, shorter_records_stay_within_record_max)
{
	struct link *link = &self->link;
	size_t first, longest;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_ADAPTIVE_RECORDS, 1));
	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_MAX, 200));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 3000));
	ASSERT_EQ(0, read_lengths(link, 3000, &first, &longest));
	EXPECT_EQ(RECORD_HEADER + 200 + RECORD_TAG, longest);
}

/* --- defaults of a namespace -------------------- */

TEST(defaults_shape_new_sockets)
{
	struct signet_padding padding;
	socklen_t len = sizeof(padding);
	struct link link;

	ASSERT_EQ(0, namespace_enter());
	EXPECT_EQ(0, default_get("record_max"));
	EXPECT_EQ(0, default_get("padding_mode"));
	EXPECT_EQ(0, default_get("adaptive_records"));
	ASSERT_EQ(0, default_set("record_max", "300"));
	ASSERT_EQ(0, default_set("padding_mode", "1"));
	ASSERT_EQ(0, default_set("padding_size", "100"));
	ASSERT_EQ(0, default_set("adaptive_records", "1"));
	ASSERT_EQ(0, link_up(&link, LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
	EXPECT_EQ(300, get_option(link.fd, SIGNET_RECORD_MAX));
	EXPECT_EQ(1, get_option(link.fd, SIGNET_ADAPTIVE_RECORDS));
	ASSERT_EQ(0, getsockopt(link.fd, SOL_SIGNET, SIGNET_PADDING, &padding, &len));
	EXPECT_EQ(SIGNET_PADDING_MULTIPLE, padding.mode);
	EXPECT_EQ(100, padding.size);
	ASSERT_EQ(0, send_pattern(link.fd, 0, 310));
	EXPECT_EQ(299, peer_recv_part(&link, 0));
	EXPECT_EQ(300, inner_len(&link));
	EXPECT_EQ(11, peer_recv_part(&link, 299));
	EXPECT_EQ(101, inner_len(&link));
	link_close(&link);
}

TEST(bad_defaults_are_refused)
{
	ASSERT_EQ(0, namespace_enter());
	EXPECT_ERRNO(EINVAL, default_set("record_max", "63"));
	EXPECT_ERRNO(EINVAL, default_set("record_max", "16386"));
	EXPECT_ERRNO(EINVAL, default_set("padding_mode", "3"));
	EXPECT_ERRNO(EINVAL, default_set("padding_size", "16385"));
	EXPECT_ERRNO(EINVAL, default_set("adaptive_records", "2"));
	EXPECT_EQ(0, default_get("record_max"));
	EXPECT_EQ(0, default_get("padding_mode"));
	EXPECT_EQ(0, default_set("record_max", "64"));
	EXPECT_EQ(0, default_set("record_max", "0"));
}

/* --- content types -------------------- */

/* A control message's room and one byte. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(1)];
};

static ssize_t send_typed(int fd, uint8_t type, const void *from, size_t len, int flags)
{
	union control control = { .header = { .cmsg_len = CMSG_LEN(1),
					      .cmsg_level = SOL_TLS,
					      .cmsg_type = TLS_SET_RECORD_TYPE } };
	struct iovec vec = { (void *)from, len };
	struct msghdr msg = { .msg_iov = &vec,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	*CMSG_DATA(&control.header) = type;
	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
}

/* *type: the content type that was told, or -1. */
static ssize_t recv_typed(int fd, void *to, size_t len, int flags, int *type)
{
	union control control = {};
	struct iovec vec = { to, len };
	struct msghdr msg = { .msg_iov = &vec,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, flags);

	*type = -1;
	if (n >= 0 && CMSG_FIRSTHDR(&msg) && control.header.cmsg_level == SOL_TLS &&
	    control.header.cmsg_type == TLS_GET_RECORD_TYPE)
		*type = *CMSG_DATA(&control.header);
	return n;
}

static const char ticket[] = "\4\0\0\3abc";
#define TICKET_LEN 7

TEST_F(records, types_are_told_when_wanted)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	int type;

	EXPECT_EQ(0, get_option(link->fd, SIGNET_RECORD_TYPES));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(10, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(-1, type);
	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_TYPES, 1));
	EXPECT_EQ(1, get_option(link->fd, SIGNET_RECORD_TYPES));
	ASSERT_EQ(0, peer_send_pattern(link, 10, 10, 10));
	EXPECT_EQ(10, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_DATA, type);
	EXPECT_TRUE(pattern_matches(bytes, 10, 10));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_pattern(link, 20, 10, 10));
	EXPECT_EQ(2, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_ALERT, type);
	EXPECT_EQ(0, memcmp(bytes, "\1\132", 2));
	EXPECT_EQ(10, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_DATA, type);
	EXPECT_EQ(1, sock_info_now(link->fd).rx_warnings);
}

TEST_F(shape, messages_are_told_after_they_were_acted_on)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	int type;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_TYPES, 1));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, TICKET_LEN));
	ASSERT_EQ(0, peer_send_update(link, true));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	/* A message tells of data, too, as far as its type. */
	EXPECT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	EXPECT_EQ(TICKET_LEN, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_HANDSHAKE, type);
	EXPECT_EQ(0, memcmp(bytes, ticket, TICKET_LEN));
	EXPECT_EQ(1, sock_info_now(link->fd).tickets);
	EXPECT_EQ(5, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_HANDSHAKE, type);
	EXPECT_EQ(0, memcmp(bytes, "\30\0\0\1\1", 5));
	EXPECT_EQ(1, sock_info_now(link->fd).rx_key_updates);
	EXPECT_EQ(10, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_DATA, type);
	link->follows_updates = true;
	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 10));
	EXPECT_EQ(1, link->updates);
}

TEST_F(records, a_message_is_of_one_type)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	int type;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_TYPES, 1));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 20, 10));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_pattern(link, 20, 10, 10));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(20, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_DATA, type);
	/* Each alert for itself, and in parts. */
	EXPECT_EQ(1, recv_typed(link->fd, bytes, 1, 0, &type));
	EXPECT_EQ(TYPE_ALERT, type);
	EXPECT_EQ(1, bytes[0]);
	EXPECT_EQ(1, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_ALERT, type);
	EXPECT_EQ(ALERT_USER_CANCELED, bytes[0]);
	EXPECT_EQ(2, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_ALERT, type);
	EXPECT_EQ(10, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_DATA, type);
}

TEST_F(records, other_reads_pass_over_control_records)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	int type;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_TYPES, 1));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_pattern(link, 10, 10, 10));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 20));
	EXPECT_TRUE(nothing_to_read(link));
	/* Switched off while one waits. */
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_TYPES, 0));
	ASSERT_EQ(0, peer_send_pattern(link, 20, 10, 10));
	EXPECT_EQ(10, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(-1, type);
	EXPECT_TRUE(pattern_matches(bytes, 20, 10));
}

TEST_F(records, peek_tells_the_type_too)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	int type;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_TYPES, 1));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(2, recv_typed(link->fd, bytes, sizeof(bytes), MSG_PEEK, &type));
		EXPECT_EQ(TYPE_ALERT, type);
	}
	EXPECT_EQ(2, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(10, recv_typed(link->fd, bytes, sizeof(bytes), MSG_PEEK, &type));
	EXPECT_EQ(TYPE_DATA, type);
	EXPECT_EQ(10, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_DATA, type);
}

TEST_F(records, close_notify_is_told_then_end_of_file)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	int type;

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_TYPES, 1));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	EXPECT_EQ(2, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
	EXPECT_EQ(TYPE_ALERT, type);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, recv_typed(link->fd, bytes, sizeof(bytes), 0, &type));
}

TEST_F(records, alerts_may_be_sent)
{
	struct link *link = &self->link;

	ASSERT_EQ(4, send(link->fd, "open", 4, MSG_MORE));
	ASSERT_EQ(2, send_typed(link->fd, TYPE_ALERT, "\1\132", 2, 0));
	/* Behind what came before. */
	uint8_t content[RECORD_CONTENT], type;
	ASSERT_EQ(4, peer_recv(link, &type, content));
	EXPECT_EQ(0, memcmp(content, "open", 4));
	EXPECT_EQ(ALERT_WARNING << 8 | ALERT_USER_CANCELED, peer_recv_alert(link));
	EXPECT_EQ(ALERT_WARNING << 8 | ALERT_USER_CANCELED, sock_info_now(link->fd).alert_sent);
	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 10));
}

TEST_F(records, close_notify_may_be_sent)
{
	struct link *link = &self->link;

	ASSERT_EQ(2, send_typed(link->fd, TYPE_ALERT, "\1\0", 2, 0));
	EXPECT_ERRNO(EPIPE, send(link->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERRNO(EPIPE, send_typed(link->fd, TYPE_ALERT, "\1\0", 2, 0));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_TRUE(peer_saw_nothing(link));
	EXPECT_EQ(SIGNET_DIRECTION_CLOSED, sock_info_now(link->fd).tx_state);
	/* Once. */
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
}

TEST_F(records, nothing_comes_behind_a_fatal_alert)
{
	struct link *link = &self->link;

	ASSERT_EQ(2, send_typed(link->fd, TYPE_ALERT, "\2\120", 2, 0));
	EXPECT_ERRNO(EPIPE, send(link->fd, "x", 1, MSG_NOSIGNAL));
	close(link->fd);
	link->fd = -1;
	EXPECT_EQ(FATAL(ALERT_INTERNAL_ERROR), peer_recv_alert(link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
}

TEST_F(records, unknown_types_may_be_sent)
{
	uint8_t content[RECORD_CONTENT], type;
	struct link *link = &self->link;

	for (int given = 24; given < 256; given += 77) {
		ASSERT_EQ(7, send_typed(link->fd, given, "content", 7, 0));
		ASSERT_EQ(7, peer_recv(link, &type, content));
		EXPECT_EQ(given, type);
		EXPECT_EQ(0, memcmp(content, "content", 7));
	}
	ASSERT_EQ(4, send_typed(link->fd, TYPE_DATA, "data", 4, 0));
	ASSERT_EQ(4, peer_recv(link, &type, content));
	EXPECT_EQ(TYPE_DATA, type);
	/* Data has been counted, the rest has not. */
	EXPECT_EQ(4, sock_info_now(link->fd).tx_bytes);
}

TEST_F(records, types_that_may_not_be_sent)
{
	static const uint8_t bad[] = { 0, 1, 19, TYPE_CHANGE_CIPHER, TYPE_HANDSHAKE };
	struct link *link = &self->link;

	for (size_t i = 0; i < COUNT(bad); i++)
		EXPECT_ERRNO(EINVAL, send_typed(link->fd, bad[i], "\30\0\0\1\0", 5, 0));
	/* An alert is two bytes, in a record of its own (RFC 8446 5.1). */
	EXPECT_ERRNO(EINVAL, send_typed(link->fd, TYPE_ALERT, "\1", 1, 0));
	EXPECT_ERRNO(EINVAL, send_typed(link->fd, TYPE_ALERT, "\1\0\1", 3, 0));
	EXPECT_ERRNO(EINVAL, send_typed(link->fd, TYPE_ALERT, "\1\0", 2, MSG_MORE));
	EXPECT_ERRNO(EINVAL, send_typed(link->fd, 99, "x", 1, MSG_MORE));
	EXPECT_ERRNO(EFAULT, send_typed(link->fd, TYPE_ALERT, NULL, 2, 0));
	EXPECT_TRUE(peer_saw_nothing(link));
	EXPECT_EQ(0, sock_info_now(link->fd).tx_records);
	EXPECT_EQ(0, sock_info_now(link->fd).alert_sent);
	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 10));
}

TEST_F(records, control_messages_are_checked)
{
	union control control = { .header = { .cmsg_level = SOL_TLS,
					      .cmsg_type = TLS_SET_RECORD_TYPE } };
	struct iovec vec = { "data", 4 };
	struct msghdr msg = { .msg_iov = &vec,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct link *link = &self->link;

	*CMSG_DATA(&control.header) = TYPE_DATA;
	for (size_t len = 0; len < CMSG_LEN(1); len++) {
		control.header.cmsg_len = len;
		EXPECT_EQ(-1, sendmsg(link->fd, &msg, 0));
	}
	control.header.cmsg_len = sizeof(control) + 100;
	EXPECT_ERRNO(EINVAL, sendmsg(link->fd, &msg, 0));
	control.header.cmsg_len = CMSG_LEN(1);
	control.header.cmsg_type = TLS_GET_RECORD_TYPE;
	EXPECT_ERRNO(EINVAL, sendmsg(link->fd, &msg, 0));
	EXPECT_TRUE(peer_saw_nothing(link));
	control.header.cmsg_type = TLS_SET_RECORD_TYPE;
	EXPECT_EQ(4, sendmsg(link->fd, &msg, 0));
	uint8_t content[RECORD_CONTENT], type;
	EXPECT_EQ(4, peer_recv(link, &type, content));
	EXPECT_EQ(TYPE_DATA, type);
}

/* --- tickets -------------------- */

static int send_ticket(struct link *link, const void *body, size_t len, size_t piece)
{
	uint8_t message[4 + 2 * RECORD_CONTENT] = { MESSAGE_NEW_SESSION_TICKET, len >> 16, len >> 8,
						    len };
	size_t n;

	memcpy(message + 4, body, len);
	for (size_t i = 0; i < len + 4; i += n) {
		n = len + 4 - i < piece ? len + 4 - i : piece;
		if (peer_send(link, TYPE_HANDSHAKE, message + i, n))
			return -1;
	}
	return 0;
}

/* Tickets are noticed when somebody reads. Return: was there nothing else? */
static bool take_tickets(struct link *link)
{
	return nothing_to_read(link);
}

/* Return: the ticket's length, or -1. */
static int get_ticket(int fd, void *to, size_t room)
{
	socklen_t len = room;

	return getsockopt(fd, SOL_SIGNET, SIGNET_TICKET, to, &len) ? -1 : (int)len;
}

TEST_F(shape, tickets_are_kept_in_order)
{
	struct link *link = &self->link;
	uint8_t bytes[100];

	EXPECT_ERRNO(ENODATA, get_ticket(link->fd, bytes, sizeof(bytes)));
	ASSERT_EQ(0, send_ticket(link, "first", 5, 100));
	ASSERT_EQ(0, send_ticket(link, "second one", 10, 100));
	EXPECT_TRUE(take_tickets(link));
	EXPECT_EQ(2, sock_info_now(link->fd).tickets);
	EXPECT_EQ(5, get_ticket(link->fd, bytes, sizeof(bytes)));
	EXPECT_EQ(0, memcmp(bytes, "first", 5));
	EXPECT_EQ(1, sock_info_now(link->fd).tickets);
	EXPECT_EQ(10, get_ticket(link->fd, bytes, sizeof(bytes)));
	EXPECT_EQ(0, memcmp(bytes, "second one", 10));
	EXPECT_ERRNO(ENODATA, get_ticket(link->fd, bytes, sizeof(bytes)));
	EXPECT_EQ(0, sock_info_now(link->fd).tickets);
}

TEST_F(shape, tickets_are_bounded_and_the_oldest_goes)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	uint8_t i;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, send_ticket(link, &i, 1, 100));
	EXPECT_TRUE(take_tickets(link));
	EXPECT_EQ(SIGNET_TICKETS_KEPT, sock_info_now(link->fd).tickets);
	for (i = 100 - SIGNET_TICKETS_KEPT; i < 100; i++) {
		EXPECT_EQ(1, get_ticket(link->fd, bytes, sizeof(bytes)));
		EXPECT_EQ(i, bytes[0]);
	}
	EXPECT_ERRNO(ENODATA, get_ticket(link->fd, bytes, sizeof(bytes)));
}

TEST_F(shape, tickets_survive_a_bad_buffer)
{
	struct link *link = &self->link;
	uint8_t bytes[100];
	socklen_t len;

	ASSERT_EQ(0, send_ticket(link, "the ticket", 10, 100));
	ASSERT_EQ(0, send_ticket(link, "another", 7, 100));
	EXPECT_TRUE(take_tickets(link));
	for (size_t room = 0; room < 10; room++) {
		len = room;
		memset(bytes, 'x', sizeof(bytes));
		EXPECT_ERRNO(EMSGSIZE,
			     getsockopt(link->fd, SOL_SIGNET, SIGNET_TICKET, bytes, &len));
		EXPECT_EQ(10, len);
		EXPECT_EQ('x', bytes[0]);
	}
	len = sizeof(bytes);
	EXPECT_ERRNO(EFAULT, getsockopt(link->fd, SOL_SIGNET, SIGNET_TICKET, NULL, &len));
	EXPECT_ERRNO(EFAULT,
		     syscall(SYS_getsockopt, link->fd, SOL_SIGNET, SIGNET_TICKET, bytes, NULL));
	len = -1;
	EXPECT_ERRNO(EINVAL, getsockopt(link->fd, SOL_SIGNET, SIGNET_TICKET, bytes, &len));
	EXPECT_EQ(2, sock_info_now(link->fd).tickets);
	EXPECT_EQ(10, get_ticket(link->fd, bytes, 10));
	EXPECT_EQ(0, memcmp(bytes, "the ticket", 10));
	EXPECT_EQ(7, get_ticket(link->fd, bytes, 7));
}

TEST_F(shape, tickets_are_put_together)
{
	struct link *link = &self->link;
	uint8_t body[SIGNET_TICKET_MAX], bytes[SIGNET_TICKET_MAX];

	for (size_t piece = 1; piece < 1000; piece = piece * 5 + 2) {
		pattern_fill(body, piece, 300);
		ASSERT_EQ(0, send_ticket(link, body, 300, piece));
		EXPECT_TRUE(take_tickets(link));
		EXPECT_EQ(300, get_ticket(link->fd, bytes, sizeof(bytes)));
		EXPECT_EQ(0, memcmp(bytes, body, 300));
	}
	/* Two in a record, and the second goes on in the next. */
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\4\0\0\3one\4\0\0\3t", 12));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "wo", 2));
	EXPECT_TRUE(take_tickets(link));
	EXPECT_EQ(3, get_ticket(link->fd, bytes, sizeof(bytes)));
	EXPECT_EQ(0, memcmp(bytes, "one", 3));
	EXPECT_EQ(3, get_ticket(link->fd, bytes, sizeof(bytes)));
	EXPECT_EQ(0, memcmp(bytes, "two", 3));
}

TEST_F(shape, ticket_that_is_too_long_is_passed_over)
{
	uint8_t body[2 * RECORD_CONTENT - 4] = { 7 }, bytes[SIGNET_TICKET_MAX + 1];
	struct link *link = &self->link;

	ASSERT_EQ(0, send_ticket(link, body, SIGNET_TICKET_MAX + 1, RECORD_CONTENT));
	ASSERT_EQ(0, send_ticket(link, body, sizeof(body), RECORD_CONTENT));
	EXPECT_TRUE(take_tickets(link));
	EXPECT_EQ(0, sock_info_now(link->fd).tickets);
	ASSERT_EQ(0, send_ticket(link, body, SIGNET_TICKET_MAX, RECORD_CONTENT));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	EXPECT_EQ(SIGNET_TICKET_MAX, get_ticket(link->fd, bytes, sizeof(bytes)));
	EXPECT_EQ(0, memcmp(bytes, body, SIGNET_TICKET_MAX));
}

TEST_F(shape, unfinished_ticket_is_none)
{
	struct link *link = &self->link;
	uint8_t bytes[10];

	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\4\0\0\4abc", 7));
	EXPECT_TRUE(take_tickets(link));
	EXPECT_ERRNO(ENODATA, get_ticket(link->fd, bytes, sizeof(bytes)));
	close(link->fd);
	link->fd = -1;
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
}

TEST_F(shape, tickets_are_a_clients)
{
	static const struct {
		int role;
		int error;
	} roles[] = { { SIGNET_ROLE_UNKNOWN, EAGAIN }, { SIGNET_ROLE_SERVER, EBADMSG } };
	uint8_t bytes[10];

	for (size_t i = 0; i < COUNT(roles); i++) {
		struct link link;

		ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
		ASSERT_EQ(0, link_attach(&link));
		link.keys.role = roles[i].role;
		ASSERT_EQ(0, link_install(&link));
		ASSERT_EQ(0, send_ticket(&link, "ticket", 6, 100));
		wait_delivered(link.peer, link.fd);
		EXPECT_ERRNO(roles[i].error, recv(link.fd, bytes, 1, MSG_DONTWAIT));
		EXPECT_ERRNO(ENODATA, get_ticket(link.fd, bytes, sizeof(bytes)));
		if (roles[i].error == EBADMSG)
			EXPECT_EQ(FATAL(ALERT_UNEXPECTED_MESSAGE), peer_recv_alert(&link));
		link_close(&link);
	}
}

TEST_F(shape, tickets_outlive_the_end)
{
	struct link *link = &self->link;
	uint8_t bytes[10];

	ASSERT_EQ(0, send_ticket(link, "last", 4, 100));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	EXPECT_EQ(0, recv(link->fd, bytes, 1, 0));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(4, get_ticket(link->fd, bytes, sizeof(bytes)));
	EXPECT_EQ(0, memcmp(bytes, "last", 4));
}

/* --- MSG_PEEK -------------------- */

TEST_F(records, peek_sees_many_records)
{
	struct link *link = &self->link;
	uint8_t bytes[2000];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 2000, 90));
	wait_delivered(link->peer, link->fd);
	for (size_t len = 1; len <= sizeof(bytes); len += 111) {
		memset(bytes, 0, sizeof(bytes));
		EXPECT_EQ(len, recv(link->fd, bytes, len, MSG_PEEK));
		EXPECT_TRUE(pattern_matches(bytes, 0, len));
	}
	/* From within a record. */
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_EQ(1900, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK));
	EXPECT_TRUE(pattern_matches(bytes, 100, 1900));
	EXPECT_EQ(1900, recv(link->fd, NULL, sizeof(bytes), MSG_PEEK | MSG_TRUNC));
	EXPECT_EQ(0, recv_pattern(link->fd, 100, 1900));
	EXPECT_TRUE(nothing_to_read(link));
}

TEST_F(records, peek_changes_no_counter)
{
	struct link *link = &self->link;
	uint8_t bytes[500];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 500, 100));
	wait_delivered(link->peer, link->fd);
	for (int i = 0; i < 10; i++)
		ASSERT_EQ(500, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK));
	/* The first record is open, the others are not. */
	EXPECT_EQ(1, sock_info_now(link->fd).rx_records);
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 500));
	EXPECT_EQ(5, sock_info_now(link->fd).rx_records);
	EXPECT_EQ(500, sock_info_now(link->fd).rx_bytes);
}

TEST_F(records, peek_passes_over_empty_records)
{
	struct link *link = &self->link;
	uint8_t bytes[200];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, peer_send(link, TYPE_DATA, NULL, 0));
	ASSERT_EQ(0, peer_send_pattern(link, 100, 100, 50));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(200, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK));
	EXPECT_TRUE(pattern_matches(bytes, 0, 200));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 200));
}

static int peek_all(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[300];
	ssize_t n = recv(link->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_WAITALL);

	if (n != sizeof(bytes))
		return -1;
	/* Where in the stream are they? */
	for (int i = 0; i < 400; i++) {
		if (pattern_matches(bytes, i, sizeof(bytes)))
			return i;
	}
	return -2;
}

static int peek_some(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[300];

	return recv(link->fd, bytes, sizeof(bytes), MSG_PEEK);
}

static int peer_sends_much(struct worker *worker)
{
	return peer_send_pattern(worker->argument, 0, 200000, 5000);
}

TEST_F(records, peek_waits_for_all)
{
	struct link *link = &self->link;
	struct worker peeker;

	ASSERT_EQ(0, worker_start(&peeker, peek_all, link));
	worker_wait_blocked(&peeker, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 30));
	wait_delivered(link->peer, link->fd);
	worker_wait_blocked(&peeker, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_pattern(link, 100, 200, 30));
	EXPECT_EQ(0, worker_join(&peeker));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 300));
}

TEST_F(records, peek_begins_again_when_data_was_taken)
{
	static const size_t taken[] = { 1, 29, 30, 50, 60, 100 };

	for (size_t i = 0; i < COUNT(taken); i++) {
		struct worker peeker;
		struct link link;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		ASSERT_EQ(0, peer_send_pattern(&link, 0, 100, 30));
		wait_delivered(link.peer, link.fd);
		ASSERT_EQ(0, worker_start(&peeker, peek_all, &link));
		worker_wait_blocked(&peeker, SYS_recvfrom);
		ASSERT_EQ(0, recv_pattern(link.fd, 0, taken[i]));
		ASSERT_EQ(0, peer_send_pattern(&link, 100, 200 + taken[i], 70));
		EXPECT_EQ(taken[i], worker_join(&peeker));
		EXPECT_EQ(0, recv_pattern(link.fd, taken[i], 300));
		link_close(&link);
	}
}

TEST_F(records, peek_ends_before_a_bad_record)
{
	struct link *link = &self->link;
	uint8_t bytes[300];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	link->to_fd.sequence++;
	ASSERT_EQ(0, peer_send_pattern(link, 100, 100, 50));
	wait_delivered(link->peer, link->fd);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(100, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK));
		EXPECT_TRUE(pattern_matches(bytes, 0, 100));
	}
	EXPECT_EQ(100, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, sock_info_now(link->fd).state);
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_ERRNO(EBADMSG, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK));
	EXPECT_EQ(FATAL(ALERT_BAD_RECORD_MAC), peer_recv_alert(link));
}

TEST_F(records, peek_ends_at_truncation)
{
	struct link *link = &self->link;
	uint8_t bytes[300];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, peer_fin(link));
	wait_state(link->fd, STATE_CLOSE_WAIT);
	EXPECT_EQ(100, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_ERRNO(ECONNABORTED, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_WAITALL));
}

static int peek_while_it_lasts(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[300];

	return recv(link->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_WAITALL);
}

TEST_F(records, sleeping_peek_ends_at_truncation)
{
	struct link *link = &self->link;
	struct worker peeker;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, worker_start(&peeker, peek_while_it_lasts, link));
	worker_wait_blocked(&peeker, SYS_recvfrom);
	ASSERT_EQ(0, peer_fin(link));
	EXPECT_EQ(100, worker_join(&peeker));
}

TEST_F(records, sleeping_peek_ends_at_a_reset)
{
	struct link *link = &self->link;
	struct worker peeker;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, worker_start(&peeker, peek_while_it_lasts, link));
	worker_wait_blocked(&peeker, SYS_recvfrom);
	peer_reset(link);
	EXPECT_EQ(100, worker_join(&peeker));
}

/* More than the receive buffer ever holds: TCP's window is closed. */
TEST_F(records, peek_beyond_the_buffer_does_not_hang)
{
	struct link *link = &self->link;
	size_t len = 10000000;
	uint8_t *bytes = malloc(len);
	struct worker sender;
	ssize_t n;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_RCVBUF, 20000));
	ASSERT_EQ(0, worker_start(&sender, peer_sends_much, link));
	n = recv(link->fd, bytes, len, MSG_PEEK | MSG_WAITALL);
	EXPECT_GT(n, 0);
	EXPECT_TRUE(pattern_matches(bytes, 0, n));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 200000));
	EXPECT_EQ(0, worker_join(&sender));
	free(bytes);
}

TEST_F(records, peek_obeys_rcvlowat)
{
	struct link *link = &self->link;
	struct worker peeker;
	uint8_t bytes[300];

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_RCVLOWAT, 200));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	wait_delivered(link->peer, link->fd);
	ASSERT_EQ(0, worker_start(&peeker, peek_some, link));
	worker_wait_blocked(&peeker, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_pattern(link, 100, 100, 100));
	EXPECT_EQ(200, worker_join(&peeker));
	EXPECT_EQ(200, recv(link->fd, bytes, sizeof(bytes), 0));
}

TEST_F(records, peek_ends_before_close_notify)
{
	struct link *link = &self->link;
	uint8_t bytes[300];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(100, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK));
	EXPECT_EQ(0, recv(link->fd, bytes, sizeof(bytes), 0));
}

TEST_F(shape, peek_passes_over_tickets)
{
	struct link *link = &self->link;
	uint8_t bytes[300];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, send_ticket(link, "ticket", 6, 100));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_pattern(link, 100, 200, 50));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(300, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK));
	EXPECT_TRUE(pattern_matches(bytes, 0, 300));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 300));
}

TEST_F(shape, peek_passes_over_key_updates)
{
	struct link *link = &self->link;
	uint8_t bytes[300];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 50));
	ASSERT_EQ(0, peer_send_update(link, false));
	ASSERT_EQ(0, peer_send_pattern(link, 100, 200, 50));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(300, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_WAITALL));
	EXPECT_TRUE(pattern_matches(bytes, 0, 300));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 300));
}

TEST_F(records, peek_offset_is_refused)
{
	EXPECT_ERRNO(EOPNOTSUPP, set_int_option(self->link.fd, SOL_SOCKET, SO_PEEK_OFF, 0));
}

/* --- MSG_ZEROCOPY -------------------- */

struct notification {
	uint32_t first;
	uint32_t last;
	bool copied;
};

/* Return: 0, or -1 with errno. */
static int read_notification(int fd, struct notification *notification)
{
	char control[200];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err error;
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	errno = EBADMSG;
	if (!cmsg || !((cmsg->cmsg_level == SOL_IP && cmsg->cmsg_type == IP_RECVERR) ||
		       (cmsg->cmsg_level == SOL_IPV6 && cmsg->cmsg_type == IPV6_RECVERR)))
		return -1;
	memcpy(&error, CMSG_DATA(cmsg), sizeof(error));
	if (error.ee_origin != SO_EE_ORIGIN_ZEROCOPY || error.ee_errno)
		return -1;
	notification->first = error.ee_info;
	notification->last = error.ee_data;
	notification->copied = error.ee_code & SO_EE_CODE_ZEROCOPY_COPIED;
	return 0;
}

/* Reads notifications until there is none. Return: calls that they are for, in order, or -1. */
static int count_notifications(int fd, uint32_t from)
{
	struct notification notification;
	uint32_t next = from;

	while (!read_notification(fd, &notification)) {
		if (notification.first != next || notification.last < next || !notification.copied)
			return -1;
		next = notification.last + 1;
	}
	return errno == EAGAIN ? (int)(next - from) : -1;
}

TEST_F(records, zerocopy_notifies_each_call)
{
	static const size_t lens[] = { 1, 100, 5000, 16384, 16385, 70000 };
	struct notification notification;
	struct link *link = &self->link;
	uint8_t *bytes = malloc(70000);

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	for (size_t i = 0; i < COUNT(lens); i++) {
		pattern_fill(bytes, 0, lens[i]);
		ASSERT_EQ(lens[i], send(link->fd, bytes, lens[i], MSG_ZEROCOPY));
		/* From here on they are the caller's again. */
		memset(bytes, 0, lens[i]);
		EXPECT_EQ(POLLERR, poll_wait(link->fd, 0));
		ASSERT_EQ(0, read_notification(link->fd, &notification));
		EXPECT_EQ(i, notification.first);
		EXPECT_EQ(i, notification.last);
		EXPECT_TRUE(notification.copied);
		EXPECT_ERRNO(EAGAIN, read_notification(link->fd, &notification));
		EXPECT_EQ(0, poll_now(link->fd, 0));
		EXPECT_EQ(0, peer_recv_pattern(link, 0, lens[i]));
	}
	free(bytes);
}

TEST_F(records, zerocopy_notifications_wait)
{
	struct link *link = &self->link;
	uint8_t bytes[1000];

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	for (int i = 0; i < 50; i++) {
		pattern_fill(bytes, 1000 * i, 1000);
		ASSERT_EQ(1000, send(link->fd, bytes, 1000, MSG_ZEROCOPY | (i % 3 ? MSG_MORE : 0)));
		/* Those without the flag have no number. */
		ASSERT_EQ(0, send(link->fd, bytes, 0, MSG_ZEROCOPY));
	}
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 50000));
	EXPECT_EQ(50, count_notifications(link->fd, 0));
}

TEST_F(records, zerocopy_with_a_full_buffer)
{
	struct link *link = &self->link;
	uint8_t bytes[20000];
	size_t total = 0;
	int calls = 0;
	ssize_t n;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 30000));
	do {
		pattern_fill(bytes, total, sizeof(bytes));
		n = send(link->fd, bytes, sizeof(bytes), MSG_ZEROCOPY | MSG_DONTWAIT);
		if (n > 0) {
			total += n;
			calls++;
		}
	} while (n > 0);
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(calls, count_notifications(link->fd, 0));
	/* The failed call has no number: the next one has it. */
	EXPECT_EQ(0, peer_recv_pattern(link, 0, total));
	ASSERT_EQ(1, send(link->fd, "x", 1, MSG_ZEROCOPY));
	EXPECT_EQ(1, count_notifications(link->fd, calls));
}

TEST_F(records, zerocopy_that_fails_notifies_nobody)
{
	struct notification notification;
	struct link *link = &self->link;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	EXPECT_ERRNO(EFAULT, send(link->fd, (void *)8, 100, MSG_ZEROCOPY));
	EXPECT_ERRNO(EAGAIN, read_notification(link->fd, &notification));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_ERRNO(EPIPE, send(link->fd, "x", 1, MSG_ZEROCOPY | MSG_NOSIGNAL));
	EXPECT_ERRNO(EAGAIN, read_notification(link->fd, &notification));
}

/* As TCP: the flag alone does nothing. */
TEST_F(records, zerocopy_needs_the_socket_option)
{
	struct notification notification;
	struct link *link = &self->link;
	uint8_t bytes[1000];

	pattern_fill(bytes, 0, 1000);
	ASSERT_EQ(1000, send(link->fd, bytes, 1000, MSG_ZEROCOPY));
	EXPECT_ERRNO(EAGAIN, read_notification(link->fd, &notification));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 1000));
	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 10));
	EXPECT_ERRNO(EAGAIN, read_notification(link->fd, &notification));
}

TEST_F(records, zerocopy_of_a_control_record)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	EXPECT_ERRNO(EINVAL, send_typed(link->fd, TYPE_HANDSHAKE, "\0\0\0\0", 4, MSG_ZEROCOPY));
	ASSERT_EQ(2, send_typed(link->fd, TYPE_ALERT, "\1\132", 2, MSG_ZEROCOPY));
	EXPECT_EQ(1, count_notifications(link->fd, 0));
	EXPECT_EQ(ALERT_WARNING << 8 | ALERT_USER_CANCELED, peer_recv_alert(link));
}

/* --- several at once -------------------- */

TEST_F(records, sendmmsg_of_several_types)
{
	union control control = { .header = { .cmsg_len = CMSG_LEN(1),
					      .cmsg_level = SOL_TLS,
					      .cmsg_type = TLS_SET_RECORD_TYPE } };
	struct iovec vec[3] = { { "data", 4 }, { "\1\132", 2 }, { "more", 4 } };
	struct mmsghdr messages[3] = {};
	uint8_t content[RECORD_CONTENT], type;
	struct link *link = &self->link;

	for (int i = 0; i < 3; i++) {
		messages[i].msg_hdr.msg_iov = &vec[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	*CMSG_DATA(&control.header) = TYPE_ALERT;
	messages[1].msg_hdr.msg_control = &control;
	messages[1].msg_hdr.msg_controllen = sizeof(control);
	EXPECT_EQ(3, sendmmsg(link->fd, messages, 3, 0));
	EXPECT_EQ(4, peer_recv(link, &type, content));
	EXPECT_EQ(ALERT_WARNING << 8 | ALERT_USER_CANCELED, peer_recv_alert(link));
	EXPECT_EQ(4, peer_recv(link, &type, content));
	EXPECT_EQ(0, memcmp(content, "more", 4));
}

TEST_F(records, recvmmsg_of_several_types)
{
	union control control[4] = {};
	struct mmsghdr messages[4] = {};
	struct link *link = &self->link;
	struct iovec vec[4];
	uint8_t bytes[4][50];

	ASSERT_EQ(0, set_option(link->fd, SIGNET_RECORD_TYPES, 1));
	for (int i = 0; i < 4; i++) {
		vec[i] = (struct iovec){ bytes[i], sizeof(bytes[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &vec[i],
						       .msg_iovlen = 1,
						       .msg_control = &control[i],
						       .msg_controllen = sizeof(control[i]) };
	}
	ASSERT_EQ(0, peer_send_pattern(link, 0, 70, 70));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_pattern(link, 70, 10, 10));
	wait_delivered(link->peer, link->fd);
	ASSERT_EQ(4, recvmmsg(link->fd, messages, 4, 0, NULL));
	EXPECT_EQ(50, messages[0].msg_len);
	EXPECT_EQ(20, messages[1].msg_len);
	EXPECT_EQ(2, messages[2].msg_len);
	EXPECT_EQ(10, messages[3].msg_len);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i == 2 ? TYPE_ALERT : TYPE_DATA, *CMSG_DATA(&control[i].header));
	EXPECT_TRUE(pattern_matches(bytes[1], 50, 20));
}

TEST_F(records, tee_keeps_what_splice_brought)
{
	struct link *link = &self->link;
	int from[2], to[2];
	uint8_t bytes[500];

	ASSERT_EQ(0, pipe(from));
	ASSERT_EQ(0, pipe(to));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 500, 100));
	wait_delivered(link->peer, link->fd);
	ASSERT_EQ(500, splice(link->fd, NULL, from[1], NULL, 500, 0));
	ASSERT_EQ(500, tee(from[0], to[1], 500, 0));
	/* What goes back out was never changed by the sealing. */
	ASSERT_EQ(500, splice(from[0], NULL, link->fd, NULL, 500, 0));
	ASSERT_EQ(500, read(to[0], bytes, sizeof(bytes)));
	EXPECT_TRUE(pattern_matches(bytes, 0, 500));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 500));
	for (int i = 0; i < 2; i++) {
		close(from[i]);
		close(to[i]);
	}
}

TEST_HARNESS_MAIN
