// SPDX-License-Identifier: MIT
/* check_selector.c -- one selector of a SELECT to a typed node, with the name of its result column.
 *
 * Literals, calls and subscripts stand in a tree of selectors; only what is inside a subscript is a term. */
#include "cql/check_internal.h"

static corm_status no_type(cql_checker *c, const cql_expr *expr) {
    return base__fail(
        c->err, CORM_INVALID,
        "Cannot infer type for term %s in selection clause (try using a cast to force a type)",
        cql__shown(cql__selector_text(c, expr)));
}

static corm_status pick(cql_checker *c, const cql_node *node, const cql_type *type, corm_str name,
                        cql_picked *out) {
    if (!name.data) return base__fail_memory(c->err);
    out->node = node;
    out->type = type;
    out->name = name;
    return CORM_OK;
}

static corm_status term_selector(cql_checker *c, const cql_expr *expr, const cql_type *expected,
                                 cql_picked *out) {
    if (!expected) return no_type(c, expr);
    cql_receiver    receiver = cql__named_receiver(c, "[selection]", expected);
    const cql_node *node = NULL;
    CORM_TRY(cql__term(c, expr, &receiver, &node));
    return pick(c, node, expected, cql__term_text(c, expr), out);
}

static corm_status column_selector(cql_checker *c, const cql_expr *expr, cql_picked *out) {
    const cql_node *node = NULL;
    CORM_TRY(cql__find_column(c, &expr->name.name, &out->column));
    CORM_TRY(cql__column_node(c, out->column, &node));
    return pick(c, node, out->column->type, out->column->name, out);
}

/* ---- calls ---- */

static corm_str call_name(cql_checker *c, const cql_expr *expr, const cql_function *function,
                          const cql_picked *args) {
    base_buf buf = { 0 };
    if (cql__is_count_rows(c, expr)) {
        base__buf_puts(&buf, "count");
    } else if (expr->kind == CQL_EXPR_ARITH) {
        base__buf_printf(&buf, "%.*s %c %.*s", CQL_STR(args[0].name), expr->op,
                         CQL_STR(args[1].name));
    } else if (expr->kind == CQL_EXPR_NEGATE) {
        base__buf_printf(&buf, "-%.*s", CQL_STR(args[0].name));
    } else {
        base__buf_printf(&buf, "system.%.*s(", CQL_STR(function->name));
        for (uint32_t i = 0; i < expr->count; i++) {
            if (i > 0) base__buf_puts(&buf, ", ");
            base__buf_put_str(&buf, args[i].name);
        }
        base__buf_u8(&buf, ')');
    }
    return cql__take_text(c, &buf);
}

/* The node of an aggregate: its call is counted with the statement's. */
static corm_status aggregate_node(cql_checker *c, const cql_node *call, const cql_node **out) {
    if (c->aggregate_count == c->aggregate_room) {
        uint32_t            room = c->aggregate_room > 0 ? c->aggregate_room * 2 : 4;
        cql_aggregate_call *wider = BASE_NEW_ARRAY(c->arena, cql_aggregate_call, room);
        if (!wider) return base__fail_memory(c->err);
        for (uint32_t i = 0; i < c->aggregate_count; i++) wider[i] = c->aggregates[i];
        c->aggregates = wider;
        c->aggregate_room = room;
    }
    cql_node *node = cql__new_node(c, CQL_NODE_AGGREGATE, call->type, 0);
    if (!node) return base__fail_memory(c->err);
    node->index = c->aggregate_count;
    c->aggregates[c->aggregate_count++] =
        (cql_aggregate_call){ call->function, call->count, call->args };
    *out = node;
    return CORM_OK;
}

static corm_status finish_call(cql_checker *c, cql_node *node, cql_picked *out,
                               const cql_node **result) {
    if (!node->function->is_aggregate) return cql__fold(c, node, result);
    if (out->aggregates) {
        return base__fail(c->err, CORM_INVALID,
                          "aggregate functions cannot be used as arguments of aggregate functions");
    }
    out->aggregates = true;
    return aggregate_node(c, node, result);
}

