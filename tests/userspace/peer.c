// SPDX-License-Identifier: GPL-3.0-or-later
#include "peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certificates.h"
#include "tap.h"

static struct sockaddr_in loopback(unsigned int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

int tcp_listen(unsigned int *port)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		bail("cannot listen on loopback: %s", strerror(errno));
	*port = ntohs(address.sin_port);
	return fd;
}

unsigned int free_port(void)
{
	unsigned int port;

	close(tcp_listen(&port));
	return port;
}

int tcp_connect(unsigned int port)
{
	struct sockaddr_in address = loopback(port);
	int fd;

	for (int tries = 0; tries < 500; tries++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return fd;
		close(fd);
		usleep(20000);
	}
	bail("nothing listens on port %u", port);
}

int tcp_accept(int listener)
{
	struct pollfd waiting = { .fd = listener, .events = POLLIN };
	int fd = -1;

	if (poll(&waiting, 1, 10000) == 1)
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		bail("nobody connects");
	return fd;
}

void tcp_pair(int fds[2])
{
	unsigned int port;
	int listener = tcp_listen(&port);

	fds[0] = tcp_connect(port);
	fds[1] = tcp_accept(listener);
	close(listener);
}

void process_start(struct process *process, const char *format, ...)
{
	char command[4096];
	int input[2], output[2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (pipe(input) || pipe(output))
		bail("pipe: %s", strerror(errno));
	process->pid = fork();
	if (!process->pid) {
		setpgid(0, 0);
		dup2(input[0], 0);
		dup2(output[1], 1);
		dup2(output[1], 2);
		for (int fd = 3; fd < 256; fd++)
			close(fd);
		if (!chdir(in_certificates(".")))
			execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	process->input = input[1];
	process->output = output[0];
	setpgid(process->pid, process->pid);
}

int process_says(struct process *process, const char *text)
{
	struct pollfd waiting = { .fd = process->output, .events = POLLIN };
	char said[65536] = "";
	size_t used = 0;
	ssize_t n;

	while (poll(&waiting, 1, 10000) == 1) {
		n = read(process->output, said + used, sizeof(said) - 1 - used);
		if (n <= 0)
			break;
		used += n;
		said[used] = '\0';
		if (strstr(said, text))
			return 1;
	}
	note("the peer said: %.300s", said);
	return 0;
}

void process_stop(struct process *process)
{
	close(process->input);
	close(process->output);
	kill(-process->pid, SIGKILL);
	waitpid(process->pid, NULL, 0);
}

unsigned int open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned int count = 0;

	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}
