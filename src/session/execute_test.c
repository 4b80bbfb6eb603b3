// SPDX-License-Identifier: MIT
#include "session/core.h"

#include "testing/check.h"
#include "testing/script.h"

#define SELECT_USER "SELECT id, name FROM users WHERE id = ?"
#define UPDATE_USER "UPDATE users SET name = :name, age = :age WHERE id = :id"

static const char *const select_markers[] = { "id int", NULL };
static const char *const select_columns[] = { "id int", "name text", NULL };
static const char *const ada[] = { "7", "'Ada'", NULL };
static const char *const update_markers[] = { "name text", "age int", "id int", NULL };

static const testing_line lines[] = {
    { .text = "SELECT * FROM users", .columns = select_columns, .cells = ada },
    { .text = SELECT_USER, .markers = select_markers, .columns = select_columns, .cells = ada },
    { .text = UPDATE_USER, .markers = update_markers },
    { .text = "TRUNCATE users", .fails = CORM_TRUNCATE_ERROR },
    { .text = "SELECT slow", .warning = "that was slow" },
    { 0 },
};

static void a_text_goes_to_the_door_as_it_is(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_result   *result;
    corm_error     err;
    assert_ok(corm_execute(session, "SELECT * FROM users", &result, { .error = &err }), err);
    assert_string_equal(script.seen, "QUERY SELECT * FROM users");
    assert_int_equal(script.options.page_size, 5000);
    assert_int_equal(script.options.consistency, WIRE_LOCAL_ONE);
    assert_false(script.options.skip_metadata || script.options.has_timestamp);
    assert_int_equal(corm_result_row_count(result), 1);
    corm_result_free(result);
    assert_status(corm_execute_with(session, "SELECT * FROM users", NULL, NULL), CORM_OK);
    corm_session_close(session);
}

static void every_option_reaches_the_door(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_error     err;
    assert_ok(corm_execute(session, "SELECT * FROM users", NULL,
                           { .error = &err,
                             .request = { .consistency = CORM_QUORUM,
                                          .serial_consistency = CORM_LOCAL_SERIAL,
                                          .has_timestamp = true,
                                          .timestamp_us = 123,
                                          .has_now = true,
                                          .now_seconds = 456,
                                          .page_size = 10,
                                          .paging_state = { (const uint8_t *)"state", 5 },
                                          .keyspace = "other" } }),
              err);
    const wire_options *options = &script.options;
    assert_int_equal(options->consistency, WIRE_QUORUM);
    assert_int_equal(options->serial_consistency, WIRE_LOCAL_SERIAL);
    assert_true(options->has_timestamp && options->has_now);
    assert_int_equal(options->timestamp, 123);
    assert_int_equal(options->now_in_seconds, 456);
    assert_int_equal(options->page_size, 10);
    assert_string_equal(script.state, "state");
    assert_string_equal(script.keyspace, "other");
    assert_ok(corm_execute(session, "SELECT * FROM users", NULL,
                           { .error = &err, .request = { .page_size = -1 } }),
              err);
    assert_true(options->page_size <= 0);
    corm_session_close(session);
}

static void options_that_cannot_be_are_refused(void **state) {
    (void)state;
    testing_script                    script = TESTING_SCRIPT(lines);
    corm_session                     *session = testing__scripted_session(&script);
    const corm_value                  seven = corm_v(7);
    corm_error                        err;
    const corm_execute_options *const bad[] = {
        &(corm_execute_options){ ._canary = 1 },
        &(corm_execute_options){ .request = { .consistency = (corm_consistency)99 } },
        &(corm_execute_options){ .request = { .serial_consistency = CORM_ONE } },
        &(corm_execute_options){ .request = { .page_size = -2 } },
        &(corm_execute_options){ .value_count = 1 },
        &(corm_execute_options){ .values = { corm_v(7) }, .value_count = 1, .value_list = &seven },
        &(corm_execute_options){ .values = { corm_v(7) }, .named = { { "id", corm_v(7) } } },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        corm_execute_options options = *bad[i];
        corm_result         *result = (corm_result *)&script;
        options.error = &err;
        assert_status(corm_execute_with(session, SELECT_USER, &options, &result),
                      CORM_INVALID_ARGUMENT);
        assert_null(result);
    }
    corm_status status = corm_execute(session, NULL, NULL, { .error = &err });
    assert_status(status, CORM_INVALID_ARGUMENT);
    corm_session_close(session);
}

