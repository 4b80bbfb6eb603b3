// SPDX-License-Identifier: MIT
/* random_ast.h -- random syntax trees of every kind of statement, for tests only. A tree is one that
 * the parser can give: its parts are made in the order in which they are printed, so that the markers
 * are numbered as the parser numbers them. */
#ifndef CQL_RANDOM_AST_H
#define CQL_RANDOM_AST_H

#include "cql/ast.h"

typedef struct cql_random {
    base_arena *arena;
    uint64_t    state;   /* not 0 */
    uint32_t    markers; /* so far in the statement */
    uint32_t    serial;  /* makes names that must differ */
} cql_random;

static inline uint32_t random_below(cql_random *r, uint32_t n) {
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (uint32_t)((r->state >> 16) % n);
}

static inline bool random_bool(cql_random *r) {
    return random_below(r, 2) == 1;
}

#define RANDOM_OF(r, array) ((array)[random_below((r), sizeof(array) / sizeof((array)[0]))])

static inline void *random_new(cql_random *r, size_t count, size_t size) {
    return base__arena_calloc(r->arena, count, size);
}

/* ---- names, strings, types ---- */

static inline cql_name random_plain_name(cql_random *r) {
    static const char *const names[] = {
        "a", "b", "c1", "x_y", "k", "id", "name", "v", "é", "A b"
    };
    return (cql_name){ .text = corm_str_of(RANDOM_OF(r, names)) };
}

static inline cql_name random_name(cql_random *r) {
    static const char *const names[] = {
        "key",      "text",      "int",       "timestamp", "select",    "from",    "json",
        "distinct", "as",        "count",     "ttl",       "writetime", "token",   "cast",
        "Camel",    "wi\"th",    "nan",       "infinity",  "true",      "expr",    "1x",
        "a-b",      "list",      "map",       "set",       "vector",    "frozen",  "tuple",
        "group",    "per",       "like",      "contains",  "static",    "default", "all",
        "unmask",   "role",      "function",  "values",    "keys",      "full",    "entries",
        "exists",   "filtering", "compact",   "storage",   "only",      "types",   "superuser",
        "password", "ann",       "partition", "null",      "in",        "P1Y",     "p1y",
        "deadbeef", "-",         "'",         "\n",        "user",      "cluster", "if",
        "Key",      "byte",      "interval",  "unset",     "mbean",     "masked",  "internals",
        "type",     "desc",
    };
    if (random_below(r, 3) > 0) return random_plain_name(r);
    return (cql_name){ .text = corm_str_of(RANDOM_OF(r, names)) };
}

/* A column may have no characters. */
static inline cql_name random_column(cql_random *r) {
    if (random_below(r, 40) == 0) return (cql_name){ .text = { "", 0 } };
    return random_name(r);
}

/* A name that no other of the statement has. */
static inline cql_name random_unique(cql_random *r) {
    cql_name name = random_name(r);
    return (cql_name){ .text = base__arena_printf(r->arena, "%.*s%u", (int)name.text.len,
                                                  name.text.data, r->serial++) };
}

static inline cql_ref random_ref(cql_random *r) {
    cql_ref ref = { .name = random_name(r) };
    if (random_bool(r)) ref.keyspace = random_name(r);
    return ref;
}

static inline corm_str random_text(cql_random *r) {
    static const char *const texts[] = {
        "",  "x",  "it's", "''",   "\"", "a b", "$$",
        "é", "--", "/*",   "\n\t", ";",  "?:x", "long text of words"
    };
    return corm_str_of(RANDOM_OF(r, texts));
}

static inline const cql_type_ast *random_type(cql_random *r, uint32_t depth);

static inline const cql_type_ast *random_simple_type(cql_random *r) {
    static const char *const natives[] = {
        "int", "text", "uuid", "timestamp", "varchar", "counter"
    };
    static const char *const users[] = { "udt", "address", "key", "list", "map", "static" };
    static const char *const quoted[] = {
        "int", "Text", "a b", "byte", "set", "ttl", "udt", "list"
    };
    cql_type_ast *type = random_new(r, 1, sizeof *type);
    switch (random_below(r, 6)) {
    case 0:
        type->name.name.text = random_text(r);
        type->is_class = true;
        return type;
    case 1: type->name.name.text = corm_str_of(RANDOM_OF(r, users)); break;
    case 2:
        type->name.name.text = corm_str_of(RANDOM_OF(r, quoted));
        type->is_quoted = true;
        break;
    default: type->name.name.text = corm_str_of(RANDOM_OF(r, natives)); return type;
    }
    if (random_bool(r)) type->name.keyspace = random_name(r);
    return type;
}

static inline const cql_type_ast *random_type(cql_random *r, uint32_t depth) {
    static const struct {
        const char *name;
        uint32_t    count;
    } shapes[] = { { "list", 1 },   { "set", 1 },   { "map", 2 },  { "frozen", 1 },
                   { "vector", 1 }, { "tuple", 1 }, { "tuple", 3 } };
    if (depth == 0 || random_bool(r)) return random_simple_type(r);
    uint32_t      which = random_below(r, sizeof shapes / sizeof shapes[0]);
    cql_type_ast *type = random_new(r, 1, sizeof *type);
    type->name.name.text = corm_str_of(shapes[which].name);
    type->count = shapes[which].count;
    type->params = random_new(r, type->count, sizeof(void *));
    for (uint32_t i = 0; i < type->count; i++) type->params[i] = random_type(r, depth - 1);
    if (which == 4) type->dimension = random_below(r, 2000) - 10;
    return type;
}

