// SPDX-License-Identifier: MIT
/*
 * https-server: serves the files of a directory over HTTPS, from one io_uring.
 *
 * The point of it: after signet_accept() a connection is a plain socket. The ring receives from it
 * and sends to it with IORING_OP_SEND_ZC as it would over TCP, and has no idea that the kernel
 * seals and opens TLS records on the way. Only the handshake is TLS's business. It blocks, so a few
 * helper threads do it; a connection enters the ring when it has keys.
 *
 *	accept ─► helper thread: signet_accept() ─► pipe ─► recv ─► openat2 ─► read ─► send_zc
 *	                                                     ▲                  ▲          │
 *	                                                     └── next request ◄─┴── more ◄─┘
 *
 * Three rules keep such a program right:
 *  - A buffer given to SEND_ZC is the kernel's until the notification: the last completion of that
 *    request, the one without IORING_CQE_F_MORE. chunk.held counts what is still due.
 *  - A connection is freed when none of its requests is left in the ring: connection.pending.
 *  - Whatever waits for a peer has a time limit (a linked timeout). So does a handshake: who does
 *    not finish one occupies a helper for HANDSHAKE_MS, and no connection that is established.
 *
 * The HTTP is in http.c. The source is MIT; a binary of it, linked with libsignet-handshake and so
 * with wolfSSL, is GPL-3.0-or-later.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <liburing.h>
#include <linux/openat2.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <signet-handshake.h>

#include "http.h"

#define RING_ENTRIES 256
#define CHUNK (128 * 1024)
#define CONNECTIONS_MAX 1024
#define HANDSHAKE_MS 5000
#define PATIENCE_S 30 /* for a peer that neither sends nor takes anything */
#define DRAIN_MAX 256 /* receives that a peer is listened to after the last answer */

/* What a completion is about: the low bits of its user_data, beside a connection's address. */
enum event {
	ACCEPTED,
	ACCEPT_AGAIN,
	SECURED, /* helpers have finished handshakes */
	SIGNALLED,
	RECEIVED, /* a part of a request's header */
	OPENED, /* the file */
	FILLED, /* a chunk from the file */
	SENT, /* a chunk; twice: the result, and the notification */
	CONTINUED, /* "100 Continue" */
	UPLOADED, /* a part of a request's body */
	STORED, /* it, in the file */
	SHUT, /* the peer was told that no more comes */
	DRAINED, /* something that it said after that */
	CLOSED,
	IGNORED = 15,
	SECOND_CHUNK = 16, /* with SENT */
};

struct chunk {
	unsigned int start, end; /* what is still to be sent, or stored */
	unsigned int held; /* SEND_ZC requests that still own the buffer */
	char data[CHUNK];
};

struct connection {
	struct connection *previous, *next; /* all of them */
	struct connection *queued; /* for a helper */
	int fd, file;
	struct sockaddr_storage peer;
	bool handshaking, waiting, sealed, reading, sending, dead;
	unsigned int pending; /* requests that the ring has not finished with */
	unsigned int drained;
	struct signet_result handshake;
	size_t in_len;
	char in[8192]; /* received, not yet parsed */
	struct http_request request;
	char temporary[32]; /* name of an upload that is not complete */
	int64_t offset, left; /* in the file */
	unsigned int fill, drain; /* the chunk that is filled next, and sent next */
	struct chunk chunks[2]; /* one is filled while the other is sent */
};

struct totals {
	uintmax_t connections, failed, requests, sent, received, sealed, opened;
};

static const char *where = "[::]:8443", *directory = ".", *uploads, *certificate, *key, *client_ca,
		  *helpers = "8";
static int plain;

static struct totals totals;
static struct io_uring ring;
static struct connection *connections;
static unsigned int live;
static bool stopping;
static int listener, root, upload = -1, signals;
static struct signalfd_siginfo signal_info;
static struct signet_config *config;

static int secured[2]; /* pipe: helpers write addresses, the ring reads them */
static struct connection *secured_now[16];

static struct {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct connection *first, **last;
	bool closed;
} queue = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &queue.first, false };

/* ---- The ring ---- */

