// SPDX-License-Identifier: MIT
/* request_test.c -- requests against a fake cluster: where they go, what is tried again, what comes back. */
#include "driver/driver.h"

#include "corm/testing.h"
#include "driver/cluster.h"
#include "testing/check.h"

#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

/* ---- the cluster ---- */

typedef struct fixture {
    corm_fake_cluster *fake;
    driver_cluster    *cluster;
} fixture;

static fixture f;

static void start(const corm_fake_options *fake, const corm_cluster_options *given) {
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
static void start_all_up(const corm_fake_options *fake, const corm_cluster_options *given) {
    start(fake, given);
    for (uint32_t up = 0; up < fake->nodes;) {
        const corm_stats *stats;
        corm_error        err;
        assert_ok(driver__stats(f.cluster, &stats, &err), err);
        up = stats->nodes_up;
        free((void *)(uintptr_t)stats);
    }
}

static int tear_down(void **state) {
    (void)state;
    driver__close(f.cluster);
    corm_fake_stop(f.fake);
    f = (fixture){ 0 };
    return 0;
}

static void rule(const char *match, corm_fake_rule what) {
    what.match = match;
    what.node = what.node ? what.node : -1;
    (void)corm_fake_add_rule(f.fake, &what);
}

static corm_stats stats_now(void) {
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

static corm_status run(const wire_request *request, outcome *out) {
    wire__answer_free(&out->answer);
    out->err = (corm_error){ 0 };
    out->status = driver__execute(f.cluster, corm_str_of("ks"), request, &out->answer, &out->err);
    return out->status;
}

static corm_status query_with(const char *cql, const corm_request_options *routing, outcome *out) {
    wire_request request = { .kind = WIRE_QUERY,
                             .text = corm_str_of(cql),
                             .options.consistency = WIRE_LOCAL_QUORUM,
                             .options.routing = routing };
    return run(&request, out);
}

static void query(const char *cql, corm_status expected) {
    outcome out = { 0 };
    if (query_with(cql, NULL, &out) != expected) {
        fail_msg("%s: %s instead of %s: %s", cql, corm_status_name(out.status),
                 corm_status_name(expected), out.err.message);
    }
    wire__answer_free(&out.answer);
}

static const wire_prepared *prepare(const char *cql) {
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

static corm_status execute(const wire_prepared *prepared, outcome *out) {
    wire_request request = { .kind = WIRE_EXECUTE,
                             .prepared = prepared,
                             .values = sevens,
                             .options.consistency = WIRE_LOCAL_QUORUM };
    request.value_count = driver__prepared_of(prepared)->marker_count;
    return run(&request, out);
}

static uint64_t seen(int node) {
    return corm_fake_count(f.fake, node).requests;
}

static void create_keyspace(void) {
    query(
        "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        CORM_OK);
}

/* ---- plain answers ---- */

static void a_query_is_answered(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    rule("SELECT",
         (corm_fake_rule){ .columns = "k int, v text", .rows = "1 | 'a'", .warning = "slow down" });
    outcome out = { 0 };
    assert_ok(query_with("SELECT * FROM t", NULL, &out), out.err);
    base_arena  arena = { 0 };
    wire_result result;
    assert_ok(wire__result_read(base__buf_bytes(&out.answer.body), out.answer.version, &arena,
                                &result, &out.err),
              out.err);
    assert_int_equal(result.kind, WIRE_ROWS);
    assert_int_equal(result.row_count, 1);
    assert_int_equal(out.answer.version, 5);
    assert_int_equal(wire__warning_count(&out.answer), 1);
    assert_text(wire__warning(&out.answer, 0), "slow down");
    base__arena_free(&arena);
    wire__answer_free(&out.answer);
}

static void the_keyspace_goes_along_in_v5(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    query("SELECT * FROM t", CORM_OK);
    char *last = corm_fake_last_request(f.fake, 0);
    assert_non_null(strstr(last, "keyspace=ks"));
    assert_non_null(strstr(last, "text=SELECT * FROM t"));
    free(last);
}

static void the_keyspace_goes_into_the_text_in_v4(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1, .most_version = 4 }, NULL);
    query("SELECT * FROM t", CORM_OK);
    char *last = corm_fake_last_request(f.fake, 0);
    assert_non_null(strstr(last, "text=SELECT * FROM ks.t"));
    free(last);
}

static void a_text_that_cannot_be_read_is_sent_behind_use_in_v4(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1, .most_version = 4 }, NULL);
    create_keyspace();
    rule("BYPASS", (corm_fake_rule){ .columns = "k int", .rows = "1" });
    for (int i = 0; i < 2; i++) {
        query("SELECT * FROM t BYPASS CACHE", CORM_OK);
        char *last = corm_fake_last_request(f.fake, 0);
        assert_non_null(strstr(last, "keyspace=ks"));
        free(last);
    }
}

static void now_in_seconds_needs_v5(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1, .most_version = 4 }, NULL);
    wire_request request = { .kind = WIRE_QUERY,
                             .text = corm_str_of("SELECT 1 FROM t"),
                             .options.has_now = true };
    outcome      out = { 0 };
    assert_status(run(&request, &out), CORM_UNSUPPORTED);
    assert_non_null(strstr(out.err.message, "version 5"));
}

static void writes_have_a_timestamp_that_grows(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    long long before = 0;
    for (int i = 0; i < 3; i++) {
        query("INSERT INTO t (k) VALUES (1)", CORM_OK);
        char *last = corm_fake_last_request(f.fake, 0);
        char *at = strstr(last, "timestamp=");
        assert_non_null(at);
        long long now = atoll(at + 10);
        assert_true(now > before);
        before = now;
        free(last);
    }
    query("SELECT k FROM t", CORM_OK);
    char *last = corm_fake_last_request(f.fake, 0);
    assert_null(strstr(last, "timestamp="));
    free(last);
}

static void servers_can_have_the_clock(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 },
          &(corm_cluster_options){ .no_client_timestamps = true });
    query("INSERT INTO t (k) VALUES (1)", CORM_OK);
    char *last = corm_fake_last_request(f.fake, 0);
    assert_null(strstr(last, "timestamp="));
    free(last);
}

/* ---- profiles and options ---- */