static inline const cql_type_ast **random_types(cql_random *r, uint32_t *count) {
    *count = random_below(r, 3);
    const cql_type_ast **types = random_new(r, *count, sizeof(void *));
    for (uint32_t i = 0; i < *count; i++) types[i] = random_type(r, 2);
    return types;
}

static inline const cql_type_ast *random_native_type(cql_random *r) {
    static const char *const natives[] = { "int", "text", "double", "varint", "date", "time" };
    cql_type_ast            *type = random_new(r, 1, sizeof *type);
    type->name.name.text = corm_str_of(RANDOM_OF(r, natives));
    return type;
}

/* ---- expressions ---- */

static inline cql_expr *random_expr(cql_random *r, uint32_t depth, bool selector);

static inline cql_expr *random_node(cql_random *r, cql_expr_kind kind, uint32_t count) {
    cql_expr *expr = random_new(r, 1, sizeof *expr);
    expr->kind = kind;
    expr->count = count;
    if (count) expr->args = random_new(r, count, sizeof(void *));
    return expr;
}

static inline cql_expr *random_constant(cql_random *r) {
    static const struct {
        cql_expr_kind kind;
        const char   *text;
    } constants[] = {
        { CQL_EXPR_INTEGER, "0" },
        { CQL_EXPR_INTEGER, "42" },
        { CQL_EXPR_INTEGER, "-7" },
        { CQL_EXPR_INTEGER, "123456789012345678901234567890" },
        { CQL_EXPR_FLOAT, "1.5" },
        { CQL_EXPR_FLOAT, "-1." },
        { CQL_EXPR_FLOAT, "1e5" },
        { CQL_EXPR_FLOAT, "NaN" },
        { CQL_EXPR_FLOAT, "Infinity" },
        { CQL_EXPR_FLOAT, "-Infinity" },
        { CQL_EXPR_BOOLEAN, "true" },
        { CQL_EXPR_BOOLEAN, "false" },
        { CQL_EXPR_HEX, "0x" },
        { CQL_EXPR_HEX, "0XaB01" },
        { CQL_EXPR_DURATION, "1y2mo" },
        { CQL_EXPR_DURATION, "-P1Y2M3DT4H5M6S" },
        { CQL_EXPR_DURATION, "P3W" },
        { CQL_EXPR_DURATION, "P0001-02-03T04:05:06" },
        { CQL_EXPR_UUID, "123e4567-e89b-12d3-a456-426614174000" },
        { CQL_EXPR_UUID, "abcdefab-cdef-abcd-efab-cdefabcdefab" },
    };
    cql_expr *expr = random_node(r, CQL_EXPR_STRING, 0);
    if (random_below(r, 4) == 0) {
        expr->text = random_text(r);
        return expr;
    }
    uint32_t which = random_below(r, sizeof constants / sizeof constants[0]);
    expr->kind = constants[which].kind;
    expr->text = corm_str_of(constants[which].text);
    return expr;
}

static inline cql_expr *random_marker(cql_random *r) {
    cql_expr *expr = random_node(r, CQL_EXPR_MARKER, 0);
    if (random_bool(r)) expr->name.name = random_name(r);
    expr->index = r->markers++;
    return expr;
}

static inline cql_expr *random_int_value(cql_random *r) {
    if (random_bool(r)) return random_marker(r);
    cql_expr *expr = random_node(r, CQL_EXPR_INTEGER, 0);
    expr->text = corm_str_of(random_bool(r) ? "100" : "-1");
    return expr;
}

static inline cql_expr *random_filled(cql_random *r, cql_expr_kind kind, uint32_t count,
                                      uint32_t depth, bool selector) {
    cql_expr *expr = random_node(r, kind, count);
    for (uint32_t i = 0; i < count; i++) expr->args[i] = random_expr(r, depth - 1, selector);
    return expr;
}

static inline cql_expr *random_udt(cql_random *r, uint32_t depth, bool selector) {
    cql_expr *expr = random_filled(r, CQL_EXPR_UDT, 1 + random_below(r, 2), depth, selector);
    expr->names = random_new(r, expr->count, sizeof *expr->names);
    for (uint32_t i = 0; i < expr->count; i++) expr->names[i] = random_name(r);
    return expr;
}

/* Among selectors, a map whose keys are all columns would be a user-defined type. */
static inline cql_expr *random_map(cql_random *r, uint32_t depth, bool selector) {
    cql_expr *expr = random_node(r, CQL_EXPR_MAP, 2 * (1 + random_below(r, 2)));
    for (uint32_t i = 0; i < expr->count; i++) {
        bool constant = selector && i == 0;
        expr->args[i] = constant ? random_constant(r) : random_expr(r, depth - 1, selector);
    }
    return expr;
}

/* count of one constant is count(*). */
static inline cql_expr *random_call(cql_random *r, uint32_t depth, bool selector) {
    cql_expr *expr = random_filled(r, CQL_EXPR_CALL, random_below(r, 3), depth, selector);
    expr->name = random_ref(r);
    bool counts = !expr->name.keyspace.text.data &&
                  corm_str_equal(expr->name.name.text, corm_str_of("count"));
    if (counts && expr->count == 1) expr->name.name = random_plain_name(r);
    return expr;
}

