/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The result of a handshake, given to the module. */
#ifndef SIGNETD_RESULT_H
#define SIGNETD_RESULT_H

#include "upcall.h"

/* The longest hand-over. */
#define RESULT_SIZE                                                                    \
	(sizeof(struct signet_handover) + 3 * SIGNET_STRING_MAX + SIGNET_SESSION_MAX + \
	 SIGNET_CHAIN_MAX)

/**
 * result_hand_over - make the upcall's socket ESTABLISHED
 * @upcall:	its handshake is complete
 * @buffer:	RESULT_SIZE bytes of memory for secrets; wiped again
 * @text:	why not, SIGNET_STRING_MAX + 1 bytes
 *
 * Return: 0 or an errno, positive.
 */
int result_hand_over(struct upcall *upcall, void *buffer, char *text);

#endif
