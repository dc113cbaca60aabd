// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "selftest.h"

#include <linux/array_size.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "cipher.h"
#include "scratch.h"

static bool fail_selftest;
module_param(fail_selftest, bool, 0);
MODULE_PARM_DESC(fail_selftest, "Expect wrong answers of the ciphers, to see that loading fails");

struct known_record {
	const char *name;
	u16 version;
	u16 suite;
	u16 secret_len;
	u8 type;
	u64 sequence;
	u64 explicit_nonce;
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
		.version = SIGNET_TLS_1_3,
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
		.version = SIGNET_TLS_1_3,
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
		.version = SIGNET_TLS_1_3,
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
		.version = SIGNET_TLS_1_3,
		.suite = SIGNET_AES_128_GCM_SHA256,
		.secret_len = 32,
		.type = SIGNET_CONTENT_ALERT,
		.sequence = 2,
		.content_len = SIGNET_ALERT_LEN,
		.secret = SERVER_SECRET,
		.record = "\x17\x03\x03\x00\x13\xb5\x8f\xd6\x71\x66\xeb\xf5\x99\xd2\x47\x20"
			  "\xcf\xbe\x7e\xfa\x7a\x88\x64\xa9",
	},
	/*
	 * The RFC has none of these; computed with OpenSSL's HMAC and AEADs. Suites
	 * that differ in nothing that the record layer does are left out.
	 */
	{
		.name = "TLS_AES_256_GCM_SHA384",
		.version = SIGNET_TLS_1_3,
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
	{
		.name = "TLS_CHACHA20_POLY1305_SHA256",
		.version = SIGNET_TLS_1_3,
		.suite = SIGNET_CHACHA20_POLY1305_SHA256,
		.secret_len = 32,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 0x0102030405060708,
		.content_len = 50,
		.secret = "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f"
			  "\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f",
		.record = "\x17\x03\x03\x00\x43\xdb\xc2\x0d\x0d\x2f\xcd\xff\xb2\xbe\x26\xc9"
			  "\x1b\x4b\x35\xd7\xd9\xb3\x23\x20\x98\xc5\x97\x42\x89\xb0\xd3\x60"
			  "\x0d\x02\x3f\xe9\x7b\xfc\x1f\x8a\x7b\x1f\x82\xc0\xbc\xa1\xbf\x37"
			  "\x3d\x31\x57\x80\x66\x7c\xaa\x22\x07\x97\xe9\x4d\x4a\xb6\xea\x02"
			  "\xdb\x95\x94\xcd\x8a\x86\x7f\x47",
	},
	{
		.name = "TLS_AES_128_CCM_SHA256",
		.version = SIGNET_TLS_1_3,
		.suite = SIGNET_AES_128_CCM_SHA256,
		.secret_len = 32,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 0x0102030405060708,
		.content_len = 50,
		.secret = "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f"
			  "\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f",
		.record = "\x17\x03\x03\x00\x43\x3f\x5c\x3d\x83\x00\x37\x00\xaf\xd7\x41\x40"
			  "\x32\xc6\x06\x39\x7b\xbf\xf1\x39\x1c\x83\xba\x9c\x55\xa5\x5e\x59"
			  "\xfb\x7c\xee\xe5\xac\x2d\x23\x73\xbd\x3d\xec\xe6\x34\x41\x4f\x12"
			  "\x69\x56\x27\x4e\x12\x53\x23\xa5\x33\xfd\xe7\x2c\x0b\x11\x01\x95"
			  "\xd5\x34\x42\xd5\x67\x7d\xb0\x22",
	},
	{
		.name = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		.version = SIGNET_TLS_1_2,
		.suite = SIGNET_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		.secret_len = 20,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 0x0102030405060708,
		.explicit_nonce = 0x1112131415161718,
		.content_len = 50,
		.secret = "\x40\x41\x42\x43\x44\x45\x46\x47\x48\x49\x4a\x4b\x4c\x4d\x4e\x4f"
			  "\x50\x51\x52\x53",
		.record = "\x17\x03\x03\x00\x4a\x11\x12\x13\x14\x15\x16\x17\x18\x8f\x30\x9e"
			  "\xc1\x83\x39\x36\x4d\x79\x6e\x58\x51\x48\xc1\xc1\x3a\xa0\xdb\x76"
			  "\x8c\xd8\xda\xfb\x80\x83\x39\x7d\x37\xeb\x6c\x3c\xc0\xdd\x92\xc6"
			  "\x2c\x7f\x60\xf5\x1f\x1b\xc3\x26\xcd\x95\x76\x23\xf3\x1a\x0c\xe1"
			  "\x55\x82\xc6\x54\x98\xf8\xa4\xdb\x90\x17\xa9\xeb\x45\x27\xc9",
	},
	{
		.name = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		.version = SIGNET_TLS_1_2,
		.suite = SIGNET_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		.secret_len = 36,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 0x0102030405060708,
		.explicit_nonce = 0x1112131415161718,
		.content_len = 50,
		.secret = "\x40\x41\x42\x43\x44\x45\x46\x47\x48\x49\x4a\x4b\x4c\x4d\x4e\x4f"
			  "\x50\x51\x52\x53\x54\x55\x56\x57\x58\x59\x5a\x5b\x5c\x5d\x5e\x5f"
			  "\x60\x61\x62\x63",
		.record = "\x17\x03\x03\x00\x4a\x11\x12\x13\x14\x15\x16\x17\x18\xfb\xad\xfc"
			  "\xf9\x19\xe1\xde\xde\x7d\xe8\xec\x6b\xa6\xa6\x47\xa6\xcd\xe3\x08"
			  "\x54\xce\xe1\x80\x7c\x22\x46\xa0\xc8\xa7\x56\x0c\x36\x54\x1b\x3b"
			  "\x0c\x7e\xc4\x31\xa6\x4b\x16\x79\x86\xaf\x8d\xad\x0b\x70\xf3\x0e"
			  "\x94\xe9\xb9\x13\x8d\xa0\x0b\x59\x94\xdc\xf6\x34\x07\x7d\xc8",
	},
	{
		.name = "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
		.version = SIGNET_TLS_1_2,
		.suite = SIGNET_ECDHE_ECDSA_WITH_AES_128_CCM,
		.secret_len = 20,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 0x0102030405060708,
		.explicit_nonce = 0x1112131415161718,
		.content_len = 50,
		.secret = "\x40\x41\x42\x43\x44\x45\x46\x47\x48\x49\x4a\x4b\x4c\x4d\x4e\x4f"
			  "\x50\x51\x52\x53",
		.record = "\x17\x03\x03\x00\x4a\x11\x12\x13\x14\x15\x16\x17\x18\x6d\x4d\x42"
			  "\xfb\x37\x32\x97\x6d\x1a\x52\xc9\x9e\xad\x95\xbf\x6a\xe0\x14\xaf"
			  "\xf4\x10\xb2\x04\x76\x21\x52\x3a\x14\xf2\xb9\x2f\x35\x0a\x40\x39"
			  "\xde\x13\x3e\x02\x9b\x59\x0c\xb4\xa0\x19\x7d\x07\x95\xca\x38\x05"
			  "\xe5\xf9\xb8\xa0\x6a\xfe\x70\x31\xdd\x2b\xaf\x70\x70\x0c\xb9",
	},
	{
		.name = "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
		.version = SIGNET_TLS_1_2,
		.suite = SIGNET_ECDHE_ECDSA_WITH_AES_256_CCM,
		.secret_len = 36,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 0x0102030405060708,
		.explicit_nonce = 0x1112131415161718,
		.content_len = 50,
		.secret = "\x40\x41\x42\x43\x44\x45\x46\x47\x48\x49\x4a\x4b\x4c\x4d\x4e\x4f"
			  "\x50\x51\x52\x53\x54\x55\x56\x57\x58\x59\x5a\x5b\x5c\x5d\x5e\x5f"
			  "\x60\x61\x62\x63",
		.record = "\x17\x03\x03\x00\x4a\x11\x12\x13\x14\x15\x16\x17\x18\x86\xe4\x51"
			  "\xef\x82\xc0\x92\xbb\xff\xc8\xf5\x0f\x99\x38\xa4\x89\x4d\xd1\x58"
			  "\x66\x30\x9f\x9a\x48\x36\x4a\x4e\xb5\xb4\x78\x30\xe9\x10\x3f\xb5"
			  "\xb5\x73\x49\xdc\xaa\x38\x17\xe0\xaf\xaa\xd5\xdb\x1d\xae\x5f\xa9"
			  "\xd3\xcb\xad\x47\x34\x06\x4e\x25\x06\x0a\xbd\x56\x85\x62\x78",
	},
	{
		.name = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		.version = SIGNET_TLS_1_2,
		.suite = SIGNET_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		.secret_len = 44,
		.type = SIGNET_CONTENT_APPLICATION_DATA,
		.sequence = 0x0102030405060708,
		.content_len = 50,
		.secret = "\x40\x41\x42\x43\x44\x45\x46\x47\x48\x49\x4a\x4b\x4c\x4d\x4e\x4f"
			  "\x50\x51\x52\x53\x54\x55\x56\x57\x58\x59\x5a\x5b\x5c\x5d\x5e\x5f"
			  "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b",
		.record = "\x17\x03\x03\x00\x42\x12\x7a\x59\xbe\x7f\x10\x5e\x19\x90\x20\x0d"
			  "\x90\xd0\x25\xc4\x53\x2b\x83\x28\xde\x1f\xfd\xff\x65\xc2\x22\x8f"
			  "\xd8\xab\x0b\xc7\x60\x19\x00\xb8\xf9\x2b\xa2\xdd\x38\xd5\xfb\xc2"
			  "\xf5\x4b\xb8\xb3\xd0\x3a\x0c\xa7\x51\x79\x2b\xc9\x9c\x3f\xbb\x32"
			  "\xa8\x21\xd0\x70\xea\x43\xe0",
	},
};

