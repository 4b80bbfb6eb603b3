// SPDX-License-Identifier: MIT
/* function_cast.c -- one type from another: cast(x AS type), and the casts that binding puts where two types meet.
 *
 * Numbers are cut towards zero; what does not fit is an error. Texts are read as literals of the type. Pure. */
#include <math.h>

#include "aggregate/expr.h"
#include "base/calendar.h"
#include "base/fail.h"
#include "cql/numbers.h"

static corm_status impossible(const agg_expr *expr, corm_error *err) {
    base_buf from = { 0 }, to = { 0 };
    cql__type_print(expr->args[0]->type, &from);
    cql__type_print(expr->type, &to);
    const char *a = base__buf_cstr(&from), *b = base__buf_cstr(&to);
    corm_status status = from.failed || to.failed
                             ? base__fail_memory(err)
                             : base__fail(err, CORM_INVALID, "%s cannot be cast to %s", a, b);
    base__buf_free(&from);
    base__buf_free(&to);
    return status;
}

static bool is_possible(const cql_type *from, const cql_type *to) {
    if (agg__is_text(to) || agg__is_text(from)) return true;
    if (agg__is_number(from) && agg__is_number(to)) return true;
    if (cql__type_same_values(from, to)) return true;
    if (to->id == CQL_TIMESTAMP) return from->id == CQL_DATE || from->id == CQL_TIMEUUID;
    if (to->id == CQL_DATE) return from->id == CQL_TIMESTAMP || from->id == CQL_TIMEUUID;
    if (to->id == CQL_BIGINT) return agg__rep(from) == AGG_WHOLE;
    return false;
}

/* Written by the program: the second argument is the type's name. Made by binding: the type is set. */
static corm_status check_cast(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    corm_str name;
    if (expr->count == 2) {
        if (!agg__constant_text(expr->args[1], &name))
            return base__fail(err, CORM_INVALID, "cast wants a type");
        CORM_TRY(cql__type_parse(binding->arena, name, NULL, &expr->type, err));
        expr->count = 1;
    }
    if (agg__is_null_constant(expr->args[0]))
        return agg__convert(binding, &expr->args[0], expr->type, err);
    return is_possible(expr->args[0]->type, expr->type) ? CORM_OK : impossible(expr, err);
}

/* ---- to whole numbers ---- */

static bool in_range(const cql_type *type, int64_t v) {
    switch (type->id) {
    case CQL_TINYINT: return v >= INT8_MIN && v <= INT8_MAX;
    case CQL_SMALLINT: return v >= INT16_MIN && v <= INT16_MAX;
    case CQL_INT: return v >= INT32_MIN && v <= INT32_MAX;
    default: return true;
    }
}

static bool whole_of_real(double v, int64_t *out) {
    if (!(v >= -9223372036854775808.0 && v < 9223372036854775808.0)) return false;
    *out = (int64_t)v;
    return true;
}

static bool whole_of_wire(const agg_work *work, const cql_type *type, cql_value value, int64_t *out,
                          corm_status *status) {
    base_buf cut = { 0 };
    if (type->id == CQL_VARINT) return cql__varint_to_i64(value, out);
    cql__decimal_to_varint(value, &cut);
    *status = base__buf_status(&cut, work->err);
    bool fits =
        *status == CORM_OK && cql__varint_to_i64((cql_value){ cut.data, (int32_t)cut.len }, out);
    base__buf_free(&cut);
    return fits;
}

static corm_status to_whole(const agg_work *work, const agg_column *arg, agg_column *out) {
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < work->count && status == CORM_OK; i++) {
        int64_t v = 0;
        bool    fits = true;
        if (out->null[i]) continue;
        if (arg->rep == AGG_WHOLE) v = arg->v.whole[i];
        if (arg->rep == AGG_REAL) fits = whole_of_real(arg->v.real[i], &v);
        if (arg->rep == AGG_WIRE)
            fits = whole_of_wire(work, arg->type, arg->v.wire[i], &v, &status);
        out->v.whole[i] = v;
        if (status == CORM_OK && (!fits || !in_range(out->type, v)))
            status =
                base__fail(work->err, CORM_INVALID, "a number does not fit the type it is cast to");
    }
    return status;
}

static void to_real(const agg_work *work, const agg_column *arg, agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        if (out->null[i]) continue;
        double v = agg__number_of(arg, i);
        out->v.real[i] = out->type->id == CQL_FLOAT ? (double)(float)v : v;
    }
}

/* ---- to varint and decimal ---- */