static struct io_uring_sqe *next_sqe(void)
{
	/* Room for two: a request and its timeout must be submitted together. */
	while (io_uring_sq_space_left(&ring) < 2)
		io_uring_submit(&ring);
	return io_uring_get_sqe(&ring);
}

/* To be called when the request is prepared: says whose it is. */
static void owned_by(struct io_uring_sqe *sqe, struct connection *c, unsigned int event)
{
	io_uring_sqe_set_data64(sqe, (uintptr_t)c | event);
	if (c)
		c->pending++;
}

/* The same for a request that waits for the peer, which may never do anything. */
static void owned_by_for_a_while(struct io_uring_sqe *sqe, struct connection *c, unsigned int event)
{
	static struct __kernel_timespec patience = { .tv_sec = PATIENCE_S };

	owned_by(sqe, c, event);
	sqe->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_link_timeout(sqe, &patience, 0);
	owned_by(sqe, NULL, IGNORED);
}

/* A notification may come when the other chunk is under way already: it must say for which. */
static unsigned int send_event(const struct connection *c)
{
	return c->drain ? SENT | SECOND_CHUNK : SENT;
}

static void cancel(struct connection *c, unsigned int event)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_cancel64(sqe, (uintptr_t)c | event, 0);
	owned_by(sqe, NULL, IGNORED);
}

static void accept_connections(void)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
	owned_by(sqe, NULL, ACCEPTED);
}

/* Helpers and signals come through files, so the ring waits for them too. */
static void await_file(int fd, void *data, unsigned int size, enum event event)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_read(sqe, fd, data, size, 0);
	owned_by(sqe, NULL, event);
}

/* ---- The end of a connection ---- */

static void complain(const struct connection *c, const char *what)
{
	char host[64] = "?", port[8] = "?";

	totals.failed++;
	getnameinfo((const struct sockaddr *)&c->peer, sizeof(c->peer), host, sizeof(host), port,
		    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	fprintf(stderr, "%s port %s: %s\n", host, port, what);
}

static void release_file(struct connection *c)
{
	if (c->file >= 0)
		close(c->file);
	c->file = -1;
	if (*c->temporary)
		unlinkat(upload, c->temporary, 0);
	*c->temporary = 0;
}

static void add_records(struct totals *sum, const struct connection *c)
{
	struct signet_info info;

	if (!c->sealed || signet_info(c->fd, &info))
		return;
	sum->sealed += info.tx_records;
	sum->opened += info.rx_records;
}

/* No more requests are made for the connection; it goes when the last one is done. */
static void close_connection(struct connection *c)
{
	struct io_uring_sqe *sqe;

	if (c->dead)
		return;
	c->dead = true;
	add_records(&totals, c);
	sqe = next_sqe();
	io_uring_prep_close(sqe, c->fd);
	owned_by(sqe, c, CLOSED);
}

/*
 * After an error the connection is reset: an orderly end would tell the peer that it has got all,
 * and what is still unsent must not keep the buffers.
 */
static void abort_connection(struct connection *c, const char *what, int error)
{
	struct linger reset = { .l_onoff = 1 };
	char text[160];

	if (c->dead)
		return;
	snprintf(text, sizeof(text), "%s: %s", what,
		 error == ECANCELED ? "the peer took too long" : signet_strerror(error));
	complain(c, text);
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (c->sending)
		cancel(c, send_event(c));
	close_connection(c);
}

/* A socket closed with unread input resets the connection, and the peer would lose our answer. */
static void drain_connection(struct connection *c)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_recv(sqe, c->fd, c->chunks[0].data, CHUNK, 0);
	owned_by_for_a_while(sqe, c, DRAINED);
}

static void drained(struct connection *c, int res)
{
	if (res <= 0 || c->drained++ == DRAIN_MAX)
		close_connection(c);
	else
		drain_connection(c);
}

static void shut(struct connection *c, int res)
{
	if (res < 0)
		close_connection(c);
	else
		drain_connection(c);
}

/* All is sent: close_notify (without TLS a FIN), then what the peer still says is thrown away. */
static void finish_connection(struct connection *c)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_shutdown(sqe, c->fd, SHUT_WR);
	owned_by(sqe, c, SHUT);
}

