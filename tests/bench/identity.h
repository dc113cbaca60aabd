/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A certificate for the TLS libraries that are measured.
 */
#ifndef TESTS_BENCH_IDENTITY_H
#define TESTS_BENCH_IDENTITY_H

/**
 * struct identity - an ECDSA P-256 key and its self-signed certificate, as DER
 */
struct identity {
	unsigned char *certificate;
	int certificate_len;
	unsigned char *key;
	int key_len;
};

/* The process's own, made at the first call. Exits on failure. */
const struct identity *identity_get(void);

#endif /* TESTS_BENCH_IDENTITY_H */
