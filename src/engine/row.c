// SPDX-License-Identifier: MIT
/* row.c -- a stored row's bytes to its image and back. Layout: row.h. Thread: the writer's. */
#include "engine/row.h"

#include "base/fail.h"
#include "base/text.h"
#include "engine/row_bytes.h"

corm_status engine__row_damaged(const cql_table *table, corm_error *err) {
    return base__fail(err, CORM_CORRUPT, "a stored row of %.*s.%.*s is damaged",
                      (int)table->keyspace.len, table->keyspace.data, (int)table->name.len,
                      table->name.data);
}

/* ---- scanning ---- */

void engine__scan_head(row_scan *scan, uint32_t clustering_count, cql_value *clustering,
                       row_head *out) {
    out->flags = scan_u8(scan);
    out->base = scan_i64(scan);
    for (uint32_t i = 0; i < clustering_count; i++) {
        uint64_t   length = scan_uvarint(scan);
        corm_bytes bytes = scan_bytes(scan, length ? length - 1 : 0);
        if (clustering) clustering[i] = length ? cql__value_of(bytes) : CQL_NULL;
    }
    out->liveness = (engine_cell){ .timestamp = out->base };
    if ((out->flags & ROW_LIVENESS) && scan_u8(scan) == 0) out->liveness.timestamp = scan_i64(scan);
    if (out->flags & ROW_LIVENESS_EXPIRES) {
        out->liveness.ttl = (uint32_t)scan_uvarint(scan);
        out->liveness.expires = (uint32_t)scan_uvarint(scan);
        out->liveness.tombstone = out->liveness.ttl && (out->flags & ROW_LIVENESS_TOLD);
    }
    out->deleted_at = ENGINE_NO_TIMESTAMP;
    out->deleted_local = 0;
    if (out->flags & ROW_DELETION) {
        out->deleted_at = scan_i64(scan);
        out->deleted_local = (uint32_t)scan_uvarint(scan);
    }
    out->column_count = (uint32_t)scan_uvarint(scan);
}

void engine__scan_complex(row_scan *body, row_complex *out) {
    *out = (row_complex){ .deleted_at = ENGINE_NO_TIMESTAMP };
    if (scan_u8(body)) {
        out->deleted_at = scan_i64(body);
        out->deleted_local = (uint32_t)scan_uvarint(body);
    }
    uint64_t count = scan_uvarint(body);
    if (count > (uint64_t)(body->end - body->at)) body->bad = true;
    out->cell_count = body->bad ? 0 : (uint32_t)count;
}

void engine__scan_cell(row_scan *body, int64_t base, bool has_path, engine_cell *out) {
    uint8_t flags = scan_u8(body);
    *out = (engine_cell){ .timestamp = base };
    out->tombstone = flags & CELL_TOMBSTONE;
    if (!(flags & CELL_BASE_TIMESTAMP)) out->timestamp = scan_i64(body);
    if (flags & CELL_EXPIRES) out->ttl = (uint32_t)scan_uvarint(body);
    if (flags & (CELL_EXPIRES | CELL_TOMBSTONE)) out->expires = (uint32_t)scan_uvarint(body);
    if (has_path) out->path = scan_bytes(body, scan_uvarint(body));
    out->value.data = body->at;
    if (!(flags & (CELL_EMPTY | CELL_TOMBSTONE))) out->value = scan_bytes(body, scan_uvarint(body));
}

/* ---- decoding ---- */

