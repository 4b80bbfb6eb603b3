// SPDX-License-Identifier: MIT
/* Every accumulator against a simple one, on random rows with nulls, through every door: with one thread and several, in memory and
 * in temporary files. Sorts likewise. */
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "corm/corm.h"
#include "testing/doors.h"

enum { ROWS = 3000, KEYS = 60, NAMES = 5, GROUPS = KEYS * NAMES, MOST = 64 };

typedef struct sample {
    int32_t key, name; /* the group; name 0: null */
    bool    has_i, has_d, has_t;
    int32_t i;
    int64_t cents;
    double  d;
    int32_t t; /* of 8 texts */
} sample;

typedef struct group {
    uint32_t rows, i_count, d_count, t_count;
    int32_t  i[MOST];
    int64_t  cents;
    double   d[MOST], pair_i[MOST], pair_d[MOST];
    uint32_t pairs;
    uint32_t texts[8];
} group;

static corm_session *session;
static sample        samples[ROWS];
static group         groups[GROUPS];

static uint32_t seed = 42;
static uint32_t random_below(uint32_t most) {
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)seed * most) >> 32);
}

/* ---- rows ---- */

static void make_samples(void) {
    for (uint32_t n = 0; n < ROWS; n++) {
        sample *s = &samples[n];
        *s = (sample){ .key = (int32_t)random_below(KEYS), .name = (int32_t)random_below(NAMES) };
        s->has_i = random_below(5) > 0;
        s->has_d = random_below(5) > 0;
        s->has_t = random_below(5) > 0;
        s->i = (int32_t)random_below(2000) - 1000;
        s->cents = (int64_t)random_below(1000000) - 500000;
        s->d = (double)random_below(1000000) / 997 - 300;
        s->t = (int32_t)random_below(8);
    }
}

static void note_sample(const sample *s) {
    group *g = &groups[s->key * NAMES + s->name];
    assert_true(g->rows < MOST);
    g->rows++;
    g->cents += s->cents;
    if (s->has_i) g->i[g->i_count++] = s->i;
    if (s->has_d) g->d[g->d_count++] = s->d;
    if (s->has_t) g->texts[s->t]++;
    g->t_count += s->has_t;
    if (!s->has_i || !s->has_d) return;
    g->pair_i[g->pairs] = s->i;
    g->pair_d[g->pairs++] = s->d;
}

static void add_row(corm_batch *batch, corm_statement *insert, int32_t n) {
    const sample *s = &samples[n];
    corm_error    err = { 0 };
    char          name[16], text[16];
    snprintf(name, sizeof name, "name%d", s->name);
    snprintf(text, sizeof text, "text %d", s->t);
    const corm_value values[] = {
        corm_v(n % 97),
        corm_v(n),
        corm_v(s->key),
        s->name ? corm_v((const char *)name) : corm_null(),
        s->has_i ? corm_v(s->i) : corm_null(),
        corm_v(corm_decimal_of(s->cents, 2)),
        s->has_d ? corm_v(s->d) : corm_null(),
        s->has_t ? corm_v((const char *)text) : corm_null(),
    };
    for (uint32_t i = 0; i < 8; i++)
        assert_ok(corm_statement_bind(insert, i, values[i], &err), err);
    assert_ok(corm_batch_add(batch, insert, &err), err);
}

static void load(void) {
    corm_error     err = { 0 };
    corm_prepared *prepared;
    assert_ok(corm_execute(session,
                           "CREATE TABLE samples (part int, number int, key int, name text, i int, "
                           "money decimal, d double, t text, PRIMARY KEY (part, number))",
                           NULL, { .error = &err }),
              err);
    assert_ok(corm_prepare(session,
                           "INSERT INTO samples (part, number, key, name, i, money, d, t) VALUES "
                           "(?, ?, ?, ?, ?, ?, ?, ?)",
                           &prepared, &err),
              err);
    corm_statement    *insert = corm_statement_new(prepared);
    corm_batch        *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_split_options options = { .error = &err };
    for (int32_t n = 0; n < ROWS; n++) add_row(batch, insert, n);
    assert_ok(corm_batch_run_split(batch, &options, NULL), err);
    corm_batch_free(batch);
    corm_statement_free(insert);
    corm_prepared_free(prepared);
}

