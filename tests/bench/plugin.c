// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU's that counts how often each piece of the guest's code runs, apart for each
 * thing that a program in the guest says it is doing (see mark.h). Option: out=FILE, for lines of
 *
 *   SLOT ADDRESS INSTRUCTIONS
 *
 * at the end; addresses are of blocks, which are pieces without a jump. Debian packages no header
 * of this interface, so what is used of it is declared here (QEMU 10, version 4).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"

#define BUCKETS 65536

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*translated_fn)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*executed_fn)(unsigned int cpu, void *data);
typedef void (*ended_fn)(qemu_plugin_id_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_fn callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, executed_fn callback,
					  enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, ended_fn callback, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

extern int qemu_plugin_version;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);

int qemu_plugin_version = 4;

/**
 * struct block - a piece of code
 * @next:	in the same bucket
 * @address:	where it starts
 * @length:	in instructions
 * @runs:	how often it ran, by what the guest was doing
 */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t length;
	uint64_t runs[MARK_SLOTS];
};

static struct block *buckets[BUCKETS];
static unsigned int slot;
static char *path;

static struct block *find_block(uint64_t address, uint64_t length)
{
	struct block **bucket = &buckets[(address ^ address >> 16) % BUCKETS];
	struct block *block;

	for (block = *bucket; block; block = block->next) {
		if (block->address == address && block->length == length)
			return block;
	}
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->next = *bucket;
	block->address = address;
	block->length = length;
	*bucket = block;
	return block;
}

static void executed(unsigned int cpu, void *data)
{
	struct block *block = data;

	(void)cpu;
	block->runs[slot]++;
}

static void marked(unsigned int cpu, void *data)
{
	(void)cpu;
	slot = (uintptr_t)data;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);

	(void)id;
	if (address >= MARK_BASE && address < MARK_BASE + MARK_SLOTS * MARK_STEP) {
		qemu_plugin_register_vcpu_tb_exec_cb(
			tb, marked, QEMU_PLUGIN_CB_NO_REGS,
			(void *)(uintptr_t)((address - MARK_BASE) / MARK_STEP));
		return;
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS,
					     find_block(address, qemu_plugin_tb_n_insns(tb)));
}

static void print_block(FILE *file, const struct block *block)
{
	/* Slot 0 is everything else. */
	for (int i = 1; i < MARK_SLOTS; i++) {
		if (block->runs[i])
			fprintf(file, "%d %" PRIx64 " %" PRIu64 "\n", i, block->address,
				block->runs[i] * block->length);
	}
}

static void ended(qemu_plugin_id_t id, void *data)
{
	FILE *file = fopen(path, "w");

	(void)id;
	(void)data;
	if (!file)
		return;
	for (int i = 0; i < BUCKETS; i++) {
		for (const struct block *block = buckets[i]; block; block = block->next)
			print_block(file, block);
	}
	fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			path = strdup(argv[i] + 4);
	}
	if (!path) {
		fprintf(stderr, "the plugin needs out=FILE\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
