// SPDX-License-Identifier: MIT
/* main.c -- one measurement of one system, as a line of JSON. bench/run calls it many times.
 *
 *   bench_embedded load SYSTEM FOLDER                        all rows, for the cases that read
 *   bench_embedded run CASE SYSTEM FOLDER COUNT LATENCIES    COUNT operations without looking at the clock in between, then
 *                                                            LATENCIES more, each timed
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"

enum { SCATTER = 7919 /* coprime to ROWS */ };

typedef struct bench_case bench_case;

/* One thread of a run. */
typedef struct worker {
    const bench_case   *what;
    const bench_system *system;
    void               *connection;
    uint32_t            first, count, timed;
    double             *latencies; /* room for `timed` */
    bench_item         *items;     /* room for a batch */
    bench_seen          seen;
} worker;

struct bench_case {
    const char   *name;
    bench_promise promise; /* of writes */
    uint32_t      threads;
    void (*operation)(worker *self, uint32_t n);
    uint32_t rows; /* that an operation writes or sees; 0: all */
};

/* ---- operations ---- */

static void insert(worker *self, uint32_t n) {
    bench_item item;
    bench_make((uint32_t)((uint64_t)n * SCATTER % ROWS), &item);
    self->system->insert(self->connection, &item);
    self->seen.rows++;
}

static void insert_batch(worker *self, uint32_t n) {
    uint32_t size = self->what->rows, first = (uint32_t)((uint64_t)n * SCATTER * size % ROWS);
    for (uint32_t i = 0; i < size; i++) bench_make(first + i, &self->items[i]);
    self->system->insert_batch(self->connection, self->items, size);
    self->seen.rows += size;
}

static void load_batch(worker *self, uint32_t n) {
    for (uint32_t i = 0; i < BULK_BATCH; i++)
        bench_make(n % (ROWS / BULK_BATCH) * BULK_BATCH + i, &self->items[i]);
    self->system->insert_batch(self->connection, self->items, BULK_BATCH);
    self->seen.rows += BULK_BATCH;
}

static void point_read(worker *self, uint32_t n) {
    char     user[16];
    uint32_t row = n * 2654435761U % ROWS;
    bench_user(row / PARTITION_ROWS, user);
    self->system->point_read(self->connection, user, (int32_t)(row % PARTITION_ROWS), &self->seen);
}

static void slice(worker *self, uint32_t n) {
    char user[16];
    bench_user(n * 2654435761U % PARTITIONS, user);
    self->system->slice(self->connection, user, (int32_t)(n % (PARTITION_ROWS - SLICE)),
                        &self->seen);
}

static void scan(worker *self, uint32_t n) {
    (void)n;
    self->system->scan(self->connection, &self->seen);
}

static const bench_case cases[] = {
    { "insert", BENCH_IN_OS, 1, insert, 1 },
    { "point_read", BENCH_ON_DISK, 1, point_read, 1 },
    { "slice_100", BENCH_ON_DISK, 1, slice, SLICE },
    { "full_scan", BENCH_ON_DISK, 1, scan, 0 },
    { "batch_100", BENCH_ON_DISK, 1, insert_batch, BATCH },
    { "durable_1_writer", BENCH_ON_DISK, 1, insert, 1 },
    { "durable_8_writers", BENCH_ON_DISK, 8, insert, 1 },
    { "durable_64_writers", BENCH_ON_DISK, 64, insert, 1 },
    { "bulk_load", BENCH_IN_OS, 1, load_batch, BULK_BATCH },
};

/* ---- systems ---- */

typedef struct named_system {
    const char         *name;
    const bench_system *system;
    bool                fixed; /* it has one promise, whatever the case asks for */
    bench_promise       promise;
} named_system;

static const named_system systems[] = {
    { "corm", &bench_corm, false, BENCH_ON_DISK },
    { "corm-feed", &bench_feed, false, BENCH_ON_DISK },
    { "corm-mapper", &bench_mapper, false, BENCH_ON_DISK },
    { "sqlite-full", &bench_sqlite, true, BENCH_ON_DISK },
    { "sqlite-normal", &bench_sqlite, true, BENCH_IN_OS },
    { "lmdb", &bench_lmdb, false, BENCH_ON_DISK },
};

static const named_system *find_system(const char *name) {
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
        if (strcmp(systems[i].name, name) == 0) return &systems[i];
    bench_fail("no such system", name);
}

static const bench_case *find_case(const char *name) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, name) == 0) return &cases[i];
    bench_fail("no such case", name);
}

