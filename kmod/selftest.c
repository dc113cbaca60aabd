// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "selftest.h"

#include <linux/err.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cipher.h"

static bool fail_selftest;
module_param(fail_selftest, bool, 0);
MODULE_PARM_DESC(fail_selftest, "Expect wrong answers of the ciphers, to see that loading fails");

struct known_record {
	const char *name;
	u16 suite;
	u16 secret_len;
	u8 type;
	u64 sequence;
	unsigned int content_len;
	const char *secret;
	const char *record;
};

#define CLIENT_SECRET                                                      \
	"\x9e\x40\x64\x6c\xe7\x9a\x7f\x9d\xc0\x5a\xf8\x88\x9b\xce\x65\x52" \
	"\x87\x5a\xfa\x0b\x06\xdf\x00\x87\xf7\x92\xeb\xb7\xc1\x75\x04\xa5"

#define SERVER_SECRET                                                      \
	"\xa1\x1a\xf9\xf0\x55\x31\xf8\x56\xad\x47\x11\x6b\x45\xa9\x50\x32" \
	"\x82\x04\xb4\xf4\x4b\xfb\x6b\x3a\x4b\x4f\x1f\x3f\xcb\x63\x16\x43"

/* Application data is 0, 1, 2, ...; an alert is close_notify as a warning. */
static const struct known_record known_records[] = {
	{
		.name = "RFC 8448 3, client's data",
		.suite = SIGNET_AES_128_GCM_SHA256,
		.secret_len = 32,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 0,
		.content_len = 50,
		.secret = CLIENT_SECRET,
		.record = "\x17\x03\x03\x00\x43\xa2\x3f\x70\x54\xb6\x2c\x94\xd0\xaf\xfa\xfe"
			  "\x82\x28\xba\x55\xcb\xef\xac\xea\x42\xf9\x14\xaa\x66\xbc\xab\x3f"
			  "\x2b\x98\x19\xa8\xa5\xb4\x6b\x39\x5b\xd5\x4a\x9a\x20\x44\x1e\x2b"
			  "\x62\x97\x4e\x1f\x5a\x62\x92\xa2\x97\x70\x14\xbd\x1e\x3d\xea\xe6"
			  "\x3a\xee\xbb\x21\x69\x49\x15\xe4",
	},
	{
		.name = "RFC 8448 3, client's alert",
		.suite = SIGNET_AES_128_GCM_SHA256,
		.secret_len = 32,
		.type = SIGNET_CONTENT_ALERT,
		.sequence = 1,
		.content_len = SIGNET_ALERT_LEN,
		.secret = CLIENT_SECRET,
		.record = "\x17\x03\x03\x00\x13\xc9\x87\x27\x60\x65\x56\x66\xb7\x4d\x7f\xf1"
			  "\x15\x3e\xfd\x6d\xb6\xd0\xb0\xe3",
	},
	{
		.name = "RFC 8448 3, server's data",
		.suite = SIGNET_AES_128_GCM_SHA256,
		.secret_len = 32,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 1,
		.content_len = 50,
		.secret = SERVER_SECRET,
		.record = "\x17\x03\x03\x00\x43\x2e\x93\x7e\x11\xef\x4a\xc7\x40\xe5\x38\xad"
			  "\x36\x00\x5f\xc4\xa4\x69\x32\xfc\x32\x25\xd0\x5f\x82\xaa\x1b\x36"
			  "\xe3\x0e\xfa\xf9\x7d\x90\xe6\xdf\xfc\x60\x2d\xcb\x50\x1a\x59\xa8"
			  "\xfc\xc4\x9c\x4b\xf2\xe5\xf0\xa2\x1c\x00\x47\xc2\xab\xf3\x32\x54"
			  "\x0d\xd0\x32\xe1\x67\xc2\x95\x5d",
	},
	{
		.name = "RFC 8448 3, server's alert",
		.suite = SIGNET_AES_128_GCM_SHA256,
		.secret_len = 32,
		.type = SIGNET_CONTENT_ALERT,
		.sequence = 2,
		.content_len = SIGNET_ALERT_LEN,
		.secret = SERVER_SECRET,
		.record = "\x17\x03\x03\x00\x13\xb5\x8f\xd6\x71\x66\xeb\xf5\x99\xd2\x47\x20"
			  "\xcf\xbe\x7e\xfa\x7a\x88\x64\xa9",
	},
	{
		/* The RFC has none; computed with OpenSSL's HMAC and AES-GCM. */
		.name = "TLS_AES_256_GCM_SHA384",
		.suite = SIGNET_AES_256_GCM_SHA384,
		.secret_len = 48,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 0x0102030405060708,
		.content_len = 50,
		.secret = "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f"
			  "\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f"
			  "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xaf",
		.record = "\x17\x03\x03\x00\x43\xf3\x82\xea\x6f\x20\xf0\xc8\xcf\x14\x3b\x3c"
			  "\x2d\x65\x63\x92\xee\x78\x34\x59\xde\xdc\x51\xd8\x82\x8c\x99\x3c"
			  "\xa9\xb1\x32\x5a\x18\xcd\xf6\xa3\x5a\x32\xbb\xd5\x00\x9c\x25\x09"
			  "\xbb\xe9\x5f\x52\x5b\x4f\x78\x48\x82\x2f\x94\x20\x65\xe5\x2e\x64"
			  "\x27\xe9\x16\xdf\xc3\xa1\x32\x78",
	},
};

