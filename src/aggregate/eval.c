// SPDX-License-Identifier: MIT
/* eval.c -- bound expressions, worked out for all rows of a batch at a time.
 *
 * Results live in the arena of the batch's work; a column of the batch is given as it is, without a copy. Thread: the caller's. */
#include "aggregate/expr.h"
#include "base/fail.h"

const agg_function *agg__function_named(corm_str name) {
    static const agg_function *const tables[] = {
        agg__number_functions, agg__logic_functions, agg__text_functions,
        agg__time_functions,   agg__cast_functions,  agg__collection_functions
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const agg_function *f = tables[i]; f->name; f++)
            if (corm_str_equal(corm_str_of(f->name), name)) return f;
    return NULL;
}

static int compare_reals(double a, double b) {
    bool nan_a = a != a, nan_b = b != b;
    if (nan_a || nan_b) return (int)nan_a - (int)nan_b;
    return (a > b) - (a < b);
}

int agg__compare_cells(const agg_column *a, uint32_t i, const agg_column *b, uint32_t j) {
    switch (a->rep) {
    case AGG_WHOLE: return (a->v.whole[i] > b->v.whole[j]) - (a->v.whole[i] < b->v.whole[j]);
    case AGG_REAL: return compare_reals(a->v.real[i], b->v.real[j]);
    default: return cql__compare(a->type, a->v.wire[i], b->v.wire[j]);
    }
}

corm_status agg__keep(const agg_work *work, base_buf *from, cql_value *out) {
    CORM_TRY(base__buf_status(from, work->err));
    if (from->len > INT32_MAX) return base__fail(work->err, CORM_INVALID, "a value is too long");
    uint8_t *copy = base__arena_copy(work->arena, from->data, from->len);
    if (!copy) return base__fail_memory(work->err);
    *out = (cql_value){ copy, (int32_t)from->len };
    base__buf_clear(from);
    return CORM_OK;
}

static corm_status repeat(const agg_expr *expr, const agg_work *work, agg_column *out) {
    CORM_TRY(agg__column_new(work->arena, expr->type, work->count, out, work->err));
    for (uint32_t i = 0; i < work->count; i++) agg__copy_cell(out, i, &expr->cell, 0);
    return CORM_OK;
}

static void join_nulls(const agg_expr *expr, const agg_work *work, const agg_column *args,
                       agg_column *out) {
    for (uint32_t a = 0; a < expr->count; a++)
        for (uint32_t i = 0; i < work->count; i++) out->null[i] |= args[a].null[i];
}

static void clear_nulls(const agg_work *work, agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++)
        if (out->null[i]) agg__set_null(out, i);
}

static corm_status call(const agg_expr *expr, const agg_batch *in, const agg_work *work,
                        agg_column *out) {
    agg_column *args = BASE_NEW_ARRAY(work->arena, agg_column, expr->count);
    if (!args) return base__fail_memory(work->err);
    for (uint32_t i = 0; i < expr->count; i++)
        CORM_TRY(agg__eval(expr->args[i], in, work, &args[i]));
    CORM_TRY(agg__column_new(work->arena, expr->type, work->count, out, work->err));
    if (expr->function->strict) join_nulls(expr, work, args, out);
    CORM_TRY(expr->function->eval(expr, work, args, out));
    clear_nulls(work, out);
    return CORM_OK;
}

corm_status agg__eval(const agg_expr *expr, const agg_batch *in, const agg_work *work,
                      agg_column *out) {
    switch (expr->kind) {
    case AGG_COLUMN: *out = in->columns[expr->column]; return CORM_OK;
    case AGG_CONSTANT: return repeat(expr, work, out);
    default: return call(expr, in, work, out);
    }
}
