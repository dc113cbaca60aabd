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
 *   fd = connected TCP socket
 *   setsockopt(fd, SOL_TCP, TCP_ULP, "signet", 6)       attach:  GATED
 *   setsockopt(fd, SOL_SIGNET, SIGNET_CONNECT, "db.internal", 11)
 *                                                       a helper completes the
 *                                                       handshake: ESTABLISHED
 *   send(), recv(), poll(), io_uring, shutdown(), close() as on TCP
 *
 * A program that completes the handshake itself installs its secrets in place of
 * SIGNET_CONNECT: setsockopt(fd, SOL_SIGNET, SIGNET_KEYS, &keys, len).
 *
 * From the moment of the attach the socket is gated: nothing that the
 * application writes reaches the wire, and nothing that arrives reaches the
 * application, until keys are installed.  Whatever was not yet read when the
 * socket was attached counts as ciphertext; whatever was written before the
 * attach goes out before the first record.
 *
 *              attach            SIGNET_KEYS
 *   plain TCP ────────► GATED ───────────────► ESTABLISHED ──────► CLOSED
 *                         │                    ▲   │     close_notify
 *         SIGNET_CONNECT, └────► HANDSHAKE ────┘   │     both ways
 *         SIGNET_ACCEPT            │ a helper      │
 *                                  │ works         │
 *                                  └──► FAILED ◄───┘
 *
 * What a data call answers
 * ------------------------
 *
 *   GATED         ENOTCONN at once; poll reports neither POLLIN nor POLLOUT
 *   HANDSHAKE     waits within SO_SNDTIMEO or SO_RCVTIMEO, or EAGAIN; poll as before
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
 *                     a malformed alert or message           decode_error,
 *                                                            illegal_parameter
 *   EMSGSIZE          a record longer than TLS allows        record_overflow
 *   EPROTONOSUPPORT   a record header of another version     protocol_version
 *   EKEYEXPIRED       TLS 1.2: this side reached its         close_notify
 *                     cipher's limit (send only: reading
 *                     goes on)
 *   EIO               the kernel's cipher reported an error,  internal_error
 *                     or had no memory to seal a record       (on input)
 *   EBADFD            somebody used the TCP socket behind    none
 *                     the module's back
 *   ENOMEM            out of memory with a sealed record     none (TCP reset)
 *                     that could not be queued at close
 *
 *   of a handshake:   (the helper has sent the alert)
 *   EKEYREJECTED      the peer's certificate was refused
 *   EPROTO            the peer sent a fatal alert, or broke the protocol
 *   EPERM             the helper's policy does not allow what was asked for
 *   ETIMEDOUT         SIGNET_TIMEOUT is over
 *   EUNATCH           no helper serves the network namespace, or the one that worked
 *                     on this handshake ended
 *
 * SIGNET_INFO names the reason as a number (enum signet_reason), SIGNET_ERROR
 * as a text.
 *
 * Complete records that arrived before the failure are delivered first.  The
 * end of the TCP connection itself is ECONNRESET, or what TCP says (ETIMEDOUT,
 * EPIPE...), on every call.
 *
 * SO_RCVLOWAT counts plaintext, and reads back as 1.  shutdown(SHUT_WR) gives
 * ENOMEM, and may be tried again, when there is no memory for close_notify.
 *
 * Control records never disturb the data.  NewSessionTickets are kept for
 * SIGNET_TICKET; a KeyUpdate changes the keys (RFC 8446 4.6.3), and is answered
 * when the peer wants it; the peer's close_notify is end of file;
 * shutdown(SHUT_WR) and close() send close_notify.
 *
 * The kernel's own options
 * ------------------------
 *
 * Keys may also be installed through the options of the kernel's own TLS
 * (SOL_TLS, linux/tls.h: TLS_TX, TLS_RX, TLS_TX_ZEROCOPY_RO,
 * TLS_RX_EXPECT_NO_PAD, TLS_TX_MAX_PAYLOAD_LEN).  Then the socket follows that
 * one's rules: control records are the application's to send and to receive (EIO
 * without a control buffer), there is no close_notify by itself, a FIN is end of
 * file, and a KeyUpdate makes reading end with EKEYEXPIRED until the next keys
 * are installed.  The first keys decide; the other family of options gives EBUSY
 * from then on.
 *
 * Conventions
 * -----------
 *
 * All structures have fixed-width members in host byte order and no pointers
 * and no implicit padding.  Reserved members must be zero.  A structure grows
 * only at its end: the kernel takes a shorter one as if the rest were zero (but
 * not shorter than its first version), and a longer one only if the rest is
 * zero (else E2BIG).  getsockopt fills as much as it was given room for.
 * Secrets are write-only: no option of this header returns one.
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
	SIGNET_CONNECT	= 1,	/* set: text, the server's name */
	SIGNET_ACCEPT	= 2,	/* set: text, the profile's name, or nothing */
	SIGNET_BEGIN	= 3,	/* set: enum signet_role in a byte, then that text */
	SIGNET_PROFILE	= 4,	/* set: text, a client's profile */
	SIGNET_ALPN	= 5,	/* set: list of RFC 7301; get: text, the one chosen */
	SIGNET_MIN_VERSION = 6,	/* set: __u32, lowest TLS version */
	SIGNET_CA	= 7,	/* set: text, name of the authorities to trust */
	SIGNET_CLIENT_AUTH = 8,	/* set: __u32, enum signet_client_auth */
	SIGNET_PIN	= 9,	/* set: SHA-256 digests of public keys */
	SIGNET_TIMEOUT	= 10,	/* set: __u32, milliseconds for the handshake */
	SIGNET_KEYS	= 32,	/* set: struct signet_keys + left-over bytes */
	SIGNET_TX	= 33,	/* set: struct signet_crypto, sending only */
	SIGNET_RX	= 34,	/* set: struct signet_crypto, receiving only */
	SIGNET_REKEY	= 35,	/* set: __u32, enum signet_rekey_flags */
	SIGNET_REKEY_POLICY = 36, /* set, get: struct signet_rekey_policy */
	SIGNET_RECORD_MAX = 37,	/* set, get: __u32, bytes */
	SIGNET_PADDING	= 38,	/* set, get: struct signet_padding */
	SIGNET_ADAPTIVE_RECORDS = 39, /* set, get: __u32, 0 or 1 */
	SIGNET_RECORD_TYPES = 40, /* set, get: __u32, 0 or 1 */
	SIGNET_INFO	= 64,	/* get: struct signet_info */
	SIGNET_ERROR	= 65,	/* get: text of the failure, with its NUL */
	SIGNET_TICKET	= 66,	/* get: the oldest NewSessionTicket, which is removed */
	SIGNET_PEER	= 67,	/* get: certificates of the peer */
	SIGNET_PEER_NAME = 68,	/* get: text, verified identity of the peer */
	SIGNET_SERVER_NAME = 69, /* get: text, the name that the client asked for */
	SIGNET_EXPORT	= 70,	/* set: label; get: keying material */
};