static void a_profile_has_its_own_consistency(void **state) {
    (void)state;
    corm_profile profile = { .name = "slow", .consistency = CORM_ALL };
    start(&(corm_fake_options){ .nodes = 1 },
          &(corm_cluster_options){ .profiles = &profile, .profile_count = 1 });
    outcome out = { 0 };
    assert_ok(query_with("SELECT * FROM t", &(corm_request_options){ .profile = "slow" }, &out),
              out.err);
    char *last = corm_fake_last_request(f.fake, 0);
    assert_non_null(strstr(last, "consistency=ALL"));
    free(last);
    wire__answer_free(&out.answer);
    assert_status(query_with("SELECT * FROM t", &(corm_request_options){ .profile = "fast" }, &out),
                  CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(out.err.message, "'fast'"));
}

static void a_host_is_asked_alone(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 3 }, NULL);
    outcome out = { 0 };
    for (int i = 0; i < 12; i++) {
        assert_ok(
            query_with("SELECT * FROM t", &(corm_request_options){ .host = "127.0.0.2" }, &out),
            out.err);
        wire__answer_free(&out.answer);
    }
    assert_int_equal(seen(1), 12);
    assert_int_equal(seen(0) + seen(2), 0);
    assert_status(
        query_with("SELECT * FROM t", &(corm_request_options){ .host = "10.9.9.9" }, &out),
        CORM_NOT_FOUND);
}

/* ---- retries ---- */

static void an_error_of_the_statement_is_the_callers(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 3 }, NULL);
    rule("SELECT", (corm_fake_rule){ .error = CORM_INVALID, .message = "line 1:7 no such column" });
    outcome out = { 0 };
    assert_status(query_with("SELECT x FROM t", NULL, &out), CORM_INVALID);
    assert_int_equal(out.err.line, 1);
    assert_int_equal(out.err.column, 7);
    assert_int_equal(seen(-1), 1);
    assert_int_equal(stats_now().retries, 0);
}

static void an_overloaded_node_is_left_for_the_next(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 3 }, NULL);
    rule("SELECT", (corm_fake_rule){ .error = CORM_OVERLOADED, .times = 2 });
    query("SELECT * FROM t", CORM_OK);
    assert_int_equal(seen(-1), 3);
    for (int node = 0; node < 3; node++) assert_int_equal(seen(node), 1);
    assert_int_equal(stats_now().retries, 2);
}

static void when_all_are_overloaded_the_error_names_each(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 3 }, NULL);
    rule("SELECT", (corm_fake_rule){ .error = CORM_OVERLOADED, .message = "too much" });
    outcome out = { 0 };
    assert_status(query_with("SELECT * FROM t", NULL, &out), CORM_OVERLOADED);
    assert_non_null(strstr(out.err.message, "127.0.0.1:"));
    assert_non_null(strstr(out.err.message, "127.0.0.2:"));
    assert_non_null(strstr(out.err.message, "127.0.0.3:"));
    assert_int_equal(seen(-1), 3);
}

static void a_lost_connection_is_no_loss_for_what_may_be_repeated(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 2 }, NULL);
    rule("INSERT", (corm_fake_rule){ .close_connection = true, .times = 1 });
    query("INSERT INTO t (k) VALUES (1)", CORM_OK);
    assert_int_equal(seen(-1), 2);
}

static void a_single_node_that_comes_back_is_asked_again(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 },
          &(corm_cluster_options){ .reconnection = { .base_delay_ms = 10 } });
    rule("INSERT", (corm_fake_rule){ .close_connection = true, .times = 1 });
    query("INSERT INTO t (k) VALUES (1)", CORM_OK);
    assert_int_equal(seen(-1), 2);
}

static void a_write_that_may_have_been_applied_is_never_sent_twice(void **state) {
    (void)state;
    static const corm_retry_kind kinds[] = { CORM_RETRY_DEFAULT, CORM_RETRY_BACKOFF,
                                             CORM_RETRY_DOWNGRADING };
    static const char *const     texts[] = { "UPDATE t SET c = c + 1 WHERE k = 1",
                                             "INSERT INTO t (k, v) VALUES (1, now())",
                                             "INSERT INTO t (k) VALUES (1) IF NOT EXISTS" };
    for (size_t kind = 0; kind < 3; kind++) {
        start_all_up(
            &(corm_fake_options){ .nodes = 2 },
            &(corm_cluster_options){ .retry = { .kind = kinds[kind], .base_delay_ms = 1 } });
        rule(NULL, (corm_fake_rule){ .error = CORM_WRITE_TIMEOUT,
                                     .write_type = CORM_WRITE_BATCH_LOG,
                                     .times = 3 });
        for (size_t i = 0; i < 3; i++) query(texts[i], CORM_WRITE_TIMEOUT);
        assert_int_equal(seen(-1), 3);
        rule(NULL, (corm_fake_rule){ .close_connection = true, .times = 1 });
        query(texts[kind], CORM_IO);
        assert_int_equal(seen(-1), 4);
        (void)tear_down(NULL);
    }
}

static corm_retry_decision always(void *context, const corm_failure *failure) {
    atomic_int *asked = context;
    atomic_fetch_add(asked, 1);
    (void)failure;
    return (corm_retry_decision){ .verdict = CORM_RETRY_NEXT_NODE };
}

static void not_even_when_a_policy_says_so(void **state) {
    (void)state;
    atomic_int        asked = 0;
    corm_retry_policy policy = { always, &asked };
    start_all_up(&(corm_fake_options){ .nodes = 2 },
                 &(corm_cluster_options){ .retry.policy = &policy });
    rule("UPDATE", (corm_fake_rule){ .close_connection = true });
    query("UPDATE t SET c = c + 1 WHERE k = 1", CORM_IO);
    assert_int_equal(seen(-1), 1);
    assert_int_equal(asked, 1);
}

static void the_caller_can_say_that_it_may(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 2 }, NULL);
    rule("UPDATE", (corm_fake_rule){ .close_connection = true, .times = 1 });
    rule("SELECT", (corm_fake_rule){ .close_connection = true, .times = 1 });
    outcome              out = { 0 };
    corm_request_options yes = { .idempotence = CORM_IDEMPOTENT },
                         no = { .idempotence = CORM_NOT_IDEMPOTENT };
    assert_ok(query_with("UPDATE t SET c = c + 1 WHERE k = 1", &yes, &out), out.err);
    wire__answer_free(&out.answer);
    assert_status(query_with("SELECT * FROM t", &no, &out), CORM_IO);
}

