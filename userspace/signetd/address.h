/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The addresses of a request. */
#ifndef SIGNETD_ADDRESS_H
#define SIGNETD_ADDRESS_H

#include <netinet/in.h>
#include <stdint.h>

/* "[", an IPv6 address, "]:", a port, NUL. */
#define ADDRESS_TEXT_MAX (INET6_ADDRSTRLEN + 8)

/* @address is a struct sockaddr_in or sockaddr_in6. Return: @text. */
const char *address_text(const uint8_t *address, char text[ADDRESS_TEXT_MAX]);

/**
 * address_parts - address and port
 * @bytes:	IPv4 as IPv6 has it (RFC 4291 2.5.5.2)
 *
 * Return: the port in host byte order.
 */
uint16_t address_parts(const uint8_t *address, uint8_t bytes[16]);

#endif
