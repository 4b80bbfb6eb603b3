// SPDX-License-Identifier: MIT
/* virtual_row.c -- values of a virtual table's row in wire form. Thread: the reader's. */
#include "engine/virtual.h"

#include <stdlib.h>

#include "base/text.h"

void virtual__set(virtual_row *row, const char *column, cql_value value) {
    const cql_column *found = cql__table_column(row->table, corm_str_of(column));
    if (found) row->values[found->index] = value;
}

static void set_copy(virtual_row *row, const char *column, const void *data, size_t len) {
    const uint8_t *copy = base__arena_copy(row->request->arena, data, len);
    if (!copy) row->failed = true;
    virtual__set(row, column, (cql_value){ copy, (int32_t)len });
}

void virtual__set_text(virtual_row *row, const char *column, corm_str text) {
    set_copy(row, column, text.data, text.len);
}

void virtual__set_int(virtual_row *row, const char *column, int32_t value) {
    uint8_t bytes[4];
    base__store_u32(bytes, (uint32_t)value);
    set_copy(row, column, bytes, sizeof bytes);
}

void virtual__set_bigint(virtual_row *row, const char *column, int64_t value) {
    uint8_t bytes[8];
    base__store_u64(bytes, (uint64_t)value);
    set_copy(row, column, bytes, sizeof bytes);
}

void virtual__set_double(virtual_row *row, const char *column, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    virtual__set_bigint(row, column, (int64_t)bits);
}

void virtual__set_bool(virtual_row *row, const char *column, bool value) {
    uint8_t byte = value;
    set_copy(row, column, &byte, 1);
}

void virtual__set_uuid(virtual_row *row, const char *column, corm_uuid value) {
    set_copy(row, column, value.bytes, sizeof value.bytes);
}

void virtual__set_buf(virtual_row *row, const char *column, base_buf *buf) {
    if (buf->failed) {
        row->failed = true;
    } else {
        set_copy(row, column, buf->data, buf->len);
    }
    base__buf_free(buf);
}

/* ---- collections ---- */

static cql_value text_value(corm_str text) {
    return (cql_value){ (const uint8_t *)text.data, (int32_t)text.len };
}

void virtual__set_texts(virtual_row *row, const char *column, const corm_str *texts,
                        uint32_t count) {
    const cql_column *found = cql__table_column(row->table, corm_str_of(column));
    base_buf          buf = { 0 };
    cql_pack          pack;
    if (!found) return;
    cql__pack_begin(&pack, found->type, &buf);
    for (uint32_t i = 0; i < count; i++) cql__pack_item(&pack, text_value(texts[i]));
    cql__pack_end(&pack);
    virtual__set_buf(row, column, &buf);
}

static int compare_pairs(const void *a, const void *b) {
    return base__str_compare(*(const corm_str *)a, *(const corm_str *)b);
}

void virtual__set_pairs(virtual_row *row, const char *column, const corm_str *pairs,
                        uint32_t count) {
    corm_str *sorted = base__arena_copy(row->request->arena, pairs, count * 2 * sizeof *pairs);
    if (!sorted) {
        row->failed = true;
        return;
    }
    qsort(sorted, count, 2 * sizeof *sorted, compare_pairs);
    virtual__set_texts(row, column, sorted, count * 2);
}

/* ---- rows ---- */

static void begin(virtual_row *row) {
    for (uint32_t i = 0; i < row->table->column_count; i++) row->values[i] = CQL_NULL;
}

corm_status virtual__emit(virtual_row *row, corm_error *err) {
    if (row->failed) return base__fail_memory(err);
    CORM_TRY(row->emit(row->context, row->values, err));
    begin(row);
    return CORM_OK;
}
