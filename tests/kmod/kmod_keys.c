// SPDX-License-Identifier: GPL-2.0-only
/*
 * Installing keys: what is refused leaves the socket as it was; left-over
 * ciphertext; what can be read out, and what not.
 */
#include "fixture.h"

#include <stddef.h>

static int link_open_attached(struct link *link, enum link_family family, uint16_t suite)
{
	return link_open(link, family, suite) || link_attach(link) ? -1 : 0;
}

TLS_FIXTURE(keys, link_open_attached);
TLS_TWO_VARIANTS(keys);

/* An option with room behind it. */
union option {
	struct signet_keys keys;
	struct signet_crypto crypto;
	uint8_t bytes[4096 + 8];
};

static int set_option(struct link *link, int option, const void *value, socklen_t len)
{
	return setsockopt(link->fd, SOL_SIGNET, option, value, len);
}

static bool exchange_works(struct link *link)
{
	return !send_pattern(link->fd, 0, 1000) && !peer_recv_pattern(link, 0, 1000) &&
	       !peer_send_pattern(link, 0, 1000, 300) && !recv_pattern(link->fd, 0, 1000);
}

/* The socket is as after the attach, and takes good keys. */
static bool still_gated(struct link *link)
{
	struct signet_info info;

	return !sock_info(link->fd, &info) && info.state == SIGNET_STATE_GATED &&
	       info.tx_state == SIGNET_DIRECTION_UNKEYED &&
	       info.rx_state == SIGNET_DIRECTION_UNKEYED && !info.error && !info.tx_suite &&
	       !info.rx_suite && info.role == SIGNET_ROLE_UNKNOWN && peer_saw_nothing(link);
}

/* --- what is refused -------------------- */

struct bad_member {
	const char *name;
	size_t offset; /* in struct signet_crypto */
	size_t len;
	uint64_t value;
	int error;
};

#define CRYPTO_MEMBER(member) \
	offsetof(struct signet_crypto, member), sizeof(((struct signet_crypto *)0)->member)

static const struct bad_member bad_members[] = {
	{ "version 0", CRYPTO_MEMBER(version), 0, EOPNOTSUPP },
	{ "TLS 1.2 with another's suite", CRYPTO_MEMBER(version), 0x0303, EOPNOTSUPP },
	{ "TLS 1.4", CRYPTO_MEMBER(version), 0x0305, EOPNOTSUPP },
	{ "version swapped", CRYPTO_MEMBER(version), 0x0403, EOPNOTSUPP },
	{ "suite 0", CRYPTO_MEMBER(suite), 0, EOPNOTSUPP },
	{ "suite CCM_8", CRYPTO_MEMBER(suite), 0x1305, EOPNOTSUPP },
	{ "suite of TLS 1.2", CRYPTO_MEMBER(suite), 0xc02b, EOPNOTSUPP },
	{ "suite swapped", CRYPTO_MEMBER(suite), 0x0113, EOPNOTSUPP },
	{ "suite 65535", CRYPTO_MEMBER(suite), 65535, EOPNOTSUPP },
	{ "no secret", CRYPTO_MEMBER(secret_len), 0, EINVAL },
	{ "secret of 31", CRYPTO_MEMBER(secret_len), 31, EINVAL },
	{ "secret of 33", CRYPTO_MEMBER(secret_len), 33, EINVAL },
	{ "secret of 47", CRYPTO_MEMBER(secret_len), 47, EINVAL },
	{ "secret of 49", CRYPTO_MEMBER(secret_len), 49, EINVAL },
	{ "secret of 64", CRYPTO_MEMBER(secret_len), 64, EINVAL },
	{ "secret of 65535", CRYPTO_MEMBER(secret_len), 65535, EINVAL },
	{ "reserved", CRYPTO_MEMBER(reserved), 1, EINVAL },
	{ "explicit nonce", CRYPTO_MEMBER(explicit_nonce), 1, EINVAL },
};