/* Texts of options are at most so long, and may end with a NUL or not. */
#define SIGNET_STRING_MAX	255

/*
 * Asking for a handshake
 * ----------------------
 *
 * The handshake, the certificates and the private keys are those of a helper
 * (signetd), which serves the socket's network namespace. An application can make
 * stricter what the administrator configured there, never weaker (EPERM).
 *
 * SIGNET_CONNECT (client) names the server as the certificate must; the text may be
 * empty only when SIGNET_PIN was set. SIGNET_ACCEPT (server) names a profile of the
 * helper's configuration, or none for its default. Both return when the connection is
 * established or has failed; on a descriptor with O_NONBLOCK they return EINPROGRESS at
 * once, and the socket becomes writable when it is established, and shows POLLERR
 * when it failed, as with connect(). Interrupted by a signal (EINTR) the handshake goes
 * on. SIGNET_BEGIN does the same and always returns EINPROGRESS: io_uring runs
 * setsockopt inline, where nothing may wait.
 *
 *   connect(fd, ...)                                  TCP's, blocking or not
 *   SIGNET_BEGIN  { SIGNET_ROLE_CLIENT, "db.internal" }   EINPROGRESS
 *   poll(fd, POLLOUT)                                 until it is done
 *   getsockopt(SO_ERROR)                              0, or why not; SIGNET_ERROR
 *                                                     has the text
 *
 * Errors of all three, at once:
 *   EINVAL	no name and no pin, or a name with a NUL within it
 *   EMSGSIZE	a text longer than SIGNET_STRING_MAX
 *   ENOTCONN	the socket is not connected, nor about to be
 *   EALREADY	a handshake is under way
 *   EISCONN	keys are installed
 *   EDQUOT	the user has as many requests under way as net.signet.requests_max says
 *   EUNATCH	no helper serves the network namespace; with net.signet.helper_wait = 1
 *		the request waits for one instead
 *   ENOMEM	no memory
 *   or the stored errno of a FAILED socket.
 *
 * SIGNET_ACCEPT on a socket that is not connected, or that listens, and is attached,
 * is kept: each connection that it accepts is attached, and its handshake is asked for
 * in the name of who accepts it. accept() does not wait for it; the first read or
 * write does. When it cannot even be asked for, the accepted socket is FAILED. The
 * other options of this group, and those that shape records, are inherited too.
 *
 * The options below are set before the handshake (EALREADY or EISCONN else), EINVAL
 * for a value that is out of range:
 *
 * SIGNET_PROFILE	a client's profile; a server's is named by SIGNET_ACCEPT
 * SIGNET_ALPN		protocols in order of preference, each with a byte of length
 *			before it (RFC 7301 3.1), at most SIGNET_STRING_MAX bytes in all
 * SIGNET_MIN_VERSION	SIGNET_TLS_1_2 or SIGNET_TLS_1_3
 * SIGNET_CA		authorities that the helper's configuration knows by this name
 * SIGNET_CLIENT_AUTH	enum signet_client_auth, a server's
 * SIGNET_PIN		up to SIGNET_PINS_MAX digests of SIGNET_PIN_LEN bytes, one behind
 *			the other: the peer's SubjectPublicKeyInfo must be one of them
 *			(RFC 7469 2.4)
 * SIGNET_TIMEOUT	1 to SIGNET_TIMEOUT_MAX; default net.signet.handshake_timeout
 *
 * To be had afterwards (ENOTCONN before, ENODATA when there is none):
 *
 * SIGNET_ALPN		the protocol that was agreed upon
 * SIGNET_PEER_NAME	the peer's identity as verified: the SPIFFE id when its certificate
 *			has one; else of a server the name that was asked for, of a client
 *			what the helper's configuration takes from its certificate
 * SIGNET_SERVER_NAME	a server: the name that the client asked for
 * SIGNET_PEER		the certificates that were verified, leaf first, each with three
 *			bytes of length before it (RFC 5246 7.4.2); a resumed connection
 *			has none, but the name
 * SIGNET_EXPORT	as many bytes of exported keying material as there is room for
 *			(RFC 8446 7.5; at most SIGNET_EXPORT_MAX), for the label that was set
 *			before, which a NUL and context may follow. Without a label it
 *			is RFC 9266's EXPORTER-Channel-Binding, and 32 bytes are
 *			tls-exporter. TLS 1.2 has only those 32 (EOPNOTSUPP for a label)
 *
 * A buffer that is too short gets EMSGSIZE, and the length that is needed.
 */
