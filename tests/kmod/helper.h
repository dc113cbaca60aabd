/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A helper of the tests' own: it serves handshakes with whatever bytes and keys a
 * test wants.
 */
#ifndef TESTS_KMOD_HELPER_H
#define TESTS_KMOD_HELPER_H

#include <linux/signet_helper.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The functions return 0 or a descriptor, or -1 with errno. */

/* Opens the device and compares versions. */
int helper_open(void);

/* Picks up a request; with a blocking device it waits. Return: the channel. */
int helper_request(int device, struct signet_request *request);

/**
 * struct helper_result - what comes with the keys; texts may be NULL
 */
struct helper_result {
	const char *alpn;
	const char *server_name;
	const char *peer_name;
	const void *session;
	size_t session_len;
	const void *chain;
	size_t chain_len;
	uint16_t group;
	uint32_t flags;
	const void *exporter;
	size_t exporter_len;
};

/* Hands @keys over; @result may be NULL. */
int helper_hand_over(int channel, const struct signet_keys *keys,
		     const struct helper_result *result);

int helper_refuse(int channel, int error, unsigned int alert, const char *text);

/* SIGNET_CONNECT, SIGNET_ACCEPT and other texts. */
int text_option(int fd, int option, const char *text);
/* SIGNET_BEGIN. */
int begin(int fd, enum signet_role role, const char *text);
/* Reads a text option; "" for none, with errno. */
const char *text_of(int fd, int option);

#endif /* TESTS_KMOD_HELPER_H */
