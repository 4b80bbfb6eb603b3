// SPDX-License-Identifier: MIT
#include "corm/schema.h"

#include "testing/check.h"
#include "testing/script.h"

#define COLUMNS                                                                                    \
    "SELECT column_name, type, kind, position, clustering_order FROM system_schema.columns WHERE " \
    "keyspace_name = ? AND table_name = ?"
#define INDEXES                                                                                    \
    "SELECT options FROM system_schema.indexes WHERE keyspace_name = ? AND table_name = ?"
#define TABLES "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?"
#define KEYSPACES "SELECT keyspace_name FROM system_schema.keyspaces"
#define ONE_KEYSPACE KEYSPACES " WHERE keyspace_name = ?"

static const char *const names[] = { "keyspace_name text", "table_name text", NULL };
static const char *const name[] = { "keyspace_name text", NULL };
static const char *const column_columns[] = {
    "column_name text", "type text", "kind text", "position int", "clustering_order text", NULL
};
static const char *const columns[] = { "'tags'",  "'set<text>'", "'regular'",       "-1", "'none'",
                                       "'day'",   "'date'",      "'clustering'",    "1",  "'desc'",
                                       "'Email'", "'text'",      "'regular'",       "-1", "'none'",
                                       "'total'", "'int'",       "'static'",        "-1", "'none'",
                                       "'shop'",  "'uuid'",      "'partition_key'", "0",  "'none'",
                                       "'seq'",   "'int'",       "'clustering'",    "0",  "'asc'",
                                       NULL };
static const char *const counter_columns[] = { "'k'",       "'int'",     "'partition_key'",
                                               "0",         "'none'",    "'c'",
                                               "'counter'", "'regular'", "-1",
                                               "'none'",    NULL };
static const char *const index_columns[] = { "options map<text, text>", NULL };
static const char *const indexes[] = { "{'target': '\"Email\"'}", "{'target': 'values(tags)'}",
                                       "{'class_name': 'x'}", "null", NULL };
static const char *const no_indexes[] = { NULL };
static const char *const table_columns[] = { "table_name text", NULL };
static const char *const tables[] = { "'users'", "'orders'", "'products'", NULL };
static const char *const keyspace_columns[] = { "keyspace_name text", NULL };
static const char *const keyspaces[] = { "'system'", "'shop'", NULL };

static const testing_line lines[] = {
    { .text = COLUMNS, .markers = names, .columns = column_columns, .cells = columns },
    { .text = INDEXES, .markers = names, .columns = index_columns, .cells = indexes },
    { .text = TABLES, .markers = name, .columns = table_columns, .cells = tables },
    { .text = KEYSPACES, .columns = keyspace_columns, .cells = keyspaces },
    { .text = ONE_KEYSPACE, .markers = name, .columns = keyspace_columns, .cells = keyspaces },
    { 0 },
};

static const testing_line counter_lines[] = {
    { .text = COLUMNS, .markers = names, .columns = column_columns, .cells = counter_columns },
    { .text = INDEXES, .markers = names, .columns = index_columns, .cells = no_indexes },
    { 0 },
};

static const testing_line empty_lines[] = {
    { .text = COLUMNS, .markers = names, .columns = column_columns },
    { .text = TABLES, .markers = name, .columns = table_columns },
    { .text = ONE_KEYSPACE, .markers = name, .columns = keyspace_columns },
    { .text = KEYSPACES, .columns = keyspace_columns },
    { 0 },
};

