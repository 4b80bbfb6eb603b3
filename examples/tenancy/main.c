// SPDX-License-Identifier: MIT
/* main.c -- two tenants over one session, in each strategy; and whose request it is. */
#include <corm/corm.h>
#include <stdio.h>

static const char *const schema[] = {
    "CREATE TABLE users (id int PRIMARY KEY, name text, status text)",
    "CREATE INDEX users_status ON users (status)",
};

static int failed(const corm_error *err) {
    fprintf(stderr, "%s: %s\n", corm_status_name(err->status), err->message);
    return 1;
}

/* What becomes of a statement of tenant1's. */
static int show(corm_tenants *tenants, const char *cql, corm_error *err) {
    corm_tenant_query *query;
    if (corm_tenants_transform(tenants, "tenant1", cql, &query, err) != CORM_OK) return failed(err);
    printf("  %s\n", query->cql);
    for (uint32_t i = 0; i < query->value_count; i++) {
        if (query->values[i] == CORM_TENANT_VALUE) printf("    %u: '%s'\n", i, query->tenant);
        if (query->values[i] >= 0) printf("    %u: the caller's value %d\n", i, query->values[i]);
    }
    corm_tenant_query_free(query);
    return 0;
}

/* The tenant belongs to the session: there is no current one that another thread could change. */
static int use(corm_tenants *tenants, const char *tenant, corm_error *err) {
    corm_session *session;
    corm_result  *result;
    if (corm_tenant_session(tenants, tenant, &session, err) != CORM_OK) return failed(err);
    corm_status status =
        corm_execute(session, "INSERT INTO users (id, name, status) VALUES (1, ?, 'active')", NULL,
                     { .values = { corm_v(tenant) }, .error = err });
    if (status == CORM_OK) {
        status = corm_execute(session, "SELECT * FROM users WHERE status = ?", &result,
                              { .values = { corm_v("active") }, .error = err });
    }
    if (status == CORM_OK) {
        const corm_row *row = corm_result_next(result);
        printf("  %s sees %u row: %d, %s\n", tenant, corm_result_row_count(result),
               corm_row_int(row, 0), corm_row_format(row, 1).data);
        corm_result_free(result);
    }
    if (status == CORM_OK &&
        corm_execute(session, "SELECT * FROM other.users", NULL, { .error = err })) {
        printf("  refused: %s\n", err->message);
    }
    corm_session_close(session);
    return status == CORM_OK ? 0 : failed(err);
}

static int run(corm_session *session, corm_tenant_strategy strategy, const char *name,
               corm_error *err) {
    corm_tenants        *tenants;
    corm_tenants_options options = {
        .strategy = strategy,
        .table = name, /* a catalogue for each strategy of this program */
        .schema = schema,
        .schema_count = 2,
        .error = err,
    };
    corm_tenant_create_options create = { .error = err };
    printf("%s\n", name);
    if (corm_tenants_open(&tenants, session, &options) != CORM_OK) return failed(err);
    int code = corm_tenant_create(tenants, "tenant1", &create) != CORM_OK ||
               corm_tenant_create(tenants, "tenant2", &create) != CORM_OK;
    if (code) failed(err);
    if (!code) code = show(tenants, "SELECT * FROM users WHERE status = ?", err);
    if (!code) code = use(tenants, "tenant1", err) || use(tenants, "tenant2", err);
    corm_tenants_close(tenants);
    return code;
}

/* What the middleware of a web server does with a request. */
static void answer(const char *host, const char *header) {
    char                tenant[CORM_TENANT_ID_MAX + 1];
    const char         *body;
    corm_error          err = { 0 };
    corm_tenant_header  headers[] = { { "x-tenant-id", header } };
    corm_tenant_request request = { .host = host,
                                    .headers = headers,
                                    .header_count = header ? 1 : 0 };
    corm_status         status = corm_tenant_resolve(&request, tenant, &err);
    int                 code = corm_tenant_http_status(status, &body);
    printf("  %s: %d %s%s\n", host, code, tenant, body);
}

int main(void) {
    corm_session        *session;
    corm_error           err = { 0 };
    corm_session_options in = { .keyspace = "app", .create_keyspace = true };
    if (corm_session_open(&session, "corm::memory:", &in, &err) != CORM_OK) return failed(&err);
    int code = run(session, CORM_TENANT_KEYSPACE, "by_keyspace", &err) ||
               run(session, CORM_TENANT_PREFIX, "by_prefix", &err) ||
               run(session, CORM_TENANT_COLUMN, "by_column", &err);
    corm_session_close(session);
    printf("requests\n");
    answer("tenant1.api.example.com", NULL);
    answer("api.example.com", "tenant2");
    answer("api.example.com", NULL);
    return code;
}
