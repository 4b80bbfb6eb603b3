// SPDX-License-Identifier: MIT
/* check_test.c -- the checker against answers recorded from a server (the folder tests/checker, in the form of golden files), and
 * its doors. */
#include "testing/check_cases.h"

#include <stdlib.h>

#include "testing/memory.h"

/* ---- recorded answers ---- */

enum { MOST_EXPECTED = 8 };

/* One statement of a file and what the server answers. */
typedef struct unit {
    const char *statement;
    const char *expected[MOST_EXPECTED];
    uint32_t    count;
    bool        prepared;
} unit;

static char *read_file(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/checker/%s.cql", CORM_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t len = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(len + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, len, file), len);
    text[len] = '\0';
    fclose(file);
    return text;
}

static char *next_line(char **rest) {
    char *line = *rest, *end = strchr(line, '\n');
    if (!*line) return NULL;
    *rest = end ? end + 1 : line + strlen(line);
    if (end) *end = '\0';
    return line;
}

/* Statements of these files are one line each. */
static bool next_unit(char **rest, unit *out) {
    char *line;
    *out = (unit){ 0 };
    while ((line = next_line(rest)) && (!*line || strncmp(line, "--", 2) == 0)) {
        if (strcmp(line, "-- prepare") == 0) out->prepared = true;
    }
    if (!line) return false;
    line[strlen(line) - 1] = '\0';
    out->statement = line;
    while (strncmp(*rest, "-- ", 3) == 0 && out->count < MOST_EXPECTED)
        out->expected[out->count++] = next_line(rest) + 3;
    return true;
}

static void put_type(const cql_type *type, base_buf *out) {
    static const char *const before[] = { "list<", "map<", "set<" };
    if (type->id == CQL_LIST || type->id == CQL_SET || type->id == CQL_MAP ||
        type->id == CQL_TUPLE || type->id == CQL_VECTOR) {
        base__buf_puts(out, type->id == CQL_TUPLE    ? "tuple<"
                            : type->id == CQL_VECTOR ? "vector<"
                                                     : before[type->id - CQL_LIST]);
        for (uint32_t i = 0; i < type->count; i++) {
            if (i > 0) base__buf_puts(out, ", ");
            put_type(type->params[i], out);
        }
        if (type->id == CQL_VECTOR) base__buf_printf(out, ", %u", type->dimension);
        base__buf_u8(out, '>');
    } else if (type->id == CQL_UDT) {
        base__buf_put_str(out, type->name);
    } else {
        cql__type_print(type, out);
    }
}

static void put_named(corm_str name, const cql_type *type, bool first, base_buf *out) {
    base__buf_printf(out, "%s %.*s ", first ? "" : ",", (int)name.len, name.data);
    if (type) put_type(type, out);
}

/* What the checker says of the statement, as the server's answer is written. */
static void put_answer(const check_world *w, corm_status status, bool prepared, base_buf *out) {
    const cql_checked *checked = w->checked;
    if (status != CORM_OK) {
        base__buf_printf(out, "error %04x: %s", (unsigned)corm_status_server_code(status),
                         w->error.message);
        return;
    }
    if (prepared) {
        base__buf_puts(out, "markers:");
        for (uint32_t i = 0; i < checked->marker_count; i++) {
            put_named(checked->markers[i].name, checked->markers[i].type, i == 0, out);
        }
        if (checked->partition_marker_count > 0) base__buf_puts(out, "\npartition-key:");
        for (uint32_t i = 0; i < checked->partition_marker_count; i++) {
            base__buf_printf(out, " %u", checked->partition_markers[i]);
        }
    }
    if (checked->refused && !prepared) {
        base__buf_printf(out, "error 2200: %s", checked->refused);
        return;
    }
    if (!checked->select) return;
    base__buf_puts(out, prepared ? "\ncolumns:" : "columns:");
    for (uint32_t i = 0; i < checked->select->column_count; i++) {
        put_named(checked->select->columns[i].name, checked->select->columns[i].type, i == 0, out);
    }
}

