// SPDX-License-Identifier: MIT
/* index_rules.c -- rules of indexes and views. */
#include "cli/lint/lint.h"

#include "base/text.h"

/* The column of an index that the statement makes; NULL when it makes none. */
static const cql_column *indexed(const lint_subject *s) {
    if (s->tree->kind != CQL_STMT_CREATE_INDEX || !s->table ||
        s->tree->as.create_index.target_count != 1)
        return NULL;
    return cql__table_column(s->table, s->tree->as.create_index.columns[0].text);
}

static bool has_class(const lint_subject *s, const char *name) {
    corm_str class_name = s->tree->as.create_index.using_class;
    corm_str wanted = corm_str_of(name);
    if (!class_name.data || class_name.len < wanted.len) return false;
    corm_str end = { class_name.data + class_name.len - wanted.len, wanted.len };
    return base__str_equal_nocase(end, wanted);
}

static bool is_sai(const lint_subject *s) {
    return has_class(s, "sai") || has_class(s, "StorageAttachedIndex");
}

void lint__index_few_values(lint_run *run, const lint_subject *s) {
    const cql_column *column = indexed(s);
    if (!column || s->tree->as.create_index.targets[0] != CQL_TARGET_COLUMN) return;
    if (column->type->id == CQL_BOOLEAN || lint__names_few(column->name))
        lint__report(run, s, s->tree->as.create_index.columns[0].place,
                     "%.*s has few values: each stands for a large part of the table",
                     CHECK_STR(column->name));
}

void lint__index_unique_values(lint_run *run, const lint_subject *s) {
    const cql_column *column = indexed(s);
    if (!column || is_sai(s) || s->tree->as.create_index.targets[0] != CQL_TARGET_COLUMN) return;
    bool unique = column->type->id == CQL_UUID || column->type->id == CQL_TIMEUUID ||
                  lint__names_unique(column->name);
    if (unique && column->kind != CQL_PARTITION_KEY && column->kind != CQL_CLUSTERING)
        lint__report(run, s, s->tree->as.create_index.columns[0].place,
                     "%.*s has another value in almost every row", CHECK_STR(column->name));
}

void lint__legacy_index(lint_run *run, const lint_subject *s) {
    if (s->tree->kind != CQL_STMT_CREATE_INDEX || is_sai(s) || has_class(s, "SASIIndex")) return;
    if (!s->tree->as.create_index.custom)
        lint__report(run, s, s->tree->place, "an index of the old kind");
}

void lint__sasi_index(lint_run *run, const lint_subject *s) {
    if (s->tree->kind == CQL_STMT_CREATE_INDEX && has_class(s, "SASIIndex"))
        lint__report(run, s, lint__place_of(s, "USING"), "SASI is experimental and left behind");
}

void lint__materialized_view(lint_run *run, const lint_subject *s) {
    if (s->tree->kind == CQL_STMT_CREATE_VIEW)
        lint__report(run, s, s->tree->place, "a materialized view");
}
