// SPDX-License-Identifier: MIT
/* check_test.c -- statements cut out of text, their places and names, and what follows from a failure. */
#include "testing/check.h"

#include "cli/check/check.h"
#include "cli/check/walk.h"

static void begin(check_workspace *w, const char *text) {
    corm_error err = { 0 };
    assert_ok(check__begin(w, "ks", &err), err);
    check__add_text(w, "a.cql", corm_str_of(text), false, false);
    assert_ok(check__finish(w, &err), err);
}

/* ---- source.c ---- */

static void statements_come_with_what_stands_above(void **state) {
    corm_str rest =
                 corm_str_of("-- one\nSELECT a;CONSISTENCY ONE\n/* two */ SELECT ';' ;;\n-- end"),
             statement, above;
    (void)state;
    assert_true(check__next(&rest, &statement, &above));
    assert_text(statement, "SELECT a");
    assert_text(above, "-- one\n");
    assert_true(check__next(&rest, &statement, &above));
    assert_text(statement, "SELECT ';'");
    assert_text(above, "/* two */ ");
    assert_false(check__next(&rest, &statement, &above));
    assert_non_null(strstr(above.data, "-- end"));
}

static void places_count_characters(void **state) {
    corm_str text = corm_str_of("a\n\xc3\xa4\xc3\xb6 b\nc");
    (void)state;
    assert_ptr_equal(check__locate(text, (cql_place){ 1, 0 }), text.data);
    assert_ptr_equal(check__locate(text, (cql_place){ 2, 3 }), text.data + 7);
    assert_ptr_equal(check__locate(text, (cql_place){ 2, 99 }), text.data + 8);
    assert_ptr_equal(check__locate(text, (cql_place){ 9, 0 }), text.data + text.len);
}

/* ---- annotation.c ---- */

static void a_comment_names_the_statement_below(void **state) {
    check_workspace w;
    (void)state;
    begin(
        &w,
        "CREATE TABLE t (a int PRIMARY KEY); -- name: not_mine :one\n//name: mine   :many\nSELECT a FROM t;");
    assert_int_equal(w.finding_count, 0);
    assert_null(w.statements[0]->name.data);
    assert_text(w.statements[1]->name, "mine");
    assert_int_equal(w.statements[1]->verb, CHECK_MANY);
    assert_string_equal(check__verb_name(CHECK_MANY), ":many");
    check__free(&w);
}

static void a_rule_is_allowed_by_its_whole_name(void **state) {
    check_statement s = { .above = corm_str_of("/* x */\n--corm: allow ab,c\n-- corm:allow  d\n") };
    (void)state;
    assert_true(check__allows(&s, "ab"));
    assert_true(check__allows(&s, "c"));
    assert_true(check__allows(&s, "d"));
    assert_false(check__allows(&s, "a"));
    assert_false(check__allows(&s, "allow"));
}

/* ---- workspace.c ---- */

static void what_follows_from_a_failure_is_not_told(void **state) {
    static const char *const broken[] = {
        "CREATE TABLE t (a intt PRIMARY KEY); SELECT a FROM t;",
        "CREATE TABLE T (a int PRIMARY KEY; SELECT a FROM t WHERE a = 1; SELECT a FROM ks.t;",
        "CREATE TABEL IF NOT EXISTS ks.t (a int); INSERT INTO t (a) VALUES (1);",
        "CREATE TYPE p (x nothing); CREATE TABLE t (a int PRIMARY KEY, p frozen<p>); SELECT a FROM t;",
        "CREATE KEYSPACE other WITH x = 1; SELECT a FROM other.t;",
    };
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        check_workspace w;
        begin(&w, broken[i]);
        if (w.finding_count != 1) fail_msg("%u findings in %s", w.finding_count, broken[i]);
        assert_int_equal(check__count(&w, CHECK_ERROR), 1);
        check__free(&w);
    }
}

