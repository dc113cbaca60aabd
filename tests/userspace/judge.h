/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates and what becomes of them: in handshakes, and before the engine's policy alone. */
#ifndef SIGNET_TESTS_JUDGE_H
#define SIGNET_TESTS_JUDGE_H

#include <stddef.h>

#include "certificates.h"
#include "duo.h"

#define PAST "-not_before 20200101000000Z -not_after 20210101000000Z"
#define FUTURE "-not_before 20900101000000Z -not_after 20910101000000Z"
#define CA "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
#define NAMED "subjectAltName=DNS:db.internal\n"

/* The alerts of RFC 8446 6.2 that refusals send, with the level "fatal". */
#define FATAL(description) (2 << 8 | (description))
#define FATAL_BAD_CERTIFICATE FATAL(42)
#define FATAL_UNSUPPORTED_CERTIFICATE FATAL(43)
#define FATAL_CERTIFICATE_EXPIRED FATAL(45)
#define FATAL_UNKNOWN_CA FATAL(48)
#define FATAL_CERTIFICATE_REQUIRED FATAL(116)

/* A client that trusts "ca", a server "server" of it, and one that demands a client of "ca". */
extern struct signet_config *usual_client, *usual_server, *asking_server;

/* Begins the program: certificates_begin(), make_usual_certificates() and the configurations. */
void judge_begin(void);

/* Ends it. Return: its exit status. */
int judge_end(void);

/**
 * struct judgement - a certificate and what becomes of it
 * @recipe:	of the certificate
 * @name:	what the client asks for, NULL for db.internal
 * @alert:	that the judge sends, 0 when the certificate is good
 * @text:	part of what the result says, NULL when the certificate is good
 */
struct judgement {
	struct recipe recipe;
	const char *name;
	unsigned int alert;
	const char *text;
};

/* The judge's verdict, that it hands no keys over, and, with @judged, that the other side knows. */
void check_refusal(const struct side *judge, const struct side *judged, const char *name,
		   unsigned int alert, const char *text);

/* Makes each certificate and has a server present it. */
void judge_servers(const struct judgement *cases, size_t count);

/* Makes each certificate and has a client present it. */
void judge_clients(const struct judgement *cases, size_t count);

/* Makes each certificate, as a CA's, and has a server present one that it has issued. */
void judge_authorities(const struct judgement *cases, size_t count);

/* Makes certificates that later ones need. */
void make_certificates(const struct recipe *recipes, size_t count);

/**
 * struct sending - certificates that a server sends together, and what becomes of them
 * @label:	of the checks
 * @files:	their names, the server's first, with spaces between
 * @trusted:	the CA that the client believes, NULL for "ca"
 * @name:	what the client asks for, NULL for db.internal
 * @alert:	that the client sends, 0 when it is content
 * @text:	part of what it says, NULL when it is content
 */
struct sending {
	const char *label;
	const char *files;
	const char *trusted;
	const char *name;
	unsigned int alert;
	const char *text;
};

void judge_sendings(const struct sending *cases, size_t count);

/*
 * The same without a handshake, for certificates that wolfSSL would not send: only the description
 * of the alert and the text are checked.
 */
void judge_directly(const struct sending *cases, size_t count);

#endif
