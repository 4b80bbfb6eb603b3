// SPDX-License-Identifier: MIT
#include "session/core.h"

#include "base/fail.h"
#include "testing/check.h"
#include "testing/script.h"

#define PAGED "SELECT * FROM big"
#define PAGED_BY_KEY "SELECT * FROM big WHERE k = ?"

static const char *const columns[] = { "id int", "name text", NULL };
static const char *const first_page[] = { "1", "'a'", "2", "null", NULL };
static const char *const second_page[] = { "3", "'c'", NULL };
static const char *const markers[] = { "k int", NULL };
static const char *const applied_columns[] = { "[applied] boolean", "id int", NULL };
static const char *const applied_cells[] = { "false", "1", NULL };
static const char *const done_cells[] = { "true", "1", NULL };
static const char *const flag_columns[] = { "applied boolean", NULL };
static const char *const flag_cells[] = { "false", NULL };
static const char *const wide_columns[] = { "a int", "b int",           "c int", "d int", "e int",
                                            "f int", "g int",           "h int", "i int", "j int",
                                            "k int", "l int",           "m int", "n int", "o int",
                                            "p int", "q map<text,int>", NULL };
static const char *const wide_cells[] = {
    "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",       "9",
    "10", "11", "12", "13", "14", "15", "16", "{'x':1}", NULL
};

static const testing_line lines[] = {
    { .text = PAGED,
      .columns = columns,
      .cells = first_page,
      .state = "more",
      .next_cells = second_page },
    { .text = PAGED_BY_KEY,
      .markers = markers,
      .columns = columns,
      .cells = first_page,
      .state = "more",
      .next_cells = second_page },
    { .text = "SELECT wide", .columns = wide_columns, .cells = wide_cells },
    { .text = "SELECT nothing", .columns = columns },
    { .text = "UPDATE refused", .columns = applied_columns, .cells = applied_cells },
    { .text = "UPDATE done", .columns = applied_columns, .cells = done_cells },
    { .text = "SELECT applied", .columns = flag_columns, .cells = flag_cells },
    { .text = "UPDATE t" },
    { 0 },
};

static corm_result *run(corm_session *session, const char *cql) {
    corm_result *result = NULL;
    corm_error   err;
    assert_ok(corm_execute(session, cql, &result, { .error = &err }), err);
    return result;
}

static void rows_are_read_one_by_one_and_again(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_result   *result = run(session, PAGED);
    assert_int_equal(corm_result_row_count(result), 2);
    for (int round = 0; round < 2; round++) {
        const corm_row *row = corm_result_next(result);
        assert_int_equal(corm_row_int(row, 0), 1);
        assert_text(corm_row_text(row, 1), "a");
        row = corm_result_next(result);
        assert_int_equal(corm_row_int(row, 0), 2);
        assert_true(corm_row_is_null(row, 1));
        assert_int_equal(session__row_values(row)[1].len, -1);
        assert_null(corm_result_next(result));
        assert_null(corm_result_next(result));
        corm_result_rewind(result);
    }
    corm_result_free(result);
    corm_result_free(NULL);
    corm_session_close(session);
}

static void columns_have_names_and_types(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_result   *result = run(session, "SELECT wide");
    uint32_t       count;
    assert_int_equal(corm_result_column_count(result), 17);
    assert_text(corm_result_column_name(result, 16), "q");
    assert_text(corm_result_column_type(result, 16), "map<text, int>");
    assert_text(corm_result_column_type(result, 16), "map<text, int>");
    assert_text(corm_result_column_type(result, 0), "int");
    assert_text(corm_result_column_name(result, 17), "");
    assert_text(corm_result_column_type(result, 17), "");
    assert_int_equal(corm_result_column_index(result, "c"), 2);
    assert_int_equal(corm_result_column_index(result, "C"), -1);
    assert_text(session__result_columns(result, &count)[1].name, "b");
    assert_int_equal(count, 17);
    assert_int_equal(session__result_wire(result)->kind, WIRE_ROWS);
    const corm_row *row = corm_result_next(result);
    for (uint32_t i = 0; i < 16; i++) assert_int_equal(corm_row_int(row, i), i + 1);
    corm_result_free(result);
    corm_session_close(session);
}

