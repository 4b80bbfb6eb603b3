// SPDX-License-Identifier: MIT
/* write_rules.c -- rules of INSERT, UPDATE and DELETE. */
#include "base/text.h"
#include "cli/check/walk.h"
#include "cli/lint/lint.h"
#include "cql/functions.h"

/* ---- null ---- */

void lint__null_write(lint_run *run, const lint_subject *s) {
    if (!s->modify || s->tree->kind != CQL_STMT_INSERT) return;
    const cql_insert *insert = &s->tree->as.insert;
    for (uint32_t i = 0; i < insert->value_count && i < insert->count; i++)
        if (insert->values[i]->kind == CQL_EXPR_NULL)
            lint__report(run, s, insert->values[i]->place,
                         "null in INSERT writes a tombstone for %.*s",
                         CHECK_STR(insert->columns[i].text));
}

void lint__json_nulls(lint_run *run, const lint_subject *s) {
    if (!s->modify || !s->modify->json || s->modify->json_default_unset) return;
    lint__report(run, s, lint__place_of(s, "JSON"),
                 "columns that the JSON does not name are deleted");
}

/* ---- lists and counters ---- */

static cql_place change_place(const lint_subject *s, uint32_t i) {
    bool changes = s->tree->kind == CQL_STMT_UPDATE || s->tree->kind == CQL_STMT_DELETE;
    if (changes && i < s->tree->as.update.change_count) return s->tree->as.update.changes[i].place;
    return s->tree->place;
}

void lint__list_append(lint_run *run, const lint_subject *s) {
    for (uint32_t i = 0; s->modify && i < s->modify->assign_count; i++) {
        const cql_assign *a = &s->modify->assigns[i];
        if (a->kind != CQL_ASSIGN_ADD && a->kind != CQL_ASSIGN_PREPEND) continue;
        if (a->column->type->id != CQL_LIST) continue;
        lint__report(run, s, change_place(s, i), "a retry adds to the list %.*s twice",
                     CHECK_STR(a->column->name));
    }
}

void lint__list_element(lint_run *run, const lint_subject *s) {
    for (uint32_t i = 0; s->modify && i < s->modify->assign_count; i++) {
        const cql_assign *a = &s->modify->assigns[i];
        bool reads = a->kind == CQL_ASSIGN_SET_ELEMENT || a->kind == CQL_ASSIGN_DELETE_ELEMENT ||
                     a->kind == CQL_ASSIGN_SUBTRACT;
        if (!reads || a->column->type->id != CQL_LIST) continue;
        lint__report(run, s, change_place(s, i), "the list %.*s is read before it is written",
                     CHECK_STR(a->column->name));
    }
}

void lint__counter_retry(lint_run *run, const lint_subject *s) {
    if (!s->modify || !s->modify->is_counter || s->modify->kind != CQL_MODIFY_UPDATE) return;
    lint__report(run, s, s->tree->place, "a retry may count twice");
}

void lint__counter_delete(lint_run *run, const lint_subject *s) {
    if (!s->modify || s->modify->kind != CQL_MODIFY_DELETE || !s->table->is_counter) return;
    lint__report(run, s, s->tree->place, "a deleted counter of %.*s must not be used again",
                 CHECK_STR(s->table->name));
}

/* ---- conditions ---- */

void lint__needless_if_exists(lint_run *run, const lint_subject *s) {
    if (!s->modify || s->modify->kind != CQL_MODIFY_DELETE || !s->modify->if_exists) return;
    lint__report(run, s, lint__place_of(s, "IF"),
                 "DELETE … IF EXISTS is a lightweight transaction");
}

static bool has_lwt(const lint_run *run, const cql_table *table) {
    for (uint32_t i = 0; i < run->conditional_count; i++)
        if (lint__same_table(run->conditional[i], table)) return true;
    return false;
}

void lint__mixed_lwt(lint_run *run, const lint_subject *s) {
    if (!s->modify || s->modify->is_conditional || s->table->is_counter) return;
    if (s->within && s->within->batch->is_conditional) return;
    if (has_lwt(run, s->table))
        lint__report(run, s, s->tree->place,
                     "%.*s is written without a condition here and with one elsewhere",
                     CHECK_STR(s->table->name));
}

