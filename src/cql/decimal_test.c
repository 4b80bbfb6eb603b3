// SPDX-License-Identifier: MIT
#include <math.h>

#include "cql/random_value.h"

static const cql_type *decimal(void) {
    return cql__type_native(CQL_DECIMAL);
}

static void assert_text_of(cql_value value, const char *expected) {
    base_buf text = { 0 };
    cql__decimal_to_text(value, &text);
    assert_string_equal(base__buf_cstr(&text), expected);
    base__buf_free(&text);
}

static void numbers_are_printed_as_java_prints_them(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        { "1.00", "1.00", "1.00" },
        { "0.001", "0.001", "0.001" },
        { "-5", "-5", "-5" },
        { "1E+3", "1E+3", "1000" },
        { "1.23E-10", "1.23E-10", "0.000000000123" },
        { "0E-8", "0E-8", "0.00000000" },
        { "0E+3", "0E+3", "0" },
        { "-0.000001", "-0.000001", "-0.000001" },
        { "0.0000001", "1E-7", "0.0000001" },
        { "12.5E+5", "1.25E+6", "1250000" },
        { "-100E-1", "-10.0", "-10.0" },
        { "12345678901234567890.5", "12345678901234567890.5", "12345678901234567890.5" },
        { "00012", "12", "12" },
        { "+.5", "0.5", "0.5" },
    };
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_buf  plain = { 0 };
        cql_value value = value_of(&arena, decimal(), cases[i][0]);
        assert_text_of(value, cases[i][1]);
        cql__decimal_to_plain(value, &plain);
        assert_string_equal(base__buf_cstr(&plain), cases[i][2]);
        base__buf_free(&plain);
    }
    base__arena_free(&arena);
}

static void text_reads_back_as_the_same_bytes(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    random_source r = { 9, &arena };
    base_buf      text = { 0 };
    base_buf      wire = { 0 };
    for (int i = 0; i < 5000; i++) {
        int64_t unscaled = random_i64(&r);
        base__buf_clear(&wire);
        base__buf_i32(&wire, (int32_t)random_below(&r, 400) - 200);
        cql__varint_from_i64(unscaled, &wire);
        cql_value value = cql__value_of(base__buf_bytes(&wire));
        base__buf_clear(&text);
        cql__decimal_to_text(value, &text);
        cql_value back = value_of(&arena, decimal(), base__buf_cstr(&text));
        assert_int_equal(back.len, value.len);
        assert_memory_equal(back.data, value.data, (size_t)value.len);
        base__arena_reset(&arena);
    }
    base__buf_free(&text);
    base__buf_free(&wire);
    base__arena_free(&arena);
}

static void what_is_no_number_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = { "",
                                         ".",
                                         "-",
                                         "1e",
                                         "1e+",
                                         "1 ",
                                         "0x1",
                                         "1.2.3",
                                         "1e2147483648",
                                         "1e-2147483648",
                                         "1.5e-2147483647",
                                         "1e99999999999",
                                         "NaN" };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_buf   out = { 0 };
        corm_error err = { 0 };
        char       message[80];
        snprintf(message, sizeof message, "unable to make BigDecimal from '%s'", cases[i]);
        assert_status(cql__decimal_from_text(corm_str_of(cases[i]), &out, &err), CORM_INVALID);
        assert_string_equal(err.message, message);
        base__buf_free(&out);
    }
}