static bool same_answer(const unit *u, const char *answer) {
    size_t at = 0;
    if (u->count > 0 && u->expected[0][strlen(u->expected[0]) - 1] == '*') {
        return strncmp(u->expected[0], answer, strlen(u->expected[0]) - 1) == 0;
    }
    for (uint32_t i = 0; i < u->count; i++) {
        size_t len = strlen(u->expected[i]);
        if (strncmp(answer + at, u->expected[i], len) != 0) return false;
        at += len;
        if (i + 1 < u->count && answer[at++] != '\n') return false;
    }
    return answer[at] == '\0';
}

/* Whichever allocation fails, the statement says so, or is refused as it is with memory, and leaves nothing behind. */
static void check_without_memory(check_world *w, const char *statement, corm_status whole) {
    bool failed = testing__memory_can_fail();
    for (size_t n = 0; failed; n++) {
        cql_checked *checked = NULL;
        corm_error   err = { 0 };
        long         live = testing__memory_live();
        testing__memory_fail_from(n);
        corm_status status = cql__check_text(corm_str_of(statement), w->schema,
                                             corm_str_of(w->keyspace), &checked, &err);
        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        bool refused =
            status == whole && whole != CORM_OK && strcmp(err.message, w->error.message) == 0;
        if (failed && status != CORM_NO_MEMORY && !refused)
            fail_msg("allocation %zu of %s: %s", n, statement, err.message);
        cql__checked_free(checked);
        assert_int_equal(testing__memory_live(), live);
    }
}

static void run_file(const char *name) {
    char       *text = read_file(name), *rest = text;
    check_world w;
    unit        u;
    int         wrong = 0;
    world_open_empty(&w, "golden");
    while (next_unit(&rest, &u)) {
        base_buf answer = { 0 };
        if (strncmp(u.statement, "CREATE", 6) == 0) {
            world_apply(&w, u.statement);
            continue;
        }
        corm_status status = world_check(&w, u.statement);
        put_answer(&w, status, u.prepared, &answer);
        check_without_memory(&w, u.statement, status);
        if (!same_answer(&u, base__buf_cstr(&answer))) {
            print_message("%s\n  expected %s\n  answered %s\n", u.statement,
                          u.count > 0 ? u.expected[0] : "", base__buf_cstr(&answer));
            wrong++;
        }
        base__buf_free(&answer);
    }
    world_close(&w);
    free(text);
    assert_int_equal(wrong, 0);
}

static void statements_made_up_at_random_are_answered_as_by_the_server(void **state) {
    (void)state;
    run_file("random");
}

static void terms_are_checked_as_by_the_server(void **state) {
    (void)state;
    run_file("terms");
}

static void selections_are_checked_as_by_the_server(void **state) {
    (void)state;
    run_file("selections");
}

static void groups_and_literals_of_columns_are_checked_as_by_the_server(void **state) {
    (void)state;
    run_file("groups");
}

static void rows_are_restricted_as_by_the_server(void **state) {
    (void)state;
    run_file("where");
}

static void modifications_are_checked_as_by_the_server(void **state) {
    (void)state;
    run_file("modifications");
}

/* ---- doors ---- */

static const char *const tables[] = { "CREATE TABLE t (k int, c int, v text, PRIMARY KEY (k, c))",
                                      "CREATE TABLE n (k int PRIMARY KEY, n counter)", NULL };

static void ddl_and_describe_pass_through(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    assert_int_equal(world_good(&w, "DROP TABLE t")->kind, CQL_STMT_DROP_TABLE);
    assert_int_equal(world_good(&w, "TRUNCATE t")->kind, CQL_STMT_TRUNCATE);
    assert_int_equal(world_good(&w, "DESCRIBE TABLES")->kind, CQL_STMT_DESCRIBE);
    assert_int_equal(world_good(&w, "USE ks")->kind, CQL_STMT_USE);
    world_refuses(&w, "USE nowhere", "Keyspace 'nowhere' does not exist");

    world_close(&w);
}

