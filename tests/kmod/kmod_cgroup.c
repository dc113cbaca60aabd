// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory control groups: what a group's sockets hold is charged to it and given back, and
 * at its limit calls wait or fail, and nothing is lost. Each beside plain TCP.
 */
#include "fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "file.h"

#define GROUPS "/sys/fs/cgroup"
#define GROUP GROUPS "/signet"

#define PAIRS 50

FIXTURE(group)
{
	int fds[PAIRS][2];
	int limit;
};

FIXTURE_VARIANT(group)
{
	bool sealed;
};

FIXTURE_VARIANT_ADD(group, tcp){
	.sealed = false,
};

FIXTURE_VARIANT_ADD(group, signet){
	.sealed = true,
};

/* What is made from now on belongs to the group, or to all. */
static int enter_group(void)
{
	return file_write(GROUP "/cgroup.procs", "0");
}

static int leave_group(void)
{
	return file_write(GROUPS "/cgroup.procs", "0");
}

FIXTURE_SETUP(group)
{
	signal(SIGPIPE, SIG_IGN);
	memset(self->fds, -1, sizeof(self->fds));
	if (access(GROUPS "/cgroup.procs", F_OK))
		ASSERT_EQ(0, mount("cgroup2", GROUPS, "cgroup2", 0, NULL));
	ASSERT_EQ(0, file_write(GROUPS "/cgroup.subtree_control", "+memory"));
	/* What a test that was ended left behind. */
	if (rmdir(GROUP))
		ASSERT_EQ(ENOENT, errno);
	ASSERT_EQ(0, mkdir(GROUP, 0700));
	/* Without memory, no file can be opened either. */
	self->limit = open(GROUP "/memory.max", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, self->limit);
}