static void the_same_timestamp_goes_with_each_try(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 2 }, NULL);
    rule("INSERT", (corm_fake_rule){ .error = CORM_OVERLOADED, .times = 1 });
    query("INSERT INTO t (k) VALUES (1)", CORM_OK);
    char *a = corm_fake_last_request(f.fake, 0), *b = corm_fake_last_request(f.fake, 1);
    char *at_a = strstr(a, "timestamp="), *at_b = strstr(b, "timestamp=");
    assert_non_null(at_a);
    assert_non_null(at_b);
    assert_int_equal(atoll(at_a + 10), atoll(at_b + 10));
    free(a);
    free(b);
}

static void downgrading_asks_with_what_is_alive(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 },
          &(corm_cluster_options){ .retry.kind = CORM_RETRY_DOWNGRADING });
    rule("SELECT",
         (corm_fake_rule){ .error = CORM_UNAVAILABLE, .received = 1, .required = 2, .times = 1 });
    query("SELECT * FROM t", CORM_OK);
    char *last = corm_fake_last_request(f.fake, 0);
    assert_non_null(strstr(last, "consistency=ONE"));
    free(last);
    rule("INSERT", (corm_fake_rule){ .error = CORM_WRITE_TIMEOUT,
                                     .write_type = CORM_WRITE_SIMPLE,
                                     .received = 1,
                                     .required = 2 });
    query("INSERT INTO t (k) VALUES (1)", CORM_OK);
}

static void backing_off_tries_the_same_nodes_again(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 },
          &(corm_cluster_options){ .retry = { .kind = CORM_RETRY_BACKOFF,
                                              .max_retries = 4,
                                              .backoff = CORM_BACKOFF_CONSTANT,
                                              .base_delay_ms = 1 } });
    rule("SELECT", (corm_fake_rule){ .error = CORM_OVERLOADED, .times = 4 });
    query("SELECT * FROM t", CORM_OK);
    assert_int_equal(seen(0), 5);
    rule("INSERT", (corm_fake_rule){ .error = CORM_OVERLOADED });
    query("INSERT INTO t (k) VALUES (1)", CORM_OVERLOADED);
    assert_int_equal(seen(0), 10);
}

static void a_batch_is_repeated_when_all_its_statements_may_be(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 2 }, NULL);
    const wire_prepared *good = prepare("INSERT INTO a (k) VALUES (?)");
    const wire_prepared *bad = prepare("UPDATE a SET c = c + ? WHERE k = ?");
    wire_batch_item      items[] = { { .text = corm_str_of("DELETE FROM c WHERE k = 1") },
                                     { .prepared = good, .value_count = 1, .values = sevens },
                                     { .prepared = bad, .value_count = 2, .values = sevens } };
    wire_request         request = { .kind = WIRE_BATCH, .batch = items, .batch_count = 2 };
    outcome              out = { 0 };
    rule("DELETE", (corm_fake_rule){ .close_connection = true, .times = 1 });
    assert_ok(run(&request, &out), out.err);
    request.batch_count = 3;
    rule("DELETE", (corm_fake_rule){ .close_connection = true, .times = 1 });
    assert_status(run(&request, &out), CORM_IO);
    request.batch_count = 2;
    request.batch_kind = CQL_BATCH_COUNTER;
    rule("DELETE", (corm_fake_rule){ .close_connection = true, .times = 1 });
    assert_status(run(&request, &out), CORM_IO);
    driver__prepared_unref(good);
    driver__prepared_unref(bad);
}

static void a_pause_that_is_longer_than_the_deadline_ends_with_it(void **state) {
    (void)state;
    corm_cluster_options options = { .retry = { .kind = CORM_RETRY_BACKOFF,
                                                .backoff = CORM_BACKOFF_CONSTANT,
                                                .base_delay_ms = 10000 } };
    start(&(corm_fake_options){ .nodes = 1 }, &options);
    rule("SELECT", (corm_fake_rule){ .error = CORM_OVERLOADED, .message = "too much" });
    outcome              out = { 0 };
    corm_request_options soon = { .timeout_ms = 50 };
    assert_status(query_with("SELECT * FROM t", &soon, &out), CORM_TIMEOUT);
    assert_non_null(strstr(out.err.message, "too much"));
}

/* ---- time-outs ---- */

static void no_answer_in_time_is_an_error_that_names_the_node(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    rule("SELECT", (corm_fake_rule){ .no_answer = true, .times = 1 });
    outcome out = { 0 };
    assert_status(query_with("SELECT * FROM t", &(corm_request_options){ .timeout_ms = 30 }, &out),
                  CORM_TIMEOUT);
    assert_non_null(strstr(out.err.message, "127.0.0.1:"));
    assert_non_null(strstr(out.err.message, "30 ms"));
    corm_stats stats = stats_now();
    assert_int_equal(stats.timeouts, 1);
    assert_int_equal(stats.in_flight, 0);
    query("SELECT * FROM t", CORM_OK);
}

static void an_answer_that_comes_late_is_nobodys(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    rule("late", (corm_fake_rule){ .delay_ms = 60, .columns = "k int", .rows = "1" });
    rule("SELECT", (corm_fake_rule){ .columns = "a int, b int", .rows = "1 | 2" });
    outcome out = { 0 };
    for (int i = 0; i < 4; i++) {
        corm_request_options soon = { .timeout_ms = 20 };
        corm_status          late = query_with("SELECT late FROM t", &soon, &out);
        assert_true(late == CORM_TIMEOUT || late == CORM_OK); /* a slow machine sees both at once */
        assert_ok(query_with("SELECT * FROM t", NULL, &out), out.err);
        base_arena  arena = { 0 };
        wire_result result;
        assert_ok(
            wire__result_read(base__buf_bytes(&out.answer.body), 5, &arena, &result, &out.err),
            out.err);
        assert_int_equal(result.metadata.count, 2);
        base__arena_free(&arena);
    }
    wire__answer_free(&out.answer);
}

