// SPDX-License-Identifier: GPL-2.0-only
#include "ticket.h"

#include <linux/slab.h>

#include "context.h"
#include "session.h"
#include "upcall.h"

struct signet_ticket *signet_ticket_new(unsigned int len)
{
	struct signet_ticket *ticket;

	if (len > SIGNET_TICKET_MAX)
		return NULL;
	ticket = kmalloc(struct_size(ticket, body, len), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (ticket)
		ticket->len = len;
	return ticket;
}

void signet_ticket_keep(struct signet_context *ctx, struct signet_ticket *ticket)
{
	struct signet_rx *rx = &ctx->rx;

	if (ctx->session && ctx->session->resumption_len) {
		signet_upcall_queue_ticket(ctx->session, ticket);
		return;
	}
	if (rx->ticket_count == SIGNET_TICKETS_KEPT)
		kfree(signet_ticket_take(rx));
	list_add_tail(&ticket->node, &rx->tickets);
	rx->ticket_count++;
}

struct signet_ticket *signet_ticket_take(struct signet_rx *rx)
{
	struct signet_ticket *ticket;

	ticket = list_first_entry_or_null(&rx->tickets, struct signet_ticket, node);
	if (ticket) {
		list_del(&ticket->node);
		rx->ticket_count--;
	}
	return ticket;
}

void signet_ticket_give_back(struct signet_rx *rx, struct signet_ticket *ticket)
{
	if (rx->ticket_count == SIGNET_TICKETS_KEPT) {
		kfree(ticket);
		return;
	}
	list_add(&ticket->node, &rx->tickets);
	rx->ticket_count++;
}

void signet_ticket_free_all(struct signet_rx *rx)
{
	struct signet_ticket *ticket;

	while ((ticket = signet_ticket_take(rx)))
		kfree(ticket);
}
