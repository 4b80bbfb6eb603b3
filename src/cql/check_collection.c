// SPDX-License-Identifier: MIT
/* check_collection.c -- literals of several values: lists, vectors, sets, maps, tuples and user-defined types.
 *
 * As in the server, every element is first asked whether it may stand there, then prepared. */
#include "cql/check_internal.h"

int32_t cql__field_index(const cql_type *udt, corm_str name) {
    for (uint32_t i = 0; i < udt->count; i++) {
        if (corm_str_equal(udt->field_names[i], name)) return (int32_t)i;
    }
    return -1;
}

static corm_status refuse_type(cql_checker *c, const char *what, const cql_receiver *receiver) {
    return base__fail(c->err, CORM_INVALID, "Invalid %s literal for %.*s of type %s", what,
                      CQL_STR(receiver->name), cql__shown(cql__type_text(c, receiver->type)));
}

/* ---- elements of collections ---- */

/* What may stand inside: a "value" or "key" of `type`; `what` is the literal: "list", "set" … */
typedef struct element_rule {
    const char         *what;
    const char         *part;
    const cql_receiver *of;
    cql_receiver        receiver;
} element_rule;

static corm_status begin_elements(cql_checker *c, const char *what, const char *part,
                                  const cql_receiver *of, const cql_type *type, element_rule *out) {
    *out = (element_rule){ .what = what, .part = part, .of = of };
    return cql__wrapped_receiver(c, of, part, type, &out->receiver);
}

static corm_status accept_element(cql_checker *c, const element_rule *rule, const cql_expr *expr) {
    const cql_type *type = rule->receiver.type;
    if (cql__term_fit(c, expr, type) != CQL_FIT_NOT) return CORM_OK;
    CORM_TRY(cql__fail_unexpected(c));
    return base__fail(c->err, CORM_INVALID, "Invalid %s literal for %.*s: %s %s is not of type %s",
                      rule->what, CQL_STR(rule->of->name), rule->part,
                      cql__shown(cql__term_text(c, expr)), cql__shown(cql__type_text(c, type)));
}

static corm_status refuse_marker(cql_checker *c, const element_rule *rule, const cql_node *node) {
    if (!cql__has_marker(node)) return CORM_OK;
    return base__fail(
        c->err, CORM_INVALID,
        "Invalid %s literal for %.*s: bind variables are not supported inside collection literals",
        rule->what, CQL_STR(rule->of->name));
}

/* A list or a set of expr's elements. */
static corm_status sequence(cql_checker *c, const cql_expr *expr, const char *what,
                            const cql_receiver *receiver, const cql_node **out) {
    element_rule rule;
    CORM_TRY(begin_elements(c, what, "value", receiver, receiver->type->params[0], &rule));
    for (uint32_t i = 0; i < expr->count; i++) CORM_TRY(accept_element(c, &rule, expr->args[i]));
    cql_node *node = cql__new_node(c, CQL_NODE_PACK, receiver->type, expr->count);
    if (!node) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < expr->count; i++) {
        CORM_TRY(cql__term(c, expr->args[i], &rule.receiver, &node->args[i]));
        CORM_TRY(refuse_marker(c, &rule, node->args[i]));
    }
    return cql__fold(c, node, out);
}

static corm_status vector(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                          const cql_node **out) {
    const cql_type *type = receiver->type;
    if (expr->count != type->dimension) {
        return base__fail(
            c->err, CORM_INVALID,
            "Invalid vector literal for %.*s of type %s; expected %u elements, but given %u",
            CQL_STR(receiver->name), cql__shown(cql__type_text(c, type)), type->dimension,
            expr->count);
    }
    element_rule rule;
    CORM_TRY(begin_elements(c, "vector", "value", receiver, type->params[0], &rule));
    cql_node *node = cql__new_node(c, CQL_NODE_PACK, type, expr->count);
    if (!node) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < expr->count; i++) {
        CORM_TRY(accept_element(c, &rule, expr->args[i]));
        CORM_TRY(cql__term(c, expr->args[i], &rule.receiver, &node->args[i]));
    }
    return cql__fold(c, node, out);
}

corm_status cql__fail_unexpected(cql_checker *c) {
    const cql_type *type = c->unexpected;
    c->unexpected = NULL;
    if (!type) return CORM_OK;
    return base__fail(c->err, CORM_INVALID,
                      "Unexpected receiver type '%s'; only list and vector are expected",
                      cql__shown(cql__type_text(c, type)));
}

