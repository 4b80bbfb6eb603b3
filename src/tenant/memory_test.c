// SPDX-License-Identifier: MIT
/* Statements and their answers when memory is exhausted, at every allocation in turn: an error, nothing lost, nothing of another
 * tenant. */
#include "testing/memory.h"

#include "base/fail.h"
#include "tenant/tenant_for_tests.h"

static two_tenants two;

static corm_status transform(corm_error *err) {
    corm_tenant_query *query;
    corm_status        status = corm_tenants_transform(two.tenants, "acme",
                                                       "SELECT * FROM users WHERE name = ?", &query, err);
    if (status == CORM_OK) corm_tenant_query_free(query);
    return status;
}

static corm_status read_rows(corm_error *err) {
    corm_result *result;
    CORM_TRY(corm_execute(two.a, "SELECT JSON * FROM users WHERE id IN (1, 2)", &result,
                          { .error = err }));
    corm_result_free(result);
    return CORM_OK;
}

static corm_status read_pages(corm_error *err) {
    corm_result *result;
    CORM_TRY(corm_execute(two.a, "SELECT DISTINCT user FROM events", &result,
                          { .request = { .page_size = 1 }, .error = err }));
    const corm_row *row = NULL;
    corm_status     status;
    do status = corm_result_step(result, &row, err);
    while (status == CORM_OK && row);
    corm_result_free(result);
    return status;
}

static corm_status write_json(corm_error *err) {
    return corm_execute(two.a, "INSERT INTO users JSON '{\"id\": 1, \"name\": \"acme\"}'", NULL,
                        { .error = err });
}

static corm_status write_prepared(corm_error *err) {
    corm_prepared *prepared;
    CORM_TRY(
        corm_prepare(two.a, "UPDATE users SET name = ? WHERE id = ? IF EXISTS", &prepared, err));
    corm_statement *statement = corm_statement_new(prepared);
    corm_prepared_free(prepared);
    if (!statement) return base__fail_memory(err);
    corm_result *result = NULL;
    corm_status  status = corm_statement_bind(statement, 0, corm_v("acme2"), err);
    if (status == CORM_OK) status = corm_statement_bind(statement, 1, corm_v((int32_t)1), err);
    if (status == CORM_OK) status = corm_run(statement, &result, err);
    corm_result_free(result);
    corm_statement_free(statement);
    return status;
}

static corm_status open_session(corm_error *err) {
    corm_session *session;
    CORM_TRY(corm_tenant_session(two.tenants, "acme", &session, err));
    corm_session_close(session);
    return CORM_OK;
}

static corm_status open_tenants(corm_error *err) {
    corm_tenants *tenants;
    CORM_TRY(corm_tenants_open(&tenants, two.session, &(corm_tenants_options){ .error = err }));
    corm_tenants_close(tenants);
    return CORM_OK;
}

static corm_status list(corm_error *err) {
    corm_tenant_list *all;
    CORM_TRY(corm_tenant_list_read(two.tenants, &all, err));
    corm_tenant_list_free(all);
    return CORM_OK;
}

static corm_status fail_on_purpose(corm_error *err) {
    corm_status status = corm_execute(two.a, "SELECT nothing FROM users", NULL, { .error = err });
    return status == CORM_INVALID ? CORM_OK : status;
}

static corm_status (*const operations[])(corm_error *) = {
    transform,    read_rows,    read_pages, write_json,     write_prepared,
    open_session, open_tenants, list,       fail_on_purpose
};

static void exhausted_memory_is_an_error(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    for (int s = CORM_TENANT_KEYSPACE; s <= CORM_TENANT_COLUMN; s++) {
        two_open(&two, (corm_tenant_strategy)s,
                 (corm_tenants_options){ .cached_plans = 1, .state_cache_ms = 100000 });
        two_run(two.a, "INSERT INTO users (id, name) VALUES (1, 'acme')");
        two_run(two.a, "INSERT INTO events (user, at) VALUES (1, 1)");
        two_run(two.a, "INSERT INTO events (user, at) VALUES (2, 1)");
        two_run(two.b, "INSERT INTO users (id, name) VALUES (1, 'blue')");
        for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
            for (size_t n = 0;; n++) {
                corm_error err = { 0 };
                testing__memory_fail_from(n);
                corm_status status = operations[i](&err);
                bool        failed = testing__memory_has_failed();
                testing__memory_fail_from(SIZE_MAX);
                if (status != CORM_OK && status != CORM_NO_MEMORY) {
                    fail_msg("%s, operation %zu, allocation %zu: %s: %s", strategy_names[s], i, n,
                             corm_status_name(status), err.message);
                }
                if (!failed) break;
            }
        }
        assert_string_equal(two_rows(two.b, "SELECT name FROM users"), "blue\n");
        two_close(&two);
    }
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(exhausted_memory_is_an_error) };

RUN_TESTS()
