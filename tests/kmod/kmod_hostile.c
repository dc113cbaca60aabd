// SPDX-License-Identifier: GPL-2.0-only
/*
 * Applications and helpers that do anything in any state, at once: the kernel must not mind,
 * and no peer may ever see a marker that was only ever sent on attached sockets.
 */
#include "fixture.h"

#include <stdatomic.h>

#include "helper.h"
#include "namespace.h"

#define SOCKETS 16
#define CHANNELS 8
#define THREADS 3
#define STEPS 3000

static const char marker[] = "cleartext-that-must-not-be-seen";

/**
 * struct arena - what all threads have their hands on; descriptors come and go under them
 * @fds:	sockets, attached before anybody else sees them, or -1
 * @peers:	their other ends, plain
 * @channels:	of helpers
 * @device:	to be taken requests from
 * @seen:	times that a peer saw the marker
 */
struct arena {
	atomic_int fds[SOCKETS];
	atomic_int peers[SOCKETS];
	atomic_int channels[CHANNELS];
	struct sockaddr_storage address;
	socklen_t address_len;
	int listener;
	int device;
	atomic_int seen;
};

/**
 * struct actor - one thread
 */
struct actor {
	struct arena *arena;
	struct random random;
	struct worker worker;
};

/*
 * Numbers from here on are attached sockets' only: a thread that still has one when another
 * has closed it must not come to a plain socket with the marker.
 */
#define ATTACHED_FROM 500

static void replace(atomic_int *place, int fd)
{
	fd = atomic_exchange(place, fd);
	if (fd >= 0)
		close(fd);
}

static int move_up(int fd)
{
	int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD, ATTACHED_FROM);

	close(fd);
	return moved;
}

static void fill(struct random *random, uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = random_next(random) >> 24;
}