static inline cql_expr *random_operation(cql_random *r, uint32_t depth, bool selector) {
    if (random_below(r, 3) == 0) return random_filled(r, CQL_EXPR_NEGATE, 1, depth, selector);
    cql_expr *expr = random_filled(r, CQL_EXPR_ARITH, 2, depth, selector);
    expr->op = "+-*/%"[random_below(r, 5)];
    return expr;
}

static inline cql_expr *random_typed(cql_random *r, uint32_t depth, bool selector) {
    bool      cast = random_bool(r);
    cql_expr *expr = random_filled(r, cast ? CQL_EXPR_CAST : CQL_EXPR_HINT, 1, depth, selector);
    expr->type = cast ? random_native_type(r) : random_type(r, 2);
    return expr;
}

/* What both terms and selectors can be. */
static inline cql_expr *random_common(cql_random *r, uint32_t depth, bool selector) {
    if (depth == 0) return random_bool(r) ? random_constant(r) : random_marker(r);
    switch (random_below(r, 12)) {
    case 0: return random_node(r, CQL_EXPR_NULL, 0);
    case 1: return random_marker(r);
    case 2: return random_filled(r, CQL_EXPR_LIST, random_below(r, 3), depth, selector);
    case 3: return random_filled(r, CQL_EXPR_SET, random_below(r, 3), depth, selector);
    case 4: return random_map(r, depth, selector);
    case 5: return random_udt(r, depth, selector);
    case 6: return random_filled(r, CQL_EXPR_TUPLE, 2 + random_below(r, 2), depth, selector);
    case 7: return random_typed(r, depth, selector);
    case 8: return random_call(r, depth, selector);
    case 9:
    case 10: return random_operation(r, depth, selector);
    default: return random_constant(r);
    }
}

static inline cql_expr *random_column_expr(cql_random *r) {
    cql_expr *expr = random_node(r, CQL_EXPR_COLUMN, 0);
    expr->name.name = random_name(r);
    return expr;
}

/* base.field, base[element], base[from..to] */
static inline cql_expr *random_modified(cql_random *r, cql_expr *base) {
    uint32_t  which = random_below(r, 3);
    cql_expr *expr = random_node(r, CQL_EXPR_FIELD, which + 1);
    expr->args[0] = base;
    if (which == 0) {
        expr->name.name = random_name(r);
        return expr;
    }
    expr->kind = which == 1 ? CQL_EXPR_ELEMENT : CQL_EXPR_SLICE;
    bool from = which == 1 || random_bool(r);
    if (from) expr->args[1] = random_expr(r, 1, false);
    if (which == 2 && (!from || random_bool(r))) expr->args[2] = random_expr(r, 1, false);
    return expr;
}

static inline cql_expr *random_column_function(cql_random *r) {
    static const cql_expr_kind kinds[] = { CQL_EXPR_WRITETIME, CQL_EXPR_MAXWRITETIME,
                                           CQL_EXPR_TTL };
    cql_expr                  *expr = random_node(r, RANDOM_OF(r, kinds), 1);
    expr->args[0] = random_column_expr(r);
    if (random_bool(r)) expr->args[0] = random_modified(r, expr->args[0]);
    return expr;
}

static inline cql_expr *random_expr(cql_random *r, uint32_t depth, bool selector) {
    if (!selector) return random_common(r, depth, false);
    switch (random_below(r, 8)) {
    case 0: return random_node(r, CQL_EXPR_COUNT_ALL, 0);
    case 1: return random_column_function(r);
    case 2: return random_modified(r, random_expr(r, depth ? depth - 1 : 0, true));
    case 3: return random_common(r, depth, true);
    default: return random_column_expr(r);
    }
}

static inline cql_expr *random_term(cql_random *r) {
    return random_expr(r, random_below(r, 4), false);
}

static inline cql_expr **random_terms(cql_random *r, uint32_t count) {
    cql_expr **terms = random_new(r, count, sizeof(void *));
    for (uint32_t i = 0; i < count; i++) terms[i] = random_term(r);
    return terms;
}

/* ---- clauses ---- */

static inline cql_name *random_columns(cql_random *r, uint32_t count) {
    cql_name *names = random_new(r, count, sizeof *names);
    for (uint32_t i = 0; i < count; i++) names[i] = random_column(r);
    return names;
}

static inline cql_name *random_names(cql_random *r, uint32_t count) {
    cql_name *names = random_new(r, count, sizeof *names);
    for (uint32_t i = 0; i < count; i++) names[i] = random_name(r);
    return names;
}

static inline void random_in(cql_random *r, cql_expr ***terms, uint32_t *count, bool *in_marker) {
    *in_marker = random_bool(r);
    *count = *in_marker ? 1 : random_below(r, 4);
    *terms = random_new(r, *count, sizeof(void *));
    for (uint32_t i = 0; i < *count; i++) {
        (*terms)[i] = *in_marker ? random_marker(r) : random_term(r);
    }
}

static inline void random_multi(cql_random *r, cql_relation *out) {
    bool in = random_bool(r), marker = random_bool(r);
    out->op = in ? CQL_OP_IN : (cql_operator)random_below(r, 6);
    out->in_marker = in && marker && random_bool(r);
    out->term_count = in && !out->in_marker ? random_below(r, 3) : 1;
    out->terms = random_new(r, out->term_count, sizeof(void *));
    for (uint32_t i = 0; i < out->term_count; i++) {
        uint32_t size = 1 + random_below(r, 2);
        out->terms[i] =
            marker ? random_marker(r) : random_filled(r, CQL_EXPR_TUPLE, size, 2, false);
    }
}

