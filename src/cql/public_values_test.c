// SPDX-License-Identifier: MIT
#include <math.h>

#include "corm/value.h"
#include "testing/check.h"

static void varints_hold_64_bits(void **state) {
    (void)state;
    static const int64_t cases[] = { 0, 1, -1, 127, 128, -128, -129, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        corm_varint varint = corm_varint_of(cases[i]);
        int64_t     back = 0;
        corm_error  err = { 0 };
        assert_ok(corm_varint_to_i64(&varint, &back, &err), err);
        assert_true(back == cases[i]);
    }
}

static void a_varint_that_does_not_fit_is_said_so(void **state) {
    (void)state;
    corm_varint large = { .length = 9, .small = { 1 } };
    corm_varint none = { .length = 0 };
    int64_t     out = 0;
    corm_error  err = { 0 };
    assert_status(corm_varint_to_i64(&large, &out, &err), CORM_CONVERSION);
    assert_string_equal(err.message, "the varint does not fit in 64 bits");
    assert_status(corm_varint_to_i64(&none, &out, &err), CORM_CONVERSION);
    assert_string_equal(err.message, "the varint is not given");
}

static void decimals_are_read_and_written(void **state) {
    (void)state;
    static const char *const cases[][2] = { { "19.99", "19.99" },
                                            { "-1E+5", "-1E+5" },
                                            { "0.0000001", "1E-7" },
                                            { "12345678901234567890123456789012345678",
                                              "12345678901234567890123456789012345678" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        corm_decimal decimal;
        char         text[64];
        corm_error   err = { 0 };
        assert_ok(corm_decimal_parse(cases[i][0], &decimal, &err), err);
        assert_int_equal(corm_decimal_format(&decimal, text, sizeof text), strlen(cases[i][1]));
        assert_string_equal(text, cases[i][1]);
    }
}

static void what_is_no_decimal_is_refused(void **state) {
    (void)state;
    corm_decimal decimal;
    corm_error   err = { 0 };
    assert_status(corm_decimal_parse("x", &decimal, &err), CORM_CONVERSION);
    assert_string_equal(err.message, "'x' is not a decimal");
    assert_status(corm_decimal_parse(NULL, &decimal, &err), CORM_CONVERSION);
    assert_status(corm_decimal_parse("1234567890123456789012345678901234567890", &decimal, &err),
                  CORM_CONVERSION);
    assert_string_equal(err.message,
                        "'1234567890123456789012345678901234567890' has more than 38 digits");
}

static void a_decimal_is_cut_to_the_space_there_is(void **state) {
    (void)state;
    corm_decimal decimal = corm_decimal_of(-1999, 2);
    char         text[4];
    assert_int_equal(corm_decimal_format(&decimal, text, sizeof text), 6);
    assert_string_equal(text, "-19");
    assert_int_equal(corm_decimal_format(&decimal, NULL, 0), 6);
    assert_true(corm_decimal_to_double(&decimal) == -19.99);
}

static void maps_and_sets_of_text_are_searched(void **state) {
    (void)state;
    corm_map map = corm_map_of(corm_v(1), corm_v(2), corm_v("a"), corm_v(3));
    corm_set set = corm_set_of(corm_v(1), corm_v("a"));
    assert_int_equal(corm_map_get(&map, "a")->as.i32, 3);
    assert_null(corm_map_get(&map, "b"));
    assert_true(corm_set_has(&set, "a"));
    assert_false(corm_set_has(&set, "b"));
}

static bool equal(corm_value a, corm_value b) {
    return corm_value_equal(&a, &b);
}

static void values_are_equal_by_kind_and_content(void **state) {
    (void)state;
    corm_uuid        uuid = { { 1 } };
    const corm_value values[] = {
        corm_null(),
        { .kind = CORM_UNSET },
        corm_v((bool)true),
        corm_v((int8_t)1),
        corm_v((int16_t)1),
        corm_v(1),
        corm_v(INT64_C(1)),
        corm_v(1.0F),
        corm_v(1.0),
        corm_v((double)NAN),
        corm_v((float)NAN),
        corm_v("a"),
        corm_v(""),
        corm_v(((corm_bytes){ (const uint8_t *)"a", 1 })),
        corm_v(((corm_bytes){ NULL, 0 })),
        corm_v(uuid),
        corm_v(((corm_timestamp){ 1 })),
        corm_v(((corm_date){ 1 })),
        corm_v(((corm_time){ 1 })),
        corm_v(((corm_duration){ 1, 2, 3 })),
        corm_v(((corm_inet){ { 1 }, 4 })),
        corm_v(corm_varint_of(1)),
        corm_v(corm_decimal_of(10, 1)),
        corm_v(corm_decimal_of(1, 0)),
        corm_v(corm_list_of(corm_v(1))),
        corm_v(corm_set_of(corm_v(1))),
        corm_v(corm_map_of(corm_v(1), corm_v(2))),
        corm_v(corm_tuple_of(corm_v(1))),
        corm_v(((corm_udt){ (const corm_value[]){ corm_v(1) }, 1 })),
        corm_of_items(CORM_VECTOR, NULL, 0),
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
            assert_int_equal(corm_value_equal(&values[i], &values[j]), i == j);
        }
    }
}

static void items_are_compared_one_by_one(void **state) {
    (void)state;
    const corm_str   x[] = { { "x", 1 } };
    const corm_str   y[] = { { "y", 1 } };
    const corm_value one = corm_v(1);
    corm_value       a = corm_of_items(CORM_UDT, &one, 1);
    corm_value       b = a;
    a.as.items.names = x;
    assert_true(equal(a, b));
    b.as.items.names = y;
    assert_false(equal(a, b));
    assert_false(equal(corm_v(corm_list_of(corm_v(1))), corm_v(corm_list_of(corm_v(2)))));
    assert_false(
        equal(corm_v(corm_list_of(corm_v(1))), corm_v(corm_list_of(corm_v(1), corm_v(2)))));
    assert_false(equal(corm_v("a"), corm_v("b")));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(varints_hold_64_bits),
    cmocka_unit_test(a_varint_that_does_not_fit_is_said_so),
    cmocka_unit_test(decimals_are_read_and_written),
    cmocka_unit_test(what_is_no_decimal_is_refused),
    cmocka_unit_test(a_decimal_is_cut_to_the_space_there_is),
    cmocka_unit_test(maps_and_sets_of_text_are_searched),
    cmocka_unit_test(values_are_equal_by_kind_and_content),
    cmocka_unit_test(items_are_compared_one_by_one),
};

RUN_TESTS()
