// SPDX-License-Identifier: MIT
/* read_rules.c -- rules of SELECT. */
#include "cli/lint/lint.h"

enum { LARGE_IN = 20, LARGE_LIMIT = 10000 };

static bool is_users(const cql_table *table) {
    return table && !table->is_virtual && !table->is_system;
}

static bool orders_by_ann(const cql_select *select) {
    for (uint32_t i = 0; i < select->order_count; i++)
        if (select->order_by[i].ann_of) return true;
    return false;
}

/* Whether rows are thrown away that no index kept from being read. */
static bool filters_rows(const cql_where *where) {
    for (uint32_t f = 0; f < where->filter_count; f++) {
        const cql_filter *filter = &where->filters[f];
        bool              answered = false;
        for (uint32_t i = 0; i < where->lookup_count; i++)
            answered =
                answered || where->lookups[i].filter == filter || where->lookups[i].also == filter;
        if (!answered) return true;
    }
    return false;
}

void lint__allow_filtering(lint_run *run, const lint_subject *s) {
    if (!s->select || !s->select->allow_filtering || !filters_rows(&s->select->where)) return;
    if (!is_users(s->table)) return;
    lint__report(run, s, lint__place_of(s, "ALLOW"),
                 "ALLOW FILTERING reads %s and throws rows away",
                 lint__has_partition(&s->select->where) ? "a whole partition" : "the whole table");
}

void lint__needless_allow_filtering(lint_run *run, const lint_subject *s) {
    if (!s->select || !s->select->allow_filtering || filters_rows(&s->select->where)) return;
    lint__report(run, s, lint__place_of(s, "ALLOW"), "nothing is filtered here");
}

static bool reads_all(const lint_subject *s) {
    if (!s->select || !is_users(s->table)) return false;
    const cql_where *where = &s->select->where;
    return !lint__has_partition(where) && !where->token.present && !lint__uses_index(where);
}

void lint__full_scan(lint_run *run, const lint_subject *s) {
    if (!reads_all(s) || s->select->aggregate_count || s->select->allow_filtering) return;
    if (s->select->limit || orders_by_ann(&s->tree->as.select)) return;
    lint__report(run, s, s->tree->place,
                 "the partition key of %.*s is not given: the whole table is read",
                 CHECK_STR(s->table->name));
}

void lint__aggregate_scan(lint_run *run, const lint_subject *s) {
    if (!reads_all(s) || !s->select->aggregate_count) return;
    lint__report(run, s, s->tree->place, "an aggregate over the whole of %.*s",
                 CHECK_STR(s->table->name));
}

void lint__select_star(lint_run *run, const lint_subject *s) {
    if (!s->select || !s->tree->as.select.all || !is_users(s->table)) return;
    lint__report(run, s, lint__place_of(s, "*"),
                 "all columns are read, also those that will be added");
}

/* ---- IN ---- */

static const cql_relation *relation_on(const cql_statement *tree, corm_str column) {
    const cql_relation *where = NULL;
    uint32_t            count = 0;
    if (tree->kind == CQL_STMT_SELECT)
        where = tree->as.select.where, count = tree->as.select.where_count;
    if (tree->kind == CQL_STMT_UPDATE)
        where = tree->as.update.where, count = tree->as.update.where_count;
    if (tree->kind == CQL_STMT_DELETE)
        where = tree->as.delete_.where, count = tree->as.delete_.where_count;
    for (uint32_t i = 0; i < count; i++)
        if (where[i].op == CQL_OP_IN && where[i].column_count &&
            corm_str_equal(where[i].columns[0].text, column))
            return &where[i];
    return NULL;
}

static const cql_where *where_of(const lint_subject *s) {
    return s->select ? &s->select->where : s->modify ? &s->modify->where : NULL;
}

void lint__partition_in(lint_run *run, const lint_subject *s) {
    const cql_where *where = where_of(s);
    for (uint32_t i = 0; where && i < where->partition_count; i++) {
        const cql_restriction *r = &where->partition[i];
        corm_str               name = s->table->columns[r->first].name;
        const cql_relation    *relation = relation_on(s->tree, name);
        if (r->kind != CQL_RESTRICT_IN || (!r->in_list && r->value_count < 2)) continue;
        lint__report(run, s, relation ? relation->place : s->tree->place,
                     "IN on the partition key %.*s: one node gathers many partitions",
                     CHECK_STR(name));
        return;
    }
}

static void check_in(lint_run *run, const lint_subject *s, const cql_restriction *list,
                     uint32_t count, uint32_t offset) {
    for (uint32_t i = 0; i < count; i++) {
        corm_str            name = s->table->columns[offset + list[i].first].name;
        const cql_relation *relation = relation_on(s->tree, name);
        if (list[i].kind != CQL_RESTRICT_IN || list[i].value_count <= LARGE_IN) continue;
        lint__report(run, s, relation ? relation->place : s->tree->place,
                     "%u values in one IN (%d are fine)", list[i].value_count, LARGE_IN);
    }
}

void lint__large_in(lint_run *run, const lint_subject *s) {
    const cql_where *where = where_of(s);
    if (!where) return;
    check_in(run, s, where->partition, where->partition_count, 0);
    check_in(run, s, where->clustering, where->clustering_count, s->table->partition_count);
}

/* ---- LIMIT and ORDER BY ---- */

void lint__large_limit(lint_run *run, const lint_subject *s) {
    if (!s->select) return;
    int64_t limit = lint__number(s->tree->as.select.limit);
    if (limit > LARGE_LIMIT)
        lint__report(run, s, s->tree->as.select.limit->place, "LIMIT %lld", (long long)limit);
}

static bool is_open_slice(const cql_where *where) {
    for (uint32_t i = 0; i < where->clustering_count; i++) {
        const cql_restriction *r = &where->clustering[i];
        if (r->kind == CQL_RESTRICT_SLICE && (!r->lower || !r->upper)) return true;
    }
    return false;
}

void lint__slice_without_limit(lint_run *run, const lint_subject *s) {
    if (!s->select || s->select->limit || s->select->aggregate_count) return;
    if (!lint__has_partition(&s->select->where) || !is_open_slice(&s->select->where)) return;
    lint__report(run, s, lint__place_of(s, "WHERE"), "a range with one open end and no LIMIT");
}

void lint__order_without_limit(lint_run *run, const lint_subject *s) {
    if (!s->select || s->select->limit || !s->tree->as.select.order_count) return;
    if (orders_by_ann(&s->tree->as.select)) return;
    lint__report(run, s, lint__place_of(s, "ORDER"), "ORDER BY without LIMIT");
}

void lint__token_order(lint_run *run, const lint_subject *s) {
    if (!s->select || !s->select->where.token.present || s->select->where.token.lower) return;
    if (!s->select->limit) return;
    lint__report(run, s, lint__place_of(s, "token"),
                 "rows come by rising token, this asks for the first ones each time");
}
