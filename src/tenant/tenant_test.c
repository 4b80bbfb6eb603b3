// SPDX-License-Identifier: MIT
/* Two tenants over one session, in each strategy: what each reads and writes, and what is refused. */
#include <stdlib.h>

#include "tenant/tenant_for_tests.h"

static two_tenants          two;
static corm_tenant_strategy strategy;

static int open_two(void **state) {
    (void)state;
    two_open(&two, strategy, (corm_tenants_options){ 0 });
    two_run(two.a, "INSERT INTO users (id, name, tags) VALUES (1, 'ann', {'a'})");
    two_run(two.b, "INSERT INTO users (id, name) VALUES (1, 'bob')");
    two_run(two.b, "INSERT INTO users (id, name) VALUES (2, 'bea')");
    for (int i = 0; i < 4; i++) {
        char cql[200];
        snprintf(cql, sizeof cql,
                 "INSERT INTO events (user, at, what, note) VALUES (%d, %d, 'e%d', 'n')", i / 2, i,
                 i);
        two_run(i < 3 ? two.a : two.b, cql);
    }
    return 0;
}

static int close_two(void **state) {
    (void)state;
    two_close(&two);
    return 0;
}

static void is(corm_session *session, const char *cql, const char *rows) {
    const char *got = two_rows(session, cql);
    if (strcmp(got, rows) != 0)
        fail_msg("%s (%s): \"%s\" instead of \"%s\"", cql, strategy_names[strategy], got, rows);
}

/* The statement is refused with a message that has the text and no physical name. */
static void refused(corm_session *session, const char *cql, const char *part) {
    const char *got = two_rows(session, cql);
    if (strncmp(got, "ERROR", 5) != 0 || !strstr(got, part) || strstr(got, "__") ||
        strstr(got, "blue")) {
        fail_msg("%s (%s): \"%s\" instead of an error with \"%s\"", cql, strategy_names[strategy],
                 got, part);
    }
}

static void each_tenant_reads_its_own_rows(void **state) {
    (void)state;
    is(two.a, "SELECT id, name FROM users", "1|ann\n");
    is(two.a, "SELECT * FROM users", "1|null|ann|{'a'}\n");
    is(two.b, "SELECT count(*) FROM tenants_t.users", "2\n");
    is(two.a, "SELECT JSON * FROM users WHERE id = 1",
       "{\"id\": 1, \"home\": null, \"name\": \"ann\", \"tags\": [\"a\"]}\n");
    is(two.a, "SELECT name FROM users WHERE id IN (1, 2)", "ann\n");
    is(two.a, "SELECT id FROM users WHERE name = 'bob'", "");
    is(two.b, "SELECT id FROM users WHERE name = 'bob'", "1\n");
    is(two.a, "SELECT DISTINCT user FROM events WHERE user = 1", "1\n");
    is(two.a, "SELECT user, count(*) FROM events WHERE user = 0 GROUP BY user", "0|2\n");
    is(two.a, "SELECT max(at) FROM events", "2\n");
    is(two.b, "SELECT max(at), min(at) FROM events", "3|3\n");
    is(two.a, "SELECT at FROM events WHERE user = 0 ORDER BY at DESC LIMIT 1", "1\n");
    is(two.a, "SELECT at FROM events PER PARTITION LIMIT 1 LIMIT 10",
       strcmp(two_rows(two.a, "SELECT DISTINCT user FROM events"), "0\n1\n") == 0 ? "0\n2\n"
                                                                                  : "2\n0\n");
    is(two.b, "SELECT what FROM events WHERE token(user) >= token(1) AND token(user) <= token(1)",
       "e3\n");
    is(two.b, "SELECT JSON DISTINCT user FROM events", "{\"user\": 1}\n");
    is(two.a, "SELECT what FROM events WHERE at = 2 ALLOW FILTERING", "e2\n");
}

static void what_needs_filtering_still_needs_it(void **state) {
    (void)state;
    refused(two.a, "SELECT * FROM events WHERE what = 'e1'", "ALLOW FILTERING");
    refused(two.a, "SELECT * FROM events WHERE at = 1", "ALLOW FILTERING");
    is(two.a, "SELECT at FROM events WHERE what = 'e3' ALLOW FILTERING", "");
}

