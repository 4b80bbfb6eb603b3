// SPDX-License-Identifier: MIT
/* walk.c -- every expression of a statement. The depth is bounded by the parser's CQL_MAX_DEPTH. */
#include "cli/check/walk.h"

typedef struct walk {
    check_visit *visit;
    void        *context;
} walk;

static void one(const walk *w, const cql_expr *expr) {
    if (!expr) return;
    w->visit(w->context, expr);
    for (uint32_t i = 0; i < expr->count; i++) one(w, expr->args[i]);
}

static void all(const walk *w, cql_expr *const *exprs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) one(w, exprs[i]);
}

static void relations(const walk *w, const cql_relation *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        one(w, list[i].key);
        all(w, list[i].terms, list[i].term_count);
    }
}

static void using(const walk *w, const cql_using *clause) {
    one(w, clause->timestamp);
    one(w, clause->ttl);
}

static void select(const walk *w, const cql_select *s) {
    for (uint32_t i = 0; i < s->selector_count; i++) one(w, s->selectors[i].expr);
    relations(w, s->where, s->where_count);
    all(w, s->group_by, s->group_count);
    for (uint32_t i = 0; i < s->order_count; i++) one(w, s->order_by[i].ann_of);
    one(w, s->per_partition_limit);
    one(w, s->limit);
}

static void insert(const walk *w, const cql_insert *s) {
    all(w, s->values, s->value_count);
    one(w, s->json);
    using(w, &s->using);
}

static void change(const walk *w, const cql_update *s) {
    using(w, &s->using);
    for (uint32_t i = 0; i < s->change_count; i++) {
        one(w, s->changes[i].key);
        one(w, s->changes[i].value);
    }
    relations(w, s->where, s->where_count);
    for (uint32_t i = 0; i < s->condition_count; i++) {
        one(w, s->conditions[i].element);
        all(w, s->conditions[i].terms, s->conditions[i].term_count);
    }
}

void check__walk(const cql_statement *tree, check_visit *visit, void *context) {
    walk w = { visit, context };
    switch (tree->kind) {
    case CQL_STMT_SELECT: select(&w, &tree->as.select); break;
    case CQL_STMT_INSERT: insert(&w, &tree->as.insert); break;
    case CQL_STMT_UPDATE: change(&w, &tree->as.update); break;
    case CQL_STMT_DELETE: change(&w, &tree->as.delete_); break;
    case CQL_STMT_BATCH:
        using(&w, &tree->as.batch.using);
        for (uint32_t i = 0; i < tree->as.batch.count; i++)
            check__walk(tree->as.batch.statements[i], visit, context);
        break;
    default: break;
    }
}
