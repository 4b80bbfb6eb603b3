// SPDX-License-Identifier: MIT
/* stream.c -- streams and bulk writers over the embedded store: rows a second, and the memory that the process needs meanwhile.
 *
 *   bench_stream FOLDER CASE ROWS    prints: seconds cpu_seconds rows rss_mb (that the case added at most) in_flight_mb (its peak) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "corm/corm.h"

typedef struct event {
    int32_t        device, number;
    corm_timestamp at;
    int32_t        kind;
    double         value;
    char          *note;
} event;

#define COL(member) CORM_COLUMN(event, member)
static const corm_model events = {
    .table = "events",
    .row_size = sizeof(event),
    .fields = {
        { COL(device), .key = CORM_PARTITION },
        { COL(number), .key = CORM_CLUSTERING },
        { COL(at) },
        { COL(kind) },
        { COL(value) },
        { COL(note) },
    },
};
#undef COL

enum { A_DEVICE = 1000 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of computing by all threads. */
static double computed(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of the process's own memory: the pages of the store's file that happen to be mapped do not count. */
static long anonymous_kb(void) {
    char  line[256];
    long  kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "RssAnon: %ld", &kb) == 1) break;
    }
    if (file) fclose(file);
    return kb;
}

static _Noreturn void fail(const corm_error *err) {
    fprintf(stderr, "bench_stream: %s\n", err->message);
    exit(1);
}

static corm_db *open_folder(const char *folder) {
    char       uri[4096];
    corm_db   *db;
    corm_error err = { 0 };
    snprintf(uri, sizeof uri, "corm:%s", folder);
    corm_db_options options = { .error = &err };
    options.session.keyspace = "bench";
    options.session.create_keyspace = true;
    options.session.relaxed_durability = true;
    if (corm_db_open(&db, uri, &options) != CORM_OK) fail(&err);
    return db;
}

static event make(int32_t i) {
    return (event){ .device = i / A_DEVICE,
                    .number = i % A_DEVICE,
                    .at = { 1700000000000 + i },
                    .kind = i % 4,
                    .value = i * 0.5,
                    .note = (char *)(uintptr_t) "a note of thirty characters ..." };
}

/* ---- streams ---- */

typedef struct consumer {
    uint64_t rows;
    double   sum;
    long     peak_kb;
    bool     is_slow;
} consumer;

static bool is_wanted(void *context, const void *item) {
    (void)context;
    return ((const event *)item)->kind != 3;
}

typedef struct scored {
    int32_t device, number;
    double  score;
} scored;

static corm_status score(void *context, void *item, void *out, corm_error *err) {
    const event *from = item;
    (void)context;
    (void)err;
    *(scored *)out = (scored){ from->device, from->number, from->value * 2 + from->kind };
    return CORM_OK;
}

static corm_status take(void *context, void *item, corm_error *err) {
    consumer *self = context;
    (void)err;
    self->rows++;
    self->sum += ((const scored *)item)->score;
    return CORM_OK;
}

static corm_status look(void *context, const corm_stream_batch *batch, corm_error *err) {
    consumer *self = context;
    (void)err;
    if (self->is_slow) nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
    if (batch->number % 16 == 0 || self->is_slow) {
        long kb = anonymous_kb();
        if (kb > self->peak_kb) self->peak_kb = kb;
    }
    return CORM_OK;
}

static void run_stream(corm_db *db, const char *name) {
    corm_stream        *stream;
    corm_stream_stats   stats;
    corm_error          err = { 0 };
    consumer            self = { .is_slow = strcmp(name, "slow") == 0 };
    corm_stream_options options = { .model = &events,
                                    .filter = is_wanted,
                                    .transform = score,
                                    .out_size = sizeof(scored),
                                    .data = take,
                                    .batch = look,
                                    .context = &self,
                                    .error = &err };
    if (strcmp(name, "ordered") == 0) options.ordered = true;
    if (self.is_slow) options.max_bytes = 1 << 20;
    long before = anonymous_kb();
    self.peak_kb = before;
    if (corm_stream_open_with(db, &options, &stream) != CORM_OK) fail(&err);
    double began = now(), spent = computed();
    if (corm_stream_run(stream, &err) != CORM_OK) fail(&err);
    double seconds = now() - began;
    spent = computed() - spent;
    corm_stream_statistics(stream, &stats);
    printf("%.4f %.4f %llu %.2f %.3f\n", seconds, spent, (unsigned long long)stats.read,
           (double)(self.peak_kb - before) / 1024, (double)stats.bytes_in_flight_peak / 1048576);
    corm_stream_free(stream);
}

/* ---- bulk writers ---- */

static void run_bulk(corm_db *db, int32_t rows) {
    corm_bulk      *bulk;
    corm_bulk_stats stats;
    corm_error      err = { 0 };
    long            before = anonymous_kb(), peak = before;
    if (corm_bulk_open(db, &bulk, { .max_bytes = 4 << 20, .error = &err }) != CORM_OK) fail(&err);
    double began = now(), spent = computed();
    for (int32_t i = 0; i < rows; i++) {
        event row = make(i);
        if (corm_bulk_insert(bulk, &events, &row, { .write.error = &err }) != CORM_OK) fail(&err);
        if (i % 20000 != 0) continue;
        long kb = anonymous_kb();
        if (kb > peak) peak = kb;
    }
    if (corm_bulk_flush(bulk, &err) != CORM_OK) fail(&err);
    double seconds = now() - began;
    spent = computed() - spent;
    corm_bulk_statistics(bulk, &stats);
    printf("%.4f %.4f %llu %.2f %.3f\n", seconds, spent, (unsigned long long)stats.written,
           (double)(peak - before) / 1024, (double)stats.bytes_peak / 1048576);
    if (corm_bulk_close(bulk, &err) != CORM_OK) fail(&err);
}

/* ---- JSON ---- */

static void run_json(corm_db *db, int32_t rows) {
    corm_error err = { 0 };
    size_t     bytes = 0;
    double     began = now(), spent = computed();
    for (int32_t i = 0; i < rows; i++) {
        event row = make(i);
        char *text;
        if (corm_to_json(db, &events, &row, &text, { .error = &err }) != CORM_OK) fail(&err);
        bytes += strlen(text);
        free(text);
    }
    printf("%.4f %.4f %d 0 %.3f\n", now() - began, computed() - spent, rows,
           (double)bytes / 1048576);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    corm_db *db = open_folder(argv[1]);
    if (strcmp(argv[2], "bulk") == 0) {
        run_bulk(db, atoi(argv[3]));
    } else if (strcmp(argv[2], "json") == 0) {
        run_json(db, atoi(argv[3]));
    } else {
        run_stream(db, argv[2]);
    }
    corm_db_close(db);
    return 0;
}
