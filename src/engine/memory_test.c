// SPDX-License-Identifier: MIT
/* Every operation is made again and again while one allocation more succeeds each time, until it goes through. A failure
 * must be CORM_NO_MEMORY; the store must work afterwards and hold all of the operation or nothing; nothing may leak. */
#include "testing/memory.h"

#include "engine/core.h"
#include "testing/store.h"

typedef corm_status (*operation)(engine *store, corm_error *err);

static void (*set_up)(engine *store); /* what a test needs beside the usual tables */

static corm_status open_in_memory(engine **out, corm_error *err) {
    return engine__open(&(engine_options){ .map_bytes = (uint64_t)16 << 20 }, out, err);
}

static engine *open_filled(void) {
    engine    *store = NULL;
    corm_error err;
    assert_ok(open_in_memory(&store, &err), err);
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store, "CREATE TABLE k.t (a int, b int, v text, l list<int>, PRIMARY KEY (a, b))");
    run(store, "CREATE INDEX ON k.t (v)");
    run(store, "INSERT INTO k.t (a, b, v, l) VALUES (1, 1, 'x', [1, 2])");
    if (set_up) set_up(store);
    return store;
}

/* Returns whether memory was short. */
static bool try_with(operation op, size_t allowed) {
    corm_error err = { 0 };
    engine    *store = open_filled();
    testing__memory_fail_from(allowed);
    corm_status status = op(store, &err);
    bool        has_failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    /* An allocation that the operation can do without may fail. */
    if (!has_failed) assert_ok(status, err);
    if (status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
    assert_ok(engine__verify(store, &err), err);
    run(store, "INSERT INTO k.t (a, b, v) VALUES (5, 5, 'works')");
    expect(store, "SELECT v FROM k.t WHERE a = 5", "works");
    engine__close(store);
    return has_failed;
}

static void survives(operation op) {
    if (!testing__memory_can_fail()) skip();
    size_t allowed = 0;
    long   live = testing__memory_live();
    while (try_with(op, allowed)) {
        assert_int_equal(testing__memory_live(), live);
        allowed++;
    }
    assert_int_equal(testing__memory_live(), live);
}

static corm_status execute_text(engine *store, const char *text, corm_error *err) {
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_QUERY,
                              .text = corm_str_of(text),
                              .options.consistency = WIRE_ONE };
    corm_status   status = engine__execute(store, &client, &request, &answer, err);
    wire__answer_free(&answer);
    return status;
}

/* ---- opening ---- */

