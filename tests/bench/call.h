/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The system calls, and the requests to io_uring, by which messages are sent and
 * received.
 */
#ifndef TESTS_BENCH_CALL_H
#define TESTS_BENCH_CALL_H

#include <stddef.h>

struct call;
struct connection;

/**
 * struct exchange - a connection, used in one way
 * @connection:	both ends
 * @call:	how
 * @size:	of a message, in bytes
 * @from:	page-aligned content
 * @to:		page-aligned room for what one operation receives
 * @sender:	what the call keeps for sending: a ring, a file
 * @receiver:	likewise
 */
struct exchange {
	struct connection *connection;
	const struct call *call;
	size_t size;
	char *from;
	char *to;
	void *sender;
	void *receiver;
};

/**
 * struct call - one way
 * @name:	as the report has it
 * @messages:	how many an operation has
 * @libraries:	it also makes sense with a TLS library
 * @open:	prepares; may be NULL. Return: 0, or -1 with errno
 * @send:	sends what one operation has. Return: 0, or -1 with errno
 * @receive:	receives as much
 * @close:	may be NULL
 */
struct call {
	const char *name;
	unsigned int messages;
	int libraries;
	int (*open)(struct exchange *exchange);
	int (*send)(struct exchange *exchange);
	int (*receive)(struct exchange *exchange);
	void (*close)(struct exchange *exchange);
};

/* By name, NULL when there is none. */
const struct call *call_find(const char *name);

/* What one operation transfers, in bytes. */
static inline size_t exchange_bytes(const struct exchange *exchange)
{
	return exchange->size * exchange->call->messages;
}

/* Return: 0, or -1 with errno where the connection's transport does not know the call. */
int exchange_open(struct exchange *exchange, struct connection *connection, const struct call *call,
		  size_t size);
void exchange_close(struct exchange *exchange);

/* Receives what one operation sent, with recv() or a library's read. Return: 0 or -1 with errno. */
int receive_plain(struct exchange *exchange);

extern const struct call call_ring_send;
extern const struct call call_ring_send_zc;
extern const struct call call_ring_batch;
extern const struct call call_ring_batch_more;
extern const struct call call_ring_receive;

#endif /* TESTS_BENCH_CALL_H */
