// SPDX-License-Identifier: GPL-2.0-only
/*
 * Application data through every ordinary call, both ways: no byte lost,
 * repeated or reordered, and nothing but records on the wire.
 */
#include "fixture.h"

#include <sys/sendfile.h>

#include "calls.h"

TLS_FIXTURE(data, link_up);
TLS_ALL_VARIANTS(data);

/* What does not depend on keys or addresses. */
TLS_FIXTURE(flags, link_up);
TLS_TWO_VARIANTS(flags);

/* Around everything that a record's or a page's length could break. */
static const size_t odd_sizes[] = {
	1,     2,     15,    16,    17,	   255,	  256,	 257,	4050,  4074,   4075,
	4095,  4096,  4097,  8192,  16361, 16362, 16363, 16367, 16368, 16383,  16384,
	16385, 16406, 32767, 32768, 32769, 49152, 65535, 65536, 65537, 100000,
};

/* --- sizes -------------------- */

static int recv_all_by_peer(struct worker *worker)
{
	struct link *link = worker->argument;
	struct sink sink;

	sink_run(&sink, link);
	return sink.intact && sink.end == PEER_FIN && sink.alert == CLOSE_NOTIFY ? (int)sink.bytes :
										   -1;
}

TEST_F(data, tx_odd_sizes)
{
	struct worker reader;
	size_t total = 0;

	ASSERT_EQ(0, worker_start(&reader, recv_all_by_peer, &self->link));
	for (size_t i = 0; i < COUNT(odd_sizes); i++) {
		uint8_t *bytes = malloc(odd_sizes[i]);

		pattern_fill(bytes, total, odd_sizes[i]);
		EXPECT_EQ(odd_sizes[i], send(self->link.fd, bytes, odd_sizes[i], 0));
		total += odd_sizes[i];
		free(bytes);
	}
	ASSERT_EQ(0, shutdown(self->link.fd, SHUT_WR));
	EXPECT_EQ(total, worker_join(&reader));
}

TEST_F(data, tx_records_are_full)
{
	uint8_t bytes[40000], content[RECORD_CONTENT], type;

	pattern_fill(bytes, 0, sizeof(bytes));
	ASSERT_EQ(40000, send(self->link.fd, bytes, 40000, 0));
	EXPECT_EQ(RECORD_CONTENT, peer_recv(&self->link, &type, content));
	EXPECT_EQ(RECORD_CONTENT, peer_recv(&self->link, &type, content));
	EXPECT_EQ(40000 - 2 * RECORD_CONTENT, peer_recv(&self->link, &type, content));
}

/* Return: bytes in records of all odd sizes that fit one. */
static int odd_total(void)
{
	int total = 0;

	for (size_t i = 0; i < COUNT(odd_sizes) && odd_sizes[i] <= RECORD_CONTENT; i++)
		total += odd_sizes[i];
	return total;
}

static int send_odd_records(struct worker *worker)
{
	struct link *link = worker->argument;
	uint64_t offset = 0;

	for (size_t i = 0; i < COUNT(odd_sizes) && odd_sizes[i] <= RECORD_CONTENT; i++) {
		if (peer_send_pattern(link, offset, odd_sizes[i], RECORD_CONTENT))
			return -1;
		offset += odd_sizes[i];
	}
	return 0;
}

/* Records and readers of all sizes against each other. */
TEST_F(data, rx_odd_sizes)
{
	static const size_t reads[] = { 100, 1000, 4096, 16383, 16384, 16385, 40000, 100000 };
	struct link *link = &self->link;
	uint8_t *bytes = malloc(100000);

	for (size_t i = 0; i < COUNT(reads); i++) {
		struct worker sender;
		int total = 0;

		ASSERT_EQ(0, worker_start(&sender, send_odd_records, link));
		while (total < odd_total()) {
			ssize_t n = recv(link->fd, bytes, reads[i], 0);

			ASSERT_GT(n, 0);
			ASSERT_TRUE(pattern_matches(bytes, total, n));
			total += n;
		}
		EXPECT_EQ(0, worker_join(&sender));
		EXPECT_EQ(odd_total(), total);
	}
	free(bytes);
}

