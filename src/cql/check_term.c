// SPDX-License-Identifier: MIT
/* check_term.c -- terms to typed nodes: constants, markers, hints; and what a term is before a type is wanted. */
#include "cql/check_internal.h"
#include "cql/eval.h"

cql_node *cql__new_node(cql_checker *c, cql_node_kind kind, const cql_type *type, uint32_t count) {
    cql_node *node = BASE_NEW(c->arena, cql_node);
    if (!node) return NULL;
    node->kind = kind;
    node->type = type;
    node->value = CQL_NULL;
    node->count = count;
    if (count > 0 && !(node->args = BASE_NEW_ARRAY(c->arena, const cql_node *, count))) return NULL;
    return node;
}

corm_status cql__constant(cql_checker *c, const cql_type *type, cql_value value,
                          const cql_node **out) {
    cql_node *node = cql__new_node(c, CQL_NODE_CONSTANT, type, 0);
    if (!node) return base__fail_memory(c->err);
    node->value = value;
    *out = node;
    return CORM_OK;
}

void cql__need_column(cql_checker *c, const cql_column *column) {
    if (!c->needed || c->needed[column->index]) return;
    c->needed[column->index] = true;
    c->used[c->used_count++] = column;
}

corm_status cql__column_node(cql_checker *c, const cql_column *column, const cql_node **out) {
    cql_node *node = cql__new_node(c, CQL_NODE_COLUMN, column->type, 0);
    if (!node) return base__fail_memory(c->err);
    node->column = column;
    cql__need_column(c, column);
    *out = node;
    return CORM_OK;
}

bool cql__has_marker(const cql_node *node) {
    if (!node) return false;
    if (node->kind == CQL_NODE_MARKER) return true;
    for (uint32_t i = 0; i < node->count; i++) {
        if (cql__has_marker(node->args[i])) return true;
    }
    return false;
}

static bool is_foldable(const cql_node *node) {
    if (node->kind == CQL_NODE_CALL && !node->function->is_pure) return false;
    if (node->kind != CQL_NODE_CALL && node->kind != CQL_NODE_PACK) return false;
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->args[i] && node->args[i]->kind != CQL_NODE_CONSTANT) return false;
    }
    return true;
}

/* Whether the value was worked out by a call. */
static bool is_computed(const cql_node *node) {
    return node && node->kind == CQL_NODE_CONSTANT && node->function;
}

/* What is computed fails when the statement is executed, as the server's does; what is written fails now. */
static const cql_function *computed_by(const cql_node *node) {
    if (node->kind == CQL_NODE_CALL) return node->function;
    for (uint32_t i = 0; i < node->count; i++) {
        if (is_computed(node->args[i])) return node->args[i]->function;
    }
    return NULL;
}

corm_status cql__fold(cql_checker *c, cql_node *node, const cql_node **out) {
    *out = node;
    if (!is_foldable(node)) return CORM_OK;
    cql_eval_env        env = { .context = { .arena = c->arena } };
    cql_value           value = CQL_NULL;
    const cql_function *function = computed_by(node);
    corm_status         done = cql__eval(node, &env, &value, function ? NULL : c->err);
    if (done != CORM_OK) return function && done != CORM_NO_MEMORY ? CORM_OK : done;
    *node = (cql_node){
        .kind = CQL_NODE_CONSTANT, .type = node->type, .value = value, .function = function
    };
    return CORM_OK;
}

/* ---- null and hints ---- */

static corm_status null_literal(cql_checker *c, const cql_receiver *receiver,
                                const cql_node **out) {
    if (receiver->type->id == CQL_COUNTER) {
        return base__fail(c->err, CORM_INVALID,
                          "Invalid null value for counter increment/decrement");
    }
    return cql__constant(c, receiver->type, CQL_NULL, out);
}

corm_status cql__hint_type(cql_checker *c, const cql_type_ast *ast, const cql_type **out) {
    corm_str keyspace = c->table ? c->table->keyspace : c->keyspace;
    return cql__resolve_type(c->schema, keyspace, ast, c->arena, out, c->err);
}

/* The hint's type, or NULL where it cannot be resolved; that is reported when the term itself is checked. */
static const cql_type *quiet_hint_type(cql_checker *c, const cql_expr *expr) {
    const cql_type *type = NULL;
    corm_error     *err = c->err;
    c->err = NULL;
    corm_status status = cql__hint_type(c, expr->type, &type);
    c->err = err;
    return status == CORM_OK ? type : NULL;
}

static corm_status hint(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                        const cql_node **out) {
    const cql_type *type = NULL;
    CORM_TRY(cql__hint_type(c, expr->type, &type));
    if (cql__term_fit(c, expr->args[0], type) == CQL_FIT_NOT) {
        CORM_TRY(cql__fail_unexpected(c));
        base_buf name = { 0 };
        cql__put_type_ast(c, expr->type, &name);
        return base__fail(c->err, CORM_INVALID, "Cannot cast value %s to type %s",
                          cql__shown(cql__term_text(c, expr->args[0])),
                          cql__shown(cql__take_text(c, &name)));
    }
    if (cql__strict_fit(receiver->type, type) == CQL_FIT_NOT) {
        return base__fail(c->err, CORM_INVALID, "Cannot assign value %s to %.*s of type %s",
                          cql__shown(cql__term_text(c, expr)), CQL_STR(receiver->name),
                          cql__shown(cql__type_text(c, receiver->type)));
    }
    return cql__term(c, expr->args[0], receiver, out);
}