static inline cql_relation random_relation(cql_random *r) {
    static const cql_operator ops[] = { CQL_OP_EQ,           CQL_OP_NEQ,  CQL_OP_LT,
                                        CQL_OP_GTE,          CQL_OP_IN,   CQL_OP_CONTAINS,
                                        CQL_OP_CONTAINS_KEY, CQL_OP_LIKE, CQL_OP_IS_NOT_NULL };
    cql_relation out = { .kind = (cql_relation_kind)random_below(r, 5), .column_count = 1 };
    bool         several = out.kind == CQL_REL_TOKEN || out.kind == CQL_REL_MULTI;
    if (several) out.column_count = 1 + random_below(r, 3);
    out.columns =
        out.kind == CQL_REL_EXPR ? random_names(r, 1) : random_columns(r, out.column_count);
    if (out.kind == CQL_REL_ELEMENT) out.key = random_term(r);
    if (out.kind == CQL_REL_MULTI) {
        random_multi(r, &out);
        return out;
    }
    if (out.kind == CQL_REL_COLUMN)
        out.op = RANDOM_OF(r, ops);
    else if (out.kind != CQL_REL_EXPR)
        out.op = (cql_operator)random_below(r, 6);
    if (out.op == CQL_OP_IN) {
        random_in(r, &out.terms, &out.term_count, &out.in_marker);
    } else if (out.op != CQL_OP_IS_NOT_NULL) {
        out.term_count = 1;
        out.terms = random_terms(r, 1);
    }
    return out;
}

static inline cql_relation *random_where(cql_random *r, uint32_t count) {
    cql_relation *relations = random_new(r, count, sizeof *relations);
    for (uint32_t i = 0; i < count; i++) relations[i] = random_relation(r);
    return relations;
}

static inline cql_condition random_condition(cql_random *r) {
    cql_condition out = { .column = random_column(r) };
    uint32_t      which = random_below(r, 3);
    if (which == 1) out.field = random_name(r);
    if (which == 2) out.element = random_term(r);
    uint32_t op = random_below(r, which == 0 ? 9 : 7);
    out.op = (cql_operator)op;
    if (out.op == CQL_OP_IN) {
        random_in(r, &out.terms, &out.term_count, &out.in_marker);
    } else {
        out.term_count = 1;
        out.terms = random_terms(r, 1);
    }
    return out;
}

static inline cql_using random_using(cql_random *r, bool ttl) {
    cql_using out = { 0 };
    if (random_below(r, 3) == 0) out.timestamp = random_int_value(r);
    if (ttl && random_below(r, 3) == 0) out.ttl = random_int_value(r);
    return out;
}

static inline cql_expr *random_property_map(cql_random *r) {
    cql_expr *expr = random_node(r, CQL_EXPR_MAP, 2 * random_below(r, 3));
    for (uint32_t i = 0; i < expr->count; i++) {
        expr->args[i] = random_constant(r);
        if (i % 2 == 1) continue;
        expr->args[i]->kind = CQL_EXPR_STRING;
        expr->args[i]->text = base__arena_printf(r->arena, "k%u", r->serial++);
    }
    return expr;
}

static inline cql_property *random_properties(cql_random *r, uint32_t count) {
    cql_property *properties = random_new(r, count, sizeof *properties);
    for (uint32_t i = 0; i < count; i++) {
        cql_property *property = &properties[i];
        property->name = random_unique(r);
        property->is_name = random_below(r, 5) == 0;
        property->value = random_bool(r) ? random_constant(r) : random_property_map(r);
        if (!property->is_name) continue;
        property->value = random_node(r, CQL_EXPR_STRING, 0);
        property->value->text = corm_str_of(random_bool(r) ? "static" : "Key");
    }
    return properties;
}

static inline cql_order *random_orders(cql_random *r, uint32_t count) {
    cql_order *orders = random_new(r, count, sizeof *orders);
    for (uint32_t i = 0; i < count; i++) {
        orders[i].column = random_name(r);
        orders[i].descending = random_bool(r);
        orders[i].explicit_direction = true;
    }
    return orders;
}

static inline cql_selector *random_selectors(cql_random *r, uint32_t count) {
    cql_selector *selectors = random_new(r, count, sizeof *selectors);
    for (uint32_t i = 0; i < count; i++) {
        selectors[i].expr = random_expr(r, random_below(r, 4), true);
        if (random_below(r, 3) == 0) selectors[i].alias = random_name(r);
    }
    return selectors;
}

/* ---- data statements ---- */

static inline void random_select(cql_random *r, cql_statement *s) {
    cql_select *select = &s->as.select;
    select->json = random_below(r, 4) == 0;
    select->distinct = random_below(r, 4) == 0;
    select->all = random_below(r, 3) == 0;
    select->selector_count = select->all ? 0 : 1 + random_below(r, 3);
    select->selectors = random_selectors(r, select->selector_count);
    select->table = random_ref(r);
    select->where_count = random_below(r, 4);
    select->where = random_where(r, select->where_count);
    select->group_count = random_below(r, 3) == 0;
    select->group_by = random_new(r, 1, sizeof(void *));
    select->group_by[0] = select->group_count ? random_expr(r, 1, true) : NULL;
    select->order_count = random_below(r, 3);
    select->order_by = random_orders(r, select->order_count);
    for (uint32_t i = 0; i < select->order_count; i++) {
        if (random_bool(r)) select->order_by[i].ann_of = random_term(r);
        if (!select->order_by[i].descending)
            select->order_by[i].explicit_direction = random_bool(r);
    }
    if (random_below(r, 3) == 0) select->per_partition_limit = random_int_value(r);
    if (random_bool(r)) select->limit = random_int_value(r);
    select->allow_filtering = random_bool(r);
}

