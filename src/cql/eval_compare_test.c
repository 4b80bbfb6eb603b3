// SPDX-License-Identifier: MIT
#include "testing/check_cases.h"

static const char *const tables[] = {
    "CREATE TABLE t (k int PRIMARY KEY, v int, w text, l list<int>, s set<int>, m map<text, int>, fm frozen<map<text, int>>)",
    "CREATE INDEX ON t (w)",
    NULL,
};

/* ---- value op term ---- */

typedef struct compare_case {
    const char  *type, *value, *term;
    cql_operator op;
    bool         holds;
} compare_case;

static const compare_case compare_cases[] = {
    { "int", "1", "1", CQL_OP_EQ, true },
    { "int", "1", "1", CQL_OP_NEQ, false },
    { "int", "-1", "1", CQL_OP_LT, true },
    { "int", "1", "1", CQL_OP_LTE, true },
    { "int", "2", "1", CQL_OP_GT, true },
    { "int", "0", "1", CQL_OP_GTE, false },
    { "int", "null", "null", CQL_OP_EQ, true },
    { "int", "null", "null", CQL_OP_NEQ, false },
    { "int", "1", "null", CQL_OP_EQ, false },
    { "int", "1", "null", CQL_OP_NEQ, true },
    { "int", "null", "1", CQL_OP_EQ, false },
    { "int", "null", "1", CQL_OP_NEQ, true },
    { "int", "null", "1", CQL_OP_LT, false },
    { "decimal", "1.0", "1.00", CQL_OP_EQ, true },
    { "text", "'abc'", "'a%'", CQL_OP_LIKE, true },
    { "text", "'abc'", "'b%'", CQL_OP_LIKE, false },
    { "list<int>", "[1, 2]", "[1, 3]", CQL_OP_LT, true },
    { "list<int>", "[1, 2]", "[1, 2]", CQL_OP_EQ, true },
    { "list<int>", "null", "[]", CQL_OP_EQ, true },
    { "list<int>", "[1]", "[]", CQL_OP_NEQ, true },
    { "list<int>", "null", "[]", CQL_OP_NEQ, false },
    { "frozen<list<int>>", "[]", "[]", CQL_OP_EQ, true },
    { "frozen<list<int>>", "null", "[]", CQL_OP_EQ, false },
    { "set<int>", "{1, 2}", "{1}", CQL_OP_GT, true },
};

static corm_status compare(check_world *w, const compare_case *c, bool *holds) {
    const cql_type *type = NULL;
    assert_ok(cql__type_parse(&w->arena, corm_str_of(c->type), NULL, &type, &w->error), w->error);
    return cql__compare_op(type, world_value(w, type, c->value), c->op,
                           world_value(w, type, c->term), holds, &w->error);
}

static void values_are_compared_as_in_conditions(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);
    for (size_t i = 0; i < sizeof compare_cases / sizeof *compare_cases; i++) {
        const compare_case *c = &compare_cases[i];
        bool                holds = !c->holds;
        assert_ok(compare(&w, c, &holds), w.error);
        if (holds != c->holds) fail_msg("%s %s: case %zu", c->value, c->term, i);
    }
    world_close(&w);
}

static void null_is_not_ordered(void **state) {
    (void)state;
    check_world w;
    bool        holds = false;
    world_open(&w, tables);

    assert_status(compare(&w, &(compare_case){ "int", "1", "null", CQL_OP_GT, false }, &holds),
                  CORM_INVALID);
    assert_string_equal(w.error.message, "Invalid comparison with null for operator \">\"");
    assert_status(
        compare(&w, &(compare_case){ "set<int>", "{1}", "{}", CQL_OP_LTE, false }, &holds),
        CORM_INVALID);
    assert_string_equal(w.error.message,
                        "Invalid comparison with an empty set for operator \"<=\"");
    assert_status(
        compare(&w, &(compare_case){ "map<int, int>", "{1: 1}", "{}", CQL_OP_LT, false }, &holds),
        CORM_INVALID);
    assert_status(
        compare(&w, &(compare_case){ "list<int>", "[1]", "[]", CQL_OP_LT, false }, &holds),
        CORM_INVALID);
    assert_status(compare(&w, &(compare_case){ "int", "1", "unset", CQL_OP_EQ, false }, &holds),
                  CORM_INVALID);
    assert_string_equal(w.error.message, "Invalid 'unset' value in condition");

    world_close(&w);
}

