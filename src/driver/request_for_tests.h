// SPDX-License-Identifier: MIT
/* request_for_tests.h -- a fake cluster, a driver on it, and requests of every kind, for the tests of requests. */
#ifndef DRIVER_REQUEST_FOR_TESTS_H
#define DRIVER_REQUEST_FOR_TESTS_H

#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

#include "corm/testing.h"
#include "driver/cluster.h"
#include "driver/driver.h"
#include "testing/check.h"

/* ---- the cluster ---- */

typedef struct fixture {
    corm_fake_cluster *fake;
    driver_cluster    *cluster;
} fixture;

static fixture f;

static inline void start(const corm_fake_options *fake, const corm_cluster_options *given) {
    corm_error           err;
    corm_cluster_options options = given ? *given : (corm_cluster_options){ 0 };
    assert_ok(corm_fake_start(&f.fake, fake, &err), err);
    if (options.pool.size == 0) options.pool = (corm_pool_options){ .size = 1, .max_size = 1 };
    driver_contact  contact = { "127.0.0.1", corm_fake_port(f.fake) };
    driver_settings settings;
    assert_ok(driver__settings_make(&contact, 1, &options, CORM_LOCAL_QUORUM, &settings, &err),
              err);
    assert_ok(driver__open(&settings, &f.cluster, &err), err);
}

/* Waits until every node has a connection: plans are what the test says then. */
static inline void start_all_up(const corm_fake_options *fake, const corm_cluster_options *given) {
    start(fake, given);
    for (uint32_t up = 0; up < fake->nodes;) {
        const corm_stats *stats;
        corm_error        err;
        assert_ok(driver__stats(f.cluster, &stats, &err), err);
        up = stats->nodes_up;
        free((void *)(uintptr_t)stats);
    }
}

static inline int tear_down(void **state) {
    (void)state;
    driver__close(f.cluster);
    corm_fake_stop(f.fake);
    f = (fixture){ 0 };
    return 0;
}

static inline void rule(const char *match, corm_fake_rule what) {
    what.match = match;
    what.node = what.node ? what.node : -1;
    (void)corm_fake_add_rule(f.fake, &what);
}

static inline corm_stats stats_now(void) {
    const corm_stats *stats;
    corm_error        err;
    assert_ok(driver__stats(f.cluster, &stats, &err), err);
    corm_stats out = *stats;
    free((void *)(uintptr_t)stats);
    return out;
}

/* ---- requests ---- */

typedef struct outcome {
    corm_status status;
    corm_error  err;
    wire_answer answer;
} outcome;

static inline corm_status run(const wire_request *request, outcome *out) {
    wire__answer_free(&out->answer);
    out->err = (corm_error){ 0 };
    out->status = driver__execute(f.cluster, corm_str_of("ks"), request, &out->answer, &out->err);
    return out->status;
}

static inline corm_status query_with(const char *cql, const corm_request_options *routing,
                                     outcome *out) {
    wire_request request = { .kind = WIRE_QUERY,
                             .text = corm_str_of(cql),
                             .options.consistency = WIRE_LOCAL_QUORUM,
                             .options.routing = routing };
    return run(&request, out);
}

static inline void query(const char *cql, corm_status expected) {
    outcome out = { 0 };
    if (query_with(cql, NULL, &out) != expected) {
        fail_msg("%s: %s instead of %s: %s", cql, corm_status_name(out.status),
                 corm_status_name(expected), out.err.message);
    }
    wire__answer_free(&out.answer);
}

static inline const wire_prepared *prepare(const char *cql) {
    outcome      out = { 0 };
    wire_request request = { .kind = WIRE_PREPARE, .text = corm_str_of(cql) };
    assert_ok(run(&request, &out), out.err);
    const wire_prepared *prepared = out.answer.prepared;
    assert_non_null(prepared);
    wire__answer_free(&out.answer);
    return prepared;
}

static const uint8_t   seven[] = { 0, 0, 0, 7 };
static const cql_value sevens[] = { { seven, 4 }, { seven, 4 }, { seven, 4 } };

static inline corm_status execute(const wire_prepared *prepared, outcome *out) {
    wire_request request = { .kind = WIRE_EXECUTE,
                             .prepared = prepared,
                             .values = sevens,
                             .options.consistency = WIRE_LOCAL_QUORUM };
    request.value_count = driver__prepared_of(prepared)->marker_count;
    return run(&request, out);
}

static inline uint64_t seen(int node) {
    return corm_fake_count(f.fake, node).requests;
}

static inline void create_keyspace(void) {
    query(
        "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        CORM_OK);
}

/* ---- requests that are waited for later ---- */

typedef struct waiting {
    sem_t       done;
    atomic_int  ended;
    corm_status status;
    wire_answer answer;
} waiting;

static inline void ended(void *context, corm_status status, const corm_error *err) {
    waiting *w = context;
    (void)err;
    w->status = status;
    atomic_fetch_add(&w->ended, 1);
    (void)sem_post(&w->done);
}

static inline void wait_for(waiting *w) {
    while (sem_wait(&w->done) != 0) {
    }
    assert_int_equal(w->ended, 1);
}

#define REQUEST_TEST(test) cmocka_unit_test_teardown(test, tear_down)

#endif
