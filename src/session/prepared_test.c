// SPDX-License-Identifier: MIT
#include "session/core.h"

#include "base/fail.h"
#include "testing/check.h"
#include "testing/script.h"

#define SELECT_USER "SELECT id, name FROM users WHERE id = ?"
#define INSERT_USER "INSERT INTO users (id, name, tags) VALUES (?, ?, ?)"
#define TWICE "UPDATE users SET name = ? WHERE id = ? IF name = ?"

static const char *const select_markers[] = { "id int", NULL };
static const char *const select_columns[] = { "id int", "name text", NULL };
static const char *const ada[] = { "7", "'Ada'", NULL };
static const char *const insert_markers[] = { "id int", "name text", "tags set<text>", NULL };
static const char *const twice_markers[] = { "name text", "id int", "name text", NULL };

static const testing_line lines[] = {
    { .text = SELECT_USER, .markers = select_markers, .columns = select_columns, .cells = ada },
    { .text = INSERT_USER, .markers = insert_markers },
    { .text = TWICE, .markers = twice_markers },
    { .text = "SELECT broken", .fails = CORM_INVALID },
    { 0 },
};

static void markers_have_names_and_types(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_prepared *prepared;
    corm_error     err;
    uint32_t       count;
    assert_ok(corm_prepare(session, INSERT_USER, &prepared, &err), err);
    assert_int_equal(corm_prepared_marker_count(prepared), 3);
    assert_text(corm_prepared_marker_name(prepared, 2), "tags");
    assert_text(corm_prepared_marker_type(prepared, 2), "set<text>");
    assert_text(corm_prepared_marker_name(prepared, 3), "");
    assert_text(corm_prepared_marker_type(prepared, 3), "");
    assert_text(session__prepared_markers(prepared, &count)[0].name, "id");
    assert_int_equal(count, 3);
    assert_int_equal(script.counts.statements, 1);
    corm_prepared_free(prepared);
    assert_int_equal(script.counts.statements, 0);
    corm_prepared_free(NULL);
    corm_session_close(session);
}

static void a_statement_that_cannot_be_prepared_leaves_nothing(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_prepared *prepared;
    corm_error     err;
    assert_status(corm_prepare(session, "SELECT broken", &prepared, &err), CORM_INVALID);
    assert_null(prepared);
    assert_status(corm_prepare(session, "SELEC", &prepared, &err), CORM_SYNTAX_ERROR);
    assert_int_equal(err.line, 1);
    assert_int_equal(script.counts.statements, 0);
    corm_session_close(session);
}

static corm_status answer_void(void *context, corm_str keyspace, const wire_request *request,
                               wire_answer *answer, corm_error *err) {
    (void)context;
    (void)keyspace;
    (void)request;
    (void)err;
    wire__put_void(&answer->body);
    return CORM_OK;
}

static void an_answer_that_is_no_statement_is_a_protocol_error(void **state) {
    (void)state;
    testing_counts counts = { 0 };
    corm_session  *session = testing__session(answer_void, NULL, &counts);
    corm_prepared *prepared;
    corm_error     err;
    assert_status(corm_prepare(session, "SELECT 1", &prepared, &err), CORM_PROTOCOL_ERROR);
    corm_session_close(session);
}

