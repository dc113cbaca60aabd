// SPDX-License-Identifier: MIT
/*
 * setsockopt-server: two calls of setsockopt() on a listener, and all that it accepts speaks TLS.
 * It has no TLS library, no certificate and no private key: those are signetd's.
 */
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/signet.h>

/* Answers a request of HTTP with the name that the client asked for in its handshake. */
static int serve(int fd)
{
	char data[8192], text[SIGNET_STRING_MAX + 1] = "";
	ssize_t size = 0, len = 1;

	/* The first call waits for the handshake. */
	while (len && !memmem(data, size, "\r\n\r\n", 4) && size < (ssize_t)sizeof(data)) {
		len = recv(fd, data + size, sizeof(data) - size, 0);
		if (len < 0) {
			getsockopt(fd, SOL_SIGNET, SIGNET_ERROR, text, &(socklen_t){ 255 });
			errx(1, "receiving: %m (%s)", text);
		}
		size += len;
	}
	getsockopt(fd, SOL_SIGNET, SIGNET_SERVER_NAME, text, &(socklen_t){ 255 });
	return dprintf(fd, "HTTP/1.0 200 OK\r\n\r\nThis is %s.\n", *text ? text : "it") < 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	int connection, listener = socket(AF_INET6, SOCK_STREAM, 0);
	int help = argc == 2 && !strcmp(argv[1], "--help");

	if (argc != 3)
		errx(help ? 0 : 2,
		     "usage: setsockopt-server PORT PROFILE: answers HTTP requests over TLS");
	if (setsockopt(listener, IPPROTO_TCP, TCP_ULP, "signet", 6) ||
	    setsockopt(listener, SOL_SIGNET, SIGNET_ACCEPT, argv[2], strlen(argv[2])))
		err(1, "attaching the module signet");
	address.sin6_port = htons(atoi(argv[1]));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 100))
		err(1, "listening at port %s", argv[1]);
	signal(SIGCHLD, SIG_IGN);
	while ((connection = accept(listener, NULL, NULL)) >= 0) {
		if (!fork())
			return serve(connection);
		close(connection);
	}
	err(1, "accepting a connection");
}