static void free_connection(struct connection *c)
{
	release_file(c);
	if (c->next)
		c->next->previous = c->previous;
	*(c->previous ? &c->previous->next : &connections) = c->next;
	live--;
	free(c);
}

/* ---- Answers ---- */

static void await_request(struct connection *c);

static void read_file(struct connection *c, struct chunk *chunk)
{
	struct io_uring_sqe *sqe = next_sqe();
	unsigned int room = CHUNK - chunk->end;

	io_uring_prep_read(sqe, c->file, chunk->data + chunk->end,
			   c->left < room ? (unsigned int)c->left : room, (uint64_t)c->offset);
	owned_by(sqe, c, FILLED);
	c->reading = true;
}

static void send_chunk(struct connection *c, struct chunk *chunk)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_send_zc(sqe, c->fd, chunk->data + chunk->start, chunk->end - chunk->start,
			      MSG_NOSIGNAL, 0);
	owned_by_for_a_while(sqe, c, send_event(c));
	chunk->held++;
	c->sending = true;
}

/* Starts whatever can be started: the file is read into one chunk while the other is sent. */
static void pump(struct connection *c)
{
	struct chunk *fill = &c->chunks[c->fill], *drain = &c->chunks[c->drain];

	if (!c->reading && c->left && fill->start == fill->end && !fill->held)
		read_file(c, fill);
	if (!c->sending && drain->start < drain->end && !(c->reading && fill == drain))
		send_chunk(c, drain);
	if (c->left || c->reading || c->sending || c->chunks[0].held || c->chunks[1].held)
		return;
	release_file(c);
	if (c->request.keep_alive)
		await_request(c);
	else
		finish_connection(c);
}

/* Sends the header, and what it says of the file behind it. */
static void answer(struct connection *c, struct http_answer *answer)
{
	struct chunk *chunk = &c->chunks[0];

	totals.requests++;
	c->request.keep_alive &= !stopping;
	answer->keep_alive = c->request.keep_alive;
	chunk->start = 0;
	chunk->end = (unsigned int)http_header(chunk->data, CHUNK, answer);
	c->fill = 0;
	c->drain = 0;
	c->offset = answer->first;
	c->left = 0;
	if (strcmp(c->request.method, "HEAD") && c->file >= 0)
		c->left = answer->length;
	else if (strcmp(c->request.method, "HEAD")) /* without a file the body is the status */
		chunk->end += (unsigned int)snprintf(chunk->data + chunk->end, CHUNK - chunk->end,
						     "%s\n", answer->status);
	if (c->left)
		read_file(c, chunk); /* behind the header: both go out at once */
	pump(c);
}

static void answer_status(struct connection *c, const char *status)
{
	int64_t length = (int64_t)strlen(status) + 1;
	struct http_answer error = { .status = status, .length = length };

	release_file(c);
	answer(c, &error);
}

static void answer_errno(struct connection *c, int error)
{
	if (error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG)
		answer_status(c, "404 Not Found");
	else if (error == EACCES || error == EPERM || error == ELOOP || error == EXDEV)
		answer_status(c, "403 Forbidden"); /* EXDEV: the path leads out of the root */
	else if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		answer_status(c, "507 Insufficient Storage");
	else
		answer_status(c, "500 Internal Server Error");
}

static void filled(struct connection *c, int res)
{
	c->reading = false;
	if (res <= 0) {
		/* Nothing is left: the file was made shorter after the length was promised. */
		abort_connection(c, "reading the file", res ? -res : ENODATA);
		return;
	}
	c->chunks[c->fill].end += (unsigned int)res;
	c->offset += res;
	c->left -= res;
	c->fill ^= 1;
	pump(c);
}

static void sent(struct connection *c, int res)
{
	struct chunk *chunk = &c->chunks[c->drain];

	c->sending = false;
	if (res <= 0) {
		abort_connection(c, "sending", -res);
		return;
	}
	totals.sent += (uintmax_t)res;
	chunk->start += (unsigned int)res;
	if (chunk->start == chunk->end) {
		chunk->start = 0;
		chunk->end = 0;
		c->drain ^= 1;
	}
	pump(c);
}

/* ---- Requests ---- */

