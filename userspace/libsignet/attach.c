// SPDX-License-Identifier: MIT
#include <signet.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

int signet_attach(int fd)
{
	if (!setsockopt(fd, IPPROTO_TCP, TCP_ULP, SIGNET_ULP_NAME, sizeof(SIGNET_ULP_NAME) - 1))
		return 0;

	switch (errno) {
	case EOPNOTSUPP: /* a socket without protocol options */
	case ENOPROTOOPT: /* one of another protocol */
		return -EINVAL;
	default:
		return -errno;
	}
}
