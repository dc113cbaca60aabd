// SPDX-License-Identifier: GPL-2.0-only
#include "call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "connection.h"

#define PARTS 4

int receive_plain(struct exchange *exchange)
{
	connection_receive(exchange->connection, 1, exchange->to, exchange_bytes(exchange));
	return 0;
}

static int send_plain(struct exchange *exchange)
{
	connection_send(exchange->connection, 0, exchange->from, exchange->size);
	return 0;
}

static int send_parts(struct exchange *exchange)
{
	size_t part = exchange->size / PARTS;
	struct iovec iov[PARTS];
	ssize_t sent;

	for (int i = 0; i < PARTS; i++) {
		iov[i].iov_base = exchange->from + i * part;
		iov[i].iov_len = part;
	}
	sent = writev(exchange->connection->fd[0], iov, PARTS);
	if (sent >= 0 && (size_t)sent != exchange->size)
		errno = EMSGSIZE;
	return sent == (ssize_t)exchange->size ? 0 : -1;
}

/* --- sendfile, from a file that is in memory -------------------- */

struct source {
	int fd;
};

static int source_open(struct exchange *exchange)
{
	struct source *source = malloc(sizeof(*source));

	if (!source)
		return -1;
	exchange->sender = source;
	source->fd = memfd_create("bench", MFD_CLOEXEC);
	if (source->fd < 0)
		return -1;
	return write(source->fd, exchange->from, exchange->size) == (ssize_t)exchange->size ? 0 :
											      -1;
}

static void source_close(struct exchange *exchange)
{
	struct source *source = exchange->sender;

	if (source)
		close(source->fd);
	free(source);
}

static int send_file(struct exchange *exchange)
{
	struct source *source = exchange->sender;
	off_t offset = 0;

	while ((size_t)offset < exchange->size) {
		if (sendfile(exchange->connection->fd[0], source->fd, &offset,
			     exchange->size - offset) <= 0)
			return -1;
	}
	return 0;
}

/* --- all of them -------------------- */

static const struct call call_send = {
	.name = "send",
	.messages = 1,
	.libraries = 1,
	.send = send_plain,
	.receive = receive_plain,
};

static const struct call call_writev = {
	.name = "writev",
	.messages = 1,
	.send = send_parts,
	.receive = receive_plain,
};

static const struct call call_sendfile = {
	.name = "sendfile",
	.messages = 1,
	.open = source_open,
	.send = send_file,
	.receive = receive_plain,
	.close = source_close,
};

static const struct call *const calls[] = {
	&call_send,	    &call_writev,     &call_sendfile,	     &call_ring_send,
	&call_ring_send_zc, &call_ring_batch, &call_ring_batch_more, &call_ring_receive,
};

const struct call *call_find(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (!strcmp(calls[i]->name, name))
			return calls[i];
	}
	return NULL;
}

static void *pages(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *memory = aligned_alloc(page, (size + page - 1) / page * page);

	if (memory)
		memset(memory, 0x5a, size);
	return memory;
}

int exchange_open(struct exchange *exchange, struct connection *connection, const struct call *call,
		  size_t size)
{
	memset(exchange, 0, sizeof(*exchange));
	exchange->connection = connection;
	exchange->call = call;
	exchange->size = size;
	if (!call->libraries && connection->transport->send) {
		errno = EOPNOTSUPP;
		return -1;
	}
	exchange->from = pages(exchange_bytes(exchange));
	exchange->to = pages(exchange_bytes(exchange));
	if (!exchange->from || !exchange->to)
		return -1;
	return call->open ? call->open(exchange) : 0;
}

void exchange_close(struct exchange *exchange)
{
	if (exchange->call->close)
		exchange->call->close(exchange);
	free(exchange->from);
	free(exchange->to);
}
