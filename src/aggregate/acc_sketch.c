// SPDX-License-Identifier: MIT
/* acc_sketch.c -- approximate answers in little memory: different values (HyperLogLog) and quantiles (DDSketch).
 *
 * approx_count_distinct keeps the hashes themselves up to 1024 of them, so that the answer is exact; then 2^14 registers of a byte.
 * The estimate is Ertl's ("New cardinality estimation algorithms for HyperLogLog sketches", 2017), which needs no tables against
 * bias: the standard error is 1.04 / sqrt(2^14) = 0.81 % over the whole range.
 *
 * approx_percentile counts values in buckets whose bounds grow by 1.01 / 0.99 (Masson, Rim, Lee: "DDSketch", 2019): the answer is
 * within one percent of the value at that rank. Both merge without loss. Thread: that of the groups. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "aggregate/acc.h"
#include "aggregate/set.h"
#include "base/fail.h"
#include "base/map.h"

/* ---- HyperLogLog ---- */

enum { BITS = 14, REGISTERS = 1 << BITS, FEW = 1024 };

typedef struct hll {
    uint32_t  count; /* of hashes, while there are no registers */
    uint32_t  capacity;
    uint64_t *hashes;    /* open addressing; 0: free */
    uint8_t  *registers; /* NULL: few */
} hll;

static void raise_register(uint8_t *registers, uint64_t hash) {
    uint64_t rest = hash << BITS | UINT64_C(1) << (BITS - 1);
    uint8_t  rank = (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *at = &registers[hash >> (64 - BITS)];
    if (*at < rank) *at = rank;
}

static corm_status become_many(hll *state, base_arena *arena, corm_error *err) {
    state->registers = base__arena_calloc(arena, REGISTERS, 1);
    if (!state->registers) return base__fail_memory(err);
    for (uint32_t i = 0; i < state->capacity; i++)
        if (state->hashes[i]) raise_register(state->registers, state->hashes[i]);
    state->hashes = NULL;
    state->count = state->capacity = 0;
    return CORM_OK;
}

/* True when it is new. */
static bool put_hash(uint64_t *hashes, uint32_t capacity, uint64_t hash) {
    uint32_t at = (uint32_t)hash & (capacity - 1);
    while (hashes[at] && hashes[at] != hash) at = (at + 1) & (capacity - 1);
    bool is_new = hashes[at] == 0;
    hashes[at] = hash;
    return is_new;
}

static bool has_hash(const hll *state, uint64_t hash) {
    uint32_t at = (uint32_t)hash & (state->capacity - 1);
    while (state->hashes[at] && state->hashes[at] != hash) at = (at + 1) & (state->capacity - 1);
    return state->hashes[at] == hash;
}

static corm_status grow_hashes(hll *state, base_arena *arena, corm_error *err) {
    uint32_t  capacity = state->capacity ? 2 * state->capacity : 8;
    uint64_t *hashes = BASE_NEW_ARRAY(arena, uint64_t, capacity);
    if (!hashes) return base__fail_memory(err);
    for (uint32_t i = 0; i < state->capacity; i++)
        if (state->hashes[i]) put_hash(hashes, capacity, state->hashes[i]);
    state->hashes = hashes;
    state->capacity = capacity;
    return CORM_OK;
}

static corm_status add_hash(hll *state, base_arena *arena, uint64_t hash, corm_error *err) {
    if (hash == 0) hash = 1;
    if (!state->registers && state->count >= FEW) {
        if (has_hash(state, hash)) return CORM_OK;
        CORM_TRY(become_many(state, arena, err));
    }
    if (state->registers) {
        raise_register(state->registers, hash);
        return CORM_OK;
    }
    if (2 * (state->count + 1) > state->capacity) CORM_TRY(grow_hashes(state, arena, err));
    state->count += put_hash(state->hashes, state->capacity, hash);
    return CORM_OK;
}

static corm_status update_hll(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                              const agg_column *args, uint32_t count, corm_error *err) {
    base_buf    buf = { 0 };
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < count && status == CORM_OK; i++) {
        int64_t word;
        if (args[0].null[i]) continue;
        cql_value key = agg__canonical(&args[0], i, &word, &buf);
        uint64_t  hash = base__hash(key.data, (size_t)key.len, 0x9E3779B97F4A7C15);
        status = add_hash(AGG_STATE(hll, acc, states[i]), arena, hash, err);
    }
    base__buf_free(&buf);
    return status;
}