static inline void random_insert(cql_random *r, cql_statement *s) {
    cql_insert *insert = &s->as.insert;
    insert->table = random_ref(r);
    if (random_below(r, 4) == 0) {
        insert->json = random_marker(r);
        if (random_bool(r)) {
            r->markers--;
            *insert->json = (cql_expr){ .kind = CQL_EXPR_STRING, .text = random_text(r) };
        }
        insert->json_default_unset = random_bool(r);
        insert->json_default_null = !insert->json_default_unset && random_bool(r);
    } else {
        insert->count = 1 + random_below(r, 3);
        insert->columns = random_columns(r, insert->count);
        insert->value_count = 1 + random_below(r, 3);
        insert->values = random_terms(r, insert->value_count);
    }
    insert->if_not_exists = random_bool(r);
    insert->using = random_using(r, true);
}

static inline cql_change random_change(cql_random *r) {
    cql_change out = { .kind = (cql_change_kind)random_below(r, CQL_CHANGE_DELETE) };
    out.column = random_unique(r);
    bool named =
        out.kind == CQL_CHANGE_PREPEND ||
        ((out.kind == CQL_CHANGE_ADD || out.kind == CQL_CHANGE_SUBTRACT) && random_bool(r));
    if (named) out.other = out.column;
    if (out.kind == CQL_CHANGE_SET_ELEMENT) out.key = random_term(r);
    if (out.kind == CQL_CHANGE_SET_FIELD) out.field = random_name(r);
    out.value = random_term(r);
    return out;
}

static inline void random_conditions(cql_random *r, cql_update *update) {
    update->where_count = 1 + random_below(r, 2);
    update->where = random_where(r, update->where_count);
    update->if_exists = random_below(r, 4) == 0;
    update->condition_count = update->if_exists ? 0 : random_below(r, 3);
    update->conditions = random_new(r, update->condition_count, sizeof *update->conditions);
    for (uint32_t i = 0; i < update->condition_count; i++) {
        update->conditions[i] = random_condition(r);
    }
}

static inline void random_update(cql_random *r, cql_statement *s) {
    cql_update *update = &s->as.update;
    update->table = random_ref(r);
    update->using = random_using(r, true);
    update->change_count = 1 + random_below(r, 3);
    update->changes = random_new(r, update->change_count, sizeof *update->changes);
    for (uint32_t i = 0; i < update->change_count; i++) update->changes[i] = random_change(r);
    random_conditions(r, update);
}

static inline void random_delete(cql_random *r, cql_statement *s) {
    cql_delete *deletion = &s->as.delete_;
    deletion->change_count = random_below(r, 3);
    deletion->changes = random_new(r, deletion->change_count, sizeof *deletion->changes);
    for (uint32_t i = 0; i < deletion->change_count; i++) {
        cql_change *change = &deletion->changes[i];
        change->kind = (cql_change_kind)(CQL_CHANGE_DELETE + random_below(r, 3));
        change->column = random_column(r);
        if (change->kind == CQL_CHANGE_DELETE_ELEMENT) change->key = random_term(r);
        if (change->kind == CQL_CHANGE_DELETE_FIELD) change->field = random_name(r);
    }
    deletion->table = random_ref(r);
    deletion->using = random_using(r, false);
    random_conditions(r, deletion);
}

static inline void random_batch(cql_random *r, cql_statement *s) {
    cql_batch *batch = &s->as.batch;
    batch->kind = (cql_batch_kind)random_below(r, 3);
    batch->using = random_using(r, true);
    batch->count = random_below(r, 4);
    batch->statements = random_new(r, batch->count, sizeof(void *));
    for (uint32_t i = 0; i < batch->count; i++) {
        cql_statement *one = random_new(r, 1, sizeof *one);
        batch->statements[i] = one;
        one->kind = (cql_statement_kind)(CQL_STMT_INSERT + random_below(r, 3));
        if (one->kind == CQL_STMT_INSERT)
            random_insert(r, one);
        else if (one->kind == CQL_STMT_UPDATE)
            random_update(r, one);
        else
            random_delete(r, one);
    }
}

/* ---- schema statements ---- */

static inline cql_mask random_mask(cql_random *r) {
    cql_mask out = { .present = random_below(r, 3) == 0 };
    if (!out.present || random_bool(r)) return out;
    out.function = random_ref(r);
    out.count = random_below(r, 3);
    out.args = random_terms(r, out.count);
    return out;
}

static inline cql_column_def *random_definitions(cql_random *r, uint32_t count, bool bare) {
    cql_column_def *columns = random_new(r, count, sizeof *columns);
    for (uint32_t i = 0; i < count; i++) {
        columns[i].name = random_name(r);
        columns[i].type = random_type(r, 3);
        if (bare) continue;
        columns[i].is_static = random_below(r, 4) == 0;
        columns[i].mask = random_mask(r);
    }
    return columns;
}

