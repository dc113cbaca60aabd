/* SPDX-License-Identifier: MIT */
/* What signet.ko shows: in /proc/net/signet and /proc/net/signet_stat, and by its device. */
#ifndef SIGNETCTL_MODULE_H
#define SIGNETCTL_MODULE_H

#include <stdbool.h>
#include <stdint.h>

/* Prints what is known of the module, as lines or as an object of JSON. Return: it is loaded. */
bool module_print(bool json);

/* Prints the attached sockets of the network namespace. Return: false after a line on stderr. */
bool module_print_connections(bool json);

/**
 * module_rekey - all connections of the network namespace change their sending keys
 * @flags:	enum signet_rekey_flags
 *
 * Return: 0, or a negative errno.
 */
int module_rekey(uint32_t flags);

#endif
