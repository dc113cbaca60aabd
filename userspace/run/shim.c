// SPDX-License-Identifier: MIT
/*
 * libsignet-run.so: stands before the C library's calls in programs that signet-run starts, and
 * makes chosen connections TLS. See signet-run(1).
 *
 * accept() needs nothing: what an attached listener accepts is attached by the kernel.
 */
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach.h"
#include "names.h"
#include "settings.h"

/* What a shell gives when a program cannot be run as it should. */
#define EXIT_SHIM 125

/* The next ones: the C library's, or those of another library of LD_PRELOAD. */
static struct {
	int (*connect)(int fd, const struct sockaddr *address, socklen_t len);
	int (*listen)(int fd, int backlog);
	int (*getsockopt)(int fd, int level, int option, void *value, socklen_t *len);
	ssize_t (*sendto)(int fd, const void *data, size_t size, int flags,
			  const struct sockaddr *address, socklen_t len);
	ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
	int (*sendmmsg)(int fd, struct mmsghdr *messages, unsigned int count, int flags);
	int (*getaddrinfo)(const char *node, const char *service, const struct addrinfo *hints,
			   struct addrinfo **found);
} next;

static struct settings settings;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A rule that is not understood would be traffic in the clear. */
static void fail(const char *what, const char *why)
{
	dprintf(STDERR_FILENO, "signet-run: libsignet-run.so: %s: %s\n", what, why);
	_exit(EXIT_SHIM);
}

static void *find_next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		fail(name, "the C library has no such function");
	return found;
}

static void set_up(void)
{
	const char *variable, *problem;

	next.connect = find_next("connect");
	next.listen = find_next("listen");
	next.getsockopt = find_next("getsockopt");
	next.sendto = find_next("sendto");
	next.sendmsg = find_next("sendmsg");
	next.sendmmsg = find_next("sendmmsg");
	next.getaddrinfo = find_next("getaddrinfo");
	problem = settings_from_environment(&settings, &variable);
	if (problem)
		fail(variable, problem);
	attach_remember_stderr();
	pthread_atfork(names_lock, names_unlock, names_unlock);
}

/* Other libraries' constructors may call before this one's. */
static void ready(void)
{
	pthread_once(&once, set_up);
}

static void __attribute__((constructor)) start(void)
{
	ready();
}

static int socket_number(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return next.getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

/* Whether TCP's ports are its. What of this cannot be attached must not get through either. */
static bool is_tcp(int fd)
{
	int protocol;

	if (socket_number(fd, SO_TYPE) != SOCK_STREAM)
		return false;
	protocol = socket_number(fd, SO_PROTOCOL);
	return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

/* Leaves errno alone when it returns NULL. */
static const struct rule *find_rule(int fd, const struct rules *rules,
				    const struct sockaddr *address, socklen_t len)
{
	const struct rule *rule = NULL;
	struct in6_addr in6;
	int error = errno;
	uint16_t port;

	if (rules->count && rule_take_address(address, len, &in6, &port))
		rule = rule_find(rules->items, rules->count, &in6, port);
	if (rule && !is_tcp(fd))
		rule = NULL;
	errno = error;
	return rule;
}

static int result(int error)
{
	if (!error)
		return 0;
	errno = error;
	return -1;
}

/*
 * The socket is attached before it connects, so that a program that is interrupted, or that does
 * not wait, finds it gated when TCP is connected. Its own poll then tells when the handshake is
 * complete: until then it is not writable.
 */
static int connect_tls(int fd, const struct rule *rule, const struct sockaddr *address,
		       socklen_t len)
{
	int error = attach_client(fd, &settings, address, len), began;

	if (error)
		return result(error);
	error = next.connect(fd, address, len) ? errno : 0;
	switch (error) {
	case 0:
	case EISCONN: /* a program that asks again, whether it is */
		began = attach_begin(fd, &settings, rule, address, len, true);
		/* What TCP says of the second call. */
		return result(began == EISCONN ? error : began);
	case EINPROGRESS:
	case EINTR:
		began = attach_begin(fd, &settings, rule, address, len, false);
		return result(began == EINPROGRESS || began == EALREADY ? error : began);
	default:
		attach_tell_failure(fd, error);
		return result(error);
	}
}

int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	const struct sockaddr *address = to.__sockaddr__;
	const struct rule *rule;

	ready();
	rule = find_rule(fd, &settings.connect, address, len);
	return rule ? connect_tls(fd, rule, address, len) : next.connect(fd, address, len);
}

int listen(int fd, int backlog)
{
	struct sockaddr_storage local;
	struct sockaddr *address = (struct sockaddr *)&local;
	socklen_t len = sizeof(local);
	const struct rule *rule;
	int error;

	ready();
	if (!settings.listen.count || getsockname(fd, address, &len))
		return next.listen(fd, backlog);
	rule = find_rule(fd, &settings.listen, address, len);
	error = rule ? attach_listener(fd, &settings, rule, address, len) : 0;
	return error ? result(error) : next.listen(fd, backlog);
}

/* Where a program that did not wait learns how it went: the reason goes to standard error. */
int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict len)
{
	int ret, error;

	ready();
	ret = next.getsockopt(fd, level, option, value, len);
	if (ret || level != SOL_SOCKET || option != SO_ERROR || *len != sizeof(int) ||
	    !settings.connect.count || !*(int *)value)
		return ret;
	error = errno;
	attach_tell_failure(fd, *(int *)value);
	errno = error;
	return ret;
}

/* --- TCP Fast Open: connections that begin with data ------------------------------ */

static bool refuse_fast_open(int fd, int flags, const struct sockaddr *address, socklen_t len)
{
	if (!(flags & MSG_FASTOPEN) || !find_rule(fd, &settings.connect, address, len))
		return false;
	attach_tell_refusal("connect to", address, len,
			    "refused with MSG_FASTOPEN: the data would go in the clear");
	errno = EOPNOTSUPP;
	return true;
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, __CONST_SOCKADDR_ARG to,
	       socklen_t len)
{
	ready();
	if (refuse_fast_open(fd, flags, to.__sockaddr__, len))
		return -1;
	return next.sendto(fd, data, size, flags, to.__sockaddr__, len);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ready();
	if ((flags & MSG_FASTOPEN) &&
	    refuse_fast_open(fd, flags, message->msg_name, message->msg_namelen))
		return -1;
	return next.sendmsg(fd, message, flags);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	ready();
	for (unsigned int i = 0; (flags & MSG_FASTOPEN) && i < count; i++)
		if (refuse_fast_open(fd, flags, messages[i].msg_hdr.msg_name,
				     messages[i].msg_hdr.msg_namelen))
			return -1;
	return next.sendmmsg(fd, messages, count, flags);
}

/* --- names ---------------------------------------------------------------------- */

static bool is_address(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_aton(text, (struct in_addr *)address) ||
	       inet_pton(AF_INET6, text, address) == 1;
}

int getaddrinfo(const char *restrict node, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
	struct in6_addr address;
	int ret, error;
	uint16_t port;

	ready();
	ret = next.getaddrinfo(node, service, hints, found);
	if (ret || !node || !settings.connect.count || is_address(node))
		return ret;
	error = errno;
	for (const struct addrinfo *at = *found; at; at = at->ai_next)
		if (rule_take_address(at->ai_addr, at->ai_addrlen, &address, &port))
			names_remember(&address, node);
	errno = error;
	return ret;
}
