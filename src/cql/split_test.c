// SPDX-License-Identifier: MIT
/* split_test.c -- cutting scripts into statements. */
#include "cql/parser.h"
#include "testing/check.h"

/* "line|statement|" for each, with a "…" behind one that no semicolon ends. */
static void check_split(const char *script, const char *expected) {
    base_buf out = { 0 };
    corm_str rest = corm_str_of(script), statement;
    bool     complete;
    for (;;) {
        uint32_t line = 1;
        for (const char *c = script; c < rest.data; c++) line += *c == '\n';
        if (!cql__split(rest, &statement, &rest, &complete, &line)) break;
        base__buf_printf(&out, "%u|%.*s|%s", line, (int)statement.len, statement.data,
                         complete ? "" : "...");
    }
    assert_int_equal(rest.len, 0);
    assert_int_equal(statement.len, 0);
    assert_string_equal(base__buf_cstr(&out), expected);
    base__buf_free(&out);
}

static void statements_end_with_semicolons(void **state) {
    (void)state;
    check_split("SELECT 1; SELECT 2;\n\nSELECT\n3;", "1|SELECT 1|1|SELECT 2|3|SELECT\n3|");
    check_split(";;SELECT 1;;;", "1|SELECT 1|");
    check_split("SELECT 1", "1|SELECT 1|...");
    check_split("  SELECT 1  \n", "1|SELECT 1|...");
    check_split("", "");
    check_split(" ; \n ;", "");
}

static void semicolons_in_strings_and_comments_end_nothing(void **state) {
    (void)state;
    check_split("SELECT ';' , \";\", $$;$$ -- ;\n, 1 /* ; */ ; SELECT 2",
                "1|SELECT ';' , \";\", $$;$$ -- ;\n, 1|2|SELECT 2|...");
    check_split("-- first;\n/* second; */ SELECT 1; -- last", "2|SELECT 1|");
    check_split("SELECT 1 -- last", "1|SELECT 1|...");
    check_split("-- nothing else", "");
}

static void a_batch_is_one_statement(void **state) {
    (void)state;
    check_split("BEGIN BATCH INSERT 1; UPDATE 2; APPLY BATCH; SELECT 1;",
                "1|BEGIN BATCH INSERT 1; UPDATE 2; APPLY BATCH|1|SELECT 1|");
    check_split("begin unlogged batch a; apply batch;b;",
                "1|begin unlogged batch a; apply batch|1|b|");
    check_split("BEGIN COUNTER BATCH a;\nb;", "1|BEGIN COUNTER BATCH a;\nb;|...");
    check_split("BEGIN x; APPLY y;", "1|BEGIN x|1|APPLY y|");
    check_split("SELECT begin, batch; SELECT 2;", "1|SELECT begin, batch|1|SELECT 2|");
}

static void what_is_not_closed_takes_the_rest(void **state) {
    (void)state;
    check_split("SELECT 'a; SELECT 2;", "1|SELECT 'a; SELECT 2;|...");
    check_split("SELECT 1 /* a; SELECT 2;", "1|SELECT 1 /* a; SELECT 2;|...");
    check_split("/* a;", "1|/* a;|...");
}

static void the_line_may_be_left_out(void **state) {
    (void)state;
    corm_str statement, rest;
    bool     complete;
    assert_true(cql__split(corm_str_of("a; b"), &statement, &rest, &complete, NULL));
    assert_text(statement, "a");
    assert_text(rest, " b");
    assert_true(complete);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(statements_end_with_semicolons),
    cmocka_unit_test(semicolons_in_strings_and_comments_end_nothing),
    cmocka_unit_test(a_batch_is_one_statement),
    cmocka_unit_test(what_is_not_closed_takes_the_rest),
    cmocka_unit_test(the_line_may_be_left_out),
};
RUN_TESTS()
