// SPDX-License-Identifier: GPL-2.0-only
/*
 * What uses sockets inside the kernel: read_sock, sendmsg_locked and callbacks, through
 * tests/module/signet_user.c.
 */
#include "fixture.h"

#include <linux/tls.h>
#include <stdio.h>

FIXTURE(users)
{
	struct link link;
	int file;
};

FIXTURE_SETUP(users)
{
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, system("modprobe signet_user"));
	self->file = open("/proc/signet_user", O_RDWR);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, link_up(&self->link, LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
}

FIXTURE_TEARDOWN(users)
{
	link_close(&self->link);
	close(self->file);
}

static int command(int file, const char *format, int fd, const char *rest)
{
	char text[200];
	int n = snprintf(text, sizeof(text), format, fd, rest);

	return write(file, text, n) == n ? 0 : -1;
}

/* read_sock() once. Return: bytes taken, or -1. */
static ssize_t take(int file, int fd, const char *max, uint8_t *to, size_t size)
{
	if (command(file, "read %d %s", fd, max))
		return -1;
	return pread(file, to, size, 0);
}

TEST_F(users, read_sock_takes_many_records)
{
	struct link *link = &self->link;
	static uint8_t data[100000];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 60000, 7000));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(60000, take(self->file, link->fd, "1000000", data, sizeof(data)));
	EXPECT_TRUE(pattern_matches(data, 0, 60000));
	/* Nothing is there: that is no error. */
	EXPECT_EQ(0, take(self->file, link->fd, "1000000", data, sizeof(data)));
}

TEST_F(users, read_sock_keeps_what_was_not_taken)
{
	struct link *link = &self->link;
	uint8_t data[5000];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 9000, 3000));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(100, take(self->file, link->fd, "100", data, sizeof(data)));
	EXPECT_TRUE(pattern_matches(data, 0, 100));
	/* An actor that takes little at a time is asked again. */
	EXPECT_EQ(0, command(self->file, "step 7%.0d%s", 0, ""));
	EXPECT_EQ(4000, take(self->file, link->fd, "4000", data, sizeof(data)));
	EXPECT_TRUE(pattern_matches(data, 100, 4000));
	EXPECT_EQ(0, recv_pattern(link->fd, 4100, 4900));
}

TEST_F(users, read_sock_passes_over_control_records)
{
	const uint8_t ticket[] = { MESSAGE_NEW_SESSION_TICKET, 0, 0, 2, 1, 2 };
	struct link *link = &self->link;
	uint8_t data[5000];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 400));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)));
	ASSERT_EQ(0, peer_send(link, TYPE_DATA, "", 0));
	ASSERT_EQ(0, peer_send_update(link, true));
	ASSERT_EQ(0, peer_send_pattern(link, 1000, 1000, 400));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(2000, take(self->file, link->fd, "5000", data, sizeof(data)));
	EXPECT_TRUE(pattern_matches(data, 0, 2000));
	/* The answer to the KeyUpdate has gone out. */
	link->follows_updates = true;
	ASSERT_EQ(0, send_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 100));
	EXPECT_EQ(1, link->updates);
}

TEST_F(users, read_sock_sees_the_end)
{
	struct link *link = &self->link;
	uint8_t data[100];

	ASSERT_EQ(0, peer_send_pattern(link, 0, 50, 50));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(50, take(self->file, link->fd, "100", data, sizeof(data)));
	EXPECT_EQ(0, take(self->file, link->fd, "100", data, sizeof(data)));
}

TEST_F(users, read_sock_sees_a_bad_record)
{
	struct link *link = &self->link;
	uint8_t record[RECORD_BUFFER], data[100];
	int n;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 50, 50));
	n = record_seal(&link->to_fd, TYPE_DATA, "bad", 3, 0, record);
	record[n - 1] ^= 1;
	ASSERT_EQ(0, peer_send_raw(link, record, n));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(50, take(self->file, link->fd, "100", data, sizeof(data)));
	EXPECT_ERRNO(EBADMSG, take(self->file, link->fd, "100", data, sizeof(data)));
	EXPECT_EQ(FATAL(ALERT_BAD_RECORD_MAC), peer_recv_alert(link));
}

TEST_F(users, sendmsg_locked_seals)
{
	struct link *link = &self->link;
	uint8_t content[RECORD_CONTENT], type;

	EXPECT_EQ(0, command(self->file, "send %d %s", link->fd, "from inside"));
	EXPECT_EQ(11, peer_recv(link, &type, content));
	EXPECT_EQ(TYPE_DATA, type);
	EXPECT_EQ(0, memcmp(content, "from inside", 11));
}

