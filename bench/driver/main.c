// SPDX-License-Identifier: MIT
/* main.c -- Corm as a client of a real cluster, in a closed loop: as many requests in flight as asked, of which each sends the
 * next when its answer came.
 *
 *   bench_driver SYSTEM HOST PORT CASE CONCURRENCY WARM_UP REQUESTS
 *
 *   corm             on the caller's loop, so that everything is one thread
 *   corm-threaded    the session's own I/O thread; callbacks run there and send the next request
 *   corm-sync        corm_run() and corm_batch_run(), one at a time
 *
 * Prints one line of JSON. Any surprise ends the program. */
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "corm/corm.h"
#include "count.h"

enum { KEYS = 100000, PARTITIONS = 1000, PARTITION_ROWS = 49999, PAGE_ROWS = 5000, BATCH = 64 };
enum { SAMPLE = 8, MOST = 1024 };
typedef struct bench_work   bench_work;
typedef struct bench_flight bench_flight;

typedef struct bench_case {
    const char *name, *text;
    /* Binds what the flight's next request is about. */
    void (*bind)(bench_flight *self);
    /* Looks at the answer. */
    void (*see)(bench_flight *self, corm_result *result);
} bench_case;

/* One of the requests in flight. */
struct bench_flight {
    bench_work *work;
    int64_t     key;
    uint64_t    sent_ns;   /* 0: not timed */
    size_t      state_len; /* page5000: where it goes on */
    uint8_t     state[512];
    int64_t     sum;
    uint32_t    rows;
};

struct bench_work {
    const bench_case *what;
    uv_loop_t        *loop;  /* of `corm` */
    bool              waits; /* corm-sync */
    corm_session     *session;
    corm_prepared    *prepared;
    corm_statement   *statement; /* for all flights: what runs has copies of its values */
    corm_batch       *batch;     /* batch64 only */
    uint32_t          concurrency;
    int64_t           offset; /* of the first request's number */
    uint32_t          wanted, sent;
    _Atomic uint32_t  done;
    sem_t             all_done; /* of corm-threaded */
    bench_flight      flights[MOST];
    uint64_t         *latencies;
    uint32_t          latency_count;
};

static _Noreturn void fail(const char *what, const char *why) {
    fprintf(stderr, "bench_driver: %s: %s\n", what, why);
    exit(1);
}

static void must(corm_status status, const corm_error *err, const char *what) {
    if (status != CORM_OK)
        fail(what, err && err->message[0] ? err->message : corm_status_text(status));
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* ---- the cases ---- */

static void bind_long(bench_flight *self, uint32_t index, int64_t value) {
    must(corm_statement_bind(self->work->statement, index, corm_v(value), NULL), NULL, "bind");
}

static void bind_int(bench_flight *self, uint32_t index, int32_t value) {
    must(corm_statement_bind(self->work->statement, index, corm_v(value), NULL), NULL, "bind");
}

static void bind_insert(bench_flight *self) {
    for (uint32_t i = 0; i < 3; i++) bind_long(self, i, self->key * (i + 1));
}

static void bind_select(bench_flight *self) {
    bind_long(self, 0, self->key);
}

static void bind_batch(bench_flight *self) {
    int64_t p = self->key % PARTITIONS;
    corm_batch_clear(self->work->batch);
    for (int32_t row = 0; row < BATCH; row++) {
        bind_long(self, 0, p);
        bind_int(self, 1, row);
        bind_long(self, 2, p + row);
        bind_long(self, 3, 2 * p + row);
        must(corm_batch_add(self->work->batch, self->work->statement, NULL), NULL, "batch");
    }
}

static void bind_page(bench_flight *self) {
    corm_request_options *options = corm_statement_options(self->work->statement);
    bind_int(self, 0, 1);
    options->page_size = PAGE_ROWS;
    options->paging_state = (corm_bytes){ self->state, self->state_len };
}

static void see_nothing(bench_flight *self, corm_result *result) {
    (void)self, (void)result;
}

static void see_row(bench_flight *self, corm_result *result) {
    const corm_row *row = corm_result_next(result);
    if (!row || corm_row_bigint(row, 0) != 2 * self->key ||
        corm_row_bigint(row, 1) != 3 * self->key)
        fail("select", "a wrong answer");
}

static void keep_state(bench_flight *self, corm_bytes state) {
    if (state.len > sizeof self->state) fail("page", "a paging state is too long");
    if (state.len > 0) memcpy(self->state, state.data, state.len);
    self->state_len = state.len;
}

static void see_page(bench_flight *self, corm_result *result) {
    const corm_row *row;
    while ((row = corm_result_next(result))) {
        self->sum += corm_row_int(row, 0) + corm_row_bigint(row, 1);
        self->rows++;
    }
    keep_state(self, corm_result_paging_state(result));
    if (corm_result_has_more(result)) return;
    if (self->rows != PARTITION_ROWS ||
        self->sum != (int64_t)2 * PARTITION_ROWS * (PARTITION_ROWS - 1))
        fail("page", "a wrong answer");
    self->rows = 0;
    self->sum = 0;
}

static const bench_case cases[] = {
    { "insert", "INSERT INTO bench.benchtab (pk, v1, v2) VALUES (?, ?, ?)", bind_insert,
      see_nothing },
    { "select", "SELECT v1, v2 FROM bench.benchtab WHERE pk = ?", bind_select, see_row },
    { "batch64", "INSERT INTO bench.batchtab (p, c, v1, v2) VALUES (?, ?, ?, ?)", bind_batch,
      see_nothing },
    { "page5000", "SELECT c, v FROM bench.pages WHERE p = ?", bind_page, see_page },
};

static const bench_case *find_case(const char *name) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, name) == 0) return &cases[i];
    fail("no such case", name);
}