static void a_statement_without_rows_has_none(void **state) {
    (void)state;
    testing_script           script = TESTING_SCRIPT(lines);
    corm_session            *session = testing__scripted_session(&script);
    corm_error               err;
    static const char *const texts[] = { "UPDATE t", "USE shop", "SELECT nothing" };
    for (int i = 0; i < 3; i++) {
        corm_result *result = run(session, texts[i]);
        assert_int_equal(corm_result_row_count(result), 0);
        assert_int_equal(corm_result_column_count(result), i == 2 ? 2 : 0);
        assert_null(corm_result_next(result));
        assert_true(corm_result_applied(result));
        assert_false(corm_result_has_more(result));
        assert_int_equal(corm_result_paging_state(result).len, 0);
        assert_status(corm_result_fetch(result, &err), CORM_NOT_FOUND);
        corm_result_free(result);
    }
    corm_session_close(session);
}

static void applied_is_what_a_lightweight_transaction_says(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_result   *result = run(session, "UPDATE refused");
    assert_false(corm_result_applied(result));
    assert_int_equal(corm_row_int(corm_result_next(result), 1), 1);
    assert_false(corm_result_applied(result));
    corm_result_free(result);
    result = run(session, "UPDATE done");
    assert_true(corm_result_applied(result));
    corm_result_free(result);
    result = run(session, "SELECT applied");
    assert_true(corm_result_applied(result));
    corm_result_free(result);
    corm_session_close(session);
}

static void the_next_page_replaces_the_rows(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_result   *result = run(session, PAGED);
    corm_error     err;
    assert_true(corm_result_has_more(result));
    assert_memory_equal(corm_result_paging_state(result).data, "more", 4);
    assert_text(corm_result_column_type(result, 1), "text");
    assert_ok(corm_result_fetch(result, &err), err);
    assert_string_equal(script.seen, "QUERY " PAGED);
    assert_string_equal(script.state, "more");
    assert_int_equal(corm_result_row_count(result), 1);
    assert_text(corm_result_column_type(result, 1), "text");
    assert_int_equal(corm_row_int(corm_result_next(result), 0), 3);
    assert_false(corm_result_has_more(result));
    assert_status(corm_result_fetch(result, &err), CORM_NOT_FOUND);
    corm_result_free(result);
    corm_session_close(session);
}

static void stepping_goes_through_all_pages(void **state) {
    (void)state;
    testing_script  script = TESTING_SCRIPT(lines);
    corm_session   *session = testing__scripted_session(&script);
    corm_result    *result;
    const corm_row *row;
    corm_error      err;
    assert_ok(
        corm_execute(session, PAGED_BY_KEY, &result, { .values = { corm_v(7) }, .error = &err }),
        err);
    for (int i = 1; i <= 3; i++) {
        assert_ok(corm_result_step(result, &row, &err), err);
        assert_int_equal(corm_row_int(row, 0), i);
    }
    assert_string_equal(script.seen, "EXECUTE " PAGED_BY_KEY " [00000007]");
    assert_ok(corm_result_step(result, &row, &err), err);
    assert_null(row);
    corm_result_free(result);
    corm_session_close(session);
}

static void a_result_outlives_its_session_but_fetches_no_more(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_result   *result;
    corm_error     err;
    assert_ok(
        corm_execute(session, PAGED_BY_KEY, &result, { .values = { corm_v(7) }, .error = &err }),
        err);
    corm_session_close(session);
    assert_int_equal(corm_row_int(corm_result_next(result), 0), 1);
    assert_true(corm_result_has_more(result));
    assert_status(corm_result_fetch(result, &err), CORM_CLOSED);
    const corm_row *row;
    assert_ok(corm_result_step(result, &row, &err), err);
    assert_int_equal(corm_row_int(row, 0), 2);
    assert_status(corm_result_step(result, &row, &err), CORM_CLOSED);
    corm_result_free(result);
}

