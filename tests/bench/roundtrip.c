// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one message costs: send() at one end of a loopback connection, then
 * recv() at the other, in one thread, so that nothing ever waits.
 *
 * Prints nanoseconds per message. On a machine whose clock advances by one
 * nanosecond per instruction (scripts/vm --icount) that is an instruction count.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/signet.h>

#define RUNS 9
#define MESSAGE_MAX (64 * 1024)

enum transport { TCP, KTLS, KTLS_NO_PAD, SIGNET, TRANSPORTS };

static const char *const names[TRANSPORTS] = { "TCP", "kTLS", "kTLS NO_PAD", "Signet" };

static char buffer[MESSAGE_MAX];

static void connect_pair(int fd[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &len))
		err(1, "listening socket");
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (fd[0] < 0 || connect(fd[0], (struct sockaddr *)&address, len))
		err(1, "connect");
	fd[1] = accept(listener, NULL, NULL);
	if (fd[1] < 0)
		err(1, "accept");
	close(listener);
	setsockopt(fd[0], SOL_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* The keys do not matter here, so both directions have the same. */
static void use_ktls(int fd, int no_pad)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { .version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
	};
	int one = 1;

	if (setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3) ||
	    setsockopt(fd, SOL_TLS, TLS_TX, &info, sizeof(info)) ||
	    setsockopt(fd, SOL_TLS, TLS_RX, &info, sizeof(info)))
		err(1, "kTLS");
	if (no_pad && setsockopt(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &one, sizeof(one)))
		err(1, "TLS_RX_EXPECT_NO_PAD");
}

static void use_signet(int fd)
{
	struct signet_crypto crypto = {
		.version = SIGNET_TLS_1_3,
		.suite = SIGNET_AES_128_GCM_SHA256,
		.secret_len = 32,
	};
	struct signet_keys keys = { .size = sizeof(keys), .tx = crypto, .rx = crypto };

	if (setsockopt(fd, SOL_TCP, TCP_ULP, SIGNET_ULP_NAME, strlen(SIGNET_ULP_NAME)) ||
	    setsockopt(fd, SOL_SIGNET, SIGNET_KEYS, &keys, sizeof(keys)))
		err(1, "signet");
}

static void encrypt(int fd, enum transport transport)
{
	if (transport == SIGNET)
		use_signet(fd);
	else if (transport != TCP)
		use_ktls(fd, transport == KTLS_NO_PAD);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static void exchange(const int fd[2], size_t size, unsigned int count)
{
	while (count--) {
		if (send(fd[0], buffer, size, 0) != (ssize_t)size)
			err(1, "send");
		for (size_t got = 0; got < size;) {
			ssize_t n = recv(fd[1], buffer, size - got, 0);

			if (n <= 0)
				err(1, "recv");
			got += n;
		}
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of some runs, one after the other on one connection. */
static double measure(enum transport transport, size_t size)
{
	unsigned int count = size > 4096 ? 200 : 500;
	double cost[RUNS];
	int fd[2];

	connect_pair(fd);
	encrypt(fd[0], transport);
	encrypt(fd[1], transport);
	exchange(fd, size, count); /* caches, windows, page fragments */
	for (int i = 0; i < RUNS; i++) {
		double start = now();

		exchange(fd, size, count);
		cost[i] = (now() - start) / count;
	}
	close(fd[0]);
	close(fd[1]);
	qsort(cost, RUNS, sizeof(*cost), compare);
	return cost[RUNS / 2];
}

int main(void)
{
	static const size_t sizes[] = { 64, 1024, 4096, 16384, 65536 };

	/* The first moments after a boot are disturbed: let them pass. */
	for (int transport = 0; transport < TRANSPORTS; transport++)
		measure(transport, sizes[0]);
	printf("%8s", "bytes");
	for (int transport = 0; transport < TRANSPORTS; transport++)
		printf("%14s", names[transport]);
	printf("\n");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		printf("%8zu", sizes[i]);
		for (int transport = 0; transport < TRANSPORTS; transport++)
			printf("%14.0f", measure(transport, sizes[i]));
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
