/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TCP connection over loopback: one end with the module, the other a plain
 * socket with the tests' own records.
 */
#ifndef TESTS_KMOD_LINK_H
#define TESTS_KMOD_LINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "record.h"

enum link_family {
	LINK_IPV4,
	LINK_IPV6,
	LINK_MAPPED, /* IPv6 sockets that speak IPv4 */
};

/**
 * struct link - a connection under test
 * @fd:		the end with the module
 * @peer:	the end without
 * @keys:	what @fd is given
 * @to_fd:	seals what the peer sends
 * @from_fd:	opens what the peer receives
 * @header:	of the last record that the peer received
 * @follows_updates: peer_recv() and all that use it take KeyUpdates for what they
 *		are, and return what comes behind them
 * @updates:	how many there were
 * @requests:	how many of them asked for one
 */
struct link {
	int fd;
	int peer;
	struct signet_keys keys;
	struct record_keys to_fd;
	struct record_keys from_fd;
	uint8_t header[RECORD_HEADER];
	bool follows_updates;
	unsigned int updates;
	unsigned int requests;
};

/* The length of the last record's body on the wire. */
static inline size_t link_body_len(const struct link *link)
{
	return link->header[3] << 8 | link->header[4];
}

/* What ended the peer's stream, in place of a length. */
enum {
	PEER_FIN = -1,
	PEER_RESET = -2,
	PEER_INVALID = -3, /* bytes that are not a record under the keys */
	PEER_AGAIN = -4,
};

/*
 * The functions below return 0, a descriptor or a length, or -1 with errno,
 * where nothing else is said.
 */

/*
 * Segments of connections made from now on, in bytes of content, or 0 for what
 * loopback has (64 KiB). With those, small windows wait for TCP's timers.
 */
extern int link_segment;

/* A listener over loopback; fills in its address. */
int tcp_listen(enum link_family family, int backlog, struct sockaddr_storage *address,
	       socklen_t *len);

/*
 * From here on @fd takes no packet, or takes them again: what it sends arrives, and it sees no
 * answer.
 */
int deafen(int fd, bool deaf);

/* A connected pair of plain TCP sockets, without delays by Nagle's algorithm. */
int tcp_pair(enum link_family family, int fds[2]);

/* Connects, and chooses secrets for @suite. Nothing is attached. */
int link_open(struct link *link, enum link_family family, uint16_t suite);
/* (Re)reads the secrets and sequence numbers in link->keys for the peer. */
int link_rekey(struct link *link);
int link_attach(struct link *link);
int link_install(struct link *link);
/* Installs with @leftover bytes that come before everything else. */
int link_install_leftover(struct link *link, const void *leftover, size_t len);
/* All of the above. */
int link_up(struct link *link, enum link_family family, uint16_t suite);
void link_close(struct link *link);

int ulp_attach(int fd);
int keys_install(int fd, const struct signet_keys *keys);

/* Secrets as link_open() chooses them. */
void choose_keys(struct signet_keys *keys, uint16_t suite);

/* Both ends with the module, connected, with keys. */
int signet_pair(enum link_family family, uint16_t suite, int fds[2]);

/* SIGNET_INFO. */
int sock_info(int fd, struct signet_info *info);
/* Likewise, all bits set without an answer. */
struct signet_info sock_info_now(int fd);
/* SIGNET_REKEY_POLICY. */
int rekey_policy_set(int fd, uint64_t records, uint64_t bytes, uint64_t seconds);

/* The peer sends one record. */
int peer_send(struct link *link, uint8_t type, const void *content, size_t len);
int peer_send_padded(struct link *link, uint8_t type, const void *content, size_t len,
		     size_t padding);
int peer_send_alert(struct link *link, uint8_t level, uint8_t description);
/* The peer changes its keys; @request: it asks for the same (RFC 8446 4.6.3). */
int peer_send_update(struct link *link, bool request);
/* The peer sends bytes as they are. */
int peer_send_raw(struct link *link, const void *bytes, size_t len);
/* The peer's socket resets the connection. */
void peer_reset(struct link *link);
/* The peer's socket sends its FIN. */
int peer_fin(struct link *link);

