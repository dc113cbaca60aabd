// SPDX-License-Identifier: MIT
#include <signet.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static int is_listening(int fd)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) && listening;
}

int signet_attach(int fd)
{
	if (!setsockopt(fd, IPPROTO_TCP, TCP_ULP, SIGNET_ULP_NAME, sizeof(SIGNET_ULP_NAME) - 1))
		return 0;

	switch (errno) {
	case EOPNOTSUPP: /* a socket without protocol options */
	case ENOPROTOOPT: /* one of another protocol */
		return -EINVAL;
	case ENOTCONN: /* also the kernel's answer for a listening socket */
		return is_listening(fd) ? -EINVAL : -ENOTCONN;
	default:
		return -errno;
	}
}
