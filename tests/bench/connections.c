// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether a message costs more when there are many connections: a server with one ring, a
 * multishot receive on each of its connections and buffers that they share, and clients in
 * the same thread. Of the clients 64, or as many as there are, take turns to send a request of
 * 64 bytes and take the response, so that acknowledgements travel with data at any count.
 *
 *   bench_connections [--counted] [--cell TEXT] CONNECTIONS TRANSPORT...
 *
 * Prints one line of JSON with nanoseconds (see messages.c) per request with its response.
 * Each transport is measured in a process of its own.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "connection.h"

#define MESSAGE 64
#define SAMPLES 5
#define REQUESTS 500
#define ENTRIES 256
#define BUFFERS 256
#define GROUP 1
#define ACTIVE 64
#define SENT UINT64_MAX

/**
 * struct server - the ring and what hangs on it
 * @ring:	the ring
 * @buffers:	shared by all receives
 * @memory:	of the buffers
 * @connections: all of them
 * @count:	how many
 */
struct server {
	struct io_uring ring;
	struct io_uring_buf_ring *buffers;
	char memory[BUFFERS][MESSAGE];
	struct connection *connections;
	unsigned int count;
};

static struct io_uring_sqe *next_request(struct server *server)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&server->ring);

	if (!sqe) {
		io_uring_submit(&server->ring);
		sqe = io_uring_get_sqe(&server->ring);
	}
	return sqe;
}

static void arm(struct server *server, unsigned int i)
{
	struct io_uring_sqe *sqe = next_request(server);

	io_uring_prep_recv_multishot(sqe, server->connections[i].fd[1], NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	sqe->user_data = i;
}

static void give_back(struct server *server, unsigned int id)
{
	io_uring_buf_ring_add(server->buffers, server->memory[id], MESSAGE, id,
			      io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(server->buffers, 1);
}

static void server_start(struct server *server)
{
	int error = io_uring_queue_init(ENTRIES, &server->ring, 0);

	if (!error)
		server->buffers = io_uring_setup_buf_ring(&server->ring, BUFFERS, GROUP, 0, &error);
	if (error) {
		errno = -error;
		err(1, "io_uring");
	}
	for (unsigned int i = 0; i < BUFFERS; i++)
		give_back(server, i);
	for (unsigned int i = 0; i < server->count; i++)
		arm(server, i);
	io_uring_submit(&server->ring);
}

/* One completion. Return: true when a request was received, and answered. */
static bool serve(struct server *server)
{
	struct io_uring_cqe *cqe;
	int error = io_uring_wait_cqe(&server->ring, &cqe);
	uint64_t which;

	if (error || cqe->res != MESSAGE) {
		errno = error ? -error : cqe->res < 0 ? -cqe->res : EMSGSIZE;
		err(1, "io_uring completion");
	}
	which = cqe->user_data;
	if (which != SENT) {
		unsigned int id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
		struct io_uring_sqe *sqe;

		if (!(cqe->flags & IORING_CQE_F_MORE))
			arm(server, which);
		sqe = next_request(server);
		io_uring_prep_send(sqe, server->connections[which].fd[1], server->memory[id],
				   MESSAGE, 0);
		sqe->user_data = SENT;
		/* It is sent at once, or the wait for its completion says so. */
		io_uring_submit(&server->ring);
		give_back(server, id);
	}
	io_uring_cqe_seen(&server->ring, cqe);
	return which != SENT;
}

static void exchange(struct server *server, unsigned int requests)
{
	unsigned int active = server->count < ACTIVE ? server->count : ACTIVE;
	static char message[MESSAGE];

	for (unsigned int i = 0; i < requests; i++) {
		/* From the first to the last that was opened. */
		unsigned int which = (uint64_t)(i % active) * server->count / active;
		struct connection *connection = &server->connections[which];

		connection_send(connection, 0, message, MESSAGE);
		while (!serve(server))
			;
		while (serve(server))
			;
		connection_receive(connection, 0, message, MESSAGE);
	}
}

static void measure(const struct transport *transport, unsigned int count, bool counted)
{
	struct rlimit limit = { 2 * count + 64, 2 * count + 64 };
	static const struct path path = { .address = "127.0.0.1" };
	static struct server server;
	int listener = path_listen(&path);

	server.count = count;
	server.connections = calloc(count, sizeof(*server.connections));
	if (!server.connections || setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "room for %u connections", count);
	for (unsigned int i = 0; i < count; i++) {
		if (connection_open(&server.connections[i], &path, listener, transport,
				    suite_find("AES-128-GCM"), 0))
			err(1, "%s", transport->name);
	}
	server_start(&server);
	if (counted)
		clock_subtract_idle();
	exchange(&server, REQUESTS);
	printf("\"%s\":[", transport->name);
	for (unsigned int i = 0; i < SAMPLES; i++) {
		double start = clock_now();

		exchange(&server, REQUESTS);
		printf("%s%.1f", i ? "," : "", (clock_now() - start) / REQUESTS);
	}
	printf("]");
	fflush(stdout);
}

static void run(const char *name, unsigned int count, bool counted)
{
	const struct transport *transport = transport_find(name);
	int status;
	pid_t child;

	if (!transport || transport->send)
		errx(2, "not a transport of the kernel's: %s", name);
	fflush(stdout);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		measure(transport, count, counted);
		_exit(0);
	}
	if (waitpid(child, &status, 0) < 0 || status)
		errx(1, "%s: failed", name);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cell", required_argument, NULL, 'c' },
		{ "counted", no_argument, NULL, 'i' },
		{},
	};
	const char *cell = "";
	bool counted = false;
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'c')
			cell = optarg;
		else if (option == 'i')
			counted = true;
		else
			return 2;
	}
	if (argc - optind < 2 || atoi(argv[optind]) < 1)
		errx(2, "usage: bench_connections [OPTION...] CONNECTIONS TRANSPORT...");
	printf("{\"cell\":\"%s\",\"messages\":1,\"bytes\":%d,\"samples\":{", cell, MESSAGE);
	for (int i = optind + 1; i < argc; i++) {
		if (i > optind + 1)
			printf(",");
		run(argv[i], atoi(argv[optind]), counted);
	}
	printf("},\"refused\":{}}\n");
	return 0;
}
