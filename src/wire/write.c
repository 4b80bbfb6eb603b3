// SPDX-License-Identifier: MIT
/* write.c -- the bodies of RESULT messages, written front to back.
 *
 *   Rows:  [int 2] metadata [int row count] row count * column count * [value]
 *   metadata:  [int flags][int column count][bytes paging state]?[short bytes metadata id]?
 *              [string keyspace][string table]?  column count * column
 *   column:    [string keyspace][string table]? [string name][option type]
 *
 * The paging state is known only behind the last row; it is then moved in at its place. */
#include "wire/metadata.h"

static corm_bytes bytes_of(corm_str text) {
    return (corm_bytes){ (const uint8_t *)text.data, text.len };
}

void wire__put_short_bytes(base_buf *out, corm_bytes bytes) {
    size_t len = bytes.len > UINT16_MAX ? UINT16_MAX : bytes.len;
    base__buf_u16(out, (uint16_t)len);
    base__buf_put(out, bytes.data, len);
}

void wire__put_string(base_buf *out, corm_str text) {
    wire__put_short_bytes(out, bytes_of(text));
}

static void put_word(base_buf *out, const char *word) {
    wire__put_string(out, corm_str_of(word));
}

void wire__put_void(base_buf *body) {
    base__buf_i32(body, WIRE_VOID);
}

void wire__put_set_keyspace(base_buf *body, corm_str keyspace) {
    base__buf_i32(body, WIRE_SET_KEYSPACE);
    wire__put_string(body, keyspace);
}

void wire__put_schema_change(base_buf *body, const char *change, const char *target,
                             corm_str keyspace, corm_str name) {
    base__buf_i32(body, WIRE_SCHEMA_CHANGE);
    put_word(body, change);
    put_word(body, target);
    wire__put_string(body, keyspace);
    if (strcmp(target, "KEYSPACE") != 0) wire__put_string(body, name);
}

bool wire__same_table(const cql_result_column *columns, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        if (!corm_str_equal(columns[i].table, columns[0].table) ||
            !corm_str_equal(columns[i].keyspace, columns[0].keyspace)) {
            return false;
        }
    }
    return count > 0;
}

void wire__put_columns(base_buf *out, const cql_result_column *columns, uint32_t count, bool global,
                       uint8_t version) {
    if (global) {
        wire__put_string(out, columns[0].keyspace);
        wire__put_string(out, columns[0].table);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!global) {
            wire__put_string(out, columns[i].keyspace);
            wire__put_string(out, columns[i].table);
        }
        wire__put_string(out, columns[i].name);
        cql__type_write_option(columns[i].type, version, out);
    }
}

void wire__rows_begin(wire_rows_writer *writer, base_buf *body, const cql_result_column *columns,
                      uint32_t count, bool skip_metadata, uint8_t version) {
    bool    global = !skip_metadata && wire__same_table(columns, count);
    int32_t flags = (global ? WIRE_GLOBAL_TABLE_SPEC : 0) | (skip_metadata ? WIRE_NO_METADATA : 0);
    base__buf_i32(body, WIRE_ROWS);
    *writer = (wire_rows_writer){ .body = body, .flags_at = body->len };
    base__buf_i32(body, flags);
    base__buf_i32(body, (int32_t)count);
    if (!skip_metadata) wire__put_columns(body, columns, count, global, version);
    writer->count_at = body->len;
    base__buf_i32(body, 0);
}

/* Makes a gap of `len` bytes behind the metadata's column count. */
static uint8_t *open_gap(wire_rows_writer *writer, size_t len) {
    base_buf *body = writer->body;
    size_t    at = writer->flags_at + 8;
    if (!base__buf_grow(body, len)) return NULL;
    memmove(body->data + at + len, body->data + at, body->len - len - at);
    writer->count_at += len;
    return body->data + at;
}

static void add_flag(wire_rows_writer *writer, uint32_t flag) {
    uint8_t *flags = writer->body->data + writer->flags_at;
    base__store_u32(flags, base__load_u32(flags) | flag);
}

void wire__rows_changed(wire_rows_writer *writer, corm_bytes metadata_id) {
    size_t   len = metadata_id.len > UINT16_MAX ? UINT16_MAX : metadata_id.len;
    uint8_t *gap = open_gap(writer, 2 + len);
    if (!gap) return;
    base__store_u16(gap, (uint16_t)len);
    if (len > 0) memcpy(gap + 2, metadata_id.data, len);
    add_flag(writer, WIRE_METADATA_CHANGED);
}

void wire__rows_end(wire_rows_writer *writer, corm_bytes paging_state) {
    if (paging_state.data) {
        uint8_t *gap = open_gap(writer, 4 + paging_state.len);
        if (!gap) return;
        base__store_u32(gap, (uint32_t)paging_state.len);
        memcpy(gap + 4, paging_state.data, paging_state.len);
        add_flag(writer, WIRE_HAS_MORE_PAGES);
    }
    base__buf_set_i32(writer->body, writer->count_at, (int32_t)writer->rows);
}

/* The metadata of the bind markers; the primary key's indexes are there since v4. */
static void put_markers(base_buf *body, const cql_marker *markers, uint32_t count,
                        const uint16_t *partition_markers, uint32_t partition_count,
                        uint8_t version) {
    bool global = count > 0;
    for (uint32_t i = 1; i < count && global; i++) {
        global = corm_str_equal(markers[i].table, markers[0].table) &&
                 corm_str_equal(markers[i].keyspace, markers[0].keyspace);
    }
    base__buf_i32(body, global ? WIRE_GLOBAL_TABLE_SPEC : 0);
    base__buf_i32(body, (int32_t)count);
    if (version < 4) partition_count = 0;
    if (version >= 4) base__buf_i32(body, (int32_t)partition_count);
    for (uint32_t i = 0; i < partition_count; i++) base__buf_u16(body, partition_markers[i]);
    for (uint32_t i = 0; i < count; i++) {
        if (!global || i == 0) {
            wire__put_string(body, markers[i].keyspace);
            wire__put_string(body, markers[i].table);
        }
        wire__put_string(body, markers[i].name);
        cql__type_write_option(markers[i].type, version, body);
    }
}

void wire__put_prepared(base_buf *body, corm_bytes id, corm_bytes metadata_id,
                        const cql_marker *markers, uint32_t marker_count,
                        const uint16_t *partition_markers, uint32_t partition_marker_count,
                        const cql_result_column *columns, uint32_t column_count, uint8_t version) {
    base__buf_i32(body, WIRE_PREPARED);
    wire__put_short_bytes(body, id);
    if (version >= 5) wire__put_short_bytes(body, metadata_id);
    put_markers(body, markers, marker_count, partition_markers, partition_marker_count, version);
    bool    global = wire__same_table(columns, column_count);
    int32_t flags = column_count == 0 ? WIRE_NO_METADATA : global ? WIRE_GLOBAL_TABLE_SPEC : 0;
    base__buf_i32(body, flags);
    base__buf_i32(body, (int32_t)column_count);
    wire__put_columns(body, columns, column_count, global, version);
}
