// SPDX-License-Identifier: MIT
/* row_read.c -- column values straight from a stored row's bytes, without an image. Layout: row.h.
 * Thread: the reader's; values borrow from the bytes, assembled collections live in the arena. */
#include "base/fail.h"
#include "engine/row.h"
#include "engine/row_bytes.h"

/* The live cells of a multi-cell column as one value: [count][length, bytes]… or a UDT's fields. */
typedef struct assembly {
    const cql_type *type;
    base_arena     *arena;
    uint32_t        now_s;
    int64_t         base;
    int64_t         hidden; /* cells at or below it are not there */
    uint32_t       *tombstones;
} assembly;

int64_t engine__hidden_until(const cql_table *table, const cql_column *column) {
    for (uint32_t i = 0; i < table->dropped_count; i++)
        if (corm_str_equal(table->dropped[i].name, column->name))
            return table->dropped[i].dropped_at_us;
    return ENGINE_NO_TIMESTAMP;
}

static inline int64_t hidden_until(const cql_table *table, const cql_column *column) {
    return table->dropped_count ? engine__hidden_until(table, column) : ENGINE_NO_TIMESTAMP;
}

static bool is_visible(const assembly *as, const engine_cell *cell) {
    return engine__cell_is_live(cell, as->now_s) && cell->timestamp > as->hidden;
}

/* The same for a cell that was asked for. */
static bool is_seen(const assembly *as, const engine_cell *cell) {
    bool live = engine__cell_is_live(cell, as->now_s);
    *as->tombstones += !live;
    return live && cell->timestamp > as->hidden;
}

static uint8_t *put_sized(uint8_t *at, corm_bytes bytes) {
    base__store_u32(at, (uint32_t)bytes.len);
    if (bytes.len) memcpy(at + 4, bytes.data, bytes.len);
    return at + 4 + bytes.len;
}

/* Every element takes at most its stored bytes and two lengths. */
static cql_value assemble_collection(const assembly *as, row_scan *body, uint32_t cells,
                                     bool *failed) {
    size_t   room = 4 + (size_t)(body->end - body->at) + 8 * (size_t)cells;
    uint8_t *data = base__arena_alloc(as->arena, room);
    if (!data) {
        *failed = true;
        return CQL_NULL;
    }
    uint8_t *at = data + 4;
    uint32_t count = 0;
    for (uint32_t i = 0; i < cells; i++) {
        engine_cell cell;
        engine__scan_cell(body, as->base, true, &cell);
        if (!is_seen(as, &cell) || body->bad) continue;
        count++;
        if (as->type->id != CQL_LIST) at = put_sized(at, cell.path);
        if (as->type->id != CQL_SET) at = put_sized(at, cell.value);
    }
    base__store_u32(data, count);
    return count ? (cql_value){ data, (int32_t)(at - data) } : CQL_NULL;
}

static cql_value assemble_udt(const assembly *as, row_scan *body, uint32_t cells, bool *failed) {
    uint32_t   fields = as->type->count;
    cql_value *values = BASE_NEW_ARRAY(as->arena, cql_value, fields);
    size_t     room = 4 * (size_t)fields + (size_t)(body->end - body->at);
    uint8_t   *data = base__arena_alloc(as->arena, room);
    if (!values || !data) {
        *failed = true;
        return CQL_NULL;
    }
    for (uint32_t i = 0; i < fields; i++) values[i] = CQL_NULL;
    bool any = false;
    for (uint32_t i = 0; i < cells; i++) {
        engine_cell cell;
        engine__scan_cell(body, as->base, true, &cell);
        if (body->bad || cell.path.len != 2 || !is_seen(as, &cell)) continue;
        uint16_t field = base__load_u16(cell.path.data);
        if (field >= fields) continue;
        values[field] = cql__value_of(cell.value);
        any = true;
    }
    if (!any) return CQL_NULL;
    uint8_t *at = data;
    for (uint32_t i = 0; i < fields; i++) {
        if (!cql__is_null(values[i])) {
            at = put_sized(at, (corm_bytes){ values[i].data, (size_t)values[i].len });
        } else {
            base__store_u32(at, UINT32_MAX);
            at += 4;
        }
    }
    return (cql_value){ data, (int32_t)(at - data) };
}

/* A live cell at the row's timestamp, as an INSERT without TTL leaves it, has only a length before its value. */
static inline bool is_plain(const assembly *as, const row_scan *body) {
    return body->end - body->at >= 2 && body->at[0] == CELL_BASE_TIMESTAMP &&
           body->at[1] == body->end - body->at - 2 && body->at[1] < 0x80 && as->base > as->hidden;
}

static inline cql_value read_simple(const assembly *as, row_scan *body) {
    engine_cell cell;
    if (is_plain(as, body)) return (cql_value){ body->at + 2, body->at[1] };
    engine__scan_cell(body, as->base, false, &cell);
    return !body->bad && is_seen(as, &cell) ? cql__value_of(cell.value) : CQL_NULL;
}

