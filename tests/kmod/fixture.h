/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs have in common on top of the harness. Included once by
 * each of them.
 */
#ifndef TESTS_KMOD_FIXTURE_H
#define TESTS_KMOD_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "link.h"

/* enum of net/tcp_states.h, which userspace's headers hide from linux/tcp.h. */
enum {
	STATE_ESTABLISHED = 1,
	STATE_CLOSE = 7,
	STATE_CLOSE_WAIT = 8,
};

/*
 * TLS_FIXTURE - a fixture with one connection, in variants of suite and family
 * @name:	fixture
 * @prepare:	link_open or link_up
 */
#define TLS_FIXTURE(name, prepare)                                                   \
	FIXTURE(name)                                                                \
	{                                                                            \
		struct link link;                                                    \
	};                                                                           \
	FIXTURE_VARIANT(name)                                                        \
	{                                                                            \
		enum link_family family;                                             \
		uint16_t suite;                                                      \
	};                                                                           \
	FIXTURE_SETUP(name)                                                          \
	{                                                                            \
		signal(SIGPIPE, SIG_IGN);                                            \
		ASSERT_EQ(0, prepare(&self->link, variant->family, variant->suite)); \
	}                                                                            \
	FIXTURE_TEARDOWN(name)                                                       \
	{                                                                            \
		link_close(&self->link);                                             \
	}

#define TLS_VARIANT(name, variant, family_, suite_) \
	FIXTURE_VARIANT_ADD(name, variant)          \
	{                                           \
		.family = family_, .suite = suite_, \
	}

/* Every suite, every family: for what depends on keys or addresses. */
#define TLS_ALL_VARIANTS(name)                                                \
	TLS_VARIANT(name, aes128_ipv4, LINK_IPV4, SIGNET_AES_128_GCM_SHA256); \
	TLS_VARIANT(name, aes256_ipv4, LINK_IPV4, SIGNET_AES_256_GCM_SHA384); \
	TLS_VARIANT(name, aes128_ipv6, LINK_IPV6, SIGNET_AES_128_GCM_SHA256); \
	TLS_VARIANT(name, aes256_ipv6, LINK_IPV6, SIGNET_AES_256_GCM_SHA384); \
	TLS_VARIANT(name, aes256_mapped, LINK_MAPPED, SIGNET_AES_256_GCM_SHA384)

#define TLS_1_3_VARIANTS(name)                                                   \
	TLS_VARIANT(name, aes128_gcm, LINK_IPV4, SIGNET_AES_128_GCM_SHA256);     \
	TLS_VARIANT(name, aes256_gcm, LINK_IPV6, SIGNET_AES_256_GCM_SHA384);     \
	TLS_VARIANT(name, chacha20, LINK_IPV4, SIGNET_CHACHA20_POLY1305_SHA256); \
	TLS_VARIANT(name, aes128_ccm, LINK_IPV6, SIGNET_AES_128_CCM_SHA256)

#define TLS_1_2_VARIANTS(name)                                                               \
	TLS_VARIANT(name, tls12_ecdsa_aes128_gcm, LINK_IPV4,                                 \
		    SIGNET_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);                             \
	TLS_VARIANT(name, tls12_ecdsa_aes256_gcm, LINK_IPV6,                                 \
		    SIGNET_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);                             \
	TLS_VARIANT(name, tls12_rsa_aes128_gcm, LINK_IPV4,                                   \
		    SIGNET_ECDHE_RSA_WITH_AES_128_GCM_SHA256);                               \
	TLS_VARIANT(name, tls12_rsa_aes256_gcm, LINK_IPV6,                                   \
		    SIGNET_ECDHE_RSA_WITH_AES_256_GCM_SHA384);                               \
	TLS_VARIANT(name, tls12_aes128_ccm, LINK_IPV4, SIGNET_ECDHE_ECDSA_WITH_AES_128_CCM); \
	TLS_VARIANT(name, tls12_aes256_ccm, LINK_IPV6, SIGNET_ECDHE_ECDSA_WITH_AES_256_CCM); \
	TLS_VARIANT(name, tls12_rsa_chacha20, LINK_IPV4,                                     \
		    SIGNET_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256);                         \
	TLS_VARIANT(name, tls12_ecdsa_chacha20, LINK_IPV6,                                   \
		    SIGNET_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256)

/* Each suite and each family once: for the rest. */
#define TLS_TWO_VARIANTS(name)                                                \
	TLS_VARIANT(name, aes128_ipv4, LINK_IPV4, SIGNET_AES_128_GCM_SHA256); \
	TLS_VARIANT(name, aes256_ipv6, LINK_IPV6, SIGNET_AES_256_GCM_SHA384)

#define TLS_ONE_VARIANT(name) TLS_VARIANT(name, aes128_ipv4, LINK_IPV4, SIGNET_AES_128_GCM_SHA256)

/* A call that must fail with -1 and this errno. */
#define EXPECT_ERRNO(expected, call)                              \
	do {                                                      \
		errno = 0;                                        \
		EXPECT_EQ(-1, (long)(call))                       \
		{                                                 \
			TH_LOG("%s should fail", #call);          \
		}                                                 \
		EXPECT_EQ(expected, errno)                        \
		{                                                 \
			TH_LOG("%s: %s", #call, strerror(errno)); \
		}                                                 \
	} while (0)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FATAL(description) (ALERT_FATAL << 8 | (description))
#define CLOSE_NOTIFY (ALERT_WARNING << 8 | ALERT_CLOSE_NOTIFY)

/* The events that are there now. */
static inline int poll_now(int fd, int events)
{
	struct pollfd pollfd = { .fd = fd, .events = events };

	return poll(&pollfd, 1, 0) < 0 ? -1 : pollfd.revents;
}

/* Waits for one of the events; the harness's time limit ends what never comes. */
static inline int poll_wait(int fd, int events)
{
	struct pollfd pollfd = { .fd = fd, .events = events };

	return poll(&pollfd, 1, -1) < 0 ? -1 : pollfd.revents;
}

static inline void set_nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

/* After all that the peer sent was looked at. */
static inline bool nothing_to_read(struct link *link)
{
	uint8_t byte;

	wait_delivered(link->peer, link->fd);
	return recv(link->fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static inline int set_int_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

#endif /* TESTS_KMOD_FIXTURE_H */
