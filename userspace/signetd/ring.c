// SPDX-License-Identifier: GPL-3.0-or-later
#include "ring.h"

#define RING_ENTRIES 256
#define COMPLETIONS 4096

/*
 * A ring runs what it is told beside the filter of system calls: so nothing but polls can be asked
 * of this one.
 */
static int restrict_ring(struct io_uring *ring)
{
	struct io_uring_restriction restrictions[] = {
		{ .opcode = IORING_RESTRICTION_REGISTER_OP,
		  .register_op = IORING_REGISTER_ENABLE_RINGS },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_POLL_ADD },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_POLL_REMOVE },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED },
	};

	return io_uring_register_restrictions(ring, restrictions,
					      sizeof(restrictions) / sizeof(restrictions[0]));
}

int ring_begin(struct io_uring *ring)
{
	struct io_uring_params parameters = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED |
			 IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		.cq_entries = COMPLETIONS,
	};
	int ret;

	ret = io_uring_queue_init_params(RING_ENTRIES, ring, &parameters);
	if (ret)
		return ret;
	ret = restrict_ring(ring);
	if (ret)
		io_uring_queue_exit(ring);
	return ret;
}
