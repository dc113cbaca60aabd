/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peers over loopback TCP: a thread with an engine, or a process of another implementation. */
#ifndef SIGNET_TESTS_PEER_H
#define SIGNET_TESTS_PEER_H

#include <stddef.h>
#include <sys/types.h>

#include <signet-handshake.h>

/* Connected TCP sockets: fds[0] has connected, fds[1] was accepted. */
void tcp_pair(int fds[2]);

/* Connects to a port of loopback, trying until something listens there. Return: the socket. */
int tcp_connect(unsigned int port);

/* Waits for one connection. Return: the socket. */
int tcp_accept(int listener);

/* Listens on loopback. Return: the socket; its port is put into @port. */
int tcp_listen(unsigned int *port);

/* A port of loopback that was free a moment ago. */
unsigned int free_port(void);

/**
 * struct process - a peer of another implementation
 * @pid:	its process, a group of its own
 * @input:	writes to its standard input
 * @output:	reads its standard output
 */
struct process {
	pid_t pid;
	int input;
	int output;
};

/* Starts a shell command in the certificates' directory. */
void process_start(struct process *process, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads its output until @text has come. Return: whether it has, within ten seconds. */
int process_says(struct process *process, const char *text);

/* Ends it. */
void process_stop(struct process *process);

/* How many descriptors this process has open. */
unsigned int open_descriptors(void);

#endif
