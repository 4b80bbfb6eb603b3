// SPDX-License-Identifier: MIT
/* tenant.c -- what a tenant costs: a statement through a tenant's session beside the same statement through the session itself, on
 * a store in memory; the change of a statement alone; memory of 10,000 tenants. CPU time of one thread. One JSON line a figure. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "corm/corm.h"

enum { ROUNDS = 7, TIMES = 20000, TENANTS = 10000, MANY = 1000 };

static const char *const strategies[] = { "keyspace", "prefix", "column" };
static const char *const table =
    "CREATE TABLE users (id int PRIMARY KEY, name text, email text, age int)";
static corm_error    err;
static corm_session *store;

static void check(corm_status status) {
    if (status == CORM_OK) return;
    fprintf(stderr, "tenant: %s: %s\n", corm_status_name(status), err.message);
    exit(1);
}

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void say(const char *system, const char *name, double value) {
    printf("{\"case\": \"tenant\", \"system\": \"%s\", \"metric\": \"%s\", \"value\": %.4f}\n",
           system, name, value);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values) {
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static void run(corm_session *session, const char *cql) {
    check(corm_execute(session, cql, NULL, { .error = &err }));
}

/* ---- statements ---- */

static corm_statement *prepare(corm_session *session, const char *cql) {
    corm_prepared *prepared;
    check(corm_prepare(session, cql, &prepared, &err));
    corm_statement *statement = corm_statement_new(prepared);
    corm_prepared_free(prepared);
    return statement;
}

/* Microseconds for one of them. */
static double time_prepared(corm_statement **statements, int count) {
    double began = now_us();
    for (int i = 0; i < TIMES; i++) {
        corm_result    *result;
        corm_statement *statement = statements[i % count];
        check(corm_statement_bind(statement, 0, corm_v((int32_t)1), &err));
        check(corm_run(statement, &result, &err));
        corm_result_free(result);
    }
    return (now_us() - began) / TIMES;
}

static double time_text(corm_session *session, const char *cql) {
    double began = now_us();
    for (int i = 0; i < TIMES; i++) {
        corm_result *result;
        check(corm_execute(session, cql, &result, { .error = &err }));
        corm_result_free(result);
    }
    return (now_us() - began) / TIMES;
}

static double time_transform(corm_tenants *tenants, bool anew) {
    double began = now_us();
    int    times = anew ? TIMES / 20 : TIMES;
    for (int i = 0; i < times; i++) {
        corm_tenant_query *query;
        char               cql[100];
        snprintf(cql, sizeof cql, "SELECT name, email FROM users WHERE id = %d", anew ? rand() : 1);
        check(corm_tenants_transform(tenants, i % 2 ? "acme" : "blue", cql, &query, &err));
        corm_tenant_query_free(query);
    }
    return (now_us() - began) / times;
}

static void measure_statements(corm_tenants *tenants, corm_session *session, corm_session *tenant,
                               const char *system, const char *prepared, const char *text) {
    double          direct[4][ROUNDS];
    corm_statement *of_tenant = prepare(tenant, "SELECT * FROM users WHERE id = ?");
    corm_statement *of_session = prepare(session, prepared);
    for (int i = 0; i < ROUNDS; i++) {
        direct[0][i] = time_prepared(&of_session, 1);
        direct[1][i] = time_prepared(&of_tenant, 1);
        direct[2][i] = time_text(session, text);
        direct[3][i] = time_text(tenant, "SELECT * FROM users WHERE id = 1");
    }
    double base = median(direct[0]), text_base = median(direct[2]);
    say(system, "prepared_us", median(direct[1]));
    say(system, "prepared_more_us", median(direct[1]) - base);
    say(system, "text_us", median(direct[3]));
    say(system, "text_more_us", median(direct[3]) - text_base);
    for (int i = 0; i < ROUNDS; i++) {
        direct[0][i] = time_transform(tenants, false);
        direct[1][i] = time_transform(tenants, true);
    }
    say(system, "transform_us", median(direct[0]));
    say(system, "transform_new_us", median(direct[1]));
    corm_statement_free(of_tenant);
    corm_statement_free(of_session);
}