static void values_are_converted_to_the_markers_types(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_result   *result;
    corm_error     err;
    assert_ok(corm_execute(session, SELECT_USER, &result,
                           { .values = { corm_v((int64_t)7) }, .error = &err }),
              err);
    assert_string_equal(script.seen, "EXECUTE " SELECT_USER " [00000007]");
    assert_text(corm_row_text(corm_result_next(result), 1), "Ada");
    corm_result_free(result);
    const corm_value list[] = { corm_v("Ada"), corm_v(36) };
    assert_ok(corm_execute(session, UPDATE_USER, NULL,
                           { .value_list = list, .value_count = 2, .error = &err }),
              err);
    assert_string_equal(script.seen, "EXECUTE " UPDATE_USER " [416461,00000024,unset]");
    assert_ok(
        corm_execute(session, UPDATE_USER, NULL,
                     { .named = { { "id", corm_v(1) }, { "name", corm_null() } }, .error = &err }),
        err);
    assert_string_equal(script.seen, "EXECUTE " UPDATE_USER " [null,unset,00000001]");
    corm_session_close(session);
    assert_int_equal(script.counts.statements, 0);
}

static void a_text_with_values_is_prepared_once(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_error     err;
    for (int32_t i = 0; i < 5; i++) {
        assert_ok(corm_execute(session, SELECT_USER, NULL, { .values = { corm_v(i) } }), err);
    }
    assert_int_equal(script.counts.prepares, 1);
    assert_ok(corm_execute(session, SELECT_USER, NULL,
                           { .values = { corm_v(1) }, .request = { .keyspace = "other" } }),
              err);
    assert_int_equal(script.counts.prepares, 2);
    corm_session_close(session);
    assert_int_equal(script.counts.statements, 0);
}

static corm_status answer_any(void *context, corm_str keyspace, const wire_request *request,
                              wire_answer *answer, corm_error *err) {
    (void)keyspace;
    (void)err;
    if (request->kind == WIRE_PREPARE) {
        testing__answer_prepared(context, request, select_markers, NULL, "", answer);
    } else {
        wire__put_void(&answer->body);
    }
    return CORM_OK;
}

static void execute_numbered(corm_session *session, int number) {
    char text[40];
    snprintf(text, sizeof text, "UPDATE t%d", number);
    corm_error err;
    assert_ok(corm_execute(session, text, NULL, { .values = { corm_v(1) }, .error = &err }), err);
}

static void the_statement_that_was_not_used_for_longest_is_forgotten(void **state) {
    (void)state;
    testing_counts counts = { 0 };
    corm_session  *session = testing__session(answer_any, &counts, &counts);
    for (int i = 0; i < 128; i++) execute_numbered(session, i);
    execute_numbered(session, 0);
    assert_int_equal(counts.prepares, 128);
    execute_numbered(session, 128);
    assert_int_equal(counts.statements, 128);
    execute_numbered(session, 0);
    assert_int_equal(counts.prepares, 129);
    execute_numbered(session, 1);
    assert_int_equal(counts.prepares, 130);
    corm_session_close(session);
    assert_int_equal(counts.statements, 0);
}

