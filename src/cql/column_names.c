// SPDX-License-Identifier: MIT
/* column_names.c -- terms, selectors, types and relations as the server's messages show them. Pure but for memory. */
#include "cql/check_internal.h"

corm_str cql__take_text(cql_checker *c, base_buf *buf) {
    corm_str text = { NULL, 0 };
    if (!buf->failed) text = base__arena_str(c->arena, base__buf_str(buf));
    base__buf_free(buf);
    if (!text.data) c->no_memory = true;
    return text;
}

/* ---- types as written ---- */

static bool is_named(const cql_type_ast *ast, const char *name) {
    return ast->count > 0 && corm_str_equal(ast->name.name.text, corm_str_of(name));
}

static bool is_collection(const cql_type_ast *ast) {
    return is_named(ast, "list") || is_named(ast, "set") || is_named(ast, "map");
}

static bool has_parameters(const cql_type_ast *ast) {
    return is_collection(ast) || is_named(ast, "tuple") || is_named(ast, "vector");
}

/* A user-defined type is shown with the keyspace that it was found in. */
static void put_user_type(const cql_checker *c, const cql_type_ast *ast, base_buf *out) {
    corm_str keyspace = ast->name.keyspace.text;
    if (!keyspace.data && c && c->table) keyspace = c->table->keyspace;
    if (keyspace.data) base__buf_printf(out, "%.*s.", CQL_STR(keyspace));
    base__buf_put_str(out, ast->name.name.text);
}

static void put_type(const cql_checker *c, const cql_type_ast *ast, bool frozen, base_buf *out);

static void put_parameters(const cql_checker *c, const cql_type_ast *ast, bool frozen,
                           base_buf *out) {
    base__buf_put_str(out, ast->name.name.text);
    base__buf_u8(out, '<');
    for (uint32_t i = 0; i < ast->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        put_type(c, ast->params[i], frozen, out);
    }
    if (ast->dimension > 0) base__buf_printf(out, ", %u", ast->dimension);
    base__buf_u8(out, '>');
}

/* Freezing goes inwards through collections; tuples and vectors are frozen without saying so, and freeze what a tuple, but not
 * what a vector, is made of. */
static void put_type(const cql_checker *c, const cql_type_ast *ast, bool frozen, base_buf *out) {
    const cql_type *native = ast->is_quoted ? NULL : cql__type_native_named(ast->name.name.text);
    if (ast->is_class) {
        base__buf_printf(out, "'%.*s'", CQL_STR(ast->name.name.text));
    } else if (is_named(ast, "frozen")) {
        put_type(c, ast->params[0], true, out);
    } else if (is_named(ast, "tuple") || is_named(ast, "vector")) {
        put_parameters(c, ast, is_named(ast, "tuple"), out);
    } else if (native && !has_parameters(ast)) {
        base__buf_put_str(out, ast->name.name.text); /* varchar is not shown as text */
    } else {
        if (frozen) base__buf_puts(out, "frozen<");
        if (is_collection(ast))
            put_parameters(c, ast, frozen, out);
        else
            put_user_type(c, ast, out);
        if (frozen) base__buf_u8(out, '>');
    }
}

void cql__put_type_ast(const cql_checker *c, const cql_type_ast *ast, base_buf *out) {
    put_type(c, ast, false, out);
}

corm_str cql__type_text(cql_checker *c, const cql_type *type) {
    base_buf buf = { 0 };
    cql__type_print(type, &buf);
    return cql__take_text(c, &buf);
}

/* ---- terms and selectors ---- */

typedef void (*put_fn)(cql_checker *c, const cql_expr *expr, base_buf *out);

static void put_term(cql_checker *c, const cql_expr *expr, base_buf *out);
static void put_selector(cql_checker *c, const cql_expr *expr, base_buf *out);

static void put_list(cql_checker *c, const cql_expr *expr, put_fn put, const char *ends,
                     base_buf *out) {
    base__buf_u8(out, (uint8_t)ends[0]);
    for (uint32_t i = 0; i < expr->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        put(c, expr->args[i], out);
    }
    base__buf_u8(out, (uint8_t)ends[1]);
}

static void put_map(cql_checker *c, const cql_expr *expr, put_fn put, base_buf *out) {
    base__buf_u8(out, '{');
    for (uint32_t i = 0; i + 1 < expr->count; i += 2) {
        if (i > 0) base__buf_puts(out, ", ");
        put(c, expr->args[i], out);
        base__buf_puts(out, ": ");
        put(c, expr->args[i + 1], out);
    }
    base__buf_u8(out, '}');
}

static void put_field(cql_checker *c, const cql_expr *expr, uint32_t i, put_fn put, base_buf *out) {
    if (out->len > 0 && out->data[out->len - 1] != '{') base__buf_puts(out, ", ");
    base__buf_printf(out, "%.*s: ", CQL_STR(expr->names[i].text));
    put(c, expr->args[i], out);
}

