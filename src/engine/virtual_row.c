// SPDX-License-Identifier: MIT
/* virtual_row.c -- values of a virtual table's row in wire form. Thread: the reader's. */
#include "engine/virtual.h"

#include <stdarg.h>
#include <stdio.h>
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

void virtual__set_address(virtual_row *row, const char *column, const corm_inet *address) {
    set_copy(row, column, address->bytes, address->length);
}

void virtual__set_printed(virtual_row *row, const char *column, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int   len = vsnprintf(NULL, 0, format, args);
    char *text = base__arena_alloc(row->request->arena, (size_t)(len < 0 ? 0 : len) + 1);
    if (text && len >= 0)
        virtual__set(
            row, column,
            (cql_value){ (uint8_t *)text, vsnprintf(text, (size_t)len + 1, format, again) });
    else
        row->failed = true;
    va_end(again);
    va_end(args);
}

void virtual__set_table(virtual_row *row, const cql_table *table) {
    virtual__set_text(row, "keyspace_name", table->keyspace);
    virtual__set_text(row, "table_name", table->name);
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

corm_status virtual__wanted(virtual_row *row, bool *out, corm_error *err) {
    if (row->failed) return base__fail_memory(err);
    return row->wanted(row->context, row->values, out, err);
}

corm_status virtual__each_stored(virtual_row *row, const cql_schema *schema, virtual_each each,
                                 corm_error *err) {
    for (uint32_t i = 0; i < schema->keyspace_count; i++) {
        const cql_keyspace *keyspace = schema->keyspaces[i];
        for (uint32_t j = 0; !keyspace->is_virtual && j < keyspace->table_count; j++)
            CORM_TRY(each(row, keyspace->tables[j], err));
    }
    return CORM_OK;
}

static void begin(virtual_row *row) {
    for (uint32_t i = 0; i < row->table->column_count; i++) row->values[i] = CQL_NULL;
}

corm_status virtual__emit(virtual_row *row, corm_error *err) {
    if (row->failed) return base__fail_memory(err);
    CORM_TRY(row->emit(row->context, row->values, err));
    begin(row);
    return CORM_OK;
}
