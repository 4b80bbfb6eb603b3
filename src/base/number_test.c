// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "testing/check.h"

static void whole_numbers_are_read_to_their_limits(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t     value;
    } cases[] = {
        { "0", 0 },
        { "-0", 0 },
        { "+7", 7 },
        { "007", 7 },
        { "-12", -12 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 99;
        assert_true(base__parse_i64(corm_str_of(cases[i].text), &value));
        assert_true(value == cases[i].value);
    }
}

static void what_is_not_wholly_a_number_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = { "",
                                       "-",
                                       "+",
                                       "1 ",
                                       " 1",
                                       "1.0",
                                       "0x1",
                                       "1e3",
                                       "a",
                                       "9223372036854775808",
                                       "-9223372036854775809",
                                       "99999999999999999999" };
    int64_t                  whole = 5;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(base__parse_i64(corm_str_of(bad[i]), &whole));
    }
    assert_int_equal(whole, 5);
    static const char *const bad_floats[] = { "",    "-",     ".",    "e5",    "1e",
                                              "1e+", "0x1p3", "1.5x", "nano",  "inf",
                                              "1 ",  "--1",   "-.",   "1e5.5", "1.2.3" };
    double                   real;
    for (size_t i = 0; i < sizeof bad_floats / sizeof bad_floats[0]; i++) {
        assert_false(base__parse_f64(corm_str_of(bad_floats[i]), &real));
    }
}

static double parsed(const char *text) {
    double value = 0;
    assert_true(base__parse_f64(corm_str_of(text), &value));
    return value;
}

static void floating_point_is_read(void **state) {
    (void)state;
    assert_true(parsed("1.5") == 1.5);
    assert_true(parsed("-1.") == -1);
    assert_true(parsed("+.5") == 0.5);
    assert_true(parsed("12e-1") == 1.2);
    assert_true(parsed("1E5") == 1e5);
    assert_true(parsed("1e400") == (double)INFINITY);
    assert_true(parsed("-Infinity") == -(double)INFINITY);
    assert_true(parsed("+infinity") == (double)INFINITY);
    assert_true(isnan(parsed("NaN")));
    assert_true(
        parsed("0.1000000000000000000000000000000000000000000000000000000000000000000001") == 0.1);
    assert_true(signbit(parsed("-0.0")));
}

static const char *double_text(base_buf *buf, double v) {
    base__buf_clear(buf);
    base__put_double(buf, v);
    return base__buf_cstr(buf);
}

static const char *float_text(base_buf *buf, float v) {
    base__buf_clear(buf);
    base__put_float(buf, v);
    return base__buf_cstr(buf);
}

static void doubles_have_javas_shortest_form(void **state) {
    (void)state;
    static const struct {
        double      value;
        const char *text;
    } cases[] = {
        { 0.0, "0.0" },
        { -0.0, "-0.0" },
        { 1, "1.0" },
        { -1.5, "-1.5" },
        { 0.1, "0.1" },
        { 0.3, "0.3" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 100, "100.0" },
        { 123456.789, "123456.789" },
        { 9999999, "9999999.0" },
        { 9999999.999999998, "9999999.999999998" },
        { 1e7, "1.0E7" },
        { 1e10, "1.0E10" },
        { 12345678.9, "1.23456789E7" },
        { 0.001, "0.001" },
        { 0.0012, "0.0012" },
        { 0.000999, "9.99E-4" },
        { 1e-5, "1.0E-5" },
        { 2e23, "2.0E23" },
        { 1.0 / 3, "0.3333333333333333" },
        { 5e-324, "4.9E-324" },
        { 1e-323, "9.9E-324" },
        { 1.5e-323, "1.5E-323" },
        { DBL_MIN, "2.2250738585072014E-308" },
        { DBL_MAX, "1.7976931348623157E308" },
        { 5.684341886080802e-14, "5.684341886080802E-14" },
        { 9007199254740992.0, "9.007199254740992E15" },
        { 9.5367431640625e-07, "9.5367431640625E-7" },
    };
    base_buf buf = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(double_text(&buf, cases[i].value), cases[i].text);
    }
    assert_string_equal(double_text(&buf, (double)NAN), "NaN");
    assert_string_equal(double_text(&buf, -(double)NAN), "NaN");
    assert_string_equal(double_text(&buf, (double)INFINITY), "Infinity");
    assert_string_equal(double_text(&buf, -(double)INFINITY), "-Infinity");
    base__buf_free(&buf);
}

