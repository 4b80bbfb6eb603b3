// SPDX-License-Identifier: MIT
/* index.c -- secondary indexes: an entry for each live value of a row, or each term of it (cql/index_terms.h), kept in the same
 * transaction as the row.
 *
 * Entries of cells that expire stay until the row is next written or reclaimed; readers look at the row itself, so a stale
 * entry costs time and never gives a wrong row. Key layout: key.h. Thread: the commit leader's. */
#include <stdlib.h>

#include "base/fail.h"
#include "cql/index_terms.h"
#include "engine/write_internal.h"

bool engine__index_data_key(const cql_table *table, corm_bytes key, corm_bytes value,
                            base_buf *out) {
    if (value.len != 4) return false;
    uint32_t at = base__load_u32(value.data);
    if (at >= key.len) return false;
    base__buf_u32(out, table->storage_id);
    base__buf_put(out, key.data + at, key.len - at);
    return true;
}

/* ---- the entries of one row ---- */

typedef struct entry {
    corm_bytes key;
    uint32_t   data_key_at;
} entry;

typedef struct entries {
    const cql_index *index;
    corm_bytes       data_key;
    base_arena      *arena;
    entry           *items;
    uint32_t         count, capacity;
    int32_t          too_long; /* bytes of a value that the built-in index refuses; 0: none */
} entries;

/* Takes the key that the buffer holds, and frees the buffer. */
static bool take_entry(entries *to, base_buf *buf) {
    if (to->count == to->capacity) {
        uint32_t capacity = to->capacity ? 2 * to->capacity : 4;
        entry   *bigger = BASE_NEW_ARRAY(to->arena, entry, capacity);
        if (!bigger) {
            base__buf_free(buf);
            return false;
        }
        if (to->count) memcpy(bigger, to->items, to->count * sizeof *bigger);
        to->items = bigger;
        to->capacity = capacity;
    }
    uint32_t at = (uint32_t)buf->len;
    base__buf_put(buf, to->data_key.data + 4, to->data_key.len - 4);
    corm_bytes key = { base__arena_copy(to->arena, buf->data, buf->len), buf->len };
    bool       ok = !buf->failed && key.data;
    base__buf_free(buf);
    to->items[to->count++] = (entry){ key, at };
    return ok;
}

static bool add_term_entries(entries *to, const cql_value *values) {
    cql_keys keys = { 0 };
    if (!cql__index_keys(to->index, values, to->arena, &keys)) return false;
    for (uint32_t i = 0; i < keys.count; i++) {
        base_buf buf = { 0 };
        base__buf_u32(&buf, to->index->storage_id);
        base__buf_put(&buf, keys.items[i].data, keys.items[i].len);
        if (!take_entry(to, &buf)) return false;
    }
    return true;
}

static bool add_entry(entries *to, const cql_value *values) {
    base_buf buf = { 0 };
    if (values[0].len >= UINT16_MAX) to->too_long = values[0].len;
    if (cql__index_cuts(to->index)) return add_term_entries(to, values);
    base__buf_u32(&buf, to->index->storage_id);
    cql__index_put_key(to->index, values, &buf);
    return take_entry(to, &buf);
}

static bool add_cells(entries *to, const engine_column_image *column, uint32_t now_s) {
    for (uint32_t i = 0; i < column->cell_count; i++) {
        const engine_cell *cell = &column->cells[i];
        if (!engine__cell_is_live(cell, now_s)) continue;
        cql_value path = cql__value_of(cell->path), value = cql__value_of(cell->value),
                  pair[2] = { path, value };
        bool by_path =
            to->index->target == CQL_TARGET_KEYS || to->index->column->type->id == CQL_SET;
        const cql_value *values = !column->is_complex                       ? &value
                                  : to->index->target == CQL_TARGET_ENTRIES ? pair
                                  : by_path                                 ? &path
                                                                            : &value;
        if (!add_entry(to, values)) return false;
    }
    return true;
}

static bool row_is_live(const engine_row *row, uint32_t now_s) {
    if (row->has_liveness && engine__cell_is_live(&row->liveness, now_s)) return true;
    for (uint32_t i = 0; i < row->column_count; i++)
        for (uint32_t j = 0; j < row->columns[i].cell_count; j++)
            if (engine__cell_is_live(&row->columns[i].cells[j], now_s)) return true;
    return false;
}

/* The value of a key column: an entry as long as the row is live, of partition keys also for the static row. */
static bool add_key_entry(entries *to, const cql_table *table, const engine_row *row) {
    const cql_column *column = to->index->column;
    engine_key        key;
    cql_value        *parts = BASE_NEW_ARRAY(to->arena, cql_value, table->partition_count);
    if (column->kind == CQL_CLUSTERING) return add_entry(to, &row->clustering[column->position]);
    if (!parts || !engine__key_split(to->data_key, &key)) return false;
    if (table->partition_count == 1)
        parts[0] = cql__value_of(key.partition_key);
    else if (!cql__partition_key_split(key.partition_key, table->partition_count, parts))
        return false;
    return add_entry(to, &parts[column->position]);
}

static bool collect(entries *to, const cql_table *table, bool is_static, const engine_row *row,
                    uint32_t now_s) {
    const cql_column *column = to->index->column;
    bool              statics = column->kind == CQL_PARTITION_KEY && to->index->by_terms;
    if (column->kind == CQL_PARTITION_KEY || column->kind == CQL_CLUSTERING)
        return (is_static && !statics) || !row_is_live(row, now_s) || add_key_entry(to, table, row);
    if ((column->kind == CQL_STATIC) != is_static) return true;
    const engine_column_image *image = engine__image_find(row, column->id);
    return !image || add_cells(to, image, now_s);
}