/* ---- memory ---- */

static double used(void) {
    malloc_trim(0);
    struct mallinfo2 info = mallinfo2();
    return (double)(info.uordblks + info.hblkhd);
}

static void measure_many(corm_tenants *tenants) {
    static corm_session   *sessions[TENANTS];
    static corm_statement *statements[MANY];
    char                   id[16];
    double                 rounds[ROUNDS];
    for (int i = 0; i < TENANTS; i++) {
        snprintf(id, sizeof id, "t%d", i);
        check(corm_tenant_create(tenants, id, &(corm_tenant_create_options){ .error = &err }));
    }
    corm_tenants_close(tenants);
    double                     before = used();
    corm_tenants              *again;
    const corm_tenants_options options = {
        .strategy = CORM_TENANT_COLUMN, .table = "t2", .state_cache_ms = 100000, .error = &err
    };
    check(corm_tenants_open(&again, store, &options));
    for (int i = 0; i < TENANTS; i++) {
        snprintf(id, sizeof id, "t%d", i);
        check(corm_tenant_session(again, id, &sessions[i], &err));
    }
    say("column", "open_bytes", (used() - before) / TENANTS);
    for (int i = 0; i < TENANTS; i++) corm_session_close(sessions[i]);
    say("column", "known_bytes", (used() - before) / TENANTS);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "t%d", i);
        check(corm_tenant_session(again, id, &sessions[i], &err));
        statements[i] = prepare(sessions[i], "SELECT * FROM users WHERE id = ?");
    }
    for (int i = 0; i < ROUNDS; i++) rounds[i] = time_prepared(statements, MANY);
    say("column", "switch_us", median(rounds));
    for (int i = 0; i < MANY; i++) {
        corm_statement_free(statements[i]);
        corm_session_close(sessions[i]);
    }
    corm_tenants_close(again);
}

int main(void) {
    static const char *const prepared[] = {
        "SELECT * FROM shop__acme.users WHERE id = ?",
        "SELECT * FROM shop.acme__users WHERE id = ?",
        "SELECT id, age, email, name FROM shop.users WHERE tenant_id = 'acme' AND id = ?"
    };
    static const char *const texts[] = {
        "SELECT * FROM shop__acme.users WHERE id = 1",
        "SELECT * FROM shop.acme__users WHERE id = 1",
        "SELECT id, age, email, name FROM shop.users WHERE tenant_id = 'acme' AND id = 1"
    };
    corm_session_options in = { .keyspace = "shop", .create_keyspace = true };
    check(corm_session_open(&store, "corm::memory:", &in, &err));
    for (int s = CORM_TENANT_KEYSPACE; s <= CORM_TENANT_COLUMN; s++) {
        corm_tenants        *tenants;
        corm_session        *tenant;
        corm_tenants_options options = { .strategy = (corm_tenant_strategy)s,
                                         .table = s == 0   ? "t0"
                                                  : s == 1 ? "t1"
                                                           : "t2",
                                         .schema = &table,
                                         .schema_count = 1,
                                         .state_cache_ms = 100000,
                                         .error = &err };
        check(corm_tenants_open(&tenants, store, &options));
        check(corm_tenant_create(tenants, "acme", &(corm_tenant_create_options){ .error = &err }));
        check(corm_tenant_session(tenants, "acme", &tenant, &err));
        run(tenant,
            "INSERT INTO users (id, name, email, age) VALUES (1, 'ann', 'ann@example.com', 30)");
        measure_statements(tenants, store, tenant, strategies[s], prepared[s], texts[s]);
        corm_session_close(tenant);
        if (s != CORM_TENANT_COLUMN)
            corm_tenants_close(tenants);
        else
            measure_many(tenants);
    }
    corm_session_close(store);
    return 0;
}