static inline void random_keyspace(cql_random *r, cql_statement *s) {
    s->as.keyspace.name = random_name(r);
    s->as.keyspace.if_not_exists = random_bool(r);
    s->as.keyspace.property_count = 1 + random_below(r, 3);
    s->as.keyspace.properties = random_properties(r, s->as.keyspace.property_count);
}

static inline void random_create_table(cql_random *r, cql_statement *s) {
    cql_create_table *table = &s->as.create_table;
    table->table = random_ref(r);
    table->if_not_exists = random_bool(r);
    table->column_count = 1 + random_below(r, 4);
    table->columns = random_definitions(r, table->column_count, false);
    if (random_bool(r)) table->columns[0].is_primary_key = true;
    table->primary_key_clauses = random_below(r, 3);
    if (table->primary_key_clauses) {
        table->partition_count = 1 + random_below(r, 2);
        table->partition_key = random_names(r, table->partition_count);
        table->clustering_count = random_below(r, 3);
        table->clustering = random_names(r, table->clustering_count);
    }
    table->compact_storage = random_below(r, 4) == 0;
    table->order_count = random_below(r, 3);
    table->order = random_orders(r, table->order_count);
    table->property_count = random_below(r, 3);
    table->properties = random_properties(r, table->property_count);
}

static inline void random_altered_column(cql_random *r, cql_alter_table *alter) {
    alter->column_count = 1;
    alter->columns = random_definitions(r, 1, true);
    if (alter->kind == CQL_ALTER_TYPE) {
        alter->column_if = false;
        return;
    }
    alter->columns[0].type = NULL;
    alter->drop_masked = random_bool(r);
    if (alter->drop_masked) return;
    do {
        alter->columns[0].mask = random_mask(r);
    } while (!alter->columns[0].mask.present);
}

static inline void random_alter_table(cql_random *r, cql_statement *s) {
    cql_alter_table *alter = &s->as.alter_table;
    alter->table = random_ref(r);
    alter->if_exists = random_bool(r);
    alter->kind = (cql_alter_kind)random_below(r, CQL_ALTER_WITH + 1);
    alter->column_if = random_bool(r) && alter->kind < CQL_ALTER_DROP_COMPACT_STORAGE;
    alter->column_count = 1 + random_below(r, 3);
    switch (alter->kind) {
    case CQL_ALTER_ADD: alter->columns = random_definitions(r, alter->column_count, false); return;
    case CQL_ALTER_DROP:
    case CQL_ALTER_RENAME:
        alter->columns = random_new(r, alter->column_count, sizeof *alter->columns);
        for (uint32_t i = 0; i < alter->column_count; i++) alter->columns[i].name = random_name(r);
        if (alter->kind == CQL_ALTER_RENAME)
            alter->renamed = random_names(r, alter->column_count);
        else if (random_bool(r)) {
            alter->timestamp = random_node(r, CQL_EXPR_INTEGER, 0);
            alter->timestamp->text = corm_str_of("5");
        }
        return;
    case CQL_ALTER_TYPE:
    case CQL_ALTER_MASK: random_altered_column(r, alter); return;
    default: alter->column_count = 0;
    }
    if (alter->kind != CQL_ALTER_WITH) return;
    alter->property_count = 1 + random_below(r, 2);
    alter->properties = random_properties(r, alter->property_count);
}

static inline void random_alter_type(cql_random *r, cql_statement *s) {
    static const cql_alter_kind kinds[] = { CQL_ALTER_ADD, CQL_ALTER_RENAME, CQL_ALTER_TYPE };
    cql_alter_table            *alter = &s->as.alter_table;
    alter->table = random_ref(r);
    alter->if_exists = random_bool(r);
    alter->kind = RANDOM_OF(r, kinds);
    alter->column_if = alter->kind != CQL_ALTER_TYPE && random_bool(r);
    alter->column_count = 1;
    alter->columns = random_definitions(r, 1, true);
    if (alter->kind != CQL_ALTER_RENAME) return;
    alter->columns[0].type = NULL;
    alter->renamed = random_names(r, 1);
}

static inline void random_alter_view(cql_random *r, cql_statement *s) {
    cql_alter_table *alter = &s->as.alter_table;
    alter->table = random_ref(r);
    alter->if_exists = random_bool(r);
    alter->kind = CQL_ALTER_WITH;
    alter->property_count = 1 + random_below(r, 2);
    alter->properties = random_properties(r, alter->property_count);
}

static inline void random_create_type(cql_random *r, cql_statement *s) {
    cql_create_type *type = &s->as.create_type;
    type->name = random_ref(r);
    type->if_not_exists = random_bool(r);
    type->field_count = 1 + random_below(r, 3);
    type->fields = random_definitions(r, type->field_count, true);
}

static inline void random_create_index(cql_random *r, cql_statement *s) {
    cql_create_index *index = &s->as.create_index;
    if (random_bool(r)) index->name.name = random_name(r);
    index->custom = random_bool(r);
    index->if_not_exists = random_bool(r);
    index->table = random_ref(r);
    index->target_count = random_below(r, 3);
    index->columns = random_columns(r, index->target_count);
    index->targets = random_new(r, index->target_count, sizeof *index->targets);
    for (uint32_t i = 0; i < index->target_count; i++) {
        index->targets[i] = (cql_index_target)random_below(r, CQL_TARGET_FULL + 1);
    }
    if (random_bool(r)) index->using_class = random_text(r);
    index->property_count = random_below(r, 3);
    index->properties = random_properties(r, index->property_count);
}

