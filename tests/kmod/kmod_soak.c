// SPDX-License-Identifier: GPL-2.0-only
/*
 * A receiver that knows nothing of TLS, plain recv() through io_uring's
 * multishot with a ring of provided buffers, and a peer that sends everything
 * that may come between data. SOAK_RECORDS sets the number of records.
 */
#include "fixture.h"

#include <liburing.h>
#include <openssl/evp.h>

#define RECORDS 40000
#define RECORD_DATA_MAX 600
#define BUFFERS 64
#define BUFFER_LEN 2048

FIXTURE(soak)
{
	struct link link;
	struct io_uring ring;
};

FIXTURE_VARIANT(soak)
{
	enum link_family family;
	uint16_t suite;
};

TLS_TWO_VARIANTS(soak);

FIXTURE_SETUP(soak)
{
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, link_up(&self->link, variant->family, variant->suite));
	ASSERT_EQ(0, io_uring_queue_init(8, &self->ring, 0));
}

FIXTURE_TEARDOWN(soak)
{
	io_uring_queue_exit(&self->ring);
	link_close(&self->link);
}

/* SHA-256 of a stream, and its length. */
struct digest {
	EVP_MD_CTX *context;
	uint64_t bytes;
	uint8_t value[32];
};

static void digest_begin(struct digest *digest)
{
	digest->context = EVP_MD_CTX_new();
	digest->bytes = 0;
	EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL);
}

static void digest_add(struct digest *digest, const void *bytes, size_t len)
{
	EVP_DigestUpdate(digest->context, bytes, len);
	digest->bytes += len;
}

static void digest_end(struct digest *digest)
{
	EVP_DigestFinal_ex(digest->context, digest->value, NULL);
	EVP_MD_CTX_free(digest->context);
}

/* --- the peer -------------------- */

/* Sent bytes are gathered, so that records arrive in every grouping. */
#define GATHER_LEN 16384

struct peer {
	struct link *link;
	struct random random;
	long records;
	struct digest digest;
	uint8_t gathered[GATHER_LEN + RECORD_BUFFER];
	size_t len;
	unsigned int idle; /* records without data in a row */
	unsigned int tickets;
	unsigned int updates;
	unsigned int requests;
	unsigned int warnings;
};

static int flush(struct peer *peer)
{
	int ret = peer_send_raw(peer->link, peer->gathered, peer->len);

	peer->len = 0;
	return ret;
}

static int add(struct peer *peer, uint8_t type, const void *content, size_t len, size_t padding)
{
	int n = record_seal(&peer->link->to_fd, type, content, len, padding,
			    peer->gathered + peer->len);

	if (n < 0)
		return -1;
	peer->len += n;
	/* At random, so that pieces end anywhere but in the middle of a record. */
	return peer->len >= 1 + random_below(&peer->random, GATHER_LEN) ? flush(peer) : 0;
}

static int add_data(struct peer *peer)
{
	uint8_t content[RECORD_DATA_MAX];
	size_t len = 1 + random_below(&peer->random, sizeof(content));

	pattern_fill(content, peer->digest.bytes, len);
	digest_add(&peer->digest, content, len);
	peer->idle = 0;
	return add(peer, TYPE_DATA, content, len,
		   random_below(&peer->random, 4) ? 0 : random_below(&peer->random, 300));
}

/* A ticket, split now and then. */
static int add_ticket(struct peer *peer)
{
	uint8_t message[4 + 500] = { MESSAGE_NEW_SESSION_TICKET };
	size_t len = 1 + random_below(&peer->random, 500), cut;

	message[2] = len >> 8;
	message[3] = len;
	cut = random_below(&peer->random, 3) ? len + 4 : 1 + random_below(&peer->random, len + 4);
	peer->tickets++;
	if (add(peer, TYPE_HANDSHAKE, message, cut, 0))
		return -1;
	return cut < len + 4 ? add(peer, TYPE_HANDSHAKE, message + cut, len + 4 - cut, 0) : 0;
}

static int add_update(struct peer *peer)
{
	bool request = random_below(&peer->random, 2);
	uint8_t message[] = { MESSAGE_KEY_UPDATE, 0, 0, 1, request };

	peer->updates++;
	peer->requests += request;
	if (add(peer, TYPE_HANDSHAKE, message, sizeof(message), random_below(&peer->random, 20)))
		return -1;
	return record_keys_update(&peer->link->to_fd);
}

static int add_warning(struct peer *peer)
{
	peer->warnings++;
	return add(peer, TYPE_ALERT, "\1\132", 2, 0);
}

/* What may come between data; not more in a row than is allowed. */
static int add_between(struct peer *peer)
{
	if (++peer->idle > 32)
		return add_data(peer);
	switch (random_below(&peer->random, 4)) {
	case 0:
		peer->idle--;
		return add_ticket(peer);
	case 1:
		return add_update(peer);
	case 2:
		return add_warning(peer);
	default:
		return add(peer, TYPE_DATA, NULL, 0, random_below(&peer->random, 300));
	}
}

