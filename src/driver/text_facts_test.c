// SPDX-License-Identifier: MIT
/* text_facts_test.c -- what a text says of itself: may it be sent again, is it a transaction, does it read. */
#include "driver/prepared.h"
#include "testing/check.h"

typedef struct fact_case {
    const char *cql;
    const char
        *facts; /* of "idempotent lwt read ddl use" those that hold, by their first letters */
} fact_case;

static void assert_facts(const char *cql, driver_text_facts facts, const char *expected) {
    char   actual[8] = "";
    size_t n = 0;
    if (facts.idempotent) actual[n++] = 'i';
    if (facts.is_lwt) actual[n++] = 'l';
    if (facts.is_read) actual[n++] = 'r';
    if (facts.is_ddl) actual[n++] = 'd';
    if (facts.is_use) actual[n++] = 'u';
    actual[n] = 0;
    if (strcmp(actual, expected) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", cql, actual, expected);
}

static void check_all(const fact_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_facts(cases[i].cql, driver__text_facts(corm_str_of(cases[i].cql)), cases[i].facts);
    }
}
#define CHECK_ALL(cases) check_all((cases), sizeof(cases) / sizeof((cases)[0]))

static void reads_may_be_sent_again(void **state) {
    (void)state;
    static const fact_case cases[] = {
        { "SELECT * FROM t", "ir" }, { "SELECT now() FROM ks.t WHERE k = uuid()", "ir" },
        { "DESCRIBE TABLES", "ir" }, { "LIST ROLES", "ir" },
        { "USE shop", "iu" },
    };
    CHECK_ALL(cases);
}

static void writes_of_given_values_may_be_sent_again(void **state) {
    (void)state;
    static const fact_case cases[] = {
        { "INSERT INTO t (k, v) VALUES (1, 'a')", "i" },
        { "INSERT INTO t (k, v) VALUES (?, ?) USING TTL ? AND TIMESTAMP 5", "i" },
        { "INSERT INTO t JSON '{}'", "i" },
        { "INSERT INTO t (k, v) VALUES (1, textAsBlob('a'))", "i" },
        { "UPDATE t SET v = ?, w.f = 1 WHERE k = ?", "i" },
        { "UPDATE t SET s = s + {1}, m = m + {'a': 1}, l = l - [1] WHERE k = 1", "i" },
        { "UPDATE t SET m['a'] = 1 WHERE k = 1", "i" },
        { "DELETE FROM t WHERE k = 1", "i" },
        { "DELETE v, m['a'] FROM t WHERE k = 1", "i" },
        { "BEGIN BATCH INSERT INTO t (k) VALUES (1); DELETE FROM t WHERE k = 2; APPLY BATCH", "i" },
    };
    CHECK_ALL(cases);
}

static void what_gives_another_result_the_second_time_may_not(void **state) {
    (void)state;
    static const fact_case cases[] = {
        { "INSERT INTO t (k, v) VALUES (1, now())", "" },
        { "INSERT INTO t (k, v) VALUES (uuid(), 1)", "" },
        { "INSERT INTO t (k, v) VALUES (1, toTimestamp(now()))", "" },
        { "INSERT INTO t (k, v) VALUES (1, currentTimestamp())", "" },
        { "INSERT INTO t (k, v) VALUES (1, current_date())", "" },
        { "INSERT INTO t (k, v) VALUES (1, [now()])", "" },
        { "INSERT INTO t (k, v) VALUES (1, my_function(1))", "" },
        { "INSERT INTO t (k, v) VALUES (1, ks.abs(1))", "" },
        { "UPDATE t SET c = c + 1 WHERE k = 1", "" },
        { "UPDATE t SET c += ? WHERE k = 1", "" },
        { "UPDATE t SET l = l + ['a'] WHERE k = 1", "" },
        { "UPDATE t SET l = ['a'] + l WHERE k = 1", "" },
        { "UPDATE t SET x = x + ? WHERE k = 1", "" },
        { "UPDATE t SET x[0] = 1 WHERE k = 1", "" },
        { "UPDATE t SET x[?] = 1 WHERE k = 1", "" },
        { "UPDATE t SET v = 1 WHERE k = now()", "" },
        { "DELETE x[0] FROM t WHERE k = 1", "" },
        { "BEGIN COUNTER BATCH UPDATE t SET v = 1 WHERE k = 1 APPLY BATCH", "" },
        { "BEGIN BATCH INSERT INTO t (k) VALUES (1); INSERT INTO t (k) VALUES (uuid()); APPLY BATCH",
          "" },
        { "TRUNCATE t", "" },
        { "CREATE TABLE t (k int PRIMARY KEY)", "d" },
        { "DROP KEYSPACE ks", "d" },
        { "GRANT ALL ON t TO r", "" },
        { "SELEC nonsense", "" },
        { "", "" },
    };
    CHECK_ALL(cases);
}