static corm_status list(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                        const cql_node **out) {
    if (receiver->type->id == CQL_VECTOR) return vector(c, expr, receiver, out);
    if (receiver->type->id == CQL_LIST) return sequence(c, expr, "list", receiver, out);
    c->unexpected = receiver->type;
    return cql__fail_unexpected(c);
}

static corm_status set(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                       const cql_node **out) {
    if (receiver->type->id == CQL_SET) return sequence(c, expr, "set", receiver, out);
    if (receiver->type->id != CQL_MAP || expr->count > 0) return refuse_type(c, "set", receiver);
    cql_node *node = cql__new_node(c, CQL_NODE_PACK, receiver->type, 0);
    return node ? cql__fold(c, node, out) : base__fail_memory(c->err);
}

static corm_status map(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                       const cql_node **out) {
    if (receiver->type->id != CQL_MAP) return refuse_type(c, "map", receiver);
    element_rule rules[2];
    CORM_TRY(begin_elements(c, "map", "key", receiver, receiver->type->params[0], &rules[0]));
    CORM_TRY(begin_elements(c, "map", "value", receiver, receiver->type->params[1], &rules[1]));
    for (uint32_t i = 0; i < expr->count; i++)
        CORM_TRY(accept_element(c, &rules[i % 2], expr->args[i]));
    cql_node *node = cql__new_node(c, CQL_NODE_PACK, receiver->type, expr->count);
    if (!node) return base__fail_memory(c->err);
    for (uint32_t i = 0; i + 1 < expr->count; i += 2) {
        CORM_TRY(cql__term(c, expr->args[i], &rules[0].receiver, &node->args[i]));
        CORM_TRY(cql__term(c, expr->args[i + 1], &rules[1].receiver, &node->args[i + 1]));
        CORM_TRY(refuse_marker(c, &rules[0], node->args[i]));
        CORM_TRY(refuse_marker(c, &rules[1], node->args[i + 1]));
    }
    return cql__fold(c, node, out);
}

/* ---- fields ---- */

/* The last value given to the field, or NULL. */
static const cql_expr *value_of_field(const cql_expr *expr, corm_str name) {
    for (uint32_t i = expr->count; i > 0; i--) {
        if (corm_str_equal(expr->names[i - 1].text, name)) return expr->args[i - 1];
    }
    return NULL;
}

static corm_status accept_fields(cql_checker *c, const cql_expr *expr,
                                 const cql_receiver *receiver) {
    const cql_type *type = receiver->type;
    for (uint32_t i = 0; i < type->count; i++) {
        const cql_expr *value = value_of_field(expr, type->field_names[i]);
        if (!value || cql__term_fit(c, value, type->params[i]) != CQL_FIT_NOT) continue;
        CORM_TRY(cql__fail_unexpected(c));
        return base__fail(c->err, CORM_INVALID,
                          "Invalid user type literal for %.*s: field %.*s is not of type %s",
                          CQL_STR(receiver->name), CQL_STR(type->field_names[i]),
                          cql__shown(cql__type_text(c, type->params[i])));
    }
    return CORM_OK;
}

static corm_status refuse_unknown_fields(cql_checker *c, const cql_expr *expr,
                                         const cql_type *type) {
    for (uint32_t i = 0; i < expr->count; i++) {
        if (cql__field_index(type, expr->names[i].text) >= 0) continue;
        return base__fail(c->err, CORM_INVALID,
                          "Unknown field '%.*s' in value of user defined type %.*s",
                          CQL_STR(expr->names[i].text), CQL_STR(type->name));
    }
    return CORM_OK;
}

static corm_status field(cql_checker *c, const cql_expr *value, const cql_receiver *of,
                         uint32_t index, const cql_node **out) {
    if (!value) {
        *out = NULL;
        return CORM_OK;
    }
    const cql_type *type = of->type;
    cql_receiver    receiver = *of;
    receiver.column = NULL;
    receiver.type = type->params[index];
    receiver.name = type->id == CQL_UDT
                        ? base__arena_printf(c->arena, "%.*s.%.*s", CQL_STR(of->name),
                                             CQL_STR(type->field_names[index]))
                        : base__arena_printf(c->arena, "%.*s[%u]", CQL_STR(of->name), index);
    if (!receiver.name.data) return base__fail_memory(c->err);
    return cql__term(c, value, &receiver, out);
}

