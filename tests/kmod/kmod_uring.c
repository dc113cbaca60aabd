// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_uring on a socket with the module.
 */
#include "fixture.h"

#include <liburing.h>
#include <linux/tls.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

FIXTURE(uring)
{
	struct link link;
	struct io_uring ring;
};

FIXTURE_VARIANT(uring)
{
	enum link_family family;
	uint16_t suite;
};

TLS_TWO_VARIANTS(uring);

FIXTURE_SETUP(uring)
{
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, link_up(&self->link, variant->family, variant->suite));
	ASSERT_EQ(0, io_uring_queue_init(64, &self->ring, 0));
}

FIXTURE_TEARDOWN(uring)
{
	io_uring_queue_exit(&self->ring);
	link_close(&self->link);
}

/* A completion, copied. */
struct completion {
	uint64_t user_data;
	int res;
	unsigned int flags;
};

static struct completion wait_one(struct io_uring *ring)
{
	struct completion copy = { .res = -EIO };
	struct io_uring_cqe *cqe;

	while (io_uring_wait_cqe(ring, &cqe) == -EINTR)
		;
	copy.user_data = cqe->user_data;
	copy.res = cqe->res;
	copy.flags = cqe->flags;
	io_uring_cqe_seen(ring, cqe);
	return copy;
}

static bool nothing_completed(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	io_uring_get_events(ring);
	return io_uring_peek_cqe(ring, &cqe) == -EAGAIN;
}

TEST_F(uring, recv_waits_for_data)
{
	struct link *link = &self->link;
	uint8_t bytes[100], ticket[] = { MESSAGE_NEW_SESSION_TICKET, 0, 0, 1, 7 };

	io_uring_prep_recv(io_uring_get_sqe(&self->ring), link->fd, bytes, sizeof(bytes), 0);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)));
	wait_received(link->fd, sizeof(ticket));
	EXPECT_TRUE(nothing_completed(&self->ring));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 50, 50));
	EXPECT_EQ(50, wait_one(&self->ring).res);
	EXPECT_TRUE(pattern_matches(bytes, 0, 50));
}

TEST_F(uring, recv_with_waitall_and_a_link)
{
	struct link *link = &self->link;
	struct io_uring_sqe *sqe;
	uint8_t bytes[1000];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 500, 100));
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_recv(sqe, link->fd, bytes, 1000, MSG_WAITALL);
	sqe->user_data = 1;
	sqe->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_send(sqe, link->fd, bytes, 1000, MSG_WAITALL);
	sqe->user_data = 2;
	ASSERT_EQ(2, io_uring_submit(&self->ring));
	EXPECT_TRUE(nothing_completed(&self->ring));
	ASSERT_EQ(0, peer_send_pattern(link, 500, 500, 100));
	for (uint64_t i = 1; i <= 2; i++) {
		struct completion cqe = wait_one(&self->ring);

		EXPECT_EQ(i, cqe.user_data);
		EXPECT_EQ(1000, cqe.res);
	}
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 1000));
}

TEST_F(uring, linked_sends_keep_order)
{
	struct link *link = &self->link;
	struct io_uring_sqe *sqe;
	uint8_t bytes[30000];

	pattern_fill(bytes, 0, sizeof(bytes));
	for (int i = 0; i < 30; i++) {
		sqe = io_uring_get_sqe(&self->ring);
		io_uring_prep_send(sqe, link->fd, bytes + 1000 * i, 1000,
				   MSG_WAITALL | (i < 29 ? MSG_MORE : 0));
		sqe->flags |= i < 29 ? IOSQE_IO_LINK : 0;
	}
	ASSERT_EQ(30, io_uring_submit(&self->ring));
	for (int i = 0; i < 30; i++)
		EXPECT_EQ(1000, wait_one(&self->ring).res);
	EXPECT_EQ(0, peer_recv_pattern(link, 0, sizeof(bytes)));
}