#define KNOWN_RECORD_MAX 96

static void fill_content(u8 *content, const struct known_record *known)
{
	unsigned int i;

	if (known->type == SIGNET_CONTENT_ALERT) {
		content[0] = SIGNET_ALERT_WARNING;
		content[1] = SIGNET_ALERT_CLOSE_NOTIFY;
	} else {
		for (i = 0; i < known->content_len; i++)
			content[i] = i;
	}
	if (known->version == SIGNET_TLS_1_3)
		content[known->content_len] = known->type;
}

static struct signet_cipher *known_cipher(const struct known_record *known)
{
	struct signet_crypto crypto = {
		.version = known->version,
		.suite = known->suite,
		.secret_len = known->secret_len,
		.sequence = known->sequence,
		.explicit_nonce = known->explicit_nonce,
	};

	memcpy(crypto.secret, known->secret, known->secret_len);
	return signet_cipher_new(&crypto);
}

/* @record is scratch memory: ciphers do not take addresses on the stack. */
static int check_seal(struct signet_cipher *cipher, struct signet_operation *operation,
		      const struct known_record *known, u8 *record)
{
	unsigned int prefix = signet_suite_prefix_len(cipher->suite);
	unsigned int len = known->content_len + signet_suite_overhead(cipher->suite);
	unsigned int from = signet_suite_sealed_from(cipher->suite);
	struct scatterlist sg[2];
	int err;

	fill_content(record + prefix, known);
	sg_init_table(sg, ARRAY_SIZE(sg));
	sg_set_buf(&sg[1], record + from, len - from);
	err = signet_cipher_seal(cipher, operation, known->type, record, sg,
				 len - prefix - SIGNET_TAG_LEN);
	if (err)
		return err;
	record[len - 1] ^= fail_selftest;
	return memcmp(record, known->record, len) ? -EBADMSG : 0;
}