static corm_status udt(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                       const cql_node **out) {
    const cql_type *type = receiver->type;
    if (type->id != CQL_UDT) return refuse_type(c, "user type", receiver);
    CORM_TRY(accept_fields(c, expr, receiver));
    cql_node *node = cql__new_node(c, CQL_NODE_PACK, type, type->count);
    if (!node) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < type->count; i++) {
        CORM_TRY(field(c, value_of_field(expr, type->field_names[i]), receiver, i, &node->args[i]));
    }
    CORM_TRY(refuse_unknown_fields(c, expr, type));
    return cql__fold(c, node, out);
}

static bool is_tuple_type(const cql_type *type) {
    return type->id == CQL_TUPLE || type->id == CQL_UDT;
}

static corm_status tuple(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                         const cql_node **out) {
    const cql_type *type = receiver->type;
    if (!is_tuple_type(type)) {
        if (expr->count == 1) return cql__term(c, expr->args[0], receiver, out);
        return refuse_type(c, "tuple type", receiver);
    }
    cql_node *node = cql__new_node(c, CQL_NODE_PACK, type, expr->count);
    if (!node) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < expr->count; i++) {
        if (i >= type->count) {
            return base__fail(
                c->err, CORM_INVALID,
                "Invalid tuple literal for %.*s: too many elements. Type %s expects %u but got %u",
                CQL_STR(receiver->name), cql__shown(cql__type_text(c, type)), type->count,
                expr->count);
        }
        if (cql__term_fit(c, expr->args[i], type->params[i]) != CQL_FIT_NOT) continue;
        CORM_TRY(cql__fail_unexpected(c));
        return base__fail(
            c->err, CORM_INVALID, "Invalid tuple literal for %.*s: component %u is not of type %s",
            CQL_STR(receiver->name), i, cql__shown(cql__type_text(c, type->params[i])));
    }
    for (uint32_t i = 0; i < expr->count; i++)
        CORM_TRY(field(c, expr->args[i], receiver, i, &node->args[i]));
    return cql__fold(c, node, out);
}

corm_status cql__collection(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                            const cql_node **out) {
    switch (expr->kind) {
    case CQL_EXPR_LIST: return list(c, expr, receiver, out);
    case CQL_EXPR_SET: return set(c, expr, receiver, out);
    case CQL_EXPR_MAP: return map(c, expr, receiver, out);
    case CQL_EXPR_UDT: return udt(c, expr, receiver, out);
    default: return tuple(c, expr, receiver, out);
    }
}

/* ---- whether a literal may stand where a type is wanted ---- */

static cql_fit worse(cql_fit a, cql_fit b) {
    return a < b ? a : b;
}

/* All of expr's elements, each `stride`-th from `first` on. */
static cql_fit elements_fit(cql_checker *c, const cql_expr *expr, uint32_t first, uint32_t stride,
                            const cql_type *to) {
    cql_fit fit = expr->count > 0 ? CQL_FIT_EXACT : CQL_FIT_WEAK;
    for (uint32_t i = first; i < expr->count && fit != CQL_FIT_NOT; i += stride) {
        fit = worse(fit, cql__term_fit(c, expr->args[i], to));
    }
    return fit;
}

static cql_fit list_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    if (to->id == CQL_VECTOR && expr->count != to->dimension) return CQL_FIT_NOT;
    if (to->id != CQL_VECTOR && to->id != CQL_LIST) {
        if (!c->selecting) c->unexpected = to;
        return CQL_FIT_NOT;
    }
    return elements_fit(c, expr, 0, 1, to->params[0]);
}

static cql_fit set_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    if (to->id == CQL_MAP && expr->count == 0) return CQL_FIT_WEAK;
    return to->id == CQL_SET ? elements_fit(c, expr, 0, 1, to->params[0]) : CQL_FIT_NOT;
}

static cql_fit map_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    if (to->id != CQL_MAP) return CQL_FIT_NOT;
    return worse(elements_fit(c, expr, 0, 2, to->params[0]),
                 elements_fit(c, expr, 1, 2, to->params[1]));
}

/* In a selection {a: b} may also be a map whose key is the column a. */
static cql_fit named_map_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    cql_fit fit = elements_fit(c, expr, 0, 1, to->params[1]);
    for (uint32_t i = 0; i < expr->count; i++) {
        cql_expr column = { .kind = CQL_EXPR_COLUMN, .name.name = expr->names[i] };
        fit = worse(fit, cql__term_fit(c, &column, to->params[0]));
    }
    return fit;
}

