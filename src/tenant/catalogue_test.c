// SPDX-License-Identifier: MIT
/* The catalogue: tenants made, listed, suspended, dropped; by several at once; stopped at every request and done again. */
#include <pthread.h>
#include <stdlib.h>

#include "base/fail.h"
#include "session/front.h"
#include "tenant/tenant_for_tests.h"

enum { RACERS = 4 };

/* A keyspace takes a cluster a second: not every request is tried there. */
#define STEP (testing__is_cluster() && !testing__is_served() ? 5 : 1)

static two_tenants          two;
static corm_tenant_strategy strategy;

static int open_two(void **state) {
    (void)state;
    two_open(&two, strategy, (corm_tenants_options){ 0 });
    return 0;
}

static int close_two(void **state) {
    (void)state;
    two_run(two.session, "DROP KEYSPACE IF EXISTS tenants_t__other");
    two_close(&two);
    return 0;
}

/* As text: "acme active k=v, blue-1 active" */
static const char *list(corm_tenants *tenants) {
    static const char *const states[] = { "creating", "active", "suspended", "dropping" };
    static char              out[512];
    corm_tenant_list        *all;
    corm_error               err = { 0 };
    size_t                   len = 0;
    out[0] = '\0';
    assert_ok(corm_tenant_list_read(tenants, &all, &err), err);
    for (uint32_t i = 0; i < all->count; i++) {
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%s %s", i ? ", " : "",
                                all->items[i].id, states[all->items[i].state]);
        for (uint32_t a = 0; a < all->items[i].attribute_count; a++) {
            len += (size_t)snprintf(out + len, sizeof out - len, " %s=%s",
                                    all->items[i].attributes[a].name,
                                    all->items[i].attributes[a].value);
        }
    }
    corm_tenant_list_free(all);
    return out;
}

static void drop(corm_tenants *tenants, const char *id) {
    bool       done = false;
    corm_error err = { 0 };
    while (!done) assert_ok(corm_tenant_drop(tenants, id, 0, &done, &err), err);
}

