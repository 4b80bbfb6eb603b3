// SPDX-License-Identifier: MIT
/* request_storm_test.c -- a fake cluster whose nodes are killed, paused and restarted under load: what may be repeated is not
 * lost, what may not be repeated happens at most once. */
#include "driver/driver.h"

#include "corm/testing.h"
#include "driver/prepared.h"
#include "testing/check.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { NODES = 3, THREADS = 8, ROUND = 400 };

typedef struct storm {
    corm_fake_cluster   *fake;
    driver_cluster      *cluster;
    const wire_prepared *prepared;
    atomic_ullong        good, failed, errors;
    atomic_bool          stop;
    pthread_t            threads[THREADS];
    corm_error           error; /* of the first that failed */
} storm;

static storm s;

static void start(const corm_cluster_options *more) {
    corm_error           err;
    driver_settings      settings;
    corm_cluster_options options = *more;
    assert_ok(corm_fake_start(&s.fake, &(corm_fake_options){ .nodes = NODES }, &err), err);
    options.pool = (corm_pool_options){ .size = 2, .max_size = 4 };
    options.reconnection = (corm_reconnection_options){ .base_delay_ms = 5, .max_delay_ms = 50 };
    driver_contact           contacts[NODES];
    static const char *const names[NODES] = { "127.0.0.1", "127.0.0.2", "127.0.0.3" };
    for (int i = 0; i < NODES; i++)
        contacts[i] = (driver_contact){ names[i], corm_fake_port(s.fake) };
    assert_ok(driver__settings_make(contacts, NODES, &options, CORM_LOCAL_QUORUM, &settings, &err),
              err);
    assert_ok(driver__open(&settings, &s.cluster, &err), err);
}

static corm_status run(const wire_request *request, wire_answer *answer, corm_error *err) {
    return driver__execute(s.cluster, corm_str_of("ks"), request, answer, err);
}

static void prepare(const char *cql) {
    wire_answer  answer = { 0 };
    corm_error   err;
    wire_request request = { .kind = WIRE_PREPARE, .text = corm_str_of(cql) };
    assert_ok(run(&request, &answer, &err), err);
    s.prepared = answer.prepared;
    wire__answer_free(&answer);
}

static void *load(void *context) {
    static const uint8_t one[] = { 0, 0, 0, 1 };
    const cql_value      values[] = { { one, 4 }, { one, 4 } };
    wire_request         request = { .kind = WIRE_EXECUTE,
                                     .prepared = s.prepared,
                                     .values = values,
                                     .value_count = driver__prepared_of(s.prepared)->marker_count,
                                     .options.consistency = WIRE_LOCAL_QUORUM };
    wire_answer          answer = { 0 };
    (void)context;
    while (!atomic_load(&s.stop)) {
        corm_error  err;
        corm_status status = run(&request, &answer, &err);
        if (status != CORM_OK && atomic_fetch_add(&s.errors, 1) == 0) s.error = err;
        atomic_fetch_add(status == CORM_OK ? &s.good : &s.failed, 1);
    }
    wire__answer_free(&answer);
    return NULL;
}

static void begin_load(void) {
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&s.threads[i], NULL, load, NULL), 0);
    }
}

static void end_load(void) {
    atomic_store(&s.stop, true);
    for (int i = 0; i < THREADS; i++) pthread_join(s.threads[i], NULL);
}

/* So many answers later. */
static void pass(uint64_t answers) {
    uint64_t until = atomic_load(&s.good) + answers;
    while (atomic_load(&s.good) < until) (void)sched_yield();
}

static int tear_down(void **state) {
    (void)state;
    driver__prepared_unref(s.prepared);
    driver__close(s.cluster);
    corm_fake_stop(s.fake);
    s = (storm){ 0 };
    return 0;
}

static void assert_none_failed(void) {
    if (atomic_load(&s.failed) > 0) {
        fail_msg("%llu of %llu failed: %s", atomic_load(&s.failed), atomic_load(&s.good),
                 s.error.message);
    }
}