/* ---- the closed loop ---- */

/* Takes the next request's number; false when all are sent. */
static bool begin(bench_flight *self) {
    bench_work *work = self->work;
    if (work->sent >= work->wanted) return false;
    uint32_t n = work->sent++;
    self->key = (work->offset + n) % KEYS;
    self->sent_ns = n % SAMPLE == 0 ? now_ns() : 0;
    work->what->bind(self);
    return true;
}

static void end(bench_flight *self, corm_result *result) {
    bench_work *work = self->work;
    work->what->see(self, result);
    corm_result_free(result);
    if (self->sent_ns) work->latencies[work->latency_count++] = now_ns() - self->sent_ns;
}

static void send_next(bench_flight *self);

static void on_answer(void *context, corm_status status, corm_result *result,
                      const corm_error *err) {
    bench_flight *self = context;
    bench_work   *work = self->work;
    must(status, err, work->what->name);
    end(self, result);
    send_next(self);
    if (atomic_fetch_add(&work->done, 1) + 1 == work->wanted && !work->loop)
        sem_post(&work->all_done);
}

static void send_next(bench_flight *self) {
    if (!begin(self)) return;
    corm_task *task = self->work->batch ? corm_batch_run_async(self->work->batch, on_answer, self)
                                        : corm_run_async(self->work->statement, on_answer, self);
    if (!task) fail(self->work->what->name, "no memory");
    corm_task_free(task);
}

static void run_waiting(bench_flight *self) {
    corm_error err = { 0 };
    while (begin(self)) {
        corm_result *result = NULL;
        must(self->work->batch ? corm_batch_run(self->work->batch, &result, &err)
                               : corm_run(self->work->statement, &result, &err),
             &err, self->work->what->name);
        end(self, result);
    }
}

/* The first requests of corm-threaded are sent here while answers come there: one is sent by this thread and the
 * callback of it starts the others. */
static void start_all(void *context, corm_status status, corm_result *result,
                      const corm_error *err) {
    bench_flight *first = context;
    bench_work   *work = first->work;
    must(status, err, work->what->name);
    corm_result_free(result);
    for (uint32_t i = 0; i < work->concurrency; i++) send_next(&work->flights[i]);
}

static void run_threaded(bench_work *self) {
    corm_execute_options none = { 0 };
    corm_task *task = corm_execute_async(self->session, "SELECT key FROM system.local", &none,
                                         start_all, &self->flights[0]);
    if (!task) fail("start", "no memory");
    corm_task_free(task);
    sem_wait(&self->all_done);
}

static void run(bench_work *self, uint32_t wanted) {
    self->offset += self->sent;
    self->wanted = wanted;
    self->sent = self->latency_count = 0;
    atomic_store(&self->done, 0);
    if (self->waits) {
        run_waiting(&self->flights[0]);
    } else if (self->loop) {
        for (uint32_t i = 0; i < self->concurrency; i++) send_next(&self->flights[i]);
        while (atomic_load(&self->done) < wanted) uv_run(self->loop, UV_RUN_ONCE);
    } else {
        run_threaded(self);
    }
}