/* ---- prepared statements ---- */

static void a_text_is_prepared_once(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    const wire_prepared *a = prepare("SELECT * FROM t WHERE k = ?"),
                        *b = prepare("SELECT * FROM t WHERE k = ?");
    assert_ptr_equal(a, b);
    assert_int_equal(corm_fake_count(f.fake, -1).prepares, 1);
    corm_stats stats = stats_now();
    assert_int_equal(stats.prepares, 1);
    assert_int_equal(stats.prepare_hits, 1);
    driver__prepared_unref(a);
    driver__prepared_unref(b);
}

typedef struct waiting {
    sem_t       done;
    atomic_int  ended;
    corm_status status;
    wire_answer answer;
} waiting;

static void ended(void *context, corm_status status, const corm_error *err) {
    waiting *w = context;
    (void)err;
    w->status = status;
    atomic_fetch_add(&w->ended, 1);
    (void)sem_post(&w->done);
}

static void wait_for(waiting *w) {
    while (sem_wait(&w->done) != 0) {
    }
    assert_int_equal(w->ended, 1);
}

static void many_who_prepare_the_same_text_send_it_once(void **state) {
    (void)state;
    enum { MANY = 50 };
    start_all_up(&(corm_fake_options){ .nodes = 3 }, NULL);
    rule("WHERE k", (corm_fake_rule){ .on_prepare = true, .delay_ms = 20 });
    static waiting waits[MANY];
    wire_request   request = { .kind = WIRE_PREPARE,
                               .text = corm_str_of("SELECT * FROM t WHERE k = ?") };
    for (int i = 0; i < MANY; i++) {
        waits[i] = (waiting){ 0 };
        (void)sem_init(&waits[i].done, 0, 0);
        driver__submit(f.cluster, corm_str_of("ks"), &request, &waits[i].answer, ended, &waits[i]);
    }
    for (int i = 0; i < MANY; i++) {
        wait_for(&waits[i]);
        assert_status(waits[i].status, CORM_OK);
        assert_ptr_equal(waits[i].answer.prepared, waits[0].answer.prepared);
    }
    for (int i = 0; i < MANY; i++) {
        driver__prepared_unref(waits[i].answer.prepared);
        wire__answer_free(&waits[i].answer);
    }
    assert_int_equal(corm_fake_count(f.fake, -1).prepares, 1);
}

static void when_the_one_that_prepares_gives_up_another_goes_on(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    rule("WHERE k", (corm_fake_rule){ .on_prepare = true, .no_answer = true, .times = 1 });
    corm_request_options soon = { .timeout_ms = 30 };
    wire_request         request = { .kind = WIRE_PREPARE,
                                     .text = corm_str_of("SELECT * FROM t WHERE k = ?") };
    wire_request         hasty = request;
    hasty.options.routing = &soon;
    waiting leader = { 0 }, follower = { 0 };
    (void)sem_init(&leader.done, 0, 0);
    (void)sem_init(&follower.done, 0, 0);
    driver__submit(f.cluster, corm_str_of("ks"), &hasty, &leader.answer, ended, &leader);
    driver__submit(f.cluster, corm_str_of("ks"), &request, &follower.answer, ended, &follower);
    wait_for(&leader);
    wait_for(&follower);
    assert_status(leader.status, CORM_TIMEOUT);
    assert_status(follower.status, CORM_OK);
    driver__prepared_unref(follower.answer.prepared);
    wire__answer_free(&follower.answer);
}

static void an_error_of_prepare_is_everybodys(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    rule("WHERE k",
         (corm_fake_rule){
             .on_prepare = true, .delay_ms = 20, .error = CORM_SYNTAX_ERROR, .times = 1 });
    wire_request request = { .kind = WIRE_PREPARE,
                             .text = corm_str_of("SELECT * FROM t WHERE k = ?") };
    waiting      a = { 0 }, b = { 0 };
    (void)sem_init(&a.done, 0, 0);
    (void)sem_init(&b.done, 0, 0);
    driver__submit(f.cluster, corm_str_of("ks"), &request, &a.answer, ended, &a);
    driver__submit(f.cluster, corm_str_of("ks"), &request, &b.answer, ended, &b);
    wait_for(&a);
    wait_for(&b);
    assert_status(a.status, CORM_SYNTAX_ERROR);
    assert_status(b.status, CORM_SYNTAX_ERROR);
    driver__prepared_unref(prepare("SELECT * FROM t WHERE k = ?"));
}

static void a_node_that_does_not_know_a_statement_is_told_it(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 3 }, NULL);
    const wire_prepared *prepared = prepare("INSERT INTO t (k, v) VALUES (?, now())");
    outcome              out = { 0 };
    for (int i = 0; i < 30; i++) assert_ok(execute(prepared, &out), out.err);
    corm_stats stats = stats_now();
    assert_int_equal(corm_fake_count(f.fake, -1).prepares, 1 + stats.reprepares);
    assert_true(stats.reprepares <= 2);
    assert_int_equal(stats.retries, 0);
    wire__answer_free(&out.answer);
    driver__prepared_unref(prepared);
}

static void so_it_is_with_the_statements_of_a_batch(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 2 }, NULL);
    const wire_prepared *a = prepare("INSERT INTO a (k) VALUES (?)"),
                        *b = prepare("INSERT INTO b (k) VALUES (?)");
    wire_batch_item items[] = { { .text = corm_str_of("DELETE FROM c WHERE k = 1") },
                                { .prepared = a, .value_count = 1, .values = sevens },
                                { .prepared = b, .value_count = 1, .values = sevens } };
    wire_request    request = {
           .kind = WIRE_BATCH, .batch = items, .batch_count = 3, .options.consistency = WIRE_ONE
    };
    outcome out = { 0 };
    for (int i = 0; i < 20; i++) assert_ok(run(&request, &out), out.err);
    assert_int_equal(corm_fake_count(f.fake, -1).batches, 20 + stats_now().reprepares);
    wire__answer_free(&out.answer);
    driver__prepared_unref(a);
    driver__prepared_unref(b);
}

