// SPDX-License-Identifier: MIT
/* fn_cast.c -- CAST(x AS type) and the functions cast_as_type behind it, with Java's conversions. Pure; any thread. */
#include <math.h>

#include "base/text.h"
#include "cql/fn.h"

/* ---- numbers to numbers ---- */

/* A float by its own shortest text, not by way of double. */
static corm_status decimal_of_float(float v, base_buf *out, corm_error *err) {
    base_buf text = { 0 };
    if (isnan(v) || isinf(v)) return cql__fn_fail_decimal((double)v, err);
    base__put_float(&text, v);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) status = cql__decimal_from_text(base__buf_str(&text), out, err);
    base__buf_free(&text);
    return status;
}

static corm_status to_decimal(cql_type_id from, cql_value v, base_buf *out, corm_error *err) {
    if (from == CQL_FLOAT) return decimal_of_float(cql__fn_f32(from, v), out, err);
    if (from == CQL_DOUBLE) {
        double d = cql__fn_f64(from, v);
        if (isnan(d) || isinf(d)) return cql__fn_fail_decimal(d, err);
        cql__decimal_from_double(d, out);
    } else if (from == CQL_VARINT) {
        cql__decimal_from_varint(v, out);
    } else {
        base__buf_i32(out, 0);
        cql__varint_from_i64(cql__fn_i64(from, v), out);
    }
    return CORM_OK;
}

static corm_status give_big(cql_eval_context *context, cql_type_id from, cql_type_id to,
                            cql_value v, cql_value *out, corm_error *err) {
    base_buf    buf = { 0 };
    corm_status status = CORM_OK;
    if (to == CQL_VARINT) {
        cql__varint_from_i64(cql__fn_i64(from, v), &buf);
    } else {
        status = to_decimal(from, v, &buf, err);
    }
    if (status == CORM_OK) return cql__fn_give_buf(context, &buf, out, err);
    base__buf_free(&buf);
    return status;
}

static corm_status eval_number(const cql_function *function, cql_eval_context *context,
                               const cql_value *args, cql_value *out, corm_error *err) {
    cql_type_id from = function->args[0]->id, to = function->result->id;
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    switch (to) {
    case CQL_FLOAT: return cql__fn_give_f32(context, cql__fn_f32(from, args[0]), out, err);
    case CQL_DOUBLE: return cql__fn_give_f64(context, cql__fn_f64(from, args[0]), out, err);
    case CQL_BIGINT: return cql__fn_give_i64(context, cql__fn_i64(from, args[0]), out, err);
    case CQL_VARINT:
    case CQL_DECIMAL: return give_big(context, from, to, args[0], out, err);
    default: return cql__fn_give_whole(context, to, cql__fn_i32(from, args[0]), out, err);
    }
}

/* ---- others ---- */

static corm_status eval_text(const cql_function *function, cql_eval_context *context,
                             const cql_value *args, cql_value *out, corm_error *err) {
    base_buf buf = { 0 };
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    cql__to_text(function->args[0], args[0], CQL_STYLE_CAST, &buf);
    return cql__fn_give_buf(context, &buf, out, err);
}

static corm_status eval_same(const cql_function *function, cql_eval_context *context,
                             const cql_value *args, cql_value *out, corm_error *err) {
    (void)function;
    (void)context;
    (void)err;
    *out = args[0];
    return CORM_OK;
}

static corm_status eval_date(const cql_function *function, cql_eval_context *context,
                             const cql_value *args, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    int64_t ms = cql__fn_ms(function->args[0]->id, args[0]);
    return cql__fn_give_i32(context, (int32_t)cql__fn_date_of_ms(ms), out, err);
}

static corm_status eval_timestamp(const cql_function *function, cql_eval_context *context,
                                  const cql_value *args, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    return cql__fn_give_i64(context, cql__fn_ms(function->args[0]->id, args[0]), out, err);
}

/* ---- the table: of number casts, one overload for each numeric type but the target's ---- */

typedef struct cast {
    cql_type_id       to, from; /* from CQL_CUSTOM: every numeric type */
    cql_function_eval eval;
} cast;

