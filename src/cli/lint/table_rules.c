// SPDX-License-Identifier: MIT
/* table_rules.c -- rules of keyspaces, tables and types. Much here is a guess by names and types: `-- corm: allow` is
 * for tables that are known better. */
#include "base/text.h"
#include "cli/lint/lint.h"

static const cql_table *made(const lint_subject *s) {
    return s->tree->kind == CQL_STMT_CREATE_TABLE ? s->table : NULL;
}

/* Where the statement declares the column. */
static cql_place declared(const lint_subject *s, corm_str name) {
    const cql_column_def *columns = NULL;
    uint32_t              count = 0;
    if (s->tree->kind == CQL_STMT_CREATE_TABLE)
        columns = s->tree->as.create_table.columns, count = s->tree->as.create_table.column_count;
    if (s->tree->kind == CQL_STMT_ALTER_TABLE && s->tree->as.alter_table.kind == CQL_ALTER_ADD)
        columns = s->tree->as.alter_table.columns, count = s->tree->as.alter_table.column_count;
    for (uint32_t i = 0; i < count; i++)
        if (corm_str_equal(columns[i].name.text, name)) return columns[i].name.place;
    return (cql_place){ 0 };
}

static bool is_new(const lint_subject *s, const cql_column *column) {
    return s->table && declared(s, column->name).line > 0;
}

/* ---- partitions ---- */

void lint__unbounded_partition(lint_run *run, const lint_subject *s) {
    const cql_table *t = made(s);
    if (!t || !t->clustering_count || t->options.default_time_to_live > 0) return;
    const cql_column *first = &t->columns[t->partition_count];
    if (!lint__is_time(first->type)) return;
    if (first->type->id == CQL_DATE && t->clustering_count == 1) return; /* a row a day */
    for (uint32_t i = 0; i < t->partition_count; i++) {
        const cql_column *key = &t->columns[i];
        if (lint__names_bucket(key->name) || key->type->id == CQL_DATE ||
            key->type->id == CQL_TIMESTAMP)
            return;
    }
    lint__report(run, s, declared(s, first->name),
                 "partitions of %.*s grow with %.*s and never end", CHECK_STR(t->name),
                 CHECK_STR(first->name));
}

void lint__time_partition(lint_run *run, const lint_subject *s) {
    const cql_table *t = made(s);
    if (!t || t->partition_count != 1) return;
    cql_type_id id = t->columns[0].type->id;
    if (id != CQL_TIMESTAMP && id != CQL_DATE && id != CQL_TIME) return;
    lint__report(run, s, declared(s, t->columns[0].name),
                 "the partition key of %.*s is a time alone", CHECK_STR(t->name));
}

void lint__few_partitions(lint_run *run, const lint_subject *s) {
    const cql_table *t = made(s);
    if (!t || t->partition_count != 1 || !t->clustering_count) return;
    const cql_column *key = &t->columns[0];
    bool              few =
        key->type->id == CQL_BOOLEAN || key->type->id == CQL_TINYINT || lint__names_few(key->name);
    if (few)
        lint__report(run, s, declared(s, key->name),
                     "%.*s has few values: few partitions hold all rows", CHECK_STR(key->name));
}

/* ---- columns ---- */

void lint__open_collection(lint_run *run, const lint_subject *s) {
    for (uint32_t i = 0; s->table && i < s->table->column_count; i++) {
        const cql_column *column = &s->table->columns[i];
        bool              open = cql__type_is_collection(column->type) && !column->type->frozen &&
                    column->type->id != CQL_LIST;
        if (open && is_new(s, column))
            lint__report(run, s, declared(s, column->name),
                         "nothing bounds the collection %.*s, which is read as a whole",
                         CHECK_STR(column->name));
    }
}

void lint__list_column(lint_run *run, const lint_subject *s) {
    for (uint32_t i = 0; s->table && i < s->table->column_count; i++) {
        const cql_column *column = &s->table->columns[i];
        if (column->type->id == CQL_LIST && !column->type->frozen && is_new(s, column))
            lint__report(run, s, declared(s, column->name), "%.*s is a list",
                         CHECK_STR(column->name));
    }
}