cql_fit cql__strict_fit(const cql_type *to, const cql_type *from) {
    if (!cql__type_is_multicell(to) && !cql__type_is_multicell(from))
        return cql__type_fit(to, from);
    if (cql__type_equal(to, from)) return CQL_FIT_EXACT;
    return cql__type_accepts(to, from) ? CQL_FIT_WEAK : CQL_FIT_NOT;
}

/* ---- any term ---- */

static bool is_call(cql_expr_kind kind) {
    return kind == CQL_EXPR_CALL || kind == CQL_EXPR_ARITH || kind == CQL_EXPR_NEGATE ||
           kind == CQL_EXPR_CAST;
}

static bool is_collection(const cql_expr *expr) {
    return expr->kind == CQL_EXPR_LIST || expr->kind == CQL_EXPR_SET ||
           expr->kind == CQL_EXPR_MAP || expr->kind == CQL_EXPR_UDT || expr->kind == CQL_EXPR_TUPLE;
}

/* A single element in parentheses is a tuple where one is wanted. */
static bool is_tuple_of_one(const cql_expr *expr, const cql_type *type) {
    return expr->parens && type->id == CQL_TUPLE && expr->kind != CQL_EXPR_TUPLE;
}

corm_status cql__term(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                      const cql_node **out) {
    if (is_tuple_of_one(expr, receiver->type)) {
        cql_expr *args = cql__bare(c, expr);
        if (!args) return base__fail_memory(c->err);
        cql_expr tuple = {
            .kind = CQL_EXPR_TUPLE, .place = expr->place, .count = 1, .args = &args
        };
        return cql__collection(c, &tuple, receiver, out);
    }
    if (expr->kind == CQL_EXPR_NULL) return null_literal(c, receiver, out);
    if (expr->kind <= CQL_EXPR_DURATION) return cql__literal(c, expr, receiver, out);
    if (expr->kind == CQL_EXPR_MARKER) return cql__marker(c, expr, receiver, out);
    if (expr->kind == CQL_EXPR_HINT) return hint(c, expr, receiver, out);
    if (is_collection(expr)) return cql__collection(c, expr, receiver, out);
    if (is_call(expr->kind)) return cql__call(c, expr, receiver, out);
    return base__fail(c->err, CORM_INVALID, "%s is not a value",
                      cql__shown(cql__selector_text(c, expr)));
}

corm_status cql__optional_term(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                               const cql_node **out) {
    *out = NULL;
    return expr ? cql__term(c, expr, receiver, out) : CORM_OK;
}

static cql_fit bare_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    const cql_expr *bare = cql__bare(c, expr);
    return bare ? cql__term_fit(c, bare, to) : CQL_FIT_NOT;
}

cql_fit cql__term_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    if (is_tuple_of_one(expr, to)) return cql__collection_fit(c, expr, to);
    if (c->selecting && expr->parens) return bare_fit(c, expr, to);
    if (is_collection(expr)) return cql__collection_fit(c, expr, to);
    if (expr->kind == CQL_EXPR_NULL) return to->id == CQL_COUNTER ? CQL_FIT_NOT : CQL_FIT_WEAK;
    if (expr->kind <= CQL_EXPR_DURATION)
        return cql__literal_fit(cql__literal_of(expr), expr->text, to);
    if (expr->kind == CQL_EXPR_MARKER) return CQL_FIT_WEAK;
    if (is_call(expr->kind)) return cql__call_fit(c, expr, to);
    const cql_type *type = cql__exact_type(c, expr);
    bool            strict = expr->kind == CQL_EXPR_HINT || (type && cql__type_is_multicell(type));
    if (type) return strict ? cql__strict_fit(to, type) : cql__type_fit(to, type);
    return expr->kind == CQL_EXPR_HINT ? CQL_FIT_WEAK : CQL_FIT_NOT;
}

const cql_type *cql__exact_type(cql_checker *c, const cql_expr *expr) {
    if (expr->kind <= CQL_EXPR_MARKER) return NULL;
    if (c->selecting && expr->parens)
        return NULL; /* as the server: parentheses may become a tuple */
    if (expr->kind == CQL_EXPR_HINT) return quiet_hint_type(c, expr);
    if (is_collection(expr)) return cql__collection_type(c, expr, true);
    bool by_selector = expr->kind == CQL_EXPR_CAST || !is_call(expr->kind);
    if (c->selecting && by_selector) return cql__selector_type(c, expr);
    return is_call(expr->kind) ? cql__call_type(c, expr) : NULL;
}

const cql_type *cql__compatible_type(cql_checker *c, const cql_expr *expr) {
    if (c->selecting && expr->parens) return NULL;
    if (expr->kind <= CQL_EXPR_DURATION)
        return cql__literal_type(cql__literal_of(expr), expr->text);
    if (is_collection(expr)) return cql__collection_type(c, expr, false);
    return cql__exact_type(c, expr);
}