static void statements_forgotten_again_and_again_are_prepared_again(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 2 }, NULL);
    const wire_prepared *prepared = prepare("INSERT INTO t (k) VALUES (?)");
    corm_fake_set_faults(f.fake, -1, &(corm_fake_faults){ .unprepared = 0.3 });
    outcome out = { 0 };
    for (int i = 0; i < 100; i++) assert_ok(execute(prepared, &out), out.err);
    assert_true(stats_now().reprepares > 10);
    corm_fake_set_faults(f.fake, -1, NULL);
    wire__answer_free(&out.answer);
    driver__prepared_unref(prepared);
}

static void statements_are_prepared_again_within_a_budget(void **state) {
    (void)state;
    corm_cluster_options options = { .reconnection = { .prepares_per_second = 1 } };
    start_all_up(&(corm_fake_options){ .nodes = 1 }, &options);
    const wire_prepared *a = prepare("INSERT INTO a (k) VALUES (?)"),
                        *b = prepare("INSERT INTO b (k) VALUES (?)");
    outcome out = { 0 };
    corm_fake_set_faults(f.fake, -1, &(corm_fake_faults){ .unprepared = 1 });
    wire_request request = { .kind = WIRE_EXECUTE,
                             .prepared = a,
                             .values = sevens,
                             .value_count = 1,
                             .options.routing = &(corm_request_options){ .timeout_ms = 50 } };
    assert_status(run(&request, &out), CORM_TIMEOUT);
    assert_non_null(strstr(out.err.message, "prepared again"));
    request.prepared = b;
    request.options.routing = NULL;
    waiting wait = { 0 };
    (void)sem_init(&wait.done, 0, 0);
    driver__submit(f.cluster, corm_str_of("ks"), &request, &wait.answer, ended, &wait);
    assert_true(corm_fake_wait_requests(f.fake, 0, seen(0) + 1, 5000));
    driver__close(f.cluster);
    f.cluster = NULL;
    wait_for(&wait);
    assert_status(wait.status, CORM_CLOSED);
    driver__prepared_unref(a);
    driver__prepared_unref(b);
}

static void a_schema_change_forgets_the_tables_statements(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    query("CREATE TABLE ks.a (k int PRIMARY KEY)", CORM_OK);
    query("CREATE TABLE ks.b (k int PRIMARY KEY)", CORM_OK);
    const wire_prepared *a = prepare("SELECT * FROM ks.a WHERE k = ?"),
                        *b = prepare("SELECT * FROM ks.b WHERE k = ?");
    query("ALTER TABLE ks.a ADD v int", CORM_OK);
    const wire_prepared *a2 = prepare("SELECT * FROM ks.a WHERE k = ?"),
                        *b2 = prepare("SELECT * FROM ks.b WHERE k = ?");
    assert_ptr_not_equal(a, a2);
    assert_ptr_equal(b, b2);
    driver__prepared_unref(a);
    driver__prepared_unref(b);
    driver__prepared_unref(a2);
    driver__prepared_unref(b2);
}

static void a_schema_change_waits_until_the_nodes_agree(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 2 },
                 &(corm_cluster_options){ .schema_agreement_ms = 50 });
    corm_fake_disagree(f.fake, true);
    outcome out = { 0 };
    assert_ok(query_with("CREATE TABLE ks.a (k int PRIMARY KEY)", NULL, &out), out.err);
    assert_int_equal(wire__warning_count(&out.answer), 1);
    corm_fake_disagree(f.fake, false);
    assert_ok(query_with("CREATE TABLE ks.b (k int PRIMARY KEY)", NULL, &out), out.err);
    wire__answer_free(&out.answer);
}

/* ---- speculation ---- */

static void a_second_node_is_asked_when_the_first_takes_long(void **state) {
    (void)state;
    corm_cluster_options options = { .speculative = { .kind = CORM_SPECULATE_CONSTANT,
                                                      .delay_ms = 10 } };
    start_all_up(&(corm_fake_options){ .nodes = 3 }, &options);
    rule("SELECT", (corm_fake_rule){ .no_answer = true, .times = 1 });
    query("SELECT * FROM t", CORM_OK);
    corm_stats stats = stats_now();
    assert_int_equal(stats.speculations, 1);
    assert_int_equal(stats.speculations_won, 1);
    assert_int_equal(seen(-1), 2);
    assert_int_equal(stats.in_flight, 0);
}

static void but_not_for_what_must_not_happen_twice(void **state) {
    (void)state;
    corm_cluster_options options = { .speculative = { .kind = CORM_SPECULATE_CONSTANT,
                                                      .delay_ms = 10 } };
    start_all_up(&(corm_fake_options){ .nodes = 3 }, &options);
    rule("UPDATE", (corm_fake_rule){ .delay_ms = 100 });
    query("UPDATE t SET c = c + 1 WHERE k = 1", CORM_OK);
    assert_int_equal(stats_now().speculations, 0);
    assert_int_equal(seen(-1), 1);
}

static void an_error_of_one_leaves_the_other_its_chance(void **state) {
    (void)state;
    corm_cluster_options options = { .speculative = { .kind = CORM_SPECULATE_CONSTANT,
                                                      .delay_ms = 10 } };
    start_all_up(&(corm_fake_options){ .nodes = 2 }, &options);
    rule("SELECT", (corm_fake_rule){ .delay_ms = 100, .times = 1 });
    rule("SELECT", (corm_fake_rule){ .error = CORM_READ_FAILURE, .times = 1 });
    query("SELECT * FROM t", CORM_OK);
    assert_int_equal(stats_now().speculations_won, 0);
}

static void an_attempt_that_failed_is_replaced_while_the_other_hangs(void **state) {
    (void)state;
    corm_cluster_options options = { .speculative = { .kind = CORM_SPECULATE_CONSTANT,
                                                      .delay_ms = 10 } };
    start_all_up(&(corm_fake_options){ .nodes = 3 }, &options);
    rule("SELECT", (corm_fake_rule){ .no_answer = true, .times = 1 });
    rule("SELECT", (corm_fake_rule){ .error = CORM_OVERLOADED, .times = 1 });
    query("SELECT * FROM t", CORM_OK);
    assert_int_equal(seen(-1), 3);
    assert_int_equal(stats_now().retries, 1);
}

