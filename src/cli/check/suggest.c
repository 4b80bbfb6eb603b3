// SPDX-License-Identifier: MIT
/* suggest.c -- the name that was meant where one is misspelt: the nearest of those that could stand there. Pure. */
#include "base/text.h"
#include "cli/check/check.h"

void check__consider(check_nearest *nearest, corm_str candidate) {
    size_t distance = base__edit_distance(nearest->word, candidate);
    size_t most = nearest->word.len <= 3 ? 1 : nearest->word.len <= 6 ? 2 : 3;
    if (distance > most || distance >= candidate.len) return;
    if (nearest->best.len && distance >= nearest->distance) return;
    nearest->best = candidate;
    nearest->distance = distance;
}

/* ---- what a statement is about ---- */

static const cql_ref *table_of(const cql_statement *tree) {
    switch (tree->kind) {
    case CQL_STMT_SELECT: return &tree->as.select.table;
    case CQL_STMT_INSERT: return &tree->as.insert.table;
    case CQL_STMT_UPDATE: return &tree->as.update.table;
    case CQL_STMT_DELETE: return &tree->as.delete_.table;
    case CQL_STMT_ALTER_TABLE: return &tree->as.alter_table.table;
    case CQL_STMT_CREATE_INDEX: return &tree->as.create_index.table;
    case CQL_STMT_CREATE_VIEW: return &tree->as.create_view.base;
    case CQL_STMT_DROP_TABLE:
    case CQL_STMT_TRUNCATE: return &tree->as.drop.name;
    default: return NULL;
    }
}

static corm_str keyspace_of(const check_statement *statement, const cql_ref *ref) {
    bool written = ref && ref->keyspace.text.data;
    return written ? ref->keyspace.text : statement->keyspace;
}

static void consider_columns(const check_workspace *w, const check_statement *statement,
                             const cql_statement *tree, check_nearest *nearest) {
    if (!tree) return;
    for (uint32_t i = 0; tree->kind == CQL_STMT_BATCH && i < tree->as.batch.count; i++)
        consider_columns(w, statement, tree->as.batch.statements[i], nearest);
    const cql_ref *ref = table_of(tree);
    if (!ref) return;
    const cql_table *table =
        cql__schema_table(w->schema, keyspace_of(statement, ref), ref->name.text);
    for (uint32_t i = 0; table && i < table->column_count; i++)
        check__consider(nearest, table->columns[i].name);
}

/* Columns that the statement itself declares. */
static void consider_declared(const cql_statement *tree, check_nearest *nearest) {
    if (!tree || tree->kind != CQL_STMT_CREATE_TABLE) return;
    for (uint32_t i = 0; i < tree->as.create_table.column_count; i++)
        check__consider(nearest, tree->as.create_table.columns[i].name.text);
}

static void consider_tables(const check_workspace *w, const check_statement *statement,
                            const cql_statement *tree, check_nearest *nearest) {
    const cql_ref      *ref = tree ? table_of(tree) : NULL;
    const cql_keyspace *keyspace = cql__schema_keyspace(w->schema, keyspace_of(statement, ref));
    for (uint32_t i = 0; keyspace && i < keyspace->table_count; i++)
        check__consider(nearest, keyspace->tables[i]->name);
}

static void consider_keyspaces(const check_workspace *w, check_nearest *nearest) {
    for (uint32_t i = 0; i < w->schema->keyspace_count; i++)
        check__consider(nearest, w->schema->keyspaces[i]->name);
}

static void consider_types(const check_workspace *w, const check_statement *statement,
                           check_nearest *nearest) {
    static const char *const native[] = {
#define CHECK_TYPE_NAME(name, id, cql, size, marshal) cql,
        CQL_TYPE_MAP(CHECK_TYPE_NAME)
#undef CHECK_TYPE_NAME
    };
    const cql_keyspace *keyspace = cql__schema_keyspace(w->schema, statement->keyspace);
    for (uint32_t i = 0; keyspace && i < keyspace->type_count; i++)
        check__consider(nearest, keyspace->types[i]->name);
    for (uint32_t i = 1; i < sizeof native / sizeof native[0]; i++)
        check__consider(nearest, corm_str_of(native[i]));
}

static void consider_words(const char *const *words, size_t count, check_nearest *nearest) {
    for (size_t i = 0; i < count; i++) check__consider(nearest, corm_str_of(words[i]));
}

/* Keywords are upper case; the word is in lower case. */
static corm_str nearest_keyword(corm_str word) {
    char   upper[32];
    size_t count;
    if (word.len >= sizeof upper) return (corm_str){ "", 0 };
    for (size_t i = 0; i < word.len; i++)
        upper[i] =
            word.data[i] >= 'a' && word.data[i] <= 'z' ? (char)(word.data[i] - 32) : word.data[i];
    check_nearest      nearest = { .word = { upper, word.len }, .best = { "", 0 } };
    const char *const *words = cql__keywords(&count);
    consider_words(words, count, &nearest);
    return nearest.distance ? nearest.best : (corm_str){ "", 0 };
}

static const char *const properties[] = {
    "additional_write_policy",
    "allow_auto_snapshot",
    "bloom_filter_fp_chance",
    "caching",
    "cdc",
    "comment",
    "compaction",
    "compression",
    "crc_check_chance",
    "default_time_to_live",
    "durable_writes",
    "extensions",
    "gc_grace_seconds",
    "incremental_backups",
    "max_index_interval",
    "memtable",
    "min_index_interval",
    "memtable_flush_period_in_ms",
    "read_repair",
    "replication",
    "speculative_retry",
};

/* ---- which names could stand there ---- */

corm_str check__suggest(const check_workspace *w, const check_statement *statement,
                        const cql_statement *tree, const char *message, corm_str word) {
    check_nearest nearest = { .word = word, .best = { "", 0 } };
    size_t        count;
    if (!word.len) return nearest.best;
    if (!tree) return nearest_keyword(word);
    if (strstr(message, "ndefined column name") || strstr(message, "Undefined name") ||
        strstr(message, "nknown definition") || strstr(message, "was not found in table") ||
        strstr(message, "nknown column") || strstr(message, "Missing definition of column")) {
        consider_columns(w, statement, tree, &nearest);
        consider_declared(tree, &nearest);
    } else if (strstr(message, "nknown function")) {
        const char *const *names = cql__function_names(&count);
        consider_words(names, count, &nearest);
    } else if (strstr(message, "nknown type")) {
        consider_types(w, statement, &nearest);
    } else if (strstr(message, "eyspace") && strstr(message, "exist")) {
        consider_keyspaces(w, &nearest);
    } else if (strstr(message, "able ") && strstr(message, "exist")) {
        consider_tables(w, statement, tree, &nearest);
    } else if (strstr(message, "nknown property")) {
        consider_words(properties, sizeof properties / sizeof properties[0], &nearest);
    }
    return nearest.distance ? nearest.best : (corm_str){ "", 0 };
}