static void close_pairs(int fds[PAIRS][2])
{
	for (int i = 0; i < PAIRS; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
	memset(fds, -1, PAIRS * sizeof(*fds));
}

FIXTURE_TEARDOWN(group)
{
	EXPECT_EQ(3, pwrite(self->limit, "max", 3, 0));
	close(self->limit);
	close_pairs(self->fds);
	EXPECT_EQ(0, leave_group());
	EXPECT_EQ(0, rmdir(GROUP));
}

static int open_pair(int fds[2], bool sealed)
{
	return sealed ? signet_pair(LINK_IPV4, SIGNET_AES_128_GCM_SHA256, fds) :
			tcp_pair(LINK_IPV4, fds);
}

/* Connections that belong to the group, made by one that does not. */
static int make_pairs(int fds[PAIRS][2], bool sealed)
{
	int ret = enter_group();

	for (int i = 0; i < PAIRS && !ret; i++)
		ret = open_pair(fds[i], sealed);
	return leave_group() ? -1 : ret;
}

/*
 * In bytes, as of some moment in the last two seconds: what was given back since, such as a SYN that
 * was on its way then, is still in there. So no value may be expected at once.
 */
static long charged(const char *what)
{
	return file_number(GROUP "/memory.stat", what);
}

static void wait_until_above(const char *what, long bytes)
{
	while (charged(what) <= bytes)
		usleep(10000);
}

static void wait_until_below(const char *what, long bytes)
{
	while (charged(what) >= bytes)
		usleep(10000);
}

#define QUEUED_LEN 60000

TEST_F(group, sockets_are_charged_and_give_it_back)
{
	ASSERT_EQ(0, make_pairs(self->fds, variant->sealed));
	wait_until_below("sock", 1);
	for (int i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, send_pattern(self->fds[i][0], 0, QUEUED_LEN));
	wait_until_above("sock", (long)PAIRS * QUEUED_LEN);
	for (int i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, recv_pattern(self->fds[i][1], 0, QUEUED_LEN));
	/* Each keeps less than a page for what comes next. */
	wait_until_below("sock", (long)PAIRS * 2 * sysconf(_SC_PAGESIZE) + 1);
	for (int i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, send_pattern(self->fds[i][0], 0, QUEUED_LEN));
	wait_until_above("sock", (long)PAIRS * QUEUED_LEN);
	close_pairs(self->fds);
	wait_until_below("sock", 1);
}

/* The kernel charges objects by the page, and keeps some of those on each processor. */
#define SLACK (64 << 10)

/* That they are charged is seen at the limit, and by kmod_allocations. */
TEST_F(group, keys_and_contexts_are_given_back)
{
	long before;

	ASSERT_EQ(0, enter_group());
	before = charged("slab");
	for (int i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, open_pair(self->fds[i], variant->sealed));
	/* A TCP socket is at least this large. */
	wait_until_above("slab", before + 2L * PAIRS * 2000);
	close_pairs(self->fds);
	ASSERT_EQ(0, leave_group());
	wait_until_below("slab", before + SLACK);
}

/* --- at the limit -------------------- */

/* Each time the kernel finds nobody to kill it logs a page of text. */
#define FEW 6
#define STREAM_LEN 20000

struct stream {
	int fds[2];
	struct worker sender, receiver;
};

static int stream_send(struct worker *worker)
{
	struct stream *stream = worker->argument;

	return send_pattern(stream->fds[0], 0, STREAM_LEN);
}

static int stream_receive(struct worker *worker)
{
	struct stream *stream = worker->argument;

	return recv_pattern(stream->fds[1], 0, STREAM_LEN);
}

/* None of these threads is in the group, so nobody is killed. */
TEST_F_TIMEOUT(group, at_the_limit_nothing_is_lost, 60)
{
	static struct stream streams[FEW];
	long hits;

	ASSERT_EQ(0, make_pairs(self->fds, variant->sealed));
	ASSERT_EQ(1, pwrite(self->limit, "0", 1, 0));
	hits = file_number(GROUP "/memory.events", "max");
	for (int i = 0; i < FEW; i++) {
		memcpy(streams[i].fds, self->fds[i], sizeof(streams[i].fds));
		ASSERT_EQ(0, worker_start(&streams[i].receiver, stream_receive, &streams[i]));
		ASSERT_EQ(0, worker_start(&streams[i].sender, stream_send, &streams[i]));
	}
	for (int i = 0; i < FEW; i++) {
		EXPECT_EQ(0, worker_join(&streams[i].sender));
		EXPECT_EQ(0, worker_join(&streams[i].receiver));
	}
	EXPECT_LT(hits, file_number(GROUP "/memory.events", "max"));
	close_pairs(self->fds);
	wait_until_below("sock", 1);
}

#define EATERS 64

struct eaters {
	int fds[EATERS];
	int count;
};

/*
 * What the group gives back, some of it only after a grace period, stays charged in a store of the
 * processor, of 64 pages at most, and can be had from there whatever the limit is.
 */
static void eat_what_was_given_back(struct eaters *eaters)
{
	int fd;

	while (eaters->count < EATERS && (fd = socket(AF_INET, SOCK_STREAM, 0)) >= 0)
		eaters->fds[eaters->count++] = fd;
}

static int stay_on_this_processor(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	return sched_setaffinity(0, sizeof(one), &one);
}

/* Attaching and installing keys at the limit: one errno, and later it works. */
TEST_F(group, at_the_limit_attach_and_install_fail_cleanly)
{
	bool attached[FEW] = {}, keyed[FEW] = {};
	struct eaters eaters = {};
	struct signet_keys keys;
	int refused = 0;

	if (!variant->sealed)
		SKIP(return, "TCP has neither");
	choose_keys(&keys, SIGNET_AES_128_GCM_SHA256);
	keys.rx = keys.tx;
	ASSERT_EQ(0, stay_on_this_processor());
	ASSERT_EQ(0, enter_group());
	for (int i = 0; i < FEW; i++)
		ASSERT_EQ(0, tcp_pair(LINK_IPV4, self->fds[i]));
	/* Who must not be killed is refused; nor may it need memory of its own. */
	ASSERT_EQ(0, file_write("/proc/self/oom_score_adj", "-1000"));
	ASSERT_EQ(0, mlockall(MCL_CURRENT));
	ASSERT_EQ(1, pwrite(self->limit, "0", 1, 0));
	for (int i = 0; i < FEW; i++) {
		eat_what_was_given_back(&eaters);
		errno = 0;
		attached[i] = !ulp_attach(self->fds[i][0]);
		keyed[i] = attached[i] && !keys_install(self->fds[i][0], &keys);
		if (keyed[i])
			continue;
		refused++;
		ASSERT_EQ(ENOMEM, errno);
	}
	ASSERT_EQ(3, pwrite(self->limit, "max", 3, 0));
	while (eaters.count)
		close(eaters.fds[--eaters.count]);
	EXPECT_LT(0, refused);
	TH_LOG("%d of %d refused", refused, FEW);
	for (int i = 0; i < FEW; i++) {
		/* One end as if nothing had been tried, whatever failed. */
		ASSERT_EQ(0, attached[i] ? 0 : ulp_attach(self->fds[i][0]));
		ASSERT_EQ(0, keyed[i] ? 0 : keys_install(self->fds[i][0], &keys));
		ASSERT_EQ(0, ulp_attach(self->fds[i][1]));
		ASSERT_EQ(0, keys_install(self->fds[i][1], &keys));
		ASSERT_EQ(0, send_pattern(self->fds[i][0], 0, 1000));
		ASSERT_EQ(0, recv_pattern(self->fds[i][1], 0, 1000));
	}
}

TEST_HARNESS_MAIN