static corm_status call_selector(cql_checker *c, const cql_expr *expr, cql_picked *out) {
    const cql_function *function = NULL;
    const cql_node     *result = NULL;
    CORM_TRY(cql__resolve_call(c, expr, NULL, &function));
    uint32_t    count = cql__is_count_rows(c, expr) ? 0 : expr->count;
    cql_node   *node = cql__new_node(c, CQL_NODE_CALL, function->result, count);
    cql_picked *args = BASE_NEW_ARRAY(c->arena, cql_picked, count);
    if (!node || !args) return base__fail_memory(c->err);
    node->function = function;
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(cql__selector(c, expr->args[i], function->args[i], &args[i]));
        node->args[i] = args[i].node;
        if (args[i].aggregates) out->aggregates = true;
    }
    CORM_TRY(finish_call(c, node, out, &result));
    return pick(c, result, function->result, call_name(c, expr, function, args), out);
}

/* A cast to its own type is no cast, but of a column in descending order it is called one. */
static corm_status same_cast(cql_checker *c, const cql_type *type, cql_picked *out) {
    if (!out->column || !out->column->descending) return CORM_OK;
    out->column = NULL;
    return pick(c, out->node, type,
                base__arena_printf(c->arena, "cast(%.*s as %s)", CQL_STR(out->name),
                                   cql__shown(cql__type_text(c, type))),
                out);
}

static corm_status cast_selector(cql_checker *c, const cql_expr *expr, cql_picked *out) {
    const cql_type     *type = NULL;
    const cql_function *function = NULL;
    const cql_node     *result = NULL;
    CORM_TRY(cql__hint_type(c, expr->type, &type));
    CORM_TRY(cql__selector(c, expr->args[0], NULL, out));
    if (cql__type_equal(type, out->type)) return same_cast(c, type, out);
    corm_str called = cql__call_name(c, expr);
    if (!called.data) return base__fail_memory(c->err);
    if (!cql__function_exists(called)) {
        base_buf target = { 0 };
        corm_str column =
            c->used_count > 0 ? c->used[0]->name : out->name; /* of the statement, as the server */
        cql__put_type_ast(c, expr->type, &target);
        return base__fail(c->err, CORM_INVALID, "%.*s cannot be cast to %s", CQL_STR(column),
                          cql__shown(cql__take_text(c, &target)));
    }
    CORM_TRY(cql__resolve_call(c, expr, NULL, &function));
    cql_node *node = cql__new_node(c, CQL_NODE_CALL, function->result, 1);
    if (!node) return base__fail_memory(c->err);
    node->function = function;
    node->args[0] = out->node;
    out->column = NULL;
    CORM_TRY(cql__fold(c, node, &result));
    corm_str name = base__arena_printf(c->arena, "cast(%.*s as %s)", CQL_STR(out->name),
                                       cql__shown(cql__type_text(c, function->result)));
    return pick(c, result, function->result, name, out);
}

/* ---- parts of a value ---- */

static corm_status part_node(cql_checker *c, cql_node_kind kind, const cql_type *type,
                             uint32_t count, const cql_node *of, cql_node **out) {
    *out = cql__new_node(c, kind, type, count);
    if (!*out) return base__fail_memory(c->err);
    (*out)->args[0] = of;
    return CORM_OK;
}

