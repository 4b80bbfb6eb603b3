// SPDX-License-Identifier: MIT
/* qualify_test.c -- a keyspace put into texts; and over every statement of tests/golden: what was qualified once names all it
 * is about, so that another keyspace changes nothing any more. */
#include "base/text.h"
#include "driver/prepared.h"
#include "testing/check.h"

#include <dirent.h>

static bool qualify(corm_str text, const char *keyspace, base_buf *out) {
    bool       done = false;
    corm_error err;
    base__buf_clear(out);
    assert_ok(driver__qualify(text, corm_str_of(keyspace), out, &done, &err), err);
    if (!done) assert_int_equal(out->len, 0);
    return done;
}

static void assert_qualified(const char *cql, const char *expected) {
    base_buf out = { 0 };
    assert_true(qualify(corm_str_of(cql), "ks", &out));
    assert_string_equal(base__buf_cstr(&out), expected);
    base__buf_free(&out);
}

static void tables_get_the_keyspace_where_they_have_none(void **state) {
    (void)state;
    assert_qualified("select * from t where k = ?", "SELECT * FROM ks.t WHERE k = ?");
    assert_qualified("INSERT INTO t (k) VALUES (now())", "INSERT INTO ks.t (k) VALUES (now())");
    assert_qualified("INSERT INTO own.t (k) VALUES (1)", "INSERT INTO own.t (k) VALUES (1)");
    assert_qualified("UPDATE \"T\" SET v = :v WHERE k = 1",
                     "UPDATE ks.\"T\" SET v = :v WHERE k = 1");
    assert_qualified("DELETE FROM t WHERE k = 1", "DELETE FROM ks.t WHERE k = 1");
    assert_qualified("TRUNCATE t", "TRUNCATE ks.t");
}

static void the_statements_of_a_batch_get_it_each(void **state) {
    (void)state;
    assert_qualified(
        "BEGIN BATCH DELETE FROM a WHERE k = 1; DELETE FROM own.b WHERE k = 1; APPLY BATCH",
        "BEGIN BATCH DELETE FROM ks.a WHERE k = 1; DELETE FROM own.b WHERE k = 1; APPLY BATCH");
}

static void schema_statements_get_it_for_what_they_are_about(void **state) {
    (void)state;
    assert_qualified("CREATE TABLE t (k int PRIMARY KEY, a frozen<address>)",
                     "CREATE TABLE ks.t (k int PRIMARY KEY, a frozen<address>)");
    assert_qualified("CREATE TYPE address (street text)", "CREATE TYPE ks.address (street text)");
    assert_qualified("CREATE INDEX ON t (v)", "CREATE INDEX ON ks.t (v)");
    assert_qualified("DROP TABLE IF EXISTS t", "DROP TABLE IF EXISTS ks.t");
    assert_qualified("DROP INDEX i", "DROP INDEX ks.i");
    assert_qualified("ALTER TABLE t ADD v int", "ALTER TABLE ks.t ADD v int");
    assert_qualified("GRANT SELECT ON t TO r", "GRANT SELECT ON TABLE ks.t TO r");
}

static void statements_about_no_table_stay(void **state) {
    (void)state;
    assert_qualified("USE other", "USE other");
    assert_qualified("DROP KEYSPACE other", "DROP KEYSPACE other");
    assert_qualified("LIST ROLES", "LIST ROLES");
}

static void keyspaces_with_other_letters_are_quoted(void **state) {
    (void)state;
    base_buf out = { 0 };
    assert_true(qualify(corm_str_of("SELECT * FROM t"), "My Shop", &out));
    assert_string_equal(base__buf_cstr(&out), "SELECT * FROM \"My Shop\".t");
    base__buf_free(&out);
}

static void what_cannot_be_read_needs_use(void **state) {
    (void)state;
    base_buf out = { 0 };
    assert_false(qualify(corm_str_of("SELECT * FROM t BYPASS CACHE"), "ks", &out));
    assert_false(qualify(corm_str_of("DESCRIBE TABLES"), "ks", &out));
    base__buf_free(&out);
}

/* ---- tests/golden ---- */

typedef struct counts {
    uint32_t files, qualified, other;
} counts;

static void check_statement(corm_str text, counts *all) {
    base_buf once = { 0 }, twice = { 0 };
    if (qualify(text, "first", &once)) {
        all->qualified++;
        if (!qualify(base__buf_str(&once), "second", &twice)) {
            fail_msg("cannot be read again: %s", base__buf_cstr(&once));
        }
        assert_string_equal(base__buf_cstr(&once), base__buf_cstr(&twice));
    } else {
        all->other++;
    }
    base__buf_free(&once);
    base__buf_free(&twice);
}

static void check_file(const char *path, counts *all) {
    base_buf text = { 0 };
    FILE    *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t got = 1; got > 0; text.len += got) {
        assert_true(base__buf_reserve(&text, 65536));
        got = fread(text.data + text.len, 1, 65536, file);
    }
    fclose(file);
    corm_str rest = base__buf_str(&text), statement;
    bool     complete;
    while (cql__split(rest, &statement, &rest, &complete, NULL)) check_statement(statement, all);
    base__buf_free(&text);
    all->files++;
}

static void check_folder(const char *path, counts *all) {
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char   name[1024];
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (len > 4 && strcmp(entry->d_name + len - 4, ".cql") == 0)
            check_file(name, all);
        else
            check_folder(name, all);
    }
    closedir(folder);
}

static void every_golden_statement_names_all_it_is_about(void **state) {
    (void)state;
    counts all = { 0 };
    check_folder(CORM_SOURCE_DIR "/tests/golden", &all);
    print_message("%u files, %u statements qualified, %u not\n", all.files, all.qualified,
                  all.other);
    assert_true(all.files > 0 && all.qualified > all.other);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tables_get_the_keyspace_where_they_have_none),
    cmocka_unit_test(the_statements_of_a_batch_get_it_each),
    cmocka_unit_test(schema_statements_get_it_for_what_they_are_about),
    cmocka_unit_test(statements_about_no_table_stay),
    cmocka_unit_test(keyspaces_with_other_letters_are_quoted),
    cmocka_unit_test(what_cannot_be_read_needs_use),
    cmocka_unit_test(every_golden_statement_names_all_it_is_about),
};

RUN_TESTS()