static void names_of_results_are_the_tenants(void **state) {
    (void)state;
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_execute(two.a, "SELECT token(user), user, what FROM events", &result,
                           { .error = &err }),
              err);
    assert_text(corm_result_column_name(result, 0), "system.token(user)");
    uint32_t                 count;
    const cql_result_column *columns = session__result_columns(result, &count);
    assert_int_equal(count, 3);
    assert_text(columns[1].keyspace, "tenants_t");
    assert_text(columns[1].table, "events");
    corm_result_free(result);
    assert_ok(corm_execute(two.a, "SELECT * FROM users", &result, { .error = &err }), err);
    assert_int_equal(corm_result_column_count(result), 4);
    assert_text(corm_result_column_name(result, 0), "id");
    columns = session__result_columns(result, &count);
    assert_text(columns[1].type->name, "address");
    assert_text(columns[1].type->keyspace, "tenants_t");
    corm_result_free(result);
}

static void writes_reach_the_tenants_rows_only(void **state) {
    (void)state;
    two_run(two.a, "UPDATE users SET name = 'eve' WHERE id = 2");
    two_run(two.a, "DELETE FROM users WHERE id = 1");
    two_run(two.a, "UPDATE hits SET n = n + 5 WHERE page = 'p'");
    two_run(two.b, "UPDATE hits SET n = n + 2 WHERE page = 'p'");
    two_run(
        two.a,
        "BEGIN BATCH INSERT INTO users (id, name) VALUES (7, 'x'); UPDATE users SET name = 'y' WHERE id = 8; "
        "DELETE FROM events WHERE user = 1; APPLY BATCH");
    is(two.a, "SELECT name FROM users WHERE id IN (1, 2, 7, 8)", "eve\nx\ny\n");
    is(two.b, "SELECT name FROM users WHERE id IN (1, 2, 7, 8)", "bob\nbea\n");
    is(two.a, "SELECT n FROM hits", "5\n");
    is(two.b, "SELECT n FROM hits", "2\n");
    is(two.a, "SELECT at FROM events WHERE user = 1", "");
    is(two.b, "SELECT at FROM events WHERE user = 1", "3\n");
    two_run(two.a, "DELETE FROM users WHERE id = 2");
    two_run(two.a, "DELETE FROM users WHERE id = 7");
    two_run(two.a, "DELETE FROM users WHERE id = 8");
    two_run(two.a, "INSERT INTO users (id, name, tags) VALUES (1, 'ann', {'a'})");
    two_run(two.a, "INSERT INTO events (user, at, what, note) VALUES (1, 2, 'e2', 'n')");
}

static void json_gets_its_tenant(void **state) {
    (void)state;
    corm_error err = { 0 };
    two_run(two.a, "INSERT INTO users JSON '{\"id\": 30, \"name\": \"jo\"}'");
    assert_ok(corm_execute(two.a, "INSERT INTO users JSON ?", NULL,
                           { .values = { corm_v("{\"id\": 31}") }, .error = &err }),
              err);
    assert_ok(corm_execute(
                  two.a, "INSERT INTO users JSON ? DEFAULT UNSET USING TTL ?", NULL,
                  { .values = { corm_v(" {\"id\":32} "), corm_v((int32_t)1000) }, .error = &err }),
              err);
    is(two.a, "SELECT id, name FROM users WHERE id IN (30, 31, 32)", "30|jo\n31|null\n32|null\n");
    is(two.b, "SELECT id, name FROM users WHERE id IN (30, 31, 32)", "");
    if (strategy == CORM_TENANT_COLUMN) {
        refused(two.a, "INSERT INTO users JSON '{\"id\": 30, \"tenant_id\": \"acme\"}'",
                "unrecognized column");
        refused(two.a, "INSERT INTO users JSON '{\"id\": 30, \"TENANT\\u005fid\": \"acme\"}'",
                "unrecognized column");
        refused(two.a, "INSERT INTO users JSON '{\"id\": 30, \"\\\"tenant_id\\\"\": \"acme\"}'",
                "unrecognized column");
        refused(two.a, "INSERT INTO users JSON '{\"id\": 30} {\"tenant_id\": \"acme\"}'", "JSON");
        refused(two.a, "INSERT INTO users JSON '[]'", "object");
    }
    for (int i = 30; i < 33; i++) {
        char cql[64];
        snprintf(cql, sizeof cql, "DELETE FROM users WHERE id = %d", i);
        two_run(two.a, cql);
    }
}

