// SPDX-License-Identifier: GPL-2.0-only
#include "scratch.h"

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

static DEFINE_PER_CPU(struct signet_scratch *, spare_scratch);
static DEFINE_PER_CPU(struct signet_outbox *, spare_outbox);

/* Ciphers leave keys there that they made for one record. */
static inline void wipe(struct signet_operation *operation)
{
	memzero_explicit(operation->nonce, sizeof(operation->nonce));
	if (operation->private_len) {
		memzero_explicit(operation->request + sizeof(struct aead_request),
				 operation->private_len);
		operation->private_len = 0;
	}
}

struct signet_scratch *signet_scratch_get(void)
{
	struct signet_scratch *scratch = this_cpu_xchg(spare_scratch, NULL);

	if (unlikely(!scratch)) {
		scratch = kmalloc(sizeof(*scratch), GFP_KERNEL_ACCOUNT);
		if (!scratch)
			return NULL;
		scratch->operation.private_len = 0;
	}
	signet_scratch_place(scratch, 0);
	return scratch;
}

void signet_scratch_put(struct signet_scratch *scratch)
{
	if (!scratch)
		return;
	wipe(&scratch->operation);
	/* The one kept before, if any, goes: so nothing is lost by migrating. */
	scratch = this_cpu_xchg(spare_scratch, scratch);
	if (unlikely(scratch))
		kfree(scratch);
}

struct signet_outbox *signet_outbox_get(void)
{
	struct signet_outbox *outbox = this_cpu_xchg(spare_outbox, NULL);

	if (unlikely(!outbox))
		outbox = kzalloc(sizeof(*outbox), GFP_KERNEL_ACCOUNT);
	return outbox;
}

static void free_outbox(struct signet_outbox *outbox)
{
	if (outbox->page)
		put_page(outbox->page);
	kfree(outbox);
}

void signet_outbox_put(struct signet_outbox *outbox)
{
	if (!outbox)
		return;
	wipe(&outbox->operation);
	outbox = this_cpu_xchg(spare_outbox, outbox);
	if (unlikely(outbox))
		free_outbox(outbox);
}

void signet_scratch_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kfree_sensitive(per_cpu(spare_scratch, cpu));
		if (per_cpu(spare_outbox, cpu))
			free_outbox(per_cpu(spare_outbox, cpu));
	}
}
