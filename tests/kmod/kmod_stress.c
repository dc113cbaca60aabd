// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls of random sizes on both ends, compared with a model: two streams
 * of bytes, of which each side knows how far it is.
 */
#include "fixture.h"

#include <sched.h>
#include <stdio.h>

#include "calls.h"
#include "file.h"

FIXTURE(stress)
{
	struct link link;
};

FIXTURE_VARIANT(stress)
{
	uint64_t seed;
	enum link_family family;
	uint16_t suite;
	int segment;
	int sndbuf;
	int rcvbuf;
};

#define STRESS(name, ...)                 \
	FIXTURE_VARIANT_ADD(stress, name) \
	{                                 \
		__VA_ARGS__               \
	}

STRESS(plain, .seed = 1, .family = LINK_IPV4, .suite = SIGNET_AES_128_GCM_SHA256);
STRESS(ethernet, .seed = 2, .family = LINK_IPV6, .suite = SIGNET_AES_256_GCM_SHA384,
       .segment = 1400);
STRESS(tiny_buffers, .seed = 3, .family = LINK_IPV4, .suite = SIGNET_AES_256_GCM_SHA384,
       .segment = 536, .sndbuf = 1, .rcvbuf = 1);
STRESS(small_buffers, .seed = 4, .family = LINK_IPV6, .suite = SIGNET_AES_128_GCM_SHA256,
       .segment = 1000, .sndbuf = 20000, .rcvbuf = 10000);
STRESS(small_sndbuf, .seed = 5, .family = LINK_MAPPED, .suite = SIGNET_AES_128_GCM_SHA256,
       .segment = 1400, .sndbuf = 3000);

FIXTURE_SETUP(stress)
{
	signal(SIGPIPE, SIG_IGN);
	link_segment = variant->segment;
	ASSERT_EQ(0, link_up(&self->link, variant->family, variant->suite));
	if (variant->sndbuf)
		set_int_option(self->link.fd, SOL_SOCKET, SO_SNDBUF, variant->sndbuf);
	if (variant->rcvbuf)
		set_int_option(self->link.fd, SOL_SOCKET, SO_RCVBUF, variant->rcvbuf);
	TH_LOG("seed %llu", (unsigned long long)variant->seed);
}

FIXTURE_TEARDOWN(stress)
{
	link_close(&self->link);
}

#define STEPS 12000
#define MOST 50000

/*
 * One thread does everything, without ever blocking, so each run is the same
 * but for what TCP does.
 */
struct model {
	struct link *link;
	struct random random;
	/* Offsets of the two streams. */
	uint64_t sent; /* by the socket, as it reports */
	uint64_t peer_got;
	uint64_t peer_sent;
	uint64_t received; /* by the socket */
	/* The peer's bytes on their way, either way. */
	uint8_t out[4 * RECORD_BUFFER];
	size_t out_at;
	size_t out_len;
	uint8_t in[RECORD_BUFFER];
	size_t in_len;
	bool peer_done;
	bool socket_done;
	uint8_t bytes[MOST];
};

/* Sizes of all magnitudes. */
static size_t random_size(struct model *model)
{
	return 1 + random_below(&model->random, 1 << (1 + random_below(&model->random, 15)));
}

static const char *socket_sends(struct model *model)
{
	static const int flags[] = { 0, 0, MSG_MORE, MSG_EOR, MSG_MORE };
	size_t len = random_size(model);
	ssize_t n;

	pattern_fill(model->bytes, model->sent, len);
	n = send(model->link->fd, model->bytes, len,
		 flags[random_below(&model->random, 5)] | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN)
		return "send failed";
	model->sent += n > 0 ? n : 0;
	return NULL;
}

static const char *socket_writev(struct model *model)
{
	size_t a = random_size(model) / 2, b = random_size(model) / 2;
	struct iovec vec[3] = { { model->bytes, a }, { NULL, 0 }, { model->bytes + a, b } };
	ssize_t n;

	pattern_fill(model->bytes, model->sent, a + b);
	n = writev(model->link->fd, vec, 3);
	if (n < 0 && errno != EAGAIN)
		return "writev failed";
	model->sent += n > 0 ? n : 0;
	return NULL;
}

