// SPDX-License-Identifier: MIT
/* Allocations that fail, one after the other, in pipelines and MapReduce: an error each time, and nothing is left behind. Everything runs on the
 * thread of the test, where allocations can be made to fail. */
#include "testing/memory.h"

#include <stdlib.h>

#include "base/fail.h"
#include "corm/corm.h"
#include "testing/check.h"

static corm_session *session;

static int set_up(void **state) {
    corm_error                 err = { 0 };
    const corm_session_options options = { .keyspace = "k",
                                           .create_keyspace = true,
                                           .relaxed_durability = true };
    (void)state;
    assert_ok(corm_session_open(&session, "corm::memory:", &options, &err), err);
    assert_ok(corm_execute(session,
                           "CREATE TABLE t (id int PRIMARY KEY, a int, b text, m decimal, tags "
                           "set<text>)",
                           NULL, { .error = &err }),
              err);
    for (int32_t i = 0; i < 40; i++)
        assert_ok(corm_execute(session,
                               "INSERT INTO t (id, a, b, m, tags) VALUES (?, ?, 'some text', ?, "
                               "{'x', 'y'})",
                               NULL,
                               { .values = { corm_v(i), corm_v(i % 4),
                                             corm_v(corm_decimal_of(i * 1001, i % 3)) },
                                 .error = &err }),
                  err);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    corm_session_close(session);
    return 0;
}

static const corm_pipeline_options one_thread = { .threads = 1, .ranges = 2 };

typedef corm_status trial(corm_error *err);

static void fail_each(trial *try_it) {
    corm_error err = { 0 };
    if (!testing__memory_can_fail()) skip();
    assert_ok(try_it(&err), err); /* what is made once and kept */
    assert_ok(try_it(&err), err);
    long live = testing__memory_live();
    for (size_t n = 0;; n++) {
        testing__memory_fail_from(n);
        corm_status status = try_it(&err);
        bool        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        if (status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
        if (!failed) break;
        assert_true(n < 20000);
    }
    assert_ok(try_it(&err), err);
    long more = testing__memory_live() - live; /* spares that the session keeps */
    if (more > 40) fail_msg("%ld allocations are left behind", more);
}

static corm_status run(corm_pipeline *p, corm_error *err) {
    corm_result *result = NULL;
    corm_status  status = corm_pipeline_execute(p, &result, err);
    corm_result_free(result);
    corm_pipeline_free(p);
    return status;
}

static corm_status groups(corm_error *err) {
    corm_pipeline *p = corm_pipeline_new(session, "t", &one_thread);
    corm_pipeline_let(p, "least", corm_v(1));
    corm_pipeline_where(p, "b", CORM_EQ, corm_v("some text"));
    corm_pipeline_match(p, "a + 1 > :least OR b IN ('x', 'y')");
    corm_pipeline_add(p,
                      "concat(b, a) AS c, cast(m AS double) AS d, CASE WHEN a > 2 THEN 1 END AS e");
    corm_pipeline_group_by(p, "a % 3 AS k");
    corm_pipeline_group_by(p, "upper(c) AS u");
    corm_pipeline_count(p, "n");
    corm_pipeline_sum(p, "m", "total");
    corm_pipeline_avg(p, "m", "mean");
    corm_pipeline_min(p, "b", "least");
    corm_pipeline_add_to_set(p, "b", "all");
    corm_pipeline_mode(p, "a", "mode");
    corm_pipeline_median(p, "d", "median");
    corm_pipeline_approx_count_distinct(p, "id", "about");
    corm_pipeline_approx_percentile(p, "d", 0.5, "p50");
    corm_pipeline_accumulate(p, "top(id, 3)", "top");
    corm_pipeline_having(p, "n", CORM_GTE, corm_v(1));
    corm_pipeline_sort(p, "k", false);
    corm_pipeline_sort(p, "u", true);
    corm_pipeline_limit(p, 3);
    return run(p, err);
}

static corm_status rows(corm_error *err) {
    corm_pipeline *p = corm_pipeline_new(session, "t", &one_thread);
    corm_pipeline_unwind(p, "tags", false);
    corm_pipeline_skip(p, 1);
    corm_pipeline_limit(p, 30);
    corm_pipeline_auto_histogram(p, "id", 4);
    return run(p, err);
}

static corm_status keys(corm_error *err) {
    corm_pipeline *p = corm_pipeline_new(session, "k.t", NULL);
    char          *text = NULL;
    corm_pipeline_where(p, "id", CORM_IN, corm_v(corm_list_of(corm_v(1), corm_v(2))));
    corm_pipeline_group_by(p, "id");
    corm_pipeline_sum(p, "a", "s");
    corm_pipeline_avg(p, "m", "m");
    corm_status status = corm_pipeline_explain(p, &text, err);
    free(text);
    if (status == CORM_OK) return run(p, err);
    corm_pipeline_free(p);
    return status;
}

static corm_status map(void *context, const corm_row *row, corm_emitter *out, corm_error *err) {
    (void)context;
    return corm_emit(out, corm_v(corm_row_int(row, 1)), corm_v(corm_row_int(row, 0)), err);
}

static corm_status add_up(void *context, const corm_value *key, const corm_value *values,
                          uint32_t count, corm_value *out, corm_error *err) {
    int32_t sum = 0;
    (void)context;
    (void)key;
    (void)err;
    for (uint32_t i = 0; i < count; i++) sum += values[i].as.i32;
    *out = corm_v(sum);
    return CORM_OK;
}

static corm_status map_reduce(corm_error *err) {
    corm_result          *result = NULL;
    const corm_map_reduce job = { .table = "t",
                                  .columns = "id, a",
                                  .key_type = "int",
                                  .value_type = "int",
                                  .map = map,
                                  .combine = add_up,
                                  .reduce = add_up,
                                  .options = one_thread };
    corm_status           status = corm_map_reduce_run(session, &job, &result, err);
    corm_result_free(result);
    return status;
}

static void groups_survive_it(void **state) {
    (void)state;
    fail_each(groups);
}

static void rows_survive_it(void **state) {
    (void)state;
    fail_each(rows);
}

static void plans_survive_it(void **state) {
    (void)state;
    fail_each(keys);
}

static void map_reduce_survives_it(void **state) {
    (void)state;
    fail_each(map_reduce);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(groups_survive_it),
    cmocka_unit_test(rows_survive_it),
    cmocka_unit_test(plans_survive_it),
    cmocka_unit_test(map_reduce_survives_it),
};

int main(void) {
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
