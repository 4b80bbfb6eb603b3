// SPDX-License-Identifier: MIT
/* vector_test.c -- vector indexes through CQL: recall against the exact nearest of what the rows hold, after every kind of change,
 * reopening, and with readers and writers at once. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/core.h"
#include "engine/vectors_for_tests.h"
#include "testing/store.h"

enum { ROWS = 2200, NEAREST = 10, QUERIES = 25, WIRE = 4 * TEST_DIMENSION };

/* What the rows of k.v hold: by key, a vector or none, and a tag. */
typedef struct world {
    engine              *store;
    const wire_prepared *insert, *update, *delete, *nearest;
    test_vectors         source;
    bool                 has[ROWS];
    float                vectors[ROWS][TEST_DIMENSION];
} world;

static world w; /* large */

static cql_value vector_value(const float *vector, uint8_t room[WIRE]) {
    test_wire(vector, room);
    return (cql_value){ room, WIRE };
}

static void execute(const wire_prepared *statement, uint32_t count, const cql_value *values) {
    expect_prepared(w.store, statement, count, values, NULL);
}

static void insert(int32_t key) {
    uint8_t room[3][WIRE];
    test_vector(&w.source, w.vectors[key]);
    w.has[key] = true;
    cql_value values[] = { int_value(key, room[0]), int_value(key % 7, room[1]),
                           vector_value(w.vectors[key], room[2]) };
    execute(w.insert, 3, values);
}

static void update(int32_t key) {
    uint8_t room[2][WIRE];
    test_vector(&w.source, w.vectors[key]);
    w.has[key] = true;
    cql_value values[] = { vector_value(w.vectors[key], room[0]), int_value(key, room[1]) };
    execute(w.update, 2, values);
}

static void delete (int32_t key) {
    uint8_t   room[4];
    cql_value values[] = { int_value(key, room) };
    w.has[key] = false;
    execute(w.delete, 1, values);
}

static void prepare_all(void) {
    w.insert = prepare(w.store, "INSERT INTO k.v (k, tag, f) VALUES (?, ?, ?)");
    w.update = prepare(w.store, "UPDATE k.v SET f = ? WHERE k = ?");
    w.delete = prepare(w.store, "DELETE FROM k.v WHERE k = ?");
    w.nearest = prepare(w.store, "SELECT k FROM k.v ORDER BY f ANN OF ? LIMIT 10");
}

static void release_all(void) {
    engine__prepared_unref(w.insert);
    engine__prepared_unref(w.update);
    engine__prepared_unref(w.delete);
    engine__prepared_unref(w.nearest);
}

