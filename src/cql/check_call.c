// SPDX-License-Identifier: MIT
/* check_call.c -- calls, operators and casts: which function they mean, and their arguments.
 *
 * Whether a call fits where a type is wanted is asked once for each type that an operator around it could take, so
 * the answers are kept: nested operators would else take time exponential in their depth. */
#include "cql/check_internal.h"

static const corm_str token_name = { "token", 5 };

/* ---- kept answers ---- */

typedef struct fit_key {
    const cql_expr *expr;
    const cql_type
        *to; /* NULL: the type the call has for itself; `selected`: its function in a selection */
} fit_key;

static void *kept(cql_checker *c, const fit_key *key) {
    return base__map_get(&c->fits, (corm_str){ (const char *)key, sizeof *key });
}

static void keep(cql_checker *c, const fit_key *key, void *answer) {
    const char *copy = base__arena_copy(c->arena, key, sizeof *key);
    if (!copy || !base__map_put(&c->fits, (corm_str){ copy, sizeof *key }, answer))
        c->no_memory = true;
}

/* ---- arguments ---- */

typedef struct fit_context {
    cql_checker    *c;
    const cql_expr *expr;
} fit_context;

static cql_fit fit_of(void *context, const cql_type *to) {
    const fit_context *of = context;
    return cql__term_fit(of->c, of->expr, to);
}

static bool decided_by_type(const cql_checker *c, const cql_expr *expr) {
    if (c->selecting && expr->parens) return false;
    if (expr->kind <= CQL_EXPR_MARKER || expr->kind == CQL_EXPR_HINT) return true;
    bool is_literal = expr->kind <= CQL_EXPR_TUPLE;
    return c->selecting && !is_literal;
}

corm_status cql__describe_argument(cql_checker *c, const cql_expr *expr, cql_argument *out) {
    *out =
        (cql_argument){ .type = cql__compatible_type(c, expr),
                        .literal = cql__literal_of(expr),
                        .is_marker = expr->kind == CQL_EXPR_MARKER,
                        .array_size = c->selecting && expr->kind == CQL_EXPR_LIST ? expr->count : 0,
                        .constant = expr->text,
                        .text =
                            c->selecting ? cql__selector_text(c, expr) : cql__term_text(c, expr) };
    if (!out->text.data) return base__fail_memory(c->err);
    if (decided_by_type(c, expr)) return CORM_OK;
    fit_context *context = BASE_NEW(c->arena, fit_context);
    if (!context) return base__fail_memory(c->err);
    *context = (fit_context){ c, expr };
    out->fit = fit_of;
    out->context = context;
    return CORM_OK;
}

static corm_status describe_all(cql_checker *c, const cql_expr *expr, const cql_argument **out) {
    cql_argument *args = BASE_NEW_ARRAY(c->arena, cql_argument, expr->count);
    if (!args) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < expr->count; i++)
        CORM_TRY(cql__describe_argument(c, expr->args[i], &args[i]));
    *out = args;
    return CORM_OK;
}

/* ---- which function ---- */

static bool is_native(const cql_expr *expr) {
    corm_str keyspace = expr->name.keyspace.text;
    return keyspace.len == 0 || corm_str_equal(keyspace, corm_str_of("system"));
}

bool cql__is_count_rows(const cql_checker *c, const cql_expr *expr) {
    if (expr->kind == CQL_EXPR_COUNT_ALL) return true;
    if (!c->selecting || expr->kind != CQL_EXPR_CALL || expr->count != 1 || !is_native(expr))
        return false;
    cql_expr_kind kind = expr->args[0]->kind;
    return corm_str_equal(expr->name.name.text, corm_str_of("count")) && kind != CQL_EXPR_NULL &&
           kind <= CQL_EXPR_DURATION;
}