static cql_fit udt_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    if (c->selecting && to->id == CQL_MAP) return named_map_fit(c, expr, to);
    if (to->id != CQL_UDT) return CQL_FIT_NOT;
    for (uint32_t i = 0; i < to->count; i++) {
        const cql_expr *value = value_of_field(expr, to->field_names[i]);
        if (value && cql__term_fit(c, value, to->params[i]) == CQL_FIT_NOT) return CQL_FIT_NOT;
    }
    return CQL_FIT_WEAK;
}

static cql_fit tuple_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    if (!is_tuple_type(to))
        return expr->count == 1 ? cql__term_fit(c, expr->args[0], to) : CQL_FIT_NOT;
    if (expr->count > to->count) return CQL_FIT_NOT;
    for (uint32_t i = 0; i < expr->count; i++) {
        if (cql__term_fit(c, expr->args[i], to->params[i]) == CQL_FIT_NOT) return CQL_FIT_NOT;
    }
    return CQL_FIT_WEAK;
}

/* A tuple or user-defined type that does not fit says no more than that. */
static cql_fit quietly(cql_checker *c, cql_fit fit) {
    c->unexpected = NULL;
    return fit;
}

cql_fit cql__collection_fit(cql_checker *c, const cql_expr *expr, const cql_type *to) {
    switch (expr->kind) {
    case CQL_EXPR_LIST: return list_fit(c, expr, to);
    case CQL_EXPR_SET: return set_fit(c, expr, to);
    case CQL_EXPR_MAP: return map_fit(c, expr, to);
    case CQL_EXPR_UDT: return quietly(c, udt_fit(c, expr, to));
    case CQL_EXPR_TUPLE: return quietly(c, tuple_fit(c, expr, to));
    default: {
        const cql_expr *inner = cql__bare(c, expr);
        if (!inner || to->count == 0) return CQL_FIT_NOT;
        return cql__term_fit(c, inner, to->params[0]) != CQL_FIT_NOT ? CQL_FIT_WEAK : CQL_FIT_NOT;
    }
    }
}

/* ---- what type a literal is for itself ---- */

static const cql_type *type_of(cql_checker *c, const cql_expr *expr, bool exact) {
    return exact ? cql__exact_type(c, expr) : cql__compatible_type(c, expr);
}

static bool all_fit(cql_checker *c, const cql_expr *expr, uint32_t first, uint32_t stride,
                    const cql_type *to) {
    for (uint32_t i = first; i < expr->count; i += stride) {
        const cql_type *type = cql__compatible_type(c, expr->args[i]);
        if (type && cql__type_fit(to, type) == CQL_FIT_NOT) return false;
    }
    return true;
}

/* exact: the first type that is known; else the first that takes all the others. */
static const cql_type *element_type(cql_checker *c, const cql_expr *expr, uint32_t first,
                                    uint32_t stride, bool exact) {
    for (uint32_t i = first; i < expr->count; i += stride) {
        const cql_type *type = type_of(c, expr->args[i], exact);
        if (type && (exact || all_fit(c, expr, first, stride, type))) return type;
    }
    return NULL;
}

static const cql_type *tuple_type(cql_checker *c, const cql_expr *expr, bool exact) {
    const cql_type **items = BASE_NEW_ARRAY(c->arena, const cql_type *, expr->count);
    for (uint32_t i = 0; items && i < expr->count; i++) {
        if (!(items[i] = type_of(c, expr->args[i], exact))) return NULL;
    }
    return cql__made_type(c, items ? cql__type_tuple(c->arena, items, expr->count) : NULL);
}

const cql_type *cql__collection_type(cql_checker *c, const cql_expr *expr, bool exact) {
    if (expr->kind == CQL_EXPR_TUPLE) return tuple_type(c, expr, exact);
    /* Outside a selection [a, b] may be a list or a vector; inside, {a: b} a map or a user-defined type. */
    bool open = c->selecting ? expr->kind == CQL_EXPR_MAP : expr->kind == CQL_EXPR_LIST;
    if (open || expr->kind == CQL_EXPR_UDT) return NULL;
    bool            is_map = expr->kind == CQL_EXPR_MAP;
    const cql_type *first = element_type(c, expr, 0, is_map ? 2 : 1, exact);
    const cql_type *second = is_map ? element_type(c, expr, 1, 2, exact) : NULL;
    if (!first || (is_map && !second)) return NULL;
    if (is_map) return cql__made_type(c, cql__type_map(c->arena, first, second, true));
    return cql__made_type(c, expr->kind == CQL_EXPR_SET ? cql__type_set(c->arena, first, true)
                                                        : cql__type_list(c->arena, first, true));
}
