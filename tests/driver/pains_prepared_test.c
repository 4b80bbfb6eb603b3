// SPDX-License-Identifier: MIT
/* pains_prepared_test.c -- pains 20 to 25: prepared statements, their metadata, the schema. */
#include "pains.h"

/* "name=value" of every column of the first row. */
static void first_row(corm_statement *statement, char out[256]) {
    corm_result *result = NULL;
    corm_error   err;
    int          at = 0;
    out[0] = 0;
    assert_ok(corm_run(statement, &result, &err), err);
    const corm_row *row = corm_result_next(result);
    for (uint32_t i = 0; row && i < corm_result_column_count(result); i++) {
        corm_str name = corm_result_column_name(result, i), value = corm_row_format(row, i);
        at += snprintf(out + at, 256 - (size_t)at, "%.*s=%.*s ", (int)name.len, name.data,
                       (int)value.len, value.data);
    }
    corm_result_free(result);
}

/* Pain 20. */
static void rows_are_read_with_their_own_columns_after_a_table_has_changed(void **state) {
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        corm_fake_cluster *fake = start_fake((corm_fake_options){ .most_version = version });
        corm_session      *session = open_session(fake, quick());
        char               seen[256];
        add_rows(fake, "WHERE k", "k int, v text", "1 | 'old'");
        corm_prepared  *prepared = prepare_text(session, "SELECT * FROM t WHERE k = ?");
        corm_statement *statement = statement_of(prepared, 1);
        first_row(statement, seen);
        assert_string_equal(seen, "k=1 v=old ");
        corm_fake_clear_rules(fake);
        add_rows(fake, "WHERE k", "k int, added bigint, v text", "1 | 99 | 'new'");
        for (int i = 0; i < 3; i++) {
            first_row(statement, seen);
            assert_string_equal(seen, "k=1 added=99 v=new ");
        }
        corm_statement_free(statement);
        corm_prepared_free(prepared);
        corm_session_close(session);
        corm_fake_stop(fake);
    }
}

static void forget_all(corm_fake_cluster *fake, corm_session *session, uint32_t nodes) {
    for (uint32_t i = 0; i < nodes; i++) corm_fake_kill(fake, i);
    WAIT_FOR(stats_of(session).nodes_up == 0);
    for (uint32_t i = 0; i < nodes; i++) corm_fake_revive(fake, i);
    WAIT_FOR(stats_of(session).nodes_up == nodes);
}

static corm_batch *batch_of(corm_session *session, corm_statement *statement) {
    corm_batch *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error  err;
    for (int i = 0; i < 3; i++) assert_ok(corm_batch_add(batch, statement, &err), err);
    return batch;
}

/* Pain 21. */
static void every_kind_of_request_is_prepared_again(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 2 });
    corm_session      *session = open_session(fake, quick());
    corm_error         err;
    corm_fake_rule     pages = {
            .node = -1, .match = "WHERE p", .columns = "k int", .rows = "1\n2\n3\n4", .page_rows = 1
    };
    corm_fake_add_rule(fake, &pages);
    corm_prepared  *insert = prepare_text(session, "INSERT INTO t (k) VALUES (?)");
    corm_prepared  *select = prepare_text(session, "SELECT k FROM t WHERE p = ?");
    corm_statement *writes = statement_of(insert, 1), *reads = statement_of(select, 1);
    corm_batch     *batch = batch_of(session, writes);
    tasks           all = { .count = 0 };

    forget_all(fake, session, 2);
    assert_ok(corm_run(writes, NULL, &err), err);
    forget_all(fake, session, 2);
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    forget_all(fake, session, 2);
    all.all[all.count++] = corm_run_async(writes, on_end, &all);
    end_all(&all);
    assert_int_equal(ended_with(&all, CORM_OK), 1);

    corm_result    *result = NULL;
    const corm_row *row = NULL;
    int32_t         sum = 0;
    assert_ok(corm_run(reads, &result, &err), err);
    for (int i = 0; i < 4; i++) {
        if (i == 1 || i == 3) forget_all(fake, session, 2); /* in the middle of its pages */
        assert_ok(corm_result_step(result, &row, &err), err);
        assert_non_null(row);
        sum += corm_row_int(row, 0);
    }
    assert_int_equal(sum, 10);
    assert_true(stats_of(session).reprepares > 0);
    corm_result_free(result);
    corm_batch_free(batch);
    corm_statement_free(writes);
    corm_statement_free(reads);
    corm_prepared_free(insert);
    corm_prepared_free(select);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 21, by chance. */
