/* SPDX-License-Identifier: MIT */
/* Columns of text, as wide as they have to be. */
#ifndef SIGNETCTL_TABLE_H
#define SIGNETCTL_TABLE_H

#include <stddef.h>

struct table {
	char **cells;
	size_t columns;
	size_t used;
	size_t room;
};

void table_begin(struct table *table, size_t columns);

/* Adds a cell, row by row; "" is shown as "-". What a terminal would obey is shown as "?". */
void table_add(struct table *table, const char *text);

/* Prints all, and frees it. */
void table_end(struct table *table);

/* Replaces what a terminal would obey. Names and texts may be a peer's. */
void table_make_printable(char *text);

#endif
