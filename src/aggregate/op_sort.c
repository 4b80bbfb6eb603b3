// SPDX-License-Identifier: MIT
/* op_sort.c -- operators that give their rows in order: the sort, and histograms of about as many rows a bucket.
 *
 * A row is kept as its cells in wire form, behind the order form of what it is sorted by. Thread: one at a time. */
#include "aggregate/pipeline.h"

/* ---- sort ---- */

static corm_status put_row(agg_op *op, const agg_batch *batch, const agg_column *keys, uint32_t row,
                           corm_error *err) {
    base__buf_clear(&op->key);
    base__buf_clear(&op->record);
    for (uint32_t k = 0; k < op->step->count; k++)
        agg__put_order(&keys[k], row, op->step->descending[k], &op->key);
    for (uint32_t c = 0; c < batch->column_count; c++)
        agg__put_cell(&batch->columns[c], row, &op->record);
    CORM_TRY(base__buf_status(&op->key, err));
    CORM_TRY(base__buf_status(&op->record, err));
    return agg__sorter_add(op->sorter, base__buf_bytes(&op->key), base__buf_bytes(&op->record),
                           err);
}

static corm_status eval_keys(agg_op *op, const agg_batch *batch, agg_column **keys,
                             corm_error *err) {
    agg_work work = { &op->scratch, batch->count, err };
    base__arena_reset(&op->scratch);
    *keys = BASE_NEW_ARRAY(&op->scratch, agg_column, op->step->count + 1);
    if (!*keys) return base__fail_memory(err);
    for (uint32_t k = 0; k < op->step->count; k++)
        CORM_TRY(agg__eval(op->step->exprs[k], batch, &work, &(*keys)[k]));
    return CORM_OK;
}

static corm_status push_sort(agg_op *op, const agg_batch *batch, corm_error *err) {
    agg_column *keys;
    CORM_TRY(eval_keys(op, batch, &keys, err));
    for (uint32_t i = 0; i < batch->count; i++) CORM_TRY(put_row(op, batch, keys, i, err));
    return CORM_OK;
}

/* Sorted rows, some at a time: their bytes behind each other, then read as a page is. */
typedef struct giving {
    agg_op   *op;
    base_buf  rows;
    uint32_t  count;
    agg_batch batch;
} giving;

static corm_status give_rows(giving *g, corm_error *err) {
    base_reader reader = { g->rows.data, g->rows.len, false };
    if (g->count == 0) return CORM_OK;
    CORM_TRY(base__buf_status(&g->rows, err));
    if (!agg__read_rows(&reader, &g->batch, g->count))
        return base__fail(err, CORM_CORRUPT, "a sorted row is damaged");
    g->count = 0;
    CORM_TRY(agg__op_push(g->op->next, &g->batch, err));
    base__buf_clear(&g->rows);
    return CORM_OK;
}

static corm_status give_sorted(giving *g, agg_merge *merge, corm_error *err) {
    uint64_t most = g->op->step->number;
    for (uint64_t given = 0; most == 0 || given < most; given++) {
        corm_bytes key, record;
        CORM_TRY(agg__merge_next(merge, &key, &record, err));
        if (!key.data) break;
        base__buf_put(&g->rows, record.data, record.len);
        if (++g->count == AGG_BATCH) CORM_TRY(give_rows(g, err));
    }
    return give_rows(g, err);
}

static corm_status merge_all(agg_op *op, agg_op *const *others, uint32_t count, agg_merge **out,
                             corm_error *err) {
    agg_sorter **sorters = BASE_NEW_ARRAY(&op->scratch, agg_sorter *, count + 1);
    if (!sorters) return base__fail_memory(err);
    sorters[0] = op->sorter;
    for (uint32_t i = 0; i < count; i++) sorters[i + 1] = others[i]->sorter;
    return agg__merge_new(sorters, count + 1, out, err);
}

static corm_status finish_sort(agg_op *op, agg_op *const *others, uint32_t count, corm_error *err) {
    giving     g = { .op = op };
    agg_merge *merge;
    CORM_TRY(merge_all(op, others, count, &merge, err));
    corm_status status = agg__batch_new(&op->scratch, &op->step->in, AGG_BATCH, &g.batch, err);
    if (status == CORM_OK) status = give_sorted(&g, merge, err);
    agg__merge_free(merge);
    base__buf_free(&g.rows);
    return status;
}

