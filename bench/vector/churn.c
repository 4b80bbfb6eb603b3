// SPDX-License-Identifier: MIT
/* churn.c -- concurrent updates, deletions and insertions on an index, with a kill in the middle: recall before and after, exact
 * against what the rows then hold, and whether the store agrees with itself. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "corm/corm.h"
#include "engine/engine.h"

enum { WRITERS = 4 };

static void check(corm_status status, const corm_error *err, const char *what) {
    if (status != CORM_OK) bench_fail(what, err->message);
}

/* ---- the child ---- */

typedef struct shared {
    atomic_uint done; /* operations that were acknowledged */
} shared;

typedef struct writer {
    const bench_data *data;
    corm_session     *session; /* one for all: it has the graph */
    shared           *counts;
    uint32_t          number, first, last; /* its operations */
} writer;

static uint32_t mix(uint32_t x) {
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* Two of four updates, one deletion, one insertion of a row that may be there; each writer on keys of its own. */
static void do_one(bench_table *table, const writer *of, uint32_t operation) {
    uint32_t     keys = of->data->head.count / WRITERS;
    int32_t      key = (int32_t)(mix(operation) % keys * WRITERS + of->number);
    const float *vector = bench_spare(of->data, operation);
    if (operation % 4 == 0)
        bench_put(table, table->delete, 0, 0, key, NULL);
    else if (operation % 4 == 1)
        bench_put(table, table->insert, 0, 1, key, vector);
    else
        bench_put(table, table->update, 1, 0, key, vector);
}

static void *write_all(void *context) {
    writer     *of = context;
    bench_table table;
    bench_join(of->data, of->session, &table);
    for (uint32_t i = of->first; i < of->last; i++) {
        do_one(&table, of, i * WRITERS + of->number);
        atomic_fetch_add(&of->counts->done, 1);
    }
    bench_close(&table);
    return NULL;
}

static void run_child(const bench_data *data, const char *folder, shared *counts, uint32_t first,
                      uint32_t last) {
    pthread_t   threads[WRITERS];
    writer      writers[WRITERS];
    bench_table table;
    bench_open(data, folder, &table);
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (writer){ data, table.session, counts, i, first / WRITERS, last / WRITERS };
        if (pthread_create(&threads[i], NULL, write_all, &writers[i]) != 0) _exit(1);
    }
    for (uint32_t i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    _exit(0);
}

/* Ends when the child is done, or kills it when so many operations are. */
static uint32_t run_until(const bench_data *data, const char *folder, shared *counts,
                          uint32_t first, uint32_t last, uint32_t kill_at) {
    atomic_store(&counts->done, 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) run_child(data, folder, counts, first, last);
    int how = 0;
    while (waitpid(child, &how, WNOHANG) == 0) {
        if (kill_at && atomic_load(&counts->done) >= kill_at) kill(child, SIGKILL);
        usleep(1000);
    }
    if (!kill_at && (!WIFEXITED(how) || WEXITSTATUS(how) != 0))
        bench_fail("churn", "a writer failed");
    return atomic_load(&counts->done);
}

/* ---- the parent ---- */

static void verify(const char *folder) {
    engine    *store;
    corm_error err = { 0 };
    check(engine__open(&(engine_options){ .path = folder, .durability = ENGINE_RELAXED }, &store,
                       &err),
          &err, "open");
    check(engine__verify(store, &err), &err, "verify");
    engine__close(store);
}

/* All rows as they are: vectors by key. */
static uint32_t read_rows(bench_table *table, float *vectors, bool *has) {
    uint32_t             dimension = table->data->head.dimension, count = 0;
    corm_error           err = { 0 };
    corm_execute_options how = { .error = &err };
    corm_result         *result;
    const corm_row      *row;
    check(corm_execute_with(table->session, "SELECT k, v FROM items", &how, &result), &err, "scan");
    for (;;) {
        check(corm_result_step(result, &row, &err), &err, "scan");
        if (!row) break;
        uint32_t   key = (uint32_t)corm_row_int(row, 0);
        corm_bytes bytes = corm_row_bytes(row, 1);
        for (uint32_t i = 0; i < dimension; i++) {
            uint32_t bits = base__load_u32(bytes.data + (size_t)i * 4);
            memcpy(&vectors[(size_t)key * dimension + i], &bits, sizeof bits);
        }
        has[key] = true;
        count++;
    }
    corm_result_free(result);
    return count;
}

/* Recall against what the rows hold now. */
static void tell_recall(const bench_data *data, const char *folder, uint32_t beam, const char *when,
                        double seconds, uint32_t operations) {
    bench_data  now = *data;
    bench_table table;
    size_t      bytes = (size_t)data->head.count * data->head.dimension * sizeof(float);
    float      *vectors = aligned_alloc(64, (bytes + 63) / 64 * 64);
    bool       *has = calloc(data->head.count, sizeof *has);
    now.nearest = malloc((size_t)data->head.queries * BENCH_NEAREST * sizeof *now.nearest);
    if (!vectors || !has || !now.nearest) bench_fail("memory", "exhausted");
    bench_open(data, folder, &table);
    uint32_t rows = read_rows(&table, vectors, has);
    for (uint32_t i = 0; i < data->head.queries; i++)
        bench_exact(vectors, has, data->head.count, data->head.dimension, bench_query(data, i),
                    now.nearest + (size_t)i * BENCH_NEAREST);
    double recall = bench_recall(&now, bench_ask, &table, beam), began = bench_now();
    bench_recall(&now, bench_ask, &table, beam);
    double rate = data->head.queries / (bench_now() - began);
    printf(
        "{\"when\": \"%s\", \"rows\": %u, \"operations\": %u, \"seconds\": %.1f, \"recall\": %.5f, "
        "\"rate\": %.1f, \"rss_mb\": %.1f}\n",
        when, rows, operations, seconds, recall, rate, bench_rss_mb());
    fflush(stdout);
    bench_close(&table);
    free(vectors);
    free(has);
    free(now.nearest);
}

void bench_churn(const bench_data *data, const char *folder, uint32_t operations, uint32_t beam) {
    shared *counts =
        mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED) bench_fail("memory", "exhausted");
    tell_recall(data, folder, beam, "before", 0, 0);
    double   began = bench_now();
    uint32_t done = run_until(data, folder, counts, 0, operations, operations / 2);
    double   seconds = bench_now() - began;
    verify(folder);
    tell_recall(data, folder, beam, "killed", seconds, done);
    began = bench_now();
    done = run_until(data, folder, counts, operations, 2 * operations - operations / 2, 0);
    seconds = bench_now() - began;
    verify(folder);
    tell_recall(data, folder, beam, "after", seconds, done);
    munmap(counts, sizeof *counts);
}
