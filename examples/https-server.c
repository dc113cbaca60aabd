// SPDX-License-Identifier: MIT
/*
 * https-server: serves the files of a directory over HTTPS, from one io_uring.
 *
 * The point of it: after signet_accept() a connection is a plain socket. The ring receives from it
 * and sends to it with IORING_OP_SEND_ZC as it would over TCP, and has no idea that the kernel
 * seals and opens TLS records on the way. Only the handshake is TLS's business. It blocks, so each
 * has a thread of its own, which is gone when the connection has its keys.
 *
 *	accept ─► handshake ─► recv ─► send header ─► send_zc file ─► recv …
 *	          (a thread)   (GET)
 *	                       recv ─► recv file ─► send header ─► recv …
 *	                       (PUT)
 *
 * What keeps it simple is that a connection has one operation in the ring at a time, and a step
 * that comes next: the function that is called when the operation is complete, and starts another.
 * So nothing has to be counted or locked, and what has no operation may be freed. Files are mapped,
 * not read: SEND_ZC takes them from the page cache.
 *
 * The HTTP is in http.c, the mapping in file.c. The source is MIT; a binary of it, linked with
 * libsignet-handshake and so with wolfSSL, is GPL-3.0-or-later.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <liburing.h>
#include <linux/futex.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <signet-handshake.h>

#include "file.h"
#include "http.h"

#define CONNECTIONS_MAX 1024
#define CHUNK (128 * 1024) /* what is sent, or received, at once */
#define PATIENCE_S 30 /* with a peer that neither sends nor takes anything */
#define LINGER_S 2 /* with one that has its last answer, and does not close */
#define LINGER_BYTES (32 << 20) /* of what it still says */

struct connection;

/* What is done with an operation's result: at least 0, or a negative errno. */
typedef void step(struct connection *c, int res);

struct connection {
	step *next;
	int result, fd;
	char peer[64]; /* its address */
	struct __kernel_timespec patience;
	uint32_t secured; /* the handshake is over; a futex, since a thread tells the ring */
	struct signet_result handshake;
	struct http_request request;
	struct file file;
	intmax_t offset, left; /* where to go on in it, and how far */
	size_t in_len;
	char in[8192]; /* received, and not yet understood as a request */
	char out[512]; /* an answer's header */
};

static step accepted, secured, received, body_received, sent, file_sent, file_sent_zc, lingered;
static void await_request(struct connection *c);
static void receive_body(struct connection *c);

static const char *address = "[::]:8443", *root_path = ".", *upload_path, *certificate, *key,
		  *client_ca;
static int plain;

static struct io_uring ring;
static struct connection *connections[CONNECTIONS_MAX]; /* by descriptor */
static struct connection listener, signals; /* have a descriptor and a next step too */
static unsigned int alive;
static bool stopping;
static int root, uploads;
static struct signet_config *config;
static struct {
	uintmax_t connections, failed, requests, sent, received, sealed, opened;
} totals;

/* ---- The ring ---- */

/*
 * An operation, to be prepared by the caller. All are submitted when there is nothing left to do.
 * The ring has room for those of all connections, so there is always an entry.
 */
static struct io_uring_sqe *operation(struct connection *c, step *next)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	io_uring_sqe_set_data(sqe, c);
	if (c)
		c->next = next;
	return sqe;
}

/* What waits for the peer has a companion that cancels it when the time is up. */
static void receive(struct connection *c, void *data, size_t size, step *next)
{
	struct io_uring_sqe *sqe = operation(c, next);

	io_uring_prep_recv(sqe, c->fd, data, size, 0);
	sqe->flags |= IOSQE_IO_LINK;
	io_uring_prep_link_timeout(operation(NULL, NULL), &c->patience, 0);
}

/*
 * SEND_ZC completes twice: with its result and F_MORE, then with F_NOTIF, when the kernel needs the
 * bytes no more. Only then is it over for us.
 */
static void complete(const struct io_uring_cqe *cqe)
{
	struct connection *c = io_uring_cqe_get_data(cqe);

	if (!c) /* a time limit, or a cancellation */
		return;
	if (!(cqe->flags & IORING_CQE_F_NOTIF))
		c->result = cqe->res;
	if (!(cqe->flags & IORING_CQE_F_MORE))
		c->next(c, c->result);
}

/* ---- The end of a connection ---- */

static void close_connection(struct connection *c)
{
	struct signet_info info;

	if (!plain && !signet_info(c->fd, &info)) {
		totals.sealed += info.tx_records;
		totals.opened += info.rx_records;
	}
	file_release(&c->file, uploads);
	close(c->fd);
	connections[c->fd] = NULL;
	alive--;
	free(c);
}

static void complain(const struct connection *c, const char *doing, const char *why)
{
	totals.failed++;
	fprintf(stderr, "%s: %s: %s\n", c->peer, doing, why);
}