static void as_many_are_sent_as_the_options_allow(void **state) {
    (void)state;
    corm_cluster_options options = {
        .speculative = { .kind = CORM_SPECULATE_CONSTANT, .delay_ms = 10, .max_executions = 2 }
    };
    start_all_up(&(corm_fake_options){ .nodes = 4 }, &options);
    rule("SELECT", (corm_fake_rule){ .no_answer = true });
    outcome out = { 0 };
    assert_status(query_with("SELECT * FROM t", &(corm_request_options){ .timeout_ms = 150 }, &out),
                  CORM_TIMEOUT);
    assert_int_equal(seen(-1), 3);
    assert_int_equal(stats_now().in_flight, 0);
}

static void a_percentile_of_the_nodes_latencies_is_waited(void **state) {
    (void)state;
    corm_cluster_options options = { .speculative = { .kind = CORM_SPECULATE_PERCENTILE,
                                                      .delay_ms = 20 } };
    start_all_up(&(corm_fake_options){ .nodes = 2 }, &options);
    for (int i = 0; i < 300; i++) query("SELECT * FROM t", CORM_OK);
    rule("SELECT", (corm_fake_rule){ .no_answer = true, .times = 1 });
    query("SELECT * FROM t", CORM_OK);
    assert_true(stats_now().speculations_won >= 1);
}

/* ---- routing ---- */

static void prepared_statements_go_to_their_replica(void **state) {
    (void)state;
    start_all_up(&(corm_fake_options){ .nodes = 3, .replication = 1 }, NULL);
    create_keyspace();
    query("CREATE TABLE ks.t (k int PRIMARY KEY, v int)", CORM_OK);
    const wire_prepared *prepared = prepare("INSERT INTO ks.t (k, v) VALUES (?, ?)");
    outcome              out = { 0 };
    uint64_t             before = seen(-1), routed = stats_now().token_routed;
    for (int i = 0; i < 30; i++) assert_ok(execute(prepared, &out), out.err);
    assert_int_equal(stats_now().token_routed - routed, 30);
    uint64_t most = 0;
    for (int node = 0; node < 3; node++) most = seen(node) > most ? seen(node) : most;
    assert_true(most >= 30 && seen(-1) - before <= 31);
    wire__answer_free(&out.answer);
    driver__prepared_unref(prepared);
}

static void shards_are_asked_for_what_they_have(void **state) {
    (void)state;
    corm_cluster_options options = { .pool = { .size = 4, .max_size = 4 } };
    start_all_up(&(corm_fake_options){ .nodes = 2, .shards = 4 }, &options);
    create_keyspace();
    query("CREATE TABLE ks.t (k int PRIMARY KEY, v int)", CORM_OK);
    const wire_prepared *prepared = prepare("INSERT INTO ks.t (k, v) VALUES (?, ?)");
    outcome              out = { 0 };
    for (int i = 0; i < 30; i++) assert_ok(execute(prepared, &out), out.err);
    wire__answer_free(&out.answer);
    driver__prepared_unref(prepared);
}

static void use_says_which_keyspace_it_is(void **state) {
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        start(&(corm_fake_options){ .nodes = 1, .most_version = version }, NULL);
        create_keyspace();
        outcome     out = { 0 };
        base_arena  arena = { 0 };
        wire_result result;
        assert_ok(query_with("USE ks", NULL, &out), out.err);
        assert_ok(wire__result_read(base__buf_bytes(&out.answer.body), version, &arena, &result,
                                    &out.err),
                  out.err);
        assert_int_equal(result.kind, WIRE_SET_KEYSPACE);
        assert_text(result.keyspace, "ks");
        base__arena_free(&arena);
        wire__answer_free(&out.answer);
        (void)tear_down(NULL);
    }
}

/* ---- many at once, and the end ---- */

static void under_every_fault_each_request_ends_once(void **state) {
    (void)state;
    enum { MANY = 1000 };
    corm_cluster_options options = {
        .request_timeout_ms = 400,
        .pool = { .size = 2, .max_size = 4 },
        .reconnection = { .base_delay_ms = 5, .max_delay_ms = 20, .dials_per_second = 1000 },
        .speculative = { .kind = CORM_SPECULATE_CONSTANT, .delay_ms = 20 }
    };
    start_all_up(&(corm_fake_options){ .nodes = 3, .seed = 7 }, &options);
    const wire_prepared *prepared = prepare("INSERT INTO t (k) VALUES (?)");
    corm_fake_set_faults(f.fake, -1,
                         &(corm_fake_faults){ .drop = 0.01,
                                              .delay = 0.05,
                                              .max_delay_ms = 30,
                                              .duplicate = 0.002,
                                              .close = 0.001,
                                              .garbage = 0.001,
                                              .unprepared = 0.02,
                                              .overloaded = 0.02,
                                              .split = 0.005 });
    waiting     *waits = calloc(MANY, sizeof *waits);
    wire_request request = { .kind = WIRE_EXECUTE,
                             .prepared = prepared,
                             .value_count = 1,
                             .values = sevens,
                             .options.consistency = WIRE_ONE };
    for (int i = 0; i < MANY; i++) {
        (void)sem_init(&waits[i].done, 0, 0);
        driver__submit(f.cluster, corm_str_of("ks"), &request, &waits[i].answer, ended, &waits[i]);
        if (i % 10 == 0) driver__cancel(f.cluster, &waits[i]);
        if (i >= 100) wait_for(&waits[i - 100]);
    }
    int good = 0, cancelled = 0;
    for (int i = 0; i < MANY; i++) {
        if (i >= MANY - 100) wait_for(&waits[i]);
        good += waits[i].status == CORM_OK;
        cancelled += waits[i].status == CORM_CANCELLED;
        assert_int_equal(waits[i].ended, 1);
        (void)sem_destroy(&waits[i].done);
        wire__answer_free(&waits[i].answer);
    }
    corm_stats stats = stats_now();
    print_message("%d good, %d cancelled, %llu retries, %llu speculations, %llu prepared again\n",
                  good, cancelled, (unsigned long long)stats.retries,
                  (unsigned long long)stats.speculations, (unsigned long long)stats.reprepares);
    assert_int_equal(stats.queued, 0);
    assert_true(good > MANY / 2);
    while (stats_now().in_flight > 0) (void)sched_yield(); /* statements that are prepared again */
    free(waits);
    driver__prepared_unref(prepared);
}

