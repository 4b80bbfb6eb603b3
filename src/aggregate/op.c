// SPDX-License-Identifier: MIT
/* op.c -- the operators of a pipeline: what happens to a batch, and what is given at the end.
 *
 *   match, project, unwind, skip, limit    pass rows on at once
 *   groups, sorts, histograms              keep them until no more come
 *
 * An operator owns what it keeps and the operators behind it. Thread: one at a time. */
#include <stdlib.h>

#include "aggregate/pipeline.h"

corm_status agg__op_push(agg_op *op, const agg_batch *batch, corm_error *err) {
    return batch->count > 0 ? op->kind->push(op, batch, err) : CORM_OK;
}

corm_status agg__op_finish(agg_op *op, corm_error *err) {
    for (; op; op = op->next)
        if (op->kind->finish) CORM_TRY(op->kind->finish(op, NULL, 0, err));
    return CORM_OK;
}

void agg__op_free(agg_op *op) {
    while (op) {
        agg_op *next = op->next;
        if (op->kind->free) op->kind->free(op);
        agg__groups_free(op->groups);
        agg__sorter_free(op->sorter);
        base__arena_free(&op->scratch);
        base__buf_free(&op->key);
        base__buf_free(&op->record);
        free(op);
        op = next;
    }
}

/* ---- match ---- */

static uint32_t chosen_rows(const agg_column *condition, uint32_t count, uint16_t *rows) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[n] = (uint16_t)i;
        n += !condition->null[i] && condition->v.whole[i];
    }
    return n;
}

static corm_status copy_rows(agg_op *op, const agg_batch *batch, const uint16_t *rows,
                             uint32_t count, agg_batch *out, corm_error *err) {
    CORM_TRY(agg__batch_new(&op->scratch, &op->step->in, count, out, err));
    out->count = count;
    for (uint32_t c = 0; c < batch->column_count; c++)
        for (uint32_t i = 0; i < count; i++)
            agg__copy_cell(&out->columns[c], i, &batch->columns[c], rows[i]);
    return CORM_OK;
}

static corm_status push_match(agg_op *op, const agg_batch *batch, corm_error *err) {
    agg_work   work = { &op->scratch, batch->count, err };
    agg_column condition;
    uint16_t   rows[AGG_BATCH + 1];
    agg_batch  kept;
    base__arena_reset(&op->scratch);
    CORM_TRY(agg__eval(op->step->condition, batch, &work, &condition));
    uint32_t count = chosen_rows(&condition, batch->count, rows);
    if (count == batch->count) return agg__op_push(op->next, batch, err);
    if (count == 0) return CORM_OK;
    CORM_TRY(copy_rows(op, batch, rows, count, &kept, err));
    return agg__op_push(op->next, &kept, err);
}

static const agg_op_kind match_op = { push_match, NULL, NULL };

/* ---- project ---- */

static corm_status push_project(agg_op *op, const agg_batch *batch, corm_error *err) {
    agg_work  work = { &op->scratch, batch->count, err };
    agg_batch out = { .count = batch->count, .column_count = op->step->count };
    base__arena_reset(&op->scratch);
    out.columns = BASE_NEW_ARRAY(&op->scratch, agg_column, op->step->count + 1);
    if (!out.columns) return base__fail_memory(err);
    for (uint32_t i = 0; i < op->step->count; i++)
        CORM_TRY(agg__eval(op->step->exprs[i], batch, &work, &out.columns[i]));
    return agg__op_push(op->next, &out, err);
}

static const agg_op_kind project_op = { push_project, NULL, NULL };

/* ---- skip, limit ---- */

static corm_status push_range(agg_op *op, const agg_batch *batch, uint32_t from, uint32_t to,
                              corm_error *err) {
    uint16_t  rows[AGG_BATCH];
    agg_batch part;
    if (from == 0 && to == batch->count) return agg__op_push(op->next, batch, err);
    if (from >= to) return CORM_OK;
    base__arena_reset(&op->scratch);
    for (uint32_t i = from; i < to; i++) rows[i - from] = (uint16_t)i;
    CORM_TRY(copy_rows(op, batch, rows, to - from, &part, err));
    return agg__op_push(op->next, &part, err);
}

