// SPDX-License-Identifier: GPL-3.0-or-later
#include "der.h"

#include <limits.h>

#define LONG_FORM 0x80
#define HIGH_TAG 0x1f

/* Certificates are far smaller than three octets of length can tell. */
#define LENGTH_OCTETS_MAX 3

/* X.690 10.1: definite, in as few octets as possible. */
static bool read_length(struct signet_der *input, size_t *length)
{
	size_t octets, value = 0;

	if (!input->length)
		return false;
	octets = *input->data++;
	input->length--;
	if (!(octets & LONG_FORM)) {
		*length = octets;
		return octets <= input->length;
	}
	octets &= ~LONG_FORM;
	if (!octets || octets > LENGTH_OCTETS_MAX || octets > input->length || !input->data[0])
		return false;
	input->length -= octets;
	while (octets--)
		value = value << 8 | *input->data++;
	*length = value;
	return value >= LONG_FORM && value <= input->length;
}

bool signet_der_next(struct signet_der *input, unsigned int *tag, struct signet_der *content)
{
	struct signet_der rest = *input;
	size_t length;

	if (!rest.length || (rest.data[0] & HIGH_TAG) == HIGH_TAG)
		return false;
	*tag = *rest.data++;
	rest.length--;
	if (!read_length(&rest, &length))
		return false;
	*content = (struct signet_der){ rest.data, length };
	*input = (struct signet_der){ rest.data + length, rest.length - length };
	return true;
}

bool signet_der_read(struct signet_der *input, unsigned int tag, struct signet_der *content)
{
	unsigned int found;

	return signet_der_is(input, tag) && signet_der_next(input, &found, content);
}

bool signet_der_optional(struct signet_der *input, unsigned int tag, struct signet_der *content)
{
	*content = (struct signet_der){ 0 };
	return !signet_der_is(input, tag) || signet_der_read(input, tag, content);
}

bool signet_der_boolean(struct signet_der *input, bool *value)
{
	struct signet_der content;

	*value = false;
	if (!signet_der_is(input, DER_BOOLEAN))
		return true;
	if (!signet_der_read(input, DER_BOOLEAN, &content) || content.length != 1)
		return false;
	*value = content.data[0] == 0xff;
	return *value || !content.data[0];
}

/* X.690 8.3.2: the first nine bits are neither all zero nor all one. */
static bool is_minimal(struct signet_der content)
{
	if (content.length < 2)
		return content.length;
	return !(content.data[0] == 0x00 && content.data[1] < 0x80) &&
	       !(content.data[0] == 0xff && content.data[1] >= 0x80);
}

bool signet_der_number(struct signet_der content, unsigned int *value)
{
	if (!is_minimal(content) || content.data[0] & 0x80)
		return false;
	*value = 0;
	for (size_t i = 0; i < content.length; i++) {
		if (*value > UINT_MAX >> 8)
			return false;
		*value = *value << 8 | content.data[i];
	}
	return true;
}

bool signet_der_positive(struct signet_der *content)
{
	if (!is_minimal(*content) || content->data[0] & 0x80)
		return false;
	if (!content->data[0]) {
		content->data++;
		content->length--;
	}
	return content->length;
}

bool signet_der_octets(struct signet_der *content)
{
	if (!content->length || content->data[0])
		return false;
	content->data++;
	content->length--;
	return true;
}

bool signet_der_flags(struct signet_der content, unsigned int *flags)
{
	unsigned int unused, last;

	*flags = 0;
	if (!content.length || content.length > 1 + sizeof(*flags))
		return false;
	unused = content.data[0];
	if (unused > 7 || (unused && content.length == 1))
		return false;
	for (size_t i = 1; i < content.length; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			if (content.data[i] & 0x80 >> bit)
				*flags |= 1u << (8 * (i - 1) + bit);
		}
	}
	/* X.690 11.2.1: unused bits are zero. Trailing zero bits (11.2.2) are let pass. */
	last = content.data[content.length - 1];
	return content.length == 1 || !(last & ((1u << unused) - 1));
}