#define SIGNET_PIN_LEN		32
#define SIGNET_PINS_MAX		4
#define SIGNET_TIMEOUT_MAX	3600000
#define SIGNET_EXPORT_MAX	1024

enum signet_client_auth {
	SIGNET_CLIENT_AUTH_PROFILE  = 0,	/* as the profile says */
	SIGNET_CLIENT_AUTH_OPTIONAL = 1,	/* ask for a certificate */
	SIGNET_CLIENT_AUTH_REQUIRED = 2,	/* refuse who has none */
};

/* TLS versions as on the wire (RFC 8446 4.2.1). */
#define SIGNET_TLS_1_2		0x0303
#define SIGNET_TLS_1_3		0x0304

/* Cipher suites by their IANA numbers: TLS 1.3 (RFC 8446 B.4) */
#define SIGNET_AES_128_GCM_SHA256			0x1301
#define SIGNET_AES_256_GCM_SHA384			0x1302
#define SIGNET_CHACHA20_POLY1305_SHA256			0x1303
#define SIGNET_AES_128_CCM_SHA256			0x1304
/* TLS 1.2 (RFC 5289, RFC 7251, RFC 7905) */
#define SIGNET_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256	0xc02b
#define SIGNET_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384	0xc02c
#define SIGNET_ECDHE_RSA_WITH_AES_128_GCM_SHA256	0xc02f
#define SIGNET_ECDHE_RSA_WITH_AES_256_GCM_SHA384	0xc030
#define SIGNET_ECDHE_ECDSA_WITH_AES_128_CCM		0xc0ac
#define SIGNET_ECDHE_ECDSA_WITH_AES_256_CCM		0xc0ad
#define SIGNET_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256	0xcca8
#define SIGNET_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 0xcca9