static corm_status field_selector(cql_checker *c, const cql_expr *expr, cql_picked *out) {
    const cql_expr *inner = expr->args[0];
    const cql_type *expected = NULL;
    if (inner->parens) {
        const cql_expr *bare = cql__bare(c, inner);
        if (!bare) return base__fail_memory(c->err);
        expected = cql__exact_type(c, bare);
    }
    CORM_TRY(cql__selector(c, inner, expected, out));
    corm_str field = expr->name.name.text;
    if (out->type->id != CQL_UDT) {
        return base__fail(
            c->err, CORM_INVALID, "Invalid field selection: %s of type %s is not a user type",
            cql__shown(cql__selector_text(c, inner)), cql__shown(cql__type_text(c, out->type)));
    }
    int32_t index = cql__field_index(out->type, field);
    if (index < 0) {
        return base__fail(c->err, CORM_INVALID, "%s of type %s has no field %.*s",
                          cql__shown(cql__selector_text(c, inner)),
                          cql__shown(cql__type_text(c, out->type)), CQL_STR(field));
    }
    cql_node *node = NULL;
    CORM_TRY(part_node(c, CQL_NODE_FIELD, out->type->params[index], 1, out->node, &node));
    node->index = (uint32_t)index;
    out->column = NULL;
    return pick(c, node, node->type,
                base__arena_printf(c->arena, "%.*s.%.*s", CQL_STR(out->name), CQL_STR(field)), out);
}

static corm_status subscript(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                             const cql_node **out) {
    *out = NULL;
    if (!expr) return CORM_OK;
    c->selecting = false;
    corm_status status = cql__term(c, expr, receiver, out);
    c->selecting = true;
    return status;
}

static corm_status refuse_subscript(cql_checker *c, const cql_expr *expr, const cql_picked *of) {
    bool     slice = expr->kind == CQL_EXPR_SLICE;
    corm_str text = cql__selector_text(c, expr->args[0]);
    if (of->type->id == CQL_LIST) {
        return base__fail(c->err, CORM_INVALID,
                          "%s selection is only allowed on sets and maps, but %.*s is a list",
                          slice ? "Slice" : "Element", CQL_STR(text));
    }
    return base__fail(c->err, CORM_INVALID,
                      "Invalid %s selection: %.*s %s type %s is not a collection",
                      slice ? "slice" : "element", CQL_STR(text), slice ? "of" : "is of",
                      cql__shown(cql__type_text(c, of->type)));
}

/* c[key], c[from..to] */
static corm_status part_selector(cql_checker *c, const cql_expr *expr, const cql_type *expected,
                                 cql_picked *out) {
    bool slice = expr->kind == CQL_EXPR_SLICE;
    CORM_TRY(cql__selector(c, expr->args[0], slice ? expected : NULL, out));
    const cql_type *type = out->type;
    bool            is_map = type->id == CQL_MAP;
    if (!is_map && type->id != CQL_SET) return refuse_subscript(c, expr, out);
    cql_receiver of = cql__named_receiver(c, "", type), receiver;
    of.name = out->name;
    CORM_TRY(cql__wrapped_receiver(c, &of, is_map ? "key" : "value", type->params[0], &receiver));
    cql_node *node = NULL;
    CORM_TRY(part_node(c, slice ? CQL_NODE_SLICE : CQL_NODE_ELEMENT,
                       slice ? type : type->params[is_map ? 1 : 0], slice ? 3 : 2, out->node,
                       &node));
    CORM_TRY(subscript(c, expr->args[1], &receiver, &node->args[1]));
    if (slice) CORM_TRY(subscript(c, expr->args[2], &receiver, &node->args[2]));
    out->column = NULL;
    return pick(c, node, node->type, cql__selector_text(c, expr), out);
}

/* ---- WRITETIME, MAXWRITETIME, TTL ---- */

typedef struct metadata_kind {
    cql_node_kind node;
    const char   *name;
    cql_type_id   type;
} metadata_kind;

static const metadata_kind *metadata_of(cql_expr_kind kind) {
    static const metadata_kind kinds[] = { { CQL_NODE_WRITETIME, "writetime", CQL_BIGINT },
                                           { CQL_NODE_MAXWRITETIME, "maxwritetime", CQL_BIGINT },
                                           { CQL_NODE_TTL, "ttl", CQL_INT } };
    return &kinds[kind - CQL_EXPR_WRITETIME];
}

static const cql_type *metadata_type(cql_checker *c, const metadata_kind *kind,
                                     const cql_type *of) {
    const cql_type *one = cql__type_native(kind->type);
    bool            all = cql__type_is_multicell(of) && kind->node != CQL_NODE_MAXWRITETIME;
    return all ? cql__made_type(c, cql__type_list(c->arena, one, true)) : one;
}