static void make_table(const char *options) {
    char text[300];
    run(w.store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    snprintf(text, sizeof text,
             "CREATE TABLE k.v (k int PRIMARY KEY, tag int, f vector<float, %d>)",
             (int)TEST_DIMENSION);
    run(w.store, text);
    if (options) {
        snprintf(
            text, sizeof text,
            "CREATE INDEX i ON k.v (f) USING 'sai' WITH OPTIONS = {%s, 'construction_beam_width': '40'}",
            options);
        run(w.store, text);
    }
    prepare_all();
}

static void open_world(const char *options) {
    memset(&w, 0, sizeof w);
    test_vectors_init(&w.source, 11);
    w.store = try_open();
    make_table(options);
}

static void check_store(void) {
    corm_error err = { 0 };
    assert_ok(engine__verify(w.store, &err), err);
}

static void close_world(void) {
    check_store();
    release_all();
    engine__close(w.store);
}

/* ---- recall ---- */

typedef enum measure { DISTANCE, COSINE } measure;

static double unlikeness(measure by, const float *a, const float *b) {
    double distance = 0, product = 0, aa = 0, bb = 0;
    for (int i = 0; i < TEST_DIMENSION; i++) {
        double d = (double)a[i] - (double)b[i];
        distance += d * d;
        product += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return by == DISTANCE ? distance : -product / sqrt(aa * bb);
}

/* The distance of the NEAREST-th row. */
static double bound_of(measure by, const float *query) {
    double best[NEAREST];
    int    count = 0;
    for (int key = 0; key < ROWS; key++) {
        if (!w.has[key]) continue;
        double d = unlikeness(by, query, w.vectors[key]);
        int    at = count < NEAREST ? count++ : NEAREST;
        for (; at > 0 && best[at - 1] > d; at--)
            if (at < NEAREST) best[at] = best[at - 1];
        if (at < NEAREST) best[at] = d;
    }
    return count ? best[count - 1] : 0;
}

static int rows_of(const char *text, int32_t keys[NEAREST]) {
    int count = 0;
    while (*text && count < NEAREST) {
        keys[count++] = (int32_t)strtol(text, (char **)(uintptr_t)&text, 10);
        if (*text == ';') text += 2;
    }
    return count;
}

static int ask(const float *query, int32_t keys[NEAREST]) {
    uint8_t      room[WIRE];
    cql_value    value = vector_value(query, room);
    wire_request request = {
        .kind = WIRE_EXECUTE, .prepared = w.nearest, .value_count = 1, .values = &value
    };
    base_buf   out = { 0 };
    corm_error err = { 0 };
    assert_ok(try_request(w.store, &request, &out, &err), err);
    int count = rows_of((const char *)out.data, keys);
    base__buf_free(&out);
    return count;
}

static double recall(measure by) {
    int found = 0, wanted = 0;
    for (int i = 0; i < QUERIES; i++) {
        float   query[TEST_DIMENSION];
        int32_t keys[NEAREST];
        double  before = -INFINITY;
        test_vector(&w.source, query);
        double bound = bound_of(by, query);
        int    count = ask(query, keys);
        wanted += NEAREST;
        for (int j = 0; j < count; j++) {
            assert_true(w.has[keys[j]]);
            double d = unlikeness(by, query, w.vectors[keys[j]]);
            assert_true(d >= before - 1e-5);
            for (int l = 0; l < j; l++) assert_int_not_equal(keys[l], keys[j]);
            found += d <= bound + 1e-6;
            before = d;
        }
    }
    return (double)found / wanted;
}

/* ---- tests ---- */

static void nearest_rows_are_found_by_distance(void **unused) {
    (void)unused;
    open_world("'similarity_function': 'euclidean'");
    for (int32_t key = 0; key < ROWS; key++) insert(key);
    assert_true(recall(DISTANCE) > 0.97);
    close_world();
}

static void nearest_rows_are_found_by_cosine(void **unused) {
    (void)unused;
    open_world("'similarity_function': 'cosine', 'maximum_node_connections': '8'");
    for (int32_t key = 0; key < ROWS; key++) insert(key);
    assert_true(recall(COSINE) > 0.97);
    close_world();
}

static void few_rows_are_found_exactly(void **unused) {
    (void)unused;
    open_world("'similarity_function': 'euclidean'");
    for (int32_t key = 0; key < 500; key++) insert(key);
    for (int32_t key = 0; key < 500; key += 3) update(key);
    for (int32_t key = 1; key < 500; key += 3) delete (key);
    assert_true(recall(DISTANCE) == 1);
    close_world();
}

static void recall_stays_after_many_updates_and_deletions(void **unused) {
    (void)unused;
    open_world("'similarity_function': 'euclidean'");
    for (int32_t key = 0; key < ROWS; key++) insert(key);
    for (int i = 0; i < ROWS; i++) {
        int32_t key = (int32_t)(test_unit(&w.source) * ROWS);
        if (i % 4 == 0)
            delete (key);
        else
            update(key);
    }
    assert_true(recall(DISTANCE) > 0.97);
    close_world();
}

static const char create_index[] =
    "CREATE INDEX j ON k.v (f) USING 'sai' WITH OPTIONS = {'similarity_function': 'euclidean'}";

static void an_index_is_built_of_rows_that_are_there(void **unused) {
    (void)unused;
    open_world("'similarity_function': 'euclidean'");
    for (int32_t key = 0; key < ROWS; key++) insert(key);
    run(w.store, "DROP INDEX k.i");
    for (int32_t key = 0; key < ROWS; key += 5) delete (key);
    run(w.store, create_index);
    check_store();
    assert_true(recall(DISTANCE) > 0.97);
    for (int32_t key = 0; key < ROWS; key += 5) insert(key);
    assert_true(recall(DISTANCE) > 0.97);
    close_world();
}

static void a_truncated_table_begins_again(void **unused) {
    (void)unused;
    int32_t keys[NEAREST];
    open_world("'similarity_function': 'euclidean'");
    for (int32_t key = 0; key < 300; key++) insert(key);
    run(w.store, "TRUNCATE k.v");
    assert_int_equal(ask(w.vectors[0], keys), 0);
    for (int32_t key = 0; key < 300; key++) w.has[key] = false;
    for (int32_t key = 100; key < 200; key++) insert(key);
    assert_true(recall(DISTANCE) == 1);
    uint64_t   reclaimed;
    corm_error err = { 0 };
    assert_ok(engine__reclaim(w.store, 0, &reclaimed, &err), err);
    assert_true(recall(DISTANCE) == 1);
    close_world();
}

static void rows_without_a_vector_are_not_among_the_nearest(void **unused) {
    (void)unused;
    open_world("'similarity_function': 'euclidean'");
    for (int32_t key = 0; key < 50; key++) insert(key);
    run(w.store, "INSERT INTO k.v (k, tag) VALUES (9001, 1)");
    run(w.store, "DELETE f FROM k.v WHERE k = 7");
    run(w.store, "UPDATE k.v SET f = null WHERE k = 8");
    run(w.store, "UPDATE k.v SET tag = 5 WHERE k = 9");
    w.has[7] = w.has[8] = false;
    assert_true(recall(DISTANCE) == 1);
    close_world();
}

static void a_batch_may_change_many_vectors(void **unused) {
    (void)unused;
    open_world("'similarity_function': 'euclidean'");
    base_buf text = { 0 };
    for (int round = 0; round < 3; round++) {
        base__buf_clear(&text);
        base__buf_puts(&text, "BEGIN UNLOGGED BATCH ");
        for (int32_t key = 0; key < 60; key++) {
            test_vector(&w.source, w.vectors[key]);
            w.has[key] = true;
            base__buf_printf(&text, "INSERT INTO k.v (k, f) VALUES (%d, [", key);
            for (int i = 0; i < TEST_DIMENSION; i++)
                base__buf_printf(&text, "%s%.9g", i ? "," : "", (double)w.vectors[key][i]);
            base__buf_puts(&text, "]); ");
        }
        base__buf_puts(&text, "DELETE FROM k.v WHERE k = 3; APPLY BATCH");
        assert_non_null(base__buf_cstr(&text));
        run(w.store, (const char *)text.data);
        w.has[3] = false;
        assert_true(recall(DISTANCE) == 1);
    }
    base__buf_free(&text);
    close_world();
}

static void a_vector_that_cannot_be_indexed_is_refused_and_changes_nothing(void **unused) {
    (void)unused;
    engine *store = try_open();
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store, "CREATE TABLE k.z (k int PRIMARY KEY, f vector<float, 2>, v int)");
    run(store, "INSERT INTO k.z (k, f) VALUES (0, [0, 0])");
    run(store, "CREATE INDEX ON k.z (f) USING 'sai'");
    run(store, "INSERT INTO k.z (k, f) VALUES (1, [1, 0])");
    expect_error(store, "INSERT INTO k.z (k, f) VALUES (2, [0, 0])", CORM_INVALID, "Zero vectors");
    expect_error(store, "UPDATE k.z SET f = [0, 0] WHERE k = 1", CORM_INVALID, "Zero vectors");
    expect_error(store, "INSERT INTO k.z (k, f) VALUES (2, [NaN, 0])", CORM_INVALID, "non-finite");
    expect_error(store, "SELECT k FROM k.z ORDER BY f ANN OF [0, 0] LIMIT 1", CORM_INVALID,
                 "Zero vectors");
    expect(store, "SELECT k FROM k.z ORDER BY f ANN OF [1, 1] LIMIT 5", "1");
    run(store, "UPDATE k.z SET v = 1 WHERE k = 0");
    expect(store, "SELECT k, f FROM k.z WHERE k = 0", "0|[0, 0]");
    corm_error err = { 0 };
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

/* ---- filters ---- */

static void filters_on_other_indexes_narrow_the_search(void **unused) {
    (void)unused;
    open_world("'similarity_function': 'euclidean'");
    run(w.store, "CREATE INDEX t ON k.v (tag) USING 'sai'");
    for (int32_t key = 0; key < ROWS; key++) insert(key);
    run(w.store,
        "INSERT INTO k.v (k, tag, f) VALUES (9001, 77, [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0])");
    const char *queries[] = { "tag = 77", "tag > 70", "tag = 3", "tag > 5", "tag < 0" };
    int         least[] = { 1, 1, 10, 10, 0 };
    for (int i = 0; i < 5; i++) {
        char       text[400];
        base_buf   out = { 0 };
        corm_error err = { 0 };
        int32_t    keys[NEAREST];
        snprintf(
            text, sizeof text,
            "SELECT k FROM k.v WHERE %s ORDER BY f ANN OF [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] LIMIT 10",
            queries[i]);
        wire_request request = { .kind = WIRE_QUERY, .text = corm_str_of(text) };
        assert_ok(try_request(w.store, &request, &out, &err), err);
        int count = rows_of((const char *)out.data, keys);
        assert_int_equal(count, least[i]);
        for (int j = 0; j < count && i == 2; j++) assert_int_equal(keys[j] % 7, 3);
        base__buf_free(&out);
    }
    close_world();
}

/* ---- expiry ---- */

static _Atomic int64_t now = 1700000000000000;

static int64_t given_now(void) {
    return now;
}

static void vectors_that_expired_are_not_found_and_are_cleared_away(void **unused) {
    corm_error err = { 0 };
    engine    *store;
    uint64_t   reclaimed;
    (void)unused;
    assert_ok(
        engine__open(&(engine_options){ .map_bytes = 64 << 20, .now_us = given_now }, &store, &err),
        err);
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store,
        "CREATE TABLE k.z (k int PRIMARY KEY, f vector<float, 2>) WITH gc_grace_seconds = 1");
    run(store, "CREATE INDEX ON k.z (f) USING 'sai'");
    run(store, "INSERT INTO k.z (k, f) VALUES (1, [1, 0])");
    run(store, "INSERT INTO k.z (k, f) VALUES (2, [1, 1]) USING TTL 10");
    expect(store, "SELECT k FROM k.z ORDER BY f ANN OF [1, 0.9] LIMIT 5", "2; 1");
    now += 11000000;
    expect(store, "SELECT k FROM k.z ORDER BY f ANN OF [1, 0.9] LIMIT 1", "1");
    assert_ok(engine__verify(store, &err), err);
    now += 200000000;
    assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    now += 200000000;
    assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    assert_ok(engine__verify(store, &err), err);
    expect(store, "SELECT k FROM k.z ORDER BY f ANN OF [1, 0.9] LIMIT 5", "1");
    engine__close(store);
}

/* ---- reopening ---- */

static void open_folder(void) {
    corm_error err = { 0 };
    assert_ok(engine__open(&(engine_options){ .path = "store", .durability = ENGINE_RELAXED },
                           &w.store, &err),
              err);
}

static void a_graph_survives_closing(void **unused) {
    (void)unused;
    memset(&w, 0, sizeof w);
    test_vectors_init(&w.source, 5);
    open_folder();
    make_table("'similarity_function': 'euclidean'");
    for (int32_t key = 0; key < ROWS; key++) insert(key);
    for (int i = 0; i < 3; i++) {
        release_all();
        engine__close(w.store);
        open_folder();
        prepare_all();
        check_store();
        if (i != 1)
            assert_true(recall(DISTANCE) > 0.97); /* once a writer is the first to load it */
        for (int32_t key = i; key < ROWS; key += 7) update(key);
        for (int32_t key = i; key < ROWS; key += 11) delete (key);
        assert_true(recall(DISTANCE) > 0.97);
    }
    close_world();
}

/* ---- when a transaction is abandoned ---- */

typedef struct fault {
    int countdown, number;
} fault;

static int fail_once(void *context, kv_fault_point point) {
    fault *f = context;
    if (point != KV_FAULT_PUT || f->countdown-- != 0) return 0;
    return f->number;
}

static void what_was_abandoned_leaves_nothing_in_the_graph(void **unused) {
    (void)unused;
    open_world("'similarity_function': 'euclidean'");
    for (int32_t key = 0; key < 200; key++) insert(key);
    for (int at = 0; at < 24; at++) {
        fault      f = { at, 5 /* EIO */ };
        float      vector[TEST_DIMENSION];
        uint8_t    room[2][WIRE];
        base_buf   out = { 0 };
        corm_error err = { 0 };
        int32_t    key = at * 3;
        test_vector(&w.source, vector);
        cql_value    values[] = { vector_value(vector, room[0]), int_value(key, room[1]) };
        wire_request request = {
            .kind = WIRE_EXECUTE, .prepared = w.update, .value_count = 2, .values = values
        };
        kv__set_fault(w.store->kv, fail_once, &f);
        corm_status status = try_request(w.store, &request, &out, &err);
        kv__set_fault(w.store->kv, NULL, NULL);
        if (status == CORM_OK) memcpy(w.vectors[key], vector, sizeof vector);
        base__buf_free(&out);
        assert_true(recall(DISTANCE) == 1);
    }
    close_world();
}

/* ---- readers and writers at once ---- */

enum { FIXED = 200, MOVING = 400 };

static atomic_bool stop;

/* Rows that nobody changes are always found, first, by their own vectors. */
static void *find_fixed(void *unused) {
    (void)unused;
    uint64_t state = 99;
    while (!atomic_load(&stop)) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        int32_t key = (int32_t)(state >> 33) % FIXED, keys[NEAREST];
        int     count = ask(w.vectors[key], keys);
        if (count != NEAREST || keys[0] != key) return &w;
        for (int i = 1; i < count; i++)
            for (int j = 0; j < i; j++)
                if (keys[i] == keys[j]) return &w;
    }
    return NULL;
}