static void requests_under_way_end_when_the_session_closes(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    rule("SELECT", (corm_fake_rule){ .no_answer = true });
    rule("WHERE k", (corm_fake_rule){ .on_prepare = true, .no_answer = true });
    wire_request read = { .kind = WIRE_QUERY, .text = corm_str_of("SELECT * FROM t") };
    wire_request prep = { .kind = WIRE_PREPARE,
                          .text = corm_str_of("SELECT * FROM t WHERE k = ?") };
    waiting      waits[4] = { 0 };
    for (int i = 0; i < 4; i++) {
        (void)sem_init(&waits[i].done, 0, 0);
        driver__submit(f.cluster, corm_str_of("ks"), i < 2 ? &read : &prep, &waits[i].answer, ended,
                       &waits[i]);
    }
    assert_true(corm_fake_wait_requests(f.fake, 0, 2, 5000));
    driver__close(f.cluster);
    f.cluster = NULL;
    for (int i = 0; i < 4; i++) {
        wait_for(&waits[i]);
        assert_status(waits[i].status, CORM_CLOSED);
        (void)sem_destroy(&waits[i].done);
    }
}

static void a_cancelled_request_ends_at_once(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 }, NULL);
    rule("SELECT", (corm_fake_rule){ .no_answer = true, .times = 1 });
    wire_request request = { .kind = WIRE_QUERY, .text = corm_str_of("SELECT * FROM t") };
    waiting      wait = { 0 };
    (void)sem_init(&wait.done, 0, 0);
    driver__submit(f.cluster, corm_str_of("ks"), &request, &wait.answer, ended, &wait);
    assert_true(corm_fake_wait_requests(f.fake, 0, 1, 5000));
    driver__cancel(f.cluster, &wait);
    wait_for(&wait);
    assert_status(wait.status, CORM_CANCELLED);
    query("SELECT * FROM t", CORM_OK);
}

static void requests_wait_for_a_node_that_is_down(void **state) {
    (void)state;
    start(&(corm_fake_options){ .nodes = 1 },
          &(corm_cluster_options){ .reconnection = { .base_delay_ms = 10, .max_delay_ms = 20 } });
    corm_fake_kill(f.fake, 0);
    outcome out = { 0 };
    assert_status(query_with("SELECT * FROM t", &(corm_request_options){ .timeout_ms = 60 }, &out),
                  CORM_TIMEOUT);
    wire_request request = { .kind = WIRE_QUERY, .text = corm_str_of("SELECT * FROM t") };
    waiting      wait = { 0 };
    (void)sem_init(&wait.done, 0, 0);
    driver__submit(f.cluster, corm_str_of("ks"), &request, &wait.answer, ended, &wait);
    corm_fake_revive(f.fake, 0);
    wait_for(&wait);
    assert_status(wait.status, CORM_OK);
    wire__answer_free(&wait.answer);
}

static void a_node_takes_no_more_than_its_limit(void **state) {
    (void)state;
    enum { MANY = 100 };
    corm_cluster_options options = { .concurrency = { .initial = 16, .least = 16, .most = 16 } };
    start(&(corm_fake_options){ .nodes = 1 }, &options);
    rule("SELECT", (corm_fake_rule){ .delay_ms = 5 });
    static waiting waits[MANY];
    wire_request   request = { .kind = WIRE_QUERY, .text = corm_str_of("SELECT * FROM t") };
    for (int i = 0; i < MANY; i++) {
        waits[i] = (waiting){ 0 };
        (void)sem_init(&waits[i].done, 0, 0);
        driver__submit(f.cluster, corm_str_of("ks"), &request, &waits[i].answer, ended, &waits[i]);
    }
    assert_true(stats_now().in_flight <= 16);
    for (int i = 0; i < MANY; i++) {
        wait_for(&waits[i]);
        assert_status(waits[i].status, CORM_OK);
        wire__answer_free(&waits[i].answer);
    }
}

static void too_many_that_wait_are_refused(void **state) {
    (void)state;
    enum { MANY = 40 };
    corm_cluster_options options = { .concurrency = { .initial = 16, .least = 16, .most = 16 },
                                     .pool = { .size = 1, .max_size = 1, .max_queued = 4 } };
    start(&(corm_fake_options){ .nodes = 1 }, &options);
    rule("SELECT", (corm_fake_rule){ .no_answer = true });
    static waiting       waits[MANY];
    corm_request_options soon = { .timeout_ms = 100 };
    wire_request         request = { .kind = WIRE_QUERY,
                                     .text = corm_str_of("SELECT * FROM t"),
                                     .options.routing = &soon };
    int                  late = 0, refused = 0;
    for (int i = 0; i < MANY; i++) {
        waits[i] = (waiting){ 0 };
        (void)sem_init(&waits[i].done, 0, 0);
        driver__submit(f.cluster, corm_str_of("ks"), &request, &waits[i].answer, ended, &waits[i]);
    }
    for (int i = 0; i < MANY; i++) {
        wait_for(&waits[i]);
        late += waits[i].status == CORM_TIMEOUT;
        refused += waits[i].status == CORM_OVERLOADED;
    }
    assert_int_equal(late, 20);
    assert_int_equal(refused, 20);
}

static void a_full_cache_of_statements_is_logged(void *context, const char *text) {
    if (strstr(text, "full cache")) atomic_fetch_add((atomic_int *)context, 1);
}

static void texts_with_values_in_them_are_noticed(void **state) {
    (void)state;
    atomic_int           logged = 0;
    corm_cluster_options options = { .prepared_cache_bytes = 65536,
                                     .hooks = { .context = &logged,
                                                .log = a_full_cache_of_statements_is_logged } };
    start(&(corm_fake_options){ .nodes = 1 }, &options);
    for (int i = 0; i < 200; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "SELECT * FROM t WHERE k = %d", i);
        driver__prepared_unref(prepare(text));
    }
    assert_int_equal(logged, 1);
    assert_true(stats_now().prepared_bytes <= 65536);
}

/* ---- hooks ---- */

typedef struct heard {
    atomic_int  begun, ended, slow, warnings;
    char        cql[64];
    void       *span;
    corm_status status;
    uint32_t    retries;
} heard;

