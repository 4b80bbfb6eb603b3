// SPDX-License-Identifier: MIT
/* What a model's hooks cost inside the mapper, without the store: the branch of a model that has none, and each further hook of a
 * chain. Nanoseconds of the thread's CPU time an operation, the best of some rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "orm/hook.h"

enum { ROUNDS = 20, TURNS = 1000000 };

typedef struct row {
    int32_t id;
} row;

static const corm_model rows = {
    .table = "rows",
    .row_size = sizeof(row),
    .fields = { { CORM_COLUMN(row, id), .key = CORM_PARTITION } },
};

static corm_status nothing(corm_hook_call *call, void *context, corm_error *err) {
    (void)call, (void)context, (void)err;
    return CORM_OK;
}

static void must(corm_status status, const corm_error *err) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

/* Volatile, so that the compiler asks each time. */
static orm_model *volatile asked;
static volatile uint32_t hooked;

static void ask(void) {
    for (int i = 0; i < TURNS; i++) hooked += orm__hooked(asked);
}

static void loop_only(void) {
    for (int i = 0; i < TURNS; i++) hooked += asked != NULL;
}

static void go_through(void) {
    for (int i = 0; i < TURNS; i++) {
        orm_hook_run run;
        corm_error   err = { 0 };
        bool         opened;
        must(orm__hooks_open(asked, CORM_ON_INSERT, &run, &opened, &err), &err);
        must(orm__hooks_before(&run, &err), &err);
        must(orm__hooks_after(&run, CORM_OK, &err), &err);
    }
}

static int64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double best_of(void (*run)(void)) {
    int64_t best = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start = cpu_ns();
        run();
        int64_t took = cpu_ns() - start;
        if (took < best) best = took;
    }
    return (double)best / TURNS;
}

static void add(corm_db *db, int from, int to) {
    char       name[16];
    corm_error err;
    for (int i = from; i < to; i++) {
        snprintf(name, sizeof name, "hook %d", i);
        const corm_model_hook hook = { .name = name, .on = CORM_ON_INSERT, .before = nothing };
        must(corm_hook_add(db, &rows, &hook, &err), &err);
    }
}

int main(void) {
    corm_db        *db;
    orm_model      *model;
    corm_error      err = { 0 };
    corm_db_options options = { .session = { .keyspace = "bench", .create_keyspace = true },
                                .error = &err };
    must(corm_db_open(&db, "corm::memory:", &options), &err);
    must(orm__model(db, &rows, &model, &err), &err);
    asked = model;
    double loop = best_of(loop_only);
    printf("no hooks: %.2f ns\n", best_of(ask) - loop);
    add(db, 0, 1);
    double one = best_of(go_through);
    add(db, 1, 5);
    double five = best_of(go_through);
    printf("a chain with one hook: %.1f ns; each further hook: %.1f ns\n", one, (five - one) / 4);
    corm_db_close(db);
    return 0;
}