static corm_status resolve_token(cql_checker *c, const cql_expr *expr, const cql_function **out) {
    const cql_table *table = c->table;
    const cql_type **types = BASE_NEW_ARRAY(c->arena, const cql_type *, table->partition_count);
    if (!types) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < table->partition_count; i++) types[i] = table->columns[i].type;
    if (expr->count != table->partition_count) {
        return base__fail(
            c->err, CORM_INVALID,
            "Invalid number of arguments in call to function system.token: %u required but %u provided",
            table->partition_count, expr->count);
    }
    for (uint32_t i = 0; i < expr->count; i++) {
        if (cql__term_fit(c, expr->args[i], types[i]) != CQL_FIT_NOT) continue;
        CORM_TRY(cql__fail_unexpected(c));
        corm_str text =
            c->selecting ? cql__selector_text(c, expr->args[i]) : cql__term_text(c, expr->args[i]);
        return base__fail(
            c->err, CORM_INVALID,
            "Type error: %.*s cannot be passed as argument %u of function system.token of type %s",
            CQL_STR(text), i, cql__shown(cql__type_text(c, types[i])));
    }
    return cql__token_resolve(c->arena, types, table->partition_count, out, c->err);
}

corm_str cql__call_name(cql_checker *c, const cql_expr *expr) {
    if (expr->kind == CQL_EXPR_ARITH) return cql__operator_function(expr->op);
    if (expr->kind == CQL_EXPR_NEGATE) return corm_str_of("_negate");
    if (expr->kind == CQL_EXPR_CALL) return expr->name.name.text;
    base_buf buf = { 0 };
    base__buf_puts(&buf, "cast_as_");
    cql__put_type_ast(c, expr->type, &buf);
    return cql__take_text(c, &buf);
}

static corm_status resolve(cql_checker *c, const cql_expr *expr, const cql_type *receiver,
                           const cql_function **out) {
    if (cql__is_count_rows(c, expr)) {
        *out = cql__count_all();
        return CORM_OK;
    }
    cql_call call = { .name = cql__call_name(c, expr), .count = expr->count, .receiver = receiver };
    if (!call.name.data) return base__fail_memory(c->err);
    if (expr->kind == CQL_EXPR_CALL) call.keyspace = expr->name.keyspace.text;
    call.is_cast = expr->kind == CQL_EXPR_CAST;
    if (c->table && is_native(expr) && corm_str_equal(call.name, token_name))
        return resolve_token(c, expr, out);
    CORM_TRY(describe_all(c, expr, &call.args));
    corm_status status = cql__call_resolve(c->arena, &call, out, c->err);
    CORM_TRY(cql__fail_unexpected(c));
    bool unknown = status == CORM_INVALID && (!is_native(expr) || !cql__function_exists(call.name));
    if (!c->selecting || !unknown) return status;
    return base__fail(c->err, CORM_INVALID, "Unknown function '%.*s%s%.*s'", CQL_STR(call.keyspace),
                      call.keyspace.len > 0 ? "." : "", CQL_STR(call.name));
}

/* What is resolved is remembered by the expression's address, so the copy with one pair of parentheses less is made once and
 * lives on. */
cql_expr *cql__bare(cql_checker *c, const cql_expr *expr) {
    static const cql_type bare_of;
    fit_key               key = { expr, &bare_of };
    cql_expr             *bare = (cql_expr *)(uintptr_t)kept(c, &key);
    if (bare) return bare;
    bare = BASE_NEW(c->arena, cql_expr);
    if (!bare) return NULL;
    *bare = *expr;
    bare->parens--;
    keep(c, &key, bare);
    return bare;
}

corm_status cql__resolve_call(cql_checker *c, const cql_expr *expr, const cql_type *receiver,
                              const cql_function **out) {
    static const cql_type selected;
    fit_key               key = { expr, &selected };
    if (!c->selecting) return resolve(c, expr, receiver, out);
    const void *known = kept(c, &key);
    if (known) {
        *out = known;
        return CORM_OK;
    }
    CORM_TRY(resolve(c, expr, NULL, out));
    keep(c, &key, (void *)(uintptr_t)*out);
    return CORM_OK;
}

