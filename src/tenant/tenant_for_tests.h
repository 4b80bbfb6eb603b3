// SPDX-License-Identifier: MIT
/* tenant_for_tests.h -- two tenants in each strategy, over what testing__uri() names. */
#ifndef TENANT_FOR_TESTS_H
#define TENANT_FOR_TESTS_H

#include "corm/schema.h"
#include "corm/tenant.h"
#include "session/door.h"
#include "testing/doors.h"

static const char *const strategy_names[] = { "keyspace", "prefix", "column" };

/* What a tenant begins with in tests. */
static const char *const tenant_schema_texts[] = {
    "CREATE TYPE address (street text, city text)",
    "CREATE TABLE users (id int PRIMARY KEY, name text, home frozen<address>, tags set<text>)",
    "CREATE TABLE events (user int, at int, what text, note text static, PRIMARY KEY (user, at))",
    "CREATE TABLE hits (page text PRIMARY KEY, n counter)",
    "CREATE INDEX users_name ON users (name)",
};

typedef struct two_tenants {
    corm_session *session;
    corm_tenants *tenants;
    corm_session *a, *b; /* acme, blue-1 */
} two_tenants;

static inline void two_run(corm_session *session, const char *cql) {
    corm_error  err = { 0 };
    corm_status status = corm_execute(session, cql, NULL, { .error = &err });
    if (status != CORM_OK) fail_msg("%s: %s: %s", cql, corm_status_name(status), err.message);
}

static inline void two_drop_spaces(corm_session *session) {
    two_run(session, "DROP KEYSPACE IF EXISTS tenants_t__acme");
    two_run(session, "DROP KEYSPACE IF EXISTS tenants_t__blue_m1");
}

/* `options`: what is not set by it. */
static inline void two_open(two_tenants *two, corm_tenant_strategy strategy,
                            corm_tenants_options options) {
    static const char *const shared[] = { "countries" }, *const writable[] = { "votes" };
    corm_error err = { 0 };
    two->session = testing__open("tenants_t");
    two_drop_spaces(two->session);
    two_run(two->session, "CREATE TABLE countries (code text PRIMARY KEY, name text)");
    two_run(two->session, "CREATE TABLE votes (id int PRIMARY KEY, n int)");
    two_run(two->session, "INSERT INTO countries (code, name) VALUES ('de', 'Germany')");
    options.strategy = strategy;
    options.shared = shared;
    options.shared_count = 1;
    options.shared_writable = writable;
    options.shared_writable_count = 1;
    options.schema = tenant_schema_texts;
    options.schema_count = sizeof tenant_schema_texts / sizeof *tenant_schema_texts;
    options.error = &err;
    if (!options.state_cache_ms) options.state_cache_ms = 1;
    assert_ok(corm_tenants_open(&two->tenants, two->session, &options), err);
    assert_ok(
        corm_tenant_create(two->tenants, "acme", &(corm_tenant_create_options){ .error = &err }),
        err);
    assert_ok(
        corm_tenant_create(two->tenants, "blue-1", &(corm_tenant_create_options){ .error = &err }),
        err);
    assert_ok(corm_tenant_session(two->tenants, "acme", &two->a, &err), err);
    assert_ok(corm_tenant_session(two->tenants, "blue-1", &two->b, &err), err);
}

static inline void two_close(two_tenants *two) {
    corm_session_close(two->a);
    corm_session_close(two->b);
    corm_tenants_close(two->tenants);
    two_drop_spaces(two->session);
    corm_session_close(two->session);
}

/* All rows as text: "a|b\nc|d\n"; or "ERROR: message". The last four stay. */
static inline const char *two_rows(corm_session *session, const char *cql) {
    static char  texts[4][1 << 15];
    static int   next;
    char        *out = texts[next++ % 4];
    size_t       len = 0;
    corm_result *result;
    corm_error   err = { 0 };
    out[0] = '\0';
    if (corm_execute(session, cql, &result, { .error = &err }) != CORM_OK) {
        snprintf(out, sizeof texts[0], "ERROR: %s", err.message);
        return out;
    }
    for (const corm_row *row; corm_result_step(result, &row, &err) == CORM_OK && row;) {
        for (uint32_t i = 0; i < corm_result_column_count(result); i++) {
            corm_str cell = corm_row_format(row, i);
            len += (size_t)snprintf(out + len, sizeof texts[0] - len, "%s%.*s", i ? "|" : "",
                                    (int)cell.len, cell.data);
            assert_true(len < sizeof texts[0]);
        }
        len += (size_t)snprintf(out + len, sizeof texts[0] - len, "\n");
        assert_true(len < sizeof texts[0]);
    }
    corm_result_free(result);
    return out;
}

#endif