#define SIGNET_SECRET_MAX	64

/* Left-over ciphertext that SIGNET_KEYS takes at most, in bytes. */
#define SIGNET_LEFTOVER_MAX	65536

/**
 * struct signet_crypto - one direction's cipher suite, secret and position
 * @version:	SIGNET_TLS_1_3 or SIGNET_TLS_1_2
 * @suite:	IANA number of the cipher suite
 * @secret_len:	bytes of @secret in use
 * @reserved:	zero
 * @sequence:	sequence number of the direction's next record (RFC 8446 5.3,
 *		RFC 5246 6.1)
 * @explicit_nonce: TLS 1.2 with AES-GCM or AES-CCM, sending: explicit nonce of the
 *		next record, read as a big-endian number; each record adds one
 *		(RFC 5288 3). It must never have been used under this key. Else 0;
 *		in the receiving direction it is not looked at
 * @secret:	TLS 1.3: application traffic secret (RFC 8446 7.1), as long as the
 *		suite's hash; the kernel derives key and IV from it (RFC 8446 7.3).
 *		TLS 1.2: write key, then the part of the nonce that belongs to it,
 *		from the key block (RFC 5246 6.3): 4 bytes with AES, the write IV's
 *		12 with ChaCha20-Poly1305
 *
 * Errors of SIGNET_TX, SIGNET_RX and SIGNET_KEYS:
 *   EINVAL	a length does not fit, the structure is too short, a reserved
 *		member is set, the secret length is not the suite's, or the TLS
 *		version is not that of the other direction
 *   E2BIG	the structure is longer than the kernel's and not zero there
 *   EMSGSIZE	more left-over bytes than SIGNET_LEFTOVER_MAX
 *   EOPNOTSUPP	unknown version or suite
 *   ENOENT	the running kernel has no cipher for the suite
 *   EBUSY	the direction has keys already, or a thread is sending in the clear
 *		(on a socket attached as "tls")
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
 * are never used again (12 was a KeyUpdate, when it ended a connection).
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
	X(AEAD_LIMIT, 13, "the cipher's limit of records under one key is reached") \
	X(INTERFERENCE, 14, "the TCP socket was used behind the module's back") \
	X(NO_MEMORY, 15, "out of memory while a record was sealed or sent")	       \
	X(CRYPTO, 16, "the kernel's cipher reported an error")		       \
	X(FLOOD, 17, "the peer sent too many records in a row without data")   \
	X(HANDSHAKE, 18, "the handshake failed")			       \
	X(NO_HELPER, 19, "no helper (signetd) serves this network namespace")  \
	X(HELPER_GONE, 20, "the helper ended before the handshake did")	       \
	X(HANDSHAKE_TIME, 21, "the handshake was not complete in time")	       \
	X(QUOTA, 22, "the user has too many handshakes under way")

enum signet_reason {
#define SIGNET_REASON_ENUM(name, number, text) SIGNET_REASON_##name = number,
	SIGNET_REASONS(SIGNET_REASON_ENUM)
#undef SIGNET_REASON_ENUM
};

enum signet_rekey_flags {
	/* Ask the peer to change its keys too (RFC 8446 4.6.3, update_requested). */
	SIGNET_REKEY_REQUEST_UPDATE	= 1,
};

/**
 * struct signet_rekey_policy - when sending keys are changed by themselves
 * @records:	after so many records under one key
 * @bytes:	after so many bytes of content
 * @seconds:	at the first send so many seconds after the key was installed
 *
 * Zero: never for that reason. Whatever the policy, keys are changed before the
 * cipher's limit (RFC 8446 5.5). TLS 1.2 knows no KeyUpdate: its policy has no
 * effect, and the connection ends at the limit, with close_notify and
 * EKEYEXPIRED. The defaults are net.signet.rekey_records, rekey_bytes and
 * rekey_seconds.
 */
