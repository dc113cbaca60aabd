/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/signet, by which helpers serve handshakes.
 */
#ifndef _SIGNET_HELPER_H
#define _SIGNET_HELPER_H

int signet_helper_init(void);
void signet_helper_exit(void);

#endif /* _SIGNET_HELPER_H */
