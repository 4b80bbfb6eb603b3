// SPDX-License-Identifier: MIT
/* ddl_mask.c -- MASKED WITH: finds the function and brings its arguments to one form. Masks are
 * kept and shown; they hide nothing, since every user of a folder may unmask. Pure; any thread. */
#include "base/text.h"
#include "cql/ddl.h"
#include "cql/functions.h"
#include "cql/parser.h"

static corm_str keep(cql_ddl *ddl, base_buf *text) {
    corm_str out =
        text->failed ? (corm_str){ NULL, 0 } : base__arena_str(ddl->arena, base__buf_str(text));
    base__buf_free(text);
    return out;
}

static corm_str expr_text(cql_ddl *ddl, const cql_expr *expr) {
    base_buf text = { 0 };
    if (expr->kind == CQL_EXPR_NULL)
        base__buf_puts(&text, "null");
    else
        cql__print_expr(expr, &text);
    return keep(ddl, &text);
}

static corm_str type_text(cql_ddl *ddl, const cql_type *type, bool marshal) {
    base_buf text = { 0 };
    if (marshal)
        cql__type_print_marshal(type, &text);
    else
        cql__type_print(type, &text);
    return keep(ddl, &text);
}

static corm_str function_name(const cql_mask *written) {
    return written->function.name.text.data ? written->function.name.text
                                            : corm_str_of("mask_default");
}

/* "name(argument, …)" as it was written. */
static corm_str call_text(cql_ddl *ddl, const cql_mask *written) {
    base_buf text = { 0 };
    if (written->function.keyspace.text.data) {
        base__buf_printf(&text, "%.*s.", CQL_S(written->function.keyspace.text));
    }
    base__buf_put_str(&text, function_name(written));
    base__buf_u8(&text, '(');
    for (uint32_t i = 0; i < written->count; i++) {
        if (i > 0) base__buf_puts(&text, ", ");
        corm_str argument = expr_text(ddl, written->args[i]);
        if (!argument.data) text.failed = true;
        base__buf_put_str(&text, argument);
    }
    base__buf_u8(&text, ')');
    return keep(ddl, &text);
}

static cql_literal literal_of(const cql_expr *expr) {
    switch (expr->kind) {
    case CQL_EXPR_NULL: return CQL_LIT_NULL;
    case CQL_EXPR_STRING: return CQL_LIT_STRING;
    case CQL_EXPR_INTEGER: return CQL_LIT_INTEGER;
    case CQL_EXPR_FLOAT: return CQL_LIT_FLOAT;
    case CQL_EXPR_BOOLEAN: return CQL_LIT_BOOLEAN;
    case CQL_EXPR_UUID: return CQL_LIT_UUID;
    case CQL_EXPR_HEX: return CQL_LIT_HEX;
    case CQL_EXPR_DURATION: return CQL_LIT_DURATION;
    default: return CQL_LIT_NONE;
    }
}

static corm_status refuse_call(cql_ddl *ddl, const cql_mask *written, const char *format) {
    corm_str call = call_text(ddl, written);
    if (!call.data) return base__fail_memory(ddl->err);
    return base__fail(ddl->err, CORM_INVALID, format, CQL_S(call));
}

static bool is_function(corm_str name) {
    size_t             count;
    const char *const *names = cql__function_names(&count);
    for (size_t i = 0; i < count; i++) {
        if (corm_str_equal(name, corm_str_of(names[i]))) return true;
    }
    return false;
}

static corm_status check_exists(cql_ddl *ddl, const cql_mask *written, corm_str column) {
    corm_str keyspace = written->function.keyspace.text;
    corm_str name = function_name(written);
    bool     native = !keyspace.data || corm_str_equal(keyspace, corm_str_of("system"));
    corm_str call = call_text(ddl, written);
    if (native && is_function(name)) return CORM_OK;
    if (!call.data) return base__fail_memory(ddl->err);
    return base__fail(
        ddl->err, CORM_INVALID,
        "Unable to find masking function for %.*s, no declared function matches the signature %.*s",
        CQL_S(column), CQL_S(call));
}

