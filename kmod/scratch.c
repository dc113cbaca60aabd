// SPDX-License-Identifier: GPL-2.0-only
#include "scratch.h"

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

static DEFINE_PER_CPU(struct signet_scratch *, spare_scratch);
static DEFINE_PER_CPU(struct signet_outbox *, spare_outbox);

/* Ciphers leave nonces there, and keys made for one record. */
static void wipe(struct signet_operation *operation)
{
	memzero_explicit(operation, sizeof(*operation));
}

struct signet_scratch *signet_scratch_get(void)
{
	struct signet_scratch *scratch = this_cpu_xchg(spare_scratch, NULL);

	if (!scratch)
		scratch = kmalloc(sizeof(*scratch), GFP_KERNEL_ACCOUNT);
	return scratch;
}

void signet_scratch_put(struct signet_scratch *scratch)
{
	if (!scratch)
		return;
	wipe(&scratch->operation);
	/* The one kept before, if any, goes: so nothing is lost by migrating. */
	kfree(this_cpu_xchg(spare_scratch, scratch));
}

struct signet_outbox *signet_outbox_get(void)
{
	struct signet_outbox *outbox = this_cpu_xchg(spare_outbox, NULL);

	if (!outbox)
		outbox = kzalloc(sizeof(*outbox), GFP_KERNEL_ACCOUNT);
	return outbox;
}

void signet_outbox_put(struct signet_outbox *outbox)
{
	if (!outbox)
		return;
	wipe(&outbox->operation);
	kfree(this_cpu_xchg(spare_outbox, outbox));
}

void signet_scratch_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kfree_sensitive(per_cpu(spare_scratch, cpu));
		kfree(per_cpu(spare_outbox, cpu));
	}
}