/*
 * The peer reads one record, waiting for it. Return: its content's length, or
 * one of PEER_FIN and so on.
 */
int peer_recv(struct link *link, uint8_t *type, uint8_t *content);
/* The record is a KeyUpdate: 0 or 1, as it asks for one or not; else -1. */
int update_request(uint8_t type, const uint8_t *content, int len);
/* The peer reads records of data until it has @len bytes. Return: how many it got. */
size_t peer_recv_data(struct link *link, void *data, size_t len);
/* The peer reads one record, which must be this alert. Return: level << 8 | description, or < 0. */
int peer_recv_alert(struct link *link);
/* The peer reads, skipping data, up to an alert. */
int peer_recv_data_then_alert(struct link *link);
/* The peer's next read gives the end: PEER_FIN, PEER_RESET, or PEER_INVALID for anything else. */
int peer_recv_end(struct link *link);
/* Is there not one unread byte at the peer now? */
bool peer_saw_nothing(struct link *link);

/* Waits until @fd has received that many bytes in all, as TCP counts them. */
void wait_received(int fd, uint64_t bytes);
uint64_t bytes_received(int fd);
/* Waits until everything that one end was given is in the receive queue of the other. */
void wait_delivered(int from, int to);
/* Waits until @fd's TCP is in @state. */
void wait_state(int fd, int state);
int tcp_state(int fd);

/* --- data with a known pattern -------------------- */

/* The @len bytes of the stream that start at @offset. */
void pattern_fill(void *to, uint64_t offset, size_t len);
bool pattern_matches(const void *bytes, uint64_t offset, size_t len);

/* Sends the stream's bytes from @offset on with send(). Return: 0 or -1. */
int send_pattern(int fd, uint64_t offset, size_t len);
/* Receives exactly @len bytes of the stream with recv(). Return: 0 or -1; EBADE: wrong bytes. */
int recv_pattern(int fd, uint64_t offset, size_t len);
/* As recv_pattern(), through the peer. */
int peer_recv_pattern(struct link *link, uint64_t offset, size_t len);
/* The peer sends the stream's bytes in records of at most @record bytes. */
int peer_send_pattern(struct link *link, uint64_t offset, size_t len, size_t record);

/* --- threads -------------------- */

/**
 * struct worker - a function of the peer's, or of another caller's, in a thread
 * @run:	the function; its result is @ret and @error (errno)
 * @argument:	its argument
 * @tid:	the thread's; 0 until it runs
 * @done:	it has returned
 */
struct worker {
	int (*run)(struct worker *worker);
	void *argument;
	pthread_t thread;
	volatile pid_t tid;
	volatile bool done;
	int ret;
	int error;
};

int worker_start(struct worker *worker, int (*run)(struct worker *worker), void *argument);
/* Waits until the thread sleeps in the system call @number, or is done. */
void worker_wait_blocked(struct worker *worker, long number);
/* Sends it the signal whenever it sleeps in the system call, until it is done. */
void worker_signal(struct worker *worker, long number, int signal);
/* Return: the function's result, with its errno. */
int worker_join(struct worker *worker);

/**
 * struct sink - the peer reads the stream to its end, in a thread
 * @bytes:	of data
 * @alert:	the alert that came, level << 8 | description, or -1
 * @end:	PEER_FIN and so on
 * @intact:	the data is the pattern from offset 0 on
 */
struct sink {
	struct link *link;
	struct worker worker;
	uint64_t bytes;
	int alert;
	int end;
	bool intact;
};

int sink_start(struct sink *sink, struct link *link);
void sink_join(struct sink *sink);
/* As the two together, without a thread. */
void sink_run(struct sink *sink, struct link *link);

/* A deterministic sequence of numbers (xorshift64*). */
struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);
/* From 0 to @below - 1. */
uint64_t random_below(struct random *random, uint64_t below);

#endif /* TESTS_KMOD_LINK_H */
