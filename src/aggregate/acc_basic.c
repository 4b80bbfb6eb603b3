// SPDX-License-Identifier: MIT
/* acc_basic.c -- count, sum, avg, min, max, first, last.
 *
 * Sums of whole numbers are kept in 128 bits, those of floats with the part that rounding lost, those of varints and decimals exactly.
 * Null is passed over by all but first, last and count(*). Thread: that of the groups. */
#include "aggregate/acc.h"
#include "base/fail.h"
#include "cql/numbers.h"

__extension__ typedef __int128 int128;

/* ---- count ---- */

static corm_status update_count(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                                const agg_column *args, uint32_t count, corm_error *err) {
    (void)arena;
    (void)err;
    if (acc->count == 0) {
        for (uint32_t i = 0; i < count; i++) ++*AGG_STATE(int64_t, acc, states[i]);
        return CORM_OK;
    }
    for (uint32_t i = 0; i < count; i++) *AGG_STATE(int64_t, acc, states[i]) += !args[0].null[i];
    return CORM_OK;
}

static corm_status merge_count(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                               corm_error *err) {
    (void)acc;
    (void)arena;
    (void)err;
    *(int64_t *)into += *(const int64_t *)from;
    return CORM_OK;
}

static corm_status finish_count(const agg_acc *acc, const agg_work *work, const void *state,
                                agg_column *out, uint32_t row) {
    (void)acc;
    (void)work;
    out->v.whole[row] = *(const int64_t *)state;
    return CORM_OK;
}

static const agg_acc_kind count_kind = { sizeof(int64_t), update_count, merge_count,
                                         finish_count,    NULL,         NULL };

static corm_status check_count(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    (void)binding;
    (void)err;
    acc->type = cql__type_native(CQL_BIGINT);
    acc->kind = &count_kind;
    return CORM_OK;
}

/* ---- sum and avg of whole numbers ---- */

typedef struct whole_sum {
    int128  sum;
    int64_t count;
} whole_sum;

static corm_status update_whole(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                                const agg_column *args, uint32_t count, corm_error *err) {
    (void)arena;
    (void)err;
    const int64_t *values = args[0].v.whole;
    const uint8_t *null = args[0].null;
    for (uint32_t i = 0; i < count; i++) {
        whole_sum *state = AGG_STATE(whole_sum, acc, states[i]);
        state->sum += values[i]; /* of null: 0 */
        state->count += !null[i];
    }
    return CORM_OK;
}

static corm_status merge_whole(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                               corm_error *err) {
    (void)acc;
    (void)arena;
    (void)err;
    whole_sum *a = into;
    a->sum += ((const whole_sum *)from)->sum;
    a->count += ((const whole_sum *)from)->count;
    return CORM_OK;
}

static corm_status finish_whole(const agg_acc *acc, const agg_work *work, const void *state,
                                agg_column *out, uint32_t row) {
    const whole_sum *sum = state;
    out->null[row] = sum->count == 0;
    if (out->rep == AGG_REAL) {
        out->v.real[row] = sum->count ? (double)sum->sum / (double)sum->count : 0;
        return CORM_OK;
    }
    if (sum->sum > INT64_MAX || sum->sum < INT64_MIN)
        return base__fail(work->err, CORM_INVALID,
                          "%.*s is beyond bigint; sum(cast(… AS varint)) has no bounds",
                          (int)acc->alias.len, acc->alias.data);
    out->v.whole[row] = (int64_t)sum->sum;
    return CORM_OK;
}

static const agg_acc_kind whole_kind = { sizeof(whole_sum), update_whole, merge_whole,
                                         finish_whole,      NULL,         NULL };

/* ---- sum and avg of floats ---- */

typedef struct real_sum {
    double  sum, lost; /* Neumaier: what rounding took from the sum */
    int64_t count;
} real_sum;

static inline void add_real(real_sum *state, double v) {
    double sum = state->sum + v;
    double big = state->sum >= v ? state->sum : v, small = state->sum >= v ? v : state->sum;
    if (-small > big) {
        double other = big;
        big = small;
        small = other;
    }
    double lost = (big - sum) + small;
    if (lost == lost) state->lost += lost; /* no number beside infinity */
    state->sum = sum;
}

