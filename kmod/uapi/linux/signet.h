/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * Signet: TLS records in the kernel, for an ordinary TCP socket.
 *
 * This header is the protocol between userspace and signet.ko.  It is meant to
 * be read from top to bottom as its specification.
 *
 * Life of a socket
 * ----------------
 *
 *   fd = connected TCP socket, the TLS handshake done over it in userspace
 *   setsockopt(fd, SOL_TCP, TCP_ULP, "signet", 6)       attach:  GATED
 *   setsockopt(fd, SOL_SIGNET, SIGNET_KEYS, &keys, len) install: ESTABLISHED
 *   send(), recv(), poll(), io_uring, shutdown(), close() as on TCP
 *
 * From the moment of the attach the socket is gated: nothing that the
 * application writes reaches the wire, and nothing that arrives reaches the
 * application, until keys are installed.  Whatever was not yet read when the
 * socket was attached counts as ciphertext; whatever was written before the
 * attach goes out before the first record.
 *
 *              attach            SIGNET_KEYS
 *   plain TCP ────────► GATED ───────────────► ESTABLISHED ──────► CLOSED
 *                         │  (HANDSHAKE: while     │  close_notify
 *                         │   a helper works)      │  both ways
 *                         └────────► FAILED ◄──────┘
 *
 * What a data call answers
 * ------------------------
 *
 *   GATED         ENOTCONN at once; poll reports neither POLLIN nor POLLOUT
 *   ESTABLISHED   as TCP does
 *   CLOSED        recv: 0 (the peer's close_notify); send: EPIPE
 *   FAILED        the errno below, on every call; poll: POLLERR | POLLHUP
 *
 *   errno             what happened                         alert sent
 *   ECONNABORTED      the peer's FIN came without its        none
 *                     close_notify: the data may have been
 *                     truncated (recv only: sending goes on)
 *   ECONNRESET        the peer reset the connection          none
 *   EPROTO            the peer sent a fatal alert            none
 *   EBADMSG           a record does not authenticate         bad_record_mac
 *                     a record or message that must not      unexpected_message
 *                     come now, or without content type
 *                     a malformed alert or message           decode_error
 *   EMSGSIZE          a record longer than TLS allows        record_overflow
 *   EPROTONOSUPPORT   a record header of another version     protocol_version
 *   EKEYEXPIRED       the peer sent a KeyUpdate, or this     unexpected_message
 *                     side reached its AEAD limit            close_notify
 *   EBADFD            somebody used the TCP socket behind    none
 *                     the module's back
 *   ENOMEM            out of memory with a sealed record     none (TCP reset)
 *                     that could not be queued at close
 *
 * SIGNET_INFO names the reason as a number (enum signet_reason), SIGNET_ERROR
 * as a text.
 *
 * Complete records that arrived before the failure are delivered first.  The
 * end of the TCP connection itself is ECONNRESET, or what TCP says (ETIMEDOUT,
 * EPIPE...), on every call.
 *
 * MSG_PEEK looks no further than one record.  SO_RCVLOWAT counts plaintext, and
 * reads back as 1.  shutdown(SHUT_WR) gives ENOMEM,
 * and may be tried again, when there is no memory for close_notify.
 *
 * Control records never disturb the data.  NewSessionTickets are skipped; the
 * peer's close_notify is end of file; shutdown(SHUT_WR) and close() send
 * close_notify.
 *
 * Conventions
 * -----------
 *
 * All structures have fixed-width members in host byte order and no pointers
 * and no implicit padding.  Reserved members must be zero.  A structure grows
 * only at its end: the kernel takes a shorter one as if the rest were zero (but
 * not shorter than its first version), and a longer one only if the rest is
 * zero (else E2BIG).  getsockopt fills as much as it was given room for.
 * Secrets are write-only: no option returns one.
 */
#ifndef _UAPI_LINUX_SIGNET_H
#define _UAPI_LINUX_SIGNET_H

#include <linux/types.h>

/* The ULP's name, for setsockopt(SOL_TCP, TCP_ULP). */
#define SIGNET_ULP_NAME		"signet"

/* The level of all options below ('S' << 8 | 'G'). */
#define SOL_SIGNET		21319

/*
 * Option numbers: 1 to 31 ask for a handshake, 32 to 63 install keys and shape
 * records, 64 to 95 read out.  A number is never used again.
 */
enum signet_option {
	SIGNET_KEYS	= 32,	/* set: struct signet_keys + left-over bytes */
	SIGNET_TX	= 33,	/* set: struct signet_crypto, sending only */
	SIGNET_RX	= 34,	/* set: struct signet_crypto, receiving only */
	SIGNET_INFO	= 64,	/* get: struct signet_info */
	SIGNET_ERROR	= 65,	/* get: text of the failure, with its NUL */
};

/* TLS versions as on the wire (RFC 8446 4.2.1). */
#define SIGNET_TLS_1_3		0x0304

/* Cipher suites by their IANA numbers (RFC 8446 B.4). */
#define SIGNET_AES_128_GCM_SHA256	0x1301
#define SIGNET_AES_256_GCM_SHA384	0x1302

#define SIGNET_SECRET_MAX	64

/* Left-over ciphertext that SIGNET_KEYS takes at most, in bytes. */
#define SIGNET_LEFTOVER_MAX	65536

/**
 * struct signet_crypto - one direction's cipher suite, secret and position
 * @version:	SIGNET_TLS_1_3
 * @suite:	IANA number of the cipher suite
 * @secret_len:	bytes of @secret in use: the suite's hash length (RFC 8446 7.1)
 * @reserved:	zero
 * @sequence:	sequence number of the direction's next record (RFC 8446 5.3)
 * @explicit_nonce: zero with TLS 1.3
 * @secret:	application traffic secret (RFC 8446 7.1); the kernel derives
 *		key and IV from it (RFC 8446 7.3)
 *
 * Errors of SIGNET_TX, SIGNET_RX and SIGNET_KEYS:
 *   EINVAL	a length does not fit, the structure is too short, a reserved
 *		member is set, or the secret length is not the suite's
 *   E2BIG	the structure is longer than the kernel's and not zero there
 *   EMSGSIZE	more left-over bytes than SIGNET_LEFTOVER_MAX
 *   EOPNOTSUPP	unknown version or suite
 *   ENOENT	the running kernel has no cipher for the suite
 *   EBUSY	the direction has keys already
 *   ENOTCONN	the TCP connection is not established
 *   EFAULT	an address is bad
 *   ENOMEM	no memory
 *   or the stored errno of a FAILED socket.
 * After an error nothing has changed.
 */
struct signet_crypto {
	__u16 version;
	__u16 suite;
	__u16 secret_len;
	__u16 reserved;
	__aligned_u64 sequence;
	__aligned_u64 explicit_nonce;
	__u8 secret[SIGNET_SECRET_MAX];
};

/* Which side of the handshake this socket was. */
enum signet_role {
	SIGNET_ROLE_UNKNOWN	= 0,
	SIGNET_ROLE_CLIENT	= 1,
	SIGNET_ROLE_SERVER	= 2,
};

/**
 * struct signet_keys - both directions at once: all or nothing
 * @size:	sizeof(struct signet_keys); the left-over bytes follow at this
 *		offset
 * @leftover_len: how many bytes of left-over ciphertext follow: what the
 *		handshake read from the socket beyond its own last record, at
 *		most SIGNET_LEFTOVER_MAX.  They may end within a record, and are
 *		processed before anything that the socket receives
 * @role:	enum signet_role.  A server refuses NewSessionTickets
 * @reserved:	zero
 * @tx:		sending
 * @rx:		receiving
 *
 * The option's length is @size + @leftover_len.
 */
struct signet_keys {
	__u32 size;
	__u32 leftover_len;
	__u8 role;
	__u8 reserved[7];
	struct signet_crypto tx;
	struct signet_crypto rx;
};

enum signet_state {
	SIGNET_STATE_GATED		= 1,
	SIGNET_STATE_HANDSHAKE		= 2,
	SIGNET_STATE_ESTABLISHED	= 3,
	SIGNET_STATE_CLOSED		= 4,
	SIGNET_STATE_FAILED		= 5,
};

enum signet_direction_state {
	SIGNET_DIRECTION_UNKEYED	= 0,
	SIGNET_DIRECTION_OPEN		= 1,
	SIGNET_DIRECTION_CLOSED		= 2,	/* close_notify has passed */
};

/*
 * Why a socket failed, and the text that SIGNET_ERROR gives for it.  Numbers
 * are never used again.
 */
#define SIGNET_REASONS(X)						       \
	X(NONE, 0, "no error")						       \
	X(TRUNCATED, 1,							       \
	  "the peer closed the connection without close_notify: data may be missing") \
	X(RESET, 2, "the connection was reset or timed out")		       \
	X(ALERT, 3, "the peer sent a fatal alert")			       \
	X(BAD_TAG, 4, "a record failed to authenticate")		       \
	X(RECORD_SHORT, 5, "a record is too short for its tag")		       \
	X(RECORD_LONG, 6, "a record is longer than TLS allows")		       \
	X(RECORD_VERSION, 7, "a record header names another TLS version")      \
	X(RECORD_TYPE, 8, "a record of a type that must not come now")	       \
	X(NO_CONTENT_TYPE, 9, "a record of nothing but padding")	       \
	X(BAD_ALERT, 10, "a malformed alert")				       \
	X(BAD_HANDSHAKE, 11, "a malformed or unexpected handshake message")    \
	X(KEY_UPDATE, 12, "the peer sent a KeyUpdate, which this version does not answer") \
	X(AEAD_LIMIT, 13, "the cipher's limit of records under one key is reached") \
	X(INTERFERENCE, 14, "the TCP socket was used behind the module's back") \
	X(NO_MEMORY, 15, "out of memory with sealed data to send")	       \
	X(CRYPTO, 16, "the kernel's cipher reported an error")

enum signet_reason {
#define SIGNET_REASON_ENUM(name, number, text) SIGNET_REASON_##name = number,
	SIGNET_REASONS(SIGNET_REASON_ENUM)
#undef SIGNET_REASON_ENUM
};

/**
 * struct signet_info - what SIGNET_INFO tells about a socket
 * @size:	bytes that the kernel filled in
 * @state:	enum signet_state
 * @tx_state:	enum signet_direction_state
 * @rx_state:	enum signet_direction_state
 * @role:	enum signet_role
 * @version:	TLS version, 0 before keys are installed
 * @tx_suite:	IANA number of the sending cipher suite, 0 before
 * @rx_suite:	IANA number of the receiving cipher suite, 0 before
 * @alert_sent:	last alert sent, level << 8 | description, 0 for none
 *		(RFC 8446 6)
 * @alert_received: last alert received, likewise
 * @reserved:	zero
 * @error:	errno of the failure, positive, 0 for none
 * @reason:	enum signet_reason
 * @tx_epoch:	number of the sending traffic secret, the first is 0
 * @rx_epoch:	number of the receiving traffic secret, the first is 0
 * @reserved2:	zero
 * @tx_sequence: sequence number of the next record to seal
 * @rx_sequence: sequence number of the next record to open
 * @tx_records:	records sealed, alerts included
 * @rx_records:	records opened, of all content types
 * @tx_bytes:	application data sealed, in bytes
 * @rx_bytes:	application data opened, in bytes
 * @rx_control:	records opened that held no application data
 * @tx_unsent:	sealed bytes that TCP has not taken yet
 */
struct signet_info {
	__u32 size;
	__u8 state;
	__u8 tx_state;
	__u8 rx_state;
	__u8 role;
	__u16 version;
	__u16 tx_suite;
	__u16 rx_suite;
	__u16 alert_sent;
	__u16 alert_received;
	__u16 reserved;
	__u32 error;
	__u32 reason;
	__u32 tx_epoch;
	__u32 rx_epoch;
	__u32 reserved2;
	__aligned_u64 tx_sequence;
	__aligned_u64 rx_sequence;
	__aligned_u64 tx_records;
	__aligned_u64 rx_records;
	__aligned_u64 tx_bytes;
	__aligned_u64 rx_bytes;
	__aligned_u64 rx_control;
	__aligned_u64 tx_unsent;
};

#endif /* _UAPI_LINUX_SIGNET_H */
