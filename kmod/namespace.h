/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What belongs to a network namespace: the defaults of its sockets
 * (/proc/sys/net/signet) and its counters (/proc/net/signet_stat).
 */
#ifndef _SIGNET_NAMESPACE_H
#define _SIGNET_NAMESPACE_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct ctl_table;
struct ctl_table_header;
struct net;
struct signet_context;
struct signet_upcall;

/*
 * The counters: name in /proc/net/signet_stat, and what is counted.
 */
/* clang-format off */
#define SIGNET_COUNTERS(X)							\
	X(ATTACHED, "Attached")			/* sockets attached */		\
	X(INSTALLED, "Installed")		/* directions keyed */		\
	X(TX_RECORDS, "TxRecords")		/* records sealed */		\
	X(RX_RECORDS, "RxRecords")		/* records opened */		\
	X(TX_BYTES, "TxBytes")			/* content sealed */		\
	X(RX_BYTES, "RxBytes")			/* content opened */		\
	X(BAD_TAGS, "BadTags")			/* records that did not authenticate */ \
	X(BAD_RECORDS, "BadRecords")		/* other fatal input */		\
	X(TX_KEY_UPDATES, "TxKeyUpdates")	/* KeyUpdates sent */		\
	X(RX_KEY_UPDATES, "RxKeyUpdates")	/* KeyUpdates received */	\
	X(FLOODS, "Floods")			/* records without data cut off */ \
	X(TX_ALERTS, "TxAlerts")		/* alerts sent, close_notify too */ \
	X(RX_ALERTS, "RxAlerts")		/* alerts received, likewise */	\
	X(GATE_REFUSALS, "GateRefusals")	/* data calls before keys */	\
	X(RX_COPIES, "RxCopies")		/* records copied before opening */ \
	X(PEEKED_RECORDS, "PeekedRecords")	/* records opened for MSG_PEEK alone */ \
	X(TRUNCATED, "Truncated")		/* FIN without close_notify */	\
	X(HANDSHAKES, "Handshakes")		/* asked for */			\
	X(HANDSHAKES_DONE, "HandshakesDone")	/* completed by a helper */	\
	X(HANDSHAKES_FAILED, "HandshakesFailed") /* refused, or not completed */ \
	X(NO_MEMORY_CHILDREN, "NoMemoryChildren") /* accepted without memory: FAILED */
/* clang-format on */

enum signet_counter {
#define SIGNET_COUNTER_ENUM(name, text) SIGNET_COUNT_##name,
	SIGNET_COUNTERS(SIGNET_COUNTER_ENUM)
#undef SIGNET_COUNTER_ENUM
		SIGNET_COUNTER_COUNT
};

/**
 * struct signet_defaults - what new sockets begin with
 * @rekey_records: struct signet_rekey_policy
 * @rekey_bytes: likewise
 * @rekey_seconds: likewise
 * @record_max:	SIGNET_RECORD_MAX
 * @padding_mode: struct signet_padding
 * @padding_size: likewise
 * @adaptive_records: SIGNET_ADAPTIVE_RECORDS
 * @idle_records_max: records without data in a row that a peer may send
 * @handshake_timeout: SIGNET_TIMEOUT, in milliseconds
 * @requests_max: handshakes that one user may have under way
 * @helper_wait: handshakes wait for a helper when there is none
 * @fallback:	the initial namespace's: its helpers serve those that have none
 */
struct signet_defaults {
	unsigned long rekey_records;
	unsigned long rekey_bytes;
	unsigned long rekey_seconds;
	u32 record_max;
	u32 padding_mode;
	u32 padding_size;
	u32 adaptive_records;
	u32 idle_records_max;
	u32 handshake_timeout;
	u32 requests_max;
	u32 helper_wait;
	u32 fallback;
};

struct signet_counters {
	unsigned long value[SIGNET_COUNTER_COUNT];
};

/**
 * struct signet_namespace - a network namespace's own
 * @defaults:	of its sockets
 * @counters:	per CPU
 * @table:	the table of @defaults
 * @header:	its registration
 * @upcall:	its helpers, and what waits for them
 * @lock:	protects @connections
 * @connections: attached sockets, newest last
 */
struct signet_namespace {
	struct signet_defaults defaults;
	struct signet_counters __percpu *counters;
	struct ctl_table *table;
	struct ctl_table_header *header;
	struct signet_upcall *upcall;
	spinlock_t lock; /* connections */
	struct list_head connections;
};

/* It outlives the namespace's sockets. */
struct signet_namespace *signet_namespace(const struct net *net);

/* The list of connections. Context: any. */
void signet_namespace_add(struct signet_namespace *ns, struct signet_context *ctx);
void signet_namespace_remove(struct signet_namespace *ns, struct signet_context *ctx);

/* Context: any. */
static inline void signet_count_add(struct signet_namespace *ns, enum signet_counter counter,
				    unsigned long add)
{
	this_cpu_add(ns->counters->value[counter], add);
}

static inline void signet_count(struct signet_namespace *ns, enum signet_counter counter)
{
	signet_count_add(ns, counter, 1);
}

int signet_namespace_init(void);
void signet_namespace_exit(void);

#endif /* _SIGNET_NAMESPACE_H */