static corm_status update_real(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                               const agg_column *args, uint32_t count, corm_error *err) {
    (void)arena;
    (void)err;
    const double *values = args[0].v.real;
    for (uint32_t i = 0; i < count; i++) {
        if (args[0].null[i]) continue;
        real_sum *state = AGG_STATE(real_sum, acc, states[i]);
        add_real(state, values[i]);
        state->count++;
    }
    return CORM_OK;
}

static corm_status merge_real(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                              corm_error *err) {
    (void)acc;
    (void)arena;
    (void)err;
    const real_sum *other = from;
    real_sum       *state = into;
    add_real(state, other->sum);
    state->lost += other->lost;
    state->count += other->count;
    return CORM_OK;
}

static corm_status finish_real(const agg_acc *acc, const agg_work *work, const void *state,
                               agg_column *out, uint32_t row) {
    const real_sum *sum = state;
    (void)work;
    double total = sum->sum + sum->lost;
    out->null[row] = sum->count == 0;
    bool is_avg = acc->detail != 0;
    out->v.real[row] = sum->count == 0 ? 0 : is_avg ? total / (double)sum->count : total;
    return CORM_OK;
}

static const agg_acc_kind real_kind = { sizeof(real_sum), update_real, merge_real,
                                        finish_real,      NULL,        NULL };

/* ---- sum and avg of varints and decimals ---- */

/* Numbers of one scale whose digits fit 64 bits are added in 128 bits; the rest, and what these become when the scale changes, in
 * wire form. */
typedef struct big_sum {
    int128   small;
    int32_t  scale; /* of `small` */
    uint32_t len, room;
    uint8_t *big; /* of the result's type; NULL: zero */
    int64_t  count;
} big_sum;

/* A number of 128 bits as a value of the type, at most 21 bytes. */
static cql_value put_small(const agg_acc *acc, const big_sum *state, uint8_t out[24]) {
    bool    decimal = acc->args[0]->type->id == CQL_DECIMAL;
    int128  v = state->small;
    uint8_t digits[16];
    int     first = 0, head = decimal ? 4 : 0;
    for (int i = 0; i < 16; i++) digits[i] = (uint8_t)(v >> (8 * (15 - i)));
    while (first < 15 && ((digits[first] == 0 && digits[first + 1] < 0x80) ||
                          (digits[first] == 0xFF && digits[first + 1] >= 0x80)))
        first++;
    if (decimal) base__store_u32(out, (uint32_t)state->scale);
    memcpy(out + head, digits + first, (size_t)(16 - first));
    return (cql_value){ out, head + 16 - first };
}

static corm_status keep_big(big_sum *state, base_arena *arena, const base_buf *from,
                            corm_error *err) {
    CORM_TRY(base__buf_status(from, err));
    if (from->len > state->room) {
        uint32_t room = (uint32_t)from->len * 2;
        state->big = base__arena_alloc(arena, room);
        if (!state->big) return base__fail_memory(err);
        state->room = room;
    }
    memcpy(state->big, from->data, from->len);
    state->len = (uint32_t)from->len;
    return CORM_OK;
}

static corm_status add_big(const agg_acc *acc, big_sum *state, base_arena *arena, cql_value value,
                           corm_error *err) {
    base_buf    sum = { 0 };
    corm_status status = CORM_OK;
    cql_value   old = { state->big, (int32_t)state->len };
    if (!state->big) {
        base__buf_put(&sum, value.data, (size_t)value.len);
    } else if (acc->args[0]->type->id == CQL_DECIMAL) {
        status = cql__decimal_arith(CQL_ADD, old, value, &sum, err);
    } else {
        status = cql__varint_arith(CQL_ADD, old, value, &sum, err);
    }
    if (status == CORM_OK) status = keep_big(state, arena, &sum, err);
    base__buf_free(&sum);
    return status;
}

static corm_status flush_small(const agg_acc *acc, big_sum *state, base_arena *arena,
                               corm_error *err) {
    uint8_t bytes[24];
    if (state->small == 0) return CORM_OK;
    CORM_TRY(add_big(acc, state, arena, put_small(acc, state, bytes), err));
    state->small = 0;
    return CORM_OK;
}

