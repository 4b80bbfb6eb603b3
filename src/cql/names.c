// SPDX-License-Identifier: MIT
/* names.c -- CQL names: when they need double quotes. Pure; any thread. */
#include "cql/types.h"

/* The server's list for 5.0, sorted. */
static const char *const reserved_words[] = {
    "add",      "allow",    "alter",        "and",          "apply",  "asc",         "authorize",
    "batch",    "begin",    "by",           "columnfamily", "create", "delete",      "desc",
    "describe", "drop",     "entries",      "execute",      "from",   "full",        "grant",
    "if",       "in",       "index",        "infinity",     "insert", "into",        "is",
    "keyspace", "limit",    "materialized", "modify",       "nan",    "norecursive", "not",
    "null",     "of",       "on",           "or",           "order",  "primary",     "rename",
    "revoke",   "schema",   "select",       "set",          "table",  "to",          "token",
    "truncate", "unlogged", "update",       "use",          "using",  "view",        "where",
    "with",
};

static int compare_to_word(corm_str text, const char *word) {
    size_t len = strlen(word);
    int    order = memcmp(text.data, word, text.len < len ? text.len : len);
    if (order != 0) return order;
    return text.len < len ? -1 : text.len > len;
}

bool cql__is_reserved(corm_str word) {
    if (word.len == 0) return false;
    size_t low = 0;
    size_t high = sizeof reserved_words / sizeof *reserved_words;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int    order = compare_to_word(word, reserved_words[middle]);
        if (order == 0) return true;
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

static bool is_plain(corm_str name) {
    if (name.len == 0 || name.data[0] < 'a' || name.data[0] > 'z') return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
    }
    return true;
}

void cql__put_name(base_buf *out, corm_str name) {
    if (is_plain(name) && !cql__is_reserved(name)) {
        base__buf_put_str(out, name);
        return;
    }
    base__buf_u8(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"') base__buf_u8(out, '"');
        base__buf_u8(out, (uint8_t)name.data[i]);
    }
    base__buf_u8(out, '"');
}
