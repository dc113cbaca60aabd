// SPDX-License-Identifier: MIT
/*
 * setsockopt-client: two calls of setsockopt() make a program for TCP one for TLS. It has no TLS
 * library, no certificates and no keys: signetd completes the handshake, and the kernel seals and
 * opens the data.
 */
#include <err.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/signet.h>

/* SIGNET_ERROR is a text that names the certificate or the rule that was at fault. */
__attribute__((noreturn)) static void fail(int fd, const char *doing)
{
	char text[SIGNET_STRING_MAX + 1] = "";

	getsockopt(fd, SOL_SIGNET, SIGNET_ERROR, text, &(socklen_t){ SIGNET_STRING_MAX });
	errx(1, "%s: %m (%s)", doing, text);
}

static int connect_to(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	int fd, error = getaddrinfo(host, port, &hints, &found);

	if (error)
		errx(1, "%s: %s", host, gai_strerror(error));
	fd = socket(found->ai_family, SOCK_STREAM, 0);
	if (connect(fd, found->ai_addr, found->ai_addrlen))
		err(1, "%s port %s", host, port);
	return fd;
}

int main(int argc, char **argv)
{
	char data[16384];
	ssize_t len;
	int fd, help = argc == 2 && !strcmp(argv[1], "--help");

	if (argc != 3)
		errx(help ? 0 : 2,
		     "usage: setsockopt-client HOST PORT: sends its input over TLS, prints the answer");
	fd = connect_to(argv[1], argv[2]);
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "signet", 6))
		err(1, "attaching the module signet");
	if (setsockopt(fd, SOL_SIGNET, SIGNET_CONNECT, argv[1], strlen(argv[1])))
		fail(fd, argv[1]);
	while ((len = read(STDIN_FILENO, data, sizeof(data))) > 0)
		if (send(fd, data, len, MSG_NOSIGNAL) < 0)
			fail(fd, "sending");
	shutdown(fd, SHUT_WR);
	while ((len = recv(fd, data, sizeof(data), 0)) > 0)
		fwrite(data, 1, len, stdout);
	return len < 0 ? fail(fd, "receiving"), 1 : fflush(stdout);
}