/* False: more than 64 bits. */
static bool small_of(cql_value value, int32_t head, int64_t *out) {
    int32_t len = value.len - head;
    if (len < 1 || len > 8) return false;
    uint64_t v = value.data[head] >= 0x80 ? UINT64_MAX : 0;
    for (int32_t i = head; i < value.len; i++) v = v << 8 | value.data[i];
    *out = (int64_t)v;
    return true;
}

static corm_status add_one(const agg_acc *acc, big_sum *state, base_arena *arena, cql_value value,
                           corm_error *err) {
    bool    decimal = acc->args[0]->type->id == CQL_DECIMAL;
    int32_t head = decimal ? 4 : 0;
    int64_t digits;
    if (value.len <= head) return CORM_OK;
    state->count++;
    if (!small_of(value, head, &digits)) return add_big(acc, state, arena, value, err);
    int32_t scale = decimal ? (int32_t)base__load_u32(value.data) : 0;
    if (scale != state->scale || state->small > (int128)INT64_MAX * INT64_MAX ||
        state->small < (int128)INT64_MIN * INT64_MAX) {
        CORM_TRY(flush_small(acc, state, arena, err));
        state->scale = scale;
    }
    state->small += digits;
    return CORM_OK;
}

static corm_status update_big(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                              const agg_column *args, uint32_t count, corm_error *err) {
    for (uint32_t i = 0; i < count; i++)
        if (!args[0].null[i])
            CORM_TRY(
                add_one(acc, AGG_STATE(big_sum, acc, states[i]), arena, args[0].v.wire[i], err));
    return CORM_OK;
}

static corm_status merge_big(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                             corm_error *err) {
    const big_sum *other = from;
    big_sum       *state = into;
    uint8_t        bytes[24];
    if (other->small != 0) CORM_TRY(add_big(acc, state, arena, put_small(acc, other, bytes), err));
    if (other->big)
        CORM_TRY(add_big(acc, state, arena, (cql_value){ other->big, (int32_t)other->len }, err));
    state->count += other->count;
    return CORM_OK;
}

/* The sum, in the type of what is added. */
static corm_status total_of(const agg_acc *acc, const agg_work *work, const big_sum *state,
                            cql_value *out) {
    static const uint8_t zero[5] = { 0 };
    uint8_t             *bytes = base__arena_alloc(work->arena, 24);
    big_sum              sum = { 0 };
    if (!bytes) return base__fail_memory(work->err);
    CORM_TRY(merge_big(acc, work->arena, &sum, state, work->err));
    *out = (cql_value){ sum.big, (int32_t)sum.len };
    if (!sum.big) *out = (cql_value){ zero, acc->args[0]->type->id == CQL_DECIMAL ? 5 : 1 };
    return CORM_OK;
}

static corm_status divide(const agg_work *work, const cql_type *type, cql_value sum, int64_t count,
                          cql_value *out) {
    base_buf decimal = { 0 }, whole = { 0 }, divisor = { 0 }, quotient = { 0 };
    if (type->id == CQL_VARINT) {
        cql__decimal_from_varint(sum, &decimal);
        sum = (cql_value){ decimal.data, (int32_t)decimal.len };
    }
    cql__varint_from_i64(count, &whole);
    if (!whole.failed)
        cql__decimal_from_varint((cql_value){ whole.data, (int32_t)whole.len }, &divisor);
    bool        failed = decimal.failed || whole.failed || divisor.failed;
    corm_status status = failed ? base__fail_memory(work->err) : CORM_OK;
    if (!failed)
        status = cql__decimal_arith(CQL_DIV, sum, (cql_value){ divisor.data, (int32_t)divisor.len },
                                    &quotient, work->err);
    if (status == CORM_OK) status = agg__keep(work, &quotient, out);
    base__buf_free(&decimal);
    base__buf_free(&whole);
    base__buf_free(&divisor);
    base__buf_free(&quotient);
    return status;
}

