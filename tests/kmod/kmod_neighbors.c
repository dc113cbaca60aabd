// SPDX-License-Identifier: GPL-2.0-only
/*
 * What TCP sockets have beside data: time stamps, TCP_INQ, busy polling, time limits,
 * shared ports, a connection to itself.
 */
#include "fixture.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

TLS_FIXTURE(neighbor, link_up);
TLS_TWO_VARIANTS(neighbor);

/* One recvmsg() with a control buffer. Return: its data's length. */
static ssize_t recv_control(int fd, void *data, size_t len, struct msghdr *msg, char *control,
			    size_t size)
{
	static struct iovec iov;

	iov = (struct iovec){ data, len };
	*msg = (struct msghdr){
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = size
	};
	return recvmsg(fd, msg, MSG_DONTWAIT);
}

static struct cmsghdr *find_control(struct msghdr *msg, int level, int type)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == level && cmsg->cmsg_type == type)
			return cmsg;
	}
	return NULL;
}

/*
 * The kernel turns its stamping on by a work item: what comes before has none, on TCP
 * too. Receives until there is one; the harness's time limit ends what never comes.
 */
static struct cmsghdr *recv_stamp(struct link *link, struct msghdr *msg, char *control, size_t size,
				  int type)
{
	struct cmsghdr *cmsg;
	char data[100];

	do {
		if (peer_send_pattern(link, 0, sizeof(data), 30))
			return NULL;
		wait_delivered(link->peer, link->fd);
		if (recv_control(link->fd, data, sizeof(data), msg, control, size) != sizeof(data))
			return NULL;
		cmsg = find_control(msg, SOL_SOCKET, type);
	} while (!cmsg);
	return cmsg;
}

TEST_F(neighbor, data_is_stamped)
{
	struct link *link = &self->link;
	char control[256], data[100];
	struct scm_timestamping stamp;
	struct cmsghdr *cmsg;
	struct timespec now;
	struct msghdr msg;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_TIMESTAMPING,
				    SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE));
	for (int i = 0; i < 3; i++) {
		cmsg = recv_stamp(link, &msg, control, sizeof(control), SO_TIMESTAMPING);
		ASSERT_NE(NULL, cmsg);
		memcpy(&stamp, CMSG_DATA(cmsg), sizeof(stamp));
		clock_gettime(CLOCK_REALTIME, &now);
		EXPECT_LT(0, stamp.ts[0].tv_sec);
		EXPECT_LE(stamp.ts[0].tv_sec, now.tv_sec);
	}
	/* Without a control buffer nothing is told, and nothing is truncated. */
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 30));
	wait_delivered(link->peer, link->fd);
	EXPECT_EQ(100, recv_control(link->fd, data, sizeof(data), &msg, NULL, 0));
	EXPECT_EQ(0, msg.msg_flags & MSG_CTRUNC);
}

TEST_F(neighbor, stamps_as_so_timestamp_wants_them)
{
	struct link *link = &self->link;
	char control[256];
	struct msghdr msg;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	EXPECT_NE(NULL, recv_stamp(link, &msg, control, sizeof(control), SO_TIMESTAMPNS));
}

TEST_F(neighbor, tcp_inq_is_plaintext)
{
	struct link *link = &self->link;
	char control[256], data[40];
	struct cmsghdr *cmsg;
	struct msghdr msg;
	int inq;

	ASSERT_EQ(0, set_int_option(link->fd, IPPROTO_TCP, TCP_INQ, 1));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 1000, 100));
	wait_delivered(link->peer, link->fd);
	ASSERT_EQ(40, recv_control(link->fd, data, sizeof(data), &msg, control, sizeof(control)));
	cmsg = find_control(&msg, IPPROTO_TCP, TCP_CM_INQ);
	ASSERT_NE(NULL, cmsg);
	memcpy(&inq, CMSG_DATA(cmsg), sizeof(inq));
	EXPECT_EQ(960, inq);
}

TEST_F(neighbor, busy_polling_finds_data)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, set_int_option(link->fd, SOL_SOCKET, SO_BUSY_POLL, 50));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, peer_send_pattern(link, 100 * i, 100, 100));
		ASSERT_EQ(0, recv_pattern(link->fd, 100 * i, 100));
	}
}

TEST_F(neighbor, user_timeout_is_tcps)
{
	struct link *link = &self->link;
	socklen_t len = sizeof(int);
	int value = 0;

	ASSERT_EQ(0, set_int_option(link->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 12345));
	ASSERT_EQ(0, getsockopt(link->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &len));
	EXPECT_EQ(12345, value);
	ASSERT_EQ(0, send_pattern(link->fd, 0, 1000));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 1000));
}

TEST_F(neighbor, outq_counts_what_is_not_acknowledged)
{
	struct link *link = &self->link;
	int value = -1;

	ASSERT_EQ(0, send_pattern(link->fd, 0, 1000));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 1000));
	do {
		ASSERT_EQ(0, ioctl(link->fd, SIOCOUTQ, &value));
	} while (value);
}

/* A socket that is connected to itself has both ends' keys. */
TEST(connected_to_itself)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct signet_keys keys;
	char text[6] = "";

	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&address, len));
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&address, &len));
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&address, len));
	choose_keys(&keys, SIGNET_AES_128_GCM_SHA256);
	keys.rx = keys.tx;
	ASSERT_EQ(0, ulp_attach(fd));
	ASSERT_EQ(0, keys_install(fd, &keys));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(5, send(fd, "hello", 5, 0));
		ASSERT_EQ(5, recv(fd, text, 5, MSG_WAITALL));
		EXPECT_STREQ("hello", text);
	}
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	EXPECT_EQ(0, recv(fd, text, 5, 0));
	close(fd);
}

/* Children of listeners that share a port are attached as any other. */
TEST(shared_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener[2], accepted = -1;
	struct signet_keys keys;
	char byte = 0;
	int fd;

	for (int i = 0; i < 2; i++) {
		listener[i] = socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_EQ(0, set_int_option(listener[i], SOL_SOCKET, SO_REUSEPORT, 1));
		ASSERT_EQ(0, bind(listener[i], (struct sockaddr *)&address, len));
		ASSERT_EQ(0, getsockname(listener[i], (struct sockaddr *)&address, &len));
		ASSERT_EQ(0, listen(listener[i], 5));
		set_nonblocking(listener[i], true);
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&address, len));
	for (int i = 0; accepted < 0; i = !i)
		accepted = accept(listener[i], NULL, NULL);
	set_nonblocking(accepted, false);
	choose_keys(&keys, SIGNET_AES_256_GCM_SHA384);
	keys.rx = keys.tx;
	ASSERT_EQ(0, ulp_attach(fd) | ulp_attach(accepted));
	ASSERT_EQ(0, keys_install(fd, &keys) | keys_install(accepted, &keys));
	ASSERT_EQ(1, send(fd, "x", 1, 0));
	ASSERT_EQ(1, recv(accepted, &byte, 1, 0));
	EXPECT_EQ('x', byte);
	close(fd);
	close(accepted);
	close(listener[0]);
	close(listener[1]);
}

TEST_HARNESS_MAIN