/* Where the server's hash map keeps the name, of `size` places. */
static uint32_t place_of(corm_str name, uint32_t size) {
    uint32_t hash = 1;
    for (size_t i = name.len; i > 0; i--) {
        int8_t byte = (int8_t)name.data[i - 1];
        hash = 31U * hash + (uint32_t)byte;
    }
    return (hash ^ hash >> 16) & (size - 1);
}

/* As a term, the fields come in the order in which the server keeps them. */
static void put_udt(cql_checker *c, const cql_expr *expr, put_fn put, base_buf *out) {
    uint32_t size = 16;
    while (expr->count > size / 4 * 3) size *= 2;
    base__buf_u8(out, '{');
    for (uint32_t at = 0; at < (put == put_term ? size : 1); at++) {
        for (uint32_t i = 0; i < expr->count; i++) {
            if (put != put_term || place_of(expr->names[i].text, size) == at)
                put_field(c, expr, i, put, out);
        }
    }
    base__buf_u8(out, '}');
}

/* What looks the same in a term and in a selector; false for the rest. */
static bool put_common(cql_checker *c, const cql_expr *expr, put_fn put, base_buf *out) {
    switch (expr->kind) {
    case CQL_EXPR_NULL: base__buf_puts(out, "NULL"); return true;
    case CQL_EXPR_STRING: base__buf_printf(out, "'%.*s'", CQL_STR(expr->text)); return true;
    case CQL_EXPR_INTEGER:
    case CQL_EXPR_FLOAT:
    case CQL_EXPR_BOOLEAN:
    case CQL_EXPR_UUID:
    case CQL_EXPR_HEX:
    case CQL_EXPR_DURATION: base__buf_put_str(out, expr->text); return true;
    case CQL_EXPR_MARKER: base__buf_u8(out, '?'); return true;
    case CQL_EXPR_LIST: put_list(c, expr, put, "[]", out); return true;
    case CQL_EXPR_SET: put_list(c, expr, put, "{}", out); return true;
    case CQL_EXPR_TUPLE: put_list(c, expr, put, "()", out); return true;
    case CQL_EXPR_MAP: put_map(c, expr, put, out); return true;
    case CQL_EXPR_UDT: put_udt(c, expr, put, out); return true;
    case CQL_EXPR_HINT:
        base__buf_u8(out, '(');
        cql__put_type_ast(c, expr->type, out);
        base__buf_u8(out, ')');
        put(c, expr->args[0], out);
        return true;
    default: return false;
    }
}

static void put_term_call(cql_checker *c, const cql_expr *expr, base_buf *out) {
    if (expr->kind == CQL_EXPR_CALL) {
        bool is_token = corm_str_equal(expr->name.name.text, corm_str_of("token"));
        if (expr->name.keyspace.text.data && !is_token) {
            cql__put_name(out, expr->name.keyspace.text);
            base__buf_u8(out, '.');
        }
        if (is_token) {
            base__buf_puts(out, "token");
        } else {
            cql__put_name(out, expr->name.name.text);
        }
    } else if (expr->kind == CQL_EXPR_CAST) {
        base__buf_puts(out, "system.cast_as_");
        cql__put_type_ast(c, expr->type, out);
    } else {
        base__buf_puts(out, "system.");
        cql__put_name(out, expr->kind == CQL_EXPR_ARITH ? cql__operator_function(expr->op)
                                                        : corm_str_of("_negate"));
    }
    put_list(c, expr, put_term, "()", out);
}

static void put_term(cql_checker *c, const cql_expr *expr, base_buf *out) {
    for (uint32_t i = 0; i < expr->parens; i++) base__buf_u8(out, '(');
    if (!put_common(c, expr, put_term, out)) put_term_call(c, expr, out);
    for (uint32_t i = 0; i < expr->parens; i++) base__buf_u8(out, ')');
}

static void put_subscript(cql_checker *c, const cql_expr *expr, base_buf *out) {
    base__buf_u8(out, '[');
    if (expr->args[1]) put_term(c, expr->args[1], out);
    if (expr->kind == CQL_EXPR_SLICE) {
        base__buf_puts(out, "..");
        if (expr->args[2]) put_term(c, expr->args[2], out);
    }
    base__buf_u8(out, ']');
}

static void put_selector_call(cql_checker *c, const cql_expr *expr, base_buf *out) {
    const cql_function *function = NULL;
    corm_error         *err = c->err;
    c->err = NULL;
    if (cql__resolve_call(c, expr, NULL, &function) != CORM_OK) function = NULL;
    c->err = err;
    base__buf_printf(out, "system.%.*s", CQL_STR(function ? function->name : expr->name.name.text));
    put_list(c, expr, put_selector, "()", out);
}

static void put_wrapped(cql_checker *c, const char *name, const cql_expr *expr, base_buf *out) {
    base__buf_printf(out, "%s(", name);
    put_selector(c, expr->args[0], out);
    base__buf_u8(out, ')');
}

static void put_arith(cql_checker *c, const cql_expr *expr, base_buf *out) {
    put_selector(c, expr->args[0], out);
    base__buf_printf(out, " %c ", expr->op);
    put_selector(c, expr->args[1], out);
}