static corm_status finish_big(const agg_acc *acc, const agg_work *work, const void *state,
                              agg_column *out, uint32_t row) {
    const big_sum *sum = state;
    cql_value      total;
    if (sum->count == 0) {
        agg__set_null(out, row);
        return CORM_OK;
    }
    CORM_TRY(total_of(acc, work, sum, &total));
    if (acc->detail) CORM_TRY(divide(work, acc->args[0]->type, total, sum->count, &total));
    agg__set_cell(out, row, total);
    return CORM_OK;
}

static void save_big(const agg_acc *acc, const void *state, base_buf *out) {
    (void)acc;
    const big_sum *sum = state;
    base__buf_put(out, sum, sizeof *sum);
    if (sum->big) base__buf_put(out, sum->big, sum->len);
}

static corm_status load_big(const agg_acc *acc, base_arena *arena, base_reader *from, void *state,
                            corm_error *err) {
    big_sum   *sum = state;
    corm_bytes bytes = base__read_bytes(from, sizeof *sum);
    (void)acc;
    if (from->failed) return CORM_OK;
    memcpy(sum, bytes.data, sizeof *sum);
    if (!sum->big) return CORM_OK;
    bytes = base__read_bytes(from, sum->len);
    if (from->failed) return CORM_OK;
    sum->big = base__arena_copy(arena, bytes.data, bytes.len);
    sum->room = sum->len;
    return sum->big ? CORM_OK : base__fail_memory(err);
}

static const agg_acc_kind big_kind = { sizeof(big_sum), update_big, merge_big,
                                       finish_big,      save_big,   load_big };

static corm_status check_sum(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    const cql_type *type = acc->args[0]->type;
    acc->detail = acc->ops->name[0] == 'a';
    if (agg__is_null_constant(acc->args[0])) {
        CORM_TRY(agg__convert(binding, &acc->args[0], cql__type_native(CQL_BIGINT), err));
        type = acc->args[0]->type;
    }
    if (!agg__is_number(type))
        return base__fail(err, CORM_INVALID, "%s wants numbers", acc->ops->name);
    if (agg__is_whole(type)) {
        acc->kind = &whole_kind;
        acc->type = cql__type_native(acc->detail ? CQL_DOUBLE : CQL_BIGINT);
    } else if (agg__is_real(type)) {
        acc->kind = &real_kind;
        acc->type = cql__type_native(CQL_DOUBLE);
    } else {
        acc->kind = &big_kind;
        acc->type = acc->detail ? cql__type_native(CQL_DECIMAL) : type;
    }
    return CORM_OK;
}

/* ---- min, max, first, last: one value that is kept ---- */

typedef struct kept {
    uint8_t  set, null;
    uint32_t len, room;
    union {
        int64_t  whole;
        double   real;
        uint8_t *bytes;
    } v;
} kept;

static void view_kept(const agg_acc *acc, const kept *state, uint8_t *null, agg_values *cell,
                      cql_value *wire, agg_column *out) {
    *out = (agg_column){ .type = acc->args[0]->type, .rep = agg__rep(acc->args[0]->type) };
    *null = state->null;
    *wire = (cql_value){ state->v.bytes, (int32_t)state->len };
    out->null = null;
    *cell = (agg_values){ .whole = (int64_t *)(uintptr_t)&state->v.whole };
    if (out->rep == AGG_WIRE) cell->wire = wire;
    out->v = *cell;
}

static corm_status keep(kept *state, base_arena *arena, const agg_column *from, uint32_t row,
                        corm_error *err) {
    state->set = 1;
    state->null = from->null[row];
    if (from->rep != AGG_WIRE) {
        state->v.whole = from->v.whole[row];
        return CORM_OK;
    }
    uint32_t len = state->null || from->v.wire[row].len < 0 ? 0 : (uint32_t)from->v.wire[row].len;
    if (len > state->room || !state->v.bytes) {
        uint32_t room = len < 8 ? 16 : 2 * len;
        state->v.bytes = base__arena_alloc(arena, room);
        if (!state->v.bytes) return base__fail_memory(err);
        state->room = room;
    }
    if (len > 0) memcpy(state->v.bytes, from->v.wire[row].data, len);
    state->len = len;
    return CORM_OK;
}

