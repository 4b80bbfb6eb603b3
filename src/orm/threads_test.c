// SPDX-License-Identifier: MIT
/* One db, many threads: the first load, shapes that are made at the same time, statements that are lent. */
#include <pthread.h>

#include "orm/core.h"

#include "orm/orm_for_tests.h"

typedef struct cell {
    int32_t row, column, value;
} cell;

#define COL(member) CORM_COLUMN(cell, member)
static const corm_model cells = {
    .table = "cells",
    .row_size = sizeof(cell),
    .fields = { { COL(row), .key = CORM_PARTITION },
                { COL(column), .key = CORM_CLUSTERING },
                { COL(value) } },
};
#undef COL

enum { THREADS = 12, ROUNDS = 40 };

typedef struct worker {
    pthread_t          thread;
    corm_db           *db;
    int32_t            row;
    pthread_barrier_t *start;
    int                failures;
} worker;

static bool find_one_shape(worker *w, int32_t round) {
    corm_rows        *rows;
    corm_find_options options = { .where = { corm_eq("row", w->row) } };
    corm_term         below = corm_lte("column", round);
    corm_term         above = corm_gte("column", 0);
    if (round % 2) options.where[1] = below;
    if (round % 3 == 0) options.where[1 + round % 2] = above;
    if (round % 5 == 0) options.limit = 1000;
    if (round % 7 == 0) options.select[0] = "column";
    if (corm_find_with(w->db, &cells, &rows, &options) != CORM_OK) return false;
    bool all = corm_rows_count(rows) == (uint32_t)round + 1;
    corm_rows_free(rows);
    return all;
}

static void *work(void *context) {
    worker *w = context;
    pthread_barrier_wait(w->start);
    for (int32_t round = 0; round < ROUNDS; round++) {
        cell       c = { w->row, round, round };
        corm_value key[] = { corm_v(w->row), corm_v(round) };
        corm_rows *rows = NULL;
        if (corm_insert(w->db, &cells, &c, { 0 }) != CORM_OK) w->failures++;
        if (corm_find_key(w->db, &cells, &rows, key, 2, NULL) != CORM_OK) w->failures++;
        if (corm_rows_count(rows) != 1) w->failures++;
        corm_rows_free(rows);
        if (!find_one_shape(w, round)) w->failures++;
    }
    return NULL;
}

static void many_threads_share_models_and_statements(void **state) {
    (void)state;
    corm_db          *db = open_db();
    worker            workers[THREADS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){ .db = db, .row = i, .start = &start };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].failures, 0);
    }
    pthread_barrier_destroy(&start);
    orm_model *model;
    assert_int_equal(orm__model(db, &cells, &model, NULL), CORM_OK);
    assert_ptr_equal(atomic_load(&db->models), model);
    assert_null(model->next);
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_share_models_and_statements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