TEST_F(uring, requests_from_worker_threads)
{
	struct link *link = &self->link;
	struct io_uring_sqe *sqe;
	uint8_t bytes[50000];

	pattern_fill(bytes, 0, sizeof(bytes));
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_send(sqe, link->fd, bytes, sizeof(bytes), MSG_WAITALL);
	sqe->flags |= IOSQE_ASYNC;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, sizeof(bytes)));
	EXPECT_EQ(sizeof(bytes), wait_one(&self->ring).res);
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_recv(sqe, link->fd, bytes, sizeof(bytes), MSG_WAITALL);
	sqe->flags |= IOSQE_ASYNC;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	ASSERT_EQ(0, peer_send_pattern(link, 7, sizeof(bytes), 9999));
	EXPECT_EQ(sizeof(bytes), wait_one(&self->ring).res);
	EXPECT_TRUE(pattern_matches(bytes, 7, sizeof(bytes)));
}

/* --- SEND_ZC -------------------- */

TEST_F(uring, send_zc_notifies_once)
{
	struct link *link = &self->link;
	struct completion cqe;
	uint8_t bytes[100000];

	for (size_t len = 1; len <= sizeof(bytes); len *= 10) {
		pattern_fill(bytes, len, len);
		io_uring_prep_send_zc(io_uring_get_sqe(&self->ring), link->fd, bytes, len, 0, 0);
		ASSERT_EQ(1, io_uring_submit(&self->ring));
		cqe = wait_one(&self->ring);
		EXPECT_EQ(len, cqe.res);
		EXPECT_TRUE(cqe.flags & IORING_CQE_F_MORE);
		EXPECT_FALSE(cqe.flags & IORING_CQE_F_NOTIF);
		cqe = wait_one(&self->ring);
		EXPECT_EQ(IORING_CQE_F_NOTIF, cqe.flags);
		/* From here on the buffer is the user's. */
		memset(bytes, 0, len);
		EXPECT_EQ(0, peer_recv_pattern(link, len, len));
		EXPECT_TRUE(nothing_completed(&self->ring));
	}
}

TEST_F(uring, send_zc_from_a_registered_buffer)
{
	struct link *link = &self->link;
	uint8_t *bytes = aligned_alloc(4096, 40960);
	struct iovec vec = { bytes, 40960 };
	struct completion cqe;

	pattern_fill(bytes, 0, 40960);
	ASSERT_EQ(0, io_uring_register_buffers(&self->ring, &vec, 1));
	io_uring_prep_send_zc_fixed(io_uring_get_sqe(&self->ring), link->fd, bytes, 40000,
				    MSG_WAITALL, 0, 0);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	cqe = wait_one(&self->ring);
	EXPECT_EQ(40000, cqe.res);
	if (cqe.flags & IORING_CQE_F_MORE)
		wait_one(&self->ring);
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 40000));
	free(bytes);
}

TEST_F(uring, sendmsg_zc)
{
	struct link *link = &self->link;
	uint8_t bytes[40000];
	struct iovec vec[2] = { { bytes, 15000 }, { bytes + 15000, 25000 } };
	struct msghdr msg = { .msg_iov = vec, .msg_iovlen = 2 };
	struct completion cqe;

	pattern_fill(bytes, 0, sizeof(bytes));
	io_uring_prep_sendmsg_zc(io_uring_get_sqe(&self->ring), link->fd, &msg, MSG_WAITALL);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	cqe = wait_one(&self->ring);
	EXPECT_EQ(40000, cqe.res);
	EXPECT_TRUE(cqe.flags & IORING_CQE_F_MORE);
	EXPECT_TRUE(wait_one(&self->ring).flags & IORING_CQE_F_NOTIF);
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 40000));
}

TEST_F(uring, send_zc_with_a_full_buffer)
{
	struct link *link = &self->link;
	size_t len = 1000000;
	uint8_t *bytes = malloc(len);
	struct completion cqe;

	pattern_fill(bytes, 0, len);
	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_SNDBUF, 30000));
	io_uring_prep_send_zc(io_uring_get_sqe(&self->ring), link->fd, bytes, len, MSG_WAITALL, 0);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	EXPECT_TRUE(nothing_completed(&self->ring));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, len));
	cqe = wait_one(&self->ring);
	EXPECT_EQ(len, cqe.res);
	EXPECT_TRUE(cqe.flags & IORING_CQE_F_MORE);
	EXPECT_TRUE(wait_one(&self->ring).flags & IORING_CQE_F_NOTIF);
	free(bytes);
}