static void conditional_writes_answer_without_the_tenant(void **state) {
    (void)state;
    is(two.a, "INSERT INTO users (id, name) VALUES (1, 'x') IF NOT EXISTS",
       "False|1|null|ann|{'a'}\n");
    is(two.a, "INSERT INTO users (id, name) VALUES (40, 'x') IF NOT EXISTS", "True\n");
    is(two.b, "UPDATE users SET name = 'q' WHERE id = 40 IF EXISTS", "False\n");
    is(two.a, "UPDATE users SET name = 'q' WHERE id = 40 IF name = 'z'", "False|x\n");
    is(two.a, "BEGIN BATCH UPDATE users SET name = 'q' WHERE id = 40 IF name = 'z'; APPLY BATCH",
       "False|40|x\n");
    is(two.a, "DELETE FROM users WHERE id = 40 IF name = 'x'", "True\n");
}

static void shared_tables_are_read_by_all(void **state) {
    (void)state;
    is(two.a, "SELECT * FROM countries", "de|Germany\n");
    is(two.b, "SELECT name FROM tenants_t.countries WHERE code = 'de'", "Germany\n");
    refused(two.a, "INSERT INTO countries (code) VALUES ('fr')", "shared");
    refused(two.a, "TRUNCATE countries", strategy == CORM_TENANT_COLUMN ? "refused" : "shared");
    refused(two.a, "DROP TABLE votes", strategy == CORM_TENANT_COLUMN ? "refused" : "shared");
    refused(two.a, "ALTER TABLE votes ADD x int", "shared");
    two_run(two.a, "INSERT INTO votes (id, n) VALUES (1, 1)");
    is(two.b, "SELECT * FROM votes", "1|1\n");
}

static void what_reaches_beyond_a_tenant_is_refused(void **state) {
    (void)state;
    static const char *const statements[] = {
        "SELECT * FROM system.local",
        "SELECT * FROM system_auth.roles",
        "SELECT * FROM other.users",
        "SELECT * FROM tenants_t__blue_m1.users",
        "USE system",
        "USE other",
        "CREATE KEYSPACE x WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "DROP KEYSPACE tenants_t",
        "ALTER KEYSPACE tenants_t WITH durable_writes = true",
        "CREATE ROLE r",
        "LIST ROLES",
        "GRANT SELECT ON ALL KEYSPACES TO r",
        "CREATE USER u",
        "LIST ALL PERMISSIONS",
        "INSERT INTO system.local (key) VALUES ('x')",
        "DROP TABLE system.local",
        "CREATE TRIGGER t ON users USING 'x'",
        "CREATE TABLE x (id int PRIMARY KEY, v 'org.apache.cassandra.db.marshal.Int32Type')",
        "CREATE TABLE x (id int PRIMARY KEY) WITH id = 5a1c395e-b41f-11e5-9f22-ba0be0483c18",
        "CREATE TABLE x (id int PRIMARY KEY, v frozen<other.address>)",
        "BEGIN BATCH INSERT INTO users (id) VALUES (1); INSERT INTO other.users (id) VALUES (1); APPLY BATCH",
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        const char *got = two_rows(two.a, statements[i]);
        if (strncmp(got, "ERROR", 5) != 0)
            fail_msg("%s (%s) is not refused", statements[i], strategy_names[strategy]);
    }
    refused(two.a, "SELECT * FROM tenants", "tenants");
    if (strategy != CORM_TENANT_COLUMN) return;
    refused(two.a, "SELECT tenant_id FROM users", "Undefined column name tenant_id");
    refused(two.a, "SELECT * FROM users WHERE tenant_id = 'x'", "Undefined column name tenant_id");
    refused(two.a, "INSERT INTO users (tenant_id, id) VALUES ('x', 1)",
            "Undefined column name tenant_id");
    refused(two.a, "TRUNCATE users", "share");
    refused(two.a, "DROP TABLE users", "share");
    refused(two.a, "ALTER TABLE users DROP name", "share");
    refused(two.a, "ALTER TABLE users ADD tenant_id int", "tenant_id");
    refused(two.a, "ALTER TABLE tenants ADD x int", "tenants");
    refused(two.a, "CREATE TABLE x (tenant_id text PRIMARY KEY)", "tenant_id");
    refused(two.a, "SELECT * FROM users WHERE id = :\"corm tenant\"", "marker");
}

