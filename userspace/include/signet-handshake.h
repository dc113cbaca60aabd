/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libsignet-handshake: complete a TLS 1.3 handshake in this process, verify the
 * peer, and hand the connection to signet.ko.
 *
 * A program that links it is a GPL-3.0-or-later work, because wolfSSL is.
 *
 *	struct signet_config *config;
 *	struct signet_result result;
 *
 *	signet_config_new(SIGNET_ROLE_CLIENT, &config);
 *	signet_config_ca_file(config, "ca.pem");
 *	if (signet_connect(config, fd, "db.internal", &result) < 0)
 *		errx(1, "%s", result.text);
 *	send(fd, ...);
 *
 * A configuration may be shared by threads once it is complete. A failed
 * handshake leaves the socket unusable: close it.
 */
#ifndef SIGNET_HANDSHAKE_H
#define SIGNET_HANDSHAKE_H

#include <signet.h>

#ifdef __cplusplus
extern "C" {
#endif

struct signet_config;

#define SIGNET_TEXT_MAX 256
#define SIGNET_NAME_MAX 256

/**
 * struct signet_result - how a handshake went
 * @error:	0, or the negative errno that the call returned
 * @alert:	alert that ended it, level << 8 | description, 0 for none
 * @version:	TLS version, 0x0304
 * @suite:	IANA number of the cipher suite
 * @group:	name of the key exchange group
 * @peer:	verified name of the peer: the server name that was asked for; of a
 *		client certificate the SPIFFE id, else the first DNS name, else the
 *		subject, as "/O=Test/CN=a client"; "" for none
 * @text:	the failure in words, "" on success
 */
struct signet_result {
	int error;
	unsigned int alert;
	unsigned int version;
	unsigned int suite;
	char group[32];
	char peer[SIGNET_NAME_MAX];
	char text[SIGNET_TEXT_MAX];
};

/**
 * signet_config_new - an empty configuration
 * @role:	SIGNET_ROLE_CLIENT or SIGNET_ROLE_SERVER
 * @config:	filled in
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int signet_config_new(enum signet_role role, struct signet_config **config);

/* Frees what signet_config_new() made and wipes its private key. NULL is fine. */
void signet_config_free(struct signet_config *config);

/**
 * signet_config_ca_file - trust the certificates of a PEM file
 *
 * A client without any trusts nobody; a server with one demands a client
 * certificate.
 *
 * Certificates in it that may issue none now (expired, not a CA's, against a
 * rule of libsignet-handshake(3)) are passed over.
 *
 * Return: 0, -ENOENT, -EACCES, -EINVAL when there is no certificate in it, or
 * -EKEYREJECTED when there is none but such.
 */
int signet_config_ca_file(struct signet_config *config, const char *path);

/*
 * Client: trust the system's certificates (/etc/ssl/certs). What they have issued
 * must say that it is for TLS servers. Same errors.
 */
int signet_config_ca_system(struct signet_config *config);

/**
 * signet_config_certificate - this side's certificate chain and private key
 * @chain:	PEM file, leaf first
 * @key:	PEM file, not encrypted
 *
 * Return: 0, -ENOENT, -EACCES, -EINVAL when a file cannot be understood, or
 * -EKEYREJECTED when the key is not the certificate's.
 */
int signet_config_certificate(struct signet_config *config, const char *chain, const char *key);

/* Limit for a whole handshake in milliseconds; the default is 10,000; 0 is none. */
int signet_config_timeout(struct signet_config *config, unsigned int ms);

/**
 * signet_connect - handshake as a client and hand over to the module
 * @config:	a client's
 * @fd:		connected TCP socket, blocking or not; the call blocks
 * @server_name: DNS name, address or URI (of a SPIFFE workload, too) to ask for
 *		and to verify; never NULL or empty: a client that does not verify is
 *		refused
 * @result:	filled in, may be NULL
 *
 * On return the socket's data calls are encrypted by the kernel. Keys are
 * installed only after the server has been authenticated.
 *
 * Return: 0, or
 *   -EKEYREJECTED the certificate was refused: result->text says why
 *   -EPROTO	the peer sent a fatal alert, or broke the protocol
 *   -ETIMEDOUT	the handshake took too long
 *   -ECONNABORTED, -ECONNRESET the peer went away
 *   -EINVAL	no server name, or the other role's configuration
 *   or what signet_attach() and signet_install() return.
 */
int signet_connect(const struct signet_config *config, int fd, const char *server_name,
		   struct signet_result *result);

/**
 * signet_accept - handshake as a server and hand over to the module
 *
 * As signet_connect(). With a CA configured the client must present a
 * certificate that verifies; keys are installed only after it did.
 */
int signet_accept(const struct signet_config *config, int fd, struct signet_result *result);

#ifdef __cplusplus
}
#endif

#endif /* SIGNET_HANDSHAKE_H */