static int compare_entries(const void *a, const void *b) {
    corm_bytes x = ((const entry *)a)->key, y = ((const entry *)b)->key;
    size_t     len = x.len < y.len ? x.len : y.len;
    int        order = memcmp(x.data, y.data, len);
    return order ? order : (x.len > y.len) - (x.len < y.len);
}

/* ---- changes ---- */

static bool change(write_ops *ops, const entry *item, bool remove) {
    uint8_t *at = remove ? NULL : base__arena_alloc(ops->arena, 4);
    if (!remove && !at) return false;
    if (at) base__store_u32(at, item->data_key_at);
    return engine__write_op(ops, KV_DATA, remove, item->key, (corm_bytes){ at, at ? 4 : 0 });
}

/* Both sorted: what is only before goes, what is only after comes. */
static bool merge(write_ops *ops, const entries *before, const entries *after) {
    uint32_t i = 0, j = 0;
    while (i < before->count || j < after->count) {
        int order = i == before->count  ? 1
                    : j == after->count ? -1
                                        : compare_entries(&before->items[i], &after->items[j]);
        if (order < 0 && !change(ops, &before->items[i], true)) return false;
        if (order > 0 && !change(ops, &after->items[j], false)) return false;
        i += order <= 0;
        j += order >= 0;
    }
    return true;
}

/* Each once: a list may hold a value several times. */
static void sort_entries(entries *list) {
    if (list->count < 2) return;
    qsort(list->items, list->count, sizeof *list->items, compare_entries);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < list->count; i++)
        if (compare_entries(&list->items[kept - 1], &list->items[i]) != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static corm_status check_size(const cql_table *table, const entries *list, corm_error *err) {
    const cql_index *index = list->index;
    if (list->too_long == 0 || index->rules.class_id != CQL_INDEX_LEGACY) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "Cannot index value of size %d for index %.*s on %.*s.%.*s(%.*s) (maximum "
                      "allowed size=65535)",
                      list->too_long, (int)index->name.len, index->name.data,
                      (int)table->keyspace.len, table->keyspace.data, (int)table->name.len,
                      table->name.data, (int)index->column->name.len, index->column->name.data);
}

corm_status engine__index_changes(const row_change *of, write_ops *ops, corm_error *err) {
    const cql_table *table = of->table;
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (cql__index_is_vector(&table->indexes[i])) continue;
        entries old = { .index = &table->indexes[i],
                        .data_key = of->data_key,
                        .arena = ops->arena },
                new = old;
        /* An entry of a cell that expired meanwhile is still stored: seen from time 0 it is live. */
        if (!collect(&old, table, of->is_static, of->before, 0) ||
            !collect(&new, table, of->is_static, of->after, of->now_s))
            return base__fail_memory(err);
        CORM_TRY(check_size(table, &new, err));
        sort_entries(&old);
        sort_entries(&new);
        if (!merge(ops, &old, &new)) return base__fail_memory(err);
    }
    return CORM_OK;
}

/* ---- a new index ---- */

static corm_status put_entries(kv_txn *txn, const entries *list, corm_error *err) {
    for (uint32_t i = 0; i < list->count; i++) {
        uint8_t value[4];
        base__store_u32(value, list->items[i].data_key_at);
        CORM_TRY(kv__put(txn, KV_DATA, list->items[i].key, (corm_bytes){ value, 4 }, err));
    }
    return CORM_OK;
}

static corm_status index_row(kv_txn *txn, const cql_table *table, const cql_index *index,
                             const engine_key *key, corm_bytes data_key, corm_bytes bytes,
                             base_arena *arena, corm_error *err) {
    bool       is_static = key->kind == ENGINE_KEY_STATIC;
    engine_row row;
    entries    list = { .index = index, .data_key = data_key, .arena = arena };
    CORM_TRY(engine__row_decode(table, is_static, bytes, arena, &row, err));
    if (!collect(&list, table, is_static, &row, 0)) return base__fail_memory(err);
    return put_entries(txn, &list, err);
}

/* A put ends a cursor's position, so each row's key is kept and the cursor sought again behind it. */
corm_status engine__index_build(kv_txn *txn, const cql_table *table, const cql_index *index,
                                base_arena *arena, corm_error *err) {
    kv_cursor *cursor;
    base_buf   at = { 0 };
    bool       found;
    base_arena row_arena = { 0 };
    (void)arena;
    if (cql__index_is_vector(index)) return CORM_OK;
    base__buf_u32(&at, table->storage_id);
    CORM_TRY(kv__cursor_open(txn, KV_DATA, &cursor, err));
    corm_status status = kv__cursor_seek(cursor, base__buf_bytes(&at), KV_AT_OR_AFTER, &found, err);
    while (status == CORM_OK && found) {
        engine_key key;
        base__buf_clear(&at);
        base__buf_put(&at, kv__cursor_key(cursor).data, kv__cursor_key(cursor).len);
        status = base__buf_status(&at, err);
        if (status != CORM_OK || !engine__key_split(base__buf_bytes(&at), &key) ||
            key.storage_id != table->storage_id)
            break;
        if (key.kind != ENGINE_KEY_PARTITION)
            status = index_row(txn, table, index, &key, base__buf_bytes(&at),
                               kv__cursor_value(cursor), &row_arena, err);
        base__arena_reset(&row_arena);
        if (status == CORM_OK)
            status = kv__cursor_seek(cursor, base__buf_bytes(&at), KV_AFTER, &found, err);
    }
    kv__cursor_close(cursor);
    base__arena_free(&row_arena);
    base__buf_free(&at);
    return status;
}
