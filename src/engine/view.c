// SPDX-License-Identifier: MIT
/* view.c -- from a row of a base table to the row of a view. See view.h.
 *
 * Cells that have expired count as if they were live: their copies in the view expire with them, and the base's row is looked
 * at again when they are cleared away. Thread: the writer's, or verify's. */
#include "engine/view.h"

#include "base/fail.h"
#include "base/text.h"
#include "engine/key.h"

enum { LONGEST_KEY = 65535 };

/* A row of the base table being looked at. */
typedef struct base_row {
    const cql_table  *table;
    const cql_table  *view;
    const engine_row *row;
    cql_value        *partition; /* values of the partition key */
    base_arena       *arena;
} base_row;

/* ---- values ---- */

static bool is_visible(const base_row *of, const cql_column *column, const engine_cell *cell) {
    if (cell->tombstone) return false;
    return of->table->dropped_count == 0 ||
           cell->timestamp > engine__hidden_until(of->table, column);
}

/* The cell of a column with one value; NULL when it holds none. */
static const engine_cell *cell_of(const base_row *of, const cql_column *column) {
    const engine_column_image *image = engine__image_find(of->row, column->id);
    if (!image || image->cell_count == 0 || !is_visible(of, column, &image->cells[0])) return NULL;
    return &image->cells[0];
}

static cql_value value_of(const base_row *of, uint32_t id) {
    const cql_column  *column = cql__table_column_with_id(of->table, id);
    const engine_cell *cell;
    if (!column) return CQL_NULL;
    switch (column->kind) {
    case CQL_PARTITION_KEY: return of->partition[column->position];
    case CQL_CLUSTERING:
        return column->position < of->row->clustering_count ? of->row->clustering[column->position]
                                                            : CQL_NULL;
    case CQL_STATIC: return CQL_NULL;
    case CQL_REGULAR: break;
    }
    cell = cell_of(of, column);
    return cell ? cql__value_of(cell->value) : CQL_NULL;
}

/* ---- WHERE ---- */

/* As far as the filter goes, from left to right. */
static int compare_to(const base_row *of, const cql_view_filter *filter, uint32_t row) {
    for (uint32_t i = 0; i < filter->width; i++) {
        const cql_column *column = cql__table_column_with_id(of->table, filter->column_ids[i]);
        cql_value         value = value_of(of, filter->column_ids[i]);
        int               order = cql__compare(column->type, value,
                                               cql__value_of(filter->values[row * filter->width + i]));
        if (order != 0) return order;
    }
    return 0;
}

static bool passes(const base_row *of, const cql_view_filter *filter) {
    switch (filter->op) {
    case CQL_OP_LT: return compare_to(of, filter, 0) < 0;
    case CQL_OP_LTE: return compare_to(of, filter, 0) <= 0;
    case CQL_OP_GT: return compare_to(of, filter, 0) > 0;
    case CQL_OP_GTE: return compare_to(of, filter, 0) >= 0;
    default: break;
    }
    for (uint32_t i = 0; i < filter->row_count; i++)
        if (compare_to(of, filter, i) == 0) return true;
    return false;
}

static bool is_selected(const base_row *of) {
    for (uint32_t i = 0; i < of->view->view->filter_count; i++)
        if (!passes(of, &of->view->view->filters[i])) return false;
    return true;
}

/* ---- the key ---- */

static corm_status check_length(const cql_column *column, cql_value value, corm_error *err) {
    (void)column;
    if (value.len <= LONGEST_KEY) return CORM_OK;
    return base__fail(err, CORM_INVALID, "Key length of %d is longer than maximum of %d", value.len,
                      LONGEST_KEY);
}

/* *values: those of all key columns, NULL when one of them has none. */
static corm_status key_values(const base_row *of, cql_value **values, corm_error *err) {
    uint32_t count = of->view->partition_count + of->view->clustering_count;
    *values = BASE_NEW_ARRAY(of->arena, cql_value, count);
    if (!*values) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        const cql_column *column = &of->view->columns[i];
        (*values)[i] = value_of(of, column->id);
        if ((*values)[i].len < 0) {
            *values = NULL;
            return CORM_OK;
        }
        CORM_TRY(check_length(column, (*values)[i], err));
    }
    return CORM_OK;
}

static corm_status make_key(const base_row *of, const cql_value *values, corm_bytes *out,
                            corm_error *err) {
    const cql_table *view = of->view;
    base_buf         partition = { 0 }, key = { 0 };
    cql__partition_key(values, view->partition_count, &partition);
    corm_status status = base__buf_status(&partition, err);
    if (status == CORM_OK && partition.len > LONGEST_KEY)
        status = base__fail(err, CORM_INVALID, "Key length of %zu is longer than maximum of %d",
                            partition.len, LONGEST_KEY);
    if (status == CORM_OK) {
        corm_bytes bytes = base__buf_bytes(&partition);
        engine__key_partition(view->storage_id, cql__token(bytes), bytes, &key);
        base__buf_u8(&key, ENGINE_KEY_ROW);
        engine__key_clustering(view, values + view->partition_count, view->clustering_count, &key);
        status = base__buf_status(&key, err);
    }
    *out = (corm_bytes){ base__arena_copy(of->arena, key.data, key.len), key.len };
    base__buf_free(&partition);
    base__buf_free(&key);
    return status == CORM_OK && !out->data ? base__fail_memory(err) : status;
}