static void names_that_do_not_exist_are_told_with_their_place(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    world_refuses(&w, "SELECT nope FROM t", "Undefined column name nope in table ks.t");
    assert_int_equal(w.error.line, 1);
    assert_int_equal(w.error.column, 7);
    world_refuses(&w, "SELECT \"No pe\" FROM t", "Undefined column name \"No pe\" in table ks.t");
    world_refuses(&w, "SELECT * FROM nope", "table nope does not exist");
    world_refuses(&w, "SELECT * FROM nope.t", "keyspace nope does not exist");
    cql__checked_free(w.checked);
    w.checked = NULL;
    assert_status(cql__check_text(corm_str_of("SELECT * FROM t"), w.schema, corm_str_of(""),
                                  &w.checked, &w.error),
                  CORM_INVALID);
    assert_string_equal(
        w.error.message,
        "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");

    world_close(&w);
}

static void a_syntax_error_comes_from_the_parser(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    assert_status(world_check(&w, "SELEC 1"), CORM_SYNTAX_ERROR);
    assert_null(w.checked);

    world_close(&w);
}

static void what_can_only_be_prepared_says_so_when_it_is_executed(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);

    world_good(&w, "DELETE v FROM t WHERE k = 1");
    assert_status(cql__check_values(w.checked, NULL, 0, &w.error), CORM_INVALID);
    assert_string_equal(w.error.message, "Range deletions are not supported for specific columns");
    world_good(&w, "SELECT * FROM t WHERE k = 1 AND (c) > (1) AND v = 'a' ALLOW FILTERING");
    assert_null(w.checked->refused);

    world_close(&w);
}

static void a_checked_statement_may_be_null(void **state) {
    (void)state;
    cql__checked_free(NULL);
}

static void too_many_markers_are_refused(void **state) {
    (void)state;
    check_world w;
    base_buf    text = { 0 };
    world_open(&w, tables);

    base__buf_puts(&text, "SELECT * FROM t WHERE k IN (?");
    for (int i = 0; i < UINT16_MAX; i++) base__buf_puts(&text, ",?");
    base__buf_puts(&text, ")");
    world_refuses(&w, base__buf_cstr(&text),
                  "Too many markers(?). 65536 markers exceed the allowed maximum of 65535");

    base__buf_free(&text);
    world_close(&w);
}

static void deeply_nested_operators_are_checked_in_time(void **state) {
    (void)state;
    check_world w;
    base_buf    text = { 0 };
    world_open(&w, tables);

    base__buf_puts(&text, "SELECT * FROM t WHERE k = ");
    for (int i = 0; i < 60; i++) base__buf_puts(&text, "-(");
    base__buf_puts(&text, "1 + 1");
    for (int i = 0; i < 60; i++) base__buf_puts(&text, ")");
    corm_status status = world_check(&w, base__buf_cstr(&text));
    assert_true(status == CORM_OK || status == CORM_INVALID || status == CORM_SYNTAX_ERROR);

    base__buf_free(&text);
    world_close(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(statements_made_up_at_random_are_answered_as_by_the_server),
    cmocka_unit_test(terms_are_checked_as_by_the_server),
    cmocka_unit_test(selections_are_checked_as_by_the_server),
    cmocka_unit_test(groups_and_literals_of_columns_are_checked_as_by_the_server),
    cmocka_unit_test(rows_are_restricted_as_by_the_server),
    cmocka_unit_test(modifications_are_checked_as_by_the_server),
    cmocka_unit_test(ddl_and_describe_pass_through),
    cmocka_unit_test(names_that_do_not_exist_are_told_with_their_place),
    cmocka_unit_test(a_syntax_error_comes_from_the_parser),
    cmocka_unit_test(what_can_only_be_prepared_says_so_when_it_is_executed),
    cmocka_unit_test(a_checked_statement_may_be_null),
    cmocka_unit_test(too_many_markers_are_refused),
    cmocka_unit_test(deeply_nested_operators_are_checked_in_time),
};
RUN_TESTS()