static void try_crypto(struct __test_metadata *_metadata, struct link *link,
		       const struct bad_member *bad)
{
	struct signet_crypto crypto = link->keys.tx;
	struct signet_keys keys = link->keys;

	memcpy((char *)&crypto + bad->offset, &bad->value, bad->len);
	EXPECT_ERRNO(bad->error, set_option(link, SIGNET_TX, &crypto, sizeof(crypto)));
	EXPECT_ERRNO(bad->error, set_option(link, SIGNET_RX, &crypto, sizeof(crypto)));
	memcpy((char *)&keys.tx + bad->offset, &bad->value, bad->len);
	EXPECT_ERRNO(bad->error, set_option(link, SIGNET_KEYS, &keys, sizeof(keys)));
	keys = link->keys;
	memcpy((char *)&keys.rx + bad->offset, &bad->value, bad->len);
	EXPECT_ERRNO(bad->error, set_option(link, SIGNET_KEYS, &keys, sizeof(keys)));
}

TEST_F(keys, bad_members_are_refused)
{
	for (size_t i = 0; i < sizeof(bad_members) / sizeof(bad_members[0]); i++) {
		try_crypto(_metadata, &self->link, &bad_members[i]);
		EXPECT_TRUE(still_gated(&self->link))
		{
			TH_LOG("%s", bad_members[i].name);
		}
	}
	ASSERT_EQ(0, link_install(&self->link));
	EXPECT_TRUE(exchange_works(&self->link));
}

TEST_F(keys, other_suites_secret_is_refused)
{
	struct signet_crypto crypto = self->link.keys.tx;

	crypto.secret_len = 32 + 48 - crypto.secret_len;
	EXPECT_ERRNO(EINVAL, set_option(&self->link, SIGNET_TX, &crypto, sizeof(crypto)));
	EXPECT_TRUE(still_gated(&self->link));
}

TEST_F(keys, bad_role_and_reserved_are_refused)
{
	struct signet_keys keys = self->link.keys;

	keys.role = 3;
	EXPECT_ERRNO(EINVAL, keys_install(self->link.fd, &keys));
	keys.role = 255;
	EXPECT_ERRNO(EINVAL, keys_install(self->link.fd, &keys));
	for (size_t i = 0; i < sizeof(keys.reserved); i++) {
		keys = self->link.keys;
		keys.reserved[i] = 1;
		EXPECT_ERRNO(EINVAL, keys_install(self->link.fd, &keys));
	}
	EXPECT_TRUE(still_gated(&self->link));
	ASSERT_EQ(0, link_install(&self->link));
	EXPECT_TRUE(exchange_works(&self->link));
}