static void conditions_make_a_transaction_that_may_not(void **state) {
    (void)state;
    static const fact_case cases[] = {
        { "INSERT INTO t (k) VALUES (1) IF NOT EXISTS", "l" },
        { "UPDATE t SET v = 1 WHERE k = 1 IF EXISTS", "l" },
        { "UPDATE t SET v = 1 WHERE k = 1 IF v = 0", "l" },
        { "DELETE FROM t WHERE k = 1 IF EXISTS", "l" },
        { "BEGIN BATCH INSERT INTO t (k) VALUES (1); DELETE FROM t WHERE k = 2 IF EXISTS; APPLY BATCH",
          "l" },
    };
    CHECK_ALL(cases);
}

/* ---- with the types of markers ---- */

static driver_text_facts facts_with(const char *cql, const cql_marker *marker) {
    base_arena     arena = { 0 };
    cql_statement *tree;
    corm_error     err;
    assert_ok(cql__parse(&arena, corm_str_of(cql), &tree, NULL, &err), err);
    driver_text_facts facts = driver__tree_facts(tree, marker, 1);
    base__arena_free(&arena);
    return facts;
}

static void assert_marker(const char *cql, const char *type, const char *name,
                          const char *expected) {
    base_arena          arena = { 0 };
    const cql_type_ast *ast;
    corm_error          err;
    assert_ok(cql__parse_type(&arena, corm_str_of(type), &ast, &err), err);
    const cql_type *integer = cql__type_native(CQL_INT), *text = cql__type_native(CQL_TEXT);
    cql_marker      marker = { .name = corm_str_of(name), .type = integer };
    if (strcmp(type, "set<int>") == 0) marker.type = cql__type_set(&arena, integer, false);
    if (strcmp(type, "map<int, int>") == 0)
        marker.type = cql__type_map(&arena, integer, integer, false);
    if (strcmp(type, "list<int>") == 0) marker.type = cql__type_list(&arena, integer, false);
    if (strcmp(type, "counter") == 0) marker.type = cql__type_native(CQL_COUNTER);
    if (strcmp(type, "text") == 0) marker.type = text;
    assert_facts(cql, facts_with(cql, &marker), expected);
    base__arena_free(&arena);
}

static void a_markers_type_tells_a_set_from_a_list_and_a_counter(void **state) {
    (void)state;
    static const char add[] = "UPDATE t SET c = c + ? WHERE k = 1";
    static const char subtract[] = "UPDATE t SET c = c - ? WHERE k = 1";
    assert_marker(add, "set<int>", "c", "i");
    assert_marker(add, "map<int, int>", "c", "i");
    assert_marker(add, "list<int>", "c", "");
    assert_marker(add, "counter", "c", "");
    assert_marker(add, "text", "c", "");
    assert_marker(subtract, "list<int>", "c", "i");
    assert_marker(subtract, "set<int>", "c", "i");
    assert_marker(subtract, "counter", "c", "");
}

static void a_markers_name_tells_a_maps_key_from_a_lists_index(void **state) {
    (void)state;
    static const char set[] = "UPDATE t SET c[?] = 1 WHERE k = 1";
    static const char del[] = "DELETE c[?] FROM t WHERE k = 1";
    assert_marker(set, "int", "key(c)", "i");
    assert_marker(set, "int", "idx(c)", "");
    assert_marker(set, "text", "key(c)", "i");
    assert_marker(del, "int", "idx(c)", "");
    assert_marker(del, "text", "key(c)", "i");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_may_be_sent_again),
    cmocka_unit_test(writes_of_given_values_may_be_sent_again),
    cmocka_unit_test(what_gives_another_result_the_second_time_may_not),
    cmocka_unit_test(conditions_make_a_transaction_that_may_not),
    cmocka_unit_test(a_markers_type_tells_a_set_from_a_list_and_a_counter),
    cmocka_unit_test(a_markers_name_tells_a_maps_key_from_a_lists_index),
};

RUN_TESTS()
