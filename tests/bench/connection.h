/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TCP connection whose two ends are here, with or without encryption.
 */
#ifndef TESTS_BENCH_CONNECTION_H
#define TESTS_BENCH_CONNECTION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct transport;

/**
 * struct suite - a cipher suite under all the names that are needed
 * @name:	as IANA has it, shortened
 * @iana:	its number
 * @openssl:	as OpenSSL's command and wolfSSL name it
 * @kernel:	the cipher's name in the kernel
 * @key_len:	its key, in bytes
 * @secret_len:	a traffic secret, in bytes
 */
struct suite {
	const char *name;
	uint16_t iana;
	const char *openssl;
	const char *kernel;
	unsigned int key_len;
	unsigned int secret_len;
};

const struct suite *suite_find(const char *name);

/**
 * struct path - between which network namespaces connections are made
 * @sender:	file of the sender's namespace (/run/netns/...), NULL for the caller's
 * @receiver:	file of the receiver's
 * @address:	where the receiver listens, in text
 */
struct path {
	const char *sender;
	const char *receiver;
	const char *address;
};

/**
 * struct connection - both ends
 * @fd:		sender's, receiver's
 * @transport:	what is spoken on it
 * @session:	what a library keeps per end
 */
struct connection {
	int fd[2];
	const struct transport *transport;
	void *session[2];
};

/**
 * struct transport - one way to get bytes from one end to the other
 * @name:	as the report has it
 * @secure:	gives both ends their keys; NULL: nothing to do. Return: 0, or -1 with errno
 * @send:	where send() will not do: sends all. Return: @len or -1 with errno
 * @receive:	likewise: receives some
 * @close:	frees the sessions
 */
struct transport {
	const char *name;
	int (*secure)(struct connection *connection, const struct suite *suite);
	ssize_t (*send)(void *session, const void *from, size_t len);
	ssize_t (*receive)(void *session, void *to, size_t len);
	void (*close)(void *session);
};

extern const struct transport transport_tcp;
extern const struct transport transport_ktls;
extern const struct transport transport_ktls_no_pad;
extern const struct transport transport_signet;
extern const struct transport transport_openssl;
extern const struct transport transport_wolfssl;

/* By name, NULL when there is none. */
const struct transport *transport_find(const char *name);

/* A listening socket for connection_open(). Exits on failure, as all here do where no return is told. */
int path_listen(const struct path *path);

/*
 * connection_open - one connection, keyed
 * @buffer: bytes that each end's socket buffers shall hold, or 0 for what TCP chooses
 *
 * Return: 0, or -1 with errno where the transport cannot do it.
 */
int connection_open(struct connection *connection, const struct path *path, int listener,
		    const struct transport *transport, const struct suite *suite, int buffer);
void connection_close(struct connection *connection);

/* All of it, at end 0 (the sender) or 1. */
void connection_send(struct connection *connection, int end, const void *from, size_t len);
void connection_receive(struct connection *connection, int end, void *to, size_t len);

/* Makes the descriptor (not) wait. */
void set_blocking(int fd, int blocking);

#endif /* TESTS_BENCH_CONNECTION_H */
