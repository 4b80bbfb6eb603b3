// SPDX-License-Identifier: MIT
/* parse_where.c -- the clauses that several statements share: WHERE, IF, USING and WITH. */
#include "base/text.h"
#include "cql/parse.h"

/* ---- operators and what stands on their right ---- */

static bool comparison(cql_symbol symbol, cql_operator *out) {
    static const struct {
        cql_symbol   symbol;
        cql_operator op;
    } table[] = {
        { CQL_T_EQ, CQL_OP_EQ },   { CQL_T_NEQ, CQL_OP_NEQ }, { CQL_T_LT, CQL_OP_LT },
        { CQL_T_LTE, CQL_OP_LTE }, { CQL_T_GT, CQL_OP_GT },   { CQL_T_GTE, CQL_OP_GTE },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].symbol != symbol) continue;
        *out = table[i].op;
        return true;
    }
    return false;
}

/* The operator of a comparison, which must stand here. */
static bool parse_comparison(cql_parser *p, cql_operator *out) {
    if (!comparison(cql__peek(p, 0), out)) return cql__no_viable(p, 0);
    cql__advance(p);
    return true;
}

typedef struct terms { /* the right side of a relation or a condition */
    cql_expr ***items;
    uint32_t   *count;
    bool (*parse)(cql_parser *p, cql_expr **out);
} terms;

static bool parse_term(cql_parser *p, void *context) {
    const terms *all = context;
    cql_expr    *term = NULL;
    return all->parse(p, &term) && cql__push_expr(p, all->items, all->count, term);
}

/* Behind IN: a marker, or terms in brackets. */
static bool parse_in(cql_parser *p, cql_expr ***items, uint32_t *count, bool *in_marker) {
    terms all = { items, count, cql__parse_expr };
    *in_marker = cql__at_marker(p);
    if (*in_marker) {
        all.parse = cql__parse_marker;
        return parse_term(p, &all);
    }
    return cql__parse_enclosed_or_none(p, parse_term, &all);
}

/* ---- WHERE ---- */

static bool parse_relation(cql_parser *p, cql_relation *out);

static bool parse_right(cql_parser *p, cql_relation *out) {
    terms all = { &out->terms, &out->term_count, cql__parse_expr };
    return parse_term(p, &all);
}

static bool parse_compared(cql_parser *p, cql_relation *out) {
    return parse_comparison(p, &out->op) && parse_right(p, out);
}

static bool push_column(cql_parser *p, void *context) {
    cql_relation *out = context;
    cql_name      name = { 0 };
    return cql__parse_column(p, &name) &&
           cql__push_name(p, &out->columns, &out->column_count, name);
}

static bool parse_element(cql_parser *p, cql_relation *out) {
    out->kind = CQL_REL_ELEMENT;
    return cql__parse_expr(p, &out->key) && cql__expect(p, CQL_T_RBRACKET) &&
           parse_compared(p, out);
}

static bool parse_is_not_null(cql_parser *p, cql_relation *out) {
    out->op = CQL_OP_IS_NOT_NULL;
    return cql__expect(p, CQL_K_NOT) && cql__expect(p, CQL_K_NULL);
}

/* column … */
static bool parse_column_relation(cql_parser *p, cql_relation *out) {
    out->kind = CQL_REL_COLUMN;
    if (!push_column(p, out)) return false;
    if (comparison(cql__peek(p, 0), &out->op)) return parse_compared(p, out);
    if (cql__accept(p, CQL_T_LBRACKET)) return parse_element(p, out);
    if (cql__accept(p, CQL_K_IS)) return parse_is_not_null(p, out);
    if (cql__accept(p, CQL_K_IN)) {
        out->op = CQL_OP_IN;
        return parse_in(p, &out->terms, &out->term_count, &out->in_marker);
    }
    if (cql__accept(p, CQL_K_LIKE)) {
        out->op = CQL_OP_LIKE;
        return parse_right(p, out);
    }
    if (!cql__accept(p, CQL_K_CONTAINS)) return cql__no_viable(p, 0);
    out->op = cql__accept(p, CQL_K_KEY) ? CQL_OP_CONTAINS_KEY : CQL_OP_CONTAINS;
    return parse_right(p, out);
}

/* TOKEN (columns) op term */
static bool parse_token_relation(cql_parser *p, cql_relation *out) {
    out->kind = CQL_REL_TOKEN;
    cql__advance(p);
    return cql__parse_enclosed(p, push_column, out) && parse_compared(p, out);
}

/* (columns) op tuple | marker, (columns) IN … */
static bool parse_multi_relation(cql_parser *p, cql_relation *out) {
    terms all = { &out->terms, &out->term_count, cql__parse_tuple };
    out->kind = CQL_REL_MULTI;
    if (!cql__parse_enclosed(p, push_column, out)) return false;
    bool in = cql__accept(p, CQL_K_IN);
    if (in) out->op = CQL_OP_IN;
    if (!in && !parse_comparison(p, &out->op)) return false;
    if (cql__at_marker(p)) {
        all.parse = cql__parse_marker;
        out->in_marker = in;
        return parse_term(p, &all);
    }
    if (!in) return parse_term(p, &all);
    cql_symbol inner = cql__peek(p, 1);
    if (inner == CQL_T_QMARK || inner == CQL_T_COLON) all.parse = cql__parse_marker;
    return cql__parse_enclosed_or_none(p, parse_term, &all);
}

