// SPDX-License-Identifier: MIT
#include "cql/java.h"

#include <math.h>

#include "testing/check.h"

static void strings_hash_over_their_utf16_units(void **state) {
    (void)state;
    assert_int_equal(cql__java_hash(CQL_JAVA_STRING, corm_str_of("")), 0);
    assert_int_equal(cql__java_hash(CQL_JAVA_STRING, corm_str_of("abc")), 96354);
    assert_int_equal(cql__java_hash(CQL_JAVA_STRING, corm_str_of("é")), 233);
    assert_int_equal(cql__java_hash(CQL_JAVA_STRING, corm_str_of("日本")), 26085 * 31 + 26412);
    assert_int_equal(cql__java_hash(CQL_JAVA_STRING, corm_str_of("😀")), 0xd83d * 31 + 0xde00);
    assert_int_equal(cql__java_hash(CQL_JAVA_STRING, corm_str_of("\xc3")), 0xc3);
}

static void buffers_hash_from_their_end(void **state) {
    (void)state;
    assert_int_equal(cql__java_hash(CQL_JAVA_BYTES, corm_str_of("")), 1);
    assert_int_equal(cql__java_hash(CQL_JAVA_BYTES, corm_str_of("ab")), (31 + 'b') * 31 + 'a');
    assert_int_equal(cql__java_hash(CQL_JAVA_BYTES, corm_str_of("\xff")), 31 - 1);
}

static void a_map_gives_keys_by_bucket_and_then_by_insertion(void **state) {
    (void)state;
    const corm_str names[] = { corm_str_of("nope"), corm_str_of("zzz"), corm_str_of("abc") };
    const corm_str same[] = { corm_str_of("BB"), corm_str_of("Aa"), corm_str_of("C") };
    uint32_t       order[3];
    cql__java_order(CQL_JAVA_STRING, names, 3, 1, CQL_JAVA_CAPACITY, order);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], 0);
    assert_int_equal(order[2], 1);
    cql__java_order(CQL_JAVA_STRING, names, 3, 1, 8, order);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 2);
    assert_int_equal(order[2], 0);
    cql__java_order(CQL_JAVA_STRING, same, 3, 1, CQL_JAVA_CAPACITY, order);
    assert_true(order[0] == 0 ? order[1] == 1 : order[1] == 0 && order[2] == 1);
}

static void buckets_double_when_three_quarters_are_taken(void **state) {
    (void)state;
    assert_int_equal(cql__java_capacity(0), 1);
    assert_int_equal(cql__java_capacity(5), 8);
    assert_int_equal(cql__java_copy_capacity(3), 8);
    assert_int_equal(cql__java_copy_capacity(6), 16);
    corm_str names[13];
    char     text[13][2];
    uint32_t order[13];
    for (int i = 0; i < 13; i++) {
        text[i][0] = (char)('p' + (i == 12 ? 16 : i));
        names[i] = (corm_str){ text[i], 1 };
    }
    cql__java_order(CQL_JAVA_STRING, names, 13, 1, CQL_JAVA_CAPACITY, order);
    assert_int_equal(order[0], 12);
    assert_int_equal(order[12], 11);
}

static void whole_numbers_have_a_sign_and_a_range(void **state) {
    (void)state;
    int32_t number;
    int64_t wide;
    assert_true(cql__java_int(corm_str_of("+7"), &number));
    assert_int_equal(number, 7);
    assert_true(cql__java_int(corm_str_of("-2147483648"), &number));
    assert_int_equal(number, INT32_MIN);
    assert_false(cql__java_int(corm_str_of("2147483648"), &number));
    assert_false(cql__java_int(corm_str_of(""), &number));
    assert_false(cql__java_int(corm_str_of(" 1"), &number));
    assert_true(cql__java_long(corm_str_of("9223372036854775807"), &wide));
    assert_false(cql__java_long(corm_str_of("9223372036854775808"), &wide));
    assert_true(cql__java_is_numeric(corm_str_of("007")));
    assert_false(cql__java_is_numeric(corm_str_of("")));
    assert_false(cql__java_is_numeric(corm_str_of("-1")));
}

static void floating_numbers_may_have_blanks_and_a_letter(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double      value;
    } good[] = { { "1", 1 },
                 { " 0.5 ", 0.5 },
                 { "1.", 1 },
                 { ".5", 0.5 },
                 { "1e3f", 1000 },
                 { "-2.5D", -2.5 },
                 { "+1E-2", 0.01 },
                 { "0x1p-3", 0.125 },
                 { "-0X1.8P+1d", -3 },
                 { "0x.8p0", 0.5 },
                 { "0x123456789abcdef01p4", 0x1.23456789abcdfp68 } };
    static const char *const bad[] = { "",    " ",    "x",     "1.2.3", "nan", "inf", "infinity",
                                       "0x1", "0xp1", "0x.p1", "0x1p",  "f",   "1e",  "--1" };
    double                   value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(cql__java_double(corm_str_of(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (cql__java_double(corm_str_of(bad[i]), &value)) fail_msg("'%s' was taken", bad[i]);
    }
    assert_true(cql__java_double(corm_str_of("NaN"), &value) && isnan(value));
    assert_true(cql__java_double(corm_str_of("-Infinity"), &value) && isinf(value) && value < 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_hash_over_their_utf16_units),
        cmocka_unit_test(buffers_hash_from_their_end),
        cmocka_unit_test(a_map_gives_keys_by_bucket_and_then_by_insertion),
        cmocka_unit_test(buckets_double_when_three_quarters_are_taken),
        cmocka_unit_test(whole_numbers_have_a_sign_and_a_range),
        cmocka_unit_test(floating_numbers_may_have_blanks_and_a_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