static bool decode_column(row_scan *scan, int64_t base, base_arena *arena,
                          engine_column_image *out) {
    row_column  column;
    row_complex complex = { .deleted_at = ENGINE_NO_TIMESTAMP, .cell_count = 1 };
    scan_column(scan, &column);
    if (column.is_complex) engine__scan_complex(&column.body, &complex);

    out->id = column.id;
    out->is_complex = column.is_complex;
    out->deleted_at = complex.deleted_at;
    out->deleted_local = complex.deleted_local;
    out->cell_count = out->cell_capacity = complex.cell_count;
    out->cells = BASE_NEW_ARRAY(arena, engine_cell, complex.cell_count);
    if (!out->cells) return false;
    for (uint32_t i = 0; i < complex.cell_count; i++)
        engine__scan_cell(&column.body, base, column.is_complex, &out->cells[i]);
    if (column.body.bad || column.body.at != column.body.end) scan->bad = true;
    return true;
}

corm_status engine__row_decode(const cql_table *table, bool is_static, corm_bytes bytes,
                               base_arena *arena, engine_row *out, corm_error *err) {
    row_scan scan = { bytes.data, bytes.data + bytes.len, false };
    row_head head;
    memset(out, 0, sizeof *out);
    out->clustering_count = is_static ? 0 : table->clustering_count;
    out->clustering = BASE_NEW_ARRAY(arena, cql_value, out->clustering_count);
    if (!out->clustering) return base__fail_memory(err);
    engine__scan_head(&scan, out->clustering_count, out->clustering, &head);
    if (scan.bad || head.column_count > (size_t)(scan.end - scan.at))
        return engine__row_damaged(table, err);

    out->has_liveness = head.flags & ROW_LIVENESS;
    out->liveness = head.liveness;
    out->deleted_at = head.deleted_at;
    out->deleted_local = head.deleted_local;
    out->column_count = out->column_capacity = head.column_count;
    out->columns = BASE_NEW_ARRAY(arena, engine_column_image, head.column_count);
    if (!out->columns) return base__fail_memory(err);
    for (uint32_t i = 0; i < out->column_count; i++)
        if (!decode_column(&scan, head.base, arena, &out->columns[i]))
            return base__fail_memory(err);
    if (scan.bad || scan.at != scan.end) return engine__row_damaged(table, err);
    return CORM_OK;
}

/* ---- encoding ---- */

static void put_cell(const engine_cell *cell, int64_t base, bool has_path, base_buf *out) {
    bool    empty = cell->value.len == 0;
    uint8_t flags =
        (uint8_t)((cell->timestamp == base ? CELL_BASE_TIMESTAMP : 0) |
                  (cell->tombstone ? CELL_TOMBSTONE : 0) |
                  (cell->ttl && !cell->tombstone ? CELL_EXPIRES : 0) | (empty ? CELL_EMPTY : 0));
    base__buf_u8(out, flags);
    if (!(flags & CELL_BASE_TIMESTAMP)) base__buf_i64(out, cell->timestamp);
    if (flags & CELL_EXPIRES) base__buf_uvarint(out, cell->ttl);
    if (flags & (CELL_EXPIRES | CELL_TOMBSTONE)) base__buf_uvarint(out, cell->expires);
    if (has_path) {
        base__buf_uvarint(out, cell->path.len);
        base__buf_put(out, cell->path.data, cell->path.len);
    }
    if (flags & (CELL_EMPTY | CELL_TOMBSTONE)) return;
    base__buf_uvarint(out, cell->value.len);
    base__buf_put(out, cell->value.data, cell->value.len);
}

static void put_cells(const engine_column_image *column, int64_t base, base_buf *out) {
    if (column->is_complex) {
        bool deleted = column->deleted_at != ENGINE_NO_TIMESTAMP;
        base__buf_u8(out, deleted);
        if (deleted) {
            base__buf_i64(out, column->deleted_at);
            base__buf_uvarint(out, column->deleted_local);
        }
        base__buf_uvarint(out, column->cell_count);
    }
    for (uint32_t i = 0; i < column->cell_count; i++)
        put_cell(&column->cells[i], base, column->is_complex, out);
}

static size_t uvarint_size(size_t value) {
    size_t size = 1;
    while (value >>= 7) size++;
    return size;
}

