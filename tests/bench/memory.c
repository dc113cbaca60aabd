// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an idle connection costs in kernel memory beyond TCP's own: opens
 * connections over loopback, then gives one end of each its keys, both
 * directions, and looks at what the slab caches hold before and after. For TLS
 * libraries it is what malloc() gave, with fewer connections.
 *
 *   bench_memory [--cell TEXT] [CONNECTIONS]
 *
 * Run as root: /proc/slabinfo is read. Each transport is measured in a process of
 * its own, in a row. Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/tls.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/signet.h>

#include "connection.h"

#define CONNECTIONS 10000
#define LIBRARY_CONNECTIONS 100
#define CACHES_MAX 512
#define CACHE_NAME 64

struct cache {
	char name[CACHE_NAME];
	unsigned long objects;
	unsigned long size;
};

struct caches {
	struct cache cache[CACHES_MAX];
	int count;
};

static void read_caches(struct caches *caches)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[512];

	if (!file)
		err(1, "/proc/slabinfo");
	caches->count = 0;
	while (fgets(line, sizeof(line), file) && caches->count < CACHES_MAX) {
		struct cache *cache = &caches->cache[caches->count];
		unsigned long total;

		if (sscanf(line, "%63s %lu %lu %lu", cache->name, &cache->objects, &total,
			   &cache->size) == 4)
			caches->count++;
	}
	fclose(file);
}

static long objects_of(const struct caches *caches, const char *name)
{
	for (int i = 0; i < caches->count; i++) {
		if (!strcmp(caches->cache[i].name, name))
			return caches->cache[i].objects;
	}
	return 0;
}

static long mem_free_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long value = 0;

	if (!file)
		err(1, "/proc/meminfo");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemFree: %ld", &value) == 1)
			break;
	}
	fclose(file);
	return value;
}

static void connect_pair(int listener, const struct sockaddr_in *address, int fd[2])
{
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (fd[0] < 0 || connect(fd[0], (const struct sockaddr *)address, sizeof(*address)))
		err(1, "connect");
	fd[1] = accept(listener, NULL, NULL);
	if (fd[1] < 0)
		err(1, "accept");
}

static void use_ktls(int fd)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { .version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
	};

	if (setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3) ||
	    setsockopt(fd, SOL_TLS, TLS_TX, &info, sizeof(info)) ||
	    setsockopt(fd, SOL_TLS, TLS_RX, &info, sizeof(info)))
		err(1, "kTLS");
}

static void use_signet(int fd)
{
	struct signet_keys keys = { .size = sizeof(keys), .role = SIGNET_ROLE_CLIENT };

	keys.tx.version = SIGNET_TLS_1_3;
	keys.tx.suite = SIGNET_AES_128_GCM_SHA256;
	keys.tx.secret_len = 32;
	keys.rx = keys.tx;
	if (setsockopt(fd, SOL_TCP, TCP_ULP, SIGNET_ULP_NAME, strlen(SIGNET_ULP_NAME)) ||
	    setsockopt(fd, SOL_SIGNET, SIGNET_KEYS, &keys, sizeof(keys)))
		err(1, "Signet");
}

static void report(const char *name, int connections, const struct caches *before,
		   const struct caches *after, long free_kib)
{
	const char *comma = "";
	double bytes = 0;

	printf("\"%s\":{\"caches\":{", name);
	for (int i = 0; i < after->count; i++) {
		const struct cache *cache = &after->cache[i];
		double more = (double)((long)cache->objects - objects_of(before, cache->name)) /
			      connections;

		/* What other things in the machine do is not of this order. */
		if (more < 0.5)
			continue;
		printf("%s\"%s\":%.1f", comma, cache->name, more);
		bytes += more * cache->size;
		comma = ",";
	}
	printf("},\"slab\":%.0f,\"free\":%.0f}", bytes, free_kib * 1024.0 / connections);
	fflush(stdout);
}

static void measure(const char *name, void (*use)(int fd), int connections)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct rlimit limit = { 2 * connections + 64, 2 * connections + 64 };
	static struct caches before, after;
	int *fds = calloc(connections, sizeof(*fds));
	long free_kib;
	int pair[2];

	if (!fds || setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "room for %d connections", connections);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &len))
		err(1, "listening socket");
	for (int i = 0; i < connections; i++) {
		connect_pair(listener, &address, pair);
		fds[i] = pair[0];
	}
	/* Whatever is allocated once is there already. */
	use(fds[0]);
	read_caches(&before);
	free_kib = mem_free_kib();
	for (int i = 1; i < connections; i++)
		use(fds[i]);
	read_caches(&after);
	report(name, connections - 1, &before, &after, free_kib - mem_free_kib());
	free(fds);
}

static int run(const char *name, void (*use)(int fd), int connections)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		measure(name, use, connections);
		fflush(stdout);
		_exit(0);
	}
	if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}

/* Both ends are here, so it is the mean of a client's and a server's. */
static void measure_library(const struct transport *transport, int connections)
{
	static const struct path path = { .address = "127.0.0.1" };
	const struct suite *suite = suite_find("AES-128-GCM");
	struct connection *opened = calloc(connections, sizeof(*opened));
	int listener = path_listen(&path);
	size_t before = 0;

	if (!opened)
		err(1, "room for %d connections", connections);
	for (int i = 0; i < connections; i++) {
		char byte = 0;

		if (connection_open(&opened[i], &path, listener, transport, suite, 0))
			err(1, "%s", transport->name);
		/* What is allocated for the first data stays. */
		connection_send(&opened[i], 0, &byte, 1);
		connection_receive(&opened[i], 1, &byte, 1);
		/* Whatever is allocated once is there already. */
		if (!i)
			before = mallinfo2().uordblks;
	}
	printf(",\"%s\":{\"caches\":{},\"heap\":%.0f}", transport->name,
	       (double)(mallinfo2().uordblks - before) / (connections - 1) / 2);
	for (int i = 0; i < connections; i++)
		connection_close(&opened[i]);
	free(opened);
}

int main(int argc, char **argv)
{
	const char *cell = "";
	int connections;

	if (argc > 2 && !strcmp(argv[1], "--cell")) {
		cell = argv[2];
		argc -= 2;
		argv += 2;
	}
	connections = argc > 1 ? atoi(argv[1]) : CONNECTIONS;
	if (connections < 2)
		errx(1, "at least 2 connections");
	printf("{\"cell\":\"%s\",\"memory\":{", cell);
	if (run("kTLS", use_ktls, connections))
		return 1;
	printf(",");
	if (run("Signet", use_signet, connections))
		return 1;
	measure_library(&transport_openssl, LIBRARY_CONNECTIONS);
	measure_library(&transport_wolfssl, LIBRARY_CONNECTIONS);
	printf("}}\n");
	return 0;
}
