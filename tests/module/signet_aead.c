// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher alone, for the benchmark: what a message would cost if its record layer
 * did nothing but seal and open.
 *
 * /proc/signet_aead takes one command per write():
 *
 *   key CIPHER KEY-BYTES	chooses the cipher, for this opening of the file
 *   run BYTES COUNT	seals and opens a message of BYTES in records of up to
 *			16 KiB, COUNT times, from one contiguous page-aligned buffer
 *			to another; the caller takes the time
 *
 * Reading tells the driver behind the cipher.
 */
#include <crypto/aead.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"

#define COMMAND_MAX 128
#define NAME_MAX_LEN 64
#define RECORD_MAX 16384
#define TAG_LEN 16
#define HEADER_LEN 5
#define IV_LEN 16
#define ORDER 3

/**
 * struct floor - what the passes need
 * @aead:	the cipher
 * @request:	for all passes
 * @plain:	content
 * @sealed:	the same, encrypted, and its tag
 * @aad:	a record's header
 * @iv:		the nonce, always the same one: nothing here is secret
 */
struct floor {
	struct crypto_aead *aead;
	struct aead_request *request;
	u8 *plain;
	u8 *sealed;
	u8 aad[HEADER_LEN];
	u8 iv[IV_LEN];
};

static void set_buffers(struct scatterlist sg[2], struct floor *floor, u8 *buffer, unsigned int len)
{
	sg_init_table(sg, 2);
	sg_set_buf(&sg[0], floor->aad, HEADER_LEN);
	sg_set_buf(&sg[1], buffer, len);
}

static int run_record(struct floor *floor, struct scatterlist *plain, struct scatterlist *sealed,
		      unsigned int len)
{
	int err;

	aead_request_set_crypt(floor->request, plain, sealed, len, floor->iv);
	err = crypto_aead_encrypt(floor->request);
	if (err)
		return err;
	aead_request_set_crypt(floor->request, sealed, plain, len + TAG_LEN, floor->iv);
	return crypto_aead_decrypt(floor->request);
}

static int run_messages(struct floor *floor, unsigned int bytes, unsigned int count)
{
	struct scatterlist plain[2], sealed[2];
	int err = 0;

	set_buffers(plain, floor, floor->plain, min(bytes, RECORD_MAX) + TAG_LEN);
	set_buffers(sealed, floor, floor->sealed, min(bytes, RECORD_MAX) + TAG_LEN);
	while (count-- && !err) {
		for (unsigned int left = bytes; left && !err; left -= min(left, RECORD_MAX))
			err = run_record(floor, plain, sealed, min(left, RECORD_MAX));
		cond_resched();
	}
	return err;
}

static void floor_clear(struct floor *floor)
{
	if (floor->request)
		aead_request_free(floor->request);
	if (!IS_ERR_OR_NULL(floor->aead))
		crypto_free_aead(floor->aead);
	floor->request = NULL;
	floor->aead = NULL;
}

static int floor_key(struct floor *floor, const char *name, unsigned int key_len)
{
	static const u8 key[32];
	int err;

	floor_clear(floor);
	floor->aead = signet_compat_alloc_sync_aead(name);
	if (IS_ERR(floor->aead))
		return PTR_ERR(floor->aead);
	err = crypto_aead_setkey(floor->aead, key, key_len);
	if (!err)
		err = crypto_aead_setauthsize(floor->aead, TAG_LEN);
	if (err)
		return err;
	floor->request = aead_request_alloc(floor->aead, GFP_KERNEL);
	if (!floor->request)
		return -ENOMEM;
	aead_request_set_ad(floor->request, HEADER_LEN);
	return 0;
}

static int run(struct floor *floor, const char *command)
{
	unsigned int number, count;
	char name[NAME_MAX_LEN];

	if (sscanf(command, "key %63s %u", name, &number) == 2 && number <= 32)
		return floor_key(floor, name, number);
	if (sscanf(command, "run %u %u", &number, &count) == 2 && floor->request)
		return run_messages(floor, number, count);
	return -EINVAL;
}

static int floor_release(struct inode *inode, struct file *file)
{
	struct floor *floor = file->private_data;

	floor_clear(floor);
	free_pages((unsigned long)floor->plain, ORDER);
	free_pages((unsigned long)floor->sealed, ORDER);
	kfree(floor);
	return 0;
}

static int floor_open(struct inode *inode, struct file *file)
{
	struct floor *floor = kzalloc(sizeof(*floor), GFP_KERNEL);

	if (!floor)
		return -ENOMEM;
	floor->plain = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, ORDER);
	floor->sealed = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, ORDER);
	file->private_data = floor;
	if (floor->plain && floor->sealed)
		return 0;
	floor_release(inode, file);
	return -ENOMEM;
}

static ssize_t floor_write(struct file *file, const char __user *from, size_t len, loff_t *position)
{
	char command[COMMAND_MAX];
	int ret;

	if (len >= sizeof(command))
		return -EMSGSIZE;
	if (copy_from_user(command, from, len))
		return -EFAULT;
	command[len] = '\0';
	ret = run(file->private_data, command);
	return ret < 0 ? ret : len;
}

static ssize_t floor_read(struct file *file, char __user *to, size_t len, loff_t *position)
{
	struct floor *floor = file->private_data;
	const char *driver = "";

	if (floor->request)
		driver = crypto_tfm_alg_driver_name(crypto_aead_tfm(floor->aead));
	return simple_read_from_buffer(to, len, position, driver, strlen(driver));
}

static const struct proc_ops floor_ops = {
	.proc_open = floor_open,
	.proc_release = floor_release,
	.proc_read = floor_read,
	.proc_write = floor_write,
};

static int __init floor_module_init(void)
{
	signet_compat_load_ciphers();
	return proc_create("signet_aead", 0600, NULL, &floor_ops) ? 0 : -ENOMEM;
}

static void __exit floor_module_exit(void)
{
	remove_proc_entry("signet_aead", NULL);
}

module_init(floor_module_init);
module_exit(floor_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The cipher alone, for the benchmark of Signet");