/* Whether the row's value takes the place of what is kept. */
static inline bool replaces(const agg_acc *acc, const kept *state, const agg_column *from,
                            uint32_t row) {
    uint8_t    null;
    agg_values cell;
    cql_value  wire;
    agg_column held;
    if (acc->detail == 'f') return !state->set;
    if (acc->detail == 'l') return true;
    if (from->null[row]) return false;
    if (!state->set) return true;
    if (from->rep == AGG_WHOLE)
        return acc->detail == '<' ? from->v.whole[row] < state->v.whole
                                  : from->v.whole[row] > state->v.whole;
    view_kept(acc, state, &null, &cell, &wire, &held);
    int order = agg__compare_cells(from, row, &held, 0);
    return acc->detail == '<' ? order < 0 : order > 0;
}

static corm_status update_kept(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                               const agg_column *args, uint32_t count, corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        kept *state = AGG_STATE(kept, acc, states[i]);
        if (replaces(acc, state, &args[0], i)) CORM_TRY(keep(state, arena, &args[0], i, err));
    }
    return CORM_OK;
}

static corm_status merge_kept(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                              corm_error *err) {
    const kept *other = from;
    uint8_t     null;
    agg_values  cell;
    cql_value   wire;
    agg_column  column;
    if (!other->set) return CORM_OK;
    view_kept(acc, other, &null, &cell, &wire, &column);
    return replaces(acc, into, &column, 0) ? keep(into, arena, &column, 0, err) : CORM_OK;
}

static corm_status finish_kept(const agg_acc *acc, const agg_work *work, const void *state,
                               agg_column *out, uint32_t row) {
    const kept *held = state;
    (void)acc;
    (void)work;
    if (!held->set || held->null) {
        agg__set_null(out, row);
    } else if (out->rep == AGG_WIRE) {
        out->v.wire[row] = (cql_value){ held->v.bytes, (int32_t)held->len };
    } else {
        out->v.whole[row] = held->v.whole;
    }
    return CORM_OK;
}

static void save_kept(const agg_acc *acc, const void *state, base_buf *out) {
    const kept *held = state;
    base__buf_put(out, held, sizeof *held);
    if (agg__rep(acc->args[0]->type) == AGG_WIRE) base__buf_put(out, held->v.bytes, held->len);
}

static corm_status load_kept(const agg_acc *acc, base_arena *arena, base_reader *from, void *state,
                             corm_error *err) {
    kept      *held = state;
    corm_bytes bytes = base__read_bytes(from, sizeof *held);
    if (from->failed) return CORM_OK;
    memcpy(held, bytes.data, sizeof *held);
    if (agg__rep(acc->args[0]->type) != AGG_WIRE || !held->set) return CORM_OK;
    bytes = base__read_bytes(from, held->len);
    if (from->failed) return CORM_OK;
    held->v.bytes = base__arena_copy(arena, bytes.data, bytes.len);
    held->room = held->len;
    return held->v.bytes ? CORM_OK : base__fail_memory(err);
}

static const agg_acc_kind kept_kind = { sizeof(kept), update_kept, merge_kept,
                                        finish_kept,  save_kept,   load_kept };

static corm_status check_kept(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    const char *name = acc->ops->name;
    (void)binding;
    (void)err;
    acc->detail = strcmp(name, "min") == 0 ? '<' : strcmp(name, "max") == 0 ? '>' : name[0];
    acc->type = acc->args[0]->type;
    acc->kind = &kept_kind;
    return CORM_OK;
}

const agg_acc_ops agg__basic_accs[] = {
    { "count", 1, 0, false, check_count, "count(*), count(a)", "rows; rows where a is not null" },
    { "sum", 1, 0, false, check_sum, "sum(a)",
      "whole numbers give bigint and fail beyond it, floats double, varint and decimal are exact" },
    { "avg", 1, 0, false, check_sum, "avg(a)",
      "a double; of varints and decimals a decimal of at least 32 digits" },
    { "min", 1, 0, false, check_kept, "min(a)", "the least, in the order of CQL" },
    { "max", 1, 0, false, check_kept, "max(a)", "the greatest" },
    { "first", 1, 0, true, check_kept, "first(a)", "of the first row, also when it is null" },
    { "last", 1, 0, true, check_kept, "last(a)", "of the last row, also when it is null" },
    { .name = NULL },
};