TEST_F(data, rx_byte_by_byte)
{
	struct link *link = &self->link;
	uint8_t byte;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 500, 123));
	for (int i = 0; i < 500; i++) {
		ASSERT_EQ(1, recv(link->fd, &byte, 1, 0));
		ASSERT_TRUE(pattern_matches(&byte, i, 1));
	}
}

TEST_F(data, rx_many_records_in_one_call)
{
	struct link *link = &self->link;
	uint8_t bytes[5000];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 5000, 100));
	wait_received(link->fd, 5000 + 50 * RECORD_OVERHEAD);
	EXPECT_EQ(5000, recv(link->fd, bytes, 5000, 0));
	EXPECT_TRUE(pattern_matches(bytes, 0, 5000));
}

TEST_F(data, tx_many_small_writes)
{
	struct link *link = &self->link;
	uint8_t bytes[3000];

	pattern_fill(bytes, 0, sizeof(bytes));
	for (int i = 0; i < 1000; i++)
		ASSERT_EQ(3, write(link->fd, bytes + 3 * i, 3));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 3000));
}

TEST_F(data, rx_padded_records)
{
	static const size_t paddings[] = { 0, 1, 2, 15, 16, 100, 4096, 16000, 16383 };
	struct link *link = &self->link;
	uint8_t bytes[256];
	size_t total = 0;

	for (size_t i = 0; i < COUNT(paddings); i++) {
		pattern_fill(bytes, total, 100);
		ASSERT_EQ(0, peer_send_padded(link, TYPE_DATA, bytes, 100, paddings[i]));
		total += 100;
	}
	/* The longest of all: full content, and zeros up to 2^14 + 256 - tag. */
	uint8_t content[RECORD_CONTENT];

	pattern_fill(content, total, sizeof(content));
	ASSERT_EQ(0, peer_send_padded(link, TYPE_DATA, content, sizeof(content),
				      RECORD_BODY - RECORD_TAG - RECORD_CONTENT - 1));
	total += sizeof(content);
	EXPECT_EQ(0, recv_pattern(link->fd, 0, total));
}

TEST_F(data, rx_data_that_ends_in_zeros)
{
	struct link *link = &self->link;
	uint8_t zeros[1000] = {}, bytes[1000];

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_send_padded(link, TYPE_DATA, zeros, 1000 - i, i));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1000 - i, recv(link->fd, bytes, 1000 - i, MSG_WAITALL));
		EXPECT_EQ(0, memcmp(bytes, zeros, 1000 - i));
	}
}

/* --- every call -------------------- */

TEST_F(data, every_call_sends)
{
	static const size_t sizes[] = { 2, 5000, 17000, 40000 };
	struct link *link = &self->link;
	uint8_t bytes[40000];

	for (const struct send_call *call = send_calls; call->name; call++) {
		for (size_t i = 0; i < COUNT(sizes); i++) {
			pattern_fill(bytes, i, sizes[i]);
			ASSERT_EQ(sizes[i], call->call(link->fd, bytes, sizes[i]))
			{
				TH_LOG("%s, %zu bytes: %s", call->name, sizes[i], strerror(errno));
			}
			ASSERT_EQ(0, peer_recv_pattern(link, i, sizes[i]))
			{
				TH_LOG("%s, %zu bytes", call->name, sizes[i]);
			}
		}
	}
}

