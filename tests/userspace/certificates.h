/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates made anew for each run by the openssl command, in a directory that goes with it. */
#ifndef SIGNET_TESTS_CERTIFICATES_H
#define SIGNET_TESTS_CERTIFICATES_H

/* Makes the directory; it is removed at exit. Skips the program when there is no openssl. */
void certificates_begin(void);

/* Path of a file there, in a static buffer that stays good for 63 more calls. */
const char *in_certificates(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a shell command in the directory. Return: whether it succeeded. */
int run_there(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * struct recipe - a certificate <name>.pem with the key <name>.key
 * @name:	of the files
 * @subject:	"/CN=..." or "/" for an empty one
 * @issuer:	name of the CA's files; NULL for self-signed
 * @extensions:	as openssl's -addext takes them, one per line; NULL for none
 * @options:	further options of "openssl req", e.g. a validity; NULL for 30 days from yesterday
 * @key:	as openssl's -newkey takes it; NULL for P-256
 * @key_of:	name of the certificate whose key this one has too; NULL for a new key
 */
struct recipe {
	const char *name;
	const char *subject;
	const char *issuer;
	const char *extensions;
	const char *options;
	const char *key;
	const char *key_of;
};

void make_certificate(const struct recipe *recipe);

/* ca, a server "server" for db.internal, 127.0.0.1 and ::1, and a client "client" of it. */
void make_usual_certificates(void);

#endif
