// SPDX-License-Identifier: MIT
#include "testing/check_cases.h"

static const char *const tables[] = {
    "CREATE TABLE t (k int, c int, d int, s int static, v int, \"Ww\" text, m map<text, int>, PRIMARY KEY (k, c, d)) "
    "WITH CLUSTERING ORDER BY (c DESC, d ASC)",
    NULL,
};

static const cql_checked_select *select_of(check_world *w, const char *text) {
    return world_good(w, text)->select;
}

static bool needs(const cql_checked_select *select, const char *name) {
    for (uint32_t i = 0; i < select->needed_count; i++) {
        if (corm_str_equal(select->needed[i]->name, corm_str_of(name))) return true;
    }
    return false;
}

static void only_the_columns_that_are_read_are_needed(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_checked_select *select =
        select_of(&w, "SELECT v + 1, v FROM t WHERE m['a'] = 1 ALLOW FILTERING");
    assert_int_equal(select->needed_count, 2);
    assert_true(needs(select, "v"));
    assert_true(needs(select, "m"));
    select = select_of(&w, "SELECT * FROM t");
    assert_int_equal(select->needed_count, 7);

    world_close(&w);
}

static void static_rows_are_told_apart(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    assert_true(select_of(&w, "SELECT k, s FROM t")->reads_static_only);
    assert_false(select_of(&w, "SELECT k, v FROM t")->reads_static_only);
    assert_true(select_of(&w, "SELECT * FROM t WHERE k = 1")->full_partitions);
    assert_true(select_of(&w, "SELECT * FROM t WHERE s = 1 ALLOW FILTERING")->full_partitions);
    assert_false(select_of(&w, "SELECT * FROM t WHERE k = 1 AND c = 1")->full_partitions);
    assert_false(select_of(&w, "SELECT * FROM t WHERE v = 1 ALLOW FILTERING")->full_partitions);

    world_close(&w);
}

static void json_gives_one_column_and_the_names_of_its_members(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_checked_select *select = select_of(&w, "SELECT JSON k, \"Ww\" FROM t");
    assert_int_equal(select->column_count, 1);
    assert_text(select->columns[0].name, "[json]");
    assert_int_equal(select->selector_count, 2);
    assert_text(select->json_names[0], "k");
    assert_text(select->json_names[1], "\"Ww\"");

    world_close(&w);
}

static void aggregates_are_counted_apart_from_selectors(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_checked_select *select = select_of(
        &w, "SELECT count(*), max(v), min(v) + sum(v), avg(v), max(c), k FROM t WHERE k = 1");
    assert_int_equal(select->aggregate_count, 6);
    assert_int_equal(select->selectors[0]->kind, CQL_NODE_AGGREGATE);
    assert_int_equal(select->selectors[2]->kind, CQL_NODE_CALL);
    assert_int_equal(select->aggregates[0].count, 0);
    assert_int_equal(select->aggregates[1].count, 1);
    assert_int_equal(select->warning_count, 0);

    world_close(&w);
}

static void aggregates_over_many_partitions_are_warned_of(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_checked_select *select = select_of(&w, "SELECT count(*) FROM t");
    assert_int_equal(select->warning_count, 1);
    assert_string_equal(select->warnings[0], "Aggregation query used without partition key");
    select = select_of(&w, "SELECT count(*) FROM t WHERE k IN (1, 2)");
    assert_string_equal(select->warnings[0],
                        "Aggregation query used on multiple partition keys (IN restriction)");
    assert_int_equal(select_of(&w, "SELECT * FROM t")->warning_count, 0);

    world_close(&w);
}

static void groups_and_limits_are_nodes(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_checked_select *select =
        select_of(&w, "SELECT max(v) FROM t GROUP BY k, c PER PARTITION LIMIT ? LIMIT 5");
    assert_int_equal(select->group_count, 2);
    assert_text(select->group_by[1]->column->name, "c");
    assert_int_equal(select->per_partition_limit->kind, CQL_NODE_MARKER);
    assert_int_equal(select->limit->kind, CQL_NODE_CONSTANT);

    world_close(&w);
}

static void the_order_is_read_forwards_or_backwards(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    assert_false(select_of(&w, "SELECT * FROM t WHERE k = 1 ORDER BY c DESC, d ASC")->reversed);
    assert_true(select_of(&w, "SELECT * FROM t WHERE k = 1 ORDER BY c ASC, d DESC")->reversed);
    const cql_checked_select *select =
        select_of(&w, "SELECT v FROM t WHERE k IN (1, 2) ORDER BY c ASC");
    assert_true(select->reversed);
    assert_int_equal(select->sort_count, 1);
    assert_false(select->sort[0].descending);
    assert_true(needs(select, "c"));
    assert_int_equal(select->column_count, 1);

    world_close(&w);
}

static void write_times_need_metadata(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_checked_select *select =
        select_of(&w, "SELECT writetime(v), ttl(m['a']), maxwritetime(m) FROM t");
    assert_true(select->needs_metadata);
    assert_int_equal(select->selectors[0]->kind, CQL_NODE_WRITETIME);
    assert_int_equal(select->selectors[1]->kind, CQL_NODE_TTL);
    assert_int_equal(select->selectors[1]->args[0]->kind, CQL_NODE_ELEMENT);
    assert_false(select_of(&w, "SELECT v FROM t")->needs_metadata);

    world_close(&w);
}

static void calls_of_constants_are_worked_out_once(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    const cql_node *node = select_of(&w, "SELECT (int) 2 * 21 FROM t")->selectors[0];
    assert_int_equal(node->kind, CQL_NODE_CONSTANT);
    assert_string_equal(world_text(&w, node->type, node->value), "42");
    assert_int_equal(select_of(&w, "SELECT now() FROM t")->selectors[0]->kind, CQL_NODE_CALL);
    /* What fails does so when it is executed. */
    assert_int_equal(select_of(&w, "SELECT (int) 1 / 0 FROM t")->selectors[0]->kind, CQL_NODE_CALL);

    world_close(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(only_the_columns_that_are_read_are_needed),
    cmocka_unit_test(static_rows_are_told_apart),
    cmocka_unit_test(json_gives_one_column_and_the_names_of_its_members),
    cmocka_unit_test(aggregates_are_counted_apart_from_selectors),
    cmocka_unit_test(aggregates_over_many_partitions_are_warned_of),
    cmocka_unit_test(groups_and_limits_are_nodes),
    cmocka_unit_test(the_order_is_read_forwards_or_backwards),
    cmocka_unit_test(write_times_need_metadata),
    cmocka_unit_test(calls_of_constants_are_worked_out_once),
};
RUN_TESTS()