static int peer_run(struct worker *worker)
{
	struct peer *peer = worker->argument;

	for (long i = 0; i < peer->records; i++) {
		if (random_below(&peer->random, 4) ? add_data(peer) : add_between(peer))
			return -1;
	}
	if (flush(peer))
		return -1;
	return peer_send_alert(peer->link, ALERT_WARNING, ALERT_CLOSE_NOTIFY);
}

/* --- the receiver -------------------- */

struct receiver {
	struct io_uring *ring;
	struct io_uring_buf_ring *buffers;
	uint8_t memory[BUFFERS][BUFFER_LEN];
	struct digest digest;
	bool intact;
};

static void give_buffer(struct receiver *receiver, int i)
{
	io_uring_buf_ring_add(receiver->buffers, receiver->memory[i], BUFFER_LEN, i,
			      io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(receiver->buffers, 1);
}

static void arm(struct receiver *receiver, int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(receiver->ring);

	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = 0;
	io_uring_submit(receiver->ring);
}

/* Return: what ended it: 0 at the end of file, or an errno, negative. */
static int receive(struct receiver *receiver, int fd)
{
	struct io_uring_cqe *cqe;
	unsigned int flags;
	int res;

	arm(receiver, fd);
	for (;;) {
		while (io_uring_wait_cqe(receiver->ring, &cqe) == -EINTR)
			;
		res = cqe->res;
		flags = cqe->flags;
		io_uring_cqe_seen(receiver->ring, cqe);
		if (res > 0) {
			int i = flags >> IORING_CQE_BUFFER_SHIFT;

			receiver->intact &=
				pattern_matches(receiver->memory[i], receiver->digest.bytes, res);
			digest_add(&receiver->digest, receiver->memory[i], res);
			give_buffer(receiver, i);
		}
		if (flags & IORING_CQE_F_MORE)
			continue;
		if (res <= 0 && res != -ENOBUFS)
			return res;
		arm(receiver, fd);
	}
}

/* What the module sends meanwhile: its answers. */
static int peer_listens(struct worker *worker)
{
	struct sink *sink = worker->argument;

	sink_run(sink, sink->link);
	return 0;
}

static long soak_records(void)
{
	const char *text = getenv("SOAK_RECORDS");

	return text ? strtol(text, NULL, 10) : RECORDS;
}

TEST_F_TIMEOUT(soak, multishot_survives_all_that_comes_between_data, 3600)
{
	struct receiver *receiver = calloc(1, sizeof(*receiver));
	struct peer *peer = calloc(1, sizeof(*peer));
	struct sink sink = { .link = &self->link };
	struct link *link = &self->link;
	struct worker sender, listener;
	struct signet_info info;
	int err;

	peer->link = link;
	peer->random.state = 0x5eed + variant->suite;
	peer->records = soak_records();
	digest_begin(&peer->digest);
	receiver->ring = &self->ring;
	receiver->intact = true;
	digest_begin(&receiver->digest);
	receiver->buffers = io_uring_setup_buf_ring(&self->ring, BUFFERS, 0, 0, &err);
	ASSERT_NE(NULL, receiver->buffers);
	for (int i = 0; i < BUFFERS; i++)
		give_buffer(receiver, i);
	link->follows_updates = true;

	ASSERT_EQ(0, worker_start(&listener, peer_listens, &sink));
	ASSERT_EQ(0, worker_start(&sender, peer_run, peer));
	EXPECT_EQ(0, receive(receiver, link->fd));
	EXPECT_EQ(0, worker_join(&sender));
	digest_end(&peer->digest);
	digest_end(&receiver->digest);
	EXPECT_TRUE(receiver->intact);
	EXPECT_EQ(peer->digest.bytes, receiver->digest.bytes);
	EXPECT_EQ(0, memcmp(peer->digest.value, receiver->digest.value, 32));

	ASSERT_EQ(0, sock_info(link->fd, &info));
	EXPECT_EQ(peer->digest.bytes, info.rx_bytes);
	EXPECT_EQ(peer->updates, info.rx_epoch);
	EXPECT_EQ(peer->updates, info.rx_key_updates);
	EXPECT_EQ(peer->warnings, info.rx_warnings);
	EXPECT_EQ(0, info.error);
	EXPECT_GT(peer->tickets, 0);
	EXPECT_GT(info.tx_key_updates, 0);
	EXPECT_LE(info.tx_key_updates, peer->requests);
	ASSERT_EQ(0, shutdown(link->fd, SHUT_WR));
	worker_join(&listener);
	EXPECT_EQ(CLOSE_NOTIFY, sink.alert);
	EXPECT_EQ(PEER_FIN, sink.end);
	EXPECT_EQ(0, sink.bytes);
	EXPECT_EQ(info.tx_key_updates, link->updates);
	EXPECT_EQ(0, link->requests);
	free(receiver);
	free(peer);
}

TEST_HARNESS_MAIN
