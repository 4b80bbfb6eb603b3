// SPDX-License-Identifier: MIT
/* fn_aggregate.c -- count, min, max, sum and avg over rows. A sum is of its argument's type and wraps around; an average
 * is cut to it. Nulls are skipped; no rows give 0, of min and max null. State that grows lives in the context's
 * arena. One thread at a time on a state. */
#include <math.h>

#include "base/text.h"
#include "cql/fn.h"

__extension__ typedef __int128 wide;

static bool skips(const cql_function *function, cql_value value) {
    return cql__fn_is_absent(function->args[0], value);
}

/* ---- bytes that a state keeps ---- */

typedef struct held {
    uint8_t *data;
    int32_t  len, capacity;
} held;

static cql_value held_value(const held *h) {
    return (cql_value){ h->data, h->len };
}

/* Room is doubled, so that a long series takes little of the arena. */
static corm_status hold(held *h, cql_eval_context *context, cql_value value, corm_error *err) {
    if (!h->data || value.len > h->capacity) {
        int32_t capacity = value.len < INT32_MAX / 2 ? value.len * 2 : value.len;
        h->data = base__arena_alloc(context->arena, (size_t)capacity);
        if (!h->data) return base__fail_memory(err);
        h->capacity = capacity;
    }
    if (value.len > 0) memcpy(h->data, value.data, (size_t)value.len);
    h->len = value.len;
    return CORM_OK;
}

static corm_status hold_buf(held *h, cql_eval_context *context, base_buf *buf, corm_error *err) {
    corm_status status = base__buf_status(buf, err);
    if (status == CORM_OK) status = hold(h, context, cql__value_of(base__buf_bytes(buf)), err);
    base__buf_free(buf);
    return status;
}

static corm_status give_held(const held *h, cql_eval_context *context, cql_value *out,
                             corm_error *err) {
    return cql__fn_give_bytes(context, (corm_bytes){ h->data, (size_t)h->len }, out, err);
}

/* ---- count ---- */

static void init_count(void *state) {
    int64_t *count = state;
    *count = 0;
}

static corm_status step_count_rows(const cql_function *function, cql_eval_context *context,
                                   void *state, const cql_value *args, corm_error *err) {
    (void)function;
    (void)context;
    (void)args;
    (void)err;
    int64_t *count = state;
    (*count)++;
    return CORM_OK;
}

static corm_status step_count(const cql_function *function, cql_eval_context *context, void *state,
                              const cql_value *args, corm_error *err) {
    (void)function;
    (void)context;
    (void)err;
    int64_t *count = state;
    *count += !cql__is_null(args[0]);
    return CORM_OK;
}

static corm_status final_count(const cql_function *function, cql_eval_context *context, void *state,
                               cql_value *out, corm_error *err) {
    (void)function;
    const int64_t *count = state;
    return cql__fn_give_i64(context, *count, out, err);
}

/* ---- whole numbers of fixed size ---- */

typedef struct whole_state {
    wide    sum; /* of fewer than 2^63 numbers of 64 bits: always fits */
    int64_t count;
} whole_state;

static void init_whole(void *state) {
    *(whole_state *)state = (whole_state){ 0, 0 };
}

static corm_status step_whole(const cql_function *function, cql_eval_context *context, void *state,
                              const cql_value *args, corm_error *err) {
    (void)context;
    (void)err;
    whole_state *s = state;
    if (args[0].len <= 0) return CORM_OK;
    s->sum += cql__fn_i64(function->args[0]->id, args[0]);
    s->count++;
    return CORM_OK;
}

static corm_status final_whole_sum(const cql_function *function, cql_eval_context *context,
                                   void *state, cql_value *out, corm_error *err) {
    const whole_state *s = state;
    return cql__fn_give_whole(context, function->result->id, (int64_t)s->sum, out, err);
}

static corm_status final_whole_avg(const cql_function *function, cql_eval_context *context,
                                   void *state, cql_value *out, corm_error *err) {
    const whole_state *s = state;
    int64_t            v = s->count == 0 ? 0 : (int64_t)(s->sum / s->count);
    return cql__fn_give_whole(context, function->result->id, v, out, err);
}

/* ---- float and double: summed as doubles with a compensation, by the server's own formula ---- */

