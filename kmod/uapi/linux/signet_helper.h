/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * Signet: how a helper serves the handshakes that sockets ask for.
 *
 * Applications need linux/signet.h only.  This header is the protocol between
 * signet.ko and the helper (signetd), and its specification.
 *
 * Life of a helper
 * ----------------
 *
 *   device = open("/dev/signet", O_RDWR)          CAP_NET_ADMIN over the opener's
 *                                                 network namespace, which it serves
 *   ioctl(device, SIGNET_IOC_HELLO, &hello)       versions are compared
 *   poll(device, POLLIN)                          a socket asks for a handshake
 *   ioctl(device, SIGNET_IOC_REQUEST, &request)   who asks, for what, and a channel
 *   read(channel), write(channel), poll(channel)  TLS records of that connection
 *   ioctl(channel, SIGNET_IOC_HANDOVER, handover) keys and identity: ESTABLISHED
 *   ioctl(channel, SIGNET_IOC_REFUSE, &refusal)   or why not: FAILED
 *   close(channel)
 *
 * Several helpers, and several threads of one, share the requests of a network
 * namespace as accept() shares connections.  A request that was not picked up when
 * its helper goes is another's; one that was ends with the channel: the socket fails
 * with EUNATCH.  Established connections need no helper.
 *
 * The channel
 * -----------
 *
 * It carries the connection's bytes, and is not the application's descriptor.
 * It has stream semantics: read() gives what has arrived, never beyond the end of
 * a TLS record nor of a record's header, so that whoever asks for a header and then
 * for its body leaves the next record in the socket, where the record layer finds
 * it.  write() takes TLS records (content types 20 to 23, RFC 8446 5.1; handshake
 * records that are protected bear type 23); a header must come whole, a body may come
 * in parts.  Both work with O_NONBLOCK, which is set, with poll and in io_uring.
 *
 *   read()   0           the peer's FIN
 *   write()  EINVAL      no TLS record
 *            EPIPE       this side shut sending down
 *   both     EAGAIN      nothing there, or no room
 *            ECANCELED   the application closed the socket
 *            ETIMEDOUT   the request's time is over
 *            ENOTCONN    the channel was used up by its hand-over or refusal
 *            ECONNRESET and others: the end of the TCP connection
 *   poll()   POLLIN, POLLOUT; POLLHUP when no handshake is to be completed any more
 */
#ifndef _UAPI_LINUX_SIGNET_HELPER_H
#define _UAPI_LINUX_SIGNET_HELPER_H

#include <linux/ioctl.h>
#include <linux/signet.h>
#include <linux/types.h>

#define SIGNET_DEVICE		"/dev/signet"

/* Changes when a helper of the one cannot serve a module of the other. */
#define SIGNET_HELPER_VERSION	1

/**
 * struct signet_hello - compare versions
 * @version:	in: the helper's SIGNET_HELPER_VERSION. out: the module's
 * @reserved:	zero
 *
 * EPROTONOSUPPORT: they differ; @version is filled in all the same. No other call
 * works before (EPROTO).
 */
struct signet_hello {
	__u32 version;
	__u32 reserved;
};

/* A struct sockaddr_in or sockaddr_in6. */
#define SIGNET_ADDRESS_MAX	28

/**
 * struct signet_request - a handshake that a socket asks for
 * @size:	in: sizeof(struct signet_request); out: bytes that the kernel filled in
 * @channel:	descriptor, close-on-exec and non-blocking
 * @id:		number of the request, for logs; never used again
 * @role:	enum signet_role of the socket
 * @client_auth: enum signet_client_auth: a server's wish
 * @min_version: lowest TLS version that the application wants, 0: as the profile says
 * @timeout_ms:	time that is left, in milliseconds
 * @uid:	effective user of the task that asked, in the helper's user namespace
 * @gid:	effective group, likewise
 * @pid:	its process, in the helper's pid namespace, 0 when it is not visible there.
 *		A hint, not for policy: it may be another's by now
 * @pin_count:	how many of @pins there are
 * @cgroup:	id of its cgroup (the inode number under /sys/fs/cgroup)
 * @netns:	cookie of the socket's network namespace (SO_NETNS_COOKIE)
 * @comm:	name of the task. A hint, not for policy
 * @local:	struct sockaddr_in or sockaddr_in6 of this side
 * @peer:	likewise of the peer
 * @server_name: a client's: what to ask for and to verify; "" only with a pin
 * @profile:	name of the helper's profile that is to be used, "" for the default
 * @trust:	name of the authorities to trust, "" for the profile's
 * @alpn_len:	bytes of @alpn
 * @reserved:	zero
 * @alpn:	protocols as in RFC 7301 3.1: each with a byte of length before it
 * @pins:	SHA-256 of the SubjectPublicKeyInfo of a certificate that the peer may
 *		present (RFC 7469 2.4)
 */
struct signet_request {
	__u32 size;
	__s32 channel;
	__aligned_u64 id;
	__u8 role;
	__u8 client_auth;
	__u16 min_version;
	__u32 timeout_ms;
	__u32 uid;
	__u32 gid;
	__s32 pid;
	__u32 pin_count;
	__aligned_u64 cgroup;
	__aligned_u64 netns;
	char comm[16];
	__u8 local[SIGNET_ADDRESS_MAX];
	__u8 peer[SIGNET_ADDRESS_MAX];
	char server_name[SIGNET_STRING_MAX + 1];
	char profile[SIGNET_STRING_MAX + 1];
	char trust[SIGNET_STRING_MAX + 1];
	__u16 alpn_len;
	__u8 reserved[6];
	__u8 alpn[SIGNET_STRING_MAX + 1];
	__u8 pins[SIGNET_PINS_MAX][SIGNET_PIN_LEN];
};