TEST_F(keys, every_wrong_length_is_refused)
{
	struct link *link = &self->link;
	union option option = {};
	socklen_t len;

	option.crypto = link->keys.tx;
	for (len = 0; len < sizeof(option.crypto); len++) {
		EXPECT_ERRNO(EINVAL, set_option(link, SIGNET_TX, &option, len));
		EXPECT_ERRNO(EINVAL, set_option(link, SIGNET_RX, &option, len));
	}
	for (len++; len <= sizeof(option.crypto) + 8; len++) {
		memset(&option, 0, sizeof(option));
		option.crypto = link->keys.tx;
		option.bytes[len - 1] = 1;
		EXPECT_ERRNO(E2BIG, set_option(link, SIGNET_TX, &option, len));
		EXPECT_ERRNO(E2BIG, set_option(link, SIGNET_RX, &option, len));
	}
	memset(&option, 0, sizeof(option));
	option.keys = link->keys;
	for (len = 0; len < sizeof(option.keys); len++) {
		EXPECT_ERRNO(EINVAL, set_option(link, SIGNET_KEYS, &option, len));
		/* Even when the structure agrees with the length. */
		option.keys.size = len;
		EXPECT_ERRNO(EINVAL, set_option(link, SIGNET_KEYS, &option, len));
		option.keys.size = sizeof(option.keys);
	}
	for (len++; len <= sizeof(option.keys) + 8; len++) {
		memset(&option, 0, sizeof(option));
		option.keys = link->keys;
		EXPECT_ERRNO(EINVAL, set_option(link, SIGNET_KEYS, &option, len));
		option.keys.size = len;
		option.bytes[len - 1] = 1;
		EXPECT_ERRNO(E2BIG, set_option(link, SIGNET_KEYS, &option, len));
	}
	EXPECT_TRUE(still_gated(link));
	ASSERT_EQ(0, link_install(link));
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(keys, longer_structures_with_zeros_are_taken)
{
	struct link *link = &self->link;
	union option option = {};

	option.crypto = link->keys.tx;
	ASSERT_EQ(0, set_option(link, SIGNET_TX, &option, sizeof(option.crypto) + 40));
	option.crypto = link->keys.rx;
	ASSERT_EQ(0, set_option(link, SIGNET_RX, &option, sizeof(option.crypto) + 1));
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(keys, longer_keys_with_zeros_and_leftover_are_taken)
{
	struct link *link = &self->link;
	union option option = {};
	int n;

	option.keys = link->keys;
	option.keys.size = sizeof(option.keys) + 16;
	n = record_seal(&link->to_fd, TYPE_DATA, "leftover", 8, 0, option.bytes + option.keys.size);
	option.keys.leftover_len = n;
	ASSERT_EQ(0, set_option(link, SIGNET_KEYS, &option, option.keys.size + n));
	EXPECT_EQ(8, recv(link->fd, option.bytes, sizeof(option), 0));
	EXPECT_EQ(0, memcmp(option.bytes, "leftover", 8));
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(keys, lying_sizes_are_refused)
{
	static const struct {
		uint32_t size;
		uint32_t leftover_len;
		socklen_t len;
		int error;
	} lies[] = {
		{ 0, 0, sizeof(struct signet_keys), EINVAL },
		{ sizeof(struct signet_keys) - 1, 0, sizeof(struct signet_keys), EINVAL },
		{ sizeof(struct signet_keys) - 1, 1, sizeof(struct signet_keys), EINVAL },
		{ sizeof(struct signet_keys) + 1, 0, sizeof(struct signet_keys), EINVAL },
		{ sizeof(struct signet_keys) + 1, -1, sizeof(struct signet_keys), EMSGSIZE },
		{ sizeof(struct signet_keys), 1, sizeof(struct signet_keys), EINVAL },
		{ sizeof(struct signet_keys), 0, sizeof(struct signet_keys) + 1, EINVAL },
		{ sizeof(struct signet_keys), 5, sizeof(struct signet_keys) + 4, EINVAL },
		{ sizeof(struct signet_keys), 5, sizeof(struct signet_keys) + 6, EINVAL },
		{ sizeof(struct signet_keys), SIGNET_LEFTOVER_MAX + 1, sizeof(struct signet_keys),
		  EMSGSIZE },
		{ sizeof(struct signet_keys), -1U, sizeof(struct signet_keys) - 1, EINVAL },
		{ sizeof(struct signet_keys), -1U, sizeof(struct signet_keys), EMSGSIZE },
		{ -1U, 0, sizeof(struct signet_keys), E2BIG },
		{ -1U, sizeof(struct signet_keys) + 1, sizeof(struct signet_keys), E2BIG },
		{ 5000, 0, 4096, E2BIG },
	};
	struct link *link = &self->link;
	union option option = {};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		option.keys = link->keys;
		option.keys.size = lies[i].size;
		option.keys.leftover_len = lies[i].leftover_len;
		EXPECT_EQ(-1, set_option(link, SIGNET_KEYS, &option, lies[i].len));
		EXPECT_EQ(lies[i].error, errno)
		{
			TH_LOG("lie %zu", i);
		}
	}
	EXPECT_TRUE(still_gated(link));
	ASSERT_EQ(0, link_install(link));
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(keys, too_much_leftover_is_refused)
{
	struct link *link = &self->link;
	uint8_t *zeros = calloc(1, SIGNET_LEFTOVER_MAX + 1);

	EXPECT_ERRNO(EMSGSIZE, link_install_leftover(link, zeros, SIGNET_LEFTOVER_MAX + 1));
	EXPECT_TRUE(still_gated(link));
	ASSERT_EQ(0, link_install(link));
	EXPECT_TRUE(exchange_works(link));
	free(zeros);
}

TEST_F(keys, bad_addresses_are_refused)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct link *link = &self->link;
	struct signet_keys keys = link->keys;
	uint8_t *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t n;

	ASSERT_EQ(0, mprotect(pages + page, page, PROT_NONE));
	EXPECT_ERRNO(EFAULT, set_option(link, SIGNET_KEYS, NULL, sizeof(keys)));
	EXPECT_ERRNO(EFAULT, set_option(link, SIGNET_TX, NULL, sizeof(keys.tx)));
	EXPECT_ERRNO(EFAULT, set_option(link, SIGNET_RX, (void *)-4096L, sizeof(keys.rx)));
	for (n = 1; n < sizeof(keys); n += 7) {
		memcpy(pages + page - n, &keys, n);
		EXPECT_ERRNO(EFAULT, set_option(link, SIGNET_KEYS, pages + page - n, sizeof(keys)));
	}
	for (n = 1; n < sizeof(keys.tx); n += 5) {
		memcpy(pages + page - n, &keys.tx, n);
		EXPECT_ERRNO(EFAULT,
			     set_option(link, SIGNET_TX, pages + page - n, sizeof(keys.tx)));
		EXPECT_ERRNO(EFAULT,
			     set_option(link, SIGNET_RX, pages + page - n, sizeof(keys.tx)));
	}
	/* Only the left-over bytes are not there. */
	keys.leftover_len = 10;
	memcpy(pages + page - sizeof(keys), &keys, sizeof(keys));
	EXPECT_ERRNO(EFAULT,
		     set_option(link, SIGNET_KEYS, pages + page - sizeof(keys), sizeof(keys) + 10));
	EXPECT_TRUE(still_gated(link));
	ASSERT_EQ(0, link_install(link));
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(keys, unknown_options_are_refused)
{
	struct link *link = &self->link;

	for (int option = 0; option < 128; option++) {
		if ((option >= SIGNET_CONNECT && option <= SIGNET_TIMEOUT) ||
		    (option >= SIGNET_KEYS && option <= SIGNET_RECORD_TYPES) ||
		    option == SIGNET_EXPORT)
			continue;
		EXPECT_ERRNO(ENOPROTOOPT,
			     set_option(link, option, &link->keys, sizeof(link->keys)));
	}
	/* Known, and not of that size. */
	for (int option = SIGNET_REKEY; option <= SIGNET_RECORD_TYPES; option++)
		EXPECT_ERRNO(EINVAL, set_option(link, option, &link->keys, sizeof(link->keys)));
	EXPECT_ERRNO(ENOPROTOOPT, set_option(link, -1, &link->keys, sizeof(link->keys)));
	EXPECT_TRUE(still_gated(link));
}

/* --- what is taken -------------------- */

TEST_F(keys, twice_is_refused)
{
	struct link *link = &self->link;
	struct signet_keys other = link->keys;

	memset(other.tx.secret, 0x5a, other.tx.secret_len);
	memset(other.rx.secret, 0x5a, other.rx.secret_len);
	ASSERT_EQ(0, link_install(link));
	EXPECT_ERRNO(EBUSY, keys_install(link->fd, &other));
	EXPECT_ERRNO(EBUSY, set_option(link, SIGNET_TX, &other.tx, sizeof(other.tx)));
	EXPECT_ERRNO(EBUSY, set_option(link, SIGNET_RX, &other.rx, sizeof(other.rx)));
	EXPECT_TRUE(exchange_works(link));
	EXPECT_ERRNO(EBUSY, keys_install(link->fd, &other));
	EXPECT_ERRNO(EBUSY, link_install_leftover(link, "left over", 9));
}

TEST_F(keys, one_direction_at_a_time)
{
	struct link *link = &self->link;
	struct signet_info info;
	uint8_t byte;

	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	wait_received(link->fd, 100);
	ASSERT_EQ(0, set_option(link, SIGNET_TX, &link->keys.tx, sizeof(link->keys.tx)));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_STATE_GATED, info.state);
	EXPECT_EQ(SIGNET_DIRECTION_OPEN, info.tx_state);
	EXPECT_EQ(SIGNET_DIRECTION_UNKEYED, info.rx_state);
	EXPECT_EQ(POLLOUT, poll_now(link->fd, POLLIN | POLLOUT));
	EXPECT_ERRNO(ENOTCONN, recv(link->fd, &byte, 1, 0));
	EXPECT_EQ(0, send_pattern(link->fd, 0, 100));
	EXPECT_EQ(0, peer_recv_pattern(link, 0, 100));
	EXPECT_ERRNO(EBUSY, link_install(link));
	EXPECT_ERRNO(ENOTCONN, recv(link->fd, &byte, 1, 0));

	ASSERT_EQ(0, set_option(link, SIGNET_RX, &link->keys.rx, sizeof(link->keys.rx)));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, info.state);
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(keys, receiving_only)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, set_option(link, SIGNET_RX, &link->keys.rx, sizeof(link->keys.rx)));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 100));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 100));
	EXPECT_ERRNO(ENOTCONN, send(link->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, poll_now(link->fd, POLLIN | POLLOUT));
	EXPECT_TRUE(peer_saw_nothing(link));
	/* A failure now has no keys for an alert. */
	ASSERT_EQ(0, peer_send_raw(link, "\x17\x03\x03\xff\xff", 5));
	EXPECT_ERRNO(EMSGSIZE, recv(link->fd, &link, 1, 0));
	close(self->link.fd);
	self->link.fd = -1;
	EXPECT_LT(peer_recv_end(&self->link), 0);
}