typedef struct real_state {
    double  sum, compensation, simple;
    int64_t count;
    bool    overflow; /* avg: the sum left the range of double and goes on in `big`, a decimal */
    held    big;
} real_state;

static void init_real(void *state) {
    *(real_state *)state = (real_state){ 0 };
}

static void add_real(real_state *s, double v) {
    s->simple += v;
    double step = v - s->compensation;
    double rounded = s->sum + step;
    s->compensation = (rounded - s->sum) - step;
    s->sum = rounded;
}

static corm_status step_real_sum(const cql_function *function, cql_eval_context *context,
                                 void *state, const cql_value *args, corm_error *err) {
    (void)context;
    (void)err;
    if (args[0].len <= 0) return CORM_OK;
    add_real(state, cql__fn_f64(function->args[0]->id, args[0]));
    return CORM_OK;
}

/* Infinities of one sign make the compensation NaN but not the sum. */
static double real_sum(const real_state *s) {
    double sum = s->sum + s->compensation;
    return isnan(sum) && isinf(s->simple) ? s->simple : sum;
}

static corm_status give_real(const cql_function *function, cql_eval_context *context, double v,
                             cql_value *out, corm_error *err) {
    if (function->result->id == CQL_FLOAT) return cql__fn_give_f32(context, (float)v, out, err);
    return cql__fn_give_f64(context, v, out, err);
}

static corm_status final_real_sum(const cql_function *function, cql_eval_context *context,
                                  void *state, cql_value *out, corm_error *err) {
    return give_real(function, context, real_sum(state), out, err);
}

static corm_status add_big(real_state *s, cql_eval_context *context, double v, corm_error *err) {
    base_buf number = { 0 }, sum = { 0 };
    if (isnan(v) || isinf(v)) return cql__fn_fail_decimal(v, err);
    cql__decimal_from_double(v, &number);
    corm_status status = base__buf_status(&number, err);
    if (status == CORM_OK) {
        status = cql__decimal_arith(CQL_ADD, held_value(&s->big),
                                    cql__value_of(base__buf_bytes(&number)), &sum, err);
    }
    base__buf_free(&number);
    if (status == CORM_OK) return hold_buf(&s->big, context, &sum, err);
    base__buf_free(&sum);
    return status;
}

static corm_status begin_big(real_state *s, cql_eval_context *context, double before, double v,
                             corm_error *err) {
    base_buf first = { 0 };
    s->overflow = true;
    cql__decimal_from_double(before, &first);
    CORM_TRY(hold_buf(&s->big, context, &first, err));
    return add_big(s, context, v, err);
}

static corm_status step_real_avg(const cql_function *function, cql_eval_context *context,
                                 void *state, const cql_value *args, corm_error *err) {
    real_state *s = state;
    if (args[0].len <= 0) return CORM_OK;
    double v = cql__fn_f64(function->args[0]->id, args[0]);
    s->count++;
    if (s->overflow) return add_big(s, context, v, err);
    double before = s->sum;
    add_real(s, v);
    return isinf(s->sum) && !isinf(v) ? begin_big(s, context, before, v, err) : CORM_OK;
}

static corm_status big_average(const real_state *s, double *out, corm_error *err) {
    base_buf    buf = { 0 };
    corm_status status = cql__fn_decimal_share(held_value(&s->big), (uint64_t)s->count, &buf, err);
    if (status == CORM_OK) *out = cql__decimal_to_double(cql__value_of(base__buf_bytes(&buf)));
    base__buf_free(&buf);
    return status;
}

static corm_status final_real_avg(const cql_function *function, cql_eval_context *context,
                                  void *state, cql_value *out, corm_error *err) {
    const real_state *s = state;
    double            v = 0;
    if (s->overflow) {
        CORM_TRY(big_average(s, &v, err));
    } else if (s->count > 0) {
        v = real_sum(s) / (double)s->count;
    }
    return give_real(function, context, v, out, err);
}

/* ---- varint and decimal ---- */

typedef struct big_state {
    held    sum; /* decimal avg: the average so far. No data: 0 */
    int64_t count;
} big_state;

static void init_big(void *state) {
    *(big_state *)state = (big_state){ 0 };
}