static void *move_others(void *context) {
    int          number = *(int *)context;
    test_vectors source;
    test_vectors_init(&source, (uint64_t)number + 31);
    for (int i = 0; i < 300; i++) {
        uint8_t room[3][WIRE];
        float   vector[TEST_DIMENSION];
        int32_t key = FIXED + 2 * (int32_t)(test_unit(&source) * MOVING / 2) + number;
        test_vector(&source, vector);
        cql_value values[] = { vector_value(vector, room[0]), int_value(key, room[1]) };
        if (i % 4)
            execute(w.update, 2, values);
        else
            execute(w.delete, 1, &values[1]);
    }
    return NULL;
}

static void readers_find_what_is_fixed_while_writers_move_the_rest(void **unused) {
    pthread_t threads[4];
    int       numbers[] = { 0, 1 };
    (void)unused;
    open_world("'similarity_function': 'euclidean'");
    for (int32_t key = 0; key < FIXED + MOVING; key++) insert(key);
    atomic_store(&stop, false);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, find_fixed, NULL), 0);
        assert_int_equal(pthread_create(&threads[2 + i], NULL, move_others, &numbers[i]), 0);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[2 + i], NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    close_world();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nearest_rows_are_found_by_distance),
    cmocka_unit_test(nearest_rows_are_found_by_cosine),
    cmocka_unit_test(few_rows_are_found_exactly),
    cmocka_unit_test(recall_stays_after_many_updates_and_deletions),
    cmocka_unit_test(an_index_is_built_of_rows_that_are_there),
    cmocka_unit_test(a_truncated_table_begins_again),
    cmocka_unit_test(rows_without_a_vector_are_not_among_the_nearest),
    cmocka_unit_test(a_batch_may_change_many_vectors),
    cmocka_unit_test(a_vector_that_cannot_be_indexed_is_refused_and_changes_nothing),
    cmocka_unit_test(filters_on_other_indexes_narrow_the_search),
    cmocka_unit_test(vectors_that_expired_are_not_found_and_are_cleared_away),
    cmocka_unit_test(a_graph_survives_closing),
    cmocka_unit_test(what_was_abandoned_leaves_nothing_in_the_graph),
    cmocka_unit_test(readers_find_what_is_fixed_while_writers_move_the_rest),
};

RUN_TESTS()
