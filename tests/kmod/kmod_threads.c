// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several threads on one socket.
 */
#include "fixture.h"

#include <sched.h>

TLS_FIXTURE(threads, link_up);
TLS_TWO_VARIANTS(threads);

#define WORKERS 4

/* --- readers -------------------- */

#define UNITS 20000

/* Each reader takes whole units of 4 bytes, each with its number, and marks them. */
struct readers {
	int fd;
	uint8_t seen[UNITS];
};

static int read_units(struct worker *worker)
{
	struct readers *readers = worker->argument;
	uint32_t units[1000];
	ssize_t n;
	int count = 0;

	while ((n = recv(readers->fd, units, sizeof(units), 0)) > 0) {
		for (size_t i = 0; i < n / sizeof(units[0]); i++) {
			if (n % sizeof(units[0]) || units[i] >= UNITS)
				return -1;
			__atomic_add_fetch(&readers->seen[units[i]], 1, __ATOMIC_RELAXED);
			count++;
		}
	}
	return n ? -1 : count;
}

TEST_F(threads, each_byte_goes_to_one_reader)
{
	struct readers *readers = calloc(1, sizeof(*readers));
	struct worker workers[WORKERS];
	struct link *link = &self->link;
	uint32_t units[100];
	int total = 0;

	readers->fd = link->fd;
	for (int i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, worker_start(&workers[i], read_units, readers));
	for (uint32_t unit = 0; unit < UNITS;) {
		for (int i = 0; i < 100; i++)
			units[i] = unit++;
		ASSERT_EQ(0, peer_send(link, TYPE_DATA, units, sizeof(units)));
	}
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	/* The end of file is for each of them. */
	for (int i = 0; i < WORKERS; i++) {
		int n = worker_join(&workers[i]);

		EXPECT_GE(n, 0);
		total += n;
	}
	EXPECT_EQ(UNITS, total);
	for (int i = 0; i < UNITS; i++)
		ASSERT_EQ(1, readers->seen[i]);
	free(readers);
}

/* Numbers that follow each other, which is what anybody may see of the stream. */
static bool are_consecutive(const uint32_t *units, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (units[i] != units[0] + i)
			return false;
	}
	return true;
}

static int peek_units(struct worker *worker)
{
	int fd = *(int *)worker->argument;
	uint32_t units[250];
	int peeks = 0;
	ssize_t n;

	for (;;) {
		n = recv(fd, units, sizeof(units), MSG_PEEK | (peeks % 2 ? MSG_WAITALL : 0));
		if (n <= 0)
			return n ? -1 : peeks;
		if (n % sizeof(*units) || !are_consecutive(units, n / sizeof(*units)))
			return -2;
		peeks++;
	}
}

/* Two look ahead while two read, and the peer changes its keys. */
TEST_F(threads, peekers_see_the_stream_as_it_is)
{
	struct readers *readers = calloc(1, sizeof(*readers));
	struct worker peekers[2], workers[2];
	struct link *link = &self->link;
	uint32_t units[100];
	int total = 0;

	readers->fd = link->fd;
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, worker_start(&peekers[i], peek_units, &link->fd));
		ASSERT_EQ(0, worker_start(&workers[i], read_units, readers));
	}
	for (uint32_t unit = 0; unit < UNITS;) {
		for (int i = 0; i < 100; i++)
			units[i] = unit++;
		ASSERT_EQ(0, peer_send(link, TYPE_DATA, units, sizeof(units)));
		if (unit % 700 == 0)
			ASSERT_EQ(0, peer_send_update(link, false));
		if (unit % 500 == 0)
			ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, "\4\0\0\1\0", 5));
	}
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	for (int i = 0; i < 2; i++) {
		int n = worker_join(&workers[i]);

		EXPECT_GE(n, 0);
		total += n;
		EXPECT_GE(worker_join(&peekers[i]), 0);
	}
	EXPECT_EQ(UNITS, total);
	for (int i = 0; i < UNITS; i++)
		ASSERT_EQ(1, readers->seen[i]);
	free(readers);
}

static int read_once(struct worker *worker)
{
	uint8_t bytes[100];

	return recv(*(int *)worker->argument, bytes, sizeof(bytes), 0);
}

