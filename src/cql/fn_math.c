// SPDX-License-Identifier: MIT
/* fn_math.c -- abs, exp, log, log10, round on every numeric type; the result is of the argument's type. Pure. */
#include <math.h>

#include "cql/fn.h"

typedef struct curve {
    const char  *name;
    cql_fn_curve decimal;
    double (*real)(double);
} curve;

static const curve curves[] = {
    { "exp", CQL_FN_EXP, exp },
    { "log", CQL_FN_LOG, log },
    { "log10", CQL_FN_LOG10, log10 },
};

/* The low bits of what Java's cast to the type gives: to int for the narrower types. */
static corm_status give_narrowed(cql_eval_context *context, cql_type_id type, double v,
                                 cql_value *out, corm_error *err) {
    bool narrow = type == CQL_TINYINT || type == CQL_SMALLINT || type == CQL_INT;
    return cql__fn_give_whole(context, type, narrow ? cql__fn_i32_of(v) : cql__fn_i64_of(v), out,
                              err);
}

/* A varint's curve is its decimal's, cut. */
static corm_status varint_curve(const curve *shape, cql_value varint, base_buf *out,
                                corm_error *err) {
    base_buf decimal = { 0 }, result = { 0 };
    cql__decimal_from_varint(varint, &decimal);
    corm_status status = base__buf_status(&decimal, err);
    if (status == CORM_OK) {
        status = cql__fn_decimal_curve(shape->decimal, cql__value_of(base__buf_bytes(&decimal)),
                                       &result, err);
    }
    if (status == CORM_OK) status = base__buf_status(&result, err);
    if (status == CORM_OK)
        status = cql__fn_decimal_whole(cql__value_of(base__buf_bytes(&result)), out, err);
    base__buf_free(&decimal);
    base__buf_free(&result);
    return status;
}

static corm_status big_curve(const curve *shape, cql_type_id type, cql_eval_context *context,
                             cql_value v, cql_value *out, corm_error *err) {
    base_buf    buf = { 0 };
    corm_status status = type == CQL_VARINT ? varint_curve(shape, v, &buf, err)
                                            : cql__fn_decimal_curve(shape->decimal, v, &buf, err);
    if (status == CORM_OK) return cql__fn_give_buf(context, &buf, out, err);
    base__buf_free(&buf);
    return status;
}

static corm_status eval_curve(const cql_function *function, cql_eval_context *context,
                              const cql_value *args, cql_value *out, corm_error *err) {
    const curve *shape = function->data;
    cql_type_id  type = function->result->id;
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    if (type == CQL_VARINT || type == CQL_DECIMAL)
        return big_curve(shape, type, context, args[0], out, err);
    double v = shape->real(cql__fn_f64(type, args[0]));
    if (type == CQL_FLOAT) return cql__fn_give_f32(context, (float)v, out, err);
    if (type == CQL_DOUBLE) return cql__fn_give_f64(context, v, out, err);
    return give_narrowed(context, type, v, out, err);
}

/* A decimal with the function done on its unscaled number. */
static void on_unscaled(void (*change)(cql_value, base_buf *), cql_value decimal, base_buf *out) {
    base__buf_put(out, decimal.data, 4);
    change((cql_value){ decimal.data + 4, decimal.len - 4 }, out);
}

static corm_status eval_abs(const cql_function *function, cql_eval_context *context,
                            const cql_value *args, cql_value *out, corm_error *err) {
    cql_type_id type = function->result->id;
    base_buf    buf = { 0 };
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    if (type == CQL_FLOAT)
        return cql__fn_give_f32(context, fabsf(cql__fn_f32(type, args[0])), out, err);
    if (type == CQL_DOUBLE)
        return cql__fn_give_f64(context, fabs(cql__fn_f64(type, args[0])), out, err);
    if (type == CQL_VARINT || type == CQL_DECIMAL) {
        if (type == CQL_VARINT) {
            cql__fn_varint_abs(args[0], &buf);
        } else {
            on_unscaled(cql__fn_varint_abs, args[0], &buf);
        }
        return cql__fn_give_buf(context, &buf, out, err);
    }
    int64_t v = cql__fn_i64(type, args[0]);
    return cql__fn_give_whole(context, type, v < 0 ? (int64_t)(0 - (uint64_t)v) : v, out, err);
}

/* Math.round: half up towards positive infinity, exactly. */
static double round_up(double v) {
    double whole = floor(v);
    return v - whole >= 0.5 ? whole + 1 : whole;
}

static corm_status eval_round(const cql_function *function, cql_eval_context *context,
                              const cql_value *args, cql_value *out, corm_error *err) {
    cql_type_id type = function->result->id;
    base_buf    buf = { 0 };
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    if (type == CQL_FLOAT) {
        int32_t whole = cql__fn_i32_of(round_up(cql__fn_f64(type, args[0])));
        return cql__fn_give_f32(context, (float)whole, out, err);
    }
    if (type == CQL_DOUBLE) {
        int64_t whole = cql__fn_i64_of(round_up(cql__fn_f64(type, args[0])));
        return cql__fn_give_f64(context, (double)whole, out, err);
    }
    if (type != CQL_DECIMAL) {
        *out = args[0];
        return CORM_OK;
    }
    corm_status status = cql__fn_decimal_round(args[0], &buf, err);
    if (status == CORM_OK) return cql__fn_give_buf(context, &buf, out, err);
    base__buf_free(&buf);
    return status;
}

static void add_for_numbers(cql_fn_list *list, cql_function_eval eval, const void *data) {
    for (size_t i = 0; i < CQL_FN_NUMBERS; i++) {
        cql_function *function =
            cql__fn_add_native(list, eval, cql__fn_numbers[i], 1, &cql__fn_numbers[i]);
        if (function) function->data = data;
    }
}

void cql__fn_math(cql_fn_list *list) {
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        if (corm_str_equal(list->name, corm_str_of(curves[i].name)))
            add_for_numbers(list, eval_curve, &curves[i]);
    }
    if (corm_str_equal(list->name, corm_str_of("abs"))) add_for_numbers(list, eval_abs, NULL);
    if (corm_str_equal(list->name, corm_str_of("round"))) add_for_numbers(list, eval_round, NULL);
}
