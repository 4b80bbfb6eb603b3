// SPDX-License-Identifier: MIT
/* image.c -- see image.h. Thread: the writer's. */
#include "engine/image.h"

#include "base/text.h"

/* ---- columns of a row ---- */

static uint32_t column_position(const engine_row *row, uint32_t id) {
    uint32_t at = 0;
    while (at < row->column_count && row->columns[at].id < id) at++;
    return at;
}

engine_column_image *engine__image_find(const engine_row *row, uint32_t column_id) {
    uint32_t at = column_position(row, column_id);
    return at < row->column_count && row->columns[at].id == column_id ? &row->columns[at] : NULL;
}

static bool grow(void **items, uint32_t count, uint32_t *capacity, size_t size, base_arena *arena) {
    if (count < *capacity) return true;
    uint32_t wanted = *capacity ? 2 * *capacity : 4;
    void    *bigger = base__arena_calloc(arena, wanted, size);
    if (!bigger) return false;
    if (count) memcpy(bigger, *items, count * size);
    *items = bigger;
    *capacity = wanted;
    return true;
}

engine_column_image *engine__image_column(engine_row *row, const cql_column *column,
                                          base_arena *arena) {
    uint32_t at = column_position(row, column->id);
    if (at < row->column_count && row->columns[at].id == column->id) return &row->columns[at];

    void *columns = row->columns;
    if (!grow(&columns, row->column_count, &row->column_capacity, sizeof *row->columns, arena))
        return NULL;
    row->columns = columns;
    memmove(row->columns + at + 1, row->columns + at,
            (row->column_count - at) * sizeof *row->columns);
    row->columns[at] = (engine_column_image){
        .id = column->id,
        .is_complex = cql__type_is_multicell(column->type),
        .deleted_at = ENGINE_NO_TIMESTAMP,
    };
    row->column_count++;
    return &row->columns[at];
}

/* ---- cells of a column ---- */

int engine__path_compare(const cql_type *type, corm_bytes a, corm_bytes b) {
    if (type->id == CQL_LIST)
        return cql__compare(cql__type_native(CQL_TIMEUUID), cql__value_of(a), cql__value_of(b));
    if (type->id == CQL_UDT) return base__bytes_compare(a, b);
    return cql__compare(type->params[0], cql__value_of(a), cql__value_of(b));
}

/* Where the path is, or would be: binary search, for collections may be large. */
static uint32_t cell_position(const engine_column_image *image, const cql_type *type,
                              corm_bytes path, bool *found) {
    uint32_t low = 0, high = image->cell_count;
    *found = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int      order = engine__path_compare(type, image->cells[middle].path, path);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool insert_cell(engine_column_image *image, uint32_t at, const engine_cell *cell,
                        base_arena *arena) {
    void *cells = image->cells;
    if (!grow(&cells, image->cell_count, &image->cell_capacity, sizeof *image->cells, arena))
        return false;
    image->cells = cells;
    memmove(image->cells + at + 1, image->cells + at,
            (image->cell_count - at) * sizeof *image->cells);
    image->cells[at] = *cell;
    image->cell_count++;
    return true;
}

/* What would expire behind the last second that can be written expires then. */
static uint32_t expiry(const image_stamp *stamp) {
    uint32_t left = stamp->now_s < IMAGE_MAX_EXPIRY ? IMAGE_MAX_EXPIRY - stamp->now_s : 0;
    return stamp->ttl < left ? stamp->now_s + stamp->ttl : IMAGE_MAX_EXPIRY;
}

static engine_cell make_cell(cql_value value, corm_bytes path, const image_stamp *stamp) {
    engine_cell cell = { .timestamp = stamp->timestamp, .path = path };
    if (cql__is_null(value)) {
        cell.tombstone = true;
        cell.expires = stamp->now_s;
        return cell;
    }
    cell.value = (corm_bytes){ value.data, (size_t)value.len };
    if (stamp->ttl) {
        cell.ttl = stamp->ttl;
        cell.expires = expiry(stamp);
    }
    return cell;
}

static bool is_shadowed(const engine_row *row, const image_stamp *stamp) {
    return stamp->timestamp <= stamp->shadow || stamp->timestamp <= row->deleted_at;
}

bool engine__image_set(engine_row *row, const cql_column *column, cql_value value,
                       const image_stamp *stamp, base_arena *arena) {
    if (is_shadowed(row, stamp)) return true;
    engine_column_image *image = engine__image_column(row, column, arena);
    if (!image) return false;
    engine_cell cell = make_cell(value, (corm_bytes){ 0 }, stamp);
    if (image->cell_count == 0) return insert_cell(image, 0, &cell, arena);
    if (engine__cell_wins(&cell, &image->cells[0])) image->cells[0] = cell;
    return true;
}

bool engine__image_set_path(engine_row *row, const cql_column *column, corm_bytes path,
                            cql_value value, const image_stamp *stamp, base_arena *arena) {
    if (is_shadowed(row, stamp)) return true;
    engine_column_image *image = engine__image_column(row, column, arena);
    if (!image) return false;
    if (stamp->timestamp <= image->deleted_at) return true;
    bool        found;
    uint32_t    at = cell_position(image, column->type, path, &found);
    engine_cell cell = make_cell(value, path, stamp);
    if (!found) return insert_cell(image, at, &cell, arena);
    if (engine__cell_wins(&cell, &image->cells[at])) image->cells[at] = cell;
    return true;
}

static void drop_cells_until(engine_column_image *image, int64_t timestamp) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < image->cell_count; i++)
        if (image->cells[i].timestamp > timestamp) image->cells[kept++] = image->cells[i];
    image->cell_count = kept;
}

