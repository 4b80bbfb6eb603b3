// SPDX-License-Identifier: MIT
#include "cli/complete.h"
#include "testing/check.h"

static corm_session *session;

static int open_store(void **state) {
    (void)state;
    static const char *const statements[] = {
        "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "USE shop",
        "CREATE TABLE products (id int PRIMARY KEY, price int, \"Pretty\" text)",
        "CREATE TABLE people (id int PRIMARY KEY, email text)",
    };
    if (corm_session_open(&session, "corm::memory:", NULL, NULL) != CORM_OK) return -1;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (corm_execute_with(session, statements[i], NULL, NULL) != CORM_OK) return -1;
    return 0;
}

static int close_store(void **state) {
    (void)state;
    corm_session_close(session);
    return 0;
}

/* The words at the bar, one behind the other. */
static void assert_words(const char *text, const char *wanted) {
    base_arena     arena = { 0 };
    base_buf       plain = { 0 }, got = { 0 };
    cli_completion completion;
    size_t         at = (size_t)(strchr(text, '|') - text);
    base__buf_put(&plain, text, at);
    base__buf_puts(&plain, text + at + 1);
    cli__complete(session, base__buf_str(&plain), at, &arena, &completion);
    for (uint32_t i = 0; i < completion.count; i++)
        base__buf_printf(&got, "%s%.*s", i ? " " : "", (int)completion.words[i].len,
                         completion.words[i].data);
    assert_string_equal(base__buf_cstr(&got), wanted);
    base__buf_free(&plain);
    base__buf_free(&got);
    base__arena_free(&arena);
}

static void a_statement_begins_with_a_verb(void **state) {
    (void)state;
    assert_words("SEL|", "SELECT");
    assert_words("sel|", "select");
    assert_words("S|", "SELECT SERIAL SHOW SOURCE");
    assert_words("Xyz|", "");
}

static void behind_from_come_tables_and_keyspaces(void **state) {
    (void)state;
    assert_words("SELECT * FROM p|", "people products");
    assert_words("SELECT * FROM sh|", "shop");
    assert_words("SELECT * FROM shop.pr|", "products");
    assert_words("INSERT INTO pe|", "people");
    assert_words("UPDATE pr|", "products");
    assert_words("DROP TABLE IF EXISTS pr|", "products");
    assert_words("TRUNCATE pe|", "people");
    assert_words("DESC TABLE pe|", "people");
    assert_words("USE system_s|", "system_schema");
}

static void columns_are_those_of_the_statements_table(void **state) {
    (void)state;
    assert_words("SELECT pri| FROM products", "price primary");
    assert_words("SELECT * FROM people WHERE ema|", "email");
    assert_words("SELECT * FROM shop.people WHERE |", "email id");
    assert_words("SELECT * FROM products WHERE \"Pr|", "\"Pretty\"");
    assert_words("SELECT \"Pr|\" FROM products", "\"Pretty\"");
    assert_words("SELECT x FROM nowhere WHERE |", "");
}

static void a_keyword_is_followed_by_what_the_grammar_wants(void **state) {
    (void)state;
    assert_words("SELECT * FROM t ORDER |", "BY");
    assert_words("CREATE TABLE IF |", "EXISTS NOT");
    assert_words("BEGIN |", "BATCH COUNTER UNLOGGED");
    assert_words("consistency local_|", "local_one local_quorum local_serial");
    assert_words("SELECT * FROM people ALLOW |", "FILTERING");
}

static void functions_are_completed_too(void **state) {
    (void)state;
    assert_words("SELECT to_unix|", "to_unix_timestamp");
    assert_words("SELECT writet| FROM people", "writetime");
}

static void the_common_beginning_of_words_is_found(void **state) {
    (void)state;
    corm_str       words[] = { { "price", 5 }, { "primary", 7 } };
    cli_completion completion = { .count = 2, .words = words };
    assert_int_equal(cli__common_prefix(&completion), 3);
    completion.count = 0;
    assert_int_equal(cli__common_prefix(&completion), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_begins_with_a_verb),
        cmocka_unit_test(behind_from_come_tables_and_keyspaces),
        cmocka_unit_test(columns_are_those_of_the_statements_table),
        cmocka_unit_test(a_keyword_is_followed_by_what_the_grammar_wants),
        cmocka_unit_test(functions_are_completed_too),
        cmocka_unit_test(the_common_beginning_of_words_is_found),
    };
    return cmocka_run_group_tests(tests, open_store, close_store);
}