static inline void random_create_view(cql_random *r, cql_statement *s) {
    cql_create_view *view = &s->as.create_view;
    view->name = random_ref(r);
    view->if_not_exists = random_bool(r);
    view->all = random_bool(r);
    view->selector_count = view->all ? 0 : 1 + random_below(r, 3);
    view->selectors = random_selectors(r, view->selector_count);
    view->base = random_ref(r);
    view->where_count = random_below(r, 3);
    view->where = random_where(r, view->where_count);
    view->partition_count = 1 + random_below(r, 2);
    view->partition_key = random_names(r, view->partition_count);
    view->clustering_count = random_below(r, 3);
    view->clustering = random_names(r, view->clustering_count);
    view->order_count = random_below(r, 3);
    view->order = random_orders(r, view->order_count);
    view->property_count = random_below(r, 3);
    view->properties = random_properties(r, view->property_count);
}

static inline void random_create_function(cql_random *r, cql_statement *s) {
    cql_create_function *function = &s->as.create_function;
    function->name = random_ref(r);
    function->or_replace = random_bool(r);
    function->if_not_exists = random_bool(r);
    function->argument_types = random_types(r, &function->argument_count);
    function->arguments = random_names(r, function->argument_count);
    function->called_on_null = random_bool(r);
    function->returns = random_type(r, 2);
    function->language.text = corm_str_of(random_bool(r) ? "java" : "lua");
    function->body = random_text(r);
}

static inline void random_create_aggregate(cql_random *r, cql_statement *s) {
    cql_create_aggregate *aggregate = &s->as.create_aggregate;
    aggregate->name = random_ref(r);
    aggregate->or_replace = random_bool(r);
    aggregate->if_not_exists = random_bool(r);
    aggregate->argument_types = random_types(r, &aggregate->argument_count);
    aggregate->state_function.name = random_name(r);
    aggregate->state_type = random_type(r, 2);
    if (random_bool(r)) aggregate->final_function.name = random_name(r);
    if (random_bool(r)) aggregate->initial = random_term(r);
}

static inline void random_trigger(cql_random *r, cql_statement *s) {
    s->as.trigger.name = random_name(r);
    s->as.trigger.table = random_ref(r);
    s->as.trigger.if_not_exists = random_bool(r);
    if (s->kind == CQL_STMT_CREATE_TRIGGER) s->as.trigger.class_name = random_text(r);
}

static inline void random_drop(cql_random *r, cql_statement *s) {
    cql_drop *drop = &s->as.drop;
    bool      callable = s->kind == CQL_STMT_DROP_FUNCTION || s->kind == CQL_STMT_DROP_AGGREGATE;
    drop->name = random_ref(r);
    drop->if_exists = s->kind != CQL_STMT_USE && s->kind != CQL_STMT_TRUNCATE && random_bool(r);
    if (s->kind == CQL_STMT_USE || s->kind == CQL_STMT_DROP_KEYSPACE) {
        drop->name.keyspace = (cql_name){ 0 };
    }
    drop->has_arguments = callable && random_bool(r);
    if (drop->has_arguments) drop->argument_types = random_types(r, &drop->argument_count);
}

static inline void random_describe(cql_random *r, cql_statement *s) {
    cql_describe *describe = &s->as.describe;
    describe->kind = (cql_describe_kind)random_below(r, CQL_DESCRIBE_GENERIC + 1);
    describe->internals = random_bool(r);
    switch (describe->kind) {
    case CQL_DESCRIBE_SCHEMA: describe->full = random_bool(r); break;
    case CQL_DESCRIBE_KEYSPACE:
        describe->only = random_bool(r);
        if (random_bool(r)) describe->object.keyspace = random_name(r);
        break;
    case CQL_DESCRIBE_TABLE:
    case CQL_DESCRIBE_INDEX:
    case CQL_DESCRIBE_VIEW:
    case CQL_DESCRIBE_TYPE:
    case CQL_DESCRIBE_FUNCTION:
    case CQL_DESCRIBE_AGGREGATE:
    case CQL_DESCRIBE_GENERIC: describe->object = random_ref(r); break;
    default: break;
    }
}

/* ---- roles and permissions ---- */

static inline cql_name random_role_name(cql_random *r) {
    return random_below(r, 10) == 0 ? (cql_name){ .text = { "", 0 } } : random_name(r);
}

static inline corm_str *random_texts(cql_random *r, uint32_t *count) {
    *count = 1 + random_below(r, 3);
    corm_str *texts = random_new(r, *count, sizeof *texts);
    for (uint32_t i = 0; i < *count; i++) texts[i] = random_text(r);
    return texts;
}

static inline void random_password(cql_random *r, cql_role *role) {
    if (random_bool(r)) return;
    role->password = random_text(r);
    role->hashed = random_bool(r);
}

static inline void random_role_options(cql_random *r, cql_role *role) {
    random_password(r, role);
    role->superuser = (uint8_t)random_below(r, 3);
    role->login = (uint8_t)random_below(r, 3);
    if (random_bool(r)) role->options = random_property_map(r);
    role->datacenters = (uint8_t)random_below(r, 3);
    if (role->datacenters == 2) role->datacenter_names = random_texts(r, &role->datacenter_count);
    role->cidrs = (uint8_t)random_below(r, 3);
    if (role->cidrs == 2) role->cidr_groups = random_texts(r, &role->cidr_count);
}

