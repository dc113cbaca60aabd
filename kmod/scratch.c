// SPDX-License-Identifier: GPL-2.0-only
#include "scratch.h"

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/slab.h>

static DEFINE_PER_CPU(struct signet_scratch *, spare);

struct signet_scratch *signet_scratch_get(void)
{
	struct signet_scratch *scratch = this_cpu_xchg(spare, NULL);

	if (!scratch)
		scratch = kmalloc(sizeof(*scratch), GFP_KERNEL_ACCOUNT);
	return scratch;
}

void signet_scratch_put(struct signet_scratch *scratch)
{
	/* The one kept before, if any, goes: so nothing is lost by migrating. */
	if (scratch)
		kfree(this_cpu_xchg(spare, scratch));
}

void signet_scratch_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) kfree(per_cpu(spare, cpu));
}
