/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Installing keys that came through SOL_SIGNET or from a helper.
 */
#ifndef _SIGNET_INSTALL_H
#define _SIGNET_INSTALL_H

#include <linux/sockptr.h>

#include "context.h"

/**
 * struct signet_new_keys - everything an install needs, made before it begins
 * @role:	enum signet_role
 * @tx:		sending keys, or NULL for none
 * @rx:		receiving keys, or NULL for none
 * @leftover:	ciphertext that comes first, or NULL
 * @leftover_len: its length
 */
struct signet_new_keys {
	u8 role;
	struct signet_cipher *tx;
	struct signet_cipher *rx;
	u8 *leftover;
	unsigned int leftover_len;
};

/*
 * A structure that is shorter or longer than the kernel's, as the conventions in
 * uapi/linux/signet.h say. Not copy_struct_from_sockptr(): in 6.12 it does not
 * look behind the kernel's size.
 */
int signet_copy_struct(void *to, size_t size, sockptr_t from, size_t given);

/* One direction's cipher. Context: may sleep. Return: 0 or as signet_cipher_new(). */
int signet_new_keys_cipher(const struct signet_crypto *crypto, struct signet_cipher **cipher);

/* Role and both directions' ciphers. Context: may sleep. Return: 0 or an errno. */
int signet_new_keys_fill(struct signet_new_keys *new, const struct signet_keys *keys);

/* Frees what was not installed. */
void signet_new_keys_free(struct signet_new_keys *new);

/**
 * signet_install - put keys into use: all or nothing
 * @sk:		socket
 * @ctx:	its context
 * @new:	is empty after success
 *
 * Context: process, under the socket lock.
 * Return: 0 or an errno of uapi/linux/signet.h's struct signet_crypto.
 */
int signet_install(struct sock *sk, struct signet_context *ctx, struct signet_new_keys *new);

#endif /* _SIGNET_INSTALL_H */
