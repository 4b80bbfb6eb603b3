// SPDX-License-Identifier: MIT
/* select_emit.c -- rows into the answer: projection, JSON, limits, pages, and the sort that ORDER BY needs over several partitions.
 * Thread: the reader's. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "engine/select_internal.h"

/* ---- projection ---- */

static corm_status project_json(select_run *run, base_buf *body, corm_error *err) {
    const cql_checked_select *select = run->select;
    size_t                    at = body->len;
    base__buf_i32(body, 0);
    base__buf_puts(body, "{");
    for (uint32_t i = 0; i < select->selector_count; i++) {
        cql_value value;
        CORM_TRY(cql__eval(select->selectors[i], &run->env, &value, err));
        if (i) base__buf_puts(body, ", ");
        base__put_json_string(body, select->json_names[i]);
        base__buf_puts(body, ": ");
        if (cql__is_null(value))
            base__buf_puts(body, "null");
        else
            cql__to_json(select->selectors[i]->type, value, body);
    }
    base__buf_puts(body, "}");
    if (!body->failed) base__buf_set_i32(body, at, (int32_t)(body->len - at - 4));
    return CORM_OK;
}

/* ---- masks ---- */

corm_status select__mask(select_run *run, corm_error *err) {
    const cql_checked_select *select = run->select;
    if (!run->masked) return CORM_OK;
    memcpy(run->masked, run->values, run->table->column_count * sizeof *run->values);
    for (uint32_t i = 0; i < select->mask_count; i++) {
        const cql_column_mask *mask = &select->masks[i];
        CORM_TRY(cql__eval(mask->node, &run->env, &run->masked[mask->column->index], err));
    }
    run->view.columns = run->masked;
    return CORM_OK;
}

void select__unmask(select_run *run) {
    run->view.columns = run->values;
}

/* ---- rows ---- */

/* Columns as they are, in one piece. False: something else is selected, too. */
static bool project_columns(select_run *run, base_buf *body) {
    const cql_checked_select *select = run->select;
    const cql_value          *values = run->env.row->columns;
    size_t                    len = 0;
    for (uint32_t i = 0; i < select->selector_count; i++) {
        const cql_node *node = select->selectors[i];
        if (node->kind != CQL_NODE_COLUMN) return false;
        int32_t size = values[node->column->index].len;
        len += 4 + (size > 0 ? (size_t)size : 0);
    }
    uint8_t *to = base__buf_grow(body, len);
    for (uint32_t i = 0; i < select->selector_count && to; i++) {
        cql_value value = values[select->selectors[i]->column->index];
        base__store_u32(to, (uint32_t)value.len);
        to += 4;
        if (value.len > 0) memcpy(to, value.data, (size_t)value.len);
        if (value.len > 0) to += value.len;
    }
    return true;
}

corm_status select__project(select_run *run, base_buf *body, corm_error *err) {
    const cql_checked_select *select = run->select;
    if (select->json) return project_json(run, body, err);
    if (project_columns(run, body)) return CORM_OK;
    for (uint32_t i = 0; i < select->selector_count; i++) {
        const cql_node *node = select->selectors[i];
        cql_value       value;
        if (node->kind == CQL_NODE_COLUMN)
            value = run->env.row->columns[node->column->index];
        else
            CORM_TRY(cql__eval(node, &run->env, &value, err));
        cql__put_value(body, value);
    }
    return CORM_OK;
}

/* ---- limits and pages ---- */

corm_status select__count(select_run *run, corm_bytes key, corm_error *err) {
    run->partition_rows++;
    run->limit--;
    run->page_left--;
    if (run->partition_rows >= run->per_partition) run->skip_partition = true;
    if (run->limit && run->page_left) return CORM_OK;
    run->stop = true;
    run->has_more = run->limit > 0 && run->paged;
    base__buf_clear(&run->last_key);
    base__buf_put(&run->last_key, key.data, key.len);
    return base__buf_status(&run->last_key, err);
}

corm_status select__project_row(select_run *run, base_buf *body, corm_error *err) {
    CORM_TRY(select__mask(run, err));
    corm_status status = select__project(run, body, err);
    select__unmask(run);
    return status;
}

