// SPDX-License-Identifier: GPL-2.0-only
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* --- sockets -------------------- */

static socklen_t loopback(enum link_family family, struct sockaddr_storage *address)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
	struct sockaddr_in *in = (struct sockaddr_in *)address;

	memset(address, 0, sizeof(*address));
	if (family == LINK_IPV4) {
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	if (family == LINK_MAPPED) {
		in6->sin6_addr.s6_addr[10] = 0xff;
		in6->sin6_addr.s6_addr[11] = 0xff;
		in6->sin6_addr.s6_addr[12] = 127;
		in6->sin6_addr.s6_addr[15] = 1;
	} else {
		in6->sin6_addr = in6addr_loopback;
	}
	return sizeof(*in6);
}

static void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int link_segment;

static void set_segment(int fd)
{
	if (link_segment)
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &link_segment, sizeof(link_segment));
}

int tcp_listen(enum link_family family, int backlog, struct sockaddr_storage *address,
	       socklen_t *len)
{
	int fd;

	*len = loopback(family, address);
	fd = socket(address->ss_family, SOCK_STREAM, 0);
	set_segment(fd);
	if (fd < 0 || (!bind(fd, (struct sockaddr *)address, *len) && !listen(fd, backlog) &&
		       !getsockname(fd, (struct sockaddr *)address, len)))
		return fd;
	close(fd);
	return -1;
}

int deafen(int fd, bool deaf)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &drop };

	return setsockopt(fd, SOL_SOCKET, deaf ? SO_ATTACH_FILTER : SO_DETACH_FILTER, &program,
			  sizeof(program));
}

int tcp_pair(enum link_family family, int fds[2])
{
	struct sockaddr_storage address;
	socklen_t len;
	int listener = tcp_listen(family, 1, &address, &len);
	int ret = -1;

	fds[0] = -1;
	fds[1] = -1;
	if (listener < 0)
		goto close_listener;
	fds[0] = socket(address.ss_family, SOCK_STREAM, 0);
	set_segment(fds[0]);
	if (fds[0] < 0 || connect(fds[0], (struct sockaddr *)&address, len))
		goto close_listener;
	fds[1] = accept(listener, NULL, NULL);
	if (fds[1] < 0)
		goto close_listener;
	no_delay(fds[0]);
	no_delay(fds[1]);
	ret = 0;
close_listener:
	if (listener >= 0)
		close(listener);
	return ret;
}

int ulp_attach(int fd)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, SIGNET_ULP_NAME, strlen(SIGNET_ULP_NAME));
}

int keys_install(int fd, const struct signet_keys *keys)
{
	return setsockopt(fd, SOL_SIGNET, SIGNET_KEYS, keys, sizeof(*keys));
}

/* Secrets that tell directions and sockets apart. */
static void choose_secret(struct signet_crypto *crypto, uint16_t suite, uint8_t salt)
{
	const struct record_suite *found = record_suite_find(suite);

	memset(crypto, 0, sizeof(*crypto));
	crypto->version = found->version;
	crypto->suite = suite;
	crypto->secret_len = record_suite_secret_len(found);
	for (size_t i = 0; i < crypto->secret_len; i++)
		crypto->secret[i] = salt + 7 * i;
}

void choose_keys(struct signet_keys *keys, uint16_t suite)
{
	memset(keys, 0, sizeof(*keys));
	keys->size = sizeof(*keys);
	keys->role = SIGNET_ROLE_CLIENT;
	choose_secret(&keys->tx, suite, 0x11);
	choose_secret(&keys->rx, suite, 0x80);
}

int link_open(struct link *link, enum link_family family, uint16_t suite)
{
	int fds[2];

	memset(link, 0, sizeof(*link));
	link->fd = -1;
	link->peer = -1;
	if (tcp_pair(family, fds))
		return -1;
	link->fd = fds[0];
	link->peer = fds[1];
	choose_keys(&link->keys, suite);
	return link_rekey(link);
}

int link_rekey(struct link *link)
{
	record_keys_free(&link->to_fd);
	record_keys_free(&link->from_fd);
	if (record_keys_init(&link->to_fd, &link->keys.rx) ||
	    record_keys_init(&link->from_fd, &link->keys.tx))
		return -1;
	return 0;
}

int link_attach(struct link *link)
{
	return ulp_attach(link->fd);
}

int link_install(struct link *link)
{
	return keys_install(link->fd, &link->keys);
}

