// SPDX-License-Identifier: MIT
/* check_selector_literal.c -- lists, sets, maps, tuples and user-defined types made of selectors. */
#include "cql/check_internal.h"

/* A literal being selected: its node, and its name as it grows. */
typedef struct build {
    cql_checker *c;
    cql_node    *node;
    base_buf     name;
    bool         aggregates;
} build;

static corm_status begin(build *b, cql_checker *c, const cql_type *type, uint32_t count) {
    *b = (build){ .c = c, .node = cql__new_node(c, CQL_NODE_PACK, type, count) };
    if (!b->node) return base__fail_memory(c->err);
    b->node->selected = true;
    return CORM_OK;
}

/* What null is no part of is refused when there is a row. */
static bool holds_null(const cql_node *node) {
    for (uint32_t i = 0; i < node->count; i++) {
        const cql_node *arg = node->args[i];
        if (arg && arg->kind == CQL_NODE_CONSTANT && arg->value.len < 0) return true;
    }
    return false;
}

static corm_status add(build *b, const cql_expr *expr, const cql_type *type, uint32_t at) {
    cql_picked part = { 0 };
    CORM_TRY(cql__prepare_selector(b->c, expr));
    CORM_TRY(cql__selector(b->c, expr, type, &part));
    b->node->args[at] = part.node;
    if (part.aggregates) b->aggregates = true;
    base__buf_put_str(&b->name, part.name);
    return CORM_OK;
}

static corm_status finish(build *b, cql_picked *out) {
    const cql_node *result = b->node;
    out->name = cql__take_text(b->c, &b->name);
    if (!out->name.data) return base__fail_memory(b->c->err);
    if (!holds_null(b->node)) CORM_TRY(cql__fold(b->c, b->node, &result));
    out->node = result;
    out->type = result->type;
    out->aggregates = b->aggregates;
    return CORM_OK;
}

/* Elements of one type, or components of a tuple. */
static corm_status add_all(build *b, const cql_expr *expr, const char *ends) {
    const cql_type *type = b->node->type;
    bool            is_tuple = type->id == CQL_TUPLE || type->id == CQL_UDT;
    base__buf_u8(&b->name, (uint8_t)ends[0]);
    for (uint32_t i = 0; i < expr->count; i++) {
        if (i > 0) base__buf_puts(&b->name, ", ");
        CORM_TRY(add(b, expr->args[i], type->params[is_tuple ? i : 0], i));
    }
    base__buf_u8(&b->name, (uint8_t)ends[1]);
    return CORM_OK;
}

static corm_status add_fields(build *b, const cql_expr *expr) {
    const cql_type *type = b->node->type;
    base__buf_u8(&b->name, '{');
    for (uint32_t i = 0; i < expr->count; i++) {
        corm_str field = expr->names[i].text;
        int32_t  index = cql__field_index(type, field);
        if (index < 0) {
            return base__fail(b->c->err, CORM_INVALID,
                              "Unknown field '%.*s' in value of user defined type %.*s",
                              CQL_STR(field), CQL_STR(type->name));
        }
        base__buf_printf(&b->name, "%s%.*s: ", i > 0 ? ", " : "", CQL_STR(field));
        CORM_TRY(add(b, expr->args[i], type->params[index], (uint32_t)index));
    }
    base__buf_u8(&b->name, '}');
    return CORM_OK;
}

/* {a: b}: a map whose keys are columns is written like a user-defined type. */
static corm_status add_entries(build *b, const cql_expr *expr) {
    bool     named = expr->kind == CQL_EXPR_UDT;
    uint32_t pairs = named ? expr->count : expr->count / 2;
    base__buf_u8(&b->name, '{');
    for (uint32_t i = 0; i < pairs; i++) {
        cql_expr        column = { .kind = CQL_EXPR_COLUMN };
        const cql_expr *key = named ? &column : expr->args[2 * i];
        if (named) column.name.name = expr->names[i];
        if (i > 0) base__buf_puts(&b->name, ", ");
        CORM_TRY(add(b, key, b->node->type->params[0], 2 * i));
        base__buf_puts(&b->name, ": ");
        CORM_TRY(add(b, expr->args[named ? i : 2 * i + 1], b->node->type->params[1], 2 * i + 1));
    }
    base__buf_u8(&b->name, '}');
    return CORM_OK;
}

