// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

#include "testing/check.h"

enum { THREADS = 4, CALLS = 5000 };

static void the_clocks_agree(void **state) {
    (void)state;
    int64_t s = base__clock_s();
    int64_t ms = base__clock_ms();
    int64_t us = base__clock_us();
    assert_true(s > 1600000000);
    assert_in_range(ms / 1000, s, s + 60);
    assert_in_range(us / 1000, ms, ms + 60000);
    assert_in_range(corm_timestamp_now().ms, ms, ms + 60000);
}

static void the_monotonic_clock_does_not_go_back(void **state) {
    (void)state;
    int64_t before = base__clock_mono_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now = base__clock_mono_ns();
        assert_true(now >= before);
        before = now;
    }
}

static void *take_times(void *argument) {
    int64_t *times = argument;
    for (size_t i = 0; i < CALLS; i++) times[i] = base__clock_write_us();
    return NULL;
}

static int compare_times(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void write_times_never_repeat_in_many_threads(void **state) {
    (void)state;
    static int64_t times[THREADS * CALLS];
    pthread_t      threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, take_times, times + i * CALLS);
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (size_t i = 1; i < THREADS * CALLS; i++) {
        if (i % CALLS != 0) assert_true(times[i] > times[i - 1]);
    }
    qsort(times, THREADS * CALLS, sizeof times[0], compare_times);
    for (size_t i = 1; i < THREADS * CALLS; i++) assert_true(times[i] != times[i - 1]);
}

static void a_fake_clock_stands_and_its_write_times_count_up(void **state) {
    (void)state;
    base__clock_fake(INT64_C(1700000000123456));
    assert_int_equal(base__clock_s(), 1700000000);
    assert_int_equal(base__clock_ms(), 1700000000123);
    assert_int_equal(base__clock_us(), 1700000000123456);
    assert_int_equal(base__clock_write_us(), 1700000000123456);
    assert_int_equal(base__clock_write_us(), 1700000000123457);
    assert_int_equal(base__clock_us(), 1700000000123456);
    base__clock_fake(1000);
    assert_int_equal(base__clock_write_us(), 1000);
    base__clock_fake(-1500);
    assert_int_equal(base__clock_ms(), -2);
    assert_int_equal(base__clock_s(), -1);
    base__clock_fake(0);
    assert_true(base__clock_write_us() > INT64_C(1600000000000000));
}

static void random_bytes_differ(void **state) {
    (void)state;
    uint8_t a[1000] = { 0 };
    uint8_t b[1000] = { 0 };
    assert_true(base__random(a, sizeof a));
    assert_true(base__random(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(base__random(NULL, 0));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_clocks_agree),
    cmocka_unit_test(the_monotonic_clock_does_not_go_back),
    cmocka_unit_test(write_times_never_repeat_in_many_threads),
    cmocka_unit_test(a_fake_clock_stands_and_its_write_times_count_up),
    cmocka_unit_test(random_bytes_differ),
};

RUN_TESTS()
