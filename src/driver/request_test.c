// SPDX-License-Identifier: MIT
/* request_test.c -- requests against a fake cluster: what is sent, where it goes, what comes back, how it ends. */
#include "driver/request_for_tests.h"

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
    REQUEST_TEST(no_answer_in_time_is_an_error_that_names_the_node),
    REQUEST_TEST(an_answer_that_comes_late_is_nobodys),
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
