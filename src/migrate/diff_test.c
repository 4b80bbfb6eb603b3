// SPDX-License-Identifier: MIT
#include "migrate/core.h"

#include "testing/check.h"

static migrate_snapshot snapshot(const char *cql) {
    migrate_snapshot out;
    corm_error       err = { 0 };
    assert_ok(migrate__snapshot_parse(corm_str_of("shop"), corm_str_of(cql), "here", &out, &err),
              err);
    return out;
}

static char printed[4096];

/* The script from one schema to another. */
static const char *diff_with(const char *is, const char *wanted, bool with_drops) {
    migrate_snapshot    a = snapshot(is), b = snapshot(wanted);
    migrate_differences differences;
    base_buf            text = { 0 };
    corm_error          err = { 0 };
    assert_ok(migrate__diff(&a, &b, with_drops, &differences, &err), err);
    migrate__differences_print(&differences, &text);
    snprintf(printed, sizeof printed, "%.*s", (int)text.len, text.len ? (char *)text.data : "");
    base__buf_free(&text);
    migrate__differences_free(&differences);
    migrate__snapshot_free(&a);
    migrate__snapshot_free(&b);
    return printed;
}

static const char *diff(const char *is, const char *wanted) {
    return diff_with(is, wanted, false);
}

#define USERS "CREATE TABLE users (id int PRIMARY KEY, name text);"

static void equal_schemas_have_no_difference(void **state) {
    (void)state;
    assert_string_equal(diff(USERS, "CREATE TABLE users (name text, id int, PRIMARY KEY (id));"),
                        "");
    assert_string_equal(diff("", ""), "");
}

static void what_is_missing_is_made_types_first(void **state) {
    (void)state;
    assert_string_equal(diff(USERS, USERS
                             "CREATE TYPE zip (code text);"
                             "CREATE TABLE a (k int PRIMARY KEY, z frozen<zip>) WITH comment = 'x';"
                             "CREATE INDEX by_name ON users (name);"),
                        "CREATE TYPE shop.zip (\n    code text\n);\n"
                        "CREATE TABLE a (k int PRIMARY KEY, z frozen<zip>) WITH comment = 'x';\n"
                        "CREATE INDEX by_name ON shop.users (name);\n");
}

static void columns_come_and_go(void **state) {
    (void)state;
    assert_string_equal(diff("CREATE TABLE t (k int, c int, v int, w text, PRIMARY KEY (k, c));",
                             "CREATE TABLE t (k int, c int, w text, \"X\" set<int>, s int static, "
                             "PRIMARY KEY (k, c));"),
                        "ALTER TABLE t ADD s int static;\n"
                        "ALTER TABLE t ADD \"X\" set<int>;\n"
                        "-- destructive: what it holds is lost\n"
                        "ALTER TABLE t DROP v;\n");
}

static void what_no_statement_can_do_is_said(void **state) {
    (void)state;
    assert_string_equal(
        diff(
            "CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c));",
            "CREATE TABLE t (k int, c int, v text, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC);"),
        "-- not possible: table t: column c cannot change its order\n"
        "-- not possible: table t: column v cannot change its type; add a column of another name and "
        "copy\n");
    assert_string_equal(diff("CREATE TYPE p (x int, y int);", "CREATE TYPE p (x int, z text);"),
                        "-- not possible: type p: field y cannot be removed\n"
                        "ALTER TYPE p ADD z text;\n");
}

static void options_differ_only_where_they_are_written(void **state) {
    (void)state;
    const char *is =
        "CREATE TABLE t (k int PRIMARY KEY) WITH gc_grace_seconds = 60 AND comment = 'a';";
    assert_string_equal(diff(is, "CREATE TABLE t (k int PRIMARY KEY);"), "");
    assert_string_equal(diff(is, "CREATE TABLE t (k int PRIMARY KEY) WITH gc_grace_seconds = 60;"),
                        "");
    assert_string_equal(
        diff(is, "CREATE TABLE t (k int PRIMARY KEY) WITH gc_grace_seconds = 61 AND "
                 "compaction = {'class': 'LeveledCompactionStrategy'};"),
        "ALTER TABLE t WITH gc_grace_seconds = 61;\n"
        "ALTER TABLE t WITH compaction = {'class': 'LeveledCompactionStrategy'};\n");
}

