// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation, and every copy from and to userspace, of every call fails in
 * turn: the Nth one of a call on a fresh connection, until N is more than there
 * are. Whatever failed, the errno is one that the call documents, and the socket
 * goes on: the peer gets every byte that was reported as sent once, in records
 * that open under the right keys and sequence numbers, and nothing in the clear.
 *
 * Needs a kernel with fault injection: scripts/vm --debug.
 */
#include "fixture.h"

#include <linux/tls.h>
#include <sys/sendfile.h>

#include "tracing.h"
#include "trial.h"

FIXTURE(faults)
{
	struct link link;
};

FIXTURE_VARIANT(faults)
{
	uint16_t suite;
};

FIXTURE_VARIANT_ADD(faults, tls13_gcm){
	.suite = SIGNET_AES_128_GCM_SHA256,
};

FIXTURE_VARIANT_ADD(faults, tls13_chacha20){
	.suite = SIGNET_CHACHA20_POLY1305_SHA256,
};

FIXTURE_VARIANT_ADD(faults, tls12_ccm){
	.suite = SIGNET_ECDHE_ECDSA_WITH_AES_128_CCM,
};

FIXTURE_SETUP(faults)
{
	signal(SIGPIPE, SIG_IGN);
	if (fault_setup())
		SKIP(return, "this kernel has no fault injection");
	self->link.fd = -1;
	self->link.peer = -1;
}

FIXTURE_TEARDOWN(faults)
{
}

/*
 * TCP itself sends no FIN and no reset when it has no memory for them, so a peer that
 * waits for the end may have to give up.
 */
