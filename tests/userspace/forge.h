/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates that no tool makes: parts of good ones are replaced, and they are signed again. */
#ifndef SIGNET_TESTS_FORGE_H
#define SIGNET_TESTS_FORGE_H

#include <stddef.h>

/* No certificate of the tests is longer. */
#define FORGE_MAX 16384

/* <name>.pem as DER. Return: its length. */
size_t read_certificate(const char *name, unsigned char *der, size_t size);

/* Writes DER as <name>.pem, whatever it is. */
void write_certificate(const char *name, const unsigned char *der, size_t length);

/**
 * struct forgery - <name>.pem out of <from>.pem
 * @name:	of the new certificate
 * @from:	of the certificate that is changed; its key is copied too
 * @issuer:	whose P-256 key signs it again; NULL: the old signature stays, and the last place
 *		in the whole certificate is changed instead of the first in its signed part
 * @find:	bytes, as hexadecimal digits
 * @replace:	as many bytes, as hexadecimal digits
 */
struct forgery {
	const char *name;
	const char *from;
	const char *issuer;
	const char *find;
	const char *replace;
};

void forge(const struct forgery *forgery);

#endif