corm_status select__emit(select_run *run, corm_bytes key, corm_error *err) {
    if (run->sorted) return select__sort_row(run, err);
    if (run->ann) return select__ann_row(run, key, err);
    CORM_TRY(select__project_row(run, &run->request->answer->body, err));
    wire__row_done(&run->writer);
    return select__count(run, key, err);
}

/* ---- ORDER BY over several partitions ---- */

typedef struct sorted_row {
    corm_bytes key;    /* order form of the ORDER BY columns */
    corm_bytes cells;  /* the projected row */
    size_t     number; /* as met: equal rows keep their order */
} sorted_row;

struct select_sorted {
    base_arena  arena;
    base_buf    scratch;
    sorted_row *rows;
    size_t      count, capacity;
};

corm_status select__sort_begin(select_run *run, corm_error *err) {
    run->sorted = calloc(1, sizeof *run->sorted);
    return run->sorted ? CORM_OK : base__fail_memory(err);
}

static corm_status keep_scratch(select_sorted *sorted, corm_bytes *out, corm_error *err) {
    CORM_TRY(base__buf_status(&sorted->scratch, err));
    *out =
        (corm_bytes){ base__arena_copy(&sorted->arena, sorted->scratch.data, sorted->scratch.len),
                      sorted->scratch.len };
    base__buf_clear(&sorted->scratch);
    return out->data ? CORM_OK : base__fail_memory(err);
}

static corm_status add_sorted(select_sorted *sorted, const sorted_row *row, corm_error *err) {
    if (sorted->count == sorted->capacity) {
        size_t      capacity = sorted->capacity ? 2 * sorted->capacity : 64;
        sorted_row *bigger = realloc(sorted->rows, capacity * sizeof *bigger);
        if (!bigger) return base__fail_memory(err);
        sorted->rows = bigger;
        sorted->capacity = capacity;
    }
    sorted->rows[sorted->count++] = *row;
    return CORM_OK;
}

static corm_status sort_key(select_run *run, const cql_value *values, corm_bytes *out,
                            corm_error *err) {
    for (uint32_t i = 0; i < run->select->sort_count; i++) {
        const cql_sort *by = &run->select->sort[i];
        cql__order_put(by->column->type, values[by->column->index], by->descending,
                       &run->sorted->scratch);
    }
    return keep_scratch(run->sorted, out, err);
}

corm_status select__sort_row(select_run *run, corm_error *err) {
    select_sorted *sorted = run->sorted;
    sorted_row     row = { .number = sorted->count };
    CORM_TRY(sort_key(run, run->values, &row.key, err));
    CORM_TRY(select__project_row(run, &sorted->scratch, err));
    CORM_TRY(keep_scratch(sorted, &row.cells, err));
    run->partition_rows++;
    if (run->partition_rows >= run->per_partition) run->skip_partition = true;
    return add_sorted(sorted, &row, err);
}

corm_status select__sort_group(select_run *run, corm_error *err) {
    select_sorted *sorted = run->sorted;
    sorted_row     row = { .number = sorted->count };
    CORM_TRY(sort_key(run, run->env.row->columns, &row.key, err));
    CORM_TRY(select__project(run, &sorted->scratch, err));
    CORM_TRY(keep_scratch(sorted, &row.cells, err));
    return add_sorted(sorted, &row, err);
}

static int compare_sorted(const void *a, const void *b) {
    const sorted_row *x = a, *y = b;
    size_t            len = x->key.len < y->key.len ? x->key.len : y->key.len;
    int               order = memcmp(x->key.data, y->key.data, len);
    if (order) return order;
    if (x->key.len != y->key.len) return x->key.len < y->key.len ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

corm_status select__sort_end(select_run *run, corm_error *err) {
    select_sorted *sorted = run->sorted;
    base_buf      *body = &run->request->answer->body;
    if (sorted->count > 1) qsort(sorted->rows, sorted->count, sizeof *sorted->rows, compare_sorted);
    for (size_t i = 0; i < sorted->count && i < run->limit; i++) {
        base__buf_put(body, sorted->rows[i].cells.data, sorted->rows[i].cells.len);
        wire__row_done(&run->writer);
    }
    return base__buf_status(body, err);
}

void select__sort_free(select_run *run) {
    if (!run->sorted) return;
    base__arena_free(&run->sorted->arena);
    base__buf_free(&run->sorted->scratch);
    free(run->sorted->rows);
    free(run->sorted);
    run->sorted = NULL;
}
