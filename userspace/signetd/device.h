/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /dev/signet: where the module's requests come from. */
#ifndef SIGNETD_DEVICE_H
#define SIGNETD_DEVICE_H

/**
 * device_open - open it, and see that the module speaks this program's protocol
 *
 * The log says why not.
 *
 * Return: a descriptor, non-blocking; or -1.
 */
int device_open(void);

#endif
