// SPDX-License-Identifier: MIT
#include "table.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void table_make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			*text = '?';
}

void table_begin(struct table *table, size_t columns)
{
	*table = (struct table){ .columns = columns };
}

void table_add(struct table *table, const char *text)
{
	if (table->used == table->room) {
		table->room = table->room * 2 + table->columns;
		table->cells = reallocarray(table->cells, table->room, sizeof(*table->cells));
		if (!table->cells)
			err(1, "out of memory");
	}
	table->cells[table->used] = strdup(*text ? text : "-");
	if (!table->cells[table->used])
		err(1, "out of memory");
	table_make_printable(table->cells[table->used++]);
}

static int width_of(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->used; i += table->columns)
		if (strlen(table->cells[i]) > width)
			width = strlen(table->cells[i]);
	return width;
}

void table_end(struct table *table)
{
	int *widths = calloc(table->columns, sizeof(*widths));

	if (!widths)
		err(1, "out of memory");
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = width_of(table, i);
	for (size_t i = 0; i < table->used; i++) {
		size_t column = i % table->columns;

		/* Nothing is padded at the end of a line. */
		if (column + 1 == table->columns)
			printf("%s\n", table->cells[i]);
		else
			printf("%-*s  ", widths[column], table->cells[i]);
		free(table->cells[i]);
	}
	free(table->cells);
	free(widths);
}