/* The length stands before the body: the body is written first and moved behind it. */
static void put_column(const engine_column_image *column, int64_t base, base_buf *out) {
    base__buf_uvarint(out, column->id);
    base__buf_u8(out, column->is_complex ? COLUMN_COMPLEX : COLUMN_SIMPLE);
    size_t at = out->len;
    put_cells(column, base, out);
    size_t body = out->len - at, length = uvarint_size(body);
    if (!base__buf_grow(out, length)) return;
    memmove(out->data + at + length, out->data + at, body);
    out->len = at;
    base__buf_uvarint(out, body);
    out->len += body;
}

static bool holds_something(const engine_column_image *column) {
    return column->cell_count > 0 ||
           (column->is_complex && column->deleted_at != ENGINE_NO_TIMESTAMP);
}

/* The timestamp that most of a row usually shares. */
static int64_t base_timestamp(const engine_row *row) {
    if (row->has_liveness) return row->liveness.timestamp;
    for (uint32_t i = 0; i < row->column_count; i++)
        if (row->columns[i].cell_count) return row->columns[i].cells[0].timestamp;
    return 0;
}

static void put_head(const cql_table *table, const engine_row *row, int64_t base, base_buf *out) {
    bool expires = row->has_liveness && row->liveness.ttl;
    bool deleted = row->deleted_at != ENGINE_NO_TIMESTAMP;
    base__buf_u8(out,
                 (uint8_t)((row->has_liveness ? ROW_LIVENESS : 0) |
                           (expires ? ROW_LIVENESS_EXPIRES : 0) | (deleted ? ROW_DELETION : 0) |
                           (table->is_counter ? ROW_COUNTER : 0) |
                           (expires && row->liveness.tombstone ? ROW_LIVENESS_TOLD : 0)));
    base__buf_i64(out, base);
    for (uint32_t i = 0; i < row->clustering_count; i++) {
        cql_value value = row->clustering[i];
        base__buf_uvarint(out, cql__is_null(value) ? 0 : (uint64_t)value.len + 1);
        if (!cql__is_null(value)) base__buf_put(out, value.data, (size_t)value.len);
    }
    if (row->has_liveness) {
        base__buf_u8(out, row->liveness.timestamp == base);
        if (row->liveness.timestamp != base) base__buf_i64(out, row->liveness.timestamp);
    }
    if (expires) {
        base__buf_uvarint(out, row->liveness.ttl);
        base__buf_uvarint(out, row->liveness.expires);
    }
    if (deleted) {
        base__buf_i64(out, row->deleted_at);
        base__buf_uvarint(out, row->deleted_local);
    }
}

corm_status engine__row_encode(const cql_table *table, const engine_row *row, base_buf *out,
                               bool *empty, corm_error *err) {
    uint32_t columns = 0;
    for (uint32_t i = 0; i < row->column_count; i++) columns += holds_something(&row->columns[i]);
    *empty = !row->has_liveness && row->deleted_at == ENGINE_NO_TIMESTAMP && columns == 0;
    if (*empty) return CORM_OK;

    int64_t base = base_timestamp(row);
    put_head(table, row, base, out);
    base__buf_uvarint(out, columns);
    for (uint32_t i = 0; i < row->column_count; i++)
        if (holds_something(&row->columns[i])) put_column(&row->columns[i], base, out);
    return base__buf_status(out, err);
}

/* ---- reconciliation ---- */

bool engine__cell_wins(const engine_cell *a, const engine_cell *b) {
    if (a->timestamp != b->timestamp) return a->timestamp > b->timestamp;
    bool a_ends = a->tombstone || a->ttl, b_ends = b->tombstone || b->ttl;
    if (a_ends != b_ends) return a_ends;
    if (a->tombstone != b->tombstone) return a->tombstone;
    if (a_ends && a->expires != b->expires) return a->expires > b->expires;
    if (a->ttl != b->ttl) return a->ttl < b->ttl;
    return base__bytes_compare(a->value, b->value) > 0;
}
