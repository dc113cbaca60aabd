/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One call with one fault at a time, until there are no more: see kmod_faults.c.
 * Included behind fixture.h.
 */
#ifndef TESTS_KMOD_TRIAL_H
#define TESTS_KMOD_TRIAL_H

#include "fault.h"

/* More than any call has. */
#define FAULTS_MAX 400

#define DATA_LEN 40000

/**
 * struct trial - one call with one fault
 * @link:	a fresh connection
 * @suite:	cipher suite
 * @channel:	a helper's, or -1
 * @error:	errno of the call, 0 when it did not fail
 * @ret:	what the call returned
 */
struct trial {
	struct link link;
	uint16_t suite;
	int channel;
	int error;
	long ret;
};

/**
 * struct call - a call under test
 * @open:	makes the connection: link_open or link_up
 * @prepare:	what comes before, may be NULL. Return: 0 or -1
 * @call:	the call
 * @verify:	what must be so afterwards, whatever failed. Return: 0, or the line
 *		that found it otherwise
 */
struct call {
	int (*open)(struct link *link, enum link_family family, uint16_t suite);
	int (*prepare)(struct trial *trial);
	long (*call)(struct trial *trial);
	int (*verify)(struct trial *trial);
};

#define REQUIRE(condition)               \
	do {                             \
		if (!(condition))        \
			return __LINE__; \
	} while (0)

static inline bool is_tls_1_3(const struct trial *trial)
{
	return record_suite_find(trial->suite)->version == SIGNET_TLS_1_3;
}

/* Data goes both ways, from these offsets of the pattern on. */
static inline int exchange(struct link *link, uint64_t sent, uint64_t received)
{
	REQUIRE(!send_pattern(link->fd, sent, DATA_LEN));
	REQUIRE(!peer_recv_pattern(link, sent, DATA_LEN));
	REQUIRE(!peer_send_pattern(link, received, DATA_LEN, 5000));
	REQUIRE(!recv_pattern(link->fd, received, DATA_LEN));
	return 0;
}

/*
 * A cipher that has no memory in the middle of a record has overwritten part of it:
 * that is the end of the socket, and all calls say so. What was reported as sent before
 * has gone out.
 */
static inline bool cipher_failed(const struct link *link)
{
	struct signet_info info;

	return link->fd >= 0 && !sock_info(link->fd, &info) && info.error == EIO &&
	       info.reason == SIGNET_REASON_NO_MEMORY;
}

static inline int verify_cipher_failed(struct trial *trial)
{
	struct link *link = &trial->link;
	char byte;

	REQUIRE(send(link->fd, "x", 1, 0) < 0 && errno == EIO);
	REQUIRE(recv(link->fd, &byte, 1, 0) < 0 && errno == EIO);
	return 0;
}

/*
 * Return: 0, or the line that found something wrong; *hit: there was a fault.
 */
static inline int try_once(const struct call *call, uint16_t suite, int nth, bool *hit)
{
	struct trial trial = { .suite = suite, .channel = -1 };
	int line = 0;

	*hit = false;
	if (call->open(&trial.link, LINK_IPV4, suite))
		return __LINE__;
	trial.link.follows_updates = is_tls_1_3(&trial);
	if (call->prepare && call->prepare(&trial))
		line = __LINE__;
	if (!line) {
		fault_arm(nth);
		errno = 0;
		trial.ret = call->call(&trial);
		trial.error = trial.ret < 0 ? errno : 0;
		*hit = fault_disarm();
		if (cipher_failed(&trial.link))
			line = verify_cipher_failed(&trial);
		else
			line = call->verify(&trial);
	}
	if (line)
		fprintf(stderr, "# fault %d: returned %ld, errno %d\n", nth, trial.ret,
			trial.error);
	if (trial.channel >= 0)
		close(trial.channel);
	link_close(&trial.link);
	return line;
}

#define FAIL_IN_TURN(name)                                                  \
	do {                                                                \
		bool hit = true;                                            \
		int nth, line;                                              \
                                                                            \
		for (nth = 1; hit; nth++) {                                 \
			ASSERT_LT(nth, FAULTS_MAX);                         \
			line = try_once(&name, variant->suite, nth, &hit);  \
			ASSERT_EQ(0, line)                                  \
			{                                                   \
				TH_LOG("fault %d: see line %d", nth, line); \
			}                                                   \
		}                                                           \
		TH_LOG("%d faults", nth - 2);                               \
		/* A call that nothing can happen to is not tested. */      \
		EXPECT_LT(2, nth);                                          \
	} while (0)

#endif /* TESTS_KMOD_TRIAL_H */