static void put_big(const agg_column *arg, uint32_t i, bool decimal, base_buf *out) {
    base_buf varint = { 0 };
    if (arg->rep == AGG_REAL) {
        if (decimal) {
            cql__decimal_from_double(arg->v.real[i], out);
        } else {
            cql__varint_from_double(arg->v.real[i], out);
        }
        return;
    }
    if (arg->rep == AGG_WHOLE) cql__varint_from_i64(arg->v.whole[i], &varint);
    cql_value whole =
        arg->rep == AGG_WHOLE ? (cql_value){ varint.data, (int32_t)varint.len } : arg->v.wire[i];
    if (varint.failed) {
        out->failed = true;
    } else if (arg->type->id == CQL_DECIMAL) {
        cql__decimal_to_varint(whole, out);
    } else if (decimal) {
        cql__decimal_from_varint(whole, out);
    } else {
        base__buf_put(out, whole.data, (size_t)whole.len);
    }
    base__buf_free(&varint);
}

static corm_status to_big(const agg_work *work, const agg_column *arg, agg_column *out) {
    base_buf    buf = { 0 };
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < work->count && status == CORM_OK; i++) {
        if (out->null[i]) continue;
        if (arg->rep == AGG_REAL && !isfinite(arg->v.real[i])) {
            status =
                base__fail(work->err, CORM_INVALID, "a number does not fit the type it is cast to");
            break;
        }
        put_big(arg, i, out->type->id == CQL_DECIMAL, &buf);
        status = agg__keep(work, &buf, &out->v.wire[i]);
    }
    base__buf_free(&buf);
    return status;
}

/* ---- texts and times ---- */

static corm_status to_text(const agg_work *work, const agg_column *arg, agg_column *out) {
    base_buf    buf = { 0 };
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < work->count && status == CORM_OK; i++) {
        uint8_t scratch[16];
        if (out->null[i]) continue;
        cql__to_text(arg->type, agg__cell(arg, i, scratch), CQL_STYLE_CAST, &buf);
        status = agg__keep(work, &buf, &out->v.wire[i]);
    }
    base__buf_free(&buf);
    return status;
}

static corm_status from_text(const agg_work *work, const agg_column *arg, agg_column *out) {
    base_buf    buf = { 0 };
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < work->count && status == CORM_OK; i++) {
        bool      is_null = false;
        cql_value kept = CQL_NULL, text = arg->v.wire[i];
        if (out->null[i]) continue;
        status = cql__from_text(out->type, (corm_str){ (const char *)text.data, (size_t)text.len },
                                &buf, &is_null, work->err);
        if (status == CORM_OK && !is_null) status = agg__keep(work, &buf, &kept);
        if (status == CORM_OK) agg__set_cell(out, i, kept);
    }
    base__buf_free(&buf);
    return status;
}

static int64_t ms_of(const agg_column *arg, uint32_t i) {
    if (arg->type->id == CQL_DATE) return arg->v.whole[i] * BASE_DAY_MS;
    if (arg->type->id == CQL_TIMESTAMP) return arg->v.whole[i];
    corm_uuid uuid = { { 0 } };
    if (arg->v.wire[i].len == 16) memcpy(uuid.bytes, arg->v.wire[i].data, 16);
    return corm_uuid_timestamp(uuid).ms;
}

static void to_time(const agg_work *work, const agg_column *arg, agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        if (out->null[i]) continue;
        int64_t ms = ms_of(arg, i);
        out->v.whole[i] =
            out->type->id == CQL_DATE ? ms / BASE_DAY_MS - (ms % BASE_DAY_MS < 0) : ms;
    }
}

static corm_status eval_cast(const agg_expr *expr, const agg_work *work, const agg_column *args,
                             agg_column *out) {
    const cql_type *from = args[0].type, *to = expr->type;
    if (cql__type_same_values(from, to) || (agg__is_text(from) && agg__is_text(to))) {
        for (uint32_t i = 0; i < work->count; i++) agg__copy_cell(out, i, &args[0], i);
        return CORM_OK;
    }
    if (agg__is_text(to)) return to_text(work, &args[0], out);
    if (agg__is_text(from)) return from_text(work, &args[0], out);
    if (agg__is_whole(to)) return to_whole(work, &args[0], out);
    if (to->id == CQL_VARINT || to->id == CQL_DECIMAL) return to_big(work, &args[0], out);
    if (agg__is_real(to)) {
        to_real(work, &args[0], out);
    } else {
        to_time(work, &args[0], out);
    }
    return CORM_OK;
}

const agg_function agg__cast_functions[] = {
    { "cast", 1, 2, true, check_cast, eval_cast, "cast(a AS type)",
      "a as another type; numbers are cut towards zero, and refused when they do not fit" },
    { .name = NULL },
};
