// SPDX-License-Identifier: MIT
#include <math.h>

#include "cql/random_value.h"

static void assert_text_of(cql_value value, const char *expected) {
    base_buf text = { 0 };
    cql__varint_to_text(value, &text);
    assert_string_equal(base__buf_cstr(&text), expected);
    base__buf_free(&text);
}

static void numbers_read_back_as_themselves(void **state) {
    (void)state;
    random_source r = { 8, NULL };
    base_buf      buf = { 0 };
    for (int i = 0; i < 3000; i++) {
        int64_t v = random_i64(&r), back = 0;
        char    text[32];
        base__buf_clear(&buf);
        cql__varint_from_i64(v, &buf);
        assert_true(cql__varint_to_i64(cql__value_of(base__buf_bytes(&buf)), &back) && back == v);
        snprintf(text, sizeof text, "%lld", (long long)v);
        assert_text_of(cql__value_of(base__buf_bytes(&buf)), text);
    }
    base__buf_free(&buf);
}

static void the_shortest_form_is_written(void **state) {
    (void)state;
    static const struct {
        int64_t     v;
        const char *hex;
    } cases[] = { { 0, "00" },
                  { -1, "ff" },
                  { 127, "7f" },
                  { 128, "0080" },
                  { -128, "80" },
                  { -129, "ff7f" },
                  { INT64_MAX, "7fffffffffffffff" },
                  { INT64_MIN, "8000000000000000" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_buf buf = { 0 };
        cql__varint_from_i64(cases[i].v, &buf);
        assert_bytes(cql__value_of(base__buf_bytes(&buf)), cases[i].hex);
        base__buf_free(&buf);
    }
}

static void long_numbers_are_exact(void **state) {
    (void)state;
    base_buf text = { 0 };
    base_buf wire = { 0 };
    base_buf back = { 0 };
    for (int digits = 17; digits < 6000; digits = digits * 3 + 1) {
        base__buf_clear(&text);
        base__buf_clear(&wire);
        base__buf_clear(&back);
        if (digits % 2 == 0) base__buf_u8(&text, '-');
        for (int i = 0; i < digits; i++) base__buf_u8(&text, (uint8_t)('1' + i * 7 % 9));
        assert_status(cql__varint_from_text(base__buf_str(&text), &wire, NULL), CORM_OK);
        cql__varint_to_text(cql__value_of(base__buf_bytes(&wire)), &back);
        assert_true(corm_str_equal(base__buf_str(&text), base__buf_str(&back)));
    }
    base__buf_free(&text);
    base__buf_free(&wire);
    base__buf_free(&back);
}

static void numbers_of_doubles_are_cut_towards_zero(void **state) {
    (void)state;
    static const struct {
        double      v;
        const char *text;
    } cases[] = { { 1.9, "1" },
                  { -1.9, "-1" },
                  { 0, "0" },
                  { 1e20, "100000000000000000000" },
                  { -1e20, "-100000000000000000000" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_buf buf = { 0 };
        cql__varint_from_double(cases[i].v, &buf);
        assert_text_of(cql__value_of(base__buf_bytes(&buf)), cases[i].text);
        base__buf_free(&buf);
    }
}

static void no_number_is_made_of_nan_and_infinity(void **state) {
    (void)state;
    base_buf buf = { 0 };
    cql__varint_from_double((double)NAN, &buf);
    cql__varint_from_double((double)INFINITY, &buf);
    assert_bytes(cql__value_of(base__buf_bytes(&buf)), "0000");
    base__buf_free(&buf);
}

static void what_does_not_fit_in_64_bits_is_said_so(void **state) {
    (void)state;
    base_arena arena = { 0 };
    int64_t    v = 5;
    assert_false(cql__varint_to_i64(bytes_of(&arena, "008000000000000000"), &v));
    assert_int_equal(v, 5);
    assert_true(cql__varint_to_i64(bytes_of(&arena, "ffffffffffffffffffff80"), &v));
    assert_int_equal(v, -128);
    assert_true(cql__varint_to_double(bytes_of(&arena, "010000000000000000")) == 0x1p64);
    base__arena_free(&arena);
}

static void arithmetic_goes_beyond_64_bits(void **state) {
    (void)state;
    static const struct {
        cql_arith   op;
        const char *a, *b, *result;
    } cases[] = {
        { CQL_ADD, "9223372036854775807", "1", "9223372036854775808" },
        { CQL_SUB, "-9223372036854775808", "1", "-9223372036854775809" },
        { CQL_MUL, "9223372036854775807", "2", "18446744073709551614" },
        { CQL_DIV, "-9223372036854775808", "-1", "9223372036854775808" },
        { CQL_MOD, "-9223372036854775808", "-1", "0" },
        { CQL_DIV, "-7", "2", "-3" },
        { CQL_MOD, "-7", "2", "-1" },
        { CQL_DIV, "100000000000000000000", "-3", "-33333333333333333333" },
        { CQL_MOD, "-100000000000000000001", "10", "-1" },
        { CQL_SUB, "100000000000000000000", "100000000000000000000", "0" },
    };
    base_arena      arena = { 0 };
    const cql_type *type = cql__type_native(CQL_VARINT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_buf   out = { 0 };
        corm_error err = { 0 };
        assert_ok(cql__varint_arith(cases[i].op, value_of(&arena, type, cases[i].a),
                                    value_of(&arena, type, cases[i].b), &out, &err),
                  err);
        assert_text_of(cql__value_of(base__buf_bytes(&out)), cases[i].result);
        base__buf_free(&out);
    }
    base__arena_free(&arena);
}

static void division_by_zero_is_an_error(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    corm_error err = { 0 };
    cql_value  zero = bytes_of(&arena, "00");
    assert_status(cql__varint_arith(CQL_DIV, zero, zero, &out, &err), CORM_INVALID);
    assert_status(cql__varint_arith(CQL_MOD, bytes_of(&arena, "7f"), zero, &out, &err),
                  CORM_INVALID);
    assert_string_equal(err.message, "BigInteger divide by zero");
    base__buf_free(&out);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_read_back_as_themselves),
    cmocka_unit_test(the_shortest_form_is_written),
    cmocka_unit_test(long_numbers_are_exact),
    cmocka_unit_test(numbers_of_doubles_are_cut_towards_zero),
    cmocka_unit_test(no_number_is_made_of_nan_and_infinity),
    cmocka_unit_test(what_does_not_fit_in_64_bits_is_said_so),
    cmocka_unit_test(arithmetic_goes_beyond_64_bits),
    cmocka_unit_test(division_by_zero_is_an_error),
};

RUN_TESTS()