TEST_F(data, every_call_receives)
{
	static const size_t sizes[] = { 2, 5000, 16384, 40000 };
	struct link *link = &self->link;
	uint8_t bytes[40000];

	for (const struct recv_call *call = recv_calls; call->name; call++) {
		for (size_t i = 0; i < COUNT(sizes); i++) {
			size_t done = 0;

			ASSERT_EQ(0, peer_send_pattern(link, 0, sizes[i], 9000));
			ASSERT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
			while (done < sizes[i]) {
				ssize_t n = call->call(link->fd, bytes + done, sizes[i] - done);

				ASSERT_GT(n, 0)
				{
					TH_LOG("%s, %zu: %s", call->name, sizes[i],
					       strerror(errno));
				}
				done += n;
			}
			ASSERT_TRUE(pattern_matches(bytes, 0, sizes[i]))
			{
				TH_LOG("%s, %zu bytes", call->name, sizes[i]);
			}
		}
	}
}

TEST_F(flags, writev_and_readv_with_many_pieces)
{
	struct iovec out[300], in[300];
	struct link *link = &self->link;
	uint8_t from[300 * 151], to[300 * 151];
	size_t n, total = 0;

	pattern_fill(from, 0, sizeof(from));
	for (n = 0; n < 300; n++) {
		out[n].iov_base = from + total;
		out[n].iov_len = n % 150;
		in[n].iov_base = to + total;
		in[n].iov_len = n % 150;
		total += n % 150;
	}
	ASSERT_EQ(total, writev(link->fd, out, 300));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, total));
	ASSERT_EQ(0, peer_send_pattern(link, 0, total, 700));
	wait_received(link->fd, total + (total / 700 + 1) * RECORD_OVERHEAD);
	EXPECT_EQ(total, readv(link->fd, in, 300));
	EXPECT_EQ(0, memcmp(from, to, total));
}

TEST_F(flags, sendmmsg_and_recvmmsg)
{
	struct link *link = &self->link;
	struct mmsghdr messages[8] = {};
	struct iovec vec[8];
	uint8_t bytes[8000];

	pattern_fill(bytes, 0, sizeof(bytes));
	for (int i = 0; i < 8; i++) {
		vec[i] = (struct iovec){ bytes + 1000 * i, 1000 };
		messages[i].msg_hdr.msg_iov = &vec[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(8, sendmmsg(link->fd, messages, 8, 0));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 8000));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 8000, 500));
	wait_received(link->fd, 8000 + 16 * RECORD_OVERHEAD);
	memset(bytes, 0, sizeof(bytes));
	ASSERT_EQ(8, recvmmsg(link->fd, messages, 8, 0, NULL));
	EXPECT_TRUE(pattern_matches(bytes, 0, 8000));
}

/* --- flags of send -------------------- */

TEST_F(flags, empty_send_is_nothing)
{
	struct link *link = &self->link;

	EXPECT_EQ(0, send(link->fd, NULL, 0, 0));
	EXPECT_EQ(0, send(link->fd, "", 0, MSG_MORE));
	EXPECT_EQ(0, writev(link->fd, NULL, 0));
	EXPECT_TRUE(peer_saw_nothing(link));
	EXPECT_EQ(0, send_pattern(link->fd, 0, 10));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 10));
	EXPECT_EQ(1, link->from_fd.sequence);
}

TEST_F(flags, msg_more_fills_one_record)
{
	struct link *link = &self->link;
	uint8_t bytes[1000], content[RECORD_CONTENT], type;

	pattern_fill(bytes, 0, sizeof(bytes));
	for (int i = 0; i < 9; i++)
		ASSERT_EQ(100, send(link->fd, bytes + 100 * i, 100, MSG_MORE));
	EXPECT_TRUE(peer_saw_nothing(link));
	ASSERT_EQ(100, send(link->fd, bytes + 900, 100, 0));
	EXPECT_EQ(1000, peer_recv(link, &type, content));
	EXPECT_TRUE(pattern_matches(content, 0, 1000));
}

