// SPDX-License-Identifier: MIT
/* vector_processes_test.c -- a vector index in a folder that several processes have open, and whose writer is killed. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/vectors_for_tests.h"
#include "testing/store.h"

enum { ROWS = 2200, WIRE = 4 * TEST_DIMENSION, NEAREST = 10, QUERIES = 20, ROUNDS = 3 };

static test_vectors source;

static engine *open_store(void) {
    corm_error err = { 0 };
    engine    *store;
    assert_ok(engine__open(&(engine_options){ .path = "store", .durability = ENGINE_RELAXED },
                           &store, &err),
              err);
    return store;
}

static void make_table(engine *store) {
    char text[300];
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    snprintf(text, sizeof text, "CREATE TABLE k.v (k int PRIMARY KEY, f vector<float, %d>)",
             (int)TEST_DIMENSION);
    run(store, text);
    run(store,
        "CREATE INDEX ON k.v (f) USING 'sai' WITH OPTIONS = {'similarity_function': 'euclidean', 'construction_beam_width': '40'}");
}

static void put(engine *store, const wire_prepared *insert, int32_t key) {
    uint8_t room[4], wire[WIRE];
    float   vector[TEST_DIMENSION];
    test_vector(&source, vector);
    test_wire(vector, wire);
    cql_value values[] = { int_value(key, room), { wire, WIRE } };
    expect_prepared(store, insert, 2, values, NULL);
}

static void fill(engine *store) {
    const wire_prepared *insert = prepare(store, "INSERT INTO k.v (k, f) VALUES (?, ?)");
    for (int32_t key = 0; key < ROWS; key++) put(store, insert, key);
    engine__prepared_unref(insert);
}

/* Writes and deletes; tells each that was acknowledged. */
static void churn(engine *store, int count, int tell) {
    const wire_prepared *insert = prepare(store, "INSERT INTO k.v (k, f) VALUES (?, ?)");
    const wire_prepared *delete = prepare(store, "DELETE FROM k.v WHERE k = ?");
    for (int i = 0; i < count; i++) {
        uint8_t room[4];
        int32_t key = (int32_t)(test_unit(&source) * ROWS);
        if (i % 4 == 0)
            expect_prepared(store, delete, 1, (cql_value[]){ int_value(key, room) }, NULL);
        else
            put(store, insert, key);
        if (tell >= 0 && write(tell, "x", 1) != 1) _exit(1);
    }
    engine__prepared_unref(insert);
    engine__prepared_unref(delete);
}

/* ---- recall against the rows as they are ---- */

typedef struct near_row {
    double  distance;
    int32_t key;
} near_row;

static int nearer(const void *a, const void *b) {
    double x = ((const near_row *)a)->distance, y = ((const near_row *)b)->distance;
    return (x > y) - (x < y);
}

static uint32_t ask(engine *store, const char *text, const uint8_t *wire, near_row *out) {
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    base_arena    arena = { 0 };
    wire_result   result;
    corm_error    err = { 0 };
    cql_value     value = { wire, WIRE };
    wire_request  request = { .kind = WIRE_QUERY,
                              .text = corm_str_of(text),
                              .value_count = 1,
                              .values = &value,
                              .options.consistency = WIRE_ONE };
    assert_ok(engine__execute(store, &client, &request, &answer, &err), err);
    assert_ok(wire__result_read(base__buf_bytes(&answer.body), WIRE_VERSION, &arena, &result, &err),
              err);
    for (uint32_t i = 0; i < result.row_count; i++) {
        uint32_t bits;
        float    likeness;
        out[i].key = (int32_t)base__load_u32(cql__read_value(&result.rows).data);
        bits = base__load_u32(cql__read_value(&result.rows).data);
        memcpy(&likeness, &bits, sizeof bits);
        out[i].distance = 1 / (double)likeness - 1;
    }
    uint32_t count = result.row_count;
    base__arena_free(&arena);
    wire__answer_free(&answer);
    return count;
}

static double recall(engine *store) {
    static near_row all[ROWS];
    near_row        found[NEAREST];
    uint32_t        good = 0;
    for (int i = 0; i < QUERIES; i++) {
        float   vector[TEST_DIMENSION];
        uint8_t wire[WIRE];
        test_vector(&source, vector);
        test_wire(vector, wire);
        uint32_t rows = ask(store, "SELECT k, similarity_euclidean(f, ?) FROM k.v", wire, all);
        qsort(all, rows, sizeof *all, nearer);
        base_buf query = { 0 };
        base__buf_puts(&query, "SELECT k, similarity_euclidean(f, ?) FROM k.v ORDER BY f ANN OF [");
        for (int j = 0; j < TEST_DIMENSION; j++)
            base__buf_printf(&query, "%s%.9g", j ? "," : "", (double)vector[j]);
        base__buf_puts(&query, "] LIMIT 10");
        assert_non_null(base__buf_cstr(&query));
        assert_int_equal(ask(store, (const char *)query.data, wire, found), NEAREST);
        for (int j = 0; j < NEAREST; j++)
            good += found[j].distance <= all[NEAREST - 1].distance + 1e-6;
        base__buf_free(&query);
    }
    return (double)good / (QUERIES * NEAREST);
}

static void check_store(engine *store) {
    corm_error err = { 0 };
    assert_ok(engine__verify(store, &err), err);
    assert_true(recall(store) > 0.97);
}

/* ---- tests ---- */

static int set_up(void **unused) {
    (void)unused;
    test_vectors_init(&source, 3);
    engine *store = open_store();
    make_table(store);
    fill(store);
    engine__close(store);
    return 0;
}

static void a_killed_writer_leaves_an_index_that_agrees(void **unused) {
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        int  pipes[2], how;
        char told[64];
        int  acks = 0, wanted = 100 + 37 * round;
        assert_int_equal(pipe(pipes), 0);
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            test_vectors_init(&source, (uint64_t)round + 100);
            churn(open_store(), 1000000, pipes[1]);
            _exit(0);
        }
        close(pipes[1]);
        while (acks < wanted) {
            ssize_t got = read(pipes[0], told, sizeof told);
            if (got <= 0) break;
            acks += (int)got;
        }
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &how, 0), child);
        close(pipes[0]);
        assert_true(acks >= wanted);
        engine *store = open_store();
        check_store(store);
        engine__close(store);
    }
}

/* The child's commits reach a graph that this process has in memory. */
static void what_another_process_writes_is_found(void **unused) {
    int  go[2], done[2], how;
    char one = 0;
    (void)unused;
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(done), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(go[1]);
        test_vectors_init(&source, 77);
        for (int round = 0; read(go[0], &one, 1) == 1; round++) {
            engine *store = open_store();
            churn(store, round ? 400 : 60, -1); /* the log reaches back, and it does not */
            engine__close(store);
            if (write(done[1], "x", 1) != 1) _exit(1);
        }
        _exit(0);
    }
    close(go[0]);
    engine *store = open_store();
    for (int round = 0; round < 3; round++) {
        check_store(store);
        assert_int_equal(write(go[1], "x", 1), 1);
        assert_int_equal(read(done[0], &one, 1), 1);
        check_store(store);
        if (round == 1) churn(store, 50, -1);
    }
    close(go[1]);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    close(done[0]);
    close(done[1]);
    engine__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_killed_writer_leaves_an_index_that_agrees),
    cmocka_unit_test(what_another_process_writes_is_found),
};

int main(void) {
    return cmocka_run_group_tests(tests, set_up, NULL);
}
