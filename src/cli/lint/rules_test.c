// SPDX-License-Identifier: MIT
/* rules_test.c -- each rule finds its bad example and not its good one, and both are right CQL. */
#include "testing/check.h"

#include "cli/lint/lint.h"

static void begin(check_workspace *w) {
    corm_error err = { 0 };
    assert_ok(check__begin(w, NULL, &err), err);
    check__add_text(w, "schema.cql", corm_str_of(lint__example_schema), true, false);
    assert_int_equal(w->finding_count, 0);
}

/* How often the text breaks the rule; everything else than rules must be fine. */
static uint32_t look(const char *text, const char *id) {
    check_workspace w;
    corm_error      err = { 0 };
    uint32_t        count = 0;
    begin(&w);
    check__add_text(&w, "example.cql", corm_str_of(text), false, false);
    for (uint32_t i = 0; i < w.finding_count; i++)
        if (strcmp(w.findings[i].rule, "unsupported") != 0 &&
            strcmp(w.findings[i].rule, "server") != 0)
            fail_msg("%s: %.*s\n%s", id, CHECK_STR(w.findings[i].message), text);
    lint__look(&w, NULL);
    assert_ok(check__finish(&w, &err), err);
    for (uint32_t i = 0; i < w.finding_count; i++)
        count += id ? strcmp(w.findings[i].rule, id) == 0 : w.findings[i].reason != NULL;
    check__free(&w);
    return count;
}

static void every_rule_finds_its_bad_example(void **state) {
    uint32_t         count;
    const lint_rule *rules = lint__rules(&count);
    (void)state;
    for (uint32_t i = 0; i < count; i++)
        if (look(rules[i].bad, rules[i].id) == 0)
            fail_msg("%s does not find\n%s", rules[i].id, rules[i].bad);
}

static void no_rule_finds_its_good_example(void **state) {
    uint32_t         count;
    const lint_rule *rules = lint__rules(&count);
    (void)state;
    for (uint32_t i = 0; i < count; i++)
        if (look(rules[i].good, rules[i].id) != 0)
            fail_msg("%s finds\n%s", rules[i].id, rules[i].good);
}

static void ids_are_different_and_explained(void **state) {
    uint32_t         count;
    const lint_rule *rules = lint__rules(&count);
    (void)state;
    assert_true(count >= 25);
    for (uint32_t i = 0; i < count; i++) {
        assert_ptr_equal(lint__rule(corm_str_of(rules[i].id)), &rules[i]);
        assert_true(rules[i].title && rules[i].reason && rules[i].better);
    }
    assert_null(lint__rule(corm_str_of("nothing")));
}

static void a_comment_above_allows_a_rule(void **state) {
    (void)state;
    assert_int_equal(look("SELECT * FROM users WHERE id = ?;", "select-star"), 1);
    assert_int_equal(
        look("-- corm: allow select-star\nSELECT * FROM users WHERE id = ?;", "select-star"), 0);
    assert_int_equal(look("-- corm: allow full-scan, select-star\nSELECT * FROM users;", NULL), 0);
    assert_int_equal(
        look("-- corm: allow full-scan\nSELECT * FROM users;\nSELECT * FROM users;", "full-scan"),
        1);
}

static void a_disabled_rule_does_not_look(void **state) {
    check_workspace w;
    uint32_t        count;
    bool            disabled[128] = { false };
    (void)state;
    lint__rules(&count);
    for (uint32_t i = 0; i < count; i++) disabled[i] = true;
    begin(&w);
    check__add_text(&w, "x", corm_str_of("SELECT * FROM users;"), false, false);
    lint__look(&w, disabled);
    assert_int_equal(w.finding_count, 0);
    check__free(&w);
}

static void a_rule_that_does_not_exist_cannot_be_allowed(void **state) {
    check_workspace w;
    (void)state;
    begin(&w);
    check__add_text(&w, "x",
                    corm_str_of("-- corm: allow fullscan\nSELECT id FROM users WHERE id = ?;"),
                    false, false);
    lint__look(&w, NULL);
    assert_int_equal(w.finding_count, 1);
    assert_string_equal(w.findings[0].rule, "allow");
    assert_int_equal(w.findings[0].column, 16);
    check__free(&w);
}

/* ---- corners of single rules ---- */

static void system_tables_are_read_as_they_are(void **state) {
    (void)state;
    assert_int_equal(
        look("SELECT * FROM system.local; SELECT count(*) FROM system.peers_v2;", NULL), 0);
}