TEST_F(flags, msg_more_over_many_records)
{
	struct link *link = &self->link;
	uint8_t bytes[1234];
	size_t total = 0;

	for (int i = 0; i < 60; i++) {
		pattern_fill(bytes, total, sizeof(bytes));
		ASSERT_EQ(sizeof(bytes), send(link->fd, bytes, sizeof(bytes), MSG_MORE));
		total += sizeof(bytes);
	}
	ASSERT_EQ(0, send(link->fd, NULL, 0, 0));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, total));
	EXPECT_EQ((total + RECORD_CONTENT - 1) / RECORD_CONTENT, link->from_fd.sequence);
}

TEST_F(flags, msg_eor_ends_a_record)
{
	struct link *link = &self->link;
	uint8_t content[RECORD_CONTENT], type;

	ASSERT_EQ(3, send(link->fd, "abc", 3, MSG_MORE));
	ASSERT_EQ(3, send(link->fd, "def", 3, MSG_MORE | MSG_EOR));
	EXPECT_EQ(6, peer_recv(link, &type, content));
	ASSERT_EQ(3, send(link->fd, "ghi", 3, MSG_EOR));
	EXPECT_EQ(3, peer_recv(link, &type, content));
}

TEST_F(flags, msg_more_of_exactly_one_record_is_sent)
{
	struct link *link = &self->link;
	uint8_t bytes[RECORD_CONTENT], type;

	pattern_fill(bytes, 0, sizeof(bytes));
	ASSERT_EQ(RECORD_CONTENT, send(link->fd, bytes, RECORD_CONTENT, MSG_MORE));
	/* TCP may hold it back for more. */
	ASSERT_EQ(0, send(link->fd, NULL, 0, 0));
	ASSERT_EQ(1, send(link->fd, "x", 1, 0));
	EXPECT_EQ(RECORD_CONTENT, peer_recv(link, &type, bytes));
	EXPECT_EQ(1, peer_recv(link, &type, bytes));
}

TEST_F(flags, other_flags_send_or_refuse)
{
	static const int flags[] = {
		MSG_DONTWAIT, MSG_NOSIGNAL, MSG_WAITALL,   MSG_CONFIRM, MSG_EOR,
		MSG_OOB,      MSG_FASTOPEN, MSG_DONTROUTE, MSG_BATCH,	MSG_ZEROCOPY,
		MSG_SYN,      MSG_RST,	    MSG_PEEK,
	};
	struct link *link = &self->link;
	uint8_t bytes[100];
	size_t total = 0;

	for (size_t i = 0; i < COUNT(flags); i++) {
		pattern_fill(bytes, total, 100);
		if (send(link->fd, bytes, 100, flags[i] | MSG_DONTWAIT) == 100) {
			total += 100;
		} else {
			EXPECT_EQ(EOPNOTSUPP, errno)
			{
				TH_LOG("flag %#x", flags[i]);
			}
		}
	}
	EXPECT_GE(total, 500);
	EXPECT_EQ(0, peer_recv_pattern(link, 0, total));
}

TEST_F(flags, unknown_control_messages_are_refused)
{
	struct iovec vec = { "data", 4 };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(1)];
	} control = { .header = { .cmsg_len = CMSG_LEN(1), .cmsg_level = 282, .cmsg_type = 1 } };
	struct msghdr msg = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	/* Upstream's way to send another content type must not become data. */
	EXPECT_EQ(-1, sendmsg(self->link.fd, &msg, 0));
	EXPECT_TRUE(peer_saw_nothing(&self->link));
}

/* --- flags of recv -------------------- */

TEST_F(flags, peek_leaves_the_data)
{
	struct link *link = &self->link;
	uint8_t bytes[1000];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 1000));
	for (int i = 1; i <= 1000; i += 111) {
		EXPECT_EQ(i, recv(link->fd, bytes, i, MSG_PEEK));
		EXPECT_TRUE(pattern_matches(bytes, 0, i));
	}
	EXPECT_EQ(100, recv(link->fd, bytes, 100, 0));
	EXPECT_EQ(900, recv(link->fd, bytes, 1000, MSG_PEEK));
	EXPECT_TRUE(pattern_matches(bytes, 100, 900));
	EXPECT_EQ(0, recv_pattern(link->fd, 100, 900));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, bytes, 1, MSG_PEEK | MSG_DONTWAIT));
}