static inline void random_role(cql_random *r, cql_statement *s) {
    cql_role *role = &s->as.role;
    switch (s->kind) {
    case CQL_STMT_LIST_USERS:
    case CQL_STMT_LIST_SUPERUSERS: return;
    case CQL_STMT_LIST_ROLES:
        if (random_bool(r)) role->name = random_role_name(r);
        role->no_recursive = random_bool(r);
        return;
    case CQL_STMT_GRANT_ROLE:
    case CQL_STMT_REVOKE_ROLE:
        role->name = random_role_name(r);
        role->other = random_role_name(r);
        return;
    default: break;
    }
    role->name = random_role_name(r);
    role->if_exists = random_bool(r);
    if (s->kind == CQL_STMT_ADD_IDENTITY) role->other = random_role_name(r);
    if (s->kind == CQL_STMT_CREATE_ROLE || s->kind == CQL_STMT_ALTER_ROLE) {
        random_role_options(r, role);
    }
    if (s->kind == CQL_STMT_CREATE_USER || s->kind == CQL_STMT_ALTER_USER) {
        random_password(r, role);
        role->superuser = (uint8_t)random_below(r, 3);
    }
}

static inline void random_resource(cql_random *r, cql_permission *permission) {
    permission->has_resource = true;
    permission->resource = (cql_resource_kind)random_below(r, CQL_RESOURCE_MBEANS + 1);
    switch (permission->resource) {
    case CQL_RESOURCE_KEYSPACE:
    case CQL_RESOURCE_ALL_TABLES:
    case CQL_RESOURCE_KEYSPACE_FUNCTIONS: permission->object.keyspace = random_name(r); break;
    case CQL_RESOURCE_TABLE: permission->object = random_ref(r); break;
    case CQL_RESOURCE_ROLE: permission->object.name = random_role_name(r); break;
    case CQL_RESOURCE_FUNCTION:
        permission->object = random_ref(r);
        permission->argument_types = random_types(r, &permission->argument_count);
        break;
    case CQL_RESOURCE_MBEAN: permission->mbean = corm_str_of("a:b=c"); break;
    case CQL_RESOURCE_MBEANS: permission->mbean = corm_str_of("a:*"); break;
    default: break;
    }
}

/* AUTHORIZE, which every resource knows, is always among the permissions. */
static inline void random_permission(cql_random *r, cql_statement *s) {
    static const char *const names[] = { "authorize",     "select", "modify",  "unmask",
                                         "select_masked", "create", "execute", "describe" };
    cql_permission          *permission = &s->as.permission;
    bool                     list = s->kind == CQL_STMT_LIST_PERMISSIONS;
    permission->all = random_bool(r);
    permission->count = permission->all ? 0 : 1 + random_below(r, 3);
    permission->permissions = random_new(r, permission->count, sizeof *permission->permissions);
    for (uint32_t i = 0; i < permission->count; i++) {
        const char *name = i == 0 ? names[0] : RANDOM_OF(r, names);
        permission->permissions[i].text = corm_str_of(name);
    }
    if (!list || random_bool(r)) random_resource(r, permission);
    if (!list || random_bool(r)) permission->role = random_role_name(r);
    permission->no_recursive = list && random_bool(r);
}

/* ---- a statement of this kind ---- */

static inline cql_statement *cql__random_statement(cql_random *r, cql_statement_kind kind) {
    static void (*const makers[])(cql_random *, cql_statement *) = {
        [CQL_STMT_SELECT] = random_select,
        [CQL_STMT_INSERT] = random_insert,
        [CQL_STMT_UPDATE] = random_update,
        [CQL_STMT_DELETE] = random_delete,
        [CQL_STMT_BATCH] = random_batch,
        [CQL_STMT_CREATE_KEYSPACE] = random_keyspace,
        [CQL_STMT_ALTER_KEYSPACE] = random_keyspace,
        [CQL_STMT_CREATE_TABLE] = random_create_table,
        [CQL_STMT_ALTER_TABLE] = random_alter_table,
        [CQL_STMT_ALTER_TYPE] = random_alter_type,
        [CQL_STMT_ALTER_VIEW] = random_alter_view,
        [CQL_STMT_CREATE_TYPE] = random_create_type,
        [CQL_STMT_CREATE_INDEX] = random_create_index,
        [CQL_STMT_CREATE_VIEW] = random_create_view,
        [CQL_STMT_CREATE_FUNCTION] = random_create_function,
        [CQL_STMT_CREATE_AGGREGATE] = random_create_aggregate,
        [CQL_STMT_CREATE_TRIGGER] = random_trigger,
        [CQL_STMT_DROP_TRIGGER] = random_trigger,
        [CQL_STMT_GRANT_PERMISSION] = random_permission,
        [CQL_STMT_REVOKE_PERMISSION] = random_permission,
        [CQL_STMT_LIST_PERMISSIONS] = random_permission,
        [CQL_STMT_DESCRIBE] = random_describe,
    };
    cql_statement *s = random_new(r, 1, sizeof *s);
    bool           role = kind >= CQL_STMT_CREATE_ROLE && kind <= CQL_STMT_DROP_IDENTITY;
    s->kind = kind;
    r->markers = 0;
    r->serial = 0;
    if (makers[kind])
        makers[kind](r, s);
    else if (role)
        random_role(r, s);
    else
        random_drop(r, s);
    s->marker_count = r->markers;
    return s;
}

#endif
