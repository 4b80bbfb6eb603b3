// SPDX-License-Identifier: MIT
/* table.h -- rows of texts as cqlsh lays them out, and names in columns. Pure. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/arena.h"
#include "base/buf.h"

/* Cells are row by row, `columns` each. Widths may be NULL; given, they are kept from page to page (zero at first). */
typedef struct cli_table {
    uint32_t        columns;
    const corm_str *names;
    const corm_str *cells;
    uint32_t        rows;
    uint32_t       *widths; /* one for each column */
} cli_table;

/* Columns on a terminal that the text takes. */
uint32_t cli__width(corm_str text);

/* Names and a rule below. */
void cli__table_head(const cli_table *table, base_buf *out);
void cli__table_rows(const cli_table *table, base_buf *out);
/* Makes each width as large as the names and cells need. */
void cli__table_measure(const cli_table *table);

/* Each row as lines "name | value" below "@ Row N"; `before` counts the rows of earlier pages. */
void cli__table_expanded(const cli_table *table, uint64_t before, base_buf *out);

/* Names below each other in as many columns as fit `width`, as Python's columnize. */
void cli__columnize(const corm_str *names, uint32_t count, uint32_t width, base_buf *out);

#endif