#define KNOWN_RECORD_MAX 96

static void fill_plaintext(u8 *record, const struct known_record *known)
{
	u8 *content = record + SIGNET_HEADER_LEN;
	unsigned int i;

	signet_header_write(record, known->content_len + SIGNET_TRAILER_LEN);
	if (known->type == SIGNET_CONTENT_ALERT) {
		content[0] = SIGNET_ALERT_WARNING;
		content[1] = SIGNET_ALERT_CLOSE_NOTIFY;
	} else {
		for (i = 0; i < known->content_len; i++)
			content[i] = i;
	}
	content[known->content_len] = known->type;
}

static struct signet_cipher *known_cipher(const struct known_record *known)
{
	struct signet_crypto crypto = {
		.version = SIGNET_TLS_1_3,
		.suite = known->suite,
		.secret_len = known->secret_len,
		.sequence = known->sequence,
	};

	memcpy(crypto.secret, known->secret, known->secret_len);
	return signet_cipher_new(&crypto);
}

/* @record is scratch memory: ciphers do not take addresses on the stack. */
static int check_seal(struct signet_cipher *cipher, const struct known_record *known, u8 *record)
{
	unsigned int len = known->content_len + SIGNET_OVERHEAD;
	struct scatterlist sg;
	int err;

	fill_plaintext(record, known);
	sg_init_one(&sg, record, len);
	err = signet_cipher_seal(cipher, &sg, known->content_len + 1);
	if (err)
		return err;
	record[len - 1] ^= fail_selftest;
	return memcmp(record, known->record, len) ? -EBADMSG : 0;
}

static int check_open(struct signet_cipher *cipher, const struct known_record *known, u8 *record)
{
	unsigned int len = known->content_len + SIGNET_OVERHEAD;
	u8 expected[KNOWN_RECORD_MAX];
	struct scatterlist sg;
	int err;

	cipher->sequence = known->sequence;
	sg_init_one(&sg, record, len);

	/* A record with one bit wrong must not open. */
	memcpy(record, known->record, len);
	record[len / 2] ^= 1;
	err = signet_cipher_open(cipher, &sg, &sg, len - SIGNET_HEADER_LEN);
	if (err != -EBADMSG)
		return err ? err : -EKEYREJECTED;

	memcpy(record, known->record, len);
	err = signet_cipher_open(cipher, &sg, &sg, len - SIGNET_HEADER_LEN);
	if (err)
		return err;
	fill_plaintext(expected, known);
	return memcmp(record, expected, len - SIGNET_TAG_LEN) ? -EBADMSG : 0;
}

static int check_record(const struct known_record *known, u8 *record)
{
	struct signet_cipher *cipher = known_cipher(known);
	int err;

	if (IS_ERR(cipher)) {
		err = PTR_ERR(cipher);
		/* An install will say the same. */
		if (err == -ENOENT)
			return 0;
		goto report;
	}
	err = check_seal(cipher, known, record);
	if (!err)
		err = check_open(cipher, known, record);
	signet_cipher_free(cipher);
report:
	if (err)
		pr_err("self-test failed: %s (%d)\n", known->name, err);
	return err;
}

int signet_selftest(void)
{
	u8 *record = kmalloc(KNOWN_RECORD_MAX, GFP_KERNEL);
	int err = 0;
	size_t i;

	if (!record)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(known_records) && !err; i++)
		err = check_record(&known_records[i], record);
	kfree(record);
	return err;
}
