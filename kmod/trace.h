/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints. No secret ever gets near them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM signet

#if !defined(_SIGNET_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _SIGNET_TRACE_H

#include <linux/tracepoint.h>
#include <net/sock.h>

#include "cipher.h"
#include "uapi/linux/signet.h"

/* clang-format off: it knows nothing of what a tracepoint looks like */

#define signet_show_direction(tx) ((tx) ? "tx" : "rx")

#define signet_show_state(state)                                      \
	__print_symbolic(state, { SIGNET_STATE_GATED, "gated" },      \
			 { SIGNET_STATE_HANDSHAKE, "handshake" },     \
			 { SIGNET_STATE_ESTABLISHED, "established" }, \
			 { SIGNET_STATE_CLOSED, "closed" }, { SIGNET_STATE_FAILED, "failed" })

TRACE_EVENT(signet_state, TP_PROTO(const struct sock *sk, u8 from, u8 to, u16 reason),
	    TP_ARGS(sk, from, to, reason),
	    TP_STRUCT__entry(__field(const void *, sk) __field(u8, from) __field(u8, to)
				     __field(u16, reason)),
	    TP_fast_assign(__entry->sk = sk; __entry->from = from; __entry->to = to;
			   __entry->reason = reason;),
	    TP_printk("sk=%p %s -> %s reason=%u", __entry->sk, signet_show_state(__entry->from),
		      signet_show_state(__entry->to), __entry->reason));

TRACE_EVENT(signet_keys,
	    TP_PROTO(const struct sock *sk, bool tx, const struct signet_cipher *cipher),
	    TP_ARGS(sk, tx, cipher),
	    TP_STRUCT__entry(__field(const void *, sk) __field(bool, tx) __field(u16, version)
				     __field(u16, suite) __field(u32, epoch)
					     __field(u64, sequence)),
	    TP_fast_assign(__entry->sk = sk; __entry->tx = tx;
			   __entry->version = cipher->suite->version;
			   __entry->suite = cipher->suite->number; __entry->epoch = cipher->epoch;
			   __entry->sequence = cipher->sequence;),
	    TP_printk("sk=%p %s version=0x%04x suite=0x%04x epoch=%u sequence=%llu", __entry->sk,
		      signet_show_direction(__entry->tx), __entry->version, __entry->suite,
		      __entry->epoch, __entry->sequence));

TRACE_EVENT(signet_record, TP_PROTO(const struct sock *sk, bool tx, u8 type, unsigned int len),
	    TP_ARGS(sk, tx, type, len),
	    TP_STRUCT__entry(__field(const void *, sk) __field(bool, tx) __field(u8, type)
				     __field(u16, len)),
	    TP_fast_assign(__entry->sk = sk; __entry->tx = tx; __entry->type = type;
			   __entry->len = len;),
	    TP_printk("sk=%p %s type=%u len=%u", __entry->sk, signet_show_direction(__entry->tx),
		      __entry->type, __entry->len));

TRACE_EVENT(signet_alert, TP_PROTO(const struct sock *sk, bool tx, u8 level, u8 description),
	    TP_ARGS(sk, tx, level, description),
	    TP_STRUCT__entry(__field(const void *, sk) __field(bool, tx) __field(u8, level)
				     __field(u8, description)),
	    TP_fast_assign(__entry->sk = sk; __entry->tx = tx; __entry->level = level;
			   __entry->description = description;),
	    TP_printk("sk=%p %s level=%u description=%u", __entry->sk,
		      signet_show_direction(__entry->tx), __entry->level, __entry->description));

/* clang-format on */

#endif /* _SIGNET_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