TEST_F(flags, trunc_discards)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 300));
	wait_received(link->fd, 1000 + 4 * RECORD_OVERHEAD);
	EXPECT_EQ(450, recv(link->fd, NULL, 450, MSG_TRUNC));
	EXPECT_EQ(0, recv_pattern(link->fd, 450, 550));
}

static int recv_waitall(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[30000];
	ssize_t n = recv(link->fd, bytes, sizeof(bytes), MSG_WAITALL);

	return n >= 0 && pattern_matches(bytes, 0, n) ? n : -1;
}

TEST_F(flags, waitall_waits_for_all)
{
	struct link *link = &self->link;
	struct worker reader;

	ASSERT_EQ(0, worker_start(&reader, recv_waitall, link));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 29999, 1000));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_pattern(link, 29999, 2, 1000));
	EXPECT_EQ(30000, worker_join(&reader));
	EXPECT_EQ(0, recv_pattern(link->fd, 30000, 1));
}

TEST_F(flags, waitall_ends_at_close_notify)
{
	struct link *link = &self->link;
	struct worker reader;

	ASSERT_EQ(0, worker_start(&reader, recv_waitall, link));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	EXPECT_EQ(100, worker_join(&reader));
	EXPECT_EQ(0, recv(link->fd, &reader, 1, 0));
}

TEST_F(flags, waitall_ends_at_truncation)
{
	struct link *link = &self->link;
	struct worker reader;
	uint8_t byte;

	ASSERT_EQ(0, worker_start(&reader, recv_waitall, link));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, peer_fin(link));
	EXPECT_EQ(100, worker_join(&reader));
	EXPECT_ERRNO(ECONNABORTED, recv(link->fd, &byte, 1, 0));
}

TEST_F(flags, dontwait_without_data)
{
	struct link *link = &self->link;
	uint8_t byte;

	EXPECT_ERRNO(EAGAIN, recv(link->fd, &byte, 1, MSG_DONTWAIT));
	set_nonblocking(link->fd, true);
	EXPECT_ERRNO(EAGAIN, read(link->fd, &byte, 1));
	/* Half a record is not data either. */
	ASSERT_EQ(0, peer_send_raw(link, "\x17\x03\x03\x00\x20 half", 10));
	wait_received(link->fd, 10);
	EXPECT_ERRNO(EAGAIN, read(link->fd, &byte, 1));
	EXPECT_EQ(0, poll_now(link->fd, POLLIN));
}

TEST_F(flags, recv_of_nothing)
{
	struct link *link = &self->link;
	uint8_t byte;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	ASSERT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	EXPECT_EQ(0, recv(link->fd, &byte, 0, 0));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 10));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, &byte, 1, MSG_DONTWAIT));
}

TEST_F(flags, recvmsg_says_nothing_else)
{
	struct link *link = &self->link;
	struct sockaddr_storage name;
	char bytes[10], control[100];
	struct iovec vec = { bytes, sizeof(bytes) };
	struct msghdr msg = {
		.msg_name = &name,
		.msg_namelen = sizeof(name),
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
		.msg_flags = -1,
	};

	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	ASSERT_EQ(10, recvmsg(link->fd, &msg, 0));
	EXPECT_EQ(0, msg.msg_controllen);
	EXPECT_EQ(0, msg.msg_namelen);
	EXPECT_EQ(0, msg.msg_flags & ~MSG_CMSG_CLOEXEC);
}

/* --- counting -------------------- */