static void wrong_values_are_refused_before_anything_is_sent(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_error     err;
    corm_status    status = corm_execute(session, SELECT_USER, NULL,
                                         { .values = { corm_v(1), corm_v(2) }, .error = &err });
    assert_status(status, CORM_INVALID);
    assert_string_equal(err.message, "there were 1 markers(?) in CQL but 2 bound variables");
    status =
        corm_execute(session, SELECT_USER, NULL, { .values = { corm_v("seven") }, .error = &err });
    assert_int_not_equal(status, CORM_OK);
    assert_non_null(strstr(err.message, "value of 'id': "));
    status = corm_execute(session, UPDATE_USER, NULL,
                          { .named = { { "nam", corm_v("x") } }, .error = &err });
    assert_status(status, CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "did you mean 'name'?"));
    status = corm_execute(session, "SELEC ?", NULL, { .values = { corm_v(1) }, .error = &err });
    assert_status(status, CORM_SYNTAX_ERROR);
    assert_string_equal(script.seen, "");
    corm_session_close(session);
}

static void the_door_s_error_is_passed_on(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_result   *result = (corm_result *)&script;
    corm_error     err;
    corm_status    status = corm_execute(session, "TRUNCATE users", &result, { .error = &err });
    assert_status(status, CORM_TRUNCATE_ERROR);
    assert_null(result);
    assert_string_equal(err.message, "the script says so");
    status = corm_execute(session, "SELEC", &result, { .error = &err });
    assert_status(status, CORM_SYNTAX_ERROR);
    assert_int_equal(err.line, 1);
    corm_session_close(session);
}

static void warnings_come_with_the_result(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_result   *result;
    corm_error     err;
    assert_ok(corm_execute(session, "SELECT slow", &result, { .error = &err }), err);
    assert_int_equal(corm_result_warning_count(result), 1);
    assert_text(corm_result_warning(result, 0), "that was slow");
    assert_text(corm_result_warning(result, 1), "");
    corm_result_free(result);
    corm_session_close(session);
}

static void a_value_is_copied_to_its_last_leaf(void **state) {
    (void)state;
    base_arena        arena = { 0 };
    corm_error        err;
    corm_value        copy;
    uint8_t           large[20] = { 1, 2, 3 };
    char              text[] = "text";
    const corm_varint big = { .length = 20, .large = large };
    const corm_value items[] = { corm_v(text), corm_of_blob((corm_bytes){ large, 20 }), corm_v(big),
                                 corm_v(((corm_decimal){ 2, big })), corm_v(7) };
    const corm_str   names[] = { corm_str_of(text) };
    corm_value       udt = corm_of_items(CORM_UDT, items, 1);
    udt.as.items.names = names;
    const corm_value outer[] = { corm_of_items(CORM_LIST, items, 5), udt, corm_null() };
    const corm_value whole = corm_of_items(CORM_TUPLE, outer, 3);
    assert_ok(session__value_copy(&whole, &arena, &copy, &err), err);
    memset(text, 'x', 4);
    memset(large, 9, sizeof large);
    const corm_value *list = &copy.as.items.items[0];
    assert_text(list->as.items.items[0].as.text, "text");
    assert_int_equal(list->as.items.items[1].as.blob.data[1], 2);
    assert_int_equal(list->as.items.items[2].as.varint.large[2], 3);
    assert_int_equal(list->as.items.items[3].as.decimal.unscaled.large[0], 1);
    assert_int_equal(list->as.items.items[4].as.i32, 7);
    assert_text(copy.as.items.items[1].as.items.names[0], "text");
    assert_int_equal(copy.as.items.items[2].kind, CORM_NULL);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_text_goes_to_the_door_as_it_is),
    cmocka_unit_test(every_option_reaches_the_door),
    cmocka_unit_test(options_that_cannot_be_are_refused),
    cmocka_unit_test(values_are_converted_to_the_markers_types),
    cmocka_unit_test(a_text_with_values_is_prepared_once),
    cmocka_unit_test(the_statement_that_was_not_used_for_longest_is_forgotten),
    cmocka_unit_test(wrong_values_are_refused_before_anything_is_sent),
    cmocka_unit_test(the_door_s_error_is_passed_on),
    cmocka_unit_test(warnings_come_with_the_result),
    cmocka_unit_test(a_value_is_copied_to_its_last_leaf),
};

RUN_TESTS()
