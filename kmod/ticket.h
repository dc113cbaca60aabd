/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NewSessionTickets that a client keeps for whoever wants to resume.
 */
#ifndef _SIGNET_TICKET_H
#define _SIGNET_TICKET_H

#include <linux/list.h>
#include <linux/types.h>

struct signet_context;
struct signet_rx;

/**
 * struct signet_ticket - one ticket
 * @node:	in struct signet_rx's tickets
 * @len:	bytes of @body
 * @body:	the NewSessionTicket message without its header (RFC 8446 4.6.1)
 */
struct signet_ticket {
	struct list_head node;
	unsigned int len;
	u8 body[];
};

/* Room for a ticket of @len bytes, or NULL without memory or for one too long to keep. */
struct signet_ticket *signet_ticket_new(unsigned int len);

/*
 * Keeps a complete ticket, or gives it to the helper that completed the handshake; the
 * oldest makes room. Takes it over. Context: process, under the socket lock.
 */
void signet_ticket_keep(struct signet_context *ctx, struct signet_ticket *ticket);

/* The oldest ticket, which is now the caller's to kfree(), or NULL. */
struct signet_ticket *signet_ticket_take(struct signet_rx *rx);

/* Puts a ticket that was taken back to where it was. */
void signet_ticket_give_back(struct signet_rx *rx, struct signet_ticket *ticket);

/* Frees all that are kept. */
void signet_ticket_free_all(struct signet_rx *rx);

#endif /* _SIGNET_TICKET_H */