static void opening_survives_without_memory(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    long live = testing__memory_live();
    for (size_t allowed = 0;; allowed++) {
        corm_error err = { 0 };
        engine    *store = NULL;
        testing__memory_fail_from(allowed);
        corm_status status = open_in_memory(&store, &err);
        bool        has_failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        engine__close(store);
        assert_int_equal(testing__memory_live(), live);
        if (!has_failed) {
            assert_ok(status, err);
            return;
        }
        if (status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
    }
}

/* ---- operations ---- */

static corm_status insert(engine *store, corm_error *err) {
    return execute_text(store, "INSERT INTO k.t (a, b, v, l) VALUES (1, 2, 'y', [3])", err);
}
static void an_insert_survives_without_memory(void **state) {
    (void)state;
    survives(insert);
}

static corm_status read_feed(engine *store, corm_error *err) {
    engine_feed_reader reader;
    base_arena         arena = { 0 };
    uint32_t           count = 0;
    engine_feed_change items[4];
    corm_status        status =
        engine__feed_open(store, ENGINE_FEED_OLDEST, 0, (engine_feed_position){ 0 }, &reader, err);
    do {
        if (status == CORM_OK) status = engine__feed_read(&reader, &arena, items, 4, &count, err);
        if (status == CORM_OK) engine__feed_release(items, count);
    } while (status == CORM_OK && count > 0);
    engine__feed_close(&reader);
    base__arena_free(&arena);
    return status;
}

static corm_status write_and_read_feed(engine *store, corm_error *err) {
    static const char *const texts[] = {
        "ALTER TABLE k.t WITH cdc = true",
        "INSERT INTO k.t (a, b, v, l) VALUES (1, 2, 'y', [3])",
        "DELETE FROM k.t WHERE a = 1 AND b > 1",
        "ALTER TABLE k.t ADD more int",
        "TRUNCATE k.t",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CORM_TRY(execute_text(store, texts[i], err));
    return read_feed(store, err);
}
static void the_feed_survives_without_memory(void **state) {
    (void)state;
    survives(write_and_read_feed);
}

static corm_status select_rows(engine *store, corm_error *err) {
    return execute_text(store, "SELECT * FROM k.t WHERE v = 'x'", err);
}
static void a_select_survives_without_memory(void **state) {
    (void)state;
    survives(select_rows);
}

static void make_indexes(engine *store) {
    run(store, "CREATE TABLE k.w (a int PRIMARY KEY, b int, c int, t text)");
    run(store, "CREATE INDEX ON k.w (b) USING 'sai'");
    run(store, "CREATE INDEX ON k.w (c) USING 'sai'");
    run(store,
        "CREATE CUSTOM INDEX ON k.w (t) USING 'org.apache.cassandra.index.sasi.SASIIndex' WITH OPTIONS = "
        "{'mode': 'CONTAINS', 'analyzer_class': 'org.apache.cassandra.index.sasi.analyzer.StandardAnalyzer', "
        "'tokenization_normalize_lowercase': 'true'}");
    run(store, "INSERT INTO k.w (a, b, c, t) VALUES (1, 1, 1, 'Éa abcd')");
}

static corm_status by_indexes(engine *store, corm_error *err) {
    CORM_TRY(execute_text(store, "SELECT * FROM k.w WHERE b >= 1 AND b < 5 AND c = 1", err));
    CORM_TRY(execute_text(store, "SELECT * FROM k.w WHERE c > 0", err));
    CORM_TRY(execute_text(store, "SELECT * FROM k.w WHERE t LIKE '%bcd%'", err));
    CORM_TRY(execute_text(store, "SELECT * FROM k.w WHERE t LIKE 'éA'", err));
    return execute_text(store, "UPDATE k.w SET t = 'È abc', b = 2 WHERE a = 1", err);
}
static void ranges_and_words_survive_without_memory(void **state) {
    (void)state;
    set_up = make_indexes;
    survives(by_indexes);
    set_up = NULL;
}

static corm_status describe(engine *store, corm_error *err) {
    return execute_text(store, "SELECT * FROM system_schema.columns", err);
}
static void a_virtual_table_survives_without_memory(void **state) {
    (void)state;
    survives(describe);
}

static corm_status other_tables(engine *store, corm_error *err) {
    CORM_TRY(
        execute_text(store, "SELECT * FROM system_schema.tables WHERE keyspace_name = 'k'", err));
    CORM_TRY(execute_text(store, "SELECT * FROM system_schema.indexes", err));
    return execute_text(store, "SELECT * FROM system.local", err);
}
static void the_other_virtual_tables_survive_without_memory(void **state) {
    (void)state;
    survives(other_tables);
}

static corm_status create_table(engine *store, corm_error *err) {
    return execute_text(store, "CREATE TABLE k.u (a int PRIMARY KEY, v text)", err);
}
static void a_new_table_survives_without_memory(void **state) {
    (void)state;
    survives(create_table);
}

static corm_status create_index(engine *store, corm_error *err) {
    return execute_text(store, "CREATE INDEX ON k.t (b)", err);
}
static void a_new_index_survives_without_memory(void **state) {
    (void)state;
    survives(create_index);
}

static corm_status use_vectors(engine *store, corm_error *err) {
    static const char *const texts[] = {
        "CREATE TABLE k.v (a int PRIMARY KEY, f vector<float, 2>)",
        "INSERT INTO k.v (a, f) VALUES (1, [1, 0])",
        "CREATE INDEX ON k.v (f) USING 'sai'",
        "INSERT INTO k.v (a, f) VALUES (2, [0, 1])",
        "UPDATE k.v SET f = [1, 1] WHERE a = 1",
        "SELECT a FROM k.v ORDER BY f ANN OF [1, 1] LIMIT 2",
        "DELETE FROM k.v WHERE a = 2",
        "TRUNCATE k.v",
        "INSERT INTO k.v (a, f) VALUES (3, [0, 1])",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CORM_TRY(execute_text(store, texts[i], err));
    return CORM_OK;
}
static void vector_indexes_survive_without_memory(void **state) {
    (void)state;
    survives(use_vectors);
}

static corm_status drop_and_reclaim(engine *store, corm_error *err) {
    uint64_t reclaimed;
    CORM_TRY(execute_text(store, "TRUNCATE k.t", err));
    return engine__reclaim(store, 0, &reclaimed, err);
}
static void reclaim_survives_without_memory(void **state) {
    (void)state;
    survives(drop_and_reclaim);
}

static corm_status verify(engine *store, corm_error *err) {
    return engine__verify(store, err);
}
static void verification_survives_without_memory(void **state) {
    (void)state;
    survives(verify);
}

static corm_status execute_prepared(engine *store, const wire_prepared *prepared, corm_error *err) {
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_EXECUTE,
                              .prepared = prepared,
                              .options.consistency = WIRE_ONE };
    corm_status   status = engine__execute(store, &client, &request, &answer, err);
    wire__answer_free(&answer);
    return status;
}

static corm_status prepare_and_execute(engine *store, corm_error *err) {
    engine_client client = { .keyspace = "k" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_PREPARE, .text = corm_str_of("SELECT * FROM t") };
    corm_status   status = engine__execute(store, &client, &request, &answer, err);
    if (status == CORM_OK) status = execute_prepared(store, answer.prepared, err);
    /* The table is another now: the statement is checked again. */
    if (status == CORM_OK) status = execute_text(store, "ALTER TABLE k.t ADD w int", err);
    if (status == CORM_OK) status = execute_prepared(store, answer.prepared, err);
    engine__prepared_unref(answer.prepared);
    wire__answer_free(&answer);
    return status;
}
static void prepared_statements_survive_without_memory(void **state) {
    (void)state;
    survives(prepare_and_execute);
}

static corm_status batch(engine *store, corm_error *err) {
    engine_client   client = { .keyspace = "k" };
    wire_answer     answer = { 0 };
    wire_batch_item items[] = {
        { .text = corm_str_of("INSERT INTO t (a, b, v) VALUES (1, 7, 'p')") },
        { .text = corm_str_of("DELETE FROM t WHERE a = 1 AND b = 1") },
    };
    wire_request request = {
        .kind = WIRE_BATCH, .batch_count = 2, .batch = items, .options.consistency = WIRE_ONE
    };
    corm_status status = engine__execute(store, &client, &request, &answer, err);
    wire__answer_free(&answer);
    return status;
}
static void a_batch_survives_without_memory(void **state) {
    (void)state;
    survives(batch);
}

/* ---- materialized views ---- */

static corm_status write_through_views(engine *store, corm_error *err) {
    return execute_text(store,
                        "BEGIN BATCH INSERT INTO k.t (a, b, v) VALUES (1, 1, 'y'); "
                        "UPDATE k.t SET v = 'z', l = [3] WHERE a = 2 AND b = 1; APPLY BATCH",
                        err);
}

static corm_status make_view(engine *store, corm_error *err) {
    return execute_text(store,
                        "CREATE MATERIALIZED VIEW k.w AS SELECT a, b, l FROM k.t WHERE a > 0 AND b "
                        "IN (1, 2) PRIMARY KEY (b, a) WITH CLUSTERING ORDER BY (a DESC)",
                        err);
}

static corm_status rename_under_views(engine *store, corm_error *err) {
    return execute_text(store, "ALTER TABLE k.base RENAME b TO bb", err);
}

static corm_status truncate_under_views(engine *store, corm_error *err) {
    return execute_text(store, "TRUNCATE k.t", err);
}

static corm_status drop_view(engine *store, corm_error *err) {
    return execute_text(store, "DROP MATERIALIZED VIEW k.x", err);
}

static void with_views(engine *store) {
    run(store, "CREATE MATERIALIZED VIEW k.x AS SELECT * FROM k.t WHERE a IS NOT NULL AND b IS NOT "
               "NULL AND v IS NOT NULL PRIMARY KEY (v, a, b)");
    run(store, "CREATE TABLE k.base (a int, b int, v int, PRIMARY KEY (a, b))");
    run(store, "CREATE MATERIALIZED VIEW k.y AS SELECT * FROM k.base WHERE a IS NOT NULL AND b > 1 "
               "PRIMARY KEY (b, a)");
}

static void views_survive_without_memory(void **state) {
    (void)state;
    set_up = with_views;
    survives(write_through_views);
    survives(make_view);
    survives(rename_under_views);
    survives(truncate_under_views);
    survives(drop_view);
    set_up = NULL;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(opening_survives_without_memory),
    cmocka_unit_test(the_feed_survives_without_memory),
    cmocka_unit_test(an_insert_survives_without_memory),
    cmocka_unit_test(a_select_survives_without_memory),
    cmocka_unit_test(ranges_and_words_survive_without_memory),
    cmocka_unit_test(a_virtual_table_survives_without_memory),
    cmocka_unit_test(the_other_virtual_tables_survive_without_memory),
    cmocka_unit_test(a_new_table_survives_without_memory),
    cmocka_unit_test(a_new_index_survives_without_memory),
    cmocka_unit_test(vector_indexes_survive_without_memory),
    cmocka_unit_test(reclaim_survives_without_memory),
    cmocka_unit_test(verification_survives_without_memory),
    cmocka_unit_test(prepared_statements_survive_without_memory),
    cmocka_unit_test(a_batch_survives_without_memory),
    cmocka_unit_test(views_survive_without_memory),
};

RUN_TESTS()