static corm_status resolve(cql_ddl *ddl, const cql_mask *written, const cql_type *type,
                           const cql_function **out) {
    cql_argument *args = BASE_NEW_ARRAY(ddl->arena, cql_argument, (size_t)written->count + 1);
    if (!args) return base__fail_memory(ddl->err);
    args[0] = (cql_argument){ .type = type, .text = type_text(ddl, type, true) };
    if (!args[0].text.data) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < written->count; i++) {
        const cql_expr *expr = written->args[i];
        args[i + 1] = (cql_argument){ .literal = literal_of(expr),
                                      .constant = expr->text,
                                      .text = expr_text(ddl, expr) };
        if (!args[i + 1].text.data) return base__fail_memory(ddl->err);
        if (args[i + 1].literal == CQL_LIT_NONE) {
            return refuse_call(ddl, written, "Masking function %.*s takes constants only");
        }
    }
    cql_call call = {
        .name = function_name(written), .args = args, .count = written->count + 1, .receiver = type
    };
    return cql__call_resolve(ddl->arena, &call, out, ddl->err);
}

static corm_status check_function(cql_ddl *ddl, const cql_mask *written, corm_str column,
                                  const cql_type *type, const cql_function *function) {
    if (function->is_aggregate) {
        return refuse_call(ddl, written,
                           "Aggregate function %.*s cannot be used for masking table columns");
    }
    if (!base__str_has_prefix(function->name, corm_str_of("mask_"))) {
        return refuse_call(ddl, written,
                           "Not-masking function %.*s cannot be used for masking table columns");
    }
    if (cql__type_same_values(function->result, type)) return CORM_OK;
    corm_str call = call_text(ddl, written);
    corm_str result = type_text(ddl, function->result, false);
    corm_str own = type_text(ddl, type, false);
    if (!call.data || !result.data || !own.data) return base__fail_memory(ddl->err);
    return base__fail(ddl->err, CORM_INVALID,
                      "Masking function %.*s return type is %.*s. This is different to the type of "
                      "the masked column %.*s of type %.*s. Masking functions can only be attached "
                      "to table columns if they return the same data type as the masked column.",
                      CQL_S(call), CQL_S(result), CQL_S(column), CQL_S(own));
}

/* The argument as a literal of the type that the function takes there. */
static corm_status settle(cql_ddl *ddl, const cql_expr *expr, const cql_type *type, corm_str *out) {
    base_buf bytes = { 0 };
    base_buf text = { 0 };
    bool     is_null = false;
    *out = expr_text(ddl, expr);
    if (!out->data) return base__fail_memory(ddl->err);
    if (expr->kind == CQL_EXPR_NULL) return CORM_OK;
    corm_status status = cql__from_text(type, *out, &bytes, &is_null, ddl->err);
    if (status == CORM_OK) status = base__buf_status(&bytes, ddl->err);
    if (status == CORM_OK) {
        cql__to_text(type, cql__value_of(base__buf_bytes(&bytes)), CQL_STYLE_LITERAL, &text);
        *out = keep(ddl, &text);
        if (!out->data) status = base__fail_memory(ddl->err);
    }
    base__buf_free(&bytes);
    return status;
}

corm_status cql__ddl_mask(cql_ddl *ddl, const cql_mask *written, corm_str column,
                          const cql_type *type, cql_mask_def *out) {
    const cql_function *function = NULL;
    *out = (cql_mask_def){ .present = false };
    if (!written->present) return CORM_OK;
    CORM_TRY(check_exists(ddl, written, column));
    CORM_TRY(resolve(ddl, written, type, &function));
    CORM_TRY(check_function(ddl, written, column, type, function));
    *out = (cql_mask_def){ true, function->name, written->count,
                           BASE_NEW_ARRAY(ddl->arena, corm_str, written->count) };
    if (!out->arguments) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < written->count; i++) {
        CORM_TRY(settle(ddl, written->args[i], function->args[i + 1], &out->arguments[i]));
    }
    return CORM_OK;
}