static int set_up(void **state) {
    (void)state;
    session = testing__open("accumulators");
    make_samples();
    for (uint32_t n = 0; n < ROWS; n++) note_sample(&samples[n]);
    load();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    corm_session_close(session);
    return 0;
}

/* ---- simple answers ---- */

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile_of(const double *values, uint32_t count, double part) {
    double v[MOST];
    memcpy(v, values, count * sizeof *v);
    qsort(v, count, sizeof *v, compare_doubles);
    double   place = part * (count - 1);
    uint32_t at = (uint32_t)place;
    return at + 1 < count ? v[at] + (v[at + 1] - v[at]) * (place - at) : v[at];
}

static double mean_of(const double *v, uint32_t count) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += v[i];
    return sum / count;
}

static double co_moment(const double *x, const double *y, uint32_t count) {
    double mean_x = mean_of(x, count), mean_y = mean_of(y, count), sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += (x[i] - mean_x) * (y[i] - mean_y);
    return sum;
}

/* ---- comparisons ---- */

typedef struct cells {
    corm_result    *result;
    const corm_row *row;
} cells;

static uint32_t at(const cells *c, const char *name) {
    int index = corm_result_column_index(c->result, name);
    assert_true(index >= 0);
    return (uint32_t)index;
}

static void is_real(const cells *c, const char *name, bool null, double expected) {
    uint32_t index = at(c, name);
    assert_int_equal(corm_row_is_null(c->row, index), null);
    if (null) return;
    double got = corm_row_double(c->row, index);
    if (fabs(got - expected) > 1e-9 * (fabs(expected) + 1))
        fail_msg("%s is %.17g instead of %.17g", name, got, expected);
}

static void is_whole(const cells *c, const char *name, bool null, int64_t expected) {
    uint32_t index = at(c, name);
    assert_int_equal(corm_row_is_null(c->row, index), null);
    if (!null) assert_int_equal(corm_row_bigint(c->row, index), expected);
}

static void whole_columns(const cells *c, const group *g) {
    int64_t sum = 0, least = INT32_MAX, most = INT32_MIN;
    for (uint32_t i = 0; i < g->i_count; i++) {
        sum += g->i[i];
        if (g->i[i] < least) least = g->i[i];
        if (g->i[i] > most) most = g->i[i];
    }
    bool none = g->i_count == 0;
    is_whole(c, "n", false, g->rows);
    is_whole(c, "n_i", false, g->i_count);
    is_whole(c, "sum_i", none, sum);
    is_real(c, "avg_i", none, none ? 0 : (double)sum / g->i_count);
    is_whole(c, "min_i", none, least);
    is_whole(c, "max_i", none, most);
}

static void real_columns(const cells *c, const group *g) {
    bool     none = g->d_count == 0, one = g->d_count < 2;
    uint32_t n = g->d_count;
    double   moment = none ? 0 : co_moment(g->d, g->d, n);
    is_real(c, "sum_d", none, none ? 0 : mean_of(g->d, n) * n);
    is_real(c, "avg_d", none, none ? 0 : mean_of(g->d, n));
    is_real(c, "var_d", one, one ? 0 : moment / (n - 1));
    is_real(c, "varp_d", none, none ? 0 : moment / n);
    is_real(c, "sd_d", one, one ? 0 : sqrt(moment / (n - 1)));
    is_real(c, "sdp_d", none, none ? 0 : sqrt(moment / n));
    is_real(c, "median_d", none, none ? 0 : percentile_of(g->d, n, 0.5));
    is_real(c, "p90_d", none, none ? 0 : percentile_of(g->d, n, 0.9));
    is_real(c, "min_d", none, none ? 0 : percentile_of(g->d, n, 0));
    is_real(c, "max_d", none, none ? 0 : percentile_of(g->d, n, 1));
}

static void pair_columns(const cells *c, const group *g) {
    uint32_t n = g->pairs;
    double   xx = n ? co_moment(g->pair_i, g->pair_i, n) : 0;
    double   yy = n ? co_moment(g->pair_d, g->pair_d, n) : 0;
    double   xy = n ? co_moment(g->pair_i, g->pair_d, n) : 0;
    bool     flat = !(xx > 0 && yy > 0);
    is_real(c, "covar", n < 2, n < 2 ? 0 : xy / (n - 1));
    is_real(c, "corr", flat, flat ? 0 : xy / sqrt(xx * yy));
}