static const uint8_t zero[5]; /* the decimal; its last byte the varint */

static cql_value sum_or_zero(const big_state *s, cql_type_id type) {
    if (s->sum.data) return held_value(&s->sum);
    return type == CQL_DECIMAL ? (cql_value){ zero, 5 } : (cql_value){ zero, 1 };
}

static corm_status arith(cql_type_id type, cql_arith op, cql_value a, cql_value b, base_buf *out,
                         corm_error *err) {
    return type == CQL_DECIMAL ? cql__decimal_arith(op, a, b, out, err)
                               : cql__varint_arith(op, a, b, out, err);
}

static corm_status step_big(const cql_function *function, cql_eval_context *context, void *state,
                            const cql_value *args, corm_error *err) {
    big_state  *s = state;
    cql_type_id type = function->args[0]->id;
    base_buf    sum = { 0 };
    if (args[0].len <= 0) return CORM_OK;
    s->count++;
    corm_status status = arith(type, CQL_ADD, sum_or_zero(s, type), args[0], &sum, err);
    if (status == CORM_OK) return hold_buf(&s->sum, context, &sum, err);
    base__buf_free(&sum);
    return status;
}

static corm_status final_big_sum(const cql_function *function, cql_eval_context *context,
                                 void *state, cql_value *out, corm_error *err) {
    const big_state *s = state;
    cql_value        value = sum_or_zero(s, function->result->id);
    return cql__fn_give_bytes(context, (corm_bytes){ value.data, (size_t)value.len }, out, err);
}

static corm_status final_varint_avg(const cql_function *function, cql_eval_context *context,
                                    void *state, cql_value *out, corm_error *err) {
    const big_state *s = state;
    base_buf         count = { 0 }, average = { 0 };
    if (s->count == 0) return final_big_sum(function, context, state, out, err);
    cql__varint_from_i64(s->count, &count);
    corm_status status = base__buf_status(&count, err);
    if (status == CORM_OK) {
        status = cql__varint_arith(CQL_DIV, held_value(&s->sum),
                                   cql__value_of(base__buf_bytes(&count)), &average, err);
    }
    base__buf_free(&count);
    if (status == CORM_OK) return cql__fn_give_buf(context, &average, out, err);
    base__buf_free(&average);
    return status;
}

/* average += (v - average) / count, the quotient with as many digits behind the point as the difference has. */
static corm_status move_average(big_state *s, cql_value v, base_buf *out, corm_error *err) {
    base_buf    difference = { 0 }, share = { 0 };
    cql_value   average = sum_or_zero(s, CQL_DECIMAL);
    corm_status status = cql__decimal_arith(CQL_SUB, v, average, &difference, err);
    if (status == CORM_OK) status = base__buf_status(&difference, err);
    if (status == CORM_OK) {
        cql_value d = cql__value_of(base__buf_bytes(&difference));
        status = cql__fn_decimal_share(d, (uint64_t)s->count, &share, err);
    }
    if (status == CORM_OK) {
        status =
            cql__decimal_arith(CQL_ADD, average, cql__value_of(base__buf_bytes(&share)), out, err);
    }
    base__buf_free(&difference);
    base__buf_free(&share);
    return status;
}

static corm_status step_decimal_avg(const cql_function *function, cql_eval_context *context,
                                    void *state, const cql_value *args, corm_error *err) {
    big_state *s = state;
    base_buf   average = { 0 };
    if (skips(function, args[0])) return CORM_OK;
    s->count++;
    corm_status status = move_average(s, args[0], &average, err);
    if (status == CORM_OK) return hold_buf(&s->sum, context, &average, err);
    base__buf_free(&average);
    return status;
}

/* ---- min and max of what fits in 64 bits: compared by a key ---- */

typedef struct small_state {
    int64_t key;
    uint8_t raw[8]; /* the value */
    int32_t len;    /* -1: none yet; 0: the empty value, before all others */
} small_state;

static void init_small(void *state) {
    *(small_state *)state = (small_state){ .len = -1 };
}

/* Orders as Java compares doubles: -0.0 below 0.0, NaN above all. */
static int64_t real_key(double v) {
    int64_t bits;
    if (isnan(v)) return INT64_MAX;
    memcpy(&bits, &v, sizeof bits);
    return bits < 0 ? bits ^ INT64_MAX : bits;
}