/* NULL when there is none. */
static const cql_function *quiet_resolve(cql_checker *c, const cql_expr *expr,
                                         const cql_type *receiver) {
    const cql_function *function = NULL;
    corm_error         *err = c->err;
    c->err = NULL;
    corm_status status = cql__resolve_call(c, expr, receiver, &function);
    c->err = err;
    if (status == CORM_NO_MEMORY) c->no_memory = true;
    return status == CORM_OK ? function : NULL;
}

const cql_type *cql__call_type(cql_checker *c, const cql_expr *expr) {
    static const char unknown[1];
    fit_key           key = { expr, NULL };
    const void       *type = kept(c, &key);
    if (!type) {
        const cql_function *function = quiet_resolve(c, expr, NULL);
        type = function ? (const void *)function->result : unknown;
        keep(c, &key, (void *)(uintptr_t)type);
    }
    return type == unknown ? NULL : type;
}

cql_fit cql__call_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    if (c->selecting) {
        const cql_type *type = cql__exact_type(c, expr);
        return type ? cql__type_fit(to, type) : CQL_FIT_NOT;
    }
    static char answers[3];
    fit_key     key = { expr, to };
    char       *answer = kept(c, &key);
    if (!answer) {
        const cql_function *function = quiet_resolve(c, expr, to);
        cql_fit             fit = CQL_FIT_WEAK; /* what fails is reported when it is prepared */
        if (function && !cql__function_is_generic(function->name))
            fit = cql__strict_fit(to, function->result);
        answer = &answers[fit];
        keep(c, &key, answer);
    }
    return (cql_fit)(answer - answers);
}

/* ---- a call as a term ---- */

static corm_status refuse_result(cql_checker *c, const cql_expr *expr, const cql_function *function,
                                 const cql_receiver *receiver) {
    corm_str from = cql__type_text(c, function->result);
    corm_str to = cql__type_text(c, receiver->type);
    if (expr->kind == CQL_EXPR_ARITH) {
        return base__fail(
            c->err, CORM_INVALID,
            "Type error: cannot assign result of operation %c (type %.*s) to %.*s (type %.*s)",
            expr->op, CQL_STR(from), CQL_STR(receiver->name), CQL_STR(to));
    }
    return base__fail(
        c->err, CORM_INVALID,
        "Type error: cannot assign result of function system.%.*s (type %.*s) to %.*s (type %.*s)",
        CQL_STR(function->name), CQL_STR(from), CQL_STR(receiver->name), CQL_STR(to));
}

corm_status cql__argument(cql_checker *c, const cql_expr *expr, const cql_function *function,
                          uint32_t index, const cql_receiver *of, const cql_node **out) {
    cql_receiver receiver = *of;
    receiver.column = NULL;
    receiver.type = function->args[index];
    receiver.name =
        base__arena_printf(c->arena, "arg%u(system.%.*s)", index, CQL_STR(function->name));
    if (!receiver.name.data) return base__fail_memory(c->err);
    return cql__term(c, expr, &receiver, out);
}

corm_status cql__call(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                      const cql_node **out) {
    const cql_function *function = NULL;
    corm_status         status = cql__resolve_call(c, expr, receiver->type, &function);
    if (status != CORM_OK || !function) return status;
    if (function->is_aggregate) {
        return base__fail(c->err, CORM_INVALID,
                          "Aggregation function are not supported in the where clause");
    }
    if (cql__strict_fit(receiver->type, function->result) == CQL_FIT_NOT) {
        return refuse_result(c, expr, function, receiver);
    }
    cql_node *node = cql__new_node(c, CQL_NODE_CALL, function->result, expr->count);
    if (!node) return base__fail_memory(c->err);
    node->function = function;
    for (uint32_t i = 0; i < expr->count; i++) {
        CORM_TRY(cql__argument(c, expr->args[i], function, i, receiver, &node->args[i]));
    }
    return cql__fold(c, node, out);
}
