/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two connected non-blocking sockets: of AF_UNIX, which is memory and nothing else, or TCP's. */
#ifndef SIGNET_BENCH_LINK_H
#define SIGNET_BENCH_LINK_H

#include "trial.h"

/* More than a handshake takes, also where a segment is late. */
#define STEPS_MAX 10000

struct link {
	int client;
	int server;
};

void link_open(struct link *link, enum wire wire);
void link_close(struct link *link);

#endif
