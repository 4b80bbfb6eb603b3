// SPDX-License-Identifier: MIT
/* table.c -- see table.h. */
#include "cli/table.h"

#include <utf8proc.h>

#include "base/text.h"

uint32_t cli__width(corm_str text) {
    uint32_t         width = 0;
    utf8proc_int32_t rune;
    utf8proc_ssize_t len = (utf8proc_ssize_t)text.len, used;
    const uint8_t   *at = (const uint8_t *)text.data;
    for (; len > 0; at += used, len -= used) {
        used = utf8proc_iterate(at, len, &rune);
        if (used <= 0) {
            used = 1;
            width++;
            continue;
        }
        int columns = utf8proc_charwidth(rune);
        if (columns > 0) width += (uint32_t)columns;
    }
    return width;
}

static void pad(uint32_t count, char with, base_buf *out) {
    for (uint32_t i = 0; i < count; i++) base__buf_u8(out, (uint8_t)with);
}

static void put_left(corm_str text, uint32_t width, base_buf *out) {
    uint32_t own = cli__width(text);
    base__buf_put_str(out, text);
    if (own < width) pad(width - own, ' ', out);
}

static void put_right(corm_str text, uint32_t width, base_buf *out) {
    uint32_t own = cli__width(text);
    if (own < width) pad(width - own, ' ', out);
    base__buf_put_str(out, text);
}

void cli__table_measure(const cli_table *table) {
    for (uint32_t i = 0; i < table->columns; i++) {
        uint32_t own = cli__width(table->names[i]);
        if (own > table->widths[i]) table->widths[i] = own;
    }
    for (size_t i = 0; i < (size_t)table->rows * table->columns; i++) {
        uint32_t own = cli__width(table->cells[i]);
        if (own > table->widths[i % table->columns]) table->widths[i % table->columns] = own;
    }
}

void cli__table_head(const cli_table *table, base_buf *out) {
    for (uint32_t i = 0; i < table->columns; i++) {
        bool last = i + 1 == table->columns;
        base__buf_puts(out, i ? " | " : " ");
        put_left(table->names[i], last ? 0 : table->widths[i], out);
    }
    base__buf_puts(out, "\n");
    for (uint32_t i = 0; i < table->columns; i++) {
        base__buf_puts(out, i ? "-+-" : "-");
        pad(table->widths[i], '-', out);
    }
    base__buf_puts(out, "-\n");
}

void cli__table_rows(const cli_table *table, base_buf *out) {
    const corm_str *cell = table->cells;
    for (uint32_t row = 0; row < table->rows; row++) {
        for (uint32_t i = 0; i < table->columns; i++) {
            base__buf_puts(out, i ? " | " : " ");
            put_right(*cell++, table->widths[i], out);
        }
        base__buf_puts(out, "\n");
    }
}

void cli__table_expanded(const cli_table *table, uint64_t before, base_buf *out) {
    uint32_t        name_width = 0, value_width = 0;
    const corm_str *cell = table->cells;
    for (uint32_t i = 0; i < table->columns; i++) {
        uint32_t own = cli__width(table->names[i]);
        if (own > name_width) name_width = own;
    }
    for (size_t i = 0; i < (size_t)table->rows * table->columns; i++) {
        uint32_t own = cli__width(table->cells[i]);
        if (own > value_width) value_width = own;
    }
    for (uint32_t row = 0; row < table->rows; row++) {
        base__buf_printf(out, "@ Row %llu\n-", (unsigned long long)(before + row + 1));
        pad(name_width, '-', out);
        base__buf_puts(out, "-+-");
        pad(value_width, '-', out);
        base__buf_puts(out, "-\n");
        for (uint32_t i = 0; i < table->columns; i++) {
            base__buf_puts(out, " ");
            put_left(table->names[i], name_width, out);
            base__buf_puts(out, " | ");
            base__buf_put_str(out, *cell++);
            base__buf_puts(out, "\n");
        }
        base__buf_puts(out, "\n");
    }
}

/* The width of all columns when there are `lines` lines; names go down each column first. */
static uint32_t laid_out(const corm_str *names, uint32_t count, uint32_t lines, uint32_t *widths) {
    uint32_t total = 0, column = 0;
    for (uint32_t first = 0; first < count; first += lines, column++) {
        uint32_t widest = 0;
        for (uint32_t i = first; i < count && i < first + lines; i++) {
            uint32_t own = cli__width(names[i]);
            if (own > widest) widest = own;
        }
        if (column < 64) widths[column] = widest;
        total += widest + (first ? 2 : 0);
    }
    return column > 64 ? UINT32_MAX : total;
}

void cli__columnize(const corm_str *names, uint32_t count, uint32_t width, base_buf *out) {
    uint32_t widths[64] = { 0 };
    uint32_t lines = 1;
    if (!count) {
        base__buf_puts(out, "<empty>\n");
        return;
    }
    while (lines < count && laid_out(names, count, lines, widths) > width) lines++;
    laid_out(names, count, lines, widths);
    for (uint32_t line = 0; line < lines; line++) {
        for (uint32_t i = line, column = 0; i < count; i += lines, column++) {
            bool last = i + lines >= count;
            put_left(names[i], last ? 0 : widths[column], out);
            if (!last) base__buf_puts(out, "  ");
        }
        base__buf_puts(out, "\n");
    }
}