static const cast casts[] = {
    { CQL_TINYINT, CQL_CUSTOM, eval_number },    { CQL_SMALLINT, CQL_CUSTOM, eval_number },
    { CQL_INT, CQL_CUSTOM, eval_number },        { CQL_BIGINT, CQL_CUSTOM, eval_number },
    { CQL_FLOAT, CQL_CUSTOM, eval_number },      { CQL_DOUBLE, CQL_CUSTOM, eval_number },
    { CQL_DECIMAL, CQL_CUSTOM, eval_number },    { CQL_VARINT, CQL_CUSTOM, eval_number },
    { CQL_ASCII, CQL_CUSTOM, eval_text },        { CQL_TEXT, CQL_CUSTOM, eval_text },
    { CQL_TEXT, CQL_ASCII, eval_same },          { CQL_ASCII, CQL_INET, eval_text },
    { CQL_TEXT, CQL_INET, eval_text },           { CQL_ASCII, CQL_BOOLEAN, eval_text },
    { CQL_TEXT, CQL_BOOLEAN, eval_text },        { CQL_ASCII, CQL_TIMEUUID, eval_text },
    { CQL_TEXT, CQL_TIMEUUID, eval_text },       { CQL_ASCII, CQL_TIMESTAMP, eval_text },
    { CQL_TEXT, CQL_TIMESTAMP, eval_text },      { CQL_ASCII, CQL_DATE, eval_text },
    { CQL_TEXT, CQL_DATE, eval_text },           { CQL_ASCII, CQL_TIME, eval_text },
    { CQL_TEXT, CQL_TIME, eval_text },           { CQL_ASCII, CQL_UUID, eval_text },
    { CQL_TEXT, CQL_UUID, eval_text },           { CQL_DATE, CQL_TIMEUUID, eval_date },
    { CQL_DATE, CQL_TIMESTAMP, eval_date },      { CQL_TIMESTAMP, CQL_TIMEUUID, eval_timestamp },
    { CQL_TIMESTAMP, CQL_DATE, eval_timestamp },
};

static void add(cql_fn_list *list, const cast *c) {
    if (c->from != CQL_CUSTOM) {
        cql__fn_add_native(list, c->eval, c->to, 1, &c->from);
        return;
    }
    for (size_t i = 0; i < CQL_FN_NUMBERS; i++) {
        if (cql__fn_numbers[i] != c->to)
            cql__fn_add_native(list, c->eval, c->to, 1, &cql__fn_numbers[i]);
    }
}

static void add_casts_to(cql_fn_list *list, cql_type_id to) {
    for (size_t i = 0; i < sizeof casts / sizeof *casts; i++) {
        if (casts[i].to == to) add(list, &casts[i]);
    }
}

/* The type named behind "cast_as_", or behind "castAs" with a capital. */
static const cql_type *target_of(corm_str name) {
    corm_str prefix = corm_str_of("cast_as_"), legacy = corm_str_of("castAs");
    bool     is_new = base__str_has_prefix(name, prefix);
    if (!is_new && !base__str_has_prefix(name, legacy)) return NULL;
    size_t   skip = is_new ? prefix.len : legacy.len;
    corm_str rest = { name.data + skip, name.len - skip };
    for (size_t i = 0; i < rest.len; i++) {
        bool upper = rest.data[i] >= 'A' && rest.data[i] <= 'Z';
        if (upper != (!is_new && i == 0)) return NULL;
    }
    return base__str_equal_nocase(rest, corm_str_of("varchar")) ? NULL
                                                                : cql__type_native_named(rest);
}

void cql__fn_cast(cql_fn_list *list) {
    const cql_type *target = target_of(list->name);
    if (target) add_casts_to(list, target->id);
}

bool cql__is_cast_target(const cql_type *to) {
    for (size_t i = 0; i < sizeof casts / sizeof *casts; i++) {
        if (casts[i].to == to->id) return true;
    }
    return false;
}

/* ---- CAST ---- */

static corm_status fail_target(const cql_type *from, const cql_type *to, corm_error *err) {
    base_buf text = { 0 };
    cql__type_print(from, &text);
    base__buf_puts(&text, " cannot be cast to ");
    cql__type_print(to, &text);
    const char *shown = base__buf_cstr(&text);
    corm_status status =
        shown ? base__fail(err, CORM_INVALID, "%s", shown) : base__fail_memory(err);
    base__buf_free(&text);
    return status;
}

corm_status cql__cast_resolve(base_arena *arena, const cql_type *from, const cql_type *to,
                              const cql_function **out, corm_error *err) {
    *out = NULL;
    if (cql__type_same_values(from, to)) return CORM_OK;
    if (!cql__is_cast_target(to)) return fail_target(from, to, err);
    base_buf name = { 0 };
    base__buf_puts(&name, "cast_as_");
    cql__type_print(to, &name);
    cql_argument argument = { .type = from };
    cql_call     call = { corm_str_of("system"), base__buf_str(&name), &argument, 1, NULL, true };
    corm_status  status = base__buf_status(&name, err);
    if (status == CORM_OK) status = cql__call_resolve(arena, &call, out, err);
    base__buf_free(&name);
    return status;
}