static void nothing_is_lost_while_nodes_are_killed_one_after_the_other(void **state) {
    (void)state;
    start(&(corm_cluster_options){ 0 });
    prepare("INSERT INTO t (k, v) VALUES (?, ?)");
    begin_load();
    for (uint32_t round = 0; round < 9; round++) {
        pass(ROUND);
        corm_fake_kill(s.fake, round % NODES);
        pass(ROUND);
        corm_fake_revive(s.fake, round % NODES);
    }
    pass(ROUND);
    end_load();
    assert_none_failed();
}

/* A request may meet one node after the other as it goes: the policy that goes on. */
static void nothing_is_lost_while_all_nodes_are_gone_for_a_while(void **state) {
    (void)state;
    start(&(corm_cluster_options){
        .retry = { .kind = CORM_RETRY_BACKOFF, .max_retries = 20, .base_delay_ms = 1 } });
    prepare("SELECT * FROM t WHERE k = ?");
    begin_load();
    for (int round = 0; round < 3; round++) {
        pass(ROUND);
        for (uint32_t i = 0; i < NODES; i++) corm_fake_kill(s.fake, i);
        for (uint32_t i = 0; i < NODES; i++) corm_fake_revive(s.fake, i);
    }
    pass(ROUND);
    end_load();
    assert_none_failed();
}

static void a_paused_node_is_left_by_its_health_check(void **state) {
    (void)state;
    start(&(corm_cluster_options){ .health_check = { .interval_ms = 20, .timeout_ms = 100 } });
    prepare("INSERT INTO t (k, v) VALUES (?, ?)");
    begin_load();
    for (uint32_t round = 0; round < 3; round++) {
        pass(ROUND);
        corm_fake_pause(s.fake, round % NODES);
        pass(ROUND);
        corm_fake_resume(s.fake, round % NODES);
    }
    pass(ROUND);
    end_load();
    assert_none_failed();
}

static void with_speculation_a_paused_node_is_hardly_noticed(void **state) {
    (void)state;
    start(&(corm_cluster_options){
        .speculative = { .kind = CORM_SPECULATE_CONSTANT, .delay_ms = 20 } });
    prepare("SELECT * FROM t WHERE k = ?");
    begin_load();
    pass(ROUND);
    corm_fake_pause(s.fake, 1);
    pass(ROUND);
    corm_fake_resume(s.fake, 1);
    pass(ROUND);
    end_load();
    assert_none_failed();
}

static void what_must_not_happen_twice_is_seen_at_most_once(void **state) {
    (void)state;
    start(&(corm_cluster_options){ 0 });
    prepare("UPDATE t SET c = c + ? WHERE k = ?");
    uint64_t before = corm_fake_count(s.fake, -1).requests;
    begin_load();
    for (uint32_t round = 0; round < 6; round++) {
        pass(ROUND);
        corm_fake_kill(s.fake, round % NODES);
        pass(ROUND);
        corm_fake_revive(s.fake, round % NODES);
    }
    end_load();
    const corm_stats *stats;
    corm_error        err;
    assert_ok(driver__stats(s.cluster, &stats, &err), err);
    uint64_t seen = corm_fake_count(s.fake, -1).requests - before;
    uint64_t asked = atomic_load(&s.good) + atomic_load(&s.failed);
    print_message("%llu good, %llu failed, %llu seen, %llu prepared again\n", atomic_load(&s.good),
                  atomic_load(&s.failed), (unsigned long long)seen,
                  (unsigned long long)stats->reprepares);
    assert_int_equal(stats->retries, 0);
    assert_true(seen <= asked + stats->reprepares * THREADS);
    free((void *)(uintptr_t)stats);
}

#define STORM_TEST(test) cmocka_unit_test_teardown(test, tear_down)

static const struct CMUnitTest tests[] = {
    STORM_TEST(nothing_is_lost_while_nodes_are_killed_one_after_the_other),
    STORM_TEST(nothing_is_lost_while_all_nodes_are_gone_for_a_while),
    STORM_TEST(a_paused_node_is_left_by_its_health_check),
    STORM_TEST(with_speculation_a_paused_node_is_hardly_noticed),
    STORM_TEST(what_must_not_happen_twice_is_seen_at_most_once),
};

RUN_TESTS()