static void floats_have_javas_shortest_form(void **state) {
    (void)state;
    static const struct {
        float       value;
        const char *text;
    } cases[] = {
        { 0.0F, "0.0" },
        { 0.1F, "0.1" },
        { 3.14F, "3.14" },
        { -2.5F, "-2.5" },
        { 16777216.0F, "1.6777216E7" },
        { 1e10F, "1.0E10" },
        { 1.0F / 3, "0.33333334" },
        { FLT_MAX, "3.4028235E38" },
        { FLT_MIN, "1.1754944E-38" },
        { 1.4e-45F, "1.4E-45" },
        { 2.8e-45F, "2.8E-45" },
        { 33554432.0F, "3.3554432E7" },
        { 8.5E9F, "8.5E9" },
    };
    base_buf buf = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(float_text(&buf, cases[i].value), cases[i].text);
    }
    assert_string_equal(float_text(&buf, (float)NAN), "NaN");
    base__buf_free(&buf);
}

static void every_double_reads_back_as_itself(void **state) {
    (void)state;
    base_buf buf = { 0 };
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t bits = base__hash(&i, sizeof i, 1);
        double   v;
        memcpy(&v, &bits, sizeof v);
        if (isnan(v) || isinf(v)) continue;
        double_text(&buf, v);
        double back;
        assert_true(base__parse_f64(base__buf_str(&buf), &back));
        assert_memory_equal(&v, &back, sizeof v);
    }
    base__buf_free(&buf);
}

static void every_float_reads_back_as_itself(void **state) {
    (void)state;
    base_buf buf = { 0 };
    for (uint64_t i = 0; i < 20000; i++) {
        uint32_t bits = (uint32_t)base__hash(&i, sizeof i, 2);
        float    v;
        memcpy(&v, &bits, sizeof v);
        if (isnan(v) || isinf(v)) continue;
        assert_true(strtof(float_text(&buf, v), NULL) == v);
    }
    base__buf_free(&buf);
}

/* Powers of two are where the numbers below lie denser than those above. */
static void powers_of_two_are_as_short_as_can_be(void **state) {
    (void)state;
    base_buf buf = { 0 };
    for (int e = -1074; e <= 1023; e++) {
        double v = ldexp(1, e);
        double_text(&buf, v);
        assert_true(strtod(base__buf_cstr(&buf), NULL) == v);
        char shorter[40];
        for (int digits = 2; digits < 17; digits++) {
            snprintf(shorter, sizeof shorter, "%.*e", digits - 1, v);
            if (strtod(shorter, NULL) != v) continue;
            size_t count = 0;
            for (const char *p = base__buf_cstr(&buf); *p && *p != 'E'; p++) {
                count += *p >= '1' && *p <= '9';
            }
            assert_true(count <= (size_t)digits);
            break;
        }
    }
    base__buf_free(&buf);
}

static void a_float_is_rounded_once(void **state) {
    (void)state;
    float v = 0;
    assert_true(base__parse_f32(corm_str_of("1.0000000596046448"), &v));
    assert_true(v == 1.0F + 0x1p-23F); /* as a double it would lie halfway and go to even */
    assert_true(base__parse_f32(corm_str_of("-Infinity"), &v));
    assert_true(v == -(float)INFINITY);
    assert_true(base__parse_f32(corm_str_of("1e39"), &v));
    assert_true(v == (float)INFINITY);
    assert_false(base__parse_f32(corm_str_of("1.5f"), &v));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_float_is_rounded_once),
    cmocka_unit_test(whole_numbers_are_read_to_their_limits),
    cmocka_unit_test(what_is_not_wholly_a_number_is_refused),
    cmocka_unit_test(floating_point_is_read),
    cmocka_unit_test(doubles_have_javas_shortest_form),
    cmocka_unit_test(floats_have_javas_shortest_form),
    cmocka_unit_test(every_double_reads_back_as_itself),
    cmocka_unit_test(every_float_reads_back_as_itself),
    cmocka_unit_test(powers_of_two_are_as_short_as_can_be),
};

RUN_TESTS()