void lint__uuid_as_text(lint_run *run, const lint_subject *s) {
    static const char *const words[] = { "uuid", "guid", NULL };
    for (uint32_t i = 0; s->table && i < s->table->column_count; i++) {
        const cql_column *column = &s->table->columns[i];
        bool              is_text = column->type->id == CQL_TEXT || column->type->id == CQL_ASCII;
        if (is_text && lint__has_word(column->name, words) && is_new(s, column))
            lint__report(run, s, declared(s, column->name), "%.*s is a text, by its name a uuid",
                         CHECK_STR(column->name));
    }
}

static bool has_upper(corm_str name) {
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= 'A' && name.data[i] <= 'Z') return true;
    return false;
}

void lint__quoted_name(lint_run *run, const lint_subject *s) {
    if (s->table && made(s) && has_upper(s->table->name))
        lint__report(run, s, s->tree->as.create_table.table.name.place,
                     "\"%.*s\" must be quoted everywhere", CHECK_STR(s->table->name));
    for (uint32_t i = 0; s->table && i < s->table->column_count; i++)
        if (has_upper(s->table->columns[i].name) && is_new(s, &s->table->columns[i]))
            lint__report(run, s, declared(s, s->table->columns[i].name),
                         "\"%.*s\" must be quoted everywhere",
                         CHECK_STR(s->table->columns[i].name));
}

/* ---- options ---- */

static bool has_class(const cql_map_option *map, const char *name) {
    for (uint32_t i = 0; i < map->count; i++)
        if (corm_str_equal(map->pairs[2 * i], corm_str_of("class")))
            return lint__has_suffix(map->pairs[2 * i + 1], name);
    return false;
}

void lint__ttl_tombstones(lint_run *run, const lint_subject *s) {
    const cql_table *t = made(s);
    if (!t || t->options.default_time_to_live <= 0) return;
    if (t->options.gc_grace_seconds < t->options.default_time_to_live) return;
    if (has_class(&t->options.compaction, "TimeWindowCompactionStrategy")) return;
    lint__report(run, s, lint__place_of(s, "default_time_to_live"),
                 "rows live %d s, what is left of them %d s more",
                 (int)t->options.default_time_to_live, (int)t->options.gc_grace_seconds);
}

void lint__compact_storage(lint_run *run, const lint_subject *s) {
    if (made(s) && s->tree->as.create_table.compact_storage)
        lint__report(run, s, lint__place_of(s, "COMPACT"), "COMPACT STORAGE");
}

void lint__simple_strategy(lint_run *run, const lint_subject *s) {
    if (s->tree->kind != CQL_STMT_CREATE_KEYSPACE) return;
    const cql_keyspace *keyspace =
        cql__schema_keyspace(s->statement->schema, s->tree->as.keyspace.name.text);
    if (keyspace && has_class(&keyspace->replication, "SimpleStrategy"))
        lint__report(run, s, lint__place_of(s, "replication"),
                     "SimpleStrategy knows no racks and no data centres");
}

/* ---- statements ---- */

static bool lacks_if(const cql_statement *tree) {
    switch (tree->kind) {
    case CQL_STMT_CREATE_KEYSPACE: return !tree->as.keyspace.if_not_exists;
    case CQL_STMT_CREATE_TABLE: return !tree->as.create_table.if_not_exists;
    case CQL_STMT_CREATE_TYPE: return !tree->as.create_type.if_not_exists;
    case CQL_STMT_CREATE_INDEX: return !tree->as.create_index.if_not_exists;
    case CQL_STMT_CREATE_VIEW: return !tree->as.create_view.if_not_exists;
    default: return false;
    }
}

void lint__ddl_if_not_exists(lint_run *run, const lint_subject *s) {
    if (lacks_if(s->tree))
        lint__report(run, s, s->tree->place, "%s without IF NOT EXISTS fails when it runs twice",
                     cql__statement_name(s->tree->kind));
}

static const char *destroyed(const cql_statement *tree) {
    switch (tree->kind) {
    case CQL_STMT_DROP_KEYSPACE: return "a keyspace";
    case CQL_STMT_DROP_TABLE: return "a table";
    case CQL_STMT_TRUNCATE: return "all rows";
    case CQL_STMT_ALTER_TABLE:
        return tree->as.alter_table.kind == CQL_ALTER_DROP ? "a column" : NULL;
    default: return NULL;
    }
}

void lint__destructive_ddl(lint_run *run, const lint_subject *s) {
    const char *what = destroyed(s->tree);
    if (what)
        lint__report(run, s, s->tree->place, "%s takes %s away, with the data",
                     cql__statement_name(s->tree->kind), what);
}
