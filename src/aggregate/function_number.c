// SPDX-License-Identifier: MIT
/* function_number.c -- arithmetic, buckets and the functions of mathematics. Whole numbers become bigint, what does not fit is an error; a division of
 * whole numbers, varints or decimals by zero is null. Pure. */
#include <math.h>

#include "aggregate/expr.h"
#include "base/fail.h"
#include "cql/numbers.h"

/* ---- + - * / % ---- */

static corm_status check_arith(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    expr->detail = expr->function->name[0];
    const cql_type *left = expr->args[0]->type, *right = expr->args[1]->type;
    bool is_time = expr->detail == '-' && agg__rep(left) == AGG_WHOLE && !agg__is_whole(left) &&
                   left->id == right->id && left->id != CQL_BOOLEAN;
    expr->type = cql__type_native(CQL_BIGINT);
    if (is_time) return CORM_OK;
    for (uint32_t i = 0; i < 2; i++)
        if (!agg__is_number(expr->args[i]->type) && !agg__is_null_constant(expr->args[i]))
            return agg__refuse(expr, i, "numbers", err);
    CORM_TRY(agg__unify(binding, &expr->args[0], &expr->args[1], err));
    expr->type = expr->args[0]->type;
    if (agg__is_whole(expr->type)) expr->type = cql__type_native(CQL_BIGINT);
    if (agg__is_real(expr->type)) expr->type = cql__type_native(CQL_DOUBLE);
    return CORM_OK;
}

/* False: it does not fit. */
static bool whole_op(int32_t op, int64_t a, int64_t b, int64_t *out) {
    switch (op) {
    case '+': return !__builtin_add_overflow(a, b, out);
    case '-': return !__builtin_sub_overflow(a, b, out);
    case '*': return !__builtin_mul_overflow(a, b, out);
    case '/':
        if (b == -1) return !__builtin_sub_overflow((int64_t)0, a, out);
        *out = a / b;
        return true;
    default: *out = b == -1 ? 0 : a % b; return true;
    }
}

static corm_status whole_arith(const agg_expr *expr, const agg_work *work, const agg_column *args,
                               agg_column *out) {
    const int64_t *a = args[0].v.whole, *b = args[1].v.whole;
    bool           divides = expr->detail == '/' || expr->detail == '%';
    for (uint32_t i = 0; i < work->count; i++) {
        if (divides && b[i] == 0) out->null[i] = 1;
        if (out->null[i]) continue;
        if (!whole_op(expr->detail, a[i], b[i], &out->v.whole[i])) {
            return base__fail(work->err, CORM_INVALID,
                              "%lld %c %lld is beyond bigint; cast one of them to varint",
                              (long long)a[i], (char)expr->detail, (long long)b[i]);
        }
    }
    return CORM_OK;
}

static void real_arith(const agg_expr *expr, const agg_work *work, const agg_column *args,
                       agg_column *out) {
    const double *a = args[0].v.real, *b = args[1].v.real;
    double       *to = out->v.real;
    uint32_t      n = work->count;
    switch (expr->detail) {
    case '+':
        for (uint32_t i = 0; i < n; i++) to[i] = a[i] + b[i];
        return;
    case '-':
        for (uint32_t i = 0; i < n; i++) to[i] = a[i] - b[i];
        return;
    case '*':
        for (uint32_t i = 0; i < n; i++) to[i] = a[i] * b[i];
        return;
    case '/':
        for (uint32_t i = 0; i < n; i++) to[i] = a[i] / b[i];
        return;
    default:
        for (uint32_t i = 0; i < n; i++) to[i] = fmod(a[i], b[i]);
    }
}

static bool is_zero(const cql_type *type, cql_value value) {
    double number =
        type->id == CQL_DECIMAL ? cql__decimal_to_double(value) : cql__varint_to_double(value);
    return number == 0;
}

