/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading DER (X.690 10): definite, minimal lengths; nothing is copied. Every reader takes the next
 * element off the front of its input, and leaves the input as it was when it returns false.
 */
#ifndef SIGNET_HANDSHAKE_DER_H
#define SIGNET_HANDSHAKE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum signet_der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OBJECT_IDENTIFIER = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

/* Context-specific tags: primitive and constructed. */
#define DER_CONTEXT(number) (0x80 | (number))
#define DER_CONTEXT_CONSTRUCTED(number) (0xa0 | (number))

/**
 * struct signet_der - bytes of a DER encoding, not owned
 * @data:	first of them
 * @length:	their number
 */
struct signet_der {
	const unsigned char *data;
	size_t length;
};

/* Bytes that are known when compiling: an object identifier's content. */
#define DER_BYTES(literal)                                              \
	((struct signet_der){ .data = (const unsigned char *)(literal), \
			      .length = sizeof(literal) - 1 })

static inline bool signet_der_equal(struct signet_der a, struct signet_der b)
{
	return a.length == b.length && (!a.length || !memcmp(a.data, b.data, a.length));
}

/* Whether the next element has this tag. */
static inline bool signet_der_is(const struct signet_der *input, unsigned int tag)
{
	return input->length && input->data[0] == tag;
}

/**
 * signet_der_next - the next element, whatever it is
 * @tag:	its identifier octet; tags of more than one octet are refused
 * @content:	what it holds
 */
bool signet_der_next(struct signet_der *input, unsigned int *tag, struct signet_der *content);

/* The next element, which must have the tag @tag. */
bool signet_der_read(struct signet_der *input, unsigned int tag, struct signet_der *content);

/* As signet_der_read(), but an absent element is empty. */
bool signet_der_optional(struct signet_der *input, unsigned int tag, struct signet_der *content);

/* The next element, which must be a BOOLEAN; an absent one is false. */
bool signet_der_boolean(struct signet_der *input, bool *value);

/* An INTEGER's content, which must be minimal and fit, and not be negative. */
bool signet_der_number(struct signet_der content, unsigned int *value);

/* An INTEGER's content, which must be minimal and positive, without a leading zero. */
bool signet_der_positive(struct signet_der *content);

/* A BIT STRING's content that is whole octets: without the count of unused bits. */
bool signet_der_octets(struct signet_der *content);

/* A BIT STRING's content with names for its bits, at most 32: bit 0 is 1 << 0. */
bool signet_der_flags(struct signet_der content, unsigned int *flags);

#endif
