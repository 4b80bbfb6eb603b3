// SPDX-License-Identifier: MIT
#include "testing/check_cases.h"
#include "testing/memory.h"

static const char *const tables[] = {
    "CREATE TYPE ut (a int, b text)",
    "CREATE TABLE t (k int PRIMARY KEY, v int, w text, l list<int>, s set<int>, m map<text, int>, fl frozen<list<int>>, "
    "fs frozen<set<int>>, u ut, fu frozen<ut>, tu tuple<int, text>, ve vector<float, 2>, x blob, n text)",
    NULL,
};

enum { MOST_VALUES = 4, COLUMNS = 16 };

/* One selector, evaluated on a row and bind values. */
typedef struct evaluation {
    check_world  w;
    cql_value    columns[COLUMNS];
    cql_value    markers[MOST_VALUES];
    uint32_t     marker_count;
    cql_row_view row;
    cql_eval_env env;
} evaluation;

static void open_all(evaluation *e) {
    *e = (evaluation){ 0 };
    world_open(&e->w, tables);
    for (int i = 0; i < COLUMNS; i++) e->columns[i] = CQL_NULL;
    e->row = (cql_row_view){ .columns = e->columns };
    e->env.row = &e->row;
    e->env.markers = e->markers;
    e->env.context.arena = &e->w.arena;
}

static void set_column(evaluation *e, const char *name, const char *literal) {
    const cql_table  *table = cql__schema_table(e->w.schema, corm_str_of("ks"), corm_str_of("t"));
    const cql_column *column = cql__table_column(table, corm_str_of(name));
    e->columns[column->index] = world_value(&e->w, column->type, literal);
}

/* Whichever allocation fails, the evaluation says so or ends as it does with memory, and leaves nothing behind. */
static void evaluate_without_memory(evaluation *e, const cql_node *node, corm_status whole,
                                    cql_value expected) {
    bool failed = testing__memory_can_fail();
    for (size_t n = 0; failed; n++) {
        base_arena   arena = { 0 };
        corm_error   err = { 0 };
        cql_value    out = CQL_NULL;
        cql_eval_env env = e->env;
        long         live = testing__memory_live();
        env.context.arena = &arena;
        testing__memory_fail_from(n);
        corm_status status = cql__eval(node, &env, &out, &err);
        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        bool as_ever = status == whole && (whole != CORM_OK || out.len == expected.len);
        if (failed && status != CORM_NO_MEMORY && !as_ever)
            fail_msg("allocation %zu: %s", n, err.message);
        base__arena_free(&arena);
        assert_int_equal(testing__memory_live(), live);
    }
}

static corm_status evaluate(evaluation *e, const char *selector, const char *const *values,
                            cql_value *out, const cql_type **type) {
    char text[512];
    snprintf(text, sizeof text, "SELECT %s FROM t", selector);
    const cql_checked *checked = world_good(&e->w, text);
    for (uint32_t i = 0; values && values[i]; i++) {
        e->markers[i] = world_value(&e->w, checked->markers[i].type, values[i]);
    }
    e->env.marker_count = checked->marker_count;
    *type = checked->select->selectors[0]->type;
    corm_status status = cql__eval(checked->select->selectors[0], &e->env, out, &e->w.error);
    evaluate_without_memory(e, checked->select->selectors[0], status, *out);
    return status;
}

static void gives(evaluation *e, const char *selector, const char *const *values,
                  const char *expected) {
    cql_value       out = CQL_NULL;
    const cql_type *type = NULL;
    assert_ok(evaluate(e, selector, values, &out, &type), e->w.error);
    if (strcmp(world_text(&e->w, type, out), expected) != 0) {
        fail_msg("%s gives %s instead of %s", selector, world_text(&e->w, type, out), expected);
    }
}

static void fails(evaluation *e, const char *selector, const char *const *values,
                  const char *message) {
    cql_value       out = CQL_NULL;
    const cql_type *type = NULL;
    assert_status(evaluate(e, selector, values, &out, &type), CORM_INVALID);
    assert_string_equal(e->w.error.message, message);
}

