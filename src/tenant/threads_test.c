// SPDX-License-Identifier: MIT
/* Many threads over two tenants: statements, few plans kept, states and limits changed meanwhile. */
#include <pthread.h>
#include <stdatomic.h>

#include "tenant/tenant_for_tests.h"

enum { THREADS = 4, ROUNDS = 60 };

static two_tenants          two;
static corm_tenant_strategy strategy;
static atomic_int           wrong;

/* What another thread's change of state or limit may make of it. */
static bool is_expected(corm_status status) {
    return status == CORM_OK || status == CORM_UNAUTHORIZED || status == CORM_OVERLOADED;
}

static void *work(void *context) {
    int         number = *(int *)context;
    const char *mark = number % 2 ? "b" : "a";
    for (int i = 0; i < ROUNDS; i++) {
        corm_session *session = number % 2 ? two.b : two.a, *own;
        corm_result  *result;
        corm_error    err = { 0 };
        corm_status   status =
            corm_execute(session, "INSERT INTO users (id, name) VALUES (?, ?)", NULL,
                         { .values = { corm_v((int32_t)(i % 5)), corm_v(mark) }, .error = &err });
        if (!is_expected(status)) atomic_fetch_add(&wrong, 1);
        status = corm_tenant_execute(two.tenants, number % 2 ? "blue-1" : "acme",
                                     "SELECT name FROM users", &result, { .error = &err });
        if (!is_expected(status)) atomic_fetch_add(&wrong, 1);
        for (const corm_row *row; status == CORM_OK && (row = corm_result_next(result)) != NULL;) {
            if (!corm_str_equal(corm_row_text(row, 0), corm_str_of(mark)))
                atomic_fetch_add(&wrong, 1);
        }
        if (status == CORM_OK) corm_result_free(result);
        status = corm_tenant_session(two.tenants, number % 2 ? "blue-1" : "acme", &own, &err);
        if (!is_expected(status)) atomic_fetch_add(&wrong, 1);
        if (status == CORM_OK) corm_session_close(own);
    }
    return NULL;
}

static void change(void) {
    corm_error err = { 0 };
    for (uint32_t i = 0; i < 5; i++) {
        assert_ok(corm_tenant_suspend(two.tenants, "acme", &err), err);
        assert_ok(corm_tenant_resume(two.tenants, "acme", &err), err);
        assert_ok(corm_tenant_set_limits(two.tenants, "blue-1",
                                         &(corm_tenant_limits){ .in_flight = i }, &err),
                  err);
        if (strategy == CORM_TENANT_COLUMN)
            two_run(two.session, "CREATE TABLE IF NOT EXISTS more (id int PRIMARY KEY)");
    }
}

static void threads_do_not_mix_tenants(void **state) {
    pthread_t threads[THREADS];
    int       numbers[THREADS];
    (void)state;
    atomic_store(&wrong, 0);
    two_open(&two, strategy, (corm_tenants_options){ .cached_plans = 2 });
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &numbers[i]), 0);
    }
    change();
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
    two_close(&two);
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(threads_do_not_mix_tenants) };

int main(void) {
    int failed = 0;
    for (strategy = CORM_TENANT_KEYSPACE; strategy <= CORM_TENANT_COLUMN; strategy++) {
        failed += cmocka_run_group_tests_name(strategy_names[strategy], tests, NULL, NULL);
    }
    return failed;
}
