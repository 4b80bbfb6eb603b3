// SPDX-License-Identifier: MIT
/* pains_requests_test.c -- pains 13 to 18 and 42 to 44: time-outs, streams, overload, callbacks, retries, speculation. */
#include "driver/settings.h"

#include "pains.h"

/* Pain 13. */
static void a_late_answer_goes_to_nobody(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ 0 });
    corm_cluster_options options = quick();
    options.pool.max_size = 1;
    corm_session  *session = open_session(fake, options);
    corm_fake_rule slow = {
        .node = -1, .match = "FROM slow", .delay_ms = 150, .columns = "k int", .rows = "666"
    };
    corm_fake_add_rule(fake, &slow);
    add_rows(fake, "FROM quick", "k int", "7");
    corm_execute_options hurried = { .request = { .timeout_ms = 20 } };
    for (int i = 0; i < 5; i++) {
        assert_status(corm_execute_with(session, "SELECT k FROM slow", &hurried, NULL),
                      CORM_TIMEOUT);
    }
    do {
        assert_int_equal(number_of(session, "SELECT k FROM quick"), 7);
    } while (node_of(session, 1).late_answers < 5);
    assert_int_equal(node_of(session, 1).orphaned, 0);
    assert_int_equal(number_of(session, "SELECT k FROM quick"), 7);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 13, when the answers never come: the connection is given up before its streams are. */
static void streams_that_are_never_answered_cost_a_connection_not_the_session(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ 0 });
    corm_cluster_options options = quick();
    tasks               *all = calloc(1, sizeof *all);
    options.pool.max_size = 1;
    options.pool.requests_per_connection = 256;
    options.concurrency.disabled = true;
    corm_session        *session = open_session(fake, options);
    corm_fake_rule       lost = { .node = -1, .match = "FROM lost", .no_answer = true };
    corm_execute_options hurried = { .request = { .timeout_ms = 30 } };
    corm_fake_add_rule(fake, &lost);
    add_rows(fake, "FROM quick", "k int", "7");
    for (int i = 0; i < 600; i++) begin_text(all, session, "SELECT k FROM lost", &hurried);
    end_all(all);
    assert_int_equal(ended_with(all, CORM_OK), 0);
    WAIT_FOR(node_of(session, 1).connections_closed > 0);
    assert_int_equal(number_of(session, "SELECT k FROM quick"), 7);
    free(all);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 14. */
static void requests_beyond_the_streams_wait_and_end(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ 0 });
    corm_cluster_options options = quick();
    tasks               *all = calloc(1, sizeof *all);
    options.pool.max_size = 1;
    options.pool.requests_per_connection = 4;
    corm_session *session = open_session(fake, options);
    for (int i = 0; i < 1000; i++) begin_text(all, session, "SELECT k FROM t", NULL);
    end_all(all);
    assert_int_equal(ended_with(all, CORM_OK), 1000);
    free(all);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 15. */
static void a_full_queue_says_overloaded_at_once(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ 0 });
    corm_cluster_options options = quick();
    tasks               *all = calloc(1, sizeof *all);
    options.pool = (corm_pool_options){
        .size = 1, .max_size = 1, .requests_per_connection = 4, .max_queued = 16
    };
    corm_session *session = open_session(fake, options);
    must_run(session, "SELECT k FROM t");
    corm_fake_pause(fake, 0);
    for (int i = 0; i < 200; i++) begin_text(all, session, "SELECT k FROM t", NULL);
    WAIT_FOR(atomic_load(&all->calls) >= 200 - 4 - 16);
    assert_int_equal(ended_with(all, CORM_OVERLOADED), atomic_load(&all->calls));
    corm_fake_resume(fake, 0);
    end_all(all);
    assert_int_equal(ended_with(all, CORM_OK) + ended_with(all, CORM_OVERLOADED), 200);
    assert_true(ended_with(all, CORM_OK) >= 16);
    free(all);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 15: what the node is asked at a time follows what it says. */
static void an_overloaded_node_is_asked_less_at_a_time(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ 0 });
    corm_cluster_options options = quick();
    tasks               *all = calloc(1, sizeof *all);
    corm_fake_rule       busy = { .node = -1, .match = "FROM t", .error = CORM_OVERLOADED };
    options.concurrency.initial = 256;
    options.retry.kind = CORM_RETRY_FALLTHROUGH;
    corm_session *session = open_session(fake, options);
    corm_fake_add_rule(fake, &busy);
    assert_int_equal(node_of(session, 1).concurrency_limit, 256);
    for (int i = 0; i < 500; i++) begin_text(all, session, "SELECT k FROM t", NULL);
    end_all(all);
    assert_true(node_of(session, 1).concurrency_limit < 256);
    free(all);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 16. */
static void the_clients_patience_is_longer_than_the_servers(void **state) {
    enum {
        RANGE_REQUEST_TIMEOUT_MS = 10000
    }; /* the longest of cassandra.yaml that a SELECT meets */
    (void)state;
    driver_settings settings = { .contact_count = 0 };
    driver_contact  contact = { "127.0.0.1", 9042 };
    corm_error      err;
    assert_ok(driver__settings_make(&contact, 1, NULL, CORM_LOCAL_ONE, &settings, &err), err);
    assert_true(settings.options.request_timeout_ms > RANGE_REQUEST_TIMEOUT_MS);
    driver__settings_free(&settings);
}

