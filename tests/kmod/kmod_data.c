// SPDX-License-Identifier: GPL-2.0-only
/*
 * Application data through every ordinary call, both ways.
 */
#include "fixture.h"

TLS_FIXTURE(data, link_up);
TLS_ALL_VARIANTS(data);

TEST_F(data, tx_one_byte)
{
	EXPECT_EQ(0, send_pattern(self->link.fd, 0, 1));
	EXPECT_EQ(0, peer_recv_pattern(&self->link, 0, 1));
}

TEST_F(data, rx_one_byte)
{
	EXPECT_EQ(0, peer_send_pattern(&self->link, 0, 1, 1));
	EXPECT_EQ(0, recv_pattern(self->link.fd, 0, 1));
}

TEST_HARNESS_MAIN