/* ---- measuring ---- */

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double cpu_s(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

/* Of this program; what getrusage() says also covers the process that started it. */
static double peak_rss_mb(void) {
    char  line[256];
    long  kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld kB", &kb) == 1) break;
    if (file) fclose(file);
    return (double)kb / 1024;
}

static void *run_plain(void *context) {
    worker *self = context;
    for (uint32_t i = 0; i < self->count; i++) self->what->operation(self, self->first + i);
    return NULL;
}

static void *run_timed(void *context) {
    worker *self = context;
    for (uint32_t i = 0; i < self->timed; i++) {
        double begin = now_s();
        self->what->operation(self, self->first + self->count + i);
        self->latencies[i] = now_s() - begin;
    }
    return NULL;
}

static void run_all(worker *workers, uint32_t count, void *(*main)(void *)) {
    pthread_t threads[MAX_SYSTEM_THREADS];
    if (count == 1) {
        main(&workers[0]);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, main, &workers[i]) != 0)
            bench_fail("thread", "cannot be started");
    for (uint32_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(double *sorted, uint32_t count, double part) {
    return count ? sorted[(uint32_t)((double)(count - 1) * part)] * 1e6 : 0;
}

/* ---- a run ---- */

static void set_up(worker *self, const bench_case *what, const named_system *which, void *store,
                   uint32_t first, uint32_t count, uint32_t timed) {
    *self = (worker){
        .what = what, .system = which->system, .first = first, .count = count, .timed = timed
    };
    self->connection = which->system->connect(store);
    self->items = calloc(BULK_BATCH, sizeof *self->items);
    self->latencies = calloc(timed ? timed : 1, sizeof *self->latencies);
    if (!self->items || !self->latencies) bench_fail("run", "no memory");
}

static void report(worker *workers, uint32_t threads, double seconds, double cpu,
                   uint64_t operations, uint64_t seen_rows) {
    uint32_t timed = workers[0].timed;
    double  *all = calloc((size_t)threads * timed + 1, sizeof *all);
    if (!all) bench_fail("report", "no memory");
    for (uint32_t i = 0; i < threads; i++)
        memcpy(all + (size_t)i * timed, workers[i].latencies, timed * sizeof *all);
    qsort(all, (size_t)threads * timed, sizeof *all, compare);
    printf(
        "{\"rate\": %.3f, \"cpu_us\": %.4f, \"p50_us\": %.3f, \"p99_us\": %.3f, \"rss_mb\": %.2f, \"operations\": %llu, "
        "\"rows\": %llu}\n",
        (double)operations / seconds, cpu * 1e6 / (double)operations,
        percentile(all, threads * timed, 0.50), percentile(all, threads * timed, 0.99),
        peak_rss_mb(), (unsigned long long)operations, (unsigned long long)seen_rows);
    free(all);
}

static int run(const bench_case *what, const named_system *which, const char *folder,
               uint32_t count, uint32_t timed) {
    worker        workers[MAX_SYSTEM_THREADS];
    uint32_t      threads = what->threads, share = count / threads, each = timed / threads;
    bench_promise promise = which->fixed ? which->promise : what->promise;
    bool          writes =
        what->operation != point_read && what->operation != slice && what->operation != scan;
    void    *store = which->system->open(folder, promise, writes);
    uint64_t rows = 0;
    for (uint32_t i = 0; i < threads; i++)
        set_up(&workers[i], what, which, store, i * (share + each), share, each);
    double begin = now_s(), cpu = cpu_s();
    run_all(workers, threads, run_plain);
    if (what->operation == load_batch) which->system->sync(store);
    double seconds = now_s() - begin;
    cpu = cpu_s() - cpu;
    for (uint32_t i = 0; i < threads; i++) rows += workers[i].seen.rows;
    if (each) run_all(workers, threads, run_timed);
    if (rows != (uint64_t)share * threads * (what->rows ? what->rows : ROWS))
        bench_fail(what->name, "rows are missing");
    report(workers, threads, seconds, cpu, (uint64_t)share * threads, rows);
    for (uint32_t i = 0; i < threads; i++) {
        which->system->disconnect(workers[i].connection);
        free(workers[i].items);
        free(workers[i].latencies);
    }
    which->system->close(store);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "load") == 0)
        return run(find_case("bulk_load"), find_system(argv[2]), argv[3], ROWS / BULK_BATCH, 0);
    if (argc == 7 && strcmp(argv[1], "run") == 0)
        return run(find_case(argv[2]), find_system(argv[3]), argv[4],
                   (uint32_t)strtoul(argv[5], NULL, 10), (uint32_t)strtoul(argv[6], NULL, 10));
    fprintf(stderr,
            "usage: bench_embedded load SYSTEM FOLDER | run CASE SYSTEM FOLDER COUNT LATENCIES\n");
    return 2;
}