static void collections_contain_and_lists_hold(void **state) {
    (void)state;
    check_world w;
    bool        holds = false;
    world_open(&w, tables);
    const cql_type *text = cql__type_native(CQL_TEXT), *number = cql__type_native(CQL_INT);
    const cql_type *map = cql__type_map(&w.arena, text, number, true);
    const cql_type *list = cql__type_list(&w.arena, number, true);
    cql_value       whole = world_value(&w, map, "{'a': 1, 'b': 2}");

    assert_ok(cql__compare_op(map, whole, CQL_OP_CONTAINS, world_value(&w, number, "2"), &holds,
                              &w.error),
              w.error);
    assert_true(holds);
    assert_ok(cql__compare_op(map, whole, CQL_OP_CONTAINS, world_value(&w, number, "3"), &holds,
                              &w.error),
              w.error);
    assert_false(holds);
    assert_ok(cql__compare_op(map, whole, CQL_OP_CONTAINS_KEY, world_value(&w, text, "'b'"), &holds,
                              &w.error),
              w.error);
    assert_true(holds);
    assert_ok(cql__compare_op(number, world_value(&w, number, "3"), CQL_OP_IN,
                              world_value(&w, list, "[1, 3]"), &holds, &w.error),
              w.error);
    assert_true(holds);
    assert_ok(cql__compare_op(number, world_value(&w, number, "1"), CQL_OP_IS_NOT_NULL,
                              world_value(&w, number, "1"), &holds, &w.error),
              w.error);
    assert_true(holds);

    world_close(&w);
}

/* ---- filters ---- */

typedef struct filter_case {
    const char *where;
    bool        pass;
} filter_case;

/* On v = 5, w = 'abc', l = [1, 2], s = {3}, m = {'a': 1, 'b': 2}, fm = {'a': 1}. */
static const filter_case filter_cases[] = {
    { "v = 5", true },
    { "v = 6", false },
    { "v > 4 AND v <= 5", true },
    { "v >= 6", false },
    { "v IN (4, 5)", true },
    { "v IN (4, 6)", false },
    { "v IN ()", false },
    { "w LIKE 'a%c'", true },
    { "w LIKE 'b%'", false },
    { "l CONTAINS 2", true },
    { "l CONTAINS 3", false },
    { "s CONTAINS 3 AND m CONTAINS KEY 'b' AND m CONTAINS 1", true },
    { "m CONTAINS KEY 'z'", false },
    { "m['b'] = 2", true },
    { "m['b'] = 3", false },
    { "m['z'] = 2", false },
    { "fm = {'a': 1}", true },
    { "fm > {'a': 1}", false },
    { "fm >= {}", true },
};

static void set_row(check_world *w, cql_value *columns) {
    static const char *const values[][2] = {
        { "k", "1" },   { "v", "5" },         { "w", "'abc'" },           { "l", "[1, 2]" },
        { "s", "{3}" }, { "fm", "{'a': 1}" }, { "m", "{'a': 1, 'b': 2}" }
    };
    const cql_table *table = cql__schema_table(w->schema, corm_str_of("ks"), corm_str_of("t"));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const cql_column *column = cql__table_column(table, corm_str_of(values[i][0]));
        columns[column->index] = world_value(w, column->type, values[i][1]);
    }
}

static const cql_where *where_of(check_world *w, const char *where) {
    char text[256];
    snprintf(text, sizeof text, "SELECT * FROM t WHERE %s ALLOW FILTERING", where);
    return &world_good(w, text)->select->where;
}

static void rows_are_filtered(void **state) {
    (void)state;
    check_world w;
    cql_value   columns[8];
    world_open(&w, tables);
    set_row(&w, columns);
    cql_row_view row = { .columns = columns };
    cql_eval_env env = { .context = { .arena = &w.arena }, .row = &row };
    for (size_t i = 0; i < sizeof filter_cases / sizeof *filter_cases; i++) {
        const cql_where *where = where_of(&w, filter_cases[i].where);
        bool             pass = !filter_cases[i].pass;
        assert_ok(cql__check_filters(where, &env, &w.error), w.error);
        assert_ok(cql__filter_row(where->filters, where->filter_count, &env, &pass, &w.error),
                  w.error);
        if (pass != filter_cases[i].pass) fail_msg("%s", filter_cases[i].where);
    }
    world_close(&w);
}