/* Bytes that were peeked at are those that are read. */
static const char *socket_receives(struct model *model)
{
	size_t len = random_size(model);
	int flags = MSG_DONTWAIT;
	ssize_t n;

	switch (random_below(&model->random, 8)) {
	case 0:
		flags |= MSG_PEEK;
		break;
	case 1:
		flags |= MSG_TRUNC;
		break;
	case 2:
		flags |= MSG_WAITALL;
		break;
	}
	n = recv(model->link->fd, model->bytes, len, flags);
	if (n < 0)
		return errno == EAGAIN ? NULL : "recv failed";
	if (!n)
		return model->peer_done && model->received == model->peer_sent ?
			       NULL :
			       "end of file too early";
	if (!(flags & MSG_TRUNC) && !pattern_matches(model->bytes, model->received, n))
		return "recv gave wrong bytes";
	if (!(flags & MSG_PEEK))
		model->received += n;
	return NULL;
}

static const char *socket_polls(struct model *model)
{
	int events = poll_now(model->link->fd, POLLIN | POLLOUT);

	if (events & (POLLERR | POLLHUP))
		return "poll says error";
	if (events & POLLIN && recv(model->link->fd, model->bytes, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
		return "POLLIN, but nothing to read";
	return NULL;
}

static const char *socket_counts(struct model *model)
{
	struct signet_info info;
	int n;

	if (ioctl(model->link->fd, SIOCINQ, &n) || n < 0)
		return "SIOCINQ failed";
	if (sock_info(model->link->fd, &info) || info.state != SIGNET_STATE_ESTABLISHED)
		return "no longer established";
	if (info.tx_bytes > model->sent || info.rx_bytes < model->received)
		return "INFO counts wrong";
	return NULL;
}

static const char *socket_splices(struct model *model)
{
	size_t len = random_size(model) % 8000 + 1;
	int ends[2];
	ssize_t n;

	if (pipe(ends))
		return "pipe failed";
	pattern_fill(model->bytes, model->sent, len);
	if (write(ends[1], model->bytes, len) != (ssize_t)len)
		return "pipe is full";
	n = splice(ends[0], NULL, model->link->fd, NULL, len,
		   random_below(&model->random, 2) ? SPLICE_F_MORE : 0);
	close(ends[0]);
	close(ends[1]);
	if (n < 0 && errno != EAGAIN)
		return "splice failed";
	model->sent += n > 0 ? n : 0;
	return NULL;
}

/* The peer seals something, when what it sealed before is gone. */
static const char *peer_seals(struct model *model)
{
	uint8_t ticket[300] = { MESSAGE_NEW_SESSION_TICKET, 0, 1, 300 - 4 - 256 };
	struct record_keys *keys = &model->link->to_fd;
	size_t len;
	int n;

	if (model->out_at < model->out_len || model->peer_done)
		return NULL;
	len = random_size(model) % (RECORD_CONTENT + 1);
	pattern_fill(model->bytes, model->peer_sent, len);
	switch (random_below(&model->random, 10)) {
	case 0:
		n = record_seal(keys, TYPE_HANDSHAKE, ticket, sizeof(ticket), 0, model->out);
		break;
	case 1:
		n = record_seal(keys, TYPE_DATA, NULL, 0, len % 100, model->out);
		break;
	case 2:
		n = record_seal(keys, TYPE_ALERT, "\1\132", 2, 0, model->out);
		break;
	default:
		n = record_seal(keys, TYPE_DATA, model->bytes, len, len % 255, model->out);
		model->peer_sent += len;
	}
	model->out_at = 0;
	model->out_len = n;
	return NULL;
}

static const char *peer_writes(struct model *model)
{
	size_t len = 2 * random_size(model);
	ssize_t n;

	if (len > model->out_len - model->out_at)
		len = model->out_len - model->out_at;
	n = send(model->link->peer, model->out + model->out_at, len, MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN)
		return "the peer's send failed";
	model->out_at += n > 0 ? n : 0;
	return NULL;
}

/* Return: NULL when the record is as it should be. */
static const char *peer_opens(struct model *model, size_t len)
{
	uint8_t content[RECORD_BODY], type;
	int n = record_open(&model->link->from_fd, model->in, len, &type, content);

	if (n < 0)
		return "the peer got a bad record";
	if (type == TYPE_ALERT && n == 2 && !content[1]) {
		model->socket_done = true;
		return NULL;
	}
	if (type != TYPE_DATA || model->socket_done)
		return "the peer got another record";
	if (!pattern_matches(content, model->peer_got, n))
		return "the peer got wrong bytes";
	model->peer_got += n;
	return model->peer_got > model->sent ? "the peer got more than was sent" : NULL;
}

static const char *peer_reads(struct model *model)
{
	size_t want = random_size(model), record;
	const char *error;
	ssize_t n;

	if (want > RECORD_HEADER + RECORD_BODY - model->in_len)
		want = RECORD_HEADER + RECORD_BODY - model->in_len;
	n = recv(model->link->peer, model->in + model->in_len, want, MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN)
		return "the peer's recv failed";
	model->in_len += n > 0 ? n : 0;
	while (model->in_len >= RECORD_HEADER) {
		record = RECORD_HEADER + (model->in[3] << 8 | model->in[4]);
		if (record > RECORD_HEADER + RECORD_BODY)
			return "the peer got a bad header";
		if (model->in_len < record)
			break;
		error = peer_opens(model, record);
		if (error)
			return error;
		model->in_len -= record;
		memmove(model->in, model->in + record, model->in_len);
	}
	return NULL;
}

typedef const char *(*step_fn)(struct model *model);

static const step_fn steps[] = {
	socket_sends,	 socket_sends, socket_writev, socket_splices, socket_receives,
	socket_receives, socket_polls, socket_counts, peer_seals,     peer_writes,
	peer_writes,	 peer_reads,   peer_reads,
};

#define STEP_KINDS (sizeof(steps) / sizeof(steps[0]))

/* Everything that is under way arrives. */
static const char *finish(struct model *model)
{
	const char *error = NULL;

	while (!error && model->out_at < model->out_len) {
		error = peer_writes(model);
		error = error ?: socket_receives(model);
		error = error ?: peer_reads(model);
	}
	if (error)
		return error;
	if (shutdown(model->link->fd, SHUT_WR))
		return "shutdown failed";
	model->peer_done = true;
	if (peer_send_alert(model->link, ALERT_WARNING, ALERT_CLOSE_NOTIFY))
		return "the peer's close_notify failed";
	while (!error && !model->socket_done)
		error = peer_reads(model);
	while (!error && model->received < model->peer_sent)
		error = socket_receives(model);
	return error;
}

TEST_F_TIMEOUT(stress, streams_are_those_of_the_model, 120)
{
	struct model *model = calloc(1, sizeof(*model));
	const char *error = NULL;
	int step;

	model->link = &self->link;
	model->random.state = 0x9e3779b97f4a7c15 * variant->seed;
	set_nonblocking(self->link.fd, true);
	for (step = 0; step < STEPS && !error; step++)
		error = steps[random_below(&model->random, STEP_KINDS)](model);
	error = error ?: finish(model);
	EXPECT_EQ(NULL, error)
	{
		TH_LOG("step %d: %s: %s", step, error, strerror(errno));
	}
	EXPECT_EQ(model->sent, model->peer_got);
	EXPECT_EQ(model->peer_sent, model->received);
	EXPECT_EQ(0, recv(self->link.fd, model->bytes, 1, 0));
	TH_LOG("%llu bytes there, %llu back", (unsigned long long)model->sent,
	       (unsigned long long)model->received);
	free(model);
}

/* --- both ends with the module, each with its own threads -------------------- */

struct player {
	int fd;
	uint64_t seed;
	size_t len;
};

static int play_send(struct worker *worker)
{
	struct player *player = worker->argument;
	struct random random = { player->seed };
	uint8_t bytes[MOST];
	size_t done = 0;

	while (done < player->len) {
		const struct send_call *call = &send_calls[random_below(&random, 8)];
		size_t len = 1 + random_below(&random, 1 << (1 + random_below(&random, 15)));
		ssize_t n;

		if (len > player->len - done)
			len = player->len - done;
		pattern_fill(bytes, done, len);
		n = call->call(player->fd, bytes, len);
		if (n < 0 && errno == EAGAIN) {
			sched_yield();
			continue;
		}
		if (n < 0)
			return -1;
		done += n;
	}
	/* Without memory for close_notify it is to be tried again. */
	while (shutdown(player->fd, SHUT_WR)) {
		if (errno != ENOMEM)
			return -1;
		sched_yield();
	}
	return 0;
}

static int play_recv(struct worker *worker)
{
	struct player *player = worker->argument;
	struct random random = { player->seed + 1000 };
	uint8_t bytes[MOST];
	size_t done = 0;

	for (;;) {
		const struct recv_call *call = &recv_calls[random_below(&random, 8)];
		size_t len = 2 + random_below(&random, 1 << (1 + random_below(&random, 15)));
		ssize_t n = call->call(player->fd, bytes, len);

		if (n < 0 && errno == EAGAIN) {
			sched_yield();
			continue;
		}
		if (n <= 0)
			return !n && done == player->len ? 0 : -1;
		if (!pattern_matches(bytes, done, n))
			return -1;
		done += n;
	}
}

TEST(stress_between_two_sockets)
{
	struct worker senders[2], receivers[2];
	struct player players[2];
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, signet_pair(LINK_IPV4, SIGNET_AES_128_GCM_SHA256, fds));
	for (int i = 0; i < 2; i++) {
		players[i] = (struct player){ fds[i], 77 + i, 8000000 };
		TH_LOG("seed %llu", (unsigned long long)players[i].seed);
		ASSERT_EQ(0, worker_start(&senders[i], play_send, &players[i]));
		ASSERT_EQ(0, worker_start(&receivers[i], play_recv, &players[i]));
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, worker_join(&senders[i]));
		EXPECT_EQ(0, worker_join(&receivers[i]));
	}
	close(fds[0]);
	close(fds[1]);
}