#define VALUES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void columns_markers_and_calls_are_evaluated(void **state) {
    (void)state;
    evaluation e;
    open_all(&e);
    set_column(&e, "v", "20");
    set_column(&e, "w", "'ab'");

    gives(&e, "v", NULL, "20");
    gives(&e, "w", NULL, "'ab'");
    gives(&e, "n", NULL, "null");
    gives(&e, "v * 2 + (int) ?", VALUES("2"), "42");
    gives(&e, "-v", NULL, "-20");
    gives(&e, "(int) ?", VALUES("unset"), "unset");
    gives(&e, "(int) ?", VALUES("null"), "null");
    gives(&e, "n + 'x'", NULL, "null");
    gives(&e, "CAST(v AS text)", NULL, "'20'");
    fails(&e, "v + (int) ?", VALUES("unset"),
          "Invalid unset value for argument in call to function _add");

    world_close(&e.w);
}

static void values_are_made_of_several(void **state) {
    (void)state;
    evaluation e;
    open_all(&e);
    set_column(&e, "v", "5");
    set_column(&e, "w", "'b'");

    gives(&e, "[v, 3, v]", NULL, "[5, 3, 5]");
    gives(&e, "(set<int>) {v, 3, v, 4}", NULL, "{3, 4, 5}");
    gives(&e, "(map<text, int>) {w: v, 'a': 1, 'b': 2}", NULL, "{'a': 1, 'b': 2}");
    gives(&e, "(tuple<int, text>) (v, ?)", VALUES("null"), "(5, null)");
    gives(&e, "(ut) {b: w}", NULL, "{a: null, b: 'b'}");
    gives(&e, "(vector<float, 2>) [1, ?]", VALUES("2.5"), "[1.0, 2.5]");
    gives(&e, "(list<int>) []", NULL, "[]");
    gives(&e, "(map<int, int>) {}", NULL, "{}");
    gives(&e, "[v, ?]", VALUES("null"), "[5, null]");
    fails(&e, "(set<int>) {v, ?}", VALUES("null"), "null is not supported inside collections");
    fails(&e, "(set<int>) {v, ?}", VALUES("unset"),
          "unset value is not supported inside collections");
    fails(&e, "(vector<float, 2>) [1, ?]", VALUES("null"), "null is not supported inside vectors");
    fails(&e, "(tuple<int, text>) (v, ?)", VALUES("unset"),
          "Invalid unset value for tuple field number 1");
    fails(&e, "(ut) {b: ?}", VALUES("unset"),
          "Invalid unset value for field 'b' of user defined type ut");

    world_close(&e.w);
}

static void parts_are_taken_from_values(void **state) {
    (void)state;
    evaluation e;
    open_all(&e);
    set_column(&e, "m", "{'a': 1, 'b': 2, 'd': 4}");
    set_column(&e, "s", "{1, 3, 5}");
    set_column(&e, "fs", "{1, 3, 5}");
    set_column(&e, "u", "{a: 7, b: 'x'}");

    gives(&e, "m['b']", NULL, "2");
    gives(&e, "m['c']", NULL, "null");
    gives(&e, "s[3]", NULL, "3");
    gives(&e, "s[9]", NULL, "null");
    gives(&e, "m[?]", VALUES("'d'"), "4");
    gives(&e, "m['b'..'d']", NULL, "{'b': 2, 'd': 4}");
    gives(&e, "m[..'b']", NULL, "{'a': 1, 'b': 2}");
    gives(&e, "m['x'..]", NULL, "null");
    gives(&e, "fs[7..]", NULL, "{}");
    gives(&e, "s[2..4]", NULL, "{3}");
    gives(&e, "s[?..?]", VALUES("unset", "unset"), "{1, 3, 5}");
    gives(&e, "u.b", NULL, "'x'");
    gives(&e, "fu.a", NULL, "null");
    set_column(&e, "m", "null");
    gives(&e, "m['b']", NULL, "null");
    gives(&e, "m['b'..]", NULL, "null");
    fails(&e, "m[?]", VALUES("null"), "Invalid null value for element selection on m");
    fails(&e, "m[?]", VALUES("unset"), "Invalid unset value for element selection on m");
    fails(&e, "m[?..]", VALUES("null"), "Invalid null value for slice selection on m");

    world_close(&e.w);
}

