// SPDX-License-Identifier: GPL-2.0-only
/*
 * Others on the same processor get their turn while much is sent and received there.
 */
#include "fixture.h"

#include <sched.h>

#include "file.h"

#define WATCHDOG "/proc/sys/kernel/watchdog_thresh"

/* The kernel complains of a processor that is kept for twice as long. */
#define WATCHDOG_SECONDS "2"

#define MIB ((size_t)1 << 20)

FIXTURE(fairness)
{
	int fds[2];
	char watchdog[16];
	cpu_set_t processors;
};

FIXTURE_SETUP(fairness)
{
	cpu_set_t first;

	signal(SIGPIPE, SIG_IGN);
	ASSERT_LT(0, file_read(WATCHDOG, self->watchdog, sizeof(self->watchdog)));
	ASSERT_EQ(0, file_write(WATCHDOG, WATCHDOG_SECONDS));
	/* Threads inherit it. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(first), &first));
	ASSERT_EQ(0, signet_pair(LINK_IPV4, SIGNET_AES_128_GCM_SHA256, self->fds));
}

FIXTURE_TEARDOWN(fairness)
{
	close(self->fds[0]);
	close(self->fds[1]);
	EXPECT_EQ(0, file_write(WATCHDOG, self->watchdog));
}

/**
 * struct bystander - a thread that wants the processor too
 * @turns:	how often it came to run
 * @done:	it may end
 */
struct bystander {
	volatile uint64_t turns;
	volatile bool done;
};

static int stand_by(struct worker *worker)
{
	struct bystander *bystander = worker->argument;

	while (!bystander->done) {
		bystander->turns++;
		sched_yield();
	}
	return 0;
}

/**
 * struct flow - one large message after the other
 * @fd:		the end that sends
 * @len:	bytes of each message
 * @count:	messages
 * @bytes:	their content, of which one message has as many copies as it takes
 */
struct flow {
	int fd;
	size_t len;
	int count;
	const uint8_t *bytes;
};

/* Each message in one call, however large. */
static int send_flow(struct worker *worker)
{
	struct flow *flow = worker->argument;
	size_t pieces = flow->len / MIB;
	struct iovec *iov = calloc(pieces, sizeof(*iov));
	int ret = 0;

	for (size_t i = 0; i < pieces; i++)
		iov[i] = (struct iovec){ (void *)flow->bytes, MIB };
	for (int i = 0; i < flow->count && !ret; i++) {
		if (writev(flow->fd, iov, pieces) != (ssize_t)flow->len)
			ret = -1;
	}
	free(iov);
	return ret;
}

/* So much cannot be opened in less than many of the scheduler's slices. */
#define TURN_LEN (16 * MIB)

static void carry(struct __test_metadata *_metadata, int fds[2], size_t len, int count)
{
	uint8_t *sent = malloc(MIB), *got = malloc(MIB);
	struct bystander bystander = {};
	struct flow flow = { fds[0], len, count, sent };
	struct worker sender, watcher;
	uint64_t turns = 0;

	pattern_fill(sent, 0, MIB);
	ASSERT_EQ(0, worker_start(&watcher, stand_by, &bystander));
	ASSERT_EQ(0, worker_start(&sender, send_flow, &flow));
	for (size_t at = 0; at < len * count; at += MIB) {
		ASSERT_EQ((ssize_t)MIB, recv(fds[1], got, MIB, MSG_WAITALL));
		ASSERT_EQ(0, memcmp(sent, got, MIB));
		if ((at + MIB) % TURN_LEN)
			continue;
		EXPECT_LT(turns, bystander.turns);
		turns = bystander.turns;
	}
	EXPECT_EQ(0, worker_join(&sender));
	bystander.done = true;
	EXPECT_EQ(0, worker_join(&watcher));
	TH_LOG("%llu turns", (unsigned long long)bystander.turns);
	free(sent);
	free(got);
}

TEST_F_TIMEOUT(fairness, sends_of_a_mebibyte_on_one_processor, 60)
{
	carry(_metadata, self->fds, MIB, 32);
}

TEST_F_TIMEOUT(fairness, one_call_of_many_mebibytes, 60)
{
	carry(_metadata, self->fds, 128 * MIB, 1);
}

TEST_HARNESS_MAIN
