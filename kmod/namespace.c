// SPDX-License-Identifier: GPL-2.0-only
#include "namespace.h"

#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "connections.h"
#include "context.h"
#include "record.h"
#include "uapi/linux/signet.h"
#include "upcall.h"

static unsigned int namespace_id __read_mostly;

struct signet_namespace *signet_namespace(const struct net *net)
{
	return net_generic(net, namespace_id);
}

/* --- counters ---------------------------------------------------------------- */

static const char *const counter_names[] = {
#define COUNTER_NAME(name, text) text,
	SIGNET_COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
};

static int show_counters(struct seq_file *seq, void *unused)
{
	struct signet_namespace *ns = signet_namespace(seq->private);
	unsigned long sum;
	int cpu, i;

	for (i = 0; i < SIGNET_COUNTER_COUNT; i++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += READ_ONCE(per_cpu_ptr(ns->counters, cpu)->value[i]);
		seq_printf(seq, "%-32s%lu\n", counter_names[i], sum);
	}
	return 0;
}

/* --- defaults ---------------------------------------------------------------- */

/*
 * A limit on a record is none or one that is allowed.
 */
static int set_record_max(const struct ctl_table *table, int write, void *buffer, size_t *len,
			  loff_t *position)
{
	u32 *to = table->data, value = READ_ONCE(*to);
	struct ctl_table copy = *table;
	int err;

	copy.data = &value;
	copy.extra1 = SYSCTL_ZERO;
	err = proc_douintvec_minmax(&copy, write, buffer, len, position);
	if (err || !write)
		return err;
	if (value && value < SIGNET_RECORD_MAX_LOWEST)
		return -EINVAL;
	WRITE_ONCE(*to, value);
	return 0;
}

static unsigned int timeout_highest = SIGNET_TIMEOUT_MAX;
static unsigned int requests_highest = 1 << 20;
static unsigned int record_max_highest = SIGNET_CONTENT_MAX + 1;
static unsigned int padding_mode_highest = SIGNET_PADDING_FIXED;
static unsigned int padding_size_highest = SIGNET_CONTENT_MAX;
static unsigned int idle_records_highest = U16_MAX - 1;

#define DEFAULT_OFFSET(member) ((void *)offsetof(struct signet_defaults, member))

/* data: the offset in struct signet_defaults, until a namespace gets its copy. */
static const struct ctl_table defaults_table[] = {
	{
		.procname = "rekey_records",
		.data = DEFAULT_OFFSET(rekey_records),
		.maxlen = sizeof(unsigned long),
		.mode = 0644,
		.proc_handler = proc_doulongvec_minmax,
	},
	{
		.procname = "rekey_bytes",
		.data = DEFAULT_OFFSET(rekey_bytes),
		.maxlen = sizeof(unsigned long),
		.mode = 0644,
		.proc_handler = proc_doulongvec_minmax,
	},
	{
		.procname = "rekey_seconds",
		.data = DEFAULT_OFFSET(rekey_seconds),
		.maxlen = sizeof(unsigned long),
		.mode = 0644,
		.proc_handler = proc_doulongvec_minmax,
	},
	{
		.procname = "record_max",
		.data = DEFAULT_OFFSET(record_max),
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = set_record_max,
		.extra2 = &record_max_highest,
	},
	{
		.procname = "padding_mode",
		.data = DEFAULT_OFFSET(padding_mode),
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = &padding_mode_highest,
	},
	{
		.procname = "padding_size",
		.data = DEFAULT_OFFSET(padding_size),
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = &padding_size_highest,
	},
	{
		.procname = "adaptive_records",
		.data = DEFAULT_OFFSET(adaptive_records),
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_ONE,
	},
	{
		.procname = "idle_records_max",
		.data = DEFAULT_OFFSET(idle_records_max),
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ONE,
		.extra2 = &idle_records_highest,
	},
	{
		.procname = "handshake_timeout",
		.data = DEFAULT_OFFSET(handshake_timeout),
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ONE,
		.extra2 = &timeout_highest,
	},
	{
		.procname = "requests_max",
		.data = DEFAULT_OFFSET(requests_max),
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = &requests_highest,
	},
	{
		.procname = "helper_wait",
		.data = DEFAULT_OFFSET(helper_wait),
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_ONE,
	},
	/* The last: other namespaces do not decide on the initial one's helpers. */
	{
		.procname = "fallback",
		.data = DEFAULT_OFFSET(fallback),
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_ONE,
	},
};

