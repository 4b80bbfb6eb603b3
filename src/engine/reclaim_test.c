// SPDX-License-Identifier: MIT
#include "engine/core.h"
#include "testing/store.h"

static corm_error err;

static _Atomic int64_t now_s;

static int64_t fake_now(void) {
    return now_s * 1000000;
}

static engine *open_at(int64_t second) {
    engine *store = NULL;
    now_s = second;
    assert_ok(engine__open(&(engine_options){ .map_bytes = (uint64_t)64 << 20, .now_us = fake_now },
                           &store, &err),
              err);
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    return store;
}

static uint64_t count_keys(engine *store, kv_tree tree) {
    engine_snapshot snapshot;
    kv_cursor      *cursor;
    bool            found;
    uint64_t        count = 0;
    assert_ok(engine__read_begin(store, &snapshot, &err), err);
    assert_ok(kv__cursor_open(snapshot.txn, tree, &cursor, &err), err);
    assert_ok(kv__cursor_seek(cursor, (corm_bytes){ 0 }, KV_AT_OR_AFTER, &found, &err), err);
    for (; found; count++) assert_ok(kv__cursor_next(cursor, &found, &err), err);
    engine__read_end(&snapshot);
    return count;
}

static uint64_t reclaim(engine *store, uint64_t budget) {
    uint64_t reclaimed;
    assert_ok(engine__reclaim(store, budget, &reclaimed, &err), err);
    return reclaimed;
}

static void insert_rows(engine *store, int count) {
    for (int i = 0; i < count; i++) {
        char text[100];
        snprintf(text, sizeof text, "INSERT INTO k.t (a, b, v) VALUES (%d, %d, 'x')", i % 7, i);
        run(store, text);
    }
}

static void a_dropped_table_goes_away_bit_by_bit(void **state) {
    (void)state;
    engine *store = open_at(1700000000);
    run(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))");
    run(store, "CREATE INDEX ON k.t (v)");
    insert_rows(store, 50);
    assert_int_equal(count_keys(store, KV_DATA), 100);
    run(store, "DROP TABLE k.t");
    assert_int_equal(count_keys(store, KV_DATA), 100);
    assert_int_equal(count_keys(store, KV_QUEUE), 2);
    assert_ok(engine__verify(store, &err), err);
    assert_int_equal(reclaim(store, 30), 30);
    assert_int_equal(count_keys(store, KV_DATA), 70);
    assert_ok(engine__verify(store, &err), err);
    assert_int_equal(reclaim(store, 0), 70);
    assert_int_equal(count_keys(store, KV_DATA), 0);
    assert_int_equal(count_keys(store, KV_QUEUE), 0);
    assert_int_equal(reclaim(store, 0), 0);
    engine_stats stats;
    engine__stats(store, &stats);
    assert_int_equal(stats.reclaimed, 100);
    engine__close(store);
}

static void truncated_rows_do_not_come_back(void **state) {
    (void)state;
    engine *store = open_at(1700000000);
    run(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))");
    insert_rows(store, 20);
    run(store, "TRUNCATE k.t");
    insert_rows(store, 3);
    reclaim(store, 0);
    assert_int_equal(count_keys(store, KV_DATA), 3);
    expect(store, "SELECT b FROM k.t WHERE a = 1", "1");
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

static void more_than_one_step_is_reclaimed(void **state) {
    (void)state;
    engine *store = open_at(1700000000);
    run(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))");
    insert_rows(store, 2500);
    run(store, "DROP TABLE k.t");
    assert_int_equal(reclaim(store, 0), 2500);
    assert_int_equal(count_keys(store, KV_DATA), 0);
    engine__close(store);
}

static void an_expired_row_is_forgotten_after_its_grace(void **state) {
    (void)state;
    engine *store = open_at(1700000000);
    run(store,
        "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b)) WITH gc_grace_seconds = 100");
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 1, 'x') USING TTL 10");
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'y')");
    reclaim(store, 0);
    expect(store, "SELECT b FROM k.t", "1; 2");
    now_s += 11;
    expect(store, "SELECT b FROM k.t", "2");
    reclaim(store, 0);
    assert_int_equal(count_keys(store, KV_DATA), 2);
    now_s += 200;
    reclaim(store, 0);
    assert_int_equal(count_keys(store, KV_DATA), 1);
    assert_int_equal(count_keys(store, KV_QUEUE), 0);
    expect(store, "SELECT b FROM k.t", "2");
    engine__close(store);
}