static corm_status merge_hll(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                             corm_error *err) {
    hll       *a = into;
    const hll *b = from;
    (void)acc;
    for (uint32_t i = 0; i < b->capacity; i++)
        if (b->hashes[i]) CORM_TRY(add_hash(a, arena, b->hashes[i], err));
    if (!b->registers) return CORM_OK;
    if (!a->registers && a->count == 0) {
        a->registers = b->registers;
        return CORM_OK;
    }
    if (!a->registers) CORM_TRY(become_many(a, arena, err));
    for (uint32_t i = 0; i < REGISTERS; i++)
        if (a->registers[i] < b->registers[i]) a->registers[i] = b->registers[i];
    return CORM_OK;
}

static double sigma(double x) {
    double y = 1, z = x, before = -1;
    if (x == 1) return INFINITY;
    while (z != before) {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    }
    return z;
}

static double tau(double x) {
    double y = 1, z = 1 - x, before = -1;
    if (x == 0 || x == 1) return 0;
    while (z != before) {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    }
    return z / 3;
}

static double estimate(const uint8_t *registers) {
    enum { RANKS = 64 - BITS };
    uint32_t counts[RANKS + 2] = { 0 };
    double   m = REGISTERS;
    for (uint32_t i = 0; i < REGISTERS; i++) counts[registers[i]]++;
    double z = m * tau((m - counts[RANKS + 1]) / m);
    for (int k = RANKS; k >= 1; k--) z = 0.5 * (z + counts[k]);
    z += m * sigma(counts[0] / m);
    return m * m / (2 * log(2)) / z;
}

static corm_status finish_hll(const agg_acc *acc, const agg_work *work, const void *state,
                              agg_column *out, uint32_t row) {
    const hll *held = state;
    (void)acc;
    (void)work;
    out->v.whole[row] =
        held->registers ? (int64_t)(estimate(held->registers) + 0.5) : (int64_t)held->count;
    return CORM_OK;
}

static void save_hll(const agg_acc *acc, const void *state, base_buf *out) {
    const hll *held = state;
    (void)acc;
    base__buf_u8(out, held->registers != NULL);
    base__buf_u32(out, held->count);
    if (held->registers) base__buf_put(out, held->registers, REGISTERS);
    for (uint32_t i = 0; i < held->capacity; i++)
        if (held->hashes[i]) base__buf_u64(out, held->hashes[i]);
}

static corm_status load_hll(const agg_acc *acc, base_arena *arena, base_reader *from, void *state,
                            corm_error *err) {
    hll     *held = state;
    bool     many = base__read_u8(from) != 0;
    uint32_t count = base__read_u32(from);
    (void)acc;
    if (many) {
        corm_bytes bytes = base__read_bytes(from, REGISTERS);
        if (from->failed) return CORM_OK;
        held->registers = base__arena_copy(arena, bytes.data, bytes.len);
        return held->registers ? CORM_OK : base__fail_memory(err);
    }
    for (uint32_t i = 0; i < count && !from->failed; i++)
        CORM_TRY(add_hash(held, arena, base__read_u64(from), err));
    return CORM_OK;
}

static const agg_acc_kind hll_kind = { sizeof(hll), update_hll, merge_hll,
                                       finish_hll,  save_hll,   load_hll };

static corm_status check_hll(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    (void)binding;
    (void)err;
    acc->type = cql__type_native(CQL_BIGINT);
    acc->kind = &hll_kind;
    return CORM_OK;
}

/* ---- DDSketch ---- */

