// SPDX-License-Identifier: MIT
/* request_prepare_test.c -- statements on a fake cluster: prepared once, prepared again where they are not known, forgotten. */
#include "driver/request_for_tests.h"

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

static const struct CMUnitTest tests[] = {
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
};

RUN_TESTS()