/* Ends the connection if there was no progress. */
static bool failed(struct connection *c, const char *doing, int res)
{
	struct linger reset = { .l_onoff = 1 };

	if (res > 0)
		return false;
	if (res == -ECANCELED)
		complain(c, doing, "the peer takes too long");
	else
		complain(c, doing, res ? signet_strerror(res) : "ended too early");
	/* An orderly end (close_notify, without TLS a FIN) would say that this was all. */
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close_connection(c);
	return true;
}

/* What the peer still says is thrown away, until it closes too. */
static void lingered(struct connection *c, int res)
{
	c->left -= res;
	if (res > 0 && c->left > 0)
		receive(c, c->in, sizeof(c->in), lingered);
	else
		close_connection(c);
}

/* All is sent. A socket closed with unread input is reset, and our last answer could be lost. */
static void finish_connection(struct connection *c)
{
	shutdown(c->fd, SHUT_WR);
	c->patience.tv_sec = LINGER_S;
	c->left = LINGER_BYTES;
	receive(c, c->in, sizeof(c->in), lingered);
}

/* ---- Answers ---- */

static unsigned int next_chunk(const struct connection *c)
{
	return c->left < CHUNK ? c->left : CHUNK;
}

/* MSG_MORE: the header shares a record with the beginning of the file. */
static void send_header(struct connection *c, size_t len, int flags)
{
	flags |= MSG_NOSIGNAL | MSG_WAITALL;
	io_uring_prep_send(operation(c, sent), c->fd, c->out, len, flags);
}

/* "200 OK" is the answer with the file; any other has the status for a body too. */
static void answer(struct connection *c, const char *status)
{
	struct http_answer answer = { .status = status, .len = c->file.size };
	size_t len;

	/* The rest of an upload that failed would be taken for a request. */
	c->request.keep_alive &= !stopping && !(*c->file.upload && c->left);
	totals.requests++;
	if (strcmp(status, "200 OK")) {
		file_release(&c->file, uploads);
		answer.len = strlen(status) + 1;
	}
	len = http_header(c->out, sizeof(c->out), &c->request, &answer);
	c->offset = answer.first;
	c->left = c->request.head ? 0 : answer.len;
	if (!c->file.map) {
		len += c->left ? sprintf(c->out + len, "%s\n", status) : 0;
		c->left = 0;
	}
	send_header(c, len, c->left ? MSG_MORE : 0);
}

static void answer_result(struct connection *c, int error)
{
	if (!error)
		answer(c, "200 OK");
	else if (error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG)
		answer(c, "404 Not Found");
	else if (error == EACCES || error == EPERM || error == ELOOP || error == EXDEV)
		answer(c, "403 Forbidden"); /* EXDEV: the path leads out of the root */
	else
		answer(c, "500 Internal Server Error");
}

static void sent(struct connection *c, int res)
{
	if (failed(c, "sending", res))
		return;
	totals.sent += res;
	if (*c->file.upload) { /* it was "100 Continue" */
		receive_body(c);
	} else if (c->left) {
		io_uring_prep_send_zc(operation(c, file_sent_zc), c->fd, c->file.map + c->offset,
				      next_chunk(c), MSG_NOSIGNAL, 0);
	} else {
		file_release(&c->file, uploads);
		if (c->request.keep_alive)
			await_request(c);
		else
			finish_connection(c);
	}
}

static void file_sent(struct connection *c, int res)
{
	if (res > 0) {
		c->offset += res;
		c->left -= res;
	}
	sent(c, res);
}

/* SEND_ZC locks memory, and a user may lock only so much (RLIMIT_MEMLOCK). A copy will do then. */
static void file_sent_zc(struct connection *c, int res)
{
	if (res == -ENOMEM)
		io_uring_prep_send(operation(c, file_sent), c->fd, c->file.map + c->offset,
				   next_chunk(c), MSG_NOSIGNAL);
	else
		file_sent(c, res);
}

/* ---- Uploads ---- */

/* Takes bytes from the beginning of what was received. */
static void consume(struct connection *c, size_t len)
{
	c->in_len -= len;
	memmove(c->in, c->in + len, c->in_len);
}

/* The beginning of an upload may have come with the header. */
static void take_upload(struct connection *c)
{
	intmax_t size = c->request.body, in_len = c->in_len, len = size < in_len ? size : in_len;
	int error = file_create(&c->file, uploads, c->fd, size, c->in, len);

	consume(c, len);
	c->offset = len;
	c->left = size - len;
	if (error)
		answer_result(c, error);
	else if (c->request.expect && !len)
		send_header(c, sprintf(c->out, "HTTP/1.1 100 Continue\r\n\r\n"), 0);
	else
		receive_body(c);
}

