// SPDX-License-Identifier: MIT
#include "base/calendar.h"

#include "base/map.h"
#include "corm/types.h"
#include "testing/check.h"

static void days_count_up_through_four_centuries(void **state) {
    (void)state;
    base_civil civil = { 1600, 1, 1 };
    int64_t    days = base__days_of_civil(civil);
    assert_int_equal(days, -135140);
    for (; civil.year < 2010; days++) {
        assert_true(base__civil_valid(civil));
        assert_int_equal(base__days_of_civil(civil), days);
        base_civil back = base__civil_of_days(days);
        assert_int_equal(back.year, civil.year);
        assert_int_equal(back.month, civil.month);
        assert_int_equal(back.day, civil.day);
        civil.day++;
        if (!base__civil_valid(civil)) civil = (base_civil){ civil.year, civil.month + 1, 1 };
        if (!base__civil_valid(civil)) civil = (base_civil){ civil.year + 1, 1, 1 };
    }
    assert_int_equal(days, 14610);
}

static void leap_years_follow_gregory(void **state) {
    (void)state;
    assert_true(base__civil_valid((base_civil){ 2000, 2, 29 }));
    assert_true(base__civil_valid((base_civil){ 0, 2, 29 }));
    assert_true(base__civil_valid((base_civil){ -4, 2, 29 }));
    assert_false(base__civil_valid((base_civil){ 1900, 2, 29 }));
    assert_false(base__civil_valid((base_civil){ 2025, 2, 29 }));
    assert_false(base__civil_valid((base_civil){ 2025, 0, 1 }));
    assert_false(base__civil_valid((base_civil){ 2025, 13, 1 }));
    assert_false(base__civil_valid((base_civil){ 2025, 4, 31 }));
    assert_false(base__civil_valid((base_civil){ 2025, 4, 0 }));
}

static void dates_are_read_from_the_front_of_a_text(void **state) {
    (void)state;
    base_civil civil;
    assert_int_equal(base__civil_read(corm_str_of("2026-01-31 10:00"), &civil), 10);
    assert_int_equal(civil.year, 2026);
    assert_int_equal(base__civil_read(corm_str_of("-5877641-06-23"), &civil), 14);
    assert_int_equal(civil.year, -5877641);
    assert_int_equal(base__civil_read(corm_str_of("2026-1-31"), &civil), 0);
    assert_int_equal(base__civil_read(corm_str_of("2026-02-30"), &civil), 0);
    assert_int_equal(base__civil_read(corm_str_of(""), &civil), 0);
}

static void check(const char *text, int64_t ms) {
    corm_timestamp timestamp = { 0 };
    corm_error     err;
    assert_ok(corm_timestamp_parse(text, &timestamp, &err), err);
    assert_int_equal(timestamp.ms, ms);
}

static void every_form_of_a_timestamp_is_read(void **state) {
    (void)state;
    check("0", 0);
    check("-1500", -1500);
    check("1970-01-01", 0);
    check("2026-01-31", 1769817600000);
    check("2026-01-31 10:00", 1769853600000);
    check("2026-01-31T10:00Z", 1769853600000);
    check("2026-01-31T10:00 UTC", 1769853600000);
    check("2026-01-31 10:00:00 GMT", 1769853600000);
    check("2026-01-31 10:00:00.123+0100", 1769850000123);
    check("2026-01-31 10:00:00.123+01:00", 1769850000123);
    check("2026-01-31 10:00:00.1-01", 1769857200100);
    check("2026-01-31 10:00:00.123456789", 1769853600123);
    check("2026-01-31+0000", 1769817600000);
    check("2026-01-31 +02", 1769810400000);
    check("1969-12-31 23:59:59.999", -1);
    check("+10000-01-01", 253402300800000);
}

static void other_texts_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "today",
        "2026-01",
        "2026-13-01",
        "2026-02-29",
        "2026-01-31 24:00",
        "2026-01-31 10:60",
        "2026-01-31 10:00:60",
        "2026-01-31 10",
        "2026-01-31 10:00:",
        "2026-01-31 10:00:00.",
        "2026-01-31 10:00:00.1234567890",
        "2026-01-31T",
        "2026-01-31 10:00 +1",
        "2026-01-31 10:00 +0160",
        "2026-01-31 10:00 +1900",
        "2026-01-31 10:00+01:0",
        "2026-01-31 10:00 PST",
        "2026-01-31 10:00Z ",
        "292278994-08-18",
        "-292275055-05-15",
        "999999999-01-01",
        "9223372036854775808",
    };
    corm_timestamp timestamp = { 7 };
    corm_error     err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(corm_timestamp_parse(bad[i], &timestamp, &err), CORM_CONVERSION);
    }
    assert_status(corm_timestamp_parse(NULL, &timestamp, NULL), CORM_CONVERSION);
    assert_int_equal(timestamp.ms, 7);
}

static void check_format(int64_t ms, const char *text) {
    char out[40];
    corm_timestamp_format((corm_timestamp){ ms }, out);
    assert_string_equal(out, text);
    check(text, ms);
}

static void every_timestamp_has_a_text_that_reads_back(void **state) {
    (void)state;
    check_format(0, "1970-01-01 00:00:00.000Z");
    check_format(-1, "1969-12-31 23:59:59.999Z");
    check_format(1769850000123, "2026-01-31 09:00:00.123Z");
    check_format(253402300800000, "+10000-01-01 00:00:00.000Z");
    check_format(-62135596800001, "0000-12-31 23:59:59.999Z");
    check_format(-62167219200001, "-0001-12-31 23:59:59.999Z");
    check_format(INT64_MAX, "+292278994-08-17 07:12:55.807Z");
    check_format(INT64_MIN, "-292275055-05-16 16:47:04.192Z");
    for (uint64_t i = 0; i < 10000; i++) {
        int64_t ms = (int64_t)base__hash(&i, sizeof i, 5) >> (i % 40);
        char    out[40];
        corm_timestamp_format((corm_timestamp){ ms }, out);
        check(out, ms);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(days_count_up_through_four_centuries),
    cmocka_unit_test(leap_years_follow_gregory),
    cmocka_unit_test(dates_are_read_from_the_front_of_a_text),
    cmocka_unit_test(every_form_of_a_timestamp_is_read),
    cmocka_unit_test(other_texts_are_refused),
    cmocka_unit_test(every_timestamp_has_a_text_that_reads_back),
};

RUN_TESTS()