/* --- without memory -------------------- */

#define TCP_MEMORY "/proc/sys/net/ipv4/tcp_mem"
#define SOCKSTAT "/proc/net/sockstat"

/*
 * Pages that others hold. Each processor takes memory for TCP in lots, of 256 pages at
 * least, so what the sockets under test hold alone may not even be seen.
 */
#define BALLAST_PAGES 1000
#define BALLAST_PAIRS 50

FIXTURE(pressure)
{
	char limits[100];
	int ballast[BALLAST_PAIRS][2];
	int pairs;
};

FIXTURE_VARIANT(pressure)
{
	/* In pages, for all TCP sockets together: low, pressure, high. */
	const char *limits;
};

/* TCP saves memory. */
FIXTURE_VARIANT_ADD(pressure, low){
	.limits = "1 1 100000",
};

/* TCP gets no more than what each socket is sure of. */
FIXTURE_VARIANT_ADD(pressure, high){
	.limits = "1 1 1",
};

/* Fills plain connections that nobody reads from. */
static int add_ballast(int fds[2])
{
	static const char bytes[65536];

	if (tcp_pair(LINK_IPV4, fds))
		return -1;
	while (send(fds[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return errno == EAGAIN ? 0 : -1;
}

FIXTURE_SETUP(pressure)
{
	signal(SIGPIPE, SIG_IGN);
	for (; file_number(SOCKSTAT, "mem") < BALLAST_PAGES; self->pairs++) {
		ASSERT_LT(self->pairs, BALLAST_PAIRS);
		ASSERT_EQ(0, add_ballast(self->ballast[self->pairs]));
	}
	ASSERT_LT(0, file_read(TCP_MEMORY, self->limits, sizeof(self->limits)));
	ASSERT_EQ(0, file_write(TCP_MEMORY, variant->limits));
	link_segment = 1400;
}

FIXTURE_TEARDOWN(pressure)
{
	EXPECT_EQ(0, file_write(TCP_MEMORY, self->limits));
	for (int i = 0; i < self->pairs; i++) {
		close(self->ballast[i][0]);
		close(self->ballast[i][1]);
	}
}

/**
 * struct stream - one way of a connection
 * @fds:	both ends
 * @from:	what the sender does
 * @to:		what the receiver does
 */
struct stream {
	int fds[2];
	struct player from, to;
	struct worker sender, receiver;
};

static int stream_start(struct stream *stream, uint64_t seed, size_t len)
{
	stream->from = (struct player){ stream->fds[0], seed, len };
	stream->to = (struct player){ stream->fds[1], seed, len };
	return worker_start(&stream->sender, play_send, &stream->from) ||
	       worker_start(&stream->receiver, play_recv, &stream->to);
}

static int stream_end(struct stream *stream)
{
	int ret = worker_join(&stream->sender) | worker_join(&stream->receiver);

	close(stream->fds[0]);
	close(stream->fds[1]);
	return ret;
}

TEST_F_TIMEOUT(pressure, nothing_is_lost, 60)
{
	struct stream stream;

	ASSERT_EQ(0, signet_pair(LINK_IPV4, SIGNET_AES_128_GCM_SHA256, stream.fds));
	ASSERT_EQ(0, stream_start(&stream, 99, 50000));
	EXPECT_EQ(0, stream_end(&stream));
	/* It was so until the end. */
	EXPECT_LT(1, file_number(SOCKSTAT, "mem"));
}

/* Pages that all processors together may keep of what TCP has got. */
static long pages_kept(void)
{
	char text[32];

	if (file_read("/proc/sys/net/core/mem_pcpu_rsv", text, sizeof(text)) < 0)
		return -1;
	return strtol(text, NULL, 10) * sysconf(_SC_NPROCESSORS_CONF);
}

#define STREAMS 16

/*
 * What a socket fails to give back, the kernel complains of when it goes (sk_forward_alloc
 * in inet_sock_destruct()); the sum is TCP's own.
 */
TEST_F_TIMEOUT(pressure, many_sockets_give_everything_back, 60)
{
	long before = file_number(SOCKSTAT, "mem"), kept = pages_kept();
	static struct stream streams[STREAMS];

	ASSERT_LT(1, before);
	ASSERT_LT(0, kept);
	for (int i = 0; i < STREAMS; i++)
		ASSERT_EQ(0, signet_pair(i % 2 ? LINK_IPV6 : LINK_IPV4,
					 i % 4 < 2 ? SIGNET_AES_128_GCM_SHA256 :
						     SIGNET_CHACHA20_POLY1305_SHA256,
					 streams[i].fds));
	for (int i = 0; i < STREAMS; i++)
		ASSERT_EQ(0, stream_start(&streams[i], 1 + i, 10000));
	for (int i = 0; i < STREAMS; i++) {
		EXPECT_EQ(0, stream_end(&streams[i]))
		{
			TH_LOG("stream %d", i);
		}
	}
	EXPECT_LT(1, file_number(SOCKSTAT, "mem"));
	/* Closed sockets go when their last segment is acknowledged, for which they need memory. */
	ASSERT_EQ(0, file_write(TCP_MEMORY, self->limits));
	while (file_number(SOCKSTAT, "orphan") > 0 || file_number(SOCKSTAT, "mem") > before + kept)
		usleep(1000);
}

TEST_HARNESS_MAIN