/* Records without data in a row, as OpenSSL allows them. */
#define IDLE_RECORDS_MAX 32
/* Enough for a crowd, and a limit for a runaway. */
#define REQUESTS_MAX 4096
#define HANDSHAKE_TIMEOUT_MS 10000

static int register_defaults(struct net *net, struct signet_namespace *ns)
{
	size_t i;

	ns->table = kmemdup(defaults_table, sizeof(defaults_table), GFP_KERNEL);
	if (!ns->table)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(defaults_table); i++)
		ns->table[i].data += (unsigned long)&ns->defaults;
	ns->header = register_net_sysctl_sz(net, "net/signet", ns->table,
					    ARRAY_SIZE(defaults_table) - !net_eq(net, &init_net));
	if (!ns->header) {
		kfree(ns->table);
		return -ENOMEM;
	}
	return 0;
}

/* --- connections -------------------------------------------------------------- */

void signet_namespace_add(struct signet_namespace *ns, struct signet_context *ctx)
{
	spin_lock_bh(&ns->lock);
	list_add_tail(&ctx->node, &ns->connections);
	spin_unlock_bh(&ns->lock);
}

void signet_namespace_remove(struct signet_namespace *ns, struct signet_context *ctx)
{
	spin_lock_bh(&ns->lock);
	list_del(&ctx->node);
	spin_unlock_bh(&ns->lock);
}

/* --- life --------------------------------------------------------------------- */

static int __net_init namespace_init(struct net *net)
{
	struct signet_namespace *ns = signet_namespace(net);
	int err;

	ns->defaults.idle_records_max = IDLE_RECORDS_MAX;
	ns->defaults.requests_max = REQUESTS_MAX;
	ns->defaults.handshake_timeout = HANDSHAKE_TIMEOUT_MS;
	spin_lock_init(&ns->lock);
	INIT_LIST_HEAD(&ns->connections);
	ns->counters = alloc_percpu(struct signet_counters);
	if (!ns->counters)
		return -ENOMEM;
	err = -ENOMEM;
	ns->upcall = signet_upcall_new();
	if (!ns->upcall)
		goto free_counters;
	if (!proc_create_net_single("signet_stat", 0444, net->proc_net, show_counters, NULL))
		goto kill_upcall;
	err = signet_connections_init(net);
	if (err)
		goto remove_stat;
	err = register_defaults(net, ns);
	if (err)
		goto exit_connections;
	return 0;

exit_connections:
	signet_connections_exit(net);
remove_stat:
	remove_proc_entry("signet_stat", net->proc_net);
kill_upcall:
	signet_upcall_kill(ns->upcall);
free_counters:
	free_percpu(ns->counters);
	return err;
}

static void __net_exit namespace_exit(struct net *net)
{
	struct signet_namespace *ns = signet_namespace(net);

	unregister_net_sysctl_table(ns->header);
	kfree(ns->table);
	signet_connections_exit(net);
	remove_proc_entry("signet_stat", net->proc_net);
	signet_upcall_kill(ns->upcall);
	free_percpu(ns->counters);
}

static struct pernet_operations namespace_operations = {
	.init = namespace_init,
	.exit = namespace_exit,
	.id = &namespace_id,
	.size = sizeof(struct signet_namespace),
};

int signet_namespace_init(void)
{
	return register_pernet_subsys(&namespace_operations);
}

void signet_namespace_exit(void)
{
	unregister_pernet_subsys(&namespace_operations);
}