/* The column that the parts are of, or NULL. */
static const cql_column *root_column(const cql_checker *c, const cql_expr *expr) {
    while (expr->kind != CQL_EXPR_COLUMN && expr->count > 0) expr = expr->args[0];
    return cql__table_column(c->table, expr->name.name.text);
}

static corm_status metadata_selector(cql_checker *c, const cql_expr *expr, cql_picked *out) {
    const metadata_kind *kind = metadata_of(expr->kind);
    const cql_column    *column = root_column(c, expr->args[0]);
    if (column && (column->kind == CQL_PARTITION_KEY || column->kind == CQL_CLUSTERING)) {
        return base__fail(c->err, CORM_INVALID,
                          "Cannot use selection function %s on PRIMARY KEY part %.*s", kind->name,
                          CQL_STR(column->name));
    }
    CORM_TRY(cql__selector(c, expr->args[0], NULL, out));
    const cql_type *type = metadata_type(c, kind, out->type);
    cql_node       *node = NULL;
    if (!type) return base__fail_memory(c->err);
    CORM_TRY(part_node(c, kind->node, type, 1, out->node, &node));
    c->needs_metadata = true;
    out->column = NULL;
    return pick(c, node, type,
                base__arena_printf(c->arena, "%s(%.*s)", kind->name, CQL_STR(out->name)), out);
}

/* ---- hints and parentheses ---- */

static corm_status hint_selector(cql_checker *c, const cql_expr *expr, cql_picked *out) {
    const cql_expr *inner = expr->args[0];
    const cql_type *type = NULL;
    bool            lazy = inner->kind == CQL_EXPR_MAP || inner->kind == CQL_EXPR_UDT;
    CORM_TRY(cql__hint_type(c, expr->type, &type));
    for (uint32_t i = 0; lazy && i < inner->count; i++)
        CORM_TRY(cql__prepare_selector(c, inner->args[i]));
    if (!(type = cql__type_freeze(c->arena, type))) return base__fail_memory(c->err);
    if (cql__term_fit(c, inner, type) == CQL_FIT_NOT) {
        corm_str text = cql__selector_text(c, expr);
        return base__fail(c->err, CORM_INVALID, "Cannot assign value %.*s to %.*s of type %s",
                          CQL_STR(text), CQL_STR(text), cql__shown(cql__type_text(c, type)));
    }
    CORM_TRY(cql__selector(c, inner, type, out));
    base_buf buf = { 0 };
    base__buf_u8(&buf, '(');
    cql__put_type_ast(c, expr->type, &buf);
    base__buf_printf(&buf, ")%.*s", CQL_STR(out->name));
    out->column = NULL;
    return pick(c, out->node, type, cql__take_text(c, &buf), out);
}

static corm_status parens_selector(cql_checker *c, const cql_expr *expr, const cql_type *expected,
                                   cql_picked *out) {
    cql_expr *args = cql__bare(c, expr);
    if (!args) return base__fail_memory(c->err);
    if (!expected) return no_type(c, expr);
    if (expected->id == CQL_TUPLE && expr->kind != CQL_EXPR_TUPLE) {
        cql_expr tuple = {
            .kind = CQL_EXPR_TUPLE, .place = expr->place, .count = 1, .args = &args
        };
        return cql__selector(c, &tuple, expected, out);
    }
    CORM_TRY(cql__selector(c, args, expected, out));
    out->column = NULL;
    return pick(c, out->node, out->type, base__arena_printf(c->arena, "(%.*s)", CQL_STR(out->name)),
                out);
}