static int64_t key_of(cql_type_id type, cql_value v) {
    if (type == CQL_FLOAT || type == CQL_DOUBLE) return real_key(cql__fn_f64(type, v));
    return cql__fn_i64(type, v);
}

static void keep_small(small_state *s, int64_t key, cql_value v) {
    s->key = key;
    s->len = v.len;
    if (v.len > 0) memcpy(s->raw, v.data, (size_t)v.len);
}

static corm_status step_small(const cql_function *function, cql_eval_context *context, void *state,
                              const cql_value *args, corm_error *err) {
    (void)context;
    (void)err;
    const cql_fn_reduce *reduce = function->data;
    small_state         *s = state;
    cql_type_id          type = function->args[0]->id;
    if (cql__is_null(args[0]) || (args[0].len == 0 && type == CQL_COUNTER)) return CORM_OK;
    int64_t key = args[0].len == 0 ? INT64_MIN : key_of(type, args[0]);
    bool    less;
    if (s->len < 0) {
        less = *reduce == CQL_FN_MIN;
    } else if (args[0].len == 0 || s->len == 0) {
        less = args[0].len == 0 && s->len != 0;
        if (args[0].len == s->len) return CORM_OK;
    } else {
        if (key == s->key) return CORM_OK;
        less = key < s->key;
    }
    if (less == (*reduce == CQL_FN_MIN)) keep_small(s, key, args[0]);
    return CORM_OK;
}

static corm_status final_small(const cql_function *function, cql_eval_context *context, void *state,
                               cql_value *out, corm_error *err) {
    (void)function;
    const small_state *s = state;
    *out = CQL_NULL;
    if (s->len < 0) return CORM_OK;
    return cql__fn_give_bytes(context, (corm_bytes){ s->raw, (size_t)s->len }, out, err);
}

/* ---- min and max of any type ---- */

typedef struct any_state {
    held best; /* no data: none yet */
} any_state;

static void init_any(void *state) {
    *(any_state *)state = (any_state){ 0 };
}

static corm_status step_any(const cql_function *function, cql_eval_context *context, void *state,
                            const cql_value *args, corm_error *err) {
    const cql_fn_reduce *reduce = function->data;
    any_state           *s = state;
    if (cql__is_null(args[0])) return CORM_OK;
    if (s->best.data) {
        int order = cql__compare(function->args[0], args[0], held_value(&s->best));
        if (*reduce == CQL_FN_MIN ? order >= 0 : order <= 0) return CORM_OK;
    }
    return hold(&s->best, context, args[0], err);
}

static corm_status final_any(const cql_function *function, cql_eval_context *context, void *state,
                             cql_value *out, corm_error *err) {
    (void)function;
    const any_state *s = state;
    *out = CQL_NULL;
    return s->best.data ? give_held(&s->best, context, out, err) : CORM_OK;
}

/* ---- which for what ---- */

typedef struct implementation {
    size_t size;
    void (*init)(void *state);
    corm_status (*step)(const cql_function *function, cql_eval_context *context, void *state,
                        const cql_value *args, corm_error *err);
    corm_status (*final)(const cql_function *function, cql_eval_context *context, void *state,
                         cql_value *out, corm_error *err);
} implementation;

static const implementation count_rows = { sizeof(int64_t), init_count, step_count_rows,
                                           final_count };
static const implementation count_values = { sizeof(int64_t), init_count, step_count, final_count };
static const implementation whole_sum = { sizeof(whole_state), init_whole, step_whole,
                                          final_whole_sum };
static const implementation whole_avg = { sizeof(whole_state), init_whole, step_whole,
                                          final_whole_avg };
static const implementation real_sums = { sizeof(real_state), init_real, step_real_sum,
                                          final_real_sum };
static const implementation real_avg = { sizeof(real_state), init_real, step_real_avg,
                                         final_real_avg };
static const implementation big_sum = { sizeof(big_state), init_big, step_big, final_big_sum };
static const implementation varint_avg = { sizeof(big_state), init_big, step_big,
                                           final_varint_avg };
static const implementation decimal_avg = { sizeof(big_state), init_big, step_decimal_avg,
                                            final_big_sum };
