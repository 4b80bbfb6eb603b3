// SPDX-License-Identifier: MIT
#include "testing/check_cases.h"

static const char *const tables[] = { "CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))",
                                      "CREATE TABLE u (k int PRIMARY KEY, v int)",
                                      "CREATE TABLE n (k int PRIMARY KEY, n counter)", NULL };

enum { MOST = 4 };

/* Statements prepared one by one. */
typedef struct prepared {
    check_world               world;
    cql_checked              *checked[MOST];
    const cql_checked_modify *items[MOST];
    uint32_t                  count;
} prepared;

static void open_all(prepared *p, const char *const *texts) {
    *p = (prepared){ 0 };
    world_open(&p->world, tables);
    for (; *texts; texts++) {
        p->checked[p->count] = world_good(&p->world, *texts);
        p->items[p->count] = p->checked[p->count]->modify;
        p->count++;
        p->world.checked = NULL;
    }
}

static void close_all(prepared *p) {
    for (uint32_t i = 0; i < p->count; i++) cql__checked_free(p->checked[i]);
    world_close(&p->world);
}

static corm_status check_all(prepared *p, cql_batch_kind kind, bool has_timestamp,
                             cql_checked_batch *out) {
    return cql__check_batch(kind, p->items, p->count, has_timestamp, out, &p->world.arena,
                            &p->world.error);
}

static void prepared_statements_make_a_batch(void **state) {
    (void)state;
    prepared          p;
    cql_checked_batch batch;
    open_all(&p, (const char *const[]){ "INSERT INTO t (k, c) VALUES (?, ?)",
                                        "DELETE FROM u WHERE k = ?", NULL });

    assert_ok(check_all(&p, CQL_BATCH_LOGGED, true, &batch), p.world.error);
    assert_int_equal(batch.count, 2);
    assert_true(batch.items[1] == p.items[1]);
    assert_false(batch.is_conditional);

    close_all(&p);
}

static void counters_stay_among_themselves(void **state) {
    (void)state;
    prepared          p;
    cql_checked_batch batch;
    open_all(&p, (const char *const[]){ "UPDATE n SET n = n + 1 WHERE k = 1",
                                        "INSERT INTO u (k) VALUES (1)", NULL });

    assert_status(check_all(&p, CQL_BATCH_UNLOGGED, false, &batch), CORM_INVALID);
    assert_string_equal(p.world.error.message,
                        "Counter and non-counter mutations cannot exist in the same batch");
    assert_status(check_all(&p, CQL_BATCH_COUNTER, false, &batch), CORM_INVALID);
    assert_string_equal(p.world.error.message,
                        "Cannot include non-counter statement in a counter batch");
    assert_status(check_all(&p, CQL_BATCH_COUNTER, true, &batch), CORM_INVALID);
    assert_string_equal(p.world.error.message, "Cannot provide custom timestamp for counter BATCH");
    p.count = 1;
    assert_status(check_all(&p, CQL_BATCH_LOGGED, false, &batch), CORM_INVALID);
    assert_string_equal(p.world.error.message,
                        "Cannot include a counter statement in a logged batch");
    assert_status(check_all(&p, CQL_BATCH_UNLOGGED, true, &batch), CORM_INVALID);
    assert_string_equal(p.world.error.message,
                        "Cannot provide custom timestamp for a BATCH containing counters");
    assert_ok(check_all(&p, CQL_BATCH_COUNTER, false, &batch), p.world.error);

    p.count = 2;
    close_all(&p);
}

static void conditions_keep_to_one_table(void **state) {
    (void)state;
    prepared          p;
    cql_checked_batch batch;
    open_all(&p, (const char *const[]){ "INSERT INTO t (k, c) VALUES (1, 1) IF NOT EXISTS",
                                        "UPDATE t SET v = 1 WHERE k IN (1, 2) AND c = 1",
                                        "UPDATE t SET v = 1 WHERE k = 1 AND c IN (1, 2)",
                                        "INSERT INTO u (k) VALUES (1)", NULL });

    assert_status(check_all(&p, CQL_BATCH_LOGGED, false, &batch), CORM_INVALID);
    assert_string_equal(p.world.error.message, "Batch with conditions cannot span multiple tables");
    p.count = 2;
    assert_status(check_all(&p, CQL_BATCH_LOGGED, true, &batch), CORM_INVALID);
    assert_string_equal(p.world.error.message,
                        "Cannot provide custom timestamp for conditional BATCH");
    p.count = 1;
    assert_ok(check_all(&p, CQL_BATCH_LOGGED, false, &batch), p.world.error);
    assert_true(batch.is_conditional);

    p.count = 4;
    close_all(&p);
}

static void a_batch_of_one_text_counts_its_markers_through(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_checked *checked = world_good(
        &w,
        "BEGIN BATCH INSERT INTO u (k, v) VALUES (?, ?); UPDATE u SET v = ? WHERE k = ?; APPLY BATCH");
    assert_int_equal(checked->batch->count, 2);
    assert_int_equal(checked->marker_count, 4);
    assert_int_equal(checked->partition_marker_count, 1);
    assert_int_equal(checked->partition_markers[0], 3);
    checked = world_good(
        &w,
        "BEGIN BATCH INSERT INTO u (k, v) VALUES (?, ?); INSERT INTO t (k, c) VALUES (?, ?); APPLY BATCH");
    assert_int_equal(checked->partition_marker_count, 0);

    world_close(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(prepared_statements_make_a_batch),
    cmocka_unit_test(counters_stay_among_themselves),
    cmocka_unit_test(conditions_keep_to_one_table),
    cmocka_unit_test(a_batch_of_one_text_counts_its_markers_through),
};
RUN_TESTS()