static void a_prepared_statement_stays_its_tenants(void **state) {
    (void)state;
    corm_prepared *prepared;
    corm_result   *result;
    corm_error     err = { 0 };
    assert_ok(corm_prepare(two.a,
                           "SELECT * FROM users WHERE id = ? AND token(id) >= token(?) LIMIT ?",
                           &prepared, &err),
              err);
    assert_int_equal(corm_prepared_marker_count(prepared), 3);
    assert_text(corm_prepared_marker_name(prepared, 0), "id");
    assert_text(corm_prepared_marker_name(prepared, 2), "[limit]");
    corm_statement *statement = corm_statement_new(prepared);
    for (uint32_t i = 0; i < 3; i++)
        assert_ok(corm_statement_bind(statement, i, corm_v((int32_t)1), &err), err);
    assert_ok(corm_run(statement, &result, &err), err);
    assert_int_equal(corm_result_row_count(result), 1);
    assert_int_equal(corm_result_column_count(result), 4);
    assert_text(corm_row_text(corm_result_next(result), 2), "ann");
    corm_result_free(result);
    corm_batch *batch = corm_batch_new(two.b, CORM_UNLOGGED);
    assert_status(corm_batch_add(batch, statement, &err), CORM_INVALID_ARGUMENT);
    corm_batch_free(batch);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
}