static void doubles_become_the_decimals_that_they_print_as(void **state) {
    (void)state;
    static const struct {
        double      v;
        const char *text;
    } cases[] = { { 0.1, "0.1" },
                  { 1, "1.0" },
                  { -1e10, "-1.0E+10" },
                  { 1e-5, "0.000010" },
                  { (double)NAN, "0.0" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_buf out = { 0 };
        cql__decimal_from_double(cases[i].v, &out);
        assert_text_of(cql__value_of(base__buf_bytes(&out)), cases[i].text);
        base__buf_free(&out);
    }
}

static void decimals_become_the_nearest_doubles(void **state) {
    (void)state;
    base_arena arena = { 0 };
    assert_true(cql__decimal_to_double(value_of(&arena, decimal(), "0.1")) == 0.1);
    assert_true(cql__decimal_to_double(value_of(&arena, decimal(), "-1E+400")) ==
                -(double)INFINITY);
    assert_true(cql__decimal_to_double(value_of(&arena, decimal(), "1E-400")) == 0);
    base__arena_free(&arena);
}

static void whole_numbers_go_both_ways(void **state) {
    (void)state;
    static const char *const cases[][2] = { { "12.9", "0c" },          { "-12.9", "f4" },
                                            { "1E+3", "03e8" },        { "0.5", "00" },
                                            { "0E+2000000000", "00" }, { "1E-2000000000", "00" } };
    base_arena               arena = { 0 };
    base_buf                 out = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base__buf_clear(&out);
        cql__decimal_to_varint(value_of(&arena, decimal(), cases[i][0]), &out);
        assert_bytes(cql__value_of(base__buf_bytes(&out)), cases[i][1]);
    }
    base__buf_clear(&out);
    cql__decimal_from_varint(bytes_of(&arena, "000080"), &out);
    cql__decimal_from_varint(bytes_of(&arena, ""), &out);
    assert_bytes(cql__value_of(base__buf_bytes(&out)), "00000000"
                                                       "0080"
                                                       "00000000"
                                                       "00");
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void texts_of_gigabytes_count_as_no_memory(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    cql__decimal_to_plain(value_of(&arena, decimal(), "1E+2000000000"), &out);
    assert_status(base__buf_status(&out, NULL), CORM_NO_MEMORY);
    base__buf_clear(&out);
    cql__decimal_to_varint(value_of(&arena, decimal(), "1E+2000000000"), &out);
    assert_status(base__buf_status(&out, NULL), CORM_NO_MEMORY);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void decimals_without_digits_are_zero(void **state) {
    (void)state;
    base_arena arena = { 0 };
    assert_text_of(bytes_of(&arena, "00000002"), "0.00");
    assert_text_of(bytes_of(&arena, ""), "0");
    assert_int_equal(
        cql__decimal_compare(bytes_of(&arena, "00000002"), bytes_of(&arena, "0000000500")), 0);
    base__arena_free(&arena);
}

static void assert_arith(const char *a, cql_arith op, const char *b, const char *result) {
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    corm_error err = { 0 };
    assert_ok(cql__decimal_arith(op, value_of(&arena, decimal(), a), value_of(&arena, decimal(), b),
                                 &out, &err),
              err);
    assert_text_of(cql__value_of(base__buf_bytes(&out)), result);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void results_have_javas_scale(void **state) {
    (void)state;
    assert_arith("1.0", CQL_ADD, "1", "2.0");
    assert_arith("0", CQL_ADD, "1.50", "1.50");
    assert_arith("0.000", CQL_ADD, "1.5", "1.500");
    assert_arith("0.00", CQL_SUB, "0", "0.00");
    assert_arith("1.5", CQL_SUB, "2.25", "-0.75");
    assert_arith("1.5", CQL_MUL, "2.0", "3.00");
    assert_arith("1", CQL_DIV, "3", "0.33333333333333333333333333333333");
    assert_arith("2", CQL_DIV, "3", "0.66666666666666666666666666666667");
    assert_arith("10", CQL_DIV, "4", "2.5");
    assert_arith("100", CQL_DIV, "1", "1E+2");
    assert_arith("0", CQL_DIV, "7.00", "0");
    assert_arith("1.00", CQL_MOD, "3", "1.00");
    assert_arith("-7.5", CQL_MOD, "2", "-1.5");
    assert_arith("0.00", CQL_MOD, "3", "0.00");
    assert_arith("1E+20", CQL_MOD, "7.0", "2.0");
}

static void what_cannot_be_seen_does_not_cost_memory(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    corm_error err = { 0 };
    cql_value  huge = value_of(&arena, decimal(), "5E+1000000000");
    cql_value  tiny = value_of(&arena, decimal(), "-5E-1000000000");
    assert_ok(cql__decimal_arith(CQL_ADD, huge, tiny, &out, &err), err);
    assert_true(out.len < 5000);
    assert_true(cql__decimal_compare(cql__value_of(base__buf_bytes(&out)), huge) == 0);
    assert_arith("1E-1000000000", CQL_DIV, "1E+1000000000", "0");
    base__buf_clear(&out);
    assert_status(cql__decimal_arith(CQL_DIV, huge, tiny, &out, &err), CORM_INVALID);
    assert_status(cql__decimal_arith(CQL_MOD, huge, tiny, &out, &err), CORM_INVALID);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void impossible_results_are_errors(void **state) {
    (void)state;
    static const struct {
        const char *a;
        cql_arith   op;
        const char *b, *message;
    } cases[] = {
        { "1", CQL_DIV, "0", "BigInteger divide by zero" },
        { "1", CQL_MOD, "0.0", "Division by zero" },
        { "0", CQL_MOD, "0", "Division undefined" },
        { "1E-2147483647", CQL_MUL, "0.1", "Underflow" },
        { "1E+2147483647", CQL_MUL, "1E+9", "Overflow" },
    };
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_buf   out = { 0 };
        corm_error err = { 0 };
        assert_status(cql__decimal_arith(cases[i].op, value_of(&arena, decimal(), cases[i].a),
                                         value_of(&arena, decimal(), cases[i].b), &out, &err),
                      CORM_INVALID);
        assert_string_equal(err.message, cases[i].message);
        base__buf_free(&out);
    }
    assert_arith("0E-2147483647", CQL_MUL, "0.1", "0E-2147483647");
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_are_printed_as_java_prints_them),
    cmocka_unit_test(text_reads_back_as_the_same_bytes),
    cmocka_unit_test(what_is_no_number_is_refused),
    cmocka_unit_test(doubles_become_the_decimals_that_they_print_as),
    cmocka_unit_test(decimals_become_the_nearest_doubles),
    cmocka_unit_test(whole_numbers_go_both_ways),
    cmocka_unit_test(texts_of_gigabytes_count_as_no_memory),
    cmocka_unit_test(decimals_without_digits_are_zero),
    cmocka_unit_test(results_have_javas_scale),
    cmocka_unit_test(what_cannot_be_seen_does_not_cost_memory),
    cmocka_unit_test(impossible_results_are_errors),
};

RUN_TESTS()