static void what_an_index_answers_is_no_filtering(void **state) {
    static const char made[] = "CREATE INDEX IF NOT EXISTS ON users (age) USING 'sai';\n";
    char              text[300];
    (void)state;
    snprintf(text, sizeof text, "%sSELECT id FROM users WHERE age = 3;", made);
    assert_int_equal(look(text, "full-scan"), 0);
    snprintf(text, sizeof text, "%sSELECT id FROM users WHERE age = 3 ALLOW FILTERING;", made);
    assert_int_equal(look(text, "allow-filtering"), 0);
    assert_int_equal(look(text, "needless-allow-filtering"), 1);
    snprintf(text, sizeof text,
             "%sSELECT id FROM users WHERE age = 3 AND name = 'x' ALLOW FILTERING;", made);
    assert_int_equal(look(text, "allow-filtering"), 1);
}

static void statements_of_a_batch_are_looked_at_too(void **state) {
    (void)state;
    assert_int_equal(look("BEGIN BATCH\n  INSERT INTO users (id, name) VALUES (:a, null);\n"
                          "  UPDATE users SET notes = notes + ['x'] WHERE id = :a;\nAPPLY BATCH;",
                          "null-write"),
                     1);
}

static void different_constants_are_different_partitions(void **state) {
    (void)state;
    assert_int_equal(look("BEGIN BATCH\n INSERT INTO visits (page, n) VALUES ('a', 1);\n"
                          " INSERT INTO visits (page, n) VALUES ('b', 1);\nAPPLY BATCH;",
                          "logged-batch-partitions"),
                     1);
    assert_int_equal(look("BEGIN BATCH\n INSERT INTO visits (page, n) VALUES ('a', 1);\n"
                          " INSERT INTO visits (page, n) VALUES ('a', 2);\nAPPLY BATCH;",
                          "logged-batch-partitions"),
                     0);
}

static void columns_that_are_added_are_looked_at(void **state) {
    (void)state;
    assert_int_equal(look("ALTER TABLE users ADD lines list<text>;", "list-column"), 1);
    assert_int_equal(look("ALTER TABLE users ADD height int;", "list-column"), 0);
}

static void rows_that_are_read_from_the_highest_on_are_no_queue(void **state) {
    static const char made[] =
        "CREATE TABLE IF NOT EXISTS news (room uuid, at timeuuid, v int, PRIMARY KEY (room, at))"
        " WITH CLUSTERING ORDER BY (at DESC);\n"
        "DELETE FROM news WHERE room = ? AND at = ?;\n";
    char text[400];
    (void)state;
    snprintf(text, sizeof text, "%sSELECT v FROM news WHERE room = ? LIMIT 50;", made);
    assert_int_equal(look(text, "queue"), 0);
    snprintf(text, sizeof text, "%sSELECT v FROM news WHERE room = ? ORDER BY at ASC LIMIT 50;",
             made);
    assert_int_equal(look(text, "queue"), 1);
    assert_int_equal(
        look("CREATE TABLE IF NOT EXISTS scores (game int, score int, PRIMARY KEY (game, score)) "
             "WITH CLUSTERING ORDER BY (score DESC);\n"
             "SELECT score FROM scores WHERE game = ? LIMIT 10;\n"
             "DELETE FROM scores WHERE game = ? AND score = ?;",
             "queue"),
        0);
}

static void one_row_a_day_is_no_endless_partition(void **state) {
    (void)state;
    assert_int_equal(
        look("CREATE TABLE IF NOT EXISTS days (id uuid, day date, v int, PRIMARY KEY (id, day));",
             "unbounded-partition"),
        0);
    assert_int_equal(
        look(
            "CREATE TABLE IF NOT EXISTS days (id uuid, day date, n int, PRIMARY KEY (id, day, n));",
            "unbounded-partition"),
        1);
}

static void datacenters_of_any_name_may_be(void **state) {
    (void)state;
    assert_int_equal(look("CREATE KEYSPACE IF NOT EXISTS far WITH replication = "
                          "{'class': 'NetworkTopologyStrategy', 'eu-west': 3, 'east': 2};\n"
                          "CREATE TABLE IF NOT EXISTS far.t (id uuid PRIMARY KEY);",
                          NULL),
                     0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_finds_its_bad_example),
        cmocka_unit_test(no_rule_finds_its_good_example),
        cmocka_unit_test(ids_are_different_and_explained),
        cmocka_unit_test(a_comment_above_allows_a_rule),
        cmocka_unit_test(a_disabled_rule_does_not_look),
        cmocka_unit_test(a_rule_that_does_not_exist_cannot_be_allowed),
        cmocka_unit_test(system_tables_are_read_as_they_are),
        cmocka_unit_test(what_an_index_answers_is_no_filtering),
        cmocka_unit_test(statements_of_a_batch_are_looked_at_too),
        cmocka_unit_test(different_constants_are_different_partitions),
        cmocka_unit_test(columns_that_are_added_are_looked_at),
        cmocka_unit_test(rows_that_are_read_from_the_highest_on_are_no_queue),
        cmocka_unit_test(one_row_a_day_is_no_endless_partition),
        cmocka_unit_test(datacenters_of_any_name_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