/* --- multishot and provided buffers -------------------- */

#define BUFFERS 32
#define BUFFER_LEN 1000

struct buffers {
	struct io_uring_buf_ring *ring;
	uint8_t memory[BUFFERS][BUFFER_LEN];
};

static int provide_buffers(struct io_uring *ring, struct buffers *buffers)
{
	int err;

	buffers->ring = io_uring_setup_buf_ring(ring, BUFFERS, 0, 0, &err);
	if (!buffers->ring)
		return -1;
	for (int i = 0; i < BUFFERS; i++)
		io_uring_buf_ring_add(buffers->ring, buffers->memory[i], BUFFER_LEN, i,
				      io_uring_buf_ring_mask(BUFFERS), i);
	io_uring_buf_ring_advance(buffers->ring, BUFFERS);
	return 0;
}

static void give_back(struct buffers *buffers, int i)
{
	io_uring_buf_ring_add(buffers->ring, buffers->memory[i], BUFFER_LEN, i,
			      io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(buffers->ring, 1);
}

static void arm_multishot(struct io_uring *ring, int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = 0;
	io_uring_submit(ring);
}

/* Return: the last completion, which is no data; *total and *shots are counted up. */
static struct completion run_multishot(struct io_uring *ring, struct buffers *buffers, int fd,
				       size_t *total, int *shots)
{
	struct completion cqe;

	for (;;) {
		cqe = wait_one(ring);
		if (cqe.res > 0) {
			int i = cqe.flags >> IORING_CQE_BUFFER_SHIFT;

			if (!pattern_matches(buffers->memory[i], *total, cqe.res))
				cqe.res = -EBADE;
			give_back(buffers, i);
			*total += cqe.res;
		}
		if (!(cqe.flags & IORING_CQE_F_MORE)) {
			/* Out of buffers, or of turns: go on. */
			if (cqe.res <= 0 && cqe.res != -ENOBUFS)
				return cqe;
			arm_multishot(ring, fd);
			(*shots)++;
		}
	}
}

static int send_with_tickets(struct worker *worker)
{
	struct link *link = worker->argument;
	uint8_t ticket[] = { MESSAGE_NEW_SESSION_TICKET, 0, 0, 1, 7 };

	for (int i = 0; i < 100; i++) {
		if (peer_send_pattern(link, 1500 * i, 1500, 1 + 99 * i % 1500))
			return -1;
		if (i % 7 == 0 && peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)))
			return -1;
	}
	return peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY);
}

TEST_F(uring, multishot_recv_ends_with_close_notify)
{
	struct buffers *buffers = calloc(1, sizeof(*buffers));
	struct link *link = &self->link;
	struct worker sender;
	size_t total = 0;
	int shots = 0;

	ASSERT_EQ(0, provide_buffers(&self->ring, buffers));
	arm_multishot(&self->ring, link->fd);
	ASSERT_EQ(0, worker_start(&sender, send_with_tickets, link));
	EXPECT_EQ(0, run_multishot(&self->ring, buffers, link->fd, &total, &shots).res);
	EXPECT_EQ(150000, total);
	EXPECT_EQ(0, worker_join(&sender));
}

TEST_F(uring, multishot_survives_tickets)
{
	struct buffers *buffers = calloc(1, sizeof(*buffers));
	uint8_t ticket[] = { MESSAGE_NEW_SESSION_TICKET, 0, 0, 1, 7 };
	struct link *link = &self->link;
	struct completion cqe;

	ASSERT_EQ(0, provide_buffers(&self->ring, buffers));
	arm_multishot(&self->ring, link->fd);
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)));
		ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
		cqe = wait_one(&self->ring);
		EXPECT_EQ(100, cqe.res);
		EXPECT_TRUE(cqe.flags & IORING_CQE_F_MORE);
		give_back(buffers, cqe.flags >> IORING_CQE_BUFFER_SHIFT);
	}
	EXPECT_TRUE(nothing_completed(&self->ring));
}