static void indexes_that_changed_are_made_anew(void **state) {
    (void)state;
    assert_string_equal(diff(USERS "CREATE INDEX i ON users (name);",
                             USERS "CREATE INDEX i ON users (name) USING 'sai';"),
                        "DROP INDEX i;\nCREATE CUSTOM INDEX i ON shop.users (name) USING 'sai';\n");
    assert_string_equal(diff(USERS "CREATE INDEX i ON users (name);", USERS), "DROP INDEX i;\n");
}

static void tables_that_are_not_wanted_stay_unless_said(void **state) {
    (void)state;
    const char *is = "CREATE TYPE a (x int); CREATE TYPE b (a frozen<a>);" USERS;
    assert_string_equal(diff(is, ""), "");
    assert_string_equal(diff_with(is, "", true), "-- destructive: what it holds is lost\n"
                                                 "DROP TABLE users;\n"
                                                 "DROP TYPE b;\n"
                                                 "DROP TYPE a;\n");
}

#define VIEW                                                                                       \
    "CREATE MATERIALIZED VIEW by_v AS SELECT k, v FROM t WHERE k IS NOT NULL AND v IS NOT NULL "   \
    "PRIMARY KEY (v, k);"

static void views_are_made_behind_their_tables_and_dropped_before(void **state) {
    (void)state;
    const char *plain = "CREATE TABLE t (k int PRIMARY KEY, v int, w int);";
    const char *viewed = "CREATE TABLE t (k int PRIMARY KEY, v int, w int);" VIEW;
    assert_string_equal(diff(viewed, viewed), "");
    const char *made = diff(plain, viewed);
    assert_int_equal(strncmp(made, "CREATE MATERIALIZED VIEW shop.by_v AS", 37), 0);
    assert_string_equal(diff(viewed, "CREATE TABLE t (k int PRIMARY KEY, w int);"),
                        "DROP MATERIALIZED VIEW by_v;\n"
                        "-- destructive: what it holds is lost\n"
                        "ALTER TABLE t DROP v;\n");
}

static void a_schema_printed_is_the_same_schema(void **state) {
    (void)state;
    migrate_snapshot a = snapshot(
        "CREATE TABLE x (k int PRIMARY KEY, c int); CREATE TYPE b (y int); CREATE TYPE a (x frozen<b>);"
        "CREATE TABLE t (k int, c int, v frozen<a>, s text static, "
        "PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC) AND "
        "gc_grace_seconds = 5; CREATE INDEX ON t (v); CREATE MATERIALIZED VIEW b AS SELECT * FROM x "
        "WHERE k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, k);");
    base_buf   text = { 0 };
    bool       same = false;
    corm_error err = { 0 };
    migrate__snapshot_print(&a, &text);
    migrate_snapshot b = snapshot(base__buf_cstr(&text));
    assert_ok(migrate__snapshot_same(&a, &b, &same, &err), err);
    assert_true(same);
    base__buf_free(&text);
    migrate__snapshot_free(&a);
    migrate__snapshot_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_schemas_have_no_difference),
        cmocka_unit_test(what_is_missing_is_made_types_first),
        cmocka_unit_test(columns_come_and_go),
        cmocka_unit_test(what_no_statement_can_do_is_said),
        cmocka_unit_test(options_differ_only_where_they_are_written),
        cmocka_unit_test(indexes_that_changed_are_made_anew),
        cmocka_unit_test(tables_that_are_not_wanted_stay_unless_said),
        cmocka_unit_test(views_are_made_behind_their_tables_and_dropped_before),
        cmocka_unit_test(a_schema_printed_is_the_same_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