static void receive_body(struct connection *c)
{
	int error = c->left ? 0 : file_commit(&c->file, uploads, c->request.path);

	if (error)
		answer_result(c, error);
	else if (c->left)
		receive(c, c->file.map + c->offset, next_chunk(c), body_received);
	else
		answer(c, "201 Created");
}

static void body_received(struct connection *c, int res)
{
	if (failed(c, "receiving a file", res))
		return;
	totals.received += res;
	c->offset += res;
	c->left -= res;
	receive_body(c);
}

/* ---- Requests ---- */

/* After this nobody knows where another request would begin. */
static void refuse(struct connection *c, const char *status)
{
	c->request.keep_alive = false;
	answer(c, status);
}

/* Uploads are files of one directory. Those under way have names with a dot. */
static bool upload_allowed(const char *name)
{
	return uploads >= 0 && *name && *name != '.' && !strchr(name, '/');
}

/* Takes a request out of what was received: there may be several, or half a one. */
static void await_request(struct connection *c)
{
	const char *bad = http_parse(c->in, c->in_len, &c->request);

	consume(c, c->request.size);
	if (stopping)
		finish_connection(c);
	else if (bad)
		refuse(c, bad);
	else if (!c->request.size && c->in_len == sizeof(c->in))
		refuse(c, "431 Request Header Fields Too Large");
	else if (!c->request.size)
		receive(c, c->in + c->in_len, sizeof(c->in) - c->in_len, received);
	else if (!c->request.put)
		answer_result(c, file_open(&c->file, root, c->request.path));
	else if (c->request.body < 0)
		refuse(c, "411 Length Required");
	else if (!upload_allowed(c->request.path))
		refuse(c, "403 Forbidden");
	else
		take_upload(c);
}

static void received(struct connection *c, int res)
{
	if (!res || res == -ECANCELED) {
		close_connection(c); /* nothing more is asked */
	} else if (!failed(c, "receiving a request", res)) {
		totals.received += res;
		c->in_len += res;
		await_request(c);
	}
}

/* ---- Handshakes ---- */

static void *shake_hands(void *connection)
{
	struct connection *c = connection;

	pthread_detach(pthread_self());
	signet_accept(config, c->fd, &c->handshake);
	__atomic_store_n(&c->secured, 1, __ATOMIC_RELEASE);
	/* From here on it is the ring's, and may be freed: c is no more than an address. */
	syscall(SYS_futex, &c->secured, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return NULL;
}

/* At first this comes too early. The ring waits for the thread, as it does for everything else. */
static void secured(struct connection *c, int res)
{
	(void)res; /* a wake-up may be meant for one that was at this address before */
	if (!__atomic_load_n(&c->secured, __ATOMIC_ACQUIRE)) {
		io_uring_prep_futex_wait(operation(c, secured), &c->secured, 0,
					 FUTEX_BITSET_MATCH_ANY, FUTEX2_SIZE_U32 | FUTEX2_PRIVATE,
					 0);
	} else if (!c->handshake.error) {
		await_request(c);
	} else {
		if (!stopping)
			complain(c, "handshake", c->handshake.text);
		close_connection(c);
	}
}

/* ---- New connections ---- */

static void start_connection(int fd)
{
	struct sockaddr_storage peer = {};
	struct connection *c = NULL;
	socklen_t len = sizeof(peer);
	pthread_t thread;

	totals.connections++;
	if (fd < CONNECTIONS_MAX && !stopping)
		c = calloc(1, sizeof(*c));
	if (!c) {
		totals.failed++;
		close(fd);
		return;
	}
	c->fd = fd;
	c->patience.tv_sec = PATIENCE_S;
	getpeername(fd, (struct sockaddr *)&peer, &len);
	getnameinfo((struct sockaddr *)&peer, len, c->peer, sizeof(c->peer), NULL, 0,
		    NI_NUMERICHOST);
	connections[fd] = c;
	alive++;
	c->secured = plain;
	if (!plain && pthread_create(&thread, NULL, shake_hands, c)) {
		complain(c, "handshake", "there is no thread for it");
		close_connection(c);
	} else {
		secured(c, 0);
	}
}

/* Also the step behind the pause that it makes after an error: then the result is -ETIME. */
static void accepted(struct connection *l, int res)
{
	static struct __kernel_timespec pause = { .tv_nsec = 100000000 };

	if (res >= 0)
		start_connection(res);
	if (stopping)
		return;
	if (res >= 0 || res == -ETIME) {
		io_uring_prep_accept(operation(l, accepted), l->fd, NULL, NULL, SOCK_CLOEXEC);
	} else { /* out of descriptors, most likely: others must end first */
		warnx("accepting a connection: %s", strerror(-res));
		io_uring_prep_timeout(operation(l, accepted), &pause, 0, 0);
	}
}

/* ---- The whole ---- */

static void stop_waiting(struct connection *c)
{
	if (c->next == secured)
		shutdown(c->fd, SHUT_RDWR);
	else if (c->next == accepted || c->next == received || c->next == lingered)
		io_uring_prep_cancel(operation(NULL, NULL), c, 0);
}

/* What is being answered is finished; who waits, or is waited for, is let go. */
static void stop(struct connection *s, int res)
{
	int i;

	(void)s;
	(void)res;
	stopping = true;
	stop_waiting(&listener);
	for (i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i])
			stop_waiting(connections[i]);
}