static void end_may_be_lost(struct link *link)
{
	struct timeval second = { .tv_sec = 1 };

	setsockopt(link->peer, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
}

/* Behind close_notify there is nothing but FIN, if TCP had memory for that. */
static bool nothing_follows(struct link *link)
{
	uint8_t byte;
	ssize_t n = recv(link->peer, &byte, 1, 0);

	return !n || (n < 0 && errno == EAGAIN);
}

/* The peer sees nothing but data and close_notify, and then the end. */
static int ends_well(struct link *link, uint64_t from, uint64_t len)
{
	if (len)
		REQUIRE(!peer_recv_pattern(link, from, len));
	REQUIRE(peer_recv_alert(link) == CLOSE_NOTIFY);
	end_may_be_lost(link);
	REQUIRE(nothing_follows(link));
	return 0;
}

/* --- attach, install -------------------- */

static long call_attach(struct trial *trial)
{
	return link_attach(&trial->link);
}

static int verify_attach(struct trial *trial)
{
	struct link *link = &trial->link;
	char byte = 0;

	if (trial->ret) {
		/* As if it had not been tried: still plain TCP. */
		REQUIRE(trial->error == ENOMEM || trial->error == EFAULT);
		REQUIRE(send(link->fd, "x", 1, 0) == 1);
		REQUIRE(recv(link->peer, &byte, 1, 0) == 1 && byte == 'x');
		REQUIRE(!link_attach(link));
	}
	REQUIRE(send(link->fd, "y", 1, 0) < 0 && errno == ENOTCONN);
	REQUIRE(!link_install(link));
	return exchange(link, 0, 0);
}

static const struct call attach = { link_open, NULL, call_attach, verify_attach };

TEST_F_TIMEOUT(faults, attach, 600)
{
	FAIL_IN_TURN(attach);
}

static int prepare_attached(struct trial *trial)
{
	return link_attach(&trial->link);
}

static int verify_install(struct trial *trial)
{
	struct link *link = &trial->link;
	struct signet_info info;

	REQUIRE(!sock_info(link->fd, &info));
	if (trial->ret) {
		REQUIRE(trial->error == ENOMEM || trial->error == EFAULT);
		REQUIRE(info.state == SIGNET_STATE_GATED);
		REQUIRE(info.tx_state == SIGNET_DIRECTION_UNKEYED);
		REQUIRE(info.rx_state == SIGNET_DIRECTION_UNKEYED);
		REQUIRE(send(link->fd, "y", 1, 0) < 0 && errno == ENOTCONN);
		REQUIRE(!link_install(link));
	} else {
		REQUIRE(info.state == SIGNET_STATE_ESTABLISHED);
	}
	return exchange(link, 0, 0);
}

static long call_install(struct trial *trial)
{
	return link_install(&trial->link);
}

static const struct call install = { link_open, prepare_attached, call_install, verify_install };

TEST_F_TIMEOUT(faults, install, 600)
{
	FAIL_IN_TURN(install);
}

static long call_install_leftover(struct trial *trial)
{
	struct link *link = &trial->link;
	struct record_keys keys = link->to_fd;
	uint8_t content[100], record[RECORD_BUFFER];
	int n;

	pattern_fill(content, 0, sizeof(content));
	n = record_seal(&keys, TYPE_DATA, content, sizeof(content), 0, record);
	return link_install_leftover(link, record, n);
}

static int verify_install_leftover(struct trial *trial)
{
	struct link *link = &trial->link;

	if (trial->ret) {
		REQUIRE(trial->error == ENOMEM || trial->error == EFAULT);
		REQUIRE(!call_install_leftover(trial));
	}
	link->to_fd.sequence++;
	link->to_fd.explicit_nonce++;
	REQUIRE(!recv_pattern(link->fd, 0, 100));
	return exchange(link, 0, 100);
}

static const struct call install_leftover = { link_open, prepare_attached, call_install_leftover,
					      verify_install_leftover };

TEST_F_TIMEOUT(faults, install_with_leftover, 600)
{
	FAIL_IN_TURN(install_leftover);
}

/* --- sending -------------------- */

/* The rest of the stream follows what was reported as sent. */
static int verify_sent(struct trial *trial)
{
	struct link *link = &trial->link;
	long sent = trial->ret > 0 ? trial->ret : 0;

	if (trial->ret < 0)
		REQUIRE(trial->error == ENOMEM || trial->error == EAGAIN ||
			trial->error == EFAULT || trial->error == ENOBUFS);
	if (sent)
		REQUIRE(!peer_recv_pattern(link, 0, sent));
	return exchange(link, sent, 0);
}

static uint8_t data[DATA_LEN];

static long call_send(struct trial *trial)
{
	return send(trial->link.fd, data, sizeof(data), 0);
}

static int prepare_data(struct trial *trial)
{
	(void)trial;
	pattern_fill(data, 0, sizeof(data));
	return 0;
}

static const struct call send_blocking = { link_up, prepare_data, call_send, verify_sent };

TEST_F_TIMEOUT(faults, send, 600)
{
	FAIL_IN_TURN(send_blocking);
}

static long call_send_small_now(struct trial *trial)
{
	return send(trial->link.fd, data, 100, MSG_DONTWAIT);
}

static const struct call send_small_now = { link_up, prepare_data, call_send_small_now,
					    verify_sent };

TEST_F_TIMEOUT(faults, send_small_without_waiting, 600)
{
	FAIL_IN_TURN(send_small_now);
}

static long call_send_more(struct trial *trial)
{
	long first = send(trial->link.fd, data, 1000, MSG_MORE | MSG_DONTWAIT);
	long second;

	if (first < 0)
		return first;
	second = send(trial->link.fd, data + first, sizeof(data) - first, MSG_DONTWAIT);
	return second < 0 ? first : first + second;
}

static const struct call send_more = { link_up, prepare_data, call_send_more, verify_sent };

TEST_F_TIMEOUT(faults, send_more, 600)
{
	FAIL_IN_TURN(send_more);
}

static int prepare_zerocopy(struct trial *trial)
{
	return prepare_data(trial) || set_int_option(trial->link.fd, SOL_SOCKET, SO_ZEROCOPY, 1);
}

static long call_send_zerocopy(struct trial *trial)
{
	return send(trial->link.fd, data, sizeof(data), MSG_ZEROCOPY | MSG_DONTWAIT);
}

static const struct call send_zerocopy = { link_up, prepare_zerocopy, call_send_zerocopy,
					   verify_sent };

TEST_F_TIMEOUT(faults, send_zerocopy, 600)
{
	FAIL_IN_TURN(send_zerocopy);
}

static int file = -1;

static int prepare_file(struct trial *trial)
{
	prepare_data(trial);
	if (file >= 0)
		return 0;
	file = memfd_create("signet-faults", MFD_CLOEXEC);
	return write(file, data, sizeof(data)) == sizeof(data) ? 0 : -1;
}

static long call_send_file(struct trial *trial)
{
	off_t offset = 0;

	return sendfile(trial->link.fd, file, &offset, sizeof(data));
}

static const struct call send_file = { link_up, prepare_file, call_send_file, verify_sent };

TEST_F_TIMEOUT(faults, sendfile, 600)
{
	FAIL_IN_TURN(send_file);
}

/* --- changing keys -------------------- */

static int prepare_policy(struct trial *trial)
{
	prepare_data(trial);
	return rekey_policy_set(trial->link.fd, 1, 0, 0);
}

static const struct call send_policy = { link_up, prepare_policy, call_send, verify_sent };

TEST_F_TIMEOUT(faults, send_with_new_keys_for_each_record, 900)
{
	FAIL_IN_TURN(send_policy);
}

static long call_rekey(struct trial *trial)
{
	uint32_t flags = SIGNET_REKEY_REQUEST_UPDATE;

	return setsockopt(trial->link.fd, SOL_SIGNET, SIGNET_REKEY, &flags, sizeof(flags));
}

static int verify_rekey(struct trial *trial)
{
	struct link *link = &trial->link;
	int line;

	if (!is_tls_1_3(trial)) {
		REQUIRE(trial->ret && (trial->error == EOPNOTSUPP || trial->error == EFAULT));
		return exchange(link, 0, 0);
	}
	if (trial->ret)
		REQUIRE(trial->error == EFAULT);
	line = exchange(link, 0, 0);
	if (line)
		return line;
	/* What was accepted happens, now or with the next record. */
	REQUIRE(link->updates == !trial->ret && link->requests == !trial->ret);
	return 0;
}

static const struct call rekey = { link_up, NULL, call_rekey, verify_rekey };

TEST_F_TIMEOUT(faults, rekey, 600)
{
	FAIL_IN_TURN(rekey);
}

/* Reads once; what could not be read is read without faults. */
static long call_recv(struct trial *trial)
{
	return recv(trial->link.fd, data, sizeof(data), MSG_DONTWAIT);
}

static int verify_received_from(struct trial *trial, uint64_t len)
{
	struct link *link = &trial->link;
	uint64_t got = trial->ret > 0 ? trial->ret : 0;

	if (trial->ret < 0)
		REQUIRE(trial->error == ENOMEM || trial->error == EFAULT);
	REQUIRE(pattern_matches(data, 0, got));
	REQUIRE(!recv_pattern(link->fd, got, len - got));
	return exchange(link, 0, len);
}

static int prepare_update(struct trial *trial)
{
	struct link *link = &trial->link;

	if (peer_send_pattern(link, 0, 1000, 400))
		return -1;
	if (is_tls_1_3(trial) && peer_send_update(link, true))
		return -1;
	if (peer_send_pattern(link, 1000, 1000, 400))
		return -1;
	wait_delivered(link->peer, link->fd);
	return 0;
}

static int verify_update(struct trial *trial)
{
	int line = verify_received_from(trial, 2000);

	if (line)
		return line;
	/* The answer came once. */
	REQUIRE(trial->link.updates == is_tls_1_3(trial));
	return 0;
}

static const struct call recv_update = { link_up, prepare_update, call_recv, verify_update };

TEST_F_TIMEOUT(faults, recv_key_update, 600)
{
	FAIL_IN_TURN(recv_update);
}

/* --- receiving -------------------- */

static int prepare_records(struct trial *trial)
{
	if (peer_send_pattern(&trial->link, 0, 20000, 7000))
		return -1;
	wait_delivered(trial->link.peer, trial->link.fd);
	return 0;
}

static int verify_received(struct trial *trial)
{
	return verify_received_from(trial, 20000);
}

static const struct call recv_data = { link_up, prepare_records, call_recv, verify_received };

TEST_F_TIMEOUT(faults, recv, 600)
{
	FAIL_IN_TURN(recv_data);
}

static long call_peek(struct trial *trial)
{
	return recv(trial->link.fd, data, sizeof(data), MSG_DONTWAIT | MSG_PEEK);
}

static int verify_peeked(struct trial *trial)
{
	if (trial->ret < 0)
		REQUIRE(trial->error == ENOMEM || trial->error == EFAULT);
	else
		REQUIRE(pattern_matches(data, 0, trial->ret));
	trial->ret = 0;
	return verify_received_from(trial, 20000);
}

static const struct call recv_peek = { link_up, prepare_records, call_peek, verify_peeked };

TEST_F_TIMEOUT(faults, recv_peek, 600)
{
	FAIL_IN_TURN(recv_peek);
}

static long call_poll(struct trial *trial)
{
	return poll_now(trial->link.fd, POLLIN | POLLOUT);
}

static int verify_polled(struct trial *trial)
{
	if (trial->ret < 0)
		REQUIRE(trial->error == ENOMEM || trial->error == EFAULT);
	/* Without memory a reader is told to try. */
	else
		REQUIRE(trial->ret & POLLIN);
	trial->ret = 0;
	return verify_received_from(trial, 20000);
}

static const struct call poll_data = { link_up, prepare_records, call_poll, verify_polled };

TEST_F_TIMEOUT(faults, poll, 600)
{
	FAIL_IN_TURN(poll_data);
}

static int prepare_ticket(struct trial *trial)
{
	uint8_t message[300] = { MESSAGE_NEW_SESSION_TICKET, 0, (sizeof(message) - 4) >> 8,
				 (sizeof(message) - 4) & 0xff };

	if (is_tls_1_3(trial) && peer_send(&trial->link, TYPE_HANDSHAKE, message, sizeof(message)))
		return -1;
	return prepare_records(trial);
}

static const struct call recv_ticket = { link_up, prepare_ticket, call_recv, verify_received };

TEST_F_TIMEOUT(faults, recv_ticket, 600)
{
	FAIL_IN_TURN(recv_ticket);
}

static int prepare_bad_record(struct trial *trial)
{
	struct link *link = &trial->link;
	uint8_t record[RECORD_BUFFER];
	int n = record_seal(&link->to_fd, TYPE_DATA, "bad", 3, 0, record);

	record[n - 1] ^= 1;
	if (peer_send_raw(link, record, n))
		return -1;
	wait_delivered(link->peer, link->fd);
	return 0;
}

static int verify_bad_record(struct trial *trial)
{
	struct link *link = &trial->link;
	uint8_t byte;
	int alert;

	REQUIRE(trial->ret < 0);
	REQUIRE(trial->error == EBADMSG || trial->error == ENOMEM);
	REQUIRE(recv(link->fd, &byte, 1, 0) < 0 && errno == EBADMSG);
	REQUIRE(send(link->fd, &byte, 1, 0) < 0 && errno == EBADMSG);
	close(link->fd);
	link->fd = -1;
	end_may_be_lost(link);
	errno = 0;
	/* Without memory there is no alert, and then no end that looks orderly either. */
	alert = peer_recv_alert(link);
	REQUIRE(alert == FATAL(ALERT_BAD_RECORD_MAC) || alert == PEER_RESET || alert == PEER_FIN ||
		errno == EAGAIN);
	return 0;
}

static const struct call recv_bad_record = { link_up, prepare_bad_record, call_recv,
					     verify_bad_record };

TEST_F_TIMEOUT(faults, recv_bad_record, 600)
{
	FAIL_IN_TURN(recv_bad_record);
}

/* --- the end -------------------- */

static int prepare_sent(struct trial *trial)
{
	return send_pattern(trial->link.fd, 0, 1000) || send(trial->link.fd, "", 0, 0) ||
	       (pattern_fill(data, 1000, 1000), send(trial->link.fd, data, 1000, MSG_MORE) != 1000);
}

static long call_shutdown(struct trial *trial)
{
	return shutdown(trial->link.fd, SHUT_WR);
}

static int verify_shutdown(struct trial *trial)
{
	struct link *link = &trial->link;

	if (trial->ret) {
		REQUIRE(trial->error == ENOMEM);
		REQUIRE(!shutdown(link->fd, SHUT_WR));
	}
	return ends_well(link, 0, 2000);
}

static const struct call shutdown_write = { link_up, prepare_sent, call_shutdown, verify_shutdown };

TEST_F_TIMEOUT(faults, shutdown, 600)
{
	FAIL_IN_TURN(shutdown_write);
}

static long call_close(struct trial *trial)
{
	int fd = trial->link.fd;

	trial->link.fd = -1;
	return close(fd);
}

static int verify_closed(struct trial *trial)
{
	struct link *link = &trial->link;
	uint8_t content[RECORD_CONTENT], type;
	uint64_t got = 0;
	int n;

	REQUIRE(!trial->ret);
	end_may_be_lost(link);
	/* Either all of it, or an end that cannot be mistaken for one. */
	for (;;) {
		errno = 0;
		n = peer_recv(link, &type, content);
		if (n < 0 || type != TYPE_DATA)
			break;
		REQUIRE(pattern_matches(content, got, n));
		got += n;
	}
	if (n == PEER_RESET || (n == PEER_INVALID && errno == EAGAIN))
		return 0;
	REQUIRE(n == 2 && type == TYPE_ALERT && content[1] == ALERT_CLOSE_NOTIFY);
	REQUIRE(got == 2000);
	REQUIRE(nothing_follows(link));
	return 0;
}

static const struct call close_socket = { link_up, prepare_sent, call_close, verify_closed };

/* A connection that was reset for want of memory failed: its end is traced as that. */
TEST_F_TIMEOUT(faults, close, 600)
{
	static char trace[TRACING_MAX];
	char failure[40];

	ASSERT_EQ(0, tracing_begin());
	ASSERT_EQ(0, tracing_add("signet/signet_state", NULL));
	ASSERT_EQ(0, tracing_record(true));
	FAIL_IN_TURN(close_socket);
	ASSERT_EQ(0, tracing_read(trace, sizeof(trace)));
	snprintf(failure, sizeof(failure), "failed reason=%d", SIGNET_REASON_NO_MEMORY);
	EXPECT_NE(NULL, strstr(trace, failure));
	EXPECT_EQ(0, tracing_end());
}

/* --- the kernel's own options -------------------- */

static int tls_install(int fd, int option)
{
	const struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { .version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
	};

	return setsockopt(fd, SOL_TLS, option, &info, sizeof(info));
}

static long call_tls_install(struct trial *trial)
{
	return tls_install(trial->link.fd, TLS_TX);
}

static int verify_tls_install(struct trial *trial)
{
	int fd = trial->link.fd;
	char text[6] = "";

	if (trial->ret) {
		REQUIRE(trial->error == ENOMEM || trial->error == EFAULT);
		REQUIRE(send(fd, "y", 1, 0) < 0 && errno == ENOTCONN);
		REQUIRE(!tls_install(fd, TLS_TX));
	}
	REQUIRE(!ulp_attach(trial->link.peer) && !tls_install(trial->link.peer, TLS_RX));
	REQUIRE(send(fd, "hello", 5, 0) == 5);
	REQUIRE(recv(trial->link.peer, text, 5, 0) == 5 && !strcmp(text, "hello"));
	return 0;
}

static const struct call tls_options = { link_open, prepare_attached, call_tls_install,
					 verify_tls_install };

TEST_F_TIMEOUT(faults, install_through_sol_tls, 600)
{
	FAIL_IN_TURN(tls_options);
}

TEST_HARNESS_MAIN
