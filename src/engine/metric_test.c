// SPDX-License-Identifier: MIT
#include "engine/metric.h"

#include "engine/core.h"
#include "testing/store.h"

enum { SECOND = 1000000000 };

static void small_values_are_counted_as_they_are(void **state) {
    (void)state;
    static metric_histogram histogram;
    metric_figures          figures;
    for (uint64_t value = 1; value <= 5; value++) metric__add(&histogram, value);
    metric__read(&histogram, 0, &figures);
    assert_int_equal(figures.count, 5);
    assert_int_equal(figures.most, 5);
    assert_true(metric__percentile(&figures, 0.5) == 3);
    assert_true(metric__percentile(&figures, 1) == 5);
    assert_true(metric__percentile(&figures, 0) == 1);
}

static void great_values_are_off_by_an_eighth_at_most(void **state) {
    (void)state;
    for (uint64_t value = 8; value < UINT64_C(1) << 40; value = value * 7 / 5) {
        metric_histogram histogram = { 0 };
        metric_figures   figures;
        metric__add(&histogram, value);
        metric__add(&histogram, value * 16);
        metric__read(&histogram, 0, &figures);
        double found = metric__percentile(&figures, 0.5);
        assert_true(found >= (double)value * 7 / 8 && found <= (double)value * 9 / 8);
        assert_int_equal(figures.most, value * 16);
    }
}

static void what_is_too_great_is_the_greatest(void **state) {
    (void)state;
    static metric_histogram histogram;
    metric_figures          figures;
    metric__add(&histogram, UINT64_MAX);
    metric__read(&histogram, 0, &figures);
    assert_int_equal(figures.count, 1);
    assert_true(figures.most == UINT64_MAX);
}

static void nothing_is_nothing(void **state) {
    (void)state;
    metric_figures figures;
    metric__read(NULL, SECOND, &figures);
    assert_int_equal(figures.count, 0);
    assert_true(metric__percentile(&figures, 0.99) == 0);
    assert_true(figures.rate == 0);
}

static void the_rate_is_that_of_the_last_half_minute_and_more(void **state) {
    (void)state;
    static metric_histogram histogram;
    metric_figures          figures;
    int64_t                 now = 1000 * (int64_t)SECOND;
    for (int i = 0; i < 1000; i++) metric__add_at(&histogram, 1, 1, now); /* long ago */
    for (int second = 100; second < 200; second++)
        for (int i = 0; i < 10; i++)
            metric__add_at(&histogram, 1, 1, now + second * (int64_t)SECOND);
    metric__read(&histogram, now + 199 * (int64_t)SECOND, &figures);
    assert_true(figures.rate > 9 && figures.rate < 11);
    metric__read(&histogram, now + 100000 * (int64_t)SECOND, &figures);
    assert_true(figures.rate < 0.1);
}

static engine *open_with_keyspace(void) {
    engine *store = try_open();
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    return store;
}

static void tables_that_are_gone_leave_their_place_to_others(void **state) {
    (void)state;
    engine       *store = open_with_keyspace();
    metric_table *before[200];
    uint32_t      again = 0;
    run(store, "CREATE TABLE k.kept (a int PRIMARY KEY)");
    run(store, "INSERT INTO k.kept (a) VALUES (1)");
    for (int i = 0; i < 200; i++) {
        run(store, "CREATE TABLE k.t (a int PRIMARY KEY)");
        run(store, "INSERT INTO k.t (a) VALUES (1)");
        cql_schema *schema = engine__schema(store);
        before[i] =
            metric__find(store, cql__schema_table(schema, corm_str_of("k"), corm_str_of("t")));
        assert_non_null(before[i]);
        for (int j = 0; j < i; j++) again += before[j] == before[i];
        cql__schema_unref(schema);
        expect(store,
               "SELECT count FROM system_views.local_write_latency WHERE keyspace_name = 'k' AND "
               "table_name = 't'",
               "1");
        run(store, "DROP TABLE k.t");
    }
    assert_true(again > 50);
    expect(store,
           "SELECT count FROM system_views.local_write_latency WHERE keyspace_name = 'k' AND "
           "table_name = 'kept'",
           "1");
    engine__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(small_values_are_counted_as_they_are),
    cmocka_unit_test(great_values_are_off_by_an_eighth_at_most),
    cmocka_unit_test(what_is_too_great_is_the_greatest),
    cmocka_unit_test(nothing_is_nothing),
    cmocka_unit_test(the_rate_is_that_of_the_last_half_minute_and_more),
    cmocka_unit_test(tables_that_are_gone_leave_their_place_to_others),
};

RUN_TESTS()