TEST_F(uring, multishot_ends_with_the_error)
{
	struct buffers *buffers = calloc(1, sizeof(*buffers));
	struct link *link = &self->link;
	size_t total = 0;
	int shots = 0;

	ASSERT_EQ(0, provide_buffers(&self->ring, buffers));
	arm_multishot(&self->ring, link->fd);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 5000, 700));
	ASSERT_EQ(0, peer_send_raw(link, "\27\3\3\0\0", 5));
	EXPECT_EQ(-EBADMSG, run_multishot(&self->ring, buffers, link->fd, &total, &shots).res);
	EXPECT_EQ(5000, total);
}

TEST_F(uring, multishot_ends_with_truncation)
{
	struct buffers *buffers = calloc(1, sizeof(*buffers));
	struct link *link = &self->link;
	size_t total = 0;
	int shots = 0;

	ASSERT_EQ(0, provide_buffers(&self->ring, buffers));
	arm_multishot(&self->ring, link->fd);
	ASSERT_EQ(0, peer_send_pattern(link, 0, 5000, 5000));
	ASSERT_EQ(0, peer_fin(link));
	EXPECT_EQ(-ECONNABORTED, run_multishot(&self->ring, buffers, link->fd, &total, &shots).res);
	EXPECT_EQ(5000, total);
}

TEST_F(uring, one_provided_buffer)
{
	struct buffers *buffers = calloc(1, sizeof(*buffers));
	struct link *link = &self->link;
	struct io_uring_sqe *sqe;
	struct completion cqe;

	ASSERT_EQ(0, provide_buffers(&self->ring, buffers));
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_recv(sqe, link->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 600, 600));
	cqe = wait_one(&self->ring);
	EXPECT_EQ(600, cqe.res);
	EXPECT_TRUE(pattern_matches(buffers->memory[cqe.flags >> IORING_CQE_BUFFER_SHIFT], 0, 600));
}

/* --- the rest -------------------- */

TEST_F(uring, multishot_poll)
{
	struct link *link = &self->link;
	struct completion cqe;

	io_uring_prep_poll_multishot(io_uring_get_sqe(&self->ring), link->fd, POLLIN);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
		cqe = wait_one(&self->ring);
		EXPECT_EQ(POLLIN, cqe.res & POLLIN);
		EXPECT_TRUE(cqe.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	}
}

TEST_F(uring, cancelled_recv_loses_nothing)
{
	struct link *link = &self->link;
	struct io_uring_sqe *sqe;
	uint8_t bytes[100];

	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_recv(sqe, link->fd, bytes, sizeof(bytes), 0);
	sqe->user_data = 1;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_cancel64(sqe, 1, 0);
	sqe->user_data = 2;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	for (int i = 0; i < 2; i++) {
		struct completion cqe = wait_one(&self->ring);

		EXPECT_EQ(cqe.user_data == 1 ? -ECANCELED : 0, cqe.res);
	}
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
}

TEST_F(uring, shutdown_and_close)
{
	struct link *link = &self->link;

	io_uring_prep_shutdown(io_uring_get_sqe(&self->ring), link->fd, SHUT_WR);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	EXPECT_EQ(0, wait_one(&self->ring).res);
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
	io_uring_prep_close(io_uring_get_sqe(&self->ring), link->fd);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	EXPECT_EQ(0, wait_one(&self->ring).res);
	link->fd = -1;
}

TEST_F(uring, close_under_a_pending_recv)
{
	struct link *link = &self->link;
	uint8_t bytes[100];

	io_uring_prep_recv(io_uring_get_sqe(&self->ring), link->fd, bytes, sizeof(bytes), 0);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	close(link->fd);
	link->fd = -1;
	/* The request holds the file: its data still comes. */
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	EXPECT_EQ(100, wait_one(&self->ring).res);
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
}

