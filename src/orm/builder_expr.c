// SPDX-License-Identifier: MIT
/* builder_expr.c -- expressions of builders: columns, markers, calls, casts, parts of values. One thread. */
#include "orm/builder.h"

static corm_expr *new_expr(corm_builder *builder, cql_expr_kind kind) {
    if (!builder || builder->status != CORM_OK) return NULL;
    corm_expr *expr = BASE_NEW(&builder->arena, corm_expr);
    if (!expr) {
        orm__builder_no_memory(builder);
        return NULL;
    }
    expr->node.kind = kind;
    return expr;
}

/* Adds a part; false also where the part could not be made. */
static bool add_part(corm_builder *builder, corm_expr *expr, cql_expr *part) {
    if (!part) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "a part of an expression is NULL");
    }
    if (part->height >= CQL_MAX_DEPTH) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                "an expression is nested more than %d levels deep", CQL_MAX_DEPTH);
    }
    if (expr->node.height <= part->height) expr->node.height = (uint16_t)(part->height + 1);
    return orm__builder_one(builder, part, &expr->node.args, &expr->node.count);
}

static corm_expr *around(corm_builder *builder, cql_expr_kind kind, corm_expr *part) {
    corm_expr *expr = new_expr(builder, kind);
    return expr && add_part(builder, expr, part ? &part->node : NULL) ? expr : NULL;
}

corm_expr *corm_expr_column(corm_builder *builder, const char *name) {
    corm_expr *expr = new_expr(builder, CQL_EXPR_COLUMN);
    return expr && orm__builder_column(builder, name, &expr->node.name.name) ? expr : NULL;
}

corm_expr *corm_expr_of(corm_builder *builder, corm_value value) {
    if (!builder || builder->status != CORM_OK) return NULL;
    return (corm_expr *)(void *)orm__builder_marker(builder, &value);
}

static bool parse_type(corm_builder *builder, const char *text, const cql_type_ast **out) {
    corm_error  why = { 0 };
    corm_status status = cql__parse_type(&builder->arena, corm_str_of(text), out, &why);
    if (status == CORM_NO_MEMORY) return orm__builder_no_memory(builder);
    return status == CORM_OK ||
           orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "'%s' is no type: %s", text ? text : "",
                            why.message);
}

corm_expr *corm_expr_typed(corm_builder *builder, const char *type, corm_value value) {
    corm_expr *expr = around(builder, CQL_EXPR_HINT, corm_expr_of(builder, value));
    return expr && parse_type(builder, type, &expr->node.type) ? expr : NULL;
}

corm_expr *corm_expr_literal(corm_builder *builder, const char *term) {
    corm_expr *expr = new_expr(builder, CQL_EXPR_NULL);
    corm_error why = { 0 };
    cql_expr  *parsed;
    if (!expr) return NULL;
    corm_status status = cql__parse_term(&builder->arena, corm_str_of(term), &parsed, &why);
    if (status == CORM_NO_MEMORY) {
        orm__builder_no_memory(builder);
    } else if (status != CORM_OK) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "'%s' is no term: %s", term ? term : "",
                         why.message);
    } else {
        expr->node = *parsed;
        return expr;
    }
    return NULL;
}

corm_expr *corm_expr_call_with(corm_builder *builder, const char *function,
                               corm_expr *const *arguments) {
    corm_expr *expr = new_expr(builder, CQL_EXPR_CALL);
    if (!expr) return NULL;
    if (!function || !*function) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "a function has no name");
        return NULL;
    }
    const char *dot = strchr(function, '.');
    corm_str    keyspace = { function, dot ? (size_t)(dot - function) : 0 };
    if (dot) expr->node.name.keyspace.text = base__arena_str(&builder->arena, keyspace);
    if (dot && !expr->node.name.keyspace.text.data) orm__builder_no_memory(builder);
    if (!orm__builder_text(builder, dot ? dot + 1 : function, &expr->node.name.name.text)) {
        return NULL;
    }
    for (size_t i = 0; arguments && arguments[i]; i++) {
        if (!add_part(builder, expr, &arguments[i]->node)) return NULL;
    }
    return builder->status == CORM_OK ? expr : NULL;
}

corm_expr *corm_expr_count(corm_builder *builder) {
    return new_expr(builder, CQL_EXPR_COUNT_ALL);
}

corm_expr *corm_expr_cast(corm_builder *builder, corm_expr *of, const char *type) {
    corm_expr *expr = around(builder, CQL_EXPR_CAST, of);
    return expr && parse_type(builder, type, &expr->node.type) ? expr : NULL;
}

corm_expr *corm_expr_writetime(corm_builder *builder, corm_expr *of) {
    return around(builder, CQL_EXPR_WRITETIME, of);
}

corm_expr *corm_expr_maxwritetime(corm_builder *builder, corm_expr *of) {
    return around(builder, CQL_EXPR_MAXWRITETIME, of);
}

corm_expr *corm_expr_ttl(corm_builder *builder, corm_expr *of) {
    return around(builder, CQL_EXPR_TTL, of);
}

corm_expr *corm_expr_field(corm_builder *builder, corm_expr *of, const char *field) {
    corm_expr *expr = around(builder, CQL_EXPR_FIELD, of);
    if (!expr) return NULL;
    if (!field || !*field) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "a field has no name");
        return NULL;
    }
    return orm__builder_text(builder, field, &expr->node.name.name.text) ? expr : NULL;
}

corm_expr *corm_expr_element(corm_builder *builder, corm_expr *of, corm_value key) {
    corm_expr *expr = around(builder, CQL_EXPR_ELEMENT, of);
    cql_expr  *marker = expr ? orm__builder_marker(builder, &key) : NULL;
    return marker && add_part(builder, expr, marker) ? expr : NULL;
}

/* A bound that is open is a part that is NULL. */
static bool add_bound(corm_builder *builder, corm_expr *expr, const corm_value *bound) {
    if (bound->kind != CORM_UNSET) {
        cql_expr *marker = orm__builder_marker(builder, bound);
        return marker && add_part(builder, expr, marker);
    }
    cql_expr **part = ORM_PUSH(builder, expr->node.args, expr->node.count);
    return part != NULL;
}

corm_expr *corm_expr_slice(corm_builder *builder, corm_expr *of, corm_value from, corm_value to) {
    corm_expr *expr = around(builder, CQL_EXPR_SLICE, of);
    return expr && add_bound(builder, expr, &from) && add_bound(builder, expr, &to) ? expr : NULL;
}

corm_expr *corm_expr_arith(corm_builder *builder, corm_expr *a, char op, corm_expr *b) {
    corm_expr *expr = around(builder, CQL_EXPR_ARITH, a);
    if (!expr || !add_part(builder, expr, b ? &b->node : NULL)) return NULL;
    if (!op || !strchr("+-*/%", op)) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "'%c' is no operator of arithmetic", op);
        return NULL;
    }
    expr->node.op = op;
    return expr;
}
