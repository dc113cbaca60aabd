/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records under the secrets that a hand-over would install: what the module does in the kernel, in a
 * few lines of another implementation.
 */
#ifndef SIGNET_TESTS_RECORD_H
#define SIGNET_TESTS_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/signet.h>

#define RECORD_APPLICATION 23
#define RECORD_HANDSHAKE 22
#define RECORD_MAX (16384 + 256)

/* HKDF-Expand-Label (RFC 8446 7.1), up to the hash's length. */
void expand_label(const void *secret, size_t secret_len, const char *label, const void *context,
		  size_t context_len, void *out, size_t length);

/* TLS-Exporter (RFC 8446 7.5), from the exporter master secret. */
void export_from(const void *secret, size_t secret_len, const char *label, const void *context,
		 size_t context_len, void *out, size_t length);

/* Seals one record of application data and sends it. */
void record_send(int fd, struct signet_crypto *crypto, const char *text);

/**
 * record_receive - open the next record
 * @content:	room for RECORD_MAX bytes, a NUL is put behind it
 * @length:	of it
 *
 * Return: its content type, 0 if it does not open or none comes.
 */
int record_receive(int fd, struct signet_crypto *crypto, void *content, size_t *length);

#endif
