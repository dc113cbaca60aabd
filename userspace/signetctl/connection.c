// SPDX-License-Identifier: MIT
#include "connection.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/signet.h>

/**
 * struct end - one of a connection
 * @address:	of IPv6; one of IPv4 is mapped (RFC 4291 2.5.5.2)
 */
struct end {
	struct in6_addr address;
	uint16_t port;
};

/**
 * struct search - for the socket
 * @error:	what came of it, 0 or positive
 */
struct search {
	struct end local;
	struct end peer;
	uint32_t flags;
	int error;
};

static void map(struct end *end, const void *ipv4)
{
	memset(&end->address, 0, sizeof(end->address));
	memset(end->address.s6_addr + 10, 0xff, 2);
	memcpy(end->address.s6_addr + 12, ipv4, 4);
}

/* "192.0.2.1:443" or "[2001:db8::1]:443". */
static bool parse_end(struct end *end, const char *text)
{
	const char *colon = strrchr(text, ':');
	char address[INET6_ADDRSTRLEN], *rest;
	struct in_addr ipv4;
	unsigned long port;
	bool ipv6;

	if (!colon || colon == text || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtoul(colon + 1, &rest, 10);
	if (*rest || port > UINT16_MAX)
		return false;
	end->port = port;
	ipv6 = *text == '[' && colon[-1] == ']';
	if (colon - text >= (int)sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(colon - text) - 2 * ipv6, text + ipv6);
	if (ipv6)
		return inet_pton(AF_INET6, address, &end->address) == 1;
	if (inet_pton(AF_INET, address, &ipv4) != 1)
		return false;
	map(end, &ipv4);
	return true;
}

static bool is_end(const struct end *end, int fd,
		   int (*get_name)(int fd, struct sockaddr *address, socklen_t *size))
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address;
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address;
	struct end found;

	if (get_name(fd, (struct sockaddr *)&address, &size))
		return false;
	if (address.ss_family == AF_INET6) {
		found.address = ipv6->sin6_addr;
		found.port = ntohs(ipv6->sin6_port);
	} else if (address.ss_family == AF_INET) {
		map(&found, &ipv4->sin_addr);
		found.port = ntohs(ipv4->sin_port);
	} else {
		return false;
	}
	return found.port == end->port &&
	       !memcmp(&found.address, &end->address, sizeof(found.address));
}

static bool is_attached(int fd)
{
	struct signet_info info;
	socklen_t size = sizeof(info);

	return !getsockopt(fd, SOL_SIGNET, SIGNET_INFO, &info, &size);
}

/* Return: whether it is the one. */
static bool try_socket(struct search *search, int process, int number)
{
	int fd = syscall(SYS_pidfd_getfd, process, number, 0);
	bool found;

	if (fd < 0) {
		if (errno == EPERM)
			search->error = EPERM;
		return false;
	}
	found = is_end(&search->local, fd, getsockname) && is_end(&search->peer, fd, getpeername) &&
		is_attached(fd);
	if (found)
		search->error = setsockopt(fd, SOL_SIGNET, SIGNET_REKEY, &search->flags,
					   sizeof(search->flags)) ?
					errno :
					0;
	close(fd);
	return found;
}

static bool is_socket(int directory, const char *name)
{
	char target[32];
	ssize_t length = readlinkat(directory, name, target, sizeof(target));

	return length > 8 && !memcmp(target, "socket:[", 8);
}

/* Looks through a process's descriptors. Takes @fds over. */
static bool search_descriptors(struct search *search, int process, int fds)
{
	DIR *directory = fdopendir(fds);
	const struct dirent *entry;
	bool found = false;

	if (!directory) {
		close(fds);
		return false;
	}
	while (!found && (entry = readdir(directory)))
		found = *entry->d_name != '.' && is_socket(fds, entry->d_name) &&
			try_socket(search, process, atoi(entry->d_name));
	closedir(directory);
	return found;
}

static bool is_of_namespace(const char *pid)
{
	struct stat own, others;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/ns/net", pid);
	return !stat(path, &others) && !stat("/proc/self/ns/net", &own) &&
	       others.st_ino == own.st_ino && others.st_dev == own.st_dev;
}

static bool search_process(struct search *search, const char *pid)
{
	int process, fds;
	char path[64];
	bool found;

	if (!is_of_namespace(pid))
		return false;
	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	fds = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	process = syscall(SYS_pidfd_open, atoi(pid), 0);
	if (fds < 0 || process < 0) {
		if (errno == EACCES || errno == EPERM)
			search->error = EPERM;
		if (fds >= 0)
			close(fds);
		if (process >= 0)
			close(process);
		return false;
	}
	found = search_descriptors(search, process, fds);
	close(process);
	return found;
}

int connection_rekey(const char *local, const char *peer, uint32_t flags)
{
	struct search search = { .flags = flags, .error = ESRCH };
	const struct dirent *entry;
	bool found = false;
	DIR *processes;

	if (!parse_end(&search.local, local) || !parse_end(&search.peer, peer))
		return -EINVAL;
	processes = opendir("/proc");
	if (!processes)
		return -errno;
	while (!found && (entry = readdir(processes)))
		found = *entry->d_name >= '0' && *entry->d_name <= '9' &&
			search_process(&search, entry->d_name);
	closedir(processes);
	return -search.error;
}
