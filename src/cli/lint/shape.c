// SPDX-License-Identifier: MIT
/* shape.c -- what names, types and terms tell of the data behind them: guesses, which rules say they are. Pure. */
#include "base/text.h"
#include "cli/lint/lint.h"

bool lint__is_time(const cql_type *type) {
    return type->id == CQL_TIMESTAMP || type->id == CQL_DATE || type->id == CQL_TIMEUUID;
}

bool lint__has_suffix(corm_str name, const char *suffix) {
    corm_str end = corm_str_of(suffix);
    return name.len >= end.len && memcmp(name.data + name.len - end.len, end.data, end.len) == 0;
}

bool lint__has_word(corm_str name, const char *const *words) {
    for (size_t at = 0; at < name.len;) {
        size_t len = 0;
        while (at + len < name.len && name.data[at + len] != '_') len++;
        for (size_t i = 0; words[i]; i++)
            if (corm_str_equal((corm_str){ name.data + at, len }, corm_str_of(words[i])))
                return true;
        at += len + 1;
    }
    return false;
}

bool lint__names_bucket(corm_str name) {
    static const char *const words[] = { "bucket",  "day",    "hour",  "week",   "month",
                                         "year",    "date",   "shard", "window", "period",
                                         "quarter", "minute", "slot",  "epoch",  NULL };
    return lint__has_word(name, words);
}

bool lint__names_few(corm_str name) {
    static const char *const words[] = { "status", "state",    "type",     "kind",    "gender",
                                         "sex",    "active",   "enabled",  "deleted", "flag",
                                         "level",  "is",       "has",      "country", "language",
                                         "locale", "currency", "priority", "visible", "role",
                                         NULL };
    return lint__has_word(name, words);
}

bool lint__names_unique(corm_str name) {
    static const char *const words[] = {
        "email", "uuid", "guid", "phone", "username", "login", NULL
    };
    return lint__has_word(name, words);
}

int64_t lint__number(const cql_expr *expr) {
    int64_t number;
    if (!expr || expr->kind != CQL_EXPR_INTEGER || !base__parse_i64(expr->text, &number)) return -1;
    return number;
}

bool lint__has_partition(const cql_where *where) {
    return where->partition_count > 0;
}

bool lint__uses_index(const cql_where *where) {
    return where->lookup_count > 0;
}

/* ---- partitions ---- */

static bool same_value(const cql_value *a, const cql_value *b) {
    return a->len == b->len && (a->len <= 0 || memcmp(a->data, b->data, (size_t)a->len) == 0);
}

static bool differ(const cql_node *a, const cql_node *b, bool markers_differ) {
    if (a->kind == CQL_NODE_MARKER && b->kind == CQL_NODE_MARKER) return markers_differ;
    if (a->kind != CQL_NODE_CONSTANT || b->kind != CQL_NODE_CONSTANT) return false;
    return !same_value(&a->value, &b->value);
}

static const cql_node *key_part(const cql_checked_modify *m, uint32_t i) {
    if (m->json || i >= m->where.partition_count) return NULL;
    const cql_restriction *r = &m->where.partition[i];
    if (r->kind != CQL_RESTRICT_EQ || r->value_count != 1 || r->values[0].packed) return NULL;
    return r->values[0].nodes[0];
}

bool lint__other_partition(const cql_checked_modify *a, const cql_checked_modify *b,
                           bool question_marks) {
    if (a->table != b->table) return true;
    /* Two ? may be the same value, but not where that would be twice the same row. */
    bool markers_differ = question_marks && a->table->clustering_count == 0;
    for (uint32_t i = 0; i < a->table->partition_count; i++) {
        const cql_node *x = key_part(a, i), *y = key_part(b, i);
        if (x && y && differ(x, y, markers_differ)) return true;
    }
    return false;
}
