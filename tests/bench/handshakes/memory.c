// SPDX-License-Identifier: GPL-3.0-or-later
#include "memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../userspace/tap.h"
#include "client.h"
#include "link.h"

/* A ClientHello with the largest share. */
#define HELLO_MAX 4096
/* So that what is allocated once does not count. */
#define WARM_UP 16

const unsigned int memory_trials[MEMORY_COUNT] = { [MEMORY_X25519] = 0, [MEMORY_HYBRID] = 2 };

static double resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long all, pages;

	if (!file || fscanf(file, "%lu %lu", &all, &pages) != 2)
		bail("/proc/self/statm: %s", strerror(errno));
	fclose(file);
	return (double)pages * sysconf(_SC_PAGESIZE);
}

static double heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return (double)info.uordblks + info.hblkhd;
}

static size_t record_hello(const struct trial *trial, unsigned char *hello)
{
	struct client *client = client_open(trial);
	struct link link;
	void *connection;
	ssize_t n;

	link_open(&link, WIRE_MEMORY);
	connection = client_begin(client, link.client);
	(void)client_step(connection);
	n = recv(link.server, hello, HELLO_MAX, 0);
	if (n <= 0 || n == HELLO_MAX)
		bail("no ClientHello");
	/* Neither freed nor checked: this process ends soon. */
	return n;
}

/* The client's end stays open, and what the server sends stays unread. */
static void open_half(const struct server *server, void *configuration, const unsigned char *hello,
		      size_t length)
{
	struct link link;
	void *connection;

	link_open(&link, WIRE_MEMORY);
	if (send(link.client, hello, length, 0) != (ssize_t)length)
		bail("send: %s", strerror(errno));
	connection = server->begin(configuration, link.server);
	if (server->step(connection) != 1)
		bail("%s: complete without a client", server->name);
}

static void measure_one(const struct server *server, const struct trial *trial,
			unsigned int handshakes, struct footprint *footprint)
{
	struct rlimit limit = { 2 * (handshakes + WARM_UP) + 64, 2 * (handshakes + WARM_UP) + 64 };
	void *configuration = server->open(trial);
	unsigned char hello[HELLO_MAX];
	size_t length = record_hello(trial, hello);

	if (setrlimit(RLIMIT_NOFILE, &limit))
		bail("descriptors for %u handshakes: %s", handshakes, strerror(errno));
	for (unsigned int i = 0; i < WARM_UP; i++)
		open_half(server, configuration, hello, length);
	footprint->resident = resident();
	footprint->heap = heap();
	for (unsigned int i = 0; i < handshakes; i++)
		open_half(server, configuration, hello, length);
	footprint->resident = (resident() - footprint->resident) / handshakes;
	footprint->heap = (heap() - footprint->heap) / handshakes;
}

static void measure_apart(const struct server *server, const struct trial *trial,
			  unsigned int handshakes, struct footprint *footprint)
{
	int ends[2], status;
	pid_t child;

	fflush(NULL);
	if (pipe(ends))
		bail("pipe: %s", strerror(errno));
	child = fork();
	if (child < 0)
		bail("fork: %s", strerror(errno));
	if (!child) {
		measure_one(server, trial, handshakes, footprint);
		_exit(write(ends[1], footprint, sizeof(*footprint)) != sizeof(*footprint));
	}
	close(ends[1]);
	if (read(ends[0], footprint, sizeof(*footprint)) != sizeof(*footprint) ||
	    waitpid(child, &status, 0) != child || status)
		bail("%s: the memory could not be measured", server->name);
	close(ends[0]);
}

void measure_memory(unsigned int handshakes,
		    struct footprint footprints[MEMORY_COUNT][SERVER_COUNT])
{
	for (int i = 0; i < MEMORY_COUNT; i++) {
		for (int server = 0; server < SERVER_COUNT; server++)
			measure_apart(servers[server], &trials[memory_trials[i]], handshakes,
				      &footprints[i][server]);
	}
}
