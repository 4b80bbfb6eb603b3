// SPDX-License-Identifier: MIT
/* request_retry_test.c -- requests that are tried again, or sent to a second node beside the first, on a fake cluster. */
#include "driver/request_for_tests.h"

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
    rule("SELECT", (corm_fake_rule){ .error = CORM_READ_TIMEOUT, .required = 1, .times = 1 });
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

static const struct CMUnitTest tests[] = {
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
    REQUEST_TEST(a_second_node_is_asked_when_the_first_takes_long),
    REQUEST_TEST(but_not_for_what_must_not_happen_twice),
    REQUEST_TEST(an_error_of_one_leaves_the_other_its_chance),
    REQUEST_TEST(an_attempt_that_failed_is_replaced_while_the_other_hangs),
    REQUEST_TEST(as_many_are_sent_as_the_options_allow),
    REQUEST_TEST(a_percentile_of_the_nodes_latencies_is_waited),
};

RUN_TESTS()