corm_status cql__prepare_selector(cql_checker *c, const cql_expr *expr) {
    const cql_column   *column = NULL;
    const cql_function *function = NULL;
    const cql_type     *type = NULL;
    if (expr->kind == CQL_EXPR_COLUMN) return cql__find_column(c, &expr->name.name, &column);
    bool     lazy = expr->kind == CQL_EXPR_MAP || expr->kind == CQL_EXPR_UDT;
    bool     subscript = expr->kind == CQL_EXPR_ELEMENT || expr->kind == CQL_EXPR_SLICE;
    uint32_t count = lazy        ? 0
                     : subscript ? 1
                                 : expr->count; /* terms in subscripts name no columns */
    for (uint32_t i = 0; i < count; i++) CORM_TRY(cql__prepare_selector(c, expr->args[i]));
    if (expr->kind == CQL_EXPR_HINT) return cql__hint_type(c, expr->type, &type);
    if (expr->kind != CQL_EXPR_CALL && expr->kind != CQL_EXPR_ARITH &&
        expr->kind != CQL_EXPR_NEGATE)
        return CORM_OK;
    return cql__resolve_call(c, expr, NULL, &function);
}

corm_status cql__selector(cql_checker *c, const cql_expr *expr, const cql_type *expected,
                          cql_picked *out) {
    if (expr->parens) return parens_selector(c, expr, expected, out);
    if (expr->kind <= CQL_EXPR_MARKER) return term_selector(c, expr, expected, out);
    switch (expr->kind) {
    case CQL_EXPR_COLUMN: return column_selector(c, expr, out);
    case CQL_EXPR_CALL:
    case CQL_EXPR_ARITH:
    case CQL_EXPR_NEGATE:
    case CQL_EXPR_COUNT_ALL: return call_selector(c, expr, out);
    case CQL_EXPR_CAST: return cast_selector(c, expr, out);
    case CQL_EXPR_FIELD: return field_selector(c, expr, out);
    case CQL_EXPR_ELEMENT:
    case CQL_EXPR_SLICE: return part_selector(c, expr, expected, out);
    case CQL_EXPR_WRITETIME:
    case CQL_EXPR_MAXWRITETIME:
    case CQL_EXPR_TTL: return metadata_selector(c, expr, out);
    case CQL_EXPR_HINT: return hint_selector(c, expr, out);
    default: return cql__literal_selector(c, expr, expected, out);
    }
}

/* ---- the type that a selector has for itself ---- */

/* Elements of lists are refused later; until then the server takes them for what cells of lists are named by. */
static const cql_type *part_type(const cql_type *of, cql_expr_kind kind) {
    if (!of || !cql__type_is_collection(of)) return NULL;
    if (kind == CQL_EXPR_SLICE) return of;
    if (of->id == CQL_LIST) return cql__type_native(CQL_TIMEUUID);
    return of->id == CQL_MAP ? of->params[1] : of->params[0];
}

static const cql_type *quiet_type(cql_checker *c, const cql_type_ast *ast) {
    const cql_type *type = NULL;
    corm_error     *err = c->err;
    c->err = NULL;
    if (cql__hint_type(c, ast, &type) != CORM_OK) type = NULL;
    c->err = err;
    return type;
}

const cql_type *cql__selector_type(cql_checker *c, const cql_expr *expr) {
    const cql_type *inner = NULL;
    if (expr->kind == CQL_EXPR_COUNT_ALL) return cql__type_native(CQL_BIGINT);
    if (expr->kind == CQL_EXPR_CAST) return quiet_type(c, expr->type);
    if (expr->kind == CQL_EXPR_COLUMN) {
        const cql_column *column = cql__table_column(c->table, expr->name.name.text);
        return column ? column->type : NULL;
    }
    if (expr->count > 0) inner = cql__exact_type(c, expr->args[0]);
    if (!inner) return NULL;
    if (expr->kind == CQL_EXPR_ELEMENT || expr->kind == CQL_EXPR_SLICE)
        return part_type(inner, expr->kind);
    if (expr->kind == CQL_EXPR_FIELD) {
        int32_t index = inner->id == CQL_UDT ? cql__field_index(inner, expr->name.name.text) : -1;
        return index >= 0 ? inner->params[index] : NULL;
    }
    const cql_column *column = root_column(c, expr->args[0]);
    return column ? metadata_type(c, metadata_of(expr->kind), column->type) : NULL;
}