static void a_table_s_columns_come_in_key_order_then_by_name(void **state) {
    (void)state;
    static const struct {
        const char *name, *type;
        corm_key    key;
        bool        indexed;
    } expected[] = {
        { "shop", "uuid", CORM_PARTITION, false },      { "seq", "int", CORM_CLUSTERING, false },
        { "day", "date", CORM_CLUSTERING_DESC, false }, { "total", "int", CORM_STATIC, false },
        { "Email", "text", CORM_REGULAR, true },        { "tags", "set<text>", CORM_REGULAR, true },
    };
    testing_script         script = TESTING_SCRIPT(lines);
    corm_session          *session = testing__scripted_session(&script);
    const corm_table_info *table;
    corm_error             err;
    assert_ok(corm_table_read(session, "shop", "sales", &table, &err), err);
    assert_string_equal(table->keyspace, "shop");
    assert_string_equal(table->name, "sales");
    assert_false(table->is_counter);
    assert_int_equal(table->column_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_string_equal(table->columns[i].name, expected[i].name);
        assert_string_equal(table->columns[i].type, expected[i].type);
        assert_int_equal(table->columns[i].key, expected[i].key);
        assert_int_equal(table->columns[i].indexed, expected[i].indexed);
    }
    assert_int_equal(table->columns[2].position, 1);
    corm_table_free(table);
    corm_table_free(NULL);
    corm_session_close(session);
}

static void a_counter_table_is_told_by_its_columns(void **state) {
    (void)state;
    testing_script         script = TESTING_SCRIPT(counter_lines);
    corm_session          *session = testing__scripted_session(&script);
    const corm_table_info *table;
    corm_error             err;
    assert_ok(corm_execute(session, "USE shop", NULL, { .error = &err }), err);
    assert_ok(corm_table_read(session, NULL, "hits", &table, &err), err);
    assert_string_equal(table->keyspace, "shop");
    assert_true(table->is_counter);
    corm_table_free(table);
    corm_session_close(session);
}

static void names_are_sorted(void **state) {
    (void)state;
    testing_script     script = TESTING_SCRIPT(lines);
    corm_session      *session = testing__scripted_session(&script);
    const char *const *list;
    uint32_t           count;
    corm_error         err;
    assert_ok(corm_keyspaces(session, &list, &count, &err), err);
    assert_int_equal(count, 2);
    assert_string_equal(list[0], "shop");
    assert_string_equal(list[1], "system");
    corm_names_free(list);
    assert_ok(corm_tables(session, "shop", &list, &count, &err), err);
    assert_int_equal(count, 3);
    assert_string_equal(list[0], "orders");
    assert_string_equal(list[2], "users");
    assert_null(list[3]);
    corm_names_free(list);
    corm_names_free(NULL);
    corm_session_close(session);
}

static void what_is_not_there_is_not_found(void **state) {
    (void)state;
    testing_script         script = TESTING_SCRIPT(empty_lines);
    corm_session          *session = testing__scripted_session(&script);
    const corm_table_info *table;
    const char *const     *list;
    uint32_t               count;
    corm_error             err;
    assert_status(corm_table_read(session, "shop", "nope", &table, &err), CORM_NOT_FOUND);
    assert_string_equal(err.message, "there is no table shop.nope");
    assert_null(table);
    assert_status(corm_tables(session, "nope", &list, &count, &err), CORM_NOT_FOUND);
    assert_string_equal(err.message, "there is no keyspace 'nope'");
    assert_null(list);
    assert_ok(corm_keyspaces(session, &list, &count, &err), err);
    assert_int_equal(count, 0);
    corm_names_free(list);
    corm_session_close(session);
}

static void the_door_s_error_is_passed_on(void **state) {
    (void)state;
    testing_script         script = TESTING_SCRIPT(NULL);
    corm_session          *session = testing__scripted_session(&script);
    const corm_table_info *table;
    const char *const     *list;
    uint32_t               count;
    corm_error             err;
    assert_status(corm_table_read(session, "a", "b", &table, &err), CORM_SYNTAX_ERROR);
    assert_status(corm_tables(session, "a", &list, &count, &err), CORM_SYNTAX_ERROR);
    assert_status(corm_keyspaces(session, &list, &count, &err), CORM_SYNTAX_ERROR);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_table_s_columns_come_in_key_order_then_by_name),
    cmocka_unit_test(a_counter_table_is_told_by_its_columns),
    cmocka_unit_test(names_are_sorted),
    cmocka_unit_test(what_is_not_there_is_not_found),
    cmocka_unit_test(the_door_s_error_is_passed_on),
};

RUN_TESTS()
