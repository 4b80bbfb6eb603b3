// SPDX-License-Identifier: MIT
#include "corm/cluster.h"

#include "base/fail.h"
#include "testing/check.h"
#include "testing/script.h"

#define WRITE "UPDATE users SET name = ? WHERE id = ? IF EXISTS"

static const char *const markers[] = { "name text", "id int", NULL };

static corm_statement *prepare(corm_session *session, const char *cql, corm_prepared **prepared) {
    corm_error err = { 0 };
    assert_ok(corm_prepare(session, cql, prepared, &err), err);
    corm_statement *statement = corm_statement_new(*prepared);
    assert_non_null(statement);
    return statement;
}

static corm_session *open_users(void) {
    corm_session *session = NULL;
    corm_error    err = { 0 };
    assert_ok(
        corm_session_open(&session, "corm::memory:?keyspace=shop&create_keyspace=true", NULL, &err),
        err);
    assert_ok(corm_execute(session, "CREATE TABLE users (id int PRIMARY KEY, name text)", NULL,
                           { .error = &err }),
              err);
    return session;
}

static void a_write_is_applied_or_tells_what_was_there(void **state) {
    (void)state;
    corm_session    *session = open_users();
    corm_prepared   *prepared;
    corm_lwt_outcome outcome;
    corm_result     *current;
    corm_error       err = { 0 };
    corm_statement  *insert =
        prepare(session, "INSERT INTO users (id, name) VALUES (?, ?) IF NOT EXISTS", &prepared);
    assert_ok(corm_statement_bind(insert, 0, corm_v(1), &err), err);
    assert_ok(corm_statement_bind(insert, 1, corm_v("Ada"), &err), err);
    assert_ok(corm_run_lwt(insert, &outcome, &current, &err), err);
    assert_int_equal(outcome, CORM_LWT_APPLIED);
    assert_null(current);
    assert_ok(corm_statement_bind(insert, 1, corm_v("Eve"), &err), err);
    assert_ok(corm_run_lwt(insert, &outcome, &current, &err), err);
    assert_int_equal(outcome, CORM_LWT_NOT_APPLIED);
    const corm_row *row = corm_result_next(current);
    int             name = corm_result_column_index(current, "name");
    assert_true(name > 0);
    assert_text(corm_row_text(row, (uint32_t)name), "Ada");
    corm_result_free(current);
    assert_ok(corm_run_lwt(insert, &outcome, NULL, &err), err);
    assert_int_equal(outcome, CORM_LWT_NOT_APPLIED);
    corm_statement_free(insert);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void where_there_was_no_row_none_is_given(void **state) {
    (void)state;
    corm_session    *session = open_users();
    corm_prepared   *prepared;
    corm_lwt_outcome outcome;
    corm_result     *current;
    corm_error       err = { 0 };
    corm_statement  *update = prepare(session, WRITE, &prepared);
    assert_ok(corm_statement_bind(update, 0, corm_v("Ada"), &err), err);
    assert_ok(corm_statement_bind(update, 1, corm_v(9), &err), err);
    assert_ok(corm_run_lwt(update, &outcome, &current, &err), err);
    assert_int_equal(outcome, CORM_LWT_NOT_APPLIED);
    assert_null(current);
    corm_statement_free(update);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

typedef struct failing {
    testing_counts counts;
    corm_status    status;
} failing;

static corm_status answer(void *context, corm_str keyspace, const wire_request *request,
                          wire_answer *out, corm_error *err) {
    (void)keyspace;
    failing *self = context;
    if (request->kind == WIRE_PREPARE) {
        testing__answer_prepared(&self->counts, request, markers, (const char *const[]){ NULL },
                                 "m", out);
        return CORM_OK;
    }
    return base__fail(err, self->status, "because");
}

static void a_failure_that_leaves_it_open_is_unknown_and_others_are_failures(void **state) {
    (void)state;
    static const struct {
        corm_status status;
        bool        unknown;
    } cases[] = {
        { CORM_CAS_WRITE_UNKNOWN, true }, { CORM_WRITE_TIMEOUT, true },
        { CORM_TIMEOUT, true },           { CORM_IO, true },
        { CORM_WRITE_FAILURE, true },     { CORM_UNAVAILABLE, false },
        { CORM_READ_TIMEOUT, false },     { CORM_OVERLOADED, false },
        { CORM_INVALID, false },          { CORM_SYNTAX_ERROR, false },
        { CORM_UNAUTHORIZED, false },
    };
    failing         self = { .status = CORM_OK };
    corm_session   *session = testing__session(answer, &self, &self.counts);
    corm_prepared  *prepared;
    corm_statement *update = prepare(session, WRITE, &prepared);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        corm_lwt_outcome outcome = CORM_LWT_APPLIED;
        corm_result     *current;
        corm_error       err = { 0 };
        self.status = cases[i].status;
        corm_status status = corm_run_lwt(update, &outcome, &current, &err);
        assert_status(status, cases[i].unknown ? CORM_OK : cases[i].status);
        assert_int_equal(outcome, CORM_LWT_UNKNOWN);
        assert_null(current);
        assert_status(err.status, cases[i].status);
        assert_string_equal(err.message, "because");
    }
    corm_statement_free(update);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_write_is_applied_or_tells_what_was_there),
    cmocka_unit_test(where_there_was_no_row_none_is_given),
    cmocka_unit_test(a_failure_that_leaves_it_open_is_unknown_and_others_are_failures),
};

RUN_TESTS()