void lint__timestamp_beside_lwt(lint_run *run, const lint_subject *s) {
    bool batch_has = s->within && s->within->batch->timestamp;
    if (!s->modify || s->modify->is_conditional || (!s->modify->timestamp && !batch_has)) return;
    if (has_lwt(run, s->table))
        lint__report(run, s, lint__place_of(s, "TIMESTAMP"),
                     "a timestamp of one's own on %.*s, which is written with conditions too",
                     CHECK_STR(s->table->name));
}

/* ---- times ---- */

static const cql_expr *timestamp_of(const lint_subject *s) {
    switch (s->tree->kind) {
    case CQL_STMT_INSERT: return s->tree->as.insert.using.timestamp;
    case CQL_STMT_UPDATE:
    case CQL_STMT_DELETE: return s->tree->as.update.using.timestamp;
    case CQL_STMT_BATCH: return s->tree->as.batch.using.timestamp;
    default: return NULL;
    }
}

/* Milliseconds of 1973 to 2100 are microseconds of 1970. */
void lint__timestamp_unit(lint_run *run, const lint_subject *s) {
    const cql_expr *expr = timestamp_of(s);
    int64_t         number = lint__number(expr);
    if (number < 100000000 || number >= 100000000000000) return;
    lint__report(run, s, expr->place, "%lld microseconds are in 1970 to 1973", (long long)number);
}

typedef struct impure {
    lint_run           *run;
    const lint_subject *s;
    const char         *where;
} impure;

static void visit_call(void *context, const cql_expr *expr) {
    static const char *const names[] = { "now",
                                         "uuid",
                                         "current_timestamp",
                                         "current_date",
                                         "current_time",
                                         "current_timeuuid",
                                         "currenttimestamp",
                                         "currentdate",
                                         "currenttime",
                                         "currenttimeuuid" };
    const impure            *in = context;
    if (expr->kind != CQL_EXPR_CALL) return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (base__str_equal_nocase(expr->name.name.text, corm_str_of(names[i])))
            lint__report(in->run, in->s, expr->place, "%s() gives another value each time, %s",
                         names[i], in->where);
}

void lint__nondeterministic(lint_run *run, const lint_subject *s) {
    impure in = { run, s, "in a lightweight transaction" };
    if (s->batch || (s->modify && s->modify->is_conditional && !s->within)) {
        if (s->batch) in.where = "also for each statement of the batch";
        check__walk(s->tree, visit_call, &in);
    }
}

/* ---- deletions ---- */

/* Whether rows come by this column from the lowest value on. Of newest messages or highest scores, some are deleted without a queue. */
static bool comes_upwards(const cql_checked_select *select, const cql_column *column) {
    return column->descending == select->reversed;
}

/* Whether it takes the first rows of a partition. */
static bool reads_head(const lint_subject *s, const cql_table *table) {
    if (!s->select || !s->select->limit) return false;
    if (!corm_str_equal(s->table->name, table->name) ||
        !corm_str_equal(s->table->keyspace, table->keyspace))
        return false;
    const cql_where *where = &s->select->where;
    if (!lint__has_partition(where)) return false;
    for (uint32_t i = 0; i < where->clustering_count; i++)
        if (where->clustering[i].kind == CQL_RESTRICT_SLICE && where->clustering[i].lower)
            return false;
    if (where->clustering_count >= table->clustering_count) return false;
    return comes_upwards(s->select,
                         &table->columns[table->partition_count + where->clustering_count]);
}

void lint__queue(lint_run *run, const lint_subject *s) {
    if (!s->modify || !s->modify->deletes_rows || !s->table->clustering_count) return;
    if (!s->modify->where.clustering_count) return;
    for (uint32_t i = 0; i < run->subject_count; i++) {
        if (!reads_head(&run->subjects[i], s->table)) continue;
        lint__report(run, s, s->tree->place,
                     "%.*s is used as a queue: rows are read from the head and deleted there",
                     CHECK_STR(s->table->name));
        return;
    }
}

void lint__range_deletion(lint_run *run, const lint_subject *s) {
    if (!s->modify || !s->modify->deletes_rows) return;
    const cql_where *where = &s->modify->where;
    for (uint32_t i = 0; i < where->clustering_count; i++)
        if (where->clustering[i].kind == CQL_RESTRICT_SLICE)
            lint__report(run, s, s->tree->place, "a range of rows is deleted");
}
