// SPDX-License-Identifier: GPL-3.0-or-later
#include "forge.h"

#include <stdio.h>
#include <string.h>

#include "certificates.h"
#include "tap.h"

static size_t read_file(const char *name, unsigned char *data, size_t size)
{
	FILE *file = fopen(in_certificates("%s", name), "rb");
	size_t length;

	if (!file)
		bail("no file %s", name);
	length = fread(data, 1, size, file);
	fclose(file);
	return length;
}

static void write_file(const char *name, const unsigned char *data, size_t length)
{
	FILE *file = fopen(in_certificates("%s", name), "wb");

	if (!file || fwrite(data, 1, length, file) != length || fclose(file))
		bail("cannot write %s", name);
}

/* Not by "openssl x509", which would refuse what is malformed. */
size_t read_certificate(const char *name, unsigned char *der, size_t size)
{
	if (!run_there("sed -n '/^-----END/q;/^-----/!p' %s.pem | openssl base64 -d "
		       ">forge.der",
		       name))
		bail("no certificate %s", name);
	return read_file("forge.der", der, size);
}

void write_certificate(const char *name, const unsigned char *der, size_t length)
{
	write_file("forge.der", der, length);
	if (!run_there("{ echo -----BEGIN CERTIFICATE-----; openssl base64 -in forge.der; "
		       "echo -----END CERTIFICATE-----; } >%s.pem",
		       name))
		bail("no certificate %s", name);
}

static size_t from_digits(const char *digits, unsigned char *bytes, size_t size)
{
	size_t length = strlen(digits) / 2;

	if (length > size)
		bail("too many digits: %s", digits);
	for (size_t i = 0; i < length; i++) {
		if (sscanf(digits + 2 * i, "%2hhx", &bytes[i]) != 1)
			bail("no digits: %s", digits);
	}
	return length;
}

/* The length of a whole element, its tag included. */
static size_t element(const unsigned char *der)
{
	if (der[1] < 0x80)
		return 2 + der[1];
	if (der[1] == 0x81)
		return 3 + der[2];
	return 4 + (der[2] << 8 | der[3]);
}

static size_t header(const unsigned char *der)
{
	return der[1] < 0x80 ? 2 : 2 + (der[1] & 0x7f);
}

static unsigned char *last_place(unsigned char *data, size_t length, const unsigned char *bytes,
				 size_t count)
{
	unsigned char *found = NULL, *next = data;

	while ((next = memmem(next, length - (next - data), bytes, count)))
		found = next++;
	return found;
}

static void change(const struct forgery *forgery, unsigned char *data, size_t length)
{
	unsigned char find[256], replace[256], *place;
	size_t count = from_digits(forgery->find, find, sizeof(find));

	if (from_digits(forgery->replace, replace, sizeof(replace)) != count)
		bail("%s: as many bytes as before", forgery->name);
	place = forgery->issuer ? memmem(data, length, find, count) :
				  last_place(data, length, find, count);
	if (!place)
		bail("%s: nothing to replace in %s", forgery->name, forgery->from);
	memcpy(place, replace, count);
}

/* Behind the signed part come the algorithm and the signature, a BIT STRING. Return: the length. */
static size_t sign(const struct forgery *forgery, unsigned char *der, size_t signed_length)
{
	unsigned char algorithm[32], signature[128], *end = der + 4 + signed_length;
	size_t algorithm_length = element(end), length, total;

	memcpy(algorithm, end, algorithm_length);
	write_file("forge.tbs", der + header(der), signed_length);
	if (!run_there("openssl dgst -sha256 -sign %s.key -out forge.sig forge.tbs",
		       forgery->issuer))
		bail("%s: cannot sign", forgery->name);
	length = read_file("forge.sig", signature, sizeof(signature));

	/* A header of four bytes, whatever it was. */
	memmove(der + 4, der + header(der), signed_length);
	memcpy(end, algorithm, algorithm_length);
	end += algorithm_length;
	*end++ = 0x03;
	*end++ = length + 1;
	*end++ = 0;
	memcpy(end, signature, length);
	total = end + length - der - 4;
	if (total < 256)
		bail("%s: too short for the header", forgery->name);
	der[1] = 0x82;
	der[2] = total >> 8;
	der[3] = total;
	return total + 4;
}

void forge(const struct forgery *forgery)
{
	unsigned char der[FORGE_MAX];
	size_t length = read_certificate(forgery->from, der, sizeof(der) / 2);
	size_t signed_length = element(der + header(der));

	if (header(der) != 4)
		bail("%s: a certificate of at least 256 bytes", forgery->from);
	if (forgery->issuer) {
		change(forgery, der + 4, signed_length);
		length = sign(forgery, der, signed_length);
	} else {
		change(forgery, der, length);
	}
	write_certificate(forgery->name, der, length);
	run_there("cp %s.key %s.key", forgery->from, forgery->name);
}
