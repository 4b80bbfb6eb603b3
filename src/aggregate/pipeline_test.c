// SPDX-License-Identifier: MIT
/* Pipelines over a table of orders, through every door: stages, answers, what the store is asked for. */
#include <stdlib.h>

#include "corm/corm.h"
#include "testing/doors.h"

static corm_session *session;

static void run(const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

static void add_order(int32_t id, int32_t customer, const char *status, const char *amount,
                      int32_t items) {
    corm_error   err = { 0 };
    corm_decimal price;
    assert_ok(corm_decimal_parse(amount, &price, &err), err);
    assert_ok(corm_execute(
                  session,
                  "INSERT INTO orders (customer_id, id, status, amount, items, tags, "
                  "created_at) VALUES (?, ?, ?, ?, ?, {'a', 'b'}, ?)",
                  NULL,
                  { .values = { corm_v(customer), corm_v(id), corm_v(status), corm_v(price),
                                corm_v(items), corm_v((corm_timestamp){ id * INT64_C(86400000) }) },
                    .error = &err }),
              err);
}

static int set_up(void **state) {
    (void)state;
    session = testing__open("aggregates");
    run("CREATE TABLE orders (customer_id int, id int, status text, amount decimal, items int, "
        "tags set<text>, created_at timestamp, note text, PRIMARY KEY (customer_id, id))");
    run("CREATE INDEX orders_items ON orders (items)");
    run("CREATE TABLE nothing (id int PRIMARY KEY, v int, t text)");
    for (int32_t i = 0; i < 120; i++) {
        char amount[16];
        snprintf(amount, sizeof amount, "%d.%02d", i, i % 100);
        add_order(i, i % 7, i % 3 == 0 ? "open" : "completed", amount, i % 5);
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    corm_session_close(session);
    return 0;
}

static corm_pipeline *over(const char *table) {
    corm_pipeline *p = corm_pipeline_new(session, table, NULL);
    assert_non_null(p);
    return p;
}

/* The rows as text, a row in brackets; the pipeline is freed. */
static char *answer(corm_pipeline *p) {
    static char     text[8192];
    corm_result    *result;
    corm_error      err = { 0 };
    const corm_row *row;
    size_t          len = 0;
    text[0] = '\0';
    assert_ok(corm_pipeline_execute(p, &result, &err), err);
    while ((row = corm_result_next(result)) != NULL) {
        len += (size_t)snprintf(text + len, sizeof text - len, "[");
        for (uint32_t i = 0; i < corm_result_column_count(result); i++) {
            corm_str cell = corm_row_format(row, i);
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", i ? " " : "",
                                    (int)cell.len, cell.data);
        }
        len += (size_t)snprintf(text + len, sizeof text - len, "]");
        assert_true(len < sizeof text);
    }
    corm_result_free(result);
    corm_pipeline_free(p);
    return text;
}

static void refused(corm_pipeline *p, corm_status expected, const char *words) {
    corm_result *result;
    corm_error   err = { 0 };
    assert_status(corm_pipeline_execute(p, &result, &err), expected);
    if (!strstr(err.message, words)) fail_msg("\"%s\" does not say \"%s\"", err.message, words);
    corm_pipeline_free(p);
}

static char *explained(corm_pipeline *p) {
    char      *text;
    corm_error err = { 0 };
    assert_ok(corm_pipeline_explain(p, &text, &err), err);
    corm_pipeline_free(p);
    return text;
}

static void says(char *text, const char *words) {
    if (!strstr(text, words)) fail_msg("\"%s\" does not say \"%s\"", text, words);
}

/* ---- the specification's ---- */

static void the_pipeline_of_the_specification_gives_its_customers(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_where(p, "status", CORM_EQ, corm_v("completed"));
    corm_pipeline_group_by(p, "customer_id");
    corm_pipeline_count(p, "total_orders");
    corm_pipeline_sum(p, "amount", "total_spent");
    corm_pipeline_avg(p, "items", "avg_items");
    corm_pipeline_having(p, "total_orders", CORM_GT, corm_v(11));
    corm_pipeline_sort(p, "total_spent", true);
    corm_pipeline_limit(p, 2);
    assert_string_equal(answer(p), "[0 12 761.56 2.16667][4 12 725.20 2.08333]");
}

/* ---- stages ---- */

static void conditions_are_of_all_kinds(void **state) {
    (void)state;
    static const struct {
        const char *condition;
        const char *count;
    } cases[] = {
        { "id < 10", "[10]" },
        { "id BETWEEN 5 AND 9", "[5]" },
        { "id IN (1, 2, 3, 500)", "[3]" },
        { "NOT id IN (1, 2, 3)", "[117]" },
        { "status LIKE 'comp%'", "[80]" },
        { "status = 'open' OR id = 1", "[41]" },
        { "note IS NULL", "[120]" },
        { "note = 'x'", "[0]" },
        { "NOT (note = 'x')", "[0]" },
        { "tags CONTAINS 'a'", "[120]" },
        { "tags CONTAINS 'z'", "[0]" },
        { "amount > 118.5", "[1]" },
        { "amount * 2 >= 236.36", "[2]" },
        { "created_at >= '1970-04-01'", "[30]" },
        { "date_part('month', created_at) = 2", "[28]" },
        { "id % 2 = 0 AND id / 2 > 50", "[9]" },
        { "length(status) = 4", "[40]" },
        { "size(tags) = 2 and upper(status) = 'OPEN'", "[40]" },
        { "CASE WHEN id < 3 THEN true ELSE false END", "[3]" },
        { "coalesce(note, status) = 'open'", "[40]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        corm_pipeline *p = over("orders");
        corm_pipeline_match(p, cases[i].condition);
        corm_pipeline_count(p, "n");
        const char *got = answer(p);
        if (strcmp(got, cases[i].count) != 0)
            fail_msg("%s: %s instead of %s", cases[i].condition, got, cases[i].count);
    }
}

static void values_of_the_program_have_names(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_let(p, "least", corm_v(115));
    corm_pipeline_let(p, "wanted", corm_v(corm_list_of(corm_v(1), corm_v(116), corm_v(117))));
    corm_pipeline_match(p, "id >= :least and id in :wanted");
    corm_pipeline_project(p, "id, amount");
    corm_pipeline_sort(p, "id", false);
    assert_string_equal(answer(p), "[116 116.16][117 117.17]");
}

static void stages_follow_each_other_in_any_order(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_sort(p, "id", false);
    corm_pipeline_skip(p, 10);
    corm_pipeline_limit(p, 20);
    corm_pipeline_add(p, "id / 10 AS decade, status || '!' AS loud");
    corm_pipeline_group_by(p, "decade");
    corm_pipeline_group_by(p, "loud");
    corm_pipeline_count(p, "n");
    corm_pipeline_match(p, "n > 3");
    corm_pipeline_group_by(p, "decade");
    corm_pipeline_sum(p, "n", "n");
    corm_pipeline_project(p, "decade * 10 AS from_id, n");
    corm_pipeline_sort(p, "from_id", true);
    assert_string_equal(answer(p), "[20 7][10 7]");
}

static void sorts_have_several_keys_and_null_comes_first(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_match(p, "id < 6");
    corm_pipeline_project(p, "id, nullif(status, 'open') AS s");
    corm_pipeline_sort(p, "s", false);
    corm_pipeline_sort(p, "id", true);
    assert_string_equal(answer(p),
                        "[3 null][0 null][5 completed][4 completed][2 completed][1 completed]");
}

static void unwinding_gives_a_row_for_each_element(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_match(p, "id < 2");
    corm_pipeline_unwind(p, "tags", false);
    corm_pipeline_project(p, "id, tags");
    corm_pipeline_sort(p, "id, tags", false);
    assert_string_equal(answer(p), "[0 a][0 b][1 a][1 b]");
}

static void distinct_and_top(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_distinct(p, "status, items % 2 AS odd");
    corm_pipeline_count(p, "n");
    assert_string_equal(answer(p), "[4]");
    p = over("orders");
    corm_pipeline_project(p, "id");
    corm_pipeline_top(p, 3, "id", true);
    assert_string_equal(answer(p), "[119][118][117]");
}

static void histograms_have_buckets_of_one_width_or_of_one_height(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_histogram(p, "id", 50);
    assert_string_equal(answer(p), "[0 50][50 50][100 20]");
    p = over("orders");
    corm_pipeline_auto_histogram(p, "id", 3);
    assert_string_equal(answer(p), "[0 39 40][40 79 40][80 119 40]");
    p = over("orders");
    corm_pipeline_auto_histogram(p, "id % 2", 5);
    assert_string_equal(answer(p), "[0 0 60][1 1 60]");
}

static void every_accumulator_can_be_asked(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_match(p, "id < 5");
    corm_pipeline_min(p, "id", "a");
    corm_pipeline_max(p, "amount", "b");
    corm_pipeline_add_to_set(p, "status", "c");
    corm_pipeline_count_distinct(p, "status", "d");
    corm_pipeline_approx_count_distinct(p, "id", "e");
    corm_pipeline_stddev(p, "id", "f");
    corm_pipeline_stddev_pop(p, "id", "g");
    corm_pipeline_variance(p, "id", "h");
    corm_pipeline_variance_pop(p, "id", "i");
    corm_pipeline_median(p, "id", "j");
    corm_pipeline_mode(p, "status", "k");
    corm_pipeline_percentile(p, "id", 0.9, "l");
    corm_pipeline_correlation(p, "id", "0 - id", "m");
    corm_pipeline_covariance(p, "id", "id", "n");
    corm_pipeline_accumulate(p, "count(note)", "o");
    corm_pipeline_accumulate(p, "top(id, 2)", "p");
    corm_pipeline_accumulate(p, "bottom(id, 2)", "q");
    assert_string_equal(answer(p), "[0 4.04 {'completed', 'open'} 2 5 1.58114 1.41421 2.5 2 2 "
                                   "completed 3.6 -1 2.5 0 [4, 3] [0, 1]]");
}

static void what_depends_on_the_order_follows_a_sort(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_sort(p, "id", true);
    corm_pipeline_group_by(p, "items");
    corm_pipeline_first(p, "id", "first");
    corm_pipeline_last(p, "id", "last");
    corm_pipeline_limit(p, 100);
    corm_pipeline_sort(p, "items", false);
    assert_string_equal(answer(p), "[0 115 0][1 116 1][2 117 2][3 118 3][4 119 4]");
    p = over("orders");
    corm_pipeline_match(p, "id < 20");
    corm_pipeline_sort(p, "id", false);
    corm_pipeline_group_by(p, "items");
    corm_pipeline_push(p, "id", "ids");
    corm_pipeline_sort(p, "items", false);
    corm_pipeline_limit(p, 2);
    assert_string_equal(answer(p), "[0 [0, 5, 10, 15]][1 [1, 6, 11, 16]]");
}

static void no_rows_are_one_group_without_keys_and_none_with(void **state) {
    (void)state;
    corm_pipeline *p = over("nothing");
    corm_pipeline_count(p, "n");
    corm_pipeline_sum(p, "v", "s");
    corm_pipeline_avg(p, "v", "a");
    corm_pipeline_min(p, "t", "m");
    corm_pipeline_median(p, "v", "d");
    corm_pipeline_push(p, "t", "l");
    assert_string_equal(answer(p), "[0 null null null null []]");
    p = over("nothing");
    corm_pipeline_group_by(p, "t");
    corm_pipeline_count(p, "n");
    assert_string_equal(answer(p), "");
}

static void columns_have_names_and_types(void **state) {
    (void)state;
    corm_result   *result;
    corm_error     err = { 0 };
    corm_pipeline *p = over("orders");
    corm_pipeline_group_by(p, "date_trunc('month', created_at) AS month");
    corm_pipeline_sum(p, "items", "items");
    corm_pipeline_avg(p, "amount", "average");
    corm_pipeline_add_to_set(p, "status", "states");
    assert_ok(corm_pipeline_execute(p, &result, &err), err);
    assert_text(corm_result_column_name(result, 0), "month");
    assert_text(corm_result_column_type(result, 0), "timestamp");
    assert_text(corm_result_column_type(result, 1), "bigint");
    assert_text(corm_result_column_type(result, 2), "decimal");
    assert_text(corm_result_column_type(result, 3), "set<text>");
    assert_int_equal(corm_result_row_count(result), 4);
    corm_result_free(result);
    corm_pipeline_free(p);
}

/* ---- what the store is asked for ---- */

static void a_partition_is_aggregated_by_the_store(void **state) {
    (void)state;
    for (int here = 0; here < 2; here++) {
        corm_pipeline_options options = { .no_push_down = here == 1 };
        corm_pipeline        *p = corm_pipeline_new(session, "orders", &options);
        corm_pipeline_where(p, "customer_id", CORM_EQ, corm_v(3));
        corm_pipeline_between(p, "id", corm_v(10), corm_v(60));
        corm_pipeline_count(p, "n");
        corm_pipeline_sum(p, "items", "s");
        corm_pipeline_avg(p, "items", "a");
        corm_pipeline_sum(p, "amount", "total");
        corm_pipeline_avg(p, "amount", "mean");
        corm_pipeline_min(p, "status", "least");
        corm_pipeline_max(p, "created_at", "last");
        assert_string_equal(answer(p), "[8 16 2 278.76 34.845 completed 1970-03-01 "
                                       "00:00:00.000000+0000]");
    }
    corm_pipeline *p = over("orders");
    corm_pipeline_where(p, "customer_id", CORM_EQ, corm_v(3));
    corm_pipeline_sum(p, "items", "s");
    char *text = explained(p);
    says(text, "sum(CAST(items AS bigint))");
    says(text, "native      the store aggregates each partition");
    free(text);
}

static void groups_by_the_key_come_from_the_store(void **state) {
    (void)state;
    for (int here = 0; here < 2; here++) {
        corm_pipeline_options options = { .no_push_down = here == 1 };
        corm_pipeline        *p = corm_pipeline_new(session, "orders", &options);
        corm_pipeline_where(p, "customer_id", CORM_IN,
                            corm_v(corm_list_of(corm_v(1), corm_v(2), corm_v(77))));
        corm_pipeline_group_by(p, "customer_id AS who");
        corm_pipeline_count(p, "n");
        corm_pipeline_sum(p, "items", "s");
        corm_pipeline_accumulate(p, "count(note)", "notes");
        corm_pipeline_avg(p, "id", "a");
        corm_pipeline_sort(p, "who", false);
        assert_string_equal(answer(p), "[1 17 34 0 57][2 17 36 0 58]");
    }
}

static void explain_says_what_is_done_where_and_why(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_where(p, "status", CORM_EQ, corm_v("open"));
    corm_pipeline_group_by(p, "items");
    corm_pipeline_sum(p, "amount", "s");
    corm_pipeline_sort(p, "s", true);
    char *text = explained(p);
    says(text, "SELECT amount, items, status FROM aggregates.orders WHERE token(customer_id) > ?");
    says(text, "columns     3 of 8 are read");
    says(text, "where       status =: here, because it is on no key and no index");
    says(text, "sort        s: here, in memory up to the limit");
    free(text);
    corm_pipeline_options options = { .allow_filtering = true };
    p = corm_pipeline_new(session, "orders", &options);
    corm_pipeline_where(p, "status", CORM_EQ, corm_v("open"));
    corm_pipeline_count(p, "n");
    text = explained(p);
    says(text, "AND status = ? ALLOW FILTERING");
    says(text, "where       status =: by the store");
    free(text);
    p = corm_pipeline_new(session, "orders", &options);
    corm_pipeline_where(p, "status", CORM_EQ, corm_v("open"));
    corm_pipeline_count(p, "n");
    assert_string_equal(answer(p), "[40]");
}

static void an_index_is_used(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_where(p, "items", CORM_EQ, corm_v(2));
    corm_pipeline_where(p, "status", CORM_EQ, corm_v("open"));
    corm_pipeline_project(p, "id");
    char *text = explained(p);
    says(text, "WHERE items = ?");
    free(text);
    p = over("orders");
    corm_pipeline_where(p, "items", CORM_EQ, corm_v(2));
    corm_pipeline_where(p, "status", CORM_EQ, corm_v("open"));
    corm_pipeline_count(p, "n");
    assert_string_equal(answer(p), "[8]");
}

/* ---- mistakes ---- */

static void the_first_mistake_is_kept(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_match(p, "id = = 3");
    corm_pipeline_match(p, "nonsense(");
    refused(p, CORM_SYNTAX_ERROR, "at character 6");
    refused(over("no_such_table"), CORM_NOT_FOUND, "no_such_table");
    p = over("orders");
    corm_pipeline_match(p, "items > 1");
    corm_pipeline_sum(p, "itmes", "s");
    refused(p, CORM_INVALID, "did you mean 'items'?");
    p = over("orders");
    corm_pipeline_sum(p, "status", "s");
    refused(p, CORM_INVALID, "sum wants numbers");
    p = over("orders");
    corm_pipeline_match(p, "id + 1");
    refused(p, CORM_INVALID, "is no condition");
    p = over("orders");
    corm_pipeline_match(p, "id = :x");
    refused(p, CORM_INVALID_ARGUMENT, ":x");
    p = over("orders");
    corm_pipeline_match(p, "status > 3");
    refused(p, CORM_INVALID, "no type in common");
    p = over("orders");
    corm_pipeline_project(p, "id, status AS id");
    refused(p, CORM_INVALID, "two columns are called 'id'");
    p = over("orders");
    corm_pipeline_accumulate(p, "percentile(id, 2)", "x");
    refused(p, CORM_INVALID, "a part from 0 to 1");
    refused(NULL, CORM_NO_MEMORY, "memory");
}

static void an_overflow_is_an_error_and_varint_has_none(void **state) {
    (void)state;
    corm_pipeline *p = over("orders");
    corm_pipeline_sum(p, "id * 9223372036854775", "s");
    corm_pipeline_count(p, "n");
    corm_pipeline_add(p, "s + s AS twice");
    refused(p, CORM_INVALID, "s is beyond bigint");
    p = over("orders");
    corm_pipeline_accumulate(p, "sum(cast(id AS varint) * 9223372036854775807)", "s");
    assert_string_equal(answer(p), "[65854876343143099261980]");
}

static corm_status count_page(void *context, corm_result *page, corm_error *err) {
    uint32_t *counts = context;
    counts[0]++;
    counts[1] += corm_result_row_count(page);
    (void)err;
    return CORM_OK;
}

static void rows_come_in_pages_too(void **state) {
    (void)state;
    corm_error            err = { 0 };
    uint32_t              counts[2] = { 0, 0 };
    corm_pipeline_options options = { .page_size = 50 };
    corm_pipeline        *p = corm_pipeline_new(session, "orders", &options);
    corm_pipeline_sort(p, "id", false);
    assert_ok(corm_pipeline_each(p, count_page, counts, &err), err);
    assert_int_equal(counts[1], 120);
    assert_int_equal(corm_pipeline_last_stats(p).rows_given, 120);
    assert_int_equal(corm_pipeline_last_stats(p).rows_read, 120);
    corm_pipeline_free(p);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_pipeline_of_the_specification_gives_its_customers),
    cmocka_unit_test(conditions_are_of_all_kinds),
    cmocka_unit_test(values_of_the_program_have_names),
    cmocka_unit_test(stages_follow_each_other_in_any_order),
    cmocka_unit_test(sorts_have_several_keys_and_null_comes_first),
    cmocka_unit_test(unwinding_gives_a_row_for_each_element),
    cmocka_unit_test(distinct_and_top),
    cmocka_unit_test(histograms_have_buckets_of_one_width_or_of_one_height),
    cmocka_unit_test(every_accumulator_can_be_asked),
    cmocka_unit_test(what_depends_on_the_order_follows_a_sort),
    cmocka_unit_test(no_rows_are_one_group_without_keys_and_none_with),
    cmocka_unit_test(columns_have_names_and_types),
    cmocka_unit_test(a_partition_is_aggregated_by_the_store),
    cmocka_unit_test(groups_by_the_key_come_from_the_store),
    cmocka_unit_test(explain_says_what_is_done_where_and_why),
    cmocka_unit_test(an_index_is_used),
    cmocka_unit_test(the_first_mistake_is_kept),
    cmocka_unit_test(an_overflow_is_an_error_and_varint_has_none),
    cmocka_unit_test(rows_come_in_pages_too),
};

int main(void) {
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
