/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker's thread asks the signer, and never waits for it. */
#ifndef SIGNETD_SIGNING_H
#define SIGNETD_SIGNING_H

#include "thread.h"

/* What the engine calls; it acts for the thread that has called signing_begin(). */
extern const struct signet_signer signing_signer;

/* In the thread itself. */
void signing_begin(struct thread *thread, int socket);

/* The socket has something to read: gives signatures to their handshakes and steps them. */
void signing_receive(struct thread *thread);

/* The socket has room again. */
void signing_send(struct thread *thread);

/* Forgets what an upcall waits for, as it ends. */
void signing_forget(struct thread *thread, struct upcall *upcall);

#endif
