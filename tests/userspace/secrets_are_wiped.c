// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * After a handshake its traffic secrets are nowhere in the process's memory, and after the
 * configuration is gone neither is the private key.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificates.h"
#include "duo.h"
#include "tap.h"

#define PROBE 16
#define MASK 0xa5

/* Kept with each bit pattern changed, so that the search does not find what it searches for. */
static void keep_masked(unsigned char masked[PROBE], const unsigned char *secret)
{
	for (int i = 0; i < PROBE; i++)
		masked[i] = secret[i] ^ MASK;
}

static bool is_here(const unsigned char *memory, const unsigned char masked[PROBE])
{
	for (int i = 0; i < PROBE; i++) {
		if ((memory[i] ^ MASK) != masked[i])
			return false;
	}
	return true;
}

static unsigned int count_in(int memory, unsigned long from, unsigned long to, const char *what,
			     const unsigned char masked[PROBE])
{
	static unsigned char buffer[1 << 20];
	unsigned int found = 0;
	ssize_t n;

	for (; from < to; from += sizeof(buffer) - PROBE) {
		size_t size = to - from < sizeof(buffer) ? to - from : sizeof(buffer);

		n = pread(memory, buffer, size, from);
		for (ssize_t i = 0; i + PROBE <= n; i++) {
			if (!is_here(buffer + i, masked))
				continue;
			/* The window of the search itself. */
			if (from + i >= (unsigned long)buffer &&
			    from + i < (unsigned long)buffer + sizeof(buffer))
				continue;
			note("found at %#lx in%s", from + i, what);
			found++;
		}
	}
	memset(buffer, 0, sizeof(buffer));
	return found;
}

static unsigned int count_in_memory(const unsigned char masked[PROBE])
{
	unsigned long from, to;
	unsigned int found = 0;
	char line[512], *rest;
	int memory;
	FILE *maps;

	maps = fopen("/proc/self/maps", "re");
	memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	if (!maps || memory < 0)
		skip_all("no /proc/self/mem");
	while (fgets(line, sizeof(line), maps)) {
		from = strtoul(line, &rest, 16);
		to = strtoul(rest + 1, &rest, 16);
		line[strcspn(line, "\n")] = '\0';
		/* The larger ones are a sanitizer's bookkeeping. */
		if (!strncmp(rest, " rw", 3) && to - from <= 1ul << 30)
			found += count_in(memory, from, to, rest, masked);
	}
	fclose(maps);
	close(memory);
	return found;
}

/* In a function of its own, whose stack is used again by what follows. */
static __attribute__((noinline)) void handshake_and_mask(const struct signet_config *client,
							 const struct signet_config *server,
							 unsigned char tx[PROBE],
							 unsigned char rx[PROBE], bool *alive)
{
	struct duo duo;

	duo_begin(&duo, client, server, "db.internal");
	duo_run(&duo);
	if (duo.client.status || duo.server.status)
		bail("%s", duo.client.result.text);
	keep_masked(tx, duo.client.keys.tx.secret);
	keep_masked(rx, duo.client.keys.rx.secret);
	explicit_bzero(&duo.client.keys, sizeof(duo.client.keys));
	explicit_bzero(&duo.server.keys, sizeof(duo.server.keys));
	*alive = count_in_memory(tx) && count_in_memory(rx);
	duo_end(&duo);
}

/* RFC 5915 3: the private key of a P-256 certificate stands behind seven bytes of headers. */
static void mask_private_key(unsigned char masked[PROBE])
{
	unsigned char der[7 + PROBE];
	FILE *file;

	if (!run_there("openssl ec -in server.key -outform DER -out server.sec1"))
		bail("no private key in DER");
	file = fopen(in_certificates("server.sec1"), "re");
	if (!file)
		bail("no private key in DER");
	setvbuf(file, NULL, _IONBF, 0); /* whose buffer would be found */
	if (fread(der, sizeof(der), 1, file) != 1)
		bail("no private key in DER");
	fclose(file);
	keep_masked(masked, der + 7);
	explicit_bzero(der, sizeof(der));
}

int main(void)
{
	unsigned char tx[PROBE], rx[PROBE], key[PROBE];
	struct signet_config *client, *server;
	bool alive;

	tap_begin();
	certificates_begin();
	make_usual_certificates();
	client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	mask_private_key(key);
	handshake_and_mask(client, server, tx, rx, &alive);
	ok(alive, "while the engines live, the search finds the secrets");
	note("after the engines are gone:");
	ok(!count_in_memory(tx), "the client's secret is nowhere");
	ok(!count_in_memory(rx), "the server's secret is nowhere");
	ok(count_in_memory(key), "while the configuration lives, the search finds the key");
	signet_config_free(client);
	signet_config_free(server);
	note("after the configurations are gone:");
	ok(!count_in_memory(key), "the private key is nowhere");
	return tap_end();
}
