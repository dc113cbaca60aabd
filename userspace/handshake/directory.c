// SPDX-License-Identifier: GPL-3.0-or-later
#include "directory.h"

#include <stdio.h>

/**
 * struct attribute - one attribute of a name
 * @type:	object identifier
 * @tag:	of the value
 * @value:	its content
 */
struct attribute {
	struct signet_der type;
	unsigned int tag;
	struct signet_der value;
};

static bool read_attribute(struct signet_der *set, struct attribute *attribute)
{
	struct signet_der pair;

	return signet_der_read(set, DER_SEQUENCE, &pair) &&
	       signet_der_read(&pair, DER_OBJECT_IDENTIFIER, &attribute->type) &&
	       signet_der_next(&pair, &attribute->tag, &attribute->value) && !pair.length;
}

bool signet_directory_is_name(struct signet_der name)
{
	struct attribute attribute;
	struct signet_der set;

	while (name.length) {
		if (!signet_der_read(&name, DER_SET, &set) || !set.length)
			return false;
		while (set.length) {
			if (!read_attribute(&set, &attribute))
				return false;
		}
	}
	return true;
}

static bool is_text(unsigned int tag)
{
	return tag == DER_UTF8_STRING || tag == DER_PRINTABLE_STRING || tag == DER_IA5_STRING;
}

static void skip_spaces(struct signet_der *text)
{
	while (text->length && text->data[0] == ' ') {
		text->data++;
		text->length--;
	}
}