static void tombstones_are_forgotten_after_their_grace(void **state) {
    (void)state;
    engine *store = open_at(1700000000);
    run(store,
        "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b)) WITH gc_grace_seconds = 100");
    insert_rows(store, 10);
    run(store, "DELETE FROM k.t WHERE a = 1 AND b = 1");
    run(store, "DELETE FROM k.t WHERE a = 2");
    run(store, "DELETE FROM k.t WHERE a = 3 AND b > 5");
    run(store, "DELETE v FROM k.t WHERE a = 4 AND b = 4");
    uint64_t before = count_keys(store, KV_DATA);
    reclaim(store, 0);
    assert_int_equal(count_keys(store, KV_DATA), before);
    now_s += 300;
    reclaim(store, 0);
    assert_int_equal(count_keys(store, KV_QUEUE), 0);
    assert_true(count_keys(store, KV_DATA) < before);
    assert_ok(engine__verify(store, &err), err);
    expect(store, "SELECT b FROM k.t WHERE a = 4", "4");
    engine__close(store);
}

static void writers_reclaim_by_the_way(void **state) {
    (void)state;
    engine *store = open_at(1700000000);
    run(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))");
    insert_rows(store, 100);
    run(store, "DROP TABLE k.t");
    run(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))");
    store->reclaim_at_ns = 0; /* the writers have just looked */
    insert_rows(store, 20);
    assert_int_equal(count_keys(store, KV_DATA), 20);
    engine__close(store);
}

static corm_status put_nonsense(engine_job *job, engine_round *round, corm_error *e) {
    (void)job;
    return kv__put(round->txn, KV_QUEUE, engine__meta_key("nonsense"), engine__meta_key("more"), e);
}

static void a_damaged_entry_is_reported_and_does_not_stop_writers(void **state) {
    (void)state;
    engine    *store = open_at(1700000000);
    uint64_t   reclaimed;
    engine_job job = { .run = put_nonsense };
    run(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))");
    assert_ok(engine__write(store, &job, &err), err);
    assert_status(engine__reclaim(store, 0, &reclaimed, &err), CORM_CORRUPT);
    assert_status(engine__verify(store, &err), CORM_CORRUPT);
    store->reclaim_at_ns = 0;
    insert_rows(store, 5);
    expect(store, "SELECT count(*) FROM k.t", "5");
    engine__close(store);
}

/* The last second of an expiry is the server's largest, and a statement that reaches behind it is refused by the clock. */
static void a_ttl_reaches_to_2106(void **state) {
    (void)state;
    engine *store = open_at(4294967293 - 100);
    run(store, "CREATE TABLE k.t (a int PRIMARY KEY, v int)");
    run(store, "CREATE TABLE k.d (a int PRIMARY KEY, v int) WITH default_time_to_live = 101");
    run(store, "INSERT INTO k.t (a, v) VALUES (1, 1) USING TTL 100");
    expect_error(
        store, "INSERT INTO k.t (a, v) VALUES (2, 1) USING TTL 101", CORM_INVALID,
        "Request on table k.t with ttl of 101 seconds exceeds maximum supported expiration date of "
        "2106-02-07T06:28:13+00:00");
    expect_error(store, "INSERT INTO k.d (a, v) VALUES (2, 1)", CORM_INVALID,
                 "Request on table k.d with default ttl of 101 seconds exceeds maximum");
    expect(store, "SELECT a, TTL(v) FROM k.t", "1|100");
    now_s = 4294967292;
    expect(store, "SELECT a, TTL(v) FROM k.t", "1|1");
    now_s = 4294967293;
    expect(store, "SELECT a FROM k.t", "");
    engine__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_ttl_reaches_to_2106),
    cmocka_unit_test(a_dropped_table_goes_away_bit_by_bit),
    cmocka_unit_test(truncated_rows_do_not_come_back),
    cmocka_unit_test(more_than_one_step_is_reclaimed),
    cmocka_unit_test(an_expired_row_is_forgotten_after_its_grace),
    cmocka_unit_test(tombstones_are_forgotten_after_their_grace),
    cmocka_unit_test(writers_reclaim_by_the_way),
    cmocka_unit_test(a_damaged_entry_is_reported_and_does_not_stop_writers),
};

RUN_TESTS()
