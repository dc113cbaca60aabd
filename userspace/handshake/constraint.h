/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Name constraints (RFC 5280 4.2.1.10). */
#ifndef SIGNET_HANDSHAKE_CONSTRAINT_H
#define SIGNET_HANDSHAKE_CONSTRAINT_H

#include "der.h"
#include "fault.h"

struct signet_certificate;

/* Whether the content of GeneralSubtrees keeps to the RFC; empty for none. */
bool signet_constraint_is_good(struct signet_der subtrees);

/**
 * signet_constraint_check - whether one certificate's constraints allow another one's names
 * @authority:	whose name constraints count; may have none
 * @certificate: below it
 * @budget:	comparisons that are left, counted down
 *
 * A constraint of a kind that is not known here refuses every name of that kind.
 *
 * Return: what is wrong with @certificate, NULL for nothing.
 */
const struct signet_fault *signet_constraint_check(const struct signet_certificate *authority,
						   const struct signet_certificate *certificate,
						   unsigned int *budget);

#endif