/* ---- measuring ---- */

static double cpu_s(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
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

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(const bench_work *self, double part) {
    if (self->latency_count == 0) return 0;
    return (double)self->latencies[(uint32_t)((self->latency_count - 1) * part)] / 1000;
}

static void report(bench_work *self, double seconds, double cpu, unsigned long long allocations) {
    double requests = self->wanted;
    qsort(self->latencies, self->latency_count, sizeof *self->latencies, compare);
    printf("{\"rate\": %.3f, \"cpu_us\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"rss_mb\": "
           "%.2f, \"allocations\": %.3f}\n",
           requests / seconds, cpu * 1e6 / requests, percentile_us(self, 0.50),
           percentile_us(self, 0.99), peak_rss_mb(), (double)allocations / requests);
}

static void measure(bench_work *self, uint32_t warm_up, uint32_t requests) {
    run(self, warm_up);
    unsigned long long allocations = bench_allocations();
    double             begun = (double)now_ns(), cpu = cpu_s();
    run(self, requests);
    double seconds = ((double)now_ns() - begun) * 1e-9;
    report(self, seconds, cpu_s() - cpu, bench_allocations() - allocations);
}

/* ---- opening ---- */

static void open_session(bench_work *self, const char *host, const char *port) {
    char                 uri[512];
    corm_error           err = { 0 };
    corm_cluster_options cluster = { .loop = self->loop };
    corm_session_options options = { .consistency = CORM_LOCAL_ONE, .cluster = &cluster };
    snprintf(uri, sizeof uri, "cassandra://%s:%s", host, port);
    must(corm_session_open(&self->session, uri, &options, &err), &err, "open");
    must(corm_prepare(self->session, self->what->text, &self->prepared, &err), &err, "prepare");
}

static void make_statement(bench_work *self) {
    self->statement = corm_statement_new(self->prepared);
    if (self->what->bind == bind_batch) self->batch = corm_batch_new(self->session, CORM_UNLOGGED);
    bool made = self->statement && (self->batch || self->what->bind != bind_batch);
    if (!made) fail("statement", "no memory");
    for (uint32_t i = 0; i < self->concurrency; i++) self->flights[i].work = self;
}

static void close_all(bench_work *self) {
    corm_statement_free(self->statement);
    corm_batch_free(self->batch);
    corm_prepared_free(self->prepared);
    corm_session_close(self->session);
    if (self->loop) uv_loop_close(self->loop);
    sem_destroy(&self->all_done);
    free(self->latencies);
}

static void choose_system(bench_work *self, const char *name) {
    static uv_loop_t loop;
    if (strcmp(name, "corm") == 0) {
        if (uv_loop_init(&loop) != 0) fail("loop", "cannot be made");
        self->loop = &loop;
    } else if (strcmp(name, "corm-sync") == 0) {
        self->waits = true;
    } else if (strcmp(name, "corm-threaded") != 0) {
        fail("no such system", name);
    }
}

int main(int argc, char **argv) {
    static bench_work self;
    if (argc != 8) {
        fprintf(stderr, "usage: bench_driver SYSTEM HOST PORT CASE CONCURRENCY WARM_UP REQUESTS\n");
        return 2;
    }
    uint32_t warm_up = (uint32_t)strtoul(argv[6], NULL, 10);
    uint32_t requests = (uint32_t)strtoul(argv[7], NULL, 10);
    self.concurrency = (uint32_t)strtoul(argv[5], NULL, 10);
    self.what = find_case(argv[4]);
    choose_system(&self, argv[1]);
    if (self.concurrency < 1 || self.concurrency > MOST) fail("concurrency", argv[5]);
    if (self.waits && self.concurrency != 1) fail("corm-sync", "one at a time");
    self.latencies =
        calloc((warm_up > requests ? warm_up : requests) / SAMPLE + 1, sizeof *self.latencies);
    if (!self.latencies || sem_init(&self.all_done, 0, 0) != 0) fail("start", "no memory");
    open_session(&self, argv[2], argv[3]);
    make_statement(&self);
    measure(&self, warm_up, requests);
    close_all(&self);
    return 0;
}
