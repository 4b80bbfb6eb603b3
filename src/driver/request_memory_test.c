// SPDX-License-Identifier: MIT
/* request_memory_test.c -- requests whose memory runs out at every place where they ask for some: an error, or success, and the
 * next request is answered. On the caller's loop, so that nothing fails but what is tested. */
#include "driver/driver.h"

#include "corm/testing.h"
#include "driver/prepared.h"
#include "testing/check.h"
#include "testing/memory.h"

#include <stdlib.h>
#include <uv.h>

enum { MOST_ALLOCATIONS = 400, TIMEOUT_MS = 60 };

static corm_fake_cluster *fake;
static driver_cluster    *cluster;
static uv_loop_t          loop;

static void start(uint8_t version) {
    corm_error           err;
    driver_settings      settings;
    corm_fake_options    options = { .nodes = 1, .most_version = version };
    corm_cluster_options own = {
        .loop = &loop,
        .pool = { .size = 1, .max_size = 1 },
        .request_timeout_ms = 5000,
        .schema_agreement_ms = 50,
        .reconnection = { .base_delay_ms = 1, .max_delay_ms = 5, .dials_per_second = 1000 },
    };
    assert_ok(corm_fake_start(&fake, &options, &err), err);
    assert_int_equal(uv_loop_init(&loop), 0);
    driver_contact contact = { "127.0.0.1", corm_fake_port(fake) };
    assert_ok(driver__settings_make(&contact, 1, &own, CORM_ONE, &settings, &err), err);
    assert_ok(driver__open(&settings, &cluster, &err), err);
}

static int tear_down(void **state) {
    (void)state;
    driver__close(cluster);
    corm_fake_stop(fake);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

static corm_status run(const wire_request *request, wire_answer *answer, corm_error *err) {
    return driver__execute(cluster, corm_str_of("ks"), request, answer, err);
}

static void must(const wire_request *request) {
    wire_answer answer = { 0 };
    corm_error  err;
    assert_ok(run(request, &answer, &err), err);
    driver__prepared_unref(answer.prepared);
    wire__answer_free(&answer);
}

/* What may become of it: a connection that had no memory is lost, and the time may pass until there is a new one. */
static void assert_expected(corm_status status, const corm_error *err) {
    bool expected = status == CORM_OK || status == CORM_NO_MEMORY || status == CORM_TIMEOUT ||
                    status == CORM_IO;
    if (!expected) fail_msg("%s: %s", corm_status_name(status), err->message);
}

/* Without memory behind the n-th allocation, for every n until none fails. */
static void starve(const wire_request *request) {
    corm_request_options hasty = { .timeout_ms = TIMEOUT_MS };
    wire_request         read = { .kind = WIRE_QUERY, .text = corm_str_of("SELECT * FROM t") };
    wire_request         own = *request;
    own.options.routing = &hasty;
    for (size_t n = 0; n < MOST_ALLOCATIONS; n++) {
        wire_answer answer = { 0 };
        corm_error  err;
        testing__memory_fail_from(n);
        corm_status status = run(&own, &answer, &err);
        bool        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        assert_expected(status, &err);
        driver__prepared_unref(answer.prepared);
        wire__answer_free(&answer);
        must(&read);
        if (!failed) return;
    }
    fail_msg("more than %d allocations", MOST_ALLOCATIONS);
}

static void queries(void **state) {
    (void)state;
    start(5);
    starve(&(wire_request){ .kind = WIRE_QUERY,
                            .text = corm_str_of("SELECT * FROM t WHERE k = 1"),
                            .options.tracing = true });
}

static void queries_with_their_keyspace_in_the_text(void **state) {
    (void)state;
    start(4);
    starve(&(wire_request){ .kind = WIRE_QUERY, .text = corm_str_of("DELETE FROM t WHERE k = 1") });
}

static void schema_changes(void **state) {
    (void)state;
    start(5);
    must(&(wire_request){
        .kind = WIRE_QUERY,
        .text = corm_str_of("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', "
                            "'replication_factor': 1}") });
    starve(&(wire_request){
        .kind = WIRE_QUERY,
        .text = corm_str_of("CREATE TABLE IF NOT EXISTS t2 (k int PRIMARY KEY, v text)") });
}

static void preparing(void **state) {
    (void)state;
    start(5);
    corm_fake_add_rule(fake, &(corm_fake_rule){ .node = -1, .match = "WHERE", .bind = "k int" });
    starve(&(wire_request){ .kind = WIRE_PREPARE,
                            .text = corm_str_of("SELECT * FROM t WHERE k = ?") });
}

static void executing_and_preparing_again(void **state) {
    (void)state;
    start(5);
    wire_answer          answer = { 0 };
    corm_error           err;
    const wire_request   prepare = { .kind = WIRE_PREPARE,
                                     .text = corm_str_of("INSERT INTO t (k, v) VALUES (?, ?)") };
    static const uint8_t one[] = { 0, 0, 0, 1 };
    const cql_value      values[] = { { one, 4 }, { one, 4 } };
    assert_ok(run(&prepare, &answer, &err), err);
    wire_request execute = {
        .kind = WIRE_EXECUTE, .prepared = answer.prepared, .values = values, .value_count = 2
    };
    wire_batch_item item = { .prepared = answer.prepared, .value_count = 2, .values = values };
    wire_request    batch = { .kind = WIRE_BATCH, .batch = &item, .batch_count = 1 };
    starve(&execute);
    starve(&batch);
    corm_fake_set_faults(fake, -1, &(corm_fake_faults){ .unprepared = 0.6 });
    starve(&execute);
    corm_fake_set_faults(fake, -1, NULL);
    driver__prepared_unref(answer.prepared);
    wire__answer_free(&answer);
}

/* Request objects, buffers of messages and answers are those of earlier requests. */
static void the_steady_path_asks_for_no_memory(void **state) {
    (void)state;
    enum { WARM = 2000, STEADY = 1000 };
    start(5);
    wire_answer          prepared = { 0 }, answer = { 0 };
    corm_error           err;
    const wire_request   prepare = { .kind = WIRE_PREPARE,
                                     .text = corm_str_of("INSERT INTO t (k, v) VALUES (?, ?)") };
    static const uint8_t one[] = { 0, 0, 0, 1 };
    const cql_value      values[] = { { one, 4 }, { one, 4 } };
    assert_ok(run(&prepare, &prepared, &err), err);
    wire_request execute = {
        .kind = WIRE_EXECUTE, .prepared = prepared.prepared, .values = values, .value_count = 2
    };
    for (int i = 0; i < WARM + STEADY; i++) {
        wire__answer_clear(&answer);
        testing__memory_fail_from(i < WARM ? SIZE_MAX : 0);
        corm_status status = run(&execute, &answer, &err);
        bool        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        assert_ok(status, err);
        assert_false(failed);
    }
    driver__prepared_unref(prepared.prepared);
    wire__answer_free(&prepared);
    wire__answer_free(&answer);
}

#define MEMORY_TEST(test) cmocka_unit_test_teardown(test, tear_down)

static const struct CMUnitTest tests[] = {
    MEMORY_TEST(queries),
    MEMORY_TEST(queries_with_their_keyspace_in_the_text),
    MEMORY_TEST(schema_changes),
    MEMORY_TEST(preparing),
    MEMORY_TEST(executing_and_preparing_again),
    MEMORY_TEST(the_steady_path_asks_for_no_memory),
};

int main(void) {
    if (!testing__memory_can_fail()) return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
