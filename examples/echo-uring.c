// SPDX-License-Identifier: MIT
/*
 * echo-uring: sends back over TLS what it receives, for any number of clients on one io_uring.
 *
 * The point of it: two calls of setsockopt() on the listener are all that TLS needs. Multishot
 * accept, multishot receive into provided buffers and sends are as on TCP, and neither handshakes
 * nor session tickets nor KeyUpdates ever appear in this loop: signetd completes the first, the
 * kernel deals with the others.
 */
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <liburing.h>
#include <linux/signet.h>

#define BUFFERS 1024 /* a power of two */
#define BUFFER_SIZE 16384 /* as much as a record holds */
#define QUEUE_MAX 16 /* how many a client that does not read may keep from the others */
#define PATIENCE_MS 30000 /* and for how long */
#define ENTRIES 4096

/* What is done with a connection goes with its address, whose lowest bits are free. */
enum operation { ACCEPT, RECEIVE, SEND, CANCEL };

struct connection {
	int fd;
	bool receiving; /* a multishot receive is in the ring */
	bool starved; /* there was no buffer for it */
	bool ended; /* nothing more is received */
	bool failed;
	unsigned int queued; /* buffers to send back; the first one is under way */
	int first, last;
	struct connection *next; /* of those that are starved */
};

static struct io_uring ring;
static struct io_uring_buf_ring *unused; /* buffers for the kernel to choose from */
static char *buffers;
static struct {
	unsigned int len;
	int next;
} queue[BUFFERS];

static int listener;
static bool accepting;
static unsigned int alive;
static struct connection *starved;

/* ---- The ring ---- */

static struct io_uring_sqe *operation(enum operation what, struct connection *c)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe) {
		io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
	}
	if (!sqe)
		errx(1, "the ring takes no more operations");
	io_uring_sqe_set_data64(sqe, (uintptr_t)c | what);
	return sqe;
}

static char *buffer(int id)
{
	return buffers + (size_t)id * BUFFER_SIZE;
}

static void provide(int id)
{
	io_uring_buf_ring_add(unused, buffer(id), BUFFER_SIZE, id, io_uring_buf_ring_mask(BUFFERS),
			      0);
	io_uring_buf_ring_advance(unused, 1);
}

/* ---- Connections ---- */

static void accept_more(void)
{
	if (!accepting)
		io_uring_prep_multishot_accept(operation(ACCEPT, NULL), listener, NULL, NULL,
					       SOCK_CLOEXEC);
	accepting = true;
}