static corm_status big_arith(const agg_expr *expr, const agg_work *work, const agg_column *args,
                             agg_column *out) {
    base_buf    buf = { 0 };
    corm_status status = CORM_OK;
    bool        divides = expr->detail == '/' || expr->detail == '%';
    for (uint32_t i = 0; i < work->count && status == CORM_OK; i++) {
        if (out->null[i]) continue;
        cql_value a = args[0].v.wire[i], b = args[1].v.wire[i];
        if (divides && is_zero(expr->type, b)) out->null[i] = 1;
        if (out->null[i]) continue;
        status = expr->type->id == CQL_DECIMAL
                     ? cql__decimal_arith((cql_arith)expr->detail, a, b, &buf, work->err)
                     : cql__varint_arith((cql_arith)expr->detail, a, b, &buf, work->err);
        if (status == CORM_OK) status = agg__keep(work, &buf, &out->v.wire[i]);
    }
    base__buf_free(&buf);
    return status;
}

static corm_status eval_arith(const agg_expr *expr, const agg_work *work, const agg_column *args,
                              agg_column *out) {
    if (out->rep == AGG_WHOLE) return whole_arith(expr, work, args, out);
    if (out->rep == AGG_WIRE) return big_arith(expr, work, args, out);
    real_arith(expr, work, args, out);
    return CORM_OK;
}

/* ---- one number ---- */

static corm_status check_negate(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    agg_node   zero = { .kind = AGG_NUMBER, .text = { "0", 1 } };
    agg_expr **args = BASE_NEW_ARRAY(binding->arena, agg_expr *, 2);
    if (!args) return base__fail_memory(err);
    args[1] = expr->args[0];
    CORM_TRY(agg__bind(binding, &zero, &args[0], err));
    expr->args = args;
    expr->count = 2;
    expr->function = agg__function_named(corm_str_of("-"));
    return check_arith(binding, expr, err);
}

static corm_status check_abs(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    const cql_type *type = expr->args[0]->type;
    if (!agg__is_number(type)) return agg__refuse(expr, 0, "a number", err);
    if (agg__is_whole(type)) expr->type = cql__type_native(CQL_BIGINT);
    if (agg__is_whole(type)) return CORM_OK;
    expr->type = cql__type_native(CQL_DOUBLE);
    return agg__convert(binding, &expr->args[0], expr->type, err);
}

static corm_status eval_abs(const agg_expr *expr, const agg_work *work, const agg_column *args,
                            agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++) {
        if (out->rep == AGG_REAL) {
            out->v.real[i] = fabs(args[0].v.real[i]);
            continue;
        }
        int64_t v = args[0].v.whole[i];
        if (v == INT64_MIN) return base__fail(work->err, CORM_INVALID, "abs is beyond bigint");
        out->v.whole[i] = v < 0 ? -v : v;
    }
    return CORM_OK;
}

typedef double real_function(double);
typedef struct named_function {
    const char    *name;
    real_function *function;
} named_function;
static const named_function real_functions[] = {
    { "floor", floor }, { "ceil", ceil },   { "round", round }, { "sqrt", sqrt },
    { "ln", log },      { "log10", log10 }, { "exp", exp },
};

static corm_status check_real(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    expr->type = cql__type_native(CQL_DOUBLE);
    for (size_t i = 0; i < sizeof real_functions / sizeof *real_functions; i++)
        if (strcmp(real_functions[i].name, expr->function->name) == 0) expr->detail = (int32_t)i;
    for (uint32_t i = 0; i < expr->count; i++) {
        if (!agg__is_number(expr->args[i]->type)) return agg__refuse(expr, i, "numbers", err);
        CORM_TRY(agg__convert(binding, &expr->args[i], expr->type, err));
    }
    return CORM_OK;
}

static corm_status eval_real(const agg_expr *expr, const agg_work *work, const agg_column *args,
                             agg_column *out) {
    real_function *function = real_functions[expr->detail].function;
    for (uint32_t i = 0; i < work->count; i++) out->v.real[i] = function(args[0].v.real[i]);
    return CORM_OK;
}

static corm_status eval_pow(const agg_expr *expr, const agg_work *work, const agg_column *args,
                            agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++)
        out->v.real[i] = pow(args[0].v.real[i], args[1].v.real[i]);
    return CORM_OK;
}

/* ---- buckets ---- */

