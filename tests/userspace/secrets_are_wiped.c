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
#include "meeting.h"
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

/**
 * struct masks - what must be nowhere
 * @tx:		the client's traffic secret
 * @rx:		the server's
 * @exporter:	the exporter master secret
 * @resumption:	the resumption master secret
 * @old:	a key of TLS 1.2
 */
struct masks {
	unsigned char tx[PROBE];
	unsigned char rx[PROBE];
	unsigned char exporter[PROBE];
	unsigned char resumption[PROBE];
	unsigned char old[PROBE];
};

/* Behind version, suite and length. */
#define SECRET_IN_BLOB 4

static __attribute__((noinline)) void mask_later_secrets(struct signet_handshake *handshake,
							 struct masks *masks)
{
	unsigned char blob[SIGNET_RESUMPTION_MAX];
	const unsigned char *exporter;

	if (signet_handshake_exporter(handshake, &exporter) < PROBE ||
	    signet_handshake_resumption_blob(handshake, blob) < SECRET_IN_BLOB + PROBE)
		bail("no exporter or resumption secret");
	keep_masked(masks->exporter, exporter);
	keep_masked(masks->resumption, blob + SECRET_IN_BLOB);
	explicit_bzero(blob, sizeof(blob));
}

/* In a function of its own, whose stack is used again by what follows. */
static __attribute__((noinline)) void handshake_and_mask(const struct signet_config *client,
							 const struct signet_config *server,
							 struct masks *masks, bool *alive)
{
	struct duo duo;

	duo_begin(&duo, client, server, "db.internal");
	duo_run(&duo);
	if (duo.client.status || duo.server.status)
		bail("%s", duo.client.result.text);
	keep_masked(masks->tx, duo.client.keys.tx.secret);
	keep_masked(masks->rx, duo.client.keys.rx.secret);
	mask_later_secrets(duo.client.engine, masks);
	explicit_bzero(&duo.client.keys, sizeof(duo.client.keys));
	explicit_bzero(&duo.server.keys, sizeof(duo.server.keys));
	*alive = count_in_memory(masks->tx) && count_in_memory(masks->rx) &&
		 count_in_memory(masks->exporter) && count_in_memory(masks->resumption);
	duo_end(&duo);
}

static __attribute__((noinline)) void handshake_of_old(struct signet_config *client,
						       struct masks *masks, bool *alive)
{
	SSL_CTX *theirs = openssl_new(true, "other");
	struct meeting meeting;

	signet_config_min_version(client, SIGNET_TLS_1_2);
	SSL_CTX_set_max_proto_version(theirs, TLS1_2_VERSION);
	meeting_begin(&meeting, client, theirs, "db.internal");
	meeting_run(&meeting);
	if (!meeting_is_good(&meeting) || meeting.keys.tx.version != SIGNET_TLS_1_2)
		bail("%s", meeting.result.text);
	keep_masked(masks->old, meeting.keys.tx.secret);
	explicit_bzero(&meeting.keys, sizeof(meeting.keys));
	*alive = count_in_memory(masks->old);
	meeting_end(&meeting);
	SSL_CTX_free(theirs);
}

static void read_der(const char *name, unsigned char *der, size_t size)
{
	FILE *file = fopen(in_certificates("%s", name), "re");

	if (!file)
		bail("no %s", name);
	setvbuf(file, NULL, _IONBF, 0); /* whose buffer would be found */
	if (fread(der, size, 1, file) != 1)
		bail("%s is too short", name);
	fclose(file);
}

/* RFC 5915 3: the private key of a P-256 certificate stands behind seven bytes of headers. */
static void mask_private_key(unsigned char masked[PROBE])
{
	unsigned char der[7 + PROBE];

	if (!run_there("openssl ec -in server.key -outform DER -out server.sec1"))
		bail("no private key in DER");
	read_der("server.sec1", der, sizeof(der));
	keep_masked(masked, der + 7);
	explicit_bzero(der, sizeof(der));
}