static const implementation small_best = { sizeof(small_state), init_small, step_small,
                                           final_small };
static const implementation any_best = { sizeof(any_state), init_any, step_any, final_any };

static const cql_fn_reduce min_reduce = CQL_FN_MIN, max_reduce = CQL_FN_MAX;

static const implementation *best_of(cql_type_id type) {
    switch (type) {
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_TIMESTAMP:
    case CQL_TIME:
    case CQL_FLOAT:
    case CQL_DOUBLE: return &small_best;
    default: return &any_best;
    }
}

static const implementation *sum_of(cql_type_id type, bool average) {
    switch (type) {
    case CQL_FLOAT:
    case CQL_DOUBLE: return average ? &real_avg : &real_sums;
    case CQL_VARINT: return average ? &varint_avg : &big_sum;
    case CQL_DECIMAL: return average ? &decimal_avg : &big_sum;
    default: return average ? &whole_avg : &whole_sum;
    }
}

static void set_implementation(cql_function *function, const implementation *with) {
    function->is_aggregate = true;
    function->eval = NULL;
    function->state_size = with->size;
    function->init = with->init;
    function->step = with->step;
    function->final = with->final;
}

void cql__fn_make_aggregate(cql_fn_reduce reduce, const cql_type *type, cql_function *out) {
    bool best = reduce == CQL_FN_MIN || reduce == CQL_FN_MAX;
    out->result = type;
    if (best) out->data = reduce == CQL_FN_MIN ? &min_reduce : &max_reduce;
    set_implementation(out, best ? best_of(type->id) : sum_of(type->id, reduce == CQL_FN_AVG));
}

static void add_for_numbers(cql_fn_list *list, cql_fn_reduce reduce) {
    for (size_t i = 0; i < CQL_FN_NUMBERS; i++) {
        const cql_type *type = cql__type_native(cql__fn_numbers[i]);
        cql_function   *function = cql__fn_add(list, NULL, type, 1, &type);
        if (function) cql__fn_make_aggregate(reduce, type, function);
    }
}

static void add_count(cql_fn_list *list, uint32_t args, const implementation *with) {
    cql_type_id   blob = CQL_BLOB;
    cql_function *function = cql__fn_add_native(list, NULL, CQL_BIGINT, args, &blob);
    if (function) set_implementation(function, with);
}

void cql__fn_aggregate(cql_fn_list *list) {
    corm_str name = list->name;
    if (corm_str_equal(name, corm_str_of("sum"))) add_for_numbers(list, CQL_FN_SUM);
    if (corm_str_equal(name, corm_str_of("avg"))) add_for_numbers(list, CQL_FN_AVG);
    if (corm_str_equal(name, corm_str_of("count"))) add_count(list, 1, &count_values);
    if (corm_str_equal(name, corm_str_of("count_rows")) ||
        corm_str_equal(name, corm_str_of("countRows"))) {
        add_count(list, 0, &count_rows);
    }
}

static corm_status make_best(const cql_factory *factory, base_arena *arena,
                             const cql_type *receiver, cql_function *out, corm_error *err) {
    (void)arena;
    (void)receiver;
    (void)err;
    const cql_fn_reduce *reduce = factory->data;
    cql__fn_make_aggregate(*reduce, out->args[0], out);
    return CORM_OK;
}

const cql_factory *cql__fn_aggregate_factories(size_t *count) {
    static const cql_factory factories[] = {
        { "max", NULL, 1, 1, { CQL_FN_ANY_OR_RECEIVER }, make_best, &max_reduce },
        { "min", NULL, 1, 1, { CQL_FN_ANY_OR_RECEIVER }, make_best, &min_reduce },
    };
    *count = sizeof factories / sizeof *factories;
    return factories;
}

static const cql_type bigint = { .id = CQL_BIGINT };

const cql_function *cql__count_all(void) {
    static const cql_function count_all = {
        .name = { "count_rows", sizeof "count_rows" - 1 },
        .result = &bigint,
        .is_pure = true,
        .is_aggregate = true,
        .state_size = sizeof(int64_t),
        .init = init_count,
        .step = step_count_rows,
        .final = final_count,
    };
    return &count_all;
}