/* The next character as names are compared: lower case, one space for many. -1 at the end. */
static int fold(struct signet_der *text)
{
	unsigned char c;

	if (!text->length)
		return -1;
	c = *text->data++;
	text->length--;
	if (c == ' ') {
		skip_spaces(text);
		return text->length ? ' ' : -1;
	}
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool same_text(struct signet_der a, struct signet_der b)
{
	int c;

	skip_spaces(&a);
	skip_spaces(&b);
	do {
		c = fold(&a);
		if (c != fold(&b))
			return false;
	} while (c >= 0);
	return true;
}

static bool same_attribute(const struct attribute *a, const struct attribute *b)
{
	if (!signet_der_equal(a->type, b->type))
		return false;
	if (is_text(a->tag) && is_text(b->tag))
		return same_text(a->value, b->value);
	return a->tag == b->tag && signet_der_equal(a->value, b->value);
}

static bool same_set(struct signet_der a, struct signet_der b)
{
	struct attribute one, other;

	while (a.length && b.length) {
		if (!read_attribute(&a, &one) || !read_attribute(&b, &other) ||
		    !same_attribute(&one, &other))
			return false;
	}
	return !a.length && !b.length;
}

bool signet_directory_within(struct signet_der name, struct signet_der base)
{
	struct signet_der set, base_set;

	while (base.length) {
		if (!signet_der_read(&name, DER_SET, &set) ||
		    !signet_der_read(&base, DER_SET, &base_set) || !same_set(set, base_set))
			return false;
	}
	return true;
}

bool signet_directory_equal(struct signet_der a, struct signet_der b)
{
	return signet_der_equal(a, b) ||
	       (signet_directory_within(a, b) && signet_directory_within(b, a));
}

/* FNV-1a. */
static uint32_t mix(uint32_t hash, unsigned int byte)
{
	return (hash ^ byte) * 16777619u;
}

static uint32_t hash_attribute(uint32_t hash, const struct attribute *attribute)
{
	struct signet_der value = attribute->value;
	int c;

	for (size_t i = 0; i < attribute->type.length; i++)
		hash = mix(hash, attribute->type.data[i]);
	if (!is_text(attribute->tag)) {
		for (size_t i = 0; i < value.length; i++)
			hash = mix(hash, value.data[i]);
		return hash;
	}
	skip_spaces(&value);
	while ((c = fold(&value)) >= 0)
		hash = mix(hash, c);
	return hash;
}

uint32_t signet_directory_hash(struct signet_der name)
{
	struct attribute attribute;
	uint32_t hash = 2166136261u;
	struct signet_der set;

	while (signet_der_read(&name, DER_SET, &set)) {
		while (read_attribute(&set, &attribute))
			hash = hash_attribute(hash, &attribute);
	}
	return hash;
}

bool signet_directory_attribute(struct signet_directory_walk *walk, struct signet_der type,
				struct signet_der *value)
{
	struct attribute attribute;

	do {
		while (read_attribute(&walk->set, &attribute)) {
			if (!signet_der_equal(attribute.type, type))
				continue;
			*value = attribute.value;
			return true;
		}
	} while (signet_der_read(&walk->name, DER_SET, &walk->set));
	return false;
}

static const struct {
	const char *name;
	struct signet_der type;
} attribute_names[] = {
	{ "CN", DER_BYTES("\x55\x04\x03") },
	{ "SN", DER_BYTES("\x55\x04\x04") },
	{ "serialNumber", DER_BYTES("\x55\x04\x05") },
	{ "C", DER_BYTES("\x55\x04\x06") },
	{ "L", DER_BYTES("\x55\x04\x07") },
	{ "ST", DER_BYTES("\x55\x04\x08") },
	{ "O", DER_BYTES("\x55\x04\x0a") },
	{ "OU", DER_BYTES("\x55\x04\x0b") },
	{ "GN", DER_BYTES("\x55\x04\x2a") },
	{ "DC", DER_BYTES("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19") },
	{ "UID", DER_BYTES("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01") },
	{ "emailAddress", DER_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01") },
};

/**
 * struct writer - text that is cut where its room ends
 * @text:	its room
 * @size:	of it, with the final NUL
 * @used:	characters so far
 * @cut:	something did not fit
 */
struct writer {
	char *text;
	size_t size;
	size_t used;
	bool cut;
};

static void put(struct writer *writer, const char *piece)
{
	size_t length = strlen(piece);

	if (writer->cut || writer->used + length + sizeof("...") > writer->size) {
		writer->cut = true;
		return;
	}
	memcpy(writer->text + writer->used, piece, length + 1);
	writer->used += length;
}

/* Certificates hold any bytes; what a person or a log reads holds none but printable ASCII. */
static void put_byte(struct writer *writer, unsigned char byte)
{
	char piece[8];

	if (byte == '/' || byte == '+' || byte == '\\')
		snprintf(piece, sizeof(piece), "\\%c", byte);
	else if (byte >= ' ' && byte <= '~')
		snprintf(piece, sizeof(piece), "%c", byte);
	else
		snprintf(piece, sizeof(piece), "\\x%02X", byte);
	put(writer, piece);
}

/* X.690 8.19, in the dotted notation; the first octets hold two numbers. */
static void put_type(struct writer *writer, struct signet_der type)
{
	unsigned long number = 0;
	bool first = true;
	char piece[48];

	for (size_t i = 0; i < sizeof(attribute_names) / sizeof(attribute_names[0]); i++) {
		if (signet_der_equal(type, attribute_names[i].type)) {
			put(writer, attribute_names[i].name);
			return;
		}
	}
	for (size_t i = 0; i < type.length; i++) {
		number = number << 7 | (type.data[i] & 0x7f);
		if (type.data[i] & 0x80)
			continue;
		if (first)
			snprintf(piece, sizeof(piece), "%lu.%lu", number < 80 ? number / 40 : 2,
				 number < 80 ? number % 40 : number - 80);
		else
			snprintf(piece, sizeof(piece), ".%lu", number);
		put(writer, piece);
		first = false;
		number = 0;
	}
}

void signet_directory_print(char *text, size_t size, struct signet_der name)
{
	struct writer writer = { .text = text, .size = size };
	struct attribute attribute;
	struct signet_der set;

	text[0] = '\0';
	while (signet_der_read(&name, DER_SET, &set)) {
		for (const char *mark = "/"; read_attribute(&set, &attribute); mark = "+") {
			put(&writer, mark);
			put_type(&writer, attribute.type);
			put(&writer, "=");
			for (size_t i = 0; i < attribute.value.length; i++)
				put_byte(&writer, attribute.value.data[i]);
		}
	}
	if (writer.cut)
		memcpy(text + writer.used, "...", sizeof("..."));
}
