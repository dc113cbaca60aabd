// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel allocates for records, as its own tracing sees it: the module asks for
 * nothing per record, and TCP for no more than it does without it.
 */
#include "fixture.h"

#include <sched.h>
#include <stdio.h>

#include "tracing.h"

/* All that a thread allocates: objects, and pages. */
static const char *const events[] = { "kmem/kmalloc", "kmem/kmem_cache_alloc",
				      "kmem/mm_page_alloc" };

/**
 * struct allocations - what one thread has asked for
 * @objects:	from slabs, by anybody in the kernel
 * @own:	of those, by the module itself
 * @charged:	of those, charged to the memory control group
 * @pages:	from the page allocator
 */
struct allocations {
	long objects;
	long own;
	long charged;
	long pages;
};

FIXTURE(allocations)
{
	char *trace;
};

FIXTURE_VARIANT(allocations)
{
	uint16_t suite;
};

#define SUITE(name, number)                    \
	FIXTURE_VARIANT_ADD(allocations, name) \
	{                                      \
		.suite = number                \
	}

SUITE(aes128_gcm, SIGNET_AES_128_GCM_SHA256);
SUITE(chacha20, SIGNET_CHACHA20_POLY1305_SHA256);
SUITE(aes128_ccm, SIGNET_AES_128_CCM_SHA256);
SUITE(tls12_aes256_gcm, SIGNET_ECDHE_RSA_WITH_AES_256_GCM_SHA384);

FIXTURE_SETUP(allocations)
{
	cpu_set_t first;
	char filter[40];

	/* What the module keeps for the next call, it keeps per processor. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(first), &first));
	self->trace = malloc(TRACING_MAX);
	ASSERT_EQ(0, tracing_begin());
	/* Softirqs work for whom they interrupt: what comes back from the peer is counted too. */
	snprintf(filter, sizeof(filter), "common_pid == %d", gettid());
	for (size_t i = 0; i < COUNT(events); i++)
		ASSERT_EQ(0, tracing_add(events[i], filter));
}

FIXTURE_TEARDOWN(allocations)
{
	EXPECT_EQ(0, tracing_end());
	free(self->trace);
}

/* Counts what is in the trace. Return: -1 when some of it was lost. */
static int count(char *text, struct allocations *result)
{
	char *line, *rest;

	*result = (struct allocations){};
	if (tracing_read(text, TRACING_MAX))
		return -1;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (strstr(line, "mm_page_alloc:")) {
			result->pages++;
		} else if (strstr(line, "call_site=")) {
			result->objects++;
			if (!strstr(line, "[signet]"))
				continue;
			result->own++;
			result->charged += strstr(line, "accounted=true") != NULL;
		}
	}
	return 0;
}

#define ROUNDS 200
#define WARM_UP 20

/* One message there and back to the same thread. Return: 0 or -1. */
static int carry(int fds[2], size_t len)
{
	static uint8_t bytes[RECORD_CONTENT];

	return send(fds[0], bytes, len, 0) == (ssize_t)len &&
			       recv(fds[1], bytes, len, MSG_WAITALL) == (ssize_t)len ?
		       0 :
		       -1;
}

static int measure(char *text, int fds[2], size_t len, struct allocations *result)
{
	for (int i = 0; i < WARM_UP; i++) {
		if (carry(fds, len))
			return -1;
	}
	if (tracing_clear() || tracing_record(true))
		return -1;
	for (int i = 0; i < ROUNDS; i++) {
		if (carry(fds, len))
			return -1;
	}
	return tracing_record(false) || count(text, result) ? -1 : 0;
}

TEST_F(allocations, nothing_per_record)
{
	static const size_t lengths[] = { 1, 1000, RECORD_CONTENT };
	int plain[2], sealed[2];

	ASSERT_EQ(0, tcp_pair(LINK_IPV4, plain));
	ASSERT_EQ(0, signet_pair(LINK_IPV4, variant->suite, sealed));
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct allocations tcp, ours;

		ASSERT_EQ(0, measure(self->trace, plain, lengths[i], &tcp));
		ASSERT_EQ(0, measure(self->trace, sealed, lengths[i], &ours));
		TH_LOG("%d messages of %zu bytes: TCP %ld objects, %ld pages; here %ld and %ld",
		       ROUNDS, lengths[i], tcp.objects, tcp.pages, ours.objects, ours.pages);
		/* Without it nothing was measured: TCP's own packets. */
		EXPECT_LE(ROUNDS, tcp.objects);
		EXPECT_EQ(0, tcp.own);
		EXPECT_EQ(0, ours.own);
		EXPECT_GT(tcp.objects + ROUNDS / 4, ours.objects);
		EXPECT_GT(tcp.pages + ROUNDS / 4, ours.pages);
	}
	close(plain[0]);
	close(plain[1]);
	close(sealed[0]);
	close(sealed[1]);
}

/* So the module's own are seen as such. */
TEST_F(allocations, what_a_socket_keeps_is_charged)
{
	struct allocations attach;
	struct link link;

	ASSERT_EQ(0, link_open(&link, LINK_IPV4, variant->suite));
	ASSERT_EQ(0, tracing_record(true));
	ASSERT_EQ(0, link_attach(&link));
	ASSERT_EQ(0, link_install(&link));
	ASSERT_EQ(0, tracing_record(false));
	ASSERT_EQ(0, count(self->trace, &attach));
	/* A context, and a cipher for each direction; the option's value is soon freed. */
	EXPECT_EQ(3, attach.charged);
	EXPECT_EQ(4, attach.own);
	link_close(&link);
}

TEST_HARNESS_MAIN