/* RFC 8017 A.1.2: in front of the first prime are version, modulus and both exponents. */
static size_t find_prime(const unsigned char *der)
{
	size_t at = 4, length;

	for (int i = 0; i < 5; i++) {
		length = der[at + 1];
		at += 2;
		for (int octets = length & 0x80 ? length & 0x7f : 0; octets; octets--)
			length = (length & 0x7f) << 8 | der[at++];
		if (i < 4)
			at += length & 0x7fff;
	}
	return at + 1; /* it is positive: behind a zero */
}

/* As DER has it, and as libcrypto has it in memory: with the last byte first. */
static void mask_prime(unsigned char masked[PROBE], unsigned char reversed[PROBE])
{
	unsigned char der[1100], prime[PROBE];
	size_t at;

	if (!run_there("openssl rsa -in rsa.key -traditional -outform DER -out rsa.pkcs1"))
		bail("no RSA key in DER");
	read_der("rsa.pkcs1", der, sizeof(der));
	at = find_prime(der);
	keep_masked(masked, der + at);
	for (int i = 0; i < PROBE; i++)
		prime[i] = der[at + PROBE - 1 - i];
	keep_masked(reversed, prime);
	explicit_bzero(der, sizeof(der));
	explicit_bzero(prime, sizeof(prime));
}

/* Twice: with numbers that blind the key, which the first one makes. */
static void check_rsa(const struct signet_config *client)
{
	struct signet_config *server = new_config(SIGNET_ROLE_SERVER, NULL, "rsa");
	unsigned char prime[PROBE], reversed[PROBE];
	struct duo duo;

	mask_prime(prime, reversed);
	for (int i = 0; i < 2; i++) {
		handshake(&duo, client, server, "db.internal");
		if (duo.client.status || duo.server.status)
			bail("%s", duo.client.result.text);
	}
	ok(count_in_memory(prime) && count_in_memory(reversed),
	   "while the configuration lives, the search finds the RSA key in both forms");
	signet_config_free(server);
	note("after the configuration is gone:");
	ok(!count_in_memory(prime), "the RSA key is nowhere as it was in the file");
	ok(!count_in_memory(reversed), "and nowhere as it was computed with");
}

int main(void)
{
	struct signet_config *client, *server;
	unsigned char key[PROBE];
	struct masks masks;
	bool alive;

	tap_begin();
	certificates_begin();
	make_usual_certificates();
	/* With a key of its own: what OpenSSL leaves behind is not looked for. */
	make_certificate(
		&(struct recipe){ "other", "/CN=x", "ca", "subjectAltName=DNS:db.internal" });
	make_certificate(&(struct recipe){ "rsa", "/CN=x", "ca", "subjectAltName=DNS:db.internal",
					   .key = "rsa:2048" });
	client = new_config(SIGNET_ROLE_CLIENT, "ca", NULL);
	server = new_config(SIGNET_ROLE_SERVER, NULL, "server");
	mask_private_key(key);
	handshake_and_mask(client, server, &masks, &alive);
	ok(alive, "while the handshakes live, the search finds the secrets");
	note("after the handshakes are gone:");
	ok(!count_in_memory(masks.tx), "the client's secret is nowhere");
	ok(!count_in_memory(masks.rx), "the server's secret is nowhere");
	ok(!count_in_memory(masks.exporter), "the exporter master secret is nowhere");
	ok(!count_in_memory(masks.resumption), "the resumption master secret is nowhere");
	check_rsa(client);
	handshake_of_old(client, &masks, &alive);
	ok(alive, "while a handshake of TLS 1.2 lives, the search finds its key");
	ok(!count_in_memory(masks.old), "and then it is nowhere");
	ok(count_in_memory(key), "while the configuration lives, the search finds the key");
	signet_config_free(client);
	signet_config_free(server);
	note("after the configurations are gone:");
	ok(!count_in_memory(key), "the private key is nowhere");
	return tap_end();
}