static void nodes_that_forget_at_random_are_not_noticed(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3, .seed = 5 });
    corm_session      *session = open_session(fake, quick());
    corm_fake_faults   faults = { .unprepared = 0.2 };
    corm_prepared     *prepared = prepare_text(session, "INSERT INTO t (k) VALUES (?)");
    corm_statement    *statement = statement_of(prepared, 1);
    corm_batch        *batch = batch_of(session, statement);
    corm_error         err;
    corm_fake_set_faults(fake, -1, &faults);
    for (int32_t i = 0; i < 100; i++) {
        assert_ok(corm_statement_bind(statement, 0, corm_v(i), &err), err);
        assert_ok(corm_run(statement, NULL, &err), err);
        if (i % 4 == 0) assert_ok(corm_batch_run(batch, NULL, &err), err);
    }
    assert_true(corm_fake_count(fake, -1).unprepared > 0);
    corm_batch_free(batch);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 22. */
static void many_who_want_the_same_text_prepare_it_once(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_session      *session = open_session(fake, quick());
    tasks             *all = calloc(1, sizeof *all);
    corm_fake_rule     slow = { .node = -1, .match = "INSERT", .on_prepare = true, .delay_ms = 20 };
    corm_fake_add_rule(fake, &slow);
    WAIT_FOR(stats_of(session).nodes_up == 3);
    for (int32_t i = 0; i < 500; i++) {
        corm_execute_options options = { .values = { corm_v(i) } };
        begin_text(all, session, "INSERT INTO t (k) VALUES (?)", &options);
    }
    end_all(all);
    assert_int_equal(ended_with(all, CORM_OK), 500);
    assert_true(corm_fake_count(fake, -1).prepares <= 3);
    free(all);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 22: a node that comes back is not told of every statement, only of those that are used. */
static void a_node_that_comes_back_causes_no_storm_of_prepares(void **state) {
    enum { TEXTS = 60 };
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 2 });
    corm_session      *session = open_session(fake, quick());
    corm_prepared     *all[TEXTS];
    for (int i = 0; i < TEXTS; i++) {
        char text[64];
        snprintf(text, sizeof text, "SELECT c%d FROM t WHERE k = ?", i);
        all[i] = prepare_text(session, text);
    }
    uint64_t before = corm_fake_count(fake, -1).prepares;
    forget_all(fake, session, 2);
    corm_statement *statement = statement_of(all[0], 1);
    for (int i = 0; i < 20; i++) assert_status(corm_run(statement, NULL, NULL), CORM_OK);
    assert_true(corm_fake_count(fake, -1).prepares - before <= 2);
    corm_statement_free(statement);
    for (int i = 0; i < TEXTS; i++) corm_prepared_free(all[i]);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 22: the cache is bounded in bytes. */
static void statements_with_literals_do_not_fill_the_memory(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ 0 });
    corm_cluster_options options = quick();
    options.prepared_cache_bytes = 64 * 1024;
    corm_session *session = open_session(fake, options);
    for (int i = 0; i < 1000; i++) {
        char text[128];
        snprintf(text, sizeof text, "SELECT a, b, c, d FROM t WHERE k = %d AND c = ?", i);
        corm_execute_options values = { .values = { corm_v(1) } };
        assert_status(corm_execute_with(session, text, &values, NULL), CORM_OK);
    }
    assert_true(stats_of(session).prepared_bytes <= 64 * 1024);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 23. */
