// SPDX-License-Identifier: MIT
/* memory_test.c -- a file is checked, linted, printed and generated from again and again while one allocation more succeeds each
 * time. Each failure is told, and nothing stays behind. */
#include "testing/memory.h"

#include "testing/check.h"

#include "cli/generate/generate.h"
#include "cli/lint/lint.h"

static const char text[] =
    "CREATE TYPE address (street text, at frozen<point>);\n"
    "CREATE TABLE things (id uuid PRIMARY KEY, home frozen<address>, v vector<float, 2>);\n"
    "-- Which.\n-- name: get :one\nSELECT * FROM things WHERE id = ?;\n"
    "-- name: put :exec\nINSERT INTO things (id, home, v) VALUES (?, ?, ?);\n"
    "-- name: put_if :applied\nINSERT INTO things (id) VALUES (:id) IF NOT EXISTS;\n"
    "-- name: pages :page\nSELECT id FROM users;\n"
    "SELECT * FROM userss;\nSELEC;\nSELECT nme FROM users WHERE id = 1 ALLOW FILTERING;\n"
    "BEGIN BATCH INSERT INTO users (id, nme) VALUES (?, null); APPLY BATCH;\n";

static void begin(check_workspace *w) {
    corm_error err = { 0 };
    testing__memory_pause();
    assert_ok(check__begin(w, NULL, &err), err);
    check__add_text(w, "schema.cql", corm_str_of(lint__example_schema), true, false);
    check__add_text(w, "types.cql", corm_str_of("CREATE TYPE point (x int, y int);"), true, false);
    assert_int_equal(w->finding_count, 0);
    testing__memory_resume();
}

static corm_status print_all(const check_workspace *w, corm_error *err) {
    static const check_rule_text rule = { "a", "b" };
    base_buf                     out = { 0 };
    check__print(w, CHECK_TEXT, &out);
    check__print(w, CHECK_JSON, &out);
    check__print_sarif(w, &rule, 1, &out);
    corm_status status = base__buf_status(&out, err);
    base__buf_free(&out);
    return status;
}

static corm_status generate_all(check_workspace *w, corm_error *err) {
    gen_unit    unit = { .arena = &w->arena, .name = "x", .source = "y" };
    gen_models  models = { .arena = &w->arena, .name = "m", .source = "y", .schema = w->schema };
    base_buf    header = { 0 }, source = { 0 };
    corm_status status = gen__queries(&unit, w, err);
    models.keyspace = cql__schema_keyspace(w->schema, corm_str_of("shop"));
    if (status == CORM_OK) {
        assert_int_equal(unit.query_count, 4);
        gen__put_header(&unit, &header);
        gen__put_source(&unit, &source);
        status = gen__put_models(&models, &header, &source, err);
    }
    if (status == CORM_OK) status = base__buf_status(&header, err);
    if (status == CORM_OK) status = base__buf_status(&source, err);
    base__buf_free(&header);
    base__buf_free(&source);
    return status;
}

static corm_status do_all(check_workspace *w, corm_error *err) {
    check__add_text(w, "text.cql", corm_str_of(text), false, false);
    lint__look(w, NULL);
    corm_status status = check__finish(w, err);
    if (status == CORM_OK) status = print_all(w, err);
    return status == CORM_OK ? generate_all(w, err) : status;
}

static void a_failing_allocation_is_told_and_leaves_nothing_behind(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    for (size_t n = 0;; n++) {
        check_workspace w;
        corm_error      err = { 0 };
        long            before = testing__memory_live();
        begin(&w);
        testing__memory_fail_from(n);
        corm_status status = do_all(&w, &err);
        bool        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        check__free(&w);
        if (n > 0 && testing__memory_live() != before)
            fail_msg("%ld allocations stay behind at %zu", testing__memory_live() - before, n);
        if (!failed) {
            assert_ok(status, err);
            assert_true(n > 50);
            return;
        }
        if (status != CORM_NO_MEMORY) fail_msg("allocation %zu: %s", n, corm_status_name(status));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_allocation_is_told_and_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