TEST_F(keys, each_direction_has_its_suite)
{
	struct link *link = &self->link;
	struct signet_info info;

	link->keys.tx.suite ^= SIGNET_AES_128_GCM_SHA256 ^ SIGNET_AES_256_GCM_SHA384;
	link->keys.tx.secret_len = 32 + 48 - link->keys.tx.secret_len;
	memset(link->keys.tx.secret, 0, sizeof(link->keys.tx.secret));
	memset(link->keys.tx.secret, 9, link->keys.tx.secret_len);
	ASSERT_EQ(0, link_rekey(link));
	ASSERT_EQ(0, link_install(link));
	EXPECT_TRUE(exchange_works(link));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(link->keys.tx.suite, info.tx_suite);
	EXPECT_EQ(link->keys.rx.suite, info.rx_suite);
}

TEST_F(keys, sequence_numbers_start_anywhere)
{
	struct link *link = &self->link;
	struct signet_info info;

	/* Below the cipher's limit in the one direction, wherever in the other. */
	link->keys.tx.sequence = 0x01020304;
	link->keys.rx.sequence = 0x01020304fffffffe;
	ASSERT_EQ(0, link_rekey(link));
	ASSERT_EQ(0, link_install(link));
	EXPECT_TRUE(exchange_works(link));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(0x01020304 + 1, info.tx_sequence);
	/* 1000 bytes in records of 300. */
	EXPECT_EQ(0x01020304fffffffe + 4, info.rx_sequence);
	EXPECT_EQ(1, info.tx_records);
	EXPECT_EQ(4, info.rx_records);
}