static void a_batch_of_statements_is_the_tenants(void **state) {
    (void)state;
    corm_prepared *prepared;
    corm_error     err = { 0 };
    assert_ok(corm_prepare(two.b, "UPDATE users SET name = ? WHERE id = ?", &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    corm_batch     *batch = corm_batch_new(two.b, CORM_LOGGED);
    corm_value      values[] = { corm_v((int32_t)51), corm_v("text") };
    for (int32_t i = 0; i < 2; i++) {
        assert_ok(corm_statement_bind(statement, 0, corm_v("b"), &err), err);
        assert_ok(corm_statement_bind(statement, 1, corm_v(i + 52), &err), err);
        assert_ok(corm_batch_add(batch, statement, &err), err);
    }
    assert_ok(
        corm_batch_add_text(batch, "INSERT INTO users (id, name) VALUES (50, 'b')", NULL, 0, &err),
        err);
    assert_ok(
        corm_batch_add_text(batch, "INSERT INTO users (id, name) VALUES (?, ?)", values, 2, &err),
        err);
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    is(two.b, "SELECT name FROM users WHERE id IN (50, 51, 52, 53)", "b\ntext\nb\nb\n");
    is(two.a, "SELECT name FROM users WHERE id IN (50, 51, 52, 53)", "");
    corm_batch_clear(batch);
    assert_ok(
        corm_batch_add_text(batch, "DELETE FROM users WHERE id IN (50, 51, 52, 53)", NULL, 0, &err),
        err);
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    corm_batch_free(batch);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
}

static void paging_states_of_another_tenant_do_not_work(void **state) {
    (void)state;
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_execute(two.a, "SELECT at FROM events", &result,
                           { .request = { .page_size = 1 }, .error = &err }),
              err);
    assert_true(corm_result_has_more(result));
    corm_bytes paging = corm_result_paging_state(result);
    assert_status(corm_execute(two.b, "SELECT at FROM events", NULL,
                               { .request = { .paging_state = paging }, .error = &err }),
                  CORM_INVALID);
    assert_non_null(strstr(err.message, "this tenant's"));
    corm_result *rest;
    assert_ok(corm_execute(two.a, "SELECT at FROM events", &rest,
                           { .request = { .paging_state = paging }, .error = &err }),
              err);
    assert_int_equal(corm_result_row_count(rest), 2);
    corm_result_free(rest);
    uint32_t rows = 0;
    for (const corm_row *row; corm_result_step(result, &row, &err) == CORM_OK && row;) rows++;
    assert_int_equal(rows, 3);
    corm_result_free(result);
}

static void page_tokens_are_good_for_the_tenants_other_sessions(void **state) {
    (void)state;
    corm_prepared *prepared;
    corm_result   *result;
    corm_session  *other;
    corm_error     err = { 0 };
    char          *token;
    corm_session  *sessions[] = { two.a, NULL, two.b };
    assert_ok(corm_tenant_session(two.tenants, "acme", &other, &err), err);
    sessions[1] = other;
    for (int i = 0; i < 3; i++) {
        assert_ok(corm_prepare(sessions[i], "SELECT at FROM events", &prepared, &err), err);
        corm_statement *statement = corm_statement_new(prepared);
        corm_statement_options(statement)->page_size = 1;
        if (i > 0)
            assert_status(corm_statement_set_page_token(statement, token, 0, &err),
                          i == 1 ? CORM_OK : CORM_INVALID_ARGUMENT);
        if (i == 0) {
            assert_ok(corm_run(statement, &result, &err), err);
            assert_ok(corm_page_token(result, &token, &err), err);
            corm_result_free(result);
        } else if (i == 1) {
            assert_ok(corm_run(statement, &result, &err), err);
            assert_int_equal(corm_result_row_count(result), 1);
            corm_result_free(result);
        }
        corm_statement_free(statement);
        corm_prepared_free(prepared);
    }
    free(token);
    corm_session_close(other);
}

static void errors_have_the_tenants_names(void **state) {
    (void)state;
    refused(two.a, "SELECT nothing FROM users",
            "Undefined column name nothing in table tenants_t.users");
    refused(two.a, "SELECT * FROM nothing", "nothing");
    corm_error err = { 0 };
    assert_status(
        corm_execute(two.a, "CREATE TABLE users (id int PRIMARY KEY)", NULL, { .error = &err }),
        CORM_ALREADY_EXISTS);
    assert_string_equal(err.keyspace, "tenants_t");
    assert_string_equal(err.table, "users");
}

static void a_tenant_sees_its_own_schema(void **state) {
    (void)state;
    const char *all = two_rows(two.a, "DESCRIBE KEYSPACE tenants_t");
    assert_non_null(strstr(all, "CREATE TABLE tenants_t.users"));
    assert_null(strstr(all, "__"));
    assert_null(strstr(all, "tenant_id"));
    is(two.a, "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'tenants_t'",
       "countries\nevents\nhits\nusers\nvotes\n");
    is(two.a,
       "SELECT keyspace_name FROM system_schema.tables WHERE keyspace_name = 'tenants_t__blue_m1'",
       "");
    const corm_table_info *info;
    corm_error             err = { 0 };
    assert_ok(corm_table_read(two.a, NULL, "users", &info, &err), err);
    assert_int_equal(info->column_count, 4);
    assert_string_equal(info->columns[0].name, "id");
    corm_table_free(info);
}

static void the_schema_can_be_changed(void **state) {
    (void)state;
    two_run(
        two.a,
        "CREATE TABLE notes (id int, at int, text text, PRIMARY KEY (id, at)) WITH CLUSTERING ORDER BY (at DESC)");
    two_run(two.a, "ALTER TABLE notes ADD more map<int, frozen<address>>");
    two_run(two.a, "CREATE INDEX ON notes (text)");
    two_run(
        two.a,
        "INSERT INTO notes (id, at, text, more) VALUES (1, 2, 't', {1: {street: 's', city: 'c'}})");
    is(two.a, "SELECT * FROM notes", "1|2|{1: {street: 's', city: 'c'}}|t\n");
    is(two.a, "SELECT id FROM notes WHERE text = 't'", "1\n");
    if (strategy == CORM_TENANT_COLUMN) {
        is(two.b, "SELECT * FROM notes", "");
        corm_session *schema;
        corm_error    err = { 0 };
        assert_ok(corm_tenants_schema_session(two.tenants, &schema, &err), err);
        is(schema, "SELECT * FROM notes", "");
        two_run(schema, "ALTER TABLE notes DROP more");
        is(two.a, "SELECT * FROM notes", "1|2|t\n");
        two_run(schema, "DROP TABLE IF EXISTS tenants");
        assert_ok(corm_tenant_suspend(two.tenants, "acme", &err), err);
        assert_ok(corm_tenant_resume(two.tenants, "acme", &err), err);
        two_run(schema, "DROP TABLE notes");
        corm_session_close(schema);
    } else {
        refused(two.b, "SELECT * FROM notes", "notes");
        two_run(two.a, "DROP INDEX notes_text_idx");
        two_run(two.a, "TRUNCATE notes");
        is(two.a, "SELECT * FROM notes", "");
        two_run(two.a, "DROP TABLE notes");
    }
    refused(two.a, "SELECT * FROM notes", "notes");
}

static void a_statement_is_shown_as_it_becomes(void **state) {
    static const char *const texts[] = {
        "SELECT * FROM tenants_t__acme.users WHERE name = ?",
        "SELECT * FROM tenants_t.acme__users WHERE name = ?",
        "SELECT id, home, name, tags FROM tenants_t.users WHERE tenant_id = :\"corm tenant\" AND name = ? ALLOW FILTERING",
    };
    corm_tenant_query *query;
    corm_error         err = { 0 };
    (void)state;
    assert_ok(corm_tenants_transform(two.tenants, "acme", "SELECT * FROM users WHERE name = ?",
                                     &query, &err),
              err);
    assert_string_equal(query->cql, texts[strategy]);
    assert_int_equal(query->value_count, strategy == CORM_TENANT_COLUMN ? 2 : 1);
    assert_int_equal(query->values[query->value_count - 1], 0);
    if (strategy == CORM_TENANT_COLUMN) assert_int_equal(query->values[0], CORM_TENANT_VALUE);
    assert_string_equal(query->tenant, "acme");
    corm_tenant_query_free(query);
    assert_status(corm_tenants_transform(two.tenants, "acme", "SELEC", &query, &err),
                  CORM_SYNTAX_ERROR);
    assert_status(corm_tenants_transform(two.tenants, "acme", "LIST ROLES", &query, &err),
                  CORM_UNAUTHORIZED);
    assert_status(corm_tenants_transform(two.tenants, NULL, "SELECT * FROM users", &query, &err),
                  CORM_INVALID_ARGUMENT);
}

static void single_statements_name_their_tenant(void **state) {
    (void)state;
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_tenant_execute(two.tenants, "blue-1", "SELECT name FROM users WHERE id = ?",
                                  &result, { .values = { corm_v((int32_t)1) }, .error = &err }),
              err);
    assert_text(corm_row_text(corm_result_next(result), 0), "bob");
    corm_result_free(result);
    assert_status(
        corm_tenant_execute(two.tenants, NULL, "SELECT * FROM users", &result, { .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_status(corm_tenant_execute(two.tenants, "nobody", "SELECT * FROM users", &result,
                                      { .error = &err }),
                  CORM_NOT_FOUND);
    assert_status(corm_tenant_execute(two.tenants, "No'body", "SELECT * FROM users", &result,
                                      { .error = &err }),
                  CORM_INVALID_ARGUMENT);
}

static void requests_without_waiting_are_the_tenants(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        corm_task *tasks[2] = {
            corm_execute_async(
                two.a, "UPDATE users SET name = ? WHERE id = ?",
                &(corm_execute_options){ .values = { corm_v("ann"), corm_v((int32_t)1) } }, NULL,
                NULL),
            corm_execute_async(
                two.b, "UPDATE users SET name = ? WHERE id = ?",
                &(corm_execute_options){ .values = { corm_v("bob"), corm_v((int32_t)1) } }, NULL,
                NULL),
        };
        for (int t = 0; t < 2; t++) {
            assert_status(corm_task_wait(tasks[t], 0), CORM_OK);
            corm_task_free(tasks[t]);
        }
    }
    is(two.a, "SELECT name FROM users WHERE id = 1", "ann\n");
    is(two.b, "SELECT name FROM users WHERE id = 1", "bob\n");
}

#define TESTS                                                                                      \
    cmocka_unit_test(each_tenant_reads_its_own_rows),                                              \
        cmocka_unit_test(what_needs_filtering_still_needs_it),                                     \
        cmocka_unit_test(names_of_results_are_the_tenants),                                        \
        cmocka_unit_test(writes_reach_the_tenants_rows_only),                                      \
        cmocka_unit_test(json_gets_its_tenant),                                                    \
        cmocka_unit_test(conditional_writes_answer_without_the_tenant),                            \
        cmocka_unit_test(shared_tables_are_read_by_all),                                           \
        cmocka_unit_test(what_reaches_beyond_a_tenant_is_refused),                                 \
        cmocka_unit_test(a_prepared_statement_stays_its_tenants),                                  \
        cmocka_unit_test(a_batch_of_statements_is_the_tenants),                                    \
        cmocka_unit_test(paging_states_of_another_tenant_do_not_work),                             \
        cmocka_unit_test(page_tokens_are_good_for_the_tenants_other_sessions),                     \
        cmocka_unit_test(errors_have_the_tenants_names),                                           \
        cmocka_unit_test(a_tenant_sees_its_own_schema),                                            \
        cmocka_unit_test(the_schema_can_be_changed),                                               \
        cmocka_unit_test(a_statement_is_shown_as_it_becomes),                                      \
        cmocka_unit_test(single_statements_name_their_tenant),                                     \
        cmocka_unit_test(requests_without_waiting_are_the_tenants)

static const struct CMUnitTest tests[] = { TESTS };

int main(void) {
    int failed = 0;
    for (strategy = CORM_TENANT_KEYSPACE; strategy <= CORM_TENANT_COLUMN; strategy++) {
        failed += cmocka_run_group_tests_name(strategy_names[strategy], tests, open_two, close_two);
    }
    return failed;
}