static void tenants_are_made_and_listed(void **state) {
    corm_error                  err = { 0 };
    const corm_tenant_attribute attributes[] = { { "plan", "gold" }, { "city", "Rome" } };
    (void)state;
    assert_string_equal(list(two.tenants), "acme active, blue-1 active");
    assert_status(
        corm_tenant_create(two.tenants, "acme", &(corm_tenant_create_options){ .error = &err }),
        CORM_ALREADY_EXISTS);
    assert_status(
        corm_tenant_create(two.tenants, "A b", &(corm_tenant_create_options){ .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_status(
        corm_tenant_create(two.tenants, "_schema", &(corm_tenant_create_options){ .error = &err }),
        CORM_INVALID_ARGUMENT);
    corm_tenant_create_options options = { .attributes = attributes,
                                           .attribute_count = 2,
                                           .limits = { .in_flight = 3, .page_bytes = 5000000000 },
                                           .error = &err };
    assert_ok(corm_tenant_create(two.tenants, "other", &options), err);
    assert_string_equal(list(two.tenants),
                        "acme active, blue-1 active, other active city=Rome plan=gold");
    assert_ok(corm_tenant_set_attribute(two.tenants, "other", "plan", NULL, &err), err);
    assert_ok(corm_tenant_set_attribute(two.tenants, "other", "size", "9", &err), err);
    corm_tenant_list *one;
    assert_ok(corm_tenant_get(two.tenants, "other", &one, &err), err);
    assert_int_equal(one->items[0].limits.in_flight, 3);
    assert_true(one->items[0].limits.page_bytes == 5000000000);
    assert_true(one->items[0].created_at.ms > 0);
    assert_int_equal(one->items[0].attribute_count, 2);
    corm_tenant_list_free(one);
    drop(two.tenants, "other");
    assert_string_equal(list(two.tenants), "acme active, blue-1 active");
    assert_status(corm_tenant_get(two.tenants, "other", &one, &err), CORM_NOT_FOUND);
    assert_status(corm_tenant_set_attribute(two.tenants, "other", "a", "b", &err), CORM_NOT_FOUND);
    corm_session *session;
    assert_status(corm_tenant_session(two.tenants, "other", &session, &err), CORM_NOT_FOUND);
}

static void a_suspended_tenant_is_refused(void **state) {
    corm_error    err = { 0 };
    corm_session *session;
    (void)state;
    assert_ok(corm_tenant_suspend(two.tenants, "acme", &err), err);
    assert_status(corm_tenant_session(two.tenants, "acme", &session, &err), CORM_UNAUTHORIZED);
    assert_status(corm_execute(two.a, "SELECT * FROM users", NULL, { .error = &err }),
                  CORM_UNAUTHORIZED);
    assert_string_equal(err.message, "tenant 'acme' is suspended");
    two_run(two.b, "SELECT * FROM users");
    assert_ok(corm_tenant_suspend(two.tenants, "acme", &err), err);
    assert_ok(corm_tenant_resume(two.tenants, "acme", &err), err);
    two_run(two.a, "SELECT * FROM users");
    assert_status(corm_tenant_suspend(two.tenants, "nobody", &err), CORM_NOT_FOUND);
}

/* ---- several at once ---- */

typedef struct racer {
    pthread_t     thread;
    corm_tenants *tenants;
    corm_status   status;
} racer;

static void *race(void *context) {
    racer *r = context;
    r->status = corm_tenant_create(r->tenants, "other", NULL);
    return NULL;
}

static void one_of_several_makes_a_tenant(void **state) {
    racer      racers[RACERS];
    corm_error err = { 0 };
    int        made = 0;
    (void)state;
    for (int i = 0; i < RACERS; i++) {
        corm_tenants_options options = { .strategy = strategy,
                                         .schema = tenant_schema_texts,
                                         .schema_count = 2,
                                         .state_cache_ms = 1,
                                         .error = &err };
        assert_ok(corm_tenants_open(&racers[i].tenants, two.session, &options), err);
    }
    for (int i = 0; i < RACERS; i++) pthread_create(&racers[i].thread, NULL, race, &racers[i]);
    for (int i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        made += racers[i].status == CORM_OK;
        assert_true(racers[i].status == CORM_OK || racers[i].status == CORM_ALREADY_EXISTS);
        corm_tenants_close(racers[i].tenants);
    }
    assert_int_equal(made, 1);
    assert_string_equal(list(two.tenants), "acme active, blue-1 active, other active");
    drop(two.tenants, "other");
}

/* ---- stopped ---- */

typedef struct stopping {
    session_front front; /* first */
    int          *left;
} stopping;

/* From some request on the process is gone. */
static corm_status stop(session_front_call *call, bool *answered, corm_error *err) {
    (void)answered;
    if ((*((stopping *)call->front)->left)-- > 0) return CORM_OK;
    return base__fail(err, CORM_IO, "stopped");
}

static const session_front_ops stops = { .begin = stop };

static corm_tenants *open_stopping(int *left, corm_session **session) {
    corm_error err = { 0 };
    stopping  *front = calloc(1, sizeof *front);
    assert_non_null(front);
    front->left = left;
    session__front_init(&front->front, two.session, &stops);
    assert_ok(session__front_open(&front->front, NULL, session, &err), err);
    corm_tenants        *tenants;
    corm_tenants_options options = { .strategy = strategy,
                                     .schema = tenant_schema_texts,
                                     .schema_count = 2,
                                     .lease_ms = 1,
                                     .state_cache_ms = 1,
                                     .error = &err };
    assert_ok(corm_tenants_open(&tenants, *session, &options), err);
    return tenants;
}

static void making_may_stop_anywhere(void **state) {
    corm_status status = CORM_IO;
    (void)state;
    for (int most = 0; status != CORM_OK; most += STEP) {
        int           left = most;
        corm_session *session;
        corm_error    err = { 0 };
        corm_tenants *tenants = open_stopping(&left, &session);
        status = corm_tenant_create(tenants, "other", NULL);
        left = 1000;
        while (status != CORM_OK) {
            corm_status again = corm_tenant_create(tenants, "other",
                                                   &(corm_tenant_create_options){ .error = &err });
            if (again == CORM_OK || strstr(err.message, "exists already")) break;
            assert_status(again, CORM_ALREADY_EXISTS); /* its lease, for a millisecond */
        }
        corm_session *other;
        assert_ok(corm_tenant_session(tenants, "other", &other, &err), err);
        two_run(other, "INSERT INTO users (id, name) VALUES (1, 'x')");
        corm_session_close(other);
        drop(tenants, "other");
        corm_tenants_close(tenants);
        corm_session_close(session);
        assert_true(most < 200);
    }
    assert_string_equal(list(two.tenants), "acme active, blue-1 active");
}

static void fill(corm_tenants *tenants) {
    corm_session *other;
    corm_error    err = { 0 };
    assert_ok(corm_tenant_create(tenants, "other", &(corm_tenant_create_options){ .error = &err }),
              err);
    assert_ok(corm_tenant_session(tenants, "other", &other, &err), err);
    for (int i = 0; i < 3; i++) {
        char cql[64];
        snprintf(cql, sizeof cql, "INSERT INTO users (id, name) VALUES (%d, 'x')", i);
        two_run(other, cql);
    }
    corm_session_close(other);
}

static void dropping_may_stop_anywhere(void **state) {
    bool done = false;
    (void)state;
    two_run(two.a, "INSERT INTO users (id, name) VALUES (1, 'stays')");
    for (int most = 0; !done; most += STEP) {
        int           left = 1000;
        corm_session *session;
        corm_error    err = { 0 };
        corm_tenants *tenants = open_stopping(&left, &session);
        if (strstr(list(tenants), "other") == NULL) fill(tenants);
        left = most;
        corm_status status = corm_tenant_drop(tenants, "other", 0, &done, &err);
        left = 1000;
        if (status == CORM_OK) assert_true(done);
        if (!done && strstr(list(tenants), "other")) drop(tenants, "other");
        fill(tenants);
        corm_session *other;
        assert_ok(corm_tenant_session(tenants, "other", &other, &err), err);
        assert_string_equal(two_rows(other, "SELECT count(*) FROM users"), "3\n");
        corm_session_close(other);
        corm_tenants_close(tenants);
        corm_session_close(session);
        assert_true(most < 200);
    }
    drop(two.tenants, "other");
    assert_string_equal(two_rows(two.a, "SELECT name FROM users"), "stays\n");
}

static void dropping_goes_in_steps(void **state) {
    corm_error err = { 0 };
    bool       done = false;
    int        calls = 0;
    (void)state;
    fill(two.tenants);
    corm_session *session;
    for (; !done; calls++) {
        assert_ok(corm_tenant_drop(two.tenants, "other", 1, &done, &err), err);
        assert_status(corm_tenant_session(two.tenants, "other", &session, &err),
                      done ? CORM_NOT_FOUND : CORM_UNAUTHORIZED);
        if (!done)
            assert_status(corm_tenant_create(two.tenants, "other", NULL), CORM_ALREADY_EXISTS);
    }
    assert_true(strategy == CORM_TENANT_KEYSPACE ? calls == 1 : calls > 3);
    assert_status(corm_tenant_drop(two.tenants, "other", 0, &done, &err), CORM_NOT_FOUND);
}

static void another_strategy_finds_no_tenants_of_this_one(void **state) {
    corm_error           err = { 0 };
    corm_tenants        *others;
    corm_session        *session;
    bool                 done;
    corm_tenants_options options = { .strategy = (strategy + 1) % 3,
                                     .state_cache_ms = 1,
                                     .error = &err };
    (void)state;
    assert_ok(corm_tenants_open(&others, two.session, &options), err);
    assert_status(corm_tenant_session(others, "acme", &session, &err), CORM_SCHEMA_MISMATCH);
    assert_status(corm_tenant_drop(others, "acme", 0, &done, &err), CORM_SCHEMA_MISMATCH);
    assert_status(corm_tenant_create(others, "acme", NULL), CORM_ALREADY_EXISTS);
    corm_tenants_close(others);
    two_run(two.a, "SELECT * FROM users");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tenants_are_made_and_listed),
    cmocka_unit_test(a_suspended_tenant_is_refused),
    cmocka_unit_test(another_strategy_finds_no_tenants_of_this_one),
    cmocka_unit_test(one_of_several_makes_a_tenant),
    cmocka_unit_test(dropping_goes_in_steps),
    cmocka_unit_test(making_may_stop_anywhere),
    cmocka_unit_test(dropping_may_stop_anywhere),
};

int main(void) {
    int failed = 0;
    for (strategy = CORM_TENANT_KEYSPACE; strategy <= CORM_TENANT_COLUMN; strategy++) {
        failed += cmocka_run_group_tests_name(strategy_names[strategy], tests, open_two, close_two);
    }
    return failed;
}