static void text_columns(const cells *c, const group *g) {
    uint32_t   different = 0, best = 0;
    corm_value value;
    corm_error err = { 0 };
    char       mode[16];
    for (uint32_t t = 0; t < 8; t++) {
        different += g->texts[t] > 0;
        if (g->texts[t] > g->texts[best]) best = t;
    }
    is_whole(c, "different", false, different);
    is_whole(c, "about", false, different);
    assert_ok(corm_row_value(c->row, at(c, "texts"), &value, &err), err);
    assert_int_equal(value.kind, CORM_SET);
    assert_int_equal(value.as.items.count, different);
    snprintf(mode, sizeof mode, "text %u", best);
    assert_int_equal(corm_row_is_null(c->row, at(c, "mode_t")), g->t_count == 0);
    if (g->t_count > 0) assert_text(corm_row_text(c->row, at(c, "mode_t")), mode);
    assert_ok(corm_row_value(c->row, at(c, "all_t"), &value, &err), err);
    assert_int_equal(value.as.items.count, g->t_count);
    assert_ok(corm_row_value(c->row, at(c, "money"), &value, &err), err);
    assert_true(fabs(corm_decimal_to_double(&value.as.decimal) * 100 - (double)g->cents) < 1e-6);
    int64_t cents;
    assert_int_equal(value.as.decimal.scale, 2);
    assert_ok(corm_varint_to_i64(&value.as.decimal.unscaled, &cents, &err), err);
    assert_int_equal(cents, g->cents);
}

static group *group_of(const cells *c) {
    corm_str name = corm_row_text(c->row, at(c, "name"));
    int      number = name.len == 5 ? name.data[4] - '0' : 0;
    return &groups[corm_row_int(c->row, at(c, "key")) * NAMES + number];
}

static corm_pipeline *everything(const corm_pipeline_options *options, bool ordered) {
    corm_pipeline *p = corm_pipeline_new(session, "samples", options);
    corm_pipeline_group_by(p, "key, name");
    corm_pipeline_count(p, "n");
    corm_pipeline_accumulate(p, "count(i)", "n_i");
    corm_pipeline_sum(p, "i", "sum_i");
    corm_pipeline_avg(p, "i", "avg_i");
    corm_pipeline_min(p, "i", "min_i");
    corm_pipeline_max(p, "i", "max_i");
    corm_pipeline_sum(p, "d", "sum_d");
    corm_pipeline_avg(p, "d", "avg_d");
    corm_pipeline_min(p, "d", "min_d");
    corm_pipeline_max(p, "d", "max_d");
    corm_pipeline_variance(p, "d", "var_d");
    corm_pipeline_variance_pop(p, "d", "varp_d");
    corm_pipeline_stddev(p, "d", "sd_d");
    corm_pipeline_stddev_pop(p, "d", "sdp_d");
    corm_pipeline_median(p, "d", "median_d");
    corm_pipeline_percentile(p, "d", 0.9, "p90_d");
    corm_pipeline_covariance(p, "i", "d", "covar");
    corm_pipeline_correlation(p, "i", "d", "corr");
    corm_pipeline_count_distinct(p, "t", "different");
    corm_pipeline_approx_count_distinct(p, "t", "about");
    corm_pipeline_add_to_set(p, "t", "texts");
    corm_pipeline_mode(p, "t", "mode_t");
    corm_pipeline_sum(p, "money", "money");
    /* push reads in order, by one thread; a collection of another kind stands in its place. */
    corm_pipeline_accumulate(p, ordered ? "push(t)" : "top(number, 1)", "all_t");
    return p;
}

static void all_groups_are_right(corm_pipeline *p, bool ordered) {
    cells      c;
    corm_error err = { 0 };
    uint32_t   seen = 0, expected = 0;
    assert_ok(corm_pipeline_execute(p, &c.result, &err), err);
    for (uint32_t i = 0; i < GROUPS; i++) expected += groups[i].rows > 0;
    while ((c.row = corm_result_next(c.result)) != NULL) {
        group *g = group_of(&c);
        seen++;
        whole_columns(&c, g);
        real_columns(&c, g);
        pair_columns(&c, g);
        if (ordered) text_columns(&c, g);
    }
    assert_int_equal(seen, expected);
    corm_result_free(c.result);
}