static void open_file(struct connection *c)
{
	static const struct open_how how = { .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
					     .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	char *path = c->request.path;
	size_t len = strlen(path);
	struct io_uring_sqe *sqe;

	if (!len || path[len - 1] == '/')
		strncat(path, "index.html", sizeof(c->request.path) - len - 1);
	sqe = next_sqe();
	io_uring_prep_openat2(sqe, root, path, (struct open_how *)&how);
	owned_by(sqe, c, OPENED);
}

/* An upload is written under a name that nobody can ask for, and renamed when it is complete. */
static void open_upload(struct connection *c)
{
	static unsigned int serial;
	struct io_uring_sqe *sqe;

	if (upload < 0 || !*c->request.path || *c->request.path == '.' ||
	    strchr(c->request.path, '/')) {
		c->request.keep_alive = false;
		answer_status(c, "403 Forbidden");
		return;
	}
	c->offset = 0;
	c->left = c->request.length;
	snprintf(c->temporary, sizeof(c->temporary), ".upload-%d-%u", getpid(), serial++);
	sqe = next_sqe();
	io_uring_prep_openat(sqe, upload, c->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			     0644);
	owned_by(sqe, c, OPENED);
}

static void receive_header(struct connection *c)
{
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_recv(sqe, c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
	owned_by_for_a_while(sqe, c, RECEIVED);
	c->waiting = true;
}

/* Takes a request out of what was received: there may be several, or half a one. */
static void await_request(struct connection *c)
{
	size_t consumed;
	const char *status;

	if (stopping) {
		finish_connection(c);
		return;
	}
	status = http_parse(c->in, c->in_len, &c->request, &consumed);
	if (!status && !consumed && c->in_len < sizeof(c->in)) {
		receive_header(c);
		return;
	}
	c->in_len -= consumed;
	memmove(c->in, c->in + consumed, c->in_len);
	if (!consumed)
		status = "431 Request Header Fields Too Large";
	if (status) {
		c->request.keep_alive = false;
		answer_status(c, status);
	} else if (*c->request.method == 'P') {
		open_upload(c);
	} else {
		open_file(c);
	}
}

static void received(struct connection *c, int res)
{
	c->waiting = false;
	if (res > 0) {
		totals.received += (uintmax_t)res;
		c->in_len += (size_t)res;
		await_request(c);
	} else if (res == 0 || res == -ECANCELED) {
		finish_connection(c);
	} else {
		abort_connection(c, "receiving", -res);
	}
}

static void store_chunk(struct connection *c)
{
	struct chunk *chunk = &c->chunks[0];
	struct io_uring_sqe *sqe = next_sqe();

	io_uring_prep_write(sqe, c->file, chunk->data + chunk->start, chunk->end - chunk->start,
			    (uint64_t)c->offset);
	owned_by(sqe, c, STORED);
}

/* The next part of an upload: first of all what came with the header. */
static void receive_body(struct connection *c)
{
	struct chunk *chunk = &c->chunks[0];
	unsigned int want = c->left < CHUNK ? (unsigned int)c->left : CHUNK;
	struct io_uring_sqe *sqe;

	chunk->start = 0;
	chunk->end = c->in_len < want ? (unsigned int)c->in_len : want;
	if (!c->left) {
		if (renameat(upload, c->temporary, upload, c->request.path)) {
			answer_errno(c, errno);
			return;
		}
		*c->temporary = 0;
		answer_status(c, "201 Created");
	} else if (chunk->end) {
		memcpy(chunk->data, c->in, chunk->end);
		c->in_len -= chunk->end;
		memmove(c->in, c->in + chunk->end, c->in_len);
		store_chunk(c);
	} else {
		sqe = next_sqe();
		io_uring_prep_recv(sqe, c->fd, chunk->data, want, 0);
		owned_by_for_a_while(sqe, c, UPLOADED);
	}
}

static void continued(struct connection *c, int res)
{
	if (res > 0)
		receive_body(c);
	else
		abort_connection(c, "sending", -res);
}

static void uploaded(struct connection *c, int res)
{
	if (res <= 0) {
		abort_connection(c, "an upload broke off", res ? -res : ECONNABORTED);
		return;
	}
	totals.received += (uintmax_t)res;
	c->chunks[0].end = (unsigned int)res;
	store_chunk(c);
}

static void stored(struct connection *c, int res)
{
	struct chunk *chunk = &c->chunks[0];

	if (res <= 0) {
		c->request.keep_alive = false;
		answer_errno(c, res ? -res : ENOSPC);
		return;
	}
	chunk->start += (unsigned int)res;
	c->offset += res;
	c->left -= res;
	if (chunk->start < chunk->end)
		store_chunk(c);
	else
		receive_body(c);
}

static void opened(struct connection *c, int res)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http_answer file = {};
	struct io_uring_sqe *sqe;
	struct stat status;

	if (res < 0) {
		*c->temporary = 0;
		c->request.keep_alive &= *c->request.method != 'P';
		answer_errno(c, -res);
		return;
	}
	c->file = res;
	if (*c->request.method != 'P') {
		if (fstat(c->file, &status) || !S_ISREG(status.st_mode)) {
			answer_status(c, "404 Not Found");
			return;
		}
		file.size = status.st_size;
		http_select(&c->request, &file);
		answer(c, &file);
	} else if (c->request.expect && !c->in_len) {
		sqe = next_sqe();
		io_uring_prep_send(sqe, c->fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_WAITALL);
		owned_by_for_a_while(sqe, c, CONTINUED);
	} else {
		receive_body(c);
	}
}

/* ---- Handshakes ---- */

static void *helper(void *unused)
{
	struct connection *c;

	(void)unused;
	for (;;) {
		pthread_mutex_lock(&queue.lock);
		while (!queue.first && !queue.closed)
			pthread_cond_wait(&queue.filled, &queue.lock);
		c = queue.first;
		if (c)
			queue.first = c->queued;
		if (!queue.first)
			queue.last = &queue.first;
		pthread_mutex_unlock(&queue.lock);
		if (!c)
			return NULL;
		signet_accept(config, c->fd, &c->handshake);
		/* A pipe takes an address whole. From here on the ring's thread owns it. */
		if (write(secured[1], &c, sizeof(c)) != sizeof(c))
			err(1, "writing to a pipe");
	}
}

static void queue_handshake(struct connection *c)
{
	c->handshaking = true;
	c->queued = NULL;
	pthread_mutex_lock(&queue.lock);
	*queue.last = c;
	queue.last = &c->queued;
	pthread_cond_signal(&queue.filled);
	pthread_mutex_unlock(&queue.lock);
}

static void secured_some(int res)
{
	size_t i, count = res < 0 ? 0 : (size_t)res / sizeof(secured_now[0]);

	for (i = 0; i < count; i++) {
		struct connection *c = secured_now[i];

		c->handshaking = false;
		c->sealed = !c->handshake.error;
		if (c->sealed) {
			await_request(c);
			continue;
		}
		if (!stopping)
			complain(c, c->handshake.text);
		close_connection(c);
	}
	await_file(secured[0], secured_now, sizeof(secured_now), SECURED);
}

static void start_connection(int fd)
{
	socklen_t len = sizeof(struct sockaddr_storage);
	struct connection *c = NULL;
	int one = 1;

	totals.connections++;
	if (live < CONNECTIONS_MAX && !stopping)
		c = aligned_alloc(64, (sizeof(*c) + 63) & ~(size_t)63);
	if (!c) {
		totals.failed++;
		close(fd);
		return;
	}
	memset(c, 0, offsetof(struct connection, chunks[0].data));
	memset(&c->chunks[1], 0, offsetof(struct chunk, data));
	c->fd = fd;
	c->file = -1;
	c->next = connections;
	if (connections)
		connections->previous = c;
	connections = c;
	live++;
	getpeername(fd, (struct sockaddr *)&c->peer, &len);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (plain)
		await_request(c);
	else
		queue_handshake(c);
}

static void accepted(int fd, unsigned int flags)
{
	static struct __kernel_timespec pause = { .tv_nsec = 100000000 };
	struct io_uring_sqe *sqe;

	if (fd >= 0)
		start_connection(fd);
	if (flags & IORING_CQE_F_MORE || fd == -ECANCELED)
		return;
	if (fd >= 0) {
		accept_connections();
		return;
	}
	/* Out of descriptors, most likely: others must end first. */
	warnx("accepting a connection: %s", strerror(-fd));
	sqe = next_sqe();
	io_uring_prep_timeout(sqe, &pause, 0, 0);
	owned_by(sqe, NULL, ACCEPT_AGAIN);
}

/* ---- The whole ---- */

static void print_totals(void)
{
	struct totals now = totals;
	struct connection *c;

	for (c = connections; c; c = c->next)
		if (!c->dead && !c->handshaking)
			add_records(&now, c);
	printf("%ju connections, %ju of them failed, %ju requests; %ju bytes sent, %ju received; "
	       "%ju records sealed, %ju opened\n",
	       now.connections, now.failed, now.requests, now.sent, now.received, now.sealed,
	       now.opened);
	fflush(stdout);
}

/* What is being answered is finished; who only waits for a request is let go. */
static void stop(void)
{
	struct connection *c;

	if (stopping)
		errx(1, "stopped at once");
	stopping = true;
	cancel(NULL, ACCEPTED);
	pthread_mutex_lock(&queue.lock);
	queue.closed = true;
	pthread_cond_broadcast(&queue.filled);
	pthread_mutex_unlock(&queue.lock);
	for (c = connections; c; c = c->next) {
		if (c->handshaking)
			shutdown(c->fd, SHUT_RDWR);
		if (c->waiting)
			cancel(c, RECEIVED);
	}
}

static void signalled(void)
{
	if (signal_info.ssi_signo == SIGUSR1)
		print_totals();
	else
		stop();
	await_file(signals, &signal_info, sizeof(signal_info), SIGNALLED);
}

static void handle_connection(struct connection *c, unsigned int event, int res, unsigned int flags)
{
	static void (*const handlers[])(struct connection *c, int res) = {
		[RECEIVED] = received, [OPENED] = opened,	[FILLED] = filled,
		[SENT] = sent,	       [CONTINUED] = continued, [UPLOADED] = uploaded,
		[STORED] = stored,     [SHUT] = shut,		[DRAINED] = drained,
	};

	if (!(flags & IORING_CQE_F_MORE)) {
		c->pending--;
		if ((event & IGNORED) == SENT)
			c->chunks[event & SECOND_CHUNK ? 1 : 0].held--;
	}
	event &= IGNORED;
	if (!c->dead && flags & IORING_CQE_F_NOTIF)
		pump(c);
	else if (!c->dead)
		handlers[event](c, res);
	else if (event == OPENED && res >= 0)
		close(res);
	if (c->dead && !c->pending)
		free_connection(c);
}

static void handle(const struct io_uring_cqe *cqe)
{
	unsigned int event = cqe->user_data & (IGNORED | SECOND_CHUNK);
	struct connection *c = (struct connection *)(cqe->user_data - event);

	if (c)
		handle_connection(c, event, cqe->res, cqe->flags);
	else if (event == ACCEPTED)
		accepted(cqe->res, cqe->flags);
	else if (event == ACCEPT_AGAIN && !stopping)
		accept_connections();
	else if (event == SECURED)
		secured_some(cqe->res);
	else if (event == SIGNALLED)
		signalled();
}

static void run(void)
{
	unsigned int head, count;
	struct io_uring_cqe *cqe;

	accept_connections();
	await_file(secured[0], secured_now, sizeof(secured_now), SECURED);
	await_file(signals, &signal_info, sizeof(signal_info), SIGNALLED);
	while (!stopping || live) {
		int error = io_uring_submit_and_wait(&ring, 1);

		if (error < 0 && error != -EINTR && error != -EBUSY)
			errx(1, "waiting for the ring: %s", strerror(-error));
		count = 0;
		io_uring_for_each_cqe(&ring, head, cqe) {
			handle(cqe);
			count++;
		}
		io_uring_cq_advance(&ring, count);
	}
}

/* ---- Start ---- */

static void start_listening(void)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *found;
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[256], port[8];
	int error, one = 1;

	if (sscanf(where, "[%255[^]]]:%7s", host, port) != 2 &&
	    sscanf(where, "%255[^:]:%7s", host, port) != 2)
		errx(2, "--listen wants ADDRESS:PORT, not '%s'", where);
	error = getaddrinfo(host, port, &hints, &found);
	if (error)
		errx(2, "--listen %s: %s", where, gai_strerror(error));
	listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		err(1, "socket");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, found->ai_addr, found->ai_addrlen) || listen(listener, SOMAXCONN))
		err(1, "listening at %s", where);
	freeaddrinfo(found);
	getsockname(listener, (struct sockaddr *)&address, &len);
	getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	printf("serving %s at %s port %s%s\n", directory, host, port,
	       plain ? ", in the clear" : "");
	fflush(stdout);
}

