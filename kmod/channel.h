/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The channel: a helper's end of one handshake.
 */
#ifndef _SIGNET_CHANNEL_H
#define _SIGNET_CHANNEL_H

struct file;
struct signet_handshake;

/*
 * A file for a handshake that was taken from the queue, or an ERR_PTR. Takes the
 * caller's reference over on success.
 */
struct file *signet_channel_new(struct signet_handshake *handshake);

/* Undoes it before anybody has seen the file: the handshake goes back to the caller. */
void signet_channel_undo(struct file *file);

#endif /* _SIGNET_CHANNEL_H */