/* Beyond the cipher's limit: the keys change first. */
TEST_F(keys, sending_sequence_never_wraps)
{
	struct link *link = &self->link;
	struct signet_info info;
	struct sink sink;

	link->keys.tx.sequence = -10ULL;
	ASSERT_EQ(0, link_rekey(link));
	ASSERT_EQ(0, link_install(link));
	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, send_pattern(link->fd, i, 1));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, info.state);
	EXPECT_EQ(1, info.tx_epoch);
	EXPECT_EQ(20, info.tx_sequence);
	EXPECT_EQ(21, info.tx_records);
	close(link->fd);
	link->fd = -1;
	link->follows_updates = true;
	sink_run(&sink, link);
	EXPECT_EQ(1, link->updates);
	EXPECT_EQ(0, link->requests);
	EXPECT_TRUE(sink.intact);
	EXPECT_EQ(20, sink.bytes);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
	EXPECT_EQ(PEER_FIN, sink.end);
}

TEST_F(keys, receiving_sequence_never_wraps)
{
	struct link *link = &self->link;
	uint8_t byte;

	link->keys.rx.sequence = -2ULL;
	ASSERT_EQ(0, link_rekey(link));
	ASSERT_EQ(0, link_install(link));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 3, 1));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 1));
	/* Number 2^64 - 1 may be refused or not, but nothing after it. */
	if (recv(link->fd, &byte, 1, 0) == 1) {
		EXPECT_EQ(-1, recv(link->fd, &byte, 1, 0));
	}
	EXPECT_EQ(-1, recv(link->fd, &byte, 1, 0));
}

TEST_F(keys, in_state_closed_or_failed)
{
	struct link *link = &self->link;

	ASSERT_EQ(0, link_install(link));
	ASSERT_EQ(0, peer_send_raw(link, "\x17\x03\x03\xff\xff", 5));
	EXPECT_ERRNO(EMSGSIZE, recv(link->fd, &errno, 1, 0));
	EXPECT_ERRNO(EMSGSIZE, link_install(link));
	EXPECT_ERRNO(EMSGSIZE, set_option(link, SIGNET_TX, &link->keys.tx, sizeof(link->keys.tx)));
}