static void bound_values_are_sent_in_wire_form(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_prepared *prepared;
    corm_error     err;
    assert_ok(corm_prepare(session, INSERT_USER, &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    assert_ok(corm_run(statement, NULL, &err), err);
    assert_string_equal(script.seen, "EXECUTE " INSERT_USER " [unset,unset,unset]");
    assert_ok(corm_statement_bind(statement, 0, corm_v(7), &err), err);
    assert_ok(corm_statement_bind(statement, 1, corm_v("Ada"), &err), err);
    assert_ok(corm_statement_bind(statement, 2, corm_null(), &err), err);
    assert_ok(corm_run(statement, NULL, &err), err);
    assert_string_equal(script.seen, "EXECUTE " INSERT_USER " [00000007,416461,null]");
    assert_ok(corm_statement_bind(statement, 1, (corm_value){ 0 }, &err), err);
    assert_ok(corm_statement_bind_bytes(statement, 0,
                                        (corm_bytes){ (const uint8_t *)"\0\0\0\1", 4 }, &err),
              err);
    assert_ok(corm_statement_bind_bytes(statement, 2, (corm_bytes){ NULL, 0 }, &err), err);
    assert_ok(corm_run(statement, NULL, &err), err);
    assert_string_equal(script.seen, "EXECUTE " INSERT_USER " [00000001,unset,null]");
    corm_statement_reset(statement);
    assert_ok(corm_run(statement, NULL, &err), err);
    assert_string_equal(script.seen, "EXECUTE " INSERT_USER " [unset,unset,unset]");
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void a_name_binds_all_its_markers(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_prepared *prepared;
    corm_error     err;
    assert_ok(corm_prepare(session, TWICE, &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    assert_ok(corm_statement_bind_name(statement, "name", corm_v("a"), &err), err);
    assert_ok(corm_run(statement, NULL, &err), err);
    assert_string_equal(script.seen, "EXECUTE " TWICE " [61,unset,61]");
    corm_status status = corm_statement_bind_name(statement, "nmae", corm_v("a"), &err);
    assert_status(status, CORM_INVALID_ARGUMENT);
    assert_string_equal(err.message, "the statement has no marker 'nmae'; did you mean 'name'?");
    status = corm_statement_bind_name(statement, "something", corm_v("a"), &err);
    assert_status(status, CORM_INVALID_ARGUMENT);
    assert_string_equal(err.message, "the statement has no marker 'something'");
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void values_that_do_not_fit_are_refused_by_name(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_prepared *prepared;
    corm_error     err;
    assert_ok(corm_prepare(session, INSERT_USER, &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    assert_ok(corm_statement_bind(statement, 0, corm_v(7), &err), err);
    corm_status status = corm_statement_bind(statement, 0, corm_v(INT64_C(5000000000)), &err);
    assert_status(status, CORM_CONVERSION);
    assert_non_null(strstr(err.message, "value of 'id': "));
    status = corm_statement_bind(statement, 0, corm_v(INT64_C(5000000000)), NULL);
    assert_status(status, CORM_CONVERSION);
    status = corm_statement_bind(statement, 3, corm_v(7), &err);
    assert_status(status, CORM_INVALID_ARGUMENT);
    status = corm_statement_bind_bytes(statement, 3, (corm_bytes){ NULL, 0 }, &err);
    assert_status(status, CORM_INVALID_ARGUMENT);
    assert_ok(corm_run(statement, NULL, &err), err);
    assert_string_equal(script.seen, "EXECUTE " INSERT_USER " [unset,unset,unset]");
    corm_statement_free(statement);
    corm_statement_free(NULL);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void a_select_leaves_out_the_metadata_that_is_known(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_prepared *prepared;
    corm_result   *result;
    corm_error     err;
    assert_ok(corm_prepare(session, SELECT_USER, &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    assert_ok(corm_statement_bind(statement, 0, corm_v(7), &err), err);
    assert_ok(corm_run(statement, &result, &err), err);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    assert_true(script.options.skip_metadata);
    assert_int_equal(corm_result_column_count(result), 2);
    assert_text(corm_result_column_name(result, 1), "name");
    assert_text(corm_row_text(corm_result_next(result), 1), "Ada");
    corm_session_close(session);
    assert_int_equal(script.counts.statements, 0);
    assert_text(corm_result_column_name(result, 0), "id");
    corm_result_free(result);
}

/* Answers every EXECUTE with a column more than was prepared, until the request has the new
 * metadata's id. */
typedef struct altered {
    testing_counts counts;
    int            changes;
} altered;

static const char *const three_columns[] = { "id int", "name text", "age int", NULL };
static const char *const three_cells[] = { "7", "'Ada'", "36", NULL };

static corm_status answer_altered(void *context, corm_str keyspace, const wire_request *request,
                                  wire_answer *answer, corm_error *err) {
    altered *own = context;
    (void)keyspace;
    (void)err;
    if (request->kind == WIRE_PREPARE) {
        testing__answer_prepared(&own->counts, request, NULL, select_columns, "m1", answer);
    } else if (request->metadata_id.len == 2 && memcmp(request->metadata_id.data, "m2", 2) == 0) {
        testing__answer_rows(request, three_columns, three_cells, NULL, answer);
    } else {
        own->changes++;
        testing__answer_changed(three_columns, three_cells, "m2", answer);
    }
    return CORM_OK;
}

static void changed_columns_are_learned_once(void **state) {
    (void)state;
    altered        context = { 0 };
    corm_session  *session = testing__session(answer_altered, &context, &context.counts);
    corm_prepared *prepared;
    corm_error     err;
    assert_ok(corm_prepare(session, "SELECT * FROM users", &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    for (int i = 0; i < 3; i++) {
        corm_result *result;
        assert_ok(corm_run(statement, &result, &err), err);
        assert_int_equal(corm_result_column_count(result), 3);
        assert_text(corm_result_column_name(result, 2), "age");
        assert_int_equal(corm_row_int(corm_result_next(result), 2), 36);
        corm_result_free(result);
    }
    assert_int_equal(context.changes, 1);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void statements_that_outlive_the_session_do_no_harm(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_prepared *first;
    corm_prepared *second;
    corm_error     err;
    assert_ok(corm_prepare(session, SELECT_USER, &first, &err), err);
    assert_ok(corm_prepare(session, INSERT_USER, &second, &err), err);
    corm_statement *statement = corm_statement_new(first);
    corm_session_close(session);
    assert_int_equal(script.counts.statements, 0);
    assert_status(corm_run(statement, NULL, &err), CORM_CLOSED);
    corm_prepared_free(second);
    corm_prepared_free(first);
    corm_statement_free(statement);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(markers_have_names_and_types),
    cmocka_unit_test(a_statement_that_cannot_be_prepared_leaves_nothing),
    cmocka_unit_test(an_answer_that_is_no_statement_is_a_protocol_error),
    cmocka_unit_test(bound_values_are_sent_in_wire_form),
    cmocka_unit_test(a_name_binds_all_its_markers),
    cmocka_unit_test(values_that_do_not_fit_are_refused_by_name),
    cmocka_unit_test(a_select_leaves_out_the_metadata_that_is_known),
    cmocka_unit_test(changed_columns_are_learned_once),
    cmocka_unit_test(statements_that_outlive_the_session_do_no_harm),
};

RUN_TESTS()