/* Bounds of what follows a hand-over, in bytes. */
#define SIGNET_CHAIN_MAX	16384
#define SIGNET_SESSION_MAX	1024

enum signet_handover_flags {
	SIGNET_HANDOVER_RESUMED	= 1,	/* the handshake resumed an earlier session */
};

/**
 * struct signet_handover - the result of a handshake: the socket is ESTABLISHED
 * @size:	sizeof(struct signet_handover); what follows comes at this offset
 * @flags:	enum signet_handover_flags
 * @group:	IANA number of the key exchange group (RFC 8446 4.2.7), 0 for none
 * @exporter_len: bytes of @exporter
 * @alpn_len:	bytes that follow, at most SIGNET_STRING_MAX: the protocol chosen
 * @server_name_len: then: the name that the client asked for, likewise
 * @peer_name_len: then: the verified identity of the peer, likewise
 * @session_len: then, on a client: what the helper wants back with each ticket that
 *		the server sends, to resume the session with; at most SIGNET_SESSION_MAX
 * @chain_len:	then: the certificates of the peer, leaf first, each with three bytes of
 *		length before it (RFC 5246 7.4.2); at most SIGNET_CHAIN_MAX
 * @keys:	both directions; @keys.leftover_len is 0
 * @exporter:	TLS 1.3: exporter_secret (RFC 8446 7.1), as long as the suite's hash;
 *		TLS 1.2: the 32 bytes of RFC 9266's tls-exporter
 *
 * Errors, beside those of SIGNET_KEYS: EMSGSIZE for a length beyond its bound, EINVAL
 * for a role that is not the request's; and those of the channel. After EINVAL,
 * E2BIG, EMSGSIZE, EFAULT, EOPNOTSUPP, ENOENT and ENOMEM nothing has changed.
 */
struct signet_handover {
	__u32 size;
	__u32 flags;
	__u16 group;
	__u16 exporter_len;
	__u16 alpn_len;
	__u16 server_name_len;
	__u16 peer_name_len;
	__u16 session_len;
	__u32 chain_len;
	struct signet_keys keys;
	__u8 exporter[SIGNET_SECRET_MAX];
};

/**
 * struct signet_refusal - a handshake that failed: the socket is FAILED
 * @size:	sizeof(struct signet_refusal)
 * @error:	errno for the application, positive, 1 to 133; none that tells to try again
 *		(EAGAIN, EINTR, EALREADY, EINPROGRESS)
 * @alert_sent:	alert that was sent, level << 8 | description, 0 for none
 * @alert_received: likewise
 * @text:	what happened, for a person (SIGNET_ERROR)
 *
 * The helper has written the alert into the channel before.
 */
struct signet_refusal {
	__u32 size;
	__u32 error;
	__u16 alert_sent;
	__u16 alert_received;
	char text[SIGNET_STRING_MAX + 1];
};

/**
 * struct signet_ticket_notice - a NewSessionTicket of a connection that was handed over
 * @size:	in: sizeof(struct signet_ticket_notice); out: bytes that were filled in
 * @uid:	the user whose handshake it was, in the helper's user namespace
 * @netns:	cookie of the socket's network namespace
 * @received_ms: when it came, in milliseconds of CLOCK_REALTIME
 * @session_len: bytes of @session
 * @ticket_len:	bytes of @ticket
 * @session:	what the hand-over brought
 * @ticket:	body of the message (RFC 8446 4.6.1)
 *
 * EAGAIN: there is none. A bounded number waits; the oldest make room.
 */
struct signet_ticket_notice {
	__u32 size;
	__u32 uid;
	__aligned_u64 netns;
	__aligned_u64 received_ms;
	__u32 session_len;
	__u32 ticket_len;
	__u8 session[SIGNET_SESSION_MAX];
	__u8 ticket[SIGNET_TICKET_MAX];
};

#define SIGNET_IOC		0xd5

/*
 * On the device. SIGNET_IOC_REQUEST waits unless O_NONBLOCK is set (EAGAIN); EMFILE
 * and the like leave the request where it was; ENETDOWN: the network namespace is
 * gone. poll: POLLIN for a request, POLLPRI for a ticket.
 *
 * SIGNET_IOC_REKEY: every connection of the namespace changes its sending keys at its
 * next send (RFC 8446 4.6.3). With 1 it also asks its peer to. TLS 1.2 has no such
 * thing.
 */
#define SIGNET_IOC_HELLO	_IOWR(SIGNET_IOC, 0, struct signet_hello)
#define SIGNET_IOC_REQUEST	_IOWR(SIGNET_IOC, 1, struct signet_request)
#define SIGNET_IOC_TICKET	_IOWR(SIGNET_IOC, 2, struct signet_ticket_notice)
#define SIGNET_IOC_REKEY	_IOW(SIGNET_IOC, 3, __u32)

/* On a channel. */
#define SIGNET_IOC_HANDOVER	_IOW(SIGNET_IOC, 16, struct signet_handover)
#define SIGNET_IOC_REFUSE	_IOW(SIGNET_IOC, 17, struct signet_refusal)

#endif /* _UAPI_LINUX_SIGNET_HELPER_H */