int link_install_leftover(struct link *link, const void *leftover, size_t len)
{
	uint8_t *option = malloc(sizeof(link->keys) + len);
	int ret, error;

	if (!option)
		return -1;
	link->keys.leftover_len = len;
	memcpy(option, &link->keys, sizeof(link->keys));
	link->keys.leftover_len = 0;
	memcpy(option + sizeof(link->keys), leftover, len);
	ret = setsockopt(link->fd, SOL_SIGNET, SIGNET_KEYS, option, sizeof(link->keys) + len);
	error = errno;
	free(option);
	errno = error;
	return ret;
}

int link_up(struct link *link, enum link_family family, uint16_t suite)
{
	if (link_open(link, family, suite) || link_attach(link))
		return -1;
	return link_install(link);
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	if (link->peer >= 0)
		close(link->peer);
	link->fd = -1;
	link->peer = -1;
	record_keys_free(&link->to_fd);
	record_keys_free(&link->from_fd);
}

int signet_pair(enum link_family family, uint16_t suite, int fds[2])
{
	struct signet_keys keys, mirrored;

	choose_keys(&keys, suite);
	mirrored = keys;
	mirrored.tx = keys.rx;
	mirrored.rx = keys.tx;
	mirrored.role = SIGNET_ROLE_SERVER;
	if (tcp_pair(family, fds) || ulp_attach(fds[0]) || ulp_attach(fds[1]) ||
	    keys_install(fds[0], &keys))
		return -1;
	return keys_install(fds[1], &mirrored);
}

int sock_info(int fd, struct signet_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, SOL_SIGNET, SIGNET_INFO, info, &len);
}

struct signet_info sock_info_now(int fd)
{
	struct signet_info info;

