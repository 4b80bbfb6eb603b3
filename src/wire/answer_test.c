// SPDX-License-Identifier: MIT
#include "wire/result.h"

#include "testing/check.h"

static void an_empty_answer_has_no_warnings(void **state) {
    (void)state;
    wire_answer answer = { 0 };
    assert_int_equal(wire__warning_count(&answer), 0);
    assert_text(wire__warning(&answer, 0), "");
    wire__answer_free(&answer);
}

static void warnings_are_kept_in_order_as_a_string_list(void **state) {
    (void)state;
    wire_answer answer = { 0 };
    wire__add_warning(&answer, corm_str_of("first"));
    wire__add_warning(&answer, corm_str_of(""));
    wire__add_warning(&answer, corm_str_of("third"));
    assert_int_equal(wire__warning_count(&answer), 3);
    assert_text(wire__warning(&answer, 0), "first");
    assert_text(wire__warning(&answer, 1), "");
    assert_text(wire__warning(&answer, 2), "third");
    assert_text(wire__warning(&answer, 3), "");
    assert_memory_equal(answer.warnings.data, "\0\3\0\5first\0\0\0\5third", 16);
    wire__answer_free(&answer);
}

static void a_very_long_warning_is_cut(void **state) {
    (void)state;
    static char text[70000];
    wire_answer answer = { 0 };
    memset(text, 'w', sizeof text);
    wire__add_warning(&answer, (corm_str){ text, sizeof text });
    assert_int_equal(wire__warning(&answer, 0).len, 65535);
    wire__answer_free(&answer);
}

static void no_more_warnings_are_taken_than_can_be_counted(void **state) {
    (void)state;
    wire_answer answer = { 0 };
    for (int i = 0; i < 65540; i++) wire__add_warning(&answer, corm_str_of("w"));
    assert_int_equal(wire__warning_count(&answer), 65535);
    wire__answer_free(&answer);
}

static void clearing_forgets_everything_but_memory(void **state) {
    (void)state;
    wire_answer answer = { 0 };
    wire__put_void(&answer.body);
    wire__add_warning(&answer, corm_str_of("w"));
    answer.tracing_id = corm_uuid_random();
    const uint8_t *memory = answer.body.data;
    wire__answer_clear(&answer);
    assert_int_equal(answer.body.len, 0);
    assert_int_equal(wire__warning_count(&answer), 0);
    assert_true(corm_uuid_is_zero(answer.tracing_id));
    assert_ptr_equal(answer.body.data, memory);
    wire__answer_free(&answer);
    assert_null(answer.body.data);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_empty_answer_has_no_warnings),
    cmocka_unit_test(warnings_are_kept_in_order_as_a_string_list),
    cmocka_unit_test(a_very_long_warning_is_cut),
    cmocka_unit_test(no_more_warnings_are_taken_than_can_be_counted),
    cmocka_unit_test(clearing_forgets_everything_but_memory),
};

RUN_TESTS()