static cql_value read_column(const assembly *as, row_column *column, bool *failed) {
    if (!column->is_complex) return read_simple(as, &column->body);
    row_complex complex;
    engine__scan_complex(&column->body, &complex);
    return as->type->id == CQL_UDT
               ? assemble_udt(as, &column->body, complex.cell_count, failed)
               : assemble_collection(as, &column->body, complex.cell_count, failed);
}

static bool any_cell_live(const assembly *as, row_column column) {
    row_complex complex = { .cell_count = 1 };
    if (column.is_complex) engine__scan_complex(&column.body, &complex);
    for (uint32_t i = 0; i < complex.cell_count && !column.body.bad; i++) {
        engine_cell cell;
        engine__scan_cell(&column.body, as->base, column.is_complex, &cell);
        if (is_visible(as, &cell)) return true;
    }
    return false;
}

static const cql_column *column_with_id(const cql_table *table, uint32_t id) {
    for (uint32_t i = table->partition_count + table->clustering_count; i < table->column_count;
         i++)
        if (table->columns[i].id == id) return &table->columns[i];
    return NULL;
}

/* The server skips cells that are older than the row's marker in columns that a query does not name, if it names any; also when
 * the marker has expired, so that the row exists for one selection and not for another. */
static void hide_skipped(assembly *as, const row_head *head, const cql_column *const *needed,
                         uint32_t count) {
    if (!(head->flags & ROW_LIVENESS) || as->hidden >= head->liveness.timestamp) return;
    bool names_any = false;
    for (uint32_t i = 0; i < count; i++) names_any = names_any || needed[i]->kind >= CQL_STATIC;
    if (names_any) as->hidden = head->liveness.timestamp - 1;
}

/* The ids of needed columns below 64, as bits; a column of the table that is in none of them need not be looked for. */
static uint64_t ids_of(const cql_column *const *needed, uint32_t count) {
    uint64_t ids = 0;
    for (uint32_t i = 0; i < count; i++)
        ids |= needed[i]->id < 64 ? UINT64_C(1) << needed[i]->id : 0;
    return ids;
}

/* Looks first behind the one found before: most often both are in the table's order. */
static inline const cql_column *needed_with_id(const cql_column *const *needed, uint32_t count,
                                               uint64_t ids, uint32_t id, uint32_t *at) {
    if (id < 64 && !(ids >> id & 1)) return NULL;
    for (uint32_t tried = 0; tried < count; tried++) {
        const cql_column *column = needed[*at];
        *at = *at + 1 < count ? *at + 1 : 0;
        if (column->id == id && column->kind >= CQL_STATIC) return column;
    }
    return NULL;
}

/* Readers ask for what is not stored, too. */
static void set_null(const cql_column *const *needed, uint32_t count, bool is_static,
                     cql_value *values) {
    for (uint32_t i = 0; i < count; i++)
        if (needed[i]->kind == (is_static ? CQL_STATIC : CQL_REGULAR))
            values[needed[i]->index] = CQL_NULL;
}

corm_status engine__row_read(const cql_table *table, bool is_static, corm_bytes bytes,
                             uint32_t now_s, const cql_column *const *needed, uint32_t needed_count,
                             base_arena *arena, cql_value *values, engine_row_read *out,
                             corm_error *err) {
    row_scan scan = { bytes.data, bytes.data + bytes.len, false };
    bool     failed = false;
    uint64_t ids = ids_of(needed, needed_count);
    uint32_t at = 0; /* in needed */
    row_head head;
    engine__scan_head(&scan, is_static ? 0 : table->clustering_count,
                      is_static ? NULL : values + table->partition_count, &head);
    set_null(needed, needed_count, is_static, values);
    out->has_liveness = (head.flags & ROW_LIVENESS) && engine__cell_is_live(&head.liveness, now_s);
    out->live = out->has_liveness;
    out->tombstones = 0;

    for (uint32_t i = 0; i < head.column_count && !scan.bad; i++) {
        row_column stored;
        scan_column(&scan, &stored);
        const cql_column *column = needed_with_id(needed, needed_count, ids, stored.id, &at);
        bool              is_needed = column != NULL;
        if (!column && !out->live) column = column_with_id(table, stored.id);
        if (!column) continue;
        assembly as = { column->type,    arena, now_s, head.base, hidden_until(table, column),
                        &out->tombstones };
        if (is_needed) {
            values[column->index] = read_column(&as, &stored, &failed);
            out->live = out->live || !cql__is_null(values[column->index]);
            scan.bad = scan.bad || stored.body.bad;
        } else {
            hide_skipped(&as, &head, needed, needed_count);
            out->live = any_cell_live(&as, stored);
        }
    }
    /* A view's row whose key holds a regular column of its table lives by its marker alone. */
    if (table->view && table->view->key_id != 0) out->live = out->has_liveness;
    if (!out->live && out->tombstones == 0) out->tombstones = (head.flags & ROW_DELETION) != 0;
    if (failed) return base__fail_memory(err);
    return scan.bad ? engine__row_damaged(table, err) : CORM_OK;
}