TEST_F(threads, failure_reaches_every_reader)
{
	struct worker workers[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, worker_start(&workers[i], read_once, &self->link.fd));
	for (int i = 0; i < WORKERS; i++)
		worker_wait_blocked(&workers[i], SYS_recvfrom);
	ASSERT_EQ(0, peer_send_raw(&self->link, "\27\3\4\0\40", 5));
	for (int i = 0; i < WORKERS; i++) {
		EXPECT_EQ(-1, worker_join(&workers[i]));
		EXPECT_EQ(EPROTONOSUPPORT, errno);
	}
}

TEST_F(threads, truncation_reaches_every_reader)
{
	struct worker workers[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, worker_start(&workers[i], read_once, &self->link.fd));
	for (int i = 0; i < WORKERS; i++)
		worker_wait_blocked(&workers[i], SYS_recvfrom);
	ASSERT_EQ(0, peer_fin(&self->link));
	for (int i = 0; i < WORKERS; i++) {
		EXPECT_EQ(-1, worker_join(&workers[i]));
		EXPECT_EQ(ECONNABORTED, errno);
	}
}

/* Four sleep, one record comes at a time: one of them gets it, none is forgotten. */
TEST_F(threads, one_record_for_each_sleeping_reader)
{
	struct worker workers[WORKERS];
	int total = 0;

	for (int i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, worker_start(&workers[i], read_once, &self->link.fd));
	for (int i = 0; i < WORKERS; i++)
		worker_wait_blocked(&workers[i], SYS_recvfrom);
	while (total < 100 * WORKERS) {
		ASSERT_EQ(0, peer_send_pattern(&self->link, 0, 100, 100));
		total += 100;
	}
	/* Those that found nothing left see the end. */
	ASSERT_EQ(0, peer_send_alert(&self->link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	for (int i = 0; i < WORKERS; i++) {
		int n = worker_join(&workers[i]);

		EXPECT_TRUE(n == 100 || n == 0);
		total -= n;
	}
	for (int n; (n = read_once(&(struct worker){ .argument = &self->link.fd })) > 0;)
		total -= n;
	EXPECT_EQ(0, total);
}

/* --- writers -------------------- */

struct writer {
	int fd;
	uint8_t id;
	int messages;
};

/* Messages of 1 to 16384 bytes: id, length in two bytes, then the id again and again. */
static int write_messages(struct worker *worker)
{
	struct writer *writer = worker->argument;
	struct random random = { 1000 + writer->id };
	uint8_t bytes[RECORD_CONTENT];

	memset(bytes, writer->id, sizeof(bytes));
	for (int i = 0; i < writer->messages; i++) {
		size_t len = 3 + random_below(&random, sizeof(bytes) - 2);

		bytes[1] = len >> 8;
		bytes[2] = len;
		if (send(writer->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
			return -1;
	}
	return 0;
}

/* The peer reads @len bytes, over records as they come. */
struct stream {
	struct link *link;
	uint8_t content[RECORD_CONTENT];
	int at;
	int have;
};

static int stream_read(struct stream *stream, uint8_t *to, int len)
{
	uint8_t type;

	while (len) {
		int n = stream->have - stream->at < len ? stream->have - stream->at : len;

		memcpy(to, stream->content + stream->at, n);
		stream->at += n;
		to += n;
		len -= n;
		if (!len)
			break;
		stream->have = peer_recv(stream->link, &type, stream->content);
		stream->at = 0;
		if (stream->have < 0 || type != TYPE_DATA)
			return -1;
	}
	return 0;
}

TEST_F(threads, small_messages_of_writers_stay_whole)
{
	struct stream stream = { .link = &self->link };
	struct worker workers[WORKERS];
	struct writer writers[WORKERS];
	int counts[WORKERS] = {};
	uint8_t bytes[65536];

	set_int_option(self->link.fd, SOL_SOCKET, SO_SNDBUF, 60000);
	for (int i = 0; i < WORKERS; i++) {
		writers[i] = (struct writer){ self->link.fd, i + 1, 50 };
		ASSERT_EQ(0, worker_start(&workers[i], write_messages, &writers[i]));
	}
	for (int i = 0; i < WORKERS * 50; i++) {
		int id, len;

		ASSERT_EQ(0, stream_read(&stream, bytes, 3));
		id = bytes[0];
		len = bytes[1] << 8 | bytes[2];
		ASSERT_TRUE(id >= 1 && id <= WORKERS);
		ASSERT_TRUE(len >= 3 && len <= RECORD_CONTENT);
		ASSERT_EQ(0, stream_read(&stream, bytes, len - 3));
		for (int j = 0; j < len - 3; j++)
			ASSERT_EQ(id, bytes[j]);
		counts[id - 1]++;
	}
	for (int i = 0; i < WORKERS; i++) {
		EXPECT_EQ(0, worker_join(&workers[i]));
		EXPECT_EQ(50, counts[i]);
	}
}

/* Large ones may mix at the boundaries of records, but lose nothing. */
static int write_much(struct worker *worker)
{
	struct writer *writer = worker->argument;
	uint8_t *bytes = malloc(300000);
	int ret;

	memset(bytes, writer->id, 300000);
	ret = send(writer->fd, bytes, 300000, MSG_NOSIGNAL) == 300000 ? 0 : -1;
	free(bytes);
	return ret;
}

TEST_F(threads, large_messages_of_writers_are_complete)
{
	struct worker workers[WORKERS];
	struct writer writers[WORKERS];
	int counts[WORKERS + 1] = {};
	uint8_t content[RECORD_CONTENT], type;

	set_int_option(self->link.fd, SOL_SOCKET, SO_SNDBUF, 60000);
	for (int i = 0; i < WORKERS; i++) {
		writers[i] = (struct writer){ self->link.fd, i + 1, 1 };
		ASSERT_EQ(0, worker_start(&workers[i], write_much, &writers[i]));
	}
	for (int total = 0; total < WORKERS * 300000;) {
		int n = peer_recv(&self->link, &type, content);

		ASSERT_GT(n, 0);
		for (int i = 0; i < n; i++) {
			/* One record holds bytes of one writer. */
			ASSERT_EQ(content[0], content[i]);
		}
		ASSERT_LE(content[0], WORKERS);
		counts[content[0]] += n;
		total += n;
	}
	for (int i = 0; i < WORKERS; i++) {
		EXPECT_EQ(0, worker_join(&workers[i]));
		EXPECT_EQ(300000, counts[i + 1]);
	}
}

/* --- both ways -------------------- */

struct half {
	int fd;
	size_t len;
};

static int half_send(struct worker *worker)
{
	struct half *half = worker->argument;

	return send_pattern(half->fd, 0, half->len);
}

static int half_recv(struct worker *worker)
{
	struct half *half = worker->argument;

	return recv_pattern(half->fd, 0, half->len);
}

/* Both ends send until they block, and only then does anybody read. */
TEST_F(threads, both_ends_sending_first_is_no_deadlock)
{
	struct worker senders[2], readers[2];
	struct half halves[2];
	int fds[2];

	ASSERT_EQ(0, signet_pair(variant->family, variant->suite, fds));
	for (int i = 0; i < 2; i++) {
		/* More than both buffers of a direction grow to. */
		halves[i] = (struct half){ fds[i], 12 << 20 };
		set_int_option(fds[i], SOL_SOCKET, SO_SNDBUF, 100000);
		set_int_option(fds[i], SOL_SOCKET, SO_RCVBUF, 100000);
		ASSERT_EQ(0, worker_start(&senders[i], half_send, &halves[i]));
	}
	for (int i = 0; i < 2; i++)
		worker_wait_blocked(&senders[i], SYS_sendto);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, worker_start(&readers[i], half_recv, &halves[i]));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, worker_join(&readers[i]));
		EXPECT_EQ(0, worker_join(&senders[i]));
		close(fds[i]);
	}
}

/* --- options while data flows -------------------- */

static volatile bool running;

static int ask_and_set(struct worker *worker)
{
	struct link *link = worker->argument;
	struct signet_info info;
	char text[100];
	socklen_t len;
	int n, rounds = 0;

	while (running) {
		len = sizeof(text);
		if (sock_info(link->fd, &info) || info.state != SIGNET_STATE_ESTABLISHED ||
		    getsockopt(link->fd, SOL_SIGNET, SIGNET_ERROR, text, &len) ||
		    !keys_install(link->fd, &link->keys) || errno != EBUSY ||
		    ioctl(link->fd, SIOCINQ, &n) || poll_now(link->fd, POLLIN | POLLOUT) < 0)
			return -1;
		rounds++;
	}
	return rounds;
}

static int peer_echo(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t content[RECORD_CONTENT], type;
	int n;

	while ((n = peer_recv(link, &type, content)) >= 0 && type == TYPE_DATA) {
		if (peer_send(link, TYPE_DATA, content, n))
			return -1;
	}
	return 0;
}

TEST_F(threads, options_while_data_flows)
{
	struct link *link = &self->link;
	struct worker asker, echo, sender;
	struct half half = { link->fd, 2 << 20 };

	running = true;
	ASSERT_EQ(0, worker_start(&echo, peer_echo, link));
	ASSERT_EQ(0, worker_start(&asker, ask_and_set, link));
	ASSERT_EQ(0, worker_start(&sender, half_send, &half));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, half.len));
	EXPECT_EQ(0, worker_join(&sender));
	running = false;
	EXPECT_GT(worker_join(&asker), 0);
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(0, worker_join(&echo));
}