	if (sock_info(fd, &info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

int rekey_policy_set(int fd, uint64_t records, uint64_t bytes, uint64_t seconds)
{
	struct signet_rekey_policy policy = { records, bytes, seconds };

	return setsockopt(fd, SOL_SIGNET, SIGNET_REKEY_POLICY, &policy, sizeof(policy));
}

/* --- the peer's records -------------------- */

int peer_send_raw(struct link *link, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	ssize_t n;

	while (len) {
		n = send(link->peer, from, len, MSG_NOSIGNAL);
		if (n < 0)
			return -1;
		from += n;
		len -= n;
	}
	return 0;
}

int peer_send_padded(struct link *link, uint8_t type, const void *content, size_t len,
		     size_t padding)
{
	uint8_t record[RECORD_BUFFER];
	int n = record_seal(&link->to_fd, type, content, len, padding, record);

	return n < 0 ? -1 : peer_send_raw(link, record, n);
}

int peer_send(struct link *link, uint8_t type, const void *content, size_t len)
{
	return peer_send_padded(link, type, content, len, 0);
}

int peer_send_alert(struct link *link, uint8_t level, uint8_t description)
{
	uint8_t alert[] = { level, description };

	return peer_send(link, TYPE_ALERT, alert, sizeof(alert));
}

int peer_send_update(struct link *link, bool request)
{
	uint8_t message[] = { MESSAGE_KEY_UPDATE, 0, 0, 1, request };

	if (peer_send(link, TYPE_HANDSHAKE, message, sizeof(message)))
		return -1;
	return record_keys_update(&link->to_fd);
}

void peer_reset(struct link *link)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(link->peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(link->peer);
	link->peer = -1;
}

int peer_fin(struct link *link)
{
	return shutdown(link->peer, SHUT_WR);
}

/* Return: @len, less at the stream's end, or -1. */
static ssize_t read_all(int fd, void *to, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = recv(fd, (char *)to + done, len - done, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += n;
	}
	return done;
}

static int end_of_stream(ssize_t n)
{
	if (!n)
		return PEER_FIN;
	if (n < 0)
		return errno == ECONNRESET || errno == EPIPE ? PEER_RESET : PEER_INVALID;
	return PEER_INVALID;
}

static int recv_record(struct link *link, uint8_t *type, uint8_t *content)
{
	uint8_t record[RECORD_HEADER + RECORD_BODY];
	uint8_t opened[RECORD_BODY + RECORD_TAG];
	size_t body;
	ssize_t n;
	int len;

	n = read_all(link->peer, record, RECORD_HEADER);
	if (n != RECORD_HEADER)
		return end_of_stream(n);
	memcpy(link->header, record, RECORD_HEADER);
	body = link_body_len(link);
	if (body > RECORD_BODY)
		return PEER_INVALID;
	n = read_all(link->peer, record + RECORD_HEADER, body);
	if (n != (ssize_t)body)
		return n < 0 ? end_of_stream(n) : PEER_INVALID;
	len = record_open(&link->from_fd, record, RECORD_HEADER + body, type, opened);
	if (len < 0)
		return PEER_INVALID;
	memcpy(content, opened, len);
	return len;
}

int update_request(uint8_t type, const uint8_t *content, int len)
{
	static const uint8_t head[] = { MESSAGE_KEY_UPDATE, 0, 0, 1 };

	if (type != TYPE_HANDSHAKE || len != 5 || memcmp(content, head, 4) || content[4] > 1)
		return -1;
	return content[4];
}

int peer_recv(struct link *link, uint8_t *type, uint8_t *content)
{
	int n, request;

	for (;;) {
		n = recv_record(link, type, content);
		if (n < 0 || !link->follows_updates)
			return n;
		request = update_request(*type, content, n);
		if (request < 0)
			return n;
		link->updates++;
		link->requests += request;
		if (record_keys_update(&link->from_fd))
			return PEER_INVALID;
	}
}

size_t peer_recv_data(struct link *link, void *data, size_t len)
{
	uint8_t content[RECORD_CONTENT];
	size_t done = 0;
	uint8_t type;
	int n;

	while (done < len) {
		n = peer_recv(link, &type, content);
		if (n < 0 || type != TYPE_DATA || done + n > len)
			break;
		memcpy((char *)data + done, content, n);
		done += n;
	}
	return done;
}

int peer_recv_alert(struct link *link)
{
	uint8_t content[RECORD_CONTENT], type;
	int n = peer_recv(link, &type, content);

	if (n < 0)
		return n;
	return type == TYPE_ALERT && n == 2 ? content[0] << 8 | content[1] : PEER_INVALID;
}

int peer_recv_data_then_alert(struct link *link)
{
	uint8_t content[RECORD_CONTENT], type;
	int n;

	do {
		n = peer_recv(link, &type, content);
		if (n < 0)
			return n;
	} while (type == TYPE_DATA);
	return type == TYPE_ALERT && n == 2 ? content[0] << 8 | content[1] : PEER_INVALID;
}

int peer_recv_end(struct link *link)
{
	uint8_t byte;

	return end_of_stream(recv(link->peer, &byte, 1, 0));
}

bool peer_saw_nothing(struct link *link)
{
	uint8_t byte;

	return recv(link->peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* --- waiting for something that is bound to happen -------------------- */

static void tcp_information(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len);
}

uint64_t bytes_received(int fd)
{
	struct tcp_info info;

	tcp_information(fd, &info);
	return info.tcpi_bytes_received;
}

void wait_received(int fd, uint64_t bytes)
{
	while (bytes_received(fd) < bytes)
		sched_yield();
}

void wait_delivered(int from, int to)
{
	struct tcp_info info;

	tcp_information(from, &info);
	wait_received(to, info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes);
}

int tcp_state(int fd)
{
	struct tcp_info info;

	tcp_information(fd, &info);
	return info.tcpi_state;
}

void wait_state(int fd, int state)
{
	while (tcp_state(fd) != state)
		sched_yield();
}

/* Return: the thread's line in @file, or -1. */
static int read_of_thread(pid_t tid, const char *file, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", tid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0 ? 0 : -1;
}

/* How often the thread has gone to sleep in the system call @number, or -1 when it does not now. */
static long sleeps_in(pid_t tid, long number)
{
	const char *name = "\nvoluntary_ctxt_switches:";
	char text[4096], *at;

	/* "running" while it does. */
	if (read_of_thread(tid, "syscall", text, sizeof(text)) || text[0] < '0' || text[0] > '9' ||
	    strtol(text, NULL, 10) != number || read_of_thread(tid, "status", text, sizeof(text)))
		return -1;
	at = strstr(text, name);
	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

/* Short waits, for a lock or for an acknowledgment, look the same: see it sleep for some time. */
#define LOOKS 15

static void wait_blocked(const struct worker *worker, long number)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	long before = -1, now;
	int same = 0;

	while (same < LOOKS && !worker->done) {
		nanosleep(&pause, NULL);
		now = sleeps_in(worker->tid, number);
		same = now >= 0 && now == before ? same + 1 : 0;
		before = now;
	}
}

/* --- the pattern -------------------- */

#define PATTERN_PERIOD 65521

static uint8_t pattern[2 * PATTERN_PERIOD];

static void __attribute__((constructor)) make_pattern(void)
{
	struct random random = { 42 };

	for (size_t i = 0; i < PATTERN_PERIOD; i++) {
		pattern[i] = random_next(&random) >> 32;
		pattern[PATTERN_PERIOD + i] = pattern[i];
	}
}

void pattern_fill(void *to, uint64_t offset, size_t len)
{
	uint8_t *out = to;

	while (len) {
		size_t n = len < PATTERN_PERIOD ? len : PATTERN_PERIOD;

		memcpy(out, pattern + offset % PATTERN_PERIOD, n);
		out += n;
		offset += n;
		len -= n;
	}
}

bool pattern_matches(const void *bytes, uint64_t offset, size_t len)
{
	const uint8_t *in = bytes;

	while (len) {
		size_t n = len < PATTERN_PERIOD ? len : PATTERN_PERIOD;

		if (memcmp(in, pattern + offset % PATTERN_PERIOD, n))
			return false;
		in += n;
		offset += n;
		len -= n;
	}
	return true;
}

#define CHUNK 65536

int send_pattern(int fd, uint64_t offset, size_t len)
{
	uint8_t chunk[CHUNK];
	ssize_t n;

	while (len) {
		size_t want = len < CHUNK ? len : CHUNK;

		pattern_fill(chunk, offset, want);
		n = send(fd, chunk, want, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		offset += n;
		len -= n;
	}
	return 0;
}

int recv_pattern(int fd, uint64_t offset, size_t len)
{
	uint8_t chunk[CHUNK];
	ssize_t n;

	while (len) {
		n = recv(fd, chunk, len < CHUNK ? len : CHUNK, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n || !pattern_matches(chunk, offset, n)) {
			errno = n ? EBADE : ENODATA;
			return -1;
		}
		offset += n;
		len -= n;
	}
	return 0;
}

int peer_recv_pattern(struct link *link, uint64_t offset, size_t len)
{
	uint8_t *data = malloc(len + 1);
	int ret = -1;

	if (data && peer_recv_data(link, data, len) == len && pattern_matches(data, offset, len))
		ret = 0;
	free(data);
	return ret;
}

int peer_send_pattern(struct link *link, uint64_t offset, size_t len, size_t record)
{
	uint8_t content[RECORD_CONTENT];

	while (len) {
		size_t n = len < record ? len : record;

		pattern_fill(content, offset, n);
		if (peer_send(link, TYPE_DATA, content, n))
			return -1;
		offset += n;
		len -= n;
	}
	return 0;
}

/* --- threads -------------------- */

static void *worker_main(void *argument)
{
	struct worker *worker = argument;

	worker->tid = syscall(SYS_gettid);
	errno = 0;
	worker->ret = worker->run(worker);
	worker->error = errno;
	worker->done = true;
	return NULL;
}

int worker_start(struct worker *worker, int (*run)(struct worker *worker), void *argument)
{
	memset(worker, 0, sizeof(*worker));
	worker->run = run;
	worker->argument = argument;
	return pthread_create(&worker->thread, NULL, worker_main, worker) ? -1 : 0;
}

void worker_wait_blocked(struct worker *worker, long number)
{
	while (!worker->tid)
		sched_yield();
	wait_blocked(worker, number);
}

void worker_signal(struct worker *worker, long number, int signal)
{
	while (!worker->done) {
		worker_wait_blocked(worker, number);
		if (!worker->done)
			pthread_kill(worker->thread, signal);
	}
}

int worker_join(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
	errno = worker->error;
	return worker->ret;
}

void sink_run(struct sink *sink, struct link *link)
{
	uint8_t content[RECORD_CONTENT], type;
	int n;

	*sink = (struct sink){ .link = link, .alert = -1, .intact = true };
	for (;;) {
		n = peer_recv(link, &type, content);
		if (n < 0)
			break;
		if (type == TYPE_ALERT && n == 2 && sink->alert < 0) {
			sink->alert = content[0] << 8 | content[1];
			continue;
		}
		/* Nothing may follow an alert, and nothing else is ever sent. */
		if (type != TYPE_DATA || sink->alert >= 0 ||
		    !pattern_matches(content, sink->bytes, n))
			sink->intact = false;
		sink->bytes += n;
	}
	sink->end = n;
}

static int sink_main(struct worker *worker)
{
	struct sink *sink = worker->argument;
	struct sink result;

	sink_run(&result, sink->link);
	sink->bytes = result.bytes;
	sink->alert = result.alert;
	sink->end = result.end;
	sink->intact = result.intact;
	return 0;
}

int sink_start(struct sink *sink, struct link *link)
{
	sink->link = link;
	return worker_start(&sink->worker, sink_main, sink);
}

void sink_join(struct sink *sink)
{
	worker_join(&sink->worker);
}

/* --- random numbers -------------------- */

uint64_t random_next(struct random *random)
{
	uint64_t x = random->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	random->state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

uint64_t random_below(struct random *random, uint64_t below)
{
	return (random_next(random) >> 16) % below;
}
