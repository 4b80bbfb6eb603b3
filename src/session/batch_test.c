// SPDX-License-Identifier: MIT
#include "session/core.h"

#include "testing/check.h"
#include "testing/script.h"

#define INSERT "INSERT INTO t (k, v) VALUES (?, ?)"

static const char *const  insert_markers[] = { "k int", "v text", NULL };
static const testing_line lines[] = {
    { .text = INSERT, .markers = insert_markers },
    { 0 },
};

static corm_statement *new_insert(corm_session *session) {
    corm_prepared *prepared;
    corm_error     err;
    assert_ok(corm_prepare(session, INSERT, &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    corm_prepared_free(prepared);
    return statement;
}

static void statements_and_texts_are_sent_together(void **state) {
    (void)state;
    testing_script  script = TESTING_SCRIPT(lines);
    corm_session   *session = testing__scripted_session(&script);
    corm_statement *insert = new_insert(session);
    corm_batch     *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error      err;
    assert_ok(corm_statement_bind(insert, 0, corm_v(1), &err), err);
    assert_ok(corm_statement_bind(insert, 1, corm_v("a"), &err), err);
    assert_ok(corm_batch_add(batch, insert, &err), err);
    assert_ok(corm_statement_bind(insert, 0, corm_v(2), &err), err);
    assert_ok(corm_statement_bind(insert, 1, corm_null(), &err), err);
    assert_ok(corm_batch_add(batch, insert, &err), err);
    assert_ok(corm_batch_add_text(batch, "DELETE FROM t WHERE k = 3", NULL, 0, &err), err);
    const corm_value values[] = { corm_v(4) };
    assert_ok(corm_batch_add_text(batch, INSERT, values, 1, &err), err);
    corm_statement_free(insert);
    assert_int_equal(corm_batch_count(batch), 4);
    corm_batch_options(batch)->has_timestamp = true;
    corm_batch_options(batch)->timestamp_us = 99;
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    assert_string_equal(script.seen,
                        "BATCH 1 {" INSERT " [00000001,61]} {" INSERT " [00000002,null]} "
                        "{DELETE FROM t WHERE k = 3} {" INSERT " [00000004,unset]}");
    assert_int_equal(script.options.timestamp, 99);
    corm_batch_free(batch);
    corm_session_close(session);
    assert_int_equal(script.counts.statements, 0);
}

static void a_cleared_batch_is_empty_and_usable(void **state) {
    (void)state;
    testing_script  script = TESTING_SCRIPT(lines);
    corm_session   *session = testing__scripted_session(&script);
    corm_statement *insert = new_insert(session);
    corm_batch     *batch = corm_batch_new(session, CORM_LOGGED);
    corm_result    *result;
    corm_error      err;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40; i++) assert_ok(corm_batch_add(batch, insert, &err), err);
        assert_int_equal(corm_batch_count(batch), 40);
        corm_batch_options(batch)->page_size = -7;
        corm_batch_clear(batch);
        assert_int_equal(corm_batch_count(batch), 0);
    }
    assert_ok(corm_batch_run(batch, &result, &err), err);
    assert_string_equal(script.seen, "BATCH 0");
    assert_true(corm_result_applied(result));
    corm_result_free(result);
    corm_statement_free(insert);
    corm_batch_free(batch);
    corm_batch_free(NULL);
    corm_session_close(session);
}

static void what_cannot_be_in_a_batch_is_refused(void **state) {
    (void)state;
    testing_script   script = TESTING_SCRIPT(lines);
    testing_script   other_script = TESTING_SCRIPT(lines);
    corm_session    *session = testing__scripted_session(&script);
    corm_session    *other = testing__scripted_session(&other_script);
    corm_statement  *insert = new_insert(other);
    corm_batch      *batch = corm_batch_new(session, CORM_LOGGED);
    const corm_value many[] = { corm_v(1), corm_v("a"), corm_v("b") };
    corm_error       err;
    assert_status(corm_batch_add(batch, insert, &err), CORM_INVALID_ARGUMENT);
    assert_status(corm_batch_add_text(batch, NULL, NULL, 0, &err), CORM_INVALID_ARGUMENT);
    assert_status(corm_batch_add_text(batch, INSERT, many, 3, &err), CORM_INVALID);
    assert_status(corm_batch_add_text(batch, "INSER", many, 1, &err), CORM_SYNTAX_ERROR);
    assert_int_equal(corm_batch_count(batch), 0);
    corm_batch_options(batch)->consistency = (corm_consistency)77;
    assert_status(corm_batch_run(batch, NULL, &err), CORM_INVALID_ARGUMENT);
    corm_statement_free(insert);
    corm_batch_free(batch);
    batch = corm_batch_new(session, (corm_batch_kind)3);
    assert_status(corm_batch_run(batch, NULL, &err), CORM_INVALID_ARGUMENT);
    corm_batch_free(batch);
    corm_session_close(session);
    corm_session_close(other);
}

static void a_batch_has_at_most_65535_statements(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_batch    *batch = corm_batch_new(session, CORM_LOGGED);
    corm_error     err;
    for (int i = 0; i < 65535; i++) {
        assert_ok(corm_batch_add_text(batch, "x", NULL, 0, &err), err);
    }
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    assert_ok(corm_batch_add_text(batch, "x", NULL, 0, &err), err);
    assert_status(corm_batch_run(batch, NULL, &err), CORM_INVALID_ARGUMENT);
    corm_batch_free(batch);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(statements_and_texts_are_sent_together),
    cmocka_unit_test(a_cleared_batch_is_empty_and_usable),
    cmocka_unit_test(what_cannot_be_in_a_batch_is_refused),
    cmocka_unit_test(a_batch_has_at_most_65535_statements),
};

RUN_TESTS()
