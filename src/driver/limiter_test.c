// SPDX-License-Identifier: MIT
/* limiter_test.c -- the adaptive limit on requests in flight. */
#include "driver/node.h"
#include "testing/check.h"

static const uint64_t second_ns = 1000000000;

static driver_limiter new_limiter(uint32_t initial) {
    driver_limiter           limiter;
    corm_concurrency_options options = { .initial = initial, .least = 16, .most = 1000 };
    driver__limiter_init(&limiter, &options);
    return limiter;
}

static void it_allows_as_many_as_the_limit(void **state) {
    (void)state;
    driver_limiter limiter = new_limiter(100);
    assert_true(driver__limiter_allows(&limiter, 99));
    assert_false(driver__limiter_allows(&limiter, 100));
    limiter.disabled = true;
    assert_true(driver__limiter_allows(&limiter, 100000));
}

static void it_grows_by_four_for_each_window_of_answers_while_it_is_in_use(void **state) {
    (void)state;
    driver_limiter limiter = new_limiter(100);
    for (int i = 0; i < 100; i++) driver__limiter_answered(&limiter, 10);
    assert_true(limiter.limit == 100.0);
    for (int i = 0; i < 100; i++) driver__limiter_answered(&limiter, 90);
    assert_true(limiter.limit > 103.0 && limiter.limit < 105.0);
    for (int i = 0; i < 1000000; i++) driver__limiter_answered(&limiter, 1000);
    assert_true(limiter.limit == 1000.0);
}

static void an_overloaded_node_gets_less(void **state) {
    (void)state;
    driver_limiter limiter = new_limiter(100);
    driver__limiter_overloaded(&limiter, 100, second_ns, 5000);
    assert_true(limiter.limit > 69.0 && limiter.limit < 71.0);
}

static void it_is_cut_at_most_once_a_round_trip(void **state) {
    (void)state;
    driver_limiter limiter = new_limiter(100);
    driver__limiter_overloaded(&limiter, 100, second_ns, 5000);
    driver__limiter_overloaded(&limiter, 100, second_ns + 4000000, 5000);
    assert_true(limiter.limit > 69.0);
    driver__limiter_overloaded(&limiter, 100, second_ns + 5000000, 5000);
    assert_true(limiter.limit < 50.0);
}

static void it_never_falls_below_the_least(void **state) {
    (void)state;
    driver_limiter limiter = new_limiter(100);
    for (uint64_t i = 1; i < 50; i++) {
        driver__limiter_overloaded(&limiter, 100, i * second_ns, 5000);
    }
    assert_true(limiter.limit == 16.0);
    assert_true(driver__limiter_allows(&limiter, 15));
}

static void a_limit_far_above_what_is_in_use_falls_to_it(void **state) {
    (void)state;
    driver_limiter limiter = new_limiter(1000);
    driver__limiter_overloaded(&limiter, 50, second_ns, 5000);
    assert_true(limiter.limit > 69.0 && limiter.limit < 71.0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_allows_as_many_as_the_limit),
    cmocka_unit_test(it_grows_by_four_for_each_window_of_answers_while_it_is_in_use),
    cmocka_unit_test(an_overloaded_node_gets_less),
    cmocka_unit_test(it_is_cut_at_most_once_a_round_trip),
    cmocka_unit_test(it_never_falls_below_the_least),
    cmocka_unit_test(a_limit_far_above_what_is_in_use_falls_to_it),
};

RUN_TESTS()