/* --- races of attach and install -------------------- */

static int install_when_told(struct worker *worker)
{
	struct link *link = worker->argument;

	while (!running)
		sched_yield();
	return keys_install(link->fd, &link->keys);
}

TEST_F(threads, one_of_racing_installs_wins)
{
	for (int i = 0; i < 20; i++) {
		struct worker workers[2];
		struct link link;
		int good = 0;

		ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
		ASSERT_EQ(0, link_attach(&link));
		running = false;
		ASSERT_EQ(0, worker_start(&workers[0], install_when_told, &link));
		ASSERT_EQ(0, worker_start(&workers[1], install_when_told, &link));
		running = true;
		for (int j = 0; j < 2; j++) {
			if (!worker_join(&workers[j]))
				good++;
			else
				EXPECT_EQ(EBUSY, errno);
		}
		EXPECT_EQ(1, good);
		EXPECT_EQ(0, send_pattern(link.fd, 0, 100));
		EXPECT_EQ(0, peer_recv_pattern(&link, 0, 100));
		link_close(&link);
	}
}

static int poke(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t byte;
	int n;

	while (running) {
		/* Nothing of this may pass before there are keys, nor crash at any time. */
		if (send(link->fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
			return 1;
		recv(link->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
		poll_now(link->fd, POLLIN | POLLOUT);
		ioctl(link->fd, SIOCINQ, &n);
	}
	return 0;
}

TEST_F(threads, calls_race_with_attach_and_install)
{
	for (int i = 0; i < 20; i++) {
		uint8_t content[RECORD_CONTENT], type;
		struct worker workers[2];
		struct link link;
		int sent;

		ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
		ASSERT_EQ(0, link_attach(&link));
		running = true;
		ASSERT_EQ(0, worker_start(&workers[0], poke, &link));
		ASSERT_EQ(0, worker_start(&workers[1], poke, &link));
		sched_yield();
		ASSERT_EQ(0, link_install(&link));
		running = false;
		sent = worker_join(&workers[0]) + worker_join(&workers[1]);
		for (int j = 0; j < sent; j++)
			EXPECT_EQ(1, peer_recv(&link, &type, content));
		EXPECT_TRUE(peer_saw_nothing(&link));
		link_close(&link);
	}
}

static int shutdown_when_told(struct worker *worker)
{
	struct link *link = worker->argument;

	while (!running)
		sched_yield();
	return shutdown(link->fd, SHUT_WR);
}

static int send_until_pipe(struct worker *worker)
{
	struct link *link = worker->argument;
	int total = 0;
	uint8_t bytes[5000];
	ssize_t n;

	do {
		pattern_fill(bytes, total, sizeof(bytes));
		n = send(link->fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		total += n > 0 ? n : 0;
	} while (n > 0);
	return total;
}

TEST_F(threads, shutdown_races_with_a_sender)
{
	for (int i = 0; i < 20; i++) {
		struct worker sender, closer;
		struct sink sink;
		struct link link;
		int total;

		ASSERT_EQ(0, link_up(&link, variant->family, variant->suite));
		running = false;
		ASSERT_EQ(0, sink_start(&sink, &link));
		ASSERT_EQ(0, worker_start(&sender, send_until_pipe, &link));
		ASSERT_EQ(0, worker_start(&closer, shutdown_when_told, &link));
		running = true;
		total = worker_join(&sender);
		EXPECT_EQ(EPIPE, errno);
		EXPECT_EQ(0, worker_join(&closer));
		sink_join(&sink);
		EXPECT_TRUE(sink.intact);
		EXPECT_EQ(total, sink.bytes);
		EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
		link_close(&link);
	}
}

TEST_HARNESS_MAIN
