/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SIGNETD_VERSION_H
#define SIGNETD_VERSION_H

#define SIGNETD_VERSION "0.1.0"

#endif