TEST_F(keys, after_reset_or_shutdown)
{
	struct link other;

	ASSERT_EQ(0, shutdown(self->link.fd, SHUT_WR));
	EXPECT_ERRNO(ENOTCONN, link_install(&self->link));
	ASSERT_EQ(0, link_open_attached(&other, variant->family, variant->suite));
	peer_reset(&other);
	wait_state(other.fd, STATE_CLOSE);
	EXPECT_ERRNO(ENOTCONN, link_install(&other));
	link_close(&other);
}

/* --- left-over ciphertext -------------------- */

TEST_F(keys, leftover_comes_first)
{
	struct link *link = &self->link;
	uint8_t leftover[SIGNET_LEFTOVER_MAX], content[5000];
	size_t len = 0;

	for (int i = 0; i < 3; i++) {
		pattern_fill(content, i * 5000, 5000);
		len += record_seal(&link->to_fd, TYPE_DATA, content, 5000, 0, leftover + len);
	}
	ASSERT_EQ(0, peer_send_pattern(link, 15000, 5000, 1000));
	wait_received(link->fd, 5000);
	ASSERT_EQ(0, link_install_leftover(link, leftover, len));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(link->fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, 20000));
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(keys, leftover_of_the_greatest_length)
{
	uint8_t leftover[SIGNET_LEFTOVER_MAX + RECORD_BUFFER], content[RECORD_CONTENT];
	struct link *link = &self->link;
	size_t len = 0, bytes = 0;

	while (len < SIGNET_LEFTOVER_MAX) {
		pattern_fill(content, bytes, sizeof(content));
		len += record_seal(&link->to_fd, TYPE_DATA, content, sizeof(content), 0,
				   leftover + len);
		bytes += sizeof(content);
	}
	ASSERT_EQ(0, link_install_leftover(link, leftover, SIGNET_LEFTOVER_MAX));
	EXPECT_EQ(0, recv_pattern(link->fd, 0, bytes - RECORD_CONTENT));
	EXPECT_ERRNO(EAGAIN, recv(link->fd, content, 1, MSG_DONTWAIT));
	ASSERT_EQ(0,
		  peer_send_raw(link, leftover + SIGNET_LEFTOVER_MAX, len - SIGNET_LEFTOVER_MAX));
	EXPECT_EQ(0, recv_pattern(link->fd, bytes - RECORD_CONTENT, RECORD_CONTENT));
	EXPECT_TRUE(exchange_works(link));
}

TEST_F(keys, leftover_then_close_notify)
{
	struct link *link = &self->link;
	uint8_t leftover[200], alert[2] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };
	size_t len;

	len = record_seal(&link->to_fd, TYPE_DATA, "end", 3, 0, leftover);
	len += record_seal(&link->to_fd, TYPE_ALERT, alert, 2, 0, leftover + len);
	ASSERT_EQ(0, link_install_leftover(link, leftover, len));
	EXPECT_EQ(3, recv(link->fd, leftover, 200, 0));
	EXPECT_EQ(0, recv(link->fd, leftover, 200, 0));
}

TEST_F(keys, leftover_that_is_rubbish)
{
	struct link *link = &self->link;
	uint8_t byte;

	ASSERT_EQ(0, link_install_leftover(link, "HTTP/1.1 200 OK", 15));
	/* As a header, this names 20527 bytes. */
	EXPECT_ERRNO(EMSGSIZE, recv(link->fd, &byte, 1, 0));
	EXPECT_EQ(FATAL(ALERT_RECORD_OVERFLOW), peer_recv_alert(link));
}