TEST_F(uring, exit_with_requests_under_way)
{
	struct link *link = &self->link;
	struct io_uring ring;
	uint8_t bytes[100];
	pid_t child = fork();

	if (!child) {
		close(link->peer);
		if (io_uring_queue_init(4, &ring, 0))
			_exit(1);
		io_uring_prep_recv(io_uring_get_sqe(&ring), link->fd, bytes, sizeof(bytes), 0);
		io_uring_submit(&ring);
		_exit(0);
	}
	close(link->fd);
	link->fd = -1;
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
	waitpid(child, NULL, 0);
}

TEST_F(uring, attach_and_install)
{
	struct io_uring_sqe *sqe;
	char name[] = SIGNET_ULP_NAME;
	struct link link;

	ASSERT_EQ(0, link_open(&link, variant->family, variant->suite));
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_cmd_sock(sqe, SOCKET_URING_OP_SETSOCKOPT, link.fd, IPPROTO_TCP, TCP_ULP, name,
			       strlen(name));
	sqe->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_cmd_sock(sqe, SOCKET_URING_OP_SETSOCKOPT, link.fd, SOL_SIGNET, SIGNET_KEYS,
			       &link.keys, sizeof(link.keys));
	ASSERT_EQ(2, io_uring_submit(&self->ring));
	EXPECT_EQ(0, wait_one(&self->ring).res);
	EXPECT_EQ(0, wait_one(&self->ring).res);
	EXPECT_EQ(0, send_pattern(link.fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(&link, 0, 100));
	link_close(&link);
}

TEST_F(uring, recv_and_send_bundles)
{
	struct buffers *buffers = calloc(1, sizeof(*buffers));
	struct link *link = &self->link;
	struct io_uring_sqe *sqe;
	struct completion cqe;

	ASSERT_EQ(0, provide_buffers(&self->ring, buffers));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 2500, 2500));
	ASSERT_EQ(POLLIN, poll_wait(link->fd, POLLIN));
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_recv(sqe, link->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->ioprio |= IORING_RECVSEND_BUNDLE;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	cqe = wait_one(&self->ring);
	ASSERT_GT(cqe.res, 0);
	/* The buffers lie behind each other. */
	EXPECT_TRUE(pattern_matches(buffers->memory[0], 0, cqe.res));
	if (cqe.res < 2500) {
		EXPECT_EQ(0, recv_pattern(link->fd, cqe.res, 2500 - cqe.res));
	}
}

/* Each completion may fill several buffers, which are used in turn. */
TEST_F(uring, multishot_bundles)
{
	struct buffers *buffers = calloc(1, sizeof(*buffers));
	struct link *link = &self->link;
	struct worker sender;
	struct completion cqe;
	size_t total = 0;

	ASSERT_EQ(0, provide_buffers(&self->ring, buffers));
	ASSERT_EQ(0, worker_start(&sender, send_with_tickets, link));
	cqe.flags = 0;
	do {
		if (!(cqe.flags & IORING_CQE_F_MORE)) {
			struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);

			io_uring_prep_recv_multishot(sqe, link->fd, NULL, 0, 0);
			sqe->flags |= IOSQE_BUFFER_SELECT;
			sqe->ioprio |= IORING_RECVSEND_BUNDLE;
			ASSERT_EQ(1, io_uring_submit(&self->ring));
		}
		cqe = wait_one(&self->ring);
		for (int n, left = cqe.res, i = cqe.flags >> IORING_CQE_BUFFER_SHIFT; left > 0;
		     left -= n, i = (i + 1) % BUFFERS) {
			n = left < BUFFER_LEN ? left : BUFFER_LEN;
			ASSERT_TRUE(pattern_matches(buffers->memory[i], total, n));
			give_back(buffers, i);
			total += n;
		}
	} while (cqe.res > 0 || cqe.res == -ENOBUFS);
	EXPECT_EQ(0, cqe.res);
	EXPECT_EQ(150000, total);
	EXPECT_EQ(0, worker_join(&sender));
}