static void receive(struct connection *c)
{
	struct io_uring_sqe *sqe;

	if (c->receiving || c->starved || c->ended || c->queued >= QUEUE_MAX)
		return;
	sqe = operation(RECEIVE, c);
	io_uring_prep_recv_multishot(sqe, c->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	c->receiving = true;
}

static void send_first(struct connection *c)
{
	io_uring_prep_send(operation(SEND, c), c->fd, buffer(c->first), queue[c->first].len,
			   MSG_WAITALL | MSG_NOSIGNAL);
}

/* A buffer is free again: whoever waits for one tries again. */
static void release_first(struct connection *c)
{
	struct connection *waiting;

	provide(c->first);
	c->first = queue[c->first].next;
	c->queued--;
	while ((waiting = starved)) {
		starved = waiting->next;
		waiting->starved = false;
		receive(waiting);
	}
}

/* SIGNET_ERROR is a text for it. Nothing can be sent then either. */
static void fail(struct connection *c, const char *doing, int error)
{
	char text[SIGNET_STRING_MAX + 1] = "";

	if (!c->failed) {
		getsockopt(c->fd, SOL_SIGNET, SIGNET_ERROR, text,
			   &(socklen_t){ SIGNET_STRING_MAX });
		warnx("%s: %s (%s)", doing, strerror(error), text);
		shutdown(c->fd, SHUT_RDWR);
	}
	c->failed = true;
	c->ended = true;
}

static void finish_if_done(struct connection *c)
{
	if (!c->ended || c->receiving || c->starved || c->queued)
		return;
	close(c->fd);
	free(c);
	alive--;
	accept_more();
}

/* ---- Completions ---- */

static void accepted(int res, unsigned int flags)
{
	struct connection *c;

	accepting = flags & IORING_CQE_F_MORE;
	if (res < 0) {
		/* Out of descriptors, most likely: goes on when a connection has ended. */
		warnx("accepting a connection: %s", strerror(-res));
		if (!alive)
			exit(1);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		err(1, "a connection");
	c->fd = res;
	alive++;
	receive(c); /* and this waits for the handshake */
	accept_more();
}

static void received(struct connection *c, int res, unsigned int flags)
{
	int id = flags >> IORING_CQE_BUFFER_SHIFT;

	c->receiving = flags & IORING_CQE_F_MORE;
	if (res > 0) {
		queue[id].len = res;
		if (c->queued)
			queue[c->last].next = id;
		else
			c->first = id;
		c->last = id;
		if (!c->queued++)
			send_first(c);
		if (c->queued == QUEUE_MAX && c->receiving)
			io_uring_prep_cancel64(operation(CANCEL, NULL), (uintptr_t)c | RECEIVE, 0);
	} else if (!res) {
		c->ended = true;
	} else if (res == -ENOBUFS && !c->ended) {
		c->starved = true;
		c->next = starved;
		starved = c;
	} else if (res != -ECANCELED && res != -ENOBUFS) {
		fail(c, "receiving", -res);
	}
	receive(c);
	finish_if_done(c);
}

static void sent(struct connection *c, int res)
{
	bool whole = res == (int)queue[c->first].len;

	if (!whole)
		fail(c, "sending", res < 0 ? -res : EPIPE);
	do {
		release_first(c);
	} while (!whole && c->queued);
	if (c->queued)
		send_first(c);
	receive(c);
	finish_if_done(c);
}

static void complete(const struct io_uring_cqe *cqe)
{
	uint64_t data = io_uring_cqe_get_data64(cqe);
	struct connection *c = (struct connection *)(uintptr_t)(data & ~3ULL);

	switch (data & 3) {
	case ACCEPT:
		accepted(cqe->res, cqe->flags);
		break;
	case RECEIVE:
		received(c, cqe->res, cqe->flags);
		break;
	case SEND:
		sent(c, cqe->res);
		break;
	}
}

/* ---- The whole ---- */

static void start_ring(void)
{
	int id, error;

	error = io_uring_queue_init(ENTRIES, &ring,
				    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	if (error)
		errx(1, "io_uring: %s", strerror(-error));
	unused = io_uring_setup_buf_ring(&ring, BUFFERS, 0, 0, &error);
	buffers = malloc((size_t)BUFFERS * BUFFER_SIZE);
	if (!unused || !buffers)
		errx(1, "buffers: %s", strerror(-error));
	for (id = 0; id < BUFFERS; id++)
		provide(id);
}

/* From the first of these calls on nothing goes in or out in the clear. */
static void start_listening(const char *port, const char *profile)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	int one = 1, patience = PATIENCE_MS;

	listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (setsockopt(listener, IPPROTO_TCP, TCP_ULP, "signet", 6) ||
	    setsockopt(listener, SOL_SIGNET, SIGNET_ACCEPT, profile, strlen(profile)))
		err(1, "attaching the module signet");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, SOMAXCONN))
		err(1, "listening at port %s", port);
	accept_more();
}

static const char usage[] =
	"Usage: echo-uring PORT PROFILE\n"
	"Sends back over TLS what it receives.\n\n"
	"PROFILE, of signetd's configuration, has the certificate and the key.\n";

int main(int argc, char **argv)
{
	unsigned int head, count;
	struct io_uring_cqe *cqe;
	int error;

	if (argc != 3) {
		bool help = argc == 2 && !strcmp(argv[1], "--help");

		fputs(usage, help ? stdout : stderr);
		return help ? 0 : 2;
	}
	start_ring();
	start_listening(argv[1], argv[2]);
	for (;;) {
		error = io_uring_submit_and_wait(&ring, 1);
		if (error < 0 && error != -EINTR)
			errx(1, "waiting for the ring: %s", strerror(-error));
		count = 0;
		io_uring_for_each_cqe(&ring, head, cqe) {
			complete(cqe);
			count++;
		}
		io_uring_cq_advance(&ring, count);
	}
}
