// SPDX-License-Identifier: MIT
/* check_cases.h -- for tests of the checker and the evaluator: a schema from DDL, statements checked against it, and values
 * as literals. */
#ifndef TESTING_CHECK_CASES_H
#define TESTING_CHECK_CASES_H

#include "cql/eval.h"
#include "cql/parser.h"
#include "testing/check.h"

/* A schema with one keyspace, which is the session's, and the last thing checked. */
typedef struct check_world {
    const char  *keyspace;
    cql_schema  *schema;
    base_arena   arena;
    cql_checked *checked;
    corm_error   error;
} check_world;

static inline void world_apply(check_world *w, const char *ddl) {
    base_arena        arena = { 0 };
    cql_statement    *statement = NULL;
    cql_schema       *next = NULL;
    cql_schema_change change = { 0 };
    assert_ok(cql__parse(&arena, corm_str_of(ddl), &statement, NULL, &w->error), w->error);
    assert_ok(cql__schema_apply(w->schema, statement, corm_str_of(w->keyspace), 1, &arena, &next,
                                &change, &w->error),
              w->error);
    cql__schema_unref(w->schema);
    w->schema = next;
    base__arena_free(&arena);
}

static inline void world_open_empty(check_world *w, const char *keyspace) {
    char ddl[160];
    snprintf(
        ddl, sizeof ddl,
        "CREATE KEYSPACE %s WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        keyspace);
    *w = (check_world){ .keyspace = keyspace, .schema = cql__schema_new() };
    assert_non_null(w->schema);
    world_apply(w, ddl);
}

/* ddl: statements for the keyspace ks, NULL-terminated. */
static inline void world_open(check_world *w, const char *const *ddl) {
    world_open_empty(w, "ks");
    for (; *ddl; ddl++) world_apply(w, *ddl);
}

static inline void world_close(check_world *w) {
    cql__checked_free(w->checked);
    cql__schema_unref(w->schema);
    base__arena_free(&w->arena);
}

static inline corm_status world_check(check_world *w, const char *text) {
    cql__checked_free(w->checked);
    w->checked = NULL;
    w->error = (corm_error){ 0 };
    return cql__check_text(corm_str_of(text), w->schema, corm_str_of(w->keyspace), &w->checked,
                           &w->error);
}

static inline cql_checked *world_good(check_world *w, const char *text) {
    corm_status status = world_check(w, text);
    if (status != CORM_OK) fail_msg("%s: %s", text, w->error.message);
    return w->checked;
}

static inline void world_refuses(check_world *w, const char *text, const char *message) {
    corm_status status = world_check(w, text);
    if (status == CORM_OK) fail_msg("accepted: %s", text);
    assert_string_equal(w->error.message, message);
}

/* A value from a literal of the type; "null", "unset" and "empty" are themselves. */
static inline cql_value world_value(check_world *w, const cql_type *type, const char *literal) {
    base_buf buf = { 0 };
    bool     is_null = false;
    if (strcmp(literal, "null") == 0) return CQL_NULL;
    if (strcmp(literal, "unset") == 0) return CQL_UNSET;
    if (strcmp(literal, "empty") == 0) return (cql_value){ (const uint8_t *)"", 0 };
    assert_ok(cql__from_text(type, corm_str_of(literal), &buf, &is_null, &w->error), w->error);
    cql_value value = { base__arena_copy(&w->arena, buf.data, buf.len), (int32_t)buf.len };
    base__buf_free(&buf);
    return value;
}

/* The value as a literal, in the world's arena. */
static inline const char *world_text(check_world *w, const cql_type *type, cql_value value) {
    base_buf buf = { 0 };
    if (value.len == -2) return "unset";
    if (value.len == 0) return "empty";
    cql__to_text(type, value, CQL_STYLE_LITERAL, &buf);
    corm_str text = base__arena_str(&w->arena, base__buf_str(&buf));
    base__buf_free(&buf);
    return text.data;
}

#endif