TEST_F(uring, send_bundle)
{
	struct buffers *buffers = calloc(1, sizeof(*buffers));
	struct link *link = &self->link;
	struct io_uring_sqe *sqe;
	struct completion cqe;
	size_t total = 0;

	for (int i = 0; i < BUFFERS; i++)
		pattern_fill(buffers->memory[i], BUFFER_LEN * i, BUFFER_LEN);
	ASSERT_EQ(0, provide_buffers(&self->ring, buffers));
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_send_bundle(sqe, link->fd, 0, MSG_WAITALL);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = 0;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	do {
		cqe = wait_one(&self->ring);
		ASSERT_GT(cqe.res, 0);
		total += cqe.res;
	} while (cqe.flags & IORING_CQE_F_MORE);
	EXPECT_EQ(BUFFERS * BUFFER_LEN, total);
	EXPECT_EQ(0, peer_recv_pattern(link, 0, total));
}

TEST_F(uring, multishot_recvmsg_tells_types)
{
	static const int types[] = { TYPE_DATA, TYPE_HANDSHAKE, TYPE_DATA, TYPE_ALERT };
	uint8_t ticket[] = { MESSAGE_NEW_SESSION_TICKET, 0, 0, 1, 7 };
	struct msghdr msg = { .msg_controllen = CMSG_SPACE(1) };
	struct buffers *buffers = calloc(1, sizeof(*buffers));
	struct link *link = &self->link;
	struct io_uring_sqe *sqe;
	uint32_t one = 1;

	ASSERT_EQ(0, setsockopt(link->fd, SOL_SIGNET, SIGNET_RECORD_TYPES, &one, sizeof(one)));
	ASSERT_EQ(0, provide_buffers(&self->ring, buffers));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)));
	ASSERT_EQ(0, peer_send_pattern(link, 100, 50, 50));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	wait_delivered(link->peer, link->fd);
	sqe = io_uring_get_sqe(&self->ring);
	io_uring_prep_recvmsg_multishot(sqe, link->fd, &msg, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	for (size_t i = 0; i < COUNT(types); i++) {
		struct completion cqe = wait_one(&self->ring);
		struct io_uring_recvmsg_out *out;
		struct cmsghdr *cmsg;

		ASSERT_GT(cqe.res, 0);
		out = io_uring_recvmsg_validate(
			buffers->memory[cqe.flags >> IORING_CQE_BUFFER_SHIFT], cqe.res, &msg);
		ASSERT_NE(NULL, out);
		cmsg = io_uring_recvmsg_cmsg_firsthdr(out, &msg);
		ASSERT_NE(NULL, cmsg);
		EXPECT_EQ(SOL_TLS, cmsg->cmsg_level);
		EXPECT_EQ(TLS_GET_RECORD_TYPE, cmsg->cmsg_type);
		EXPECT_EQ(types[i], *(uint8_t *)CMSG_DATA(cmsg));
	}
}

TEST_F(uring, sendmsg_with_a_type)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(1)];
	} control = { .header = { .cmsg_len = CMSG_LEN(1),
				  .cmsg_level = SOL_TLS,
				  .cmsg_type = TLS_SET_RECORD_TYPE } };
	struct iovec vec = { "\1\132", 2 };
	struct msghdr msg = { .msg_iov = &vec,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct link *link = &self->link;

	*CMSG_DATA(&control.header) = TYPE_ALERT;
	io_uring_prep_sendmsg(io_uring_get_sqe(&self->ring), link->fd, &msg, 0);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	EXPECT_EQ(2, wait_one(&self->ring).res);
	EXPECT_EQ(ALERT_WARNING << 8 | ALERT_USER_CANCELED, peer_recv_alert(link));
	*CMSG_DATA(&control.header) = TYPE_HANDSHAKE;
	io_uring_prep_sendmsg(io_uring_get_sqe(&self->ring), link->fd, &msg, 0);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	EXPECT_EQ(-EINVAL, wait_one(&self->ring).res);
}

TEST_HARNESS_MAIN
