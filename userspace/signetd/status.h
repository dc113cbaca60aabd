/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the control socket's commands do and say. Each prints one object of JSON. */
#ifndef SIGNETD_STATUS_H
#define SIGNETD_STATUS_H

#include <stdbool.h>
#include <stdio.h>

struct supervisor;

bool status_print(struct supervisor *supervisor, FILE *out);
bool status_print_profiles(struct supervisor *supervisor, FILE *out);
bool status_print_failures(struct supervisor *supervisor, FILE *out);
/* Return: false when the new configuration is not in use. */
bool status_reload(struct supervisor *supervisor, FILE *out);
/* Every connection of the network namespace changes its keys; with a request, its peer's too. */
bool status_rekey(struct supervisor *supervisor, FILE *out);
bool status_rekey_request(struct supervisor *supervisor, FILE *out);
bool status_drain(struct supervisor *supervisor, FILE *out);

#endif
