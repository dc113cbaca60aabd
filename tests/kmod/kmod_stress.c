// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls of random sizes on both ends, compared with a model: two streams
 * of bytes, of which each side knows how far it is.
 */
#include "fixture.h"

#include <sched.h>
#include <stdio.h>

#include "calls.h"

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
	return shutdown(player->fd, SHUT_WR);
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

static int set_tcp_memory(const char *limits)
{
	int fd = open("/proc/sys/net/ipv4/tcp_mem", O_WRONLY), ret;

	ret = write(fd, limits, strlen(limits)) == (ssize_t)strlen(limits) ? 0 : -1;
	close(fd);
	return ret;
}

FIXTURE(pressure)
{
	char limits[100];
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

/* TCP gets little. */
FIXTURE_VARIANT_ADD(pressure, high){
	.limits = "1 1 300",
};

FIXTURE_SETUP(pressure)
{
	int fd = open("/proc/sys/net/ipv4/tcp_mem", O_RDONLY);

	signal(SIGPIPE, SIG_IGN);
	ASSERT_LT(0, read(fd, self->limits, sizeof(self->limits) - 1));
	close(fd);
	ASSERT_EQ(0, set_tcp_memory(variant->limits));
}

FIXTURE_TEARDOWN(pressure)
{
	EXPECT_EQ(0, set_tcp_memory(self->limits));
}

TEST_F_TIMEOUT(pressure, nothing_is_lost, 60)
{
	struct worker sender, receiver;
	struct player there;
	int fds[2];

	link_segment = 1400;
	ASSERT_EQ(0, signet_pair(LINK_IPV4, SIGNET_AES_128_GCM_SHA256, fds));
	there = (struct player){ fds[0], 99, 500000 };
	ASSERT_EQ(0, worker_start(&sender, play_send, &there));
	ASSERT_EQ(0, worker_start(&receiver, play_recv, &(struct player){ fds[1], 99, 500000 }));
	EXPECT_EQ(0, worker_join(&sender));
	EXPECT_EQ(0, worker_join(&receiver));
	close(fds[0]);
	close(fds[1]);
}

TEST_HARNESS_MAIN