bool engine__image_delete_complex(engine_row *row, const cql_column *column, int64_t timestamp,
                                  const image_stamp *stamp, base_arena *arena) {
    if (timestamp <= stamp->shadow || timestamp <= row->deleted_at) return true;
    engine_column_image *image = engine__image_column(row, column, arena);
    if (!image) return false;
    if (timestamp <= image->deleted_at) return true;
    image->deleted_at = timestamp;
    image->deleted_local = stamp->now_s;
    drop_cells_until(image, timestamp);
    return true;
}

bool engine__image_count(engine_row *row, const cql_column *column, int64_t delta,
                         const image_stamp *stamp, base_arena *arena) {
    if (is_shadowed(row, stamp)) return true;
    engine_column_image *image = engine__image_column(row, column, arena);
    uint8_t             *sum = base__arena_alloc(arena, 8);
    if (!image || !sum) return false;
    uint64_t old = 0;
    if (image->cell_count) {
        if (image->cells[0].tombstone) return true;
        if (image->cells[0].value.len == 8) old = base__load_u64(image->cells[0].value.data);
    }
    base__store_u64(sum, old + (uint64_t)delta);
    engine_cell cell = { .timestamp = stamp->timestamp, .value = { sum, 8 } };
    if (image->cell_count == 0) return insert_cell(image, 0, &cell, arena);
    if (image->cells[0].timestamp > cell.timestamp) cell.timestamp = image->cells[0].timestamp;
    image->cells[0] = cell;
    return true;
}

/* ---- whole rows ---- */

/* Marker reconciliation: later timestamp; on a tie expiring over not; then later expiry. */
void engine__image_mark(engine_row *row, const image_stamp *stamp) {
    if (is_shadowed(row, stamp)) return;
    engine_cell mark = { .timestamp = stamp->timestamp, .ttl = stamp->ttl };
    if (stamp->ttl) mark.expires = expiry(stamp);
    const engine_cell *old = &row->liveness;
    if (row->has_liveness && old->timestamp > mark.timestamp) return;
    if (row->has_liveness && old->timestamp == mark.timestamp &&
        (old->ttl ? !mark.ttl || old->expires >= mark.expires : !mark.ttl))
        return;
    row->has_liveness = true;
    row->liveness = mark;
}

void engine__image_delete(engine_row *row, int64_t timestamp, uint32_t now_s, bool remember) {
    if (row->has_liveness && row->liveness.timestamp <= timestamp) row->has_liveness = false;
    for (uint32_t i = 0; i < row->column_count; i++) {
        engine_column_image *column = &row->columns[i];
        drop_cells_until(column, timestamp);
        if (column->deleted_at <= timestamp) column->deleted_at = ENGINE_NO_TIMESTAMP;
    }
    if (row->deleted_at > timestamp) return;
    if (!remember) {
        row->deleted_at = ENGINE_NO_TIMESTAMP;
    } else if (row->deleted_at < timestamp) {
        row->deleted_at = timestamp;
        row->deleted_local = now_s;
    }
}

/* ---- reclaiming ---- */

typedef struct purge {
    uint32_t gc_grace_s, now_s, due;
    bool     changed;
} purge;

/* Seconds saturate: gc_grace may be as large as an int. */
static uint32_t later(uint32_t second, uint32_t by) {
    return second > UINT32_MAX - by ? UINT32_MAX : second + by;
}

static void wait_until(purge *run, uint32_t second) {
    if (run->due == 0 || second < run->due) run->due = second ? second : 1;
}

/* True when a deletion made at `local` may be forgotten. */
static bool is_over(purge *run, uint32_t local) {
    uint32_t end = later(local, run->gc_grace_s);
    if (end <= run->now_s) {
        run->changed = true;
        return true;
    }
    wait_until(run, end);
    return false;
}

static bool keep_cell(purge *run, engine_cell *cell) {
    if (!cell->tombstone && cell->ttl) {
        if (cell->expires > run->now_s) {
            wait_until(run, cell->expires);
            return true;
        }
        *cell = (engine_cell){ .timestamp = cell->timestamp,
                               .expires = cell->expires,
                               .tombstone = true,
                               .path = cell->path };
        run->changed = true;
    }
    return !cell->tombstone || !is_over(run, cell->expires);
}

static void purge_column(purge *run, engine_column_image *column) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < column->cell_count; i++)
        if (keep_cell(run, &column->cells[i])) column->cells[kept++] = column->cells[i];
    column->cell_count = kept;
    if (column->deleted_at != ENGINE_NO_TIMESTAMP && is_over(run, column->deleted_local))
        column->deleted_at = ENGINE_NO_TIMESTAMP;
}

bool engine__image_purge(engine_row *row, uint32_t gc_grace_s, uint32_t now_s, uint32_t *due) {
    purge run = { .gc_grace_s = gc_grace_s, .now_s = now_s };
    if (row->has_liveness && row->liveness.ttl) {
        if (row->liveness.expires > now_s)
            wait_until(&run, row->liveness.expires);
        else if (is_over(&run, row->liveness.expires))
            row->has_liveness = false;
    }
    if (row->deleted_at != ENGINE_NO_TIMESTAMP && is_over(&run, row->deleted_local))
        row->deleted_at = ENGINE_NO_TIMESTAMP;
    for (uint32_t i = 0; i < row->column_count; i++) purge_column(&run, &row->columns[i]);
    *due = run.due;
    return run.changed;
}