static corm_status push_skip(agg_op *op, const agg_batch *batch, corm_error *err) {
    uint64_t left = op->step->number - op->seen;
    uint32_t from = left < batch->count ? (uint32_t)left : batch->count;
    op->seen += from;
    return push_range(op, batch, from, batch->count, err);
}

static corm_status push_limit(agg_op *op, const agg_batch *batch, corm_error *err) {
    uint64_t left = op->step->number - op->seen;
    uint32_t to = left < batch->count ? (uint32_t)left : batch->count;
    op->seen += to;
    if (op->seen == op->step->number) atomic_store(&op->run->enough, true);
    return push_range(op, batch, 0, to, err);
}

static const agg_op_kind skip_op = { push_skip, NULL, NULL };
static const agg_op_kind limit_op = { push_limit, NULL, NULL };

/* ---- groups ---- */

static corm_status push_group(agg_op *op, const agg_batch *batch, corm_error *err) {
    return agg__groups_add(op->groups, batch, err);
}

static corm_status give_groups(void *context, const agg_batch *batch, corm_error *err) {
    return agg__op_push(((agg_op *)context)->next, batch, err);
}

static corm_status finish_group(agg_op *op, agg_op *const *others, uint32_t count,
                                corm_error *err) {
    agg_groups **tables = BASE_NEW_ARRAY(&op->scratch, agg_groups *, count + 1);
    if (!tables) return base__fail_memory(err);
    tables[0] = op->groups;
    for (uint32_t i = 0; i < count; i++) tables[i + 1] = others[i]->groups;
    return agg__groups_give(tables, count + 1, give_groups, op, err);
}

const agg_op_kind agg__group_op = { push_group, finish_group, NULL };

/* ---- all of them ---- */

bool agg__is_breaker(agg_stage_kind kind) {
    return kind == AGG_GROUP || kind == AGG_SORT || kind == AGG_BUCKETS;
}

bool agg__is_stateless(agg_stage_kind kind) {
    return kind == AGG_MATCH || kind == AGG_PROJECT || kind == AGG_ADD || kind == AGG_UNWIND;
}

static const agg_op_kind *kind_of(agg_stage_kind kind) {
    switch (kind) {
    case AGG_MATCH: return &match_op;
    case AGG_PROJECT:
    case AGG_ADD: return &project_op;
    case AGG_UNWIND: return &agg__unwind_op;
    case AGG_GROUP: return &agg__group_op;
    case AGG_SORT: return &agg__sort_op;
    case AGG_SKIP: return &skip_op;
    case AGG_LIMIT: return &limit_op;
    default: return &agg__bucket_op;
    }
}

corm_status agg__op_new(const agg_step *step, agg_run *run, agg_op *next, agg_op **out,
                        corm_error *err) {
    agg_op *op = calloc(1, sizeof *op);
    *out = op;
    if (!op) return base__fail_memory(err);
    op->kind = kind_of(step->kind);
    op->step = step;
    op->run = run;
    op->next = next;
    corm_status status = CORM_OK;
    if (step->kind == AGG_GROUP)
        status = agg__groups_new(&step->grouping, &run->memory, &op->groups, err);
    if (step->kind == AGG_SORT)
        status = agg__sorter_new(&run->memory, step->number, &op->sorter, err);
    if (step->kind == AGG_BUCKETS) status = agg__sorter_new(&run->memory, 0, &op->sorter, err);
    if (step->kind == AGG_LIMIT && step->number == 0) atomic_store(&run->enough, true);
    if (status == CORM_OK) return CORM_OK;
    op->next = NULL;
    agg__op_free(op);
    *out = NULL;
    return status;
}