static void a_prepared_statement_may_be_freed_while_it_runs(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    tasks              all = { .count = 0 };
    corm_fake_rule     slow = {
            .node = -1, .match = "FROM t", .delay_ms = 20, .columns = "k int, v text", .rows = "1 | 'a'"
    };
    corm_fake_add_rule(fake, &slow);
    for (int32_t i = 0; i < 20; i++) {
        char text[64];
        snprintf(text, sizeof text, "SELECT k, v FROM t WHERE k = ? AND c = %d", (int)i);
        corm_prepared  *prepared = prepare_text(session, text);
        corm_statement *statement = statement_of(prepared, i);
        all.all[all.count++] = corm_run_async(statement, on_end, &all);
        corm_statement_free(statement);
        corm_prepared_free(prepared);
    }
    end_all(&all);
    assert_int_equal(ended_with(&all, CORM_OK), 20);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 24. */
static void the_schema_is_not_read_where_it_is_not_needed(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    uint32_t           tables = add_counter(fake, "system_schema.tables");
    uint32_t           columns = add_counter(fake, "system_schema.columns");
    uint32_t           keyspaces = add_counter(fake, "system_schema.keyspaces");
    corm_session      *session = open_session(fake, quick());
    corm_session      *other = open_session(fake, quick());
    uint64_t           before = corm_fake_hits(fake, keyspaces);
    for (int i = 0; i < 50; i++) {
        char text[80];
        snprintf(text, sizeof text, "CREATE TABLE t%d (k int PRIMARY KEY)", i);
        must_run(other, text);
    }
    must_run(session, "SELECT k FROM t");
    assert_int_equal(corm_fake_hits(fake, tables), 0);
    assert_int_equal(corm_fake_hits(fake, columns), 0);
    assert_true(corm_fake_hits(fake, keyspaces) - before <= 110);
    corm_session_close(other);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 24: and never, where it is switched off. */
static void the_schema_can_be_left_alone(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ .nodes = 2 });
    uint32_t             schema = add_counter(fake, "system_schema");
    corm_cluster_options options = quick();
    options.no_schema_metadata = true;
    corm_session *session = open_session(fake, options);
    must_run(session, "SELECT k FROM t");
    assert_int_equal(corm_fake_hits(fake, schema), 0);
    corm_session_close(session);
    corm_fake_stop(fake);
}

typedef struct ddl {
    corm_session *session;
    atomic_bool   done;
} ddl;

static void *create_table(void *argument) {
    ddl *own = argument;
    must_run(own->session, "CREATE TABLE t2 (k int PRIMARY KEY)");
    atomic_store(&own->done, true);
    return NULL;
}

/* Pain 25. */
static void ddl_returns_when_the_nodes_agree(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    uint32_t           reads = add_counter(fake, "schema_version");
    ddl                own = { .session = open_session(fake, quick()) };
    pthread_t          thread;
    corm_error         err;
    WAIT_FOR(stats_of(own.session).nodes_up == 3);
    corm_fake_disagree(fake, true);
    assert_status(corm_session_wait_for_agreement(own.session, 50, &err), CORM_TIMEOUT);
    uint64_t before = corm_fake_hits(fake, reads);
    assert_int_equal(pthread_create(&thread, NULL, create_table, &own), 0);
    WAIT_FOR(corm_fake_hits(fake, reads) >= before + 3);
    assert_false(atomic_load(&own.done));
    corm_fake_disagree(fake, false);
    pthread_join(thread, NULL);
    assert_ok(corm_session_wait_for_agreement(own.session, 10000, &err), err);
    corm_session_close(own.session);
    corm_fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_are_read_with_their_own_columns_after_a_table_has_changed),
    cmocka_unit_test(every_kind_of_request_is_prepared_again),
    cmocka_unit_test(nodes_that_forget_at_random_are_not_noticed),
    cmocka_unit_test(many_who_want_the_same_text_prepare_it_once),
    cmocka_unit_test(a_node_that_comes_back_causes_no_storm_of_prepares),
    cmocka_unit_test(statements_with_literals_do_not_fill_the_memory),
    cmocka_unit_test(a_prepared_statement_may_be_freed_while_it_runs),
    cmocka_unit_test(the_schema_is_not_read_where_it_is_not_needed),
    cmocka_unit_test(the_schema_can_be_left_alone),
    cmocka_unit_test(ddl_returns_when_the_nodes_agree),
};
RUN_TESTS()