static int open_directory(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void load_config(void)
{
	int error;

	if (!certificate || !key)
		errx(2, "--cert and --key are needed (or --plain); see --help");
	error = signet_config_new(SIGNET_ROLE_SERVER, &config);
	if (error)
		errx(1, "%s", signet_strerror(error));
	error = signet_config_certificate(config, certificate, key);
	if (error)
		errx(1, "%s, %s: %s", certificate, key, signet_strerror(error));
	if (client_ca) {
		error = signet_config_ca_file(config, client_ca);
		if (error)
			errx(1, "%s: %s", client_ca, signet_strerror(error));
	}
	signet_config_timeout(config, HANDSHAKE_MS);
}

static void start_ring(void)
{
	struct io_uring_params params = { .cq_entries = 16 * RING_ENTRIES };
	int error;

	params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER |
		       IORING_SETUP_DEFER_TASKRUN;
	error = io_uring_queue_init_params(RING_ENTRIES, &ring, &params);
	if (error)
		errx(1, "io_uring: %s", strerror(-error));
}

static void start_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		err(1, "signalfd");
}

static const char usage[] =
	"Usage: https-server [OPTION...] --cert FILE --key FILE\n"
	"Serves files over HTTPS; the kernel module signet seals and opens the records.\n\n"
	"  --listen ADDRESS:PORT  where to listen; 0.0.0.0:443, [::1]:0 (default [::]:8443)\n"
	"  --root DIR             what to serve (default: the current directory)\n"
	"  --upload DIR           where PUT stores files (default: PUT is refused)\n"
	"  --cert FILE            certificate chain, PEM, own certificate first\n"
	"  --key FILE             its private key, PEM\n"
	"  --client-ca FILE       demand client certificates signed by one of these\n"
	"  --helpers N            threads for handshakes, each does one at a time (default 8)\n"
	"  --plain                HTTP without TLS\n"
	"  --help                 this text\n\n"
	"SIGUSR1 prints totals; SIGINT and SIGTERM finish what is being answered, then exit.\n";