static int check_open(struct signet_cipher *cipher, struct signet_operation *operation,
		      const struct known_record *known, u8 *record)
{
	unsigned int prefix = signet_suite_prefix_len(cipher->suite);
	unsigned int len = known->content_len + signet_suite_overhead(cipher->suite);
	unsigned int from = signet_suite_sealed_from(cipher->suite);
	u8 expected[KNOWN_RECORD_MAX];
	struct scatterlist sg[2];
	int err;

	cipher->sequence = known->sequence;
	sg_init_table(sg, ARRAY_SIZE(sg));
	sg_set_buf(&sg[1], record + from, len - from);

	/* A record with one bit wrong must not open. */
	memcpy(record, known->record, len);
	record[len / 2] ^= 1;
	err = signet_cipher_open(cipher, operation, record, sg, sg, len - prefix, 0);
	if (err != -EBADMSG)
		return err ? err : -EKEYREJECTED;

	memcpy(record, known->record, len);
	err = signet_cipher_open(cipher, operation, record, sg, sg, len - prefix, 0);
	if (err)
		return err;
	fill_content(expected, known);
	return memcmp(record + prefix, expected, len - prefix - SIGNET_TAG_LEN) ? -EBADMSG : 0;
}

static int check_record(const struct known_record *known, struct signet_operation *operation,
			u8 *record)
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
	err = check_seal(cipher, operation, known, record);
	if (!err)
		err = check_open(cipher, operation, known, record);
	signet_cipher_free(cipher);
report:
	if (err)
		pr_err("self-test failed: %s (%d)\n", known->name, err);
	return err;
}

int signet_selftest(void)
{
	struct signet_scratch *scratch = signet_scratch_get();
	int err = 0;
	size_t i;

	if (!scratch)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(known_records) && !err; i++)
		err = check_record(&known_records[i], &scratch->operation, scratch->record);
	signet_scratch_put(scratch);
	return err;
}