/* Pain 16. */
static void a_time_out_of_the_server_is_not_answered_with_many_requests(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_session      *session = open_session(fake, quick());
    corm_fake_rule     late = {
            .node = -1, .match = "FROM t", .error = CORM_READ_TIMEOUT, .received = 2, .required = 2
    };
    uint32_t rule = corm_fake_add_rule(fake, &late);
    assert_status(run_text(session, "SELECT k FROM t"), CORM_READ_TIMEOUT);
    assert_true(corm_fake_hits(fake, rule) <= 2);
    corm_session_close(session);
    corm_fake_stop(fake);
}

typedef struct inside {
    corm_session *session;
    corm_task    *other; /* under way */
    corm_status   executed, waited;
    atomic_int    calls;
} inside;

static void wait_inside(void *context, corm_status status, corm_result *result,
                        const corm_error *error) {
    inside *own = context;
    (void)status;
    (void)error;
    own->executed = run_text(own->session, "SELECT k FROM t");
    own->waited = corm_task_wait(own->other, 0);
    corm_result_free(result);
    atomic_fetch_add(&own->calls, 1);
}

/* Pain 18. */
static void waiting_inside_a_callback_is_refused(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    inside             own = { .session = open_session(fake, quick()) };
    tasks              all = { .count = 0 };
    corm_fake_rule     slow = { .node = -1, .match = "FROM slow", .delay_ms = 50 };
    corm_fake_add_rule(fake, &slow);
    must_run(own.session, "SELECT k FROM slow");
    begin_text(&all, own.session, "SELECT k FROM slow", NULL);
    own.other = all.all[0];
    corm_task *task = corm_execute_async(own.session, "SELECT k FROM t", NULL, wait_inside, &own);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_status(own.executed, CORM_WOULD_DEADLOCK);
    assert_status(own.waited, CORM_WOULD_DEADLOCK);
    assert_int_equal(atomic_load(&own.calls), 1);
    corm_task_free(task);
    end_all(&all);
    corm_session_close(own.session);
    corm_fake_stop(fake);
}

/* Pain 18: duplicated answers, cancelling and closing call back once. */
static void a_callback_runs_exactly_once_whatever_happens(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 2 });
    corm_session      *session = open_session(fake, quick());
    tasks             *all = calloc(1, sizeof *all);
    corm_fake_faults faults = { .duplicate = 0.3, .close = 0.02, .delay = 0.2, .max_delay_ms = 5 };
    corm_execute_options hurried = { .request = { .timeout_ms = 2000 } };
    corm_fake_set_faults(fake, -1, &faults);
    for (int i = 0; i < 1000; i++) {
        begin_text(all, session, "SELECT k FROM t", &hurried);
        if (i % 7 == 0) corm_task_cancel(all->all[i]);
    }
    corm_fake_kill(fake, 0);
    end_all(all);
    free(all);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static uint32_t nodes_asked(const corm_fake_cluster *fake, uint32_t nodes, const uint64_t *before) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < nodes; i++) {
        count += corm_fake_count(fake, (int)i).requests > before[i];
    }
    return count;
}

/* Pain 40. */
static void a_batch_goes_to_a_replica_of_its_partition(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3, .replication = 1 });
    corm_session      *session = open_session(fake, quick());
    corm_error         err;
    WAIT_FOR(stats_of(session).nodes_up == 3);
    corm_prepared *prepared = prepare_text(session, "INSERT INTO t (k, v) VALUES (?, ?)");
    for (int32_t key = 0; key < 10; key++) {
        corm_statement *statement = statement_of(prepared, key);
        corm_batch     *batch = corm_batch_new(session, CORM_UNLOGGED);
        uint64_t        before[3], routed = stats_of(session).token_routed;
        assert_ok(corm_statement_bind(statement, 1, corm_v(1), &err), err);
        for (int i = 0; i < 4; i++) assert_ok(corm_batch_add(batch, statement, &err), err);
        for (int i = 0; i < 3; i++) before[i] = corm_fake_count(fake, i).requests;
        for (int i = 0; i < 12; i++) assert_ok(corm_batch_run(batch, NULL, &err), err);
        assert_int_equal(nodes_asked(fake, 3, before), 1);
        assert_int_equal(stats_of(session).token_routed, routed + 12);
        corm_batch_free(batch);
        corm_statement_free(statement);
    }
    corm_prepared_free(prepared);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 42. */