/* Most errors here are negative errnos. */
static void check(int error, const char *what)
{
	if (error < 0)
		errx(1, "%s: %s", what, signet_strerror(error));
}

/* Signals come through a descriptor: they interrupt nothing, but are one more thing to wait for. */
static void start_ring(void)
{
	unsigned int entries = 4 * CONNECTIONS_MAX; /* operations, time limits and cancellations */
	sigset_t set;

	check(io_uring_queue_init(entries, &ring,
				  IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN),
	      "io_uring");
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals.fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals.fd < 0)
		err(1, "signalfd");
	io_uring_prep_poll_add(operation(&signals, stop), signals.fd, POLLIN);
}

static void run(void)
{
	unsigned int head, count;
	struct io_uring_cqe *cqe;
	int error;

	accepted(&listener, -ETIME);
	while (!stopping || alive) {
		error = io_uring_submit_and_wait(&ring, 1);
		if (error != -EINTR)
			check(error, "waiting for the ring");
		count = 0;
		io_uring_for_each_cqe(&ring, head, cqe) {
			complete(cqe);
			count++;
		}
		io_uring_cq_advance(&ring, count);
	}
}

static void start_listening(void)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *found;
	int error, one = 1, patience = PATIENCE_S * 1000;
	struct sockaddr_in6 bound; /* or sockaddr_in, which has the port at the same place */
	socklen_t len = sizeof(bound);
	char host[256], port[8];

	if (sscanf(address, "[%255[^]]]:%7s", host, port) != 2 &&
	    sscanf(address, "%255[^:]:%7s", host, port) != 2)
		errx(2, "--listen wants ADDRESS:PORT, not '%s'", address);
	error = getaddrinfo(host, port, &hints, &found);
	if (error)
		errx(2, "--listen %s: %s", address, gai_strerror(error));
	listener.fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* These are for the connections, which inherit them; the time limit is one for sending. */
	setsockopt(listener.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(listener.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
	if (bind(listener.fd, found->ai_addr, found->ai_addrlen) || listen(listener.fd, SOMAXCONN))
		err(1, "listening at %s", address);
	freeaddrinfo(found);
	getsockname(listener.fd, (struct sockaddr *)&bound, &len);
	printf("serving %s at %s port %u%s\n", root_path, host, ntohs(bound.sin6_port),
	       plain ? ", in the clear" : "");
	fflush(stdout);
}

static void load_config(void)
{
	if (!certificate || !key)
		errx(2, "--cert and --key are needed (or --plain); see --help");
	check(signet_config_new(SIGNET_ROLE_SERVER, &config), "TLS");
	check(signet_config_certificate(config, certificate, key), certificate);
	if (client_ca)
		check(signet_config_ca_file(config, client_ca), client_ca);
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
	"  --plain                HTTP without TLS\n"
	"  --help                 this text\n\n"
	"SIGINT and SIGTERM finish what is being answered, then print totals and exit.\n";

static void parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "listen", 1, NULL, 0 },  { "root", 1, NULL, 0 },   { "upload", 1, NULL, 0 },
		{ "cert", 1, NULL, 0 },	   { "key", 1, NULL, 0 },    { "client-ca", 1, NULL, 0 },
		{ "plain", 0, &plain, 1 }, { "help", 0, NULL, 'h' }, {},
	};
	static const char **const values[] = { &address,     &root_path, &upload_path,
					       &certificate, &key,	 &client_ca };
	int option, index;

	while (!(option = getopt_long(argc, argv, "", known, &index)))
		if (optarg)
			*values[index] = optarg;
	if (option == 'h') {
		fputs(usage, stdout);
		exit(0);
	}
	if (option != -1 || optind < argc)
		errx(2, "see --help");
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	if (!plain)
		load_config();
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		err(1, "%s", root_path);
	uploads = upload_path ? open(upload_path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (upload_path && uploads < 0)
		err(1, "%s", upload_path);
	start_ring();
	start_listening();
	run();
	io_uring_queue_exit(&ring);
	signet_config_free(config);
	printf("%ju connections, %ju of them failed, %ju requests; %ju bytes sent, %ju received; "
	       "%ju records sealed, %ju opened\n",
	       totals.connections, totals.failed, totals.requests, totals.sent, totals.received,
	       totals.sealed, totals.opened);
	return 0;
}