/* A bucket's key is its place in the order of values: -2^30 - i for negative ones, 0 for zero, 2^30 + i for positive ones. */
#define MIDDLE (INT32_C(1) << 30)
static const double GROWTH = 1.01 / 0.99;

static int32_t bucket_of(double v) {
    double magnitude = fabs(v);
    if (v != v) return INT32_MAX;
    if (magnitude < DBL_MIN) return 0;
    int32_t i = isinf(v) ? MIDDLE / 2 : (int32_t)ceil(log(magnitude) / log(GROWTH));
    return v > 0 ? MIDDLE + i : -(MIDDLE + i);
}

static double value_of(int32_t bucket) {
    if (bucket == INT32_MAX) return NAN;
    if (bucket == 0) return 0;
    int32_t i = (bucket < 0 ? -bucket : bucket) - MIDDLE;
    double  v = i == MIDDLE / 2 ? INFINITY : 2 * pow(GROWTH, i) / (GROWTH + 1);
    return bucket < 0 ? -v : v;
}

static corm_status update_sketch(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                                 const agg_column *args, uint32_t count, corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        if (args[0].null[i]) continue;
        int32_t bucket = bucket_of(args[0].v.real[i]);
        if (!agg__set_add(AGG_STATE(agg_set, acc, states[i]), arena,
                          (corm_bytes){ (const uint8_t *)&bucket, sizeof bucket },
                          (corm_bytes){ NULL, 0 }, 1))
            return base__fail_memory(err);
    }
    return CORM_OK;
}

typedef struct counted {
    int32_t  bucket;
    uint64_t times;
} counted;

static int compare_counted(const void *a, const void *b) {
    int32_t x = ((const counted *)a)->bucket, y = ((const counted *)b)->bucket;
    return (x > y) - (x < y);
}

static corm_status finish_sketch(const agg_acc *acc, const agg_work *work, const void *state,
                                 agg_column *out, uint32_t row) {
    const agg_set *set = state;
    counted       *all = BASE_NEW_ARRAY(work->arena, counted, set->count + 1);
    uint64_t       at = 0, total = 0;
    size_t         n = 0;
    if (!all) return base__fail_memory(work->err);
    for (const agg_set_item *item; (item = agg__set_next(set, &at)) != NULL; n++) {
        memcpy(&all[n].bucket, item->bytes, sizeof all[n].bucket);
        all[n].times = item->times;
        total += item->times;
    }
    out->null[row] = n == 0;
    if (n == 0) return CORM_OK;
    qsort(all, n, sizeof *all, compare_counted);
    uint64_t rank = (uint64_t)(acc->parameter * (double)(total - 1)), seen = 0;
    size_t   i = 0;
    while (i + 1 < n && seen + all[i].times <= rank) seen += all[i++].times;
    out->v.real[row] = value_of(all[i].bucket);
    return CORM_OK;
}

static const agg_acc_kind sketch_kind = { sizeof(agg_set), update_sketch,     agg__acc_set_merge,
                                          finish_sketch,   agg__acc_set_save, agg__acc_set_load };

static corm_status check_sketch(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    if (!(acc->parameter >= 0 && acc->parameter <= 1))
        return base__fail(err, CORM_INVALID, "%s wants a part from 0 to 1", acc->ops->name);
    if (!agg__is_number(acc->args[0]->type))
        return base__fail(err, CORM_INVALID, "%s wants numbers", acc->ops->name);
    acc->type = cql__type_native(CQL_DOUBLE);
    acc->kind = &sketch_kind;
    return agg__convert(binding, &acc->args[0], acc->type, err);
}

const agg_acc_ops agg__sketch_accs[] = {
    { "approx_count_distinct", 1, 0, false, check_hll, "approx_count_distinct(a)",
      "different values, with a standard error of 0.81 %; exact up to 1024" },
    { "approx_percentile", 1, 1, false, check_sketch, "approx_percentile(a, 0.9)",
      "within one percent of the value at that rank" },
    { .name = NULL },
};