static corm_status check_floor_to(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    double width;
    if (!agg__is_number(expr->args[0]->type)) return agg__refuse(expr, 0, "a number", err);
    if (!agg__constant_real(expr->args[1], &width) || !(width > 0))
        return base__fail(err, CORM_INVALID, "floor_to wants a width above zero");
    bool whole = agg__is_whole(expr->args[0]->type) && agg__is_whole(expr->args[1]->type);
    expr->type = cql__type_native(whole ? CQL_BIGINT : CQL_DOUBLE);
    for (uint32_t i = 0; i < 2; i++)
        CORM_TRY(agg__convert(binding, &expr->args[i], expr->type, err));
    return CORM_OK;
}

static corm_status eval_floor_to(const agg_expr *expr, const agg_work *work, const agg_column *args,
                                 agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++) {
        if (out->rep == AGG_REAL) {
            double width = args[1].v.real[i];
            out->v.real[i] = floor(args[0].v.real[i] / width) * width;
            continue;
        }
        int64_t v = args[0].v.whole[i], width = args[1].v.whole[i];
        if (out->null[i]) continue;
        int64_t rest = v % width;
        if (rest < 0) rest += width;
        if (__builtin_sub_overflow(v, rest, &out->v.whole[i]))
            return base__fail(work->err, CORM_INVALID, "floor_to is beyond bigint");
    }
    return CORM_OK;
}

/* bucket(x, b0, b1 …): the greatest of the bounds that is not above x. */
static corm_status check_bucket(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    for (uint32_t i = 1; i < expr->count; i++)
        CORM_TRY(agg__unify(binding, &expr->args[0], &expr->args[i], err));
    for (uint32_t i = 1; i < expr->count; i++)
        CORM_TRY(agg__unify(binding, &expr->args[0], &expr->args[i], err));
    expr->type = expr->args[0]->type;
    return CORM_OK;
}

static corm_status eval_bucket(const agg_expr *expr, const agg_work *work, const agg_column *args,
                               agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        uint32_t found = 0;
        for (uint32_t a = 1; a < expr->count && !args[0].null[i]; a++) {
            if (args[a].null[i] || agg__compare_cells(&args[a], i, &args[0], i) > 0) continue;
            if (found == 0 || agg__compare_cells(&args[a], i, &args[found], i) > 0) found = a;
        }
        out->null[i] = found == 0;
        if (found > 0) agg__copy_cell(out, i, &args[found], i);
    }
    return CORM_OK;
}

const agg_function agg__number_functions[] = {
    { "+", 2, 2, true, check_arith, eval_arith, "a + b", "sum; whole numbers give bigint" },
    { "-", 2, 2, true, check_arith, eval_arith, "a - b",
      "difference; of two timestamps (ms), dates (days) or times (ns) a bigint" },
    { "*", 2, 2, true, check_arith, eval_arith, "a * b", "product" },
    { "/", 2, 2, true, check_arith, eval_arith, "a / b",
      "quotient; of whole numbers whole, null where b is zero" },
    { "%", 2, 2, true, check_arith, eval_arith, "a % b", "remainder, with the sign of a" },
    { "negate", 1, 1, true, check_negate, eval_arith, "-a", "the negative" },
    { "abs", 1, 1, true, check_abs, eval_abs, "abs(a)", "without its sign" },
    { "floor", 1, 1, true, check_real, eval_real, "floor(a)", "down to a whole number, a double" },
    { "ceil", 1, 1, true, check_real, eval_real, "ceil(a)", "up to a whole number, a double" },
    { "round", 1, 1, true, check_real, eval_real, "round(a)", "halves away from zero, a double" },
    { "sqrt", 1, 1, true, check_real, eval_real, "sqrt(a)", "square root" },
    { "ln", 1, 1, true, check_real, eval_real, "ln(a)", "natural logarithm" },
    { "log10", 1, 1, true, check_real, eval_real, "log10(a)", "decimal logarithm" },
    { "exp", 1, 1, true, check_real, eval_real, "exp(a)", "e to the power of a" },
    { "pow", 2, 2, true, check_real, eval_pow, "pow(a, b)", "a to the power of b" },
    { "floor_to", 2, 2, true, check_floor_to, eval_floor_to, "floor_to(a, width)",
      "the start of the bucket of this width that a is in" },
    { "bucket", 2, AGG_MOST_ARGS - 1, false, check_bucket, eval_bucket, "bucket(a, b0, b1, …)",
      "the greatest bound that is not above a; null below all" },
    { .name = NULL },
};
