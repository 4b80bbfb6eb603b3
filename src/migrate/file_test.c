// SPDX-License-Identifier: MIT
#include "migrate/core.h"

#include "testing/check.h"

static corm_status parse(base_arena *arena, const char *text, migrate_unit **out, corm_error *err) {
    return migrate__parse_file(arena, corm_str_of("001_x"), corm_str_of("m/001_x.cql"),
                               corm_str_of(text), out, err);
}

static migrate_unit *parsed(base_arena *arena, const char *text) {
    migrate_unit *unit;
    corm_error    err = { 0 };
    assert_ok(parse(arena, text, &unit, &err), err);
    return unit;
}

static void a_file_has_a_description_and_two_ways(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    migrate_unit *unit =
        parsed(&arena, "-- Add preferences\n-- more\n-- up\n"
                       "alter table users add p text;\n\nINSERT INTO l (k) VALUES (1)\n;\n"
                       "-- Down\nALTER TABLE users DROP p;\n");
    assert_string_equal(unit->id.data, "001_x");
    assert_string_equal(unit->description.data, "Add preferences");
    assert_int_equal(unit->up.count, 2);
    assert_string_equal(unit->up.items[0].text.data, "ALTER TABLE users ADD p text");
    assert_string_equal(unit->up.items[1].place.data, "m/001_x.cql:6");
    assert_true(unit->has_down);
    assert_int_equal(unit->down.count, 1);
    base__arena_free(&arena);
}

static void a_file_without_sections_goes_up(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    migrate_unit *unit = parsed(&arena, "CREATE TABLE t (k int PRIMARY KEY); /* -- down */");
    assert_int_equal(unit->up.count, 1);
    assert_false(unit->has_down);
    assert_string_equal(unit->description.data, "");
    unit = parsed(&arena, "DROP TABLE t;\n-- down\n");
    assert_true(unit->has_down);
    assert_int_equal(unit->down.count, 0);
    base__arena_free(&arena);
}

static void comments_and_white_space_do_not_count_in_the_checksum(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    migrate_unit *a = parsed(&arena, "DROP TABLE t;"),
                 *b = parsed(&arena, "-- x\ndrop  table\n t ;");
    migrate_unit *c = parsed(&arena, "DROP TABLE u;"),
                 *d = parsed(&arena, "-- down\nDROP TABLE t;");
    assert_int_equal(strlen(a->checksum), 64);
    assert_string_equal(a->checksum, b->checksum);
    assert_string_not_equal(a->checksum, c->checksum);
    assert_string_not_equal(a->checksum, d->checksum);
    base__arena_free(&arena);
}

static void all_faults_of_a_file_are_told_with_their_places(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    migrate_unit *unit;
    corm_error    err = { 0 };
    assert_status(parse(&arena, "-- up\nCREATE TABEL t (k int);\nUSE x;\nSELEC 1;\n", &unit, &err),
                  CORM_SYNTAX_ERROR);
    assert_non_null(strstr(err.message, "m/001_x.cql:2: line 1:7"));
    assert_non_null(strstr(err.message, "m/001_x.cql:3: USE has no place"));
    assert_non_null(strstr(err.message, "m/001_x.cql:4:"));
    assert_status(parse(&arena, "-- up\n-- up\n", &unit, &err), CORM_INVALID_ARGUMENT);
    assert_string_equal(err.message, "m/001_x.cql:2: there is a section '-- up' already");
    assert_status(parse(&arena, "INSERT INTO t (k) VALUES (?)", &unit, &err),
                  CORM_INVALID_ARGUMENT);
    base__arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_a_description_and_two_ways),
        cmocka_unit_test(a_file_without_sections_goes_up),
        cmocka_unit_test(comments_and_white_space_do_not_count_in_the_checksum),
        cmocka_unit_test(all_faults_of_a_file_are_told_with_their_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
