// SPDX-License-Identifier: MIT
#include "testing/check_cases.h"

static const char *const tables[] = {
    "CREATE TABLE t (a int, b text, c int, d int, e int, s int static, v int, m map<text, int>, PRIMARY KEY ((a, b), c, d, e))",
    "CREATE TABLE ix (k int, c int, v int, w text, m map<text, int>, PRIMARY KEY (k, c))",
    "CREATE INDEX ON ix (v)",
    "CREATE INDEX ON ix (c)",
    "CREATE INDEX ON ix (keys(m))",
    "CREATE INDEX ON ix (w) USING 'sai'",
    "CREATE TABLE sx (k int PRIMARY KEY, v int, x text)",
    "CREATE INDEX ON sx (v) USING 'sai'",
    "CREATE INDEX ON sx (x) USING 'sai' WITH OPTIONS = {'case_sensitive': 'false'}",
    NULL,
};

static const cql_where *where_of(check_world *w, const char *text) {
    return &world_good(w, text)->select->where;
}

static void the_whole_partition_key_is_restricted_column_by_column(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_where *where = where_of(&w, "SELECT * FROM t WHERE b IN ('x', ?) AND a = 1");
    assert_int_equal(where->partition_count, 2);
    assert_int_equal(where->partition[0].kind, CQL_RESTRICT_EQ);
    assert_int_equal(where->partition[1].kind, CQL_RESTRICT_IN);
    assert_int_equal(where->partition[1].first, 1);
    assert_int_equal(where->partition[1].value_count, 2);
    assert_int_equal(where->filter_count, 0);

    where = where_of(&w, "SELECT * FROM t WHERE a IN ? AND b = 'x'");
    assert_non_null(where->partition[0].in_list);
    assert_int_equal(where->partition[0].value_count, 0);

    world_close(&w);
}

static void a_part_of_the_partition_key_is_filtered(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_where *where =
        where_of(&w, "SELECT * FROM t WHERE a = 1 AND b > 'x' AND b <= 'y' ALLOW FILTERING");
    assert_int_equal(where->partition_count, 0);
    assert_int_equal(where->filter_count, 3);
    assert_int_equal(where->filters[0].op, CQL_OP_EQ);
    assert_int_equal(where->filters[1].op, CQL_OP_GT);
    assert_int_equal(where->filters[2].op, CQL_OP_LTE);

    world_close(&w);
}

static void a_prefix_of_the_clustering_key_gives_bounds_and_the_rest_filters(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_where *where = where_of(
        &w,
        "SELECT * FROM t WHERE a = 1 AND b = 'x' AND c = 1 AND d > 2 AND d <= 5 AND e = 3 ALLOW FILTERING");
    assert_int_equal(where->clustering_count, 2);
    assert_int_equal(where->clustering[1].kind, CQL_RESTRICT_SLICE);
    assert_int_equal(where->clustering[1].first, 1);
    assert_non_null(where->clustering[1].lower);
    assert_false(where->clustering[1].lower_inclusive);
    assert_true(where->clustering[1].upper_inclusive);
    assert_int_equal(where->filter_count, 1);
    assert_text(where->filters[0].column->name, "e");

    where = where_of(&w, "SELECT * FROM t WHERE a = 1 AND b = 'x' AND d = 1 ALLOW FILTERING");
    assert_int_equal(where->clustering_count, 0);
    assert_int_equal(where->filter_count, 1);

    world_close(&w);
}

static void several_columns_are_restricted_together(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_where *where =
        where_of(&w, "SELECT * FROM t WHERE a = 1 AND b = 'x' AND (c, d) > (1, 2) AND (c) <= ?");
    assert_int_equal(where->clustering_count, 1);
    assert_true(where->clustering[0].is_tuple);
    assert_int_equal(where->clustering[0].count, 2);
    assert_int_equal(where->clustering[0].lower->count, 2);
    assert_true(where->clustering[0].upper->packed);

    where = where_of(&w, "SELECT * FROM t WHERE a = 1 AND b = 'x' AND c = 1 AND (d, e) IN (?, ?)");
    assert_int_equal(where->clustering_count, 2);
    assert_int_equal(where->clustering[1].value_count, 2);
    assert_true(where->clustering[1].values[1].packed);

    where = where_of(&w, "SELECT * FROM t WHERE a = 1 AND b = 'x' AND (d, e) = ? ALLOW FILTERING");
    assert_int_equal(where->filter_count, 2);
    assert_int_equal(where->filters[1].terms[0]->kind, CQL_NODE_FIELD);
    assert_int_equal(where->filters[1].terms[0]->index, 1);

    world_close(&w);
}

static void tokens_give_a_range(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_where *where =
        where_of(&w, "SELECT * FROM t WHERE token(a, b) > 1 AND token(a, b) <= ?");
    assert_true(where->token.present);
    assert_false(where->token.lower_inclusive);
    assert_true(where->token.upper_inclusive);
    assert_int_equal(where->partition_count, 0);

    where = where_of(&w, "SELECT * FROM t WHERE token(a, b) = 1 AND a = 1 AND b = 'x'");
    assert_true(where->token.lower == where->token.upper);
    assert_int_equal(where->partition_count, 2);

    world_close(&w);
}