TEST_F(flags, siocinq_counts_plaintext)
{
	struct link *link = &self->link;
	int n = -1;

	ASSERT_EQ(0, ioctl(link->fd, SIOCINQ, &n));
	EXPECT_EQ(0, n);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 500, 500));
	ASSERT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	ASSERT_EQ(0, ioctl(link->fd, SIOCINQ, &n));
	EXPECT_EQ(500, n);
	ASSERT_EQ(0, recv_pattern(link->fd, 0, 200));
	ASSERT_EQ(0, ioctl(link->fd, SIOCINQ, &n));
	EXPECT_EQ(300, n);
	ASSERT_EQ(0, peer_send_pattern(link, 500, 100, 100));
	wait_received(link->fd, 600 + 2 * RECORD_OVERHEAD);
	ASSERT_EQ(0, ioctl(link->fd, SIOCINQ, &n));
	EXPECT_EQ(400, n);
	ASSERT_EQ(0, recv_pattern(link->fd, 200, 400));
	ASSERT_EQ(0, ioctl(link->fd, SIOCINQ, &n));
	EXPECT_EQ(0, n);
}

TEST_F(flags, rcvlowat_with_many_small_records)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_RCVLOWAT, 100));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 99, 1));
	wait_received(link->fd, 99 * (1 + RECORD_OVERHEAD));
	EXPECT_EQ(0, poll_now(link->fd, POLLIN));
	ASSERT_EQ(0, peer_send_pattern(link, 99, 1, 1));
	EXPECT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
}

static int recv_some(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t bytes[1000];

	return recv(link->fd, bytes, sizeof(bytes), 0);
}

TEST_F(flags, rcvlowat_blocks_recv)
{
	struct link *link = &self->link;
	struct worker reader;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_RCVLOWAT, 500));
	ASSERT_EQ(0, worker_start(&reader, recv_some, link));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 499, 100));
	worker_wait_blocked(&reader, SYS_recvfrom);
	ASSERT_EQ(0, peer_send_pattern(link, 499, 1, 100));
	EXPECT_EQ(500, worker_join(&reader));
}

/* Overhead and a ticket must not count. */
TEST_F(flags, rcvlowat_is_in_plaintext)
{
	struct link *link = &self->link;
	uint8_t ticket[200] = { MESSAGE_NEW_SESSION_TICKET, 0, 0, 196 };

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_RCVLOWAT, 100));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 90, 90));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)));
	wait_received(link->fd, 90 + 200 + 2 * RECORD_OVERHEAD);
	if (poll_now(link->fd, POLLIN)) {
		/* An upper bound while the ticket is not opened: but never a blocked read. */
		EXPECT_EQ(0, recv_pattern(link->fd, 0, 90));
		return;
	}
	ASSERT_EQ(0, peer_send_pattern(link, 90, 10, 10));
	EXPECT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
}

TEST_F(flags, rcvlowat_beyond_the_buffer_does_not_hang)
{
	struct link *link = &self->link;
	uint8_t bytes[1000] = {};

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_RCVBUF, 20000));
	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_RCVLOWAT, 1 << 20));
	set_nonblocking(link->peer, true);
	while (!peer_send(link, TYPE_DATA, bytes, sizeof(bytes)))
		;
	EXPECT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
}

/* --- splice and sendfile -------------------- */

static int pattern_file(size_t len)
{
	int file = memfd_create("pattern", MFD_CLOEXEC);
	uint8_t *bytes = malloc(len);

	pattern_fill(bytes, 0, len);
	if (write(file, bytes, len) != (ssize_t)len || lseek(file, 0, SEEK_SET))
		file = -1;
	free(bytes);
	return file;
}

TEST_F(data, sendfile_of_a_file)
{
	size_t len = 1000003, done = 0;
	int file = pattern_file(len);
	struct worker reader;

	ASSERT_EQ(0, worker_start(&reader, recv_all_by_peer, &self->link));
	while (done < len) {
		/* Sometimes more than there is. */
		ssize_t n = sendfile(self->link.fd, file, NULL, 300000);

		ASSERT_GT(n, 0);
		done += n;
	}
	EXPECT_EQ(len, done);
	EXPECT_EQ(0, sendfile(self->link.fd, file, NULL, 1));
	ASSERT_EQ(0, shutdown(self->link.fd, SHUT_WR));
	EXPECT_EQ(len, worker_join(&reader));
	close(file);
}

