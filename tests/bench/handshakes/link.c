// SPDX-License-Identifier: GPL-3.0-or-later
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../userspace/peer.h"
#include "../../userspace/tap.h"

static void connect_tcp(struct link *link)
{
	static unsigned int port;
	static int listener = -1;
	struct sockaddr_in address = { .sin_family = AF_INET };
	/* An end that leaves no trace, so that ports do not run out. */
	const struct linger linger = { .l_onoff = 1 };
	const int on = 1;

	if (listener < 0)
		listener = tcp_listen(&port);
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	link->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->client < 0 || connect(link->client, (struct sockaddr *)&address, sizeof(address)))
		bail("connect: %s", strerror(errno));
	link->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (link->server < 0 ||
	    setsockopt(link->client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) ||
	    setsockopt(link->client, SOL_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(link->server, SOL_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    ioctl(link->client, FIONBIO, &on))
		bail("a connection over loopback: %s", strerror(errno));
}

void link_open(struct link *link, enum wire wire)
{
	int fds[2];

	if (wire == WIRE_TCP) {
		connect_tcp(link);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds))
		bail("socketpair: %s", strerror(errno));
	link->client = fds[0];
	link->server = fds[1];
}

void link_close(struct link *link)
{
	close(link->client);
	close(link->server);
}