static void bound_sets_and_maps_come_sorted(void **state) {
    (void)state;
    evaluation e;
    open_all(&e);

    const cql_type *set_type =
        world_good(&e.w, "INSERT INTO t (k, s) VALUES (1, ?)")->markers[0].type;
    static const uint8_t raw[] = { 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0,
                                   0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 5 };
    cql_value            out;
    e.markers[0] = (cql_value){ raw, sizeof raw };
    e.env.marker_count = 1;
    assert_ok(cql__eval(e.w.checked->modify->assigns[0].value, &e.env, &out, &e.w.error),
              e.w.error);
    assert_string_equal(world_text(&e.w, set_type, out), "{1, 5}");
    gives(&e, "(tuple<int, frozen<set<int>>>) ?", VALUES("(1, {3, 2})"), "(1, {2, 3})");
    gives(&e, "(list<frozen<map<int, int>>>) ?", VALUES("[{2: 1, 1: 2}]"), "[{1: 2, 2: 1}]");
    gives(&e, "(set<int>) ?", VALUES("{1, 2}"), "{1, 2}");
    gives(&e, "(set<int>) ?", VALUES("null"), "null");

    world_close(&e.w);
}

/* ---- nodes that no selector makes ---- */

static cql_node constant_of(check_world *w, const cql_type *type, const char *literal) {
    return (cql_node){ .kind = CQL_NODE_CONSTANT,
                       .type = type,
                       .value = world_value(w, type, literal) };
}

static void lists_and_vectors_have_elements_by_position(void **state) {
    (void)state;
    evaluation e;
    open_all(&e);
    const cql_type *ints = cql__type_list(&e.w.arena, cql__type_native(CQL_INT), true);
    const cql_type *floats = cql__type_vector(&e.w.arena, cql__type_native(CQL_FLOAT), 2);
    cql_node        list = constant_of(&e.w, ints, "[7, 8, 9]");
    cql_node        vector = constant_of(&e.w, floats, "[1.5, 2.5]");
    cql_node        one = constant_of(&e.w, cql__type_native(CQL_INT), "1");
    cql_node        five = constant_of(&e.w, cql__type_native(CQL_INT), "5");
    cql_node        minus = constant_of(&e.w, cql__type_native(CQL_INT), "-1");
    const cql_node *args[] = { &list, &one, NULL };
    cql_node node = { .kind = CQL_NODE_ELEMENT, .type = ints->params[0], .count = 2, .args = args };
    cql_value out;

    assert_ok(cql__eval(&node, &e.env, &out, &e.w.error), e.w.error);
    assert_string_equal(world_text(&e.w, node.type, out), "8");
    args[1] = &five;
    assert_ok(cql__eval(&node, &e.env, &out, &e.w.error), e.w.error);
    assert_true(cql__is_null(out));
    args[1] = &minus;
    assert_status(cql__eval(&node, &e.env, &out, &e.w.error), CORM_INVALID);
    assert_string_equal(e.w.error.message, "Invalid negative list index -1");
    args[0] = &vector, args[1] = &one;
    assert_ok(cql__eval(&node, &e.env, &out, &e.w.error), e.w.error);
    assert_string_equal(world_text(&e.w, cql__type_native(CQL_FLOAT), out), "2.5");
    args[0] = &list;
    node = (cql_node){ .kind = CQL_NODE_SLICE, .type = ints, .count = 3, .args = args };
    assert_ok(cql__eval(&node, &e.env, &out, &e.w.error), e.w.error);
    assert_string_equal(world_text(&e.w, ints, out), "[8, 9]");
    args[1] = NULL, args[2] = &one;
    assert_ok(cql__eval(&node, &e.env, &out, &e.w.error), e.w.error);
    assert_string_equal(world_text(&e.w, ints, out), "[7, 8]");

    world_close(&e.w);
}

static corm_status metadata(void *context, const cql_node *node, cql_value *out, corm_error *err) {
    static const uint8_t time[8] = { 0, 0, 0, 0, 0, 0, 0, 9 };
    (void)err;
    *(const cql_node **)context = node;
    *out = (cql_value){ time, 8 };
    return CORM_OK;
}