TEST_F(users, the_gate_holds_for_them_too)
{
	struct link link;
	uint8_t data[10];

	ASSERT_EQ(0, link_open(&link, LINK_IPV6, SIGNET_AES_128_GCM_SHA256));
	ASSERT_EQ(0, link_attach(&link));
	ASSERT_EQ(1, send(link.peer, "x", 1, 0));
	wait_delivered(link.peer, link.fd);
	EXPECT_ERRNO(ENOTCONN, command(self->file, "send %d %s", link.fd, "in the clear"));
	EXPECT_ERRNO(ENOTCONN, take(self->file, link.fd, "10", data, sizeof(data)));
	EXPECT_TRUE(peer_saw_nothing(&link));
	link_close(&link);
}

TEST_F(users, control_record_of_sol_tls_is_invalid)
{
	const struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { .version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
	};
	char control[CMSG_SPACE(1)] = {};
	struct iovec iov = { .iov_base = "ctrl", .iov_len = 4 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	uint8_t data[10];
	int fds[2];

	ASSERT_EQ(0, tcp_pair(LINK_IPV4, fds));
	ASSERT_EQ(0, ulp_attach(fds[0]) | ulp_attach(fds[1]));
	ASSERT_EQ(0, setsockopt(fds[0], SOL_TLS, TLS_TX, &info, sizeof(info)));
	ASSERT_EQ(0, setsockopt(fds[1], SOL_TLS, TLS_RX, &info, sizeof(info)));
	cmsg->cmsg_level = SOL_TLS;
	cmsg->cmsg_type = TLS_SET_RECORD_TYPE;
	cmsg->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(cmsg) = 100;
	ASSERT_EQ(4, sendmsg(fds[0], &msg, 0));
	wait_delivered(fds[0], fds[1]);
	EXPECT_ERRNO(EINVAL, take(self->file, fds[1], "10", data, sizeof(data)));
	EXPECT_ERRNO(EIO, recv(fds[1], data, sizeof(data), 0));
	close(fds[0]);
	close(fds[1]);
}

static long calls(int file)
{
	char text[20] = "";

	if (write(file, "calls", 5) != 5 || pread(file, text, sizeof(text) - 1, 0) <= 0)
		return -1;
	return atol(text);
}

static bool carries_data(struct link *link)
{
	return !send_pattern(link->fd, 0, 50000) && !peer_recv_pattern(link, 0, 50000) &&
	       !peer_send_pattern(link, 0, 50000, 7000) && !recv_pattern(link->fd, 0, 50000);
}

/* Whoever came first goes on being called, and is there again when the module is gone. */
TEST_F(users, callbacks_from_before_the_attach)
{
	struct link link;
	long before;

	ASSERT_EQ(0, link_open(&link, LINK_IPV4, SIGNET_AES_128_GCM_SHA256));
	ASSERT_EQ(0, command(self->file, "hook %d%s", link.fd, ""));
	ASSERT_EQ(0, link_attach(&link));
	ASSERT_EQ(0, link_install(&link));
	before = calls(self->file);
	ASSERT_LE(0, before);
	EXPECT_TRUE(carries_data(&link));
	EXPECT_LT(before, calls(self->file));
	/* After close() TCP goes on, with theirs. */
	ASSERT_EQ(1, send(link.fd, "x", 1, 0));
	close(link.fd);
	link.fd = -1;
	before = calls(self->file);
	EXPECT_EQ(0, peer_recv_pattern(&link, 50000, 0));
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_data_then_alert(&link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(&link));
	link_close(&link);
	EXPECT_LE(before, calls(self->file));
}

/* And whoever comes later is not taken off. */
TEST_F(users, callbacks_from_after_the_attach)
{
	struct link *link = &self->link;
	long before;

	ASSERT_EQ(0, command(self->file, "hook %d%s", link->fd, ""));
	before = calls(self->file);
	EXPECT_TRUE(carries_data(link));
	EXPECT_LT(before, calls(self->file));
	ASSERT_EQ(0, command(self->file, "unhook %d%s", link->fd, ""));
	ASSERT_EQ(0, send_pattern(link->fd, 50000, 50000));
	EXPECT_EQ(0, peer_recv_pattern(link, 50000, 50000));
	ASSERT_EQ(0, command(self->file, "hook %d%s", link->fd, ""));
	before = calls(self->file);
	close(link->fd);
	link->fd = -1;
	EXPECT_EQ(CLOSE_NOTIFY, peer_recv_alert(link));
	EXPECT_EQ(PEER_FIN, peer_recv_end(link));
	EXPECT_LE(before, calls(self->file));
}

TEST_HARNESS_MAIN
