// SPDX-License-Identifier: MIT
/* fn_arith.c -- the operators + - * / % and unary minus, as functions "_add" and so on.
 *
 * Two numbers give a number as wide as the wider, floating if either floats; float and double count by their size, so
 * that bigint + float is double and varint + float is decimal. Whole numbers wrap around. Pure; any thread. */
#include <limits.h>
#include <math.h>

#include "cql/fn.h"

static const struct {
    char        op;
    const char *name;
} operators[] = {
    { '+', "_add" },    { '-', "_substract" }, { '*', "_multiply" },
    { '/', "_divide" }, { '%', "_modulo" },
};
enum { OPERATORS = sizeof operators / sizeof *operators };

corm_str cql__operator_function(char op) {
    for (size_t i = 0; i < OPERATORS; i++) {
        if (operators[i].op == op) return corm_str_of(operators[i].name);
    }
    return (corm_str){ NULL, 0 };
}

static char op_of(const cql_function *function) {
    const char *op = function->data;
    return *op;
}

/* "the operation 'int / int' failed: …" */
static corm_status fail(const cql_function *function, const char *why, corm_error *err) {
    base_buf text = { 0 };
    base__buf_puts(&text, "the operation '");
    cql__type_print(function->args[0], &text);
    base__buf_printf(&text, " %c ", op_of(function));
    cql__type_print(function->args[1], &text);
    base__buf_printf(&text, "' failed: %s", why);
    const char *shown = base__buf_cstr(&text);
    corm_status status =
        shown ? base__fail(err, CORM_FUNCTION_FAILURE, "%s", shown) : base__fail_memory(err);
    base__buf_free(&text);
    if (shown) cql__fn_name_failure(function, err);
    return status;
}

/* ---- whole numbers of fixed size: the low bits of 64-bit arithmetic ---- */