TEST_F(flags, sendfile_past_the_end_is_flushed)
{
	int file = pattern_file(10000);

	EXPECT_EQ(10000, sendfile(self->link.fd, file, NULL, 1 << 20));
	EXPECT_EQ(0, peer_recv_pattern(&self->link, 0, 10000));
	close(file);
}

TEST_F(flags, sendfile_does_not_change_the_file)
{
	int file = pattern_file(100000);
	uint8_t *bytes = mmap(NULL, 100000, PROT_READ, MAP_SHARED, file, 0);

	ASSERT_NE(MAP_FAILED, bytes);
	ASSERT_EQ(100000, sendfile(self->link.fd, file, NULL, 100000));
	EXPECT_EQ(0, peer_recv_pattern(&self->link, 0, 100000));
	EXPECT_TRUE(pattern_matches(bytes, 0, 100000));
	close(file);
}

/* Ciphertext that the peer sends from a file lies in the page cache: it is not decrypted there. */
TEST_F(flags, received_pages_are_not_written)
{
	struct link *link = &self->link;
	uint8_t records[5 * RECORD_BUFFER], content[RECORD_CONTENT];
	int file = memfd_create("records", MFD_CLOEXEC);
	uint8_t *mapped;
	size_t len = 0;

	for (int i = 0; i < 5; i++) {
		pattern_fill(content, i * sizeof(content), sizeof(content));
		len += record_seal(&link->to_fd, TYPE_DATA, content, sizeof(content), 0,
				   records + len);
	}
	ASSERT_EQ(len, write(file, records, len));
	ASSERT_EQ(0, lseek(file, 0, SEEK_SET));
	mapped = mmap(NULL, len, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_EQ(len, sendfile(link->peer, file, NULL, len));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 5 * sizeof(content)));
	EXPECT_EQ(0, memcmp(mapped, records, len));
	close(file);
}

TEST_F(flags, splice_more_fills_records)
{
	struct link *link = &self->link;
	uint8_t bytes[20000];
	int ends[2];

	pattern_fill(bytes, 0, sizeof(bytes));
	ASSERT_EQ(0, pipe(ends));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(1000, write(ends[1], bytes + 1000 * i, 1000));
		ASSERT_EQ(1000,
			  splice(ends[0], NULL, link->fd, NULL, 1000, i < 19 ? SPLICE_F_MORE : 0));
	}
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 20000));
	close(ends[0]);
	close(ends[1]);
}

TEST_F(data, splice_out_in_odd_pieces)
{
	struct link *link = &self->link;
	uint8_t bytes[65536];
	size_t total = 0;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 50000, 7000));
	while (total < 50000) {
		ssize_t n = splice(link->fd, NULL, ends[1], NULL, 1 + total % 5000, 0);

		ASSERT_GT(n, 0);
		ASSERT_EQ(n, read(ends[0], bytes, n));
		ASSERT_TRUE(pattern_matches(bytes, total, n));
		total += n;
	}
	set_nonblocking(link->fd, true);
	EXPECT_ERRNO(EAGAIN, splice(link->fd, NULL, ends[1], NULL, 1, 0));
	close(ends[0]);
	close(ends[1]);
}

