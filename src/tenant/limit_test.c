// SPDX-License-Identifier: MIT
/* Limits of tenants, what they use, and whose request it is. */
#include "base/clock.h"
#include "tenant/tenant_for_tests.h"

static two_tenants two;

static int open_two(void **state) {
    (void)state;
    two_open(&two, CORM_TENANT_COLUMN, (corm_tenants_options){ .state_cache_ms = 60000 });
    for (int i = 0; i < 8; i++) {
        char cql[64];
        snprintf(cql, sizeof cql, "INSERT INTO users (id, name) VALUES (%d, 'ann')", i);
        two_run(two.a, cql);
    }
    return 0;
}

static int close_two(void **state) {
    (void)state;
    two_close(&two);
    return 0;
}

static void limit(corm_tenant_limits limits) {
    corm_error err = { 0 };
    assert_ok(corm_tenant_set_limits(two.tenants, "acme", &limits, &err), err);
}

static corm_status run(corm_session *session, const char *cql, corm_error *err) {
    return corm_execute(session, cql, NULL, { .error = err });
}

static void a_rate_is_held(void **state) {
    corm_error err = { 0 };
    int        taken = 0;
    (void)state;
    limit((corm_tenant_limits){ .requests_per_second = 1, .burst = 5 });
    int64_t began = base__clock_mono_ns();
    for (int i = 0; i < 10; i++)
        taken += run(two.a, "SELECT id FROM users WHERE id = 1", &err) == CORM_OK;
    int more = (int)((base__clock_mono_ns() - began) / 1000000000);
    assert_true(taken >= 5 && taken <= 6 + more);
    if (taken < 10)
        assert_string_equal(err.message, "tenant 'acme' is over its limit requests_per_second = 1");
    assert_int_equal(err.status, CORM_OVERLOADED);
    two_run(two.b, "SELECT * FROM users");
    limit((corm_tenant_limits){ 0 });
    two_run(two.a, "SELECT * FROM users");
}

static void kinds_of_statements_are_refused(void **state) {
    corm_error err = { 0 };
    (void)state;
    limit((corm_tenant_limits){ .refused_kinds = CORM_TENANT_WRITES | CORM_TENANT_SCHEMA });
    assert_status(run(two.a, "INSERT INTO users (id) VALUES (99)", &err), CORM_UNAUTHORIZED);
    assert_non_null(strstr(err.message, "refused_kinds"));
    assert_status(run(two.a, "CREATE TABLE x (id int PRIMARY KEY)", &err), CORM_UNAUTHORIZED);
    corm_batch *batch = corm_batch_new(two.a, CORM_LOGGED);
    assert_ok(corm_batch_add_text(batch, "INSERT INTO users (id) VALUES (99)", NULL, 0, &err), err);
    assert_status(corm_batch_run(batch, NULL, &err), CORM_UNAUTHORIZED);
    corm_batch_free(batch);
    two_run(two.a, "SELECT * FROM users");
    limit((corm_tenant_limits){ 0 });
}

static void pages_are_not_longer_than_the_limit(void **state) {
    corm_error   err = { 0 };
    corm_result *result;
    (void)state;
    limit((corm_tenant_limits){ .page_rows = 3 });
    for (int size = -1; size < 100; size += 50) {
        assert_ok(corm_execute(two.a, "SELECT * FROM users", &result,
                               { .request = { .page_size = size }, .error = &err }),
                  err);
        assert_int_equal(corm_result_row_count(result), 3);
        assert_true(corm_result_has_more(result));
        corm_result_free(result);
    }
    limit((corm_tenant_limits){ .page_bytes = 60 });
    assert_status(run(two.a, "SELECT * FROM users", &err), CORM_INVALID);
    assert_non_null(strstr(err.message, "page_bytes = 60"));
    limit((corm_tenant_limits){ 0 });
}

static void requests_in_flight_are_counted(void **state) {
    corm_error        err = { 0 };
    corm_tenant_usage usage;
    (void)state;
    limit((corm_tenant_limits){ .in_flight = 1 });
    for (int i = 0; i < 3; i++) two_run(two.a, "SELECT * FROM users");
    corm_tenants_usage(two.tenants, "acme", &usage);
    assert_int_equal(usage.in_flight, 0);
    corm_task *tasks[40];
    int        over = 0;
    for (int i = 0; i < 40; i++)
        tasks[i] = corm_execute_async(two.a, "SELECT * FROM users", NULL, NULL, NULL);
    for (int i = 0; i < 40; i++) {
        corm_status status = corm_task_wait(tasks[i], 0);
        over += status == CORM_OVERLOADED;
        assert_true(status == CORM_OK || status == CORM_OVERLOADED);
        corm_task_free(tasks[i]);
    }
    corm_tenants_usage(two.tenants, "acme", &usage);
    assert_int_equal(usage.in_flight, 0);
    assert_true(usage.limited >= (uint64_t)over && usage.refused >= usage.limited);
    (void)err;
    limit((corm_tenant_limits){ 0 });
}