static int64_t combine(char op, int64_t a, int64_t b) {
    if (op == '+') return (int64_t)((uint64_t)a + (uint64_t)b);
    if (op == '-') return (int64_t)((uint64_t)a - (uint64_t)b);
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* By -1 the least number would leave the range: the opposite wraps around. */
static int64_t divide(char op, int64_t a, int64_t b) {
    if (b == -1) return op == '/' ? (int64_t)(0 - (uint64_t)a) : 0;
    return op == '/' ? a / b : a % b;
}

static corm_status eval_whole(const cql_function *function, cql_eval_context *context,
                              const cql_value *args, cql_value *out, corm_error *err) {
    char op = op_of(function);
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    int64_t a = cql__fn_i64(function->args[0]->id, args[0]);
    int64_t b = cql__fn_i64(function->args[1]->id, args[1]);
    int64_t v;
    if (op != '/' && op != '%') {
        v = combine(op, a, b);
    } else if (b != 0) {
        v = divide(op, a, b);
    } else {
        return fail(function, "/ by zero", err);
    }
    return cql__fn_give_whole(context, function->result->id, v, out, err);
}

/* ---- floating point ---- */

static corm_status eval_float(const cql_function *function, cql_eval_context *context,
                              const cql_value *args, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    float a = cql__fn_f32(function->args[0]->id, args[0]);
    float b = cql__fn_f32(function->args[1]->id, args[1]);
    switch (op_of(function)) {
    case '+': return cql__fn_give_f32(context, a + b, out, err);
    case '-': return cql__fn_give_f32(context, a - b, out, err);
    case '*': return cql__fn_give_f32(context, a * b, out, err);
    case '/': return cql__fn_give_f32(context, a / b, out, err);
    default: return cql__fn_give_f32(context, fmodf(a, b), out, err);
    }
}

static corm_status eval_double(const cql_function *function, cql_eval_context *context,
                               const cql_value *args, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    double a = cql__fn_f64(function->args[0]->id, args[0]);
    double b = cql__fn_f64(function->args[1]->id, args[1]);
    switch (op_of(function)) {
    case '+': return cql__fn_give_f64(context, a + b, out, err);
    case '-': return cql__fn_give_f64(context, a - b, out, err);
    case '*': return cql__fn_give_f64(context, a * b, out, err);
    case '/': return cql__fn_give_f64(context, a / b, out, err);
    default: return cql__fn_give_f64(context, fmod(a, b), out, err);
    }
}

/* ---- varint and decimal ---- */

static bool is_zero(cql_value varint) {
    for (int32_t i = 0; i < varint.len; i++) {
        if (varint.data[i] != 0) return false;
    }
    return true;
}

static void to_varint(cql_type_id type, cql_value v, base_buf *out) {
    if (type == CQL_VARINT) {
        base__buf_put(out, v.data, (size_t)v.len);
    } else {
        cql__varint_from_i64(cql__fn_i64(type, v), out);
    }
}

/* Every number but varint passes through double, so a bigint loses its last digits. NULL: it went well. */
static const char *to_decimal(cql_type_id type, cql_value v, base_buf *out) {
    if (type == CQL_DECIMAL) {
        base__buf_put(out, v.data, (size_t)v.len);
    } else if (type == CQL_VARINT) {
        cql__decimal_from_varint(v, out);
    } else {
        double d = cql__fn_f64(type, v);
        if (isnan(d)) return "A NaN cannot be converted into a decimal";
        if (isinf(d)) return "An infinite number cannot be converted into a decimal";
        cql__decimal_from_double(d, out);
    }
    return NULL;
}

static const char *zero_division(cql_type_id result, char op, cql_value a, cql_value b) {
    bool decimal = result == CQL_DECIMAL;
    if (decimal) {
        a = (cql_value){ a.data + 4, a.len - 4 };
        b = (cql_value){ b.data + 4, b.len - 4 };
    }
    if ((op != '/' && op != '%') || !is_zero(b)) return NULL;
    if (!decimal || op == '/') return "BigInteger divide by zero";
    return is_zero(a) ? "Division undefined" : "Division by zero";
}

static corm_status calculate(const cql_function *function, const base_buf *a, const base_buf *b,
                             base_buf *out, corm_error *err) {
    cql_value   left = cql__value_of(base__buf_bytes(a)), right = cql__value_of(base__buf_bytes(b));
    cql_type_id result = function->result->id;
    char        op = op_of(function);
    CORM_TRY(base__buf_status(a, err));
    CORM_TRY(base__buf_status(b, err));
    const char *why = zero_division(result, op, left, right);
    if (why) return fail(function, why, err);
    corm_error  inner = { 0 };
    corm_status status = result == CQL_VARINT
                             ? cql__varint_arith((cql_arith)op, left, right, out, &inner)
                             : cql__decimal_arith((cql_arith)op, left, right, out, &inner);
    if (status == CORM_NO_MEMORY) return base__fail_memory(err);
    return status == CORM_OK ? CORM_OK : fail(function, inner.message, err);
}

static corm_status eval_big(const cql_function *function, cql_eval_context *context,
                            const cql_value *args, cql_value *out, corm_error *err) {
    base_buf    sides[2] = { { 0 }, { 0 } }, result = { 0 };
    const char *why = NULL;
    corm_status status = CORM_OK;
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    for (int i = 0; i < 2 && !why; i++) {
        cql_type_id type = function->args[i]->id;
        if (function->result->id == CQL_VARINT) {
            to_varint(type, args[i], &sides[i]);
        } else {
            why = to_decimal(type, args[i], &sides[i]);
        }
    }
    status =
        why ? fail(function, why, err) : calculate(function, &sides[0], &sides[1], &result, err);
    base__buf_free(&sides[0]);
    base__buf_free(&sides[1]);
    if (status == CORM_OK) return cql__fn_give_buf(context, &result, out, err);
    base__buf_free(&result);
    return status;
}

/* ---- times and durations ---- */

static corm_status fail_precision(const cql_function *function, cql_value duration,
                                  corm_error *err) {
    base_buf text = { 0 };
    base__buf_printf(&text, "The duration must have a %s precision. Was: ",
                     function->result->id == CQL_DATE ? "day" : "millisecond");
    cql__to_text(cql__type_native(CQL_DURATION), duration, CQL_STYLE_CAST, &text);
    const char *why = base__buf_cstr(&text);
    corm_status status = why ? fail(function, why, err) : base__fail_memory(err);
    base__buf_free(&text);
    return status;
}

static corm_duration opposite(corm_duration d) {
    return (corm_duration){ .months = (int32_t)(0 - (uint32_t)d.months),
                            .days = (int32_t)(0 - (uint32_t)d.days),
                            .ns = (int64_t)(0 - (uint64_t)d.ns) };
}

static corm_status eval_time(const cql_function *function, cql_eval_context *context,
                             const cql_value *args, cql_value *out, corm_error *err) {
    const int64_t finest = 1000000;
    cql_type_id   type = function->result->id;
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    corm_duration duration = cql__fn_duration(args[1]);
    bool          too_fine = type == CQL_DATE ? duration.ns != 0 : duration.ns % finest != 0;
    if (too_fine) return fail_precision(function, args[1], err);
    if (op_of(function) == '-') duration = opposite(duration);
    int64_t ms = cql__fn_add_duration(cql__fn_ms(type, args[0]), duration);
    if (type == CQL_DATE)
        return cql__fn_give_i32(context, (int32_t)cql__fn_date_of_ms(ms), out, err);
    return cql__fn_give_i64(context, ms, out, err);
}

/* ---- text ---- */

static corm_status eval_text(const cql_function *function, cql_eval_context *context,
                             const cql_value *args, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    size_t   a = (size_t)args[0].len, b = (size_t)args[1].len;
    uint8_t *data = cql__fn_room(context, a + b, out);
    if (!data) return base__fail_memory(err);
    if (a > 0) memcpy(data, args[0].data, a);
    if (b > 0) memcpy(data + a, args[1].data, b);
    return CORM_OK;
}

/* ---- unary minus ---- */

static corm_status negate_big(cql_eval_context *context, cql_type_id type, cql_value v,
                              cql_value *out, corm_error *err) {
    base_buf buf = { 0 };
    int32_t  skip = type == CQL_DECIMAL ? 4 : 0;
    base__buf_put(&buf, v.data, (size_t)skip);
    cql__fn_varint_negate((cql_value){ v.data + skip, v.len - skip }, &buf);
    return cql__fn_give_buf(context, &buf, out, err);
}

static corm_status eval_negate(const cql_function *function, cql_eval_context *context,
                               const cql_value *args, cql_value *out, corm_error *err) {
    cql_type_id type = function->result->id;
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    switch (type) {
    case CQL_FLOAT: return cql__fn_give_f32(context, -cql__fn_f32(type, args[0]), out, err);
    case CQL_DOUBLE: return cql__fn_give_f64(context, -cql__fn_f64(type, args[0]), out, err);
    case CQL_VARINT:
    case CQL_DECIMAL: return negate_big(context, type, args[0], out, err);
    default: break;
    }
    int64_t v = (int64_t)(0 - (uint64_t)cql__fn_i64(type, args[0]));
    return cql__fn_give_whole(context, type, v, out, err);
}

/* ---- overloads ---- */

static int size_of(cql_type_id type) {
    switch (type) {
    case CQL_TINYINT: return 1;
    case CQL_SMALLINT: return 2;
    case CQL_INT:
    case CQL_FLOAT: return 4;
    case CQL_VARINT:
    case CQL_DECIMAL: return INT_MAX;
    default: return 8;
    }
}

static bool is_floating(cql_type_id type) {
    return type == CQL_FLOAT || type == CQL_DOUBLE || type == CQL_DECIMAL;
}

static cql_type_id result_of(cql_type_id a, cql_type_id b) {
    bool floating = is_floating(a) || is_floating(b);
    int  size = size_of(a) > size_of(b) ? size_of(a) : size_of(b);
    switch (size) {
    case 1: return CQL_TINYINT;
    case 2: return CQL_SMALLINT;
    case 4: return floating ? CQL_FLOAT : CQL_INT;
    case 8: return floating ? CQL_DOUBLE : CQL_BIGINT;
    default: return floating ? CQL_DECIMAL : CQL_VARINT;
    }
}

static cql_function_eval eval_of(cql_type_id result) {
    switch (result) {
    case CQL_FLOAT: return eval_float;
    case CQL_DOUBLE: return eval_double;
    case CQL_VARINT:
    case CQL_DECIMAL: return eval_big;
    default: return eval_whole;
    }
}

static void add(cql_fn_list *list, const char *op, cql_function_eval eval, cql_type_id result,
                cql_type_id a, cql_type_id b) {
    cql_type_id   args[] = { a, b };
    cql_function *function = cql__fn_add_native(list, eval, result, 2, args);
    if (function) function->data = op;
}

static void add_binary(cql_fn_list *list, const char *op) {
    for (size_t i = 0; i < CQL_FN_NUMBERS; i++) {
        for (size_t j = 0; j < CQL_FN_NUMBERS; j++) {
            cql_type_id a = cql__fn_numbers[i], b = cql__fn_numbers[j];
            cql_type_id result = result_of(a, b);
            add(list, op, eval_of(result), result, a, b);
        }
    }
    if (*op == '+' || *op == '-') {
        add(list, op, eval_time, CQL_TIMESTAMP, CQL_TIMESTAMP, CQL_DURATION);
        add(list, op, eval_time, CQL_DATE, CQL_DATE, CQL_DURATION);
    }
    if (*op == '+') {
        add(list, op, eval_text, CQL_TEXT, CQL_TEXT, CQL_TEXT);
        add(list, op, eval_text, CQL_ASCII, CQL_ASCII, CQL_ASCII);
        add(list, op, eval_text, CQL_TEXT, CQL_ASCII, CQL_TEXT);
        add(list, op, eval_text, CQL_TEXT, CQL_TEXT, CQL_ASCII);
    }
}

void cql__fn_arith(cql_fn_list *list) {
    if (corm_str_equal(list->name, corm_str_of("_negate"))) {
        for (size_t i = 0; i < CQL_FN_NUMBERS; i++) {
            cql__fn_add_native(list, eval_negate, cql__fn_numbers[i], 1, &cql__fn_numbers[i]);
        }
    }
    for (size_t i = 0; i < OPERATORS; i++) {
        if (corm_str_equal(list->name, corm_str_of(operators[i].name)))
            add_binary(list, &operators[i].op);
    }
}