/* expr(index, term) */
static bool parse_expr_relation(cql_parser *p, cql_relation *out) {
    cql_name name = { 0 };
    out->kind = CQL_REL_EXPR;
    cql__advance(p);
    return cql__parse_named(p, "index", CQL_NAME_PLAIN, &name) &&
           cql__push_name(p, &out->columns, &out->column_count, name) &&
           cql__expect(p, CQL_T_COMMA) && parse_right(p, out) && cql__expect(p, CQL_T_RPAREN);
}

static bool parse_relation_in_brackets(cql_parser *p, cql_relation *out) {
    if (!cql__enter(p)) return false;
    cql__advance(p);
    if (!parse_relation(p, out) || !cql__expect(p, CQL_T_RPAREN)) return false;
    cql__leave(p);
    return true;
}

static bool parse_relation(cql_parser *p, cql_relation *out) {
    out->place = cql__place(p);
    if (cql__at(p, CQL_K_TOKEN)) return parse_token_relation(p, out);
    if (!cql__at(p, CQL_T_LPAREN)) return parse_column_relation(p, out);
    cql_symbol behind = cql__peek(p, 2);
    bool       columns = cql__is_name(cql__peek(p, 1), CQL_NAME_EMPTY) &&
                   (behind == CQL_T_COMMA || behind == CQL_T_RPAREN);
    return columns ? parse_multi_relation(p, out) : parse_relation_in_brackets(p, out);
}

typedef struct relations {
    cql_relation **items;
    uint32_t      *count;
} relations;

static bool push_relation(cql_parser *p, void *context) {
    const relations *all = context;
    cql_relation     relation = { 0 };
    bool             good =
        cql__at(p, CQL_T_EXPR) ? parse_expr_relation(p, &relation) : parse_relation(p, &relation);
    return good && CQL_PUSH(p, *all->items, *all->count, relation);
}

bool cql__parse_where(cql_parser *p, cql_relation **items, uint32_t *count) {
    relations all = { items, count };
    return cql__parse_items(p, CQL_K_AND, push_relation, &all);
}

/* ---- IF ---- */

bool cql__is_condition_operator(cql_symbol symbol) {
    cql_operator op;
    return comparison(symbol, &op) || symbol == CQL_K_IN || symbol == CQL_K_CONTAINS ||
           symbol == CQL_T_LBRACKET || symbol == CQL_T_DOT;
}

static bool parse_condition_right(cql_parser *p, cql_condition *out) {
    terms all = { &out->terms, &out->term_count, cql__parse_expr };
    return parse_term(p, &all);
}

/* op term | IN … */
static bool parse_condition_test(cql_parser *p, cql_condition *out) {
    if (cql__accept(p, CQL_K_IN)) {
        out->op = CQL_OP_IN;
        return parse_in(p, &out->terms, &out->term_count, &out->in_marker);
    }
    return parse_comparison(p, &out->op) && parse_condition_right(p, out);
}

static bool parse_condition(cql_parser *p, cql_condition *out) {
    out->place = cql__place(p);
    if (!cql__parse_column(p, &out->column)) return false;
    if (cql__accept(p, CQL_T_LBRACKET)) {
        return cql__parse_expr(p, &out->element) && cql__expect(p, CQL_T_RBRACKET) &&
               parse_condition_test(p, out);
    }
    if (cql__accept(p, CQL_T_DOT)) {
        return cql__parse_name(p, CQL_NAME_PLAIN, &out->field) && parse_condition_test(p, out);
    }
    if (!cql__accept(p, CQL_K_CONTAINS)) return parse_condition_test(p, out);
    out->op = cql__accept(p, CQL_K_KEY) ? CQL_OP_CONTAINS_KEY : CQL_OP_CONTAINS;
    return parse_condition_right(p, out);
}

typedef struct conditions {
    cql_condition **items;
    uint32_t       *count;
} conditions;

static bool push_condition(cql_parser *p, void *context) {
    const conditions *all = context;
    cql_condition     condition = { 0 };
    return parse_condition(p, &condition) && CQL_PUSH(p, *all->items, *all->count, condition);
}

bool cql__parse_conditions(cql_parser *p, cql_condition **items, uint32_t *count) {
    conditions all = { items, count };
    return cql__parse_items(p, CQL_K_AND, push_condition, &all);
}

/* ---- USING ---- */

/* Of two the last counts, as in the server; but a marker cannot be forgotten. */
static bool parse_objective_value(cql_parser *p, cql_expr **out) {
    if (*out && (*out)->kind == CQL_EXPR_MARKER) {
        CQL_REFUSE(p, cql__place(p), "USING names the same thing twice");
    }
    return cql__parse_int_value(p, out);
}

