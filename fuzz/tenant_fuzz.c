// SPDX-License-Identifier: MIT
//
// tenant_fuzz.c -- any text as a statement of a tenant, in each strategy. What is not refused is a statement again that names
// nothing outside of the tenant's keyspace or prefix, and, where tenants share tables, has a marker for the tenant. One thread.
#include <stdlib.h>

#include "base/text.h"
#include "tenant/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static corm_session *session;
static corm_tenants *tenants[3];

static void check(bool good) {
    if (!good) abort();
}

static void run(corm_session *on, const char *cql) {
    check(corm_execute(on, cql, NULL, { 0 }) == CORM_OK);
}

static void set_up(void) {
    static const char *const   shared[] = { "countries" };
    const corm_session_options in = { .keyspace = "app", .create_keyspace = true };
    check(corm_session_open(&session, "corm::memory:", &in, NULL) == CORM_OK);
    run(session, "CREATE TABLE countries (code text PRIMARY KEY, name text)");
    for (int i = 0; i < 3; i++) {
        corm_tenants_options options = { .strategy = (corm_tenant_strategy)i,
                                         .shared = shared,
                                         .shared_count = 1,
                                         .cached_plans = 8 };
        check(corm_tenants_open(&tenants[i], session, &options) == CORM_OK);
    }
    corm_session *schema;
    check(corm_tenants_schema_session(tenants[CORM_TENANT_COLUMN], &schema, NULL) == CORM_OK);
    run(schema, "CREATE TYPE address (street text, city text)");
    run(schema,
        "CREATE TABLE users (id int PRIMARY KEY, name text, n int, tags set<text>, m map<text, int>, home frozen<address>)");
    run(schema,
        "CREATE TABLE events (user int, at int, what text, note text static, PRIMARY KEY (user, at))");
    corm_session_close(schema);
}

/* Names of keyspaces only: what they may be is said here anew. */
static corm_status check_ref(void *context, tenant_ref_kind kind, cql_ref *ref) {
    corm_tenant_strategy strategy = *(const corm_tenant_strategy *)context;
    corm_str             keyspace = ref->keyspace.text, name = ref->name.text;
    if (kind > TENANT_REF_SCHEMA) return CORM_OK;
    bool shared = corm_str_equal(keyspace, corm_str_of("app")) &&
                  corm_str_equal(name, corm_str_of("countries"));
    bool own = strategy == CORM_TENANT_KEYSPACE ? corm_str_equal(keyspace, corm_str_of("app__acme"))
                                                : corm_str_equal(keyspace, corm_str_of("app"));
    if (strategy == CORM_TENANT_PREFIX) own &= base__str_has_prefix(name, corm_str_of("acme__"));
    if (strategy == CORM_TENANT_COLUMN)
        own &= !corm_str_equal(name, corm_str_of("tenants")) || kind == TENANT_REF_SCHEMA;
    check(shared || own);
    return CORM_OK;
}

static bool touches_rows(cql_statement_kind kind) {
    return kind == CQL_STMT_SELECT || kind == CQL_STMT_INSERT || kind == CQL_STMT_UPDATE ||
           kind == CQL_STMT_DELETE;
}

static const cql_ref *table_of(const cql_statement *s) {
    if (s->kind == CQL_STMT_SELECT) return &s->as.select.table;
    return s->kind == CQL_STMT_INSERT ? &s->as.insert.table : &s->as.update.table;
}

static void check_marker(const corm_tenant_query *query, const cql_statement *s) {
    bool has =
        !touches_rows(s->kind) || corm_str_equal(table_of(s)->name.text, corm_str_of("countries"));
    for (uint32_t i = 0; i < query->value_count; i++) has |= query->values[i] < 0;
    check(has);
}

static void check_query(const corm_tenant_query *query, corm_tenant_strategy strategy) {
    base_arena     arena = { 0 };
    cql_statement *s;
    tenant_visitor visitor = { .ref = check_ref, .context = &strategy };
    check(cql__parse(&arena, corm_str_of(query->cql), &s, NULL, NULL) == CORM_OK);
    bool asked_of_store = s->kind != CQL_STMT_DESCRIBE && s->kind != CQL_STMT_USE;
    bool of_schema = s->kind == CQL_STMT_SELECT &&
                     corm_str_equal(s->as.select.table.keyspace.text, corm_str_of("system_schema"));
    bool changed = tenant__find(corm_str_of(query->cql), corm_str_of("app")) != NULL;
    if (asked_of_store && !of_schema && (changed || touches_rows(s->kind))) {
        check(tenant__walk(s, &visitor) == CORM_OK);
        if (strategy == CORM_TENANT_COLUMN) check_marker(query, s);
    }
    base__arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!session) set_up();
    char *cql = malloc(size + 1);
    if (!cql) return 0;
    if (size > 0) memcpy(cql, data, size);
    cql[size] = '\0';
    for (int i = 0; i < 3; i++) {
        corm_tenant_query *query;
        if (corm_tenants_transform(tenants[i], "acme", cql, &query, NULL) != CORM_OK) continue;
        check_query(query, (corm_tenant_strategy)i);
        corm_tenant_query_free(query);
    }
    free(cql);
    return 0;
}