/* What has arrived at the other end, in the clear. */
static void look(struct arena *arena, int peer)
{
	char buffer[4096];
	ssize_t n;

	while ((n = recv(peer, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		if (memmem(buffer, n, marker, sizeof(marker) - 1))
			atomic_fetch_add(&arena->seen, 1);
	}
}

/* A new connection in a place; one in four is a listener's. */
static void renew(struct arena *arena, struct random *random, unsigned int place)
{
	int pair[2] = { -1, -1 };

	if (random_below(random, 4)) {
		if (tcp_pair(LINK_IPV4, pair) || ulp_attach(pair[0])) {
			close(pair[0]);
			close(pair[1]);
			return;
		}
	} else {
		pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(pair[1], (struct sockaddr *)&arena->address, arena->address_len);
		pair[0] = accept4(arena->listener, NULL, NULL, SOCK_NONBLOCK);
	}
	if (pair[0] >= 0)
		set_nonblocking(pair[0], true);
	replace(&arena->fds[place], move_up(pair[0]));
	replace(&arena->peers[place], pair[1]);
}

static void set_random_option(struct random *random, int fd)
{
	static const int levels[] = { SOL_SIGNET, SOL_SIGNET, SOL_SIGNET, 282, IPPROTO_TCP };
	int level = levels[random_below(random, COUNT(levels))];
	int option = random_below(random, 80);
	uint8_t value[600];
	size_t len = random_below(random, 4) ? random_below(random, 40) : random_below(random, 600);

	/* A socket of TCP's own that is put to sleep or repaired is another test's. */
	if (level == IPPROTO_TCP && (option == TCP_ULP || option == TCP_REPAIR))
		return;
	fill(random, value, sizeof(value));
	if (random_below(random, 2))
		memset(value, 0, sizeof(value));
	setsockopt(fd, level, option, value, len);
}

static void get_random_option(struct random *random, int fd)
{
	uint8_t value[600];
	socklen_t len = random_below(random, sizeof(value));

	getsockopt(fd, SOL_SIGNET, random_below(random, 80), value, &len);
}

static void install_some_keys(struct random *random, int fd)
{
	struct signet_keys keys;

	choose_keys(&keys, random_below(random, 2) ? SIGNET_AES_128_GCM_SHA256 :
						     SIGNET_CHACHA20_POLY1305_SHA256);
	keys_install(fd, &keys);
}

static void act_on_socket(struct arena *arena, struct random *random)
{
	unsigned int place = random_below(random, SOCKETS);
	int fd = atomic_load(&arena->fds[place]), peer = atomic_load(&arena->peers[place]);
	uint8_t bytes[300];

	switch (random_below(random, 14)) {
	case 0:
		renew(arena, random, place);
		break;
	case 1:
		begin(fd, SIGNET_ROLE_CLIENT, "db.internal");
		break;
	case 2:
		begin(fd, SIGNET_ROLE_SERVER, "web");
		break;
	case 3:
	case 4:
		send(fd, marker, sizeof(marker) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 5:
		recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		break;
	case 6:
		poll_now(fd, POLLIN | POLLOUT);
		break;
	case 7:
		set_random_option(random, fd);
		break;
	case 8:
		get_random_option(random, fd);
		break;
	case 9:
		fill(random, bytes, sizeof(bytes));
		if (random_below(random, 2))
			memcpy(bytes, (uint8_t[]){ 22, 3, 3, 0, 50 }, 5);
		send(peer, bytes, random_below(random, sizeof(bytes)), MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 10:
		shutdown(random_below(random, 2) ? fd : peer, random_below(random, 3));
		break;
	case 11:
		if (!random_below(random, 4))
			install_some_keys(random, fd);
		break;
	case 12:
		look(arena, peer);
		break;
	case 13:
		if (!random_below(random, 8))
			replace(&arena->fds[place], -1);
		break;
	}
}

static void hand_something_over(struct random *random, int channel)
{
	struct helper_result result = { .peer_name = "peer", .session = "s", .session_len = 1 };
	struct signet_keys keys;

	choose_keys(&keys, SIGNET_AES_256_GCM_SHA384);
	keys.role = random_below(random, 4);
	if (!random_below(random, 4))
		keys.tx.suite = random_next(random);
	helper_hand_over(channel, &keys, random_below(random, 2) ? &result : NULL);
}

static void act_as_helper(struct arena *arena, struct random *random)
{
	unsigned int place = random_below(random, CHANNELS);
	int channel = atomic_load(&arena->channels[place]);
	struct signet_ticket_notice notice = { .size = sizeof(notice) };
	struct signet_request request;
	uint8_t bytes[2048];

	switch (random_below(random, 9)) {
	case 0:
	case 1:
		replace(&arena->channels[place], helper_request(arena->device, &request));
		break;
	case 2:
		syscall(SYS_read, channel, bytes, random_below(random, sizeof(bytes)));
		break;
	case 3:
		fill(random, bytes, sizeof(bytes));
		if (random_below(random, 2))
			memcpy(bytes, (uint8_t[]){ 22, 3, 3, 1, 0 }, 5);
		syscall(SYS_write, channel, bytes, random_below(random, sizeof(bytes)));
		break;
	case 4:
		poll_now(channel, POLLIN | POLLOUT);
		break;
	case 5:
		fill(random, bytes, sizeof(bytes));
		if (random_below(random, 2))
			((uint32_t *)bytes)[0] = random_below(random, 600);
		ioctl(random_below(random, 2) ? channel : arena->device,
		      _IOC(_IOC_READ | _IOC_WRITE, SIGNET_IOC, random_below(random, 20),
			   random_below(random, sizeof(bytes))),
		      bytes);
		break;
	case 6:
		hand_something_over(random, channel);
		break;
	case 7:
		helper_refuse(channel, random_below(random, 140), 0, "refused");
		break;
	case 8:
		ioctl(arena->device, SIGNET_IOC_TICKET, &notice);
		break;
	}
}

static int act(struct worker *worker)
{
	struct actor *actor = worker->argument;

	for (int i = 0; i < STEPS; i++) {
		if (random_below(&actor->random, 3))
			act_on_socket(actor->arena, &actor->random);
		else
			act_as_helper(actor->arena, &actor->random);
	}
	return 0;
}

FIXTURE(hostile)
{
	struct arena arena;
	struct actor actors[THREADS];
};

FIXTURE_SETUP(hostile)
{
	struct arena *arena = &self->arena;

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(0, namespace_enter());
	for (int i = 0; i < SOCKETS; i++) {
		arena->fds[i] = -1;
		arena->peers[i] = -1;
	}
	for (int i = 0; i < CHANNELS; i++)
		arena->channels[i] = -1;
	arena->device = helper_open();
	ASSERT_LE(0, arena->device);
	set_nonblocking(arena->device, true);
	arena->listener = tcp_listen(LINK_IPV4, 20, &arena->address, &arena->address_len);
	ASSERT_LE(0, arena->listener);
	set_nonblocking(arena->listener, true);
	ASSERT_EQ(0, ulp_attach(arena->listener));
	ASSERT_EQ(0, text_option(arena->listener, SIGNET_ACCEPT, "web"));
}

FIXTURE_TEARDOWN(hostile)
{
	close(self->arena.device);
	close(self->arena.listener);
	for (int i = 0; i < CHANNELS; i++)
		replace(&self->arena.channels[i], -1);
	for (int i = 0; i < SOCKETS; i++) {
		replace(&self->arena.fds[i], -1);
		replace(&self->arena.peers[i], -1);
	}
}

/* What this leaves behind keeps the module from being unloaded, or the kernel complains. */
TEST_F_TIMEOUT(hostile, anything_in_any_state, 120)
{
	struct arena *arena = &self->arena;

	for (int i = 0; i < THREADS; i++) {
		self->actors[i].arena = arena;
		self->actors[i].random.state = 1 + i;
		ASSERT_EQ(0, worker_start(&self->actors[i].worker, act, &self->actors[i]));
	}
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQ(0, worker_join(&self->actors[i].worker));
	for (int i = 0; i < SOCKETS; i++)
		look(arena, arena->peers[i]);
	EXPECT_EQ(0, arena->seen);
	EXPECT_LT(0, counter_get("Handshakes"));
	EXPECT_LT(0, counter_get("HandshakesDone"));
	EXPECT_LT(0, counter_get("HandshakesFailed"));
}

TEST_HARNESS_MAIN