static void accumulators_are_right_in_memory(void **state) {
    (void)state;
    corm_pipeline *p = everything(NULL, true);
    all_groups_are_right(p, true);
    assert_int_equal(corm_pipeline_last_stats(p).spilled_bytes, 0);
    corm_pipeline_free(p);
}

static void threads_bring_the_same_together(void **state) {
    (void)state;
    corm_pipeline_options options = { .threads = 4, .page_size = 100 };
    corm_pipeline        *p = everything(&options, false);
    all_groups_are_right(p, false);
    assert_int_equal(corm_pipeline_last_stats(p).threads, 4);
    assert_int_equal(corm_pipeline_last_stats(p).rows_read, ROWS);
    corm_pipeline_free(p);
}

static void little_memory_gives_the_same_answers(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        corm_pipeline_options options = { .threads = threads,
                                          .memory_limit = 128 << 10,
                                          .page_size = 100 };
        corm_pipeline        *p = everything(&options, threads == 1);
        all_groups_are_right(p, threads == 1);
        corm_pipeline_stats stats = corm_pipeline_last_stats(p);
        assert_true(stats.spilled_bytes > 0);
        assert_true(stats.peak_bytes < 4 * (128 << 10));
        corm_pipeline_free(p);
    }
}

static void a_group_that_does_not_fit_is_said(void **state) {
    (void)state;
    corm_pipeline_options options = { .threads = 1, .memory_limit = 64 << 10 };
    corm_pipeline        *p = corm_pipeline_new(session, "samples", &options);
    corm_result          *result;
    corm_error            err = { 0 };
    corm_pipeline_add(p, "concat(t, number, ' and more text that takes room in memory') AS long");
    corm_pipeline_add_to_set(p, "long", "all");
    assert_status(corm_pipeline_execute(p, &result, &err), CORM_INVALID);
    assert_non_null(strstr(err.message, "one group needs more"));
    corm_pipeline_free(p);
}

/* ---- sorts ---- */

static void sorts_are_right(uint64_t limit, size_t memory, uint32_t threads) {
    corm_pipeline_options options = { .threads = threads,
                                      .memory_limit = memory,
                                      .page_size = 100 };
    corm_pipeline        *p = corm_pipeline_new(session, "samples", &options);
    corm_result          *result;
    corm_error            err = { 0 };
    const corm_row       *row;
    bool                  first = true;
    double                last = 0;
    uint32_t              count = 0;
    corm_pipeline_project(p, "d, t, number, money, name");
    corm_pipeline_sort(p, "d", true);
    corm_pipeline_sort(p, "number", false);
    if (limit > 0) corm_pipeline_limit(p, limit);
    assert_ok(corm_pipeline_execute(p, &result, &err), err);
    for (; (row = corm_result_next(result)) != NULL; count++) {
        const sample *s = &samples[corm_row_int(row, 2)];
        assert_int_equal(corm_row_is_null(row, 0), !s->has_d);
        if (!s->has_d) continue;
        double d = corm_row_double(row, 0);
        assert_true(d == s->d && (first || d <= last));
        last = d;
        first = false;
    }
    assert_int_equal(count, limit > 0 ? limit : ROWS);
    if (memory > 0 && limit == 0) assert_true(corm_pipeline_last_stats(p).spilled_bytes > 0);
    if (memory > 0) assert_true(corm_pipeline_last_stats(p).peak_bytes < 4 * memory);
    corm_result_free(result);
    corm_pipeline_free(p);
}

static void sorts_give_the_same_order_with_little_memory(void **state) {
    (void)state;
    sorts_are_right(0, 0, 1);
    sorts_are_right(0, 0, 4);
    sorts_are_right(0, 64 << 10, 1);
    sorts_are_right(0, 96 << 10, 3);
    sorts_are_right(10, 0, 2);
    sorts_are_right(700, 64 << 10, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(accumulators_are_right_in_memory),
    cmocka_unit_test(threads_bring_the_same_together),
    cmocka_unit_test(little_memory_gives_the_same_answers),
    cmocka_unit_test(a_group_that_does_not_fit_is_said),
    cmocka_unit_test(sorts_give_the_same_order_with_little_memory),
};

int main(void) {
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