static void the_keyspace_of_the_command_line_may_come_from_a_file(void **state) {
    static const char make[] =
        "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};"
        "CREATE TABLE t (a int PRIMARY KEY);";
    check_workspace w;
    (void)state;
    begin(&w, make);
    assert_int_equal(w.finding_count, 0);
    assert_non_null(cql__schema_table(w.schema, corm_str_of("ks"), corm_str_of("t")));
    check__free(&w);
    begin(&w, "CREATE TABLE t (a int PRIMARY KEY);");
    assert_int_equal(w.finding_count, 0);
    check__free(&w);
}

static void findings_are_in_the_order_of_the_files(void **state) {
    check_workspace w;
    corm_error      err = { 0 };
    (void)state;
    begin(&w, "SELECT a FROM x;\n  SELECT b FROM y;");
    check__add_text(&w, "b.cql", corm_str_of("SELECT c FROM z"), false, false);
    check__find(&w, w.statements[0]->file, w.statements[0]->text.data, 0, CHECK_INFO, "later", "%s",
                "first");
    assert_ok(check__finish(&w, &err), err);
    assert_int_equal(w.finding_count, 4);
    assert_string_equal(w.findings[0].rule, "later");
    assert_int_equal(w.findings[2].line, 2);
    assert_int_equal(w.findings[2].column, 17);
    assert_string_equal(w.findings[3].file->name, "b.cql");
    check__free(&w);
}

/* ---- suggest.c ---- */

static corm_str nearest(const char *word, const char *a, const char *b) {
    check_nearest n = { .word = corm_str_of(word), .best = { "", 0 } };
    check__consider(&n, corm_str_of(a));
    check__consider(&n, corm_str_of(b));
    return n.best;
}

static void the_nearest_name_is_suggested_when_it_is_near(void **state) {
    (void)state;
    assert_text(nearest("nmae", "name", "fame"), "name");
    assert_text(nearest("emial", "email", "name"), "email");
    assert_text(nearest("id", "pk", "zz"), "");
    assert_text(nearest("customer_nmae", "customer_name", "x"), "customer_name");
}

/* ---- walk.c ---- */

static void count_markers(void *context, const cql_expr *expr) {
    *(uint32_t *)context += expr->kind == CQL_EXPR_MARKER;
}

static void every_expression_is_visited(void **state) {
    static const char *const texts[] = {
        "SELECT f(a, ?) FROM t WHERE a = ? AND m[?] = ? AND b IN ? AND c IN (?, ?) PER PARTITION LIMIT ? LIMIT ?",
        "INSERT INTO t (a, b) VALUES (?, [?, {?: ?}]) USING TTL ? AND TIMESTAMP ?",
        "UPDATE t USING TTL ? SET a = ?, m[?] = ?, c = c + ? WHERE k = ? IF x = ? AND l[?] IN (?, ?)",
        "DELETE m[?] FROM t USING TIMESTAMP ? WHERE k = (int)?",
        "BEGIN BATCH USING TIMESTAMP ? INSERT INTO t (a) VALUES (?); DELETE FROM t WHERE a = ? APPLY BATCH",
        "SELECT a FROM t ORDER BY v ANN OF ? LIMIT 3",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        base_arena     arena = { 0 };
        cql_statement *tree;
        corm_error     err = { 0 };
        uint32_t       count = 0;
        assert_ok(cql__parse(&arena, corm_str_of(texts[i]), &tree, NULL, &err), err);
        check__walk(tree, count_markers, &count);
        if (count != tree->marker_count)
            fail_msg("%u of %u in %s", count, tree->marker_count, texts[i]);
        base__arena_free(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_come_with_what_stands_above),
        cmocka_unit_test(places_count_characters),
        cmocka_unit_test(a_comment_names_the_statement_below),
        cmocka_unit_test(a_rule_is_allowed_by_its_whole_name),
        cmocka_unit_test(what_follows_from_a_failure_is_not_told),
        cmocka_unit_test(the_keyspace_of_the_command_line_may_come_from_a_file),
        cmocka_unit_test(findings_are_in_the_order_of_the_files),
        cmocka_unit_test(the_nearest_name_is_suggested_when_it_is_near),
        cmocka_unit_test(every_expression_is_visited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
