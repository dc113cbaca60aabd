// SPDX-License-Identifier: GPL-2.0-only
#include "call.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "connection.h"

#define BATCH 32
#define ENTRIES 64

/* Buffers that the kernel chooses from, for multishot receive. */
#define PROVIDED 64
#define PROVIDED_SIZE 16384
#define GROUP 1

/**
 * struct sender - a ring to send from
 * @ring:	the ring
 * @pending:	zero-copy sends whose notification is still to come
 */
struct sender {
	struct io_uring ring;
	unsigned int pending;
};

/**
 * struct receiver - a ring with one multishot receive
 * @ring:	the ring
 * @buffers:	what was provided
 * @memory:	of the buffers
 * @armed:	the receive is under way
 */
struct receiver {
	struct io_uring ring;
	struct io_uring_buf_ring *buffers;
	char *memory;
	int armed;
};

static int fail(int err)
{
	errno = -err;
	return -1;
}

/* --- sending -------------------- */

static int sender_open(struct exchange *exchange)
{
	struct sender *sender = calloc(1, sizeof(*sender));
	struct iovec iov = { exchange->from, exchange_bytes(exchange) };
	int err;

	if (!sender)
		return -1;
	err = io_uring_queue_init(ENTRIES, &sender->ring, 0);
	if (err) {
		free(sender);
		return fail(err);
	}
	exchange->sender = sender;
	err = io_uring_register_buffers(&sender->ring, &iov, 1);
	return err ? fail(err) : 0;
}

static void sender_close(struct exchange *exchange)
{
	struct sender *sender = exchange->sender;

	if (sender)
		io_uring_queue_exit(&sender->ring);
	free(sender);
}

static struct io_uring_cqe *next_completion(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int err;

	do {
		err = io_uring_wait_cqe(ring, &cqe);
	} while (err == -EINTR);
	if (!err)
		return cqe;
	errno = -err;
	return NULL;
}

/* Takes completions until a send's own. Return: its result, or -1 with errno. */
static int take_send(struct sender *sender)
{
	for (;;) {
		struct io_uring_cqe *cqe = next_completion(&sender->ring);
		int notification, result;

		if (!cqe)
			return -1;
		notification = cqe->flags & IORING_CQE_F_NOTIF;
		result = cqe->res;
		if (cqe->flags & IORING_CQE_F_MORE)
			sender->pending++;
		if (notification)
			sender->pending--;
		io_uring_cqe_seen(&sender->ring, cqe);
		if (notification)
			continue;
		return result < 0 ? fail(result) : result;
	}
}

static int ring_send(struct exchange *exchange)
{
	struct sender *sender = exchange->sender;
	size_t sent = 0;

	while (sent < exchange->size) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&sender->ring);
		int ret;

		io_uring_prep_send(sqe, exchange->connection->fd[0], exchange->from + sent,
				   exchange->size - sent, 0);
		io_uring_submit_and_wait(&sender->ring, 1);
		ret = take_send(sender);
		if (ret <= 0)
			return -1;
		sent += ret;
	}
	return 0;
}

static int ring_send_zc(struct exchange *exchange)
{
	struct sender *sender = exchange->sender;
	size_t sent = 0;

	while (sent < exchange->size) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&sender->ring);
		int ret;

		io_uring_prep_send_zc_fixed(sqe, exchange->connection->fd[0], exchange->from + sent,
					    exchange->size - sent, 0, 0, 0);
		io_uring_submit_and_wait(&sender->ring, 1);
		ret = take_send(sender);
		if (ret <= 0)
			return -1;
		sent += ret;
	}
	return 0;
}

/* The buffer may be used again only after the notification. */
static int receive_notified(struct exchange *exchange)
{
	struct sender *sender = exchange->sender;

	if (receive_plain(exchange))
		return -1;
	while (sender->pending) {
		struct io_uring_cqe *cqe = next_completion(&sender->ring);

		if (!cqe)
			return -1;
		sender->pending--;
		io_uring_cqe_seen(&sender->ring, cqe);
	}
	return 0;
}