/* Two records of which the first bytes were left over, cut at every byte. */
TEST_F_TIMEOUT(keys, leftover_cut_at_every_byte, 60)
{
	for (size_t cut = 0; cut <= 2 * (20 + RECORD_OVERHEAD); cut++) {
		uint8_t records[200], content[20];
		struct link link;
		size_t len = 0;

		ASSERT_EQ(0, link_open_attached(&link, variant->family, variant->suite));
		for (int i = 0; i < 2; i++) {
			pattern_fill(content, 20 * i, 20);
			len += record_seal(&link.to_fd, TYPE_DATA, content, 20, 0, records + len);
		}
		/* Before or after the install. */
		if (cut % 2)
			ASSERT_EQ(0, peer_send_raw(&link, records + cut, len - cut));
		ASSERT_EQ(0, link_install_leftover(&link, records, cut));
		if (cut % 2 == 0)
			ASSERT_EQ(0, peer_send_raw(&link, records + cut, len - cut));
		EXPECT_EQ(0, recv_pattern(link.fd, 0, 40))
		{
			TH_LOG("cut after %zu bytes: %s", cut, strerror(errno));
		}
		link_close(&link);
	}
}

/* --- reading out -------------------- */

TEST_F(keys, info_counts)
{
	struct link *link = &self->link;
	struct signet_info info;
	uint8_t ticket[] = { MESSAGE_NEW_SESSION_TICKET, 0, 0, 1, 0 };

	ASSERT_EQ(0, link_install(link));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 20000));
	ASSERT_EQ(0, peer_recv_pattern(link, 0, 20000));
	ASSERT_EQ(0, peer_send(link, TYPE_HANDSHAKE, ticket, sizeof(ticket)));
	ASSERT_EQ(0, peer_send_pattern(link, 0, 100, 10));
	ASSERT_EQ(0, recv_pattern(link->fd, 0, 100));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_STATE_ESTABLISHED, info.state);
	EXPECT_EQ(SIGNET_ROLE_CLIENT, info.role);
	EXPECT_EQ(SIGNET_TLS_1_3, info.version);
	EXPECT_EQ(variant->suite, info.tx_suite);
	EXPECT_EQ(variant->suite, info.rx_suite);
	EXPECT_EQ(0, info.tx_epoch);
	EXPECT_EQ(0, info.rx_epoch);
	EXPECT_EQ(2, info.tx_sequence);
	EXPECT_EQ(2, info.tx_records);
	EXPECT_EQ(20000, info.tx_bytes);
	EXPECT_EQ(11, info.rx_sequence);
	EXPECT_EQ(11, info.rx_records);
	EXPECT_EQ(1, info.rx_control);
	EXPECT_EQ(100, info.rx_bytes);
	EXPECT_EQ(0, info.tx_unsent);
	EXPECT_EQ(0, info.alert_sent);
	EXPECT_EQ(0, info.alert_received);
	EXPECT_EQ(0, info.error);
	EXPECT_EQ(0, info.group);
	EXPECT_EQ(0, info.reserved2);
}

TEST_F(keys, info_outlives_the_connection)
{
	struct link *link = &self->link;
	struct signet_info info;
	uint8_t byte;

	ASSERT_EQ(0, link_install(link));
	ASSERT_EQ(0, send_pattern(link->fd, 0, 100));
	ASSERT_EQ(0, peer_send_alert(link, ALERT_WARNING, ALERT_CLOSE_NOTIFY));
	ASSERT_EQ(0, recv(link->fd, &byte, 1, 0));
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(SIGNET_STATE_CLOSED, info.state);
	EXPECT_EQ(SIGNET_DIRECTION_CLOSED, info.tx_state);
	EXPECT_EQ(SIGNET_DIRECTION_CLOSED, info.rx_state);
	EXPECT_EQ(CLOSE_NOTIFY, info.alert_sent);
	EXPECT_EQ(CLOSE_NOTIFY, info.alert_received);
	EXPECT_EQ(SIGNET_TLS_1_3, info.version);
	EXPECT_EQ(variant->suite, info.tx_suite);
	EXPECT_EQ(variant->suite, info.rx_suite);
	EXPECT_EQ(2, info.tx_sequence);
	EXPECT_EQ(1, info.rx_sequence);
}

