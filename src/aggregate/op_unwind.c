// SPDX-License-Identifier: MIT
/* op_unwind.c -- one row for each element of a collection. Thread: one at a time. */
#include "aggregate/pipeline.h"

typedef struct unwinding {
    agg_op   *op;
    agg_batch out;
} unwinding;

static corm_status flush(unwinding *u, corm_error *err) {
    CORM_TRY(agg__op_push(u->op->next, &u->out, err));
    u->out.count = 0;
    return CORM_OK;
}

/* The row with one element (and a map's value) in the place of the collection. */
static corm_status put(unwinding *u, const agg_batch *batch, uint32_t row, cql_value element,
                       const cql_value *value, corm_error *err) {
    uint32_t at = u->out.count++, column = u->op->step->column;
    for (uint32_t c = 0; c < batch->column_count; c++)
        if (c != column) agg__copy_cell(&u->out.columns[c], at, &batch->columns[c], row);
    agg__set_cell(&u->out.columns[column], at, element);
    if (value) agg__set_cell(&u->out.columns[batch->column_count], at, *value);
    return u->out.count == AGG_BATCH ? flush(u, err) : CORM_OK;
}

static corm_status unwind_row(unwinding *u, const agg_batch *batch, uint32_t row, corm_error *err) {
    const agg_column *column = &batch->columns[u->op->step->column];
    bool              is_map = column->type->id == CQL_MAP, any = false;
    cql_value         element, value = CQL_NULL;
    if (!column->null[row]) {
        cql_walk walk;
        CORM_TRY(cql__walk_begin(&walk, column->type, column->v.wire[row], err));
        while (cql__walk_next(&walk, &element)) {
            if (is_map && !cql__walk_next(&walk, &value)) break;
            CORM_TRY(put(u, batch, row, element, is_map ? &value : NULL, err));
            any = true;
        }
    }
    if (any || !u->op->step->keep_empty) return CORM_OK;
    value = CQL_NULL;
    return put(u, batch, row, CQL_NULL, is_map ? &value : NULL, err);
}

static corm_status push(agg_op *op, const agg_batch *batch, corm_error *err) {
    unwinding u = { .op = op };
    base__arena_reset(&op->scratch);
    CORM_TRY(agg__batch_new(&op->scratch, &op->step->out, AGG_BATCH, &u.out, err));
    for (uint32_t i = 0; i < batch->count; i++) CORM_TRY(unwind_row(&u, batch, i, err));
    return flush(&u, err);
}

const agg_op_kind agg__unwind_op = { push, NULL, NULL };