static void a_null_column_never_passes(void **state) {
    (void)state;
    check_world w;
    cql_value   columns[8];
    bool        pass = true;
    world_open(&w, tables);
    for (int i = 0; i < 8; i++) columns[i] = CQL_NULL;
    cql_row_view     row = { .columns = columns };
    cql_eval_env     env = { .context = { .arena = &w.arena }, .row = &row };
    const cql_where *where = where_of(&w, "v < 5");

    assert_ok(cql__filter_row(where->filters, where->filter_count, &env, &pass, &w.error), w.error);
    assert_false(pass);
    where = where_of(&w, "m['a'] = 5");
    assert_ok(cql__filter_row(where->filters, where->filter_count, &env, &pass, &w.error), w.error);
    assert_false(pass);

    world_close(&w);
}

typedef struct bad_term {
    const char *where, *value, *message;
} bad_term;

static const bad_term bad_terms[] = {
    { "v = ?", "null", "Unsupported null value for column v" },
    { "v = ?", "unset", "Unsupported unset value for column v" },
    { "v IN (1, ?)", "null", "Unsupported null value for column v" },
    { "v IN ?", "null", "Invalid null value for column v" },
    { "v IN ?", "unset", "Invalid unset value for column v" },
    { "s CONTAINS ?", "null", "Unsupported null value for column s" },
    { "m[?] = 1", "null", "Unsupported null map key for column m" },
    { "m['a'] = ?", "unset", "Unsupported unset map value for column m" },
};

static void null_and_unset_terms_are_refused(void **state) {
    (void)state;
    check_world w;
    cql_value   columns[8];
    bool        pass = false;
    world_open(&w, tables);
    set_row(&w, columns);
    cql_row_view row = { .columns = columns };
    for (size_t i = 0; i < sizeof bad_terms / sizeof *bad_terms; i++) {
        const cql_where *where = where_of(&w, bad_terms[i].where);
        cql_value        value = world_value(&w, NULL, bad_terms[i].value);
        cql_eval_env     env = {
                .context = { .arena = &w.arena }, .row = &row, .markers = &value, .marker_count = 1
        };
        assert_status(cql__check_filters(where, &env, &w.error), CORM_INVALID);
        assert_string_equal(w.error.message, bad_terms[i].message);
        assert_status(cql__filter_row(where->filters, where->filter_count, &env, &pass, &w.error),
                      CORM_INVALID);
    }
    world_close(&w);
}

static void a_bound_list_is_looked_through(void **state) {
    (void)state;
    check_world w;
    cql_value   columns[8];
    bool        pass = false;
    world_open(&w, tables);
    set_row(&w, columns);
    cql_row_view     row = { .columns = columns };
    const cql_where *where = where_of(&w, "v IN ?");
    cql_value        value = world_value(&w, where->filters[0].in_list->type, "[4, 5]");
    cql_eval_env     env = {
            .context = { .arena = &w.arena }, .row = &row, .markers = &value, .marker_count = 1
    };

    assert_ok(cql__filter_row(where->filters, where->filter_count, &env, &pass, &w.error), w.error);
    assert_true(pass);

    world_close(&w);
}

static void an_indexed_value_has_a_size(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);
    const cql_where *where = &world_good(&w, "SELECT * FROM t WHERE w = ?")->select->where;
    uint8_t         *bytes = base__arena_calloc(&w.arena, 70000, 1);
    cql_value        value = { bytes, 70000 };
    cql_eval_env env = { .context = { .arena = &w.arena }, .markers = &value, .marker_count = 1 };

    assert_status(cql__check_filters(where, &env, &w.error), CORM_INVALID);
    assert_string_equal(w.error.message, "Index expression values may not be larger than 64K");

    world_close(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_are_compared_as_in_conditions),
    cmocka_unit_test(null_is_not_ordered),
    cmocka_unit_test(collections_contain_and_lists_hold),
    cmocka_unit_test(rows_are_filtered),
    cmocka_unit_test(a_null_column_never_passes),
    cmocka_unit_test(null_and_unset_terms_are_refused),
    cmocka_unit_test(a_bound_list_is_looked_through),
    cmocka_unit_test(an_indexed_value_has_a_size),
};
RUN_TESTS()