const agg_op_kind agg__sort_op = { push_sort, finish_sort, NULL };

/* ---- histograms ---- */

static corm_status push_buckets(agg_op *op, const agg_batch *batch, corm_error *err) {
    agg_column *keys;
    CORM_TRY(eval_keys(op, batch, &keys, err));
    for (uint32_t i = 0; i < batch->count; i++) {
        base__buf_clear(&op->key);
        base__buf_clear(&op->record);
        agg__put_order(&keys[0], i, false, &op->key);
        agg__put_cell(&keys[0], i, &op->record);
        CORM_TRY(base__buf_status(&op->key, err));
        CORM_TRY(base__buf_status(&op->record, err));
        CORM_TRY(agg__sorter_add(op->sorter, base__buf_bytes(&op->key),
                                 base__buf_bytes(&op->record), err));
    }
    return CORM_OK;
}

/* The bucket that is being filled. */
typedef struct bucket {
    agg_op  *op;
    uint64_t wanted, rows, left_buckets, left_rows;
    base_buf min, max, last_key;
} bucket;

static corm_status give_bucket(bucket *b, corm_error *err) {
    agg_batch out;
    agg_op   *op = b->op;
    if (b->rows == 0) return CORM_OK;
    base__arena_reset(&op->scratch);
    CORM_TRY(agg__batch_new(&op->scratch, &op->step->out, 1, &out, err));
    CORM_TRY(base__buf_status(&b->min, err));
    CORM_TRY(base__buf_status(&b->max, err));
    base_reader min = { b->min.data, b->min.len, false }, max = { b->max.data, b->max.len, false };
    out.count = 1;
    agg__set_cell(&out.columns[0], 0, cql__read_value(&min));
    agg__set_cell(&out.columns[1], 0, cql__read_value(&max));
    out.columns[2].v.whole[0] = (int64_t)b->rows;
    b->left_rows -= b->rows;
    b->left_buckets -= b->left_buckets > 1;
    b->wanted = (b->left_rows + b->left_buckets - 1) / b->left_buckets;
    b->rows = 0;
    return agg__op_push(op->next, &out, err);
}

static void replace(base_buf *buf, corm_bytes bytes) {
    base__buf_clear(buf);
    base__buf_put(buf, bytes.data, bytes.len);
}

/* A bucket that is full ends where the next value is another one. */
static corm_status fill_buckets(bucket *b, agg_merge *merge, corm_error *err) {
    for (;;) {
        corm_bytes key, record;
        CORM_TRY(agg__merge_next(merge, &key, &record, err));
        if (!key.data) return give_bucket(b, err);
        bool same = b->last_key.len == key.len && memcmp(b->last_key.data, key.data, key.len) == 0;
        if (b->rows >= b->wanted && !same) CORM_TRY(give_bucket(b, err));
        if (b->rows++ == 0) replace(&b->min, record);
        replace(&b->max, record);
        replace(&b->last_key, key);
        CORM_TRY(base__buf_status(&b->last_key, err));
    }
}

static corm_status finish_buckets(agg_op *op, agg_op *const *others, uint32_t count,
                                  corm_error *err) {
    agg_merge *merge;
    bucket     b = { .op = op, .left_buckets = op->step->number };
    b.left_rows = agg__sorter_count(op->sorter);
    for (uint32_t i = 0; i < count; i++) b.left_rows += agg__sorter_count(others[i]->sorter);
    b.wanted = (b.left_rows + b.left_buckets - 1) / b.left_buckets;
    CORM_TRY(merge_all(op, others, count, &merge, err));
    corm_status status = fill_buckets(&b, merge, err);
    agg__merge_free(merge);
    base__buf_free(&b.min);
    base__buf_free(&b.max);
    base__buf_free(&b.last_key);
    return status;
}

const agg_op_kind agg__bucket_op = { push_buckets, finish_buckets, NULL };