static void what_is_used_is_counted(void **state) {
    corm_tenant_usage before, after;
    corm_error        err = { 0 };
    (void)state;
    corm_tenants_usage(two.tenants, "blue-1", &before);
    two_run(two.b, "INSERT INTO users (id) VALUES (1)");
    two_run(two.b, "SELECT * FROM users");
    assert_status(run(two.b, "SELECT * FROM system.local", &err), CORM_UNAUTHORIZED);
    corm_tenants_usage(two.tenants, "blue-1", &after);
    assert_int_equal(after.requests - before.requests, 2);
    assert_int_equal(after.writes - before.writes, 1);
    assert_int_equal(after.refused - before.refused, 1);
    assert_true(after.answer_bytes > before.answer_bytes);
    corm_tenants_usage(two.tenants, "nobody", &after);
    assert_int_equal(after.requests, 0);
}

/* ---- whose request it is ---- */

static void resolves(const char *host, const char *header, const char *expected) {
    char                out[CORM_TENANT_ID_MAX + 1];
    corm_tenant_header  headers[] = { { "Accept", "x" }, { "X-Tenant-ID", header } };
    corm_tenant_request request = { .host = host,
                                    .headers = headers,
                                    .header_count = header ? 2 : 1 };
    corm_error          err = { 0 };
    corm_status         status = corm_tenant_resolve(&request, out, &err);
    assert_status(status, expected ? CORM_OK : CORM_INVALID_ARGUMENT);
    assert_string_equal(out, expected ? expected : "");
}

static void a_request_names_its_tenant(void **state) {
    (void)state;
    resolves("tenant1.api.example.com", NULL, "tenant1");
    resolves("Acme.example.com:8080", NULL, "acme");
    resolves("api.example.com", "acme", "acme");
    resolves("www.example.com", " acme ", "acme");
    resolves("example.com", "blue-1", "blue-1");
    resolves("localhost", "a", "a");
    resolves(NULL, "a", "a");
    resolves("10.1.2.3:80", "a", "a");
    resolves("[::1]:80", NULL, NULL);
    resolves("acme.example.com", "acme", "acme");
    resolves("acme.example.com", "other", NULL);
    resolves("api.example.com", NULL, NULL);
    resolves("a'b.example.com", NULL, NULL);
    resolves(NULL, "x'; DROP TABLE users", NULL);
    resolves(NULL, "_schema", NULL);
    resolves(NULL, "", NULL);
    resolves(NULL, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL);
}

static void two_headers_that_differ_are_refused(void **state) {
    char                out[CORM_TENANT_ID_MAX + 1];
    corm_tenant_header  headers[] = { { "x-tenant-id", "a" }, { "X-TENANT-ID", "b" } };
    corm_tenant_request request = { .headers = headers, .header_count = 2 };
    (void)state;
    assert_status(corm_tenant_resolve(&request, out, NULL), CORM_INVALID_ARGUMENT);
}

static void a_web_server_knows_what_to_answer(void **state) {
    const char *body;
    (void)state;
    assert_int_equal(corm_tenant_http_status(CORM_OK, &body), 200);
    assert_int_equal(corm_tenant_http_status(CORM_INVALID_ARGUMENT, &body), 400);
    assert_string_equal(body, "{\"error\": \"Tenant not specified\"}");
    assert_int_equal(corm_tenant_http_status(CORM_NOT_FOUND, &body), 500);
    assert_string_equal(body, "{\"error\": \"Tenant resolution failed\"}");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_rate_is_held),
    cmocka_unit_test(kinds_of_statements_are_refused),
    cmocka_unit_test(pages_are_not_longer_than_the_limit),
    cmocka_unit_test(requests_in_flight_are_counted),
    cmocka_unit_test(what_is_used_is_counted),
    cmocka_unit_test(a_request_names_its_tenant),
    cmocka_unit_test(two_headers_that_differ_are_refused),
    cmocka_unit_test(a_web_server_knows_what_to_answer),
};

int main(void) {
    return cmocka_run_group_tests(tests, open_two, close_two);
}