static void lightweight_transactions_of_a_key_meet_at_one_node(void **state) {
    static const char *const texts[] = { "UPDATE t SET a = 1 WHERE k = ? IF a = 2",
                                         "SELECT a FROM t WHERE k = ?" };
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_session      *session = open_session(fake, quick());
    WAIT_FOR(stats_of(session).nodes_up == 3);
    for (int which = 0; which < 2; which++) {
        corm_prepared  *prepared = prepare_text(session, texts[which]);
        corm_statement *statement = statement_of(prepared, 12);
        uint64_t        before[3];
        if (which == 1) corm_statement_options(statement)->consistency = CORM_SERIAL;
        for (int i = 0; i < 3; i++) before[i] = corm_fake_count(fake, i).requests;
        for (int i = 0; i < 30; i++) assert_status(corm_run(statement, NULL, NULL), CORM_OK);
        assert_int_equal(nodes_asked(fake, 3, before), 1);
        corm_statement_free(statement);
        corm_prepared_free(prepared);
    }
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 43. */
static void what_is_not_idempotent_is_not_sent_twice(void **state) {
    static const struct {
        const char *text;
        bool        again;
    } cases[] = {
        { "UPDATE t SET n = n + 1 WHERE k = 1", false },
        { "UPDATE t SET l = l + [1] WHERE k = 1", false },
        { "INSERT INTO t (k, v) VALUES (1, now())", false },
        { "INSERT INTO t (k) VALUES (1) IF NOT EXISTS", false },
        { "INSERT INTO t (k, v) VALUES (1, 2)", true },
        { "DELETE FROM t WHERE k = 1", true },
        { "SELECT k FROM t WHERE k = 1", true },
    };
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_session      *session = open_session(fake, quick());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        corm_fake_rule once = {
            .node = -1, .match = cases[i].text, .times = 1, .close_connection = true
        };
        WAIT_FOR(stats_of(session).nodes_up == 3);
        corm_fake_add_rule(fake, &once);
        uint32_t    seen = add_counter(fake, cases[i].text);
        corm_status status = run_text(session, cases[i].text);
        if ((status == CORM_OK) != cases[i].again) {
            fail_msg("%s: %s", cases[i].text, corm_status_name(status));
        }
        assert_int_equal(corm_fake_hits(fake, seen), cases[i].again ? 1 : 0);
    }
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 43: the caller's word goes before what the text says. */
static void idempotence_may_be_said_by_hand(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_session      *session = open_session(fake, quick());
    WAIT_FOR(stats_of(session).nodes_up == 3);
    const char *text = "UPDATE t SET n = n + 1 WHERE k = 1";
    for (int said = 0; said < 2; said++) {
        corm_fake_rule once = {
            .node = -1, .match = "UPDATE", .times = 1, .close_connection = true
        };
        corm_execute_options options = { .request = { .idempotence = said ? CORM_IDEMPOTENT
                                                                          : CORM_NOT_IDEMPOTENT } };
        corm_fake_add_rule(fake, &once);
        assert_int_equal(corm_execute_with(session, text, &options, NULL) == CORM_OK, said);
        WAIT_FOR(stats_of(session).nodes_up == 3);
    }
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 44. */
static void speculative_executions_give_one_answer(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_cluster_options options = quick();
    tasks               *all = calloc(1, sizeof *all);
    options.speculative = (corm_speculative_options){ .kind = CORM_SPECULATE_CONSTANT,
                                                      .delay_ms = 5,
                                                      .max_executions = 2 };
    corm_session    *session = open_session(fake, options);
    corm_fake_faults slow = { .delay = 0.5, .max_delay_ms = 40 };
    WAIT_FOR(stats_of(session).nodes_up == 3);
    add_rows(fake, "FROM t", "k int", "7");
    corm_fake_set_faults(fake, -1, &slow);
    for (int i = 0; i < 500; i++) begin_text(all, session, "SELECT k FROM t WHERE k = 1", NULL);
    end_all(all);
    assert_int_equal(ended_with(all, CORM_OK), 500);
    assert_true(stats_of(session).speculations > 0);
    assert_int_equal(number_of(session, "SELECT k FROM t"), 7);
    uint64_t       before = stats_of(session).speculations;
    corm_fake_rule late = { .node = -1, .match = "UPDATE", .delay_ms = 40 };
    corm_fake_add_rule(fake, &late);
    must_run(session, "UPDATE t SET n = n + 1 WHERE k = 1");
    assert_int_equal(stats_of(session).speculations, before);
    free(all);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_late_answer_goes_to_nobody),
    cmocka_unit_test(streams_that_are_never_answered_cost_a_connection_not_the_session),
    cmocka_unit_test(requests_beyond_the_streams_wait_and_end),
    cmocka_unit_test(a_full_queue_says_overloaded_at_once),
    cmocka_unit_test(an_overloaded_node_is_asked_less_at_a_time),
    cmocka_unit_test(the_clients_patience_is_longer_than_the_servers),
    cmocka_unit_test(a_time_out_of_the_server_is_not_answered_with_many_requests),
    cmocka_unit_test(waiting_inside_a_callback_is_refused),
    cmocka_unit_test(a_callback_runs_exactly_once_whatever_happens),
    cmocka_unit_test(a_batch_goes_to_a_replica_of_its_partition),
    cmocka_unit_test(lightweight_transactions_of_a_key_meet_at_one_node),
    cmocka_unit_test(what_is_not_idempotent_is_not_sent_twice),
    cmocka_unit_test(idempotence_may_be_said_by_hand),
    cmocka_unit_test(speculative_executions_give_one_answer),
};
RUN_TESTS()