TEST_F(keys, info_fills_the_room_it_is_given)
{
	struct link *link = &self->link;
	struct signet_info whole;
	uint8_t bytes[sizeof(whole) + 16];
	uint32_t size;
	socklen_t len;

	ASSERT_EQ(0, link_install(link));
	ASSERT_EQ(0, sock_info(link->fd, &whole));
	for (size_t room = 0; room <= sizeof(bytes); room++) {
		size_t given = room < sizeof(whole) ? room : sizeof(whole);

		memset(bytes, 0xa5, sizeof(bytes));
		len = room;
		ASSERT_EQ(0, getsockopt(link->fd, SOL_SIGNET, SIGNET_INFO, bytes, &len));
		EXPECT_EQ(given, len);
		if (given >= sizeof(size)) {
			memcpy(&size, bytes, sizeof(size));
			EXPECT_EQ(given, size);
			EXPECT_EQ(0, memcmp(bytes + 4, (char *)&whole + 4, given - 4));
		}
		for (size_t i = given; i < sizeof(bytes); i++)
			ASSERT_EQ(0xa5, bytes[i]);
	}
}

TEST_F(keys, error_is_a_text)
{
	struct link *link = &self->link;
	char text[256], whole[256];
	socklen_t len = sizeof(whole);

	ASSERT_EQ(0, getsockopt(link->fd, SOL_SIGNET, SIGNET_ERROR, whole, &len));
	EXPECT_STREQ("no error", whole);
	EXPECT_EQ(strlen(whole) + 1, len);
	ASSERT_EQ(0, link_install(link));
	ASSERT_EQ(0, peer_send_raw(link, "\x17\x03\x01", 3));
	ASSERT_EQ(0, peer_send_raw(link, "\x17\x03\x01", 3));
	EXPECT_ERRNO(EPROTONOSUPPORT, recv(link->fd, text, 1, 0));
	len = sizeof(whole);
	ASSERT_EQ(0, getsockopt(link->fd, SOL_SIGNET, SIGNET_ERROR, whole, &len));
	EXPECT_STREQ("a record header names another TLS version", whole);
	for (size_t room = 0; room < strlen(whole) + 1; room++) {
		memset(text, 'x', sizeof(text));
		len = room;
		ASSERT_EQ(0, getsockopt(link->fd, SOL_SIGNET, SIGNET_ERROR, text, &len));
		EXPECT_EQ(room, len);
		EXPECT_EQ(0, memcmp(text, whole, room));
		EXPECT_EQ('x', text[room]);
	}
}

TEST_F(keys, reading_out_checks_addresses)
{
	struct link *link = &self->link;
	struct signet_info info;
	socklen_t len = sizeof(info);

	EXPECT_ERRNO(EFAULT, getsockopt(link->fd, SOL_SIGNET, SIGNET_INFO, NULL, &len));
	len = sizeof(info);
	EXPECT_ERRNO(EFAULT, getsockopt(link->fd, SOL_SIGNET, SIGNET_ERROR, NULL, &len));
	EXPECT_ERRNO(EFAULT,
		     syscall(SYS_getsockopt, link->fd, SOL_SIGNET, SIGNET_INFO, &info, NULL));
	len = -1;
	EXPECT_ERRNO(EINVAL, getsockopt(link->fd, SOL_SIGNET, SIGNET_INFO, &info, &len));
}

static bool contains(const uint8_t *bytes, size_t len, const struct signet_crypto *crypto)
{
	return memmem(bytes, len, crypto->secret, 8) ||
	       memmem(bytes, len, crypto->secret + crypto->secret_len - 8, 8);
}

/* No option of any level that TCP sockets have gives a piece of a secret. */
TEST_F(keys, secrets_cannot_be_read)
{
	static const int levels[] = { SOL_SIGNET, IPPROTO_TCP, SOL_SOCKET, IPPROTO_IP, 282 };
	struct link *link = &self->link;
	uint8_t bytes[4096];
	socklen_t len;

	ASSERT_EQ(0, link_install(link));
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		for (int option = 0; option < 128; option++) {
			memset(bytes, 0, sizeof(bytes));
			len = sizeof(bytes);
			if (getsockopt(link->fd, levels[i], option, bytes, &len))
				continue;
			EXPECT_FALSE(contains(bytes, sizeof(bytes), &link->keys.tx));
			EXPECT_FALSE(contains(bytes, sizeof(bytes), &link->keys.rx));
		}
	}
	len = sizeof(bytes);
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(link->fd, SOL_SIGNET, SIGNET_KEYS, bytes, &len));
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(link->fd, SOL_SIGNET, SIGNET_TX, bytes, &len));
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(link->fd, SOL_SIGNET, SIGNET_RX, bytes, &len));
	EXPECT_TRUE(exchange_works(link));
}

TEST_HARNESS_MAIN