static bool parse_objective(cql_parser *p, void *context) {
    cql_using *out = context;
    if (cql__accept(p, CQL_K_TIMESTAMP)) return parse_objective_value(p, &out->timestamp);
    if (cql__accept(p, CQL_K_TTL)) return parse_objective_value(p, &out->ttl);
    return cql__no_viable(p, 0);
}

bool cql__parse_using(cql_parser *p, cql_using *out) {
    if (!cql__accept(p, CQL_K_USING)) return true;
    return cql__parse_items(p, CQL_K_AND, parse_objective, out);
}

bool cql__parse_using_timestamp(cql_parser *p, cql_using *out) {
    if (!cql__accept(p, CQL_K_USING)) return true;
    return cql__expect(p, CQL_K_TIMESTAMP) && cql__parse_int_value(p, &out->timestamp);
}

/* ---- WITH ---- */

enum { MOST_COMPARED = 256 }; /* duplicates are looked for among so many */

static bool is_literal(const cql_expr *expr) {
    return expr->kind >= CQL_EXPR_STRING && expr->kind <= CQL_EXPR_DURATION && !expr->parens;
}

static bool refuse_entry(cql_parser *p, const char *what, const cql_expr *expr,
                         const cql_expr *key) {
    base_buf text = { 0 };
    cql__print_expr(expr, &text);
    if (key) {
        base__buf_puts(&text, " for property: ");
        cql__print_expr(key, &text);
    }
    if (expr->kind == CQL_EXPR_MARKER) {
        base__buf_puts(&text, " (bind variables are not supported in DDL queries)");
    }
    CQL_REFUSE(p, expr->place, "Invalid property %s: %.*s", what, (int)text.len,
               (const char *)text.data);
    if (text.failed) cql__out_of_memory(p);
    base__buf_free(&text);
    return !p->no_memory;
}

/* The map of an option holds constants only, and each key once. */
bool cql__check_property_map(cql_parser *p, const cql_expr *map) {
    uint32_t most = map->count < 2 * MOST_COMPARED ? map->count : 2 * MOST_COMPARED;
    for (uint32_t i = 0; i + 1 < map->count; i += 2) {
        const cql_expr *key = map->args[i], *value = map->args[i + 1];
        if (!is_literal(key)) return refuse_entry(p, "name", key, NULL);
        if (!is_literal(value)) return refuse_entry(p, "value", value, key);
    }
    for (uint32_t i = 0; i < most; i += 2) {
        for (uint32_t j = 0; j < i; j += 2) {
            const cql_expr *key = map->args[i];
            if (!corm_str_equal(key->text, map->args[j]->text)) continue;
            CQL_REFUSE(p, key->place, "Multiple definition for property %.*s", (int)key->text.len,
                       key->text.data);
            return !p->no_memory;
        }
    }
    return true;
}

/* A keyword that is no reserved one may be a value: its text as written. */
static bool parse_bare_value(cql_parser *p, cql_property *out) {
    if (!(cql__word_class(cql__peek(p, 0)) & CQL_WORD_NAME)) return cql__no_viable(p, 0);
    out->is_name = true;
    out->value = cql__new_expr(p, CQL_EXPR_STRING);
    if (!out->value) return false;
    out->value->text = cql__token_text(p, cql__peek_token(p, 0));
    cql__advance(p);
    return true;
}

static bool parse_property_value(cql_parser *p, cql_property *out) {
    if (cql__at(p, CQL_T_LBRACE)) {
        return cql__parse_map(p, &out->value) &&
               (p->failed || cql__check_property_map(p, out->value));
    }
    if (cql__at_constant(p)) return cql__parse_constant(p, &out->value);
    return parse_bare_value(p, out);
}

bool cql__parse_property(cql_parser *p, cql_property **properties, uint32_t *count) {
    cql_property property = { 0 };
    if (!cql__parse_name(p, CQL_NAME_PLAIN, &property.name)) return false;
    if (!cql__accept(p, CQL_T_EQ)) return cql__no_viable(p, 0);
    if (!parse_property_value(p, &property)) return false;
    corm_str name = property.name.text;
    for (uint32_t i = 0; i < *count && i < MOST_COMPARED; i++) {
        if (!corm_str_equal((*properties)[i].name.text, name)) continue;
        CQL_REFUSE(p, property.name.place, "Multiple definitions for property '%.*s'",
                   (int)name.len, name.data);
        break;
    }
    return CQL_PUSH(p, *properties, *count, property);
}

typedef struct property_list {
    cql_property **items;
    uint32_t      *count;
} property_list;

static bool push_property(cql_parser *p, void *context) {
    const property_list *all = context;
    return cql__parse_property(p, all->items, all->count);
}

bool cql__parse_properties(cql_parser *p, cql_property **properties, uint32_t *count) {
    property_list all = { properties, count };
    return cql__parse_items(p, CQL_K_AND, push_property, &all);
}