static void put_bare_selector(cql_checker *c, const cql_expr *expr, base_buf *out) {
    switch (expr->kind) {
    case CQL_EXPR_COLUMN: base__buf_put_str(out, expr->name.name.text); return;
    case CQL_EXPR_FIELD:
        put_selector(c, expr->args[0], out);
        base__buf_printf(out, ".%.*s", CQL_STR(expr->name.name.text));
        return;
    case CQL_EXPR_ELEMENT:
    case CQL_EXPR_SLICE:
        put_selector(c, expr->args[0], out);
        put_subscript(c, expr, out);
        return;
    case CQL_EXPR_COUNT_ALL: base__buf_puts(out, "count"); return;
    case CQL_EXPR_WRITETIME: put_wrapped(c, "writetime", expr, out); return;
    case CQL_EXPR_MAXWRITETIME: put_wrapped(c, "maxwritetime", expr, out); return;
    case CQL_EXPR_TTL: put_wrapped(c, "ttl", expr, out); return;
    case CQL_EXPR_ARITH: put_arith(c, expr, out); return;
    case CQL_EXPR_NEGATE:
        base__buf_u8(out, '-');
        put_selector(c, expr->args[0], out);
        return;
    case CQL_EXPR_CAST:
        base__buf_puts(out, "cast(");
        put_selector(c, expr->args[0], out);
        base__buf_puts(out, " as ");
        cql__put_type_ast(c, expr->type, out);
        base__buf_u8(out, ')');
        return;
    default: put_selector_call(c, expr, out);
    }
}

static void put_selector(cql_checker *c, const cql_expr *expr, base_buf *out) {
    for (uint32_t i = 0; i < expr->parens; i++) base__buf_u8(out, '(');
    if (!put_common(c, expr, put_selector, out)) put_bare_selector(c, expr, out);
    for (uint32_t i = 0; i < expr->parens; i++) base__buf_u8(out, ')');
}

void cql__put_term(const cql_expr *expr, base_buf *out) {
    put_term(NULL, expr, out);
}

corm_str cql__term_text(cql_checker *c, const cql_expr *expr) {
    base_buf buf = { 0 };
    put_term(c, expr, &buf);
    return cql__take_text(c, &buf);
}

corm_str cql__selector_text(cql_checker *c, const cql_expr *expr) {
    base_buf buf = { 0 };
    put_selector(c, expr, &buf);
    return cql__take_text(c, &buf);
}

/* ---- relations ---- */

const char *cql__operator_text(cql_operator op) {
    static const char *const texts[] = {
        [CQL_OP_EQ] = "=",
        [CQL_OP_NEQ] = "!=",
        [CQL_OP_LT] = "<",
        [CQL_OP_LTE] = "<=",
        [CQL_OP_GT] = ">",
        [CQL_OP_GTE] = ">=",
        [CQL_OP_IN] = "IN",
        [CQL_OP_CONTAINS] = "CONTAINS",
        [CQL_OP_LIKE] = "LIKE",
        [CQL_OP_CONTAINS_KEY] = "CONTAINS KEY",
        [CQL_OP_IS_NOT_NULL] = "IS NOT",
    };
    return texts[op];
}

static void put_names(const cql_relation *relation, base_buf *out) {
    base__buf_u8(out, '(');
    for (uint32_t i = 0; i < relation->column_count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__put_name(out, relation->columns[i].text);
    }
    base__buf_u8(out, ')');
}

static void put_left(const cql_relation *relation, base_buf *out) {
    if (relation->kind == CQL_REL_TOKEN) base__buf_puts(out, "token");
    if (relation->kind == CQL_REL_TOKEN || relation->kind == CQL_REL_MULTI) {
        put_names(relation, out);
        return;
    }
    cql__put_name(out, relation->columns[0].text);
    if (!relation->key) return;
    base__buf_u8(out, '[');
    cql__put_term(relation->key, out);
    base__buf_u8(out, ']');
}

void cql__put_relation(const cql_relation *relation, base_buf *out) {
    put_left(relation, out);
    base__buf_printf(out, " %s ", cql__operator_text(relation->op));
    bool is_list = relation->op == CQL_OP_IN && !relation->in_marker;
    if (relation->op == CQL_OP_IS_NOT_NULL) base__buf_puts(out, "NULL");
    if (is_list) base__buf_u8(out, '(');
    for (uint32_t i = 0; i < relation->term_count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__put_term(relation->terms[i], out);
    }
    if (is_list) base__buf_u8(out, ')');
}

corm_str cql__relation_text(cql_checker *c, const cql_relation *relation) {
    base_buf buf = { 0 };
    cql__put_relation(relation, &buf);
    return cql__take_text(c, &buf);
}

corm_str cql__join_names(cql_checker *c, const cql_column *const *columns, uint32_t count,
                         const char *between) {
    base_buf buf = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) base__buf_puts(&buf, between);
        base__buf_put_str(&buf, columns[i]->name);
    }
    return cql__take_text(c, &buf);
}
