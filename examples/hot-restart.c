// SPDX-License-Identifier: MIT
/*
 * hot-restart: a server that is replaced while its encrypted connections go on.
 *
 * Start it a second time with the same SOCKET, and the new process takes over from the old one: the
 * listener and every connection, over a unix socket with SCM_RIGHTS. Keys, sequence numbers and
 * records that are half received stay where they are, in the kernel, so a connection that is handed
 * on needs nothing but its descriptor and what the program itself had still to do: here, bytes that
 * it has read and not yet sent back. The clients notice nothing.
 *
 * Until the new process has said that it has everything the old one keeps all, and goes on if the
 * other one ends too early.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/signet.h>

#define CONNECTIONS_MAX 1000

/* What is handed on with a descriptor. The first one is the listener, with nothing. */
struct state {
	unsigned int len;
	bool ended; /* the client sends no more */
	char data[8192]; /* received, and to be sent back */
};

struct connection {
	int fd;
	struct state state;
};

static int listener = -1, successors;
static struct connection connections[CONNECTIONS_MAX];
static unsigned int count;

/* ---- Handing on ---- */

static bool give(int to, int fd, const struct state *state)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec part = { (void *)state, sizeof(*state) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	return sendmsg(to, &message, MSG_NOSIGNAL) == sizeof(*state);
}

/* Return: the descriptor, or -1 when there are no more of them. */
static int take(int from, struct state *state)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec part = { state, sizeof(*state) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
	int fd;

	if (len <= 0)
		errx(1, "the predecessor did not hand everything on");
	if (control.header.cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(int));
	return fd;
}

/*
 * The predecessor's part. Return: whether the successor has everything now. Its answer is waited
 * for as long as that takes: with two at work on a connection, data would be lost.
 */
static bool hand_on(int to)
{
	bool good = give(to, listener, &(struct state){});
	char answer;
	unsigned int i;

	for (i = 0; good && i < count; i++)
		good = give(to, connections[i].fd, &connections[i].state);
	/* A message without a descriptor is the end; the answer says that all came. */
	good = good && send(to, "", 1, MSG_NOSIGNAL) == 1 && recv(to, &answer, 1, 0) == 1;
	close(to);
	if (!good)
		warnx("the successor ended too early: going on");
	return good;
}

/* The successor's part. */
static void take_over(int from)
{
	struct connection c;

	listener = take(from, &c.state);
	while ((c.fd = take(from, &c.state)) >= 0) {
		if (count == CONNECTIONS_MAX)
			errx(1, "the predecessor has too many connections");
		connections[count++] = c;
	}
	if (send(from, "", 1, MSG_NOSIGNAL) != 1)
		err(1, "the predecessor");
	close(from);
}

/* ---- Serving ---- */

static void explain(int fd, const char *doing)
{
	char text[SIGNET_STRING_MAX + 1] = "";
	int error = errno;

	getsockopt(fd, SOL_SIGNET, SIGNET_ERROR, text, &(socklen_t){ SIGNET_STRING_MAX });
	warnx("%s: %s (%s)", doing, strerror(error), text);
}

/* Receives or sends what can be without waiting. Return: false when that was the last. */
static bool serve(struct connection *c)
{
	struct state *s = &c->state;
	ssize_t len;

	if (!s->len && !s->ended) {
		len = recv(c->fd, s->data, sizeof(s->data), 0);
		if (len < 0 && errno != EAGAIN)
			return explain(c->fd, "receiving"), false;
		s->ended = !len;
		s->len = len > 0 ? len : 0;
	}
	if (s->len) {
		len = send(c->fd, s->data, s->len, MSG_NOSIGNAL);
		if (len < 0 && errno != EAGAIN)
			return explain(c->fd, "sending"), false;
		if (len > 0)
			memmove(s->data, s->data + len, s->len -= len);
	}
	return s->len || !s->ended;
}

static void accept_one(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno != EAGAIN)
			warn("accepting a connection");
		return;
	}
	connections[count].state = (struct state){};
	connections[count++].fd = fd;
}

/* Return: when a successor has everything. */
static void run(void)
{
	struct pollfd fds[CONNECTIONS_MAX + 2];
	unsigned int i;

	for (;;) {
		fds[0] = (struct pollfd){ .fd = successors, .events = POLLIN };
		/* A full house lets others wait. */
		fds[1].fd = count < CONNECTIONS_MAX ? listener : -1;
		fds[1].events = POLLIN;
		for (i = 0; i < count; i++) {
			fds[i + 2].fd = connections[i].fd;
			fds[i + 2].events = connections[i].state.len ? POLLOUT : POLLIN;
		}
		if (poll(fds, count + 2, -1) < 0)
			err(1, "poll");
		if (fds[0].revents && hand_on(accept(successors, NULL, NULL)))
			return;
		/* From behind: the last takes the place of one that has ended. */
		for (i = count; i-- > 0;) {
			if (!fds[i + 2].revents || serve(&connections[i]))
				continue;
			close(connections[i].fd);
			connections[i] = connections[--count];
		}
		if (fds[1].fd >= 0 && fds[1].revents)
			accept_one();
	}
}

/* ---- The beginning ---- */

static void start_listening(const char *port, const char *profile)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	int one = 1;

	listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (setsockopt(listener, IPPROTO_TCP, TCP_ULP, "signet", 6) ||
	    setsockopt(listener, SOL_SIGNET, SIGNET_ACCEPT, profile, strlen(profile)))
		err(1, "attaching the module signet");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, SOMAXCONN))
		err(1, "listening at port %s", port);
}

/* Takes over from a predecessor if there is one, and is there for a successor. */
static bool meet(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int predecessor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool found;

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "%s: the path is too long", path);
	strcpy(address.sun_path, path);
	found = !connect(predecessor, (struct sockaddr *)&address, sizeof(address));
	if (found)
		take_over(predecessor);
	unlink(path);
	umask(077); /* whoever can connect gets the connections */
	successors = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (bind(successors, (struct sockaddr *)&address, sizeof(address)) || listen(successors, 1))
		err(1, "%s", path);
	return found;
}

static const char usage[] =
	"Usage: hot-restart SOCKET PORT PROFILE\n"
	"Sends back over TLS what it receives. Started again with the same SOCKET, the new\n"
	"process goes on with the listener and all connections of the old one, which ends.\n\n"
	"PROFILE, of signetd's configuration, has the certificate and the key.\n";

int main(int argc, char **argv)
{
	if (argc != 4) {
		bool help = argc == 2 && !strcmp(argv[1], "--help");

		fputs(usage, help ? stdout : stderr);
		return help ? 0 : 2;
	}
	if (meet(argv[1]))
		printf("took over %u connections\n", count);
	else
		start_listening(argv[2], argv[3]);
	printf("serving\n");
	fflush(stdout);
	run();
	printf("handed over %u connections\n", count);
	return 0;
}
