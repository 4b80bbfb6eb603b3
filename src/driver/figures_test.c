// SPDX-License-Identifier: MIT
/* figures_test.c -- latency histograms. */
#include "driver/figures.h"
#include "testing/check.h"

#include <pthread.h>
#include <stdlib.h>

static driver_histogram *new_histogram(void) {
    driver_histogram *histogram = calloc(1, sizeof *histogram);
    assert_non_null(histogram);
    return histogram;
}

static void assert_near(uint64_t actual, uint64_t expected) {
    if (actual < expected || (double)actual > (double)expected * 1.0626 + 1) {
        fail_msg("%llu is not near %llu", (unsigned long long)actual, (unsigned long long)expected);
    }
}

static void an_empty_histogram_has_zeros(void **state) {
    (void)state;
    driver_histogram *histogram = new_histogram();
    corm_latencies    read;
    driver__histogram_read(histogram, &read);
    assert_int_equal(read.count, 0);
    assert_int_equal(read.mean_us, 0);
    assert_int_equal(read.p999_us, 0);
    assert_int_equal(driver__histogram_percentile(histogram, 99.0), 0);
    free(histogram);
}

static void every_value_is_at_most_a_sixteenth_off(void **state) {
    (void)state;
    for (uint64_t us = 0; us < (uint64_t)1 << 39; us += us / 7 + 1) {
        driver_histogram *histogram = new_histogram();
        driver__histogram_add(histogram, us);
        driver__histogram_add(histogram, (uint64_t)1 << 39);
        assert_near(driver__histogram_percentile(histogram, 50.0), us);
        free(histogram);
    }
}

static void percentiles_of_a_thousand_values_are_where_they_belong(void **state) {
    (void)state;
    driver_histogram *histogram = new_histogram();
    for (uint64_t us = 1; us <= 1000; us++) driver__histogram_add(histogram, us);
    corm_latencies read;
    driver__histogram_read(histogram, &read);
    assert_int_equal(read.count, 1000);
    assert_int_equal(read.mean_us, 500);
    assert_int_equal(read.max_us, 1000);
    assert_near(read.p50_us, 500);
    assert_near(read.p95_us, 950);
    assert_near(read.p99_us, 990);
    assert_true(read.p999_us >= 999 && read.p999_us <= 1000);
    assert_int_equal(driver__histogram_percentile(histogram, 0.0), 1);
    assert_int_equal(driver__histogram_percentile(histogram, 100.0), 1000);
    free(histogram);
}

static void what_is_too_long_counts_as_the_longest(void **state) {
    (void)state;
    driver_histogram *histogram = new_histogram();
    driver__histogram_add(histogram, UINT64_MAX / 2);
    assert_true(driver__histogram_percentile(histogram, 50.0) == ((uint64_t)1 << 40) - 1);
    free(histogram);
}

static void merging_adds_the_counts(void **state) {
    (void)state;
    driver_histogram *a = new_histogram(), *b = new_histogram();
    for (int i = 0; i < 10; i++) driver__histogram_add(a, 100);
    for (int i = 0; i < 30; i++) driver__histogram_add(b, 5000);
    driver__histogram_merge(a, b);
    corm_latencies read;
    driver__histogram_read(a, &read);
    assert_int_equal(read.count, 40);
    assert_int_equal(read.max_us, 5000);
    assert_int_equal(read.mean_us, (10 * 100 + 30 * 5000) / 40);
    assert_near(read.p50_us, 5000);
    free(a);
    free(b);
}

static void *add_many(void *context) {
    for (uint64_t i = 0; i < 200000; i++) driver__histogram_add(context, i & 1023);
    return NULL;
}

static void another_thread_reads_while_it_is_written(void **state) {
    (void)state;
    driver_histogram *histogram = new_histogram();
    pthread_t         writer;
    assert_int_equal(pthread_create(&writer, NULL, add_many, histogram), 0);
    corm_latencies read = { 0 };
    for (int i = 0; i < 50; i++) {
        uint64_t before = read.count;
        driver__histogram_read(histogram, &read);
        assert_true(read.count >= before);
        assert_true(read.p50_us <= read.p99_us && read.p99_us <= read.max_us);
    }
    pthread_join(writer, NULL);
    driver__histogram_read(histogram, &read);
    assert_int_equal(read.count, 200000);
    free(histogram);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_empty_histogram_has_zeros),
    cmocka_unit_test(every_value_is_at_most_a_sixteenth_off),
    cmocka_unit_test(percentiles_of_a_thousand_values_are_where_they_belong),
    cmocka_unit_test(what_is_too_long_counts_as_the_longest),
    cmocka_unit_test(merging_adds_the_counts),
    cmocka_unit_test(another_thread_reads_while_it_is_written),
};

RUN_TESTS()