/* The pipe takes less than the record holds: the rest stays. */
TEST_F(flags, splice_out_to_a_full_pipe)
{
	struct link *link = &self->link;
	uint8_t bytes[RECORD_CONTENT];
	size_t total = 0;
	int ends[2];

	ASSERT_EQ(0, pipe2(ends, O_NONBLOCK));
	ASSERT_EQ(4096, fcntl(ends[1], F_SETPIPE_SZ, 4096));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 40000, RECORD_CONTENT));
	ASSERT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	while (total < 40000) {
		ssize_t n = splice(link->fd, NULL, ends[1], NULL, 40000, SPLICE_F_NONBLOCK);

		ASSERT_GT(n, 0);
		EXPECT_ERRNO(EAGAIN, splice(link->fd, NULL, ends[1], NULL, 1, SPLICE_F_NONBLOCK));
		ASSERT_EQ(n, read(ends[0], bytes, sizeof(bytes)));
		ASSERT_TRUE(pattern_matches(bytes, total, n));
		total += n;
	}
	close(ends[0]);
	close(ends[1]);
}

/* --- both ends with the module -------------------- */

struct transfer {
	int fd;
	size_t len;
};

static int transfer_send(struct worker *worker)
{
	struct transfer *transfer = worker->argument;

	if (send_pattern(transfer->fd, 0, transfer->len))
		return -1;
	return shutdown(transfer->fd, SHUT_WR);
}

FIXTURE(bulk)
{
	int fds[2];
};

FIXTURE_VARIANT(bulk)
{
	enum link_family family;
	uint16_t suite;
	size_t len;
};

FIXTURE_VARIANT_ADD(bulk, aes128_ipv4_64m){
	.family = LINK_IPV4,
	.suite = SIGNET_AES_128_GCM_SHA256,
	.len = 64 << 20,
};

FIXTURE_VARIANT_ADD(bulk, aes256_ipv6_5m){
	.family = LINK_IPV6,
	.suite = SIGNET_AES_256_GCM_SHA384,
	.len = 5000011,
};

FIXTURE_SETUP(bulk)
{
	ASSERT_EQ(0, signet_pair(variant->family, variant->suite, self->fds));
}

FIXTURE_TEARDOWN(bulk)
{
	close(self->fds[0]);
	close(self->fds[1]);
}

static void transfer_one_way(struct __test_metadata *_metadata, int from, int to, size_t len)
{
	struct transfer transfer = { from, len };
	struct signet_info info;
	struct worker sender;
	uint8_t byte;

	ASSERT_EQ(0, worker_start(&sender, transfer_send, &transfer));
	EXPECT_EQ(0, recv_pattern(to, 0, len));
	EXPECT_EQ(0, recv(to, &byte, 1, 0));
	EXPECT_EQ(0, worker_join(&sender));
	ASSERT_EQ(0, sock_info(to, &info));
	EXPECT_EQ(len, info.rx_bytes);
}

TEST_F_TIMEOUT(bulk, one_way_and_back, 120)
{
	transfer_one_way(_metadata, self->fds[0], self->fds[1], variant->len);
	transfer_one_way(_metadata, self->fds[1], self->fds[0], variant->len);
}

TEST_F_TIMEOUT(bulk, both_ways_at_once, 120)
{
	struct transfer there = { self->fds[0], variant->len / 8 };
	struct transfer back = { self->fds[1], variant->len / 8 };
	struct worker senders[2];
	uint8_t byte;

	ASSERT_EQ(0, worker_start(&senders[0], transfer_send, &there));
	ASSERT_EQ(0, worker_start(&senders[1], transfer_send, &back));
	for (size_t done = 0; done < there.len;) {
		size_t n = there.len - done < 100000 ? there.len - done : 100000;

		ASSERT_EQ(0, recv_pattern(self->fds[1], done, n));
		ASSERT_EQ(0, recv_pattern(self->fds[0], done, n));
		done += n;
	}
	EXPECT_EQ(0, recv(self->fds[0], &byte, 1, 0));
	EXPECT_EQ(0, recv(self->fds[1], &byte, 1, 0));
	EXPECT_EQ(0, worker_join(&senders[0]));
	EXPECT_EQ(0, worker_join(&senders[1]));
}

TEST_HARNESS_MAIN