static void parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "listen", 1, NULL, 0 },  { "root", 1, NULL, 0 },
		{ "upload", 1, NULL, 0 },  { "cert", 1, NULL, 0 },
		{ "key", 1, NULL, 0 },	   { "client-ca", 1, NULL, 0 },
		{ "helpers", 1, NULL, 0 }, { "plain", 0, &plain, 1 },
		{ "help", 0, NULL, 'h' },  {},
	};
	static const char **const values[] = { &where, &directory, &uploads, &certificate,
					       &key,   &client_ca, &helpers };
	int option, index;

	while ((option = getopt_long(argc, argv, "", known, &index)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?')
			exit(2);
		if (optarg)
			*values[index] = optarg;
	}
	if (optind < argc)
		errx(2, "what is '%s'? See --help", argv[optind]);
}

int main(int argc, char **argv)
{
	unsigned int i, count;
	pthread_t threads[256];

	parse_options(argc, argv);
	count = plain ? 0 : (unsigned int)strtoul(helpers, NULL, 10);
	if (!plain && (!count || count > sizeof(threads) / sizeof(*threads)))
		errx(2, "--helpers wants a number from 1 to 256");
	if (!plain)
		load_config();
	root = open_directory(directory);
	if (uploads)
		upload = open_directory(uploads);
	if (pipe2(secured, O_CLOEXEC))
		err(1, "pipe");
	start_signals();
	start_ring();
	start_listening();
	for (i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, helper, NULL))
			errx(1, "cannot start %u threads", count);
	run();
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	io_uring_queue_exit(&ring);
	signet_config_free(config);
	print_totals();
	return 0;
}
