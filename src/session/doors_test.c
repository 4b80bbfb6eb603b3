// SPDX-License-Identifier: MIT
/* The whole way from a URI through a door and back: the same through the embedded store and a cluster. */
#include <stdatomic.h>

#include "corm/schema.h"
#include "testing/doors.h"

static void run(corm_session *session, const char *cql) {
    corm_error err;
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

static corm_session *open_users(void) {
    corm_session *session = testing__open("shop");
    run(session, "CREATE TABLE users (id int PRIMARY KEY, name text, tags set<text>)");
    return session;
}

static void a_row_is_written_and_read_back(void **state) {
    (void)state;
    corm_session *session = open_users();
    corm_result  *result;
    corm_error    err;
    corm_set      tags = corm_set_of(corm_v("red"), corm_v("blue"));
    assert_string_equal(corm_session_keyspace(session), "shop");
    assert_ok(corm_execute(session, "INSERT INTO users (id, name, tags) VALUES (?, ?, ?)", NULL,
                           { .values = { corm_v(7), corm_v("Ada"), corm_v(tags) }, .error = &err }),
              err);
    assert_ok(corm_execute(session, "SELECT id, name, tags FROM users WHERE id = ?", &result,
                           { .values = { corm_v(7) }, .error = &err }),
              err);
    assert_int_equal(corm_result_row_count(result), 1);
    assert_text(corm_result_column_type(result, 2), "set<text>");
    const corm_row *row = corm_result_next(result);
    assert_int_equal(corm_row_int(row, 0), 7);
    assert_text(corm_row_text(row, 1), "Ada");
    assert_text(corm_row_format(row, 2), "{'blue', 'red'}");
    corm_session_close(session);
    assert_text(corm_row_text(row, 1), "Ada");
    corm_result_free(result);
}

static void errors_have_the_server_s_code_and_place(void **state) {
    (void)state;
    corm_session *session = open_users();
    corm_error    err;
    assert_status(corm_execute(session, "SELEC * FROM users", NULL, { .error = &err }),
                  CORM_SYNTAX_ERROR);
    assert_int_equal(err.line, 1);
    assert_int_equal(err.column, 0);
    assert_status(corm_execute(session, "SELECT nam FROM users", NULL, { .error = &err }),
                  CORM_INVALID);
    assert_status(
        corm_execute(session, "CREATE TABLE users (id int PRIMARY KEY)", NULL, { .error = &err }),
        CORM_ALREADY_EXISTS);
    assert_string_equal(err.keyspace, "shop");
    assert_string_equal(err.table, "users");
    assert_status(
        corm_execute(session, "SELECT * FROM users WHERE id = ?", NULL, { .error = &err }),
        CORM_INVALID);
    corm_session_close(session);
}

static corm_statement *prepare(corm_session *session, const char *cql) {
    corm_prepared *prepared;
    corm_error     err;
    assert_ok(corm_prepare(session, cql, &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    corm_prepared_free(prepared);
    return statement;
}

static void fill_users(corm_session *session, int count) {
    corm_statement *insert = prepare(session, "INSERT INTO users (id, name) VALUES (?, ?)");
    corm_error      err;
    for (int32_t i = 0; i < count; i++) {
        assert_ok(corm_statement_bind(insert, 0, corm_v(i), &err), err);
        assert_ok(corm_statement_bind(insert, 1, corm_v("x"), &err), err);
        assert_ok(corm_run(insert, NULL, &err), err);
    }
    corm_statement_free(insert);
}

static void pages_go_through_all_rows(void **state) {
    (void)state;
    corm_session   *session = open_users();
    corm_result    *result;
    const corm_row *row;
    corm_error      err;
    int             count = 0;
    fill_users(session, 25);
    assert_ok(corm_execute(session, "SELECT * FROM users", &result,
                           { .request = { .page_size = 10 }, .error = &err }),
              err);
    assert_int_equal(corm_result_row_count(result), 10);
    for (;;) {
        assert_ok(corm_result_step(result, &row, &err), err);
        if (!row) break;
        count++;
    }
    assert_int_equal(count, 25);
    corm_result_free(result);
    corm_session_close(session);
}

static void a_prepared_statement_survives_a_change_of_its_table(void **state) {
    (void)state;
    corm_session   *session = open_users();
    corm_statement *select = prepare(session, "SELECT * FROM users WHERE id = ?");
    corm_result    *before;
    corm_result    *after;
    corm_error      err;
    fill_users(session, 3);
    assert_ok(corm_statement_bind(select, 0, corm_v(2), &err), err);
    assert_ok(corm_run(select, &before, &err), err);
    assert_int_equal(corm_result_column_count(before), 3);
    run(session, "ALTER TABLE users ADD age int");
    run(session, "UPDATE users SET age = 36 WHERE id = 2");
    for (int i = 0; i < 2; i++) {
        assert_ok(corm_run(select, &after, &err), err);
        assert_int_equal(corm_result_column_count(after), 4);
        int age = corm_result_column_index(after, "age");
        assert_int_equal(corm_row_int(corm_result_next(after), (uint32_t)age), 36);
        corm_result_free(after);
    }
    assert_text(corm_result_column_name(before, 1), "name");
    assert_text(corm_row_text(corm_result_next(before), 1), "x");
    corm_result_free(before);
    corm_statement_free(select);
    corm_session_close(session);
}

static void a_lightweight_transaction_says_whether_it_was_applied(void **state) {
    (void)state;
    corm_session   *session = open_users();
    corm_statement *insert =
        prepare(session, "INSERT INTO users (id, name) VALUES (?, ?) IF NOT EXISTS");
    corm_error err;
    assert_ok(corm_statement_bind(insert, 0, corm_v(1), &err), err);
    for (int i = 0; i < 2; i++) {
        corm_result *result;
        assert_ok(corm_run(insert, &result, &err), err);
        assert_int_equal(corm_result_applied(result), i == 0);
        corm_result_free(result);
    }
    corm_statement_free(insert);
    corm_session_close(session);
}

static void a_batch_writes_all_or_nothing(void **state) {
    (void)state;
    corm_session   *session = open_users();
    corm_statement *insert = prepare(session, "INSERT INTO users (id, name) VALUES (?, ?)");
    corm_batch     *batch = corm_batch_new(session, CORM_LOGGED);
    corm_result    *result;
    corm_error      err;
    for (int32_t i = 0; i < 3; i++) {
        assert_ok(corm_statement_bind(insert, 0, corm_v(i), &err), err);
        assert_ok(corm_batch_add(batch, insert, &err), err);
    }
    assert_ok(corm_batch_add_text(batch, "UPDATE users SET name = 'b' WHERE id = 1", NULL, 0, &err),
              err);
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    assert_ok(corm_batch_add_text(batch, "UPDATE users SET nam = 'b' WHERE id = 9", NULL, 0, &err),
              err);
    assert_status(corm_batch_run(batch, NULL, &err), CORM_INVALID);
    assert_ok(corm_execute(session, "SELECT * FROM users", &result, { .error = &err }), err);
    assert_int_equal(corm_result_row_count(result), 3);
    corm_result_free(result);
    corm_batch_free(batch);
    corm_statement_free(insert);
    corm_session_close(session);
}

static void count_success(void *context, corm_status status, corm_result *result,
                          const corm_error *error) {
    (void)error;
    if (status == CORM_OK && corm_result_applied(result))
        atomic_fetch_add((atomic_int *)context, 1);
    corm_result_free(result);
}

static void asynchronous_writes_and_reads_all_call_back(void **state) {
    (void)state;
    enum { COUNT = 300 };
    corm_session   *session = open_users();
    corm_statement *insert = prepare(session, "INSERT INTO users (id, name) VALUES (?, ?)");
    corm_result    *result;
    corm_error      err;
    corm_task      *writes[COUNT];
    atomic_int      calls = 0;
    for (int32_t i = 0; i < COUNT; i++) {
        assert_ok(corm_statement_bind(insert, 0, corm_v(i), &err), err);
        writes[i] = corm_run_async(insert, count_success, &calls);
        corm_task_free(corm_execute_async(session, "SELECT * FROM users WHERE id = ?",
                                          &(corm_execute_options){ .values = { corm_v(i) } },
                                          count_success, &calls));
    }
    for (int32_t i = 0; i < COUNT; i++) {
        assert_status(corm_task_wait(writes[i], 0), CORM_OK);
        corm_task_free(writes[i]);
    }
    assert_ok(corm_execute(session, "SELECT count(*) FROM users", &result, { .error = &err }), err);
    assert_int_equal(corm_row_bigint(corm_result_next(result), 0), COUNT);
    corm_result_free(result);
    corm_statement_free(insert);
    corm_session_close(session);
    assert_int_equal(calls, 2 * COUNT);
}

static void the_schema_is_read_through_the_door(void **state) {
    (void)state;
    corm_session          *session = open_users();
    const corm_table_info *table;
    const char *const     *names;
    uint32_t               count;
    corm_error             err;
    run(session, "CREATE INDEX ON users (name)");
    assert_ok(corm_table_read(session, NULL, "users", &table, &err), err);
    assert_int_equal(table->column_count, 3);
    assert_string_equal(table->columns[0].name, "id");
    assert_int_equal(table->columns[0].key, CORM_PARTITION);
    assert_string_equal(table->columns[1].name, "name");
    assert_true(table->columns[1].indexed);
    assert_string_equal(table->columns[2].type, "set<text>");
    corm_table_free(table);
    assert_status(corm_table_read(session, NULL, "nope", &table, &err), CORM_NOT_FOUND);
    assert_ok(corm_tables(session, NULL, &names, &count, &err), err);
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "users");
    corm_names_free(names);
    assert_ok(corm_keyspaces(session, &names, &count, &err), err);
    assert_true(count > 1);
    corm_names_free(names);
    corm_session_close(session);
}

static void a_keyspace_name_longer_than_any_is_no_keyspace(void **state) {
    (void)state;
    static const char long_name[] = "a123456789b123456789c123456789d123456789e123456789";
    corm_session     *session = open_users();
    corm_error        err;
    corm_status       status = corm_execute(session, "SELECT * FROM users", NULL,
                                            { .request = { .keyspace = long_name }, .error = &err });
    assert_status(status, CORM_INVALID);
    corm_task *task = corm_execute_async(
        session, "SELECT * FROM users",
        &(corm_execute_options){ .request = { .keyspace = long_name } }, NULL, NULL);
    assert_status(corm_task_wait(task, 0), CORM_INVALID);
    corm_task_free(task);
    corm_session_close(session);
}

static void a_keyspace_in_use_may_be_dropped_and_made_again(void **state) {
    (void)state;
    corm_session *session = open_users();
    corm_error    err;
    run(session, "DROP KEYSPACE shop");
    run(session, "SELECT key FROM system.local");
    assert_status(corm_execute(session, "SELECT * FROM users", NULL, { .error = &err }),
                  CORM_INVALID);
    assert_non_null(strstr(err.message, "does not exist"));
    run(session, "CREATE KEYSPACE shop WITH replication = "
                 "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(session, "CREATE TABLE users (id int PRIMARY KEY)");
    run(session, "SELECT * FROM users");
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_keyspace_in_use_may_be_dropped_and_made_again),
    cmocka_unit_test(a_row_is_written_and_read_back),
    cmocka_unit_test(errors_have_the_server_s_code_and_place),
    cmocka_unit_test(pages_go_through_all_rows),
    cmocka_unit_test(a_prepared_statement_survives_a_change_of_its_table),
    cmocka_unit_test(a_lightweight_transaction_says_whether_it_was_applied),
    cmocka_unit_test(a_batch_writes_all_or_nothing),
    cmocka_unit_test(asynchronous_writes_and_reads_all_call_back),
    cmocka_unit_test(the_schema_is_read_through_the_door),
    cmocka_unit_test(a_keyspace_name_longer_than_any_is_no_keyspace),
};

RUN_TESTS()