static void metadata_comes_from_the_row(void **state) {
    (void)state;
    evaluation      e;
    const cql_node *asked = NULL;
    open_all(&e);

    gives(&e, "writetime(v)", NULL, "null");
    e.row.metadata = metadata;
    e.row.context = &asked;
    gives(&e, "writetime(v)", NULL, "9");
    assert_int_equal(asked->kind, CQL_NODE_WRITETIME);

    world_close(&e.w);
}

static void aggregates_come_from_the_caller(void **state) {
    (void)state;
    evaluation e;
    cql_value  results[2];
    open_all(&e);
    results[0] = world_value(&e.w, cql__type_native(CQL_BIGINT), "5");
    results[1] = world_value(&e.w, cql__type_native(CQL_BIGINT), "7");
    e.env.aggregates = results;

    gives(&e, "count(*) + count(v)", NULL, "12");

    world_close(&e.w);
}

static void a_column_needs_a_row(void **state) {
    (void)state;
    evaluation e;
    open_all(&e);
    e.env.row = NULL;

    fails(&e, "v", NULL, "a column has no value here");
    gives(&e, "ttl(v)", NULL, "null");

    world_close(&e.w);
}

/* ---- bind values and limits ---- */

static void bind_values_are_counted_and_validated(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);
    const cql_checked *checked =
        world_good(&w, "SELECT * FROM t WHERE k = ? AND v = ? ALLOW FILTERING");
    cql_value values[3] = { world_value(&w, cql__type_native(CQL_INT), "1"), CQL_UNSET, CQL_NULL };

    assert_ok(cql__check_values(checked, values, 2, &w.error), w.error);
    assert_status(cql__check_values(checked, values, 3, &w.error), CORM_INVALID);
    assert_string_equal(w.error.message, "there were 2 markers(?) in CQL but 3 bound variables");
    assert_status(cql__check_values(checked, NULL, 0, &w.error), CORM_INVALID);
    assert_string_equal(w.error.message, "Invalid amount of bind variables");
    values[0].len = 3;
    assert_status(cql__check_values(checked, values, 2, &w.error), CORM_INVALID);
    assert_string_equal(w.error.message, "Expected 4 or 0 byte int (3)");

    world_close(&w);
}

static void limits_are_positive(void **state) {
    (void)state;
    evaluation e;
    uint32_t   limit = 0;
    open_all(&e);
    const cql_type *type = cql__type_native(CQL_INT);
    cql_node        node = constant_of(&e.w, type, "5");

    assert_ok(cql__eval_limit(&node, &e.env, &limit, &e.w.error), e.w.error);
    assert_int_equal(limit, 5);
    assert_ok(cql__eval_limit(NULL, &e.env, &limit, &e.w.error), e.w.error);
    assert_true(limit == UINT32_MAX);
    node.value = CQL_UNSET;
    assert_ok(cql__eval_limit(&node, &e.env, &limit, &e.w.error), e.w.error);
    assert_true(limit == UINT32_MAX);
    node.value = CQL_NULL;
    assert_status(cql__eval_limit(&node, &e.env, &limit, &e.w.error), CORM_INVALID);
    assert_string_equal(e.w.error.message, "Invalid null value of limit");
    node = constant_of(&e.w, type, "0");
    assert_status(cql__eval_limit(&node, &e.env, &limit, &e.w.error), CORM_INVALID);
    assert_string_equal(e.w.error.message, "LIMIT must be strictly positive");
    node.value.len = 0;
    assert_status(cql__eval_limit(&node, &e.env, &limit, &e.w.error), CORM_INVALID);

    world_close(&e.w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(columns_markers_and_calls_are_evaluated),
    cmocka_unit_test(values_are_made_of_several),
    cmocka_unit_test(parts_are_taken_from_values),
    cmocka_unit_test(bound_sets_and_maps_come_sorted),
    cmocka_unit_test(lists_and_vectors_have_elements_by_position),
    cmocka_unit_test(metadata_comes_from_the_row),
    cmocka_unit_test(aggregates_come_from_the_caller),
    cmocka_unit_test(a_column_needs_a_row),
    cmocka_unit_test(bind_values_are_counted_and_validated),
    cmocka_unit_test(limits_are_positive),
};
RUN_TESTS()