/* ---- liveness ---- */

/* Takes the cell into a marker that lives as long as the longest-lived, with the latest timestamp. */
static void join_liveness(engine_row *to, const engine_cell *cell) {
    engine_cell *mark = &to->liveness;
    if (!to->has_liveness) {
        to->has_liveness = true;
        *mark = (engine_cell){ cell->timestamp, cell->ttl, cell->ttl ? cell->expires : 0,
                               false,           { 0 },     { 0 } };
        return;
    }
    if (cell->timestamp > mark->timestamp) mark->timestamp = cell->timestamp;
    if (mark->ttl == 0 || (cell->ttl != 0 && cell->expires <= mark->expires)) return;
    mark->ttl = cell->ttl;
    mark->expires = cell->ttl ? cell->expires : 0;
}

/* Columns that the view does not have keep its row alive (CASSANDRA-11500, CASSANDRA-13826). */
static void join_unselected(const base_row *of, engine_row *to) {
    for (uint32_t i = 0; i < of->row->column_count; i++) {
        const engine_column_image *image = &of->row->columns[i];
        const cql_column          *column = cql__table_column_with_id(of->table, image->id);
        if (!column || cql__table_column_with_id(of->view, image->id)) continue;
        for (uint32_t j = 0; j < image->cell_count; j++)
            if (is_visible(of, column, &image->cells[j])) join_liveness(to, &image->cells[j]);
    }
}

/* A row whose key holds a regular column of the base lives as long as that column. */
static void set_liveness(const base_row *of, engine_row *to) {
    const cql_view_def *view = of->view->view;
    if (view->key_id != 0) {
        join_liveness(to, cell_of(of, cql__table_column_with_id(of->table, view->key_id)));
        return;
    }
    to->has_liveness = of->row->has_liveness;
    to->liveness = of->row->liveness;
    to->liveness.tombstone = false; /* the feed's note that it told of the expiry */
    if (!view->includes_all) join_unselected(of, to);
}

/* ---- cells ---- */

static corm_status copy_column(const base_row *of, const cql_column *column,
                               const engine_column_image *from, engine_row *to, corm_error *err) {
    engine_cell *cells = BASE_NEW_ARRAY(of->arena, engine_cell, from->cell_count);
    uint32_t     count = 0;
    if (!cells) return base__fail_memory(err);
    for (uint32_t i = 0; i < from->cell_count; i++)
        if (is_visible(of, column, &from->cells[i])) cells[count++] = from->cells[i];
    if (count == 0) return CORM_OK;
    to->columns[to->column_count++] = (engine_column_image){
        .id = from->id,
        .is_complex = from->is_complex,
        .deleted_at = ENGINE_NO_TIMESTAMP,
        .cell_count = count,
        .cell_capacity = count,
        .cells = cells,
    };
    return CORM_OK;
}

static corm_status copy_columns(const base_row *of, engine_row *to, corm_error *err) {
    to->columns = BASE_NEW_ARRAY(of->arena, engine_column_image, of->row->column_count);
    to->column_capacity = of->row->column_count;
    if (!to->columns) return base__fail_memory(err);
    for (uint32_t i = 0; i < of->row->column_count; i++) {
        const engine_column_image *image = &of->row->columns[i];
        const cql_column          *column = cql__table_column_with_id(of->table, image->id);
        const cql_column          *to_column = cql__table_column_with_id(of->view, image->id);
        if (column && to_column && to_column->kind == CQL_REGULAR)
            CORM_TRY(copy_column(of, column, image, to, err));
    }
    return CORM_OK;
}

/* ---- the row ---- */

static corm_status make_row(const base_row *of, engine_view_row *out, corm_error *err) {
    cql_value *values;
    CORM_TRY(key_values(of, &values, err));
    if (!values || !is_selected(of)) return CORM_OK;
    out->row.clustering_count = of->view->clustering_count;
    out->row.clustering = values + of->view->partition_count;
    set_liveness(of, &out->row);
    CORM_TRY(copy_columns(of, &out->row, err));
    if (!out->row.has_liveness && out->row.column_count == 0) return CORM_OK;
    CORM_TRY(make_key(of, values, &out->key, err));
    out->exists = true;
    return CORM_OK;
}

corm_status engine__view_row(const cql_table *base, const cql_table *view, corm_bytes data_key,
                             const engine_row *row, base_arena *arena, engine_view_row *out,
                             corm_error *err) {
    base_row   of = { base, view, row, NULL, arena };
    engine_key key;
    *out = (engine_view_row){ .row.deleted_at = ENGINE_NO_TIMESTAMP };
    if (!row->has_liveness && row->column_count == 0) return CORM_OK;
    of.partition = BASE_NEW_ARRAY(arena, cql_value, base->partition_count);
    if (!of.partition) return base__fail_memory(err);
    if (!engine__key_split(data_key, &key))
        return base__fail(err, CORM_CORRUPT, "a stored key is damaged");
    if (base->partition_count == 1)
        of.partition[0] = cql__value_of(key.partition_key);
    else if (!cql__partition_key_split(key.partition_key, base->partition_count, of.partition))
        return base__fail(err, CORM_CORRUPT, "a stored key is damaged");
    return make_row(&of, out, err);
}
