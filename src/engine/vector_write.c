// SPDX-License-Identifier: MIT
/* vector_write.c -- what a changed row means for the vector indexes of its table. Thread: the commit leader's. */
#include "base/fail.h"
#include "engine/vector.h"
#include "engine/write_internal.h"

/* A vector is in the index as long as its cell is stored, also when it has expired: readers look at the row itself. */
static bool is_stored(const engine_cell *cell) {
    return !cell->tombstone;
}

static bool row_is_stored(const engine_row *row) {
    if (row->has_liveness && is_stored(&row->liveness)) return true;
    for (uint32_t i = 0; i < row->column_count; i++)
        for (uint32_t j = 0; j < row->columns[i].cell_count; j++)
            if (is_stored(&row->columns[i].cells[j])) return true;
    return false;
}

static corm_bytes key_value(const cql_table *table, const cql_column *column, corm_bytes data_key,
                            const engine_row *row, base_arena *arena) {
    engine_key key;
    if (column->kind == CQL_CLUSTERING)
        return (corm_bytes){ row->clustering[column->position].data,
                             (size_t)row->clustering[column->position].len };
    cql_value *parts = BASE_NEW_ARRAY(arena, cql_value, table->partition_count);
    if (!parts || !engine__key_split(data_key, &key)) return (corm_bytes){ 0 };
    if (table->partition_count == 1) return key.partition_key;
    if (!cql__partition_key_split(key.partition_key, table->partition_count, parts))
        return (corm_bytes){ 0 };
    return (corm_bytes){ parts[column->position].data, (size_t)parts[column->position].len };
}

corm_bytes engine__row_vector(const cql_index *index, const cql_table *table, corm_bytes data_key,
                              bool is_static, const engine_row *row, base_arena *arena) {
    const cql_column *column = index->column;
    corm_bytes        none = { NULL, 0 }, value;
    if (column->kind == CQL_PARTITION_KEY || column->kind == CQL_CLUSTERING) {
        if (is_static || !row_is_stored(row)) return none;
        value = key_value(table, column, data_key, row, arena);
    } else {
        if ((column->kind == CQL_STATIC) != is_static) return none;
        const engine_column_image *image = engine__image_find(row, column->id);
        if (!image || image->cell_count == 0 || !is_stored(&image->cells[0])) return none;
        value = image->cells[0].value;
    }
    return value.len == (size_t)column->type->dimension * 4 ? value : none;
}

/* ---- planning ---- */

/* The row's vector is another one, or gone (length 0). */
typedef struct vector_op {
    const cql_table  *table;
    const cql_index  *index;
    corm_bytes        data_key, vector;
    struct vector_op *next;
} vector_op;

static bool same(corm_bytes a, corm_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static corm_status add_op(engine_write *write, const row_change *of, const cql_index *index,
                          corm_bytes vector, corm_error *err) {
    base_arena *arena = write->request->arena;
    vector_op  *op = BASE_NEW(arena, vector_op);
    if (!op) return base__fail_memory(err);
    *op = (vector_op){ of->table, index, of->data_key, { NULL, vector.len }, NULL };
    op->vector.data = base__arena_copy(arena, vector.data, vector.len);
    if (!op->vector.data) return base__fail_memory(err);
    if (write->last_vector)
        write->last_vector->next = op;
    else
        write->first_vector = op;
    write->last_vector = op;
    return CORM_OK;
}

/* The graph is loaded now, while the store agrees with itself. */
static corm_status change_index(const row_change *of, const cql_index *index, engine_write *write,
                                corm_error *err) {
    base_arena           *arena = write->request->arena;
    engine_vector_options options = engine__vector_options(index);
    vector_place          at = { write->request->txn, of->table, index };
    hnsw                 *graph;
    corm_bytes            before =
        engine__row_vector(index, of->table, of->data_key, of->is_static, of->before, arena);
    corm_bytes after =
        engine__row_vector(index, of->table, of->data_key, of->is_static, of->after, arena);
    if (same(before, after)) return CORM_OK;
    if (after.len) CORM_TRY(engine__vector_check(options.by, after, err));
    CORM_TRY(engine__vector_writer(write->request->store, &at, &graph, err));
    return add_op(write, of, index, after, err);
}

corm_status engine__vector_changes(const row_change *change, engine_write *write, corm_error *err) {
    for (uint32_t i = 0; i < change->table->index_count; i++) {
        if (cql__index_is_vector(&change->table->indexes[i]))
            CORM_TRY(change_index(change, &change->table->indexes[i], write, err));
    }
    return CORM_OK;
}

/* ---- putting ---- */

static corm_status put_node(engine *store, const vector_place *at, hnsw *graph, const vector_op *op,
                            corm_error *err) {
    uint32_t node;
    bool     found;
    CORM_TRY(engine__vector_node_of(at, op->data_key, &node, &found, err));
    if (op->vector.len == 0) {
        if (!found) return CORM_OK;
        CORM_TRY(engine__vector_delete(at, op->data_key, node, err));
        return hnsw__remove(graph, node, err);
    }
    if (!found) {
        node = hnsw__free_id(graph);
        CORM_TRY(engine__vector_add(at, op->data_key, node, err));
    }
    CORM_TRY(hnsw__put(graph, node, op->vector.data, err));
    return hnsw__set_label(graph, node, engine__vector_next_sequence(store, at), op->data_key, err);
}

/* An index that is not built is built of all rows, with those that were just put. */
static corm_status put_op(engine *store, const vector_place *at, const vector_op *op,
                          corm_error *err) {
    hnsw *graph;
    CORM_TRY(engine__vector_writer(store, at, &graph, err));
    if (!graph) return engine__vector_build(store, at, err);
    CORM_TRY(engine__vector_touch(store, at, err));
    return put_node(store, at, graph, op, err);
}

corm_status engine__vector_put(engine_write *write, corm_error *err) {
    for (const vector_op *op = write->first_vector; op; op = op->next) {
        vector_place at = { write->request->txn, op->table, op->index };
        CORM_TRY(put_op(write->request->store, &at, op, err));
    }
    return CORM_OK;
}