struct signet_rekey_policy {
	__aligned_u64 records;
	__aligned_u64 bytes;
	__aligned_u64 seconds;
};

/*
 * SIGNET_RECORD_MAX: the peer's record_size_limit (RFC 8449): content, and in TLS
 * 1.3 content type and padding, of a record that is sent, from
 * SIGNET_RECORD_MAX_LOWEST to 2^14 + 1 bytes, which in TLS 1.2 means 2^14; 0 for none. EBUSY
 * while MSG_MORE holds a record open. Default: net.signet.record_max.
 */
#define SIGNET_RECORD_MAX_LOWEST	64

enum signet_padding_mode {
	SIGNET_PADDING_NONE	= 0,
	SIGNET_PADDING_MULTIPLE	= 1,	/* content is padded to a multiple of size */
	SIGNET_PADDING_FIXED	= 2,	/* ... to size, and longer content not */
};

/**
 * struct signet_padding - hide the length of messages (RFC 8446 5.4)
 * @mode:	enum signet_padding_mode
 * @size:	in bytes, 1 to 2^14; 0 with SIGNET_PADDING_NONE
 *
 * Records are never padded beyond SIGNET_RECORD_MAX. TLS 1.3 only, application
 * data only: without effect elsewhere. Defaults: net.signet.padding_mode and
 * padding_size.
 */
struct signet_padding {
	__u16 mode;
	__u16 size;
};

/*
 * SIGNET_ADAPTIVE_RECORDS: at first and after an idle time, while TCP's congestion
 * window is small, the first 64 KiB go in records about as long as a segment, so
 * that the receiver can use each as it arrives. Default: net.signet.adaptive_records.
 *
 * SIGNET_RECORD_TYPES: recvmsg() with a control buffer tells the content type, as
 * upstream's sockets do (SOL_TLS, TLS_GET_RECORD_TYPE), and gives alerts and
 * handshake messages too, after the kernel has acted on them; other reads pass
 * over those. sendmsg() takes a content type (TLS_SET_RECORD_TYPE) without this
 * option: application data, alerts and unknown types; handshake messages are the
 * kernel's to send (EINVAL).
 *
 * SIGNET_TICKET: the body of a NewSessionTicket message (RFC 8446 4.6.1) that the
 * server sent, on a client. Where a helper completed the handshake they are the
 * helper's instead. The newest SIGNET_TICKETS_KEPT of at most
 * SIGNET_TICKET_MAX bytes are kept until they are asked for. ENODATA: there is
 * none; EMSGSIZE: the buffer is too short, and the option's length is set to what
 * is needed.
 */
#define SIGNET_TICKETS_KEPT	4
#define SIGNET_TICKET_MAX	4096

/* Whose rules a socket follows. Fixed by its name (TCP_ULP) or its first keys. */
enum signet_personality {
	SIGNET_PERSONALITY_SIGNET = 0,	/* SOL_SIGNET: this header's */
	SIGNET_PERSONALITY_TLS	= 1,	/* SOL_TLS: those of the kernel's own TLS */
};

enum signet_info_flags {
	SIGNET_INFO_RESUMED	= 1,	/* the handshake resumed an earlier session */
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
 * @group:	IANA number of the key exchange group (RFC 8446 4.2.7), when a helper
 *		completed the handshake
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
 * @personality: enum signet_personality
 * @tickets:	tickets that SIGNET_TICKET has to give
 * @flags:	enum signet_info_flags
 * @tx_key_updates: KeyUpdates sent
 * @rx_key_updates: KeyUpdates received
 * @rx_warnings: warning alerts received, close_notify not among them
 * @reserved4:	zero
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
	__u16 group;
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
	__u8 personality;
	__u8 tickets;
	__u16 flags;
	__u32 tx_key_updates;
	__u32 rx_key_updates;
	__u32 rx_warnings;
	__aligned_u64 reserved4;
};

#endif /* _UAPI_LINUX_SIGNET_H */
