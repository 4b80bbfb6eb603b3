// SPDX-License-Identifier: MIT
#include "cql/zones.h"

#include "testing/check.h"

static int hours(const char *name, int64_t year, int32_t month, int32_t day, int64_t minutes) {
    int64_t seconds = 0;
    assert_true(cql__zone_offset(corm_str_of(name), (base_civil){ year, month, day },
                                 minutes * 60000, &seconds));
    return (int)(seconds / 3600);
}

static void clocks_change_twice_a_year(void **state) {
    (void)state;
    assert_int_equal(hours("PST", 2011, 1, 15, 0), -8);
    assert_int_equal(hours("PST", 2011, 7, 15, 0), -7);
    assert_int_equal(hours("PDT", 2011, 1, 15, 0), -8);
    assert_int_equal(hours("CET", 2011, 1, 15, 0), 1);
    assert_int_equal(hours("CET", 2011, 7, 15, 0), 2);
    assert_int_equal(hours("JST", 2011, 7, 15, 0), 9);
}

/* 2011: from March 13, 2:00 to November 6, 2:00; 2000: from April 2 to October 29. */
static void american_clocks_change_on_a_sunday_at_two(void **state) {
    (void)state;
    assert_int_equal(hours("EST", 2011, 3, 13, 179), -5);
    assert_int_equal(hours("EST", 2011, 3, 13, 180), -4);
    assert_int_equal(hours("EST", 2011, 11, 6, 119), -4);
    assert_int_equal(hours("EST", 2011, 11, 6, 120), -5);
    assert_int_equal(hours("EST", 2000, 4, 2, 179), -5);
    assert_int_equal(hours("EST", 2000, 4, 2, 180), -4);
    assert_int_equal(hours("EST", 2000, 10, 29, 119), -4);
    assert_int_equal(hours("EST", 2000, 10, 29, 120), -5);
}

/* 2011: from March 27 to October 30, everywhere at 1:00 UTC. */
static void european_clocks_change_at_one_moment(void **state) {
    (void)state;
    assert_int_equal(hours("CET", 2011, 3, 27, 179), 1);
    assert_int_equal(hours("CET", 2011, 3, 27, 180), 2);
    assert_int_equal(hours("CET", 2011, 10, 30, 179), 2);
    assert_int_equal(hours("CET", 2011, 10, 30, 180), 1);
    assert_int_equal(hours("EET", 2011, 3, 27, 239), 2);
    assert_int_equal(hours("EET", 2011, 3, 27, 240), 3);
}

static void other_names_are_not_known(void **state) {
    (void)state;
    int64_t seconds = 7;
    assert_false(
        cql__zone_offset(corm_str_of("Europe/Berlin"), (base_civil){ 2011, 1, 1 }, 0, &seconds));
    assert_false(cql__zone_offset(corm_str_of("pst"), (base_civil){ 2011, 1, 1 }, 0, &seconds));
    assert_int_equal(seconds, 7);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(clocks_change_twice_a_year),
    cmocka_unit_test(american_clocks_change_on_a_sunday_at_two),
    cmocka_unit_test(european_clocks_change_at_one_moment),
    cmocka_unit_test(other_names_are_not_known),
};

RUN_TESTS()