static int send_batch(struct exchange *exchange, int flags)
{
	struct sender *sender = exchange->sender;

	for (unsigned int i = 0; i < BATCH; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&sender->ring);

		io_uring_prep_send(sqe, exchange->connection->fd[0],
				   exchange->from + i * exchange->size, exchange->size,
				   i < BATCH - 1 ? flags : 0);
	}
	io_uring_submit_and_wait(&sender->ring, BATCH);
	for (unsigned int i = 0; i < BATCH; i++) {
		int ret = take_send(sender);

		if (ret < 0)
			return -1;
		if ((size_t)ret != exchange->size)
			return fail(-EMSGSIZE);
	}
	return 0;
}

static int ring_batch(struct exchange *exchange)
{
	return send_batch(exchange, 0);
}

static int ring_batch_more(struct exchange *exchange)
{
	return send_batch(exchange, MSG_MORE);
}

const struct call call_ring_send = {
	.name = "io_uring SEND",
	.messages = 1,
	.open = sender_open,
	.send = ring_send,
	.receive = receive_plain,
	.close = sender_close,
};

const struct call call_ring_send_zc = {
	.name = "io_uring SEND_ZC",
	.messages = 1,
	.open = sender_open,
	.send = ring_send_zc,
	.receive = receive_notified,
	.close = sender_close,
};

const struct call call_ring_batch = {
	.name = "io_uring SEND x32",
	.messages = BATCH,
	.open = sender_open,
	.send = ring_batch,
	.receive = receive_plain,
	.close = sender_close,
};

const struct call call_ring_batch_more = {
	.name = "io_uring SEND x32 MSG_MORE",
	.messages = BATCH,
	.open = sender_open,
	.send = ring_batch_more,
	.receive = receive_plain,
	.close = sender_close,
};

/* --- receiving -------------------- */

static void give_back(struct receiver *receiver, unsigned int id)
{
	io_uring_buf_ring_add(receiver->buffers, receiver->memory + id * PROVIDED_SIZE,
			      PROVIDED_SIZE, id, io_uring_buf_ring_mask(PROVIDED), 0);
	io_uring_buf_ring_advance(receiver->buffers, 1);
}

static int receiver_open(struct exchange *exchange)
{
	struct receiver *receiver = calloc(1, sizeof(*receiver));
	int err;

	if (!receiver)
		return -1;
	receiver->memory = aligned_alloc(4096, (size_t)PROVIDED * PROVIDED_SIZE);
	if (!receiver->memory) {
		free(receiver);
		return -1;
	}
	err = io_uring_queue_init(ENTRIES, &receiver->ring, 0);
	if (err) {
		free(receiver->memory);
		free(receiver);
		return fail(err);
	}
	exchange->receiver = receiver;
	receiver->buffers = io_uring_setup_buf_ring(&receiver->ring, PROVIDED, GROUP, 0, &err);
	if (!receiver->buffers)
		return fail(err);
	for (unsigned int i = 0; i < PROVIDED; i++)
		give_back(receiver, i);
	return 0;
}

static void receiver_close(struct exchange *exchange)
{
	struct receiver *receiver = exchange->receiver;

	if (!receiver)
		return;
	io_uring_queue_exit(&receiver->ring);
	free(receiver->memory);
	free(receiver);
}

static void arm(struct receiver *receiver, int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&receiver->ring);

	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	io_uring_submit(&receiver->ring);
	receiver->armed = 1;
}

static int ring_receive(struct exchange *exchange)
{
	struct receiver *receiver = exchange->receiver;

	for (size_t left = exchange->size; left;) {
		struct io_uring_cqe *cqe;
		int result;

		if (!receiver->armed)
			arm(receiver, exchange->connection->fd[1]);
		cqe = next_completion(&receiver->ring);
		if (!cqe)
			return -1;
		result = cqe->res;
		if (!(cqe->flags & IORING_CQE_F_MORE))
			receiver->armed = 0;
		if (cqe->flags & IORING_CQE_F_BUFFER)
			give_back(receiver, cqe->flags >> IORING_CQE_BUFFER_SHIFT);
		io_uring_cqe_seen(&receiver->ring, cqe);
		if (result <= 0 && result != -ENOBUFS)
			return fail(result ? result : -ECONNRESET);
		left -= result > 0 ? result : 0;
	}
	return 0;
}

static int ring_receive_send(struct exchange *exchange)
{
	connection_send(exchange->connection, 0, exchange->from, exchange->size);
	return 0;
}

const struct call call_ring_receive = {
	.name = "io_uring RECV multishot",
	.messages = 1,
	.open = receiver_open,
	.send = ring_receive_send,
	.receive = ring_receive,
	.close = receiver_close,
};
