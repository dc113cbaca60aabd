// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/signet_stat: each namespace counts what its own sockets do.
 */
#include "fixture.h"

#include <fcntl.h>

#include "namespace.h"

FIXTURE(counters)
{
	struct link link;
};

FIXTURE_SETUP(counters)
{
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, namespace_enter());
	ASSERT_EQ(0, link_up(&self->link, LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
}

FIXTURE_TEARDOWN(counters)
{
	link_close(&self->link);
}

static const char *const names[] = {
	"Attached", "Installed",    "TxRecords",    "RxRecords",     "TxBytes",	  "RxBytes",
	"BadTags",  "BadRecords",   "TxKeyUpdates", "RxKeyUpdates",  "Floods",	  "TxAlerts",
	"RxAlerts", "GateRefusals", "RxCopies",	    "PeekedRecords", "Truncated",
};

TEST_F(counters, each_is_there_and_begins_at_zero)
{
	ASSERT_EQ(0, namespace_enter());
	for (size_t i = 0; i < COUNT(names); i++) {
		EXPECT_EQ(0, counter_get(names[i]))
		{
			TH_LOG("%s", names[i]);
		}
	}
	/* A socket counts where it was made. */
	EXPECT_EQ(0, send_pattern(self->link.fd, 0, 10));
	EXPECT_EQ(0, counter_get("TxRecords"));
}

TEST_F(counters, data_is_counted)
{
	struct link *link = &self->link;

	EXPECT_EQ(1, counter_get("Attached"));
	EXPECT_EQ(2, counter_get("Installed"));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 3 * RECORD_CONTENT));
	ASSERT_EQ(0, peer_recv_pattern(link, 0, 3 * RECORD_CONTENT));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 100));
	ASSERT_EQ(0, recv_pattern(link->fd, 0, 1000));
	EXPECT_EQ(3, counter_get("TxRecords"));
	EXPECT_EQ(3 * RECORD_CONTENT, counter_get("TxBytes"));
	EXPECT_EQ(10, counter_get("RxRecords"));
	EXPECT_EQ(1000, counter_get("RxBytes"));
	EXPECT_EQ(0, counter_get("TxAlerts"));
	EXPECT_EQ(0, counter_get("BadRecords"));
	EXPECT_EQ(0, counter_get("BadTags"));
}

TEST_F(counters, key_updates_are_counted)
{
	struct link *link = &self->link;
	uint32_t flags = 0;

	ASSERT_EQ(0, peer_send_update(link, false));
	ASSERT_EQ(0, peer_send_update(link, true));
	EXPECT_TRUE(nothing_to_read(link));
	ASSERT_EQ(0, setsockopt(link->fd, SOL_SIGNET, SIGNET_REKEY, &flags, sizeof(flags)));
	EXPECT_EQ(2, counter_get("RxKeyUpdates"));
	EXPECT_EQ(2, counter_get("TxKeyUpdates"));
	EXPECT_EQ(2, counter_get("TxRecords"));
	EXPECT_EQ(2, counter_get("RxRecords"));
	/* Of all content types. */
	EXPECT_EQ(2 * 5, counter_get("TxBytes"));
	EXPECT_EQ(2 * 5, counter_get("RxBytes"));
}

TEST_F(counters, alerts_are_counted)
{
	struct link *link = &self->link;
	uint8_t byte;

	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_USER_CANCELED));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	ASSERT_EQ(0, recv(link->fd, &byte, 1, 0));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	EXPECT_EQ(2, counter_get("RxAlerts"));
	EXPECT_EQ(1, counter_get("TxAlerts"));
	EXPECT_EQ(0, counter_get("Truncated"));
}

TEST_F(counters, bad_tag_is_counted)
{
	struct link *link = &self->link;

	link->to_fd.sequence++;
	ASSERT_EQ(0, peer_send_pattern(link, 0, 10, 10));
	EXPECT_ERRNO(EBADMSG, recv(link->fd, &errno, 1, 0));
	EXPECT_EQ(1, counter_get("BadTags"));
	EXPECT_EQ(1, counter_get("TxAlerts"));
}

TEST_F(counters, bad_record_is_counted)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_send_raw(link, "\27\3\3\377\377", 5));
	EXPECT_ERRNO(EMSGSIZE, recv(link->fd, &errno, 1, 0));
	EXPECT_EQ(1, counter_get("BadRecords"));
	EXPECT_EQ(0, counter_get("BadTags"));
}

TEST_F(counters, flood_is_counted)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, default_set("idle_records_max", "3"));
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_send(link, TYPE_DATA, NULL, 0));
	EXPECT_ERRNO(EBADMSG, recv(link->fd, &errno, 1, 0));
	EXPECT_EQ(1, counter_get("Floods"));
}

TEST_F(counters, truncation_is_counted)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, peer_fin(link));
	for (int i = 0; i < 3; i++)
		EXPECT_ERRNO(ECONNABORTED, recv(link->fd, &errno, 1, 0));
	EXPECT_EQ(1, counter_get("Truncated"));
}

TEST_F(counters, gate_refusals_are_counted)
{
	struct link link;
	uint8_t byte;

	ASSERT_EQ(0, link_open(&link, LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
	ASSERT_EQ(0, link_attach(&link));
	EXPECT_ERRNO(ENOTCONN, send(link.fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERRNO(ENOTCONN, recv(link.fd, &byte, 1, 0));
	EXPECT_EQ(2, counter_get("GateRefusals"));
	EXPECT_EQ(2, counter_get("Attached"));
	EXPECT_EQ(2, counter_get("Installed"));
	link_close(&link);
}

TEST_F(counters, peeked_records_are_counted)
{
	struct link *link = &self->link;
	uint8_t bytes[1000];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 100));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(1000, recv(link->fd, bytes, sizeof(bytes), MSG_PEEK));
	/* The first one is opened once for all. */
	EXPECT_EQ(9, counter_get("PeekedRecords"));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 1000));
	EXPECT_EQ(10, counter_get("RxRecords"));
}

/* Who relays ciphertext by reference may change it between a cipher's two looks at it. */
TEST_F(counters, ciphertext_in_its_senders_memory_is_copied_first)
{
	static uint8_t record[RECORD_CONTENT + RECORD_OVERHEAD] __attribute__((aligned(4096)));
	static const size_t sizes[] = { 100, 3000, RECORD_CONTENT };
	static uint8_t content[RECORD_CONTENT], got[RECORD_CONTENT];
	struct link *link = &self->link;
	int pipes[2];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 2 * RECORD_CONTENT, RECORD_CONTENT));
	ASSERT_EQ(0, recv_pattern(link->fd, 0, 2 * RECORD_CONTENT));
	EXPECT_EQ(0, counter_get("RxCopies"));
	ASSERT_EQ(0, pipe(pipes));
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct iovec vec = { .iov_base = record };

		memset(content, 'a' + i, sizes[i]);
		vec.iov_len = record_seal(&link->to_fd, TYPE_DATA, content, sizes[i], 0, record);
		ASSERT_EQ(vec.iov_len, vmsplice(pipes[1], &vec, 1, 0));
		ASSERT_EQ(vec.iov_len, splice(pipes[0], NULL, link->peer, NULL, vec.iov_len, 0));
		ASSERT_EQ(sizes[i], recv(link->fd, got, sizes[i], MSG_WAITALL));
		EXPECT_EQ(0, memcmp(content, got, sizes[i]));
		EXPECT_EQ(i + 1, counter_get("RxCopies"));
	}
	close(pipes[0]);
	close(pipes[1]);
}

TEST_HARNESS_MAIN
