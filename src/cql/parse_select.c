// SPDX-License-Identifier: MIT
/* parse_select.c -- SELECT. The order of its clauses is fixed. */
#include "cql/parse.h"

/* ---- the selection ---- */

typedef struct selectors {
    cql_selector **items;
    uint32_t      *count;
} selectors;

static bool push_selector(cql_parser *p, void *context) {
    const selectors *all = context;
    cql_selector     selector = { 0 };
    if (!cql__parse_selector(p, &selector.expr)) return false;
    if (cql__accept(p, CQL_K_AS) && !cql__parse_name(p, CQL_NAME_PLAIN, &selector.alias)) {
        return false;
    }
    return CQL_PUSH(p, *all->items, *all->count, selector);
}

bool cql__parse_selectors(cql_parser *p, bool *all, cql_selector **items, uint32_t *count) {
    selectors list = { items, count };
    *all = cql__accept(p, CQL_T_STAR);
    return *all || cql__parse_items(p, CQL_T_COMMA, push_selector, &list);
}

/* JSON and DISTINCT are columns unless a selection follows. */
static bool accept_before_selection(cql_parser *p, cql_symbol word) {
    if (!cql__at(p, word)) return false;
    cql_symbol next = cql__peek(p, 1);
    switch (next) {
    case CQL_T_COMMA:
    case CQL_T_DOT:
    case CQL_T_PLUS:
    case CQL_T_SLASH:
    case CQL_T_PERCENT:
    case CQL_T_RPAREN:
    case CQL_K_FROM:
    case CQL_T_END: return false;
    case CQL_K_AS:
        if (cql__is_name(cql__peek(p, 2), CQL_NAME_PLAIN)) return false;
        break;
    default: break;
    }
    cql__advance(p);
    return true;
}

/* ---- clauses ---- */

typedef struct groups {
    cql_expr ***items;
    uint32_t   *count;
} groups;

static bool push_group(cql_parser *p, void *context) {
    const groups *all = context;
    cql_expr     *expr = NULL;
    return cql__parse_selector(p, &expr) && cql__push_expr(p, all->items, all->count, expr);
}

static bool push_order(cql_parser *p, void *context) {
    cql_select *select = context;
    cql_order   order = { 0 };
    if (!cql__parse_column(p, &order.column)) return false;
    if (cql__accept(p, CQL_K_ANN)) {
        if (!cql__expect(p, CQL_K_OF) || !cql__parse_expr(p, &order.ann_of)) return false;
    }
    order.descending = cql__accept(p, CQL_K_DESC);
    order.explicit_direction = order.descending || cql__accept(p, CQL_K_ASC);
    return CQL_PUSH(p, select->order_by, select->order_count, order);
}

static bool parse_group_by(cql_parser *p, cql_select *select) {
    groups all = { &select->group_by, &select->group_count };
    return cql__expect(p, CQL_K_BY) && cql__parse_items(p, CQL_T_COMMA, push_group, &all);
}

static bool parse_order_by(cql_parser *p, cql_select *select) {
    return cql__expect(p, CQL_K_BY) && cql__parse_items(p, CQL_T_COMMA, push_order, select);
}

static bool parse_where(cql_parser *p, cql_select *select) {
    return cql__parse_where(p, &select->where, &select->where_count);
}

static bool parse_per_partition_limit(cql_parser *p, cql_select *select) {
    return cql__expect(p, CQL_K_PARTITION) && cql__expect(p, CQL_K_LIMIT) &&
           cql__parse_int_value(p, &select->per_partition_limit);
}

static bool parse_limit(cql_parser *p, cql_select *select) {
    return cql__parse_int_value(p, &select->limit);
}

static bool parse_allow_filtering(cql_parser *p, cql_select *select) {
    select->allow_filtering = true;
    return cql__expect(p, CQL_K_FILTERING);
}

static const struct clause {
    cql_symbol word;
    bool (*parse)(cql_parser *p, cql_select *select);
} clauses[] = {
    { CQL_K_WHERE, parse_where },    { CQL_K_GROUP, parse_group_by },
    { CQL_K_ORDER, parse_order_by }, { CQL_K_PER, parse_per_partition_limit },
    { CQL_K_LIMIT, parse_limit },    { CQL_K_ALLOW, parse_allow_filtering },
};

enum { CLAUSES = sizeof clauses / sizeof clauses[0] };

static bool parse_clauses(cql_parser *p, cql_select *select) {
    for (size_t i = 0; i < CLAUSES; i++) {
        if (!cql__accept(p, clauses[i].word)) continue;
        if (!clauses[i].parse(p, select) && !cql__recover_clause(p)) return false;
    }
    return true;
}

bool cql__parse_select(cql_parser *p, cql_statement *s) {
    cql_select *select = &s->as.select;
    s->kind = CQL_STMT_SELECT;
    cql__advance(p);
    select->json = accept_before_selection(p, CQL_K_JSON);
    select->distinct = accept_before_selection(p, CQL_K_DISTINCT);
    bool good =
        cql__parse_selectors(p, &select->all, &select->selectors, &select->selector_count) &&
        cql__expect(p, CQL_K_FROM);
    if (!good) {
        if (!cql__recover_clause(p)) return false;
        cql__accept(p, CQL_K_FROM);
    }
    if (!cql__parse_ref(p, "table", &select->table) && !cql__recover_clause(p)) return false;
    cql_symbol words[CLAUSES];
    for (size_t i = 0; i < CLAUSES; i++) words[i] = clauses[i].word;
    do {
        if (!parse_clauses(p, select)) return false;
    } while (cql__clause_again(p, words, CLAUSES));
    return true;
}
