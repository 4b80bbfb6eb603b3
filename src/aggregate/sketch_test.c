// SPDX-License-Identifier: MIT
/* Sketches against exact answers, on the table of groups itself: their errors are those that are stated. */
#include <math.h>
#include <stdlib.h>

#include "aggregate/group.h"
#include "testing/check.h"

typedef struct fixture {
    base_arena   arena;
    agg_field    field;
    agg_scope    in, out;
    agg_field    given;
    agg_acc      acc;
    agg_grouping grouping;
    agg_memory   memory;
    double       answer;
} fixture;

static void begin(fixture *f, const char *call, const cql_type *type) {
    corm_error  err = { 0 };
    agg_node   *node;
    agg_binding binding = { &f->arena, &f->in, NULL };
    *f = (fixture){ .field = { corm_str_of("x"), type }, .memory = { .limit = 64 << 20 } };
    f->in = (agg_scope){ 1, &f->field };
    assert_ok(agg__parse(&f->arena, corm_str_of(call), &node, &err), err);
    assert_ok(agg__acc_bind(&binding, node, corm_str_of("y"), &f->acc, &err), err);
    f->given = (agg_field){ corm_str_of("y"), f->acc.type };
    f->out = (agg_scope){ 1, &f->given };
    f->grouping = (agg_grouping){
        .acc_count = 1, .accs = &f->acc, .block = (f->acc.kind->size + 15) / 16 * 16, .out = &f->out
    };
}

static corm_status take(void *context, const agg_batch *batch, corm_error *err) {
    fixture *f = context;
    (void)err;
    assert_int_equal(batch->count, 1);
    f->answer = agg__real_of(&batch->columns[0], 0);
    return CORM_OK;
}

/* Values into two tables in turns, which are then merged; through files when the limit is small. */
static double answer_of(fixture *f, const int64_t *whole, const double *real, uint32_t count) {
    agg_groups *tables[2];
    corm_error  err = { 0 };
    agg_batch   batch;
    for (int i = 0; i < 2; i++)
        assert_ok(agg__groups_new(&f->grouping, &f->memory, &tables[i], &err), err);
    assert_ok(agg__batch_new(&f->arena, &f->in, AGG_BATCH, &batch, &err), err);
    for (uint32_t done = 0, turn = 0; done < count; done += batch.count, turn++) {
        batch.count = count - done < AGG_BATCH ? count - done : AGG_BATCH;
        for (uint32_t i = 0; i < batch.count; i++) {
            if (whole) batch.columns[0].v.whole[i] = whole[done + i];
            if (real) batch.columns[0].v.real[i] = real[done + i];
        }
        assert_ok(agg__groups_add(tables[turn % 2], &batch, &err), err);
    }
    assert_ok(agg__groups_give(tables, 2, take, f, &err), err);
    for (int i = 0; i < 2; i++) agg__groups_free(tables[i]);
    return f->answer;
}

static void different_values_are_counted_within_the_stated_error(void **state) {
    (void)state;
    static const uint32_t sizes[] = { 1, 10, 1000, 1024, 1025, 3000, 20000, 100000, 700000 };
    fixture               f;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t n = sizes[s];
        int64_t *values = malloc(2 * n * sizeof *values);
        assert_non_null(values);
        for (uint32_t i = 0; i < 2 * n; i++) values[i] = (int64_t)(i % n) * 7919 - 500;
        begin(&f, "approx_count_distinct(x)", cql__type_native(CQL_BIGINT));
        double got = answer_of(&f, values, NULL, 2 * n), error = fabs(got - n) / n;
        if (n <= 1024) assert_true(got == n);
        if (error > 4 * 0.0081) fail_msg("%u are counted as %g", n, got);
        base__arena_free(&f.arena);
        free(values);
    }
}

static uint32_t seed = 7;
static double   uniform(void) {
      seed = seed * 1664525 + 1013904223;
      return ((double)seed + 1) / 4294967297.0;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void quantiles_are_within_one_percent(void **state) {
    (void)state;
    enum { N = 100000 };
    static const double parts[] = { 0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1 };
    double             *values = malloc(N * sizeof *values), *sorted = malloc(N * sizeof *sorted);
    fixture             f;
    assert_non_null(values);
    assert_non_null(sorted);
    for (int shape = 0; shape < 3; shape++) {
        for (uint32_t i = 0; i < N; i++) {
            double u = uniform();
            values[i] = shape == 0 ? u * 100 : shape == 1 ? exp(8 * u - 4) / u : u * 2 - 1;
        }
        memcpy(sorted, values, N * sizeof *values);
        qsort(sorted, N, sizeof *sorted, compare_doubles);
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
            char call[64];
            snprintf(call, sizeof call, "approx_percentile(x, %g)", parts[p]);
            begin(&f, call, cql__type_native(CQL_DOUBLE));
            double got = answer_of(&f, NULL, values, N);
            double exact = sorted[(uint32_t)(parts[p] * (N - 1))];
            if (fabs(got - exact) > 0.0101 * fabs(exact))
                fail_msg("part %g is %g instead of %g", parts[p], got, exact);
            base__arena_free(&f.arena);
        }
    }
    free(values);
    free(sorted);
}

static void exact_quantiles_are_found_in_any_order_of_the_values(void **state) {
    (void)state;
    enum { N = 5000 };
    double  values[N];
    fixture f;
    for (int shape = 0; shape < 4; shape++) {
        for (uint32_t i = 0; i < N; i++)
            values[i] = shape == 0 ? i : shape == 1 ? N - 1 - i : shape == 2 ? (i * 7919) % N : 3;
        begin(&f, "percentile(x, 0.3)", cql__type_native(CQL_DOUBLE));
        double got = answer_of(&f, NULL, values, N);
        assert_true(fabs(got - (shape == 3 ? 3 : 0.3 * (N - 1))) < 1e-9);
        base__arena_free(&f.arena);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(different_values_are_counted_within_the_stated_error),
    cmocka_unit_test(quantiles_are_within_one_percent),
    cmocka_unit_test(exact_quantiles_are_found_in_any_order_of_the_values),
};

RUN_TESTS()