static void *hear_begin(void *context, const char *cql) {
    heard *h = context;
    atomic_fetch_add(&h->begun, 1);
    (void)cql;
    return h;
}

static void hear_end(void *context, const corm_request_record *record) {
    heard *h = context;
    (void)snprintf(h->cql, sizeof h->cql, "%s", record->cql);
    h->span = record->span;
    h->status = record->status;
    h->retries = record->retries;
    assert_true(record->status != CORM_OK || record->node != NULL);
    atomic_fetch_add(&h->ended, 1);
}

static void hear_slow(void *context, const corm_request_record *record) {
    heard *h = context;
    assert_true(record->latency_us >= 500000);
    atomic_fetch_add(&h->slow, 1);
}

static void hear_warning(void *context, const char *text) {
    heard *h = context;
    assert_string_equal(text, "careful");
    atomic_fetch_add(&h->warnings, 1);
}

static void hooks_hear_of_each_request(void **state) {
    (void)state;
    heard                h = { 0 };
    corm_cluster_options options = { .slow_query_ms = 500,
                                     .hooks = { .context = &h,
                                                .begin = hear_begin,
                                                .end = hear_end,
                                                .slow = hear_slow,
                                                .warning = hear_warning } };
    start_all_up(&(corm_fake_options){ .nodes = 2 }, &options);
    int begun = h.begun, before = h.ended;
    assert_int_equal(begun, before);
    rule("fast", (corm_fake_rule){ .error = CORM_OVERLOADED, .times = 1 });
    rule("fast", (corm_fake_rule){ .columns = "k int", .warning = "careful" });
    rule("slow", (corm_fake_rule){ .delay_ms = 520 });
    query("SELECT fast FROM t", CORM_OK);
    assert_string_equal(h.cql, "SELECT fast FROM t");
    assert_ptr_equal(h.span, &h);
    assert_int_equal(h.retries, 1);
    assert_int_equal(h.warnings, 1);
    assert_int_equal(h.slow, 0);
    query("SELECT slow FROM t", CORM_OK);
    assert_int_equal(h.slow, 1);
    assert_int_equal(h.begun - begun, 2);
    assert_int_equal(h.ended - before, 2);
}

#define REQUEST_TEST(test) cmocka_unit_test_teardown(test, tear_down)

static const struct CMUnitTest tests[] = {
    REQUEST_TEST(a_query_is_answered),
    REQUEST_TEST(the_keyspace_goes_along_in_v5),
    REQUEST_TEST(the_keyspace_goes_into_the_text_in_v4),
    REQUEST_TEST(a_text_that_cannot_be_read_is_sent_behind_use_in_v4),
    REQUEST_TEST(now_in_seconds_needs_v5),
    REQUEST_TEST(writes_have_a_timestamp_that_grows),
    REQUEST_TEST(servers_can_have_the_clock),
    REQUEST_TEST(a_profile_has_its_own_consistency),
    REQUEST_TEST(a_host_is_asked_alone),
    REQUEST_TEST(an_error_of_the_statement_is_the_callers),
    REQUEST_TEST(an_overloaded_node_is_left_for_the_next),
    REQUEST_TEST(when_all_are_overloaded_the_error_names_each),
    REQUEST_TEST(a_lost_connection_is_no_loss_for_what_may_be_repeated),
    REQUEST_TEST(a_single_node_that_comes_back_is_asked_again),
    REQUEST_TEST(a_write_that_may_have_been_applied_is_never_sent_twice),
    REQUEST_TEST(not_even_when_a_policy_says_so),
    REQUEST_TEST(the_caller_can_say_that_it_may),
    REQUEST_TEST(the_same_timestamp_goes_with_each_try),
    REQUEST_TEST(downgrading_asks_with_what_is_alive),
    REQUEST_TEST(backing_off_tries_the_same_nodes_again),
    REQUEST_TEST(a_batch_is_repeated_when_all_its_statements_may_be),
    REQUEST_TEST(a_pause_that_is_longer_than_the_deadline_ends_with_it),
    REQUEST_TEST(no_answer_in_time_is_an_error_that_names_the_node),
    REQUEST_TEST(an_answer_that_comes_late_is_nobodys),
    REQUEST_TEST(a_text_is_prepared_once),
    REQUEST_TEST(many_who_prepare_the_same_text_send_it_once),
    REQUEST_TEST(when_the_one_that_prepares_gives_up_another_goes_on),
    REQUEST_TEST(an_error_of_prepare_is_everybodys),
    REQUEST_TEST(a_node_that_does_not_know_a_statement_is_told_it),
    REQUEST_TEST(so_it_is_with_the_statements_of_a_batch),
    REQUEST_TEST(statements_forgotten_again_and_again_are_prepared_again),
    REQUEST_TEST(statements_are_prepared_again_within_a_budget),
    REQUEST_TEST(a_schema_change_forgets_the_tables_statements),
    REQUEST_TEST(a_schema_change_waits_until_the_nodes_agree),
    REQUEST_TEST(a_second_node_is_asked_when_the_first_takes_long),
    REQUEST_TEST(but_not_for_what_must_not_happen_twice),
    REQUEST_TEST(an_error_of_one_leaves_the_other_its_chance),
    REQUEST_TEST(an_attempt_that_failed_is_replaced_while_the_other_hangs),
    REQUEST_TEST(as_many_are_sent_as_the_options_allow),
    REQUEST_TEST(a_percentile_of_the_nodes_latencies_is_waited),
    REQUEST_TEST(prepared_statements_go_to_their_replica),
    REQUEST_TEST(shards_are_asked_for_what_they_have),
    REQUEST_TEST(use_says_which_keyspace_it_is),
    REQUEST_TEST(under_every_fault_each_request_ends_once),
    REQUEST_TEST(requests_under_way_end_when_the_session_closes),
    REQUEST_TEST(a_cancelled_request_ends_at_once),
    REQUEST_TEST(requests_wait_for_a_node_that_is_down),
    REQUEST_TEST(a_node_takes_no_more_than_its_limit),
    REQUEST_TEST(too_many_that_wait_are_refused),
    REQUEST_TEST(texts_with_values_in_them_are_noticed),
    REQUEST_TEST(hooks_hear_of_each_request),
};

RUN_TESTS()
