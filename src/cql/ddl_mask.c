// SPDX-License-Identifier: MIT
/* ddl_mask.c -- MASKED WITH: finds the function and brings its arguments to one form. Pure; any
 * thread. check_mask.c puts them over values.
 *
 * Arguments are terms: they are typed by the checker, evaluated once, and kept as literals. */
#include "base/text.h"
#include "cql/check_internal.h"
#include "cql/ddl.h"
#include "cql/eval.h"

/* One mask being read. */
typedef struct masking {
    cql_checker         checker;
    const cql_mask     *written;
    corm_str            column;
    const cql_type     *type;
    const cql_function *function;
    int64_t             now_us;
} masking;

static corm_str function_name(const cql_mask *written) {
    return written->function.name.text.data ? written->function.name.text
                                            : corm_str_of("mask_default");
}

/* "name(argument, …)" as it was written. */
static corm_str call_text(masking *m) {
    const cql_mask *written = m->written;
    corm_str        keyspace = written->function.keyspace.text;
    base_buf        text = { 0 };
    if (keyspace.data) base__buf_printf(&text, "%.*s.", CQL_S(keyspace));
    base__buf_printf(&text, "%.*s(", CQL_S(function_name(written)));
    for (uint32_t i = 0; i < written->count; i++) {
        if (i > 0) base__buf_puts(&text, ", ");
        cql__put_term(written->args[i], &text);
    }
    base__buf_u8(&text, ')');
    return cql__take_text(&m->checker, &text);
}

static corm_status refuse_call(masking *m, const char *format) {
    corm_str call = call_text(m);
    if (!call.data) return base__fail_memory(m->checker.err);
    return base__fail(m->checker.err, CORM_INVALID, format, CQL_S(call));
}

static bool has_marker(const cql_expr *expr) {
    if (expr->kind == CQL_EXPR_MARKER) return true;
    for (uint32_t i = 0; i < expr->count; i++) {
        if (has_marker(expr->args[i])) return true;
    }
    return false;
}

static corm_status check_exists(masking *m) {
    corm_str keyspace = m->written->function.keyspace.text;
    bool     native = !keyspace.data || corm_str_equal(keyspace, corm_str_of("system"));
    if (native && cql__function_exists(function_name(m->written))) return CORM_OK;
    corm_str call = call_text(m);
    if (!call.data) return base__fail_memory(m->checker.err);
    return base__fail(
        m->checker.err, CORM_INVALID,
        "Unable to find masking function for %.*s, no declared function matches the signature %.*s",
        CQL_S(m->column), CQL_S(call));
}

static corm_status describe_arguments(masking *m, const cql_argument **out) {
    const cql_mask *written = m->written;
    cql_checker    *c = &m->checker;
    cql_argument   *args = BASE_NEW_ARRAY(c->arena, cql_argument, (size_t)written->count + 1);
    base_buf        type = { 0 };
    if (!args) return base__fail_memory(c->err);
    cql__type_print_marshal(m->type, &type);
    args[0] = (cql_argument){ .type = m->type, .text = cql__take_text(c, &type) };
    if (!args[0].text.data) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < written->count; i++) {
        if (has_marker(written->args[i])) {
            return refuse_call(m, "Masking function %.*s takes no bind variables");
        }
        CORM_TRY(cql__describe_argument(c, written->args[i], &args[i + 1]));
    }
    *out = args;
    return CORM_OK;
}

static corm_status resolve(masking *m, const cql_argument *args) {
    cql_checker *c = &m->checker;
    cql_call     call = { .name = function_name(m->written),
                          .args = args,
                          .count = m->written->count + 1,
                          .receiver = m->type };
    corm_status  status = cql__call_resolve(c->arena, &call, &m->function, c->err);
    CORM_TRY(cql__fail_unexpected(c));
    return status;
}

static corm_status check_function(masking *m) {
    cql_checker        *c = &m->checker;
    const cql_function *function = m->function;
    if (function->is_aggregate) {
        return refuse_call(m, "Aggregate function %.*s cannot be used for masking table columns");
    }
    if (!base__str_has_prefix(function->name, corm_str_of("mask_"))) {
        return refuse_call(m, "Not-masking function %.*s cannot be used for masking table columns");
    }
    if (cql__type_same_values(function->result, m->type)) return CORM_OK;
    corm_str call = call_text(m);
    corm_str result = cql__type_text(c, function->result);
    corm_str own = cql__type_text(c, m->type);
    if (!call.data || !result.data || !own.data) return base__fail_memory(c->err);
    return base__fail(c->err, CORM_INVALID,
                      "Masking function %.*s return type is %.*s. This is different to the type of "
                      "the masked column %.*s of type %.*s. Masking functions can only be attached "
                      "to table columns if they return the same data type as the masked column.",
                      CQL_S(call), CQL_S(result), CQL_S(m->column), CQL_S(own));
}

/* The argument as a literal of the type that the function takes there. */
static corm_status settle(masking *m, uint32_t index, corm_str *out) {
    cql_checker    *c = &m->checker;
    cql_receiver    receiver = { .name = m->column, .type = m->type };
    cql_eval_env    env = { .context = { .arena = c->arena, .now_us = m->now_us } };
    const cql_node *node = NULL;
    cql_value       value = CQL_NULL;
    base_buf        text = { 0 };
    CORM_TRY(cql__argument(c, m->written->args[index], m->function, index + 1, &receiver, &node));
    CORM_TRY(cql__eval(node, &env, &value, c->err));
    if (cql__is_null(value))
        base__buf_puts(&text, "null");
    else
        cql__to_text(m->function->args[index + 1], value, CQL_STYLE_LITERAL, &text);
    *out = cql__take_text(c, &text);
    return out->data ? CORM_OK : base__fail_memory(c->err);
}

static corm_status read_mask(masking *m, cql_mask_def *out) {
    uint32_t            count = m->written->count;
    const cql_argument *args = NULL;
    CORM_TRY(check_exists(m));
    CORM_TRY(describe_arguments(m, &args));
    CORM_TRY(resolve(m, args));
    CORM_TRY(check_function(m));
    *out = (cql_mask_def){ true, m->function->name, count,
                           BASE_NEW_ARRAY(m->checker.arena, corm_str, count) };
    if (!out->arguments) return base__fail_memory(m->checker.err);
    for (uint32_t i = 0; i < count; i++) CORM_TRY(settle(m, i, &out->arguments[i]));
    return CORM_OK;
}

corm_status cql__ddl_mask(cql_ddl *ddl, const cql_mask *written, corm_str column,
                          const cql_type *type, cql_mask_def *out) {
    *out = (cql_mask_def){ .present = false };
    if (!written->present) return CORM_OK;
    masking     m = { .checker = { .arena = ddl->arena,
                                   .schema = ddl->schema,
                                   .keyspace = ddl->session,
                                   .err = ddl->err },
                      .written = written,
                      .column = column,
                      .type = type,
                      .now_us = ddl->now_us };
    corm_status status = read_mask(&m, out);
    base__map_free(&m.checker.fits);
    return status;
}