static corm_status refuse(cql_checker *c, const cql_expr *expr, const cql_type *type) {
    return base__fail(c->err, CORM_INVALID, "%s is not a value of type %s",
                      cql__shown(cql__selector_text(c, expr)), cql__shown(cql__type_text(c, type)));
}

static corm_status check_shape(cql_checker *c, const cql_expr *expr, const cql_type *type) {
    bool is_map = expr->kind == CQL_EXPR_MAP || expr->kind == CQL_EXPR_UDT;
    if (type->id == CQL_VECTOR && expr->kind == CQL_EXPR_LIST && expr->count != type->dimension) {
        return base__fail(c->err, CORM_INVALID,
                          "Unable to create a vector selector of type %s from %u elements",
                          cql__shown(cql__type_text(c, type)), expr->count);
    }
    if (type->id == CQL_SET && expr->kind == CQL_EXPR_SET && type->params[0]->id == CQL_DURATION) {
        return base__fail(c->err, CORM_INVALID, "Durations are not allowed inside sets: %s",
                          cql__shown(cql__type_text(c, type)));
    }
    if (type->id == CQL_MAP && is_map && type->params[0]->id == CQL_DURATION) {
        return base__fail(c->err, CORM_INVALID, "Durations are not allowed as map keys: %s",
                          cql__shown(cql__type_text(c, type)));
    }
    bool fits = (expr->kind == CQL_EXPR_LIST && (type->id == CQL_LIST || type->id == CQL_VECTOR)) ||
                (expr->kind == CQL_EXPR_SET &&
                 (type->id == CQL_SET || (type->id == CQL_MAP && expr->count == 0))) ||
                (is_map && type->id == CQL_MAP) ||
                (expr->kind == CQL_EXPR_UDT && type->id == CQL_UDT) ||
                (expr->kind == CQL_EXPR_TUPLE && (type->id == CQL_TUPLE || type->id == CQL_UDT) &&
                 expr->count <= type->count);
    return fits ? CORM_OK : refuse(c, expr, type);
}

static corm_status add_parts(build *b, const cql_expr *expr) {
    switch (expr->kind) {
    case CQL_EXPR_LIST: return add_all(b, expr, "[]");
    case CQL_EXPR_SET: return add_all(b, expr, "{}");
    case CQL_EXPR_TUPLE: return add_all(b, expr, "()");
    default: return b->node->type->id == CQL_UDT ? add_fields(b, expr) : add_entries(b, expr);
    }
}

corm_status cql__literal_selector(cql_checker *c, const cql_expr *expr, const cql_type *expected,
                                  cql_picked *out) {
    /* What is wanted decides between list and vector, map and user-defined type; else the elements do. */
    const cql_type *type = NULL;
    if (!expected || expected->id != CQL_VECTOR) type = cql__exact_type(c, expr);
    if (!type) type = expected;
    if (!type) {
        return base__fail(
            c->err, CORM_INVALID,
            "Cannot infer type for term %s in selection clause (try using a cast to force a type)",
            cql__shown(cql__selector_text(c, expr)));
    }
    CORM_TRY(check_shape(c, expr, type));
    uint32_t count = type->id == CQL_UDT ? type->count : expr->count;
    if (expr->kind == CQL_EXPR_UDT && type->id == CQL_MAP) count = 2 * expr->count;
    build b;
    CORM_TRY(begin(&b, c, type, count));
    corm_status status = add_parts(&b, expr);
    if (status == CORM_OK) return finish(&b, out);
    base__buf_free(&b.name);
    return status;
}