static void an_index_answers_filters(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_where *where = where_of(&w, "SELECT * FROM ix WHERE v = 1");
    assert_text(where->lookups[0].index->column->name, "v");
    assert_true(where->lookups[0].filter == &where->filters[0]);

    where = where_of(&w, "SELECT * FROM ix WHERE c = 1");
    assert_text(where->lookups[0].index->column->name, "c");
    assert_int_equal(where->clustering_count, 1);
    assert_int_equal(where->filter_count, 1);

    where =
        where_of(&w, "SELECT * FROM ix WHERE m CONTAINS KEY 'a' AND m CONTAINS 1 ALLOW FILTERING");
    assert_int_equal(where->filter_count, 2);
    assert_int_equal(where->lookups[0].filter->op, CQL_OP_CONTAINS_KEY);

    assert_int_equal(where->lookup_count, 1);

    where = where_of(&w, "SELECT * FROM ix WHERE k = 1 AND v IN (1, 2) ALLOW FILTERING");
    assert_int_equal(where->lookup_count, 0);
    assert_int_equal(where->filters[0].term_count, 2);

    where = where_of(&w, "SELECT * FROM ix WHERE v IN ? ALLOW FILTERING");
    assert_non_null(where->filters[0].in_list);

    world_close(&w);
}

static void every_filter_with_an_index_is_looked_up(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_where *where = where_of(&w, "SELECT * FROM sx WHERE v > 1 AND v <= 5 AND x = 'a'");
    assert_int_equal(where->lookup_count, 2);
    assert_int_equal(where->lookups[0].filter->op, CQL_OP_GT);
    assert_int_equal(where->lookups[0].also->op, CQL_OP_LTE);
    assert_non_null(where->lookups[1].filter->index);

    /* As an older store has it: its entries are other ones, so the rows are filtered, as the index compares. */
    const cql_table *table = cql__schema_table(w.schema, corm_str_of("ks"), corm_str_of("sx"));
    for (uint32_t i = 0; i < table->index_count; i++) table->indexes[i].by_terms = false;
    where = where_of(&w, "SELECT * FROM sx WHERE v > 1 AND x = 'a'");
    assert_int_equal(where->lookup_count, 1);
    assert_non_null(where->filters[1].index);

    world_close(&w);
}

static void map_entries_and_like_are_filters(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_where *where =
        where_of(&w, "SELECT * FROM ix WHERE m['a'] = 1 AND w LIKE 'x%' ALLOW FILTERING");
    assert_int_equal(where->filter_count, 2);
    assert_non_null(where->filters[0].element);
    assert_int_equal(where->filters[1].op, CQL_OP_LIKE);

    world_close(&w);
}

static void views_of_the_server_are_filtered_without_being_asked(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);
    assert_ok(cql__schema_add_virtual(
                  w.schema,
                  "CREATE TABLE system_views.settings (name text PRIMARY KEY, value text)",
                  &w.error),
              w.error);

    world_good(&w, "SELECT * FROM system_views.settings WHERE value = 'x'");
    world_good(&w, "INSERT INTO system_views.settings (name, value) VALUES ('a', 'b') USING TTL 4");
    assert_status(cql__check_values(w.checked, NULL, 0, &w.error), CORM_INVALID);
    assert_string_equal(w.error.message, "Expiring columns are not supported by virtual tables");

    world_close(&w);
}

/* ---- modifications ---- */

static void a_modification_says_what_it_touches(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_checked_modify *m =
        world_good(&w, "INSERT INTO t (a, b, s) VALUES (1, 'x', 2)")->modify;
    assert_true(m->static_only);
    m = world_good(&w, "INSERT INTO t (a, b, c, d, e, s) VALUES (1, 'x', 2, 3, 4, 5)")->modify;
    assert_false(m->static_only);
    assert_int_equal(m->where.clustering_count, 3);
    m = world_good(&w, "DELETE FROM t WHERE a = 1 AND b = 'x' AND c = 1")->modify;
    assert_true(m->deletes_rows);
    assert_int_equal(m->where.clustering_count, 1);
    m = world_good(&w, "INSERT INTO t JSON ? DEFAULT UNSET")->modify;
    assert_int_equal(m->json->kind, CQL_NODE_MARKER);
    assert_true(m->json_default_unset);
    assert_false(m->static_only);
    m = world_good(
            &w,
            "UPDATE t SET m['a'] = 1, v = 2 WHERE a = 1 AND b = 'x' AND c = 1 AND d = 2 AND e = 3 IF v > 1 AND m['b'] IN (1, 2)")
            ->modify;
    assert_true(m->is_conditional);
    assert_int_equal(m->assign_count, 2);
    assert_int_equal(m->assigns[0].kind, CQL_ASSIGN_SET_ELEMENT);
    assert_int_equal(m->condition_count, 2);
    assert_int_equal(m->conditions[1].term_count, 2);
    assert_non_null(m->conditions[1].element);
    assert_int_equal(m->conditions[1].field, -1);

    world_close(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_whole_partition_key_is_restricted_column_by_column),
    cmocka_unit_test(a_part_of_the_partition_key_is_filtered),
    cmocka_unit_test(a_prefix_of_the_clustering_key_gives_bounds_and_the_rest_filters),
    cmocka_unit_test(several_columns_are_restricted_together),
    cmocka_unit_test(tokens_give_a_range),
    cmocka_unit_test(an_index_answers_filters),
    cmocka_unit_test(every_filter_with_an_index_is_looked_up),
    cmocka_unit_test(map_entries_and_like_are_filters),
    cmocka_unit_test(views_of_the_server_are_filtered_without_being_asked),
    cmocka_unit_test(a_modification_says_what_it_touches),
};
RUN_TESTS()