enum { TORN_FAILS, TORN_GARBAGE, TORN_UNDESCRIBED, TORN_SHORT };

/* Answers the first page, then as `second` says. */
typedef struct torn {
    testing_counts counts;
    int            second;
    int            asked;
} torn;

static corm_status answer_torn(void *context, corm_str keyspace, const wire_request *request,
                               wire_answer *answer, corm_error *err) {
    torn        *own = context;
    wire_request skipping = *request;
    (void)keyspace;
    if (own->asked++ == 0) {
        testing__answer_rows(request, columns, first_page, "more", answer);
        return CORM_OK;
    }
    switch (own->second) {
    case TORN_FAILS: return base__fail(err, CORM_READ_TIMEOUT, "too slow");
    case TORN_GARBAGE: base__buf_puts(&answer->body, "garbage"); return CORM_OK;
    case TORN_UNDESCRIBED:
        skipping.options.skip_metadata = true;
        testing__answer_rows(&skipping, columns, second_page, NULL, answer);
        return CORM_OK;
    default:
        testing__answer_rows(request, columns, second_page, NULL, answer);
        base__store_u32(answer->body.data + answer->body.len - 5, 100);
        return CORM_OK;
    }
}

static void a_page_that_cannot_be_had_may_be_asked_for_again(void **state) {
    (void)state;
    torn          context = { .second = TORN_FAILS };
    corm_session *session = testing__session(answer_torn, &context, &context.counts);
    corm_result  *result = run(session, PAGED);
    corm_error    err;
    assert_status(corm_result_fetch(result, &err), CORM_READ_TIMEOUT);
    assert_string_equal(err.message, "too slow");
    assert_int_equal(corm_result_row_count(result), 2);
    context.second = TORN_SHORT;
    assert_true(corm_result_has_more(result));
    assert_ok(corm_result_fetch(result, &err), err);
    assert_null(corm_result_next(result));
    assert_null(corm_result_next(result));
    corm_result_free(result);
    corm_session_close(session);
}

static void a_page_that_cannot_be_read_is_an_empty_last_page(void **state) {
    (void)state;
    for (int second = TORN_GARBAGE; second <= TORN_UNDESCRIBED; second++) {
        torn context = { 0 };
        context.second = second;
        corm_session *session = testing__session(answer_torn, &context, &context.counts);
        corm_result  *result = run(session, PAGED);
        corm_error    err;
        assert_status(corm_result_fetch(result, &err), CORM_PROTOCOL_ERROR);
        assert_int_equal(corm_result_row_count(result), 0);
        assert_int_equal(corm_result_column_count(result), 0);
        assert_null(corm_result_next(result));
        assert_false(corm_result_has_more(result));
        corm_result_free(result);
        corm_session_close(session);
    }
}

static void an_answer_that_cannot_be_read_is_no_result(void **state) {
    (void)state;
    torn          context = { .second = TORN_GARBAGE, .asked = 1 };
    corm_session *session = testing__session(answer_torn, &context, &context.counts);
    corm_result  *result = NULL;
    corm_error    err;
    assert_status(corm_execute(session, "x", &result, { .error = &err }), CORM_PROTOCOL_ERROR);
    assert_null(result);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_are_read_one_by_one_and_again),
    cmocka_unit_test(columns_have_names_and_types),
    cmocka_unit_test(a_statement_without_rows_has_none),
    cmocka_unit_test(applied_is_what_a_lightweight_transaction_says),
    cmocka_unit_test(the_next_page_replaces_the_rows),
    cmocka_unit_test(stepping_goes_through_all_pages),
    cmocka_unit_test(a_result_outlives_its_session_but_fetches_no_more),
    cmocka_unit_test(a_page_that_cannot_be_had_may_be_asked_for_again),
    cmocka_unit_test(a_page_that_cannot_be_read_is_an_empty_last_page),
    cmocka_unit_test(an_answer_that_cannot_be_read_is_no_result),
};

RUN_TESTS()
